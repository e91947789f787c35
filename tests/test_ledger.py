"""The closing lesson's ledger: it says what the notebooks say, by shape and word, whatever state they are in."""

import csv
import json
import re
from collections import Counter

import matplotlib.pyplot as plt
import pytest

from helpers import claims, course, figures, ledger
from helpers.course import Lesson

MIME = "application/vnd.talks-you-can-run.verdict+json"
CLOSING = course.ROOT / "notebooks" / "5_your_verdict.ipynb"


def read_by_hand() -> dict[str, dict]:
    """Every stored verdict, straight from the notebooks' files."""
    found = {}
    for path in (course.ROOT / "notebooks").rglob("[0-9]*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                if MIME in output.get("data", {}):
                    found[output["data"][MIME]["claim"]] = output["data"][MIME]
    return found


def runs_by_hand() -> dict[str, list[str]]:
    found = {}
    for path in (course.ROOT / "data" / "replicated").glob("*.csv"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        for row in csv.DictReader(lines):
            found.setdefault(row["claim"], []).append(row["verdict"])
    return found


def outputs_of(start: str) -> str:
    """The plain text that a cell of the closing lesson has stored."""
    cells = json.loads(CLOSING.read_text(encoding="utf-8"))["cells"]
    cell = next(cell for cell in cells if "".join(cell["source"]).strip().endswith(start))
    return "".join("".join(output["data"]["text/plain"]) for output in cell["outputs"])


def test_the_ledger_agrees_with_the_notebooks():
    by_hand, book = read_by_hand(), ledger.read()
    assert len(by_hand) > 20 and book.notices == []
    assert [one.claim.id for one in book.entries] == list(claims.all_claims())
    judged = {one.claim.id: one.verdict for one in book.entries if one.verdict}
    assert judged.keys() == by_hand.keys()
    for id, found in by_hand.items():
        assert (judged[id].verdict, judged[id].measured) == (found["verdict"], found["measured"])


def test_the_ledger_agrees_with_the_repeats():
    by_hand = runs_by_hand()
    for one in ledger.read().entries:
        again = by_hand.get(one.claim.id, [])
        alike = one.verdict is not None and len(again) > 1 and set(again) == {one.verdict.verdict}
        assert one.replicated == alike, one.claim.id


def test_the_stored_page_agrees_with_the_notebooks():
    """Where this fails, a lesson has been run since: python3 -m helpers run 5 --save."""
    by_hand, kinds = read_by_hand(), Counter(claim.kind for claim in claims.all_claims().values())
    words = Counter(found["verdict"] for found in by_hand.values())
    told = outputs_of("ledger.summary(book)")
    assert re.findall(r"(\d+) (holds|fails|undecided|discussed|no verdict yet)", told) == [
        (str(count), word)
        for word, count in {
            **{word: words[word] for word in ("holds", "fails", "undecided")},
            "discussed": kinds["opinion"],
            "no verdict yet": len(claims.all_claims()) - len(by_hand) - kinds["opinion"],
        }.items()
        if count
    ]
    rows = outputs_of("ledger.judged_table(book.entries)").splitlines()[1:]
    assert [row.split()[0] for row in rows] == [id for id in claims.all_claims() if id in by_hand]
    for row in rows:
        assert f" {by_hand[row.split()[0]]['verdict']} " in row


def made_up(file, ids=("P12", "P13", "P37")) -> Lesson:
    return Lesson("3.1", str(file), "Made up?", "Is it?", ("a", "b"), 5, claims=ids)


def notebook(*verdicts: tuple[str, str]) -> str:
    data = [{"claim": id, "verdict": word, "measured": "8 | 9", "rule": "r", "seeds": [5, 5]} for id, word in verdicts]
    return json.dumps({"cells": [{"cell_type": "code", "outputs": [{"data": {MIME: one}}]} for one in data]})


@pytest.fixture
def small(tmp_path):
    """A ledger of one made-up lesson: P12 holds and was repeated, P13 fails and turned over once, P37 nothing."""
    file = tmp_path / "1_made_up.ipynb"
    file.write_text(notebook(("P12", "holds"), ("P13", "fails")))
    return ledger.read([made_up(file)], {"P12": Counter(holds=5), "P13": Counter(fails=4, holds=1)})


def of(book: ledger.Ledger, id: str) -> ledger.Entry:
    return next(one for one in book.entries if one.claim.id == id)


def test_how_a_claim_stands(small):
    told = {id: (of(small, id).standing, of(small, id).again) for id in ("P12", "P13", "P37", "D16")}
    assert told == {
        "P12": ("holds", "5 of 5"), "P13": ("fails", "4 of 5"), "P37": ("no verdict yet", ""), "D16": ("discussed", "")
    }  # fmt: skip
    assert of(small, "P12").replicated and not of(small, "P13").replicated
    assert "84 claims: 1 holds, 1 fails, 4 discussed, 78 no verdict yet." in ledger.summary(small)
    assert "Of 2 verdicts 2 were repeated under other seeds; 1 came out the same in every run." in ledger.summary(small)


@pytest.mark.parametrize("runs", [{}, {"P12": Counter(holds=1)}, {"P12": Counter(fails=5)}])
def test_no_run_one_run_or_other_verdicts_replicate_nothing(tmp_path, runs):
    (tmp_path / "1.ipynb").write_text(notebook(("P12", "holds")))
    assert not of(ledger.read([made_up(tmp_path / "1.ipynb")], runs), "P12").replicated


@pytest.mark.parametrize(
    "content, kind",
    [
        ("", "is damaged"),
        ('{"cells": [', "is damaged"),
        ("[]", "cannot be read"),
        ('{"cells": 3}', "cannot be read"),
        ('{"no": "cells"}', "cannot be read"),
        (notebook(("P12", "holds"), ("P12", "fails")), "P12 has two verdicts"),
        (notebook(("P01", "holds")), "P01, which is not among"),
        (None, "cannot be read"),
    ],
)
def test_a_damaged_notebook_is_told_and_leaves_its_claims_open(tmp_path, content, kind):
    bad, good = tmp_path / "bad.ipynb", tmp_path / "good.ipynb"
    if content is not None:
        bad.write_text(content)
    good.write_text(notebook(("P37", "fails")))
    book = ledger.read([made_up(bad, ("P12", "P13")), made_up(good, ("P37",))], {})
    assert of(book, "P12").standing == "no verdict yet" and of(book, "P37").standing == "fails"
    assert len(book.notices) == 1 and kind in book.notices[0] and "git restore" in book.notices[0]
    assert book.notices[0] in ledger.summary(book)


@pytest.mark.parametrize("by", ["part", "speaker"])
def test_every_claim_is_in_one_group_and_has_one_mark(small, by):
    grouped = ledger.groups(small.entries, by)
    assert sum(map(len, grouped.values())) == len(small.entries)
    ax, told = ledger.draw(small.entries, by)
    marks = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert len({(line.get_xdata()[0], line.get_ydata()[0]) for line in marks}) == len(small.entries) == len(marks)
    shapes = Counter(line.get_marker() for line in marks)
    assert (shapes["o"], shapes["X"], shapes["_"]) == (1, 1, 4)
    faces = {line.get_marker(): line.get_markerfacecolor() for line in marks}
    assert faces["X"] == "white" != faces["o"], "only what was repeated alike is filled"
    for name in grouped:
        assert f"{name}: " in told
    plt.close(ax.get_figure())


def test_each_standing_has_a_shape_a_colour_and_its_word_in_the_legend(small):
    assert len({style["marker"] for style in ledger.STYLE.values()}) == len(ledger.STYLE)
    taken = {style["color"] for style in figures.STYLE.values()}
    assert not taken & {style["color"] for style in ledger.STYLE.values()}
    ax, _ = ledger.draw(small.entries)
    told = " ".join(text.get_text() for text in ax.get_legend().get_texts())
    assert all(word in told for word in ledger.STYLE)
    plt.close(ax.get_figure())


def test_parts_without_a_lesson_are_to_come(small):
    assert list(ledger.groups(small.entries, "part"))[-1] == "Part 4 (to come)" or "4.1" in {
        lesson.number for lesson in course.lessons()
    }
    with pytest.raises(ValueError, match="by part or by speaker, not by 'year'"):
        ledger.groups(small.entries, "year")


def test_the_words_count_what_the_groups_hold(small):
    told = ledger.in_words(small.entries, "part")
    assert "3 The bitter lesson: 1 holds, 1 fails, 30 no verdict yet; 1 of 2 verdicts repeated alike." in told


def test_settled_and_unsettled_are_all(small):
    open_ones = [one.claim.id for ones in ledger.unsettled(small.entries).values() for one in ones]
    assert sorted([*open_ones, "P12", "P13"]) == sorted(claims.all_claims())
    tables = [ledger.unsettled_table(small.entries, reason) for reason in ledger.unsettled(small.entries)]
    assert sum(len(table.rows) for table in tables) == len(open_ones)
    assert [row[0] for row in ledger.judged_table(small.entries).rows] == ["P12", "P13"]
    assert ledger.judged_table(small.entries).rows[0][4] == "8 | 9"
