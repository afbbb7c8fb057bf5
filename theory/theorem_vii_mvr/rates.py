"""Theorem VII's rates as slopes: exact errors of MVR on f = ½x² with every start, against T and against n.

Errors are enclosed without a random number (`bound.py`); a slope's interval is its range over all errors within these
enclosures. Why one sample at the start costs the rate is in `rates.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from sims.checks.evidence import Evidence
from sims.checks.rates import slope
from theory.claim import Context, Control, claim
from theory.theorem_vii_mvr.bound import (
    Instance,
    Parameters,
    mean_square,
    mean_square_idle,
    mean_squares_decreasing,
    mvr_parameters,
    printed_parameters,
    sgdm_parameters,
)

Family = Callable[[int], tuple[float, float]]  # T ↦ bounds of the average of E‖∇f‖²
ONE = Instance()
SIZES = tuple(2**k - 1 for k in range(21, 43, 3))
LADDER = (Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(1))  # exponents of this subject
RATE_H = 0.24  # ≤ 1/(4L): η_t = RATE_H·t^{−1/3}


def started(b0: Callable[[Parameters], float] = lambda p: p.b0, **changes: Any) -> Family:
    """MVR with the bound's parameters, b_0 chosen by `b0`."""

    def error(T: int) -> tuple[float, float]:
        p = mvr_parameters(ONE, T)
        return mean_square(ONE, replace(p, b0=b0(p), **changes), T)

    return error


def sgdm(parameters: Callable[[int], Parameters] = lambda T: sgdm_parameters(ONE, T)) -> Family:
    """The mean square of a run of T rounds with the parameters for T."""
    return lambda T: mean_square(ONE, parameters(T), T)


def idle(power: float) -> Family:
    """MVR that averages for T^power rounds at x_0 first; they count among the T."""
    return lambda T: mean_square_idle(ONE, mvr_parameters(ONE, T), T, round(T**power))


def decreasing(power: float) -> Family:
    """η_t of the order t^{−1/3}, α_t of the order t^{−power}, constant between powers of two; one sample."""
    a = 16 / 3 * ONE.L_sq * RATE_H**2
    found = mean_squares_decreasing(ONE, RATE_H, a, power, 42)
    return lambda T: found[T]


BATCH, SAMPLE, ZERO = started(), started(lambda p: 1), started(lambda p: 0)
SGDM = sgdm()


def between(exponent: Fraction) -> tuple[Fraction, Fraction]:
    """The slopes half-way to the neighbouring exponents: (the flatter, the steeper)."""
    i = LADDER.index(exponent)
    flatter, steeper = LADDER[i - 1] if i else -LADDER[1], LADDER[i + 1]
    return -(exponent + flatter) / 2, -(exponent + steeper) / 2


def falls(
    ctx: Context, *, families: Mapping[str, Family], exponent: Fraction = Fraction(2, 3), both: bool = True
) -> Iterable[Evidence]:
    """Slopes of log error against log T, T = 2²¹ … 2⁴²; claimed: nearer to −exponent than to its neighbours."""
    flatter, steeper = between(exponent)
    for name, family in families.items():
        middle, error = slope(SIZES, *zip(*(family(T) for T in SIZES), strict=True))
        what, at = f"slope of log error against log T: {name}", {"of": name, "exponent": float(exponent)}
        yield Evidence(what, middle, "<=", flatter, "proved", error, at=at)
        if both:
            yield Evidence(what, middle, ">=", steeper, "proved", error, at=at)


def speed_up(ctx: Context, *, parameters: Callable[[Instance, float], Parameters]) -> Iterable[Evidence]:
    """The slope of log error against log g for T = 2⁴⁰, nobody Byzantine; claimed: nearer to −2/3 than to −1/3."""
    sizes, T = (1, 2, 4, 8, 16, 32, 64, 128), 2**40
    values = [mean_square(Instance(g=g), parameters(Instance(g=g), T), T) for g in sizes]
    middle, error = slope(sizes, *zip(*values, strict=True))
    yield Evidence(
        "slope of log error against log n, δ = 0", middle, "<=", Fraction(-1, 2), "proved", error, at={"T": T}
    )


HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
STARTS = {"one sample": SAMPLE, "m_0 = 0": ZERO}


