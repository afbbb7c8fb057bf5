"""A ratio with its value in every process, and which contender of a table it is taken against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.measure import interval

Contenders = Mapping[str, Sequence[float]]
PUBLIC = "fastest public"
TAIL = 0.005  # on each side of an interval that is printed: 99 %


@dataclass(frozen=True)
class Tracked:
    """A ratio: `subject` and `against` say of what, `values` has one for each process.

    `smaller` says whether smaller is better; `peer` is the contender that it is taken against, if that is not ours.
    """

    subject: str
    against: str
    values: tuple[float, ...]
    smaller: bool
    peer: str = ""

    @property
    def median(self) -> float:
        """Of the processes."""
        return float(np.median(self.values))

    def interval(self, tail: float = TAIL) -> tuple[float, float]:
        """Of the median."""
        return interval(self.values, tail)


def fastest(record: Mapping[str, Any], table: str, rule: str, prefix: str = "", takes: str = "") -> str | None:
    """The fastest peer (median) that computes what `rule` does, as "rule/who".

    `prefix` picks a kind of contender, `takes` those that take arrays ("numpy") or tensors ("torch").
    """
    contenders = record["tables"][table]
    found = [
        who
        for who in public(contenders, rule)
        if who.split("/")[1].startswith(prefix) and not differs(record, table, who)
        if not takes or (who.split("/")[1].split()[-1] == "torch") == (takes == "torch")
    ]
    return min(found, key=lambda who: float(np.median(contenders[who])), default=None)


def public(contenders: Iterable[str], rule: str) -> list[str]:
    """Everybody's implementation of the rule but ours."""
    return [who for who in contenders if who.startswith(f"{rule}/") and not who.startswith(f"{rule}/ours")]


def differs(record: Mapping[str, Any], table: str, who: str) -> str:
    """What a contender computes otherwise; empty if nothing."""
    return record["differs"].get(table.partition(" ")[2], {}).get(who, "")


def our_rules(contenders: Iterable[str]) -> list[str]:
    """The rules that a table has."""
    return [who.removesuffix("/ours") for who in contenders if who.endswith("/ours")]


def named(rule: str, at: Mapping[str, int]) -> str:
    """A rule at the sizes of its table."""
    sizes = ", ".join(f"{name} = {value}" for name, value in at.items() if name != "f")
    return f"{rule}, {sizes}"
