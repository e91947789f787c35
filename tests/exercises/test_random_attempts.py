"""Random attempts at every exercise: whatever comes, the check answers in a sentence, soon, and calls nothing right.

Hypothesis draws them: values of every kind, functions that return, raise, print, change what they were given or fit
no call, and the solution itself with some of its code changed. Each exercise gets a thousand where all tests are
asked for, and fewer otherwise.
"""

import ast
import asyncio
import contextlib
import copy
import functools
import importlib
import inspect
import itertools
import linecache
import os
import pkgutil
import random
import sys
import threading
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from helpers import exercises, plans
from helpers.exercises import CORRECT, NOT_ATTEMPTED, NOT_YET, Exercise, FunctionExercise, Result, _running

pytestmark = pytest.mark.filterwarnings("ignore")  # attempts divide by zero, forget to await, and so on
ATTEMPTS = 1_000 if os.environ.get("TALKS_TEST_ALL") else 40
SECONDS = 0.2  # for a random attempt: a sound one needs a hundredth
LONGEST = 4_000  # characters of an answer
INSIDE = "Traceback", "helpers/", "_running.py", "site-packages", " at 0x"  # what no learner should read
MODULES = [
    importlib.import_module(f"helpers.exercises.{module.name}")
    for module in pkgutil.iter_modules(exercises.__path__)
    if not module.name.startswith("_")
]
EXERCISES = {
    f"{module.__name__.split('.')[-1]}.{name}": exercise
    for module in [*MODULES, plans]
    for name, exercise in vars(module).items()
    if isinstance(exercise, Exercise)
}
COMPARED = {name: one for name, one in EXERCISES.items() if isinstance(one, FunctionExercise)}
each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES.keys())


# Values: what an attempt may be, or may return


def _raise(*_):
    raise RuntimeError("from a learner's own class")


def _nonsense(*_):
    return object()


def _exit(*_):
    sys.exit()


def _interrupt(*_):
    raise KeyboardInterrupt


SPECIAL = """__eq__ __hash__ __repr__ __str__ __len__ __float__ __int__ __index__ __bool__ __iter__ __next__ __getitem__
__contains__ __array__ __call__ __deepcopy__ __copy__ __reduce_ex__ __getattr__ __getattribute__ __format__ __lt__
__sub__ __rsub__ __neg__ __abs__ __round__ __complex__ __array_ufunc__ __array_function__""".split()
KINDS = [object, int, float, str, bytes, list, tuple, dict, set, complex, np.ndarray, Exception]


def strange_object(seed: int) -> object:
    """An object of a class whose special methods, some or all, raise or return nonsense."""
    draw = random.Random(seed)
    names = draw.sample(SPECIAL, draw.choice([1, 2, 5, len(SPECIAL)]))
    how, kind = draw.choice([_raise, _nonsense, _exit, _interrupt, None]), draw.choice(KINDS)
    strange = type("Strange", (kind,), dict.fromkeys(names, how))
    return kind.__new__(strange, 1) if kind is np.ndarray else kind.__new__(strange)


def any_array(seed: int) -> np.ndarray:
    """An array of any plain kind and of up to three dimensions, some of them of no length."""
    draw = np.random.default_rng(seed)
    bits = draw.integers(0, 256, size=draw.integers(0, 4, size=draw.integers(0, 4)), dtype=np.uint8)
    return bits.astype(draw.choice(["f8", "f4", "f2", "i8", "u1", "?", "c16", "U3", "S2", "O", "m8[s]"]))


def _itself() -> list:
    made: list = []
    made.append(made)
    return made


def _deep() -> list:
    made: list = []
    for _ in range(5_000):
        made = [made]
    return made


class Jaxed:
    """Made when asked for: JAX takes its time to start."""

    def __new__(cls):
        import jax.numpy as jnp

        return jnp.arange(3.0)


