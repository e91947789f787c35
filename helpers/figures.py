"""Figures in one style: one colour a meaning, labels with units, and every figure in words as well."""

import html
import io
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from PIL import Image

# Seven meanings, the same in every lesson. The colours stay apart under the three kinds of colour blindness
# (tests/test_figures.py measures it), and the marker and the line tell the meanings apart without any colour.
STYLE = {
    "recurrent": {"color": "#B06196", "marker": "D", "linestyle": (0, (5, 1, 1, 1))},
    "attention": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "window model": {"color": "#8E9B24", "marker": "^", "linestyle": "--"},
    "rules": {"color": "#FF5117", "marker": "s", "linestyle": ":"},
    "learned": {"color": "#009B5A", "marker": "v", "linestyle": "-."},
    "data": {"color": "#000000", "marker": ".", "linestyle": (0, (1, 2))},
    "machine": {"color": "#809A8F", "marker": "P", "linestyle": (0, (7, 2))},
}
PIXELS_PER_INCH = 100
LIVE = "measured here, now"


def use_style() -> None:
    """Draw every later figure of this notebook in the course's style: called once, in the set-up cell."""
    _own_fonts()
    plt.style.use(Path(__file__).with_name("lesson.mplstyle"))


@cache
def _own_fonts() -> None:
    """Makes matplotlib's own fonts the first that it finds, whatever its list of this machine's fonts says.

    It makes the list once and keeps it in the user's cache: one made while matplotlib was half installed lacks some
    of its own fonts for good, and figures warn, and are drawn in others.
    """
    folder, fonts = Path(matplotlib.get_data_path(), "fonts", "ttf"), font_manager.fontManager
    known = {font.fname for font in fonts.ttflist}
    for path in sorted(folder.glob("*.ttf")):
        if str(path) not in known:
            fonts.addfont(path)
    fonts.ttflist.sort(key=lambda font: not font.fname.startswith(str(folder)))


def axes(ax: Axes | None = None, width: float = 5.4, height: float = 3.5) -> Axes:
    """The axes given, or new ones in the course's style, width x height inches.

    >>> axes().get_figure().get_size_inches().tolist()
    [5.4, 3.5]
    """
    if ax is None:
        use_style()
        ax = plt.subplots(figsize=(width, height))[1]
    return ax


def label(ax: Axes, title: str, x: str, y: str) -> Axes:
    """Title and axis labels, each with its unit, and a legend when anything drawn has a name.

    >>> label(axes(), "Fewer errors", "training words", "sounds wrong (%)").get_ylabel()
    'sounds wrong (%)'
    """
    ax.set(xlabel=x, ylabel=y)
    ax.set_title(title, loc="left")
    if ax.get_legend_handles_labels()[0]:
        ax.legend()
    return ax


def log_ticks(ax: Axes, ticks: Sequence[float]) -> Axes:
    """A logarithmic x axis with the ticks given, written as plain numbers.

    >>> [tick.get_text() for tick in log_ticks(axes(), [30, 1000, 30000]).get_xticklabels()]
    ['30', '1,000', '30,000']
    """
    ax.set_xscale("log")
    ax.set_xticks(ticks, [number(tick) for tick in ticks])
    ax.set_xticks([], minor=True)
    return ax


def recorded(ax: Axes, x, y, meaning: str, low=None, high=None, name: str | None = None) -> Axes:
    """A recorded curve: a line with its meaning's colour and marker, and a band from low to high if given.

    x, y, low and high are sequences of one length; name stands in the legend (the meaning, if not given).

    >>> recorded(axes(), [30, 100], [0.5, 0.4], "rules", low=[0.4, 0.3], high=[0.6, 0.5]).lines[0].get_marker()
    's'

    Raises KeyError for a meaning that STYLE does not have.
    """
    style = STYLE[meaning]
    ax.plot(x, y, label=name or meaning, **style)
    if low is not None:
        ax.fill_between(x, low, high, color=style["color"], alpha=0.2, linewidth=0)
    return ax


def live(ax: Axes, x, y, meaning: str, name: str = LIVE) -> Axes:
    """Points measured in front of the learner: large open stars in the meaning's colour, never joined by a line.

    >>> live(axes(), [100], [0.4], "rules").lines[0].get_marker()
    '*'

    Raises KeyError for a meaning that STYLE does not have.
    """
    ax.plot(x, y, "*", label=name, color=STYLE[meaning]["color"], markersize=18, fillstyle="none",
            markeredgewidth=2, zorder=3)  # fmt: skip
    return ax


