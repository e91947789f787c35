"""Lesson 2.5, translation: dates in many languages, a small translator of them, and what its recording measures."""

import datetime

import numpy as np

from helpers.recordings import Row, Table
from helpers.recordings.translation import dates, translator

# How many of the 78 pairs of two languages are seen (0: each language with itself alone), and with how many seeds.
LEVELS = {
    "before the source": {39: 5, 0: 5, 12: 3, 26: 3, 60: 3},
    "none": {39: 2, 12: 2},
    "before the target": {39: 2, 12: 2, 0: 2},
}
ASKED_DATES = 20  # held-out dates for each pair and direction
EXAMPLES = (
    ("English", "German"),
    ("German", "Spanish"),
    ("Korean", "Japanese"),
    ("Greek", "Arabic"),
    ("Hindi", "Vietnamese"),
    ("ISO", "Russian"),
)
EXAMPLE_DATE = (1987, 64)  # 5 March
WRITTEN_DATES = 1  # of them, for which the answers are written out


def asked_dates(seed: int, count: int = ASKED_DATES) -> np.ndarray:
    """Held-out dates drawn by the seed: (count, 2).

    >>> asked_dates(0).shape
    (20, 2)
    """
    held_out = dates.all_dates(held_out=True)
    return held_out[np.random.default_rng([seed, 7]).choice(len(held_out), count, replace=False)]


def hit_shares(trained: translator.Translator, directions: list[translator.Pair], some: np.ndarray) -> dict:
    """How often attention falls on the right field: the i-th direction (source, target) with the i-th date (N, 2).

    Of all the answers' day, month and year characters, `heads` (layers, H) has the share whose largest attention, over
    the source's characters, falls on the same field. Three guessers stand beside it: `straight across` looks as far
    along in the source as the answer has come, `at random` at any character (its expected share), and
    `always one field` at the field that most of the answers' characters belong to.
    """
    found = [_hits(trained, dates.as_date(date), *way) for date, way in zip(some, directions, strict=True)]
    heads, across, random, of_answer = (np.concatenate(part, axis=-1) for part in zip(*found, strict=True))
    one_field = max(np.mean(of_answer == field) for field in "dmy")
    shares = {"straight across": across.mean(), "at random": random.mean(), "always one field": one_field}
    return {"heads": heads.mean(axis=-1), **{name: float(share) for name, share in shares.items()}}


def _hits(trained: translator.Translator, date: datetime.date, source: str, target: str) -> tuple[np.ndarray, ...]:
    """For each of an answer's characters in a field: hits of the heads (layers, H, N), of a guesser that looks straight
    across (N,), the expected hits of one at random (N,), and the field (N,)."""
    of_answer, of_source = (np.array(list(dates.fields(date, language))) for language in (target, source))
    shares = translator.attention(trained, dates.write(date, source), target, dates.write(date, target))
    is_right = of_source == of_answer[:, None]
    across = np.linspace(0, len(of_source) - 1, len(of_answer)).round().astype(int)
    heads = of_source[shares.argmax(axis=-1)] == of_answer
    judged = of_answer != "-"
    straight = is_right[np.arange(len(of_answer)), across]
    return heads[..., judged], straight[judged], is_right.mean(axis=1)[judged], of_answer[judged]


def score(trained: translator.Translator, seed: int) -> dict[str, float]:
    """How a translator does with held-out dates: shares of right answers.

    `seen`: in the pairs of its training; `unseen`: in pairs that were never together; `pivot`: in the same pairs by
    way of others, through the fewest seen steps, right where each step is; `elsewhere`: right dates of unseen pairs in
    another language than the one asked for (on one date, written out); `copied`: answers that are the source itself.
    """
    some = asked_dates(seed)
    steps = translator.both_ways(trained.pairs)
    exact = translator.is_exact(trained, steps, some)
    found = {"seen": exact.mean(), "unseen": -1.0, "pivot": -1.0, "elsewhere": -1.0, "copied": -1.0}
    unseen = translator.both_ways(translator.never_together(trained.pairs))
    if not unseen:
        return found
    found["unseen"] = translator.is_exact(trained, unseen, some).mean()
    if any(source != target for source, target in trained.pairs):
        right = dict(zip(steps, exact, strict=True))
        ways = [translator.path(trained.pairs, *step) for step in unseen]
        found["pivot"] = np.mean([np.all([right[step] for step in way], axis=0) for way in ways])
    asked = [(dates.as_date(date), *step) for date in some[:WRITTEN_DATES] for step in unseen]
    sources = [dates.write(date, source) for date, source, _ in asked]
    answers = translator.translate(trained, sources, [target for *_, target in asked])
    other = [
        answer in {dates.write(date, language) for language in dates.LANGUAGES} - {dates.write(date, target)}
        for answer, (date, _, target) in zip(answers, asked, strict=True)
    ]
    copied = [answer == source for answer, source in zip(answers, sources, strict=True)]
    return found | {"elsewhere": np.mean(other), "copied": np.mean(copied)}


def measure(where: translator.Where, pairs: int, seed: int) -> Row:
    """One point of the recording: a translator trained on so many pairs, its shares of right answers, and how it
    translates 5 March 1987 in the directions of EXAMPLES."""
    trained = translator.train(translator.draw_pairs(pairs, seed), where, seed)
    shares = {name: round(float(share), 4) for name, share in score(trained, seed).items()}
    texts = [dates.write(dates.as_date(EXAMPLE_DATE), source) for source, _ in EXAMPLES]
    said = translator.translate(trained, texts, [target for _, target in EXAMPLES])
    return shares | {"examples": ";".join(said)}


def _points() -> list[Row]:
    return [
        {"where": where, "pairs": pairs, "seed": seed}
        for where, levels in LEVELS.items()
        for pairs, seeds in levels.items()
        for seed in range(seeds)
    ]


TABLES = [Table("2_5_zero_shot", _points(), measure, at_once=2)]
