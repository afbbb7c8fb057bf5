"""Centered clipping for every δ < ½: E‖v_l − x̄‖² ≤ 4(½ + δ)^{2l} B_0² + 117δρ²/(1 − 2δ)⁴.

The proof is in `every_delta.md`: that of `many_steps.md` without the tail, with radii for every δ. Here its constant,
times (1 − 2δ)⁴, is enclosed over all δ < ½ with at most δn bad vectors.
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
    "steps (i) to (v), without the tail, for all distributions, attackers, v_0, l and δ < ½ "
    "(proof in theory/theorem_iv_centered_clipping/every_delta.md)"
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
