"""The town whose next words are known, its losses and its costs."""

import jax
import numpy as np
import pytest
from scipy import stats

from helpers.recordings.predict_the_next_token import town

TRUE = town.truth("even", 0)
draw = np.random.default_rng(0)
SAID = np.log(draw.dirichlet(np.ones(12), (12, 12))).astype(np.float32)


@pytest.mark.parametrize("name", town.TOWNS)
def test_each_place_asks_for_one_group_of_four_words(name):
    for place in town.truth(name, 3).transpose(1, 0, 2):
        assert len({town.GROUP[word] for word in np.flatnonzero(place.any(axis=0))}) == 1
        assert (place > 0).sum(axis=1).tolist() == [4] * town.PEOPLE


def test_the_sharp_town_is_easier_to_predict_than_the_even_one():
    even, sharp = (stats.entropy(town.truth(name, 0), axis=-1).mean() for name in ("even", "sharp"))
    assert sharp < even


def test_divergence_is_scipys_in_bits():
    expected = stats.entropy(TRUE.reshape(-1, 12), np.exp(SAID).reshape(-1, 12), base=2, axis=1).mean()
    assert town.divergence(TRUE, SAID) == pytest.approx(expected, rel=1e-4)
    assert town.divergence(TRUE, np.log(np.maximum(TRUE, 1e-30))) == pytest.approx(0, abs=1e-6)


def test_wrong_group_by_hand():
    assert town.wrong_group(TRUE, np.log(np.full((12, 12, 12), 1 / 12))) == pytest.approx(8 / 12)


def test_a_loss_with_no_strength_is_the_plain_one():
    came, _ = town.draw_lines("even", 300, 0)
    plain = town.plain_loss(SAID, came)
    assert town.soft_loss(SAID, came, town.NEIGHBOURS["by meaning"], 0.0) == pytest.approx(float(plain), rel=1e-5)
    assert town.weighted_loss(SAID, came, town.COSTS["at hand"], 0.0) == pytest.approx(float(plain), rel=1e-5)


def test_soft_and_weighted_losses_by_hand():
    odds = np.full(12, 0.05)
    odds[:2] = 0.3, 0.2  # left and right
    came = np.zeros((1, 1, 12), np.float32)
    came[0, 0, 0] = 2
    said = np.log(odds)[None, None]
    meaning = -(0.6 + 0.4 / 4) * np.log(0.3) - 0.1 * (np.log(0.2) + 2 * np.log(0.05))
    assert town.soft_loss(said, came, town.NEIGHBOURS["by meaning"], 0.4) == pytest.approx(meaning, rel=1e-5)
    expected_cost = 0.2 + 9 * 0.05 + 10 * 0.05  # "left" came; "stop" costs 10
    expected = -np.log(0.3) + 3 * expected_cost
    assert town.weighted_loss(said, came, town.COSTS["at hand"], 3.0) == pytest.approx(expected, rel=1e-5)


def test_the_cheapest_word_avoids_a_dangerous_one():
    odds = np.full(12, 1e-6)
    odds[0], odds[1] = 0.6, 0.4
    said = np.log(odds)[None, None]
    assert town.WORDS[town.likeliest(said, "at hand")[0, 0]] == "left"
    assert town.WORDS[town.cheapest(said, "at hand")[0, 0]] == "right"  # 10 x 0.4 against 1 x 0.6
    assert town.cost(odds[None, None], np.array([[0]]), "at hand") == pytest.approx(4, rel=1e-3)
    assert town.cost(odds[None, None], np.array([[1]]), "at hand") == pytest.approx(0.6, rel=1e-3)


def test_the_network_gives_probabilities_and_starts_with_all_words_alike():
    odds = np.exp(town.log_odds(town.fresh(jax.random.key(0))))
    assert np.allclose(odds, 1 / 12)


def test_learning_from_many_lines_comes_near_the_truth(monkeypatch):
    monkeypatch.setattr(town, "DECAYS", (1e-4,))
    model = town.learn("plain", *town.draw_lines("even", 100_000, 0), seed=0)
    assert town.divergence(TRUE, model.log_odds) < 0.03
    assert town.wrong_group(TRUE, model.log_odds) < 0.01


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="hand-weighted"):
        town.learn("clever", *town.draw_lines("even", 100, 0), seed=0)
