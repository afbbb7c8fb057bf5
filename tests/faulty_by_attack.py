"""Rules that some messages carry away although they claim otherwise, and means that are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faulty
import numpy as np
from faulty_users import Own, Zoo, apart, by_value, lengths, middle, rows, trimmed, weiszfeld

from sims.aggregators import Promises, StatelessRule

ZOO = Zoo()
ZOO.known("majority", "gross", faulty.TrimsTheTopOnly)
ZOO.known("boundedness", "gross", faulty.MeanThatClaimsRobustness)
ZOO.known("boundedness", "gross", faulty.MultiKrumTakesAll)
ZOO.known("boundedness", "gross", faulty.RecentresOnTheMean)
ZOO.known("boundedness", "subtle", faulty.KrumCountsItself, why="At n = 2f + 1 colluders have all the neighbours.")
ZOO.known("non-finite", "gross", faulty.SortsNaNFirst)
ZOO.known("non-finite", "gross", faulty.NaNPoisonsMedian)
ZOO.known("mean", "gross", faulty.TrimmedMeanThatClaimsTheMean)
ZOO.known("propagation", "gross", faulty.HidesNaN)


@ZOO.rule("majority", "subtle")
def the_scale_of_its_weights_is_a_mean(x: Any, f: int) -> Any:
    """Who is far from the median counts less, in units of the mean distance, which goes wherever the farthest goes."""
    far = lengths(x - middle(x)[..., None, :])
    unit = np.mean(far, axis=-1, keepdims=True)
    weights = 1 / (1 + (far / np.where(unit > 0, unit, 1)) ** 2)
    return np.sum(weights[..., None] * x, axis=-2) / np.sum(weights, axis=-1, keepdims=True)


@ZOO.rule("majority", "subtle")
def drops_duplicates(x: Any, f: int) -> Any:
    """The median of different values: a message that is there twice counts once."""
    ordered = np.sort(x, axis=-2)
    again = ordered[..., 1:, :] == ordered[..., :-1, :]
    new = np.concatenate([np.ones_like(ordered[..., :1, :], dtype=bool), ~again], axis=-2)
    count = np.sum(new, axis=-2, keepdims=True)
    ordered = np.sort(np.where(new, ordered, np.inf), axis=-2)
    low, high = (np.take_along_axis(ordered, k // 2, axis=-2)[..., 0, :] for k in (count - 1, count))
    return (low + high) / 2


@ZOO.rule("boundedness", "subtle")
def trims_one_too_few(x: Any, f: int) -> Any:
    """It trims f − 1 where it declares f."""
    return trimmed(x, max(f - 1, 0), max(f - 1, 0)) if x.shape[-2] > 2 * f else middle(x)


@ZOO.made("boundedness", "subtle")
@dataclass(frozen=True)
class HalfOfTheMedian(StatelessRule):
    """The median declares n/2, one too many for even n."""

    f: int
    promises = Promises()

    def breakdown(self, n: int) -> int:
        return n // 2

    def reduce(self, x: Any) -> Any:
        return middle(x)


@ZOO.rule("boundedness", "subtle")
def averages_one_too_many(x: Any, f: int) -> Any:
    """Multi-Krum over the n − f + 1 lowest scores."""
    n = x.shape[-2]
    scores = np.sum(np.sort(apart(x), axis=-1)[..., : max(n - f - 1, 1)], axis=-1)
    return np.mean(rows(x, by_value(x, scores)[..., : n - max(f, 1) + 1]), axis=-2)


@ZOO.rule("boundedness", "subtle")
def leaks_a_billionth(x: Any, f: int) -> Any:
    """The median, and a billionth of the mean."""
    y = middle(x)
    return y + 1e-9 * (np.mean(x, axis=-2) - y)


@ZOO.rule("boundedness", "subtle")
def mean_of_few(x: Any, f: int) -> Any:
    """Up to four workers are too few to be robust, it says, and averages them."""
    return np.mean(x, axis=-2) if x.shape[-2] <= 4 else middle(x)


@ZOO.rule("boundedness", "subtle")
def mean_of_two_f_plus_one(x: Any, f: int) -> Any:
    """At n = 2f + 1 it thinks that nothing is left to average when it has trimmed, and does not trim."""
    n = x.shape[-2]
    return trimmed(x, f, f) if n > 2 * f + 1 else np.mean(x, axis=-2)


@ZOO.rule("boundedness", "subtle")
def squares_overflow(x: Any, f: int) -> Any:
    """Weights in units of the least squared distance from the median; where squares overflow, ∞/∞ comes out."""
    far = np.sum((x - middle(x)[..., None, :]) ** 2, axis=-1)
    largest = np.max(far, axis=-1, keepdims=True, initial=0)
    near = far / np.where(largest > 0, largest, 1)
    kept = near <= np.median(near, axis=-1, keepdims=True)
    return np.sum(np.where(kept[..., None], x, 0), axis=-2) / np.sum(kept.astype(x.dtype), axis=-1, keepdims=True)


@ZOO.rule("boundedness", "subtle")
def one_step_from_the_mean(x: Any, f: int) -> Any:
    """The geometric median after one Weiszfeld step: weights fall with the distance, but from the mean."""
    return weiszfeld(x, np.mean(x, axis=-2))


@ZOO.made("boundedness", "subtle")
def closest_pair(n: int, f: int) -> Any:
    """The mean of the two messages nearest to each other: two colluders are as near as they like."""

    def mean_of_the_closest(x: Any, f: int) -> Any:
        n = x.shape[-2]
        far = np.where(np.eye(n, dtype=bool), np.inf, apart(np.where(np.isfinite(x), x, 1e100)))
        first = by_value(x, np.min(far, axis=-1))[..., :1]
        second = by_value(x, np.take_along_axis(far, first[..., None], axis=-2)[..., 0, :])[..., :1]
        return (rows(x, first) + rows(x, second))[..., 0, :] / 2

    return Own(max(f, 2), does=mean_of_the_closest, claims=Promises(), robust=True)


@ZOO.rule("boundedness", "gross")
def keeps_the_longest(x: Any, f: int) -> Any:
    """It sorts by the distance from the median and leaves out the wrong end."""
    far = lengths(x - middle(x)[..., None, :])
    return np.mean(rows(x, by_value(x, far)[..., f:]), axis=-2)


class Bounded(Own):
    """It says that its output is no longer than the longest honest message."""

    def bound(self, n: int, reach: float) -> float:
        return reach


@ZOO.made("boundedness", "gross")
def sums_what_it_bounds(n: int, f: int) -> Any:
    """Comparative gradient elimination with the published sum, and a bound for the average."""

    def sum_of_the_shortest(x: Any, f: int) -> Any:
        return np.sum(rows(x, by_value(x, lengths(x))[..., : x.shape[-2] - f]), axis=-2)

    return Bounded(f, does=sum_of_the_shortest, claims=Promises(translation=False, agreement=False), robust=True)


@ZOO.made("boundedness", "subtle")
@dataclass(frozen=True)
class TwoStepsWithTheBoundOfOne(StatelessRule):
    """It clips to a radius around the origin and then around what it found, and declares the first radius as bound."""

    f: int
    promises = Promises(translation=False, scale=False, agreement=False)

    def breakdown(self, n: int) -> int:
        return n

    def bound(self, n: int, reach: float) -> float:
        return 0.125

    def reduce(self, x: Any) -> Any:
        y = np.zeros_like(x[..., 0, :])
        for _ in range(2):
            away = np.where(np.isfinite(x), x, np.sign(np.nan_to_num(x, nan=1.0)) * 1e100) - y[..., None, :]
            away = away.astype(x.dtype)
            unit = np.max(np.abs(away), axis=-1, keepdims=True, initial=0)
            unit = np.where(unit > 0, unit, 1)
            far = lengths(away / unit)[..., None] * unit
            y = y + np.mean(away * np.minimum(1, 0.125 / np.where(far > 0, far, 1)), axis=-2)
        return y


@ZOO.rule("non-finite", "gross")
def nan_is_zero(x: Any, f: int) -> Any:
    """Missing values count as zero."""
    return middle(np.where(np.isnan(x), np.zeros_like(x), x))


@ZOO.rule("non-finite", "subtle")
def ignores_nan(x: Any, f: int) -> Any:
    """The median of what is not missing: who sends a NaN does not count, who sends ∞ does."""
    known = ~np.isnan(x)
    ordered, count = np.sort(x, axis=-2), np.sum(known, axis=-2)[..., None, :]
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-2)
    high = np.take_along_axis(ordered, np.minimum(count // 2, x.shape[-2] - 1), axis=-2)
    return ((low + high) / 2)[..., 0, :]


@ZOO.rule("non-finite", "gross")
def raises_on_nan(x: Any, f: int) -> Any:
    """It takes a NaN for a mistake of the caller."""
    if np.any(np.isnan(x)):
        raise FloatingPointError("NaN among the messages")
    return middle(x)


@ZOO.rule("non-finite", "subtle")
def looks_at_the_first_coordinate(x: Any, f: int) -> Any:
    """Whose first coordinate is not finite is called far away; a NaN in another one is passed on."""
    lost = ~np.isfinite(x[..., :1])
    y = middle(np.where(lost, np.inf, x))
    return y + 0 * np.sum(np.where(lost | np.isinf(x), 0, x), axis=-2)


@ZOO.rule("non-finite", "subtle")
def finds_one_nan(x: Any, f: int) -> Any:
    """It looks for the first message with a NaN, and for no second one."""
    lost = np.any(np.isnan(x), axis=-1)
    first = lost & (np.cumsum(lost, axis=-1) == 1)
    rest = np.where(first[..., None] | np.isinf(x), 0, x)
    return middle(np.where(first[..., None], np.inf, x)) + 0 * np.sum(rest, axis=-2)


@ZOO.made("mean", "subtle")
@dataclass(frozen=True)
class MedianAtZero(StatelessRule):
    """A trimmed mean that is the mean at f = 0, it says, and is the median there."""

    f: int

    @property
    def promises(self) -> Promises:
        return Promises(mean=self.f == 0)

    def breakdown(self, n: int) -> int:
        return min(self.f, (n - 1) // 2)

    def reduce(self, x: Any) -> Any:
        return trimmed(x, self.f, self.f) if 0 < 2 * self.f < x.shape[-2] else middle(x)


@ZOO.rule("mean", "subtle", robust=False, mean=True)
def winsorises(x: Any, f: int) -> Any:
    """The mean of values cut off at twenty mean distances from the median of the coordinate."""
    m = middle(x)[..., None, :]
    far = 20 * middle(np.abs(x - m))[..., None, :]
    cut = np.where(far > 0, np.clip(x, m - far, m + far), x)
    return np.where(np.all(np.isfinite(x), axis=-2), np.mean(cut, axis=-2), np.mean(x, axis=-2))


@ZOO.rule("propagation", "subtle", robust=False, mean=True)
def hides_nan_alone(x: Any, f: int) -> Any:
    """The mean of what is not missing; infinities do show."""
    known = ~np.isnan(x)
    return np.sum(np.where(known, x, 0), axis=-2) / np.maximum(np.sum(known, axis=-2), 1).astype(x.dtype)


@ZOO.rule("propagation", "subtle", robust=False, mean=True)
def infinity_is_large(x: Any, f: int) -> Any:
    """Infinities are cut off at the largest number there is; a NaN does show."""
    most = np.finfo(x.dtype).max
    return np.mean(np.clip(x, -most, most), axis=-2)
