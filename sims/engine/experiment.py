"""An experiment: all on which the numbers of a simulation depend, as one value with a key."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any

import numpy as np

from sims.attacks import Attack, NoAttack
from sims.attacks.attack import STAGES
from sims.backend import Namespace, backend_name, host, installed
from sims.engine.describe import describe, key
from sims.engine.round import Round
from sims.engine.streams import Streams
from sims.optimizers import Algorithm
from sims.problems import Oracle

STREAMS_VERSION = 1  # of the random streams: raised whenever the same seed would draw other numbers


@dataclass(frozen=True, eq=False)
class Experiment:
    """`runs` runs of an algorithm on a problem for `steps` rounds with n workers, the last f of them Byzantine.

    The problem is any `Oracle`; what it measures of an iterate is recorded.

    f is the *true* number, 0 ≤ f < n, whatever the rule declares. Run r has its own random streams (purposes
    "sample", "attack", "rule", "shuffle"), so that its numbers depend on `seed` and on r = `first_run`, `first_run` +
    1, … alone, and not on `runs`. `grid` are leading axes of parameters: with `grid=(3,)` a learning rate of shape (3,
    1) makes three experiments on the same samples; iterates are (*grid, runs, d). `x0` (None: zeros) broadcasts to
    that. With `shuffle` the workers take the rows of the algorithm's input in a fresh random order each round: nobody
    keeps an identity (Karimireddy, He, Jaggi 2021, Remark 3). Values are recorded at t = 0, at multiples of `every`
    and at the end. `backend` is a name or an array API namespace.

    It is a value: two experiments are the same if their keys are. To that end every field is stored in one form only:
    `x0` in float64, `backend` by its name. Raises `ValueError` for f, n or counts out of range, for parts that are not
    what they should be, and for labels to be flipped that the problem does not have.

    >>> from sims.aggregators import Mean
    >>> from sims.optimizers import SGD, RobustSGD
    >>> from sims.problems import Quadratic
    >>> sgd = RobustSGD(Mean(), SGD(learning_rate=0.5))
    >>> experiment = Experiment(Quadratic((1.0,)), sgd, n=2, f=0, steps=2, runs=1, seed=0, x0=[4.0])
    >>> len(experiment.key())
    32
    """

    problem: Oracle
    algorithm: Algorithm
    _: KW_ONLY
    n: int
    f: int
    steps: int
    runs: int
    seed: int
    attack: Attack = field(default_factory=NoAttack)
    x0: Any = None
    grid: tuple[int, ...] = ()
    shuffle: bool = False
    first_run: int = 0
    every: int = 1
    backend: str | Namespace = "numpy"

    def __post_init__(self) -> None:
        self._check_parts()
        for name in ("n", "steps", "runs", "every"):
            self._store(name, whole(name, getattr(self, name), 1))
        for name in ("f", "first_run"):
            self._store(name, whole(name, getattr(self, name), 0))
        if self.f >= self.n:
            raise ValueError(f"an experiment needs 0 ≤ f < n, got f = {self.f}, n = {self.n}")
        if not isinstance(self.grid, tuple | list):
            raise ValueError(f"an experiment needs a tuple as grid, got grid = {self.grid!r}")
        self._store("grid", tuple(whole("grid", axis, 1) for axis in self.grid))
        self._store("seed", int(Streams(self.seed, "sample").seed))
        self._store("shuffle", bool(self.shuffle))
        self._store("backend", backend_name(self.backend))
        if self.x0 is not None:
            self._store("x0", self._checked_start(self.x0))
        self.round()  # which refuses to flip labels that there are not

    def _store(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_parts(self) -> None:
        for name, kind in (("problem", Oracle), ("algorithm", Algorithm), ("attack", Attack)):
            if not isinstance(part := getattr(self, name), kind):
                raise ValueError(f"an experiment needs a sims {kind.__name__} as {name}, got {name} = {part!r}")
        if self.attack.enters not in STAGES:
            raise ValueError(f"an attack enters at one of {STAGES}, got enters = {self.attack.enters!r}")

    def _checked_start(self, x0: Any) -> np.ndarray:
        values = np.array(host(x0), dtype=np.float64)
        values.flags.writeable = False
        d, shape = self.problem.dim, (*self.shape, self.problem.dim)
        if values.ndim < 1 or values.shape[-1] != d:
            raise ValueError(f"x0 must have shape (..., d) with d = {d}, got {values.shape}")
        try:
            np.broadcast_to(values, shape)
        except ValueError as error:
            raise ValueError(f"x0 must broadcast to (*grid, runs, d) = {shape}, got {values.shape}") from error
        return values

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading axes (*grid, runs) of parameters and results."""
        return (*self.grid, self.runs)

    @property
    def configuration(self) -> dict[str, Any]:
        """Every field, and the versions on which numbers depend, as plain JSON."""
        return {**{one.name: describe(getattr(self, one.name)) for one in fields(self)}, "versions": versions()}

    def key(self) -> str:
        """32 hexadecimal digits that change with every field; `ValueError` if one cannot be described.

        It names the result before it is computed: it is the `Record.key()` of that result.
        """
        return key(self.configuration)

    def round(self) -> Round:
        """The rules of one of its rounds."""
        return Round(self.problem, self.algorithm, self.attack, self.n, self.f)

    def start(self) -> np.ndarray:
        """The first iterates, (*grid, runs, d), in an array of their own."""
        zeros = np.zeros((*self.shape, self.problem.dim))
        return zeros if self.x0 is None else zeros + self.x0  # a sum owns its memory in C order


def whole(name: str, value: Any, smallest: int) -> int:
    """`value` as an int; a `ValueError` unless it is a whole number and not below `smallest`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"an experiment needs a whole number {name}, got {name} = {value!r}")
    if value < smallest:
        raise ValueError(f"an experiment needs {name} ≥ {smallest}, got {name} = {value}")
    return int(value)


def versions() -> dict[str, Any]:
    """The versions on which recorded numbers depend."""
    return {**installed(("byzcheck", "numpy")), "streams": STREAMS_VERSION}
