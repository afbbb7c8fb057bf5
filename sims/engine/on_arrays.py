"""The rounds of an experiment in arrays of any library, one after the other: whatever compiled rounds do not play."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.backend import Array, Namespace
from sims.engine.checkpoint import Checkpoint, positions, rewind
from sims.engine.experiment import Experiment
from sims.engine.foreign import session_of
from sims.engine.notes import Notes
from sims.engine.record import Record
from sims.engine.round import Played, States
from sims.observers import Seen
from sims.owned import asked, called, named_arrays, ours, received
from sims.problems import Stateful

CHUNK_NUMBERS = 2**21  # random numbers that are held at once unless the caller says otherwise: 16 MiB
PURPOSES = ("sample", "shuffle", "attack", "rule")


@dataclass(frozen=True)
class Progress:
    """Where a run is: after round t of `steps`, and what was measured last, at round `at`: arrays (*grid, runs)."""

    t: int
    steps: int
    at: int
    measures: Mapping[str, np.ndarray]


def play(
    e: Experiment,
    xp: Namespace,
    chunk: int | None = None,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[Progress], object] | None = None,
) -> Record:
    """The record of an experiment, round by round; see `sims.engine.play`."""
    per_step = max(1, e.runs * e.n * math.prod(e.problem.sample_shape))
    size = max(1, min(e.steps, CHUNK_NUMBERS // per_step)) if chunk is None else chunk
    # an attack may send infinities and an algorithm may diverge: both are results, not accidents
    with np.errstate(over="ignore", invalid="ignore"), session_of(e.problem):
        return _Game(e, xp, size, checkpoint, watch).record()


class _Game:
    """An experiment that is being played."""

    def __init__(self, e: Experiment, xp: Namespace, size: int, checkpoint: Checkpoint | None, watch: Any) -> None:
        self.e, self.xp, self.size, self.watch = e, xp, size, watch
        self.configuration = e.configuration  # as it is before anybody can have changed something
        self.round, self.shape = e.round(), (*e.shape, e.problem.dim)
        self.streams = {purpose: e.streams(purpose, xp) for purpose in PURPOSES}
        self.notes = Notes(e.problem)
        self.checkpoint = checkpoint
        kept = checkpoint.load(self.configuration, xp) if checkpoint else None
        if kept is None:
            start = xp.asarray(e.start(), dtype=getattr(xp, e.problem.precision), device=e.problem.device)
            self.states, self.first = self.round.begin(start), 0
            self.notes.measure(self.states)
        else:
            self.states, self.first, self.size = kept.states, kept.first, kept.size
            self.notes.restore(kept.notes)
            rewind(self.streams, kept.positions)

    def record(self) -> Record:
        """Play to the end."""
        while self.first < self.e.steps:
            self._play_chunk()
            self.first += self.size
        return self.notes.record(self.states, self.configuration)

    def _play_chunk(self) -> None:
        """The rounds first + 1, …, first + size, those left out that a checkpoint has behind it."""
        e, count = self.e, min(self.size, self.e.steps - self.first)
        begun = positions(self.streams, ("sample", "shuffle")) if self.checkpoint else {}
        drawing = self.streams["sample"]
        samples = asked("problem", e.problem.draw, drawing, count, e.n, kept=drawing)
        if not isinstance(e.problem, Stateful):
            if not ours(e.problem):
                shape = (count, e.runs, e.n, *e.problem.sample_shape)
                samples = received(called("problem", e.problem), samples, samples, shape, verb="draw")
            samples = self.xp.asarray(samples, device=e.problem.device)
        orders = self._orders(count) if e.shuffle else [None] * count
        for k in range(self.states.algorithm.t - self.first, count):
            here = self._there(begun) if self.checkpoint else {}
            try:
                self._play_round(samples[k, ...], orders[k])
            except KeyboardInterrupt:
                behind = self.states.algorithm.t > self.first + k  # else attack or rule may have drawn for nothing
                self._keep(self._there(begun) if behind else here)
                raise
            if self.checkpoint and self.checkpoint.due():
                self._keep(self._there(begun))

    def _there(self, begun: dict[str, Any]) -> dict[str, Any]:
        """Where the streams are: those of a chunk as a whole at its start, the others where they have come to."""
        return {**begun, **positions(self.streams, ("attack", "rule"))}

    def _play_round(self, sample: Any, order: Any) -> None:
        before, e = self.states, self.e
        attacking, ruling = self.streams["attack"], self.streams["rule"]
        states, played = self.round(before, sample, order, attacking, ruling, self._trying)
        x, t = states.algorithm.x, states.algorithm.t
        if tuple(x.shape) != self.shape:
            raise ValueError(
                f"parameters must broadcast over (*grid, runs) = {self.shape[:-1]}, "
                f"but the iterates became {tuple(x.shape)}"
            )
        notes = self.notes.copy() if self.checkpoint else self.notes
        if e.observers:
            notes.observe(self._observed(before, states, played, sample))
        if t % e.every == 0 or t == e.steps:
            notes.error(self.round.sq_error(played, states.algorithm.aggregate))
            notes.measure(states)
        # at one stroke: whoever is interrupted is before a round or behind it
        self.states, self.notes = states, notes
        if self.watch is not None:
            self.watch(Progress(t, e.steps, *notes.latest()))

    def _trying(self, t: int) -> Any:
        """The stream of trials in round t, at its start; it needs no place in a checkpoint, for it has no past."""
        return self.e.streams(f"trial/{t}", self.xp)

    def _observed(self, before: States, after: States, played: Played, sample: Any) -> dict[str, Array]:
        e, state = self.e, after.algorithm
        seen = Seen(
            t=state.t,
            n=e.n,
            g=e.n - e.f,
            x=before.algorithm.x,
            gradients=played.gradients,
            messages=played.messages,
            aggregate=state.aggregate,
            before=played.before,
            sample=sample,
            memory=before.problem,
            problem=e.problem,
            algorithm=e.algorithm,
            attack=e.attack,
        )
        found: dict[str, Array] = {}
        for observer in e.observers:
            noted = asked("observer", observer.__call__, seen)
            if not ours(observer):
                noted = named_arrays(called("observer", observer), noted, self.shape[:-1], exactly=True)
            if twice := found.keys() & noted.keys():
                raise ValueError(f"two observers note {min(twice)!r}")
            found |= noted
        return found

    def _orders(self, steps: int) -> list[Any]:
        """A uniformly random order of the workers per round and run, (runs, n) each: the ranks of uniform draws."""
        xp = self.xp
        drawn = xp.asarray(self.streams["shuffle"].uniform(steps, (self.e.n,)), device=self.e.problem.device)
        ranks = xp.argsort(drawn, axis=-1, stable=False)
        return [ranks[k, ...] for k in range(steps)]

    def _keep(self, found: dict[str, Any]) -> None:
        if self.checkpoint is not None:
            self.checkpoint.save(self.configuration, self.states, self.first, self.size, self.notes.plain(), found)
