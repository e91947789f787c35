"""One next-token model on lines of four skills: copying, reversing, adding, and spelling to sound.

Letters for axes: B batch, T time (position), V vocabulary.
"""

import random
import string
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from helpers import data, models, training
from helpers.models import Parameters

SKILLS = ("copy", "reverse", "add", "spell")
LENGTH = 15  # tokens of the longest line
STEPS = 300
RATE_OF_ONE, RATE_OF_ALL = 0.05, 0.1  # best of 0.05, 0.1, 0.14 and 0.2 for adding alone, and for all skills
WIDTH, LAYERS, HEADS = 64, 2, 4
LONGEST_WORD, MOST_SOUNDS = 5, 7
ITEMS = 256  # unseen items that judge each skill
BLANK, END = "_", "\n"

Item = tuple[str, list[tuple[str, ...]]]  # a question, and its right answers


@lru_cache(1)
def vocabulary() -> tuple[str, ...]:
    """Every token: the blank, the line's end, "=", a marker a skill, letters, digits, "+" and 39 sounds.

    >>> len(vocabulary()), vocabulary()[3:7]
    (83, ('copy:', 'reverse:', 'add:', 'spell:'))
    """
    listed = data.cmu_dictionary_without_stress().values()
    sounds = sorted({sound for pronunciations in listed for sounds in pronunciations for sound in sounds})
    markers = [f"{skill}:" for skill in SKILLS]
    return (BLANK, END, "=", *markers, *string.ascii_lowercase, *string.digits, "+", *sounds)


@lru_cache(1)
def _words() -> dict[bool, list[Item]]:
    """Short words with their pronunciations: True for those that no model sees in training."""
    split = data.cmu_split_by_stem()
    parts = {False: split.training, True: split.held_out}
    return {
        unseen: [
            (word, listed)
            for word, listed in part.items()
            if 3 <= len(word) <= LONGEST_WORD and len(listed[0]) <= MOST_SOUNDS
        ]
        for unseen, part in parts.items()
    }


def _is_unseen(name: str) -> bool:
    """Whether an item is kept from training: one in ten, drawn from its checksum, the same for every seed."""
    return zlib.crc32(name.encode()) % 10 == 0


def item(skill: str, draw: random.Random, unseen: bool = False) -> Item:
    """A question of a skill, drawn from those seen in training or from those never seen, with its right answers.

    Sums and their numbers are written from the ones up; 47+8 and 8+47 are both seen or both unseen.

    >>> question, answers = item("reverse", random.Random(0))
    >>> answers == [tuple(question[::-1])]
    True

    Raises ValueError for a skill that is not among SKILLS.
    """
    if skill not in SKILLS:
        raise ValueError(f"The skills are {', '.join(SKILLS)}, not {skill!r}.")
    if skill == "spell":
        return draw.choice(_words()[unseen])
    while True:
        if skill == "add":
            numbers = [draw.randrange(100), draw.randrange(100)]
            question, answer = "+".join(f"{n:02d}"[::-1] for n in numbers), f"{sum(numbers):03d}"[::-1]
            name = str(sorted(numbers))
        else:
            name = question = "".join(draw.choices(string.ascii_lowercase, k=draw.randint(4, 6)))
            answer = question if skill == "copy" else question[::-1]
        if _is_unseen(name) == unseen:
            return question, [tuple(answer)]


def tokens_of(skill: str, question: str, answer: Sequence[str] = ()) -> list[int]:
    """A line as tokens: marker, question, "=", and with an answer also that and the line's end.

    >>> [vocabulary()[token] for token in tokens_of("copy", "no", "no")]
    ['copy:', 'n', 'o', '=', 'n', 'o', '\\n']
    """
    line = [f"{skill}:", *question, "=", *answer, *([END] if answer else [])]
    return [vocabulary().index(token) for token in line]


def padded(lines: list[list[int]]) -> np.ndarray:
    """Lines as one array (B, LENGTH), filled up with blanks, which are token 0."""
    return np.array([line + [0] * (LENGTH - len(line)) for line in lines], np.int32)


