"""The table of published training runs: consistent with itself and with a second way to count."""

import pytest

from helpers import data

RUNS = data.table("published_training_runs")


@pytest.mark.parametrize("row", RUNS, ids=lambda row: f"{row['run']} {row['billion_parameters']} {row['devices']}")
def test_a_run_adds_up(row):
    layers, width, vocabulary = (int(row[name]) for name in ("layers", "width", "vocabulary"))
    counted = 12 * layers * width**2 + vocabulary * width
    assert counted / 1e9 == pytest.approx(float(row["billion_parameters"]), rel=0.04)
    groups = int(row["tensor"]) * int(row["pipeline"])
    assert int(row["devices"]) % groups == 0
    assert int(row["batch_sequences"]) % (int(row["devices"]) // groups) == 0
    assert layers % int(row["pipeline"]) in (0, 126 % 16)  # Llama 3's end stages hold a layer less
    assert 0.3 < float(row["tflops_per_device"]) / float(row["peak_tflops"]) < 0.6
    assert "arXiv:" in row["source"]


def test_the_largest_run_has_the_speed_that_its_abstract_states():
    largest = max((row for row in RUNS if row["year"] == "2021"), key=lambda row: int(row["devices"]))
    petaflops = int(largest["devices"]) * float(largest["tflops_per_device"]) / 1000
    assert petaflops == pytest.approx(502, rel=0.005)  # "502 petaFLOP/s on 3072 GPUs", 52% of the peak
    assert round(float(largest["tflops_per_device"]) / float(largest["peak_tflops"]), 2) == 0.52
