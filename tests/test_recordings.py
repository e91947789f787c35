"""Recordings: no interruption loses a point, and every stored file is what its lesson asks for."""

import importlib.util
import platform
import random
import signal
import subprocess
import sys
import time

import pytest

from helpers import course, recordings
from helpers.environment import Fault
from helpers.recordings import Table

SLOW_TABLE = """
import sys, time
from pathlib import Path
from helpers.recordings import Table, complete

def measure(system, words, seed):
    time.sleep(0.02)
    return {"error": words / 7 + seed, "checked": words + seed}

systems, sizes = ("rules", "attention"), (30, 100, 300)
points = [{"system": s, "words": n, "seed": i} for s in systems for n in sizes for i in range(5)]
complete(Table("9_1_slow", points, measure), "python3 -m helpers record 9.1", Path(sys.argv[1]))
"""


def measure_square(number):
    return {"square": number**2, "half": number / 2}


def squares(count: int, measure=measure_square) -> Table:
    return Table("9_1_squares", [{"number": number} for number in range(count)], measure)


def lines_without_date(path):
    return [line for line in path.read_text().splitlines() if not line.startswith("# Date")]


def rows_of(path) -> int:
    return sum(not line.startswith("#") for line in path.read_text().splitlines()) - 1 if path.exists() else 0


def test_a_recording_is_read_as_it_was_measured(tmp_path):
    recordings.complete(squares(3), "the command", tmp_path)
    assert recordings.read("9_1_squares", tmp_path) == [
        {"number": 0, "square": 0, "half": 0.0},
        {"number": 1, "square": 1, "half": 0.5},
        {"number": 2, "square": 4, "half": 1.0},
    ]


def test_rows_of_digits_stay_rows_of_digits(tmp_path):
    table = Table(
        "9_1_digits", [{"word": word} for word in ("a", "b")], lambda word: {"repairs": "0" * (word == "a") + "12"}
    )
    recordings.complete(table, "the command", tmp_path)
    assert [row["repairs"] for row in recordings.read("9_1_digits", tmp_path)] == ["012", "12"]


def test_several_points_at_once_give_the_same_file(tmp_path):
    recordings.complete(squares(7), "the command", tmp_path / "one")
    recordings.complete(squares(7)._replace(at_once=2), "the command", tmp_path / "two")
    one, two = (tmp_path / folder / "9_1_squares.csv" for folder in ("one", "two"))
    assert one.read_text() == two.read_text()


def test_words_that_look_like_numbers_stay_words(tmp_path):
    table = Table("9_1_words", [{"word": word} for word in ("nan", "inf", "one")], lambda word: {"letters": len(word)})
    recordings.complete(table, "the command", tmp_path)
    assert [row["word"] for row in recordings.read("9_1_words", tmp_path)] == ["nan", "inf", "one"]


def test_the_file_says_where_it_comes_from(tmp_path):
    table = Table("9_1_timed", [{"n": 1}], lambda n: {"error": 0.5, "seconds": 2.5}, timed=("seconds",))
    recordings.complete(table, "python3 -m helpers record 9.1", tmp_path)
    header = "\n".join(line for line in (tmp_path / "9_1_timed.csv").read_text().splitlines() if line.startswith("#"))
    for part in ("helpers record 9.1", "# Commit: ", "cores", "jax 0.", "numpy ", "# Date: 20", "speed: seconds"):
        assert part in header
    assert platform.node() not in header


def test_killed_at_any_moment_and_resumed_it_is_the_same_file(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    command = [sys.executable, "-c", SLOW_TABLE]
    subprocess.run([*command, whole], check=True, capture_output=True)
    path, choose, kills = broken / "9_1_slow.csv", random.Random(0), 0
    for target in (1, 8, 20):
        process = subprocess.Popen([*command, broken], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while rows_of(path) < target and process.poll() is None:
            time.sleep(0.005)
        time.sleep(choose.uniform(0, 0.04))
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        assert recordings.read("9_1_slow", broken)[target - 1]
    assert kills == 3
    subprocess.run([*command, broken], check=True, capture_output=True)
    assert lines_without_date(path) == lines_without_date(whole / "9_1_slow.csv")
    assert [file.name for file in broken.iterdir()] == ["9_1_slow.csv"]


def test_points_already_there_are_not_measured_again(tmp_path):
    asked = []

    def measure(number):
        asked.append(number)
        return measure_square(number)

    recordings.complete(squares(3, measure), "the command", tmp_path)
    recordings.complete(squares(5, measure), "the command", tmp_path)
    recordings.complete(squares(5, measure), "the command", tmp_path)
    assert asked == [0, 1, 2, 3, 4]


def test_points_no_longer_asked_for_are_dropped_and_new_ones_stand_in_their_place(tmp_path):
    recordings.complete(squares(5), "the command", tmp_path)
    wanted = Table("9_1_squares", [{"number": number} for number in (1, 9, 3)], measure_square)
    recordings.complete(wanted, "the command", tmp_path)
    assert [row["number"] for row in recordings.read("9_1_squares", tmp_path)] == [1, 9, 3]
    recordings.complete(squares(2), "the command", tmp_path)
    recordings.complete(squares(1), "the command", tmp_path)
    assert [row["number"] for row in recordings.read("9_1_squares", tmp_path)] == [0]


def test_a_file_continued_by_another_command_says_so(tmp_path):
    recordings.complete(squares(1), "the command", tmp_path)
    recordings.complete(squares(2), "another command", tmp_path)
    text = (tmp_path / "9_1_squares.csv").read_text()
    assert "# Recorded by: the command" in text
    assert "# Continued: Date: 20" in text
    assert "# Recorded by: another command" in text


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "is missing"),
        (b"", "has no rows"),
        (b"# a header\nn,error\n", "has no rows"),
        (b"n,error\n1,0.5\n2\n", "row 2 has 1 values"),
        (b"n,error\n<<<<<<< HEAD\n1,0.5\n", "row 1 has 1 values"),
        (b"\xff\xfe\x00n", "is not text"),
    ],
)
def test_a_missing_or_damaged_file_names_the_remedy(tmp_path, content, what):
    if content is not None:
        (tmp_path / "3_1_curves.csv").write_bytes(content)
    with pytest.raises(Fault) as fault:
        recordings.read("3_1_curves", tmp_path)
    assert what in fault.value.what
    assert "data/recorded/3_1_curves.csv" in fault.value.what
    assert "python3 -m helpers record 3.1" in fault.value.remedy


def test_a_lesson_without_recordings_says_so():
    with pytest.raises(Fault, match="Lesson 0 shows no recordings"):
        recordings.record(course.lessons()[0])


def modules() -> list[str]:
    names = [f"helpers.recordings.{lesson.module}" for lesson in course.lessons()]
    return [name for name in names if importlib.util.find_spec(name)]


@pytest.mark.parametrize("module", modules())
def test_every_stored_recording_holds_the_points_that_its_lesson_asks_for(module):
    for table in importlib.import_module(module).TABLES:
        rows = recordings.read(table.name)
        assert [{key: row[key] for key in table.points[0]} for row in rows] == table.points
        assert set(table.timed) <= set(rows[0])


def test_every_stored_recording_belongs_to_a_lesson():
    tables = [table.name for module in modules() for table in importlib.import_module(module).TABLES]
    assert sorted(path.stem for path in recordings.FOLDER.glob("*.csv")) == sorted(tables)
