"""The course's map (data/course.toml) and what is made from it: the README's index of lessons, its ledger,
and what the lessons take.

`python3 -m helpers.course` writes README.md's sections and data/checksums.txt anew. It needs the standard library
alone.
"""

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from helpers import checksums
from helpers.claims import ROOT, SYMBOLS, VERDICT_TYPE, Claim, all_claims

MAP = ROOT / "data" / "course.toml"
TAKEN = ROOT / "data" / "measured" / "lessons.csv"
TEXTS = ("number", "file", "title", "question")
BOUNDS = {"seconds": 60, "processor_seconds": 3_600, "peak_memory_mb": 1_000}  # a lesson; all lessons; a lesson


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
    def part(self) -> str:
        """The number of the part that the lesson belongs to."""
        return self.number.split(".")[0]

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
    planned: tuple[Part, ...] = ()  # lessons and parts to come, by number and title


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


class Taken(NamedTuple):
    """What a lesson took when it was executed from top to bottom, on how many cores and when.

    seconds; processor_seconds of the kernel and its children; the kernel's peak memory in MB (10**6 bytes).
    """

    lesson: str
    seconds: float
    processor_seconds: float
    peak_memory_mb: int
    cores: int
    date: str


def read(path: Path = MAP) -> Course:
    """The map in a TOML file, checked against data/claims.csv and the folder of notebooks.

    >>> read().title
    'Talks You Can Run'

    Raises ValueError that names everything wrong with the file; Fault where data/course.toml is missing or damaged.
    """
    table = checksums.read_toml(path)
    problems = _table_problems(table)
    if not problems:
        parts = tuple(Part(**part) for part in table["part"])
        lessons = tuple(_lesson(entry) for entry in table.get("lesson", []))
        problems = _map_problems(parts, lessons)
    checksums.refuse(path, problems)
    planned = tuple(Part(**one) for one in table.get("planned", []))
    return Course(table["course"]["title"], table["course"]["repository"], parts, lessons, planned)


@cache
def course() -> Course:
    """The map in data/course.toml.

    >>> [part.title for part in course().parts]
    ['Start here', 'Accelerated computing', 'Attention', 'The bitter lesson', 'Your verdict']
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


def lesson_asking(question: str) -> str:
    """The number of the first lesson whose notebook holds a question's words; "" where none does.

    The words tell it in every editor, and in a copy of the notebook under another name.

    >>> lesson_asking("Take 100 English words that have an R at the first or the third place. How many have it third?")
    '0'
    """
    words = json.dumps(question, ensure_ascii=False)[1:-1]  # as they stand in a notebook's file
    held = (lesson.number for lesson in lessons() if words in lesson.path.read_text(encoding="utf-8"))
    return next(held, "")


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
    """How often each verdict came out under other seeds: claim -> verdict -> number of runs.

    Raises Fault where a file of data/replicated is missing or damaged.
    """
    counts: dict[str, Counter] = {}
    for path in checksums.among(folder, ".csv"):
        lines = io.StringIO(checksums.read(path), newline="")
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            counts.setdefault(row["claim"], Counter())[row["verdict"]] += 1
    return counts


def taken(path: Path = TAKEN) -> dict[str, Taken]:
    """What each lesson took when it was measured last: its number -> its row of data/measured/lessons.csv.

    >>> taken()["0"].peak_memory_mb < BOUNDS["peak_memory_mb"]
    True

    Raises Fault where the course's own table is missing or damaged; another that is not there holds nothing yet.
    """
    if not path.exists() and not checksums.problem(path):
        return {}
    rows = csv.DictReader(line for line in checksums.read(path).splitlines() if not line.startswith("#"))
    typed = [Taken(**{key: Taken.__annotations__[key](value) for key, value in row.items()}) for row in rows]
    return {row.lesson: row for row in typed}


class Map:
    """The lessons that exist and those to come, as a notebook in the folder of notebooks shows them."""

    def __init__(self, course: Course):
        self.course = course

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/plain": repr(self), "text/markdown": overview(self.course, "")}

    def __repr__(self) -> str:
        told = [f"{lesson.heading} ({lesson.minutes} minutes): {lesson.question}" for lesson in self.course.lessons]
        return "\n".join([*told, *(f"{one.number} {one.title} (to come)" for one in to_come(self.course))])


def show_map() -> Map:
    """The course's map, for the last line of a cell."""
    return Map(course())


