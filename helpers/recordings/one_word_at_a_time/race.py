"""Lesson 2.2's race: a window model, an LSTM and a Transformer learn one text, and how far each is after so many steps.

Letters for axes: B batch, T time (position), C channels (width), V vocabulary; parameters are plain trees.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from helpers import data, models, recurrent, training
from helpers.models import Parameters
from helpers.training import QUICK_COMPILATION

READ, SCORED = 128, 64  # of each piece of held-out text: characters read, and how many at its end are predicted
PIECES = 384
AVERAGED_EVERY = 4  # steps
WARM_UP = 20  # steps in which the rate rises
RATE_OF_RUNS = 0.2
ADAM = optax.scale_by_adam(b2=0.95)


def pieces(tokens: np.ndarray, count: int = PIECES) -> np.ndarray:
    """Evenly spread pieces of a text to be judged by: tokens (T,) -> (count, READ + 1).

    >>> pieces(np.arange(1000), count=2)[:, [0, -1]].tolist()
    [[0, 128], [870, 998]]
    """
    starts = np.linspace(0, len(tokens) - READ - 2, count).astype(int)
    return tokens[starts[:, None] + np.arange(READ + 1)].astype(np.int32)


class Window(NamedTuple):
    """The size of a window model: characters seen, numbers for each, and its layers; with `runs`, for each length of
    run of characters that it also looks up, how many numbers a run has, and how many places there are."""

    reach: int
    width: int
    layers: int = 2
    channels: int = 24
    runs: tuple[int, ...] = ()
    run_channels: int = 32
    places: int = 2**17


def window_parameters(seed: int, vocabulary: int, size: Window) -> Parameters:
    """Fresh parameters of a window model; the head starts at zero.

    >>> window_parameters(0, 65, Window(reach=8, width=128))["first"].shape
    (192, 128)
    """
    random = np.random.default_rng(seed)
    inputs = size.reach * size.channels + len(size.runs) * size.run_channels
    parameters = {
        "embedding": _normal(random, (vocabulary, size.channels), 1.0),
        "first": _normal(random, (inputs, size.width), inputs**-0.5),
        "hidden": _normal(random, (size.layers - 1, size.width, size.width), size.width**-0.5),
        "bias": jnp.zeros((size.layers, size.width)),
        "head": jnp.zeros((size.width, vocabulary)),
    }
    if size.runs:
        parameters["runs"] = _normal(random, (len(size.runs) * size.places, size.run_channels), 0.1)
    return parameters


def _normal(random: np.random.Generator, shape: tuple[int, ...], deviation: float) -> Array:
    return jnp.asarray(random.standard_normal(shape, np.float32) * np.float32(deviation))


def window_model(parameters: Parameters, windows: Array) -> Array:
    """Scores (logits) of the token after each window: windows (B, reach) -> (B, V).

    The last characters' embeddings side by side, and a feed-forward network on them (Bengio et al. 2003), with what
    trains it faster since: normalised inputs of each layer, squared ReLU, and layers that add to the one before.
    """
    return _window_scores(parameters, windows, None)


def _window_scores(parameters: Parameters, windows: Array, rows: Array | None) -> Array:
    x = parameters["embedding"][windows].reshape(len(windows), -1)
    if rows is not None:
        x = jnp.concatenate([x, rows.reshape(len(windows), -1)], axis=1)
    x = jnp.square(jax.nn.relu(models.normalise(x @ parameters["first"] + parameters["bias"][0])))
    for matrix, bias in zip(parameters["hidden"], parameters["bias"][1:], strict=True):
        x = x + jnp.square(jax.nn.relu(models.normalise(x) @ matrix + bias))
    return models.normalise(x) @ parameters["head"]


def shelf(windows: Array, lengths: tuple[int, ...], places: int) -> Array:
    """Where the last characters of each window are kept, in runs of these lengths: (B, reach) -> (B, lengths).

    Each length has so many places, and a run's is drawn by its characters: two runs may share one. (Weinberger et al.
    2009, feature hashing.)

    >>> found = shelf(jnp.array([[1, 2, 3], [4, 2, 3]]), (2, 3), places=1024)
    >>> bool(found[0, 0] == found[1, 0]), bool(found[0, 1] == found[1, 1])
    (True, False)
    """
    found = []
    for row, length in enumerate(lengths):
        code = jnp.full(len(windows), 7919 * (row + 1), jnp.uint32)
        for back in range(1, length + 1):
            code = (code ^ windows[:, -back].astype(jnp.uint32)) * jnp.uint32(0x9E3779B1)
            code = code ^ (code >> 15)
        found.append((code % places).astype(jnp.int32) + row * places)
    return jnp.stack(found, axis=1)


def surprise(scores: Array, tokens: Array) -> Array:
    """-log of the probability of each token: scores (..., V), tokens (...) -> nats (...)."""
    return jax.nn.logsumexp(scores, axis=-1) - jnp.take_along_axis(scores, tokens[..., None], axis=-1)[..., 0]


class Recurrent(NamedTuple):
    """The size of an LSTM."""

    width: int
    layers: int = 1


class Attention(NamedTuple):
    """The size of a Transformer."""

    width: int
    layers: int
    heads: int


class Runner(NamedTuple):
    """A network in the race: its size, rows a batch, tokens a row, and how it is trained.

    `rate` is the rate of learning; after `falls` steps, if they are given, it has fallen by the square root of two.
    """

    size: Window | Recurrent | Attention
    batch: int
    length: int
    rate: float
    falls: int | None = None


RUNNERS = {
    "window": Runner(Window(10, 192, layers=3), 256, 10, 0.002),
    "n-gram window": Runner(Window(8, 256, runs=(2, 3, 4, 5, 6)), 512, 8, 0.003),
    "wide n-gram window": Runner(Window(10, 512, runs=(2, 3, 4, 5, 6, 8), places=2**19), 512, 10, 0.004, 1000),
    "LSTM": Runner(Recurrent(128), 16, 64, 0.06, 300),
    "wide LSTM": Runner(Recurrent(256), 16, 64, 0.06, 300),
    "deep LSTM": Runner(Recurrent(256, layers=2), 16, 64, 0.08, 300),
    "attention": Runner(Attention(96, 2, 3), 6, 128, 0.03, 300),
    "wide attention": Runner(Attention(128, 3, 4), 6, 128, 0.02, 300),
}


def fresh(runner: Runner, seed: int, vocabulary: int) -> Parameters:
    """A runner's parameters before the first step."""
    if isinstance(runner.size, Window):
        return window_parameters(seed, vocabulary, runner.size)
    make = recurrent.lstm_parameters if isinstance(runner.size, Recurrent) else models.transformer_parameters
    return make(jax.random.key(seed), vocabulary, **runner.size._asdict())


