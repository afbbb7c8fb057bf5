"""The algebra in the proofs of the exact constants: values, sums of coefficients, and signs, for all n, f and F."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sims.checks.evidence import Evidence
from sims.checks.polynomials import nonnegative, quotients, vanishes
from theory.beyond_exact_constants.identities_of_bounds import of_bounds
from theory.claim import Context, Control, claim


def of_the_medians() -> Iterator[Evidence]:
    """Steps 1 to 3 and 5 to 7 of `least_and_medians.md`."""
    n, f, F, t, S, v, N = quotients("n f F t S v N")
    g = n - f
    between = F / g * (g - F) / g
    yield vanishes("(F/g)²/v (least_and_medians, step 1)", (F / g) ** 2 / between - F / (n - f - F))
    yield vanishes(
        "the same from U − L (least_and_medians, step 2)",
        (F / g * (1 - F / g) ** 2 + (1 - F / g) * (F / g) ** 2) - between,
        (F / g) ** 2 / between - F / (g - F),
    )
    odd, even = (n - 1) / 2, (n - 2) / 2
    yield vanishes(
        "the F of the median (least_and_medians, step 3)",
        odd / (n - f - odd) - (n - 1) / (n + 1 - 2 * f),
        even / (n - f - even) - (n - 2) / (n + 2 - 2 * f),
    )
    yield vanishes("N = ‖x̄‖² ≤ S(v + N) (least_and_medians, step 5)", S * (v + N) - N - (1 - S) * (S / (1 - S) * v - N))
    yield vanishes(
        "vertices, and S/(1 − S) (least_and_medians, step 6)",
        ((n - 1 - t) / 2 + t - (g - (n - 1 - t) / 2 - 1)) - f,
        odd / (g - odd) - (n - 1) / (n + 1 - 2 * f),
        n / 2 / (g - n / 2) - n / (n - 2 * f),
    )
    mean = F / g  # of F at 1
    yield vanishes("the ratio of F honest at 1 (least_and_medians, step 7)", mean**2 / (mean - mean**2) - F / (g - F))


def of_averages(three: int) -> Iterator[Evidence]:
    """Steps 2 to 8 of `averages_of_a_choice.md`."""
    n, f, b, i, j, k, M = quotients("n f b i j k M")
    g = n - f
    v = 4 * f * (n - 2 * f) / g**2
    chosen = 4 * (i + j) / g - (2 * (j - i) / g) ** 2
    yield vanishes(
        "the bound, and where it is attained (averages_of_a_choice, step 2)",
        (b / g) ** 2 * 4 * g**2 / (b * (g - b)) - 4 * b / (g - b),
        4 * f / (g - f) - 4 * f / (n - 2 * f),
        chosen - (4 / g * (i + j) - 4 / g**2 * (j - i) ** 2),
        4 * f / g - (2 * f / g) ** 2 - v,
        (4 * f / g) ** 2 / v - 4 * f / (n - 2 * f),
    )
    apart = 2 * b**2 + b + b**2 / M
    last = 2 * b**2 + three * b + b**2 / M
    yield vanishes(
        "the sums of coefficients (averages_of_a_choice, step 3)",
        2 + 2 * b**2 + (b - 2) + M * (b / M) ** 2 - apart,
        2 * (b / M) ** 2 + 2 * b**2 + (M - 2) * (b / M) ** 2 + b - apart,
        (1 + b) ** 2 + b**2 + (b - 1) + M * (b / M) ** 2 - last,
    )
    yield nonnegative("what the third case has more (averages_of_a_choice, step 3)", last - apart)
    full = 5 * f**2 + 3 * f
    yield vanishes("no message to spare (averages_of_a_choice, step 4)", (1 + f) ** 2 + (f - 1) + (2 * f) ** 2 - full)
    s, t = quotients("s t")
    less, most = 1 + s, 2 + s + t  # b < f
    rest = 5 * most**2 + 3 * most - 3 * less**2 - 3 * less
    yield nonnegative("5f² + 3f less 3b² + 3b (averages_of_a_choice, step 4)", rest)
    spread, far = 2 * f**2 + 3 * f + f**2 / k, f / k + 2 * f + 1
    yield vanishes(
        "mean, gv, diameter and g·Agg (averages_of_a_choice, step 5)",
        -(f + 1) - (f - 1) + k * f / k + f,
        (f + 1) ** 2 + (f - 1) + k * (f / k) ** 2 + f**2 - spread,
        far - f / k - (f + f + 1),
        k * f / k + f + f * far - spread,
        -(f + 1) - (f - 1) + 2 * f,
        (f + 1) ** 2 + (f - 1) + (2 * f) ** 2 - full,
        2 * f + f * (5 * f + 1) - full,
    )
    q = k
    yield vanishes(
        "coefficients, mean, distances, gv and g·Agg (averages_of_a_choice, step 6)",
        4 * b + q * (2 * b / q) ** 2 - (4 * b + 4 * b**2 / q),
        4 + (2 * b / q) ** 2 - (2 * b / q - 2) ** 2 - 8 * b / q,
        -2 * f + q * (2 * f / q),
        (2 + 4 * f / q) - 2 * f / q - (2 * f / q + 2),
        4 * f + q * (2 * f / q) ** 2 - (4 * f + 4 * f**2 / q),
        q * (2 * f / q) + f * (2 + 4 * f / q) - (4 * f + 4 * f**2 / q),
    )
    at_most = (4 * f + 4 * f**2 / (n - 2 * f)) / g
    yield vanishes("κ* at q = n − 2f (averages_of_a_choice, step 7)", at_most - 4 * f / (n - 2 * f))
    F = k
    m, left = n - F, F - f + b
    w = 1 / m - 1 / g
    yield vanishes(
        "the coefficients, and κ* at F = f (averages_of_a_choice, step 8)",
        w * (m - b) - left / g + b / m,
        w - (F - f) / (g * m),
        left * (1 / g + b / (m * left)) ** 2 - (left / g**2 + 2 * b / (g * m) + b**2 / (m**2 * left)),
        g * (f * (2 / g) ** 2 + (2 * f / g) ** 2) - 4 * f * (f + 1) / g,
    )
    less = 1 + s
    yield nonnegative(
        "how b²/l grows (averages_of_a_choice, step 8)", (less + 1) ** 2 / (t + less + 1) - less**2 / (t + less)
    )


@claim(
    "The identities and signs in the proofs hold for all values of the letters.",
    part_of="corrected",
    controls=(
        Control("2b² + 2b + b²/|M|", "(1 + b)² + b² + (b − 1) has 3b", {"three": 2}),
        Control("w with g for g − 1", "the draws are without replacement", {"without": 0}),
        Control("b(g − b) grows for b ≤ f, f < n/2", "at b near g/2 it does not", {"share": 2}),
    ),
)
def identities(ctx: Context, *, three: int = 3, without: int = 1, share: int = 3) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign, proof by proof."""
    yield from of_the_medians()
    yield from of_averages(three)
    yield from of_bounds(without, share)
