"""A real browser for the tests beside this file, and the book as a server gives it out."""

import functools
import http.server
import importlib.util
import shutil
import threading
from collections.abc import Iterator

import pytest

from tests.conftest import needed

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
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
