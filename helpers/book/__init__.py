"""The book: a static site made from the lessons as they are stored. Nothing is executed, and it needs no server.

`python3 -m helpers book` makes it. Every page is a text in `pages`; Sphinx, told by conf.py, turns them into a site.
"""

import importlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from helpers import course, files, glossary, teaching
from helpers.claims import ROOT, VERDICT_TYPE, all_claims
from helpers.course import Course, Lesson, Part

SITE = ROOT / "site"
RUN_IT = "run_it_yourself"  # the page made of what README says beside the index and the ledger
VERDICTS = {"✓ holds": "hold", "✗ fails": "fail", "? undecided": "are undecided", "discussed": "are discussed"}


def build(site: Path = SITE) -> int:
    """Makes the site in a folder, in place of what was there, and says what it holds; 0 if Sphinx warns of nothing.

        build(Path("somewhere"))

    Where Sphinx warns, the old site stays as it was. Raises Fault where the site cannot be written; then, too.
    """
    files.check_writable(site)
    from sphinx.cmd.build import build_main  # not every machine has Sphinx: the command installs it first

    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        sources, made = Path(folder, "pages"), Path(folder, "site")
        for name, text in pages(course.course()).items():
            page = sources / name
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
        told = ["-c", str(Path(__file__).parent), "-d", str(Path(folder, "doctrees")), "--fail-on-warning", "--quiet"]
        failed = build_main([*told, str(sources), str(made)])
        if not failed:
            _put(made, site)
            sizes = [path.stat().st_size for path in site.rglob("*") if path.is_file()]
            count, seconds = len(html_pages(site)), time.monotonic() - started
            print(
                f"{count} pages, {sum(sizes) / 1e6:.0f} MB, made in {seconds:.0f} s: {(site / 'index.html').as_uri()}"
            )
    return failed


def _put(made: Path, site: Path) -> None:
    """Puts a made site in the place of the old one, which goes only when the new one is whole."""
    part, old = (site.with_name(f"{site.name}.{ending}") for ending in ("new.part", "old.part"))
    try:
        for left_over in (part, old):
            shutil.rmtree(left_over, ignore_errors=True)
        shutil.copytree(made, part)
        if site.exists():
            site.rename(old)
        part.rename(site)
    except OSError as error:
        raise files.not_written(site, _first_reason(error)) from None
    finally:
        if old.exists() and not site.exists():
            old.rename(site)
        for left_over in (part, old):
            shutil.rmtree(left_over, ignore_errors=True)


def _first_reason(error: OSError) -> OSError:
    """What stopped the first file, where many could not be copied: shutil tells that in words alone."""
    code = re.search(r"\[Errno (\d+)\]", str(error))
    return OSError(int(code[1]), os.strerror(int(code[1]))) if code else error


def html_pages(site: Path) -> list[Path]:
    """The site's pages, without the parts of pages that the theme keeps among its own files."""
    return sorted(page for page in site.rglob("*.html") if not page.relative_to(site).parts[0].startswith("_"))


def pages(of: Course) -> dict[str, str]:
    """Every page's file name and source.

    A lesson has the same place in the book as in the folder notebooks, so that links between lessons work in both.
    """
    made = {lesson.file: lesson_page(lesson) for lesson in of.lessons}
    made |= {f"{folder}/index.md": part_page(of, part, folder) for part, folder in _folders(of)}
    made |= {"ledger.md": ledger_page(of), "glossary.md": glossary_page(of), f"{RUN_IT}.md": readme_page(of)}
    for_teachers = teachers_pages(of)
    if for_teachers:
        made |= {f"teachers/{name}": text for name, text in for_teachers.items()}
        made["teachers/index.md"] = f"# For teachers\n\n{_contents(list(for_teachers))}"
    return made | {"index.md": home_page(of, "teachers/index.md" in made)}


def teachers_pages(of: Course) -> dict[str, str]:
    """The teacher's pages in order: file name, such as "3.1.md" -> Markdown that begins with a title."""
    planned = teaching.plans()
    return {
        f"{one.number}.md": teaching.page(one, "../")
        for one in of.lessons
        if (one.number, teaching.LENGTHS[0]) in planned
    }


