"""Binder's image: the recipe that repo2docker makes of .binder, and its steps, taken by an ordinary user, no Docker."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from helpers import course
from helpers.environment import ROOT
from tests.conftest import REPOSITORY, needed

pytestmark = pytest.mark.timeout(900)  # seconds: an image takes one minute, and more where the network is slow

FIRST = course.lesson("0")
NOBODY = 65534  # who takes the image's steps where the tests run as root
PUBLIC = course.course()._replace(repository=REPOSITORY)
OLDEST_PYTHON = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")

LESSON_IS_OPEN = """() => {
  const shell = window.jupyterapp?.shell, kernel = shell?.currentWidget?.sessionContext?.session?.kernel;
  return kernel?.status === "idle" && shell.currentWidget.content.model.cells.length > 0;
}"""
STATE = """() => {
  const panel = window.jupyterapp.shell.currentWidget, cells = [...panel.content.model.cells];
  const code = cells.filter(cell => cell.type === "code" && cell.sharedModel.source.trim());
  return {
    path: panel.context.path,
    trusted: code.map(cell => cell.trusted),
    counts: code.map(cell => cell.executionCount),
    asks: window.jupyterapp.hasPlugin("@jupyterlab/apputils-extension:announcements"),
    errors: code.flatMap(cell => cell.outputs.toJSON()).filter(output => output.output_type === "error"),
  };
}"""
CONTROLS_SHOWN = """async () => {
  const notebook = window.jupyterapp.shell.currentWidget.content, shown = [];
  for (const [place, cell] of notebook.widgets.entries()) {
    const views = (cell.model.sharedModel.outputs ?? []).filter(
      output => output.data?.["application/vnd.jupyter.widget-view+json"]);
    if (!views.length) continue;
    await notebook.scrollToItem(place, "start");
    for (let wait = 0; wait < 100 && !cell.node.querySelector(".jupyter-widgets"); wait++)
      await new Promise(done => setTimeout(done, 50));
    shown.push(Boolean(cell.node.querySelector(".jupyter-widgets")));
  }
  return shown;
}"""


# The recipe


def recipe_of(folder: Path) -> str:
    """What repo2docker would hand to Docker, with the user that Binder names."""
    command = [
        sys.executable,
        "-m",
        "repo2docker",
        "--no-build",
        "--debug",
        "--user-id=1000",
        "--user-name=jovyan",
        ".",
    ]
    no_docker = {**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:9"}
    made = subprocess.run(command, cwd=folder, env=no_docker, capture_output=True, text=True)
    if "No module named repo2docker" in made.stderr:
        needed(None, "repo2docker")
    assert made.returncode == 0, made.stderr
    return made.stdout


def instructions(recipe: str) -> list[tuple[str, str]]:
    """The recipe's lines as pairs of a word such as RUN and what follows it."""
    lines = "\n".join(line for line in recipe.splitlines() if not line.lstrip().startswith("#"))
    found = re.findall(r"^([A-Z]+) (.*)$", re.sub(r"\\\n", " ", lines), re.MULTILINE)
    return [(word, rest.strip()) for word, rest in found]


def steps(recipe: str) -> list[tuple[str, str]]:
    """Who runs what, once the repository's files are in the image: pairs of a user and a command."""
    found, user, copied = [], "root", False
    for word, rest in instructions(recipe):
        if word == "USER":
            user = rest
        elif word == "COPY" and rest.endswith("src/ ${REPO_DIR}/"):
            copied = True
        elif word == "RUN" and copied:
            found.append((user, rest))
    return found


