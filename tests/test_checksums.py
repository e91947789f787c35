"""The files of data/: each has its checksum, and each that is missing or changed is told, with its remedy."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers import checksums, claims, course, data, glossary, hub, quizzes, recordings, teaching
from helpers.environment import Fault
from helpers.letter_to_sound import read_rules

FILES = [path for path in checksums.FOLDER.rglob("*") if path.suffix in (".csv", ".toml")]
NAMES = sorted(path.relative_to(checksums.FOLDER).as_posix() for path in FILES)
READERS = {
    "course.toml": course.read,
    "teaching.toml": teaching.read,
    "claims.csv": claims.read,
    "glossary.csv": glossary.read,
    "letter_to_sound_rules.csv": read_rules,
    "lessons.csv": course.taken,
    "hub.csv": lambda path: hub.needs(path.parent),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    """A copy of data/ to do harm to."""
    return shutil.copytree(checksums.FOLDER, tmp_path_factory.mktemp("shelf") / "data")


@pytest.fixture(autouse=True)
def theirs(shelf, monkeypatch) -> None:
    """The copy is the course's data."""
    monkeypatch.setattr(checksums, "FOLDER", shelf)
    monkeypatch.setattr(data, "FOLDER", shelf)


@contextmanager
def harmed(path: Path, harm) -> Iterator[None]:
    before = path.read_bytes()
    harm(path)
    try:
        yield
    finally:
        path.write_bytes(before)


def read_by_the_course(path: Path) -> object:
    """What a lesson or a command does with a file of data/."""
    if path.parent.name == "recorded":
        return recordings.read(path.stem, path.parent)
    if path.parent.name == "replicated":
        return course.replicated(path.parent)
    if path.parent.name == "quizzes":
        return quizzes.read(path.stem.replace("_", "."), path.parent)
    return READERS.get(path.name, lambda path: data.table(path.stem))(path)


def change_a_character(path: Path) -> None:
    """One digit, as a bad disk or a slip of the hand would; in a text without digits one letter."""
    content = path.read_bytes()
    place = re.search(rb"\n[^#][^0-9]*?[^0-9]([0-9])", content)
    place = place.start(1) if place else len(content) // 2
    path.write_bytes(content[:place] + (b"1" if content[place : place + 1] != b"1" else b"2") + content[place + 1 :])


def cut_in_half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\n", len(content) // 2) + 1])  # at the end of a line: still well formed


HARMS = [(Path.unlink, "is missing"), *((harm, "changed or damaged") for harm in (change_a_character, cut_in_half))]


def test_every_file_has_its_checksum_and_is_what_it_says():
    assert set(checksums.listed()) == set(NAMES), "python3 -m helpers.course makes data/checksums.txt anew"
    assert checksums.fault() is None
    assert len(NAMES) > 70


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_whole_is_read(shelf, name):
    assert read_by_the_course(shelf / name)


@pytest.mark.parametrize(("harm", "what"), HARMS, ids=lambda one: getattr(one, "__name__", ""))
@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_missing_or_damaged_is_told_by_whoever_reads_it(shelf, name, harm, what):
    with harmed(shelf / name, harm):
        with pytest.raises(Fault) as fault:
            read_by_the_course(shelf / name)
        assert f"data/{name} " in fault.value.what and what in fault.value.what
        assert fault.value.remedy.startswith(f"git restore data/{name}")
        assert checksums.fault().what == f"data/{name} {checksums.problem(shelf / name)}."


def test_all_that_is_wrong_is_named_at_once_with_one_remedy(shelf):
    with harmed(shelf / "claims.csv", Path.unlink), harmed(shelf / "recorded/3_1_digits.csv", change_a_character):
        fault = checksums.fault()
    assert fault.what == "data/claims.csv is missing, data/recorded/3_1_digits.csv has been changed or damaged."
    assert fault.remedy.startswith("git restore data/claims.csv data/recorded/3_1_digits.csv data/checksums.txt; ")


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (Path.unlink, "is missing"),
        (lambda path: path.write_text("not a list\n"), "has been changed or damaged"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "has been changed or damaged"),
    ],
)
def test_a_list_of_checksums_that_is_wrong_is_told_too(shelf, harm, what):
    with harmed(shelf / checksums.LIST, harm):
        with pytest.raises(Fault) as fault:
            data.table("processors")
        assert str(fault.value) == str(checksums.fault())
        assert fault.value.what == f"data/checksums.txt {what}."
        assert fault.value.remedy == "git restore data/checksums.txt"


def test_a_wrong_digit_in_the_list_is_put_right_by_the_same_remedy(shelf):
    path = shelf / checksums.LIST
    with harmed(path, lambda path: path.write_text(path.read_text().replace(path.read_text()[:8], "0" * 8, 1))):
        assert checksums.fault().remedy.split(";")[0].endswith(" data/checksums.txt")


def test_what_is_recorded_enters_its_own_checksum_and_blesses_no_other(shelf):
    recording, other = shelf / "recorded" / "9_1_new.csv", shelf / "processors.csv"
    with harmed(shelf / checksums.LIST, lambda _: None), harmed(other, change_a_character):
        recordings.write(recording, ["# a header"], [{"n": 1, "error": 0.5}])
        assert recordings.read("9_1_new", shelf / "recorded") == [{"n": 1, "error": 0.5}]
        assert checksums.fault().what == "data/processors.csv has been changed or damaged."
        recording.write_text(recording.read_text().replace("0.5", "0.6"))
        with pytest.raises(Fault, match=r"9_1_new\.csv has been changed or damaged"):
            recordings.read("9_1_new", shelf / "recorded")
        recording.unlink()


def test_a_change_that_is_meant_is_accepted_by_one_command(shelf):
    with harmed(shelf / checksums.LIST, lambda _: None), harmed(shelf / "processors.csv", change_a_character):
        assert checksums.fault()
        checksums.renew()
        assert checksums.fault() is None


def test_line_ends_and_files_elsewhere_play_no_part(shelf, tmp_path):
    path = shelf / "processors.csv"
    rows = data.table("processors")
    with harmed(path, lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))):
        assert data.table("processors") == rows
    assert checksums.problem(tmp_path / "gone.csv") == ""
    with pytest.raises(FileNotFoundError):
        checksums.read(tmp_path / "gone.csv")