def home_page(of: Course, for_teachers: bool = False) -> str:
    """The first page: README's own opening, every lesson with its question, and what else the book holds.

    >>> home_page(course.course()).splitlines()[0]
    '# Talks You Can Run'
    """
    opening = re.sub(r"!\[.*?\]\(.*?\)", "", _readme()[0], flags=re.DOTALL).strip()
    told = [opening, f"Read here what each lesson does and what it found, or [run it yourself]({RUN_IT}.md)."]
    folders = dict(_folders(of))
    for part in of.parts:
        own = [lesson for lesson in of.lessons if lesson.part == part.number]
        if part in folders:
            told.append(f"## [Part {part.number}: {part.title}]({folders[part]}/index.md)")
            told.append("\n".join(f"- [{lesson.heading}]({lesson.file}): {lesson.question}" for lesson in own))
        else:
            told += [f"## [{lesson.heading}]({lesson.file})\n\n{lesson.question}" for lesson in own]
    told += [
        "## Beside the lessons",
        "- [The ledger](ledger.md): every claim with its verdict\n"
        "- [The glossary](glossary.md): every term, in English and Chinese"
        + "\n- [For teachers](teachers/index.md): a page for each lesson"
        * for_teachers,
    ]
    single = [lesson.file for lesson in of.lessons if "/" not in lesson.file]
    others = ["ledger.md", "glossary.md", *["teachers/index.md"] * for_teachers, f"{RUN_IT}.md"]
    order = [single[0], *(f"{folder}/index.md" for folder in folders.values()), *single[1:], *others]
    return "\n\n".join([*told, _contents(order, hidden=True)])


def part_page(of: Course, part: Part, folder: str) -> str:
    """A part's page: what each lesson asks, takes and teaches, and the lessons to come.

    >>> part_page(course.course(), course.course().parts[3], "3_the_bitter_lesson").splitlines()[0]
    '# Part 3: The bitter lesson'
    """
    told = [f"# Part {part.number}: {part.title}"]
    own = [lesson for lesson in of.lessons if lesson.part == part.number]
    numbers = {lesson.number: lesson for lesson in of.lessons}
    for lesson in own:
        needs = ", ".join(f"[{numbers[need].heading}](../{numbers[need].file})" for need in lesson.needs)
        goals = "\n".join(f"- {goal}" for goal in lesson.goals)
        told += [f"## [{lesson.heading}](../{lesson.file})", f"*{lesson.question}*"]
        told += [f"You will be able to\n\n{goals}", f"{lesson.minutes} minutes. Needs: {needs or 'no other lesson'}."]
    coming = [one for one in course.to_come(of) if one.number.split(".")[0] == part.number]
    if coming:
        told += ["## To come", "\n".join(f"- {one.number} {one.title}" for one in coming)]
    return "\n\n".join([*told, _contents([f"/{lesson.file}" for lesson in own], hidden=True)])


def lesson_page(lesson: Lesson) -> str:
    """A lesson's notebook as the book has it: with each exercise's hints and solution, folded, after its cell."""
    notebook = json.loads(lesson.path.read_text(encoding="utf-8"))
    notebook["metadata"].pop("widgets", None)  # the state of controls that no kernel answers
    exercises, cells = None, []
    for cell in notebook["cells"]:
        cells.append(cell)
        if cell["cell_type"] != "code":
            cell["source"] = "".join(cell["source"]).replace("](../README.md)", f"]({RUN_IT}.md)")
            continue
        for output in cell["outputs"]:
            output.get("data", {}).pop(VERDICT_TYPE, None)  # read from the notebook itself: here it is only unknown
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:  # the book's tools take a picture's text alternative from its cell alone
                cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
        source = "".join(cell["source"])
        if found := re.search(r"^from (helpers\S*) import (\w+) as exercises$", source, re.MULTILINE):
            exercises = importlib.import_module(f"{found[1]}.{found[2]}")
        for name in re.findall(r"^exercises\.(\w+)\.check\(", source, re.MULTILINE):
            cells += _help_with(getattr(exercises, name))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return json.dumps(notebook | {"cells": cells}, ensure_ascii=False)


def _help_with(exercise) -> list[dict]:
    """Cells that show an exercise's hints and its solution as a learner sees them who asks, each folded."""
    ladder = exercise.ladder()
    shown = [(f"Hint {number} of {len(ladder)}", "hint", card) for number, card in enumerate(ladder, 1)]
    return [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {"tags": ["hide-cell"], "mystnb": {"code_prompt_show": title, "code_prompt_hide": title}},
            "source": f"exercises.{exercise.name}.{method}()",
            "outputs": [{"output_type": "display_data", "metadata": {}, "data": card._repr_mimebundle_()}],
        }
        for title, method, card in [*shown, ("One way to write it", "solution", exercise.solution())]
    ]


