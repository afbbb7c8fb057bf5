"""The numbers of the report's panels, computed by the code that proves them; `report.js` has the same formulas again.

A number is a float, a list of them, `Between` two, or the name of a sentence (`panels.SENTENCES`); in the place of all
of them stands such a name where a hypothesis fails that all of them need.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from byzcheck.guarantees import RARE
from byzcheck.radius import FASTEST, one_step
from sims.aggregators import (
    ARC,
    MDA,
    SMEA,
    CoordinateMedian,
    GeometricMedian,
    Meamed,
    MoNNA,
    NearestNeighbourMixing,
    Rule,
    TrimmedMean,
)
from theory.beyond_exact_constants import formulas
from theory.beyond_exact_constants.proved import proved
from theory.definition_c_robust_aggregator.constants import finite_floor, population_floor
from theory.theorem_ii_lower_bound.constant import CONSTANT
from theory.theorem_ii_lower_bound.tails import SHARES, best_forced_error
from theory.theorem_iv_centered_clipping.attacked import OURS, PRINTED, Bound, wide_radii
from theory.theorem_vi_momentum.bound import best_bound, best_step, printed_right_side, zero_start
from theory.theorem_vii_mvr.bound import best_parameters, right_side


class Between(NamedTuple):
    """A constant of which both sides are known, and no more."""

    low: float
    high: float


Number = float | list[float] | Between | str
Numbers = dict[str, Number] | str


def _fails(n: float = 1, f: float = 0, delta: float = 0.0, least: int = 0) -> str | None:
    """The sentence on a hypothesis that fails, if one does."""
    if f < least:
        return "none"
    return "half" if 2 * f >= n or delta >= 0.5 else None


def lower_bound(n: int, f: int, T: int, sigma: float, mu: float) -> Numbers:
    """Theorem II: the error that no permutation-invariant algorithm avoids."""
    if fails := _fails(n, f, least=1):
        return fails
    q, error = best_forced_error(n, f, T, (*SHARES, *RARE))
    unit = sigma**2 / mu
    simple = "short" if f < 4 * (1 + math.log(T)) else float(CONSTANT) * f / n * unit
    return {"error": float(error.mid()) * unit, "q": float(q), "simple": simple}


def limits(n: int, f: int, rho: float) -> Numbers:
    """Theorem III: the least c of any rule, and the trimmed mean's."""
    if fails := _fails(n, f, least=1):
        return fails
    trimmed = float(formulas.definition_c(n, f, formulas.trimmed_mean(n, f, f)))
    error = trimmed * f / n * rho**2
    return {"any": population_floor(f / n), "here": finite_floor(n, f), "trimmed": trimmed, "error": error}


def _wide(delta: float) -> Bound:
    """The radii for every δ < ½, with their bound."""
    return Bound(wide_radii, lambda d: (Fraction(1, 2) + d) ** 2, 4, 117 / (1 - 2 * delta) ** 4)


def clipping(delta: float, rho: float, B: float, l: int) -> Numbers:  # noqa: E741 (the paper's symbol)
    """Theorem IV: radii and bounds after l steps."""
    if fails := _fails(delta=delta):
        return fails
    wide = _wide(delta)

    def both(bound: Bound) -> tuple[list[float], float]:
        found = bound.of(delta, B**2, rho**2, l)
        return [float(bound.radii(delta, np.array(B**2), np.array(rho**2), j)) for j in range(l)], float(found)

    made: dict[str, Number] = dict(zip(("wide_tau", "wide"), both(wide), strict=True))
    if delta > FASTEST:
        return {"tau": "fifteen", "bound": "fifteen", "printed": "fifteen", **made}
    return {**dict(zip(("tau", "bound"), both(OURS), strict=True)), "printed": both(PRINTED)[1], **made}


def steps(delta: float, rho: float, B: float) -> Numbers:
    """Corollary V: one step, or enough of them."""
    if fails := _fails(delta=delta):
        return fails
    once, x = one_step(delta, B / rho), 2 * B**2 / (delta * rho**2)
    near = delta <= FASTEST
    wide = math.ceil(math.log(2 * x) / (2 * math.log(1 / (0.5 + delta))))
    return {
        "tau": once.tau * rho,
        "c": once.c,
        "steps": float(max(1, math.ceil(1.74 * math.log(x)))) if near else "fifteen",
        "many": OURS.constant + 1 if near else "fifteen",
        "wide_steps": float(max(1, wide)),
        "wide": 1 + _wide(delta).constant,
        "trimmed": population_floor(delta),
    }


