"""Laws of loss over size and data, with a floor or without: fits, intervals, predictions, the best split of a budget.

loss = floor + by_size / size**size_power + by_data / data**data_power (Hoffmann and others 2022, approach 3).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.optimize import least_squares

from helpers.measuring import Interval

HUBER = 0.01  # errors of the logarithm beyond this count by their size, not by its square
TIE = 1e-3  # share of the squares: between two middle errors Huber's loss is flat, and these alone decide
EXACT = 1e-10  # searches go on to the bottom: how far they come before it depends on the processor
LEAST_POWER, MOST_POWER = 0.01, 3.0
START_POWERS, START_FLOORS = (0.15, 0.5, 1.2), (0.4, 0.9)  # floors as shares of the least loss


class Run(NamedTuple):
    """One training run: parameters, characters read, FLOPs in all, and the loss after it."""

    size: float
    data: float
    flops: float
    loss: float
    seed: int = 0


class Law(NamedTuple):
    """What is left with endless size and data, and what too little of each adds."""

    floor: float
    by_size: float
    size_power: float
    by_data: float
    data_power: float


class Curve(NamedTuple):
    """A law of one amount, parameters, data or FLOPs: loss = floor + scale / amount**power."""

    floor: float
    scale: float
    power: float


def loss(law: Law | Curve, *amounts: np.ndarray | float) -> np.ndarray | float:
    """The loss that a law gives for so much size and data, or a curve for its one amount.

    >>> loss(Law(1, 10, 0.5, 20, 1), 100, 20), loss(Curve(1, 10, 0.5), 100)
    (3.0, 2.0)
    """
    return law[0] + sum(law[1 + 2 * i] * amount ** -law[2 + 2 * i] for i, amount in enumerate(amounts))


def cells(runs: Sequence[Run]) -> list[Run]:
    """One run for each size and amount of data, in order: its loss is the geometric mean over what was run there.

    >>> [round(cell.loss, 9) for cell in cells([Run(8, 10, 80, 2.0, 0), Run(8, 10, 80, 4.5, 1)])]
    [3.0]
    """
    found: dict[tuple[float, float], list[Run]] = {}
    for run in runs:
        found.setdefault((run.size, run.data), []).append(run)
    return [
        some[0]._replace(loss=float(np.exp(np.mean([np.log(run.loss) for run in some]))))
        for _, some in sorted(found.items())
    ]


def columns(runs: Sequence[Run], *names: str) -> list[np.ndarray]:
    """Fields of runs as arrays (runs,)."""
    return [np.array([getattr(run, name) for run in runs], float) for name in names]


def fit(runs: Sequence[Run], floor: bool = True, start: Law | None = None) -> Law:
    """The law that fits these losses best, by Huber's loss of their logarithm's error; without `floor` it has none.

    Give it `cells(runs)` for one loss a cell, as all below do. From several starts, unless one is given. Where Huber's
    loss is flat, the squared errors decide, so that the law does not hang on the last digit of a loss.

    >>> true = Law(floor=1, by_size=50, size_power=0.5, by_data=300, data_power=0.4)
    >>> some = [Run(n, d, n * d, loss(true, n, d)) for n in (1e3, 1e4, 1e5) for d in (1e4, 1e5, 1e6)]
    >>> [round(value, 2) for value in fit(some)]
    [1.0, 50.0, 0.5, 300.0, 0.4]

    Raises ValueError for runs of fewer than three sizes or three amounts of data: they cannot tell.
    """
    size, data, found = columns(runs, "size", "data", "loss")
    if min(len(set(size)), len(set(data))) < 3:
        raise ValueError("a law of size and data needs three sizes or more, and three amounts of data")
    return Law(*_solved([size, data], found, floor, start))


def fit_curve(amounts: np.ndarray, losses: np.ndarray, floor: bool = True, start: Curve | None = None) -> Curve:
    """The law of one amount that fits best, in the same way.

    >>> amounts = np.array([10.0, 100, 1000, 10000])
    >>> [round(value, 2) for value in fit_curve(amounts, 1 + 5 / amounts**0.5)]
    [1.0, 5.0, 0.5]

    Raises ValueError for fewer than three different amounts.
    """
    amounts = np.asarray(amounts, float)
    if len(set(amounts)) < 3:
        raise ValueError("a law of one amount needs three amounts or more")
    return Curve(*_solved([amounts], np.asarray(losses, float), floor, start))


def _robust(squares: np.ndarray) -> np.ndarray:
    """Huber's loss of squared errors, in units of `HUBER`, and a little of the squares; with two derivatives."""
    roots = np.sqrt(np.maximum(squares, 1))
    found = np.empty((3, len(squares)))
    found[0] = np.minimum(squares, 2 * roots - 1) + TIE * squares
    found[1] = 1 / roots + TIE
    found[2] = -0.5 * (squares > 1) / roots**3
    return found