def batches(skills: Sequence[str], lines: int, seed: int) -> Iterator[tuple[np.ndarray]]:
    """Endless batches (lines, LENGTH) of training lines, as many of each skill."""
    draw = random.Random(seed)
    while True:
        drawn = [(skill, *item(skill, draw)) for skill in islice(_around(skills), lines)]
        yield (padded([tokens_of(skill, question, answers[0]) for skill, question, answers in drawn]),)


def _around(skills: Sequence[str]) -> Iterator[str]:
    while True:
        yield from skills


def loss(parameters: Parameters, lines: Array) -> Array:
    """The mean surprise, in nats, at each next token of the lines, question and answer alike, blanks left out."""
    scores, following = models.transformer(parameters, lines[:, :-1]), lines[:, 1:]
    chosen = jnp.take_along_axis(scores, following[..., None], axis=-1)[..., 0]
    return jnp.mean(jax.nn.logsumexp(scores, axis=-1) - chosen, where=following > 0)


def train(skills: Sequence[str], lines: int, seed: int) -> Parameters:
    """A Transformer after STEPS steps, each on so many lines of these skills."""
    fresh = models.transformer_parameters(jax.random.key(seed), len(vocabulary()), WIDTH, LAYERS, HEADS)
    few = islice(batches(skills, lines, seed), STEPS)
    rate = RATE_OF_ONE if len(skills) == 1 else RATE_OF_ALL
    return training.fit(loss, fresh, few, lambda _: 0.0, steps=STEPS, every=STEPS, rate=rate, whole=True)[0]


@jax.jit
def _likeliest(parameters: Parameters, tokens: Array) -> Array:
    return models.transformer(parameters, tokens).argmax(axis=-1)


def answers(parameters: Parameters, skill: str, questions: Sequence[str]) -> list[tuple[str, ...]]:
    """What the model answers: at each place its likeliest token, until the line ends or is full."""
    starts = [tokens_of(skill, question) for question in questions]
    lines, at = padded(starts), np.array([len(start) for start in starts])
    for _ in range(LENGTH - at.min()):
        following = np.asarray(_likeliest(parameters, lines))[np.arange(len(lines)), np.minimum(at, LENGTH) - 1]
        room = at < LENGTH
        lines[room, at[room]] = following[room]
        at = at + room
    said = [[vocabulary()[token] for token in line[len(start) :]] for line, start in zip(lines, starts, strict=True)]
    return [tuple(one[: one.index(END)] if END in one else one) for one in said]


def share_right(parameters: Parameters, skill: str) -> float:
    """The share of ITEMS unseen items that the model answers without a fault; any listed pronunciation is right."""
    asked = unseen_items(skill)
    said = answers(parameters, skill, [question for question, _ in asked])
    return float(np.mean([answer in right for answer, (_, right) in zip(said, asked, strict=True)]))


def unseen_items(skill: str, items: int = ITEMS) -> list[Item]:
    """The items that judge a skill, the same for every model and seed."""
    draw = random.Random(skill)
    return [item(skill, draw, unseen=True) for _ in range(items)]


def share_by_chance(skill: str, seed: int) -> float:
    """The share right when each question gets the answer of a training item drawn at random."""
    draw = random.Random(f"{skill} {seed}")
    return float(np.mean([item(skill, draw)[1][0] in right for _, right in unseen_items(skill)]))


def share_by_memory(skill: str, lines: int, seed: int) -> float:
    """The share right when each question gets the answer of the nearest question among so many training lines.

    Nearest is the question of the same length with most characters equal in their places; the first of equals.
    """
    draw = random.Random(seed)
    seen = [item(skill, draw) for _ in range(lines)]
    by_length: dict[int, tuple[np.ndarray, list[Item]]] = {}
    for length in {len(question) for question, _ in seen}:
        some = [one for one in seen if len(one[0]) == length]
        by_length[length] = np.array([list(question) for question, _ in some]), some
    right = 0
    for question, listed in unseen_items(skill):
        spelled, some = by_length[len(question)]
        nearest = (spelled == np.array(list(question))).sum(axis=1).argmax()
        right += some[nearest][1][0] in listed
    return right / ITEMS
