"""data/glossary.csv holds every term that a lesson sets in bold, under the first lesson that does, and no other."""

import json
import re

import pytest

from helpers import course, glossary

# Bold words that say what follows, or what to press: they define nothing. (What ends in a sign is such a label too.)
LABELS = {"you will be able to", "shift and enter", "on your computer", "in binder", "your predictions"}


def bold_terms(notebook: dict) -> list[str]:
    """The bold words of a notebook's prose that are terms, in order, in small letters."""
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", "\n\n".join(cells), flags=re.DOTALL)
    found = [" ".join(words.split()).lower() for words in re.findall(r"\*\*([^*]+)\*\*", prose)]
    return [words for words in found if words not in LABELS and words[-1] not in ".:?!"]


def listed(term: str, rows: dict) -> str:
    """The term as the glossary has it: in the singular, if not as it stands."""
    return next((form for form in (term, term.removesuffix("s")) if form in rows), term)


def disagreements(rows: list[glossary.Term], notebooks: dict[str, dict]) -> list[str]:
    """Where the glossary and the notebooks, by lesson number, do not fit together, in words."""
    rows, first = {row.term.lower(): row for row in rows}, {}
    for number, notebook in notebooks.items():
        for term in bold_terms(notebook):
            first.setdefault(listed(term, rows), number)
    return (
        [f"lesson {number} defines {term!r}: give it a row" for term, number in first.items() if term not in rows]
        + [f"{term!r} is bold in no lesson: take its row out" for term in rows if term not in first]
        + [
            f"{term!r} is first bold in lesson {first[term]}, and its row says {row.lesson}"
            for term, row in rows.items()
            if first.get(term, row.lesson) != row.lesson
        ]
    )


def stored() -> dict[str, dict]:
    return {one.number: json.loads(one.path.read_text(encoding="utf-8")) for one in course.lessons()}


def test_every_term_of_the_course_is_in_the_glossary_and_nothing_else():
    assert disagreements(glossary.terms(), stored()) == []


def test_every_term_of_the_map_is_in_the_glossary_under_its_lesson():
    rows = {row.term.lower(): row.lesson for row in glossary.terms()}
    taught = {term.lower(): lesson.number for lesson in course.lessons() for term in lesson.teaches}
    assert taught and {term: rows.get(term) for term in taught} == taught


def test_what_does_not_fit_is_named():
    page = {
        "cells": [{"cell_type": "markdown", "source": ["**You will be able to** mind **Gaps**. **Time:** 1 `**x**`"]}]
    }
    gap = glossary.Term("gap", "间隙", "9.1", "A space.")
    assert disagreements([gap], {"9.1": page}) == []
    assert disagreements([], {"9.1": page}) == ["lesson 9.1 defines 'gaps': give it a row"]
    assert disagreements([gap], {"9.0": page}) == ["'gap' is first bold in lesson 9.0, and its row says 9.1"]
    lost = gap._replace(term="train")
    assert disagreements([gap, lost], {"9.1": page}) == ["'train' is bold in no lesson: take its row out"]


def untidy(row: glossary.Term) -> bool:
    """Whether a row has no Chinese name, or a meaning that is not one short sentence or says its own term first."""
    says_itself = row.meaning.lower().startswith(row.term.lower())
    one_sentence = (
        row.meaning[0].isupper()
        and row.meaning.endswith(".")
        and ". " not in row.meaning
        and len(row.meaning.split()) <= 40
    )
    return says_itself or not one_sentence or not re.search(r"[\u4e00-\u9fff]", row.chinese)


def test_every_row_is_tidy():
    assert [row.term for row in glossary.terms() if untidy(row)] == []


@pytest.mark.parametrize(
    "change", [{"chinese": "gap"}, {"meaning": "a space."}, {"meaning": "Gap: a space."}, {"meaning": "A space"}]
)
def test_an_untidy_row_is_noticed(change):
    assert untidy(glossary.Term("gap", "间隙", "9.1", "A space.")._replace(**change))


@pytest.mark.parametrize(
    "rows, problem",
    [
        ("gap,间隙,9.1,A space.\nGap,间隙,9.1,A space.", "'Gap' stands twice"),
        ("gap,,9.1,A space.", "'gap' needs all of"),
    ],
)
def test_a_mistake_in_the_table_is_named(tmp_path, rows, problem):
    table = tmp_path / "glossary.csv"
    table.write_text(f"term,chinese,lesson,meaning\n{rows}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        glossary.read(table)