def _best(wrong: Callable, slopes: Callable, starts: list, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The logarithms with the least loss that a search finds from any of the starts."""
    tries = [
        least_squares(
            wrong,
            np.clip(np.log(one), low + 1e-6, high - 1e-6),
            slopes,
            (low, high),
            method="dogbox",  # in a sixth less time than scipy's usual one, to the same losses
            loss=_robust,
            f_scale=HUBER,
            **dict.fromkeys(("ftol", "xtol", "gtol"), EXACT),
        )
        for one in starts
    ]
    return min(tries, key=lambda tried: tried.cost).x


def _solved(amounts: list[np.ndarray], losses: np.ndarray, floor: bool, start: Law | Curve | None) -> list[float]:
    """Floor, then scale and power of each amount: what one search, or the best of several, finds."""
    middles = [np.exp(np.mean(np.log(amount))) for amount in amounts]  # a scale is what it adds at the middle
    logs = [np.log(amount / middle) for amount, middle in zip(amounts, middles, strict=True)]
    target, least = np.log(losses), losses.min()

    def parts(numbers: np.ndarray) -> tuple[list[np.ndarray], float]:
        given = np.exp(numbers)
        return [given[2 * i] * np.exp(-given[2 * i + 1] * log) for i, log in enumerate(logs)], given[-1] * floor

    def wrong(numbers: np.ndarray) -> np.ndarray:
        added, left = parts(numbers)
        return np.log(left + sum(added)) - target

    def slopes(numbers: np.ndarray) -> np.ndarray:
        added, left = parts(numbers)
        by = [part for one, log, power in zip(added, logs, np.exp(numbers[1::2])) for part in (one, -one * power * log)]
        return np.stack([*by, np.full_like(target, left)], axis=1) / (left + sum(added))[:, None]

    low = np.log([1e-6 * least, LEAST_POWER] * len(logs) + [1e-4 * least])
    high = np.log([100 * losses.max(), MOST_POWER] * len(logs) + [least])
    if start is None:
        shares = START_FLOORS if floor else START_FLOORS[:1]
        starts = [
            [*(value for power in powers for value in (max(0.5 * np.ptp(losses), 1e-3 * least), power)), share * least]
            for powers in product(START_POWERS, repeat=len(logs))
            for share in shares
        ]
    else:
        scales = [start[1 + 2 * i] * middle ** -start[2 + 2 * i] for i, middle in enumerate(middles)]
        starts = [[*(v for i, scale in enumerate(scales) for v in (scale, start[2 + 2 * i])), start[0] or 0.5 * least]]
    best = np.exp(_best(wrong, slopes, starts, low, high))
    found = [best[-1] * floor]
    for i, middle in enumerate(middles):
        found += [best[2 * i] * middle ** best[2 * i + 1], best[2 * i + 1]]
    return [float(value) for value in found]


def redrawn(runs: Sequence[Run], draws: int, seed: int = 0) -> Iterator[list[Run]]:
    """Bootstrap draws: as many cells, with replacement, and the loss of each from as many of its seeds, likewise.

    A draw in which fewer than three sizes or amounts of data are left is drawn again. (Efron 1979.)
    """
    draw, groups = np.random.default_rng(seed), {}
    for run in runs:
        groups.setdefault((run.size, run.data), []).append(run)
    found = list(groups.values())
    while draws:
        chosen = draw.integers(len(found), size=len(found))
        if min(len({found[i][0][column] for i in chosen}) for column in (0, 1)) < 3:
            continue
        yield [cells([found[i][j] for j in draw.integers(len(found[i]), size=len(found[i]))])[0] for i in chosen]
        draws -= 1


def intervals(
    runs: Sequence[Run], quantity: Callable[[Law], float], floor: bool = True, draws: int = 200, seed: int = 0
) -> Interval:
    """A quantity of the fitted law with its 95% bootstrap interval: intervals(runs, lambda law: law.size_power)."""
    law = fit(cells(runs), floor)
    found = [quantity(fit(some, floor, law)) for some in redrawn(runs, draws, seed)]
    low, high = np.quantile(found, (0.025, 0.975))
    return Interval(float(low), float(quantity(law)), float(high))


def predicted(
    runs: Sequence[Run],
    size: float,
    data: Sequence[float],
    floor: bool = True,
    draws: int | Sequence[Law] = 200,
    seed: int = 0,
) -> list[Interval]:
    """The loss of a size for these amounts of data, with the 95% interval in which its mean over seeds should fall.

    Each draw's own prediction is moved by an error, in logarithms, that the law makes in one of the known cells,
    widened for the numbers that were fitted to them. Instead of a number of draws, the laws fitted to them will do.
    """
    known, data = cells(runs), np.asarray(data, float)
    law = fit(known, floor)
    size_known, data_known, losses = columns(known, "size", "data", "loss")
    errors = _widened(np.log(losses / loss(law, size_known, data_known)), 4 + floor)
    draw = np.random.default_rng([seed, 1])
    if isinstance(draws, int):
        draws = [fit(some, floor, law) for some in redrawn(runs, draws, seed)]
    found = [loss(one, size, data) * np.exp(draw.choice(errors, len(data))) for one in draws]
    low, high = np.quantile(found, (0.025, 0.975), axis=0)
    return [Interval(*map(float, one)) for one in zip(low, loss(law, size, data), high, strict=True)]


Predictor = Callable[[Sequence[Run]], Callable[[Sequence[Run]], np.ndarray]]


def of_one(name: str, floor: bool = True) -> Predictor:
    """Predicts losses from one field of a run alone: "size", "data" or "flops"."""

    def learn(runs: Sequence[Run]) -> Callable[[Sequence[Run]], np.ndarray]:
        curve = fit_curve(*columns(runs, name, "loss"), floor)
        return lambda others: loss(curve, *columns(others, name))

    return learn


def of_both(floor: bool = True) -> Predictor:
    """Predicts losses from size and data."""

    def learn(runs: Sequence[Run]) -> Callable[[Sequence[Run]], np.ndarray]:
        law = fit(runs, floor)
        return lambda others: loss(law, *columns(others, "size", "data"))

    return learn


def left_out(runs: Sequence[Run], predictor: Predictor) -> np.ndarray:
    """Errors of the logarithm in cells that the fit did not know, (2, cells): their size left out, then their data."""
    known, errors = cells(runs), []
    for field in ("size", "data"):
        found = {}
        for value in sorted({getattr(cell, field) for cell in known}):
            inside = [cell for cell in known if getattr(cell, field) != value]
            outside = [cell for cell in known if getattr(cell, field) == value]
            found |= dict(zip(outside, np.log(predictor(inside)(outside)), strict=True))
        errors.append([found[cell] - np.log(cell.loss) for cell in known])
    return np.array(errors)


def error_ratio(first: np.ndarray, second: np.ndarray, draws: int = 2_000, seed: int = 0) -> Interval:
    """The root mean square of one predictor's errors over another's, and its 95% interval: the cells drawn anew.

    >>> error_ratio(np.array([[0.1, 0.1]]), np.array([[0.2, 0.2]])).middle
    0.5
    """
    chosen = np.random.default_rng(seed).integers(first.shape[1], size=(draws, first.shape[1]))
    squares = [np.mean(np.square(errors), axis=0) for errors in (first, second)]
    ratios = np.sqrt(np.divide(*(square[chosen].mean(axis=1) for square in squares)))
    low, high = np.quantile(ratios, (0.025, 0.975))
    return Interval(float(low), float(np.sqrt(np.divide(*(square.mean() for square in squares)))), float(high))


def split_power(law: Law) -> float:
    """How the best size grows with the budget, size ~ budget**power, where FLOPs are size times data.

    (Hoffmann and others 2022, equation 4.)

    >>> split_power(Law(1.69, 406.4, 0.34, 410.7, 0.28))  # as published there
    0.45161290322580644
    """
    return law.data_power / (law.size_power + law.data_power)


def best_split(law: Law, budget: float, sizes: np.ndarray, flops_each: np.ndarray) -> tuple[int, float, float]:
    """Which of these sizes is best for so many FLOPs, how much data it then reads, and its loss.

    `flops_each` (sizes,) is what training on one character costs at each size.

    >>> best_split(Law(1, 10, 1, 10, 1), 1e4, np.array([10.0, 100, 1000]), np.array([10.0, 100, 1000]))
    (1, 100.0, 1.2)
    """
    data = budget / np.asarray(flops_each, float)
    losses = loss(law, np.asarray(sizes, float), data)
    best = int(np.argmin(losses))
    return best, float(data[best]), float(losses[best])


def slopes(amounts: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """How steep log loss falls over log amount between neighbours: amounts (n,), losses (n, ...) -> (n - 1, ...).

    >>> slopes(np.array([1.0, 10, 100]), np.array([8.0, 4, 2])).round(2).tolist()
    [0.3, 0.3]
    """
    amounts, losses = np.asarray(amounts, float), np.asarray(losses, float)
    steps = np.diff(np.log(amounts)).reshape(-1, *[1] * (losses.ndim - 1))
    return -np.diff(np.log(losses), axis=0) / steps


def read_off(amounts: np.ndarray, losses: np.ndarray, at: np.ndarray | float) -> np.ndarray | float:
    """The loss at an amount between measured ones: straight lines through the logarithms of both.

    Raises ValueError outside of what was measured.
    """
    if np.any(np.less(at, min(amounts)) | np.greater(at, max(amounts))):
        raise ValueError(f"{at} is not between {min(amounts)} and {max(amounts)}, where there are measurements")
    return np.exp(np.interp(np.log(at), np.log(amounts), np.log(losses)))


class Change(NamedTuple):
    """What a change does to a curve over data: to its power, and how much data it is worth at the middle amount."""

    tilt: Interval  # of the powers, changed minus plain: above 0, the change gains with data
    worth: Interval  # times the data that the plain model needs for the same loss: above 1, it helps
    kind: str  # "tilts", "shifts" or "nothing to see"


def compare(
    data: np.ndarray, plain: np.ndarray, changed: np.ndarray, common_floor: bool = True, draws: int = 200, seed: int = 0
) -> Change:
    """What a change does: data (n,), and losses over it, (n,) each, means over seeds; at the middle of the data.

    With a common floor both curves have the same; else each its own. Intervals draw the fit's errors anew. A change
    that tilts has an interval of its tilt without 0; one that shifts has not, but an interval of its worth without 1.
    """
    data, plain, changed = (np.asarray(values, float) for values in (data, plain, changed))
    middle = float(np.exp(np.mean(np.log(data))))
    first, second = curves = _two_curves(data, plain, changed, common_floor)
    fitted = [loss(first, data), loss(second, data)]
    errors = _widened(np.log(np.concatenate([plain, changed]) / np.concatenate(fitted)), 6 - common_floor)
    draw, tilts, worths = np.random.default_rng(seed), [], []
    for _ in range(draws):
        moved = [one * np.exp(draw.choice(errors, len(one))) for one in fitted]
        again = _two_curves(data, *moved, common_floor, curves)
        tilts.append(again[1].power - again[0].power)
        worths.append(_worth(*again, middle))
    tilt = Interval(*_ends(tilts, second.power - first.power))
    worth = Interval(*_ends(worths, _worth(first, second, middle)))
    kind = "tilts" if not tilt.low <= 0 <= tilt.high else "nothing to see" if worth.low <= 1 <= worth.high else "shifts"
    return Change(tilt, worth, kind)


def _widened(errors: np.ndarray, fitted: int) -> np.ndarray:
    """A fit's errors, made as large as those of fresh points: for so many numbers fitted, and for knowing so few."""
    free = max(1, len(errors) - fitted)
    return errors * (len(errors) / free) ** 0.5 * stats.t.ppf(0.975, free) / stats.norm.ppf(0.975)


def _ends(values: list[float], middle: float) -> tuple[float, float, float]:
    low, high = np.quantile(values, (0.025, 0.975), method="inverted_cdf")
    return float(low), float(middle), float(high)


def _worth(first: Curve, second: Curve, at: float) -> float:
    above = loss(second, at) - first.floor
    return (above / first.scale) ** (-1 / first.power) / at if above > 0 else np.inf


def jump(data: np.ndarray, plain: np.ndarray, changed: np.ndarray, draws: int = 200, seed: int = 0) -> Interval:
    """The last loss of a changed model as its shorter runs and the plain model's curve have it, with a 95% interval.

    Both curves have one floor. A measured loss below the interval is a jump: more than the curve had promised.
    """
    data, plain, changed = (np.asarray(values, float) for values in (data, plain, changed))
    curves = _two_curves(data, plain, changed[:-1])
    fitted = [loss(curves[0], data), loss(curves[1], data[:-1])]
    errors = _widened(np.log(np.concatenate([plain, changed[:-1]]) / np.concatenate(fitted)), 5)
    draw, found = np.random.default_rng(seed), []
    for _ in range(draws):
        moved = [one * np.exp(draw.choice(errors, len(one))) for one in fitted]
        again = _two_curves(data, *moved, start=curves)[1]
        found.append(float(loss(again, data[-1]) * np.exp(draw.choice(errors))))
    return Interval(*_ends(found, float(loss(curves[1], data[-1]))))


def _two_curves(
    data: np.ndarray,
    plain: np.ndarray,
    changed: np.ndarray,
    common_floor: bool = True,
    start: tuple[Curve, Curve] | None = None,
) -> tuple[Curve, Curve]:
    """The plain and the changed model's curves, fitted together where they share a floor."""
    both = (data, plain), (data[: len(changed)], changed)
    if not common_floor:
        starts = start or (None, None)
        return tuple(fit_curve(x, y, start=one) for (x, y), one in zip(both, starts, strict=True))
    middle = np.exp(np.mean(np.log(data)))
    logs = [np.log(x / middle) for x, _ in both]
    target, least = np.log(np.concatenate([plain, changed])), min(plain.min(), changed.min())

    def curves(numbers: np.ndarray) -> tuple[Curve, Curve]:
        floor, *rest = np.exp(numbers)
        return tuple(Curve(floor, scale * middle**power, power) for scale, power in (rest[:2], rest[2:]))

    def parts(numbers: np.ndarray) -> tuple[float, list[np.ndarray]]:
        floor, *rest = np.exp(numbers)
        return floor, [rest[2 * i] * np.exp(-rest[2 * i + 1] * log) for i, log in enumerate(logs)]

    def wrong(numbers: np.ndarray) -> np.ndarray:
        floor, added = parts(numbers)
        return np.log(floor + np.concatenate(added)) - target

    def slopes(numbers: np.ndarray) -> np.ndarray:
        floor, (one, other) = parts(numbers)
        found = np.zeros((len(target), 5))
        found[:, 0] = floor
        found[: len(one), 1], found[len(one) :, 3] = one, other
        found[: len(one), 2], found[len(one) :, 4] = (
            -part * power * log for part, power, log in zip((one, other), np.exp(numbers[2::2]), logs)
        )
        return found / (floor + np.concatenate([one, other]))[:, None]

    low = np.log([1e-4 * least, *(1e-6 * least, LEAST_POWER) * 2])
    high = np.log([least, *(100 * max(plain.max(), changed.max()), MOST_POWER) * 2])
    if start is None:
        starts = [
            [share * least, *_guess(plain, share, power), *_guess(changed, share, power)]
            for share in START_FLOORS
            for power in START_POWERS
        ]
    else:
        starts = [[start[0].floor, *(v for one in start for v in (one.scale * middle**-one.power, one.power))]]
    return curves(_best(wrong, slopes, starts, low, high))


def _guess(losses: np.ndarray, share: float, power: float) -> tuple[float, float]:
    return max(float(np.median(losses) - share * losses.min()), 1e-3), power
