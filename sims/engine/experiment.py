"""An experiment: what is simulated, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks import Attack


@dataclass(frozen=True)
class Experiment:
    """The arguments of `simulate` on which the numbers depend, and the leading axes (*grid, runs) of the results."""

    problem: Any
    algorithm: Any
    attack: Attack
    n: int
    f: int
    steps: int
    seed: int
    first_run: int
    shape: tuple[int, ...]
    every: int
