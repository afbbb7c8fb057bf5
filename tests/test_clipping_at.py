"""The c of centered clipping at its own τ and steps: by all outcomes in rationals, in closed form, against proofs."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from sims.aggregators import CenteredClipping
from sims.checks.centered import search_c_of_clipping
from sims.checks.clipping_at import ClippingSearch, search_c_at_radius
from sims.checks.exact_rules import exact_aggregate
from sims.checks.two_point import Law
from theory.corollary_v_iterations import radius_for_one_step
from theory.definition_c_robust_aggregator.constants import paper_radius
from theory.theorem_iv_centered_clipping.attacked import fast_radii
from theory.theorem_iv_centered_clipping.one_step import scaled_bound


def by_outcomes(rule, n, f, found, rho):
    """c and E(v_0 − x̄)²/ρ² of the law found, over all 2^g outcomes in rationals, Byzantine far out on one side."""
    g, law = n - f, found.law
    chances = [Fraction(law.p)] * law.m + [Fraction(law.q)] * (g - law.m)
    pairs = itertools.combinations(chances, 2)
    unit = max(a * (1 - b) + b * (1 - a) for a, b in pairs)  # E(x_i − x_j)² on {0, 1}
    mean = sum(chances, Fraction(0)) / g
    centre = mean + Fraction(found.centre * math.sqrt(unit))
    radii = [Fraction(float(tau) / rho * math.sqrt(unit)) for tau in rule.radii]
    alike = CenteredClipping(tuple(radii), len(radii))
    error, start = Fraction(0), Fraction(0)
    for outcome in itertools.product((0, 1), repeat=g):
        mass = math.prod((c if bit else 1 - c for c, bit in zip(chances, outcome, strict=True)), start=Fraction(1))
        honest = Fraction(sum(outcome), g)
        start += mass * (centre - honest) ** 2
        sides = [centre + sign * (2 + 2 * sum(radii) + abs(centre)) for sign in (-1, 1)]
        rows = ([[Fraction(bit)] for bit in outcome] + [[side]] * f for side in sides)
        error += mass * max((exact_aggregate(alike, x, [centre])[0] - honest) ** 2 for x in rows)
    return float(error / unit * n / f), float(start / unit)


@pytest.mark.parametrize(
    ("rule", "n", "f", "rho", "start"),
    [
        (CenteredClipping(1.0), 5, 1, 1.0, 1.0),
        (CenteredClipping(0.3), 5, 2, 0.5, 0.5),
        (CenteredClipping((4.0, 1.0, 0.5), 3), 7, 2, 1.0, 5.0),
        (CenteredClipping(60.0, 2), 6, 1, 2.0, 1.5),
        (CenteredClipping(1.0), 4, 2, 1.0, 0.2),
    ],
)
def test_what_is_found_is_what_all_outcomes_give(rule, n, f, rho, start):
    found = search_c_at_radius(rule, n, f, rho, start)
    c, start_sq = by_outcomes(rule, n, f, found, rho)
    assert found.c == pytest.approx(c, rel=1e-9)
    assert start_sq <= (start / rho) ** 2 * (1 + 1e-9)  # the centre is near enough


def test_the_formula_that_is_searched_is_the_rule():
    """On random laws, none of them a winner: all messages at once beside each count of ones."""
    rng = np.random.Generator(np.random.Philox(3))
    rule, n, f = CenteredClipping((2.0, 0.4), 2), 9, 3
    search = ClippingSearch(n, f, np.array(rule.radii) / 0.5, start=1.5)
    for m in range(4):
        p, q, share = rng.random(5), rng.random(5), rng.uniform(-1, 1, 5)
        for i, ratio in enumerate(search.ratios(m, p, q, share)):
            law = Law(m, float(p[i]), float(q[i]))
            centre = search.centre(law, float(share[i]))
            assert ratio == pytest.approx(search.ratio_of(rule, law, centre, 0.5, 50.0, "numpy"), rel=1e-9)


@pytest.mark.parametrize(("n", "f"), [(5, 1), (25, 3), (25, 11)])
def test_closed_forms_at_both_ends_of_the_radius(n, f):
    """At τ = 0 the centre stays where it is; far above ρ nothing honest is cut off, and the error is δ(B + τ)."""
    delta = f / n
    assert search_c_at_radius(CenteredClipping(0.0), n, f, 2.0, 6.0).c == pytest.approx(9 / delta, rel=1e-12)
    far = search_c_at_radius(CenteredClipping(200.0), n, f, 2.0)
    assert far.c == pytest.approx(delta * 101**2, rel=2e-3)
    assert far.agreement == pytest.approx((delta * 200) ** 2, rel=1e-12)
    assert search_c_at_radius(CenteredClipping(math.inf), n, f).c == math.inf


@pytest.mark.parametrize(("n", "f"), [(7, 1), (25, 3), (25, 12)])
def test_between_the_search_for_a_theorem_s_radius_and_the_lemma(n, f):
    """At Theorem IV's radius no less than the search that knows that radius alone; at no radius above the lemma's U."""
    delta = f / n
    for radius in (paper_radius, radius_for_one_step):
        tau = float(radius(delta, np.array(9.0)))
        assert search_c_at_radius(CenteredClipping(tau), n, f, 3.0).c >= search_c_of_clipping(n, f, radius)[0] - 1e-9
    for ratio in (0.25, 0.5, 1.0, 2.0, 4.0, 16.0):
        lemma = 2 * scaled_bound(arb(delta).sqrt(), arb(0.5).sqrt(), lambda d, w, r=ratio: r * r * d / 2)
        found = search_c_at_radius(CenteredClipping(ratio), n, f).c
        assert 0.1 * float(lemma.mid()) < found <= float(lemma.upper())


def test_other_byzantine_messages_are_no_worse():
    """Random ones for every outcome of the law found, each time the worst of 2,000, leave less."""
    rule, n, f = CenteredClipping(0.7, 3), 7, 2
    g, found = n - f, search_c_at_radius(rule, n, f, 1.0, 2.0)
    rng = np.random.Generator(np.random.Philox(5))
    chances = np.array([found.law.p] * found.law.m + [found.law.q] * (g - found.law.m))
    unit = math.sqrt(max(a * (1 - b) + b * (1 - a) for a, b in itertools.combinations(chances, 2)))
    centre = np.mean(chances) / unit + found.centre
    outcomes = np.array(list(itertools.product((0, 1), repeat=g)))
    mass = np.prod(np.where(outcomes, chances, 1 - chances), axis=1)
    x = np.empty((len(outcomes), 2000, n, 1))
    x[..., :g, 0] = outcomes[:, None] / unit
    x[..., g:, 0] = centre + rng.normal(size=(len(outcomes), 2000, f)) * 3
    error = (
        rule.aggregate(x, np.full((*x.shape[:2], 1), centre))[..., 0] - np.mean(outcomes, axis=1)[:, None] / unit
    ) ** 2
    reached = float(np.sum(mass * np.max(error, axis=1))) * n / f
    assert 0.8 * found.c < reached <= found.c * (1 + 1e-12)


def test_lengths_have_a_unit_and_radii_an_order():
    """τ, ρ and B in other units: the same c. Many steps with the proved radii: below their c, and one step above it."""
    one = search_c_at_radius(CenteredClipping((3.0, 1.0), 2), 11, 2, 0.5, 4.0)
    other = search_c_at_radius(CenteredClipping((3e9, 1e9), 2), 11, 2, 0.5e9, 4e9)
    assert one.c == pytest.approx(other.c, rel=1e-12)
    assert one.agreement * 1e18 == pytest.approx(other.agreement, rel=1e-12)
    radii = tuple(float(fast_radii(0.12, 100.0**2, 1.0, step)) for step in range(20))
    assert search_c_at_radius(CenteredClipping(radii, 20), 25, 3, 1.0, 100.0).c < 91
    assert search_c_at_radius(CenteredClipping(radii[:1]), 25, 3, 1.0, 100.0).c > 91
    shuffled = search_c_at_radius(CenteredClipping(radii[::-1], 20), 25, 3, 1.0, 100.0)
    assert shuffled.c > 1000  # what is small comes first and does not get there, what is large is left at the end


def test_the_caller_s_floating_point_errors_are_about_his_own_numbers():
    """Laws as rare as 3e-10 have probabilities that vanish."""
    before = search_c_at_radius(CenteredClipping(1e4), 50, 5)
    with np.errstate(all="raise"):
        assert search_c_at_radius(CenteredClipping(1e4), 50, 5) == before


def test_the_smallest_error_at_zero_spread():
    """A step that all honest messages pull back: after many, δτ/(1 − δ), where v rests."""
    found = search_c_at_radius(CenteredClipping(1.0, 200), 10, 2)
    assert found.agreement == pytest.approx((0.2 / 0.8) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    ("rule", "rest", "sentence"),
    [
        (CenteredClipping(np.array([1.0, 2.0])), {}, "needs a number tau ≥ 0"),
        (CenteredClipping(1.0), {"rho": 0.0}, "needs 1e-60 ≤ rho"),
        (CenteredClipping(1e80), {}, "needs tau ≤ 1e\\+60"),
        (CenteredClipping(1.0), {"start": -1.0}, "needs 0 ≤ start"),
    ],
)
def test_what_is_refused(rule, rest, sentence):
    with pytest.raises(ValueError, match=f"search_c_at_radius {sentence}"):
        search_c_at_radius(rule, 5, 1, **rest)
