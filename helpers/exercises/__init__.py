"""What an exercise is: a check that says what is wrong, a ladder of hints, a tested solution, known mistakes.

A lesson's exercises stand in the module of this package that is named like the lesson.
"""

import copy
import dis
import inspect
import linecache
import math
import numbers
import re
import textwrap
import traceback
import types
from collections.abc import Callable, Iterable
from html import escape
from typing import NamedTuple

import numpy as np

from helpers.claims import FRAME, Card
from helpers.exercises._running import Run, Stop

SECONDS = 3.0  # after which an attempt is stopped; an honest one needs a tenth of it
CLOSENESS = 1e-4  # relative: single precision is precise enough
LINES_SHOWN = 5  # of what an attempt printed
WIDTH = 100  # characters of a line of plain text


WITHHELD = "They are closed in this copy of the lesson. A hint helps, and a check says what is wrong."
_withheld: list[bool] = []  # with an entry once a handed-out notebook has asked for it


def withhold_solutions() -> None:
    """Close `.solution()` of every exercise until the kernel restarts, as in a copy of a lesson that is handed out.

    It takes the button away, not the file: whoever reads the modules of this package finds the solutions.

        helpers.exercises.withhold_solutions()
    """
    _withheld.append(True)


class Mistake(NamedTuple):
    """An error that learners really make, as an attempt that makes it, and what to tell the learner."""

    name: str
    attempt: object
    diagnosis: str
    too_slow: bool = False


class Outcome(NamedTuple):
    """What an attempt did with one case, as plain values: safe to compare and to show.

    `kind` is "answer" or what else happened; `sentence` tells it, and goes on from "f(x) ...".
    """

    kind: str
    value: object = None
    sentence: str = ""

    def agrees(self, other: "Outcome") -> bool:
        return self.kind == other.kind and same(self.value, other.value)


class Result(Card):
    """What a check found, as text and HTML; `passed` is True or False, `mistake` the name of a known one or None."""

    def __init__(self, heading: str, paragraphs: list[str], passed: bool = False, mistake: str | None = None):
        self.passed, self.mistake = passed, mistake
        super().__init__(*_text_and_html(heading, paragraphs))


class Exercise:
    """One sentence that says what to write, and everything that helps: `check`, `hint` and `solution`.

    `reference` is the tested solution. A subclass says how an attempt is looked at (`observe`, which runs
    under watch and leaves plain findings in a list) and what to tell about the findings (`judge`).
    """

    def __init__(self, name: str, target: str, hints: list[str], reference: object):
        self.name, self.target, self.hints, self.reference = name, target, hints, reference
        self.mistakes: list[Mistake] = []
        self._hints_given = 0

    def prepare(self) -> None:
        """Compute what the check needs and what is not the attempt's own time."""

    def check(self, attempt: object, seconds: float = SECONDS) -> Result:
        """Whether the attempt is right and, if not, what is wrong: never an exception, whatever it does."""
        if is_untouched(attempt):
            return self.not_attempted()
        self.prepare()
        seen: list = []
        run = Run(lambda: self.observe(attempt, seen)).watch(seconds)
        heading, paragraphs, mistake = self.judge(seen, run, seconds)
        if heading == NOT_ATTEMPTED:
            return self.not_attempted()
        return Result(heading, paragraphs + _about_printing(run), heading == CORRECT, mistake)

    def not_attempted(self) -> Result:
        return Result(NOT_ATTEMPTED, [self.target, f"For a first hint: `exercises.{self.name}.hint()`"])

    def hint(self) -> Card:
        """The next hint, from a nudge to nearly the solution; after the last one, the last again."""
        self._hints_given = min(self._hints_given + 1, len(self.hints))
        return self.ladder()[self._hints_given - 1]

    def ladder(self) -> list[Card]:
        """All hints in order, each as `hint` shows it."""
        headings = [f"Hint {number} of {len(self.hints)}" for number in range(1, len(self.hints) + 1)]
        steps = [[f"{heading}.", hint] for heading, hint in zip(headings, self.hints)]
        steps[-1][0] = f"{headings[-1]}, the last."
        if not _withheld:
            steps[-1].append(f"One way to write it: `exercises.{self.name}.solution()`")
        return [Card(*_text_and_html(heading, paragraphs)) for heading, *paragraphs in steps]

    def solution(self) -> Card:
        """The source of the solution, the very one that the tests run; a sentence where the teacher withholds it."""
        if _withheld:
            return Card(*_text_and_html("Your teacher has the solutions.", [WITHHELD]))
        lead = "One way to write it:"
        code = f'<pre style="white-space: pre-wrap"><code>{escape(self.source)}</code></pre>'
        return Card(f"{lead}\n\n{self.source}", f'<div style="{FRAME}"><p><strong>{lead}</strong></p>{code}</div>')

    @property
    def source(self) -> str:
        return inspect.getsource(self.reference).rstrip()

    @property
    def stub(self) -> str:
        """What the lesson's cell holds before the learner begins: the solution's first lines and no body."""
        head = self.source[: self.source.index('"""', self.source.index('"""') + 3) + 3]
        return f"{head}\n    ..."


