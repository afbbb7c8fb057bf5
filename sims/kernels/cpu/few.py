"""The kernels for few messages, each compiled for float32 and for float64 and for nothing else."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from numba import types

from sims.kernels.cpu import few_centres, few_columns, few_distances
from sims.kernels.cpu.helpers import team as team

KERNELS = {  # name → the function, and what it takes behind the messages, n, the room and a team
    "mean": (few_columns.mean, ""),
    "reduce": (few_columns.reduce, "Iii"),  # a network, the rule, f
    "krum": (few_distances.krum, "Iii"),  # a network, how many neighbours, how many are chosen
    "shortest": (few_distances.shortest, "ii"),  # about whom, how many are chosen
    "clip": (few_centres.clip, "XP"),  # centres, parameters
    "weiszfeld": (few_centres.weiszfeld, "P"),
}
_compiling = threading.Lock()


@functools.cache
def kernel(name: str, number: str) -> Callable[..., bool]:
    """The kernel called `name` for messages in float32 ("f") or float64 ("d").

    Arrays that may be written and those that may not are the same for it; numba by itself would compile for either.
    """
    function, more = KERNELS[name]
    kind = types.float32 if number == "f" else types.float64
    takes = {"i": types.int64, "I": _table(types.int64), "P": _table(types.float64), "X": _table(kind)}
    room, boxes = types.Array(kind, 2, "C"), types.Array(types.int64, 2, "C")
    with _compiling:
        function.disable_compile(False)
        function.compile((takes["X"], takes["i"], room, takes["i"], boxes, *(takes[letter] for letter in more)))
        function.disable_compile()
    return function


def _table(of: Any) -> Any:
    return types.Array(of, 2, "C", readonly=True)
