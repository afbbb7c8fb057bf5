"""How many element operations a rule performs: arrays that count what is done to them.

A `Counted` array holds a NumPy array and answers to `__array_namespace__`, so that a rule written against the array
API standard runs on it unchanged; each operation adds its price to the tally of the array that it came from.

| operation | price |
| --- | --- |
| arithmetic, comparison, elementwise function, `where`, gathering, conversion, filling, joining | elements out |
| reduction (`sum`, `mean`, `max`, `argmin`, `all`, …) | elements in |
| `matmul` of (…, p, q) and (…, q, r) | 2pqr each |
| `linalg.solve` of k right-hand sides | n³ + n²k each |
| `linalg.eigvalsh`, `linalg.eigh` of n×n matrices | n³, 4n³ each |
| indexing, reshaping, broadcasting, transposing | nothing: no element is touched |
| a copy of an array | nothing: it says whose memory it is, and every rule's output is its own |
| `sort`, `argsort` along an axis of length n | n⌈log₂ n⌉ comparisons per line, tallied apart |
| whether results are finite, and a look at scores from the host | nothing: it decides whether to compute once more |

An operation that is not in these lists raises: none goes uncounted.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import array_api_compat.numpy as reference
import numpy as np

from sims.aggregators.rule import Rule, as_rule
from sims.checked import messages, several, whole

VIEWS = frozenset({"reshape", "broadcast_to", "flip", "matrix_transpose"})
REDUCTIONS = frozenset({"sum", "mean", "max", "min", "all", "any", "argmax", "argmin"})
SORTS = frozenset({"sort", "argsort"})
ELEMENTWISE = frozenset(
    {"abs", "clip", "exp", "floor", "isinf", "isnan", "log2", "maximum", "minimum", "sqrt", "where"}
    | {"arange", "astype", "eye", "full", "full_like", "ones", "ones_like", "zeros", "zeros_like"}
    | {"concat", "stack", "take", "take_along_axis"}
)


@dataclass
class Tally:
    """Element operations and comparisons in sorts, so far."""

    operations: int = 0
    comparisons: int = 0

    @property
    def total(self) -> int:
        """Operations and comparisons together."""
        return self.operations + self.comparisons


def _bare(value: Any) -> Any:
    """`value` with every counted array in it replaced by the array that it holds."""
    if isinstance(value, Counted):
        return value.values
    if isinstance(value, list | tuple):
        return type(value)(_bare(v) for v in value)
    return value


class CountingNamespace:
    """The array API namespace that counts into one tally."""

    __name__ = "sims.checks.counting"
    constants = frozenset({"bool", "int8", "int32", "int64", "float64"})
    silent = frozenset({"isdtype", "finfo"})  # they touch no element

    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    @property
    def linalg(self) -> CountingNamespace:
        """The namespace itself: `solve` is looked up like everything else."""
        return self

    def isfinite(self, x: Any) -> Any:
        """Uncounted, and so is what is made of it: whether anything overflowed is looked at after a rule."""
        return np.isfinite(_bare(x))

    def asarray(self, value: Any, /, **options: Any) -> Counted:
        """A copy of an array for nothing, everything else at its price."""
        if isinstance(value, Counted) and options == {"copy": True}:
            return Counted(value.values.copy(), self)
        return self._counting(reference.asarray, lambda y, args: y.size)(value, **options)

    def __getattr__(self, name: str) -> Any:
        if name in self.constants or name in self.silent:
            return getattr(reference, name)
        if name in VIEWS:
            return self._counting(getattr(reference, name), lambda y, args: 0)
        if name in ELEMENTWISE:
            return self._counting(getattr(reference, name), lambda y, args: y.size)
        if name in REDUCTIONS:
            return self._counting(getattr(reference, name), lambda y, args: args[0].size)
        if name == "matmul":
            return self._counting(reference.matmul, lambda y, args: 2 * args[0].shape[-1] * y.size)
        if name == "solve":
            return self._counting(reference.linalg.solve, _price_of_solving)
        if name == "eigvalsh":
            return self._counting(np.linalg.eigvalsh, lambda y, args: y.shape[-1] ** 2 * y.size)
        if name == "eigh":
            return self._eigh
        if name in SORTS:
            return self._sorting(getattr(reference, name))
        raise AttributeError(f"the counting namespace has no price for {name!r}")

    def _counting(self, function: Callable[..., Any], price: Callable[[Any, Any], int]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            bare = _bare(args)
            result = function(*bare, **{key: _bare(value) for key, value in options.items()})
            self.tally.operations += price(result, bare)
            return Counted(np.asarray(result), self)

        return counted

    def _eigh(self, x: Counted, /) -> tuple[Counted, Counted]:
        values, vectors = np.linalg.eigh(x.values)
        self.tally.operations += 4 * values.shape[-1] ** 2 * values.size
        return Counted(values, self), Counted(vectors, self)

    def _sorting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(x: Counted, /, *, axis: int = -1, **options: Any) -> Any:
            length = x.shape[axis]
            self.tally.comparisons += x.values.size * math.ceil(math.log2(length)) if length else 0
            return Counted(function(x.values, axis=axis, **options), self)

        return counted


def _price_of_solving(y: Any, args: Any) -> int:
    n = args[0].shape[-1]
    systems = args[0].size // n**2 if n else 0
    return systems * n**3 + n * y.size


def _operator(function: Callable[..., Any], swapped: bool) -> Callable[..., Counted]:
    def method(self: Counted, *others: Any) -> Counted:
        bare = [self.values, *map(_bare, others)]
        result = np.asarray(function(*(bare[::-1] if swapped else bare)))
        self.namespace.tally.operations += result.size
        return Counted(result, self.namespace)

    return method


def _both(function: Callable[..., Any]) -> tuple[Callable[..., Counted], Callable[..., Counted]]:
    """The operator, and the one for a counted array on its right."""
    return _operator(function, swapped=False), _operator(function, swapped=True)


class Counted:
    """A NumPy array whose operations are counted by its namespace."""

    def __init__(self, values: np.ndarray, namespace: CountingNamespace) -> None:
        self.values = values
        self.namespace = namespace

    def __array_namespace__(self, api_version: str | None = None) -> CountingNamespace:
        return self.namespace

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the values."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """That of the values."""
        return self.values.ndim

    @property
    def dtype(self) -> Any:
        """That of the values."""
        return self.values.dtype

    @property
    def device(self) -> str:
        """NumPy's only one."""
        return "cpu"

    def __getitem__(self, key: Any) -> Counted:
        return Counted(np.asarray(self.values[_bare(key)]), self.namespace)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        return bool(self.values)

    __add__, __radd__ = _both(operator.add)
    __sub__, __rsub__ = _both(operator.sub)
    __mul__, __rmul__ = _both(operator.mul)
    __truediv__, __rtruediv__ = _both(operator.truediv)
    __floordiv__, __rfloordiv__ = _both(operator.floordiv)
    __pow__, __rpow__ = _both(operator.pow)
    __and__, __rand__ = _both(operator.and_)
    __or__, __ror__ = _both(operator.or_)
    __lt__, __gt__ = _both(operator.lt)
    __le__, __ge__ = _both(operator.le)
    __eq__ = _operator(operator.eq, swapped=False)  # pyright: ignore[reportAssignmentType]
    __ne__ = _operator(operator.ne, swapped=False)  # pyright: ignore[reportAssignmentType]
    __neg__ = _operator(operator.neg, swapped=False)
    __abs__ = _operator(operator.abs, swapped=False)
    __invert__ = _operator(operator.invert, swapped=False)


