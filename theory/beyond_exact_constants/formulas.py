"""κ* of each rule as a formula.

κ*(rule; n, f, F) = sup ‖AGG − x̄‖²/v over g = n − f honest messages of mean x̄ and variance v = (1/g)Σ‖x_i − x̄‖² > 0,
f arbitrary others, and a rule that was told F ≥ f; ∞ if it errs at v = 0. All of it is for every dimension d, unless a
line says otherwise. The proofs are in `least_and_medians.md`, `averages_of_a_choice.md` and `bounds.md`; each function
says in which step.
"""

from __future__ import annotations

import math
from fractions import Fraction


def least(n: int, f: int, F: int) -> Fraction:
    """F/(n − f − F): no rule that is robust up to a declared F ≥ f has a smaller κ*.

    `least_and_medians.md`, step 1. The order F/(n − f − F) is that of Chen, Zhang, Huang (arXiv 2510.04432); at F = f
    it is Allouah et al. (arXiv 2302.01772).

    >>> least(25, 5, 5), least(25, 0, 5)
    (Fraction(1, 3), Fraction(1, 4))
    """
    return Fraction(F, n - f - F)


def trimmed_mean(n: int, f: int, F: int) -> Fraction:
    """The least possible: F/(n − f − F), at every f ≤ F < n/2, f = 0 included (`least_and_medians.md`, step 2)."""
    return least(n, f, F)


