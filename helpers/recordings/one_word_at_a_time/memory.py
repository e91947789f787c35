"""Lesson 2.2's test of memory: name the symbol that came before d steps of noise; and how far back a gradient reaches.

Letters for axes: B batch, T time (position), C channels (width), V vocabulary; parameters are plain trees.
"""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from helpers import data, models, recurrent, training
from helpers.models import Parameters
from helpers.recordings import Row
from helpers.recordings.one_word_at_a_time import race
from helpers.recordings.one_word_at_a_time.race import surprise
from helpers.training import QUICK_COMPILATION

SYMBOLS = NOISES = 8
VOCABULARY = SYMBOLS + NOISES + 1  # and the question
WIDTH, BATCH, STEPS, EVERY = 64, 32, 600, 50
SOLVED = 0.99
RATES = {"RNN": 0.03, "LSTM": 0.1, "LSTM that keeps": 0.1, "attention": 0.1}
KEEPS = 5.0  # the forget gates' bias at which an LSTM begins by keeping 99.3% at a step


def examples(random: np.random.Generator, distance: int, count: int = BATCH) -> tuple[np.ndarray, np.ndarray]:
    """A symbol, noise, and the question at `distance` steps from it: tokens (count, distance + 1), symbols (count,).

    >>> tokens, symbols = examples(np.random.default_rng(0), distance=4, count=2)
    >>> tokens.shape, bool((tokens[:, 0] == symbols).all()), tokens[:, -1].tolist()
    ((2, 5), True, [16, 16])
    """
    symbols = random.integers(SYMBOLS, size=(count, 1))
    noise = random.integers(SYMBOLS, SYMBOLS + NOISES, (count, distance - 1))
    question = np.full((count, 1), VOCABULARY - 1)
    return np.concatenate([symbols, noise, question], axis=1).astype(np.int32), symbols[:, 0].astype(np.int32)


def rnn_parameters(seed: int, vocabulary: int, width: int) -> Parameters:
    """Fresh parameters of a plain recurrent network; the recurrent matrix starts as a rotation, which keeps lengths.

    >>> matrix = rnn_parameters(0, 5, 4)["recurrent"]
    >>> bool(jnp.allclose(matrix @ matrix.T, jnp.eye(4), atol=1e-5))
    True
    """
    random = np.random.default_rng(seed)
    rotation = np.linalg.qr(random.standard_normal((width, width)))[0]
    return {
        "embedding": jnp.asarray(random.standard_normal((vocabulary, width), np.float32) * width**-0.5),
        "recurrent": jnp.asarray(rotation, jnp.float32),
        "bias": jnp.zeros(width),
        "head": jnp.zeros((width, vocabulary)),
    }


def rnn(parameters: Parameters, tokens: Array) -> Array:
    """Scores (logits) of each next token by a plain recurrent network: tokens (B, T) -> (B, T, V). (Elman 1990.)"""

    def step(said: Array, x: Array) -> tuple[Array, Array]:
        said = jnp.tanh(x + said @ parameters["recurrent"] + parameters["bias"])
        return said, said

    inputs = parameters["embedding"][tokens.T]  # (T, B, C)
    return (jax.lax.scan(step, jnp.zeros_like(inputs[0]), inputs)[1] @ parameters["head"]).swapaxes(0, 1)


MODELS = {"RNN": rnn, "LSTM": recurrent.lstm, "LSTM that keeps": recurrent.lstm, "attention": models.transformer}


def fresh(system: str, seed: int, vocabulary: int = VOCABULARY, width: int = WIDTH) -> Parameters:
    """The parameters of one of MODELS before the first step: a layer, or two of attention.

    >>> fresh("LSTM that keeps", seed=0)["bias"][0, 64:66].tolist()
    [5.0, 5.0]
    """
    if system == "RNN":
        return rnn_parameters(seed, vocabulary, width)
    if system == "attention":
        return models.transformer_parameters(jax.random.key(seed), vocabulary, width, layers=2, heads=2)
    parameters = recurrent.lstm_parameters(jax.random.key(seed), vocabulary, width)
    if system == "LSTM that keeps":
        parameters["bias"] = parameters["bias"].at[:, width : 2 * width].set(KEEPS)
    return parameters


def loss_at_end(system: str, parameters: Parameters, tokens: Array, symbols: Array) -> Array:
    """The mean surprise, in nats, of what is asked for after the last token: tokens (B, T), symbols (B,) -> ()."""
    return jnp.mean(surprise(MODELS[system](parameters, tokens)[:, -1], symbols))


loss_of = {system: partial(loss_at_end, system) for system in MODELS}


