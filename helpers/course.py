"""The course's map (data/course.toml) and what is made from it: the README's index of lessons and its ledger.

`python3 -m helpers.course` writes README.md's sections anew. It needs the standard library alone.
"""

import csv
import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import NamedTuple

from helpers.claims import ROOT, SYMBOLS, VERDICT_TYPE, Claim, all_claims

MAP = ROOT / "data" / "course.toml"


@dataclass(frozen=True)
class Lesson:
    """A lesson of the map; `needs` holds the numbers of lessons, `claims` the ids of claims."""

    number: str
    file: str
    title: str
    question: str
    goals: tuple[str, ...]
    minutes: int
    needs: tuple[str, ...] = ()
    teaches: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    misconceptions: tuple["Misconception", ...] = ()
    discussion: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return ROOT / "notebooks" / self.file

    @property
    def module(self) -> str:
        """The name of the lesson's own module in helpers/exercises and helpers/recordings."""
        return re.sub(r"^\d+_", "", self.path.stem)

    @property
    def heading(self) -> str:
        """The lesson's title with its number, where it has one inside a part."""
        return f"{self.number} {self.title}" if "." in self.number else self.title


class Misconception(NamedTuple):
    """What learners often think at first, and what a teacher can answer."""

    thought: str
    answer: str


class Part(NamedTuple):
    """A part of the course: its lessons' numbers begin with its own."""

    number: str
    title: str


class Course(NamedTuple):
    """The whole map, its lessons in the order in which they are taught."""

    title: str
    repository: str
    parts: tuple[Part, ...]
    lessons: tuple[Lesson, ...]


class Verdict(NamedTuple):
    """A verdict as a notebook's stored output holds it; `seeds` is (how many agree, out of how many) or None."""

    claim: str
    verdict: str
    measured: str
    rule: str
    seeds: tuple[int, int] | None
    lesson: str
    file: str
    cell: int


def read(path: Path = MAP) -> Course:
    """The map in a TOML file, checked against data/claims.csv and the folder of notebooks.

    >>> read().title
    'Talks You Can Run'

    Raises ValueError that names everything wrong with the file.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name} is not well-formed TOML: {error}") from None
    entries = table.get("lesson", [])
    problems = [problem for number, entry in enumerate(entries, 1) for problem in _shape_problems(number, entry)]
    if not problems:
        parts = tuple(Part(**part) for part in table["part"])
        lessons = tuple(_lesson(entry) for entry in entries)
        problems = _map_problems(parts, lessons, all_claims())
    if problems:
        raise ValueError(f"{path.name}:\n" + "\n".join(f"- {problem}" for problem in problems))
    return Course(table["course"]["title"], table["course"]["repository"], parts, lessons)


@cache
def course() -> Course:
    """The map in data/course.toml.

    >>> [part.title for part in course().parts]
    ['Start here', 'The bitter lesson']
    """
    return read()


def lessons() -> list[Lesson]:
    """The lessons that exist, in the order in which they are taught.

    >>> lessons()[0].title
    'Start here'
    """
    return list(course().lessons)


def lesson(number: str) -> Lesson:
    """One lesson by its number.

    >>> lesson("3.1").title
    'Rules or gradient descent?'

    Raises ValueError that lists the numbers there are.
    """
    known = {lesson.number: lesson for lesson in lessons()}
    if number not in known:
        raise ValueError(f"There is no lesson {number}. The lessons are {', '.join(known)}.")
    return known[number]


def verdicts(of: list[Lesson] | None = None) -> list[Verdict]:
    """The verdicts in the stored outputs of some lessons' notebooks (of all, unless told), in order.

    Raises ValueError where a claim has two verdicts, or one in a lesson that is not its own.
    """
    found: dict[str, Verdict] = {}
    for lesson in lessons() if of is None else of:
        for verdict in verdicts_in(lesson, notebook_of(lesson)):
            if verdict.claim in found:
                raise ValueError(
                    f"{verdict.claim} has two verdicts: {_place(found[verdict.claim])} and {_place(verdict)}. Keep one."
                )
            if verdict.claim not in lesson.claims:
                raise ValueError(f"{_place(verdict)} judges {verdict.claim}, which is not among the lesson's claims.")
            found[verdict.claim] = verdict
    return list(found.values())


def notebook_of(lesson: Lesson) -> dict:
    """A lesson's notebook as its file holds it."""
    return json.loads(lesson.path.read_text(encoding="utf-8"))


