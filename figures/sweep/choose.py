"""Which axis of a sweep goes where in a figure, if nobody says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sims.sweep.pivot import shown
from sims.sweep.table import PARTS, SEED, TIME, At, Summary

HOW = ("kind", "x", "y", "lines", "panels", "rows", "columns", "logx", "logy", "title", "note", "t")
KINDS = ("curves", "points", "heat")
MOST_LINES, MOST_PANELS, MOST_POINTS, ENOUGH = 12, 6, 24, 4
Row = dict[str, Any]
Place = tuple[Any, ...]


@dataclass(frozen=True)
class Chosen:
    """Where each axis goes; `lines` and `panels` are several if a part and its settings go together.

    For a heat map `x` is across and `y` is up.
    """

    kind: str
    x: str | None
    y: str | None
    lines: tuple[str, ...]
    panels: tuple[str, ...]


def times(axes: Mapping[str, Sequence[Any]], recorded: Iterable[int], how: Mapping[str, Any]) -> At:
    """The times that a figure needs of a summary: what `how` says, or all if time is the only thing to draw along.

    >>> times({"rule": ["Krum", "Mean"], "seed": [0, 1]}, [0, 100, 200], {})
    'all'
    """
    if "t" in how:
        return how["t"]
    along = [path for path, values in axes.items() if path != SEED and is_numeric(values)]
    wants = {how.get(place) for place in ("x", "lines", "panels", "rows", "columns")}
    several = len(set(recorded)) > 2  # the start and the end alone are no curve
    return "all" if TIME in wants or (several and not along and not wants - {None, *axes}) else "last"


def choose(summary: Summary, how: Mapping[str, Any], cells: Sequence[Row] | None = None) -> Chosen:
    """The places of all axes that vary; what `how` leaves open is chosen.

    - curves: x is t if all times are there, or the numeric axis with most values; lines the next axis (the rules if
      they vary), together with settings of its own; panels the one after that.
    - points, if no number varies: x is the axis with most values.
    - heat, if two numeric axes have at least 4 values each and no lines are asked for; what is left makes panels.

    An axis that goes with others, as zipped ones do, needs no place; which ones do is asked of `cells`, the settings of
    all jobs, done or not, and of the summary's rows without them. Raises `ValueError` for places and axes that there
    are not, if axes are left over, and if what would be one line or panel has x or y only in part.
    """
    _check(summary, how)
    varying, rows = summary.varying, summary.rows() if cells is None else cells
    kind = how.get("kind") or _kind(summary, how, rows)
    taken = {path for place in ("x", "lines", "panels", "rows", "columns") if (path := how.get(place))}
    if kind == "heat":
        x = how.get("columns") or how.get("x") or _most(varying, taken | _owners(how))
        y = how.get("rows") or _most(varying, {*taken, x}) or _next(varying, rows, [x] if x else [], taken)
        if x is None or y is None:
            raise ValueError("a heat map needs two axes that vary; kind = curves draws one")
        lines: tuple[str, ...] = ()
        places = [x, y]
    else:
        free = {path: values for path, values in varying.items() if path not in taken}
        x, y = how.get("x") or (TIME if TIME in free else _most(free, ())), None
        if kind == "curves" and varying and (x is None or not is_numeric(summary.axes[x])):
            raise ValueError("curves need an axis of numbers; kind = points draws names")
        if kind == "points" and x is None:
            x = max(free, key=lambda path: len(free[path]), default=None)
        places = [x] if x else []
        first = how.get("lines") or ("rule" if "rule" in free and x != "rule" else _next(varying, rows, places, taken))
        lines = _family(first, varying, rows, places)
        places += lines
    panel = how.get("panels") or _next(varying, rows, places, taken)
    panels = _family(panel, varying, rows, places)
    _complete(rows, varying, [*places, *panels])
    chosen = Chosen(kind, x, y, lines, panels)
    _not_too_many(chosen, summary.rows())
    _not_in_part(chosen, summary.rows())
    return chosen


def is_numeric(values: Iterable[Any]) -> bool:
    """Whether at least two values are there, and all of them are numbers; None is not counted."""
    known = [value for value in values if value is not None]
    return len(known) > 1 and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known)


def determined(path: str, rows: Sequence[Row], by: Sequence[str]) -> bool:
    """Whether the other axes say which value this one has; None, where a setting does not belong, meets all values."""
    if path == TIME:  # all times are of every setting, and the first is of all
        return TIME in by
    by = [p for p in by if p != TIME]
    missing = {tuple(p for p in by if row[p] is None) for row in rows}
    for absent in missing:
        shared = [p for p in by if p not in absent]
        values: dict[Place, set[Any]] = {}
        for row in rows:
            values.setdefault(tuple(row[p] for p in shared), set()).add(row[path])
        for row in rows:
            alone = all(row[p] is None for p in absent) or not absent
            if alone and len(values[tuple(row[p] for p in shared)]) > 1:
                return False
    return True


def _kind(summary: Summary, how: Mapping[str, Any], rows: Sequence[Row]) -> str:
    if how.get("rows") or how.get("columns"):
        return "heat"
    numeric = {path: values for path, values in summary.varying.items() if is_numeric(values)}
    if how.get("x") or how.get("lines"):
        x = how.get("x")
        return "points" if (x is not None and x not in numeric) or not numeric else "curves"
    long = [path for path, values in numeric.items() if len(values) >= ENOUGH and path != how.get("panels")]
    if len(long) > 1 and TIME not in long and not determined(long[1], rows, [long[0]]):
        return "heat"
    return "curves" if numeric else "points"


def _most(varying: Mapping[str, Sequence[Any]], taken: Iterable[str | None]) -> str | None:
    """The numeric axis with most values, the first of several."""
    numeric = {path: values for path, values in varying.items() if is_numeric(values) and path not in taken}
    return max(numeric, key=lambda path: len(numeric[path]), default=None)


def _owners(how: Mapping[str, Any]) -> set[str]:
    return {path for path in (how.get("rows"), how.get("panels")) if path}


def _next(varying: Mapping[str, Any], rows: Sequence[Row], placed: Sequence[str], taken: Iterable[str]) -> str | None:
    """The next axis that is still open: a part before its settings."""
    left = [path for path in varying if path not in (*placed, *taken) and not determined(path, rows, placed)]
    return next(iter(left), None)


def _family(
    path: str | None, varying: Mapping[str, Any], rows: Sequence[Row], placed: Sequence[str]
) -> tuple[str, ...]:
    """An axis, with the settings of its own that nothing else determines if it is the name of a part."""
    if path is None:
        return ()
    own = [p for p in varying if path in PARTS and p.startswith(f"{path}.") and p not in placed]
    return (path, *(p for p in own if not determined(p, rows, [path, *placed])))


def _check(summary: Summary, how: Mapping[str, Any]) -> None:
    for name in how:
        if name not in HOW:
            raise ValueError(f"a plot has no setting {name!r}; it has {', '.join(HOW)}")
    if how.get("kind") not in (None, *KINDS):
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {how['kind']!r}")
    if how.get("y") not in (None, summary.value):
        raise ValueError(f"y is {how['y']!r}, and the table is of {summary.value!r}")
    if how.get("kind") != "heat" and (how.get("lines") or how.get("kind")) and (how.get("rows") or how.get("columns")):
        raise ValueError("rows and columns are of a heat map, which has no lines")
    if how.get("kind") == "heat" and how.get("lines"):
        raise ValueError("lines are of curves, and this is a heat map")
    seen: dict[str, str] = {}
    for place in ("x", "lines", "panels", "rows", "columns"):
        path = how.get(place)
        if path is None:
            continue
        if path not in summary.axes:
            raise ValueError(f"{place} is {path!r}, which does not vary; it is one of {', '.join(summary.axes)}")
        if path in seen:
            raise ValueError(f"{seen[path]} and {place} are both {path!r}")
        seen[path] = place


def _complete(rows: Sequence[Row], varying: Mapping[str, Sequence[Any]], places: Sequence[str]) -> None:
    left = [path for path in varying if path not in places and not determined(path, rows, places)]
    if left:
        said = " and ".join(f"{path} ({len(varying[path])} values)" for path in left)
        example = next(value for value in varying[left[0]] if value is not None)
        raise ValueError(
            f"more varies than a figure can show: {said} would lie on top of each other. Give it a place "
            f"(--panels {left[0]}), choose one value (--where {left[0]}={shown(example)}) or average over it "
            f"(--over {left[0]})"
        )


def _not_in_part(chosen: Chosen, rows: Sequence[Row]) -> None:
    """Raise if a line, or a panel of a heat map, has its axis in some places alone: it averages over parts."""
    for path in (chosen.x, chosen.y):
        if path is None or chosen.kind == "points":
            continue
        found: dict[Place, set[bool]] = {}
        for row in rows:
            found.setdefault(tuple(row[p] for p in (*chosen.panels, *chosen.lines)), set()).add(row[path] is None)
        if any(len(both) > 1 for both in found.values()):
            raise ValueError(f"what would be one line has {path} only in part: choose what has it (--where)")


def _not_too_many(chosen: Chosen, rows: Sequence[Row]) -> None:
    points = [chosen.x] if chosen.kind == "points" and chosen.x else []
    counted = (
        ("lines", chosen.lines, MOST_LINES),
        ("panels", chosen.panels, MOST_PANELS),
        ("points", points, MOST_POINTS),
    )
    for what, paths, most in counted:
        count = len({tuple(row[path] for path in paths) for row in rows})
        if count > most:
            path = next(reversed(paths))
            raise ValueError(
                f"a figure has at most {most} {what}, and {' × '.join(paths)} has {count} values: choose some "
                f"(--where {path}=…), put another axis there, or average over it (--over {path})"
            )
