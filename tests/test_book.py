"""The book: each page from the lessons as they are stored, and a site that is whole and needs no other."""

import json
import re
import runpy
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from helpers import book, claims, course, glossary
from tests.conftest import needed

CONF = Path(book.__file__).parent / "conf.py"
LESSONS = course.lessons()


# The pages, before Sphinx reads them


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return book.pages(course.course())


def test_every_lesson_has_its_page_where_the_notebook_has_its_place(pages):
    assert {lesson.file for lesson in LESSONS} == {name for name in pages if name.endswith(".ipynb")}


def test_every_lesson_hangs_below_a_part_or_the_first_page(pages):
    trees = " ".join(re.findall(r"```{toctree}.*?```", " ".join(pages.values()), re.DOTALL))
    assert not [lesson.file for lesson in LESSONS if lesson.file.removesuffix(".ipynb") not in trees]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_every_exercise_with_a_check_has_its_hints_and_its_solution_folded(lesson):
    notebook = json.loads(book.lesson_page(lesson))
    text = "".join("".join(cell["source"]) + "\n" for cell in notebook["cells"] if cell["cell_type"] == "code")
    checked = re.findall(r"^exercises\.(\w+)\.check\(", text, re.MULTILINE)
    folded = [cell for cell in notebook["cells"] if "hide-cell" in cell["metadata"].get("tags", [])]
    solutions = [cell["source"] for cell in folded if cell["source"].endswith(".solution()")]
    assert checked and solutions == [f"exercises.{name}.solution()" for name in checked]
    assert len(folded) >= 3 * len(checked)  # a ladder has two hints at least
    assert all(cell["outputs"][0]["data"]["text/html"] for cell in folded)


def test_hints_stand_in_order_whatever_was_asked_before():
    from helpers.exercises import start_here

    start_here.share.hint()
    cells = json.loads(book.lesson_page(course.lesson("0")))["cells"]
    titles = [cell["metadata"]["mystnb"]["code_prompt_show"] for cell in cells if cell["metadata"].get("tags")]
    assert titles == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3", "One way to write it"]


def test_the_notebooks_themselves_stay_as_they_are(pages):
    notebook = json.loads(LESSONS[1].path.read_text(encoding="utf-8"))
    assert "widgets" in notebook["metadata"] and "widgets" not in json.loads(pages[LESSONS[1].file])["metadata"]


def test_the_ledger_has_every_claim_of_the_lessons_with_its_verdict(pages):
    entries = dict(re.findall(r"^\*\*(\w\d\d)\*\* .+\n: \*\*(.+?)\*\*", pages["ledger.md"], re.MULTILINE))
    judged = {verdict.claim: f"{claims.SYMBOLS[verdict.verdict]} {verdict.verdict}" for verdict in course.verdicts()}
    assert judged and {id: entries.get(id) for id in judged} == judged
    assert set(entries) == {id for lesson in LESSONS for id in lesson.claims}


def test_the_glossary_has_every_term_by_alphabet(pages):
    found = re.findall(r"^(\S.*) \[(.+)\]{\.language-zh-Hans}$", pages["glossary.md"], re.MULTILINE)
    assert found == sorted(((one.term, one.chinese) for one in glossary.terms()), key=lambda row: row[0].lower())


def test_the_page_on_running_it_links_to_nothing_that_the_book_lacks(pages, monkeypatch):
    links = re.findall(r"\]\((?!\w+:|#)([^)]+)\)", pages["run_it_yourself.md"])
    assert not [link for link in links if link not in pages]
    told = "Start\n\n[3.1](notebooks/3/1.ipynb), [licence](LICENSE), [all](https://example.org)"
    monkeypatch.setattr(book, "_readme", lambda: ["# Talks", told, "Lessons\n\n[index](a.md)", "The ledger\n"])
    private = "# Run it yourself\n\n## Start\n\n[3.1](3/1.ipynb), licence, [all](https://example.org)"
    assert book.readme_page(course.course()._replace(repository="")) == private
    public = course.course()._replace(repository="https://github.com/someone/talks")
    address = "[licence](https://github.com/someone/talks/blob/HEAD/LICENSE)"
    assert book.readme_page(public) == private.replace("licence", address)


def test_the_teachers_pages_join_the_book(monkeypatch):
    monkeypatch.setattr(book, "teachers_pages", lambda of: {"3.1.md": "# 3.1 for teachers", "1.1.md": "# 1.1"})
    made = book.pages(course.course())
    assert made["teachers/3.1.md"] == "# 3.1 for teachers"
    assert re.search(r"\n3\.1\n1\.1\n```", made["teachers/index.md"])
    assert re.search(r"{toctree}.*\nteachers/index\n", made["index.md"], re.DOTALL)


def test_no_launch_button_is_promised_before_the_course_is_public(monkeypatch):
    monkeypatch.setattr(course, "course", lambda: course.read()._replace(repository=""))
    assert "launch_buttons" not in runpy.run_path(str(CONF))["html_theme_options"]


# The site


