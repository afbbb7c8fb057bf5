"""The algebra of `implied.md`, `on_quadratic.md` and `one_sided.md`; the claim is `identities`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from flint import arb

from sims.checks.evidence import Evidence
from sims.checks.polynomials import nonnegative, quotients, vanishes


def of_implied(theta: int) -> Iterator[Evidence]:
    """Steps 1 to 7 of `implied.md`; g = n/2 + s, and `root` is √(qA/T), so that η = √(A/q)/√(20T) is A/(√20·T·root)."""
    s, n, y, F, T, A, q = quotients("s n y F T A q")
    g = n / 2 + s
    kappa, w, both = 2 * y + 1 / g, 1 / n + y, 2 / n + y
    start = F + Fraction(5, 16) * y
    one = s**0
    yield nonnegative(
        "2w − κ, q − w, w − q/2, 10F_0 + 3y − 9.6A, 16²·4.8 − 35.05² (implied, step 1)",
        2 * w - kappa,
        both - w,
        w - both / 2,
        10 * F + 3 * y - Fraction("9.6") * start,
        one * (256 * Fraction("4.8") - Fraction("35.05") ** 2),
    )
    eta_sq = A / (20 * T * q)
    yield vanishes(
        "(A/(ηT))² and (2ηq)² (implied, step 2)",
        A**2 / (eta_sq * T**2) - 20 * q * A / T,
        4 * eta_sq * q**2 - q * A / (5 * T),
    )
    yield nonnegative(
        "18.4² − (2.5·20 + 32)²/20 (implied, step 2)",
        one * (Fraction("18.4") ** 2 - Fraction(82**2, 20)),
    )
    yield nonnegative(
        "7.2² − 4²·3.2, 32 − 20 (implied, step 3)", one * (Fraction("7.2") ** 2 - 16 * Fraction("3.2")), one * 12
    )
    yield nonnegative(
        "34² − (40·3 + 32)²/20, 35.05 − 34 (implied, step 4)",
        one * (34**2 - Fraction((40 * theta + 32) ** 2, 20)),
        one * (Fraction("35.05") - 34),
    )
    condition = 16 * g * F + Fraction(11, 2) * y * g - 1
    yield vanishes("8g(3A − F_0 − κ/8) (implied, step 5)", 8 * g * (3 * start - F - kappa / 8) - condition)
    yield vanishes("12.8A (implied, step 6)", Fraction("12.8") * start - Fraction("12.8") * F - 4 * y)
    most = Fraction("28.8") * F + 8 * w
    yield nonnegative(
        "what is at most 28.8F_0 + 8w, and that at most 32F_0 + 20w (implied, step 6)",
        most - (16 * F + 4 * w + Fraction("12.8") * start),
        32 * F + 20 * w - most,
    )
    f = n - g
    c_delta_g = n / (2 * (n - 2 * f)) * f / n * g
    yield vanishes(
        "2/11, cδg of TM, of Theorem III, and at δ = 0 (implied, step 7)",
        (condition + 1 - 16 * g * F) / y * (Fraction(2, 11) / g) - 1,
        c_delta_g - f / 2 - f**2 / (2 * (n - 2 * f)),
        n / (2 * f * g) * f / n * g - Fraction(1, 2),
        16 * g * (1 / (16 * g)) - 1,
    )


def of_the_quadratic(coefficient: int, least: Fraction) -> Iterator[Evidence]:
    """Steps 1 to 3 and 5 to 9 of `on_quadratic.md`."""
    e, al, x, m, z, T, before = quotients("e al x m z T before")  # η, α, the noise ζ and x_{t−1}
    beta, p, q = 1 - al, 1 - e * al, -e * (1 - al)
    after = beta * m + al * (x + z)
    moved = x - e * after
    yield vanishes(
        "a round, its squares, and what is linear in the noise (on_quadratic, step 1)",
        moved - p * x - q * m + e * al * z,
        moved**2
        - (p**2 * x**2 + 2 * p * q * x * m + q**2 * m**2)
        - (e * al * z) ** 2
        + 2 * e * al * z * (p * x + q * m),
        moved * after
        - (p * al * x**2 + (p * beta + q * al) * x * m + q * beta * m**2)
        + e * al**2 * z**2
        - al * z * (p * x + q * m - e * (al * x + beta * m)),
        after**2
        - (al**2 * x**2 + 2 * al * beta * x * m + beta**2 * m**2)
        - al**2 * z**2
        - 2 * al * z * (al * x + beta * m),
    )
    m = (before - x) / e
    later = x - e * (beta * m + al * x)
    yield vanishes(
        "without m, and the discriminant (on_quadratic, step 2)",
        later - (2 - al - e * al) * x + (1 - al) * before,
        (2 - al - e * al) ** 2 - 4 * (1 - al) - al * (al * (1 + e) ** 2 - 4 * e),
    )
    yield nonnegative("the discriminant at α = 8η + z (on_quadratic, step 2)", (8 * e + z) * (1 + e) ** 2 - 4 * e)
    F = 40 * T * e**2
    yield vanishes("16²·10F_0/T = (320η)² (on_quadratic, step 3)", 2560 * F / T - (coefficient * e) ** 2)
    root, y = z, m  # root² = 2
    eigen = -4 + 2 * root
    yield vanishes("λ² + 8λ + 8 = 4(root² − 2) (on_quadratic, step 5)", eigen**2 + 8 * eigen + 8 - 4 * (root**2 - 2))
    slope = before  # x'
    y = slope + 8 * x
    yield vanishes(
        "(y² + 8x²)' = −128x² (on_quadratic, step 6)",
        (-8 * slope - 8 * x) + 8 * slope + 8 * x,
        2 * y * (-8 * x) + 16 * x * slope + 128 * x**2,
    )
    yield vanishes(
        "the three contributions (on_quadratic, step 7)",
        (49 + 8) * 2 * F / 128 - Fraction(57, 64) * F,
        (8 * e) ** 2 / 128 - e**2 / 2,
        e**2 * T / 2 - F / 80,
    )
    start = F**0 * Fraction(5, 4542)
    yield vanishes(
        "8F_0, and where both sides agree (on_quadratic, step 8)",
        256 * 10 * F / T * (F / (40 * T)) * T**2 - (8 * F) ** 2,
        Fraction(1, 128) + (Fraction(57, 64) + Fraction(1, 80) - 8) * start,
    )
    e = 1 / (4 * T)
    yield vanishes(
        "η and the bound at F_0 = 2.5/T (on_quadratic, step 9)", 40 * T * e**2 - Fraction(5, 2) / T, 320 * e - 80 / T
    )
    two = arb(2).sqrt()
    rates = (2 * (-4 + 2 * two), arb(-8), 2 * (-4 - 2 * two))
    integral = sum((k * ((r / 4).exp() - 1) / r for k, r in zip((1, -2, 1), rates, strict=True)), arb(0)) / 8
    middle = float(integral.mid())
    error = float(integral.rad()) + 1e-18
    covers = "the integral of the square, term by term; its factor 4/32"
    yield Evidence(
        "4∫ over the first quarter, at most (on_quadratic, step 9)",
        middle,
        "<=",
        Fraction("0.005485"),
        "proved",
        error,
        covers,
    )
    yield Evidence("and at least (on_quadratic, step 9)", middle, ">=", least, "proved", error, covers)


def of_one_sided() -> Iterator[Evidence]:
    """Steps 2 to 8 and 11 of `one_sided.md`."""
    e, al, b, p, u, Q = quotients("e al b p u Q")  # η, α, b_{k−1}, p_t, u_t and a power of 1 − α
    first = 1 - e * al
    yield vanishes("b_1 (one_sided, step 2)", 1 - e * (al * 1) - first)
    mean, P = 1 - al * (1 + e) / 2, lambda z: z**2 - (2 - al - e * al) * z + 1 - al
    yield vanishes(
        "P at b_1 and 1, and its mean root (one_sided, step 3)",
        (2 - al - e * al) / 2 - mean,
        P(first) - e * al * (1 - al),
        P(0 * al + 1) - e * al,
        first - mean - al * (1 - e) / 2,
    )
    r, s = p, u
    closed = [((b - s) * r**k - (b - r) * s**k) / (r - s) for k in range(4)]
    yield vanishes(
        "the closed form: two values, and its recursion (one_sided, step 3)",
        closed[0] - 1,
        closed[1] - b,
        *(closed[k + 1] - (r + s) * closed[k] + r * s * closed[k - 1] for k in (1, 2)),
    )
    g, k, ways, power = r, s, b, Q  # (g − 1)!/((k − 1)!(g − k)!), and p^{k − 1}(1 − p)^{g − k}
    yield vanishes(
        "k·P(Bin(g, p) = k) = gp·P(Bin(g − 1, p) = k − 1) (one_sided, step 4)",
        k * (g / k * ways) * (al * power) - g * al * (ways * power),
    )
    total = al * (1 - Q) / (2 - al)  # s_t² over σ², Q = (1 − α)^{2t}
    yield vanishes(
        "s_t² by induction (one_sided, step 5)", (1 - al) ** 2 * total + al**2 - al * (1 - (1 - al) ** 2 * Q) / (2 - al)
    )
    yield vanishes("the rest of the geometric sum (one_sided, step 6)", al * Q / (1 - (1 - al)) - Q)
    n, f, h, g, a = quotients("n f h g a")
    over = n - 2 * f
    yield vanishes(
        "both factors of V_t (one_sided, step 7)",
        g * h / over**2 - (g / over) ** 2 * h / g,
        h / over - g / over * h / g,
        over * (1 / over) ** 2 - 1 / over,
    )
    yield vanishes("the variance of the linear part, a = αh_k (one_sided, step 8)", g * (a / g) ** 2 - a**2 / g)
    yield vanishes(
        "one value a above the mean, the others equal (one_sided, step 11)",
        (a**2 + (g - 1) * (a / (g - 1)) ** 2) / g * (g - 1) - a**2,
    )
