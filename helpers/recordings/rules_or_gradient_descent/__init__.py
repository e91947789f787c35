"""Lesson 3.1, rules or gradient descent: its learners, and what its recordings measure with them."""

from time import perf_counter

import numpy as np

from helpers import data
from helpers.data import Sounds
from helpers.recordings import Row, Table
from helpers.recordings.rules_or_gradient_descent import digits, scoring, sequence, window

ALL = 111_524  # training words; to count them here would take two seconds of everybody who imports this
SIZES = (30, 100, 300, 1_000, 3_000, 10_000, 30_000, ALL)
DIGIT_SIZES = (10, 30, 100, 300, 1_000, 1_400)
SEEDS = range(5)


def training_words(count: int, seed: int) -> dict[str, list[Sounds]]:
    """`count` training words drawn by the seed; a smaller draw by the same seed is part of a larger one.

    >>> [len(training_words(count, seed=0)) for count in (30, 100)]
    [30, 100]
    """
    training = data.cmu_split_by_stem().training
    words = np.random.default_rng(seed).permutation(sorted(training))[:count]
    return {str(word): training[word] for word in words}


def answer(system: str, words: int, seed: int) -> dict[str, Sounds]:
    """Every held-out word as a system says it that has learned from `words` training words.

    The systems: "window model"; "attention"; and "attention, live", with no more training than a lesson has time for.
    """
    training, asked = training_words(words, seed), list(data.cmu_split_by_stem().held_out)
    if system == "window model":
        model = window.train_window_classifier(training, seed)
        return dict(zip(asked, window.pronounce_by_window(model, asked), strict=True))
    effort = "live" if system.endswith("live") else "recorded"
    model = sequence.train_sequence_model(training, seed, effort)
    return dict(zip(asked, sequence.pronounce_by_sequence_model(model, asked), strict=True))


def measure_learning(system: str, words: int, seed: int) -> Row:
    """One point of a learning curve: error rates, repairs word by word, and, for seed 0, some of the answers."""
    start = perf_counter()
    said = answer(system, words, seed)
    seconds = perf_counter() - start
    held_out = data.cmu_split_by_stem().held_out
    phoneme_error, word_error = scoring.error_rates(said, held_out)
    return {
        "phoneme_error": round(phoneme_error, 6),
        "word_error": round(word_error, 6),
        "seconds": round(seconds, 1),
        "repairs": "".join(str(min(9, wrong)) for wrong in scoring.repairs(said, held_out)[:, 0]),
        "answers": ";".join(" ".join(said[word]) for word in shown_words()) if seed == 0 else "",
    }


def shown_words() -> list[str]:
    """The held-out words whose answers are kept: one in ten, in alphabetical order.

    >>> len(shown_words())
    301
    """
    return sorted(data.cmu_split_by_stem().held_out)[::10]


def kept_answers(row: Row) -> dict[str, Sounds]:
    """The answers of a row of the learning curves, word by word; none for a row that keeps none."""
    said = row["answers"].split(";") if row["answers"] else []
    return {word: tuple(sounds.split()) for word, sounds in zip(shown_words(), said, strict=bool(said))}


def kept_repairs(row: Row) -> np.ndarray:
    """The repairs that a row's answers needed, one whole number for each held-out word in order (9 stands for more)."""
    return np.array([int(digit) for digit in str(row["repairs"])])


def measure_digits(system: str, images: int, seed: int) -> Row:
    """One point of the digits' learning curves: the share of held-out images that are read wrong."""
    return {"error": round(digits.measure(system, images, seed), 6)}


def _points(systems: tuple[str, ...], sizes: tuple[int, ...], name: str) -> list[Row]:
    return [{"system": system, name: size, "seed": seed} for system in systems for size in sizes for seed in SEEDS]


TABLES = [
    Table(
        "3_1_learning_curves",
        _points(("attention, live",), (ALL,), "words")
        + _points(("attention", "window model"), tuple(reversed(SIZES)), "words"),
        measure_learning,
        timed=("seconds",),
        at_once=2,
    ),
    Table(
        "3_1_digits",
        _points(("features by hand", "learned features"), DIGIT_SIZES, "images"),
        measure_digits,
        at_once=2,
    ),
]
