"""Messages of 12 GB: addresses beyond 32 bits, and no copy of them, since almost all of their memory is never written.

What no one writes is the system's page of zeros, so that the test takes hardly any memory; the few columns that are
not zero lie at the beginning, in the middle and at the end, and a rule sees what it sees in those columns alone.
"""

from __future__ import annotations

import numpy as np
import pytest

from sims import kernels
from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, TrimmedMean

N, D, BLOCK = 25, 120_000_000, 1000
BLOCKS = [slice(first, first + BLOCK) for first in (0, D // 2 + 7, D - BLOCK)]


@pytest.fixture(scope="module")
def messages():
    try:
        x = np.zeros((N, D), dtype=np.float32)
    except MemoryError:
        pytest.skip("needs 12 GB of address space: not run here")
    noise = np.random.Generator(np.random.Philox(0)).standard_normal((N, 3 * BLOCK)).astype(np.float32)
    noise[-5:] *= -3
    for k, block in enumerate(BLOCKS):
        x[:, block] = noise[:, k * BLOCK : (k + 1) * BLOCK]
    return x, noise


@pytest.mark.parametrize(
    "rule",
    [Mean(), CoordinateMedian(), TrimmedMean(5), Krum(5), MultiKrum(5), RFA(), CenteredClipping((55.0, 5.0), steps=2)],
    ids=lambda rule: type(rule).__name__,
)
def test_twelve_gigabytes(messages, rule):
    x, noise = messages
    assert x.nbytes == 12_000_000_000
    assert kernels.pays(x)
    found = rule.aggregate(x)
    expected = rule.aggregate(noise)
    np.testing.assert_allclose(np.concatenate([found[block] for block in BLOCKS]), expected, rtol=3e-7, atol=1e-9)
    assert np.count_nonzero(found) == np.count_nonzero(expected)
