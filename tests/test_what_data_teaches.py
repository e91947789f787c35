"""Lesson 3.3's recordings: runs that are compared differ in nothing but what they are compared for."""

import inspect
from collections import Counter
from math import log, log2

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from helpers import data, models, recordings, training
from helpers.recordings import what_data_teaches as lesson
from helpers.recordings.rules_or_gradient_descent import digits
from helpers.recordings.the_transformer import learning, model
from helpers.recordings.what_data_teaches import drawings, garbage, rates, repeated, results, shock, structure, texts

TABLES = {table.name: table for table in lesson.TABLES}
POINTS = {name: table.points for name, table in TABLES.items()}


def written(tokens) -> str:
    return "".join(texts.documentation().characters[token] for token in tokens)


@pytest.fixture(autouse=True)
def a_rate(monkeypatch):
    """Rates as if they had been recorded."""
    monkeypatch.setattr(rates, "best", lambda experiment, system: rates.Setting(0.01, 0.0))


# The tables


@pytest.mark.parametrize("table", lesson.TABLES, ids=lambda table: table.name)
def test_every_point_is_asked_for_once_and_can_be_measured(table):
    assert len({tuple(point.items()) for point in table.points}) == len(table.points)
    for point in table.points:
        inspect.signature(table.measure).bind(**point)


def test_rates_come_first_and_cover_every_network_that_is_trained():
    assert lesson.TABLES[0].name == rates.TABLE
    tuned = {(point["experiment"], point["system"]) for point in POINTS["3_3_rates"]}
    asked = {("repeats", f"width {repeated.WIDTH}")}
    asked |= {("garbage", f"width {point['width']}") for point in POINTS["3_3_garbage"]}
    asked |= {("shock", point["system"]) for point in POINTS["3_3_shock"]}
    asked |= {
        (structure.tuned(point["images"]), point["system"])
        for point in POINTS["3_3_structure"]
        if point["system"] in structure.LEARNERS
    }
    assert tuned == asked


def test_every_mixed_run_has_its_pairs():
    found = {tuple(point.values()) for point in POINTS["3_3_garbage"]}
    for arm, width, share, seed in found:
        assert ("equal good text", width, 0.0, seed) in found
        if arm == "masked":
            assert ("equal good text", width, share, seed) in found
    assert all(("masked", width, 0.5, seed) in found for width in (32, 64) for seed in range(5))


def test_every_shock_has_its_twin_without_drawings():
    found = {tuple(point.values()) for point in POINTS["3_3_shock"]}
    assert all((system, "text alone", times, seed) in found for system, _, times, seed in found)


def test_repeats_have_fresh_text_of_as_many_steps_and_seeds_enough():
    runs = Counter((point["characters"], point["epochs"]) for point in POINTS["3_3_repeats"])
    assert [run for run, seeds in runs.items() if seeds < 2] == [(4 * repeated.UNIT, 64)]  # left out of the interval
    for characters, epochs in runs:
        assert (characters * epochs, 1) in runs or (epochs == 64 and characters == 4 * repeated.UNIT)


def test_the_best_setting_is_that_of_the_least_loss(monkeypatch):
    monkeypatch.undo()
    rows = [("a", 0.0, 0.1, 2.0), ("a", 0.5, 0.2, 1.0), ("a", 0.0, 0.4, float("nan")), ("b", 0.0, 0.3, 0.5)]
    names = ("system", "dropout", "rate", "development")
    table = [{"experiment": "shock"} | dict(zip(names, row)) for row in rows]
    monkeypatch.setattr(recordings, "read", lambda name: table)
    assert rates.best("shock", "a") == (0.2, 0.5)
    with pytest.raises(ValueError, match="'c'"):
        rates.best("shock", "c")


@pytest.mark.parametrize(
    "experiment", ["repeats", "garbage", "shock", "structure, 100 images", "structure, 1000 images"]
)
def test_tuning_goes_to_its_experiment(monkeypatch, experiment):
    modules = {"repeats": repeated, "garbage": garbage, "shock": shock, "structure": structure}
    for name, module in modules.items():
        monkeypatch.setattr(module, "tune", lambda *arguments, name=name: (name, *arguments))
    system = {"garbage": "width 32"}.get(experiment, "small")
    arguments = {"repeats": (0.1,), "garbage": (32, 0.1), "shock": ("small", 0.1)}
    arguments |= {f"structure, {images} images": ("small", 0.1, 0.5, images) for images in (100, 1_000)}
    assert lesson.tune(experiment, system, 0.5, 0.1) == (experiment.split(",")[0], *arguments[experiment])
    with pytest.raises(ValueError, match="'sleep'"):
        lesson.tune("sleep", system, 0.5, 0.1)