def ledger_page(of: Course) -> str:
    """Every claim of the lessons that exist with its verdict, lesson by lesson, in a form that a narrow page holds."""
    claims, again = all_claims(), course.replicated()
    judged = {verdict.claim: verdict for verdict in course.verdicts()}
    told, counts = [], dict.fromkeys(VERDICTS, 0)
    for lesson in of.lessons:
        if lesson.claims:
            told.append(f"## [{lesson.heading}]({lesson.file})")
        for id in lesson.claims:
            verdict, measured, seeds, runs = course.judgement(claims[id], judged.get(id), again.get(id))
            counts[verdict] = counts.get(verdict, 0) + 1
            fields = {"Measured": measured, "Seeds agreeing": seeds, "Run again": runs}
            lines = [f"{name}: {text}" for name, text in fields.items() if text]
            told.append(
                f"**{id}** {claims[id].claim} ({claims[id].speaker})\n"
                + "\n".join(f": {_plain(line)}" for line in [f"**{verdict}** ({claims[id].kind})", *lines])
            )
    summed = ", ".join(f"{count} {VERDICTS.get(verdict, verdict)}" for verdict, count in counts.items() if count)
    lead = (
        "What the lessons measured. A verdict says that a claim holds, fails or is undecided *at this scale*: that of "
        "a laptop and a minute. Nobody types it: a lesson computes it by a rule that stands before the measurement, "
        f"and this page is made from the lessons' stored outputs.\n\nSo far: {summed}. "
        f"{len(claims) - sum(counts.values())} more claims wait for lessons to come."
    )
    return "\n\n".join(["# The ledger", lead, *told])


def glossary_page(of: Course) -> str:
    """Every term with its Chinese name, its meaning, and a link to the lesson that defines it, by alphabet."""
    lessons = {lesson.number: lesson for lesson in of.lessons}
    entries = [
        f"{one.term} [{one.chinese}]{{.language-zh-Hans}}\n"
        f"  {_plain(one.meaning)} [{lessons[one.lesson].heading}]({lessons[one.lesson].file})"
        for one in sorted(glossary.terms(), key=lambda one: one.term.lower())
    ]
    lead = "Every term that a lesson defines: in English and Chinese, with the lesson in which it is defined."
    listed = "\n\n".join(entries)
    return f"# The glossary\n\n{lead}\n\n```{{glossary}}\n{listed}\n```"


def readme_page(of: Course) -> str:
    """What README says of running and extending the course; the book has pages of its own for the rest.

    >>> readme_page(course.course()).splitlines()[:3]
    ['# Run it yourself', '', '## Start']
    """
    kept = [text for text in _readme()[1:] if not text.startswith(("Lessons\n", "The ledger\n"))]
    text = "\n\n".join(["# Run it yourself", *(f"## {section.strip()}" for section in kept)])
    text = text.replace("](notebooks/", "](")
    files = f"{of.repository.rstrip('/')}/blob/HEAD/" if of.repository else ""
    return re.sub(
        r"\[([^\]]+)\]\((?!\w+:|#)([^)]+)\)",
        lambda link: link[0] if link[2].endswith(".ipynb") else f"[{link[1]}]({files}{link[2]})" if files else link[1],
        text,
    )


def _readme() -> list[str]:
    """README's opening, then its sections, each beginning with its own heading."""
    return (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")


def _folders(of: Course) -> list[tuple[Part, str]]:
    """The parts whose lessons share a folder, and that folder."""
    found = {lesson.part: lesson.file.split("/")[0] for lesson in of.lessons if "/" in lesson.file}
    return [(part, found[part.number]) for part in of.parts if part.number in found]


def _contents(names: list[str], hidden: bool = False) -> str:
    """A toctree of pages."""
    listed = "\n".join(re.sub(r"\.(md|ipynb)$", "", name) for name in names)
    return f"```{{toctree}}\n{':hidden:' if hidden else ''}\n\n{listed}\n```"


def _plain(text: str) -> str:
    """Text in which Markdown finds nothing of its own, but for **bold** at its start."""
    bold = re.match(r"\*\*.+?\*\*", text)
    start = bold[0] if bold else ""
    return start + re.sub(r"([\\`*_{}\[\]<>|$])", r"\\\1", text[len(start) :])


if __name__ == "__main__":
    sys.exit(build())
