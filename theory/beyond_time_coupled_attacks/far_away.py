"""Where rules come to rest while the attackers send from one side and far away, in every round.

x rests where the aggregate is 0 on average. There the honest messages are m ~ N(a·u, s²I_d), a·u the gradient: s² =
(σ²/d)(1 − β)/(1 + β) for worker momenta of normal noise σ² (equation (1)). f of n messages lie beyond all honest ones
at −u, δ = f/n. What holds a rule at 0 is then one equation for a/s:

- *One clipping step* with its centre at 0 passes E m·min(1, τ/‖m‖) of each honest message and −τu of each attacker's:
  E⟨m, u⟩min(1, τ/‖m‖) = (f/g)τ. With E⟨m, u⟩h(‖m‖) = a·E h(R), R²/s² noncentral χ² of d + 2 degrees of freedom with
  a²/s² (the density of N(a·u, s²I) times ⟨m, u⟩ is a times that one, as a function of the length), this is
  a·E min(1, τ/R) = (f/g)τ. As τ → ∞ nothing honest is clipped and a → fτ/g; as τ → 0 only directions count,
  a·E 1/R = f/g, so that a/s tends to a number: a plateau, and between the two a function of τ/s alone.
- *The trimmed mean* (d = 1) leaves out the f attackers and the f honest messages opposite: the mean of the rest is
  s·φ(z)/(1 − f/g) away, z = Φ⁻¹(1 − f/g), for many workers.
- *The median* (d = 1) is the honest messages' quantile n/(2g), s·Φ⁻¹(1/(2(1 − δ))) away, for many workers.

How the centre moves about 0 is left out, and the noise of x with it: both vanish with the learning rate.
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
