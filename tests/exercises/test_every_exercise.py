"""What holds for each exercise of each lesson: stub, hints, solution, and a diagnosis for each known mistake."""

import importlib
import pkgutil
import re
from html import unescape

import pytest

from helpers import exercises
from helpers.exercises import Exercise

MODULES = [
    importlib.import_module(f"helpers.exercises.{module.name}")
    for module in pkgutil.iter_modules(exercises.__path__)
    if not module.name.startswith("_")
]
NAMED = [
    (name, exercise, module)
    for module in MODULES
    for name, exercise in vars(module).items()
    if isinstance(exercise, Exercise)
]
MISTAKES = [(exercise, mistake) for _, exercise, _ in NAMED for mistake in exercise.mistakes]
each_exercise = pytest.mark.parametrize(
    ("name", "exercise", "module"), NAMED, ids=[f"{m.__name__.split('.')[-1]}.{name}" for name, _, m in NAMED]
)
each_mistake = pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=[f"{exercise.name}.{mistake.name}" for exercise, mistake in MISTAKES]
)


def sentences(text: str) -> int:
    """How many sentences a text has; code in backticks is one word."""
    return len(re.findall(r"[.?!:](\s|$)", re.sub(r"`[^`]*`", "code", text).replace(": ", ", ").replace("...", "")))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
def test_a_lesson_has_three_to_five_exercises_and_the_first_page_one(module):
    count = sum(isinstance(value, Exercise) for value in vars(module).values())
    assert count == 1 if module.__name__.endswith(".start_here") else 3 <= count <= 5


@each_exercise
def test_an_exercise_says_what_to_write(name, exercise, module):
    assert exercise.name == name
    assert exercise.target.startswith("Write ")
    assert exercise.target.endswith(".")
    assert sentences(exercise.target) == 1
    assert len(exercise.hints) >= 3
    assert len(set(exercise.hints)) == len(exercise.hints)
    assert len(exercise.mistakes) >= 10


@each_exercise
def test_the_untouched_stub_is_not_attempted_yet(name, exercise, module):
    namespace = dict(vars(module))
    exec(exercise.stub, namespace)
    assert exercise.stub.endswith("...")
    variable = re.match(r"(?:def )?(\w+)", exercise.stub)[1]
    assert variable == f"my_{name}"
    result = exercise.check(namespace[variable])
    assert not result.passed
    assert repr(result).startswith("Not attempted yet. ")


@each_exercise
def test_the_solution_that_is_shown_passes(name, exercise, module):
    namespace = dict(vars(module))
    exec(exercise.source, namespace)
    assert exercise.source in repr(exercise.solution())
    result = exercise.check(namespace[f"my_{name}"])
    assert result.passed, result
    assert result.mistake is None
    assert exercise.check(exercise.reference).passed


@each_exercise
def test_the_solution_is_short(name, exercise, module):
    assert len(exercise.source.splitlines()) <= 12
    assert max(map(len, exercise.source.splitlines())) <= 120


@each_exercise
def test_diagnoses_are_distinct_and_short(name, exercise, module):
    diagnoses = [mistake.diagnosis for mistake in exercise.mistakes]
    assert len(set(diagnoses)) == len(diagnoses)
    assert len({mistake.name for mistake in exercise.mistakes}) == len(diagnoses)
    assert all(1 <= sentences(diagnosis) <= 2 for diagnosis in diagnoses)


@each_mistake
def test_a_known_mistake_gets_its_own_diagnosis(exercise, mistake):
    result = exercise.check(mistake.attempt, seconds=1 if mistake.too_slow else 20)
    assert not result.passed
    assert result.mistake == mistake.name, result
    assert repr(result).startswith("Not yet. ")
    assert " ".join(mistake.diagnosis.split()) in " ".join(repr(result).split())


@each_mistake
def test_html_and_text_say_the_same_in_the_same_words_each_time(exercise, mistake):
    if mistake.too_slow:
        return
    result = exercise.check(mistake.attempt, seconds=20)
    html = result._repr_mimebundle_()["text/html"]
    text = re.sub(r"<[^>]+>", "", re.sub(r"</?(p|pre|div)\b[^>]*>", " ", html))
    assert unescape(text).split() == repr(result).replace("`", "").split()
    assert repr(exercise.check(mistake.attempt, seconds=20)) == repr(result)


@each_exercise
@pytest.mark.parametrize("attempt", [3, "text", [], {}, object(), (None,) * 4, print, len, lambda: 0, type])
def test_nonsense_becomes_a_sentence(name, exercise, module, attempt):
    text = repr(exercise.check(attempt, seconds=5))
    assert text.startswith("Not yet. ")
    assert "Traceback" not in text
    assert " at 0x" not in text
