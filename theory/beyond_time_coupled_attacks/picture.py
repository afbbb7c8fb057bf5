"""What the figure of the time-coupled attacks draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from sims.attacks import Relocation
from theory.beyond_time_coupled_attacks.linear_loop import radius, worst_square
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
    runs, rounds = 60, 2000
    measured = {
        name: np.median(late_squares(ctx, acts, runs=runs, steps=rounds, **setting), axis=-1)
        for name, acts in attacks.items()
    }
    return {
        "runs": runs,
        "rounds": rounds,
        "step": STEP,
        "fine": fine,
        "push": [worst_square(STEP, a, delta, signed=True) for a in fine],
        "worst": [worst_square(STEP, a, delta) for a in fine],
        "coarse": coarse,
        "papers": np.max([measured[name] for name in PAPERS], axis=0),
        "measured_push": measured["push"],
        "measured_with": measured["with"],
    }


def picture(ctx: Context) -> dict[str, Any]:
    """What is drawn, at one size (n, f)."""
    n, f = SIZE
    return {"n": n, "f": f, **by_momentum(ctx)}
