"""The exercises of lesson 1.5: their solutions against hand-worked examples, the compiler, and one another."""

import math

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import models
from helpers.exercises import the_token_factory as exercises
from helpers.exercises.the_token_factory import my_batch_needed, my_cache_bytes, my_operations, my_turn

H100 = {"flops": 0.4 * 1979e12, "bandwidth": 3.35e12}  # float8, at 40% of its peak
HALF_A_TRILLION = {"parameters": 5e11, "bits": 8, **H100}
positive = st.floats(0.1, 1000)


def test_operations_by_hand():
    # One layer of width 2, its net no wider: 4 matrices of 2 x 2 and two more, 24 weights; the head 2 x 3, 6.
    assert my_operations(2, 1, 3, 1, 0) == 2 * (24 + 6)
    # A net four times as wide has two matrices of 2 x 8, 32 weights in place of 8.
    assert my_operations(2, 1, 3, 4, 0) == 2 * (48 + 6)
    # One token in the cache: 2 numbers with its key, 2 with its value, a multiplication and an addition each.
    assert my_operations(2, 1, 3, 4, 1) == 2 * (48 + 6) + 8


@pytest.mark.parametrize(("width", "layers", "length"), [(128, 1, 64), (256, 2, 32)])
def test_operations_are_the_compilers(width, layers, length):
    """The last token of a text costs what the text costs more than the text without it, by XLA's own count."""
    parameters = models.transformer_parameters(jax.random.key(0), vocabulary=64, width=width, layers=layers)

    def counted(tokens: int) -> float:
        text = jnp.zeros((1, tokens), int)
        return jax.jit(models.transformer).lower(parameters, text).compile().cost_analysis()["flops"]

    # The whole pass works out every query with every key, those that it may not see included: twice the attention.
    by_hand = sum(my_operations(width, layers, 64, 4, length) for _ in range(length))
    assert counted(length) == pytest.approx(by_hand, rel=0.05)


def test_cache_by_hand_and_of_llama():
    assert my_cache_bytes(1, 1, 2, 3, 8) == 12  # 3 keys and 3 values of 2 numbers
    assert my_cache_bytes(1, 126, 8 * 128, 1, 16) == 516_096  # Llama 3.1 405B keeps 8 heads of 128 numbers


def test_the_turn_of_an_h100():
    # 989 TFLOP/s and 3.35 TB/s are 295 operations a byte: bfloat16 weights of 2 bytes take 1 a byte and text.
    assert my_turn(16, 989e12, 3.35e12) == pytest.approx(295, abs=0.5)
    assert my_turn(8, 1979e12, 3.35e12) == pytest.approx(295, abs=0.5)


@given(bits=positive, flops=positive, bandwidth=positive)
def test_at_the_turn_both_times_are_equal(bits, flops, bandwidth):
    batch = my_turn(bits, flops, bandwidth)
    assert bits / 8 / bandwidth == pytest.approx(batch * 2 / flops)


def test_a_million_tokens_a_dollar_need_a_batch_of_104():
    assert my_batch_needed(1e6, 2.5, **HALF_A_TRILLION) == 104
    assert my_batch_needed(9_640, 2.5, **HALF_A_TRILLION) == 1
    assert my_batch_needed(9_660, 2.5, **HALF_A_TRILLION) == 2
    assert my_batch_needed(1e6, 4.0, **HALF_A_TRILLION) is None


@given(tokens=positive, price=positive, parameters=positive, bits=positive, flops=positive, bandwidth=positive)
def test_the_batch_is_enough_and_one_fewer_is_not(tokens, price, parameters, bits, flops, bandwidth):
    batch = my_batch_needed(tokens, price, parameters, bits, flops, bandwidth)

    def bought(batch: float) -> float:
        step = max(parameters * bits / 8 / bandwidth, batch * 2 * parameters / flops)
        return batch * 3600 / price / step

    if batch is None:
        assert bought(1e9) < tokens * (1 + 1e-9)
    else:
        assert bought(batch) > tokens * (1 - 1e-9)
        assert batch == 1 or bought(batch - 1) < tokens * (1 + 1e-9)


# Other attempts that learners may make


def test_floor_division_upside_down_passes():
    def batch(tokens_a_dollar, dollars_an_hour, parameters, bits, flops, bandwidth):
        budget = 3600 / (dollars_an_hour * tokens_a_dollar)
        reading = parameters * bits / (8 * bandwidth)
        return None if budget < 2 * parameters / flops else -int(-reading // budget)

    assert exercises.batch_needed.check(batch).passed


def test_an_unknown_count_gets_a_true_counter_example():
    result = exercises.operations.check(lambda *sizes: my_operations(*sizes) + 7)
    assert result.mistake is None
    assert "returned 67; the count is 60." in " ".join(repr(result).split())


def test_infinity_for_none_is_named():
    result = exercises.batch_needed.check(lambda *given: my_batch_needed(*given) or math.inf)
    assert "inf" in repr(result)
