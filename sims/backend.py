"""The few helpers that know about array libraries.

Everything else in `sims` is written against the Python array API standard and works on NumPy, CuPy, torch and
array-api-strict arrays alike; no array library but NumPy is ever imported here on its own account.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import math
import platform
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import array_api_compat.numpy as numpy_namespace
import numpy as np
from array_api_compat import array_namespace, device, is_cupy_array, is_torch_array

Array = Any  # an array of any library that follows the array API standard
Namespace = Any

BACKENDS = ("numpy", "cupy", "torch")
HUGE = 1e150  # up to here a square overflows in no sum of ten million
# norms, none at all or from the first to the second number, and parameters from the third on, that ordinary numbers
# can do with in float64 and in float32: no quotient of two of them vanishes or overflows, and what a sum of the
# smallest loses is below a rounding of it
ORDINARY = {64: (1e-280, 1e160, 1e-140), 32: (1e-30, 1e18, 1e-18)}
MOST = 1e140  # of a ν, whose inverse is a weight
BLOCK = 2**18  # differences between rows that are held at once, as far as a row's own allow


class BackendUnavailableError(ValueError):
    """The array library that was asked for cannot run here; the message says what it needs."""


def namespace(*arrays: Array) -> Namespace:
    """The array API namespace that the arrays belong to."""
    for array in arrays:
        if type(array) is not np.ndarray:
            return array_namespace(*arrays)
    return numpy_namespace  # the common case, a million times in a run of all checks


def backend_name(backend: str | Namespace) -> str:
    """The name of a backend that is given by name or as a namespace: one for each library of `BACKENDS`.

    Any other namespace has the name of its module, by which `get_namespace` finds it again. Raises `ValueError` for a
    name that is none of these. Whether the library can run here is not asked.
    """
    if not isinstance(backend, str):
        if not isinstance(backend, ModuleType):
            kind = type(backend).__name__
            raise ValueError(f"backend must be one of {', '.join(BACKENDS)} or an array API namespace, got a {kind}")
        short = backend.__name__.removeprefix("array_api_compat.")
        return short if short in BACKENDS else backend.__name__
    if backend not in BACKENDS and not hasattr(sys.modules.get(backend), "__array_namespace_info__"):
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}")
    return backend


def get_namespace(backend: str) -> Namespace:
    """The namespace called `backend` (of `BACKENDS`), or a `BackendUnavailableError` that says what is missing.

    Another array API namespace is found by the name of its module, once that is imported.
    """
    if backend_name(backend) not in BACKENDS:
        return sys.modules[backend]
    if backend == "cupy":
        try:
            cupy = importlib.import_module("cupy")
            count = cupy.cuda.runtime.getDeviceCount()
        except ImportError as error:
            raise BackendUnavailableError(
                f"backend cupy needs CuPy >= 13, which cannot be imported here ({error}): pip install 'byzcheck[cupy]'"
            ) from error
        except Exception as error:  # CuPy raises its own type when there is no driver
            raise BackendUnavailableError(f"backend cupy needs a CUDA device: {error}") from error
        if count == 0:
            raise BackendUnavailableError("backend cupy needs a CUDA device, and CuPy sees none")
    try:
        return importlib.import_module(f"array_api_compat.{backend}")
    except ImportError as error:
        raise BackendUnavailableError(
            f"backend {backend} needs {backend}, which cannot be imported here ({error}): "
            f"pip install 'byzcheck[{backend}]'"
        ) from error


def to_numpy(x: Array) -> np.ndarray:
    """The values of `x` as a NumPy array on the host, in float32 where they are torch's bfloat16, which NumPy lacks."""
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "get"):  # CuPy refuses np.asarray, rightly: the copy is explicit
        return x.get()
    if hasattr(x, "detach"):
        host = x.detach().cpu().resolve_conj().resolve_neg()
        return (host.float() if str(host.dtype) == "torch.bfloat16" else host).numpy()
    return np.from_dlpack(x) if hasattr(x, "__dlpack__") else np.asarray(x)


def in_memory(x: Array) -> np.ndarray | None:
    """A tensor's values where the host can read them, for choices that have no derivatives; None for all else.

    NumPy takes a tenth of the time for a few numbers. Not for a tensor on a device, or within `torch.func`.
    """
    if not is_torch_array(x) or x.device.type != "cpu":
        return None
    try:
        return to_numpy(x)
    except (RuntimeError, TypeError):
        return None


def host(value: Any, dtype: Any = None) -> np.ndarray:
    """A parameter, a number or an array of any library, as a NumPy array on the host."""
    return np.asarray(to_numpy(value) if hasattr(value, "shape") else value, dtype=dtype)