@claim(
    "From one sample, or from m_0 = 0, constant parameters of the printed order give T^{−2/3}.",
    part_of="printed",
    point=16,
    controls=(Control("a batch", "b_0 of the order T^{1/3} gives −2/3", {"families": {"batch": BATCH}}, "survives"),),
)
def one_sample_is_enough(ctx: Context, *, families: Mapping[str, Family] = STARTS) -> Iterable[Evidence]:
    """The slopes against T, beside −2/3; why they are flatter is in `rates.md`."""
    yield from falls(ctx, families=families, both=False)


@claim(
    "With constant α and η of the printed order, one sample or m_0 = 0 gives T^{−1/3}.",
    point=16,
    controls=(Control("a batch", "then it is −2/3", {"families": {"batch": BATCH}}),),
)
def one_sample_gives(ctx: Context, *, families: Mapping[str, Family] = STARTS) -> Iterable[Evidence]:
    """The same slopes beside −1/3."""
    yield from falls(ctx, families=families, exponent=THIRD)


@claim(
    "With a batch of the order T^{1/3} the exact error falls like T^{−2/3}.",
    point=16,
    controls=(
        Control(
            "α of the order η",
            "then ασ² is of the order T^{−1/3}",
            {"families": {"α = η": lambda T: started(alpha=mvr_parameters(ONE, T).eta)(T)}},
        ),
        Control(
            "no correction",
            "a momentum that forgets more slowly than x moves lags behind",
            {"families": {"no correction": started(corrected=False)}},
        ),
        Control("SGDm", "its slope is −1/2", {"families": {"SGDm": SGDM}}),
    ),
)
def batch(ctx: Context, *, families: Mapping[str, Family] = {"batch": BATCH}) -> Iterable[Evidence]:
    """The slope against T with the batch that the bound asks for."""
    yield from falls(ctx, families=families)


@claim(
    "T^{1/3} idle rounds, or α_t of the order t^{−2/3} with η_t of the order t^{−1/3}, do without a batch.",
    point=16,
    controls=(
        Control("T^{1/6} idle rounds", "the slope is −1/3 − 1/6", {"first": 1 / 6}),
        Control("α_t of the order t^{−1/3}", "then ασ² falls that slowly", {"power": 1 / 3}),
    ),
)
def idle_or_decreasing(ctx: Context, *, first: float = 1 / 3, power: float = 2 / 3) -> Iterable[Evidence]:
    """The slopes against T with T^`first` idle rounds, and with α_t ~ t^−`power`."""
    yield from falls(ctx, families={"idle rounds": idle(first), "decreasing α_t": decreasing(power)})


@claim(
    "SGDm with Theorem VI's parameters, on the same problem, falls like T^{−1/2}.",
    controls=(
        Control(
            "α = ½ fixed",
            "with η of the order T^{−1/3} the noise left is of that order too",
            {"families": {"α = ½": sgdm(lambda T: Parameters(T ** (-1 / 3), 0.5, 1, False))}},
        ),
        Control("MVR", "its slope is −2/3", {"families": {"MVR": BATCH}}),
    ),
)
def momentum(ctx: Context, *, families: Mapping[str, Family] = {"SGDm": SGDM}) -> Iterable[Evidence]:
    """The slope of momentum without correction against T."""
    yield from falls(ctx, families=families, exponent=HALF)


@claim(
    "With α = (16/3)L²η², one constant in the printed O(L²η²) for every n, MVR at δ = 0 matches the lower bound for nT "
    "gradients, (nT)^{−2/3}.",
    point=16,
    controls=(Control("α = (16/3)κL²η²", "that does match it", {"parameters": mvr_parameters}, expect="survives"),),
)
def lower_bound_in_n(
    ctx: Context, *, parameters: Callable[[Instance, float], Parameters] = printed_parameters
) -> Iterable[Evidence]:
    """The slope against n with one constant for all n, which the printed O(·) does not say."""
    yield from speed_up(ctx, parameters=parameters)


@claim(
    "With α = (16/3)κL²η² the error at δ = 0 falls like n^{−2/3}.",
    loose="a slope is told from its neighbours, not measured to a quarter",
    controls=(Control("α = (16/3)L²η²", "then like n^{−1/3}", {"parameters": printed_parameters}),),
)
def alpha_heeds_kappa(
    ctx: Context, *, parameters: Callable[[Instance, float], Parameters] = mvr_parameters
) -> Iterable[Evidence]:
    """The slope against n with an α that knows n."""
    yield from speed_up(ctx, parameters=parameters)
