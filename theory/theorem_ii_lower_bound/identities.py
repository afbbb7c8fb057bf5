"""The algebra in the proofs of Theorem II, as identities and signs of polynomials and their quotients, and one root."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.polynomials import Quotient, nonnegative, quotients, vanishes
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.tails import exponent_margin, fractions


def of_forced_error(q_of: int) -> Iterator[Evidence]:
    """Steps 1, 2 and 7 to 11 of `forced_error.md`, with P for P(A)."""
    mu, x, q, H, P, M, n, K, other = quotients("mu x q H P M n K other")
    a, variance = q * H, H**2 * q * (1 - q)  # the variance is σ²

    def excess(sign: int, at: Quotient) -> Quotient:
        """f_s less its least value."""
        best = sign * a / mu
        return mu * at**2 / 2 - sign * a * at - (mu * best**2 / 2 - sign * a * best)

    yield vanishes(
        "the mean and the variance of μx − sHU (forced_error, step 1)",
        (1 - q) * (mu * x) + q * (mu * x - H) - (mu * x - a),
        (1 - q) * (mu * x) ** 2 + q * (mu * x - H) ** 2 - (mu * x - a) ** 2 - variance,
    )
    yield vanishes(
        "the sum of both errors (forced_error, step 2)",
        excess(1, x) - mu * (x - a / mu) ** 2 / 2,
        excess(1, x) + excess(-1, x) - mu * x**2 - a**2 / mu,
        a**2 / mu - q_of * q * variance / (mu * (1 - q)),
    )
    yield vanishes("the error of 0 is a²/(2μ) (forced_error, step 7)", excess(1, 0 * x) - a**2 / (2 * mu))
    means = K * (mu * x - H) + other * (mu * x + H) + (n - K - other) * mu * x
    yield vanishes("the mean of all messages (forced_error, step 8)", means / n - mu * x + H * (K - other) / n)
    small = P * q * variance / (2 * (1 - q) * M)
    yield vanishes("the bound at that μ is M (forced_error, step 9)", P * q * variance / (2 * small * (1 - q)) - M)
    x, m, E, a, b, c, d, e, f = quotients("x m E a b c d e f")
    square = a * d * x**2 + (a * e + b * d) * x * m + b * e * m**2
    rest = (a * f + c * d) * E * x + (b * f + c * e) * E * m + c * f * E**2
    yield vanishes(
        "(ax + bm + cE)(dx + em + fE) is linear in x, m, x², xm, m² (forced_error, step 10)",
        (a * x + b * m + c * E) * (d * x + e * m + f * E) - square - rest,
    )
    n, K, less, more, left = E, a, b, c, d
    yield vanishes(
        "the score of μx ± H, and the difference where 2K > f + 1 (forced_error, step 11)",
        (n - f - 1 - K) - (n - f - 2 - (K - 1)),
        (n - f - 1 - K) - (n - f - 2 - (n - 2 * K - 1)) - (n - 3 * K),
    )
    n, K = 2 * f + 3 + more, f - left
    yield nonnegative(
        "n − f − 1 − K less 2, and n − 3K less 3/2 where 2K ≤ f + 1 (forced_error, step 11)",
        n - f - 1 - K - 2,
        n - 3 * (f + 1 - less) / 2 - Fraction(3, 2),
    )


def of_the_constant(root: Fraction, sign: int) -> Iterator[Evidence]:
    """Steps 1 to 3, 5 and 7 of `constant.md`; `log` is log(1/κ), `left` is f + 1 − δn > 0."""
    n, f, q, kappa, left, N, log = quotients("n f q kappa left N log")
    d = (f + 1 - sign * left) / n
    yield vanishes("λ (constant, step 1)", (n - f) * q / (1 - q) - n * q * (1 - f / n) / (1 - q))
    yield nonnegative("f/n − δf/(f + 1) and f + 1 − δn (constant, step 2)", f / n - f / (f + 1) * d, f + 1 - d * n)
    yield nonnegative("(f + 1)/4 − 1 less δn/4 − 1 (constant, step 3)", (f + 1) / 4 - d * n / 4)
    h = log - 1 + kappa
    yield vanishes(
        "the exponents of Chernoff's bound (constant, step 5)",
        -kappa * N + N * (1 - log) + N * h,
        N / 4 - 1 - N * h + 1 + N * (h - Fraction(1, 4)),
    )
    covers = "h falls with κ < 1; where h = ¼, κ rounds to 0.449 and κ/2 to 0.224"
    low, high = fractions(exponent_margin(Fraction("0.4485")))[0], fractions(exponent_margin(root))[1]
    yield Evidence("h − ¼ at κ = 0.4485 (constant, step 7)", low, ">=", 0, "proved", covers=covers)
    yield Evidence(f"h − ¼ at κ = {float(root)} (constant, step 7)", high, "<=", 0, "proved", covers=covers)


def of_the_output_alone(less: int) -> Iterator[Evidence]:
    """Steps 3 to 6 of `output_alone.md`."""
    n, d, mu, M, guess, best, e, s, r = quotients("n d mu M guess best e s r")  # r = √(t − 1), s = √A·σ
    A = (1 - d) * n / (n / 2 - d * n)
    yield vanishes("g/(n/2 − f) = A (output_alone, step 3)", A - (1 - d) / (Fraction(1, 2) - d))
    answer = (mu * (M * guess - best) + e) / (mu * (M - less))
    error = M * (guess - best) / (M - 1) + e / (mu * (M - 1))
    yield vanishes("how the answer errs (output_alone, step 4)", answer - best - error)
    added = M / (M - 1) * s / (mu * r) + s / (mu * (M - 1))
    yield vanishes(
        "the sum of both errors, squared, and A/2 (output_alone, step 5)",
        mu * added**2 / 2 - s**2 / (2 * mu * r**2) * ((M + r) / (M - 1)) ** 2,
        A / 2 - (1 - d) / (1 - 2 * d),
    )
    x, a, C = guess, best, M
    yield vanishes(
        "the excess beyond ¼ (output_alone, step 6)",
        x**2 - a**2 - 2 * a * (x - a) - (x - a) ** 2,
        (C - C / 2) / 4 - C * Fraction(1, 8) / 2 - C / 16,
    )


@claim(
    "The identities and signs in the proofs hold for all values of the letters, and the κ of many attackers is 0.449.",
    part_of="corrected",
    controls=(
        Control("a² = 2qσ²/(1 − q)", "it is q²H² with H² = σ²/(q(1 − q))", {"q_of": 2}),
        Control("divided by M", "then x*/M is left", {"less": 0}),
        Control("κ < 0.4486", "h is still above ¼ there", {"root": Fraction("0.4486")}),
        Control("δn > f + 1", "f is the whole part of δn", {"sign": -1}),
    ),
)
def identities(
    ctx: Context, *, q_of: int = 1, less: int = 1, sign: int = 1, root: Fraction = Fraction("0.449")
) -> Iterable[Evidence]:
    """What is left of each identity, which coefficients have the wrong sign, and h beside ¼."""
    yield from of_forced_error(q_of)
    yield from of_the_constant(root, sign)
    yield from of_the_output_alone(less)
