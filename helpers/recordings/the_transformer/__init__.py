"""Lesson 2.4, the Transformer: what its recordings measure, each with every variant's rate tuned in the same way."""

from functools import cache, partial
from typing import NamedTuple

import jax
import numpy as np

from helpers import recordings, recurrent, training
from helpers.recordings import Row, Table
from helpers.recordings.the_transformer import learning, tasks
from helpers.recordings.the_transformer.model import MODERN, PLAIN, parameters, scores, training_flops

TEXT = "python source"
STEPS = 400  # of the plain Transformer; whoever does more or less in a step gets fewer or more of them
SEEDS = range(5)
RATES = {"adam": (0.004, 0.012, 0.036), "muon": (0.04, 0.08, 0.16)}

CHANGES = {
    "as it is": {},
    "no positions": {"positions": "none"},
    "no residuals": {"residuals": False, "start": "random"},  # from zero, nothing would ever come through
    "no normalisation": {"normalisation": "none"},
    "no feed-forward": {"feed_forward": "none"},
    "with convolution": {"convolution": "full"},
    "with convolution by channel": {"convolution": "each channel alone"},
    "1 head": {"heads": 1},
    "2 heads": {"heads": 2},
    "8 heads": {"heads": 8},
}
RUNGS = {
    "rotary positions": {"positions": "rotary"},
    "normalised queries and keys": {"normalised_queries": True},
    "squared ReLU": {"feed_forward": "squared relu"},
    "zero start": {"start": "zero"},
    "Muon": {"optimiser": "muon"},
}
CHANGED_AGAIN = ("as it is", "with convolution", "with convolution by channel", "1 head")
DESIGNS = (
    {f"plain, {change}": PLAIN._replace(**parts) for change, parts in CHANGES.items()}
    | {f"modern, {change}": MODERN._replace(**CHANGES[change]) for change in CHANGED_AGAIN}
    | {f"plain + {rung}": PLAIN._replace(**parts) for rung, parts in RUNGS.items()}
)


class Lstm(NamedTuple):
    """An LSTM of one layer, as wide as gives it as many parameters as the Transformer of its size, to 4%."""

    width: int
    optimiser: str


LSTMS = {"LSTM, adam": Lstm(104, "adam"), "LSTM, muon": Lstm(104, "muon")}
SYSTEMS = [*DESIGNS, *LSTMS]

# Two systems more, for the longer race alone: SYSTEMS, above, are those that every other table runs through.
DESIGNS["modern, larger"] = MODERN._replace(layers=4, width=96)
LSTMS["LSTM, larger"] = Lstm(228, "muon")


class Race(NamedTuple):
    """Two systems of one size, the Transformer first, how much compute they get, and after how much they are tuned."""

    systems: tuple[str, str]
    budgets: tuple[float, ...]  # 1 = the whole compute of the plain Transformer
    tuned_at: float


RACES = {
    "small": Race(("modern, as it is", "LSTM, muon"), (1.0, 4.0, 16.0), 8.0),
    "larger": Race(("modern, larger", "LSTM, larger"), (1.0, 4.0), 4.0),
}


@cache
def scores_of(system: str):
    """One function a system, so that it is compiled once."""
    return recurrent.lstm if system in LSTMS else partial(scores, design=DESIGNS[system])


def optimiser(system: str) -> str:
    """The optimiser of a system: "adam" or "muon"."""
    return LSTMS[system].optimiser if system in LSTMS else DESIGNS[system].optimiser


def fresh(system: str, seed: int, text: str = TEXT):
    """Parameters of a system before training."""
    key, vocabulary = jax.random.key(seed), len(learning.parts(text).characters)
    if system in LSTMS:
        return recurrent.lstm_parameters(key, vocabulary, LSTMS[system].width)
    return parameters(key, vocabulary, DESIGNS[system])


def flops(system: str, text: str = TEXT) -> int:
    """FLOPs of training on one character: those of matrix products; a multiplication and an addition are two.

    The LSTM's first layer multiplies each character's embedding once a step, and looks the products up.
    """
    vocabulary = len(learning.parts(text).characters)
    if system in LSTMS:
        gates = 4 * LSTMS[system].width ** 2
        looked_up = round(gates * vocabulary / learning.BATCH / training.CONTEXT)
        return 6 * (gates + looked_up + LSTMS[system].width * vocabulary)
    return training_flops(DESIGNS[system], vocabulary)


def steps(system: str, budget: float, text: str = TEXT) -> int:
    """How many steps a system gets for so many times the plain Transformer's compute."""
    return round(budget * STEPS * flops("plain, as it is", text) / flops(system, text))


