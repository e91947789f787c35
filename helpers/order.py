"""A cell that is run before those above it: after Python's NameError, the cell that makes the name, and what to do.

Only a notebook's kernel is concerned, and only once a first cell has imported from helpers. Nothing changes where there
is no NameError. Which lesson it is, we know from the cells that were run: it is the one that holds most of them.
"""

import ast
import json
from typing import NamedTuple

Cells = list[dict]


class Maker(NamedTuple):
    """The cell that makes a name: the heading that it stands under, and its number among the lesson's code cells."""

    heading: str
    number: int


def watch() -> None:
    """Let a NameError in a cell tell which cell above makes the name; nothing outside a notebook.

    >>> watch()
    """
    from IPython import get_ipython

    if hasattr(shell := get_ipython(), "get_parent"):
        shell.set_custom_exc((NameError,), _tell)


def maker(name: str, cells: Cells, before: int) -> Maker | None:
    """The last code cell above the cell with this index that makes the name, or None.

    >>> cells = [{"cell_type": "markdown", "source": "## Set-up"}, {"cell_type": "code", "source": "losses = [3, 2]"}]
    >>> maker("losses", cells, before=2), maker("gains", cells, before=2)
    (Maker(heading='Set-up', number=1), None)
    """
    heading, number, found = "", 0, None
    for cell in cells[:before]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            number += 1
            found = Maker(heading, number) if name in made_by(source) else found
        else:
            heading = next((line.lstrip("# ") for line in source.splitlines() if line.startswith("#")), heading)
    return found


def made_by(source: str) -> set[str]:
    """The names that a cell's code makes for later cells; none where it is no Python.

    >>> sorted(made_by("import numpy as np, helpers.data\\ndef f(x): y = 2\\nfor i in range(2): a, (b, *c) = 1, '23'"))
    ['a', 'b', 'c', 'f', 'helpers', 'i', 'np']
    """
    try:
        nodes = [ast.parse(source)]
    except (SyntaxError, ValueError):
        return set()
    names = set()
    for node in nodes:  # grows while we walk it
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, INNER):
            names.add(getattr(node, "name", None))
            continue  # what a function makes inside stays there
        nodes += ast.iter_child_nodes(node)
    return names - {None}


INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
INNER += (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _tell(shell, kind: type, error: NameError, trace, tb_offset=None) -> None:
    """What IPython calls after a NameError: it shows what it always shows, and our sentence beneath."""
    try:
        if sentence := _sentence(shell, error, trace):
            error.add_note(sentence)
    except Exception:  # whatever it is, the learner must see their own error, not one of ours
        pass
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def _sentence(shell, error: NameError, trace) -> str | None:
    while trace.tb_next:
        trace = trace.tb_next
    if type(error) is not NameError or trace.tb_frame.f_globals is not shell.user_ns:
        return None  # a function's own variable, or a name inside a module: no cell makes it
    cells, here = _place(shell)
    found = maker(error.name, cells, here)
    return found and (
        f"`{error.name}` is made by code cell {found.number} of the lesson, under “{found.heading}”, which has not run "
        "to its end. Run the cells in order, from the top down to this one (menu Run, Run All Above Selected Cell), "
        "and then this one again."
    )


def _place(shell) -> tuple[Cells, int]:
    """The cells of the lesson that most of the executed cells belong to, and the running cell's index among them."""
    from helpers import course

    executed = {source.strip() for source in shell.history_manager.input_hist_raw if source.strip()}
    lessons = [json.loads(lesson.path.read_text(encoding="utf-8"))["cells"] for lesson in course.lessons()]
    cells = max(lessons, key=lambda cells: sum("".join(cell["source"]).strip() in executed for cell in cells))
    parent = shell.get_parent()
    running = parent["metadata"].get("cellId"), parent["content"]["code"].strip()
    for i, cell in enumerate(cells):
        if cell["id"] == running[0] or "".join(cell["source"]).strip() == running[1]:
            return cells, i
    return cells, len(cells)
