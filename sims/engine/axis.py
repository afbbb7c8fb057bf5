"""Parameters along named axes: many experiments written as one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from sims.checked import Bounds, told, within
from sims.optimizers.optimizer import first_value

RUN = "run"  # the axis of the runs, for parameters that differ from run to run
TAKEN = ("time", "x", "seed", "coordinate", "sq_aggregate_errors")  # names that a record has for something else
Coordinates = dict[str, tuple[Any, ...]]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Axis(NDArrayOperatorsMixin):
    """Values of a parameter along an axis with a name; put in the parameter's place, it makes an experiment for each.

    The values are numbers, (k,), or, for a parameter that is a vector, vectors, (k, d). The same axis may stand in
    several places, and arithmetic and NumPy's functions make parameters that depend on one or several axes:

    >>> beta, scale = Axis("beta", [0.0, 0.75]), Axis("scale", [1.0, 2.0, 4.0])
    >>> tau = scale * np.sqrt(1 - beta)
    >>> dict(tau.coordinates)
    {'scale': (1.0, 2.0, 4.0), 'beta': (0.0, 0.75)}

    An axis named "run" has one value for each run. Raises `ValueError` for a name that is no identifier or is taken,
    and for values that are not finite or infinite real numbers, are none, or repeat.
    """

    coordinates: Mapping[str, tuple[Any, ...]]
    values: np.ndarray

    def __init__(self, name: str, values: Any) -> None:
        _check_name(name)
        numbers = _values(name, values)
        coordinates = tuple(numbers.tolist()) if numbers.ndim == 1 else tuple(range(len(numbers)))
        if len(np.unique(numbers, axis=0)) < len(numbers) and name != RUN:
            raise ValueError(f"the axis {name!r} has a value twice: {told(values)}")
        self._become({name: coordinates}, numbers.astype(np.float64))

    @classmethod
    def numbered(cls, name: str, values: Any) -> Self:
        """An axis with the coordinates 0, …, k − 1, whose values may repeat."""
        _check_name(name)
        numbers = _values(name, values).astype(np.float64)
        return object.__new__(cls)._become({name: tuple(range(len(numbers)))}, numbers)

    def _become(self, coordinates: Coordinates, values: np.ndarray) -> Self:
        object.__setattr__(self, "coordinates", coordinates)
        object.__setattr__(self, "values", values)
        return self

    def __repr__(self) -> str:
        names = ", ".join(self.coordinates)
        return f"Axis({names}: {np.array2string(self.values, threshold=6)})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The values, by which a part checks its parameters when it is made."""
        return np.array(self.values, dtype=dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's functions value by value; axes of the same name go together, others are crossed."""
        if method != "__call__" or options or not all(isinstance(x, Axis) or np.ndim(x) == 0 for x in inputs):
            return NotImplemented
        axes = [x for x in inputs if isinstance(x, Axis)]
        coordinates = union(axes)
        own = max(axis.values.ndim - len(axis.coordinates) for axis in axes)
        arrays = [x.over(coordinates, own) if isinstance(x, Axis) else x for x in inputs]
        return object.__new__(type(self))._become(coordinates, ufunc(*arrays))

    def over(self, names: Sequence[str] | Mapping[str, Any], own: int) -> np.ndarray:
        """The values with an axis for each of `names`, of length 1 where they do not depend on it, and `own` more."""
        kept = len(self.coordinates)
        order = [name for name in names if name in self.coordinates]
        positions = [list(self.coordinates).index(name) for name in order]
        moved = self.values.transpose([*positions, *range(kept, self.values.ndim)])
        lengths = iter(moved.shape[:kept])
        leading = [next(lengths) if name in self.coordinates else 1 for name in names]
        given = moved.shape[kept:]
        return moved.reshape(*leading, *[1] * (own - len(given)), *given)


def _check_name(name: Any) -> None:
    if not (isinstance(name, str) and name.isidentifier()) or name in TAKEN:
        raise ValueError(f"an axis needs a name that is an identifier and none of {', '.join(TAKEN)}, got {told(name)}")


def _values(name: str, values: Any) -> np.ndarray:
    wanted = "real numbers as values, (k,), or vectors (k, d)"
    numbers = within(f"the axis {name!r}", "values", values, Bounds(finite=False), wanted)
    if numbers.ndim not in (1, 2) or not numbers.size:
        raise ValueError(f"the axis {name!r} needs {wanted}, got values = {told(values)}")
    return np.array(numbers)


def union(axes: Sequence[Axis]) -> Coordinates:
    """The axes of several parameters, in the order in which they occur; `ValueError` if one has two sets of values."""
    found: Coordinates = {}
    for axis in axes:
        for name, coordinates in axis.coordinates.items():
            if found.setdefault(name, coordinates) != coordinates:
                raise ValueError(f"the axis {name!r} is given with two sets of values: {found[name]} and {coordinates}")
    return found


@dataclass(frozen=True, eq=False)
class Scheduled:
    """A function of the round that returns a parameter along axes, as one that returns arrays."""

    schedule: Callable[[int], Any]
    names: tuple[str, ...]
    coordinates: Mapping[str, tuple[Any, ...]]

    def __call__(self, t: int) -> Any:
        """The parameter in round t; `ValueError` if it differs along another axis than in round 1."""
        value = first_value(self.schedule, t)
        if not isinstance(value, Axis):
            return value
        if any(self.coordinates.get(name) != along for name, along in value.coordinates.items()):
            raise ValueError(f"a schedule needs in round {t} the axes of round 1, got {told(value)}")
        return value.over(self.names, 0)


def axes_in(part: Any) -> Iterator[Axis]:
    """The axes in the parameters of a part, and in its parts."""
    for _, _, value in parameters(part):
        if isinstance(value, Axis):
            yield value
        elif callable(value) and not isinstance(value, Scheduled) and isinstance(at_first := first_value(value), Axis):
            yield at_first
    for inner in parts_of(part):
        yield from axes_in(inner)


def along(part: Any, names: tuple[str, ...]) -> Any:
    """The part with arrays in the place of axes, which have the axes `names`; itself if it has none."""
    changes: dict[str, Any] = {}
    if not dataclasses.is_dataclass(part) or isinstance(part, type):
        return part
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        changed = _along(value, names, getattr(type(part), "reals", {}).get(field.name))
        if changed is not value:
            changes[field.name] = changed
    return dataclasses.replace(part, **changes) if changes else part


def _along(value: Any, names: tuple[str, ...], own: int | None) -> Any:
    if isinstance(value, Axis):
        assert own is not None  # `parameters` refuses others
        return value.over(names, own)
    if isinstance(value, tuple | list):
        changed = tuple(_along(item, names, own) for item in value)
        return changed if any(a is not b for a, b in zip(changed, value, strict=True)) else value
    scheduled = own is not None and callable(value) and not isinstance(value, Scheduled)
    if scheduled and isinstance(first := first_value(value), Axis):
        return Scheduled(value, names, first.coordinates)
    return along(value, names) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


def parameters(part: Any) -> Iterator[tuple[str, int, Any]]:
    """The real parameters of a part: what it is called, how many axes of its own it has, its value.

    One of a tuple that has a value per step is a parameter of its own. Raises `ValueError` for an axis elsewhere.
    """
    if not dataclasses.is_dataclass(part):
        return
    reals, name = getattr(type(part), "reals", {}), type(part).__name__
    for field in dataclasses.fields(part):
        value, own = getattr(part, field.name), reals.get(field.name)
        several = isinstance(value, tuple | list) and (own == 0 and len(value) == getattr(part, "steps", None))
        for k, one in enumerate(value if several else [value]):
            if own is not None:
                yield f"{field.name}[{k}] of {name}" if several else f"{field.name} of {name}", own, one
            elif isinstance(one, Axis):
                may = f"only {', '.join(reals)} may" if reals else "it has no parameter that may"
                raise ValueError(
                    f"{field.name} of {name} cannot differ along the axis {next(iter(one.coordinates))!r}: {may}"
                )


def parts_of(part: Any) -> Iterator[Any]:
    """The parts that a part is made of: the rule and the optimizer of an algorithm, attacks that act together."""
    if dataclasses.is_dataclass(part):
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            for one in value if isinstance(value, tuple | list) else (value,):
                if dataclasses.is_dataclass(one) and not isinstance(one, type | Axis | Scheduled):
                    yield one


def check_shapes(part: Any, grid: tuple[int, ...], runs: int | None) -> None:
    """Raise a `ValueError` for a parameter whose leading axes do not broadcast over (*grid, runs).

    `runs` is None where no parameter may differ from run to run.
    """
    for name, own, value in parameters(part):
        shape = () if callable(value) else tuple(value.shape if hasattr(value, "shape") else np.shape(value))
        leading = shape[: len(shape) - own]
        lengths = (*grid, 1 if runs is None else runs)
        fitting = len(leading) <= len(lengths) and all(
            k in (1, length) for k, length in zip(leading[::-1], lengths[::-1], strict=False)
        )
        if not fitting:
            names = f"(*grid, {'1' if runs is None else 'runs'})"
            raise ValueError(
                f"{name} has the shape {shape}, and its leading axes do not broadcast over {names} = {lengths}: "
                f"write Axis(name, values) for one value an experiment, Axis({RUN!r}, values) for one value a run"
            )
    for inner in parts_of(part):
        check_shapes(inner, grid, runs)
