"""Simulated worker-gradients, beside a Python loop around every peer and beside drawing the same normals alone.

SGD with worker momentum on a quadratic with Gaussian noise, f of n workers flipping the signs of their messages: what a
robust SGD costs where gradients cost next to nothing. All times are seconds per worker-gradient. In the loops centered
clipping starts each round from zero, since byzpy cannot keep a centre; that costs the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks.measure import Call
from benchmarks.peers import Peer, as_array, peers_of
from benchmarks.rules import RULES, defined
from sims.attacks import BitFlipping
from sims.engine import Record, Streams, simulate
from sims.kernels.cpu.threads import split
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic

DRAW = "the same normals"
RADIUS = 1.0  # τ where workers' momenta have variance near σ²(1 − β)/(1 + β) and σ² = 1
BUFFER = 2**15  # normals at once: they stay in the cache
RATE, BETA = 0.05, 0.9


def problem(d: int, sigma: float = 1.0) -> Quadratic:
    """The quadratic on which everybody descends."""
    return Quadratic.between(mu=1.0 if d == 1 else 0.1, L=1.0, dim=d, sigma_sq=sigma**2)


def ours(
    rule: str, n: int, f: int, d: int, runs: int, steps: int, backend: str = "numpy", sigma: float = 1.0
) -> Record:
    """All runs as one call of `simulate`."""
    algorithm = RobustSGD(RULES[rule](f, RADIUS), WorkerMomentum(RATE, BETA))
    where = {"x0": np.ones(d), "steps": steps, "runs": runs, "seed": 0, "every": steps, "backend": backend}
    return simulate(problem(d, sigma), algorithm, n=n, f=f, attack=BitFlipping("messages"), **where)


def draw(n: int, d: int, runs: int, steps: int, use: Callable[[int, np.ndarray], Any] | None = None) -> None:
    """Draw the normals of those runs and do nothing else, on as many threads; `use(run, normals)` may look at them."""
    streams = Streams(0, "sample")

    def part(first: int, last: int) -> None:
        buffer = np.empty(BUFFER)
        for run in range(first, last):
            generator, left = streams.generator(run), n * d * steps
            while left:
                drawn = buffer[: min(left, BUFFER)]
                generator.standard_normal(out=drawn)
                left -= drawn.size
                if use is not None:
                    use(run, drawn)

    split(part, runs)


def loop(peer: Peer, n: int, f: int, d: int, steps: int, sigma: float = 1.0) -> np.ndarray:
    """One run around a peer's rule as federated code is written: one worker after the other computes and speaks."""
    rng = np.random.default_rng(0)
    curvature, noise = np.asarray(problem(d).eigenvalues), sigma / math.sqrt(d)
    x, momenta = np.ones(d), [np.zeros(d) for _ in range(n)]
    for _ in range(steps):
        sent = []
        for i in range(n):
            gradient = curvature * x + noise * rng.standard_normal(d)
            momenta[i] = BETA * momenta[i] + (1.0 - BETA) * gradient
            sent.append(momenta[i] if i < n - f else -momenta[i])
        x = x - RATE * as_array(peer.function(peer.convert(np.stack(sent))))
    return x


def lean_loop(peer: Peer, n: int, f: int, d: int, steps: int, sigma: float = 1.0) -> np.ndarray:
    """The same run, draw for draw, with all workers in one matrix: as lean as a loop over rounds gets in NumPy."""
    rng = np.random.default_rng(0)
    curvature, noise = np.asarray(problem(d).eigenvalues), sigma / math.sqrt(d)
    x, momenta = np.ones(d), np.zeros((n, d))
    for _ in range(steps):
        momenta = BETA * momenta + (1.0 - BETA) * (curvature * x + noise * rng.standard_normal((n, d)))
        sent = momenta.copy()
        sent[n - f :] *= -1.0
        x = x - RATE * as_array(peer.function(peer.convert(sent)))
    return x


LOOPS = {"loop": loop, "lean loop": lean_loop}


def contenders(
    n: int, f: int, d: int, runs: int, steps: int, rules: tuple[str, ...], loop_steps: int, peers: bool = True
) -> tuple[dict[str, Call], dict[str, int]]:
    """Calls named "rule/who", and how many worker-gradients each computes."""
    calls: dict[str, Call] = {DRAW: partial(draw, n, d, runs, steps)}
    work = {DRAW: n * runs * steps}
    for rule in (r for r in rules if defined(r, n, f)):
        calls[f"{rule}/ours"] = partial(ours, rule, n, f, d, runs, steps)
        work[f"{rule}/ours"] = n * runs * steps
        for peer in peers_of(rule, f, RADIUS) if peers else ():
            if not peer.differs:
                for name, written in LOOPS.items():
                    calls[f"{rule}/{name} {peer.name}"] = partial(written, peer, n, f, d, loop_steps)
                    work[f"{rule}/{name} {peer.name}"] = n * loop_steps
    return calls, work


def per_gradient(seconds: Mapping[str, float], work: Mapping[str, int]) -> dict[str, float]:
    """Seconds per worker-gradient."""
    return {who: value / work[who] for who, value in seconds.items()}
