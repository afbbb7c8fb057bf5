"""What the figure of Theorem VI draws."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.claim import Context
from theory.theorem_vi_momentum.bound import best_bound, best_step, critical_start, printed_right_side, printed_step
from theory.theorem_vi_momentum.moments import average_ball


def measured(T: int, f0: float, eta: float, full: bool) -> float:
    """The exact average for one start, to the nearest float; units L = σ²/n = 1, δ = 0."""
    return float(average_ball(T, Fraction(eta), Fraction(f0), Fraction(1) if full else None).mid())


def picture(ctx: Context) -> dict[str, Any]:
    """Curves against T at one F0, and measured/printed with α_1 = 1 over (T, F0)."""
    f0, rounds = 1e-4, [int(T) for T in np.unique(np.geomspace(1, 1e9, 73).round())]
    steps = [printed_step(T, f0, 1) for T in rounds]
    curves = {
        "T": rounds,
        "printed": [printed_right_side(T, f0, 1) for T in rounds],
        "one": [measured(T, f0, eta, True) for T, eta in zip(rounds, steps, strict=True)],
        "zero": [measured(T, f0, eta, False) for T, eta in zip(rounds, steps, strict=True)],
        "ours": [best_bound(T, f0, 1.0) for T in rounds],
        "best": [measured(T, f0, best_step(T, f0, 1.0), False) for T in rounds],
        "still": 2 * f0,
    }
    times, starts = np.geomspace(1e3, 1e9, 49), np.geomspace(1e-9, 1e-1, 57)
    ratios = [
        [
            measured(int(T), float(v), printed_step(int(T), float(v), 1), True)
            / printed_right_side(int(T), float(v), 1)
            for T in times
        ]
        for v in starts
    ]
    region = {"T": times.tolist(), "f0": starts.tolist(), "ratio": ratios, "critical": float(critical_start())}
    return {"f0": f0, "curves": curves, "region": region}
