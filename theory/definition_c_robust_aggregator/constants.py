"""What Definition C and (f, κ)-robustness ask of each rule: the constants that they are seen to need."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from sims.aggregators import RFA, CoordinateMedian, Mean, MultiKrum, Rule, TrimmedMean
from sims.backend import to_numpy
from sims.by_name import published
from sims.checks.centered import search_c_of_clipping
from sims.checks.confidence import bounded_mean
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.checks.two_point import error_table, needed, search_c
from theory.claim import Context, Control, claim

ROBUST = {  # the rules that return the common value of the n − f honest messages, each with its reason
    "CoordinateMedian": "n − f > n/2 equal values are the median",
    "GeometricMedian": "at a majority of equal messages the f other unit vectors cannot outweigh it",
    "Krum": "the honest score is 0, and a Byzantine one only at the same value, since f − 1 < n − f − 2",
    "MultiKrum": "the n − f honest messages have score 0, the others more unless they are equal",
    "TrimmedMean": "f values outside can only be among the f trimmed on each side",
    "Bulyan": "at most f of n − 2f selected differ, so that n − 3f ≥ n − 4f equal ones are nearest to the median",
}


def population_floor(delta: float) -> float:
    """Theorem III, repaired: c ≥ 1/(2(1 − 2δ)) for a c that is to serve all n."""
    return 1 / (2 * (1 - 2 * delta))


def finite_floor(n: int, f: int, mirrored: int | None = None, most: float = 1.0) -> float:
    """Theorem III at one n against x̄: sup over q of E[K²; K ≤ f]/(2δg²q(1 − q)), K ~ Bin(g, q), g = n − f.

    `mirrored` (f unless given) replaces the f in "K ≤ f": the number of spikes that the adversary can mirror. Only q ≤
    `most` are looked at.
    """
    g, delta = n - f, f / n
    k = np.arange(1, min(f if mirrored is None else mirrored, g) + 1)
    log_ways = np.array([math.lgamma(g + 1) - math.lgamma(i + 1) - math.lgamma(g - i + 1) for i in k])

    def ratio(q: np.ndarray) -> np.ndarray:
        column = q[:, None]
        moment = np.sum(k**2 * np.exp(log_ways + k * np.log(column) + (g - k) * np.log1p(-column)), axis=1)
        return moment / (2 * delta * g**2 * q * (1 - q))

    q = np.concatenate([np.geomspace(1e-7 / g, 0.5, 300), 1 - np.geomspace(0.5, 1e-7, 150)[1:]])
    q = np.append(q[q < most], min(most, float(q[-1])))
    for _ in range(4):  # the best of the grid, then finer around it
        i = int(np.argmax(ratio(q)))
        q = np.linspace(q[max(i - 1, 0)], q[min(i + 1, len(q) - 1)], 41)
    return float(np.max(ratio(q)))


def centred_floor(n: int, f: int) -> float:
    """`finite_floor` for a rule that also knows a centre v_0 with E(v_0 − x̄)² ≤ ρ²: it must not tell the worlds apart.

    v_0 = 0 serves both, as x̄ = ±hK/g, if q²h² + q(1 − q)h²/g ≤ ρ² = 2q(1 − q)h², which is q ≤ (2g − 1)/(3g − 1).
    """
    g = n - f
    return finite_floor(n, f, most=(2 * g - 1) / (3 * g - 1))


def paper_radius(delta: float, rho_sq: np.ndarray) -> np.ndarray:
    """τ of Theorem IV as reconstructed, from B² = ρ²: τ² = 4(1 − δ)(B²/3 + ρ²)/(√3 δ)."""
    return np.sqrt(4 * (1 - delta) * (rho_sq / 3 + rho_sq) / (math.sqrt(3) * delta))


def error_at_zero_spread(rule: Rule, n: int, f: int, ctx: Context) -> float:
    """The largest squared error over Byzantine choices when all honest messages are 0, or all are 1."""
    errors = error_table(rule, n, f, ctx.backend)
    return float(max(errors[0], errors[-1]))


@claim(
    "At ρ = 0 the medians, Krum, Multi-Krum, the trimmed mean and Bulyan return the honest value exactly.",
    controls=(
        Control("the mean", "one Byzantine message moves it", {"rule": Mean()}),
        Control("RFA", "three smoothed steps from 0 do not arrive", {"rule": RFA()}),
    ),
)
def zero_spread(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The largest error of each rule at ρ = 0, at (n, f) = (7, 1) and (11, 2); claimed to be 0."""
    for name, reason in ROBUST.items():
        worst = max(error_at_zero_spread(rule or published(n, f)[name], n, f, ctx) for n, f in ((7, 1), (11, 2)))
        what = f"largest error² of {name} at ρ = 0, n = 7 and 11"
        yield Evidence(what, worst, "=", 0, "exact", error=1e-28, covers=reason, scale=1.0, at={"rule": name})


