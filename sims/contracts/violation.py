"""A contract that a part breaks, with the calls that show it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.backend import Array, namespace, to_numpy
from sims.checked import told
from sims.trees import arrays_in, map_tree

MOST_SHOWN = 60  # numbers of an array that are printed
WIDTH = 100


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a rule: what it was given, `messages` (..., n, d) and a state, and what came out."""

    label: str
    messages: Array
    state: Any
    output: Array


class Violation(AssertionError):  # noqa: N818 (what it is called in the field of contracts)
    """A broken contract: its name, the part that breaks it, what went wrong in a sentence, and the calls that show it.

    `settings` are those with which the part differs from the one that was asked about, as {"f": 0}; `messages` those on
    which the contract was tried.
    """

    def __init__(self, contract: str, part: Any, what: str, calls: tuple[Call, ...] = ()) -> None:
        self.contract, self.part, self.what, self.calls = contract, part, what, calls
        self.settings: dict[str, Any] = {}
        self.messages: Array = calls[0].messages if calls else None
        super().__init__(contract, what)  # the text is made when somebody reads it: a search makes many violations

    def __str__(self) -> str:
        with_settings = "".join(f" (with {name} = {value})" for name, value in self.settings.items())
        lines = [f"contract {self.contract!r} broken by {named(self.part)}{with_settings}: {self.what}"]
        for call in self.calls:
            lines += _lines(call.label + _kind(call.messages), call.messages)
            for part in arrays_in(call.state):
                lines += _lines("  from the state", part)
            lines += ["  gave no answer"] if call.output is None else _lines("  gave", call.output)
        return "\n".join(lines)


def named(part: Any) -> str:
    """A part by name: a plain function by its own, whatever else as it prints itself, shortened."""
    function = getattr(part, "function", None)
    return getattr(function, "__qualname__", None) or told(part)


def shown(x: Array) -> str:
    """An array as it can be typed, on few lines; a long one by its shape and its ends."""
    values = np.asarray(to_numpy(x))
    if values.size > MOST_SHOWN:
        with np.printoptions(precision=17, threshold=8, edgeitems=2, linewidth=WIDTH):
            return f"{values!s}\nof shape {values.shape}, {values.dtype}"
    with np.printoptions(precision=17, threshold=MOST_SHOWN + 1, linewidth=WIDTH, floatmode="unique"):
        return np.array2string(values, separator=", ")


def _kind(x: Array) -> str:
    """What has to be said of an array so that it can be typed: nothing if it is one of NumPy's of float64."""
    library = "" if isinstance(x, np.ndarray) else f"{namespace(x).__name__.rpartition('.')[2]} "
    kind = library + str(x.dtype).rpartition(".")[2]
    return "" if kind == "float64" else f" ({kind})"


def _lines(label: str, x: Array) -> list[str]:
    first, *rest = shown(x).splitlines() or [""]
    head = f"  {label:<18} "
    return [head + first, *(" " * len(head) + line for line in rest)]


_TRACE: ContextVar[list[Call] | None] = ContextVar("calls of the check that runs, oldest first", default=None)


@contextlib.contextmanager
def traced() -> Iterator[None]:
    """Keep the calls that are made within."""
    token = _TRACE.set([])
    try:
        yield
    finally:
        _TRACE.reset(token)


def noted(label: str, x: Array, state: Any, y: Array) -> None:
    """Keep one call, if anybody wants to know."""
    made = _TRACE.get()
    if made is not None:
        made.append(Call(label, x, state, y))


def calls(*which: int) -> tuple[Call, ...]:
    """Those of the calls kept that stand at these places, each once, as far as there are that many, as copies."""
    made = _TRACE.get() or []
    there = dict.fromkeys(made[k] for k in which if -len(made) <= k < len(made))
    return tuple(Call(one.label, _own(one.messages), map_tree(_own, one.state), _own(one.output)) for one in there)


def _own(x: Array) -> Array:
    return x if x is None else namespace(x).asarray(x, copy=True)
