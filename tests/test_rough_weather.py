"""What happens to a learner in a real kernel: it is killed, a cell is interrupted, cells are run out of order.

A killed process's children are in test_processes.py, a file of predictions killed at any moment in
test_predictions.py, one of recordings in test_recordings.py, an interrupted command in test_notebooks_module.py, and an
interrupted check of an exercise in exercises/test_in_a_kernel.py.
"""

import ast
import json
import os
import queue
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager

from helpers import course, order
from helpers.environment import ROOT

posix = pytest.mark.skipif(os.name != "posix", reason="Windows interrupts and kills in other ways")
only_with_all = pytest.mark.skipif(
    not os.environ.get("TALKS_TEST_ALL"), reason="executes lessons: python3 -m helpers test --all runs this too"
)
LONG = 0.7  # seconds after which a cell that still runs is interrupted
LONGER = 3.0  # and once more
PATIENCE = 200  # seconds for one cell
COLOURS = re.compile("\x1b\\[[0-9;]*m")


class Kernel:
    """A kernel such as JupyterLab starts, in a lesson's folder, with a file of predictions of its own."""

    def __init__(self, folder: Path, predictions: Path):
        self.manager = KernelManager(kernel_name="python3")
        variables = {"TALKS_PREDICTIONS": str(predictions), "TALKS_SEED": "0", "IPYTHONDIR": str(predictions.parent)}
        self.manager.start_kernel(
            cwd=str(folder), env={**os.environ, **variables}, extra_arguments=["--log-level=CRITICAL"]
        )
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.manager.provisioner.pid)

    def reply(self, message: str, seconds: float = PATIENCE) -> dict | None:
        """What the kernel answers to a message: None if it has not after so many seconds."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                answer = self.client.get_shell_msg(timeout=left)
            except queue.Empty:
                return None
            if answer["parent_header"].get("msg_id") == message:
                return answer["content"]
        return None

    def send(self, code: str) -> str:
        return self.client.execute(code, stop_on_error=False)  # what is sent next is not an "all" that an error ends

    def run(self, code: str) -> dict:
        answer = self.reply(self.send(code))
        assert answer is not None, f"after {PATIENCE} seconds there is no answer to: {code}"
        return answer

    def value(self, expression: str) -> str:
        """The text of an expression's value in the kernel."""
        message = self.client.execute("", user_expressions={"value": expression}, stop_on_error=False)
        return self.reply(message)["user_expressions"]["value"]["data"]["text/plain"]

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@contextmanager
def kernel(lesson, folder: Path):
    started = Kernel(lesson.path.parent, folder / "predictions.json")
    try:
        yield started
    finally:
        started.close()


def cells_of(lesson) -> list[dict]:
    return json.loads(lesson.path.read_text(encoding="utf-8"))["cells"]


def code_of(lesson) -> list[str]:
    return ["".join(cell["source"]) for cell in cells_of(lesson) if cell["cell_type"] == "code"]


def told(answer: dict) -> str:
    """An error as the learner reads it."""
    return COLOURS.sub("", "\n".join(answer["traceback"]))


def course_files() -> dict[str, str]:
    """What the course has on disk and a lesson must not change, with its digest."""
    paths = [path for part in ("data", "notebooks", "helpers") for path in (ROOT / part).rglob("*") if path.is_file()]
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in paths if path.suffix != ".pyc"}


# Interrupted


def interrupt_each_long_cell(started: Kernel, code: list[str], lengths=(LONG, LONGER)) -> list[int]:
    """Runs a lesson; what runs for long is interrupted, then run again. Returns the interrupted cells' numbers."""
    interrupted = []
    for number, source in enumerate(code, 1):
        for seconds in lengths:
            message = started.send(source)
            answer = started.reply(message, seconds)
            if answer is not None:
                break
            started.manager.interrupt_kernel()
            answer = started.reply(message)
            assert answer["status"] == "ok" or answer["ename"] == "KeyboardInterrupt", (number, told(answer))
            interrupted.append(number)
        else:
            answer = started.run(source)
        assert answer["status"] == "ok", f"code cell [{number}] after {interrupted}:\n{told(answer)}"
    return interrupted


INTERRUPTED = [("0", 0), ("1.4", 3), ("2.2", 2), ("3.3", 3), ("5", 0)]


@posix
@only_with_all
@pytest.mark.parametrize(("number", "at_least"), INTERRUPTED, ids=[number for number, _ in INTERRUPTED])
def test_a_lesson_whose_long_cells_are_each_interrupted_goes_on(number, at_least, tmp_path, capsys):
    before = course_files()
    with kernel(course.lesson(number), tmp_path) as started:
        interrupted = interrupt_each_long_cell(started, code_of(course.lesson(number)))
        assert not [child for child in started.process.children() if child.status() != psutil.STATUS_ZOMBIE]
    with capsys.disabled():
        print(f"\nLesson {number}: interrupted {len(interrupted)} times, in code cells {sorted(set(interrupted))}.")
    assert len(interrupted) >= at_least  # on a quick machine fewer cells are long
    assert course_files() == before


