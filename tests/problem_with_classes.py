"""A problem on the host whose samples have classes, as an image has one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from sims.problems import Oracle


@dataclass(frozen=True)
class Blobs(Oracle):
    """f(x) = ½E‖x − ξ‖²; ξ lies around the centre of its class, 4e_k; classes have the shares ½, ¼, …, the last twice.

    A sample is what decides the class, uniform on [0, 1), and the place, the first of `batch` images that are all the
    same.
    """

    classes: int = 3
    size: int = 6
    batch: int = 1
    spread: float = 0.1

    @property
    def dim(self):
        return self.size

    @property
    def sample_shape(self):
        return (1 + self.size,)

    def draw(self, streams, steps, n):
        sample = streams.normal(steps, (n, 1 + self.size))  # of one kind: chunks are the same
        sample[..., 0] = ndtr(sample[..., 0])
        return sample

    def labels(self, sample, memory, honest):
        own = np.minimum((-np.log2(1 - sample[..., :1])).astype(int), self.classes - 1)
        return np.repeat(own, self.batch, axis=-1)

    def oracle(self, x, sample, honest=None, flip=False):
        centres = 4 * np.eye(self.classes, self.size)[self.labels(sample, (), honest)[..., 0]]
        return x[..., None, :] - centres - self.spread * sample[..., 1:]

    def measure(self, x):
        return {"sq": np.sum(x**2, axis=-1)}
