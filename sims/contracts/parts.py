"""What the contracts of attacks, problems and optimizers have in common: a check has a name, and trees are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from sims.backend import Array, as_like, device, namespace
from sims.contracts.global_random import moved_by
from sims.contracts.support import values, violated
from sims.owned import copied, ours, told
from sims.trees import PLAIN, Tree, children, is_array, map_tree

Part = Any
Contract = Callable[[Part], None]


def rng(seed: int) -> np.random.Generator:
    """The generator of what a contract draws for itself."""
    return np.random.Generator(np.random.Philox(seed))


def leaves(tree: Tree) -> Iterator[Any]:
    """All leaves of a tree, arrays and others, in order."""
    if is_array(tree) or (parts := children(tree)) is None:
        yield tree
    else:
        for _, part in parts:
            yield from leaves(part)


def require_tree(name: str, part: Part, tree: Tree) -> None:
    """Raise unless a state is a tree of arrays and numbers: what cannot be copied or written down is no state."""
    for leaf in leaves(tree):
        if not (is_array(leaf) or type(leaf) in PLAIN or isinstance(leaf, np.generic)):
            raise violated(name, part, f"its state holds a {type(leaf).__name__}, and no array or number")


def require_equal(name: str, part: Part, got: Tree, expected: Tree, what: str) -> None:
    """Raise unless two trees are the same, bit for bit; NaN equals NaN."""
    one, other = list(leaves(got)), list(leaves(expected))
    if len(one) != len(other):
        raise violated(name, part, f"{what}: {len(one)} arrays and numbers where {len(other)} are right")
    for a, b in zip(one, other, strict=True):
        if not (is_array(a) and is_array(b)):
            if a is not b and a != b:
                raise violated(name, part, f"{what}: {a!r} where {b!r} is right")
            continue
        found, right = values(a), values(b)
        if found.shape != right.shape or found.dtype != right.dtype:
            sizes = f"{found.shape} of {found.dtype} where {right.shape} of {right.dtype} is right"
            raise violated(name, part, f"{what}: {sizes}")
        if not np.array_equal(found, right, equal_nan=found.dtype.kind == "f"):
            with np.errstate(all="ignore"):
                largest = float(np.nanmax(np.abs(found.astype(np.longdouble) - right), initial=0.0))
            raise violated(name, part, f"{what}: the largest deviation is {largest:.6g}")


def require_alike(name: str, part: Part, got: Tree, expected: Tree, what: str) -> None:
    """`require_equal` for a part of ours on NumPy; else rounding is forgiven, 1024·ε of the largest number.

    A product of matrices need not add in the same order for one row and for many.
    """
    one, other = list(leaves(got)), list(leaves(expected))
    if (ours(part) and all(isinstance(a, np.ndarray) for a in one)) or len(one) != len(other):
        return require_equal(name, part, got, expected, what)
    for a, b in zip(one, other, strict=True):
        found, right = values(a).astype(np.float64), values(b).astype(np.float64)
        if found.shape != right.shape:
            raise violated(name, part, f"{what}: {found.shape} where {right.shape} is right")
        allowed = 1024 * float(namespace(b).finfo(b.dtype).eps) * float(np.max(np.abs(right), initial=0.0))
        with np.errstate(invalid="ignore"):
            off = np.where(found == right, 0.0, np.abs(found - right))
        if not (off[~np.isnan(right)] <= allowed).all():
            raise violated(name, part, f"{what}: off by {float(np.nanmax(off)):.6g}, allowed {allowed:.3g}")
    return None


def require_like(name: str, part: Part, got: Any, like: Array, shape: tuple[int, ...], what: str) -> None:
    """Raise unless `got` is an array of that shape, of the library, dtype and device of `like`."""
    if not is_array(got):
        raise violated(name, part, f"{what} must be an array, got {type(got).__name__}")
    if tuple(got.shape) != shape:
        raise violated(name, part, f"{what} must have the shape {shape}, got {tuple(got.shape)}")
    if namespace(got) is not namespace(like) or got.dtype != like.dtype:
        raise violated(name, part, f"{what}: {like.dtype} gave {got.dtype}")
    if device(got) != device(like):
        raise violated(name, part, f"{what}: arrays on {device(like)} gave one on {device(got)}")


def untouched(name: str, part: Part, call: Callable[..., Any], given: tuple[Tree, ...], what: str) -> None:
    """Raise if `call(*given)`, the part's own code on these very arrays, writes into one of them.

    NumPy's are read-only, so that the attempt is enough.
    """
    mine = tuple(map_tree(_locked, copied(one)) for one in given)
    before = copied(mine)
    try:
        with np.errstate(all="ignore"):
            call(*mine)
    except Exception as error:
        raise violated(name, part, f"{what}, read-only arrays: {told(error)}") from error
    require_equal(name, part, mine, before, f"{what} wrote into what it was given")


def _locked(array: Array) -> Array:
    if isinstance(array, np.ndarray):
        array.flags.writeable = False
    return array


def without_globals(name: str, part: Part, call: Callable[[], Tree], what: str) -> None:
    """Raise if `call` moves a global generator of random numbers, or finds something else when they begin elsewhere."""
    found, moved = moved_by(call, 1)
    if moved:
        raise violated(name, part, f"{what} moves {moved[0]} global generator")
    require_equal(name, part, moved_by(call, 2)[0], found, f"{what} depends on the global generators")


def made_like(drawn: np.ndarray, like: Array | None) -> Array:
    """Numbers as float64 NumPy, or as what `like` is."""
    return drawn if like is None else as_like(drawn, like)


def unlike(x: Array, seed: int) -> Array:
    """Other numbers of the same kind and shape."""
    return as_like(rng(seed).normal(size=tuple(x.shape)), x)


def having(part: Part, name: str, value: Any) -> Any:
    """The part with another value in a field; None if it does not admit it, or cannot be made anew from its fields."""
    try:
        return replace(part, **{name: value})
    except (TypeError, ValueError):
        return None


def rows_of(x: Array, k: int, axis: int) -> Array:
    """`x` with entry k alone along an axis, which stays."""
    return namespace(x).take(x, namespace(x).asarray([k], device=device(x)), axis=axis)
