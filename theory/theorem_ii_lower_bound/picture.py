"""What the figure of Theorem II draws."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np

from sims.aggregators import CenteredClipping, CoordinateMedian, Mean, Rule, TrimmedMean
from sims.engine import simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from theory.claim import Context
from theory.theorem_ii_lower_bound.tails import binomial_tail
from theory.theorem_ii_lower_bound.worlds import Mirror, TwoWorlds, mirror

RATE, BETA = 0.1, 0.9


def messages_of_a_round(n: int = 100, f: int = 20, spikes: int = 11) -> dict[str, Any]:
    """How many good and bad workers send −H, 0, +H (beyond μx) in each world, when `spikes` honest bits are 1."""
    bits = (1,) * spikes + (0,) * (n - f - spikes)
    found = {}
    for name, messages in zip(("plus", "minus"), mirror(bits, bits, f), strict=True):
        good, bad = Counter(messages[: n - f]), Counter(messages[n - f :])
        found[name] = {"good": [good[v] for v in (-1, 0, 1)], "bad": [bad[v] for v in (-1, 0, 1)]}
    return {"n": n, "f": f, **found}


def error_curves(
    ctx: Context, n: int = 200, f: int = 40, q: Fraction = Fraction(63, 500), steps: int = 1000, runs: int = 8
) -> dict[str, Any]:
    """½[error on the problem + and −]·μ/σ² against t, averaged over runs, from x_0 = 2a/μ; and the bound."""
    rules: dict[str, Rule] = {
        "Mean": Mean(),
        "CoordinateMedian": CoordinateMedian(),
        "TrimmedMean": TrimmedMean(f),
        "CenteredClipping": CenteredClipping(0.3),
    }
    times = sorted({round(1.12**k) for k in range(200) if round(1.12**k) < steps} | {steps})
    curves: dict[str, Any] = {"none": {}, "worker": {}}
    worlds = [TwoWorlds(sign, float(q)) for sign in (1, -1)]
    start = 2 * worlds[0].x_star
    for name, rule in rules.items():
        for kind, optimizer in (("none", SGD(RATE)), ("worker", WorkerMomentum(RATE, BETA))):
            errors = []
            for world in worlds:
                record = simulate(
                    world,
                    RobustSGD(rule, optimizer),
                    n=n,
                    f=f,
                    attack=Mirror(world),
                    steps=steps,
                    runs=runs,
                    seed=ctx.seed,
                    x0=[start],
                )
                errors.append(np.mean(record.excess[times], axis=1))
            curves[kind][name] = [float(e) for e in (errors[0] + errors[1]) / 2]
    tail = float(binomial_tail(n, f, q).mid())
    floor = float(q / (2 * (1 - q)))
    return {
        "n": n,
        "f": f,
        "runs": runs,
        "beta": BETA,
        "t": times,
        "errors": curves,
        "bound": [floor * (1 - tail) ** t for t in times],
    }
