"""The record of a simulation."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from sims.backend import installed
from sims.engine.axis import RUN
from sims.engine.describe import describe, key


@dataclass(frozen=True, eq=False, repr=False)
class Record:
    """What `simulate` measured at k times, run by run; NumPy arrays with the axes (time, *grid, runs).

    `times` (k,) starts with 0 and ends with the last round. `measures` has what the oracle measures of x_t, by name;
    for a `Problem` these are `excess`, f(x_t) − f*, `sq_gradient_norms`, ‖∇f(x_t)‖², and `sq_distances`, ‖x_t − x*‖².
    `sq_aggregate_errors` (k − 1, *grid, runs) is ‖aggregate − mean honest message‖² of the rounds times[1:]. `x`
    (*grid, runs, d) is the last iterate. `observed` has what observers noted, by name, the mean over the rounds since
    the time before, for the times[1:]. `configuration` holds every parameter as plain JSON; `dims` and `coords` name
    the axes, `table` and `to_xarray` hand everything over by these names. Raises `ValueError` for a measure that has
    the name of another of these.
    """

    times: np.ndarray
    measures: Mapping[str, np.ndarray]
    sq_aggregate_errors: np.ndarray
    x: np.ndarray
    configuration: dict[str, Any]
    observed: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = {one.name for one in fields(self)} | {*self.dims, "versions", "coordinate"}
        if taken := [name for name in self.measures if name in names]:
            raise ValueError(f"a record has something else under the name of the measure {taken[0]!r}")
        if taken := [name for name in self.observed if name in names | self.measures.keys()]:
            raise ValueError(f"a record has something else under the name of what was observed, {taken[0]!r}")

    def __repr__(self) -> str:
        axes = ", ".join(f"{name}: {len(values)}" for name, values in self.coords.items())
        return f"Record({axes}; {', '.join([*self.measures, 'sq_aggregate_errors', *self.observed, 'x'])})"

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

    @property
    def dims(self) -> tuple[str, ...]:
        """The names of the axes of a measure: "time", the grid's, and "run", or "seed" where each run has its own."""
        given = [name for name, _ in self.configuration["axes"] if name != RUN]
        grid = given or [f"grid_{k}" for k in range(len(self.configuration["grid"]))]
        return ("time", *grid, "seed" if isinstance(self.configuration["seed"], list) else RUN)

    @property
    def coords(self) -> dict[str, np.ndarray]:
        """The coordinates along each axis: times, values of parameters, numbers of runs, or seeds."""
        c = self.configuration
        runs = c["seed"] if isinstance(c["seed"], list) else c["first_run"] + np.arange(c["runs"])
        numbers = {f"grid_{k}": range(length) for k, length in enumerate(c["grid"])}
        values = {name: coordinates for name, coordinates in c["axes"] if name != RUN} or numbers
        plain = {name: [_number(one) for one in coordinates] for name, coordinates in values.items()}
        return {name: np.asarray(v) for name, v in zip(self.dims, (self.times, *plain.values(), runs), strict=True)}

    def table(self) -> dict[str, np.ndarray]:
        """A row for each time, experiment and run: columns of equal length, by name.

        The columns are the axes, the measures, `sq_aggregate_errors` and what was observed (NaN at t = 0). One line
        makes it a frame: `pandas.DataFrame(record.table())`, the same for polars, `pyarrow.table(record.table())` for
        duckdb.
        """
        shape = (len(self.times), *self.x.shape[:-1])
        along = np.meshgrid(*self.coords.values(), indexing="ij")
        axes = {name: values.ravel() for name, values in zip(self.dims, along, strict=True)}
        return axes | {name: values.reshape(shape).ravel() for name, values in self.everywhere().items()}

    def to_xarray(self) -> Any:
        """The measures and `x` as an `xarray.Dataset` along `dims`; `ImportError` without xarray."""
        try:
            xarray = importlib.import_module("xarray")
        except ImportError as error:
            raise ImportError("to_xarray needs xarray: pip install xarray") from error
        data = {name: (self.dims, values) for name, values in self.everywhere().items()}
        return xarray.Dataset({**data, "x": ((*self.dims[1:], "coordinate"), self.x)}, coords=self.coords)

    def everywhere(self) -> dict[str, np.ndarray]:
        """The measures, and errors and what was observed with NaN at t = 0, all (k, *grid, runs), by name."""
        none = np.full((1, *self.sq_aggregate_errors.shape[1:]), np.nan)
        later = {"sq_aggregate_errors": self.sq_aggregate_errors, **self.observed}
        return {**self.measures, **{name: np.concatenate([none, values]) for name, values in later.items()}}

    def key(self) -> str:
        """32 hexadecimal digits, the `Experiment.key` of what was run; `ValueError` where that is one."""
        return key(self.configuration)

    def as_dict(self) -> dict[str, Any]:
        """Everything, and the versions of what computed it, as plain JSON; an infinity or NaN becomes {"float": …}."""
        arrays = {"times": self.times, **self.measures, "sq_aggregate_errors": self.sq_aggregate_errors, "x": self.x}
        arrays |= self.observed
        plain = {name: describe(array.tolist()) for name, array in arrays.items()}
        return {"configuration": self.configuration, "versions": installed(("byzcheck", "numpy")), **plain}


def _number(described: Any) -> Any:
    return float(described["float"]) if isinstance(described, dict) else described
