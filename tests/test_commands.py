"""The commands as a newcomer meets them: in a fresh clone, with a Python that has nothing installed."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from helpers import __main__ as commands
from helpers import course, environment, notebooks
from helpers.environment import ROOT

SIZE_LIMIT = 1.2e9  # bytes
FURTHER_LOCKS = [commands.BOOK_LOCK, commands.BROWSER_LOCK, commands.BINDER_LOCK]
OWN_VARIABLES = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "TALKS_SEED")


class Clone:
    """A clone of the project and a way to type commands in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.variables = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
        for name in ("CONFIG", "DATA", "RUNTIME"):
            self.variables[f"JUPYTER_{name}_DIR"] = str(folder.parent / name.lower())
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        changed = git(ROOT, "diff", "--name-only", "--diff-filter=d", "HEAD").split()
        for name in changed:  # while the project is being worked on: the work as it stands, not as it was committed
            shutil.copy2(ROOT / name, folder / name)

    def type(self, *arguments: str, python: str = sys._base_executable) -> subprocess.CompletedProcess:
        command = [python, "-m", "helpers", *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.variables, capture_output=True, text=True, timeout=280)

    def start(self, *arguments: str) -> subprocess.Popen:
        command = [sys._base_executable, "-m", "helpers", *arguments]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=self.folder, env=self.variables, text=True, **streams)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(url: str) -> int:
    try:
        return urllib.request.urlopen(url, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code


def wait_for(happened, seconds: float):
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Clone:
    """A clone in which nothing has been typed yet."""
    if not (ROOT / ".git").exists():
        pytest.skip("the project is not a git repository here, so it cannot be cloned")
    return Clone(tmp_path_factory.mktemp("bare") / "project")


@pytest.fixture(scope="module")
def clone(bare):
    """A clone after its first command, which has made its environment."""
    first = bare.type("test", "--version")
    if "no network" in first.stderr and not os.environ.get("CI"):
        pytest.skip("the package index does not answer")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Making it, from" in first.stdout
    assert "The environment stands." in first.stdout
    assert re.search(r"^pytest \d", first.stdout, re.MULTILINE)
    yield bare
    shutil.rmtree(bare.folder)


def test_the_doctor_of_a_bare_clone_says_what_to_do(bare):
    doctor = bare.type("doctor", "--port", str(free_port()))
    assert doctor.returncode == 1
    assert (
        "[wrong] The environment in .venv is not made yet.\n          Remedy: python3 -m helpers lab" in doctor.stdout
    )
    assert "[ok]    the venv module\n" in doctor.stdout
    assert not (bare.folder / ".venv").exists()


def test_an_installation_that_is_interrupted_is_noticed(bare):
    process = bare.start("test", "--version")
    wait_for((bare.folder / ".venv" / "install.log").exists, 60)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output.endswith("Stopped.\n")
    doctor = bare.type("doctor", "--port", str(free_port()))
    assert "[wrong] The environment in .venv is half made" in doctor.stdout


def test_the_second_start_touches_nothing(clone):
    stamp = clone.folder / ".venv" / "stamp.json"
    before = stamp.stat().st_mtime_ns
    second = clone.type("test", "--version")
    assert second.returncode == 0
    assert len(second.stdout.splitlines()) == 1
    assert stamp.stat().st_mtime_ns == before
    assert "??" not in git(clone.folder, "status", "--porcelain", "--untracked-files=all")


def test_the_environment_is_the_locks_and_the_project_is_editable(clone):
    python = str(environment.python_of(clone.folder / ".venv"))
    lock = ["--no-index", "--require-hashes", "--only-binary=:all:", "-r", "requirements.txt"]
    pip = [python, "-m", "pip", "install", "--dry-run", *lock]
    dry = subprocess.run(pip, cwd=clone.folder, env=clone.variables, capture_output=True, text=True)
    assert dry.returncode == 0, dry.stderr
    assert "Would install" not in dry.stdout
    where = subprocess.run(
        [python, "-c", "import helpers; print(helpers.__file__)"],
        cwd=clone.folder / "notebooks",
        env=clone.variables,
        capture_output=True,
        text=True,
    )
    assert Path(where.stdout.strip()) == clone.folder / "helpers" / "__init__.py"


def test_the_environment_is_small_enough(clone):
    size = sum(path.lstat().st_size for path in (clone.folder / ".venv").rglob("*") if not path.is_dir())
    print(f"installed size: {size / 1e9:.2f} GB")
    assert size < SIZE_LIMIT


def test_a_package_that_is_missing_is_named_and_mended(clone):
    for path in next((clone.folder / ".venv").rglob("site-packages")).glob("tqdm*"):
        shutil.rmtree(path)
    doctor = clone.type("doctor", "--port", str(free_port()))
    assert doctor.returncode == 1
    assert re.search(r"\[wrong\] The package tqdm \S+ is missing from .venv", doctor.stdout)
    mended = clone.type("test", "--version", python=str(environment.python_of(clone.folder / ".venv")))
    assert re.search(r"The package tqdm \S+ is missing", mended.stdout)
    assert mended.returncode == 0, mended.stderr
    well = clone.type("doctor", "--port", str(free_port()))
    assert well.returncode == 0, well.stdout
    assert "[wrong]" not in well.stdout


def listening(server: subprocess.Popen) -> list[str]:
    """The addresses on which a server listens; it prints its own before it does, so they are waited for."""
    for _ in range(300):
        found = [one.laddr.ip for one in psutil.Process(server.pid).net_connections() if one.status == "LISTEN"]
        if found:
            return found
        time.sleep(0.1)
    return []


def test_lab_answers_on_this_machine_alone_and_only_with_its_token(clone):
    port = free_port()
    lab = clone.start("lab", "--no-browser", "--port", str(port))
    try:
        token = re.search(
            r"\?token=(\w+)", line_with(lab.stdout, f"http://127.0.0.1:{port}/lab/tree/notebooks/0_start_here")
        )
        assert set(listening(lab)) == {"127.0.0.1"}
        contents = f"http://127.0.0.1:{port}/api/contents/notebooks/0_start_here.ipynb"
        assert answer(contents) == 403
        assert answer(f"{contents}?token={token[1]}") == 200
        taken = clone.type("lab", "--no-browser", "--port", str(port))
        assert taken.returncode == 1
        assert re.search(rf"Port {port} is taken .*\n  Remedy: .* --port \d+\n", taken.stderr)
    finally:
        children = psutil.Process(lab.pid).children(recursive=True)
        lab.send_signal(signal.SIGINT)
        lab.communicate(timeout=60)
    assert not any(child.is_running() for child in children)
    assert environment.port_taken(port) is None


def line_with(stream, text: str) -> str:
    for line in stream:
        if text in line:
            return line
    raise AssertionError(f"{text} was not printed")


def test_run_executes_a_lesson_and_says_what_it_took(clone):
    run = clone.type("run", "0")
    assert run.returncode == 0, run.stderr
    assert re.search(r"^Start here .* s .* s .* MB ", run.stdout, re.MULTILINE)
    assert git(clone.folder, "status", "--porcelain", "notebooks", "data") == ""


def test_the_book_is_made_in_a_fresh_clone_and_nothing_else_changes(clone):
    made = clone.type("book")
    assert made.returncode == 0, made.stdout + made.stderr
    assert re.search(r"^\d\d pages, \d+ MB, made in \d+ s: file://.*/site/index.html$", made.stdout, re.MULTILINE)
    assert "Talks You Can Run" in (clone.folder / "site" / "index.html").read_text(encoding="utf-8")
    assert git(clone.folder, "status", "--porcelain", "--", "site", "notebooks", "jupyter_execute") == ""
    well = clone.type("doctor", "--port", str(free_port()))
    assert "[wrong]" not in well.stdout


@pytest.mark.parametrize(
    ("options", "save", "measures"), [([], False, False), (["--measure"], False, True), (["--save"], True, True)]
)
def test_run_keeps_what_lessons_take_where_it_is_asked_to(monkeypatch, options, save, measures):
    asked = []
    monkeypatch.setattr(notebooks, "run", lambda *arguments: asked.append(arguments) or 0)
    assert commands.run(commands.parser().parse_args(["run", "0", *options]), []) == 0
    assert asked == [([course.lesson("0")], save, course.TAKEN if measures else None)]


@pytest.mark.parametrize("command", ["run", "record", "replicate"])
def test_an_unknown_lesson_is_answered_with_those_there_are(clone, command):
    unknown = clone.type(command, "9.9")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("There is no lesson 9.9. The lessons are 0, ")
    assert "Traceback" not in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["lab", "--port", "80000"], "from 1 to 65535, not 80000"),
        (["lab", "--prot", "8000"], "unknown: --prot 8000"),
        (["replicate", "3.1", "--seeds", "0"], "a whole number from 1 up, not 0"),
    ],
)
def test_a_command_that_is_mistyped_is_told_so(arguments, what):
    command = [sys.executable, "-m", "helpers", *arguments]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 2
    assert what in told.stderr


def test_all_tests_are_asked_for_together_with_what_they_take(monkeypatch):
    added, handed = [], []
    monkeypatch.setattr(environment, "add", added.append)
    monkeypatch.setattr(environment, "hand_over", handed.append)
    for arguments, locks, asked in [(["test"], [], ""), (["test", "--all"], FURTHER_LOCKS, "1")]:
        monkeypatch.setenv("TALKS_TEST_ALL", "")
        commands.test(commands.parser().parse_args(arguments), ["-x"])
        assert (added, os.environ["TALKS_TEST_ALL"]) == (locks, asked)
    assert [one[-1] for one in handed] == ["-x", "-x"]


def test_ci_types_what_a_newcomer_types():
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert commands[-1] == "python3 -m helpers test --all"
    assert commands[-1] in (ROOT / "README.md").read_text(encoding="utf-8")


def test_code_and_notebooks_pass_the_checks_that_run_before_a_commit(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("the project is not a git repository here, and pre-commit asks git for its files")
    variables = {
        **os.environ,
        "PRE_COMMIT_HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
    checks = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert checks.returncode == 0, checks.stdout