class FunctionExercise(Exercise):
    """Write a function: its answers to `cases` (smallest first) are compared with the solution's.

    `read` turns what came back into an Outcome; `noun` names the right answer in "the distance is 3".
    A known mistake is recognised by its behaviour: an attempt that does the same in every case.
    """

    def __init__(self, *arguments, cases: list[tuple], read: Callable[[object], Outcome], noun: str):
        super().__init__(*arguments)
        self.cases, self.read, self.noun = cases, read, noun
        self.right: list[Outcome] = []

    def mistake(self, wrong: Callable | None = None, too_slow: bool = False) -> Callable:
        """Add a wrong function to the known mistakes (a decorator); its docstring is the diagnosis."""
        if wrong is None:
            return lambda function: self.mistake(function, too_slow)
        diagnosis = " ".join(wrong.__doc__.split())
        self.mistakes.append(Mistake(wrong.__name__, wrong, diagnosis, too_slow))
        return wrong

    def prepare(self) -> None:
        self.right = self.right or self.outcomes(self.reference)

    def outcomes(self, attempt: Callable) -> list[Outcome]:
        return [outcome(attempt, case, self.read) for case in self.cases]

    def observe(self, attempt: object, seen: list[Outcome]) -> None:
        if problem := cannot_be_called(attempt, self.reference):
            seen.append(problem)
            return
        for case in self.cases:
            seen.append(outcome(attempt, case, self.read))

    def judge(self, seen: list[Outcome], run: Run, seconds: float) -> tuple[str, list[str], str | None]:
        if seen and seen[0].kind == "not callable":
            return NOT_YET, [seen[0].sentence], None
        if seen and seen[0].kind == "not attempted":
            return NOT_ATTEMPTED, [], None
        wrong = [i for i, (did, right) in enumerate(zip(seen, self.right)) if not did.agrees(right)]
        if len(seen) < len(self.cases) or run.stopped not in (None, "time"):
            return self._judge_stopped(seen, wrong, run, seconds)
        if not wrong:
            return CORRECT, [f"Right in all {len(seen)} cases."], None
        wrong_answers = [i for i in wrong if seen[i].kind == "answer"]
        if known := self._known(seen, range(len(seen))):
            return NOT_YET, [self._tell(seen, wrong[0]), known.diagnosis], known.name
        answered = [i for i, did in enumerate(seen) if did.kind == "answer"]
        if wrong_answers and 2 * len(answered) > len(seen) and (known := self._known(seen, answered)):
            other = next(i for i in wrong if i not in wrong_answers)
            also = f"Besides, {self._tell(seen, other)}"
            return NOT_YET, [self._tell(seen, wrong_answers[0]), known.diagnosis, also], known.name
        if all(did.kind == "nothing" for did in seen):
            return NOT_YET, [self._tell(seen, wrong[0]), "Does it end without `return`?"], None
        return NOT_YET, [self._tell(seen, wrong[0]), self._in_general(len(wrong))], None

    def _known(self, seen: list[Outcome], looked_at: Iterable[int]) -> Mistake | None:
        """The known mistake that does the same in these cases, if there is one."""
        for mistake in self.mistakes:
            if not mistake.too_slow and all(
                outcome(mistake.attempt, self.cases[i], self.read).agrees(seen[i]) for i in looked_at
            ):
                return mistake
        return None

    def _in_general(self, wrong: int) -> str:
        right = len(self.cases) - wrong
        return (
            f"This is the smallest case that goes wrong; {right} of {len(self.cases)} come out right. It is none of "
            f"the mistakes that this check knows: follow your code by hand through this case, or ask for a hint "
            f"with `exercises.{self.name}.hint()`."
        )

    def _judge_stopped(self, seen: list[Outcome], wrong: list[int], run: Run, seconds: float):
        call = self._call(min(len(seen), len(self.cases) - 1))
        ended = [f"`{call}` {_why_stopped(run, seconds)}"]
        if run.goes_on:
            ended.append(
                "It could not be stopped and is still running in the background: restart the kernel (menu Kernel, "
                "Restart) before you go on."
            )
        if wrong:
            return NOT_YET, [self._tell(seen, wrong[0]), *ended], None
        if run.stopped != "time":
            return NOT_YET, ended, None
        if not seen:
            return NOT_YET, [*ended, "Is there a loop whose condition never becomes false?"], None
        ended.append(f"The {len(seen)} shorter cases before it came out right: it may be slow rather than wrong.")
        slow = next((mistake for mistake in self.mistakes if mistake.too_slow), None)
        if slow:
            return NOT_YET, [*ended, slow.diagnosis], slow.name
        return NOT_YET, ended, None

    def _tell(self, seen: list[Outcome], i: int) -> str:
        told = f"`{self._call(i)}` {seen[i].sentence}"
        if seen[i].kind in ("answer", "nothing"):
            told = f"{told}; {self.noun} is {_shown(self.right[i].value)}"
        return f"{told}."

    def _call(self, i: int) -> str:
        return f"{self.reference.__name__}({', '.join(_written(argument) for argument in self.cases[i])})"


