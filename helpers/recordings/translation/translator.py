"""One small Transformer that translates dates: how it is trained on some pairs of languages, and asked for others.

Letters for axes: N dates or B rows of a batch, T time (position), S a source's characters. A row of tokens is
START source TURN target END; the language token, where there is one, takes the place of START or of TURN.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from helpers import models, training
from helpers.models import Parameters
from helpers.recordings.translation import dates
from helpers.recordings.translation.dates import LANGUAGES

Where = Literal["before the source", "before the target", "none"]
Pair = tuple[str, str]
END, START, TURN, UNUSED = range(4)
FIRST_LANGUAGE = 4
FIRST_CHARACTER = FIRST_LANGUAGE + len(LANGUAGES)
LONGEST_SOURCE, LONGEST_TARGET = 40, 24  # characters; a training source has at most 24 as well
ROW_ALONE = 1 + LONGEST_TARGET + 1 + LONGEST_TARGET + 1  # where a language is paired with itself
ROW = ROW_ALONE - 4  # enough for any two languages: only one is so long
ASKED_ROW = 1 + LONGEST_SOURCE + 1 + LONGEST_TARGET + 1
WIDTH, LAYERS, HEADS, BATCH, STEPS, RATE = 96, 3, 4, 22, 500, 0.05
HIDDEN_SHARE = 0.15  # of a source's characters, where a language is paired with itself


class Translator(NamedTuple):
    """A trained model, the pairs of languages that it was trained on, and where its language token stands."""

    parameters: Parameters
    pairs: tuple[Pair, ...]
    where: Where


# --- pairs of languages --------------------------------------------------------------------------------------


def all_pairs() -> list[Pair]:
    """Every two of the languages, in order.

    >>> len(all_pairs())
    78
    """
    return list(combinations(LANGUAGES, 2))


def draw_pairs(count: int, seed: int) -> tuple[Pair, ...]:
    """So many pairs, drawn by the seed: first twelve that join all languages, as branches join a tree, then any.

    More pairs by the same seed begin with the fewer. No pairs at all are the pairs of each language with itself.

    >>> len(draw_pairs(39, seed=0)), draw_pairs(39, seed=0)[:20] == draw_pairs(20, seed=0)
    (39, True)

    Raises ValueError for a count that is neither 0 nor from 12 to 78: with fewer, a language would be left out.
    """
    if count == 0:
        return tuple((language, language) for language in LANGUAGES)
    least, most = len(LANGUAGES) - 1, len(all_pairs())
    if not least <= count <= most:
        raise ValueError(f"The number of pairs must be 0 or from {least} to {most}, not {count}.")
    random = np.random.default_rng([seed, 25])
    order = random.permutation(len(LANGUAGES))
    branches = [sorted((order[i], order[random.integers(i)])) for i in range(1, len(order))]
    tree = [(LANGUAGES[i], LANGUAGES[j]) for i, j in branches]
    rest = [pair for pair in all_pairs() if pair not in tree]
    return tuple((tree + [rest[i] for i in random.permutation(len(rest))])[:count])


def both_ways(pairs: Sequence[Pair]) -> list[Pair]:
    """Each pair as (source, target) in both directions; a language with itself has one.

    >>> both_ways([("ISO", "Greek")])
    [('ISO', 'Greek'), ('Greek', 'ISO')]
    """
    return list(pairs) + [(target, source) for source, target in pairs if source != target]


def never_together(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of two languages that are not among those given."""
    return [pair for pair in all_pairs() if pair not in set(both_ways(pairs))]


def path(pairs: Sequence[Pair], source: str, target: str) -> list[Pair]:
    """The fewest steps through the pairs that lead from source to target (breadth-first search).

    >>> path([("ISO", "Greek"), ("Hindi", "ISO")], "Greek", "Hindi")
    [('Greek', 'ISO'), ('ISO', 'Hindi')]

    Raises ValueError where no steps lead there.
    """
    ways, steps = {source: []}, both_ways(pairs)
    for language in (queue := [source]):
        for step in steps:
            if step[0] == language and step[1] not in ways:
                ways[step[1]] = [*ways[language], step]
                queue.append(step[1])
    if target not in ways:
        raise ValueError(f"No pairs lead from {source} to {target}.")
    return ways[target]


