"""The contract of a lesson: what every notebook that the map names keeps to.

Each check takes a lesson and its notebook and returns what is wrong, in words. BREACHES holds, for each check, a way
to break a small sound notebook that the check must notice: a check that cannot fail is no check.
"""

import ast
import copy
import fnmatch
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers import claims, course
from helpers.course import Lesson

SECTIONS = [
    "Set-up",
    "Experiment 1",
    "Verdicts",
    "Exercises",
    "Exit quiz",
    "Recap",
    "Where our miniature differs",
    "Questions to discuss",
    "Three things to read",
]
PATH = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|Users|mnt|opt|usr|var|private)/|\b[A-Z]:\\+\w")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
HOST = re.compile(r"localhost|127\.0\.0\.1")
REGISTRY = re.compile(r"python[h]osted|\bpypi[.]org|index-url[ =]\S*//|//\S+/simpl[e]\b", re.IGNORECASE)
LITERAL_SEED = re.compile(r"(?:PRNGKey|random\.key|default_rng|RandomState|random\.seed|seed=|random_state=)\(?\s*\d")
FETCH = re.compile(
    r"^\s*[!%]{1,2}\w|urlopen|urlretrieve|requests\.get|\.download\(|\bwget\b|\bcurl\b|fetch_openml|load_dataset",
    re.MULTILINE,
)


# Reading a notebook


def source(cell) -> str:
    return "".join(cell["source"])


def code_cells(notebook) -> list:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def markdown_cells(notebook) -> list:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def flat(text: str) -> str:
    return " ".join(text.split())


def words(cells) -> str:
    """The markdown of some cells on one line."""
    return flat(" ".join(source(cell) for cell in cells if cell["cell_type"] == "markdown"))


def sections(notebook) -> dict[str, list]:
    """Cells by the heading (##) that begins their section; those before the first heading under ''."""
    found = {"": []}
    for cell in notebook["cells"]:
        heading = re.match(r"## (.+)", source(cell)) if cell["cell_type"] == "markdown" else None
        key = heading[1].strip() if heading else list(found)[-1]
        found.setdefault(key, []).append(cell)
    return found


def section(notebook, start: str) -> list:
    """The cells of the sections whose heading starts with some words."""
    return [cell for heading, cells in sections(notebook).items() if heading.startswith(start) for cell in cells]


def experiments(notebook) -> dict[str, list]:
    return {heading: cells for heading, cells in sections(notebook).items() if heading.startswith("Experiment")}


def calls(cell, pattern: str) -> list[ast.Call]:
    """The calls in a code cell whose function's dotted name matches a pattern, as exercises.*.check."""
    if cell["cell_type"] != "code":
        return []
    tree = ast.parse(TransformerManager().transform_cell(source(cell)))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in found if fnmatch.fnmatchcase(ast.unparse(call.func), pattern)]


def named(cells, pattern: str) -> list[str]:
    """The literal texts that such calls get as arguments by position."""
    arguments = [argument for cell in cells for call in calls(cell, pattern) for argument in call.args]
    return [argument.value for argument in arguments if isinstance(argument, ast.Constant)]


def first(cells, wanted) -> int:
    """The place of the first cell that is wanted, or one past the end."""
    return next((place for place, cell in enumerate(cells) if wanted(cell)), len(cells))


def has_figure(cell) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def list_items(cells) -> list[str]:
    text = "\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
    return [flat(item) for item in re.findall(r"^(?:[-*]|\d+\.) +(.+(?:\n +\S.*)*)", text, re.MULTILINE)]


