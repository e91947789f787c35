"""How well a learner's confidence agrees with what came out: points, intervals, a figure, and what surprised most."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from helpers import figures
from helpers.predictions import LEVELS, Prediction, Sentence
from helpers.widgets import Table

MADE_UP = "a made-up learner"
TOO_FEW = 20  # answers, under which a Brier score says little


class Point(NamedTuple):
    """Of the answers given at one confidence (percent): how many there are, the share that was right, its interval."""

    said: int
    count: int
    right: float
    low: float
    high: float


def brier(made: Sequence[Prediction]) -> float:
    """The mean of (confidence - right)²: 0 is perfect, and saying 50% to everything gives 0.25. (Brier 1950.)

    >>> sure = dict(unit="%", near=(20, 40), guess=30, guessed="2026-01-01T00:00:00.000Z", measured=24)
    >>> round(brier([Prediction("a", "How many?", confidence=90, **sure)]), 2)
    0.01

    Raises ValueError where there is nothing to score.
    """
    if not made:
        raise ValueError("There is no scored prediction yet.")
    return float(np.mean([surprise(one) for one in made]))


def surprise(one: Prediction) -> float:
    """(confidence - right)² of one prediction: from 0, as expected, to 1, sure and wrong."""
    return (one.confidence / 100 - one.right) ** 2


def interval(right: int, count: int) -> tuple[float, float]:
    """Between which shares the true one lies, 95% sure, after `right` of `count`. (Wilson 1927.)

    >>> [round(end, 2) for end in interval(5, 10)]
    [0.24, 0.76]
    """
    z, share = 1.96, right / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z / (1 + z**2 / count) * sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def points(made: Sequence[Prediction]) -> list[Point]:
    """One point for each confidence that was given."""
    found = []
    for said in sorted({one.confidence for one in made}):
        right = [bool(one.right) for one in made if one.confidence == said]
        found.append(Point(said, len(right), sum(right) / len(right), *interval(sum(right), len(right))))
    return found


def draw(made: Sequence[Prediction], whose: str) -> tuple[Axes, str]:
    """Share right against confidence, with intervals and counts; the diagonal is perfect calibration."""
    found = points(made)
    ax = figures.axes(width=5.8, height=4.2)
    ax.plot([0, 100], [0, 100], color="0.5", linewidth=1, linestyle=":", label="as sure as right")
    said, right = [one.said for one in found], [100 * one.right for one in found]
    reach = np.array([[100 * (one.right - one.low), 100 * (one.high - one.right)] for one in found]).T
    ax.errorbar(said, right, reach, fmt="o", color="black", capsize=4, label=f"{whose}, 95% intervals")
    for one in found:
        ax.annotate(f"{one.count}", (one.said, 100 * one.right), xytext=(7, -13), textcoords="offset points")
    ax.set(xlim=(-3, 106), ylim=(-5, 105))
    figures.label(
        ax, "Your calibration" if whose == "you" else f"Calibration of {whose}", "sure (%)", "of these right (%)"
    )
    return ax, in_words(made, whose)


def in_words(made: Sequence[Prediction], whose: str) -> str:
    """The figure in words."""
    told = [f"Share of answers right against confidence, for {whose}, {len(made)} answers."]
    told += [
        f"Said {one.said}%: {one.right:.0%} of {one.count} right ({one.low:.0%} to {one.high:.0%})."
        for one in points(made)
    ]
    return " ".join(told)


def score(made: Sequence[Prediction], whose: str) -> Sentence:
    """The Brier score in a sentence, beside that of always saying 50%."""
    found = brier(made)
    against = "better than" if round(found, 3) < 0.25 else "worse than" if round(found, 3) > 0.25 else "the same as"
    name = "Your Brier score" if whose == "you" else f"Brier score of {whose}"
    told = f"{name}: {found:.3f}, {against} always saying 50% (0.250)."
    few = f" With fewer than {TOO_FEW} answers, read it as a beginning." if len(made) < TOO_FEW else ""
    return Sentence(told + few)


def standing(everything: Sequence[Prediction], scored: Sequence[Prediction]) -> Sentence:
    """What the learner's file holds, in a sentence."""
    guessed = sum(one.guess is not None for one in everything)
    if not guessed:
        return Sentence(
            "You have made no predictions yet, or they are kept on another machine. "
            "Until then the figures below show a made-up learner."
        )
    told = f"{guessed} guess{'es' if guessed != 1 else ''} of yours, of which {len(scored)} can be scored: "
    told += "made in time, with a confidence, and with the number shown since."
    return Sentence(told if scored else f"{told} Until one can, the figures below show a made-up learner.")


def surprises(made: Sequence[Prediction], most: int = 10) -> Table:
    """Guess beside measured, what surprised most first."""
    rows = [
        [one.question, _told(one, one.guess), _told(one, one.measured), f"{one.confidence}%"]
        + ["yes" if one.right else "no", f"{surprise(one):.2f}"]
        for one in sorted(made, key=lambda one: (-surprise(one), -_distance(one)))[:most]
    ]
    return Table(["question", "guess", "measured", "sure", "right", "surprise"], rows)


def _distance(one: Prediction) -> float:
    """How far the guess lies from what was measured, in reaches of the interval that the confidence was about."""
    if one.near is None or isinstance(one.guess, str) or isinstance(one.measured, str):
        return 0.0
    reach = (one.near[1] - one.near[0]) / 2
    return abs(one.guess - one.measured) / reach if reach else 0.0


def _told(one: Prediction, answer: float | str | None) -> str:
    if answer is None or isinstance(answer, str):
        return str(answer or "")
    return figures.number(answer) + (one.unit if one.unit in ("", "%") else f" {one.unit}")


def made_up(count: int = 120) -> list[Prediction]:
    """A made-up learner, always the same one, whose confidence says little: many people begin so."""
    random = np.random.default_rng(0)
    return [_made_up(number, int(random.choice(LEVELS)), random) for number in range(1, count + 1)]


def _made_up(number: int, sure: int, random: np.random.Generator) -> Prediction:
    guess = int(random.integers(40, 61))
    right = random.random() < 0.3 + 0.4 * sure / 100  # 30% are right at no confidence, 70% at all of it
    measured = guess + int(random.integers(-9, 10) if right else random.choice([-1, 1]) * random.integers(11, 41))
    return Prediction(
        f"made up {number}", f"Made-up question {number}", "%", (), "", guess, (guess - 10.0, guess + 10.0), sure,
        "2026-01-01T00:00:00.000Z", measured, "2026-01-01T00:01:00.000Z",
    )  # fmt: skip
