"""What lesson 3.3 reads from its recordings: the values at a point, and paired changes from one point to another."""

from functools import cache

import numpy as np

from helpers import recordings
from helpers.recordings import Row
from helpers.recordings.what_data_teaches import shock
from helpers.recordings.what_data_teaches.repeats import Point

REPEATS = "3_3_repeats"


def found(table: str, column: str, **point) -> np.ndarray:
    """The values of a column at a point of a recording, in the order of their seeds: (seeds,).

        found("3_3_structure", "error", system="dense", images=50)  ->  array([0.36, 0.38, 0.33, 0.35, 0.37])

    Raises ValueError for a point that was not recorded, or that leaves more than one row to a seed.
    """
    return np.array(list(_by_seed(table, column, point).values()))


def change(table: str, column: str, first: Row, second: Row) -> np.ndarray:
    """By how much a column is higher at the second point than at the first, for each seed that has both: (seeds,).

        change("3_3_structure", "error", {"system": "convolution", "images": 50}, {"system": "dense", "images": 50})

    Raises ValueError for a point that was not recorded, or for two that share no seed.
    """
    before, after = (_by_seed(table, column, point) for point in (first, second))
    shared = sorted(before.keys() & after.keys())
    if not shared:
        raise ValueError(f"{first} and {second} share no seed in {table}")
    return np.array([after[seed] - before[seed] for seed in shared])


def _by_seed(table: str, column: str, point: Row) -> dict[int, float]:
    rows = [row for row in recordings.read(table) if all(row[name] == value for name, value in point.items())]
    values = {row["seed"]: row[column] for row in sorted(rows, key=lambda row: row["seed"])}
    if not rows:
        raise ValueError(f"{table} has no row with {point}")
    if len(values) < len(rows):
        raise ValueError(f"{point} names several rows of one seed in {table}")
    return values


def fresh(column: str = "loss") -> tuple[np.ndarray, np.ndarray]:
    """The characters of the runs on fresh text, rising (n,), and a column's values (n, seeds)."""
    read = sorted({row["characters"] for row in recordings.read(REPEATS) if row["epochs"] == 1})
    return np.array(read), np.array([found(REPEATS, column, characters=size, epochs=1) for size in read])


def again(characters: int, column: str = "loss") -> tuple[np.ndarray, np.ndarray]:
    """The epochs of the runs over a text of so many characters, rising from one (n,), and a column's values (n, seeds).

    The one run that has fewer seeds than the others is left out.
    """
    epochs = sorted({row["epochs"] for row in recordings.read(REPEATS) if row["characters"] == characters})
    values = [found(REPEATS, column, characters=characters, epochs=number) for number in epochs]
    whole = [len(some) == max(map(len, values)) for some in values]
    return np.array(epochs)[whole], np.array([some for some, kept in zip(values, whole, strict=True) if kept])


def points(column: str, seeds: tuple[int, ...] = (0, 1, 2)) -> list[Point]:
    """The runs of some seeds as `repeats.fit` takes them, texts in thousands of characters.

    Without the one run that has fewer seeds than the others.
    """
    sizes = {row["characters"] for row in recordings.read(REPEATS)}
    kept = {(size, number) for size in sizes for number in again(size)[0]}
    rows = [row for row in recordings.read(REPEATS) if (row["characters"], row["epochs"]) in kept]
    return [Point(r["characters"] / 1000, r["epochs"], r[column], r["seed"]) for r in rows if r["seed"] in seeds]


def with_garbage(arm: str, width: int, share: float, column: str = "loss") -> np.ndarray:
    """A column's values at a share of garbage: (seeds,).

    Half garbage is the same run for "equal compute" and for "equal good text", and recorded as the latter.
    """
    same = arm == "equal compute" and share == 0.5
    return found("3_3_garbage", column, arm="equal good text" if same else arm, width=width, share=share)


@cache
def around_the_shock(arm: str, times: int, column: str) -> np.ndarray:
    """The small model's "losses", "norms" or "hashes" at each of `shock.marks`: (marks,).

    The mean over the three seeds that every arm has, so that all read the same text up to the drawings.
    """
    kept = [row for row in _shocks() if (row["arm"], row["times"]) == (arm, times)]
    return np.mean([shock.series(row, column) for row in kept], axis=0)


@cache
def _shocks() -> list[Row]:
    rows = recordings.read("3_3_shock")
    return [row for row in rows if row["system"] == "small" and row["seed"] < 3]
