"""The controls, driven as a browser drives them: by setting values; and a notebook of them run twice."""

import gc
import html
import json
import re
import weakref
from datetime import UTC, datetime

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbclient import NotebookClient

from helpers import figures, predictions, quizzes, widgets


def line(height=1, name="rules"):
    return figures.recorded(figures.axes(), [0, 1], [0, height], name), f"A line up to {height}."


@pytest.fixture(autouse=True)
def no_guesses(monkeypatch):
    monkeypatch.setattr(widgets, "guesses", {})
    monkeypatch.setattr(widgets, "questions", {})
    monkeypatch.setattr(widgets, "_notices", set())
    monkeypatch.setattr(predictions, "_unsaved", {})
    yield
    gc.unfreeze()  # what these widgets set aside: other tests have their memory searched as ever


@pytest.fixture
def own_file(monkeypatch, tmp_path):
    """The learner's own file, as in a notebook that no test has started."""
    path = tmp_path / "own" / "predictions.json"
    monkeypatch.setenv(predictions.VARIABLE, str(path))
    return path


def restart_the_kernel():
    for kept in (widgets.guesses, widgets.questions, predictions._unsaved):
        kept.clear()


@pytest.fixture
def outputs(monkeypatch):
    shown = []

    def keep(data, metadata=None, raw=False):
        shown.append((data, metadata or {}))

    monkeypatch.setattr(widgets, "display", keep)
    monkeypatch.setattr(figures, "display", keep)
    return shown


