"""The check of an exercise: it explains, and nothing that an attempt does can hang, flood or break it."""

import asyncio
import builtins
import contextlib
import itertools
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers.exercises import FunctionExercise, _running, is_untouched, number, number_or_none, same, whole_number

pytestmark = [
    pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning"),
    # The exception that stops an attempt may arrive in a callback of the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECONDS = 0.3


def my_total(numbers: list) -> int:
    """Return the sum of the numbers."""
    return sum(numbers)


def new_exercise(reference=my_total, read=whole_number) -> FunctionExercise:
    cases = [([],), ([1],), ([1, 2],), ([3, -1, 4],), ([0] * 50 + [7],)]
    exercise = FunctionExercise(
        "total",
        "Write `my_total(numbers)`: the sum of all numbers.",
        ["What is the sum of no numbers?", "Add one after the other."],
        reference,
        cases=cases,
        read=read,
        noun="the total",
    )

    @exercise.mistake
    def counts(numbers):
        """You count the numbers. Add them."""
        return len(numbers)

    @exercise.mistake
    def takes_the_first(numbers):
        """You take the first one only."""
        return numbers[0]

    return exercise


@pytest.fixture
def exercise() -> FunctionExercise:
    return new_exercise()


@pytest.fixture(autouse=True)
def everything_is_put_back(monkeypatch):
    """Whatever an attempt does, the interpreter is afterwards as it was."""
    monkeypatch.setattr(_running, "PATIENCE", 0.5)

    def state():
        return sys.stdout, sys.stderr, sys.stdin, builtins.input, sys.getrecursionlimit(), threading.stack_size()

    before = state()
    yield
    assert state() == before
    if sys.platform != "win32":
        import resource

        assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_the_solution_passes(exercise):
    result = exercise.check(my_total)
    assert result.passed
    assert result.mistake is None
    assert repr(result) == "Correct. Right in all 5 cases."


def stub_with_dots(numbers): ...


def stub_with_docstring(numbers):
    """Return the sum of the numbers."""
    ...


def stub_with_pass(numbers):
    pass


def stub_returning_dots(numbers):
    return ...


def stub_raising(numbers):
    raise NotImplementedError


@pytest.mark.parametrize(
    "stub", [stub_with_dots, stub_with_docstring, stub_with_pass, stub_returning_dots, stub_raising, None, ...]
)
def test_an_untouched_stub_is_not_attempted_yet(exercise, stub):
    result = exercise.check(stub)
    assert not result.passed
    assert repr(result).startswith("Not attempted yet. Write `my_total(numbers)`")
    assert "exercises.total.hint()" in repr(result)


def test_an_attempt_that_does_something_is_not_a_stub():
    def writes_a_variable(numbers):
        total = None  # noqa: F841

    def yields(numbers):
        yield

    assert not any(map(is_untouched, [writes_a_variable, yields, lambda numbers: 0, len, 3]))


def test_a_known_mistake_gets_its_own_diagnosis(exercise):
    result = exercise.check(lambda numbers: len(numbers))
    assert result.mistake == "counts"
    assert repr(result).split("\n") == [
        "Not yet. `my_total([1, 2])` returned 2; the total is 3.",
        "You count the numbers. Add them.",
    ]


def test_a_known_mistake_is_seen_through_an_exception_besides(exercise):
    def counts_and_fails_for_none(numbers):
        return len(numbers) if numbers else numbers[0]

    result = exercise.check(counts_and_fails_for_none)
    assert result.mistake == "counts"
    assert "Besides, `my_total([])` raised IndexError: list index out of range, in line" in repr(result)


def test_an_unknown_mistake_gets_the_smallest_counter_example(exercise):
    result = exercise.check(lambda numbers: sum(numbers) + (len(numbers) > 1))
    assert not result.passed
    assert result.mistake is None
    assert "`my_total([1, 2])` returned 4; the total is 3." in repr(result)
    assert "2 of 5 come out right" in repr(result)


def test_forgotten_return(exercise):
    def forgets(numbers):
        total = 0
        for n in numbers:
            total += n

    assert "returned None; the total is 0.\nDoes it end without `return`?" in repr(exercise.check(forgets))


def test_the_learners_own_line_is_shown(exercise):
    def helper(numbers):
        return numbers[99]

    def attempt(numbers):
        return helper(numbers)

    text = " ".join(repr(exercise.check(attempt)).split())
    assert "raised IndexError: list index out of range, in line" in text
    assert "`return numbers[99]`" in text


def test_what_an_attempt_prints_is_shown_and_shortened(exercise):
    def prints(numbers):
        print("numbers:", numbers)
        print("to stderr", file=sys.stderr)
        return sum(numbers)

    result = exercise.check(prints)
    assert result.passed
    assert repr(result).split("\n")[1:] == [
        "It printed:",
        "    numbers: []",
        "    to stderr",
        "    numbers: [1]",
        "    to stderr",
        "    numbers: [1, 2]",
        "    ... and 5 lines more",
    ]


def test_printing_reaches_the_page_again_afterwards(exercise, capsys):
    exercise.check(lambda numbers: print("inside"))
    print("after")
    assert capsys.readouterr() == ("after\n", "")


# What attempts can do, and the words that must be in the answer


def loops(numbers):
    while True:
        pass


def loops_and_catches_everything(numbers):
    while True:
        try:
            while True:
                pass
        except:  # noqa: E722
            pass


def loops_and_catches_everything_twice(numbers):
    while True:
        try:
            try:
                while True:
                    pass
            except BaseException:
                continue
        except:  # noqa: E722
            continue


def loops_in_finally(numbers):
    try:
        while True:
            pass
    finally:
        loops_and_catches_everything(numbers)


def loops_and_suppresses(numbers):
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.001)