# Repeated text


def test_unique_text_is_one_piece_and_a_smaller_one_begins_a_larger():
    tokens = learning.parts().training
    small, large = repeated.unique(25_600, seed=1), repeated.unique(102_400, seed=1)
    assert np.array_equal(large[: len(small)], small)
    twice = np.concatenate([tokens, tokens])  # from the end it goes on at the beginning
    assert np.uint8(twice).tobytes().find(np.uint8(large).tobytes()) >= 0
    assert not np.array_equal(small, repeated.unique(25_600, seed=2))


@pytest.mark.parametrize("characters", [0, 25_000, 3_072_000])
def test_text_of_no_whole_steps_is_refused(characters):
    with pytest.raises(ValueError, match=f"{characters:,}"):
        repeated.unique(characters, seed=0)


@pytest.mark.parametrize("seed", range(5))
def test_an_epoch_reads_every_window_once_and_takes_the_same_steps(seed):
    places = np.arange(len(repeated.unique(repeated.UNIT, seed)))
    batches = training.random_windows(places, seed, repeated.BATCH)
    offsets = set()
    for _ in range(4):
        starts = np.sort(np.concatenate([next(batches)[0][:, 0] for _ in range(25)]))
        assert (np.diff(starts) == training.CONTEXT).all() and len(starts) == 400
        offsets.add(int(starts[0]))
    assert len(offsets) > 1  # the same text, cut in other places


def test_held_out_windows_are_not_in_the_text_to_learn_from():
    text = np.uint8(learning.parts().training).tobytes()
    found = [text.find(np.uint8(window).tobytes()) >= 0 for window in repeated.judged_by("held_out")[::10]]
    assert np.mean(found) < 0.02  # a licence or two


@pytest.fixture
def tiny_repeats(monkeypatch):
    monkeypatch.setattr(repeated, "WIDTH", 8)
    monkeypatch.setattr(repeated, "WINDOWS", {"development": 16, "held_out": 32})
    repeated.judged_by.cache_clear()
    yield
    repeated.judged_by.cache_clear()


def test_fresh_and_repeated_runs_are_judged_by_the_same_text(tiny_repeats, monkeypatch):
    judged, held_out_loss = [], training.held_out_loss

    def watched(parameters, windows):
        judged.append(windows)
        return held_out_loss(parameters, windows)

    monkeypatch.setattr(training, "held_out_loss", watched)
    rows = [repeated.measure(*run) for run in [(1024, 3, 0), (3072, 1, 1)]]
    assert [row["steps"] for row in rows] == [3, 3]
    ends, own = [judged[3:5], judged[9:11]], [judged[5], judged[11]]  # after three evaluations each
    expected = learning.spread(learning.parts().held_out, 32)
    assert all(np.array_equal(windows, expected) for end in ends for windows in end)
    assert not np.array_equal(*own)


def test_a_run_is_told_at_its_end_and_where_development_text_stops_it(tiny_repeats, monkeypatch):
    held_out_loss = training.held_out_loss
    said = iter([5.0, 1.0, *[3.0] * 10] * 3)  # the development losses after each of twelve steps, three times

    def scripted(parameters, windows):
        told = windows is repeated.judged_by("development")
        return next(said) if told else held_out_loss(parameters, windows)

    monkeypatch.setattr(training, "held_out_loss", scripted)
    row = repeated.measure(1024, 12, 0)
    last, best, _ = repeated.train(1024, 12, 0, 0.01)
    for parameters, name in ((last, "loss"), (best, "stopped_loss")):
        assert row[name] == pytest.approx(held_out_loss(parameters, repeated.judged_by("held_out")), abs=1e-4)
    assert row["stopped_loss"] != row["loss"]
    assert (row["stopped_at"], row["steps"]) == (2, 12)
    assert repeated.measure(1024, 12, 0) == row


# Garbage


