"""The median of batch means of a heavy-tailed law, in an interval of known width.

3x^{-4} on [1, ∞) has a variance but no third moment. The law of its batch means is computed on a grid, rounded down
and capped, doubling by doubling; how much that lowers the median is bounded. The proof is in `heavy_tail.md`. For a
batch of one sample Counterexample 3 has E median_n in rationals, for every n.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from sims.checks.evidence import Evidence
from theory import counterexample_3_heavy_tail as one_sample
from theory.claim import Context, Control, claim
from theory.remark_1_practical_usage.bernoulli import P, expected_median

ROUNDING = 1e-9


@functools.cache
def pareto_bias(
    levels: int = 6, cap: int = 128, cells: int = 2048, copies: bool = False
) -> list[tuple[int, float, float]]:
    """[(b, least bias/σ_b, largest)] of μ − E[median], the density 3x^{-4}, b = 1, 2, 4, …, 2^levels; n = 3.

    `copies` makes each batch b copies of one sample.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    h, size = 1 / cells, next_fast_len(2 * cap * cells + 1, real=True)
    survival = (1 + h * np.arange((cap - 1) * cells + 1)) ** -3.0
    law = np.zeros(cap * cells + 1)
    law[cells:-1], law[-1] = survival[:-1] - survival[1:], survival[-1]
    error, found = h + 3 / (2 * cap**2), []
    for level in range(levels + 1):
        below = np.minimum(np.cumsum(law), 1.0)
        at_most = below**2 * (3 - 2 * below)  # P(median of 3 ≤ x)
        low = h * float(np.sum(1 - at_most[:-1]))
        sigma, rounding = math.sqrt(0.75 / 2**level), (level + 1) * ROUNDING  # of the transforms, either way
        found.append((2**level, (1.5 - low - error - rounding) / sigma, (1.5 - low + rounding) / sigma))
        if not copies:
            spectrum = np.asarray(rfft(law, size))
            sums = np.maximum(np.asarray(irfft(spectrum**2, size)), 0.0)[: 2 * len(law) - 1]  # on 0, h, …, 2·cap
            law = sums[::2] + np.concatenate([sums[1::2], [0.0]])  # halved, rounded down
        error += h / 2  # of halving
    return found


@claim(
    "With one sample of 3x^{-4} a worker the median's bias is at least √3/10 = 0.17 of the noise, for every n ≥ 3.",
    part_of=("printed", "corrected"),
    controls=(
        Control("n = 1 included", "the median of one value has no bias", {"least": 1}),
        Control(
            "the median as the optimum", "1.35 − 2^{1/3} = 0.09 is less than 3/20", {"optimum": Fraction(126, 100)}
        ),
    ),
)
def heavy_tail_caution(ctx: Context, *, least: int = 3, optimum: Fraction = one_sample.MEAN) -> Iterable[Evidence]:
    """bias²/σ² of the median of n samples, σ² = 3/4; claimed: at least 3/100."""
    ratios = {n: (optimum - one_sample.expected_median(n)) ** 2 / Fraction(3, 4) for n in range(least, 26)}
    n = min(ratios, key=lambda m: ratios[m])
    link = "E median_n decreases in n and is below 3/2 from n = 3 on, by Counterexample 3"
    what = f"least bias²/σ² on 3x^(−4), {least} ≤ n ≤ 25, at n = {n}"
    yield Evidence(what, ratios[n], ">=", Fraction(3, 100), "exact", covers=link, at={"n": n, "b": 1})


@claim(
    "On 3x^{-4} each fourfold batch, from 1 to 64, takes at least a tenth off bias/σ_b.",
    controls=(Control("copies of one sample", "then the bias stays and σ_b would fall", {"copies": True}),),
)
def heavy_tail_falls(ctx: Context, *, copies: bool = False) -> Iterable[Evidence]:
    """bias/σ_b at batch size 4b over that at b, for b = 1, 4, 16, n = 3, 3x^{-4}; claimed: at most 9/10."""
    found = pareto_bias(copies=copies)[::2]
    for (b, low, high), (_, next_low, next_high) in itertools.pairwise(found):
        least, most = next_low / high, next_high / low
        what = f"bias/σ_b at {4 * b} over that at {b}, n = 3"
        yield Evidence(what, (least + most) / 2, "<=", 0.9, "exact", (most - least) / 2, at={"n": 3, "b": 4 * b})


@claim(
    "On 3x^{-4} bias/σ_b falls more slowly than 1/√b: √b·bias/σ_b at b = 64 is at least twice that at b = 1.",
    loose="it grows with b: 2 tells growth from a constant",
    controls=(Control("Bernoulli(¼)", "with a third moment it does not grow", {"law": "bernoulli"}),),
)
def heavy_tail_slow(ctx: Context, *, law: str = "pareto") -> Iterable[Evidence]:
    """√b·bias/σ_b at b = 64 over that at b = 1, n = 3; claimed: at least 2."""
    if law == "pareto":
        found = pareto_bias()
        (_, low, high), (_, first_low, first_high) = found[-1], found[0]
        least, most = 8 * low / first_high, 8 * high / first_low
    else:
        least = most = float(64 * (P - expected_median(3, 64)) / (P - expected_median(3, 1)))
    what = "√b·bias/σ_b at b = 64 over b = 1, n = 3"
    yield Evidence(what, (least + most) / 2, ">=", 2.0, "exact", (most - least) / 2, at={"n": 3, "b": 64})
