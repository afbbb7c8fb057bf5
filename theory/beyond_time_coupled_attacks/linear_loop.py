"""Time-coupled attacks on centered clipping with momentum: what follows from the linear loop without a random number.

Units L = σ² = 1, so that the mean of g honest noises has the variance 1/g. τ is the radius reconstructed for Theorem IV
for the stationary spread of the momenta, ρ² = 2α/(2 − α), unless said otherwise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from sims.aggregators import CenteredClipping, Mean, Rule
from sims.attacks import Attack, NoAttack, Relocation
from sims.checks.evidence import Evidence
from sims.engine import simulate
from sims.engine.streams import Streams
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic
from theory.beyond_time_coupled_attacks.response import Loop, critical_step
from theory.beyond_time_coupled_attacks.search import Scripted
from theory.claim import Context, Control, claim
from theory.definition_c_robust_aggregator.constants import paper_radius

HEAVY = (Fraction(9, 10), Fraction(99, 100), Fraction(999, 1000))  # β at which the echo decides
ROUNDING = 1e-9  # of sums of a few thousand numbers of size 1 in float64, relative to the largest
SIZES = ((10, 1), (20, 4), (25, 11))
Cases = Sequence[tuple[int, int, float, float]]  # n, f, α, η
CASES = ((10, 1, 0.25, 1 / 32), (10, 1, 0.05, 0.2), (20, 4, 0.25, 1 / 32), (20, 4, 0.05, 0.2), (25, 11, 0.25, 1 / 32))
CLIPPED = ((25, 11, 0.05, 0.2),)  # where the attackers can drive honest messages beyond τ
DERIVED = "theory/beyond_time_coupled_attacks/response.md"
ONE_SIGN = f"D(1 − α/2) < 0 makes −h a convolution of three nonnegative sequences ({DERIVED})"
CONTROL = f"x_T is its value without attack plus Σ h_{{T−s}}u_s, and any |u_s| ≤ δτ can be had ({DERIVED})"


def radius(delta: float, alpha: float, power: float = 1.0) -> float:
    """The τ reconstructed for Theorem IV at B² = ρ² = 2α^power/(2 − α); power 1 is the spread of the momenta."""
    return float(paper_radius(delta, np.array(2 * alpha**power / (2 - alpha))))


def silent(
    rule: Rule, attack: Attack, loop: Loop, n: int, f: int, T: int, x0: float = 0.0, many: int = 1
) -> np.ndarray:
    """x_T of the engine without noise, (many,)."""
    algorithm = RobustSGD(rule, WorkerMomentum(float(loop.eta), beta=1 - float(loop.alpha)))
    record = simulate(
        Quadratic((1.0,)), algorithm, n=n, f=f, attack=attack, steps=T, runs=1, seed=0, x0=[x0], grid=(many,), every=T
    )
    return record.x[:, 0, 0]


@claim(
    "Without clipped honest messages no sequence moves x_T by more than δτΣ|h_k|, and pushes with the signs of h move "
    "it as far.",
    part_of="corrected",
    controls=(
        Control("|Σh_k|, a push in one direction", "where h oscillates a sequence does more", {"signed": True}),
        Control("the mean, 10τ", "nothing limits what one message does", {"rule": Mean(), "far": 10.0}),
        Control("δ = 0.44, α = Lη/4", "there honest messages can be driven beyond τ", {"cases": CLIPPED}),
    ),
)
def power_of_sequences(
    ctx: Context, *, cases: Cases = CASES, signed: bool = False, rule: Rule | None = None, far: float = 1.0
) -> Iterable[Evidence]:
    """|x_T| under u_s = δτ·sign h_{T−s} in the engine without noise over δτΣ|h_k|, τ = 1; then random sequences.

    First the condition under which no honest message is clipped. `signed` takes |Σh_k|; `far` times τ is sent.
    """
    T, count = 100, max(32, ctx.scaled(128))
    made = CenteredClipping(1.0) if rule is None else rule
    for n, f, alpha, eta in cases:
        loop, words = Loop(eta, alpha, f / n), f"n = {n}, f = {f}, α = {alpha:g}, Lη = {eta:g}"
        at = {"n": n, "f": f, "alpha": alpha, "eta": eta, "T": T}
        h = np.array(loop.response(T), dtype=float)
        gap = f / n * float(loop.reach(T, of="gap"))
        yield Evidence(
            f"largest |m̄_t − v_{{t−1}}|/τ of all sequences, T ≤ {T}, {words}", gap, "<=", 1, "exact", ROUNDING, at=at
        )
        claimed = f / n * abs(float(np.sum(h if signed else np.abs(h))))
        best = abs(float(silent(made, Scripted(np.sign(h)[::-1, None, None], far), loop, n, f, T)[0]))
        what = f"|x_T| by the signs of h over δτΣ|h_k|, T = {T}, {words}"
        yield Evidence(what, best / claimed, "<=", 1, "exact", ROUNDING, covers=CONTROL, at=at)
        yield Evidence(f"{what}, from below", best / claimed, ">=", 1, "exact", ROUNDING, at=at)
        rng = Streams(*ctx.stream(words)).generator(0)
        lasting = rng.integers(1, T, (1, count, 1))  # signs that change every other round, or hardly ever
        flips = np.cumsum(rng.random((T, count, 1)) < 1 / lasting, axis=0)
        found = np.abs(silent(made, Scripted((-1.0) ** flips, far), loop, n, f, T, many=count))
        what = f"largest |x_T| over δτΣ|h_k|, {count} random sequences, {words}"
        yield Evidence(what, float(np.max(found)) / claimed, "<=", 1, "exact", ROUNDING, at=at)


@claim(
    "With α = 8Lη ≤ 4/5 and δ ≤ ½ h has one sign: no sequence of pushes is stronger than pushing in one direction.",
    part_of="corrected",
    controls=(Control("α = Lη", "below α = 4Lη the response oscillates", {"factor": 1}),),
)
def one_direction(ctx: Context, *, factor: int = 8) -> Iterable[Evidence]:
    """8D(1 − α/2)/α² at its largest over α ≤ 4/5, δ ≤ ½, with α = factor·Lη; then the responses themselves."""
    alpha, delta = Fraction(4, 5), Fraction(1, 2)
    corner = Loop(alpha / factor, alpha, delta).characteristic(1 - alpha / 2) * 8 / alpha**2
    what = "largest 8D(1 − α/2)/α², at α = 4/5, δ = ½ (it grows with both)"
    yield Evidence(what, corner, "<=", 0, "exact", covers=ONE_SIGN, at={"alpha": 0.8, "delta": 0.5})
    worst, most = -math.inf, 0.0
    for a, (n, f) in itertools.product((0.8, 0.4, 0.1, 0.02, 0.004), (*SIZES, (100, 1), (2, 1))):
        loop = Loop(a / factor, a, f / n)
        h = np.array(loop.response(math.ceil(80 / a)), dtype=float)
        worst, most = max(worst, float(np.max(h))), max(most, float(np.sum(np.abs(h))) * (1 - f / n))
    yield Evidence("largest h_k, 25 loops, 80/α rounds (all are negative)", worst, "<=", 0, "exact", 1e-15)
    yield Evidence("largest (1 − δ)Σ|h_k|, 25 loops, 80/α rounds", most, "<=", 1, "exact", ROUNDING)


@claim(
    "With Lη = 1/32 and ¼ and α from Lη/4 to Lη/64, some sequence gets at least 1.25·Lη/α times as far as "
    "the push; (4/π)/(1 − Lηδ/(1 − δ)) is the factor as α → 0.",
    controls=(
        Control("2 for 1.25", "on this grid it is at most 1.66", {"constant": 2.0}),
        Control("the push", "it does not follow the oscillation", {"signed": True}),
    ),
)
def ringing(ctx: Context, *, constant: float = 1.25, signed: bool = False) -> Iterable[Evidence]:
    """(1 − δ)Σ|h_k| over Lη/α at Lη = 1/32 and ¼, for Lη from 4α to 64α; `signed` takes |Σh_k| instead."""
    for n, f in (*SIZES, (100, 1)):
        found = []
        for eta, ratio in itertools.product((1 / 32, 1 / 4), (4, 16, 64)):
            h = np.array(Loop(eta, eta / ratio, f / n).response(math.ceil(24 * ratio / eta)), dtype=float)
            total = abs(float(np.sum(h))) if signed else float(np.sum(np.abs(h)))
            found.append(total * (1 - f / n) / ratio)
        what = f"least gain of a sequence over a push, divided by Lη/α, n = {n}, f = {f}, Lη/α = 4 … 64"
        yield Evidence(what, min(found), ">=", constant, "exact", ROUNDING, at={"n": n, "f": f})


def worst_square(eta: float, alpha: float, delta: float, signed: bool = False) -> float:
    """(δτΣ|h_k|)² in units of σ²: the squared gradient to which some sequence drives the noiseless loop."""
    rounds = math.ceil(24 / min(alpha, eta))  # the slowest root is about 1 − α/2 or 1 − η
    h = np.array(Loop(eta, alpha, delta).response(rounds), dtype=float)
    return (delta * radius(delta, alpha) * float(abs(np.sum(h)) if signed else np.sum(np.abs(h)))) ** 2


@claim(
    "At one step size the worst sequence does ten times more squared damage at α = Lη/64 than at α = 8Lη.",
    controls=(Control("the push", "against it heavier momentum helps", {"signed": True}),),
)
def heavier_momentum(ctx: Context, *, signed: bool = False) -> Iterable[Evidence]:
    """The worst squared gradient at α = Lη/64 over that at α = 8Lη: one step, Theorem IV's radius for each α."""
    for (n, f), eta in itertools.product(SIZES, (1 / 128, 1 / 32)):
        value = worst_square(eta, eta / 64, f / n, signed) / worst_square(eta, 8 * eta, f / n)
        what = f"worst at α = Lη/64 over worst at α = 8Lη, n = {n}, f = {f}, Lη = {eta:g}"
        yield Evidence(what, value, ">=", 10, "exact", at={"n": n, "f": f, "eta": eta})