@pytest.fixture
def little_text(monkeypatch):
    monkeypatch.setattr(garbage, "GOOD", 336)
    monkeypatch.setattr(garbage, "COMPUTE", 42)


def good_rows(arm, bad, seed=0):
    return np.concatenate([rows[: garbage.ROWS - bad] for rows, _ in garbage.batches(arm, bad, seed)])


def test_every_share_reads_the_same_good_text_in_the_same_order(little_text):
    alone = good_rows("equal good text", 0)
    assert alone.shape == (336, 65)
    for bad in garbage.GARBAGE_ROWS:
        for arm in ("equal good text", "masked"):
            assert np.array_equal(good_rows(arm, bad), alone)
    assert not np.array_equal(good_rows("equal good text", 0, seed=1), alone)
    for bad in garbage.GARBAGE_ROWS:
        some = good_rows("equal compute", bad)
        assert len(some) == 42 * (16 - bad)
        assert np.array_equal(some[: min(len(some), 336)], alone[: len(some)])


def test_the_real_number_of_good_rows_is_shared_without_a_rest():
    for bad in garbage.GARBAGE_ROWS:
        assert garbage.steps("equal good text", bad) * (garbage.ROWS - bad) == garbage.GOOD
    assert garbage.steps("equal good text", 8) == garbage.steps("equal compute", 8)
    assert len(texts.documentation().training) / training.CONTEXT - 1 > garbage.GOOD  # not one row twice


@pytest.mark.parametrize("bad", [2, 12])
def test_garbage_is_serial_numbers_and_never_the_same_twice(little_text, bad):
    rows = np.concatenate([rows[garbage.ROWS - bad :] for rows, _ in garbage.batches("equal good text", bad, 0)])
    assert len(rows) == bad * 336 // (16 - bad)
    assert written(np.concatenate([rows[0], rows[1, 1:]])) == drawings.serial_numbers(200, 0)[:129]
    seen = {row.tobytes() for row in rows}
    assert len(seen) == len(rows)
    assert not seen & {row.tobytes() for row in garbage.serial_rows(1_000, 20_000)}


def test_the_longest_run_has_garbage_enough():
    assert len(garbage.serial_rows(0)) >= 12 * garbage.steps("masked", 12)
    assert len(garbage.serial_rows(0)) >= 12 * garbage.steps("equal compute", 12)


def tiny(seed=0):
    fresh = models.transformer_parameters(jax.random.key(seed), len(texts.documentation().characters), 8, 1, 2)
    return fresh | {"head": jnp.asarray(np.random.default_rng(seed).standard_normal(fresh["head"].shape, np.float32))}


def test_masked_garbage_teaches_nothing_and_mixed_garbage_does(little_text):
    slope = jax.jit(jax.grad(garbage.weighted_loss))
    for arm, felt in (("masked", False), ("equal good text", True)):
        rows, weights = next(garbage.batches(arm, 8, 0))
        other = rows.copy()
        other[8:] = rows[:8]
        here, there = (slope(tiny(), some, weights)["head"] for some in (rows, other))
        assert bool(jnp.any(here != there)) == felt


def test_masked_loss_is_that_of_the_good_rows_and_mixed_loss_that_of_all(little_text):
    for arm, count in (("masked", 8), ("equal good text", 16)):
        rows, weights = next(garbage.batches(arm, 8, 0))
        expected = jax.jit(training.next_token_loss)(tiny(), rows[:count])
        assert float(jax.jit(garbage.weighted_loss)(tiny(), rows, weights)) == pytest.approx(float(expected), rel=1e-5)


def test_without_garbage_it_is_the_ordinary_loss(little_text):
    rows, weights = next(garbage.batches("equal good text", 0, 0))
    expected = float(jax.jit(training.next_token_loss)(tiny(), rows))
    assert float(jax.jit(garbage.weighted_loss)(tiny(), rows, weights)) == pytest.approx(expected, rel=1e-5)


def test_who_knows_nothing_pays_alike_for_every_sign():
    signs = len(texts.documentation().characters)
    blank = tiny() | {"head": jnp.zeros((8, signs))}
    assert garbage.good_loss(blank) == pytest.approx(log(signs), rel=1e-4)
    assert garbage.garbage_bits(blank) == pytest.approx(log2(signs), rel=1e-4)


