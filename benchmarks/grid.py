"""The grid of sizes: every rule on arrays and on tensors, beside the peers that can be its fastest.

A first process, whose times are not recorded, runs every peer at growing d, compares it with ours and chooses: only
those within a factor of `NEAR` of the fastest are measured, and of calls of `LONG` seconds the fastest alone. One that
took `FAR` times as long as the fastest, where the cost of a call itself no longer matters, is not tried at larger d.

A peer is measured on the messages in its own form, lists of rows or arrays or tensors, and counts beside ours on arrays
and beside ours on tensors: the two share their memory, and nobody waits for the way from one to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from benchmarks import memory, peers, rules
from benchmarks.measure import Call, seconds_of, single
from benchmarks.peers import as_array
from benchmarks.plan import Grid

NEAR, FAR = 1.5, 4.0
PLAIN = 1e-3  # seconds from which a call's time is that of its numbers
LONG = 0.1  # seconds of a call that is timed when it runs first
BRIEF = 0.01  # seconds below which a first call says little of the next
LARGE = 2**24  # bytes of messages from which a peer's memory can be told from what the system counts in
WARM = 20_000  # d at which every program runs that large messages need
TYPES = {32: np.float32, 64: np.float64}
TENSORS = "ours torch"  # the contender "rule/ours" on a tensor

Prepare = Callable[[np.random.Generator], dict[str, Call]]

clock = partial(seconds_of, long=LONG)


@dataclass
class Choice:
    """By table: the peers to be measured, and what others compute otherwise; and where and why some fail."""

    measured: dict[str, list[str]] = field(default_factory=dict)
    differs: dict[str, dict[str, str]] = field(default_factory=dict)
    fails: dict[str, str] = field(default_factory=dict)

    def fail(self, who: str, x: np.ndarray, why: str) -> None:
        """A peer fails on such messages; the first place is kept."""
        if not any(known.startswith(f"{who}, ") for known in self.fails):
            self.fails[f"{who}, n = {len(x)}, d = {x.shape[1]}, {x.dtype}"] = why


def sizes(n: int, d: int, bits: int) -> str:
    """The parameters of a table.

    >>> sizes(25, 10, 32)
    'n=25 f=5 d=10 bits=32'
    """
    return f"n={n} f={n // 5} d={d} bits={bits}"


def all_sizes(grid: Grid) -> dict[str, tuple[int, int, int]]:
    """The tables' parameters, in words and as n, d and bits."""
    return {sizes(n, d, bits): (n, d, bits) for bits in grid.bits for n in grid.n for d in grid.d}


def tables(grid: Grid, measured: Mapping[str, list[str]]) -> dict[str, Prepare]:
    """Every table of the grid, to be prepared one after the other, in the same memory, by `measure.take_turns`."""
    place = _place(grid)
    return {
        f"grid {at}": partial(contenders, grid, *shape, measured[f"grid {at}"], place)
        for at, shape in all_sizes(grid).items()
    }