# --- tokens --------------------------------------------------------------------------------------------------


@cache
def characters() -> str:
    """Every character of the dates in all languages, in order; a character's place is its token, counted from
    FIRST_CHARACTER."""
    days = [(2004, day) for day in range(366)] + [(year, 5) for year in (1987, 2056, 1936)]
    table = [dates.write(dates.as_date(day), language) for language in LANGUAGES for day in days]
    return "".join(sorted(set("".join(table))))


def encode(text: str) -> list[int]:
    """A text's characters as tokens; what the model has never seen is left out.

    >>> encode("5") == [FIRST_CHARACTER + characters().index("5")], encode("\u706b")
    (True, [])
    """
    return [FIRST_CHARACTER + characters().index(c) for c in text if c in characters()]


def decode(tokens: Sequence[int]) -> str:
    """The text of a target's tokens, up to END.

    >>> decode([*encode("5 mars"), END, *encode("x")])
    '5 mars'
    """
    tokens = [int(token) for token in tokens]
    end = tokens.index(END) if END in tokens else len(tokens)
    return "".join(characters()[token - FIRST_CHARACTER] for token in tokens[:end] if token >= FIRST_CHARACTER)


@cache
def _written_days() -> tuple[np.ndarray, np.ndarray]:
    """Every day of a leap year in every language: tokens (languages, 366, 24), and how many of them.

    -4 to -1 stand for the four digits of the year.
    """
    tokens = np.full((len(LANGUAGES), 366, LONGEST_TARGET), UNUSED, np.int32)
    for number, language in enumerate(LANGUAGES):
        for day in range(366):
            date = dates.as_date((2004, day))
            row = np.array(encode(dates.write(date, language)))
            row[[field == "y" for field in dates.fields(date, language)]] = range(-4, 0)
            tokens[number, day, : len(row)] = row
    return tokens, (tokens != UNUSED).sum(axis=-1)


@cache
def _zeros() -> np.ndarray:
    """The token of the digit 0 as each language writes it (Egypt's has a script of its own)."""
    new_years_day = dates.as_date((2000, 0))
    places = [dates.fields(new_years_day, language).index("y") + 1 for language in LANGUAGES]
    zeros = [dates.write(new_years_day, language)[place] for language, place in zip(LANGUAGES, places, strict=True)]
    return np.array([encode(zero)[0] for zero in zeros])


