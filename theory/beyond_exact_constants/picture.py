"""What the figure of the exact constants draws."""

from __future__ import annotations

from typing import Any

from sims.aggregators import Krum, MultiKrum, NearestNeighbourMixing, TrimmedMean
from theory.beyond_exact_constants import formulas
from theory.beyond_exact_constants.proved import Known, proved
from theory.claim import Context

N = 25


def _sides(known: Known | None) -> tuple[float | None, float | None]:
    return (None, None) if known is None or known.upper is None else (float(known.lower), float(known.upper))


def picture(ctx: Context) -> dict[str, Any]:
    """κ* against f at n = 25, each rule told f; then against what is declared, F ≥ f = 2."""
    fs = list(range(1, 12))
    data: dict[str, Any] = {
        "n": N,
        "f": fs,
        "least": [formulas.least(N, f, f) for f in fs],
        "rules": {},
        "published": {},
    }
    exact = {
        "CoordinateMedian": formulas.coordinate_median,
        "MDA": formulas.minimum_diameter,
        "SMEA": formulas.minimum_variance,
    }
    for name, formula in exact.items():
        data["rules"][name] = [float(formula(N, f)) for f in fs]
    data["rules"]["Krum"] = [_sides(proved(Krum(f), N, f))[1] for f in fs]
    data["rules"]["MultiKrum"] = [_sides(proved(MultiKrum(f), N, f))[1] for f in fs]
    for name in ("Krum", "GeometricMedian"):
        data["published"][name] = [formulas.published(name, N, f) for f in fs]
    few, told = 2, list(range(2, 12))
    data["over"] = {
        "f": few,
        "F": told,
        "TrimmedMean": [formulas.trimmed_mean(N, few, F) for F in told],
        "CoordinateMedian": [formulas.coordinate_median(N, few)] * len(told),
        "Krum": [_sides(proved(Krum(F), N, few))[1] for F in told],
        "NearestNeighbourMixing": [_sides(proved(NearestNeighbourMixing(TrimmedMean(F), F), N, few))[0] for F in told],
    }
    return data
