"""Where rules come to rest while the attackers send from one side and far away, in every round.

x rests where the aggregate is 0 on average, with honest messages m ~ N(a·u, s²I_d) and attackers beyond all of them at
−u. What holds a rule there is one equation for a/s: for one clipping step a·E min(1, τ/R) = (f/g)τ, a function of τ/s
alone. The proof is in `far_away.md`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def clipping_rests(radius: float, d: int, share: float) -> float:
    """a/s of one step of centered clipping with τ/s = `radius`, where f/g = `share`.

    Raises ValueError unless the radius is positive and 0 < share < 1: from f = g on there is no rest.

    >>> round(clipping_rests(1e-3, 10, 0.25), 3), round(clipping_rests(100.0, 10, 0.25), 3)
    (0.834, 25.0)
    """
    from scipy.optimize import brentq

    if not radius > 0 or not 0 < share < 1:
        raise ValueError(f"clipping rests for τ/s > 0 and 0 < f/g < 1, got {radius} and {share}")
    bound = (radius + math.sqrt(d)) / (1 - share)
    root: Any = brentq(lambda a: a * _passed(a, radius, d) - share * radius, 0.0, 4 * bound, xtol=1e-12)
    return float(root)


def _passed(a: float, radius: float, d: int) -> float:
    """E min(1, τ/R), R² noncentral χ² of d + 2 degrees of freedom: by Gauss–Legendre on both sides of the kink."""
    from scipy.stats import ncx2

    free = d + 2
    middle, reach = math.sqrt(a * a + free), 12.0
    low, high = max(middle - reach, 0.0), middle + reach
    kink = min(max(radius, low), high)
    nodes, weights = np.polynomial.legendre.leggauss(80)
    total = 0.0
    for start, end in ((low, kink), (kink, high)):
        r = start + (end - start) * (nodes + 1) / 2
        density = 2 * r * ncx2.pdf(r * r, free, a * a)
        total += (end - start) / 2 * float(np.sum(weights * density * np.minimum(1.0, radius / r)))
    return total


def trimmed_mean_rests(share: float) -> float:
    """a/s of the trimmed mean that leaves out f on each side, d = 1, f/g = `share`: φ(z)/(1 − f/g)."""
    from scipy.special import ndtri

    z = float(ndtri(1 - share))
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / (1 - share)


def median_rests(share: float) -> float:
    """a/s of the median, d = 1, f/g = `share`: Φ⁻¹((1 + f/g)/2).

    >>> round(median_rests(2 / 3), 4)
    0.9674
    """
    from scipy.special import ndtri

    return float(ndtri((1 + share) / 2))
