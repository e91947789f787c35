"""The exercises of lesson 2.3: their solutions against hand-worked examples, JAX's own attention, and a softmax."""

import math

import jax
import numpy as np
import pytest

from helpers.exercises.attention import my_merge, my_near_attention, my_shared_attention


def rows(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def test_near_attention_by_hand():
    same = np.ones((3, 4))  # equal scores: the mix is the mean of what is seen
    value = np.array([[3.0], [6.0], [12.0]])
    assert my_near_attention(same, same, value, 1).tolist() == value.tolist()
    assert my_near_attention(same, same, value, 2) == pytest.approx(np.array([[3], [4.5], [9]]))
    assert my_near_attention(same, same, value, 3) == pytest.approx(np.array([[3], [4.5], [7]]))


@pytest.mark.parametrize("reach", [1, 3, 8])
def test_near_attention_is_the_librarys_with_a_window(reach):
    query, key, value = rows(8, 4), rows(8, 5)[:, :4], rows(8, 6)[:, :4]
    library = jax.nn.dot_product_attention(
        *(x[None, :, None] for x in (query, key, value)), is_causal=True, local_window_size=(reach - 1, 0)
    )
    assert my_near_attention(query, key, value, reach) == pytest.approx(np.asarray(library)[0, :, 0], abs=1e-5)


def test_shared_attention_is_the_librarys_with_one_key_for_all_heads():
    query, key, value = rows(6, 12), rows(6, 4), rows(6, 5)[:, :4]
    library = jax.nn.dot_product_attention(query.reshape(1, 6, 3, 4), key[None, :, None], value[None, :, None])
    assert my_shared_attention(query, key, value, 3) == pytest.approx(np.asarray(library).reshape(6, 12), abs=1e-5)


def test_merge_by_hand():
    largest, total, mixed = my_merge((1.0, 1.0, [2.0]), (1.0 + math.log(4), 1.0, [8.0]))
    assert (largest, total, *mixed) == pytest.approx((1 + math.log(4), 1.25, 8.5))


@pytest.mark.parametrize("cut", [1, 3, 6])
def test_merged_halves_are_the_whole_softmax(cut):
    scores, values = 10 * rows(7), rows(7, 2)

    def state(part: slice) -> tuple:
        powers = np.exp(scores[part] - scores[part].max())
        return scores[part].max(), powers.sum(), list(powers @ values[part])

    _, total, mixed = my_merge(state(slice(0, cut)), state(slice(cut, None)))
    assert np.array(mixed) / total == pytest.approx(np.asarray(jax.nn.softmax(scores) @ values), abs=1e-4)


def test_merging_is_associative():
    one, two, three = (0.5, 1.0, [2.0, 1.0]), (3.0, 1.5, [0.5, -1.0]), (-2.0, 2.5, [1.0, 4.0])
    left, right = my_merge(my_merge(one, two), three), my_merge(one, my_merge(two, three))
    assert (*left[:2], *left[2]) == pytest.approx((*right[:2], *right[2]))
