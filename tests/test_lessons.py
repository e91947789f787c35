"""Every lesson executed again: by nbval as strictly as it can be, and once more with no network at all."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from helpers import course

MARKER = "# NBVAL_IGNORE_OUTPUT"
REASON = "# Why: "
LEAST_COMPARED = 0.8  # of a lesson's code cells
LESSONS = [pytest.param(lesson, id=lesson.number) for lesson in course.lessons()]
# A network of its own, in which only the loopback that a kernel speaks over is up.
ALONE = """
import fcntl, json, socket, struct, sys
from helpers import course, notebooks
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1))
assert [name for number, name in socket.if_nameindex()] == ["lo"], "there is a network"
notebook = notebooks.canonical(notebooks.execute(course.lesson(sys.argv[1])).notebook)
json.dump(notebook, open(sys.argv[2], "w"))
"""


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


def told(cell) -> list[str]:
    """What a cell's outputs say, in the words that do not depend on the machine: pictures by their alternative."""
    words = []
    for output in cell["outputs"]:
        words.append(output.get("text", ""))
        data = output.get("data", {})
        words += [
            json.dumps(data[kind], sort_keys=True)
            for kind in sorted(data)
            if kind.startswith("text/") or "verdict" in kind
        ]
        words.append(json.dumps(output.get("metadata", {}), sort_keys=True))
    return words


@pytest.mark.parametrize("lesson", LESSONS)
def test_nbval_finds_the_stored_outputs_again(lesson, capsys):
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
    command += ["-p", "no:cacheprovider", "-o", "addopts=", "-o", "timeout=280", str(lesson.path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TALKS_SEED": "0"})
    cells = code_cells(read(lesson))
    compared = sum(not is_exempt(cell) for cell in cells)
    with capsys.disabled():
        print(f"\nLesson {lesson.number}: nbval compared {compared} of {len(cells)} code cells.")
    assert done.returncode == 0, done.stdout[-4000:]
    assert f"{len(cells)} passed" in done.stdout
    assert compared >= LEAST_COMPARED * len(cells)


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_exception_gives_a_reason_and_is_followed_by_an_assertion(lesson):
    cells = code_cells(read(lesson))
    for number, cell in enumerate(cells):
        assert ("NBVAL" in source(cell)) == is_exempt(cell), "a marker is the whole comment, or nbval passes over it"
        if is_exempt(cell):
            assert any(line.startswith(REASON) for line in source(cell).splitlines()), f"cell [{number + 1}]: why?"
            assert any(map(asserts, cells[number : number + 2])), f"cell [{number + 1}] is not followed by an assertion"


@pytest.mark.skipif(shutil.which("unshare") is None or os.name != "posix", reason="needs Linux's unshare")
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_says_the_same_with_no_network_at_all(lesson, tmp_path):
    stored, again = read(lesson), tmp_path / "again.ipynb"
    alone = ["unshare", "--map-root-user", "--net", sys.executable, "-c", ALONE, lesson.number, str(again)]
    done = subprocess.run(alone, capture_output=True, text=True, env=os.environ | {"TALKS_SEED": "0"})
    if re.search("unshare.*Operation not permitted", done.stderr):
        pytest.skip("this machine lets nobody make a network of their own")
    assert done.returncode == 0, done.stderr[-2000:]
    pairs = zip(code_cells(stored), code_cells(json.loads(again.read_text())), strict=True)
    for number, (before, after) in enumerate(pairs, 1):
        if not is_exempt(before):
            assert told(before) == told(after), f"code cell [{number}] says something else"
