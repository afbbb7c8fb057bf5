"""Messages (n, d) of what models are trained with: lists of gradients, or state dicts, one from each worker."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from array_api_compat import is_array_api_obj

from sims import checked
from sims.backend import Array, namespace

Model = Any  # a sequence of arrays or tensors, or a mapping of names to them
COUNTERS = "what a rule must not take for coordinates, as BatchNorm's counters, is left out by skip"


def flat(models: Sequence[Model], skip: Collection[Any] = ()) -> tuple[Array, Callable[[Array], Model]]:
    """Messages (n, d) of n models, and the way back: `x, back = flat(models)`, `back(rule.aggregate(x))`.

    A model is a sequence of arrays or tensors (the gradients of `model.parameters()`), or a mapping of names to them (a
    state dict); its entries are laid one after the other, in the first one's order. `back(y)`, y of shape (d,), gives a
    list or a dict of the same names, shapes and dtypes. Entries of more than one dtype meet in the one that holds all.
    What is in `skip` (names, or positions in a sequence) is neither laid out nor given back: a state dict without it is
    loaded with `strict=False`.

    Raises `ValueError` that names worker and entry where models differ in their names, shapes or libraries, where an
    entry is missing (a gradient that is None), and where it holds no real floating-point numbers: a rule would take
    counters for coordinates.

    >>> import numpy as np
    >>> x, back = flat([{"w": np.ones((1, 2)), "b": np.zeros(1)}, {"w": np.ones((1, 2)), "b": np.ones(1)}])
    >>> x.shape, back(x.mean(axis=0))
    ((2, 3), {'w': array([[1., 1.]]), 'b': array([0.5])})
    """
    if isinstance(models, Mapping) or not isinstance(models, Sequence) or not models:
        raise ValueError(f"flat needs a list of models, one of each worker, got models = {checked.told(models)}")
    read = [_entries(k, model, skip) for k, model in enumerate(models)]
    first = read[0]
    if unknown := [name for name in skip if name not in (models[0] if _named(models[0]) else range(len(models[0])))]:
        raise ValueError(f"flat needs names or positions of entries in skip, got {', '.join(map(repr, unknown))}")
    if not first:
        raise ValueError("flat needs at least one entry in a model, got none")
    for k, entries in enumerate(read):
        _same(k, entries, first)
    xp = namespace(*first.values())
    kind = xp.result_type(*(entry.dtype for entry in first.values()))
    rows = [
        xp.concat([xp.astype(xp.reshape(entries[name], (-1,)), kind, copy=False) for name in first]) for entries in read
    ]
    by_name, shapes = _named(models[0]), {name: tuple(entry.shape) for name, entry in first.items()}
    dtypes = {name: entry.dtype for name, entry in first.items()}
    d = sum(math.prod(shape) for shape in shapes.values())

    def back(y: Array) -> Model:
        got = getattr(y, "shape", checked.told(y))
        if not is_array_api_obj(y) or namespace(y) is not xp or tuple(got) != (d,):
            raise ValueError(f"back needs an array of {xp.__name__} of shape ({d},), got {type(y).__name__} of {got}")
        found, at = {}, 0
        for name, shape in shapes.items():
            size = math.prod(shape)
            part = xp.asarray(y[at : at + size], copy=True)  # pyright: ignore[reportIndexIssue] (an array it is)
            found[name], at = xp.astype(xp.reshape(part, shape), dtypes[name], copy=False), at + size
        return found if by_name else list(found.values())

    return xp.stack(rows), back


def _named(model: Model) -> bool:
    """Whether its entries have names."""
    return isinstance(model, Mapping)


def _entries(k: int, model: Model, skip: Collection[Any]) -> dict[Any, Array]:
    """The entries of worker k's model by name or position."""
    if _named(model):
        found = dict(model)
    elif isinstance(model, Sequence) and not isinstance(model, str):
        found = dict(enumerate(model))
    else:
        raise ValueError(f"flat needs sequences or mappings of arrays, got {checked.told(model)} of worker {k}")
    found = {name: entry for name, entry in found.items() if name not in skip}
    for name, entry in found.items():
        kind = getattr(entry, "dtype", None)
        if not is_array_api_obj(entry):
            raise ValueError(f"flat needs an array for each entry, got {checked.told(entry)} as {name!r} of worker {k}")
        if not namespace(entry).isdtype(kind, "real floating"):
            raise ValueError(
                f"flat needs real floating-point numbers, got {kind} as {name!r} of worker {k}; {COUNTERS}"
            )
    return found


def _same(k: int, entries: Mapping[Any, Array], first: Mapping[Any, Array]) -> None:
    """Raise unless worker k has the entries of the first, in names, shapes and libraries."""
    if entries.keys() != first.keys():
        odd = sorted(map(repr, entries.keys() ^ first.keys()))
        raise ValueError(f"flat needs the same entries of all workers, got {', '.join(odd)} of 0 or of {k} alone")
    for name, entry in entries.items():
        if tuple(entry.shape) != tuple(first[name].shape):
            shapes = f"{tuple(first[name].shape)} of worker 0 and {tuple(entry.shape)} of worker {k}"
            raise ValueError(f"flat needs entries of the same shape, got {name!r} as {shapes}")
        if namespace(entry) is not namespace(first[name]):
            raise ValueError(f"flat needs arrays of one library, got {name!r} of worker {k} of another")
