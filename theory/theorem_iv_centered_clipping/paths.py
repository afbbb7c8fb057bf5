"""The pathwise steps of Theorem IV's proofs, P0, P1, (iii) and (iv), on instances and under an optimiser.

They are proved in `one_step.md` and `many_steps.md`; here they are held against the rule as coded, so that a slip in
their derivation would show. Instances have rational or float entries; honest points, centre, Byzantine messages,
radius, n, f and d all vary. In float64 the two sides are compared relative to the scale of the instance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np

from sims.aggregators import CenteredClipping
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.engine.streams import Streams
from theory.claim import Context, Control, claim

TRIPLES = ((3, 4, 5), (-5, 12, 13), (8, -15, 17), (-20, -21, 29), (1, 0, 1), (0, -1, 1))
ROUNDING = 1e-12  # float64, sums of at most 30 terms of one scale, a root and a quotient each
Point = tuple[Fraction, Fraction]
P0_LINK = "clip_τ(z) = z − h(z) summed over G, B (proof in theory/theorem_iv_centered_clipping/one_step.md)"
PATH_LINK = "steps (iii) and (iv) (proof in theory/theorem_iv_centered_clipping/many_steps.md)"
P1_LINK = "the triangle inequality in P0 (proof in theory/theorem_iv_centered_clipping/one_step.md)"


def norms(z: np.ndarray) -> np.ndarray:
    """‖z‖ over the last axis."""
    return np.sqrt(np.sum(z * z, axis=-1))


def rational_instance(rng: np.random.Generator) -> tuple[Point, list[Point], list[Fraction], int, Fraction]:
    """(v, messages, their distances from v, f, τ) in the plane: each x_i − v is a multiple of a Pythagorean triple."""
    n = int(rng.integers(3, 12))
    f = int(rng.integers(1, (n + 1) // 2))
    v = (Fraction(int(rng.integers(-9, 10)), 7), Fraction(int(rng.integers(-9, 10)), 11))
    rows, lengths = [], []
    for _ in range(n):
        a, b, c = TRIPLES[int(rng.integers(len(TRIPLES)))]
        scale = Fraction(int(rng.integers(0, 40)), 13)
        rows.append((v[0] + scale * a, v[1] + scale * b))
        lengths.append(scale * c)
    return v, rows, lengths, f, Fraction(int(rng.integers(1, 60)), 9)


@claim(
    "P0: v⁺ − x̄ = δ(v − x̄) − (1 − δ)·avg_G h(x_i − v) + δ·avg_B clip_τ(x_j − v).",
    part_of="corrected",
    controls=(Control("9/10 of δ(v − x̄)", "the bad workers do not pull to x̄", {"weight_of_centre": Fraction(9, 10)}),),
)
def identity(ctx: Context, *, weight_of_centre: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """The largest coordinate of the difference between the two sides of P0, in rationals; claimed: 0."""
    rng = Streams(*ctx.stream("rational")).generator(0)
    worst, count = Fraction(0), ctx.scaled(400)
    for _ in range(count):
        v, rows, lengths, f, tau = rational_instance(rng)
        n, g = len(rows), len(rows) - f
        delta = Fraction(f, n)
        kept = [min(Fraction(1), tau / length) if length else Fraction(1) for length in lengths]
        for j in range(2):
            away = [row[j] - v[j] for row in rows]
            step = sum((a * k for a, k in zip(away, kept, strict=True)), Fraction(0)) / n
            mean = sum((row[j] for row in rows[:g]), Fraction(0)) / g
            cut = sum((a * (1 - k) for a, k in zip(away[:g], kept[:g], strict=True)), Fraction(0)) / g
            bad = sum((a * k for a, k in zip(away[g:], kept[g:], strict=True)), Fraction(0)) / f
            other = weight_of_centre * delta * (v[j] - mean) - (1 - delta) * cut + delta * bad
            worst = max(worst, abs(v[j] + step - mean - other))
    yield Evidence(
        f"largest difference of the sides of P0, {count} planes", worst, "=", Fraction(0), "exact", covers=P0_LINK
    )


def line_instances(
    ctx: Context, purpose: str, count: int
) -> Iterable[tuple[int, list[Fraction], Fraction, Fraction, Fraction]]:
    """(f, messages, v, v⁺, τ) on the line in rationals, v⁺ by the exact oracle of `CenteredClipping`."""
    rng = Streams(*ctx.stream(purpose)).generator(0)
    for _ in range(count):
        n = int(rng.integers(3, 12))
        f = int(rng.integers(1, (n + 1) // 2))
        rows = [Fraction(int(k), 7) for k in rng.integers(-30, 31, n)]
        tau = Fraction(int(rng.integers(1, 60)), 9)
        v = tau * Fraction(int(rng.integers(-20, 21)), 20)
        yield f, rows, v, exact_aggregate(CenteredClipping(tau), [[x] for x in rows], [v])[0], tau


def largest(pairs: Iterable[tuple[Fraction, Fraction]]) -> Fraction:
    """The largest left/right; right = 0 asks for left = 0."""
    return max(left / right if right else Fraction(int(left > 0) * 10**9) for left, right in pairs)


def positive(x: Fraction) -> Fraction:
    """The positive part x_+."""
    return max(x, Fraction(0))


def float_instances(ctx: Context, purpose: str, count: int) -> Iterable[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """(f, messages (runs, n, d), v (runs, d), τ (runs,)) for several n, f and d; scales over four decades."""
    for number, (n, f, d) in enumerate(((3, 1, 1), (7, 1, 2), (10, 4, 3), (20, 3, 1), (25, 11, 5))):
        rng = Streams(*ctx.stream(purpose)).generator(number)
        x = rng.standard_normal((count, n, d)) * 10 ** rng.uniform(-2, 2, (count, n, 1))
        v = rng.standard_normal((count, d)) * 10 ** rng.uniform(-2, 2, (count, 1))
        tau = 10 ** rng.uniform(-2, 2, count)
        g = n - f
        aim = v - np.mean(x[:, :g], axis=1)  # half of the attackers push straight away from x̄
        x[: count // 2, g:] = (v + 1e3 * aim)[: count // 2, None]
        yield f, x, v, tau


@claim(
    "P1: ‖v⁺ − x̄‖ ≤ (1 − δ)·avg_G (‖x_i − v‖ − τ)_+ + δτ + δ‖v − x̄‖ on every path.",
    part_of="corrected",
    controls=(
        Control("0.9·δ‖v − x̄‖", "all terms can point one way", {"of_centre": 0.9}),
        Control("0.9·δτ", "the bad workers have τ each", {"of_radius": 0.9}),
    ),
)
def step_inequality(ctx: Context, *, of_centre: float = 1.0, of_radius: float = 1.0) -> Iterable[Evidence]:
    """The largest left side/right side of P1 over random instances, v⁺ by `CenteredClipping`; claimed: ≤ 1."""
    centre_share, radius_share = Fraction(of_centre), Fraction(of_radius)

    def sides(f: int, rows: list[Fraction], v: Fraction, plus: Fraction, tau: Fraction) -> tuple[Fraction, Fraction]:
        good, delta = rows[: len(rows) - f], Fraction(f, len(rows))
        mean = sum(good, Fraction(0)) / len(good)
        cut = sum((positive(abs(x - v) - tau) for x in good), Fraction(0)) / len(good)
        return abs(plus - mean), (1 - delta) * cut + delta * (radius_share * tau + centre_share * abs(v - mean))

    count = ctx.scaled(400)
    ratio = largest(sides(*instance) for instance in line_instances(ctx, "P1 line", count))
    yield Evidence(
        f"largest left/right − 1 of P1, {count} lines in rationals",
        ratio - 1,
        "<=",
        Fraction(0),
        "exact",
        covers=P1_LINK,
    )
    for f, x, v, tau in float_instances(ctx, "P1", ctx.scaled(4000)):
        n, d = x.shape[1:]
        g, delta = n - f, f / n
        plus, _ = CenteredClipping(tau)(x, v)
        mean = np.mean(x[:, :g], axis=1)
        cut = np.mean(np.maximum(norms(x[:, :g] - v[:, None]) - tau[:, None], 0), axis=1)
        right = (1 - delta) * cut + delta * (of_radius * tau + of_centre * norms(v - mean))
        ratio = float(np.max(norms(plus - mean) / right))
        what = f"largest left/right − 1 of P1 over {len(x)} instances, n = {n}, f = {f}, d = {d}"
        at = {"n": n, "f": f, "d": d}
        yield Evidence(what, ratio - 1, "<=", 0.0, "searched", error=100 * ROUNDING, scale=1.0, at=at)


@claim(
    "(iii): while D_l ≤ θτ_l, D_{l+1} ≤ δD_l + δτ_l + Y.",
    part_of="corrected",
    controls=(
        Control("Y without ‖x̄ − μ̄‖", "the good workers' own mean", {"of_mean": 0.0}),
        Control("Y without what is cut off", "far good vectors are cut", {"of_cut": 0.0}),
    ),
)
def good_path(ctx: Context, *, of_mean: float = 1.0, of_cut: float = 1.0, theta: float = 0.8) -> Iterable[Evidence]:
    """The largest D_{l+1}/(δD_l + δτ_l + Y) over random instances with D_l ≤ θτ_l and μ̄ = 0; claimed: ≤ 1."""
    gap, mean_share, cut_share = 1 - Fraction(theta).limit_denominator(100), Fraction(of_mean), Fraction(of_cut)

    def sides(f: int, rows: list[Fraction], v: Fraction, plus: Fraction, tau: Fraction) -> tuple[Fraction, Fraction]:
        good, delta = rows[: len(rows) - f], Fraction(f, len(rows))
        mean = abs(sum(good, Fraction(0))) / len(good)
        cut = sum((positive(abs(x) - gap * tau) for x in good), Fraction(0)) / len(good)
        return abs(plus), delta * (abs(v) + tau) + (1 - delta) * (mean_share * mean + cut_share * cut)

    count = ctx.scaled(400)
    found = line_instances(ctx, "iii line", count)
    ratio = largest(sides(*case) for case in found if abs(case[2]) <= Fraction(4, 5) * case[4])
    what = f"largest D⁺/(δD + δτ + Y) − 1, {count} lines in rationals"
    yield Evidence(what, ratio - 1, "<=", Fraction(0), "exact", covers=PATH_LINK)
    for f, x, v, tau in float_instances(ctx, "iii", ctx.scaled(4000)):
        n, d = x.shape[1:]
        g, delta = n - f, f / n
        distance = norms(v)
        v = v * np.minimum(1, 0.8 * tau / distance)[:, None]
        distance = norms(v)
        plus, _ = CenteredClipping(tau)(x, v)
        cut = np.mean(np.maximum(norms(x[:, :g]) - (1 - theta) * tau[:, None], 0), axis=1)
        noise = (1 - delta) * (of_mean * norms(np.mean(x[:, :g], axis=1)) + of_cut * cut)
        ratio = float(np.max(norms(plus) / (delta * (distance + tau) + noise)))
        what = f"largest D⁺/(δD + δτ + Y) − 1 over {len(x)} instances, n = {n}, f = {f}, d = {d}"
        at = {"n": n, "f": f, "d": d}
        yield Evidence(what, ratio - 1, "<=", 0.0, "searched", error=100 * ROUNDING, scale=1.0, at=at)


def limit_of_any_path(q: float) -> tuple[float, float]:
    """(c_q, p) of step (iv)."""
    p = q / (1 - q)
    return (1 + p * p) / (1 - p * p), p


@claim(
    "(iv): on every path D_{l+1} ≤ max(D_l, c_q R, R + pτ_l), R the reach of (1 − q)n good vectors.",
    part_of="corrected",
    controls=(
        Control("c_q = 1.05", "along tangents they pull too little", {"limit": lambda q: (1.05, q / (1 - q))}),
        Control("0.9·p", "the others push with qτ", {"limit": lambda q: (limit_of_any_path(q)[0], 0.9 * q / (1 - q))}),
    ),
)
def any_path(ctx: Context, *, limit: Callable[[float], tuple[float, float]] = limit_of_any_path) -> Iterable[Evidence]:
    """The largest D_{l+1}/max(D_l, c_q R, R + pτ_l) that an optimiser finds with R = 1, μ̄ = 0; claimed: ≤ 1.

    (1 − q)n points lie in the unit ball, the others anywhere; it moves all of them, the centre and the radius.
    """
    from scipy.optimize import differential_evolution

    def sides(far: int, rows: list[Fraction], v: Fraction, plus: Fraction, tau: Fraction) -> tuple[Fraction, Fraction]:
        c_q, p = map(Fraction, limit(far / len(rows)))
        reach = sorted(map(abs, rows))[len(rows) - far - 1]
        return abs(plus), max(abs(v), c_q * reach, reach + p * tau) * (1 + Fraction(ROUNDING))  # p, c_q are floats

    count = ctx.scaled(400)
    ratio = largest(sides(*case) for case in line_instances(ctx, "iv line", count))
    what = f"largest D⁺/max(D, c_q R, R + pτ) − 1, {count} lines in rationals"
    yield Evidence(what, ratio - 1, "<=", Fraction(0), "exact", covers=PATH_LINK)
    for n, far, d in ((10, 3, 1), (10, 3, 2), (20, 7, 2), (5, 2, 3)):
        c_q, p = limit(far / n)
        near = n - far

        def ratios(
            z: np.ndarray, near: int = near, far: int = far, d: int = d, c_q: float = c_q, p: float = p
        ) -> np.ndarray:
            """(…, variables) → (…): log₁₀ τ, D, then n points."""
            tau, distance = 10 ** (4 * z[..., 0] - 2), 4 * np.abs(z[..., 1]) ** 2 * 10 ** np.maximum(0, z[..., 1] - 0.5)
            points = (2 * z[..., 2:] - 1).reshape(*z.shape[:-1], near + far, d)
            inner = points[..., :near, :]
            inner = inner / np.maximum(1, norms(inner))[..., None]
            v = np.zeros((*z.shape[:-1], d))
            v[..., 0] = distance
            x = np.concatenate([inner, 1e6 * points[..., near:, :]], axis=-2)
            plus, _ = CenteredClipping(tau)(x, v)
            return norms(plus) / np.maximum(np.maximum(distance, c_q), 1 + p * tau)

        result = differential_evolution(
            lambda z, ratios=ratios: -ratios(z.T),
            bounds=[(0.0, 1.0)] * (2 + n * d),
            maxiter=ctx.scaled(240),
            popsize=max(2, 60 // (2 + n * d)),
            tol=0.0,
            polish=False,
            vectorized=True,
            updating="deferred",
            rng=Streams(*ctx.stream(f"iv/{n}/{far}/{d}")).generator(0),
        )
        start = special_points(n, far, d)
        best = max(float(ratios(result.x)), float(np.max(ratios(start))))
        what = f"largest D⁺/max(D, c_q R, R + pτ) − 1 found, n = {n}, {far} far points, d = {d}"
        at = {"n": n, "q": far / n, "d": d}
        yield Evidence(what, best - 1, "<=", 0.0, "searched", error=100 * ROUNDING, scale=1.0, at=at)


def special_points(n: int, far: int, d: int) -> np.ndarray:
    """Configurations that are extreme on paper: near points where tangents from v touch, or at one end; far ones
    behind.
    """
    grid = []
    for log_tau in np.linspace(0, 1, 25):
        for z in np.linspace(0.3, 1, 71):
            distance = 4 * z**2 * 10 ** max(0.0, z - 0.5)
            angle = math.acos(min(1.0, 1 / distance)) if d > 1 else 0.0
            points = np.zeros((n, d))
            points[:, 0] = math.cos(angle)
            if d > 1:
                points[: n - far, 1] = math.sin(angle) * (-1.0) ** np.arange(n - far)
            points[n - far :, 0] = 1.0
            points[n - far :, 1:] = 0.0
            grid.append(np.concatenate([[log_tau, z], (points.ravel() + 1) / 2]))
    return np.array(grid)
