"""Lesson 2.2's memory test and its stopwatch: slow versions, finite differences, a cache that must not matter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers.recordings.one_word_at_a_time import memory, reading


def random_parameters(system):
    fresh = memory.fresh(system, 0, vocabulary=7, width=8)
    random = np.random.default_rng(1)
    return {name: jnp.asarray(random.normal(0, 0.4, array.shape), jnp.float32) for name, array in fresh.items()}


def test_the_plain_network_equals_a_slow_loop():
    parameters, tokens = random_parameters("RNN"), np.array([[1, 2, 3], [6, 0, 1]])
    arrays = {name: np.asarray(array, float) for name, array in parameters.items()}
    for row, scores in zip(tokens, memory.rnn(parameters, tokens), strict=True):
        state = np.zeros(8)
        for place, token in enumerate(row):
            state = np.tanh(arrays["embedding"][token] + state @ arrays["recurrent"] + arrays["bias"])
            np.testing.assert_allclose(scores[place], state @ arrays["head"], atol=1e-5)


@pytest.mark.parametrize("system", ["LSTM", "attention"])
def test_reach_agrees_with_finite_differences(system):
    """Each input of a text whose tokens all differ is moved by changing its own row of the embedding."""
    parameters, tokens, target = random_parameters(system), jnp.array([[3, 1, 4, 0]]), jnp.array([5])
    loss = jax.jit(lambda p: memory.loss_at_end(system, p, tokens, target))
    reach = jax.jit(memory.reach, static_argnums=0)
    found, step = reach(system, parameters, tokens, target)[0], 1e-2
    for place, token in enumerate(tokens[0]):
        slopes = []
        for channel in range(8):
            moved = [parameters["embedding"].at[token, channel].add(sign * step) for sign in (1, -1)]
            up, down = (loss(parameters | {"embedding": table}) for table in moved)
            slopes.append(float(up - down) / (2 * step))
        assert float(found[place]) == pytest.approx(np.linalg.norm(slopes), rel=0.03, abs=1e-3)


def test_an_example_has_its_symbol_at_the_distance():
    tokens, symbols = memory.examples(np.random.default_rng(0), distance=5, count=50)
    assert (tokens[:, 0] == symbols).all() and (symbols < memory.SYMBOLS).all()
    assert tokens.shape[1] - 1 == 5 and (tokens[:, -1] == memory.VOCABULARY - 1).all()
    assert ((tokens[:, 1:-1] >= memory.SYMBOLS) & (tokens[:, 1:-1] < memory.VOCABULARY - 1)).all()


def test_a_short_distance_is_solved_and_too_few_steps_are_not_enough():
    assert memory.recall("LSTM", 2, seed=0)["right"] >= memory.SOLVED
    assert memory.recall("LSTM", 40, seed=0, steps=memory.EVERY)["right"] < 0.5


def test_stirring_leaves_nothing_at_zero_but_biases():
    for system in ("LSTM", "attention"):
        stirred = memory.stirred(memory.fresh(system, 0, 7, 8), 0)
        assert all(np.asarray(array).any() for name, array in stirred.items() if name != "bias")


@pytest.mark.parametrize("system", ["LSTM", "attention"])
def test_going_on_from_memory_equals_reading_all_again(system):
    parameters = memory.stirred(reading.parameters_of(system, 8), 0)
    tokens = jnp.asarray(np.random.default_rng(0).integers(reading.VOCABULARY, size=9))
    remembered, answer_next, answer = (
        jax.jit(function, static_argnums=0) for function in (reading.remembered, reading.answer_next, reading.answer)
    )
    found = answer_next(system, parameters, tokens[-1], remembered(system, parameters, tokens[:-1]), 8)
    np.testing.assert_allclose(found, answer(system, parameters, tokens), atol=1e-4)


@pytest.mark.parametrize("system", reading.SYSTEMS)
def test_sizes_are_alike(system):
    for numbers in reading.NUMBERS:
        assert reading.numbers_in(system, reading.width_for(system, numbers)) == pytest.approx(numbers, rel=0.06)
    parameters = reading.parameters_of(system, 16)
    assert reading.numbers_in(system, 16) == sum(array.size for array in parameters.values())
