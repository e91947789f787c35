"""Lessons executed headless: one canonical form, clear errors, nothing left behind by an interruption."""

import copy
import os
import re
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import course, measuring, notebooks
from helpers.claims import VERDICT_TYPE
from helpers.course import Lesson
from helpers.environment import ROOT, Fault

WIDGETS = "application/vnd.jupyter.widget-state+json"
SET_UP = (
    "import time\nimport ipywidgets as widgets\nfrom matplotlib import pyplot as plt\nfrom helpers import measuring"
)
RICH_CELLS = [
    SET_UP,
    "print('first')\nprint('second', flush=True)\nmeasuring.seed()",
    "figure, axes = plt.subplots(figsize=(1, 1))\naxes.plot([0, measuring.seed()]);",
    "slider = widgets.IntSlider(3)\nimage = widgets.Image(value=b'dots')\nbox = widgets.VBox([image, slider])\nbox",
    "link = widgets.jslink((slider, 'value'), (widgets.IntText(), 'value'))\nslider",
    "  ",
    "for number in range(3):\n    print(number)",
]


def lesson_of(folder: Path, *sources: str) -> Lesson:
    """A lesson 9.1 of code cells, after a title."""
    path = folder / "1_tiny.ipynb"
    cells = [new_markdown_cell("# 9.1 Tiny"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)
    return Lesson("9.1", str(path), "Tiny", "Does it run?", (), 1)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> list[bytes]:
    """The same lesson executed and saved twice."""
    lesson = lesson_of(tmp_path_factory.mktemp("rich"), *RICH_CELLS)
    contents = []
    for _ in range(2):
        assert notebooks.run([lesson], save=True) == 0
        contents.append(lesson.path.read_bytes())
    return contents


def test_saving_twice_gives_the_same_bytes(saved):
    assert saved[0] == saved[1]


def test_the_canonical_form_holds_nothing_of_the_run_or_the_machine(saved):
    notebook = nbformat.reads(saved[0].decode(), as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info", "widgets"}
    assert notebook.metadata.language_info == {"name": "python"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(cell.metadata == {} for cell in notebook.cells)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == [1, 2, 3, 4, 5, None, 6]
    assert notebook.cells[2].outputs[0].text == "first\nsecond\n"
    assert notebook.cells[2].outputs[1].execution_count == 2
    assert "image/png" in notebook.cells[3].outputs[0].data


def test_widgets_are_numbered_as_they_appear_and_their_links_hold(saved):
    notebook = nbformat.reads(saved[0].decode(), as_version=4)
    state = notebook.metadata.widgets[WIDGETS].state
    assert sorted(state) == [f"{number:032x}" for number in range(1, len(state) + 1)]
    view = "application/vnd.jupyter.widget-view+json"
    box = state[notebook.cells[4].outputs[0].data[view].model_id]
    slider = notebook.cells[5].outputs[0].data[view].model_id
    assert box.model_name == "VBoxModel"
    assert notebook.cells[4].outputs[0].data[view].model_id == f"{1:032x}"
    assert box.state.children[1] == f"IPY_MODEL_{slider}"
    assert state[slider].state.value == 3
    image = state[box.state.children[0].removeprefix("IPY_MODEL_")]
    assert image.buffers[0].data == "ZG90cw=="
    links = [widget.state for widget in state.values() if widget.model_name == "LinkModel"]
    assert links[0].source == [f"IPY_MODEL_{slider}", "value"]


def test_the_canonical_form_of_the_canonical_form_is_itself(saved):
    notebook = nbformat.reads(saved[0].decode(), as_version=4)
    assert notebooks.canonical(copy.deepcopy(notebook)) == notebook


def test_tags_are_kept_and_missing_cell_ids_are_filled_in():
    cell = new_code_cell("1", metadata={"tags": ["hide-input"], "execution": {"iopub.status.busy": "2026"}})
    notebook = new_notebook(cells=[cell], metadata={"language_info": {"name": "python", "version": "3.11.7"}})
    del cell["id"]
    notebook = notebooks.canonical(notebook)
    assert notebook.cells[0].metadata == {"tags": ["hide-input"]}
    assert notebook.cells[0].id == "cell-1"
    nbformat.validate(notebook)
    assert "version" not in notebook.metadata.language_info


def test_run_says_what_a_lesson_takes(tmp_path, capsys):
    lesson = lesson_of(tmp_path, "import time", "time.sleep(0.5)")
    before = lesson.path.read_bytes()
    assert notebooks.run([lesson]) == 0
    assert lesson.path.read_bytes() == before
    title, row = capsys.readouterr().out.splitlines()
    assert title.split() == ["lesson", "wall", "processor", "memory", "slowest", "cell"]
    found = re.fullmatch(r"9\.1 Tiny +([\d.]+) s +([\d.]+) s +(\d+) MB +\[2\] [\d.]+ s", row)
    wall, processor, memory = map(float, found.groups())
    assert wall > 0.5
    assert processor > 0
    assert 30 < memory < 600


def test_what_a_lesson_takes_is_kept_in_its_place_until_it_is_measured_again(tmp_path, monkeypatch):
    kept, memory = tmp_path / "new" / "lessons.csv", 500_400_000
    for number, seconds in (("3.1", 20.44), ("1.1", 30.0), ("3.1", 10.06)):
        execution = notebooks.Execution(new_notebook(), seconds, 2 * seconds, memory, [])
        monkeypatch.setattr(notebooks, "execute", lambda _, execution=execution: execution)
        assert notebooks.run([course.lesson(number)], taken=kept) == 0
    rest = 500, measuring.cores(), str(date.today())
    assert course.taken(kept) == {"3.1": ("3.1", 10.1, 20.1, *rest), "1.1": ("1.1", 30.0, 60.0, *rest)}
    assert [line.split(",")[0] for line in kept.read_text().splitlines()[2:]] == ["1.1", "3.1"]  # as the map has them
    assert kept.read_text().startswith("# Measured by: python3 -m helpers run --measure\n")


def test_a_lesson_that_fails_keeps_what_it_took_before(tmp_path, monkeypatch):
    kept = tmp_path / "lessons.csv"
    kept.write_text("as it was")
    monkeypatch.setattr(notebooks, "execute", fails)
    assert notebooks.run([course.lesson("3.1")], taken=kept) == 1
    assert kept.read_text() == "as it was"


def fails(lesson: Lesson):
    raise Fault("It failed.", "mend it.")


def test_the_kernels_own_use_is_measured(tmp_path):
    busy = "total = sum(range(10_000_000))\nblock = bytearray(700_000_000)\ndel block\nprint(total)"
    execution = notebooks.execute(lesson_of(tmp_path, busy))
    assert execution.peak_memory > 700e6
    assert execution.processor_seconds > execution.cells[0] / 10
    assert execution.seconds > execution.cells[0]


def test_the_seed_reaches_the_lesson(tmp_path):
    lesson = lesson_of(tmp_path, "from helpers import measuring\nmeasuring.seed()")
    assert notebooks.execute(lesson, seed=7).notebook.cells[1].outputs[0].data["text/plain"] == "7"


def test_the_users_own_start_up_files_play_no_part(tmp_path, monkeypatch):
    startup = tmp_path / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "0.py").write_text("seen = True")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    lesson = lesson_of(tmp_path, "'seen' in globals()")
    assert notebooks.execute(lesson).notebook.cells[1].outputs[0].data["text/plain"] == "False"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("assert 2 < 1, 'the curves do not cross'", "AssertionError: the curves do not cross"),
        ("import os\nos._exit(1)", "the kernel died"),
    ],
)
def test_a_cell_that_fails_is_named_with_its_reason_and_nothing_is_saved(tmp_path, capsys, source, reason):
    lesson = lesson_of(tmp_path, "print('fine')", source, "print('never')")
    before = lesson.path.read_bytes()
    assert notebooks.run([lesson], save=True) == 1
    error = capsys.readouterr().err
    assert f"Lesson 9.1 Tiny, code cell [2]: {reason}" in error
    assert "Remedy: " in error
    assert "Traceback" not in error
    assert lesson.path.read_bytes() == before


