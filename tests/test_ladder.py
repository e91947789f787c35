"""Lesson 3.2's ladder: counts, the grammar against a slow parser, spoilt text, and the cleverer designs."""

from functools import partial
from itertools import islice

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

from helpers import data, models
from helpers.recordings import scaling_laws as lesson
from helpers.recordings.scaling_laws import changes, clever, grammar, ladder
from helpers.recordings.scaling_laws.ladder import GRAMMAR, SOURCE

VOCABULARY, LENGTH = 11, 7
SMALL = ladder.design(12)._replace(heads=2, context=LENGTH)
TOKENS = np.random.default_rng(0).integers(0, VOCABULARY, (2, LENGTH))


def multiplied(jaxpr):
    """Multiplications of all matrix products in a traced function; a loop's body counts as often as it runs."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (over, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            total += equation.outvars[0].aval.size * int(np.prod([left[axis] for axis in over]))
        inside = sum(multiplied(getattr(one, "jaxpr", one)) for one in jaxprs_in_params(equation.params))
        total += equation.params.get("length", 1) * inside
    return total


@pytest.mark.parametrize("width", [8, 16, 24, 128])
def test_sizes_are_those_of_the_arrays(width):
    found = ladder.fresh(ladder.design(width), 0)
    assert ladder.size(width) == sum(array.size for array in found.values())
    inside = sum(array.size for name, array in found.items() if name not in ("embedding", "head"))
    assert ladder.size(width, embeddings=False) == inside


def test_all_texts_have_as_many_tokens():
    assert grammar.TOKENS == len(data.library_text().characters) == ladder.VOCABULARY


def parsed(tokens):
    """The surprise at each token of whole sentences, by rules alone: a parser that goes down and up again."""
    known, found, place = grammar.language(), [], 0

    def take(chance):
        nonlocal place
        found.append(-np.log(chance))
        place += 1
        return tokens[place - 1]

    def noun(odds):
        return take(odds[tokens[place] - grammar.NOUN]) - grammar.NOUN

    def perhaps_further(who):
        """A clause after the noun, if there is one. That there is none is known with the token that follows."""
        if tokens[place] != grammar.THAT:
            return 1 - grammar.FURTHER
        take(grammar.FURTHER)
        return does_what(who, 1)

    def does_what(who, chance):
        verb = take(chance * known.does[who, tokens[place] - grammar.VERB]) - grammar.VERB
        return perhaps_further(noun(known.meets[verb]))

    while place < len(tokens):
        who = noun(known.first)
        chance = does_what(who, perhaps_further(who))
        assert take(chance) == grammar.STOP
    return found


def whole_sentences(rows, length, seed=0):
    for tokens, surprise in zip(*grammar.write(rows, np.random.default_rng(seed), length), strict=True):
        end = np.flatnonzero(tokens[1:] == grammar.STOP)[-1] + 1
        yield tokens[1 : end + 1], surprise[:end]


def test_the_truth_s_surprise_is_that_of_a_slow_parser():
    for tokens, surprise in whole_sentences(20, 200):
        np.testing.assert_allclose(surprise, parsed(tokens))


def test_the_odds_of_every_state_sum_to_one():
    np.testing.assert_allclose(grammar.odds().sum(axis=1), 1)


def test_the_entropy_is_the_mean_surprise_of_many_whole_sentences():
    sums = np.array([(surprise.sum(), len(tokens)) for tokens, surprise in whole_sentences(1_000, 400, seed=1)])
    spread = (sums[:, 0] - grammar.entropy() * sums[:, 1]).std() * len(sums) ** 0.5 / sums[:, 1].sum()
    assert sums[:, 0].sum() / sums[:, 1].sum() == pytest.approx(grammar.entropy(), abs=4 * spread)
    assert spread < 0.003


def test_what_judges_is_fixed_and_apart_from_what_is_learned():
    held_out, floor = grammar.judged("held_out")
    assert grammar.judged("development")[0].tolist() != held_out.tolist()
    assert floor == pytest.approx(grammar.entropy(), abs=0.05)
    first, again, other = (next(ladder.batches(GRAMMAR, seed))[0] for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any() and (first != held_out[: len(first)]).any()
    assert first.shape == (16, 65)


def test_no_batch_of_the_grammar_comes_twice():
    seen = [batch.tobytes() for (batch,) in islice(grammar.batches(0, 4), 200)]
    assert len(set(seen)) == 200


def test_a_quarter_of_the_windows_is_shuffled_and_no_more():
    batch = np.arange(16 * 65).reshape(16, 65)
    changed = next(changes.shuffled(iter([(batch,)]), 3))[0]
    spoilt = (changed != batch).any(axis=1)
    assert spoilt.sum() == 4 and (np.sort(changed, axis=1) == batch).all()


def test_one_character_in_ten_is_drawn_anew():
    batch = np.full((400, 65), 5, np.int32)
    changed, again = (next(changes.wrong(iter([(batch,)]), 3))[0] for _ in range(2))
    assert (changed == again).all() and changed.dtype == batch.dtype
    assert (changed != 5).mean() == pytest.approx(0.1 * 96 / 97, abs=0.01)
    assert len(np.unique(changed)) == ladder.VOCABULARY and (batch == 5).all()


def drawn(kind):
    """Parameters that are all random: nothing hides behind a zero."""
    fresh, random = clever.parameters(kind, jax.random.key(0), VOCABULARY, SMALL), np.random.default_rng(1)
    return {name: jnp.asarray(random.normal(0, 0.5, array.shape), jnp.float32) for name, array in fresh.items()}


def slow_fed_back(p, sequence):
    """The design that feeds back, position by position and head by head, as plain lists of vectors."""
    p = {name: np.asarray(array, np.float64) for name, array in p.items()}
    size = SMALL.width // SMALL.heads
    normal = lambda v: v / np.sqrt((v**2).mean() + 1e-6)  # noqa: E731
    cut = lambda v: [v[head * size : (head + 1) * size] for head in range(SMALL.heads)]  # noqa: E731

    def turned(v, place):
        half = len(v) // 2
        angle = place / 1000 ** (np.arange(half) / half)
        a, b = v[:half], v[half:]
        return np.concatenate([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)])

    shares = np.exp(p["remember"]) / np.exp(p["remember"]).sum()
    keys, values, before, found = [[np.zeros(size)] * SMALL.heads], [[np.zeros(size)] * SMALL.heads], 0.0, []
    for place, token in enumerate(sequence):
        x = normal(p["embedding"][token])
        x = x + (before @ p["hand on"][0] if place else 0)
        kept = shares[0] * x
        for layer in range(SMALL.layers):
            mixed = []
            for head, query in enumerate(cut(normal(x) @ p["query"][layer])):
                query = turned(normal(query), place) * p["sharpness"][layer, head]
                weights = np.exp([query @ key[head] / size**0.5 for key in keys])
                mixed.append(sum(w * value[head] for w, value in zip(weights / weights.sum(), values)))
            x = x + np.concatenate(mixed) @ p["mix"][layer]
            x = x + np.maximum(normal(x) @ p["up"][layer], 0) ** 2 @ p["down"][layer]
            kept = kept + shares[layer + 1] * x
        before = normal(kept)
        keys.append([turned(normal(key), place) for key in cut(before @ p["key"][0])])
        values.append(cut(before @ p["value"][0]))
        found.append(normal(x) @ p["head"])
    return np.array(found)


def test_feeding_back_equals_a_slow_one():
    parameters = drawn("fed back")
    found = clever.scores("fed back", parameters, TOKENS, SMALL)
    for sequence, scores in zip(TOKENS, found, strict=True):
        np.testing.assert_allclose(scores, slow_fed_back(parameters, sequence), rtol=2e-3, atol=2e-3)


def test_an_lstm_that_says_nothing_leaves_the_plain_transformer():
    parameters = drawn("LSTM first")
    silent = parameters | {"say": jnp.zeros_like(parameters["say"])}
    plain = models.transformer(parameters, TOKENS)
    np.testing.assert_allclose(clever.scores("LSTM first", silent, TOKENS, SMALL), plain, rtol=1e-4, atol=1e-4)
    assert not np.allclose(clever.scores("LSTM first", parameters, TOKENS, SMALL), plain, atol=0.1)


@pytest.mark.parametrize("kind", clever.KINDS)
def test_no_position_sees_what_comes_after_it(kind):
    parameters, other = drawn(kind), TOKENS.copy()
    other[:, 4] = (other[:, 4] + 1) % VOCABULARY
    one, two = (np.asarray(clever.scores(kind, parameters, tokens, SMALL)) for tokens in (TOKENS, other))
    np.testing.assert_allclose(one[:, :4], two[:, :4], rtol=1e-5, atol=1e-5)
    assert (np.abs(one - two)[:, 4:].max(axis=(0, 2)) > 1e-3).all()


@pytest.mark.parametrize("kind", clever.KINDS)
def test_multiplications_are_those_of_the_traced_products(kind):
    jaxpr = jax.make_jaxpr(partial(clever.scores, kind, design=SMALL))(drawn(kind), TOKENS).jaxpr
    assert multiplied(jaxpr) / TOKENS.size == clever.multiplications(kind, SMALL, VOCABULARY)


def test_a_run_is_the_same_again_and_another_seed_is_another_run():
    first, again, other = (ladder.run(GRAMMAR, 8, 3, seed, 0.06) for seed in (0, 0, 1))
    assert first == again != other
    assert 3.5 < first < np.log(97) + 0.1


def test_another_seed_reads_in_another_order(monkeypatch):
    same = ladder.fresh(ladder.design(8), 0)
    monkeypatch.setattr(ladder, "fresh", lambda design, seed: same)
    assert ladder.run(GRAMMAR, 8, 3, 0, 0.06) != ladder.run(GRAMMAR, 8, 3, 1, 0.06)


def test_training_learns_and_nothing_beats_the_floor():
    short, longer = (ladder.run(GRAMMAR, 16, steps, 0, 0.12) for steps in (5, 60))
    assert grammar.judged("held_out")[1] < longer < short - 0.5


def tried(*rows):
    return [dict(zip(("text", "width", "steps", "rate", "loss"), row)) for row in rows]


def test_the_rate_is_the_best_on_average_over_widths_at_the_nearest_length():
    nan = float("nan")
    rows = tried(
        (SOURCE, 16, 240, 0.1, 2.0), (SOURCE, 32, 240, 0.1, 2.0),
        (SOURCE, 16, 240, 0.2, 1.9), (SOURCE, 32, 240, 0.2, 2.05),
        (SOURCE, 16, 240, 0.4, 1.0), (SOURCE, 32, 240, 0.4, nan),  # one of its runs did not end
        (SOURCE, 16, 1920, 0.1, 1.5), (SOURCE, 16, 1920, 0.2, 1.6),
    )  # fmt: skip
    assert [ladder.best_rate(rows, steps, text=SOURCE) for steps in (60, 240, 480, 960, 1920)] == [0.2] * 3 + [0.1] * 2
    with pytest.raises(ValueError, match="no rate was tried"):
        ladder.best_rate(rows, 240, text=GRAMMAR)
    with pytest.raises(ValueError, match="came to an end"):
        ladder.best_rate(tried((SOURCE, 16, 240, 0.4, nan)), 240, text=SOURCE)


def test_of_two_lengths_as_near_the_longer_has_the_say():
    rows = tried((SOURCE, 16, 60, 0.2, 1.0), (SOURCE, 16, 240, 0.1, 1.0))
    assert ladder.best_rate(rows, 120, text=SOURCE) == ladder.best_rate(rows[::-1], 120, text=SOURCE) == 0.1


def test_the_hidden_width_is_never_tuned():
    assert ladder.HIDDEN in ladder.WIDTHS[SOURCE]
    assert ladder.HIDDEN not in {row["width"] for row in ladder.rates_tried()}


def test_recorded_runs_are_counted_in_parameters_characters_and_flops(monkeypatch):
    row = {"text": SOURCE, "width": 16, "steps": 60, "seed": 2, "rate": 0.1, "loss": 2.5}
    monkeypatch.setattr(ladder.recordings, "read", lambda name: [row] if name == "3_2_ladder" else None)
    (run,), (inside,) = (ladder.recorded(SOURCE, embeddings) for embeddings in (True, False))
    each = 6 * (2 * (12 * 16**2 + 2 * 64 * 16) + 16 * 97)  # multiplied forwards once, back twice, and added
    assert run == (9_250, 61_440, each * 61_440, 2.5, 2)
    assert inside == run._replace(size=9_250 - 2 * 97 * 16)


def test_spoilt_text_never_judges(monkeypatch):
    """A change is handed the batches to learn from; the windows that judge go past it."""
    asked = {}
    monkeypatch.setattr(changes.ladder, "run", lambda *args, **kept: asked.setdefault("given", (args, kept)) and 1.0)
    changes.run("one in ten wrong", 60, 2, 0.1)
    (text, width, steps, seed, rate, part, spoil), kept = asked["given"]
    assert (text, width, steps, seed, rate, part, kept) == (SOURCE, 32, 60, 2, 0.1, "held_out", {})
    batch = np.full((16, 65), 5, np.int32)
    assert (next(spoil(iter([(batch,)])))[0] != batch).any()


def test_each_change_is_trained_as_it_says():
    designs = {change: ladder.design(32, **changes.DESIGNS.get(change, {})) for change in changes.CHANGES}
    assert designs["Adam"].optimiser == "adam" and designs["no normalisation"].normalisation == "none"
    window = designs["window for attention"]
    assert not window.attention and window.convolution == "full"
    assert all(designs[change] == ladder.design(32) for change in changes.SPOILT)
    assert changes.rates_of("Adam") == ladder.RATES["adam"]
    assert changes.rates_of("one in ten wrong") == (0.015, *ladder.RATES["muon"], 0.48)


def test_the_tables_have_six_sizes_and_lengths_and_three_seeds_and_no_point_twice():
    for table in lesson.TABLES:
        assert table.name.startswith("3_2_")
        points = [tuple(point.items()) for point in table.points]
        assert len(set(points)) == len(points)
    tables = {table.name: table.points for table in lesson.TABLES}
    for name in ("3_2_ladder", "3_2_grammar"):
        for column, least in (("width", 6), ("steps", 6), ("seed", 3)):
            assert len({point[column] for point in tables[name]}) >= least
    assert len(tables["3_2_ladder"]) == 126 and len(tables["3_2_grammar"]) == 144


def test_no_character_is_read_twice():
    longest = max(ladder.LENGTHS[SOURCE]) * ladder.CHARACTERS
    assert longest < len(data.library_text().training)
