"""The settings with which each network of lesson 3.3 is trained: the best of a few, tried on development data."""

from typing import NamedTuple

import numpy as np

from helpers import recordings

TABLE = "3_3_rates"


class Setting(NamedTuple):
    """The rate of learning, and the share of inner values that is dropped in training (of networks for text: none)."""

    rate: float
    dropout: float


def best(experiment: str, system: str, table: str = TABLE) -> Setting:
    """The setting with the least development loss of those that were tried for a system.

    Raises ValueError where none was recorded that came to an end.
    """
    tried = [
        row
        for row in recordings.read(table)
        if (row["experiment"], row["system"]) == (experiment, system) and np.isfinite(row["development"])
    ]
    if not tried:
        raise ValueError(f"no setting of {system!r} was tried for {experiment!r}")
    row = min(tried, key=lambda row: row["development"])
    return Setting(row["rate"], row["dropout"])
