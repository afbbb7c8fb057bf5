"""What holds on every path: how far clipping from the last aggregate falls behind, in one round and in many."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from sims.aggregators import CenteredClipping, Mean, Rule
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from sims.engine import Streams
from theory.algorithm_2_end_to_end.constants import OURS
from theory.claim import Context, Control, claim

ROUNDING = 1e-12  # of sums of some tens of numbers of the order τ
SIZES = ((20, 3, 1), (20, 3, 3))  # (n, f, d), δ = 0.15
TAU = 1.0


def rank(n: int, f: int) -> int:
    """m = ⌊(q − δ)n⌋ + 1: R is the m-th largest distance of an honest message from M."""
    return math.floor((float(OURS.q) - f / n) * n) + 1


def attack(v: np.ndarray, m: np.ndarray, f: int, kind: int, rng: np.random.Generator) -> np.ndarray:
    """f messages (runs, f, d): far beyond the centre on the side that leads away from M, or towards M, or anywhere."""
    away = v - m + 1e-9 * rng.normal(size=v.shape)
    away = away / np.linalg.norm(away, axis=-1, keepdims=True)
    if kind == 2:
        away = rng.normal(size=v.shape)
    return np.repeat((v + (1e3 if kind != 1 else -1e3) * away)[:, None, :], f, axis=1)


@claim(
    "In a round either D falls by at least ωτ or it is below θ·max(τ, R/r), R the radius of all but a few honest "
    "messages; and the near bound of step 1 holds.",
    controls=(
        Control("the mean", "one far message moves it at will", {"rule": Mean()}),
        Control("R of the nearest message", "all others may then be far", {"wrong": True}),
    ),
)
def one_round(ctx: Context, *, rule: Rule | None = None, wrong: bool = False) -> Iterable[Evidence]:
    """The largest excess of e_t over each bound on rounds with random and extreme honest messages, in units of τ.

    Honest messages are 0, rτ, 3τ or 30τ from M, mostly on one side, towards the centre or away from it.
    """
    made = rule or CenteredClipping(TAU)
    count = max(1500, ctx.scaled(3000))
    for n, f, d in SIZES:
        rng = Streams(*ctx.stream(f"{n}/{d}")).generator(0)
        worst = [-math.inf, -math.inf]
        for kind in (0, 1, 2):
            distance = 10.0 ** rng.uniform(-1, 2, count) * TAU
            v = rng.normal(size=(count, d))
            v = v / np.linalg.norm(v, axis=-1, keepdims=True) * distance[:, None]
            share = rng.choice((0.0, 0.05, 0.2, 1.0), (count, 1))  # of honest messages that are far
            lengths = np.where(
                rng.random((count, n - f)) < share,
                rng.choice((3.0, 30.0), (count, n - f)),
                rng.choice((0.0, float(OURS.large)), (count, n - f)),
            )
            side = rng.choice((-1.0, 1.0), (count, 1, 1)) * rng.choice((1.0, -1.0), (count, n - f, 1), p=(0.9, 0.1))
            towards = side * v[:, None, :] / distance[:, None, None]
            anywhere = rng.normal(size=(count, n - f, d))
            anywhere = anywhere / np.linalg.norm(anywhere, axis=-1, keepdims=True)
            honest = np.where(rng.random((count, n - f, 1)) < 0.7, towards, anywhere) * lengths[:, :, None]
            sent = np.concatenate([honest, attack(v, np.zeros_like(v), f, kind, rng)], axis=1)
            state = ctx.asarray(v) if rule is None else None
            after = to_numpy(made.aggregate(ctx.asarray(sent), state=state))
            e = np.linalg.norm(after, axis=-1)
            m = n - f if wrong else rank(n, f)
            radius = np.sort(lengths, axis=1)[:, -m]
            drift = float(OURS.drift) * TAU
            falls = distance - float(OURS.omega) * TAU
            bounded = float(OURS.theta) * np.maximum(TAU, radius / float(OURS.large))
            worst[0] = max(worst[0], float(np.max(e + drift - np.maximum(falls, bounded))))
            theta, delta = float(OURS.theta), f / n
            own = np.linalg.norm(np.mean(honest, axis=1), axis=-1)
            cut = np.mean(np.maximum(lengths - (1 - theta) * TAU, 0), axis=1)
            near = delta * (distance + TAU) + (1 - delta) * (np.maximum(distance - theta * TAU, 0) + own + cut)
            worst[1] = max(worst[1], float(np.max(e - near)))
        for name, value in zip(("the larger of D − ωτ and θ·max(τ, R/r)", "step 1's bound"), worst, strict=True):
            what = f"largest excess of a round over {name}, n = {n}, f = {f}, d = {d}"
            yield Evidence(what, value, "<=", 0.0, "searched", ROUNDING, scale=TAU, at={"n": n, "f": f, "d": d})
