"""What a checked statement is made of: claims, each with its check and the controls of that check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from sims.checks.evidence import Evidence, Verdict

Side = Literal["printed", "corrected", "point"]

BUDGETS: Mapping[str, float] = {"quick": 0.125, "default": 1.0, "full": 8.0}
FALSE_ALARM = 1e-6  # a whole run's probability of a wrong "refuted", at most
SHARE = 1e-9  # what each sampled interval takes of it


@dataclass
class Context:
    """What a check may depend on: the budget, the seed and the array library. Everything else it computes."""

    stem: str
    claim: str
    budget: str = "default"
    seed: int = 0
    backend: str = "numpy"
    intervals: int = field(default=0, init=False)

    @property
    def alpha(self) -> float:
        """The false-alarm probability of one sampled interval; each reading takes one share of the run's budget."""
        self.intervals += 1
        return SHARE

    def scaled(self, count: int) -> int:
        """`count` samples or evaluations at the default budget, an eighth of them when quick, eight times when full."""
        return max(1, round(count * BUDGETS[self.budget]))

    def stream(self, purpose: str) -> tuple[int, str]:
        """(seed, purpose) for `sims.engine.streams.Streams`, distinct for every claim."""
        return self.seed, f"{self.stem}/{self.claim}/{purpose}"

    def asarray(self, values: Any) -> Any:
        """`values` in float64 on the chosen backend."""
        from sims.backend import get_namespace

        xp = get_namespace(self.backend)
        return xp.asarray(np.asarray(values, dtype=np.float64))


Check = Callable[..., Iterable[Evidence]]


@dataclass(frozen=True)
class Control:
    """The same check with a replaced claim or component, and what must come of it.

    A claim that stands is controlled by variants that must be refuted; a claim that is refuted also by a variant that
    must survive, so that refuting is not the check's habit.
    """

    name: str
    because: str
    replace: Mapping[str, Any]
    expect: Literal["refuted", "survives"] = "refuted"

    def caught(self, verdict: Verdict) -> bool:
        """Whether the verdict of the replaced check is the expected one."""
        return verdict == "refuted" if self.expect == "refuted" else verdict in ("holds", "supported")


@dataclass(frozen=True)
class Claim:
    """One claim: a sentence, what it says something about, the check that decides it and the controls of that check.

    A claim that stands is expected to be near what is measured: with its claimed side a quarter nearer some evidence
    refutes it. One that is not so says in `loose` why, and then needs a control that changes what is *measured*, by a
    dropped assumption or a replaced component (`tests/test_checks_can_fail.py`).
    """

    name: str
    text: str
    about: tuple[Side, ...]
    check: Check
    controls: tuple[Control, ...]
    point: int | None = None  # the number of the open point that this claim settles
    loose: str | None = None  # why the claimed side is far from what is measured

    def __post_init__(self) -> None:
        if not self.controls:
            raise ValueError(f"claim {self.name} has no control: a check that cannot fail is a defect")
        if ("point" in self.about) != (self.point is not None):
            raise ValueError(f"claim {self.name} needs a point number exactly when it is about a point")


@dataclass(frozen=True)
class Statement:
    """A numbered statement of the paper with its claims. `data` computes what its figure draws.

    A statement of this suite's own, beyond the paper, has no `printed` text, and its own in `corrected`.
    """

    stem: str
    label: str
    title: str
    printed: str | None
    corrected: str | None
    claims: tuple[Claim, ...]
    data: Callable[[Context], dict[str, Any]] | None = None

    def __post_init__(self) -> None:
        names = [claim.name for claim in self.claims]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.stem}: claim names must differ, got {', '.join(names)}")
        if self.ours and (self.corrected is None or any("printed" in claim.about for claim in self.claims)):
            raise ValueError(
                f"{self.stem}: without a printed text it needs a corrected one and no claim about the print"
            )

    @property
    def ours(self) -> bool:
        """Whether the paper has no such statement."""
        return self.printed is None