def as_like(value: Any, x: Array) -> Array:
    """`value` (a number or an array of any library) with the namespace, dtype and device of `x`."""
    if type(x) is np.ndarray and isinstance(value, (int, float, np.ndarray)):
        return np.asarray(value, dtype=x.dtype)
    xp = namespace(x)
    if is_cupy_array(x):
        return value if is_cupy_array(value) and value.dtype == x.dtype else _on_device(value, x)
    if is_torch_array(value) and is_torch_array(x):
        return value.to(dtype=x.dtype, device=x.device)  # with its history, by which torch finds derivatives
    if is_torch_array(value):
        value = to_numpy(value)
    elif not isinstance(value, (int, float)) and not hasattr(value, "__array_namespace__"):
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and not isinstance(x, np.ndarray):
        if not value.size:  # an empty list does not say of which shape
            return xp.zeros(value.shape, dtype=x.dtype, device=device(x))
        value = value.tolist()
    return xp.asarray(value, dtype=x.dtype, device=device(x))


def _on_device(value: Any, x: Array) -> Array:
    """`as_like` for a CUDA device: numbers are filled in there, arrays of the host are copied there only once."""
    xp, there = namespace(x), device(x)
    if is_cupy_array(value):
        return xp.astype(value, x.dtype)
    if isinstance(value, (int, float)):
        return xp.full((), value, dtype=x.dtype, device=there)
    array = np.ascontiguousarray(host(value), dtype=x.dtype)
    name = (array.tobytes(), array.shape, array.dtype.str, str(there))
    if name not in _COPIES:
        if len(_COPIES) >= MOST_COPIES:
            _COPIES.pop(next(iter(_COPIES)))  # the oldest
        _COPIES[name] = xp.asarray(array, dtype=x.dtype, device=there)
    return _COPIES[name]


_COPIES: dict[Any, Array] = {}
MOST_COPIES = 256


def lead(parameter: Any, x: Array, trailing: int) -> Array:
    """A rule's parameter as an array that broadcasts over the leading axes of `x`.

    A parameter of shape (a, b) for messages of shape (a, b, n, d) gets `trailing` axes of length one behind it.
    """
    p = as_like(parameter, x)
    return p[(...,) + (None,) * trailing] if p.ndim else p


def sort_rows(x: Array) -> Array:
    """The workers' values of each coordinate in ascending order; a NaN counts as +∞, the worst value.

    Shape (..., n, d) in and out, sorted along the axis of the workers.
    """
    xp = namespace(x)
    worst = xp.asarray(float("inf"), dtype=x.dtype, device=device(x))
    return xp.sort(xp.where(xp.isnan(x), worst, x), axis=-2, stable=False)  # equal values are the same


def surely(condition: Array | bool) -> bool:
    """Whether a condition holds everywhere; False, too, where nobody can say, as inside of `torch.func.vmap`.

    What asks does then for every number what it otherwise does for the few of which the condition does not hold.
    """
    if condition is True:
        return True
    if type(condition) is np.ndarray:
        return bool(condition.all())
    try:
        return bool(namespace(condition).all(condition))
    except (RuntimeError, TypeError):  # torch's and JAX's, of values that are not known yet
        return False


def all_finite(x: Array) -> bool:
    """Whether surely nothing in x is infinite or NaN."""
    return surely(np.isfinite(x) if type(x) is np.ndarray else namespace(x).isfinite(x))


def widest(x: Array) -> Any:
    """The real dtype in which is computed where `x` is: float64, or float32 on a device that has no float64."""
    if type(x) is np.ndarray:
        return np.float64
    xp = namespace(x)
    return xp.float64 if _has_float64(xp, device(x)) else xp.float32


@functools.lru_cache(maxsize=64)  # torch finds it out by making an array
def _has_float64(xp: Namespace, where: Any) -> bool:
    if not hasattr(xp, "__array_namespace_info__"):
        return True
    return "float64" in xp.__array_namespace_info__().dtypes(device=where, kind="real floating")


def finite_rows(x: Array) -> tuple[Array, Array]:
    """Rows in the `widest` dtype, and which of them are finite: (..., n, d) → (..., n, d), (..., n).

    A row with a NaN or an infinity comes back as zeros and False. Messages without such rows may come back as they are,
    not as a copy.
    """
    xp, dtype = namespace(x), widest(x)
    if type(x) is np.ndarray and x.dtype == dtype and x.flags.c_contiguous and _finite(x):
        return x, np.ones(x.shape[:-1], dtype=np.bool)
    wide = xp.astype(x, dtype)
    alive = xp.all(xp.abs(wide) <= float(xp.finfo(dtype).max), axis=-1)  # False for NaN too
    return xp.where(alive[..., None], wide, xp.zeros_like(wide)), alive


