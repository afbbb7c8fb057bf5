"""What the figure of Remark 2 draws: which memory escapes Theorem II's bound.

The two worlds of Theorem II with the mirror adversary, who submits gradients: under worker momentum the Byzantine
workers keep momenta of what they submit, like everybody. x_0 = 2a/μ, beyond both optima ±a/μ, so that every curve has
to come down. The radius of centered clipping follows the spread of the momenta, τ = σ√(1 − β); one that stays at σ
escapes too, but only to about half the bound.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from sims.aggregators import CenteredClipping, CoordinateMedian, Rule, TrimmedMean
from sims.engine import simulate
from sims.optimizers import Optimizer, RobustSGD, ServerMomentum, WorkerMomentum
from theory.claim import Context
from theory.theorem_ii_lower_bound.tails import binomial_tail
from theory.theorem_ii_lower_bound.worlds import Mirror, TwoWorlds

BETAS = (0.0, 0.9, 0.99)
RATE = 0.01


def errors_of_runs(
    ctx: Context, rule: Rule, optimizer: Optimizer, *, n: int, f: int, q: Fraction, steps: int, runs: int
) -> np.ndarray:
    """½[error in the world + and −] over the error a²/(2μ) of not knowing the world: (steps + 1, betas, runs)."""
    worlds = [TwoWorlds(sign, float(q)) for sign in (1, -1)]
    records = [
        simulate(
            world,
            RobustSGD(rule, optimizer),
            n=n,
            f=f,
            attack=Mirror(world),
            steps=steps,
            runs=runs,
            seed=ctx.seed,
            x0=[2 * worlds[0].x_star],
            grid=(len(BETAS),),
        )
        for world in worlds
    ]
    return (records[0].excess + records[1].excess) / 2 / float(q / (2 * (1 - q)))


def escape_curves(
    ctx: Context, n: int = 200, f: int = 40, q: Fraction = Fraction(63, 500), steps: int = 1000, runs: int = 10
) -> dict[str, Any]:
    """Error against t of three rules with β on the workers and on the server: the mean, least and largest of the runs.

    The range of r independent runs covers the median of their law with probability 1 − 2^{1−r} at each t (0.998 at r =
    10): each run is below the median with probability at most ½, and above it likewise. No other assumption.
    """
    betas = np.array(BETAS)[:, None]
    rules: dict[str, Rule] = {
        "CoordinateMedian": CoordinateMedian(),
        "TrimmedMean": TrimmedMean(f),
        "CenteredClipping": CenteredClipping(np.sqrt(1 - betas)),
    }
    optimizers: dict[str, Optimizer] = {"worker": WorkerMomentum(RATE, betas), "server": ServerMomentum(RATE, betas)}
    times = sorted({round(10 * 1.06**k) for k in range(200) if 10 * 1.06**k < steps} | {steps})
    curves: dict[str, Any] = {kind: {} for kind in optimizers}
    for kind, optimizer in optimizers.items():
        for name, rule in rules.items():
            found = errors_of_runs(ctx, rule, optimizer, n=n, f=f, q=q, steps=steps, runs=runs)[times]
            curves[kind][name] = {
                f"{beta:g}": {
                    "mean": np.mean(found[:, i], axis=-1),
                    "least": np.min(found[:, i], axis=-1),
                    "largest": np.max(found[:, i], axis=-1),
                }
                for i, beta in enumerate(BETAS)
            }
    tail = float(binomial_tail(n, f, q).mid())
    return {"n": n, "f": f, "runs": runs, "t": times, "bound": [(1 - tail) ** t for t in times], "curves": curves}
