"""The environment: every fault with its own words and remedy, and a .venv that is noticed when it is not right."""

import ast
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from helpers import __main__ as commands
from helpers import environment
from helpers.environment import ROOT, Fault

VERSION = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A small project whose environment is made in a moment: venv and pip are played by functions that write files."""
    (tmp_path / "requirements.txt").write_text("# lock\nalpha==1.0 \\\n    --hash=sha256:00\nbeta-two==2.0 \\\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(environment, "_make_venv", make_venv)
    monkeypatch.setattr(environment, "_pip_with_progress", pip)
    return tmp_path


def make_venv(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    site(folder).mkdir(parents=True)
    environment.python_of(folder).parent.mkdir(parents=True, exist_ok=True)
    environment.python_of(folder).write_text("")


def pip(arguments: list[str], venv: Path, total: int) -> tuple[int, str]:
    (venv / "install.log").touch()
    for name in ("alpha-1.0", "beta_two-2.0"):
        (site(venv) / f"{name}.dist-info").mkdir(exist_ok=True)
        (site(venv) / f"{name}.dist-info" / "RECORD").touch()
    return 0, ""


def site(venv: Path) -> Path:
    return venv / "Lib" / "site-packages" if os.name == "nt" else venv / "lib" / f"python{VERSION}" / "site-packages"


def stamp(project: Path) -> Path:
    return project / ".venv" / "stamp.json"


def fault(project: Path) -> str:
    found = environment.unfinished(project) or environment.outdated(project)
    return found.what if found else ""


def test_a_notebook_shows_a_fault_as_its_words_alone():
    code = "from helpers.environment import Fault; raise Fault('The kettle is empty.', 'fill it.')"
    shown = subprocess.run([sys.executable, "-m", "IPython", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert shown.stdout == "The kettle is empty.\n  Remedy: fill it.\n"


def test_an_environment_is_made_once_and_then_left_alone(project, monkeypatch, capsys):
    assert "not made yet" in fault(project)
    environment.ensure(project)
    assert "Making it, from 2 packages" in capsys.readouterr().out
    assert fault(project) == ""
    monkeypatch.setattr(environment, "_pip_with_progress", None)  # would fail if it were called
    environment.ensure(project)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("harm", "what", "remade"),
    [
        (lambda venv: (venv / "stamp.json").unlink(), "half made", True),
        (lambda venv: (venv / "stamp.json").write_text('{"python": "3.'), "half made", True),
        (lambda venv: environment.python_of(venv).unlink(), "half made", True),
        (lambda venv: change_stamp(venv, python="3.2"), "is for Python 3.2", True),
        (lambda venv: change_stamp(venv, root="/elsewhere"), "the project has been moved", True),
        (lambda venv: shutil.rmtree(site(venv) / "alpha-1.0.dist-info"), "alpha 1.0 is missing", False),
        (
            lambda venv: (site(venv) / "beta_two-2.0.dist-info").rename(site(venv) / "beta_two-1.9.dist-info"),
            "beta_two in .venv is 1.9 and should be 2.0",
            False,
        ),
        (
            lambda venv: (venv.parent / "requirements.txt").write_text("alpha==1.0\n"),
            "list of packages has changed",
            False,
        ),
        (lambda venv: (venv.parent / "pyproject.toml").write_text("[tool]\n"), "list of packages has changed", False),
        (
            lambda venv: (site(venv) / "alpha-1.0.dist-info" / "RECORD").write_text("alpha.py,sha256=00,7\n"),
            "alpha in .venv is damaged: the file alpha.py is not there",
            False,
        ),
    ],
)
def test_an_environment_that_is_not_right_is_noticed_and_mended(project, capsys, harm, what, remade):
    environment.ensure(project)
    mark = site(project / ".venv") / "mark"
    mark.touch()
    harm(project / ".venv")
    assert what in fault(project)
    for left_over in site(project / ".venv").glob("beta_two-1.9*"):  # pip takes the other version away
        left_over.rename(left_over.with_name("beta_two-2.0.dist-info"))
    environment.ensure(project)
    assert fault(project) == ""
    assert mark.exists() != remade


def test_an_environment_that_somebody_else_has_made_is_left_alone(project):
    metadata = site(project / ".venv") / "dear_to_me-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site(project / ".venv") / "pip-24.0.dist-info").mkdir()
    with pytest.raises(Fault, match="has not made, with 1 packages") as fault:
        environment.ensure(project)
    assert "rename the folder, or delete it" in fault.value.remedy
    assert metadata.exists()


@pytest.mark.parametrize("stamped", [True, False])
def test_a_link_to_another_environment_is_replaced_and_what_it_points_to_is_untouched(tmp_path, monkeypatch, stamped):
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "requirements.txt").write_text("alpha==1.0\nbeta-two==2.0\n")
        (tmp_path / name / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(environment, "_pip_with_progress", pip)
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    with monkeypatch.context() as quick:
        quick.setattr(environment, "_make_venv", make_venv)
        environment.ensure(theirs)
    if not stamped:
        stamp(theirs).unlink()
    (mine / ".venv").symlink_to(theirs / ".venv")
    before = sorted(path for path in (theirs / ".venv").rglob("*"))
    assert fault(mine) == "The folder .venv is a link to another environment."
    environment.ensure(mine)
    assert fault(mine) == "" and not (mine / ".venv").is_symlink()
    assert sorted((theirs / ".venv").rglob("*")) == before
    asked = [environment.python_of(mine / ".venv"), "-c", "import sys; print(sys.prefix)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == str(mine / ".venv")


def another_python() -> str | None:
    """A Python of another version than this one that can make environments, if the machine has one."""
    known = Path(sys.base_prefix).parent.glob("*/bin/python3")  # where tools that keep many versions put them
    named = filter(None, (shutil.which(f"python3.{minor}") for minor in range(9, 20)))
    for python in [*named, *map(str, known)]:
        code = "import sys, venv, ensurepip; print('{}.{}'.format(*sys.version_info[:2]))"
        told = subprocess.run([python, "-c", code], capture_output=True, text=True)
        if told.returncode == 0 and told.stdout.strip() != VERSION:
            return python
    return None


def test_an_old_environment_of_another_python_is_made_anew(project, monkeypatch):
    """Where there is no other Python, its environment is played by one whose folder and stamp say so."""
    venv, python = project / ".venv", another_python()
    subprocess.run([python or sys._base_executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    asked = [environment.python_of(venv), "-c", "import sys; print('{}.{}'.format(*sys.version_info[:2]))"]
    old = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() if python else "3.2"
    stamp(project).write_text(json.dumps({"python": old, "root": str(project), "lock": "", "packages": {}}))
    monkeypatch.undo()  # the environment is really made; what is in it is not
    monkeypatch.setattr(environment, "_pip_with_progress", pip)
    assert fault(project) == f"The environment in .venv is for Python {old}, and this is Python {VERSION}."
    environment.ensure(project)
    assert fault(project) == ""
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == VERSION


def test_an_environment_that_was_copied_is_made_anew_and_the_first_stays(project, tmp_path_factory):
    environment.ensure(project)
    copy = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(project, copy, symlinks=True)
    assert "was made for another folder" in fault(copy)
    environment.ensure(copy)
    assert fault(copy) == fault(project) == ""


def test_the_installer_ends_with_whoever_started_it(tmp_path):
    """Killed with no time to clean up, a start leaves no pip behind that writes into the environment of the next."""
    started = "import subprocess, sys, time; from helpers import environment as e; "
    started += "code = 'import time; print(1, flush=True); time.sleep(60)'; open('pip.py', 'w').write(code); "
    started += "p = subprocess.Popen([sys.executable, '-c', e.PIP], stdin=subprocess.PIPE, stdout=subprocess.PIPE); "
    started += "p.stdout.readline(); print(p.pid, flush=True); time.sleep(60)"
    variables = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", started]
    first = subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, text=True)
    installer = psutil.Process(int(first.stdout.readline()))
    assert installer.is_running()
    first.kill()
    first.communicate()
    installer.wait(30)


def change_stamp(venv: Path, **changes) -> None:
    path = venv / "stamp.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_further_lock_is_installed_with_its_hashes_and_leaves_the_environment_sound(project, monkeypatch):
    environment.ensure(project)
    lock, asked = project / "further.txt", []
    lock.write_text("gamma==3.0 \\\n    --hash=sha256:00\n")

    def pip_of_gamma(arguments, venv, total):
        asked.extend(arguments)
        (site(venv) / "gamma-3.0.dist-info").mkdir()
        (site(venv) / "gamma-3.0.dist-info" / "RECORD").touch()
        return 0, ""

    monkeypatch.setattr(environment, "_pip_with_progress", pip_of_gamma)
    environment.add(lock, project)
    assert asked[-2:] == ["-r", str(lock)] and "--require-hashes" in asked and "--no-deps" in asked
    assert fault(project) == ""
    monkeypatch.setattr(environment, "_pip_with_progress", lambda *_, **__: (1, "No space left on device"))
    environment.add(lock, project)  # which is there: without pip, so without a network or the right to write
    lock.write_text("gamma==3.1 \\\n    --hash=sha256:00\n")
    with pytest.raises(Fault, match="the disk is full"):
        environment.add(lock, project)


def test_an_installation_that_fails_leaves_no_stamp(project, monkeypatch):
    monkeypatch.setattr(environment, "_pip_with_progress", lambda *_, **__: (1, "No space left on device"))
    with pytest.raises(Fault, match="the disk is full"):
        environment.ensure(project)
    assert "half made" in fault(project)


def test_an_installation_is_not_begun_without_room_or_without_venv(project, monkeypatch):
    monkeypatch.setattr(environment, "no_room", lambda root: Fault("The disk is small.", "a larger one"))
    with pytest.raises(Fault, match="The disk is small"):
        environment.ensure(project)
    monkeypatch.setattr(environment, "no_venv_module", lambda: Fault("No venv.", "install it"))
    with pytest.raises(Fault, match="No venv"):
        environment.ensure(project)
    assert not (project / ".venv").exists()


def test_a_python_that_is_too_old_is_told_in_a_sentence():
    code = "import sys; sys.version_info = (3, 9, 2); sys.argv[1:] = ['lab']; import runpy; "
    code += "runpy.run_module('helpers', run_name='__main__')"
    old = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert old.returncode == 1
    assert old.stderr.startswith("This is Python 3.9; the course needs Python 3.11 or later.\n  Remedy: install")
    assert len(old.stderr.splitlines()) == 2


@pytest.mark.parametrize("name", ["__init__", "__main__", "environment"])
def test_old_pythons_can_read_what_tells_them_so(name):
    ast.parse((ROOT / "helpers" / f"{name}.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_the_commands_start_with_the_standard_library_alone():
    code = "import sys; before = set(sys.modules); import helpers.__main__; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert names - sys.stdlib_module_names == {"helpers"}


def test_missing_modules_are_named():
    assert environment.no_venv_module() is None
    missing = environment.no_venv_module(("json", "no_such_module"))
    assert "its module no_such_module, which" in missing.what
    assert "sudo apt install python3-venv" in missing.remedy


def test_a_full_disk_is_told_in_gigabytes(tmp_path):
    assert environment.no_room(tmp_path, needed=1) is None
    assert "the environment needs 1000000000.0 GB" in environment.no_room(tmp_path, needed=1e18).what


def test_a_taken_port_names_a_free_one():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        taken = environment.port_taken(port)
    assert taken.what.startswith(f"Port {port} is taken")
    free = int(taken.remedy.rpartition("--port ")[2])
    assert environment.port_taken(free) is None
    assert environment.port_taken(port) is None


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    assert environment.not_writable(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert "folder gone cannot be written to (No such file" in environment.not_writable(tmp_path / "gone").what


@pytest.mark.parametrize(
    ("log", "what"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("WARNING: Retrying ... NewConnectionError ...\nERROR: No matching distribution found", "does not answer"),
        ("WARNING: ... ('Temporary failure in name resolution')", "does not answer"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one that requirements"),
        ("ERROR: No matching distribution found for jaxlib==0.10.2", "no ready-made file"),
        ("ERROR: something new", "pip failed"),
    ],
)
def test_what_pip_says_is_put_plainly_with_its_last_lines(log, what):
    found = environment.failed_install("Collecting alpha\n" * 20 + log)
    assert what in found.what
    assert found.remedy.endswith(log.splitlines()[-1])
    assert found.remedy.count("Collecting") < 5


def test_a_package_index_that_does_not_answer_is_noticed(monkeypatch):
    with socket.socket() as nobody:  # bound and not listening: every connection is refused
        nobody.bind(("127.0.0.1", 0))
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}/packages")
        assert "There is no network" in environment.no_network().what


def test_the_doctor_names_each_fault_and_asks_for_a_network_only_where_it_is_needed(monkeypatch, capsys):
    def names(fault):
        monkeypatch.setattr(environment, "unfinished", lambda: fault)
        monkeypatch.setattr(environment, "outdated", lambda: None)
        monkeypatch.setattr(environment, "no_network", lambda: Fault("No network.", "plug it in."))
        monkeypatch.setattr(environment, "port_taken", lambda port: None)
        return commands.doctor(8888), capsys.readouterr().out

    code, text = names(None)
    assert code == 0
    assert "network" not in text
    assert text.endswith("All is well.\n")
    code, text = names(Fault("Half made.", "make it."))
    assert code == 1
    assert "[wrong] Half made.\n          Remedy: make it.\n" in text
    assert "[wrong] No network.\n          Remedy: plug it in.\n" in text
    assert "[ok]    room on the disk\n" in text
    assert text.endswith("2 to mend.\n")
