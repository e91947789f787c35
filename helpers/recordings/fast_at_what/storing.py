"""Weights in few bits, really stored: each width's bytes, and the weights that come back from them."""

import math
from itertools import combinations
from typing import NamedTuple

import ml_dtypes
import numpy as np

WIDTHS = ("32", "16", "8", "4", "2", "1.58", "1")
LEVELS = {"4": 15, "2": 4, "1.58": 3, "1": 2}  # how many values a weight may have, times its matrix's scale
FLOATS = {"32": np.float32, "16": ml_dtypes.bfloat16, "8": ml_dtypes.float8_e4m3fn}
SCALE_BITS, COUNT_BITS = 32, 16
SCALES = np.geomspace(0.2, 1, 16).astype(np.float32)  # tried, as shares of the largest that leaves no level unused


class Stored(NamedTuple):
    """One matrix of weights in few bits: its codes as bytes, a scale, which weights were kept, and how it is built.

    `positions` are the bytes that tell the kept weights from the pruned ones; empty where all are kept.
    """

    codes: bytes
    scale: float
    positions: bytes
    kept: int
    shape: tuple[int, int]
    width: str
    group: tuple[int, int] | None

    @property
    def bits(self) -> int:
        """All that must be kept: codes, positions, the scale, and, where weights were pruned freely, their number."""
        scale = 0 if self.width in ("32", "16") else SCALE_BITS
        count = COUNT_BITS if self.positions and self.group is None else 0
        return 8 * (len(self.codes) + len(self.positions)) + scale + count


def levels(width: str) -> np.ndarray:
    """The values that a weight of few bits may have, before the scale: they lie evenly and symmetrically about 0.

    >>> levels("1.58").tolist(), levels("2").tolist()
    ([-1.0, 0.0, 1.0], [-1.5, -0.5, 0.5, 1.5])
    """
    count = LEVELS[width]
    return (np.arange(count) - (count - 1) / 2).astype(np.float32)


def nearest(weights: np.ndarray, width: str, scale: float) -> np.ndarray:
    """The number of the level next to each weight: weights of any shape -> whole numbers of that shape.

    >>> nearest(np.array([-0.9, 0.1, 0.4]), "1.58", scale=0.5).tolist()
    [0, 1, 2]
    """
    count = LEVELS[width]
    place = np.asarray(weights) / (scale or 1) + (count - 1) / 2
    return np.clip(np.floor(place + 0.5), 0, count - 1).astype(np.uint8)


def best_scale(weights: np.ndarray, width: str) -> float:
    """The scale for which rounding changes the weights (n,) least, by the sum of squares; for one bit their mean size.

    >>> round(best_scale(np.array([0.5, -0.5, 0.5]), "1"), 3)  # the levels are -0.5 and 0.5 times the scale
    1.0
    """
    if width == "1":
        return float(2 * np.abs(weights).mean())
    tried = SCALES * np.abs(weights).max() / levels(width)[-1]
    changes = [((levels(width)[nearest(weights, width, s)] * s - weights) ** 2).sum() for s in tried]
    return float(tried[int(np.argmin(changes))])


def store(weights: np.ndarray, width: str, kept: np.ndarray | None = None, group: tuple[int, int] | None = None):
    """Stores one matrix of weights in few bits a weight: the codes of those that are kept, and their positions.

    kept is a matrix of True and False; group (2, 4) says that of each 4 neighbours in a column 2 are kept.

    >>> matrix = np.array([[0.3, -0.1], [-0.4, 0.2]])
    >>> store(matrix, "1").bits - SCALE_BITS  # four signs in one byte
    8

    Raises ValueError for an unknown width or a matrix of which nothing is kept.
    """
    if width not in WIDTHS:
        raise ValueError(f"The widths are {', '.join(WIDTHS)}, not {width!r}.")
    kept = np.ones(weights.shape, bool) if kept is None else np.asarray(kept, bool)
    if not kept.any():
        raise ValueError("Nothing is kept of these weights: there is nothing to store.")
    values = np.asarray(weights, np.float32)[kept]
    positions = b"" if kept.all() else pack_group(kept, group) if group else pack_choice(kept.ravel())
    if width in FLOATS:
        scale = float(np.abs(values).max() / 448) or 1.0 if width == "8" else 1.0
        codes = (values / np.float32(scale)).astype(FLOATS[width]).tobytes()
    else:
        scale = best_scale(values, width)
        codes = pack(nearest(values, width, scale), LEVELS[width] + (width == "4"))
    return Stored(codes, scale, positions, len(values), weights.shape, width, group)


