"""Handwritten digits in two ways: features made by hand, and features learned from the pixels alone."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from scipy import ndimage
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from helpers import data
from helpers.data import Handwriting
from helpers.models import Parameters

System = Literal["features by hand", "learned features"]
BATCH = 64
STEPS = 300


def draw(pool: Handwriting, images: int, seed: int) -> Handwriting:
    """Training images drawn by the seed, as many of each digit as can be: ten images are one of each.

    >>> sorted(map(int, draw(data.handwriting()[0], images=10, seed=0).digits))
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

    Raises ValueError for fewer than ten images or more than the pool has.
    """
    if not 10 <= images <= len(pool.digits):
        raise ValueError(f"Draw from 10 to {len(pool.digits)} images, not {images}.")
    order = np.random.default_rng(seed).permutation(len(pool.digits))
    turns = np.empty(len(order), int)  # this image is the how-manieth of its digit?
    for digit in range(10):
        turns[pool.digits[order] == digit] = np.arange((pool.digits == digit).sum())
    chosen = order[np.argsort(turns, kind="stable")[:images]]
    return Handwriting(pool.images[chosen], pool.digits[chosen])


def features_by_hand(image: np.ndarray) -> np.ndarray:
    """What an engineer would measure in a digit: an image (8, 8) of ink from 0 to 1 -> 128 numbers.

    Ink by zone, row and column; directions of the edges in nine overlapping squares (Dalal and Triggs 2005);
    how often each row and column crosses the pen's line; holes; the centre of the ink; symmetry.

    >>> features_by_hand(np.eye(8)).shape
    (128,)
    """
    zones = image.reshape(4, 2, 4, 2).mean(axis=(1, 3)).ravel()
    profiles = [*image.sum(axis=0), *image.sum(axis=1)]
    down, across = np.gradient(image)
    direction = ((np.arctan2(down, across) / (2 * np.pi) + 0.5) * 8).astype(int) % 8
    squares = [np.s_[top : top + 4, left : left + 4] for top in (0, 2, 4) for left in (0, 2, 4)]
    steepness = np.hypot(down, across)
    edges = [np.bincount(direction[s].ravel(), steepness[s].ravel(), minlength=8) for s in squares]
    pen = np.pad(image > 0.4, 1)
    crossings = [*(pen[1:-1, 1:] != pen[1:-1, :-1]).sum(axis=1), *(pen[1:, 1:-1] != pen[:-1, 1:-1]).sum(axis=0)]
    white, pieces = ndimage.label(~pen)
    holes = [pieces - 1, (white > 1).sum()]
    total = image.sum() + 1e-9
    centre = [np.arange(8) @ image.sum(axis=1) / total, np.arange(8) @ image.sum(axis=0) / total, image.mean()]
    symmetry = [np.abs(image - turned).mean() for turned in (image[::-1], image[:, ::-1], image[::-1, ::-1])]
    return np.array([*np.sqrt([*zones, *profiles, *np.ravel(edges)]), *crossings, *holes, *centre, *symmetry])


def answer_by_hand(training: Handwriting, images: np.ndarray) -> np.ndarray:
    """Digits for images (N, 8, 8) -> (N,): hand-made features and a support vector machine (Cortes and Vapnik 1995)."""
    machine = make_pipeline(StandardScaler(), SVC(C=10, gamma=0.001))
    machine.fit([features_by_hand(image) for image in training.images], training.digits)
    return machine.predict([features_by_hand(image) for image in images])


def start_network(key: Array) -> Parameters:
    """Weights of a small convolutional network."""
    shapes = {"lines": (3, 3, 1, 32), "shapes": (3, 3, 32, 64), "parts": (4 * 4 * 64, 128), "digits": (128, 10)}
    return start(key, shapes)


def start(key: Array, shapes: dict[str, tuple[int, ...]]) -> Parameters:
    """Weights of layers for ReLU, drawn by He's rule (He et al. 2015), and their biases: zeros.

    The last axis of a shape is what goes out of the layer; the others are what comes in.

    >>> {name: array.shape for name, array in start(jax.random.key(0), {"digits": (128, 10)}).items()}
    {'digits': (128, 10), 'digits_bias': (10,)}
    """
    keys, sizes = jax.random.split(key, len(shapes)), [int(np.prod(shape)) for shape in shapes.values()]
    weights = {
        # As many numbers for each, of which the first are those of its own shape: each shape would compile anew.
        name: jax.random.normal(k, max(sizes))[:size].reshape(shape) * (2 / np.prod(shape[:-1])) ** 0.5
        for k, size, (name, shape) in zip(keys, sizes, shapes.items(), strict=True)
    }
    return weights | {f"{name}_bias": jnp.zeros(shape[-1]) for name, shape in shapes.items()}


def convolve(images: Array, filters: Array) -> Array:
    """Each 3x3 patch of the images (B, 8, 8, C) against each filter (3, 3, C, F) -> (B, 8, 8, F)."""
    return jax.lax.conv_general_dilated(images, filters, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def network(p: Parameters, images: Array, keep_key: Array | None = None) -> Array:
    """Scores of the ten digits: images (B, 8, 8) -> (B, 10); with a key, half the inner values are dropped.

    Two convolutions, a pooling, two layers (LeCun et al. 1989); dropout (Srivastava et al. 2014).
    """
    x = jax.nn.relu(convolve(images[..., None], p["lines"]) + p["lines_bias"])  # (B, 8, 8, 32)
    x = jax.nn.relu(convolve(x, p["shapes"]) + p["shapes_bias"])  # (B, 8, 8, 64)
    x = x.reshape(-1, 4, 2, 4, 2, 64).max(axis=(2, 4)).reshape(len(x), -1)  # (B, 1024)
    for layer in ("parts", "digits"):
        if keep_key is not None:
            keep_key, key = jax.random.split(keep_key)
            x = 2 * x * jax.random.bernoulli(key, 0.5, x.shape)
        x = x @ p[layer] + p[f"{layer}_bias"]
        x = jax.nn.relu(x) if layer == "parts" else x
    return x


optimiser = optax.adamw(optax.cosine_decay_schedule(2e-3, STEPS), weight_decay=0.01)


@jax.jit
def step(p: Parameters, state: optax.OptState, key: Array, images: Array, digits: Array):
    """One step of gradient descent on a batch: new weights and the optimiser's new state."""

    def loss(p):
        return optax.softmax_cross_entropy_with_integer_labels(network(p, images, key), digits).mean()

    updates, state = optimiser.update(jax.grad(loss)(p), state, p)
    return optax.apply_updates(p, updates), state


