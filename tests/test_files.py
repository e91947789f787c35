"""What is saved is saved whole or not at all: on a disk that is really full, and in folders that cannot be written."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers import book, environment, files, handout, notebooks, predictions, recordings
from helpers.course import Lesson, lesson
from helpers.environment import Fault
from helpers.predictions import Prediction

ASKED = Prediction("rules", "How many in a hundred?", "%")
LONG = "x" * 300_000


class Disk:
    """A small disk, which a file of zeros fills up."""

    def __init__(self, folder: Path):
        self.folder, self.filling = folder, folder / "filling"

    def fill(self) -> None:
        with self.filling.open("wb", buffering=0) as file:
            with pytest.raises(OSError) as full:
                while True:
                    file.write(bytes(4096))
            assert full.value.errno == errno.ENOSPC

    def free(self) -> None:
        self.filling.unlink()

    def files(self) -> dict[str, bytes]:
        own = (path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return {path.name: path.read_bytes() for path in own if path != self.filling}


@pytest.fixture
def disk(tmp_path) -> Iterator[Disk]:
    """A disk of 3 MB in memory; only some users may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=3M", "none", str(folder)]
        refused = subprocess.run(command, capture_output=True, text=True).stderr
    except OSError as error:
        refused = str(error)
    if refused:
        pytest.skip(f"a small disk, to fill, cannot be mounted here: {refused}")
    yield Disk(folder)
    subprocess.run(["umount", str(folder)], check=True)


def save_a_recording(folder: Path, text: str) -> None:
    recordings.write(folder / "9_1_words.csv", ["# a header"], [{"word": text}])


def save_a_lesson(folder: Path, text: str) -> None:
    notebooks.write(new_notebook(cells=[new_code_cell(text, id="one")]), folder / "1_tiny.ipynb")


def save_a_handout(folder: Path, text: str) -> None:
    handout._put(lesson("3.1"), folder / "handouts", "teacher.md", text)


def save_the_book(folder: Path, text: str) -> None:
    made = folder.parent / "made"
    (made / "part").mkdir(parents=True, exist_ok=True)
    (made / "part" / "page.html").write_text(text)
    book._put(made, folder / "site")


@pytest.mark.parametrize("save", [save_a_recording, save_a_lesson, save_a_handout, save_the_book])
def test_on_a_full_disk_what_was_saved_before_stays_whole(disk, save):
    save(disk.folder, "the first")
    before = disk.files()
    assert len(before) == 1
    disk.fill()
    with pytest.raises(Fault) as fault:
        save(disk.folder, LONG)
    assert fault.value.what.endswith(" was not written: the disk is full. What was there before is unchanged.")
    assert fault.value.remedy == "free some room on the disk, and start again."
    assert disk.files() == before
    disk.free()
    save(disk.folder, LONG)
    assert list(disk.files()) == list(before) and disk.files() != before


def test_a_guess_on_a_full_disk_waits_in_memory_and_costs_no_earlier_one(disk, monkeypatch):
    path = disk.folder / "predictions.json"
    monkeypatch.setenv(predictions.VARIABLE, str(path))
    monkeypatch.setattr(predictions, "_unsaved", {})
    assert predictions.guess(ASKED, 30).notice == ""
    before = path.read_bytes()
    disk.fill()
    told = predictions.guess(Prediction("much", LONG), 40).notice
    assert "kept in this notebook only, until its kernel stops: No space left on device" in told
    assert "Nothing was written: No space left" in predictions.export_to(disk.folder / "out.json")
    assert disk.files() == {"predictions.json": before}
    disk.free()
    assert [one.guess for one in predictions.everything()] == [30, 40]
    assert LONG in path.read_text(encoding="utf-8")


def test_a_lesson_that_is_run_on_a_full_disk_keeps_its_stored_outputs(disk, capsys):
    path = disk.folder / "1_tiny.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print('line\\n' * 60_000)")]), path)
    tiny, before = Lesson("9.1", str(path), "Tiny", "Does it run?", (), 1), path.read_bytes()
    disk.fill()
    assert notebooks.run([tiny], save=True) == 1
    assert "1_tiny.ipynb was not written: the disk is full." in capsys.readouterr().err
    assert disk.files() == {path.name: before}


def test_an_installation_on_a_full_disk_says_so_though_its_log_could_not_be_written(disk, monkeypatch):
    (disk.folder / "requirements.txt").write_text("alpha==1.0\n")
    (disk.folder / "pyproject.toml").write_text("[project]\n")
    (disk.folder / ".venv").mkdir()
    disk.fill()
    for pip in [(1, ""), (0, "")]:  # pip fails; and pip has filled the disk to its last byte
        monkeypatch.setattr(environment, "_pip_with_progress", lambda *_, pip=pip, **__: pip)
        with pytest.raises(Fault, match="The installation stopped: the disk is full"):
            environment.install(disk.folder)
        assert "half made" in environment.unfinished(disk.folder).what


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_that_nobody_needs_to_mount(tmp_path):
    path = tmp_path / "one.txt"
    files.replace(path, "the first")
    (tmp_path / "one.txt.part").symlink_to("/dev/full")
    with pytest.raises(Fault, match="the disk is full"):
        files.replace(path, "the second")
    assert [one.name for one in tmp_path.iterdir()] == ["one.txt"]
    assert path.read_text() == "the first"


def test_the_old_book_comes_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    save_the_book(tmp_path, "the first")

    def rename(self, target):
        if self.name.endswith(".new.part"):
            raise OSError(errno.EACCES, "Permission denied")
        return os.rename(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(Fault, match="site was not written: Permission denied"):
        save_the_book(tmp_path, "the second")
    assert (tmp_path / "site" / "part" / "page.html").read_text() == "the first"
    assert [one.name for one in tmp_path.iterdir() if "part" in one.name] == []


def test_a_place_that_cannot_be_written_is_told_before_any_work(tmp_path):
    files.check_writable(tmp_path / "site" / "not" / "there" / "yet.html")
    assert list(tmp_path.iterdir()) == []