def train(system: str, budget: float, seed: int, rate: float, progress=iter, text: str = TEXT):
    """A system's parameters, trained for so much compute."""
    batches = training.random_windows(learning.parts(text).training, seed, learning.BATCH)
    start, count = fresh(system, seed, text), steps(system, budget, text)
    return learning.train(scores_of(system), start, batches, count, rate, optimiser(system), progress)


def loss(system: str, trained, part: str = "held_out") -> float:
    """A trained system's loss on one part of the text, in nats a character."""
    return learning.loss(scores_of(system), trained, getattr(learning.parts(), part))


def tune(system: str, rate: float) -> Row:
    """The loss on the development part after half the compute, with a seed that no measurement uses."""
    return {"loss": round(loss(system, train(system, 0.5, 100, rate), "development"), 4)}


def best_rate(system: str, table: str = "2_4_rates") -> float:
    """The rate with the least development loss of those that every system of the table tries."""
    rows = [row for row in recordings.read(table) if row["system"] == system and np.isfinite(row["loss"])]
    return min(rows, key=lambda row: row["loss"])["rate"]


def measure(system: str, budget: float, seed: int) -> Row:
    """One training run at the tuned rate: its steps, and its loss on the held-out part."""
    rate = best_rate(system)
    trained = train(system, budget, seed, rate)
    return {"steps": steps(system, budget), "rate": rate, "loss": round(loss(system, trained), 4)}


def race(system: str, budget: float, seed: int, rate: float, part: str) -> float:
    """The loss of a system of RACES after so much compute, over windows from all of that part of its text."""
    trained = train(system, budget, seed, rate, text=learning.LIBRARIES)
    return round(learning.loss(scores_of(system), trained, getattr(learning.parts(learning.LIBRARIES), part)), 4)


def tune_longer(system: str, budget: float, rate: float) -> Row:
    """The loss on the development part, with a seed that no measurement uses."""
    return {"loss": race(system, budget, 100, rate, "development")}


def measure_longer(system: str, budget: float, seed: int) -> Row:
    """One run of the longer race at the tuned rate: its steps, and its loss on the held-out part."""
    rate = best_rate(system, "2_4_longer_rates")
    loss = race(system, budget, seed, rate, "held_out")
    return {"steps": steps(system, budget, learning.LIBRARIES), "rate": rate, "loss": loss}


@cache
def _milliseconds() -> dict[str, float]:
    """Processor time of one step of each system."""
    runs = {}
    batch = next(training.random_windows(learning.parts().training, 0, learning.BATCH))[0]
    for system in TIMED:
        start = fresh(system, 0)
        memory = learning.memory(start, optimiser(system))
        runs[system] = (scores_of(system), optimiser(system), start, memory, batch, np.float32(0.01))
    return learning.step_milliseconds(runs, rounds=8)


def measure_step(system: str) -> Row:
    """Milliseconds of processor time that one step of training takes, on however many cores."""
    return {"milliseconds": round(_milliseconds()[system], 3)}


TIMED = ["plain, as it is", "modern, as it is", *(f"plain + {rung}" for rung in RUNGS), "LSTM, adam", "LSTM, muon"]


def _points() -> list[Row]:
    runs = {(system, 1.0) for system in SYSTEMS}
    runs |= {(system, 0.5) for system in TIMED}
    runs |= {
        (system, 0.25) for system in ("plain, as it is", "modern, as it is", "plain + Muon", "LSTM, adam", "LSTM, muon")
    }
    runs |= {(system, 0.125) for system in ("modern, as it is", "LSTM, adam", "LSTM, muon")}
    order = sorted(runs, key=lambda run: (SYSTEMS.index(run[0]), run[1]))
    return [{"system": system, "budget": budget, "seed": seed} for system, budget in order for seed in SEEDS]


def _longer() -> list[Row]:
    runs = [(system, budget) for found in RACES.values() for system in found.systems for budget in found.budgets]
    return [{"system": system, "budget": budget, "seed": seed} for system, budget in runs for seed in SEEDS]


TABLES = [
    Table(
        "2_4_rates",
        [{"system": system, "rate": rate} for system in SYSTEMS for rate in RATES[optimiser(system)]],
        tune,
        at_once=2,
    ),
    Table("2_4_losses", _points(), measure, at_once=2),
    Table(
        "2_4_longer_rates",
        [
            {"system": system, "budget": found.tuned_at, "rate": rate}
            for found in RACES.values()
            for system in found.systems
            for rate in RATES[optimiser(system)]
        ],
        tune_longer,
    ),
    Table("2_4_longer", _longer(), measure_longer),
    *tasks.TABLES,
    Table("2_4_seconds", [{"system": system} for system in TIMED], measure_step, timed=("milliseconds",)),
]
