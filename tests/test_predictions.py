"""The learner's file of predictions: what is in it, and that nothing in it is lost, whatever happens to it."""

import errno
import html
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from helpers import course, notebooks, predictions
from helpers.course import Lesson
from helpers.environment import ROOT
from helpers.predictions import Prediction

ASKED = Prediction("rules", "How many in a hundred?", "%", lesson="3.1")
CHOICE = Prediction("winner", "Which wins?", choices=("rules", "learned"))
EARLY, LATE, LATER = (f"2026-11-22T09:0{minute}:00.000Z" for minute in (1, 2, 3))


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """Where the learner's file will be: neither it nor its folder is there yet."""
    path = tmp_path / "own" / "predictions.json"
    monkeypatch.setenv(predictions.VARIABLE, str(path))
    monkeypatch.setattr(predictions, "_unsaved", {})
    return path


def restart_the_kernel():
    predictions._unsaved.clear()


def entries(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["predictions"]


def full_disk(monkeypatch):
    def fsync(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(predictions.os, "fsync", fsync)


# What is kept


def test_a_prediction_is_kept_in_words_that_a_person_can_read(file):
    predictions.guess(ASKED, 30, near=(20, 40), confidence=75)
    predictions.reveal(ASKED, 24)
    assert '"question": "How many in a hundred?"' in file.read_text(encoding="utf-8")
    (entry,) = entries(file)
    assert (entry["lesson"], entry["name"], entry["unit"]) == ("3.1", "rules", "%")
    assert (entry["guess"], entry["near"], entry["confidence"], entry["measured"]) == (30, [20, 40], 75, 24)
    assert entry["guessed"] <= entry["revealed"]
    (kept,) = predictions.everything()
    assert kept.in_time and kept.right


def test_a_second_guess_replaces_the_first_until_the_number_is_shown(file):
    predictions.guess(ASKED, 30)
    predictions.guess(ASKED, 40, confidence=90)
    predictions.reveal(ASKED, 24)
    with pytest.raises(predictions.TooLate, match="your guess from before stays"):
        predictions.guess(ASKED, 24)
    assert [(entry["guess"], entry["confidence"]) for entry in entries(file)] == [(40, 90)]


def test_a_guess_after_the_number_is_kept_and_is_not_in_time(file):
    predictions.reveal(ASKED, 24)
    for late in (24, 25):
        kept, notice = predictions.guess(ASKED, late, near=(14, 34), confidence=99)
        assert (kept.guess, kept.in_time, notice) == (late, False, "")
    assert predictions.scored() == []


def test_the_first_number_shown_is_the_one_that_counts(file):
    predictions.guess(ASKED, 30)
    for measured in (24, 99):
        predictions.reveal(ASKED, measured)
    assert predictions.find(ASKED).prediction.measured == 24


def test_a_clock_that_is_set_back_changes_no_order(file, monkeypatch):
    predictions.guess(ASKED, 30)
    monkeypatch.setattr(predictions, "datetime", YearAgo)
    assert predictions.reveal(ASKED, 24).prediction.in_time
    predictions.reveal(CHOICE, "rules")
    monkeypatch.setattr(predictions, "datetime", TwoYearsAgo)
    assert not predictions.guess(CHOICE, "rules").prediction.in_time


class YearAgo(predictions.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2025, 1, 1, tzinfo=tz)


class TwoYearsAgo(YearAgo):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 1, 1, tzinfo=tz)


def test_other_words_another_unit_or_other_choices_are_another_question(file):
    for asked in (ASKED, replace(ASKED, question="How few?"), replace(ASKED, unit="x"), replace(CHOICE, name="rules")):
        assert predictions.find(asked).prediction.guess is None
        predictions.guess(asked, "rules" if asked.choices else 30)
    assert len(entries(file)) == 4
    predictions.guess(replace(ASKED, lesson=""), 31)  # the same question in a copy of the lesson
    assert [entry["lesson"] for entry in entries(file) if entry["guess"] == 31] == ["3.1"]


@pytest.mark.parametrize(
    ("measured", "kept"),
    [(24, 24), (24.0, 24), (0.5, 0.5), (True, 1), (float("nan"), None), ([1, 2], None), ("a", None)],
)
def test_a_number_is_kept_plain_and_what_is_no_number_is_not_kept(file, measured, kept):
    predictions.reveal(ASKED, measured)
    assert predictions.find(ASKED).prediction.measured == kept
    restart_the_kernel()
    assert predictions.find(ASKED) == (predictions.find(ASKED).prediction, "")


def test_numbers_of_numpy_and_jax_are_kept(file):
    import jax.numpy as jnp
    import numpy as np

    for name, measured in {"a": np.float32(0.5), "b": np.int64(3), "c": jnp.asarray(2.0), "d": np.str_("x")}.items():
        predictions.reveal(replace(CHOICE if name == "d" else ASKED, name=name), measured)
    assert [entry["measured"] for entry in entries(file)] == [0.5, 3, 2, "x"]


def test_a_score_and_its_figure_can_be_worked_out_from_what_is_kept(file):
    guesses = [(30, (20, 40), 75, 24), (30, (20, 40), 75, 41), (3, (1.5, 6), 99, 6), (5, (2.5, 10), None, 5)]
    for number, (guess, near, confidence, measured) in enumerate(guesses):
        asked = replace(ASKED, name=f"number {number}")
        predictions.guess(asked, guess, near, confidence)
        predictions.reveal(asked, measured)
    predictions.guess(CHOICE, "rules", confidence=50)
    predictions.reveal(CHOICE, "learned")
    predictions.guess(replace(CHOICE, name="open"), "rules", confidence=99)
    made = predictions.scored()
    assert [(one.confidence, one.right) for one in made] == [(75, True), (75, False), (99, True), (50, False)]
    brier = sum((one.confidence / 100 - one.right) ** 2 for one in made) / len(made)
    assert brier == pytest.approx((0.25**2 + 0.75**2 + 0.01**2 + 0.5**2) / 4)


# Where it is kept, and where nothing is


def test_the_place_is_the_systems_own_or_the_one_told(monkeypatch, tmp_path):
    monkeypatch.delenv(predictions.VARIABLE)
    assert predictions.place().parts[-2:] == ("talks-you-can-run", "predictions.json")
    for told, place in [
        ("mine.json", ROOT / "mine.json"),
        (str(tmp_path), tmp_path / "predictions.json"),
        ("OFF", None),
    ]:
        monkeypatch.setenv(predictions.VARIABLE, told)
        assert predictions.place() == (place and Path(os.path.realpath(place)))


def test_a_test_reads_and_writes_nobodys_predictions():
    assert predictions.place() is None  # conftest.py sees to it, for nbval's kernels as well


def test_a_lesson_run_by_a_command_reads_and_writes_nobodys_predictions(file, tmp_path):
    asked = Prediction("rules", "How many in a hundred?", "%")
    predictions.guess(asked, 30)
    before = file.read_bytes()
    source = "from helpers import widgets\nwidgets.predict('rules', 'How many in a hundred?', unit='%')"
    cells = [new_code_cell(source), new_code_cell("widgets.compare('rules', 24)")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "1_tiny.ipynb")
    lesson = Lesson("9.1", str(tmp_path / "1_tiny.ipynb"), "Tiny", "Does it run?", (), 1)
    executed = notebooks.execute(lesson).notebook
    assert executed.cells[1].outputs[0].data["text/plain"] == "You made no guess; measured: 24%."
    assert file.read_bytes() == before


def questions_stored(lesson: Lesson) -> list[str]:
    cells = nbformat.read(lesson.path, as_version=4).cells
    shown = [output.get("data", {}).get("text/html", "") for cell in cells for output in cell.get("outputs", [])]
    found = [re.fullmatch(r"<p><strong>Predict first\.</strong> (.*)</p>", text, re.DOTALL) for text in shown]
    return [html.unescape(one[1]) for one in found if one]


@pytest.mark.parametrize("lesson", [pytest.param(lesson, id=lesson.number) for lesson in course.lessons()])
def test_each_question_of_the_course_leads_to_its_lesson(lesson):
    asked = questions_stored(lesson)
    assert asked or "." not in lesson.number
    assert {question: course.lesson_asking(question) for question in asked} == dict.fromkeys(asked, lesson.number)


def test_a_question_of_no_lesson_leads_to_none():
    assert course.lesson_asking("How many angels?") == ""


# What can happen to the file


DAMAGED = [
    b"",
    b"{",
    b'{"version": 1, "predictions": [{"name": "ru',
    b"\xff\xfe\x00",
    b"[]",
    b'"predictions"',
    b'{"version": 1}',
    b'{"version": 1, "predictions": {}}',
    b'{"version": "new", "predictions": []}',
    b"[" * 100_000,
    b'{"version": 1, "predictions": [' + b"9" * 5000 + b"]}",
]


@pytest.mark.parametrize("damaged", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_set_aside_whole_and_the_lesson_goes_on(file, damaged):
    file.parent.mkdir()
    file.write_bytes(damaged)
    kept, notice = predictions.guess(ASKED, 30)
    assert kept.guess == 30
    (aside,) = file.parent.glob("predictions-damaged-20*.json")
    assert aside.read_bytes() == damaged
    assert f"set aside, whole, as {aside}" in notice
    assert [entry["guess"] for entry in entries(file)] == [30]
    assert predictions.guess(ASKED, 31).notice == ""


WRONG = [
    {"guess": "thirty"},
    {"guess": True},
    {"guess": None},
    {"guessed": "yesterday"},
    {"guessed": "2026-1-2T09:00:00.0Z"},
    {"guessed": None},
    {"guessed": 20261122},
    {"guess": float("inf")},
    {"guess": 10**400},
    {"measured": 24},
    {"near": [1]},
    {"near": ["a", "b"]},
    {"confidence": 101},
    {"confidence": 7.5},
    {"confidence": True},
    {"choices": "yes"},
    {"choices": [1]},
    {"name": 1},
    {"question": 3},
    {"lesson": None},
    {"more": 1},
]


@pytest.mark.parametrize("wrong", WRONG, ids=map(str, WRONG))
def test_one_wrong_entry_does_not_cost_the_others(file, wrong):
    for name in ("a", "b"):
        predictions.guess(replace(ASKED, name=name), 30)
    table = json.loads(file.read_text())
    table["predictions"][0] |= wrong
    file.write_text(json.dumps(table))
    restart_the_kernel()
    damaged = file.read_bytes()
    known, notice = predictions.find(replace(ASKED, name="b"))
    assert known.guess == 30
    assert "1 prediction in it could be read, and go" in notice
    assert [aside.read_bytes() for aside in file.parent.glob("*-damaged-*")] == [damaged]
    assert [entry["name"] for entry in entries(file)] == ["b"]


@pytest.mark.parametrize("entry", [None, [], "text", 3])
def test_an_entry_that_is_no_table_is_left_out(file, entry):
    made, wrong = predictions._read(json.dumps({"version": 1, "predictions": [entry]}).encode())
    assert (made, wrong) == ([], 1)


def test_the_same_damage_is_set_aside_once_even_where_it_cannot_be_mended(file, monkeypatch):
    file.parent.mkdir()
    file.write_text("{")
    with monkeypatch.context() as disk:
        full_disk(disk)
        for guess in (30, 31):
            assert "in this notebook only" in predictions.guess(ASKED, guess).notice
    assert file.read_text() == "{"
    assert len(list(file.parent.glob("*-damaged-*"))) == 1
    predictions.find(ASKED)
    assert [entry["guess"] for entry in entries(file)] == [31]


def test_a_file_of_a_later_version_is_left_as_it_is(file, tmp_path):
    file.parent.mkdir()
    file.write_text('{"version": 2, "predictions": "in a new form"}')
    kept, notice = predictions.guess(ASKED, 30)
    assert "a later version of the course has written the file" in notice
    assert "in this notebook only" in notice
    assert predictions.find(ASKED).prediction == kept
    assert "1 prediction in" in predictions.export_to(tmp_path / "out.json")
    assert entries(tmp_path / "out.json")[0]["guess"] == 30
    assert file.read_text() == '{"version": 2, "predictions": "in a new form"}'
    assert "a later version" in predictions.import_from(file)


def test_where_nothing_can_be_written_predictions_stay_in_memory_and_are_written_as_soon_as_it_can_be(file):
    file.parent.write_text("a file where the folder should be")
    kept, notice = predictions.guess(ASKED, 30)
    assert "in this notebook only" in notice and str(file) in notice
    assert predictions.reveal(ASKED, 24).prediction == replace(kept, measured=24, revealed=anything)
    with pytest.raises(predictions.TooLate):
        predictions.guess(ASKED, 24)
    with pytest.warns(UserWarning, match="in this notebook only"):
        assert len(predictions.everything()) == 1
    file.parent.unlink()
    assert predictions.find(ASKED).notice == ""
    assert [(entry["guess"], entry["measured"]) for entry in entries(file)] == [(30, 24)]


class Anything(str):
    def __eq__(self, _):
        return True

    __hash__ = str.__hash__


anything = Anything()


def test_a_full_disk_leaves_the_old_file_and_the_last_guess_is_not_forgotten(file, monkeypatch):
    predictions.guess(ASKED, 30)
    before = file.read_bytes()
    with monkeypatch.context() as disk:
        full_disk(disk)
        kept, notice = predictions.guess(ASKED, 40)
        assert kept.guess == 40 and "No space left on device" in notice
        assert predictions.find(ASKED).prediction.guess == 40
        assert file.read_bytes() == before
        assert not list(file.parent.glob("*.part"))
        assert "Nothing was written: No space left" in predictions.export_to(file.parent / "out.json")
        assert not (file.parent / "out.json").exists()
    predictions.guess(CHOICE, "rules")
    assert [entry["guess"] for entry in entries(file)] == [40, "rules"]


def test_what_waited_in_memory_gives_way_to_a_number_that_another_notebook_has_shown(file, monkeypatch):
    predictions.guess(ASKED, 30)
    with monkeypatch.context() as disk:
        full_disk(disk)
        waiting = predictions.guess(ASKED, 40).prediction
    restart_the_kernel()
    predictions.reveal(ASKED, 24)
    predictions._unsaved[ASKED.key] = waiting
    assert predictions.find(ASKED).prediction.guess == 30
    assert entries(file)[0]["measured"] == 24


def test_a_device_is_neither_read_nor_replaced(file):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    file.parent.mkdir()
    os.mkfifo(file)
    assert "is not a file" in predictions.guess(ASKED, 30).notice
    assert "is not a file" in predictions.import_from(file)
    assert file.is_fifo()


def python(code: str, file: Path, *arguments: str) -> subprocess.Popen:
    """Another notebook's kernel, played by a process."""
    command = [sys.executable, "-c", "from helpers import predictions\n" + code, *arguments]
    environment = {**os.environ, predictions.VARIABLE: str(file)}
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)


MANY_GUESSES = """
import sys
for number in range(20):
    asked = predictions.Prediction(f"{sys.argv[1]} {number}", "How many?")
    assert predictions.guess(asked, number).notice == ""
    predictions.reveal(predictions.Prediction(f"shared {number}", "How many?"), 1)
"""


def test_notebooks_that_write_at_once_lose_nothing(file):
    writers = [python(MANY_GUESSES, file, name) for name in "abc"]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    kept = {one.name: one.guess for one in predictions.everything()}
    assert kept == {f"{name} {n}": n for name in "abc" for n in range(20)} | {f"shared {n}": None for n in range(20)}


def test_a_notebook_that_is_killed_while_it_writes_leaves_the_old_file_and_no_lock(file):
    predictions.guess(ASKED, 30)
    before = file.read_bytes()
    hang = "import os, time\ndef hang(*_):\n    print('writing', flush=True)\n    time.sleep(60)\nos.replace = hang\n"
    writer = python(hang + "predictions.guess(predictions.Prediction('x', 'How many?'), 1)", file)
    assert writer.stdout.readline() == "writing\n"
    assert file.with_suffix(".part").exists()
    writer.kill()
    writer.wait()
    writer.stdout.close()
    assert file.read_bytes() == before
    start = time.monotonic()
    assert predictions.guess(CHOICE, "rules").notice == ""
    assert time.monotonic() - start < predictions.PATIENCE
    assert [entry["guess"] for entry in entries(file)] == [30, "rules"]


def test_a_notebook_that_never_lets_go_of_the_file_stops_no_other(file, monkeypatch):
    predictions.guess(ASKED, 30)
    hold = "import time\nwith predictions._locked(predictions.place()):\n    print('held', flush=True)\n"
    hold += "    time.sleep(60)"
    holder = python(hold, file)
    assert holder.stdout.readline() == "held\n"
    monkeypatch.setattr(predictions, "PATIENCE", 0.1)
    kept, notice = predictions.guess(CHOICE, "rules")
    assert "another notebook has held the file for 0.1 seconds" in notice
    assert predictions.find(ASKED).prediction.guess == 30
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert predictions.find(CHOICE) == (kept, "")
    assert len(entries(file)) == 2


# Taking it along


def test_predictions_travel_in_one_file(file, tmp_path):
    predictions.guess(ASKED, 30, near=(20, 40), confidence=75)
    predictions.reveal(ASKED, 24)
    predictions.guess(CHOICE, "rules")
    made = predictions.everything()
    predictions.export_to(tmp_path / "taken.json")
    file.unlink()  # as Binder forgets
    said = predictions.import_from(tmp_path / "taken.json")
    assert said == "2 predictions read: 2 new here, 0 with an earlier guess or number than here, 0 as here already."
    assert predictions.everything() == made
    assert "0 new here, 0 with an earlier guess or number than here, 2 as here" in predictions.import_from(
        (tmp_path / "taken.json").read_bytes()
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows a user's folders by no variable")
def test_predictions_travel_from_one_home_to_another(tmp_path):
    guess = "predictions.guess(Prediction('a', 'How many?', lesson='3.1'), 30, near=(20, 40), confidence=75)"
    told = "print(predictions.everything())"
    first = in_the_home(tmp_path / "first", f"{guess}; predictions.export_to(); {told}")
    (taken,) = (tmp_path / "first").glob("my_predictions.json")
    assert in_the_home(tmp_path / "second", told) == "[]\n"
    bring = f"predictions.import_from({str(taken)!r})"
    assert in_the_home(tmp_path / "second", f"{bring}; {told}") == first
    assert in_the_home(tmp_path / "second", told) == first and "guess=30" in first


def in_the_home(home: Path, code: str) -> str:
    """What code says in a process of a machine with this home folder, where nothing tells of another file."""
    home.mkdir(exist_ok=True)
    places = ("HOME", "XDG_DATA_HOME")
    variables = {name: value for name, value in os.environ.items() if name not in (predictions.VARIABLE, *places)}
    variables |= {"HOME": str(home), "PYTHONPATH": str(ROOT)}
    code = f"from helpers import predictions; from helpers.predictions import Prediction; {code}"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=home, env=variables, capture_output=True, text=True, check=True).stdout


def test_an_export_is_put_beside_the_notebook_and_overwrites_nothing(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "nothing to write yet" in predictions.export_to()
    predictions.guess(ASKED, 30)
    said = predictions.export_to()
    assert said.startswith("1 prediction in my_predictions.json. It is in this notebook's folder: right-click")
    assert repr(said) == said
    assert "my_predictions_2.json" in predictions.export_to()
    predictions.guess(CHOICE, "rules")
    assert "my_predictions_3.json" in predictions.export_to()
    counts = [len(entries(path)) for path in sorted(tmp_path.glob("my_predictions*.json"))]
    assert counts == [1, 1, 2]


def test_of_two_guesses_the_earlier_stays_and_the_number_that_was_shown_first(file, tmp_path):
    here = replace(ASKED, guess=30, guessed=LATE, measured=24, revealed=LATER)
    there = replace(ASKED, guess=10, confidence=50, guessed=EARLY, measured=99, revealed=LATE)
    file.parent.mkdir()
    file.write_text(predictions._told([here]))
    said = predictions.import_from(predictions._told([there, CHOICE]).encode())
    assert said.startswith("2 predictions read: 1 new here, 1 with an earlier guess or number")
    assert predictions.everything()[0] == there


def test_a_guess_made_after_the_number_was_seen_on_another_machine_is_not_in_time(file):
    file.parent.mkdir()
    file.write_text(predictions._told([replace(ASKED, guess=24, guessed=LATE)]))
    predictions.import_from(predictions._told([replace(ASKED, measured=24, revealed=EARLY)]).encode())
    assert not predictions.find(ASKED).prediction.in_time


@pytest.mark.parametrize("damaged", [*DAMAGED, b" " * 3_000_000], ids=range(len(DAMAGED) + 1))
def test_a_file_that_cannot_be_brought_in_changes_nothing(file, damaged):
    predictions.guess(ASKED, 30)
    before = file.read_bytes()
    said = predictions.import_from(damaged)
    assert said.startswith("Nothing came in: ") and said.endswith("Your own predictions are as they were.")
    assert file.read_bytes() == before
    assert not list(file.parent.glob("*-damaged-*"))


def test_a_file_that_is_not_there_is_told(file):
    assert "No such file" in predictions.import_from("nowhere.json")


def test_wrong_entries_of_a_file_stay_out(file):
    table = json.loads(predictions._told([replace(ASKED, guess=30, guessed=EARLY)]))
    table["predictions"].append({"guess": "<script>"})
    said = predictions.import_from(json.dumps(table).encode())
    assert said.startswith("1 prediction read: 1 new here") and "1 more in the file could not be read" in said


def test_to_begin_again_sets_the_file_aside(file):
    assert "begin" in predictions.begin_again()
    predictions.guess(ASKED, 30)
    before = file.read_bytes()
    said = predictions.begin_again()
    (aside,) = file.parent.glob("predictions-until-20*.json")
    assert str(aside) in said and aside.read_bytes() == before
    assert predictions.everything() == []
    predictions.import_from(aside)
    assert [one.guess for one in predictions.everything()] == [30]


def test_to_begin_again_loses_nothing_that_could_not_be_written_yet(file, monkeypatch):
    with monkeypatch.context() as disk:
        full_disk(disk)
        predictions.guess(ASKED, 30)
        assert "in this notebook only" in predictions.begin_again()
        assert predictions.find(ASKED).prediction.guess == 30
    predictions.begin_again()
    assert [entry["guess"] for entry in entries(next(file.parent.glob("predictions-until-*")))] == [30]


times = st.sampled_from([None, EARLY, LATE, LATER])
numbers = st.integers(-9, 9) | st.floats(-1e9, 1e9)


@st.composite
def made(draw) -> Prediction:
    """A prediction as a notebook may leave it, of one of two questions."""
    asked = replace(draw(st.sampled_from([ASKED, CHOICE])), lesson=draw(st.sampled_from(["", "3.1"])))
    answers = st.sampled_from(asked.choices) if asked.choices else numbers
    guessed, revealed = draw(times), draw(times)
    if guessed:
        near = None if asked.choices else (0.0, draw(st.floats(0, 9)))
        confidence = draw(st.sampled_from([None, *predictions.LEVELS]))
        asked = replace(asked, guess=draw(answers), near=near, confidence=confidence, guessed=guessed)
    return replace(asked, measured=draw(answers), revealed=revealed) if revealed else asked


@given(st.lists(made()))
def test_what_is_written_is_read_again(many):
    assert predictions._read(predictions._told(many).encode()) == (many, 0)


@given(st.lists(made()), st.lists(made()))
def test_merging_adds_up_and_repeating_it_changes_nothing(some, others):
    book: dict = {}
    predictions._merge(book, some)
    predictions._merge(book, others)
    once = dict(book)
    assert predictions._merge(book, others) == (0, 0)
    assert book == once
    for key, one in book.items():
        those = [each for each in some + others if each.key == key]
        assert one.guessed == min((each.guessed for each in those if each.guessed), default=None)
        assert one.revealed == min((each.revealed for each in those if each.revealed), default=None)
