"""The exercises of lesson 3.2: a power law, its floor, the split of a budget, a fair speed-up, and tilt or shift."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from helpers import measuring
from helpers.exercises import FunctionExercise, Outcome, number, with_article


def pair_of(*names: str) -> Callable[[object], Outcome]:
    """A reader of two numbers with these names that came back from an attempt, or of what came back instead.

    >>> pair_of("scale", "power")([8, 0.5]).value, pair_of("scale", "power")(0.5).sentence
    ((8, 0.5), 'returned 0.5, where two numbers are needed: (scale, power)')
    """
    needed = f"where two numbers are needed: ({', '.join(names)})"

    def read(value: object) -> Outcome:
        if hasattr(type(value), "__array__"):  # NumPy's and JAX's arrays and their scalars
            value = np.asarray(value).tolist()
        if type(value) not in (tuple, list):
            alone = number(value)
            what = f"returned {alone.value}" if alone.kind == "answer" else f"returned {with_article(value)}"
            return Outcome("shape", None, f"{what}, {needed}")
        if len(value) != 2:
            return Outcome("shape", len(value), f"returned {len(value)} values, {needed}")
        parts = [number(part) for part in value]
        for name, part in zip(names, parts):
            if part.kind != "answer":
                return part._replace(sentence=f"{part.sentence}: this is about the {name}")
        rounded = tuple(_rounded(part.value) for part in parts)
        return Outcome("answer", rounded, f"returned {rounded}")

    return read


def _rounded(value: float) -> float:
    return float(f"{round(value, 12):.7g}") + 0.0 if type(value) is float else value


# Exercise 1: a power law from two points


def my_power_law(first: tuple, second: tuple) -> tuple:
    """Return (scale, power) of the law y = scale / x**power that runs through two points (x, y)."""
    (x1, y1), (x2, y2) = first, second
    power = math.log(y1 / y2) / math.log(x2 / x1)
    return y1 * x1**power, power


power_law = FunctionExercise(
    "power_law",
    "Write `my_power_law(first, second)`: the pair (scale, power) of the law y = scale / x**power that runs through "
    "two points (x, y).",
    [
        "Divide the two heights: in y1 / y2 the scale is gone, and what is left is (x2 / x1)**power.",
        "Take the logarithm of both sides: the power stands in front of it. Any base will do, as long as both "
        "logarithms have the same one.",
        "`power = math.log(y1 / y2) / math.log(x2 / x1)`. The scale is y1 * x1**power: put the first point into the "
        "law and solve for it.",
    ],
    my_power_law,
    cases=[
        ((1, 8.0), (4, 4.0)),
        ((2, 6.0), (6, 2.0)),
        ((4, 4.0), (9, 4.0)),
        ((2, 3.0), (8, 6.0)),
        ((16, 1.5), (4, 3.0)),
        ((100, 0.8), (10_000, 0.2)),
        ((61_440, 2.46), (1_966_080, 1.71)),
    ],
    read=pair_of("scale", "power"),
    noun="the pair (scale, power)",
)


@power_law.mistake
def returns_the_slope(first, second):
    """Your power has the wrong sign. The law divides by x**power, so a curve that falls has a power above 0."""
    scale, power = my_power_law(first, second)
    return scale, -power


@power_law.mistake
def takes_the_slope_for_the_scale_too(first, second):
    """Your power has the wrong sign, and the scale follows it. The law divides by x**power, so a curve that falls has a
    power above 0, and the scale is y1 * x1**power."""
    (x, y), slope = first, -my_power_law(first, second)[1]
    return y * x**slope, slope


@power_law.mistake
def multiplies_where_the_law_divides(first, second):
    """The power is right. For the scale, solve y1 = scale / x1**power: multiply y1 by x1**power, do not divide."""
    power = my_power_law(first, second)[1]
    return first[1] / first[0] ** power, power


@power_law.mistake
def takes_the_first_height(first, second):
    """The power is right. The scale is the height where x is 1, and the first point seldom lies there."""
    return first[1], my_power_law(first, second)[1]


@power_law.mistake
def returns_the_power_first(first, second):
    """You return the power first. The pair is (scale, power)."""
    return my_power_law(first, second)[::-1]


@power_law.mistake
def turns_the_fraction_over(first, second):
    """You divide the other way round. The power is the fall of log y for each step of log x, so log x stands below."""
    power = my_power_law(first, second)[1]
    power = 1 / power if power else math.inf
    return first[1] * first[0] ** power, power


@power_law.mistake
def draws_a_straight_line(first, second):
    """You take no logarithms, so that yours is a straight line. A power law is straight in log y over log x."""
    (x1, y1), (x2, y2) = first, second
    power = (y1 - y2) / (x2 - x1)
    return y1 + power * x1, power


@power_law.mistake
def takes_the_logarithm_of_the_heights_alone(first, second):
    """You take the logarithm of y alone, which makes an exponential law of it. A power law needs that of x as well."""
    (x1, y1), (x2, y2) = first, second
    power = math.log(y1 / y2) / (x2 - x1)
    return y1 * math.exp(power * x1), power


@power_law.mistake
def mixes_two_bases(first, second):
    """You mix `log10` and `log`: your power is 2.3 times too small. Any base will do, as long as it is the same above
    and below."""
    power = my_power_law(first, second)[1] / math.log(10)
    return first[1] * first[0] ** power, power


@power_law.mistake
def mixes_two_bases_the_other_way(first, second):
    """You mix `log` and `log10`: your power is 2.3 times too large. Any base will do, as long as it is the same above
    and below."""
    power = my_power_law(first, second)[1] * math.log(10)
    return first[1] * first[0] ** power, power


@power_law.mistake
def returns_the_logarithm_of_the_scale(first, second):
    """You return the natural logarithm of the scale. Undo it with `math.exp`."""
    scale, power = my_power_law(first, second)
    return math.log(scale), power


@power_law.mistake
def returns_the_common_logarithm_of_the_scale(first, second):
    """You return the logarithm of the scale to base 10. Undo it with `10 ** ...`."""
    scale, power = my_power_law(first, second)
    return math.log10(scale), power


@power_law.mistake
def undoes_a_natural_logarithm_with_ten(first, second):
    """Your scale is 10 to the power of a natural logarithm. What `log` did, `exp` undoes; `10 ** ...` undoes
    `log10`."""
    scale, power = my_power_law(first, second)
    return 10 ** math.log(scale), power


@power_law.mistake
def undoes_a_common_logarithm_with_e(first, second):
    """Your scale is e to the power of a logarithm to base 10. What `log10` did, `10 ** ...` undoes; `exp` undoes
    `log`."""
    scale, power = my_power_law(first, second)
    return math.exp(math.log10(scale)), power


@power_law.mistake
def divides_the_ratios(first, second):
    """You divide the ratio of y by the ratio of x. Take the logarithm of both ratios first."""
    (x1, y1), (x2, y2) = first, second
    power = (y1 / y2) / (x2 / x1)
    return y1 * x1**power, power


@power_law.mistake
def takes_every_power_as_above_zero(first, second):
    """Your power is never below 0. A curve that rises has such a power, and losses do rise now and then: leave `abs`
    out."""
    power = abs(my_power_law(first, second)[1])
    return first[1] * first[0] ** power, power


@power_law.mistake
def takes_the_difference_for_the_ratio(first, second):
    """You take the logarithms of differences. A difference of logarithms is the logarithm of a ratio: log(y1) - log(y2)
    is log(y1 / y2)."""
    (x1, y1), (x2, y2) = first, second
    power = math.log(y1 - y2) / math.log(x2 - x1)
    return y1 * x1**power, power


# Exercise 2: a floor by search


def my_floor(amounts: np.ndarray, losses: np.ndarray, floors: list) -> float:
    """Return the candidate floor for which losses minus floor, over amounts, lies nearest to a power law."""

    def error(floor):
        x, y = np.log(amounts), np.log(losses - floor)
        return np.sum((y - np.polyval(np.polyfit(x, y, 1), x)) ** 2)

    return min((floor for floor in floors if floor < min(losses)), key=error)


def _floor_cases() -> list[tuple]:
    def law(amounts: Sequence, floor: float, scale: float, power: float, noise: float = 0.0, seed: int = 0) -> tuple:
        amounts = np.array(amounts)
        moved = np.exp(noise * np.random.default_rng(seed).normal(size=len(amounts)))
        return amounts, np.round(floor + scale / amounts**power * moved, 4)

    tenths = [round(0.1 * i, 1) for i in range(18)]
    doubling, thousands = 2 ** np.arange(7), [61, 123, 246, 492, 983, 1966]
    return [
        (*law([1, 4, 16], 1, 2, 0.5), [0.0, 1.0]),
        (*law([1, 4, 16], 1, 2, 0.5), [2.0, 1.5, 1.0, 0.5, 0.0]),
        (*law([1, 2, 4], 0, 8, 1.0), [0.5, 0.0, 1.0, 1.5]),
        (*law([1, 10, 100, 1000], 0.5, 3, 0.5), [0.75, 0.25, 1.25, 0.5, 1.75]),
        (*law([2, 4, 8, 16, 32], 1.13, 3, 0.7), [1.5, 1.2, 1.3, 0.9, 1.0, 1.1]),
        (*law(doubling, 1.5, 2, 0.6, 0.01, 1), [1.0, 1.25, 1.5, 1.6, 2.0, 3.0]),
        (*law(doubling, 0.8, 1.5, 0.4, 0.03, 3), [20.0, 1.0, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.4]),
        (*law(thousands, 0.9, 6, 0.4), [tenths[i] for i in np.random.default_rng(0).permutation(len(tenths))]),
    ]


floor = FunctionExercise(
    "floor",
    "Write `my_floor(amounts, losses, floors)`: which of the candidates in `floors` makes `losses - floor` lie nearest "
    "to a power law of `amounts`, by the least sum of squared distances from the straight line that fits their "
    "logarithms best; a candidate at or above the least loss is passed over.",
    [
        "First without any search: take one candidate, and the logarithms `x = np.log(amounts)` and "
        "`y = np.log(losses - candidate)`. A power law would be a straight line in them.",
        "`line = np.polyfit(x, y, 1)` fits the line and `np.polyval(line, x)` gives its heights. Sum the squares of "
        "`y` minus these.",
        "Keep only candidates below the least loss, for the logarithm of 0 or less is no number. Then "
        "`min(candidates, key=error)` returns the candidate with the least error.",
    ],
    my_floor,
    cases=_floor_cases(),
    read=number,
    noun="the floor",
)


def _floor_errors(amounts, losses, floors, straight=False, of_losses=False, ends=False, add=False, change=None):
    """The error of each candidate with its parts set wrong; nan where there is none."""
    x, errors = np.array(amounts, float) if straight else np.log(amounts), []
    with np.errstate(all="ignore"):
        for candidate in floors:
            above = losses + candidate if add else losses - candidate
            y = np.log(above if change is None else change(above))
            if not np.isfinite(y).all():
                errors.append(np.nan)
                continue
            chosen = [0, -1] if ends else slice(None)
            line = np.polyval(np.polyfit(x[chosen], y[chosen], 1), x)
            errors.append(np.sum((np.exp(line) - above if of_losses else line - y) ** 2))
    return errors


def _least(errors, floors) -> float:
    return floors[int(np.nanargmin(errors))]


def _below(losses, floors, equal=False) -> list:
    return [candidate for candidate in floors if candidate < min(losses) or (equal and candidate == min(losses))]


@floor.mistake
def takes_what_is_no_number(amounts, losses, floors):
    """You let candidates at or above the least loss take part. Their logarithm is no number, and NumPy takes nan for
    the least: pass them over first."""
    return floors[int(np.argmin(_floor_errors(amounts, losses, floors)))]


@floor.mistake
def lets_the_least_loss_take_part(amounts, losses, floors):
    """You let a candidate that equals the least loss take part, and the logarithm of 0 is minus infinity. Pass over
    those at the least loss too: `<`, not `<=`."""
    left = _below(losses, floors, equal=True)
    return left[int(np.argmin(_floor_errors(amounts, losses, left)))]


@floor.mistake
def takes_the_distance_from_the_floor(amounts, losses, floors):
    """You take `abs(losses - floor)`, so that a floor above some losses counts. No loss falls below a floor: pass such
    candidates over."""
    return _least(_floor_errors(amounts, losses, floors, change=np.abs), floors)


@floor.mistake
def clips_at_a_small_number(amounts, losses, floors):
    """Where `losses - floor` is not above 0 you put a small number, and its logarithm pulls the line. Pass such
    candidates over: the answer is below every loss."""
    errors = _floor_errors(amounts, losses, floors, change=lambda above: np.maximum(above, 1e-9))
    worst = [np.nan if candidate < min(losses) else error for candidate, error in zip(floors, errors)]
    return _least(errors if np.isnan(worst).all() else worst, floors)


@floor.mistake
def does_not_use_the_floor(amounts, losses, floors):
    """You always return the first candidate that is left: does your error depend on the floor? Take it off the losses
    before the logarithm."""
    return _below(losses, floors)[0]


@floor.mistake
def draws_the_line_over_the_amounts(amounts, losses, floors):
    """Your line runs over the amounts themselves. A power law is straight over their logarithm."""
    return _least(_floor_errors(amounts, losses, floors, straight=True), floors)


@floor.mistake
def takes_errors_of_losses(amounts, losses, floors):
    """You fit the line to the logarithms and then take its errors in nats. Take them where the line was fitted, in the
    logarithms."""
    return _least(_floor_errors(amounts, losses, floors, of_losses=True), floors)


@floor.mistake
def joins_the_ends(amounts, losses, floors):
    """Your line runs through the first and the last point alone. The best line, by `np.polyfit`, heeds all of them."""
    return _least(_floor_errors(amounts, losses, floors, ends=True), floors)


@floor.mistake
def adds_the_floor(amounts, losses, floors):
    """You add the floor to the losses. It is what is left in the end: take it off."""
    left = _below(losses, floors)
    return _least(_floor_errors(amounts, losses, left, add=True), left)


@floor.mistake
def returns_the_error(amounts, losses, floors):
    """You return the least error. Asked is the floor that has it."""
    return float(np.nanmin(_floor_errors(amounts, losses, floors)))


@floor.mistake
def returns_the_place(amounts, losses, floors):
    """You return the place of the candidate in the list. Asked is the candidate itself."""
    return int(np.nanargmin(_floor_errors(amounts, losses, floors)))


@floor.mistake
def returns_a_place_among_those_left(amounts, losses, floors):
    """You find the place among the candidates that are left, and look it up in the whole list. The places moved when
    you passed some over."""
    return floors[int(np.argmin(_floor_errors(amounts, losses, _below(losses, floors))))]


@floor.mistake
def takes_the_worst(amounts, losses, floors):
    """You return the candidate with the largest error. The nearest to a straight line has the least."""
    return floors[int(np.nanargmax(_floor_errors(amounts, losses, floors)))]


@floor.mistake
def takes_the_highest(amounts, losses, floors):
    """You always return the highest candidate below the losses. Which of them is right, the bend of the curve tells."""
    return max(_below(losses, floors))


@floor.mistake
def takes_the_lowest(amounts, losses, floors):
    """You always return the lowest candidate. Which of them is right, the bend of the curve tells."""
    return min(floors)


@floor.mistake
def changes_the_losses(amounts, losses, floors):
    """You change the losses that you were given, as `losses -= floor` does, and the next candidate starts from what the
    last one left. Write `losses - floor`, which makes a new array."""
    for candidate in floors:
        losses -= candidate
    return floors[0]


# Exercise 3: the best split of a budget


def my_split(law: tuple, budget: float, sizes: np.ndarray, flops_each: np.ndarray) -> tuple:
    """Return (size, characters): which of the sizes has the least loss for the budget, and how many it reads."""
    floor, by_size, size_power, by_data, data_power = law
    characters = budget / flops_each
    losses = floor + by_size / sizes**size_power + by_data / characters**data_power
    best = np.argmin(losses)
    return sizes[best], characters[best]


_TOYS = (np.array([10, 100, 1000]), np.array([10.0, 100.0, 1000.0]))
_LADDER = (
    np.array([9_250, 18_484, 30_788, 64_614, 110_728, 239_820, 418_064]),  # the lesson's own, and their FLOPs
    np.array([70_752.0, 133_776.0, 215_232.0, 433_440.0, 725_376.0, 1_530_432.0, 2_630_400.0]),
)
_LAW, _DATA_HUNGRY = (1.1, 20.0, 0.4, 60.0, 0.35), (0.8, 4.0, 0.2, 300.0, 0.45)

split = FunctionExercise(
    "split",
    "Write `my_split(law, budget, sizes, flops_each)`: the pair (size, characters) with the least loss for a budget in "
    "FLOPs, where `law` holds (floor, by_size, size_power, by_data, data_power) of the loss floor + by_size / "
    "size**size_power + by_data / characters**data_power, and one character costs a size `flops_each` FLOPs.",
    [
        "The budget is the same for all. A size that costs twice as many FLOPs a character reads half as many.",
        "`characters = budget / flops_each` holds, for each size, what it can read. Now the law gives a loss for each.",
        "`np.argmin(losses)` is the place of the least loss. Return what `sizes` and `characters` hold there.",
    ],
    my_split,
    cases=[
        ((1.0, 10.0, 1.0, 10.0, 1.0), 1e4, *_TOYS),
        ((1.0, 10.0, 1.0, 10.0, 1.0), 1e6, np.array([1000, 10, 100]), np.array([1000.0, 10.0, 100.0])),
        ((0.0, 5.0, 0.5, 5.0, 1.0), 1e5, np.array([10, 100, 400]), np.array([50.0, 100.0, 1600.0])),
        ((1.0, 2.0, 0.5, 80.0, 0.5), 1e7, *_TOYS),
        ((1.0, 80.0, 0.5, 2.0, 0.5), 1e7, *_TOYS),
        ((1.0, 9.0, 0.3, 6.0, 0.6), 1e7, *_TOYS),
        (_LAW, 1e10, *_LADDER),
        (_LAW, 2e11, *_LADDER),
        (_LAW, 1e13, *_LADDER),
        (_DATA_HUNGRY, 1e12, *_LADDER),
    ],
    read=pair_of("size", "characters"),
    noun="the pair (size, characters)",
)


def _split(law, budget, sizes, flops_each, characters=None, losses=None, choose=np.argmin):
    """The best split with its parts set wrong."""
    floor, by_size, size_power, by_data, data_power = law
    characters = budget / flops_each if characters is None else characters
    if losses is None:
        losses = floor + by_size / sizes**size_power + by_data / characters**data_power
    best = int(choose(losses))
    return sizes[best], characters[best]


@split.mistake
def takes_the_largest(law, budget, sizes, flops_each):
    """You always take the largest size, as if all read equally many characters. For one budget, a larger size reads
    fewer."""
    return _split(law, budget, sizes, flops_each, losses=-sizes)


@split.mistake
def takes_the_smallest(law, budget, sizes, flops_each):
    """You always take the smallest size, which reads most. Characters are not all: the law also has a part for the
    size."""
    return _split(law, budget, sizes, flops_each, losses=sizes)


@split.mistake
def takes_the_worst_split(law, budget, sizes, flops_each):
    """You return the split with the largest loss. The least is best."""
    return _split(law, budget, sizes, flops_each, choose=np.argmax)


@split.mistake
def divides_by_the_size(law, budget, sizes, flops_each):
    """You divide the budget by the size, as if a character cost one FLOP a parameter. It costs `flops_each`."""
    return _split(law, budget, sizes, flops_each, characters=budget / sizes)


@split.mistake
def counts_six_flops_a_parameter(law, budget, sizes, flops_each):
    """You count six FLOPs a parameter and character, a common rule of thumb. Here `flops_each` holds what was counted,
    attention and all."""
    return _split(law, budget, sizes, flops_each, characters=budget / (6 * sizes))


@split.mistake
def divides_by_size_and_flops(law, budget, sizes, flops_each):
    """You divide the budget by the size as well. `flops_each` holds the FLOPs of the whole size for a character."""
    return _split(law, budget, sizes, flops_each, characters=budget / flops_each / sizes)


@split.mistake
def multiplies_the_budget(law, budget, sizes, flops_each):
    """You multiply the budget by the FLOPs of a character. Divide: the more a character costs, the fewer can be
    read."""
    return _split(law, budget, sizes, flops_each, characters=budget * flops_each)


@split.mistake
def reads_flops_as_characters(law, budget, sizes, flops_each):
    """You let every size read as many characters as there are FLOPs. One character costs `flops_each` of them."""
    return _split(law, budget, sizes, flops_each, characters=np.full(len(sizes), budget))


@split.mistake
def exchanges_the_parts(law, budget, sizes, flops_each):
    """You exchange the parts of the law: size belongs with `by_size` and `size_power`, characters with the other
    two."""
    return my_split((law[0], *law[3:], *law[1:3]), budget, sizes, flops_each)


@split.mistake
def exchanges_the_powers(law, budget, sizes, flops_each):
    """You exchange the two powers. The law's numbers come in the order floor, by_size, size_power, by_data,
    data_power."""
    return my_split((law[0], law[1], law[4], law[3], law[2]), budget, sizes, flops_each)


@split.mistake
def exchanges_a_power_and_a_scale(law, budget, sizes, flops_each):
    """You read the law's numbers in another order. They are floor, by_size, size_power, by_data, data_power: each
    scale is followed by its power."""
    return my_split((law[0], law[1], law[3], law[2], law[4]), budget, sizes, flops_each)


@split.mistake
def balances_the_parts(law, budget, sizes, flops_each):
    """You look for the size at which both parts are equal. Their sum is least elsewhere, unless their powers are
    equal."""
    _, by_size, size_power, by_data, data_power = law
    parts = by_size / sizes**size_power, by_data / (budget / flops_each) ** data_power
    return _split(law, budget, sizes, flops_each, losses=np.abs(parts[0] - parts[1]))


@split.mistake
def multiplies_by_the_powers(law, budget, sizes, flops_each):
    """You multiply where the law divides: its parts become larger with size and characters. They should become
    smaller."""
    return my_split((law[0], law[1], -law[2], law[3], -law[4]), budget, sizes, flops_each)


@split.mistake
def leaves_the_powers_out(law, budget, sizes, flops_each):
    """You divide by the size and the characters themselves. Raise each to its power first."""
    return my_split((law[0], law[1], 1.0, law[3], 1.0), budget, sizes, flops_each)


@split.mistake
def returns_the_place_of_the_size(law, budget, sizes, flops_each):
    """You return the place of the size in the array. Asked is the size itself, `sizes[place]`."""
    size, characters = my_split(law, budget, sizes, flops_each)
    return int(np.flatnonzero(sizes == size)[0]), characters


@split.mistake
def returns_the_characters_first(law, budget, sizes, flops_each):
    """You return the characters first. The pair is (size, characters)."""
    return my_split(law, budget, sizes, flops_each)[::-1]


@split.mistake
def returns_the_least_loss(law, budget, sizes, flops_each):
    """You return the loss beside the size. Asked is how many characters that size reads."""
    size, characters = my_split(law, budget, sizes, flops_each)
    return size, law[0] + law[1] / size ** law[2] + law[3] / characters ** law[4]


@split.mistake
def returns_the_cost_of_a_character(law, budget, sizes, flops_each):
    """You return what a character costs beside the size. Asked is how many characters the budget pays for."""
    size, characters = my_split(law, budget, sizes, flops_each)
    return size, budget / characters


# Exercise 4: a fair speed-up


def my_speed_up(slow: float, fair: float, fast: float) -> tuple:
    """Return (speed-up, share): the processor's fair speed-up, and the better program's share of the whole one."""
    return fair / fast, math.log(slow / fair) / math.log(slow / fast)


speed_up = FunctionExercise(
    "speed_up",
    "Write `my_speed_up(slow, fair, fast)`: the pair (speed-up, share), where a slow program takes `slow` seconds on a "
    "processor, a better one `fair` seconds on the same processor and `fast` seconds on a graphics processor; the "
    "speed-up is that of the better program on both, and the share is the better program's part of the logarithm of "
    "slow / fast.",
    [
        "A fair speed-up changes one thing alone. Which two of the three times are of the same program?",
        "From slow to fast leads a chain of two factors: slow / fast = (slow / fair) * (fair / fast). Which of them is "
        "the program's?",
        "Factors multiply, so they have no shares that sum to one; their logarithms add up, and have. The share is "
        "`math.log(slow / fair) / math.log(slow / fast)`, in any base.",
    ],
    my_speed_up,
    cases=[
        (100.0, 10.0, 1.0),
        (8.0, 4.0, 1.0),
        (64.0, 32.0, 16.0),
        (60.0, 60.0, 3.0),
        (30.0, 2.0, 2.0),
        (30.0, 1.0, 2.0),
        (20.0, 40.0, 2.0),
        (138.0, 24.0, 1.0),
        (81.0, 5.0, 1.0),
        (4.5, 0.9, 0.2),
    ],
    read=pair_of("speed-up", "share"),
    noun="the pair (speed-up, share)",
)


@speed_up.mistake
def shares_out_the_seconds(slow, fair, fast):
    """You share out the seconds saved, program first. Had the processor come first it would get as large a part of
    them: from 100 to 10 to 1, whoever is first saves 90 of the 99."""
    return fair / fast, (slow - fair) / (slow - fast)


@speed_up.mistake
def shares_out_the_seconds_processor_first(slow, fair, fast):
    """You share out the seconds saved, processor first. Had the program come first it would get as large a part of
    them: from 100 to 10 to 1, whoever is first saves 90 of the 99."""
    return fair / fast, (slow * fast / fair - fast) / (slow - fast)


@speed_up.mistake
def divides_the_factors(slow, fair, fast):
    """You divide the program's factor by the whole. Of a hundredfold made of ten times ten, each would get a tenth, and
    nobody the rest: factors multiply, only their logarithms add up."""
    return fair / fast, (slow / fair) / (slow / fast)


@speed_up.mistake
def divides_by_the_sum_of_the_factors(slow, fair, fast):
    """You divide the program's factor by the sum of both factors. They multiply, they do not add up: split one of them
    into two steps, and that sum changes; the sum of the logarithms stays."""
    return fair / fast, (slow / fair) / (slow / fair + fair / fast)


@speed_up.mistake
def divides_the_logarithms_of_seconds(slow, fair, fast):
    """You divide logarithms of seconds; in milliseconds your share would be another. Take the logarithms of the
    factors, which have no unit."""
    with np.errstate(all="ignore"):
        return fair / fast, float(np.log(fair) / np.log(slow))


@speed_up.mistake
def returns_the_processors_share(slow, fair, fast):
    """Your share is the processor's. Asked is the better program's: one minus it."""
    return fair / fast, 1 - my_speed_up(slow, fair, fast)[1]


@speed_up.mistake
def mixes_bases(slow, fair, fast):
    """You mix `log10` and `log`. Any base will do for the share, as long as it is the same above and below."""
    return fair / fast, my_speed_up(slow, fair, fast)[1] / math.log(10)


@speed_up.mistake
def takes_the_program_over_the_processor(slow, fair, fast):
    """You divide the program's logarithm by the processor's. A share is of the whole: divide by that of slow / fast."""
    share = my_speed_up(slow, fair, fast)[1]
    return fair / fast, share / (1 - share) if share != 1 else math.inf


@speed_up.mistake
def keeps_the_share_between_zero_and_one(slow, fair, fast):
    """You keep the share between 0 and 1. Leave it: above 1, the graphics processor made it slower, and below 0, the
    "better" program did."""
    return fair / fast, min(max(my_speed_up(slow, fair, fast)[1], 0), 1)


@speed_up.mistake
def returns_per_cent(slow, fair, fast):
    """You return the share in per cent. Leave out the factor of 100."""
    return fair / fast, 100 * my_speed_up(slow, fair, fast)[1]


@speed_up.mistake
def compares_with_the_slow_program(slow, fair, fast):
    """Your speed-up is over the slow program, so that the better program's gain is counted as the processor's. Fair is
    the same program on both."""
    return slow / fast, my_speed_up(slow, fair, fast)[1]


@speed_up.mistake
def compares_the_programs(slow, fair, fast):
    """Your speed-up is that of the better program over the slow one. Fair is the same program on both processors."""
    return slow / fair, my_speed_up(slow, fair, fast)[1]


@speed_up.mistake
def turns_the_speed_up_over(slow, fair, fast):
    """You divide the speed-up the other way round. Twice as fast is half the seconds: the longer time stands above."""
    return fast / fair, my_speed_up(slow, fair, fast)[1]


@speed_up.mistake
def takes_the_programs_factor_off(slow, fair, fast):
    """You subtract the program's factor from the whole. Factors multiply, so divide by it."""
    return slow / fast - slow / fair, my_speed_up(slow, fair, fast)[1]


