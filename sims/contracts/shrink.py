"""Plainer messages that break the same contract: fewer runs, workers and coordinates, then rounder numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sims.aggregators.rule import FunctionRule, Rule, declared
from sims.backend import Array, as_like
from sims.contracts.rules import contracts_for
from sims.contracts.support import values
from sims.contracts.violation import Violation
from sims.owned import PartError, ours

MOST = 400  # sets of messages that are tried; one of many numbers counts for several
FEW = 3  # workers, among whom distances are equal whatever the messages are: two have each other for the nearest
NUMBERS = 60  # of messages that are made rounder one number at a time


def shrunk(check: Callable[[Rule, Array], None], rule: Rule, x: Array, found: Violation, cost: int = 1) -> Violation:
    """What `check(rule, ·)` raises for the plainest messages that break the same, from x on, which raised `found`.

    A check that costs `cost` times as much as others is asked less often.
    """
    left = MOST

    def broken(y: np.ndarray) -> Violation | None:
        nonlocal left
        left -= cost + y.size // 5000
        try:
            check(rule, as_like(y, x))
        except Violation as other:
            other.messages = as_like(y, x)
            return other if _fault(other) == _fault(found) else None
        except Exception:  # these messages the rule does not accept
            return None
        return None

    best, plain = found, values(x).astype(np.float64)
    improved = True
    while improved and left > 0:
        improved = False
        for simpler in _simpler(rule, plain, found.contract.partition(" (")[0]):
            if left <= 0:
                break
            if (other := broken(simpler)) is not None:
                best, plain, improved = other, simpler, True
                break
    return best


def _fault(found: Violation) -> tuple[str, bool]:
    """The contract, and whether it is broken by what a rule raises: elsewhere it may raise for another reason."""
    return found.contract.partition(" (")[0], isinstance(found.__cause__, PartError)


def _simpler(rule: Rule, x: np.ndarray, name: str) -> Iterator[np.ndarray]:
    """Messages that are simpler than x (..., n, d), the boldest first, at sizes at which the contract is owed.

    Of a contract about messages without ties the numbers stay: rounder ones have some.
    """
    if x.ndim > 2:
        yield from (x.reshape(-1, *x.shape[-2:])[k] for k in range(int(np.prod(x.shape[:-2]))))
        if x.ndim > 3 or x.shape[0] > 1:
            yield from (x.reshape(-1, *x.shape[-2:])[k : k + 1] for k in range(int(np.prod(x.shape[:-2]))))
        return
    n, d = x.shape
    for width in _halves(d):
        yield from (np.delete(x, range(first, min(first + width, d)), axis=1) for first in range(0, d, width))
    if not isinstance(rule, FunctionRule):  # which may be for this n alone
        for i in range(n - 1, -1, -1):
            if n > 1 and _owed(rule, n - 1, d, name):
                yield np.delete(x, i, axis=0)
    if x.size <= NUMBERS and name != "oddness":
        yield from _rounder(x)


def _halves(d: int) -> Iterator[int]:
    """d/2, d/4, …, 1: how many coordinates are left out at once; none where one is left."""
    width = d // 2
    while width >= 1:
        yield width
        width //= 2


def _owed(rule: Rule, n: int, d: int, name: str) -> bool:
    """Whether a rule has to answer n workers, and owes the contract there."""
    try:
        rule.require(n)
        _, f = declared(rule, n)
        owed = any(one == name for one, _ in contracts_for(rule, n, d))
    except Exception:
        return False
    return owed and (f == 0 or 2 * f < n) and not (name == "oddness" and n <= FEW and not ours(rule))


def _rounder(x: np.ndarray) -> Iterator[np.ndarray]:
    """All numbers rounder, then single ones."""
    with np.errstate(all="ignore"):
        for rounder in (np.round, np.sign, lambda v: np.round(v, 1)):
            y = rounder(x)
            if not np.array_equal(x, y, equal_nan=True):
                yield y
        for place in np.ndindex(x.shape):
            v = float(x[place])
            for plainer in (0.0, 1.0, float(np.round(v)), float(np.round(v, 1))):
                if _length(plainer) < _length(v):
                    y = x.copy()
                    y[place] = plainer
                    yield y


def _length(v: float) -> tuple[int, float]:
    """How much there is to read of a number."""
    return (0, 0.0) if v == 0 else (len(repr(float(v))), abs(float(v)))
