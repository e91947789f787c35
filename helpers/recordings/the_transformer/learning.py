"""Training any of lesson 2.4's models for a number of steps, and measuring its loss."""

from collections.abc import Callable, Hashable, Iterator
from functools import cache, partial
from time import process_time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from helpers import data, training
from helpers.models import Parameters

BATCH = 16
WARM_UP = 0.05  # of the steps, in which the rate rises
LIBRARIES = "library source"  # six libraries, split by whole files

Scores = Callable[[Parameters, Array], Array]


@cache
def parts(name: str = "python source") -> data.Text:
    """One of the course's texts: eight tenths, one and one, as they follow each other; LIBRARIES by whole files.

    >>> [round(len(part), -5) for part in parts()[:3]]
    [2300000, 300000, 300000]
    """
    if name == LIBRARIES:
        found = data.library_text()
        return data.Text(*map(np.int32, found[:3]), found.characters)
    text = data.text(name)
    characters = training.alphabet(text)
    tokens = training.encode(text, characters)
    return data.Text(*np.split(tokens, [len(tokens) * 8 // 10, len(tokens) * 9 // 10]), characters)


class Adam(NamedTuple):
    """What Adam remembers: how many steps there were, and the running means of gradients and of their squares."""

    steps: Array
    mean: Parameters
    square: Parameters


def adam(parameters: Parameters, gradients: Parameters, memory: Adam, rate: Array) -> tuple[Parameters, Adam]:
    """One step of Adam (Kingma and Ba 2015): every number moves by about `rate`."""
    steps = memory.steps + 1
    mean = {name: 0.9 * memory.mean[name] + 0.1 * gradients[name] for name in parameters}
    square = {name: 0.95 * memory.square[name] + 0.05 * jnp.square(gradients[name]) for name in parameters}

    def moved(name: str) -> Array:
        spread = jnp.sqrt(square[name] / (1 - 0.95**steps)) + 1e-8
        return parameters[name] - rate * mean[name] / (1 - 0.9**steps) / spread

    return {name: moved(name) for name in parameters}, Adam(steps, mean, square)


def memory(parameters: Parameters, optimiser: str) -> Adam | training.Optimiser:
    """The memory of "adam" or "muon" before the first step."""
    if optimiser == "muon":
        return training.new_optimiser(parameters)
    zeros = {name: np.zeros(array.shape, np.float32) for name, array in parameters.items()}
    return Adam(np.int32(0), zeros, dict(zeros))


@partial(jax.jit, static_argnames=("scores", "optimiser"), compiler_options=training.QUICK_COMPILATION)
def step(scores: Scores, optimiser: str, parameters: Parameters, memory, tokens: Array, rate: Array):
    """One step of training on tokens (B, T + 1): the new parameters and the optimiser's new memory."""
    gradients = jax.grad(lambda parameters: surprise(scores, parameters, tokens).mean())(parameters)
    return (training.muon_and_adam if optimiser == "muon" else adam)(parameters, gradients, memory, rate)


def surprise(scores: Scores, parameters: Parameters, tokens: Array) -> Array:
    """-log of the probability of each token after the first: tokens (B, T + 1) -> nats (B, T)."""
    found = scores(parameters, tokens[:, :-1])
    chosen = jnp.take_along_axis(found, tokens[:, 1:, None], axis=-1)[..., 0]
    return jax.nn.logsumexp(found, axis=-1) - chosen


def train(
    scores: Scores,
    parameters: Parameters,
    batches: Iterator[tuple[np.ndarray]],
    steps: int,
    rate: float,
    optimiser: str,
    progress: Callable = iter,
) -> Parameters:
    """The parameters after so many steps; the rate rises over the first twentieth and falls to zero at the end."""
    training.keep_freed_memory()
    state = memory(parameters, optimiser)
    for number in progress(range(steps)):
        now = rate * min((number + 1) / max(1, WARM_UP * steps), 1 - (number + 0.5) / steps)
        parameters, state = step(scores, optimiser, parameters, state, next(batches)[0], np.float32(now))
        if number % 50 == 0:
            jax.block_until_ready(parameters)  # so that a bar shows what is done, not what is asked for
    return parameters


def step_milliseconds(runs: dict[Hashable, tuple], rounds: int) -> dict[Hashable, float]:
    """Processor time of one `step` with each of these arguments: all in turn, ten steps each, the least of the rounds.

        step_milliseconds({"plain": (scores, "muon", parameters, memory(parameters, "muon"), tokens, rate)}, rounds=6)

    On however many cores: their times are added up.
    """
    for arguments in runs.values():
        jax.block_until_ready(step(*arguments))  # compiled, so that no round pays for it
    least = dict.fromkeys(runs, np.inf)
    for _ in range(rounds):
        for name, arguments in runs.items():
            begun = process_time()
            for _ in range(10):
                jax.block_until_ready(step(*arguments))
            least[name] = min(100 * (process_time() - begun), least[name])
    return least


def loss(scores: Scores, parameters: Parameters, tokens: np.ndarray) -> float:
    """Nats a character over windows from all of a part of the text, each character seen with at most 63 before it."""
    return loss_over(scores, parameters, spread(tokens))


def loss_over(scores: Scores, parameters: Parameters, windows: np.ndarray) -> float:
    """The mean surprise, in nats, at each token after the first of these windows (N, T + 1)."""
    sums = [_total(scores, parameters, windows[first : first + 64]) for first in range(0, len(windows), 64)]
    return sum(map(float, sums)) / windows[:, 1:].size


def spread(tokens: np.ndarray, count: int = 1024) -> np.ndarray:
    """Windows of a text, evenly spread over it: tokens (T,) -> (count, CONTEXT + 1).

    The first characters of a part would be those of one file alone.

    >>> spread(np.arange(1000), count=3)[:, [0, -1]].tolist()
    [[0, 64], [467, 531], [935, 999]]
    """
    starts = np.linspace(0, len(tokens) - training.CONTEXT - 1, count).astype(int)
    return tokens[starts[:, None] + np.arange(training.CONTEXT + 1)]


@partial(jax.jit, static_argnames="scores", compiler_options=training.QUICK_COMPILATION)
def _total(scores: Scores, parameters: Parameters, tokens: Array) -> Array:
    return jnp.sum(surprise(scores, parameters, tokens))
