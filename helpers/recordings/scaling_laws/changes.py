"""Five changes to a model or to what it reads, two cleverer designs, and the seconds that a step of each takes."""

from collections.abc import Callable, Iterator
from functools import cache, partial

import jax
import numpy as np

from helpers import recordings
from helpers.recordings import Row
from helpers.recordings.scaling_laws import clever, ladder
from helpers.recordings.scaling_laws.ladder import LENGTHS, SEEDS, SOURCE
from helpers.recordings.the_transformer import learning

WIDTH = 32  # of the changed models: the ladder's own runs of this width are what they are held against
SHUFFLED, WRONG = 0.25, 0.1  # the shares of windows and of characters that are spoilt
TUNED_AT = ladder.TUNED_AT[SOURCE]  # steps, as the ladder
CLEVER_WIDTHS, CLEVER_LENGTHS = (32, 64), LENGTHS[SOURCE][:4]
CLEVER_TUNED_AT = (60, 240)

DESIGNS = {
    "Adam": {"optimiser": "adam"},
    "no normalisation": {"normalisation": "none"},
    "window for attention": {"attention": False, "convolution": "full"},
}


def shuffled(batches: Iterator[tuple[np.ndarray]], seed: int) -> Iterator[tuple[np.ndarray]]:
    """Batches in which a quarter of the windows have their characters in random order.

    >>> batch = np.arange(8 * 5).reshape(8, 5)
    >>> changed = next(shuffled(iter([(batch,)]), seed=0))[0]
    >>> int((changed != batch).any(axis=1).sum()), (np.sort(changed) == batch).all().item()
    (2, True)
    """
    draw = np.random.default_rng([1, seed])
    for (tokens,) in batches:
        spoilt = tokens.copy()
        rows = draw.permutation(len(tokens))[: round(SHUFFLED * len(tokens))]
        spoilt[rows] = draw.permuted(spoilt[rows], axis=1)
        yield (spoilt,)


def wrong(batches: Iterator[tuple[np.ndarray]], seed: int) -> Iterator[tuple[np.ndarray]]:
    """Batches in which each character is, by a chance of one in ten, drawn anew from the whole alphabet."""
    draw = np.random.default_rng([2, seed])
    for (tokens,) in batches:
        drawn = draw.integers(ladder.VOCABULARY, size=tokens.shape).astype(tokens.dtype)
        yield (np.where(draw.random(tokens.shape) < WRONG, drawn, tokens),)


SPOILT = {"a quarter shuffled": shuffled, "one in ten wrong": wrong}
CHANGES = (*DESIGNS, *SPOILT)


def rates_of(change: str) -> tuple[float, ...]:
    """The rates that a change is tuned over: those of its optimiser, and for Muon one more at either end.

    Without normalisation a long run wants a lower rate than any that the ladder tries.
    """
    tried = ladder.RATES[DESIGNS.get(change, {}).get("optimiser", "muon")]
    return tried if tried == ladder.RATES["adam"] else (tried[0] / 2, *tried, 2 * tried[-1])


def run(change: str, steps: int, seed: int, rate: float, part: str = "held_out") -> float:
    """The loss after one training run with a change; what judges it is never spoilt."""
    spoil: Callable = partial(SPOILT[change], seed=seed) if change in SPOILT else iter
    return ladder.run(SOURCE, WIDTH, steps, seed, rate, part, spoil, **DESIGNS.get(change, {}))


def tune(change: str, steps: int, rate: float) -> Row:
    """The loss on the development part, with a seed that no measurement uses."""
    return {"loss": run(change, steps, ladder.TUNING_SEED, rate, "development")}


def measure(change: str, steps: int, seed: int) -> Row:
    """One training run at the rate of the change and the length: the rate, and the loss on the held-out part."""
    rate = ladder.best_rate(recordings.read("3_2_change_rates"), steps, change=change)
    return {"rate": rate, "loss": run(change, steps, seed, rate)}


@cache
def clever_scores(kind: str, width: int) -> learning.Scores:
    """One function a design, so that it is compiled once."""
    return partial(_clever_scores, kind=kind, design=ladder.design(width))


def _clever_scores(parameters, tokens, kind: str, design):
    return clever.scores(kind, parameters, tokens, design)


def run_clever(kind: str, width: int, steps: int, seed: int, rate: float, part: str = "held_out") -> float:
    """The loss of a cleverer design after one training run on the same text as the ladder's."""
    scores = clever_scores(kind, width)
    start = clever.parameters(kind, jax.random.key(seed), ladder.VOCABULARY, ladder.design(width))
    trained = learning.train(scores, start, ladder.batches(SOURCE, seed), steps, rate, "muon")
    return round(learning.loss_over(scores, trained, ladder.judged(SOURCE, part)), 5)


def tune_clever(kind: str, width: int, steps: int, rate: float) -> Row:
    """The loss on the development part, with a seed that no measurement uses."""
    return {"loss": run_clever(kind, width, steps, ladder.TUNING_SEED, rate, "development")}


def measure_clever(kind: str, width: int, steps: int, seed: int) -> Row:
    """One training run at the rate of the design and the length: the rate, and the loss on the held-out part."""
    rate = ladder.best_rate(recordings.read("3_2_clever_rates"), steps, kind=kind)
    return {"rate": rate, "loss": run_clever(kind, width, steps, seed, rate)}


TIMED = [("plain", width) for width in ladder.WIDTHS[SOURCE]]
TIMED += [(kind, width) for kind in clever.KINDS for width in CLEVER_WIDTHS]


@cache
def _milliseconds() -> dict[tuple[str, int], float]:
    """Processor time of one step of each."""
    runs = {}
    batch = next(ladder.batches(SOURCE, 0))[0]
    for kind, width in TIMED:
        found = ladder.design(width)
        if kind == "plain":
            scores, start = ladder.scores_of(found), ladder.fresh(found, 0)
        else:
            scores = clever_scores(kind, width)
            start = clever.parameters(kind, jax.random.key(0), ladder.VOCABULARY, found)
        runs[kind, width] = (scores, "muon", start, learning.memory(start, "muon"), batch, np.float32(0.01))
    return learning.step_milliseconds(runs, rounds=6)


def measure_step(kind: str, width: int) -> Row:
    """Milliseconds of processor time that one step of training takes, on however many cores."""
    return {"milliseconds": round(_milliseconds()[kind, width], 3)}


def changed_runs() -> list[Row]:
    """The points of the changes: all of the first seed, then of the next."""
    return [
        {"change": change, "steps": steps, "seed": seed}
        for seed in SEEDS
        for change in CHANGES
        for steps in LENGTHS[SOURCE]
    ]


def clever_runs() -> list[Row]:
    """The points of the cleverer designs."""
    return [
        {"kind": kind, "width": width, "steps": steps, "seed": seed}
        for seed in SEEDS
        for kind in clever.KINDS
        for width in CLEVER_WIDTHS
        for steps in CLEVER_LENGTHS
    ]
