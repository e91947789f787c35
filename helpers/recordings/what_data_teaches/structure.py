"""Structure that is built in against none: a convolution and a dense network of one size, on few images and on many.

Letters for axes: B images of a batch. With the pixels shuffled, the same way in every image, neighbours no longer
belong together, and what is built into the convolution no longer fits.
"""

from collections.abc import Callable
from functools import partial
from math import cos, log, pi

import jax
import numpy as np
import optax
from jax import Array
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from helpers import data
from helpers.data import Handwriting
from helpers.models import Parameters
from helpers.recordings import Row
from helpers.recordings.rules_or_gradient_descent import digits
from helpers.recordings.what_data_teaches import rates
from helpers.recordings.what_data_teaches.rates import Setting

SIZES = (5, 10, 20, 50, 100, 300, 700, 1_400)
HIDDEN = 353  # of the dense network's two inner layers, for as many parameters as the convolution has
SHUFFLED = ", shuffled pixels"
PERMUTATION = np.random.default_rng(33).permutation(64)
ADAM = optax.chain(optax.scale_by_adam(), optax.add_decayed_weights(0.01))
TUNED_ON = (100, 1_000)  # images, for a good rate on few is not one on many; the rest of the pool judges
TUNING_SEEDS = (100, 101, 102)  # that no measurement uses


def draw(pool: Handwriting, images: int, seed: int) -> Handwriting:
    """Training images as lesson 3.1 draws them; fewer than ten are so many different digits.

    >>> len(set(draw(data.handwriting()[0], images=5, seed=0).digits))
    5

    Raises ValueError for no image, or more than the pool has.
    """
    if images < 1:
        raise ValueError(f"Draw from 1 to {len(pool.digits)} images, not {images}.")
    drawn = digits.draw(pool, max(images, 10), seed)
    return Handwriting(drawn.images[:images], drawn.digits[:images])


def shuffled(images: np.ndarray) -> np.ndarray:
    """Images (N, 8, 8) with their pixels in another order, the same for all of them."""
    return images.reshape(-1, 64)[:, PERMUTATION].reshape(-1, 8, 8)


def start_dense(key: Array) -> Parameters:
    """Weights of the dense network."""
    return digits.start(key, {"first": (64, HIDDEN), "second": (HIDDEN, HIDDEN), "digits": (HIDDEN, 10)})


def dense(p: Parameters, images: Array, keep_key: Array | None = None) -> Array:
    """Scores of the ten digits from pixels that are all alike to it: images (B, 8, 8) -> (B, 10).

    With a key, half the values are dropped before the last two layers, as `digits.network` does.
    """
    x = jax.nn.relu(images.reshape(len(images), -1) @ p["first"] + p["first_bias"])  # (B, HIDDEN)
    for layer in ("second", "digits"):
        if keep_key is not None:
            keep_key, key = jax.random.split(keep_key)
            x = 2 * x * jax.random.bernoulli(key, 0.5, x.shape)
        x = x @ p[layer] + p[f"{layer}_bias"]
        x = jax.nn.relu(x) if layer == "second" else x
    return x


NETWORKS = {"convolution": (digits.start_network, digits.network), "dense": (start_dense, dense)}
BASELINES: dict[str, Callable] = {
    "nearest neighbour": lambda: KNeighborsClassifier(1),
    "linear": lambda: LogisticRegression(max_iter=2_000),
}
LEARNERS = tuple(f"{network}{pixels}" for pixels in ("", SHUFFLED) for network in NETWORKS)
SYSTEMS = (*LEARNERS, *BASELINES)


@partial(jax.jit, static_argnames="network")
def _step(network: Callable, p: Parameters, state, key: Array | None, images: Array, shown: Array, rate: Array):
    def loss(p: Parameters) -> Array:
        return optax.softmax_cross_entropy_with_integer_labels(network(p, images, key), shown).mean()

    updates, state = ADAM.update(jax.grad(loss)(p), state, p)
    return {name: p[name] - rate * updates[name] for name in p}, state


def answer_by_network(name: str, training: Handwriting, images: np.ndarray, seed: int, setting: Setting) -> np.ndarray:
    """Digits for images (N, 8, 8) -> (N,), by a network of NETWORKS that is trained as lesson 3.1 trains its own.

    A setting's dropout is 0 or one half.
    """
    start, network = NETWORKS[name]
    keys = jax.random.split(jax.random.key(seed), digits.STEPS + 1)  # to take it apart at once would compile long
    p = start(keys[0])
    state = ADAM.init(p)
    draws = np.random.default_rng(seed).integers(len(training.digits), size=(digits.STEPS, digits.BATCH))
    for number, batch in enumerate(draws):
        rate = np.float32(setting.rate * 0.5 * (1 + cos(pi * number / digits.STEPS)))
        kept = keys[number + 1] if setting.dropout else None
        p, state = _step(network, p, state, kept, training.images[batch], training.digits[batch], rate)
    return np.asarray(network(p, images).argmax(axis=1))


def answer(system: str, training: Handwriting, images: np.ndarray, seed: int, setting: Setting | None) -> np.ndarray:
    """Digits for images (N, 8, 8) -> (N,), by any of SYSTEMS; baselines need no setting.

    Raises ValueError for a system that is not among SYSTEMS.
    """
    if system not in SYSTEMS:
        raise ValueError(f"The systems are {', '.join(SYSTEMS)}, not {system!r}.")
    if system in BASELINES:
        flat = (some.reshape(len(some), -1) for some in (training.images, images))
        return BASELINES[system]().fit(next(flat), training.digits).predict(next(flat))
    if system.endswith(SHUFFLED):
        training, images = Handwriting(shuffled(training.images), training.digits), shuffled(images)
    return answer_by_network(system.removesuffix(SHUFFLED), training, images, seed, setting)


def tuned(images: int) -> str:
    """The name under which settings were tried for about so many images: the nearest of TUNED_ON, by its ratio.

    >>> tuned(5), tuned(300), tuned(1_400)
    ('structure, 100 images', 'structure, 100 images', 'structure, 1000 images')
    """
    return f"structure, {min(TUNED_ON, key=lambda tried: abs(log(tried / images)))} images"


def measure(system: str, images: int, seed: int) -> Row:
    """Shares of the 397 held-out digits that are read wrong: of all, and of those of a kind that training showed."""
    pool, held_out = data.handwriting()
    training = draw(pool, images, seed)
    setting = rates.best(tuned(images), system) if system in LEARNERS else None
    wrong = answer(system, training, held_out.images, seed, setting) != held_out.digits
    shown = np.isin(held_out.digits, training.digits)
    rate, dropout = setting or (0.0, 0.0)
    return {
        "rate": rate,
        "dropout": dropout,
        "error": round(float(wrong.mean()), 6),
        "error_on_shown": round(float(wrong[shown].mean()), 6),
    }


def tune(system: str, rate: float, dropout: float, images: int) -> Row:
    """The share of the pool's other images read wrong after so many, on average over TUNING_SEEDS."""
    pool, wrong = data.handwriting()[0], []
    for seed in TUNING_SEEDS:
        drawn, shown = draw(pool, len(pool.digits), seed)
        training, rest = (Handwriting(drawn[part], shown[part]) for part in (slice(images), slice(images, None)))
        answers = answer(system, training, rest.images, seed, Setting(rate, dropout))
        wrong.append(np.mean(answers != rest.digits))
    return {"development": round(float(np.mean(wrong)), 6)}