@claim(
    "The trimmed mean is (f, κ)-robust with κ = f/(n − 2f), the least possible, attained by f zeros among ones.",
    part_of="corrected",
    controls=(
        Control("the median", "at n = 5, f = 1 it needs 1 for ⅓", {"rule": CoordinateMedian()}),
        Control("one less trimmed", "TM(f − 1) lets one far message in", {"less": 1}),
    ),
)
def trimmed_mean_kappa(ctx: Context, *, rule: Rule | None = None, less: int = 0) -> Iterable[Evidence]:
    """max (TM − ȳ)²/avg (y_i − ȳ)² over all honest multisets of {0, 1, 2, 3}, Byzantine at ±100.

    Claimed: f/(n − 2f). Then the least κ of any rule on n − f zeros and f ones; claimed: no less.
    """
    for n, f in ((3, 1), (5, 1), (6, 2), (9, 2), (9, 4)):
        kappa = Fraction(0)
        for honest in itertools.combinations_with_replacement(map(Fraction, range(4)), n - f):
            mean = sum(honest, Fraction(0)) / len(honest)
            variance = sum(((y - mean) ** 2 for y in honest), Fraction(0)) / len(honest)
            for high in range(f + 1) if variance else ():
                rows = [*honest, *[Fraction(100)] * high, *[Fraction(-100)] * (f - high)]
                output = exact_aggregate(rule or TrimmedMean(f - less), [[y] for y in rows])[0]
                kappa = max(kappa, (output - mean) ** 2 / variance)
        yield Evidence(
            f"κ over honest multisets of {{0, 1, 2, 3}}, n = {n}, f = {f}",
            kappa,
            "=",
            Fraction(f, n - 2 * f),
            "exact",
            covers="monotone in each Byzantine value, then variance between the groups (trimmed_mean.md)",
            at={"n": n, "f": f, "rule": "TrimmedMean"},
        )
        honest = [Fraction(1)] * f + [Fraction(0)] * (n - 2 * f)
        mean = sum(honest, Fraction(0)) / len(honest)
        variance = sum(((y - mean) ** 2 for y in honest), Fraction(0)) / len(honest)
        yield Evidence(
            f"least κ of any rule that returns 0 for {n - f} zeros and {f} ones, n = {n}, f = {f}",
            mean**2 / variance,
            ">=",
            Fraction(f, n - 2 * f),
            "exact",
            covers="the n − f zeros may be the honest ones, without spread, so that every robust rule returns 0",
            at={"n": n, "f": f},
        )


@claim(
    "The trimmed mean satisfies Definition C with c = ((g − 1)/g)/(2(1 − 2δ)), g = n − f, for every f < n/2.",
    part_of="corrected",
    controls=(
        Control("the median", "at small δ it needs c ~ n", {"rule": CoordinateMedian()}),
        Control("half the constant", "distributions on two values need more", {"factor": 0.5}),
    ),
)
def trimmed_mean_c(ctx: Context, *, rule: Rule | None = None, factor: float = 1.0) -> Iterable[Evidence]:
    """The c that TM is seen to need on laws on two values, beside ((g − 1)/g)/(2(1 − 2δ))."""
    for n, f in ((3, 1), (5, 2), (9, 2), (25, 1), (25, 5), (25, 11), (101, 20), (101, 45)):
        bound = factor * (n - f - 1) / (n - f) * population_floor(f / n)
        c = search_c(error_table(rule or TrimmedMean(f), n, f, ctx.backend), f / n)[0]
        yield Evidence(
            f"c needed at n = {n}, f = {f}",
            c,
            "<=",
            bound,
            "exact",
            error=1e-9 * bound,  # not of c, which is infinite for a rule that errs at zero spread
            covers="κ = f/(n − 2f) and E avg‖x_i − x̄‖² ≤ (ρ²/2)(g − 1)/g",
            resolution=1e-6,
            at={"n": n, "f": f, "rule": "TrimmedMean"},
        )


