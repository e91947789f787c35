"""Character counts against NLTK's Kneser-Ney, a hand-worked example, and what every distribution must do."""

import numpy as np
import pytest
from nltk.lm import KneserNeyInterpolated
from nltk.util import everygrams

from helpers.recordings.one_word_at_a_time import counts

TEXT = "a panama hat, a banana man, a cat and a bat ran at a pan"
CHARACTERS = sorted(set(TEXT))
TOKENS = np.array([CHARACTERS.index(character) for character in TEXT])


@pytest.mark.parametrize("order", [2, 3])
def test_equals_nltk(order):
    """NLTK does not discount single characters; the text's first characters must occur again."""
    model = KneserNeyInterpolated(order, discount=0.4)
    model.fit([list(everygrams(TEXT, max_len=order))], vocabulary_text=CHARACTERS)
    first, *rest = counts.count(TOKENS, order, discount=0.4)
    windows = np.array([(0, 0, 0), (3, 2, 1), *np.lib.stride_tricks.sliding_window_view(TOKENS, 3)])
    mine = counts.probability([first._replace(discount=0.0), *rest], windows, len(CHARACTERS))
    theirs = [model.score(CHARACTERS[z], [CHARACTERS[x], CHARACTERS[y]]) for x, y, z in windows]
    np.testing.assert_allclose(mine, theirs, atol=1e-12)


def test_two_orders_by_hand():
    """In 0 1 0 2 0 1 the run 01 occurs twice, 10, 02 and 20 once; 0 follows two different tokens, 1 and 2 one each."""
    levels = counts.count(np.array([0, 1, 0, 2, 0, 1]), 2, discount=0.5)
    first = (1 - 0.5 + 0.5 * 3 / 4) / 4  # of token 1 on its own: one of four kinds, and its share of three discounts
    second = (2 - 0.5 + 0.5 * 2 * first) / 3
    assert counts.probability(levels, np.array([[0, 1]]), 4)[0] == pytest.approx(second)
    assert counts.probability(levels, np.array([[3, 1]]), 4)[0] == pytest.approx(first)  # 3 was never seen


def test_every_distribution_sums_to_one():
    levels = counts.count(TOKENS, 4)
    contexts = np.random.default_rng(0).integers(0, len(CHARACTERS), (50, 3))
    for context in [*contexts, *np.lib.stride_tricks.sliding_window_view(TOKENS, 3)]:
        windows = np.array([[*context, token] for token in range(20)])
        assert counts.probability(levels, windows, 20).sum() == pytest.approx(1)
        assert (counts.probability(levels, windows, 20) > 0).all()


def test_the_largest_token_and_the_longest_run_fit():
    tokens = np.tile([127, 126, 0], 20)
    levels = counts.count(tokens, counts.LONGEST)
    windows = np.lib.stride_tricks.sliding_window_view(tokens, counts.LONGEST)
    assert (counts.probability(levels, windows, 128) > 0.8).all()


@pytest.mark.parametrize(
    ("tokens", "order"), [([0, 1], 3), ([0] * 20, 10), ([0], 0), ([0, 128, 1], 2), ([0, -1, 1], 2)]
)
def test_what_cannot_be_counted_is_refused(tokens, order):
    with pytest.raises(ValueError, match="must be from"):
        counts.count(np.array(tokens), order)
