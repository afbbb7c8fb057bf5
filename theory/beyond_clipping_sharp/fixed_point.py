"""Claims: where clipping comes to rest, on every path, and the radius that is best (`fixed_point.md`)."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import numpy as np

from sims.aggregators import CenteredClipping
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.checks.polynomials import Quotient, nonnegative, quotients, vanishes
from sims.engine.streams import Streams
from theory.beyond_clipping_sharp.rest import bound, mean_and_variance, resting_place
from theory.claim import Context, Control, claim

Bound = Callable[[Fraction, Fraction, Fraction], Fraction]
COVERS = "all messages, dimensions and radii: the three inequalities of fixed_point.md"
SIZES = ((3, 1), (5, 1), (6, 2), (7, 3))
RADII = (Fraction(1, 3), Fraction(1), Fraction(2))


@claim(
    "What clipping cuts off in one direction is at most a quadratic: the identities of the proof.",
    part_of="corrected",
    controls=(
        Control("(N − τ − 2w)² at c = 1", "the square is another one", {"at_one": 2}),
        Control("w = u + 2(1 − β)τ", "then the square of u does not cancel", {"width": 2}),
    ),
)
def cut_off(ctx: Context, *, at_one: int = 1, width: int = 1) -> Iterable[Evidence]:
    """What is left of the identities of steps 2 and 3."""
    N, tau, w = quotients("N tau w")

    def difference(c: int) -> Quotient:
        return N**2 - 2 * (tau - w) * N * c + (tau - w) ** 2 - 4 * w * (N - tau) * c

    yield vanishes(
        "the difference of the two sides at c = 1 and −1 (step 2)",
        difference(1) - (N - tau - at_one * w) ** 2,
        difference(-1) - (N + tau - w) ** 2 - 4 * w * (N - tau),
    )
    u, beta, tau, V, c, D = quotients("u beta tau V c D")
    w = u + width * (1 - beta) * tau
    yield vanishes(
        "D − τ + w = 2u, and what follows (step 3)",
        (u + beta * tau) - tau + w - 2 * u,
        4 * w * u - (2 * u) ** 2 - 4 * (1 - beta) * tau * u,
    )
    yield vanishes("avg‖y − (τ − w)e‖² (step 3)", (V + D**2) - 2 * c * D + c**2 - V - (D - c) ** 2)


def largest_share(n: int, f: int, tau: Fraction, push: int, of: Bound) -> Fraction:
    """The largest (v − x̄)/bound over good messages of {0, 1, 2, 3}."""
    found = Fraction(0)
    for values in itertools.combinations_with_replacement(range(4), n - f):
        rows = [Fraction(value) for value in values]
        mean, variance = mean_and_variance(rows)
        found = max(found, (resting_place(Counter(rows), push, tau) - mean) / of(Fraction(f, n - f), tau, variance))
    return found


def share_in_space(messages: np.ndarray, f: int, tau: float, steps: int) -> float:
    """‖v − x̄‖/bound after some steps on messages (n, d), with β' for how far the last one moved (step 4)."""
    n = len(messages)
    good = messages[: n - f]
    mean = np.mean(good, axis=0)
    v, rule = mean, CenteredClipping(tau)
    for _ in range(steps):
        v, _ = rule(messages, v)
    moved = float(np.linalg.norm(rule(messages, v)[0] - v)) / tau
    share = (f / n + moved) / (1 - f / n)
    if share >= 1:
        return 0.0
    variance = float(np.mean(np.sum((good - mean) ** 2, axis=1)))
    return float(np.linalg.norm(v - mean)) / (share * tau + variance / (4 * (1 - share) * tau))


@claim(
    "‖v_∞ − x̄‖ ≤ βτ + V/(4(1 − β)τ), β = f/(n − f), for all messages and every v_0.",
    part_of="corrected",
    controls=(
        Control("a ninth for a quarter", "two values attain the quarter", {"of": lambda b, t, V: b * t + V / (9 * t)}),
        Control("one more attacker", "β counts them", {"more": 1}),
        Control("δτ for βτ", "good messages at one point end at βτ", {"of": lambda b, t, V: b * t / (1 + b) + V / t}),
    ),
)
def on_every_path(ctx: Context, *, of: Bound = bound, more: int = 0) -> Iterable[Evidence]:
    """The largest ‖v − x̄‖/bound over all good messages of {0, …, 3}, bad ones far out; claimed: ≤ 1."""
    for n, f in SIZES:
        if f + more < n - f:
            yield Evidence(
                f"largest (v_∞ − x̄)/bound, good messages of {{0, …, 3}}, τ of {{⅓, 1, 2}}, n = {n}, f = {f}",
                max(largest_share(n, f, tau, f + more, of) for tau in RADII),
                "<=",
                Fraction(1),
                "exact",
                covers=COVERS,
                at={"n": n, "f": f},
            )


