"""The figures' style, their words, and the picture that is stored."""

import copy
import os
import subprocess
import sys
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager

from helpers import figures
from helpers.environment import ROOT

# Machado, Oliveira and Fernandes (2009), severity 1.0: linear RGB as seen without one kind of cone.
SEEN_BY = {
    "three kinds of cone": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(color: str) -> np.ndarray:
    srgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("cones", SEEN_BY)
def test_colours_stay_apart_for_colour_blind_readers(cones):
    seen = {name: lab(np.array(SEEN_BY[cones]) @ linear(style["color"])) for name, style in figures.STYLE.items()}
    nearest = min((np.linalg.norm(seen[a] - seen[b]), a, b) for a, b in combinations(seen, 2))
    assert nearest[0] > 12, f"{nearest[1]} and {nearest[2]} look alike"


@pytest.mark.parametrize("meaning", figures.STYLE)
def test_colours_stand_out_from_white(meaning):
    luminance = linear(figures.STYLE[meaning]["color"]) @ [0.2126, 0.7152, 0.0722]
    assert 1.05 / (luminance + 0.05) >= 3  # WCAG 2.2, 1.4.11


def test_colour_is_never_the_only_signal():
    styles = figures.STYLE.values()
    for key in ("color", "marker", "linestyle"):
        assert len({str(style[key]) for style in styles}) == len(styles)


def test_recorded_and_live_points_are_drawn_differently():
    ax = figures.live(figures.recorded(figures.axes(), [1, 2], [3, 4], "rules"), [1], [3], "rules")
    line, star = ax.lines
    assert line.get_linestyle() != "None" and star.get_linestyle() == "None"
    assert line.get_marker() != star.get_marker() and star.get_fillstyle() == "none"
    assert star.get_label() == figures.LIVE
    plt.close(ax.figure)


def test_an_unknown_meaning_is_an_error():
    with pytest.raises(KeyError, match="rulez"):
        figures.recorded(figures.axes(), [1], [1], "rulez")
    plt.close("all")


def test_label_shows_a_legend_only_for_named_things():
    assert figures.label(figures.axes(), "t", "x", "y").get_legend() is None
    named = figures.recorded(figures.axes(), [1], [1], "rules")
    assert figures.label(named, "t", "x", "y").get_legend().get_texts()[0].get_text() == "rules"
    plt.close("all")


def test_the_same_figure_is_the_same_picture_opaque_and_closed():
    def draw():
        ax = figures.recorded(figures.axes(), [1, 2], [3, 4], "attention", low=[2, 3], high=[4, 5])
        return figures.png(figures.label(ax, "t", "x (s)", "y (m)"))

    first = draw()
    assert first == draw()
    assert first[25] == 2  # colour type 2: red, green, blue, and nothing transparent
    assert plt.get_fignums() == []


def test_a_kept_layout_holds_the_axes_still_until_the_labels_outgrow_it():
    def left_edge(height, title="t"):
        ax = figures.label(figures.recorded(figures.axes(), [0, 1], [0, height], "rules"), title, "x", "y")
        figures.png(ax, layout=layout)
        return ax.get_position().x0, ax.get_position().y1

    layout = {}
    narrow = left_edge(1)
    assert left_edge(0.9) == narrow
    wide = left_edge(12_345)
    assert wide[0] > narrow[0]
    assert left_edge(1) == wide
    assert left_edge(1, title="two\nlines")[1] < wide[1]


def test_a_live_figure_leaves_out_small_marks_without_labels_alone():
    def small_marks(high, layout):
        ax = figures.axes()
        ax.set(yscale="log", ylim=(1, high))
        figures.png(ax, layout=layout)
        return len(ax.yaxis.get_minor_ticks())

    assert small_marks(1_000, layout=None) > 10
    assert small_marks(1_000, layout={}) == 0
    assert small_marks(5, layout={}) > 2  # here they are the only ones with labels


def test_show_gives_the_picture_its_words_twice(monkeypatch):
    outputs = []
    monkeypatch.setattr(figures, "display", lambda data, metadata=None, raw=False: outputs.append((data, metadata)))
    assert figures.show(figures.axes(), alt="5 < 6 & 7") is None
    (picture, metadata), (words, _) = outputs
    assert metadata["image/png"] == {"alt": "5 < 6 & 7", "width": 540}
    assert picture["text/plain"] == "5 < 6 & 7"
    assert "<summary>The figure in words</summary>" in words["text/html"]
    assert "5 &lt; 6 &amp; 7" in words["text/html"]


def test_curves_in_words_tell_start_end_lowest_and_crossing():
    curves = {"a": ([1, 10, 100], [0.5, 0.1, 0.3]), "b": ([1, 10, 100], [0.2, 0.2, 0.2]), "now": ([10], [0.15])}
    told = figures.describe_curves(curves, x="words", y="error", percent=True)
    assert "a: 50% at 1, 30% at 100, lowest 10% at 10." in told
    assert "a and b cross between 1 and 10: a is lower from 10 on." in told
    assert "a and b cross between 10 and 100: b is lower from 100 on." in told
    assert "now: 15% at 10." in told


def test_a_difference_nobody_can_see_is_no_crossing():
    curves = {"a": ([1, 2, 3], [0.501, 0.402, 0.3]), "b": ([1, 2, 3], [0.6, 0.401, 0.4])}
    assert "cross" not in figures.describe_curves(curves, x="x", y="y", percent=True)


@given(st.lists(st.integers(0, 100), min_size=2, max_size=8), st.floats(-0.004, 0.004))
def test_the_words_do_not_depend_on_the_last_digits(percentages, noise):
    def told(shift):
        y = [(p + shift) / 100 for p in percentages]
        return figures.describe_curves({"a": (range(len(y)), y)}, x="x", y="y", percent=True)

    assert told(0) == told(noise)


@given(st.floats(0.001, 1e7))
def test_numbers_are_told_with_three_digits_or_all_of_them(value):
    told = float(figures.number(value).replace(",", ""))
    assert told == pytest.approx(value, rel=0.006)


@pytest.mark.parametrize("count", range(1, 7))
def test_variants_of_one_meaning_differ_in_more_than_colour(count):
    styles = figures.variants("machine", count)
    for key in ("color", "marker", "linestyle"):
        assert len({str(style[key]) for style in styles}) == count
    assert styles[-1]["color"] == figures.STYLE["machine"]["color"].lower()


def test_more_variants_than_can_be_told_apart_are_refused():
    with pytest.raises(ValueError, match="not 7"):
        figures.variants("machine", 7)


DRAWN = """
import hashlib
from helpers import figures
figures.use_style()
ax = figures.axes()
ax.plot([1, 10], [3, 4], label="$x^2$ of π")
figures.label(ax, "Fewer errors ✓", "words", "wrong (%)")
drawn = hashlib.sha256(figures.png(ax)).hexdigest()
"""


@pytest.mark.parametrize("lost", ["every font", "the plain ones"])
def test_a_list_of_fonts_made_in_bad_weather_changes_no_figure(tmp_path, lost):
    """Such a list stays in the user's cache; without `_own_fonts`, figures warn of it, come out otherwise or fail."""
    fonts, poisoned = font_manager.fontManager, copy.copy(font_manager.fontManager)
    poisoned.ttflist = [font for font in fonts.ttflist if lost != "every font" and font.name != "DejaVu Sans"]
    font_manager.json_dump(poisoned, tmp_path / f"fontlist-v{font_manager.FontManager.__version__}.json")
    variables = {**os.environ, "MPLCONFIGDIR": str(tmp_path)}
    code = [sys.executable, "-c", f"{DRAWN}\nprint(drawn)"]
    told = subprocess.run(code, cwd=ROOT, env=variables, capture_output=True, text=True)
    exec(DRAWN, here := {})
    assert (told.stdout.strip(), told.stderr, told.returncode) == (here["drawn"], "", 0)
