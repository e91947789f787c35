"""Every lesson executed again, with no network at all, and compared by nbval as strictly as it can be."""

import ast
import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from helpers import course
from tests.conftest import needed

MARKER = "# NBVAL_IGNORE_OUTPUT"
REASON = "# Why: "
LEAST_COMPARED = 0.8  # of a lesson's code cells
LESSONS = [pytest.param(lesson, id=lesson.number) for lesson in course.lessons()]
# nbval, and beside it what it passes over: the metadata of outputs, where pictures have their alternative texts.
# With "alone" it runs in a network of its own, in which only the loopback that a kernel speaks over is up.
NBVAL = """
import fcntl, json, socket, struct, sys
import pytest

class Metadata:
    def __init__(self):
        self.cells = []

    def pytest_runtest_teardown(self, item):
        self.cells.append([output["metadata"] for output in item.test_outputs if output.get("metadata")])

where, found, *options = sys.argv[1:]
if where == "alone":
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1))
    assert [name for number, name in socket.if_nameindex()] == ["lo"], "there is a network"
metadata = Metadata()
status = pytest.main(options, plugins=[metadata])
json.dump(metadata.cells, open(found, "w"))
sys.exit(status)
"""
UNSHARE = ["unshare", "--map-root-user", "--net"]


def code_cells(notebook) -> list:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell) -> str:
    return "".join(cell["source"])


def is_exempt(cell) -> bool:
    return MARKER in source(cell).splitlines()


def asserts(cell) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source(cell))))


def read(lesson):
    return nbformat.read(lesson.path, as_version=4)


@pytest.fixture(scope="module")
def without_network():
    """The start of a command that runs with no network; nothing on a machine that lets nobody make one of their own."""
    can = shutil.which("unshare") and subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0
    return UNSHARE if can else []


def test_this_machine_can_take_the_network_away(without_network):
    needed(without_network, "unshare, or no right to make a network of one's own,")


REACHING_OUT = [
    "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=20)",  # an address that nobody has
    "import socket\nsocket.getaddrinfo('example.org', 80)",
    "from urllib.request import urlopen\nurlopen('http://192.0.2.1', timeout=20)",
    "import subprocess, sys\nresolve = 'import socket; socket.getaddrinfo(\"example.org\", 80)'\n"
    "subprocess.run([sys.executable, '-c', resolve], check=True)",
]
WITHIN = "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
WITHIN += "socket.create_connection(server.getsockname(), timeout=20).close()"


def test_a_cell_that_reaches_out_fails_as_a_lessons_would(without_network, tmp_path):
    needed(without_network, "unshare, or no right to make a network of one's own,")
    cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in (WITHIN, *REACHING_OUT)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "lesson.ipynb")
    done = by_nbval(tmp_path / "lesson.ipynb", without_network, tmp_path / "metadata.json")
    assert done.returncode == 1, done.stdout[-2000:]
    assert "4 failed, 1 passed" in done.stdout  # loopback is there: kernels speak over it
    for words in ("Network is unreachable", "gaierror", "urlopen error", "CalledProcessError"):
        assert words in done.stdout


def by_nbval(path, without_network, found) -> subprocess.CompletedProcess:
    """Executes a notebook under nbval, with no network where that can be."""
    command = [*without_network, sys.executable, "-c", NBVAL, "alone" if without_network else "any", str(found)]
    command += ["-q", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", "-p", "no:cacheprovider"]
    command += ["-o", "addopts=", "-o", "timeout=280", str(path)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TALKS_SEED": "0"})


@pytest.mark.parametrize("lesson", LESSONS)
def test_nbval_finds_the_stored_outputs_again_with_no_network_at_all(lesson, without_network, tmp_path, capsys):
    found = tmp_path / "metadata.json"
    done = by_nbval(lesson.path, without_network, found)
    cells = code_cells(read(lesson))
    compared = sum(not is_exempt(cell) for cell in cells)
    with capsys.disabled():
        print(f"\nLesson {lesson.number}: nbval compared {compared} of {len(cells)} code cells.")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert f"{len(cells)} passed" in done.stdout
    assert compared >= LEAST_COMPARED * len(cells)
    for number, (cell, again) in enumerate(zip(cells, json.loads(found.read_text()), strict=True), 1):
        if not is_exempt(cell):
            assert [output.metadata for output in cell.outputs if output.get("metadata")] == again, f"cell [{number}]"


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_exception_gives_a_reason_and_is_followed_by_an_assertion(lesson):
    cells = code_cells(read(lesson))
    for number, cell in enumerate(cells):
        assert ("NBVAL" in source(cell)) == is_exempt(cell), "a marker is the whole comment, or nbval passes over it"
        if is_exempt(cell):
            assert any(line.startswith(REASON) for line in source(cell).splitlines()), f"cell [{number + 1}]: why?"
            assert any(map(asserts, cells[number : number + 2])), f"cell [{number + 1}] is not followed by an assertion"
