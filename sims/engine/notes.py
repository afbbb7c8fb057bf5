"""What is noted while an experiment is played, until it is a record."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sims.backend import Array, namespace, to_numpy
from sims.engine.foreign import ForeignProblem
from sims.engine.record import Record
from sims.engine.round import States
from sims.owned import ours
from sims.problems import Oracle, Stateful

MEASURED_NUMBERS = 2**13  # coordinates of iterates that are measured at once, more only if one round has more


class Notes:
    """Collects what `Record` holds where it was computed; it is fetched at the end, so that no round waits for it.

    Iterates are measured many at a time: a round's own are few numbers, and calls would cost more than they. What an
    oracle with a memory measures is fetched at once.
    """

    def __init__(self, problem: Oracle) -> None:
        self.problem = problem
        self.asking: Any = problem if ours(problem) else ForeignProblem(problem)
        self.times: list[int] = []
        self.waiting: list[Array] = []  # iterates that are not measured yet
        # pieces of what a record holds, each with an axis of times in front
        self.parts: list[Mapping[str, Array]] = []
        self.errors: list[Array] = []
        self.means: list[Mapping[str, np.ndarray]] = []  # of what observers noted since the time before
        self.sums: dict[str, np.ndarray] = {}
        self.counts: dict[str, np.ndarray] = {}

    def copy(self) -> Notes:
        """The same so far, to be continued on its own."""
        found = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict):
                setattr(found, name, copy.copy(value))
        return found

    def measure(self, states: States) -> None:
        """Note an iterate."""
        state = states.algorithm
        self.times.append(state.t)
        if isinstance(self.problem, Stateful):
            measured = self.asking.measure_in(state.x, states.problem)
            self.parts.append({name: np.asarray(to_numpy(values))[None] for name, values in measured.items()})
        else:
            self.waiting.append(state.x)
            if len(self.waiting) * math.prod(state.x.shape) >= MEASURED_NUMBERS:
                self._measure()
        if state.t and (self.sums or self.means):
            self.means.append({name: _mean(self.sums[name], self.counts[name])[None] for name in self.sums})
            self.sums, self.counts = {}, {}

    def error(self, sq_error: Array) -> None:
        """Note the squared error of an aggregate."""
        self.errors.append(sq_error[None, ...])

    def observe(self, noted: Mapping[str, Array]) -> None:
        """Add what observers noted of a round to what they noted since the last recorded time."""
        if self.means and noted.keys() != self.means[0].keys():
            raise ValueError(f"observers must note the same in every round, got {', '.join(sorted(noted))}")
        for name, values in noted.items():
            new = np.asarray(to_numpy(values), dtype=np.float64)
            there = ~np.isnan(new)
            self.sums[name] = self.sums.get(name, 0.0) + np.where(there, new, 0.0)
            self.counts[name] = self.counts.get(name, 0) + there

    def latest(self) -> tuple[int, Mapping[str, np.ndarray]]:
        """The time that was measured last, and what was measured, which may wait for iterates of other rounds."""
        if self.waiting:
            self._measure()
        return self.times[-1], {name: _fetched(values[-1, ...]) for name, values in self.parts[-1].items()}

    def _measure(self) -> None:
        x = namespace(*self.waiting).stack(self.waiting)
        self.waiting = []
        self.parts.append(self.asking.measure(x))

    def plain(self) -> dict[str, Any]:
        """Everything, in lists and arrays, from which `restore` makes it again.

        What was noted at many times becomes one piece before: a file of as many arrays takes seconds to write.
        """
        if self.waiting:
            self._measure()
        self.parts, self.means = _one_of_each(self.parts), _one_of_each(self.means)
        self.errors = [_one(self.errors)] if self.errors else []
        return {name: value for name, value in vars(self).items() if name not in ("problem", "asking", "waiting")}

    def restore(self, plain: Mapping[str, Any]) -> None:
        """Go on from what `plain` was."""
        for name, value in plain.items():
            setattr(self, name, value)

    def record(self, states: States, configuration: dict[str, Any]) -> Record:
        """All that was noted; there is an error, for every experiment has a last round."""
        if self.waiting:
            self._measure()
        [measures], observed = _one_of_each(self.parts), next(iter(_one_of_each(self.means)), {})
        measures, observed = ({name: _fetched(one) for name, one in found.items()} for found in (measures, observed))
        x = _fetched(states.algorithm.x)
        return Record(np.array(self.times), measures, _fetched(_one(self.errors)), x, configuration, observed)


def _mean(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _one_of_each(pieces: Sequence[Mapping[str, Array]]) -> list[Mapping[str, Array]]:
    """Pieces with the same names as one, or none if there are none."""
    return [{name: _one([piece[name] for piece in pieces]) for name in pieces[0]}] if pieces else []


def _one(arrays: Sequence[Array]) -> Array:
    """Arrays along their first axis as one, where they are."""
    return namespace(arrays[0]).concat(arrays) if len(arrays) > 1 else arrays[0]


def _fetched(array: Array) -> np.ndarray:
    """An array of its own on the host."""
    return np.array(to_numpy(array))
