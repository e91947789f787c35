"""Training: an optimiser, a loop that can be stopped at any time, and a language model of characters.

Letters for axes: B batch, T time (position), V vocabulary; parameters are the plain trees of helpers.models.
"""

import ctypes
import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Thread
from time import perf_counter
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from tqdm.auto import tqdm

from helpers import interrupts, models
from helpers.models import Parameters

CONTEXT = 64
BATCH = 12
STEPS = 240
SHORTEST_TEXT = 10 * (CONTEXT + 1)
QUICK_COMPILATION = {"xla_cpu_use_fusion_emitters": False}  # a quarter sooner compiled, and no slower to run


def keep_freed_memory() -> None:
    """Ask the C library to keep the memory that one training step frees for the next (Linux with glibc alone).

    By default glibc gives every block over 32 MB back to the system and fetches each of its pages anew at the next
    step: a quarter of the time of a step of the character model (mallopt(3), M_MMAP_THRESHOLD, M_TRIM_THRESHOLD).
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(-3, 2**30)
        library.mallopt(-1, 2**31 - 1)


def give_back_memory() -> None:
    """Forget JAX's compiled programs, and give freed memory back to the system (the latter on Linux with glibc alone).

    For a lesson that trains in one part and measures in another: without it the freed memory of the first stays with
    the process, in pieces too small for the second (malloc_trim(3)). What is compiled is compiled again when called.
    """
    jax.clear_caches()
    gc.unfreeze()  # what `widgets.explore` has set aside
    gc.collect()
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)


class Point(NamedTuple):
    """One measurement of a training run: seconds and steps since its start, and the validation loss then."""

    seconds: float
    steps: int
    loss: float


class Optimiser(NamedTuple):
    """What the optimiser remembers between steps: how many there were, and running means of the gradients.

    Their squares' means are kept for the arrays that are not stacks of matrices (those with three axes).
    """

    steps: Array
    mean: Parameters
    square: Parameters


def new_optimiser(parameters: Parameters) -> Optimiser:
    """The optimiser's memory before the first step.

    >>> int(new_optimiser({"head": jnp.ones((2, 3))}).steps)
    0
    """
    mean = {name: np.zeros(array.shape, array.dtype) for name, array in parameters.items()}  # nothing to compile
    square = {name: array for name, array in mean.items() if array.ndim != 3}
    return Optimiser(np.int32(0), mean, square)


def muon_and_adam(
    parameters: Parameters, gradients: Parameters, optimiser: Optimiser, rate: float
) -> tuple[Parameters, Optimiser]:
    """One step downhill: Muon for the stacks of matrices (arrays with three axes), Adam for everything else.

    `rate` is Muon's step, the size of each singular value of the change; Adam's step is 0.4 of it.
    (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; Kingma and Ba 2015.)
    """
    steps = optimiser.steps + 1
    mean = {name: 0.9 * optimiser.mean[name] + 0.1 * gradients[name] for name in parameters}
    square = {name: 0.95 * old + 0.05 * jnp.square(gradients[name]) for name, old in optimiser.square.items()}
    change = orthogonal({name: 0.9 * mean[name] + 0.1 * gradients[name] for name in parameters if name not in square})
    for name in square:
        spread = jnp.sqrt(square[name] / (1 - 0.95**steps))
        change[name] = 0.4 * mean[name] / (1 - 0.9**steps) / (spread + 1e-8)
    return {name: parameters[name] - rate * change[name] for name in parameters}, Optimiser(steps, mean, square)


def orthogonal(stacks: Parameters) -> Parameters:
    """Every matrix M = U S V^T of the stacks (N, rows, columns) replaced by about U V^T.

    The singular values come out between 0.7 and 1.2, which is near enough for training. Matrices of one shape go
    through the Newton-Schulz iteration together, lying on their longer side (Jordan et al. 2024).

    >>> orthogonal({"up": jnp.array([[[3.0, 0.0], [0.0, 4.0]]])})["up"].round().tolist()
    [[[1.0, 0.0], [0.0, 1.0]]]
    """
    lying = {name: a if a.shape[1] <= a.shape[2] else a.mT for name, a in stacks.items()}
    result = {}
    for shape in sorted({a.shape[1:] for a in lying.values()}):
        names = sorted(name for name, a in lying.items() if a.shape[1:] == shape)
        done = _newton_schulz(jnp.concatenate([lying[name] for name in names]))
        parts = jnp.split(done, np.cumsum([len(lying[name]) for name in names])[:-1])
        result |= dict(zip(names, parts, strict=True))
    return {name: result[name] if lying[name] is a else result[name].mT for name, a in stacks.items()}


def _newton_schulz(matrices: Array) -> Array:
    x = matrices / (jnp.linalg.norm(matrices, axis=(1, 2), keepdims=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (2.0315 * a @ a - 4.775 * a) @ x
    return x


@partial(jax.jit, static_argnames="loss", compiler_options=QUICK_COMPILATION)
def training_step(
    loss: Callable[..., Array], parameters: Parameters, optimiser: Optimiser, batch: tuple[Array, ...], rate: float
) -> tuple[Parameters, Optimiser, Array]:
    """One step of training: the parameters and optimiser after it, and the batch's loss before it.

    Compiled once for each loss function and batch shape; nothing is changed in place, so that an interruption
    leaves whole parameters behind.
    """
    value, gradients = jax.value_and_grad(loss)(parameters, *batch)
    return *muon_and_adam(parameters, gradients, optimiser, rate), value


def fit(
    loss: Callable[..., Array],
    parameters: Parameters,
    batches: Iterable[tuple[Array, ...]],
    validate: Callable[[Parameters], float],
    *,
    steps: int | None = None,
    seconds: float | None = None,
    target: float | None = None,
    patience: int | None = None,
    every: int = 100,
    rate: float = 0.05,
    whole: bool = False,
) -> tuple[Parameters, list[Point]]:
    """The parameters with the least validation loss on the way down `loss(parameters, *batch)`, and the way.

    The rate falls in a straight line to zero over `steps` or `seconds` (compilation included), and there training
    ends. With a `target` it ends as soon as the validation loss is at most that; if it is not after `steps`, the
    rate starts again for twice as many, until such a cycle brings nothing better. The validation loss is measured
    after `every` steps and at the end; `patience` is how many measurements without a better one end training.
    Stopping the kernel (KeyboardInterrupt) returns the best parameters so far and says so; with `whole`, for what is
    measured or recorded, it ends the caller too: half a run would be taken for all of it. With a budget in steps alone,
    the same arguments give the same result.

    >>> parabola = lambda parameters, x: jnp.sum((parameters["a"] - x) ** 2)
    >>> best, history = fit(parabola, {"a": jnp.zeros(2)}, [(1.0,)] * 90, lambda p: parabola(p, 1.0), steps=90)
    >>> history[-1].steps, history[-1].loss < 0.1
    (90, True)

    Raises ValueError when neither `steps` nor `seconds` is given, or when a budget is not positive.
    """
    budget, best = _Budget(steps, seconds), _Best(parameters, validate)
    keep_freed_memory()
    optimiser, step = new_optimiser(parameters), 0
    try:
        with tqdm(total=1, leave=False, bar_format="{percentage:3.0f}%|{bar}|{postfix}") as bar:
            for step, batch in enumerate(batches, 1):
                left = budget.left(step)
                parameters, optimiser, value = training_step(loss, parameters, optimiser, batch, rate * left)
                bar.set_postfix_str(f"step {step}, loss {value:.3f}", refresh=False)
                bar.update(1 - left - bar.n)
                over = budget.over(step, best.seconds)
                if over or step % every == 0:
                    best.measure(parameters, step, budget)
                if best.reached(target) or best.idle(patience) or (over and not (target and budget.extend(best))):
                    break
            else:
                best.measure(parameters, step, budget)  # the batches ran out
    except KeyboardInterrupt:
        if whole:
            raise
        interrupts.recover()
        best.measure(parameters, step, budget)
        print(
            f"Stopped by hand after {step} steps. These are the best parameters so far: "
            f"those of step {best.point.steps}, with a validation loss of {best.point.loss:.3f}."
        )
    return best.parameters, best.history


class _Budget:
    """How much of the steps and seconds is left; `first` and `last` are the steps between which the rate falls."""

    def __init__(self, steps: int | None, seconds: float | None):
        if steps is None and seconds is None:
            raise ValueError("training needs a budget: give steps, seconds or both")
        if min(steps or 1, seconds or 1) <= 0 or 0 in (steps, seconds):
            raise ValueError(f"a budget must be positive, not steps={steps}, seconds={seconds}")
        self.start, self.first, self.last, self.seconds = perf_counter(), 0, steps or np.inf, seconds or np.inf

    def elapsed(self) -> float:
        return perf_counter() - self.start

    def left(self, step: int) -> float:
        steps = 1 - (step - 0.5 - self.first) / (self.last - self.first)
        return max(0.0, min(steps, 1 - self.elapsed() / self.seconds))

    def over(self, step: int, reserve: float) -> bool:
        return step >= self.last or self.elapsed() + reserve >= self.seconds

    def extend(self, best: "_Best") -> bool:
        """Begin a cycle twice as long, unless the time is over or this cycle brought nothing better."""
        if self.elapsed() + best.seconds >= self.seconds or best.point.steps <= self.first:
            return False
        self.first, self.last = self.last, 3 * self.last - 2 * self.first
        return True


class _Best:
    """The points measured so far, the parameters of the best of them, and the seconds that measuring takes."""

    def __init__(self, parameters: Parameters, validate: Callable[[Parameters], float]):
        self.parameters, self.validate, self.history, self.seconds = parameters, validate, [], 0.0

    @property
    def point(self) -> Point:
        return min(self.history, key=lambda point: np.nan_to_num(point.loss, nan=np.inf))

    def measure(self, parameters: Parameters, step: int, budget: _Budget) -> None:
        begun = budget.elapsed()
        loss = float(self.validate(parameters))
        self.seconds = budget.elapsed() - begun
        self.history.append(Point(budget.elapsed(), step, loss))
        if self.history[-1] is self.point:
            self.parameters = parameters

    def reached(self, target: float | None) -> bool:
        return target is not None and bool(self.history) and self.history[-1].loss <= target

    def idle(self, patience: int | None) -> bool:
        return patience is not None and sum(point.steps > self.point.steps for point in self.history) >= patience


def train_language_model(
    text: str, seed: int = 0, target: float | None = None, seconds: float | None = None, steps: int | None = None
) -> tuple[Parameters, list[Point]]:
    """A Transformer of 0.8 million parameters that predicts the next character of a text, and its training history.

    The last tenth of the text is held out; the history holds the loss over the whole of it, in nats a character,
    each character seen with at most 63 before it. Training ends when that loss reaches `target` or when `seconds`
    have passed; with neither, after `steps` steps. The parameters are the best of the history.

    >>> parameters, history = train_language_model("To be, or not to be. " * 50, steps=1)
    >>> parameters["embedding"].shape, history[-1].steps  # 10 different characters
    ((10, 128), 1)

    Raises ValueError when the text is too short, or a budget is not positive.
    """
    if len(text) < SHORTEST_TEXT:
        raise ValueError(f"the text has {len(text)} characters; training needs {SHORTEST_TEXT:,} or more")
    tokens = encode(text, alphabet(text))
    training, held_out = np.split(tokens, [len(tokens) * 9 // 10])
    parameters = models.transformer_parameters(jax.random.key(seed), len(alphabet(text)))
    if steps is None and (seconds is None or target is not None):
        steps = STEPS
    windows = consecutive_windows(held_out)
    Thread(
        target=held_out_loss, args=(parameters, windows[:1])
    ).start()  # compiles on one core as the step does on the other
    validate = partial(held_out_loss, windows=windows)
    every = STEPS if target else 100  # a measurement takes as long as 30 steps
    budget = {"steps": steps, "seconds": seconds, "target": target, "every": every}
    return fit(next_token_loss, parameters, random_windows(training, seed), validate, **budget)


def alphabet(text: str) -> str:
    """The different characters of a text in order; a character's place in it is its token.

    >>> alphabet("banana")
    'abn'
    """
    return "".join(sorted(set(text)))


def encode(text: str, characters: str) -> np.ndarray:
    """A text as tokens (T,), each character's place among `characters`.

    >>> encode("banana", "abn").tolist()
    [1, 0, 2, 0, 2, 0]

    Raises ValueError when the text holds a character that is not among them.
    """
    place = {character: i for i, character in enumerate(characters)}
    if unknown := alphabet(text).translate({ord(character): None for character in characters}):
        raise ValueError(f"the model has never seen these characters: {unknown!r}")
    return np.array([place[character] for character in text], np.int32)


def next_token_loss(parameters: Parameters, tokens: Array) -> Array:
    """The mean surprise, in nats, of each token after the first given those before it: tokens (B, T + 1) -> ()."""
    return jnp.mean(surprise(parameters, tokens))


def surprise(parameters: Parameters, tokens: Array) -> Array:
    """-log of the probability of each token after the first: tokens (B, T + 1) -> nats (B, T)."""
    scores = models.transformer(parameters, tokens[:, :-1])
    chosen = jnp.take_along_axis(scores, tokens[:, 1:, None], axis=-1)[..., 0]
    return jax.nn.logsumexp(scores, axis=-1) - chosen


def random_windows(tokens: np.ndarray, seed: int, batch: int = BATCH) -> Iterator[tuple[np.ndarray]]:
    """Endless batches (B, CONTEXT + 1) of windows in random order: no overlap before all have been seen.

    Each time round the windows start at a new offset.

    >>> next(random_windows(np.arange(1000), seed=0))[0].shape
    (12, 65)
    """
    random, waiting = np.random.default_rng(seed), np.array([], int)
    while True:
        while len(waiting) < batch:
            offset = random.integers(CONTEXT)
            starts = offset + CONTEXT * random.permutation((len(tokens) - 1 - offset) // CONTEXT)
            waiting = np.concatenate([waiting, starts])
        now, waiting = np.split(waiting, [batch])
        yield (tokens[now[:, None] + np.arange(CONTEXT + 1)],)


def consecutive_windows(tokens: np.ndarray) -> np.ndarray:
    """All tokens in windows (N, CONTEXT + 1) that share their ends, so that each token but the first is predicted once.

    What the last window lacks is filled with -1.

    >>> windows = consecutive_windows(np.arange(100))
    >>> windows[:, [0, 1, 35, 64]].tolist()
    [[0, 1, 35, 64], [64, 65, 99, -1]]
    """
    count = -(-(len(tokens) - 1) // CONTEXT)
    padded = np.pad(tokens, (0, count * CONTEXT + 1 - len(tokens)), constant_values=-1)
    return padded[CONTEXT * np.arange(count)[:, None] + np.arange(CONTEXT + 1)]


def held_out_loss(parameters: Parameters, windows: np.ndarray, batch: int = 64) -> float:
    """The mean surprise in nats over every token of `consecutive_windows`, `batch` windows at a time."""
    rows = -len(windows) % batch
    batches = np.pad(windows, ((0, rows), (0, 0)), constant_values=-1).reshape(-1, batch, windows.shape[1])
    sums = [_sum_of_surprise(parameters, tokens) for tokens in batches]
    return sum(map(float, sums)) / np.count_nonzero(windows[:, 1:] >= 0)


@partial(jax.jit, compiler_options=QUICK_COMPILATION)
def _sum_of_surprise(parameters: Parameters, tokens: Array) -> Array:
    return jnp.sum(jnp.where(tokens[:, 1:] >= 0, surprise(parameters, jnp.maximum(tokens, 0)), 0.0))


def sample(
    parameters: Parameters, characters: str, prompt: str, length: int, seed: int = 0, temperature: float = 1.0
) -> str:
    """The prompt continued by `length` characters, each drawn from the model's prediction given the 64 before it.

    >>> parameters = models.transformer_parameters(jax.random.key(0), vocabulary=3)
    >>> len(sample(parameters, "abn", prompt="ba", length=10))
    12

    Raises ValueError when the prompt is empty or holds a character that the model has never seen.
    """
    if not prompt:
        raise ValueError("the prompt is empty: give at least one character to continue")
    tokens, keys = encode(prompt, characters).tolist(), jax.random.split(jax.random.key(seed), length)
    for key in keys:
        context = tokens[-CONTEXT:]
        padded = jnp.array([context + [0] * (CONTEXT - len(context))])
        tokens.append(int(_draw(key, parameters, padded, len(context) - 1, temperature)))
    return "".join(characters[token] for token in tokens)


@jax.jit
def _draw(key: Array, parameters: Parameters, tokens: Array, last: int, temperature: float) -> Array:
    return jax.random.categorical(key, models.transformer(parameters, tokens)[0, last] / temperature)