def plane_ratio(rule: Rule, n: int, f: int, points: np.ndarray, weights: np.ndarray, ctx: Context) -> np.ndarray:
    """E‖AGG − x̄‖²/(δρ²) of iid honest laws on three points of the plane: (s, 3, 2), (s, 3) → (s,).

    All outcomes are enumerated; for each the adversary has the best of a dozen choices: all f messages at one of the
    three points, at a mirror image of the outcome's mean in one of them, or far out along one of them on either side.
    """
    g = n - f
    counts = np.array([(i, j, g - i - j) for i in range(g + 1) for j in range(g + 1 - i)])
    ways = np.array([math.comb(g, i) * math.comb(g - i, j) for i, j, _ in counts], dtype=np.float64)
    honest = points[:, np.array([np.repeat(np.arange(3), c) for c in counts])]  # (s, outcomes, g, 2)
    mean = np.mean(honest, axis=-2)
    at = np.broadcast_to(points[:, None, :, :], (*mean.shape[:2], 3, 2))
    away = at - mean[:, :, None, :]
    choices = np.concatenate(
        [at, mean[:, :, None] - away, mean[:, :, None] + 1e4 * away, mean[:, :, None] - 1e4 * away], axis=2
    )
    messages = np.concatenate(
        [
            np.broadcast_to(honest[:, :, None], (*choices.shape[:3], g, 2)),
            np.broadcast_to(choices[..., None, :], (*choices.shape[:3], f, 2)),
        ],
        axis=-2,
    )
    output = to_numpy(rule.aggregate(ctx.asarray(messages)))
    error = np.max(np.sum((output - mean[:, :, None]) ** 2, axis=-1), axis=-1)
    probability = ways * np.prod(weights[:, None, :] ** counts, axis=-1)
    between = np.sum((points[:, :, None] - points[:, None, :]) ** 2, axis=-1)
    rho_sq = np.einsum("si,sij,sj->s", weights, between, weights)
    expected = np.sum(probability * error, axis=-1)
    return np.divide(expected, rho_sq * f / n, out=np.zeros_like(expected), where=rho_sq > 1e-12)