def texts(node) -> list[str]:
    """Every text inside outputs or widget state, pictures aside."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [text for key, value in node.items() if key not in ("image/png", "buffers") for text in texts(value)]
    return [text for value in node for text in texts(value)] if isinstance(node, list | tuple) else []


def prose(notebook) -> str:
    """What the markdown says, without code."""
    text = "\n\n".join(source(cell) for cell in markdown_cells(notebook))
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def mentions(term: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(term)}(?:s|es)?(?!\w)", text, re.IGNORECASE) is not None


def bold(text: str) -> list[str]:
    return [flat(match).lower() for match in re.findall(r"\*\*([^*]+)\*\*", text)]


# The opening


def title_is_the_maps(lesson, notebook):
    wanted = f"# {lesson.heading}"
    found = source(notebook["cells"][0]).split("\n")[0]
    return [] if found == wanted else [f"the first line should be {wanted!r}; it is {found!r}"]


def question_is_asked(lesson, notebook):
    opening = words(sections(notebook)[""])
    return (
        [] if flat(lesson.question) in opening else [f"the opening does not ask the map's question: {lesson.question}"]
    )


def goals_are_listed(lesson, notebook):
    opening = sections(notebook)[""]
    problems = (
        [] if "you will be able to" in words(opening).lower() else ["the opening does not say 'You will be able to'"]
    )
    items = [item.rstrip(".;,") for item in list_items(opening)]
    return problems + [f"the opening does not list the goal: {goal}" for goal in lesson.goals if goal not in items]


def minutes_are_told(lesson, notebook):
    told = f"{lesson.minutes} minutes" in words(sections(notebook)[""])
    return [] if told else [f"the opening does not say '{lesson.minutes} minutes'"]


def needs_are_told(lesson, notebook):
    opening = words(sections(notebook)[""])
    problems = [] if mentions("need", opening) else ["the opening does not say what the lesson needs"]
    return problems + [f"the opening does not name lesson {need}" for need in lesson.needs if need not in opening]


def claims_are_the_maps(lesson, notebook):
    shown = named(sections(notebook)[""], "claims.show")
    return (
        []
        if shown == list(lesson.claims)
        else [f"the opening should show the claims {lesson.claims}; it shows {shown}"]
    )


# The body


def sections_are_in_order(lesson, notebook):
    headings = list(sections(notebook))
    places = [first(headings, lambda heading, start=start: heading.startswith(start)) for start in SECTIONS]
    missing = [f"no section '## {start}'" for start, place in zip(SECTIONS, places) if place == len(headings)]
    return missing or ([] if places == sorted(places) else [f"the sections should come in the order {SECTIONS}"])


def seed_is_honoured(lesson, notebook):
    seeded = any(calls(cell, "measuring.seed") for cell in section(notebook, "Set-up"))
    problems = [] if seeded else ["the set-up does not call measuring.seed()"]
    literal = [found for cell in code_cells(notebook) for found in LITERAL_SEED.findall(source(cell))]
    return problems + [f"a seed is written out ({found}): derive it from measuring.seed()" for found in literal]


def experiments_are_numbered(lesson, notebook):
    headings = list(experiments(notebook))
    numbers = [int(number) for heading in headings for number in re.findall(r"^Experiment (\d+): \S", heading)]
    if 3 <= len(headings) <= 5 and numbers == list(range(1, len(headings) + 1)):
        return []
    return [f"needs three to five sections '## Experiment 1: ...', numbered in order; it has {headings}"]


def experiments_begin_and_end_in_words(lesson, notebook):
    problems = []
    for heading, cells in experiments(notebook).items():
        asked = words(cells[: first(cells, lambda cell: cell["cell_type"] == "code")])
        if len(asked.split()) <= len(heading.split()) + 5:
            problems.append(f"{heading}: say what we ask before the first code cell")
        if cells[-1]["cell_type"] != "markdown":
            problems.append(f"{heading}: end with a cell that says how to read the result")
    return problems


def predictions_come_first(lesson, notebook):
    problems = []
    for heading, cells in experiments(notebook).items():
        place = first(cells, lambda cell: bool(calls(cell, "widgets.predict")))
        if place == len(cells) or place > first(cells, has_figure):
            problems.append(f"{heading}: needs a widgets.predict(...) before its first figure")
    return problems


def guesses_are_answered(lesson, notebook):
    """A guess that nothing is held against is never scored."""
    cells = notebook["cells"]
    asked = {call.args[0].value: place for place, cell in enumerate(cells) for call in calls(cell, "widgets.predict")}
    return [
        f"no widgets.compare({name!r}, ...) comes after its widgets.predict"
        for name, place in asked.items()
        if name not in named(cells[place + 1 :], "widgets.compare")
    ]


def something_to_explore(lesson, notebook):
    found = any(calls(cell, "widgets.explore") for cell in notebook["cells"])
    return [] if found else ["needs at least one widgets.explore(...)"]


def rules_stand_before_measurements(lesson, notebook):
    cells = notebook["cells"]
    end = first(cells, lambda cell: source(cell).startswith("## Verdicts"))
    ruled = named(cells[:end], "claims.rule")
    return [f"no claims.rule({id!r}, ...) stands before the verdicts" for id in lesson.claims if id not in ruled]


def each_claim_has_one_verdict_cell(lesson, notebook):
    per_cell = [named([cell], "claims.verdict") for cell in section(notebook, "Verdicts")]
    judged = [id for ids in per_cell for id in ids]
    problems = (
        []
        if sorted(judged) == sorted(lesson.claims)
        else [f"the verdicts should be of {lesson.claims}; are of {judged}"]
    )
    problems += [f"one cell judges {ids}: one cell a claim" for ids in per_cell if len(ids) > 1]
    stored = [verdict.claim for verdict in course.verdicts_in(lesson, notebook)]
    return problems + [
        f"stored outputs should hold one verdict on {id}" for id in lesson.claims if stored.count(id) != 1
    ]


def seeds_bear_verdicts_out(lesson, notebook):
    return [
        f"{found.claim} {found.verdict}, but fewer than three seeds agree (seeds={found.seeds}): say undecided"
        for found in course.verdicts_in(lesson, notebook)
        if claims.claim(found.claim).kind == "measurable"
        and found.verdict != "undecided"
        and (found.seeds or (0, 0))[0] < 3
    ]


# The exercises and the end


def exercises_rise(lesson, notebook):
    cells = section(notebook, "Exercises")
    numbers = [
        int(number) for cell in cells for number in re.findall(r"^### Exercise (\d+): \S", source(cell), re.MULTILINE)
    ]
    problems = []
    if not 3 <= len(numbers) <= 5 or numbers != list(range(1, len(numbers) + 1)):
        problems.append(f"needs three to five headings '### Exercise 1: ...', numbered in order; has {numbers}")
    if sum(bool(calls(cell, "exercises.*.check")) for cell in cells) < 3:
        problems.append("needs at least three cells with exercises.NAME.check(...)")
    return problems


def exercises_are_stored_untouched(lesson, notebook):
    checks = [cell for cell in section(notebook, "Exercises") if calls(cell, "exercises.*.check")]
    told = ["not attempted yet" in " ".join(texts(cell["outputs"])).lower() for cell in checks]
    return [
        f"the stored output of {source(cell)!r} is not 'not attempted yet'" for cell, ok in zip(checks, told) if not ok
    ]


def quiz_is_the_lessons(lesson, notebook):
    asked = named(section(notebook, "Exit quiz"), "widgets.quiz")
    return [] if asked == [lesson.number] else [f"the exit quiz needs widgets.quiz({lesson.number!r}); it has {asked}"]


def discussion_is_the_maps(lesson, notebook):
    asked = list_items(section(notebook, "Questions to discuss"))
    problems = [] if len(asked) >= 2 else ["needs a list of two or more questions to discuss"]
    return problems + [
        f"a question is not in the map's discussion: {item}" for item in asked if item not in lesson.discussion
    ]


def three_things_to_read(lesson, notebook):
    items = list_items(section(notebook, "Three things to read"))
    problems = [] if len(items) == 3 else [f"needs a list of three things to read; it has {len(items)}"]
    return problems + [f"say when or where: {item}" for item in items if not re.search(r"\]\(|\b(?:19|20)\d\d\b", item)]


def closing_says_something(lesson, notebook):
    ends = ("Recap", "Where our miniature differs")
    return [f"{end}: says nothing" for end in ends if len(words(section(notebook, end)).split()) < 15]


# Form


def code_cells_are_short(lesson, notebook):
    lines = [sum(bool(line.strip()) for line in source(cell).split("\n")) for cell in code_cells(notebook)]
    problems = [f"a code cell has {count} lines: 25 at most" for count in lines if count > 25]
    if sum(count < 15 for count in lines) < 0.9 * len(lines):
        problems.append(f"nine in ten code cells should have under 15 lines: {sorted(lines)}")
    return problems


def the_usual_code_cell_is_short(lesson, notebook):
    lines = [sum(bool(line.strip()) for line in source(cell).split("\n")) for cell in code_cells(notebook)]
    median = statistics.median(lines)
    return [] if 2 <= median <= 6 else [f"the median code cell should have 2 to 6 lines; it has {median}"]


def markdown_is_short(lesson, notebook):
    counts = [(len(source(cell).split()), source(cell)[:40]) for cell in markdown_cells(notebook)]
    return [f"a markdown cell has {count} words (150 at most): {start!r}" for count, start in counts if count > 150]


def prose_between_code(lesson, notebook):
    kinds = "".join("c" if cell["cell_type"] == "code" else "m" for cell in notebook["cells"])
    return [f"{len(run)} code cells in a row: three at most" for run in re.findall("c+", kinds) if len(run) > 3]


def counts_run_from_one(lesson, notebook):
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    return (
        [] if counts == list(range(1, len(counts) + 1)) else [f"execution counts should be 1..{len(counts)}: {counts}"]
    )


def outputs_are_stored(lesson, notebook):
    shows = ("claims.*", "widgets.*", "exercises.*.check")
    empty = [cell for cell in code_cells(notebook) if not cell["outputs"] and any(calls(cell, name) for name in shows)]
    problems = [f"no stored output: {source(cell)!r}" for cell in empty]
    return problems if any(cell["outputs"] for cell in code_cells(notebook)) else ["no outputs are stored"]


def nothing_raised(lesson, notebook):
    widgets = notebook["metadata"].get("widgets", {}).values()
    models = [model for widget in widgets for model in widget.get("state", {}).values()]
    outputs = [output for cell in code_cells(notebook) for output in cell["outputs"]]
    outputs += [output for model in models for output in model.get("state", {}).get("outputs", [])]
    return [f"an error is stored: {output['ename']}" for output in outputs if output["output_type"] == "error"]


def terms_are_defined_once(lesson, notebook):
    found = bold(prose(notebook))
    counts = {term: found.count(term.lower()) + found.count(term.lower() + "s") for term in lesson.teaches}
    return [
        f"**{term}** should be bold once, where it is defined; it is {count} times"
        for term, count in counts.items()
        if count != 1
    ]


def figures_have_alternatives(lesson, notebook):
    outputs = [output for cell in code_cells(notebook) for output in cell["outputs"]]
    pictures = [
        (output["data"][kind], output["metadata"].get(kind, {}).get("alt", ""))
        for output in outputs
        for kind in ("image/png", "image/svg+xml")
        if kind in output.get("data", {})
    ]
    problems = ["a figure has no text alternative" for _, alt in pictures if not alt.strip()]
    shared = {
        alt for picture, alt in pictures for other, same in pictures if alt.strip() and alt == same and picture != other
    }
    return problems + [f"two different figures have one text alternative: {alt!r}" for alt in sorted(shared)]


def nothing_private(lesson, notebook):
    everything = [source(cell) for cell in notebook["cells"]] + texts(notebook["metadata"])
    everything += [text for cell in code_cells(notebook) for text in texts(cell["outputs"])]
    patterns = {"a memory address": ADDRESS, "an absolute path": PATH, "a host": HOST, "a registry": REGISTRY}
    if len(socket.gethostname()) > 4:
        patterns["this machine's name"] = re.compile(rf"(?<!\w){re.escape(socket.gethostname())}(?!\w)")
    hits = [(what, pattern.search(text), text) for text in everything for what, pattern in patterns.items()]
    return [f"{what}: {text[max(0, hit.start() - 30) : hit.end() + 30]!r}" for what, hit, text in hits if hit]


def no_pictures_in_markdown(lesson, notebook):
    return [
        "a picture is stored in markdown"
        for cell in markdown_cells(notebook)
        if cell.get("attachments") or "data:image" in source(cell)
    ]


def nothing_is_fetched(lesson, notebook):
    found = [hit[0] for cell in code_cells(notebook) for hit in FETCH.finditer(source(cell))]
    return [f"no download, shell command or magic in a lesson: {hit!r}" for hit in found]


def cells_have_ids(lesson, notebook):
    ids = [cell.get("id") for cell in notebook["cells"]]
    problems = [] if all(ids) and len(set(ids)) == len(ids) else ["each cell needs an id of its own"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            nbformat.validate(nbformat.from_dict(copy.deepcopy(notebook)))
        except (nbformat.ValidationError, Warning) as error:
            problems.append(f"not a sound notebook: {str(error).splitlines()[0]}")
    return problems


def no_belittling_words(lesson, notebook):
    found = re.findall(r"[^.\n]*\b(?:simply|just)\b[^.\n]*", prose(notebook), re.IGNORECASE)
    return [f"without 'simply' and 'just', please: {sentence.strip()!r}" for sentence in found]


EVERY_NOTEBOOK = [
    title_is_the_maps,
    question_is_asked,
    minutes_are_told,
    code_cells_are_short,
    markdown_is_short,
    prose_between_code,
    counts_run_from_one,
    outputs_are_stored,
    nothing_raised,
    terms_are_defined_once,
    figures_have_alternatives,
    nothing_private,
    no_pictures_in_markdown,
    nothing_is_fetched,
    cells_have_ids,
    no_belittling_words,
    guesses_are_answered,
]
EVERY_LESSON = [
    goals_are_listed,
    needs_are_told,
    claims_are_the_maps,
    sections_are_in_order,
    seed_is_honoured,
    experiments_are_numbered,
    experiments_begin_and_end_in_words,
    predictions_come_first,
    something_to_explore,
    rules_stand_before_measurements,
    each_claim_has_one_verdict_cell,
    seeds_bear_verdicts_out,
    exercises_rise,
    exercises_are_stored_untouched,
    quiz_is_the_lessons,
    discussion_is_the_maps,
    three_things_to_read,
    closing_says_something,
    the_usual_code_cell_is_short,
]
CHECKS = EVERY_NOTEBOOK + EVERY_LESSON


def stored(lesson: Lesson) -> dict:
    return json.loads(lesson.path.read_text(encoding="utf-8"))


def keeps(check, lesson: Lesson):
    return pytest.param(check, lesson, id=f"{lesson.number}-{check.__name__}")


@pytest.mark.parametrize(
    "check, lesson",
    [
        keeps(check, lesson)
        for lesson in course.lessons()
        for check in (CHECKS if "." in lesson.number else EVERY_NOTEBOOK)
    ],
)
def test_lesson_keeps_the_contract(check, lesson):
    problems = check(lesson, stored(lesson))
    assert not problems, f"notebooks/{lesson.file}:\n" + "\n".join(f"- {problem}" for problem in problems)


# Across the course


def terms_used_too_early(notebooks: list[tuple[Lesson, dict]]) -> list[str]:
    """Terms that a notebook uses before the lesson that teaches them, or that it defines for another lesson."""
    problems = []
    for place, (lesson, notebook) in enumerate(notebooks):
        text = prose(notebook)
        for other, _ in notebooks:
            for name in (other.title, other.question):
                text = flat(text).replace(flat(name), "")
        for other_place, (other, _) in enumerate(notebooks):
            for term in other.teaches if other is not lesson else ():
                if other_place > place and mentions(term, text):
                    problems.append(f"lesson {lesson.number} uses {term!r}, which lesson {other.number} teaches")
                if term.lower() in bold(text):
                    problems.append(
                        f"lesson {lesson.number} sets **{term}** in bold, which lesson {other.number} defines"
                    )
    return problems


def test_no_term_is_used_before_it_is_taught():
    assert not terms_used_too_early([(lesson, stored(lesson)) for lesson in course.lessons()])


def test_a_term_used_too_early_is_noticed():
    early = LESSON.__class__(**{**vars(LESSON), "number": "9.0", "teaches": ()})
    notebook = {"cells": [{"cell_type": "markdown", "source": "Mind the **Gaps**, a gap and Made up?"}]}
    problems = terms_used_too_early([(early, notebook), (LESSON, sound())])
    assert problems == ["lesson 9.0 uses 'gap', which lesson 9.1 teaches"]
    notebook["cells"][0]["source"] = "A **gap** is defined."
    assert len(terms_used_too_early([(LESSON, sound()), (early, notebook)])) == 1


# The tracked tree


def machine_names() -> list[str]:
    """This machine's own places: the repository, the home folder and the hosts that pip and uv install from."""
    settings = " ".join(value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_")))
    settings += subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    hosts = re.findall(r"https?://(?:[^/@\s]*@)?([\w.-]+\.\w+)", settings)
    places = [str(place) + "/" for place in (course.ROOT, Path.home()) if len(place.parts) > 2]
    return [*places, *hosts]


def private_lines(text: str, names: list[str]) -> list[str]:
    return [line for line in text.splitlines() if REGISTRY.search(line) or any(name in line for name in names)]


def test_no_file_names_a_registry_or_a_place_on_this_machine():
    if not (course.ROOT / ".git").exists():
        pytest.skip("not a clone: nothing is tracked here")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=course.ROOT, capture_output=True, text=True, check=True)
    names, found = machine_names(), {}
    for name in filter(None, tracked.stdout.split("\0")):
        path = course.ROOT / name
        if path.is_file():
            found[name] = private_lines(path.read_text(encoding="utf-8", errors="replace"), names)
    assert len(found) > 10
    assert not {name: lines for name, lines in found.items() if lines}


