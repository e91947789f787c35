"""The exercises of lesson 1.1: Amdahl's law with several parts, a rate of growth, the best part, the share needed."""

import math

import numpy as np

from helpers.exercises import FunctionExercise, number, number_or_none, whole_number

# Exercise 1: the speed-up of a program with several parts


def my_speed_up(seconds: list, factors: list) -> float:
    """Return how many times as fast the whole becomes when part i is made factors[i] times as fast."""
    new = sum(second / factor for second, factor in zip(seconds, factors))
    return sum(seconds) / new


PARTS = [
    ([1.0], [1]),
    ([2.0], [4]),
    ([1.0, 1.0], [1, 2]),
    ([1.0, 1.0], [2, 1]),
    ([3.0, 1.0], [3, 1]),
    ([1.0, 3.0], [10, 2]),
    ([0.5, 9.5], [1, 100]),
    ([2.0, 3.0, 5.0], [1, 3, 10]),
    ([8.0, 1.0, 1.0], [0.5, 2, 4]),
    ([6.0, 0.25, 3.0, 0.75], [12, 1, 5, 3]),
]

speed_up = FunctionExercise(
    "speed_up",
    "Write `my_speed_up(seconds, factors)`: how many times as fast a program becomes whose part `i` took `seconds[i]` "
    "and is made `factors[i]` times as fast.",
    [
        "Take one part first: 6 seconds, made 3 times as fast. How long does it take now?",
        "The speed-up of the whole is the old time of the whole divided by its new time. Times add up; factors do not.",
        "`sum(second / factor for second, factor in zip(seconds, factors))` is the new time.",
    ],
    my_speed_up,
    cases=PARTS,
    read=number,
    noun="the speed-up",
)


@speed_up.mistake
def averages_the_factors(seconds, factors):
    """You average the factors, as if every part took the same time. A part that takes hardly any time adds hardly
    anything."""
    return sum(factors) / len(factors)


@speed_up.mistake
def weighs_the_factors(seconds, factors):
    """You average the factors, weighted by the old times. That is how much more the machine could do, not how much
    sooner the same program ends: add up new times, and divide once."""
    return sum(s * f for s, f in zip(seconds, factors)) / sum(seconds)


@speed_up.mistake
def multiplies_the_factors(seconds, factors):
    """You multiply the factors. They would multiply if each acted on the whole program; each acts on its own part."""
    return math.prod(factors)


@speed_up.mistake
def takes_the_largest_factor(seconds, factors):
    """You return the largest factor, as if the whole program were that part. The other parts still take their time."""
    return max(factors)


@speed_up.mistake
def takes_the_factor_of_the_longest(seconds, factors):
    """You return the factor of the longest part, as if the others took no time."""
    return factors[max(range(len(seconds)), key=lambda i: seconds[i])]


@speed_up.mistake
def divides_the_wrong_way(seconds, factors):
    """This is the new time divided by the old one: how much is left. The speed-up is the old divided by the new."""
    return 1 / my_speed_up(seconds, factors)


@speed_up.mistake
def returns_the_new_time(seconds, factors):
    """This is the new time in seconds. The speed-up is the old time of the whole divided by it."""
    return sum(s / f for s, f in zip(seconds, factors))


@speed_up.mistake
def multiplies_the_times(seconds, factors):
    """You multiply each time by its factor. A part that is three times as fast takes a third of its time: divide."""
    return sum(seconds) / sum(s * f for s, f in zip(seconds, factors))


@speed_up.mistake
def returns_the_saving(seconds, factors):
    """This is the share of the time that was saved. The speed-up is the old time divided by the new one."""
    return 1 - 1 / my_speed_up(seconds, factors)


@speed_up.mistake
def returns_percent_faster(seconds, factors):
    """You take 1 off the speed-up: twice as fast would then be 1. Return the old time divided by the new one."""
    return my_speed_up(seconds, factors) - 1


@speed_up.mistake
def averages_the_speed_ups(seconds, factors):
    """You treat each part as if it alone were made faster, and average the results. All of them act at once: add up the
    new times first."""
    whole = sum(seconds)
    return sum(whole / (whole - s + s / f) for s, f in zip(seconds, factors)) / len(seconds)


