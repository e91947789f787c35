"""Serial numbers among the text that a small Transformer learns from, at growing shares of every batch.

Letters for axes: B rows of a batch, T time (position), N windows. The rows of good text come in the same order for
one seed, whatever share of a batch they are.
"""

from collections.abc import Iterator
from functools import cache
from math import log

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from helpers import models, training
from helpers.models import Parameters
from helpers.recordings import Row
from helpers.recordings.what_data_teaches import drawings, rates, texts

ROWS = 16
GARBAGE_ROWS = (0, 2, 4, 8, 12)  # of the 16 of a batch
GOOD = 4_704  # rows of good text in a run, which 16, 14, 12, 8 and 4 rows a step divide
COMPUTE = 588  # steps where the compute is equal: those of half garbage with GOOD rows of good text
LAYERS, HEADS = 2, 4
ARMS = ("equal good text", "equal compute", "masked")
LONGEST = 12 * GOOD // 4 * training.CONTEXT + 1  # characters of garbage in the run that has most
JUDGES = 256  # windows of serial numbers that judge


@cache
def serial_rows(seed: int, characters: int = LONGEST) -> np.ndarray:
    """Serial numbers in rows as they follow each other, none of them a repeat: (N, CONTEXT + 1).

    >>> serial_rows(0, 1_000).shape
    (15, 65)
    """
    numbers = drawings.serial_numbers(characters, seed)
    return texts.rows(training.encode(numbers, texts.documentation().characters))


def steps(arm: str, garbage_rows: int) -> int:
    """How many steps a run takes: all GOOD rows of good text, or as many as every run of equal compute.

    >>> steps("equal good text", 0), steps("masked", 12), steps("equal compute", 12)
    (294, 1176, 588)

    Raises ValueError for an arm that is not among ARMS.
    """
    if arm not in ARMS:
        raise ValueError(f"the arms are {', '.join(ARMS)}, not {arm!r}")
    return COMPUTE if arm == "equal compute" else GOOD // (ROWS - garbage_rows)


def batches(arm: str, garbage_rows: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of rows (B, CONTEXT + 1) with the weight of each in the loss (B,): good rows first, then garbage.

    In the arm "masked" garbage has no weight: the same good text in the same steps, with nothing else to learn.
    """
    good = training.random_windows(texts.documentation().training, seed, ROWS - garbage_rows)
    numbers, weights = serial_rows(seed), np.ones(ROWS, np.float32)
    if arm == "masked":
        weights[ROWS - garbage_rows :] = 0
    for step in range(steps(arm, garbage_rows)):
        yield np.concatenate([next(good)[0], numbers[step * garbage_rows :][:garbage_rows]]), weights


def weighted_loss(parameters: Parameters, rows: Array, weights: Array) -> Array:
    """The mean surprise, in nats, over rows (B, T + 1) that count by their weights (B,)."""
    return jnp.sum(training.surprise(parameters, rows).mean(axis=1) * weights) / jnp.sum(weights)


def train(arm: str, width: int, garbage_rows: int, seed: int, rate: float) -> Parameters:
    """The parameters at the end of one run; the rate falls to zero over its own steps."""
    vocabulary, count = len(texts.documentation().characters), steps(arm, garbage_rows)
    fresh = models.transformer_parameters(jax.random.key(seed), vocabulary, width, LAYERS, HEADS)
    some = batches(arm, garbage_rows, seed)
    return training.fit(weighted_loss, fresh, some, lambda _: 0.0, steps=count, every=count, rate=rate, whole=True)[0]


def good_loss(parameters: Parameters, part: str = "held_out") -> float:
    """Nats a character over the whole of a part of the documentation."""
    return training.held_out_loss(parameters, texts.rows(getattr(texts.documentation(), part)))


def garbage_bits(parameters: Parameters) -> float:
    """Bits a character over serial numbers that no run has seen; `drawings.bits_of_serial_numbers` says the least."""
    unseen = serial_rows(1_000, JUDGES * training.CONTEXT + 1)[:JUDGES]
    return training.held_out_loss(parameters, unseen) / log(2)


def measure(arm: str, width: int, share: float, seed: int) -> Row:
    """One run with a share of garbage in every batch: its loss on good text, and what it pays for serial numbers.

    Raises ValueError for a share that is no whole number of a batch's rows.
    """
    garbage_rows = rows_of(share)
    rate = rates.best("garbage", f"width {width}").rate
    trained = train(arm, width, garbage_rows, seed, rate)
    return {
        "steps": steps(arm, garbage_rows),
        "good_rows": steps(arm, garbage_rows) * (ROWS - garbage_rows),
        "rate": rate,
        "loss": round(good_loss(trained), 4),
        "garbage_bits": round(garbage_bits(trained), 4),
    }


def rows_of(share: float) -> int:
    """The rows of a batch that are so large a share of it.

    >>> rows_of(0.125)
    2

    Raises ValueError for a share that is not one of GARBAGE_ROWS.
    """
    if share * ROWS not in GARBAGE_ROWS:
        raise ValueError(f"the shares are those of {GARBAGE_ROWS} rows of {ROWS}, not {share}")
    return int(share * ROWS)


def tune(width: int, rate: float) -> Row:
    """The development loss after a run on good text alone, with a seed that no measurement uses."""
    trained = train("equal good text", width, 0, seed=100, rate=rate)
    return {"development": round(good_loss(trained, "development"), 4)}
