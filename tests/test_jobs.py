"""The jobs that lesson 1.3 times: the three ways agree, and with other people's code."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from helpers.recordings.fast_at_what import jobs

KINDS = [
    (jobs.blur, 4),
    (jobs.blur, 120),
    (jobs.look_up, 16),
    (jobs.sorting, 16),
    (jobs.sorting, 999),
    (jobs.collatz, 40),
]


@pytest.mark.parametrize(("kind", "n"), KINDS)
def test_the_three_ways_agree(kind, n):
    job = kind(n, np.random.default_rng(0))
    whole = job.by_numpy(*job.inputs)
    assert np.allclose(job.compiled(*map(jnp.asarray, job.inputs)), whole, rtol=1e-5)
    piece = np.ravel(job.loop())
    assert np.allclose(piece, np.ravel(whole)[: len(piece)], rtol=1e-5)
    assert len(piece) * job.pieces == pytest.approx(whole.size)


def test_a_blur_is_scipys():
    job = jobs.blur(120, np.random.default_rng(1))
    (picture,) = job.inputs
    assert np.allclose(job.by_numpy(picture), ndimage.uniform_filter(picture, 7)[3:-3, 3:-3], rtol=1e-4)


def test_a_look_up_goes_to_its_places():
    job = jobs.look_up(16, np.random.default_rng(2))
    table, y, places = job.inputs
    assert job.loop() == pytest.approx([y[i] + table[places[i]] / 2 for i in range(16)])


def test_collatz_by_hand():
    job = jobs.collatz(7, np.random.default_rng(3))  # 3 10 5 16 8 4 2 1
    assert job.loop() == [0, 1, 7, 2, 5, 8, 16]
    assert job.by_numpy(*job.inputs).tolist() == [0, 1, 7, 2, 5, 8, 16]


def test_a_long_loop_does_a_known_part():
    job = jobs.look_up(2**18, np.random.default_rng(4))
    assert len(job.loop()) == 2**17 and job.pieces == 2
