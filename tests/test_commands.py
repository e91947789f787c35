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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from helpers import __main__ as commands
from helpers import course, environment, notebooks
from helpers.environment import ROOT
from tests.conftest import needed

SIZE_LIMIT = 1.2e9  # bytes
FURTHER_LOCKS = [commands.BOOK_LOCK, commands.BROWSER_LOCK, commands.HUB_LOCK, commands.BINDER_LOCK]
HANDED_OUT = ["lesson.ipynb", "solutions.ipynb", "teacher.md", "slides.html"]
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
        if changed:
            nobody = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
            git(folder, *nobody, "commit", "--quiet", "--all", "--message=work")

    def type(self, *arguments: str, python: str = sys._base_executable, under=()) -> subprocess.CompletedProcess:
        command = [*under, python, "-m", "helpers", *arguments]
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
    """A clone in which nothing has been typed yet, in a folder with a name such as people give."""
    if not (ROOT / ".git").exists():
        pytest.skip("the project is not a git repository here, so it cannot be cloned")
    return Clone(tmp_path_factory.mktemp("bare") / "Kurs für Anfänger 课程")


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


def test_a_start_that_is_killed_leaves_no_installer_behind(bare):
    process = bare.start("test", "--version")
    log, venv = bare.folder / ".venv" / "install.log", str(bare.folder / ".venv")
    wait_for(lambda: log.exists() and log.stat().st_size, 60)
    process.kill()
    process.communicate()
    wait_for(
        lambda: not any(venv in " ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])), 30
    )
    assert "half made" in environment.unfinished(bare.folder).what


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


def test_a_package_that_is_missing_and_one_that_is_damaged_are_named_and_mended(clone):
    venv = clone.folder / ".venv"
    site = next(venv.rglob("site-packages"))
    cut = site / "ipywidgets" / "_version.py"
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    told = "The package ipywidgets in .venv is damaged: the file {} is not there, or not whole."
    assert environment.outdated(clone.folder).what == told.format("ipywidgets/_version.py")
    for path in site.glob("tqdm*"):
        shutil.rmtree(path)
    doctor = clone.type("doctor", "--port", str(free_port()))
    assert doctor.returncode == 1
    assert re.search(r"\[wrong\] The package tqdm \S+ is missing from .venv", doctor.stdout)
    mended = clone.type("test", "--version", python=str(environment.python_of(clone.folder / ".venv")))
    assert re.search(r"The package tqdm \S+ is missing", mended.stdout)
    assert mended.returncode == 0, mended.stderr
    assert cut.read_bytes() == whole
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


# Nothing answers but this machine itself.
ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket() as probe:
    fcntl.ioctl(probe, 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP: a new network has it down
os.execvp(sys.argv[1], sys.argv[1:])
"""
ALONE_FROM = [sys.executable, "-c", ALONE]
OPENS_LAB = """
import re, signal, subprocess, sys, urllib.request
streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
lab = subprocess.Popen(sys.argv[1:], text=True, **streams)
for line in lab.stdout:
    if found := re.search(r"(http://127.0.0.1:\\d+/lab)\\S*(\\?token=\\w+)", line):
        print(urllib.request.urlopen(found[1] + found[2]).status)
        break
    print(line, end="")
lab.send_signal(signal.SIGINT)
lab.communicate(timeout=60)
"""


def cut_off() -> list[str]:
    """What starts a command where there is no network: a part of Linux that not every user may ask for; else []."""
    for options in (["-n"], ["-rn"]):
        prefix = ["unshare", *options, *ALONE_FROM]
        if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
            return prefix
    return []


@pytest.fixture(scope="module")
def without_network() -> list[str]:
    """What starts a command where there is no network."""
    return cut_off() or pytest.skip("this user cannot start a command without a network here")


def test_lab_and_doctor_start_without_a_network_once_the_environment_stands(clone, without_network):
    port = str(free_port())
    well = clone.type("doctor", "--port", port, under=without_network)
    assert well.returncode == 0 and "index" not in well.stdout, well.stdout
    command = [*without_network, sys.executable, "-c", OPENS_LAB, sys._base_executable, "-m", "helpers", "lab"]
    command += ["--no-browser", "--port", port]
    lab = subprocess.run(command, cwd=clone.folder, env=clone.variables, capture_output=True, text=True, timeout=120)
    assert lab.stdout.splitlines()[-1:] == ["200"], lab.stdout + lab.stderr


def test_a_first_start_without_a_network_says_so_and_harms_nothing(without_network, tmp_path):
    needed(os.environ.get("TALKS_TEST_ALL"), "time for pip's five attempts")
    bare = Clone(tmp_path / "project")
    for name in [name for name in bare.variables if name.startswith("PIP_")]:
        del bare.variables[name]
    bare.variables |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    first = bare.type("lab", "--no-browser", under=without_network)
    assert first.returncode == 1
    assert "The installation stopped: the package index does not answer. There is no network" in first.stderr
    assert "Remedy: connect to the network" in first.stderr and "Traceback" not in first.stderr
    assert "half made" in environment.unfinished(bare.folder).what


def test_the_book_is_made_in_a_fresh_clone_and_nothing_else_changes(clone):
    made = clone.type("book")
    assert made.returncode == 0, made.stdout + made.stderr
    assert re.search(r"^\d\d pages, \d+ MB, made in \d+ s: file://.*/site/index.html$", made.stdout, re.MULTILINE)
    assert "Talks You Can Run" in (clone.folder / "site" / "index.html").read_text(encoding="utf-8")
    assert git(clone.folder, "status", "--porcelain", "--", "site", "notebooks", "jupyter_execute") == ""
    well = clone.type("doctor", "--port", str(free_port()))
    assert "[wrong]" not in well.stdout


def test_a_handout_is_written_where_folders_have_names_with_spaces_and_other_scripts(clone):
    """What it needs came with the book, so that it is written without a network too."""
    handed = clone.type("handout", "3.1")
    assert handed.returncode == 0, handed.stderr
    written = [clone.folder / line for line in handed.stdout.splitlines()]
    assert [path.name for path in written] == [f"3_1_{name}" for name in HANDED_OUT]
    assert all(path.stat().st_size > 1000 for path in written)


@contextmanager
def without_the_right_to_write(project: Path) -> Iterator[list[str]]:
    """What starts a command where its user may not write: root, who may write anywhere, gives that right up."""
    if os.name == "nt":
        pytest.skip("Windows has no folders that only their owner may write to, in this sense")
    giving_up = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    needed(not giving_up or shutil.which("setpriv"), "setpriv")
    tops = [project / name for name in ("notebooks", "data", "helpers", "handouts", "site")]
    inside = (path for top in tops for path in top.rglob("*"))
    folders = [path for path in (project, project / ".venv", *tops, *inside) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        yield giving_up
    finally:
        for folder in folders:
            folder.chmod(0o755)


@pytest.fixture
def read_only(clone) -> Iterator[list[str]]:
    """The clone, its environment made, in a place where its user may not write."""
    with without_the_right_to_write(clone.folder) as under:
        yield under


def test_a_first_start_where_nothing_may_be_written_says_so(tmp_path):
    bare = Clone(tmp_path / "project")
    with without_the_right_to_write(bare.folder) as under:
        told = bare.type("lab", under=under)
    assert told.returncode == 1
    assert told.stderr.startswith("The folder project cannot be written to (Permission denied).\n  Remedy: clone the")


def test_a_clone_that_cannot_be_written_says_so_before_any_work_and_changes_nothing(clone, read_only):
    before = git(clone.folder, "status", "--porcelain", "--ignored")
    for arguments, what in [
        (["lab", "--no-browser"], "The folder notebooks cannot be written to (Permission denied)."),
        (["run", "0", "--save"], "notebooks/0_start_here.ipynb was not written: Permission denied."),
        (["replicate", "1.1", "--save"], "data/replicated/1_1.csv was not written: Permission denied."),
        (["book"], "site was not written: Permission denied."),
        (["handout", "3.1"], "handouts/3_1_lesson.ipynb was not written: Permission denied."),
    ]:
        told = clone.type(*arguments, under=read_only)
        assert told.returncode == 1
        assert what in told.stderr and "own home folder" in told.stderr
        assert "Traceback" not in told.stderr and "cell" not in told.stderr
    doctor = clone.type("doctor", "--port", str(free_port()), under=read_only)
    assert "[wrong] The folder notebooks cannot be written to (Permission denied)." in doctor.stdout
    assert git(clone.folder, "status", "--porcelain", "--ignored") == before


def test_run_executes_a_lesson_without_a_network_or_the_right_to_write_and_says_what_it_took(clone, read_only):
    run = clone.type("run", "0", under=[*cut_off(), *read_only])
    assert run.returncode == 0, run.stderr
    assert re.search(r"^Start here .* s .* s .* MB ", run.stdout, re.MULTILINE)
    assert git(clone.folder, "status", "--porcelain", "notebooks", "data") == ""


def test_in_a_clone_that_cannot_be_written_predictions_are_kept(clone, read_only, tmp_path):
    guesses = "from helpers import predictions as p; kept = p.guess(p.Prediction('rules', 'How many?'), 30); "
    guesses += "print([kept.notice, len(p.everything()), p.place()])"
    python = str(environment.python_of(clone.folder / ".venv"))
    own = {**clone.variables, "TALKS_PREDICTIONS": "", "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    command = [*read_only, python, "-c", guesses]
    told = subprocess.run(command, cwd=clone.folder, env=own, capture_output=True, text=True)
    assert told.stdout.startswith("['', 1, ") and str(tmp_path) in told.stdout, told.stdout + told.stderr


def test_files_of_data_that_are_damaged_are_named_and_the_remedy_brings_them_back(clone):
    data = clone.folder / "data"
    (data / "glossary.csv").unlink()
    (data / "course.toml").write_bytes((data / "course.toml").read_bytes()[:20_000])
    rows = (data / "processors.csv").read_bytes()
    place = re.search(rb"\n\D+(\d)", rows).start(1)
    (data / "processors.csv").write_bytes(rows[:place] + (b"2" if rows[place] == 49 else b"1") + rows[place + 1 :])
    told = "data/course.toml has been changed or damaged"
    run = clone.type("run", "1.1")
    assert (run.returncode, "Traceback" in run.stderr) == (1, False)
    assert run.stderr.startswith(told)
    doctor = clone.type("doctor", "--port", str(free_port())).stdout
    assert f"[wrong] {told}, data/glossary.csv is missing, data/processors.csv has been changed or damaged." in doctor
    git(clone.folder, "restore", "data/course.toml")
    run = clone.type("run", "1.1")
    assert re.search(r"Lesson 1\.1 .*, code cell \[\d+\]: Fault: data/processors.csv has been changed", run.stderr)
    assert "git restore data/processors.csv" in run.stderr
    git(clone.folder, *re.search(r"Remedy: git (restore [^;]+);", doctor)[1].split())
    assert git(clone.folder, "status", "--porcelain", "data") == ""


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