CORRECT, NOT_YET, NOT_ATTEMPTED = "Correct.", "Not yet.", "Not attempted yet."

_EMPTY_BODY = {"RESUME", "NOP", "LOAD_CONST", "POP_TOP", "RETURN_VALUE", "RETURN_CONST", "COPY_FREE_VARS"}


def is_untouched(attempt: object) -> bool:
    """Whether this is still the lesson's stub: `...`, None, or a function whose body does nothing.

    >>> def stub(first, second): ...
    >>> is_untouched(stub), is_untouched(...), is_untouched(lambda first, second: 0)
    (True, True, False)
    """
    if attempt is None or attempt is Ellipsis:
        return True
    if type(attempt) is not types.FunctionType or inspect.isgeneratorfunction(attempt):
        return False
    instructions = list(dis.get_instructions(attempt))
    constants = [step.argval for step in instructions if step.opname in ("LOAD_CONST", "RETURN_CONST")]
    return {step.opname for step in instructions} <= _EMPTY_BODY and all(c is None or c is ... for c in constants)


def cannot_be_called(attempt: object, reference: Callable) -> Outcome | None:
    """An Outcome that tells why the attempt cannot be called as the solution is, or None if it can."""
    name, expected = reference.__name__, list(inspect.signature(reference).parameters)
    if not callable(attempt):
        got = with_article(attempt)
        sentence = f"`check` needs the function itself, without brackets, as in `check({name})`: it got {got}."
        return Outcome("not callable", got, sentence)
    try:
        signature = inspect.signature(attempt)
    except Exception:  # some built-in functions tell nothing of their arguments
        return None
    try:
        signature.bind(*expected)
    except TypeError:
        taken = ", ".join(signature.parameters) or "no arguments"
        sentence = f"Your function takes {taken}; it is called as `{name}({', '.join(expected)})`."
        return Outcome("not callable", taken, sentence)
    return None


