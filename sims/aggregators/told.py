"""What rules have in common that are told f, a number of Byzantine workers that they are to bear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sims.aggregators.rule import Promises, StatelessRule
from sims.checked import keep, whole


def require_fewer_than_half(name: str, n: int, f: int) -> None:
    """Raise a `ValueError` in the name of a rule unless n ≥ 2f + 1.

    >>> require_fewer_than_half("TrimmedMean", 5, 2)
    """
    if n < 2 * f + 1:
        raise ValueError(f"{name} needs n ≥ 2f + 1, got n = {n}, f = {f}")


@dataclass(frozen=True)
class ToldF(StatelessRule):
    """A rule that is told f, bears as many, and is the mean at f = 0; a subclass writes `reduce`, and says why it does.

    Raises `ValueError` unless f ≥ 0, and for messages unless n ≥ 2f + 1, or what a subclass needs.
    """

    needs: ClassVar[str] = "n ≥ 2f + 1"
    bears: ClassVar[str] = "f"

    f: int

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)

    @property
    def promises(self) -> Promises:
        """All; the mean at f = 0."""
        return Promises(mean=self.f == 0)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1."""
        require_fewer_than_half(type(self).__name__, n, self.f)

    def breakdown(self, n: int) -> int:
        """The declared f."""
        return self.f
