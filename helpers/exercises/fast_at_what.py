"""The exercises of lesson 1.3: the least time under a roof, rounding to few levels, and counting the bits."""

import math

import numpy as np

from helpers.exercises import FunctionExercise, Outcome, number, with_article

# Exercise 1: under the roof


def my_least_seconds(operations: float, moved: float, peak: float, bandwidth: float) -> float:
    """Return the least seconds for a job: computing and moving bytes happen at the same time."""
    return max(operations / peak, moved / bandwidth)


least_seconds = FunctionExercise(
    "least_seconds",
    "Write `my_least_seconds(operations, moved, peak, bandwidth)`: the least time, in seconds, of a job with so many "
    "operations and so many bytes, on a machine that computes and moves bytes at the same time.",
    [
        "How long would the operations take if bytes cost nothing? And the bytes, if operations cost nothing?",
        "Both go on at the same time, like two people who share a job. When is the job done?",
        "The job is done when the slower of the two is done: the larger of `operations / peak` and "
        "`moved / bandwidth`. Python's `max` takes two numbers.",
    ],
    my_least_seconds,
    cases=[
        (10, 4, 5, 4),
        (4, 10, 4, 5),
        (8, 8, 4, 4),
        (0, 6, 5, 3),
        (6, 0, 3, 5),
        (7, 3, 2, 5),
        (3, 7, 5, 2),
        (1, 1, 8, 16),
        (2_147_483_648, 12_582_912, 4e11, 5e10),
        (16_777_216, 100_663_296, 4e11, 5e10),
        (2e9, 1.2e7, 9.9e14, 3.35e12),
    ],
    read=number,
    noun="the least time",
)


@least_seconds.mistake
def adds_both(operations, moved, peak, bandwidth):
    """You add the two times. The machine computes while it moves bytes, so the shorter of them is hidden."""
    return operations / peak + moved / bandwidth


@least_seconds.mistake
def takes_the_shorter(operations, moved, peak, bandwidth):
    """You take the shorter of the two times. The job is done only when its slower half is done."""
    return min(operations / peak, moved / bandwidth)


@least_seconds.mistake
def forgets_the_bytes(operations, moved, peak, bandwidth):
    """You count operations alone. A job of few operations and many bytes would take hardly any time."""
    return operations / peak


@least_seconds.mistake
def forgets_the_operations(operations, moved, peak, bandwidth):
    """You count bytes alone. A job of many operations and few bytes would take hardly any time."""
    return moved / bandwidth


@least_seconds.mistake
def swaps_the_limits(operations, moved, peak, bandwidth):
    """You divide operations by the bandwidth and bytes by the peak. Match the units: operations by operations a
    second, bytes by bytes a second."""
    return max(operations / bandwidth, moved / peak)


@least_seconds.mistake
def multiplies(operations, moved, peak, bandwidth):
    """You multiply by the speeds. The more a machine can do in a second, the less time it takes: divide."""
    return max(operations * peak, moved * bandwidth)


@least_seconds.mistake
def divides_the_wrong_way(operations, moved, peak, bandwidth):
    """You divide the speed by the work, which tells how many such jobs fit into a second, not how many seconds the
    job takes."""
    return min(
        peak / operations if operations else math.inf,
        bandwidth / moved if moved else math.inf,
    )


@least_seconds.mistake
def returns_a_speed(operations, moved, peak, bandwidth):
    """You return operations a second, the height of the roof. Asked for is the time: operations divided by it."""
    return min(peak, bandwidth * operations / moved) if moved else peak


@least_seconds.mistake
def returns_the_intensity(operations, moved, peak, bandwidth):
    """You return operations a byte. It tells which limit the job meets, and not yet how long it takes."""
    return operations / moved


@least_seconds.mistake
def multiplies_the_times(operations, moved, peak, bandwidth):
    """You multiply the two times. Seconds times seconds is no time: choose one of them."""
    return (operations / peak) * (moved / bandwidth)


