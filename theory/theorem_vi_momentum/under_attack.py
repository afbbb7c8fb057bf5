"""Worker momentum with robust rules under attack, f = ½x², noise ±1: all noise paths of a few rounds."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, Rule, TrimmedMean
from sims.attacks import ALittleIsEnough, Attack, BitFlipping, InnerProductManipulation
from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.definition_c_robust_aggregator.constants import paper_radius
from theory.theorem_vi_momentum.bound import zero_start
from theory.theorem_vi_momentum.noise_paths import ROUNDING, all_paths

ETA = Fraction(1, 32)
ALPHA = 8 * ETA


def attacks(epsilon: float = 3.0) -> dict[str, Attack]:
    """The attacks, IPM in a mild and in a strong form."""
    return {
        "IPM ε = 0.1": InnerProductManipulation(),
        f"IPM ε = {epsilon:g}": InnerProductManipulation(epsilon),
        "ALIE": ALittleIsEnough(z=1.5),
        "BF": BitFlipping(),
    }


def radius(delta: float, rho_sq: float = float(2 * ALPHA / (2 - ALPHA))) -> float:
    """The τ reconstructed for Theorem IV at B² = ρ², the bound of E‖m_i − m_j‖²."""
    return float(paper_radius(delta, np.array(rho_sq)))


def rules(n: int, f: int, rho_sq: float = float(2 * ALPHA / (2 - ALPHA))) -> dict[str, Rule]:
    """The rules that are run, each knowing f, and CC the size ρ² of the honest spread."""
    return {
        "TM": TrimmedMean(f),
        "CM": CoordinateMedian(),
        "RFA": RFA(),
        "Krum": Krum(f),
        "CC": CenteredClipping(radius(f / n, rho_sq)),
    }


def trimmed_mean_c(n: int, f: int) -> float:
    """The factor 1/(2(1 − 2δ))."""
    return n / (2 * (n - 2 * f))


@claim(
    "TM (with its proved c), CM, RFA, Krum and CC (with the c that they used) keep Theorem VI′ under IPM, "
    "ALIE and bit flipping, over all noise paths of three rounds.",
    loose="a bound for every attack and rule: these runs do not attain it",
    controls=(Control("the mean", "one attacker drives it away", {"rule": Mean(), "epsilon": 1000.0}),),
)
def under_attack(ctx: Context, *, rule: Rule | None = None, epsilon: float = 3.0) -> Iterable[Evidence]:
    """(1/T)ΣE‖∇f‖² over all noise paths beside VI′; c is 1/(2(1 − 2δ)) for TM, for the others the largest used."""
    n, f, T = 5, 1, 3
    for name, made in rules(n, f).items():
        for attack, acts in attacks(epsilon).items():
            for x0 in (0.0, 0.5):
                paths = all_paths(rule or made, acts, ctx, n=n, f=f, T=T, eta=ETA, x0=x0)
                c = trimmed_mean_c(n, f) if name == "TM" else max(paths.c_used)
                bound = zero_start(T, ETA, Fraction(x0) ** 2 / 2, Fraction(2 * c * f / n) + Fraction(1, n - f))
                what = f"{name}, {attack}, x_0 = {x0:g}, c = {c:.3g}, n = {n}, f = {f}, T = {T}"
                at = {"rule": name, "attack": attack, "c": c, "n": n, "f": f, "T": T}
                yield Evidence(what, paths.average, "<=", bound, "exact", ROUNDING, at=at)


@claim(
    "On these dependent momenta the trimmed mean uses no c above ((g − 1)/g)/(2(1 − 2δ)).",
    part_of="corrected",
    controls=(Control("the median", "it needs more at small δ", {"rule": CoordinateMedian()}),),
)
def c_of_trimmed_mean(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The largest c that the trimmed mean uses in any round, E‖AGG − m̄_t‖²/(δρ_t²), beside ((g − 1)/g)/(2(1 − 2δ))."""
    for n, f, T in ((3, 1, 7), (5, 1, 3), (5, 2, 4)):
        for attack, acts in attacks().items():
            for full in (False, True):
                made = TrimmedMean(f) if rule is None else rule
                paths = all_paths(made, acts, ctx, n=n, f=f, T=T, eta=ETA, x0=0.5, full=full)
                yield Evidence(
                    f"largest c used by TM, n = {n}, f = {f}, {attack}, {'α_1 = 1' if full else 'm_0 = 0'}",
                    max(paths.c_used),
                    "<=",
                    (n - f - 1) / (n - f) * trimmed_mean_c(n, f),
                    "exact",
                    ROUNDING,
                    at={"n": n, "f": f, "T": T, "attack": attack},
                    covers="error² ≤ (f/(n − 2f))·honest variance for every input, independent or not (Definition C)",
                )
