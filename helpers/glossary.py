"""The course's terms (data/glossary.csv): English, Chinese, the lesson that defines each, and what it means."""

import csv
import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

from helpers import checksums
from helpers.claims import ROOT


class Term(NamedTuple):
    """A term as its lesson sets it in bold, its Chinese name, the lesson's number, and what it means, in a sentence."""

    term: str
    chinese: str
    lesson: str
    meaning: str


def read(path: Path = ROOT / "data" / "glossary.csv") -> list[Term]:
    """Every term of a table with the columns of Term, in the order in which the course defines them.

    >>> read()[0].chinese
    '单元格'

    Raises ValueError that names the term where one stands twice or has an empty column; Fault where data/glossary.csv
    is missing or damaged.
    """
    terms = [Term(**row) for row in csv.DictReader(io.StringIO(checksums.read(path), newline=""))]
    known = set()
    for one in terms:
        if not all(value and value.strip() for value in one):
            raise ValueError(f"{path.name}: {one.term!r} needs all of {', '.join(Term._fields)}.")
        if one.term.lower() in known:
            raise ValueError(f"{path.name}: {one.term!r} stands twice.")
        known.add(one.term.lower())
    return terms


@cache
def terms() -> list[Term]:
    """The terms in data/glossary.csv.

    >>> [one.lesson for one in terms() if one.term == "token"]
    ['1.5']
    """
    return read()
