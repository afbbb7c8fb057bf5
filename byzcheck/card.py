"""An audit of one rule at one (n, f): the contracts it keeps, and the constants it needs beside what any rule needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.aggregators import CenteredClipping, FunctionRule, Rule, as_rule
from sims.checked import whole
from sims.checks.centered import search_c_of_clipping
from sims.checks.draws import Draws
from sims.checks.evidence import Evidence
from sims.checks.two_point import Law, needed
from sims.contracts import contracts_for
from sims.owned import as_always, told
from theory.definition_c_robust_aggregator.constants import centred_floor, finite_floor, paper_radius, population_floor


@dataclass(frozen=True)
class Card:
    """What was measured of a rule with n workers of which f are Byzantine."""

    name: str
    n: int
    f: int
    evidence: tuple[Evidence, ...]

    @property
    def title(self) -> str:
        """The rule and the numbers of workers."""
        return f"{self.name} at n = {self.n}, f = {self.f}"


def card_of(rule: Rule | Callable[[Any], Any], n: int, f: int, seed: int = 0) -> Card:
    """Measure `rule` with n workers of which f are Byzantine.

    First the contracts of `sims.contracts` that its promises imply. Then, for f ≥ 1, the c of Definition C and the κ of
    (f, κ)-robustness that laws on two values show it to need, lower bounds of the true constants, beside Theorem III's
    floor for this n and the least κ = f/(n − 2f) (Allouah et al. 2023). An infinite c means an error where all honest
    messages agree. Centered clipping has no c without a centre and a radius that fits ρ: it is measured with Theorem
    IV's radius from the worst centre with E‖v_0 − x̄‖² ≤ ρ², and has no κ. A rule that raises, or exits, breaks the
    contract that is tried.

    `rule` may be a plain function (n, d) → (d,). Raises `ValueError` unless 0 ≤ f < n/2 and the rule is defined for n
    and answers ordinary messages.
    """
    n, f, seed = (whole("an audit", name, given) for name, given in (("n", n), ("f", f), ("seed", seed)))
    if seed < 0:
        raise ValueError(f"an audit needs seed ≥ 0, got seed = {seed}")
    if not 0 <= 2 * f < n:
        raise ValueError(f"an audit needs 0 ≤ f < n/2, got n = {n}, f = {f}")
    rule = as_rule(rule)
    rule.require(n)
    name = rule.name if isinstance(rule, FunctionRule) else type(rule).__name__
    x = np.random.Generator(np.random.Philox(seed)).normal(size=(2, n, 2))
    with as_always():
        try:
            rule.aggregate(x.copy(), None, Draws("audit", x))
        except (ValueError, KeyboardInterrupt):
            raise
        except BaseException as error:  # an exit, too, is something that a rule does instead of answering
            raise ValueError(f"{name} answers no ordinary messages: it raised {told(error)}") from error
        evidence = [_contracts(rule, n, x)]
        if f:
            try:
                evidence += _constants(rule, n, f)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                failed = f"calls that failed where constants are searched: {told(error)}"
                evidence.append(Evidence(failed, 1, "<=", 0, "sampled"))
    return Card(name, n, f, tuple(evidence))


def _constants(rule: Rule, n: int, f: int) -> list[Evidence]:
    if isinstance(rule, CenteredClipping):
        c, law = search_c_of_clipping(n, f, paper_radius)
        return [_needed_c(c, law, n, f, centred_floor(n, f), "; one step, Theorem IV's radius, worst centre")]
    found = needed(rule, n, f)
    what = f"κ needed ({found.ones} of {n - f} honest messages are 1), least of any rule"
    kappa = Evidence(what, found.kappa, ">=", f / (n - 2 * f), "searched", error=1e-9)
    what = "error² left where all honest messages agree (above 0 no c is enough)"
    agreement = Evidence(what, found.agreement, "<=", 1e-20, "searched")
    return [agreement, _needed_c(found.c, found.law, n, f, finite_floor(n, f)), kappa]


def _needed_c(c: float, law: Law, n: int, f: int, floor: float, setting: str = "") -> Evidence:
    others = f", for {law.m} of {n - f} workers {law.p:.3g}" if law.m else ""
    floors = f"floor of any rule at n = {n} (for all n: {population_floor(f / n):.3g})"
    what = f"c needed (P(1) = {law.q:.3g}{others}{setting}), {floors}"
    return Evidence(what, c, ">=", floor, "searched", error=1e-4)


def _contracts(rule: Rule, n: int, x: np.ndarray) -> Evidence:
    broken, names = [], []
    for name, check in contracts_for(rule, n):
        names.append(name)
        try:
            check(rule, x)
        except AssertionError as error:
            broken.append(name if error.__cause__ is None else f"{name} ({error.__cause__})")
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            broken.append(f"{name} (raised {told(error)})")
    what = f"contracts broken of {len(names)}" + (f": {', '.join(broken)}" if broken else "")
    return Evidence(what, len(broken), "<=", 0, "sampled")
