"""What may be given for a parameter: one vocabulary of checks, each of which returns the value as it is kept.

`whole`, `real`, `flag`, `choice` and `words` are for what has one value, `over_axes` for a real parameter that may be
an array over the leading axes, `numbers` for arrays of numbers, `messages` for what is aggregated. They take whoever
asks (`owner`), the name of the argument and the value, and raise a `ValueError`, "OWNER needs INEQUALITY, got NAME =
VALUE". NumPy's numbers are as good as Python's, and become Python's, so that two spellings of one value have one key.
Refused everywhere: truth values, texts, None and complex numbers where a number is wanted, NaN, and masked arrays. An
infinity passes only where `finite` says so, and a number that happens to be whole, 2.0, is no whole number.

>>> whole("Krum", "f", np.int64(2), least=0)
2
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sims.backend import Array, host, namespace

MOST = 2**63 - 1  # of whole numbers: what arrays count with
MOST_STEPS = 10**6  # of iterations that are all done, whatever they find: more is a slip of the pen
LONGEST = 120  # characters of a value in a sentence


@dataclass(frozen=True)
class Bounds:
    """Where a number has to lie: `least` ≤ number ≤ `most`, `above` < number < `below`, as far as they are given."""

    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    finite: bool = True

    def sentence(self, name: str, limits: bool = False) -> str:
        """The inequality for `name`; with `limits` also those that go without saying, −∞ < name < ∞.

        >>> Bounds(least=0, below=1).sentence("beta"), Bounds(above=0).sentence("nu")
        ('0 ≤ beta < 1', 'nu > 0')
        """
        low = f"{self.least} ≤ " if self.least is not None else f"{self.above} < " if self.above is not None else ""
        high = f" ≤ {self.most}" if self.most is not None else f" < {self.below}" if self.below is not None else ""
        if limits:
            least, most = ("−∞ < ", " < ∞") if self.finite else ("−∞ ≤ ", " ≤ ∞")
            return f"{low or least}{name}{high or most}"
        if low and not high:
            return f"{name} ≥ {self.least}" if self.least is not None else f"{name} > {self.above}"
        return f"{low}{name}{high}"

    def holds(self, values: Any) -> Any:
        """Whether numbers lie there, entry by entry; NaN never does."""
        found = values == values
        for limit, fine in (
            (self.least, operator.ge),
            (self.above, operator.gt),
            (self.most, operator.le),
            (self.below, operator.lt),
        ):
            if limit is not None:
                found = found & fine(values, limit)
        return found & np.isfinite(values) if self.finite else found

    def refused(self, owner: str, name: str, entry: Any) -> ValueError:
        """The error for a number that does not lie there."""
        limits = isinstance(entry, float) and math.isinf(entry) and self.finite
        bare = self == Bounds(finite=self.finite)
        return ValueError(f"{owner} needs {self.sentence(name, limits or bare)}, got {name} = {told(entry)}")


def keep(part: Any, check: Callable[..., Any], *names: str, optional: bool = False, **rest: Any) -> None:
    """Check fields of a frozen dataclass and store what comes of them; None passes where it is `optional`."""
    for name in names:
        value = getattr(part, name)
        if value is not None or not optional:
            object.__setattr__(part, name, check(type(part).__name__, name, value, **rest))


def whole(owner: str, name: str, value: Any, least: int | None = None, most: int = MOST) -> int:
    """A whole number from `least` to `most`, as an int."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{owner} needs a whole number {Bounds(least).sentence(name)}, got {name} = {told(value)}")
    found = int(value)
    if least is not None and found < least:
        raise ValueError(f"{owner} needs {Bounds(least).sentence(name)}, got {name} = {found}")
    if found > most:
        raise ValueError(f"{owner} needs {name} ≤ {told(most)}, got {name} = {told(value)}")
    return found


def real(
    owner: str,
    name: str,
    value: Any,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    finite: bool = True,
) -> float:
    """A real number within these bounds, as a float.

    >>> real("Piecewise", "factor", 1, least=0)
    1.0
    """
    bounds = Bounds(least, above, most, below, finite)
    found = _number(value)
    if found is None:
        raise ValueError(f"{owner} needs a number {bounds.sentence(name)}, got {name} = {told(value)}")
    if not bounds.holds(float(found)):
        raise bounds.refused(owner, name, float(found))
    return float(found)


