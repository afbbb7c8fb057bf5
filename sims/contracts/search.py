"""Search for messages on which a rule breaks what it owes.

Each contract is tried on messages in general position, with ties, on extreme and on many numbers; for the n that is
asked for and for its neighbours and small numbers of workers, in few and more coordinates, in float32 and float64, and
with other declared numbers of Byzantine workers; always with the rule's own library and device. The first messages that
break a contract are shrunk to plainer ones that break it, too.
"""

from __future__ import annotations

import contextlib
import functools
import tracemalloc
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from sims.aggregators.rule import FunctionRule, Rule, as_rule, declared, required
from sims.backend import Array, as_like, namespace
from sims.checked import whole
from sims.checks.draws import Draws
from sims.contracts.invariance import check_order_of_ties
from sims.contracts.messages import extreme, general, large, tied
from sims.contracts.rules import Contract, contracts_for
from sims.contracts.shrink import FEW, shrunk
from sims.contracts.support import PURPOSE, limits
from sims.contracts.violation import Violation
from sims.owned import ours

SMALL = (1, 2, 3, 4, 5, 6, 7)
OF_GENERAL = ("general",)
KINDS: dict[
    str, tuple[str, ...]
] = {  # contract → the messages that it is tried on, if not on those in general position
    "permutation": ("general", "extreme"),
    "ties": ("tied",),
    "agreement": ("general", "extreme", "tied"),
    "boundedness": ("few", "few tied"),
    "non-finite": ("few", "few tied"),
    "majority": ("few",),
    "mean": ("general", "extreme", "tied"),
    "inputs untouched": ("general", "tied", "damaged"),
    "no hidden state": ("general", "tied"),
}
MANY_CALLS = ("non-finite", "majority")  # dozens for each set of messages, on large ones too many
PROBED = (256, 512)  # coordinates, for whether memory grows faster than they do: fourfold, not twofold
LAW = 20  # times as much as another contract costs one that compares laws
ALWAYS = (
    "kind",
    "permutation",
    "ties",
)  # of a rule that draws these cost thousands of calls: they are tried less often


@dataclass(frozen=True)
class Setting:
    """A rule as it is tried, with how many workers and coordinates and in which type; and what is unlike in it."""

    rule: Rule
    n: int
    d: int
    like: Array
    changed: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Examined:
    """A contract that was searched: on how many sets of messages, and what breaks it, if anything does."""

    contract: str
    tried: int
    violation: Violation | None


def check_rule(
    rule: Rule | Callable[[Array], Array], n: int, d: int = 3, seed: int = 0, like: Array | None = None
) -> None:
    """Search messages on which `rule` breaks what it owes; raise the first `Violation`.

    The rule is asked for n workers and d coordinates, in float64 NumPy or what the array `like` is, and for other n, d,
    types and declared f beside (see this module). `rule` may be a plain function (n, d) → (d,), which owes what it owes
    as a `FunctionRule`. The same seed gives the same messages; most of them do not depend on it.
    """
    for found in examined(rule, n, d, seed, like):
        if found.violation is not None:
            raise found.violation


def violations(
    rule: Rule | Callable[[Array], Array], n: int, d: int = 3, seed: int = 0, like: Array | None = None
) -> list[Violation]:
    """What `check_rule` finds of every contract, one violation each."""
    return [found.violation for found in examined(rule, n, d, seed, like) if found.violation is not None]


def examined(
    rule: Rule | Callable[[Array], Array],
    n: int,
    d: int = 3,
    seed: int = 0,
    like: Array | None = None,
    only: Collection[str] | None = None,
    shrink: bool = True,
) -> Iterator[Examined]:
    """Every contract that a rule owes at some setting, or those that are named, searched one after the other.

    Without `shrink` a violation is that of the first messages that break the contract.
    """
    search = Search(rule, n, d, seed, like)
    for name in search.names():
        if only is None or name in only:
            yield search.of(name, shrink)


def owed_somewhere(rule: Rule, n: int, d: int) -> list[str]:
    """The names of the contracts that a rule owes for n workers, or with nobody declared Byzantine, in order."""
    rules = (rule, _with_f(rule, 0) if _declared(rule) != [None] else None)
    owed = [name for one in rules if one is not None for name, _ in contracts_for(one, n, d)]
    return list(dict.fromkeys(owed))


def search_for(name: str, n: int, d: int, seed: int = 0, like: Array | None = None) -> Callable[[Any], None]:
    """The search for messages that break one contract, as a function of the rule that raises what it finds."""

    def search(rule: Any) -> None:
        violation = Search(rule, n, d, seed, like).of(name).violation
        if violation is not None:
            raise violation

    return search


