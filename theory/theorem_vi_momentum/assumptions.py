"""What Theorem VI takes for granted: independence, one clipping step, a bound that says something, small variance."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from sims.aggregators import CenteredClipping
from sims.attacks import InnerProductManipulation
from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_vi_momentum.bound import printed_step, rounds_to_beat_standing_still
from theory.theorem_vi_momentum.noise_paths import ROUNDING, all_paths
from theory.theorem_vi_momentum.under_attack import ALPHA, ETA, attacks, radius


@claim(
    "The momenta of honest workers are independent, as Definition C asks.",
    point=18,
    controls=(
        Control("round 1", "before x moves they are", {"rounds": 1}, "survives"),
        Control("η = 0", "if x never moves they are", {"eta": Fraction(0)}, "survives"),
    ),
)
def independent_momenta(ctx: Context, *, rounds: int = 2, eta: Fraction = Fraction(1, 16)) -> Iterable[Evidence]:
    """Cov(m_{t,1}, m_{t,2}) of two honest workers, f = ½x², x_0 = 0, mean of n = 2, noise ±1, all paths, exactly."""
    alpha = Fraction(1, 2)
    products = Fraction(0)
    for path in np.ndindex(*(2,) * (2 * rounds)):
        x, m = Fraction(0), [Fraction(0), Fraction(0)]
        for t in range(rounds):
            m = [(1 - alpha) * m[i] + alpha * (x + 2 * path[2 * t + i] - 1) for i in (0, 1)]
            x -= eta * (m[0] + m[1]) / 2
        products += m[0] * m[1]
    yield Evidence(
        f"Cov(m_1, m_2) of two honest workers in round {rounds}, η = {eta}, α = {alpha}",
        products / 4**rounds,  # both means are 0 by symmetry
        "=",
        Fraction(0),
        "exact",
        at={"t": rounds, "eta": float(eta), "alpha": float(alpha)},
    )


@claim(
    "With c = 1360 the printed bound is below 2LF0, which holds if x never moves, within the 7800 rounds of the "
    "paper's training at n = 25, f = 3, σ² = LF0.",
    point=20,
    controls=(
        Control("c of TM", "with c = 0.66 it does", {"c": Fraction(25, 38)}, "survives"),
        Control("c = 3.4", "what is proved for one CC step from a fixed centre", {"c": Fraction(17, 5)}, "survives"),
    ),
)
def beats_standing_still(ctx: Context, *, c: Fraction = Fraction(1360), f: int = 3) -> Iterable[Evidence]:
    """The least T with the printed right side < 2LF0 at n = 25, for σ²/(LF0) = 1 and 100; claimed: ≤ 7800 · 100."""
    for noise in (1, 100):
        T = rounds_to_beat_standing_still(25, c * f / 25, Fraction(noise))
        what = f"least T with a bound below 2LF0, n = 25, f = {f}, c = {float(c):.4g}, σ² = {noise}LF0"
        yield Evidence(what, T, "<=", 7800 if noise == 1 else 780_000, "exact", at={"n": 25, "f": f, "c": float(c)})


@claim(
    "The variance of a worker's update is of the order √(σ²F0L/(nT)) at δ = 0, and falls with n.",
    point=14,
    controls=(Control("the aggregate", "its variance is", {"whose": "mean"}, "survives"),),
)
def variance_of_updates(ctx: Context, *, whose: str = "worker") -> Iterable[Evidence]:
    """α/(2 − α)·σ² (a worker's stationary variance) or that over n (the mean's) over √(σ²F0/(nT)), δ = 0, n = 1 … 10⁴.

    η and α are the printed ones, F0 = 1; the claim is that one constant, 4, does for all n.
    """
    for n in (1, 100, 10_000):
        T = 10**8
        alpha = 8 * printed_step(T, 1.0, n)
        variance = alpha / (2 - alpha) / (n if whose == "mean" else 1)
        value = variance / (1 / (n * T)) ** 0.5
        yield Evidence(
            f"variance of the {whose}'s momentum over √(σ²F0L/(nT)), n = {n}",
            value,
            "<=",
            4,
            "exact",
            1e-9,
            at={"n": n},
        )


@claim(
    "The centre of a single CC step is near enough in round 1: E‖m̂_0 − m̄_1‖² ≤ 2σ²α/(2 − α), the bound of every ρ_t².",
    point=19,
    controls=(Control("x_0 = 0", "where ∇f(x_0) = 0 it is", {"x0": 0.0}, "survives"),),
)
def single_step_first_round(ctx: Context, *, x0: float = 4.0) -> Iterable[Evidence]:
    """E‖m̂_0 − m̄_1‖² = α²(x_0² + σ²/g) beside the ρ² of all rounds, 2σ²α/(2 − α); n = 5, f = 1, all paths."""
    n, f = 5, 1
    rule = CenteredClipping(radius(f / n))
    paths = all_paths(rule, InnerProductManipulation(), ctx, n=n, f=f, T=1, eta=ETA, x0=x0)
    bound = 2 * ALPHA / (2 - ALPHA)
    yield Evidence(
        f"E‖m̂_0 − m̄_1‖², x_0 = {x0:g}, α = {ALPHA}", paths.centre_sq[0], "<=", bound, "exact", ROUNDING, at={"x0": x0}
    )


@claim(
    "From x_0 = 0, with the radius reconstructed for Theorem IV, it is near enough in rounds 2 to 4 under every "
    "attack here.",
    point=19,
    loose="a bound for every attack and rule: these runs do not attain it",
    controls=(Control("four times τ", "then one attacker moves the centre too far", {"factor": 4.0}),),
)
def single_step_later(ctx: Context, *, factor: float = 1.0) -> Iterable[Evidence]:
    """E‖m̂_{t−1} − m̄_t‖²/ρ_t² of CC with `factor` times that radius, t = 2 … 4, x_0 = 0; claimed ≤ 1."""
    n, f = 5, 1
    for attack, acts in attacks(1000.0).items():
        rule = CenteredClipping(factor * radius(f / n))
        paths = all_paths(rule, acts, ctx, n=n, f=f, T=4, eta=ETA, x0=0.0)
        for t in (2, 3, 4):
            value = paths.centre_sq[t - 1] / paths.spread_sq[t - 1]
            what = f"E‖m̂_{t - 1} − m̄_{t}‖²/ρ_{t}², {attack}"
            yield Evidence(what, value, "<=", 1, "exact", 1e-9, at={"n": n, "f": f, "t": t, "attack": attack})
