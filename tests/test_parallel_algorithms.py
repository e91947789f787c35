"""The parallel algorithms that lesson 1.2 builds in view: equal to their recipes, and their counts to the formulas.

The functions are taken from the lesson itself, so that what is tested is what a learner reads.
"""

import ast
import itertools
import math
import operator
from fractions import Fraction

import jax
import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import course


def definitions(number: str) -> dict:
    """What a lesson's cells import and define, with nothing run but that."""
    namespace: dict = {}
    for cell in nbformat.read(course.lesson(number).path, as_version=4).cells:
        if cell.cell_type == "code":
            kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
            body = [node for node in ast.parse(cell.source).body if isinstance(node, kept)]
            exec(compile(ast.Module(body, type_ignores=[]), f"lesson {number}", "exec"), namespace)
    return namespace


lesson = definitions("1.2")
whole_numbers = st.lists(st.integers(-1000, 1000), min_size=1, max_size=80)
fractions = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80)
powers = st.integers(0, 6).map(lambda levels: 2**levels)


def counted(name, *lists):
    """The answer, the number of operations and the longest chain of one of the lesson's programs."""
    answer, rounds = lesson["count"](lesson[name], *lists)
    return answer, rounds.total(), max(rounds, default=0)


def combinations_of_two(strategy):
    return st.tuples(strategy, strategy)


steps = st.lists(combinations_of_two(st.integers(-3, 3)), min_size=1, max_size=40)


# By hand


def test_a_tree_of_four_has_two_rounds():
    assert counted("tree_sum", [1, 2, 3, 4]) == (10, 3, 2)
    assert counted("add_up", [1, 2, 3, 4]) == (10, 3, 3)


def test_scans_of_four():
    scan = lesson["hillis_steele"]
    assert scan(["a", "b", "c", "d"], operator.add) == ["a", "ab", "abc", "abcd"]
    assert lesson["blelloch"](["a", "b", "c", "d"], operator.add, "") == ["a", "ab", "abc", "abcd"]


def test_the_count_sees_what_runs_side_by_side():
    answer, rounds = lesson["count"](lambda x: (x[0] + x[1]) * (x[2] + x[3]), [1, 2, 3, 4])
    assert (answer, dict(rounds)) == (21, {1: 2, 2: 1})


def test_the_count_sees_an_operation_with_a_plain_number():
    answer, rounds = lesson["count"](lambda x: 2 * x[0] + 1, [5])
    assert (answer, dict(rounds)) == (11, {1: 1, 2: 1})


def test_three_operations_on_two_processors_take_two_rounds():
    assert lesson["rounds_with"](2, {1: 3}) == 2
    assert lesson["rounds_with"](3, {1: 3, 2: 1}) == 2


# Equal to the recipe


@given(whole_numbers)
def test_sums_of_whole_numbers_are_pythons(numbers):
    assert lesson["add_up"](numbers) == lesson["tree_sum"](numbers) == sum(numbers)


@given(fractions)
def test_a_trees_sum_of_fractions_is_exact_to_rounding(numbers):
    bound = 2**-50 * math.ceil(math.log2(len(numbers)) + 1) * sum(map(abs, numbers))  # Higham 1993
    assert abs(lesson["tree_sum"](numbers) - math.fsum(numbers)) <= bound


@given(whole_numbers, st.sampled_from([operator.add, operator.mul, max, min, lambda a, b: a]))
def test_scans_with_an_associative_operator_are_itertools(numbers, combine):
    expected = list(itertools.accumulate(numbers, combine))
    assert lesson["hillis_steele"](numbers, combine) == expected
    nothing = object()  # changes nothing, whatever the operator
    with_nothing = lambda a, b: b if a is nothing else a if b is nothing else combine(a, b)  # noqa: E731
    assert lesson["blelloch"](numbers, with_nothing, nothing) == expected


@given(st.lists(st.text("abc", min_size=1, max_size=2), min_size=1, max_size=40))
def test_scans_keep_the_order(texts):
    """Joining texts is associative, and tells when two inputs change places."""
    expected = list(itertools.accumulate(texts))
    assert lesson["hillis_steele"](texts, operator.add) == expected
    assert lesson["blelloch"](texts, operator.add, "") == expected


@given(fractions)
def test_scans_of_fractions_are_numpys_to_rounding(numbers):
    expected, reach = np.cumsum(numbers), 1e-12 * sum(map(abs, numbers))
    assert np.allclose(lesson["hillis_steele"](numbers, operator.add), expected, rtol=0, atol=reach)
    assert np.allclose(lesson["scan_by_tree"](numbers), expected, rtol=0, atol=reach)


@given(whole_numbers)
def test_a_scan_leaves_its_input_alone(numbers):
    before = list(numbers)
    lesson["scan_by_tree"](numbers)
    lesson["hillis_steele"](numbers, operator.add)
    lesson["bitonic_sort"](numbers[:1])
    assert numbers == before


@given(steps)
def test_the_recurrence_by_scan_is_the_recipe(pairs):
    factors, summands = map(list, zip(*pairs))
    expected = lesson["recurrence"](factors, summands)
    assert lesson["recurrence_by_scan"](factors, summands) == expected
    by_hillis_steele = lesson["hillis_steele"](pairs, lesson["compose"])
    assert [b for a, b in by_hillis_steele] == expected