def test_a_cell_that_never_ends_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "SECONDS_A_CELL", 1)
    with pytest.raises(Fault, match=r"code cell \[1\]: it took more than 1 seconds"):
        notebooks.execute(lesson_of(tmp_path, "while True: pass"))


def test_an_error_inside_a_widget_is_found(tmp_path):
    source = "import ipywidgets as widgets\n_ = widgets.interact(lambda number: 1 / number, number=(-1, 1))"
    with pytest.raises(Fault, match="a widget's function failed: ZeroDivisionError"):
        notebooks.execute(lesson_of(tmp_path, source))


def test_one_lesson_that_fails_does_not_stop_the_next(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    good, bad = lesson_of(tmp_path / "a", "1"), lesson_of(tmp_path / "b", "1 / 0")
    assert notebooks.run([bad, good]) == 1
    assert "9.1 Tiny" in capsys.readouterr().out


@pytest.mark.parametrize("source", ["import warnings\nwarnings.warn('slow')", "import sys\nprint(sys.prefix)"])
def test_an_output_that_names_a_folder_of_this_machine_is_not_saved(tmp_path, capsys, source):
    lesson = lesson_of(tmp_path, source)
    before = lesson.path.read_bytes()
    assert notebooks.run([lesson], save=True) == 1
    assert "was not saved: the output of code cell [1] names " in capsys.readouterr().err
    assert lesson.path.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process alone")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_an_interruption_leaves_the_notebook_as_it_was_and_no_kernel(tmp_path, stop):
    mark = tmp_path / "kernel"
    lesson = lesson_of(
        tmp_path,
        f"import os, time\nfrom pathlib import Path\n_ = Path({str(mark)!r}).write_text(str(os.getpid()))",
        "time.sleep(60)",
    )
    before = lesson.path.read_bytes()
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    code += "from helpers import notebooks\nfrom helpers.course import Lesson\n"
    code += f"notebooks.run([Lesson('9.1', {lesson.file!r}, 'Tiny', '', (), 1)], save=True)"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    wait_until(lambda: mark.exists() and mark.read_text(), 60)
    kernel = psutil.Process(int(mark.read_text()))
    process.send_signal(stop)
    assert process.wait(30) != 0
    wait_until(lambda: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE, 30)
    assert lesson.path.read_bytes() == before
    assert [path.name for path in tmp_path.glob("*.part")] == []


def wait_until(happened, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


JUDGED = f"""
from IPython.display import display
from helpers import measuring
seed = measuring.seed()
word = "holds" if seed != 1 else "fails"
found = {{"claim": "P12", "verdict": word, "measured": f"seed {{seed}}", "rule": "not seed 1", "seeds": None}}
display({{"{VERDICT_TYPE}": found, "text/plain": "P12"}}, raw=True)
"""


def test_replicate_counts_the_verdicts_under_each_seed(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    assert notebooks.replicate(lesson_of(tmp_path, JUDGED), seeds=3, save=True) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "P12  holds 2 of 3, fails 1 of 3"
    assert [line.strip() for line in lines[1:]] == [
        "seed 0: holds, seed 0",
        "seed 1: fails, seed 1",
        "seed 2: holds, seed 2",
    ]
    written = (tmp_path / "data" / "replicated" / "9_1.csv").read_text().splitlines()
    assert "# Recorded by: python3 -m helpers replicate 9.1 --seeds 3 --save" in written
    rows = [line for line in written if not line.startswith("#")]
    assert rows == ["claim,seed,verdict,measured", "P12,0,holds,seed 0", "P12,1,fails,seed 1", "P12,2,holds,seed 2"]


def test_replicate_goes_on_where_a_seed_fails_and_says_so(tmp_path, capsys):
    failing = "from helpers import measuring\nassert measuring.seed() != 0, 'the live point is off'"
    assert notebooks.replicate(lesson_of(tmp_path, failing, JUDGED), seeds=2) == 1
    shown = capsys.readouterr()
    assert "Seed 0. Lesson 9.1 Tiny, code cell [1]: AssertionError: the live point is off" in shown.err
    assert shown.out.startswith("P12  fails 1 of 1")


def test_replicate_of_a_lesson_without_verdicts_says_so(tmp_path, capsys):
    assert notebooks.replicate(lesson_of(tmp_path, "1"), seeds=1) == 0
    assert capsys.readouterr().out == "Lesson 9.1 gave no verdict.\n"