def verdicts_in(lesson: Lesson, notebook: dict) -> list[Verdict]:
    """The verdicts among a notebook's outputs, cells counted from 1."""
    outputs = (
        (number, output.get("data", {}))
        for number, cell in enumerate(notebook["cells"], 1)
        for output in cell.get("outputs", [])
    )
    stored = ((number, data[VERDICT_TYPE]) for number, data in outputs if VERDICT_TYPE in data)
    return [
        Verdict(
            **{**found, "seeds": tuple(found["seeds"]) if found["seeds"] else None},
            lesson=lesson.number,
            file=lesson.file,
            cell=number,
        )
        for number, found in stored
    ]


def replicated(folder: Path = ROOT / "data" / "replicated") -> dict[str, Counter]:
    """How often each verdict came out under other seeds: claim -> verdict -> number of runs, from the folder's tables."""
    counts: dict[str, Counter] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(line for line in file if not line.startswith("#"))
            for row in rows:
                counts.setdefault(row["claim"], Counter())[row["verdict"]] += 1
    return counts


class Map:
    """The table of lessons as a notebook shows it, its links relative to the folder of notebooks."""

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": repr(self), "text/markdown": index(course(), "")}

    def __repr__(self) -> str:
        return "\n".join(f"{lesson.heading} ({lesson.minutes} minutes): {lesson.question}" for lesson in lessons())


def show_map() -> Map:
    """The course's map, for the last line of a cell."""
    return Map()


def index(course: Course, folder: str = "notebooks/") -> str:
    """The lessons as a Markdown table for each part, linked from a page that sees the notebooks in `folder`."""
    tables = []
    for part in course.parts:
        rows = [
            [
                f"[{lesson.heading}]({folder}{lesson.file})",
                lesson.question,
                f"{lesson.minutes} min",
                _needs(lesson),
            ]
            for lesson in course.lessons
            if lesson.number.split(".")[0] == part.number
        ]
        heading = part.title if part.number == "0" else f"Part {part.number}: {part.title}"
        tables.append(f"**{heading}**\n\n{_table(['Lesson', 'Question', 'Time', 'Needs'], rows)}")
    return "\n\n".join(tables)


def ledger(course: Course, verdicts: list[Verdict], replicated: dict[str, Counter]) -> str:
    """Every claim of the lessons that exist with its verdict, as a Markdown table, and how many are still to come."""
    claims, judged = all_claims(), {verdict.claim: verdict for verdict in verdicts}
    rows = [
        [f"**{id}** {claims[id].claim}", claims[id].speaker, claims[id].kind]
        + [
            f"[{lesson.number}](notebooks/{lesson.file})",
            *_judgement(claims[id], judged.get(id), replicated.get(id)),
        ]
        for lesson in course.lessons
        for id in lesson.claims
    ]
    head = [
        "Claim",
        "Who",
        "Kind",
        "Lesson",
        "Verdict at this scale",
        "Measured",
        "Seeds agreeing",
        "Run again",
    ]
    return f"{_table(head, rows)}\n\nAnd {len(claims) - len(rows)} more claims whose lessons are to come."


def binder(course: Course) -> str:
    """The way to a machine in the browser: a link once the repository is public."""
    if not course.repository:
        return (
            "*In the browser:* a free machine on [Binder](https://mybinder.org) can run this course once the repository "
            "is public. Its address then goes into data/course.toml, and the link appears here."
        )
    name = course.repository.removeprefix("https://github.com/").rstrip("/")
    link = f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/notebooks/0_start_here.ipynb"
    return f"*In the browser, with nothing to install:* [open the course on Binder]({link}); it takes a minute or two."


def fill(text: str, sections: dict[str, str]) -> str:
    """A page with the text between each section's two markers replaced.

    >>> fill("<!-- index:begin -->old<!-- index:end -->", {"index": "new"})
    '<!-- index:begin -->\\n\\nnew\\n\\n<!-- index:end -->'

    Raises ValueError where a section's markers are not there exactly once.
    """
    for name, content in sections.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            raise ValueError(f"The page needs {begin} and, after it, {end}: each once.")
        before, rest = text.split(begin)
        text = f"{before}{begin}\n\n{content}\n\n{end}{rest.split(end)[1]}"
    return text


def readme(text: str) -> str:
    """README.md's text with its generated sections as the map and the stored verdicts have them now."""
    sections = {
        "binder": binder(course()),
        "index": index(course()),
        "ledger": ledger(course(), verdicts(), replicated()),
    }
    return fill(text, sections)


