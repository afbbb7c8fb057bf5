"""The identities, sums of squares and signs in the proofs of Theorem VI′, as polynomials and their quotients."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.polynomials import letters, of_two_vectors, quotients, vanishes
from theory.claim import Context, Control, claim
from theory.theorem_vi_momentum.identities_of_parts import of_implied, of_one_sided, of_the_quadratic


@claim(
    "The identities, sums of squares and signs of the proofs hold as polynomials, or quotients of these, in α, Lη, "
    "F_0, σ²/g, cδσ², n, T and the inner products of the vectors.",
    part_of="corrected",
    controls=(
        Control("one square of each error", "‖a + b‖² may be twice the sum", {"twice": 1}),
        Control("α = 4Lη", "then L²η²/α² is 1/16", {"eight": 4}),
        Control("F_0 + κσ²/8L ≤ 4A", "(40·4 + 32)²/20 is more than 34²", {"theta": 4}),
        Control("160η", "the printed bound is 16·20η + … there", {"coefficient": 160}),
        Control("0.0055 for the integral", "it is 0.00548", {"integral": Fraction("0.0055")}),
    ),
)
def identities(
    ctx: Context,
    *,
    twice: int = 2,
    eight: int = 8,
    theta: int = 3,
    coefficient: int = 320,
    integral: Fraction = Fraction("0.005475"),
) -> Iterable[Evidence]:
    """What is left of each identity, and the signs: `upper_bound.md`, then the other proofs."""
    yield from of_two_vectors(("upper_bound, step 1", "upper_bound, step 1"), twice)
    alpha, aa, ab, bb = letters("alpha aa ab bb")  # of vectors a and b
    added, keep = aa + 2 * ab + bb, 1 - alpha
    square = alpha**2 * aa - 2 * alpha * keep * ab + keep**2 * bb  # ‖αa − (1 − α)b‖²
    yield vanishes(
        "α(1 − α)‖a‖² + (1 − α)²‖b‖² − α(1 − α)²‖a + b‖² = (1 − α)‖αa − (1 − α)b‖² (upper_bound, step 3)",
        alpha * keep * aa + keep**2 * bb - alpha * keep**2 * added - keep * square,
    )
    alpha, m, p, q, z = letters("alpha m p q z")  # m̄_{t−1}, ∇f(x_{t−2}), ∇f(x_{t−1}), the noise
    moved = (1 - alpha) * m + alpha * q + alpha * z - q
    yield vanishes("the change of ē (upper_bound, step 2)", moved - (1 - alpha) * ((m - p) + p - q) - alpha * z)
    yield vanishes("ē_1 from m_0 = 0 (upper_bound, step 4)", alpha * (q + z) - q + (1 - alpha) * q - alpha * z)
    u, gap, noise, spread, T = letters("u gap noise spread T")  # Lη, F_0·L, σ²/g, cδσ², T
    alpha = eight * u
    yield vanishes("L²η²/α² = 1/64 (upper_bound, step 5)", 64 * u**2 - alpha**2)
    yield vanishes(
        "1 − Lη − 2(1 − α)²/64 = 7/8 + 2(1/8 − Lη)(Lη + 3/8) (upper_bound, step 7)",
        32 * (1 - u) - (1 - alpha) ** 2 - 28 - 64 * (1 - 8 * u) * (8 * u + 3) / 64,
    )
    start = 2 * (1 - alpha) ** 2 * gap + alpha**2 * noise  # step 4, m_0 = 0
    left = 2 * start + 2 * alpha**2 * (T - 1) * noise  # times αT
    right = (4 * gap + 2 * alpha**2 * T * noise) - 4 * alpha * (2 - alpha) * gap
    yield vanishes("the errors' sum, m_0 = 0, less 4α(2 − α)LF_0 ≥ 0 (upper_bound, step 7)", left - right)
    first = 2 * noise + 2 * alpha**2 * (T - 1) * noise  # α_1 = 1
    yield vanishes(
        "the errors' sum, α_1 = 1, less 2α²σ²/g ≥ 0 (upper_bound, step 7)",
        first - (2 * noise + 2 * alpha**2 * T * noise - 2 * alpha**2 * noise),
    )
    total = 2 * gap + gap / 2 + 16 * u**2 * T * noise + 32 * u**2 * T * spread  # times LηT
    yield vanishes(
        "2F_0/(ηT) + F_0/(2ηT) + 16Lησ²/g + 32Lησ²cδ = 2.5F_0/(ηT) + 16Lησ²κ (upper_bound, step 7)",
        total - (5 * gap / 2 + 16 * u**2 * T * (2 * spread + noise)),
    )
    alpha, n, f, g = quotients("alpha n f g")
    both = alpha / (2 - alpha)
    yield vanishes(
        "α²Σ(1 − α)^{2k} and Σ(1 − α)^{2k}, from their recursions (upper_bound, step 6)",
        (1 - alpha) ** 2 * both + alpha**2 - both,
        (1 - alpha) ** 2 / (alpha * (2 - alpha)) + 1 - 1 / (alpha * (2 - alpha)),
    )
    share = f / n
    yield vanishes(
        "κ of TM times (g − 1)/(2g) (upper_bound, step 8)",
        f / (n - 2 * f) * (g - 1) / (2 * g) - (g - 1) / g * share / (2 * (1 - 2 * share)),
    )
    yield from of_implied(theta)
    yield from of_the_quadratic(coefficient, integral)
    yield from of_one_sided()