def restore(stored: Stored) -> np.ndarray:
    """The weights that a stored matrix stands for, as float32; the pruned ones are zero.

    >>> restore(store(np.array([[0.25, -0.25], [-0.25, 0.25]]), "1")).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    codes, scale, positions, count, shape, width, group = stored
    if width in FLOATS:
        values = np.frombuffer(codes, FLOATS[width]).astype(np.float32) * np.float32(scale)
    else:
        values = levels(width)[unpack(codes, LEVELS[width] + (width == "4"), count)] * np.float32(scale)
    if not positions:
        return values.reshape(shape)
    kept = unpack_group(positions, shape, group) if group else unpack_choice(positions, math.prod(shape), count)
    weights = np.zeros(math.prod(shape), np.float32)
    weights[kept.ravel()] = values
    return weights.reshape(shape)


def pack(codes: np.ndarray, base: int) -> bytes:
    """Whole numbers from 0 to base - 1, as many to a byte as fit: eight of base 2, five of base 3, two of base 16.

    >>> list(pack(np.array([2, 2, 2, 2, 2, 1]), 3))
    [242, 81]
    """
    per_byte = int(math.log(256, base) + 1e-9)
    padded = np.zeros(-(-len(codes) // per_byte) * per_byte, int)
    padded[: len(codes)] = codes
    return bytes((padded.reshape(-1, per_byte) @ base ** np.arange(per_byte)[::-1]).astype(np.uint8))


def unpack(packed: bytes, base: int, count: int) -> np.ndarray:
    """The first `count` whole numbers that `pack` put into bytes: (count,).

    >>> unpack(bytes([242, 81]), 3, 6).tolist()
    [2, 2, 2, 2, 2, 1]
    """
    per_byte = int(math.log(256, base) + 1e-9)
    digits = np.frombuffer(packed, np.uint8)[:, None] // base ** np.arange(per_byte)[::-1] % base
    return digits.ravel()[:count].astype(int)


def pack_choice(kept: np.ndarray) -> bytes:
    """Which of n were kept, as one number: its place in the list of all C(n, k) choices; fewer bits cannot do.

    kept (n,) of True and False. (The combinatorial number system, Lehmer 1964.)

    >>> list(pack_choice(np.array([False, True, False, True])))  # the fifth of the six ways to choose 2 of 4
    [4]
    """
    number = sum(ways for place, ways in _ways(len(kept), int(kept.sum()), kept.__getitem__) if kept[place])
    return number.to_bytes(-(-(math.comb(len(kept), int(kept.sum())) - 1).bit_length() // 8) or 1, "big")


def unpack_choice(packed: bytes, n: int, k: int) -> np.ndarray:
    """Which of n were kept: the choice that `pack_choice` put into bytes, (n,) of True and False.

    >>> unpack_choice(bytes([4]), 4, 2).tolist()
    [False, True, False, True]
    """
    number, kept = int.from_bytes(packed, "big"), np.zeros(n, bool)
    ways = math.comb(n - 1, k)
    for place in range(n - 1, -1, -1):
        if kept_here := number >= ways:
            number -= ways
        kept[place] = kept_here
        ways, k = _next(ways, place, k, kept_here)
    return kept


def _ways(n: int, k: int, is_kept) -> list[tuple[int, int]]:
    """From the last place down: in how many ways the rest could be chosen below it, if this place were not kept."""
    found, ways = [], math.comb(n - 1, k)
    for place in range(n - 1, -1, -1):
        found.append((place, ways))
        ways, k = _next(ways, place, k, is_kept(place))
    return found


def _next(ways: int, place: int, k: int, kept: bool) -> tuple[int, int]:
    """C(place, k) -> C(place - 1, k - 1) where the place is kept, else C(place - 1, k)."""
    if place == 0:
        return 0, k
    return (ways * k // place, k - 1) if kept else (ways * (place - k) // place, k)


def pack_group(kept: np.ndarray, group: tuple[int, int]) -> bytes:
    """Which n of each m neighbours in a column are kept: (rows, columns) of True and False, rows a multiple of m.

    Each group is one of C(m, n) choices: for (2, 4) one of six, three of which fit in a byte.

    >>> list(pack_group(np.array([[True], [True], [False], [False]]), (2, 4)))
    [0]
    """
    choices = [[place in choice for place in range(group[1])] for choice in _choices(*group)]
    rows = kept.T.reshape(-1, group[1]).tolist()
    return pack(np.array([choices.index(row) for row in rows]), len(choices))


def unpack_group(packed: bytes, shape: tuple[int, int], group: tuple[int, int]) -> np.ndarray:
    """The matrix (rows, columns) of True and False that `pack_group` put into bytes.

    >>> unpack_group(bytes([0]), (4, 1), (2, 4)).ravel().tolist()
    [True, True, False, False]
    """
    choices = np.array([[place in choice for place in range(group[1])] for choice in _choices(*group)])
    picked = unpack(packed, len(choices), shape[0] * shape[1] // group[1])
    return choices[picked].reshape(shape[1], shape[0]).T


def _choices(n: int, m: int) -> list[tuple[int, ...]]:
    return list(combinations(range(m), n))
