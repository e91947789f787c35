"""The tables of processors, accelerators and published rates: whole, plausible, in agreement with others' tables."""

from itertools import pairwise

import numpy as np
import pytest

from helpers import data

PROCESSORS = data.table("processors")
ACCELERATORS = data.table("accelerators")
RATES = data.table("published_rates")
BENCHMARKS = ["vax_mips", "specint92", "specint95", "specint2000", "specint2006", "passmark"]
PRECISIONS = ["float64_tflops", "float32_tflops", "float16_tflops", "bfloat16_tflops", "float8_tflops", "int8_tops"]


def column(rows, name) -> np.ndarray:
    return np.array([float(row[name] or "nan") for row in rows])


def years(rows) -> np.ndarray:
    return column(rows, "year") + (np.nan_to_num(column(rows, "month"), nan=6.5) - 0.5) / 12


def speeds() -> np.ndarray:
    """The speed of one thread, from the newest benchmark, with links over the processors that have two."""
    logs = {name: np.log(column(PROCESSORS, name)) for name in BENCHMARKS}
    links = [np.nanmean(logs[older] - logs[newer]) for older, newer in pairwise(BENCHMARKS)]
    scaled = [logs[name] + sum(links[:i]) for i, name in enumerate(BENCHMARKS)]
    return np.exp([next((x for x in row[::-1] if np.isfinite(x)), np.nan) for row in np.transpose(scaled)])


def named(rows, name) -> dict:
    return next(row for row in rows if row["name"] == name)


# The tables themselves


@pytest.mark.parametrize("rows", [PROCESSORS, ACCELERATORS], ids=["processors", "accelerators"])
def test_names_are_unique_and_every_row_has_a_source(rows):
    assert len({row["name"] for row in rows}) == len(rows)
    for row in rows:
        assert row["source"]
        assert bool(row["price_dollars"]) == bool(row["price_source"]), row["name"]
        assert 1971 <= int(row["year"]) <= 2025
        assert row["month"] == "" or 1 <= int(row["month"]) <= 12


@pytest.mark.parametrize("rows", [PROCESSORS, ACCELERATORS], ids=["processors", "accelerators"])
def test_every_number_is_one(rows):
    texts = {"name", "kind", "source", "performance_source", "price_source", "read"}
    for name in set(rows[0]) - texts:
        values = column(rows, name)
        assert (values[np.isfinite(values)] > 0).all(), name


def test_there_are_enough_landmarks():
    assert len(PROCESSORS) >= 40
    assert len(ACCELERATORS) >= 20
    assert {row["kind"] for row in ACCELERATORS} == {"GPU", "TPU"}
    assert np.ptp(column(PROCESSORS, "year")) >= 50


def test_a_benchmark_has_a_source_and_the_links_have_processors():
    for row in PROCESSORS:
        assert bool(row["performance_source"]) == any(row[name] for name in BENCHMARKS), row["name"]
    for older, newer in pairwise(BENCHMARKS):
        both = np.isfinite(column(PROCESSORS, older) * column(PROCESSORS, newer))
        assert both.sum() >= 2, (older, newer)


def test_the_links_agree_among_the_processors_that_have_both():
    for older, newer in pairwise(BENCHMARKS):
        ratios = np.log(column(PROCESSORS, older) / column(PROCESSORS, newer))
        assert np.nanmax(ratios) - np.nanmin(ratios) < np.log(1.3), (older, newer)


@pytest.mark.parametrize(
    ("name", "vax", "published_by"),
    [
        ("DEC Alpha 21164", 280, "AlphaStation 5/300"),
        ("Intel Pentium III 1000", 1779, "Intel VC820"),
        ("IBM POWER4", 2584, "IBM POWER4 1.3 GHz"),
        ("Intel Pentium 4 3.06", 4195, "Intel D850EMVR"),
        ("Intel Core 2 Extreme X6800", 11865, "Intel Core 2 Extreme 2.9 GHz"),
        ("Intel Core i7-965", 19484, "Intel Core i7 Extreme 3.2 GHz"),
        ("Intel Core i7-6700K", 49870, "Intel Core i7 4.0 GHz"),
    ],
)
def test_speeds_agree_with_hennessy_and_pattersons_chain(name, vax, published_by):
    """Their figure 1.1 (2017) is chained in another way; twofold in five decades is as near as two chains come."""
    ratio = speeds()[[row["name"] for row in PROCESSORS].index(name)] / vax
    assert 0.6 < ratio < 2.2, published_by


@pytest.mark.parametrize(
    ("name", "bfloat16", "bandwidth"),
    [("NVIDIA A100 SXM 80 GB", 312, 2.0e3), ("NVIDIA H100 SXM", 990, 3.35e3), ("NVIDIA B200", 2250, 8e3)],
)
def test_three_accelerators_as_their_makers_state_them(name, bfloat16, bandwidth):
    row = named(ACCELERATORS, name)
    assert float(row["bfloat16_tflops"]) == pytest.approx(bfloat16, rel=0.005)
    assert float(row["bandwidth_gb_per_s"]) == pytest.approx(bandwidth, rel=0.02)


