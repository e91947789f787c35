"""The LSTM against a slow one in NumPy, JAX's own, its automatic gradient, finite differences, and steps by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import rnn
from jax.test_util import check_grads

from helpers import recurrent, training

VOCABULARY, WIDTH, LAYERS = 11, 6, 2

lstm, read_on = jax.jit(recurrent.lstm), jax.jit(recurrent.read_on)


@pytest.fixture(scope="module")
def parameters():
    """A small model with every array random, the head and the biases too."""
    fresh = recurrent.lstm_parameters(jax.random.key(0), VOCABULARY, WIDTH, LAYERS)
    random = np.random.default_rng(1)
    return {name: jnp.asarray(random.normal(0, 0.5, array.shape), jnp.float32) for name, array in fresh.items()}


@pytest.fixture(scope="module")
def tokens():
    return np.random.default_rng(2).integers(0, VOCABULARY, (3, 9))


def slow_lstm(parameters, tokens):
    """Gate by gate, token by token, as Gers et al. (2000) write it, in double precision."""
    arrays = {name: np.asarray(array, np.float64) for name, array in parameters.items()}
    sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    inputs = [arrays["embedding"][token] for token in tokens]
    for layer in range(len(arrays["bias"])):
        w, u, b = (np.split(arrays[name][layer], 4, axis=-1) for name in ("input", "recurrent", "bias"))
        said, cell, outputs = np.zeros(len(u[0])), np.zeros(len(u[0])), []
        for x in inputs:
            let_in, keep, let_out = (sigmoid(x @ w[gate] + said @ u[gate] + b[gate]) for gate in range(3))
            cell = keep * cell + let_in * np.tanh(x @ w[3] + said @ u[3] + b[3])
            said = let_out * np.tanh(cell)
            outputs.append(said)
        inputs = outputs
    return np.array(inputs) @ arrays["head"]


def test_equals_a_slow_loop_in_numpy(parameters, tokens):
    expected = [slow_lstm(parameters, row) for row in tokens]
    np.testing.assert_allclose(lstm(parameters, tokens), expected, atol=2e-6)


def test_equals_jax_s_own_lstm(parameters, tokens):
    order = (0, 1, 3, 2)  # JAX, as cuDNN, has the candidate before the output gate
    packed = {
        name: {
            layer: jnp.concatenate([jnp.split(parameters[name][layer].T, 4)[gate] for gate in order])
            for layer in range(LAYERS)
        }
        for name in ("input", "recurrent")
    }
    bias = {
        layer: jnp.concatenate([jnp.split(parameters["bias"][layer], 4)[gate] for gate in order])
        for layer in range(LAYERS)
    }
    none = {layer: jnp.zeros(4 * WIDTH) for layer in range(LAYERS)}
    zeros, lengths = jnp.zeros((LAYERS, len(tokens), WIDTH)), jnp.full(len(tokens), tokens.shape[1], jnp.int32)
    said, *_ = rnn.lstm_ref(
        parameters["embedding"][tokens], zeros, zeros, packed["input"], packed["recurrent"], bias, none, lengths,
        WIDTH, WIDTH, LAYERS, 0.0, False,
    )  # fmt: skip
    np.testing.assert_allclose(lstm(parameters, tokens), said @ parameters["head"], atol=2e-6)


def test_one_step_by_hand():
    """One cell, every gate's sum 0: half open. The candidate's sum is ln 2, so tanh gives (4 - 1) / (4 + 1) = 0.6."""
    x = jnp.array([[[0.0, 0.0, 0.0, np.log(2)]]])
    (said, cells), every = recurrent.layer_of_lstm(x, jnp.zeros((1, 4)), jnp.zeros((1, 1)), jnp.ones((1, 1)))
    assert float(cells[0, 0]) == pytest.approx(0.5 * 1 + 0.5 * 0.6)
    assert float(said[0, 0]) == float(every[0, 0, 0]) == pytest.approx(0.5 * np.tanh(0.8))


def by_autodiff(x, matrix, said, cells):
    """The same layer, for JAX to find the gradient of."""

    def step(state, inputs):
        let_in, keep, let_out, candidate = jnp.split(inputs + state[0] @ matrix, 4, axis=-1)
        cells = jax.nn.sigmoid(keep) * state[1] + jax.nn.sigmoid(let_in) * jnp.tanh(candidate)
        state = jax.nn.sigmoid(let_out) * jnp.tanh(cells), cells
        return state, state[0]

    return jax.lax.scan(step, (said, cells), x)


def a_layer():
    random = np.random.default_rng(3)
    shapes = ((7, 3, 4 * WIDTH), (WIDTH, 4 * WIDTH), (3, WIDTH), (3, WIDTH))
    return [jnp.asarray(random.normal(0, 0.7, shape), jnp.float32) for shape in shapes]


def test_gradient_written_by_hand_equals_the_automatic_one():
    weights = [np.random.default_rng(4).normal(size=shape) for shape in ((3, WIDTH), (3, WIDTH), (7, 3, WIDTH))]

    def summed(layer):
        def value(*arguments):
            (said, cells), every = layer(*arguments)
            return sum(jnp.sum(w * part) for w, part in zip(weights, (said, cells, every), strict=True))

        return jax.grad(value, argnums=(0, 1, 2, 3))

    mine, theirs = (jax.jit(summed(layer))(*a_layer()) for layer in (recurrent.layer_of_lstm, by_autodiff))
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_gradient_agrees_with_finite_differences(parameters, tokens):
    windows = np.concatenate([tokens, tokens[:, :1]], axis=1)
    loss = jax.jit(lambda p: recurrent.next_token_loss(p, windows))
    check_grads(loss, (parameters,), 1, ["rev"], atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("cut", [1, 5])
def test_reading_in_pieces_equals_reading_whole(parameters, tokens, cut):
    whole, end = read_on(parameters, tokens, recurrent.empty_memory(parameters, len(tokens)))
    first, state = read_on(parameters, tokens[:, :cut], recurrent.empty_memory(parameters, len(tokens)))
    second, last = read_on(parameters, tokens[:, cut:], state)
    np.testing.assert_allclose(jnp.concatenate([first, second], axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(last, end, atol=1e-6)


def test_few_tokens_and_many_are_multiplied_alike(parameters, tokens):
    """27 tokens are more than the embedding's 11 rows, which are then multiplied first; 9 are fewer."""
    np.testing.assert_allclose(lstm(parameters, tokens[:1]), lstm(parameters, tokens)[:1], atol=1e-6)


