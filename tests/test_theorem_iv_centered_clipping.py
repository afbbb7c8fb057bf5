"""Theorem IV by other routes: plain floats for what balls prove, enumeration for what is bounded on paper."""

from __future__ import annotations

import dataclasses
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from perform import check_claims, verdicts

from sims.aggregators import CenteredClipping
from sims.checks.two_point import binomial_pmf
from theory.claim import Context
from theory.theorem_iv_centered_clipping import STATEMENT
from theory.theorem_iv_centered_clipping.attacked import OURS, PRINTED, Line, exact_ratio, ratios_on_line
from theory.theorem_iv_centered_clipping.every_delta import scaled_constant
from theory.theorem_iv_centered_clipping.far_centres import RHO_SQ, constant_radii, least_error, scheduled
from theory.theorem_iv_centered_clipping.many_steps import FAST, PLAIN, RECONSTRUCTED, constant, noise
from theory.theorem_iv_centered_clipping.one_step import rate_of_share, reconstructed_radius, scaled_bound
from theory.theorem_iv_centered_clipping.paths import limit_of_any_path
from theory.theorem_iv_centered_clipping.statement import picture

EXPECTED = {
    "random_centre": "refuted",
    "constant_radius": "refuted",
    "sketch": "refuted",
    "sketch_small": "refuted",
}


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)


def test_any_centre_is_refuted_twice_and_every_part_of_the_correction_holds():
    found = verdicts(STATEMENT.stem)
    printed = {part.name: found[part.name] for part in STATEMENT.parts("printed")}
    assert printed == {"random_centre": "refuted", "constant_radius": "refuted"}
    assert {found[part.name] for part in STATEMENT.parts("corrected")} == {"holds"}


def lemma(delta: float, b_sq: float, rho_sq: float, tau: float) -> float:
    """U, as the lemma is printed."""
    m = b_sq + rho_sq / 2
    middle = (1 - delta) * math.sqrt(m**2 / (16 * tau**2) + delta * rho_sq / (2 * (1 - delta)))
    return (middle + delta * tau + delta * math.sqrt(b_sq)) ** 2


def radius(delta: float, b_sq: float, rho_sq: float) -> float:
    """The reconstructed radius."""
    return math.sqrt(4 * (1 - delta) * (b_sq / 3 + rho_sq) / (math.sqrt(3) * delta))


@given(st.floats(0.001, 0.15), st.floats(0, 1e4), st.floats(0.01, 10))
def test_the_bounded_variables_are_a_change_of_variables(delta, b_sq, rho_sq):
    u = lemma(delta, b_sq, rho_sq, radius(delta, b_sq, rho_sq))
    w = math.sqrt(b_sq / (b_sq + rho_sq))
    scaled = float(scaled_bound(arb(delta).sqrt(), arb(w), reconstructed_radius).mid())
    assert u == pytest.approx(scaled * delta * (b_sq + rho_sq), rel=1e-9)
    assert u <= 6.45 * delta * b_sq + 22.1 * delta * rho_sq
    assert u <= 3 * delta * b_sq + 5.1 * delta * rho_sq


@given(st.floats(0.001, 0.5), st.floats(0, 1), st.floats(0, 1e4))
def test_the_one_step_bound_grows_with_the_true_share(delta, part, b_sq):
    """P0 to P4 with a share s = part·δ of bad ones, the radius and 1/n ≤ δ of δ, ρ = 1: never above s = δ."""

    def u(s: float, tau: float) -> float:
        good = (1 - s) * math.sqrt((b_sq + 0.5) ** 2 / (16 * tau**2) + delta / (2 * (1 - s)))
        return (good + s * tau + s * math.sqrt(b_sq)) ** 2

    tau = radius(delta, b_sq, 1.0)
    assert u(delta, tau) == pytest.approx(lemma(delta, b_sq, 1.0, tau))
    assert u(part * delta, tau) <= u(delta, tau) * (1 + 1e-12)
    step = 1e-6 * delta  # the rate at s = δ, where the good part falls fastest, by differences
    w, falls = math.sqrt(b_sq / (b_sq + 1)), tau + math.sqrt(b_sq)
    slope = (math.sqrt(u(delta, tau)) - math.sqrt(u(delta - step, tau))) / step
    rate = math.sqrt(float(rate_of_share(arb(delta).sqrt(), arb(w), reconstructed_radius).mid()))
    assert slope == pytest.approx(falls * (1 - rate), rel=1e-3)


