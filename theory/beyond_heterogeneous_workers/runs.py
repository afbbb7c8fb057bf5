"""Robust gradient descent in the engine, on quadratics whose curvatures differ from worker to worker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sims.aggregators import Mean, Rule, TrimmedMean
from sims.attacks import ALittleIsEnough, BitFlipping, InnerProductManipulation, Together
from sims.backend import Array, as_like
from sims.checks.evidence import Evidence
from sims.engine import simulate
from sims.optimizers import SGD, RobustSGD
from sims.problems import Problem
from sims.problems.oracle import Draws, at_points
from theory.claim import Context, Control, claim

N, F, ROUNDS = 25, 3, 200
ATTACKS = {
    "IPM": InnerProductManipulation(10.0),
    "ALIE": ALittleIsEnough(z=1.5),
    "BF": BitFlipping(),
}


class Curvatures(Problem):
    """f_i(x) = ½h_i‖x‖² + ⟨u_i, x⟩ in the plane, f of the honest curvatures larger than the others; f(x) = ½‖x‖².

    (1/g)Σ‖∇f_i − ∇f‖² = G² + B²‖x‖² at every x: the h_i have mean 1 and variance B², the u_i add up to 0 in either
    group. Byzantine workers would have the first curvatures again.
    """

    def __init__(self, G: float, B: float, n: int = N, f: int = F) -> None:
        g = n - f
        high = np.arange(g) < f
        share = f / g
        apart = B / np.sqrt(share * (1 - share))
        slopes = 1 - share * apart + apart * high
        angle = 2 * np.pi * np.where(high, np.arange(g) / f, (np.arange(g) - f) / (g - f))
        offsets = G * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        again = np.arange(n) % g
        self.slopes, self.offsets = slopes[again], offsets[again]

    @property
    def dim(self) -> int:
        """The plane."""
        return 2

    @property
    def L(self) -> float:  # noqa: N802
        """Of f."""
        return 1.0

    @property
    def mu(self) -> float:
        """Of f."""
        return 1.0

    @property
    def sigma_sq(self) -> float:
        """No noise."""
        return 0.0

    @property
    def x_star(self) -> float:
        """The origin."""
        return 0.0

    @property
    def f_star(self) -> float:
        """At the origin."""
        return 0.0

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Nothing is drawn."""
        return ()

    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """Numbers that are not used."""
        return streams.uniform(steps, (n,))

    @at_points
    def excess(self, x: Array) -> Array:
        """½‖x‖²."""
        return (x[..., 0] ** 2 + x[..., 1] ** 2) / 2

    @at_points
    def gradient(self, x: Array) -> Array:
        """The point x itself."""
        return x

    @at_points
    def oracle(self, x: Array, sample: Array, honest: int | None = None) -> Array:
        """h_i·x + u_i."""
        return as_like(self.slopes[:, None], x) * x[..., None, :] + as_like(self.offsets, x)


def averages(rule: Any, G: float, B: float, ctx: Context) -> dict[str, float]:
    """(1/T)Σ‖∇f(x_t)‖² from x_0 = (3, 1) by attack."""
    record = simulate(
        Curvatures(G, B),
        RobustSGD(rule, SGD(1.0)),
        n=N,
        f=F,
        attack=Together(tuple(ATTACKS.values())),
        steps=ROUNDS,
        runs=1,
        seed=ctx.seed,
        x0=[3.0, 1.0],
        grid=(len(ATTACKS),),
        backend=ctx.backend,
    )
    return dict(zip(ATTACKS, np.mean(record.sq_gradient_norms[:ROUNDS], axis=0)[:, 0], strict=True))


@claim(
    "In runs under IPM, ALIE and bit flipping the trimmed mean keeps the bound, at B² = 0, 4 and 5.76 and δ = 0.12.",
    loose="a bound for all functions: on these quadratics it is not attained",
    controls=(
        Control("the mean", "IPM drives it away", {"rule": Mean()}),
        Control("beyond the breakdown", "at B² = 6.76 > n/f − 2 it goes away from the minimum", {"beyond": 0.2}),
    ),
)
def in_runs(ctx: Context, *, rule: Rule | None = None, beyond: float = 0.0) -> Iterable[Evidence]:
    """(1/T)Σ‖∇f(x_t)‖² from x_0 = (3, 1) on f = ½‖x‖², G = 1; claimed: (2Δ/T + κG²)/(1 − κB²)."""
    kappa = F / (N - 2 * F)
    for B in (0.0, 2.0, 2.4):
        claimed = (2 * 5 / ROUNDS + kappa) / (1 - kappa * B**2)
        for name, average in averages(rule or TrimmedMean(F), 1.0, B + beyond, ctx).items():
            what = f"average squared gradient, {name}, n = {N}, f = {F}, B² = {B**2:g}, T = {ROUNDS}"
            yield Evidence(what, average, "<=", claimed, "exact", 1e-9 * claimed, at={"n": N, "f": F, "attack": name})
