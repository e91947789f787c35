"""The worth of repeated text, and when training sets outgrow the text that there is."""

import numpy as np
import pytest

from helpers.recordings.what_data_teaches import repeats
from helpers.recordings.what_data_teaches.repeats import Law, Point

RUNS = [(25 * 2**k, 1) for k in range(7)] + [(25, 2**k) for k in range(1, 7)] + [(100, 2**k) for k in range(1, 5)]


def points(law, noise=0.0, seeds=1, draw=0):
    """What runs would give if the law were true: its losses with so much noise."""
    draw = np.random.default_rng(draw)
    runs = [(u, n, seed) for u, n in RUNS for seed in range(seeds)]
    return [Point(u, n, repeats.predict(law, u, n) + noise * draw.standard_normal(), seed) for u, n, seed in runs]


def test_effective_text_by_hand():
    assert repeats.effective(10, 3, worth=2) == pytest.approx(10 * (1 + 2 * (1 - np.exp(-1))))


def test_effective_text_grows_ever_less_and_never_beyond_its_bound():
    worth = repeats.effective(1, np.arange(1, 200), worth=7)
    assert (np.diff(worth) > 0).all() and (np.diff(worth, 2) < 0).all()
    assert worth[-1] < 8 and worth[1] < 2


def test_repeats_of_endless_worth_are_fresh_text():
    assert repeats.effective(5, 6, worth=1e9) == pytest.approx(30)
    assert repeats.effective(5, 6, worth=1e-3) == pytest.approx(5.005)


@pytest.mark.parametrize("worth", [0.5, 5, 40])
def test_the_fit_finds_the_law_that_made_the_losses(worth):
    law = Law(floor=1.2, scale=6, power=0.35, worth=worth)
    assert repeats.fit(points(law)) == pytest.approx(law, rel=0.02)


def test_the_interval_holds_the_truth_as_often_as_it_should():
    law = Law(floor=1.2, scale=6, power=0.35, worth=6)
    found = [repeats.worth_of_repeats(points(law, 0.03, 4, draw), draws=40) for draw in range(12)]
    assert sum(low < 6 < high for low, _, high in found) >= 9
    assert np.mean([high / low for low, _, high in found]) < 1.5


def test_more_noise_is_a_wider_interval():
    law = Law(floor=1.2, scale=6, power=0.35, worth=6)
    wide, narrow = (repeats.worth_of_repeats(points(law, noise, seeds=4), draws=20) for noise in (0.03, 0.003))
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


def test_one_seed_gives_no_interval():
    with pytest.raises(ValueError, match="two seeds"):
        repeats.worth_of_repeats(points(Law(1, 6, 0.35, 6)))


def test_points_that_cannot_tell_are_refused():
    fresh = [Point(u, 1, 2.0) for u in (1, 2, 3)]
    for some in (fresh, [Point(1, 1, 2.0), Point(2, 1, 2.0), Point(1, 4, 1.9)]):
        with pytest.raises(ValueError, match="three sizes"):
            repeats.fit(some)


def rows(years, tokens):
    return [{"kind": "seen", "year": str(y), "tokens": str(t)} for y, t in zip(years, tokens, strict=True)]


def test_a_tenfold_growth_reaches_a_hundredfold_in_two_years(monkeypatch):
    table = [*rows([2022, 2023, 2024], [1e10, 1e11, 1e12]), {"kind": "stock", "year": "2000", "tokens": "1"}]
    monkeypatch.setattr(repeats.data, "table", lambda name: table)
    assert repeats.crossing_year(1e14, draws=50) == pytest.approx((2026, 2026, 2026))


def test_sets_that_shrink_never_reach_it(monkeypatch):
    monkeypatch.setattr(repeats.data, "table", lambda name: rows([2022, 2023, 2024], [1e12, 1e11, 1e10]))
    assert repeats.crossing_year(1e14, draws=50).middle == np.inf


def test_more_text_moves_the_crossing_later():
    once, worth_sixteen = repeats.crossing_year(3e14), repeats.crossing_year(16 * 3e14)
    assert once.low < once.middle < once.high and once.middle < worth_sixteen.middle


def test_no_stock_is_refused():
    with pytest.raises(ValueError, match="stock"):
        repeats.crossing_year(0)