@pytest.mark.parametrize("bad", [0, 1, 2, 3])
def test_fewer_bad_messages_than_declared_keep_the_lemma(bad):
    """Coins, n = 20, δ = 0.15, τ of δ, one step from v fixed, all bad messages far out: below 6.45δB² + 22.1δρ²."""
    n, f, g = 20, 3, 20 - bad
    ones = np.arange(g + 1)
    reached = []
    for p in (0.02, 0.1, 0.5):
        pmf, rho_sq = binomial_pmf(g, np.array([p]))[0], 2 * p * (1 - p)
        for away in (0.0, 1.0, 30.0):
            v = p + away * math.sqrt(rho_sq)
            b_sq = float(pmf @ (v - ones / g) ** 2)
            tau, worst = radius(f / n, b_sq, rho_sq), np.zeros(g + 1)
            for far in (-1e9, 1e9):
                rows = np.concatenate([np.arange(g) < ones[:, None], np.full((g + 1, bad), far)], axis=1)[..., None]
                plus, _ = CenteredClipping(tau)(rows, np.full((g + 1, 1), v))
                worst = np.maximum(worst, (plus[:, 0] - ones / g) ** 2)
            reached.append(float(pmf @ worst) / (6.45 * f / n * b_sq + 22.1 * f / n * rho_sq))
    assert max(reached) <= 0.33
    assert (max(reached) > 0.05) == (bad >= 2)


def moments(n: int, f: int, p: float, v: float, tau: float) -> tuple[float, float, float]:
    """(E(v⁺ − x̄)² at its worst, E(v − x̄)², ρ²) for honest coins of probability p, by enumeration."""
    g = n - f
    ones = np.arange(g + 1)
    pmf = binomial_pmf(g, np.array([p]))[0]
    honest = (np.arange(g) < ones[:, None]).astype(float)
    errors = []
    for far in (-1e9, 1e9):
        rows = np.concatenate([honest, np.full((g + 1, f), far)], axis=1)[..., None]
        plus, _ = CenteredClipping(tau)(rows, np.full((g + 1, 1), v))
        errors.append((plus[:, 0] - ones / g) ** 2)
    return float(pmf @ np.maximum(*errors)), float(pmf @ (v - ones / g) ** 2), 2 * p * (1 - p)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(7, 1), (20, 3), (40, 6), (50, 1)]),
    st.floats(0.01, 0.5),
    st.floats(-30, 30),
    st.floats(-2, 2),
)
def test_the_one_step_lemma_by_enumeration(size, p, v, scale):
    n, f = size
    delta, rho_sq = f / n, 2 * p * (1 - p)
    b_sq = moments(n, f, p, v, 1.0)[1]
    tau = radius(delta, b_sq, rho_sq) * 10**scale
    error, _, _ = moments(n, f, p, v, tau)
    assert error <= lemma(delta, b_sq, rho_sq, tau) * (1 + 1e-9)  # for every radius