@least_seconds.mistake
def takes_the_mean(operations, moved, peak, bandwidth):
    """You take the mean of the two times. The shorter one is hidden behind the longer one, and does not shorten it."""
    return (operations / peak + moved / bandwidth) / 2


@least_seconds.mistake
def divides_to_whole_numbers(operations, moved, peak, bandwidth):
    """You divide with `//`, which cuts the fraction off: most times are far below one second. Use `/`."""
    return max(operations // peak, moved // bandwidth)


@least_seconds.mistake
def answers_in_milliseconds(operations, moved, peak, bandwidth):
    """You return milliseconds: leave the factor 1,000 out."""
    return 1_000 * my_least_seconds(operations, moved, peak, bandwidth)


@least_seconds.mistake
def compares_work_before_speed(operations, moved, peak, bandwidth):
    """You compare operations with bytes to decide which counts. Compare their times: a fast unit may finish the larger
    amount first."""
    return operations / peak if operations > moved else moved / bandwidth


# Exercise 2: round to few levels


def my_quantised(weights: list[float], bits: int) -> list[float]:
    """Return the weights rounded to the levels -m ... m times one scale, where m = 2 ** (bits - 1) - 1."""
    m = 2 ** (bits - 1) - 1
    scale = max(abs(weight) for weight in weights) / m
    return [round(weight / scale) * scale for weight in weights]


def several_numbers(value: object) -> Outcome:
    """A list of numbers that came back from an attempt, or what came back instead.

    >>> several_numbers(np.array([0.5, 1])).value, several_numbers("0.5").kind
    ([0.5, 1.0], 'type')
    """
    if hasattr(type(value), "__array__"):
        value = np.asarray(value).tolist()
    if type(value) not in (list, tuple):
        return Outcome("type", type(value).__name__, f"returned {with_article(value)}, where a list is needed")
    found = [number(one) for one in value]
    for one in found:
        if one.kind != "answer":
            return Outcome(one.kind, one.value, f"{one.sentence}, as one of the list")
    shown = [float(f"{one.value:.4g}") for one in found]
    return Outcome("answer", [float(one.value) for one in found], f"returned {shown}")


quantised = FunctionExercise(
    "quantised",
    "Write `my_quantised(weights, bits)`: the weights rounded to the nearest of the levels `-m` to `m` times a scale, "
    "with `m = 2 ** (bits - 1) - 1` and the largest weight's size divided by `m` as the scale.",
    [
        "How many levels are there with 2 bits, and with 3? What is the scale if the largest weight is -0.6?",
        "Divide a weight by the scale: now the levels are whole numbers. Round, and multiply by the scale again.",
        "`m = 2 ** (bits - 1) - 1`; `scale = max(abs(w) for w in weights) / m`; each weight becomes "
        "`round(w / scale) * scale`.",
    ],
    my_quantised,
    cases=[
        ([1.0], 2),
        ([-1.0], 2),
        ([0.5, -2.0], 2),
        ([0.625, -1.0, 0.125], 2),
        ([0.7, -1.0, 0.2], 2),
        ([0.2, 0.9, -0.4], 3),
        ([-0.6, 0.25, 0.1], 3),
        ([0.31, -0.12, 0.05, -0.44], 4),
        ([3.0, -1.0, 0.4, 2.2, -2.7], 3),
        ([0.011, -0.02, 0.013, 0.004], 4),
        ([0.9, -0.3, 0.55, 0.05, -0.71], 8),
        ([12.5, -99.0, 40.0, 3.0], 8),
    ],
    read=several_numbers,
    noun="the rounded list",
)


@quantised.mistake
def returns_the_codes(weights, bits):
    """You return the numbers of the levels, which is what one stores. Multiply by the scale to get weights back."""
    m = 2 ** (bits - 1) - 1
    scale = max(abs(weight) for weight in weights) / m
    return [round(weight / scale) for weight in weights]


@quantised.mistake
def takes_the_largest_without_its_size(weights, bits):
    """You take the largest weight as it is. A large negative weight is large as well: take the largest of the sizes,
    `abs(w)`."""
    m = 2 ** (bits - 1) - 1
    scale = max(weights) / m
    return [max(-m, min(m, round(weight / scale))) * scale for weight in weights]


@quantised.mistake
def has_twice_the_levels(weights, bits):
    """You have about twice as many levels as the bits can tell apart. One bit is needed for the sign: the largest level
    is `2 ** (bits - 1) - 1`."""
    return my_quantised(weights, bits + 1)


@quantised.mistake
def forgets_the_one(weights, bits):
    """Your largest level is `2 ** (bits - 1)`. Zero takes a level too, so it is one less on each side."""
    m = 2 ** (bits - 1)
    scale = max(abs(weight) for weight in weights) / m
    return [round(weight / scale) * scale for weight in weights]


@quantised.mistake
def takes_bits_for_levels(weights, bits):
    """You have as many levels as bits. Each further bit doubles the number of levels: `2 ** (bits - 1) - 1` on each
    side."""
    scale = max(abs(weight) for weight in weights) / bits
    return [round(weight / scale) * scale for weight in weights]


@quantised.mistake
def cuts_off(weights, bits):
    """You cut the fraction off, towards zero. Round to the nearest level, with `round`."""
    m = 2 ** (bits - 1) - 1
    scale = max(abs(weight) for weight in weights) / m
    return [int(weight / scale + math.copysign(1e-9, weight)) * scale for weight in weights]


@quantised.mistake
def rounds_down(weights, bits):
    """You always round down. Round to the nearest level, with `round`."""
    m = 2 ** (bits - 1) - 1
    scale = max(abs(weight) for weight in weights) / m
    return [math.floor(weight / scale + 1e-9) * scale for weight in weights]


@quantised.mistake
def loses_the_sign(weights, bits):
    """You lose the sign: take the size for the scale alone, and round the weights as they are."""
    return [abs(weight) for weight in my_quantised(weights, bits)]


@quantised.mistake
def keeps_only_signs(weights, bits):
    """You keep the sign and one size for all, whatever the bits. There are levels between."""
    largest = max(abs(weight) for weight in weights)
    return [math.copysign(largest, weight) for weight in weights]


@quantised.mistake
def rounds_decimals(weights, bits):
    """You round to so many decimal places. The levels lie evenly between the largest weight and its negative, wherever
    that is."""
    return [round(weight, bits) for weight in weights]


@quantised.mistake
def scales_each_by_itself(weights, bits):
    """You give each weight a scale of its own, so nothing is rounded at all. One scale serves the whole list."""
    return list(weights)


@quantised.mistake
def divides_again(weights, bits):
    """You divide by the scale a second time. To undo the first division, multiply."""
    m = 2 ** (bits - 1) - 1
    scale = max(abs(weight) for weight in weights) / m
    return [round(weight / scale) / scale for weight in weights]


@quantised.mistake
def returns_shares_of_the_largest(weights, bits):
    """Your largest answer is always 1: you return shares of the largest weight. Multiply by it."""
    m = 2 ** (bits - 1) - 1
    largest = max(abs(weight) for weight in weights)
    return [round(weight / largest * m) / m for weight in weights]


# Exercise 3: count the bits


def my_bits_a_weight(n: int, kept: int, value_bits: float) -> float:
    """Return the bits for each of n weights: those of the kept values, and of the number that tells which they are."""
    return (kept * value_bits + math.log2(math.comb(n, kept))) / n


bits_a_weight = FunctionExercise(
    "bits_a_weight",
    "Write `my_bits_a_weight(n, kept, value_bits)`: of `n` weights, `kept` are stored with `value_bits` bits each, and "
    "one number tells which they are; return all bits divided by `n`.",
    [
        "There are two parts to store: the values, and which places they belong to. How many bits do the values take?",
        "To tell one of 8 possibilities takes 3 bits: log2 of 8 is 3. In how many ways can `kept` of `n` be chosen?",
        "`math.comb(n, kept)` counts the ways and `math.log2` makes bits of them. Add `kept * value_bits`, then divide "
        "by `n`.",
    ],
    my_bits_a_weight,
    cases=[
        (2, 1, 1),
        (4, 2, 1),
        (4, 4, 1),
        (4, 1, 2),
        (4, 3, 8),
        (8, 2, 4),
        (10, 1, 1),
        (16, 0, 4),
        (32, 16, 8),
        (100, 10, 1),
        (1_000, 30, 4),
        (9_472, 947, 1),
    ],
    read=number,
    noun="the count",
)


@bits_a_weight.mistake
def forgets_the_positions(n, kept, value_bits):
    """You count the values alone. Without their positions, nobody can put them back: add log2 of the number of ways to
    choose them."""
    return kept * value_bits / n


@bits_a_weight.mistake
def forgets_the_values(n, kept, value_bits):
    """You count the positions alone. The kept values take `value_bits` bits each."""
    return math.log2(math.comb(n, kept)) / n


@bits_a_weight.mistake
def takes_one_bit_a_place(n, kept, value_bits):
    """You spend one bit on each weight to tell whether it is kept. It works, but one number for the whole choice is
    shorter: log2 of the number of ways."""
    return (kept * value_bits + n) / n


@bits_a_weight.mistake
def writes_each_position(n, kept, value_bits):
    """You write down the place of each kept weight. That pays for their order too, which nobody needs: number the
    choices instead."""
    return (kept * value_bits + kept * math.log2(n)) / n


@bits_a_weight.mistake
def writes_whole_positions(n, kept, value_bits):
    """You write down each kept place in whole bits. That pays for their order too, which nobody needs: number the
    choices instead."""
    return (kept * value_bits + kept * math.ceil(math.log2(n))) / n


@bits_a_weight.mistake
def counts_orders_as_well(n, kept, value_bits):
    """You count the ways with `math.perm`, which tells apart the orders in which the same weights are picked. A choice
    has no order: `math.comb`."""
    return (kept * value_bits + math.log2(math.perm(n, kept))) / n


@bits_a_weight.mistake
def divides_by_the_kept(n, kept, value_bits):
    """You divide by the number of kept weights. Asked for are bits for each of all `n`, so that it compares with a
    network that keeps them all."""
    return (kept * value_bits + math.log2(math.comb(n, kept))) / kept


@bits_a_weight.mistake
def does_not_divide(n, kept, value_bits):
    """You return all the bits together. Divide by `n`."""
    return kept * value_bits + math.log2(math.comb(n, kept))


@bits_a_weight.mistake
def takes_the_natural_logarithm(n, kept, value_bits):
    """You take the natural logarithm. A bit tells two possibilities apart, so bits are logarithms to base 2."""
    return (kept * value_bits + math.log(math.comb(n, kept))) / n


@bits_a_weight.mistake
def takes_the_logarithm_to_base_ten(n, kept, value_bits):
    """You take the logarithm to base 10, which counts decimal digits. Bits are logarithms to base 2."""
    return (kept * value_bits + math.log10(math.comb(n, kept))) / n


@bits_a_weight.mistake
def forgets_the_logarithm(n, kept, value_bits):
    """You add the number of ways itself. To number that many ways takes only log2 as many bits."""
    return (kept * value_bits + math.comb(n, kept)) / n


@bits_a_weight.mistake
def stores_every_value(n, kept, value_bits):
    """You pay for the values of all `n` weights. The pruned ones are zero and are not stored."""
    return (n * value_bits + math.log2(math.comb(n, kept))) / n


@bits_a_weight.mistake
def swaps_kept_and_pruned(n, kept, value_bits):
    """You pay for the pruned weights in place of the kept ones."""
    return ((n - kept) * value_bits + math.log2(math.comb(n, kept))) / n


@bits_a_weight.mistake
def pays_positions_for_each_value(n, kept, value_bits):
    """You pay for the whole choice once for each kept weight. One number tells the whole choice: add it once."""
    return kept * (value_bits + math.log2(math.comb(n, kept))) / n
