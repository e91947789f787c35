"""The exercises of lesson 1.3: their solutions against hand-worked examples and other people's code."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.exercises import fast_at_what as exercises
from helpers.exercises.fast_at_what import my_bits_a_weight, my_least_seconds, my_quantised
from helpers.recordings.fast_at_what import storing

positive = st.floats(0.1, 1e12)


def test_least_seconds_by_hand():
    assert my_least_seconds(10, 4, 5, 4) == 2
    assert my_least_seconds(4, 10, 4, 5) == 2


@given(positive, positive, positive, positive)
def test_least_seconds_is_work_over_the_height_of_the_roof(operations, moved, peak, bandwidth):
    height = min(peak, operations / moved * bandwidth)
    assert my_least_seconds(operations, moved, peak, bandwidth) == pytest.approx(operations / height)


def test_quantised_by_hand():
    assert my_quantised([0.625, -1.0, 0.125], 2) == [1, -1, 0]
    assert my_quantised([0.2, 0.9, -0.4], 3) == pytest.approx([0.3, 0.9, -0.3])


@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=9).filter(lambda w: max(map(abs, w)) > 0.01), st.integers(2, 8)
)
def test_quantised_weights_are_nearest_levels(weights, bits):
    m = 2 ** (bits - 1) - 1
    levels = np.arange(-m, m + 1) * max(map(abs, weights)) / m
    nearest = [np.abs(levels - weight).min() for weight in weights]
    assert np.abs(np.array(my_quantised(weights, bits)) - weights) == pytest.approx(nearest, abs=1e-9)


def test_bits_a_weight_by_hand():
    assert my_bits_a_weight(4, 2, 1) == pytest.approx((2 + math.log2(6)) / 4)
    assert my_bits_a_weight(4, 4, 3) == 3


@given(st.integers(2, 300), st.floats(0.05, 0.95))
def test_bits_a_weight_are_what_the_lesson_really_stores(n, share):
    kept = np.arange(n) < max(1, int(share * n))
    stored = storing.store(np.ones((n, 1)), "1", kept[:, None])
    extra = storing.SCALE_BITS + storing.COUNT_BITS
    assert abs(stored.bits - extra - n * my_bits_a_weight(n, int(kept.sum()), 1)) < 16


# Other attempts that learners may make


def test_numpy_attempts_pass():
    def quantised(weights, bits):
        weights, m = np.array(weights), 2 ** (bits - 1) - 1
        scale = np.abs(weights).max() / m
        return np.rint(weights / scale) * scale

    assert exercises.quantised.check(quantised).passed
    assert exercises.least_seconds.check(
        lambda operations, moved, peak, bandwidth: np.maximum(operations / peak, moved / bandwidth)
    ).passed


def test_counting_by_logarithms_of_factorials_passes():
    def bits(n, kept, value_bits):
        chosen = math.lgamma(n + 1) - math.lgamma(kept + 1) - math.lgamma(n - kept + 1)
        return (kept * value_bits + chosen / math.log(2)) / n

    assert exercises.bits_a_weight.check(bits).passed


def test_an_unknown_mistake_gets_a_true_counter_example():
    result = exercises.bits_a_weight.check(lambda n, kept, value_bits: my_bits_a_weight(n, kept, value_bits) + 1)
    assert not result.passed and result.mistake is None
    assert "`my_bits_a_weight(2, 1, 1)` returned 2.0; the count is 1.0." in " ".join(repr(result).split())


@pytest.mark.parametrize("wrong", [3.5, "text", [1, "two"], [math.nan], None])
def test_a_list_that_is_none_becomes_a_sentence(wrong):
    text = repr(exercises.quantised.check(lambda weights, bits: wrong))
    assert text.startswith("Not ") and "Traceback" not in text