def test_nothing_leaks_from_the_future_or_between_texts(parameters, tokens):
    changed = tokens.copy()
    changed[1, 5] = (changed[1, 5] + 1) % VOCABULARY
    before, after = (np.asarray(lstm(parameters, read)) for read in (tokens, changed))
    np.testing.assert_array_equal(before[[0, 2]], after[[0, 2]])
    np.testing.assert_array_equal(before[1, :5], after[1, :5])
    assert np.all(np.abs(before[1, 5:] - after[1, 5:]).max(axis=-1) > 0)


def test_a_fresh_model_guesses_evenly_and_forgets_little():
    fresh = recurrent.lstm_parameters(jax.random.key(5), VOCABULARY, WIDTH, LAYERS)
    loss = recurrent.next_token_loss(fresh, np.zeros((1, 4), int))
    assert float(loss) == pytest.approx(np.log(VOCABULARY), rel=1e-6)
    gates = fresh["bias"].reshape(LAYERS, 4, WIDTH)
    assert (gates[:, 1] == 1).all() and (gates[:, [0, 2, 3]] == 0).all()


def test_keys_give_different_models_and_one_key_the_same():
    first, same, other = (recurrent.lstm_parameters(jax.random.key(key), 5, 4) for key in (0, 0, 1))
    for name in ("embedding", "input", "recurrent"):
        np.testing.assert_array_equal(first[name], same[name])
        assert not np.allclose(first[name], other[name])


@pytest.mark.parametrize("size", [(0, 4, 1), (5, 0, 1), (5, 4, 0)])
def test_sizes_below_one_are_refused(size):
    with pytest.raises(ValueError, match="at least one"):
        recurrent.lstm_parameters(jax.random.key(0), *size)


def test_learns_a_rhythm_by_the_course_s_training_loop():
    """Whether a 1 or a 2 follows a 0 depends on what stood three places before."""
    rhythm = np.tile([0, 1, 0, 2], 20)
    batches = ((np.stack([rhythm[i : i + 17] for i in range(4)]),) for _ in range(80))
    fresh = recurrent.lstm_parameters(jax.random.key(0), 3, 8)
    validate = lambda parameters: float(recurrent.next_token_loss(parameters, rhythm[None]))  # noqa: E731
    _, history = training.fit(recurrent.next_token_loss, fresh, batches, validate, steps=80)
    assert history[-1].loss < 0.15  # without the memory of three places: half of log 2