def test_private_lines_are_noticed():
    text = "fine\n--index-url" + "=https://mirror.example/pip\nhttps://files.python" + "hosted.org/a\nat=/srv/alice/x"
    assert len(private_lines(text, ["/srv/alice/"])) == 3


# A small sound notebook, and a breach of each check

LESSON = Lesson(
    number="9.1",
    file="9_made_up/1_made_up.ipynb",
    title="Made up?",
    question="Is it made up?",
    goals=("tell a gap", "mind it"),
    minutes=50,
    needs=("1.1",),
    teaches=("gap",),
    claims=("P12", "P13"),
    discussion=("Who minds?", "Why mind?"),
)


def sound() -> dict:
    """A notebook that keeps the whole contract."""

    def verdict(id):
        claims.rule(id, "Holds where it is so.")
        return claims.verdict(id, holds=True, measured="1 gap", seeds=(5, 5))._repr_mimebundle_()

    def shown(data, metadata=None):
        return [new_output("execute_result", data=data, metadata=metadata or {}, execution_count=1)]

    text = {"text/plain": "shown"}
    cells = [
        new_markdown_cell(
            "# 9.1 Made up?\n\nIs it made up?\n\nYou will be able to\n\n- tell a gap\n- mind it\n\n"
            "50 minutes. Needs: lesson 1.1. A **gap** is a space."
        ),
        new_code_cell('from helpers import claims\n\nclaims.show("P12", "P13")', outputs=shown(text)),
        new_markdown_cell("## Set-up"),
        new_code_cell("from helpers import measuring\n\nseed = measuring.seed()"),
    ]
    for number in (1, 2, 3):
        alt = {"image/png": {"alt": f"Picture {number}"}}
        cells += [
            new_markdown_cell(
                f"## Experiment {number}: look\n\nWe ask how wide the gap is between train and platform."
            ),
            new_code_cell(f'asked = {number}\nwidgets.predict("gap {number}", "How wide?")', outputs=shown(text)),
            new_markdown_cell("Look:"),
            new_code_cell(
                f'gap = {number}\nwidgets.compare("gap {number}", gap)\nwidgets.explore(draw, gap=gap)',
                outputs=shown({**text, "image/png": f"picture {number}"}, alt),
            ),
            new_markdown_cell("It is as wide as it looks."),
        ]
    rules = 'claims.rule("P12", "Holds where wide.")\nclaims.rule("P13", "Holds where deep.")'
    cells.insert(5, new_code_cell(rules, outputs=shown(text)))
    cells += [new_markdown_cell("## Verdicts")]
    cells += [
        new_code_cell(f'wide = True\nclaims.verdict("{id}", holds=wide)', outputs=shown(verdict(id)))
        for id in LESSON.claims
    ]
    cells += [new_markdown_cell("## Exercises")]
    for number in (1, 2, 3):
        cells += [
            new_markdown_cell(f"### Exercise {number}: try"),
            new_code_cell(
                f"attempt = ...\nexercises.one_{number}.check(attempt)",
                outputs=shown({"text/plain": "Not attempted yet."}),
            ),
        ]
    long = "There is more to say about this than would fit in so short and so plain a sentence."
    cells += [
        new_markdown_cell("## Exit quiz"),
        new_code_cell('widgets.quiz("9.1")', outputs=shown(text)),
        new_markdown_cell(f"## Recap\n\n{long}"),
        new_markdown_cell(f"## Where our miniature differs from a railway\n\n{long}"),
        new_markdown_cell("## Questions to discuss\n\n1. Who minds?\n2. Why mind?"),
        new_markdown_cell("## Three things to read\n\n- Smith 1999\n- [Gaps](https://example.org)\n- Jones\n  2004"),
    ]
    notebook = new_notebook(cells=cells)
    for count, cell in enumerate(code_cells(notebook), 1):
        cell["execution_count"] = count
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return json.loads(json.dumps(notebook))


