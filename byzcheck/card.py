"""An audit of one rule at one (n, f): its contracts, constants, bias and cost, and which theorems then hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from byzcheck.audit import Line, TookTooLong, measured, times, within
from byzcheck.facts import Budget, Facts
from byzcheck.guarantees import Guarantee, guarantees
from byzcheck.radius import fitting_rho, prescribe, proved_c
from sims.aggregators import CenteredClipping, FunctionRule, Rule, as_rule
from sims.aggregators.rule import declared, required
from sims.backend import Array, backend_name, namespace
from sims.checked import whole
from sims.checks.clipping_at import search_c_at_radius
from sims.checks.evidence import Evidence, Kind
from sims.contracts import Examined, Violation
from sims.contracts.search import Search, owed_somewhere
from sims.owned import as_always, told
from theory.beyond_exact_constants.known import constants_of
from theory.beyond_exact_constants.proved import Known
from theory.definition_c_robust_aggregator.constants import centred_floor

SECONDS = 60.0  # for one contract, one measurement or the constants
PATIENCE = 2  # contracts that may take too long before the others are given up
LARGE = 60  # workers from which on constants are searched less
DAMAGE = ("NaN, ±∞, huge", "denormal")  # lines of measurements
ROUGHLY = {"κ": 1e-9, "c": 1e-4}  # relative: laws on two values are searched on a grid
DECISIVE = ("answers", "contracts", "κ", "c")


@dataclass(frozen=True)
class Card:
    """What was found of a rule with n workers of which f are Byzantine.

    `lines` are the card, what matters most first; `contracts` every contract with what breaks it; `theorems` what the
    paper then guarantees.
    """

    name: str
    n: int
    f: int
    lines: tuple[Line, ...]
    contracts: tuple[Examined, ...] = ()
    theorems: tuple[Guarantee, ...] = ()

    @property
    def title(self) -> str:
        """The rule and the numbers of workers."""
        return f"{self.name} at n = {self.n}, f = {self.f}"

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The numbers behind the lines."""
        return tuple(item for line in self.lines for item in line.evidence)

    @property
    def flawed(self) -> bool:
        """Whether it does not answer, breaks its promises, or is not robust against f.

        A bias without attackers is none of these: every robust rule has one somewhere. Nor is what a NaN does: if the
        rule promises something of it, there is a contract.
        """
        judged = [line for line in self.lines if line.about not in DAMAGE]
        refuted = any(item.verdict == "refuted" for line in judged for item in line.evidence)
        return refuted or any(line.good is False and line.about in DECISIVE for line in judged)


def card_of(
    rule: Rule | Callable[[Any], Any],
    n: int,
    f: int,
    seed: int = 0,
    like: Array | None = None,
    budget: Budget | None = None,
    seconds: float = SECONDS,
    begins: Callable[[str], object] = lambda name: None,
) -> Card:
    """Audit `rule` with n workers of which f are Byzantine, on messages like the array `like` (NumPy's float64).

    Contracts are searched for messages that break them (`sims.contracts`), κ* and c* are what is known and what a
    search finds (`theory.beyond_exact_constants`), the rest is measured (`byzcheck.audit`); each part has so many
    `seconds`, and a rule that raises, hangs or returns something else has a card that says so. `budget` is the problem
    for which the theorems' bounds are asked. `begins` is called with the name of each part. The same seed gives the
    same card, but for the clock's line.

    `rule` may be a plain function (n, d) → (d,). Raises `ValueError` unless 0 ≤ f < n/2 and the rule is defined for n.
    """
    n, f, seed = (whole("an audit", name, given) for name, given in (("n", n), ("f", f), ("seed", seed)))
    if seed < 0:
        raise ValueError(f"an audit needs seed ≥ 0, got seed = {seed}")
    if not 0 <= 2 * f < n:
        raise ValueError(f"an audit needs 0 ≤ f < n/2, got n = {n}, f = {f}")
    rule = as_rule(rule)
    required(rule, n)
    declared(rule, n)
    name = rule.name if isinstance(rule, FunctionRule) else type(rule).__name__
    found = list(measured(rule, n, f, seed, like, min(seconds, 30.0), begins))
    if found[0].good is False and len(found) == 1:
        return Card(name, n, f, tuple(found))
    with as_always():
        contracts, kept = _contracts(rule, n, seed, like, seconds, begins)
        begins("κ and c")
        constants, facts = _constants(rule, n, f, seed, like, seconds, _invariant(found)) if f else ([], None)
    theorems = guarantees(facts, budget) if facts else ()
    lines = [kept, *found[found[0].good is True :]]  # that it answers goes without saying
    place = next((k for k, line in enumerate(lines) if line.about == "breakdown point"), len(lines))
    return Card(name, n, f, (*lines[:place], *constants, *lines[place:]), contracts, theorems)


