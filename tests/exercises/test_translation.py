"""The exercises of lesson 2.5: their solutions against hand-worked examples, counting one by one, and NLTK."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import modified_precision

from helpers.exercises import translation as exercises
from helpers.exercises.translation import my_alignment, my_precision, my_zero_shot

languages = ["ISO", "Greek", "Hindi", "Korean", "German"]
words = st.lists(st.sampled_from(["5", "de", "marzo", "2019"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(st.sampled_from(languages), st.sampled_from(languages)), max_size=12))
def test_untrained_directions_counted_one_by_one(pairs):
    untrained = [way for way in permutations(languages, 2) if way not in pairs and way[::-1] not in pairs]
    assert my_zero_shot(languages, pairs) == len(untrained)


@given(words, words, st.integers(1, 4))
def test_precision_is_nltks(answer, reference, n):
    if len(answer) >= n:
        assert my_precision(answer, reference, n) == pytest.approx(float(modified_precision([reference], answer, n)))
    else:
        assert my_precision(answer, reference, n) == 0


def test_alignment_by_hand():
    weights = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    assert my_alignment(weights, "d-m", "mdm") == 1
    assert my_alignment(weights, "dmm", "mdm") == 1
    assert my_alignment(weights, "mdy", "mdm") == 0
    assert my_alignment(weights, "ddm", "mdm") == pytest.approx(2 / 3)


def test_an_unknown_precision_gets_a_true_counter_example():
    result = exercises.precision.check(lambda answer, reference, n: 0.5)
    assert result.mistake is None
    assert "returned 0.5; the precision is 1.0" in " ".join(repr(result).split())


def test_nested_loops_pass():
    def count(languages, pairs):
        return sum((a, b) not in pairs and (b, a) not in pairs for a in languages for b in languages if a != b)

    assert exercises.zero_shot.check(count).passed
