"""The exit quizzes: every lesson has one, it asks in words already taught, and a mistake in a file is named."""

import json
import re
from html.parser import HTMLParser

import pytest

from helpers import course, quizzes

FIRST = "It has too few words in it to say something sure."  # the first choice of lesson 3.1's quiz
QUIZ = (quizzes.FOLDER / "3_1.toml").read_text(encoding="utf-8")
EVERY = [pytest.param(number, id=number) for number in quizzes.numbers()]


def texts(quiz) -> list[str]:
    choices = [choice for question in quiz.questions for choice in question.choices]
    return [question.asks for question in quiz.questions] + [text for one in choices for text in (one.says, one.why)]


def mentions(term: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(term)}(?:s|es)?(?!\w)", text, re.IGNORECASE) is not None


def terms_too_early(number: str, words: list[str]) -> list[str]:
    """The terms in some texts of a lesson that only a later lesson teaches."""
    numbers = [lesson.number for lesson in course.lessons()]
    later = [term for one in course.lessons()[numbers.index(number) + 1 :] for term in one.teaches]
    return [term for term in later if any(mentions(term, text) for text in words)]


def test_every_lesson_has_a_quiz():
    numbered = {lesson.number for lesson in course.lessons() if "." in lesson.number}
    assert numbered and numbered == set(quizzes.numbers())


def foreign_quizzes(number: str, notebook: str) -> list[str]:
    """The quizzes that a lesson's notebook shows and that are another lesson's."""
    return [shown for shown in re.findall(r"widgets\.quiz\(\W*([\d.]+)", notebook) if shown != number]


@pytest.mark.parametrize("lesson", [pytest.param(lesson, id=lesson.number) for lesson in course.lessons()])
def test_a_notebook_shows_its_own_quiz_and_no_other(lesson):
    assert foreign_quizzes(lesson.number, lesson.path.read_text(encoding="utf-8")) == []


def test_another_lessons_quiz_is_noticed():
    source = json.dumps({"source": ['widgets.quiz("3.1")\n', 'widgets.quiz("2.4")']})
    assert foreign_quizzes("3.1", source) == ["2.4"]


@pytest.mark.parametrize("number", EVERY)
def test_a_quiz_asks_in_words_that_its_lesson_or_an_earlier_one_teaches(number):
    assert terms_too_early(number, texts(quizzes.read(number))) == []


def test_a_word_of_a_later_lesson_is_noticed():
    assert terms_too_early("1.1", ["Count the tokens.", "Ask for the edit distance."]) == ["token"]


@pytest.mark.parametrize("number", EVERY)
def test_a_quiz_speaks_kindly_and_repeats_nothing(number):
    words = texts(quizzes.read(number))
    assert not [text for text in words if re.search(r"\b(?:simply|just)\b", text, re.IGNORECASE)]
    assert len(set(words)) == len(words)
    assert all(text[-1] in ".?" for text in words)


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("right = true\n", "", "question 1 needs exactly one right choice"),
        ("right = true", "right = false", "write right = true at the right choice"),
        ("[[question.choice]]\n", "[[question.choice]]\nright = true\n", "question 1 needs exactly one right choice"),
        (FIRST, "Few.", "a choice of 49 characters beside one of 4"),
        (FIRST, " ", "a choice says something and says why"),
        ("why =", "because =", "question 1: a choice says something"),
        (FIRST, "It can be passed by knowing a relative by heart.", "has the same choice twice"),
        ("asks =", "ask =", "question 1 needs what it asks"),
        ("[[question]]", "[[question", "not well-formed TOML"),
        ("[[question]]", "[[query]]\n[[question]]", r"it needs \[\[question\]\]s, and nothing else"),
    ],
)
def test_a_mistake_in_a_quiz_is_named(tmp_path, old, new, problem):
    assert old in QUIZ
    (tmp_path / "3_1.toml").write_text(QUIZ.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        quizzes.read("3.1", tmp_path)


def test_a_quiz_has_five_questions(tmp_path):
    (tmp_path / "3_1.toml").write_text(QUIZ[: QUIZ.rindex("[[question]]")], encoding="utf-8")
    with pytest.raises(ValueError, match="it has 4 questions, not 5"):
        quizzes.read("3.1", tmp_path)


def written(rights: list[int], longest: int | None = None) -> str:
    """A quiz whose right choices stand at some places; a given number of them are the longest."""
    lines = []
    for number, right in enumerate(rights):
        lines.append(f'[[question]]\nasks = "Which, {number}?"')
        for place in range(3):
            more = "and more " if place == right and number < (longest or 0) else ""
            mark = "right = true\n" if place == right else ""
            lines.append(f'[[question.choice]]\nsays = "Number {place} {more}it is."\nwhy = "For it is."\n{mark}')
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text, problem",
    [
        (written([0, 1, 0, 2, 0]), "A is right in 3 questions: 2 at most"),
        (written([0, 1, 0, 2, 1], longest=3), "the right choice is the longest in 3 questions: 2 at most"),
    ],
)
def test_a_quiz_that_gives_its_answers_away_is_refused(tmp_path, text, problem):
    (tmp_path / "9_1.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        quizzes.read("9.1", tmp_path)
    (tmp_path / "9_1.toml").write_text(written([0, 1, 0, 2, 1], longest=2), encoding="utf-8")
    assert len(quizzes.read("9.1", tmp_path).questions) == 5


class Page(HTMLParser):
    """The tags of a page, and whether each one that was opened was closed in its turn."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("number", EVERY)
def test_the_page_of_a_quiz_is_sound_and_asks_nothing_of_another_site(number):
    quiz = quizzes.read(number)
    card = quiz.card()
    page = Page(card.html)
    assert page.open == []
    assert page.tags.count("details") == sum(len(question.choices) for question in quiz.questions)
    assert set(page.tags) == {"p", "strong", "details", "summary"}
    assert "//" not in card.html


def test_as_plain_text_all_questions_come_before_the_first_reason():
    quiz = quizzes.read("3.1")
    asked, answers = str(quiz.card()).split("\n\nAnswers\n\n")
    for question in quiz.questions:
        assert question.asks in asked
        for choice in question.choices:
            assert choice.says in asked and choice.why in answers and choice.why not in asked
    assert [line[3] for line in answers.splitlines() if line[1:2] == "."] == [
        quizzes.letter(question.right) for question in quiz.questions
    ]


def test_markup_in_a_quiz_is_text():
    choice = quizzes.Choice("c & d", "For <b>.", True)
    card = quizzes.Quiz("9.1", (quizzes.Question("Is a < b?", (choice,)),)).card()
    for written in ("Is a &lt; b?", "c &amp; d", "For &lt;b&gt;."):
        assert written in card.html
