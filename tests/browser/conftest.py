"""A real browser for the tests beside this file, the book as a server gives it out, and JupyterLab."""

import functools
import http.server
import importlib.util
import shutil
import threading
from collections.abc import Callable, Iterator

import pytest

from helpers import course
from tests.browser import lab
from tests.conftest import needed

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# What JupyterLab tells its console although nothing is wrong.
ALLOWED_IN_LAB = (
    "ERR_ABORTED",  # a reload cuts off the requests that are under way, such as the list of files
    "Canceled future for",  # a restarted kernel answers nothing that its forerunner was asked
)
OPTIONS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"


@pytest.fixture(scope="session")
def chromium():
    """Chromium as the machine has it, driven by Playwright."""
    needed(importlib.util.find_spec("playwright"), "Playwright")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    needed(found, "Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=OPTIONS.split())
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """A way to open an address in a new window of some width and colours; the windows close after the test."""
    contexts = []

    def open_page(width: int = 1280, colours: str = "light"):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=colours))
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()


def watched(page, home: str) -> list[str]:
    """A list that fills with what goes wrong in a page: errors told in its console, and requests that fail or leave."""
    faults = []
    page.on("console", lambda told: told.type == "error" and faults.append(f"console: {told.text}"))
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}, {request.failure}"))
    page.on("response", lambda answer: answer.status >= 400 and faults.append(f"{answer.status}: {answer.url}"))

    def leaves(request) -> None:
        if not request.url.startswith((home, "data:", "blob:", "about:")):
            faults.append(f"another site: {request.url}")

    page.on("request", leaves)
    return faults


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that keeps its log to itself."""

    def log_message(self, *_) -> None:
        pass


@pytest.fixture(scope="session")
def book(site) -> Iterator[str]:
    """The address of the book on this machine's own server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def server(chromium, tmp_path_factory) -> Iterator[lab.Server]:
    """JupyterLab in a fresh clone of the project."""
    started = lab.Server(tmp_path_factory.mktemp("lab"))
    try:
        started.wait()
        yield started
    finally:
        started.stop()


@pytest.fixture
def open_lesson(server, opened) -> Iterator[Callable[[str], lab.Lesson]]:
    """A way to open a lesson in JupyterLab, beside those open already; afterwards nothing in the page was wrong."""
    server.predictions.unlink(missing_ok=True)
    page = opened()
    page.add_init_script(path=lab.LAB)
    faults = watched(page, server.address)

    def open_lesson(number: str) -> lab.Lesson:
        path = f"notebooks/{course.lesson(number).file}"
        if page.url == "about:blank":
            page.goto(f"{server.address}lab/tree/{path}?reset")
        else:
            page.evaluate("path => jupyterapp.commands.execute('docmanager:open', {path})", path)
        return lab.Lesson(page, path).wait()

    yield open_lesson
    wrong = [fault for fault in faults if not any(allowed in fault for allowed in ALLOWED_IN_LAB)]
    page.close()
    server.end_kernels()
    assert wrong == []
