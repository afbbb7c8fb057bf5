"""The rate of Theorem VI, measured: slopes of exact errors against T and n, without attackers and under one attack."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_vi_momentum.bound import best_step
from theory.theorem_vi_momentum.moments import average_ball, middle_and_error
from theory.theorem_vi_momentum.slopes import slope_in_workers as slope_under_attack

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
    yield Evidence(what, value, ">=", LOW, "exact", slack, at=at)
    yield Evidence(what, value, "<=", HIGH, "exact", slack, at=at)


@claim(
    "The error of SGDm with the mean falls as T^{−1/2}.",
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
    "It falls as n^{−1/2} without attackers.",
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
    "At δ = 0 100 workers reach in T/100 rounds the error of one worker in T, within a tenth.",
    part_of="printed",
    controls=(Control("T/100²", "the speed-up is linear, not quadratic", {"exponent": 2}),),
)
def linear_speed_up(ctx: Context, *, exponent: int = 1) -> Iterable[Evidence]:
    """The exact error of 100 workers in T/100^exponent rounds over that of one in T; claimed: within a tenth of 1."""
    for T in (10**7, 10**8, 10**9):
        (one, a), (many, b) = error(T, 1.0, optimal), error(T // 100**exponent, 100.0, optimal)
        ratio = many / 100 / one  # back from units of σ²/n
        slack = ratio * (a / one + b / many)
        what = f"error of 100 workers in T/{100**exponent} rounds over that of one in T = 10^{round(math.log10(T))}"
        yield Evidence(what, ratio, ">=", 0.9, "exact", slack, at={"T": T})
        yield Evidence(what, ratio, "<=", 1.1, "exact", slack, at={"T": T})


@claim(
    "At a fixed δ = 1/8 more workers do not help: the exact error of TM under the one-sided attack has a slope "
    "against n nearer to 0 than to −1.",
    part_of="printed",
    loose="a slope is told from its neighbours, not measured to a quarter",
    controls=(Control("δ = 0", "there it falls as 1/n, η being fixed", {"delta": 0.0}),),
)
def no_speed_up(ctx: Context, *, delta: float = 1 / 8) -> Iterable[Evidence]:
    """The enclosed slopes of Theorem VI's `slope_in_workers`: a lower bound of what some attack leaves."""
    yield from slope_under_attack(ctx, delta=delta)
