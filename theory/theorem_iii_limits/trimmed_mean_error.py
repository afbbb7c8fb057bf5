"""How far the trimmed mean is from μ: below δρ² in every dimension, which refutes "any rule errs by δρ²".

The bound (√(1/2g) + √(f(g − 1)/(2(n − 2f)g)))²·ρ² of E‖TM − μ‖² is proved in `trimmed_mean_error.md`; the first pair
(n, f) at which it is below δρ² is (123, 12). On laws on two values the error is so from (14, 2) on.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from flint import arb

from sims.aggregators import TrimmedMean
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from sims.checks.intervals import exact
from sims.checks.two_point import binomial_pmf
from theory.claim import Context, Control, claim

FIRST = (123, 12)  # the smallest n, with its f, at which the bound is below δρ²


def most_from_mu(n: int, f: int) -> arb:
    """The bound of E‖TM − μ‖²/(δρ²)."""
    g = n - f
    mean, trimmed = exact(Fraction(1, 2 * g)), exact(Fraction(f * (g - 1), 2 * (n - 2 * f) * g))
    return (mean.sqrt() + trimmed.sqrt()) ** 2 / exact(Fraction(f, n))


def seen_from_mu(n: int, f: int, ctx: Context) -> float:
    """The largest E(TM − μ)²/(δρ²) of TM as coded over iid laws on {0, 1}, all Byzantine messages on the worse side."""
    g = n - f
    ones = np.arange(g + 1)
    messages = np.empty((2, g + 1, n, 1))
    messages[:, :, :g, 0] = np.arange(g) < ones[:, None]
    messages[..., g:, 0] = np.array([-10.0, 10.0])[:, None, None]  # beyond all honest ones, where it does not matter
    output = to_numpy(TrimmedMean(f).aggregate(ctx.asarray(messages)))[..., 0]
    q = np.geomspace(1e-5 / g, 0.5, 400)
    error = np.max((output[:, None] - q[:, None]) ** 2, axis=0)
    return float(np.max(np.sum(binomial_pmf(g, q) * error, axis=1) / (2 * q * (1 - q)))) / (f / n)


@claim(
    "Every rule, the trimmed mean too, errs by E‖x̂ − μ‖² ≥ δρ² on some distribution, however many workers there are, "
    "f < n/2.",
    part_of="printed",
    point=9,
    controls=(
        Control(
            "δ = 0.3",
            "above ¼ two distributions force more than δρ²",
            {"cases": ((60, 18), (200, 60))},
            expect="survives",
        ),
    ),
)
def printed_constant(ctx: Context, *, cases: tuple[tuple[int, int], ...] = (FIRST, (1000, 100))) -> Iterable[Evidence]:
    """The trimmed mean's E‖TM − μ‖²/(δρ²): its bound in every dimension, and as measured; claimed: at least 1."""
    for n, f in cases:
        most = most_from_mu(n, f)
        middle, error = float(most.mid()), float(most.rad()) + 1e-15
        what = f"bound of E‖TM − μ‖²/(δρ²), n = {n}, f = {f}"
        link, at = (
            "Minkowski (proof in theory/theorem_iii_limits/trimmed_mean_error.md)",
            {"n": n, "f": f, "rule": "TrimmedMean"},
        )
        yield Evidence(what, middle, ">=", 1, "proved", error, covers=link, at=at)
        what = f"largest E(TM − μ)²/(δρ²) on distributions on two values, n = {n}, f = {f}"
        yield Evidence(what, seen_from_mu(n, f, ctx), ">=", 1, "searched", at=at)
