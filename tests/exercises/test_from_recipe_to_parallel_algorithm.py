"""The exercises of lesson 1.2: their solutions against hand-worked examples, other people's code, and properties."""

import itertools
import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.exercises import from_recipe_to_parallel_algorithm as exercises
from helpers.exercises.from_recipe_to_parallel_algorithm import (
    larger,
    my_combine,
    my_is_associative,
    my_rounds,
    my_running_maximum,
)

stretches = st.tuples(st.booleans(), st.integers(-50, 50))


def one_line(result) -> str:
    return " ".join(repr(result).split())


@pytest.mark.parametrize(("count", "rounds"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (2**50 + 1, 51)])
def test_rounds_by_hand(count, rounds):
    assert my_rounds(count) == rounds


@given(st.integers(1, 2**40))
def test_rounds_are_the_logarithm_rounded_up(count):
    assert my_rounds(count) == math.ceil(math.log2(count))


@given(st.lists(st.integers(-100, 100), max_size=70))
def test_the_running_maximum_is_numpys(values):
    found = my_running_maximum([(value, 0) for value in values], larger)
    assert [value for value, _ in found] == list(np.maximum.accumulate(np.array(values, dtype=int)))
    assert max((chain for _, chain in found), default=0) == my_rounds(max(1, len(values)))


@given(st.lists(stretches, min_size=1, max_size=30))
def test_combining_gives_each_days_running_total(items):
    totals, total = [], 0
    for starts, takings in items:
        total = takings if starts else total + takings
        totals.append(total)
    assert [total for _, total in itertools.accumulate(items, my_combine)] == totals


@given(stretches, stretches, stretches)
def test_combining_is_associative(a, b, c):
    assert my_combine(my_combine(a, b), c) == my_combine(a, my_combine(b, c))


@pytest.mark.parametrize(
    ("operation", "values", "answer"),
    [
        (operator.add, [1, 2, 3], True),
        (operator.sub, [1, 2, 3], False),
        (operator.sub, [0], True),
        (lambda a, b: (a + b) / 2, [1, 2], False),
        (operator.add, ["a", "b"], True),
        (operator.add, [0.1, 0.2, 0.3], False),
        (operator.sub, [], True),
    ],
)
def test_brackets_by_hand(operation, values, answer):
    assert my_is_associative(operation, values) is answer


@given(st.lists(st.integers(0, 2), min_size=9, max_size=9))
def test_brackets_of_any_table_of_three(table):
    """Every operation on 0, 1, 2 is such a table; it is associative where its 27 equations hold."""
    grid = np.array(table).reshape(3, 3)
    left, right = grid[grid[:, :, None], np.arange(3)], grid[np.arange(3)[:, None, None], grid[None]]
    assert my_is_associative(lambda a, b: table[3 * a + b], [0, 1, 2]) == bool((left == right).all())


# Other attempts that learners may make


@pytest.mark.parametrize(
    "attempt",
    [lambda count: (count - 1).bit_length(), lambda count: 0 if count == 1 else 1 + my_rounds((count + 1) // 2)],
)
def test_other_ways_to_count_rounds_pass(attempt):
    assert exercises.rounds.check(attempt).passed


def test_a_loop_that_never_ends_is_stopped():
    def forever(count):
        while count > 0:
            count = (count + 1) // 2

    assert "Is there a loop whose condition never becomes false?" in one_line(
        exercises.rounds.check(forever, seconds=0.5)
    )


def test_a_scan_of_two_halves_passes():
    def halves(numbers, larger):
        if len(numbers) < 2:
            return numbers
        middle = len(numbers) // 2
        left, right = halves(numbers[:middle], larger), halves(numbers[middle:], larger)
        return left + [larger(left[-1], item) for item in right]

    assert exercises.running_maximum.check(halves).passed


def test_blellochs_scan_passes():
    def blelloch(numbers, larger):
        if not numbers:
            return []
        size, nothing = 1 << (len(numbers) - 1).bit_length(), (-(10**9), 0)
        tree, reach = numbers + [nothing] * (size - len(numbers)), 1
        while reach < size:
            for i in range(2 * reach - 1, size, 2 * reach):
                tree[i] = larger(tree[i - reach], tree[i])
            reach *= 2
        total, tree[-1] = tree[-1], nothing
        while reach > 1:
            reach //= 2
            for i in range(2 * reach - 1, size, 2 * reach):
                tree[i - reach], tree[i] = tree[i], larger(tree[i], tree[i - reach])
        return (tree[1:] + [total])[: len(numbers)]

    assert exercises.running_maximum.check(blelloch).passed


@pytest.mark.parametrize(
    "reaches", [lambda n: range(1, n), lambda n: [1] * (n - 1)], ids=["one further each time", "always neighbours"]
)
def test_a_reach_that_does_not_double_makes_a_long_chain(reaches):
    def slowly(numbers, larger):
        for reach in reaches(len(numbers)):
            numbers = numbers[:reach] + [larger(a, b) for a, b in zip(numbers, numbers[reach:])]
        return numbers

    result = exercises.running_maximum.check(slowly)
    assert not result.passed
    assert result.mistake == "goes_step_by_step"
    assert "after 7 rounds; the running maximum is" in one_line(result)


def test_a_scan_in_place_changes_what_it_was_given():
    def in_place(numbers, larger):
        for i in range(1, len(numbers)):
            numbers[i] = larger(numbers[i - 1], numbers[i])
        return numbers

    assert "changed the list or array that it was given" in one_line(exercises.running_maximum.check(in_place))


def test_values_without_their_rounds_are_told_apart():
    result = exercises.running_maximum.check(lambda numbers, larger: [value for value, _ in numbers])
    assert "whose items are not the pairs (value, round)" in one_line(result)


def test_flags_of_other_kinds_pass():
    assert exercises.combine.check(lambda left, right: (left[0] | right[0], my_combine(left, right)[1])).passed
    assert exercises.combine.check(lambda a, b: (np.bool_(a[0] or b[0]), my_combine(a, b)[1])).passed


def test_three_loops_pass():
    def loops(operation, values):
        for a in values:
            for b in values:
                for c in values:
                    if operation(operation(a, b), c) != operation(a, operation(b, c)):
                        return False
        return True

    assert exercises.is_associative.check(loops).passed


def test_an_unknown_wrong_answer_gets_a_counter_example():
    result = exercises.is_associative.check(lambda operation, values: len(values) != 3)
    assert not result.passed
    assert result.mistake is None
    assert "the right answer is" in one_line(result)