@given(*[combinations_of_two(st.fractions(-9, 9, max_denominator=9))] * 3, st.fractions(-9, 9, max_denominator=9))
def test_composing_steps_is_associative_and_does_one_after_the_other(first, second, third, x):
    compose = lesson["compose"]
    assert compose(compose(first, second), third) == compose(first, compose(second, third))
    a, b = compose(first, second)
    assert a * x + b == second[0] * (first[0] * x + first[1]) + second[1]
    assert isinstance(b, Fraction | int)


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1024])
def test_jaxs_associative_scan_agrees(n):
    a, b = np.random.default_rng(n).uniform(-1, 1, (2, n)).astype(np.float32)
    by_jax = jax.lax.associative_scan(lesson["compose"], (a, b))[1]
    assert np.allclose(lesson["recurrence_by_scan"](list(a), list(b)), by_jax, atol=1e-5)
    assert np.allclose(lesson["jax_recurrence"](a, b), by_jax, atol=1e-5)


@given(st.data(), powers)
def test_both_sorts_sort(data, n):
    numbers = data.draw(st.lists(st.integers(-20, 20), min_size=n, max_size=n))
    assert lesson["bitonic_sort"](numbers) == sorted(numbers)
    assert lesson["merge_sort"](numbers) == sorted(numbers)


@pytest.mark.parametrize("n", [4, 8])
def test_the_bitonic_sort_sorts_every_list_of_zeros_and_ones(n):
    """Which proves that it sorts everything: the zero-one principle (Knuth, volume 3, 5.3.4)."""
    for numbers in itertools.product((0, 1), repeat=n):
        assert lesson["bitonic_sort"](numbers) == sorted(numbers)


@given(whole_numbers)
def test_merge_sort_takes_any_length(numbers):
    assert lesson["merge_sort"](numbers) == sorted(numbers)


# Counts


@given(whole_numbers.filter(lambda numbers: len(numbers) > 1))
def test_counts_of_the_sums(numbers):
    n = len(numbers)
    assert counted("add_up", numbers)[1:] == (n - 1, n - 1)
    assert counted("tree_sum", numbers)[1:] == (n - 1, math.ceil(math.log2(n)))


@pytest.mark.parametrize("n", range(2, 70))
def test_counts_of_the_scans(n):
    levels = math.ceil(math.log2(n))
    numbers = list(range(n))
    assert counted("running_total", numbers)[1:] == (n - 1, n - 1)
    assert counted("hillis_steele_total", numbers)[1:] == (n * levels - 2**levels + 1, levels)
    operations, chain = counted("scan_by_tree", numbers)[1:]
    assert operations <= 2 * (2**levels - 1)
    assert chain <= 2 * levels - 1
    if n == 2**levels:
        assert (operations, chain) == (2 * (n - 1), 2 * levels - 1)


@pytest.mark.parametrize("levels", range(2, 8))
def test_counts_of_the_recurrence_and_the_sorts(levels):
    n = 2**levels
    assert counted("recurrence", [1] * n, [1] * n)[1:] == (2 * n, 2 * n)
    assert counted("recurrence_by_scan", [1] * n, [1] * n)[1:] == (6 * (n - 1), 4 * levels - 3)
    assert counted("hillis_steele_recurrence", [1] * n, [1] * n)[1:] == (3 * (n * levels - n + 1), 2 * levels)
    assert counted("bitonic_sort", list(range(n)))[1:] == (n * levels * (levels + 1) // 4, levels * (levels + 1) // 2)


@given(st.integers(1, 6).flatmap(lambda levels: st.permutations(range(2**levels))))
def test_merge_sorts_counts_keep_their_bounds(numbers):
    n, levels = len(numbers), int(math.log2(len(numbers)))
    answer, operations, chain = counted("merge_sort", numbers)
    assert answer == sorted(numbers)
    assert n * levels / 2 <= operations <= n * levels - n + 1
    assert n / 2 <= chain <= max(1, n + levels - 2)


@pytest.mark.parametrize("job", ["sum", "running total", "recurrence"])
def test_the_compiler_keeps_the_chain_of_a_loop(job):
    recipe = {"sum": "jax_sum", "running total": "jax_running_total", "recurrence": "jax_recurrence"}[job]
    arrays = [np.ones(96, np.float32)] * (2 if job == "recurrence" else 1)
    assert lesson["loop_rounds"](lesson[recipe], *arrays) == [95 if job == "sum" else 96]


def test_a_scan_without_a_loop_has_no_rounds():
    assert lesson["loop_rounds"](lambda x: jax.lax.associative_scan(operator.add, x), np.ones(96, np.float32)) == []


# The picture


def test_a_trace_says_where_each_value_came_from():
    cell, trace = lesson["Cell"], lesson["trace"]
    rows = trace(lambda cells, watch: lesson["hillis_steele"](cells, operator.add, watch), [3, 1, 7, 0])
    assert [[value for value, _ in row] for row in rows] == [[3, 1, 7, 0], [3, 4, 8, 7], [3, 4, 11, 11]]
    assert [places for _, places in rows[1]] == [(0,), (0, 1), (1, 2), (2, 3)]
    assert [places for _, places in rows[2]] == [(0,), (1,), (0, 2), (1, 3)]
    rows = trace(lambda cells, watch: lesson["blelloch"](cells, operator.add, cell(0), watch), [3, 1, 7, 0])
    assert [value for value, _ in rows[-1]] == [0, 3, 4, 11]
    assert [places for _, places in rows[-1]] == [(1,), (1, 0), (3,), (3, 2)]
