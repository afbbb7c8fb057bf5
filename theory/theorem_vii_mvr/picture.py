"""What the figure of Theorem VII draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from sims.checks.rates import slope
from sims.problems import Sinusoidal
from theory.claim import Context
from theory.theorem_vii_mvr.bound import mvr_parameters, right_side
from theory.theorem_vii_mvr.checks import long_runs
from theory.theorem_vii_mvr.rates import BATCH, ONE, SAMPLE, SGDM, SIZES, ZERO, decreasing, idle


def picture(ctx: Context) -> dict[str, Any]:
    """Error against T of SGDm and of MVR with its starts, and what sign-like noise does."""
    sizes = SIZES
    curves = {}
    for name, family in (
        ("momentum", SGDM),
        ("batch", BATCH),
        ("sample", SAMPLE),
        ("zero", ZERO),
        ("idle", idle(1 / 3)),
        ("decreasing", decreasing(2 / 3)),
    ):
        values = [family(T) for T in sizes]
        fitted = slope(sizes, *zip(*values, strict=True))[0]
        curves[name] = {"error": [(low + high) / 2 for low, high in values], "slope": fitted}
    bounds = []
    for T in sizes:
        p = mvr_parameters(ONE, T)
        bounds.append(right_side(ONE.F0, ONE.sigma_sq, 1.0, T, p.eta, p.alpha, p.b0))
    runs = 1000
    waves: dict[str, Any] = {"runs": runs, "T": [2**k for k in range(4, 12)]}
    for wave in ("sine", "square"):
        found = [long_runs(ctx, Sinusoidal(2.0, wave=wave), T, runs) for T in waves["T"]]
        waves[wave] = {"error": [float(np.mean(values)) for values, _ in found], "bound": [right for _, right in found]}
    return {"T": list(sizes), "curves": curves, "bound": bounds, "waves": waves}
