"""The CUDA kernels, emulated, at the edges of their thresholds: the search of `edges` with their sizes."""

from __future__ import annotations

import pytest
from edges import LAYOUTS, case, check
from on_device import ONE_ORDER, compiled

from sims.kernels.cuda import centres, distances

CASES, PARTS = 160, 4
WORKERS = (1, 2, 7, 33)  # each is compiled for each rule; 33: one more than a tile
UNITS = (
    centres.SHORT,
    centres.CHUNK,
    centres.THREADS,
    centres.WEIGHERS,
    distances.SHORT,
    distances.LEAST,
    64,  # up to which the short kernels take fewer threads
)


def size(rng, n, itemsize):
    return max(1, int(rng.choice(UNITS)) + int(rng.integers(-1, 2)))


@compiled
@ONE_ORDER
@pytest.mark.parametrize("part", range(PARTS))
def test_cuda_kernels_at_the_edges(device, part):
    layouts = tuple(name for name in LAYOUTS if "tensor" not in name and name != "unaligned")
    for seed in range(part, CASES, PARTS):
        c = case(seed, WORKERS, layouts, size)
        assert check(c, on_host=False) or c.plain.size == 0