def written(languages: np.ndarray, some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dates (N, 2) in so many languages (N,), given by number: tokens (N, 24) and how many of them (N,)."""
    tokens, lengths = (array[languages, some[:, 1]] for array in _written_days())
    digits = some[:, :1] // [1000, 100, 10, 1] % 10 + _zeros()[languages][:, None]
    rows, places = np.nonzero(tokens < 0)
    tokens[rows, places] = digits[rows, tokens[rows, places] + 4]
    return tokens, lengths


def training_rows(
    sources: np.ndarray, targets: np.ndarray, some: np.ndarray, where: Where
) -> tuple[np.ndarray, np.ndarray]:
    """Dates (N, 2) from languages to languages (N,), given by number: rows (N, 47), and where their targets begin.

    Where a language is paired with itself, the rows are 51 tokens long.
    """
    (source, m), (target, n) = written(sources, some), written(targets, some)
    length = ROW if (sources != targets).all() else ROW_ALONE
    rows, each = np.full((len(some), length), UNUSED, np.int32), np.arange(len(some))
    rows[:, 0] = FIRST_LANGUAGE + targets if where == "before the source" else START
    i, j = np.nonzero(np.arange(LONGEST_TARGET) < m[:, None])
    rows[i, 1 + j] = source[i, j]
    rows[each, 1 + m] = FIRST_LANGUAGE + targets if where == "before the target" else TURN
    i, j = np.nonzero(np.arange(LONGEST_TARGET) < n[:, None])
    rows[i, 2 + m[i] + j] = target[i, j]
    rows[each, 2 + m + n] = END
    return rows, m + 2


def asking_rows(texts: Sequence[str], targets: Sequence[str], where: Where) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, 67) that ask for each text in its target language, and where the answers begin: (N,).

    Raises ValueError for a text of more than 40 characters, or one with none that the model knows.
    """
    rows, starts = np.full((len(texts), ASKED_ROW), UNUSED, np.int32), np.zeros(len(texts), np.int32)
    for i, (text, target) in enumerate(zip(texts, targets, strict=True)):
        source, language = encode(text), FIRST_LANGUAGE + LANGUAGES.index(target)
        if not 0 < len(source) <= LONGEST_SOURCE:
            count = "no character that" if not source else f"{len(source)} characters; {LONGEST_SOURCE} are the most"
            raise ValueError(f"The text has {count} the model can read.")
        before = language if where == "before the source" else START
        turn = language if where == "before the target" else TURN
        rows[i, : len(source) + 2], starts[i] = [before, *source, turn], len(source) + 2
    return rows, starts


# --- training ------------------------------------------------------------------------------------------------


def batches(pairs: Sequence[Pair], where: Where, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Endless batches of training rows (22, 47): pair, direction and date are drawn evenly.

    Where a language is paired with itself, some of the source's characters are hidden, or to copy would do.
    """
    random = np.random.default_rng([seed, 52])
    known, steps = dates.all_dates(held_out=False), both_ways(pairs)
    numbered = np.array([[LANGUAGES.index(language) for language in step] for step in steps])
    while True:
        some = known[random.integers(len(known), size=BATCH)]
        sources, targets = numbered[random.integers(len(numbered), size=BATCH)].T
        rows, starts = training_rows(sources, targets, some, where)
        hidden = random.random(rows.shape) < HIDDEN_SHARE * (sources == targets)[:, None]
        place = np.arange(rows.shape[1])
        yield np.where(hidden & (place > 0) & (place < starts[:, None] - 1), UNUSED, rows), starts


def loss(parameters: Parameters, rows: Array, starts: Array) -> Array:
    """The mean surprise, in nats, at each character of the targets and at their END: rows (B, T), starts (B,)."""
    scores = models.transformer(parameters, rows[:, :-1], prefix=starts)
    chosen = jnp.take_along_axis(scores, rows[:, 1:, None], axis=-1)[..., 0]
    return jnp.mean(jax.nn.logsumexp(scores, axis=-1) - chosen, where=_is_target(rows, starts))


def _is_target(rows: Array, starts: Array) -> Array:
    """Which of the tokens after the first belong to a target: (B, T - 1)."""
    return (jnp.arange(1, rows.shape[1]) >= starts[:, None]) & (rows[:, 1:] != UNUSED)


def train(pairs: Sequence[Pair], where: Where = "before the source", seed: int = 0, steps: int = STEPS) -> Translator:
    """A translator of 0.36 million parameters, trained on the pairs for so many steps, with a bar meanwhile.

    train(draw_pairs(39, seed=0)).parameters["embedding"].shape  ->  (172, 96)
    """
    vocabulary = FIRST_CHARACTER + len(characters())
    parameters = models.transformer_parameters(jax.random.key(seed), vocabulary, WIDTH, LAYERS, HEADS)
    given = batches(pairs, where, seed)
    parameters, _ = training.fit(
        loss, parameters, given, lambda _: 0.0, steps=steps, every=steps, rate=RATE, whole=True
    )
    return Translator(parameters, tuple(pairs), where)


# --- asking --------------------------------------------------------------------------------------------------


@jax.jit
def greedy(parameters: Parameters, rows: Array, starts: Array) -> Array:
    """The likeliest token after all before it, one after another: rows (B, 67), starts (B,) -> tokens (B, 25)."""
    each = jnp.arange(len(rows))

    def say_next(state):
        step, rows, ended = state
        scores = models.transformer(parameters, rows, prefix=starts)[each, starts + step - 1]
        token = jnp.where(ended, END, scores.argmax(axis=-1))
        return step + 1, rows.at[each, starts + step].set(token), ended | (token == END)

    def goes_on(state):
        return (state[0] <= LONGEST_TARGET) & ~state[2].all()

    first = (jnp.array(0), rows, jnp.zeros(len(rows), bool))
    rows = jax.lax.while_loop(goes_on, say_next, first)[1]
    return jnp.take_along_axis(rows, starts[:, None] + jnp.arange(LONGEST_TARGET + 1), axis=1)


def translate(translator: Translator, texts: Sequence[str], targets: Sequence[str], at_once: int = 64) -> list[str]:
    """Each text in its target language, as the model writes it.

    A single text, or `at_once` of them at a time, so that few shapes are compiled. Raises ValueError for a text that
    is too long or has no character that the model knows.
    """
    rows, starts = asking_rows(texts, targets, translator.where)
    if len(texts) == 1:
        return [decode(np.asarray(greedy(translator.parameters, rows, starts))[0])]
    answers = []
    for first in range(0, len(texts), at_once):
        chosen = np.resize(np.arange(first, min(first + at_once, len(texts))), at_once)
        answers += [decode(a) for a in np.asarray(greedy(translator.parameters, rows[chosen], starts[chosen]))]
    return answers[: len(texts)]


@jax.jit
def _all_likeliest(parameters: Parameters, rows: Array, starts: Array) -> Array:
    likeliest = models.transformer(parameters, rows[:, :-1], prefix=starts).argmax(axis=-1)
    return ((likeliest == rows[:, 1:]) | ~_is_target(rows, starts)).all(axis=1)


def is_exact(translator: Translator, steps: Sequence[Pair], some: np.ndarray) -> np.ndarray:
    """Whether the model writes every character of each date (N, 2) right, for each (source, target): (steps, N).

    Its answer is the right one if, given the right characters before, each right character is its likeliest next:
    one look at the whole row tells, and nothing has to be written.
    """
    numbered = np.array([[LANGUAGES.index(language) for language in step] for step in steps])
    sources, targets = np.repeat(numbered, len(some), axis=0).T
    asked = np.tile(some, (len(steps), 1))
    rows, starts = training_rows(sources, targets, asked, translator.where)
    chosen = np.resize(np.arange(len(rows)), (-(-len(rows) // 256), 256))  # repeats rows to fill the last batch
    exact = [np.asarray(_all_likeliest(translator.parameters, rows[at], starts[at])) for at in chosen]
    return np.concatenate(exact)[: len(rows)].reshape(len(steps), len(some))


def attention(translator: Translator, source: str, target: str, answer: str) -> np.ndarray:
    """What each character of an answer was written with an eye on: (layers, H, answer's, source's characters).

    Shares of the source's characters alone, which sum to one.

        attention(translator, "2019-03-05", "Spanish", "5 de marzo de 2019").shape  ->  (3, 4, 18, 10)
    """
    rows, starts = asking_rows([source], [target], translator.where)
    said = encode(answer)
    rows[0, starts[0] : starts[0] + len(said)] = said
    weights = np.asarray(_weights(translator.parameters, rows, starts))[0]
    asks = slice(starts[0] - 1, starts[0] - 1 + len(said))
    across = weights[:, :, asks, 1 : starts[0] - 1]
    return across / across.sum(axis=-1, keepdims=True)


@jax.jit
def _weights(parameters: Parameters, rows: Array, starts: Array) -> Array:
    return models.attention_weights(parameters, rows, prefix=starts)
