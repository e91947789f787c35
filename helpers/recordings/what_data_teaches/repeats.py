"""What repeated text is worth, fitted to losses; and when training sets outgrow the text that there is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from helpers import data
from helpers.measuring import Interval

STARTS = (0.3, 3.0, 30.0)  # of the worth of repeats: the fit is tried from each
WORTH = (0.01, 1_000.0)  # between which it is looked for


class Point(NamedTuple):
    """The loss after so many epochs over so much text (in thousands of characters, say)."""

    unique: float
    epochs: float
    loss: float
    seed: int = 0


class Law(NamedTuple):
    """loss = floor + scale / effective(text)**power, where repeats are worth at most `worth` times the text."""

    floor: float
    scale: float
    power: float
    worth: float


def effective(unique: np.ndarray | float, epochs: np.ndarray | float, worth: float) -> np.ndarray | float:
    """The fresh text that so many epochs over a text are worth.

    The first epoch counts in full; each further one counts less, and all together at most `worth` times the text.
    (Muennighoff and others 2023, Scaling data-constrained language models, section 3.1.)

    >>> float(effective(100, 1, worth=15))
    100.0
    >>> round(effective(100, 4, worth=15)), round(effective(100, 1_000, worth=15))
    (372, 1600)
    """
    return unique * (1 + worth * -np.expm1(-(np.asarray(epochs) - 1) / worth))


def predict(law: Law, unique: np.ndarray | float, epochs: np.ndarray | float) -> np.ndarray | float:
    """The loss that a law gives.

    >>> float(predict(Law(floor=1, scale=10, power=0.5, worth=15), unique=100, epochs=1))
    2.0
    """
    return law.floor + law.scale / effective(unique, epochs, law.worth) ** law.power


def fit(points: Sequence[Point]) -> Law:
    """The law with the least squared error in the losses, fitted to fresh and repeated text together.

    >>> law = Law(floor=1, scale=10, power=0.5, worth=4)
    >>> some = [Point(u, n, predict(law, u, n)) for u, n in [(25, 1), (100, 1), (400, 1), (25, 4), (25, 16), (25, 64)]]
    >>> round(fit(some).worth, 2)
    4.0

    Raises ValueError for points that cannot tell: fewer than three sizes of fresh text, or no repeats.
    """
    fresh = {point.unique for point in points if point.epochs == 1}
    if len(fresh) < 3 or all(point.epochs <= 1 for point in points):
        raise ValueError("the fit needs fresh text of three sizes or more, and text that was repeated")
    unique, epochs, loss = (np.array([point[column] for point in points], float) for column in range(3))
    size = np.median(unique)  # the scale is fitted as the loss above the floor at this size

    def law(numbers: np.ndarray) -> Law:
        floor, above, power, worth = np.exp(numbers)
        return Law(floor, above * size**power, power, worth)

    def wrong(numbers: np.ndarray) -> np.ndarray:
        return predict(law(numbers), unique, epochs) - loss

    low, high = np.log([1e-3, 1e-3, 0.02, WORTH[0]]), np.log([loss.min(), 20, 3, WORTH[1]])
    starts = [np.log([0.7 * loss.min(), max(np.ptp(loss), 0.1), 0.4, worth]) for worth in STARTS]
    best = min((least_squares(wrong, start, bounds=(low, high)) for start in starts), key=lambda found: found.cost)
    return Law(*map(float, law(best.x)))


def worth_of_repeats(points: Sequence[Point], draws: int = 200, seed: int = 0) -> Interval:
    """The fitted worth with a 95% bootstrap interval: each size and number of epochs draws anew among its seeds.

    Drawing among n seeds gives too little variance, (n - 1) / n of it: the interval is widened by the root of that.

    Raises ValueError where a size and number of epochs was run with one seed alone.
    """
    draw, runs = np.random.default_rng(seed), {}
    for point in points:
        runs.setdefault((point.unique, point.epochs), []).append(point)
    least = min(map(len, runs.values()), default=0)
    if least < 2:
        raise ValueError("an interval needs two seeds or more of every run")
    worths = []
    for _ in range(draws):
        drawn = [some[i] for some in runs.values() for i in draw.integers(len(some), size=len(some))]
        worths.append(np.log(fit(drawn).worth))
    middle = np.log(fit(points).worth)
    wider = (np.quantile(worths, (0.025, 0.975)) - middle) * (least / (least - 1)) ** 0.5
    low, high = np.exp(middle + wider)
    return Interval(float(low), float(np.exp(middle)), float(high))


def crossing_year(stock: float, draws: int = 2_000, seed: int = 0) -> Interval:
    """When the trend of the models' training sets reaches a stock of text: a straight line through the logarithms.

    Models of data/training_sets.csv that were trained on it (`seen`); the interval draws the models anew.

    >>> 2024 < crossing_year(3e14).middle < 2030
    True

    Raises ValueError for a stock that is not positive.
    """
    if stock <= 0:
        raise ValueError(f"a stock of {stock} tokens is none")
    seen = [row for row in data.table("training_sets") if row["kind"] == "seen"]
    year, log = (np.array([float(row[column]) for row in seen]) for column in ("year", "tokens"))
    log, draw = np.log(log), np.random.default_rng(seed)
    chosen = draw.integers(len(seen), size=(draws, len(seen)))
    chosen = chosen[np.ptp(year[chosen], axis=1) > 0]
    years = [_reaches(year[some], log[some], np.log(stock)) for some in chosen]
    low, high = np.quantile(years, (0.025, 0.975), method="inverted_cdf")
    return Interval(float(low), float(_reaches(year, log, np.log(stock))), float(high))


def _reaches(year: np.ndarray, log: np.ndarray, stock: float) -> float:
    slope, at_zero = np.polyfit(year - 2024, log, 1)
    return 2024 + (stock - at_zero) / slope if slope > 0 else np.inf
