"""The algebra of `bound.md`, `rates.md`, `one_sided.md` and `runs.md`; the claim is `identities`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.polynomials import nonnegative, quotients, vanishes


def of_the_bound(three: int, twelve: int) -> Iterator[Evidence]:
    """Steps 1 to 3 and 5 to 8 of `bound.md`."""
    best, e, T, kappa, h, L, var, b = quotients("best e T kappa h L var b")  # η's best value, η, and σ²
    C = Fraction(64, 3) * kappa * h * L**2 * var
    F = C * best**3 * T
    alpha = Fraction(16, 3) * h * L**2 * e**2
    start = 2 * kappa * var / (b * alpha * T)
    yield vanishes(
        "the best η, both terms there, and the start (bound, step 1)",
        4 * kappa * alpha * var - C * e**2,
        best**3 - 3 * F / (64 * kappa * h * L**2 * var * T),
        2 * F / (e * T) + C * e**2 - three * C * best**2 - C * (e - best) ** 2 * (e + 2 * best) / e,
        C * best**2 - F / (best * T),
        start - 3 * kappa * var / (8 * b * h * L**2 * e**2 * T),
        start * b / (3 * kappa * var / (8 * e * h * L**2 * F)) - F / (e * T),
    )
    x, before, m, e, al, now, then, s = quotients("x before m e al now then s")  # now, then: the mean of sin at both
    error = m - before
    step = -e * m
    sent = x + s * now + (1 - al) * (m - before - s * then)
    noise = s * (now - (1 - al) * then)
    yield vanishes(
        "the step and the error (bound, step 2)",
        step + e * (before + error),
        before + step - (1 - e) * before + e * error,
        sent - x - (1 - al) * error - noise,
    )
    c, u, more = now, then, s
    yield vanishes(
        "the variance, by cos u (bound, step 3)",
        1 + (1 - al) ** 2 - 2 * (1 - al) * c - (al**2 + 2 * (1 - al) * (1 - c)),
    )
    U = u + more
    yield nonnegative(
        "u²/2 − u⁴/24 less (1 − U²/12)u²/2, u ≤ U (bound, step 3)",
        u**2 / 2 - u**4 / 24 - (1 - U**2 / twelve) * u**2 / 2,
    )
    after = (1 - al) * error + noise
    u = -e * (before + error)
    yield vanishes("the next step (bound, step 5)", -e * (before + u + after) - (1 - e) * u + e * (noise - al * error))
    far, U, D = x, now, then  # |x_0|, U and D
    reach = far + s + s * U / al
    yield vanishes(
        "what must be at most U (bound, step 5)",
        al * s + s * U + al * reach - (al * (far + 2 * s) + 2 * s * U),
        U - al * (far + 2 * s) - 2 * s * U - ((1 - 2 * s) * U - al * (far + 2 * s)),
    )
    mean = s  # of the noises, in units
    first = -(1 - al) * x + al * mean
    yield vanishes(
        "the start from 0, and what is linear in the noise (bound, step 6)",
        (al * (x + mean) - x) - first,
        first**2 - (1 - al) ** 2 * x**2 - al**2 * mean**2 + 2 * al * (1 - al) * x * mean,
    )
    other = s + s * U / al
    yield vanishes(
        "both D' (bound, step 7)",
        al * other - al * s - s * U,
        U - (al * s + s * U + al * D) - ((1 - s) * U - al * (D + s)),
        U - (al * s + s * U + al * other) - ((1 - 2 * s) * U - 2 * al * s),
    )
    sent = (1 - al) * m + al * (x + s * now)
    yield vanishes(
        "the same for SGDm (bound, step 8)",
        sent - x - (1 - al) * (error - (x - before)) - al * s * now,
        error - u - e * before - (1 + e) * error,
    )


def of_the_runs() -> Iterator[Evidence]:
    """Step 4 of `bound.md`, and 2 to 4 of `runs.md`."""
    e, al, x, error, noise, s, u, gamma = quotients("e al x error noise s u gamma")
    after, then = (1 - e) * x - e * error, (1 - al) * error  # the new pair, but for its noise
    xx, xe, ee = x**2, x * error, error**2
    yield vanishes(
        "the second moments of a round (bound, step 4)",
        after**2 - (1 - e) ** 2 * xx + 2 * e * (1 - e) * xe - e**2 * ee,
        after * then - (1 - al) * ((1 - e) * xe - e * ee),
        (then + noise) ** 2 - (1 - al) ** 2 * ee - noise**2 - 2 * then * noise,
        al**2 + 2 * (1 - al) * (gamma * u**2 / 2) - (al**2 + (1 - al) * gamma * u**2),
        (-e * (x + error)) ** 2 - e**2 * (xx + 2 * xe + ee),
    )
    now, before = x, error  # sin(x + ξ) and sin(x − u + ξ)
    yield vanishes(
        "the new noise (runs, step 2)", s * now - (1 - al) * s * before - al * s * now - (1 - al) * s * (now - before)
    )
    yield vanishes("x after a step (runs, step 3)", x - e * (x + error) - (1 - e) * x + e * error)
    D, tau, C, d = s, u, gamma, al
    yield vanishes(
        "the mean of all terms in both cases (runs, step 4)",
        (1 - d) * (D + tau) + d * (D + 2 * tau) - (D + tau + d * tau),
        (1 - d) * (C - tau) + d * (C + tau) - (C - (1 - 2 * d) * tau),
    )


def of_the_rates() -> Iterator[Evidence]:
    """Steps 1 and 3 of `rates.md`, and 1 to 4 of `one_sided.md`; A, B and Q are powers of 1 − α, 1 − η and (1 − α)²."""
    e, al, A, B, Q, b = quotients("e al A B Q b")
    moved, later = -e * (A - B) / (e - al), -e * (A * (1 - al) - B * (1 - e)) / (e - al)
    yield vanishes(
        "h_t by induction (rates, step 1)", later - (1 - e) * moved + e * A, -e * ((1 - al) - (1 - e)) / (e - al) + e
    )
    yield vanishes(
        "the three geometric sums (rates, step 3)",
        1 - (1 - al) ** 2 - al * (2 - al),
        1 - (1 - al) * (1 - e) - (al + e - al * e),
        1 - (1 - e) ** 2 - e * (2 - e),
    )
    x, before, m, z = A, B, Q, b
    sent = x + z + (1 - al) * (m - before - z)  # one sample, whose noise z does not depend on x
    yield vanishes(
        "the correction with additive noise (one_sided, step 1)", sent - x - (1 - al) * (m - before) - al * z
    )
    both = Q / b + al * (1 - Q) / (2 - al)
    keep = (1 - al) ** 2
    yield vanishes(
        "s_t² by induction (one_sided, step 3)", keep * both + al**2 - keep * Q / b - al * (1 - keep * Q) / (2 - al)
    )
    done, u = Q, z  # the weighted sum of u_1, …, u_t
    now = B * x - e * done
    yield vanishes(
        "x_t by induction (one_sided, step 2)", (1 - e) * now - e * u - (1 - e) * B * x + e * ((1 - e) * done + u)
    )
    n, f, g, h = quotients("n f g h")
    yield vanishes("the factor of V_t (one_sided, step 4)", h / (n - 2 * f) - g / (n - 2 * f) * h / g)
