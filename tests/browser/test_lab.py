"""Every lesson in JupyterLab and a real browser, from a fresh clone: run, and all its controls moved by keyboard."""

import json

import pytest

from helpers import course
from helpers.exercises import rules_or_gradient_descent, start_here

NUMBERS = [lesson.number for lesson in course.lessons()]
# What is typed where the control is a field for words, short, middling and long: its ends and its middle.
TEXTS = {
    ("1.3", "number"): ["0", "0.3", "-123456.789"],
    ("2.1", "your guesses"): ["e", "et", "eta"],
    ("2.1", "text so far"): ["q", "the st", "every list of strings or numbers is an objec"],
    ("2.3", "word"): ["a", "knight", "incomprehensibly"],
    ("2.3", "typed"): ["at", "the list", "a function returns the value"],
    ("2.5", "text"): ["1", "3 de mayo de 1808", "31 de diciembre de 1999"],
    ("3.1", "your word"): ["a", "ghoti", "incomprehensibility"],
}
KINDS = {"slider": "[role=slider]"} | {kind: f"input[type={kind}]" for kind in ("radio", "number", "text")}


class Knob:
    """One control of a knob: its three places (low, middle, high), where it starts, and the keys that lead there."""

    def __init__(self, lesson, control, kind: str, texts=()):
        self.lesson, self.control, self.kind = lesson, control, kind
        if kind == "slider":
            self.places = [0, self._slid("valuemax") // 2, self._slid("valuemax")]
            self.start = self._slid("valuenow")
        elif kind == "radio":
            last = control.count() - 1
            self.places, self.start = [0, last // 2, last], control.evaluate_all("all => all.findIndex(o => o.checked)")
        elif kind == "number":
            low, high, step = (float(control.get_attribute(name)) for name in ("min", "max", "step"))
            middle = low + step * round((high - low) / step / 2)
            self.places, self.start = [f"{at:.10g}" for at in (low, middle, high)], control.input_value()
        else:
            self.places, self.start = texts, control.input_value()

    def _slid(self, what: str) -> int:
        return round(float(self.control.get_attribute(f"aria-{what}")))

    def move(self, place) -> None:
        """To a place, by keyboard, until the kernel has dealt with it."""
        if self.kind == "radio":
            self.lesson.press(self.control.nth(place), "Space")
        elif self.kind != "slider":
            self.lesson.write(self.control, place)
        elif place == self.places[-1]:
            self.lesson.press(self.control, "End")
        else:
            self.lesson.press(self.control, "Home", *["PageUp"] * (place // 5), *["ArrowRight"] * (place % 5))
            assert self._slid("valuenow") == place


def knobs_of(lesson, number: str, row) -> list[Knob]:
    """The controls of one of explore's rows: a slider, a field, or both."""
    name = row.locator(".widget-label").first.inner_text()
    found = {kind: row.locator(selector) for kind, selector in KINDS.items()}
    return [Knob(lesson, one, kind, TEXTS.get((number, name), ())) for kind, one in found.items() if one.count()]


def answer_in(cell) -> str:
    """What explore shows: the picture, or the words of an answer that is none."""
    picture = cell.locator(".explored img")
    return picture.get_attribute("src") if picture.count() else cell.locator(".explored").inner_text()


def explore(lesson, number: str, place: int) -> list[str]:
    """Moves each control of an explore to its ends and its middle and back; tells what went wrong."""
    cell = lesson.cell(place)
    rows, alert, wrong = cell.locator(".widget-vbox > .widget-hbox"), cell.locator("[role=alert]"), []
    for row in rows.all():
        name = row.locator(".widget-label").first.inner_text()
        for knob in knobs_of(lesson, number, row):
            shown = []
            for at in knob.places:
                knob.move(at)
                shown.append(answer_in(cell))
                wrong += alert.all_inner_texts()
            knob.move(knob.start)
            if [shown.index(one) for one in shown] != [knob.places.index(at) for at in knob.places]:
                wrong.append(f"Cell {place}, {name}, {knob.kind}: of {knob.places} some show the same.")
            assert len(knob.places) == 3, f"Give three texts for {name} of lesson {number}."
    assert rows.count() > 0
    return wrong


def guess(form, lesson, value: str) -> None:
    """Types or chooses a guess: it is kept."""
    field, told = form.locator("input[type=text]"), form.locator("[role=status]")
    if field.count():
        lesson.write(field, value)
    else:
        lesson.press(form.get_by_label(value, exact=True).first, "Space")
    assert told.inner_text().startswith("Your guess is kept")


def be_sure(form, lesson, label) -> None:
    """Chooses how sure the learner is: that is kept, too."""
    lesson.press(label.locator("input"), "Space")
    assert f"You are {label.inner_text()} sure" in form.locator("[role=status]").inner_text()


def predict(lesson, place: int) -> None:
    """Makes three guesses, the lowest, the highest and one between, then says how sure the learner is, likewise."""
    form = lesson.cell(place).locator(".widget-vbox")
    field = form.locator("input[type=text]")
    if field.count():
        low, high = field.get_attribute("placeholder").replace(",", "").removesuffix(" then Enter").split(" to ")
        guesses = [low, f"{(float(low) + float(high)) / 2:g}", high]
    else:
        guesses = form.locator(".widget-radio").first.locator("label:has(input)").all_inner_texts()
    for one in guesses:
        guess(form, lesson, one)
    sure = form.locator(".widget-radio").last.locator("label:has(input)")
    for label in (sure.first, sure.nth(sure.count() // 2), sure.last):
        be_sure(form, lesson, label)


def quiz(lesson, place: int) -> None:
    """Chooses every answer of the exit quiz: each gets its reason."""
    form = lesson.cell(place).locator(".quiz-form")
    fields = form.locator(".widget-radio").all()
    for field in fields:
        reasons = set()
        choices = field.locator("input").all()
        for one in choices:
            lesson.press(one, "Space")
            reasons.add(field.locator("xpath=following-sibling::*[1]").inner_text())
        assert len(reasons) == len(choices) and all(reasons)
    assert f"{len(fields)} of {len(fields)} answered" in form.inner_text()


@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_runs_and_all_its_controls_move(number, server, open_lesson):
    lesson = open_lesson(number)
    lesson.run_all()
    cells = lesson.cells()
    assert [cell["errors"] for cell in cells if cell["errors"]] == [] and lesson.faults == []
    code = [cell for cell in cells if cell["code"]]
    assert [cell["count"] for cell in code] == list(range(1, len(code) + 1))
    assert lesson.ask("showAll") == []
    assert lesson.ask("evaluate", "import helpers; print(helpers.__path__[0])") == str(server.root / "helpers")

    wrong = [told for place in lesson.places("widgets.explore(") for told in explore(lesson, number, place)]
    for place in lesson.places("widgets.quiz("):
        quiz(lesson, place)
    server.predictions.unlink(missing_ok=True)  # as a learner who begins: no number has been shown yet
    lesson.run_cells("widgets.predict(")
    for place in lesson.places("widgets.predict("):
        predict(lesson, place)
    assert "\n".join(wrong) == "" and lesson.faults == []


# By lesson and exercise: a wrong attempt that fits on one line, and the mistake that it is.
ATTEMPTS = {
    ("3.1", rules_or_gradient_descent.edit_distance): (
        "def my_edit_distance(first, second): return abs(len(first) - len(second))",
        "compares_the_lengths",
    ),
    ("0", start_here.share): (
        "def my_share(words, letter, place): return sum(word[place] == letter for word in words) / len(words)",
        "counts_from_zero_and_falls_off",
    ),
}


@pytest.mark.parametrize("number, exercise", ATTEMPTS, ids=lambda one: getattr(one, "name", one))
def test_an_exercise_done_wrong_then_right(number, exercise, open_lesson):
    wrong, name = ATTEMPTS[number, exercise]
    [diagnosis] = [mistake.diagnosis for mistake in exercise.mistakes if mistake.name == name]
    lesson, check = open_lesson(number), f"exercises.{exercise.name}.check({exercise.reference.__name__})"
    lesson.run_cells("from helpers.exercises import")
    [place] = lesson.places(check)
    keys, editor = lesson.page.keyboard, lesson.cell(place).locator(".cm-content")
    editor.focus()

    def answer() -> str:
        lesson.press(editor, "Control+Enter")
        editor.focus()
        return " ".join(lesson.cells()[place]["text"].split())

    assert answer().startswith("Not attempted yet.")
    keys.press("ControlOrMeta+a")
    keys.type(f"{wrong}\n{check}")
    assert lesson.cells()[place]["source"] == f"{wrong}\n{check}"
    assert answer().startswith("Not yet.") and diagnosis in answer()
    lesson.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lesson.page.evaluate("text => navigator.clipboard.writeText(text)", f"{exercise.source}\n\n\n{check}")
    keys.press("ControlOrMeta+a")
    keys.press("ControlOrMeta+v")
    assert answer().startswith("Correct.")
    assert lesson.faults == []


def test_a_prediction_is_kept_after_a_reload_and_a_restart(server, open_lesson):
    lesson = open_lesson("2.2")
    asked = lesson.places("widgets.predict(")[0]

    def form():
        lesson.run_cells("from helpers import", 'widgets.predict("read"')
        return lesson.cell(asked).locator(".widget-vbox")

    first = form()
    guess(first, lesson, "1234")
    be_sure(first, lesson, first.locator("label", has_text="75%"))
    lesson.page.keyboard.press("ControlOrMeta+s")
    lesson.page.wait_for_function("path => !panelOf(path).context.model.dirty", arg=lesson.path)
    lesson.page.reload()
    lesson.wait()
    lesson.begin("kernelmenu:restart")
    lesson.page.locator(".jp-Dialog button.jp-mod-accept").press("Enter")
    lesson.finish()
    assert lesson.ask("evaluate", "print('widgets' in globals())") == "False"  # nothing is left in the kernel
    again = form()
    assert again.locator("input[type=text]").input_value() == "1,234"
    assert again.get_by_label("75%", exact=True).is_checked()
    assert again.locator("[role=status]").inner_text().startswith("Your guess is kept: 1,234. You are 75% sure")


def test_two_lessons_at_once(server, open_lesson):
    guesses = {"0": ("third", "37"), "2.2": ("read", "1234")}
    opened = {number: open_lesson(number) for number in guesses}
    for number, lesson in opened.items():
        lesson.run_cells("from helpers import", "widgets.predict(")
        form = lesson.cell(lesson.places("widgets.predict(")[0]).locator(".widget-vbox")
        guess(form, lesson, guesses[number][1])
        be_sure(form, lesson, form.locator("label", has_text="75%"))
    for lesson in opened.values():
        lesson.begin("notebook:run-all-cells")
    for lesson in opened.values():
        lesson.finish()

    kernels = [session["kernel"]["id"] for session in server.ask("api/sessions")]
    assert len(set(kernels)) == 2
    kept = {one["name"]: one for one in json.loads(server.predictions.read_text())["predictions"]}
    for number, lesson in opened.items():
        name, typed = guesses[number]
        code = [cell for cell in lesson.cells() if cell["code"]]
        assert [cell["errors"] for cell in code if cell["errors"]] == [] and lesson.faults == []
        assert all(cell["count"] for cell in code)
        [told] = [cell["text"] for cell in code if f'widgets.compare("{name}"' in cell["source"]]
        assert f"You guessed {int(typed):,}" in told and "You were 75% sure" in told
        assert (kept[name]["guess"], kept[name]["confidence"]) == (float(typed), 75) and kept[name]["revealed"]
