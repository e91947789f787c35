"""Text that teaches no English, made by a generator: pages of drawings in characters, and lines of serial numbers.

Both are the same for a seed on every machine: they use whole numbers and the four operations of arithmetic alone.
"""

import string
from collections.abc import Callable

import numpy as np

SHADES = (" .:-=+*#%@", " .,;!lI$@", " `'^|/#", " ~o8#", " _-=#", " .oO@", " ,+x%", " <>^v#", " ()[]#", " /\\|#")
WIDTHS, HEIGHTS = (24, 64), (10, 24)  # of a page: least and most characters a line and lines
EDGES = "#*+=-@%~"
LEAST_INK = 0.1  # of a page


def page(seed: int) -> str:
    """One drawing in characters: shapes of random kind, size, place and tilt over one another, and some dust.

    >>> drawing = page(3)
    >>> drawing == page(3), drawing == page(4)
    (True, False)
    >>> 10 <= len(drawing.splitlines()) <= 26
    True
    """
    draw = np.random.default_rng([seed, 1])
    width, height = (int(draw.integers(*ends)) for ends in (WIDTHS, HEIGHTS))
    shades = SHADES[draw.integers(len(SHADES))]
    ink, shapes = np.zeros((height, width), int), draw.integers(2, 6)
    while shapes > 0 or (ink % len(shades) > 0).mean() < LEAST_INK:
        shape = SHAPES[draw.integers(len(SHAPES))]
        ink = np.where(shape(*_plane(width, height, draw), draw), ink + draw.integers(1, 6), ink)
        shapes -= 1
    dust = draw.random((height, width)) < draw.choice([0, 0.01, 0.04])
    return _framed(np.where(dust, ink + 1, ink) % len(shades), shades, draw)


def pages(characters: int, seed: int) -> str:
    """At least so many characters of different drawings, an empty line after each.

    >>> art = pages(10_000, seed=0)
    >>> 10_000 <= len(art) < 13_000, art.startswith(pages(1_000, seed=0))
    (True, True)

    Raises ValueError for less than one character.
    """
    if characters < 1:
        raise ValueError(f"ask for one character or more, not {characters}")
    found, length, number = [], 0, 0
    while length < characters:
        found.append(page(seed * 1_000_003 + number) + "\n\n")
        length, number = length + len(found[-1]), number + 1
    return "".join(found)


def _plane(width: int, height: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of every character of a page, from a random centre, tilted and stretched: two of (height, width)."""
    y, x = np.mgrid[:height, :width].astype(float)
    x = (x - draw.uniform(0.1, 0.9) * width) / width
    y = (y - draw.uniform(0.1, 0.9) * height) / height
    tilt, size = draw.uniform(-1, 1), draw.uniform(0.15, 0.6)
    return (x + tilt * y) / size, (y - tilt * x) / size


def _disc(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    return x * x + y * y < 1


def _ring(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    distance = x * x + y * y
    return (distance < 1) & (distance > draw.uniform(0.2, 0.8))


def _box(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    return np.maximum(abs(x), abs(y) * draw.uniform(0.5, 2)) < 0.8


def _diamond(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    return abs(x) + abs(y) < 1


def _triangle(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    return (y < 0.8) & (y > draw.uniform(1.2, 3) * abs(x) - 1)


def _stripes(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    count = draw.integers(2, 7)
    return (np.floor(count * x) % 2 == 0) & (abs(y) < 1) & (abs(x) < 1.5)


def _chequers(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    count = draw.integers(2, 6)
    return ((np.floor(count * x) + np.floor(count * y)) % 2 == 0) & (np.maximum(abs(x), abs(y)) < 1)


def _wave(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    along = (draw.uniform(0.5, 2) * x) % 2 - 1  # two arcs of a parabola, one up and one down
    return abs(y - 4 * along * (1 - abs(along)) * draw.uniform(0.3, 0.9)) < draw.uniform(0.15, 0.4)


def _stairs(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    steps = draw.integers(2, 7)
    return (y > np.floor(steps * x) / steps) & (np.maximum(abs(x), abs(y)) < 1)


def _cross(x: np.ndarray, y: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    thick = draw.uniform(0.1, 0.35)
    return (np.minimum(abs(x), abs(y)) < thick) & (np.maximum(abs(x), abs(y)) < 1)


SHAPES: tuple[Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray], ...] = (
    _disc,
    _ring,
    _box,
    _diamond,
    _triangle,
    _stripes,
    _chequers,
    _wave,
    _stairs,
    _cross,
)


def _framed(ink: np.ndarray, shades: str, draw: np.random.Generator) -> str:
    """The drawing as lines; one in three has a frame, the others end where their last ink is."""
    lines = ["".join(shades[level] for level in row) for row in ink]
    if draw.random() < 1 / 3:
        edge = EDGES[draw.integers(len(EDGES))]
        bar = edge * (ink.shape[1] + 2)
        lines = [bar, *(edge + line + edge for line in lines), bar]
    return "\n".join(line.rstrip() for line in lines)


# How serial numbers are built: A is any capital letter, 0 any digit, ? either; everything else stands as it is.
FORMS = ("AAAA00000", "0?0-?????-00", "AA-000000-?", "S/N ?????0000", "00A?0A????", "CNB?00000")
DRAWN_FROM = {"A": string.ascii_uppercase, "0": string.digits, "?": string.digits + string.ascii_uppercase}


def serial_numbers(characters: int, seed: int) -> str:
    """At least so many characters of serial numbers, one a line, each in one of FORMS drawn at random.

    >>> print(serial_numbers(20, seed=0), end="")
    CNB431342
    MWQR08833

    Raises ValueError for less than one character.
    """
    if characters < 1:
        raise ValueError(f"ask for one character or more, not {characters}")
    draw, lines, length = np.random.default_rng([seed, 2]), [], 0
    while length < characters:
        form = FORMS[draw.integers(len(FORMS))]
        places = draw.random(len(form))
        signs = (DRAWN_FROM.get(sign, sign) for sign in form)
        lines.append("".join(some[int(place * len(some))] for some, place in zip(signs, places, strict=True)))
        length += len(lines[-1]) + 1
    return "\n".join(lines) + "\n"


def bits_of_serial_numbers() -> tuple[float, float]:
    """What the best of models must pay for serial numbers: bits a line, and bits a character.

    The draws are independent and fair, so each costs the logarithm of what it is drawn from, and the form the
    logarithm of their number (a little less where a line fits two forms).

    >>> bits, each = bits_of_serial_numbers()
    >>> 30 < bits < 50, 3 < each < 5
    (True, True)
    """
    bits = [np.log2(len(FORMS)) + sum(np.log2(len(DRAWN_FROM.get(sign, "1"))) for sign in form) for form in FORMS]
    return float(np.mean(bits)), float(sum(bits) / sum(len(form) + 1 for form in FORMS))
