"""Compiled aggregation of large messages on the CPU; the rules in `sims.aggregators` are its reference.

A rule hands messages to a kernel when `pays` says so: float32 or float64 in the host's memory (NumPy, or torch on the
CPU, without a copy), and enough numbers per run that compiling is worth while. That depends on one run's shape alone,
so that a run's numbers do not depend on its batch. Everything else takes the array-API path, and within `reference()`
all does. What is computed coordinate by coordinate agrees with the reference bit for bit; sums over coordinates
(distances, norms) are added in another order, always in float64.
"""

from sims.kernels.dispatch import enabled, pays, reference
from sims.kernels.entry import (
    centered_clipping,
    coordinate_median,
    distances_and_ranks,
    mean,
    mean_around_median,
    mean_around_trimmed_mean,
    mean_from_first,
    nearest,
    squares_to,
    trimmed_mean,
    weiszfeld_steps,
)

__all__ = [
    "centered_clipping",
    "coordinate_median",
    "distances_and_ranks",
    "enabled",
    "mean",
    "mean_around_median",
    "mean_around_trimmed_mean",
    "mean_from_first",
    "nearest",
    "pays",
    "reference",
    "squares_to",
    "trimmed_mean",
    "weiszfeld_steps",
]
