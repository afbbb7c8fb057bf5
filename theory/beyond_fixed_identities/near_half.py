"""Near δ = ½: there averages are not best, and medians of each worker's own history reach the lower bound's order.

The trimmed mean of averages errs by κσ²/(2μT) for some rate of rare gradients, κ = δ/(1 − 2δ). The median over workers
of each worker's median over k blocks of rounds errs by 9kσ²/(2μT), k ≈ 2.2·log(2(1 + κ)). The proof is in
`near_half.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import comb

from flint import arb
from flint import ctx as ctx_of_flint

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.tails import fractions, interval


def blocks(kappa: int, times: int) -> int:
    """The least k with (2√(p(1 − p)))^k < 1/(2(1 + κ)), p = 1/times².

    >>> blocks(1000, 3)
    17
    """
    p = Fraction(1, times**2)
    square, k = 4 * p * (1 - p), 1
    while square**k * (2 * (1 + kappa)) ** 2 >= 1:
        k += 1
    return k


def off(k: int, times: int) -> Fraction:
    """P(Bin(k, 1/times²) ≥ k/2): at least half of the blocks are off by more than `times` standard deviations."""
    p = Fraction(1, times**2)
    return sum((comb(k, j) * p**j * (1 - p) ** (k - j) for j in range((k + 1) // 2, k + 1)), Fraction(0))


def error_of_averages(kappa: int) -> arb:
    """κ²·log(1 + 1/κ): the trimmed mean's error·2μT/σ² at least, n → ∞, a rare gradient from a share of 1/(1 + κ)."""
    return kappa**2 * (interval(Fraction(kappa + 1, kappa))).log()


@claim(
    "As n → ∞ some distribution makes the trimmed mean of averages err by (κ − ½)σ²/(2μT); the median of each worker's "
    "median of block averages errs by 23·log(1 + κ)σ²/(2μT) at most, for κ ≥ 1000, d = 1 and T a multiple of the "
    "blocks.",
    part_of="corrected",
    controls=(
        Control("blocks off by 2 standard deviations", "that takes more of them", {"times": 2}),
        Control("half the blocks", "then too many workers are off", {"share": 2}),
    ),
)
def near_half(ctx: Context, *, times: int = 3, share: int = 1) -> Iterable[Evidence]:
    """The error of averages beside κ − ½; k by exact tails; times²·k over log(1 + κ), claimed: ≤ 23."""
    for kappa in (10**3, 10**6):
        at = {"kappa": kappa}
        k = blocks(kappa, times) // share
        with ctx_of_flint.workprec(128):
            averages = fractions(error_of_averages(kappa))[0]
            order = fractions(times**2 * k / interval(1 + kappa).log())[1]
        link = "log(1 + u) ≥ u − u²/2 (near_half.md, step 1)"
        what = f"error·2μT/σ² of the trimmed mean of averages, κ = {kappa}"
        yield Evidence(what, averages, ">=", kappa - Fraction(1, 2), "proved", covers=link, at=at)
        what = f"chance that a worker's median of {k} blocks is off, over (½ − δ)/(1 − δ), κ = {kappa}"
        link = "Chernoff's bound (near_half.md, step 2)"
        yield Evidence(what, off(k, times) * 2 * (1 + kappa), "<=", 1, "exact", covers=link, at=at)
        what = f"error·2μT/σ² of medians over log(1 + κ), κ = {kappa}"
        link = "it falls with κ up to roundings of k (near_half.md, step 4)"
        yield Evidence(what, order, "<=", 23, "proved", covers=link, at=at)