def _errors(n: int, f: int) -> tuple[float, float]:
    """cδ of the trimmed mean, and κ = 2cδ + 1/g."""
    error = formulas.definition_c(n, f, formulas.trimmed_mean(n, f, f)) * Fraction(f, n) if f else Fraction(0)
    return float(error), float(2 * error + Fraction(1, n - f))


def _says(bound: float, start: float) -> str:
    return "more" if bound < start else "nothing"


def momentum(n: int, f: int, T: int, F0: float, sigma: float, L: float) -> Numbers:
    """Theorem VI: the best step size with the trimmed mean from m_0 = 0, and the bounds."""
    if fails := _fails(n, f):
        return fails
    error, kappa = _errors(n, f)
    eta, bound = _at_best_step(T, F0, sigma, L, kappa)
    printed = printed_right_side(T, F0 / L, n, error, (sigma / L) ** 2) * L**2
    start = 2 * L * F0
    step = {"kappa": kappa, "eta": eta, "alpha": 8 * L * eta, "beta": 1 - 8 * L * eta}
    return {**step, "bound": bound, "printed": printed, "start": start, "says": _says(bound, start)}


def _at_best_step(T: int, F0: float, sigma: float, L: float, kappa: float) -> tuple[float, float]:
    """η and the bound of Theorem VI as corrected, from m_0 = 0; `bound.py` has them in units of L."""
    start, noise = Fraction(F0) / Fraction(L), (Fraction(sigma) / Fraction(L)) ** 2
    step = best_step(T, float(start), kappa, float(noise))
    return step / L, float(Fraction(L) ** 2 * zero_start(T, Fraction(step), start, Fraction(kappa), noise))


def rate(n: int, f: int, T: int, F0: float, sigma: float, L: float) -> Numbers:
    """Remark 5: how the rate and the step size change with the number of attackers."""
    if fails := _fails(n, f):
        return fails
    (_, kappa), (_, alone) = _errors(n, f), _errors(n, 0)

    def of(kappa: float) -> float:
        return best_bound(T, F0 / L, kappa, (sigma / L) ** 2) * L**2

    eta, slowest = (_at_best_step(T, F0, sigma, L, one)[0] for one in (kappa, alone))
    return {
        "kappa": kappa,
        "rate": of(kappa),
        "alone": of(alone),
        "limit": of(2 * population_floor(f / n) * f / n),
        "eta": eta,
        "smaller": eta / slowest,
        "cap": 10 * L * F0 / (sigma**2 * kappa),
    }


def variance_reduction(n: int, f: int, T: int, F0: float, sigma: float, L: float) -> Numbers:
    """Theorem VII: η, α, the first batch and the bound of MVR with the trimmed mean."""
    if fails := _fails(n, f):
        return fails
    _, kappa = _errors(n, f)
    made = best_parameters(F0, sigma**2, L**2, kappa, T, kappa)
    bound, start = right_side(F0, sigma**2, kappa, T, made.eta, made.alpha, made.b0), 2 * L * F0
    parameters = {"kappa": kappa, "eta": made.eta, "alpha": made.alpha, "b0": float(made.b0)}
    plain = _at_best_step(T, F0, sigma, L, kappa)[1]
    return {**parameters, "bound": bound, "momentum": plain, "start": start, "says": _says(bound, start)}


RULES: Mapping[str, Callable[[int], Rule]] = {
    "trimmed": TrimmedMean,
    "median": lambda told: CoordinateMedian(),
    "geometric": lambda told: GeometricMedian(),
    "smea": SMEA,
    "meamed": Meamed,
    "mda": MDA,
    "monna": MoNNA,
    "arc": lambda told: ARC(TrimmedMean(told), told),
    "nnm": lambda told: NearestNeighbourMixing(TrimmedMean(told), told),
}


def constants(n: int, f: int, F: int) -> Numbers:
    """κ* of the rules that have a closed form, told F."""
    if fails := _fails(n, F, least=1) or ("told" if f > F else None):
        return fails
    found: dict[str, Number] = {}
    for name, make in RULES.items():
        known = proved(make(F), n, f)
        assert known is not None, name
        assert known.upper is not None, name
        found[name] = float(known.lower) if known.exact else Between(float(known.lower), float(known.upper))
    at_most = formulas.krum_at_most(n, f, n - F - 2) if n >= 2 * F + 3 else None
    found["krum"] = "few" if at_most is None else Between(float(formulas.least(n, f, F)), at_most)
    return found