def plain_constant(delta, theta, t, r, q, kappa, sk, lead, part=1.0):
    """K, written down once more from the theorem, with the tail, if a share part·δ is bad."""
    sk, least, delta = part * sk, part * t, part * delta
    k = delta / r
    eta = theta - (1 + theta) * k
    p = q / (1 - q)
    c_q = (1 - 2 * q + 2 * q * q) / (1 - 2 * q)
    variance = 1 / (2 * (1 - delta))
    y = (1 - delta) * (math.sqrt(variance) + math.sqrt((1 / (8 * (1 - theta) * t)) ** 2 + variance))
    c_1 = max(theta, kappa * c_q, kappa + p) / eta
    c_2 = max(theta / kappa, c_q, 1 + p / kappa)
    c_3 = (math.e * (1 - delta) / (2 * (q - delta))) ** 2 / (math.sqrt(math.pi) * (kappa * t) ** 2)
    z = math.sqrt((max(1 / (1 - delta), c_1) * y) ** 2 + c_2**2 * c_3)
    b = least / (1 - delta) + z + math.sqrt(variance)
    alpha = k + sk / (1 - k)
    return b**2 / (1 - alpha**2 / lead)


@pytest.mark.parametrize("part", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("delta", [1e-6, 0.01, 0.07, 0.14, 0.15])
def test_the_constants_in_plain_floats(delta, part):
    slow, u = math.sqrt(6.45 * delta), arb(delta).sqrt()
    floor = math.sqrt(4 * (1 - delta) * (22.1 * delta / (3 * (1 - 6.45 * delta)) + 1) / math.sqrt(3))
    slope = math.sqrt(4 * (1 - delta) / (3 * math.sqrt(3)))
    cases = (
        (RECONSTRUCTED, plain_constant(delta, 0.8, floor, slow, 0.3, 0.9, slope / math.sqrt(6.45), 2, part), 229),
        (PLAIN, plain_constant(delta, 0.8, 5, slow, 0.3, 0.9, 0.5 / math.sqrt(6.45), 2, part), 119),
        (FAST, plain_constant(delta, 0.9, 2.5, 5 * delta, 0.3, 0.94, 0.2 / 0.9, 2, part), 90),
    )
    for schedule, wanted, claimed in cases:
        assert float(constant(schedule, u, arb(part)).mid()) == pytest.approx(wanted, rel=1e-9)
        assert wanted <= claimed


@pytest.mark.parametrize("delta", [0.001, 0.1, 0.25, 0.4, 0.49])
def test_every_delta_in_plain_floats(delta):
    theta = r = 0.5 + delta
    t, q, k = 1 / (1 - 2 * delta), 0.25 + delta / 2, delta / r
    eta = theta - (1 + theta) * k
    assert eta > 0
    p, c_q = q / (1 - q), (1 - 2 * q + 2 * q * q) / (1 - 2 * q)
    omega = (1 - theta) / eta + 1 / (q - delta)
    y = float(noise(arb(delta), arb((1 - theta) * t)).mid())
    z = max(1 / (1 - delta), theta / eta, omega * c_q, omega + p / eta) * y
    b = t / (1 - delta) + z + math.sqrt(1 / (2 * (1 - delta)))
    alpha = k + k / theta / (1 - k)
    wanted = b**2 / (1 - alpha**2 / 4)
    assert float(scaled_constant(arb(2 * delta)).mid()) == pytest.approx(wanted * (1 - 2 * delta) ** 4, rel=1e-9)


@pytest.mark.parametrize("bound", [PRINTED, OURS], ids=["reconstructed", "fast"])
@pytest.mark.parametrize("size", [(7, 1), (20, 3), (200, 1)])
@pytest.mark.parametrize("far", [0.0, 1.0, 1e3])
def test_the_radii_satisfy_the_assumptions(bound, size, far):
    """τ_* ≤ τ_l, no growth, τ_{l+1} ≥ rτ_l, B_0 ≤ θτ_0: what the theorem asks of a schedule."""
    n, f = size
    delta = f / n
    schedule = RECONSTRUCTED if bound is PRINTED else FAST
    centre_sq = max(far**2, 1e-12)
    tau = np.array([float(bound.radii(delta, centre_sq, 1.0, step)) for step in range(200)])
    floor = float(schedule.t(arb(delta).sqrt()).mid()) / math.sqrt(delta)
    rate = math.sqrt(float(bound.rate(Fraction(f, n))))
    assert np.all(tau >= floor * (1 - 1e-9))
    assert np.all(tau[1:] <= tau[:-1] * (1 + 1e-9))
    assert np.all(tau[1:] >= rate * tau[:-1] * (1 - 1e-9))
    assert math.sqrt(centre_sq) <= float(schedule.theta) * tau[0] * (1 + 1e-9)
    slope = float(schedule.sk(arb(delta).sqrt()).mid()) / float(schedule.k(arb(delta).sqrt()).mid())
    assert np.all(tau <= floor + slope * math.sqrt(centre_sq) * rate ** np.arange(200) + 1e-9 * tau)


points = st.integers(1, 3).flatmap(
    lambda d: st.tuples(
        st.lists(st.lists(st.floats(-1e3, 1e3), min_size=d, max_size=d), min_size=3, max_size=12),
        st.lists(st.floats(-1e3, 1e3), min_size=d, max_size=d),
        st.floats(0.01, 1e3),
        st.floats(0, 1),
    )
)


def parts(case):
    rows, v, tau, share = case
    x, v = np.array(rows), np.array(v)
    f = max(1, int(share * (len(x) - 1) / 2))
    plus, _ = CenteredClipping(tau)(x, v)
    return x, v, tau, f, plus


@given(points)
def test_p0_and_p1_on_every_path(case):
    x, v, tau, f, plus = parts(case)
    g, delta = len(x) - f, f / len(x)
    away = x - v
    length = np.linalg.norm(away, axis=1)
    clipped = away * np.minimum(1, tau / np.maximum(length, 1e-300))[:, None]
    cut, mean = (away - clipped)[:g].mean(0), x[:g].mean(0)
    right = delta * (v - mean) - (1 - delta) * cut + delta * clipped[g:].mean(0)
    np.testing.assert_allclose(plus - mean, right, atol=1e-9)
    excess = np.maximum(length[:g] - tau, 0).mean()
    assert np.linalg.norm(plus - mean) <= (1 - delta) * excess + delta * (tau + np.linalg.norm(v - mean)) + 1e-9


@given(points, st.floats(0.05, 0.95))
def test_good_paths(case, theta):
    x, v, tau, f, _ = parts(case)
    v = v * min(1.0, theta * tau / max(np.linalg.norm(v), 1e-300))
    plus, _ = CenteredClipping(tau)(x, v)
    g, delta = len(x) - f, f / len(x)
    reach = np.linalg.norm(x[:g], axis=1)
    noise_of_path = (1 - delta) * (np.linalg.norm(x[:g].mean(0)) + np.maximum(reach - (1 - theta) * tau, 0).mean())
    assert np.linalg.norm(plus) <= delta * (np.linalg.norm(v) + tau) + noise_of_path + 1e-9


@given(points, st.integers(1, 5))
def test_any_path(case, far):
    x, v, tau, _, plus = parts(case)
    assume(2 * far < len(x))
    c_q, p = limit_of_any_path(far / len(x))
    reach = np.sort(np.linalg.norm(x, axis=1))[len(x) - far - 1]
    assert np.linalg.norm(plus) <= max(np.linalg.norm(v), c_q * reach, reach + p * tau) + 1e-9


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from([(7, 1), (20, 3), (27, 4)]),
    st.floats(-1, 1.5),
    st.floats(-1, 4),
    st.integers(0, 4),
)
def test_the_path_bound_of_step_v(seed, size, spread, far, idle):
    """D_l ≤ S_l + max(Y/(1 − δ), c_1 Y, c_2 R) for wild good vectors and attackers that see everything, μ̄ = 0.

    `idle` of the f declared bad ones are good.
    """
    n, f = size
    rng = np.random.default_rng(seed)
    bad = max(f - idle, 0)
    g, delta, share, d = n - bad, f / n, bad / n, 2
    theta, kappa, q, k = 0.9, 0.94, 0.3, 0.2 * bad / f
    good = rng.standard_normal((g, d)) * 10 ** rng.uniform(-1, spread, (g, 1))
    floor = 2.5 / math.sqrt(delta)  # ρ = 1 is only a unit here: the bound is pathwise
    v = np.array([10**far, 0.0])
    centre = np.linalg.norm(v)
    reach = np.sort(np.linalg.norm(good, axis=1))
    big = reach[-(math.floor((q - share) * n) + 1)]
    cut = np.maximum(reach - (1 - theta) * floor, 0).mean()
    y = (1 - share) * (np.linalg.norm(good.mean(0)) + cut)
    c_q, p = limit_of_any_path(q)
    eta = theta - (1 + theta) * k
    c_1, c_2 = max(theta, kappa * c_q, kappa + p) / eta, max(theta / kappa, c_q, 1 + p / kappa)
    limit = max(y * max(1 / (1 - share), c_1), c_2 * big * (big > kappa * floor))
    ideal = centre
    for step in range(12):
        tau = max(floor, centre * (5 * delta) ** step / theta)
        aim = rng.standard_normal(d) if rng.random() < 0.3 else v / max(np.linalg.norm(v), 1e-300)
        v, _ = CenteredClipping(tau)(np.concatenate([good, np.tile(v + 1e6 * aim, (bad, 1))]), v)
        ideal = share * (ideal + tau)
        assert np.linalg.norm(v) <= ideal + limit + 1e-9


