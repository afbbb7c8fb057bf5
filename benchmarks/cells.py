"""The ratios that the grid of sizes is read for: a cell is a rule at one size, of one type, on arrays or on tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.measure import ratios
from benchmarks.once import parameters
from benchmarks.ratio import PUBLIC, Tracked, fastest, named, our_rules
from benchmarks.rules import READ

MEAN, LEAST, MOST = "mean of all sizes", "least of all sizes", "most beyond L2"
ALL = "all rules"
OURS = {"numpy": "ours", "torch": "ours torch"}  # the kind of messages → how the contender is called
FASTER, SLOWER, OPEN = "faster", "slower", "open"


@dataclass(frozen=True)
class Cell:
    """A rule at n × d numbers of so many `bits`, given as `kind`.

    `public` is the time of the fastest peer over ours, `alike` that of the fastest which takes messages of the same
    kind, and `reads` is our time over that of one read. The first two are None where no peer was measured.
    """

    rule: str
    n: int
    d: int
    bits: int
    kind: str
    public: Tracked | None
    alike: Tracked | None
    reads: Tracked

    @property
    def nbytes(self) -> int:
        """Of the messages."""
        return self.n * self.d * self.bits // 8

    @property
    def at_one_read(self) -> Tracked | None:
        """The time of the fastest peer over that of one read: what a rule would reach that took as long."""
        if self.public is None:
            return None
        values = tuple(a * b for a, b in zip(self.public.values, self.reads.values, strict=True))
        return Tracked(self.public.subject, PUBLIC, values, False, self.public.peer)

    @property
    def verdict(self) -> str:
        """Whether all of the interval is above 1, all below, or neither."""
        low, high = self.public.interval() if self.public else (0.0, 2.0)
        return FASTER if low > 1 else SLOWER if high < 1 else OPEN


def cells(record: Mapping[str, Any]) -> list[Cell]:
    """All cells of a record."""
    return [
        cell
        for table, contenders in record["tables"].items()
        if parameters(table)[0] == "grid"
        for cell in _of_table(record, table, contenders)
    ]


def _of_table(record: Mapping[str, Any], table: str, contenders: Mapping[str, Sequence[float]]) -> Iterator[Cell]:
    at = parameters(table)[1]
    for rule in our_rules(contenders):
        for kind, ours in OURS.items():
            times = contenders.get(f"{rule}/{ours}")
            if times is None:
                continue
            subject = f"{named(rule, {'n': at['n'], 'd': at['d']})}, float{at['bits']}, {kind}"
            public, alike = (
                None if who is None else Tracked(subject, PUBLIC, tuple(ratios(contenders[who], times)), False, who)
                for who in (fastest(record, table, rule), fastest(record, table, rule, takes=kind))
            )
            reads = Tracked(subject, READ, tuple(ratios(times, contenders[READ])), smaller=True)
            yield Cell(rule, at["n"], at["d"], at["bits"], kind, public, alike, reads)


def beyond(record: Mapping[str, Any], cell: Cell) -> bool:
    """Whether the messages are larger than the second-level caches; False where their size is not known."""
    return cell.nbytes > (record["machine"].get("l2_bytes") or np.inf)


def panels(found: Sequence[Cell]) -> list[tuple[int, str]]:
    """The types and kinds that were measured, as (bits, kind)."""
    return list(dict.fromkeys((cell.bits, cell.kind) for cell in found))


def mean_of(subject: str, parts: Sequence[Tracked], against: str) -> Tracked | None:
    """The geometric mean of ratios, process by process; None of none."""
    if not parts:
        return None
    logs = np.log([part.values for part in parts])
    values = tuple(np.exp(logs.mean(axis=0)).tolist())
    return Tracked(subject, against, values, parts[0].smaller)


def of_grid(record: Mapping[str, Any]) -> Iterator[Tracked]:
    """What records are compared by: a mean over sizes for each rule, type and kind, and every cell.

    The cells' ratios to one read are of those beyond the second-level caches: in a cache, a call is no read.
    """
    found = cells(record)
    for rule in dict.fromkeys(cell.rule for cell in found):
        for bits, kind in panels(found):
            those = [cell for cell in found if (cell.rule, cell.bits, cell.kind) == (rule, bits, kind)]
            public = [cell.public for cell in those if cell.public]
            reads = [cell.reads for cell in those if beyond(record, cell)]
            for parts, against in ((public, PUBLIC), (reads, READ)):
                mean = mean_of(f"{rule}, mean of {len(parts)} sizes, float{bits}, {kind}", parts, against)
                if mean is not None:
                    yield mean
    for cell in found:
        if cell.public:
            yield cell.public
        if beyond(record, cell):
            yield cell.reads


def extremes(record: Mapping[str, Any]) -> dict[tuple[str, str], Tracked]:
    """What the grid is held to, by (subject, against): each rule's mean, its least cell, and its most reads of X.

    The extreme cells are chosen by the times that their intervals are of, so by their noise, too: to our disadvantage.
    """
    found, made = cells(record), []
    for rule in dict.fromkeys(cell.rule for cell in found):
        those = [cell for cell in found if cell.rule == rule]
        public = [cell.public for cell in those if cell.public]
        mean = mean_of(f"{rule}, {MEAN}", public, PUBLIC)
        if mean is not None:
            made += [mean, _renamed(f"{rule}, {LEAST}", min(public, key=lambda t: t.median))]
        reads = [cell.reads for cell in those if beyond(record, cell)]
        if reads:
            made.append(_renamed(f"{rule}, {MOST}", max(reads, key=lambda t: t.median)))
    everything = mean_of(f"{ALL}, {MEAN}", [cell.public for cell in found if cell.public], PUBLIC)
    made += [everything] if everything else []
    return {(t.subject, t.against): t for t in made}


def _renamed(subject: str, found: Tracked) -> Tracked:
    return Tracked(subject, found.against, found.values, found.smaller, found.peer)
