"""The values of an axis: a list, or numbers that are spaced evenly, geometrically or by whole steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

MOST = 10**7  # jobs of a sweep, and values of an axis: more is a slip of the pen
SPACINGS = ("log", "linear", "range")


def is_axis(written: Any) -> bool:
    """Whether what a file says is a list or a spacing, rather than one value."""
    return isinstance(written, list | dict)


def values(written: Any) -> Sequence[Any]:
    """All values of what a file says: of a list its elements, of a spacing its numbers, of anything else itself.

    Raises `ValueError` as `spaced` does.
    """
    if isinstance(written, dict):
        return spaced(written)
    return written if isinstance(written, list) else (written,)


def spaced(table: Mapping[str, Any]) -> Sequence[float | int]:
    """The numbers that {log | linear | range = […]} stands for; a range takes no memory.

    - log = [a, b, count]: geometrically from a to b, rounded to 6 significant digits but for the ends;
    - linear = [a, b, count]: evenly, each the double nearest to the exact value; both whole if a, b and all values are;
    - range = [a, b] or [a, b, step]: whole numbers from a on, b excluded.

    Raises `ValueError`, which goes on from the name of the axis, for anything else, for a log from or to what is not
    positive, for fewer than 2 values or none in a range, and for more than 10⁷.

    >>> spaced({"log": [0.1, 1000, 5]}), spaced({"linear": [0, 0.6, 3]}), spaced({"range": [0, 3]})
    ((0.1, 1.0, 10.0, 100.0, 1000.0), (0.0, 0.3, 0.6), range(0, 3))
    """
    if len(table) != 1 or next(iter(table)) not in SPACINGS:
        raise ValueError(f"is spaced by one of {', '.join(SPACINGS)}, got {', '.join(table) or 'none'}")
    [(kind, ends)] = table.items()
    shape = "[from, to]" if kind == "range" else "[from, to, count]"
    if not isinstance(ends, list) or len(ends) not in ((2, 3) if kind == "range" else (3,)):
        raise ValueError(f"needs {kind} = {shape}")
    wholes = ends if kind == "range" else ends[2:]
    if not all(_is_number(end) for end in ends) or not all(isinstance(whole, int) for whole in wholes):
        raise ValueError(f"needs {kind} = {shape} of finite numbers{', whole ones' if kind == 'range' else ''}")
    return {"range": _range, "linear": _linear, "log": _log}[kind](*ends)


def _range(first: int, end: int, step: int = 1) -> range:
    if step == 0 or not (found := range(first, end, step)):
        raise ValueError(f"has no values: range = [{first}, {end}{'' if step == 1 else f', {step}'}]")
    _count(-((first - end) // step))
    return found


def _linear(first: float, last: float, count: int) -> tuple[float | int, ...]:
    _count(count, 2)
    a, b = Fraction(repr(first)), Fraction(repr(last))
    return _whole_or_not(first, last, [float(a + (b - a) * i / (count - 1)) for i in range(count)])


def _log(first: float, last: float, count: int) -> tuple[float | int, ...]:
    _count(count, 2)
    if not (first > 0 and last > 0):
        raise ValueError(f"needs log from and to positive numbers, got {first} and {last}")
    a, b = math.log(first), math.log(last)
    inner = [float(f"{math.exp(a + (b - a) * i / (count - 1)):.6g}") for i in range(1, count - 1)]
    return _whole_or_not(first, last, [float(first), *inner, float(last)])


def _whole_or_not(first: float, last: float, found: list[float]) -> tuple[float | int, ...]:
    whole = isinstance(first, int) and isinstance(last, int) and all(value.is_integer() for value in found)
    return tuple(map(int, found)) if whole else tuple(found)


def _count(count: int, least: int = 1) -> None:
    if not least <= count <= MOST:
        raise ValueError(f"needs {least} to {MOST:,} values, got {count:,}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e300
