"""Windows: a checkout keeps the line ends of Unix, and what an editor saved with its own is read all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import environment, predictions
from helpers.environment import ROOT
from helpers.predictions import Prediction

READ_ALL = """
import hashlib
import nbformat
from helpers import book, checksums, claims, course, data, environment, glossary, handout, quizzes, recordings, teaching
from helpers.letter_to_sound import read_rules
assert checksums.fault() is None, checksums.fault()
root = environment.ROOT
tables = [data.table(path.stem) for path in sorted(data.FOLDER.glob("*.csv"))]
recorded = [recordings.read(path.stem) for path in sorted(recordings.FOLDER.glob("*.csv"))]
texts = [claims.read(), glossary.read(), read_rules(), [quizzes.read(number) for number in quizzes.numbers()]]
notebooks = [course.notebook_of(lesson) for lesson in course.lessons()]
made = [course.course(), teaching.plans(), course.verdicts(), course.replicated(), book.readme_page(course.course())]
handed = nbformat.writes(handout.without_answers(course.lesson("3.1")))
lock = environment._lock(root), environment._pins(root / "requirements.txt")
everything = repr([tables, recorded, texts, notebooks, made, handed, lock])
found = f"{root} {len(everything)} {hashlib.sha256(everything.encode()).hexdigest()}"
"""


@pytest.fixture(scope="module", autouse=True)
def repository() -> None:
    """What is cloned, and knows its files."""
    if not (ROOT / ".git").exists():
        pytest.skip("the project is not a git repository here, so it cannot be cloned")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A clone as git for Windows makes it."""
    folder = tmp_path_factory.mktemp("windows") / "project"
    subprocess.run(["git", "clone", "--quiet", "-c", "core.autocrlf=true", str(ROOT), str(folder)], check=True)
    return folder


def tracked(folder: Path) -> dict[Path, bytes]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, text=True, check=True).stdout
    return {folder / name: (folder / name).read_bytes() for name in listed.split("\0") if (folder / name).is_file()}


def test_a_checkout_on_windows_holds_the_same_bytes(checkout):
    files = tracked(checkout)
    assert len(files) > 150
    assert [path.name for path, content in files.items() if b"\r\n" in content and b"\0" not in content] == []
    assert environment._lock(checkout) == environment._lock(ROOT)


def test_files_saved_with_the_line_ends_of_windows_are_read_as_the_others_are(tmp_path):
    """Every text of the project: code, notebooks, tables, the map, quizzes, locks."""
    for path, content in tracked(ROOT).items():
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content if b"\0" in content else content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert b"\r\n" in (tmp_path / "helpers" / "data.py").read_bytes()
    exec(READ_ALL, here := {})
    variables = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", f"{READ_ALL}\nprint(found)"]
    told = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == here["found"].replace(str(ROOT), str(tmp_path))


def test_pip_takes_a_lock_with_the_line_ends_of_windows(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_bytes((ROOT / "requirements.txt").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    options = ["--dry-run", "--no-index", "--require-hashes", "--only-binary=:all:", "-r", str(lock)]
    dry = subprocess.run([sys.executable, "-m", "pip", "install", *options], capture_output=True, text=True)
    assert dry.returncode == 0, dry.stderr
    assert "Would install" not in dry.stdout
    assert environment._pins(lock) == environment._pins(ROOT / "requirements.txt")


def test_predictions_saved_with_the_line_ends_of_windows_are_all_there(tmp_path, monkeypatch):
    path, asked = tmp_path / "predictions.json", Prediction("rules", "How many in a hundred?", "%")
    monkeypatch.setenv(predictions.VARIABLE, str(path))
    kept = predictions.guess(asked, 30, near=(20, 40), confidence=75).prediction
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert predictions.find(asked) == (kept, "")
    assert "1 prediction read" in predictions.import_from(path)
    assert [one.name for one in tmp_path.iterdir() if "damaged" in one.name] == []
