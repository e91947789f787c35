"""JupyterHub as a teacher starts it, with two learners at a time: real accounts, a real login, a real browser.

TALKS_SAVE=1 also writes what a learner takes to data/measured/hub.csv.
"""

import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import psutil
import pytest

from helpers import course, hub, recordings
from helpers.environment import ROOT
from tests.conftest import needed

FIRST = course.lesson("0")  # which both run
EXPOSED = 'c.Spawner.args += ["--LabApp.expose_app_in_browser=True"]\n'
# What a page is asked. It may have more than one notebook open: JupyterLab opens those of the last time again.
READY = """path => {
    const panels = [...(window.jupyterapp?.shell.widgets('main') ?? [])];
    const panel = window.panel = panels.find(one => one.context?.path === path), session = panel?.sessionContext;
    return session?.isReady && session.session?.kernel?.status === 'idle' && panel.content.widgets.length > 0;
}"""
RUN = """() => {
    window.ended = false;
    jupyterapp.shell.activateById(panel.id);
    jupyterapp.commands.execute('notebook:run-all-cells').then(() => ended = true);
}"""
ASK = """async code => {
    const future = panel.sessionContext.session.kernel.requestExecute({code});
    let told = '';
    future.onIOPub = message => told += message.content.text ?? message.content.ename ?? '';
    await future.done;
    return told.trim();
}"""
ADD_WORDS = """words => {
    panel.content.model.sharedModel.insertCell(1, {cell_type: 'markdown', source: words});
    return panel.context.save();
}"""
CELLS = "() => panel.content.model.sharedModel.toJSON().cells"


