"""A small network that reads digits, trained with all its bits and trained again with few of them."""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from helpers import data
from helpers.recordings.fast_at_what import storing
from helpers.recordings.fast_at_what.storing import Stored

Weights = list[Array]  # two matrices: (64, hidden) and (hidden, 10)
Pruning = str | tuple[int, int] | None  # "free", (n, m) of neighbours, or None

HIDDEN = 128
STEPS, BATCH, RATE = 1_500, 64, 3e-3
RATES = (1e-3, 3e-3, 1e-2, 3e-2)  # tried when a network is trained again, at every width
TUNING = 350  # of the 1,400 training pictures, to choose the rate by


def weights_in(hidden: int) -> int:
    """How many weights a network with so many inner units has.

    >>> weights_in(128)
    9472
    """
    return 64 * hidden + hidden * 10


@lru_cache(1)
def pictures() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pictures (N, 64) and digits (N,) for three uses: "training", "tuning" (also of the 1,400) and "held out"."""
    pool, held_out = ((part.images.reshape(-1, 64), part.digits) for part in data.handwriting())
    training, tuning = (tuple(part[at] for part in pool) for at in (np.s_[:-TUNING], np.s_[-TUNING:]))
    return {"training": training, "tuning": tuning, "held out": held_out}


def start(key: Array, hidden: int = HIDDEN) -> Weights:
    """Weights drawn by He's rule (He et al. 2015)."""
    shapes = ((64, hidden), (hidden, 10))
    keys = jax.random.split(key, 2)
    return [jax.random.normal(k, shape) * (2 / shape[0]) ** 0.5 for k, shape in zip(keys, shapes, strict=True)]


def scores(weights: Weights, images: Array) -> Array:
    """The network: images (B, 64) -> scores of the ten digits (B, 10)."""
    inner, outer = weights
    return jax.nn.relu(images @ inner) @ outer


def surprise(weights: Weights, images: Array, digits: Array) -> Array:
    """The loss: the mean surprise at the right digits, in nats."""
    return optax.softmax_cross_entropy_with_integer_labels(scores(weights, images), digits).mean()


def error(weights: Weights, part: str = "held out") -> float:
    """The share of pictures that the network reads wrong: those "held out", or another part of `pictures`."""
    images, digits = pictures()[part]
    return float((scores(weights, images).argmax(axis=-1) != digits).mean())


def rounded(weights: Array, width: str, kept: Array) -> Array:
    """The weights as `storing.restore(storing.store(...))` gives them back, computed so that JAX can compile it."""
    weights = weights * kept
    if width == "32":
        return weights
    if width in storing.FLOATS:
        scale = jnp.abs(weights).max() / 448 if width == "8" else 1.0
        return (weights / scale).astype(storing.FLOATS[width]).astype(jnp.float32) * scale
    levels = storing.levels(width)

    def by(scale: Array) -> Array:
        place = jnp.floor(weights / scale + levels[-1] + 0.5)
        return (jnp.clip(place, 0, len(levels) - 1) - levels[-1]) * scale * kept

    if width == "1":
        return by(2 * jnp.abs(weights).sum() / kept.sum())
    tried = storing.SCALES * jnp.abs(weights).max() / levels[-1]
    changes = jax.vmap(lambda scale: ((by(scale) - weights) ** 2).sum())(tried)
    return by(tried[changes.argmin()])


def kept(weights: Weights, pruning: Pruning, share: float | Array = 1.0) -> Weights:
    """Which weights are kept, as ones and zeros: the largest, in the whole network or among m neighbours.

    Freely pruned, matrices are compared after division by their root mean square. (Han et al. 2015.)
    """
    if pruning is None:
        return [jnp.ones_like(w) for w in weights]
    if pruning == "free":
        return _largest([jnp.abs(w) / jnp.sqrt((w**2).mean()) for w in weights], share)
    return [_largest_of_neighbours(w, *pruning) for w in weights]


def _largest(sizes: Weights, share: float | Array) -> Weights:
    """Ones for the largest `share` of all, found by halving the interval in which the least of them lies."""
    wanted = share * sum(s.size for s in sizes)

    def halve(_, ends):
        low, high = ends
        middle = (low + high) / 2
        too_many = sum((s > middle).sum() for s in sizes) > wanted
        return jnp.where(too_many, middle, low), jnp.where(too_many, high, middle)

    most = jnp.stack([s.max() for s in sizes]).max()
    least = jax.lax.fori_loop(0, 20, halve, (-1e-6 * most, most))[1]
    return [(s > least).astype(jnp.float32) for s in sizes]