class Search:
    """The search of one rule, contract by contract; its settings, with what is owed in each, are made once, if needed.

    The arguments are those of `check_rule`.
    """

    def __init__(
        self, rule: Rule | Callable[[Array], Array], n: int, d: int = 3, seed: int = 0, like: Array | None = None
    ) -> None:
        rule, n, d = as_rule(rule), whole("check_rule", "n", n, least=1), whole("check_rule", "d", d, least=0)
        self._seed = whole("check_rule", "seed", seed, least=0)
        like = np.zeros(1) if like is None else like
        required(rule, n)
        self._more = settings(rule, n, d, like)
        self._made: list[tuple[Setting, dict[str, Contract]]] = []
        self._draws = _draws(rule, n, d, like)

    def of(self, name: str, shrink: bool = True) -> Examined:
        """One contract, searched; without `shrink` a violation is that of the first messages that break it."""
        tried, law = 0, self._draws and name in ALWAYS
        for setting, check, x in _cases(name, self, self._seed, law):
            tried += 1
            try:
                check(setting.rule, x)
            except MemoryError:  # too large for where it runs, which is no fault
                tried -= 1
            except Violation as found:
                found.messages = x
                if shrink:
                    found = shrunk(check, setting.rule, x, found, LAW if law else 1)
                found.settings = dict(setting.changed)
                return Examined(name, tried, found)
        return Examined(name, tried, None)

    @functools.cached_property
    def bears_large(self) -> bool:
        """Whether large messages are tried: not where there is no time or memory, or a function is for few numbers."""
        setting, _ = next(iter(self))
        rule, n, like = setting.rule, setting.n, setting.like
        return (ours(rule) and not isinstance(rule, FunctionRule)) or (
            _answers(rule, n, PROBED[1], like) and not grows_faster(rule, n, like)
        )

    def __iter__(self) -> Iterator[tuple[Setting, dict[str, Contract]]]:
        k = 0
        while k < len(self._made) or self._extended():
            yield self._made[k]
            k += 1

    def _extended(self) -> bool:
        for setting in self._more:
            self._made.append((setting, dict(contracts_for(setting.rule, setting.n, setting.d))))
            return True
        return False

    def names(self) -> Iterator[str]:
        """The contracts that are owed somewhere, those of the first setting first."""
        seen: set[str] = set()
        for _, owed in self:
            yield from (name for name in owed if name not in seen)
            seen |= owed.keys()


def _cases(name: str, plan: Search, seed: int, law: bool) -> Iterator[tuple[Setting, Contract, Array]]:
    """On what a contract is tried, large messages last."""
    first: tuple[Setting, Contract] | None = None
    for k, (setting, owed) in enumerate(plan):
        if name not in owed or (law and k % 8):
            continue
        if name == "oddness" and k and setting.n <= FEW and not ours(setting.rule):
            continue  # nobody can be expected to have said that it breaks ties there
        check = check_order_of_ties if name == "ties" else owed[name]
        first = first or (setting, check)
        yield from ((setting, check, x) for x in _messages(name, setting, seed, law))
    if first is not None and not law and name not in MANY_CALLS and plan.bears_large:
        setting, check = first
        yield setting, check, large(setting.n, seed, setting.like)


def _messages(name: str, setting: Setting, seed: int, law: bool) -> Iterator[Array]:
    """The messages on which a contract is tried in a setting."""
    for kind in KINDS.get(name, OF_GENERAL):
        found = _of_kind(kind, setting, seed)
        if law:  # it is that of one run
            yield from (found[i : i + 1, ...] for i in range(0, found.shape[0], 4))
        else:
            yield found


def _of_kind(kind: str, setting: Setting, seed: int) -> Array:
    if kind in ("general", "few"):
        x = general(setting.n, setting.d, seed, setting.like)
        return x if kind == "general" else x[::2, ...]
    if kind in ("tied", "few tied"):
        x = tied(setting.n, setting.d, seed, setting.like)
        return x if kind == "tied" else x[::5, ...]
    if kind == "extreme":
        x = general(setting.n, setting.d, seed, setting.like)
        return extreme(setting.n, setting.d, setting.like, limits(setting.rule, x))
    x = general(setting.n, setting.d, seed, setting.like)
    bad = as_like(np.array([np.nan, np.inf, -np.inf, np.nan, np.nan, np.inf])[:, None, None], x)
    first = as_like((np.arange(setting.n) == 0)[:, None].astype(float), x)
    return namespace(x).where(first > 0, bad, x)