ODD = [
    lambda: (number for number in range(3)),
    lambda: itertools.count(),
    lambda: asyncio.sleep(0),
    lambda: range(10**9),
    lambda: memoryview(b"bytes"),
    lambda: np.datetime64("2024-03-18"),
    lambda: np.ma.masked_array([1.0, 2.0], [True, False]),
    lambda: np.array([None, _itself()], dtype=object),
    lambda: np.zeros((0, 3)),
    lambda: np.broadcast_to(np.float64(1), (10**5, 10**5)),
    lambda: Decimal("NaN"),
    lambda: Fraction(1, 3),
    lambda: 10**5_000,
    lambda: -(10**400),
    lambda: "x" * 10**6,
    lambda: "`<b>`" * 20,
    lambda: "\ud800",
    lambda: NotImplemented,
    lambda: type,
    lambda: threading.Lock(),
    lambda: sys,
    lambda: ValueError("a value"),
    _itself,
    _deep,
    Jaxed,
]
seeds = st.integers(0, 2**32)
numbers = st.one_of(st.integers(), st.integers(-3, 3), st.floats(), st.booleans(), st.complex_numbers(), st.decimals())
leaves = st.one_of(
    numbers,
    st.none(),
    st.text(max_size=20),
    st.sampled_from(["", "tilts", "holds", "undecided", "th", "TH", "(", "[a-", "rule", "measure"]),
    st.binary(max_size=20),
    seeds.map(strange_object),
    seeds.map(any_array),
    st.sampled_from(ODD).map(lambda make: make()),
)


def _containers(inner):
    return st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=5) | st.sampled_from(list(plans.FIELDS)), inner, max_size=4),
    )


values = st.recursive(leaves, _containers, max_leaves=4)


# Functions


EXCEPTIONS = [
    *(functools.partial(kind, "a word") for kind in (ValueError, KeyError, IndexError, OSError, StopIteration)),
    *(ZeroDivisionError, RecursionError, MemoryError, NotImplementedError),
    *(SystemExit, KeyboardInterrupt, GeneratorExit),
    functools.partial(BaseException, "`<b>`"),
    functools.partial(AssertionError, "x" * 10_000),
    lambda: ExceptionGroup("two", [ValueError(), KeyError()]),
]


def _fitting(reference, act):
    """A function that can be called as the solution is, and does something else."""

    @functools.wraps(reference)
    def attempt(*given):
        return act(*given)

    del attempt.__wrapped__
    attempt.__signature__ = inspect.signature(reference)
    return attempt


def _raises(make):
    def act(*given):
        raise make()

    return act


def _empties(part):
    if isinstance(part, (list, dict, set)):
        part.clear()
    elif isinstance(part, np.ndarray):
        part[...] = 0


def _changes_what_it_is_given(right):
    def act(*given):
        answer = right(*given)
        list(map(_empties, given))
        return answer

    return act


def _prints(right, words, times):
    def act(*given):
        for _ in range(times):
            print(words)
        return right(*given)

    return act


def _now_and_then(right, other, chance):
    """Right in most cases, and something else in some; the same ones each time."""

    def act(*given):
        return other if random.Random(repr(given)).random() < chance else right(*given)

    return act


DISTORTED = {
    "wrapped": lambda answer: [answer],
    "as text": str,
    "negated": lambda answer: -answer,
    "doubled": lambda answer: 2 * answer,
    "a little more": lambda answer: answer * 1.01 + 0.01,
    "first": lambda answer: answer[0],
    "without its last": lambda answer: answer[:-1],
    "turned": lambda answer: answer[::-1],
    "transposed": lambda answer: np.asarray(answer).T,
    "rounded": lambda answer: np.round(answer, 1),
    "whole": int,
    "not": lambda answer: not answer,
    "as float": float,
    "as array": np.asarray,
    "as half": np.float16,
    "as list": list,
    "as a generator": lambda answer: (part for part in answer),
    "the same": lambda answer: answer,
}


def _classes(value):
    class Called:
        def __init__(self, *given):
            self.given = given

    class Calling:
        def __call__(self, *given):
            return value

    class Misleading(Calling):
        __signature__ = "none"
        __name__ = 3

    return [Called, Calling(), Misleading(), Calling]


async def _waits(*given):
    return 0


async def _waits_and_yields(*given):
    yield 0


def _yields(*given):
    yield 0


