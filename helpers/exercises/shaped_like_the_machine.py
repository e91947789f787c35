"""The exercises of lesson 1.4: a pipeline's idle share, bytes in a compiled program, and a pipeline cut well."""

import math
import random
import re
from itertools import combinations

import numpy as np

from helpers.exercises import FunctionExercise, number, whole_number

# Exercise 1: the bubble's share


def my_idle_share(stages: int, microbatches: int, runs: int) -> float:
    """Return the share of its time that a stage of a pipeline stands idle."""
    idle = (stages - 1) / runs  # in the time that a stage takes for one microbatch
    return idle / (microbatches + idle)


idle_share = FunctionExercise(
    "idle_share",
    "Write `my_idle_share(stages, microbatches, runs)`: the share of its time that a stage stands idle, when each "
    "stage holds so many short runs of layers.",
    [
        "Begin with one run. How many turns does a stage work, and how many turns does the whole step take?",
        "With one run a stage waits `stages - 1` turns, at the start and the end together. With several runs each "
        "of these waits lasts only as long as one run.",
        "Divide the idle time, `(stages - 1) / runs`, by all the time: the `microbatches` and the idle time.",
    ],
    my_idle_share,
    cases=[(4, 4, 1), (1, 8, 1), (2, 1, 1), (4, 12, 1), (4, 4, 2), (8, 8, 4), (3, 5, 2), (64, 512, 2), (16, 16, 8)],
    read=number,
    noun="the idle share",
)


@idle_share.mistake
def divides_by_the_work(stages, microbatches, runs):
    """You divide the idle time by the time at work. A share is a part of the whole: add the idle time below, too."""
    return (stages - 1) / runs / microbatches


@idle_share.mistake
def gives_the_share_at_work(stages, microbatches, runs):
    """That is the share at work. The idle share is what is missing to 1."""
    return microbatches / (microbatches + (stages - 1) / runs)


@idle_share.mistake
def forgets_the_runs(stages, microbatches, runs):
    """You leave the runs out. With two runs a stage waits half as long: the next stage starts after a half turn."""
    return (stages - 1) / (microbatches + stages - 1)


@idle_share.mistake
def shortens_the_wait_above_only(stages, microbatches, runs):
    """You shorten the wait above the fraction's line but not below: the whole time holds the same wait."""
    return (stages - 1) / runs / (microbatches + stages - 1)


@idle_share.mistake
def lengthens_the_wait(stages, microbatches, runs):
    """You multiply the wait by the runs. More runs are shorter runs, so the wait is divided."""
    return (stages - 1) * runs / (microbatches + (stages - 1) * runs)


@idle_share.mistake
def makes_every_stage_wait_for_itself(stages, microbatches, runs):
    """You count one turn of waiting too many: a stage waits for the others, `stages - 1`. One stage never waits."""
    return stages / runs / (microbatches + stages / runs)


@idle_share.mistake
def counts_both_ends_twice(stages, microbatches, runs):
    """You count `stages - 1` turns at the start and again at the end. The first stage waits at the end alone, the
    last at the start, the others share it out: `stages - 1` in all."""
    return 2 * (stages - 1) / runs / (microbatches + 2 * (stages - 1) / runs)


@idle_share.mistake
def swaps_stages_and_microbatches(stages, microbatches, runs):
    """You swap stages and microbatches: a stage works on each microbatch, and waits for the other stages."""
    return (microbatches - 1) / runs / (stages + (microbatches - 1) / runs)


@idle_share.mistake
def gives_the_turns(stages, microbatches, runs):
    """You give the idle turns. Asked for is their share of all the time."""
    return (stages - 1) / runs


@idle_share.mistake
def divides_with_integers(stages, microbatches, runs):
    """You divide with `//`, which drops what does not divide evenly: use `/`."""
    idle = (stages - 1) // runs
    return idle / (microbatches + idle)


# Exercise 2: bytes in a compiled program


def my_all_reduce_bytes(program: str) -> int:
    """Return the bytes of all arrays that a program's all-reduces result in; a pair of start and done counts once."""
    total = 0
    for shapes in re.findall(r"= (.*?) all-reduce(?:-start)?\(", program):
        for kind, axes in re.findall(r"(f32|bf16)\[([\d,]*)\]", shapes):
            numbers = math.prod(int(n) for n in axes.split(",") if n)
            total += numbers * {"f32": 4, "bf16": 2}[kind]
    return total