def calls_itself_from_except(numbers):
    try:
        while True:
            pass
    except:  # noqa: E722
        calls_itself_from_except(numbers)


def loops_in_a_generator(numbers):
    def forever():
        while True:
            try:
                len(numbers)
            except:  # noqa: E722
                continue
            yield 1

    return sum(1 for _ in forever())


def grows(numbers):
    kept = []
    while True:
        kept.append(bytearray(1_000_000))


def floods(numbers):
    while True:
        with contextlib.suppress(BaseException):
            print("x" * 1000)


def asks(numbers):
    return int(input("How many? "))


def asks_again_and_again(numbers):
    while True:
        with contextlib.suppress(BaseException):
            input()


def recurses(numbers):
    return recurses(numbers) + 1


def lifts_the_recursion_limit(numbers):
    sys.setrecursionlimit(5000)
    return recurses(numbers)


def exits(numbers):
    sys.exit(3)


def raises_keyboard_interrupt(numbers):
    raise KeyboardInterrupt


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("never shown")


class Endless(Exception):
    def __str__(self):
        while True:
            pass


class Masked(BaseException):
    @property
    def __class__(self):
        raise ValueError("never shown")


def raises(error):
    def attempt(numbers):
        raise error

    return attempt


class Evil:
    """Everything that a check might do with a value raises."""

    def _raise(self, *arguments):
        raise RuntimeError("evil")

    __eq__ = __hash__ = __repr__ = __str__ = __len__ = __float__ = __int__ = __index__ = __bool__ = __iter__ = _raise
    __getattr__ = __call__ = __array__ = __deepcopy__ = _raise


class EndlesslyEqual:
    __hash__ = None

    def __eq__(self, other):
        while True:
            pass


class LyingInteger(int):
    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0

    __hash__ = int.__hash__

    def __repr__(self):
        return "3"


class Lazy:
    def __len__(self):
        return 10**9

    def __getitem__(self, i):
        return i


def puts_something_evil_into_its_input(numbers):
    numbers.append(EndlesslyEqual())
    return 0


