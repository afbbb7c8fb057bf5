"""The printed bound of Theorem VI from Theorem VI′, at the printed η; units L = σ² = 1.

From m_0 = 0 it follows always, with α_1 = 1 if 1 ≤ 16gF0 + 5.5cδg: the print can fail only where cδg < 2/11. The proof
is in `implied.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from flint import arb

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_vi_momentum.bound import full_start, printed_right_side, printed_step, zero_start
from theory.theorem_vi_momentum.moments import as_fmpq, middle_and_error

PAPER_LINK = "F0 + κσ²/8L ≤ 3A below the cap of η, 28.8 ≤ 32 and 8 ≤ 20 at it (implied.md)"


@claim(
    "With m_0 = 0, constant α and the printed η the printed bound follows from VI′, for all T, F0, n, δ "
    "and rules with E‖AGG − m̄_t‖² ≤ cδρ_t² on these momenta.",
    part_of="corrected",
    loose="the printed constants are larger than VI′ needs",
    controls=(
        Control("VI′ for α_1 = 1", "it counts the first message's noise", {"ours": full_start}),
        Control("half the printed bound", "VI′ is up to 0.63 of it", {"factor": 0.5}),
    ),
)
def printed_from_zero(
    ctx: Context, *, ours: Callable[..., Fraction] = zero_start, factor: float = 1.0
) -> Iterable[Evidence]:
    """The largest VI′/printed bound at the printed η over 2808 (T, F0, n, δ, c) with σ = L = 1; claimed: ≤ 1."""
    worst, where, at = 0.0, "", {}
    for n in (1, 3, 25, 1000):
        for f in sorted({0, n // 8, (n - 1) // 2}):
            for c in (0.0, 0.5, 10.0, 1360.0) if f else (0.0,):
                kappa = 2 * c * f / n + 1 / (n - f)
                for T in (10**k for k in range(9)):
                    for f0 in (10.0**k for k in range(-8, 5)):
                        eta = printed_step(T, f0, n, c * f / n)
                        value = float(ours(T, eta, f0, kappa)) / printed_right_side(T, f0, n, c * f / n) / factor
                        if value > worst:
                            worst, where = value, f"T = {T:.0e}, F0 = {f0:.0e}, n = {n}, f = {f}, c = {c:g}"
                            at = {"T": T, "F0": f0, "n": n, "f": f, "c": c}
    yield Evidence(
        f"largest VI′/printed bound at the printed η, at {where}",
        worst,
        "<=",
        1,
        "exact",
        error=1e-12,
        at=at,
        covers="κ ≤ 2q, q/2 ≤ 1/n + cδ, 10LF0 + 3cδσ² ≥ 9.6LA; at η = 1/8L 20 ≤ 32 (implied.md)",
    )


def over_printed(T: int, f0: Fraction, n: int, f: int, c_delta: Fraction) -> arb:
    """VI′ for α_1 = 1 over the printed bound at the printed η, σ = L = 1."""
    kappa, q = 2 * c_delta + Fraction(1, n - f), Fraction(2, n) + c_delta
    step_sq = (f0 + Fraction(5, 16) * c_delta) / (20 * T * q)
    eta = arb(1) / 8 if 64 * step_sq >= 1 else arb(as_fmpq(step_sq)).sqrt()
    ours = 2 * arb(as_fmpq(f0 + kappa / 8)) / (eta * T) + 16 * eta * arb(as_fmpq(kappa))
    w = Fraction(1, n) + c_delta
    root = arb(as_fmpq(w * (10 * f0 + 3 * c_delta) / T)).sqrt()
    return ours / (16 * root + arb(as_fmpq((32 * f0 + 20 * w) / T)))


@claim(
    "With α_1 = 1 and the printed η the printed bound follows from VI′ if σ² ≤ 16gLF0 + 5.5cδgσ², for all T and such "
    "rules: from cδg = 2/11 on always, without attackers if LF0 ≥ σ²/(16g).",
    part_of="corrected",
    point=13,
    controls=(
        Control("θ = 4", "F0 + κσ²/8L ≤ 4A is too little: VI′ exceeds the printed root", {"theta": 4}),
        Control(
            "half the printed bound",
            "VI′ comes near 0.85 of it, as T grows and f nears n/2",
            {"factor": Fraction(1, 2)},
        ),
    ),
)
def printed_with_attackers(ctx: Context, *, theta: int = 3, factor: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """VI′/printed below the cap by the proof, squared; then its largest value where F0 + κσ²/8L ≤ θA, from the edge on.

    (2θ√20 + 32/√20)² = (40θ + 32)²/20 beside 16²·4.8. With cδg given the edge is (θ − 1)F0 = 1/(8g) + cδ/4 − 5θcδ/16.
    """
    both = Fraction((40 * theta + 32) ** 2, 20)
    what = f"(2θ√20 + 32/√20)² over 16²·4.8, θ = {theta}"
    yield Evidence(what, both / (256 * Fraction(24, 5)), "<=", factor**2, "exact", covers=PAPER_LINK)
    worst, slack, where, at = 0.0, 0.0, "", {}
    for n in (1, 3, 25, 1000):
        for f in sorted({0, n // 8, (n - 1) // 2}):
            g = n - f
            for share in (Fraction(0), Fraction(1, 20), Fraction(2, 11), Fraction(2), Fraction(500))[: 5 if f else 1]:
                c_delta = share / g
                edge = (Fraction(1, 8 * g) + c_delta / 4 - Fraction(5 * theta, 16) * c_delta) / (theta - 1)
                for f0 in (max(edge, Fraction(0)) + more for more in (0, Fraction(1, 1000), 1, 10**4)):
                    for T in (10**k for k in range(0, 9, 2)):
                        value, error = middle_and_error(over_printed(T, f0, n, f, c_delta))
                        if value > worst:
                            worst, slack = value, error
                            where = f"T = {T:.0e}, F0 = {float(f0):.2g}, n = {n}, f = {f}, cδg = {share}"
                            at = {"T": T, "F0": float(f0), "n": n, "f": f, "c": float(share * n / (f * g)) if f else 0}
    yield Evidence(f"largest VI′/printed bound, α_1 = 1, at {where}", worst, "<=", factor, "exact", slack, at=at)
