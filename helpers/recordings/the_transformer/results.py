"""What lesson 2.4 reads from its recordings: losses, changes of a loss, and the compute for the same loss."""

import numpy as np

from helpers import measuring, recordings


def losses(system: str, budget: float = 1.0, table: str = "2_4_losses") -> np.ndarray:
    """The held-out losses of a system after so many times the plain Transformer's compute: (seeds,)."""
    rows = recordings.read(table)
    return np.array([row["loss"] for row in rows if (row["system"], row["budget"]) == (system, budget)])


def change(system: str, other: str) -> tuple[float, float, float]:
    """By how much the loss of `other` is above that of a system, seed by seed: the mean and its 95% interval."""
    return tuple(map(float, measuring.mean_interval(losses(other) - losses(system))))


def curve(system: str, table: str = "2_4_losses") -> tuple[np.ndarray, np.ndarray]:
    """The budgets of a system's runs, rising (n,), and their losses (n, seeds)."""
    budgets = sorted({row["budget"] for row in recordings.read(table) if row["system"] == system})
    return np.array(budgets), np.array([losses(system, budget, table) for budget in budgets])


def compute_to(system: str, targets: np.ndarray, table: str = "2_4_losses") -> np.ndarray:
    """The compute at which a system's loss comes down to a target, one a seed: (seeds,); nan where it never does.

    Runs are joined by straight lines over the logarithm of the compute. A loss that is below its target from the first
    run on counts as that run's compute, which is then too much.
    """
    budgets, found = curve(system, table)
    return np.array([_where(np.log(budgets), found[:, seed], target) for seed, target in enumerate(targets)])


def _where(logs: np.ndarray, losses: np.ndarray, target: float) -> float:
    below = np.flatnonzero(losses <= target)
    if not below.size:
        return np.nan
    after = below[0]
    if after == 0:
        return float(np.exp(logs[0]))
    before = after - 1
    share = (losses[before] - target) / (losses[before] - losses[after])
    return float(np.exp(logs[before] + share * (logs[after] - logs[before])))


def times(first: str, second: str, budget: float, table: str = "2_4_longer") -> np.ndarray:
    """How many times the compute of `first` does `second` need for the best loss that both reach: (seeds,).

    Runs of more than that budget do not count.
    """
    reached = []
    for system in (first, second):
        budgets, found = curve(system, table)
        reached.append(found[budgets <= budget].min(axis=0))
    targets = np.maximum(*reached)
    return compute_to(second, targets, table) / compute_to(first, targets, table)


def crossing(first: str, second: str, table: str = "2_4_longer") -> np.ndarray:
    """The compute at which the loss of `first` comes down to that of `second`, one a seed; nan where it does not."""
    budgets, found = curve(first, table)
    above = found - curve(second, table)[1]
    return np.array([_where(np.log(budgets), one, 0) for one in above.T])


def ratio(values: np.ndarray) -> tuple[float, float, float]:
    """The mean of ratios and its 95% interval, over their logarithms: half and double are equally far from one.

    >>> [round(end, 2) for end in ratio(np.array([0.5, 1.0, 2.0]))]
    [1.0, 0.18, 5.59]
    """
    return tuple(float(end) for end in np.exp(measuring.mean_interval(np.log(values))))
