"""A decoder-only Transformer whose parts can be taken out, put back or exchanged, one switch a part.

Letters for axes: B batch, T time (position), C channels (width), H heads, V vocabulary. Layers are stacked on a
first axis, as in helpers.models.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from helpers import models
from helpers.models import Parameters


class Design(NamedTuple):
    """Which parts a Transformer has; as it stands, the plain one, near to those of 2017 to 2019."""

    layers: int = 2
    width: int = 64
    heads: int = 4
    context: int = 64
    positions: str = "sine"  # or "none", "learned", "rotary"
    residuals: bool = True
    normalisation: str = "layer"  # or "none", "root mean square"
    feed_forward: str = "relu"  # or "none", "squared relu"
    attention: bool = True
    convolution: str = "none"  # or "full", "each channel alone"
    normalised_queries: bool = False
    start: str = "random"  # or "zero": what is written back, and the head, begin at zero
    optimiser: str = "adam"  # or "muon"


PLAIN = Design()
MODERN = Design(
    positions="rotary",
    normalisation="root mean square",
    feed_forward="squared relu",
    normalised_queries=True,
    start="zero",
    optimiser="muon",
)


def parameters(key: Array, vocabulary: int, design: Design = PLAIN) -> Parameters:
    """Fresh parameters; those of MODERN are drawn as helpers.models draws them.

    >>> sum(array.size for array in parameters(jax.random.key(0), 100).values())
    111424
    """
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    layers, width = design.layers, design.width
    zero = 0.0 if design.start == "zero" else 1.0
    shapes = {"embedding": ((vocabulary, width), 1.0 if design.start == "zero" else 0.5)}
    if design.attention:
        shapes |= dict.fromkeys(("query", "key", "value"), ((layers, width, width), width**-0.5))
    if design.feed_forward != "none":
        shapes["up"] = ((layers, width, 4 * width), width**-0.5)
    if design.attention:
        shapes["mix"] = ((layers, width, width), zero * width**-0.5)
    if design.feed_forward != "none":
        shapes["down"] = ((layers, 4 * width, width), zero * (4 * width) ** -0.5)
    shapes["head"] = ((width, vocabulary), zero * width**-0.5)
    if design.positions == "learned":
        shapes["positions"] = ((design.context, width), 0.1)
    if design.convolution == "full":
        shapes["convolution"] = ((layers, 3, width, width), (3 * width) ** -0.5)
    if design.convolution == "each channel alone":
        shapes["convolution"] = ((layers, 3, width), 3**-0.5)
    tree = {name: jnp.asarray(std * random.standard_normal(shape, np.float32)) for name, (shape, std) in shapes.items()}
    if design.normalisation == "layer":
        tree["gain"] = jnp.ones((layers, 3 if design.convolution != "none" else 2, width))
        tree["last gain"] = jnp.ones(width)
    if design.normalised_queries:
        tree["sharpness"] = jnp.ones((layers, design.heads))
    return tree


def scores(parameters: Parameters, tokens: Array, design: Design = PLAIN) -> Array:
    """Scores (logits) of each next token: tokens (B, T) -> (B, T, V)."""
    return _normalise(stream(parameters, tokens, design)[-1], parameters.get("last gain"), design) @ parameters["head"]


def stream(parameters: Parameters, tokens: Array, design: Design = PLAIN, masked: bool = True) -> list[Array]:
    """The residual stream before the first layer and after each: (B, T, C), layers + 1 of them.

    Not `masked`, every position sees every other, as in the paper's encoder.
    """
    x = parameters["embedding"][tokens]
    if design.positions == "learned":
        x = x + parameters["positions"][: tokens.shape[1]]
    if design.positions == "sine":
        x = x + waves(tokens.shape[1], design.width)
    if design.normalisation == "root mean square":
        x = models.normalise(x)
    whole = ("embedding", "head", "positions", "last gain")
    found, length = [x], tokens.shape[1]
    mask = models.visible(length) if masked else jnp.ones((1, 1, length, length), bool)
    for layer in range(design.layers):
        found.append(_block({n: a[layer] for n, a in parameters.items() if n not in whole}, found[-1], mask, design))
    return found


def waves(length: int, width: int) -> Array:
    """Each position as sines and cosines of `width` / 2 frequencies: (T, C) (Vaswani et al. 2017, section 3.5).

    >>> np.allclose(waves(3, 4), [[0, 0, 1, 1], [0.84, 0.01, 0.54, 1], [0.91, 0.02, -0.42, 1]], atol=0.005)
    True
    """
    half = width // 2
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(half) / half)
    return jnp.asarray(np.concatenate([np.sin(angles), np.cos(angles)], axis=1), jnp.float32)


def _block(layer: Parameters, x: Array, mask: Array, design: Design) -> Array:
    parts = []
    if design.convolution != "none":
        parts.append(lambda y: _convolve(layer["convolution"], y, x.shape))
    if design.attention:
        parts.append(lambda y: _attend(layer, y, x.shape, mask, design))
    if design.feed_forward != "none":
        parts.append(lambda y: _feed_forward(layer, y, design))
    flat = x.reshape(-1, x.shape[-1])  # two axes: products of three-axis arrays have slow gradients
    for place, part in enumerate(parts):
        change = part(_normalise(flat, layer["gain"][place] if "gain" in layer else None, design))
        flat = flat + change if design.residuals else change
    return flat.reshape(x.shape)


def _normalise(x: Array, gain: Array | None, design: Design) -> Array:
    if design.normalisation == "none":
        return x
    if design.normalisation == "root mean square":
        return models.normalise(x)
    x = x - x.mean(axis=-1, keepdims=True)
    return models.normalise(x) * gain


def _attend(layer: Parameters, y: Array, shape: tuple[int, ...], mask: Array, design: Design) -> Array:
    heads = (*shape[:2], design.heads, -1)
    query, key, value = ((y @ layer[name]).reshape(heads) for name in ("query", "key", "value"))
    if design.normalised_queries:
        query, key = models.normalise(query), models.normalise(key)
    if design.positions == "rotary":
        query, key = models.rotate(query), models.rotate(key)
    if design.normalised_queries:
        query = query * layer["sharpness"][:, None]
    weights = models.attention_from(query, key, mask)
    return jnp.einsum("bhts,bshd->bthd", weights, value).reshape(y.shape) @ layer["mix"]


def _feed_forward(layer: Parameters, y: Array, design: Design) -> Array:
    inner = jax.nn.relu(y @ layer["up"])
    return (jnp.square(inner) if design.feed_forward == "squared relu" else inner) @ layer["down"]


def _convolve(kernel: Array, y: Array, shape: tuple[int, ...]) -> Array:
    """Each position from itself and the two before it: kernel (3, C, C), or (3, C) for each channel alone."""
    padded = jnp.pad(y.reshape(shape), ((0, 0), (2, 0), (0, 0)))
    shifted = [padded[:, i : i + shape[1]].reshape(y.shape) for i in range(3)]
    if kernel.ndim == 3:
        return sum(part @ matrix for part, matrix in zip(shifted, kernel))
    return sum(part * weights for part, weights in zip(shifted, kernel))


def multiplications(design: Design, vocabulary: int) -> int:
    """How many multiplications one token takes forwards: those of the matrix products, the head's included.

    A masked position's score is computed too, before the mask hides it, so attention counts all T of them.

    >>> multiplications(Design(layers=1, width=8, heads=1, context=4), vocabulary=10)
    912
    """
    width, inner = design.width, 0
    if design.attention:
        inner += 4 * width**2 + 2 * design.context * width
    if design.feed_forward != "none":
        inner += 8 * width**2
    inner += {"none": 0, "full": 3 * width**2, "each channel alone": 3 * width}[design.convolution]
    return design.layers * inner + width * vocabulary


def training_flops(design: Design, vocabulary: int) -> int:
    """FLOPs of training on one token: a multiplication is followed by an addition, and the way back costs two ways."""
    return 6 * multiplications(design, vocabulary)
