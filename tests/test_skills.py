"""The lines of four skills, and what judges a model of them."""

import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import models
from helpers.recordings.predict_the_next_token import skills


@pytest.mark.parametrize("unseen", [False, True])
def test_answers_are_what_a_person_would_work_out(unseen):
    draw = random.Random(1)
    for _ in range(50):
        question, (answer,) = skills.item("copy", draw, unseen)
        assert "".join(answer) == question
        question, (answer,) = skills.item("reverse", draw, unseen)
        assert "".join(answer) == "".join(reversed(question))
        question, (answer,) = skills.item("add", draw, unseen)
        first, second = (int(number[::-1]) for number in question.split("+"))
        assert int("".join(answer)[::-1]) == first + second


def test_a_word_is_spelled_as_the_dictionary_says():
    tokens = skills.tokens_of("spell", "cat", ("K", "AE", "T"))
    said = [skills.vocabulary()[token] for token in tokens]
    assert said == ["spell:", "c", "a", "t", "=", "K", "AE", "T", "\n"]


@pytest.mark.parametrize("skill", skills.SKILLS)
def test_no_unseen_item_is_a_training_item(skill):
    draw = random.Random(0)
    seen = {question for question, _ in (skills.item(skill, draw) for _ in range(3_000))}
    unseen = {question for question, _ in skills.unseen_items(skill)}
    swapped = {"+".join(reversed(question.split("+"))) for question in unseen} if skill == "add" else unseen
    assert not seen & (unseen | swapped)


def test_an_unknown_skill_is_refused():
    with pytest.raises(ValueError, match="copy, reverse, add, spell"):
        skills.item("sing", random.Random(0))


def test_every_line_fits_and_each_skill_has_its_share():
    (lines,) = next(skills.batches(skills.SKILLS, 40, seed=0))
    assert lines.shape == (40, skills.LENGTH)
    assert [int((lines[:, 0] == 3 + skill).sum()) for skill in range(4)] == [10] * 4


def _fresh():
    parameters = models.transformer_parameters(jax.random.key(0), len(skills.vocabulary()), 16, 1, 2)
    return parameters | {"head": jnp.asarray(np.random.default_rng(0).standard_normal((16, 83)), jnp.float32)}


def test_the_loss_is_the_mean_of_the_surprise_taken_one_by_one():
    lines = skills.padded([skills.tokens_of("copy", "no", "no"), skills.tokens_of("add", "74+80", "55")])
    scores = np.asarray(models.transformer(_fresh(), lines[:, :-1]))
    odds = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    surprises = [
        -np.log(odds[row, place - 1, line[place]])
        for row, line in enumerate(lines)
        for place in range(1, (line > 0).sum())
    ]
    assert len(surprises) == 6 + 9
    assert skills.loss(_fresh(), lines) == pytest.approx(np.mean(surprises), rel=1e-4)


def test_answers_continue_the_line_token_by_token():
    parameters, question = _fresh(), "abcd"
    (said,) = skills.answers(parameters, "copy", [question])
    line = skills.tokens_of("copy", question)
    expected, scores = [], jax.jit(models.transformer)  # each length compiles once, not each of its operations
    while len(line) < skills.LENGTH:
        line.append(int(np.asarray(scores(parameters, np.array([line])))[0, -1].argmax()))
        if skills.vocabulary()[line[-1]] == skills.END:
            break
        expected.append(skills.vocabulary()[line[-1]])
    assert said == tuple(expected)


def test_memory_knows_the_answer_of_an_item_that_it_saw(monkeypatch):
    monkeypatch.setattr(skills, "unseen_items", lambda skill: [("abcd", [("d", "c", "b", "a")])] * skills.ITEMS)
    monkeypatch.setattr(skills, "item", lambda skill, draw: ("abcd", [("d", "c", "b", "a")]))
    assert skills.share_by_memory("reverse", 10, seed=0) == 1
    monkeypatch.setattr(skills, "item", lambda skill, draw: ("abcx", [("x", "c", "b", "a")]))
    assert skills.share_by_memory("reverse", 10, seed=0) == 0