@claim(
    "For β ≥ 0.9, δ ≥ 0.03 workers who repeat the last aggregate make x diverge if Lη > (1 − βδ)/(βδ), "
    "while nothing is clipped, and not if Lη is less.",
    part_of="corrected",
    controls=(
        Control("honest workers", "without the echo the steps are stable", {"attack": NoAttack()}),
        Control("twice that step", "1 % below it x diverges already", {"times": 2}),
    ),
)
def echo(ctx: Context, *, attack: Attack | None = None, times: int = 1) -> Iterable[Evidence]:
    """The spectral radius below and above Lη = times·(1 − βδ)/(βδ); then the engine at four times it, radius 0.

    The engine's τ is 1e300, so that nothing is clipped.
    """
    for (n, f), beta in itertools.product(SIZES, HEAVY):
        delta, step = Fraction(f, n), times * critical_step(beta, Fraction(f, n))
        below, above = (
            Loop(share * step, 1 - beta, delta).spectral_radius for share in (Fraction(99, 100), Fraction(101, 100))
        )
        yield Evidence(
            f"spectral radius 1 % below Lη = {float(step):.3g}, n = {n}, f = {f}, β = {float(beta):g}",
            below,
            "<=",
            1,
            "exact",
            ROUNDING,
            at={"n": n, "f": f, "beta": float(beta), "eta": float(step)},
            covers="Jury's criterion (theory/beyond_time_coupled_attacks/echo.md)",
        )
        what = f"the same 1 % above, n = {n}, f = {f}, β = {float(beta):g}"
        yield Evidence(what, above, ">=", 1, "exact", ROUNDING, at={"n": n, "f": f, "beta": float(beta)})
    for n, f in SIZES:
        loop = Loop(4 * critical_step(Fraction(99, 100), Fraction(f, n)), Fraction(1, 100), Fraction(f, n))
        acts = Relocation(0.0, direction=(1.0,)) if attack is None else attack
        found = np.abs(silent(CenteredClipping(1e300), acts, loop, n, f, 800, x0=1.0))
        what = f"|x_T|/|x_0| at four times that step without noise, n = {n}, f = {f}, β = 0.99, T = 800"
        yield Evidence(what, float(found[0]), ">=", 100, "exact", at={"n": n, "f": f, "beta": 0.99, "T": 800})
