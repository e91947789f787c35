"""What is handed out: no answers in one copy, all of them in the other, and slides that need no other site."""

import importlib.util
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import nbformat
import pytest
from nbclient import NotebookClient

import helpers.exercises
from helpers import course, handout, teaching
from helpers.environment import Fault
from helpers.exercises import rules_or_gradient_descent as exercises
from tests.conftest import needed

LESSONS = [pytest.param(lesson, id=lesson.number) for lesson in course.lessons() if "." in lesson.number]
LESSON = course.lesson("3.1")


@pytest.fixture
def withheld(monkeypatch):
    monkeypatch.setattr(helpers.exercises, "_withheld", [])
    helpers.exercises.withhold_solutions()


def code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_copy_without_answers_holds_no_output_and_no_offer_of_a_solution(lesson):
    stored, bare = handout._read(lesson), handout.without_answers(lesson)
    nbformat.validate(bare)
    assert not any(cell.outputs or cell.execution_count for cell in code(bare))
    assert "widgets" not in bare.metadata
    assert "shows ours" in text_of(stored) and "shows ours" not in text_of(bare)
    assert "Your teacher has the solutions" in text_of(bare)
    for task in teaching.tasks(lesson):
        assert task.exercise is None or task.exercise.source not in text_of(bare)
    changed = [(one, other) for one, other in zip(stored.cells, bare.cells, strict=True) if one.source != other.source]
    assert len(changed) == 2, "the set-up closes the solutions, and a sentence says so; nothing else changes"
    closing = next(cell for cell in code(bare) if "withhold_solutions()" in cell.source)
    first = next(cell for cell in code(bare) if ".check(" in cell.source)
    assert bare.cells.index(closing) < bare.cells.index(first)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_copy_with_solutions_has_each_one_after_its_exercise_and_all_outputs(lesson):
    stored, full = handout._read(lesson), handout.with_solutions(lesson)
    nbformat.validate(full)
    assert [cell.outputs for cell in code(full)] == [cell.outputs for cell in code(stored)]
    for task in teaching.tasks(lesson):
        if task.exercise:
            place = next(
                i for i, cell in enumerate(full.cells) if f"exercises.{task.exercise.name}.check(" in cell.source
            )
            assert full.cells[place + 1].cell_type == "markdown"
            assert f"```python\n{task.exercise.source}\n```" in full.cells[place + 1].source
    assert len({cell.id for cell in full.cells}) == len(full.cells)


def test_a_withheld_solution_is_not_shown_in_any_form_and_hints_go_on(withheld):
    exercise = exercises.edit_distance
    shown = json.dumps(exercise.solution()._repr_mimebundle_())
    assert exercise.source.splitlines()[-1].strip() not in shown
    assert "Your teacher has the solutions." in repr(exercise.solution())
    hints = [repr(exercise.hint()) for _ in range(len(exercise.hints) + 1)]
    assert hints[-1].startswith(f"Hint {len(exercise.hints)} of {len(exercise.hints)}, the last.")
    assert "solution()" not in "".join(hints)


def test_solutions_are_open_unless_somebody_closes_them():
    assert exercises.edit_distance.source in repr(exercises.edit_distance.solution())


def test_in_a_kernel_the_handed_out_set_up_closes_the_solutions():
    bare = handout.without_answers(LESSON)
    closing = next(cell for cell in code(bare) if "withhold_solutions()" in cell.source)
    asks = nbformat.v4.new_code_cell("exercises.edit_distance.solution()")
    notebook = nbformat.v4.new_notebook(cells=[closing, asks])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert "Your teacher has the solutions." in notebook.cells[1].outputs[0].data["text/plain"]