@speed_up.mistake
def returns_the_seconds_saved(slow, fair, fast):
    """You return seconds saved. A speed-up is how many times as fast: divide the times."""
    return fair - fast, my_speed_up(slow, fair, fast)[1]


@speed_up.mistake
def returns_the_share_first(slow, fair, fast):
    """You return the share first. The pair is (speed-up, share)."""
    return my_speed_up(slow, fair, fast)[::-1]


# Exercise 5: tilt or shift?

WORDS = ("tilts", "shifts", "nothing to see")


def one_of_the_words(value: object) -> Outcome:
    """One of the three words that came back from an attempt, or what came back instead.

    >>> one_of_the_words("tilts").value, one_of_the_words("tilt").sentence
    ('tilts', "returned 'tilt', which is none of 'tilts', 'shifts' and 'nothing to see'")
    """
    if not isinstance(value, str):
        what = with_article(value)
        return Outcome("type", type(value).__name__, f"returned {what}, where one of three words is needed")
    word = str.__str__(value)
    if word not in WORDS:
        shown = repr(word[:40])
        return Outcome("word", word, f"returned {shown}, which is none of 'tilts', 'shifts' and 'nothing to see'")
    return Outcome("answer", word, f"returned {word!r}")


def my_verdict(data: np.ndarray, plain: np.ndarray, changed: np.ndarray, floor: float) -> str:
    """Return "tilts", "shifts" or "nothing to see": what a change does to a curve, by 95% intervals over the seeds."""
    gains = np.log(plain - floor) - np.log(changed - floor)  # (seeds, data)
    logs = np.log(data)
    tilts, shifts = np.polyfit(logs - logs.mean(), gains.T, 1)  # slope of each seed's line, and its middle height
    for word, values in (("tilts", tilts), ("shifts", shifts)):
        _, low, high = measuring.mean_interval(values)
        if low > 0 or high < 0:
            return word
    return "nothing to see"


