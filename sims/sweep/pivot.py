"""A summary across two directions, for people: means with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sims.sweep.table import PARTS, SEED, Summary

FEW = 6  # values of the axis that is laid out in columns unless others are asked for
NOTHING = "—"


@dataclass(frozen=True)
class Pivot:
    """Texts of a table: `rows` have the values of the axes `down`, then a cell for each of `across`.

    A text of `across` has a line for each axis.
    """

    down: tuple[str, ...]
    across: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    caption: str


def pivot(
    summary: Summary, rows: Sequence[str] | None = None, columns: Sequence[str] | None = None, note: str = ""
) -> Pivot:
    """Lay a summary out by two lists of axes; cells are "1.23 ± 0.05", and a caption says what that is, and the note.

    What is not given is chosen: `columns` the last axis of at most 6 values, each of them everywhere, none of which has
    settings of its own, and `rows` all the others that vary. If neither is given, a setting that only some rows have,
    or n and f, gets no place of its own where the others decide it; the caption names it. Raises `ValueError` for an
    axis that does not vary, or is in both, and if one that varies within a cell is in neither.
    """
    varying = summary.varying
    hidden = decided(summary) if rows is None and columns is None else []
    shown_paths = [path for path in varying if path not in hidden]
    if columns is None:
        few = [path for path in shown_paths if _goes_across(path, varying)]
        others = [path for path in varying if path not in (rows or ())]
        columns = others if rows is not None else few[-1:] if len(shown_paths) > 1 else []
    if rows is None:
        rows = [path for path in shown_paths if path not in columns]
    _check(summary, [*rows, *columns])
    cells: dict[tuple[tuple[Any, ...], tuple[Any, ...]], dict[str, Any]] = {}
    for row in summary.rows():
        place = tuple(row[path] for path in rows), tuple(row[path] for path in columns)
        if (other := cells.setdefault(place, row)) is not row:
            left = [path for path in varying if row[path] != other[path]]
            raise ValueError(
                f"several results belong in one cell: put {' and '.join(left)} into the rows or columns, choose one "
                f"(--where {left[0]}={row[left[0]]}), or average over it (--over {left[0]})"
            )
    down = _ordered(summary, rows, {place for place, _ in cells})
    across = _ordered(summary, columns, {place for _, place in cells})
    values = tuple(
        (
            tuple(shown(value) for value in left),
            tuple(cell(cells[left, top]) if (left, top) in cells else NOTHING for top in across),
        )
        for left in down
    )
    headings = tuple(_heading(columns, top) or summary.value for top in across)
    told = [caption(summary), *([f"not shown, since the rest decides it: {', '.join(hidden)}"] if hidden else [])]
    return Pivot(tuple(rows), headings, values, "\n".join([*told, *([note] if note else [])]))


def _goes_across(path: str, varying: Mapping[str, Sequence[Any]]) -> bool:
    """Whether an axis has few values, everywhere, none of which has settings that others lack."""
    own = [values for other, values in varying.items() if other.startswith(f"{path}.")]
    return len(varying[path]) <= FEW and None not in varying[path] and not any(None in values for values in own)


def decided(summary: Summary) -> list[str]:
    """The axes that need no place: settings that some rows lack and the others decide, n and f if the parts do."""
    varying, rows = summary.varying, summary.rows()
    left = list(varying)
    for path in reversed(varying):
        others = [other for other in left if other != path] if "." in path else [p for p in left if p in PARTS]
        spare = None in varying[path] if "." in path else path in ("n", "f")
        if spare and len({tuple(row[p] for p in (*others, path)) for row in rows}) == len(
            {tuple(row[p] for p in others) for row in rows}
        ):
            left.remove(path)
    return [path for path in varying if path not in left]


def cell(row: Mapping[str, Any]) -> str:
    """A mean with half its interval, in the digits that the interval leaves; how many diverged, if any did.

    >>> cell({"mean": 1.2345, "low": 1.1845, "high": 1.2845, "diverged": 0})
    '1.23 ± 0.05'
    >>> cell({"mean": 3.2e-9, "low": 3.0e-9, "high": 3.4e-9, "diverged": 0})
    '(3.2 ± 0.2)e-9'
    >>> cell({"mean": math.inf, "low": None, "high": None, "count": 20, "diverged": 3})
    '∞ (3/20)'
    """
    mean, low, high = row["mean"], row["low"], row["high"]
    if mean is None:
        return NOTHING
    if row["diverged"]:
        return f"∞ ({row['diverged']}/{row['count']})"
    half = None if low is None else high / 2 - low / 2
    largest = max(abs(mean), half or 0.0)
    if not math.isfinite(largest):
        return f"{mean:.3g} ± ∞"
    power = 0 if largest == 0 or 1e-3 <= largest < 1e6 else math.floor(math.log10(largest))
    unit = float(f"1e{power}")
    text = shortest(mean / unit) if not half else _with_error(mean / unit, half / unit)
    text += " ± 0" if half == 0 else ""
    return text if not power else f"({text})e{power}" if " " in text else f"{text}e{power}"


def shortest(number: float) -> str:
    """Four significant digits, without zeros at the end."""
    return f"{float(f'{number:.4g}'):.10g}"


def _with_error(mean: float, half: float) -> str:
    """One digit of the error, two if the first is 1; never more than a double has."""
    first, power = f"{half:.1e}".split("e")
    digits = -int(power) + first.startswith("1.")
    digits = max(0, min(digits, 15))
    return f"{mean + 0.0:.{digits}f} ± {half:.{digits}f}" if half >= 0.5 * 10.0**-digits else f"{mean:.{digits}f} ± 0"


def shown(value: Any) -> str:
    """A setting's value as it is written in a file; a dash where the setting does not belong.

    >>> [shown(value) for value in ("Krum", 10.0, 1e-07, True, None)]
    ['Krum', '10', '1e-7', 'true', '—']
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.12g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return str(value)


