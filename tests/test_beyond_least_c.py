"""The least c by other routes: enumeration of arrays in order, laws at random, and the rules as they run."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims

from sims.aggregators import TrimmedMean
from sims.checks.two_point import error_table, search_c
from theory.beyond_least_c import STATEMENT
from theory.beyond_least_c.above import MIDDLE, c_on_law, certified
from theory.beyond_least_c.below import AT_LEAST
from theory.beyond_least_c.copies import forms, positive, quadratic, upper_weights
from theory.beyond_least_c.exact import trimmed_mean_c
from theory.beyond_least_c.game import PARTS, Game, chances, multisets, needed, places_of, spread
from theory.beyond_least_c.laws import IDENTICAL, INDEPENDENT
from theory.beyond_least_c.two_copies import ALPHA, BETA, error_form, orders, spread_forms
from theory.definition_c_robust_aggregator.constants import finite_floor
from theory.theorem_iii_limits.least_error import anywhere, least_error


def test_verdicts_and_controls():
    check_claims(STATEMENT, {"clipping_needs_more": "supported"})


def in_order(rows, f, kernel, sign):
    """One case, array by array: who is Byzantine and which good worker has which law are drawn, too."""
    g, at = len(rows), places_of(rows)
    chance = {counts: i for i, counts in enumerate(chances(rows))}
    choices = multisets(len(at), f)
    total = math.factorial(g) * math.comb(g + f, f) * sum(rows[0]) ** g * PARTS
    for bad in anywhere(g + f, f):
        good = [i for i in range(g + f) if i not in bad]
        for order in itertools.permutations(range(g)):
            for places in itertools.product(range(len(at)), repeat=g):
                weight = math.prod(rows[order[i]][p] for i, p in enumerate(places))
                counts = tuple(places.count(p) for p in range(len(at)))
                for b, part in zip(choices, kernel[chance[counts]] if weight else (), strict=bool(weight)):
                    arranged = sorted(set(itertools.permutations([p for p, k in enumerate(b) for _ in range(k)])))
                    for byzantine in arranged if part else ():
                        row = [0] * (g + f)
                        for i, p in zip([*good, *bad], [*places, *byzantine], strict=True):
                            row[i] = sign * at[p]
                        mean = Fraction(sign * sum(at[p] for p in places), g)
                        yield tuple(row), mean, Fraction(weight * int(part), total * len(arranged))


@pytest.mark.parametrize(
    ("rows", "f"),
    [(((3, 1, 0), (0, 1, 3)), 1), (((1, 1, 0),) * 2, 1), (((1, 2, 1), (4, 0, 0), (0, 3, 1)), 1), (((2, 1),) * 3, 2)],
)
def test_array_by_array(rows, f):
    """The bound is the least error of rules that see the whole array, enumerated by Theorem III's program."""
    game = Game.of(rows, f)
    kernel = game.kernel()
    parts = np.floor(kernel * PARTS).astype(int)
    parts[np.arange(len(parts)), parts.argmax(axis=1)] += PARTS - parts.sum(axis=1)
    enumerated = least_error([in_order(rows, f, parts, sign) for sign in (1, -1)])
    bound = game.least_error(kernel) / len(rows) ** 2
    assert bound <= enumerated
    assert float(bound) == pytest.approx(float(enumerated), rel=1e-4)


