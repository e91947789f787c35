"""Dates in twelve languages against Babel, the translator's pairs, rows and answers, and its hand-countable shares."""

import datetime
import itertools
import unicodedata

import jax
import numpy as np
import pytest
from babel.dates import format_date
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import models
from helpers.recordings import translation as lesson
from helpers.recordings.translation import dates, translator

some_date = st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31))
next_scores = jax.jit(models.transformer)
some_language = st.sampled_from(dates.LANGUAGES)


@pytest.fixture(scope="module")
def untrained():
    """A translator with random numbers everywhere, so that every part of it matters to the answer."""
    vocabulary = translator.FIRST_CHARACTER + len(translator.characters())
    parameters = models.transformer_parameters(jax.random.key(0), vocabulary, 32, 2, 4)
    random = np.random.default_rng(1)
    parameters = {name: np.asarray(a) + 0.3 * random.standard_normal(a.shape, "f") for name, a in parameters.items()}
    return translator.Translator(parameters, translator.draw_pairs(20, seed=0), "before the source")


# --- dates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "style", "text"),
    [
        ("ISO", "long", "2019-03-05"),
        ("English", "long", "March 5, 2019"),
        ("German", "full", "Dienstag, 5. März 2019"),
        ("Finnish", "medium", "5.3.2019"),
        ("Arabic", "medium", "٠٥/٠٣/٢٠١٩"),
        ("Russian", "long", "5 марта 2019 г."),
        ("Korean", "long", "2019년 3월 5일"),
        ("en_GB", "long", "5 March 2019"),
    ],
)
def test_dates_as_they_are_written(language, style, text):
    assert dates.write(datetime.date(2019, 3, 5), language, style) == text


@given(some_date, st.sampled_from([name for name in dates.LANGUAGES if name != "ISO"]))
def test_a_written_date_is_babels_but_for_spaces_marks_and_digits(date, language):
    theirs = format_date(date, "long", dates.LOCALES[language]).replace("\u202f", " ")
    assert dates.digits_in(dates.write(date, language)) == "".join(c for c in theirs if unicodedata.category(c) != "Cf")


@given(some_date, some_language, st.sampled_from(["long", "medium", "full"]))
def test_the_fields_hold_the_day_and_the_year(date, language, style):
    text, kinds = dates.write(date, language, style), dates.fields(date, language, style)
    assert len(text) == len(kinds)
    held = {f: dates.digits_in("".join(c for c, k in zip(text, kinds, strict=True) if k == f)) for f in "dmy"}
    assert (int(held["d"]), int(held["y"])) == (date.day, date.year)
    assert held["m"]


def test_the_dates_of_two_centuries_are_split_without_overlap():
    parts = [set(map(tuple, dates.all_dates(held_out).tolist())) for held_out in (True, False)]
    assert not parts[0] & parts[1]
    written = {dates.as_date(pair) for part in parts for pair in part}
    first, last = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
    assert (len(written), min(written), max(written)) == ((last - first).days + 1, first, last)


def test_two_days_are_never_written_alike():
    for language in dates.LANGUAGES:
        assert len({dates.write(dates.as_date((2004, day)), language) for day in range(366)}) == 366


# --- pairs of languages --------------------------------------------------------------------------------------


