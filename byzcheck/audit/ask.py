"""How an audit asks a rule, whoever wrote it: with streams, from its initial state, and no faster than it answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from sims import owned
from sims.aggregators import FunctionRule, Rule
from sims.backend import Array, as_like, namespace, to_numpy
from sims.checks.counting import count
from sims.checks.draws import Draws

PURPOSE = "audit"  # of the streams of random numbers
OPERATIONS = 10**10  # of one measurement: some seconds
LEAST = 20  # runs, below which nothing is estimated
TOO_MANY = "not measured: an aggregation takes too many operations"


def generator(seed: int, *parts: int) -> np.random.Generator:
    """Random numbers of their own for each measurement."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, *parts))))


def asked(rule: Rule, values: np.ndarray, like: Array | None, state: Any = None, first: int = 0) -> np.ndarray:
    """AGG of messages (..., n, d), in the library and dtype of `like`, as NumPy's numbers (float64).

    Of runs in the last leading axis the k-th has the stream `first` + k.
    """
    return after(rule, values, like, state, first)[0]


def after(
    rule: Rule, values: np.ndarray, like: Array | None, state: Any = None, first: int = 0
) -> tuple[np.ndarray, Any]:
    """The same and the rule's state after it."""
    x = as_messages(values, like)
    y, state = rule(x, state, Draws(PURPOSE, x, first))
    return np.asarray(to_numpy(y), dtype=np.float64), state


def as_messages(values: np.ndarray, like: Array | None) -> Array:
    """A copy of `values` as an array like `like`, or NumPy's float64."""
    return np.array(values, dtype=np.float64) if like is None else as_like(np.array(values), like)


def draws(rule: Rule, n: int, like: Array | None) -> bool:
    """Whether a rule draws random numbers for ordinary messages (n, 1)."""
    x = as_messages(generator(0, n).normal(size=(n, 1)), like)
    rng = Draws(PURPOSE, x)
    rule.aggregate(x, None, rng)
    return rng.used


def remembers(rule: Rule, n: int, d: int, like: Array | None) -> bool:
    """Whether a rule has a state that it goes on from."""
    state = owned.asked("rule", rule.init, as_messages(np.zeros((n, d)), like))
    return not (isinstance(state, tuple) and not state)


def one_by_one(rule: Rule) -> bool:
    """Whether a batch of runs is a loop over them: a plain function's, and perhaps somebody's own rule's."""
    return isinstance(rule, FunctionRule) or not owned.ours(rule)


def affordable(rule: Rule, n: int, d: int, calls: int, most: int, few: int) -> int:
    """How many runs of so many aggregations each are made: `most`, or as many as `OPERATIONS` allow.

    The operations of one aggregation are counted; of a rule that cannot be counted, or that is called for each run, no
    more than `few`. So that no clock decides what is measured. At least `LEAST`; 0 if these take ten times as many.
    """
    runs = few if one_by_one(rule) else most
    try:
        cost = count(rule, generator(0, n, d).normal(size=(n, d))).total
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:  # whatever somebody's own code does with an array that it does not know
        return min(runs, few)
    if LEAST * cost * calls > 10 * OPERATIONS:
        return 0
    return max(LEAST, min(runs, OPERATIONS // max(1, cost * calls)))


def epsilon(like: Array | None) -> float:
    """The rounding unit of the messages' dtype, 2^−52 in float64."""
    return 2.0**-52 if like is None else float(namespace(like).finfo(like.dtype).eps)


def wide(like: Array | None) -> Array | None:
    """`like` in float32 if it has half that precision: there growth and exchanges drown in rounding, or overflow."""
    if like is None or epsilon(like) < 1e-4:
        return like
    return namespace(like).astype(like, namespace(like).float32)


def largest(like: Array | None) -> float:
    """The largest number of the messages' dtype."""
    return float(np.finfo(np.float64).max if like is None else namespace(like).finfo(like.dtype).max)
