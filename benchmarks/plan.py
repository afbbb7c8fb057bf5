"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass, field

MARKED_RULES = (  # those with marks, see `benchmarks.marks`
    "Mean",
    "CoordinateMedian",
    "TrimmedMean",
    "Krum",
    "MultiKrum",
    "RFA",
    "CenteredClipping",
    "CenteredClipping 3",
    "Bulyan",
)
GRID_RULES = MARKED_RULES[:-1]  # no peer computes Bulyan
BATCH, ONE_BY_ONE = "CenteredClipping/ours", "one by one"  # contenders of the tables of sweeps
ADDED = "run, beyond the jobs"
COPY = "one device copy"
SIMULATED = ("Mean", "CoordinateMedian", "TrimmedMean", "Krum", "RFA", "CenteredClipping")
Sizes = tuple[int, ...]
RESNET_20 = 272_474  # parameters


def all_rules() -> tuple[str, ...]:
    """Those with marks, and all others that need nothing but f and whose time is not their tolerance's."""
    from sims.by_name import made_by_f  # here, so that what a machine lacks can be said before anything is imported

    known = (*MARKED_RULES, "GeometricMedian")
    return (*MARKED_RULES, *(rule.__name__ for rule in made_by_f() if rule.__name__ not in known))


@dataclass(frozen=True)
class SweepSizes:
    """What is measured of sweeps.

    `tiny` ones have τ × η × seeds jobs, a folder so many `files`, and a `real` batch τ × β × seeds jobs, of which
    `some` are played alone, and in loops.
    """

    tiny: tuple[tuple[int, int, int], ...]
    files: int
    real: tuple[int, int, int]
    some: int


@dataclass(frozen=True)
class Grid:
    """Rules at every n × d, of `bits` a number, as arrays and as tensors; n // 5 of the workers are Byzantine.

    No peer is run that would hold more than `memory` bytes, the messages included.
    """

    n: Sizes
    d: Sizes
    bits: Sizes = (32, 64)
    rules: tuple[str, ...] = GRID_RULES
    memory: float = 7e9


@dataclass(frozen=True)
class Plan:
    """What one process measures, and how many processes do.

    `shapes` are (n, f, d) for the rules. `simulations` are (d, runs, T, rules), with n and f of `workers`. Growth of
    the rules that are `grown`: n of `grow_n` at d = `grow_n_at`, d of `grow_d`; of the simulation: `base` (n, d, runs,
    T), each alone times the `factors`. `memory` is the (n, f, d) where peak memory is measured. `batches` are (runs, n,
    f, d) of many small problems at once. `sweeps` are as their sizes say, and the `grid` as its own say.
    """

    processes: int
    rounds: int
    shapes: tuple[tuple[int, int, int], ...]
    rules: tuple[str, ...] = field(default_factory=all_rules)
    workers: tuple[int, int] = (25, 5)
    simulations: tuple[tuple[int, int, int, tuple[str, ...]], ...] = ()
    loop_steps: int = 300
    grow_n: Sizes = ()
    grow_n_at: int = 100_000
    grow_d: Sizes = ()
    grown: tuple[str, ...] = ("Mean", "CoordinateMedian", "Krum", "CenteredClipping")
    base: tuple[int, int, int, int] = (25, 10, 32, 600)
    factors: Sizes = ()
    memory: tuple[int, int, int] | None = None
    batches: tuple[tuple[int, int, int, int], ...] = ()
    sweeps: SweepSizes | None = None
    grid: Grid | None = None


STEPS = 600  # T: long enough for `simulate` to compile the experiment, at d = 10 with 25 workers

FULL = Plan(
    processes=9,
    rounds=1,
    shapes=((25, 5, RESNET_20), (50, 10, 100_000), (25, 5, 1_000_000), (11, 2, 20_000)),
    simulations=(
        (10, 1024, STEPS, SIMULATED),
        (100, 256, STEPS // 10, ("Mean", "CoordinateMedian", "CenteredClipping")),
    ),
    grow_n=(10, 20, 40, 80),
    grow_d=(100_000, 200_000, 400_000, 800_000),
    factors=(1, 2, 4),
    memory=(25, 5, RESNET_20),
    batches=((1024, 25, 5, 10), (64, 25, 5, 1000)),
    sweeps=SweepSizes(
        tiny=((5, 2, 100), (50, 2, 100), (500, 2, 100), (400, 250, 1)), files=10_000, real=(20, 5, 10), some=10
    ),
)
GRID = Plan(
    processes=11,  # as few as can tell every cell of two records apart: `benchmarks.compare`
    rounds=1,
    shapes=(),
    grid=Grid(n=(5, 11, 25, 50, 100, 200), d=(1, 10, 100, 1000, 10_000, 20_000, 100_000, RESNET_20, 1_000_000)),
)
QUICK = Plan(
    processes=8,  # as few as can tell its ratios apart from one another's, and its cells from the whole grid's
    rounds=1,
    shapes=(),
    simulations=((10, 1024, STEPS, ("Mean", "CoordinateMedian", "CenteredClipping")),),
    grid=Grid(n=(5, 25, 100), d=(10, 1000, 20_000, RESNET_20), bits=(32,)),
)
