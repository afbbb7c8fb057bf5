"""κ* of the rules that are here, as far as formulas and certificates know it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from sims.aggregators import CoordinateMedian, Mean, Rule, TrimmedMean
from sims.aggregators.krum import VARIANTS
from sims.backend import host
from sims.owned import ours
from theory.beyond_exact_constants import formulas
from theory.beyond_exact_constants.krum import certified

By = Literal["proved", "certified", "searched"]
Value = Fraction | float
CERTIFIED_TO = 40  # workers, of Krum: seconds


@dataclass(frozen=True)
class Known:
    """A constant between `lower` and `upper`, None where nothing is known from above, with how each was obtained.

    "proved": a formula with its proof (`formulas.py`); "certified": a number that was computed and checked in
    rationals, from both sides; "searched": the worst that was found. `because` says it in words, `least` is what every
    rule needs.
    """

    lower: Value
    lower_by: By
    upper: Value | None = None
    upper_by: By | None = None
    because: str = ""
    least: Value = 0.0

    @property
    def exact(self) -> bool:
        """Whether both sides agree, to the 10⁻⁵ to which Krum is certified."""
        if self.upper is None or math.isinf(self.lower):
            return math.isinf(self.lower)
        return self.upper <= self.lower * (1 + Fraction(1, 10**5))

    @property
    def how(self) -> str:
        """How both sides were obtained, in two words at most."""
        both = self.lower_by if self.upper_by is None else f"{self.lower_by}, {self.upper_by}"
        return self.lower_by if self.upper_by == self.lower_by else both

    @property
    def times_least(self) -> float:
        """The lower side in units of the least possible; NaN where that is 0 or nothing is finite."""
        return float(self.lower / self.least) if 0 < self.least < math.inf and self.lower < math.inf else math.nan


def exactly(value: Value, because: str, by: By = "proved") -> Known:
    """Both sides at once."""
    return Known(value, by, value, by, because)


def never(because: str) -> Known:
    """No κ is enough."""
    return exactly(math.inf, because)


def _from_declared(n: int, f: int, F: int, at_declared: Value, because: str) -> Known:
    """What κ*(F, F) ≤ `at_declared` says of fewer attackers."""
    upper = formulas.over_declared(n, f, F, at_declared)
    return Known(formulas.least(n, f, F), "proved", upper, "proved", because)


def _mean(rule: Any, n: int, f: int) -> Known:
    return (
        exactly(Fraction(0), "without attackers it is the mean") if f == 0 else never("one message moves it anywhere")
    )


def _trimmed_mean(rule: Any, n: int, f: int) -> Known:
    if rule.f < f:
        return never("told fewer than there are: one message moves it anywhere")
    return exactly(formulas.trimmed_mean(n, f, rule.f), "the two groups that trimming makes")


def _coordinate_median(rule: Any, n: int, f: int) -> Known:
    return exactly(formulas.coordinate_median(n, f), "the trimmed mean of F = ⌈n/2⌉ − 1")


def _geometric_median(rule: Any, n: int, f: int) -> Known:
    return exactly(formulas.geometric_median(n, f), "unit vectors that cancel" + ("" if n % 2 else "; d ≥ 2"))


def _krum(rule: Any, n: int, f: int) -> Known | None:
    fewer, power = VARIANTS[rule.variant]
    neighbours = n - rule.f - fewer
    if power != 1 or rule.f < f:
        return None
    found = certified(n, f, neighbours) if n <= CERTIFIED_TO else None
    if found is not None:
        because = "a semidefinite programme, its dual checked in rationals; attained in d ≥ n − 1"
        return Known(found.lower, "certified", found.upper, "certified", because)
    upper = formulas.krum_at_most(n, f, neighbours)
    return Known(formulas.least(n, f, rule.f), "proved", upper, "proved", "scores against scores")


def _multi_krum(rule: Any, n: int, f: int) -> Known | None:
    fewer, power = VARIANTS[rule.variant]
    F = rule.f
    if power != 1 or f > F or rule.m not in (None, n - F):
        return None
    if F == 0:
        return _mean(rule, n, f)
    upper = formulas.multi_krum_at_most(n, F, fewer)
    if f < F:
        return _from_declared(n, f, F, upper, "scores against scores, and n − F drawn of the honest")
    lower = formulas.minimum_variance(n, f) if n >= 3 * f else formulas.least(n, f, F)
    return Known(lower, "proved", upper, "proved", "scores against scores")


def _bulyan(rule: Any, n: int, f: int) -> Known | None:
    if rule.f < f:
        return None
    if rule.f == 0:
        return _mean(rule, n, f)
    upper = formulas.bulyan_at_most(n, f, rule.f)
    because = "whatever is selected, a Byzantine value has an honest partner farther from the median"
    return Known(formulas.least(n, f, rule.f), "proved", upper, "proved", because)


def _chosen(formula: Callable[[int, int], Fraction], because: str) -> Callable[[Any, int, int], Known | None]:
    """A rule that averages n − F messages, of which κ*(F, F) is known."""

    def known(rule: Any, n: int, f: int) -> Known | None:
        if rule.f < f:
            return None
        if rule.f == 0:
            return _mean(rule, n, f)
        if rule.f == f:
            return exactly(formula(n, f), because)
        return _from_declared(n, f, rule.f, formula(n, rule.f), "κ at the declared F, and n − F drawn of the honest")

    return known


def _mean_around_pivot(rule: Any, n: int, f: int) -> Known | None:
    if rule.f < f:
        return None
    because = "no farther from the honest pivot than who is left out"
    return exactly(formulas.mean_around_pivot(n, f, rule.f), because)


def _norms(rule: Any, n: int, f: int) -> Known | None:
    return never("n − f equal messages, and f shorter ones of the opposite sign") if f else None


def _mixing(rule: Any, n: int, f: int) -> Known | None:
    F, inner = rule.f, proved(rule.rule, n, rule.f)
    if f > F or inner is None or inner.upper is None or math.isinf(inner.upper):
        return None
    if F == 0:
        return _mean(rule, n, f)
    lower, upper = formulas.mixing_at_least(n, f, F), formulas.mixing_at_most(n, F, inner.upper)
    if f < F and not rule.promises.permutation:  # the worker that it trusts need not be among those drawn
        return Known(lower, "proved", because="mixing makes n − F messages equal")
    return Known(
        lower, "proved", formulas.over_declared(n, f, F, upper), "proved", "what mixing leaves of the variance"
    )


def _arc(rule: Any, n: int, f: int) -> Known | None:
    F, inner = rule.f, proved(rule.rule, n, f)
    if f and type(rule.rule) is Mean:
        return never("messages of one length are not shortened")
    if f > F or inner is None or inner.upper is None or math.isinf(inner.upper):
        return None
    upper = formulas.clipped_at_most(n, f, F, inner.upper)
    if isinstance(rule.rule, TrimmedMean | CoordinateMedian):
        return exactly(upper, "what shortening takes from the variance, and trimming; attained in d ≥ n − f")
    return Known(formulas.least(n, f, F), "proved", upper, "proved", "what shortening takes from the variance")


def _clipping(rule: Any, n: int, f: int) -> Known | None:
    if np.all(np.isinf(np.asarray(rule.radius, dtype=float))):
        return proved(rule.rule, n, f)
    return never("equal messages longer than the radius come out shortened")


def _centred(rule: Any, n: int, f: int) -> Known | None:
    unclipped = [bool(np.all(np.isinf(host(tau)))) for tau in rule.radii]
    if any(unclipped):
        return _mean(rule, n, f) if f or unclipped[-1] else None
    return never("equal messages far from the centre are not reached: it needs a centre, and a radius that fits")


def _smoothed(rule: Any, n: int, f: int) -> Known | None:
    return never("a few steps from 0 do not arrive at equal messages") if f else None


PROVED: dict[str, Callable[[Any, int, int], Known | None]] = {
    "Mean": _mean,
    "TrimmedMean": _trimmed_mean,
    "CoordinateMedian": _coordinate_median,
    "GeometricMedian": _geometric_median,
    "Krum": _krum,
    "MultiKrum": _multi_krum,
    "Bulyan": _bulyan,
    "SMEA": _chosen(formulas.minimum_variance, "variance between the groups"),
    "MDA": _chosen(formulas.minimum_diameter, "one honest message makes the diameter"),
    "Meamed": _chosen(formulas.mean_around_median, "no farther from the median than who is left out"),
    "Phocas": _chosen(formulas.mean_around_trimmed_mean, "no farther from the trimmed mean than who is left out"),
    "MoNNA": _mean_around_pivot,
    "CGE": _norms,
    "NearestNeighbourMixing": _mixing,
    "ARC": _arc,
    "Clipping": _clipping,
    "CenteredClipping": _centred,
    "RFA": _smoothed,
}


def proved(rule: Rule, n: int, f: int) -> Known | None:
    """What formulas and certificates say of κ* of a rule of ours; None where nothing is known."""
    return PROVED[type(rule).__name__](rule, n, f) if ours(rule) and type(rule).__name__ in PROVED else None
