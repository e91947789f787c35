"""Lesson 2.2's stopwatch: the time to read a text and answer, and the time for each answer after it.

Letters for axes: B batch, T time (position), C channels (width), H heads, V vocabulary; parameters are plain trees.
"""

from collections.abc import Callable
from functools import cache
from itertools import count
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from helpers import models, recurrent
from helpers.models import Parameters
from helpers.recordings import Row
from helpers.recordings.one_word_at_a_time import memory, race

VOCABULARY = 101
REACH = 16  # characters that the window model sees
SYSTEMS = ("RNN", "LSTM", "attention", "window")
NUMBERS = (400_000, 1_600_000, 6_400_000, 25_600_000)
LENGTHS = (16, 64, 256, 1024)
BEFORE = (64, 256, 1024, 4096)  # characters read before the next answer is timed
STEP = 8  # widths are multiples of it


def parameters_of(system: str, width: int, seed: int = 0) -> Parameters:
    """Fresh parameters, one recurrent layer, four of attention, two of the window model."""
    if system == "RNN":
        return memory.rnn_parameters(seed, VOCABULARY, width)
    if system == "LSTM":
        return recurrent.lstm_parameters(jax.random.key(seed), VOCABULARY, width)
    if system == "attention":
        return models.transformer_parameters(jax.random.key(seed), VOCABULARY, width, layers=4, heads=4)
    return race.window_parameters(seed, VOCABULARY, race.Window(REACH, width))


def numbers_in(system: str, width: int) -> int:
    """How many numbers the parameters of a system hold.

    >>> numbers_in("LSTM", 8) == sum(array.size for array in parameters_of("LSTM", 8).values())
    True
    """
    ends = 2 * VOCABULARY * width
    return {
        "RNN": width**2 + width + ends,
        "LSTM": 8 * width**2 + 4 * width + ends,
        "attention": 48 * width**2 + 16 + ends,
        "window": width**2 + (24 * REACH + 2 + VOCABULARY) * width + 24 * VOCABULARY,
    }[system]


def width_for(system: str, numbers: int) -> int:
    """The width, a multiple of 8, with which a system has about so many numbers.

    >>> [width_for(system, 400_000) for system in SYSTEMS]
    [536, 208, 88, 432]
    """
    return min(range(STEP, 20_000, STEP), key=lambda width: abs(numbers_in(system, width) - numbers))


def answer(system: str, parameters: Parameters, tokens: Array) -> Array:
    """Scores of the token that follows a text: tokens (T,) -> (V,). The window model looks at the last 16 alone."""
    if system == "window":
        return race.window_model(parameters, tokens[None, -REACH:])[0]
    model = {"RNN": memory.rnn, "LSTM": recurrent.lstm, "attention": models.transformer}[system]
    return model(parameters, tokens[None])[0, -1]


def remembered(system: str, parameters: Parameters, tokens: Array):
    """What a system keeps of a text (T,) to go on from: a state, or for attention the keys and values of all of it."""
    if system == "LSTM":
        return recurrent.read_on(parameters, tokens[None], recurrent.empty_memory(parameters, 1))[1]
    mask = models.visible(len(tokens))
    x, kept = models.normalise(parameters["embedding"][tokens][None]), []
    for layer in models.layers(parameters):
        query, key, value = models.query_key_value(layer, x)
        x = models.attend(layer, x, query, key, value, mask)[0]
        kept.append((key, value))
    return kept


def answer_next(system: str, parameters: Parameters, token: Array, kept, position: int) -> Array:
    """Scores of the token after one more, token (), at a position counted from 0: (V,), with what was remembered."""
    if system == "LSTM":
        return recurrent.read_on(parameters, token[None, None], kept)[0][0, -1]
    x = models.normalise(parameters["embedding"][token][None, None])
    for layer, (keys, values) in zip(models.layers(parameters), kept, strict=True):
        query, key, value = models.query_key_value(layer, x, jnp.full(1, position))
        keys, values = jnp.concatenate([keys, key], axis=1), jnp.concatenate([values, value], axis=1)
        x = models.attend(layer, x, query, keys, values, True)[0]
    return (models.normalise(x) @ parameters["head"])[0, 0]


@cache
def _ready(task: str, system: str, numbers: int, length: int) -> Callable[[], Array]:
    """The task as a function without arguments, compiled and called once."""
    parameters = parameters_of(system, width_for(system, numbers))
    tokens = jnp.asarray(np.random.default_rng(0).integers(VOCABULARY, size=length))
    function, arguments = jax.jit(answer, static_argnums=0), (system, parameters, tokens)
    if task == "answer next":
        kept = remembered(system, parameters, tokens)
        function, arguments = jax.jit(answer_next, static_argnums=0), (system, parameters, tokens[0], kept, length)
    call = lambda: function(*arguments).block_until_ready()  # noqa: E731
    call()
    return call


def clocked(task: str, system: str, numbers: int, length: int, repeat: int = 0) -> Row:
    """Seconds to "read and answer", or to "answer next" after so long a text: the least of many calls; on all cores."""
    call, least = _ready(task, system, numbers, length), float("inf")
    until = perf_counter() + 0.05
    for number in count():
        begun = perf_counter()
        if number >= 3 and begun > until:
            return {"seconds": float(f"{least:.4g}")}
        call()
        least = min(least, perf_counter() - begun)
