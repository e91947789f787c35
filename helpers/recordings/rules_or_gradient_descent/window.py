"""Spelling to sound by features made by hand and weights that are learned.

For each letter a classifier looks through a window at its neighbours and chooses its sounds, as NETtalk did
(Sejnowski and Rosenberg 1987).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import NamedTuple

from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction import FeatureHasher
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from helpers.data import Sounds

Alignment = list[tuple[str, Sounds]]
Costs = dict[str, dict[Sounds | int, float]]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Before any word is seen, a letter makes no sound one time in ten, one of the 39 sounds eight times, two one time.
PRIOR = {0: 0.1, 1: 0.8 / 39, 2: 0.1 / 39**2}

REACH = 4  # letters that the window shows on each side
EDGE = "_"
# Vowels, y, voiced stops and hisses, their voiceless partners, and the sounds that flow.
KINDS = str.maketrans("aeiouybdgvzjptkfshcqxlrmnw", "AAAAAYDDDDDDTTTTTTTTTLLLLL")


class WindowModel(NamedTuple):
    """A classifier for each letter, the costs that align letters with sounds, and the entries that would not align."""

    classifiers: dict[str, Pipeline]
    costs: Costs
    skipped: int


def learn_costs(alignments: Iterable[Alignment]) -> Costs:
    """For each letter the cost (minus log chance) of each chunk of sounds; under 0, 1 and 2, of a chunk not seen yet.

    >>> costs = learn_costs([[("x", ("K", "S")), ("x", ("K", "S")), ("x", ("Z",))]])
    >>> [round(costs["x"][chunk], 1) for chunk in [("K", "S"), ("Z",), 0]]
    [0.7, 1.4, 3.7]
    """
    counts = {letter: Counter() for letter in LETTERS}
    for alignment in alignments:
        for letter, chunk in alignment:
            counts[letter][chunk] += 1
    costs = {}
    for letter, seen in counts.items():
        total = 1 + seen.total()
        unseen = {size: -log(chance / total) for size, chance in PRIOR.items()}
        costs[letter] = unseen | {chunk: -log((count + PRIOR[len(chunk)]) / total) for chunk, count in seen.items()}
    return costs


def align_word(costs: Costs, word: str, sounds: Sounds) -> Alignment | None:
    """The cheapest way to share a word's sounds out among its letters, in order, no more than two to a letter.

    None if there are more than two sounds a letter, as in www. (Viterbi 1967.)

    >>> costs = align_by_counting([("bob", ("B", "AA", "B")), ("box", ("B", "AA", "K", "S"))])
    >>> align_word(costs, "box", ("B", "AA", "K", "S"))
    [('b', ('B',)), ('o', ('AA',)), ('x', ('K', 'S'))]
    """
    best = {0: (0.0, ())}  # number of sounds used so far -> (cost, the letters' chunks)
    for letter in word:
        longer = {}
        for start, (cost_so_far, chunks) in best.items():
            for end in range(start, min(start + 2, len(sounds)) + 1):
                chunk = sounds[start:end]
                cost = cost_so_far + costs[letter].get(chunk, costs[letter][len(chunk)])
                if end not in longer or cost < longer[end][0]:
                    longer[end] = cost, (*chunks, chunk)
        best = longer
    if len(sounds) not in best:
        return None
    return list(zip(word, best[len(sounds)][1], strict=True))


def align_by_counting(entries: Sequence[tuple[str, Sounds]], rounds: int = 5, enough: int = 5000) -> Costs:
    """Learn which sounds each letter makes: align, count, and align again (expectation-maximisation, hard choices).

    The first counts come from the words with as many sounds as letters. The first 5,000 entries teach enough.

    >>> costs = align_by_counting([("bob", ("B", "AA", "B")), ("cob", ("K", "AA", "B"))])
    >>> min(costs["c"], key=costs["c"].get)
    ('K',)

    (Dempster, Laird and Rubin 1977; for letters and sounds, Damper and others 2005.)
    """
    entries = entries[:enough]
    as_long = ((word, sounds) for word, sounds in entries if len(word) == len(sounds))
    costs = learn_costs([(letter, (sound,)) for letter, sound in zip(*entry, strict=True)] for entry in as_long)
    for _ in range(rounds):
        alignments = (align_word(costs, word, sounds) for word, sounds in entries)
        costs = learn_costs(alignment for alignment in alignments if alignment)
    return costs


def runs(text: str, longest: int) -> list[str]:
    """Every run of one to so many characters, each with its place.

    >>> runs("cat", longest=2)
    ['0c', '1a', '2t', '0ca', '1at']
    """
    return [f"{start}{text[start : start + n]}" for n in range(1, longest + 1) for start in range(len(text) - n + 1)]


def clues(word: str, position: int, following: Sequence[str]) -> list[str]:
    """The features that an engineer chose for one letter, each a short string.

    Runs of up to five letters in a window of nine; runs of up to three kinds of letter (vowel, y, voiced,
    voiceless, flowing); and what is said of the three letters that follow, for a word is read from its end.

    >>> clues("phone", 1, following=["OW", "N", ""])[-4:]
    ['before p, then OW', 'before _p, then OW', 'after o, then OW', 'before p, then OW, N']
    """
    padded = EDGE * REACH + word + EDGE * REACH
    window = padded[position : position + 2 * REACH + 1]
    before, after = window[:REACH], window[REACH + 1 :]
    first, second, third = [*following[:3], EDGE, EDGE, EDGE][:3]
    return [
        *runs(window, longest=5),
        *runs(window.translate(KINDS), longest=3),
        f"then {first}",
        f"then ?, {second}",
        f"then {first}, {second}",
        f"then {first}, {second}, {third}",
        f"before {before[-1]}, then {first}",
        f"before {before[-2:]}, then {first}",
        f"after {after[0]}, then {first}",
        f"before {before[-1]}, then {first}, {second}",
    ]


def train_letter(examples: Sequence[tuple[str, int, list[str]]], places: int, seed: int) -> Pipeline:
    """A linear classifier for one letter, from (word, position, the sounds of all the word's letters).

    The clues are hashed into so many places, each with a weight of its own for each chunk of sounds.

    One support vector machine a chunk of sounds (Cortes and Vapnik 1995) over hashed clues (Weinberger et al. 2009).
    """
    labels = [sounds[position] for _, position, sounds in examples]
    one_answer = len(set(labels)) == 1
    chooser = DummyClassifier() if one_answer else LinearSVC(C=0.05, loss="hinge", tol=0.1, random_state=seed)
    classifier = make_pipeline(FeatureHasher(places, input_type="string"), chooser)
    classifier.fit((clues(word, place, sounds[place + 1 :]) for word, place, sounds in examples), labels)
    if not one_answer:
        chooser.sparsify()  # most places stay empty
    return classifier


def train_window_classifier(training: Mapping[str, Sequence[Sounds]], seed: int = 0) -> WindowModel:
    """Align the training words' letters with their sounds, then train one classifier a letter.

    >>> model = train_window_classifier({"bob": [("B", "AA", "B")], "cob": [("K", "AA", "B")], "www": [("D",) * 9]})
    >>> pronounce_by_window(model, ["boc"]), model.skipped
    ([('B', 'AA', 'K')], 1)
    """
    entries = [(word, sounds) for word, pronunciations in training.items() for sounds in pronunciations]
    costs = align_by_counting(entries)
    alignments = [align_word(costs, word, sounds) for word, sounds in entries]
    examples = defaultdict(list)
    for (word, _), alignment in zip(entries, alignments, strict=True):
        labels = [" ".join(chunk) for _, chunk in alignment or []]
        for position in range(len(labels)):
            examples[word[position]].append((word, position, labels))
    # One letter after another: liblinear's random numbers are shared between threads, and would depend on timing.
    places = 2**18 if len(training) > 10_000 else 2**16  # fewer clues need fewer places, and a quarter of the memory
    classifiers = {letter: train_letter(part, places, seed) for letter, part in examples.items()}
    return WindowModel(classifiers, costs, alignments.count(None))


def pronounce_by_window(model: WindowModel, words: Sequence[str]) -> list[Sounds]:
    """The sounds of words in small letters a to z: each word from its last letter to its first, all words together.

    A letter that no training word contained stays silent.
    """
    chosen = [[] for _ in words]  # what the letters from the end say, in reading order
    for from_end in range(1, 1 + max(map(len, words), default=0)):
        same_letter = defaultdict(list)
        for number, word in enumerate(words):
            if from_end <= len(word):
                same_letter[word[-from_end]].append(number)
        for letter, numbers in same_letter.items():
            views = [clues(words[number], len(words[number]) - from_end, chosen[number]) for number in numbers]
            labels = model.classifiers[letter].predict(views) if letter in model.classifiers else [""] * len(views)
            for number, label in zip(numbers, labels, strict=True):
                chosen[number].insert(0, str(label))
    return [tuple(" ".join(labels).split()) for labels in chosen]
