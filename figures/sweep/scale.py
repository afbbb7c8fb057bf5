"""Axes of a sweep's figure: linear or logarithmic, with a place of its own for 0 and ∞ where the scale has none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from figures.style import SOFT
from figures.sweep.words import number, width

WIDE = 30  # a factor from which on positive values are drawn logarithmically
LEAST, LARGEST = 1e-307, 1e308  # ends of a logarithmic axis
FURTHER = 2  # the factor by which intervals may make a logarithmic axis longer at its lower end


@dataclass(frozen=True)
class Scale:
    """`low` to `high` are the values that the scale has; 0 of a logarithmic one, and ∞, stand apart behind a break."""

    log: bool
    low: float
    high: float
    zero: bool = False
    infinite: bool = False

    @property
    def gap(self) -> float:
        """How far what stands apart is from the rest: a factor, or a difference."""
        return max(self._share(0.12), 1.3) if self.log else 0.12 * (self.high - self.low)

    def _share(self, share: float) -> float:
        """A factor that takes this share of the length of a logarithmic axis."""
        return math.exp(share * (math.log(self.high) - math.log(self.low)))

    def place(self, values: Iterable[float]) -> np.ndarray:
        """Where the values are drawn."""
        array = np.array(list(values), dtype=np.float64)
        above = min(self.high * self.gap, LARGEST / 2) if self.log else self.high + self.gap
        array = np.where(np.isposinf(array), above, array)
        return np.where(array == 0, self.low / self.gap, array) if self.zero else array

    def apart(self, values: Iterable[float]) -> np.ndarray:
        """Which values stand behind a break."""
        array = np.array(list(values), dtype=np.float64)
        return np.isposinf(array) | ((array == 0) & self.zero)

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the axis, a little outside."""
        ends = self.place(
            [*((0.0,) if self.zero else ()), self.low, self.high, *((math.inf,) if self.infinite else ())]
        )
        if self.log:
            pad = max(self._share(0.05), 1.05)
            return max(float(ends[0]) / pad, LEAST), min(float(ends[-1]) * pad, LARGEST)
        pad = 0.05 * (self.high - self.low)
        return float(ends[0] - pad), float(ends[-1] + pad)

    def ticks(self, most: int) -> list[float]:
        """Round numbers along the axis, and what stands apart."""
        inside = _decades(self.low, self.high, most) if self.log else _even(self.low, self.high, most)
        return [*((0.0,) if self.zero else ()), *inside, *((math.inf,) if self.infinite else ())]

    def put(self, axes: Axes, which: Literal["x", "y"], most: int, labels: bool, at: Sequence[float] = ()) -> None:
        """Give an axis this scale, ticks `at` these values if they are few, and marks where it is broken."""
        axis = axes.xaxis if which == "x" else axes.yaxis
        if self.log:
            (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        (axes.set_xlim if which == "x" else axes.set_ylim)(*self.limits)
        ticks = self.ticks(most)
        if which == "x":
            inches = axes.get_window_extent().width / axes.figure.dpi
            choices = [list(at)] if 1 < len(at) < most else []
            choices += [self.ticks(count) for count in range(most, 1, -1)]
            ticks = next((some for some in choices if not self._crowded(some, inches)), [self.low, self.high])
        axis.set_major_locator(FixedLocator(self.place(ticks).tolist()))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FixedFormatter([number(tick) if labels else "" for tick in ticks]))
        for apart, near in ((0.0, self.low), (math.inf, self.high)):
            if apart in ticks and (self.zero if apart == 0 else self.infinite):
                ends = [float(self.place([apart])[0]), near]
                _break(axes, which, math.sqrt(ends[0] * ends[1]) if self.log else sum(ends) / 2)

    def _crowded(self, ticks: Sequence[float], inches: float) -> bool:
        """Whether words of neighbouring ticks touch, on an axis of this length."""
        a, b = (math.log(end) if self.log else end for end in self.limits)
        places = [math.log(place) if self.log else place for place in self.place(ticks)]
        middle = [(place - a) / (b - a) * inches for place in places]
        half = [width(number(tick), 7.5) / 2 + 0.04 for tick in ticks]
        return any(middle[i] + half[i] > middle[i + 1] - half[i + 1] for i in range(len(ticks) - 1))


def scale(values: Iterable[float | None], log: bool | None, name: str) -> Scale:
    """The scale for these values: logarithmic if `log` or, without a word on it, if positive ones span a factor 30.

    Raises `ValueError` for a logarithmic scale of negative values, or of none that is positive.
    """
    every = [float(value) for value in values if value is not None]
    finite = [value for value in every if math.isfinite(value)]
    if any(value == -math.inf for value in every):
        raise ValueError(f"{name} is −∞ somewhere, which has no place on an axis")
    positive = [value for value in finite if value > 0]
    if log and (not positive or min(finite) < 0):
        raise ValueError(f"a logarithmic axis needs positive values, got {name} = {min(finite, default=math.nan):g}")
    wide = bool(positive) and min(finite) >= 0 and max(positive) >= WIDE * min(positive)
    infinite = math.inf in every
    if log or (log is None and wide):
        low, high = min(positive), max(positive)
        return Scale(True, *((low, high) if low < high else (low / 2, high * 2)), 0.0 in finite, infinite)
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    if low == high:
        low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
    return Scale(False, low, high, False, infinite)


def with_bands(given: Scale, rows: Sequence[Mapping[str, Any]]) -> Scale:
    """A scale wide enough for the intervals of these rows too; below, a logarithmic one is not much longer for them."""
    ends = [row[which] for row in rows for which in ("low", "high") if row[which] is not None]
    least = given.low / FURTHER if given.log else -math.inf
    inside = [max(end, least) for end in ends if math.isfinite(end)]
    low, high = min([given.low, *inside]), max([given.high, *inside])
    return Scale(given.log, low, high, given.zero, given.infinite)


def _decades(low: float, high: float, most: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
        inside = [tick for tick in ticks if 0.999 * low <= tick <= 1.001 * high]
        if len(inside) <= most:
            return inside if len(inside) > 1 else [float(f"{low:.2g}"), float(f"{high:.2g}")]
    stride = -(-len(inside) // most)
    return inside[::stride]


def _even(low: float, high: float, most: int) -> list[float]:
    pad = 1e-9 * (high - low)
    ticks = MaxNLocator(most - 1, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(f"{tick:.12g}") + 0.0 for tick in ticks if low - pad <= tick <= high + pad]


def _break(axes: Axes, which: str, at: float) -> None:
    """Two strokes across the spine."""
    across = axes.get_xaxis_transform() if which == "x" else axes.get_yaxis_transform()
    point = ([at], [0.0]) if which == "x" else ([0.0], [at])
    marker = [(-1.6, -2), (-0.2, 2), (-0.7, 0), (0.7, 0), (0.2, -2), (1.6, 2)]
    if which == "y":
        marker = [(y, x) for x, y in marker]
    strokes = np.array([marker[0], marker[1], marker[4], marker[5]])
    from matplotlib.path import Path

    shape = Path(strokes, [Path.MOVETO, Path.LINETO, Path.MOVETO, Path.LINETO])
    axes.plot(*point, transform=across, marker=shape, markersize=6, color=SOFT, clip_on=False, linestyle="none")