def over_axes(
    owner: str,
    name: str,
    value: Any,
    own: int = 0,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    finite: bool = True,
) -> Any:
    """A real parameter: a number, or numbers over the leading axes with `own` axes behind them, all within the bounds.

    A number comes back as Python has it, a fraction that is no float as it is, a sequence as an array, or as a tuple
    where there are axes of its own, an array as a copy, so that nobody can change it from outside; what has
    `coordinates`, a `sims.engine.Axis`, as it is.
    """
    bounds = Bounds(least, above, most, below, finite)
    number = _number(value)
    if number is not None:
        if not bounds.holds(float(number)):
            raise bounds.refused(owner, name, float(number))
        return number
    if isinstance(value, Fraction):
        return _exact(owner, name, value, bounds)
    if value is None or np.isscalar(value):
        raise ValueError(f"{owner} needs a number {bounds.sentence(name)}, got {name} = {told(value)}")
    values = within(owner, name, value, bounds, f"numbers {bounds.sentence(name)}")
    if isinstance(value, list | tuple) and own:
        return _tuple(value)
    if hasattr(value, "coordinates"):
        return value
    if not hasattr(value, "shape"):
        return _copy(values)
    return value.item() if isinstance(value, np.ndarray) and not value.ndim else _copy(value)


def within(owner: str, name: str, value: Any, bounds: Bounds, wanted: str) -> np.ndarray:
    """`numbers` that all lie within bounds."""
    values = numbers(owner, name, value, wanted)
    seen = once(values)
    with np.errstate(all="ignore"):
        good = bounds.holds(seen)
    if not good.all():
        raise bounds.refused(owner, name, seen[~good].flat[0].item())
    return values


def numbers(owner: str, name: str, value: Any, wanted: str = "numbers") -> np.ndarray:
    """What an array or nested sequences hold, real numbers all, as an array on the host; NaN is one of them here."""
    found = None
    if not (isinstance(value, str | bytes | np.ma.MaskedArray) or _has_truth_values(value)):
        try:
            found = host(value)
        except Exception:  # whatever an object does that is asked for its numbers
            found = None
    if found is None or isinstance(found, np.ma.MaskedArray) or found.dtype.kind not in "iuf":
        raise ValueError(f"{owner} needs {wanted}, got {name} = {told(value)}")
    return found


def draws(owner: str, steps: Any, shape: Any) -> tuple[int, tuple[int, ...]]:
    """How many draws, and the shape of each."""
    steps = whole(owner, "steps", steps, least=0)
    if not isinstance(shape, tuple | list):
        raise ValueError(f"{owner} needs a tuple as shape, got shape = {told(shape)}")
    return steps, tuple(whole(owner, "shape", axis, least=0) for axis in shape)