def closes_stdout(numbers):
    sys.stdout.close()
    sys.stdout = None
    return -1


async def waits(numbers):
    return sum(numbers)


def yields(numbers):
    yield sum(numbers)


def returning(value):
    return lambda numbers: value


HORRORS = {
    "loops": (loops, "`my_total([])` was not finished after 0.3 seconds, and was stopped."),
    "loops catching": (loops_and_catches_everything, "was stopped. Is there a loop"),
    "loops catching twice": (loops_and_catches_everything_twice, "was stopped. Is there a loop"),
    "loops in finally": (loops_in_finally, "was stopped. Is there a loop"),
    "loops suppressing": (loops_and_suppresses, "was stopped. Is there a loop"),
    "recurses from except": (calls_itself_from_except, "was stopped. Is there a loop"),
    "loops in a generator": (loops_in_a_generator, "was stopped. Is there a loop"),
    "endless iterator": (lambda numbers: max(i for i in itertools.count()), "was stopped."),
    "grows": (grows, "took more than 500 MB of memory, and was stopped."),
    "one huge request": (lambda numbers: [0] * 10**12, "asked for more memory than there is (MemoryError)"),
    "floods": (floods, "printed more than a million characters, and was stopped."),
    "asks": (asks, "asks for typed input"),
    "asks again": (asks_again_and_again, "asks for typed input"),
    "reads stdin": (lambda numbers: int(sys.stdin.readline()), "raised ValueError: invalid literal"),
    "recurses": (recurses, "called itself without end (RecursionError)"),
    "recurses deep": (lifts_the_recursion_limit, "called itself without end (RecursionError)"),
    "exits": (exits, "asked Python to exit"),
    "interrupts": (raises_keyboard_interrupt, "raised KeyboardInterrupt"),
    "raises": (raises(KeyError("x")), "raised KeyError: 'x'"),
    "raises with address": (raises(ValueError("<f at 0x7f00dead>")), "raised ValueError: <f>"),
    "raises with a place": (raises(ValueError(f"<module 'x' from '{__file__}'>")), "raised ValueError: <module 'x'>"),
    "raises unspeakable": (raises(Unspeakable()), "raised Unspeakable"),
    "raises endless": (raises(Endless()), "was stopped."),
    "raises masked": (raises(Masked()), "raised Masked"),
    "raises a class of text": (lambda numbers: exec("raise 3"), "raised TypeError"),
    "returns None": (lambda numbers: print(end=""), "returned None; the total is 0."),
    "returns Ellipsis": (lambda numbers: [...][0], "returned Ellipsis; the total is 0."),
    "returns text": (lambda numbers: "six", "returned 'six', a str, where a number is needed"),
    "returns long text": (lambda numbers: "x" * 10**7, "returned 'xxxxx"),
    "returns a truth value": (lambda numbers: True, "returned True, a bool"),
    "returns a float": (lambda numbers: float(sum(numbers)), "returned 0.0, a float, where a whole number is needed"),
    "returns a list": (lambda numbers: [sum(numbers)], "returned a list, where a number is needed"),
    "returns nan": (lambda numbers: float("nan"), "returned nan, as 0/0 or log(0) do"),
    "returns inf": (lambda numbers: np.float64("inf"), "returned inf"),
    "returns a shape": (lambda numbers: np.zeros((3, 4)), "returned an array of shape (3, 4), not one number"),
    "returns complex": (lambda numbers: 1j, "returned 1j, a complex"),
    "returns a function": (lambda numbers: my_total, "returned a function (was it called, with brackets?)"),
    "returns a class": (lambda numbers: int, "returned a type (was it called, with brackets?)"),
    "is a generator": (yields, "returned a generator (write `return` in place of `yield`"),
    "is async": (waits, "returned a coroutine (write `return`"),
    "returns a task": (lambda numbers: asyncio.sleep(0), "returned a coroutine"),
    "returns something evil": (lambda numbers: Evil(), "returned an Evil that cannot be read"),
    "returns endless equality": (lambda numbers: EndlesslyEqual(), "returned an EndlesslyEqual, where a number"),
    "returns something lazy": (lambda numbers: Lazy(), "returned a Lazy, where a number is needed"),
    "returns a long range": (lambda numbers: range(10**9), "returned a range, where a number is needed"),
    "returns a lying integer": (lambda numbers: LyingInteger(99), "returned 99; the total is 0."),
    "changes its input": (lambda numbers: numbers.append(1) or 0, "changed the list or array that it was given"),
    "puts evil in": (puts_something_evil_into_its_input, "changed the list or array"),
    "closes stdout": (closes_stdout, "returned -1; the total is 0."),
    "wrong arity": (
        lambda first, second: 0,
        "Your function takes first, second; it is called as `my_total(numbers)`.",
    ),
    "no arguments": (lambda: 0, "Your function takes no arguments"),
    "not callable": (3, "`check` needs the function itself, without brackets, as in `check(my_total)`: it got an int."),
    "text": ("my_total", "it got a str."),
    "an evil object": (Evil(), "raised RuntimeError"),
    "a class": (Lazy, "Your function takes no arguments"),
    "a builtin": (len, "You count the numbers."),
    "a builtin that does not fit": (print, "returned None"),
}


