"""The algebra in the proofs of Remark 4, as identities and signs of polynomials."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.polynomials import nonnegative, quotients, vanishes
from theory.claim import Context, Control, claim


@claim(
    "The identities and signs in the proofs hold for all values of the letters.",
    controls=(
        Control("4n²(d + ℓ)", "for large d the sum has more than that", {"six": 4}),
        Control("c_2 = −½", "then λ/3 is left", {"other": Fraction(1, 2)}),
    ),
)
def identities(ctx: Context, *, six: int = 6, other: Fraction = Fraction(1, 3)) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    s, t, r, q = quotients("s t r q")
    half, f = Fraction(1, 2), 1 + q
    n, d, log = 4 * f + 3 + s, 1 + t, 2 + r
    m = s
    yield vanishes("s_m less s_{m − 1}, less 1 (incremental_bulyan, step 2)", (m - f - 2) - (m - 1 - f - 2) - 1)
    yield nonnegative(
        "(2f + 2) − (f + 3) less 1 for f ≥ 2 (incremental_bulyan, step 2)", (2 * (f + 1) + 2) - ((f + 1) + 3) - 1
    )
    yield nonnegative("4n less how far the ends move (incremental_bulyan, step 3)", 4 * n - 2 * ((n - f - 2) + n))
    parts = (
        3 * n * (n - 1) * d * half,
        n**2 * log,
        4 * n**2,
        n**2,
        n * (n - 1) * half,
        n * (n + 1) * half,
        3 * n**2 * d,
    )
    total = 9 * n**2 * d * half + n**2 * log + 6 * n**2 + n * half
    yield nonnegative(
        "the total less its parts, and 6n²(d + ℓ) less the total (incremental_bulyan, step 4)",
        total - sum(parts, 0 * n),
        six * n**2 * (d + log) - total,
    )
    yield vanishes("two clipped terms (worker_sums, step 5)", (s + half - other) / 3 - (s + Fraction(1, 6)) / 3)
