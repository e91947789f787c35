"""The small net split over two cards, and its unsplit twins."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from helpers import data, models, recordings
from helpers.data import Handwriting
from helpers.recordings import shaped_like_the_machine as lesson
from helpers.recordings.shaped_like_the_machine import NETS, Net

SPLIT = NETS["split over two cards"]
draw = np.random.default_rng(0)


@pytest.mark.parametrize("cards", [1, 2, 4])
def test_convolution_is_laxs_with_as_many_groups_as_cards(cards):
    x = draw.standard_normal((3, 5, 7, 8)).astype(np.float32)
    w = draw.standard_normal((cards, 9, 8 // cards, 12 // cards)).astype(np.float32)
    kernels = w.transpose(1, 2, 0, 3).reshape(3, 3, 8 // cards, 12)  # the output maps lie card by card
    expected = lax.conv_general_dilated(
        x, kernels, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=cards
    )
    assert np.allclose(lesson.convolve(x, w), expected, atol=1e-4)


def test_a_card_never_sees_the_other_cards_maps():
    x = draw.standard_normal((1, 4, 4, 6)).astype(np.float32)
    w = draw.standard_normal((2, 9, 3, 2)).astype(np.float32)
    other = x.copy()
    other[..., 3:] += 1  # the second card's maps
    before, after = lesson.convolve(x, w), lesson.convolve(other, w)
    assert np.array_equal(before[..., :2], after[..., :2])
    assert not np.allclose(before[..., 2:], after[..., 2:])


def test_layers_2_4_and_5_read_their_own_card_and_layer_3_reads_both():
    cards = {name: shape[0] for name, shape in lesson.shapes(SPLIT).items() if name.startswith("conv")}
    assert cards == {"conv 1": 1, "conv 2": 2, "conv 3": 1, "conv 4": 2, "conv 5": 2}
    assert lesson.shapes(SPLIT)["conv 3"] == (1, 9, 32, 48)


def test_counts_by_hand():
    tiny = Net((2, 2, 2, 2, 2), 1, 2, 0.1)
    weights = {"conv 1": 18, "conv 2": 18, "conv 3": 36, "conv 4": 18, "conv 5": 18, "wide": 8, "digits": 10}
    assert lesson.parameters(tiny) == sum(weights.values()) + 5 * 2 + 1 + 10
    assert lesson.multiplications(tiny) == 64 * (18 + 18) + 16 * (36 + 18 + 18) + 8 + 10


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_parameters_are_those_of_the_weights(net):
    assert lesson.parameters(net) == sum(array.size for array in lesson.start(net, seed=0).values())


def test_twins_are_equal_in_what_their_names_say():
    parameters = NETS["unsplit, equal parameters"], SPLIT
    assert np.divide(*map(lesson.parameters, parameters)) == pytest.approx(1, abs=0.005)
    multiplications = NETS["unsplit, equal multiplications"], SPLIT
    assert np.divide(*map(lesson.multiplications, multiplications)) == pytest.approx(1, abs=0.005)


def test_half_the_kernels_but_for_the_last_convolution_as_in_the_paper():
    half = NETS["one card, half the kernels"]
    assert [2 * kernels for kernels in half.kernels[:4]] == list(SPLIT.kernels[:4])
    assert half.kernels[4] == SPLIT.kernels[4] and half.wide == SPLIT.wide


def test_dropping_keeps_the_mean_and_happens_in_training_alone():
    x = jnp.ones((100, 100))
    dropped = lesson._dropped(x, jax.random.key(0))
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert np.allclose(np.unique(dropped), [0, 1 / lesson.KEPT])
    assert lesson._dropped(x, None) is x


def test_training_learns_and_repeats_itself(monkeypatch):
    monkeypatch.setattr(lesson, "STEPS", 60)
    pool, _ = data.handwriting()
    images = Handwriting(pool.images[:300], pool.digits[:300])
    net = Net((4, 4, 4, 4, 4), 16, 2, 0.01)
    one, again = lesson.train(net, images, seed=1), lesson.train(net, images, seed=1)
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert lesson.error(one, images) < lesson.error(lesson.start(net, seed=1), images) - 0.2


def test_the_error_is_the_share_read_wrong():
    weights = lesson.start(SPLIT, seed=0)
    images = data.handwriting()[1]
    said = np.asarray(lesson.scores(weights, images.images)).argmax(axis=1)
    assert lesson.error(weights, Handwriting(images.images, said)) == 0
    assert lesson.error(weights, Handwriting(images.images, (said + 1) % 10)) == 1


def test_the_recording_has_every_net_under_every_seed():
    rows = recordings.read("1_4_split_nets")
    assert {(row["net"], row["seed"]) for row in rows} == {(net, seed) for net in NETS for seed in lesson.SEEDS}
    wrong = np.array([row["error"] for row in rows]) * 397
    assert np.allclose(wrong, wrong.round(), atol=1e-3)


def test_a_transformer_cut_by_tensors_has_the_loss_of_the_whole_one():
    parameters = models.transformer_parameters(jax.random.key(0), vocabulary=11, width=16, layers=2, heads=2)
    parameters = {
        name: array + 0.1 * draw.standard_normal(array.shape, np.float32) for name, array in parameters.items()
    }
    batch = draw.integers(11, size=(2, 6))
    scores = jax.nn.log_softmax(models.transformer(parameters, batch[:, :-1]))
    whole = -np.take_along_axis(np.asarray(scores), batch[:, 1:, None], axis=-1).mean()
    mesh = jax.make_mesh((1,), ("device",))
    split = jax.shard_map(lesson.tensor_loss, mesh=mesh, in_specs=jax.P(), out_specs=jax.P())
    assert float(split(parameters, batch)) == pytest.approx(whole, rel=1e-4)