def outcome(attempt: Callable, case: tuple, read: Callable[[object], Outcome]) -> Outcome:
    """What the attempt does with one case: everything that it raises or returns becomes an Outcome.

    >>> outcome(len, ("cat",), whole_number)
    Outcome(kind='answer', value=3, sentence='returned 3')
    >>> outcome(lambda word: word[3], ("cat",), whole_number).value
    'IndexError'
    """
    given = copy.deepcopy(case)
    try:
        value = attempt(*given)
    except Stop:
        raise
    except NotImplementedError:
        return Outcome("not attempted", None, "raised NotImplementedError")
    except BaseException as error:
        return Outcome("raised", _name(error), _safely(_about_exception, error, f"raised {_name(error)}"))
    if not same(given, case):
        return Outcome("changed", None, "changed the list or array that it was given: work on a copy of it")
    if value is Ellipsis or (value is None and read is not number_or_none):
        return Outcome("nothing", None, f"returned {value}")
    unreadable = Outcome("unreadable", _name(value), f"returned {with_article(value)} that cannot be read")
    return _safely(read, value, unreadable)


def _safely(function: Callable, value: object, otherwise: object) -> object:
    """`function(value)`, or `otherwise` where looking at the learner's value raises something itself."""
    try:
        return function(value)
    except Stop:
        raise
    except BaseException:
        return otherwise


def number(value: object) -> Outcome:
    """A number that came back from an attempt, or what came back instead.

    >>> number(np.float32(0.5)).value, number("0.5").sentence
    (0.5, "returned '0.5', a str, where a number is needed")
    """
    kind = type(value)
    if hasattr(kind, "__array__"):  # NumPy's and JAX's arrays and their scalars
        value = np.asarray(value)
        if value.shape != ():
            return Outcome("shape", value.shape, f"returned an array of shape {value.shape}, not one number")
        value = value.item()
        kind = type(value)
    if issubclass(kind, int) and kind is not bool:
        value = int.__int__(value)
    elif issubclass(kind, numbers.Real) and kind is not bool:
        value = float.__float__(value) if issubclass(kind, float) else float(value)
    if type(value) is float and not math.isfinite(value):
        return Outcome("not finite", str(value), f"returned {value}, as 0/0 or log(0) do")
    if type(value) not in (int, float):
        return Outcome("type", type(value).__name__, f"returned {_described(value)}, where a number is needed")
    return Outcome("answer", value, f"returned {_shown(value)}")


def whole_number(value: object) -> Outcome:
    """A whole number that came back from an attempt; a float is told apart even if it is whole.

    >>> whole_number(3.0).kind
    'float'
    """
    found = number(value)
    if type(found.value) is float and found.kind == "answer":
        return Outcome("float", found.value, f"returned {found.value}, a float, where a whole number is needed")
    return found


def number_or_none(value: object) -> Outcome:
    """A number or None: for functions of which None is a right answer too."""
    return Outcome("answer", None, "returned None") if value is None else number(value)


def with_article(value: object) -> str:
    """The kind of a value in words, whatever the value is.

    >>> with_article(3), with_article([])
    ('an int', 'a list')
    """
    name = _name(value)
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def same(one: object, other: object) -> bool:
    """Whether two values are equal, numbers closely, without calling code that a learner may have written."""
    if type(one) in (int, float) and type(other) in (int, float):
        return math.isclose(one, other, rel_tol=CLOSENESS, abs_tol=1e-9)
    if type(one) is not type(other):
        return False
    if type(one) in (list, tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other))
    if type(one) is np.ndarray:
        return one.dtype != object and np.array_equal(one, other)
    return one is other or (type(one) is str and one == other)


def _shown(value: float | None) -> str:
    return str(float(f"{value:.6g}") if type(value) is float else value)