@pytest.mark.parametrize(("attempt", "words"), HORRORS.values(), ids=HORRORS.keys())
def test_every_horror_becomes_a_sentence(exercise, attempt, words):
    meant_to_run_out_of_time = "was stopped." in words and "more than" not in words
    result = exercise.check(attempt, seconds=SECONDS if meant_to_run_out_of_time else 20)
    text = " ".join(repr(result).split())
    assert not result.passed
    assert text.startswith("Not yet. ")
    assert words in text
    assert not any(
        hidden in text for hidden in ("Traceback", "helpers", "_running", "never shown", " at 0x", "restart")
    )


def test_the_same_attempt_gets_the_same_words(exercise):
    fixed = [attempt for name, (attempt, _) in HORRORS.items() if not name.startswith(("grows", "floods", "closes"))]
    some = fixed[::7]
    assert [repr(exercise.check(a, SECONDS)) for a in some] == [repr(exercise.check(a, SECONDS)) for a in some]


def test_a_sleeper_that_cannot_be_stopped_is_left_alone_and_named(exercise):
    still_there = []

    def sleeps(numbers):
        time.sleep(1.5)
        still_there.append(numbers)

    text = " ".join(repr(exercise.check(sleeps, seconds=0.1)).split())
    assert "It could not be stopped and is still running in the background: restart the kernel" in text
    time.sleep(1.5)
    assert not still_there  # it was stopped as soon as it woke up


def test_an_interrupted_check_says_so_and_ends(exercise):
    for _ in range(10):  # it depends on the moment
        threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
        result = exercise.check(loops_and_catches_everything, seconds=20)
        assert "was stopped because you interrupted the check" in repr(result)
    assert loops_and_catches_everything.__code__ not in [frame.f_code for frame in sys._current_frames().values()]


def test_an_attempt_that_is_interrupted_before_it_begins_never_does():
    called = []
    run = _running.Run(lambda: called.append(True))
    run.note("interrupted")
    run.start()
    run.join()
    assert not called and not run.goes_on


