"""The algebra in the proofs of Definition C, as identities and signs of polynomials and their quotients."""

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
        Control("κ = f/n", "of f good values at 0 and the others at 1 it is f/(n − 2f)", {"twice": 0}),
        Control("f' ≥ f", "with more Byzantine messages than it is told the error grows", {"least": -1}),
    ),
)
def identities(ctx: Context, *, twice: int = 2, least: int = 1) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign: 2 to 6, and two steps of the other."""
    n, f, D = quotients("n f D")
    g, delta = n - f, f / n
    a, b = (n - 2 * f) / g, f / g
    kappa = f / (n - twice * f)
    c = 1 / (2 * (1 - 2 * delta))
    yield vanishes(
        "the variance between two groups, and where it is attained (trimmed_mean, step 2)",
        a + b - 1,
        D - (a * D) - b * D,  # U − ȳ with L = 0
        a * (b * D) ** 2 + b * (a * D) ** 2 - a * b * D**2,
        b / a - kappa,
        (1 - a) ** 2 / (a * b) - kappa,
    )
    yield vanishes("x̄²/v of f ones and n − 2f zeros (trimmed_mean, step 3)", b**2 / (b - b**2) - kappa)
    mean, xx = quotients("mean xx")  # avg‖x_i‖² and ‖x̄‖²
    yield vanishes("all pairs (trimmed_mean, step 4)", (2 * mean - 2 * xx) / 2 - (mean - 2 * xx + xx))
    at_most = f / (n - 2 * f) * (g - 1) / (2 * g)
    yield vanishes("κ times (g − 1)/(2g) (trimmed_mean, step 4)", at_most - (g - 1) / g * delta * c)
    s, t = quotients("s t")
    told, fewer = 1 + s, 1 + s + least + t  # f and g' ≥ f + 1
    yield nonnegative(
        "g'(g' − 1) − (g' − f), and f/(g' − f) (trimmed_mean, step 5)",
        fewer * (fewer - 1) - (fewer - told),
        told / (fewer - told),
    )
    yield vanishes(
        "the derivative of the logarithm (trimmed_mean, step 5)",
        1 / (g - 1) - 1 / g - 1 / (g - f) - (1 / (g * (g - 1)) - 1 / (g - f)),
    )
    size = 2 * told + 3 + t
    yield nonnegative(
        "a score's neighbours, and what Bulyan averages (rules_that_fail, step 3)",
        (size - told - 2) - (told - 1) - 1,
        (size - 3 * told) - (size - 4 * told),
    )
    n, q, P = quotients("n q P")  # P is (1 − q)^{g − 2}, f = 1
    g, delta = n - 1, 1 / n
    yield vanishes(
        "both bounds at f = 1 (trimmed_mean, step 6)",
        (g - 1) / g / (2 * (1 - 2 * delta)) - n / (2 * (n - 1)),
        g * q * P * (1 - q) / (2 * delta * g**2 * q * (1 - q)) - n * P / (2 * g),
    )
    others, half = n - 3, (n - 1) / 2
    yield vanishes(
        "the scores, and the error over δρ² (rules_that_fail, step 5)",
        others - half - (n - 5) / 2,
        others - (half - 1) - (n - 3) / 2,
        Fraction(1, 4) / delta - n / 4,
    )
