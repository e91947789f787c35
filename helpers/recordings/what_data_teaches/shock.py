"""Pages of drawings fed in as if they were English: a model learns text, then drawings alone, then text again.

Letters for axes: B batch, T time (position), N windows. The model is lesson 2.4's plain one, and its modern one
beside it; the rate stays where it is after its rise, since a falling one would hide the damage.
"""

from collections.abc import Iterator
from functools import cache, partial
from itertools import islice

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from helpers import training
from helpers.models import Parameters
from helpers.recordings import Row
from helpers.recordings.the_transformer import learning, model
from helpers.recordings.the_transformer.model import MODERN, PLAIN, Design
from helpers.recordings.what_data_teaches import drawings, rates, texts

BATCH = 16
BEFORE, ART, AFTER = 300, 40, 300  # steps of text, of drawings alone, and of text again
WARM_UP = 30  # steps
WATCHED = (295, 345)  # every step between them is measured, and every tenth elsewhere
DESIGNS = {
    "small": PLAIN._replace(width=32),
    "larger": PLAIN,
    "modern": MODERN._replace(width=32),
}
ARMS = ("text alone", "art", "clipped", "filtered")
LEAST_LETTERS = 0.3  # of a row that the filter lets through
CLIPPED_AT, NORMS = 2.0, 100  # times the median of the last so many gradients' norms
WINDOWS, FEW = 768, 24  # that judge at the end; on the way one in so many


@cache
def art_rows(seed: int) -> np.ndarray:
    """Drawings in rows as they follow each other, as many as ART steps hold: (N, CONTEXT + 1)."""
    count = ART * BATCH
    pages = drawings.pages(count * training.CONTEXT + 1, seed)
    return texts.rows(training.encode(pages, texts.documentation().characters))[:count]


def passes(rows: np.ndarray) -> np.ndarray:
    """Which rows the filter lets through, those with letters enough: tokens (N, T + 1) -> booleans (N,).

    >>> characters = texts.documentation().characters
    >>> passes(np.stack([training.encode(row, characters) for row in ("some words here", "+---+ #### ooo ")]))
    array([ True, False])
    """
    letters = np.array([character.isalpha() for character in texts.documentation().characters])
    return letters[rows].mean(axis=1) >= LEAST_LETTERS


def text_batches(seed: int, filtered: bool) -> Iterator[np.ndarray]:
    """Endless batches of text (B, CONTEXT + 1); through the filter they are filled up with the next rows."""
    rows = (batch[0] for (batch,) in training.random_windows(texts.documentation().training, seed, batch=1))
    if filtered:
        rows = (row for row in rows if passes(row[None])[0])
    while True:
        yield np.stack(list(islice(rows, BATCH)))


def art_batches(arm: str, seed: int) -> list[np.ndarray]:
    """What an arm learns between its two parts of text: full batches (B, CONTEXT + 1) of drawings, or none."""
    rows = art_rows(seed)
    rows = rows[passes(rows)] if arm == "filtered" else rows[: 0 if arm == "text alone" else None]
    return list(rows[: len(rows) // BATCH * BATCH].reshape(-1, BATCH, rows.shape[1]))


def lessons(arm: str, seed: int) -> Iterator[np.ndarray | None]:
    """The batch of every step, in order; None where an arm has nothing left of the drawings, and waits.

    So every arm learns the same number of batches of text, and a step's number means the same in all of them.

    Raises ValueError for an arm that is not among ARMS.
    """
    if arm not in ARMS:
        raise ValueError(f"the arms are {', '.join(ARMS)}, not {arm!r}")
    text, art = text_batches(seed, arm == "filtered"), art_batches(arm, seed)
    yield from islice(text, BEFORE)
    yield from art + [None] * (ART - len(art))
    yield from islice(text, AFTER)


@partial(jax.jit, static_argnames="design", compiler_options=training.QUICK_COMPILATION)
def step(design: Design, parameters: Parameters, memory, rows: Array, rate: Array, limit: Array):
    """One step on rows (B, T + 1): the new parameters, the optimiser's memory, and the norm of the gradient.

    A gradient longer than `limit` is shortened to it; the norm is that before.
    """
    scores = partial(model.scores, design=design)
    gradients = jax.grad(lambda parameters: learning.surprise(scores, parameters, rows).mean())(parameters)
    norm = jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients.values()))
    gradients = {name: gradient * jnp.minimum(1, limit / norm) for name, gradient in gradients.items()}
    change = training.muon_and_adam if design.optimiser == "muon" else learning.adam
    return *change(parameters, gradients, memory, rate), norm


