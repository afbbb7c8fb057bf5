"""Whole rules in one compiled call, for messages so few that a call costs as much as its arithmetic.

Each function takes messages as `few` gives them and returns the aggregate, or None where the reference has to make it;
of several runs, those that it has to make are NaN. The kernels are in `sims.kernels.cpu.few`, each compiled once for
all n, f and d. What they have in common with the reference to the bit waits until some calls make it worth while to
import the compiler: a script that asks once has its answer sooner.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sims.backend import Array
from sims.kernels.dispatch import MOST_WORKERS, SMALLEST, enabled
from sims.kernels.in_rounds import Step
from sims.kernels.networks import selection_network
from sims.owned import read_only

OTHERWISE = ("clip", "weiszfeld")  # added up in another order than the reference does: these do not wait
PATIENCE = 20  # calls of few numbers that the reference answers first: importing numba takes as long as a thousand
TENSORS = "tensors"  # among what was asked for
MANY = 2**12  # numbers that count as one call more
# Numbers of a run up to which one call is no slower than the kernels for many, which have a network for every n and
# less to do for a pair of messages.
LARGEST = {"mean": 2**20, "reduce": SMALLEST, "krum": SMALLEST, "shortest": 2**20, "clip": 2**20, "weiszfeld": 2**20}
MOST = max(LARGEST.values())
PAIRS = 2**22  # coordinates of all ordered pairs up to which the same holds of rules that compare all
# what one thread takes for each number, in nanoseconds, from the caches; of Krum also for each other message
COST = {"mean": 0.06, "reduce": 0.8, "krum": 0.07, "shortest": 0.2, "clip": 0.4, "weiszfeld": 0.4}


def few(x: Array) -> np.ndarray | None:
    """Messages (..., n, d) as the kernels here take them, without a copy where they lie so; None if these do not apply.

    That depends on one run's shape, on the dtype and on where the messages are, and not on how they lie in memory. A
    tensor that torch writes down, or that is nowhere in memory, gives None.
    """
    if type(x) is np.ndarray:
        values = x
    else:
        values = on_host(x)
        if values is not None:  # torch adds up in another order than the kernels do, so that these do not wait
            _asked[TENSORS] = 1
    if values is None or values.dtype.char not in "fd" or not values.dtype.isnative or values.ndim < 2:
        return None
    *_, n, d = values.shape
    if not 0 < n * d < MOST or n > MOST_WORKERS or not values.size or not enabled():
        return None
    return values if values.flags.c_contiguous and values.flags.aligned else np.array(values, order="C")


def on_host(x: Any) -> np.ndarray | None:
    """The memory of a tensor on the CPU as an array; None if torch writes down what happens to it, and of all else."""
    torch = sys.modules.get("torch")
    if torch is None or type(x) is not torch.Tensor or x.requires_grad or not x.is_cpu:
        return None
    try:
        return x.numpy()
    except (RuntimeError, TypeError):  # within `torch.func`, of a kind that NumPy has not, or with a sign to turn
        return None


def like(y: np.ndarray, x: Array) -> Array:
    """An aggregate in the library of the messages x that `few` took."""
    return y if type(x) is np.ndarray else sys.modules["torch"].from_numpy(y)


def mean(x: np.ndarray) -> np.ndarray | None:
    """The arithmetic mean, (..., d)."""
    return _each(x, "mean", 1)


def coordinate_median(x: np.ndarray) -> np.ndarray | None:
    """The median of each coordinate, (..., d)."""
    n = x.shape[-2]
    return _ordered(x, Step.MEDIAN, 0, (n - 1) // 2, n // 2 + 1)


def trimmed_mean(x: np.ndarray, f: int) -> np.ndarray | None:
    """The mean of each coordinate without its f smallest and f largest values, (..., d)."""
    n = x.shape[-2]
    return _ordered(x, Step.TRIMMED_MEAN, f, f, n - f)


def mean_around_median(x: np.ndarray, f: int) -> np.ndarray | None:
    """The mean of the n − f values of each coordinate nearest to its median, (..., d)."""
    return _ordered(x, Step.AROUND_MEDIAN, f, 0, x.shape[-2])


def mean_around_trimmed_mean(x: np.ndarray, f: int) -> np.ndarray | None:
    """The mean of the n − f values of each coordinate nearest to its trimmed mean, (..., d)."""
    return _ordered(x, Step.AROUND_TRIMMED_MEAN, f, 0, x.shape[-2])


def nearest(x: np.ndarray, neighbours: int, count: int) -> np.ndarray | None:
    """The mean of the `count` messages with the least sums over their nearest others, the first of them first."""
    network = _network(x.shape[-2], 0, neighbours)
    return _each(x, "krum", x.shape[-2], network, neighbours, count)


def shortest(x: np.ndarray, about: int, count: int) -> np.ndarray | None:
    """The mean of the `count` messages nearest to that of worker `about`, or, if that is −1, to the origin."""
    return _each(x, "shortest", 1, about, count)


def centered_clipping(x: np.ndarray, centre: Any, radii: Sequence[Any]) -> np.ndarray | None:
    """Clipped averages around the centre (..., d), None for the origin, one for each τ: a number or (...)."""
    d, number = x.shape[-1], x.dtype.char
    if (taus := _parameters(radii, x.shape[:-2])) is None:
        return None
    if centre is None:
        return _each(x, "clip", len(radii), _nothing(d, number), taus)
    around = centre if type(centre) is np.ndarray else on_host(centre)
    if around is None or around.dtype != x.dtype or around.shape != (*x.shape[:-2], d):
        return None
    return _each(x, "clip", len(radii), np.ascontiguousarray(around).reshape(-1, d), taus)


def weiszfeld_steps(x: np.ndarray, nu: Any, steps: int) -> np.ndarray | None:
    """Smoothed Weiszfeld steps from the origin with ν, a number or (...)."""
    if (nus := _parameters((nu,) * steps, x.shape[:-2])) is None:
        return None
    return _each(x, "weiszfeld", steps, nus)


def _ordered(x: np.ndarray, step: Step, f: int, first: int, last: int) -> np.ndarray | None:
    """A step that needs the order statistics first, …, last − 1 of each coordinate."""
    return _each(x, "reduce", 1, _network(x.shape[-2], first, last), step.value, f)


def _each(x: np.ndarray, name: str, times: int, *arguments: Any) -> np.ndarray | None:
    """A kernel on every run, which works on each number so many times."""
    kernel = _kernel(name, x)
    if kernel is None:
        return None
    n, d = x.shape[-2:]
    found = np.empty((*x.shape[:-2], d), x.dtype)
    rows, out = (x, found[None]) if x.ndim == 2 else (x.reshape(-1, d), found.reshape(-1, d))
    done = kernel(rows, n, out, *_few().team(COST[name] * times * x.size / 1000), *arguments)
    return found if done or x.ndim > 2 else None


@functools.cache
def _few() -> Any:
    """`sims.kernels.cpu.few`, whose import is that of numba."""
    return importlib.import_module("sims.kernels.cpu.few")


def _kernel(name: str, x: np.ndarray) -> Callable[..., bool] | None:
    """A kernel for messages of this dtype, loaded or compiled when that is worth while; None before, and for many."""
    n, d = x.shape[-2:]
    if n * d >= LARGEST[name] and not (name == "krum" and n * n * d < PAIRS):
        return None
    kernel = _loaded.get((name, x.dtype.char))
    if kernel is None:
        _asked[name] += 1 + x.size // MANY
        if _asked[name] > PATIENCE or name in OTHERWISE or TENSORS in _asked:
            kernel = load(name, x.dtype.char)
    return kernel


def names() -> list[tuple[str, str]]:
    """Every kernel by its name and dtype, as `load` takes them."""
    return [(name, number) for name in _few().KERNELS for number in "fd"]


def load(name: str, number: str) -> Callable[..., bool]:
    """Load a kernel, or compile it, now."""
    kernel = _loaded[name, number] = _few().kernel(name, number)
    return kernel


_loaded: dict[tuple[str, str], Callable[..., bool]] = {}
_asked: Counter[str] = Counter()


@functools.lru_cache(maxsize=1024)
def _network(n: int, first: int, last: int) -> np.ndarray:
    """The comparators that bring the order statistics first, …, last − 1 of n numbers to their places, (m, 2)."""
    found = [(c.low, c.high) for c in selection_network(n, range(first, last))]
    return read_only(np.array(found, dtype=np.int64).reshape(-1, 2))


@functools.lru_cache(maxsize=64)
def _nothing(d: int, number: str) -> np.ndarray:
    return read_only(np.zeros((1, d), number))


def _parameters(values: Sequence[Any], runs: tuple[int, ...]) -> np.ndarray | None:
    """A rule's parameters for all steps as (1, steps), or (runs, steps) if one of them is an array; None of torch's."""
    if all(isinstance(value, int | float) for value in values):
        return _numbers(tuple(values))
    if not all(isinstance(value, int | float | np.ndarray) for value in values):
        return None
    each = [np.broadcast_to(np.asarray(value, np.float64), runs).reshape(-1) for value in values]
    return np.stack(each, axis=1)


@functools.lru_cache(maxsize=256)
def _numbers(values: tuple[float, ...]) -> np.ndarray:
    return read_only(np.array(values, dtype=np.float64)[None])
