"""The seconds that one step of each runner of lesson 2.2's race takes on one core, as JSON: run as a program."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from functools import cache
from statistics import median
from time import perf_counter

STEPS, ROUNDS = 12, 7


@cache
def seconds() -> dict[str, float]:
    """Seconds of a step of each runner, and of counting the whole text, in a process of its own that has one core."""
    command = [sys.executable, "-m", __name__]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _measure() -> dict[str, float]:
    from helpers import data
    from helpers.recordings.one_word_at_a_time import COUNTED, counts, race

    tokens, *_, characters = data.library_text()
    learners, taken = {}, defaultdict(list)
    for name, runner in race.RUNNERS.items():
        learners[name] = race.Learner(runner, 0, len(characters)), race.rows(tokens, runner.batch, runner.length, 0)
        _walk(*learners[name])  # compiles
    for _ in range(ROUNDS):  # the runners in turn: a disturbance meets all of them
        for name, learner in learners.items():
            begun = perf_counter()
            _walk(*learner)
            taken[name].append((perf_counter() - begun) / STEPS)
        begun = perf_counter()
        counts.count(tokens, COUNTED)
        taken["counts"].append(perf_counter() - begun)
    # The middle round, and not the quickest: a rare round is quicker by a quarter than any long training is.
    return {name: median(rounds) for name, rounds in taken.items()}


def _walk(learner, rows) -> None:
    for number in range(1, STEPS + 1):
        learner.step(next(rows), number)
    for array in learner.averaged().values():
        array.block_until_ready()


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):  # before JAX starts, which makes a thread a core
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(json.dumps(_measure()))
