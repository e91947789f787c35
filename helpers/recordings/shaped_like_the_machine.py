"""Lesson 1.4, shaped like the machine: a small net split over two cards as AlexNet was, and its unsplit twins.

And a Transformer's loss as one device of several computes it that holds a part of each matrix.

Letters for axes: B batch, T positions, H height, W width, C maps (channels), G cards.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from helpers import data, models, training
from helpers.data import Handwriting
from helpers.recordings import Row, Table

STEPS = 300
BATCH = 64
KEPT = 0.75  # of the inner values of the last two layers, in training
SEEDS = range(40)
READS_BOTH = (True, False, True, False, False)  # which convolution reads the maps of both cards, as in AlexNet
SIDES = (8, 8, 4, 4, 4)  # of the maps that each convolution writes; the second and the fifth are then halved
TUNING = 400  # training images that judge a learning rate

Weights = dict[str, Array]


class Net(NamedTuple):
    """The kernels of the five convolutions, the width of the layer after them, the cards, and the tuned rate."""

    kernels: tuple[int, ...]
    wide: int
    cards: int
    rate: float


NETS = {
    "split over two cards": Net((16, 32, 48, 48, 32), 64, 2, 0.005),
    "unsplit, equal parameters": Net((13, 26, 39, 39, 26), 64, 1, 0.005),
    "unsplit, equal multiplications": Net((13, 25, 37, 37, 25), 64, 1, 0.005),
    "one card, half the kernels": Net((8, 16, 24, 24, 32), 64, 1, 0.005),
}


def shapes(net: Net) -> dict[str, tuple[int, ...]]:
    """The shapes of a net's weights: a convolution's is (G, 9, maps read by a card, kernels of a card).

    >>> shapes(NETS["split over two cards"])["conv 2"]
    (2, 9, 8, 16)
    """
    maps, found = 1, {}
    for number, (kernels, both) in enumerate(zip(net.kernels, READS_BOTH), 1):
        cards = 1 if both else net.cards
        found[f"conv {number}"] = (cards, 9, maps // cards, kernels // cards)
        maps = kernels
    return found | {"wide": (4 * maps, net.wide), "digits": (net.wide, 10)}


def parameters(net: Net) -> int:
    """How many parameters a net has, biases included.

    >>> parameters(Net((2, 2, 2, 2, 2), 1, 2, 0.1))
    147
    """
    return sum(int(np.prod(shape)) + _outputs(shape) for shape in shapes(net).values())


def multiplications(net: Net) -> int:
    """How many multiplications one image takes, forwards.

    >>> multiplications(Net((2, 2, 2, 2, 2), 1, 2, 0.1))
    3474
    """
    pixels = [side**2 for side in SIDES] + [1, 1]
    return sum(int(np.prod(shape)) * count for shape, count in zip(shapes(net).values(), pixels, strict=True))


def _outputs(shape: tuple[int, ...]) -> int:
    return shape[0] * shape[-1] if len(shape) == 4 else shape[-1]


def start(net: Net, seed: int) -> Weights:
    """Fresh weights, drawn by He's rule (He et al. 2015), and biases of zero."""
    random = np.random.default_rng(seed)
    weights = {}
    for name, shape in shapes(net).items():
        inputs = int(np.prod(shape[1:-1])) if len(shape) == 4 else shape[0]
        scale = (2 / inputs) ** 0.5 if name != "digits" else 0.1 / inputs**0.5
        weights[name] = jnp.asarray(scale * random.standard_normal(shape, np.float32))
        weights[f"{name} bias"] = jnp.zeros(_outputs(shape))
    return weights


def convolve(x: Array, w: Array) -> Array:
    """Each 3x3 patch of x (B, H, W, C) against the kernels w (G, 9, C/G, F/G) -> (B, H, W, F).

    The maps and the kernels are dealt out to G cards; the kernels of a card see the maps of that card alone.

    >>> convolve(jnp.ones((1, 2, 2, 4)), jnp.ones((2, 9, 2, 3))).shape
    (1, 2, 2, 6)
    """
    images, high, wide, maps = x.shape
    cards = len(w)
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    patches = jnp.stack([padded[:, i : i + high, j : j + wide] for i in range(3) for j in range(3)], axis=3)
    patches = patches.reshape(images * high * wide, 9, cards, maps // cards)
    return jnp.einsum("nkgc,gkcf->ngf", patches, w).reshape(images, high, wide, -1)


def scores(weights: Weights, images: Array, key: Array | None = None) -> Array:
    """Scores of the ten digits: images (B, 8, 8) -> (B, 10); with a key, some inner values are dropped.

    Five convolutions and two layers, in AlexNet's order (Krizhevsky et al. 2012), and much smaller.
    """
    x = images[..., None]
    for number in range(1, 6):
        x = jax.nn.relu(convolve(x, weights[f"conv {number}"]) + weights[f"conv {number} bias"])
        if number in (2, 5):
            x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).max(axis=(2, 4))
    x = _dropped(x.reshape(len(x), -1), key)
    x = jax.nn.relu(x @ weights["wide"] + weights["wide bias"])
    return _dropped(x, None if key is None else jax.random.fold_in(key, 1)) @ weights["digits"] + weights["digits bias"]