def to_come(course: Course) -> list[Part]:
    """The planned lessons that do not exist yet, by number and title.

    >>> [one.number for one in to_come(course())][-1]
    '4.6'
    """
    numbers = {lesson.number for lesson in course.lessons}
    return [one for one in course.planned if "." in one.number and one.number not in numbers]


def overview(course: Course, folder: str = "notebooks/") -> str:
    """The map of a learner in Markdown: where to begin, then part by part the lessons that exist and those to come."""
    numbered = [lesson for lesson in course.lessons if "." in lesson.number]
    first = ", ".join(f"[{lesson.heading}]({folder}{lesson.file})" for lesson in numbered if not lesson.needs)
    coming = to_come(course)
    lead = f"**Lessons here: {len(numbered)}" + (f". To come: {len(coming)}.**" if coming else ".**")
    lead += f" These need no other lesson first: {first}." if first else ""
    titles = {part.number: part for part in (*course.planned, *course.parts) if "." not in part.number}
    told = [
        _part_overview(course, titles[number], coming, folder) for number in sorted(titles, key=int) if number != "0"
    ]
    return "\n\n".join([lead, *filter(None, told)])


def _part_overview(course: Course, part: Part, coming: list[Part], folder: str) -> str:
    here = [lesson for lesson in course.lessons if lesson.part == part.number]
    table = index(course._replace(parts=(part,)), folder) if here else f"**Part {part.number}: {part.title}**"
    table = table.replace("---", ":---").replace(" min |", "\N{NO-BREAK SPACE}min |")  # text reads from the left
    rest = " · ".join(f"{one.number} {one.title}" for one in coming if one.number.split(".")[0] == part.number)
    if not here and not rest:
        return ""
    return f"{table}\n\n*To come:* {rest}" if rest else table


def index(course: Course, folder: str = "notebooks/", with_binder: bool = False) -> str:
    """The lessons as a Markdown table for each part, linked from a page that sees the notebooks in `folder`.

    With Binder each has a second link once the repository is public: it opens the lesson on a machine there.
    """
    tables = []
    for part in course.parts:
        own = [lesson for lesson in course.lessons if lesson.part == part.number]
        rows = [
            [f"[{lesson.heading}]({folder}{lesson.file})", lesson.question, f"{lesson.minutes} min", _needs(lesson)]
            + [f"[open {lesson.number}]({binder_link(course, lesson)})" if with_binder and course.repository else ""]
            for lesson in own
        ]
        is_one_notebook = [lesson.number for lesson in own] == [part.number]  # as the opening and the close are
        heading = part.title if is_one_notebook else f"Part {part.number}: {part.title}"
        tables.append(f"**{heading}**\n\n{_table(['Lesson', 'Question', 'Time', 'Needs', 'On Binder'], rows)}")
    return "\n\n".join(tables)


def ledger(course: Course, verdicts: list[Verdict], replicated: dict[str, Counter]) -> str:
    """Every claim of the lessons that exist with its verdict, as a Markdown table, and how many are still to come."""
    claims, judged = all_claims(), {verdict.claim: verdict for verdict in verdicts}
    rows = [
        [f"**{id}** {claims[id].claim}", claims[id].speaker, claims[id].kind]
        + [f"[{lesson.number}](notebooks/{lesson.file})", *judgement(claims[id], judged.get(id), replicated.get(id))]
        for lesson in course.lessons
        for id in lesson.claims
    ]
    head = ["Claim", "Who", "Kind", "Lesson", "Verdict at this scale", "Measured", "Seeds agreeing", "Run again"]
    return f"{_table(head, rows)}\n\nAnd {len(claims) - len(rows)} more claims whose lessons are to come."


