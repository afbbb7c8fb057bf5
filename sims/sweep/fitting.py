"""Whether the parts of a cell can be made, and go with each other and with n, f and x0."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sims.backend import backend_name
from sims.engine.foreign import check_oracle
from sims.problems import Labelled
from sims.sweep.alternatives import Alternative, Report, culprit
from sims.sweep.lines import Path
from sims.sweep.parts import Part, Parts

At = Mapping[str, int]  # axis → index of its value


class Fitting:
    """Makes each part once and asks each question once; what is wrong is reported once, where it stands."""

    def __init__(self, parts: Parts, report: Report) -> None:
        self._parts, self._report = parts, report
        self._made: dict[Any, Part | None] = {}
        self._asked: dict[Any, bool] = {}
        self._together: dict[Any, bool] = {}

    def part(self, alternative: Alternative, at: At, f: int | None) -> Part | None:
        """The part with its settings at these indices; None if it cannot be made, which is reported."""
        place = (id(alternative), *[at[path] for path in alternative.axes], f if alternative.kind == "rule" else None)
        if place not in self._made:
            given = tuple((one.name, one.values[at[path]]) for path, one in alternative.axes.items())
            try:
                self._made[place] = made = self._parts.part(alternative.kind, alternative.name, given, f or 0)
                named = dataclasses.replace(made, name=alternative.name, given=given)
                if named.settings != made.settings:
                    told = f"{alternative.name} is here what {made.name} is elsewhere, and a table has it once"
                    self._report(alternative.where, f"{told}: give it one name")
            except ValueError as error:
                self._report(culprit(alternative, at, str(error)), str(error))
                self._made[place] = None
        return self._made[place]

    def together(
        self,
        chosen: Mapping[str, Alternative],
        parts: Mapping[str, Part],
        value: Mapping[str, Any],
        place: Callable[[str], Path],
    ) -> bool:
        """Whether all that there is goes together: parts by their kinds, values and their places by their keys."""
        problem, rule, attack = parts.get("problem"), parts.get("rule"), parts.get("attack")
        n, f, x0, backend = value.get("n"), value.get("f"), value.get("x0"), value.get("backend")
        asked = (problem, rule, attack, n, f, x0, backend)
        if asked in self._together:  # as often as cells differ in what is not asked about
            return self._together[asked]
        fit = True
        if problem and not self._ask(("dim", problem), chosen["problem"].where, partial(check_oracle, problem.made)):
            problem, fit = None, False  # for one, because its data are not there
        if rule and n:
            fit &= self._ask(("rule", rule, n), chosen["rule"].where, lambda: rule.made.require(n))
        if problem and attack:
            where = chosen["attack"].where
            fit &= self._ask(("labels", problem, attack), where, lambda: _labels(problem, attack))
            if n and f:
                fit &= self._ask(
                    ("attack", attack, n, f, problem), where, lambda: attack.made.require(n, f, problem.made.dim)
                )
        if problem and isinstance(x0, tuple):
            fit &= self._ask(("x0", problem, x0), place("x0"), lambda: _start(problem, x0))
        if backend is not None:
            fit &= self._ask(("backend", backend), place("backend"), lambda: backend_name(backend))
        self._together[asked] = fit
        return fit

    def _ask(self, place: Any, where: Path, question: Callable[[], Any]) -> bool:
        if place not in self._asked:
            try:
                question()
                self._asked[place] = True
            except ValueError as error:
                self._report(where, str(error))
                self._asked[place] = False
        return self._asked[place]


def _labels(problem: Part, attack: Part) -> None:
    if attack.made.flips_labels and not isinstance(problem.made, Labelled):
        raise ValueError(f"{attack.name} needs a problem with labels, got {problem.name}")


def _start(problem: Part, x0: tuple[float, ...]) -> None:
    if len(x0) != problem.made.dim:
        raise ValueError(f"x0 needs as many numbers as {problem.name} has, d = {problem.made.dim}, got {len(x0)}")
