"""Jobs that lesson 1.3 times in three ways: a Python loop, NumPy, and compiled by JAX."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Job(NamedTuple):
    """One job in three ways. `loop` takes no argument and does one of `pieces` equal pieces of the whole;
    `by_numpy` and `compiled` take the `inputs` and do the whole."""

    loop: Callable
    pieces: float
    by_numpy: Callable
    compiled: Callable
    inputs: tuple[np.ndarray, ...]


def drawn(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers of float32 from 0 to 1, drawn anew.

    >>> drawn(np.random.default_rng(0), 2, 3).shape
    (2, 3)
    """
    return rng.random(shape, np.float32)


def blur(n: int, rng: np.random.Generator) -> Job:
    """Each pixel of n x n becomes the mean of the 7 x 7 around it; of 3 x 3 in a picture of at most 100 x 100."""
    width = 7 if n > 100 else 3
    picture = drawn(rng, n + width - 1, n + width - 1)
    rows, shifts = picture[:width].tolist(), [(i, j) for i in range(width) for j in range(width)]

    def one_row() -> list[float]:
        return [sum(rows[i][x + j] for i, j in shifts) / len(shifts) for x in range(n)]

    def whole(picture):
        return sum(picture[i : i + n, j : j + n] for i, j in shifts) / len(shifts)

    return Job(one_row, n, whole, jax.jit(whole), (picture,))


def look_up(n: int, rng: np.random.Generator) -> Job:
    """y + table[places] / 2 at n random places of a table of n numbers."""
    table, y, places = drawn(rng, n), drawn(rng, n), rng.integers(n, size=n, dtype=np.int32)
    some, entries = list(zip(y[: 2**17].tolist(), places[: 2**17].tolist())), memoryview(table)

    def whole(table, y, places):
        return y + table[places] / 2

    return Job(
        lambda: [b + entries[at] / 2 for b, at in some], n / len(some), whole, jax.jit(whole), (table, y, places)
    )


def sorting(n: int, rng: np.random.Generator) -> Job:
    """n numbers in order."""
    x = drawn(rng, n)
    listed = x.tolist()
    return Job(lambda: sorted(listed), 1, np.sort, jax.jit(jnp.sort), (x,))


def collatz(n: int, rng: np.random.Generator) -> Job:
    """For each number from 1 to n: how many steps to 1, halving the even and taking 3 k + 1 of the odd."""
    start = np.arange(1, n + 1, dtype=np.int32)
    listed = start.tolist()
    return Job(lambda: [_steps(k) for k in listed], 1, _steps_by_numpy, jax.jit(_steps_by_jax), (start,))


def _steps(k: int) -> int:
    steps = 0
    while k != 1:
        k = 3 * k + 1 if k % 2 else k // 2
        steps += 1
    return steps


def _steps_by_numpy(k: np.ndarray) -> np.ndarray:
    k, steps, going = k.copy(), np.zeros_like(k), np.flatnonzero(k != 1)
    while len(going):
        now = k[going]
        k[going] = np.where(now % 2 == 1, 3 * now + 1, now // 2)
        steps[going] += 1
        going = going[k[going] != 1]
    return steps


def _steps_by_jax(k: jax.Array) -> jax.Array:
    def step(state):
        k, steps = state
        after = jnp.where(k % 2 == 1, 3 * k + 1, k // 2)
        return jnp.where(k == 1, 1, after), steps + (k != 1)

    return jax.lax.while_loop(lambda state: (state[0] != 1).any(), step, (k, jnp.zeros_like(k)))[1]
