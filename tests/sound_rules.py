"""Rules that are right, as their users have them: ours, ByzFL's, krum's, and plain functions; none may be condemned.

`SOUND` lists them, each in one array library and one precision. ByzFL and krum are among them where they are installed;
those of ByzFL's and krum's rules that break ties by index, keep a state or write into their input are not sound.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from sims.adapters.audited import from_byzfl
from sims.aggregators import (
    ARC,
    RFA,
    Bucketing,
    Bulyan,
    CenteredClipping,
    Clipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    NearestNeighbourMixing,
    Promises,
    Rule,
    StatelessRule,
    TrimmedMean,
)

TORCH = importlib.util.find_spec("torch") is not None


class Sound(NamedTuple):
    """A rule that is right: `make(n, f)` gives it, or None where it is not defined for n workers and f."""

    name: str
    make: Callable[[int, int], Any]
    library: str = "numpy"
    dtype: str = "float64"

    def __str__(self) -> str:
        return f"{self.name}-{self.library}-{self.dtype}"


def defined(make: Callable[[int], Rule]) -> Callable[[int, int], Rule | None]:
    """The rule for f where it is defined for n."""

    def made(n: int, f: int) -> Rule | None:
        rule = make(f)
        try:
            rule.require(n)
        except ValueError:
            return None
        return rule

    return made


def whatever(function: Any) -> Callable[[int, int], Any]:
    """The same rule for every n and f."""
    return lambda n, f: function


def majority(make: Callable[[int], Any]) -> Callable[[int, int], Any]:
    """A rule for f where n ≥ 2f + 1."""
    return lambda n, f: make(f) if n > 2 * f else None


# Plain functions


def median(x):
    return np.median(x, axis=0)


def mean_in_order_of_value(x):
    """The mean with each coordinate's values added up from the smallest on: the same bits in any order."""
    return np.sort(x, axis=0).mean(axis=0)


def halfway(x):
    """Between the median and the midpoint of the middle half, which is another robust location."""
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75], axis=0)
    return middle / 2 + (low / 2 + high / 2) / 2


class TrimmedBySciPy:
    """SciPy's trimmed mean, an object that is called."""

    def __init__(self, f):
        self.f = f

    def __call__(self, x):
        return stats.trim_mean(x, (self.f + 0.5) / len(x), axis=0)


def weiszfeld(x):
    """Weiszfeld's iteration from the mean, in units of the largest number, until it moves by less than 1e-8."""
    x, kind = x.astype(np.float64), x.dtype
    unit = np.max(np.abs(x), initial=0.0)
    if not 0 < unit < np.inf:
        return x.mean(axis=0).astype(kind)
    x = x / unit
    z = x.mean(axis=0)
    for _ in range(1000):
        weights = 1 / np.maximum(np.linalg.norm(x - z, axis=1), 1e-10)
        new = weights @ x / weights.sum()
        moved, z = np.linalg.norm(new - z), new
        if moved < 1e-8:
            break
    return (z * unit).astype(kind)


def weiszfeld_to_1e_8(x):
    return weiszfeld(x)


weiszfeld_to_1e_8.tol = 1e-8  # pyright: ignore[reportFunctionMemberAccess]


def krum_by_value(f):
    """Krum as one writes it who has read that ties are to be broken by value: messages in lexicographic order first."""

    def krum(x):
        x = x[np.lexsort(x.T[::-1])] if x.shape[1] else x
        unit = np.max(np.abs(x), initial=0.0)
        scaled = x / unit if 0 < unit < np.inf else x
        squares = ((scaled[:, None] - scaled[None]) ** 2).sum(axis=-1)
        return x[np.argmin(np.sort(squares, axis=1)[:, 1 : len(x) - f - 1].sum(axis=1))]

    return krum