def contenders(
    grid: Grid, n: int, d: int, bits: int, measured: list[str], place: np.ndarray, rng: np.random.Generator
) -> dict[str, Call]:
    """One read, ours on arrays and, if there is a torch, on tensors, and the peers that are measured."""
    x = rules.messages(rng, n, n // 5, d, TYPES[bits], place)
    forms = {} if "torch" in peers.missing() else {TENSORS: peers.tensor(x)}
    return rules.calls_on(x, n // 5, grid.rules, lambda who: who in measured, forms)


def warm(grid: Grid, measured: Mapping[str, list[str]]) -> None:
    """Load what every contender needs: its program for this n and type, for few and for many numbers."""
    place, rng = _place(grid, WARM), np.random.Generator(np.random.Philox(0))
    for bits in grid.bits:
        for n in grid.n:
            at = measured[f"grid {sizes(n, min(grid.d), bits)}"]
            for d, whose in ((min(grid.d), at), (min(WARM, max(grid.d)), [])):
                for call in contenders(grid, n, d, bits, whose, place, rng).values():
                    call()


def choose(grid: Grid) -> Choice:
    """Run every peer that is not hopeless, once or a few times at each size."""
    choice, place = Choice(), _place(grid)
    warm(grid, {f"grid {at}": [] for at in all_sizes(grid)})
    for bits in grid.bits:
        for n in grid.n:
            rng, tried = np.random.Generator(np.random.Philox(n + bits)), _Tried(grid.memory, choice)
            for d in sorted(grid.d):
                x, at = rules.messages(rng, n, n // 5, d, TYPES[bits], place), sizes(n, d, bits)
                choice.differs[at] = {}
                known = [rule for rule in grid.rules if rules.defined(rule, n, n // 5)]
                choice.measured[f"grid {at}"] = [who for rule in known for who in tried.at(rule, x, choice.differs[at])]
    return choice


@dataclass
class _Tried:
    """What is known of peers at one n and type from smaller d."""

    most: float
    choice: Choice
    hopeless: set[str] = field(default_factory=set)
    shares: dict[str, float] = field(default_factory=dict)

    def at(self, rule: str, x: np.ndarray, differs: dict[str, str]) -> list[str]:
        """The peers of a rule that are to be measured on such messages; `differs` is told what others compute."""
        (n, d), first, calls = x.shape, dict[str, float](), dict[str, Call]()
        like_theirs = rules.as_theirs(rule, x, n // 5)
        for peer in peers.peers_of(rule, n // 5, rules.radius(d)):
            who = f"{rule}/{peer.name}"
            if who in self.hopeless:
                continue
            held = (1 + self.shares.get(who, 0.0)) * x.nbytes
            if held > self.most:
                self.choice.fail(who, x, f"would hold {held / 1e9:.0f} GB")
                continue
            try:
                call = partial(peer.function, peer.convert(x))
                seconds, result = self._run(who, call, x)
            except Exception as error:  # whatever a peer raises: it is left out, and the page says why
                self.choice.fail(who, x, " ".join(f"{type(error).__name__}: {error}".split()))
                self.hopeless.add(who)
                continue
            said = rules.difference(peer, as_array(result), like_theirs)
            if said:
                differs[who] = said
                self.hopeless |= {who} if said in (peer.differs, rules.NARROW) else set()
            else:
                first[who], calls[who] = seconds, call
        return self._near(first, calls)

    def _run(self, who: str, call: Call, x: np.ndarray) -> tuple[float, Any]:
        """How long a call takes, and what it returns; how much it holds on the way is kept, if that can be told."""
        results: list[Any] = []
        seconds: list[float] = []

        def noted() -> None:
            seconds.append(single(lambda: results.append(call())))

        if x.nbytes >= LARGE and memory.can_measure():
            self.shares[who] = memory.peak_beyond(noted) / x.nbytes
        else:
            noted()
        return seconds[0], results[0]

    def _near(self, first: dict[str, float], calls: dict[str, Call]) -> list[str]:
        """Those near the fastest, by their first times and, where that may decide, by more; others may be hopeless."""
        bound = FAR * min(first.values(), default=0.0)
        hopeful = [who for who, time in first.items() if time <= max(bound, BRIEF)]
        times = first | {who: again(calls[who], first[who]) for who in hopeful}
        least = min(times.values(), default=0.0)
        if least >= PLAIN:
            self.hopeless |= {who for who, time in times.items() if time > FAR * least}
        return [who for who, time in times.items() if time <= (NEAR if least < LONG else 1.0) * least]


def again(call: Call, first: float) -> float:
    """The least time of some calls, of one that took `first` seconds: what disturbs a call makes it longer."""
    if first >= LONG:
        return first
    return min(first, single(call)) if first >= BRIEF else min(clock(call), clock(call))


def _place(grid: Grid, most: int | None = None) -> np.ndarray:
    """Memory for the largest messages, or for the largest with at most so many numbers each."""
    d = max(grid.d) if most is None else min(most, max(grid.d))
    return np.empty(max(grid.n) * d * max(grid.bits) // 8, np.uint8)