def loss_of(runner: Runner, parameters: Parameters, rows: Array) -> Array:
    """The mean surprise of a batch, rows (B, length + 1): of the last token for a window model, else of each one."""
    if isinstance(runner.size, Window):
        looked_up = (
            parameters["runs"][shelf(rows[:, :-1], runner.size.runs, runner.size.places)] if runner.size.runs else None
        )
        return jnp.mean(surprise(_window_scores(parameters, rows[:, :-1], looked_up), rows[:, -1]))
    model = recurrent.lstm if isinstance(runner.size, Recurrent) else models.transformer
    return jnp.mean(surprise(model(parameters, rows[:, :-1]), rows[:, 1:]))


def train(name: str, seed: int, marks: list[int]) -> list[float]:
    """The loss on the held-out pieces, in nats a character, after each of these numbers of steps.

    One run gives the whole curve: the rate knows nothing of the run's end, and what is judged is an average of the
    parameters over about the last ninth of the steps so far (polynomial-decay averaging, Shamir and Zhang 2013).
    """
    runner, (tokens, _, held_out, characters) = RUNNERS[name], data.library_text()
    judged = judge(runner, pieces(held_out))
    learner = Learner(runner, seed, len(characters))
    losses = []
    for number, batch in enumerate(rows(tokens, runner.batch, runner.length, seed), 1):
        learner.step(batch, number)
        if number in marks:
            losses.append(judged(learner.averaged()))
        if number == max(marks):
            return losses


