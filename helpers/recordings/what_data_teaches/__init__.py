"""Lesson 3.3, what data teaches: captions and what was meant, a person's diet of words, drawings and serial numbers.

Its recordings: text repeated or fresh, garbage among the text, drawings fed in as text, and structure built in or not;
each network's rate is tuned first, on data that no measurement uses.
"""

from helpers.recordings import Row, Table
from helpers.recordings.one_word_at_a_time import points
from helpers.recordings.what_data_teaches import garbage, repeated, shock, structure

SEEDS = tuple(range(5))
FEWER = SEEDS[:3]
MUON_RATES = (0.02, 0.04, 0.08, 0.16)
ADAM_RATES = (0.002, 0.004, 0.008, 0.016, 0.032)
IMAGE_RATES = (0.0007, 0.002, 0.006, 0.018)
WIDTHS = (32, 64)
NONE, HALF, MOST = 0.0, 0.5, 0.75


def tune(experiment: str, system: str, dropout: float, rate: float) -> Row:
    """One setting of one network on development data: nats a character, or the share of images read wrong.

    Raises ValueError for an experiment that tunes nothing.
    """
    if experiment == "repeats":
        return repeated.tune(rate)
    if experiment == "garbage":
        return garbage.tune(int(system.removeprefix("width ")), rate)
    if experiment == "shock":
        return shock.tune(system, rate)
    for images in structure.TUNED_ON:
        if experiment == structure.tuned(images):
            return structure.tune(system, rate, dropout, images)
    raise ValueError(f"there is nothing to tune for {experiment!r}")


def _settings() -> list[Row]:
    def tried(experiment: str, systems: tuple[str, ...], rates: tuple[float, ...], dropout: tuple = (0.0,)):
        return points(experiment=(experiment,), system=systems, dropout=dropout, rate=rates)

    widths = tuple(f"width {width}" for width in WIDTHS)
    return [
        *tried("repeats", (f"width {repeated.WIDTH}",), MUON_RATES),
        *tried("garbage", widths, MUON_RATES),
        *tried("shock", ("small", "larger"), ADAM_RATES),
        *tried("shock", ("modern",), MUON_RATES),
        *(
            setting
            for images in structure.TUNED_ON
            for setting in tried(structure.tuned(images), structure.LEARNERS, IMAGE_RATES, (0.0, 0.5))
        ),
    ]


def _repeats() -> list[Row]:
    """Fresh text of seven sizes, and the smallest and the third of them repeated; the longest run once, to be seen."""
    fresh = [(2**power, 1) for power in range(7)]
    again = [(1, 2**power) for power in range(1, 7)] + [(4, 2**power) for power in range(1, 5)]
    runs = [(units, epochs, seed) for units, epochs in fresh + again for seed in FEWER] + [(4, 64, 0)]
    return [{"characters": units * repeated.UNIT, "epochs": epochs, "seed": seed} for units, epochs, seed in runs]


def _garbage() -> list[Row]:
    """Half garbage at equal compute is not asked for again: it is half garbage at equal good text."""
    shares = tuple(rows / garbage.ROWS for rows in garbage.GARBAGE_ROWS)
    return [
        *points(arm=("equal good text",), width=WIDTHS, share=shares[:-1], seed=SEEDS),
        *points(arm=("masked",), width=WIDTHS, share=(HALF,), seed=SEEDS),
        *points(arm=("equal good text", "masked"), width=WIDTHS, share=(MOST,), seed=FEWER),
        *points(arm=("equal compute",), width=WIDTHS, share=(NONE, MOST), seed=FEWER),
    ]


def _shock() -> list[Row]:
    """Text alone and with drawings, the small model and the larger with five seeds; cures and the modern with three."""
    pair, cures = ("text alone", "art"), ("clipped", "filtered")
    return [
        *points(system=("small",), arm=pair, times=(1, 4, 16), seed=SEEDS),
        *points(system=("larger",), arm=pair, times=(1, 16), seed=SEEDS),
        *points(system=("modern",), arm=pair, times=(1, 16), seed=FEWER),
        *points(system=("small",), arm=cures, times=(1, 4, 16), seed=FEWER),
    ]


TABLES = [
    Table("3_3_rates", _settings(), tune, at_once=2),
    Table("3_3_repeats", _repeats(), repeated.measure, at_once=2),
    Table("3_3_garbage", _garbage(), garbage.measure, at_once=2),
    Table("3_3_shock", _shock(), shock.measure, at_once=2),
    Table(
        "3_3_structure",
        points(system=structure.SYSTEMS, images=structure.SIZES, seed=SEEDS),
        structure.measure,
        at_once=2,
    ),
]
