"""The c that centered clipping needs, with the worst admissible centre."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sims.aggregators import CenteredClipping
from sims.backend import get_namespace, to_numpy
from sims.checked import whole
from sims.checks.two_point import Law, binomial_pmf, distance_sq


def search_c_of_clipping(
    n: int, f: int, radius: Callable[[float, np.ndarray], np.ndarray], backend: str = "numpy"
) -> tuple[float, Law]:
    """The largest E(v_1 − x̄)²/(δρ²) of one clipping step over laws on {0, 1}, centres v_0 and Byzantine messages.

    `radius(δ, ρ²)` gives τ. The centre is fixed before the honest messages are drawn and is as far from them as E(v_0 −
    x̄)² ≤ ρ² allows, on either side, or at their mean. The step is an average of clipped values, so its error is convex
    in each clipped Byzantine value and largest with all of them far out on one side. See `sims.checks.two_point`.
    """
    n = whole("search_c_of_clipping", "n", n, least=3)
    f = whole("search_c_of_clipping", "f", f, least=1, most=n - 2)
    g, delta = n - f, f / n
    grid = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0])
    p, q = (a.ravel() for a in np.meshgrid(grid, grid))
    ones = np.arange(g + 1)
    honest = (np.arange(g) < ones[:, None]).astype(np.float64)
    xp = get_namespace(backend)
    best, law = 0.0, Law(0, 0.0, 0.0)
    for m in sorted({0, 1, 2, g // 8, g // 4, 3 * g // 8, g // 2}):
        rho_sq = distance_sq(m, g, p, q)
        pmf = np.stack([np.convolve(a, b) for a, b in zip(binomial_pmf(m, p), binomial_pmf(g - m, q), strict=True)])
        mean = (m * p + (g - m) * q) / g
        variance = (m * p * (1 - p) + (g - m) * q * (1 - q)) / g**2
        away = np.sqrt(np.maximum(rho_sq - variance, 0.0))
        centre = mean[:, None] + away[:, None] * np.array([-1.0, 0.0, 1.0])  # (laws, 3)
        tau = radius(delta, rho_sq)[:, None, None, None]
        side = np.array([-1.0, 1.0]) * 1e9
        messages = np.empty((len(p), 3, 2, g + 1, n, 1))
        messages[..., :g, 0] = honest
        messages[..., g:, 0] = side[:, None, None]
        state = np.broadcast_to(centre[:, :, None, None, None], (len(p), 3, 2, g + 1, 1))
        output = CenteredClipping(xp.asarray(tau)).aggregate(xp.asarray(messages), state=xp.asarray(state.copy()))
        error = np.max((to_numpy(output)[..., 0] - ones / g) ** 2, axis=2)  # the worse side for every outcome
        ratio = np.max(np.sum(error * pmf[:, None, :], axis=-1), axis=1)
        ratio = np.divide(ratio, delta * rho_sq, out=np.zeros_like(ratio), where=rho_sq > 0)
        i = int(np.argmax(ratio))
        if ratio[i] > best:
            best, law = float(ratio[i]), Law(m, float(p[i]), float(q[i]))
    return best, law