def test_a_mixed_run_is_the_same_again_and_says_what_it_read(little_text):
    rows = [garbage.measure("masked", 8, 0.5, seed) for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]
    assert (rows[0]["steps"], rows[0]["good_rows"]) == (42, 336)
    mixed = garbage.measure("equal good text", 8, 0.5, 0)
    assert mixed["loss"] != rows[0]["loss"]
    assert mixed["garbage_bits"] < rows[0]["garbage_bits"]  # who saw serial numbers pays less for them


def test_other_arms_and_shares_are_refused():
    with pytest.raises(ValueError, match="'free'"):
        garbage.steps("free", 0)
    with pytest.raises(ValueError, match=r"0\.3"):
        garbage.rows_of(0.3)


# Shock


@pytest.fixture
def short(monkeypatch):
    """A course of 12 steps of text, 3 of drawings, and 5 of text, for a tiny model."""
    for name, value in {"BEFORE": 12, "ART": 3, "AFTER": 5, "WATCHED": (10, 18), "WARM_UP": 4, "WINDOWS": 48}.items():
        monkeypatch.setattr(shock, name, value)
    shock.art_rows.cache_clear()
    yield model.Design(layers=1, width=8, heads=2)
    shock.art_rows.cache_clear()


def test_one_alphabet_has_every_sign_that_can_come():
    for text in (drawings.pages(20_000, 1), drawings.serial_numbers(20_000, 1), data.text("python documentation")):
        training.encode(text, texts.documentation().characters)


def test_twins_read_the_same_text_and_only_one_reads_drawings(short):
    with_art, without = (list(shock.lessons(arm, 0)) for arm in ("art", "text alone"))
    assert len(with_art) == len(without) == 20
    assert [number for number, rows in enumerate(without) if rows is None] == [12, 13, 14]
    for number, rows in enumerate(without):
        if rows is not None:
            assert rows.shape == (16, 65) and np.array_equal(rows, with_art[number])
    drawn = np.concatenate(with_art[12:15])
    assert "".join(map(written, drawn[:, :-1])) == drawings.pages(3 * 16 * 64 + 1, 0)[: 3 * 16 * 64]


def test_text_alone_is_the_text_of_random_windows(short):
    batches = training.random_windows(texts.documentation().training, 5, 16)
    assert all(np.array_equal(rows, next(batches)[0]) for rows in list(shock.lessons("text alone", 5))[:12])


def test_the_filter_stops_most_drawings_and_little_text():
    art, text = shock.art_rows(0), texts.rows(texts.documentation().training)
    assert shock.passes(art).mean() < 0.2
    assert 0.005 < 1 - shock.passes(text).mean() < 0.15  # it does have false alarms


def test_the_filter_is_before_the_batches_and_they_are_full(short):
    lessons = list(shock.lessons("filtered", 0))
    batches = [rows for rows in lessons if rows is not None]
    assert all(rows.shape == (16, 65) and shock.passes(rows).all() for rows in batches)
    assert sum(rows is not None for rows in lessons[12:15]) == shock.passes(shock.art_rows(0)).sum() // 16
    assert all(rows is not None for rows in lessons[:12] + lessons[15:])


def test_a_gradient_is_shortened_to_the_limit_and_its_norm_told_before(short):
    characters = texts.documentation().characters
    parameters = model.parameters(jax.random.key(0), len(characters), short)
    rows = next(shock.lessons("art", 0))
    found = {}
    for limit in (np.inf, 0.01):
        memory = learning.memory(parameters, "adam")
        _, memory, norm = shock.step(short, parameters, memory, rows, np.float32(0.01), np.float32(limit))
        found[limit] = float(norm), float(optax.tree.norm(memory.mean))  # a tenth of the gradient that was used
    assert found[np.inf][0] == found[0.01][0] > 0.1
    assert found[np.inf][1] == pytest.approx(found[np.inf][0] / 10, rel=1e-4)
    assert found[0.01][1] == pytest.approx(0.001, rel=1e-4)
    unclipped, _ = learning.step(
        lambda p, tokens: model.scores(p, tokens, short),
        "adam",
        parameters,
        learning.memory(parameters, "adam"),
        rows,
        0.01,
    )
    again = shock.step(
        short, parameters, learning.memory(parameters, "adam"), rows, np.float32(0.01), np.float32(np.inf)
    )
    np.testing.assert_allclose(again[0]["head"], unclipped["head"], atol=1e-5)