def soup(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def broken_links(site: Path) -> list[str]:
    """Links, pictures and scripts of a site's pages that lead to no file of the site, or to no place in a page."""
    made = {page: soup(page) for page in book.html_pages(site)}
    places = {page: {tag["id"] for tag in parsed.find_all(id=True)} for page, parsed in made.items()}
    broken = []
    for page, parsed in made.items():
        for tag in parsed.find_all(["a", "img", "link", "script"]):
            link = tag.get("href") or tag.get("src")
            if not link or re.match(r"\w+:", link):
                continue
            path, _, place = unquote(link).partition("#")
            target = (page.parent / path.partition("?")[0]).resolve() if path else page
            if not target.is_file() or (place and target in places and place not in places[target]):
                broken.append(f"{page.relative_to(site)}: {link}")
    return broken


def asks_elsewhere(page: Path) -> list[str]:
    """What a page would fetch from another site when it is opened."""
    parsed = soup(page)
    fetched = [tag.get("src") for tag in parsed.find_all(["script", "img", "iframe", "audio", "video", "source"])]
    fetched += [tag.get("href") for tag in parsed.find_all("link") if set(tag.get("rel", [])) & {"stylesheet", "icon"}]
    return [link for link in fetched if link and re.match(r"(https?:)?//", link)]


def blank_outputs(page: Path) -> int:
    """How many outputs of cells show neither text nor a picture."""
    outputs = soup(page).select(".cell_output .output")
    return sum(not one.get_text(strip=True) and not one.find(["img", "svg"]) for one in outputs)


def test_every_page_is_made(site):
    wanted = {re.sub(r"\.(md|ipynb)$", ".html", name) for name in book.pages(course.course())} | {"search.html"}
    assert {page.relative_to(site.resolve()).as_posix() for page in book.html_pages(site.resolve())} == wanted


def test_no_link_is_broken(site):
    assert broken_links(site.resolve()) == []


def test_nothing_is_asked_of_another_site(site):
    assert {page.name: asks_elsewhere(page) for page in book.html_pages(site) if asks_elsewhere(page)} == {}


def test_no_output_is_blank_and_every_figure_is_there_with_its_words(site):
    figures = 0
    for lesson in LESSONS:
        page, notebook = (site / lesson.file).with_suffix(".html"), json.loads(lesson.path.read_text(encoding="utf-8"))
        assert blank_outputs(page) == 0
        shown = [picture["alt"] for picture in soup(page).select(".cell_output img")]
        outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
        assert shown == [one["metadata"]["image/png"]["alt"] for one in outputs if "image/png" in one.get("data", {})]
        figures += len(shown)
    assert figures > 50


def test_every_control_has_the_sentence_that_stands_in_for_it(site):
    text = soup((site / course.lesson("3.1").file).with_suffix(".html")).get_text()
    assert "Run this cell in JupyterLab for its live controls" in text and "VBox(" not in text


def test_every_lesson_has_a_button_that_opens_it_in_binder(site):
    for lesson in LESSONS:
        links = [a["href"] for a in soup((site / lesson.file).with_suffix(".html")).select("a[href*=mybinder]")]
        assert f"https://mybinder.org/v2/gh/someone/talks/HEAD?urlpath=lab/tree/notebooks/{lesson.file}" in links


def test_faults_of_a_site_are_noticed(tmp_path):
    page = tmp_path / "a.html"
    page.write_text(
        '<a href="b.html">b</a><a href="#top">t</a><a href="a.html#here">h</a><p id="here"></p>'
        '<img src="//x.org/a.png">'
        '<div class="cell_output"><div class="output"> <span></span></div></div>',
        encoding="utf-8",
    )
    assert broken_links(tmp_path) == ["a.html: b.html", "a.html: #top", "a.html: //x.org/a.png"]
    assert asks_elsewhere(page) == ["//x.org/a.png"] and blank_outputs(page) == 1


def test_formulas_need_no_script_and_prices_are_no_formulas(sphinx, tmp_path):
    page = tmp_path / "index.md"
    page.write_text("# One\n\nFrom $2.50 and of 151 at $12.29: $x^2$.\n\n$$\n\\frac{a}{b}\n$$\n", encoding="utf-8")
    from sphinx.cmd.build import build_main

    assert build_main(["-q", "-W", "-c", str(CONF.parent), str(tmp_path), str(tmp_path / "site")]) == 0
    made = soup(tmp_path / "site" / "index.html")
    assert [bool(formula.find("mfrac")) for formula in made.find_all("math")] == [False, True]
    assert "From $2.50 and of 151 at $12.29:" in made.get_text() and not made.select("script[src*=athjax i]")


def test_a_tool_that_is_missing_skips_a_test_and_fails_where_all_were_asked_for(monkeypatch):
    needed("here", "a tool")
    monkeypatch.delenv("TALKS_TEST_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no such tool here: python3 -m helpers test --all"):
        needed(None, "such tool")
    monkeypatch.setenv("TALKS_TEST_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="no such tool here"):
        needed(None, "such tool")


def test_a_page_that_sphinx_warns_of_leaves_the_old_site_alone(sphinx, tmp_path, monkeypatch):
    old = tmp_path / "site" / "index.html"
    old.parent.mkdir()
    old.write_text("old", encoding="utf-8")
    monkeypatch.setattr(book, "pages", lambda of: {"index.md": "# One\n\n[nowhere](lost.md)\n"})
    assert book.build(old.parent) != 0
    assert old.read_text(encoding="utf-8") == "old"