def test_no_sparse_figure_stands_among_the_dense_ones():
    """Half as many bits give at most four times the arithmetic, and eight bits at most twice that of sixteen."""
    for row in ACCELERATORS:
        sixteen = max(float(row["float16_tflops"] or 0), float(row["bfloat16_tflops"] or 0))
        for eight in ("float8_tflops", "int8_tops"):
            if row[eight] and sixteen:
                wide = 4.05 if "GeForce" in row["name"] else 2.01  # GeForce adds floats in 32 bits at half speed
                assert float(row[eight]) <= wide * sixteen, row["name"]


def test_two_figures_that_follow_from_units_and_clock():
    gtx = named(ACCELERATORS, "NVIDIA GeForce GTX 580")
    assert float(gtx["float32_tflops"]) == pytest.approx(512 * 2 * 1.544e9 / 1e12, rel=0.005)
    assert float(gtx["bandwidth_gb_per_s"]) == pytest.approx(384 / 8 * 4.008, rel=0.005)


# The rates against others' tables


def interval(t, v, draws=2000) -> tuple[float, float]:
    """The 95% interval of the growth in percent a year, over tables drawn again."""
    draw, known = np.random.default_rng(0), np.isfinite(v)
    t, log_v = t[known], np.log(v[known])
    picks = draw.integers(len(t), size=(draws, len(t)))
    x, y = t[picks], log_v[picks]
    x = x - x.mean(axis=1, keepdims=True)
    slopes = (x * y).sum(axis=1) / (x * x).sum(axis=1)
    return tuple(100 * np.expm1(np.percentile(slopes, [2.5, 97.5])))


def rows_of(kind) -> np.ndarray:
    return np.array([kind in ("all", row["kind"]) for row in PROCESSORS])


QUANTITIES = {
    "speed of one thread": speeds(),
    "clock": column(PROCESSORS, "clock_mhz"),
    "transistors": column(PROCESSORS, "transistors"),
}
SERVERS = "workstation or server"
OUTSIDE = {
    ("speed of one thread", "all", 1988, 2005),
    ("speed of one thread", "all", 1971, 2022),
    ("clock", "all", 2005, 2022),
    ("transistors", "all", 2005, 2022),
    ("transistors", SERVERS, 2005, 2022),
}


def what(rate) -> tuple:
    return rate["quantity"], rate["processors"], int(rate["first_year"]), int(rate["last_year"])


def interval_of(quantity, kind, first_year, last_year) -> tuple[float, float]:
    t = years(PROCESSORS)
    chosen = rows_of(kind) & (t >= first_year) & (t < last_year)
    return interval(t[chosen], QUANTITIES[quantity][chosen])


@pytest.mark.parametrize(
    "rate",
    [rate for rate in RATES if rate["quantity"] in QUANTITIES],
    ids=lambda rate: "-".join(list(rate.values())[:5]),
)
def test_which_published_rates_lie_in_the_interval_of_our_rows(rate):
    """Four of ten lie outside that of all our rows, and are told so; with servers alone, three of these move inside."""
    low, high = interval_of(*what(rate))
    assert (low <= float(rate["percent_per_year"]) <= high) is not (what(rate) in OUTSIDE), (low, high)


def test_every_rate_outside_all_rows_is_compared_again_with_servers():
    rates = {what(rate) for rate in RATES}
    assert rates >= OUTSIDE
    assert {rate for rate in rates if rate[1] == SERVERS} == {
        (a, SERVERS, *b) for a, kind, *b in OUTSIDE if kind == "all"
    }


def test_the_collection_is_compared_whole():
    """Each quantity before 2005, after it, and over the whole time: no rate that disagrees is left out."""
    rupp = [what(rate) for rate in RATES if "Rupp" in rate["source"] and rate["processors"] == "all"]
    spans = {quantity: sorted(rate[2:] for rate in rupp if rate[0] == quantity) for quantity in QUANTITIES}
    assert spans["speed of one thread"] == spans["clock"] == [(1971, 2022), (1988, 2005), (2005, 2022)]
    assert spans["transistors"] == [(1971, 2005), (1971, 2022), (2005, 2022)]


def test_without_late_personal_computers_transistors_grew_as_published():
    t = years(PROCESSORS)
    chosen = (t >= 2005) & (t < 2022) & ~(rows_of("personal computer") & (t >= 2010))
    low, high = interval(t[chosen], QUANTITIES["transistors"][chosen])
    assert low < 41.1 < high


def test_a_score_that_was_read_is_there():
    for row in PROCESSORS:
        assert row["read"] in ("", *BENCHMARKS)
        assert not row["read"] or row[row["read"]], row["name"]


def test_personal_computers_grew_faster_than_servers():
    t = years(PROCESSORS)
    era = (t >= 1988) & (t < 2005)
    pc, server = (rows_of(kind) & era for kind in ("personal computer", "workstation or server"))
    speed = QUANTITIES["speed of one thread"]
    assert interval(t[pc], speed[pc])[0] > interval(t[server], speed[server])[1]


def test_a_doubling_in_two_and_a_half_years_is_a_third_a_year():
    rate = next(rate for rate in RATES if rate["source"].startswith("Epoch"))
    assert float(rate["percent_per_year"]) == pytest.approx(100 * (2 ** (1 / 2.46) - 1), abs=0.1)