IMPORTS = """
import importlib.abc, os, signal, sys
class Interrupter(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "nltk.downloader":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupter())
import helpers
"""
LOADS = """
import time
from helpers import data
{}
"""


@posix
@pytest.mark.parametrize("rest", ["time.sleep(60)", "while True: pass"])
def test_an_import_goes_on_to_its_end_and_then_the_cell_is_interrupted(rest, tmp_path):
    """Cut there, nltk could not be imported again in the same kernel."""
    with kernel(course.lesson("0"), tmp_path) as started:
        assert started.run(IMPORTS)["status"] == "ok"
        answer = started.run(LOADS.format(rest))
        assert answer["ename"] == "KeyboardInterrupt", told(answer)
        assert "importlib" not in told(answer)
        assert started.run(LOADS.format("assert data.handwriting()"))["status"] == "ok"


@posix
def test_an_interruption_for_which_a_cell_was_too_short_does_not_meet_the_next(tmp_path):
    with kernel(course.lesson("0"), tmp_path) as started:
        assert started.run(IMPORTS)["status"] == "ok"
        assert started.run("import nltk.downloader")["status"] == "ok"
        assert started.run("import time; time.sleep(0.2)")["status"] == "ok"


LATE = """
import os, signal
import helpers
kernel, whole = get_ipython().kernel, get_ipython().kernel.finish_metadata
def late(*given):
    os.kill(os.getpid(), signal.SIGINT)
    return whole(*given)
kernel.finish_metadata = late
"""


@posix
def test_an_interruption_in_the_moment_after_a_cell_does_not_cost_the_kernels_answer(tmp_path):
    with kernel(course.lesson("0"), tmp_path) as started:
        assert started.run(LATE)["status"] == "ok"
        for _ in range(3):
            assert started.reply(started.send("1 + 1"), 20)["status"] == "ok"


LOWERS = """
from helpers import claims
import jax, jax.numpy as jnp
from jax._src.interpreters import pxla
compiled, whole = [], pxla.mlir.lower_jaxpr_to_module
jax.monitoring.register_event_duration_secs_listener(
    lambda event, *_, **__: compiled.append(event) if "backend_compile" in event else None
)
def cut(*given, **named):
    pxla.mlir.lower_jaxpr_to_module = whole
    raise KeyboardInterrupt
double, x = jax.jit(lambda x: jnp.sin(x) * 2), jnp.ones(3)
pxla.mlir.lower_jaxpr_to_module = cut
double(x)
"""


def test_after_an_interruption_jax_compiles_once_and_not_at_every_call(tmp_path):
    with kernel(course.lesson("0"), tmp_path) as started:
        assert started.run(LOWERS)["ename"] == "KeyboardInterrupt"
        assert started.run("del compiled[:]\nfor _ in range(3):\n    double(x)")["status"] == "ok"
        assert started.value("len(compiled)") == "1"


LOOP = """
from helpers.exercises import start_here as exercises
def my_share(*given):
    while True:
        try:
            pass
        except BaseException:
            pass
exercises.share.check(my_share, seconds=60)
"""
SLOW_WIDGET = """
import time
from helpers import widgets
def squared(n=1):
    time.sleep(60 if n == 3 else 0)
    return f"{n} squared is {n * n}"
explorer = widgets.Explorer(squared, n=range(1, 9))
knob = explorer.knobs["n"]
"""


@posix
def test_an_endless_check_and_a_widgets_slow_answer_are_interrupted_and_the_next_is_right(tmp_path):
    with kernel(course.lesson("0"), tmp_path) as started:
        message = started.send(LOOP)
        assert started.reply(message, LONG + 1) is None
        started.manager.interrupt_kernel()
        assert started.reply(message)["status"] == "ok"
        assert "you interrupted the check" in " ".join(started.value("_").split())
        assert started.run("result = exercises.share.check(exercises.share.reference)")["status"] == "ok"
        assert started.value("result.passed") == "True"

        assert started.run(SLOW_WIDGET)["status"] == "ok"
        widget = started.value("knob.model_id").strip("'")
        move(started, widget, 3)
        time.sleep(LONG)  # nothing tells that a callback has begun
        started.manager.interrupt_kernel()
        assert "The last answer still stands." in started.value("explorer.message.value")
        assert started.value("explorer.last") == "'1 squared is 1'"
        move(started, widget, 4)
        assert started.value("explorer.last") == "'4 squared is 16'"


def move(started: Kernel, widget: str, value: int) -> None:
    """What the browser sends when a learner moves a knob."""
    data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
    message = started.client.session.msg("comm_msg", {"comm_id": widget, "data": data})
    started.client.shell_channel.send(message)


# Killed

TRAINS = "race.train("


