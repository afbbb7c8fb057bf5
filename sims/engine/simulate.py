"""The batched loop: many runs of one algorithm on one problem under one attack, as a leading axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from array_api_compat import is_cupy_namespace

from sims.attacks import Attack, NoAttack
from sims.backend import Namespace, get_namespace
from sims.checked import whole
from sims.engine import on_arrays, on_cpu, on_cuda
from sims.engine.checkpoint import Checkpoint
from sims.engine.experiment import Experiment
from sims.engine.memory import check_memory
from sims.engine.on_arrays import Progress
from sims.engine.record import Record
from sims.engine.way import BY_ARRAYS, ON_CPU, ON_DEVICE, Way
from sims.observers import Observer
from sims.optimizers import Algorithm
from sims.owned import as_always
from sims.problems import Oracle


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
    backend: str | Namespace | None = None,
    every: int = 1,
    observers: Sequence[Observer] = (),
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
    with as_always():
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
            observers=observers,  # pyright: ignore[reportArgumentType] (which makes a tuple of them)
        )
    return play(experiment, chunk)


def play(
    e: Experiment,
    chunk: int | None = None,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[Progress], object] | None = None,
) -> Record:
    """The record of an experiment, by the compiled rounds on the CPU or on a CUDA device if they play it.

    `chunk`, the number of rounds for which samples are drawn at once, changes no number. With a `checkpoint` it goes on
    from there, to the bit as if it had never stopped, and leaves one from time to time and when it is interrupted;
    `watch` is called after each round. Compiled rounds, which take seconds, do neither. Raises `ValueError` for what
    cannot fit into the memory of this machine, before anything is computed.

    >>> from sims.aggregators import Mean
    >>> from sims.optimizers import SGD, RobustSGD
    >>> from sims.problems import Quadratic
    >>> sgd = RobustSGD(Mean(), SGD(learning_rate=0.5))
    >>> experiment = Experiment(Quadratic((1.0,)), sgd, n=2, f=0, steps=2, runs=1, seed=0, x0=[4.0])
    >>> play(experiment).key() == experiment.key()
    True
    """
    chunk = None if chunk is None else whole("play", "chunk", chunk, least=1)
    xp = get_namespace(e.backend)
    with as_always():
        program = way_of(e).program
        check_memory(e, program is not None)
        if program is None:
            return on_arrays.play(e, xp, chunk, checkpoint, watch)
        if is_cupy_namespace(xp):
            return on_cuda.play(program, e.start(), e.configuration, xp)
        return on_cpu.play(program, e.start(), e.configuration)


def compiled(e: Experiment) -> bool:
    """Whether compiled rounds play an experiment; they add in another order than the array engine.

    >>> from sims.aggregators import Mean
    >>> from sims.optimizers import SGD, RobustSGD
    >>> from sims.problems import Quadratic
    >>> compiled(Experiment(Quadratic((1.0,)), RobustSGD(Mean(), SGD(0.5)), n=2, f=0, steps=2, runs=1, seed=0))
    False
    """
    return way_of(e).compiled


def way_of(e: Experiment) -> Way:
    """How `play` plays an experiment, and why not by compiled rounds; see `Experiment.explain`."""
    if e.backend == "cupy" or is_cupy_namespace(get_namespace(e.backend)):
        found, reasons = on_cuda.program(e)
        return Way(BY_ARRAYS if found is None else ON_DEVICE, found, reasons)
    if e.backend != "numpy":
        return Way(BY_ARRAYS, reasons=(f"the backend {e.backend} has no compiled rounds",))
    found, reasons = on_cpu.program(e)
    return Way(BY_ARRAYS if found is None else ON_CPU, found, reasons)
