"""What to use with n workers, f of them Byzantine: rule, momentum, step, the bound that is proved, and what runs show.

The advice is the trimmed mean told f, whose κ = f/(n − 2f) is the least of any rule (`trimmed_mean.md` of Definition
C), with momentum on the workers from m_0 = 0 and the parameters of `theory.beyond_trimmed_mean`. The bound holds on
every L-smooth f and against every attack; the runs show what attacks that are known reach on one problem. Other rules
stand beside it with the same theorem for their own κ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from byzcheck.facts import Budget, Facts
from byzcheck.guarantees import Guarantee, on_every_path
from sims.aggregators import (
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    NearestNeighbourMixing,
    Rule,
    TrimmedMean,
)
from sims.attacks import ALittleIsEnough, Attack, BitFlipping, InnerProductManipulation, Mimic, NoAttack
from sims.checked import whole
from sims.engine import simulate
from sims.means import over_seeds
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.owned import as_always
from sims.problems import Quadratic
from theory.beyond_exact_constants.proved import proved

DIM, RUNS, FEWEST = 10, 16, 4  # runs: as many as some seconds allow
MOST = 10**8  # coordinates of honest messages that are drawn for one attack: a second
LONGEST = 62  # powers of two of rounds that are looked at
UNIT = Budget(T=10_000, sigma=1.0, L=1.0, F0=1.0)


@dataclass(frozen=True)
class Reached:
    """The average of ‖∇f‖² over T rounds that an attack reaches: mean over runs, and the half-width of its interval."""

    attack: str
    mean: float
    half: float


@dataclass(frozen=True)
class Alternative:
    """Another rule: its proved κ, None if there is none, and the bound that the same theorem gives with it."""

    name: str
    kappa: float | None
    bound: float | None


@dataclass(frozen=True)
class Advice:
    """For n workers of which at most f are Byzantine: κ of the rule, η, α, the proved bound, what runs show.

    `enough` is the least number of rounds T for which the bound says more than that x never moves, `says_more`
    whether it does for this T. `reached` has the attacks, worst first; empty where runs would take too long or were not
    asked for.
    """

    n: int
    f: int
    budget: Budget
    kappa: float
    eta: float
    alpha: float
    bound: float
    says_more: bool
    enough: int | None
    reached: tuple[Reached, ...]
    others: tuple[Alternative, ...]


def advise(n: int, f: int, budget: Budget = UNIT, seed: int = 0, runs: bool = True) -> Advice:
    """What to use, with what is proved and, if `runs`, what runs show; n > 2f.

    >>> found = advise(25, 5, Budget(T=1000, sigma=1.0, L=1.0, F0=1.0))
    >>> round(found.kappa, 4), found.bound < 2
    (0.3333, True)
    """
    n, f = whole("advise", "n", n, least=1), whole("advise", "f", f, least=0)
    if not 2 * f < n:
        raise ValueError(f"no rule bears half of the workers: advice needs f < n/2, got n = {n}, f = {f}")
    with as_always():
        kappa = f / (n - 2 * f)
        said = _momentum(n, f, kappa, budget)
        assert said.bound is not None
        eta, alpha = (float(said.prescribes[name]) for name in ("eta", "alpha"))  # pyright: ignore[reportArgumentType]
        reached = _reached(n, f, budget, eta, alpha, seed) if runs else ()
        more, enough = bool(said.says_more), _enough(n, f, kappa, budget)
        return Advice(n, f, budget, kappa, eta, alpha, said.bound, more, enough, reached, _others(n, f, budget))


def _momentum(n: int, f: int, kappa: float, budget: Budget) -> Guarantee:
    return on_every_path(Facts(n, f, True, kappa=(kappa, kappa)), budget)


def _enough(n: int, f: int, kappa: float, budget: Budget) -> int | None:
    def says_more(T: int) -> bool:
        return bool(_momentum(n, f, kappa, replace(budget, T=T)).says_more)

    power = next((power for power in range(LONGEST) if says_more(2**power)), None)
    if not power:
        return None if power is None else 1
    few, many = 2 ** (power - 1), 2**power  # the bound falls with T
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if says_more(middle) else (middle, many)
    return many


def attacks(n: int, f: int) -> Mapping[str, Attack]:
    """Those that are tried: from just beyond the honest messages, from within them, and the usual ones."""
    if not f:
        return {"nobody": NoAttack()}
    return {
        "beyond all honest messages": ALittleIsEnough(z=math.sqrt(n - f), sign=1),
        "a little is enough": ALittleIsEnough(),
        "inner product": InnerProductManipulation(0.5),
        "bit flipping": BitFlipping(),
        "mimic": Mimic(),
    }


def _reached(n: int, f: int, budget: Budget, eta: float, alpha: float, seed: int) -> tuple[Reached, ...]:
    """On f = ½L‖x‖² with normal noise, from a start with f(x_0) − f* = F0."""
    runs = min(RUNS, MOST // ((n - f) * DIM * budget.T))
    if runs < FEWEST or 1 - alpha == 1:
        return ()
    problem = Quadratic((budget.L,) * DIM, sigma_sq=budget.sigma**2)
    algorithm = RobustSGD(TrimmedMean(f) if f else Mean(), WorkerMomentum(eta, beta=1 - alpha))
    start = math.sqrt(2 * budget.F0 / budget.L / DIM)
    found = []
    for name, attack in attacks(n, f).items():
        record = simulate(problem, algorithm, attack=attack, n=n, f=f, steps=budget.T, runs=runs, seed=seed, x0=start)
        averages = np.mean(record.sq_gradient_norms[: budget.T], axis=0)
        over = over_seeds(averages, np.zeros(runs, dtype=np.intp), 1)
        found.append(Reached(name, float(over["mean"][0]), float(over["high"][0] - over["mean"][0])))
    return tuple(sorted(found, key=lambda one: -one.mean))


def _others(n: int, f: int, budget: Budget) -> tuple[Alternative, ...]:
    """What people use instead, where it is defined, by its proved κ."""
    if not f:
        return ()
    made: dict[str, Rule] = {
        "nearest-neighbour mixing before it": NearestNeighbourMixing(TrimmedMean(f), f),
        "geometric median": GeometricMedian(),
        "coordinate-wise median": CoordinateMedian(),
        "Krum": Krum(f),
        "mean": Mean(),
    }
    found = []
    for name, rule in made.items():
        try:
            rule.require(n)
        except ValueError:
            continue
        known = proved(rule, n, f)
        kappa = None if known is None or known.upper is None or math.isinf(known.upper) else float(known.upper)
        found.append(Alternative(name, kappa, None if kappa is None else _momentum(n, f, kappa, budget).bound))
    return tuple(found)
