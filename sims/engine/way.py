"""How an experiment is played, and why not by compiled rounds: one answer, by which it is played as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ON_CPU, ON_DEVICE, BY_ARRAYS = "compiled rounds on the CPU", "compiled rounds on the device", "array by array"


@dataclass(frozen=True, eq=False)
class Way:
    """The way that an experiment takes through the engine: `by` what it is played, and `reasons` if not compiled.

    `reasons` has a sentence for each part or setting that has no place in compiled rounds: all of them that can be
    told, so that whoever removes them has compiled rounds. It is empty just if there is a `program` to be played. As a
    text it is a line for what plays, and one for each reason.

    >>> print(Way(BY_ARRAYS, reasons=("the problem Own declares no step of compiled rounds",)))
    array by array
      the problem Own declares no step of compiled rounds
    """

    by: str
    program: Any = None  # a `sims.engine.program.Program`
    reasons: tuple[str, ...] = ()

    @property
    def compiled(self) -> bool:
        """Whether compiled rounds play it."""
        return self.program is not None

    def __str__(self) -> str:
        """What plays, and the reasons below."""
        return "\n  ".join([self.by, *self.reasons])
