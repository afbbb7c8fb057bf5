"""An audit of one rule at one (n, f): the contracts it keeps, and the constants it needs beside what any rule needs."""

from __future__ import annotations

import numpy as np

from sims.aggregators import Rule, StatelessRule
from sims.checks.two_point import needed
from sims.contracts import contracts_for
from theory.needed_constants import finite_floor, population_floor
from theory.statement import Evidence


def audit(rule: Rule, n: int, f: int, seed: int = 0) -> tuple[str, list[Evidence]]:
    """Measure `rule` with n workers of which f are Byzantine: a title and the evidence.

    First the contracts of `sims.contracts` that its promises imply. Then, for f ≥ 1, the c of Definition C and the κ of
    (f, κ)-robustness that laws on two values show it to need, lower bounds of the true constants: beside Theorem III's
    floors for this n and for all n, and the least κ = f/(n − 2f) (Allouah et al. 2023). An infinite c means an error
    where all honest messages agree. A rule with a state starts from its initial one: the origin, for centered clipping.

    Raises `ValueError` unless 0 ≤ f < n/2 and the rule is defined for n.
    """
    if not 0 <= 2 * f < n:
        raise ValueError(f"an audit needs 0 ≤ f < n/2, got n = {n}, f = {f}")
    rule.require(n)
    start = "" if isinstance(rule, StatelessRule) else ", from its initial state"
    evidence = [_contracts(rule, n, seed)]
    if f:
        found = needed(rule, n, f)
        at = f"(P(1) = {found.law.p:.3g} for {found.law.m} workers, {found.law.q:.3g} for the others)"
        floors = ((finite_floor(n, f), f"at n = {n}"), (population_floor(f / n), "for all n"))
        evidence += [
            Evidence(f"c needed {at}, floor of any rule {name}", found.c, ">=", floor, "searched", error=1e-4)
            for floor, name in floors
        ]
        what = f"κ needed ({found.ones} of {n - f} honest ones), floor of any rule"
        evidence.append(Evidence(what, found.kappa, ">=", f / (n - 2 * f), "searched", error=1e-9))
    return f"{type(rule).__name__} at n = {n}, f = {f}{start}", evidence


def _contracts(rule: Rule, n: int, seed: int) -> Evidence:
    x = np.random.Generator(np.random.Philox(seed)).normal(size=(2, n, 2))
    broken, names = [], []
    for name, check in contracts_for(rule, n):
        names.append(name)
        try:
            check(rule, x)
        except AssertionError:
            broken.append(name)
    what = f"contracts broken of {len(names)}" + (f": {', '.join(broken)}" if broken else "")
    return Evidence(what, len(broken), "<=", 0, "sampled")
