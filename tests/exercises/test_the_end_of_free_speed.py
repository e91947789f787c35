"""The exercises of lesson 1.1: their solutions against hand-worked examples, and against each other."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers.exercises import the_end_of_free_speed as exercises
from helpers.exercises.the_end_of_free_speed import my_best_part, my_factor, my_share, my_speed_up

seconds = st.floats(0.1, 100)
factors = st.floats(1, 1000)
parts = st.lists(st.tuples(seconds, factors), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("old", "faster", "whole"),
    [([1.0], [3], 3), ([1.0, 1.0], [1, 2], 4 / 3), ([2.0, 8.0], [1, 8], 10 / 3), ([3.0, 3.0], [0.5, 0.5], 0.5)],
)
def test_speed_up_by_hand(old, faster, whole):
    assert my_speed_up(old, faster) == pytest.approx(whole)


@given(parts)
def test_speed_up_is_the_weighted_harmonic_mean_and_lies_between_the_factors(program):
    old, faster = zip(*program)
    whole = my_speed_up(list(old), list(faster))
    assert whole == pytest.approx(stats.hmean(faster, weights=old))
    assert min(faster) * (1 - 1e-9) <= whole <= max(faster) * (1 + 1e-9)


def test_amdahls_example_of_a_serial_part_is_bounded():
    assert my_speed_up([0.05, 0.95], [1, 1e12]) == pytest.approx(20)


@pytest.mark.parametrize(
    ("years", "values", "factor"),
    [([0, 5], [2.0, 20.0], 10), ([0, 1], [1.0, 2.0], 32), ([3, 4, 5], [7.0, 7.0, 7.0], 1), ([0, 10], [4.0, 1.0], 0.5)],
)
def test_factor_by_hand(years, values, factor):
    assert my_factor(years, values) == pytest.approx(factor)


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=10))
def test_factor_is_scipys_regression_and_no_unit_matters(logs):
    years, values = list(range(len(logs))), list(np.exp(logs))
    factor = my_factor(years, values)
    assert math.log(factor) == pytest.approx(5 * stats.linregress(years, logs).slope, abs=1e-9)
    assert my_factor([year + 1970 for year in years], [1000 * value for value in values]) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("old", "faster", "best"),
    [([5.0, 4.0], [1.25, 10], 1), ([4.0, 1.0], [2, 1000], 0), ([2.0, 2.0], [2, 2], 0), ([1.0, 9.0], [1, 1], 0)],
)
def test_best_part_by_hand(old, faster, best):
    assert my_best_part(old, faster) == best


@given(parts)
def test_no_other_part_makes_the_whole_faster(program):
    old, faster = map(list, zip(*program))

    def only(part):
        return my_speed_up(old, [factor if i == part else 1 for i, factor in enumerate(faster)])

    assert only(my_best_part(old, faster)) >= max(map(only, range(len(old)))) * (1 - 1e-9)


@pytest.mark.parametrize(
    ("wanted", "factor", "share"),
    [(1, 5, 0), (5, 5, 1), (2, 4, 2 / 3), (10, 100, 10 / 11), (1, 1, 0), (2, 1, None), (30, 20, None)],
)
def test_share_by_hand(wanted, factor, share):
    found = my_share(wanted, factor)
    assert found is None if share is None else found == pytest.approx(share)


@given(st.floats(1, 50), st.floats(1.01, 1000))
def test_the_share_gives_what_was_wanted(wanted, factor):
    share = my_share(wanted, factor)
    if wanted > factor:
        assert share is None
    else:
        assert 0 <= share <= 1 + 1e-9
        assert my_speed_up([1 - share, share], [1, factor]) == pytest.approx(wanted)


# Other attempts that learners may make


def test_amdahls_law_through_the_shares_passes():
    def by_shares(old, faster):
        return 1 / sum(second / sum(old) / factor for second, factor in zip(old, faster))

    assert exercises.speed_up.check(by_shares).passed


def test_a_regression_by_scipy_passes():
    assert exercises.factor.check(
        lambda years, values: 10 ** (5 * stats.linregress(years, np.log10(values)).slope)
    ).passed


def test_the_best_part_by_trying_each_passes():
    def by_trying(old, faster):
        whole = [sum(old) - old[i] + old[i] / faster[i] for i in range(len(old))]
        return int(np.argmin(whole))

    assert exercises.best_part.check(by_trying).passed


def test_an_unknown_share_gets_a_true_counter_example():
    result = exercises.share.check(lambda wanted, factor: 0.5)
    assert not result.passed
    assert result.mistake is None
    assert "`my_share(1, 2)` returned 0.5; the share is 0" in " ".join(repr(result).split())
