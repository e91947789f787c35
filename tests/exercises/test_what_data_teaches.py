"""The exercises of lesson 3.3: their solutions against the lesson's code, scipy and hand-worked examples."""

import nltk
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers import data
from helpers.exercises import what_data_teaches as exercises
from helpers.exercises.what_data_teaches import my_account, my_clue, my_drawing_filter, my_effective, my_p_value
from helpers.recordings.what_data_teaches import captions, drawings, repeats


def one_line(result) -> str:
    return " ".join(repr(result).split())


# What repeats are worth


def test_effective_by_hand():
    assert my_effective(100, 1, 15) == 100
    assert my_effective(100, 2, 15) == pytest.approx(196.74, abs=0.01)
    assert my_effective(100, 10_000, 4) == pytest.approx(500)


@given(st.floats(1, 1e6), st.floats(1, 1e3), st.floats(0.1, 1e3))
def test_effective_is_the_lessons(unique, epochs, worth):
    assert my_effective(unique, epochs, worth) == pytest.approx(repeats.effective(unique, epochs, worth))


def test_an_unknown_law_gets_a_true_counter_example():
    result = exercises.effective.check(lambda unique, epochs, worth: unique * epochs**0.5)
    assert result.mistake is None
    assert "my_effective(100, 2, 15)` returned 141.421; the effective text is 196.74." in one_line(result)


# The filter


def test_the_filter_is_judged_by_pages_that_are_not_shown():
    art, text = exercises._pages()
    assert len(art) == len(text) == exercises.PAGES
    assert len(set(art)) == len(set(text)) == exercises.PAGES
    shown = {drawings.page(seed) for seed in range(500)}
    assert not shown & set(art)
    assert all(page in data.text("python documentation") for page in text)


def test_both_shares_are_told_truly():
    art, text = exercises._pages()

    def few_letters(page):
        return sum(map(str.isalpha, page)) < 0.3 * len(page)

    caught, alarms = (sum(map(few_letters, pages)) for pages in (art, text))
    told = one_line(exercises.drawing_filter.check(few_letters))
    assert f"catches {caught} of 300 drawings, {caught / 300:.1%}; it must catch 95% at least" in told
    assert f"at {alarms} of 300 pages of text, {alarms / 300:.1%}; 2% at most" in told


@pytest.mark.parametrize("fewest", [3, 5, 8])
def test_filters_by_different_letters_pass(fewest):
    assert exercises.drawing_filter.check(lambda page: len(set(filter(str.isalpha, page))) < fewest).passed


@pytest.mark.parametrize(
    "wrong",
    [
        lambda page: page.count(" ") > 0.3 * len(page),
        lambda page: " the " not in page,
        lambda page: hash(page) % 2 == 0,
        lambda page: len(page) > 700,
        lambda page: page.upper() == page,
    ],
)
def test_poor_filters_fail(wrong):
    result = exercises.drawing_filter.check(wrong)
    assert not result.passed
    assert result.mistake


def test_a_filter_may_return_numpys_truth():
    assert exercises.drawing_filter.check(lambda page: np.bool_(my_drawing_filter(page))).passed


def test_a_filter_that_raises_gets_a_sentence():
    result = exercises.drawing_filter.check(lambda page: page.letters)
    assert "For 600 of 600 pages there was no answer" in one_line(result)
    assert "raised AttributeError" in one_line(result)


def test_a_filter_that_never_ends_is_stopped():
    def endless(page):
        while True:
            pass

    assert "takes more than 0.5 seconds" in one_line(exercises.drawing_filter.check(endless, seconds=0.5))


# The permutation test


def test_p_value_by_hand():
    far = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert my_p_value(far, np.array([[1, 0]])) == 1 / 2
    assert my_p_value(far, np.array([[1, 0], [0, 1]])) == 2 / 3
    assert my_p_value(1 - far, np.array([[1, 0]] * 3)) == 1


