"""The batched loop: many runs of one algorithm on one problem under one attack, as a leading axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import is_cupy_namespace

from sims.attacks import Attack, NoAttack
from sims.attacks.attack import STAGES
from sims.backend import Array, Namespace, as_like, get_namespace, namespace, to_numpy
from sims.engine import fused, fused_device
from sims.engine.configuration import configure
from sims.engine.experiment import Experiment
from sims.engine.record import Record
from sims.engine.round import Round
from sims.engine.streams import Streams
from sims.optimizers import Algorithm
from sims.problems import Problem
from sims.problems.problem import sq_norm

MEASURED_NUMBERS = 2**13  # coordinates of iterates that are measured at once, more only if one round has more
CHUNK_NUMBERS = 2**21  # random numbers that are held at once unless the caller says otherwise: 16 MiB


def simulate(
    problem: Problem,
    algorithm: Algorithm,
    *,
    n: int,
    f: int,
    attack: Attack | None = None,
    steps: int,
    runs: int,
    seed: int,
    x0: Any = None,
    grid: tuple[int, ...] = (),
    shuffle: bool = False,
    chunk: int | None = None,
    first_run: int = 0,
    backend: str | Namespace = "numpy",
    every: int = 1,
) -> Record:
    """Run an algorithm `runs` times for `steps` rounds with n workers, the last f of them Byzantine.

    f is the *true* number, 0 ≤ f < n, whatever the rule declares. Run r has its own random streams (purposes
    "sample", "attack", "rule", "shuffle"), so that its numbers depend on `seed` and on r = `first_run`, `first_run` +
    1, … alone: not on `runs`, nor on `chunk`, the number of rounds for which samples are drawn at once. `grid` are
    leading axes of parameters: with `grid=(3,)` a learning rate of shape (3, 1) makes three experiments on the same
    samples; iterates are (*grid, runs, d). `x0` (default: zeros) broadcasts to that. With `shuffle` the workers take
    the rows of the algorithm's input in a fresh random order each round: nobody keeps an identity (Karimireddy, He,
    Jaggi 2021, Remark 3). `backend` is a name or an array API namespace. Values are recorded at t = 0, at multiples
    of `every` and at the end. Iterates that overflow are recorded as such.

    Raises `ValueError` for f, n or counts out of range, and if parameters do not broadcast over (*grid, runs).

    >>> from sims.aggregators import Mean
    >>> from sims.optimizers import SGD, RobustSGD
    >>> from sims.problems import Quadratic
    >>> sgd = RobustSGD(Mean(), SGD(learning_rate=0.5))
    >>> simulate(Quadratic((1.0,)), sgd, n=2, f=0, steps=2, runs=1, seed=0, x0=[4.0]).sq_distances
    array([[16.],
           [ 4.],
           [ 1.]])
    """
    attack = NoAttack() if attack is None else attack
    _check_kinds(problem, algorithm, attack)
    _check(n, f, steps=steps, runs=runs, every=every, first_run=first_run, chunk=chunk)
    xp = get_namespace(backend) if isinstance(backend, str) else backend
    configuration = configure(
        problem,
        algorithm,
        n=n,
        f=f,
        attack=attack,
        steps=steps,
        runs=runs,
        seed=seed,
        x0=x0,
        grid=grid,
        shuffle=shuffle,
        first_run=first_run,
        backend=backend,
        every=every,
    )
    start = _start(problem, x0, (*grid, runs, problem.dim))
    experiment = Experiment(problem, algorithm, attack, n, f, steps, seed, first_run, start.shape[:-1], every)
    if backend == "numpy" and not shuffle and (program := fused.program(experiment)) is not None:
        return fused.play(program, start, configuration)
    if is_cupy_namespace(xp) and not shuffle and (program := fused_device.program(experiment)) is not None:
        return fused_device.play(program, start, configuration, xp)
    one_round = Round(problem, algorithm, attack, n, f)
    sample, attacking, ruling, mixing = (
        Streams(seed, purpose).runs(first_run, runs, xp) for purpose in ("sample", "attack", "rule", "shuffle")
    )
    per_step = max(1, runs * n * math.prod(problem.sample_shape))
    size = max(1, min(steps, CHUNK_NUMBERS // per_step)) if chunk is None else chunk

    state = algorithm.init(xp.asarray(start))
    attack_state = attack.init(state.x, n, f) if f else ()
    recorder = _Recorder(problem)
    # an attack may send infinities and an algorithm may diverge: both are results, not accidents
    with np.errstate(over="ignore", invalid="ignore"):
        recorder.note(state, None)
        for first in range(0, steps, size):
            count = min(size, steps - first)
            samples = xp.asarray(problem.draw(sample, count, n))
            orders = _orders(mixing, count, n, xp) if shuffle else [None] * count
            for k in range(count):
                state, attack_state, error = one_round(
                    state, attack_state, samples[k, ...], orders[k], attacking, ruling
                )
                if tuple(state.x.shape) != start.shape:
                    raise ValueError(
                        f"parameters must broadcast over (*grid, runs) = {start.shape[:-1]}, "
                        f"but the iterates became {tuple(state.x.shape)}"
                    )
                if state.t % every == 0 or state.t == steps:
                    recorder.note(state, error)
        return recorder.record(state, configuration)


class _Recorder:
    """Collects what `Record` holds where it was computed; it is fetched at the end, so that no round waits for it.

    Iterates are measured many at a time: a round's own are few numbers, and calls would cost more than they.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.times: list[int] = []
        self.waiting: list[Array] = []  # iterates that are not measured yet
        self.parts: list[tuple[Array, ...]] = []
        self.errors: list[Array] = []

    def note(self, state: Any, error: Any) -> None:
        self.times.append(state.t)
        self.waiting.append(state.x)
        if len(self.waiting) * math.prod(state.x.shape) >= MEASURED_NUMBERS:
            self._measure()
        if error is not None:
            self.errors.append(error)

    def _measure(self) -> None:
        x = namespace(*self.waiting).stack(self.waiting)
        self.waiting = []
        away = x - as_like(self.problem.x_star, x)
        self.parts.append((self.problem.excess(x), sq_norm(self.problem.gradient(x)), sq_norm(away)))

    def record(self, state: Any, configuration: dict[str, Any]) -> Record:
        if self.waiting:
            self._measure()
        excess, gradients, distances = (_joined(column) for column in zip(*self.parts, strict=True))
        errors = _stacked(self.errors) if self.errors else np.empty((0, *excess.shape[1:]))
        return Record(
            np.array(self.times), excess, gradients, distances, errors, np.array(to_numpy(state.x)), configuration
        )


