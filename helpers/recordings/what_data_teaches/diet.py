"""A person's diet of words, from explicit estimates, beside the text that a language model is trained on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from helpers import data
from helpers.measuring import Interval

DAYS = 365.25  # of a year
COMMON = "all"  # the part whose assumptions multiply the sum of all other parts


class Assumption(NamedTuple):
    """One factor of the estimate: the factors of a part are multiplied, and the parts are added up."""

    part: str
    argument: str
    low: float
    central: float
    high: float


def assumptions() -> list[Assumption]:
    """The assumptions of data/words_heard.csv, in order.

    >>> [(one.part, one.argument) for one in assumptions()][:2]
    [('speech', 'speech_words'), ('media', 'media_words')]
    """
    return [
        Assumption(row["part"], row["argument"], *(float(row[column]) for column in ("low", "central", "high")))
        for row in data.table("words_heard")
    ]


def tokens_met(values: dict[str, np.ndarray | float], parts: Sequence[Assumption], years: float) -> np.ndarray | float:
    """Tokens that a person hears and reads in so many years, for one value (or one array of draws) of each assumption.

    >>> parts = [Assumption("talk", "hours", 1, 2, 3), Assumption("talk", "words", 100, 100, 100)]
    >>> parts += [Assumption("page", "read", 10, 10, 10), Assumption("all", "tokens", 1, 2, 2)]
    >>> tokens_met({"hours": 2, "words": 100, "read": 10, "tokens": 2}, parts, years=1) / DAYS
    420.0

    Raises ValueError where there is no assumption, or nothing but common factors.
    """
    of_part: dict[str, np.ndarray | float] = {}
    for one in parts:
        of_part[one.part] = of_part.get(one.part, 1.0) * values[one.argument]
    common = of_part.pop(COMMON, 1.0)
    if not of_part:
        raise ValueError("there is no assumption of words a day to multiply")
    return DAYS * years * common * sum(of_part.values())


def drawn(parts: Sequence[Assumption], draws: int = 10_000, seed: int = 0) -> dict[str, np.ndarray]:
    """Random values of each assumption between its low and its high, every factor as likely (log-uniform).

    >>> values = drawn([Assumption("talk", "words", 100, 200, 400)], draws=1_000)["words"]
    >>> bool((values >= 100).all() and (values <= 400).all()), bool(180 < np.median(values) < 220)
    (True, True)

    Raises ValueError for an assumption whose low, central and high are not positive and in order.
    """
    draw = np.random.default_rng(seed)
    for one in parts:
        if not 0 < one.low <= one.central <= one.high:
            raise ValueError(f"{one.argument}: {one.low}, {one.central} and {one.high} are not positive and in order")
    return {one.argument: np.exp(draw.uniform(np.log(one.low), np.log(one.high), draws)) for one in parts}


def diet(years: float = 20, parts: Sequence[Assumption] | None = None, draws: int = 10_000, seed: int = 0) -> Interval:
    """How many tokens a person meets in so many years, multiplied through from the assumptions.

    The assumptions are drawn independently: a person who reads much may well hear less, which would narrow this.

    >>> low, middle, high = diet(years=20)
    >>> 1e8 < low < middle < high < 2e9
    True

    Raises ValueError for years that are not positive.
    """
    if years <= 0:
        raise ValueError(f"a person has lived more than {years} years")
    parts = assumptions() if parts is None else parts
    found = tokens_met(drawn(parts, draws, seed), parts, years)
    return Interval(*np.quantile(found, (0.025, 0.5, 0.975)).tolist())


def one_at_a_time(years: float = 20, parts: Sequence[Assumption] | None = None) -> dict[str, tuple[float, float]]:
    """The diet with one assumption at its low and at its high, all others at their central value.

    >>> widest = max(one_at_a_time().items(), key=lambda item: item[1][1] - item[1][0])
    >>> widest[0]
    'media_words'
    """
    parts = assumptions() if parts is None else parts
    central = {one.argument: one.central for one in parts}
    return {
        one.argument: tuple(
            float(tokens_met(central | {one.argument: value}, parts, years)) for value in (one.low, one.high)
        )
        for one in parts
    }


def lifetimes(tokens: float, years: float = 20, draws: int = 10_000, seed: int = 0) -> Interval:
    """In how many lives of so many years a person would meet so many tokens.

    >>> lifetimes(1e13).low > 1_000
    True
    """
    met = diet(years, draws=draws, seed=seed)
    return Interval(tokens / met.high, tokens / met.middle, tokens / met.low)
