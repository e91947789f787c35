"""Measurements that take longer than a lesson may: recorded once, in tables that say where they come from.

Each lesson that shows a recording has a module here, named like it, whose TABLES say what is measured:

    TABLES = [Table("3_1_learning_curves", points, measure, timed=("seconds",))]
"""

import csv
import importlib.util
import io
import re
import subprocess
from collections.abc import Callable, Iterable
from contextlib import nullcontext, redirect_stderr
from datetime import date
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import NamedTuple

from joblib import Parallel, delayed
from tqdm import tqdm

from helpers import checksums, files, measuring
from helpers.course import Lesson
from helpers.environment import ROOT, Fault

FOLDER = ROOT / "data" / "recorded"

Row = dict[str, int | float | str]


class Table(NamedTuple):
    """What one file of data/recorded holds, and how each of its rows is measured.

    `points` are the key columns of each row, in order; `measure(**point)` returns the row's other columns;
    `timed` names those of them that depend on the machine's speed. `at_once` points are measured at the same time,
    each in a process of its own, where one alone would leave cores idle.
    """

    name: str
    points: list[Row]
    measure: Callable[..., Row]
    timed: tuple[str, ...] = ()
    at_once: int = 1


def read(name: str, folder: Path = FOLDER) -> list[Row]:
    """The rows of a recording, numbers as numbers: a column is of int, else of float, else of str.

        recordings.read("3_1_learning_curves")[0]  ->  {"system": "rules", "words": 30, "seed": 0, "errors": 0.61}

    Raises Fault for a file that is missing or damaged, with the command that makes it anew.
    """
    what = checksums.problem(folder / f"{name}.csv")
    if what:
        raise _fault(name, what)
    return _parse(name, folder)[1]


def record(lesson: Lesson) -> None:
    """Measures the points of a lesson's tables that are still missing, and writes each as soon as it is known.

    Raises Fault where the lesson has no recordings.
    """
    module = f"{__name__}.{lesson.module}"
    if importlib.util.find_spec(module) is None:
        raise Fault(f"Lesson {lesson.number} shows no recordings.", "there is nothing to record.")
    for table in importlib.import_module(module).TABLES:
        complete(table, f"python3 -m helpers record {lesson.number}")


def complete(table: Table, command: str, folder: Path = FOLDER) -> None:
    """Measures the missing points of one table, in order; an interruption loses only the point under way.

    Rows of points that the table no longer has are dropped. Raises Fault, before anything is measured, where the file
    cannot be written.
    """
    path = folder / f"{table.name}.csv"
    header, rows = _parse(table.name, folder) if path.exists() else ([], [])
    done = {_key(row, table.points[0]): row for row in rows}
    missing = [point for point in table.points if _key(point, point) not in done]
    if not missing and len(done) == len(table.points):
        print(f"{path.name} is complete: {len(rows)} rows.")
        return
    if missing:
        files.check_writable(path)
        header = _continued(header, origin(command, table.timed))
    measured = Parallel(table.at_once, return_as="generator_unordered")(
        delayed(_row)(table.measure, point, quiet=table.at_once > 1) for point in missing
    )
    bar = tqdm(measured, desc=path.name, total=len(table.points), initial=len(table.points) - len(missing))
    for row in bar:
        bar.set_postfix_str(", ".join(str(row[key]) for key in table.points[0]))
        done[_key(row, table.points[0])] = row
        write(path, header, _wanted(table, done))
    if not missing:
        write(path, header, _wanted(table, done))


def origin(command: str, timed: Iterable[str] | None = None) -> list[str]:
    """Where a table comes from, as the comment lines at its head; the last is the date.

    `timed` names the columns that depend on the machine's speed; without it the head says nothing of speed.
    """
    packages = ", ".join(f"{name} {version(name)}" for name in ("jax", "numpy", "scikit-learn"))
    speed = [] if timed is None else [f"# Depends on the machine's speed: {', '.join(timed) or 'nothing'}"]
    return [
        f"# Recorded by: {command}",
        f"# Commit: {_commit()}",
        f"# Machine: {measuring.machine()}",
        f"# Versions: Python {python_version()}, {packages}",
        *speed,
        f"# Date: {date.today()}",
    ]


def write(path: Path, header: list[str], rows: list[Row]) -> None:
    """Puts a table in place of the one before in a single step: whoever reads it finds the old one or the new one.

    Raises Fault where it cannot be written.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    files.replace(path, "\n".join(header) + "\n" + text.getvalue())
    checksums.accept(path)


def _wanted(table: Table, done: dict[tuple[str, ...], Row]) -> list[Row]:
    keys = [_key(point, point) for point in table.points]
    return [done[key] for key in keys if key in done]


def _key(row: Row, keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(row.get(key)) for key in keys)


def _row(measure: Callable[..., Row], point: Row, quiet: bool) -> Row:
    with redirect_stderr(io.StringIO()) if quiet else nullcontext():  # bars of several processes would mix
        return point | _plain(measure(**point))


def _plain(row: dict) -> Row:
    return {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}


def _continued(before: list[str], now: list[str]) -> list[str]:
    """The header of a file that is added to: it names this run only where this run differs from an earlier one."""
    if not before:
        return now
    new = [line for line in now[:-1] if line not in before]
    return before + ([f"# Continued: {now[-1][2:]}"] + new if new else [])


def _commit() -> str:
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + (" with changes" if _git("status", "--porcelain", "--", "helpers") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _parse(name: str, folder: Path) -> tuple[list[str], list[Row]]:
    try:
        lines = (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise _fault(name, "is missing") from None
    except UnicodeDecodeError:
        raise _fault(name, "is damaged: it is not text") from None
    header = [line for line in lines if line.startswith("#")]
    columns, *rows = list(csv.reader(line for line in lines if not line.startswith("#"))) or [[]]
    if not rows:
        raise _fault(name, "is damaged: it has no rows")
    for number, row in enumerate(rows, 1):
        if len(row) != len(columns):
            raise _fault(name, f"is damaged: row {number} has {len(row)} values, and there are {len(columns)} columns")
    typed = [_typed(column) for column in zip(*rows, strict=True)]
    return header, [dict(zip(columns, row, strict=True)) for row in zip(*typed, strict=True)]


def _typed(column: tuple[str, ...]) -> list[int] | list[float] | tuple[str, ...]:
    for kind in (int, float):
        try:
            numbers = [kind(value) for value in column]
        except ValueError:
            continue
        if tuple(map(str, numbers)) == column:  # 0120 is a row of digits, not a number
            return numbers
    return column


def _fault(name: str, what: str) -> Fault:
    lesson = re.sub(r"^(\d+)_(\d+)_.*", r"\1.\2", name)
    return Fault(
        f"The recording data/recorded/{name}.csv {what}.",
        f"git restore data/recorded/{name}.csv, or delete it and compute it anew: python3 -m helpers record {lesson}",
    )