def _joined(arrays: Sequence[Array]) -> np.ndarray:
    """Arrays along their first axis as one on the host, in one transfer."""
    return np.array(to_numpy(namespace(*arrays).concat(arrays)))


def _stacked(arrays: Sequence[Array]) -> np.ndarray:
    """Arrays of one shape as one on the host, in one transfer."""
    return np.array(to_numpy(namespace(*arrays).stack(arrays)))


def _start(problem: Problem, x0: Any, shape: tuple[int, ...]) -> np.ndarray:
    values = np.zeros(problem.dim) if x0 is None else np.asarray(to_numpy(x0) if hasattr(x0, "shape") else x0)
    if values.ndim < 1 or values.shape[-1] != problem.dim:
        raise ValueError(f"x0 must have shape (..., d) with d = {problem.dim}, got {values.shape}")
    try:
        return np.zeros(shape) + np.broadcast_to(values, shape)  # the sum owns its memory in C order
    except ValueError as error:
        raise ValueError(f"x0 must broadcast to (*grid, runs, d) = {shape}, got {values.shape}") from error


def _orders(streams: Any, steps: int, n: int, xp: Namespace) -> list[Any]:
    """A uniformly random order of the workers per round and run, (runs, n) each: the ranks of uniform draws."""
    ranks = xp.argsort(xp.asarray(streams.uniform(steps, (n,))), axis=-1, stable=False)
    return [ranks[k, ...] for k in range(steps)]


def _check_kinds(problem: Any, algorithm: Any, attack: Any) -> None:
    for name, value, kind in (
        ("problem", problem, Problem),
        ("algorithm", algorithm, Algorithm),
        ("attack", attack, Attack),
    ):
        if not isinstance(value, kind):
            raise ValueError(f"simulate needs a sims {kind.__name__} as {name}, got {name} = {value!r}")
    if attack.enters not in STAGES:
        raise ValueError(f"an attack enters at one of {STAGES}, got enters = {attack.enters!r}")


def _check(n: int, f: int, *, first_run: int, chunk: int | None, **at_least_one: int) -> None:
    counts = {"n": n, "f": f, "first_run": first_run, **at_least_one, **({} if chunk is None else {"chunk": chunk})}
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise ValueError(f"simulate needs a whole number {name}, got {name} = {value!r}")
        smallest = 0 if name in ("f", "first_run") else 1
        if value < smallest:
            raise ValueError(f"simulate needs {name} ≥ {smallest}, got {name} = {value}")
    if f >= n:
        raise ValueError(f"simulate needs 0 ≤ f < n, got f = {f}, n = {n}")
