"""A language whose entropy is known, and which takes long to learn: many words, most of them rare.

    sentence -> someone does-what .       someone -> noun | noun that does-what       does-what -> verb someone

Which verb follows hangs on who does it, which noun on the verb: 4,000 odds to learn, each list steep like Zipf's. After
"Ann that likes Bob" the verb is Ann's, however long the clause was. Letters for axes: N nouns, V verbs, T time.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from helpers import training

NOUNS, VERBS = 64, 31  # with the full stop and "that" as many tokens as the libraries' source has characters
STOP, THAT, NOUN, VERB = 0, 1, 2, 2 + NOUNS  # the first token of each kind
TOKENS = VERB + VERBS
FURTHER = 0.3  # of the nouns have a clause after them
PARTS = {"training": 0, "development": 1, "held_out": 2}
WINDOWS = 1024  # that judge

# What comes next hangs on one of these: the sentence's start, the noun before "that", the verb, or a noun, after which
# the sentence may be over (NO_VERB) or still wants the verb of its first noun (OWED + that noun).
START, AFTER_THAT, AFTER_VERB = 0, 1, 1 + NOUNS
NO_VERB = AFTER_VERB + VERBS
OWED = NO_VERB + 1


class Language(NamedTuple):
    """Its odds: of the first noun (N,), of a verb after the noun that does it (N, V), of a noun after a verb (V, N)."""

    first: np.ndarray
    does: np.ndarray
    meets: np.ndarray


@cache
def language() -> Language:
    """The one language of the lesson, the same for every seed."""
    draw = np.random.default_rng(32)

    def lists(count: int, words: int, steep: float) -> np.ndarray:
        ranks = draw.permuted(np.tile(np.arange(1, words + 1), (count, 1)), axis=1)
        odds = ranks**-steep
        return odds / odds.sum(axis=1, keepdims=True)

    return Language(lists(1, NOUNS, 1.0)[0], lists(NOUNS, VERBS, 1.5), lists(VERBS, NOUNS, 1.5))


@cache
def odds() -> np.ndarray:
    """The true odds of the next token in every state: (states, TOKENS)."""
    known, table = language(), np.zeros((OWED + NOUNS, TOKENS))
    table[START, NOUN:VERB] = known.first
    table[AFTER_THAT:AFTER_VERB, VERB:] = known.does
    table[AFTER_VERB:NO_VERB, NOUN:VERB] = known.meets
    table[NO_VERB:, THAT] = FURTHER
    table[NO_VERB, STOP] = 1 - FURTHER
    table[OWED:, VERB:] = (1 - FURTHER) * known.does
    return table


def write(rows: int, draw: np.random.Generator, length: int = training.CONTEXT) -> tuple[np.ndarray, np.ndarray]:
    """Rows of sentences, each from a full stop on, cut after so many tokens: (rows, length + 1).

    And with them how much the tokens after the first surprise somebody who knows the language: nats (rows, length).

    >>> tokens, surprise = write(3, np.random.default_rng(0))
    >>> tokens.shape, surprise.shape, tokens[:, 0].tolist()
    ((3, 65), (3, 64), [0, 0, 0])
    """
    table = odds()
    up_to = table.cumsum(axis=1)
    up_to[:, -1] = 1
    state, subject, last = np.full(rows, START), np.zeros(rows, int), np.zeros(rows, int)
    owed = np.ones(rows, bool)  # whether the first noun's verb is still to come
    tokens, surprise = np.zeros((rows, length + 1), np.int32), np.empty((rows, length))
    for t in range(length):
        token = (draw.random(rows)[:, None] >= up_to[state]).sum(axis=1)
        tokens[:, t + 1], surprise[:, t] = token, -np.log(table[state, token])
        noun, verb = (token >= NOUN) & (token < VERB), token >= VERB
        last = np.where(noun, token - NOUN, last)
        subject = np.where(noun & (state == START), last, subject)
        owed = np.where(token == STOP, True, owed & ~(verb & (state >= OWED)))
        after_noun = np.where(owed, OWED + subject, NO_VERB)
        state = np.where(verb, AFTER_VERB + token - VERB, np.where(noun, after_noun, START))
        state = np.where(token == THAT, AFTER_THAT + last, state)
    return tokens, surprise


def batches(seed: int, rows: int) -> Iterator[tuple[np.ndarray]]:
    """Endless batches (rows, T + 1), none of them ever seen before."""
    draw = np.random.default_rng([PARTS["training"], seed])
    while True:
        some = write(64 * rows, draw)[0]
        yield from ((some[first : first + rows],) for first in range(0, len(some), rows))


@cache
def judged(part: str) -> tuple[np.ndarray, float]:
    """The windows (WINDOWS, T + 1) that judge a model, and their floor: who knows the language, in nats a token."""
    tokens, surprise = write(WINDOWS, np.random.default_rng([PARTS[part], 0]))
    return tokens, float(surprise.mean())


def entropy() -> float:
    """The language's entropy in nats a token, by linear equations: one unknown for what each noun may do.

    >>> round(entropy(), 3)
    2.055
    """
    known = language()
    of_first, of_verb, of_noun = (_entropy(part) for part in known)
    of_further = _entropy(np.array([FURTHER, 1 - FURTHER]))
    leads = known.does @ known.meets  # from the noun that does something to the one that it meets
    own = of_verb + known.does @ of_noun + of_further
    clause = np.linalg.solve(np.eye(NOUNS) - FURTHER * leads, own)  # of all that one noun does
    sentence = of_first + of_further + (1 + FURTHER) * known.first @ clause
    words = (2 + FURTHER) / (1 - FURTHER)  # of a clause without its noun
    return float(sentence / (2 + FURTHER + (1 + FURTHER) * words))


def _entropy(shares: np.ndarray) -> np.ndarray:
    return -np.sum(shares * np.log(shares), axis=-1)