def coordinate_median(n: int, f: int) -> Fraction:
    """(n − 1)/(n + 1 − 2f) for odd n, (n − 2)/(n + 2 − 2f) for even n: the trimmed mean of F = ⌈n/2⌉ − 1 (step 3).

    >>> coordinate_median(5, 1), coordinate_median(6, 1)
    (Fraction(1, 1), Fraction(2, 3))
    """
    return least(n, f, -(-n // 2) - 1)


def geometric_median(n: int, f: int, line: bool = False) -> Fraction:
    """(n − 1)/(n + 1 − 2f) for odd n; for even n ≥ 4 it is n/(n − 2f), and on the line (n − 2)/(n + 2 − 2f).

    `least_and_medians.md`, steps 4 to 7.
    """
    half = n // 2
    if n % 2 == 0 and (line or n == 2):
        half -= 1
    return Fraction(half, n - f - half)


def minimum_variance(n: int, f: int) -> Fraction:
    """4f/(n − 2f), F = f, of the mean of those n − f messages whose covariance has the least largest eigenvalue (SMEA).

    So, too, of the n − f of least total variance (`averages_of_a_choice.md`, step 2).
    """
    return Fraction(4 * f, n - 2 * f)


def minimum_diameter(n: int, f: int) -> Fraction:
    """(2f² + 3f + f²/k)/(n − f), k = n − 2f − 1, F = f, of the mean of the n − f messages of least diameter (MDA).

    For n = 2f + 1 it is (5f² + 3f)/(n − f). With δ = f/n fixed it grows like n
    (`averages_of_a_choice.md`, steps 3 to 5).

    >>> minimum_diameter(5, 1), minimum_diameter(7, 2), minimum_diameter(3, 1)
    (Fraction(11, 8), Fraction(16, 5), Fraction(4, 1))
    """
    k = n - 2 * f - 1
    return Fraction(5 * f * f + 3 * f, n - f) if k == 0 else (2 * f * f + 3 * f + Fraction(f * f, k)) / (n - f)


def mean_around_median(n: int, f: int) -> Fraction:
    """4f(1 + f/q)/(n − f), q = ⌊n/2⌋ + 1 − f, F = f, of the mean of the n − f values nearest to the median (Meamed).

    `averages_of_a_choice.md`, step 6.

    >>> mean_around_median(5, 1), mean_around_median(6, 1)
    (Fraction(3, 2), Fraction(16, 15))
    """
    return 4 * f * (1 + Fraction(f, n // 2 + 1 - f)) / (n - f)


def mean_around_trimmed_mean(n: int, f: int) -> Fraction:
    """4f/(n − 2f), F = f, of the mean of the n − f values nearest to the trimmed mean of each coordinate (Phocas).

    `averages_of_a_choice.md`, step 7.
    """
    return Fraction(4 * f, n - 2 * f)


def mean_around_pivot(n: int, f: int, F: int | None = None) -> Fraction:
    """4f(f + 1)/(n − f) at F = f, the default, of the mean of the n − F messages nearest to an honest one (MoNNA).

    With δ fixed it grows like n (`averages_of_a_choice.md`, step 8, which has the formula for F > f).

    >>> mean_around_pivot(5, 1), mean_around_pivot(5, 1, 2), mean_around_pivot(5, 0, 1)
    (Fraction(2, 1), Fraction(11, 3), Fraction(1, 4))
    """
    F = f if F is None else F
    if F == 0:
        return Fraction(0)
    g, m = n - f, n - F
    w = Fraction(1, m) - Fraction(1, g)
    left_out, pivot = Fraction(1, g) + Fraction(f, m * F), w + Fraction(2 * f, m)
    return g * (F * left_out**2 + pivot**2 + (m - f - 1) * w**2)


def mixing_at_least(n: int, f: int, F: int) -> Fraction:
    """(F + f(n − f)/(n − F))²/(F(n − f − F)): nearest-neighbour mixing is no better before *any* robust rule.

    At F = f that is 4f/(n − 2f), four times the least (`bounds.md`, step 2).
    """
    return (F + Fraction(f * (n - f), n - F)) ** 2 / (F * (n - f - F))


def mixing_at_most(n: int, f: int, inner: Fraction | float) -> Fraction | float:
    """8f/(n − f)·(κ + 1) before a rule of κ, F = f (Allouah et al. 2023, arXiv 2302.01772, Lemma on mixing).

    `bounds.md`, step 3.
    """
    return Fraction(8 * f, n - f) * (inner + 1)


def clipped_at_most(n: int, f: int, F: int, inner: Fraction | float) -> Fraction | float:
    """κ + k/(g − k) before a rule of κ, where the k = ⌊2F(n − F)/n⌋ longest messages are shortened (ARC).

    `bounds.md`, step 4. Before the trimmed mean and the median it is κ* in d ≥ g dimensions (step 5, and
    `worst_cases.beyond_a_ball`). Allouah et al. (arXiv 2405.14432) have κ + 2f/(n − 2f), which is no less.

    >>> clipped_at_most(9, 1, 2, least(9, 1, 2))
    Fraction(14, 15)
    """
    k = 2 * F * (n - F) // n
    return inner + Fraction(k, n - f - k)


def krum_at_most(n: int, f: int, neighbours: int) -> float:
    """An upper bound of κ* of Krum with scores over l nearest others, at any F: where `krum.certified` would take long.

    (√(2lg/((g − 1)h)) + √((g − h)/h))², h = l − f + 1 (`bounds.md`, step 6).
    """
    g, h = n - f, neighbours - f + 1
    return (math.sqrt(2 * neighbours * g / ((g - 1) * h)) + math.sqrt((g - h) / h)) ** 2


def multi_krum_at_most(n: int, f: int, fewer: int = 2) -> float:
    """An upper bound of κ* of Multi-Krum with m = n − f = n − F, which is at least 4f/(n − 2f) if n ≥ 3f.

    Scores are over l = n − f − `fewer` nearest others: (√(blg(b + g)/((g − 1)h)) + b√((g − h)/h) + √(b(g − b)))²/g²,
    h = l − f + 1, at the worst b ≤ f (`bounds.md`, steps 7 and 8).
    """
    g, near = n - f, n - f - fewer
    h = near - f + 1
    return max(
        (math.sqrt(b * near * g * (b + g) / ((g - 1) * h)) + b * math.sqrt((g - h) / h) + math.sqrt(b * (g - b))) ** 2
        / g**2
        for b in range(1, f + 1)
    )


def bulyan_at_most(n: int, f: int, F: int, of_median: int = 2) -> float:
    """An upper bound of κ* of Bulyan, whatever messages it selects.

    (√(gβ − (β − 2b)_+²) + 2b√((g − k)/k))²/β², β = n − 4F, b = min(f, β), k = ⌈n/2⌉ − F − f (`bounds.md`, step 9).
    `of_median`: how many times the median's error counts, 2 in the proof.
    """
    g, averaged, beyond = n - f, n - 4 * F, (n + 1) // 2 - F - f
    b = min(f, averaged)
    drawn = math.sqrt(g * averaged - max(averaged - 2 * b, 0) ** 2)
    return (drawn + of_median * b * math.sqrt((g - beyond) / beyond)) ** 2 / averaged**2


def over_declared(n: int, f: int, F: int, at_declared: Fraction | float) -> Fraction | float:
    """An upper bound of κ*(f, F) from κ = κ*(F, F): κ(1 − w) − w, w = (F − f)/((n − F)(n − f − 1)).

    Of every rule that knows no worker (`bounds.md`, step 10).
    """
    w = Fraction(F - f, (n - F) * (n - f - 1)) if f < F else Fraction(0)
    return at_declared * (1 - w) - w


PUBLISHED = {  # Allouah et al. 2023 (arXiv 2302.01772), its table of robustness coefficients, F = f, a = f/(n − 2f)
    "TrimmedMean": lambda a: 6 * a * (1 + a),
    "CoordinateMedian": lambda a: 4 * (1 + a) ** 2,
    "GeometricMedian": lambda a: 4 * (1 + a) ** 2,
    "Krum": lambda a: 6 * (1 + a),
}


def published(name: str, n: int, f: int) -> Fraction | None:
    """The κ of the literature's table for a rule, F = f; None for a rule that is not in it.

    >>> published("Krum", 5, 1), published("Bulyan", 7, 1)
    (Fraction(8, 1), None)
    """
    return PUBLISHED[name](Fraction(f, n - 2 * f)) if name in PUBLISHED else None


def definition_c(n: int, f: int, kappa: Fraction | float) -> Fraction | float:
    """c ≤ κ*·n(g − 1)/(2gf): E v ≤ (ρ²/2)(g − 1)/g for independent messages, δ = f/n (`bounds.md`, step 11)."""
    g = n - f
    return kappa * Fraction(n * (g - 1), 2 * g * f)
