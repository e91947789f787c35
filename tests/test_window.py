"""The window classifier: alignment by hand and rejoined, clues, learning, letters never seen, seeds."""

import itertools
import math

import numpy as np
import pytest

from helpers.data import cmu_split_by_stem
from helpers.recordings.rules_or_gradient_descent import window
from helpers.recordings.rules_or_gradient_descent.window import (
    align_word,
    clues,
    pronounce_by_window,
    train_window_classifier,
)


@pytest.fixture(scope="module")
def some_words():
    """Three hundred dictionary words drawn at random: word -> pronunciations."""
    training = cmu_split_by_stem().training
    words = sorted(training)
    return {words[i]: training[words[i]] for i in np.random.default_rng(0).permutation(len(words))[:300]}


@pytest.fixture(scope="module")
def model(some_words):
    return train_window_classifier(some_words)


def every_alignment(word, sounds):
    for sizes in itertools.product((0, 1, 2), repeat=len(word)):
        if sum(sizes) == len(sounds):
            ends = list(itertools.accumulate(sizes))
            yield [(letter, sounds[end - size : end]) for letter, size, end in zip(word, sizes, ends, strict=True)]


def test_costs_of_a_counted_alignment():
    costs = window.learn_costs([[("x", ("K", "S")), ("x", ("K", "S")), ("x", ("Z",))]])
    assert costs["x"]["K", "S"] == pytest.approx(-math.log((2 + 0.1 / 39**2) / 4))
    assert costs["x"]["Z",] == pytest.approx(-math.log((1 + 0.8 / 39) / 4))
    assert costs["x"][0] == pytest.approx(-math.log(0.1 / 4))
    assert costs["q"][1] == pytest.approx(-math.log(0.8 / 39))


def test_hand_worked_alignment():
    one_letter_words = [[("t", ("T",))], [("a", ("AE",))], [("x", ("K", "S"))], [("e", ())]]
    costs = window.learn_costs(one_letter_words * 10)
    assert align_word(costs, "taxe", ("T", "AE", "K", "S")) == [
        ("t", ("T",)),
        ("a", ("AE",)),
        ("x", ("K", "S")),
        ("e", ()),
    ]


@pytest.mark.parametrize(
    ("word", "sounds", "chunks"),
    [
        ("box", "B AA K S", "B|AA|K S"),
        ("music", "M Y UW Z IH K", "M|Y UW|Z|IH|K"),
        ("made", "M EY D", "M|EY|D|"),
        ("night", "N AY T", "N|AY|||T"),
    ],
)
def test_alignments_learned_from_the_dictionary(model, word, sounds, chunks):
    alignment = align_word(model.costs, word, tuple(sounds.split()))
    assert [" ".join(chunk) for _, chunk in alignment] == chunks.split("|")


def test_no_alignment_is_cheaper(model):
    for word, text in [("through", "TH R UW"), ("exile", "EH G Z AY L"), ("queue", "K Y UW"), ("ibm", "AY B IY EH M")]:
        sounds = tuple(text.split())

        def cost(alignment):
            return sum(model.costs[letter].get(chunk, model.costs[letter][len(chunk)]) for letter, chunk in alignment)

        found = cost(align_word(model.costs, word, sounds))
        assert found == pytest.approx(min(map(cost, every_alignment(word, sounds))))


def test_alignments_rejoin_to_the_word_and_its_sounds(some_words, model):
    for word, pronunciations in some_words.items():
        for sounds in pronunciations:
            alignment = align_word(model.costs, word, sounds)
            if len(sounds) > 2 * len(word):
                assert alignment is None
            else:
                assert "".join(letter for letter, _ in alignment) == word
                assert tuple(itertools.chain.from_iterable(chunk for _, chunk in alignment)) == sounds


def test_words_that_cannot_be_aligned_are_counted():
    training = {"www": [("D", "AH", "B", "AH", "L", "Y", "UW")], "at": [("AE", "T")], "ta": [("T", "AH")]}
    assert train_window_classifier(training).skipped == 1


def test_clues_of_a_letter():
    found = clues("cat", 1, following=["T"])
    assert {"3c", "4a", "5t", "3ca", "4at", "3cat", "2_cat_"} <= set(found)
    assert {"3T", "4A", "3TAT"} <= set(found)
    assert {"then T", "then T, _, _", "before c, then T", "before _c, then T", "after t, then T"} <= set(found)
    assert len(found) == (9 + 8 + 7 + 6 + 5) + (9 + 8 + 7) + 8


def test_clues_do_not_reach_beyond_the_window():
    assert clues("abcdefghijk", 5, []) == clues("zbcdefghijz", 5, [])
    assert clues("abcdefghijk", 5, []) != clues("azcdefghijk", 5, [])


def test_regular_words_are_learned_and_new_ones_follow():
    vowels = {"a": "AE", "e": "EH", "i": "IH", "u": "AH"}
    consonants = {"b": "B", "t": "T", "n": "N", "p": "P", "m": "M"}
    spell = {
        f"{x}{v}{y}": [(consonants[x], vowels[v], consonants[y])]
        for x in consonants
        for v in vowels
        for y in consonants
    }
    twenty = dict(list(spell.items())[::5])
    assert len(twenty) == 20
    answers = pronounce_by_window(train_window_classifier(twenty), list(spell))
    right = [answer == spell[word][0] for word, answer in zip(spell, answers, strict=True)]
    assert all(right)


def test_context_decides():
    training = {
        f"{x}a{y}{end}": [(x.upper(), "EY" if end else "AE", y.upper())]
        for x in "bdgpt"
        for y in "mnt"
        for end in ("", "e")
    }
    learned = train_window_classifier(training)
    assert pronounce_by_window(learned, ["lat", "late"]) == [("AE", "T"), ("EY", "T")]


def test_letters_never_seen_are_silent_and_disturb_nothing():
    learned = train_window_classifier({"bob": [("B", "AA", "B")], "cob": [("K", "AA", "B")]})
    assert pronounce_by_window(learned, ["bzob", "zz", "b" * 200]) == [("B", "AA", "B"), (), ("B",) * 200]


def test_order_and_company_do_not_matter(model, some_words):
    words = list(some_words)[:20]
    together = pronounce_by_window(model, words)
    assert [pronounce_by_window(model, [word])[0] for word in words] == together
    assert pronounce_by_window(model, words[::-1]) == together[::-1]
    assert pronounce_by_window(model, []) == [] and pronounce_by_window(model, [""]) == [()]


def test_same_seed_same_answers(some_words, model):
    words = list(cmu_split_by_stem().development)[:300]
    assert pronounce_by_window(train_window_classifier(some_words, seed=0), words) == pronounce_by_window(model, words)


def test_first_sounds_of_new_words_are_mostly_right(model):
    development = cmu_split_by_stem().development
    words = sorted(development)[:300]
    answers = pronounce_by_window(model, words)
    first = [
        answer[:1] in [sounds[:1] for sounds in development[word]] for word, answer in zip(words, answers, strict=True)
    ]
    assert np.mean(first) > 0.7
