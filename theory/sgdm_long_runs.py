"""Theorem VI′ in runs of hundreds of rounds, for every rule, with the c that the run used.

*The c that a run used* is (1/T) Σ_t E‖AGG − m̄_t‖²/(δρ²), ρ² = 2σ²α/(2 − α). Put into VI′ it gives the bound 2.5F0/(ηT)
+ 16Lησ²/g + 2(2 − α)·(1/T) Σ_t E‖AGG − m̄_t‖² (`theory.sgdm_runs`).

*Theorem II's attackers.* In the two worlds f = ½x² − s·a·x an honest gradient shows a spike with probability q and the
Byzantine workers mirror it. There the averages of ‖∇f‖² are cut off too, far beyond all that occur, and the mean of
the cut values is at most the true one: a refutation stands, what survives is the claim for averages up to the cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sims.aggregators import Mean, Rule
from sims.attacks import ALittleIsEnough, BitFlipping, InnerProductManipulation
from sims.optimizers import WorkerMomentum
from sims.problems import Pendulum
from theory.sgdm_runs import Huber, OfC, Run, Together, compared, sizes_of
from theory.sgdm_under_attack import ALPHA, ETA, c_of_trimmed_mean, rules
from theory.statement import Claim, Context, Control, Evidence
from theory.two_world_runs import Mirror, TwoWorlds


@dataclass(frozen=True)
class Momentum(Run):
    """Worker momentum from m_0 = 0 with η = 1/32, α = 1/4; L = 1."""

    @property
    def optimizer(self) -> WorkerMomentum:
        """Algorithm 2."""
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


def long_runs(
    ctx: Context, *, rule: Rule | None = None, epsilon: float = 3.0, c: OfC | None = None, factor: float = 1.0
) -> Iterable[Evidence]:
    """All rules under IPM, ALIE and bit flipping, noise sin(x + ξ), σ² = ½, x_0 = 3/2.

    f is 1 − cos x at the smaller δ, the Huber function at the larger one.
    """
    names = f"IPM ε = {epsilon:g}", "ALIE", "BF"
    together = Together((InnerProductManipulation(epsilon), ALittleIsEnough(z=1.5), BitFlipping()))
    for name in rules(5, 1):
        said = name if rule is None else type(rule).__name__
        for n, f, T in sizes_of(name, ctx):
            run = Momentum(Pendulum(1.0) if f / n < 0.2 else Huber(1.0), 1.5, n, f, T)
            made = rule or rules(n, f, run.rho_sq)[name]
            squares, errors = run.averages(ctx, made, together, (len(names),), name)
            for attack, *averages in zip(names, squares, errors, strict=True):
                yield compared(ctx, run, f"{said}, {attack}", (averages[0], averages[1]), (1.0, 0.25), c, factor)


def two_world_runs(
    ctx: Context, *, rule: Rule | None = None, c: OfC | None = None, factor: float = 1.0
) -> Iterable[Evidence]:
    """All rules under Theorem II's mirror adversary, q = δ/4, from x_0 = 0, where nothing tells the worlds apart.

    Averages of ‖∇f‖² are cut off at 1/4, errors at 1/16. The world + stands for both: turning all signs round turns
    every rule's output round.
    """
    for name in rules(5, 1):
        said = name if rule is None else type(rule).__name__
        for n, f, T in sizes_of(name, ctx):
            world = TwoWorlds(1, f / n / 4)
            run = Momentum(world, 0.0, n, f, T)
            made = rule or rules(n, f, run.rho_sq)[name]
            averages = run.averages(ctx, made, Mirror(world), (), name)
            yield compared(ctx, run, f"{said}, q = δ/4", averages, (0.25, 1 / 16), c, factor)


CLAIMS = (
    Claim(
        name="long_runs",
        text="TM, CM, RFA, Krum and CC keep Theorem VI′ in runs of 150 to 300 rounds under IPM, ALIE and bit flipping "
        "with the c that they used, f convex and not.",
        about=("corrected",),
        check=long_runs,
        controls=(
            Control(
                "the mean, c of TM",
                "attackers turn its steps round",
                {"rule": Mean(), "epsilon": 1000.0, "c": c_of_trimmed_mean},
            ),
            Control("an eighth of the bound", "the start alone costs more", {"factor": 1 / 8}),
        ),
    ),
    Claim(
        name="theorem_ii_attackers",
        text="So they do under Theorem II's attackers, on its two-world problem.",
        about=("corrected",),
        check=two_world_runs,
        controls=(
            Control("c = 0", "the worlds cannot be told apart: the second term is needed", {"c": lambda n, f: 0.0}),
        ),
    ),
)
