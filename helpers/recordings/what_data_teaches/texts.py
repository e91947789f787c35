"""The text that garbage and drawings are mixed into: one alphabet has the signs of all three."""

from functools import cache

import numpy as np

from helpers import data, training
from helpers.recordings.what_data_teaches import drawings


@cache
def documentation() -> data.Text:
    """Python's documentation in three parts, eight tenths, one and one as they follow each other.

    Its alphabet also has the signs that only drawings and serial numbers use, so that no model meets a new one.

    >>> [round(len(part), -4) for part in documentation()[:3]], len(documentation().characters)
    ([370000, 50000, 50000], 105)
    """
    text = data.text("python documentation")
    others = "".join(drawings.SHADES) + drawings.EDGES + "".join(drawings.FORMS) + "".join(drawings.DRAWN_FROM.values())
    characters = training.alphabet(text + others)
    tokens = training.encode(text, characters)
    return data.Text(*np.split(tokens, [len(tokens) * 8 // 10, len(tokens) * 9 // 10]), characters)


def rows(tokens: np.ndarray) -> np.ndarray:
    """All of a text in rows that share their ends, as they follow each other: tokens (T,) -> (N, CONTEXT + 1).

    What does not fill a row is left out.

    >>> rows(np.arange(200))[:, [0, -1]].tolist()
    [[0, 64], [64, 128], [128, 192]]
    """
    starts = training.CONTEXT * np.arange((len(tokens) - 1) // training.CONTEXT)
    return tokens[starts[:, None] + np.arange(training.CONTEXT + 1)]