def swap(old: str, new: str):
    """A breach that replaces a text, wherever it stands in the notebook's file."""

    def breach(notebook: dict) -> dict:
        text = json.dumps(notebook, ensure_ascii=False)
        assert old in text
        return json.loads(text.replace(old, new))

    return breach


def add(*cells):
    """A breach that puts cells at the notebook's end."""

    def breach(notebook: dict) -> dict:
        extra = [{**cell, "id": f"extra-{number}"} for number, cell in enumerate(cells)]
        return {**notebook, "cells": notebook["cells"] + json.loads(json.dumps(extra))}

    return breach


def without(start: str):
    """A breach that takes out the cells that start with a text."""

    def breach(notebook: dict) -> dict:
        left = [cell for cell in notebook["cells"] if not source(cell).startswith(start)]
        assert len(left) < len(notebook["cells"])
        return {**notebook, "cells": left}

    return breach


def with_widget_error(notebook: dict) -> dict:
    state = {"abc": {"state": {"outputs": [{"output_type": "error", "ename": "KeyError"}]}}}
    return {**notebook, "metadata": {"widgets": {"application/vnd.jupyter.widget-state+json": {"state": state}}}}


def move_rules_to_the_end(notebook: dict) -> dict:
    rules = [cell for cell in notebook["cells"] if source(cell).startswith("claims.rule")]
    return {**notebook, "cells": [cell for cell in notebook["cells"] if cell not in rules] + rules}