def test_the_stored_figure_comes_first_and_needs_no_kernel(outputs):
    widgets.explore(line, height=range(1, 5))
    (picture, metadata), (words, _), (controls, _) = outputs
    assert picture["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == picture["text/plain"] == "A line up to 1."
    assert "A line up to 1." in words["text/html"]
    assert controls["text/plain"] == "Run this cell in JupyterLab for its live controls: height."
    assert widgets.WIDGET_VIEW in controls


def test_an_answer_in_words_is_stored_as_words(outputs):
    widgets.explore(lambda word="a<b": f"You typed {word}", word="x")
    assert outputs[0][0] == {"text/html": "You typed a&lt;b", "text/plain": "You typed a<b"}


def test_a_knob_redraws_the_figure_and_its_words():
    explorer = widgets.Explorer(line, height=range(1, 5))
    before = explorer.answer.value
    explorer.knobs["height"].value = 3
    assert explorer.last.words == "A line up to 3."
    assert 'alt="A line up to 3."' in explorer.answer.value
    assert explorer.answer.value != before
    explorer.knobs["height"].value = 1
    assert explorer.answer.value == before
    assert plt.get_fignums() == []


def test_every_knob_is_a_labelled_field_and_numbers_have_a_slider_too():
    def answer(**values):
        return str(values)

    explorer = widgets.Explorer(answer, whole_number=range(2, 8, 2), share=(0.0, 1.0), words=[30, 1000], word="cough")
    rows = explorer.children[:4]
    assert [type(row.children[0]).__name__ for row in rows] == [
        "BoundedIntText",
        "BoundedFloatText",
        "RadioButtons",
        "Text",
    ]
    assert [row.children[0].description for row in rows] == ["whole number", "share", "words", "word"]
    assert [len(row.children) for row in rows] == [2, 2, 2, 1]
    assert rows[2].children[0].options == (("30", 30), ("1,000", 1000))
    for row, value in zip(rows[:3], [4, 0.37, 1000], strict=True):
        row.children[1].value = {4: 1, 0.37: 37, 1000: 1}[value]
        assert row.children[0].value == value
    assert explorer.last == str({"whole_number": 4, "share": 0.37, "words": 1000, "word": "cough"})


def test_a_field_takes_a_value_between_two_steps_of_its_slider():
    explorer = widgets.Explorer(lambda share: f"{share}", share=(0.0, 1.0, 0.1))
    explorer.knobs["share"].value = 0.33
    assert explorer.last == "0.33"
    assert explorer.children[0].children[1].value == 3


def test_knobs_start_at_the_functions_own_defaults():
    explorer = widgets.Explorer(line, height=(1, 9), name=["attention", "rules"])
    assert explorer.values() == {"height": 1, "name": "rules"}


@pytest.mark.parametrize("knob", [3, [], [1], (2, 1), ("a", "b"), range(0), range(5, 0, -1), None])
def test_a_knob_that_is_no_choice_is_an_error(knob):
    with pytest.raises(ValueError, match="cannot make a control of height"):
        widgets.Explorer(line, height=knob)


@pytest.mark.parametrize("knobs", [{}, dict.fromkeys("abcde", "text")])
def test_no_knob_or_too_many_is_an_error(knobs):
    with pytest.raises(ValueError, match="1 to 4 knobs"):
        widgets.Explorer(lambda **values: "", **knobs)


@pytest.mark.parametrize("error", [ValueError("Type a letter."), ZeroDivisionError(), KeyboardInterrupt()])
def test_an_error_is_told_and_the_last_figure_stays(error):
    def fails_at_three(height=1):
        answer = line(height)
        if height == 3:
            raise error
        return answer

    explorer = widgets.Explorer(fails_at_three, height=range(1, 5))
    before = explorer.answer.value
    explorer.knobs["height"].value = 3
    assert explorer.answer.value == before
    reason = str(error) or type(error).__name__
    assert 'role="alert"' in explorer.message.value
    assert "for height = 3: " + reason.rstrip(".") + ". The last answer still stands." in explorer.message.value
    assert plt.get_fignums() == []
    explorer.knobs["height"].value = 4
    assert explorer.last.words == "A line up to 4."
    assert "alert" not in explorer.message.value


def test_what_a_learner_types_is_never_markup():
    explorer = widgets.Explorer(lambda word: f"You typed {word}", word="x")
    explorer.knobs["word"].value = "<script>alert(1)</script>"
    assert "<script>" not in explorer.answer.value and "&lt;script&gt;" in explorer.answer.value


def test_an_answer_of_the_wrong_kind_is_told():
    explorer = widgets.Explorer(lambda n: "one" if n == 1 else None, n=range(1, 3))
    explorer.knobs["n"].value = 2
    assert "No answer" in explorer.message.value


def test_what_was_there_before_a_widget_is_not_searched_and_its_figures_are_freed(outputs):
    there_before, drawn = [[]], []

    def draw(height=1):
        ax, words = line(height)
        drawn.append(weakref.ref(ax.get_figure()))
        return ax, words

    widgets.explore(draw, height=range(1, 9))
    assert not any(there_before is one for one in gc.get_objects())  # set aside
    explorer = widgets.Explorer(draw, height=range(1, 9))
    explorer.knobs["height"].value = 5
    gc.collect()
    assert len(drawn) == 3 and all(figure() is None for figure in drawn)


def test_a_value_that_does_not_change_is_not_drawn_again():
    drawn = []
    explorer = widgets.Explorer(lambda n: drawn.append(n) or "", n=range(9))
    for value in (1, 1, 2, 2, 2):
        explorer.children[0].children[1].value = value
    assert drawn == [0, 1, 2]


def test_a_table_reads_as_html_and_as_text():
    table = widgets.Table(["system", "n"], [["a<b", 1]])
    assert '<th scope="col">system</th>' in table._repr_html_()
    assert '<th scope="row">a&lt;b</th><td>1</td>' in table._repr_html_()
    assert repr(table) == "system  n\na<b     1"


def test_a_guess_is_kept_and_compared():
    widgets.predict("rules", "How many in a hundred?", unit="%")
    field, _, message = widgets.predictor("rules").children
    field.value = "30 %"
    assert widgets.guesses == {"rules": 30}
    assert "Your guess is kept: 30%." in message.value
    assert widgets.compare("rules", 24) == "You guessed 30%; measured: 24%. Your guess was 6 points too high."
    assert widgets.compare("rules", 31) == "You guessed 30%; measured: 31%. Your guess was 1 point too low."
    assert widgets.compare("rules", 30.0) == "You guessed 30%; measured: 30%. Your guess was right."
    assert widgets.compare("rules", 24, "worked out").startswith("You guessed 30%; worked out: 24%.")
    assert widgets.compare("none", 24, "worked out").endswith("run its cell first. Worked out: 24.")
    assert widgets.predictor("rules").children[0].value == "30"


@pytest.mark.parametrize("typed", ["many", "-1", "101", "nan", "1e999", "１２x", "12%%"])
def test_a_guess_that_is_no_number_in_range_is_told_and_not_kept(typed):
    widgets.predict("rules", "How many in a hundred?", unit="%")
    field, sure, message = widgets.predictor("rules").children
    field.value = typed
    assert widgets.guesses == {}
    assert "type a number from 0 to 100" in message.value and 'role="alert"' in message.value
    assert sure.layout.display == "none"


def test_a_choice_is_kept_and_compared():
    widgets.predict("winner", "Which wins?", choices=["rules", "learned"])
    field, *_ = widgets.predictor("winner").children
    assert field.value is None
    field.value = "rules"
    assert widgets.compare("winner", "learned") == "You guessed rules; measured: learned. Your guess was wrong."
    assert widgets.compare("winner", "rules").endswith("Your guess was right.")


def test_choices_that_are_numbers_are_kept_as_text(own_file):
    for _ in range(2):
        widgets.predict("delay", "At which delay?", choices=[32, 64])
        widgets.predictor("delay").children[0].value = "64"
        assert predictions.find(widgets.questions["delay"].prediction("delay")).notice == ""
        restart_the_kernel()
    widgets.predict("delay", "At which delay?", choices=[32, 64])
    assert widgets.compare("delay", 64) == "You guessed 64; measured: 64. Your guess was right."


def test_cells_out_of_order_and_no_guess_get_a_clear_sentence():
    assert "has not been asked yet: run its cell first. Measured: 24." in widgets.compare("rules", 24)
    widgets.predict("rules", "How many in a hundred?", unit="%")
    assert repr(widgets.compare("rules", 24)) == "You made no guess; measured: 24%."


def test_a_question_reads_without_a_kernel(outputs):
    widgets.predict("winner", "Is 1 < 2?", choices=["yes", "no"])
    (question, _), (field, _) = outputs
    assert question["text/plain"] == "Predict first. Is 1 < 2? (yes, no)"
    assert "Is 1 &lt; 2?" in question["text/html"]
    assert "on paper" in field["text/plain"]


def test_there_is_one_more_control_once_there_is_a_guess():
    widgets.predict("rules", "How many in a hundred?", unit="%")
    field, sure, message = widgets.predictor("rules").children
    assert message.value == "<small>Decide on a guess, or write it on paper.</small>"
    assert sure.layout.display == "none"
    field.value = "30"
    assert sure.layout.display == ""
    assert sure.description == "How sure are you that it lies from 20% to 40%?"
    assert sure.value is None
    sure.value = 75
    assert "30%. You are 75% sure that it lies from 20% to 40%." in message.value
    field.value = "95"
    assert "95%. You are 75% sure that it lies from 85% to 100%." in message.value
    assert widgets.compare("rules", 24).endswith("You were 75% sure that it lies from 85% to 100%: it does not.")
    assert widgets.compare("rules", 85).endswith("You were 75% sure that it lies from 85% to 100%: it does.")


def test_a_choice_is_given_a_confidence_no_lower_than_a_blind_picks():
    widgets.predict("winner", "Which wins?", choices=["rules", "learned", "neither"])
    field, sure, _ = widgets.predictor("winner").children
    field.value = "rules"
    assert sure.description == "How sure are you that it is right?"
    assert [level for _, level in sure.options] == [33, 50, 75, 90, 99]
    sure.value = 33
    assert widgets.compare("winner", "rules").endswith("Your guess was right. You were 33% sure.")


@pytest.mark.parametrize(
    ("question", "guess", "limits"),
    [
        ({"unit": "%"}, 5, (0, 15)),
        ({"low": 1, "high": 20}, 3, (1.1, 4.9)),
        ({"low": 1990, "high": 2030}, 2006, (2002, 2010)),
        ({"low": -200, "high": 200}, 0, (-40, 40)),
        ({"high": 1000}, 600, (300, 1000)),
        ({"high": 1000}, 0, (0, 0)),
        ({"low": 30, "high": 100_000}, 40, (30, 80)),
        ({"choices": ("yes", "no")}, "yes", None),
    ],
)
def test_what_a_confidence_is_about(question, guess, limits):
    assert widgets.Question("How many?", **question).near(guess) == limits


def test_guess_confidence_and_number_are_found_again_after_a_restart(own_file):
    widgets.predict("rules", "How many in a hundred?", unit="%")
    field, sure, _ = widgets.predictor("rules").children
    field.value, sure.value = "30", 75
    restart_the_kernel()
    widgets.predict("rules", "How many in a hundred?", unit="%")
    field, sure, message = widgets.predictor("rules").children
    assert (field.value, sure.value, field.disabled) == ("30", 75, False)
    assert widgets.guesses == {"rules": 30}
    assert "You guessed 30%; measured: 24%." in widgets.compare("rules", 24)
    restart_the_kernel()
    widgets.predict("rules", "How many in a hundred?", unit="%")
    field, sure, message = widgets.predictor("rules").children
    assert (field.value, sure.value, field.disabled, sure.disabled) == ("30", 75, True, True)
    assert "The number has been shown since, so it stays." in message.value


def test_a_guess_after_the_number_was_shown_does_not_replace_the_one_before():
    widgets.predict("rules", "How many in a hundred?", unit="%")
    field, sure, message = widgets.predictor("rules").children
    field.value, sure.value = "30", 75
    widgets.compare("rules", 24)
    field.value = "24"
    assert (field.value, sure.value, field.disabled) == ("30", 75, True)
    assert "30%. You are 75% sure" in message.value and "so it stays" in message.value
    assert widgets.guesses == {"rules": 30}
    assert widgets.compare("rules", 24).startswith("You guessed 30%")


def test_a_late_guess_is_compared_and_not_counted():
    widgets.predict("rules", "How many in a hundred?", unit="%")
    field, sure, message = widgets.predictor("rules").children
    widgets.compare("rules", 24)
    field.value = "30"
    assert "30%. The number had been shown before, so it is not counted." in message.value
    assert sure.layout.display == "none"
    assert widgets.compare("rules", 24) == "You guessed 30%; measured: 24%. Your guess was 6 points too high."
    assert predictions.scored() == []
    widgets.predict("rules", "How many in a hundred?", unit="%")


def test_what_is_stored_of_a_question_does_not_depend_on_guesses(own_file, outputs):
    for _ in range(2):
        widgets.predict("rules", "How many in a hundred?", unit="%")
        widgets.predictor("rules").children[0].value = "30"
        restart_the_kernel()
    without, with_guess = outputs[:2], outputs[2:]
    assert without[0] == with_guess[0]
    assert without[1][0]["text/plain"] == with_guess[1][0]["text/plain"]


def test_a_damaged_file_is_told_beneath_the_question_and_the_lesson_goes_on(own_file):
    own_file.parent.mkdir()
    own_file.write_text("{")
    widgets.predict("rules", "How many in a hundred?", unit="%")
    own_file.write_text("{ {")
    field, _, message = widgets.predictor("rules").children
    assert 'role="alert"' in message.value and "It is set aside, whole, as" in message.value
    field.value = "30"
    assert widgets.compare("rules", 24).startswith("You guessed 30%; measured: 24%.")


def test_a_file_that_cannot_be_written_is_told_with_each_guess_and_once_with_the_numbers(own_file):
    own_file.parent.write_text("a file where the folder should be")
    widgets.predict("rules", "How many in a hundred?", unit="%")
    field, _, message = widgets.predictor("rules").children
    for typed in ("30", "31"):
        field.value = typed
        assert f"kept: {typed}%" in message.value and "in this notebook only" in message.value
    assert "Your guess was 7 points too high. Your predictions are kept in this notebook" in widgets.compare(
        "rules", 24
    )
    assert widgets.compare("rules", 24) == "You guessed 31%; measured: 24%. Your guess was 7 points too high."


def test_a_map_that_cannot_be_read_does_not_stop_a_lesson(own_file, monkeypatch):
    def unreadable(question):
        raise ValueError("course.toml is not well-formed")

    monkeypatch.setattr(widgets.course, "lesson_asking", unreadable)
    widgets.predict("rules", "How many in a hundred?", unit="%")
    assert widgets.questions["rules"].lesson == ""


def test_predictions_are_carried_by_two_buttons(own_file, tmp_path, monkeypatch, outputs):
    monkeypatch.chdir(tmp_path)
    widgets.predict("rules", "How many in a hundred?", unit="%")
    widgets.predictor("rules").children[0].value = "30"
    buttons, message = widgets.carrier().children
    write, bring = buttons.children
    write.click()
    assert "1 prediction in my_predictions.json." in message.value
    own_file.unlink()
    uploaded = {"name": "my.json", "type": "", "size": 9, "last_modified": datetime.now(UTC)}
    bring.value = [{**uploaded, "content": memoryview((tmp_path / "my_predictions.json").read_bytes())}]
    assert "1 prediction read: 1 new here" in message.value
    assert bring.value == ()
    assert [one.guess for one in predictions.everything()] == [30]
    bring.value = [{**uploaded, "content": memoryview(b"\x00")}]
    assert "Nothing came in" in message.value
    widgets.carry_predictions()
    assert "Run this cell in JupyterLab" in outputs[-1][0]["text/plain"]


def test_a_quiz_reads_without_a_kernel_and_comes_before_its_fields(outputs):
    widgets.quiz("3.1")
    (static, _), (fields, _) = outputs
    assert static["text/html"].count("<summary>") == sum(len(one.choices) for one in quizzes.read("3.1").questions)
    assert widgets.WIDGET_VIEW in fields and "run this cell in JupyterLab" in fields["text/plain"]


def test_each_choice_of_a_quiz_is_explained_and_the_first_one_counts():
    form = widgets.QuizForm(quizzes.read("3.1"))
    for place, question in enumerate(form.asked.questions):
        wrong = 0 if question.right else 1
        for chosen in (wrong, question.right):
            form.fields[place].value = chosen
            choice = question.choices[chosen]
            assert html.escape(choice.why) in form.reasons[place].value
            assert ("<strong>Right.</strong>" in form.reasons[place].value) == choice.right
    assert "5 of 5 answered, 0 right at the first choice" in form.message.value


def test_right_first_choices_of_a_quiz_are_counted():
    form = widgets.QuizForm(quizzes.read("3.1"))
    form.fields[0].value = form.asked.questions[0].right
    form.fields[1].value = (form.asked.questions[1].right + 1) % 3
    form.fields[0].value = (form.asked.questions[0].right + 1) % 3
    assert "2 of 5 answered, 1 right at the first choice" in form.message.value


def test_a_quiz_that_is_not_there_is_told(outputs):
    with pytest.raises(ValueError, match=r"Lesson 9\.7 has no exit quiz\. These have one: 1\.1, "):
        widgets.quiz("9.7")
    assert outputs == []


def test_progress_passes_every_step_on_and_ends_full(outputs):
    assert list(widgets.progress("abc", "letters")) == ["a", "b", "c"]
    assert outputs[0][0]["text/plain"] == "letters: 3 steps."
    assert list(widgets.progress(iter("ab"), "letters", total=2)) == ["a", "b"]


LESSON = [
    "from helpers import figures, widgets\nfigures.use_style()",
    "def line(height=2):\n"
    "    return figures.recorded(figures.axes(), [0, 1], [0, height], 'rules'), f'Up to {height}.'",
    "widgets.predict('height', 'How high?', unit='m')",
    "figures.show(*line())",
    "widgets.explore(line, height=(1, 4))",
    "widgets.explore(lambda word: widgets.Table(['word'], [[word]]), word='cough')",
    "for _ in widgets.progress(range(3), 'three'): pass",
    "widgets.quiz('3.1')",
    "widgets.compare('height', 2)",
]


def executed() -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in LESSON])
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    return NotebookClient(notebook, timeout=60, kernel_name="python3", record_timing=False).execute()


