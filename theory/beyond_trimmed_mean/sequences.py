"""The worst sequence of errors on f = ½x², by eigenvalues: how far the certified inequality is from being attained."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sims.checks.evidence import Evidence
from theory.beyond_trimmed_mean.bound import GAIN, RATIO, START
from theory.claim import Context, Control, claim

ROUNDING = 1e-9


def worst_sequence(T: int, eta: float, alpha: float, gain: float, start: float) -> float:
    """The largest Σ_{t≤T} G_t²/(start·F0/η + gain·Σ e_t²) over x_0 and all e_1, …, e_T, on f = ½x² from M_0 = 0."""
    x, m = np.zeros(T + 1), np.zeros(T + 1)  # linear in (x_0, e_1, …, e_T)
    x[0] = 1.0
    rows = []
    for t in range(1, T + 1):
        rows.append(x)
        m = (1 - alpha) * m + alpha * x
        x = x - eta * m
        x[t] -= eta
    scale = 1 / np.sqrt(np.concatenate([[start / (2 * eta)], np.full(T, gain)]))  # F0 = ½x_0²
    return float(np.linalg.norm(np.array(rows) * scale, 2) ** 2)


@claim(
    "On f = ½Lx² the worst of all sequences of errors has at least 0.7 of what is certified for every f, and not more "
    "than that.",
    controls=(
        Control("α = Lη/4", "momentum that is too heavy rings", {"ratio": 0.25}),
        Control("γ² = 1", "errors at the loop's own frequency count more", {"gain": 1.0}),
    ),
)
def worst_errors(ctx: Context, *, ratio: float = RATIO, gain: float = float(GAIN)) -> Iterable[Evidence]:
    """The largest Σ‖∇f‖²/(8F0/(3η) + 3/2·Σ‖e‖²) over x_0 and e_1, …, e_T: a largest singular value, squared."""
    for power, T in ((2, 60), (3, 120), (4, 200)):
        eta = 2.0**-power
        found = worst_sequence(T, eta, ratio * eta, gain, float(START))
        at = {"eta": eta, "T": T}
        what = f"worst sequence over the certified bound, Lη = 1/{2**power}, T = {T}"
        yield Evidence(what, found, "<=", 1, "exact", ROUNDING, at=at)
        if power > 2:
            yield Evidence(what, found, ">=", 0.7, "exact", ROUNDING, at=at)