_ADD = "%sum = f32[] add(f32[] %a, f32[] %b)"
_ONE = "%ar.1 = f32[4,64]{1,0} all-reduce(f32[4,64]{1,0} %x), channel_id=1, to_apply=%sum"
_TWO = "%ar.2 = (f32[128]{0}, f32[8,2]{1,0}) all-reduce(%x, %y), channel_id=2, to_apply=%sum"
_SCALAR = "%ar.3 = f32[] all-reduce(f32[] %loss), channel_id=3, to_apply=%sum"
_HALF = "%ar.4 = bf16[10,10]{1,0} all-reduce(bf16[10,10]{1,0} %x), channel_id=4, to_apply=%sum"
_PAIR = """%ars = f32[32]{0} all-reduce-start(f32[32]{0} %x), channel_id=5, to_apply=%sum
%work = f32[7,7]{1,0} dot(%u, %v)
%ard = f32[32]{0} all-reduce-done(f32[32]{0} %ars)"""
_USE = "%got = f32[128]{0} get-tuple-element((f32[128]{0}, f32[8,2]{1,0}) %all-reduce.2), index=0"
_GATHER = "%ag = f32[64]{0} all-gather(f32[16]{0} %x), channel_id=6, dimensions={0}"

all_reduce_bytes = FunctionExercise(
    "all_reduce_bytes",
    "Write `my_all_reduce_bytes(program)`: the bytes of all arrays that the all-reduces in a program's text result in, "
    "where `f32` has four bytes, `bf16` has two, and a pair of start and done counts once.",
    [
        "A line reads `%name = SHAPE all-reduce(...)`. The shape stands between the equals sign and the name of the "
        "operation; what follows in brackets is what goes in.",
        "A shape is `f32[4,64]`, or several in brackets, `(f32[128], f32[8,2])`. `f32[]` is one number. "
        "`re.findall` finds them.",
        r'First `re.findall(r"= (.*?) all-reduce(?:-start)?\(", program)`, then in each of these '
        r'`re.findall(r"(f32|bf16)\[([\d,]*)\]", shapes)`. Multiply the axes; the product of none is 1.',
    ],
    my_all_reduce_bytes,
    cases=[
        (_ONE,),
        (_SCALAR,),
        (_ADD,),
        (_TWO,),
        (_HALF,),
        (_GATHER,),
        (_PAIR,),
        ("\n".join([_ONE, _ONE.replace("ar.1", "ar.9")]),),
        ("\n".join([_TWO, _USE]),),
        ("\n".join([_ADD, _ONE, _GATHER, _TWO, _USE, _SCALAR, _HALF, _PAIR]),),
    ],
    read=whole_number,
    noun="the number of bytes",
)

_BYTES = {"f32": 4, "bf16": 2}


def _read(program, find=r"= (.*?) all-reduce(?:-start)?\(", axes=r"(f32|bf16)\[([\d,]*)\]", each=None, lines=None):
    """The solution with one part exchanged."""
    found = re.findall(find, program)
    found = lines(found) if lines else found
    each = each or (lambda kind, numbers: math.prod(numbers) * _BYTES[kind])
    return sum(
        each(kind, [int(n) for n in text.split(",") if n])
        for shapes in found
        for kind, text in re.findall(axes, shapes)
    )


@all_reduce_bytes.mistake
def counts_start_and_done(program):
    """You count `all-reduce-start` and `all-reduce-done` both. They are the two ends of one message: count the
    start."""
    return _read(program, r"= (.*?) all-reduce(?:-start|-done)?\(")


@all_reduce_bytes.mistake
def misses_the_pairs(program):
    """You miss the all-reduces that are written as a pair: look for `all-reduce-start` too."""
    return _read(program, r"= (.*?) all-reduce\(")


@all_reduce_bytes.mistake
def counts_every_mention(program):
    """You count each line in which the word stands. A later line that *uses* the result sends nothing."""
    lines = [line.split(" = ")[1].split(" all-")[0] for line in program.splitlines() if "all-reduce" in line]
    return sum(_read(f"= {shapes} all-reduce(") for shapes in lines)


@all_reduce_bytes.mistake
def takes_the_first_array(program):
    """You take only the first array of a message that carries several: `(f32[128], f32[8,2])` has two."""
    return _read(program, r"= \(?(\w+\[[\d,]*\]).*? all-reduce(?:-start)?\(")


