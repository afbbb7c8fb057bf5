"""The batched loop: many runs of one algorithm on one problem under one attack, as a leading axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from array_api_compat import is_cupy_namespace

from sims.attacks import Attack, NoAttack
from sims.backend import Array, Namespace, get_namespace, namespace, to_numpy
from sims.engine import on_cpu, on_cuda
from sims.engine.experiment import Experiment, whole
from sims.engine.program import Program
from sims.engine.record import Record
from sims.optimizers import Algorithm
from sims.problems import Oracle

MEASURED_NUMBERS = 2**13  # coordinates of iterates that are measured at once, more only if one round has more
CHUNK_NUMBERS = 2**21  # random numbers that are held at once unless the caller says otherwise: 16 MiB


def simulate(
    problem: Oracle,
    algorithm: Algorithm,
    *,
    n: int,
    f: int,
    attack: Attack | None = None,
    steps: int,
    runs: int,
    seed: int | tuple[int, ...],
    x0: Any = None,
    grid: tuple[int, ...] = (),
    axes: Mapping[str, Sequence[Any]] | None = None,
    shuffle: bool = False,
    chunk: int | None = None,
    first_run: int = 0,
    backend: str | Namespace = "numpy",
    every: int = 1,
) -> Record:
    """Run an algorithm on a problem `runs` times for `steps` rounds with n workers, the last f of them Byzantine.

    Makes an `Experiment`, which says what the parameters are and what is refused, and runs it. `chunk` is the number of
    rounds for which samples are drawn at once, and changes no number. Iterates that overflow are recorded as such.

    >>> from sims.aggregators import Mean
    >>> from sims.optimizers import SGD, RobustSGD
    >>> from sims.problems import Quadratic
    >>> sgd = RobustSGD(Mean(), SGD(learning_rate=0.5))
    >>> simulate(Quadratic((1.0,)), sgd, n=2, f=0, steps=2, runs=1, seed=0, x0=[4.0]).sq_distances
    array([[16.],
           [ 4.],
           [ 1.]])
    """
    experiment = Experiment(
        problem,
        algorithm,
        n=n,
        f=f,
        steps=steps,
        runs=runs,
        seed=seed,
        attack=NoAttack() if attack is None else attack,
        x0=x0,
        grid=grid,
        axes=axes,
        shuffle=shuffle,
        first_run=first_run,
        every=every,
        backend=backend,
    )
    return play(experiment, chunk)


def play(e: Experiment, chunk: int | None = None) -> Record:
    """The record of an experiment, by the compiled rounds on the CPU or on a CUDA device if they play it.

    `chunk`, the number of rounds for which samples are drawn at once, changes no number.

    >>> from sims.aggregators import Mean
    >>> from sims.optimizers import SGD, RobustSGD
    >>> from sims.problems import Quadratic
    >>> sgd = RobustSGD(Mean(), SGD(learning_rate=0.5))
    >>> experiment = Experiment(Quadratic((1.0,)), sgd, n=2, f=0, steps=2, runs=1, seed=0, x0=[4.0])
    >>> play(experiment).key() == experiment.key()
    True
    """
    chunk = None if chunk is None else whole("chunk", chunk, 1)
    xp = get_namespace(e.backend)
    configuration, start = e.configuration, e.start()
    if (program := _program(e, xp)) is not None:
        if is_cupy_namespace(xp):
            return on_cuda.play(program, start, configuration, xp)
        return on_cpu.play(program, start, configuration)
    problem, algorithm, attack, n, f, steps, runs = e.problem, e.algorithm, e.attack, e.n, e.f, e.steps, e.runs
    one_round = e.round()
    sample, attacking, ruling, mixing = (e.streams(purpose, xp) for purpose in ("sample", "attack", "rule", "shuffle"))
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
            orders = _orders(mixing, count, n, xp) if e.shuffle else [None] * count
            for k in range(count):
                state, attack_state, error = one_round(
                    state, attack_state, samples[k, ...], orders[k], attacking, ruling
                )
                if tuple(state.x.shape) != start.shape:
                    raise ValueError(
                        f"parameters must broadcast over (*grid, runs) = {start.shape[:-1]}, "
                        f"but the iterates became {tuple(state.x.shape)}"
                    )
                if state.t % e.every == 0 or state.t == steps:
                    recorder.note(state, error)
        return recorder.record(state, configuration)


def compiled(e: Experiment) -> bool:
    """Whether compiled rounds play an experiment; they add in another order than the array engine.

    >>> from sims.aggregators import Mean
    >>> from sims.optimizers import SGD, RobustSGD
    >>> from sims.problems import Quadratic
    >>> compiled(Experiment(Quadratic((1.0,)), RobustSGD(Mean(), SGD(0.5)), n=2, f=0, steps=2, runs=1, seed=0))
    False
    """
    return _program(e, get_namespace(e.backend)) is not None


def _program(e: Experiment, xp: Namespace) -> Program | None:
    if e.shuffle:
        return None
    if is_cupy_namespace(xp):
        return on_cuda.program(e)
    return on_cpu.program(e) if e.backend == "numpy" else None


class _Recorder:
    """Collects what `Record` holds where it was computed; it is fetched at the end, so that no round waits for it.

    Iterates are measured many at a time: a round's own are few numbers, and calls would cost more than they.
    """

    def __init__(self, problem: Oracle) -> None:
        self.problem = problem
        self.times: list[int] = []
        self.waiting: list[Array] = []  # iterates that are not measured yet
        self.parts: list[Mapping[str, Array]] = []
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
        self.parts.append(self.problem.measure(x))

    def record(self, state: Any, configuration: dict[str, Any]) -> Record:
        if self.waiting:
            self._measure()
        measures = {name: _joined([part[name] for part in self.parts]) for name in self.parts[0]}
        errors = _stacked(self.errors)  # there are some: every experiment has a last round
        return Record(np.array(self.times), measures, errors, np.array(to_numpy(state.x)), configuration)


def _joined(arrays: Sequence[Array]) -> np.ndarray:
    """Arrays along their first axis as one on the host, in one transfer."""
    return np.array(to_numpy(namespace(*arrays).concat(arrays)))


def _stacked(arrays: Sequence[Array]) -> np.ndarray:
    """Arrays of one shape as one on the host, in one transfer."""
    return np.array(to_numpy(namespace(*arrays).stack(arrays)))


def _orders(streams: Any, steps: int, n: int, xp: Namespace) -> list[Any]:
    """A uniformly random order of the workers per round and run, (runs, n) each: the ranks of uniform draws."""
    ranks = xp.argsort(xp.asarray(streams.uniform(steps, (n,))), axis=-1, stable=False)
    return [ranks[k, ...] for k in range(steps)]