def _dropped(x: Array, key: Array | None) -> Array:
    return x if key is None else x * jax.random.bernoulli(key, KEPT, x.shape) / KEPT


@partial(jax.jit, compiler_options=training.QUICK_COMPILATION)
def step(weights: Weights, mean: Weights, square: Weights, count: Array, rate: Array, key: Array, images, digits):
    """One step of AdamW on a batch (Loshchilov and Hutter 2019): new weights and the optimiser's new memory."""

    def loss(weights):
        return optax.softmax_cross_entropy_with_integer_labels(scores(weights, images, key), digits).mean()

    gradients = jax.grad(loss)(weights)
    mean = {name: 0.9 * mean[name] + 0.1 * g for name, g in gradients.items()}
    square = {name: 0.99 * square[name] + 0.01 * g**2 for name, g in gradients.items()}
    change = {
        name: mean[name] / (1 - 0.9**count) / (jnp.sqrt(square[name] / (1 - 0.99**count)) + 1e-8) for name in weights
    }
    return {name: w - rate * (change[name] + 0.01 * w) for name, w in weights.items()}, mean, square


def train(net: Net, images: Handwriting, seed: int) -> Weights:
    """A net trained on images for STEPS steps; the learning rate falls along a cosine to zero."""
    random, key = np.random.default_rng(seed), jax.random.key(seed)
    weights = start(net, seed)
    mean = square = {name: jnp.zeros_like(w) for name, w in weights.items()}
    for count in range(1, STEPS + 1):
        batch = random.integers(len(images.digits), size=BATCH)
        rate = net.rate * (1 + np.cos(np.pi * (count - 1) / STEPS)) / 2
        key, now = jax.random.split(key)
        weights, mean, square = step(
            weights, mean, square, float(count), rate, now, images.images[batch], images.digits[batch]
        )
    return weights


def error(weights: Weights, images: Handwriting) -> float:
    """The share of images that a net reads wrong."""
    found = np.asarray(jax.jit(scores)(weights, images.images)).argmax(axis=1)
    return float((found != images.digits).mean())


def measure(net: str, seed: int) -> Row:
    """One training of one net on the 1,400 images, and its share of the 397 held-out images read wrong.

    >>> measure("split over two cards", seed=0)["error"] < 0.15
    True
    """
    pool, held_out = data.handwriting()
    return {"error": round(error(train(NETS[net], pool, seed), held_out), 6)}


def tune(net: Net, seed: int) -> float:
    """The share of 400 of the training images read wrong by a net trained on the other 1,000: to choose its rate."""
    pool = data.handwriting()[0]
    order = np.random.default_rng(1_000 + seed).permutation(len(pool.digits))
    judge, learn = order[:TUNING], order[TUNING:]
    weights = train(net, Handwriting(pool.images[learn], pool.digits[learn]), seed)
    return error(weights, Handwriting(pool.images[judge], pool.digits[judge]))


def tensor_loss(parameters: Weights, batch: Array) -> Array:
    """A Transformer's loss on batch (B, T + 1), computed by one device that holds a part of each layer's matrices.

    To be called in jax.shard_map over an axis named "device": query, key, value and up are cut along their last axis,
    mix and down along their rows, sharpness along its heads (Shoeybi et al. 2019, section 3).

    >>> start = models.transformer_parameters(jax.random.key(0), vocabulary=9, width=8, layers=2, heads=2)
    >>> loss = jax.shard_map(tensor_loss, mesh=jax.make_mesh((1,), ("device",)), in_specs=jax.P(), out_specs=jax.P())
    >>> round(float(loss(start, jnp.zeros((1, 5), int))), 4) == round(float(np.log(9)), 4)
    True
    """
    x, mask = models.normalise(parameters["embedding"][batch[:, :-1]]), models.visible(batch.shape[1] - 1)
    for layer in models.layers(parameters):
        query, key, value = models.query_key_value(layer, _shared(x))
        mixed = jnp.einsum("bhts,bshd->bthd", models.attention_from(query, key, mask), value)
        x = x + jax.lax.psum(mixed.reshape(*x.shape[:2], -1) @ layer["mix"], "device")
        wide = jnp.square(jax.nn.relu(models.normalise(_shared(x)) @ layer["up"]))
        x = x + jax.lax.psum(wide @ layer["down"], "device")
    found = jax.nn.log_softmax(models.normalise(x) @ parameters["head"])
    return -jnp.take_along_axis(found, batch[:, 1:, None], axis=-1).mean()


def _shared(x: Array) -> Array:
    """x itself; its gradients, which differ from device to device, are added up here, once."""
    return jax.lax.pcast(x, "device", to="varying")


TABLES = [
    Table("1_4_split_nets", [{"net": net, "seed": seed} for seed in SEEDS for net in NETS], measure, at_once=2),
]
