"""Controls that answer at once, and that leave a figure behind where there is no kernel to answer."""

import base64
import gc
import html
import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real

import ipywidgets
import matplotlib.pyplot as plt
import traitlets
from IPython.display import display

from helpers import course, figures, interrupts, predictions, quizzes
from helpers.predictions import Prediction, Sentence
from helpers.quizzes import Quiz

MOST_KNOBS = 4
NARROW = {"description_width": "initial"}
WRAPPED = {"flex_flow": "row wrap", "max_width": "44rem"}
WIDE = {"style": NARROW, "layout": {"width": "95%", "max_width": "36rem"}}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
LIVE_DOTS_PER_INCH = 100
# JupyterLab gives each choice one line of fixed height, onto which a long one does not fit.
WRAP_CHOICES = "<style>.quiz-form .widget-radio-box label {height: auto; white-space: normal}</style>"
# Where the live part is drawn, the stored figure above it (its `count` outputs) would say everything twice.
HIDE_STORED = (
    "<style>.jp-OutputArea-child:has(+ .jp-OutputArea-child .explored),"
    ".jp-OutputArea-child:has(+ .jp-OutputArea-child + .jp-OutputArea-child .explored-figure)"
    "{display: none}</style>"
)


@dataclass(frozen=True)
class Table:
    """A small table that reads in JupyterLab, on GitHub, in plain text and to a screen reader.

    header names the columns; rows are sequences of that length; the first column heads each row.

    >>> Table(["system", "answer"], [["rules", "K AO F"], ["attention", "K AH F"]])
    system     answer
    rules      K AO F
    attention  K AH F
    """

    header: Sequence[str]
    rows: Sequence[Sequence]

    def __repr__(self) -> str:
        lines = [[str(cell) for cell in line] for line in (self.header, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        told = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        return "\n".join(told)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{html.escape(str(cell))}</th>' for cell in self.header)
        body = "\n".join(
            f'<tr><th scope="row">{html.escape(str(first))}</th>'
            + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in others)
            + "</tr>"
            for first, *others in self.rows
        )
        return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


# --- explore -------------------------------------------------------------------------------------------------


def explore(function: Callable, **knobs) -> None:
    """Show what function gives for its defaults, and beneath it one control a knob that shows it for other values.

    function takes the knobs as keyword arguments and returns (axes or figure, its words), or a str, or a Table.
    A knob is a range or (low, high[, step]) for a number, a list for a choice, or a str for a text box; numbers
    have a slider as well. It starts at the function's own default, or else at its first value.

        explore(error_curve, training_words=[30, 100, 300], word="cough")

    The first answer is an output of its own: it needs no kernel. Raises ValueError for a knob it cannot read.
    """
    explorer = Explorer(function, **knobs)
    first = explorer.last
    if isinstance(first, Drawn):
        figures.show_png(first.picture, first.words, first.width)
    else:
        display({"text/html": _in_html(first), "text/plain": str(first)}, raw=True)
    names = ", ".join(label_of(name) for name in knobs)
    _display(explorer, f"Run this cell in JupyterLab for its live controls: {names}.")
    _set_aside()


class Explorer(ipywidgets.VBox):
    """The live part of `explore`: the controls, the latest answer, and a line that says what went wrong.

    >>> explorer = Explorer(lambda n: f"{n} squared is {n * n}", n=range(3, 9))
    >>> explorer.knobs["n"].value = 4
    >>> explorer.last
    '4 squared is 16'
    """

    def __init__(self, function: Callable, **knobs):
        if not 0 < len(knobs) <= MOST_KNOBS:
            raise ValueError(f"explore takes 1 to {MOST_KNOBS} knobs, not {len(knobs)}: a learner can follow no more")
        self.function, self.layout_kept = function, {}
        self.knobs = {name: _field(name, knob, _default(function, name)) for name, knob in knobs.items()}
        self.answer, self.message = ipywidgets.HTML(), ipywidgets.HTML()
        rows = [_row(name, knob, self.knobs[name]) for name, knob in knobs.items()]
        super().__init__([*rows, self.answer, self.message])
        self.draw()
        for control in self.knobs.values():
            control.observe(self.update, "value")

    def values(self) -> dict:
        """The knobs' present values, by name."""
        return {name: control.value for name, control in self.knobs.items()}

    def draw(self) -> None:
        """Answer for the present values; whatever the function raises passes through, and the last answer stays."""
        self.last = _answer(self.function, self.values(), self.layout_kept)
        self.answer.value = _live(self.last)
        self.message.value = "<small>Does nothing move? Run this cell first.</small>"

    def update(self, _change) -> None:
        """Answer for the present values, or say why there is no answer: an error in a callback shows nowhere else."""
        try:
            self.draw()
        except (Exception, KeyboardInterrupt) as error:
            self.message.value = _what_went_wrong(self.values(), error)
            if isinstance(error, KeyboardInterrupt):
                interrupts.recover()


def _set_aside() -> None:
    """Spare what is in memory by now from Python's searches for what nobody needs any more.

    The parts of a drawn figure name one another, so that it takes such a search to free them; and each goes through all
    that a lesson has made: half a second in which the knob sticks, with a dictionary of 117,000 words in memory.
    """
    gc.collect()  # what is set aside is never searched again, so what is not needed goes first
    gc.freeze()


@dataclass(frozen=True)
class Drawn:
    """A drawn figure: the picture's PNG bytes, its width in pixels on the page, and its words."""

    picture: bytes
    width: int
    words: str


def _answer(function: Callable, values: dict, layout: dict) -> Drawn | str | Table:
    open_before = set(plt.get_fignums())
    try:
        given = function(**values)
        if isinstance(given, str | Table):
            return given
        drawn, words = given
        width = round(drawn.get_figure(root=True).get_size_inches()[0] * figures.PIXELS_PER_INCH)
        return Drawn(figures.png(drawn, LIVE_DOTS_PER_INCH, layout), width, words)
    finally:
        for number in set(plt.get_fignums()) - open_before:
            plt.close(number)


def _in_html(answer: str | Table) -> str:
    if isinstance(answer, Table):
        return answer._repr_html_()
    return html.escape(answer).replace("\n", "<br>")


def _live(answer: Drawn | str | Table) -> str:
    if not isinstance(answer, Drawn):
        return f'{HIDE_STORED}<div class="explored" role="status">{_in_html(answer)}</div>'
    source = base64.b64encode(answer.picture).decode()
    words = html.escape(answer.words)
    return (
        f'{HIDE_STORED}<div class="explored explored-figure">'
        f'<img alt="{words}" width="{answer.width}" style="max-width: 100%" src="data:image/png;base64,{source}">'
        f"<details><summary>The figure in words</summary><p>{words}</p></details></div>"
    )


def _what_went_wrong(values: dict, error: BaseException) -> str:
    told = ", ".join(f"{label_of(name)} = {value}" for name, value in values.items())
    reason = (str(error) or type(error).__name__).rstrip(".") + "."
    return (
        f'<p role="alert"><strong>No answer</strong> for {html.escape(told)}: {html.escape(reason)} '
        "The last answer still stands.</p>"
    )


def label_of(name: str) -> str:
    """A knob's name as a label: underscores become spaces.

    >>> label_of("training_words")
    'training words'
    """
    return name.replace("_", " ")


def _default(function: Callable, name: str):
    parameter = inspect.signature(function).parameters.get(name)
    return None if parameter is None or parameter.default is parameter.empty else parameter.default


def _field(name: str, knob, default) -> ipywidgets.Widget:
    """The knob's native form field, which has a label, takes exact values and is read out by a screen reader."""
    shared = {"description": label_of(name), "style": NARROW, "layout": {"flex": "1 1 12rem", "width": "auto"}}
    if isinstance(knob, str):
        return ipywidgets.Text(value=knob if default is None else default, **shared)
    positions = _positions(name, knob)
    start = positions[0] if default is None else default
    if isinstance(knob, list):
        names = [(figures.number(one) if isinstance(one, Real) else str(one), one) for one in knob]
        # Not a drop-down: JupyterLab takes the arrow keys and the letters from it for commands of its own.
        return ipywidgets.RadioButtons(options=names, value=start, orientation="horizontal", **shared)
    whole = all(isinstance(one, int) for one in positions)
    kind = ipywidgets.BoundedIntText if whole else ipywidgets.BoundedFloatText
    return kind(value=start, min=positions[0], max=positions[-1], step=positions[1] - positions[0], **shared)


def _positions(name: str, knob) -> list:
    match knob:
        case range() if len(knob) > 1 and knob.step > 0:
            return list(knob)
        case tuple((low, high, *steps)) if all(isinstance(one, Real) for one in knob) and low < high:
            step = steps[0] if steps else 1 if isinstance(low, int) and isinstance(high, int) else (high - low) / 100
            return [low + i * step if isinstance(step, int) else round(low + i * step, 10)
                    for i in range(round((high - low) / step) + 1)]  # fmt: skip
        case list() if len(knob) > 1:
            return knob
    raise ValueError(f"explore cannot make a control of {name}={knob!r}: give a range, (low, high), a list or a str")


def _row(name: str, knob, field: ipywidgets.Widget) -> ipywidgets.HBox:
    """The field, and beside it, if its values are numbers, a slider: quick to move, but with no label of its own."""
    if isinstance(knob, str) or not all(isinstance(one, Real) for one in _positions(name, knob)):
        return ipywidgets.HBox([field], layout=WRAPPED)
    positions = _positions(name, knob)

    def nearest(value) -> int:
        return min(range(len(positions)), key=lambda i: abs(positions[i] - value))

    slider = ipywidgets.IntSlider(
        max=len(positions) - 1, readout=False, layout={"flex": "2 1 12rem", "width": "auto"}
    )  # fmt: skip
    traitlets.link((field, "value"), (slider, "value"), transform=(nearest, positions.__getitem__))
    return ipywidgets.HBox([field, slider], layout=WRAPPED)


def _display(widget: ipywidgets.Widget, without_kernel: str) -> None:
    view = widget._repr_mimebundle_()[WIDGET_VIEW]
    display({WIDGET_VIEW: view, "text/plain": without_kernel}, raw=True)


# --- predict first -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A question asked before the measurement: a number from low to high in a unit, or one of some choices."""

    text: str
    low: float = 0
    high: float = 100
    unit: str = ""
    choices: tuple[str, ...] = ()
    lesson: str = ""

    def read(self, typed: str) -> float:
        """The number typed, a decimal comma and the unit allowed; ValueError with a clear sentence for anything else.

        >>> Question("How many?", unit="%").read("12,5 %")
        12.5
        """
        wanted = f"a number from {figures.number(self.low)} to {figures.number(self.high)}"
        try:
            guess = float(typed.strip().removesuffix(self.unit).strip().replace(",", "."))
        except ValueError:
            raise ValueError(f"“{typed}” is not a number: type {wanted}.") from None
        if not self.low <= guess <= self.high:
            raise ValueError(f"{typed} is out of range: type {wanted}.")
        return guess

    def near(self, guess: float | str) -> tuple[float, float] | None:
        """The limits about a guess that its confidence is about; None for a choice, which is right or wrong.

        They lie a tenth of the question's range to either side. Where the range goes over a factor of more than a
        hundred, so that people err by factors, they are half and twice the guess.

        >>> Question("How many?", unit="%").near(30), Question("How many?", low=1, high=1_000).near(30)
        ((20.0, 40.0), (15.0, 60.0))
        """
        if self.choices:
            return None
        reach = (self.high - self.low) / 10
        limits = (guess - reach, guess + reach)
        if self.low >= 0 and self.high > 100 * max(self.low, 1):
            limits = (guess / 2, guess * 2)
        low, high = (min(max(round(limit, 10), self.low), self.high) for limit in limits)
        return float(low), float(high)

    def prediction(self, name: str) -> Prediction:
        """The question as the learner's file has it, without an answer."""
        return Prediction(name, self.text, self.unit, self.choices, self.lesson)

    def tell(self, answer: float | str) -> str:
        """An answer with its unit.

        >>> Question("How many?", unit="%").tell(12.5)
        '12.5%'
        """
        if self.choices:
            return str(answer)
        return figures.number(answer) + (self.unit if self.unit in ("", "%") else f" {self.unit}")


questions: dict[str, Question] = {}
guesses: dict[str, float | str] = {}
_notices: set[str] = set()


def predict(
    name: str, question: str, low: float = 0, high: float = 100, unit: str = "", choices: Iterable[str] = ()
) -> None:
    """Ask for a guess before a number is revealed, and for how sure the learner is of it.

    The guess is a number from low to high in the unit, or one of the choices. It is kept in `guesses[name]`, and in the
    learner's own file (see `helpers.predictions`), until `compare` shows the number.

        predict("rules", "How many sounds in a hundred will the rules get wrong?", unit="%")

    The question reads without a kernel: then a learner thinks, or writes on paper.
    """
    asked = questions[name] = Question(question, low, high, unit, tuple(map(str, choices)), _lesson_asking(question))
    text = f"<p><strong>Predict first.</strong> {html.escape(question)}</p>"
    told = f" ({', '.join(asked.choices)})" if asked.choices else ""
    display({"text/html": text, "text/plain": f"Predict first. {question}{told}"}, raw=True)
    _display(predictor(name), "Decide on a guess, or write it on paper. Run this cell to type it here.")


def _lesson_asking(question: str) -> str:
    try:
        return course.lesson_asking(question) if predictions.place() else ""
    except (OSError, ValueError):  # a map or a notebook that cannot be read is no reason to stop a lesson
        return ""


def predictor(name: str) -> ipywidgets.VBox:
    """The fields of `predict`: the guess; once there is one, how sure; and a line that says what was kept."""
    asked = questions[name]
    known, notice = predictions.find(asked.prediction(name))
    if known.guess is not None:
        guesses[name] = known.guess
    field, sure, message = _guess_field(asked, guesses.get(name)), _sure_field(asked, known), ipywidgets.HTML()

    def show(known: Prediction, notice: str) -> None:
        sure.layout.display = "" if known.in_time else "none"
        sure.description = f"How sure are you that {_statement(asked, known)}?"
        field.disabled = sure.disabled = known.in_time and known.revealed is not None
        message.value = _status(_standing(asked, known)) + (_alert(notice) if notice else "")

    def keep(_change) -> None:
        try:
            guess = field.value if asked.choices else asked.read(field.value)
            show(*predictions.guess(asked.prediction(name), guess, asked.near(guess), sure.value))
            guesses[name] = guess
        except predictions.TooLate:
            settle()
        except ValueError as error:
            message.value = _alert(str(error))

    def settle() -> None:
        known, notice = predictions.find(asked.prediction(name))
        field.unobserve(keep, "value")
        sure.unobserve(keep, "value")
        guesses[name], sure.value = known.guess, known.confidence
        field.value = _typed(asked, known.guess)
        show(known, notice)

    show(known, notice)
    field.observe(keep, "value")
    sure.observe(keep, "value")
    return ipywidgets.VBox([field, sure, message])


def _guess_field(asked: Question, guess: float | str | None) -> ipywidgets.Widget:
    if asked.choices:
        return ipywidgets.RadioButtons(
            options=asked.choices, value=_typed(asked, guess), description="Your guess:", **WIDE
        )
    hint = f"{figures.number(asked.low)} to {figures.number(asked.high)}, then Enter"
    description = f"Your guess ({asked.unit}):" if asked.unit else "Your guess:"
    return ipywidgets.Text(
        _typed(asked, guess), placeholder=hint, description=description, continuous_update=False, **WIDE
    )


def _typed(asked: Question, guess: float | str | None) -> str | None:
    if asked.choices:
        return guess if guess in asked.choices else None
    return "" if guess is None else figures.number(guess)


def _sure_field(asked: Question, known: Prediction) -> ipywidgets.RadioButtons:
    levels = predictions.levels(len(asked.choices))
    value = known.confidence if known.confidence in levels else None
    options = [(f"{level}%", level) for level in levels]
    return ipywidgets.RadioButtons(options=options, value=value, orientation="horizontal", **WIDE)


def _statement(asked: Question, known: Prediction) -> str:
    """What the learner's confidence is about."""
    if known.near is None:
        return "it is right"
    low, high = map(asked.tell, known.near)
    return f"it lies from {low} to {high}" if low != high else f"it is {low}"


def _standing(asked: Question, known: Prediction) -> str:
    """What is kept of a question, in a sentence or two."""
    if known.guess is None:
        shown = "The number has been shown on this machine. A guess is worth its while even now; it is not counted."
        return shown if known.revealed else ""
    told = f"Your guess is kept: {asked.tell(known.guess)}."
    if not known.in_time:
        return f"{told} The number had been shown before, so it is not counted."
    if known.confidence is not None:
        told += f" You are {known.confidence}% sure that {_statement(asked, known)}."
    elif not known.revealed:
        told += " Now choose how sure you are."
    return f"{told} The number has been shown since, so it stays." if known.revealed else told


def _status(text: str) -> str:
    return (
        f'<p role="status">{html.escape(text)}</p>'
        if text
        else "<small>Decide on a guess, or write it on paper.</small>"
    )


def _alert(text: str) -> str:
    return f'<p role="alert">{html.escape(text)}</p>'


def compare(name: str, measured: float | str, how: str = "measured") -> Sentence:
    """The learner's guess beside what was measured, in the question's unit; from now on the number counts as shown.

    `how` says how the number was come by, where it was not measured: "worked out".

    >>> questions["demo"], guesses["demo"] = Question("How many sounds wrong?", unit="%"), 30
    >>> compare("demo", 24)
    You guessed 30%; measured: 24%. Your guess was 6 points too high.
    >>> compare("never asked", 24)
    The question “never asked” has not been asked yet: run its cell first. Measured: 24.
    """
    if name not in questions:
        told = measured if isinstance(measured, str) else figures.number(measured)
        return Sentence(
            f"The question “{name}” has not been asked yet: run its cell first. {how.capitalize()}: {told}."
        )
    asked = questions[name]
    known, notice = predictions.reveal(asked.prediction(name), measured)
    told = [f"You made no guess; {how}: {asked.tell(measured)}."]
    if name in guesses:
        guess = guesses[name]
        told = [f"You guessed {asked.tell(guess)}; {how}: {asked.tell(measured)}."]
        told += [_distance(asked, guess, measured), *_confidence_met(asked, known, measured)]
    if notice and notice not in _notices:  # once is enough
        _notices.add(notice)
        told.append(notice)
    return Sentence(" ".join(told))


def _confidence_met(asked: Question, known: Prediction, measured: float | str) -> list[str]:
    if known.confidence is None or not known.in_time:
        return []
    if known.near is None:
        return [f"You were {known.confidence}% sure."]
    met = "it does" if known.near[0] <= measured <= known.near[1] else "it does not"
    return [f"You were {known.confidence}% sure that {_statement(asked, known)}: {met}."]


def _distance(asked: Question, guess: float | str, measured: float | str) -> str:
    if asked.tell(guess) == asked.tell(measured):
        return "Your guess was right."
    if asked.choices:
        return "Your guess was wrong."
    gap = figures.number(abs(guess - measured))
    unit = " point" if asked.unit == "%" else f" {asked.unit}" if asked.unit else ""
    plural = "s" if asked.unit == "%" and gap != "1" else ""
    return f"Your guess was {gap}{unit}{plural} too {'high' if guess > measured else 'low'}."


def carry_predictions() -> None:
    """Show a button that writes all predictions into one small file, and one that brings such a file in."""
    told = "Run this cell in JupyterLab: one button writes your predictions into a file, another brings such a file in."
    _display(carrier(), told)


def carrier() -> ipywidgets.VBox:
    """The live part of `carry_predictions`."""
    write = ipywidgets.Button(description="Write my predictions into a file", layout={"width": "auto"})
    bring = ipywidgets.FileUpload(accept=".json", description="Bring predictions in", layout={"width": "auto"})
    message = ipywidgets.HTML()

    def brought(change) -> None:
        if change["new"]:
            message.value = _status(predictions.import_from(bytes(change["new"][0]["content"])))
            bring.value = ()  # so that the same file can be brought again

    write.on_click(lambda _: setattr(message, "value", _status(predictions.export_to())))
    bring.observe(brought, "value")
    return ipywidgets.VBox([ipywidgets.HBox([write, bring], layout=WRAPPED), message])


# --- the exit quiz -------------------------------------------------------------------------------------------


def quiz(number: str) -> None:
    """Show a lesson's exit quiz; each choice tells what speaks for it, or where the thought goes wrong.

        quiz("3.1")

    With no kernel, as in the book, each choice unfolds into its reason. Raises ValueError where the lesson has none.
    """
    asked = quizzes.read(number)
    display(asked.card()._repr_mimebundle_(), raw=True)
    _display(QuizForm(asked), "To be asked question by question, run this cell in JupyterLab.")


class QuizForm(ipywidgets.VBox):
    """The live part of `quiz`: a field a question, the reason for the choice made, and how many were right at first.

    >>> form = QuizForm(quizzes.read("3.1"))
    >>> form.fields[0].value = form.asked.questions[0].right
    >>> "Right." in form.reasons[0].value
    True
    """

    def __init__(self, asked: Quiz):
        self.asked, self.first_choices = asked, {}
        self.fields = [_quiz_field(place, one) for place, one in enumerate(asked.questions, 1)]
        self.reasons = [ipywidgets.HTML() for _ in asked.questions]
        self.message = ipywidgets.HTML("<small>Does nothing happen? Run this cell first.</small>")
        rows = [ipywidgets.HTML(f'{HIDE_STORED}{WRAP_CHOICES}<div class="explored"></div>')]
        for place, (one, field, reason) in enumerate(zip(asked.questions, self.fields, self.reasons)):
            text = ipywidgets.HTML(f"<p><strong>{place + 1}.</strong> {html.escape(one.asks)}</p>")
            rows += [text, field, reason]
            field.observe(lambda change, place=place: self.choose(place, change["new"]), "value")
        super().__init__([*rows, self.message])
        self.add_class("quiz-form")

    def choose(self, place: int, chosen: int) -> None:
        """Tell the reason for a choice; the first one for each question counts."""
        self.first_choices.setdefault(place, chosen)
        choice = self.asked.questions[place].choices[chosen]
        self.reasons[place].value = f'<p role="status"><strong>{choice.judged}</strong> {html.escape(choice.why)}</p>'
        right = sum(self.asked.questions[at].right == first for at, first in self.first_choices.items())
        self.message.value = _status(
            f"{len(self.first_choices)} of {len(self.fields)} answered, {right} right at the first choice. "
            "What speaks against the other choices? Choose them and see."
        )


def _quiz_field(number: int, question: quizzes.Question) -> ipywidgets.RadioButtons:
    options = [(f"{quizzes.letter(at)}. {one.says}", at) for at, one in enumerate(question.choices)]
    layout = {"width": "auto", "max_width": "44rem"}
    return ipywidgets.RadioButtons(
        options=options, value=None, description=f"Answer {number}:", style=NARROW, layout=layout
    )


# --- waiting -------------------------------------------------------------------------------------------------


def progress(steps: Iterable, label: str, total: int | None = None) -> Iterator:
    """Go through steps with a bar that shows how many are done, and stores no timing when it is.

    total is the number of steps, if steps has no length. (A stored tqdm bar differs each time by its speed.)

        for step in progress(range(1000), "training"): ...
    """
    total = len(steps) if total is None else total
    bar = ipywidgets.IntProgress(max=total, description=label, **WIDE)
    count = ipywidgets.HTML(f"0 of {total}")
    _display(ipywidgets.VBox([bar, count]), f"{label}: {total} steps.")
    shown = 0.0
    for done, step in enumerate(steps, start=1):
        yield step
        if done == total or time.monotonic() - shown > 0.1:
            bar.value, count.value, shown = done, f"{done} of {total}", time.monotonic()