@all_reduce_bytes.mistake
def takes_a_scalar_for_nothing(program):
    """`f32[]` is one number, of four bytes, not nothing: the product of no axes is 1."""
    return _read(program, each=lambda kind, n: math.prod(n) * _BYTES[kind] if n else 0)


@all_reduce_bytes.mistake
def adds_the_axes(program):
    """You add the axes of an array: `f32[4,64]` holds 4 times 64 numbers."""
    return _read(program, each=lambda kind, n: sum(n) * _BYTES[kind] if n else _BYTES[kind])


@all_reduce_bytes.mistake
def gives_each_number_four_bytes(program):
    """You give every number four bytes. `bf16` has two."""
    return _read(program, each=lambda kind, n: 4 * math.prod(n))


@all_reduce_bytes.mistake
def counts_numbers(program):
    """You count numbers, not bytes: multiply by 4 for `f32` and by 2 for `bf16`."""
    return _read(program, each=lambda kind, n: math.prod(n))


@all_reduce_bytes.mistake
def counts_messages(program):
    """You count the messages. Asked for is how many bytes they carry."""
    return len(re.findall(r"all-reduce(?:-start)?\(", program))


@all_reduce_bytes.mistake
def counts_other_collectives(program):
    """You count the all-gather too. It is another kind of message: only all-reduces are asked for."""
    return _read(program, r"= (.*?) all-(?:reduce|gather)(?:-start)?\(")


@all_reduce_bytes.mistake
def counts_what_goes_in(program):
    """You read shapes in the whole line, and so count what goes in as well as what comes out. Stop at the name of the
    operation."""
    return _read(program, r"= (.* all-reduce(?:-start)?\(.*)")


@all_reduce_bytes.mistake
def stops_after_the_first(program):
    """You stop after the first all-reduce: `re.search` finds one, `re.findall` finds all."""
    return _read(program, lines=lambda found: found[:1])


@all_reduce_bytes.mistake
def counts_equal_ones_once(program):
    """Two messages of the same shape are still two: do not put the shapes into a set or a dictionary."""
    return _read(program, lines=lambda found: sorted(set(found)))


@all_reduce_bytes.mistake
def reads_the_layout(program):
    """The numbers in braces, as in `f32[4,64]{1,0}`, say in which order the array lies in memory. They are no axes."""
    total = 0
    for shapes in re.findall(r"= (.*?) all-reduce(?:-start)?\(", program):
        for kind, axes, layout in re.findall(r"(f32|bf16)\[([\d,]*)\](?:\{([\d,]*)\})?", shapes):
            numbers = [int(n) for n in f"{axes},{layout}".split(",") if n]
            total += math.prod(numbers) * _BYTES[kind]
    return total


# Exercise 3: a pipeline cut well


def my_slowest_stage(seconds: list, stages: int) -> float:
    """Return the time of the slowest stage when the layers are cut, in their order, into stages as evenly as can be."""
    if stages == 1:
        return sum(seconds)
    ends = range(1, len(seconds) - stages + 2)  # each later stage needs a layer, too
    return min(max(sum(seconds[:end]), my_slowest_stage(seconds[end:], stages - 1)) for end in ends)


def _layers() -> list[tuple]:
    """Layers' times and a number of stages, the shortest first."""
    cases = [
        ([3], 1),
        ([3, 1], 2),
        ([1, 2, 3], 1),
        ([1, 1, 4], 2),
        ([4, 1, 1], 2),
        ([2, 3, 4, 5], 2),
        ([5, 1, 5, 1], 2),
    ]
    cases += [([1, 9, 1, 1], 2), ([3, 3, 3, 3, 3], 2), ([2, 2, 2, 2, 2, 2], 3), ([8, 1, 1, 1, 1, 4], 3)]
    cases += [([1, 2, 3, 4, 5, 6, 7], 3), ([7, 1, 6, 2, 5, 3, 4], 3)]
    draw = random.Random(0)
    cases += [([draw.randrange(1, 10) for _ in range(layers)], draw.randrange(2, 5)) for layers in (5, 6, 7, 8, 9, 10)]
    return cases


