"""The algebra in the proofs of Theorem III, and which of the first sizes contradict the print: all, in rationals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.polynomials import nonnegative, quotients, vanishes
from theory.claim import Context, Control, claim
from theory.theorem_iii_limits.trimmed_mean_error import FIRST


def of_contamination(half: Fraction) -> Iterator[Evidence]:
    """Steps 3 to 6 of `contamination.md`."""
    d, h, s, a, b = quotients("d h s a b")
    eps = d / (1 - d)
    rho_sq = 2 * eps * (1 - eps) * h**2
    yield vanishes(
        "the weights of both mixtures, mean and variance (contamination, step 3)",
        (1 - d) * eps - d,
        (1 - d) * (1 - eps) - (1 - 2 * d),
        eps * h**2 - (eps * h) ** 2 - rho_sq / 2,
    )
    yield vanishes(
        "a² + b² − ½(a − b)² = ½(a + b)², and ε²h² (contamination, step 4)",
        a**2 + b**2 - half * (a - b) ** 2 - (a + b) ** 2 / 2,
        (eps * h + eps * h) ** 2 / 4 - rho_sq / 2 * eps / (1 - eps),
        eps / (1 - eps) - d / (1 - 2 * d),
    )
    mean = (1 - eps) * a + eps * b  # a is the mean of C, b that of E
    yield vanishes(
        "the variance between two parts, and half of the distance (contamination, step 5)",
        (1 - eps) * (a - mean) ** 2 + eps * (b - mean) ** 2 - eps * (1 - eps) * (a - b) ** 2,
        (eps * 2 * s) ** 2 / (eps * (1 - eps)) / 4 - s**2 * eps / (1 - eps),
    )
    yield vanishes("2(1 − 2δ) − 1 = 4(¼ − δ) (contamination, step 6)", 2 * (1 - 2 * d) - 1 - 4 * (Fraction(1, 4) - d))


def of_the_floors() -> Iterator[Evidence]:
    """Steps 1, 2 and 4 to 9 of `floors.md`; `square` is E[K²; K ≤ f]."""
    q, h, d, g, square, a = quotients("q h d g square a")
    rho_sq, f = 2 * q * (1 - q) * h**2, d * g / (1 - d)
    yield vanishes("E(x_i − x_j)² (floors, step 1)", 2 * (q * h**2 - (q * h) ** 2) - rho_sq)
    bound = square / (2 * d * g**2 * q * (1 - q))
    yield vanishes("the bound of c (floors, step 2)", h**2 * square / g**2 - bound * d * rho_sq)
    third, x, y = Fraction(1, 3), h, a
    yield vanishes(
        "the bound at n = 3, and of the median (floors, step 4)",
        2 * q * (1 - q) / (2 * third * 4 * q * (1 - q)) - Fraction(3, 4),
        (x - (x + y) / 2) ** 2 - (x - y) ** 2 / 4,
        0 * q + Fraction(1, 4) - Fraction(3, 4) * third,
        1 / (0 * q + 2 * (1 - 2 * third)) - Fraction(3, 2),
    )
    limit = 1 / (2 * (1 - 2 * d))
    yield vanishes("1/(2(1 − 2δ)) less that of TM (floors, step 5)", limit - (g - 1) / g * limit - limit / g)
    share = d / (1 - d)
    yield vanishes("f/g, and the limit there (floors, step 6)", f / g - share, share / (2 * d * (1 - share)) - limit)
    yield vanishes("½(a² + (h − a)²) − ¼h² (floors, step 7)", (a**2 + (h - a) ** 2) / 2 - h**2 / 4 - (a - h / 2) ** 2)
    first, P = g, d  # E[μ; A] and P(A)
    yield vanishes(
        "the mean squared error of the output a (floors, step 8)",
        square - 2 * a * first + a**2 * P - (square - first**2 / P) - P * (a - first / P) ** 2,
    )
    one, two, n = a, h, g / (1 - d)  # P_1 and P_2
    yield vanishes(
        "the bound of c by P_1 and P_2 (floors, step 9)",
        (g * q * one + g * (g - 1) * q**2 * two) / (2 * d * g**2 * q * (1 - q))
        - n / (2 * g) * (one + (g - 1) * q * two) / (f * (1 - q)),
    )
    kappa, N, log = a, h, square  # log is log κ
    q = kappa * f / (g - 1 + kappa * f)
    yield vanishes(
        "the Poisson variable's mean, and the exponents of Chernoff's bound (floors, step 9)",
        (g - 1) * q / (1 - q) - kappa * f,
        (N - kappa * (N + 1) + N * log + 1) - (1 - kappa - N * (kappa - 1 - log)),
    )


def of_the_trimmed_mean(more: int) -> Iterator[Evidence]:
    """Steps 1 to 4 of `trimmed_mean_error.md`."""
    d, g, f, n, s, mu = quotients("d g f n s mu")  # s is s_j²
    yield vanishes("E S² (trimmed_mean_error, step 1)", (s + mu**2) - (s / g + mu**2) - (g - 1) / g * s)
    share = f / (n - 2 * f) * (g - 1) / g * s
    yield vanishes(
        "both terms at s = ρ²/2 (trimmed_mean_error, step 2)", share / (2 * s) - f * (g - 1) / (2 * (n - 2 * f) * g)
    )
    half = 1 / (2 * (1 - 2 * d))
    yield vanishes("1 − 1/(2(1 − 2δ)) (trimmed_mean_error, step 3)", 1 - half - 4 * (Fraction(1, 4) - d) * half)
    s, t = quotients("s t")
    f = 1 + s
    g, fewer = f + 1 + t, f + 1 + more + t
    yield nonnegative(
        "how both terms fall with g (trimmed_mean_error, step 4)",
        1 / (2 * g) - 1 / (2 * fewer),
        f * (g - 1) / (g * (g - f)) - f * (fewer - 1) / (fewer * (fewer - f)),
    )


@claim(
    "The identities and signs in the proofs hold for all values of the letters.",
    part_of="corrected",
    controls=(
        Control("a² + b² ≥ (a − b)²", "at a = −b it is 2a² and 4a²", {"half": Fraction(1)}),
        Control("one Byzantine message more", "then both terms of the bound grow", {"more": -1}),
    ),
)
def identities(ctx: Context, *, half: Fraction = Fraction(1, 2), more: int = 1) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    yield from of_contamination(half)
    yield from of_the_floors()
    yield from of_the_trimmed_mean(more)


def contradicts(n: int, f: int) -> bool:
    """Whether (√a + √b)² < f/n, a = 1/(2g), b = f(g − 1)/(2(n − 2f)g): of the sum's square root, by rationals."""
    g = n - f
    a, b = Fraction(1, 2 * g), Fraction(f * (g - 1), 2 * (n - 2 * f) * g)
    left = Fraction(f, n) - a - b
    return left > 0 and 4 * a * b < left**2


@claim(
    "The bound of the trimmed mean's E‖TM − μ‖² is below δρ² at n = 123 with f = 12, and at no smaller n.",
    controls=(
        Control("n = 122", "there it is 0.07 % above", {"first": (122, 12)}),
        Control("n = 124", "at 123 it is below already", {"first": (124, 12)}),
    ),
)
def first_contradiction(ctx: Context, *, first: tuple[int, int] = FIRST) -> Iterable[Evidence]:
    """How many pairs of f < n/2 and a smaller n have a bound below δρ², and whether the first one has."""
    n, f = first
    smaller = sum(contradicts(m, k) for m in range(3, n) for k in range(1, (m + 1) // 2))
    what = f"pairs with f < n/2 and n < {n} whose bound is below δρ²"
    yield Evidence(what, smaller, "=", 0, "exact", covers="all of them")
    what = f"whether the bound is below δρ² at n = {n}, f = {f}"
    yield Evidence(what, int(contradicts(n, f)), "=", 1, "exact", covers="this pair", at={"n": n, "f": f})