def _described(value: object) -> str:
    kind = type(value)
    if kind in (str, bool, complex):
        shown = repr(value) if kind is not str or len(value) <= 40 else repr(value[:40]) + "..."
        return f"{shown}, {with_article(value)}"
    if kind in (types.GeneratorType, types.CoroutineType):
        value.close()
        return f"{with_article(value)} (write `return` in place of `yield`, and no `async`)"
    return f"{with_article(value)} (was it called, with brackets?)" if callable(value) else with_article(value)


def _name(value: object) -> str:
    return type.__dict__["__name__"].__get__(type(value))[:60]  # a class can put anything in front of its own


def _about_exception(error: BaseException) -> str:
    kind, where = type(error), _where(error)
    if issubclass(kind, SystemExit):
        return "asked Python to exit, as exit() and sys.exit() do: a function only returns its answer"
    if issubclass(kind, RecursionError):
        return f"called itself without end (RecursionError): each recursion needs a case that ends it{where}"
    if issubclass(kind, MemoryError):
        return f"asked for more memory than there is (MemoryError){where}"
    message = _safely(str, error, "").strip().partition("\n")[0]
    return f"raised {_name(error)}{': ' if message else ''}{_without_addresses(message)[:150]}{where}"


def _where(error: BaseException) -> str:
    """The learner's own line in which it happened: the last one in the file, or cell, that was called first."""
    steps = list(traceback.walk_tb(error.__traceback__))[1:]
    lines = [line for frame, line in steps if frame.f_code.co_filename == steps[0][0].f_code.co_filename]
    text = linecache.getline(steps[0][0].f_code.co_filename, lines[-1]).strip().replace("`", "'") if lines else ""
    return f", in line {lines[-1]}: `{text[:100]}`" if text else ""


def _without_addresses(text: str) -> str:
    """Text without what differs from machine to machine: where objects lie in memory, and modules on the disk.

    >>> _without_addresses("<f at 0x7f00dead> and <module 'numpy' from '/home/me/numpy/__init__.py'>")
    "<f> and <module 'numpy'>"
    """
    return re.sub(r" at 0x[0-9a-fA-F]+|(?<=') from '[^']*'(?=>)", "", text)


def _why_stopped(run: Run, seconds: float) -> str:
    if run.stopped is None:
        return f"could not be checked: it ended the check itself, by {run.error.__name__}."
    return {
        "time": f"was not finished after {seconds:g} seconds, and was stopped.",
        "memory": "took more than 500 MB of memory, and was stopped. Is there a list that grows without end?",
        "printed": "printed more than a million characters, and was stopped. Is there a loop that never ends?",
        "input": "asks for typed input: everything that it needs is in its arguments.",
        "interrupted": "was stopped because you interrupted the check.",
    }[run.stopped]


def _about_printing(run: Run) -> list[str]:
    lines = run.printed.kept.splitlines()[:LINES_SHOWN]
    if not lines or run.stopped == "printed":
        return []
    more = run.printed.lines - len(lines)
    shown = [_without_addresses(line)[:WIDTH] for line in lines]
    return ["It printed:\n" + "\n".join(shown) + (f"\n... and {more} lines more" if more > 0 else "")]


def _written(value: object) -> str:
    if type(value) is np.ndarray:
        return f"np.array({value.tolist()})"
    return repr(value)


def _text_and_html(heading: str, paragraphs: list[str]) -> tuple[str, str]:
    text = textwrap.fill(" ".join([heading, paragraphs[0]]), WIDTH)
    html = f"<p><strong>{escape(heading)}</strong> {_inline(paragraphs[0])}</p>"
    for paragraph in paragraphs[1:]:
        first, *lines = paragraph.split("\n")
        text += "\n" + textwrap.fill(first, WIDTH) + "".join(f"\n    {line}" for line in lines)
        html += f"<p>{_inline(first)}</p>"
        if lines:
            html += f"<pre>{escape(chr(10).join(lines))}</pre>"
    return text, f'<div style="{FRAME}">{html}</div>'


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
