"""Random numbers for rules that draw, where no simulation hands them any."""

from __future__ import annotations

from typing import Any

from sims.backend import Array, namespace
from sims.engine.streams import AnyStreams, Streams


class Draws:
    """What a rule is handed as `rng` for messages `x`, and whether it has drawn from it.

    Run r of the last leading axis has the stream of run `first` + r of `purpose`; messages (n, d) of a single run, with
    no leading axis, get draws (steps, *shape). Two of the same purpose give the same numbers.

    >>> import numpy as np
    >>> rng = Draws("contracts", np.zeros((4, 3, 2)))
    >>> rng.used, rng.uniform(1, (3,)).shape, rng.used
    (False, (1, 4, 3), True)
    """

    def __init__(self, purpose: str, x: Array, first: int = 0) -> None:
        self.alone = x.ndim == 2
        runs = 1 if self.alone else x.shape[-3]
        self.streams: AnyStreams = Streams(0, purpose).runs(first, runs, namespace(x))
        self.used = False

    def normal(self, steps: int, shape: tuple[int, ...] = ()) -> Any:
        """Standard normal draws."""
        return self._drawn(self.streams.normal(steps, shape))

    def uniform(self, steps: int, shape: tuple[int, ...] = ()) -> Any:
        """Uniform draws from [0, 1)."""
        return self._drawn(self.streams.uniform(steps, shape))

    def _drawn(self, values: Any) -> Any:
        self.used = True
        return values[:, 0, ...] if self.alone else values
