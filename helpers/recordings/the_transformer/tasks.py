"""Four tasks written as lines of text, for one plain decoder or for a decoder each.

A line is a question, an equals sign, and an answer: "roman 14 = XIV".
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import chain

import jax
import numpy as np
from babel import Locale

from helpers import data, models, recordings, training
from helpers.models import Parameters
from helpers.recordings import Row, Table
from helpers.recordings.the_transformer import learning

LAYERS = 2
WIDTH = 96
STEPS = 400
ROWS = 4  # windows of each task in a batch
LANGUAGES = {"de": "German", "es": "Spanish", "fi": "Finnish", "hu": "Hungarian", "pl": "Polish", "tr": "Turkish"}
NUMERALS = dict(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"),
    )
)
TASKS = ("say", "see", "roman", "which")
HELD_OUT = 200  # lines of each task at most
RATES = (0.04, 0.08)

LEARNERS = ("one for all", "one each")  # decoders; both take the same compute and read the very same windows

Lines = dict[str, list[str]]


def roman(number: int) -> str:
    """A number from 1 to 3,999 in Roman numerals.

    >>> roman(1994)
    'MCMXCIV'
    """
    written = ""
    for value, letters in NUMERALS.items():
        written += letters * (number // value)
        number %= value
    return written


def say_lines(words: dict) -> list[str]:
    """Words of three to six letters and their first listed pronunciation: "say cat = K AE T"."""
    return [f"say {word} = {' '.join(listed[0])}" for word, listed in words.items() if 3 <= len(word) <= 6]


def see_lines(images: np.ndarray, digits: np.ndarray) -> list[str]:
    """Pictures of digits as the ink, 0 to 9, of each of 4 x 4 squares: "see 0491088102830482 = 7"."""
    squares = images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    ink = np.minimum(9, squares * 10).astype(int)
    return [f"see {''.join(map(str, picture))} = {digit}" for picture, digit in zip(ink, digits)]


def which_lines() -> list[str]:
    """Names of countries in six languages, and which language it is; names that several share are left out."""
    named = {language: Locale(code).territories for code, language in LANGUAGES.items()}
    places = sorted({place for names in named.values() for place in names if place.isalpha()})
    shared = Counter(names[place] for names in named.values() for place in places if place in names)
    return [
        f"which {names[place]} = {language}"
        for place in places
        for language, names in named.items()
        if place in names and shared[names[place]] == 1
    ]


@cache
def lines() -> tuple[Lines, Lines, Lines]:
    """Lines to train on, to tune on, and held out, of each task; no word family or country is in two of them.

    >>> [task_lines[0] for task_lines in lines()[2].values()][2]
    'roman 22 = XXII'
    """
    split, (pictures, unseen) = data.cmu_split_by_stem(), data.handwriting()
    numbers = [f"roman {number} = {roman(number)}" for number in range(1, 4000)]
    names = which_lines()
    sixths = len(names) // 6
    seen = see_lines(*pictures)
    parts = (
        (split.training, seen[:-HELD_OUT], [line for n, line in enumerate(numbers, 1) if n % 11], names[: 4 * sixths]),
        (split.development, seen[-HELD_OUT:], numbers[10::22], names[4 * sixths : 5 * sixths]),
        (split.held_out, see_lines(*unseen), numbers[21::22], names[5 * sixths :]),
    )
    return tuple(
        dict(zip(TASKS, (say_lines(words), pictures, romans, names))) for words, pictures, romans, names in parts
    )


@cache
def characters() -> str:
    """Every character of the four tasks, and the end of a line."""
    return training.alphabet("\n" + "".join(chain.from_iterable(chain(*(part.values() for part in lines())))))


def groups(learner: str) -> list[tuple[str, ...]]:
    """The tasks of each decoder of a learner.

    >>> groups("one for all")
    [('say', 'see', 'roman', 'which')]
    """
    return [TASKS] if learner == "one for all" else [(task,) for task in TASKS]


def batches(tasks: tuple[str, ...], seed: int, rows: int = ROWS) -> Iterator[tuple[np.ndarray]]:
    """Endless batches (rows x tasks, 65) of windows of text, the lines of each task in an order of its own.

    A task's windows are the same whether other tasks are beside it or not.
    """
    windows = []
    for task in tasks:
        order = np.random.default_rng([seed, TASKS.index(task)])
        some = lines()[0][task]
        text = "".join(
            "\n" + some[place] for _ in range(1 + 200_000 // len(some)) for place in order.permutation(len(some))
        )
        windows.append(training.random_windows(training.encode(text[:3_000_000], characters()), seed, rows))
    while True:
        yield (np.concatenate([next(one)[0] for one in windows]),)


def right(parameters: Parameters, some: list[str]) -> float:
    """The share of lines whose whole answer the model would write, always its likeliest character.

    If each character of the answer is the likeliest after the right ones before it, then so is the answer.
    """
    some = some[:: max(1, len(some) // HELD_OUT)][:HELD_OUT]
    rows = np.full((len(some), training.CONTEXT + 1), characters().index("\n"), np.int32)
    asked = np.zeros((len(some), training.CONTEXT), bool)
    for row, line in enumerate(some):
        written = training.encode(f"\n{line}\n", characters())
        rows[row, : len(written)] = written
        asked[row, line.index("= ") + 2 : len(line) + 1] = True
    likeliest = np.asarray(_likeliest(parameters, rows[:, :-1]))
    return float(((likeliest == rows[:, 1:]) | ~asked).all(axis=1).mean())


@jax.jit
def _likeliest(parameters: Parameters, tokens: jax.Array) -> jax.Array:
    return models.transformer(parameters, tokens).argmax(axis=-1)


def train(tasks: tuple[str, ...], seed: int, rate: float, steps: int = STEPS) -> Parameters:
    """One decoder, trained on one task or several; the loss is that of every character alike."""
    start = models.transformer_parameters(jax.random.key(seed), len(characters()), WIDTH, LAYERS)
    return learning.train(models.transformer, start, batches(tasks, seed), steps, rate, "muon")


def tune(learner: str, rate: float) -> Row:
    """Right answers on lines to tune on, the mean of the four tasks, after half the steps."""
    shares = []
    for tasks in groups(learner):
        trained = train(tasks, 100, rate, STEPS // 2)
        shares += [right(trained, lines()[1][task]) for task in tasks]
    return {"right": round(sum(shares) / len(shares), 4)}


def best_rate(learner: str) -> float:
    """The rate with the most right answers on lines to tune on, of those that every learner tries."""
    rows = [row for row in recordings.read("2_4_task_rates") if row["learner"] == learner]
    return max(rows, key=lambda row: row["right"])["rate"]


def measure(learner: str, seed: int) -> Row:
    """Shares of right answers on held-out lines, task by task."""
    rate, shares = best_rate(learner), {}
    for tasks in groups(learner):
        trained = train(tasks, seed, rate)
        shares |= {task: round(right(trained, lines()[2][task]), 4) for task in tasks}
    return {"rate": rate} | shares


def describe(task: str) -> Row:
    """A task's lines: how many there are to train on, an example, and how often its commonest answer is right."""
    training_lines, _, held_out = (part[task] for part in lines())
    answers = Counter(line.split(" = ")[1] for line in held_out)
    commonest = answers.most_common(1)[0][1] / len(held_out)
    return {"training_lines": len(training_lines), "commonest": round(commonest, 4), "example": held_out[100]}


TABLES = [
    Table("2_4_task_lines", [{"task": task} for task in TASKS], describe),
    Table("2_4_task_rates", [{"learner": who, "rate": rate} for who in LEARNERS for rate in RATES], tune, at_once=2),
    Table("2_4_tasks", [{"learner": who, "seed": seed} for seed in range(5) for who in LEARNERS], measure, at_once=2),
]