def faults(recipe: str) -> list[str]:
    """What keeps the recipe from making the image that the course needs, in words."""
    pythons = re.findall(r"environment-2epy-2d(\d+)-2e(\d+)-2dlinux", recipe)
    problems = [] if [".".join(one) for one in pythons] == [OLDEST_PYTHON] else [f"it has the Pythons {pythons}"]
    commands = [command for _, command in steps(recipe)]
    installs = [
        place for place, one in enumerate(commands) if "bin/pip install" in one and ".binder/requirements.txt" in one
    ]
    built = [place for place, one in enumerate(commands) if one == "./.binder/postBuild"]
    problems += [] if len(installs) == 1 else ["it does not install the lock"]
    problems += [] if len(built) == 1 else ["it does not run postBuild"]
    problems += ["it runs postBuild before the lock is there"] if built < installs and built else []
    problems += [f"{user} runs {command}" for user, command in steps(recipe) if user != "${NB_USER}"]
    users = [rest for word, rest in instructions(recipe) if word == "USER"]
    return problems + ([] if users[-1:] == ["${NB_USER}"] else ["who uses it is not an ordinary user"])


@pytest.fixture(scope="module")
def recipe() -> str:
    return recipe_of(ROOT)


def test_the_recipe_is_the_one_that_the_course_needs(recipe):
    assert faults(recipe) == []


def test_the_recipes_lock_is_the_roots_and_no_copy_of_it():
    lines = (ROOT / ".binder" / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == ["-r ../requirements.txt"]


def test_a_step_of_post_build_that_fails_stops_the_image():
    post_build = ROOT / ".binder" / "postBuild"
    assert "\nset -e" in post_build.read_text()
    assert os.access(post_build, os.X_OK)


@pytest.mark.parametrize(
    ("lost", "fault"),
    [
        ("runtime.txt", "it has the Pythons"),
        ("requirements.txt", "it does not install the lock"),
        ("postBuild", "it does not run postBuild"),
    ],
)
def test_what_is_missing_in_binders_folder_is_noticed(tmp_path, lost, fault):
    shutil.copytree(ROOT / ".binder", tmp_path / ".binder")
    (tmp_path / ".binder" / lost).unlink()
    assert any(fault in found for found in faults(recipe_of(tmp_path)))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("USER ${NB_USER}\nRUN ${KERNEL", "USER root\nRUN ${KERNEL", "root runs ${KERNEL_PYTHON_PREFIX}/bin/pip"),
        ("# Add start script", "USER root", "who uses it is not an ordinary user"),
    ],
)
def test_a_recipe_that_works_as_root_is_noticed(recipe, old, new, fault):
    assert recipe.count(old) == 1
    assert any(fault in found for found in faults(recipe.replace(old, new)))


# The image, without Docker


class Image(NamedTuple):
    """The folder that stands for the image's root, the recipe's settings for bash, and who works in it."""

    folder: Path
    settings: str
    user: dict

    @property
    def home(self) -> Path:
        return self.folder / "home" / "jovyan"

    def start(self, command: str, where: str = ".") -> subprocess.Popen:
        variables = {
            name: value for name, value in os.environ.items() if re.match("PIP_|.*_proxy$", name, re.IGNORECASE)
        }
        variables |= {"PATH": os.defpath, "NB_USER": "jovyan", "PIP_CONFIG_FILE": str(self.folder / "pip.conf")}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        script = ["bash", "-c", f"{self.settings}\n{command}"]
        return subprocess.Popen(script, cwd=self.home / where, env=variables, **streams, **self.user)

    def run(self, command: str, where: str = ".") -> str:
        process = self.start(command, where)
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, f"{command}\n{said}"
        return said


def settings(recipe: str, folder: Path) -> str:
    """The recipe's variables as lines for bash, with the image's own folders below another one."""
    moved = [(word, re.sub(r"=/(srv|home)\b", rf"={folder}/\1", rest)) for word, rest in instructions(recipe)]
    moved = [(word, rest.replace("en_US.UTF-8", "C.UTF-8")) for word, rest in moved]  # the image makes the first one
    return "\n".join(f"export {rest}" for word, rest in moved if word == "ENV" or (word == "ARG" and "=" in rest))


def python_of(user: dict) -> str | None:
    """A Python that the course runs on and this user may start: in root's own folders, say, it may not."""
    code = f"import sys, venv, ensurepip; assert sys.version_info >= {tuple(map(int, OLDEST_PYTHON.split('.')))}"
    for python in filter(None, [sys._base_executable, *map(shutil.which, ["python3.11", "/usr/bin/python3"])]):
        try:
            if subprocess.run([python, "-c", code], cwd="/", capture_output=True, **user).returncode == 0:
                return python
        except PermissionError:
            continue
    return None


