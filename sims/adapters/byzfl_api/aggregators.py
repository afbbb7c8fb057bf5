"""ByzFL's aggregators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from sims import aggregators, columns
from sims.adapters.byzfl_api.preaggregators import ARC, NNM, Bucketing, Clipping
from sims.adapters.byzfl_api.vectors import Vectors, a_float, aggregated, majority, read
from sims.aggregators.distances import Either, Telling, chosen_by
from sims.backend import Array, as_like, namespace, take_rows
from sims.by_name import rule_by_name
from sims.checked import MOST_STEPS, Bounds, keep, told, whole, within

__all__ = ["ARC", "NNM", "Bucketing", "Clipping"]  # ByzFL has these here, too
__all__ += ["CAF", "MDA", "SMEA", "Average", "CenteredClipping", "GeometricMedian", "Krum", "Meamed", "Median"]
__all__ += ["MoNNA", "MultiKrum", "TrMean"]


@dataclass(eq=False)
class Average:
    """The mean: `sims.aggregators.Mean`.

    >>> Average()([np.array([1.0, 2.0]), np.array([3.0, 6.0])])
    array([2., 4.])
    """

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (d,)."""
        return aggregated(aggregators.Mean(), vectors)


@dataclass(eq=False)
class Median:
    """The median of each coordinate, of an even number the mean of both in the middle, in torch, too.

    `sims.aggregators.CoordinateMedian`. A NaN counts as +∞, where ByzFL's is NaN.

    >>> Median()([np.array([1.0, 2.0]), np.array([3.0, 6.0])])
    array([2., 4.])
    """

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (d,)."""
        return aggregated(aggregators.CoordinateMedian(), vectors)


@dataclass(eq=False)
class OfMajority:
    """What the aggregators share that take f; `ValueError` unless f ≥ 0 and, when called, n ≥ 2f + 1."""

    f: int = 0

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)

    def read(self, vectors: Vectors) -> tuple[Array, tuple[int, ...]]:
        """Messages of which a majority may be honest."""
        x, shape = read(vectors)
        majority(type(self).__name__, self.f, x.shape[0])
        return x, shape


@dataclass(eq=False)
class TrMean(OfMajority):
    """The mean of each coordinate without its f smallest and f largest: `sims.aggregators.TrimmedMean`.

    >>> TrMean(1)([np.array([1.0]), np.array([3.0]), np.array([50.0])])
    array([3.])
    """

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (d,)."""
        x, shape = self.read(vectors)
        return aggregators.TrimmedMean(self.f).aggregate(x).reshape(shape)


@dataclass(eq=False)
class GeometricMedian:
    """T smoothed Weiszfeld steps from the origin: `sims.aggregators.RFA`, and not the geometric median itself.

    A vector with NaN is left out, as one with an infinity is; ByzFL leaves out the latter alone. At nu ≤ 0, which ByzFL
    takes, the smallest positive number stands for it: where ByzFL divides by zero, this stays at the vector.

    Raises `TypeError` unless nu is a float, `ValueError` unless it is a number and T ≥ 0; no step ends at the origin.

    >>> GeometricMedian(T=1)([np.array([1.0]), np.array([1.0]), np.array([4.0])])
    array([1.33333333])
    """

    nu: float = 0.1
    T: int = 3

    def __post_init__(self) -> None:
        keep(self, a_float, "nu", error=TypeError, finite=False)
        keep(self, whole, "T", least=0, most=MOST_STEPS)

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (d,)."""
        x, shape = read(vectors)
        if not self.T:
            return namespace(x).zeros_like(x[0, ...]).reshape(shape)
        nu = max(self.nu, float(namespace(x).finfo(x.dtype).smallest_normal))
        return aggregators.RFA(steps=self.T, nu=nu).aggregate(x).reshape(shape)


@dataclass(eq=False)
class Krum(OfMajority):
    """The vector whose n − f − 1 nearest others are closest; `sims.aggregators.Krum` has the published n − f − 2.

    Of equal scores the first one's, as in ByzFL: at n = 3, f = 1 there are always two. A vector that is not finite is
    never chosen unless more than f are so; ByzFL on NumPy returns one that has a NaN.

    >>> Krum(1)([np.array([5.0]), np.array([3.0]), np.array([50.0])])
    array([5.])
    """

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (d,)."""
        x, shape = self.read(vectors)
        return take_rows(x, _lowest(x, self.f, 1))[0, ...].reshape(shape)


