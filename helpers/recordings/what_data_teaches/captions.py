"""What the talks' captions heard and what was meant: how near the two sound, and a repair by sound and context.

Letters for axes: N pairs or words, S sounds of a word.
"""

import re
import sys
import sysconfig
from collections import Counter
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from helpers import data
from helpers.data import Sounds
from helpers.letter_to_sound import SOUND_NAMES, compile_rules, read_rules

Source = Literal["dictionary", "ear", "rules"]

# Words that the dictionary lacks, as we say them: by ear, and open to dispute. Where the letters are named (cuDNN),
# each letter's name is from the dictionary.
BY_EAR = {
    "cargonet": "K AA R G OW N EH T",
    "convolutional": "K AA N V AH L UW SH AH N AH L",
    "convolutions": "K AA N V AH L UW SH AH N Z",
    "cudnn": "K UW D IY EH N EH N",
    "dupli": "D UW P L IY",
    "durk": "D ER K",
    "ethicacy": "EH TH IH K AH S IY",
    "helio": "HH IY L IY OW",
    "illia": "IH L IY AH",
    "krizhevsky": "K R IH ZH EH F S K IY",
    "krzyzewski": "SH AH SH EH F S K IY",
    "llion": "L IY AH N",
    "lukasz": "L UW K AA SH",
    "palmyra": "P AE L M AY R AH",
    "polosukhin": "P AH L AH S UW K IH N",
    "qdnn": "K Y UW D IY EH N EH N",
    "rnns": "AA R EH N EH N Z",
    "rns": "AA R EH N Z",
    "tensor2tensor": "T EH N S ER T UW T EH N S ER",
    "uszkoreit": "UH SH K AO R AY T",
    "vaswani": "V AH S W AA N IY",
    "shazeer": "SH AH Z IH R",
    "yakob": "Y AA K AH B",
}

SOUNDS = tuple(SOUND_NAMES.split())
PLACE = {sound: number for number, sound in enumerate(SOUNDS)}
END = len(SOUNDS)  # fills the rest of a shorter word's row

# How each consonant is made: manner, place, whether the voice sounds. How each vowel: height of the tongue, how far
# back it lies, and whether it glides. (The classes of any phonetics textbook; that they count alike is our choice.)
CONSONANTS = {
    "P": "stop lips no",
    "B": "stop lips yes",
    "T": "stop ridge no",
    "D": "stop ridge yes",
    "K": "stop soft no",
    "G": "stop soft yes",
    "F": "hiss teeth no",
    "V": "hiss teeth yes",
    "TH": "hiss tooth no",
    "DH": "hiss tooth yes",
    "S": "hiss ridge no",
    "Z": "hiss ridge yes",
    "SH": "hiss hard no",
    "ZH": "hiss hard yes",
    "HH": "hiss throat no",
    "CH": "both hard no",
    "JH": "both hard yes",
    "M": "nose lips yes",
    "N": "nose ridge yes",
    "NG": "nose soft yes",
    "L": "flow side yes",
    "R": "flow ridge yes",
    "W": "flow lips yes",
    "Y": "flow hard yes",
}
VOWELS = {
    "IY": (0, 0, 0),
    "IH": (0.5, 0, 0),
    "EH": (1, 0, 0),
    "AE": (1.5, 0, 0),
    "AA": (2, 1, 0),
    "AH": (1, 1, 0),
    "AO": (1.5, 2, 0),
    "UH": (0.5, 2, 0),
    "UW": (0, 2, 0),
    "ER": (1, 1, 0),
    "EY": (1, 0, 1),
    "AY": (2, 1, 1),
    "AW": (2, 1, 1),
    "OW": (1, 2, 1),
    "OY": (1.5, 2, 1),
}


class Error(NamedTuple):
    """A place where the captions heard something else than was said; `before` and `after` are its neighbours there."""

    talk: str
    at_percent: int
    before: str
    heard: str
    after: str
    meant: str
    kind: str
    sure: str
    how_we_know: str


