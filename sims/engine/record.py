"""The record of a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from sims.engine.describe import describe, key


@dataclass(frozen=True, eq=False)
class Record:
    """What `simulate` measured at k times, run by run; NumPy arrays with the axes (time, *grid, runs).

    `times` (k,) starts with 0 and ends with the last round. `measures` has what the oracle measures of x_t, by name;
    for a `Problem` these are `excess`, f(x_t) − f*, `sq_gradient_norms`, ‖∇f(x_t)‖², and `sq_distances`, ‖x_t − x*‖².
    `sq_aggregate_errors` (k − 1, *grid, runs) is ‖aggregate − mean honest message‖² of the rounds times[1:]. `x`
    (*grid, runs, d) is the last iterate. `configuration` holds every parameter as plain JSON. Raises `ValueError` for a
    measure that has the name of another of these.
    """

    times: np.ndarray
    measures: Mapping[str, np.ndarray]
    sq_aggregate_errors: np.ndarray
    x: np.ndarray
    configuration: dict[str, Any]

    def __post_init__(self) -> None:
        taken = [one.name for one in fields(self) if one.name in self.measures]
        if taken:
            raise ValueError(f"a record has something else under the name of the measure {taken[0]!r}")

    @property
    def excess(self) -> np.ndarray:
        """f(x_t) − f*, (k, *grid, runs), if the problem measures it."""
        return self._measured("excess")

    @property
    def sq_gradient_norms(self) -> np.ndarray:
        """‖∇f(x_t)‖², (k, *grid, runs), if the problem measures it."""
        return self._measured("sq_gradient_norms")

    @property
    def sq_distances(self) -> np.ndarray:
        """‖x_t − x*‖², (k, *grid, runs), if the problem measures it."""
        return self._measured("sq_distances")

    def _measured(self, name: str) -> np.ndarray:
        if name not in self.measures:
            raise AttributeError(f"no {name} was measured, only {', '.join(self.measures) or 'nothing'}")
        return self.measures[name]

    def key(self) -> str:
        """32 hexadecimal digits that change with any parameter; `ValueError` if a parameter cannot be described."""
        return key(self.configuration)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain JSON; an infinity or NaN becomes {"float": "inf"}."""
        errors = self.sq_aggregate_errors
        arrays = {"times": self.times, **self.measures, "sq_aggregate_errors": errors, "x": self.x}
        return {"configuration": self.configuration, **{name: describe(a.tolist()) for name, a in arrays.items()}}
