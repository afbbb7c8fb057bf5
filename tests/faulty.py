"""Wrong rules, each named for its fault: one per contract, and one or more per published rule.

A check that lets its own wrong rule through is worth nothing: `test_contracts.py` and `test_oracles.py` see to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from sims.aggregators import Promises, Rule, StatelessRule
from sims.backend import finite_rows, lexicographic_ranks, namespace, row_norms, sort_rows, sq_distances, take_rows


@dataclass(frozen=True)
class Faulty(StatelessRule):
    """What the wrong rules share: they promise everything but the mean and tolerate f."""

    f: int = 1

    @property
    def promises(self) -> Promises:
        return Promises()

    def breakdown(self, n: int) -> int:
        return min(self.f, (n - 1) // 2)


def mean(x: Any) -> Any:
    return namespace(x).mean(x, axis=-2)


def median(x: Any) -> Any:
    ordered, n = sort_rows(x), x.shape[-2]
    return (ordered[..., (n - 1) // 2, :] + ordered[..., n // 2, :]) / 2


# One per contract


class FirstWorkerMean(Faulty):
    """Permutation: the first worker counts twice."""

    def reduce(self, x):
        n = x.shape[-2]
        return (namespace(x).sum(x, axis=-2) + x[..., 0, :]) / (n + 1)


class TiesByIndex(Faulty):
    """Ties: of the messages with the lowest Krum score, the first worker's."""

    def reduce(self, x):
        xp = namespace(x)
        scores = xp.sum(xp.sort(sq_distances(x), axis=-1)[..., : x.shape[-2] - self.f - 1], axis=-1)
        return take_rows(x, xp.argmin(scores, axis=-1, keepdims=True))[..., 0, :]


class ShrinksToTheOrigin(Faulty):
    """Translation: nine tenths of the median."""

    def reduce(self, x):
        return median(x) * 0.9


class GramDistances(Faulty):
    """Translation, far from the origin: ‖a‖² − 2a·b + ‖b‖² cancels, and Krum picks the wrong message."""

    def reduce(self, x):
        xp = namespace(x)
        gram = xp.matmul(x, xp.matrix_transpose(x))
        squares = xp.sum(x * x, axis=-1)
        distances = squares[..., :, None] - 2 * gram + squares[..., None, :]
        scores = xp.sum(xp.sort(distances, axis=-1)[..., : x.shape[-2] - self.f - 1], axis=-1)
        order = xp.argsort(lexicographic_ranks(x), axis=-1)
        best = xp.argmin(xp.take_along_axis(scores, order, axis=-1), axis=-1, keepdims=True)
        return take_rows(x, xp.take_along_axis(order, best, axis=-1))[..., 0, :]


class Float32Inside(Faulty):
    """Translation, far from the origin: the arithmetic is done in float32, whatever the dtype of the messages."""

    def reduce(self, x):
        xp = namespace(x)
        return xp.astype(median(xp.astype(x, xp.float32)), x.dtype)


class ForgetsScale(Faulty):
    """Scale: messages are clipped to the unit ball around the median, whatever the scale of the messages."""

    def reduce(self, x):
        xp = namespace(x)
        middle = median(x)[..., None, :]
        norms = row_norms(x - middle)
        factor = 1 / xp.maximum(norms, xp.ones_like(norms))
        return middle[..., 0, :] + mean((x - middle) * factor[..., None])