def variants(meaning: str, count: int) -> list[dict]:
    """Styles for lines that share one meaning: from dark to its own colour, each with its own marker and dashes.

    >>> [style["marker"] for style in variants("machine", 3)]
    ['o', 's', '^']

    Raises ValueError for a count outside 1 to 6: more would not be told apart.
    """
    markers, dashes = "os^DvP", ["-", "--", ":", "-.", (0, (5, 1, 1, 1)), (0, (7, 2))]
    if not 1 <= count <= len(markers):
        raise ValueError(f"Between 1 and {len(markers)} variants can be told apart, not {count}.")
    hue = np.array(to_rgb(STYLE[meaning]["color"]))
    colors = [to_hex(hue * (1 - dark)) for dark in np.linspace(0.6, 0, count)] if count > 1 else [to_hex(hue)]
    return [
        {"color": color, "marker": marker, "linestyle": dash} for color, marker, dash in zip(colors, markers, dashes)
    ]


def png(drawn: Axes | Figure, dots_per_inch: int = 150, layout: dict | None = None) -> bytes:
    """The figure as the bytes of a PNG picture, the same bytes each time; the figure is closed afterwards.

    Figures drawn one after another with the same layout, at first {}, keep their axes in one place and are
    drawn in two thirds of the time, as long as their tick labels do not outgrow it. Logarithmic axes of more than
    a decade go without their small marks there.

    >>> png(axes())[:4]
    b'\\x89PNG'
    """
    figure = drawn.get_figure(root=True)
    figure.set_dpi(dots_per_inch)
    canvas = FigureCanvasAgg(figure)
    if layout is not None:
        _leave_out_small_marks(figure)
    if not (layout and _fits(canvas, layout)):
        figure.set_layout_engine("constrained")
        canvas.draw()  # savefig would lay the figure out in a drawing of its own first, and take twice the time
        if layout is not None:
            layout.update(positions=[ax.get_position() for ax in figure.axes], labels=_label_lengths(figure))
    plt.close(figure)
    with io.BytesIO() as picture:
        Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).save(picture, "png")
        return picture.getvalue()


def _leave_out_small_marks(figure: Figure) -> None:
    """On logarithmic axes of more than a decade, where the marks between the powers of ten bear no labels.

    Matplotlib makes each of them anew for each figure, which is a third of the time that the drawing takes.
    """
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        if axis.get_scale() == "log" and high > 10 * low:
            axis.set_minor_locator(NullLocator())


def _fits(canvas: FigureCanvasAgg, layout: dict) -> bool:
    """Draw with the layout of an earlier figure, and tell whether nothing needs more room than it did there."""
    figure = canvas.figure
    if len(figure.axes) != len(layout["positions"]):
        return False
    figure.set_layout_engine("none")
    for ax, position in zip(figure.axes, layout["positions"], strict=True):
        ax.set_position(position)
        ax.set_in_layout(True)  # which set_position ends, and a new layout needs
    canvas.draw()
    return all(now <= then for now, then in zip(_label_lengths(figure), layout["labels"], strict=True))


def _label_lengths(figure: Figure) -> list[int]:
    """The longest tick label of each axis, and how many lines each title and axis label takes."""
    lengths = []
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            lengths.append(max((len(tick.get_text()) for tick in axis.get_ticklabels()), default=0))
            lengths.append(axis.get_label_text().count("\n") + bool(axis.get_label_text()))
        lengths.append(ax.get_title("left").count("\n") + bool(ax.get_title("left")))
    return lengths


def show(drawn: Axes | Figure, alt: str) -> None:
    """Display a figure, and beneath it the same figure in words, folded, for anyone who cannot see it.

    The words also stand in the picture's metadata and in its plain text. JupyterLab 4.6 makes no alt attribute
    of that metadata, hence the words as an output of their own.

    >>> show(axes(), alt="")
    Traceback (most recent call last):
    ValueError: A figure needs its text alternative: show(ax, alt="What the figure shows.")
    """
    if not alt.strip():
        raise ValueError('A figure needs its text alternative: show(ax, alt="What the figure shows.")')
    width = round(drawn.get_figure(root=True).get_size_inches()[0] * PIXELS_PER_INCH)
    show_png(png(drawn), alt, width)