def note(summary: Summary, axes: Mapping[str, Sequence[Any]], done: int, jobs: int) -> str:
    """What a summary leaves out: values of the sweep's axes, axes that it averages over, jobs that are missing."""
    there = {**summary.axes, **summary.over}
    single = {path: there[path][0] for path in axes if len(axes[path]) > 1 and len(there.get(path, ())) == 1}
    only = ", ".join(f"{path} = {shown(value)}" for path, value in single.items() if value is not None)
    told = [f"only {only}"] if only else []
    averaged = [_averaged(path, values, axes[path]) for path, values in summary.over.items() if path not in single]
    part = ", of which some seeds have a part" if summary.uneven else ""
    told += [f"averaged over {', '.join(averaged)}{part}"] if averaged else []
    told += [f"{done:,} of {jobs:,} jobs"] if done < jobs else []
    return "; ".join(told)


def _averaged(path: str, there: Sequence[Any], values: Sequence[Any]) -> str:
    """An axis that is averaged over, and how much of it if not all."""
    known = sum(value is not None for value in there)
    return path if known >= len(values) else f"{path} ({known} of {len(values)} values)"


def caption(summary: Summary) -> str:
    """What a cell is: the measure, the time, the kind of interval, the seeds, and what else must be known."""
    rows = summary.rows()
    counts = sorted({row["count"] for row in rows if row["count"]})
    seeds = "no seed" if not counts else f"{counts[0]} seed" if counts == [1] else f"{counts[-1]} seeds"
    if len(counts) > 1:
        seeds = f"{counts[0]} to {counts[-1]} seeds"
    interval = " ± half the 95 % interval of Student's t" if counts[-1:] > [1] else ""
    when = {"last": "at the end", "all": "at each time t"}.get(str(summary.at), f"at t = {summary.at}")
    told = f"{summary.value} {when}: mean{interval} over {seeds}"
    if any(row["diverged"] for row in rows):
        told += "; ∞ (k/m): k of m seeds diverged"
    return told


def _heading(columns: Sequence[str], values: tuple[Any, ...]) -> str:
    return "\n".join(
        shown(value) if isinstance(value, str) else f"{path} = {shown(value)}"
        for path, value in zip(columns, values, strict=True)
    )


def _ordered(summary: Summary, paths: Sequence[str], found: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Places in the order of the axes."""
    ranks = [{value: rank for rank, value in enumerate(summary.axes[path])} for path in paths]
    return sorted(found, key=lambda place: [rank[value] for rank, value in zip(ranks, place, strict=True)])


def _check(summary: Summary, paths: Sequence[str]) -> None:
    for i, path in enumerate(paths):
        if path == SEED and path not in summary.axes:
            raise ValueError("the seed is averaged over: it is in no row and no column")
        if path not in summary.axes:
            raise ValueError(f"{path!r} does not vary: rows and columns are of {', '.join(summary.axes) or 'nothing'}")
        if path in paths[:i]:
            raise ValueError(f"{path!r} is given twice: an axis is in the rows or in the columns")
