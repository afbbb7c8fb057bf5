"""Whether a rule answers at all: what it does with ordinary messages, before anything is measured of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from byzcheck.audit.ask import after, as_messages, generator
from byzcheck.audit.limit import TookTooLong, within
from byzcheck.audit.line import Line
from sims.aggregators import FunctionRule, Rule
from sims.backend import Array
from sims.owned import PartError, told

SECONDS = 10.0  # for one aggregation of n messages of three numbers


def lines(
    rule: Rule, n: int, f: int, seed: int = 0, like: Array | None = None, seconds: float = SECONDS
) -> tuple[Line, ...]:
    """One line: the rule answers ordinary messages, or what it does instead; with good = False nothing else is worth
    asking.

    A plain function that answers in another dtype than it was asked in is asked further, and the line says so.
    """
    x = generator(seed, n, 2).normal(size=(2, n, 3))
    dtype = _name(as_messages(x, like).dtype)
    asked = f"{n} ordinary {dtype} messages of 3 numbers"
    try:
        for messages in (x[0], x):
            found = within(seconds, lambda messages=messages: after(rule, messages, like)[0])
            if not np.all(np.isfinite(found)):
                return (_no(f"{asked} have a finite mean, and the rule's answer is not finite"),)
        kind = within(seconds, lambda: _kind(rule, x[0], like))
    except TookTooLong as late:
        return (_no(f"hangs: {asked}, and {late}"),)
    except (KeyboardInterrupt, MemoryError):
        raise
    except PartError as error:
        return (_no(f"{asked}: {error}"),)
    except ValueError as error:  # what must be returned and is not, in a sentence
        return (_no(f"{asked}: {error}"),)
    except BaseException as error:  # an exit, too, is something that a rule does instead of answering
        return (_no(f"{asked}: the rule raised {told(error)}"),)
    if kind is not None and kind != dtype:
        says = f"answers {asked} in {kind}: converted"
        good = None if "float" in kind else False  # a coarser type is its precision, and no fault
        return (Line("answers", says, "searched", f"the messages are {dtype}", good),)
    return (Line("answers", f"answers {asked} with an aggregate of that kind", "searched", good=True),)


def _kind(rule: Rule, x: np.ndarray, like: Array | None) -> str | None:
    """The dtype in which a plain function answers, which calls of it as a rule do not show."""
    if not isinstance(rule, FunctionRule):
        return None
    kind = getattr(rule.function(as_messages(x, like)), "dtype", None)
    return None if kind is None else _name(kind)


def _name(dtype: Any) -> str:
    """float64, of whichever library."""
    return str(dtype).rpartition(".")[2]


def _no(says: str) -> Line:
    return Line("answers", says, "searched", "no rule: nothing else was measured", False)
