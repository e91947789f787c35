"""The digits' network in few bits: what training sees is what is stored, and budgets are kept."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers.recordings import fast_at_what as lesson
from helpers.recordings.fast_at_what import learning, storing

KINDS = [
    (width, pruning, share)
    for width in storing.WIDTHS
    for pruning, share in ((None, 1.0), ("free", 0.1), ((2, 4), 1.0))
]


@pytest.fixture(scope="module")
def weights() -> learning.Weights:
    return learning.start(jax.random.key(0))


@pytest.mark.parametrize(("width", "pruning", "share"), KINDS)
def test_training_sees_the_weights_that_will_be_stored(weights, width, pruning, share):
    masks = learning.kept(weights, pruning, share)
    seen = [learning.rounded(w, width, mask) for w, mask in zip(weights, masks)]
    restored = learning.restore(learning.store(weights, width, pruning, share))
    assert all(np.allclose(one, other, atol=1e-6) for one, other in zip(seen, restored))


def test_free_pruning_keeps_the_largest_for_their_matrix(weights):
    masks = learning.kept(weights, "free", 0.1)
    sizes = np.concatenate([np.abs(w / np.sqrt((w**2).mean())).ravel() for w in weights])
    mask = np.concatenate([np.ravel(m) for m in masks]) > 0
    assert 0.0999 * 9472 - 1 < mask.sum() <= 0.1 * 9472
    assert sizes[mask].min() >= sizes[~mask].max()


@pytest.mark.parametrize("group", [(2, 4), (1, 4), (1, 8)])
def test_of_neighbours_the_largest_are_kept(weights, group):
    n, m = group
    mask = np.asarray(learning.kept(weights, group)[0])
    sizes = np.abs(np.asarray(weights[0]))
    for top in range(0, 64, m):
        wanted = np.argsort(-sizes[top : top + m], axis=0)[:n]
        assert (np.take_along_axis(mask[top : top + m], wanted, axis=0) == 1).all()
        assert (mask[top : top + m].sum(axis=0) == n).all()


def test_of_equal_neighbours_as_many_are_kept():
    mask = learning.kept([jnp.ones((8, 3)), jnp.ones((4, 2))], (2, 4))
    assert all((m.reshape(-1, 4, m.shape[1]).sum(axis=1) == 2).all() for m in mask)


def test_straight_through_has_the_rounded_value_and_the_plain_gradient():
    value, gradient = jax.value_and_grad(lambda w: learning.straight_through(w, jnp.round(w)) ** 2)(1.2)
    assert value == 1 and gradient == 2  # of the square at 1, as if the rounding were not there


def test_the_loss_is_the_mean_surprise(weights):
    images, digits = (part[:50] for part in learning.pictures()["training"])
    shares = jax.nn.softmax(jax.nn.relu(images @ weights[0]) @ weights[1])
    assert learning.surprise(weights, images, digits) == pytest.approx(
        -np.log(shares[np.arange(50), digits]).mean(), rel=1e-5
    )


def test_the_three_uses_share_no_picture():
    parts = {name: {image.tobytes() for image in images} for name, (images, _) in learning.pictures().items()}
    assert [len(learning.pictures()[name][1]) for name in ("training", "tuning", "held out")] == [1050, 350, 397]
    assert not parts["training"] & parts["held out"] and not parts["tuning"] & parts["held out"]


def test_learning_with_one_bit_undoes_what_rounding_breaks():
    networks = learning.train((3,))
    rounded = learning.error(learning.restore(learning.store(networks[0], "1")))
    again = learning.retrain(networks, (3,), "1", rates=(1e-2, 3e-2))
    learned = [learning.error(learning.restore(learning.store(one, "1"))) for one in again[0]]
    assert learning.error(networks[0]) < 0.12
    assert max(learned) < 0.13 < rounded


@pytest.mark.parametrize("budget", lesson.BUDGETS)
@pytest.mark.parametrize("width", storing.LEVELS)
def test_what_is_stored_keeps_within_its_budget_and_uses_it(budget, width):
    small = learning.start(jax.random.key(1), lesson.hidden_within(budget, width))
    bits = sum(matrix.bits for matrix in learning.store(small, width)) / 9472
    assert bits <= budget + 16 / 9472 and bits > budget - 4.1 * 74 / 9472
    if width != "1.58":
        share = lesson.share_within(budget, width, 128)
        pruned = learning.store(learning.start(jax.random.key(1)), width, "free", share)
        assert budget - 0.02 < sum(matrix.bits for matrix in pruned) / 9472 <= budget
