"""The teacher's pages, one a lesson in Markdown: plans, misconceptions, exercises, verdicts, the quiz's answers.

Nothing on a page is typed twice: it comes from data/course.toml, data/teaching.toml (the plans), the lesson's notebook
with its stored verdicts, data/replicated/, the exercises and the quiz.
"""

import importlib
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

from helpers import checksums, course, quizzes
from helpers.claims import ROOT, SYMBOLS, Claim, all_claims
from helpers.course import Lesson, Verdict
from helpers.exercises import Exercise

PLANS = ROOT / "data" / "teaching.toml"
LENGTHS = (50, 90)  # minutes of a class
HOWS = {
    "run": "everybody runs the cells, on one machine for two",
    "show": "you show it in front, from the notebook with outputs or from the slides",
    "talk": "you talk, without a machine",
    "skip": "its cells are run without being read, since later ones may use what they define",
}
ALWAYS = ("Opening", "Verdicts", "Exit quiz")
FREE = ("Discussion",)
ATTEMPT = re.compile(r"\bexercises\.(\w+)\.check\(")


class Step(NamedTuple):
    """One part of a lesson in a plan: how it is taught, for how many minutes, and a note for the teacher."""

    part: str
    how: str
    minutes: int
    note: str


class Plan(NamedTuple):
    """How to teach a lesson in so many minutes."""

    lesson: str
    minutes: int
    steps: tuple[Step, ...]


class Task(NamedTuple):
    """An exercise as the lesson's notebook has it: its heading, and what checks it (None for an open question)."""

    part: str
    title: str
    exercise: Exercise | None


def read(path: Path = PLANS) -> dict[tuple[str, int], Plan]:
    """Every plan by lesson and minutes, checked against the lessons' notebooks.

    >>> read()["3.1", 50].steps[0].part
    'Opening'

    Raises ValueError that names everything wrong with the file; Fault where data/teaching.toml is missing or damaged.
    """
    table = checksums.read_toml(path)
    problems = _table_problems(table)
    if not problems:
        plans = [_plan(entry) for entry in table["plan"]]
        problems = _set_problems(plans) or [problem for plan in plans for problem in _plan_problems(plan)]
    checksums.refuse(path, problems)
    return {(plan.lesson, plan.minutes): plan for plan in plans}


@cache
def plans() -> dict[tuple[str, int], Plan]:
    """The plans of data/teaching.toml.

    >>> plans()["3.1", 90].minutes
    90
    """
    return read()


