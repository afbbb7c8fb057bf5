"""What is known of κ* and c* of a rule at (n, f): from below, from above, and how each was obtained."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from sims.aggregators import CenteredClipping, CoordinateMedian, Mean, TrimmedMean
from sims.aggregators.krum import VARIANTS
from sims.aggregators.rule import FunctionRule, Rule, as_rule, declared
from sims.backend import Array
from sims.checked import whole
from sims.owned import ours
from theory.beyond_exact_constants import formulas
from theory.beyond_exact_constants.krum import certified
from theory.beyond_exact_constants.search import search

By = Literal["proved", "certified", "searched"]
Value = Fraction | float
CERTIFIED_TO = 40  # workers, of Krum: seconds


@dataclass(frozen=True)
class Known:
    """A constant between `lower` and `upper`, None where nothing is known from above, with how each was obtained.

    "proved": a formula with its derivation (`formulas.py`); "certified": a number that was computed and checked in
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


@dataclass(frozen=True)
class Constants:
    """κ* and c* of a rule that was told `declared` ≥ f, with n workers of which f are Byzantine.

    c* is None at f = 0, and of centered clipping, whose c depends on its centre (`sims.checks.centered`).
    `least_declared`: the least κ* of all rules that bear as many as were declared. `messages`: the n messages, honest
    first, on which the searched lower side of κ was found, if it was.
    """

    name: str
    n: int
    f: int
    declared: int
    kappa: Known
    c: Known | None
    least_declared: Fraction
    published: Fraction | None
    messages: np.ndarray | None = None

    @property
    def loose(self) -> float:
        """How many times the published κ is above what the rule needs, NaN where none is published."""
        return float(self.published / self.kappa.lower) if self.published and self.kappa.lower else math.nan


def name_of(rule: Rule) -> str:
    """The rule as people write it: `ARC(TrimmedMean)`, `Krum (byzfl)`."""
    if isinstance(rule, FunctionRule):
        return rule.name
    inner, variant = getattr(rule, "rule", None), getattr(rule, "variant", "paper")
    name = type(rule).__name__ + (f"({name_of(inner)})" if isinstance(inner, Rule) else "")
    return name if variant == "paper" else f"{name} ({variant})"


