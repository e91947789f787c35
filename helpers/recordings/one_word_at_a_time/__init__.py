"""Lesson 2.2, one word at a time: a race of five systems on one text, how far a gradient reaches, and a test of memory.

The race is recorded against steps, and the seconds of a step apart from it, so that seconds = steps x seconds a step.
"""

import itertools

import numpy as np

from helpers import data
from helpers.recordings import Row, Table
from helpers.recordings.one_word_at_a_time import clock, counts, memory, race, reading

SEEDS = tuple(range(5))
REPEATS = (0, 1, 2)  # of a measurement of time
COUNTED = 9  # characters in the longest run that is counted
DISTANCES = (1, 2, 4, 8, 16, 32, 64, 127)
DELAYS = (8, 16, 32, 64, 128, 256)
TEXT_PARTS = (30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 33_202_937)
STEPS = {  # the large ones go on for ten minutes of one core, the small ones to where they have been overtaken
    "wide n-gram window": 47_000,
    "deep LSTM": 7_700,
    "wide attention": 13_000,
    "n-gram window": 15_000,
    "wide LSTM": 3_000,
    "attention": 5_000,
    "LSTM": 4_096,
    "window": 8_192,
}


def marks(steps: int) -> list[int]:
    """The numbers of steps at which a run is judged: powers of two from 32 on, and its last.

    >>> marks(300)
    [32, 64, 128, 256, 300]
    """
    return [step for step in (2**power for power in range(5, 30)) if step < steps] + [steps]


def run(runner: str, seed: int, steps: int) -> Row:
    """One runner's way through the race: the numbers of steps, and the loss on held-out text after each."""
    at = marks(steps)
    losses = race.train(runner, seed, at)
    return {"after": " ".join(map(str, at)), "losses": " ".join(f"{loss:.5f}" for loss in losses)}


def counted(characters: int, seed: int) -> Row:
    """The loss on held-out text of counts over so many characters of the training text, from a random place on."""
    tokens, _, held_out, alphabet = data.library_text()
    start = np.random.default_rng(seed).integers(len(tokens))
    levels = counts.count(np.roll(tokens, -start)[:characters], COUNTED)
    ends = range(race.READ - race.SCORED + 1, race.READ + 1)
    windows = np.concatenate([race.pieces(held_out)[:, end - COUNTED + 1 : end + 1] for end in ends])
    return {"loss": round(float(-np.log(counts.probability(levels, windows, len(alphabet))).mean()), 5)}


def step_seconds(system: str) -> Row:
    """Seconds of one core for a step of a runner, or for counting the whole text, which is one step."""
    return {"seconds": float(f"{clock.seconds()[system]:.4g}")}


def points(**columns: tuple) -> list[Row]:
    """Every combination of the columns' values, the last column changing first.

    >>> points(system=("a", "b"), seed=(0, 1))[1]
    {'system': 'a', 'seed': 1}
    """
    return [dict(zip(columns, values, strict=True)) for values in itertools.product(*columns.values())]


_RUNS = [{"runner": name, "seed": seed, "steps": steps} for seed in SEEDS for name, steps in STEPS.items()]

TABLES = [
    Table("2_2_step_seconds", points(system=("counts", *race.RUNNERS)), step_seconds, timed=("seconds",)),
    Table(
        "2_2_reading_seconds",
        points(
            repeat=REPEATS,
            task=("read and answer",),
            system=reading.SYSTEMS,
            numbers=reading.NUMBERS,
            length=reading.LENGTHS,
        )
        + points(
            repeat=REPEATS,
            task=("answer next",),
            system=("LSTM", "attention"),
            numbers=reading.NUMBERS[2:3],
            length=reading.BEFORE,
        ),
        reading.clocked,
        timed=("seconds",),
    ),
    Table("2_2_counts", points(characters=TEXT_PARTS, seed=SEEDS), counted),
    Table("2_2_memory", points(seed=SEEDS, system=tuple(memory.MODELS), distance=DELAYS), memory.recall, at_once=2),
    Table("2_2_race", _RUNS, run, at_once=2),
    Table(
        "2_2_reach",
        points(system=tuple(memory.MODELS), trained=(0, memory.TRAINED), seed=SEEDS, distance=DISTANCES),
        memory.reach_back,
    ),
]
