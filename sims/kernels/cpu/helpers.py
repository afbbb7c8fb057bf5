"""Helpers for compiled calls of microseconds: threads that look for work for a moment before they sleep."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
from numba import types

from sims.kernels.cpu import openmp, threads
from sims.kernels.cpu.team import ASLEEP, FREE, LINE, MOST, PATIENCE, STATE, WORDS, serve

SHORTEST = 8.0  # µs of one thread's work from which on it is shared with helpers that are awake
WORTH_WAKING = 60.0  # µs from which on helpers are woken for it: that takes 30 and they come 30 later
SOON = 5e-4  # seconds after which the next call may be one of many: then helpers are woken for the next but one
PART = 2.0  # µs of a part at least
PARTS = 4  # for each thread, at most
EIGHT, CHUNK = 8, 2**14  # chunks of few coordinates, and coordinates of a chunk of many


class _Helper:
    """A thread that does what is posted in its box."""

    def __init__(self, box: np.ndarray) -> None:
        self._box, self._called = box, threading.Semaphore(0)
        serve.compile((types.Array(types.int64, 1, "C"), types.int64))  # not meanwhile, when the program may end
        threading.Thread(target=self._live, name="helper", daemon=True).start()

    def wake(self) -> None:
        """Have it look for work, if it sleeps."""
        if self._box[STATE] == ASLEEP:
            self._box[STATE] = FREE
            self._called.release()

    def _live(self) -> None:
        while True:
            self._called.acquire()
            serve(self._box, PATIENCE)


_room = np.zeros((MOST + 1) * WORDS, np.int64)
_boxes = _room[-_room.ctypes.data % LINE // 8 :][: MOST * WORDS].reshape(MOST, WORDS)  # each in a line of its own
_team: list[_Helper] = []
_starting = threading.Lock()
_last, _cores, _limits = 0.0, 1, 0  # when a team was asked for, and what there was then


def team(microseconds: float) -> tuple[int, np.ndarray]:
    """For work that takes one thread so long: in how many parts, and the boxes of helpers, as `team.each` takes them.

    Helpers that sleep are woken if the work is long, or if one call follows the other.
    """
    global _last, _cores, _limits
    if microseconds < SHORTEST:
        return 1, _boxes[:0]
    now = time.perf_counter()
    soon, _last = now - _last < SOON, now
    if not soon or _limits != threads.limits:
        _cores, _limits = threads.count(), threads.limits
    helpers = min(_cores - 1, int(microseconds / SHORTEST), MOST)
    if helpers < 1:
        return 1, _boxes[:0]
    parts = min(int(microseconds / PART), PARTS * (helpers + 1))
    if (others := openmp.threads()) > 1:
        return parts, openmp.box(min(others, helpers + 1))
    if len(_team) < helpers:
        _enlarge(helpers)
    if soon or microseconds > WORTH_WAKING:
        for k in range(helpers):
            _team[k].wake()
    return parts, _boxes[:helpers]


def strips_of_chunk(d: int, strip: int) -> int:
    """How many strips of d coordinates are summed up together: an eighth of them, and no more than fit in a cache.

    It depends on nothing but d, and so do the sums.
    """
    return min(max(1, -(-d // (EIGHT * strip))), CHUNK // strip)


def _enlarge(helpers: int) -> None:
    with _starting:
        while len(_team) < helpers:
            _team.append(_Helper(_boxes[len(_team)]))


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _starting
    _starting = threading.Lock()
    _team.clear()
    _boxes[:] = 0
    openmp.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