class Hub:
    """A hub on this machine's own address, which serves a clone of the course to two learners."""

    def __init__(self, folder: Path):
        self.clone, self.log = clone(folder / "talks"), folder / "log.txt"
        self.source = self.clone.as_uri()
        port, *others = free_ports(3)
        self.address = f"http://127.0.0.1:{port}"
        wrapper = folder / "config.py"
        own = self.clone / hub.SETTINGS.relative_to(ROOT)
        wrapper.write_text(f'load_subconfig("{own}")\n{EXPOSED}', encoding="utf-8")
        start = [str(wrapper) if one == str(hub.SETTINGS) else one for one in hub.arguments(port)]
        start += [f"--JupyterHub.hub_port={others[0]}", f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{others[1]}"]
        variables = {**os.environ, "PYTHONPATH": str(self.clone)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *start], cwd=self.clone, env=variables, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        for _ in range(120):
            assert self.process.poll() is None, self.log.read_text()
            with suppress(OSError), urllib.request.urlopen(self.address + "/hub/health", timeout=5):
                return
            time.sleep(0.5)
        raise AssertionError(self.log.read_text())

    def stop(self) -> None:
        self.process.terminate()  # the hub ends its learners' servers and its proxy
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        children = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        for process in [*children, self.process]:
            with suppress(psutil.NoSuchProcess):
                process.kill()


class Learner:
    """One learner's browser."""

    def __init__(self, browser, served: Hub, name: str, password: str):
        self.hub, self.name, self.password = served, name, password
        self.home = Path("/home") / name
        self.context = browser.new_context()
        self.page = self.context.new_page()
        self.page.set_default_timeout(120_000)

    def log_in(self) -> None:
        self.page.goto(self.hub.address)
        self.page.fill("#username_input", self.name)
        self.page.fill("#password_input", self.password)
        self.page.click("#login_submit")

    def wait_for(self, lesson: course.Lesson) -> None:
        """Until JupyterLab shows a lesson whose kernel is ready."""
        path = f"{hub.COPY}/notebooks/{lesson.file}"
        self.page.wait_for_url(f"**/user/{self.name}/lab/tree/{path}*")
        self.page.wait_for_function(READY, arg=path)

    def open(self, lesson: course.Lesson) -> None:
        self.page.goto(hub.link(lesson, self.hub.address, self.hub.source))
        self.wait_for(lesson)

    def ask(self, code: str) -> str:
        """What code prints in the learner's own kernel, or the name of its error."""
        return self.page.evaluate(ASK, code)

    def status(self, path: str) -> int:
        """What the hub answers to the learner's browser."""
        return self.context.request.get(self.hub.address + path).status

    def processes(self, of: str) -> list[psutil.Process]:
        own = [one for one in psutil.process_iter(["username", "cmdline"]) if one.info["username"] == self.name]
        return [one for one in own if any(of in word for word in one.info["cmdline"] or [])]


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def run(*command: str, **options) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def clone(folder: Path) -> Path:
    """The project's files as git knows them, with what is not committed yet, as a repository of its own."""
    for name in filter(None, run("git", "ls-files", "-z", cwd=ROOT).split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    run("git", "init", "--quiet", "--initial-branch=main", cwd=folder)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    run("git", "add", "--all", cwd=folder)
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "t", cwd=folder)


@contextmanager
def accounts(password: str) -> Iterator[list[str]]:
    """Three new accounts of this machine, two in the learners' group; afterwards they and all of theirs are gone."""
    names = [f"talks-{secrets.token_hex(3)}-{letter}" for letter in "abc"]
    groups = [] if hub._has_group() else [hub.GROUP]
    try:
        for group in groups:
            run("groupadd", group)
        for name in names:
            run("useradd", "--create-home", "--shell", "/bin/bash", name)
            (Path("/home") / name).chmod(0o755)  # as some systems make them: the hub is to close them
        for name in names[:2]:
            run("usermod", "--append", "--groups", hub.GROUP, name)
        run("chpasswd", input="".join(f"{name}:{password}\n" for name in names))
        yield names
    finally:
        for process in psutil.process_iter(["username"]):
            if process.info["username"] in names:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        for command in [["userdel", "--remove", "--force", name] for name in names] + [["groupdel", g] for g in groups]:
            subprocess.run(command, capture_output=True)
        assert not [name for name in names if (Path("/home") / name).exists()]


@contextmanager
def served(browser) -> Iterator[list[Learner]]:
    """Two learners, and one who is none, before the login page of a hub."""
    folder, password = Path("/tmp") / f"talks-hub-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    folder.mkdir()
    try:
        with accounts(password) as names:
            teachers, all_three = Hub(folder), []
            try:
                teachers.wait()
                all_three += [Learner(browser, teachers, name, password) for name in names]
                yield all_three
            except BaseException:
                print(teachers.log.read_text()[-6000:])
                raise
            finally:
                for learner in all_three:
                    learner.context.close()
                teachers.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def browser(chromium):
    """Chromium, on a machine that can serve a hub."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may start servers under other accounts: sudo python3 -m helpers test --all")
    needed(importlib.util.find_spec("jupyterhub"), "JupyterHub")
    needed(shutil.which(hub.PROXY), f"{hub.PROXY} (sudo apt install node-{hub.PROXY})")
    needed(shutil.which("useradd"), "useradd")
    closed = hub.first_closed(Path(sys.prefix) / "bin" / "python")
    needed(not closed, f"environment that all accounts may read ({closed} is closed)")
    return chromium


@pytest.fixture(scope="module")
def learners(browser) -> Iterator[list[Learner]]:
    """Two learners who have logged in, each before the first page in their own JupyterLab."""
    with served(browser) as (*both, stranger):
        for learner in both:
            learner.log_in()
        for learner in both:
            learner.wait_for(FIRST)
        both[0].hub.stranger = stranger
        yield both


def test_two_learners_run_a_lesson_side_by_side(learners):
    for learner in learners:
        learner.page.evaluate(RUN)
    assert [learner.page.evaluate("() => ended") for learner in learners] == [False, False]
    for learner in learners:
        learner.page.wait_for_function("() => ended", timeout=240_000)
    for learner in learners:
        cells = [cell for cell in learner.page.evaluate(CELLS) if cell["cell_type"] == "code"]
        assert len(cells) > 5 and all(cell["execution_count"] for cell in cells)
        assert not [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
        assert learner.ask("import getpass, os; print(getpass.getuser(), os.getcwd())") == (
            f"{learner.name} {(learner.home / hub.COPY / 'notebooks' / FIRST.file).parent}"
        )


def test_no_learner_reads_anothers_files(learners):
    for learner, other in (learners, learners[::-1]):
        assert leaks(learner, other) == []


def leaks(learner: Learner, other: Learner) -> list[str]:
    """The ways by which a learner gets at what is another's."""
    found = []
    notebook = f"{hub.COPY}/notebooks/0_start_here.ipynb"
    assert (other.home / notebook).exists()
    assert learner.status(f"/user/{learner.name}/api/contents/{notebook}") == 200
    copied = [path for path in (other.home / hub.COPY).rglob("*") if not path.is_symlink()]
    found += [str(path) for path in copied if path.stat().st_mode & 0o077]
    paths = [f"/user/{other.name}/{page}" for page in (f"api/contents/{notebook}", f"files/{notebook}", "lab", "")]
    paths += [f"/user/{learner.name}/api/contents/{up}/{other.name}" for up in ("..", "%2e%2e", "%2e%2e%2f")]
    found += [path for path in paths if learner.status(path) not in (403, 404)]
    secret = learner.hub.clone / ".hub" / "jupyterhub.sqlite"
    (server,) = other.processes("jupyterhub-singleuser")
    (port,) = {one.laddr.port for one in server.net_connections() if one.status == "LISTEN"}
    direct = f"http://127.0.0.1:{port}/user/{other.name}/api/contents"
    tries = {
        f"open({str(other.home / notebook)!r})": "PermissionError",
        f"import os; os.listdir({str(other.home)!r})": "PermissionError",
        f"open({str(secret)!r})": "PermissionError",
        f"import urllib.request; urllib.request.urlopen({direct!r})": "HTTPError",
    }
    found += [code for code, error in tries.items() if learner.ask(code) != error]
    return found


def test_no_other_account_can_listen_to_a_kernel(learners):
    for learner in learners:
        told = [json.loads(path.read_text()) for path in (learner.home / ".kernels").glob("kernel-*.json")]
        assert told and {one["transport"] for one in told} == {"ipc"}  # a port would be open to all accounts
        assert all(one["ip"].startswith(str(learner.home)) for one in told)


def test_a_run_away_process_is_told_so(learners):
    assert learners[0].ask("most = bytearray(9 * 2**30)") == "MemoryError"
    assert learners[0].ask("print(len(bytearray(2**30)))") == str(2**30)


def test_new_lessons_come_and_a_learners_own_work_stays(learners):
    learner = learners[0]
    learner.page.evaluate(ADD_WORDS, "My own words.")
    for lesson in (FIRST, course.lesson("3.1")):
        change_title(learner.hub.clone / "notebooks" / lesson.file)
    (learner.hub.clone / "notebooks" / "new.md").write_text("New.\n")
    commit(learner.hub.clone)
    learner.open(course.lesson("3.1"))
    copy = learner.home / hub.COPY / "notebooks"
    mine, other = (nbformat.read(copy / lesson.file, as_version=4) for lesson in (FIRST, course.lesson("3.1")))
    assert mine.cells[1].source == "My own words."
    assert other.cells[0].source.startswith("# New title")
    assert (copy / "new.md").read_text() == "New.\n"
    for notebook in (mine, other):
        nbformat.validate(notebook)
    if os.environ.get("TALKS_SAVE"):
        save(learner)


def save(learner: Learner) -> None:
    """Writes what a learner's server has taken by now: a lesson run, another opened, the course copied and renewed."""
    (server,) = learner.processes("jupyterhub-singleuser")
    status = dict(line.split(":\t") for line in Path(f"/proc/{server.pid}/status").read_text().splitlines())
    spent = server.cpu_times()
    row = {"process": "server", "processor_seconds": round(spent.user + spent.system, 1)}
    row["peak_memory_mb"] = round(int(status["VmHWM"].split()[0]) * 1024 / 1e6)
    origin = recordings.origin("sudo TALKS_SAVE=1 python3 -m helpers test --all tests/browser/test_hub.py")
    recordings.write(ROOT / "data" / "measured" / "hub.csv", origin, [row])


def change_title(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = "# New title"
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def test_who_is_not_among_the_learners_is_not_let_in(learners):
    stranger = learners[0].hub.stranger
    assert stranger.password == learners[0].password  # which is right: the account is none of a learner
    stranger.log_in()
    stranger.page.wait_for_load_state()
    home = stranger.hub.address + "/hub/home"
    assert learners[0].context.request.get(home).url == home
    assert stranger.context.request.get(home).url.startswith(f"{stranger.hub.address}/hub/login")
    assert stranger.processes("jupyterhub-singleuser") == []


def test_the_idle_culler_may_ask_who_is_idle(learners):
    log = learners[0].hub.log.read_text()
    assert "200 GET /hub/api/users" in log and "403 GET /hub/api/users" not in log


def test_open_homes_are_noticed(learners):
    learner, other = learners
    try:
        for folder, _, files in os.walk(other.home):
            os.chmod(folder, 0o755)
            for file in files:
                os.chmod(Path(folder) / file, 0o644)
        assert any(found.startswith("open(") for found in leaks(learner, other))
    finally:
        other.home.chmod(0o700)
