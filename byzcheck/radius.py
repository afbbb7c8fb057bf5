"""Which radius centered clipping needs: what is proved in Theorem IV and Corollary V, at a given δ, ρ and B.

Three bounds are proved for a centre v_0 that is fixed before the messages are drawn, E‖v_0 − x̄‖² ≤ B², at most δn ≥ 1
Byzantine messages, and E‖x_i − x_j‖² ≤ ρ² for the others:

- one step with τ² = (1 − δ)(B² + ρ²/2)/(4δ), every δ < ½ (Corollary V; `one_step.md` of Theorem IV);
- l steps with τ_j = max(2.5ρ/√δ, B(5δ)^j/0.9), δ ≤ 0.15 (`many_steps.md`);
- l steps with τ_j = max(ρ/((1 − 2δ)√δ), B(½ + δ)^{j−1}), every δ < ½ (`every_delta.md`).

Repeated with one radius until it rests, from any centre, clipping has a smaller c with many workers, the least of any
rule (`theory.beyond_clipping_sharp`); at one n that needs fourth moments, and `Prescription.at_rest` is that radius.

`prescribe` takes the one with the smallest proved c: one step unless B is far above ρ, about 7ρ at δ = 0.1. The
constants are those of the proofs at this δ, enclosed, which are smaller than the ones for all δ at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from sims.aggregators import CenteredClipping
from sims.checked import real, whole
from sims.checks.clipping_at import LONGEST, SHORTEST, search_c_at_radius
from sims.checks.intervals import enclose_maximum, exact, rational
from sims.owned import as_always
from theory.corollary_v_iterations import radius_for_one_step
from theory.definition_c_robust_aggregator.constants import centred_floor, population_floor
from theory.theorem_iv_centered_clipping.attacked import OURS, Bound, wide_radii
from theory.theorem_iv_centered_clipping.every_delta import scaled_constant
from theory.theorem_iv_centered_clipping.many_steps import FAST, constant
from theory.theorem_iv_centered_clipping.one_step import rate_of_share, scaled_bound

ONE, FAST_NAME, WIDE_NAME = "Corollary V, one step", "Theorem IV, δ ≤ 0.15", "Theorem IV, every δ < ½"
FASTEST = Fraction(3, 20)  # the δ up to which the fast radii are proved
MOST_STEPS, BOXES = 10_000, 10_000
LEAST_SHARE = 1e-9  # of Byzantine workers: one of a milliard


@dataclass(frozen=True)
class Step:
    """One step: its radius, and what is proved if clipping stops after it: √E‖v_l − x̄‖² and c."""

    tau: float
    error: float
    c: float


@dataclass(frozen=True)
class Prescription:
    """The radii that the proofs prescribe, with the c that they buy; what was found at n, if n is given.

    `found` is a lower bound of the c that these radii need at n with f of them Byzantine, in units of the same δρ², and
    `floor` what every rule needs there that knows such a centre, for B ≥ ρ. `trimmed_mean` is that rule's c, proved:
    it needs no centre and no radius.
    """

    theorem: str
    delta: float
    rho: float
    start: float
    steps: tuple[Step, ...]
    trimmed_mean: float
    n: int | None = None
    f: int | None = None
    found: float | None = None
    floor: float | None = None

    @property
    def tau(self) -> tuple[float, ...]:
        """The radius of each step."""
        return tuple(step.tau for step in self.steps)

    @property
    def c(self) -> float:
        """What is proved after the last step: E‖v_l − x̄‖² ≤ cδρ²."""
        return self.steps[-1].c

    @property
    def at_rest(self) -> float:
        """The radius with which clipping, repeated until it rests, errs least (`fixed_point.md`, `many_workers.md`)."""
        return (1 - self.delta) * self.rho / math.sqrt(8 * self.delta * (1 - 2 * self.delta))

    @property
    def rule(self) -> CenteredClipping:
        """The rule with these radii; its centre is the state that you pass."""
        return CenteredClipping(self.tau, len(self.tau))


def prescribe(
    delta: float, rho: float, start: float | None = None, n: int | None = None, steps: int | None = None
) -> Prescription:
    """The τ and the number of steps with the smallest proved c, from a fixed centre within B = `start`, ρ unless given.

    With `n`, f = ⌊δn⌋ are Byzantine and the c that the radii are seen to need is searched too. `steps` is the most
    steps that may be taken. Raises `ValueError` unless 1e-9 ≤ δ < ½, ρ > 0, B ≥ 0, steps ≥ 1, δn ≥ 1 and n − f ≥ 2.

    >>> prescribe(0.1, rho=1.0).theorem, round(prescribe(0.1, rho=1.0).tau[0], 3)
    ('Corollary V, one step', 1.837)
    """
    delta = real("prescribe", "delta", delta, least=LEAST_SHARE, below=0.5)
    rho = real("prescribe", "rho", rho, least=SHORTEST, most=LONGEST)
    start = rho if start is None else real("prescribe", "start", start, least=0, most=LONGEST)
    most = whole("prescribe", "steps", MOST_STEPS if steps is None else steps, least=1, most=MOST_STEPS)
    with as_always():
        found = min(_proved(delta, start / rho, most), key=lambda one: one[1][-1].c)
        played = tuple(Step(step.tau * rho, step.error * rho, step.c) for step in found[1])
        made = Prescription(found[0], delta, rho, start, played, population_floor(delta))
        return made if n is None else _measured(made, whole("prescribe", "n", n, least=3))


def fitting_rho(tau: float, delta: float) -> float:
    """The ρ for which τ is the radius of one step from B = ρ: τ = ρ√(3(1 − δ)/(8δ)).

    >>> round(fitting_rho(1.837, 0.1), 3)
    1.0
    """
    delta = real("fitting_rho", "delta", delta, least=LEAST_SHARE, below=0.5)
    return real("fitting_rho", "tau", tau, least=0) / float(radius_for_one_step(delta, np.array(1.0)))


def proved_c_of_one_step(tau: float, delta: float, rho: float, start: float) -> tuple[float, bool]:
    """The c that the one-step lemma proves for any τ > 0, and whether it also holds for fewer than δn attackers.

    U of `one_step.md` over δρ², from a fixed centre with E‖v_0 − x̄‖² ≤ `start`² and δn Byzantine messages, δn ≥ 1; with
    fewer where the bound falls with their share, which is what the lemma's rate says.

    >>> proved_c_of_one_step(1.837, 0.1, 1.0, 1.0)[0] < 3.2
    True
    """
    delta = real("proved_c_of_one_step", "delta", delta, least=LEAST_SHARE, below=0.5)
    rho = real("proved_c_of_one_step", "rho", rho, least=SHORTEST, most=LONGEST)
    start = real("proved_c_of_one_step", "start", start, least=0, most=LONGEST)
    tau = real("proved_c_of_one_step", "tau", tau, least=SHORTEST, most=LONGEST)
    lengths = Fraction(start / rho) ** 2 + 1
    radius_sq = exact(Fraction(tau / rho) ** 2 * Fraction(delta) / lengths)
    u, w = exact(Fraction(delta)).sqrt(), exact((lengths - 1) / lengths).sqrt()
    bound = scaled_bound(u, w, lambda d, share: radius_sq) * exact(lengths)
    fewer = rate_of_share(u, w, lambda d, share: radius_sq) <= 1
    return _above(rational(bound.upper())), bool(fewer)


def one_step(delta: float, start: float) -> Step:
    """One step with the best radius, lengths in units of ρ; for a B where fewer attackers could be worse, a larger B's.

    >>> round(one_step(0.1, 1.0).tau, 3)
    1.837
    """
    for reach in (start, *(larger for larger in (0.25, 0.5, 1.0) if larger > start)):
        tau = math.sqrt((1 - delta) * (reach**2 + 0.5) / (4 * delta))
        c, fewer = proved_c_of_one_step(tau, delta, 1.0, reach)
        if fewer:
            return Step(tau, math.sqrt(c * delta), c)
    raise AssertionError(f"from B = ρ the bound holds for every δ < ½, and did not at δ = {delta}")


def proved_c(rule: CenteredClipping, delta: float, rho: float, start: float) -> float | None:
    """The c that is proved for a rule's own radii, from a fixed centre: one step with any τ, many with these here.

    None where nothing is proved: at τ = 0 or ∞, with an array of radii, or many that are not those of `prescribe`.

    >>> proved_c(CenteredClipping(tau=1.0), 0.1, 1.0, 1.0) < proved_c(CenteredClipping(tau=9.0), 0.1, 1.0, 1.0)
    True
    """
    radii = [tau for tau in rule.radii if isinstance(tau, float | int) and SHORTEST <= tau <= LONGEST]
    if len(radii) < rule.steps:
        return None
    if rule.steps == 1:
        return proved_c_of_one_step(radii[0], delta, rho, start)[0]
    made = prescribe(delta, rho, start).steps
    alike = len(made) >= rule.steps and all(
        math.isclose(tau, step.tau, rel_tol=1e-9) for tau, step in zip(radii, made, strict=False)
    )
    return made[rule.steps - 1].c if alike else None


def _proved(delta: float, start: float, most: int) -> Iterator[tuple[str, list[Step]]]:
    """What each proof gives at this δ, but those of many steps whose constant alone is above what one step has.

    Lengths are in units of ρ.
    """
    once = one_step(delta, start)
    yield ONE, [once]
    share = (
        Fraction(0),
        Fraction(1),
    )  # of the δn that are bad; the constants are largest near 1, and enclosed over all
    exactly = Fraction(delta)
    if exactly <= FASTEST and not constant(FAST, exact(exactly).sqrt()) >= once.c:
        low = Fraction(math.nextafter(math.sqrt(delta), 0.0))  # an interval around √δ
        high = Fraction(math.nextafter(math.sqrt(delta), 1.0))
        k = enclose_maximum(lambda u, part: constant(FAST, u, part), [(low, high), share], most=BOXES).high
        yield FAST_NAME, _many(replace(OURS, constant=_above(k)), delta, start, most)
    scale = (1 - 2 * exactly) ** 4
    if not scaled_constant(exact(2 * exactly)) / exact(scale) >= once.c:
        twice = (2 * exactly, 2 * exactly)
        k = enclose_maximum(lambda x, part: scaled_constant(x, 4, part), [twice, share], most=BOXES).high
        bound = Bound(wide_radii, lambda d: (Fraction(1, 2) + d) ** 2, 4, _above(Fraction(k) / scale))
        yield WIDE_NAME, _many(bound, delta, start, most)


def _many(bound: Bound, delta: float, start: float, most: int) -> list[Step]:
    """The steps until what is left of the start is at most δρ², `most` at the most."""
    rate = float(bound.rate(Fraction(delta)))
    left = bound.lead * start**2 / delta
    enough = math.ceil(math.log(left) / -math.log(rate)) if left > 1 else 1
    played = []
    for step in range(min(max(enough, 1), most)):
        error_sq = float(bound.of(delta, start**2, 1.0, step + 1))
        tau = float(bound.radii(delta, start**2, 1.0, step))
        played.append(Step(tau, math.sqrt(error_sq), error_sq / delta))
    return played


def _measured(made: Prescription, n: int) -> Prescription:
    f = math.floor(Fraction(made.delta).limit_denominator(10**6) * n)
    if not 1 <= f <= n - 2:
        raise ValueError(f"prescribe needs 1 ≤ ⌊δn⌋ ≤ n − 2, got delta = {made.delta:g}, n = {n}")
    share = f / n / made.delta  # the search counts with the share that is bad, the proof with δ
    found = share * search_c_at_radius(made.rule, n, f, made.rho, made.start).c
    floor = share * centred_floor(n, f) if made.start >= made.rho else None  # it gives a centre as far as ρ
    return replace(made, n=n, f=f, found=found, floor=floor)


def _above(value: Fraction | float) -> float:
    """A float that is not below."""
    return math.nextafter(float(value), math.inf)
