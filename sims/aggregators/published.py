"""The published rules as they are set for n workers, f of them declared Byzantine."""

from __future__ import annotations

from collections.abc import Callable

from sims.aggregators.bulyan import Bulyan
from sims.aggregators.coordinate_median import CoordinateMedian
from sims.aggregators.geometric_median import GeometricMedian
from sims.aggregators.krum import Krum, MultiKrum
from sims.aggregators.mean import Mean
from sims.aggregators.rfa import RFA
from sims.aggregators.rule import Rule
from sims.aggregators.trimmed_mean import TrimmedMean

MAKERS: dict[str, Callable[[int], Rule]] = {
    "Mean": lambda f: Mean(),
    "CoordinateMedian": lambda f: CoordinateMedian(),
    "GeometricMedian": lambda f: GeometricMedian(),
    "RFA": lambda f: RFA(),
    "Krum": Krum,
    "MultiKrum": MultiKrum,
    "TrimmedMean": TrimmedMean,
    "Bulyan": Bulyan,
}


def published(n: int, f: int) -> dict[str, Rule]:
    """The rules without a radius that are defined for (n, f), by name; `CenteredClipping` needs a τ and is not among
    them.

    >>> list(published(5, 1))
    ['Mean', 'CoordinateMedian', 'GeometricMedian', 'RFA', 'Krum', 'MultiKrum', 'TrimmedMean']
    """
    rules = {}
    for name, make in MAKERS.items():
        rule = make(f)
        try:
            rule.require(n)
        except ValueError:
            continue
        rules[name] = rule
    return rules
