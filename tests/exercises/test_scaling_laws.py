"""The exercises of lesson 3.2: their solutions against hand-worked examples, the lesson's own fits, and SciPy."""

import time

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from helpers.exercises import Exercise
from helpers.exercises import scaling_laws as exercises
from helpers.exercises.scaling_laws import WORDS, my_floor, my_power_law, my_speed_up, my_split, my_verdict
from helpers.recordings.scaling_laws import laws, speedups

ALL = [value for value in vars(exercises).values() if isinstance(value, Exercise)]
PAIRS = [exercises.power_law, exercises.split, exercises.speed_up]
amount, power = st.floats(0.1, 1e6), st.floats(-2, 2)


def text(result) -> str:
    return " ".join(repr(result).split())


def named(exercise: Exercise) -> str:
    return exercise.name


# The solutions


def test_a_power_law_by_hand():
    assert my_power_law((1, 8), (4, 4)) == pytest.approx((8, 0.5))
    assert my_power_law((10, 3), (1000, 30)) == pytest.approx((3 / 10**0.5, -0.5))


@given(amount, power, amount, st.floats(1.1, 100))
def test_a_power_law_is_found_from_any_two_of_its_points(scale, power, x, apart):
    points = [(one, scale / one**power) for one in (x, x * apart)]
    assert my_power_law(*points) == pytest.approx((scale, power), rel=1e-6, abs=1e-9)
    assert my_power_law(*points[::-1]) == pytest.approx((scale, power), rel=1e-6, abs=1e-9)


def test_a_floor_by_hand():
    assert my_floor(np.array([1, 4, 16]), np.array([3.0, 2.0, 1.5]), [1.5, 0.0, 1.0, 2.0]) == 1.0


@pytest.mark.parametrize("law", [(0.4, 5, 0.3), (1.2, 3, 0.5), (2.0, 9, 0.8)])
def test_a_floor_is_that_of_the_lessons_fit(law):
    amounts = 61_440 * 2.0 ** np.arange(6)
    losses = laws.loss(laws.Curve(*law), amounts / 1000)
    floors = np.arange(0, 3, 0.01).tolist()
    assert my_floor(amounts, losses, floors) == pytest.approx(law[0], abs=1e-9)
    assert my_floor(amounts, losses, floors) == pytest.approx(laws.fit_curve(amounts, losses).floor, abs=0.01)


def test_a_split_by_hand():
    sizes = np.array([10, 100, 1000])
    assert my_split((1, 10, 1, 10, 1), 1e4, sizes, sizes * 1.0) == (100, 100)


@given(st.floats(1e9, 1e14), st.tuples(*[st.floats(0.1, 2), st.floats(1, 100), st.floats(0.1, 1)]))
def test_a_split_is_the_lessons(budget, half):
    law = (*half, 60.0, 0.35)
    sizes, flops = exercises._LADDER
    place, characters, _ = laws.best_split(laws.Law(*law), budget, sizes, flops)
    assert my_split(law, budget, sizes, flops) == pytest.approx((sizes[place], characters))


def test_a_speed_up_by_hand():
    assert my_speed_up(100, 10, 1) == pytest.approx((10, 0.5))
    assert my_speed_up(8, 4, 1) == pytest.approx((4, 1 / 3))


@given(amount, st.floats(1.01, 1e3), st.floats(1.01, 1e3))
def test_shares_are_the_lessons_and_sum_to_one_in_either_order(fast, program, processor):
    found, share = my_speed_up(fast * program * processor, fast * processor, fast)
    assert (found, share) == pytest.approx((processor, speedups.share_of_program(program * processor, processor)))
    other = my_speed_up(fast * program * processor, fast * program, fast)[1]  # the processor first
    assert share + other == pytest.approx(1)


def test_shares_of_the_seconds_saved_depend_on_the_order():
    program_first, processor_first = exercises.speed_up.mistakes[:2]
    shares = [mistake.attempt(100, 10, 1)[1] for mistake in (program_first, processor_first)]
    assert shares == pytest.approx([90 / 99, 9 / 99])