def torch_median(x):
    """The mean of both middle values, which `torch.median` does not give."""
    ordered, n = x.sort(dim=0).values, x.shape[0]
    return ordered[(n - 1) // 2] / 2 + ordered[n // 2] / 2


def torch_trimmed(f):
    return lambda x: x.sort(dim=0).values[f : x.shape[0] - f].mean(dim=0)


def torch_quantile(x):
    return x.quantile(0.5, dim=0) if x.shape[1] else x[0]


# Rules of one's own


class Kept(NamedTuple):
    """What a clipping of one's own remembers."""

    centre: Any
    rounds: int


@dataclass(frozen=True)
class OwnClipping(Rule):
    """Clipping around the last aggregate, to a radius that does not change, with a count of the rounds."""

    tau: float = 2.0

    @property
    def promises(self) -> Promises:
        return Promises(scale=False)

    def breakdown(self, n: int) -> int:
        return n

    def bound(self, n: int, reach: float) -> float:
        return reach + self.tau

    def init(self, x):
        return Kept(np.zeros((*x.shape[:-2], x.shape[-1]), dtype=x.dtype), 0)

    def combine(self, x, state, rng):
        away = x - state.centre[..., None, :]
        largest = np.max(np.abs(away), axis=-1, keepdims=True, initial=0.0)
        finite = np.isfinite(largest)
        unit = np.where(finite & (largest > 0), largest, 1.0)
        away = np.where(finite, away / unit, 0.0)
        norms = np.sqrt(np.sum(away * away, axis=-1, keepdims=True))
        lengths = np.minimum(norms * unit, self.tau)
        clipped = away / np.where(norms > 0, norms, 1.0) * lengths
        centre = (state.centre + np.mean(np.sort(clipped, axis=-2), axis=-2)).astype(x.dtype)
        return centre, Kept(centre, state.rounds + 1)


@dataclass(frozen=True)
class RandomWeights(Rule):
    """A mean with weights that are drawn for each worker anew: its law does not know the workers."""

    @property
    def promises(self) -> Promises:
        return Promises()

    def breakdown(self, n: int) -> int:
        return 0

    def combine(self, x, state, rng):
        drawn = 0.5 + rng.uniform(1, (x.shape[-2],))[0, ...]
        weights = np.broadcast_to(drawn / drawn.sum(axis=-1, keepdims=True), x.shape[:-1])[..., None]
        return np.sum(x * weights, axis=-2).astype(x.dtype), state


@dataclass(frozen=True)
class OwnTrimmedMean(StatelessRule):
    """The trimmed mean in the words of the array it is given: NumPy's or torch's."""

    f: int

    @property
    def promises(self) -> Promises:
        return Promises(mean=False)

    def breakdown(self, n: int) -> int:
        return self.f

    def require(self, n: int) -> None:
        if n < 2 * self.f + 1:
            raise ValueError(f"OwnTrimmedMean needs n ≥ 2f + 1, got n = {n}, f = {self.f}")

    def reduce(self, x):
        if isinstance(x, np.ndarray):
            ordered = np.sort(np.where(np.isnan(x), np.inf, x), axis=-2)
        else:
            ordered = x.nan_to_num(nan=float("inf"), posinf=float("inf"), neginf=-float("inf")).sort(dim=-2).values
        kept = ordered[..., self.f : x.shape[-2] - self.f, :]
        return kept.mean(-2)


OURS = [
    ("Mean", whatever(Mean())),
    ("CoordinateMedian", whatever(CoordinateMedian())),
    ("GeometricMedian", whatever(GeometricMedian())),
    ("RFA", whatever(RFA())),
    ("Krum", defined(lambda f: Krum(f))),
    ("MultiKrum", defined(lambda f: MultiKrum(f))),
    ("TrimmedMean", defined(lambda f: TrimmedMean(f))),
    ("Bulyan", defined(lambda f: Bulyan(f))),
    ("CenteredClipping", whatever(CenteredClipping(tau=1.0))),
    ("Bucketing", whatever(Bucketing(CoordinateMedian()))),
    ("NearestNeighbourMixing", defined(lambda f: NearestNeighbourMixing(CoordinateMedian(), f))),
    ("Clipping", whatever(Clipping(Mean(), radius=2.0))),
    ("ARC", defined(lambda f: ARC(Mean(), f))),
]
FUNCTIONS = [
    ("numpy.median", whatever(median)),
    ("mean in order of value", whatever(mean_in_order_of_value)),
    ("halfway", whatever(halfway)),
    ("scipy.stats.trim_mean", majority(TrimmedBySciPy)),
    ("Weiszfeld", whatever(weiszfeld)),
    ("Weiszfeld, tol declared", whatever(weiszfeld_to_1e_8)),
    ("Krum by value", lambda n, f: krum_by_value(f) if n >= 2 * f + 3 else None),
    ("clipping with a state", whatever(OwnClipping())),
    ("random weights", whatever(RandomWeights())),
    ("own trimmed mean", defined(OwnTrimmedMean)),
]
TENSORS = [
    ("both middle values", whatever(torch_median)),
    ("quantile", whatever(torch_quantile)),
    ("sorted and cut", majority(torch_trimmed)),
    ("own trimmed mean", defined(OwnTrimmedMean)),
]


def byzfl_itself() -> Any:
    """ByzFL's own package; what only its benchmark imports is an empty module. None where it is not installed."""
    if "byzfl" not in sys.modules:
        if importlib.util.find_spec("byzfl") is None or not TORCH:
            return None
        name = "byzfl.benchmark"
        sys.modules[name] = types.ModuleType(name)
        try:
            importlib.import_module("byzfl")
        finally:
            del sys.modules[name]
    return sys.modules["byzfl"]


def of_byzfl() -> list[tuple[str, Callable[[int, int], Any]]]:
    """Those of ByzFL's that know no index, keep no state and write into nothing."""
    byzfl = byzfl_itself()
    if byzfl is None:
        return []
    return [
        ("ByzFL's Average", whatever(byzfl.Average())),
        ("ByzFL's Median", whatever(byzfl.Median())),
        ("ByzFL's TrMean", majority(byzfl.TrMean)),
        ("ByzFL's GeometricMedian", whatever(byzfl.GeometricMedian(nu=0.1, T=3))),
        ("ByzFL's Median as a rule", whatever(from_byzfl(byzfl.Median(), promises=Promises()))),
        ("ByzFL's TrMean as a rule", majority(lambda f: from_byzfl(byzfl.TrMean(f), promises=Promises()))),
    ]


def of_krum() -> list[tuple[str, Callable[[int, int], Any]]]:
    """Those of krum's of which the same is true; they are called with the arguments that they need."""
    if importlib.util.find_spec("krum") is None or not TORCH:
        return []
    rules = {
        name: getattr(importlib.import_module(f"krum.primitives.aggregators.{module}"), name)
        for module, name in (("average", "Average"), ("median", "Median"), ("trimmed_mean", "TrimmedMean"))
    }
    return [
        ("krum's Average", whatever(lambda x: rules["Average"].aggregate(x))),
        ("krum's Median", whatever(lambda x: rules["Median"].aggregate(x))),
        ("krum's TrimmedMean", majority(lambda f: lambda x: rules["TrimmedMean"].aggregate(x, f=f))),
    ]


SOUND: list[Sound] = [
    *(Sound(name, make, "numpy", dtype) for name, make in OURS + FUNCTIONS for dtype in ("float64", "float32")),
    *(Sound(name, make) for name, make in of_byzfl()),
]
if TORCH:
    SOUND += [Sound(name, make, "torch", dtype) for name, make in OURS + TENSORS for dtype in ("float32", "float64")]
    SOUND += [Sound(name, make, "torch", "float32") for name, make in of_byzfl()]
    SOUND += [Sound(name, make, "torch", dtype) for name, make in of_krum() for dtype in ("float32", "float64")]