@st.composite
def functions(draw, right):
    """A function that does with what it is given something that a learner's could do."""
    value = draw(values)
    act = draw(
        st.one_of(
            st.just(lambda *given: value),
            st.sampled_from(EXCEPTIONS).map(_raises),
            st.sampled_from(list(DISTORTED.values())).map(lambda change: lambda *given: change(right(*given))),
            st.floats(0.01, 0.9).map(lambda chance: _now_and_then(right, value, chance)),
            st.just(_changes_what_it_is_given(right)),
            st.builds(_prints, st.just(right), st.text(max_size=30), st.sampled_from([1, 3, 300])),
            st.sampled_from([_waits, _yields, _waits_and_yields, *_classes(value)]),
        )
    )
    return act if draw(st.booleans()) else _fitting(right, act)


@st.composite
def misfits(draw):
    """A function or class that is called in another way than the solution, or a built-in one."""
    count = draw(st.integers(0, 6))
    names = ", ".join(f"part_{i}" for i in range(count))
    written = [f"lambda {names}: 0", "lambda *all, key: 0", "lambda: (yield)", "type('New', (), {})"]
    built_in = [print, len, max, min, sorted, sum, int, str, list, dict, abs, iter, next, zip, type, object, id]
    built_in += [np.mean, np.sort, functools.partial(max)]
    return draw(st.sampled_from([eval(text) for text in written] + built_in))


# The solution, changed

SWAPS = [ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.MatMult]
COMPARISONS = [ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.In, ast.Is]


class Changed(ast.NodeTransformer):
    """Changes as many places of a function's code as it is told, drawn from all that can be changed."""

    def __init__(self, draw: random.Random, names: list[str]):
        self.draw, self.names, self.seen, self.chosen = draw, names, 0, set()

    def visit(self, node):
        node = self.generic_visit(node)
        change = getattr(self, "change_" + type(node).__name__, None)
        if change is None:
            return node
        self.seen += 1
        return change(node) if self.seen in self.chosen else node

    def change_BinOp(self, node):
        if self.draw.random() < 0.3:
            return self.draw.choice([node.left, node.right])
        node.op = self.draw.choice(SWAPS)()
        return node

    def change_Compare(self, node):
        node.ops[0] = self.draw.choice(COMPARISONS)()
        return node

    def change_Constant(self, node):
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            node.value = self.draw.choice([node.value + 1, node.value - 1, -node.value, 0, 2 * node.value])
        else:
            node.value = self.draw.choice([None, True, "", 0])
        return node

    def change_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            node.id = self.draw.choice(self.names)
        return node

    def change_Return(self, node):
        return self.draw.choice([ast.Pass(), ast.Return(None), node])

    def change_Assign(self, node):
        return self.draw.choice([ast.Pass(), node])

    change_AugAssign = change_Expr = change_Assign

    def change_Call(self, node):
        if node.args and self.draw.random() < 0.7:
            return self.draw.choice(node.args)
        node.args = node.args[::-1]
        return node

    def change_IfExp(self, node):
        node.body, node.orelse = node.orelse, node.body
        return node

    def change_UnaryOp(self, node):
        return node.operand


def changed_source(source: str, seed: int) -> str:
    """The source of a function with one to three places changed."""
    draw, tree = random.Random(seed), ast.parse(source)
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {"None"})
    names += [argument.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for argument in node.args]
    count = Changed(draw, names)
    count.visit(copy.deepcopy(tree))
    change = Changed(draw, names)
    change.chosen = set(draw.sample(range(1, count.seen + 1), min(draw.choice([1, 1, 2, 3]), count.seen)))
    return ast.unparse(ast.fix_missing_locations(change.visit(tree)))


def written(exercise, source: str):
    """The function of a source, as if it stood in a notebook's cell."""
    name = f"<cell {exercise.name}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    namespace = dict(vars(inspect.getmodule(exercise.reference)))
    exec(compile(source, name, "exec"), namespace)
    return namespace[exercise.reference.__name__]


def changed_solutions(exercise):
    def write(seed: int):
        try:
            return written(exercise, changed_source(inspect.getsource(exercise.reference), seed))
        except Exception:  # not every change can be compiled
            return None

    return seeds.map(write)


