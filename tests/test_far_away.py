"""Where rules rest under messages from far away: the equations beside the rules themselves, on many samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sims.aggregators import CenteredClipping, CoordinateMedian, TrimmedMean
from theory.beyond_time_coupled_attacks.far_away import clipping_rests, median_rests, trimmed_mean_rests


@pytest.mark.parametrize(("radius", "d"), [(0.3, 1), (1.0, 3), (2.0, 10), (20.0, 10)])
def test_clipping_rests_where_the_rule_itself_does(radius, d):
    """2·10⁵ honest messages around that place and a quarter as many far away: one step from 0 stays at 0."""
    a, g, f = clipping_rests(radius, d, 0.25), 200_000, 50_000
    honest = np.random.default_rng(0).standard_normal((g, d))
    honest[:, 0] += a
    far = np.zeros((f, d))
    far[:, 0] = -1e9
    moved = CenteredClipping(radius).aggregate(np.concatenate([honest, far]), state=np.zeros(d))
    # Σ of g independent vectors over n: the variance of a clipped one is at most its radius² and at most d
    deviations = 6 * min(radius, math.sqrt(d)) * math.sqrt(g) / (g + f)
    assert np.linalg.norm(moved) < deviations
    pushed = honest + np.eye(d)[0] * 0.1 * min(1, radius)
    away = CenteredClipping(radius).aggregate(np.concatenate([pushed, far]), state=np.zeros(d))
    assert away[0] > deviations


@pytest.mark.parametrize("share", [1 / 19, 0.25, 2 / 3])
def test_the_median_and_the_trimmed_mean_rest_where_the_rules_do(share):
    g = 200_000
    f = round(share * g)
    honest = np.random.default_rng(1).standard_normal((g, 1))
    sent = np.concatenate([honest, np.full((f, 1), -1e9)])
    for rule, rests in ((CoordinateMedian(), median_rests(share)), (TrimmedMean(f), trimmed_mean_rests(share))):
        assert -rule.aggregate(sent)[0] == pytest.approx(rests, abs=0.02)


def test_clipping_refuses_to_rest():
    for radius, share in ((0.0, 0.5), (1.0, 1.0), (math.nan, 0.5)):
        with pytest.raises(ValueError, match="clipping rests for τ/s > 0 and 0 < f/g < 1"):
            clipping_rests(radius, 3, share)