@pytest.mark.parametrize("size", [(7, 1), (20, 3), (20, 1), (60, 9)])
@pytest.mark.parametrize("p", [1e-3, 0.02, 0.1, 0.3, 0.5])
def test_the_tail_of_r_by_enumeration(size, p):
    """a_i = h with probability p, else 0, ρ² = 2ph²: E[R²; R > x_0] = h² P(Bin(g, p) ≥ m) if h > x_0."""
    n, f = size
    g, delta, q = n - f, f / n, 0.3
    m = math.floor((q - delta) * n) + 1
    assert 2 <= m <= g
    pmf = binomial_pmf(g, np.array([p]))[0]
    scale = math.e * (1 - delta) / (2 * (q - delta))  # C/ρ²
    for h_sq in np.geomspace(0.1, 1e4, 40):
        rho_sq = 2 * p * h_sq
        x_sq = h_sq * (1 - 1e-12)  # the worst threshold is just below h
        if x_sq >= scale * rho_sq:
            assert h_sq * pmf[m:].sum() <= (scale * rho_sq) ** 2 / (math.sqrt(math.pi) * x_sq)


@pytest.mark.parametrize("size", [(7, 1), (20, 3), (50, 2)])
@pytest.mark.parametrize("p", [0.005, 0.1, 0.5])
def test_the_noise_by_enumeration(size, p):
    """E Y² of coins on {0, 1} is at most y²ρ²δ."""
    n, f = size
    g, delta, theta, t = n - f, f / n, 0.9, 2.5
    rho = math.sqrt(2 * p * (1 - p))
    ones = np.arange(g + 1)
    gap = (1 - theta) * t * rho / math.sqrt(delta)
    cut = (ones * max(1 - p - gap, 0) + (g - ones) * max(p - gap, 0)) / g
    y = (1 - delta) * (np.abs(ones / g - p) + cut)
    measured = float(binomial_pmf(g, np.array([p]))[0] @ y**2)
    assert measured <= float(noise(arb(delta), arb((1 - theta) * t)).mid()) ** 2 * rho**2 * delta


