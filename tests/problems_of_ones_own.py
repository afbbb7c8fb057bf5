"""Problems of somebody's own, as tests need them."""

from __future__ import annotations

from dataclasses import dataclass

from sims.problems import Oracle


@dataclass(frozen=True)
class Noise(Oracle):
    """Two coordinates of nothing but noise."""

    @property
    def dim(self):
        return 2

    @property
    def sample_shape(self):
        return (2,)

    def draw(self, streams, steps, n):
        return streams.normal(steps, (n, 2))

    def oracle(self, x, sample, honest=None):
        return sample

    def measure(self, x):
        return {"excess": x[..., 0]}


@dataclass(frozen=True)
class Measuring(Noise):
    """It measures its first coordinate under a name."""

    name: str = "first"

    def measure(self, x):
        return {self.name: x[..., 0]}
