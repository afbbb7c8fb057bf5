"""The algebra of `bounds.md` and of one step of `krum.md`; the claim is `identities`."""

from __future__ import annotations

from collections.abc import Iterator

from sims.checks.evidence import Evidence
from sims.checks.polynomials import nonnegative, quotients, vanishes


def of_bounds(without: int, share: int) -> Iterator[Evidence]:
    """Steps 1 to 11 of `bounds.md`, and step 3 of `krum.md`."""
    n, f, F, h, a = quotients("n f F h a")
    g = n - f
    parts = h / g + (g - h) / g * (h / (g - h)) ** 2
    yield vanishes("the variance between a subset and the rest (bounds, step 1)", parts - h / (g - h))
    yield vanishes(
        "means, v and the ratio (bounds, step 2)",
        (n - F) - (g - F + f),
        4 * F / g - (2 * F / g) ** 2 - 4 * F * (g - F) / g**2,
        (2 * f / (n - F) + 2 * F / g) ** 2 * g**2 / (4 * F * (g - F)) - (F + f * g / (n - F)) ** 2 / (F * (g - F)),
        (f + f) ** 2 / (f * (n - f - f)) - 4 * f / (n - 2 * f),
    )
    longest = 2 * f * g / n
    published = longest / (g - longest) - 2 * f / (n - 2 * f)
    root, s, t, p, q, y = quotients("root s t p q y")  # root² = κ
    yield vanishes(
        "Cauchy and Schwarz (bounds, step 3)", (root**2 + 1) * (s**2 + t**2) - (root * s + t) ** 2 - (root * t - s) ** 2
    )
    yield vanishes(
        "what v loses, Cauchy and Schwarz, and the published bound (bounds, step 4)",
        (g - a) / g**2 * (g**2 / a) - (g - a) / a,
        (root**2 + y**2) * (p**2 + q**2) - (root * p + y * q) ** 2 - (root * q - y * p) ** 2,
        published,
    )
    A, B = s, t  # F'D/g and kδ/g; p = F'/(g − F'), q = k/(g − k)
    yield vanishes(
        "Cauchy and Schwarz with the best D/δ (bounds, step 5)",
        (p + q) * (A**2 / p + B**2 / q) - (A + B) ** 2 - (q * A - p * B) ** 2 / (p * q),
    )
    mean, xx, ix, ii = quotients("mean xx ix ii")  # avg‖x_k‖², ‖x̄‖², ⟨x_i, x̄⟩, ‖x_i‖²
    v = mean - xx
    yield vanishes("the squared distances of all pairs, in the mean (bounds, step 6)", (mean - 2 * xx + mean) - 2 * v)
    yield vanishes(
        "the squared distances of one message, in the mean (bounds, step 7)",
        (mean - 2 * ix + ii) - v - (ii - 2 * ix + xx),
    )
    s, t, r = quotients("s t r")
    f, less = 1 + s + t, s
    yield nonnegative(
        "how b(g − b) grows below f ≤ n/3 (bounds, step 7)",
        (less + 1) * ((share - 1) * f + r - less - 1) - less * ((share - 1) * f + r - less),
    )
    n, f, F, v, g, beta = quotients("n f F v g beta")
    g = n - f
    yield vanishes(
        "how many neighbours are at which distance (bounds, step 8)",
        (g - 2) - (f - 1) - (n - 2 * f - 1),
        (g - 1) - (f - 1) - (n - 2 * f),
        (g - 2) - (n - 2 * f - 1) - (f - 1),
        (g - 1) - (n - 2 * f - 1) - f,
        4 * (n - 2 * f - 1) - 4 * (f - 1) - 4 * (n - 3 * f),
    )
    s = v
    yield vanishes(
        "partners, and coefficients about their mean (bounds, step 9)",
        (n - 2 * F) - (n - 4 * F) - 2 * F,
        beta - 2 * s * s / g + g * (s / g) ** 2 - (beta - s**2 / g),
    )
    m = n - F
    w = (F - f) / ((n - F) * (n - f - without))
    yield vanishes(
        "the mean of a draw without replacement (bounds, step 10)",
        (m * v - m * (m - 1) * v / (g - 1)) / m**2 - w * v,
    )
    yield vanishes("c* (bounds, step 11)", s * (g - 1) / (2 * g) / (f / n) - s * n * (g - 1) / (2 * g * f))
    yield vanishes("all pairs of a simplex (krum, step 3)", s * (s - 1) * (2 * s / (s - 1)) * F - 2 * s * s * F)
