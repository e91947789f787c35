"""Lesson 1.3, fast at what?: one network in ever fewer bits, and what its recordings measure with it."""

import math
from functools import lru_cache

from helpers.recordings import Row, Table
from helpers.recordings.fast_at_what import learning, storing

SEEDS = tuple(range(5))
BUDGETS = (0.75, 0.5, 0.25, 0.125)  # bits, for each of the weights of the network with all its inner units
VALUE_BITS = {"16": 16, "4": 4, "2": 2, "1.58": 1.6, "1": 1}


def hidden_within(budget: float, width: str) -> int:
    """The most inner units of a dense network with so few bits for each of the full network's weights.

    >>> hidden_within(0.25, "1"), hidden_within(0.25, "4")
    (31, 7)
    """
    bits = budget * learning.weights_in(learning.HIDDEN) - 2 * storing.SCALE_BITS
    return int(bits / VALUE_BITS[width] / learning.weights_in(1))


def share_within(budget: float, width: str, hidden: int) -> float:
    """The largest share of a network's weights that can be kept with so few bits for each of the full network's.

    Positions are counted as log2 of the number of choices, and rounded up to bytes.

    >>> round(share_within(0.5, "1", 128), 3)
    0.081
    """
    weights = learning.weights_in(hidden)
    bits = budget * learning.weights_in(learning.HIDDEN) - 2 * (storing.SCALE_BITS + storing.COUNT_BITS) - 4 * 8

    def needed(kept: int) -> float:
        chosen = math.lgamma(weights + 1) - math.lgamma(kept + 1) - math.lgamma(weights - kept + 1)
        return chosen / math.log(2) + VALUE_BITS[width] * kept

    low, high = 1, weights // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if needed(middle) <= bits else (low, middle)
    return low / weights


@lru_cache(8)
def _trained(hidden: int) -> list[learning.Weights]:
    return learning.train(SEEDS, hidden)


@lru_cache(1)
def _networks(family: str, width: str, budget: float, hidden: int) -> tuple[list[list[storing.Stored]], float]:
    """Five networks of one kind, stored, and the rate at which they were trained again."""
    pruning = {"free": "free", "2:4": (2, 4), "1:4": (1, 4)}.get(family.split(", ")[0])
    share = share_within(budget, width, hidden) if pruning == "free" else 1.0
    if family.endswith("not retrained"):
        return [learning.store(weights, width, pruning, share) for weights in _trained(hidden)], 0.0
    again = learning.retrain(_trained(hidden), SEEDS, width, pruning, share)
    stored = [[learning.store(weights, width, pruning, share) for weights in rates] for rates in again]
    wrong = [[learning.error(learning.restore(one), "tuning") for one in rates] for rates in stored]
    best = min(range(len(learning.RATES)), key=lambda rate: sum(errors[rate] for errors in wrong))
    return [rates[best] for rates in stored], learning.RATES[best]


def measure(family: str, width: str, budget: float, hidden: int, seed: int) -> Row:
    """One network in few bits: its errors on tuning and held-out pictures, and its bits a weight of the full network.

    Five seeds are trained at once, since that takes hardly longer than one.
    """
    networks, rate = _networks(family, width, budget, hidden)
    stored = networks[SEEDS.index(seed)]
    weights = learning.restore(stored)
    return {
        "rate": rate,
        "kept": sum(matrix.kept for matrix in stored),
        "bits": round(sum(matrix.bits for matrix in stored) / learning.weights_in(learning.HIDDEN), 4),
        "tuning_error": round(learning.error(weights, "tuning"), 6),
        "error": round(learning.error(weights), 6),
    }


def _points() -> list[Row]:
    full, kinds = learning.HIDDEN, []
    for family in ("dense, not retrained", "dense"):
        kinds += [(family, width, 0.0, full) for width in storing.WIDTHS]
    for family in ("2:4", "1:4"):
        kinds += [(family, width, 0.0, full) for width in ("32", "4", "1")]
    kinds += [("free, not retrained", "16", budget, full) for budget in BUDGETS]
    for budget in BUDGETS:
        kinds += [("smaller", width, budget, hidden_within(budget, width)) for width in storing.LEVELS]
        # the smaller the budget, the smaller the best start; the last one has room for about one weight in three
        starts = [full, full // 2, full // 4] + [full // 8] * (budget <= 0.25) + [round(96 * budget)]
        kinds += [("free", width, budget, hidden) for hidden in starts for width in ("4", "2", "1")]
    names = ("family", "width", "budget", "hidden")
    return [dict(zip(names, kind, strict=True)) | {"seed": seed} for kind in kinds for seed in SEEDS]


TABLES = [Table("1_3_bits", _points(), measure)]
