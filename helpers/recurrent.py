"""The long short-term memory network (LSTM) as functions of plain parameter trees.

Letters for axes: B batch, T time (position), C channels (width), V vocabulary. The layers' parameters are stacked on a
first axis. The four gates of a layer lie side by side in one matrix, in this order: input, forget, output, candidate.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

Parameters = dict[str, Array]
State = tuple[Array, Array]


def lstm_parameters(key: Array, vocabulary: int, width: int = 128, layers: int = 1) -> Parameters:
    """Fresh parameters of an LSTM language model; the forget gates' bias starts at one, and the head at zero.

    >>> parameters = lstm_parameters(jax.random.key(0), vocabulary=65)
    >>> {name: array.shape for name, array in parameters.items() if name in ("recurrent", "head")}
    {'recurrent': (1, 128, 512), 'head': (128, 65)}

    Raises ValueError for a vocabulary, a width or a number of layers below one.

    (Hochreiter and Schmidhuber 1997; the forget gate is that of Gers et al. 2000, its bias Jozefowicz et al. 2015's.)
    """
    if min(vocabulary, width, layers) < 1:
        raise ValueError(f"vocabulary {vocabulary}, width {width} and layers {layers} must each be at least one")
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    shapes = {"embedding": (vocabulary, width)} | dict.fromkeys(("input", "recurrent"), (layers, width, 4 * width))
    bias = np.zeros((layers, 4, width), np.float32)
    bias[:, 1] = 1
    return {
        **{
            name: jnp.asarray(random.standard_normal(shape, np.float32) * width**-0.5) for name, shape in shapes.items()
        },
        "bias": jnp.asarray(bias.reshape(layers, 4 * width)),
        "head": jnp.asarray(np.zeros((width, vocabulary), np.float32)),
    }


def lstm(parameters: Parameters, tokens: Array) -> Array:
    """Scores (logits) of each next token: tokens (B, T) whole numbers -> (B, T, V), read from an empty memory.

    >>> parameters = lstm_parameters(jax.random.key(0), vocabulary=65)
    >>> lstm(parameters, jnp.zeros((2, 10), int)).shape
    (2, 10, 65)
    """
    return read_on(parameters, tokens, empty_memory(parameters, len(tokens)))[0]


def next_token_loss(parameters: Parameters, tokens: Array) -> Array:
    """The mean surprise, in nats, of each token after the first given those before it: tokens (B, T + 1) -> ()."""
    scores = lstm(parameters, tokens[:, :-1])
    chosen = jnp.take_along_axis(scores, tokens[:, 1:, None], axis=-1)[..., 0]
    return jnp.mean(jax.nn.logsumexp(scores, axis=-1) - chosen)


def empty_memory(parameters: Parameters, batch: int) -> State:
    """The state before the first token: what each layer last said, and its memory cells, (layers, B, C) each.

    >>> said, cells = empty_memory(lstm_parameters(jax.random.key(0), vocabulary=65), batch=2)
    >>> said.shape, float(cells.max())
    ((1, 2, 128), 0.0)
    """
    count, width, _ = parameters["recurrent"].shape
    return jnp.zeros((count, batch, width)), jnp.zeros((count, batch, width))


def read_on(parameters: Parameters, tokens: Array, state: State) -> tuple[Array, State]:
    """Scores of each next token, and the state after the last: tokens (B, T) -> (B, T, V), and a state.

    Reading a text in pieces gives what reading it whole gives.

    >>> parameters = lstm_parameters(jax.random.key(0), vocabulary=65)
    >>> scores, state = read_on(parameters, jnp.array([[1, 2]]), empty_memory(parameters, batch=1))
    >>> again = read_on(parameters, jnp.array([[3]]), state)[0]
    >>> bool(jnp.allclose(again[0, 0], lstm(parameters, jnp.array([[1, 2, 3]]))[0, 2]))
    True
    """
    states, x = [], None
    for layer, (weights, bias) in enumerate(zip(parameters["input"], parameters["bias"], strict=True)):
        if x is None and tokens.size > len(parameters["embedding"]):  # multiply each row of the embedding once
            x = (parameters["embedding"] @ weights + bias)[tokens.T]  # (T, B, 4C)
        else:
            x = parameters["embedding"][tokens.T] if x is None else x
            x = (x.reshape(-1, x.shape[-1]) @ weights + bias).reshape(*x.shape[:2], -1)
        last, x = layer_of_lstm(x, parameters["recurrent"][layer], state[0][layer], state[1][layer])
        states.append(last)
    scores = x.reshape(-1, x.shape[-1]) @ parameters["head"]
    said, cells = zip(*states, strict=True)
    return scores.reshape(*tokens.T.shape, -1).swapaxes(0, 1), (jnp.stack(said), jnp.stack(cells))


@jax.custom_vjp
def layer_of_lstm(x: Array, recurrent: Array, said: Array, cells: Array) -> tuple[State, Array]:
    """One layer, step by step: x (T, B, 4C), already multiplied, -> (last said and cells (B, C)), all said (T, B, C).

    Its gradient is written by hand: the steps backward carry the errors alone, and the matrix's gradient is one
    product over all steps at the end, which takes two thirds of the time where the batch is small.
    """
    return _forward(x, recurrent, said, cells)[0]


def _forward(x: Array, recurrent: Array, said: Array, cells: Array):
    width = cells.shape[-1]

    def step(state: State, inputs: Array):
        said, cells = state
        mixed = inputs + said @ recurrent
        gates, candidate = jax.nn.sigmoid(mixed[:, : 3 * width]), jnp.tanh(mixed[:, 3 * width :])
        let_in, keep, let_out = jnp.split(gates, 3, axis=-1)
        cells = keep * cells + let_in * candidate
        said = let_out * jnp.tanh(cells)
        return (said, cells), (said, cells, gates, candidate)

    last, kept = jax.lax.scan(step, (said, cells), x)
    return (last, kept[0]), (recurrent, said, cells, *kept)


def _backward(kept, errors):
    recurrent, first_said, first_cells, said, cells, gates, candidate = kept
    last, errors_of_said = errors
    let_in, keep, let_out = jnp.split(gates, 3, axis=-1)
    said_before = jnp.concatenate([first_said[None], said[:-1]])
    cells_before = jnp.concatenate([first_cells[None], cells[:-1]])
    squashed = jnp.tanh(cells)
    slopes = (  # how much each part of `mixed` moves the cells, or what is said; none of it needs the errors
        candidate * let_in * (1 - let_in),
        cells_before * keep * (1 - keep),
        squashed * let_out * (1 - let_out),
        let_in * (1 - jnp.square(candidate)),
        let_out * (1 - jnp.square(squashed)),
    )

    def step(state: State, inputs):
        of_said, of_cells = state
        error, keep, (by_in, by_keep, by_out, by_candidate, by_cells) = inputs
        of_said = of_said + error
        of_cells = of_cells + of_said * by_cells
        parts = (of_cells * by_in, of_cells * by_keep, of_said * by_out, of_cells * by_candidate)
        of_mixed = jnp.concatenate(parts, axis=-1)
        return (of_mixed @ recurrent.T, of_cells * keep), of_mixed

    (of_said, of_cells), of_mixed = jax.lax.scan(step, last, (errors_of_said, keep, slopes), reverse=True)
    width = recurrent.shape[0]
    of_recurrent = said_before.reshape(-1, width).T @ of_mixed.reshape(-1, 4 * width)
    return of_mixed, of_recurrent, of_said, of_cells


layer_of_lstm.defvjp(_forward, _backward)