class VerdictExercise(FunctionExercise):
    """As a function exercise, but a case is told in words: its numbers are too many to read, and can be plotted."""

    def __init__(self, *arguments, situations: list[tuple[str, tuple]], **named):
        self.situations = [words for words, _ in situations]
        super().__init__(*arguments, cases=[case for _, case in situations], **named)

    def _call(self, i: int) -> str:
        return f"{self.reference.__name__}(*exercises.{self.name}.cases[{i}])"

    def _tell(self, seen: list[Outcome], i: int) -> str:
        return f"{super()._tell(seen, i)} These curves are made up: {self.situations[i]}."


_CHARACTERS = 61_440 * 2 ** np.arange(6)


def _spread(t: float, seeds: int, wide: float, seed: int) -> np.ndarray:
    """As many values with this standard deviation, whose mean is `t` standard errors from 0."""
    drawn = np.random.default_rng(seed).normal(size=seeds)
    return wide * ((drawn - drawn.mean()) / drawn.std(ddof=1) + t / seeds**0.5)


def _curves(floor, tilts, shifts, noise=0.003, shared=(0.0, 0.0), seed=0) -> tuple:
    """The arguments of an attempt: the changed curve gains so much by tilt and shift, seed by seed.

    `shared` is what both curves of a seed have in common: how far their tilt and their height spread over the seeds.
    """
    draw = np.random.default_rng(seed)
    logs, seeds = np.log(_CHARACTERS / np.exp(np.log(_CHARACTERS).mean())), len(tilts)
    both = np.log(0.8) - 0.35 * logs + draw.normal(size=(seeds, 1)) * shared[0] * logs
    both = both + draw.normal(size=(seeds, 1)) * shared[1]
    gains = np.reshape(tilts, (-1, 1)) * logs + np.reshape(shifts, (-1, 1))
    plain, changed = (np.exp(one + noise * draw.normal(size=one.shape)) for one in (both, both - gains))
    case = _CHARACTERS.copy(), np.round(floor + plain, 4), np.round(floor + changed, 4), floor
    for array in case[:3]:
        array.flags.writeable = False  # a learner may look at a case and call a function with it, but not change it
    return case


