"""Whose memory is whose: whoever is handed something of ours may do with it what he likes.

A part that somebody wrote himself is *foreign*: an instance of a class outside of `sims`, a subclass of one of ours
included, and a plain function. It is handed copies, and what it returns is copied, too: it may write into whatever it
was given, return it, keep it and write into it later, and nothing of ours changes. Our own parts are trusted to write
into nothing that they are given; they are called as they are, and nothing is copied.
"""

from __future__ import annotations

import copy
import numbers
from abc import ABCMeta
from collections.abc import Callable, Mapping
from types import EllipsisType, FunctionType, ModuleType
from typing import Any

import numpy as np
from array_api_compat import is_array_api_obj, is_cupy_array, is_torch_array

from sims.backend import Array, device, namespace
from sims.trees import PLAIN, Tree, arrays_in, is_array, map_tree

SIMS = f"{__name__.partition('.')[0]}."  # how the names of its modules begin


class PartError(ValueError):
    """A part that somebody wrote himself raised, or returned what it must not; the message names it."""


def ours(part: Any) -> bool:
    """Whether a part is of `sims` itself: an instance of one of its classes, or one of its functions.

    >>> from sims.aggregators import Mean
    >>> ours(Mean()), ours(np.median)
    (True, False)
    """
    if type(part).__module__.startswith(SIMS):
        return True
    # not by its __module__, which a decorator takes over from what it wraps
    return type(part) is FunctionType and str(part.__globals__.get("__name__")).startswith(SIMS)


def asked(kind: str, method: Callable[..., Any], *given: Any, kept: Any = None, **settings: Any) -> Any:
    """What a method of a part, or a function, returns: a foreign one gets copies, and what it returns is copied.

    `kept`, one of `given`, is handed over as it is: a stream of random numbers, which is there to be advanced.
    Whatever a foreign part raises becomes a `PartError` that names it as `kind`, but for a lack of memory, which is
    nobody's fault.
    """
    part = getattr(method, "__self__", method)
    if ours(part):
        return method(*given, **settings)
    if isinstance(part, ModuleType):  # a function that is compiled says so of its module
        part = method
    mine = [one if one is kept else copied(one) for one in given]
    try:
        return copied(method(*mine, **settings))
    except (PartError, MemoryError):
        raise
    except Exception as error:
        raise PartError(f"{called(kind, part)} raised {told(error)}") from error


def called(kind: str, part: Any) -> str:
    """What a part is called in a sentence: "the rule Krum"."""
    return f"the {kind} {getattr(part, '__name__', type(part).__name__)}"


