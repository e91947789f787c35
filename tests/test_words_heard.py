"""A person's diet of words, multiplied through from the estimates in data/."""

import numpy as np
import pytest

from helpers import data
from helpers.recordings.what_data_teaches import diet
from helpers.recordings.what_data_teaches.diet import Assumption

ONE = [Assumption("talk", "words", 100, 200, 400)]


def test_each_estimate_has_its_bounds_in_order_and_its_sources():
    for row in data.table("words_heard"):
        assert float(row["low"]) < float(row["central"]) < float(row["high"]), row["argument"]
        assert row["source"] and row["low_source"] and row["high_source"] and row["read"]
    for row in data.table("diet_estimates"):
        assert row["source"] and (row["low"] or row["high"])
        assert not row["low"] or not row["high"] or float(row["low"]) <= float(row["high"])
    for row in data.table("training_sets"):
        assert 1e9 < float(row["tokens"]) < 1e15 and row["source"] and row["kind"] in ("seen", "offered", "stock")


def test_the_central_diet_by_hand():
    central = {one.argument: one.central for one in diet.assumptions()}
    by_hand = 20 * 365.25 * 1.33 * (18_022 + 30_000 + 30 * 238)
    assert diet.tokens_met(central, diet.assumptions(), years=20) == pytest.approx(by_hand)


def test_draws_stay_between_the_bounds_and_are_even_on_a_logarithmic_scale():
    values = np.log2(diet.drawn(ONE, draws=20_000)["words"] / 100)
    assert values.min() >= 0 and values.max() <= 2
    shares, _ = np.histogram(values, bins=4, range=(0, 2))
    assert shares / len(values) == pytest.approx([0.25] * 4, abs=0.02)


def test_the_interval_of_one_assumption_is_known_exactly():
    low, middle, high = diet.diet(1, ONE, draws=50_000)
    assert np.array([low, middle, high]) / diet.DAYS == pytest.approx([100 * 4**0.025, 200, 100 * 4**0.975], rel=0.02)


def test_the_seed_decides_and_the_interval_hardly_depends_on_it():
    assert diet.diet(20, seed=3) == diet.diet(20, seed=3)
    assert diet.diet(20, seed=3) != diet.diet(20, seed=4)
    assert diet.diet(20, seed=3) == pytest.approx(diet.diet(20, seed=4), rel=0.05)


def test_twice_the_years_is_twice_the_diet():
    assert np.array(diet.diet(40)) == pytest.approx(2 * np.array(diet.diet(20)))


def test_an_assumption_without_doubt_widens_nothing():
    sure = [one._replace(low=one.central, high=one.central) for one in diet.assumptions()]
    low, middle, high = diet.diet(20, sure)
    assert low == pytest.approx(middle) == pytest.approx(high)
    assert all(a == pytest.approx(b) for a, b in diet.one_at_a_time(20, sure).values())


def test_lives_are_tokens_over_the_diet():
    met, lives = diet.diet(20), diet.lifetimes(1e13)
    assert lives.middle == pytest.approx(1e13 / met.middle)
    assert lives.low < lives.middle < lives.high


@pytest.mark.parametrize(
    "wrong", [Assumption("a", "b", 0, 1, 2), Assumption("a", "b", 3, 2, 4), Assumption("a", "b", 1, 5, 4)]
)
def test_bounds_out_of_order_are_refused(wrong):
    with pytest.raises(ValueError, match="in order"):
        diet.drawn([wrong])


def test_nothing_to_add_up_and_no_years_are_refused():
    with pytest.raises(ValueError, match="no assumption"):
        diet.diet(20, [Assumption("all", "tokens", 1, 1, 1)])
    with pytest.raises(ValueError, match="years"):
        diet.diet(0)