def test_the_far_random_centre_by_enumeration():
    """n = 13, f = 1, one step: the whole expectation, in floats, with the rule."""
    n, f = 13, 1
    b_sq = float(RHO_SQ) * 10**6
    (tau,) = scheduled(Fraction(f, n), RHO_SQ * 10**6, 1)
    away = 10**7 * float(tau)
    probability = (b_sq - 1 / (4 * (n - f))) / away**2
    ones = np.arange(n - f + 1)
    honest = (np.arange(n - f) < ones[:, None]).astype(float)
    pmf = binomial_pmf(n - f, np.array([0.5]))[0]
    shares = []
    for v, weight in ((0.5 + away, probability), (0.5, 1 - probability)):
        rows = np.concatenate([honest, np.full((len(ones), f), 10 * away)], axis=1)[..., None]
        plus, _ = CenteredClipping(float(tau))(rows, np.full((len(ones), 1), v))
        shares.append(weight * float(pmf @ (plus[:, 0] - ones / (n - f)) ** 2))
    bound = 2 * 6.45 / 13 * b_sq + 1360 / 13 * float(RHO_SQ)
    assert sum(shares) > shares[0] > bound
    lower = probability * float(least_error(n, f, Fraction(away), [tau]))
    assert lower == pytest.approx(shares[0], rel=1e-6)


