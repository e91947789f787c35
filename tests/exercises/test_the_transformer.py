"""The exercises of lesson 2.4: their solutions against hand-worked examples and other people's code."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from helpers.exercises import the_transformer as exercises
from helpers.exercises.the_transformer import my_reach, my_share, my_times


@pytest.mark.parametrize(
    ("case", "count"),
    [((10, 2, 1, 2), 3), ((10, 2, 2, 2), 5), ((10, 8, 2, 2), 2), ((10, 9, 5, 5), 1), ((9, 0, 0, 3), 1)],
)
def test_reach_by_hand(case, count):
    assert my_reach(*case) == count


@given(st.integers(1, 12), st.integers(0, 11), st.integers(0, 4), st.integers(0, 4))
def test_reach_is_that_of_masks_laid_one_on_another(length, position, layers, back):
    position = min(position, length - 1)
    sees = np.tril(np.ones((length, length), int)) - np.tril(np.ones((length, length), int), -back - 1)
    changed = np.linalg.matrix_power(sees, layers)[:, position] > 0
    assert my_reach(length, position, layers, back) == changed.sum()


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(0.1, 5))
def test_share_is_scipys(scores, temperature):
    assert my_share(scores, temperature) == pytest.approx(softmax(np.array(scores) / temperature).max())


def test_share_is_how_often_it_is_drawn():
    drawn = jax.random.categorical(jax.random.key(0), jnp.array([1.0, 3.0, 2.0]) / 2, shape=(20_000,))
    assert my_share([1.0, 3.0, 2.0], 2.0) == pytest.approx(float((drawn == 1).mean()), abs=0.02)


def test_times_by_hand():
    first = [(1, 3.0), (4, 2.0)]
    assert my_times(first, [(1, 3.0), (2, 2.5), (8, 2.0)]) == pytest.approx(2)
    assert my_times(first, [(4, 2.5), (16, 1.5)]) == pytest.approx(2)
    assert my_times(first, [(1, 3.0), (8, 2.1)]) is None


@given(st.floats(0.1, 10), st.floats(0.1, 0.9))
def test_a_curve_moved_along_the_compute_needs_as_many_times_more(times, slope):
    first = [(2**k, 3 - slope * k / 4) for k in range(5)]
    moved = [(times * compute, loss) for compute, loss in [*first, (2**5, 3 - slope * 5 / 4)]]
    assert my_times(first, moved) == pytest.approx(times)


def test_an_unknown_ratio_gets_a_true_counter_example():
    def three_times_too_many(first, second):
        answer = my_times(first, second)
        return answer and 3 * answer

    result = exercises.times.check(three_times_too_many)
    assert result.mistake is None
    assert "returned 6.0; the ratio is 2.0." in " ".join(repr(result).split())


def test_jax_answers_pass():
    assert exercises.share.check(lambda scores, t: jax.nn.softmax(jnp.array(scores) / t).max()).passed
