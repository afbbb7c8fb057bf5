"""Theorem VI′ in runs of hundreds of rounds, for every rule, with TM's c = 1/(2(1 − 2δ)).

For TM that is a theorem; for the others it is an observation about these runs, some of which use a larger c and stay
below the bound all the same: it has room to spare (`runs.py`).

*Theorem II's attackers.* In the two worlds f = ½x² − s·a·x an honest gradient shows a spike with probability q and the
Byzantine workers mirror it. There averages of ‖∇f‖² have no range of their own: they are cut off at twice the bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sims.aggregators import Mean, Rule
from sims.attacks import ALittleIsEnough, Attack, BitFlipping, InnerProductManipulation, Together
from sims.checks.evidence import Evidence
from sims.optimizers import WorkerMomentum
from sims.problems import Huber, Pendulum
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.worlds import Mirror, TwoWorlds
from theory.theorem_vi_momentum.runs import OfC, Run, compared, sizes_of
from theory.theorem_vi_momentum.under_attack import ALPHA, ETA, rules, trimmed_mean_c


@dataclass(frozen=True)
class Momentum(Run):
    """Worker momentum from m_0 = 0 with η = 1/32, α = 1/4; L = 1."""

    @property
    def optimizer(self) -> WorkerMomentum:
        """Momentum as in Algorithm 2, from m_0 = 0."""
        return WorkerMomentum(float(ETA), beta=float(1 - ALPHA))

    @property
    def rho_sq(self) -> float:
        """2σ²α/(2 − α)."""
        return float(2 * ALPHA / (2 - ALPHA)) * float(self.problem.sigma_sq)

    @property
    def weight(self) -> float:
        """16η·2cδσ² with cδ = E‖AGG − m̄‖²/ρ²."""
        return float(2 * (2 - ALPHA))

    @property
    def floor(self) -> float:
        """2.5F0/(ηT) + 16ησ²/g."""
        first = 2.5 * self.excess / (float(ETA) * self.T)
        return first + 16 * float(ETA) * float(self.problem.sigma_sq) / (self.n - self.f)


def all_under_attack(
    ctx: Context, algorithm: Callable[..., Run], spread_sq: float, rule: Rule | None, factor: float
) -> Iterable[Evidence]:
    """All rules, or `rule` in their place, in runs of an algorithm beside `factor` times its bound.

    `spread_sq` is the ρ² for which clipping's radius is made.
    """
    names = "IPM ε = 3", "ALIE", "BF"
    together = Together((InnerProductManipulation(3.0), ALittleIsEnough(z=1.5), BitFlipping()))
    for name in rules(5, 1):
        said = name if rule is None else type(rule).__name__
        for n, f, T in sizes_of(name, ctx):
            run = algorithm(Pendulum(1.0) if f / n < 0.2 else Huber(1.0), 1.5, n, f, T)
            made = rule or rules(n, f, spread_sq)[name]
            squares, errors = run.averages(ctx, made, together, (len(names),), name)
            for attack, *averages in zip(names, squares, errors, strict=True):
                yield compared(ctx, run, f"{said}, {attack}", (averages[0], averages[1]), trimmed_mean_c, factor, 1.0)


@claim(
    "With c = 1/(2(1 − 2δ)), TM's, all of TM, CM, RFA, Krum and CC stay below Theorem VI′'s bound in runs of "
    "200 to 300 rounds under IPM, ALIE and bit flipping, f convex and not.",
    loose="a bound for every attack and rule: these runs do not attain it",
    controls=(
        Control("the mean", "its c has no bound: IPM turns its steps round once 3f > n − f", {"rule": Mean()}),
        Control("an eighth of the bound", "the start alone costs more", {"factor": 1 / 8}),
    ),
)
def long_runs(ctx: Context, *, rule: Rule | None = None, factor: float = 1.0) -> Iterable[Evidence]:
    """All rules under IPM, ALIE and bit flipping, noise sin(x + ξ), σ² = ½, x_0 = 3/2.

    f is 1 − cos x at the smaller δ, the Huber function at the larger one: averages of ‖∇f‖² are at most 1.
    """
    yield from all_under_attack(ctx, Momentum, float(2 * ALPHA / (2 - ALPHA)) / 2, rule, factor)


@claim(
    "So they do under Theorem II's attackers, on its problems.",
    loose="a bound for every attack and rule: these runs do not attain it",
    controls=(
        Control("c = 0", "the two problems cannot be told apart: the second term is needed", {"c": lambda n, f: 0.0}),
        Control("the mean under IPM", "its c has no bound", {"rule": Mean(), "attack": InnerProductManipulation(10.0)}),
    ),
)
def theorem_ii_attackers(
    ctx: Context, *, c: OfC = trimmed_mean_c, rule: Rule | None = None, attack: Attack | None = None
) -> Iterable[Evidence]:
    """All rules under Theorem II's mirror adversary, q = δ/4, from x_0 = 0, where nothing tells the worlds apart.

    The world + stands for both: turning all signs round turns every rule's output round.
    """
    for name in rules(5, 1):
        for n, f, T in sizes_of(name, ctx):
            world = TwoWorlds(1, f / n / 4)
            run = Momentum(world, 0.0, n, f, T)
            made = rule or rules(n, f, run.rho_sq)[name]
            averages = run.averages(ctx, made, attack or Mirror(world), (), name)
            yield compared(ctx, run, f"{name if rule is None else type(rule).__name__}, q = δ/4", averages, c, 1.0)