@given(st.integers(12, 78), st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_drawn_pairs_join_all_languages_and_leave_the_others(count, seed):
    pairs = translator.draw_pairs(count, seed)
    assert len(set(map(frozenset, pairs))) == count
    assert sorted([*pairs, *translator.never_together(pairs)]) == sorted(translator.all_pairs())
    for source, target in itertools.permutations(dates.LANGUAGES, 2):
        way = translator.path(pairs, source, target)
        assert (way[0][0], way[-1][1]) == (source, target)
        assert all(before[1] == after[0] for before, after in itertools.pairwise(way))
        assert set(way) <= set(translator.both_ways(pairs))
        assert (len(way) == 1) == ((source, target) in translator.both_ways(pairs))


def test_the_way_is_the_shortest():
    ring = [("ISO", "Greek"), ("Greek", "Hindi"), ("Hindi", "Korean"), ("Korean", "German"), ("German", "ISO")]
    assert translator.path(ring, "ISO", "Korean") == [("ISO", "German"), ("German", "Korean")]


def test_no_pairs_are_each_language_with_itself():
    assert translator.both_ways(translator.draw_pairs(0, seed=3)) == [(name, name) for name in dates.LANGUAGES]
    assert len(translator.never_together(translator.draw_pairs(0, seed=3))) == 78


@pytest.mark.parametrize("count", [1, 11, 79, -1])
def test_a_count_that_leaves_a_language_out_is_refused(count):
    with pytest.raises(ValueError, match="must be 0 or from 12 to 78"):
        translator.draw_pairs(count, seed=0)


# --- tokens --------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(some_language, some_language, some_date), min_size=1, max_size=4), st.sampled_from(range(3)))
@settings(max_examples=20, deadline=None)
def test_a_training_row_holds_source_and_target_as_babel_writes_them(asked, kind):
    where = ("before the source", "before the target", "none")[kind]
    sources, targets = (np.array([dates.LANGUAGES.index(step[i]) for step in asked]) for i in (0, 1))
    day = {
        (date.month, date.day): number for number, date in enumerate(map(dates.as_date, zip([2004] * 366, range(366))))
    }
    some = np.array([[date.year, day[date.month, date.day]] for *_, date in asked])
    rows, starts = translator.training_rows(sources, targets, some, where)
    for row, start, (source, target, date) in zip(rows.tolist(), starts, asked, strict=True):
        token = translator.FIRST_LANGUAGE + dates.LANGUAGES.index(target)
        assert row[0] == (token if where == "before the source" else translator.START)
        assert row[start - 1] == (token if where == "before the target" else translator.TURN)
        assert translator.decode(row[1 : start - 1]) == dates.write(date, source)
        assert translator.decode(row[start:]) == dates.write(date, target)
        assert row.index(translator.END) == start + len(dates.write(date, target))


def test_training_asks_hidden_dates_never_and_hides_characters_only_from_itself():
    rows, starts = next(translator.batches([("ISO", "ISO")], "before the source", seed=0))
    hidden = [(row[1 : start - 1] == translator.UNUSED).mean() for row, start in zip(rows, starts, strict=True)]
    assert 0.05 < np.mean(hidden) < 0.3
    given_batches = translator.batches([("ISO", "Greek")], "none", seed=0)
    held_out = {dates.as_date(date).isoformat() for date in dates.all_dates(held_out=True)}
    for rows, starts in itertools.islice(given_batches, 50):
        texts = {translator.decode(row[1 : start - 1]) for row, start in zip(rows.tolist(), starts, strict=True)}
        assert not texts & held_out
        assert not any((row[1 : start - 1] == translator.UNUSED).any() for row, start in zip(rows, starts, strict=True))


@pytest.mark.parametrize(
    ("text", "message"), [("", "no character"), ("火", "no character"), ("5" * 41, "41 characters")]
)
def test_a_text_that_it_cannot_read_is_refused_in_a_sentence(text, message):
    with pytest.raises(ValueError, match=message):
        translator.asking_rows([text], ["Greek"], "none")


# --- the model -----------------------------------------------------------------------------------------------


def test_the_loss_is_the_mean_surprise_at_answers_alone(untrained):
    rows, starts = next(translator.batches(untrained.pairs, untrained.where, seed=0))
    scores = next_scores(untrained.parameters, rows, starts)
    surprise = -np.asarray(jax.nn.log_softmax(scores))
    expected = [
        surprise[i, place - 1, row[place]]
        for i, (row, start) in enumerate(zip(rows, starts, strict=True))
        for place in range(start, row.tolist().index(translator.END) + 1)
    ]
    assert float(jax.jit(translator.loss)(untrained.parameters, rows, starts)) == pytest.approx(
        np.mean(expected), rel=1e-4
    )


def test_greedy_answers_are_those_written_token_by_token(untrained):
    texts, targets = ["2019-03-05", "5 Μαρτίου 2019", "March 5, 2019"], ["Greek", "Korean", "ISO"]
    for text, target, said in zip(
        texts, targets, translator.translate(untrained, texts, targets, at_once=3), strict=True
    ):
        rows, (start,) = translator.asking_rows([text], [target], untrained.where)
        for place in range(start, translator.ASKED_ROW - (40 - len(text))):
            scores = next_scores(untrained.parameters, rows, np.array([start]))
            rows[0, place] = scores[0, place - 1].argmax()
            if rows[0, place] == translator.END:
                break
        assert translator.decode(rows[0, start:]) == said


def test_an_answer_does_not_depend_on_the_others(untrained):
    texts = ["2019-03-05", "5 Μαρτίου 2019", "March 5, 2019", "1999-12-31"]
    together = translator.translate(untrained, texts, ["Greek"] * 4, at_once=3)
    assert together == [translator.translate(untrained, [text], ["Greek"])[0] for text in texts]


def test_exact_is_what_greedy_decoding_writes_after_a_little_training(monkeypatch):
    monkeypatch.setattr(translator, "WIDTH", 32)
    monkeypatch.setattr(translator, "LAYERS", 2)
    pair = [("ISO", "Japanese")]
    trained = translator.train(pair, seed=0, steps=90)
    some = lesson.asked_dates(0, count=12)
    exact = translator.is_exact(trained, translator.both_ways(pair), some)
    for (source, target), line in zip(translator.both_ways(pair), exact, strict=True):
        days = [dates.as_date(date) for date in some]
        said = translator.translate(
            trained, [dates.write(day, source) for day in days], [target] * len(days), at_once=12
        )
        assert [a == dates.write(day, target) for a, day in zip(said, days, strict=True)] == line.tolist()


def test_attention_rows_sum_to_one_over_the_source(untrained):
    shares = translator.attention(untrained, "2019-03-05", "Spanish", "5 de marzo de 2019")
    assert shares.shape == (2, 4, 18, 10)
    assert np.allclose(shares.sum(axis=-1), 1, atol=1e-5)


def test_hits_by_hand(untrained, monkeypatch):
    shares = np.zeros((2, 1, 10, 10))
    shares[0, 0, range(10), range(10)] = 1  # the first head looks straight across, the second at the year alone
    shares[1, 0, :, 3] = 1
    monkeypatch.setattr(translator, "attention", lambda *_: shares)
    found = lesson.hit_shares(untrained, [("ISO", "ISO")] * 2, np.array([[2019, 64], [1987, 5]]))
    assert found["heads"].tolist() == [[1], [0.5]]
    assert (found["straight across"], found["always one field"]) == (1, 0.5)
    assert found["at random"] == pytest.approx((4 * 0.4 + 4 * 0.2) / 8)


@given(st.lists(st.tuples(some_language, some_language), min_size=1, max_size=3), st.integers(0, 300))
@settings(max_examples=10, deadline=None)
def test_hits_counted_one_by_one(untrained, directions, first):
    some = dates.all_dates(held_out=True)[first : first + len(directions)]
    hits, judged = np.zeros((2, 4)), 0
    for date, (source, target) in zip(map(dates.as_date, some), directions, strict=True):
        shares = translator.attention(untrained, dates.write(date, source), target, dates.write(date, target))
        for place, field in enumerate(dates.fields(date, target)):
            if field != "-":
                judged += 1
                for layer, head in np.ndindex(2, 4):
                    looked = shares[layer, head, place].tolist()
                    hits[layer, head] += dates.fields(date, source)[looked.index(max(looked))] == field
    assert lesson.hit_shares(untrained, directions, some)["heads"] == pytest.approx(hits / judged)


def test_a_detour_counts_where_each_step_is_right(monkeypatch):
    pairs = (("ISO", "Greek"), ("Greek", "Hindi"))
    right = {
        ("ISO", "Greek"): [1, 1, 0],
        ("Greek", "Hindi"): [1, 0, 1],
        ("Greek", "ISO"): [1, 1, 1],
        ("Hindi", "Greek"): [1, 1, 1],
    }
    monkeypatch.setattr(translator, "never_together", lambda pairs: [("ISO", "Hindi")])
    monkeypatch.setattr(
        translator, "is_exact", lambda _, steps, some: np.array([right.get(step, [0, 0, 1]) for step in steps], bool)
    )
    monkeypatch.setattr(translator, "translate", lambda _, texts, targets: [texts[0], "wrong"])
    found = lesson.score(translator.Translator({}, pairs, "none"), seed=0)
    assert found["seen"] == pytest.approx(10 / 12)
    assert found["unseen"] == pytest.approx(1 / 3)
    assert found["pivot"] == pytest.approx((1 + 3) / 6)
    assert (found["elsewhere"], found["copied"]) == (0.5, 0.5)