def test_a_constant_radius_moves_by_its_sum_at_most():
    radii = constant_radii(100)(Fraction(1, 13), Fraction(10**6), 5)
    away = Fraction(10**9)
    assert least_error(13, 1, away, radii) >= (away - sum(radii)) ** 2


@pytest.mark.parametrize("bound", [PRINTED, OURS], ids=["reconstructed", "fast"])
@pytest.mark.parametrize("law", [Line(2, 0.25, 0.5, 3.0), Line(0, 0.0, 0.75, -0.5), Line(5, 0.125, 1.0, 40.0)])
def test_the_attack_in_rationals_is_the_attack_in_floats(bound, law):
    ratios = ratios_on_line(20, 3, [law], bound, 4)[0]
    for step in (1, 4):
        assert float(exact_ratio(20, 3, law, bound, step)) == pytest.approx(ratios[step - 1], rel=1e-3)


def mean_error(n, f, p, v_0, base, radii, steps):
    """E(v_l − x̄)² of coins from one v_0 for all outcomes, the bad messages beyond, on its worse side."""
    g = n - f
    ones = np.arange(g + 1)
    worst = np.zeros(g + 1)
    for side in (-1e9, 1e9):
        v = np.full(g + 1, float(v_0))
        for step in range(steps):
            tau = radii(f / n, base**2, 2 * p * (1 - p), step)
            move = ones * np.clip(1 - v, -tau, tau) + (g - ones) * np.clip(-v, -tau, tau) + f * math.copysign(tau, side)
            v = v + move / n
        worst = np.maximum(worst, (v - ones / g) ** 2)
    return float(binomial_pmf(g, np.array([p]))[0] @ worst)


@pytest.mark.parametrize("bound", [PRINTED, OURS], ids=["reconstructed", "fast"])
@pytest.mark.parametrize("factor", [0.5, 1.5, 4.0, 50.0, 1e4])
def test_a_centre_at_any_distance_needs_the_third_term_and_no_more(bound, factor):
    """v_0 = μ + D with probability P, else μ, so that E D_0² = B_0² or less, and D = factor·B_0."""
    n, f, p, base, steps = 20, 3, 0.3, 20.0, 7
    far, chance = factor * base, min(1.0, factor**-2)
    theta = {PRINTED: 0.8, OURS: 0.9}[bound]
    reached = chance * mean_error(n, f, p, p + far, base, bound.radii, steps)
    reached += (1 - chance) * mean_error(n, f, p, p, base, bound.radii, steps)
    proved = dataclasses.replace(bound, constant=229 if bound is PRINTED else 90)
    root = math.sqrt(proved.of(f / n, base**2, 2 * p * (1 - p), steps))
    first_radius = float(bound.radii(f / n, base**2, 2 * p * (1 - p), 0))
    third = math.sqrt(chance) * far if far > theta * first_radius else 0.0
    assert math.sqrt(reached) <= root + 5 / 3 * third
    if factor == 1e4:
        assert math.sqrt(reached) > 0.99 * third > root / 2


