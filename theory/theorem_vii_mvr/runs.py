"""Runs of MVR with robust rules: every path of a few rounds, and engine runs whose values are provably bounded.

*Every path.* M ≥ 3 equally spaced phases give the noise the same first two moments as a uniform phase, so that
expectations are finite sums over M^{gT} paths. *Bounded values.* |m_i − ∇f|, |∇f| and the distance of the aggregate
from it are bounded from round to round, for the mean, TM and centered clipping. The proof is in `runs.md`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sims.aggregators import CenteredClipping, Rule
from sims.attacks import Attack, NoAttack
from sims.engine.round import Round
from sims.engine.streams import Streams
from sims.optimizers import Optimizer, RobustSGD
from sims.problems import PhaseNoise, Sinusoidal

CHUNK_NUMBERS = 2**22  # random numbers held at once


@dataclass(frozen=True)
class Seen:
    """One round of all runs at once: x_{t−1} (R, d), honest estimates (R, g, d), the aggregate and x_t (R, d)."""

    x: np.ndarray
    honest: np.ndarray
    aggregate: np.ndarray
    x_next: np.ndarray


@dataclass(frozen=True)
class Setting:
    """What a run is made of; the optimizer's messages must be its workers' memory, as in momentum and MVR."""

    problem: PhaseNoise
    rule: Rule
    optimizer: Optimizer
    n: int
    f: int
    attack: Attack = field(default_factory=NoAttack)
    x0: float = 1.0


def rounds(setting: Setting, samples: Any, runs: int) -> Iterator[Seen]:
    """Play a round for each array of samples (R, n, d)."""
    algorithm = RobustSGD(setting.rule, setting.optimizer)
    play = Round(setting.problem, algorithm, setting.attack, setting.n, setting.f)
    states = play.begin(np.full((runs, setting.problem.dim), setting.x0))
    for sample in samples:
        x = states.algorithm.x
        states, _ = play(states, sample, None, None, None)
        state = states.algorithm
        yield Seen(x, state.memory.workers[..., : setting.n - setting.f, :], state.aggregate, state.x)


def every_path(setting: Setting, phases: int, steps: int) -> list[Seen]:
    """All phases^{g·steps} paths, equally likely; the Byzantine workers' own samples are 0, since no attack reads
    them."""
    g = setting.n - setting.f
    digits = np.array(list(itertools.product(range(phases), repeat=g)), dtype=np.float64) / phases
    each = len(digits)
    runs = each**steps
    samples = np.zeros((steps, runs, setting.n, 1))
    for t in range(steps):
        index = np.arange(runs) // each ** (steps - 1 - t) % each
        samples[t, :, :g, 0] = digits[index]
    return list(rounds(setting, samples, runs))


def sampled(setting: Setting, streams: Streams, steps: int, runs: int) -> Iterator[Seen]:
    """Runs of the engine's round with fresh phases, drawn for some rounds at a time."""
    source = streams.runs(0, runs)
    size = max(1, CHUNK_NUMBERS // (runs * setting.n * setting.problem.dim))
    counts = (min(size, steps - first) for first in range(0, steps, size))
    drawn = (setting.problem.draw(source, count, setting.n) for count in counts)
    return rounds(setting, itertools.chain.from_iterable(drawn), runs)


@dataclass(frozen=True)
class Ranges:
    """What no path exceeds in any round: |∇f(x_{t−1})| for each t, max_i |e_i| and |aggregate − ∇f| over all t."""

    gradient: np.ndarray
    error: float
    reach: float


def ranges(setting: Setting, eta: float, alpha: float, steps: int) -> Ranges:
    """Steps 2 to 4 of `runs.md`, with one-sample start."""
    s, tau = float(setting.problem.amplitude), None
    if isinstance(setting.rule, CenteredClipping):
        (tau,) = setting.rule.radii
    delta = setting.f / setting.n
    bowl = isinstance(setting.problem, Sinusoidal)
    x = abs(setting.x0) if bowl else 1.0  # |∇f|: the pendulum's is at most 1 everywhere
    error, away = s, x  # the centre is 0 at first
    xs, errors, reaches = [], [], []
    for _ in range(steps):
        reach = error if tau is None else max(error + tau + delta * tau, away - (1 - 2 * delta) * tau)
        xs.append(x)
        errors.append(error)
        reaches.append(reach)
        u = eta * (x + reach)
        x = (1 - eta) * x + eta * reach if bowl else 1.0
        away = reach + u
        error = (1 - alpha) * error + alpha * s + (1 - alpha) * s * min(2.0, u)
    return Ranges(np.array(xs) * (1 + 1e-9), max(errors) * (1 + 1e-9), max(reaches) * (1 + 1e-9))


def worst_pair(honest: np.ndarray) -> float:
    """ρ² = max over honest i ≠ j of the mean of ‖m_i − m_j‖² over runs, (R, g, d)."""
    g = honest.shape[-2]
    pairs = itertools.combinations(range(g), 2)
    return max(
        (float(np.mean(np.sum((honest[:, i] - honest[:, j]) ** 2, axis=-1))) for i, j in pairs),
        default=0.0,
    )
