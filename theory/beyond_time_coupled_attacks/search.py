"""A search over attack sequences against centered clipping with worker momentum, on the line.

One round is v_t = v_{t−1} + (1/n) Σ_honest clip_τ(m_i − v_{t−1}) + u_t, |u_t| ≤ fτ/n, clipped honest messages or not,
and every u_t can be had (`response.md`). A policy is a switching rule: u_t = (fτ/n)·sign(w_1x/s_x + w_2m̄/s_m +
w_3v/s_v + w_4 + w_5·(square wave of t)), which sees all there is to see, and includes the push in one direction, the
push with and against the last aggregate, towards and away from the optimum, and every period. Differential evolution
moves the weights, the period and the phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.attacks import Attack, View
from sims.attacks.attack import State
from sims.backend import Array, lead, namespace
from sims.engine.streams import Streams
from theory.claim import Context

WEIGHTS = 5


@dataclass(frozen=True, eq=False)
class Steered(Attack):
    """A policy: `weights` (5, *leading), `period` in rounds and `phase` in [0, 1) over the leading axes.

    `scales` (3, *leading) are s_x, s_m and s_v; `radius` is τ.
    """

    weights: Any
    period: Any
    phase: Any
    scales: Any
    radius: Any

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """v + τ·sign(…), f times."""
        xp, last = namespace(view.honest), view.last_aggregate
        seen = (view.x, xp.mean(view.honest, axis=-2), last)
        score = lead(self.weights[3], last, 1) + xp.zeros_like(last)
        for weight, scale, value in zip(self.weights, self.scales, seen, strict=False):
            score = score + lead(weight, last, 1) * value / lead(scale, last, 1)
        turns = view.t / lead(self.period, last, 1) + lead(self.phase, last, 1)
        wave = xp.where(turns - xp.floor(turns) < 0.5, xp.ones_like(last), -xp.ones_like(last))
        score = score + lead(self.weights[4], last, 1) * wave
        sign = xp.where(score >= 0, xp.ones_like(last), -xp.ones_like(last))
        return (last + lead(self.radius, last, 1) * sign)[..., None, :] + xp.zeros_like(view.own), state


@dataclass(frozen=True, eq=False)
class Scripted(Attack):
    """A fixed sequence: v_{t−1} + `radius`·`signs`[t − 1] in round t, on the line; signs (T, *leading)."""

    signs: Any
    radius: Any

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """The same message f times."""
        last = view.last_aggregate
        sent = last + lead(self.radius, last, 1) * lead(self.signs[view.t - 1], last, 1)
        return sent[..., None, :] + namespace(sent).zeros_like(view.own), state


def policy(z: np.ndarray, scales: np.ndarray, radius: float, alpha: float) -> Steered:
    """The policies with the parameters z (7, candidates) in [−1, 1]; periods from 2 rounds to 20/α."""
    columns = z[:, :, None]
    period = 2 * (10 / alpha) ** ((columns[5] + 1) / 2)
    return Steered(columns[:WEIGHTS], period, (columns[6] + 1) / 2, scales[:, None, None], radius)


def searched(ctx: Context, value: Any, purpose: str, generations: int = 4) -> np.ndarray:
    """The z (7,) for which differential evolution finds the largest `value`, (7, candidates) → (candidates,)."""
    from scipy.optimize import differential_evolution

    result = differential_evolution(
        lambda z: -value(z),
        bounds=[(-1.0, 1.0)] * (WEIGHTS + 2),
        maxiter=ctx.scaled(generations),
        popsize=5,
        tol=0.0,
        polish=False,
        vectorized=True,
        updating="deferred",
        rng=Streams(*ctx.stream(purpose)).generator(0),
    )
    return result.x