def _situations() -> list[tuple[str, tuple]]:
    three, five, eight = np.zeros(3), np.zeros(5), np.zeros(8)
    lucky = np.array([0.3, 0.02, -0.02, 0.01, -0.01])
    luck = {"shared": (0.08, 0.1)}
    by_chance = [
        (
            f"three seeds, with tilts whose mean is {t} standard errors from 0",
            _curves(1.2, _spread(t, 3, 0.03, seed), _spread(middle, 3, 0.02, seed + 1), noise=0),
        )
        for t, middle, seed in [(2.4, 0.3, 12), (3.2, 0.5, 13), (3.8, -0.5, 15)]
    ]
    return [
        ("three seeds, no floor, and the change saves a third of the data", _curves(0.0, three, three + 0.14)),
        ("three seeds, and a gain that grows with the data in all of them", _curves(1.2, three + 0.08, three, seed=1)),
        ("three seeds, and plain and changed differ by noise alone", _curves(1.2, three, three, seed=2)),
        (
            "three seeds, a high floor, and data saved by one factor",
            _curves(1.5, three, three + 0.3, seed=3),
        ),
        ("three seeds, and a harm that grows with the data in all of them", _curves(1.2, three - 0.08, three, seed=4)),
        ("three seeds, and data wasted by one factor", _curves(1.2, three, three - 0.2, seed=5)),
        ("three seeds, and a gain from the start, which grows", _curves(1.2, three + 0.06, three + 0.3, seed=6)),
        ("five seeds, one of which, the first, was lucky in its tilt", _curves(1.2, lucky, five, seed=7)),
        ("five seeds, one of which, the last, was lucky throughout", _curves(1.2, five, lucky[::-1], seed=8)),
        ("eight seeds, and a small gain that grows", _curves(1.2, _spread(4.5, 8, 0.02, 9), eight, 0.002, seed=9)),
        (
            "five seeds, with much luck that plain and changed share, and a small gain that grows",
            _curves(1.2, five + 0.04, five, **luck, seed=10),
        ),
        (
            "five seeds, with much luck that plain and changed share, and a little data saved, by one factor",
            _curves(1.2, five, five + 0.05, 0.01, **luck, seed=21),
        ),
        ("five seeds, and a tiny gain that grows in all of them", _curves(1.2, five + 0.008, five, 0.0005, seed=22)),
        *by_chance,
    ]


