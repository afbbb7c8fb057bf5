"""The algebra in the proofs of Remark 1, as identities of polynomials and their quotients."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.polynomials import nonnegative, quotients, vanishes
from theory.claim import Context, Control, claim


@claim(
    "The identities and signs in the proofs hold for all values of the letters.",
    controls=(
        Control("B²(2 − B)", "of three values two are enough, in three ways", {"three": 2}),
        Control("0.51 in Berry and Esseen's theorem", "12 times that is more than 6", {"esseen": Fraction("0.51")}),
    ),
)
def identities(ctx: Context, *, three: int = 3, esseen: Fraction = Fraction("0.4748")) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    p, w, B, M, h = quotients("p w B M h")  # w = √3/π
    one = p**0
    yield vanishes(
        "bias²/σ² of the median (bias_of_the_median, step 1)",
        one * (Fraction(3, 32) ** 2 / Fraction(3, 16)) - Fraction(3, 64),
    )
    k, u = B, p  # n = 2k − 1; (1/B(k, k))/4^{k − 1} and the formula of γ_n, each at k + 1 over that at k
    density, formula = 2 * k * (2 * k + 1) / k**2 / 4, (2 * k + 1) / (2 * k - 1) / 4 * (2 * k * (2 * k - 1) / k**2)
    yield vanishes(
        "γ_n by induction, and u(1 − u) ≤ ¼ (bias_of_the_median, step 3)",
        density - formula,
        Fraction(1, 4) - u * (1 - u) - (1 - 2 * u) ** 2 / 4,
    )
    third = p * (1 - p) ** 3 + (1 - p) * p**3
    yield vanishes("E|X − p|³ (bias_of_the_median, step 5)", third - p * (1 - p) * (p**2 + (1 - p) ** 2))
    v = 3 - 2 * (1 + w / 2)
    yield vanishes(
        "v_3, and the limit at p = ¼ (bias_of_the_median, step 7)",
        v - 1 + w,
        (1 - 2 * Fraction(1, 4)) * (1 - v) / 6 - w / 12,
    )
    yield vanishes("bias²/σ² (heavy_tail, step 1)", one * (Fraction(3, 20) ** 2 / Fraction(3, 4)) - Fraction(3, 100))
    yield vanishes("P(X̂ = x), added up to M (heavy_tail, step 2)", (1 / h**3 - 1 / M**3) + 1 / M**3 - 1 / h**3)
    yield vanishes("the median of three (heavy_tail, step 6)", 3 * B**2 * (1 - B) + B**3 - B**2 * (three - 2 * B))
    n, f = p, w
    pairs = (n - 1) * (n - 2) / 2
    yield vanishes(
        "how often Krum's choice changes (bias_of_krum, step 3)",
        14 * pairs + (n - 1) * (2 * (f + 4) + f + 3) - (n - 1) * (7 * n + 3 * f - 3),
    )
    yield nonnegative("6 less 12 times Shevtsova's constant (bias_of_krum, step 4)", one * (6 - 12 * esseen))
    r, pi = B, h  # √3 and √π
    yield vanishes(
        "half the mean of the least gap (bias_of_krum, step 6)",
        pi / 2 * (6 / pi**2) * (1 - r / 2) - (6 - 3 * r) / (2 * pi),
    )
