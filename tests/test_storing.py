"""Weights in few bits: what is stored comes back, takes the bytes that it says, and no fewer would do."""

import math
from itertools import combinations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from helpers.recordings.fast_at_what import storing

matrices = stn.arrays(np.float32, (8, 3), elements=st.floats(-3, 3, width=16)).filter(lambda w: np.abs(w).max() > 0.01)


@pytest.fixture
def weights() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(64, 20)).astype(np.float32)


def test_signs_are_packed_as_numpy_packs_them():
    bits = np.random.default_rng(1).integers(2, size=77)
    assert storing.pack(bits, 2) == np.packbits(bits).tobytes()


@given(st.sampled_from([2, 3, 4, 6, 16]), st.lists(st.integers(0, 15), max_size=40))
def test_codes_come_back_from_their_bytes(base, codes):
    codes = np.array(codes, int) % base
    packed = storing.pack(codes, base)
    assert storing.unpack(packed, base, len(codes)).tolist() == codes.tolist()
    assert len(packed) == -(-len(codes) // {2: 8, 3: 5, 4: 4, 6: 3, 16: 2}[base])


def test_each_choice_has_a_number_of_its_own_and_no_number_is_left_over():
    for n in range(1, 9):
        for k in range(1, n + 1):
            numbers = []
            for choice in combinations(range(n), k):
                kept = np.isin(np.arange(n), choice)
                packed = storing.pack_choice(kept)
                assert (storing.unpack_choice(packed, n, k) == kept).all()
                numbers.append(int.from_bytes(packed, "big"))
            assert sorted(numbers) == list(range(math.comb(n, k)))


@given(st.integers(0, 2**32), st.integers(1, 400), st.floats(0.01, 0.99))
def test_a_long_choice_takes_the_bytes_of_log2_of_the_number_of_ways(seed, n, share):
    kept = np.random.default_rng(seed).random(n) < share
    packed = storing.pack_choice(kept)
    assert (storing.unpack_choice(packed, n, int(kept.sum())) == kept).all()
    bits = math.log2(math.comb(n, int(kept.sum())))
    assert bits <= 8 * len(packed) + 1e-9 and 8 * len(packed) < max(bits, 1) + 8.001


@pytest.mark.parametrize(("group", "bytes_for_24_groups"), [((2, 4), 8), ((1, 4), 6)])
def test_groups_come_back_and_take_the_bytes_of_their_choices(group, bytes_for_24_groups):
    rng, (n, m) = np.random.default_rng(2), group
    kept = np.concatenate([np.argsort(rng.random((m, 12)), axis=0) < n for _ in range(2)])  # (8, 12)
    packed = storing.pack_group(kept, group)
    assert len(packed) == bytes_for_24_groups
    assert (storing.unpack_group(packed, kept.shape, group) == kept).all()


@pytest.mark.parametrize(
    ("width", "bytes_of_1280"),
    [("32", 5120), ("16", 2560), ("8", 1280), ("4", 640), ("2", 320), ("1.58", 256), ("1", 160)],
)
def test_codes_take_as_many_bytes_as_the_width_says(weights, width, bytes_of_1280):
    stored = storing.store(weights, width)
    assert len(stored.codes) == bytes_of_1280
    assert stored.bits == 8 * bytes_of_1280 + (0 if width in ("32", "16") else 32)


def test_floats_are_the_real_types(weights):
    assert (storing.restore(storing.store(weights, "32")) == weights).all()
    assert (storing.restore(storing.store(weights, "16")) == weights.astype(ml_dtypes.bfloat16)).all()
    stored = storing.store(weights, "8")
    codes = np.frombuffer(stored.codes, ml_dtypes.float8_e4m3fn).astype(float)
    assert np.abs(codes).max() == 448 and np.isfinite(codes).all()
    assert np.allclose(storing.restore(stored), weights, rtol=1 / 16, atol=stored.scale * 2**-9)


@pytest.mark.parametrize("width", ["4", "2", "1.58"])
def test_the_scale_is_better_than_its_neighbours(weights, width):
    def change(scale):
        levels = storing.levels(width) * scale
        return (np.abs(weights.ravel()[:, None] - levels).min(axis=1) ** 2).sum()

    tried = storing.SCALES * np.abs(weights).max() / storing.levels(width)[-1]
    best = storing.best_scale(weights.ravel(), width)
    assert change(best) == pytest.approx(min(change(scale) for scale in tried))
    assert storing.restore(storing.store(weights, width)).ravel() == pytest.approx(
        storing.levels(width)[np.abs(weights.ravel()[:, None] - storing.levels(width) * best).argmin(axis=1)] * best
    )


def test_one_bit_keeps_signs_and_the_mean_size():
    restored = storing.restore(storing.store(np.array([[1.0, -3.0], [2.0, -2.0]]), "1"))
    assert restored.tolist() == [[2, -2], [2, -2]]


@given(matrices, st.sampled_from(storing.WIDTHS))
def test_storing_twice_changes_nothing_more(weights, width):
    once = storing.restore(storing.store(weights, width))
    assert once.shape == weights.shape and np.isfinite(once).all()
    if width in ("32", "16", "1"):
        assert storing.restore(storing.store(once, width)) == pytest.approx(once)


@given(matrices, st.sampled_from(storing.WIDTHS), st.integers(0, 2**32))
def test_pruned_weights_are_zero_and_the_others_as_if_alone(weights, width, seed):
    kept = np.random.default_rng(seed).random(weights.shape) < 0.4
    kept[0, 0] = True
    stored = storing.store(weights, width, kept)
    restored = storing.restore(stored)
    assert (restored[~kept] == 0).all() and stored.kept == kept.sum()
    alone = storing.restore(storing.store(weights[kept].reshape(1, -1), width))
    assert restored[kept] == pytest.approx(alone.ravel())


def test_bits_count_values_positions_scale_and_number():
    weights, kept = np.ones((64, 20)), np.zeros((64, 20), bool)
    kept[::4] = True  # 320 of 1,280
    free, fixed = storing.store(weights, "1", kept), storing.store(weights, "1", kept, (1, 4))
    positions = 8 * -(-(math.comb(1280, 320) - 1).bit_length() // 8)
    assert free.bits == 320 + positions + 32 + 16
    assert fixed.bits == 320 + 2 * 320 + 32
    assert storing.store(weights, "1").bits == 1280 + 32


def test_an_unknown_width_and_an_empty_matrix_are_refused(weights):
    with pytest.raises(ValueError, match="not '3'"):
        storing.store(weights, "3")
    with pytest.raises(ValueError, match="Nothing is kept"):
        storing.store(weights, "1", np.zeros(weights.shape, bool))