verdict = VerdictExercise(
    "verdict",
    'Write `my_verdict(data, plain, changed, floor)`: one of the words "tilts", "shifts" and "nothing to see" for '
    "losses (seeds, data) of a plain and a changed model with one known floor, by 95% intervals over the seeds: of the "
    "slope of log((plain - floor) / (changed - floor)) over log data for a tilt and, where that one contains 0, of its "
    "mean for a shift.",
    [
        "A power law is a straight line in the logarithms only without its floor. So begin with "
        "`gains = np.log(plain - floor) - np.log(changed - floor)`, a line for each seed: both models of a seed are "
        "compared with each other, and their common luck is gone.",
        "A shift lifts the line of gains, a tilt makes it slope. `np.polyfit(logs - logs.mean(), gains.T, 1)` returns "
        "the slopes of all seeds, and then their heights at the middle of the data, which are their means.",
        "Seeds are what chance draws, so the interval is over them: `_, low, high = measuring.mean_interval(values)`. "
        "Look at the slopes first, then at the heights, whether 0 is outside: `low > 0 or high < 0`.",
    ],
    my_verdict,
    situations=_situations(),
    read=one_of_the_words,
    noun="the verdict",
)


def _by_student(values: np.ndarray) -> bool:
    _, low, high = measuring.mean_interval(values)
    return bool(low > 0 or high < 0)