def settings(rule: Rule, n: int, d: int, like: Array) -> Iterator[Setting]:
    """What a rule is tried at: the n and d that were asked for first, then other d, types, n and declared f."""
    yield Setting(rule, n, d, like)
    others = [other for other in (1, 2, 3, 6, 9) if other != d]
    yield from (Setting(rule, n, other, like) for other in others if _answers(rule, n, other, like))
    if (other_type := _other_type(rule, like)) is not None:
        sizes = (other for other in (max(d, 1), 1) if _answers(rule, n, other, other_type))
        yield from (Setting(rule, n, other, other_type) for other in sizes)
    for f in _declared(rule):
        tried = _with_f(rule, f)
        if tried is None:
            continue
        changed = () if tried is rule else (("f", f),)
        own = tried is rule
        around = {*range(max(1, n - 2), n + 4), 2 * n} if own else {n, n + 1}
        least = {*(2 * (f or 0) + k for k in (1, 2, 3)), *(4 * (f or 0) + k for k in (3, 4))}
        for m in sorted({*(SMALL if own or f == 0 else ()), *least, *around}):
            if (own and m == n) or not defined(tried, m, n):
                continue
            for other in (1, 2) if m <= 4 else (2 - m % 2,) if m <= 7 else (2,):
                if _answers(tried, m, other, like):
                    yield Setting(tried, m, other, like, changed)


def _declared(rule: Rule) -> list[int | None]:
    """The declared f of a rule, then others in its place; None for a rule without one."""
    f = getattr(rule, "f", None)
    if not (is_dataclass(rule) and type(f) is int and "f" in {field.name for field in fields(rule)}):
        return [None]
    return list(dict.fromkeys(one for one in (f, 0, 1, 2, 3, f - 1, f + 1) if one >= 0))


def _with_f(rule: Rule, f: int | None) -> Rule | None:
    if f is None or f == getattr(rule, "f", None):
        return rule
    try:
        return replace(rule, f=f)  # type: ignore[type-var]
    except Exception:  # its constructor refuses
        return None


def defined(rule: Rule, m: int, n: int) -> bool:
    """Whether a rule, asked about with n workers, has to answer m.

    Every rule has to where it says so itself (`require`), if fewer than half are Byzantine or it says for this m how
    many may be. A plain function may have its f within: n is the least that it has to answer.
    """
    try:
        required(rule, m)
        f, usual = declared(rule, m)[1], declared(rule, n)[1]
    except ValueError:
        return False
    if isinstance(rule, FunctionRule):
        return m >= n
    return ours(rule) or 2 * f < m or f == 0 or f != usual


def _answers(rule: Rule, n: int, d: int, like: Array) -> bool:
    """Whether a rule is asked about messages of this size and type: a plain function may be for others, and raise."""
    if not isinstance(rule, FunctionRule):
        return True
    try:
        rule.aggregate(general(n, d, 0, like)[:1, ...])
    except MemoryError:
        return False
    except ValueError as error:
        return error.__cause__ is None  # what it returns must be an aggregate for every size
    return True


def grows_faster(rule: Rule, n: int, like: Array) -> bool:
    """Whether a rule has d × d numbers in memory, seen where NumPy tells: of large messages that would be gigabytes."""
    most = []
    for d in PROBED:
        x = general(n, d, 0, like)[0, ...]
        already = tracemalloc.is_tracing()
        tracemalloc.start()
        try:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            rule.aggregate(x, None, Draws(PURPOSE, x))
            most.append(tracemalloc.get_traced_memory()[1] - before)
        except (ValueError, MemoryError):  # what it raises is told where it is asked for its answer
            return False
        finally:
            if not already:
                tracemalloc.stop()
    return most[1] > 3 * most[0]


def _other_type(rule: Rule, like: Array) -> Array | None:
    """An array of the same library in float32 if `like` is float64, and the reverse; None where neither is right.

    A function that is asked about float32 may compute in it whatever it is given.
    """
    xp = namespace(like)
    if like.dtype == xp.float64:
        other = xp.float32
    elif like.dtype == xp.float32 and not isinstance(rule, FunctionRule):
        other = xp.float64
    else:
        return None
    try:
        return xp.astype(like, other)
    except (TypeError, ValueError, RuntimeError):  # a device without it
        return None


def _draws(rule: Rule, n: int, d: int, like: Array) -> bool:
    """Whether a rule draws random numbers."""
    x = general(n, d, 0, like)
    rng = Draws(PURPOSE, x)
    with contextlib.suppress(ValueError):
        rule.aggregate(x, None, rng)
    return rng.used
