import subprocess
import sys
import time

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from helpers import measuring


def test_the_seed_is_zero_unless_the_run_says_otherwise(monkeypatch):
    monkeypatch.delenv("TALKS_SEED", raising=False)
    assert measuring.seed() == 0
    monkeypatch.setenv("TALKS_SEED", "7")
    assert measuring.seed() == 7


@pytest.mark.parametrize("text", ["", "one", "-1", "1.5", "²"])
def test_a_seed_that_is_no_whole_number_is_refused(monkeypatch, text):
    monkeypatch.setenv("TALKS_SEED", text)
    with pytest.raises(ValueError, match="TALKS_SEED must be a whole number"):
        measuring.seed()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forgets what a child took that has ended")
@pytest.mark.parametrize("ended", [True, False])
def test_the_processor_time_of_a_child_counts_whether_it_has_ended_or_not(ended):
    busy = "import sys, time\nwhile time.process_time() < 0.5: sum(range(10_000))\n"
    busy += "print('done', flush=True); sys.stdin.read()"
    before, pipe = measuring.processor_seconds(), subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", busy], stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout.readline() == "done\n"
        if ended:
            child.communicate("\n")
        assert measuring.processor_seconds() - before > 0.45
        child.stdin.close()


def test_the_interval_of_a_mean_agrees_with_scipys():
    values = np.array([[3.1, 2.9, 3.4, 3.0, 3.3], [1.0, 1.2, 0.7, 1.1, 0.9]])
    mean, low, high = measuring.mean_interval(values)
    for row, *found in zip(values, mean, low, high, strict=True):
        expected = stats.ttest_1samp(row, 0).confidence_interval(0.95)
        assert found == pytest.approx([row.mean(), expected.low, expected.high])


def test_the_interval_of_a_mean_holds_the_truth_about_as_often_as_it_says():
    draws = np.random.default_rng(1).normal(5, 2, size=(2000, 5))
    _, low, high = measuring.mean_interval(draws)
    assert 0.93 < np.mean((low < 5) & (high > 5)) < 0.97


def test_one_seed_has_no_interval():
    with pytest.raises(ValueError, match="at least two seeds"):
        measuring.mean_interval([0.3])


def test_the_bootstrap_interval_is_near_the_one_of_the_normal_distribution():
    rng = np.random.default_rng(2)
    parts = rng.normal(0.3, 1, 2000)
    low, high = measuring.bootstrap_ratio(parts, np.ones(2000), seed=0)
    reach = 1.96 * parts.std() / 2000**0.5
    assert low == pytest.approx(parts.mean() - reach, abs=0.1 * reach)
    assert high == pytest.approx(parts.mean() + reach, abs=0.1 * reach)


def test_the_bootstrap_draws_parts_and_wholes_together():
    wholes = np.array([1.0, 100.0] * 50)
    assert measuring.bootstrap_ratio(0.5 * wholes, wholes, seed=3) == pytest.approx((0.5, 0.5))


def test_the_bootstrap_is_the_same_for_the_same_seed():
    parts, wholes = np.arange(50.0), np.ones(50)
    assert measuring.bootstrap_ratio(parts, wholes, 4) == measuring.bootstrap_ratio(parts, wholes, 4)
    assert measuring.bootstrap_ratio(parts, wholes, 4) != measuring.bootstrap_ratio(parts, wholes, 5)


@given(st.floats(0.1, 3.9), st.floats(0.5, 3))
def test_two_straight_lines_cross_where_algebra_says(place, slope):
    amounts = [10.0**i for i in range(5)]
    first = [1.0] * 5
    second = [1 + slope * (place - i) for i in range(5)]
    assert measuring.crossing(amounts, first, second) == pytest.approx(10**place, rel=1e-6)


def test_curves_that_only_touch_or_cross_upwards_have_no_crossing():
    assert measuring.crossing([1, 10], [0.5, 0.5], [0.6, 0.5]) is None
    assert measuring.crossing([1, 10], [0.5, 0.5], [0.4, 0.6]) is None