def told(error: BaseException) -> str:
    """An exception in one line: its type and what it says.

    >>> told(KeyError("no")), told(SystemExit())
    ("KeyError: 'no'", 'SystemExit')
    """
    said = words(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def words(error: BaseException) -> str:
    """What an exception says, in one line; nothing if it cannot say it."""
    try:
        return " ".join(str(error).split())
    except Exception:  # somebody's own
        return ""


def copied(tree: Tree) -> Tree:
    """A tree that shares no memory with the given one, its arrays of the same library, type and values.

    Leaves of a class of somebody's own are copied deeply, or stay as they are where that cannot be, as functions and
    parts do.
    """
    return map_tree(copy_of, tree, _deep)


def _deep(leaf: Any) -> Any:
    if type(leaf) in PLAIN or isinstance(leaf, np.generic):
        return leaf
    if isinstance(type(leaf), ABCMeta) or ours(leaf):
        return leaf
    try:
        return copy.deepcopy(leaf)
    except Exception:  # an open file, a lock: whoever keeps one in a state shares it
        return leaf


def read_only(x: np.ndarray) -> np.ndarray:
    """`x` itself, read-only from now on: what is computed once and handed out again and again.

    >>> read_only(np.zeros(2)).flags.writeable
    False
    """
    x.flags.writeable = False
    return x


def copy_of(x: Array) -> Array:
    """An array of its own with the values of `x`, in the order in which they lie in memory; gradients flow through."""
    if isinstance(x, np.ndarray):
        return copy.deepcopy(x) if x.dtype.hasobject else np.array(x, copy=True, subok=True)
    if is_torch_array(x):
        return x.clone()
    return namespace(x).asarray(x, copy=True) if is_array_api_obj(x) else copy.deepcopy(x)


def apart(y: Array, x: Array, state: Tree = ()) -> Array:
    """`y`, which was made of `x`, if its memory is its own, no longer than it is and none of `state`; else a copy.

    A view of a larger array would keep all of that in memory as long as somebody keeps the view.

    >>> x = np.zeros((101, 1000))
    >>> apart(x[50], x).base is None
    True
    """
    return copy_of(y) if y is state or not _alone(y, x, state) else y


def _alone(y: Array, x: Array, state: Tree) -> bool:
    plain = type(state) is tuple and not state
    if type(y) is np.ndarray or is_cupy_array(y):
        if y.base is None:  # a view is never made of what it is a view of
            return plain or not _shares(y, state)
        return getattr(y.base, "nbytes", np.inf) <= y.nbytes and not _shares(y, x if plain else (x, state))
    if not is_torch_array(y):
        return False
    try:
        storage = y.untyped_storage()
        memory = {one.untyped_storage().data_ptr() for one in arrays_in((x, state)) if is_torch_array(one)}
    except (RuntimeError, NotImplementedError):  # a tensor inside a transformation has no storage
        return False
    return storage.nbytes() <= y.numel() * y.element_size() and storage.data_ptr() not in memory


def _shares(y: Array, others: Tree) -> bool:
    if type(others) is np.ndarray:
        return type(y) is np.ndarray and np.may_share_memory(y, others)
    share = namespace(y).may_share_memory
    return any(type(one) is type(y) and share(y, one) for one in arrays_in(others))


def received(
    who: str, got: Any, like: Array, shape: tuple[int | EllipsisType, ...], verb: str = "return", exact: bool = False
) -> Array:
    """An array that `who` returned, if it is what it must be; else a `PartError` that says what it is instead.

    It must have the `shape`, of which an ellipsis stands for any leading axes, and the library and device of `like`,
    and real numbers of a type that fits into that of `like`, in which they are returned; with `exact` of that very
    type.
    """
    if type(got) is type(like) is np.ndarray and got.dtype == like.dtype and got.shape == shape:
        return got
    wanted = f"({', '.join('...' if k is ... else str(k) for k in shape)}{',' * (len(shape) == 1)})"
    if not is_array_api_obj(got):
        raise PartError(f"{who} must {verb} an array of shape {wanted}, got {type(got).__name__}")
    array: Array = got
    given = tuple(array.shape)
    fits = given[len(given) - len(shape) + 1 :] == shape[1:] if shape[:1] == (...,) else given == shape
    if not fits or len(given) < len(shape) - 1:
        raise PartError(f"{who} must {verb} shape {wanted}, got {given}")
    xp, theirs = namespace(like), namespace(array)
    if theirs is not xp:
        raise PartError(f"{who} must {verb} an array of {xp.__name__}, got one of {theirs.__name__}")
    if device(array) != device(like):
        raise PartError(f"{who} must {verb} an array on the device {device(like)}, got one on {device(array)}")
    if array.dtype == like.dtype:
        return array
    if exact or not _holds(xp, like.dtype, array.dtype):
        raise PartError(f"{who} must {verb} numbers of the type that it is given: {like.dtype} gave {array.dtype}")
    return xp.astype(array, like.dtype)


def _holds(xp: Any, wide: Any, narrow: Any) -> bool:
    """Whether a type of real numbers can hold those of another."""
    try:
        return bool(xp.isdtype(narrow, "numeric")) and xp.result_type(narrow, wide) == wide
    except TypeError:  # a library that does not mix the two
        return False


def pair(who: str, got: Any, what: str) -> tuple[Any, Any]:
    """The two things that `who` returned; a `PartError` if it did not return two."""
    if not isinstance(got, tuple | list) or len(got) != 2:
        many = f" of length {len(got)}" if isinstance(got, tuple | list) else ""
        raise PartError(f"{who} must return {what}, got {type(got).__name__}{many}")
    return got[0], got[1]


def named_arrays(who: str, got: Any, leading: tuple[int, ...], exactly: bool) -> Mapping[str, Any]:
    """Arrays by name that `who` returned, each of the shape `leading`, or unless `exactly` with more axes behind it."""
    if not isinstance(got, Mapping) or not all(isinstance(name, str) for name in got):
        raise PartError(f"{who} must return arrays by name, got {type(got).__name__}")
    for name, values in got.items():
        if not is_array(values) and not isinstance(values, numbers.Number):
            raise PartError(f"{who} must return arrays by name, got {type(values).__name__} as {name!r}")
        shape = tuple(getattr(values, "shape", ()))
        if (shape if exactly else shape[: len(leading)]) != leading:
            more = "" if exactly else ", …"
            raise PartError(f"{who} must return {name!r} of shape ({', '.join(map(str, leading))}{more}), got {shape}")
    return got


def as_always() -> np.errstate:
    """Floating-point errors as NumPy treats them by itself, whatever the caller has set; what he ignores stays ignored.

    An underflow is no accident, and `np.seterr(all="raise")` in somebody's script is about his own numbers. What
    `warnings` does with a warning is untouched.
    """
    now = np.geterr()
    quiet = {kind: "ignore" if how == "ignore" else "warn" for kind, how in now.items()}
    return np.errstate(**{**quiet, "under": "ignore"})  # pyright: ignore[reportArgumentType] (words that it has)
