"""The exercises of lesson 1.4: bytes on a ring, bytes in a compiled program, and a pipeline cut well."""

import math
import random
import re
from itertools import combinations

import numpy as np

from helpers.exercises import FunctionExercise, number, whole_number

# Exercise 1: bytes on a ring


def my_ring_bytes(devices: int, size: int) -> float:
    """Return how many bytes each device sends in an all-reduce of an array of `size` bytes around a ring."""
    piece = size / devices
    steps = 2 * (devices - 1)  # one way round to add up, one to hand the sums out
    return steps * piece


ring_bytes = FunctionExercise(
    "ring_bytes",
    "Write `my_ring_bytes(devices, size)`: how many bytes each device sends in an all-reduce of `size` bytes "
    "around a ring.",
    [
        "Cut the array into as many pieces as there are devices. In each step every device sends one piece to its "
        "neighbour.",
        "How many steps must a piece go until it has met every device? And how many more until every device has "
        "the sum?",
        "`devices - 1` steps to add up, as many again to hand the sums out, each of `size / devices` bytes.",
    ],
    my_ring_bytes,
    cases=[(2, 100), (4, 100), (1, 100), (3, 100), (5, 4), (8, 1_000), (4, 852_036), (64, 1_000_000), (1_000, 10**9)],
    read=number,
    noun="the number of bytes",
)


@ring_bytes.mistake
def stops_half_way(devices, size):
    """You stop half way, after the reduce-scatter: each device has the sum of one piece alone. The pieces must go
    round once more."""
    return (devices - 1) * size / devices


@ring_bytes.mistake
def sends_the_whole_array_each_step(devices, size):
    """You send the whole array in each step, or add up all devices: one device sends one piece a step, `size / devices`
    bytes."""
    return 2 * (devices - 1) * size


@ring_bytes.mistake
def sends_its_array_to_everybody(devices, size):
    """You let each device send its whole array to all others: that gives everybody the sum, but a ring needs far
    less."""
    return (devices - 1) * size


@ring_bytes.mistake
def takes_one_step_too_many(devices, size):
    """You take as many steps as there are devices, twice. The piece that comes home need not be sent: it is one step
    less each time."""
    return 2 * size


@ring_bytes.mistake
def climbs_a_tree(devices, size):
    """That is a tree, where the whole array goes up and down once a level. On a ring pieces travel, and each device
    sends less than twice the array."""
    return 2 * size * math.log2(devices)


@ring_bytes.mistake
def counts_one_step(devices, size):
    """You count one step up and one down. A piece must pass every other device, so there are `devices - 1` steps
    each time."""
    return 2 * size / devices


@ring_bytes.mistake
def turns_the_fraction_over(devices, size):
    """The fraction stands on its head: with more devices each sends a little more, towards twice the array, never
    less."""
    return 2 * size * devices / (devices - 1)


@ring_bytes.mistake
def cuts_with_integer_division(devices, size):
    """You cut the pieces with `//`, and lose what does not divide evenly: use `/`."""
    return 2 * (devices - 1) * (size // devices)


@ring_bytes.mistake
def divides_the_share_too_early(devices, size):
    """You divide with `//` before you multiply by the size: the share becomes 0 or 1. Use `/`."""
    return 2 * (devices - 1) // devices * size


@ring_bytes.mistake
def asks_one_server(devices, size):
    """You send the array once, as if to a server that answers everybody: that server would send and receive for all.
    A ring has no such middle."""
    return size


@ring_bytes.mistake
def forgets_the_brackets(devices, size):
    """Brackets are missing: `2 * devices - 1` is not `2 * (devices - 1)`."""
    return (2 * devices - 1) * size / devices


@ring_bytes.mistake
def counts_bits(devices, size):
    """You count bits: there are eight in a byte, and bytes are asked for."""
    return 16 * (devices - 1) * size / devices


@ring_bytes.mistake
def lets_one_device_send_to_itself(devices, size):
    """A device alone has nobody to send to: with one device the answer is 0."""
    return 2 * (devices - 1) * size / devices if devices > 1 else size


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
