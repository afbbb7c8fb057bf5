"""ROP, the relocated orthogonal perturbation: relocation as it was published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from sims.attacks.relocation import Relocation
from sims.kernels.in_rounds import AttackInRounds


@dataclass(frozen=True, eq=False)
class ROP(Relocation):
    """All Byzantine workers send the last aggregate, pushed sideways (ROP; Özfatura et al. 2024).

    `Relocation` with the settings of the code released with *Byzantines can also Learn from History* (IEEE TIFS 2024,
    arXiv 2208.09894): from the last aggregate itself (their π = `mix` = 1), at the `angle` of 90 degrees from the
    reference 0.9·(last aggregate) + 0.1·mean_G (their λ = `reference`), at the `radius` 1 (their z; left to a formula
    it is that of `alie_z`). In the first round, when nothing was aggregated, the reference is along mean_G, as theirs.
    On the line nothing is orthogonal: it raises `ValueError` there, unless the angle is a multiple of 180.
    """

    radius: Any = 1.0
    reference: Any = 0.9

    @classmethod
    def example(cls, n: int, f: int) -> Self:
        """As published."""
        return cls()

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """As `Relocation`."""
        return super().in_rounds(n, f)
