"""The ledger of all claims as the closing lesson draws it: every claim with its part, its verdict and its repeats.

Verdicts and repeats are read by `helpers.course`, as for the README's ledger; here they are sorted, drawn and told.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from textwrap import shorten

from matplotlib.axes import Axes

from helpers import course, figures
from helpers.claims import SYMBOLS, Claim, all_claims
from helpers.course import Lesson, Verdict
from helpers.predictions import Sentence
from helpers.widgets import Table

DISCUSSED, OPEN = "discussed", "no verdict yet"
# Shape and word tell a verdict without its colour. The colours are none of the seven that have a meaning of their own.
STYLE = {
    "holds": {"marker": "o", "color": "#1F3A93"},
    "fails": {"marker": "X", "color": "#8C1C13"},
    "undecided": {"marker": "D", "color": "#5A5A5A"},
    DISCUSSED: {"marker": "_", "color": "#5A5A5A"},
    OPEN: {"marker": ".", "color": "#9A9A9A"},
}
TO_COME = "Part {} (to come)"
ACROSS = 24  # marks in a row
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True)
class Entry:
    """A claim and how it stands; `verdict` is None without one, `runs` counts its verdicts under other seeds."""

    claim: Claim
    part: str
    verdict: Verdict | None = None
    runs: Counter | None = None

    @property
    def standing(self) -> str:
        """One of the words of STYLE."""
        if self.claim.kind == "opinion":
            return DISCUSSED
        return self.verdict.verdict if self.verdict else OPEN

    @property
    def replicated(self) -> bool:
        """Whether two runs or more, each under a seed of its own, gave this verdict, and none another."""
        return bool(self.verdict and self.runs and self.runs[self.standing] == self.runs.total() > 1)

    @property
    def again(self) -> str:
        """How often the verdict came out again; "" where nobody counted."""
        return f"{self.runs[self.standing]} of {self.runs.total()}" if self.verdict and self.runs else ""


@dataclass(frozen=True)
class Ledger:
    """All claims in order, and a sentence for each notebook that could not be read."""

    entries: list[Entry]
    notices: list[str]


def read(lessons: list[Lesson] | None = None, runs: dict[str, Counter] | None = None) -> Ledger:
    """Every claim with the verdict that its lesson's notebook holds now: in the learner's copy, the learner's own.

    A notebook that cannot be read, or whose verdicts contradict each other, is told in a notice; its claims stay open.

    >>> len(read().entries)
    84
    """
    judged, notices = {}, []
    for lesson in course.lessons() if lessons is None else lessons:
        try:
            judged |= {verdict.claim: verdict for verdict in course.verdicts([lesson])}
        except UNREADABLE as error:
            kind = "is damaged" if isinstance(error, json.JSONDecodeError) else f"cannot be read ({error})"
            notices.append(
                f"The notebook of lesson {lesson.number} {kind}: its claims are shown without a verdict. "
                f"Bring it back with: git restore notebooks/{lesson.file}"
            )
    runs = course.replicated() if runs is None else runs
    entries = [Entry(claim, _part(claim), judged.get(id), runs.get(id)) for id, claim in all_claims().items()]
    return Ledger(entries, notices)


def _part(claim: Claim) -> str:
    number = claim.lesson.split(".")[0]
    titles = {part.number: f"{part.number} {part.title}" for part in course.course().parts}
    taught = {lesson.part for lesson in course.lessons() if "." in lesson.number}
    return titles[number] if number in titles and number in taught else TO_COME.format(number)


def groups(entries: list[Entry], by: str) -> dict[str, list[Entry]]:
    """The claims of each "part" (in order) or "speaker" (who claims most comes first).

    Raises ValueError for anything else.
    """
    keys: dict[str, Callable[[Entry], str]] = {"part": lambda one: one.part, "speaker": lambda one: one.claim.speaker}
    if by not in keys:
        raise ValueError(f"Claims are grouped by part or by speaker, not by {by!r}.")
    names = Counter(keys[by](one) for one in entries)
    order = sorted(names) if by == "part" else sorted(names, key=lambda name: (-names[name], name))
    return {name: [one for one in entries if keys[by](one) == name] for name in order}


def counts(entries: list[Entry]) -> str:
    """How some claims stand, in words, the words of STYLE in their order.

    >>> counts(read().entries[:0])
    'none'
    """
    found = Counter(one.standing for one in entries)
    return ", ".join(f"{found[word]} {word}" for word in STYLE if found[word]) or "none"


def summary(ledger: Ledger) -> Sentence:
    """The whole ledger in a sentence or two, and what could not be read."""
    judged = [one for one in ledger.entries if one.verdict]
    again = [one for one in judged if one.runs]
    same = sum(one.replicated for one in again)
    told = f"{len(ledger.entries)} claims: {counts(ledger.entries)}."
    told += f" Of {len(judged)} verdicts {len(again)} were repeated under other seeds"
    told += f"; {same} came out the same in every run." if again else "."
    return Sentence(" ".join([told, *ledger.notices]))


def draw(entries: list[Entry], by: str = "part") -> tuple[Axes, str]:
    """One mark a claim, a row for each part or speaker: the axes, and the same in words."""
    grouped = groups(entries, by)
    lines = {name: -(-len(ones) // ACROSS) for name, ones in grouped.items()}
    ax = figures.axes(width=7.2, height=1.9 + 0.36 * sum(lines.values()) + 0.1 * len(lines))
    ticks, top = {}, 0.0
    for name, ones in grouped.items():
        for place, one in enumerate(sorted(ones, key=lambda one: list(STYLE).index(one.standing))):
            _mark(ax, place % ACROSS + 1, top + place // ACROSS, one)
        ticks[name] = top + (lines[name] - 1) / 2
        top += lines[name] + 0.3
    ax.set_yticks(list(ticks.values()), [name.replace(" and ", "\nand ") for name in ticks])
    ax.set(xlim=(0.3, ACROSS + 0.7), ylim=(top - 0.2, -0.8))
    ax.grid(False)
    figures.label(ax, f"The ledger by {by}: one mark a claim", "claims", "")
    _legend(ax, top)
    return ax, in_words(entries, by)


def _mark(ax: Axes, x: float, y: float, one: Entry) -> None:
    style = STYLE[one.standing]
    face = style["color"] if one.replicated or one.standing in (DISCUSSED, OPEN) else "white"
    size = 7.5 if style["marker"] == "D" else 10  # a square on its corner is wider
    ax.plot(x, y, style["marker"], color=style["color"], markerfacecolor=face, markersize=size, markeredgewidth=1.6)


def _legend(ax: Axes, rows: float) -> None:
    for word, style in STYLE.items():
        name = f"{SYMBOLS[word]} {word}" if word in SYMBOLS else word
        ax.plot([], [], style["marker"], color=style["color"], markersize=9, label=name)
    ax.plot([], [], "s", color="black", markerfacecolor="white", markersize=9, label="empty: not repeated")
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.8 / (0.4 * rows + 0.6)), ncols=3)


def in_words(entries: list[Entry], by: str) -> str:
    """The figure in words, made from the same entries."""
    told = [f"{len(entries)} claims by {by}."]
    for name, ones in groups(entries, by).items():
        judged = [one for one in ones if one.verdict]
        repeated = f"; {sum(one.replicated for one in judged)} of {len(judged)} verdicts repeated alike"
        told.append(f"{name}: {counts(ones)}{repeated if judged else ''}.")
    return " ".join(told)


def judged_table(entries: list[Entry]) -> Table:
    """The claims that have a verdict, with what was measured."""
    rows = [
        [one.claim.id, _short(one.claim.claim, 100), one.verdict.lesson, f"{SYMBOLS[one.standing]} {one.standing}"]
        + [_short(one.verdict.measured, 140), one.again]
        for one in entries
        if one.verdict
    ]
    return Table(["claim", "in short", "lesson", "verdict at this scale", "measured", "same again"], rows)


def unsettled(entries: list[Entry]) -> dict[str, list[Entry]]:
    """The claims that this course does not settle, by the reason."""
    reasons = {
        "undecided": "undecided here",
        DISCUSSED: "opinion, no verdict",
        OPEN: "no verdict yet",
    }
    return {told: [one for one in entries if one.standing == word] for word, told in reasons.items()}


def unsettled_table(entries: list[Entry], reason: str) -> Table:
    """The unsettled claims of one reason: who claims what, and where to begin."""
    rows = [
        [one.claim.id, one.claim.speaker, _short(one.claim.claim, 110)]
        + [_short(one.verdict.measured if one.verdict else one.claim.experiment, 130)]
        for one in unsettled(entries)[reason]
    ]
    return Table(["claim", "who", "in short", "measured so far, or a sketch"], rows)


def _short(text: str, width: int) -> str:
    return shorten(text, width, placeholder=" …")
