"""What the clipping radius should be: in proportion to the standard deviation of the updates.

Theorem IV has τ² = O(ρ²/δ), and clip_{sτ}(sz) = s·clip_τ(z): a τ in proportion to ρ gives one constant in every unit.
In proportion to the variance, as Section 7.2 says it of "our theory", there is none. Momenta of WORKER have the
standard deviation σ√((1 − β)/(1 + β)) in the long run: a τ scaled by 1 − β falls behind it by √(1 − β²). The proof is
in `radius.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from sims.aggregators import CenteredClipping
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from theory.claim import Context, Control, claim

HONEST = tuple(Fraction(k, 3) for k in (-2, -1, 0, 0, 1, 2, 3))
SCALING = "clip_{sτ}(sz) = s·clip_τ(z), in every dimension, for every v and all messages"


def clipped_error(scale: int, exponent: int, f: int = 1) -> Fraction:
    """(v⁺ − x̄)²/`scale`² of one step from 0 on `scale`·HONEST and f far values, τ = 3·`scale`^`exponent`."""
    rows = [[scale * x] for x in HONEST] + [[Fraction(10**6 * scale**2)]] * f
    tau = Fraction(3 * scale**exponent)
    (end,) = exact_aggregate(CenteredClipping(tau), rows, [Fraction(0)])
    return ((end - scale * sum(HONEST, Fraction(0)) / len(HONEST)) / scale) ** 2


def pulled(scale: int, exponent: int, n: int = 8, f: int = 1) -> Fraction:
    """(v⁺ − x̄)²/(δρ²), ρ = `scale` and τ = 3ρ^`exponent`, honest messages all at v = 0 and f far away (step 2)."""
    rows = [[Fraction(0)]] * (n - f) + [[Fraction(10**6 * scale**2)]] * f
    (end,) = exact_aggregate(CenteredClipping(Fraction(3 * scale**exponent)), rows, [Fraction(0)])
    return end**2 / (Fraction(f, n) * scale**2)


def in_another_unit(exponent: int) -> Iterable[Evidence]:
    """τ² = ρ²/δ where the noise is s times larger over τ², claimed s^{2·`exponent`}; then the error in units of s.

    The last is the needed c of step 2 of `radius.md` at ρ = s over that at ρ = 1: it must not grow.
    """
    n, f = len(HONEST) + 1, 1
    mean = sum(HONEST, Fraction(0)) / len(HONEST)
    variance = sum(((x - mean) ** 2 for x in HONEST), Fraction(0)) / len(HONEST)
    for scale in (2, 10):
        larger = sum(((scale * (x - mean)) ** 2 for x in HONEST), Fraction(0)) / len(HONEST)
        tau_sq, tau_sq_larger = (2 * value * Fraction(n, f) for value in (variance, larger))
        what = f"τ² = ρ²/δ of Theorem IV, noise {scale} times larger, over τ²"
        value = tau_sq_larger / tau_sq
        yield Evidence(what, value, "=", Fraction(scale ** (2 * exponent)), "exact", at={"s": scale, "n": n, "f": f})
        what = f"(error/s)² of one step, noise s = {scale} times larger, τ times s^{exponent}, over that at s = 1"
        value = clipped_error(scale, exponent) / clipped_error(1, exponent)
        yield Evidence(what, value, "=", Fraction(1), "exact", covers=SCALING, at={"s": scale, "n": n, "f": f})
        what = f"error²/(δρ²) on equal honest messages, ρ = {scale}, τ = 3ρ^{exponent}, over that at ρ = 1"
        value = pulled(scale, exponent) / pulled(1, exponent)
        yield Evidence(what, value, "=", Fraction(1), "exact", at={"rho": scale, "n": n, "f": f})


@claim(
    "Theorem IV's τ is proportional to the variance of the updates, and so chosen leaves an error in proportion to "
    "their spread.",
    part_of="printed",
    point=17,
    controls=(Control("the standard deviation", "τ² is of the order of ρ²/δ", {"exponent": 1}, "survives"),),
)
def proportional_to_variance(ctx: Context, *, exponent: int = 2) -> Iterable[Evidence]:
    """Both ratios, τ ∝ s² where the noise is s times larger."""
    yield from in_another_unit(exponent)


@claim(
    "Theorem IV's τ is proportional to their standard deviation: what is s times as large is clipped s times as far "
    "out, and the error is s times as large.",
    part_of="corrected",
    point=17,
    controls=(Control("the variance", "in other units it clips otherwise", {"exponent": 2}),),
)
def proportional_to_deviation(ctx: Context, *, exponent: int = 1) -> Iterable[Evidence]:
    """Both ratios, τ ∝ s."""
    yield from in_another_unit(exponent)


def spread_variance(beta: Fraction) -> Fraction:
    """The stationary variance of a WORKER momentum of unit noise: the fixed point of V = β²V + (1 − β)²."""
    return (1 - beta) ** 2 / (1 - beta**2)


@claim(
    "A τ scaled by 1 − β in WORKER form keeps its ratio to the spread of the momenta up to a factor √2.",
    point=17,
    controls=(Control("√(1 − β)", "that is right up to √2", {"scaling_sq": lambda beta: 1 - beta}, "survives"),),
)
def tau_keeps_pace(
    ctx: Context, *, scaling_sq: Callable[[Fraction], Fraction] = lambda beta: (1 - beta) ** 2
) -> Iterable[Evidence]:
    """(τ/spread)² in WORKER form over that at β = 0, τ² scaled by `scaling_sq`; claimed to stay ≥ ½ and ≤ 2."""
    for beta in (Fraction(9, 10), Fraction(99, 100), Fraction(999, 1000)):
        value = scaling_sq(beta) / spread_variance(beta)
        what = f"(τ/spread)² at β = {beta}, over β = 0"
        yield Evidence(what, value, ">=", Fraction(1, 2), "exact", at={"beta": float(beta)})
        yield Evidence(what, value, "<=", Fraction(2), "exact", at={"beta": float(beta)})


@claim(
    "The variance of a WORKER momentum tends to σ²(1 − β)/(1 + β).",
    part_of="corrected",
    controls=(Control("its square", "noises of different rounds are independent", {"power": Fraction(2)}),),
)
def spread(ctx: Context, *, power: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """V_t of WORKER by its recursion over 20/(1 − β) rounds beside ((1 − β)/(1 + β))^power·σ², noise of variance 1."""
    for beta in (Fraction(1, 2), Fraction(9, 10), Fraction(99, 100)):
        value = 0.0
        for _ in range(int(20 / (1 - beta))):
            value = float(beta) ** 2 * value + float(1 - beta) ** 2
        claimed = float((1 - beta) / (1 + beta)) ** float(power)
        yield Evidence(
            f"variance of a momentum after {int(20 / (1 - beta))} rounds, β = {beta}",
            value,
            "=",
            claimed,
            "exact",
            at={"beta": float(beta)},
            covers="V_t = (1 − β)²σ²Σ_{k<t} β^{2k}, the noises of t rounds being uncorrelated: a geometric series",
            error=1e-12 + float(beta) ** (2 * int(20 / (1 - beta))),  # rounding, and what is left of the start
        )