def parts(lesson: Lesson) -> dict[str, str]:
    """The experiments and the exercises in a lesson's notebook with their titles, in order.

    >>> parts(course.lesson("3.1"))["Experiment 1"]
    'Rules written by hand'
    """
    cells = course.notebook_of(lesson)["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return dict(re.findall(r"^###? ((?:Experiment|Exercise) \d+): (.+)$", text, re.MULTILINE))


def tasks(lesson: Lesson) -> list[Task]:
    """The exercises of a lesson, in the notebook's order.

    >>> [task.exercise.name for task in tasks(course.lesson("3.1")) if task.exercise][0]
    'edit_distance'
    """
    found, part, titles = {}, "", parts(lesson)
    for cell in course.notebook_of(lesson)["cells"]:
        text = "".join(cell["source"])
        if heading := re.match(r"### (Exercise \d+): ", text):
            part = heading[1]
        elif part and cell["cell_type"] == "code" and (attempt := ATTEMPT.search(text)):
            found[part] = getattr(importlib.import_module(f"helpers.exercises.{lesson.module}"), attempt[1])
    return [Task(part, title, found.get(part)) for part, title in titles.items() if part.startswith("Exercise")]


def page(lesson: Lesson, notebooks: str = "../notebooks/") -> str:
    """A lesson's page for its teacher, in Markdown; `notebooks` is the folder of the lessons as the page sees it.

    >>> page(course.lesson("3.1")).splitlines()[0]
    '# For the teacher: 3.1 Rules or gradient descent?'

    Raises ValueError where the plans or the quiz are missing or wrong.
    """
    sections = [
        f"# For the teacher: {lesson.heading}",
        _opening(lesson, notebooks),
        *(_plan_section(plan_of(lesson, minutes)) for minutes in LENGTHS),
        _legend(),
        _section("What learners often think", [f"**“{one.thought}”** {one.answer}" for one in lesson.misconceptions]),
        _section("Questions to discuss", ["\n".join(f"- {question}" for question in lesson.discussion)]),
        _section("What the exercises test", [_task_text(task) for task in tasks(lesson)]),
        _section("Verdicts to expect", _verdict_texts(lesson)),
        _section("Answers to the exit quiz", [_quiz_text(quizzes.read(lesson.number))]),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def write_pages(folder: Path, notebooks: str = "../notebooks/") -> list[Path]:
    """Writes the page of every lesson that has plans into a folder, as 3_1.md, and returns the files' paths.

        teaching.write_pages(Path("build/teachers"), notebooks="../../notebooks/")

    Raises ValueError where the plans or a quiz are missing or wrong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lesson in course.lessons():
        if (lesson.number, LENGTHS[0]) in plans():
            written.append(folder / f"{lesson.number.replace('.', '_')}.md")
            written[-1].write_text(page(lesson, notebooks), encoding="utf-8", newline="\n")
    return written


def plan_of(lesson: Lesson, minutes: int) -> Plan:
    """A lesson's plan for so many minutes.

    >>> plan_of(course.lesson("3.1"), 50).minutes
    50

    Raises ValueError where there is none.
    """
    if (lesson.number, minutes) not in plans():
        raise ValueError(f"data/teaching.toml has no plan of {minutes} minutes for lesson {lesson.number}.")
    return plans()[lesson.number, minutes]


# What can be wrong with the plans


def _plan(entry: dict) -> Plan:
    return Plan(entry["lesson"], entry["minutes"], tuple(Step(*step) for step in entry["steps"]))


def _table_problems(table: dict) -> list[str]:
    """What is wrong with the shape of the file."""
    entries = table.get("plan")
    if table.keys() != {"plan"} or not isinstance(entries, list):
        return ["it needs [[plan]]s, and nothing else"]
    problems = []
    for place, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or entry.keys() != {"lesson", "minutes", "steps"}:
            problems.append(f"plan {place} needs a lesson, its minutes and its steps, and nothing else")
        elif not isinstance(entry["steps"], list) or not all(map(_is_step, entry["steps"])):
            problems.append(f"plan {place}: each step is [part, how, minutes, note]; how is one of {', '.join(HOWS)}")
    return problems


def _is_step(step) -> bool:
    kinds = [str, str, int, str]
    return isinstance(step, list) and list(map(type, step)) == kinds and step[1] in HOWS and step[2] >= 0


def _set_problems(found: list[Plan]) -> list[str]:
    """What is wrong with the plans taken together."""
    keys, numbers = [(plan.lesson, plan.minutes) for plan in found], [lesson.number for lesson in course.lessons()]
    problems = [f"lesson {number} has two plans of {length} minutes" for number, length in sorted(_twice(keys))]
    problems += [f"there is no lesson {number}" for number in sorted({number for number, _ in keys} - set(numbers))]
    for number in {number: None for number, _ in keys}:
        lengths = {length for of, length in keys if of == number}
        if lengths != set(LENGTHS):
            problems.append(f"lesson {number} needs plans of {LENGTHS[0]} and of {LENGTHS[1]} minutes, and no others")
    return problems


def _plan_problems(plan: Plan) -> list[str]:
    """What is wrong with one plan."""
    known = parts(course.lesson(plan.lesson))
    named = [step.part for step in plan.steps]
    total = sum(step.minutes for step in plan.steps)
    problems = [] if total == plan.minutes else [f"adds up to {total} minutes"]
    problems += [f"has a step that does not exist: {part}" for part in named if part not in (*known, *ALWAYS, *FREE)]
    problems += [f"has {part} twice" for part in sorted(_twice(named))]
    problems += [f"lacks {part}" for part in _needed(known) if part not in named]
    if [part for part in known if part in named] != [part for part in named if part in known]:
        problems.append("takes the experiments and exercises in another order than the lesson")
    for step in plan.steps:
        if (step.how == "skip") != (step.minutes == 0):
            problems.append(f"gives {step.part} {step.minutes} minutes to {step.how}: skipping takes 0, all else more")
    return [f"lesson {plan.lesson}, {plan.minutes} minutes: it {problem}" for problem in problems]


def _needed(known: dict[str, str]) -> list[str]:
    return [*ALWAYS, *(part for part in known if part.startswith("Experiment"))]


def _twice(values: list) -> set:
    return {value for value in values if values.count(value) > 1}


# The sections of a page


def _section(heading: str, texts: list[str]) -> str:
    return "\n\n".join([f"## {heading}", *texts]) if texts else ""


def _opening(lesson: Lesson, notebooks: str) -> str:
    needs = f"lesson{'s'[: len(lesson.needs) > 1]} {', '.join(lesson.needs)}" if lesson.needs else "no other lesson"
    goals = "\n".join(f"- {goal}" for goal in lesson.goals)
    return (
        f"[The lesson]({notebooks}{lesson.file}) asks: *{lesson.question}* It takes {lesson.minutes} minutes alone, "
        f"with all exercises, and needs {needs}.\n\nLearners will be able to\n\n{goals}"
    )


def _plan_section(plan: Plan) -> str:
    titles, start, rows = parts(course.lesson(plan.lesson)), 0, []
    for step in plan.steps:
        title = f"{step.part}: {titles[step.part]}" if step.part in titles else step.part
        rows.append([f"{start}" if step.minutes else "", f"{step.minutes or ''}", title, step.how, step.note])
        start += step.minutes
    home = [part for part in titles if part.startswith("Exercise") and part not in [step.part for step in plan.steps]]
    after = ["For home: " + ", ".join(f"{part} ({titles[part]})" for part in home) + "."] if home else []
    head = ["From minute", "Minutes", "What", "How", "Note"]
    table = "\n".join(f"| {' | '.join(_in_cell(row))} |" for row in [head, ["---"] * len(head), *rows])
    return _section(f"In {plan.minutes} minutes", [table, *after])


def _in_cell(row: list[str]) -> list[str]:
    return [text.replace("|", "\\|") for text in row]


def _legend() -> str:
    return "\n".join(f"- *{how}*: {told}" for how, told in HOWS.items())


def _task_text(task: Task) -> str:
    heading = f"### {task.part}: {task.title}"
    if task.exercise is None:
        return f"{heading}\n\nOpen: it has no check, and no solution of ours."
    known = [mistake.diagnosis for mistake in task.exercise.mistakes]
    lead = f"{len(task.exercise.hints)} hints, and {len(known)} mistakes that its check tells apart"
    return f"{heading}\n\n{task.exercise.target}\n\n{_folded(lead, known)}"


def _folded(summary: str, lines: list[str]) -> str:
    """A list that is shown when asked for; HTML, since Markdown has no such thing."""
    items = [re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(line, quote=False)) for line in lines]
    listed = "\n".join(f"<li>{item}</li>" for item in items)
    return f"<details><summary>{escape(summary)}</summary>\n<ul>\n{listed}\n</ul>\n</details>"


def _verdict_texts(lesson: Lesson) -> list[str]:
    judged = {verdict.claim: verdict for verdict in course.verdicts([lesson])}
    repeats = course.replicated()
    texts = [_verdict_text(all_claims()[id], judged.get(id), repeats.get(id)) for id in lesson.claims]
    if lesson.claims:
        texts.append(
            "*At this scale*, on the machine where the lesson was stored. A verdict of timed things may turn over on "
            "another machine; the rule says when. To repeat all of them under other seeds: "
            f"`python3 -m helpers replicate {lesson.number} --seeds 5`"
        )
    return texts


def _verdict_text(claim: Claim, verdict: Verdict | None, runs) -> str:
    lines = [f"**{claim.id}**, {claim.speaker}: {claim.claim}"]
    if claim.kind == "opinion":
        return f"{lines[0]}\n\n- An opinion: discussed, without a verdict."
    if verdict is None:
        return f"{lines[0]}\n\n- Not measured yet."
    lines += [f"- {SYMBOLS[verdict.verdict]} **{verdict.verdict}**", f"- Measured: {_prose(verdict.measured)}"]
    lines += [f"- Rule: {_prose(verdict.rule)}"]
    if verdict.seeds:
        lines += [f"- Seeds (or repeats, as the lesson says): {verdict.seeds[0]} of {verdict.seeds[1]} agree"]
    if runs:
        again = ", ".join(f"{word} {count} of {runs.total()}" for word, count in sorted(runs.items()))
        lines += [f"- Run again: {again}"]
    return f"{lines[0]}\n\n" + "\n".join(lines[1:])


def _prose(text: str) -> str:
    """Text in which no sign is taken for Markdown: a dollar is no formula, a star no emphasis."""
    return re.sub(r"([$*_<\[])", r"\\\1", text)


def _quiz_text(quiz: quizzes.Quiz) -> str:
    lines = []
    for place, question in enumerate(quiz.questions, 1):
        choice = question.choices[question.right]
        lines.append(f"{place}. {question.asks} **{quizzes.letter(question.right)}.** {choice.says} {choice.why}")
    return "\n".join(lines)
