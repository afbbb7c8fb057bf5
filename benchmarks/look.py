"""How numbers and tables look."""

from __future__ import annotations

import math

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from benchmarks.ratio import Tracked


def short(value: float) -> str:
    """Two significant digits, or all before the point.

    >>> [short(v) for v in (0.7612, 2.449, 88.3, 1234.5, math.inf)]
    ['0.76', '2.4', '88', '1234', '∞']
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    if abs(value) >= 10 or value == 0:
        return f"{value:.0f}"
    return f"{value:.{max(0, 1 - math.floor(math.log10(abs(value))))}f}"


def with_interval(found: Tracked) -> str:
    """The median and, if there are enough processes, the interval of it."""
    low, high = found.interval()
    return f"{short(found.median)} ({short(low)}–{short(high)})" if math.isfinite(high) else short(found.median)


def exponent(found: Tracked) -> str:
    """The same with two decimals."""
    low, high = found.interval()
    return f"{found.median:.2f} ({low:.2f}–{high:.2f})" if math.isfinite(high) else f"{found.median:.2f}"


def shortened(subject: str) -> str:
    """What a ratio is of, for a narrow column.

    >>> shortened("simulation, Krum, n = 25")
    'sim. Krum, n=25'
    """
    return subject.replace(" = ", "=").replace("simulation, ", "sim. ")


def plain_table() -> Table:
    """A table with one line under its head and nothing else."""
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))


def under(title: str, table: Table) -> Group:
    """A table under its title, which may be wider."""
    return Group(Text(title, style="bold"), table)