@dataclass(eq=False)
class MultiKrum(OfMajority):
    """The mean of the n − f vectors of lowest score in `Krum`, of equal ones the first.

    >>> MultiKrum(1)([np.array([5.0]), np.array([3.0]), np.array([50.0])])
    array([4.])
    """

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (d,)."""
        x, shape = self.read(vectors)
        rows = take_rows(x, _lowest(x, self.f, x.shape[0] - self.f))
        return columns.mean_around(rows, rows[0, ...]).reshape(shape)


def _lowest(x: Array, f: int, count: int) -> Array:
    """The `count` of lowest score over n − f − 1 neighbours, (n, d) → indices (count,), of equal ones the first."""

    def choose(distances: Either) -> tuple[Array, list[Telling]]:
        scores = distances.scores(x.shape[0] - f - 1)
        order = namespace(scores).argsort(scores, axis=-1, stable=True)[..., :count]
        return order, [(scores, order)]

    with np.errstate(all="ignore"):
        return chosen_by(x, f, choose)[0]


@dataclass(eq=False)
class CenteredClipping:
    """L clipped steps from m, the last aggregate, zeros at first: `sims.aggregators.CenteredClipping`.

    What comes out is the next m, an attribute that may be set. ByzFL 0.0.11 refuses every m that its constructor is
    given; here it may be an array or a tensor (d,). A vector that is not finite has weight 0, ByzFL's result is NaN.

    Raises `TypeError` for an m of another kind, `ValueError` for one of another shape, and unless L ≥ 0 and tau is a
    float ≥ 0.

    >>> clip = CenteredClipping(tau=1.0)
    >>> [float(clip([np.array([0.5]), np.array([9.0])])[0]) for _ in range(2)]
    [0.75, 1.125]
    """

    m: Any = None
    L: int = 1
    tau: float = 100.0

    def __post_init__(self) -> None:
        if not (self.m is None or isinstance(self.m, np.ndarray) or is_torch_array(self.m)):
            raise TypeError(f"CenteredClipping needs m as an array or a tensor, got m = {told(self.m)}")
        if self.m is not None:
            within("CenteredClipping", "m", self.m, Bounds(), "numbers")
        keep(self, whole, "L", least=0, most=MOST_STEPS)
        keep(self, a_float, "tau", least=0, finite=False)

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (d,), which m is afterwards."""
        x, shape = read(vectors)
        if self.m is not None and tuple(self.m.shape) not in (shape, tuple(x.shape[1:])):
            raise ValueError(f"CenteredClipping needs m of shape {shape}, got m of shape {tuple(self.m.shape)}")
        centre = namespace(x).zeros_like(x[0, ...]) if self.m is None else as_like(self.m, x).reshape(x.shape[1:])
        if self.L:
            centre = aggregators.CenteredClipping(tau=self.tau, steps=self.L).aggregate(x, centre)
        self.m = centre.reshape(shape)
        return namespace(x).asarray(self.m, copy=True)


class Named(OfMajority):
    """What the aggregators share whose rule here has the same name."""

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (d,)."""
        x, shape = self.read(vectors)
        settings = {name: value for name, value in vars(self).items() if name != "f"}
        return rule_by_name(type(self).__name__, self.f, settings).aggregate(x).reshape(shape)


@dataclass(eq=False)
class MDA(Named):
    """The mean of the n − f vectors of smallest diameter; equal ones are decided by value, in ByzFL for the first."""


@dataclass(eq=False)
class MoNNA(Named):
    """The mean of the n − f vectors nearest to that of worker idx; `ValueError` unless 0 ≤ idx < n."""

    idx: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, whole, "idx", least=0)


@dataclass(eq=False)
class Meamed(Named):
    """The mean of the n − f values of each coordinate that are nearest to its median."""


@dataclass(eq=False)
class SMEA(Named):
    """The mean of the n − f vectors whose covariance has the smallest largest eigenvalue.

    ByzFL takes for the eigenvalue λ the length that one step of the power method gives a random unit vector, of vectors
    on a line λ·|cos| of its angle to that line: its choice is random unless d = 1. Here it is the eigenvalue.
    """


@dataclass(eq=False)
class CAF(Named):
    """The mean of vectors whose weights fall along the covariance's main direction, where it was narrowest.

    ByzFL takes for direction and eigenvalue what one step of the power method makes of a random unit vector, so that
    its result is random unless d = 1; here they are those of the covariance. A weight falls by its share of the
    farthest message that still has one, in ByzFL of the farthest, which where that is far away lets none fall again.
    """