def by_scipy(data, plain, changed, floor):
    """The verdict in another way: a line for each run, and paired tests of the slopes and of the heights."""
    runs = [np.log(losses - floor) for losses in (plain, changed)]
    slopes = [[stats.linregress(np.log(data), run).slope for run in some] for some in runs]
    heights = [some.mean(axis=1) for some in runs]
    for word, (first, second) in (("tilts", slopes), ("shifts", heights)):
        if stats.ttest_rel(first, second).pvalue < 0.05:
            return word
    return "nothing to see"


@pytest.mark.parametrize("seed", range(40))
def test_a_verdict_is_scipys(seed):
    draw = np.random.default_rng(seed)
    tilts, shifts = draw.normal(0.02, 0.02, 4), draw.normal(0.02, 0.02, 4)
    case = exercises._curves(1.0, tilts, shifts, 0.005, shared=(0.03, 0.03), seed=seed)
    assert my_verdict(*case) == by_scipy(*case)


def test_where_nothing_was_changed_a_verdict_seldom_sees_something():
    found = [my_verdict(*exercises._curves(1.2, np.zeros(4), np.zeros(4), 0.02, seed=seed)) for seed in range(300)]
    assert 3 <= found.count("tilts") <= 30  # 5% of them: 15
    assert 3 <= found.count("shifts") <= 30


# The checks


def test_what_was_made_up_for_a_verdict_leaves_no_doubt():
    """Where there is something to see the interval is far from 0; where not it holds 0, if only by Student's factor."""
    for words, (data, plain, changed, floor) in zip(exercises.verdict.situations, exercises.verdict.cases, strict=True):
        gains = np.log((plain - floor) / (changed - floor))
        found = my_verdict(data, plain, changed, floor)
        for word, values in zip(WORDS, exercises._lines(data, gains)):
            reach = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
            if found == word:
                assert abs(values.mean()) > 1.5 * reach, words
                break
            assert abs(values.mean()) < 0.9 * reach, words


@pytest.mark.parametrize("exercise", ALL, ids=named)
def test_a_check_is_quick(exercise):
    began = time.process_time()
    assert exercise.check(exercise.reference).passed
    assert time.process_time() - began < 2


def test_other_right_ways_pass():
    def by_polyfit(first, second):
        logs = np.log10([first, second])
        slope, height = np.polyfit(logs[:, 0], logs[:, 1], 1)
        return [10**height, -slope]

    def in_a_loop(law, budget, sizes, flops_each):
        found = []
        for size, each in zip(sizes, flops_each):
            characters = budget / each
            found.append((law[1] * size ** -law[2] + law[3] * characters ** -law[4], int(size), round(characters, 2)))
        return min(found)[1:]

    def with_log10(slow, fair, fast):
        return jnp.array([fair / fast, 1 - jnp.log10(fair / fast) / jnp.log10(slow / fast)])

    def by_correlated_lines(amounts, losses, floors):
        floors = [one for one in floors if one < losses.min()]
        fits = [np.polyfit(np.log2(amounts), np.log2(losses - one), 1, full=True)[1] for one in floors]
        return np.float64(floors[np.argmin(np.concatenate(fits))])

    assert exercises.power_law.check(by_polyfit).passed
    assert exercises.split.check(in_a_loop).passed
    assert exercises.speed_up.check(with_log10).passed
    assert exercises.floor.check(by_correlated_lines).passed
    assert exercises.verdict.check(by_scipy).passed
    assert exercises.verdict.check(lambda *given: np.str_(my_verdict(*given))).passed


@pytest.mark.parametrize("exercise", ALL, ids=named)
def test_no_return_is_told(exercise):
    def forgets_to_return(*given):
        exercise.reference(*given)

    assert "returned None" in text(exercise.check(forgets_to_return))
    assert "Does it end without `return`?" in text(exercise.check(forgets_to_return))