def declared_of(rule: Rule, n: int) -> int:
    """The f that a rule was told, or the number of messages that it bears if it was told none; less than n/2."""
    told = getattr(rule, "f", None)
    if isinstance(told, int) and not isinstance(told, bool):
        return told
    return min(declared(rule, n)[1], (n - 1) // 2)


def _exact(value: Value, because: str, by: By = "proved") -> Known:
    return Known(value, by, value, by, because)


def _never(because: str) -> Known:
    return _exact(math.inf, because)


def _from_declared(n: int, f: int, F: int, at_declared: Value, because: str) -> Known:
    """What κ*(F, F) ≤ `at_declared` says of fewer attackers."""
    upper = formulas.over_declared(n, f, F, at_declared)
    return Known(formulas.least(n, f, F), "proved", upper, "proved", because)


def _mean(rule: Any, n: int, f: int) -> Known:
    return (
        _exact(Fraction(0), "without attackers it is the mean") if f == 0 else _never("one message moves it anywhere")
    )


def _trimmed_mean(rule: Any, n: int, f: int) -> Known:
    if rule.f < f:
        return _never("told fewer than there are: one message moves it anywhere")
    return _exact(formulas.trimmed_mean(n, f, rule.f), "the two groups that trimming makes")


def _coordinate_median(rule: Any, n: int, f: int) -> Known:
    return _exact(formulas.coordinate_median(n, f), "the trimmed mean of F = ⌈n/2⌉ − 1")


def _geometric_median(rule: Any, n: int, f: int) -> Known:
    return _exact(formulas.geometric_median(n, f), "unit vectors that cancel" + ("" if n % 2 else "; d ≥ 2"))


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


def _chosen(formula: Callable[[int, int], Fraction], because: str) -> Callable[[Any, int, int], Known | None]:
    """A rule that averages n − F messages, of which κ*(F, F) is known."""

    def known(rule: Any, n: int, f: int) -> Known | None:
        if rule.f < f:
            return None
        if rule.f == 0:
            return _mean(rule, n, f)
        if rule.f == f:
            return _exact(formula(n, f), because)
        return _from_declared(n, f, rule.f, formula(n, rule.f), "κ at the declared F, and n − F drawn of the honest")

    return known


def _norms(rule: Any, n: int, f: int) -> Known | None:
    return _never("n − f equal messages, and f shorter ones of the opposite sign") if f else None


def _mixing(rule: Any, n: int, f: int) -> Known | None:
    F, inner = rule.f, proved(rule.rule, n, rule.f)
    if f > F or inner is None or inner.upper is None or math.isinf(inner.upper):
        return None
    if F == 0:
        return _mean(rule, n, f)
    lower, upper = formulas.mixing_at_least(n, f, F), formulas.mixing_at_most(n, F, inner.upper)
    return Known(
        lower, "proved", formulas.over_declared(n, f, F, upper), "proved", "what mixing leaves of the variance"
    )


def _arc(rule: Any, n: int, f: int) -> Known | None:
    F, inner = rule.f, proved(rule.rule, n, f)
    if f and type(rule.rule) is Mean:
        return _never("messages of one length are not shortened")
    if f > F or inner is None or inner.upper is None or math.isinf(inner.upper):
        return None
    upper = formulas.clipped_at_most(n, f, F, inner.upper)
    if isinstance(rule.rule, TrimmedMean | CoordinateMedian):
        return _exact(upper, "what shortening takes from the variance, and trimming; attained in d ≥ n − f")
    return Known(formulas.least(n, f, F), "proved", upper, "proved", "what shortening takes from the variance")


def _clipping(rule: Any, n: int, f: int) -> Known | None:
    if np.all(np.isinf(np.asarray(rule.radius, dtype=float))):
        return proved(rule.rule, n, f)
    return _never("equal messages longer than the radius come out shortened")


def _centred(rule: Any, n: int, f: int) -> Known | None:
    return _never("equal messages far from the centre are not reached: it needs a centre, and a radius that fits")


def _smoothed(rule: Any, n: int, f: int) -> Known | None:
    return _never("a few steps from 0 do not arrive at equal messages") if f else None


PROVED: dict[str, Callable[[Any, int, int], Known | None]] = {
    "Mean": _mean,
    "TrimmedMean": _trimmed_mean,
    "CoordinateMedian": _coordinate_median,
    "GeometricMedian": _geometric_median,
    "Krum": _krum,
    "MultiKrum": _multi_krum,
    "SMEA": _chosen(formulas.minimum_variance, "variance between the groups"),
    "MDA": _chosen(formulas.minimum_diameter, "one honest message makes the diameter"),
    "Meamed": _chosen(formulas.mean_around_median, "no farther from the median than who is left out"),
    "Phocas": _chosen(formulas.mean_around_trimmed_mean, "no farther from the trimmed mean than who is left out"),
    "MoNNA": _chosen(formulas.mean_around_pivot, "no farther from the honest pivot than who is left out"),
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


def constants_of(
    rule: Rule | Callable[[Array], Array],
    n: int,
    f: int,
    *,
    seed: int = 0,
    budget: int = 12000,
    backend: str = "numpy",
) -> Constants:
    """What is known of κ* and c* of a rule with n workers, f of them Byzantine, f ≤ what it was told.

    κ* = sup ‖AGG − x̄‖²/v over all messages, x̄ and v the mean and the variance of the n − f honest ones; c* likewise
    of Definition C, E‖AGG − x̄‖² ≤ cδρ². Where formulas leave a gap, and for a rule of somebody's own, the lower side
    is what `search` finds, by about `budget` evaluations of one run on `backend`. From above c* ≤ κ*·n(g − 1)/(2gf).

    Raises `ValueError` unless 0 ≤ f < n/2, n ≥ 3, `budget` ≥ 200, and the rule is defined for n.

    >>> from sims.aggregators import GeometricMedian
    >>> constants_of(GeometricMedian(), 25, 5).kappa.upper
    Fraction(3, 2)
    """
    rule, n, f = as_rule(rule), whole("constants_of", "n", n, least=3), whole("constants_of", "f", f, least=0)
    if 2 * f >= n:
        raise ValueError(f"the constants are defined for f < n/2, got n = {n}, f = {f}")
    budget, seed = whole("constants_of", "budget", budget, least=200), whole("constants_of", "seed", seed, least=0)
    rule.require(n)
    F = max(declared_of(rule, n), f)
    kappa, messages = proved(rule, n, f), None
    least = formulas.least(n, f, f)
    if kappa is None or not (kappa.exact or kappa.lower_by == "certified"):
        kappa = kappa or Known(least, "proved", because="n − f equal messages may be the honest ones")
        kappa, messages = _searched(rule, n, f, kappa, seed, budget, backend)
    kappa = replace(kappa, least=least)
    published = formulas.published(type(rule).__name__, n, f) if ours(rule) and getattr(rule, "f", f) == f else None
    c = _c(rule, n, f, kappa, backend)
    return Constants(name_of(rule), n, f, F, kappa, c, formulas.least(n, f, F), published, messages)


def _searched(
    rule: Rule, n: int, f: int, known: Known, seed: int, budget: int, backend: str
) -> tuple[Known, np.ndarray | None]:
    """What is known, with the search's lower side where that is the larger one."""
    slow = "GeometricMedian" in name_of(rule)
    found = search(
        rule, n, f, seed=seed, budget=min(budget, 1500) if slow else budget, backend=backend, spread=not slow
    )
    if found.value <= known.lower:
        return known, None
    because = "the worst found" + ("" if known.upper is None else f"; from above {known.because}")
    return replace(known, lower=found.value, lower_by="searched", because=because), found.messages


def _c(rule: Rule, n: int, f: int, kappa: Known, backend: str) -> Known | None:
    """c*: from below by laws on two values, from above by κ*."""
    from sims.checks.two_point import needed
    from theory.definition_c_robust_aggregator.constants import finite_floor

    if f == 0 or type(rule) is CenteredClipping:  # which has a c if it is given a centre and a radius
        return None
    floor = finite_floor(n, f)
    if kappa.upper is not None and math.isinf(kappa.upper):
        return replace(_never("it errs, or is unbounded, at ρ = 0"), least=floor)
    lower = needed(rule, n, f, backend).c
    upper = None if kappa.upper is None else formulas.definition_c(n, f, kappa.upper)
    because = "laws on two values" + ("" if upper is None else "; κ* and E v ≤ (ρ²/2)(g − 1)/g")
    return Known(lower, "searched", upper, None if upper is None else "proved", because, floor)
