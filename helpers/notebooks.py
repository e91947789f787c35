"""Lessons executed without a browser: what they take, their canonical form, and their verdicts under other seeds."""

import json
import os
import re
import sys
import tempfile
import time
from ast import literal_eval
from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from helpers import course, files, measuring, predictions, recordings
from helpers.course import Lesson, Taken
from helpers.environment import ROOT, Fault

SECONDS_A_CELL = 300
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_NAME = "[0-9a-f]{32}"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
CELL_METADATA = ("tags", "jupyter", "editable", "deletable")
USE = "(lambda m: (m.processor_seconds(), m.peak_memory()))(__import__('helpers.measuring', fromlist=['seed']))"


class Execution(NamedTuple):
    """An executed notebook and what it took: seconds, seconds of processor time, the kernel's peak memory in bytes.

    `cells` holds the seconds of each code cell, in order.
    """

    notebook: NotebookNode
    seconds: float
    processor_seconds: float
    peak_memory: int
    cells: list[float]


def run(lessons: list[Lesson], save: bool = False, taken: Path | None = None) -> int:
    """Executes lessons and prints what they took; 1 if one of them failed.

    Saves their outputs if asked, and puts what they took into the table `taken`, if it is given.
    """
    rows = []
    for lesson in lessons:
        try:
            if save:
                files.check_writable(lesson.path)
            execution = execute(lesson)
            if save:
                write(canonical(execution.notebook), lesson.path)
        except Fault as fault:
            print(fault, file=sys.stderr)
            continue
        rows.append(_row(lesson, execution))
        if taken:
            _keep(lesson, execution, taken)
    if rows:
        print(_table([("lesson", "wall", "processor", "memory", "slowest cell"), *rows]))
    return 0 if len(rows) == len(lessons) else 1


def replicate(lesson: Lesson, seeds: int, save: bool = False) -> int:
    """Executes a lesson under seeds 0, 1, ... and prints how often each verdict came out; 1 if an execution failed.

    Raises Fault where the verdicts are to be saved and cannot be.
    """
    rows, failures = [], 0
    path = ROOT / "data" / "replicated" / f"{lesson.number.replace('.', '_')}.csv"
    if save:
        files.check_writable(path)
    for seed in range(seeds):
        try:
            found = course.verdicts_in(lesson, execute(lesson, seed).notebook)
        except Fault as fault:
            print(f"Seed {seed}. {fault}", file=sys.stderr)
            failures += 1
            continue
        rows += [{"claim": v.claim, "seed": seed, "verdict": v.verdict, "measured": v.measured} for v in found]
    print("\n".join(_counts(rows)) or f"Lesson {lesson.number} gave no verdict.")
    if save and rows:
        command = f"python3 -m helpers replicate {lesson.number} --seeds {seeds} --save"
        recordings.write(path, recordings.origin(command), sorted(rows, key=lambda row: (row["claim"], row["seed"])))
    return 1 if failures else 0


def execute(lesson: Lesson, seed: int = 0) -> Execution:
    """Executes a lesson's notebook from top to bottom, in a kernel of its own, with a progress bar.

    Raises Fault that names the lesson, the cell and the reason where a cell fails.
    """
    notebook = nbformat.read(lesson.path, as_version=4)
    notebook.metadata.pop("widgets", None)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=SECONDS_A_CELL,
            record_timing=False,
            coalesce_streams=True,
            kernel_name="python3",
            extra_arguments=["--log-level=CRITICAL"],
            resources={"metadata": {"path": str(lesson.path.parent)}},
        )
        variables = {
            **os.environ,
            "TALKS_SEED": str(seed),
            predictions.VARIABLE: predictions.OFF,  # outputs depend on nobody's guesses
            "IPYTHONDIR": folder,
        }  # none of the user's own start-up files
        with client.setup_kernel(env=variables):
            cells = _execute_cells(client, lesson)
            client.set_widgets_metadata()
            processor_seconds, peak_memory = _ask(client, USE)
    _check_widgets(notebook, lesson)
    return Execution(notebook, time.perf_counter() - start, processor_seconds, peak_memory, cells)


