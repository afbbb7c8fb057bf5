"""Runs beside each other in one vector, some of them far from where squares can be taken: each as the reference."""

from __future__ import annotations

import numpy as np
import pytest

from sims import kernels
from sims.aggregators import RFA, CenteredClipping
from sims.kernels.cpu import round_rules, vectors

pytestmark = pytest.mark.usefixtures("all_are_many")

LARGEST = float(np.finfo(np.float64).max)


def runs(rng, n, d):
    """Messages (8, n, d) and centres (8, d), of a kind of their own in each run."""
    x, v = rng.standard_normal((vectors.LANES, n, d)), rng.standard_normal((vectors.LANES, d))
    for k in range(vectors.LANES):
        match int(rng.integers(9)):
            case 0:
                x[k], v[k] = x[k] * 1e-310, 0
            case 1:
                x[k] = np.clip(x[k], -1, 1) * LARGEST
            case 2:
                x[k, 0] = 1e300
            case 3:
                x[k, 0] = rng.choice([np.nan, np.inf])
            case 4:
                v[k] = np.clip(v[k], -1, 1) * LARGEST
            case 5:
                x[k] = v[k]
            case 6:
                x[k, ::2] = 0
            case 7:
                v[k, 0] = rng.choice([np.nan, np.inf, 0.0])
    return x, v


def lanes(values):
    """Values (8, ...) as the rules of rounds take them, the runs last."""
    found = vectors.zeros(*values.shape[1:])
    found[:] = np.moveaxis(values, 0, -1)
    return found


def close(got, expected):
    size = np.nanmax(np.abs(expected), axis=-1, initial=0, keepdims=True)
    with np.errstate(all="ignore"):
        assert np.all(np.abs(got / 4 - expected / 4) <= 1e-11 * size + 4e-324, where=~np.isnan(expected))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))


@pytest.mark.parametrize("seed", range(60))
def test_every_run_is_that_of_the_reference(seed):
    rng = np.random.Generator(np.random.Philox(seed))
    n, d = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    x, v = runs(rng, n, d)
    taus = rng.choice([0.0, 0.5, 1e-130, 1e-300, 1e-20, 1e200, np.inf], (2, vectors.LANES))
    nus = rng.choice([0.5, 1e-130, 1e-300, 1e-20, 1e130, 1e300, np.inf], vectors.LANES)
    room = [vectors.zeros(n), vectors.zeros(n), vectors.zeros(d)]
    rows, centre, z = lanes(x), lanes(v), vectors.zeros(d)
    with np.errstate(all="ignore"):
        round_rules.clip(rows, centre, lanes(taus.T), *room)
        round_rules.weiszfeld(rows, z, lanes(np.repeat(nus[:, None], 3, axis=1)), *room)
    with kernels.reference():
        close(centre.T, CenteredClipping((taus[0], taus[1]), steps=2).aggregate(x, v))
        close(z.T, RFA(nu=nus).aggregate(x))


def test_a_run_does_not_depend_on_who_is_beside_it():
    rng = np.random.Generator(np.random.Philox(0))
    x, v = runs(rng, 5, 2)
    taus = np.full((2, vectors.LANES), 0.5)

    def clipped(x, v):
        centre = lanes(v)
        with np.errstate(all="ignore"):
            round_rules.clip(lanes(x), centre, lanes(taus.T), vectors.zeros(5), vectors.zeros(5), vectors.zeros(2))
        return centre.T

    together = clipped(x, v)
    for k in range(vectors.LANES):
        alone_x, alone_v = np.zeros_like(x), np.zeros_like(v)
        alone_x[3], alone_v[3] = x[k], v[k]
        np.testing.assert_array_equal(clipped(alone_x, alone_v)[3], together[k])
