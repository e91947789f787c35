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
from pathlib import Path
from helpers import book, checksums, claims, course, data, environment, glossary, handout, quizzes, recordings, teaching
from helpers.letter_to_sound import read_rules
assert checksums.fault() is None, checksums.fault()
root = environment.ROOT
assert Path.cwd() == root
tables = [data.table(path.stem) for path in sorted(data.FOLDER.glob("*.csv"))]
recorded = [recordings.read(path.stem) for path in sorted(recordings.FOLDER.glob("*.csv"))]
texts = [claims.read(), glossary.read(), read_rules(), [quizzes.read(number) for number in quizzes.numbers()]]
notebooks = [nbformat.writes(nbformat.read(lesson.path, 4)) for lesson in course.lessons()]
made = [course.course(), teaching.plans(), course.verdicts(), course.replicated(), book.pages(course.course())]
handed = nbformat.writes(handout.without_answers(course.lesson("3.1")))
lock = environment._lock(root), environment._pins(root / "requirements.txt")
everything = repr([tables, recorded, texts, notebooks, made, handed, lock])
print(len(everything), hashlib.sha256(everything.encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A clone as git for Windows makes it."""
    if not (ROOT / ".git").exists():
        pytest.skip("the project is not a git repository here, so it cannot be cloned")
    folder = tmp_path_factory.mktemp("windows") / "project"
    subprocess.run(["git", "clone", "--quiet", "-c", "core.autocrlf=true", str(ROOT), str(folder)], check=True)
    return folder


def tracked(folder: Path) -> dict[Path, bytes]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, text=True, check=True).stdout
    return {folder / name: (folder / name).read_bytes() for name in listed.split("\0") if name}


def read_all(folder: Path) -> str:
    variables = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run([sys.executable, "-c", READ_ALL], cwd=folder, env=variables, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_a_checkout_on_windows_holds_the_same_bytes(checkout):
    files = tracked(checkout)
    assert len(files) > 150
    assert [path.name for path, content in files.items() if b"\r\n" in content and b"\0" not in content] == []
    assert environment._lock(checkout) == environment._lock(ROOT)


def test_files_saved_with_the_line_ends_of_windows_are_read_as_the_others_are(checkout):
    """Every text of the project: code, notebooks, tables, the map, quizzes, locks."""
    unix = read_all(checkout)
    for path, content in tracked(checkout).items():
        if b"\0" not in content:
            path.write_bytes(content.replace(b"\n", b"\r\n"))
    assert b"\r\n" in (checkout / "helpers" / "data.py").read_bytes()
    assert read_all(checkout) == unix


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