@partial(jax.jit, static_argnames="design", compiler_options=training.QUICK_COMPILATION)
def judge(design: Design, parameters: Parameters, windows: Array, sign: Array) -> tuple[Array, Array]:
    """The loss on windows (N, T + 1) in nats a character, and the mean probability that the model gives a sign."""
    scores = model.scores(parameters, windows[:, :-1], design)
    chosen = jnp.take_along_axis(scores, windows[:, 1:, None], axis=-1)[..., 0]
    return jnp.mean(jax.nn.logsumexp(scores, axis=-1) - chosen), jnp.mean(jax.nn.softmax(scores)[..., sign])


def marks() -> list[int]:
    """The numbers of steps after which a run is measured: every tenth, and every one around the drawings.

    >>> marks()[28:34], marks()[-1]
    ([290, 295, 296, 297, 298, 299], 640)
    """
    watched = range(WATCHED[0], WATCHED[1] + 1)
    return [after for after in range(1, BEFORE + ART + AFTER + 1) if after % 10 == 0 or after in watched]


def limit_of(arm: str, norms: list[float]) -> float:
    """The longest gradient that an arm allows after gradients of these norms.

    >>> limit_of("clipped", [1.0] * 50 + [3.0] * 40), limit_of("art", [1.0])
    (2.0, inf)
    """
    return CLIPPED_AT * float(np.median(norms[-NORMS:])) if arm == "clipped" and len(norms) >= WARM_UP else np.inf


def train(
    design: Design, arm: str, seed: int, rate: float, steps: int | None = None
) -> tuple[Parameters, list[tuple[float, float, float]]]:
    """The parameters after all steps, or so many, and at each of `marks` the loss on text, the gradient's norm, P("#").

    Loss and probability are of few windows of held-out text, always the same; the norm is the step's own.
    """
    characters = texts.documentation().characters
    windows = learning.spread(texts.documentation().held_out, WINDOWS)[::FEW]
    hash_sign = characters.index("#")
    parameters = model.parameters(jax.random.key(seed), len(characters), design)
    memory, norms, found = learning.memory(parameters, design.optimiser), [], []
    for after, rows in enumerate(islice(lessons(arm, seed), steps), 1):
        if rows is not None:
            now = rate * min(1.0, (len(norms) + 1) / WARM_UP)
            limit = limit_of(arm, norms)
            parameters, memory, norm = step(design, parameters, memory, rows, np.float32(now), np.float32(limit))
            norms.append(float(norm))
        if after in marks():
            if rows is not None:
                loss, hashes = map(float, judge(design, parameters, windows, hash_sign))
            found.append((loss, norms[-1], hashes))
    return parameters, found


def text_loss(design: Design, parameters: Parameters, part: str = "held_out") -> float:
    """Nats a character over windows from all of a part of the documentation."""
    windows = learning.spread(getattr(texts.documentation(), part), WINDOWS)
    return float(np.mean([judge(design, parameters, windows[first::FEW], 0)[0] for first in range(FEW)]))


def measure(system: str, arm: str, times: int, seed: int) -> Row:
    """One run at so many times the tuned rate: its loss AFTER steps after the drawings, and its way there at `marks`.

    `false_alarms` is the share of text rows that the filter drops, `let_through` that of the drawings' rows which the
    model learns from.
    """
    rate = times * rates.best("shock", system).rate
    parameters, found = train(DESIGNS[system], arm, seed, rate)
    losses, norms, hashes = zip(*found, strict=True)
    text = texts.rows(texts.documentation().training)
    return {
        "rate": rate,
        "loss": round(text_loss(DESIGNS[system], parameters), 4),
        "false_alarms": round(float(1 - passes(text).mean()), 4) if arm == "filtered" else 0.0,
        "let_through": round(len(art_batches(arm, seed)) / ART, 4),
        "losses": " ".join(f"{loss:.4f}" for loss in losses),
        "norms": " ".join(f"{norm:.3g}" for norm in norms),
        "hashes": " ".join(f"{share:.3g}" for share in hashes),
    }


def series(row: Row, column: str) -> np.ndarray:
    """The numbers at each of `marks` that a recorded row keeps in "losses", "norms" or "hashes".

    >>> series({"losses": "2.5 2.25"}, "losses")
    array([2.5 , 2.25])
    """
    return np.array([float(number) for number in str(row[column]).split()])


def tune(system: str, rate: float) -> Row:
    """The development loss after the first part of text, with a seed that no measurement uses."""
    parameters, _ = train(DESIGNS[system], "text alone", 100, rate, steps=BEFORE)
    return {"development": round(text_loss(DESIGNS[system], parameters, "development"), 4)}