def takings(course: Course, taken: dict[str, Taken]) -> str:
    """What each lesson took, and all of them, against what Binder allows, as a Markdown table."""
    here = [(lesson, taken[lesson.number]) for lesson in course.lessons if lesson.number in taken]
    rows = [
        [f"[{lesson.heading}](notebooks/{lesson.file})"]
        + [f"{row.seconds:.0f} s", f"{row.processor_seconds:.0f} s", f"{row.peak_memory_mb:,} MB"]
        for lesson, row in here
    ]
    of_all = [row for _, row in here]
    total = sum(row.seconds for row in of_all), sum(row.processor_seconds for row in of_all)
    most = max((row.peak_memory_mb for row in of_all), default=0)
    rows.append(["**All**", f"**{total[0]:,.0f} s**", f"**{total[1]:,.0f} s**", f"**{most:,} MB** at most"])
    seconds, processor, memory = BOUNDS.values()
    rows.append(["*Bound*", f"*{seconds} s each*", f"*{processor:,} s in all*", f"*{memory:,} MB each*"])
    cores = ", ".join(str(number) for number in sorted({row.cores for row in of_all}))
    days = sorted({row.date for row in of_all})
    table = _table(["Lesson", "From top to bottom", "Processor time", "Peak memory"], rows)
    return f"{table}\n\nMeasured on {cores} cores, {' to '.join(dict.fromkeys([*days[:1], *days[-1:]]))}."


def binder(course: Course) -> str:
    """The way to a machine in the browser: a badge that opens the first page, once the repository is public."""
    if not course.repository:
        return (
            "*In the browser:* a free machine on [Binder](https://mybinder.org) can run this course once the "
            "repository is public. Its address then goes into data/course.toml, and the links appear here."
        )
    link = binder_link(course, course.lessons[0])
    return (
        f"[![Open the course on Binder](https://mybinder.org/badge_logo.svg)]({link})\n\n"
        f"*In the browser, with nothing to install:* [open the course on Binder]({link}), a free machine that is ready "
        "in a minute or two. Each lesson has its own link in the index below."
    )


def binder_link(course: Course, lesson: Lesson) -> str:
    """The address that opens a lesson in JupyterLab on Binder, in a course whose repository is public.

    >>> binder_link(course()._replace(repository="https://github.com/owner/name"), lesson("5"))
    'https://mybinder.org/v2/gh/owner/name/HEAD?urlpath=lab/tree/notebooks/5_your_verdict.ipynb'
    """
    name = course.repository.removeprefix("https://github.com/").rstrip("/").removesuffix(".git")
    return f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/notebooks/{quote(lesson.file)}"


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
        "index": index(course(), with_binder=True),
        "taken": takings(course(), taken()),
        "ledger": ledger(course(), verdicts(), replicated()),
    }
    return fill(text, sections)


def _table_problems(table: dict) -> list[str]:
    """What is wrong with the shape of the file: keys that are missing, unknown or of the wrong type."""
    head, parts, entries = table.get("course"), table.get("part"), table.get("lesson", [])
    problems = []
    if not (isinstance(head, dict) and head.keys() == {"title", "repository"}):
        problems.append("[course] needs a title and a repository (which may be empty), and nothing else")
    if not _are_tables(parts, {"number", "title"}):
        problems.append("each [[part]] needs a number and a title, and nothing else")
    if not _are_tables(table.get("planned", []), {"number", "title"}):
        problems.append("each [[planned]] needs a number and a title, and nothing else")
    return problems + [problem for place, entry in enumerate(entries, 1) for problem in _entry_problems(place, entry)]


def _entry_problems(place: int, entry: dict) -> list[str]:
    """What is wrong with one [[lesson]] taken alone."""
    name = f"lesson {entry.get('number', f'(entry {place})')}"
    known = [field.name for field in fields(Lesson)]
    problems = [f"{name} has no {key}" for key in (*TEXTS, "goals", "minutes") if key not in entry]
    problems += [f"{name} has an unknown key {key!r}" for key in entry if key not in known]
    for key, value in entry.items():
        if key in TEXTS:
            wanted, fits = "be text", isinstance(value, str) and value.strip()
        elif key == "minutes":
            wanted, fits = "be a whole number above 0", type(value) is int and value > 0
        elif key == "misconceptions":
            wanted, fits = "each have a thought and an answer alone", _are_tables(value, {"thought", "answer"})
        else:
            wanted, fits = "be a list of texts", _are_texts(value)
        if not fits:
            problems.append(f"{name}: {key} must {wanted}")
    if _are_texts(entry.get("goals")) and len(entry["goals"]) not in (2, 3):
        problems.append(f"{name} needs two or three goals")
    return problems


