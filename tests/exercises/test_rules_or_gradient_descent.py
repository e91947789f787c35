"""The exercises of lesson 3.1: their solutions against hand-worked examples and other people's code."""

import functools
import math

import nltk
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import data
from helpers.exercises import rules_or_gradient_descent as exercises
from helpers.exercises.rules_or_gradient_descent import my_crossing, my_edit_distance, my_phoneme_error_rate

sounds = st.lists(st.sampled_from(["K", "AE", "T", "S"]), max_size=6).map(tuple)
sounds_said = st.lists(st.sampled_from(["K", "AE", "T", "S"]), min_size=1, max_size=6).map(tuple)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("ab", "ba", 2), (("SH", "IH"), ("S", "IH"), 1)],
)
def test_edit_distance_by_hand(first, second, distance):
    assert my_edit_distance(first, second) == distance


@given(sounds, sounds)
def test_edit_distance_is_nltks(first, second):
    assert my_edit_distance(first, second) == nltk.edit_distance(first, second)


@given(sounds, sounds, sounds)
def test_edit_distance_obeys_the_triangle(a, b, c):
    assert my_edit_distance(a, c) <= my_edit_distance(a, b) + my_edit_distance(b, c)


@pytest.mark.parametrize(
    ("answers", "references", "rate"),
    [
        ([("K", "AE", "T")], [[("K", "AE", "T")]], 0),
        ([("K",)], [[("K", "S")]], 1 / 2),
        ([("T", "OW")], [[("T", "AH", "M", "EY"), ("T", "AA")]], 1 / 2),
        ([("K",), ("T", "AE")], [[("S",)], [("T", "AE", "K"), ("S", "S", "S", "S")]], 2 / 4),
        ([], [], 0),
    ],
)
def test_phoneme_error_rate_by_hand(answers, references, rate):
    assert my_phoneme_error_rate(answers, references) == pytest.approx(rate)


@given(st.lists(st.tuples(sounds, sounds_said), min_size=1, max_size=5))
def test_phoneme_error_rate_with_one_right_answer_is_edits_over_sounds(pairs):
    answers, references = zip(*pairs)
    expected = sum(nltk.edit_distance(*pair) for pair in pairs) / sum(len(said) for _, said in pairs)
    assert my_phoneme_error_rate(list(answers), [[said] for said in references]) == pytest.approx(expected)


def test_the_cases_of_the_error_rate_have_one_right_answer():
    for answers, references in exercises.phoneme_error_rate.cases:
        for answer, listed in zip(answers, references):
            distances = [nltk.edit_distance(answer, said) for said in listed]
            nearest = {len(said) for said, distance in zip(listed, distances) if distance == min(distances)}
            assert len(nearest) == 1


def test_crossing_by_hand():
    words, first = np.array([10, 100, 1000]), np.array([50.0, 40.0, 30.0])
    assert my_crossing(words, first, np.array([70.0, 45.0, 20.0])) == pytest.approx(100 * 10 ** (1 / 3))
    assert my_crossing(words, first, np.array([70.0, 40.0, 20.0])) == pytest.approx(100)
    assert my_crossing(words, first, np.array([70.0, 45.0, 40.0])) is None


@given(st.floats(0.5, 20), st.floats(0.5, 20))
def test_crossing_of_two_straight_lines_is_where_numpy_finds_zero(before, after):
    words, first = np.array([30, 3000]), np.array([50.0, 40.0])
    second = first + np.array([before, -after])
    expected = math.exp(np.interp(0, [-before, after], np.log(words)))
    assert my_crossing(words, first, second) == pytest.approx(expected)


# Other attempts that learners may make


def test_a_recursion_that_remembers_passes():
    @functools.cache
    def distance(first, second):
        if not first or not second:
            return len(first) + len(second)
        step = distance(first[1:], second[1:]) + (first[0] != second[0])
        return min(distance(first[1:], second) + 1, distance(first, second[1:]) + 1, step)

    assert exercises.edit_distance.check(distance).passed


def test_a_numpy_table_of_whole_numbers_passes():
    def distance(first, second):
        table = np.zeros((len(first) + 1, len(second) + 1), int)
        table[:, 0], table[0] = range(len(first) + 1), range(len(second) + 1)
        for i, a in enumerate(first):
            for j, b in enumerate(second):
                table[i + 1, j + 1] = min(table[i, j + 1] + 1, table[i + 1, j] + 1, table[i, j] + (a != b))
        return table[-1, -1]

    assert exercises.edit_distance.check(distance).passed
    assert exercises.edit_distance.check(nltk.edit_distance).passed


