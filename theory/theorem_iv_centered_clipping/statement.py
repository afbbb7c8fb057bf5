"""Theorem IV: what centered clipping achieves from a given centre.

*The radius.* Printed is τ_l² = O(ρ²/δ), no more. A recursion B_{l+1}² = 6.45δB_l² + 22.1δρ² has the limit 1360δρ²/2 at
δ = 0.15: 22.1 is chosen so, and the radius τ_l² = 4(1 − δ)(B_l²/3 + ρ²)/(√3 δ), which grows with B, goes with it. Both
are reconstructed here and called so.

*"From any v_0" is false* for a constant radius and for a random v_0, even one independent of the messages, by exact
instances (`far_centres.py`). What is left is a fixed v_0 and radii that know B_0² ≥ E‖v_0 − x̄‖².

*One step* from a fixed centre: U ≤ 6.45δB² + 22.1δρ² for all B ≥ 0, proved (`one_step.py`); 3 and 5.1 do as
well. The lemma does not iterate: v_1 depends on the messages. *At most δn bad* (δn ≥ 1): the bound grows with the true
share of bad vectors, so that δn of them are the worst case; the constants of many steps are enclosed over every share
up to δ.

*Many steps* from a fixed centre: proved path by path (`many_steps.py`), for the reconstructed radius with B_0² ≥
22.1δρ²/(1 − 6.45δ) and the printed constants, 1360 even replaced by 229; for radii that shrink like √(6.45δ) and any
B_0, with 119; for radii that shrink like 5δ with E‖v_l − x̄‖² ≤ 2(5δ)^{2l}B_0² + 90δρ²; and for every δ < ½
(`every_delta.py`). An optimiser finds a tenth of these bounds (`attacked.py`).

*The proof sketch* errs by up to 4δ²ρ², four times what it says (`sketch.py`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from flint import arb

from sims.checks.evidence import Evidence
from sims.checks.intervals import exact
from theory.claim import Context, Control, Fault, Source, Statement, claim
from theory.theorem_iv_centered_clipping.attacked import (
    OURS,
    PRINTED,
    Bound,
    Line,
    attack_in_plane,
    attack_on_line,
    line_curves,
)
from theory.theorem_iv_centered_clipping.every_delta import every_delta
from theory.theorem_iv_centered_clipping.far_centres import constant_radius, random_centre
from theory.theorem_iv_centered_clipping.many_steps import FAST, RECONSTRUCTED, Schedule, multi_step, plain_radii
from theory.theorem_iv_centered_clipping.one_step import at_most, one_step, one_step_sharper, scaled_bound
from theory.theorem_iv_centered_clipping.paths import any_path, good_path, identity, step_inequality
from theory.theorem_iv_centered_clipping.sketch import sketch, sketch_corrected, sketch_small


def bounded(ctx: Context, *, schedule: Schedule, bound: Bound, claimed: int, most: str = "0.15") -> Iterable[Evidence]:
    """The constants of the proof, then what an optimiser over laws, v_0 and attackers reaches of the bound."""
    proof = list(multi_step(ctx, schedule=schedule, claimed=claimed, most=most))
    yield from proof
    if not any(e.verdict == "refuted" for e in proof):  # else there is nothing to attack
        yield from attack_on_line(ctx, bound=bound)
        yield from attack_in_plane(ctx, bound=bound)


@claim(
    "From a fixed v_0 with the reconstructed radius, B_0² ≥ 22.1δρ²/(1 − 6.45δ): E‖v_l − x̄‖² ≤ 2(6.45δ)^l B_0² + "
    "1360δρ² for all l ≥ 1, and with 229 for 1360.",
    part_of="corrected",
    controls=(
        Control("δ up to 0.155", "6.45δ nears 1: K passes 229, then every number", {"most": "0.155"}),
        Control("K = 200", "the proof gives 228 at δ = 0.15", {"claimed": 200}),
        Control(
            "no first term, under attack",
            "from a far centre a step leaves more than any multiple of δρ²",
            {"bound": dataclasses.replace(PRINTED, lead=0)},
        ),
    ),
)
def printed_constants(
    ctx: Context, *, bound: Bound = PRINTED, claimed: int = 229, most: str = "0.15"
) -> Iterable[Evidence]:
    """The constants of the proof for the reconstructed radius, and the printed bound under attack."""
    yield from bounded(ctx, schedule=RECONSTRUCTED, bound=bound, claimed=claimed, most=most)


@claim(
    "With τ_l = max(2.5ρ/√δ, B_0(5δ)^l/0.9): E‖v_l − x̄‖² ≤ 2(5δ)^{2l} B_0² + 90δρ², δ ≤ 0.15.",
    part_of="corrected",
    controls=(
        Control("K = 85", "the proof gives 89.5 at δ = 0.15", {"claimed": 85}),
        Control(
            "8δρ², under attack",
            "δτ at every step alone is 2.5²δρ²/(1 − δ)²",
            {"bound": dataclasses.replace(OURS, constant=8)},
        ),
        Control(
            "radii that shrink like 2δ",
            "too fast for the centre to follow: K passes 90, and η < 0",
            {"schedule": dataclasses.replace(FAST, k=lambda u: exact("0.5"))},
        ),
    ),
)
def fast_radii(
    ctx: Context, *, schedule: Schedule = FAST, bound: Bound = OURS, claimed: int = 90
) -> Iterable[Evidence]:
    """The constants of the proof for these radii, and their bound under attack."""
    yield from bounded(ctx, schedule=schedule, bound=bound, claimed=claimed)


def picture(ctx: Context) -> dict[str, Any]:
    """U/(6.45δB² + 22.1δρ²) over (δ, B), and the error of v_l against l beside the bounds, at δ = 0.15."""
    deltas = [i / 200 for i in range(1, 31, 2)] + [0.15]
    shares = [i / 20 for i in range(21)]  # B²/(B² + ρ²)
    a, b = exact("6.45"), exact("22.1")

    def used(delta: float, share: float) -> float:
        u, w = arb(delta).sqrt(), arb(share).sqrt()
        return float((scaled_bound(u, w) / (a * w * w + b * (1 - w * w))).mid())

    places = sorted({round(400 ** (i / 50)) for i in range(51)})
    curves = {}
    for name, bound in (("printed", PRINTED), ("ours", OURS)):
        found = line_curves(20, 3, Line(m=8, p=0.5, q=0.5, away=100.0), bound, steps=400)
        curves[name] = {key: [values[place] for place in places] for key, values in found.items()}
    return {
        "delta": deltas,
        "share": shares,
        "used": [[used(d, s) for s in shares] for d in deltas],
        "n": 20,
        "f": 3,
        "away": 100.0,
        "steps": places,
        "curves": curves,
    }


STATEMENT = Statement(
    stem="theorem_iv_centered_clipping",
    label="Theorem IV",
    title="Robustness of centered clipping",
    printed="For δ ≤ 0.15 and n vectors of which |G| ≥ (1 − δ)n are independent with E‖x_i − x_j‖² ≤ ρ², "
    "running CC from any v_0 for l steps with τ_l² = O(ρ²/δ) satisfies E‖v_l − x̄‖² ≤ (6.45δ)^l·2E‖v_0 "
    "− x̄‖² + 1360δρ².",
    corrected="At most f ≥ 1 bad vectors, δ = f/n ≤ 0.15, v_0 fixed, B_0² ≥ E‖v_0 − x̄‖². With τ_l = max(2.5ρ/√δ, "
    "B_0(5δ)^l/0.9): E‖v_l − x̄‖² ≤ 2(5δ)^{2l}B_0² + 90δρ². With τ_l = max(5ρ, ½B_0(6.45δ)^{l/2})/√δ the printed "
    "bound holds with 119 for 1360; with τ_l² = 4(1 − δ)(B_l²/3 + ρ²)/(√3δ), reconstructed here, with 229 if B_0² ≥ "
    "22.1δρ²/(1 − 6.45δ), and one step leaves at most 6.45δB_0² + 22.1δρ². For every δ < ½ other radii give 4(½ + "
    "δ)^{2l}B_0² + 117δρ²/(1 − 2δ)⁴.",
    says="From any v_0: E‖v_l − x̄‖² ≤ 2(6.45δ)^l E‖v_0 − x̄‖² + 1360δρ²",
    says_corrected="v_0 fixed: E‖v_l − x̄‖² ≤ 2(5δ)^{2l}B_0² + 90δρ², δ ≤ 0.15",
    for_you="Fix the centre and take τ_l = max(2.5ρ/√δ, B_0(5δ)^l/0.9); for the moving centre of Section 6 nothing is "
    "proved: use the trimmed mean there (Theorem VI).",
    rests_on="the lemma path by path in theory/theorem_iv_centered_clipping/many_steps.py (pen and paper), its "
    "constants by interval arithmetic over all δ",
    source=Source(
        "garbled",
        "Section 5.2",
        "Suppose that for δ ≤ 0.15 we are given n random vectors x1 , . . . , xn such that a good subset G "
        "⊆ [n] of size at least |G| ≥ (1 − δ)n are independent with bounded as […] Ekxi −xj k2 ≤ ρ2 for any "
        "fixed i, j ∈ G. Then, running CC […] starting from any v0 for l steps with τl2 = O(ρ /δ) satisfies "
        "Ekvl − x̄k2 ≤ (6.45δ)l 2 Ekv0 − x̄k2 + 1360δρ2 .",
        "Two superscripts are displaced ('(6.45δ)l 2 E…', 'τl2 = O(ρ /δ)'): the factor 2 is a reading, which "
        "Corollary V's 2B² confirms. No radius but τ² = O(ρ²/δ) is in the main text.",
    ),
    fault=Fault(
        "hypothesis",
        "It fails for a random v_0, even one independent of the messages, whatever radius is a function of B, ρ, δ, "
        "and for a radius that does not know how far v_0 is; with a fixed v_0 and radii that know the distance it is "
        "true with a far smaller constant.",
        lacks="v_0 is fixed (or independent of the messages and surely within B_0), and the radii grow with B_0 ≥ "
        "‖v_0 − x̄‖₂",
    ),
    claims=(
        random_centre,
        constant_radius,
        sketch,
        sketch_corrected,
        sketch_small,
        identity,
        step_inequality,
        one_step,
        one_step_sharper,
        at_most,
        good_path,
        any_path,
        printed_constants,
        plain_radii,
        fast_radii,
        every_delta,
    ),
    data=picture,
    proofs=("one_step",),
    uses=("yin2018",),
)
