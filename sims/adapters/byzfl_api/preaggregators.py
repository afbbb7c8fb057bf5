"""ByzFL's pre-aggregators: vectors that become others, before an aggregator sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from sims import aggregators
from sims.adapters.byzfl_api.vectors import Vectors, a_float, read
from sims.aggregators import Mean
from sims.aggregators.pre_aggregation import PreAggregation
from sims.backend import Array, device, namespace
from sims.checked import keep, whole


@dataclass(eq=False)
class NNM:
    """Each vector becomes the mean of the n − f nearest to it: `sims.aggregators.NearestNeighbourMixing`.

    Equal distances are decided by value. A vector that is not finite becomes NaN; in ByzFL one with an infinity becomes
    the mean of others. Raises `ValueError` unless f ≥ 0 and, when called, f < n.

    >>> NNM(1)([np.array([0.0]), np.array([2.0]), np.array([10.0])])
    array([[1.],
           [1.],
           [6.]])
    """

    f: int = 0

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (n, d)."""
        x, shape = read(vectors)
        if self.f >= x.shape[0]:
            raise ValueError(f"NNM needs f < n, got f = {self.f}, n = {x.shape[0]}")
        return mixed(aggregators.NearestNeighbourMixing(Mean(), self.f), x, shape)


@dataclass(eq=False)
class Bucketing:
    """The means of groups of s vectors, in an order that is drawn: `sims.aggregators.Bucketing`.

    Raises `ValueError` unless s ≥ 1.

    >>> Bucketing(3)([np.array([0.0]), np.array([2.0]), np.array([10.0])])
    array([[4.]])
    """

    s: int = 1

    def __post_init__(self) -> None:
        keep(self, whole, "s", least=1)

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (⌈n/s⌉, d)."""
        x, shape = read(vectors)
        return mixed(aggregators.Bucketing(Mean(), self.s), x, shape, Shuffled(x))


class Shuffled:
    """The order that the library's global generator draws, as uniform numbers of which `Bucketing` takes the ranks."""

    def __init__(self, x: Array) -> None:
        n = x.shape[0]
        order = namespace(x).randperm(n) if is_torch_array(x) else np.random.permutation(n)  # noqa: NPY002 (ByzFL's)
        self.drawn = np.argsort(np.asarray(order)) / n

    def uniform(self, steps: int, shape: tuple[int, ...]) -> np.ndarray:
        """(1, n) numbers: worker i has the place of i in the order."""
        return self.drawn[None, :]


@dataclass(eq=False)
class Clipping:
    """Vectors longer than c are shortened to it: `sims.aggregators.Clipping`.

    A vector that is not finite becomes 0; ByzFL's gets NaN. Nothing is written into the vectors, as ByzFL does. Raises
    `ValueError` unless c is a float ≥ 0.

    >>> Clipping(2.0)([np.array([1.0]), np.array([-10.0])])
    array([[ 1.],
           [-2.]])
    """

    c: float = 2.0

    def __post_init__(self) -> None:
        keep(self, a_float, "c", least=0, finite=False)

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (n, d)."""
        x, shape = read(vectors)
        return mixed(aggregators.Clipping(Mean(), radius=self.c), x, shape)


@dataclass(eq=False)
class ARC:
    """The k = ⌊2f(n − f)/n⌋ longest vectors are shortened to the longest of the others: `sims.aggregators.ARC`.

    ByzFL computes k with rounding, at n = 121, f = 66 one less. Vectors that are not finite are longer than all others
    and become 0 if they are among the k. Nothing is written into the vectors, as ByzFL does. Raises `ValueError` unless
    0 ≤ f ≤ n.

    >>> ARC(1)([np.array([1.0]), np.array([-10.0]), np.array([2.0])])
    array([[ 1.],
           [-2.],
           [ 2.]])
    """

    f: int = 0

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)

    def __call__(self, vectors: Vectors) -> Array:
        """(n, d) → (n, d)."""
        x, shape = read(vectors)
        if self.f > x.shape[0]:
            raise ValueError(f"ARC needs f ≤ n, got f = {self.f}, n = {x.shape[0]}")
        return mixed(aggregators.ARC(Mean(), self.f), x, shape)


def mixed(before: PreAggregation, x: Array, shape: tuple[int, ...], rng: Any = None) -> Array:
    """What a rule around a rule hands on, in memory of its own."""
    with np.errstate(all="ignore"):
        y = before.mix(x, rng)
    xp = namespace(y)
    y = xp.asarray(y, copy=True) if y is x else y
    return xp.asarray(y, device=device(x)).reshape(y.shape[0], *shape)