def _largest_of_neighbours(weights: Array, n: int, m: int) -> Array:
    groups = jnp.abs(weights).reshape(-1, m, weights.shape[1])
    place = jnp.arange(m)[:, None, None] * jnp.ones(m)[None, :, None]
    earlier = (place > place.swapaxes(0, 1))[None]  # of two equal ones the first is kept
    larger = (groups[:, None] > groups[:, :, None]) | ((groups[:, None] == groups[:, :, None]) & earlier)
    return (larger.sum(axis=2) < n).astype(jnp.float32).reshape(weights.shape)


def straight_through(weights: Array, by: Array) -> Array:
    """The values of `by`, with the gradient of `weights`, as if nothing had been rounded (Bengio et al. 2013)."""
    return weights + jax.lax.stop_gradient(by - weights)


def descend(weights: Weights, key: Array, rate, width="32", pruning: Pruning = None, share=1.0) -> Weights:
    """Gradient descent by Adam for STEPS batches; the loss is that of the rounded and pruned weights.

    The rate falls to zero along a cosine. Free pruning tightens over the first half of the steps (Zhu and Gupta
    2017), and a pruned weight may grow back, since the gradient reaches it as well.
    """
    images, digits = map(jnp.asarray, pictures()["training"])
    adam = optax.scale_by_adam()

    def step(state, now):
        weights, memory = state
        key, time = now
        batch = jax.random.randint(key, (BATCH,), 0, len(images))
        share_now = share + (1 - share) * jnp.clip(1 - 2 * time, 0, 1) ** 3

        def loss(weights):
            masks = kept(weights, pruning, share_now)
            few = [straight_through(w, rounded(w, width, m)) for w, m in zip(weights, masks, strict=True)]
            return surprise(few, images[batch], digits[batch])

        updates, memory = adam.update(jax.grad(loss)(weights), memory)
        rate_now = rate * (1 + jnp.cos(jnp.pi * time)) / 2
        return ([w - rate_now * u for w, u in zip(weights, updates, strict=True)], memory), None

    steps = (jax.random.split(key, STEPS), jnp.arange(STEPS) / STEPS)
    return jax.lax.scan(step, (weights, adam.init(weights)), steps)[0][0]


@partial(jax.jit, static_argnums=1)
def _trained(seeds: Array, hidden: int) -> Weights:
    def one(seed):
        first, second = jax.random.split(jax.random.key(seed))
        return descend(start(first, hidden), second, RATE)

    return jax.vmap(one)(seeds)


@partial(jax.jit, static_argnums=(3, 4))
def _trained_again(weights: Weights, seeds: Array, rates: Array, width: str, pruning: Pruning, share) -> Weights:
    def one(weights, seed, rate):
        return descend(weights, jax.random.fold_in(jax.random.key(seed), 1), rate, width, pruning, share)

    some_rates = jax.vmap(one, (None, None, 0))
    return jax.vmap(some_rates, (0, 0, None))(weights, seeds, rates)


def train(seeds: tuple[int, ...], hidden: int = HIDDEN) -> list[Weights]:
    """Networks with 32 bits a weight, one a seed, after STEPS steps of gradient descent."""
    trained = _trained(jnp.array(seeds), hidden)
    return [[w[i] for w in trained] for i in range(len(seeds))]


def retrain(
    networks: list[Weights], seeds: tuple[int, ...], width: str, pruning: Pruning = None, share=1.0, rates=RATES
):
    """Each network trained again for as many steps, with few bits, at each of the rates: [seed][rate] -> Weights."""
    together = [jnp.stack(matrices) for matrices in zip(*networks, strict=True)]
    again = _trained_again(together, jnp.array(seeds), jnp.array(rates), width, pruning, share)
    return [[[w[i, j] for w in again] for j in range(len(rates))] for i in range(len(seeds))]


def store(weights: Weights, width: str, pruning: Pruning = None, share=1.0) -> list[Stored]:
    """The network's matrices in few bits, as `storing.store` keeps them."""
    group = pruning if isinstance(pruning, tuple) else None
    masks = kept(weights, pruning, share)
    return [storing.store(np.asarray(w), width, np.asarray(m) > 0, group) for w, m in zip(weights, masks, strict=True)]


def restore(stored: list[Stored]) -> Weights:
    """A network's weights from its stored matrices."""
    return [jnp.asarray(storing.restore(matrix)) for matrix in stored]
