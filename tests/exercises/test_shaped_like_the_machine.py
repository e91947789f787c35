"""The exercises of lesson 1.4: their solutions against hand-worked examples, simulations and other ways to count."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.exercises.shaped_like_the_machine import my_all_reduce_bytes, my_ring_bytes, my_slowest_stage


def ring_simulated(devices: int, pieces_of: int) -> tuple[int, bool]:
    """Bytes that each device sends when arrays of so many pieces go round a ring, and whether all end with the sum."""
    arrays = np.arange(devices * devices).reshape(devices, devices) + 1.0  # one piece a column
    total, sent = arrays.sum(axis=0), 0
    for step in range(2 * (devices - 1)):
        pieces = [(device, (device - step) % devices) for device in range(devices)]
        moving = [arrays[device, piece] for device, piece in pieces]
        for (device, piece), value in zip(pieces, moving):
            to = (device + 1) % devices
            arrays[to, piece] = arrays[to, piece] + value if step < devices - 1 else value
        sent += pieces_of
    return sent, bool((arrays == total).all())


@pytest.mark.parametrize(
    ("devices", "size", "sent"), [(1, 100, 0), (2, 100, 100), (4, 100, 150), (4, 852_036, 1_278_054)]
)
def test_ring_bytes_by_hand(devices, size, sent):
    assert my_ring_bytes(devices, size) == sent


@pytest.mark.parametrize("devices", [1, 2, 3, 4, 7])
def test_ring_bytes_are_those_of_a_ring_that_really_runs(devices):
    sent, all_have_the_sum = ring_simulated(devices, pieces_of=12)
    assert all_have_the_sum
    assert my_ring_bytes(devices, 12 * devices) == sent


@given(st.integers(1, 10_000), st.integers(1, 10**12))
def test_a_device_never_sends_twice_the_array(devices, size):
    assert 0 <= my_ring_bytes(devices, size) < 2 * size


def test_program_bytes_by_hand():
    program = """
%add = f32[] add(%a, %b)
%one = f32[2,3]{1,0} all-reduce(f32[2,3]{1,0} %x)
%start = (bf16[5]{0}, f32[]) all-reduce-start(%y, %z)
%done = (bf16[5]{0}, f32[]) all-reduce-done(%start)
%use = f32[2,3]{1,0} copy(%all-reduce.1)
"""
    assert my_all_reduce_bytes(program) == 24 + 10 + 4
    assert my_all_reduce_bytes("") == 0


def test_program_bytes_of_a_program_that_xla_really_writes():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("device",))
    add = jax.shard_map(lambda x: jax.lax.psum(x, "device"), mesh=mesh, in_specs=jax.P("device"), out_specs=jax.P())
    lowered = jax.jit(add).lower(jnp.ones((6, 7)))
    text = lowered.compiler_ir(dialect="hlo").as_hlo_text()
    assert my_all_reduce_bytes(text) == 4 * 6 * 7


@pytest.mark.parametrize(
    ("seconds", "stages", "slowest"),
    [([3], 1, 3), ([1, 1, 4], 2, 4), ([4, 1, 1], 2, 4), ([2, 3, 4, 5], 2, 9), ([1, 2, 3, 4, 5, 6, 7], 3, 11)],
)
def test_slowest_stage_by_hand(seconds, stages, slowest):
    assert my_slowest_stage(seconds, stages) == slowest


def fewest_stages(seconds: list[int], limit: int) -> int:
    """How many stages are needed if none may take longer than the limit: filling greedily is best for that."""
    stages, now = 1, 0
    for time in seconds:
        stages, now = (stages, now + time) if now + time <= limit else (stages + 1, time)
    return stages


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_slowest_stage_is_the_least_limit_that_so_many_stages_can_keep(seconds, draw):
    stages = draw.draw(st.integers(1, len(seconds)))
    limits = (limit for limit in range(max(seconds), sum(seconds) + 1) if fewest_stages(seconds, limit) <= stages)
    assert my_slowest_stage(seconds, stages) == next(limits)