def _shape_problems(position: int, entry: dict) -> list[str]:
    """What is wrong with one [[lesson]] entry taken alone."""
    name = f"lesson {entry.get('number', f'(entry {position})')}"
    known = {field.name: field for field in fields(Lesson)}
    texts, required = (
        ("number", "file", "title", "question"),
        ("number", "file", "title", "question", "goals", "minutes"),
    )
    problems = [f"{name} has no {key}" for key in required if key not in entry]
    problems += [f"{name} has an unknown key {key!r}" for key in entry if key not in known]
    for key in entry.keys() & known.keys():
        value = entry[key]
        if key in texts and not (isinstance(value, str) and value.strip()):
            problems.append(f"{name}: {key} must be text")
        if key == "minutes" and not (type(value) is int and value > 0):
            problems.append(f"{name}: minutes must be a whole number above 0")
        if key not in (*texts, "minutes", "misconceptions") and not _is_list_of_text(value):
            problems.append(f"{name}: {key} must be a list of texts")
        if key == "misconceptions" and not all(one.keys() == {"thought", "answer"} for one in value):
            problems.append(f"{name}: each misconception needs a thought and an answer, and nothing else")
    if "goals" in entry and len(entry["goals"]) not in (2, 3):
        problems.append(f"{name} needs two or three goals")
    return problems


def _is_list_of_text(value) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value)


def _lesson(entry: dict) -> Lesson:
    misconceptions = tuple(Misconception(**one) for one in entry.get("misconceptions", []))
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return Lesson(**{**entry, **lists, "misconceptions": misconceptions})


def _map_problems(parts: tuple[Part, ...], lessons: tuple[Lesson, ...], claims: dict[str, Claim]) -> list[str]:
    """What is wrong with the lessons taken together."""
    problems = []
    for what in ("number", "file"):
        problems += [f"{what} {one} stands twice" for one in _repeated(getattr(lesson, what) for lesson in lessons)]
    problems += [
        f"two lessons teach {term!r}" for term in _repeated(term for lesson in lessons for term in lesson.teaches)
    ]
    problems += [f"two lessons take claim {id}" for id in _repeated(id for lesson in lessons for id in lesson.claims)]
    numbers = [lesson.number for lesson in lessons]
    for position, lesson in enumerate(lessons):
        name = f"lesson {lesson.number}"
        if lesson.number.split(".")[0] not in {part.number for part in parts}:
            problems.append(f"{name} belongs to no [[part]]")
        for need in lesson.needs:
            if need not in numbers:
                problems.append(f"{name} needs lesson {need}, which does not exist")
            elif numbers.index(need) >= position:
                problems.append(f"{name} needs lesson {need}, which does not come before it")
        for id in lesson.claims:
            if id not in claims:
                problems.append(f"{name}: there is no claim {id} in claims.csv")
            elif claims[id].lesson != lesson.number:
                problems.append(f"{name} takes claim {id}, which claims.csv gives to lesson {claims[id].lesson}")
    return problems


def _repeated(values) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _place(verdict: Verdict) -> str:
    return f"lesson {verdict.lesson}, cell {verdict.cell} (notebooks/{verdict.file})"


def _needs(lesson: Lesson) -> str:
    return ", ".join(lesson.needs) or "nothing"


def _judgement(claim: Claim, verdict: Verdict | None, runs: Counter | None) -> list[str]:
    """A ledger row's last four fields."""
    if claim.kind == "opinion":
        return ["discussed", "", "", ""]
    if verdict is None:
        return ["not measured yet", "", "", ""]
    seeds = f"{verdict.seeds[0]} of {verdict.seeds[1]}" if verdict.seeds else ""
    again = ", ".join(f"{word} {count} of {runs.total()}" for word, count in sorted(runs.items())) if runs else ""
    return [
        f"{SYMBOLS[verdict.verdict]} {verdict.verdict}",
        verdict.measured,
        seeds,
        again,
    ]


def _table(head: list[str], rows: list[list[str]]) -> str:
    kept = [column for column in range(len(head)) if column < 3 or any(row[column] for row in rows)]
    lines = [[head[column] for column in kept], ["---"] * len(kept)]
    lines += [[row[column].replace("|", "\\|").replace("\n", " ") for column in kept] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Writes README.md's generated sections."""
    page = ROOT / "README.md"
    page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    print("README.md: the index of lessons and the ledger are up to date.")


if __name__ == "__main__":
    main()