def test_an_unknown_distance_gets_a_true_counter_example():
    result = exercises.edit_distance.check(lambda first, second: min(my_edit_distance(first, second), 3))
    assert not result.passed
    assert result.mistake is None
    assert "returned 3; the distance is 4." in " ".join(repr(result).split())


def test_an_unknown_error_rate_gets_a_true_counter_example():
    result = exercises.phoneme_error_rate.check(lambda a, r: min(1.0, my_phoneme_error_rate(a, r)))
    assert not result.passed
    assert result.mistake is None
    assert "`my_phoneme_error_rate([('K', 'AE', 'T')], [[('S',)]])` returned 1.0; the error rate is 3.0." in one_line(
        result
    )


def test_references_sorted_in_place_are_noticed():
    def sorts(answers, references):
        for listed in references:
            listed.sort(key=len)
        return my_phoneme_error_rate(answers, references)

    assert "changed the list or array that it was given" in one_line(exercises.phoneme_error_rate.check(sorts))


def test_a_mistake_is_known_though_it_also_fails_for_no_words():
    def percent(answers, references):
        errors = sum(exercises._edits(answers, references))
        return 100 * errors / sum(exercises._sounds(answers, references))

    result = exercises.phoneme_error_rate.check(percent)
    assert result.mistake == "returns_percent"
    assert "Besides, `my_phoneme_error_rate([], [])` raised ZeroDivisionError" in one_line(result)


def test_an_unknown_crossing_gets_a_true_counter_example():
    def three_times_too_far(words, first, second):
        answer = my_crossing(words, first, second)
        return answer and 3 * answer

    result = exercises.crossing.check(three_times_too_far)
    assert result.mistake is None
    assert "returned 300.0; the crossing is 100.0." in one_line(result)


def test_nan_for_no_crossing_is_named():
    result = exercises.crossing.check(lambda *curves: my_crossing(*curves) or float("nan"))
    assert "returned nan" in one_line(result)


def one_line(result) -> str:
    return " ".join(repr(result).split())


# The rule


@pytest.mark.parametrize(
    "rule",
    [("", "sh", "", "SH"), ["", "ch", "", "CH"], ("", "e", "$", ""), ("", "c", "[eiy]", "S"), ("", "ng", "$", "NG")],
)
def test_rules_that_english_has_pass(rule):
    result = exercises.rule.check(rule)
    assert result.passed, result


def test_the_effect_of_a_rule_is_told_truly():
    effect = exercises._effect("", "sh", "", ("SH",))
    text = one_line(exercises.rule.check(("", "sh", "", "SH")))
    assert f"{effect.before:.2f}% were wrong before your rule and {effect.after:.2f}% are with it" in text
    assert f"For the better: {len(effect.better)}, for the worse: {len(effect.worse)}" in text
    words = {word for word in exercises._development_words() if "sh" in word}
    assert {word for word, *_ in effect.better + effect.worse + effect.neither} == words


def test_the_rule_is_measured_on_development_words_only():
    words = exercises._development_words()
    assert len(words) == exercises.WORDS
    assert words.items() <= data.cmu_split_by_stem().development.items()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ((), "Yours has 0."),
        (("a", "b", "c"), "Yours has 3."),
        ("sh", "Yours is a str."),
        (lambda: 0, "Yours is a function."),
        (("", 5, "", "SH"), "letters is not a text"),
        (("", "sh", None, ("SH",)), "after is not a text, sounds is not a text"),
        (("(", "sh", "", "SH"), "Python cannot read before"),
        (("", "SH", "", "SH"), "The second part of your rule is 'SH'."),
        (("", "sh", "", "SH SCH"), "'SCH' is not one of the 39 sounds"),
        (("", "sh", "", "X" * 10**6), "sounds is longer than 100 characters"),
        (("(.*)*(.*)*(.*)*(.*)*(.*)*q", "e", "", ""), "Your rule was not measured: it takes more than 2 seconds"),
    ],
)
def test_what_is_no_rule_becomes_a_sentence(rule, words):
    result = exercises.rule.check(rule, seconds=2)
    assert not result.passed
    assert words in one_line(result)
    assert len(repr(result)) < 2000
