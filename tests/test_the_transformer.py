"""Lesson 2.4's Transformer with switches against the helpers' one and a slow one; its counts, training and tasks."""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.extend.core import jaxprs_in_params

from helpers import models, recordings
from helpers.recordings import the_transformer as lesson
from helpers.recordings.the_transformer import learning, model, results, tasks

VOCABULARY = 11
SMALL = model.Design(layers=2, width=12, heads=3, context=9)
MODERN = SMALL._replace(**{part: getattr(model.MODERN, part) for part in model.Design._fields[4:]})
TOKENS = np.random.default_rng(0).integers(0, VOCABULARY, (2, 9))
VARIANTS = {
    "plain": SMALL,
    "modern": MODERN,
    "learned positions": SMALL._replace(positions="learned"),
    "no positions": SMALL._replace(positions="none"),
    "no residuals": SMALL._replace(residuals=False),
    "no normalisation": SMALL._replace(normalisation="none"),
    "no feed-forward": SMALL._replace(feed_forward="none"),
    "no attention": SMALL._replace(attention=False),
    "full convolution": SMALL._replace(convolution="full"),
    "convolution by channel": SMALL._replace(convolution="each channel alone"),
}
each_variant = pytest.mark.parametrize("design", VARIANTS.values(), ids=VARIANTS)


def drawn(design):
    """Parameters that are all random: nothing hides behind a zero or a one."""
    fresh = model.parameters(jax.random.key(0), VOCABULARY, design)
    random = np.random.default_rng(1)
    return {name: jnp.asarray(random.normal(0, 0.5, array.shape), jnp.float32) for name, array in fresh.items()}


def slow_scores(parameters, sequence):
    """The plain design, position by position and head by head."""
    p = {name: np.asarray(array, np.float64) for name, array in parameters.items()}

    def normal(vector, gain):
        return gain * (vector - vector.mean()) / np.sqrt(vector.var() + 1e-6)

    half = SMALL.width // 2
    x = []
    for t, token in enumerate(sequence):
        angles = [t / 10_000 ** (i / half) for i in range(half)]
        x.append(p["embedding"][token] + np.array([*map(np.sin, angles), *map(np.cos, angles)]))
    for layer in range(SMALL.layers):
        y = [normal(vector, p["gain"][layer, 0]) for vector in x]
        size, new = SMALL.width // SMALL.heads, []
        for t in range(len(x)):
            mixed = np.zeros(SMALL.width)
            for head in range(SMALL.heads):
                part = slice(head * size, (head + 1) * size)
                query = (y[t] @ p["query"][layer])[part]
                powers = [np.exp(query @ (y[s] @ p["key"][layer])[part] / size**0.5) for s in range(t + 1)]
                values = [(y[s] @ p["value"][layer])[part] for s in range(t + 1)]
                mixed[part] = sum(w * v for w, v in zip(powers, values)) / sum(powers)
            new.append(x[t] + mixed @ p["mix"][layer])
        x = [v + np.maximum(0, normal(v, p["gain"][layer, 1]) @ p["up"][layer]) @ p["down"][layer] for v in new]
    return np.array([normal(vector, p["last gain"]) @ p["head"] for vector in x])


def test_the_plain_design_is_the_slow_one():
    parameters = drawn(SMALL)
    expected = np.stack([slow_scores(parameters, sequence) for sequence in TOKENS])
    np.testing.assert_allclose(model.scores(parameters, TOKENS, SMALL), expected, rtol=1e-3, atol=1e-3)


def test_the_modern_design_is_the_helpers():
    parameters = drawn(MODERN)
    theirs = models.transformer(parameters, TOKENS)
    np.testing.assert_allclose(model.scores(parameters, TOKENS, MODERN), theirs, rtol=1e-4, atol=1e-4)
    ours = model.parameters(jax.random.key(7), VOCABULARY, MODERN)
    fresh = models.transformer_parameters(jax.random.key(7), VOCABULARY, 12, 2, 3)
    assert ours.keys() == fresh.keys()
    assert all(np.array_equal(ours[name], fresh[name]) for name in fresh)


@each_variant
def test_the_future_does_not_leak(design):
    parameters, other = drawn(design), TOKENS.copy()
    other[:, 5:] = (other[:, 5:] + 1) % VOCABULARY
    before, after = (model.scores(parameters, tokens, design) for tokens in (TOKENS, other))
    assert np.array_equal(before[:, :5], after[:, :5])
    assert not np.array_equal(before[:, 5], after[:, 5])


