"""The runners of lesson 2.2's race: a slow window model, XLA's own count of operations, and what a step may change."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import data
from helpers.recordings import one_word_at_a_time as lesson
from helpers.recordings.one_word_at_a_time import curves, marks, race
from helpers.recordings.one_word_at_a_time.race import Attention, Recurrent, Runner, Window

SMALL = Window(reach=4, width=6, layers=3, channels=2)
TEXT = data.Text(np.tile(np.arange(5), 400), np.arange(5), np.tile(np.arange(5), 60), "abcde")
TINY = {
    "window": Runner(SMALL, 8, 4, 0.01),
    "n-gram window": Runner(SMALL._replace(runs=(2, 3), run_channels=2), 8, 4, 0.01),
    "LSTM": Runner(Recurrent(8), 4, 16, 0.05, 100),
}


def test_the_window_model_equals_a_slow_one():
    parameters = race.window_parameters(0, 7, SMALL)
    parameters = {name: np.random.default_rng(1).normal(size=array.shape) for name, array in parameters.items()}
    windows = np.random.default_rng(2).integers(7, size=(3, 4))
    normal = lambda x: x / np.sqrt(np.mean(x * x) + 1e-6)  # noqa: E731
    for window, found in zip(windows, race.window_model(parameters, windows), strict=True):
        x = sum(
            parameters["embedding"][token] @ parameters["first"][2 * place : 2 * place + 2]
            for place, token in enumerate(window)
        )
        x = np.maximum(normal(x + parameters["bias"][0]), 0) ** 2
        for layer in (0, 1):
            x = x + np.maximum(normal(x) @ parameters["hidden"][layer] + parameters["bias"][layer + 1], 0) ** 2
        np.testing.assert_allclose(found, normal(x) @ parameters["head"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("runner", "muon"),
    [
        (Runner(Window(8, 64), 128, 8, 0.1), 0),
        (Runner(Recurrent(64), 256, 1, 0.1), 2 * 5 * (4 * 64**2 * 256 + 2 * 64**3)),
        (Runner(Attention(64, 2, 2), 8, 32, 0.1), 2 * 5 * (4 * 6 * 64**3 + 2 * (4 * 64**2 * 256 + 2 * 64**3))),
    ],
)
def test_operations_agree_with_xla_s_count(runner, muon):
    """XLA counts a loop's body once, so the LSTM reads one character; additions and squashings are few."""
    parameters = race.fresh(runner, 0, 101)
    batch = np.zeros((runner.batch, runner.length + 1), int)
    analysis = jax.jit(jax.grad(partial(race.loss_of, runner))).lower(parameters, batch).cost_analysis()
    assert race.flops(runner, 101) - muon == pytest.approx(analysis["flops"], rel=0.2)


def test_a_run_has_one_place_whatever_stood_before():
    windows = np.random.default_rng(0).integers(101, size=(200, 6))
    other = windows.copy()
    other[:, 0] += 1
    places, others = (race.shelf(jnp.asarray(rows), (2, 5, 6), places=2**17) for rows in (windows, other))
    assert (places[:, :2] == others[:, :2]).all()
    assert (places[:, 2] != others[:, 2]).mean() > 0.98
    assert (places // 2**17 == np.array([0, 1, 2])).all()
    assert len(np.unique(places[:, 1])) > 190


def test_a_step_changes_only_the_runs_that_it_read():
    learner = race.Learner(TINY["n-gram window"], 0, 5)
    before, batch = np.asarray(learner.runs).copy(), np.zeros((8, 5), int)
    learner.dense["head"] = jnp.ones_like(learner.dense["head"]).at[:, 0].set(0.0)
    learner.step(batch, 1)
    changed = np.flatnonzero((np.asarray(learner.runs) != before).any(axis=1))
    read = race.shelf(jnp.asarray(batch[:, :-1]), (2, 3), TINY["n-gram window"].size.places)
    assert set(changed) <= set(np.unique(read).tolist())
    assert len(changed) > 0


@pytest.mark.parametrize("name", ["window", "n-gram window", "LSTM"])
def test_training_gives_the_same_curve_again_and_learns(monkeypatch, name):
    monkeypatch.setattr(race, "RUNNERS", TINY)
    monkeypatch.setattr(data, "library_text", lambda: TEXT)
    losses = race.train(name, 0, [20, 160])
    assert losses == race.train(name, 0, [20, 160])
    assert losses[1] < losses[0] < 1.05 * np.log(5)


def test_the_cost_of_counting_is_that_of_the_text():
    assert len(data.library_text().training) == curves.TEXT == lesson.TEXT_PARTS[-1]


def test_a_place_comes_once_before_any_comes_again_and_a_seed_has_its_own_order():
    first, other = (
        [next(batches) for _ in range(20)] for batches in (race.rows(np.arange(1_000), 10, 8, s) for s in (0, 1))
    )
    assert len(np.unique(np.concatenate(first)[:, 0])) == 200
    assert (np.concatenate(first) != np.concatenate(other)).all()
    assert max(np.diff(np.sort(first[0][:, 0]))) < 200  # a batch comes from all over the text


def test_marks_end_with_the_run():
    assert marks(40) == [32, 40]
    assert marks(64) == [32, 64]


def test_who_leads():
    curve = curves.Curve(np.array([1.0, 4.0]), np.array([[2.0, 1.0], [2.2, 1.2]]))
    np.testing.assert_allclose(curves.at(curve, 2.0), [1.5, 1.7])
    np.testing.assert_allclose(curves.at(curve, 9.0), [1.0, 1.2])
    assert np.isnan(curves.at(curve, 0.5)).all()
    assert curves.lead(np.array([2.0, 2.1, 2.0]), np.array([1.0, 1.1, 1.0])) == -1