def test_only_the_clipped_arm_has_a_limit_and_not_at_once():
    norms = [1.0] * 20 + [2.0] * 80
    assert shock.limit_of("clipped", norms) == 4.0
    assert shock.limit_of("clipped", norms[:5]) == shock.limit_of("art", norms) == np.inf
    assert shock.limit_of("clipped", [9.0] * 500 + [1.0] * 100) == 2.0  # of late ones alone


def test_who_knows_nothing_gives_every_sign_the_same(short):
    signs = len(texts.documentation().characters)
    blank = model.parameters(jax.random.key(0), signs, short)
    blank = blank | {"head": jnp.zeros_like(blank["head"])}
    loss, share = shock.judge(short, blank, np.zeros((2, 65), int), 3)
    assert (float(loss), float(share)) == pytest.approx((log(signs), 1 / signs), rel=1e-4)
    assert shock.text_loss(short, blank) == pytest.approx(log(signs), rel=1e-4)


def test_twins_part_at_the_drawings_and_a_run_is_the_same_again(short):
    runs = {arm: shock.train(short, arm, 0, 0.01)[1] for arm in ("text alone", "art", "clipped")}
    again = shock.train(short, "art", 0, 0.01)[1]
    marks = shock.marks()
    assert marks == [10, 11, 12, 13, 14, 15, 16, 17, 18, 20] and len(again) == len(marks)
    assert runs["art"] == again != shock.train(short, "art", 1, 0.01)[1]
    until = marks.index(12) + 1
    assert runs["text alone"][:until] == runs["art"][:until]
    assert all(a != b for a, b in zip(runs["text alone"][until:], runs["art"][until:]))
    assert len({loss for loss, _, _ in runs["text alone"][until - 1 : until + 3]}) == 1  # it waits
    assert len({loss for loss, _, _ in runs["text alone"][until + 2 :]}) == 5
    assert shock.train(short, "art", 0, 0.01, steps=12)[1] == again[:until]


def test_a_row_tells_its_way_at_every_mark(short, monkeypatch):
    monkeypatch.setitem(shock.DESIGNS, "small", short)
    monkeypatch.setattr(shock, "FEW", 1)  # so that the way is judged by all windows, as its end is
    row = shock.measure("small", "filtered", 4, 0)
    assert row["rate"] == 0.04
    assert 0 < row["false_alarms"] < 0.15 and row["let_through"] < 0.5
    for column in ("losses", "norms", "hashes"):
        assert len(shock.series(row, column)) == len(shock.marks())
    assert row["loss"] == pytest.approx(shock.series(row, "losses")[-1], abs=2e-4)
    art = shock.measure("small", "art", 4, 0)
    assert (art["false_alarms"], art["let_through"]) == (0, 1)
    assert np.isnan(shock.series({"losses": "nan inf"}, "losses")).tolist() == [True, False]


def test_another_arm_is_refused():
    with pytest.raises(ValueError, match="'music'"):
        next(shock.lessons("music", 0))


# Structure


def test_pixels_are_shuffled_by_one_fixed_order():
    assert sorted(structure.PERMUTATION) == list(range(64)) and list(structure.PERMUTATION) != list(range(64))
    places = np.broadcast_to(np.arange(64).reshape(8, 8), (3, 8, 8))
    moved = structure.shuffled(places)
    assert (moved == moved[0]).all() and np.array_equal(moved[0].ravel(), structure.PERMUTATION)
    assert np.array_equal(structure.shuffled(places), moved)
    across = abs(np.diff(moved[0], axis=1)) == 1
    assert across.mean() < 0.2  # neighbours are neighbours no more


def test_training_and_held_out_images_are_shuffled_alike(monkeypatch):
    seen = {}

    def answered(name, training, images, seed, setting):
        seen[name] = training.images, images
        return np.zeros(len(images), int)

    monkeypatch.setattr(structure, "answer_by_network", answered)
    pool, held_out = data.handwriting()
    drawn = structure.draw(pool, 20, 0)
    for system in structure.LEARNERS:
        structure.answer(system, drawn, held_out.images, 0, rates.Setting(0.1, 0.0))
        change = structure.shuffled if system.endswith("shuffled pixels") else lambda images: images
        training_images, images = seen[system.split(",")[0]]
        assert np.array_equal(training_images, change(drawn.images))
        assert np.array_equal(images, change(held_out.images))