def _finite(x: np.ndarray) -> bool:
    return x.size > 0 and bool(x.max() < np.inf and x.min() > -np.inf)  # False for NaN


def constant(x: Array) -> Array:
    """`x` without the history by which torch would find derivatives through it."""
    return x.detach() if hasattr(x, "detach") else x


def only(alive: Array, rows: Array) -> Array:
    """The rows (..., n, d) that are alive (..., n), and zeros in the place of the others."""
    if type(rows) is np.ndarray and alive.all():  # almost always, and on the host it costs little to look
        return rows
    xp = namespace(rows)
    return xp.where(alive[..., None], rows, xp.zeros_like(rows))


def in_rows(x: Array) -> Array:
    """`x` itself, or a copy with the numbers of a row, the last axis, side by side in memory.

    Along a row that is not, torch adds up some sums at a time and those left over in another order, so that equal rows
    have different sums; and a sum over rows is added up in another order there, by NumPy too.
    """
    if type(x) is np.ndarray:
        return x if x.strides[-1] == x.itemsize else np.ascontiguousarray(x)
    return x.contiguous() if is_torch_array(x) else x


def sum_across(x: Array) -> Array:
    """Σ_j x_j along the last axis, (..., d) → (...): of equal rows the same, and to the bit what NumPy's `sum` gives.

    NumPy goes through a short axis entry by entry for every sum; fewer than eight numbers it adds one after the other,
    and so column after column is the same and several times as fast.
    """
    if type(x) is np.ndarray and 1 < x.shape[-1] < 8:
        return functools.reduce(np.add, (x[..., j] for j in range(x.shape[-1])))
    return namespace(x).sum(x if type(x) is np.ndarray else in_rows(x), axis=-1)


def max_across(x: Array) -> Array:
    """max_j x_j along the last axis, (..., d) → (...), NaN if there is one; d ≥ 1."""
    if type(x) is np.ndarray and 1 < x.shape[-1] < 32:
        return functools.reduce(np.maximum, (x[..., j] for j in range(x.shape[-1])))
    return namespace(x).max(x, axis=-1)


def row_norms(x: Array) -> Array:
    """Euclidean norms of finite rows without overflow or underflow: (..., d) → (...), as s·‖x/s‖, s = max_j |x_j|.

    The norm does not depend on s, whose derivative may overflow.
    """
    xp = namespace(x)
    if x.shape[-1] == 0:
        return xp.zeros(x.shape[:-1], dtype=x.dtype, device=device(x))
    if x.shape[-1] == 1:
        return xp.abs(x[..., 0])
    scale = max_across(xp.abs(constant(x)))[..., None]
    unit = x / xp.where(scale > 0, scale, xp.ones_like(scale))
    return scale[..., 0] * root(sum_across(unit * unit))


def root(squares: Array) -> Array:
    """√, whose derivative at 0 is 0 and not infinite: a zero vector's norm has the subgradient 0."""
    if type(squares) is np.ndarray:
        return np.sqrt(squares)
    xp = namespace(squares)
    positive = squares > 0
    return xp.where(positive, xp.sqrt(xp.where(positive, squares, xp.ones_like(squares))), squares)


def sq_distances(x: Array) -> Array:
    """Squared distances between all pairs of rows, (..., n, d) → (..., n, n), exactly symmetric, zero diagonal.

    By differences, some rows at a time: the common offset cancels before anything is squared.
    """
    xp = namespace(x)
    if x.shape[-1] == 1 and type(x) is np.ndarray:
        return (x - xp.matrix_transpose(x)) ** 2
    x = in_rows(x)  # once, and so are the differences
    return xp.concat([sum_across((x[..., None, :] - b[..., None, :, :]) ** 2) for b in blocks(x)], axis=-1)


