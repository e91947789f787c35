"""How much of a published speed-up was the graphics processor's, and how much a better program's: ICML 2008."""

import math
from typing import NamedTuple

from helpers import data

SLOW, FAIR = "LIBSVM", "their own classifier on the processor"
PAPER = "paper at ICML 2008"


class Range(NamedTuple):
    """The least and the most over several data sets."""

    least: float
    most: float


def published(task: str, over: str = SLOW, version: str = PAPER) -> Range:
    """How many times faster the graphics processor was than what it is held against, as its authors say.

    >>> published("classification"), published("classification", FAIR)
    (Range(least=81.0, most=138.0), Range(least=5.0, most=24.0))

    Raises ValueError where they say nothing of it.
    """
    for row in data.table("speed_ups_2008"):
        if (row["task"], row["over"], row["version"]) == (task, over, version):
            return Range(float(row["least"]), float(row["most"]))
    raise ValueError(f"the {version} gives no speed-up of {task} over {over}")


def by_program(over_slow: Range, over_fair: Range) -> Range:
    """How many times faster the fair program is than the slow one, both on the same processor.

    A speed-up over the slow one is the fair program's times that over the fair one. Which data set had which is not
    said, so the range is as wide as any pairing allows.

    >>> by_program(Range(100, 100), Range(5, 20))
    Range(least=5.0, most=20.0)
    """
    return Range(over_slow.least / over_fair.most, over_slow.most / over_fair.least)


def share_of_program(over_slow: float, over_fair: float) -> float:
    """The share of a speed-up that is the program's: factors multiply, so shares are of logarithms.

    >>> share_of_program(100, 10)
    0.5

    Raises ValueError unless the speed-up is above one: there is nothing to share out.
    """
    if over_slow <= 1 or over_fair <= 0:
        raise ValueError("a speed-up to be shared out is above one")
    return 1 - math.log(over_fair) / math.log(over_slow)
