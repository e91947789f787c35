"""What lesson 2.2 reads from its recordings: curves against seconds, operations or waiting, and who leads where."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from helpers import data, figures, measuring, recordings
from helpers.recordings.one_word_at_a_time import race

CLOCKS = {"seconds": "seconds of one core", "operations": "operations, in billions", "waiting": "products that wait"}
FEED_FORWARD = ("window", "n-gram window", "wide n-gram window")
RECURRENT = ("LSTM", "wide LSTM", "deep LSTM")
ATTENTION = ("attention", "wide attention")
TEXT = 33_202_937  # characters to learn from
NGRAM_ORDER = 9
_RECURRENT = ("RNN", "wide LSTM", "LSTM that keeps", "deep LSTM", "LSTM")
_STYLE = dict(zip(_RECURRENT, figures.variants("recurrent", 5), strict=True))
_STYLE |= dict(zip(("wide n-gram window", "n-gram window", "window"), figures.variants("window model", 3), strict=True))
_STYLE |= dict(zip(("wide attention", "attention"), figures.variants("attention", 2), strict=True))
STYLES = {name: _STYLE[name] for name in ("RNN", "LSTM", "LSTM that keeps", "attention")}
READERS = {name: _STYLE[name] for name in ("RNN", "LSTM", "attention", "window")}
RACERS = {name: _STYLE[name] for name in (*FEED_FORWARD, *RECURRENT, *ATTENTION)}


class Curve(NamedTuple):
    """The loss of one system (seeds, marks), in nats a character, against its cost at each mark (marks,)."""

    cost: np.ndarray
    losses: np.ndarray


def cost_of_a_step(system: str, clock: str) -> float:
    """What one step of training costs: in seconds, in billions of operations, or in matrix products that wait.

    >>> cost_of_a_step("window", "waiting")
    8
    """
    if clock == "seconds":
        return {row["system"]: row["seconds"] for row in recordings.read("2_2_step_seconds")}[system]
    runner = race.RUNNERS[system]
    return (
        race.flops(runner, len(data.library_text().characters)) / 1e9 if clock == "operations" else race.chain(runner)
    )


def curve(system: str, clock: str, table: str = "2_2_race") -> Curve:
    """The recorded curve of one runner, or of "counts", which have no operations but additions and no steps to wait.

    Raises KeyError for counts against waiting.
    """
    if system == "counts":
        rows = recordings.read("2_2_counts")
        sizes = np.array(sorted({row["characters"] for row in rows}))
        losses = np.array([[row["loss"] for row in rows if row["characters"] == size] for size in sizes]).T
        whole = {"seconds": cost_of_counting(), "operations": NGRAM_ORDER * TEXT / 1e9}[clock]
        return Curve(whole * sizes / TEXT, losses)
    rows = [row for row in recordings.read(table) if row["runner"] == system]
    steps = np.array([int(step) for step in str(rows[0]["after"]).split()])
    losses = np.array([[float(loss) for loss in str(row["losses"]).split()] for row in rows])
    return Curve(cost_of_a_step(system, clock) * steps, losses)


def cost_of_counting() -> float:
    """Seconds of one core to count the whole training text."""
    return cost_of_a_step("counts", "seconds")


def at(curve: Curve, budget: float) -> np.ndarray:
    """The loss of each seed at a budget, on straight lines against the logarithm of the cost: (seeds,).

    Beyond the last mark it is the last; before the first mark it is not known.

    >>> at(Curve(np.array([1.0, 100.0]), np.array([[4.0, 2.0]])), 10.0).tolist()
    [3.0]
    """
    if budget < curve.cost[0]:
        return np.full(len(curve.losses), np.nan)
    return np.array([np.interp(np.log(budget), np.log(curve.cost), losses) for losses in curve.losses])


def best_of(systems: tuple[str, ...], clock: str, budget: float) -> np.ndarray:
    """The losses (seeds,) of the system with the least mean at a budget; systems not yet judged there do not count."""
    losses = [at(curve(system, clock), budget) for system in systems]
    known = [one for one in losses if not np.isnan(one).any()]
    return min(known, key=np.mean) if known else losses[0]


def lead(first: np.ndarray, second: np.ndarray) -> int:
    """1 where the first has the lower loss and the intervals are apart, -1 where the second has, else 0.

    >>> lead(np.array([1.0, 1.1, 1.0]), np.array([2.0, 2.1, 2.0])), lead(np.array([1.0, 3.0]), np.array([2.0, 2.1]))
    (1, 0)
    """
    (_, low, high), (_, other_low, other_high) = (measuring.mean_interval(losses) for losses in (first, second))
    return int(high < other_low) - int(low > other_high)


def longest(systems: tuple[str, ...], clock: str) -> float:
    """The largest budget that one of the systems at least was given in each seed, and no other went beyond."""
    return max(curve(system, clock).cost[-1] for system in systems)


def read_within(limit: float, system: str, numbers: int) -> float:
    """How many characters a system of so many numbers reads and answers within so many seconds.

    On straight lines between the logarithms of lengths and of the least recorded seconds.
    """
    times = seconds_of("read and answer", system, numbers)
    return float(np.exp(where_reached(np.log(sorted(times)), np.log([times[n] for n in sorted(times)]), np.log(limit))))


def seconds_of(task: str, system: str, numbers: int) -> dict[int, float]:
    """The least recorded seconds of a task, for each length of text."""
    rows = [
        row
        for row in recordings.read("2_2_reading_seconds")
        if (row["task"], row["system"], row["numbers"]) == (task, system, numbers)
    ]
    return {
        n: min(row["seconds"] for row in rows if row["length"] == n) for n in sorted({row["length"] for row in rows})
    }


def where_reached(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Where a curve of straight lines first reaches a level, the first and the last line going on beyond its ends.

    >>> where_reached(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 3.0]), 2.0)
    1.5
    """
    last = next((i for i in range(1, len(y)) if y[i] >= level), len(y) - 1)
    slope = (y[last] - y[last - 1]) / (x[last] - x[last - 1])
    return float(x[last] + (level - y[last]) / slope)


def farthest_solved(right: np.ndarray, distances: tuple[int, ...], solved: float = 0.99) -> int:
    """The largest distance up to which every seed solves the test: right (distances, seeds); 0 if not even the first.

    >>> farthest_solved(np.array([[1.0, 1.0], [1.0, 0.995], [1.0, 0.2], [1.0, 1.0]]), (8, 16, 32, 64))
    16
    """
    broken = [distance for distance, seeds in zip(distances, right, strict=True) if seeds.min() < solved]
    return max((distance for distance in distances if not broken or distance < broken[0]), default=0)


def plot(ax: Axes, x, mean, low, high, name: str, style: dict) -> Axes:
    """A recorded curve with its band, in a style of its own: figures.recorded for variants of one meaning."""
    ax.plot(x, mean, label=name, **style)
    ax.fill_between(x, low, high, color=style["color"], alpha=0.2, linewidth=0)
    return ax


def lead_changes(clock: str, budgets: np.ndarray) -> list[int]:
    """Who leads at each budget: 1 the feed-forward networks, -1 the recurrent ones, 0 nobody by intervals apart."""
    return [lead(best_of(FEED_FORWARD, clock, budget), best_of(RECURRENT, clock, budget)) for budget in budgets]
