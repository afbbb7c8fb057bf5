"""The multi-step bounds of centered clipping under attack by an optimiser.

*On the line* the worst Byzantine messages are known (`attacked.md`); all outcomes of the good ones, on two values, are
enumerated. *In the plane* the honest messages are iid on three points, all outcomes enumerated, and the Byzantine
workers of step j send far values in a direction at an angle φ_j from v_j − x̄, which they see. The optimiser moves the
distribution, v_0 and the angles. The winner of a search on the line is evaluated once more in rationals.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sims.aggregators import CenteredClipping
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.checks.laws import binomial
from sims.checks.two_point import binomial_pmf, distance_sq
from sims.engine.streams import Streams
from theory.claim import Context

FAR = 1e9


@dataclass(frozen=True)
class Bound:
    """Radii with the bound that belongs to them: λ r^{2l} B_0² + K δρ².

    `radii(δ, B_0², ρ², l)` broadcasts; `rate(δ)` = r².
    """

    radii: Callable[[float, Any, Any, int], Any]
    rate: Callable[[Fraction], Fraction]
    lead: int
    constant: float

    def of(self, delta: Any, centre_sq: Any, rho_sq: Any, step: int) -> Any:
        """The bound after `step` steps."""
        rate = self.rate(delta) if isinstance(delta, Fraction) else float(self.rate(Fraction(delta)))
        return self.lead * rate**step * centre_sq + self.constant * delta * rho_sq


def reconstructed_radii(delta: float, centre_sq: Any, rho_sq: Any, step: int) -> Any:
    """τ_l of 4(1 − δ)(B_l²/3 + ρ²)/(√3 δ), B_{l+1}² = 6.45δB_l² + 22.1δρ², as reconstructed.

    From a B_0 below the limit B_∞ of this recursion the radius is that of B_∞.
    """
    rate = 6.45 * delta
    least = 22.1 * delta * rho_sq / (1 - rate)
    b_sq = least + rate**step * np.maximum(centre_sq - least, 0.0)
    return np.sqrt(4 * (1 - delta) * (b_sq / 3 + rho_sq) / (math.sqrt(3) * delta))


def fast_radii(delta: float, centre_sq: Any, rho_sq: Any, step: int) -> Any:
    """max(2.5ρ/√δ, B_0(5δ)^l/0.9)."""
    return np.maximum(2.5 * np.sqrt(rho_sq / delta), np.sqrt(centre_sq) * (5 * delta) ** step / 0.9)


def wide_radii(delta: float, centre_sq: Any, rho_sq: Any, step: int) -> Any:
    """max(ρ/((1 − 2δ)√δ), B_0(½ + δ)^{l−1}), for every δ < ½."""
    return np.maximum(np.sqrt(rho_sq / delta) / (1 - 2 * delta), np.sqrt(centre_sq) * (0.5 + delta) ** (step - 1))


PRINTED = Bound(
    reconstructed_radii,
    rate=lambda delta: Fraction(129, 20) * delta,
    lead=2,
    constant=1360,
)
OURS = Bound(fast_radii, rate=lambda delta: (5 * delta) ** 2, lead=2, constant=90)


@dataclass(frozen=True)
class Line:
    """m workers send 1 with probability p, g − m with probability q, else 0; v_0 = x̄'s mean + `away`·ρ."""

    m: int
    p: float
    q: float
    away: float


