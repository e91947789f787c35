"""What a measurement needs: the run's seed, what the process has used so far, and how sure a result is."""

import os
import platform
import re
import subprocess
import sys
import timeit
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import psutil
from scipy import stats

MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def seed() -> int:
    """The seed of this run: the environment variable TALKS_SEED, or 0.

    `python3 -m helpers replicate` sets it, so that a lesson can be run again under other seeds.

    >>> seed()
    0

    Raises ValueError if the variable holds anything but a whole number from 0 up.
    """
    text = os.environ.get("TALKS_SEED", "0")
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"TALKS_SEED must be a whole number such as 0 or 7, not {text!r}.")
    return int(text)


def processor_seconds() -> float:
    """Processor time of this process and of its children, whether they have ended or still run, in seconds."""
    used = sum(os.times()[:4])
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            used += sum(child.cpu_times()[:4])
    return used


def peak_memory() -> int:
    """The most memory that this process has held at once, in bytes."""
    if sys.platform == "linux":  # ru_maxrss would count the parent's memory too, at the moment of the fork
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def seconds(function: Callable, *arguments, repeats: int = 5, at_least: float = 0.2) -> np.ndarray:
    """Wall time of one call of function(*arguments), in seconds, measured so many times: (repeats,).

    One call goes first and is not counted: it may compile. Each measurement waits for JAX's result, and calls a
    quick function again and again until `at_least` seconds have passed, so that the clock can tell. The smallest of
    them is the one least disturbed by the machine's other work.

    >>> slow, quick = seconds(sum, range(100_000)).min(), seconds(sum, range(1_000)).min()
    >>> bool(slow > quick)
    True
    """

    def call() -> None:
        result = function(*arguments)
        if isinstance(result, jax.Array):
            result.block_until_ready()
        elif not _plain(result):
            jax.block_until_ready(result)

    call()
    timer = timeit.Timer(call)
    calls, first = 1, timer.timeit(1)
    while first < at_least:
        calls *= 3
        first = timer.timeit(calls)
    return np.array([first, *timer.repeat(repeats - 1, calls)]) / calls


def _plain(result: object) -> bool:
    """Whether a result is of Python or NumPy alone: to look for JAX's arrays in a long list would take longer than
    to make it."""
    while type(result) is list and result:
        result = result[0]
    return isinstance(result, (int, float, str, list, np.ndarray, np.generic, type(None)))


def peak_flops(size: int | None = None, dtype: str = "float32", repeats: int = 5) -> float:
    """The most operations a second that JAX reaches here: a product of two matrices (size, size), in FLOP/s.

    A product of n x n matrices takes n multiplications and n additions for each of its n x n numbers. Without a size
    it is 1,024 (12 MB of float32), or 8,192 (0.8 GB) where JAX finds a GPU or a TPU. The fastest of the repeats counts.

    >>> bool(peak_flops(256, repeats=2) > 1e7)
    True

    Raises ValueError for a size below 1 or above 16,384, which would take more memory than most machines can spare.
    """
    size = size or (1_024 if jax.default_backend() == "cpu" else 8_192)
    if not 1 <= size <= 16_384:
        raise ValueError(f"The matrices' size must be from 1 to 16,384, not {size}.")
    matrix = jnp.full((size, size), 0.5, dtype)
    return 2 * size**3 / float(seconds(jax.jit(jnp.matmul), matrix, matrix, repeats=repeats, at_least=0.05).min())