def test_a_crossing_at_a_measured_point_is_that_point():
    assert measuring.crossing([1, 10, 100], [0.5, 0.5, 0.5], [0.6, 0.5, 0.4]) == pytest.approx(10)


def test_seconds_measure_one_call_and_leave_the_first_out():
    waits = iter([0.5, *[0.02] * 100])
    found = measuring.seconds(lambda: time.sleep(next(waits)), repeats=3)
    assert found.shape == (3,) and (found >= 0.02).all() and found.min() < 0.25


def test_seconds_wait_for_the_result_of_jax():
    big = jnp.ones((1500, 1500))
    assert measuring.seconds(jnp.matmul, big, big, repeats=2).min() > measuring.seconds(lambda: big, repeats=2).min()


def test_a_long_list_is_not_searched_for_arrays_of_jax(monkeypatch):
    waited = []
    monkeypatch.setattr(measuring.jax, "block_until_ready", waited.append)
    for plain in ([[1.0, 2.0]] * 3, [], 3, "text", None, np.ones(3), np.float32(2)):
        measuring.seconds(lambda plain=plain: plain, repeats=1, at_least=0)
    assert waited == []
    for mixed in ([jnp.ones(3)], (1, jnp.ones(3)), {"a": jnp.ones(3)}):
        measuring.seconds(lambda mixed=mixed: mixed, repeats=1, at_least=0)
    assert len(waited) == 6


def test_a_quick_function_is_called_until_the_clock_can_tell():
    calls = []
    found = measuring.seconds(lambda: calls.append(None), repeats=3, at_least=0.01)
    assert len(calls) > 1_000 and found.shape == (3,) and found.max() < 0.001


def test_a_slow_function_is_called_once_a_repeat():
    calls = []
    measuring.seconds(lambda: (calls.append(None), time.sleep(0.02)), repeats=3, at_least=0.01)
    assert len(calls) == 1 + 3


def clock_of(monkeypatch, taken: float) -> list:
    """Put a clock in the place of the real one by which each call takes so many seconds; the calls it measured."""
    measured = []

    def seconds(function, *arguments, repeats, at_least):
        measured.append((function(*arguments), arguments, repeats))
        return np.array([taken] + [2 * taken] * (repeats - 1))

    monkeypatch.setattr(measuring, "seconds", seconds)
    return measured


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_peak_is_twice_the_cube_over_the_least_time(monkeypatch, dtype):
    measured = clock_of(monkeypatch, 0.5)
    assert measuring.peak_flops(100, dtype, repeats=3) == 2 * 100**3 / 0.5
    ((product, arguments, repeats),) = measured
    assert product.shape == (100, 100) and product.dtype == arguments[0].dtype == dtype and repeats == 3
    assert np.allclose(np.asarray(product, float), 100 * 0.25)


def test_bandwidth_counts_two_arrays_read_and_one_written(monkeypatch):
    measured = clock_of(monkeypatch, 0.5)
    assert measuring.bandwidth(2, repeats=3) == 3 * 2e6 / 0.5
    ((y, _, _),) = measured
    assert y.nbytes == 2e6 and np.allclose(y, 1)


@pytest.mark.parametrize(
    ("measure", "amount"),
    [
        (measuring.peak_flops, -1),
        (measuring.peak_flops, 20_000),
        (measuring.bandwidth, -3),
        (measuring.bandwidth, 5_000),
    ],
)
def test_sizes_that_ask_too_much_are_refused(measure, amount):
    with pytest.raises(ValueError, match=f"not {amount}"):
        measure(amount)


def test_the_smallest_limit_of_memory_counts(tmp_path):
    whole = measuring.psutil.virtual_memory().total
    for name, text in {"less": "1000000000\n", "none": "max\n", "more": str(2**63)}.items():
        (tmp_path / name).write_text(text)
    assert measuring.memory([tmp_path / "less", tmp_path / "none"]) == 10**9
    assert measuring.memory([tmp_path / "none", tmp_path / "more", tmp_path / "missing"]) == whole
    assert measuring.memory([]) == whole


def test_the_machine_tells_its_cores():
    assert measuring.machine().endswith(f", {measuring.cores()} cores")