def show_png(picture: bytes, alt: str, width: int) -> None:
    """Display a picture that is drawn already, width pixels wide, with its words as `show` does."""
    bundle = {"image/png": picture, "text/plain": alt}
    display(bundle, metadata={"image/png": {"alt": alt, "width": width}}, raw=True)
    in_words = f"<details><summary>The figure in words</summary>\n<p>{html.escape(alt)}</p>\n</details>"
    display({"text/html": in_words, "text/plain": f"The figure in words: {alt}"}, raw=True)


def number(value: float, percent: bool = False) -> str:
    """A number as it is told in a sentence: a whole percentage, or three significant digits.

    >>> number(0.2449, percent=True), number(111524), number(3.14159)
    ('24%', '111,524', '3.14')
    """
    rounded = _rounded(value, percent)
    if percent:
        return f"{rounded:.0%}"
    return f"{rounded:,.0f}" if rounded == round(rounded) else f"{rounded:.3g}"


def _rounded(value: float, percent: bool) -> float:
    digits = 2 if percent else 0 if abs(value) >= 1000 else None
    return (round(float(value), digits) if digits is not None else float(f"{value:.3g}")) + 0.0  # no minus zero


def describe_curves(curves: Mapping[str, tuple[Sequence, Sequence]], x: str, y: str, percent: bool = False) -> str:
    """Curves in words: where each starts and ends, its lowest point, and where two of them cross.

    curves are {name: (x values, y values)}. Numbers are rounded before they are compared, so that a
    difference nobody can see does not change the words.

    >>> describe_curves({"rules": ([30, 100], [0.5, 0.4]), "learned": ([30, 100], [0.9, 0.2])},
    ...                 x="training words", y="phoneme error", percent=True)
    'phoneme error against training words. rules: 50% at 30, 40% at 100. learned: 90% at 30, 20% at 100. \
rules and learned cross between 30 and 100: learned is lower from 100 on.'
    """
    sentences = [f"{y} against {x}."]
    sentences += [_curve_in_words(name, *curve, percent) for name, curve in curves.items()]
    for (one, first), (other, second) in combinations(curves.items(), 2):
        sentences += _crossings(one, dict(zip(*first, strict=True)), other, dict(zip(*second, strict=True)), percent)
    return " ".join(sentences)


def _curve_in_words(name: str, x: Sequence, y: Sequence, percent: bool) -> str:
    told = [number(value, percent) for value in y]
    words = f"{name}: {told[0]} at {number(x[0])}"
    if len(told) > 1:
        words += f", {told[-1]} at {number(x[-1])}"
    lowest = min(range(len(told)), key=lambda i: _rounded(y[i], percent))
    if told[lowest] not in (told[0], told[-1]):
        words += f", lowest {told[lowest]} at {number(x[lowest])}"
    return words + "."


def _crossings(one: str, first: dict, other: str, second: dict, percent: bool) -> list[str]:
    sentences, before = [], None
    for x in sorted(first.keys() & second.keys()):
        if number(first[x], percent) == number(second[x], percent):
            continue
        lower = one if first[x] < second[x] else other
        if before and lower != before[1]:
            sentences.append(f"{one} and {other} cross between {number(before[0])} and {number(x)}: "
                             f"{lower} is lower from {number(x)} on.")  # fmt: skip
        before = (x, lower)
    return sentences


def describe_values(values: Mapping[str, float], what: str, percent: bool = False) -> str:
    """One number a name in words, as a bar chart shows them: each value, then the lowest and the highest.

    >>> describe_values({"rules": 0.24, "window model": 0.12, "attention": 0.08}, "phoneme error", percent=True)
    'phoneme error: rules 24%, window model 12%, attention 8%. Lowest: attention. Highest: rules.'
    """
    told = ", ".join(f"{name} {number(value, percent)}" for name, value in values.items())
    return f"{what}: {told}. Lowest: {min(values, key=values.get)}. Highest: {max(values, key=values.get)}."


def describe_grid(grid, rows: Sequence[str], columns: Sequence[str], what: str = "weight") -> str:
    """A heat map in words: for each row of grid[rows, columns], the column with the largest share.

    >>> describe_grid([[0.9, 0.1], [0.3, 0.7]], rows=["K", "AE"], columns=["c", "a"], what="attention")
    'Largest attention in each row: K on c (90%), AE on a (70%).'
    """
    largest = [max(range(len(columns)), key=lambda j: float(row[j])) for row in grid]
    told = [f"{name} on {columns[j]} ({float(row[j]):.0%})" for name, row, j in zip(rows, grid, largest, strict=True)]
    return f"Largest {what} in each row: {', '.join(told)}."