def _beyond(values: np.ndarray, reach: float, ddof: int = 1, root: bool = True) -> bool:
    """Whether the mean is more than `reach` standard errors (or deviations) from 0."""
    return abs(values.mean()) > reach * values.std(ddof=ddof) / (len(values) ** 0.5 if root else 1)


def _student(values: np.ndarray, level: float = 0.975) -> float:
    return float(stats.t.ppf(level, len(values) - 1))


def _lines(data, gains, middle=True) -> tuple[np.ndarray, np.ndarray]:
    """Slope and height of each seed's straight line over the logarithm of the data."""
    logs = np.log(data)
    return tuple(np.polyfit(logs - (logs.mean() if middle else 0), gains.T, 1))


def _gains(plain, changed, floor) -> np.ndarray:
    return np.log(plain - floor) - np.log(changed - floor)


def _decide(tilts, shifts, sure=_by_student) -> str:
    return "tilts" if sure(tilts) else "shifts" if sure(shifts) else "nothing to see"


def _with_rule(data, plain, changed, floor, sure) -> str:
    return _decide(*_lines(data, _gains(plain, changed, floor)), sure)


@verdict.mistake
def leaves_the_floor_in(data, plain, changed, floor):
    """You leave the floor in the losses. It bends both curves, so that data saved by one factor looks like a tilt: take
    it off before the logarithm."""
    return _with_rule(data, plain, changed, 0, _by_student)


