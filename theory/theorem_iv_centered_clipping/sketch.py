"""The proof sketch of Theorem IV: clip to the known radius ρ of the good vectors and average.

Its error is at most 4δ²ρ², four times what it says, and that is attained; the proof is in `sketch.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import combinations_with_replacement

from sims.aggregators import CenteredClipping
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from theory.claim import Context, Control, claim


def largest_error(
    ctx: Context, *, claimed: Callable[[Fraction], Fraction], centred: bool = False, least: int = 3
) -> Iterable[Evidence]:
    """The proof sketch's rule, clip to radius ρ around 0 and average, at its worst over honest values in [−ρ, ρ].

    error²/ρ² beside the claim, all honest multisets of {−1, −½, 0, ½, 1} (`centred`: of mean 0), Byzantine far out.
    """
    for n, f in ((3, 1), (5, 1), (5, 2), (8, 1)):
        if n * Fraction(1, least) < f:
            continue
        delta, worst = Fraction(f, n), Fraction(0)
        for honest in combinations_with_replacement([Fraction(k, 2) for k in range(-2, 3)], n - f):
            mean = sum(honest, Fraction(0)) / len(honest)
            if centred and mean:
                continue
            for side in (-100, 100):
                rows = [[x] for x in (*honest, *[Fraction(side)] * f)]
                output = exact_aggregate(CenteredClipping(Fraction(1)), rows)[0]
                worst = max(worst, (output - mean) ** 2)
        yield Evidence(
            f"largest error²/ρ² of clipping to radius ρ and averaging, n = {n}, f = {f}",
            worst,
            "<=",
            claimed(delta),
            "exact",
            at={"n": n, "f": f},
            covers="the error is δ(b̄ − x̄), b̄ and x̄ both of norm ≤ ρ, in every dimension",
        )


@claim(
    "Clipping to a known radius ρ around 0 and averaging errs by at most δ²ρ².",
    point=11,
    controls=(
        Control("x̄ = 0", "then only the bad vectors count", {"centred": True}, expect="survives"),
        Control("4δ²ρ²", "two points of the ball are at most 2ρ apart", {"claimed": lambda d: 4 * d * d}, "survives"),
    ),
)
def sketch(
    ctx: Context, *, claimed: Callable[[Fraction], Fraction] = lambda d: d * d, centred: bool = False
) -> Iterable[Evidence]:
    """The largest error²/ρ² beside δ², as the sketch says."""
    yield from largest_error(ctx, claimed=claimed, centred=centred)


@claim(
    "Clipping to a known radius ρ around 0 and averaging errs by at most 4δ²ρ², which is attained.",
    point=11,
    controls=(
        Control("3.9δ²ρ²", "good vectors at ρ, bad ones at −ρ", {"claimed": lambda d: Fraction(39, 10) * d * d}),
    ),
)
def sketch_corrected(
    ctx: Context, *, claimed: Callable[[Fraction], Fraction] = lambda d: 4 * d * d
) -> Iterable[Evidence]:
    """The largest error²/ρ² beside 4δ²."""
    yield from largest_error(ctx, claimed=claimed)


@claim(
    "Beyond the theorem's δ ≤ 0.15 too, for every δ < ½, that error is below δρ², what Definition C asks for.",
    point=11,
    controls=(Control("δ ≤ ¼", "4δ² ≤ δ", {"least": 4}, expect="survives"),),
)
def sketch_small(ctx: Context, *, least: int = 2) -> Iterable[Evidence]:
    """The largest error²/ρ² beside δ, δ ≤ 1/`least`."""
    yield from largest_error(ctx, claimed=lambda d: d, least=least)