def test_a_lesson_without_exercises_of_this_kind_is_told(tmp_path):
    with pytest.raises(Fault, match="Lesson 0 has no exercises whose solutions could be closed"):
        handout.write(course.lesson("0"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "handouts").write_text("not a folder")
    with pytest.raises(Fault, match=r"3_1_lesson\.ipynb was not written: (Not a directory|File exists)"):
        handout.write(LESSON, tmp_path / "handouts")


def test_without_reveal_all_but_the_slides_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(handout.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Fault, match=r"reveal\.js, which the package sphinx-revealjs brings"):
        handout.write(LESSON, tmp_path)
    names = ["3_1_lesson.ipynb", "3_1_solutions.ipynb", "3_1_teacher.md"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


class Slides(HTMLParser):
    """What a page would load, and its slides with their texts."""

    def __init__(self, page: str):
        super().__init__()
        self.loads, self.slides, self.alternatives = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "section":
            self.slides.append("")
        if tag == "img":
            self.alternatives.append(found.get("alt", ""))
        if tag not in ("a", "section"):
            self.loads += [found[name] for name in ("src", "href", "data") if found.get(name)]

    def handle_data(self, data):
        if self.slides:
            self.slides[-1] += data


@pytest.fixture(scope="module")
def page() -> str:
    needed(importlib.util.find_spec("sphinx_revealjs"), "reveal.js")
    return handout.slides(LESSON)


def test_the_slides_ask_no_other_site_for_anything(page):
    assert [load for load in Slides(page).loads if not load.startswith("data:")] == []
    styles = "".join(re.findall(r"<style[^>]*>(.*?)</style>", page, re.DOTALL))
    assert not re.search(r"@import|url\(\s*['\"]?(?!data:|['\"]?#)", styles)
    assert "Reveal.initialize(" in page and "reveal.js 5" in page
    assert not re.search(r"unpkg|cdnjs|jsdelivr|require\.js", page)


def test_the_slides_show_what_a_class_sees_and_none_of_the_code(page):
    read = Slides(page)
    everything = "".join(read.slides)
    for wanted in (LESSON.question, "What we ask:", "Predict first.", "How to read it.", "P12 holds at this scale"):
        assert wanted in everything
    for unwanted in ("import ", "widgets.", "Set-up", "Not attempted yet", "The figure in words", "Run this cell"):
        assert unwanted not in everything
    figures = sum(
        "image/png" in output.get("data", {}) for cell in code(handout._read(LESSON)) for output in cell.outputs
    )
    assert len(read.alternatives) == figures > 3 and all(read.alternatives)


def test_a_figure_is_read_on_its_own_slide(page):
    sections = re.split(r"<section>", page)
    reading = [section for section in sections if "How to read it." in section and "More rules, fewer" not in section]
    assert sum("<img" in section for section in reading) >= 4


def test_no_slide_holds_two_figures_or_two_tables(page):
    for section in re.split(r"<section>", page):
        assert section.count("<img") + section.count("<table>") <= 1


def test_the_command_writes_four_files_and_names_them(tmp_path, monkeypatch, capsys):
    from helpers import __main__ as commands

    installed = []
    monkeypatch.setattr(commands.environment, "add", installed.append)
    monkeypatch.setattr(commands.environment, "ROOT", tmp_path)
    monkeypatch.setattr(handout, "write", lambda lesson: [tmp_path / "handouts" / f"{lesson.number}.md"])
    commands.JOBS["handout"](commands.parser().parse_args(["handout", "3.1"]), [])
    assert capsys.readouterr().out == "handouts/3.1.md\n"
    assert installed == [commands.BOOK_LOCK]
    with pytest.raises(Fault, match=r"no lesson 9\.7"):
        commands.JOBS["handout"](commands.parser().parse_args(["handout", "9.7"]), [])


def test_what_is_handed_out_is_not_tracked():
    ignored = subprocess.run(["git", "check-ignore", "-q", "handouts/3_1_lesson.ipynb"], cwd=course.ROOT, check=False)
    if ignored.returncode == 128:
        pytest.skip("not a clone: nothing is tracked here")
    assert ignored.returncode == 0


def test_nothing_of_this_needs_the_slides_to_be_read():
    command = "import sys; from helpers import teaching, quizzes; print('nbconvert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True, cwd=course.ROOT)
    assert done.stdout == "False\n"