def canonical(notebook: NotebookNode) -> NotebookNode:
    """The notebook with all that differs between two equal executions removed or renamed.

    Widgets are numbered in the order in which they appear; metadata keep the kernel's name, the widgets' state
    and the cells' tags; execution counts run from 1.
    """
    state = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    names = {name: f"{number:032x}" for number, name in enumerate(_widgets_in_order(notebook, state), 1)}
    text = re.sub(WIDGET_NAME, lambda found: names.get(found[0], found[0]), json.dumps(notebook))
    notebook = nbformat.from_dict(json.loads(text))
    widgets = {"widgets": notebook.metadata.widgets} if state else {}
    notebook.metadata = NotebookNode(kernelspec=KERNEL, language_info={"name": "python"}, **widgets)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for number, cell in enumerate(notebook.cells, 1):
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata})
        cell.setdefault("id", f"cell-{number}")
        if cell.cell_type == "code" and cell.source.strip():
            count += 1
            _number(cell, count)
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Puts a canonical notebook in place of the stored one in a single step.

    Raises Fault where the notebook cannot be written, or where an output names a folder of this machine.
    """
    for cell in notebook.cells:
        for folder in _folders_named(cell):
            raise Fault(
                f"{path.name} was not saved: the output of code cell [{cell.execution_count}] names {folder}.",
                "change the cell so that it does not show a path (a warning shows one, too).",
            )
    nbformat.validate(notebook)
    files.replace(path, nbformat.writes(notebook) + "\n")


def _execute_cells(client: NotebookClient, lesson: Lesson) -> list[float]:
    code = [(i, cell) for i, cell in enumerate(client.nb.cells) if cell.cell_type == "code" and cell.source.strip()]
    seconds = []
    with tqdm(code, desc=lesson.number, unit="cell", disable=None) as bar:
        for number, (index, cell) in enumerate(bar, 1):
            start = time.perf_counter()
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                raise _failed(lesson, number, f"{error.ename}: {error.evalue}") from None
            except CellTimeoutError:
                raise _failed(lesson, number, f"it took more than {SECONDS_A_CELL} seconds") from None
            except DeadKernelError:
                raise _failed(lesson, number, "the kernel died; perhaps the memory was full") from None
            seconds.append(time.perf_counter() - start)
    return seconds


def _failed(lesson: Lesson, number: int, reason: str) -> Fault:
    return Fault(
        f"Lesson {lesson.heading}, code cell [{number}]: {reason}",
        "open the lesson with python3 -m helpers lab, and run it up to that cell.",
    )


def _ask(client: NotebookClient, expression: str):
    """The value of an expression in the kernel, without a trace in the notebook."""
    question = client.kc.execute("", silent=True, user_expressions={"answer": expression})
    answer = client.wait_for_reply(question)["content"]["user_expressions"]["answer"]
    return literal_eval(answer["data"]["text/plain"])


def _check_widgets(notebook: NotebookNode, lesson: Lesson) -> None:
    """An error inside a widget's callback shows nowhere but in the widget's state."""
    for widget in notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {}).values():
        for output in widget["state"].get("outputs", ()):
            if output["output_type"] == "error":
                raise Fault(
                    f"Lesson {lesson.heading}: a widget's function failed: {output['ename']}: {output['evalue']}",
                    "call the function with the widget's first values, in a cell of its own.",
                )


def _widgets_in_order(notebook: NotebookNode, state: dict) -> list[str]:
    """The widgets' names as a reader meets them: those in the cells, each followed by its parts."""
    order: dict[str, None] = {}

    def visit(text: str) -> None:
        for name in re.findall(WIDGET_NAME, text):
            if name in state and name not in order:
                order[name] = None
                visit(json.dumps(state[name], sort_keys=True))

    visit(json.dumps(notebook.cells, sort_keys=True))
    for name in state:
        visit(name)
    return list(order)


def _number(cell: NotebookNode, count: int) -> None:
    cell.execution_count = count
    for output in cell.outputs:
        if output.output_type == "execute_result":
            output.execution_count = count


def _folders_named(cell: NotebookNode) -> list[str]:
    outputs = cell.get("outputs", [])
    shown = [text for output in outputs for kind, text in output.get("data", {}).items() if "image" not in kind]
    text = json.dumps([shown, [output.get("text", output.get("traceback")) for output in outputs]])
    folders = {str(ROOT), sys.prefix, str(Path.home())} - {"/"}
    return sorted(folder for folder in folders if folder in text) + re.findall(r"ipykernel_\d+", text)


def _row(lesson: Lesson, execution: Execution) -> tuple[str, ...]:
    slowest = max(execution.cells, default=0.0)
    cell = f"[{execution.cells.index(slowest) + 1}] {slowest:.1f} s" if execution.cells else ""
    times = f"{execution.seconds:.1f} s", f"{execution.processor_seconds:.1f} s"
    return (lesson.heading, *times, f"{execution.peak_memory / 1e6:.0f} MB", cell)


def _keep(lesson: Lesson, execution: Execution, path: Path) -> None:
    """Puts a lesson's row into the table of what the lessons take, in the map's order."""
    took = round(execution.seconds, 1), round(execution.processor_seconds, 1), round(execution.peak_memory / 1e6)
    rows = course.taken(path) | {lesson.number: Taken(lesson.number, *took, measuring.cores(), str(date.today()))}
    in_order = [rows[one.number]._asdict() for one in course.lessons() if one.number in rows]
    recordings.write(path, ["# Measured by: python3 -m helpers run --measure"], in_order)


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        [first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(rest, widths[1:], strict=True))]
        for first, *rest in rows
    )
    return "\n".join("  ".join(line) for line in lines)


def _counts(rows: list[dict]) -> list[str]:
    lines = []
    for claim in sorted({row["claim"] for row in rows}):
        own = [row for row in rows if row["claim"] == claim]
        counted = Counter(row["verdict"] for row in own).most_common()
        lines.append(f"{claim}  " + ", ".join(f"{verdict} {count} of {len(own)}" for verdict, count in counted))
        lines += [f"     seed {row['seed']}: {row['verdict']}, {row['measured']}" for row in own]
    return lines