def _contracts(
    rule: Rule, n: int, seed: int, like: Array | None, seconds: float, begins: Callable[[str], object]
) -> tuple[tuple[Examined, ...], Line]:
    """What the search for broken contracts found, and its line."""
    found: list[Examined] = []
    unsettled: list[str] = []
    names = owed_somewhere(rule, n, 3)
    begun = partial(Search, rule, n, seed=seed, like=like)
    search: Search | None = None
    for name in names:
        begins(f"contracts: {name}")
        try:
            search = search or within(seconds, begun)
            found.append(within(seconds, partial(search.of, name)))
        except TookTooLong as late:
            unsettled.append(f"{name}, {late}")
            search = None  # it may have been in the middle of making its settings
            if not late.stopped or len(unsettled) == PATIENCE:
                break
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # an exit, too, is something that a rule does instead of answering
            found.append(Examined(name, 1, Violation(name, rule, f"the rule raised {told(error)}")))
            search = None
    broken = [one for one in found if one.violation is not None]
    tried = sum(one.tried for one in found)
    what = f"contracts broken of {len(names)}"
    late = f"; not settled: {'; '.join(unsettled)}" if unsettled else ""
    evidence = Evidence(what, len(broken), "<=", 0, "searched")
    if not broken:
        says = f"keeps {'all ' if not late else ''}{len(found)} contracts on {tried:,} sets of messages{late}"
        return tuple(found), Line("contracts", says, "searched", good=None if late else True, evidence=(evidence,))
    first = broken[0].violation
    says = f"breaks {len(broken)} of {len(names)} contracts: {', '.join(one.contract for one in broken)}{late}"
    against = f"{broken[0].contract}: {first.what}" if first else ""
    return tuple(found), Line("contracts", says, "searched", against, False, (evidence,), str(first))


def _invariant(lines: list[Line]) -> bool:
    return any(line.about == "permutation invariance, SGD" and line.good is True for line in lines)


def _constants(
    rule: Rule, n: int, f: int, seed: int, like: Array | None, seconds: float, invariant: bool
) -> tuple[list[Line], Facts | None]:
    """The lines of κ and c, and what theorems ask of the rule."""
    if isinstance(rule, CenteredClipping) and type(rule) is CenteredClipping:
        return _of_clipping(rule, n, f, invariant)
    try:
        backend = "numpy" if like is None else backend_name(namespace(like))
        sizes = {"budget": 2000} if n >= LARGE else {}
        known = within(seconds, lambda: constants_of(rule, n, f, seed=seed, backend=backend, **sizes))
    except TookTooLong as late:
        return [Line("κ", f"not searched: {late}", "searched")], Facts(n, f, invariant)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        return [Line("κ", f"not searched: the rule raised {told(error)}", "searched", good=False)], None
    lines = [_constant("κ", known.kappa, known.declared, f)]
    if known.c is not None:
        lines.append(_constant("c", known.c, known.declared, f))
    c = None if known.c is None else _bracket(known.c)
    return lines, Facts(n, f, invariant, kappa=_bracket(known.kappa), c=c)


def _bracket(known: Known) -> tuple[float, float | None]:
    low, high = float(known.lower), None if known.upper is None else float(known.upper)
    return low, None if high is None or math.isinf(high) else max(low, high)


def _constant(about: str, known: Known, declared: int, f: int) -> Line:
    """One constant beside the least that any rule can have."""
    low, least = float(known.lower), float(known.least)
    told_more = f" (told {declared})" if declared != f else ""
    if math.isinf(low):
        says = f"no {about} is enough{told_more}: {known.because}"
    elif known.exact:
        says = f"needs {about} = {low:.3g}{told_more}, and no more: {known.because}"
    else:
        top = "" if known.upper is None else f", and at most {float(known.upper):.3g}"
        says = f"needs {about} ≥ {low:.3g}{told_more}{top}: {known.because}"
    kinds: dict[str, Kind] = {"proved": "proved", "certified": "exact", "searched": "searched"}
    evidence = Evidence(f"{about} needed", low, ">=", least, kinds[known.lower_by], error=ROUGHLY[about] * least)
    how = "searched" if known.lower_by == "searched" else "proved"
    against = f"{times(low / least)} the best possible, {least:.3g}"
    return Line(about, says, how, against, False if math.isinf(low) else None, (evidence,))


def _of_clipping(rule: CenteredClipping, n: int, f: int, invariant: bool) -> tuple[list[Line], Facts]:
    """The c of clipping with its τ, where honest messages are as far apart as that τ is for."""
    delta = f / n
    tau = float(max(rule.tau)) if isinstance(rule.tau, tuple) else float(cast(float, rule.tau))
    rho = fitting_rho(tau, delta) if 0 < tau < math.inf else 1.0
    c = search_c_at_radius(rule, n, f, rho).c
    proved = proved_c(rule, delta, rho, rho)
    floor = centred_floor(n, f)
    prescribed = prescribe(delta, 1.0).tau[0]
    top = "" if proved is None else f", and at most {proved:.3g} is proved"
    says = f"needs c ≥ {c:.3g}{top}, where honest messages are ρ = {rho:.3g} apart; prescribed is τ = {prescribed:.3g}ρ"
    evidence = Evidence("c needed", c, ">=", floor, "searched", error=1e-4 * floor)
    against = f"{times(c / floor)} the best possible, {floor:.3g}; a fixed τ has no c for all ρ"
    line = Line("c", says, "searched", against, False if math.isinf(c) else None, (evidence,))
    facts = Facts(n, f, invariant, c=(c, None if proved is None else max(c, proved)), clipping=rule, rho=rho, start=rho)
    return [line], facts
