"""Lesson 2.2's oldest runner: a table of how often each character followed each short run of characters."""

from typing import NamedTuple

import numpy as np

BITS = 7  # for one character; nine of them fit into 63 bits
LONGEST = 9


class Order(NamedTuple):
    """What is known of the runs of n characters: sorted codes with their counts, and the same for their contexts.

    A context is the first n - 1 characters; `totals` (contexts,) sums the counts of what followed, and `kinds` counts
    how many different characters did. `discount` is taken off every count, for runs that were never seen.
    """

    length: int
    runs: np.ndarray
    counts: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    kinds: np.ndarray
    discount: float


def count(tokens: np.ndarray, order: int, discount: float | None = None) -> list[Order]:
    """The counts of runs of 1 to `order` tokens (T,), tokens below 128: interpolated Kneser-Ney smoothing.

    Runs shorter than the longest are counted by how many different tokens stood before them. Without a `discount`
    each order has its own, from its runs that were counted once and twice (Kneser and Ney 1995; the discount is that
    of Chen and Goodman 1999, section 2).

    >>> [len(level.runs) for level in count(np.array([0, 1, 0, 2, 0, 1]), 2)]  # 0 1 2, and 01 02 10 20
    [3, 4]

    Raises ValueError for an order below 1 or above 9, fewer tokens than that, or a token that is not from 0 to 127.
    """
    if not 1 <= order <= LONGEST or len(tokens) < order:
        raise ValueError(f"the order must be from 1 to {LONGEST} and at most the {len(tokens)} tokens, not {order}")
    if tokens.min() < 0 or tokens.max() >= 2**BITS:
        raise ValueError(f"tokens must be from 0 to {2**BITS - 1}")
    runs, counts = _grouped(_codes(np.lib.stride_tricks.sliding_window_view(tokens, order)))
    levels = [_level(order, runs, counts, discount)]
    for length in range(order - 1, 0, -1):
        runs, counts = _grouped(runs & np.uint64(2 ** (BITS * length) - 1))
        levels.append(_level(length, runs, counts, discount))
    return levels[::-1]


def probability(levels: list[Order], windows: np.ndarray, vocabulary: int) -> np.ndarray:
    """How likely the last token of each window is after those before it: windows (N, order or more) -> (N,).

    >>> levels = count(np.array([0, 1, 0, 2, 0, 1]), 2)
    >>> float(sum(probability(levels, np.array([[0, token]]), vocabulary=5)[0] for token in range(5)))
    1.0
    """
    found = np.full(len(windows), 1 / vocabulary)
    for level in levels:
        runs = _codes(windows[:, -level.length :])
        at, known = _find(level.runs, runs)
        seen = np.where(known, level.counts[at], 0)
        at, known = _find(level.contexts, runs >> np.uint64(BITS))
        share = np.maximum(seen - level.discount, 0) + level.discount * level.kinds[at] * found
        found = np.where(known, share / level.totals[at], found)
    return found


def _codes(windows: np.ndarray) -> np.ndarray:
    codes = np.zeros(len(windows), np.uint64)
    for column in windows.T:
        codes = (codes << np.uint64(BITS)) | column.astype(np.uint64)
    return codes


def _grouped(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ordered = np.sort(codes)
    starts = _starts(ordered)
    return ordered[starts], np.diff(np.append(starts, len(ordered)))


def _starts(ordered: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _level(length: int, runs: np.ndarray, counts: np.ndarray, discount: float | None) -> Order:
    if discount is None:
        once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
        discount = once / (once + 2 * twice) if once and twice else 0.5
    contexts = runs >> np.uint64(BITS)
    starts = _starts(contexts)
    kinds = np.diff(np.append(starts, len(runs)))
    return Order(length, runs, counts, contexts[starts], np.add.reduceat(counts, starts), kinds, discount)


def _find(ordered: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return at, ordered[at] == wanted
