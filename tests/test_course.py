"""The course's map: what is read from it, which mistakes in it are named, and what is made from it."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from helpers import claims, course
from helpers.course import Course, Lesson, Part, Taken

MAP = course.MAP.read_text(encoding="utf-8")
VERDICT = {"claim": "P12", "verdict": "holds", "measured": "8% | 25%", "rule": "Holds where so.", "seeds": [5, 5]}


def test_the_map_has_lesson_3_1():
    lesson = course.lesson("3.1")
    assert lesson.claims == ("P12", "P13", "P37") and lesson.minutes == 70
    assert lesson.path == claims.ROOT / "notebooks/3_the_bitter_lesson/1_rules_or_gradient_descent.ipynb"
    assert lesson.module == "rules_or_gradient_descent"
    assert lesson.heading == "3.1 Rules or gradient descent?"
    assert len(lesson.misconceptions) >= 5 and len(lesson.discussion) >= 4


def test_an_unknown_lesson_is_told_which_there_are():
    with pytest.raises(ValueError, match=r"no lesson 9\.7\. The lessons are 0, 1\.1, .*3\.1"):
        course.lesson("9.7")


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ('"P12", ', '"P99", ', "lesson 3.1 takes claim P99, which is not in claims.csv"),
        ('"P12", ', '"P01", ', "takes claim P01, which claims.csv gives to lesson 1.1"),
        ('"P12", ', '"P12", "P12", ', "two lessons take claim P12"),
        ('number = "3.1"', 'number = "0"', "number 0 stands twice"),
        ('number = "3.1"', 'number = "7.1"', r"lesson 7.1 belongs to no \[\[part\]\]"),
        (
            "1_rules_or_gradient_descent.ipynb",
            "2_lost.ipynb",
            "lesson 3.1 has no notebook: notebooks/3_the_bitter_lesson/2_lost",
        ),
        (
            "3_the_bitter_lesson/1_rules_or_gradient_descent.ipynb",
            "0_start_here.ipynb",
            "0_start_here.ipynb stands twice",
        ),
        ("needs = []", 'needs = ["9.9"]', "needs lesson 9.9, which does not exist"),
        ("needs = []", 'needs = ["3.1"]', "needs lesson 3.1, which does not come before it"),
        ("minutes = 10", 'minutes = 10\nneeds = ["3.1"]', "lesson 0 needs lesson 3.1, which does not come before it"),
        ("minutes = 90", 'minutes = "50"', "minutes must be a whole number above 0"),
        ("minutes = 90", "minutes = 0", "minutes must be a whole number above 0"),
        ("minutes = 90", "", "lesson 1.1 has no minutes"),
        ("minutes = 90", "minute = 50", "unknown key 'minute'"),
        ('title = "Rules or gradient descent?"', 'title = " "', "title must be text"),
        ("needs = []", 'needs = "0"', "needs must be a list of texts"),
        ('    "phoneme",', '    "phoneme", "phoneme",', "two lessons teach 'phoneme'"),
        ("thought =", "though =", "misconceptions must each have a thought and an answer"),
        ('    "find the lesson', '    "a", "b", "find the lesson', "lesson 0 needs two or three goals"),
        ("minutes = 10", "minutes = 10\nmisconceptions = [1]", "misconceptions must each have"),
        ("[course]", "[course", "not well-formed TOML"),
        ("[course]", "[corse]", r"\[course\] needs a title and a repository"),
        ('repository = ""', "", r"\[course\] needs a title and a repository"),
        ("planned = [", "planned = [1, ", r"each \[\[planned\]\] needs a number and a title"),
        ('title = "The bitter lesson"', "", r"each \[\[part\]\] needs a number and a title"),
    ],
)
def test_a_mistake_in_the_map_is_named(tmp_path, old, new, problem):
    assert old in MAP
    file = tmp_path / "course.toml"
    file.write_text(MAP.replace(old, new, 1) if "number" not in old else MAP.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        course.read(file)


def test_all_mistakes_are_named_at_once(tmp_path):
    file = tmp_path / "course.toml"
    file.write_text(MAP.replace('"P12"', '"P99"').replace("needs = []", 'needs = ["9.9"]'), encoding="utf-8")
    with pytest.raises(ValueError, match=r"(?s)lesson 9\.9.*P99"):
        course.read(file)


def made_up(number: str = "9.1", ids: tuple[str, ...] = ("P12", "P13")) -> Lesson:
    return Lesson(number, f"9_x/{number[-1]}_made_up.ipynb", "Made up?", "Is it?", ("a", "b"), 5, claims=ids)


def notebook(*outputs: dict) -> dict:
    cells = [{"cell_type": "markdown", "source": "# x"}]
    return {"cells": cells + [{"cell_type": "code", "source": "x", "outputs": [output]} for output in outputs]}


def stored(**changes) -> dict:
    return {"output_type": "execute_result", "data": {claims.VERDICT_TYPE: {**VERDICT, **changes}}}


@pytest.fixture
def shelf(monkeypatch):
    """Lessons whose notebooks are given here instead of in files."""
    notebooks = {}
    monkeypatch.setattr(course, "notebook_of", lambda lesson: notebooks[lesson.number])
    return notebooks


def test_verdicts_are_read_from_stored_outputs(shelf):
    shelf["9.1"] = notebook({"output_type": "stream", "text": "no"}, stored(), stored(claim="P13", seeds=None))
    first, second = course.verdicts([made_up()])
    assert first == course.Verdict(
        "P12", "holds", "8% | 25%", "Holds where so.", (5, 5), "9.1", "9_x/1_made_up.ipynb", cell=3
    )
    assert (second.claim, second.seeds, second.cell) == ("P13", None, 4)


def test_two_verdicts_on_one_claim_name_both_cells(shelf):
    shelf["9.1"], shelf["9.2"] = (notebook(stored()), notebook({"output_type": "stream"}, stored()))
    with pytest.raises(
        ValueError, match=r"P12 has two verdicts: lesson 9.1, cell 2 \(.*1_made_up.ipynb\) and lesson 9.2, cell 3"
    ):
        course.verdicts([made_up("9.1"), made_up("9.2")])


def test_a_verdict_in_a_foreign_lesson_is_refused(shelf):
    shelf["9.1"] = notebook(stored(claim="P01"))
    with pytest.raises(ValueError, match=r"cell 2 .*judges P01, which is not among"):
        course.verdicts([made_up()])


def small_course(*lessons: Lesson) -> Course:
    return Course("Small", "", (Part("9", "Made up"),), lessons)


def rows(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[field.strip() for field in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_ledger_holds_what_was_measured(shelf):
    shelf["9.1"] = notebook(stored(verdict="fails", seeds=[4, 5]))
    lesson = made_up(ids=("P12", "P13", "D16"))
    again = {"P12": Counter(fails=4, undecided=1)}
    text = course.ledger(small_course(lesson), course.verdicts([lesson]), again)
    head, _, judged, waiting, opinion = rows(text)
    assert head[-4:] == ["Verdict at this scale", "Measured", "Seeds agreeing", "Run again"]
    assert judged[-4:] == ["✗ fails", r"8% \| 25%", "4 of 5", "fails 4 of 5, undecided 1 of 5"]
    assert judged[0].startswith("**P12** Gradient descent") and judged[1:3] == ["Ashish Vaswani", "measurable"]
    assert waiting[-4:] == ["not measured yet", "", "", ""] and opinion[-4] == "discussed"
    assert text.endswith("And 81 more claims whose lessons are to come.")


def test_replications_are_counted(tmp_path):
    (tmp_path / "9_1.csv").write_text(
        "# made by a command\nclaim,seed,verdict,measured\nP12,1,holds,a\nP12,2,fails,b\nP13,1,holds,c\n"
    )
    (tmp_path / "9_2.csv").write_text("claim,seed,verdict,measured\nP12,3,holds,a\n")
    assert course.replicated(tmp_path) == {"P12": Counter(holds=2, fails=1), "P13": Counter(holds=1)}
    assert course.replicated(tmp_path / "none") == {}


def test_the_index_lists_each_lesson_under_its_part():
    lesson = made_up()
    text = course.index(small_course(lesson), "there/")
    assert text.startswith("**Part 9: Made up**")
    assert rows(text)[2] == ["[9.1 Made up?](there/9_x/1_made_up.ipynb)", "Is it?", "5 min", "nothing"]


def test_a_part_that_is_one_notebook_has_no_number_in_its_heading():
    alone = Lesson("9", "9_made_up.ipynb", "Alone?", "Is it?", ("a", "b"), 5)
    assert course.index(small_course(alone)).startswith("**Made up**\n\n| Lesson")
    assert "[Alone?](notebooks/9_made_up.ipynb)" in course.index(small_course(alone))
    assert course.index(small_course(alone, made_up())).startswith("**Part 9: Made up**")


def binder_links(page: str) -> list[str]:
    return re.findall(r"\]\((https://mybinder\.org/v2[^)]*)\)", page)


def path_of(link: str) -> str:
    """The one path that Binder is asked to open."""
    (path,) = parse_qs(urlsplit(link).query, strict_parsing=True)["urlpath"]
    return path


def test_without_a_public_repository_no_page_links_to_binder():
    private = course.course()._replace(repository="")
    for page in (course.binder(private), course.index(private, with_binder=True)):
        assert binder_links(page) == [] and "badge" not in page
    assert len(course.binder(private).splitlines()) == 1 and "once the repository is public" in course.binder(private)
    assert "On Binder" not in course.index(private, with_binder=True)


def test_with_a_public_repository_a_badge_opens_the_first_page_and_each_lesson_has_its_link():
    public = course.course()._replace(repository="https://github.com/owner/name")
    badge, first = binder_links(course.binder(public))
    assert badge == first == "https://mybinder.org/v2/gh/owner/name/HEAD?urlpath=lab/tree/notebooks/0_start_here.ipynb"
    assert "[![Open the course on Binder](https://mybinder.org/badge_logo.svg)](" in course.binder(public)
    links = binder_links(course.index(public, with_binder=True))
    assert [path_of(link) for link in links] == [f"lab/tree/notebooks/{one.file}" for one in public.lessons]
    assert all((claims.ROOT / path_of(link).removeprefix("lab/tree/")).is_file() for link in links)


def test_the_map_inside_a_lesson_is_the_same_whether_or_not_the_repository_is_public():
    public = course.course()._replace(repository="https://github.com/owner/name")
    assert course.overview(public, "") == course.overview(public._replace(repository=""), "")


@pytest.mark.parametrize("file", ["9_x/1 a&b.ipynb", "9_x/1_größe#1.ipynb", "9_x/1+1?.ipynb", "9_x/(1)_100%.ipynb"])
def test_a_link_to_binder_is_quoted(file):
    lesson = replace(made_up(), file=file)
    public = small_course(lesson)._replace(repository="https://github.com/owner/name")
    (link,) = binder_links(course.index(public, with_binder=True))
    assert path_of(link) == f"lab/tree/notebooks/{file}"
    assert re.fullmatch(r"[\w:/.?=%~-]+", link, re.ASCII) and urlsplit(link).fragment == ""


@pytest.mark.parametrize("address", ["https://github.com/owner/name/", "https://github.com/owner/name.git"])
def test_an_address_may_end_as_git_ends_it(address):
    link = course.binder_link(small_course()._replace(repository=address), made_up())
    assert link.startswith("https://mybinder.org/v2/gh/owner/name/HEAD?")


def taken_by(number: str, **changes) -> Taken:
    return Taken(**{**Taken(number, 20.4, 30.6, 500, 2, "2026-11-22")._asdict(), **changes})


def test_what_lessons_take_is_told_for_each_and_for_all():
    lessons = (made_up("9.1"), made_up("9.2"), made_up("9.3"))
    table = {"9.1": taken_by("9.1"), "9.2": taken_by("9.2", seconds=1000.0, peak_memory_mb=1100, date="2026-11-20")}
    text = course.takings(small_course(*lessons), table)
    _, _, first, second, together, bound = rows(text)
    assert first == ["[9.1 Made up?](notebooks/9_x/1_made_up.ipynb)", "20 s", "31 s", "500 MB"]
    assert second[1:] == ["1000 s", "31 s", "1,100 MB"]
    assert together == ["**All**", "**1,020 s**", "**61 s**", "**1,100 MB** at most"]
    assert bound == ["*Bound*", "*60 s each*", "*3,600 s in all*", "*1,000 MB each*"]
    assert text.endswith("\n\nMeasured on 2 cores, 2026-11-20 to 2026-11-22.")


def test_what_lessons_took_is_read_as_it_is_kept(tmp_path):
    path = tmp_path / "lessons.csv"
    assert course.taken(path) == {}
    path.write_text("# Measured\n" + ",".join(Taken._fields) + "\n9.1,20.4,30.6,500,2,2026-11-22\n")
    assert course.taken(path) == {"9.1": taken_by("9.1")}


def over(taken: dict[str, Taken]) -> list[str]:
    """What goes beyond a bound, in words."""
    seconds, processor, memory = course.BOUNDS.values()
    problems = [f"{one.lesson} takes {one.seconds} s" for one in taken.values() if one.seconds > seconds]
    problems += [f"{one.lesson} takes {one.peak_memory_mb} MB" for one in taken.values() if one.peak_memory_mb > memory]
    total = sum(one.processor_seconds for one in taken.values())
    return problems + ([f"all take {total:.0f} s of processor time"] if total > processor else [])


def test_every_lesson_has_been_measured_and_keeps_within_what_binder_allows():
    taken = course.taken()
    missing = [lesson.number for lesson in course.lessons() if lesson.number not in taken]
    assert not missing, "Not measured yet: python3 -m helpers run --measure " + " ".join(missing)
    assert over(taken) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"seconds": 60.1}, "9.1 takes 60.1 s"),
        ({"peak_memory_mb": 1001}, "9.1 takes 1001 MB"),
        ({"processor_seconds": 3599.0}, "all take 3630 s of processor time"),
    ],
)
def test_a_lesson_beyond_a_bound_is_noticed(changes, problem):
    assert over({"9.1": taken_by("9.1", **changes), "9.2": taken_by("9.2")}) == [problem]


@pytest.mark.parametrize(
    "text", ["", "<!-- a:begin -->", "<!-- a:end --> <!-- a:begin -->", "<!-- a:begin --><!-- a:end -->" * 2]
)
def test_a_page_without_its_markers_is_refused(text):
    with pytest.raises(ValueError, match="<!-- a:begin --> and, after it, <!-- a:end -->"):
        course.fill(text, {"a": "new"})


def test_filling_a_page_twice_changes_nothing():
    page = "before <!-- a:begin --><!-- a:end --> between <!-- b:begin -->old<!-- b:end --> after"
    once = course.fill(page, {"a": "A", "b": "B"})
    assert once == course.fill(once, {"a": "A", "b": "B"})
    assert re.findall(r"\w+", re.sub("<!--.*?-->", "", once)) == ["before", "A", "between", "B", "after"]


def test_the_map_shows_as_a_table_and_as_text():
    shown = course.show_map()._repr_mimebundle_()
    assert "](3_the_bitter_lesson/1_rules_or_gradient_descent.ipynb)" in shown["text/markdown"]
    assert "3.1 Rules or gradient descent? (70 minutes)" in shown["text/plain"]


def test_the_map_names_what_is_to_come():
    planned = (Part("9", "Not used"), Part("9.1", "Exists by now"), Part("9.2", "Later"), Part("10", "Last"))
    planned += (Part("10.1", "Latest"), Part("11", "Empty"))
    shown = course.overview(small_course(made_up())._replace(planned=planned), "")
    assert shown.startswith(
        "**Lessons here: 1. To come: 2.** These need no other lesson first: "
        "[9.1 Made up?](9_x/1_made_up.ipynb).\n\n**Part 9: Made up**"
    )
    assert shown.endswith("*To come:* 9.2 Later\n\n**Part 10: Last**\n\n*To come:* 10.1 Latest")
    assert "Exists by now" not in shown and "Empty" not in shown
    assert "| :--- | :--- | :--- | :--- |" in shown and "| 5\N{NO-BREAK SPACE}min |" in shown


def test_a_whole_course_has_nothing_to_come():
    whole = small_course(made_up())
    assert "o come" not in course.overview(whole) + repr(course.Map(whole))


def test_the_lessons_and_the_plan_are_all_that_the_claims_name():
    known = {lesson.number for lesson in course.lessons()} | {one.number for one in course.course().planned}
    assert {claim.lesson for claim in claims.all_claims().values()} <= known


def test_the_map_needs_the_standard_library_alone():
    code = "from helpers import course; print(len(course.lessons()))"
    code = f"import sys; sys.path.insert(0, {str(claims.ROOT)!r}); {code}"
    found = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert found.stdout.strip() == str(len(course.lessons())), found.stderr