@verdict.mistake
def compares_nats(data, plain, changed, floor):
    """You compare the losses themselves. Even for two parallel power laws the difference in nats shrinks with the data:
    compare logarithms."""
    return _decide(*_lines(data, plain - changed))


@verdict.mistake
def asks_for_no_interval(data, plain, changed, floor):
    """You say "tilts" whatever the curves. By chance alone no slope is exactly 0: put an interval about the mean of the
    seeds."""
    return _with_rule(data, plain, changed, floor, lambda values: abs(values.mean()) > 0)


@verdict.mistake
def sets_a_fixed_bar(data, plain, changed, floor):
    """You compare the mean with a bar that is always the same. One lucky seed lifts a mean, and a small gain can be
    sure: let the spread of the seeds decide."""
    return _with_rule(data, plain, changed, floor, lambda values: abs(values.mean()) > 0.05)


@verdict.mistake
def sets_a_low_fixed_bar(data, plain, changed, floor):
    """You compare the mean with a bar of your own, a low one. One lucky seed gets it over the bar: let the spread of
    the seeds decide."""
    return _with_rule(data, plain, changed, floor, lambda values: abs(values.mean()) > 0.01)


@verdict.mistake
def believes_the_first_seed(data, plain, changed, floor):
    """You judge by the first seed alone. It may be the lucky one: use all of them."""
    tilts, shifts = _lines(data, _gains(plain, changed, floor)[:1])
    return _decide(tilts, shifts, lambda values: abs(values.mean()) > 0.01)