@claim(
    "In the plane and in space no more is found, far messages at any angle, after 1 to 30 steps.",
    controls=(Control("three quarters of the bound", "nearly all of it is found", {"of_bound": 0.75}),),
)
def in_space(ctx: Context, *, of_bound: float = 1.0) -> Iterable[Evidence]:
    """The largest ‖v − x̄‖/bound over random messages; claimed: ≤ 1."""
    rng = Streams(*ctx.stream("space")).generator(0)
    found = 0.0
    for _ in range(max(32, ctx.scaled(128))):
        n, d = int(rng.integers(3, 10)), int(rng.integers(2, 4))
        f = int(rng.integers(1, (n + 1) // 2))
        messages = rng.normal(size=(n, d)) * np.exp(rng.normal(size=(n, 1)))
        away = messages[0] - messages[n - f - 1]
        messages[n - f :] = 1e3 * (away + 0.3 * rng.normal(size=d))
        tau, steps = float(np.exp(rng.normal())), (1, 5, 30)[int(rng.integers(3))]
        found = max(found, share_in_space(messages, f, tau, steps))
    yield Evidence("largest ‖v − x̄‖/bound, random messages in 2 and 3 dimensions", found, "<=", of_bound, "searched")


def two_values(n: int, f: int, k: int, tau: Fraction) -> tuple[list[Fraction], Fraction]:
    """k good messages at −H, the others at 0, and the v_∞ of step 6."""
    beta, p = Fraction(f, n - f), Fraction(k, n - f)
    return [-2 * (1 - beta) * tau / (1 - p)] * k + [Fraction(0)] * (n - f - k), (beta - p) * tau / (1 - p)


@claim(
    "It is attained by good messages on two values, p of them on one, 2p ≤ 1 + β.",
    part_of="corrected",
    controls=(
        Control("a quarter more", "the bound is attained, and no more is", {"times": Fraction(5, 4)}),
        Control("attackers on the other side", "they push where the few good ones are", {"side": -1}),
    ),
)
def attained(ctx: Context, *, times: Fraction = Fraction(1), side: int = 1) -> Iterable[Evidence]:
    """Two steps of the rule from v_∞ of step 6, and the distance of what they return; claimed: the bound."""
    tau = Fraction(2)
    for n, f, k in ((3, 1, 1), (5, 2, 2), (20, 3, 8), (41, 20, 20)):
        rows, v = two_values(n, f, k, tau)
        for _ in range(2):
            messages: Sequence[Fraction] = [*rows, *[v + side * 100 * tau] * f]
            v = exact_aggregate(CenteredClipping(tau), [[x] for x in messages], [v])[0]
        mean, variance = mean_and_variance(rows)
        yield Evidence(
            f"v_∞ − x̄, {k} of {n - f} good messages at −H, n = {n}, f = {f}",
            v - mean,
            "=",
            times * bound(Fraction(f, n - f), tau, variance),
            "exact",
            covers="the messages are given for all n, f and k (fixed_point.md)",
            at={"n": n, "f": f, "k": k},
        )


@claim(
    "With τ² = V/(4β(1 − β)) that is ‖v_∞ − x̄‖² ≤ fV/(n − 2f), the least of any rule, even of one that knows V; with s "
    "times this radius ¼(s + 1/s)² times as much.",
    part_of="corrected",
    controls=(
        Control("2(1 − β)τ below V", "the two terms are then not equal", {"four": 2}),
        Control("the best radius for all", "another one errs more", {"others": Fraction(1)}),
    ),
)
def best_radius(ctx: Context, *, four: int = 4, others: Fraction | None = None) -> Iterable[Evidence]:
    """The identities of steps 5 and 6, then v_∞ on two values at s times the best radius; claimed: the factor."""
    beta, tau, V, p, s, best = quotients("beta tau V p s best")
    first, second = beta * tau, V / (four * (1 - beta) * tau)
    yield vanishes(
        "the difference of the squares (step 5)",
        (first + second) ** 2 - beta * V / (1 - beta) - (first - second) ** 2,
    )
    V_at = 4 * beta * (1 - beta) * best**2
    yield vanishes(
        "the square at s times the best radius (step 5)",
        (beta * s * best + V_at / (4 * (1 - beta) * s * best)) ** 2 - beta / (1 - beta) * V_at * (s + 1 / s) ** 2 / 4,
    )
    yield vanishes(
        "V of f messages at 1 and the others at 0, and what every rule errs by that knows V (step 5)",
        (beta * (1 - beta) ** 2 + (1 - beta) * beta**2) - beta * (1 - beta),
        beta**2 - beta / (1 - beta) * (beta * (1 - beta)),
    )
    v, H = (beta - p) * tau / (1 - p), 2 * (1 - beta) * tau / (1 - p)
    yield vanishes(
        "where two values rest, and how far from the mean (step 6)",
        (1 - p) * v + p * tau - beta * tau,
        v + p * H - first - H**2 * p * (1 - p) / (4 * (1 - beta) * tau),
    )
    y, z = quotients("y z")
    beta = y / (1 + y)
    p = (1 + beta) / 2 * z / (1 + z)
    yield nonnegative(
        "τ ± v_∞ and v_∞ + H − τ, times (1 − p)/τ (step 6)",
        (1 - p) + (beta - p),
        (1 - p) - (beta - p),
        (beta - p) + 2 * (1 - beta) - (1 - p),
    )
    for n, f, k in ((5, 1, 1), (20, 3, 8), (41, 20, 5)):
        tau = Fraction(1)
        rows, _ = two_values(n, f, k, tau)
        mean, variance = mean_and_variance(rows)
        share = Fraction(f, n - f)
        s_sq = 4 * share * (1 - share) * tau**2 / variance
        yield Evidence(
            f"(v_∞ − x̄)²(n − 2f)/(fV) at s² = {s_sq}, n = {n}, f = {f}",
            (resting_place(Counter(rows), f, tau) - mean) ** 2 * (1 - share) / (share * variance),
            "=",
            (s_sq + 2 + 1 / s_sq) / 4 if others is None else others,
            "exact",
            covers=COVERS,
            at={"n": n, "f": f, "k": k},
        )