@pytest.mark.parametrize("away", [0.0, 0.3, 5.0, 500.0])
def test_a_centre_within_a_distance_of_the_mean_itself(away):
    """v_0 = x̄ ± B, chosen after the messages, the worse for each outcome, with the radii of 2B."""
    n, f, p, steps = 20, 3, 0.1, 9
    g, rho_sq, delta = n - f, 2 * p * (1 - p), f / n
    base = away * math.sqrt(rho_sq)
    ones = np.arange(g + 1)
    worst = np.zeros((steps, g + 1))
    for start, side in itertools.product((-1, 1), (-1, 1)):
        v = ones / g + start * base
        for step in range(steps):
            tau = OURS.radii(delta, 4 * base**2, rho_sq, step)
            v = v + (ones * np.clip(1 - v, -tau, tau) + (g - ones) * np.clip(-v, -tau, tau) + side * f * tau) / n
            worst[step] = np.maximum(worst[step], (v - ones / g) ** 2)
    reached = np.sqrt(worst @ binomial_pmf(g, np.array([p]))[0])
    more = 10 / 3 * math.sqrt(rho_sq * delta / (2 * (1 - delta)))
    for step in range(steps):
        assert reached[step] <= math.sqrt(OURS.of(delta, 4 * base**2, rho_sq, step + 1)) + more
        assert reached[step] >= (2 * delta) ** (step + 1) * base * (1 - 1e-9)


def test_from_a_small_distance_the_reconstructed_radius_is_constant_and_the_bound_holds():
    """B_0² below 22.1δρ²/(1 − 6.45δ): what was a condition of the claim before."""
    n, f, p = 20, 3, 0.3
    least = 22.1 * 0.15 / (1 - 6.45 * 0.15)
    for share in (0.0, 0.3, 1.0):
        centre_sq = share * least * 2 * p * (1 - p)
        radii = {float(PRINTED.radii(0.15, centre_sq, 2 * p * (1 - p), step)) for step in range(5)}
        assert max(radii) == pytest.approx(min(radii))
        assert max(radii) >= math.sqrt(centre_sq) / 0.8
        reached = mean_error(n, f, p, p + math.sqrt(centre_sq), math.sqrt(centre_sq), PRINTED.radii, 5)
        assert reached <= 2 * (6.45 * 0.15) ** 5 * centre_sq + 229 * 0.15 * 2 * p * (1 - p)


def test_no_byzantine_path_beats_the_extremes_on_the_line():
    """The attack takes all messages far out on one side: random messages do no better, outcome by outcome."""
    rng = np.random.default_rng(5)
    n, f, tau = 10, 3, 0.7
    honest = rng.integers(0, 2, (n - f, 1)).astype(float)
    ends = []
    for side in (-1e9, 1e9):
        v = np.array([2.0])
        for _ in range(4):
            v, _ = CenteredClipping(tau)(np.concatenate([honest, np.full((f, 1), v[0] + side)]), v)
        ends.append(v[0])
    for _ in range(200):
        v = np.array([2.0])
        for _ in range(4):
            v, _ = CenteredClipping(tau)(np.concatenate([honest, rng.uniform(-4, 4, (f, 1))]), v)
        assert ends[0] <= v[0] <= ends[1]


def test_the_picture_has_what_is_drawn():
    data = picture(Context(STATEMENT.stem, "figure", "quick"))
    assert data["steps"][-1] == 400
    for curve in data["curves"].values():
        assert all(reached <= bound for reached, bound in zip(curve["reached"], curve["bound"], strict=True))