@pytest.mark.parametrize("exercise", PAIRS, ids=named)
@pytest.mark.parametrize(
    ("wrap", "told"),
    [
        (lambda pair: pair[0], "where two numbers are needed: ("),
        (lambda pair: (*pair, 1.0), "returned 3 values, where two numbers are needed: ("),
        (lambda pair: np.array([pair, pair, pair]), "returned 3 values, where two numbers are needed: ("),
        (lambda pair: np.array([pair, pair]), "returned a list, where a number is needed: this is about the "),
        (lambda pair: (str(pair[0]), pair[1]), ", a str, where a number is needed: this is about the "),
        (lambda pair: (pair[0], np.nan), "returned nan, as 0/0 or log(0) do: this is about the "),
        (lambda pair: {"answer": pair}, "returned a dict, where two numbers are needed: ("),
    ],
)
def test_what_is_no_pair_is_told(exercise, wrap, told):
    result = exercise.check(lambda *given: wrap(exercise.reference(*given)))
    assert not result.passed
    assert told in text(result)


@pytest.mark.parametrize("word", ["tilt", "Tilts", "nothing", ""])
def test_other_words_are_told(word):
    result = exercises.verdict.check(lambda *given: word)
    assert f"returned {word!r}, which is none of 'tilts', 'shifts' and 'nothing to see'" in text(result)


@pytest.mark.parametrize("answer", [True, ["tilts"], 0.5])
def test_what_is_no_word_is_told(answer):
    assert "where one of three words is needed" in text(exercises.verdict.check(lambda *given: answer))


def test_a_wrong_verdict_is_told_with_what_was_made_up_and_where_to_find_it():
    told = text(exercises.verdict.check(lambda *given: "shifts"))
    assert "`my_verdict(*exercises.verdict.cases[1])` returned 'shifts'; the verdict is tilts. These curves" in told
    assert "a gain that grows with the data in all of them." in told


def test_an_array_in_place_of_one_floor_is_told():
    result = exercises.floor.check(lambda amounts, losses, floors: losses - floors[0])
    assert "returned an array of shape (3,), not one number" in text(result)


@given(st.floats(0.2, 5), st.integers(0, 1), st.sampled_from(PAIRS))
def test_pairs_that_are_off_by_some_factor_fail(factor, place, exercise):
    assume(abs(factor - 1) > 0.001)

    def off(*given):
        pair = list(exercise.reference(*given))
        pair[place] *= factor
        return pair

    assert not exercise.check(off).passed


@pytest.mark.parametrize("seed", range(20))
def test_floors_and_verdicts_drawn_by_lot_fail(seed):
    draw = np.random.default_rng(seed)
    assert not exercises.floor.check(lambda amounts, losses, floors: float(draw.choice(floors))).passed
    assert not exercises.verdict.check(lambda *given: str(draw.choice(WORDS))).passed


def test_a_neighbouring_floor_fails_with_a_true_counter_example():
    result = exercises.floor.check(lambda amounts, losses, floors: my_floor(amounts, losses, floors) + 0.05)
    assert result.mistake is None
    assert "returned 1.05; the floor is 1.0." in text(result)


@pytest.mark.parametrize("exercise", [exercises.floor, exercises.split, exercises.verdict], ids=named)
def test_who_changes_an_array_is_told(exercise):
    def changes(*given):
        answer = exercise.reference(*given)
        next(one for one in given if isinstance(one, np.ndarray) and one.ndim)[...] += 1
        return answer

    assert "changed the list or array that it was given: work on a copy of it" in text(exercise.check(changes))


def test_a_case_that_a_learner_looks_at_cannot_be_changed_but_a_check_hands_out_copies_that_can():
    with pytest.raises(ValueError, match="read-only"):
        exercises.verdict.cases[0][1][...] = 0

    def works_on_what_it_was_given(data, plain, changed, floor):
        plain[...], before = 0, plain.copy()
        plain[...] = before
        return my_verdict(data, plain, changed, floor)

    assert exercises.verdict.check(works_on_what_it_was_given).passed
