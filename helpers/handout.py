"""What a teacher hands out: a lesson without answers, one with them, slides, and the teacher's page.

All four are made from the lesson's own notebook; the lesson itself is never changed.
"""

import copy
import importlib.util
import re
from pathlib import Path

import nbformat
from nbconvert.exporters import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from helpers import files, teaching
from helpers.course import Lesson
from helpers.environment import ROOT, Fault

FOLDER = ROOT / "handouts"
IMPORT = re.compile(r"^from helpers\.exercises import (\w+) as exercises$", re.MULTILINE)
CLOSED = "import helpers.exercises\n\nhelpers.exercises.withhold_solutions()"
OFFER = re.compile(r" `\.solution\(\)` shows ours\.")
WITHHELD = " Your teacher has the solutions: `.solution()` is closed in this copy."
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
READING = "**How to read it.**"
IN_WORDS = "The figure in words"
NO_SLIDES = ("Set-up",)  # sections that are for hands, not for eyes
BRIEF = 200  # characters of an output that needs no slide of its own
NO_ANSWERS = "Not attempted yet."


def write(lesson: Lesson, folder: Path = FOLDER) -> list[Path]:
    """Writes what there is to hand out for a lesson into a folder, and returns the files' paths.

        handout.write(course.lesson("3.1"))  # 3_1_lesson.ipynb, 3_1_solutions.ipynb, 3_1_teacher.md, 3_1_slides.html

    Raises Fault where the lesson has no exercises, plans or quiz, where a file cannot be written, or where reveal.js
    is missing (then all but the slides are written).
    """
    try:
        contents = {
            "lesson.ipynb": nbformat.writes(without_answers(lesson)) + "\n",
            "solutions.ipynb": nbformat.writes(with_solutions(lesson)) + "\n",
            "teacher.md": teaching.page(lesson),
        }
    except ValueError as error:
        raise Fault(str(error), "mend what is named here, or name another lesson, such as 3.1.") from None
    return [_put(lesson, folder, name, content) for name, content in contents.items()] + [
        _put(lesson, folder, "slides.html", slides(lesson))
    ]


def without_answers(lesson: Lesson) -> NotebookNode:
    """The lesson for the learners: no stored output, and `.solution()` closed.

    Closed is the button, not the book: the solutions stand in helpers/exercises on every machine that can check.

    >>> from helpers import course
    >>> {len(cell.outputs) for cell in without_answers(course.lesson("3.1")).cells if cell.cell_type == "code"}
    {0}

    Raises ValueError where the notebook does not import its exercises, or offers its solutions in other words.
    """
    notebook = _read(lesson)
    notebook.metadata.pop("widgets", None)
    closed = offers = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if IMPORT.search(cell.source):
                cell.source, closed = f"{cell.source.rstrip()}\n\n{CLOSED}", closed + 1
        else:
            cell.source, found = OFFER.subn(WITHHELD, cell.source)
            offers += found
    if not closed or not offers:
        raise ValueError(f"Lesson {lesson.number} has no exercises whose solutions could be closed.")
    return notebook


def with_solutions(lesson: Lesson) -> NotebookNode:
    """The lesson with its stored outputs, and after each exercise one way to write it.

    >>> from helpers import course
    >>> sum(cell.source.startswith("**One way") for cell in with_solutions(course.lesson("3.1")).cells)
    4
    """
    notebook = _read(lesson)
    sources = {task.exercise.name: task.exercise.source for task in teaching.tasks(lesson) if task.exercise}
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        attempt = teaching.ATTEMPT.search(cell.source) if cell.cell_type == "code" else None
        if attempt and attempt[1] in sources:
            text = f"**One way to write it:**\n\n```python\n{sources[attempt[1]]}\n```"
            cells.append(new_markdown_cell(text, id=f"solution-{attempt[1].replace('_', '-')}"))
    notebook.cells = cells
    return notebook


def slides(lesson: Lesson) -> str:
    """The lesson as slides: what is asked, guessed, seen and found, without the code; one HTML file with all it needs.

    Raises Fault where reveal.js is not installed.
    """
    exporter = SlidesExporter(
        template_name="slides",
        extra_template_basedirs=[str(ROOT / "helpers")],
        extra_template_paths=[str(_reveal())],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    page, _ = exporter.from_notebook_node(_as_slides(_read(lesson), lesson.heading))
    return page


def _as_slides(notebook: NotebookNode, title: str) -> NotebookNode:
    """The notebook with what is no matter for a slide left out, and each cell's place told as nbconvert wants it."""
    notebook.metadata = NotebookNode(title=title)
    kept, section, full = [], "", False
    for cell in map(_for_slides, notebook.cells):
        heading = re.match(r"##? (.+)", cell.source) if cell.cell_type == "markdown" else None
        section = heading[1] if heading else section
        if section.startswith(NO_SLIDES) or (cell.cell_type == "code" and not cell.outputs):
            continue
        goes_on = bool(kept) and not heading and _shares_a_slide(kept[-1], cell, full)
        full = (full and goes_on) or not _is_brief(cell)
        cell.metadata = NotebookNode(slideshow={"slide_type": "slide" if heading else "-" if goes_on else "subslide"})
        kept.append(cell)
    notebook.cells = kept
    return notebook


def _shares_a_slide(before: NotebookNode, cell: NotebookNode, full: bool) -> bool:
    """Whether a cell joins the slide of the one before: an announced output, a reading of it, a line of output.

    A slide is full with one output that is more than a line or two.
    """
    if cell.cell_type == "markdown":
        return before.cell_type == "code" and cell.source.startswith(READING)
    announced = before.cell_type == "markdown" and not before.source.startswith("# ")
    return _is_brief(cell) or (announced and not full)


def _is_brief(cell: NotebookNode) -> bool:
    """Whether a cell's outputs, if it has any, are a line or two."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/png" in data or len(output.get("text", data.get("text/plain", ""))) >= BRIEF:
            return False
    return True


def _for_slides(cell: NotebookNode) -> NotebookNode:
    """A cell without the outputs that need a kernel, or that the slide's figure says already."""
    cell = copy.deepcopy(cell)
    if cell.cell_type == "code":
        cell.outputs = [output for output in cell.outputs if _is_for_slides(output)]
    return cell


def _is_for_slides(output: NotebookNode) -> bool:
    if output.output_type == "stream":
        return output.name == "stdout"
    if output.output_type == "error" or WIDGET_VIEW in output.data:
        return False
    text = output.data.get("text/plain", "")
    return IN_WORDS not in output.data.get("text/html", "") and not text.startswith((IN_WORDS, NO_ANSWERS))


def _reveal() -> Path:
    """The folder of reveal.js, which the package sphinx-revealjs brings."""
    found = importlib.util.find_spec("sphinx_revealjs")
    folder = Path(found.submodule_search_locations[0]) / "_static" / "revealjs" / "dist" if found else None
    if folder is None or not (folder / "reveal.js").is_file():
        raise Fault(
            "The slides were not written: they need reveal.js, which the package sphinx-revealjs brings.",
            "python3 -m helpers handout 3.1 installs it.",
        )
    return folder


def _read(lesson: Lesson) -> NotebookNode:
    return nbformat.read(lesson.path, as_version=4)


def _put(lesson: Lesson, folder: Path, name: str, content: str) -> Path:
    path = folder / f"{lesson.number.replace('.', '_')}_{name}"
    files.replace(path, content)
    return path
