"""Two cleverer Transformers that read token after token: one that feeds back, and one with an LSTM in front.

In the plain one a layer sees that layer's work alone, so all positions are computed at once. Fed back, every token sees
what the top of the model made of the tokens before it, and must wait for it.

Letters for axes: B batch, T time (position), C channels (width), H heads, D channels of a head, V vocabulary.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from helpers import models, recurrent
from helpers.models import Parameters
from helpers.recordings.the_transformer import model
from helpers.recordings.the_transformer.model import Design

KINDS = ("fed back", "LSTM first")


def parameters(kind: str, key: Array, vocabulary: int, design: Design) -> Parameters:
    """Fresh parameters; what is added to the Transformer of this design starts without any effect.

    Fed back, all layers share one memory, and so one matrix of keys and one of values.

    >>> design = model.MODERN._replace(width=16, heads=2)
    >>> found = parameters("fed back", jax.random.key(0), 11, design)
    >>> found["key"].shape, found["remember"].shape
    ((1, 16, 16), (3,))
    """
    plain, width = model.parameters(key, vocabulary, design), design.width
    if kind == "fed back":
        shared = {name: plain[name][:1] for name in ("key", "value")}
        return plain | shared | {"remember": _zeros(design.layers + 1), "hand on": _zeros(1, width, width)}
    read = recurrent.lstm_parameters(key, 1, width)
    return (
        plain
        | {f"read {name}": read[name] for name in ("input", "recurrent", "bias")}
        | {"say": _zeros(1, width, width)}
    )


def _zeros(*shape: int) -> Array:
    return jnp.asarray(np.zeros(shape, np.float32))


def scores(kind: str, parameters: Parameters, tokens: Array, design: Design) -> Array:
    """Scores (logits) of each next token: tokens (B, T) -> (B, T, V)."""
    entered = models.normalise(parameters["embedding"][tokens])
    x = (_fed_back if kind == "fed back" else _lstm_first)(parameters, entered, design)
    return (models.normalise(x).reshape(-1, design.width) @ parameters["head"]).reshape(*tokens.shape, -1)


def _lstm_first(parameters: Parameters, x: Array, design: Design) -> Array:
    """The layers of the Transformer over what an LSTM has read: (B, T, C) -> (B, T, C)."""
    batch, length, width = x.shape
    gates = x.swapaxes(0, 1).reshape(-1, width) @ parameters["read input"][0] + parameters["read bias"][0]
    empty = jnp.zeros((batch, width))
    said = recurrent.layer_of_lstm(gates.reshape(length, batch, -1), parameters["read recurrent"][0], empty, empty)[1]
    x = x + (said.reshape(-1, width) @ parameters["say"][0]).reshape(length, batch, width).swapaxes(0, 1)
    layered = ("query", "key", "value", "mix", "up", "down", "sharpness")
    for layer in range(design.layers):
        x = models.block({name: parameters[name][layer] for name in layered}, x, models.visible(length))[0]
    return x


def _fed_back(parameters: Parameters, entered: Array, design: Design) -> Array:
    """The top of the model, position by position: (B, T, C) -> (B, T, C).

    What is remembered of a token is a mean of what all layers made of it, by learned shares. The tokens after it attend
    to that from every layer (Fan and others 2020, Addressing some limitations of Transformers with feedback memory);
    the next one is also handed it.
    """
    batch, length, width = entered.shape
    of_layers = ("query", "mix", "up", "down", "sharpness")
    layers = [{name: parameters[name][layer] for name in of_layers} for layer in range(design.layers)]
    shares = jax.nn.softmax(parameters["remember"])
    empty = jnp.zeros((batch, length + 1, design.heads, width // design.heads))  # its first place stays empty

    def step(memory: tuple[Array, ...], now: tuple[Array, Array]) -> tuple[tuple[Array, ...], Array]:
        x, place = now  # (B, C), ()
        keys, values, before = memory
        seen = (jnp.arange(length + 1) <= place)[None, None, None]
        x = x + before @ parameters["hand on"][0]
        kept = shares[0] * x
        for number, layer in enumerate(layers, 1):
            query = _by_head(models.normalise(x) @ layer["query"], design, place) * layer["sharpness"][:, None]
            weights = models.attention_from(query, keys, seen)[:, :, 0]  # (B, H, T + 1)
            x = x + jnp.einsum("bhs,bshd->bhd", weights, values).reshape(x.shape) @ layer["mix"]
            x = x + jnp.square(jax.nn.relu(models.normalise(x) @ layer["up"])) @ layer["down"]
            kept = kept + shares[number] * x
        kept = models.normalise(kept)
        new = (
            _by_head(kept @ parameters["key"][0], design, place),
            (kept @ parameters["value"][0]).reshape(batch, 1, design.heads, -1),
        )
        keys, values = (
            jax.lax.dynamic_update_slice_in_dim(old, one, place + 1, axis=1) for old, one in zip((keys, values), new)
        )
        return (keys, values, kept), x

    start = (empty, empty, jnp.zeros((batch, width)))
    return jax.lax.scan(step, start, (entered.swapaxes(0, 1), jnp.arange(length)))[1].swapaxes(0, 1)


def _by_head(x: Array, design: Design, place: Array) -> Array:
    """One position's queries or keys, normalised and turned by its place: (B, C) -> (B, 1, H, D)."""
    heads = models.normalise(x.reshape(len(x), 1, design.heads, -1))
    return models.rotate(heads, place[None])


def multiplications(kind: str, design: Design, vocabulary: int) -> int:
    """How many multiplications one token takes forwards, counted as for the Transformer.

    Fed back, they are even fewer, for keys and values are made once; the memory has one place more.

    >>> multiplications("fed back", model.MODERN, 97), model.multiplications(model.MODERN, 97)
    (117056, 120896)
    """
    width, plain = design.width, model.multiplications(design, vocabulary)
    if kind == "fed back":
        return plain - 2 * (design.layers - 1) * width**2 + 2 * design.layers * width + width**2
    return plain + 9 * width**2


def training_flops(kind: str, design: Design, vocabulary: int) -> int:
    """FLOPs of training on one token: a multiplication is followed by an addition, and the way back costs two ways."""
    return 6 * multiplications(kind, design, vocabulary)
