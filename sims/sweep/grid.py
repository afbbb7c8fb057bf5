"""From a block of a sweep's file to its cells: which values go with which."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sims.by_name import nearest
from sims.sweep.alternatives import Alternative, Axis, Report, alternatives, axis
from sims.sweep.axes import MOST
from sims.sweep.cell import Cell, own_start
from sims.sweep.fitting import At, Fitting
from sims.sweep.frame import BROKEN
from sims.sweep.lines import Path
from sims.sweep.parts import KINDS, Part, Parts

DEFAULTS: dict[str, Any] = {"seed": 0, "shuffle": False, "attack": "NoAttack"}  # x0 and backend: the problem's own
PLAIN = ("n", "f", "delta", "steps", "every", "seed", "x0", "shuffle", "backend")
NEEDED = {"n", "steps", "shuffle"}
Written = Mapping[str, tuple[Path, Any]]  # key → where it stands, what is there


@dataclass(frozen=True)
class Group:
    """Axes that go together, and their common length; one that an alternative's choice has fixed has length 1."""

    paths: tuple[str, ...]
    indices: Sequence[int]


class Block:
    """The axes of one block, or of a file without blocks: `written` has the block's keys and the defaults.

    What is wrong is reported. What is `BROKEN` has been, and what does not depend on it is checked all the same.
    """

    def __init__(self, where: Path, written: Written, report: Report, parts: Parts) -> None:
        self.where, self.parts, self.report = where, parts, report
        lacking = [key for key in ("n", "steps", "problem", "rule", "optimizer") if key not in written]
        lacking += [] if {"f", "delta"} & written.keys() else ["f (or delta)"]
        if lacking:
            self.report(where, f"a sweep needs {', '.join(lacking)}")
        zips = written.get("zip", (where, []))
        written = {key: (where, value) for key, value in DEFAULTS.items()} | dict(written)
        written = {key: (place, value) for key, (place, value) in written.items() if value is not BROKEN}
        self.axes = {key: axis(key, *written[key], self.report) for key in PLAIN if key in written}
        self.alternatives: dict[str, list[Alternative]] = {
            kind: alternatives(kind, *written[kind], self.report) if kind in written else [] for kind in KINDS
        }
        self.observers = self._observers(*written["observe"]) if "observe" in written else ()
        self.zips = None if zips[1] is BROKEN else self._zips(*zips)
        self._fitting = Fitting(parts, report)

    def _observers(self, where: Path, written: Sequence[Any]) -> tuple[Part, ...]:
        """All that look on, in every cell; a setting of theirs has one value."""
        found = []
        for one in alternatives("observer", where, list(written), self.report):
            for setting in one.axes.values():
                if setting.listed:
                    self.report(setting.where, f"observer.{setting.name} is no axis: an observer has one value of it")
            if one.sound and not any(setting.listed for setting in one.axes.values()):
                made = Fitting(self.parts, self.report).part(one, dict.fromkeys(one.axes, 0), None)
                found += [made] if made is not None else []
        return tuple(found)

    def listed(self) -> dict[str, list[Axis]]:
        """All that a zip can name: axes that are written as lists, and parts of which there is a list, by path."""
        found: dict[str, list[Axis]] = {path: [one] for path, one in self.axes.items() if one.listed}
        for kind, several in self.alternatives.items():
            if any(one.listed for one in several):
                found[kind] = []
            for alternative in several:
                for path, one in alternative.axes.items():
                    if one.listed:
                        found.setdefault(path, []).append(one)
        return found

    def _zips(self, where: Path, written: Sequence[Sequence[str]]) -> Sequence[tuple[str, ...]] | None:
        """The axes that go together; None if something is wrong with them, so that it is not known which cells are."""
        known, seen, faults = self.listed(), set(), 0
        for i, names in enumerate(written):
            if len(names) < 2:
                self.report((*where, i), "a zip needs at least two axes that go together")
                faults += 1
            for k, name in enumerate(names):
                if name not in known:
                    axes = ", ".join(known) or "none"
                    self.report((*where, i, k), f"zip: {name} is no axis{nearest(name, known)} (axes: {axes})")
                if name in seen:
                    self.report((*where, i, k), f"zip: {name} is zipped twice")
                faults += name not in known or name in seen
                seen.add(name)
        if faults or self._choices_count() > MOST:
            return None if faults else [tuple(names) for names in written]
        for i, names in enumerate(written):
            for choice in self._choices():
                lengths = {name: length for name in names if (length := self._length(name, choice))}
                if len(set(lengths.values())) > 1:
                    several = ", ".join(f"{name} has {length}" for name, length in lengths.items())
                    self.report((*where, i), f"zip needs axes of equal length: {several}")
                    return None
        return [tuple(names) for names in written]

    def _choices(self) -> Iterator[tuple[tuple[int, Alternative | None], ...]]:
        """Every choice of a problem, a rule, an attack and an optimizer, with their places in their lists.

        None stands for what has been reported.
        """
        return itertools.product(*(enumerate(self.alternatives[kind] or [None]) for kind in KINDS))

    def _choices_count(self) -> int:
        return math.prod(max(1, len(several)) for several in self.alternatives.values())

    def _length(self, name: str, choice: tuple[tuple[int, Alternative | None], ...]) -> int:
        """The number of values that a zipped axis has under a choice, 0 if it is none there."""
        if name in KINDS:
            return len(self.alternatives[name])
        kind = name.partition(".")[0]
        chosen = choice[KINDS.index(kind)][1] if kind in KINDS else self
        axes = chosen.axes if chosen else {}
        return len(axes[name].values) if name in axes and axes[name].listed else 0

    def count(self) -> int:
        """The number of jobs, equal ones counted again; `MOST` + 1 if there are more."""
        if self.zips is None:
            return 0
        if self._choices_count() > MOST:
            return MOST + 1
        jobs = 0
        for _, groups, seeds in self._grids():
            jobs += math.prod(len(group.indices) for group in groups) * len(seeds)
            if jobs > MOST:
                return MOST + 1
        return jobs

    def _grids(self) -> Iterator[tuple[dict[str, Alternative], list[Group], Sequence[int]]]:
        """For every choice of parts, what is crossed with what, and the seeds of each cell."""
        zips = self.zips or ()
        zipped = {name for names in zips for name in names}
        seeds = self.axes["seed"].values if "seed" in self.axes and "seed" not in zipped else (0,)
        for choice in self._choices():
            chosen = {one.kind: one for _, one in choice if one and one.sound}
            axes = dict(self.axes)
            for alternative in chosen.values():
                axes |= alternative.axes
            together, grids = set(), []
            for names in zips:
                own = tuple(name for name in names if name in axes and axes[name].listed)
                places = {choice[KINDS.index(name)][0] for name in names if name in KINDS}
                if len(places) > 1:
                    break
                indices = tuple(places) or range(len(axes[own[0]].values) if own else 1)
                together |= set(own)
                grids.append(Group(own, indices))
            else:
                free = [path for path in axes if path not in together and path != "seed"]
                grids += [Group((path,), range(len(axes[path].values))) for path in free]
                yield chosen, grids, seeds

    def cells(self) -> Iterator[tuple[tuple[Any, ...], Sequence[int]]]:
        """What a `Cell` is made of, and the seeds; cells that cannot be are reported instead."""
        if self.zips is None:
            return
        for chosen, groups, seeds in self._grids():
            for indices in itertools.product(*(group.indices for group in groups)):
                at = {path: i for group, i in zip(groups, indices, strict=True) for path in group.paths}
                own = (self.axes["seed"].values[at["seed"]],) if "seed" in at else seeds
                if (cell := self._cell(chosen, at)) is not None:
                    yield cell, own

    def _cell(self, chosen: Mapping[str, Alternative], at: At) -> tuple[Any, ...] | None:
        """What a `Cell` is made of; None if something is wrong or missing: what can be checked has been."""
        value = {path: one.values[at[path]] for path, one in self.axes.items() if path in at}
        f = self._byzantine(value, at)
        parts = {
            kind: self._fitting.part(one, at, f) for kind, one in chosen.items() if f is not None or kind != "rule"
        }
        sound = {kind: part for kind, part in parts.items() if part is not None}
        fit = self._fitting.together(chosen, sound, {**value, "f": f}, lambda path: self.axes[path].at(at[path]))
        if not fit or f is None or len(sound) < len(KINDS) or not value.keys() >= NEEDED:
            return None
        made = tuple(sound[kind] for kind in KINDS)
        problem = made[0].made
        every, x0 = value.get("every", value["steps"]), value.get("x0", own_start(problem))
        if isinstance(x0, tuple) and len(set(x0)) == 1:
            x0 = x0[0]  # one number for all coordinates, as an experiment has it
        return (
            made,
            value["n"],
            f,
            value["steps"],
            every,
            x0,
            value["shuffle"],
            value.get("backend", problem.backend),
            self.observers,
        )

    def _byzantine(self, value: Mapping[str, Any], at: At) -> int | None:
        """The true number f of Byzantine workers, if it is one."""
        name = "delta" if "delta" in value else "f"
        if name not in value or "n" not in value:
            return None
        n = value["n"]
        f = value[name] if name == "f" else Fraction(repr(value[name])) * n
        where = self.axes[name].at(at[name])
        if f != int(f):
            self.report(where, f"delta·n must be a whole number f, got {value[name]}·{n} = {float(f):.6g}")
        elif not 0 <= f < n:
            given = "" if name == "f" else f" from delta = {value[name]}"
            self.report(where, f"a sweep needs 0 ≤ f < n, got f = {int(f)}, n = {n}{given}")
        else:
            return int(f)
        return None


def made(blocks: Sequence[Block]) -> tuple[Cell, ...]:
    """The cells of all blocks: equal ones once, with all their seeds in ascending order."""
    seeds: dict[tuple[Any, ...], list[Sequence[int]]] = {}
    for block in blocks:
        for cell, own in block.cells():
            several = seeds.setdefault(cell, [])
            if not any(own is one for one in several):
                several.append(own)
    united: dict[tuple[int, ...], tuple[int, ...]] = {}  # cells of one grid share their seeds

    def tuple_of(several: list[Sequence[int]]) -> tuple[int, ...]:
        place = tuple(map(id, several)) if all(isinstance(one, range) or len(one) > 1 for one in several) else ()
        if not place or place not in united:
            found = tuple(sorted(set(itertools.chain.from_iterable(several))))
            if not place:
                return found
            united[place] = found
        return united[place]

    return tuple(Cell(*cell, seeds=tuple_of(several)) for cell, several in seeds.items())
