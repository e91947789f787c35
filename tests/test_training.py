"""Budgets, early stopping, interruptions, the optimiser and the character model, on texts small enough for seconds."""

import ast
import itertools
import platform
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import models, recordings, training

TEXT = "the quick brown fox jumps over the lazy dog and runs away. " * 60


def distance(parameters, x):
    return jnp.sum((parameters["a"] - x) ** 2)


def fit(validate=lambda parameters: distance(parameters, 1.0), **budget):
    return training.fit(distance, {"a": jnp.zeros(2)}, itertools.repeat((1.0,)), validate, **budget)


def scripted(losses):
    """A validation loss read from a list, the last for ever; it keeps what it was asked about."""
    asked = []

    def validate(parameters):
        asked.append(parameters)
        return losses[min(len(asked), len(losses)) - 1]

    return validate, asked


def test_a_budget_in_steps_is_kept_and_measured_at_its_end():
    _, history = fit(steps=25, every=10)
    assert [point.steps for point in history] == [10, 20, 25]


def test_a_budget_in_seconds_ends_training():
    _, history = fit(seconds=0.5, every=10**9)
    assert len(history) == 1
    assert history[0].seconds >= 0.5
    assert history[0].steps >= 1


def test_the_sooner_of_two_budgets_ends_training():
    assert fit(steps=3, seconds=1000)[1][-1].steps == 3
    assert fit(steps=10**9, seconds=0.3, every=10**9)[1][-1].steps < 10**9


def test_time_is_left_for_the_last_measurement():
    budget = training._Budget(None, 10.0)
    budget.start -= 8.0
    assert not budget.over(step=5, reserve=1.5)
    assert budget.over(step=5, reserve=2.5)


def test_the_rate_falls_to_zero_over_the_steps():
    budget = training._Budget(4, None)
    assert [budget.left(step) for step in (1, 2, 3, 4)] == [0.875, 0.625, 0.375, 0.125]


def test_the_target_stops_training():
    validate, _ = scripted([3.0, 2.0, 1.0, 0.5])
    _, history = fit(validate, steps=100, every=10, target=1.5)
    assert [point.loss for point in history] == [3.0, 2.0, 1.0]


def test_a_target_out_of_reach_starts_a_cycle_twice_as_long_until_one_brings_nothing():
    validate, _ = scripted([3.0, 2.0, 2.5, 1.0, 4.0])
    _, history = fit(validate, steps=20, every=10, target=0.5)
    assert history[-1].steps == 20 + 40 + 80
    assert fit(scripted([3.0, 2.0, 2.5])[0], steps=20, every=10, target=0.5)[1][-1].steps == 20 + 40


def test_patience_stops_training_and_the_best_parameters_come_back():
    validate, asked = scripted([3.0, 1.0, 2.0, 1.5, 1.2, 0.5])
    best, history = fit(validate, steps=100, every=10, patience=3)
    assert [point.loss for point in history] == [3.0, 1.0, 2.0, 1.5, 1.2]
    assert (best["a"] == asked[1]["a"]).all()
    assert not (best["a"] == asked[-1]["a"]).all()


def test_a_loss_that_is_not_a_number_is_never_the_best():
    validate, asked = scripted([np.nan, 2.0, np.nan])
    best, history = fit(validate, steps=30, every=10)
    assert np.isnan(history[0].loss)
    assert (best["a"] == asked[1]["a"]).all()


def stopped_after(count):
    yield from itertools.repeat((1.0,), count)
    raise KeyboardInterrupt


def test_an_interruption_keeps_the_best_and_says_so(capsys):
    validate, asked = scripted([1.0, 3.0, 2.0])
    best, history = training.fit(distance, {"a": jnp.zeros(2)}, stopped_after(25), validate, steps=100, every=10)
    assert [point.steps for point in history] == [10, 20, 25]
    assert (best["a"] == asked[0]["a"]).all()
    said = capsys.readouterr().out
    assert "Stopped by hand after 25 steps" in said
    assert "step 10, with a validation loss of 1.000" in said


def test_an_interruption_of_a_measurement_is_never_taken_for_its_result(capsys):
    validate, _ = scripted([1.0, 3.0])
    with pytest.raises(KeyboardInterrupt):
        training.fit(distance, {"a": jnp.zeros(2)}, stopped_after(15), validate, steps=100, every=10, whole=True)
    assert "Stopped by hand" not in capsys.readouterr().out


def test_whatever_is_recorded_trains_to_the_end_or_not_at_all():
    """An interrupted record command would write the half-trained model's numbers as if they were those of all of it."""
    calls = {
        path.name: [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if is_fit(node)]
        for path in Path(recordings.__file__).parent.rglob("*.py")
    }
    kept = {name: [{keyword.arg for keyword in call.keywords} for call in found] for name, found in calls.items()}
    assert sum(map(len, kept.values())) >= 4
    assert all("whole" in names for found in kept.values() for names in found), kept


