"""The kernels as functions of messages (..., n, d) of any array library for which `pays` holds.

Each is in a module of `sims.kernels.cpu`, and in the one of the same name in `sims.kernels.cuda` under its own name.
What they import, numba first of all, takes half a second; so it is imported when a kernel is first called.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from array_api_compat import is_cupy_array

from sims.backend import Array, host, namespace, to_numpy
from sims.kernels.dispatch import like, recorded, runs_of

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def _kept_in(stem: str) -> Callable[[Kernel], Kernel]:
    """The kernel, or its namesake in a module of `sims.kernels.cuda` if the messages, its first argument, are there."""

    def decorate(kernel: Kernel) -> Kernel:
        @functools.wraps(kernel)
        def run(x: Array, *arguments: Any) -> Any:
            if not is_cupy_array(x):
                return kernel(x, *arguments)
            there = importlib.import_module(f"sims.kernels.cuda.{stem}")
            return getattr(there, kernel.__name__)(x, *arguments)

        return run  # pyright: ignore[reportReturnType] (the same signature)

    return decorate


@_kept_in("columns")
def mean(x: Array) -> Array:
    """The arithmetic mean, (..., d)."""
    from sims.kernels.cpu import columns

    return like(columns.mean(runs_of(x)), x)


@_kept_in("columns")
def coordinate_median(x: Array) -> Array:
    """The median of each coordinate, (..., d)."""
    from sims.kernels.cpu import columns

    return like(columns.coordinate_median(runs_of(x)), x)


@_kept_in("columns")
def trimmed_mean(x: Array, f: int) -> Array:
    """The mean of each coordinate without its f smallest and f largest values, (..., d)."""
    from sims.kernels.cpu import columns

    return like(columns.trimmed_mean(runs_of(x), f), x)


@_kept_in("columns")
def mean_from_first(x: Array, chosen: Array) -> Array:
    """The mean of the messages at `chosen` (..., m): the first of them plus the mean difference from it, (..., d)."""
    from sims.kernels.cpu import columns

    return like(columns.mean_from_first(runs_of(x), _runs(chosen, 1)), x)


@_kept_in("columns")
def mean_around_median(x: Array, chosen: Array, less: int) -> Array:
    """Of the messages at `chosen` (..., m), the mean of the m − `less` values nearest to the median, (..., d)."""
    from sims.kernels.cpu import columns

    return like(columns.mean_around_median(runs_of(x), _runs(chosen, 1), less), x)


@_kept_in("columns")
def mean_around_trimmed_mean(x: Array, f: int) -> Array:
    """The mean of the n − f values of each coordinate nearest to its trimmed mean, (..., d)."""
    from sims.kernels.cpu import columns

    return like(columns.mean_around_trimmed_mean(runs_of(x), f), x)


@_kept_in("distances")
def distances_and_ranks(x: Array) -> tuple[Array, Array, Array]:
    """Squared distances (..., n, n) in float64, who is alive (..., n), lexicographic ranks (..., n).

    A message with a NaN or an infinity is not alive: its distances mean nothing, and its rank is that of zero. Squares
    may overflow or vanish: `sims.aggregators.distances` looks whether that matters.
    """
    from sims.kernels.cpu import distances

    messages, (*leading, n, _) = runs_of(x), x.shape
    runs = len(messages)
    sq, alive, ranks = np.empty((runs, n, n)), np.empty((runs, n), dtype=bool), np.empty((runs, n), dtype=np.int64)
    for r, run in enumerate(messages):
        sq[r], alive[r] = distances.sq_distances(run)
        ranks[r] = distances.lexicographic_ranks(run, alive[r])
    xp = namespace(x)
    return tuple(xp.asarray(part.reshape(*leading, *part.shape[1:])) for part in (sq, alive, ranks))


def nearest(x: Array, neighbours: int) -> Array | None:
    """Krum's choice, (..., d), where float32 tells it for certain; None where `distances_and_ranks` have to."""
    if is_cupy_array(x):
        return None
    from sims.kernels.cpu import products

    messages = runs_of(x)
    found = np.empty((len(messages), messages.shape[-1]), messages.dtype)
    for run, message in zip(messages, found, strict=True):
        index = products.index_of_nearest(run, neighbours)
        if index is None:  # a run's choice is the same message, whichever way it was told
            return None
        message[:] = run[index]
    return like(found, x)


@_kept_in("clipping")
def squares_to(x: Array, centre: Array | None) -> Array:
    """Squared distances to the centre (..., d), None for the origin, in float64, (..., n).

    Of a message that is not finite NaN or infinite. Squares may overflow or vanish: the caller looks.
    """
    from sims.kernels.cpu import clipping

    messages = runs_of(x)
    runs, _, d = messages.shape
    origin = np.broadcast_to(messages.dtype.type(0), (runs, d))
    found = clipping.squares_to(messages, origin if centre is None else to_numpy(centre).reshape(runs, d))
    return namespace(x).asarray(found.reshape(x.shape[:-1]))


@_kept_in("clipping")
def centered_clipping(x: Array, centre: Array, radii: Sequence[Any]) -> Array | None:
    """Clipped averages around the centre (..., d), one for each τ, in x's dtype; None if the reference has to do it."""
    from sims.kernels.cpu import clipping

    if recorded(centre, *radii):
        return None
    shape = (*x.shape[:-2], x.shape[-1])
    start = np.broadcast_to(to_numpy(centre), shape)
    taus = [_parameter(tau, x) for tau in radii]
    found = clipping.centered_clipping(runs_of(x), start.reshape(-1, x.shape[-1]), taus)
    return None if found is None else like(found, x)


@_kept_in("clipping")
def weiszfeld_steps(x: Array, nu: Any, steps: int) -> Array | None:
    """Smoothed Weiszfeld steps from the origin, in x's dtype; None if the reference has to do it."""
    from sims.kernels.cpu import clipping

    if recorded(nu):
        return None
    found = clipping.weiszfeld_steps(runs_of(x), _parameter(nu, x), steps)
    return None if found is None else like(found, x)


def _parameter(value: Any, x: Array) -> np.ndarray:
    """A rule's parameter, one float64 per run, not rounded: rules around a centre compute in float64."""
    numbers = host(value, np.float64)
    return np.broadcast_to(numbers, tuple(x.shape[:-2])).reshape(-1)


def _runs(index: Array, axes: int) -> np.ndarray:
    array = to_numpy(index)
    return array.reshape(-1, *array.shape[array.ndim - axes :])
