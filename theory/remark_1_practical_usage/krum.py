"""Krum on batch means: how its bias falls with the batch, and what it costs in variance. See `bias_of_krum.md`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np

from sims.aggregators import CoordinateMedian, Krum, Rule
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.remark_1_practical_usage.bernoulli import P

ROUNDING = 1e-9


def most_changes(n: int, f: int) -> int:
    """How often Krum's choice may change at most while one of n messages moves along the line, n ≥ 4.

    >>> most_changes(5, 1)
    140
    """
    return (n - 1) * (7 * n + 3 * f - 3)


def batch_moments(ctx: Context, rule: Rule, n: int, b: int, p: Fraction) -> tuple[float, float]:
    """Bias/σ_b and n·E(output − p)²/σ_b² of a rule on n batch means of b Bernoulli(p), over all multisets."""
    rows = np.array(list(itertools.combinations_with_replacement(range(b + 1), n)))
    law = np.array([math.comb(b, j) * float(p) ** j * (1 - float(p)) ** (b - j) for j in range(b + 1)])
    counts = np.sum(rows[:, :, None] == np.arange(b + 1), axis=1)
    factorials = np.array([math.factorial(i) for i in range(n + 1)], dtype=np.float64)
    weight = factorials[n] / np.prod(factorials[counts], axis=1) * np.prod(law[rows], axis=1)
    error = to_numpy(rule.aggregate(ctx.asarray(rows[:, :, None] / b)))[:, 0] - float(p)
    sigma_sq = float(p * (1 - p)) / b
    return float(weight @ error) / math.sqrt(sigma_sq), n * float(weight @ error**2) / sigma_sq


@claim(
    "For n ≥ 4, f ≤ (n − 3)/2 and any distribution of numbers with a third moment Krum's bias is at most n(6J√(n − 1) "
    "+ 1)(E|X − μ|³/σ³)/√b of σ_b, with J = (n − 1)(7n + 3f − 3).",
    part_of=("printed", "corrected"),
    loose="J counts every change of the choice that is possible, for every distribution",
    controls=(
        Control(
            "copies of one sample",
            "without independence a batch is one sample",
            {"independent": lambda b: 1, "sizes": (10**5,)},
        ),
    ),
)
def krum_large_batches(
    ctx: Context, *, independent: Callable[[int], int] = lambda b: b, sizes: tuple[int, ...] = (1, 2, 4, 8)
) -> Iterable[Evidence]:
    """The largest |bias|/σ_b over that bound, on Bernoulli(p); claimed: at most 1.

    `independent(b)` is how many independent samples a batch of b has.
    """
    largest, at = 0.0, {}
    for p in (Fraction(1, 4), Fraction(1, 10)):
        third = float(p**2 + (1 - p) ** 2) / math.sqrt(p * (1 - p))
        for (n, f), b in itertools.product(((4, 0), (5, 0), (5, 1)), sizes):
            m = independent(b)
            bias = abs(batch_moments(ctx, Krum(f), n, m, p)[0]) * math.sqrt(b / m)  # σ_b is that of b samples
            bound = n * (6 * most_changes(n, f) * math.sqrt(n - 1) + 1) * third / math.sqrt(b)
            if bias / bound > largest:
                largest, at = bias / bound, {"rule": "Krum", "n": n, "f": f, "b": b, "p": float(p)}
    yield Evidence(
        "largest |bias|/σ_b of Krum over its bound",
        largest,
        "<=",
        Fraction(1),
        "exact",
        ROUNDING,
        covers="one message after the other is replaced by a normal one, for every n and b (bias_of_krum.md)",
        at=at,
    )


@claim(
    "Krum's bias (n = 5, f = 1), too, falls beside σ_b: on Bernoulli(¼) by half and more from b = 4 to 16.",
    controls=(Control("from b = 1 to 4", "on so few values it does not fall", {"sizes": (1, 4)}),),
)
def krum_bias_falls(ctx: Context, *, sizes: tuple[int, int] = (4, 16)) -> Iterable[Evidence]:
    """Krum's |bias|/σ_b at b = 16 over that at b = 4, n = 5, f = 1, p = ¼; claimed: at most ½."""
    small, large = (abs(batch_moments(ctx, Krum(1), 5, b, P)[0]) for b in sizes)
    what = f"|bias|/σ_b of Krum at b = {sizes[1]} over b = {sizes[0]}, n = 5, f = 1"
    yield Evidence(
        what, large / small, "<=", 0.5, "exact", ROUNDING, at={"rule": "Krum", "n": 5, "f": 1, "b": sizes[1]}
    )


@claim(
    "With three workers a larger batch does not remove Krum's bias: of the two nearest messages it takes the smaller "
    "one. On fair coins it is above its limit, (6 − 3√3)/(2√π) = 0.2267 of σ_b (b = 16 and 64 tried).",
    controls=(Control("n = 5, f = 1", "from four workers on it falls", {"n": 5, "f": 1, "sizes": (16,)}),),
)
def krum_of_three(ctx: Context, *, n: int = 3, f: int = 0, sizes: tuple[int, ...] = (16, 64)) -> Iterable[Evidence]:
    """|bias|/σ_b of Krum with batches of fair coins; claimed: at least (6 − 3√3)/(2√π), the limit."""
    limit = (6 - 3 * math.sqrt(3)) / (2 * math.sqrt(math.pi))
    for b in sizes:
        bias = abs(batch_moments(ctx, Krum(f), n, b, Fraction(1, 2))[0])
        what = f"|bias|/σ_b of Krum, fair coins, n = {n}, b = {b}"
        yield Evidence(what, bias, ">=", limit, "exact", ROUNDING, at={"rule": "Krum", "n": n, "f": f, "b": b})


@claim(
    "On nearly Gaussian noise, batches of 16 fair coins, Krum's mean squared error (n = 5, f = 1) is more than π/2 "
    "times the mean's.",
    loose="π/2 is the median's limit, which Krum exceeds by far",
    controls=(Control("the median", "its price is at most π/2 there", {"rule": CoordinateMedian()}),),
)
def krum_is_noisy(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """n·E(Krum − ½)²/σ_b², n = 5, f = 1, batches of 16 fair coins; claimed: more than the median's limit, π/2."""
    noise = batch_moments(ctx, rule or Krum(1), 5, 16, Fraction(1, 2))[1]
    what = "n·E(output − ½)²/σ_b², n = 5, b = 16"
    yield Evidence(what, noise, ">=", math.pi / 2, "exact", ROUNDING, at={"n": 5, "f": 1, "b": 16})
