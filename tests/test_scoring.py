import nltk
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import data
from helpers.recordings.rules_or_gradient_descent import scoring

TOMATO = {"tomato": [tuple("T AH M EY T OW".split()), tuple("T AH M AA T OW".split())]}


def test_any_listed_pronunciation_counts_as_right():
    for listed in TOMATO["tomato"]:
        assert scoring.error_rates({"tomato": listed}, TOMATO) == (0, 0)


def test_the_rates_of_three_words_worked_by_hand():
    references = {"go": [("G", "OW")], "cat": [("K", "AE", "T")], **TOMATO}
    answers = {"go": ("G", "OW"), "cat": ("S", "AE", "T", "S"), "tomato": tuple("T AH M AE T".split())}
    # no repairs of 2 sounds, 2 of 3, and 2 of 6
    assert scoring.repairs(answers, references).tolist() == [[0, 2], [2, 3], [2, 6]]
    assert scoring.error_rates(answers, references) == (pytest.approx(4 / 11), pytest.approx(2 / 3))


def test_of_two_equally_near_pronunciations_the_longer_counts():
    assert scoring.nearest(("A",), [("B",), ("A", "B")]) == (1, 2)


def test_the_worst_answer_is_no_answer():
    assert scoring.error_rates({"tomato": ()}, TOMATO) == (1, 1)


def test_nothing_to_judge_is_an_error():
    with pytest.raises(ValueError, match="no answers"):
        scoring.error_rates({}, TOMATO)
    with pytest.raises(ValueError, match="'potato'"):
        scoring.error_rates({"potato": ("P",)}, TOMATO)


@given(st.lists(st.sampled_from("ABC"), max_size=6), st.lists(st.sampled_from("ABC"), min_size=1, max_size=6))
def test_repairs_are_the_edit_distance_and_never_more_than_the_longer_sequence(answer, listed):
    distance, length = scoring.nearest(tuple(answer), [tuple(listed)])
    assert distance == nltk.edit_distance(answer, listed) <= max(len(answer), len(listed))
    assert length == len(listed)


@pytest.mark.parametrize(
    ("typed", "word"),
    [("Café", "cafe"), (" WORD ", "word"), ("naïve", "naive"), ("Straße", "strasse"), ("ﬁne", "fine")],
)
def test_accents_capitals_and_blanks_are_taken_off(typed, word):
    assert scoring.plain_letters(typed) == word


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "type a word first"),
        ("   ", "type a word first"),
        ("two words", "a space is not one of the letters"),
        ("route66", "“6” is not one of the letters"),
        ("don't", "“'” is not one of the letters"),
        ("слово", "“с” is not one of the letters"),
        ("詞", "“詞” is not one of the letters"),
        ("a" * 200, "that is 200 letters"),
        ("\u0301", "type a word first"),
    ],
)
def test_what_is_no_word_is_told_so_in_a_sentence(typed, sentence):
    with pytest.raises(ValueError, match=sentence):
        scoring.plain_letters(typed)


@given(st.text(max_size=40))
def test_any_text_gives_letters_or_a_sentence(text):
    try:
        word = scoring.plain_letters(text)
    except ValueError as error:
        assert str(error)
    else:
        assert word.isascii() and word.isalpha() and word.islower() and len(word) <= scoring.MOST_LETTERS


def test_the_longest_word_of_the_dictionary_may_be_typed():
    longest = max(data.cmu_dictionary_without_stress(), key=len)
    assert len(longest) == scoring.MOST_LETTERS


def test_the_groups_of_held_out_words_divide_them_by_rarity():
    split = data.cmu_split_by_stem()
    groups = scoring.groups(split.held_out, split.training)
    everything, usual, less, rare, foreign = groups.values()
    assert everything == list(split.held_out)
    assert sorted(usual + less + rare) == sorted(everything)
    assert min(map(len, groups.values())) > 50, "a group too small to say anything"
    assert all(word.endswith(scoring.FOREIGN_ENDINGS) for word in foreign)
    assert np.isin(foreign, everything).all()
