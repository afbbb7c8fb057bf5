"""Aggregation rules: messages (..., n, d) in, one vector (..., d) out."""

from typing import TYPE_CHECKING, Any

from sims.aggregators.bucketing import Bucketing
from sims.aggregators.bulyan import Bulyan
from sims.aggregators.caf import CAF
from sims.aggregators.centered_clipping import CenteredClipping
from sims.aggregators.cge import CGE
from sims.aggregators.clipping import ARC, Clipping
from sims.aggregators.coordinate_median import CoordinateMedian
from sims.aggregators.geometric_median import GeometricMedian
from sims.aggregators.krum import Krum, MultiKrum
from sims.aggregators.mda import MDA
from sims.aggregators.meamed import Meamed
from sims.aggregators.mean import Mean
from sims.aggregators.monna import MoNNA
from sims.aggregators.nearest_neighbour_mixing import NearestNeighbourMixing
from sims.aggregators.phocas import Phocas
from sims.aggregators.pre_aggregation import PreAggregation
from sims.aggregators.rfa import RFA
from sims.aggregators.rule import FunctionRule, Promises, Rule, StatelessRule, as_rule
from sims.aggregators.smea import SMEA
from sims.aggregators.trimmed_mean import TrimmedMean
from sims.packages import class_in

__all__ = [
    "ARC",
    "CAF",
    "CGE",
    "MDA",
    "RFA",
    "SMEA",
    "Bucketing",
    "Bulyan",
    "CenteredClipping",
    "Clipping",
    "CoordinateMedian",
    "FunctionRule",
    "GeometricMedian",
    "Krum",
    "Meamed",
    "Mean",
    "MoNNA",
    "MultiKrum",
    "NearestNeighbourMixing",
    "Phocas",
    "PreAggregation",
    "Promises",
    "Rule",
    "StatelessRule",
    "TrimmedMean",
    "as_rule",
]

if not TYPE_CHECKING:  # for a checker of types only what is listed is there

    def __getattr__(name: str) -> Any:
        """A class that a file of this package defines and that is not listed above."""
        return class_in(__name__, name)