@posix
@only_with_all
def test_a_kernel_killed_while_it_trains_costs_nothing_and_the_lesson_runs_again(tmp_path):
    lesson, before, predictions = course.lesson("2.2"), course_files(), tmp_path / "predictions.json"
    code = code_of(lesson)
    training = next(i for i, source in enumerate(code) if TRAINS in source)
    kept_of = "__import__('helpers.predictions', fromlist=['find']).{}(widgets.questions['read'].prediction('read'){})"
    with kernel(lesson, tmp_path) as started:
        for source in code[:training]:
            assert started.run(source)["status"] == "ok"
        assert started.value(kept_of.format("guess", ", 120, near=(60, 240), confidence=75"))
        kept = predictions.read_bytes()
        message = started.send(code[training])
        assert started.reply(message, LONG) is None, "the training was over too soon to be killed"
        family = [started.process, *started.process.children(recursive=True)]
        family[0].kill()
        assert not psutil.wait_procs(family, timeout=20)[1]
        assert not started.manager.is_alive()
        assert predictions.read_bytes() == kept
        assert '"guess": 120' in kept.decode()
        assert course_files() == before
    with kernel(lesson, tmp_path) as again:
        for number, source in enumerate(code, 1):
            answer = again.run(source)
            assert answer["status"] == "ok", f"code cell [{number}]:\n{told(answer)}"
        assert again.value(kept_of.format("find", "") + ".prediction.guess") == "120"
    assert course_files() == before


@posix
def test_run_says_in_a_sentence_that_the_kernel_was_killed_and_keeps_the_stored_notebook(tmp_path):
    """As when the system is short of memory: it kills without a word."""
    pid = tmp_path / "kernel"
    source = f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    path = tmp_path / "1_tiny.ipynb"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    before = path.read_bytes()
    code = "import sys\nfrom helpers import notebooks\nfrom helpers.course import Lesson\n"
    code += f"sys.exit(notebooks.run([Lesson('9.1', {str(path)!r}, 'Tiny', '', (), 1)], save=True))"
    command = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    _, error = command.communicate(timeout=60)
    assert command.returncode == 1
    assert "Lesson 9.1 Tiny, code cell [1]: the kernel died; perhaps the memory was full" in error
    assert "Remedy: " in error and "Traceback" not in error
    assert path.read_bytes() == before
    assert list(tmp_path.glob("*.part")) == []


# Out of order

# The first page and the last need too little of their earlier cells.
LESSONS = [
    pytest.param(lesson, id=lesson.number, marks=[] if lesson.number == "2.2" else only_with_all)
    for lesson in course.lessons()
    if "." in lesson.number
]
MENU = "menu Run, Run All Above Selected Cell"


def needed_at_once(source: str) -> set[str]:
    """The names that a cell's first statement asks for, so that the cell fails at once where there is none of them."""
    first = ast.parse(source).body[0]
    inner = [node for part in ast.walk(first) if isinstance(part, order.INNER) for node in ast.walk(part)]
    return {node.id for node in ast.walk(first) if isinstance(node, ast.Name) and node not in inner} & read_in(first)


def read_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_cell_run_without_those_above_it_names_the_one_that_is_missing(lesson, tmp_path, capsys):
    """Only the first cell has run: it imports from helpers, and so the sentence can be there."""
    code = code_of(lesson)
    made = [order.made_by(source) for source in code]
    with kernel(lesson, tmp_path) as started:
        assert started.run(code[0])["status"] == "ok"
        tried = 0
        for number, source in enumerate(code[1:], 2):
            if not needed_at_once(source) & set().union(*made[1 : number - 1]) - made[0]:
                continue
            answer = started.run(source)
            assert answer["ename"] == "NameError"
            name, words = answer["evalue"].split("'")[1], told(answer)
            above = [n for n in range(1, number) if name in made[n - 1]]
            sentence = f"`{name}` is made by code cell {above[-1]} of the lesson, under “"
            assert sentence in words and MENU in words, f"code cell [{number}]:\n{words}"
            tried += 1
    with capsys.disabled():
        print(f"\nLesson {lesson.number}: {tried} of {len(code)} code cells told what they miss.")
    assert tried > len(code) / 4


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("nothing_makes_this", "NameError"),
        ("def f():\n    print(claims)\n    claims = 1\nf()", "UnboundLocalError"),
        ("exec('np', {})", "NameError"),  # a name of the lesson, looked for elsewhere
        ("1 / 0", "ZeroDivisionError"),
        ("from helpers import order\norder.maker = None\nnp", "NameError"),  # a fault of our own hides no other
    ],
)
def test_an_error_that_no_order_explains_stays_as_it_is(source, kind, first_cell_of_22):
    answer = first_cell_of_22.run(source)
    assert answer["ename"] == kind
    assert told(answer).rstrip().splitlines()[-1] == f"{kind}: {answer['evalue']}"


@pytest.fixture(scope="module")
def first_cell_of_22(tmp_path_factory):
    lesson = course.lesson("2.2")
    with kernel(lesson, tmp_path_factory.mktemp("kernel")) as started:
        assert started.run(code_of(lesson)[0])["status"] == "ok"
        yield started


def test_a_name_that_only_a_cell_below_makes_is_no_matter_of_order():
    cells = [{"cell_type": "code", "source": source} for source in ("a = 1", "b", "b = 2", "a = 3")]
    assert order.maker("b", cells, before=1) is None
    assert order.maker("a", cells, before=3).number == 1