@verdict.mistake
def takes_the_points_for_seeds(data, plain, changed, floor):
    """You count each point as a draw of its own. The points of one lucky seed are lucky together: one number a seed,
    then the interval."""
    gains, logs = _gains(plain, changed, floor), np.log(data)
    line = stats.linregress(np.tile(logs - logs.mean(), len(gains)), gains.ravel())
    reach = stats.t.ppf(0.975, gains.size - 2)
    if abs(line.slope) > reach * line.stderr:
        return "tilts"
    return "shifts" if abs(line.intercept) > reach * line.intercept_stderr else "nothing to see"


@verdict.mistake
def takes_seeds_as_strangers(data, plain, changed, floor):
    """You put an interval about each model and compare the two. Both models of one seed share its luck: take the
    difference within each seed first."""
    first, second = (_lines(data, np.log(losses - floor)) for losses in (plain, changed))
    sure = [stats.ttest_ind(a, b, equal_var=False).pvalue < 0.05 for a, b in zip(first, second)]
    return "tilts" if sure[0] else "shifts" if sure[1] else "nothing to see"


@verdict.mistake
def takes_the_normal_interval(data, plain, changed, floor):
    """Your interval is the mean plus or minus 1.96 standard errors, or 2, as for very many seeds. Three seeds know
    their own spread badly, and Student's factor for them is 4.3."""
    return _with_rule(data, plain, changed, floor, lambda values: _beyond(values, 1.96))


@verdict.mistake
def takes_an_interval_of_ninety(data, plain, changed, floor):
    """Your interval is one of 90%. To leave 5% outside, 2.5% on either side, take `stats.t.ppf(0.975, seeds - 1)`."""
    return _with_rule(data, plain, changed, floor, lambda values: _beyond(values, _student(values, 0.95)))


@verdict.mistake
def divides_the_squares_by_all_seeds(data, plain, changed, floor):
    """Your interval is a little too narrow. With few seeds the spread needs `ddof=1`: the mean was fitted to the same
    seeds."""
    return _with_rule(data, plain, changed, floor, lambda values: _beyond(values, _student(values), ddof=0))


@verdict.mistake
def forgets_the_root_of_the_seeds(data, plain, changed, floor):
    """You take the spread of the seeds for that of their mean. The mean is surer: divide by the root of their
    number."""
    return _with_rule(data, plain, changed, floor, lambda values: _beyond(values, _student(values), root=False))


@verdict.mistake
def sees_gains_alone(data, plain, changed, floor):
    """You look for gains alone. A change for the worse tilts or shifts as well: 0 may lie outside on either side."""
    return _with_rule(data, plain, changed, floor, lambda values: bool(measuring.mean_interval(values)[1] > 0))


@verdict.mistake
def looks_for_a_shift_first(data, plain, changed, floor):
    """You look for a shift first. A change that tilts mostly shifts as well: the tilt decides."""
    tilts, shifts = _lines(data, _gains(plain, changed, floor))
    return "shifts" if _by_student(shifts) else "tilts" if _by_student(tilts) else "nothing to see"


@verdict.mistake
def looks_for_no_tilt(data, plain, changed, floor):
    """You look for a shift alone. Curves that cross in the middle have a mean gain of 0, and a tilt."""
    return _decide(np.zeros(2), _lines(data, _gains(plain, changed, floor))[1])


@verdict.mistake
def looks_at_the_last_amount(data, plain, changed, floor):
    """You compare the last amount of data alone. A tilt shows only over several amounts."""
    return "shifts" if _by_student(_gains(plain, changed, floor)[:, -1]) else "nothing to see"


@verdict.mistake
def takes_what_does_not_tilt_for_shifted(data, plain, changed, floor):
    """What does not tilt you call shifted. There is a third word: where the second interval contains 0 as well, there
    is nothing to see."""
    return "tilts" if _by_student(_lines(data, _gains(plain, changed, floor))[0]) else "shifts"


@verdict.mistake
def exchanges_slope_and_height(data, plain, changed, floor):
    """You exchange the line's two numbers. `np.polyfit` returns the slope first, which is the tilt."""
    return _decide(*_lines(data, _gains(plain, changed, floor))[::-1])


@verdict.mistake
def reads_the_height_at_one_character(data, plain, changed, floor):
    """Your height is that at a single character, where log data is 0: far from all that was measured, so any error of
    the slope swamps it. Take `logs.mean()` off first."""
    return _decide(*_lines(data, _gains(plain, changed, floor), middle=False))


@verdict.mistake
def changes_what_it_was_given(data, plain, changed, floor):
    """You change the losses that you were given, as `plain -= floor` does. Write `plain - floor`, which makes a new
    array."""
    plain -= floor
    changed -= floor
    return my_verdict(data, plain, changed, 0)