def test_a_learner_without_structure_does_not_mind_the_order():
    pool, held_out = data.handwriting()
    drawn = structure.draw(pool, 100, 0)
    mixed = data.Handwriting(structure.shuffled(drawn.images), drawn.digits)
    plain = structure.answer("nearest neighbour", drawn, held_out.images, 0, None)
    assert np.array_equal(
        plain, structure.answer("nearest neighbour", mixed, structure.shuffled(held_out.images), 0, None)
    )
    assert (plain != held_out.digits).mean() < 0.2


def test_both_networks_have_as_many_parameters():
    drawn = [jax.eval_shape(start, jax.random.key(0)) for start, _ in structure.NETWORKS.values()]
    sizes = [sum(array.size for array in parameters.values()) for parameters in drawn]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.005)


def test_few_images_begin_the_draw_of_lesson_3_1():
    pool, _ = data.handwriting()
    ten = digits.draw(pool, 10, seed=4)
    five = structure.draw(pool, 5, seed=4)
    assert np.array_equal(five.images, ten.images[:5]) and len(set(five.digits)) == 5
    assert np.array_equal(structure.draw(pool, 100, 4).images, digits.draw(pool, 100, 4).images)
    with pytest.raises(ValueError, match="not 0"):
        structure.draw(pool, 0, seed=0)


def test_a_step_is_that_of_lesson_3_1():
    pool, _ = data.handwriting()
    images, shown, key = pool.images[:8], pool.digits[:8], jax.random.key(1)
    p = digits.start_network(jax.random.key(0))
    theirs, _ = digits.step(p, digits.optimiser.init(p), key, images, shown)
    rate = np.float32(2e-3)
    ours, _ = structure._step(digits.network, p, structure.ADAM.init(p), key, images, shown, rate)
    for name in p:
        np.testing.assert_allclose(ours[name], theirs[name], atol=2e-6)


def test_dense_network_by_hand_and_its_dropout():
    p = structure.start_dense(jax.random.key(0))
    images = data.handwriting()[1].images[:3]
    x = images.reshape(3, 64)
    for layer in ("first", "second"):
        x = np.maximum(0, x @ np.asarray(p[layer]) + np.asarray(p[f"{layer}_bias"]))
    np.testing.assert_allclose(structure.dense(p, images), x @ np.asarray(p["digits"]), rtol=1e-3, atol=1e-3)
    assert not np.allclose(structure.dense(p, images, jax.random.key(1)), structure.dense(p, images))


def test_the_dense_network_learns_and_is_the_same_again(monkeypatch):
    monkeypatch.setattr(digits, "STEPS", 40)
    pool, held_out = data.handwriting()
    few, many = (structure.draw(pool, images, 0) for images in (10, 700))
    setting = rates.Setting(0.002, 0.5)
    answers = [structure.answer("dense", some, held_out.images, 3, setting) for some in (few, many, many)]
    assert np.array_equal(answers[1], answers[2])
    wrong = [(one != held_out.digits).mean() for one in answers]
    assert wrong[1] < 0.25 < wrong[0] < 0.85


def test_kinds_never_shown_are_counted_apart(monkeypatch):
    pool, held_out = data.handwriting()
    kinds = structure.draw(pool, 5, 0).digits

    def knows_what_it_saw(system, training, images, seed, setting):
        return np.where(np.isin(held_out.digits, training.digits), held_out.digits, training.digits[0])

    monkeypatch.setattr(structure, "answer", knows_what_it_saw)
    row = structure.measure("dense", 5, 0)
    assert row["error"] == pytest.approx(1 - np.isin(held_out.digits, kinds).mean(), abs=1e-6)
    assert row["error_on_shown"] == 0
    assert structure.measure("linear", 10, 0)["rate"] == 0


