"""The sequence model: its token sequences, its packed rows, its kept keys and values, and what it learns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import models
from helpers.data import cmu_dictionary_without_stress, cmu_split_by_stem
from helpers.recordings import rules_or_gradient_descent as lesson
from helpers.recordings.rules_or_gradient_descent import sequence as sequence_model
from helpers.recordings.rules_or_gradient_descent.sequence import BOUNDARY, LETTERS, SOUNDS, Recipe, decode, encode

TINY = Recipe(layers=2, width=32, rows=4, steps=150, dropout=0.0)
WORDS = ["a", "cat", "though", "rhythm", "phlegm", "zucchini", "extraordinarily", "pneumonoultramicroscopicsili"]


@pytest.fixture(scope="module")
def untrained():
    """A model with random numbers everywhere, so that every part of it matters to the answer."""
    parameters = models.transformer_parameters(jax.random.key(0), sequence_model.VOCABULARY, 32, 2, 4)
    names = dict(zip(parameters, jax.random.split(jax.random.key(1), len(parameters)), strict=True))
    return {name: array + 0.2 * jax.random.normal(names[name], array.shape) for name, array in parameters.items()}


@pytest.fixture(scope="module")
def twenty_words():
    dictionary = cmu_dictionary_without_stress()
    return {word: dictionary[word][:1] for word in list(dictionary)[::6000][:20]}


@pytest.fixture(scope="module")
def trained(twenty_words):
    return sequence_model.train_with(TINY, twenty_words)


# --- tokens --------------------------------------------------------------------------------------------------


def test_the_largest_recording_learned_from_every_training_word():
    assert lesson.SIZES[-1] == len(cmu_split_by_stem().training)


def test_sounds_are_those_of_the_dictionary():
    listed = {sound for entry in cmu_dictionary_without_stress().values() for sounds in entry for sound in sounds}
    assert set(SOUNDS) == listed


@given(st.text(LETTERS, min_size=1, max_size=28), st.lists(st.sampled_from(SOUNDS), max_size=28).map(tuple))
def test_encoding_can_be_undone(word, sounds):
    tokens = encode(word, sounds)
    boundary = tokens.index(BOUNDARY)
    assert "".join(LETTERS[token - 1] for token in tokens[:boundary]) == word
    assert decode(tokens[boundary + 1 :]) == sounds


@pytest.mark.parametrize(
    ("word", "message"),
    [("a" * 29, "1 to 28 letters"), ("", "1 to 28 letters"), ("naïve", "'ï'"), ("Cat", "'C'"), ("it's", '"\'"')],
)
def test_a_word_it_cannot_read_is_refused_in_a_sentence(untrained, word, message):
    with pytest.raises(ValueError, match=message):
        sequence_model.pronounce_by_sequence_model(untrained, ["cat", word])


@given(st.lists(st.integers(2, 48), min_size=1, max_size=60))
def test_packed_words_never_overlap_nor_leave_their_row(lengths):
    rows, starts = sequence_model.place_in_rows(lengths)
    taken = [(row, start + i) for row, start, n in zip(rows, starts, lengths, strict=True) for i in range(n)]
    assert len(set(taken)) == sum(lengths)
    assert max(place for _, place in taken) < 48


def test_packing_loses_and_invents_nothing():
    entries = [("at", ("AE", "T")), ("be", ("B", "IY")), ("straightforward", ("S", "T", "R", "EY", "T"))] * 5
    batch = sequence_model.pack([encode(*entry) for entry in entries])
    asked = batch.targets >= 0
    assert asked.sum() == sum(len(sounds) + 1 for _, sounds in entries)
    assert (batch.words >= 0).sum() == sum(len(word) + 1 + len(sounds) for word, sounds in entries)
    expected = [token for word, sounds in entries for token in encode(word, sounds)[len(word) + 1 :]]
    assert sorted(batch.targets[asked]) == sorted(expected)


# --- the model against slow, plain versions of itself ----------------------------------------------------------


def plain_scores(parameters, word, sounds):
    """The scores for the sound after `sounds`, worked out in NumPy for one word without padding, packing or cache."""
    p = {name: np.asarray(array, float) for name, array in parameters.items()}
    letters, tokens = len(word), encode(word, sounds)[:-1]
    positions = np.array([*range(letters), *range(len(sounds) + 1)])
    seen = (np.arange(len(tokens)) < letters) | np.tri(len(tokens), dtype=bool)
    norm = lambda x: x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)  # noqa: E731
    half = p["query"].shape[1] // p["sharpness"].shape[1] // 2
    turn = np.exp(1j * positions[:, None] / 1000 ** (np.arange(half) / half))

    def turned(x):
        z = (x[:, :half] + 1j * x[:, half:]) * turn
        return np.concatenate([z.real, z.imag], axis=1)

    x = norm(p["embedding"][tokens])
    for layer in range(len(p["query"])):
        mixed = []
        for head, sharpness in enumerate(p["sharpness"][layer]):
            channels = slice(2 * half * head, 2 * half * (head + 1))
            q, k, v = (norm(x) @ p[name][layer][:, channels] for name in ("query", "key", "value"))
            scores = sharpness * turned(norm(q)) @ turned(norm(k)).T / np.sqrt(2 * half)
            weights = np.where(seen, np.exp(scores), 0)
            mixed.append(weights / weights.sum(axis=1, keepdims=True) @ v)
        x = x + np.concatenate(mixed, axis=1) @ p["mix"][layer]
        x = x + np.maximum(norm(x) @ p["up"][layer], 0) ** 2 @ p["down"][layer]
    return (norm(x) @ p["head"])[-1]


def plain_answer(parameters, word):
    sounds = ()
    while len(sounds) < sequence_model.MOST_SOUNDS:
        scores = plain_scores(parameters, word, sounds)
        best = max([BOUNDARY, *range(27, 27 + len(SOUNDS))], key=lambda token: scores[token])
        if best == BOUNDARY:
            break
        sounds += (SOUNDS[best - 27],)
    return sounds


def test_fast_decoding_is_slow_decoding(untrained):
    answers = sequence_model.pronounce_by_sequence_model(untrained, WORDS)
    assert answers == [plain_answer(untrained, word) for word in WORDS]
    assert len(set(answers)) == len(WORDS)


def test_an_answer_does_not_depend_on_the_words_beside_it(untrained):
    together = sequence_model.pronounce_by_sequence_model(untrained, [*WORDS, *WORDS * 70])
    assert together[: len(WORDS)] == together[-len(WORDS) :]
    assert together[: len(WORDS)] == [
        sequence_model.pronounce_by_sequence_model(untrained, [word])[0] for word in WORDS
    ]


def test_a_packed_word_sees_nothing_of_its_neighbours(untrained):
    entries = [("at", ("AE", "T")), ("bees", ("B", "IY", "Z")), ("thought", ("TH", "AO", "T"))]
    surprise, asked = 0.0, 0
    for word, sounds in entries:
        for i, token in enumerate(encode(word, sounds)[len(word) + 1 :]):
            scores = plain_scores(untrained, word, sounds[:i])
            surprise += np.log(np.exp(scores).sum()) - scores[token]
            asked += 1
    batch = sequence_model.pack([encode(*entry) for entry in entries])
    assert len(batch.tokens) == 1
    packed = sequence_model.next_sound_loss(untrained, batch, jax.random.key(0))
    assert float(packed) == pytest.approx(surprise / asked, rel=1e-4)


def test_attention_is_shared_among_what_may_be_seen(untrained):
    batch = sequence_model.alone(encode("thought", ("TH", "AO", "T")))
    shares = np.asarray(sequence_model.shares(untrained, batch))
    used = 7 + 1 + 3
    np.testing.assert_allclose(shares[:, :, :used, :used].sum(axis=-1), 1, rtol=1e-5)
    assert not shares[:, :, :7, 7:].any(), "a letter saw a sound"
    assert not shares[:, :, 8, 9:].any(), "a sound saw a later one"


def test_attention_has_a_row_for_each_sound_and_a_column_for_each_letter(trained, twenty_words):
    word = max(twenty_words, key=len)
    sounds, shares = sequence_model.attention(trained, word)
    assert sounds == twenty_words[word][0]
    assert shares.shape == (2, 4, len(sounds), len(word))
    assert (shares.sum(axis=-1) <= 1 + 1e-5).all() and shares[:, :, 0].max() > 0.1


# --- learning ------------------------------------------------------------------------------------------------


def test_twenty_words_are_learnt_by_heart(trained, twenty_words):
    answers = sequence_model.pronounce_by_sequence_model(trained, list(twenty_words))
    assert answers == [listed[0] for listed in twenty_words.values()]


def test_the_seed_decides_everything(twenty_words):
    recipe = TINY._replace(steps=3, dropout=0.5)
    first, again, other = (sequence_model.train_with(recipe, twenty_words, seed) for seed in (1, 1, 2))
    assert all(jnp.array_equal(first[name], again[name]) for name in first)
    assert not jnp.array_equal(first["up"], other["up"])


def test_dropout_keeps_the_mean_and_drops_its_share():
    thinned = sequence_model.thin(jnp.ones((200, 200)), 0.25, jax.random.key(0))
    assert float((thinned == 0).mean()) == pytest.approx(0.25, abs=0.02)
    assert float(thinned.mean()) == pytest.approx(1, abs=0.02)
