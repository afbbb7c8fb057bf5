"""A sentence of the paper that says how an experiment came out, and what comes of it here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from theory.experiments.comparison import LEVEL, Comparison
from theory.experiments.results import NotRunError, Tables

Verdict = Literal["reproduced", "not reproduced", "undecided", "not run"]
VERDICTS: tuple[Verdict, ...] = ("reproduced", "not reproduced", "undecided", "not run")


@dataclass(frozen=True)
class Part:
    """What must hold together for one part of a sentence, such as one setting of many."""

    name: str
    comparisons: tuple[Comparison, ...]

    def holds(self, among: int) -> bool:
        """Whether every comparison holds, as one of `among` parts."""
        return all(one.holds(among) for one in self.comparisons)

    def fails(self, among: int) -> bool:
        """Whether some comparison fails, as one of `among` parts."""
        return any(one.fails(among * len(self.comparisons)) for one in self.comparisons)


@dataclass(frozen=True)
class Seen:
    """What decides a sentence: its parts, how many of them must hold (all, if None), and what is only shown.

    Of m parts, k must hold. That k do is said if k hold at 95 % for m − k + 1 together, and that they do not if m − k +
    1 fail at 95 % for k together (Benjamini and Heller 2008: the probability that either is wrong is at most 5 %).
    """

    parts: tuple[Part, ...]
    needed: int | None = None
    aside: tuple[Comparison, ...] = ()

    @property
    def comparisons(self) -> list[Comparison]:
        """Those of all parts."""
        return [one for part in self.parts for one in part.comparisons]


def each(comparisons: Sequence[Comparison], aside: Sequence[Comparison] = ()) -> Seen:
    """Every comparison a part of its own, all of which must hold."""
    return Seen(tuple(Part(one.what, (one,)) for one in comparisons), aside=tuple(aside))


@dataclass(frozen=True)
class Control:
    """The same rule on tables in which something false was planted: it must come out as one of `expect`."""

    name: str
    plant: Callable[[Tables], Tables]
    expect: tuple[Verdict, ...] = ("not reproduced",)


@dataclass(frozen=True)
class Baseline:
    """What must hold of the same runs for the sentence to mean anything: of the mean, or without an attack."""

    name: str
    look: Callable[[Tables], Seen]


@dataclass(frozen=True)
class Sentence:
    """What the paper says of an experiment, as printed, and the rule that decides it, fixed before the run.

    `look` takes the comparisons from the tables of results, of which `table` is the first, and raises `NotRunError`
    where they lack something. `ours` says that the words of `text` are not the paper's but a reading or an explanation.
    """

    name: str
    where: str
    text: str
    rule: str
    table: str
    look: Callable[[Tables], Seen]
    controls: tuple[Control, ...]
    baselines: tuple[Baseline, ...] = ()
    ours: bool = False
    point: int | None = None

    def __post_init__(self) -> None:
        if not self.controls:
            raise ValueError(f"sentence {self.name} has no control: a rule that cannot fail is a defect")

    def by_the_logs(self, logs: Tables) -> str:
        """How many parts hold on the logs that the authors released, by means alone; empty if they do not tell."""
        try:
            seen = self.look(logs)
        except NotRunError:
            return ""
        holding = sum(all(one.beyond >= 0 for one in part.comparisons) for part in seen.parts)
        worst = min(seen.comparisons, key=lambda one: one.beyond)
        return f"{holding} of {len(seen.parts)} hold" + (f"; farthest off, {worst.said}" if worst.beyond < 0 else "")

    def found(self, tables: Tables) -> Found:
        """What comes of it on these tables."""
        try:
            seen = self.look(tables)
        except NotRunError as error:
            return Found(self, "not run", str(error))
        verdict, because = _decided(seen)
        checked = [_checked(baseline, tables) for baseline in self.baselines]
        failed = next((one for one in checked if one.passed is False), None)
        if failed is not None and verdict != "not run":
            verdict, because = "undecided", f"its control failed, {failed.name}: {failed.saw}"
        if verdict == "reproduced":
            checked += [_planted(self, control, tables) for control in self.controls]
            if missed := next((one for one in checked if one.passed is False), None):
                verdict, because = "undecided", f"a false variant was not noticed, {missed.name}: {missed.saw}"
        return Found(self, verdict, because, seen, tuple(checked), tables[self.table].setting)


@dataclass(frozen=True)
class Checked:
    """What came of a control or baseline; `passed` is None if it was not run."""

    name: str
    saw: str
    passed: bool | None


@dataclass(frozen=True)
class Found:
    """A verdict, why, and what it rests on."""

    sentence: Sentence
    verdict: Verdict
    because: str
    seen: Seen | None = None
    checked: tuple[Checked, ...] = ()
    setting: str = ""

    def record(self) -> dict[str, Any]:
        """As plain JSON."""
        s = self.sentence
        parts = self.seen.parts if self.seen else ()
        return {
            "name": s.name,
            "where": s.where,
            "text": s.text,
            "ours": s.ours,
            "point": s.point,
            "rule": s.rule,
            "verdict": self.verdict,
            "because": self.because,
            "setting": self.setting,
            "comparisons": [_record(part.name, one) for part in parts for one in part.comparisons],
            "controls": [{"name": one.name, "saw": one.saw, "passed": one.passed} for one in self.checked],
        }


def _record(part: str, one: Comparison) -> dict[str, Any]:
    half = one.half()
    return {
        "part": part,
        "what": one.what,
        "seeds": list(one.values),
        "values": list(one.values.values()),
        "mean": one.mean,
        "half": half if math.isfinite(half) else None,
        "relation": one.relation,
        "bound": one.bound,
    }


def _decided(seen: Seen) -> tuple[Verdict, str]:
    """The verdict of what was seen, and a sentence with the comparison that decides."""
    every = seen.comparisons
    lost = [one for one in every if not math.isfinite(one.mean)]
    if lost or not every:
        return "not run", f"{lost[0].what}: no number in some run" if lost else "nothing to compare"
    needed = len(seen.parts) if seen.needed is None else seen.needed
    others = len(seen.parts) - needed + 1
    holding = sum(part.holds(others) for part in seen.parts)
    failing = sum(part.fails(needed) for part in seen.parts)
    nearest = min(every, key=lambda one: one.beyond)
    weakest = sorted((min(p.comparisons, key=lambda one: one.beyond) for p in seen.parts), key=lambda one: -one.beyond)
    told = f"{holding} of {len(seen.parts)} hold"
    told += f" ({needed} needed)" if needed < len(seen.parts) else ""
    if holding >= needed:
        return "reproduced", f"{told}; weakest of these, {weakest[needed - 1].said}"
    if failing >= others:
        return "not reproduced", f"{told}, {failing} surely not; farthest off, {nearest.said}"
    if any(len(one.values) < 2 for one in every):
        return "undecided", f"one seed has no interval; weakest, {weakest[needed - 1].said}"
    unsure = [part for part in seen.parts if not part.holds(others) and not part.fails(needed)]
    open_ones = [(part, one) for part in unsure for one in part.comparisons if not one.holds(others)]
    part, one = min(open_ones, key=lambda pair: pair[1].beyond)
    among = others if one.beyond >= 0 else needed * len(part.comparisons)
    together = " for all together" if among > 1 else ""
    return "undecided", f"{told}, {failing} surely not; open at {100 * LEVEL:g} %{together}, {one.said_among(among)}"


def _checked(baseline: Baseline, tables: Tables) -> Checked:
    try:
        verdict, because = _decided(baseline.look(tables))
    except NotRunError as error:
        return Checked(baseline.name, f"not run: {error}", None)
    return Checked(baseline.name, because, None if verdict == "not run" else verdict == "reproduced")


def _planted(sentence: Sentence, control: Control, tables: Tables) -> Checked:
    try:
        verdict, because = _decided(sentence.look(control.plant(tables)))
    except NotRunError as error:
        return Checked(control.name, f"not run: {error}", None)
    return Checked(control.name, f"{verdict}: {because}", verdict in control.expect)