def products(jaxpr) -> int:
    """Multiplications of all matrix products in a traced function."""
    total = 0
    for equation in jaxpr.eqns:
        for inner in jaxprs_in_params(equation.params):
            total += products(inner)
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            total += int(np.prod(equation.outvars[0].aval.shape) * np.prod([left[axis] for axis in contracted]))
    return total


@each_variant
def test_multiplications_are_those_of_the_traced_products(design):
    parameters = model.parameters(jax.random.key(0), VOCABULARY, design)
    traced = jax.make_jaxpr(lambda p, t: model.scores(p, t, design))(parameters, TOKENS)
    each = {"each channel alone": design.layers * 3 * design.width}.get(design.convolution, 0)  # no matrix product
    assert products(traced.jaxpr) + each * TOKENS.size == model.multiplications(design, VOCABULARY) * TOKENS.size


def test_a_convolution_mixes_each_position_with_the_two_before():
    design = VARIANTS["convolution by channel"]._replace(layers=1, attention=False, feed_forward="none")
    plain = design._replace(normalisation="none", positions="none", residuals=False)
    parameters = drawn(plain)
    x, after = model.stream(parameters, TOKENS, plain)
    kernel = parameters["convolution"][0]  # the last of the three is the position's own
    np.testing.assert_allclose(after[:, 4], kernel[0] * x[:, 2] + kernel[1] * x[:, 3] + kernel[2] * x[:, 4], rtol=1e-5)
    np.testing.assert_allclose(after[:, 0], kernel[2] * x[:, 0], rtol=1e-5)


def test_adam_is_optax_adam():
    parameters = {"a": jnp.array([1.0, -2.0]), "b": jnp.ones((2, 2))}
    theirs, ours, memory = parameters, parameters, learning.memory(parameters, "adam")
    adam = optax.adam(0.1, b1=0.9, b2=0.95)
    state = adam.init(parameters)
    for factor in (1.0, -3.0, 0.5):
        gradients = {name: factor * array + 0.1 for name, array in parameters.items()}
        updates, state = adam.update(gradients, state)
        theirs = optax.apply_updates(theirs, updates)
        ours, memory = learning.adam(ours, gradients, memory, 0.1)
    for name in parameters:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5)


def test_training_finds_a_text_that_repeats():
    design = model.Design(layers=1, width=8, heads=2)
    tokens = np.tile([0, 1, 2], 200).astype(np.int32)
    start = model.parameters(jax.random.key(0), 3, design)

    def scores(parameters, tokens):
        return model.scores(parameters, tokens, design)

    batches = iter([(tokens[None, place : place + 65],) for place in [0, 1, 2, 3] * 15])
    trained = learning.train(scores, start, batches, steps=60, rate=0.03, optimiser="adam")
    assert learning.loss(scores, trained, tokens) < 0.1 < learning.loss(scores, start, tokens)


def test_a_step_is_timed_when_compiled_and_its_least_time_counts(monkeypatch):
    steps, clock = [], iter([0.0, 0.5, 0.5, 1.7, 2.0, 2.3, 3.0, 5.0])  # two rounds of two systems, ten steps each

    def now():
        assert steps[:2] == ["quick", "slow"]  # each once before any clock runs
        return next(clock)

    monkeypatch.setattr(learning, "step", steps.append)
    monkeypatch.setattr(learning, "process_time", now)
    found = learning.step_milliseconds({"quick": ("quick",), "slow": ("slow",)}, rounds=2)
    assert found == pytest.approx({"quick": 30, "slow": 120})
    assert Counter(steps) == {"quick": 21, "slow": 21}


def test_equal_compute_is_equal_to_a_step():
    for system in lesson.SYSTEMS:
        spent = lesson.steps(system, 1.0) * lesson.flops(system)
        assert spent == pytest.approx(lesson.STEPS * lesson.flops("plain, as it is"), rel=1 / lesson.STEPS)


def test_the_lstm_is_as_large_as_the_transformer():
    plain, lstm = (lesson.fresh(system, 0) for system in ("plain, as it is", "LSTM, adam"))
    sizes = [sum(array.size for array in parameters.values()) for parameters in (plain, lstm)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.04)


def test_the_best_rate_is_that_of_the_least_loss(monkeypatch):
    rows = [("a", 0.1, 2.0), ("a", 0.2, 1.0), ("a", 0.4, float("nan")), ("b", 0.3, 0.5)]
    table = [dict(zip(("system", "rate", "loss"), row)) for row in rows]
    monkeypatch.setattr(recordings, "read", lambda name: table)
    assert lesson.best_rate("a") == 0.2


