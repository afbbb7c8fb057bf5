"""The record of a simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.engine.describe import describe, key


@dataclass(frozen=True, eq=False)
class Record:
    """What `simulate` measured at k times, run by run; NumPy arrays with the axes (time, *grid, runs).

    `times` (k,) starts with 0 and ends with the last round. `excess` is f(x_t) − f*, `sq_gradient_norms` ‖∇f(x_t)‖²,
    `sq_distances` ‖x_t − x*‖². `sq_aggregate_errors` (k − 1, *grid, runs) is ‖aggregate − mean honest message‖² of
    the rounds times[1:]. `x` (*grid, runs, d) is the last iterate. `configuration` holds every parameter as plain
    JSON.
    """

    times: np.ndarray
    excess: np.ndarray
    sq_gradient_norms: np.ndarray
    sq_distances: np.ndarray
    sq_aggregate_errors: np.ndarray
    x: np.ndarray
    configuration: dict[str, Any]

    def key(self) -> str:
        """32 hexadecimal digits that change with any parameter; `ValueError` if a parameter cannot be described."""
        return key(self.configuration)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain JSON; an infinity or NaN becomes {"float": "inf"}."""
        names = ("times", "excess", "sq_gradient_norms", "sq_distances", "sq_aggregate_errors", "x")
        return {"configuration": self.configuration, **{name: describe(getattr(self, name).tolist()) for name in names}}
