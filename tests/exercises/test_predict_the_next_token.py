"""The exercises of lesson 2.1: their solutions against hand-worked examples and other people's code."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.lm import AbsoluteDiscountingInterpolated, Vocabulary
from nltk.util import everygrams
from scipy import stats

from helpers.exercises.predict_the_next_token import my_cheapest, my_discounted, my_message_entropy, my_perplexity

odds = st.lists(st.floats(0.01, 1), min_size=1, max_size=6)


@pytest.mark.parametrize(("given_odds", "expected"), [([0.25, 0.25], 4), ([0.5, 0.125], 4), ([1.0], 1)])
def test_perplexity_by_hand(given_odds, expected):
    assert my_perplexity(given_odds) == pytest.approx(expected)


@given(odds)
def test_perplexity_is_one_over_the_geometric_mean(given_odds):
    assert my_perplexity(given_odds) == pytest.approx(1 / stats.gmean(given_odds))


@pytest.mark.parametrize("discount", [0.25, 0.75])
def test_absolute_discounting_is_nltks(discount):
    text = "banana and bandana"
    model = AbsoluteDiscountingInterpolated(2, discount, vocabulary=Vocabulary(sorted(set(text))))
    model.fit([everygrams(text, max_len=2)])
    for context in "abn ":
        followed = "".join(b for a, b in pairwise(text) if a == context)
        for letter in "abdn ":
            expected = model.score(letter, (context,))
            assert my_discounted(followed, letter, model.score(letter), discount) == pytest.approx(expected)


@given(st.text("abc", max_size=8), st.floats(0, 0.99))
def test_discounted_probabilities_sum_to_one(followed, discount):
    shorter = {"a": 0.5, "b": 0.25, "c": 0.25}
    assert sum(my_discounted(followed, x, p, discount) for x, p in shorter.items()) == pytest.approx(1)


@given(st.floats(0.01, 0.9))
def test_message_entropy_is_that_of_the_geometric_distribution(again):
    assert my_message_entropy(again) == pytest.approx(stats.geom(1 - again).entropy() / math.log(2), rel=1e-4)


def test_a_message_of_one_beep_is_no_surprise():
    assert my_message_entropy(0.0) == 0


@given(st.integers(2, 5), st.integers(0, 1_000))
def test_no_other_word_is_cheaper(words, seed):
    draw = np.random.default_rng(seed)
    weights, costs = draw.dirichlet(np.ones(words)), draw.integers(0, 10, (words, words))
    expected = weights @ costs
    assert expected[my_cheapest(weights.tolist(), costs.tolist())] == pytest.approx(expected.min())
