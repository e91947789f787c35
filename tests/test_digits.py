"""Digits: the drawing of training images, the features made by hand, and both systems' errors."""

import jax
import numpy as np
import pytest

from helpers import data
from helpers.recordings.rules_or_gradient_descent import digits


def ring() -> np.ndarray:
    """An image (8, 8) of a square ring of ink, 6 wide, with the paper showing through its middle."""
    image = np.zeros((8, 8))
    image[1:7, 1:7] = 1
    image[2:6, 2:6] = 0
    return image


def test_training_pool_and_held_out_part_share_no_image():
    training, held_out = data.handwriting()
    assert len(training.digits) == 1400 and len(held_out.digits) == 397
    seen = {image.tobytes() for image in training.images}
    assert not any(image.tobytes() in seen for image in held_out.images)
    assert training.images.min() == 0 and training.images.max() == 1


@pytest.mark.parametrize("images", [10, 100, 1000])
def test_drawn_images_are_balanced_and_nested(images):
    pool, _ = data.handwriting()
    drawn, larger = digits.draw(pool, images, seed=3), digits.draw(pool, 2 * images if images < 700 else 1400, seed=3)
    assert set(np.bincount(drawn.digits)) == {images // 10}
    assert (larger.images[:images] == drawn.images).all()
    assert (digits.draw(pool, images, seed=4).images != drawn.images).any()


def test_whole_pool_is_drawn_once_each():
    pool, _ = data.handwriting()
    drawn = digits.draw(pool, 1400, seed=0)
    assert sorted(image.tobytes() for image in drawn.images) == sorted(image.tobytes() for image in pool.images)


@pytest.mark.parametrize("images", [9, 1401])
def test_impossible_number_of_images_is_refused(images):
    with pytest.raises(ValueError, match=f"not {images}"):
        digits.measure("features by hand", images, seed=0)


def test_unknown_system_is_refused():
    with pytest.raises(ValueError, match="features by heart"):
        digits.measure("features by heart", 10, seed=0)


def test_features_of_a_ring():
    found = digits.features_by_hand(ring())
    zones, across, down = found[:16], found[16:24], found[24:32]
    crossings, holes, centre, symmetry = found[104:120], found[120:122], found[122:125], found[125:]
    outer, inner = [0.25, 0.5, 0.5, 0.25], [0.5, 0, 0, 0.5]
    assert np.allclose(zones.reshape(4, 4) ** 2, [outer, inner, inner, outer])
    assert np.allclose(across**2, [0, 6, 2, 2, 2, 2, 6, 0]) and np.allclose(down**2, across**2)
    assert list(crossings) == [0, 2, 4, 4, 4, 4, 2, 0] * 2
    assert list(holes) == [1, 16]
    assert np.allclose(centre, [3.5, 3.5, 20 / 64]) and np.allclose(symmetry, 0)


def test_an_edge_falls_in_the_bin_of_its_direction():
    image = np.zeros((8, 8))
    image[:, 4:] = 1  # ink begins half-way: the gradient points right, an angle of nought, bin 4 of 8
    edges = digits.features_by_hand(image)[32:104].reshape(9, 8)
    assert (edges[:, 4] > 0).all() and np.allclose(np.delete(edges, 4, axis=1), 0)


def test_an_empty_image_has_finite_features():
    assert np.isfinite(digits.features_by_hand(np.zeros((8, 8)))).all()


def test_convolution_agrees_with_a_sum_over_patches():
    rng = np.random.default_rng(0)
    images, filters = rng.normal(size=(2, 8, 8, 3)), rng.normal(size=(3, 3, 3, 4))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = np.zeros((2, 8, 8, 4))
    for down in range(3):
        for across in range(3):
            expected += padded[:, down : down + 8, across : across + 8] @ filters[down, across]
    assert np.allclose(digits.convolve(images, filters), expected, atol=1e-4)


def test_dropout_only_with_a_key():
    p = digits.start_network(jax.random.key(0))
    images = data.handwriting()[1].images[:5]
    plain, dropped = digits.network(p, images), digits.network(p, images, jax.random.key(1))
    assert plain.shape == (5, 10)
    assert np.allclose(plain, digits.network(p, images))
    assert not np.allclose(plain, dropped)


@pytest.mark.parametrize("system", ["features by hand", "learned features"])
def test_error_falls_with_images_and_depends_on_the_seed_alone(system):
    few, many = digits.measure(system, 10, seed=1), digits.measure(system, 1400, seed=1)
    assert many < 0.1 < few < 0.6  # chance is 0.9
    assert digits.measure(system, 10, seed=1) == few
