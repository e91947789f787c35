"""The exit quizzes: five questions a lesson, read from data/quizzes/, with a reason for every choice.

`widgets.quiz` shows one in a notebook. It needs the standard library alone.
"""

from collections import Counter
from html import escape
from pathlib import Path
from typing import NamedTuple

from helpers import checksums
from helpers.claims import ROOT, Card

FOLDER = ROOT / "data" / "quizzes"
QUESTIONS = 5
CHOICES = (3, 4)
LONGEST = 2  # times the shortest choice: a length must not give the answer away
MOST_ALIKE = 2  # questions of a quiz whose right choice is the longest one, or stands at the same place
RIGHT, WRONG = "Right.", "Not quite."


class Choice(NamedTuple):
    """One of the answers to choose from, and what speaks for it or where the thought goes wrong."""

    says: str
    why: str
    right: bool = False

    @property
    def judged(self) -> str:
        """The first words that a learner hears who chose it."""
        return RIGHT if self.right else WRONG


class Question(NamedTuple):
    """One question of a quiz, with three or four choices of which one is right."""

    asks: str
    choices: tuple[Choice, ...]

    @property
    def right(self) -> int:
        """The place of the right choice, counted from 0."""
        return [choice.right for choice in self.choices].index(True)


class Quiz(NamedTuple):
    """The exit quiz of a lesson."""

    lesson: str
    questions: tuple[Question, ...]

    def card(self) -> Card:
        """The quiz for a page with no kernel: every choice unfolds into its reason; as plain text, reasons at the end.

        >>> str(read("3.1").card()).splitlines()[0].startswith("1. ")
        True
        """
        return Card(_plain(self), _html(self))


def read(number: str, folder: Path = FOLDER) -> Quiz:
    """The exit quiz of a lesson.

    >>> len(read("3.1").questions)
    5

    Raises ValueError where the lesson has none, or that names everything wrong with its file; Fault where the file is
    missing or damaged.
    """
    path = folder / f"{number.replace('.', '_')}.toml"
    if path not in checksums.among(folder, ".toml"):
        raise ValueError(f"Lesson {number} has no exit quiz. These have one: {', '.join(numbers(folder)) or 'none'}.")
    table = checksums.read_toml(path)
    problems = _table_problems(table)
    if not problems:
        quiz = Quiz(number, tuple(_question(entry) for entry in table["question"]))
        problems = _quiz_problems(quiz)
    checksums.refuse(path, problems)
    return quiz


def numbers(folder: Path = FOLDER) -> list[str]:
    """The numbers of the lessons that have a quiz, in order.

    >>> "3.1" in numbers()
    True
    """
    return sorted(path.stem.replace("_", ".") for path in checksums.among(folder, ".toml"))


def letter(place: int) -> str:
    """The letter of a choice on paper, by its place.

    >>> letter(1)
    'B'
    """
    return "ABCD"[place]


def _question(entry: dict) -> Question:
    return Question(entry["asks"], tuple(Choice(**choice) for choice in entry["choice"]))


def _table_problems(table: dict) -> list[str]:
    """What is wrong with the shape of a quiz's file: keys that are missing, unknown or of the wrong type."""
    entries = table.get("question")
    if table.keys() != {"question"} or not isinstance(entries, list):
        return ["it needs [[question]]s, and nothing else"]
    problems = []
    for place, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or entry.keys() != {"asks", "choice"} or not isinstance(entry["choice"], list):
            problems.append(f"question {place} needs what it asks and its [[question.choice]]s, and nothing else")
            continue
        if not _is_text(entry["asks"]):
            problems.append(f"question {place} asks nothing")
        for choice in entry["choice"]:
            fits = isinstance(choice, dict) and {"says", "why"} <= choice.keys() <= {"says", "why", "right"}
            if not fits or not _is_text(choice["says"]) or not _is_text(choice["why"]):
                problems.append(f"question {place}: a choice says something and says why, and may be right = true")
            elif choice.get("right", True) is not True:
                problems.append(f"question {place}: write right = true at the right choice, and nothing at the others")
    return problems


def _quiz_problems(quiz: Quiz) -> list[str]:
    """What is wrong with a quiz that can be read: too few choices, or a right answer that gives itself away."""
    problems = [] if len(quiz.questions) == QUESTIONS else [f"it has {len(quiz.questions)} questions, not {QUESTIONS}"]
    for place, question in enumerate(quiz.questions, 1):
        problems += [f"question {place} {problem}" for problem in _question_problems(question)]
    if problems:
        return problems
    longest = [one for one in quiz.questions if _is_longest(one)]
    if len(longest) > MOST_ALIKE:
        problems.append(f"the right choice is the longest in {len(longest)} questions: {MOST_ALIKE} at most")
    place, count = Counter(one.right for one in quiz.questions).most_common(1)[0]
    if count > MOST_ALIKE:
        problems.append(f"{letter(place)} is right in {count} questions: {MOST_ALIKE} at most")
    return problems


def _question_problems(question: Question) -> list[str]:
    says, lengths = [one.says for one in question.choices], [len(one.says) for one in question.choices]
    if len(says) not in CHOICES:
        return [f"has {len(says)} choices: three or four, please"]
    problems = [] if len(set(says)) == len(says) else ["has the same choice twice"]
    if sum(one.right for one in question.choices) != 1:
        problems.append("needs exactly one right choice")
    if max(lengths) > LONGEST * min(lengths):
        problems.append(f"has a choice of {max(lengths)} characters beside one of {min(lengths)}: twice at most")
    return problems


def _is_longest(question: Question) -> bool:
    others = [len(one.says) for one in question.choices if not one.right]
    return len(question.choices[question.right].says) > max(others)


def _is_text(value) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _plain(quiz: Quiz) -> str:
    asked, answers = [], ["Answers"]
    for place, question in enumerate(quiz.questions, 1):
        choices = [f"   {letter(at)}. {one.says}" for at, one in enumerate(question.choices)]
        asked += ["\n".join([f"{place}. {question.asks}", *choices])]
        told = [f"   {letter(at)}. {one.judged} {one.why}" for at, one in enumerate(question.choices)]
        answers += ["\n".join([f"{place}. {letter(question.right)}", *told])]
    return "\n\n".join(asked + answers)


def _html(quiz: Quiz) -> str:
    return "\n".join(
        f'<p style="margin-block: 1em 0.25em"><strong>{place}.</strong> {escape(question.asks)}</p>\n'
        + "\n".join(
            f"<details><summary>{letter(at)}. {escape(one.says)}</summary>"
            f'<p style="margin-inline-start: 1.2em"><strong>{one.judged}</strong> {escape(one.why)}</p>'
            "</details>"
            for at, one in enumerate(question.choices)
        )
        for place, question in enumerate(quiz.questions, 1)
    )
