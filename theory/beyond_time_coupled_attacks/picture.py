"""What the figure of the time-coupled attacks draws."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from sims.attacks import Relocation
from theory.beyond_time_coupled_attacks.linear_loop import radius, worst_square
from theory.beyond_time_coupled_attacks.response import Loop, average
from theory.beyond_time_coupled_attacks.runs import PAPERS, late_squares
from theory.claim import Context

SIZE = (10, 1)
STEP = 1 / 32


def by_momentum(ctx: Context) -> dict[str, Any]:
    """Squared gradients against α at one step: the exact push and worst sequence, medians of runs."""
    n, f = SIZE
    delta = f / n
    fine = np.geomspace(1.0, 1e-3, 61)
    coarse = np.geomspace(1.0, 1e-3, 13)
    tau = np.array([radius(delta, a) for a in coarse])
    column = tau[:, None]
    setting: dict[str, Any] = {"n": n, "f": f, "alpha": coarse, "tau": tau, "eta": STEP, "purpose": "picture"}
    attacks = {**PAPERS, "push": Relocation(column, direction=(1.0,)), "with": Relocation(column, angle=0.0)}
    measured = {
        name: np.median(late_squares(ctx, acts, runs=60, steps=2000, **setting), axis=-1)
        for name, acts in attacks.items()
    }
    return {
        "step": STEP,
        "fine": fine,
        "push": [worst_square(STEP, a, delta, signed=True) for a in fine],
        "worst": [worst_square(STEP, a, delta) for a in fine],
        "coarse": coarse,
        "papers": np.max([measured[name] for name in PAPERS], axis=0),
        "measured_push": measured["push"],
        "measured_with": measured["with"],
    }


def by_rounds() -> dict[str, Any]:
    """The exact average against T = 4^k, η = 2^−k, α = 8η: without attack, and under the push for three kinds of τ."""
    n, f = SIZE
    ks = range(4, 17)
    curves: dict[str, Any] = {"T": [4**k for k in ks]}
    for name, power in (("none", None), ("kept", 1.0), ("quarter", 0.5), ("floor", 0.0)):
        curves[name] = []
        for k in ks:
            alpha = 8 / 2**k
            tau = 0.0 if power is None else radius(f / n, alpha, power)
            loop = Loop(Fraction(1, 2**k), Fraction(alpha), Fraction(f, n))
            push = -Fraction(f, n) * Fraction(tau)
            curves[name].append(average(loop, 4**k, push, Fraction(1), Fraction(1, n - f))[0])
    curves["limit"] = (f * radius(f / n, 1.0, 0.0) / math.sqrt(2) / (n - f)) ** 2
    return curves


def picture(ctx: Context) -> dict[str, Any]:
    """What both panels show, at one size (n, f)."""
    n, f = SIZE
    return {"n": n, "f": f, "momentum": by_momentum(ctx), "rate": by_rounds()}
