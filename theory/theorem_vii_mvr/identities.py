"""The identities and signs in the proofs of Theorem VII′, as polynomials and their quotients."""

from __future__ import annotations

from collections.abc import Iterable

from sims.checks.evidence import Evidence
from sims.checks.polynomials import letters, of_two_vectors, vanishes
from theory.claim import Context, Control, claim
from theory.theorem_vii_mvr.identities_of_parts import of_the_bound, of_the_rates, of_the_runs


@claim(
    "The identities and signs of the proofs hold as polynomials, or quotients of these, in α, Lη, κ, cδ, 1/g, V_t, the "
    "steps and errors, and the inner products of the vectors.",
    part_of="corrected",
    controls=(
        Control("one square of each error", "‖a + b‖² may be twice the sum", {"twice": 1}),
        Control("two samples", "then the noise of the last round does not cancel", {"same_sample": 0}),
        Control("at most 2F_0/(ηT) at the best η", "both terms together are three times F_0/(ηT)", {"three": 2}),
        Control("1 − cos u ≥ (1 − U²/24)u²/2", "at u = U it is less, up to the order of u⁴", {"twelve": 24}),
    ),
)
def identities(
    ctx: Context, *, twice: int = 2, same_sample: int = 1, three: int = 3, twelve: int = 12
) -> Iterable[Evidence]:
    """What is left of each identity, and the signs: `upper_bound.md`, then the other proofs."""
    yield from of_two_vectors(("upper_bound, step 1", "upper_bound, steps 3 and 5"), twice)
    alpha, m, g, g_before, f, f_before = letters(
        "alpha m g g_before f f_before"
    )  # gradients of a sample, and true ones
    noise, before = g - f, g_before - f_before
    error = g + (1 - alpha) * (m - same_sample * g_before) - f
    expected = (1 - alpha) * (m - f_before) + alpha * noise + (1 - alpha) * (noise - before)
    yield vanishes("how the error of a worker changes (upper_bound, step 2)", error - expected)
    c_delta, over_g, V = letters("c_delta over_g V")
    yield vanishes(
        "4cδV + 2V/g = 2κV (upper_bound, step 5)", 4 * c_delta * V + 2 * over_g * V - 2 * (2 * c_delta + over_g) * V
    )
    alpha, u, kappa = letters("alpha u kappa")  # u = Lη
    keep = 1 - alpha
    yield vanishes("(1 − α) − (1 − α)² = α(1 − α) (upper_bound, step 6)", keep - keep**2 - alpha * keep)
    yield vanishes(
        "4κL²η² = ¾α at α = (16/3)κL²η² (upper_bound, step 7)", 4 * kappa * u**2 - 16 * kappa * u**2 * 3 / 3 / 4
    )
    yield vanishes(
        "(2 − α) − 2(1 − α)² = α(3 − 2α) (upper_bound, step 8)", 2 - alpha - 2 * keep**2 - alpha * (3 - 2 * alpha)
    )
    yield from of_the_bound(three, twelve)
    yield from of_the_rates()
    yield from of_the_runs()
