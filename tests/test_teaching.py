"""The teacher's pages: nothing on them is typed twice, and a plan that does not fit its lesson is named."""

import re

import pytest

from helpers import claims, course, quizzes, teaching

PLANS = teaching.PLANS.read_text(encoding="utf-8")
LESSONS = [pytest.param(lesson, id=lesson.number) for lesson in course.lessons() if "." in lesson.number]


def test_every_lesson_has_its_plans():
    numbered = {one.values[0].number for one in LESSONS}
    assert numbered and numbered == {number for number, _ in teaching.plans()}


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_plan_fills_its_time_with_what_the_lesson_has(lesson):
    headings = re.findall(r"## (Experiment \d)", lesson.path.read_text(encoding="utf-8"))
    for minutes in (50, 90):
        steps = teaching.plan_of(lesson, minutes).steps
        assert sum(step.minutes for step in steps) == minutes
        assert [step.part for step in steps if step.part.startswith("Experiment")] == headings
        assert steps[0].part == "Opening" and steps[-1].part == "Exit quiz"
        assert sum(step.minutes for step in steps if step.how == "run") >= minutes / 3, "a class that only looks on"


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ('"talk", 4,', '"talk", 5,', r"lesson 1\.1, 50 minutes: it adds up to 51 minutes"),
        ('["Experiment 4", "run", 6', '["Experiment 9", "run", 6', "it has a step that does not exist: Experiment 9"),
        ('["Experiment 4", "run", 6', '["Discussion", "run", 6', "it lacks Experiment 4"),
        ('["Exit quiz", "run", 4', '["Discussion", "run", 4', "it lacks Exit quiz"),
        ('["Exercise 1", "run", 5', '["Experiment 4", "run", 5', "it has Experiment 4 twice"),
        ('["Experiment 1", "show"', '["Experiment 2", "show"', "it has Experiment 2 twice"),
        ('"Experiment 4", "skip", 0', '"Experiment 4", "skip", 2', "gives Experiment 4 2 minutes to skip"),
        ('["Verdicts", "show", 3', '["Verdicts", "show", 0', "gives Verdicts 0 minutes to show"),
        ('"Opening", "talk"', '"Opening", "sing"', r"plan 1: each step is \[part, how, minutes, note\]"),
        ('"talk", 4,', '"talk", "4",', "plan 1: each step is"),
        ("minutes = 50", "minutes = 45", r"lesson 1\.1 needs plans of 50 and of 90 minutes, and no others"),
        ("minutes = 90", "minutes = 50", r"lesson 1\.1 has two plans of 50 minutes"),
        ('lesson = "1.1"', 'lesson = "9.7"', r"there is no lesson 9\.7"),
        ("minutes = 50", "minute = 50", "plan 1 needs a lesson, its minutes and its steps"),
        ("[[plan]]", "[[plan", "not well-formed TOML"),
        ("[[plan]]", "[[plot]]\n[[plan]]", r"it needs \[\[plan\]\]s, and nothing else"),
    ],
)
def test_a_mistake_in_the_plans_is_named(tmp_path, old, new, problem):
    assert old in PLANS
    file = tmp_path / "teaching.toml"
    file.write_text(PLANS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        teaching.read(file)


def test_experiments_out_of_order_are_named(tmp_path):
    first, second = re.findall(r'    \["Experiment [12]",.*\n', PLANS)[:2]
    file = tmp_path / "teaching.toml"
    file.write_text(PLANS.replace(first + second, second + first, 1), encoding="utf-8")
    with pytest.raises(ValueError, match="in another order than the lesson"):
        teaching.read(file)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_page_says_what_the_lesson_its_verdicts_and_its_exercises_say(lesson):
    page = teaching.page(lesson)
    plain = page.replace("\\", "")
    assert page.startswith(f"# For the teacher: {lesson.heading}\n")
    told = [lesson.question, *lesson.goals, *lesson.discussion, *(one.answer for one in lesson.misconceptions)]
    found = course.verdicts([lesson])
    assert len(found) == len([id for id in lesson.claims if claims.claim(id).kind != "opinion"])
    told += [text for verdict in found for text in (f"**{verdict.claim}**", verdict.measured, verdict.rule)]
    told += [claims.claim(id).claim for id in lesson.claims]
    told += [question.choices[question.right].why for question in quizzes.read(lesson.number).questions]
    told += [step.note for minutes in (50, 90) for step in teaching.plan_of(lesson, minutes).steps]
    assert [text for text in told if text not in plain] == []
    for task in teaching.tasks(lesson):
        assert f"### {task.part}: {task.title}" in page
        if task.exercise:
            assert task.exercise.target in page
            assert f"{len(task.exercise.mistakes)} mistakes" in page


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_that_the_notebook_checks_is_on_the_page(lesson):
    checked = set(re.findall(r"exercises\.(\w+)\.check\(", lesson.path.read_text(encoding="utf-8")))
    assert {task.exercise.name for task in teaching.tasks(lesson) if task.exercise} == checked
    assert len(checked) >= 3


def test_repeats_are_counted_on_the_page():
    runs = course.replicated()["P12"]
    assert f"Run again: holds {runs['holds']} of {runs.total()}" in teaching.page(course.lesson("3.1"))
    assert "`python3 -m helpers replicate 3.1 --seeds 5`" in teaching.page(course.lesson("3.1"))


def test_a_page_names_what_is_left_for_home_and_when_each_part_begins():
    page = teaching.page(course.lesson("3.1"))
    assert "For home: Exercise 2 (Several right answers), Exercise 4 (Where do two curves cross?)" in page
    assert "| 13 | 6 | Experiment 2: Features by hand, learned weights | show | Who chose" in page


def test_an_opinion_gets_no_verdict_and_a_claim_without_one_says_so():
    opinion = next(one for one in claims.all_claims().values() if one.kind == "opinion")
    assert "An opinion: discussed" in teaching._verdict_text(opinion, None, None)
    assert "Not measured yet." in teaching._verdict_text(claims.claim("P12"), None, None)


def test_signs_of_a_measurement_are_no_markdown():
    assert teaching._prose("$2.50 * 3 [1] a_b < c") == r"\$2.50 \* 3 \[1] a\_b \< c"


def test_pages_are_written_for_the_book(tmp_path):
    written = teaching.write_pages(tmp_path / "teachers", notebooks="../../notebooks/")
    assert [path.stem.replace("_", ".") for path in written] == [one.values[0].number for one in LESSONS]
    links = re.findall(r"\[The lesson\]\(\.\./\.\./notebooks/(.+)\) asks", written[-1].read_text(encoding="utf-8"))
    assert links and (course.ROOT / "notebooks" / links[0]).is_file()


def test_a_lesson_without_plans_is_told():
    with pytest.raises(ValueError, match="no plan of 50 minutes for lesson 0"):
        teaching.page(course.lesson("0"))
