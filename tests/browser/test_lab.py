"""Every lesson in JupyterLab and a real browser, from a fresh clone: run, and all its controls moved by keyboard."""

import pytest

from helpers import course

NUMBERS = [lesson.number for lesson in course.lessons()]
# What is typed where the control is a field for words: any text has an answer, so these are short, middling and long.
TEXTS = {
    ("1.3", "number"): ["0", "0.3", "-123456.789"],
    ("2.1", "your guesses"): ["e", "the", "a string of letters and nothing else"],
    ("2.1", "text so far"): ["q", "the st", "every list of strings or numbers is an objec"],
    ("2.3", "word"): ["a", "knight", "incomprehensibly"],
    ("2.3", "typed"): ["a", "the list", "a function returns the value of its argument"],
    ("2.5", "text"): ["1", "3 de mayo de 1808", "31 de diciembre de 1999"],
    ("3.1", "your word"): ["a", "ghoti", "incomprehensibility"],
}
# Where two of low, middle and high show one picture, and why that is right.
SAME = {}


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


KINDS = {
    "slider": "[role=slider]", "radio": "input[type=radio]", "number": "input[type=number]", "text": "input[type=text]"
}  # fmt: skip


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
    """Moves each control of an explore to its ends and its middle and back; tells what shows the same twice."""
    cell = lesson.cell(place)
    rows, same = cell.locator(".widget-vbox > .widget-hbox"), []
    assert rows.count() > 0
    for row in rows.all():
        name = row.locator(".widget-label").first.inner_text()
        for knob in knobs_of(lesson, number, row):
            shown = []
            for at in knob.places:
                knob.move(at)
                shown.append(answer_in(cell))
            knob.move(knob.start)
            if len(set(shown)) < len(set(knob.places)) or len(knob.places) < 2:
                same.append(f"cell {place}, {name} ({knob.kind}): {[shown.index(one) for one in shown]}")
            if lesson.faults:
                same.append(f"cell {place}, {name} ({knob.kind}): {lesson.faults[:2]}")
    return same


def predict(lesson, place: int) -> None:
    """Types or chooses three guesses, and for the last one how sure the learner is: each is kept."""
    lesson.run_cell(place)
    form = lesson.cell(place).locator(".widget-vbox")
    told, field = form.locator("[role=status]"), form.locator("input[type=text]")
    if field.count():
        low, high = field.get_attribute("placeholder").replace(",", "").removesuffix(" then Enter").split(" to ")
        for guess in (low, f"{(float(low) + float(high)) / 2:g}", high):
            lesson.write(field, guess)
            assert told.inner_text().startswith("Your guess is kept")
    else:
        choices = form.locator(".widget-radio").first.locator("label:has(input)")
        for one in (choices.first, choices.last):
            lesson.press(one.locator("input"), "Space")
            assert told.inner_text().startswith(f"Your guess is kept: {one.inner_text()}")
    sure = form.locator(".widget-radio").last.locator("label:has(input)")
    for one in (sure.first, sure.nth(sure.count() // 2), sure.last):
        lesson.press(one.locator("input"), "Space")
        assert f"You are {one.inner_text()} sure" in told.inner_text()


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
    assert "is not trusted" in server.log.read_text()  # it has never been run here: a fresh clone
    lesson.run_all()
    cells = lesson.cells()
    assert [cell["errors"] for cell in cells if cell["errors"]] == [] and lesson.faults == []
    code = [cell for cell in cells if cell["code"]]
    assert [cell["count"] for cell in code] == list(range(1, len(code) + 1))
    assert lesson.ask("showAll") == []
    assert lesson.ask("evaluate", "import helpers; print(helpers.__path__[0])") == str(server.root / "helpers")

    same = [told for place in lesson.places("widgets.explore(") for told in explore(lesson, number, place)]
    for place in lesson.places("widgets.quiz("):
        quiz(lesson, place)
    server.predictions.unlink(missing_ok=True)  # as a learner who begins: no number has been shown yet
    for place in lesson.places("widgets.predict("):
        predict(lesson, place)
    assert same == [] and lesson.faults == []
