"""Claims: Krum, certified from both sides, and what of its bounds and the medians' is published."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from sims.aggregators import Krum
from sims.checks.evidence import Evidence
from theory.beyond_exact_constants import formulas
from theory.beyond_exact_constants.krum import certified, ratio
from theory.beyond_exact_constants.search import search
from theory.claim import Context, Control, claim

KRUM = ((5, 1, 1), (7, 2, 2), (7, 1, 2), (7, 0, 2), (11, 4, 4), (25, 1, 1), (25, 11, 11))
VARIANTS = {"paper": 2, "byzfl": 1}  # neighbours are n − F − this many


@claim(
    "Krum's κ* in every dimension, with n − F − 2 or n − F − 1 neighbours, is a semidefinite programme of four groups: "
    "4.17 at (n, f) = (5, 1), 7.98 at (7, 2), 22.9 at (25, 11).",
    part_of="corrected",
    controls=(
        Control("on the line", "without the simplexes it needs less", {"flat": True}),
        Control("one neighbour more", "it needs less then", {"more": 1}),
    ),
)
def krum_certified(ctx: Context, *, flat: bool = False, more: int = 0) -> Iterable[Evidence]:
    """The exact ratio of Krum on rational messages, beside what multipliers prove in rationals; claimed: 10⁻⁵ below."""
    for n, f, F in KRUM:
        for variant, other in VARIANTS.items():
            found = certified(n, f, n - F - other)
            if found is None:
                raise ValueError(f"no certificate at n = {n}, f = {f}, F = {F}, {variant}")
            rows = [row[:3] for row in found.rows] if flat else found.rows
            yield Evidence(
                f"ratio of Krum ({variant}), told {F}, n = {n}, f = {f}",
                ratio(rows, found.honest, n - F - other + more),
                ">=",
                found.upper * (1 - Fraction(1, 10**5)),
                "exact",
                covers="given its neighbours all is linear in the Gram matrix, so that it may be made symmetric",
                at={"n": n, "f": f, "F": F, "rule": "Krum", "variant": variant},
            )


@claim(
    "A search over places, sizes and simplexes finds no message on which Krum needs more than is certified.",
    controls=(Control("the other published score", "its bound is too small", {"bound": "byzfl"}),),
)
def krum_searched(ctx: Context, *, bound: str = "paper") -> Iterable[Evidence]:
    """What the search finds; claimed: no more than certified."""
    for n, f in ((5, 1), (7, 2), (11, 2)):
        found = certified(n, f, n - f - VARIANTS[bound])
        assert found is not None
        value = search(Krum(f), n, f, seed=ctx.seed, budget=ctx.scaled(24000)).value
        at = {"n": n, "f": f, "rule": "Krum"}
        yield Evidence(f"κ of Krum by search, n = {n}, f = {f}", value, "<=", found.upper, "searched", at=at)


@claim(
    "The published κ of Krum, 6(1 + a), and of the medians, 4(1 + a)², a = f/(n − 2f), are true of these rules, and "
    "1.2 to 15 times what they need at n = 25.",
    part_of="corrected",
    controls=(Control("half of it", "Krum needs more for many attackers", {"factor": Fraction(1, 2)}),),
)
def published_bounds(ctx: Context, *, factor: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """κ* beside the table of Allouah et al. 2023 (arXiv 2302.01772); claimed: no more."""
    for n, f in ((25, 1), (25, 5), (25, 11)):
        krum = certified(n, f, n - f - 2)
        assert krum is not None
        values = {
            "Krum": krum.upper,
            "CoordinateMedian": formulas.coordinate_median(n, f),
            "GeometricMedian": formulas.geometric_median(n, f),
        }
        for name, value in values.items():
            claimed = formulas.published(name, n, f)
            assert claimed is not None
            yield Evidence(
                f"κ* of {name}, n = {n}, f = {f}",
                value,
                "<=",
                factor * claimed,
                "proved",
                covers="proved by formula or certificate at this n and f",
                at={"n": n, "f": f, "rule": name},
            )
