"""An experiment: all on which the numbers of a simulation depend, as one value with a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from sims.attacks import Attack, NoAttack
from sims.attacks.attack import STAGES
from sims.backend import Namespace, backend_name
from sims.checked import flag, numbers, told, whole
from sims.engine.axis import RUN, Axis, along, axes_in, check_shapes, union
from sims.engine.describe import describe, key
from sims.engine.foreign import check_oracle
from sims.engine.round import Round
from sims.engine.streams import AnyStreams, RunStreams, Streams
from sims.observers import Observer
from sims.optimizers import Algorithm
from sims.owned import as_always, asked, called, ours, received
from sims.problems import Oracle

if TYPE_CHECKING:
    from sims.engine.way import Way


@dataclass(frozen=True, eq=False)
class Experiment:
    """`runs` runs of an algorithm on a problem for `steps` rounds with n workers, the last f of them Byzantine.

    The problem is any `Oracle`; what it measures of an iterate is recorded.

    f is the *true* number, 0 ≤ f < n, whatever the rule declares. Run r has its own random streams (purposes
    "sample", "attack", "rule", "shuffle", "start", and "trial/t" for trials of the rule in round t), so that its
    numbers depend on `seed` and on r = `first_run`, `first_run` + 1, … alone, and not on `runs`. With a tuple of
    seeds, one for each run, each run is what run `first_run` of its seed is; on the host only.

    A real parameter that is an `Axis` makes an experiment for each of its values, all on the same samples: `axes` are
    the names and coordinates so found, in the order of problem, algorithm, attack and `x0`, `grid` their lengths, and
    iterates are (*grid, runs, d). Whoever makes arrays of parameters himself gives `grid` (and names in `axes`): with
    `grid=(3,)` a learning rate of shape (3, 1) makes three experiments. `x0` is a number, for every coordinate, or
    (..., d), and broadcasts to the iterates; None is the problem's own start, 0 for most. With `shuffle` the workers
    take the rows of the algorithm's input in a fresh random order each round: nobody keeps an identity (Karimireddy,
    He, Jaggi 2021, Remark 3). Values are recorded at t = 0, at multiples of `every` and at the end. `observers` look at
    every round and change none (`sims.observers`). `backend` is a name or an array API namespace; None is the
    problem's own.

    It is a value: two experiments are the same if their keys are. To that end every field is stored in one form only:
    `x0` as a number where all its entries are equal and in float64 elsewhere, `backend` by its name. Raises
    `ValueError` for f, n or counts out of range, for parts that are not what they should be, for parameters that do
    not broadcast over (*grid, 1), and for labels to be flipped that the problem does not have.

    >>> from sims.aggregators import Mean
    >>> from sims.optimizers import SGD, RobustSGD
    >>> from sims.problems import Quadratic
    >>> sgd = RobustSGD(Mean(), SGD(learning_rate=Axis("rate", [0.1, 0.5])))
    >>> Experiment(Quadratic((1.0,)), sgd, n=2, f=0, steps=2, runs=1, seed=0, x0=4.0).grid
    (2,)
    """

    problem: Oracle
    algorithm: Algorithm
    _: KW_ONLY
    n: int
    f: int
    steps: int
    runs: int
    seed: int | tuple[int, ...]
    attack: Attack = field(default_factory=NoAttack)
    x0: Any = None
    grid: tuple[int, ...] = ()
    axes: Mapping[str, Sequence[Any]] | None = None
    shuffle: bool = False
    first_run: int = 0
    every: int = 1
    backend: Any = None
    observers: tuple[Observer, ...] = ()

    def __post_init__(self) -> None:
        self._check_parts()
        for name in ("n", "steps", "runs", "every"):
            self._store(name, whole("an experiment", name, getattr(self, name), least=1))
        for name in ("f", "first_run"):
            self._store(name, whole("an experiment", name, getattr(self, name), least=0))
        if self.f >= self.n:
            raise ValueError(f"an experiment needs 0 ≤ f < n, got f = {self.f}, n = {self.n}")
        self._store("shuffle", flag("an experiment", "shuffle", self.shuffle))
        self._store("backend", backend_name(self.problem.backend if self.backend is None else self.backend))
        self._store("observers", tuple(self.observers))
        self._store("seed", self._checked_seed(self.seed))
        self._name_axes()
        self._store("x0", self._checked_start(self.x0))
        for part in (self.problem, self.algorithm, self.attack):
            check_shapes(part, self.grid, self.runs if RUN in self.named else None)
        self.round()  # which refuses to flip labels that there are not

    def _store(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_parts(self) -> None:
        for name, kind in (("problem", Oracle), ("algorithm", Algorithm), ("attack", Attack)):
            if not isinstance(part := getattr(self, name), kind):
                raise ValueError(f"an experiment needs a sims {kind.__name__} as {name}, got {name} = {told(part)}")
        check_oracle(self.problem)
        if not isinstance(self.observers, Sequence):
            raise ValueError(f"an experiment needs a tuple of observers, got observers = {told(self.observers)}")
        for observer in self.observers:
            if not isinstance(observer, Observer):
                raise ValueError(f"an experiment needs sims Observers as observers, got {told(observer)}")
        if self.attack.enters not in STAGES:
            raise ValueError(f"an attack enters at one of {STAGES}, got enters = {told(self.attack.enters)}")

    def _checked_seed(self, seed: Any) -> int | tuple[int, ...]:
        if not isinstance(seed, tuple | list | range):
            return int(Streams(seed, "sample").seed)
        seeds = tuple(int(Streams(one, "sample").seed) for one in seed)
        if len(seeds) != self.runs:
            raise ValueError(f"an experiment needs a seed for each run, got {len(seeds)} for runs = {self.runs}")
        if self.backend == "cupy":
            raise ValueError("an experiment on a CUDA device needs one seed for all runs")
        return seeds[0] if len(seeds) == 1 else seeds

    def _name_axes(self) -> None:
        """Put arrays in the place of axes, and take the grid from them."""
        parts = (self.problem, self.algorithm, self.attack)
        given = [axis for part in parts for axis in axes_in(part)]
        found = union([*given, *([self.x0] if isinstance(self.x0, Axis) else [])])
        if not isinstance(self.grid, tuple | list):
            raise ValueError(f"an experiment needs a tuple as grid, got grid = {told(self.grid)}")
        if not isinstance(self.axes, Mapping | None):
            raise ValueError(f"an experiment needs a mapping as axes, got axes = {told(self.axes)}")
        if found and (self.grid or self.axes):
            raise ValueError(f"an experiment has its grid from the axes {', '.join(found)}: give neither grid nor axes")
        axes = {name: _coordinates(name, along) for name, along in (found or self.axes or {}).items()}
        named = tuple(len(coordinates) for name, coordinates in axes.items() if name != RUN)
        grid = tuple(whole("an experiment", "grid", axis, least=1) for axis in self.grid)
        if named and grid and named != grid:
            raise ValueError(f"an experiment needs axes of the lengths of the grid, got {named} for grid = {grid}")
        if RUN in axes and len(axes[RUN]) != self.runs:
            raise ValueError(f"the axis 'run' needs a value for each run, got {len(axes[RUN])} for runs = {self.runs}")
        self._store("axes", axes)
        self._store("grid", named or grid)
        if found:
            order = (*(name for name in axes if name != RUN), RUN)
            for name in ("problem", "algorithm", "attack"):
                self._store(name, along(getattr(self, name), order))
            if isinstance(self.x0, Axis):
                vectors = self.x0.values.ndim > len(self.x0.coordinates)
                start = self.x0.over(order, 1)
                self._store("x0", start if vectors else start + np.zeros(self.problem.dim))

    def _checked_start(self, x0: Any) -> Any:
        if x0 is None and type(self.problem).start is not Oracle.start:
            return None
        given = numbers("an experiment", "x0", 0.0 if x0 is None else x0, "numbers x0")
        values = np.asarray(given.astype(np.float64) + 0.0)  # no −0
        d, shape = self.problem.dim, (*self.shape, self.problem.dim)
        if values.ndim and values.shape[-1] != d:
            raise ValueError(f"x0 must be a number or have shape (..., d) with d = {d}, got {values.shape}")
        try:
            np.broadcast_to(values, shape)
        except ValueError as error:
            raise ValueError(f"x0 must broadcast to (*grid, runs, d) = {shape}, got {values.shape}") from error
        if values.size and np.all(values == values.flat[0]):
            return float(values.flat[0])
        values.flags.writeable = False
        return values

    @property
    def named(self) -> Mapping[str, Sequence[Any]]:
        """The coordinates along the named axes, in their order."""
        return self.axes or {}

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading axes (*grid, runs) of parameters and results."""
        return (*self.grid, self.runs)

    @property
    def configuration(self) -> dict[str, Any]:
        """Every field as plain JSON."""
        named = [one.name for one in fields(self) if one.name != "axes" and (one.name != "observers" or self.observers)]
        described = {name: describe(getattr(self, name)) for name in named}
        return {**described, "axes": [[name, describe(coordinates)] for name, coordinates in self.named.items()]}

    def key(self) -> str:
        """32 hexadecimal digits that change with every field, with the streams, and with the code that is used.

        The first digits of the SHA-256 of canonical JSON, in which code stands as digests of syntax trees
        (`sims.engine.code`): a changed comment changes nothing. Neither does the machine or another version of a
        library. Raises `ValueError` if a field cannot be described or is NaN, or if code has no source.
        """
        return key(self.configuration)

    def explain(self) -> Way:
        """How it will be played, in compiled rounds or array by array, and each reason why not in compiled rounds.

        >>> from sims.aggregators import Mean
        >>> from sims.optimizers import SGD, RobustSGD
        >>> from sims.problems import Quadratic
        >>> parts = Quadratic((1.0,)), RobustSGD(Mean(), SGD(0.5))
        >>> print(Experiment(*parts, n=8, f=0, steps=10**4, runs=9, seed=0).explain())
        compiled rounds on the CPU
        """
        from sims.engine import way_of  # of what plays experiments

        with as_always():
            return way_of(self)

    def round(self) -> Round:
        """The rules of one of its rounds."""
        return Round(self.problem, self.algorithm, self.attack, self.n, self.f)

    def start(self) -> np.ndarray:
        """The first iterates, (*grid, runs, d), in an array of their own."""
        x0: Any = self._own_start() if self.x0 is None else self.x0
        return np.zeros((*self.shape, self.problem.dim)) + x0  # a sum owns its memory in C order

    def _own_start(self) -> Any:
        """The problem's own start: (runs, d), or 0 where it has none after all."""
        streams = self.streams("start")
        found = asked("problem", self.problem.start, streams, self.runs, kept=streams)
        if found is None or ours(self.problem):
            return 0.0 if found is None else found
        shape = (self.runs, self.problem.dim)
        return received(called("problem", self.problem), found, np.zeros(0), shape, verb="start at")

    def streams(self, purpose: str, xp: Namespace = np) -> AnyStreams:
        """The random streams of one purpose, one for each run, at their start; where the arrays of `xp` are."""
        if isinstance(self.seed, tuple):
            return RunStreams(self._own(purpose))
        return Streams(self.seed, purpose).runs(self.first_run, self.runs, xp)

    def keys(self, purpose: str) -> np.ndarray:
        """The two words that make the stream of each run its own, (runs, 2)."""
        return np.array([streams.key(run) for streams, run in self._own(purpose)])

    def _own(self, purpose: str) -> list[tuple[Streams, int]]:
        if isinstance(self.seed, tuple):
            return [(Streams(seed, purpose), self.first_run) for seed in self.seed]
        streams = Streams(self.seed, purpose)
        return [(streams, self.first_run + run) for run in range(self.runs)]


def _coordinates(name: Any, along: Any) -> tuple[Any, ...]:
    """What stands along an axis that was named by hand."""
    if not isinstance(name, str):
        raise ValueError(f"an experiment needs axes by name, got {told(name)} in axes")
    if isinstance(along, str) or not isinstance(along, Sequence | np.ndarray):
        raise ValueError(f"an experiment needs coordinates in axes, got {told(along)} for {name!r} in axes")
    return tuple(along)
