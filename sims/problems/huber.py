"""The Huber function, with gradient noise that is a wave with a random phase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sims.backend import Array, namespace
from sims.kernels.in_rounds import ProblemInRounds, Slope
from sims.problems.oracle import at_points
from sims.problems.sinusoidal import PhaseNoise


class Huber(PhaseNoise):
    """½x² for |x| ≤ 1, |x| − ½ beyond, coordinate by coordinate, with the noise s·sin(x + ξ): convex, L = 1."""

    reals: ClassVar[Mapping[str, int]] = PhaseNoise.reals

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds:
        """A clipped gradient and a wave."""
        return self._in_rounds(Slope.CLIPPED)

    @property
    def mu(self) -> float:
        """0: convex, but linear far out."""
        return 0.0

    @at_points
    def excess(self, x: Array) -> Array:
        """Σ_j of c|x_j| − ½c², c = min(1, |x_j|)."""
        xp = namespace(x)
        size = xp.abs(x)
        short = xp.minimum(size, xp.ones_like(size))
        return xp.sum(short * (size - 0.5 * short), axis=-1)

    @at_points
    def gradient(self, x: Array) -> Array:
        """Each coordinate clipped to [−1, 1]."""
        return namespace(x).clip(x, -1.0, 1.0)
