"""What the lessons, their widgets and a fresh installation take; conftest.py prints it as the table of budgets.

    python3 -m helpers test tests/benchmarks/test_budgets.py --long

About twenty minutes on two cores; the machine should do nothing else meanwhile. With -k lessons, knobs or fresh it
measures that alone.
"""

import dataclasses
import json
import signal
import statistics
import time
import urllib.error

import nbformat
import psutil
import pytest

from helpers import course, notebooks
from tests.test_commands import Clone, answer, free_port

# Turns the first knob of each widget of a lesson twelve times, as a browser's message would, and prints the seconds.
TURN = """
import itertools, json, time
from ipywidgets.widgets.widget import _instances
from helpers import widgets

def positions(knob):
    if hasattr(knob, "options"):
        return [value for _, value in knob.options]
    return [knob.min + i * knob.step for i in range(round((knob.max - knob.min) / knob.step) + 1)]

seconds = []
for explorer in [one for one in _instances.values() if isinstance(one, widgets.Explorer)]:
    knobs = [knob for knob in explorer.knobs.values() if hasattr(knob, "options") or hasattr(knob, "step")]
    for knob in knobs[:1]:
        others = (value for value in itertools.cycle(positions(knob)) if value != knob.value)
        for value in itertools.islice(others, 12):
            begun = time.perf_counter()
            knob.value = value
            seconds.append(time.perf_counter() - begun)
            get_ipython().events.trigger("post_execute")
        assert "alert" not in explorer.message.value, explorer.message.value
print(json.dumps(seconds))
"""


@pytest.mark.timeout(3600)
def test_lessons(long, measured):
    took = [notebooks.execute(lesson) for lesson in course.lessons()]
    measured["lessons"] = sum(one.seconds for one in took)
    measured["slowest lesson"] = max(one.seconds for one in took)
    measured["processor"] = sum(one.processor_seconds for one in took)
    measured["memory"] = max(one.peak_memory for one in took) / 1e6


@pytest.mark.timeout(3600)
def test_knobs(long, measured, tmp_path):
    seconds = []
    for lesson in course.lessons():
        notebook = nbformat.read(lesson.path, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell(TURN))
        copy = tmp_path / lesson.path.name
        nbformat.write(notebook, copy)
        executed = notebooks.execute(dataclasses.replace(lesson, file=str(copy))).notebook
        seconds += json.loads(executed.cells[-1].outputs[-1].text)
    measured["knob"] = 1000 * statistics.median(seconds)


@pytest.mark.timeout(600)
def test_fresh_clone(long, measured, tmp_path):
    clone, port = Clone(tmp_path / "project"), free_port()
    begun = time.perf_counter()
    lab = clone.start("lab", "--no-browser", "--port", str(port))
    try:
        while not answers(port):
            assert lab.poll() is None, lab.stdout.read()
            time.sleep(0.1)
        measured["fresh"] = time.perf_counter() - begun
    finally:
        for process in [*psutil.Process(lab.pid).children(recursive=True), lab]:
            process.send_signal(signal.SIGINT)
        lab.communicate(timeout=60)
    files = [path for path in (clone.folder / ".venv").rglob("*") if not path.is_dir()]
    measured["installed"] = sum(path.lstat().st_size for path in files) / 1e6


def answers(port: int) -> bool:
    try:
        return answer(f"http://127.0.0.1:{port}/api") == 200
    except (urllib.error.URLError, ConnectionError):
        return False