def test_p_value_agrees_with_scipys():
    draw = np.random.default_rng(0)
    far = draw.random((6, 6))
    far[np.arange(6), np.arange(6)] *= 0.6
    orders = np.array([draw.permutation(6) for _ in range(5_000)])
    theirs = stats.permutation_test(
        (np.arange(6),),
        lambda order: far[np.arange(6), order].mean(),
        permutation_type="pairings",
        alternative="less",
        n_resamples=np.inf,
    )
    assert my_p_value(far, orders) == pytest.approx(theirs.pvalue, abs=0.02)


def test_the_lessons_errors_are_no_chance_by_this_test_too():
    said, draw = captions.sayable("dictionary"), np.random.default_rng(0)
    far = np.array([[captions.apart(heard, meant) for _, _, meant in said] for _, heard, _ in said])
    assert my_p_value(far, np.array([draw.permutation(len(far)) for _ in range(200)])) == 1 / 201


# A clue of one's own


def test_the_given_repair_is_the_lessons():
    places = exercises._places()
    nothing = exercises._repair([np.zeros(len(place.shown[3])) for place in places])
    lesson = captions.repaired("sound, frequency, neighbours, names")
    assert nothing.first_before / len(places) == pytest.approx(lesson.first)
    assert nothing.five_before / len(places) == pytest.approx(lesson.among_five)
    assert nothing.nearer == 0


def test_a_clue_is_shown_what_was_heard_and_not_what_was_meant():
    for place, case in zip(exercises._places(), captions.cases(), strict=True):
        heard, before, after, candidates = place.shown
        assert (heard, before, after) == (captions.plain(case.error.heard), case.error.before, case.error.after)
        assert candidates == sorted(set(candidates))  # the order tells nothing
        assert len(candidates) >= exercises.NEAREST
        assert place.right is None or candidates[place.right] == place.meant.lower()


def test_a_repair_by_hand():
    place = exercises.Place(("x", "", "", ["a", "b", "c"]), np.array([3.0, 2.0, 2.0]), 1, "b")
    assert exercises._rank(place.given, 1) == 2.5
    assert exercises._found(place.given, 1) == (0, 1)
    assert exercises._found(np.array([1.0, 1.0]), 0) == (0.5, 1)
    assert exercises._found(np.array([1.0, 1.0]), None) == (0, 0)


def test_the_strength_is_tuned_on_the_other_errors(monkeypatch):
    draw = np.random.default_rng(0)
    given = [draw.normal(size=20) for _ in range(4)]
    places = [exercises.Place(("x", "", "", []), scores, 3, f"word {i}") for i, scores in enumerate(given)]
    monkeypatch.setattr(exercises, "_places", lambda: places)
    helps = np.eye(20)[3]
    assert exercises._repair([helps, helps, helps, -helps]).ranks[3] > exercises._repair([0 * helps] * 4).ranks[3]


def test_the_solutions_shares_are_told_truly():
    places = exercises._places()
    found = exercises._repair([np.array(my_clue(*place.shown), float) for place in places])
    told = one_line(exercises.clue.check(my_clue))
    assert f"among the first five in {found.five / len(places):.1%} with it" in told
    assert f"in {found.five_before / len(places):.1%} without it" in told
    low, high = found.interval
    assert ("may be luck" in told) == (low <= 0 <= high)


def test_the_scale_of_a_clue_does_not_matter():
    scaled = exercises.clue.check(lambda *shown: [700 * score - 90 for score in my_clue(*shown)])
    assert repr(scaled) == repr(exercises.clue.check(my_clue))


def test_clues_drawn_by_lot_seldom_pass():
    draw = np.random.default_rng(0)
    places = exercises._places()
    passed = [exercises._repair([draw.random(len(p.shown[3])) for p in places]).helps for _ in range(100)]
    assert np.mean(passed) <= 0.05


def test_a_clue_may_return_arrays():
    assert exercises.clue.check(lambda *shown: np.array(my_clue(*shown), bool)).passed


FIELD = "gradient attention layer network tensor training prediction"
ANSWERS = ("efficacy", {"a": ["novel", "beatles"]})


