"""The Transformer as functions of plain parameter trees.

Letters for axes: B batch, T time (position), C channels (width), H heads, V vocabulary. The layers'
parameters are stacked on a first axis, one array for all layers, so that the whole model is nine arrays.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

Parameters = dict[str, Array]


def transformer_parameters(
    key: Array, vocabulary: int, width: int = 128, layers: int = 4, heads: int = 4
) -> Parameters:
    """Fresh parameters of a decoder-only Transformer; each array of `layers` has the layers on its first axis.

    The matrices that write into the residual stream, and the head, start at zero, so that every layer starts
    as the identity and every token as equally likely. `sharpness` (layers, H) scales each head's attention
    scores: it is learned, and it also tells the model how many heads there are.

    >>> parameters = transformer_parameters(jax.random.key(0), vocabulary=65)
    >>> sum(array.size for array in parameters.values())
    803088

    Raises ValueError when the width is not an even number of channels for each head.
    """
    if width % (2 * heads):
        raise ValueError(f"width {width} cannot be shared by {heads} heads: each needs an even number of channels")
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))  # JAX's own would compile for two seconds
    square, wide = (layers, width, width), (layers, width, 4 * width)
    return {
        "embedding": _normal(random, (vocabulary, width), 1.0),
        "query": _normal(random, square, width**-0.5),
        "key": _normal(random, square, width**-0.5),
        "value": _normal(random, square, width**-0.5),
        "up": _normal(random, wide, width**-0.5),
        "mix": jnp.asarray(np.zeros(square, np.float32)),
        "down": jnp.asarray(np.zeros((layers, 4 * width, width), np.float32)),
        "sharpness": jnp.asarray(np.ones((layers, heads), np.float32)),
        "head": jnp.asarray(np.zeros((width, vocabulary), np.float32)),
    }


def _normal(random: np.random.Generator, shape: tuple[int, ...], deviation: float) -> Array:
    return jnp.asarray(deviation * random.standard_normal(shape, np.float32))


def transformer(parameters: Parameters, tokens: Array, prefix: Array | None = None) -> Array:
    """Scores (logits) of each next token: tokens (B, T) whole numbers -> (B, T, V).

    Position t sees positions 0 to t, and with `prefix` (B,) also every position before prefix[b]: the first
    prefix[b] tokens see one another in both directions, those after them only what came before.

    >>> parameters = transformer_parameters(jax.random.key(0), vocabulary=65)
    >>> transformer(parameters, jnp.zeros((2, 10), int)).shape
    (2, 10, 65)

    The design is Vaswani et al. 2017, with what K. Jordan et al. (modded-nanogpt, 2024) found to train fastest:
    rotary positions, normalised queries and keys, squared ReLU, zero-initialised projections, an untied head.
    """
    return _scores_and_attention(parameters, tokens, prefix)[0]


def attention_weights(parameters: Parameters, tokens: Array, prefix: Array | None = None) -> Array:
    """How much each position attends to each: tokens (B, T) -> (B, layers, H, T, T), rows sum to one.

    >>> parameters = transformer_parameters(jax.random.key(0), vocabulary=65)
    >>> attention_weights(parameters, jnp.zeros((2, 10), int)).shape
    (2, 4, 4, 10, 10)
    """
    return jnp.stack(_scores_and_attention(parameters, tokens, prefix)[1], axis=1)


def _scores_and_attention(parameters: Parameters, tokens: Array, prefix: Array | None) -> tuple[Array, list[Array]]:
    mask = visible(tokens.shape[1], prefix)
    x = normalise(parameters["embedding"][tokens])  # (B, T, C)
    attention = []
    for layer in layers(parameters):
        x, weights = block(layer, x, mask)
        attention.append(weights)
    return normalise(x) @ parameters["head"], attention


def layers(parameters: Parameters) -> list[Parameters]:
    """The parameters of each layer, first to last."""
    names = [name for name in parameters if name not in ("embedding", "head")]
    return [{name: parameters[name][layer] for name in names} for layer in range(len(parameters["query"]))]


def block(parameters: Parameters, x: Array, mask: Array, positions: Array | None = None) -> tuple[Array, Array]:
    """One layer: x (B, T, C), mask -> (x after attention and the feed-forward net, attention weights (B, H, T, T))."""
    query, key, value = query_key_value(parameters, x, positions)
    return attend(parameters, x, query, key, value, mask)


def query_key_value(parameters: Parameters, x: Array, positions: Array | None = None) -> tuple[Array, Array, Array]:
    """What one layer's attention works with: x (B, T, C) -> query, key and value, each (B, T, H, D)."""
    y = normalise(x).reshape(-1, x.shape[-1])  # two axes: products of three-axis arrays have slow gradients
    heads = (*x.shape[:2], parameters["sharpness"].shape[0], -1)
    query, key, value = ((y @ parameters[name]).reshape(heads) for name in ("query", "key", "value"))
    query = rotate(normalise(query), positions) * parameters["sharpness"][:, None]
    return query, rotate(normalise(key), positions), value


def attend(
    parameters: Parameters, x: Array, query: Array, key: Array, value: Array, mask: Array
) -> tuple[Array, Array]:
    """The rest of the layer: x and query of T positions, key and value of S -> (new x, weights (B, H, T, S))."""
    weights = attention_from(query, key, mask)
    mixed = jnp.einsum("bhts,bshd->bthd", weights, value).reshape(-1, x.shape[-1])
    y = x.reshape(mixed.shape) + mixed @ parameters["mix"]
    y = y + jnp.square(jax.nn.relu(normalise(y) @ parameters["up"])) @ parameters["down"]
    return y.reshape(x.shape), weights


def attention_from(query: Array, key: Array, mask: Array) -> Array:
    """Scaled dot-product attention's weights: query, key (B, T, H, D), mask (1 or B, 1, T, T) -> (B, H, T, T).

    (Vaswani et al. 2017, section 3.2.1.)
    """
    scores = jnp.einsum("bthd,bshd->bhts", query, key) / query.shape[-1] ** 0.5
    return jax.nn.softmax(jnp.where(mask, scores, -jnp.inf))


def visible(length: int, prefix: Array | None = None) -> Array:
    """Which positions (last axis) each position (axis before) may attend to: (1 or B, 1, T, T) of booleans.

    >>> visible(3)[0, 0].astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    >>> visible(3, prefix=jnp.array([2]))[0, 0].astype(int).tolist()
    [[1, 1, 0], [1, 1, 0], [1, 1, 1]]
    """
    positions = jnp.arange(length)
    causal = (positions[None, :] <= positions[:, None])[None, None]
    return causal if prefix is None else causal | (positions < prefix[:, None])[:, None, None, :]


def normalise(x: Array) -> Array:
    """x with a root mean square of one over its last axis (Zhang and Sennrich 2019, without a learned gain)."""
    return x * jax.lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + 1e-6)


def rotate(x: Array, positions: Array | None = None) -> Array:
    """Rotary positions: x (B, T, H, D), each pair of channels turned by an angle that grows with its position.

    positions (T,) or (B, T) count from 0 if they are not given. The dot product of a rotated query and a
    rotated key depends on their distance in time alone (Su et al. 2021).
    """
    half = x.shape[-1] // 2
    positions = jnp.arange(x.shape[1]) if positions is None else positions
    angles = positions[..., None, None] / 1000.0 ** (jnp.arange(half) / half)  # (T, 1, D/2) or (B, T, 1, D/2)
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)
