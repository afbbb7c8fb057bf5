"""ByzFL's aggregators, pre-aggregators and attacks, computed here: `import sims.adapters.byzfl_api as byzfl`.

Names, arguments, defaults and results are those of ByzFL 0.0.11: vectors are a list of NumPy arrays, a list of torch
tensors, or one array or tensor of them all; tensors are computed in float32, as there. Whole numbers become float64.
What is returned shares no memory with what is given, and nothing is written into that, which ByzFL's Clipping and ARC
do. Where results differ from ByzFL's by more than rounding, the class says so; in two things they all do:

- a message with NaN or an infinity is an attack (`sims.aggregators.Rule`), where ByzFL often returns NaN or, as Krum
  there, that message;
- equal distances are decided by value, where ByzFL's `argpartition` and `topk` take whom they come upon. Equal scores
  in Krum and MultiKrum are decided for the first, as there: over one neighbour two are always equal.

Whatever draws does so from NumPy's or torch's global generators, as there, so that a script's seeds mean the same.
What ByzFL has for training (Client, Server, run_benchmark, …) is not here: `byzcheck` reads its configurations.
"""

from __future__ import annotations

from typing import Any

from sims.adapters.byzfl_api.aggregators import (
    CAF,
    MDA,
    SMEA,
    Average,
    CenteredClipping,
    GeometricMedian,
    Krum,
    Meamed,
    Median,
    MoNNA,
    MultiKrum,
    TrMean,
)
from sims.adapters.byzfl_api.attacks import (
    ALittleIsEnough,
    Gaussian,
    Inf,
    InnerProductManipulation,
    LabelFlipping,
    Mimic,
    Optimal_ALittleIsEnough,
    Optimal_InnerProductManipulation,
    SignFlipping,
)
from sims.adapters.byzfl_api.preaggregators import ARC, NNM, Bucketing, Clipping
from sims.adapters.byzfl_api.robust_aggregator import RobustAggregator

__all__ = [
    "ARC",
    "CAF",
    "MDA",
    "NNM",
    "SMEA",
    "ALittleIsEnough",
    "Average",
    "Bucketing",
    "CenteredClipping",
    "Clipping",
    "Gaussian",
    "GeometricMedian",
    "Inf",
    "InnerProductManipulation",
    "Krum",
    "LabelFlipping",
    "Meamed",
    "Median",
    "Mimic",
    "MoNNA",
    "MultiKrum",
    "Optimal_ALittleIsEnough",
    "Optimal_InnerProductManipulation",
    "RobustAggregator",
    "SignFlipping",
    "TrMean",
]
FOR_TRAINING = ("BenchmarkConfig", "ByzantineClient", "Client", "DataDistributor", "ModelBaseInterface", "Server")
FOR_TRAINING += ("run_benchmark", "test_accuracy_curve", "loss_heatmap", "test_heatmap", "aggregated_test_heatmap")


def __getattr__(name: str) -> Any:
    """The error for what ByzFL has and this has not."""
    why = ": ByzFL's training is not here; `byzcheck` reads its configurations" if name in FOR_TRAINING else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{why}")