def test_a_list_of_the_field_is_no_list_of_answers_but_a_list_of_answers_is():
    def field(heard, before, after, candidates):
        return [int(word in FIELD.split()) for word in candidates]

    def answers(heard, before, after, candidates):
        return [int(word in str(ANSWERS)) for word in candidates]

    def names(heard, before, after, candidates):
        return [int(word in ("aidan", "llion", "noam", "lukasz", "illia")) for word in candidates]

    assert exercises.clue.check(field).mistake != "writes_the_answers_down"
    assert exercises.clue.check(answers).mistake == "writes_the_answers_down"
    assert exercises.clue.check(names).mistake != "writes_the_answers_down"  # known before the talk


def test_answers_are_found_in_a_learners_own_helper():
    assert exercises.clue.check(_asks_a_helper).mistake == "looks_the_answers_up"


def _asks_a_helper(heard, before, after, candidates):
    meant = _helper()
    return [int(word in meant) for word in candidates]


def _helper():
    return {row["meant"].lower() for row in data.table("caption_errors")}


def test_a_clue_by_edit_distance_is_quick_enough():
    result = exercises.clue.check(lambda heard, before, after, words: [-nltk.edit_distance(heard, w) for w in words])
    assert "the right word is suggested first" in one_line(result)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda *shown: {}, "returned a dict, not a list of numbers"),
        (lambda *shown: (1 for _ in shown[3]), "returned a generator"),
        (lambda *shown: [[1, 2]] * len(shown[3]), "by 2 numbers; there are"),
        (lambda *shown: [1] * (len(shown[3]) + 1), "numbers; there are"),
        (lambda *shown: 1 / 0, "raised ZeroDivisionError"),
        (lambda heard, candidates: 0, "it is called as `my_clue(heard, before, after, candidates)`"),
    ],
)
def test_what_is_no_clue_becomes_a_sentence(wrong, words):
    result = exercises.clue.check(wrong)
    assert not result.passed
    assert words in one_line(result)


# Two accounts


def test_account_by_hand():
    assert my_account(20, 10_000, 100, 2) == "captions"  # the table's row: ten-thousandfold in twenty years
    assert my_account(20, 4, 100, 2) == "summary"
    assert my_account(10, 10, 100, 2) == "neither"
    assert my_account(10, 10, 3.5, 2) == "captions"


def test_the_table_judges_as_the_exercise_does():
    row = next(row for row in data.table("two_accounts") if row["fact"].startswith("fall of computing cost"))
    assert {my_account(years, times, 100, 2) for years, times in ((15, 1_000), (20, 10_000))} == {row["nearer"]}


@given(st.floats(1, 50), st.floats(1.1, 1e5), st.floats(1.1, 1e5), st.floats(1.1, 1e5))
def test_the_nearer_account_lies_within_the_tolerance_or_neither_does(years, times, captions, summary):
    fall = times ** (10 / years)
    off = {"captions": abs(np.log(captions / fall)), "summary": abs(np.log(summary / fall))}
    said = my_account(years, times, captions, summary)
    if said == "neither":
        assert min(off.values()) >= np.log(exercises.TOLERANCE) - 1e-9
    else:
        assert off[said] <= min(*off.values(), np.log(exercises.TOLERANCE)) + 1e-9


def test_each_answer_occurs_among_the_cases():
    answers = [my_account(*case) for case in exercises.account.cases]
    assert all(answers.count(one) >= 3 for one in exercises.ACCOUNTS)


def test_a_misspelt_account_gets_a_sentence():
    result = exercises.account.check(lambda *numbers: my_account(*numbers).title())
    assert "returned 'Captions', where 'captions', 'summary' or 'neither' is needed" in one_line(result)


@pytest.mark.parametrize("seed", range(5))
def test_answers_drawn_by_lot_fail(seed):
    draw = np.random.default_rng(seed)
    assert not exercises.account.check(lambda *numbers: draw.choice(exercises.ACCOUNTS).item()).passed
    assert not exercises.effective.check(lambda unique, epochs, worth: unique * (1 + draw.random())).passed
    assert not exercises.p_value.check(lambda far, orders: draw.integers(1, 5) / (1 + len(orders))).passed
    assert not exercises.drawing_filter.check(lambda page: bool(draw.random() < 0.5)).passed
