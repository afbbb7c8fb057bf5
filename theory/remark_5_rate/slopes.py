"""The rate of Theorem VI in exact errors on f = ½x²: against T and n without attackers, and against n under one attack.

Every sentence is for all n and T in the range that it names, by `speed_up.md`; the instances are computed besides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import numpy as np

from sims.checks.evidence import Evidence
from sims.checks.intervals import enclose_maximum, exact
from theory.claim import Context, Control, claim
from theory.remark_5_rate.closed_form import CAP, LEAST_TIME, height, missing
from theory.theorem_vi_momentum.bound import best_step
from theory.theorem_vi_momentum.moments import average_ball, middle_and_error
from theory.theorem_vi_momentum.one_sided import OneSided, moved
from theory.theorem_vi_momentum.slopes import ALPHA, ETA, LONG, noise

LINK = "the error is between e·sη and a tenth less, for every T ≥ 10LF0/s and 1000s/(LF0), s = σ²/n (speed_up.md)"
LOW, HIGH = Fraction(-7, 12), Fraction(-5, 12)  # halfway to −⅔ and to −⅓
Step = Callable[[float, float], float]  # (T, F0 in units of σ²/(nL)) → ηL


def optimal(T: float, f0: float) -> float:
    """The η that is best in Theorem VI′, κ = 1/n."""
    return best_step(T, f0, 1.0)


def error(T: int, f0: float, step: Step) -> tuple[float, float]:
    """(1/T)ΣE‖∇f‖² of Algorithm 2 with the mean on f = ½x², units L = σ²/n = 1, with a bound on its rounding."""
    return middle_and_error(average_ball(T, Fraction(step(T, f0)), Fraction(f0)))


def slope(low: tuple[float, float], high: tuple[float, float], scale: float) -> tuple[float, float]:
    """The slope of a logarithm over `scale` on a logarithmic axis, with a bound on its rounding."""
    value = math.log(high[0] / low[0]) / math.log(scale)
    return value, 1e-12 + (low[1] / low[0] + high[1] / high[0]) / math.log(scale)


def near_half(what: str, value: float, slack: float, at: Mapping[str, float]) -> Iterable[Evidence]:
    """The slope beside both midpoints to the neighbouring exponents."""
    yield Evidence(what, value, ">=", LOW, "exact", slack, covers=LINK, at=at)
    yield Evidence(what, value, "<=", HIGH, "exact", slack, covers=LINK, at=at)


@claim(
    "On f = ½x² the error of SGDm with the mean falls as T^{−1/2}, at the η that is best in VI′: the slope from T to "
    "100T, for T ≥ 10nLF0/σ², 1000σ²/(nLF0).",
    controls=(
        Control("fixed η and β", "then noise remains: slope 0", {"step": lambda T, f0: 1 / 64}),
        Control("η ~ T^{−1/3}", "then it falls as T^{−1/3}", {"step": lambda T, f0: T ** (-1 / 3) / 8}),
    ),
)
def slope_in_rounds(ctx: Context, *, step: Step = optimal) -> Iterable[Evidence]:
    """The slope of the exact error of SGDm with the mean against T, from T to 100T."""
    for f0 in (0.01, 1.0, 100.0):
        for T in (10**6, 10**7, 10**8):
            found = slope(error(T, f0, step), error(100 * T, f0, step), 100)
            yield from near_half(
                f"slope against T from 10^{round(math.log10(T))}, F0 = {f0:g}", *found, {"T": T, "F0": f0}
            )


@claim(
    "There it falls as n^{−1/2} without attackers: the slope from n to 100n, for T at least that for both.",
    controls=(
        Control("fixed η and β", "the noise that remains falls as 1/n", {"step": lambda T, f0: 1 / 64}),
        Control("η ~ T^{−1/2} for all n", "only the noise falls", {"step": lambda T, f0: T**-0.5 / 8}),
    ),
)
def slope_in_workers(ctx: Context, *, step: Step = optimal) -> Iterable[Evidence]:
    """The slope of the same error against n, from n = 1 to 100, at fixed T and F0 = σ²/L."""
    for T in (10**7, 10**8, 10**9):
        (one, a), (many, b) = error(T, 1.0, step), error(T, 100.0, step)
        found = slope((one, a), (many / 100, b / 100), 100)  # back from units of σ²/n
        yield from near_half(f"slope against n = 1 … 100, T = 10^{round(math.log10(T))}", *found, {"T": T})


@claim(
    "At δ = 0 n workers reach in T/n rounds the error of one worker in T, within a tenth, on f = ½x² at the η that is "
    "best in VI′: for every n that divides T, and T at least 10n²LF0/σ² and 1000σ²/(LF0).",
    part_of="printed",
    controls=(Control("T/n²", "the speed-up is linear, not quadratic", {"exponent": 2}),),
)
def linear_speed_up(ctx: Context, *, exponent: int = 1) -> Iterable[Evidence]:
    """How far the error over sη varies at most, η ≤ 1/8 and ηT ≥ 12.5; then 100 workers beside one, exactly."""
    side = [(Fraction(0), CAP)]
    largest = enclose_maximum(height, side)
    least = enclose_maximum(lambda h: 1 / (height(h) * (1 - missing(h) / exact(LEAST_TIME))), side)
    spread = largest.high * least.high
    yield Evidence(
        "bounds of the error over σ²η/n, the upper over the lower, η ≤ 1/8, ηT ≥ 12.5",
        float(largest.low * least.low + spread) / 2,
        "<=",
        Fraction(11, 10),
        "proved",
        float(spread - largest.low * least.low) / 2 + 1e-15,
        covers="σ²η/n is the same for n workers in T/n rounds as for one in T, and so is ηT (speed_up.md)",
        resolution=0.0,
    )
    for T in (10**7, 10**8, 10**9):
        (one, a), (many, b) = error(T, 1.0, optimal), error(T // 100**exponent, 100.0, optimal)
        ratio = many / 100 / one  # back from units of σ²/n
        slack = ratio * (a / one + b / many)
        what = f"error of 100 workers in T/{100**exponent} rounds over that of one in T = 10^{round(math.log10(T))}"
        yield Evidence(what, ratio, ">=", 0.9, "exact", slack, at={"T": T})
        yield Evidence(what, ratio, "<=", 1.1, "exact", slack, at={"T": T})


def displacement(case: OneSided) -> float:
    """A lower bound of (1/T) Σ (E x_{t−1})² from x_0 = x*, at the η, α and T of Theorem VI's slopes in n and δ."""
    low, _ = case.pushes(ALPHA, LONG)
    return float(np.mean(moved(ETA, ALPHA, case.x0, low[: LONG - 1]) ** 2)) * (1 - 1e-9)


@claim(
    "At a fixed δ and η more workers do not help: under the one-sided attack TM leaves at 64k workers, 8k of them "
    "Byzantine, for every k at least two thirds of the error at n = 64 (f = ½x², ηL = 1/128, α = 8ηL, T = 4000 from "
    "the optimum, normal and rare large noise).",
    part_of="printed",
    controls=(Control("δ = 0", "there the error falls as 1/n", {"delta": 0.0}),),
)
def no_speed_up(ctx: Context, *, delta: float = 1 / 8) -> Iterable[Evidence]:
    """What (E x)² is of the whole error at n = 64, fixed η, with two kinds of noise; claimed: at least ⅔."""
    n = 64
    for name, spikes in (("normal noise", False), *((("rare large noise", True),) if delta else ())):
        case = noise(spikes, n, delta)
        share = displacement(case) / case.average(ETA, ALPHA, LONG)[1]
        yield Evidence(
            f"least (E x)² over the largest whole error, {name}, n = {n}, δ = {delta:g}",
            share,
            ">=",
            Fraction(2, 3),
            "proved",
            covers="the mean of the k(n − 2f) largest of k groups is at least the average of the groups' (speed_up.md)",
            at={"delta": delta, "n": n, "noise": name},
        )
