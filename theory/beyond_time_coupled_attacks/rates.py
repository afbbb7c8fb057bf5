"""Time-coupled attacks on centered clipping with momentum: exact averages, and what is left of Theorem VI's rate.

All numbers are of the linear loop, CC's own as long as no honest message is clipped; L = σ² = 1. There an attack adds
at most fτ/g to what x is without it (α = 8Lη), which bounds the average squared gradient for all attacks: `rates.md`.
CC that clips honest messages may exceed that (`runs.py`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.rates import slope
from theory.beyond_time_coupled_attacks.linear_loop import radius
from theory.beyond_time_coupled_attacks.response import Loop, average
from theory.claim import Context, Control, claim

# The push takes fτ/g of the τ around v: with Theorem IV's τ that leaves 2.6ρ or more here, beyond which are few honest
# messages. At n = 25, f = 11 it would leave 0.42ρ.
SIZES = ((10, 1), (20, 4), (200, 20))
ROUNDING = 1e-12  # of a few roots, products and quotients in float64
KS = range(10, 21)
Range = tuple[float, float]


def between(low: float, high: float) -> Range:
    """The middle of an interval, and its half-width rounded up."""
    return (float(low) + float(high)) / 2, (float(high) - float(low)) / 2 * (1 + 1e-12)


def ratio(above: Range, below: Range) -> Range:
    """Middle and half-width of what the quotient of two positive intervals holds."""
    return between(above[0] / below[1] * (1 - ROUNDING), above[1] / below[0] * (1 + ROUNDING))


def average_range(loop: Loop, rounds: int, push: Fraction, x0: int, variance: Fraction) -> Range:
    """The two ends of what `average` proves."""
    middle, error = average(loop, rounds, push, Fraction(x0), variance)
    return max(0.0, math.nextafter(middle - error, -math.inf)), math.nextafter(middle + error, math.inf)


def bound_for_all(loop: Loop, rounds: int, tau: float, x0: int, variance: Fraction) -> Range:
    """(√(average without attack) + fτ/g)², in an interval; `tau` times δ/(1 − δ) is fτ/g."""
    far = float(loop.delta / (1 - loop.delta)) * tau
    low, high = average_range(loop, rounds, Fraction(0), x0, variance)
    return (math.sqrt(low) + far) ** 2 * (1 - ROUNDING), (math.sqrt(high) + far) ** 2 * (1 + ROUNDING)


@claim(
    "With α = 8Lη and as long as no honest message is clipped, the push has at least 0.7 of the average "
    "squared gradient that any attack can have.",
    controls=(Control("half a push", "it has about a quarter", {"push": 0.5}),),
)
def near_the_best(ctx: Context, *, push: float = 1.0) -> Iterable[Evidence]:
    """The push's average squared gradient over (√(average without attack) + fτ/g)², more than any attack's; ≥ 0.7."""
    for (n, f), k in itertools.product(SIZES, (5, 8)):
        eta = Fraction(1, 2**k)
        alpha, delta, spread = 8 * eta, Fraction(f, n), Fraction(1, n - f)
        tau = radius(float(delta), float(alpha))
        loop, T = Loop(eta, alpha, delta), 4**k
        found = average_range(loop, T, Fraction(push) * delta * Fraction(tau), 0, spread)
        value, error = ratio(found, bound_for_all(loop, T, tau, 0, spread))
        what = f"push over the bound for all attacks, n = {n}, f = {f}, Lη = 2^−{k}, T = {T}, x_0 = 0"
        yield Evidence(what, value, ">=", 0.7, "exact", error, at={"n": n, "f": f, "eta": float(eta), "T": T})


def exact_averages(n: int, f: int, power: float, alpha: float | None = None, ks: range = KS) -> list[Range]:
    """(1/T)ΣE‖∇f‖² under the push from x_0 = 1, T = 4^k, η = 2^−k, α = 8η unless given, τ² ~ α^power."""
    found = []
    for k in ks:
        a = Fraction(8, 2**k) if alpha is None else Fraction(alpha)
        push = Fraction(f, n) * Fraction(radius(f / n, float(a), power))
        found.append(average_range(Loop(Fraction(1, 2**k), a, Fraction(f, n)), 4**k, -push, 1, Fraction(1, n - f)))
    return found


def slope_of(ranges: list[Range]) -> Range:
    """The slope of such averages against T = 4^k."""
    return slope([4.0**k for k in KS], *zip(*ranges, strict=True))


@claim(
    "With α = 8Lη ~ T^{−1/2} and the τ reconstructed for Theorem IV, τ² ~ α, the average falls at least like "
    "T^{−0.49}, under the push and by a bound for every attack, as long as no honest message is clipped.",
    controls=(
        Control("one τ for all α", "fτ/g stays", {"power": 0.0}),
        Control("τ² ~ √α", "the push falls like T^{−1/4} only", {"power": 0.5}),
        Control("β = 0.9 throughout", "ρ and with it τ stay", {"alpha": 0.1}),
    ),
)
def rate_kept(ctx: Context, *, power: float = 1.0, alpha: float | None = None) -> Iterable[Evidence]:
    """The slope of the average against T = 2^20 … 2^40 under the push, and that of the bound for all attacks."""
    for n, f in SIZES:
        at = {"n": n, "f": f}
        middle, error = slope_of(exact_averages(n, f, power, alpha))
        yield Evidence(f"slope under the push, n = {n}, f = {f}", middle, "<=", -0.49, "exact", error, at=at)
        bounds = []
        for k in KS:
            a = 8 / 2**k if alpha is None else alpha
            loop = Loop(Fraction(1, 2**k), Fraction(a), Fraction(f, n))
            bounds.append(bound_for_all(loop, 4**k, radius(f / n, a, power), 1, Fraction(1, n - f)))
        middle, error = slope_of(bounds)
        what = f"slope of a bound for all attacks, n = {n}, f = {f}"
        yield Evidence(what, middle, "<=", -0.49, "exact", error, at=at)


@claim(
    "With τ² ~ α^q, 0 < q < 1, the average under the push falls like T^{−q/2}, as long as no honest "
    "message is clipped.",
    controls=(Control("T^{−1/2}", "that takes q = 1", {"kept": True}),),
)
def exponents(ctx: Context, *, kept: bool = False) -> Iterable[Evidence]:
    """The slope against T = 2^20 … 2^40 under the push with τ² ~ α^q, 0 < q < 1, beside −q/2 (−½ if `kept`)."""
    for (n, f), power in itertools.product(SIZES, (0.25, 0.5, 0.75)):
        middle, error = slope_of(exact_averages(n, f, power))
        claimed = -0.5 if kept else -power / 2
        what = f"slope at q = {power:g}, n = {n}, f = {f}"
        yield Evidence(what, middle, "<=", claimed + 0.03, "exact", error, at={"n": n, "f": f, "power": power})
        yield Evidence(what, middle, ">=", claimed - 0.03, "exact", error, at={"n": n, "f": f, "power": power})


@claim(
    "With one τ for all α the average under the push tends to (fτ/g)², as long as no honest message is clipped.",
    controls=(
        Control("τ² ~ α", "then nothing stays", {"power": 1.0}),
        Control("0.9τ", "the limit is that of τ itself", {"share": 0.9}),
    ),
)
def what_one_radius_leaves(ctx: Context, *, power: float = 0.0, share: float = 1.0) -> Iterable[Evidence]:
    """The average under the push at T = 2^40 over (fτ/g)², τ² ~ α^power."""
    for n, f in SIZES:
        limit = (f * share * radius(f / n, 1.0, 0.0) / math.sqrt(2) / (n - f)) ** 2  # with the τ of α → 0 and power 0
        value, error = ratio(exact_averages(n, f, power, ks=range(20, 21))[0], (limit, limit))
        at = {"n": n, "f": f, "T": 2**40}
        yield Evidence(f"average over (fτ/g)² at T = 2^40, n = {n}, f = {f}", value, ">=", 0.99, "exact", error, at=at)
        yield Evidence(f"the same from above, n = {n}, f = {f}", value, "<=", 1.01, "exact", error, at=at)


@claim(
    "At one δ a hundred times the workers leave at least 0.9 of the average under the push, as long as no "
    "honest message is clipped.",
    controls=(Control("no attack", "then it falls like 1/n", {"attacked": False}),),
)
def no_speed_up(ctx: Context, *, attacked: bool = True) -> Iterable[Evidence]:
    """The average with 100 times the workers over that with n, the same δ, T = 2^24, τ ~ √α; claimed ≥ 0.9."""
    for n, f in SIZES:
        loop = Loop(Fraction(1, 2**12), Fraction(8, 2**12), Fraction(f, n))
        push = Fraction(f, n) * Fraction(radius(f / n, 8 / 2**12)) if attacked else Fraction(0)
        few, many = (average_range(loop, 4**12, push, 0, Fraction(1, times * (n - f))) for times in (1, 100))
        value, error = ratio(many, few)
        what = f"average at {100 * n} workers over that at {n}, δ = {f / n:g}"
        yield Evidence(what, value, ">=", 0.9, "exact", error, at={"n": 100 * n, "f": 100 * f})