def _are_tables(value, keys: set[str]) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and one.keys() == keys for one in value)


def _are_texts(value) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value)


def _lesson(entry: dict) -> Lesson:
    misconceptions = tuple(Misconception(**one) for one in entry.get("misconceptions", []))
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return Lesson(**{**entry, **lists, "misconceptions": misconceptions})


def _map_problems(parts: tuple[Part, ...], lessons: tuple[Lesson, ...]) -> list[str]:
    """What is wrong with the lessons taken together."""
    problems = [f"number {number} stands twice" for number in _repeated(lesson.number for lesson in lessons)]
    problems += [f"file {file} stands twice" for file in _repeated(lesson.file for lesson in lessons)]
    problems += [f"two lessons teach {term!r}" for term in _repeated(term for one in lessons for term in one.teaches)]
    problems += [f"two lessons take claim {id}" for id in _repeated(id for lesson in lessons for id in lesson.claims)]
    numbers = [lesson.number for lesson in lessons]
    for place, lesson in enumerate(lessons):
        found = [] if lesson.part in [part.number for part in parts] else ["belongs to no [[part]]"]
        found += [] if lesson.path.is_file() else [f"has no notebook: notebooks/{lesson.file} is not there"]
        found += [f"needs lesson {need}, which does not exist" for need in lesson.needs if need not in numbers]
        found += [
            f"needs lesson {need}, which does not come before it" for need in lesson.needs if need in numbers[place:]
        ]
        problems += [f"lesson {lesson.number} {problem}" for problem in found + _claim_problems(lesson)]
    return problems


def _claim_problems(lesson: Lesson) -> list[str]:
    homes = {id: claim.lesson for id, claim in all_claims().items()}
    unknown = [f"takes claim {id}, which is not in claims.csv" for id in lesson.claims if id not in homes]
    foreign = [id for id in lesson.claims if homes.get(id, lesson.number) != lesson.number]
    return unknown + [f"takes claim {id}, which claims.csv gives to lesson {homes[id]}" for id in foreign]


def _repeated(values) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _place(verdict: Verdict) -> str:
    return f"lesson {verdict.lesson}, cell {verdict.cell} (notebooks/{verdict.file})"


def _needs(lesson: Lesson) -> str:
    return ", ".join(lesson.needs) or "nothing"


def judgement(claim: Claim, verdict: Verdict | None, runs: Counter | None) -> list[str]:
    """A ledger row's last four fields: the verdict, what was measured, how many seeds agree, and other runs' verdicts.

    >>> judgement(all_claims()["P12"], None, Counter(holds=4, undecided=1))
    ['not measured yet', '', '', '']
    """
    if claim.kind == "opinion":
        return ["discussed", "", "", ""]
    if verdict is None:
        return ["not measured yet", "", "", ""]
    seeds = f"{verdict.seeds[0]} of {verdict.seeds[1]}" if verdict.seeds else ""
    again = ", ".join(f"{word} {count} of {runs.total()}" for word, count in sorted(runs.items())) if runs else ""
    return [f"{SYMBOLS[verdict.verdict]} {verdict.verdict}", verdict.measured, seeds, again]


def _table(head: list[str], rows: list[list[str]]) -> str:
    kept = [column for column in range(len(head)) if column < 3 or any(row[column] for row in rows)]
    lines = [[head[column] for column in kept], ["---"] * len(kept)]
    lines += [[row[column].replace("|", "\\|").replace("\n", " ") for column in kept] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Writes README.md's generated sections, that of the hub's page, and the checksums of what they are made from."""
    from helpers import hub

    checksums.renew()
    page = ROOT / "README.md"
    page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    page = hub.PAGE
    page.write_text(fill(page.read_text(encoding="utf-8"), {"size": hub.size()}), encoding="utf-8", newline="\n")
    print("README.md (index, ledger, what the lessons take), the hub's page and data/checksums.txt are up to date.")


if __name__ == "__main__":
    main()
