"""The exercises of lesson 1.4: their solutions against hand-worked examples, simulations and other ways to count."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.exercises.shaped_like_the_machine import my_all_reduce_bytes, my_idle_share, my_slowest_stage


def idle_simulated(stages: int, microbatches: int, runs: int) -> Fraction:
    """The idle share of the last stage when microbatches really pass through all runs of all stages, group by group.

    As in Narayanan and others (2021): `stages` microbatches at a time go through the first run of each stage, then
    through the second, and so on. A turn is one run of one microbatch.
    """
    free, done = [0] * stages, {}
    for first in range(0, microbatches, stages):
        for run in range(runs):
            for micro in range(first, first + stages):
                for stage in range(stages):
                    before = done.get((micro, run, stage - 1) if stage else (micro, run - 1, stages - 1), 0)
                    free[stage] = done[micro, run, stage] = max(free[stage], before) + 1
    return Fraction(free[-1] - microbatches * runs, free[-1])


@pytest.mark.parametrize(
    ("stages", "microbatches", "runs", "idle"), [(4, 4, 1, 3 / 7), (1, 8, 3, 0), (2, 1, 1, 0.5), (5, 4, 4, 0.2)]
)
def test_idle_share_by_hand(stages, microbatches, runs, idle):
    assert my_idle_share(stages, microbatches, runs) == pytest.approx(idle)


@pytest.mark.parametrize(
    ("stages", "rounds", "runs"), [(1, 2, 2), (2, 1, 1), (3, 2, 1), (4, 1, 2), (4, 3, 2), (5, 2, 3)]
)
def test_idle_share_is_that_of_a_pipeline_that_really_runs(stages, rounds, runs):
    assert my_idle_share(stages, rounds * stages, runs) == pytest.approx(
        float(idle_simulated(stages, rounds * stages, runs))
    )


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 16))
def test_more_microbatches_and_more_runs_never_wait_longer(stages, microbatches, runs):
    share = my_idle_share(stages, microbatches, runs)
    assert 0 <= share < 1
    assert my_idle_share(stages, microbatches + 1, runs) <= share
    assert my_idle_share(stages, microbatches, runs + 1) <= share


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
