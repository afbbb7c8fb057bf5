"""The rules on one matrix of messages: ours, one read, and every peer's, which is first compared with ours."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.measure import Call
from benchmarks.peers import Peer, as_array, peers_of
from benchmarks.read import read
from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, Rule, TrimmedMean
from sims.by_name import made_by_f

AGREE = 1e-4  # of the largest entry: what sums over 10⁶ float32 numbers may lose
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


def messages(rng: np.random.Generator, n: int, f: int, d: int) -> np.ndarray:
    """Float32 messages: a common vector and noise of its size, of lengths near √(2d), the last f times −3."""
    x = rng.standard_normal((n, d), dtype=np.float32) + rng.standard_normal(d, dtype=np.float32)
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
    x = messages(rng, n, f, d)
    calls: dict[str, Call] = {READ: partial(read, x)}
    for rule in rules:
        if not defined(rule, n, f):
            continue
        calls[f"{rule}/ours"] = partial(RULES[rule](f, radius(d)).aggregate, x)
        for peer in peers_of(rule, f, radius(d)) if peers else ():
            if f"{rule}/{peer.name}" not in left_out:
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
        ours = RULES[rule](f, radius(d)).aggregate(x)
        like_theirs = LIKE_THEIRS[rule](f, radius(d)).aggregate(x) if rule in LIKE_THEIRS else ours
        for peer in peers_of(rule, f, radius(d)):
            try:
                said = difference(peer, x, ours, like_theirs)
            except Exception as error:  # whatever a peer raises: it is left out, and the table says why
                fails[f"{rule}/{peer.name}"] = " ".join(f"{type(error).__name__}: {error}".split())
                continue
            if said:
                differs[f"{rule}/{peer.name}"] = said
    return differs, fails


def difference(peer: Peer, x: np.ndarray, ours: Any, like_theirs: Any) -> str:
    """How a peer's result differs from ours; empty if it is the same, or our variant that computes what it does."""
    theirs = as_array(peer.function(peer.convert(x)))
    away, scale = float(np.max(np.abs(theirs - like_theirs))), float(np.max(np.abs(like_theirs)))
    if away <= AGREE * scale:
        return ""
    if peer.differs:
        return peer.differs
    return f"differs from ours by {away / scale:.1e} of the largest entry"
