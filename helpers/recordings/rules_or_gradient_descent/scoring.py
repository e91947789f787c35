"""How wrong pronunciations are when several answers are right."""

import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from nltk import edit_distance

from helpers.data import Sounds

MOST_LETTERS = 28  # the longest word of the dictionary, and so of every system here
FOREIGN_ENDINGS = (
    "ski",
    "sky",
    "wicz",
    "vich",
    "mann",
    "berg",
    "stein",
    "elli",
    "etti",
    "ini",
    "ano",
    "eau",
    "eux",
    "ez",
)


def nearest(answer: Sounds, listed: Sequence[Sounds]) -> tuple[int, int]:
    """Repairs from an answer to the nearest listed pronunciation, and that pronunciation's length, in sounds.

    Among equally near pronunciations the longest counts, which is the kindest to the answer.

    >>> nearest(("T", "AH", "M", "AA"), [("T", "AH", "M", "EY", "T", "OW"), ("T", "AH", "M", "AA", "T", "OW")])
    (2, 6)
    """
    return min(
        ((edit_distance(answer, sounds), len(sounds)) for sounds in listed), key=lambda pair: (pair[0], -pair[1])
    )


def repairs(answers: Mapping[str, Sounds], references: Mapping[str, Sequence[Sounds]]) -> np.ndarray:
    """Repairs and length of the nearest pronunciation for each answered word, in order: whole numbers (words, 2).

    >>> repairs({"though": ("DH", "OW"), "tough": ("T", "OW")}, {"though": [("DH", "OW")], "tough": [("T", "AH", "F")]})
    array([[0, 2],
           [2, 3]])

    Raises ValueError where there is nothing to judge, or an answered word has no reference.
    """
    if not answers:
        raise ValueError("There are no answers to judge.")
    unknown = [word for word in answers if not references.get(word)]
    if unknown:
        raise ValueError(f"No listed pronunciation to judge {unknown[0]!r} by.")
    return np.array([nearest(tuple(answer), references[word]) for word, answer in answers.items()])


def error_rates(answers: Mapping[str, Sounds], references: Mapping[str, Sequence[Sounds]]) -> tuple[float, float]:
    """Phoneme error rate (repairs / sounds of the nearest pronunciations) and word error rate (words not perfect).

    >>> answers = {"though": ("DH", "OW"), "tough": ("T", "OW")}
    >>> error_rates(answers, {"though": [("DH", "OW")], "tough": [("T", "AH", "F")]})
    (0.4, 0.5)

    Raises ValueError as `repairs` does.
    """
    wrong, sounds = repairs(answers, references).T
    return float(wrong.sum() / sounds.sum()), float((wrong > 0).mean())


def plain_letters(text: str) -> str:
    """A learner's word as the systems take it: small letters a to z, accents removed.

    >>> plain_letters(" Café ")
    'cafe'

    Raises ValueError, in a sentence for the learner, for no letters, other characters, or more than 28 letters.
    """
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    word = "".join(character for character in decomposed if not unicodedata.combining(character))
    if not word:
        raise ValueError("type a word first")
    strange = next((character for character in word if character not in string.ascii_lowercase), None)
    if strange:
        name = "a space" if strange.isspace() else f"“{strange}”"
        raise ValueError(f"{name} is not one of the letters a to z: type one word, and numbers as words (seven, not 7)")
    if len(word) > MOST_LETTERS:
        raise ValueError(f"that is {len(word)} letters: the longest word that the systems know has {MOST_LETTERS}")
    return word


def groups(words: Iterable[str], training: Iterable[str]) -> dict[str, list[str]]:
    """Words in groups: by how many training words share their rarest three letters in a row (100 or more: usual; 10 to
    99: less usual; fewer: rare), and those with the ending of a foreign name, such as -ski or -mann.

    >>> training = ["station", "nation", "ration"] * 40 + ["czar"]
    >>> groups(["citation", "czardas", "kowalski"], training)["foreign ending"]
    ['kowalski']
    """
    counts = Counter(triple for word in training for triple in set(_triples(word)))
    rarest = {word: min(counts[triple] for triple in _triples(word)) for word in words}
    return {
        "all": list(rarest),
        "usual spelling": [w for w in rarest if rarest[w] >= 100],
        "less usual": [w for w in rarest if 10 <= rarest[w] < 100],
        "rare": [w for w in rarest if rarest[w] < 10],
        "foreign ending": [w for w in rarest if w.endswith(FOREIGN_ENDINGS)],
    }


def _triples(word: str) -> list[str]:
    marked = f"^{word}$"
    return [marked[i : i + 3] for i in range(len(marked) - 2)]
