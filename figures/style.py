"""What all figures share: fonts and sizes, the looks of the rules, headlines, panels and axes.

Nothing here touches the caller's matplotlib: no pyplot, no global settings; each drawing and saving happens inside
`style`, which starts from matplotlib's own defaults, whatever the user's matplotlibrc says.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from figures.palette import HEX

WIDTH = 6.3  # inches: 16 cm
INK, SOFT, FAINT, WARNING = HEX["ink"], HEX["soft"], HEX["faint"], HEX["warning"]
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SETTINGS: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # matplotlib's own copy
    "font.size": 8,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "axes.labelcolor": INK,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.2,
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "byzcheck",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Look:
    """How a rule looks in every figure: its name in words, colour (after Okabe and Ito), marker and line."""

    name: str
    colour: str
    marker: str
    line: Any = "-"
    dark: str = ""  # for words, where `colour` is too light to read
    short_name: str = ""

    @property
    def short(self) -> str:
        """The name where there is little room."""
        return self.short_name or self.name

    @property
    def ink(self) -> str:
        """The colour of words about the rule."""
        return self.dark or self.colour


RULES: dict[str, Look] = {
    "Mean": Look("mean", HEX["rule-mean"], "s"),
    "CoordinateMedian": Look("median", HEX["rule-coordinate-median"], "o"),
    "GeometricMedian": Look(
        "geometric median", HEX["rule-geometric-median"], "h", (0, (5, 1.2)), HEX["rule-geometric-median-ink"]
    ),
    "RFA": Look("RFA, 3 steps", HEX["rule-rfa"], "X", (0, (1, 1)), short_name="RFA"),
    "Krum": Look("Krum", HEX["rule-krum"], "^", (0, (4, 1.5)), HEX["rule-krum-ink"]),
    "MultiKrum": Look("Multi-Krum", HEX["rule-multi-krum"], "v", (0, (4, 1.2, 1, 1.2)), HEX["rule-multi-krum-ink"]),
    "TrimmedMean": Look("trimmed mean", HEX["rule-trimmed-mean"], "D", dark=HEX["rule-trimmed-mean-ink"]),
    "Bulyan": Look("Bulyan", HEX["rule-bulyan"], "P", (0, (1, 1)), HEX["rule-bulyan-ink"]),
    "CenteredClipping": Look(
        "centered clipping", HEX["rule-centered-clipping"], "*", (0, (6, 1.5, 1, 1.5, 1, 1.5)), short_name="clipping"
    ),
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The settings of these figures, on top of matplotlib's defaults, for as long as the block lasts."""
    with matplotlib.style.context(["default", SETTINGS]):
        yield


def styled(draw: Callable[[dict[str, Any]], Figure]) -> Callable[[dict[str, Any]], Figure]:
    """A `draw` that runs inside `style`."""

    @functools.wraps(draw)
    def inside(data: dict[str, Any]) -> Figure:
        with style():
            return draw(data)

    return inside


def pick(data: Any, *keys: str) -> Any:
    """`data[keys[0]][keys[1]]…`, with nulls in a row of numbers as NaN.

    Raises ValueError naming the first key that is missing.

    >>> pick({"rules": {"Krum": {"c": [1.5, None]}}}, "rules", "Krum", "c")
    [1.5, nan]
    """
    for depth, key in enumerate(keys):
        if not isinstance(data, dict) or key not in data:
            raise ValueError(f"the figure's data have no {' / '.join(keys[: depth + 1])}: byzcheck verify --write")
        data = data[key]
    return [math.nan if value is None else value for value in data] if isinstance(data, list) else data


def headline(figure: Figure, title: str, below: str) -> None:
    """The message in words at the top left, with a line below that says what is drawn; both may have several lines."""
    x, height = 0.08 / figure.get_figwidth(), figure.get_figheight()
    figure.set_label(" ".join(title.split()))
    figure.text(x, 1 - 0.07 / height, title, va="top", fontsize=10.5, fontweight="bold")
    figure.text(x, 1 - (0.29 + 0.17 * title.count("\n")) / height, below, va="top", fontsize=8, color=SOFT)


def panel(figure: Figure, left: float, bottom: float, width: float, height: float, title: str, pad: float = 5) -> Axes:
    """Axes at a place given in inches from the lower left corner."""
    w, h = figure.get_figwidth(), figure.get_figheight()
    axes = figure.add_axes((left / w, bottom / h, width / w, height / h))
    axes.set_title(title, pad=pad)
    return axes


def log_ticks(axes: Axes, values: Sequence[float], which: str = "y") -> None:
    """A logarithmic axis with these plain numbers at its ticks."""
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def power_ticks(axes: Axes, exponents: Iterable[int], which: str = "y", base: int = 10) -> None:
    """A logarithmic axis with these powers at its ticks, written in letters: 10⁻³."""
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    axis, powers = axes.yaxis if which == "y" else axes.xaxis, list(exponents)
    axis.set_major_locator(FixedLocator([float(base) ** k for k in powers]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: power(round(math.log(value, base)), base)))
    axis.set_minor_locator(NullLocator())


def power(exponent: int, base: int = 10) -> str:
    """A power in letters.

    >>> power(-3), power(12, 2)
    ('10⁻³', '2¹²')
    """
    return f"{base}{str(exponent).translate(SUPERSCRIPT)}"
