"""Values of libraries' types that hold no numbers of their own, and yet say something: as plain JSON."""

from __future__ import annotations

import datetime
import logging
import operator
import re
import types
import typing
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import numpy as np

REPRESENTED = (  # types whose values say all of themselves in their representations
    *(complex, bytes, Fraction, Decimal, PurePath, np.dtype, type(...), datetime.date, datetime.time),
    *(datetime.timedelta, types.GenericAlias, types.UnionType, typing.TypeVar),
)
GETTERS = (operator.itemgetter, operator.attrgetter, operator.methodcaller)
OF_TORCH = ("dtype", "device", "layout", "memory_format")  # of torch, which is not imported for them
MODES = {  # what functions are decorated with → what it keeps while it is entered
    ("numpy", "errstate"): {"_token"},
    ("torch.autograd.grad_mode", "no_grad"): {"prev"},
    ("torch.autograd.grad_mode", "set_grad_enabled"): {"prev"},
    ("torch.autograd.grad_mode", "inference_mode"): {"_inference_mode_context"},
    ("torch.autograd.grad_mode", "enable_grad"): {"prev"},
}
MARKS = {("numpy._core._ufunc_config", "_unspecified")}  # types of which there is one value


def of_library(value: Any, code: Any, describe: Callable[[Any, Any], Any]) -> Any:
    """A value of an installed library's type; None for one that is not among those known here.

    `describe(value, code)` describes what it holds.
    """
    kind = type(value)
    named = (kind.__module__, kind.__qualname__)
    if isinstance(value, logging.Logger) or named in MARKS:
        return {"library": ":".join(named)}  # no number depends on which, or on what a logger tells
    if isinstance(value, re.Pattern):
        return {"value": [value.pattern if type(value.pattern) is str else repr(value.pattern), value.flags]}
    if isinstance(value, GETTERS):  # which represent a large array by a part of it
        return {"library": ":".join(named), "value": describe(value.__reduce__(), code)}
    if isinstance(value, REPRESENTED) or (kind.__module__ == "torch" and kind.__qualname__ in OF_TORCH):
        return {"value": repr(value)}
    if named in MODES:
        slots = [name for one in kind.__mro__ for name in vars(one).get("__slots__", ())]
        names = sorted({*getattr(value, "__dict__", {}), *slots} - MODES[named])
        held = [[name, describe(getattr(value, name), code)] for name in names if hasattr(value, name)]
        return {"library": ":".join(named), "value": held}
    if kind is object:  # nothing but itself: the first that is met, the second, …
        return code.once(value, "itself", lambda: {"value": "object"})
    return None