def flag(owner: str, name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{owner} needs {name} True or False, got {name} = {told(value)}")
    return bool(value)


def choice(owner: str, name: str, value: Any, known: Iterable[str]) -> str:
    """One of some names."""
    names = tuple(known)
    if not (isinstance(value, str) and value in names):
        raise ValueError(f"{owner} needs {name} in {names}, got {name} = {told(value)}")
    return str(value)


def several(owner: str, name: str, value: Any, wanted: str, least: int = 1, bounds: Bounds = Bounds()) -> np.ndarray:
    """At least so many numbers in a row, all within the bounds, as an array (k,) of float64."""
    found = within(owner, name, value, bounds, wanted)
    if found.ndim != 1 or len(found) < least:
        raise ValueError(f"{owner} needs {wanted}, got {name} of shape {found.shape}")
    return np.array(found, dtype=np.float64)


def words(owner: str, name: str, value: Any) -> str:
    """A text that is not empty."""
    if not (isinstance(value, str) and value):
        raise ValueError(f"{owner} needs a text {name} of at least 1 character, got {name} = {told(value)}")
    return str(value)


def messages(x: Array, what: str = "messages") -> None:
    """Raise a `ValueError` unless x is an array (..., n, d), n ≥ 1, of real floating-point numbers of some library."""
    if type(x) is not np.ndarray:
        if isinstance(x, np.ma.MaskedArray | np.matrix):
            raise ValueError(f"{what} must be a plain array (..., n, d), got {type(x).__name__}")
        try:
            namespace(x)
        except Exception as error:  # whatever an object does that is asked for its library
            raise ValueError(f"{what} must be an array (..., n, d), got {type(x).__name__}") from error
    if x.ndim < 2:
        raise ValueError(f"{what} must have shape (..., n, d), got {tuple(x.shape)}")
    if not _floating(x):
        raise ValueError(f"{what} must be real floating-point numbers, got {x.dtype}")
    if x.shape[-2] < 1:
        raise ValueError(f"{what} must come from n ≥ 1 workers, got n = {x.shape[-2]}")


def points(owner: str, x: Array, d: int | None = None, name: str = "x") -> None:
    """Raise a `ValueError` unless x is an array (..., d) of real floating-point numbers of some library.

    In whole numbers a step of 0.1 would be no step.
    """
    if type(x) is not np.ndarray:
        try:
            namespace(x)
        except Exception as error:  # whatever an object does that is asked for its library
            raise ValueError(f"{owner} needs {name} as an array (..., d), got {name} = {told(x)}") from error
        if isinstance(x, np.ma.MaskedArray | np.matrix):
            raise ValueError(f"{owner} needs {name} as a plain array (..., d), got a {type(x).__name__}")
    if not _floating(x):
        raise ValueError(f"{owner} needs {name} in real floating-point numbers, got {name} of {x.dtype}")
    if x.ndim < 1 or (d is not None and x.shape[-1] != d):
        known = "" if d is None else f" with d = {d}"
        raise ValueError(f"{owner} needs {name} of shape (..., d){known}, got {name} of {tuple(x.shape)}")


def _floating(x: Array) -> bool:
    return x.dtype.kind == "f" if type(x) is np.ndarray else namespace(x).isdtype(x.dtype, "real floating")


def leading(part: Any, parameters: Iterable[str], shape: tuple[int, ...]) -> None:
    """Raise a `ValueError` for a parameter, without axes of its own, that does not broadcast to leading axes `shape`.

    One of a tuple, which has a value per step, is a parameter of its own.
    """
    for name in parameters:
        value = getattr(part, name, None)
        for one in value if isinstance(value, tuple) else (value,):
            own = getattr(one, "shape", ())
            fits = len(own) <= len(shape) and all(k in (1, n) for k, n in zip(own[::-1], shape[::-1], strict=False))
            if not fits:
                raise ValueError(
                    f"{type(part).__name__} needs {name} to broadcast over the leading axes {shape} of the messages, "
                    f"got {name} of shape {tuple(own)}"
                )


def reals(kind: type) -> None:
    """Raise a `ValueError` unless a class says in `reals` how many axes of its own each real parameter has."""
    found = getattr(kind, "reals", {})
    fine = isinstance(found, Mapping) and all(isinstance(name, str) for name in found)
    if not fine or not all(isinstance(own, int) and not isinstance(own, bool) and own >= 0 for own in found.values()):
        raise ValueError(f"{kind.__name__} needs reals, names with a number of axes ≥ 0, got reals = {told(found)}")


def once(values: np.ndarray) -> np.ndarray:
    """The entries of an array, what broadcasting repeats only once, so that checking takes no more than memory does."""
    return values[tuple(slice(0, 1) if step == 0 else slice(None) for step in values.strides)]


def told(value: Any) -> str:
    """A value as a sentence has it: its representation, cut off where that is long, or its type where it has none."""
    try:
        text = repr(value)
    except Exception:  # as of a whole number with more digits than Python writes
        return f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _number(value: Any) -> int | float | None:
    """A real number that a float can stand for, an infinity or NaN, as Python has it; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction | np.integer | np.floating):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    if isinstance(value, Fraction):
        return found if found == value else None  # rounding it would be the silent end of exact arithmetic
    return int(value) if isinstance(value, int | np.integer) else found


def _exact(owner: str, name: str, value: Fraction, bounds: Bounds) -> Fraction:
    """A fraction that no float equals, as it is: for exact arithmetic; arrays meet it rounded."""
    try:
        near = float(value)
    except OverflowError:
        near = math.inf if value > 0 else -math.inf
    if math.isinf(near) or not bounds.holds(near):
        raise bounds.refused(owner, name, near)
    return value


def _has_truth_values(value: Any) -> bool:
    """Whether there is a truth value in nested sequences, which NumPy would take for 0 or 1 beside numbers."""
    if not isinstance(value, list | tuple):
        return False
    kinds = set(map(type, value))
    if kinds & {bool, np.bool_}:
        return True
    return bool(kinds & {list, tuple}) and any(map(_has_truth_values, value))


def _tuple(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(map(_tuple, value))
    return value.item() if isinstance(value, np.generic) else value


def _copy(value: Array) -> Array:
    if isinstance(value, np.ndarray):
        return np.broadcast_to(np.array(once(value)), value.shape)  # read-only
    copied = getattr(value, "clone", None) or getattr(value, "copy", None)
    return copied() if copied is not None else namespace(value).asarray(value, copy=True)