def bandwidth(megabytes: int | None = None, repeats: int = 5) -> float:
    """How many bytes a second go between memory and processor: y + x / 2 for two long arrays, in bytes/s.

    Each array of float32 has so many megabytes: 64, or 1,024 where JAX finds a GPU or a TPU. Two arrays are read and
    one is written, in the place of y: a fresh one would have to be asked for from the system, which takes longer
    than filling it. Arrays that fit in the processor's cache would measure the cache. The fastest of the repeats
    counts. (The triad of McCalpin 1995, STREAM.)

    >>> bool(bandwidth(8, repeats=2) > 1e7)
    True

    Raises ValueError for fewer than 1 megabyte or more than 4,096, of which two arrays must find room.
    """
    megabytes = megabytes or (64 if jax.default_backend() == "cpu" else 1_024)
    if not 1 <= megabytes <= 4_096:
        raise ValueError(f"The arrays must have from 1 to 4,096 megabytes, not {megabytes}.")
    numbers = megabytes * 10**6 // 4
    x, place = jnp.zeros(numbers), [jnp.ones(numbers)]
    triad = jax.jit(lambda y, x: y + x / 2, donate_argnums=0)

    def turn() -> jax.Array:
        place[0] = triad(place[0], x)
        return place[0]

    return 3 * 4 * numbers / float(seconds(turn, repeats=repeats, at_least=0.05).min())


class Interval(NamedTuple):
    """What 95% of the draws lie between, and the middle one."""

    low: float
    middle: float
    high: float


def mean_interval(values: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean over seeds and the ends of its confidence interval (Student): values (..., seeds) -> three of (...).

    >>> [round(float(end), 2) for end in mean_interval(np.array([0.10, 0.12, 0.14]))]
    [0.12, 0.07, 0.17]

    Raises ValueError for fewer than two seeds: one value has no spread. (Student 1908.)
    """
    values = np.asarray(values, dtype=float)
    seeds = values.shape[-1] if values.ndim else 0
    if seeds < 2:
        raise ValueError(f"An interval needs at least two seeds, not {seeds}.")
    mean = values.mean(axis=-1)
    reach = stats.t.ppf((1 + level) / 2, seeds - 1) * values.std(axis=-1, ddof=1) / seeds**0.5
    return mean, mean - reach, mean + reach


def bootstrap_ratio(parts: np.ndarray, wholes: np.ndarray, seed: int, level: float = 0.95) -> tuple[float, float]:
    """Ends of the confidence interval of sum(parts) / sum(wholes) when the items are drawn again: two arrays (items,).

    A thousand draws of as many items, with replacement; the percentiles of the thousand ratios. (Efron 1979.)

    >>> low, high = bootstrap_ratio(np.array([1, 0, 1, 0] * 100), np.ones(400), seed=0)
    >>> 0.4 < low < 0.5 < high < 0.6
    True
    """
    found = stats.bootstrap(
        (np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)),
        lambda part, whole, axis: part.sum(axis=axis) / whole.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=1000,
        batch=100,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def crossing(amounts, first, second) -> float | None:
    """The amount at which the curve `second` first drops below `first`; None where it never does.

    amounts (n,) rise; between measured amounts both curves are straight lines against the logarithm of the amount.

    >>> crossing([10, 1000], [0.5, 0.5], [0.6, 0.4])
    100.0
    >>> crossing([10, 1000], [0.5, 0.5], [0.6, 0.55]) is None
    True
    """
    gap = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    for i in range(1, len(gap)):
        if gap[i - 1] >= 0 > gap[i]:
            share = gap[i - 1] / (gap[i - 1] - gap[i])
            logs = np.log([amounts[i - 1], amounts[i]])
            return float(np.exp(logs[0] + share * (logs[1] - logs[0])).round(9))
    return None


def machine() -> str:
    """The processor's name and how many cores this process may use, such as "AMD EPYC 7B13, 2 cores"."""
    return f"{_processor()}, {cores()} cores"


def cores() -> int:
    """How many of the processor's cores this process may use.

    >>> cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory(limits: Sequence[str | Path] = MEMORY_LIMITS) -> int:
    """How many bytes of memory this process may use: the machine's, or less where a container's limit says so.

    limits are the files in which Linux keeps such a limit (of the second version of its control groups, and the first).

    >>> memory() > 10**8
    True
    """
    told = [path.read_text().strip() for path in map(Path, limits) if path.is_file()]
    return min([psutil.virtual_memory().total, *(int(limit) for limit in told if limit.isdigit())])


def _processor() -> str:
    if sys.platform == "linux":
        named = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        return named[1] if named else platform.machine()
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or platform.machine()
    return platform.processor() or platform.machine()