def answer_by_network(training: Handwriting, images: np.ndarray, seed: int) -> np.ndarray:
    """Digits for images (N, 8, 8) -> (N,): a convolutional network that is given pixels and nothing else."""
    keys = jax.random.split(jax.random.key(seed), STEPS + 1)  # to take it apart at once would compile for a second
    p = start_network(keys[0])
    state = optimiser.init(p)
    draws = np.random.default_rng(seed).integers(len(training.digits), size=(STEPS, BATCH))
    for number, batch in enumerate(draws, 1):
        p, state = step(p, state, keys[number], training.images[batch], training.digits[batch])
    return np.asarray(network(p, images).argmax(axis=1))


def measure(system: System, images: int, seed: int) -> float:
    """Share of the 397 held-out digits that a system gets wrong after training on so many images drawn by the seed.

    >>> measure("features by hand", images=1400, seed=0) < 0.1
    True

    Raises ValueError for an unknown system or a number of images that cannot be drawn.
    """
    pool, held_out = data.handwriting()
    training = draw(pool, images, seed)
    if system == "features by hand":
        answers = answer_by_hand(training, held_out.images)
    elif system == "learned features":
        answers = answer_by_network(training, held_out.images, seed)
    else:
        raise ValueError(f"The systems are 'features by hand' and 'learned features', not {system!r}.")
    return float((answers != held_out.digits).mean())