class LeansUp(Faulty):
    """Oddness: the larger of the two middle values is the median."""

    def reduce(self, x):
        return sort_rows(x)[..., x.shape[-2] // 2, :]


class MeanOverNMinusOne(Faulty):
    """Agreement: the sum is divided by n − 1."""

    def reduce(self, x):
        return namespace(x).sum(x, axis=-2) / max(x.shape[-2] - 1, 1)


class TrimsTheTopOnly(Faulty):
    """Majority: the 2f largest values are dropped, and none at the bottom."""

    def reduce(self, x):
        return mean(sort_rows(x)[..., : x.shape[-2] - 2 * self.f, :])


class MeanThatClaimsRobustness(Faulty):
    """Boundedness: the mean, with a declared breakdown of f."""

    def reduce(self, x):
        return mean(x)


class SortsNaNFirst(Faulty):
    """Non-finite: a NaN counts as −∞ in the median."""

    def reduce(self, x):
        xp = namespace(x)
        return median(xp.where(xp.isnan(x), -xp.inf * xp.ones_like(x), x))


class NaNPoisonsMedian(Faulty):
    """Non-finite: one NaN makes the median NaN."""

    def reduce(self, x):
        xp = namespace(x)
        return median(x) + 0 * xp.sum(x, axis=-2)


@dataclass(frozen=True)
class TrimmedMeanThatClaimsTheMean(Faulty):
    """Mean: a trimmed mean that declares itself the mean."""

    @property
    def promises(self):
        return Promises(mean=True)

    def reduce(self, x):
        return mean(sort_rows(x)[..., self.f : x.shape[-2] - self.f, :])


@dataclass(frozen=True)
class HidesNaN(Faulty):
    """Propagation: the mean of the finite messages, in silence."""

    f: int = 0

    @property
    def promises(self):
        return Promises(mean=True)

    def reduce(self, x):
        xp = namespace(x)
        finite = xp.isfinite(x)
        return xp.sum(xp.where(finite, x, xp.zeros_like(x)), axis=-2) / xp.sum(xp.astype(finite, x.dtype), axis=-2)


class ReturnsFloat64(Faulty):
    """Kind: the output is float64 for float32 messages."""

    def reduce(self, x):
        xp = namespace(x)
        return median(xp.astype(x, xp.float64))


class MutatesInput(Faulty):
    """Inputs untouched: the messages are sorted in place."""

    def reduce(self, x):
        x[...] = sort_rows(x)
        return median(x)


class LoopsOnlyFirstRun(Faulty):
    """Leading axes: the first run's median is every run's."""

    def reduce(self, x):
        xp = namespace(x)
        y = median(x)
        first = y[(0,) * (y.ndim - 1) + (...,)]
        return xp.asarray(xp.broadcast_to(first, y.shape), copy=True)


@dataclass(frozen=True, eq=False)
class TakesTheFirstParameter(Faulty):
    """Array parameter: an array of radii is read as its first element."""

    tau: Any = 1.0
    reals: ClassVar = {"tau": 0}

    def reduce(self, x):
        xp = namespace(x)
        tau = float(np.ravel(np.asarray(self.tau))[0])
        return xp.minimum(xp.maximum(median(x), -tau * xp.ones_like(x[..., 0, :])), tau * xp.ones_like(x[..., 0, :]))


@dataclass(frozen=True, eq=False)
class HiddenState(Faulty):
    """No hidden state: the output drifts with every call."""

    calls: list = field(default_factory=list)

    def reduce(self, x):
        self.calls.append(x)
        return median(x) + 0.125 * len(self.calls)


# One or more per published rule, with its parameters


class MeanDividedByNMinusOne(MeanOverNMinusOne):
    """The mean, with the divisor of the unbiased variance."""


class LowerMiddle(Faulty):
    """The median that takes the lower middle value for even n."""

    def reduce(self, x):
        return sort_rows(x)[..., (x.shape[-2] - 1) // 2, :]


class TrimmedFromPrintedIndex(Faulty):
    """The trimmed mean from the printed lower index: f-th to (n − f)-th value, divided by n − 2f."""

    def reduce(self, x):
        n, f = x.shape[-2], self.f
        kept = sort_rows(x)[..., max(f - 1, 0) : n - f, :]
        return namespace(x).sum(kept, axis=-2) / (n - 2 * f)


def krum_choice(x: Any, others: Any, neighbours: int, count: int = 1) -> Any:
    """The `count` best rows by the sum of the `neighbours` smallest of `others`, ties by value."""
    xp = namespace(x)
    scores = xp.sum(xp.sort(others, axis=-1)[..., :neighbours], axis=-1)
    by_row = xp.argsort(lexicographic_ranks(x), axis=-1, stable=True)
    by_score = xp.argsort(xp.take_along_axis(scores, by_row, axis=-1), axis=-1, stable=True)
    return take_rows(x, xp.take_along_axis(by_row, by_score, axis=-1)[..., :count])


def others_of(x: Any) -> Any:
    """Squared distances with an infinite diagonal."""
    xp = namespace(x)
    distances = sq_distances(x)
    return xp.where(xp.eye(x.shape[-2], dtype=xp.bool), xp.inf * xp.ones_like(distances), distances)


class KrumOneNeighbourMore(Faulty):
    """Krum over n − f − 1 neighbours."""

    def reduce(self, x):
        return krum_choice(x, others_of(x), x.shape[-2] - self.f - 1)[..., 0, :]


class KrumCountsItself(Faulty):
    """Krum whose nearest n − f − 2 include the message itself."""

    def reduce(self, x):
        return krum_choice(x, sq_distances(x), x.shape[-2] - self.f - 2)[..., 0, :]


class KrumPlainDistances(Faulty):
    """Krum without the square."""

    def reduce(self, x):
        return krum_choice(x, others_of(x) ** 0.5, x.shape[-2] - self.f - 2)[..., 0, :]


class MultiKrumSums(Faulty):
    """Multi-Krum that adds up the chosen messages."""

    def reduce(self, x):
        n = x.shape[-2]
        return namespace(x).sum(krum_choice(x, others_of(x), n - self.f - 2, n - self.f), axis=-2)


class MultiKrumTakesAll(Faulty):
    """Multi-Krum over all n messages."""

    def reduce(self, x):
        return mean(x)


class BulyanWithoutTrimming(Faulty):
    """Bulyan that averages its whole selection."""

    def reduce(self, x):
        return mean(bulyan_selection(x, self.f))


class BulyanInOneGo(Faulty):
    """Bulyan that selects the n − 2f best scores at once instead of one after the other."""

    def reduce(self, x):
        n, f = x.shape[-2], self.f
        return around_median(krum_choice(x, others_of(x), n - f - 2, n - 2 * f), n - 4 * f)


class BulyanAroundTheRoundedMedian(Faulty):
    """Bulyan that computes the median, then the distances from it, and compares what rounding has left of them."""

    def reduce(self, x):
        return around_median(bulyan_selection(x, self.f), x.shape[-2] - 4 * self.f)


def bulyan_selection(x: Any, f: int) -> Any:
    """Krum's choice n − 2f times, for one run of NumPy messages (n, d) or a stack of them."""
    if x.ndim > 2:
        return np.stack([bulyan_selection(run, f) for run in x])
    remaining, selected = x, []
    for _ in range(x.shape[0] - 2 * f):
        m = remaining.shape[0]
        chosen = krum_choice(remaining, others_of(remaining), max(m - f - 2, 1))[0]
        selected.append(chosen)
        where = int(np.argmax((remaining == chosen).all(axis=1)))
        remaining = np.delete(remaining, where, axis=0)
    return np.stack(selected)


def around_median(selected: Any, keep: int) -> Any:
    """The mean of the `keep` values of each coordinate nearest to its median."""
    ordered = np.sort(selected, axis=-2)
    nearest = np.argsort(np.abs(ordered - np.median(ordered, axis=-2, keepdims=True)), axis=-2, kind="stable")
    return np.mean(np.take_along_axis(ordered, nearest[..., :keep, :], axis=-2), axis=-2)


@dataclass(frozen=True)
class FaultyClipping(Rule):
    """What the wrong clipping rules share."""

    tau: float = 1.0

    @property
    def promises(self) -> Promises:
        return Promises(scale=False)

    def breakdown(self, n: int) -> int:
        return n

    def init(self, x):
        return namespace(x).zeros((*x.shape[:-2], x.shape[-1]), dtype=x.dtype)

    def clipped(self, x, centre):
        xp = namespace(x)
        away = x - centre[..., None, :]
        norms = row_norms(away)
        factor = self.tau / xp.maximum(norms, self.tau * xp.ones_like(norms))
        return away * factor[..., None], norms <= self.tau


class DividesByTheUnclipped(FaultyClipping):
    """Centered clipping whose sum is divided by how many messages were not clipped."""

    def combine(self, x, state, rng):
        xp = namespace(x)
        moves, inside = self.clipped(x, state)
        count = xp.sum(xp.astype(inside, x.dtype), axis=-1, keepdims=True)
        y = state + xp.sum(moves, axis=-2) / xp.maximum(count, xp.ones_like(count))
        return y, y


class RecentresOnTheMean(FaultyClipping):
    """Centered clipping around the mean of the messages instead of the last aggregate."""

    def combine(self, x, state, rng):
        centre = mean(x)
        y = centre + mean(self.clipped(x, centre)[0])
        return y, y


@dataclass(frozen=True)
class SquaredSmoothing(Faulty):
    """RFA with the weights 1/max(ν, ‖·‖²)."""

    nu: float = 0.1
    steps: int = 3

    def reduce(self, x):
        xp = namespace(x)
        z = xp.zeros_like(x[..., 0, :])
        for _ in range(self.steps):
            norms = row_norms(x - z[..., None, :])
            weights = 1 / xp.maximum(norms**2, self.nu * xp.ones_like(norms))
            z = xp.sum(x * weights[..., None], axis=-2) / xp.sum(weights, axis=-1, keepdims=True)
        return z


@dataclass(frozen=True)
class StartsAtTheMean(SquaredSmoothing):
    """RFA that starts from the mean instead of the origin."""

    def reduce(self, x):
        xp = namespace(x)
        z = mean(x)
        for _ in range(self.steps):
            norms = row_norms(x - z[..., None, :])
            weights = 1 / xp.maximum(norms, self.nu * xp.ones_like(norms))
            z = xp.sum(x * weights[..., None], axis=-2) / xp.sum(weights, axis=-1, keepdims=True)
        return z


class OneWeiszfeldStep(Faulty):
    """The geometric median after one Weiszfeld step from the mean."""

    def reduce(self, x):
        xp = namespace(x)
        rows, _ = finite_rows(x)
        norms = row_norms(rows - mean(rows)[..., None, :])
        weights = 1 / xp.maximum(norms, 1e-12 * xp.ones_like(norms))
        return xp.sum(rows * weights[..., None], axis=-2) / xp.sum(weights, axis=-1, keepdims=True)