def changed_data(exercise):
    """For an exercise whose solution is no function: the solution's parts, some in other places or replaced."""
    right = exercise.reference() if exercise is plans.plan else exercise.reference
    if isinstance(right, dict):
        some = st.dictionaries(st.sampled_from(list(right)), values | functions(plans.good_rule), max_size=3)
        return some.map(lambda other: {**right, **other})
    texts = st.sampled_from(["", "th", "TH", "e", "$", "^", "[eiy]", "(", "IY", "x", "."]) | st.text(max_size=5)
    return st.lists(st.sampled_from(right) | texts, min_size=3, max_size=5).map(tuple) | st.tuples(*[texts] * 4)


def attempts(exercise):
    if not callable(exercise.reference) or exercise is plans.plan:
        return st.one_of(values, misfits(), changed_data(exercise))
    return st.one_of(values, misfits(), functions(exercise.reference), changed_solutions(exercise))


class Drawn:
    """An attempt that Hypothesis can name without asking it."""

    def __init__(self, attempt):
        self.attempt = attempt

    def __repr__(self):
        return f"an attempt of the {type(self.attempt)}"


# What must hold


def _is_right(exercise, attempt) -> bool:
    """Whether an attempt that passed does what the solution does, by a comparison of our own."""
    if not isinstance(exercise, FunctionExercise):
        return True
    for case in exercise.cases:
        with contextlib.redirect_stdout(None):
            found, right = (function(*copy.deepcopy(case)) for function in (attempt, exercise.reference))
        if not _alike(found, right):
            return False
    return True


def _alike(found, right) -> bool:
    """Equal, numbers nearly; a list, a tuple and an array of the same parts are alike."""
    if isinstance(right, (list, tuple)) or np.ndim(right):
        return len(found) == len(right) and all(map(_alike, found, right))
    return found == right or bool(np.isclose(found, right, rtol=1e-3))


def looks_sound(exercise, attempt, result) -> None:
    """That a check's answer is a sentence with a verdict, and says nothing of the helpers' own inside."""
    assert type(result) is Result
    text = repr(result)
    html = result._repr_mimebundle_()["text/html"]
    heading = next(one for one in (CORRECT, NOT_YET, NOT_ATTEMPTED) if text.startswith(one))
    assert result.passed == (heading == CORRECT)
    assert len(text.split()) > len(heading.split()) + 2
    assert len(text) < LONGEST and len(html) < 3 * LONGEST, text[:500]
    assert not [inside for inside in INSIDE if inside in text], text
    assert not any(run.goes_on for run in threading.enumerate() if isinstance(run, _running.Run)), text
    text.encode()
    assert not result.passed or _is_right(exercise, attempt), text


@each_exercise
def test_a_random_attempt_gets_a_sentence(exercise):
    @settings(
        max_examples=ATTEMPTS,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # to make an attempt smaller would say nothing about the check
        suppress_health_check=list(HealthCheck),
    )
    @given(attempts(exercise).map(Drawn))
    def check(drawn):
        attempt = drawn.attempt
        before = sys.stdout, sys.stderr, sys.stdin, sys.getrecursionlimit()
        looks_sound(exercise, attempt, exercise.check(attempt, SECONDS))
        assert before == (sys.stdout, sys.stderr, sys.stdin, sys.getrecursionlimit())

    check()


@pytest.mark.parametrize("exercise", COMPARED.values(), ids=COMPARED.keys())
def test_a_solution_whose_answers_are_changed_is_right_only_where_they_are_alike(exercise):
    passed = []
    for name, change in DISTORTED.items():
        attempt = _fitting(exercise.reference, lambda *given, change=change: change(exercise.reference(*given)))
        result = exercise.check(attempt, SECONDS)
        looks_sound(exercise, attempt, result)
        passed += [name] * result.passed
    assert "the same" in passed and "wrapped" not in passed


def _for_ever(*_):
    while True:
        pass


@each_exercise
def test_an_attempt_that_never_comes_back_is_stopped(exercise):
    endless = type("Endless", (), dict.fromkeys(SPECIAL, _for_ever))
    told = []
    for attempt in (lambda *given: endless(), _for_ever):
        result = exercise.check(attempt, 0.05)
        looks_sound(exercise, attempt, result)
        assert not result.passed
        told.append(repr(result))
    assert exercise.name in ("plan", "rule") or "stopped" in told[-1] or "more than 0.05 seconds" in told[-1], told[-1]
