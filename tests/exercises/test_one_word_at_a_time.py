"""The exercises of lesson 2.2: their solutions against the course's LSTM, a drawn grid, and powers."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import recurrent
from helpers.exercises.one_word_at_a_time import my_reach, my_step, my_waiting


@pytest.mark.parametrize("seed", range(3))
def test_a_step_is_that_of_the_course_s_lstm(seed):
    *mixed, cell = np.random.default_rng(seed).normal(0, 2, 5)
    state = jnp.zeros((1, 1)), jnp.full((1, 1), cell)
    _, said = recurrent.layer_of_lstm(jnp.array([[mixed]]), jnp.zeros((1, 4)), *state)
    assert my_step(*mixed, cell) == pytest.approx(float(said[0, 0, 0]), rel=1e-5)


@pytest.mark.parametrize(("layers", "characters", "moments"), [(1, 1, 1), (1, 5, 5), (5, 1, 5), (2, 3, 4), (3, 2, 4)])
def test_waiting_by_hand(layers, characters, moments):
    assert my_waiting(layers, characters) == moments


@given(st.integers(1, 12), st.integers(1, 60))
def test_waiting_is_a_path_along_two_sides(layers, characters):
    assert my_waiting(layers, characters) == layers + characters - 1


@given(st.floats(0.05, 0.99), st.floats(0.001, 0.95))
def test_at_the_reach_enough_is_left_and_a_step_further_it_is_not(keep, share):
    steps = my_reach(keep, share)
    assert steps == 0 or keep**steps >= share * (1 - 1e-9)
    assert keep ** (steps + 1) < share * (1 + 1e-9)
