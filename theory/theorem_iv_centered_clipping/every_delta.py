"""Centered clipping for every δ < ½: the multi-step bound without a tail estimate.

`many_steps.py` with these choices, x = 2δ < 1 throughout: r = θ = (1 + x)/2, τ_l = max(τ_*, B_0 r^{l−1}) with τ_* =
ρ/((1 − x)√δ), so that t = 1/(1 − x), s = 1/θ and D_0 ≤ B_0 ≤ θτ_0; q = (1 + x)/4. Then k = δ/r = x/(1 + x), η = θ −
(1 + θ)k = (1 − x)/(2(1 + x)) > 0, q − δ = (1 − x)/4 > 0, 1 − 2q = (1 − x)/2: all conditions hold, and m ≤ g as (1 −
q)n ≥ 1.

Of step (v) only the second half is used, so that m ≥ 2 is not needed: D_l ≤ S_l + Z, Z ≤ max(1/(1 − δ), c_4)·Y, c_4 =
max(θ/η, ωc_q, ω + p/η), ω = (1 − θ)/η + 1/(q − δ) = (1 + x) + 4/(1 − x). Multiplied by (1 − x)² everything stays
bounded up to x = 1: θ/η → (1 − x)(1 + x)², ωc_q → (4 + (1 − x)(1 + x))·((1 − x) + (1 + x)²/4), ω + p/η → (1 − x)[4 +
(1 − x)(1 + x) + 2(1 + x)²/(3 − x)], where p = (1 + x)/(3 − x). And α = k + sk/(1 − k) = 3x/(1 + x) ≤ 3/2, so that λ =
4 is enough: for all l ≥ 1, δ = f/n < ½, every attacker and every fixed v_0, **E‖v_l − x̄‖² ≤ 4(½ + δ)^{2l} B_0² +
117δρ²/(1 − 2δ)⁴.**

*At most δn bad.* With |B| = sn, s = νδ, as there: for smaller ν k is smaller, hence α ≤ 3νx/(1 + x) and the multiple of
τ_*; η and q − s are larger, so that c_4 is at most that at ν = 1; y(s) is larger. K is enclosed over ν too.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from flint import arb

from sims.checks.evidence import Evidence
from sims.checks.intervals import enclose_maximum, enclosed, exact, larger
from theory.claim import Context, Control, claim
from theory.theorem_iv_centered_clipping.many_steps import noise

LINK = (
    "steps (i) to (v), without the tail, for all laws, attackers, v_0, l and δ < ½ "
    "(theory/theorem_iv_centered_clipping/every_delta.py)"
)


def scaled_constant(x: arb, lead: int = 4, part: arb | int = 1) -> arb:
    """K·(1 − 2δ)⁴ at x = 2δ if a share `part`·δ of the workers is bad."""
    gap, share = 1 - x, part * x / 2
    p = (1 + x) / (3 - x)
    gap_omega = 4 + gap * (1 + x)
    gap_c_q = gap + (1 + x) * (1 + x) / 4
    c_4 = larger(
        gap * gap / (1 - share),
        gap * (1 + x) * (1 + x),
        gap_omega * gap_c_q,
        gap * (gap_omega + 2 * p * (1 + x)),
    )
    b = part * gap / (1 - share) + c_4 * noise(share, exact("1/2")) + gap * gap / (2 * (1 - share)).sqrt()
    alpha = 3 * part * x / (1 + x)
    return b * b / (1 - alpha * alpha / lead)


@claim(
    "For every δ < ½ with τ_l = max(ρ/((1 − 2δ)√δ), B_0(½ + δ)^{l−1}): E‖v_l − x̄‖² ≤ 4(½ + δ)^{2l}B_0² + 117δρ²/(1 − "
    "2δ)⁴.",
    part_of="corrected",
    controls=(
        Control("100", "the proof gives 116.9 for small δ", {"claimed": 100}),
        Control("2 for 4", "α² is up to 9/4", {"lead": 2}),
    ),
)
def every_delta(ctx: Context, *, claimed: int = 117, lead: int = 4) -> Iterable[Evidence]:
    """The largest K(1 − 2δ)⁴ that the proof gives over 0 < δ < ½ with at most δn bad, enclosed; claimed: ≤ 117."""
    box = [(Fraction(0), Fraction(1))] * 2
    limit = Fraction(claimed)
    found = enclose_maximum(lambda x, part: scaled_constant(x, lead, part), box, relative=1e-4, limit=limit, most=4000)
    what = f"largest K(1 − 2δ)⁴ over 0 < δ < ½, at most δn bad, {found.boxes} boxes"
    yield enclosed(what, found, Fraction(claimed), LINK)
