"""A check inside a real kernel: an endless loop is stopped there, and what follows prints where it should."""

import nbformat
import pytest
from nbclient import NotebookClient

LOOP = """
def my_edit_distance(first, second):
    while True:
        try:
            print("still here")
        except:
            pass
"""
CELLS = [
    "from helpers.exercises import rules_or_gradient_descent as exercises",
    "def my_edit_distance(first, second): ...\nexercises.edit_distance.check(my_edit_distance)",
    "def my_edit_distance(first, second):\n    return first[9]\nexercises.edit_distance.check(my_edit_distance)",
    LOOP.replace('print("still here")', "first") + "exercises.edit_distance.check(my_edit_distance, seconds=0.5)",
    LOOP + "exercises.edit_distance.check(my_edit_distance, seconds=20)",
    "def my_edit_distance(first, second):\n    return int(input())\nexercises.edit_distance.check(my_edit_distance)",
    "import signal, threading\nthreading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()\n"
    "exercises.edit_distance.check(lambda first, second: threading.Event().wait(), seconds=20)",
    "print('printed'); import sys; print('to stderr', file=sys.stderr)",
    "exercises.edit_distance.check(exercises.edit_distance.reference)",
    "exercises.edit_distance.hint()",
    "exercises.edit_distance.solution()",
]


@pytest.fixture(scope="module")
def executed():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def shown(outputs: list) -> str:
    assert [output.output_type for output in outputs] == ["execute_result"]
    assert outputs[0].data["text/html"].startswith("<div")
    return " ".join(outputs[0].data["text/plain"].split())


def test_each_check_is_one_output_in_words(executed):
    assert shown(executed[1]).startswith("Not attempted yet. Write `my_edit_distance(first, second)`")
    assert shown(executed[2]).endswith(
        "raised IndexError: string index out of range, in line 2: `return first[9]`. This is the smallest case that "
        "goes wrong; 0 of 82 come out right. It is none of the mistakes that this check knows: follow your code by "
        "hand through this case, or ask for a hint with `exercises.edit_distance.hint()`."
    )
    assert "was not finished after 0.5 seconds, and was stopped." in shown(executed[3])
    assert "printed more than a million characters, and was stopped." in shown(executed[4])
    assert "asks for typed input" in shown(executed[5])
    assert "was stopped because you interrupted the check." in shown(executed[6])


def test_the_kernel_goes_on_as_before(executed):
    streams = {output.name: output.text for output in executed[7]}
    assert streams == {"stdout": "printed\n", "stderr": "to stderr\n"}
    assert shown(executed[8]) == "Correct. Right in all 82 cases."
    assert shown(executed[9]).startswith("Hint 1 of 3.")
    assert "def my_edit_distance" in shown(executed[10])