def search_plane(rule: Rule, n: int, f: int, ctx: Context) -> float:
    """The largest `plane_ratio` that differential evolution finds, re-evaluated at the winner."""
    from scipy.optimize import differential_evolution

    from sims.engine.streams import Streams

    def unpack(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points = np.concatenate([np.zeros((z.shape[0], 1, 2)), z[:, :4].reshape(-1, 2, 2)], axis=1)
        return points, np.exp(z[:, 4:7]) / np.sum(np.exp(z[:, 4:7]), axis=1, keepdims=True)

    result = differential_evolution(
        lambda z: -plane_ratio(rule, n, f, *unpack(z.T), ctx),
        bounds=[(-1.0, 1.0)] * 4 + [(-4.0, 4.0)] * 3,
        maxiter=ctx.scaled(16),
        popsize=5,
        tol=0.0,
        polish=False,
        vectorized=True,
        updating="deferred",
        rng=Streams(*ctx.stream(f"plane/n={n}/f={f}")).generator(0),
    )
    return float(plane_ratio(rule, n, f, *unpack(result.x[None, :]), ctx)[0])


def sampled_c(rule: Rule, n: int, f: int, ctx: Context) -> Iterable[tuple[str, float, float]]:
    """(attack, c, half-width) for honest messages iid ±1 in each of 20 coordinates, under ALIE and IPM."""
    from sims.attacks import ALittleIsEnough, InnerProductManipulation, View
    from sims.engine.streams import Streams

    dim, runs = 20, ctx.scaled(4000)
    uniform = Streams(*ctx.stream(f"cube/n={n}/f={f}")).generator(0).random((runs, n, dim))
    signs = np.where(uniform < 0.5, -1.0, 1.0)
    honest, own = signs[:, : n - f], signs[:, n - f :]
    for attack in (ALittleIsEnough(z=1.5), InnerProductManipulation(epsilon=20.0)):  # at ε = 1 TM would be exact
        origin = np.zeros((runs, dim))
        view = View(honest, own, honest, own, x=origin, last_aggregate=origin, aggregate=rule.aggregate, t=1)
        sent = attack(view)[0]
        output = to_numpy(rule.aggregate(ctx.asarray(np.concatenate([honest, sent], axis=1))))
        error = np.sum((output - np.mean(honest, axis=1)) ** 2, axis=-1)
        mean, half = bounded_mean(np.minimum(error, 4 * dim), 0.0, 4.0 * dim, ctx.alpha)
        scale = f / n * 2 * dim  # δρ², ρ² = E‖x_i − x_j‖² = 2 for each coordinate
        yield type(attack).__name__, mean / scale, half / scale


@claim(
    "A search over distributions on three points of the plane, and samples in 20 dimensions under ALIE and IPM, find "
    "no larger c.",
    controls=(Control("Multi-Krum", "the same search finds more than that for it", {"rule": MultiKrum(1)}),),
)
def trimmed_mean_beyond(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The c that TM is seen to need beyond laws on two values of the line, beside ((g − 1)/g)/(2(1 − 2δ))."""
    for n, f in ((5, 1), (7, 1), (7, 2)):
        bound = (n - f - 1) / (n - f) * population_floor(f / n)
        c = search_plane(rule or TrimmedMean(f), n, f, ctx)
        what = f"c by search over three points of the plane, n = {n}, f = {f}"
        yield Evidence(what, c, "<=", bound, "searched", at={"n": n, "f": f, "d": 2})
    n, f = 25, 5
    bound = (n - f - 1) / (n - f) * population_floor(f / n)
    for attack, c, half in sampled_c(rule or TrimmedMean(f), n, f, ctx):
        what = f"c sampled under {attack}, 20 coordinates, n = {n}, f = {f}"
        at = {"n": n, "f": f, "d": 20, "attack": attack}
        yield Evidence(what, c, "<=", bound, "sampled", half, at=at)


def picture(ctx: Context) -> dict[str, Any]:
    """c and κ against f at n = 25 for every rule, with both floors, and the median's c at a larger n."""
    n = 25
    data: dict[str, Any] = {"n": n, "f": [], "finite_floor": [], "population_floor": [], "kappa_floor": []}
    rules: dict[str, dict[str, list[float | None]]] = {
        name: {"c": [], "kappa": []} for name in (*ROBUST, "CenteredClipping")
    }
    for f in range(1, 12):
        data["f"].append(f)
        data["finite_floor"].append(finite_floor(n, f))
        data["population_floor"].append(population_floor(f / n))
        data["kappa_floor"].append(f / (n - 2 * f))
        found = published(n, f)
        for name in ROBUST:
            constants = needed(found[name], n, f, ctx.backend) if name in found else None
            rules[name]["c"].append(constants.c if constants else None)
            rules[name]["kappa"].append(constants.kappa if constants else None)
        rules["CenteredClipping"]["c"].append(search_c_of_clipping(n, f, paper_radius, ctx.backend)[0])
        rules["CenteredClipping"]["kappa"].append(None)
    data["rules"] = rules
    larger, few = 101, (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 35, 40, 44)
    data["larger_n"] = {
        "n": larger,
        "delta": [f / larger for f in few],
        "CoordinateMedian": [needed(CoordinateMedian(), larger, f, ctx.backend).c for f in few],
    }
    return data
