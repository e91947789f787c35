"""A real JupyterLab, started as the README says but from a fresh clone, and a lesson in it, driven by keyboard."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from helpers.environment import ROOT

# What `python3 -m helpers lab` does, with this Python in the place of .venv's, and open to a test: no token to type,
# and the page's own objects within reach, because a long notebook draws only those of its cells that are in view.
START = """
import os, sys
from helpers import __main__ as commands, environment
OPEN = ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--LabApp.expose_app_in_browser=True"]
environment.ensure = lambda: None
environment.running_inside = lambda: True
environment.hand_over = lambda rest: os.execv(sys.executable, [sys.executable, *rest, *OPEN])
sys.exit(commands.main())
"""
PRIVATE = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")


def clone(folder: Path) -> Path:
    """The project's files as git knows them, with what is not committed yet, in a new folder."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


class Server:
    """JupyterLab in a clone, on this machine alone, with settings and predictions of its own."""

    def __init__(self, folder: Path):
        self.root, self.private = clone(folder / "clone"), folder / "private"
        self.private.mkdir()
        self.predictions, self.log = self.private / "predictions.json", self.private / "log.txt"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/"
        self.process = self._start()

    def _start(self) -> subprocess.Popen:
        own = {f"JUPYTER_{name}": str(self.private / name.lower()) for name in PRIVATE}
        own |= {f"JUPYTERLAB_{name}_DIR": str(self.private / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
        own |= {"IPYTHONDIR": str(self.private / "ipython"), "TALKS_PREDICTIONS": str(self.predictions)}
        own |= {"PYTHONPATH": str(self.root), "JUPYTER_PREFER_ENV_PATH": "1"}
        command = [sys.executable, "-c", START, "lab", "--no-browser", "--port", str(self.port)]
        with self.log.open("wb") as log:
            return subprocess.Popen(command, cwd=self.root, env=os.environ | own, stdout=log, stderr=log)

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(600):
            assert self.process.poll() is None, self.log.read_text()
            try:
                self.ask("api/status")
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"JupyterLab did not start: {self.log.read_text()}")

    def ask(self, path: str, method: str = "GET"):
        """What its interface answers."""
        with urllib.request.urlopen(urllib.request.Request(self.address + path, method=method), timeout=30) as answer:
            told = answer.read()
        return json.loads(told) if told else None

    def end_kernels(self) -> None:
        """Ends what the lessons opened so far have started."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", "DELETE")

    def stop(self) -> None:
        """Ends the kernels, then the server."""
        if self.process.poll() is None:
            self.end_kernels()
        self.process.terminate()
        self.process.wait(30)


LAB = Path(__file__).with_suffix(".js")  # what every page knows
READY = """path => {
    const panel = window.panelOf?.(path), session = panel?.sessionContext;
    return session?.isReady && session.session?.kernel?.status === "idle" && panel.content.widgets.length > 0;
}"""


class Lesson:
    """A lesson in a page of JupyterLab, by its notebook's path in the clone."""

    def __init__(self, page, path: str):
        self.page, self.path = page, path

    def ask(self, function: str, *arguments):
        """What one of lab.js's functions answers."""
        return self.page.evaluate(f"given => {function}(...given)", [self.path, *arguments])

    def wait(self) -> "Lesson":
        """Until its kernel is ready; from then on its messages are watched."""
        self.page.wait_for_function(READY, arg=self.path)
        self.ask("watchKernel")
        return self

    def begin(self, command: str) -> None:
        """One of JupyterLab's commands, for this notebook among those open."""
        self.ask("begin", command)

    def finish(self) -> None:
        """Until the command is done and the kernel has dealt with all that was sent."""
        self.ask("finish")

    def run_all(self) -> None:
        """From top to bottom, until the kernel is idle."""
        self.begin("notebook:run-all-cells")
        self.finish()

    def run_cells(self, *codes: str) -> None:
        """The cells that have these pieces of code in them, one after another."""
        for place in [place for code in codes for place in self.places(code)]:
            self.cell(place)
            self.begin("notebook:run-cell")
            self.finish()

    def cells(self) -> list[dict]:
        """Source, execution count, errors and text of every cell, from the notebook's model."""
        return self.ask("cellsOf")

    def places(self, what: str) -> list[int]:
        """The cells whose code has this in it."""
        return [place for place, cell in enumerate(self.cells()) if cell["code"] and what in cell["source"]]

    def cell(self, place: int):
        """A cell, scrolled into view."""
        self.ask("showCell", place)
        return self.page.locator(f"#{self.ask('idOf')} [data-windowed-list-index='{place}']")

    def press(self, control, *keys: str) -> None:
        """Keys for one control, until the kernel has dealt with them."""
        control.focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.ask("quiet")

    def write(self, field, text: str) -> None:
        """A text in place of the one in a field."""
        field.focus()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)
        self.press(field, "Enter")

    @property
    def faults(self) -> list[str]:
        """The errors among its kernel's messages so far."""
        return self.page.evaluate("path => talks[path].faults", self.path)