@cache
def errors() -> list[Error]:
    """The errors of data/caption_errors.csv, in order.

    >>> [(error.heard, error.meant) for error in errors() if error.kind == "number"]
    [('ten to the eighteenth', 'ten to the minus eighteen')]
    """
    return [Error(**{**row, "at_percent": int(row["at_percent"])}) for row in data.table("caption_errors")]


_dictionary = cache(data.cmu_entries_without_stress)


@cache
def _rules():
    return compile_rules(read_rules())


def sounds_of(phrase: str, unknown: Source = "ear") -> tuple[list[Sounds], Source]:
    """Every way to say a phrase, and how the least certain of its words is known.

    A word that the CMU dictionary lacks is said as BY_EAR says, or by the letter-to-sound rules of lesson 3.1
    (`unknown="rules"`); with `unknown="dictionary"` such a phrase cannot be said: [].

    >>> sounds_of("Noam")
    ([('N', 'OW', 'M')], 'dictionary')
    >>> sounds_of("Llion"), sounds_of("Llion", unknown="dictionary")
    (([('L', 'IY', 'AH', 'N')], 'ear'), ([], 'dictionary'))
    """
    ways, source = [], "dictionary"
    for word in re.split(r"[\s-]+", phrase.lower()):
        if word in _dictionary():
            ways.append(_dictionary()[word])
        elif unknown == "dictionary":
            return [], "dictionary"
        elif unknown == "ear" and word in BY_EAR:
            ways.append([tuple(BY_EAR[word].split())])
            source = "ear" if source == "dictionary" else source
        else:
            ways.append([_rules()(re.sub("[^a-z]", "", word))])
            source = "rules"
    return [sum(way, ()) for way in product(*ways)], source


def _feature_costs() -> np.ndarray:
    """What it costs to take one sound for another (39, 39): the share of features in which they differ."""
    costs = 1 - np.eye(len(SOUNDS))
    for kind, far in ((CONSONANTS, _consonants_apart), (VOWELS, _vowels_apart)):
        for a, b in product(kind, kind):
            if a != b:
                costs[PLACE[a], PLACE[b]] = max(far(kind[a], kind[b]), 1 / 6)
    return costs


def _consonants_apart(a: str, b: str) -> float:
    return sum(x != y for x, y in zip(a.split(), b.split(), strict=True)) / 3


