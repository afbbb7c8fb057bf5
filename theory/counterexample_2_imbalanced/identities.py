"""The algebra in the proofs of Counterexample 2, as identities and signs of polynomials and their quotients."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.polynomials import nonnegative, quotients, vanishes
from theory.claim import Context, Control, claim


@claim(
    "The identities and signs in the proofs hold for all values of the letters.",
    part_of="corrected",
    controls=(
        Control("t = 3/2", "the base is smallest at t = √(p_1/p_3) = 2", {"t": Fraction(3, 2)}),
        Control("n ≥ 2f + 1", "then two groups can have n − f − 1 messages", {"least": 1}),
    ),
)
def identities(ctx: Context, *, t: Fraction = Fraction(2), least: int = 3) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    f, more, c, other, n = quotients("f more c other n")
    size = 2 * f + least + more
    yield nonnegative("n − f − 1 − n/2 less ½ (class_counts, step 2)", size - f - 1 - size / 2 - Fraction(1, 2))
    yield vanishes("a score of c equal ones (class_counts, step 2)", 2 * (n - f - 2 - (c - 1)) - 2 * (n - f - 1 - c))
    yield vanishes(
        "the condition for two classes (class_counts, step 3)",
        other**2 + ((c + other) - c) ** 2 - 2 * c**2 - 2 * (other**2 - c**2),
    )
    v = -c / (c + other)  # with the weights c and `other`
    yield vanishes("the gradient at the weighted mean (class_counts, step 4)", c * (v + 1) + other * v)
    one, p_1, p_2, p_3 = n**0, *(Fraction(2**k, 1023) for k in (9, 8, 7))
    yield vanishes(
        "1/(4(p_1 − ½)²), and the share of two classes (many_workers, step 2)",
        one / (4 * (p_1 - Fraction(1, 2)) ** 2) - 1023**2,
        one * (p_1 + p_2) - Fraction(256, 341),
    )
    p, q, s = f, more, c
    yield vanishes(
        "the base at t = 2, and for class 3 (many_workers, step 3)",
        (1 - p - q + t * q + p / t) - (1 + q - p / 2),
        one * (1 - p_1 - p_3 + t * p_3 + p_1 / t) - Fraction(895, 1023),
    )
    least_sq = (1 - p) / p  # t²
    yield vanishes(
        "the base squared (many_workers, step 4)", (least_sq * p + (1 - p)) ** 2 / least_sq - 4 * p * (1 - p)
    )
    yield vanishes("‖mean of n‖² (many_workers, step 6)", (n * p + n * (n - 1) * q) / n**2 - q - (p - q) / n)
    yield vanishes("McDiarmid's exponent (many_workers, step 7)", 2 * s**2 / (n * (2 / n) ** 2) - n * s**2 / 2)