def test_the_spread_and_the_chances_of_a_law():
    rows = ((1, 2, 1), (0, 4, 0), (3, 0, 1))
    x = np.random.default_rng(0).random((200_000, 3))
    drawn = np.stack(
        [np.array(places_of(rows))[np.searchsorted(np.cumsum(r) / 4, x[:, i])] for i, r in enumerate(rows)]
    )
    apart = max(np.mean((drawn[i] - drawn[j]) ** 2) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert float(spread(rows)) == pytest.approx(apart, rel=0.02)
    assert sum(chances(rows).values()) == 4**3


def test_where_it_is_known():
    for n, f in ((3, 1), (9, 1), (5, 2), (9, 4)):
        assert finite_floor(n, f) == pytest.approx(float(trimmed_mean_c(n, f)), rel=1e-4)
    for n, f in AT_LEAST:
        assert finite_floor(n, f) < float(AT_LEAST[n, f][1]) < float(AT_LEAST[n, f][0]) < float(trimmed_mean_c(n, f))


@pytest.mark.parametrize("size", AT_LEAST)
def test_no_side_contradicts_the_other(size):
    n, f = size
    assert all(len(laws[size]) == n - f for laws in (INDEPENDENT, IDENTICAL))
    assert all(len({sum(row) for row in laws[size]}) == 1 for laws in (INDEPENDENT, IDENTICAL))
    assert needed(IDENTICAL[size], f) < certified(n, f) < trimmed_mean_c(n, f)
    assert needed(IDENTICAL[size], f) <= c_on_law(MIDDLE[size].shares, IDENTICAL[size], f) <= certified(n, f)
    equal = [Fraction(1, n - 2 * f)] * (n - 2 * f)
    assert needed(INDEPENDENT[size], f) <= c_on_law(equal, INDEPENDENT[size], f) <= trimmed_mean_c(n, f)


def test_the_trimmed_mean_on_two_values():
    """`c_on_law` with equal weights is what the rule itself is seen to need on the law that its search finds."""
    found, law = search_c(error_table(TrimmedMean(2), 6, 2), 2 / 6)
    rows = tuple((round(1000 * (1 - p)), round(1000 * p)) for p in [law.p] * law.m + [law.q] * (4 - law.m))
    assert float(c_on_law([Fraction(1, 2)] * 2, rows, 2)) == pytest.approx(found, rel=0.01)


def test_the_form_of_gaps_against_laws_at_random():
    """E of the quadratic bound over g of M copies, drawn one by one, and of the squared distance."""
    n, f, copies = 7, 2, 7
    up = upper_weights(n, f, MIDDLE[n, f].shares)
    error, distance = forms(n - f, copies, quadratic(up, Fraction(1, 5)))
    rng = np.random.default_rng(1)
    z = np.sort(rng.random(copies))
    gaps = np.diff(z)
    bounds = []
    for chosen in itertools.combinations(range(copies), n - f):
        h = z[list(chosen)]
        w = np.array(MIDDLE[n, f].shares, dtype=float)
        a, b = w @ h[f:] - h.mean(), h.mean() - w @ h[: n - 2 * f]
        bounds.append((a**2 + b**2) / 2 + ((a + b) ** 2 / 5 + 5 * (a - b) ** 2) / 4)
        assert max(a**2, b**2) <= bounds[-1] * (1 + 1e-12)
    pairs = [(z[j] - z[i]) ** 2 for i, j in itertools.combinations(range(copies), 2)]
    assert gaps @ error.astype(float) @ gaps == pytest.approx(np.mean(bounds))
    assert gaps @ distance.astype(float) @ gaps == pytest.approx(np.mean(pairs))


def test_no_certificate_for_too_small_a_c():
    error, distance = forms(4, 12, quadratic(upper_weights(6, 2, [Fraction(1, 2)] * 2), Fraction(0)))
    enough = certified(6, 2, 12) / 3
    assert positive(enough * distance - error)
    assert not positive(enough * Fraction(999, 1000) * distance - error)
    with pytest.raises(ValueError, match="theta > 0"):
        quadratic(upper_weights(7, 2, [Fraction(1, 3)] * 3), Fraction(0))


def test_heavy_and_continuous_laws_stay_below_the_certificate():
    """Samples of the error of the average of the middle, at the worse side, for laws that no grid has."""
    rng = np.random.default_rng(2)
    for (n, f), middle in MIDDLE.items():
        g, w = n - f, np.array(middle.shares, dtype=float)
        for x in (rng.normal(size=(40_000, g)), rng.standard_t(5, (40_000, g)), rng.beta(0.3, 0.6, (40_000, g))):
            h = np.sort(x, axis=1)
            mean = h.mean(axis=1)
            worse = np.maximum((h[:, f:] @ w - mean) ** 2, (mean - h[:, : n - 2 * f] @ w) ** 2).mean()
            assert worse <= float(certified(n, f)) * f / n * 2 * x.var() * 1.03


def test_two_copies_over_laws_at_random():
    """E(error²) of the trimmed mean and the bound by variances and means, for independent laws on three places."""
    rng = np.random.default_rng(3)
    alpha, beta = float(ALPHA), float(BETA)
    for trial in range(200):
        places, chance = rng.normal(size=(4, 3)), rng.dirichlet([0.4] * 3, size=4)
        if trial == 0:
            places, chance = np.array([[0.0] * 3, [0.0] * 3, [1.0] * 3, [1.0] * 3]), np.full((4, 3), 1 / 3)
        mean = np.sum(places * chance, axis=1)
        variance = np.sum(places**2 * chance, axis=1) - mean**2
        error = 0.0
        for picks in itertools.product(range(3), repeat=4):
            x = np.sort(places[range(4), picks])
            error += np.prod(chance[range(4), picks]) * (x[2] + x[3] - x[0] - x[1]) ** 2 / 16
        apart = (mean[:, None] - mean) ** 2
        spread = variance[:, None] + variance + apart
        bound = alpha * variance.sum() + beta * apart.sum() / 2
        assert error <= bound <= (alpha + 3 * beta) * np.max(spread[~np.eye(4, dtype=bool)]) + 1e-12
        assert trial or error == pytest.approx(0.25)
    assert needed(INDEPENDENT[6, 2], 2) < 3 * (ALPHA + 3 * BETA) < trimmed_mean_c(6, 2)


def test_the_forms_of_two_copies_against_values_at_random():
    rng = np.random.default_rng(4)
    every = list(orders())
    for order in (every[i] for i in rng.choice(105, 12, replace=False)):
        x = np.sort(rng.normal(size=8))
        copies = np.array([x[[k for k, worker in enumerate(order) if worker == i]] for i in range(4)])
        squares = []
        for picks in itertools.product(range(2), repeat=4):
            h = np.sort(copies[range(4), picks])
            squares.append(max((h[2:].mean() - h.mean()) ** 2, (h.mean() - h[:2].mean()) ** 2))
        gaps, (within, between) = np.diff(x), spread_forms(order)
        means = copies.mean(axis=1)
        assert gaps @ error_form(order) @ gaps / 256 == pytest.approx(np.mean(squares))
        assert gaps @ within @ gaps / 2 == pytest.approx(np.sum(np.var(copies, axis=1, ddof=1)))
        assert gaps @ between @ gaps / 4 == pytest.approx(np.sum((means[:, None] - means) ** 2) / 2)
    assert len({tuple(sorted(map(tuple, (np.flatnonzero(np.array(o) == i) for i in range(4))))) for o in every}) == 105