@pytest.fixture(scope="module")
def image(recipe, chromium) -> Iterator[Image]:
    """The image after its recipe's last step."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    python = python_of(user)
    needed(python, f"Python {OLDEST_PYTHON} that an ordinary user may start")
    with tempfile.TemporaryDirectory(prefix="binder-") as name:
        folder = Path(name)
        made = Image(folder, settings(recipe, folder), user)
        tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for path in filter(None, tracked.split("\0")):
            (made.home / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, made.home / path)
        own_settings = Path("~/.config/pip/pip.conf").expanduser()  # where packages come from on this machine
        shutil.copy(own_settings if own_settings.is_file() else os.devnull, folder / "pip.conf")
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user.get("user", -1), user.get("group", -1))
        made.run(f"{python} -m venv $NB_PYTHON_PREFIX")  # in the place of Conda's
        for _, command in steps(recipe):
            made.run(command)
        yield made


@pytest.fixture(scope="module")
def server(image) -> Iterator[tuple[psutil.Process, str, str]]:
    """JupyterLab in the image, as Binder starts it: its process, its address and its token."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex()
    options = f"--ip=127.0.0.1 --port={port} --ServerApp.port_retries=0 --IdentityProvider.token={token}"
    log = image.folder / "lab.log"
    process = image.start(f"exec jupyter lab --no-browser {options} --LabApp.expose_app_in_browser=True > {log} 2>&1")
    address, deadline = f"http://127.0.0.1:{port}/", time.monotonic() + 60
    while not answers(address + "api"):
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    yield psutil.Process(process.pid), address, token
    for one in [*psutil.Process(process.pid).children(recursive=True), process]:
        one.kill()
    process.communicate()  # nothing more, and the pipe is closed


def answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def first_page(chromium, server):
    """The first lesson in JupyterLab, by the path in its link."""
    _, address, token = server
    (path,) = parse_qs(urlsplit(course.binder_link(PUBLIC, FIRST)).query)["urlpath"]
    page = chromium.new_page()
    page.goto(f"{address}{path}?token={token}")
    page.wait_for_function(LESSON_IS_OPEN, timeout=60_000)
    yield page
    page.close()


def test_the_image_is_an_ordinary_users(image, server):
    process, _, _ = server
    assert 0 not in process.uids()
    assert image.run("id -u").strip() != "0"


def test_a_lesson_finds_what_it_shares_with_the_others(image):
    lesson = course.lesson("3.1")
    said = image.run("python -c 'import helpers; print(helpers.__file__)'", f"notebooks/{Path(lesson.file).parent}")
    assert said.strip() == str(image.home / "helpers" / "__init__.py")


def test_every_notebook_is_trusted(server):
    _, address, token = server
    for lesson in course.lessons():
        request = urllib.request.Request(
            f"{address}api/contents/notebooks/{lesson.file}", headers={"Authorization": f"token {token}"}
        )
        cells = json.load(urllib.request.urlopen(request))["content"]["cells"]
        assert all(cell["metadata"]["trusted"] for cell in cells if cell["cell_type"] == "code"), lesson.number


def test_the_link_opens_its_lesson_trusted_with_its_controls_and_without_a_question(first_page):
    state = first_page.evaluate(STATE)
    assert state["path"] == f"notebooks/{FIRST.file}"
    assert len(state["trusted"]) > 5 and all(state["trusted"])
    shown = first_page.evaluate(CONTROLS_SHOWN)
    assert len(shown) > 2 and all(shown)
    assert not state["asks"], "JupyterLab asks whether it may fetch news"


def test_the_lesson_runs_there_from_top_to_bottom(first_page):
    for command, ran in [("clear-all-cell-outputs", False), ("run-all-cells", True)]:
        first_page.evaluate("command => window.jupyterapp.commands.execute(command)", f"notebook:{command}")
        state = first_page.evaluate(STATE)
        assert [bool(count) for count in state["counts"]] == [ran] * len(state["trusted"])
    assert state["errors"] == []
