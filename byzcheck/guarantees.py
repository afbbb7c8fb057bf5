"""Which theorems of the paper, as corrected, apply to a rule of which certain facts are known, and what follows.

*Theorem II* binds every algorithm whose queries and output are functions of the rounds' multisets: a permutation
invariant rule, with a state or without, under SGD or server momentum. In one of two worlds with L = μ, f(x_0) − f* =
qσ²/(2L(1 − q)) ≤ F0, E‖∇f‖² = 2L·E[f − f*] is at least 2σ²·(1 − p)^T·q/(2(1 − q)) at the output and in the average over
T rounds: the worlds' errors at one point add up to a²/μ, and at each earlier round no more tail events can have been.

*Theorems VI′ and VII′* ask for E‖AGG − m̄_t‖² ≤ cδρ_t² on momenta that depend on each other. A rule that is (f,
κ)-robust, ‖AGG − x̄‖² ≤ κ·avg_G‖x_i − x̄‖² for every input, meets it whatever they depend on, with cδ = κ(g − 1)/(2g), as
avg_G‖x_i − x̄‖² = (1/2g²)Σ‖x_i − x_j‖² has mean ≤ ρ²(g − 1)/(2g). A c of Definition C alone speaks of independent
messages, and then that is what is missing. With a κ the whole theorem of `beyond_trimmed_mean` holds, too, whose
constants are smaller. What was only found, and not proved, gives the bound that would follow if
it were all: none is below it by these proofs.

The formulas are those of `theory`; here they are only put together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from byzcheck.facts import Budget, Facts
from byzcheck.radius import Prescription, fitting_rho, prescribe, proved_c
from sims.aggregators import CenteredClipping
from sims.owned import as_always
from theory.beyond_trimmed_mean import bound as whole
from theory.definition_c_robust_aggregator.constants import centred_floor, finite_floor
from theory.theorem_ii_lower_bound.constant import CONSTANT
from theory.theorem_ii_lower_bound.tails import SHARES, best_forced_error
from theory.theorem_vi_momentum.bound import best_step, zero_start
from theory.theorem_vii_mvr.bound import best_parameters, right_side

Applies = Literal["yes", "no", "if"]
OURS = "Worker momentum (ours)"
RARE = tuple(
    Fraction(1, 2**k) for k in range(3, 60)
)  # shares q·n/f beside the usual ones, for many rounds or a small F0


@dataclass(frozen=True)
class Guarantee:
    """A theorem, whether it applies ("if": what is `missing`), what it says here, its number, and what it prescribes.

    `bound` is of the quantity that `says` names, None where nothing follows or no `Budget` was given. `says_more` than
    that x never moves: the bound is below 2LF0.
    """

    theorem: str
    applies: Applies
    missing: str
    says: str
    bound: float | None = None
    prescribes: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    says_more: bool | None = None


def guarantees(facts: Facts, budget: Budget | None = None) -> tuple[Guarantee, ...]:
    """What Theorems II to VII, as corrected, say of a rule of which these facts are known, in the paper's order.

    >>> [(one.theorem, one.applies) for one in guarantees(Facts(10, 1, True, kappa=(0.125, 0.125)))][3]
    ('Theorem VI′', 'yes')
    """
    with as_always():
        return (
            _lower_bound(facts, budget),
            _limits(facts),
            _clipping(facts),
            _momentum(facts, budget),
            on_every_path(facts, budget),
            _variance_reduction(facts, budget),
        )


def _lower_bound(facts: Facts, budget: Budget | None) -> Guarantee:
    name = "Theorem II"
    if not facts.f:
        return Guarantee(name, "no", "an attacker: f ≥ 1", "It says nothing of honest workers.")
    if not facts.invariant:
        missing = "permutation invariance: the rule heeds who sent what"
        return Guarantee(name, "no", missing, "It binds algorithms that do not know who sent what.")
    escape = "worker momentum is not bound by it"
    if budget is None:
        least = f"E‖∇f‖² ≥ {2 * float(CONSTANT):g}·δσ² as long as δn ≥ 4(1 + log t)"
        return Guarantee(name, "yes", "", f"With SGD or server momentum some problem forces {least}; {escape}.")
    largest = 2 * Fraction(budget.L) * Fraction(budget.F0) / Fraction(budget.sigma) ** 2  # of q/(1 − q)
    most = largest / (1 + largest) * facts.n / facts.f
    shares = [share for share in (*SHARES, *RARE, most) if share <= most and share * facts.f < facts.n]
    q, forced = best_forced_error(facts.n, facts.f, budget.T, shares)
    bound = 2 * float(forced.lower()) * budget.sigma**2
    says = (
        f"With SGD or server momentum some problem with this σ, L and F0 forces E‖∇f‖² ≥ {bound:.3g} after T = "
        f"{budget.T} rounds; {escape}."
    )
    return Guarantee(name, "yes", "", says, bound, {"q": float(q)})


def _limits(facts: Facts) -> Guarantee:
    name = "Theorem III"
    if not facts.f:
        return Guarantee(name, "no", "an attacker: f ≥ 1", "It says nothing of honest workers.")
    if facts.clipping is not None:
        floor = centred_floor(facts.n, facts.f)
        says = f"No rule with a centre as near as ρ has a c below {floor:.3g} at this n and f."
    else:
        floor = finite_floor(facts.n, facts.f)
        says = f"No rule has a c below {floor:.3g} at this n and f."
    return Guarantee(name, "yes", "", says, floor)


def _clipping(facts: Facts) -> Guarantee:
    name = "Theorem IV′, Corollary V"
    if facts.clipping is None:
        return Guarantee(name, "no", "centered clipping: it is about no other rule", "It says nothing of this rule.")
    if not facts.f:
        return Guarantee(name, "no", "an attacker: f ≥ 1", "It says nothing of honest workers.")
    missing = "a centre that is fixed before the messages are drawn, which the last aggregate is not"
    rho = _rho_of(facts.clipping, facts.delta) if facts.rho is None else facts.rho
    start = rho if facts.start is None else facts.start
    made = prescribe(facts.delta, rho, start)
    where = f"where messages are ρ = {rho:.3g} apart and the centre is within B = {start:.3g}"
    c = proved_c(facts.clipping, facts.delta, rho, start)
    if c is None:
        says = f"{_prescribed(made)} {where} has c = {made.c:.3g}."
        return Guarantee(name, "if", f"radii that a proof knows, and {missing}", says, None, {"tau": made.tau})
    other = "" if facts.clipping.radii == made.tau else f"; {_prescribed(made)} has c = {made.c:.3g}"
    says = f"With these radii c = {c:.3g} {where}{other}."
    return Guarantee(name, "if", missing, says, c, {"tau": made.tau})


def _rho_of(rule: CenteredClipping, delta: float) -> float:
    """The ρ that a single radius fits; 1 where there is none."""
    tau = rule.radii[0] if len(rule.radii) == 1 else None
    return fitting_rho(tau, delta) if isinstance(tau, float | int) and 1e-50 < tau < 1e50 else 1.0


def _prescribed(made: Prescription) -> str:
    steps = "one step" if len(made.tau) == 1 else f"{len(made.tau)} steps"
    return f"{steps} with τ = {', '.join(f'{tau:.3g}' for tau in made.tau[:3])}{', …' if made.tau[3:] else ''}"


def _kappa_of_rule(facts: Facts) -> tuple[Applies, str, float | None]:
    """Whether ‖AGG − x̄‖² ≤ κ·avg‖x_i − x̄‖² on every path, what is missing, and κ: the proved one, or else the found."""
    found, known = facts.kappa or (math.inf, None)
    if known is not None:
        return "yes", "", known
    if math.isfinite(found):
        return "if", f"a proof that κ = {found:.3g}, which was found, is enough", found
    return "no", "a finite κ: the error has no bound on every path", None


def _error_of_rule(facts: Facts) -> tuple[Applies, str, float | None]:
    """Whether E‖AGG − m̄_t‖² ≤ cδρ_t² on dependent momenta, what is missing, and cδ."""
    applies, missing, kappa = _kappa_of_rule(facts)
    if kappa is not None:
        return applies, missing, kappa * ((facts.g - 1) / (2 * facts.g))
    if facts.c is not None and math.isfinite(facts.c[0]):
        known = facts.c[0] if facts.c[1] is None else facts.c[1]
        enough = f"a proof that c = {known:.3g}, which was {'found' if facts.c[1] is None else 'proved'}, is enough on"
        around = " around the last aggregate" if facts.clipping is not None else ""
        return "if", f"{enough} momenta that depend on each other{around}", known * facts.delta
    return "no", "a finite κ or c: the error of the rule has no bound in terms of the honest spread", None


def _momentum(facts: Facts, budget: Budget | None) -> Guarantee:
    name = "Theorem VI′"
    applies, missing, c_delta = _error_of_rule(facts)
    if c_delta is None:
        return Guarantee(name, applies, missing, "No rate of worker momentum follows.")
    kappa = 2 * c_delta + 1 / facts.g
    if budget is None:
        says = f"Worker momentum from m_0 = 0: average E‖∇f‖² ≤ √(160LF0σ²κ/T) + 20LF0/T, κ = 2cδ + 1/g = {kappa:.3g}."
        return Guarantee(name, applies, missing, says)
    start, noise = Fraction(budget.F0) / Fraction(budget.L), (Fraction(budget.sigma) / Fraction(budget.L)) ** 2
    step = best_step(budget.T, float(start), kappa, float(noise))  # in units of 1/L
    bound = float(Fraction(budget.L) ** 2 * zero_start(budget.T, Fraction(step), start, Fraction(kappa), noise))
    says = (
        f"Worker momentum from m_0 = 0 with η = {step / budget.L:.3g}, β = 1 − {8 * step:.3g}: average E‖∇f‖² ≤ "
        f"{bound:.3g} over T = {budget.T} rounds{_beside(bound, budget)}."
    )
    prescribed = {"eta": step / budget.L, "alpha": 8 * step, "beta": 1 - 8 * step}
    return Guarantee(name, applies, missing, says, bound, prescribed, bound < budget.standing_still)


def on_every_path(facts: Facts, budget: Budget | None) -> Guarantee:
    """The whole theorem of `beyond_trimmed_mean`, for the κ of the rule."""
    applies, missing, kappa = _kappa_of_rule(facts)
    if kappa is None:
        return Guarantee(OURS, applies, missing, "No rate follows.")
    g = facts.g
    K = whole.noise_of(Fraction(kappa) * Fraction(g - 1, g), Fraction(1, g))
    if budget is None:
        says = (
            "Worker momentum with α = 2Lη from m_0 = 0, nothing assumed of momenta: average E‖∇f‖² ≤ "
            f"4√(KLF0σ²/T) + 32LF0/(3T), K = {float(K):.3g}."
        )
        return Guarantee(OURS, applies, missing, says)
    start = Fraction(budget.F0) / Fraction(budget.L)  # in units of 1/L
    noise = (Fraction(budget.sigma) / Fraction(budget.L)) ** 2 * K
    step = whole.best_step(noise * budget.T / start)
    bound = float(Fraction(budget.L) ** 2 * whole.zero_start(budget.T, step, start, noise))
    eta, alpha = float(step) / budget.L, float(whole.RATIO * step)
    says = (
        f"Worker momentum from m_0 = 0 with η = {eta:.3g}, β = 1 − {alpha:.3g}, nothing assumed of momenta: average "
        f"E‖∇f‖² ≤ {bound:.3g} over T = {budget.T} rounds{_beside(bound, budget)}."
    )
    prescribed = {"eta": eta, "alpha": alpha, "beta": 1 - alpha}
    return Guarantee(OURS, applies, missing, says, bound, prescribed, bound < budget.standing_still)


def _variance_reduction(facts: Facts, budget: Budget | None) -> Guarantee:
    name = "Theorem VII′"
    applies, missing, c_delta = _error_of_rule(facts)
    if c_delta is None:
        return Guarantee(name, applies, missing, "No rate of MVR follows.")
    smooth = "single gradients that are L-smooth in the mean square"
    missing = f"{missing}, and {smooth}" if missing else smooth
    kappa = 2 * c_delta + 1 / facts.g
    if budget is None:
        says = f"MVR: average E‖∇f‖² of the order (κLσF0/T)^⅔, κ = 2cδ + 1/g = {kappa:.3g}."
        return Guarantee(name, "if", missing, says)
    F0, noise = budget.F0, budget.sigma**2
    made = best_parameters(F0, noise, budget.L**2, kappa, budget.T, kappa)
    bound = right_side(F0, noise, kappa, budget.T, made.eta, made.alpha, made.b0)
    says = (
        f"MVR with η = {made.eta:.3g}, α = {made.alpha:.3g}, a first estimate from {made.b0} samples: average E‖∇f‖² ≤ "
        f"{bound:.3g} over T = {budget.T} rounds{_beside(bound, budget)}."
    )
    prescribed = {"eta": made.eta, "alpha": made.alpha, "b0": float(made.b0)}
    return Guarantee(name, "if", missing, says, bound, prescribed, bound < budget.standing_still)


def _beside(bound: float, budget: Budget) -> str:
    still = budget.standing_still
    return "" if bound < still else f", which says nothing: no step at all has 2LF0 = {still:.3g}"