@speed_up.mistake
def divides_whole_numbers(seconds, factors):
    """You divide with `//`, which drops everything after the point."""
    new = sum(s // f for s, f in zip(seconds, factors))
    return sum(seconds) / new if new else 0.0


# Exercise 2: a rate of growth


def my_factor(years: list, values: list) -> float:
    """Return the factor in five years, by the line of least squares through the logarithm of the values."""
    slope, _ = np.polyfit(years, np.log(values), 1)
    return float(np.exp(5 * slope))


factor = FunctionExercise(
    "factor",
    "Write `my_factor(years, values)`: the factor by which the values grow in five years, by the line of least "
    "squares through their natural logarithm.",
    [
        "Growth by a fixed factor a year is a straight line once you take the logarithm of the values.",
        "`np.polyfit(years, np.log(values), 1)` gives the slope first, then the height. The slope is the growth of the "
        "logarithm in *one* year.",
        "In five years the logarithm grows by five slopes, so the value grows by the factor `np.exp(5 * slope)`.",
    ],
    my_factor,
    cases=[
        ([0, 5], [1.0, 10.0]),
        ([0, 1, 2], [1.0, 2.0, 4.0]),
        ([2000, 2005], [3.0, 3.0]),
        ([1990, 2000], [100.0, 1.0]),
        ([1985, 1990, 1996], [1.0, 9.0, 160.0]),
        ([1971, 1980, 1990, 2004], [0.7, 5.0, 40.0, 3800.0]),
        ([2006, 2010, 2012, 2020, 2024], [10.0, 14.0, 13.0, 30.0, 28.0]),
    ],
    read=number,
    noun="the factor",
)


def _slope(years, values) -> float:
    return float(np.polyfit(years, np.log(values), 1)[0])


@factor.mistake
def forgets_the_five(years, values):
    """This is the factor in one year. In five years the logarithm grows five times as much."""
    return math.exp(_slope(years, values))


@factor.mistake
def multiplies_by_five(years, values):
    """You multiply the factor of one year by five. Growth multiplies year after year: raise it to the fifth power."""
    return 5 * math.exp(_slope(years, values))


@factor.mistake
def returns_the_slope(years, values):
    """This is the slope of the logarithm. The factor is `np.exp` of five slopes."""
    return _slope(years, values)


@factor.mistake
def returns_five_slopes(years, values):
    """This is how much the logarithm grows in five years. The value itself grows by `np.exp` of that."""
    return 5 * _slope(years, values)


@factor.mistake
def fits_without_the_logarithm(years, values):
    """You fit the line through the values themselves. A fixed factor a year is a straight line only for their
    logarithm."""
    return math.exp(5 * float(np.polyfit(years, values, 1)[0]))


@factor.mistake
def mixes_the_logarithms(years, values):
    """You take `log10` and come back with `exp`. Use `np.log` with `np.exp`, or `np.log10` with `10 **`."""
    return math.exp(5 * float(np.polyfit(years, np.log10(values), 1)[0]))


@factor.mistake
def mixes_the_doublings(years, values):
    """You take `log2` and come back with `exp`. Use `np.log` with `np.exp`, or `np.log2` with `2 **`."""
    return math.exp(5 * float(np.polyfit(years, np.log2(values), 1)[0]))


@factor.mistake
def uses_first_and_last(years, values):
    """You use the first and the last value only. The line of least squares listens to those in between as well."""
    return (values[-1] / values[0]) ** (5 / (years[-1] - years[0]))


@factor.mistake
def divides_last_by_first(years, values):
    """You divide the last value by the first, however many years lie between them. Ask for the factor in five years."""
    return values[-1] / values[0]


@factor.mistake
def returns_the_growth(years, values):
    """You take 1 off the factor. Tenfold is 10, not 9."""
    return my_factor(years, values) - 1


@factor.mistake
def swaps_years_and_values(years, values):
    """You fit the years as a function of the values: the arguments of `polyfit` are the other way round."""
    slope = float(np.polyfit(np.log(values), years, 1)[0]) if len(set(values)) > 1 else 0.0
    return math.exp(min(5 * slope, 700))


@factor.mistake
def takes_the_height(years, values):
    """You take the second number that `polyfit` gives, the height of the line at year 0. The slope comes first."""
    return math.exp(max(min(5 * float(np.polyfit(years, np.log(values), 1)[1]), 700), -700))


# Exercise 3: which part first


def my_best_part(seconds: list, factors: list) -> int:
    """Return the index of the part whose replacement makes the whole fastest; of equals, the first."""
    saved = [second - second / factor for second, factor in zip(seconds, factors)]
    return saved.index(max(saved))


best_part = FunctionExercise(
    "best_part",
    "Write `my_best_part(seconds, factors)`: the index of the one part whose replacement makes the whole program "
    "fastest, and the first such index where several are equal.",
    [
        "The whole is fastest when its new time is least. Only one part changes, so ask how many seconds that saves.",
        "A part of 6 seconds that becomes 3 times as fast saves 4 seconds. A part of 1 second never saves more than 1.",
        "Make the list `second - second / factor` for all parts, and return the index of its largest entry: "
        "`saved.index(max(saved))`.",
    ],
    my_best_part,
    cases=[
        ([1.0], [2]),
        ([1.0, 2.0], [2, 2]),
        ([2.0, 2.0], [4, 4]),
        ([4.0, 1.0], [2, 100]),
        ([1.0, 4.0], [100, 2]),
        ([5.0, 4.0], [1.25, 10]),
        ([5.0, 2.0, 11.0], [20, 10, 50]),
        ([2.0, 7.0, 7.0, 1.0], [1, 5, 5, 90]),
        ([9.0, 6.0, 5.0], [1, 3, 2]),
        ([10.0, 1.0, 8.0], [1.5, 1000, 4]),
        ([3.0, 8.0, 2.0, 9.0], [3, 2, 50, 1.5]),
        ([6.0, 12.0, 1.0, 3.0], [4, 1.1, 20, 10]),
    ],
    read=whole_number,
    noun="the best part",
)


def _index_of_largest(values) -> int:
    return list(values).index(max(values))


@best_part.mistake
def takes_the_longest(seconds, factors):
    """You take the part that takes longest now. If it can hardly be made faster, hardly anything is saved."""
    return _index_of_largest(seconds)


@best_part.mistake
def takes_the_largest_speed_up(seconds, factors):
    """You take the part with the largest factor. If it takes little time, nobody will notice."""
    return _index_of_largest(factors)


@best_part.mistake
def multiplies_time_and_factor(seconds, factors):
    """You take the largest product of time and factor. That is not time saved: a factor of 1000 saves hardly more than
    one of 100."""
    return _index_of_largest([s * f for s, f in zip(seconds, factors)])


@best_part.mistake
def takes_the_longest_afterwards(seconds, factors):
    """You take the part that would take longest afterwards. Take the one that saves the most seconds."""
    return _index_of_largest([s / f for s, f in zip(seconds, factors)])


@best_part.mistake
def takes_the_shortest_afterwards(seconds, factors):
    """You take the part that would be shortest afterwards. It may have been short before: take the one that saves the
    most seconds."""
    return _index_of_largest([-s / f for s, f in zip(seconds, factors)])


@best_part.mistake
def takes_the_least_saving(seconds, factors):
    """You take the part that saves the fewest seconds: `min` where `max` is needed."""
    return _index_of_largest([s / f - s for s, f in zip(seconds, factors)])


@best_part.mistake
def takes_the_last_of_equals(seconds, factors):
    """Where two parts save the same, you return the last of them. The first was asked for."""
    saved = [s - s / f for s, f in zip(seconds, factors)]
    return max(range(len(saved)), key=lambda i: (saved[i], i))


@best_part.mistake
def counts_from_one(seconds, factors):
    """You count the parts from 1. Python's indices begin at 0."""
    return my_best_part(seconds, factors) + 1


@best_part.mistake
def returns_the_seconds_saved(seconds, factors):
    """This is how many seconds are saved. The index of the part was asked for."""
    return max(s - s / f for s, f in zip(seconds, factors))


@best_part.mistake
def returns_the_whole_speed_up(seconds, factors):
    """This is how many times as fast the whole becomes. The index of the part was asked for."""
    whole = sum(seconds)
    return whole / min(whole - s + s / f for s, f in zip(seconds, factors))


@best_part.mistake
def prefers_equal_parts_afterwards(seconds, factors):
    """You subtract the factor from the time. Seconds less a pure number mean nothing: divide."""
    return _index_of_largest([s - f for s, f in zip(seconds, factors)])


# Exercise 4: the share that is needed


def my_share(wanted: float, factor: float) -> float | None:
    """Return the share of the time to accelerate by factor so that the whole is wanted times as fast, or None."""
    if wanted > factor:
        return None
    return (1 - 1 / wanted) / (1 - 1 / factor) if factor > 1 else 0.0


share = FunctionExercise(
    "share",
    "Write `my_share(wanted, factor)`: the least share of the time that must be made `factor` times as fast so that "
    "the whole becomes `wanted` times as fast, or `None` where no share up to 1 is enough; both are at least 1.",
    [
        "Amdahl's law says `wanted = 1 / ((1 - p) + p / factor)`. Solve it for `p`.",
        "Turn both sides over: `1 / wanted = 1 - p * (1 - 1 / factor)`. Two steps more leave `p` alone on one side.",
        "`p = (1 - 1 / wanted) / (1 - 1 / factor)`. More than `factor` times as fast cannot be "
        "had, not even for the whole program. And mind a factor of 1, which accelerates nothing: there, 0 is enough.",
    ],
    my_share,
    cases=[
        (1, 2),
        (2, 2),
        (2, 4),
        (3, 2),
        (1, 1),
        (2, 1),
        (5, 10),
        (10, 10),
        (10, 100),
        (20, 25),
        (50, 20),
        (1.5, 1000),
    ],
    read=number_or_none,
    noun="the share",
)


def _solved(wanted, factor) -> float:
    return (1 - 1 / wanted) / (1 - 1 / factor) if factor > 1 else 0.0


@share.mistake
def forgets_the_impossible(wanted, factor):
    """Your share can be above 1. Nobody can accelerate more than the whole program: return `None` there."""
    return _solved(wanted, factor) if factor > 1 else (0.0 if wanted == 1 else None)


@share.mistake
def cuts_off_at_one(wanted, factor):
    """You return 1 where even the whole program accelerated is not enough. `None` was asked for there."""
    return min(_solved(wanted, factor), 1.0) if factor > 1 else (0.0 if wanted == 1 else 1.0)


@share.mistake
def divides_wanted_by_factor(wanted, factor):
    """You divide what is wanted by the factor. Twenty times out of a hundred needs far more than a fifth: the part left
    alone still takes its time."""
    return wanted / factor if wanted <= factor else None


@share.mistake
def forgets_the_rest_of_the_part(wanted, factor):
    """You treat the accelerated part as if it took no time at all, `1 - 1 / wanted`. It still takes a `factor`-th."""
    return None if wanted > factor else 1 - 1 / wanted


@share.mistake
def returns_the_serial_share(wanted, factor):
    """This is the share that may be left alone. The share that must be accelerated is 1 minus it."""
    return None if wanted > factor else 1 - _solved(wanted, factor)


@share.mistake
def returns_percent(wanted, factor):
    """This is the share in percent. Return it between 0 and 1."""
    return None if wanted > factor else 100 * _solved(wanted, factor)


@share.mistake
def turns_the_fraction_over(wanted, factor):
    """Your fraction is upside down: `1 - 1 / wanted` belongs above the line and `1 - 1 / factor` below it."""
    if wanted > factor or wanted == 1:
        return None if wanted > factor else 0.0
    return 1 / _solved(wanted, factor)


@share.mistake
def swaps_the_arguments(wanted, factor):
    """You take the two arguments in the other order: what is wanted comes first, the factor second."""
    return None if factor > wanted else _solved(factor, wanted)


@share.mistake
def refuses_the_whole(wanted, factor):
    """You return `None` where the two are equal. A share of 1 is enough there: the whole program is accelerated."""
    return 0.0 if wanted == factor == 1 else None if wanted >= factor else _solved(wanted, factor)


@share.mistake
def uses_gustafsons_law(wanted, factor):
    """This solves Gustafson's law, for a problem that grows. The same program is to end sooner: solve Amdahl's."""
    return None if wanted > factor else (wanted - 1) / (factor - 1) if factor > 1 else 0.0


@share.mistake
def returns_the_speed_up(wanted, factor):
    """You put 1 / wanted into Amdahl's law as the share and return the speed-up. Solve the law for the share."""
    return None if wanted > factor else 1 / ((1 - 1 / wanted) + 1 / (wanted * factor))


@share.mistake
def divides_by_zero(wanted, factor):
    """With a factor of 1 your formula divides by 0. Nothing is accelerated then: a share of 0 does for `wanted` 1."""
    if wanted > factor:
        return None
    return (1 - 1 / wanted) / (1 - 1 / factor)