class Learner:
    """A runner in training; `step` changes it, and `averaged` are the parameters to judge."""

    def __init__(self, runner: Runner, seed: int, vocabulary: int):
        self.runner, parameters = runner, fresh(runner, seed, vocabulary)
        self.runs = parameters.pop("runs", None)
        self.squares = None if self.runs is None else jnp.full(len(self.runs), 1e-3)
        self.dense = self.average = parameters
        self.memory = ADAM.init(parameters) if isinstance(runner.size, Window) else training.new_optimiser(parameters)

    def step(self, batch: np.ndarray, number: int) -> None:
        rate = self.runner.rate * min(1.0, number / WARM_UP)
        rate /= (1 + number / self.runner.falls) ** 0.5 if self.runner.falls else 1
        if not isinstance(self.runner.size, Window):
            self.dense, self.memory, _ = training.training_step(
                loss_function(self.runner), self.dense, self.memory, (batch,), rate
            )
        elif self.runs is None:
            self.dense, self.memory = _adam_step(self.runner, self.dense, self.memory, batch, rate)
        else:
            self.dense, self.memory, self.runs, self.squares = _step_with_runs(
                self.runner, self.dense, self.memory, self.runs, self.squares, batch, rate
            )
        if number % AVERAGED_EVERY == 0:
            self.average = _mixed(self.average, self.dense, min(1.0, 9 / (number / AVERAGED_EVERY + 8)))

    def averaged(self) -> Parameters:
        return self.average if self.runs is None else self.average | {"runs": self.runs}


@cache
def loss_function(runner: Runner) -> Callable[[Parameters, Array], Array]:
    """loss_of for one runner, the same function each time, so that its training step is compiled once."""
    return partial(loss_of, runner)


@partial(jax.jit, static_argnums=0, compiler_options=QUICK_COMPILATION)
def _adam_step(runner, parameters, memory, batch, rate):
    return _adam(parameters, jax.grad(partial(loss_of, runner))(parameters, batch), memory, rate)


def _adam(parameters, gradients, memory, rate):
    change, memory = ADAM.update(gradients, memory)
    return {name: parameters[name] - rate * change[name] for name in parameters}, memory


@partial(jax.jit, static_argnums=0, donate_argnums=(3, 4), compiler_options=QUICK_COMPILATION)
def _step_with_runs(runner, parameters, memory, runs, squares, batch, rate):
    """Adam for the dense network; of the table only the rows that were read are changed (AdaGrad, a rate a row)."""
    places = shelf(batch[:, :-1], runner.size.runs, runner.size.places)

    def loss(parameters, rows):
        return jnp.mean(surprise(_window_scores(parameters, batch[:, :-1], rows), batch[:, -1]))

    gradients, of_rows = jax.grad(loss, argnums=(0, 1))(parameters, runs[places])
    parameters, memory = _adam(parameters, gradients, memory, rate)
    places, of_rows = places.reshape(-1), len(batch) * of_rows.reshape(-1, runs.shape[1])
    squares = squares.at[places].add(jnp.mean(jnp.square(of_rows), axis=1))
    change = RATE_OF_RUNS * of_rows * jax.lax.rsqrt(squares[places])[:, None]
    return parameters, memory, runs.at[places].add(-change), squares


@partial(jax.jit, compiler_options=QUICK_COMPILATION)
def _mixed(average: Parameters, parameters: Parameters, share: float) -> Parameters:
    return jax.tree.map(lambda old, new: old + share * (new - old), average, parameters)


