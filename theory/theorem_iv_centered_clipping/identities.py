"""The algebra in the proofs of Theorem IV, as identities and signs of polynomials and their quotients.

A vector is a letter where an identity is linear in it. Else its inner products are letters: `xx` is ‖x‖², `xv` ⟨x, v⟩.
A mean over the good vectors is a letter, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.polynomials import Quotient, nonnegative, quotients, vanishes
from theory.claim import Context, Control, claim


def a_step(d: Quotient, v: Quotient, x: Quotient, cut: Quotient, bad: Quotient) -> Quotient:
    """v⁺ from x̄ and the means of what is cut off and of the clipped bad vectors: a clipped one is z − h(z)."""
    return v + (1 - d) * (x - v - cut) + d * bad


def of_one_step(four: int) -> Iterator[Evidence]:
    """Steps 1, 3 to 5 and 7 to 9 of `one_step.md`."""
    d, v, x, cut, bad = quotients("d v x cut bad")
    expected = d * (v - x) - (1 - d) * cut + d * bad
    yield vanishes("P0 (one_step, step 1)", a_step(d, v, x, cut, bad) - x - expected)
    a, tau = quotients("a tau")
    yield vanishes("a² − 4τ(a − τ) = (a − 2τ)² (one_step, step 3)", a**2 - four * tau * (a - tau) - (a - 2 * tau) ** 2)
    g, mean, xx, xv, vv, rho = quotients("g mean xx xv vv rho")  # mean is avg‖x_i‖², x the mean of the x_i
    apart, pairs = mean - 2 * xx + xx, 2 * g * g * mean - 2 * g**2 * xx
    yield vanishes(
        "the mean squares about v and x̄ (one_step, step 4)",
        mean - 2 * xv + vv - (xx - 2 * xv + vv) - apart,
        pairs / (2 * g**2) - apart,
        rho**2 / 2 - rho**2 * (g - 1) / (2 * g) - rho**2 / (2 * g),
    )
    d, n, y, A, D, S, T, ww = quotients("d n y A D S T ww")  # S = B² + ρ², ww = w²
    left = (d * n - 1) / ((1 - d) * n)
    yield vanishes("δ/(1 − δ) − 1/g = (δn − 1)/g (one_step, step 5)", d / (1 - d) - 1 / ((1 - d) * n) - left)
    rate = A + D**2 / (4 * y * (A * y + D))
    m, tau_sq, rho_sq = S * (1 + ww) / 2, T**2 * S / d, (1 - ww) * S
    a, b = (1 + ww) ** 2 / (64 * T**2), (1 - ww) / 2
    yield vanishes(
        "the rate squared, and in bounded variables (one_step, step 7)",
        (2 * A * y + D) ** 2 / (4 * (A * y**2 + D * y)) - rate,
        m**2 / (16 * tau_sq) - S * d * a,
        d * rho_sq / 2 - S * d * b,
    )
    inside = m**2 / (16 * tau_sq) + d * rho_sq / (2 * (1 - d))
    yield vanishes(
        "U/(δ(B² + ρ²)) in bounded variables (one_step, step 8)",
        inside / (d * S) - a - (1 - ww) / (2 * (1 - d)),
        (ww * S / 3 + rho_sq) / S - (1 - 2 * ww / 3),
    )
    best, tau, p, u, y, rho = quotients("best tau p u y rho")  # u² = δ, y² = 1 − δ
    d, free = u**2, 4 * u**2 * best**2  # (1 − δ)M
    m = 3 * rho**2 / 2  # from B = ρ
    tau_sq = y**2 * m / (4 * d)
    yield vanishes(
        "the best radius (one_step, step 9)",
        free / (4 * tau) + d * tau - 2 * d * best - d * (tau - best) ** 2 / tau,
        m**2 / (16 * tau_sq) + d * rho**2 / (2 * y**2) - Fraction(7, 8) * d * rho**2 / y**2,
        d**2 * tau_sq - Fraction(3, 8) * d * y**2 * rho**2,
        (1 - d) ** 2 - d * (1 - d) - (1 - d) * (1 - 2 * d),
        (p**2 + 1) * (y**2 + u**2) - (p * y + u) ** 2 - (y - p * u) ** 2,
    )
    one = u**0
    yield nonnegative(
        "3.396 less (√(7/8) + √(3/8))² + 1 = 9/4 + √21/4, both squared (one_step, step 9)",
        one * ((Fraction("3.396") - Fraction(9, 4)) ** 2 - Fraction(21, 16)),
    )


def of_many_steps(plus: int) -> Iterator[Evidence]:
    """Steps 1 to 9, 11, 12 and 14 of `many_steps.md`."""
    s, V, mean, mm, t, u, rho, keep = quotients("s V mean mm t u rho keep")
    g = 2 + s
    apart = mean - 2 * mm + mm  # avg‖m_i − μ̄‖², mean is avg‖m_i‖²
    total = 2 * (g - 1) * g * V + 2 * g**2 * apart
    yield vanishes("all pairs (many_steps, step 1)", 2 * g * (g - 1) * V + 2 * g * g * mean - 2 * g**2 * mm - total)
    s, V, Q = quotients("s V Q")
    g = 2 + s
    yield nonnegative(
        "all pairs less g − 1 points (many_steps, step 1)",
        (2 * (g - 1) * g * V + 2 * g**2 * Q) / (2 * g * (g - 1)) - (V + Q),
    )
    yield vanishes(
        "the mean of A (many_steps, step 2)",
        rho**2 / 2 / (4 * keep * t * rho / u) - rho * u / (8 * keep * t),  # keep = 1 − θ
    )
    d, v, x, cut, bad, m, theta, k = quotients("d v x cut bad m theta k")
    moved = a_step(d, v, x, cut, bad) - m
    yield vanishes(
        "a step about μ̄ (many_steps, step 3)",
        moved - (d * (v - m) + (1 - d) * (x - m) - (1 - d) * cut + d * bad),
    )
    eta, q, n = theta - (1 + theta) * k, m, x
    p = q / (1 - q)
    c_q = (1 + p**2) / (1 - p**2)
    yield vanishes(
        "c_q, and how many are near (many_steps, step 4)",
        c_q - (1 - 2 * q + 2 * q**2) / (1 - 2 * q),
        (1 - d) * n - (q - d) * n - (1 - q) * n,
    )
    a, b, tau = quotients("a b tau")  # e_1 = a², e_2 = b², Q = ab
    inside = (tau - a**2) * (tau - b**2)
    yield vanishes(
        "(Q − τ)² less the power of z (many_steps, step 5)", (a * b - tau) ** 2 - inside - tau * (a - b) ** 2
    )
    D, Q, tau, p, q, N = quotients("D Q tau p q N")
    yield vanishes(
        "what all points do (many_steps, step 6)",
        (D**2 - Q**2) + (Q - tau) ** 2 - (D**2 - 2 * tau * Q + tau**2),
        (D - p * tau) ** 2 - (D**2 - 2 * tau * Q + tau**2) - tau * (2 * (Q - p * D) - tau * (1 - p**2)),
        2 * (Q - p * D) - Q * (1 - p**2) - ((1 + p**2) * Q - 2 * p * D),
        (1 + p**2) ** 2 - 4 * p**2 - (1 - plus * p**2) ** 2,
        (D - (1 - q) * N - q * (D + tau)) / (1 - q) - (D - q / (1 - q) * tau - N),
    )
    yield vanishes("D_j ≤ θY/η (many_steps, step 7)", (1 + theta) * k / eta + 1 - theta / eta)
    e, d, q, n, rho, C, t, u, kappa = quotients("e d q n rho C t u kappa")
    yield vanishes(
        "C, and C²/x_0² (many_steps, step 8)",
        e * (1 - d) * n / ((q - d) * n) * rho**2 / 2 - e * rho**2 * (1 - d) / (2 * (q - d)),
        C**2 / (kappa * t * rho / u) ** 2 - C**2 / (kappa**2 * t**2 * rho**4) * u**2 * rho**2,
    )
    yield vanishes("(1 − δ)m/g at m = (q − δ)n (many_steps, step 9)", (1 - d) * (q - d) * n / ((1 - d) * n) - (q - d))
    m = 1 + quotients("s")[0]
    yield nonnegative("m³ − (m + 1)(m − 1)² (many_steps, step 8)", m**3 - (m + 1) * (m - 1) ** 2)
    k, K = quotients("k K")  # K = k^l
    yield vanishes(
        "k + … + k^l, by induction (many_steps, step 11)",
        k * (k * (1 - K) / (1 - k) + 1) - k * (1 - k * K) / (1 - k),
    )
    lead, a, b, X, V = quotients("lead a b X V")
    K = b**2 / (1 - a**2 / lead)
    form = (lead - a**2) * X**2 - 2 * a * b * X * V + (K - b**2) * V**2
    yield vanishes(
        "the quadratic form (many_steps, step 12)",
        lead * X**2 + K * V**2 - (a * X + b * V) ** 2 - form,
        (lead - a**2) * (K - b**2) - a**2 * b**2,
        (lead - a**2) * form - ((lead - a**2) * X - a * b * V) ** 2,
    )
    d, B, rho, r, c = quotients("d B rho r c")  # squares: B is B_l², r is r², c is 4(1 − δ)/(√3 δ)
    least = Fraction("22.1") * d * rho / (1 - Fraction("6.45") * d)
    after = Fraction("6.45") * d * B + Fraction("22.1") * d * rho
    start, floor = c * (B / 3 + rho), c * (least / 3 + rho)
    yield vanishes(
        "the reconstructed radii (many_steps, step 14)",
        after - least - Fraction("6.45") * d * (B - least),
        c * (after / 3 + rho) - floor - Fraction("6.45") * d * (start - floor),
        floor + r * (start - floor) - r * start - (1 - r) * floor,
        start - floor - c / 3 * (B - least),
    )


def of_every_delta() -> Iterator[Evidence]:
    """Steps 1 to 3 of `every_delta.md`, x = 2δ."""
    (x,) = quotients("x")
    theta, d, q = (1 + x) / 2, x / 2, (1 + x) / 4
    k = d / theta
    eta, p = theta - (1 + theta) * k, q / (1 - q)
    yield vanishes(
        "k, η, q − δ, 1 − 2q, p (every_delta, step 1)",
        k - x / (1 + x),
        eta - (1 - x) / (2 * (1 + x)),
        q - d - (1 - x) / 4,
        1 - 2 * q - (1 - x) / 2,
        p - (1 + x) / (3 - x),
    )
    omega, c_q = (1 - theta) / eta + 1 / (q - d), (1 - 2 * q + 2 * q**2) / (1 - 2 * q)
    four = 4 + (1 - x) * (1 + x)
    yield vanishes(
        "the three terms of c_4 (every_delta, step 2)",
        omega - (1 + x) - 4 / (1 - x),
        theta / eta - (1 + x) ** 2 / (1 - x),
        (1 - x) ** 2 * omega * c_q - four * ((1 - x) + (1 + x) ** 2 / 4),
        (1 - x) ** 2 * (omega + p / eta) - (1 - x) * (four + 2 * (1 + x) ** 2 / (3 - x)),
    )
    alpha = k + k / theta / (1 - k)
    yield vanishes(
        "(1 − θ)t and α (every_delta, step 3)", (1 - theta) / (1 - x) - Fraction(1, 2), alpha - 3 * x / (1 + x)
    )
    (z,) = quotients("z")
    x = z / (1 + z)
    yield nonnegative("3/2 − 3x/(1 + x) at x ≤ 1 (every_delta, step 3)", Fraction(3, 2) - 3 * x / (1 + x))


def of_the_print(most: Fraction) -> Iterator[Evidence]:
    """Steps 2 and 5 of `far_centres.md`, and all of `sketch.md`."""
    d, n, v, tau, B, V, D = quotients("d n v tau B V D")
    yield vanishes("P·D² + Var x̄ = B² (far_centres, step 2)", (B**2 - V) / D**2 * D**2 + V - B**2)
    reached = v + ((1 - d) * n * -tau + d * n * tau) / n
    yield vanishes("v⁺ = v − (1 − 2δ)τ (far_centres, step 5)", reached - v + (1 - 2 * d) * tau)
    d, x, b, xx, xb, bb = quotients("d x b xx xb bb")
    error = bb - 2 * xb + xx
    yield vanishes(
        "δ(b̄ − x̄), and 2‖b̄‖² + 2‖x̄‖² − ‖b̄ − x̄‖² = ‖b̄ + x̄‖² (sketch, step 1)",
        (1 - d) * x + d * b - x - d * (b - x),
        2 * bb + 2 * xx - error - (bb + 2 * xb + xx),
    )
    yield vanishes("δ²‖b̄ − x̄‖² at b̄ = −x̄ (sketch, step 2)", d**2 * (xx + 2 * xx + xx) - 4 * d**2 * xx)
    yield vanishes("δ − 4δ² = 4δ(¼ − δ) (sketch, step 3)", d - 4 * d**2 - 4 * d * (Fraction(1, 4) - d))
    (z,) = quotients("z")
    d = most * z / (1 + z)
    yield nonnegative("δ − 4δ² up to ¼ (sketch, step 3)", d - 4 * d**2)


def of_the_attack() -> Iterator[Evidence]:
    """Steps 1 and 2 of `attacked.md`: z ≤ z' in each pair of pieces of clipping, and x̄ anywhere."""
    tau, s, m = quotients("tau s m")
    pairs = (  # z, what comes of it, z' and what comes of that; the pieces are below −τ, between and above τ
        (-tau - s - m, -tau, -tau - s, -tau),
        (-tau - s, -tau, -tau + m, -tau + m),
        (-tau - s, -tau, tau + m, tau),
        (-tau + s, -tau + s, -tau + s + m, -tau + s + m),
        (tau - s, tau - s, tau + m, tau),
        (tau + s, tau, tau + s + m, tau),
    )
    values = [value for z, low, above, high in pairs for value in (high - low, (above - z) - (high - low))]
    yield nonnegative("clip(z') − clip(z), and of z' − z less that (attacked, step 1)", *values)
    a, b, x, s, t = quotients("a b x s t")  # v = (ta + sb)/(s + t) lies between both ends a and b
    v = (t * a + s * b) / (s + t)
    convex = (t * (a - x) ** 2 + s * (b - x) ** 2) / (s + t) - (v - x) ** 2
    yield vanishes(
        "what (v − x̄)² is below the two ends' (attacked, step 2)", convex - s * t * (a - b) ** 2 / (s + t) ** 2
    )


@claim(
    "The identities and signs in the proofs hold for all values: as polynomials, or quotients of these, in δ, n, τ, "
    "the free parameters and the inner products of the vectors.",
    part_of="corrected",
    controls=(
        Control("a²/(5τ)", "at a = 2τ it is less than a − τ", {"four": 5}),
        Control("(1 + p²)² − 4p² = (1 − 2p²)²", "the middle terms differ", {"plus": 2}),
        Control("4δ² ≤ δ up to ½", "at ½ it is 1 and ½", {"most": Fraction(1, 2)}),
    ),
)
def identities(ctx: Context, *, four: int = 4, plus: int = 1, most: Fraction = Fraction(1, 4)) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign, proof by proof."""
    yield from of_one_step(four)
    yield from of_many_steps(plus)
    yield from of_every_delta()
    yield from of_the_print(most)
    yield from of_the_attack()