@pytest.fixture
def two_curves(monkeypatch):
    """Two seeds of a system: losses 3, 2, 1 and 4, 3, 2 at 1, 2 and 4 times the compute."""
    found = {4.0: (1.0, 2.0), 1.0: (3.0, 4.0), 2.0: (2.0, 3.0)}
    rows = [{"system": "a", "budget": budget, "loss": loss} for budget, both in found.items() for loss in both]
    monkeypatch.setattr(recordings, "read", lambda name: rows)


def test_compute_for_a_loss_by_hand(two_curves):
    assert results.curve("a")[0].tolist() == [1, 2, 4]
    np.testing.assert_allclose(results.compute_to("a", np.array([2.0, 2.5])), [2, 2**1.5])
    np.testing.assert_allclose(results.compute_to("a", np.array([5.0, 1.0])), [1, np.nan])


@pytest.fixture
def a_race(monkeypatch):
    """Two seeds of two systems at 1, 2 and 4 times the compute: `b` is ahead at first, in one seed to the end."""
    found = {"a": ((5, 3, 1), (5, 4, 3)), "b": ((4, 3, 2), (3, 2, 1))}
    rows = [
        {"system": system, "budget": float(budget), "loss": float(losses[place])}
        for system, seeds in found.items()
        for place, budget in enumerate((1, 2, 4))
        for losses in seeds
    ]
    monkeypatch.setattr(recordings, "read", lambda name: rows)


def test_times_the_compute_for_the_best_loss_that_both_reach_by_hand(a_race):
    np.testing.assert_allclose(results.times("a", "b", budget=4.0), [4 / 2**1.5, 1 / 4])
    np.testing.assert_allclose(results.times("a", "b", budget=2.0), [1, 1 / 2])


def test_where_two_curves_cross_by_hand(a_race):
    np.testing.assert_allclose(results.crossing("a", "b"), [2, np.nan])
    np.testing.assert_allclose(results.crossing("b", "a"), [1, 1])


@pytest.mark.parametrize("size", lesson.RACES)
def test_both_systems_of_a_race_are_of_one_size(size):
    sizes = [sum(a.size for a in lesson.fresh(system, 0).values()) for system in lesson.RACES[size].systems]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.04)


def test_a_change_is_taken_seed_by_seed(monkeypatch):
    found = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([1.5, 2.5, 3.5])}
    monkeypatch.setattr(results, "losses", found.get)
    assert results.change("a", "b") == pytest.approx((0.5, 0.5, 0.5))


# Four tasks


def test_no_line_is_both_trained_on_and_held_out():
    parts = tasks.lines()
    for task in tasks.TASKS:
        training, development, held_out = (set(part[task]) for part in parts)
        if task != "see":  # two tiny pictures may look alike
            assert not training & (development | held_out)
            assert not development & held_out
        assert len(held_out) > 100


@pytest.mark.parametrize(
    ("number", "written"), [(1, "I"), (4, "IV"), (9, "IX"), (1994, "MCMXCIV"), (3888, "MMMDCCCLXXXVIII")]
)
def test_roman_by_hand(number, written):
    assert tasks.roman(number) == written


def test_roman_can_be_read_back():
    values = dict(zip("IVXLCDM", (1, 5, 10, 50, 100, 500, 1000)))
    for number in range(1, 4000, 7):
        each = [values[letter] for letter in tasks.roman(number)]
        assert sum(-a if a < b else a for a, b in zip(each, [*each[1:], 0])) == number


def test_a_picture_keeps_its_ink():
    image = np.zeros((1, 8, 8))
    image[0, :2, 2:4] = 1
    assert tasks.see_lines(image, np.array([7])) == ["see 0900000000000000 = 7"]


def test_a_name_belongs_to_one_language():
    names = Counter(line.split(" = ")[0] for line in tasks.which_lines())
    assert set(names.values()) == {1}


def test_a_task_reads_the_same_windows_beside_others():
    together, alone = next(tasks.batches(tasks.TASKS, 3, rows=2))[0], next(tasks.batches(("roman",), 3, rows=2))[0]
    assert together.shape == (8, 65)
    assert np.array_equal(together[4:6], alone)
    assert "roman" in "".join(tasks.characters()[token] for token in alone[0])


def test_an_answer_is_right_as_a_whole(monkeypatch):
    said = ["roman 4 = IV", "roman 6 = VI", "see 1 = 7"]
    wrong = ["roman 4 = IV", "roman 6 = VX", "see 2 = 7"]  # a wrong letter of the answer, then of the question
    rows = np.stack([np.pad(tasks.training.encode(f"\n{line}\n", tasks.characters()), (0, 60))[:65] for line in wrong])
    monkeypatch.setattr(tasks, "_likeliest", lambda parameters, tokens: rows[:, 1:])
    assert tasks.right({}, said) == pytest.approx(2 / 3)
