"""The ladder: one Transformer in many widths, each trained on less and more text, real or from a grammar.

Every length is a run of its own, with its own fall of the rate to zero: what a text is worth is what it is worth to
somebody who knew that there would be no more of it. No character is read twice.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial

import jax
import numpy as np

from helpers import recordings, training
from helpers.models import Parameters
from helpers.recordings import Row
from helpers.recordings.scaling_laws import grammar
from helpers.recordings.scaling_laws.laws import Run
from helpers.recordings.the_transformer import learning, model
from helpers.recordings.the_transformer.model import MODERN, Design

SOURCE, GRAMMAR = "library source", "grammar"
WIDTHS = {SOURCE: (16, 24, 32, 48, 64, 96, 128), GRAMMAR: (8, 16, 24, 32, 48, 64)}
LENGTHS = {SOURCE: tuple(60 * 2**k for k in range(6)), GRAMMAR: tuple(15 * 2**k for k in range(8))}  # in steps
HIDDEN = 128  # the width that no law is fitted to
SEEDS, TUNING_SEED = range(3), 100
RATES = {"muon": (0.03, 0.06, 0.12, 0.24), "adam": (0.004, 0.012, 0.036, 0.108)}
TUNED_AT = {SOURCE: (60, 240, 1920), GRAMMAR: (30, 240, 1920)}  # steps: a long run wants a lower rate than a short one
TUNED_WIDTHS = (16, 32, 64)  # whose losses are averaged: one run each is too rough to tell neighbouring rates apart
CHARACTERS = learning.BATCH * training.CONTEXT  # (or tokens of the grammar) a step
VOCABULARY = grammar.TOKENS


def design(width: int, **changes) -> Design:
    """The Transformer of a width: heads of 16 channels, as near as it can be.

    >>> [design(width).heads for width in (8, 16, 24, 128)]
    [1, 1, 2, 8]
    """
    return MODERN._replace(width=width, heads=max(1, round(width / 16)), **changes)


def size(width: int, embeddings: bool = True) -> int:
    """How many parameters a width has, with or without the tables that turn tokens into vectors and back.

    >>> size(64), size(64, embeddings=False), round(size(16, embeddings=False) / size(16), 2)
    (110728, 98312, 0.66)
    """
    found = design(width)
    inside = found.layers * (12 * width**2 + found.heads)
    return inside + 2 * VOCABULARY * width if embeddings else inside


def flops(width: int) -> int:
    """FLOPs of training on one character, those of matrix products alone."""
    return model.training_flops(design(width), VOCABULARY)


@cache
def scores_of(design: Design) -> learning.Scores:
    """One function a design, so that it is compiled once."""
    return partial(model.scores, design=design)


def fresh(design: Design, seed: int) -> Parameters:
    """Parameters before training."""
    return model.parameters(jax.random.key(seed), VOCABULARY, design)


def batches(text: str, seed: int) -> Iterator[tuple[np.ndarray]]:
    """Endless batches of a text, in an order that hangs on the seed."""
    if text == GRAMMAR:
        return grammar.batches(seed, learning.BATCH)
    return training.random_windows(learning.parts(learning.LIBRARIES).training, seed, learning.BATCH)


def judged(text: str, part: str) -> np.ndarray:
    """The windows (N, T + 1) of a text's "development" or "held_out" part that judge a model."""
    if text == GRAMMAR:
        return grammar.judged(part)[0]
    return learning.spread(getattr(learning.parts(learning.LIBRARIES), part))


def run(
    text: str,
    width: int,
    steps: int,
    seed: int,
    rate: float,
    part: str = "held_out",
    change: Callable[[Iterator], Iterator] = iter,
    progress: Callable = iter,
    **changes,
) -> float:
    """The loss, in nats a character, of one width after one training run; `changes` are those of its design."""
    found = design(width, **changes)
    trained = learning.train(
        scores_of(found), fresh(found, seed), change(batches(text, seed)), steps, rate, found.optimiser, progress
    )
    return round(learning.loss_over(scores_of(found), trained, judged(text, part)), 5)


def tune(text: str, width: int, steps: int, rate: float) -> Row:
    """The loss on the development part, with a seed that no measurement uses."""
    return {"loss": run(text, width, steps, TUNING_SEED, rate, "development")}


def best_rate(rows: list[Row], steps: int, **wanted) -> float:
    """The rate with the least geometric mean of losses among rows that hold what is wanted, at the nearest length.

    Lengths are near where their ratio is near to one; of two as near, the longer counts. A rate whose runs did not all
    end with a loss is out.

    >>> tried = [(60, 0.1, 2.0), (60, 0.2, 1.9), (1920, 0.1, 1.5), (1920, 0.2, 1.6)]
    >>> rows = [{"text": SOURCE, "steps": steps, "rate": rate, "loss": loss} for steps, rate, loss in tried]
    >>> best_rate(rows, 120, text=SOURCE), best_rate(rows, 960, text=SOURCE)
    (0.2, 0.1)

    Raises ValueError where no rate that was tried came to an end.
    """
    some = [row for row in rows if wanted.items() <= row.items()]
    if not some:
        raise ValueError(f"no rate was tried for {wanted}")
    near = min({row["steps"] for row in some}, key=lambda tried: (round(abs(np.log(tried / steps)), 9), -tried))
    losses: dict[float, list[float]] = {}
    for row in some:
        if row["steps"] == near:
            losses.setdefault(row["rate"], []).append(row["loss"])
    means = {rate: np.mean(np.log(found)) for rate, found in losses.items() if np.isfinite(found).all()}
    if not means:
        raise ValueError(f"no rate that was tried for {wanted} came to an end at {near} steps")
    return min(means, key=means.get)


def measure(text: str, width: int, steps: int, seed: int, progress: Callable = iter) -> Row:
    """One training run at the length's own rate: the rate, and the loss on the held-out part."""
    rate = best_rate(recordings.read("3_2_rates"), steps, text=text)
    return {"rate": rate, "loss": run(text, width, steps, seed, rate, progress=progress)}


def recorded(text: str, embeddings: bool = True) -> list[Run]:
    """A text's ladder as it was recorded, for the laws; sizes count the two tables of tokens or leave them out."""
    rows = recordings.read({SOURCE: "3_2_ladder", GRAMMAR: "3_2_grammar"}[text])
    found = [(row["width"], row["steps"] * CHARACTERS, row["loss"], row["seed"]) for row in rows]
    return [Run(size(width, embeddings), read, flops(width) * read, loss, seed) for width, read, loss, seed in found]


def rates_tried() -> list[Row]:
    """Every rate at three lengths of each text, in three widths; the hidden width is not among them."""
    return [
        {"text": text, "width": width, "steps": steps, "rate": rate}
        for text in WIDTHS
        for steps in TUNED_AT[text]
        for width in TUNED_WIDTHS
        for rate in RATES["muon"]
    ]


def runs(text: str) -> list[Row]:
    """The points of a text's ladder: a whole ladder for the first seed, then for the next."""
    return [
        {"text": text, "width": width, "steps": steps, "seed": seed}
        for seed in SEEDS
        for width in WIDTHS[text]
        for steps in LENGTHS[text]
    ]