def is_fit(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("training.fit", "training.train_language_model")


def test_an_interruption_before_the_first_step_returns_the_first_parameters(capsys):
    best, history = training.fit(
        distance, {"a": jnp.zeros(2)}, stopped_after(0), lambda parameters: distance(parameters, 1.0), steps=100
    )
    assert (best["a"] == 0).all()
    assert [point.steps for point in history] == [0]
    assert "Stopped by hand after 0 steps" in capsys.readouterr().out


@pytest.mark.parametrize("budget", [{}, {"steps": 0}, {"seconds": 0}, {"steps": -1}, {"seconds": -2.0, "steps": 5}])
def test_a_budget_that_is_missing_or_not_positive_is_refused(budget):
    with pytest.raises(ValueError, match="budget"):
        fit(**budget)


def test_batches_that_run_out_end_training_with_a_measurement():
    _, history = training.fit(distance, {"a": jnp.zeros(2)}, [(1.0,)] * 7, lambda p: distance(p, 1.0), steps=100)
    assert history[-1].steps == 7


@given(
    shape=st.sampled_from([(1, 3, 3), (2, 4, 9), (3, 9, 4), (1, 1, 5), (1, 6, 6)]),
    scale=st.sampled_from([1e-4, 1.0, 1e4]),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=25)
def test_orthogonal_keeps_the_directions_and_levels_the_sizes(shape, scale, seed):
    stack = np.random.default_rng(seed).normal(size=shape).astype(np.float32) * scale
    ours = np.asarray(training.orthogonal({"up": jnp.asarray(stack)})["up"])
    left, sizes, right = np.linalg.svd(stack, full_matrices=False)
    inside = left.mT @ ours @ right.mT  # diagonal where the directions are those of the matrix
    levelled = np.diagonal(inside, axis1=1, axis2=2)
    assert np.abs(inside - levelled[..., None] * np.eye(levelled.shape[1])).max() < 2e-2
    large = sizes > 0.05 * np.linalg.norm(sizes, axis=1, keepdims=True)
    assert (np.abs(levelled[large] - 1) < 0.35).all()


def test_matrices_of_one_shape_and_of_several_come_back_under_their_own_names():
    random = np.random.default_rng(0)
    shapes = {"down": (2, 8, 3), "query": (2, 3, 3), "up": (2, 3, 8), "key": (1, 3, 3)}
    stacks = {name: jnp.asarray(random.normal(size=shape), jnp.float32) for name, shape in shapes.items()}
    together = training.orthogonal(stacks)
    for name, stack in stacks.items():
        np.testing.assert_allclose(together[name], training.orthogonal({name: stack})[name], atol=1e-5)


def test_a_step_moves_matrices_by_orthogonal_ones_and_the_rest_as_adam_does():
    parameters = {"up": jnp.zeros((1, 4, 4)), "head": jnp.zeros((2, 3))}
    gradients = {"up": 5 * jnp.eye(4)[None], "head": jnp.array([[1.0, -2.0, 3.0], [0.1, 0.2, -0.3]])}
    moved, optimiser = training.muon_and_adam(parameters, gradients, training.new_optimiser(parameters), 0.1)
    np.testing.assert_allclose(moved["head"], -0.04 * np.sign(gradients["head"]), rtol=1e-4)
    np.testing.assert_allclose(moved["up"][0], -0.1 * np.eye(4), atol=0.03)
    assert int(optimiser.steps) == 1
    assert "up" not in optimiser.square


def test_adam_agrees_with_optax():
    import optax

    theirs, parameters = optax.adam(0.4 * 0.01, b1=0.9, b2=0.95, eps=1e-8), {"head": jnp.ones((3, 2))}
    expected, state, optimiser = parameters, theirs.init(parameters), training.new_optimiser(parameters)
    for seed in range(5):
        gradients = {"head": jnp.asarray(np.random.default_rng(seed).normal(size=(3, 2)), jnp.float32)}
        change, state = theirs.update(gradients, state)
        expected = optax.apply_updates(expected, change)
        parameters, optimiser = training.muon_and_adam(parameters, gradients, optimiser, 0.01)
    np.testing.assert_allclose(parameters["head"], expected["head"], rtol=1e-5)


def test_the_same_seed_gives_the_same_model_and_another_seed_another():
    first, same, other = (training.train_language_model(TEXT, seed=seed, steps=4) for seed in (0, 0, 1))
    assert all((first[0][name] == same[0][name]).all() for name in first[0])
    assert [point.loss for point in first[1]] == [point.loss for point in same[1]]
    assert first[1][-1].loss != other[1][-1].loss


def test_the_model_learns_a_text_that_repeats_and_continues_it():
    parameters, history = training.train_language_model(TEXT, target=0.3, steps=40)
    assert history[-1].loss <= 0.3
    characters = training.alphabet(TEXT)
    said = training.sample(parameters, characters, "the quick brown fox ", 60, temperature=0.01)
    assert said == (TEXT + TEXT)[: len(said)]


def test_the_model_has_about_eight_hundred_thousand_parameters():
    parameters = models.transformer_parameters(jax.random.key(0), vocabulary=65)
    assert 0.7e6 < sum(array.size for array in parameters.values()) < 0.9e6


def test_nothing_of_the_held_out_tenth_is_trained_on(monkeypatch):
    seen = {}
    monkeypatch.setattr(training, "fit", lambda *args, **budget: seen.update(batches=args[2], validate=args[3]))
    text = "a" * 900 + "b" * 100
    training.train_language_model(text, steps=1)
    batches = [next(seen["batches"])[0] for _ in range(20)]
    assert {int(token) for batch in batches for token in np.unique(batch)} == {0}
    windows = seen["validate"].keywords["windows"]
    assert windows[windows >= 0].min() == 1
    assert (windows[:, 1:] >= 0).sum() == 99


@given(length=st.integers(2, 400), batch=st.integers(1, 5))
@settings(deadline=None, max_examples=10)
def test_every_held_out_token_but_the_first_is_predicted_once(length, batch):
    tokens = np.random.default_rng(length).integers(0, 5, length).astype(np.int32)
    windows = training.consecutive_windows(tokens)
    assert windows[:, 1:].ravel()[: length - 1].tolist() == tokens[1:].tolist()
    assert (windows[:, 1:] >= 0).sum() == length - 1
    assert windows.shape[1] == training.CONTEXT + 1


def test_the_held_out_loss_is_the_mean_over_all_tokens_however_they_are_batched():
    random = np.random.default_rng(0)
    parameters = models.transformer_parameters(jax.random.key(0), vocabulary=5, width=8, layers=1, heads=2)
    parameters |= {"head": jnp.asarray(random.normal(size=(8, 5)), jnp.float32)}
    tokens = random.integers(0, 5, 200).astype(np.int32)
    surprises, scores = [], jax.jit(models.transformer)
    for t in range(1, 200):
        context = np.zeros((1, training.CONTEXT), np.int32)
        first = (t - 1) // training.CONTEXT * training.CONTEXT
        context[0, : t - first] = tokens[first:t]
        surprises.append(-jax.nn.log_softmax(scores(parameters, context)[0, t - first - 1])[tokens[t]])
    windows = training.consecutive_windows(tokens)
    for batch in (1, 3, 64):
        assert training.held_out_loss(parameters, windows, batch) == pytest.approx(np.mean(surprises), rel=1e-5)


def test_windows_do_not_overlap_before_all_have_been_seen():
    tokens = np.arange(64 * 20 + 65)
    batches = training.random_windows(tokens, seed=3, batch=5)
    starts = np.concatenate([next(batches)[0][:, 0] for _ in range(3)])
    assert len(set(starts)) == 15
    assert len(set(starts % 64)) == 1
    for (window,) in itertools.islice(batches, 3):
        assert (np.diff(window) == 1).all()


@pytest.mark.parametrize("length", [0, 1, 64, 649])
def test_a_text_too_short_is_refused_with_its_length(length):
    with pytest.raises(ValueError, match=f"the text has {length} characters; training needs 650 or more"):
        training.train_language_model("x" * length)


@pytest.mark.parametrize("text", ["x" * 650, "語言模型" * 200, TEXT[:650]])
def test_the_shortest_text_and_any_script_can_be_learnt(text):
    _, history = training.train_language_model(text, steps=1)
    assert np.isfinite(history[-1].loss)


def test_sampling_repeats_with_its_seed_and_stays_in_the_alphabet():
    parameters = models.transformer_parameters(jax.random.key(0), vocabulary=3, width=8, layers=1, heads=2)
    first, same, other = (training.sample(parameters, "abn", "ban", 80, seed=seed) for seed in (0, 0, 1))
    assert first == same != other
    assert first.startswith("ban")
    assert len(first) == 83
    assert set(first) <= set("abn")


@pytest.mark.parametrize(("prompt", "told"), [("", "the prompt is empty"), ("bad day", "never seen .*' dy'")])
def test_a_prompt_that_cannot_be_continued_is_refused(prompt, told):
    parameters = models.transformer_parameters(jax.random.key(0), vocabulary=3, width=8, layers=1, heads=2)
    with pytest.raises(ValueError, match=told):
        training.sample(parameters, "abn", prompt, 5)


FREED_MEMORY = """
import gc
import psutil
from helpers import training

def megabytes():
    return psutil.Process().memory_info().rss / 1e6

training.keep_freed_memory()
blocks = [b"x" * 50_000 for _ in range(4_000)]
last = b"y" * 50_000  # the heap cannot shrink below it
blocks.append(blocks)  # so that only a search frees them, and
gc.freeze()  # not even that once they are set aside, as widgets do
del blocks
kept = megabytes()
training.give_back_memory()
print(kept - megabytes())
"""


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="only glibc is asked to trim")
def test_freed_memory_goes_back_to_the_system_when_it_is_asked_for():
    done = subprocess.run([sys.executable, "-c", FREED_MEMORY], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 100  # of 200 megabytes
