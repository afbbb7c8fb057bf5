"""What the figure of the fixed identities draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from theory.beyond_fixed_identities.reached import reached
from theory.claim import Context

SIZE = (200, 40)


def best_bounds(n: int, f: int, T: int) -> tuple[float, float]:
    """The largest P(Bin(g, r) ≤ f)·q/(2(1 − q)) over q; and Theorem II's, P(Bin(g, q) ≤ f)^T·q/(2(1 − q))."""
    from scipy.stats import binom

    q = -np.expm1(-np.geomspace(1e-3 * f / n / T, 20 * f / n, 4000))
    error = q / (2 * (1 - q))
    ever = -np.expm1(T * np.log1p(-q))
    return float(np.max(binom.cdf(f, n - f, ever) * error)), float(np.max(binom.cdf(f, n - f, q) ** T * error))


def picture(ctx: Context) -> dict[str, Any]:
    """Both lower bounds and what averages with the trimmed mean reach, in units of σ²/μ, against T."""
    n, f = SIZE
    times = sorted({round(1.2**k) for k in range(60) if 1.2**k < 1000} | {1000})
    ours, forgetting = zip(*(best_bounds(n, f, T) for T in times), strict=True)
    return {
        "n": n,
        "f": f,
        "t": times,
        "every": ours,
        "forgetting": forgetting,
        "reached": [reached(n, f) / (2 * T) for T in times],
    }