def strip_outputs(notebook: dict) -> dict:
    return {**notebook, "cells": [{**cell, "outputs": []} if "outputs" in cell else cell for cell in notebook["cells"]]}


def error_cell() -> dict:
    return new_code_cell("1 / 0", outputs=[new_output("error", ename="ZeroDivisionError", evalue="", traceback=[])])


def printing(text: str) -> dict:
    return new_code_cell("show()", outputs=[new_output("stream", text=text)])


BREACHES = [
    (title_is_the_maps, swap("# 9.1 Made up?", "# Made up?")),
    (question_is_asked, swap("Is it made up?", "Is it?")),
    (minutes_are_told, swap("50 minutes", "An hour")),
    (code_cells_are_short, add(new_code_cell("x = 1\n" * 26))),
    (code_cells_are_short, add(*[new_code_cell("x = 1\n" * 16)] * 3)),
    (markdown_is_short, add(new_markdown_cell("word " * 151))),
    (prose_between_code, add(*[new_code_cell("x = 1")] * 4)),
    (counts_run_from_one, add(new_code_cell("x = 1"))),
    (counts_run_from_one, swap('"execution_count": 3', '"execution_count": 4')),
    (outputs_are_stored, strip_outputs),
    (outputs_are_stored, add(new_code_cell('claims.show("P12")'))),
    (nothing_raised, add(error_cell())),
    (nothing_raised, with_widget_error),
    (terms_are_defined_once, swap("**gap**", "gap")),
    (terms_are_defined_once, add(new_markdown_cell("Two **gaps**."))),
    (figures_have_alternatives, swap('"alt": "Picture 2"', '"alt": " "')),
    (figures_have_alternatives, swap('"alt": "Picture 2"', '"alt": "Picture 1"')),
    (nothing_private, add(printing("<function f at 0x7f31c2d0>"))),
    (nothing_private, add(printing("File /home/alice/lesson.py"))),
    (nothing_private, add(new_code_cell("open('C:\\\\Users')"))),
    (nothing_private, add(printing("at http://localhost:8888"))),
    (
        nothing_private,
        add(printing(f"on {socket.gethostname()}:" if len(socket.gethostname()) > 4 else "on localhost")),
    ),
    (nothing_private, add(printing("from https://mirror.example/" + "simple"))),
    (no_pictures_in_markdown, add(new_markdown_cell("![](data:image/png;base64,AAAA)"))),
    (nothing_is_fetched, add(new_code_cell("!pip install thing"))),
    (nothing_is_fetched, add(new_code_cell("%run other.py"))),
    (nothing_is_fetched, add(new_code_cell("nltk.download('words')"))),
    (cells_have_ids, swap('"id": "cell-3"', '"id": "cell-2"')),
    (cells_have_ids, swap('"id": "cell-3"', '"number": 3')),
    (no_belittling_words, add(new_markdown_cell("It is Just so."))),
    (no_belittling_words, add(new_markdown_cell("Simply put."))),
    (goals_are_listed, swap("- mind it", "- lose it")),
    (goals_are_listed, swap("You will be able to", "Goals")),
    (needs_are_told, swap("Needs: lesson 1.1", "Needs: nothing")),
    (needs_are_told, swap("Needs: lesson", "After lesson")),
    (claims_are_the_maps, swap('claims.show(\\"P12\\", \\"P13\\")', 'claims.show(\\"P12\\")')),
    (sections_are_in_order, swap("## Recap", "### Recap")),
    (sections_are_in_order, swap("## Exercises", "## Three things to read first")),
    (seed_is_honoured, swap("measuring.seed()", "1")),
    (seed_is_honoured, add(new_code_cell("key = jax.random.key(0)"))),
    (seed_is_honoured, add(new_code_cell("fit(random_state=0)"))),
    (experiments_are_numbered, swap("## Experiment 2: look", "## Experiment 4: look")),
    (experiments_are_numbered, swap("## Experiment 3: look", "### More")),
    (experiments_begin_and_end_in_words, without("It is as wide")),
    (experiments_begin_and_end_in_words, swap("We ask how wide the gap is between train and platform.", "")),
    (predictions_come_first, swap('asked = 2\\nwidgets.predict(\\"gap 2\\", \\"How wide?\\")', "asked = 2")),
    (predictions_come_first, without("asked = 3")),
    (guesses_are_answered, swap('widgets.compare(\\"gap 2\\"', 'widgets.compare(\\"gap 1\\"')),
    (guesses_are_answered, add(new_code_cell('widgets.compare("gap 4", 4)\nwidgets.predict("gap 4", "How deep?")'))),
    (something_to_explore, swap("widgets.explore", "plot")),
    (rules_stand_before_measurements, move_rules_to_the_end),
    (rules_stand_before_measurements, swap('claims.rule(\\"P13\\"', 'claims.rule(\\"P12\\"')),
    (each_claim_has_one_verdict_cell, swap('claims.verdict(\\"P13\\"', 'claims.verdict(\\"P12\\"')),
    (each_claim_has_one_verdict_cell, swap('"claim": "P13"', '"claim": "P12"')),
    (
        each_claim_has_one_verdict_cell,
        swap("wide = True\\nclaims.verdict", 'claims.verdict(\\"P13\\", holds=True)\\nclaims.verdict'),
    ),
    (seeds_bear_verdicts_out, swap('"seeds": [5, 5]', '"seeds": [2, 2]')),
    (seeds_bear_verdicts_out, swap('"seeds": [5, 5]', '"seeds": null')),
    (exercises_rise, swap("### Exercise 2", "### Exercise 1")),
    (exercises_rise, swap("exercises.one_1.check", "print")),
    (exercises_are_stored_untouched, swap("Not attempted yet.", "Well done.")),
    (quiz_is_the_lessons, swap('widgets.quiz(\\"9.1\\")', 'widgets.quiz(\\"9.2\\")')),
    (quiz_is_the_lessons, without("widgets.quiz")),
    (discussion_is_the_maps, swap("1. Who minds?", "1. Who cares?")),
    (discussion_is_the_maps, swap("1. Who minds?\\n2. Why mind?", "1. Who minds?")),
    (three_things_to_read, swap("- Smith 1999\\n", "")),
    (three_things_to_read, swap("Smith 1999", "Smith")),
    (closing_says_something, swap("There is more to say about this", "")),
    (the_usual_code_cell_is_short, add(*[new_code_cell("x = 1")] * 30)),
    (the_usual_code_cell_is_short, add(*[new_code_cell("x = 1\n" * 7)] * 30)),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_sound_notebook_passes(check):
    assert check(LESSON, sound()) == []


@pytest.mark.parametrize(
    "check, breach", [pytest.param(*case, id=f"{case[0].__name__}-{place}") for place, case in enumerate(BREACHES)]
)
def test_a_breach_is_noticed(check, breach):
    problems = check(LESSON, breach(sound()))
    assert problems and all(isinstance(problem, str) and problem for problem in problems)


def test_every_check_has_a_breach():
    assert {check for check, _ in BREACHES} == set(CHECKS)