@pytest.mark.parametrize("images", structure.TUNED_ON)
def test_tuning_judges_by_images_that_it_did_not_train_on(monkeypatch, images):
    seen = []

    def answered(system, training, images, seed, setting):
        seen.append((training.images, images, seed, setting))
        return np.full(len(images), 10)

    monkeypatch.setattr(structure, "answer", answered)
    assert structure.tune("dense", 0.01, 0.5, images) == {"development": 1.0}
    held_out = {image.tobytes() for image in data.handwriting()[1].images}
    assert not {seed for _, _, seed, _ in seen} & set(lesson.SEEDS) and len(seen) == 3
    for learnt, others, _, setting in seen:
        assert setting == (0.01, 0.5) and (len(learnt), len(others)) == (images, 1_400 - images)
        trained = {image.tobytes() for image in learnt}
        assert not any(image.tobytes() in trained | held_out for image in others)


def test_an_unknown_learner_is_refused():
    with pytest.raises(ValueError, match="'magic'"):
        structure.answer("magic", data.handwriting()[0], data.handwriting()[1].images, 0, None)


# What the lesson reads from the tables


@pytest.fixture
def tables(monkeypatch):
    """Small tables in place of the recorded ones; the rows of a table may be changed before they are read."""
    rows = {
        "t": [{"arm": arm, "seed": seed, "loss": loss} for arm, seed, loss in
              [("a", 1, 2.0), ("a", 0, 1.0), ("b", 0, 1.5), ("b", 1, 3.0), ("b", 2, 9.0)]],
        "3_3_repeats": [{"characters": c, "epochs": e, "seed": s, "loss": c + e + s / 10}
                        for c, e, seeds in [(1000, 1, 3), (4000, 1, 3), (1000, 2, 3), (4000, 64, 1)]
                        for s in reversed(range(seeds))],
        "3_3_garbage": [{"arm": "equal good text", "width": 32, "share": 0.5, "seed": 0, "loss": 1.0},
                        {"arm": "equal compute", "width": 32, "share": 0.75, "seed": 0, "loss": 2.0}],
    }  # fmt: skip
    monkeypatch.setattr(recordings, "read", rows.__getitem__)
    return rows


def test_values_come_in_the_order_of_their_seeds(tables):
    assert results.found("t", "loss", arm="a").tolist() == [1, 2]
    with pytest.raises(ValueError, match="no row"):
        results.found("t", "loss", arm="c")
    with pytest.raises(ValueError, match="several rows"):
        results.found("t", "loss")


def test_changes_are_paired_by_seed_and_leave_the_others_out(tables):
    assert results.change("t", "loss", {"arm": "a"}, {"arm": "b"}).tolist() == [0.5, 1]
    assert results.change("t", "loss", {"arm": "b"}, {"arm": "a"}).tolist() == [-0.5, -1]
    tables["t"] = [row for row in tables["t"] if row["arm"] == "a" or row["seed"] == 2]
    with pytest.raises(ValueError, match="share no seed"):
        results.change("t", "loss", {"arm": "a"}, {"arm": "b"})


def test_fresh_and_repeated_runs_are_told_apart_and_the_single_one_is_left_out(tables):
    read, losses = results.fresh()
    assert read.tolist() == [1000, 4000] and losses[0].tolist() == pytest.approx([1001, 1001.1, 1001.2])
    epochs, losses = results.again(1000)
    assert epochs.tolist() == [1, 2] and losses.shape == (2, 3)
    assert results.again(4000)[0].tolist() == [1]
    points = results.points("loss")
    assert len(points) == 9 and max(point.epochs for point in points) == 2
    assert {point.unique for point in points} == {1, 4}
    assert {point.seed for point in results.points("loss", (1,))} == {1}


def test_half_garbage_of_equal_compute_is_that_of_equal_good_text(tables):
    assert results.with_garbage("equal compute", 32, 0.5).tolist() == [1]
    assert results.with_garbage("equal compute", 32, 0.75).tolist() == [2]


def test_lines_around_the_shock_are_means_over_the_seeds_that_all_arms_have(monkeypatch):
    rows = [{"system": system, "arm": "art", "times": 1, "seed": seed, "losses": f"{seed} {seed + 1}"}
            for system in ("small", "larger") for seed in range(5)]  # fmt: skip
    monkeypatch.setattr(recordings, "read", lambda name: rows)
    caches = results.around_the_shock, results._shocks
    try:
        [one.cache_clear() for one in caches]
        assert results.around_the_shock("art", 1, "losses").tolist() == [1, 2]
    finally:
        [one.cache_clear() for one in caches]