def rows(tokens: np.ndarray, batch: int, length: int, seed: int) -> Iterator[np.ndarray]:
    """Endless batches of rows of a text: (batch, length + 1).

    Rows begin all over the text, and each place is a beginning once before any is again: whoever looks up long runs
    of characters would learn by heart what comes twice. The places are multiples of a number near the golden section of
    how many there are, without a divisor in common with it (a Weyl sequence).

    >>> batches = rows(np.arange(100), batch=19, length=5, seed=0)
    >>> sorted(int(row[0]) for _ in range(5) for row in next(batches)) == list(range(95))
    True
    """
    random = np.random.default_rng(seed)
    places = len(tokens) - length
    first, stride = random.integers(places), round(places * (5**0.5 - 1) / 2)
    while math.gcd(stride, places) > 1:
        stride += 1
    for number in itertools.count(0, batch):
        starts = (first + stride * np.arange(number, number + batch)) % places
        yield tokens[starts[:, None] + np.arange(length + 1)].astype(np.int32)


def judge(runner: Runner, held_out: np.ndarray) -> Callable[[Parameters], float]:
    """A function from parameters to the mean surprise at the last SCORED characters of each piece (N, READ + 1)."""
    if isinstance(runner.size, Window):
        ends = range(READ - SCORED + 1, READ + 1)
        inputs = np.concatenate([held_out[:, end - runner.length : end + 1] for end in ends])
        parts, loss = np.array_split(inputs, len(inputs) // 4096 + 1), partial(loss_of, runner)
    else:
        parts, model = (
            np.array_split(held_out, 6),
            recurrent.lstm if isinstance(runner.size, Recurrent) else models.transformer,
        )

        def loss(parameters, rows):
            return jnp.mean(surprise(model(parameters, rows[:, :-1])[:, -SCORED:], rows[:, -SCORED:]))

    loss = jax.jit(loss, compiler_options=QUICK_COMPILATION)
    weights = [len(part) / sum(map(len, parts)) for part in parts]
    return lambda parameters: sum(w * float(loss(parameters, part)) for w, part in zip(weights, parts, strict=True))


def flops(runner: Runner, vocabulary: int) -> int:
    """Floating-point operations of one step of training: those of the matrix products, which are nearly all.

    Each product's gradient takes two more of its size. Muon's ten products a matrix are counted too.

    >>> flops(Runner(Window(2, 10, layers=1, channels=5), 3, 2, 0.1), 7)  # 6 x 3 x (10 x 10 + 10 x 7)
    3060
    """
    size, tokens = runner.size, runner.batch * runner.length
    if isinstance(size, Window):
        inputs = size.reach * size.channels + len(size.runs) * size.run_channels
        return 6 * runner.batch * (size.width * (inputs + (size.layers - 1) * size.width + vocabulary))
    square = size.width**2
    if isinstance(size, Recurrent):
        per_token = 4 * square * (2 * size.layers - 1) + size.width * vocabulary
        return 6 * (tokens * per_token + 4 * square * vocabulary) + 2 * size.layers * _muon(size.width, 4 * size.width)
    per_token = size.layers * (12 * square + 2 * runner.length * size.width) + size.width * vocabulary
    matrices = 4 * _muon(size.width, size.width) + 2 * _muon(size.width, 4 * size.width)
    return 6 * tokens * per_token + size.layers * matrices


def _muon(short: int, long: int) -> int:
    return 5 * (4 * short**2 * long + 2 * short**3)


def chain(runner: Runner) -> int:
    """The longest chain of matrix products in one step of training, each of which waits for the one before.

    Forward and backward are equally long; the 15 of Muon follow. Stacked layers of an LSTM run one step apart.

    >>> chain(RUNNERS["window"]), chain(RUNNERS["LSTM"])
    (8, 147)
    """
    size = runner.size
    if isinstance(size, Window):
        return 2 * (size.layers + 1)
    if isinstance(size, Recurrent):
        return 2 * (1 + runner.length + 2 * (size.layers - 1) + 1) + 15
    return 2 * (6 * size.layers + 1) + 15
