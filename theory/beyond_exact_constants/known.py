"""What is known of κ* and c* of a rule at (n, f): from below, from above, and how each was obtained."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from sims.aggregators import MDA, SMEA, CenteredClipping
from sims.aggregators.rule import FunctionRule, Rule, as_rule, declared
from sims.backend import Array, get_namespace
from sims.checked import whole
from sims.contracts.support import precision, tolerance
from sims.owned import ours
from theory.beyond_exact_constants import formulas
from theory.beyond_exact_constants.proved import Known, never, proved
from theory.beyond_exact_constants.search import search

CHOICES = 10**4  # of n − F messages, all of which MDA and SMEA look at: a search of more takes minutes


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
    if c is not None and math.isinf(c.lower) and kappa.upper is None:
        kappa = replace(never("an error is left where all honest messages agree"), least=least)
    return Constants(name_of(rule), n, f, F, kappa, c, formulas.least(n, f, F), published, messages)


def _searched(
    rule: Rule, n: int, f: int, known: Known, seed: int, budget: int, backend: str
) -> tuple[Known, np.ndarray | None]:
    """What is known, with the search's lower side where that is the larger one."""
    slow = "GeometricMedian" in name_of(rule)
    if isinstance(rule, MDA | SMEA) and math.comb(n, rule.f) > CHOICES and known.upper is not None:
        return replace(known, because=f"{known.because}; not searched: too many choices of n − F messages"), None
    found = search(
        rule, n, f, seed=seed, budget=min(budget, 1500) if slow else budget, backend=backend, spread=not slow
    )
    if found.value <= known.lower:
        return known, None
    because = "the worst found" + ("" if known.upper is None else f"; from above {known.because}")
    return replace(known, lower=found.value, lower_by="searched", because=because), found.messages


def _c(rule: Rule, n: int, f: int, kappa: Known, backend: str) -> Known | None:
    """c*: from below by laws on two values, from above by κ*."""
    from sims.checks.two_point import FORGIVEN, needed
    from theory.definition_c_robust_aggregator.constants import finite_floor

    if f == 0 or type(rule) is CenteredClipping:  # which has a c if it is given a centre and a radius
        return None
    floor = finite_floor(n, f)
    if kappa.upper is not None and math.isinf(kappa.upper):
        return replace(never("it errs, or is unbounded, at ρ = 0"), least=floor)
    x = get_namespace(backend).zeros((n, 1))
    forgiven = max(FORGIVEN, 64 * n * precision(rule, x) + 100 * tolerance(rule, x))
    lower = needed(rule, n, f, backend, forgiven).c
    upper = None if kappa.upper is None else formulas.definition_c(n, f, kappa.upper)
    because = "distributions on two values" + ("" if upper is None else "; κ* and E v ≤ (ρ²/2)(g − 1)/g")
    return Known(lower, "searched", upper, None if upper is None else "proved", because, floor)
