"""The rules on one matrix of messages: ours, one read, and every peer's, which is first compared with ours."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.measure import Call
from benchmarks.peers import Peer, as_array, peers_of
from benchmarks.read import read
from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, Rule, TrimmedMean
from sims.by_name import made_by_f
from sims.kernels import at_once

AGREE = {4: 1e-4, 8: 1e-10}  # of the largest entry, by the bytes of a number: what sums over 10⁶ numbers may lose
NARROW = "computes in float32"
READ = "one read"
Make = Callable[[int, float], Rule]

_WRITTEN = ("Mean", "CoordinateMedian", "TrimmedMean", "Krum", "MultiKrum", "RFA", "Bulyan")


def _by_f(rule: type[Rule], f: int, tau: float) -> Rule:
    return rule(**({"f": f} if "f" in inspect.signature(rule).parameters else {}))


RULES: dict[str, Make] = {
    "Mean": lambda f, tau: Mean(),
    "CoordinateMedian": lambda f, tau: CoordinateMedian(),
    "TrimmedMean": lambda f, tau: TrimmedMean(f),
    "Krum": lambda f, tau: Krum(f),
    "MultiKrum": lambda f, tau: MultiKrum(f),
    "RFA": lambda f, tau: RFA(),
    "CenteredClipping": lambda f, tau: CenteredClipping(tau),
    "CenteredClipping 3": lambda f, tau: CenteredClipping(tau, steps=3),
    "Bulyan": lambda f, tau: Bulyan(f),
    **{rule.__name__: partial(_by_f, rule) for rule in made_by_f() if rule.__name__ not in _WRITTEN},
}
SUBSETS = 1000  # at most, of rules that compare all subsets: beyond, some peer takes minutes
COMPARE_SUBSETS = ("MDA", "SMEA")
LIKE_THEIRS: dict[str, Make] = {  # the variant that the peers compute, with which they are compared
    "Krum": lambda f, tau: Krum(f, "byzfl"),
    "MultiKrum": lambda f, tau: MultiKrum(f, variant="byzfl"),
}


def messages(
    rng: np.random.Generator, n: int, f: int, d: int, dtype: type = np.float32, memory: np.ndarray | None = None
) -> np.ndarray:
    """Messages: a common vector and noise of its size, of lengths near √(2d), the last f times −3.

    They take the beginning of `memory`, bytes that are there already, or new memory.
    """
    nbytes = n * d * np.dtype(dtype).itemsize
    x = (np.empty(nbytes, np.uint8) if memory is None else memory[:nbytes]).view(dtype).reshape(n, d)
    rng.standard_normal(out=x, dtype=dtype)
    x += rng.standard_normal(d, dtype=dtype)
    x[n - f :] *= -3
    return x


def radius(d: int) -> float:
    """A τ that clips the f last of such messages and about half of the others."""
    return math.sqrt(2.0 * d)


def contenders(
    rng: np.random.Generator,
    n: int,
    f: int,
    d: int,
    rules: tuple[str, ...],
    left_out: frozenset[str] = frozenset(),
    peers: bool = True,
) -> dict[str, Call]:
    """Every implementation of every rule on fresh messages, as calls without arguments, named "rule/who"."""
    return calls_on(messages(rng, n, f, d), f, rules, (lambda who: who not in left_out) if peers else None)


@functools.cache
def load_kernels() -> None:
    """The kernels for few messages: a process that has a few calls to make would not, and here calls are hot."""
    for name, number in at_once.names():
        at_once.load(name, number)


def calls_on(
    x: np.ndarray,
    f: int,
    rules: tuple[str, ...],
    wanted: Callable[[str], bool] | None,
    forms: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Call]:
    """One read of these messages, ours, and the peers that are `wanted`, by "rule/who"; None: no peers.

    `forms` are the same messages as ours may get them, too, by the name of the contender.
    """
    load_kernels()
    n, d = x.shape
    calls: dict[str, Call] = {READ: partial(read, x)}
    for rule in (r for r in rules if defined(r, n, f)):
        aggregate = RULES[rule](f, radius(d)).aggregate
        calls |= {f"{rule}/{ours}": partial(aggregate, form) for ours, form in {"ours": x, **forms}.items()}
        for peer in peers_of(rule, f, radius(d)) if wanted else ():
            if wanted is not None and wanted(f"{rule}/{peer.name}"):
                calls[f"{rule}/{peer.name}"] = partial(peer.function, peer.convert(x))
    return calls


def defined(rule: str, n: int, f: int) -> bool:
    """Whether a rule is defined for n workers, and not with too many subsets."""
    try:
        RULES[rule](f, 1.0).require(n)
    except ValueError:
        return False
    return rule not in COMPARE_SUBSETS or math.comb(n, f) <= SUBSETS


def comparison(
    rng: np.random.Generator, n: int, f: int, d: int, rules: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    """What each peer computes otherwise, and why those that cannot be run cannot, by "rule/who"."""
    x, differs, fails = messages(rng, n, f, d), {}, {}
    for rule in (r for r in rules if defined(r, n, f)):
        like_theirs = as_theirs(rule, x, f)
        for peer in peers_of(rule, f, radius(d)):
            try:
                said = difference(peer, as_array(peer.function(peer.convert(x))), like_theirs)
            except Exception as error:  # whatever a peer raises: it is left out, and the table says why
                fails[f"{rule}/{peer.name}"] = " ".join(f"{type(error).__name__}: {error}".split())
                continue
            if said:
                differs[f"{rule}/{peer.name}"] = said
    return differs, fails


def as_theirs(rule: str, x: np.ndarray, f: int) -> np.ndarray:
    """Our aggregate that is compared with the peers': of the rule, or of the variant of it that they compute."""
    return LIKE_THEIRS.get(rule, RULES[rule])(f, radius(x.shape[1])).aggregate(x)


def difference(peer: Peer, theirs: np.ndarray, like_theirs: np.ndarray) -> str:
    """How a peer's aggregate differs from ours; empty if it is the same. One of fewer digits differs, too."""
    if theirs.dtype.itemsize < like_theirs.dtype.itemsize:
        return NARROW
    away, scale = float(np.max(np.abs(theirs - like_theirs))), float(np.max(np.abs(like_theirs)))
    if away <= AGREE[like_theirs.dtype.itemsize] * scale:
        return ""
    if peer.differs:
        return peer.differs
    return f"differs from ours by {away / scale:.1e} of the largest entry"