def errors_on_line(
    n: int, f: int, laws: Sequence[Line], bound: Bound, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E(v_l − x̄)² of each law under the worst attack at l = 0, …, steps, the bounds beside it, and ρ²."""
    g, delta = n - f, f / n
    m = np.array([law.m for law in laws])
    p, q, away = (np.array([getattr(law, name) for law in laws]) for name in ("p", "q", "away"))
    rho_sq = np.array([distance_sq(law.m, g, np.array([law.p]), np.array([law.q]))[0] for law in laws])
    pmf = np.stack(
        [
            np.convolve(binomial_pmf(law.m, np.array([law.p]))[0], binomial_pmf(g - law.m, np.array([law.q]))[0])
            for law in laws
        ]
    )
    variance = (m * p * (1 - p) + (g - m) * q * (1 - q)) / g**2
    rho = np.sqrt(rho_sq)
    centre_sq = (away * rho) ** 2 + variance
    ones = np.arange(g + 1)
    messages = np.empty((len(laws), 2, g + 1, n, 1))
    messages[..., :g, 0] = np.arange(g) < ones[:, None]
    v = np.broadcast_to(((m * p + (g - m) * q) / g + away * rho)[:, None, None, None], (len(laws), 2, g + 1, 1))
    far = np.array([-FAR, FAR])[:, None, None]
    expected, claimed = np.empty((2, len(laws), steps + 1))
    for step in range(steps + 1):
        error = np.max((v[..., 0] - ones / g) ** 2, axis=1)
        expected[:, step] = np.sum(pmf * error, axis=1)
        claimed[:, step] = bound.of(delta, centre_sq, rho_sq, step)
        messages[..., g:, 0] = v + far
        v, _ = CenteredClipping(bound.radii(delta, centre_sq, rho_sq, step)[:, None, None])(messages, v)
    return expected, claimed, rho_sq


def ratios_on_line(n: int, f: int, laws: Sequence[Line], bound: Bound, steps: int) -> np.ndarray:
    """E(v_l − x̄)²/(the bound) at l = 1, …, steps: (laws, steps)."""
    expected, claimed, rho_sq = errors_on_line(n, f, laws, bound, steps)
    ratios = np.divide(expected, claimed, out=np.zeros_like(expected), where=(claimed > 0) & (rho_sq > 1e-9)[:, None])
    return ratios[:, 1:]


def line_curves(n: int, f: int, law: Line, bound: Bound, steps: int) -> dict[str, list[float]]:
    """E(v_l − x̄)²/(δρ²) under the worst attack on one law, and the bound in the same unit, l = 0, …, steps."""
    expected, claimed, rho_sq = errors_on_line(n, f, [law], bound, steps)
    unit = f / n * rho_sq[0]
    return {"reached": (expected[0] / unit).tolist(), "bound": (claimed[0] / unit).tolist()}


def exact_ratio(n: int, f: int, law: Line, bound: Bound, steps: int) -> Fraction:
    """`errors_on_line` of one law after `steps` steps, in rationals; each radius is a float's rational."""
    g, delta = n - f, Fraction(f, n)
    p, q = Fraction(law.p), Fraction(law.q)
    pairs = [2 * a * (1 - a) for a, count in ((p, law.m), (q, g - law.m)) if count >= 2]
    across = [p * (1 - q) + q * (1 - p)] if 0 < law.m < g else []
    rho_sq: Fraction = max(pairs + across)
    mean = (law.m * p + (g - law.m) * q) / g
    away = Fraction(law.away * math.sqrt(rho_sq)).limit_denominator(10**4)
    centre_sq = away**2 + (law.m * p * (1 - p) + (g - law.m) * q * (1 - q)) / g**2
    one, other = binomial(law.m, p), binomial(g - law.m, q)
    pmf = [
        sum((one[i] * other[k - i] for i in range(law.m + 1) if 0 <= k - i <= g - law.m), Fraction(0))
        for k in range(g + 1)
    ]
    radii = [
        Fraction(float(bound.radii(float(delta), float(centre_sq), float(rho_sq), step))).limit_denominator(10**6)
        for step in range(steps)
    ]
    total = Fraction(0)
    for k, mass in enumerate(pmf):
        worst = Fraction(0)
        for side in (-1, 1):
            v = mean + away
            for tau in radii:
                rows = [[Fraction(1)]] * k + [[Fraction(0)]] * (g - k) + [[v + side * 2 * tau]] * f
                v = exact_aggregate(CenteredClipping(tau), rows, [v])[0]
            worst = max(worst, (v - Fraction(k, g)) ** 2)
        total += mass * worst
    return total / bound.of(delta, centre_sq, rho_sq, steps)


def search_line(n: int, f: int, bound: Bound, steps: int, ctx: Context) -> tuple[Line, int]:
    """The law and the step at which differential evolution finds the largest error/bound."""
    from scipy.optimize import differential_evolution

    g = n - f

    def unpack(z: np.ndarray) -> list[Line]:
        return [
            Line(round(a * (g // 2)), round(4096 * p**2) / 4096, round(4096 * q) / 4096, float(sign * 10**size))
            for a, p, q, sign, size in zip(z[0], z[1], z[2], np.sign(z[3]), 4 * np.abs(z[3]) - 2, strict=True)
        ]

    def value(z: np.ndarray) -> np.ndarray:
        return -np.max(ratios_on_line(n, f, unpack(z), bound, steps), axis=1)

    result = differential_evolution(
        value,
        bounds=[(0.0, 1.0)] * 3 + [(-1.0, 1.0)],
        maxiter=ctx.scaled(24),
        popsize=8,
        tol=0.0,
        polish=False,
        vectorized=True,
        updating="deferred",
        rng=Streams(*ctx.stream(f"line/{n}/{f}")).generator(0),
    )
    law = unpack(result.x[:, None])[0]
    return law, 1 + int(np.argmax(ratios_on_line(n, f, [law], bound, steps)[0]))


def attack_on_line(
    ctx: Context, *, bound: Bound, sizes: Sequence[tuple[int, int]] = ((7, 1), (20, 3), (40, 6)), steps: int = 12
) -> Iterable[Evidence]:
    """The largest error/bound found on the line at each (n, f), its winner evaluated in rationals."""
    for n, f in sizes:
        law, step = search_line(n, f, bound, steps, ctx)
        yield Evidence(
            f"largest E(v_l − x̄)²/bound found, n = {n}, f = {f}: l = {step}, m = {law.m}, p = {law.p:.3g}, "
            f"q = {law.q:.3g}, v_0 at {law.away:.3g}ρ",
            exact_ratio(n, f, law, bound, step),
            "<=",
            Fraction(1),
            "searched",
            at={"n": n, "f": f, "l": step},
        )


def plane_ratios(n: int, f: int, z: np.ndarray, bound: Bound, steps: int) -> np.ndarray:
    """E‖v_l − x̄‖²/(the bound) at its largest over l: (candidates, 9 + steps) → (candidates,).

    z: two points (the third is 0), three weights (logarithms), v_0's place, then an angle/π for each step.
    """
    g, delta = n - f, f / n
    points = np.concatenate([np.zeros((len(z), 1, 2)), z[:, :4].reshape(-1, 2, 2)], axis=1)
    weights = np.exp(4 * z[:, 4:7])
    weights /= np.sum(weights, axis=1, keepdims=True)
    counts = np.array([c for c in itertools.product(range(g + 1), repeat=3) if sum(c) == g])
    ways = np.array([math.factorial(g) / math.prod(map(math.factorial, c)) for c in counts.tolist()])
    probability = ways * np.prod(weights[:, None, :] ** counts, axis=-1)
    x = np.empty((len(z), len(counts), n, 2))
    x[:, :, :g] = points[:, np.array([np.repeat(np.arange(3), c) for c in counts])]
    mean = np.mean(x[:, :, :g], axis=2)
    rho_sq = np.einsum("si,sij,sj->s", weights, np.sum((points[:, :, None] - points[:, None]) ** 2, axis=-1), weights)
    place = np.einsum("si,sid->sd", weights, points) + z[:, 7:9] * 10 ** (1 + np.abs(z[:, 7:8]))
    v = np.broadcast_to(place[:, None], mean.shape)
    centre_sq = np.sum(probability * np.sum((v - mean) ** 2, axis=-1), axis=1)
    best = np.zeros(len(z))
    for step in range(steps):
        angle = math.pi * z[:, 9 + step]
        away = v - mean
        turned = np.stack(
            [
                np.cos(angle)[:, None] * away[..., 0] - np.sin(angle)[:, None] * away[..., 1],
                np.sin(angle)[:, None] * away[..., 0] + np.cos(angle)[:, None] * away[..., 1],
            ],
            axis=-1,
        )
        length = np.maximum(np.sqrt(np.sum(turned**2, axis=-1, keepdims=True)), 1e-9)
        x[:, :, g:] = (v + FAR * turned / length)[:, :, None]
        v, _ = CenteredClipping(bound.radii(delta, centre_sq, rho_sq, step)[:, None])(x, v)
        expected = np.sum(probability * np.sum((v - mean) ** 2, axis=-1), axis=1)
        claimed = bound.of(delta, centre_sq, rho_sq, step + 1)
        best = np.maximum(best, np.divide(expected, claimed, out=np.zeros_like(expected), where=rho_sq > 1e-9))
    return best


def attack_in_plane(ctx: Context, *, bound: Bound, n: int = 7, f: int = 1, steps: int = 6) -> Iterable[Evidence]:
    """The largest error/bound found in the plane."""
    from scipy.optimize import differential_evolution

    result = differential_evolution(
        lambda z: -plane_ratios(n, f, z.T, bound, steps),
        bounds=[(-1.0, 1.0)] * (9 + steps),
        maxiter=ctx.scaled(24),
        popsize=4,
        tol=0.0,
        polish=False,
        vectorized=True,
        updating="deferred",
        rng=Streams(*ctx.stream(f"plane/{n}/{f}")).generator(0),
    )
    best = float(plane_ratios(n, f, result.x[None], bound, steps)[0])
    what = f"largest E‖v_l − x̄‖²/bound found in the plane, n = {n}, f = {f}, l ≤ {steps}"
    yield Evidence(what, best, "<=", 1.0, "searched", at={"n": n, "f": f, "d": 2})
