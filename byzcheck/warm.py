"""Compiling ahead: what rules and rounds need is compiled and kept, so that nothing waits for it later.

Code for few messages is compiled once, and for large ones for each number of workers; both for each type of number. The
latter is compiled by being used: each rule of the register aggregates messages that are large enough for it, and each
part that has compiled rounds plays some.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sims.aggregators import CoordinateMedian
from sims.attacks import NoAttack
from sims.by_name.register import ATTACKS, OPTIMIZERS, PROBLEMS, examples
from sims.checked import whole
from sims.engine import Experiment, Streams, play
from sims.engine.on_cpu import SMALLEST
from sims.engine.simulate import compiled
from sims.kernels import at_once, enabled
from sims.kernels.dispatch import MOST_WORKERS
from sims.kernels.dispatch import SMALLEST as SMALLEST_MESSAGES
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic

KINDS = ("rules", "rounds")


@dataclass(frozen=True)
class Kept:
    """Where compiled code is kept, in how many files, of how many bytes; `lasting` unless the system may delete it."""

    folder: Path | None  # None where nothing can be kept
    files: int
    size: int
    lasting: bool


def pieces(n: int, f: int, only: str | None = None) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is compiled for n workers of whom f are declared Byzantine: what it is, and a call that compiles it.

    Raises `ValueError` unless 2 ≤ n ≤ `MOST_WORKERS`, 0 ≤ f < n/2, and `only` is None or one of `KINDS`.
    """
    n, f = whole("warm", "n", n, least=2), whole("warm", "f", f, least=0)
    if n > MOST_WORKERS or 2 * f >= n:
        raise ValueError(f"warm needs n ≤ {MOST_WORKERS} and f < n/2, got n = {n}, f = {f}")
    if only not in (None, *KINDS):
        raise ValueError(f"--only must be one of {', '.join(KINDS)}, got {only!r}")
    if not enabled():
        raise ValueError("nothing is compiled where NUMBA_DISABLE_JIT is set")
    return (
        piece
        for kind, make in zip(KINDS, (_rules, _rounds), strict=True)
        if only in (None, kind)
        for piece in make(n, f)
    )


def _rules(n: int, f: int) -> Iterator[tuple[str, Callable[[], object]]]:
    for name, number in at_once.names():
        yield f"{name} of few, {np.dtype(number)}", lambda name=name, number=number: at_once.load(name, number)
    d = -(-max(SMALLEST_MESSAGES, at_once.MOST) // n) + 8  # more than one call is for
    for dtype in (np.float32, np.float64):
        x = np.random.default_rng(0).normal(size=(1, n, d)).astype(dtype)
        for name, rule in examples(n, f).items():
            yield f"{name}, {x.dtype}", lambda rule=rule, x=x: rule(x, None, Streams(0, "rule").runs(0, 1))


def _rounds(n: int, f: int) -> Iterator[tuple[str, Callable[[], object]]]:
    problem, optimizer = Quadratic.between(mu=0.1, L=1.0, dim=10, sigma_sq=1.0), WorkerMomentum(0.05, 0.9)
    tried = [
        *((kind.__name__, kind.example(), CoordinateMedian(), optimizer, NoAttack()) for kind in PROBLEMS),
        *((name, problem, rule, optimizer, NoAttack()) for name, rule in examples(n, f).items()),
        *((kind.__name__, problem, CoordinateMedian(), kind.example(), NoAttack()) for kind in OPTIMIZERS),
        *(
            (kind.__name__, problem, CoordinateMedian(), optimizer, kind.example(n, f) or NoAttack())
            for kind in ATTACKS
        ),
    ]
    for name, on, rule, by, attack in tried:
        steps = math.ceil(SMALLEST / (n * on.dim))
        with contextlib.suppress(ValueError):  # of parts that do not go together, as labels that there are not
            e = Experiment(on, RobustSGD(rule, by), n=n, f=f, attack=attack, steps=steps, runs=1, seed=0, every=steps)
            if compiled(e):
                yield f"rounds with {name}", lambda e=e: play(e)


def kept() -> Kept:
    """What is kept on disk by now."""
    from sims.kernels.cpu import compiled
    from sims.kernels.cpu import random as random  # which is compiled in any case: from then on it is known where

    folder, lasting = compiled.kept_in()
    files = [] if folder is None else [path.stat().st_size for path in folder.rglob("*.nbc")]
    return Kept(folder, len(files), sum(files), lasting)