def blocks(x: Array) -> Iterator[Array]:
    """The rows (..., n, d) some at a time, as many as all rows' differences from them may be held at once."""
    n = x.shape[-2]
    size = max(1, BLOCK // max(1, math.prod(x.shape)))
    return (x[..., i : min(i + size, n), :] for i in range(0, n, size))


def lexicographic_ranks(x: Array) -> Array:
    """How many rows are lexicographically smaller than each row: (..., n, d) → (..., n); equal rows share a rank.

    Ties between workers are broken with it, by value and never by the worker's index.
    """
    xp = namespace(x)
    if x.shape[-1] == 0:
        return xp.zeros(x.shape[:-1], dtype=xp.int64, device=device(x))
    if (here := in_memory(x)) is not None:
        return xp.asarray(lexicographic_ranks(here), device=device(x))
    if x.shape[-1] == 1 or type(x) is np.ndarray:
        values = x[..., 0]
        ranks = xp.sum(xp.astype(values[..., None, :] < values[..., :, None], xp.int64), axis=-1)
        if x.shape[-1] > 1:  # the first coordinate decides wherever no two rows share it
            shared = np.count_nonzero(values[..., None, :] == values[..., :, None], axis=(-2, -1)) > x.shape[-2]
            if np.any(shared):
                ranks[shared] = _ranks_row_by_row(x[shared])
        return ranks
    return _ranks_row_by_row(x)


def _ranks_row_by_row(x: Array) -> Array:
    xp = namespace(x)
    ranks = []
    for i in range(x.shape[-2]):
        row = x[..., i : i + 1, :]
        first = xp.argmax(xp.astype(x != row, xp.int8), axis=-1, keepdims=True)  # first coordinate that differs
        theirs = xp.take_along_axis(x, first, axis=-1)[..., 0]
        ours = xp.take_along_axis(xp.broadcast_to(row, x.shape), first, axis=-1)[..., 0]
        ranks.append(xp.sum(xp.astype(theirs < ours, xp.int64), axis=-1))
    return xp.stack(ranks, axis=-1)


def order_by_value(scores: Array, ranks: Array) -> Array:
    """Indices that sort the workers by score, equal scores by rank: (..., n), (..., n) → (..., n).

    With `lexicographic_ranks`, workers that tie in both are the same vector, so that their order does not matter.
    """
    xp = namespace(scores)
    by_rank = xp.argsort(ranks, axis=-1, stable=True)
    by_score = xp.argsort(xp.take_along_axis(scores, by_rank, axis=-1), axis=-1, stable=True)
    return xp.take_along_axis(by_rank, by_score, axis=-1)


def farther(a: Array, v: Array, w: Array, b: Array) -> Array:
    """Whether a − v > w − b, decided without rounding; shapes broadcast.

    A difference is its rounded value plus what rounding took from it, which is a number of the same dtype (Knuth, TAOCP
    2, 4.2.2, Theorem C). Rounding is monotone: if the rounded values differ, they tell; if not, the rests do. Where
    both differences overflow, all four numbers are so large that their halves are exact, and the halves tell.
    """
    (one, less), (other, left) = _difference(a, v), _difference(w, b)
    found = (one > other) | ((one == other) & (less > left))
    if all_finite(one) or all_finite(other):
        return found
    (one, less), (other, left) = _difference(0.5 * a, 0.5 * v), _difference(0.5 * w, 0.5 * b)
    halved = (one > other) | ((one == other) & (less > left))
    xp = namespace(one)
    far = xp.isinf(a - v) & xp.isinf(w - b)
    return xp.where(far, halved, found)


def _difference(a: Array, b: Array) -> tuple[Array, Array]:
    """a − b rounded, and what rounding took from it."""
    found = a - b
    shift = found - a
    return found, (a - (found - shift)) - (b + shift)


def take_rows(x: Array, index: Array) -> Array:
    """The rows of `x` (..., n, d) at `index` (..., k), as (..., k, d)."""
    if type(x) is np.ndarray and x.ndim == 2:
        return x[index]
    xp = namespace(x)
    *leading, n, d = x.shape
    runs = math.prod(leading)
    firsts = n * xp.arange(runs, dtype=index.dtype, device=device(x))
    flat = xp.reshape(firsts, (*leading, 1)) + index
    rows = xp.take(xp.reshape(x, (runs * n, d)), xp.reshape(flat, (math.prod(flat.shape),)), axis=0)
    return xp.reshape(rows, (*index.shape, d))


def inverse(order: Array) -> Array:
    """The inverses of permutations of 0, …, n − 1: (..., n) → (..., n)."""
    if type(order) is not np.ndarray:
        return namespace(order).argsort(order, axis=-1, stable=False)
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.broadcast_to(np.arange(order.shape[-1]), order.shape), axis=-1)
    return found


def installed(packages: Sequence[str]) -> dict[str, str]:
    """The versions of Python and of some packages on which numbers depend, "not installed" where one is missing."""
    return {"python": platform.python_version(), **{package: _version(package) for package in packages}}


@functools.cache  # reading metadata takes milliseconds, and every simulation tells its versions
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
