"""How long the kernel needs from a knob's new value to the new figure; the aim is 80 ms, browser included."""

import itertools

import numpy as np
import pytest

from helpers import figures, widgets

WORDS = [30, 100, 300, 1000, 3000, 10000, 30000, 111524]


def three_curves(lowest=30):
    ax = figures.axes()
    for name, end in (("rules", 0.3), ("window model", 0.2), ("attention", 0.1)):
        error = np.linspace(0.6, end * lowest / 30, len(WORDS))
        figures.recorded(ax, WORDS, error, name, low=error - 0.02, high=error + 0.02)
    figures.live(ax, [3000], [0.4], "attention")
    figures.log_ticks(ax, [30, 300, 3000, 30000])
    return figures.label(ax, "Fewer errors", "training words", "share of sounds wrong"), "Three falling curves."


@pytest.mark.benchmark(group="knob to figure")
def test_a_figure_of_three_curves(benchmark):
    explorer = widgets.Explorer(three_curves, lowest=range(30, 60))
    values = itertools.cycle(range(31, 60))

    def turn():
        explorer.knobs["lowest"].value = next(values)

    benchmark(turn)
    assert explorer.last.words == "Three falling curves."


@pytest.mark.benchmark(group="knob to table")
def test_a_table(benchmark):
    explorer = widgets.Explorer(lambda n: widgets.Table(["n"], [[n]]), n=range(100))
    values = itertools.cycle(range(1, 100))

    def turn():
        explorer.knobs["n"].value = next(values)

    benchmark(turn)
    assert isinstance(explorer.last, widgets.Table)
