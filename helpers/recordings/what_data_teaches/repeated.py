"""Training on text that is repeated, and on as much fresh text: what is fitted in `repeats` is measured here.

Letters for axes: T time (position), N windows.
"""

from functools import cache

import jax
import numpy as np

from helpers import models, training
from helpers.models import Parameters
from helpers.recordings import Row
from helpers.recordings.the_transformer import learning
from helpers.recordings.what_data_teaches import rates

BATCH = 16
STEP = BATCH * training.CONTEXT  # characters in a step of training
UNIT = 25 * STEP  # characters of the smallest text
WIDTH, LAYERS, HEADS = 64, 2, 4
EVALUATIONS = 10  # of the development loss in a run, at least
TUNED_AT = 400  # steps
WINDOWS = {"development": 256, "held_out": 1024}


def unique(characters: int, seed: int) -> np.ndarray:
    """So many characters to learn from, from a random place of the training modules on: tokens (T,).

    A smaller text of the same seed is the beginning of a larger one. There are CONTEXT characters more than asked
    for, so that wherever its windows begin, each epoch has the same number of them.

    >>> len(unique(25_600, seed=0))
    25664

    Raises ValueError for more than there are, or for a number that is no whole number of steps.
    """
    tokens = learning.parts().training
    if characters % STEP or not 0 < characters <= len(tokens) - training.CONTEXT:
        raise ValueError(f"ask for a multiple of {STEP:,} from {STEP:,} to {len(tokens):,} characters: {characters:,}")
    start = int(np.random.default_rng([seed, 3]).integers(len(tokens)))
    return np.roll(tokens, -start)[: characters + training.CONTEXT]


@cache
def judged_by(part: str) -> np.ndarray:
    """The windows (N, CONTEXT + 1) of "development" or "held_out" text that judge every run alike."""
    return learning.spread(getattr(learning.parts(), part), WINDOWS[part])


def train(characters: int, epochs: int, seed: int, rate: float) -> tuple[Parameters, Parameters, list[training.Point]]:
    """Parameters at the end of the run, those with the least development loss on its way, and that way.

    The rate falls to zero over the run's own steps. Each epoch's windows begin at another offset: a repeat is the
    same text, cut in other places.
    """
    steps = characters * epochs // STEP
    start = models.transformer_parameters(jax.random.key(seed), len(learning.parts().characters), WIDTH, LAYERS, HEADS)
    batches = training.random_windows(unique(characters, seed), seed, BATCH)
    last: Parameters = {}

    def validate(parameters: Parameters) -> float:
        last.update(parameters)
        return training.held_out_loss(parameters, judged_by("development"))

    every = max(1, steps // EVALUATIONS)
    best, history = training.fit(
        training.next_token_loss, start, batches, validate, steps=steps, every=every, rate=rate, whole=True
    )
    return last, best, history


def measure(characters: int, epochs: int, seed: int) -> Row:
    """One run: its loss in nats a character on held-out text, at its end and where development text would stop it.

    `on_its_text` is the loss at the end on the text that it has learned from.
    """
    rate = rates.best("repeats", f"width {WIDTH}").rate
    last, best, history = train(characters, epochs, seed, rate)
    stopped = min(history, key=lambda point: np.nan_to_num(point.loss, nan=np.inf)).steps
    own = learning.spread(unique(characters, seed), WINDOWS["development"])
    return {
        "steps": history[-1].steps,
        "rate": rate,
        "loss": round(training.held_out_loss(last, judged_by("held_out")), 4),
        "stopped_loss": round(training.held_out_loss(best, judged_by("held_out")), 4),
        "stopped_at": stopped,
        "on_its_text": round(training.held_out_loss(last, own), 4),
    }


def tune(rate: float) -> Row:
    """The development loss after TUNED_AT steps on fresh text, with a seed that no measurement uses."""
    history = train(TUNED_AT * STEP, epochs=1, seed=100, rate=rate)[2]
    return {"development": round(history[-1].loss, 4)}
