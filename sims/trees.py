"""Trees of arrays: what a state is, however somebody builds it.

A node is a tuple, a named tuple, a list, a deque, a dictionary or a dataclass; everything else is a leaf. A rule, a
problem or another part with abstract methods is a leaf even where it is a dataclass: it is a value, and no state.
"""

from __future__ import annotations

import copy
import dataclasses
from abc import ABCMeta
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Tree = Any
PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes})  # numbers, texts and nothing


def is_array(value: Any) -> bool:
    """Whether a leaf is an array of some library; a NumPy scalar is a number and none."""
    if isinstance(value, np.ndarray):
        return True
    return hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, np.generic | type)


def children(node: Tree) -> list[tuple[Any, Tree]] | None:
    """The parts of a node with what each is called, in their order; None for a leaf."""
    if isinstance(node, tuple):
        return list(zip(getattr(node, "_fields", range(len(node))), node, strict=True))
    if isinstance(node, list | deque):
        return list(enumerate(node))
    if isinstance(node, dict):
        return list(node.items())
    if is_record(node):
        return [(one.name, getattr(node, one.name)) for one in dataclasses.fields(node) if hasattr(node, one.name)]
    return None


def is_record(value: Any) -> bool:
    """Whether a value is an instance of a dataclass that is a node."""
    return hasattr(type(value), "__dataclass_fields__") and not isinstance(type(value), ABCMeta)


def map_tree(change: Callable[[Any], Any], tree: Tree, other: Callable[[Any], Any] = lambda leaf: leaf) -> Tree:
    """A tree of the same form with `change` applied to its arrays, and `other` to its other leaves.

    Every node is a new one, of the same type and with its parts in the same order.

    >>> map_tree(lambda array: 2 * array, {"v": np.array([1.0]), "t": (3, None)})
    {'v': array([2.]), 't': (3, None)}
    """
    kind = type(tree)  # first what most states are made of
    if kind is np.ndarray:
        return change(tree)
    if kind is tuple:
        return tuple([map_tree(change, part, other) for part in tree])
    if kind in PLAIN:
        return other(tree)
    if is_array(tree):
        return change(tree)
    if (parts := children(tree)) is None:
        return other(tree)
    return _like(tree, [(name, map_tree(change, part, other)) for name, part in parts])


def _like(node: Tree, parts: list[tuple[Any, Tree]]) -> Tree:
    """A node as `node`, with these parts."""
    if isinstance(node, tuple):
        values = [part for _, part in parts]
        make: Any = type(node)
        return make._make(values) if hasattr(node, "_fields") else make(values)
    if type(node) is dict:
        return dict(parts)
    if type(node) is list:
        return [part for _, part in parts]
    made: Any = copy.copy(node)  # it keeps what else there is, a default or a largest length
    record = is_record(node)
    for name, part in parts:
        if record:
            object.__setattr__(made, name, part)  # a frozen one too, and what its constructor does not take
        else:
            made[name] = part
    return made


def arrays_in(tree: Tree) -> Iterator[Any]:
    """The arrays of a tree, one after the other."""
    if is_array(tree):
        yield tree
    else:
        for _, part in children(tree) or ():
            yield from arrays_in(part)