def count(rule: Rule, x: np.ndarray) -> Tally:
    """What one aggregation of the messages x (..., n, d) by `rule` costs.

    >>> from sims.aggregators import Mean
    >>> count(Mean(), np.zeros((10, 3)))
    Tally(operations=30, comparisons=0)
    """
    rule, tally = as_rule(rule), Tally()
    messages(x, "messages x")
    if type(x) is not np.ndarray:
        raise ValueError(f"count needs messages x in an array of NumPy's, got a {type(x).__name__}")
    rule.aggregate(Counted(x, CountingNamespace(tally)))
    return tally


def degree(counts: Sequence[int]) -> int:
    """The degree of the polynomial through counts at equally spaced sizes; a `ValueError` if they are too few to tell.

    The least k whose (k + 1)-th differences all vanish, seen at least twice.

    >>> degree([3, 7, 13, 21, 31])
    2
    """
    several("degree", "counts", counts, "counts, whole numbers")
    differences, k = [whole("degree", "counts", one) for one in counts], -1
    while any(differences):
        differences = [b - a for a, b in itertools.pairwise(differences)]
        k += 1
        if len(differences) < 2:
            raise ValueError(f"{len(counts)} counts do not show a polynomial of degree ≤ {len(counts) - 3}")
    return max(k, 0)