def test_what_an_attempt_drops_while_it_is_stopped_reaches_nobody(exercise, monkeypatch):
    """Such as pytest's own hook, which imports a module: a stop that arrived there failed the test."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    hook = sys.unraisablehook

    class Dropped:
        def __del__(self):
            raise ValueError("dropped")

    def drops_at_its_end(values):
        dropped = Dropped()  # noqa: F841 - it goes when the stop leaves this function
        while True:
            pass

    result = exercise.check(drops_at_its_end, seconds=0.3)
    assert "was stopped" in repr(result)
    assert not told and sys.unraisablehook is hook


def test_an_attempt_that_wakes_from_its_sleep_is_put_to_sleep_again(monkeypatch):
    """Else it would go on for ever behind everything that the learner runs next."""
    sleep, woken = _running._sleep_for_good, []

    def wakes_once():
        if woken:
            sleep()
        woken.append(True)
        raise InterruptedError

    run = _running.Run(lambda: loops_and_catches_everything_twice([]))
    monkeypatch.setattr(_running, "_sleep_for_good", wakes_once)
    run.watch(seconds=0.05)
    time.sleep(0.05)
    assert woken
    assert sys._current_frames()[run.ident].f_code is _running.ASLEEP


def test_a_slow_attempt_is_told_that_its_short_answers_were_right():
    exercise = new_exercise()

    @exercise.mistake(too_slow=True)
    def waits_for_each_number(numbers):
        """You wait at each number."""
        time.sleep(len(numbers) * 0.02)
        return sum(numbers)

    result = exercise.check(waits_for_each_number, seconds=SECONDS)
    assert result.mistake == "waits_for_each_number"
    assert "The 4 shorter cases before it came out right" in " ".join(repr(result).split())
    assert "You wait at each number." in repr(result)


def test_hints_are_a_ladder(exercise):
    texts = [repr(exercise.hint()) for _ in range(3)]
    assert texts[0] == "Hint 1 of 2. What is the sum of no numbers?"
    assert texts[1] == texts[2]
    assert texts[1].startswith("Hint 2 of 2, the last. Add one after the other.")
    assert "exercises.total.solution()" in texts[1]


def test_the_solution_and_the_stub_are_the_references_source(exercise):
    source = 'def my_total(numbers: list) -> int:\n    """Return the sum of the numbers."""\n    return sum(numbers)'
    assert exercise.source == source
    assert source in repr(exercise.solution())
    assert exercise.stub == source.replace("return sum(numbers)", "...")


def test_html_says_what_the_text_says_and_is_escaped(exercise):
    html = exercise.check(lambda numbers: "<b>&")._repr_mimebundle_()["text/html"]
    assert "<strong>Not yet.</strong> <code>my_total([])</code> returned" in html
    assert "&lt;b&gt;&amp;" in html
    assert "<b>" not in html


def test_numbers_of_every_kind_are_read():
    import jax.numpy as jnp

    assert [number(value).value for value in (2, 2.5, np.int64(2), np.float32(2.5), np.array(2), Fraction(1, 2))] == [
        2, 2.5, 2, 2.5, 2, 0.5,
    ]  # fmt: skip
    assert [type(whole_number(value).value) for value in (np.int64(2), jnp.array(2))] == [int, int]
    assert number(jnp.float32(2.5)).value == 2.5
    assert number_or_none(None).kind == "answer"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (0.1 + 0.2, 0.3, True),
        (3, 3.0, True),
        (100.0, 100.1, False),
        (True, 1, False),
        ([1, (2, "a")], [1, (2, "a")], True),
        ([1], (1,), False),
        (np.arange(3), np.arange(3), True),
        (np.arange(3), np.arange(4), False),
        (LyingInteger(1), 1, False),
    ],
)
def test_same(one, other, equal):
    assert same(one, other) is equal


@pytest.mark.parametrize("attempt", [my_total, loops, loops_and_catches_everything_twice])
def test_after_a_check_a_debugger_still_works(attempt):
    """In CPython 3.11 traced code hung once a check had told a thread to stop, or only cleared that away."""
    code = f"""
import faulthandler, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_framework import {attempt.__name__}, new_exercise
new_exercise().check({attempt.__name__}, {SECONDS})
faulthandler.dump_traceback_later(20, exit=True)
sys.settrace(lambda *traced: None)
(lambda: None)()
sys.settrace(None)
print("traced")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "traced\n", done.stderr[-1000:]
