"""The book in a real browser: every page, wide and narrow, light and dark; by keyboard; for a screen reader."""

import re

import pytest

from helpers import book as made_by
from helpers import course
from tests.browser.conftest import watched

PAGES = sorted({re.sub(r"\.(md|ipynb)$", ".html", name) for name in made_by.pages(course.course())} | {"search.html"})
LESSON = course.lesson("3.1").file.replace(".ipynb", ".html")
ONE_OF_EACH_KIND = ["index.html", "1_accelerated_computing/index.html", LESSON, "ledger.html", "glossary.html"]
LOOKS = {"wide and light": (1280, "light"), "narrow and dark": (375, "dark")}
REACHABLE = "a[href], button, input, select, textarea, summary, [tabindex='0']"
# What a person can see and is not behind an open dialog, each with a number of its own.
MARK = f"""() => {{
    const seen = [...document.querySelectorAll("{REACHABLE}")].filter(e => !e.disabled && e.checkVisibility(
        {{visibilityProperty: true, opacityProperty: true}}) && e.getClientRects().length && e.tabIndex >= 0);
    seen.forEach((e, i) => e.dataset.mark = i);
    return seen.map(e => e.outerHTML.slice(0, 120));
}}"""


def too_wide(page) -> int:
    """How many pixels a page must be pushed sideways to be read."""
    return page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")


def serious(page, colours_of_code: bool = True) -> list[str]:
    """What axe-core finds in a page that is serious or critical, with the first place of each."""
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate("() => Promise.all(document.getAnimations().map(one => one.finished))")  # what fades in is pale
    options = {"resultTypes": ["violations"], "preload": False}  # preloading asks for style sheets where none are
    if not colours_of_code:  # thousands of coloured words take axe-core most of its time
        page.evaluate("() => document.querySelectorAll('.highlight pre').forEach(it => it.textContent = it.innerText)")
    return [
        f"{fault['id']} in {len(fault['nodes'])} places, as {fault['nodes'][0]['html'][:200]}"
        for fault in Axe().run(page, options=options).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def out_of_reach(page) -> list[str]:
    """What of a page's links, buttons and fields the Tab key never comes to."""
    marked = page.evaluate(MARK)
    reached = set()
    for _ in range(len(marked) + 20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.dataset.mark"))
    return [told for number, told in enumerate(marked) if str(number) not in reached]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_readable(name, look, book, opened):
    page = opened(*LOOKS[look])
    faults = watched(page, book)
    page.goto(book + name, wait_until="networkidle")
    assert faults == []
    assert page.locator("h1:visible").count() == 1
    assert too_wide(page) == 0
    page.evaluate("() => document.querySelectorAll('article details').forEach(fold => fold.open = true)")
    assert too_wide(page) == 0  # what was folded is held to the same
    assert serious(page, colours_of_code=name in ONE_OF_EACH_KIND) == []  # one style sheet colours all code


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_reaches_everything(name, book, opened):
    page = opened()
    page.goto(book + name, wait_until="networkidle")
    assert out_of_reach(page) == []


def test_a_solution_unfolds_by_keyboard(book, opened):
    page = opened()
    page.goto(book + LESSON)
    fold = page.locator("details", has=page.locator("summary", has_text="One way to write it")).first
    code = fold.locator("pre code").last
    assert not code.is_visible()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert code.is_visible() and "def my_" in code.inner_text()


@pytest.mark.parametrize("asked, answer", [("phoneme", "Rules or gradient descent?"), ("音素", "phoneme")])
def test_the_search_finds(asked, answer, book, opened):
    page = opened()
    faults = watched(page, book)
    page.goto(f"{book}search.html?q={asked}")
    page.locator("#search-results li", has_text=answer).first.wait_for()
    assert faults == []


def test_light_and_dark_change_by_a_button_and_last(book, opened):
    page = opened(1280, "light")
    page.goto(book + LESSON)
    back = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(back)
    page.get_by_role("button", name="Color mode").click()
    page.get_by_role("button", name="Dark").click()
    page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    dark = page.evaluate(back)
    assert dark != light
    page.goto(book + "glossary.html")
    assert page.evaluate(back) == dark


def test_a_page_reads_without_a_server(site, opened):
    page = opened()
    faults = watched(page, site.as_uri())
    page.goto((site / LESSON).as_uri(), wait_until="networkidle")
    assert faults == []
    assert page.locator("article img").first.evaluate("picture => picture.naturalWidth") > 100


def test_faults_are_noticed(chromium, opened, book):
    page = opened(375)
    faults = watched(page, book)
    page.goto(book + "glossary.html", wait_until="networkidle")
    assert too_wide(page) == 0 and faults == []
    page.evaluate(
        """() => {
            console.error("broken");
            document.querySelector("article").innerHTML +=
                '<img src="lost.png"><div style="width: 900px">wide</div><button tabindex="0" id="trap">trap</button>';
            const trap = document.getElementById("trap");
            trap.addEventListener("focus", () => trap.blur());
            setTimeout(() => undefined_name, 0);
            fetch("http://127.0.0.1:9/").catch(() => null);
        }"""
    )
    page.wait_for_timeout(500)
    assert {fault.partition(":")[0] for fault in faults} >= {"console", "script", "failed", "404", "another site"}
    assert too_wide(page) > 400
    assert any(fault.startswith("image-alt in 1 places") for fault in serious(page))
    assert any("trap" in told for told in out_of_reach(page))