def _vowels_apart(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    height, back, glide = (abs(x - y) for x, y in zip(a, b, strict=True))
    return (height / 2 + back / 2 + glide) / 3


COSTS = {"counted": 1 - np.eye(len(SOUNDS)), "by features": _feature_costs()}
WHOLE = 12  # costs are twelfths here: whole numbers of one byte, so that all the dictionary's words go through at once
MOST_SOUNDS = 255 // WHOLE - 1


@cache
def _cost_lists() -> dict[str, dict[str, dict[str, float]]]:
    return {
        name: {a: dict(zip(SOUNDS, row, strict=True)) for a, row in zip(SOUNDS, costs.tolist(), strict=True)}
        for name, costs in COSTS.items()
    }


def encoded(words: list[Sounds]) -> np.ndarray:
    """Words as rows of whole numbers (N, S), filled up with END.

    >>> encoded([("AA",), ("AE", "AH")]).tolist()
    [[0, 39], [1, 2]]
    """
    rows = np.full((len(words), max(map(len, words), default=0)), END, np.uint8)
    for row, word in zip(rows, words, strict=True):
        row[: len(word)] = [PLACE[sound] for sound in word]
    return rows


def distances(one: Sounds, many: np.ndarray, cost: str = "counted") -> np.ndarray:
    """The least cost of turning a word into each of many, encoded (N, S) -> (N,).

    A sound left out or put in costs one; one taken for another costs one ("counted"), or the share of features in
    which the two differ, at least a sixth ("by features"). (Wagner and Fischer 1974, all words at once.)

    >>> distances(("N", "OW", "M"), encoded([("N", "OW", "M"), ("L", "OW")])).tolist()
    [0.0, 2.0]

    Raises ValueError where the costs of long words would not fit into a byte.
    """
    if max(len(one), many.shape[1]) > MOST_SOUNDS:
        raise ValueError(f"a word may have {MOST_SOUNDS} sounds here, not {max(len(one), many.shape[1])}")
    costs = np.zeros((END, END + 1), np.uint8)
    costs[:, :END] = np.rint(WHOLE * COSTS[cost])
    columns = many.T
    row = [np.full(len(many), WHOLE * j, np.uint8) for j in range(len(columns) + 1)]
    for i, sound in enumerate(one, 1):
        swaps = costs[PLACE[sound]][columns]
        below = [np.full(len(many), WHOLE * i, np.uint8)]
        for j, swap in enumerate(swaps):
            skipped = np.minimum(row[j + 1], below[j]) + np.uint8(WHOLE)
            below.append(np.minimum(row[j] + swap, skipped))
        row = below
    ends = (many != END).sum(axis=1)
    return np.stack(row)[ends, np.arange(len(many))] / WHOLE


def apart(heard: list[Sounds], meant: list[Sounds], cost: str = "counted") -> float:
    """How far two phrases sound apart, from 0 (alike) to 1: the least cost over the longer word's sounds.

    Of several ways to say them, the two nearest count.

    >>> apart([("N", "OW", "M")], [("N", "OW", "M")])
    0.0
    >>> round(apart([("L", "AO", "S")], [("L", "AO", "Z")], "by features"), 3)
    0.111
    """
    return float(min(_apart(a, b, cost) for a, b in product(heard, meant)))


def _apart(a: Sounds, b: Sounds, cost: str) -> float:
    return edit_cost(a, b, cost) / max(len(a), len(b))


def edit_cost(a: Sounds, b: Sounds, cost: str = "counted") -> float:
    """The same as `distances`, for two phrases of any length.

    >>> edit_cost(("L", "AO", "S"), ("L", "AO", "Z"))
    1.0
    >>> round(edit_cost(("L", "AO", "S"), ("L", "AO", "Z"), "by features"), 3)
    0.333
    """
    costs = _cost_lists()[cost]
    row = [float(j) for j in range(len(b) + 1)]
    for i, x in enumerate(a, 1):
        below = [float(i)]
        for j, y in enumerate(b):
            swapped = row[j] + costs[x][y]
            below.append(min(swapped, row[j + 1] + 1, below[j] + 1))
        row = below
    return float(row[-1])


def sayable(unknown: Source = "ear", sure: bool = False) -> list[tuple[Error, list[Sounds], list[Sounds]]]:
    """The errors of which both sides can be said, each with the ways to say what was heard and what was meant.

    With `sure`, only those where something other than the sound tells what was meant.
    """
    some = [error for error in errors() if error.sure == "sure" or not sure]
    said = [(error, *(sounds_of(plain(word), unknown)[0] for word in (error.heard, error.meant))) for error in some]
    return [one for one in said if one[1] and one[2]]


class Nearness(NamedTuple):
    """How near heard and meant sound, against pairs that have nothing to do with each other but their lengths."""

    pairs: int
    apart: float
    low: float  # 95% bootstrap interval of `apart`, over the errors
    high: float
    random: float  # the mean distance of random pairs of words as long
    nearest_random: float  # the least mean of any set of such pairs that was drawn
    shuffled: float  # the mean when the meant words are dealt out again among the heard ones
    share_as_near: float  # of the shuffles, how many are as near, the true order counted among them


def nearness(
    unknown: Source = "ear", cost: str = "counted", sure: bool = False, draws: int = 100, seed: int = 0
) -> Nearness:
    """How near heard and meant sound, with random dictionary words of the same lengths and a permutation beside it.

    >>> found = nearness("dictionary", draws=10)
    >>> found.pairs, found.apart < found.nearest_random
    (26, True)
    """
    said, draw = sayable(unknown, sure), np.random.default_rng(seed)
    far = np.array([[apart(heard, meant, cost) for _, _, meant in said] for _, heard, _ in said])
    true = far.diagonal()
    boot = draw.choice(true, (2_000, len(true))).mean(axis=1)
    orders = [draw.permutation(len(true)) for _ in range(2_000)]
    shuffled = np.array([far[np.arange(len(true)), order].mean() for order in orders])
    random = np.array([[_random_pair(len(h[0]), len(m[0]), cost, draw) for _, h, m in said] for _ in range(draws)])
    return Nearness(
        len(true),
        float(true.mean()),
        *map(float, np.quantile(boot, (0.025, 0.975))),
        float(random.mean()),
        float(random.mean(axis=1).min()),
        float(shuffled.mean()),
        float((1 + (shuffled <= true.mean() + 1e-9).sum()) / (1 + len(shuffled))),
    )


@cache
def _by_length() -> dict[int, list[list[Sounds]]]:
    words: dict[int, list[list[Sounds]]] = {}
    for ways in data.cmu_dictionary_without_stress().values():
        words.setdefault(len(ways[0]), []).append(ways)
    return words


def _random_pair(heard: int, meant: int, cost: str, draw: np.random.Generator) -> float:
    return apart(_random_phrase(heard, draw), _random_phrase(meant, draw), cost)


def _random_phrase(sounds: int, draw: np.random.Generator) -> list[Sounds]:
    """A random word of so many sounds, with its listed ways to say it; over 12 sounds, two words of half as many."""
    if sounds > 12:
        halves = product(_random_phrase(sounds // 2, draw), _random_phrase(sounds - sounds // 2, draw))
        return [first + second for first, second in halves]
    pool = _by_length().get(sounds) or _by_length()[2]
    return pool[draw.integers(len(pool))]


TRUST = 20  # how often a neighbour must have been seen before its own counts weigh half
# The texts whose neighbouring words the repair counts: what the pinned packages say of themselves.
PACKAGES = ("sklearn", "scipy/signal", "scipy/stats", "scipy/optimize", "nltk", "optax")


def words_of_packages() -> tuple[str, ...]:
    """Every word of the packages' own descriptions (docstrings), in order, in small letters.

    >>> len(words_of_packages()) > 500_000
    True
    """
    root, found = Path(sysconfig.get_path("purelib")), []
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            if "tests" not in file.parts:
                found += re.findall(r'"""(.*?)"""', file.read_text(encoding="utf-8"), re.DOTALL)
    return tuple(map(sys.intern, re.findall(r"[a-z]+(?:'[a-z]+)?", " ".join(found).lower())))


@cache
def speakers() -> frozenset[str]:
    """The names, first and last, of those whom data/claims.csv names: known before a talk begins.

    >>> sorted(speakers())[:4]
    ['aidan', 'ashish', 'bryan', 'catanzaro']
    """
    names = {row["speaker"] for row in data.table("claims")}
    full = [name for name in names if name[0].isupper()]  # not “a panellist”
    return frozenset(word.lower() for name in full for word in name.split() if word[0].isupper())


class Vocabulary(NamedTuple):
    """What a repair may choose among: spellings, one way to say each on each row, and which spelling a row says."""

    words: list[str]
    rows: np.ndarray  # (N, S)
    word_of_row: np.ndarray  # (N,)


@cache
def vocabulary() -> Vocabulary:
    """All words of the dictionary with at most 14 sounds, and the speakers' names.

    >>> known = vocabulary()
    >>> len(known.words) > 100_000, "efficacy" in known.words, "llion" in known.words
    (True, True, True)
    """
    words = sorted({word for word in _dictionary() if re.fullmatch("[a-z]+", word)} | speakers())
    ways = [_dictionary().get(word) or sounds_of(word)[0] for word in words]
    rows = [(way, number) for number, some in enumerate(ways) for way in some if len(way) <= 14]
    return Vocabulary(words, encoded([way for way, _ in rows]), np.array([number for _, number in rows]))


class Clues(NamedTuple):
    """What speaks for each candidate at one error (N,): the higher, the likelier."""

    sound: np.ndarray  # minus how far it sounds from what was heard
    often: np.ndarray  # the logarithm of how often it occurs in the packages' descriptions
    beside: np.ndarray  # the logarithm of how many times oftener than that it stands between these neighbours
    name: np.ndarray  # 1 where it is a speaker's name and the captions wrote a capital letter, else 0


def clues(error: Error, cost: str = "by features") -> Clues:
    """How well each word of the vocabulary fits at an error, in four respects."""
    known = vocabulary()
    rows = np.min([distances(way, known.rows, cost) for way in sounds_of(plain(error.heard))[0]], axis=0)
    sound = np.full(len(known.words), np.inf, np.float32)
    np.minimum.at(sound, known.word_of_row, rows)
    before, after = (error.before.lower().split() or [""])[-1], (error.after.lower().split() or [""])[0]
    names = _names() if error.heard[0].isupper() else np.zeros_like(_names())
    return Clues(-sound, _often(), _beside(before, after), names)


def plain(word: str) -> str:
    """A word without its possessive.

    >>> plain("Lukas's")
    'Lukas'
    """
    return word.removesuffix("'s")


@cache
def _names() -> np.ndarray:
    return np.array([word in speakers() for word in vocabulary().words], np.float32)


@cache
def _place() -> dict[str, int]:
    return {word: number for number, word in enumerate(vocabulary().words)}


@cache
def _neighbours() -> tuple[Counter, dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """How often each word occurs; what follows each word; what comes before each word."""
    words, follows, leads = words_of_packages(), {}, {}
    for (first, second), count in Counter(pairwise(words)).items():
        follows.setdefault(first, {})[second] = count
        leads.setdefault(second, {})[first] = count
    return Counter(words), follows, leads


@cache
def _counts() -> np.ndarray:
    single, _, _ = _neighbours()
    return np.array([single[word] for word in vocabulary().words], float)


@cache
def _often() -> np.ndarray:
    counts = _counts() + 1
    return np.log(counts / counts.sum()).astype(np.float32)


def _beside(before: str, after: str) -> np.ndarray:
    """The log-odds that its two neighbours add to every word, each smoothed towards how often the word occurs."""
    single, follows, leads = _neighbours()
    total = _counts().sum() + len(_counts())
    often, expected = (_counts() + 1) / total, (single[after] + 1) / total
    given_before = (_row(follows.get(before, {})) + TRUST * often) / (single[before] + TRUST)
    after_given = (_row(leads.get(after, {})) + TRUST * expected) / (_counts() + TRUST)
    return (np.log(given_before / often) + np.log(after_given / expected)).astype(np.float32)


def _row(counts: dict[str, int]) -> np.ndarray:
    row, place = np.zeros(len(vocabulary().words)), _place()
    for word, count in counts.items():
        if word in place:
            row[place[word]] = count
    return row


class Weights(NamedTuple):
    """How much each clue counts beside the sound; all zero is the sound alone."""

    often: float = 0.0
    beside: float = 0.0
    name: float = 0.0


# What a repair may use. Each grid holds the one before it, so that tuning can only ignore what does not help.
OFTEN, BESIDE, NAME = (0, 0.03, 0.1, 0.2), (0, 0.03, 0.1, 0.2), (0, 1, 3)
GRIDS = {
    "sound": (Weights(),),
    "sound, frequency": tuple(Weights(often) for often in OFTEN),
    "sound, frequency, neighbours": tuple(Weights(often, beside) for often in OFTEN for beside in BESIDE),
    "sound, frequency, neighbours, names": tuple(Weights(*some) for some in product(OFTEN, BESIDE, NAME)),
}


class Case(NamedTuple):
    """An error to repair, its clues, and where among the candidates the right word stands (None: not there)."""

    error: Error
    clues: Clues
    right: int | None
    wrong: int | None  # where what was heard stands: it is no candidate


@cache
def cases() -> tuple[Case, ...]:
    """The errors where one word was meant; where the right word is no candidate, no repair can find it.

    The repair is told where the error is: to find that out would be a task of its own.
    """
    single = [error for error in errors() if not re.search(r"[\s-]", error.meant)]
    found = [[_place().get(plain(word).lower()) for word in (error.meant, error.heard)] for error in single]
    return tuple(Case(error, clues(error), *places) for error, places in zip(single, found, strict=True))


def scores(case: Case, weights: Weights) -> np.ndarray:
    """How well each candidate fits, all clues together (N,); what was heard is ruled out."""
    score = case.clues.sound.copy()
    for weight, clue in zip(weights, case.clues[1:], strict=True):
        if weight:
            score += np.float32(weight) * clue
    if case.wrong is not None:
        score[case.wrong] = -np.inf
    return score


def suggestions(case: Case, weights: Weights, first: int = 5) -> list[str]:
    """The words that fit best, best first.

    >>> beetles = next(case for case in cases() if case.error.heard == "beetles")
    >>> suggestions(beetles, Weights(), first=1)
    ['beatles']
    """
    order = np.argsort(-scores(case, weights), kind="stable")[:first]
    return [vocabulary().words[number] for number in order]


def chance_among(case: Case, weights: Weights, first: int) -> float:
    """The chance that the right word is among so many first suggestions, ties drawn by lot."""
    return float(_chances(case, weights, (first,))[0])


def _chances(case: Case, weights: Weights, firsts: tuple[int, ...]) -> np.ndarray:
    if case.right is None:
        return np.zeros(len(firsts))
    score = scores(case, weights)
    better, as_good = (score > score[case.right] + 1e-6).sum(), (score >= score[case.right] - 1e-6).sum()
    return np.clip((np.array(firsts) - better) / (as_good - better), 0, 1)


class Repaired(NamedTuple):
    """How often the right word is suggested first, and among the first five, with 95% bootstrap intervals.

    `chances` holds for each of the errors the chance that its right word comes first, ties drawn by lot.
    """

    first: float
    first_interval: tuple[float, float]
    among_five: float
    among_five_interval: tuple[float, float]
    chances: tuple[float, ...]


def repaired(use: str, seed: int = 0) -> Repaired:
    """How often the errors are repaired with the clues of one of GRIDS, their weights tuned on the other errors.

    No weight is tuned on an error where the same word was meant; the packages' descriptions know nothing of the talks,
    and the speakers' names are known before a talk begins.

    Raises KeyError for clues that are not among GRIDS.
    """
    some, grid = cases(), GRIDS[use]
    chances = np.array([[_chances(case, weights, (1, 5)) for weights in grid] for case in some])  # (cases, grid, 2)
    meant = np.array([plain(case.error.meant) for case in some])
    chosen = [int(chances[meant != word].sum(axis=(0, 2)).argmax()) for word in meant]
    found = chances[np.arange(len(some)), chosen]
    boot = found[np.random.default_rng(seed).integers(len(some), size=(2_000, len(some)))].mean(axis=1)
    low, high = np.quantile(boot, (0.025, 0.975), axis=0).tolist()
    first, among_five = found.mean(axis=0).tolist()
    return Repaired(first, (low[0], high[0]), among_five, (low[1], high[1]), tuple(found[:, 0].tolist()))