slowest_stage = FunctionExercise(
    "slowest_stage",
    "Write `my_slowest_stage(seconds, stages)`: the time of the slowest stage when layers that take `seconds` are cut, "
    "in their order, into that many stages as evenly as can be.",
    [
        "The slowest stage sets the pace of the whole line. Try `[1, 1, 4]` in two stages: where would you cut?",
        "Choose where the first stage ends. What is left is the same problem with one stage fewer.",
        "`stages == 1` is the sum. Otherwise try each `end`, take the larger of `sum(seconds[:end])` and the answer "
        "for `seconds[end:]` with `stages - 1`, and keep the smallest of these.",
    ],
    my_slowest_stage,
    cases=_layers(),
    read=number,
    noun="the slowest stage's time",
)


def _cuts(seconds, stages) -> list[list]:
    """The stages' times for each way to cut."""
    ways = combinations(range(1, len(seconds)), stages - 1)
    return [[sum(seconds[a:b]) for a, b in zip((0, *cut), (*cut, len(seconds)))] for cut in ways]


@slowest_stage.mistake
def takes_the_mean(seconds, stages):
    """You share the time out evenly. A layer cannot be cut here, so the stages are seldom equal."""
    return sum(seconds) / stages


@slowest_stage.mistake
def cuts_by_number_of_layers(seconds, stages):
    """You give each stage as many layers. Layers differ: give each stage as much *time*."""
    return max(int(part.sum()) for part in np.array_split(np.array(seconds), stages))


@slowest_stage.mistake
def takes_the_slowest_layer(seconds, stages):
    """You return the slowest layer. A stage may hold several layers, and then takes the sum of them."""
    return max(seconds)


@slowest_stage.mistake
def takes_mean_or_slowest_layer(seconds, stages):
    """No cut can be better than the mean or than the slowest layer, but often none is as good. You return this bound,
    not the best cut."""
    return max(max(seconds), sum(seconds) / stages)


@slowest_stage.mistake
def deals_layers_out(seconds, stages):
    """You give each layer to the stage with the least to do. The layers must stay in their order: a stage is a run of
    neighbours."""
    sums = [0] * stages
    for time in sorted(seconds, reverse=True):
        sums[sums.index(min(sums))] += time
    return max(sums)


@slowest_stage.mistake
def sorts_first(seconds, stages):
    """You sort the layers before cutting. A pipeline runs them in their order."""
    return my_slowest_stage(sorted(seconds), stages)


@slowest_stage.mistake
def deals_in_turn(seconds, stages):
    """You deal the layers out in turn, as `seconds[i::stages]` does. A stage is a run of neighbours."""
    return max(sum(seconds[i::stages]) for i in range(stages))


@slowest_stage.mistake
def fills_up_to_the_mean(seconds, stages):
    """You fill each stage until it reaches the mean, and give the rest to the last. Looking one stage ahead is not
    enough: try all cuts."""
    sums, mean = [0], sum(seconds) / stages
    for time in seconds:
        if sums[-1] >= mean and len(sums) < stages:
            sums.append(0)
        sums[-1] += time
    return max(sums)


@slowest_stage.mistake
def never_passes_the_mean(seconds, stages):
    """You close a stage before it would pass the mean, and the last stage gets all that is left. Looking one stage
    ahead is not enough: try all cuts."""
    sums, mean = [0], sum(seconds) / stages
    for time in seconds:
        if sums[-1] and sums[-1] + time > mean and len(sums) < stages:
            sums.append(0)
        sums[-1] += time
    return max(sums)


@slowest_stage.mistake
def returns_the_fastest_stage(seconds, stages):
    """You return the fastest stage of the best cut. The slowest sets the pace."""
    return min(min(_cuts(seconds, stages), key=max))


@slowest_stage.mistake
def returns_the_worst_cut(seconds, stages):
    """You keep the worst of all cuts: the outer `max` should be `min`."""
    return max(max(cut) for cut in _cuts(seconds, stages))


@slowest_stage.mistake
def makes_one_cut_too_many(seconds, stages):
    """You make as many cuts as there are stages, which gives one stage too many: for two stages, cut once."""
    return my_slowest_stage(seconds, min(stages + 1, len(seconds)))


@slowest_stage.mistake
def forgets_the_last_layer(seconds, stages):
    """You lose the last layer: a slice `seconds[a:b]` ends *before* b."""
    return my_slowest_stage(seconds[:-1], min(stages, max(1, len(seconds) - 1)))


@slowest_stage.mistake
def returns_the_sum(seconds, stages):
    """You return the time of all layers. That is how long one batch takes; the stages work at the same time, and the
    slowest sets the pace."""
    return sum(seconds)