@partial(jax.jit, static_argnums=0, compiler_options=QUICK_COMPILATION)
def right(system: str, parameters: Parameters, tokens: Array, symbols: Array) -> Array:
    """The share of symbols named right: tokens (B, T), symbols (B,) -> ()."""
    return jnp.mean(jnp.argmax(MODELS[system](parameters, tokens)[:, -1, :SYMBOLS], axis=-1) == symbols)


def recall(system: str, distance: int, seed: int, steps: int = STEPS, rate: float | None = None) -> Row:
    """Trains one system to name the symbol from so many steps back: after how many steps it can, and how well.

    Training ends as soon as 99% of 256 fresh examples are right, and after `steps` at the latest.
    """
    parameters, rate = fresh(system, seed), rate or RATES[system]
    optimiser, random = training.new_optimiser(parameters), np.random.default_rng(seed)
    test = examples(np.random.default_rng(1_000_000 + seed), distance, 256)
    for step in range(1, steps + 1):
        now = rate * min(1.0, step / 20) * (1 - (step - 1) / steps)
        batch = examples(random, distance)
        parameters, optimiser, _ = training.training_step(loss_of[system], parameters, optimiser, batch, now)
        if step % EVERY == 0 and (share := float(right(system, parameters, *test))) >= SOLVED:
            break
    return {"steps": step, "right": round(share, 4)}


def reach(system: str, parameters: Parameters, tokens: Array, targets: Array) -> Array:
    """How strongly the loss at the end of each text depends on each input: tokens (N, T), targets (N,) -> (N, T).

    The norm of the gradient of the surprise at `targets` by the embedding of each token; the last column is the last
    token read, 0 steps back.
    """

    def norms(row: Array, target: Array) -> Array:
        def loss(inputs):  # every place has its own row of the embedding, so that the gradient tells them apart
            places = jnp.arange(len(row))[None]
            return surprise(MODELS[system](parameters | {"embedding": inputs}, places)[0, -1], target)

        return jnp.linalg.norm(jax.grad(loss)(parameters["embedding"][row]), axis=-1)

    return jax.vmap(norms)(tokens, targets)


def stirred(parameters: Parameters, seed: int) -> Parameters:
    """Fresh parameters with every array that starts at zero drawn at random, biases apart: else no gradient passes."""
    random = np.random.default_rng(seed)
    return {
        name: jnp.asarray(random.standard_normal(array.shape, np.float32) * array.shape[-2] ** -0.5)
        if name != "bias" and not np.asarray(array).any()
        else array
        for name, array in parameters.items()
    }


TRAINED = 400  # steps of TEXTS texts of 128 characters
TEXTS = 8
TEXT_RATES = {"RNN": 0.02, "LSTM": 0.05, "LSTM that keeps": 0.05, "attention": 0.03}


def next_token_loss(system: str, parameters: Parameters, tokens: Array) -> Array:
    """The mean surprise, in nats, of each token after the first given those before it: tokens (B, T + 1) -> ()."""
    return jnp.mean(surprise(MODELS[system](parameters, tokens[:, :-1]), tokens[:, 1:]))


loss_on_text = {system: partial(next_token_loss, system) for system in MODELS}


def on_text(system: str, trained: int, seed: int) -> Parameters:
    """A system of width 128 at its random start (nothing zero in it), or after `trained` steps on the race's text."""
    tokens, *_, characters = data.library_text()
    parameters = fresh(system, seed, len(characters), width=128)
    if not trained:
        return stirred(parameters, seed)
    optimiser = training.new_optimiser(parameters)
    for step, batch in enumerate(race.rows(tokens, TEXTS, race.READ, seed), 1):
        rate = TEXT_RATES[system] * min(1.0, step / 20) * (1 - (step - 1) / trained)
        parameters, optimiser, _ = training.training_step(loss_on_text[system], parameters, optimiser, (batch,), rate)
        if step == trained:
            return parameters


@lru_cache(1)
def _reach(system: str, trained: int, seed: int) -> np.ndarray:
    texts = race.pieces(data.library_text().held_out, 64)
    norms = jax.jit(reach, static_argnums=0)(system, on_text(system, trained, seed), texts[:, :-1], texts[:, -1])
    return np.exp(np.log(np.asarray(norms, float) + 1e-30).mean(axis=0))[::-1]


def reach_back(system: str, trained: int, seed: int, distance: int) -> Row:
    """The gradient at the input so many steps before the last, the geometric mean over 64 held-out texts."""
    return {"gradient": float(f"{_reach(system, trained, seed)[distance]:.4g}")}