def with_ids_in_order(notebook: nbformat.NotebookNode) -> str:
    """Outputs first, then each widget they name, then each widget that those name: ids become numbers in this order."""
    stored = json.loads(nbformat.writes(notebook))
    state = stored["metadata"].pop("widgets")["application/vnd.jupyter.widget-state+json"]["state"]
    told = json.dumps(stored, sort_keys=True)
    ids = list(dict.fromkeys(re.findall(r"\b[0-9a-f]{32}\b", told)))
    for name in ids:
        model = json.dumps(state[name], sort_keys=True)
        told += model
        ids += [found for found in dict.fromkeys(re.findall(r"[0-9a-f]{32}", model)) if found not in ids]
    assert set(ids) == set(state), "a stored widget that no output leads to has no place in the order"
    for number, name in enumerate(ids):
        told = told.replace(name, f"id-{number}")
    return told


def test_a_notebook_of_widgets_stores_the_same_each_time():
    first, second = executed(), executed()
    assert with_ids_in_order(first) == with_ids_in_order(second)
    outputs = [output for cell in first.cells for output in cell.get("outputs", [])]
    assert {output.output_type for output in outputs} == {"display_data", "execute_result"}
    assert outputs[-1].data["text/plain"] == "You made no guess; measured: 2 m."
    assert sum("image/png" in output.data for output in outputs) == 2
