"""Algorithm 2 with the defaults by other routes: whole paths, enumerated noise, samples, the engine."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims

from sims.aggregators import CenteredClipping
from sims.attacks import NoAttack
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic
from theory.algorithm_2_end_to_end import STATEMENT
from theory.algorithm_2_end_to_end.attacked import after_burst
from theory.algorithm_2_end_to_end.bound import bound, largest_step, radius, spread
from theory.algorithm_2_end_to_end.constants import CLAIMED, OURS
from theory.algorithm_2_end_to_end.paths import rank

EXPECTED = {
    "constant": "holds",
    "wider": "holds",
    "identities": "holds",
    "one_round": "supported",
    "from_far_away": "supported",
    "pushed_for_ever": "supported",
    "in_runs": "supported",
    "variance_on_average": "supported",
}


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)


def test_nothing_is_printed_and_what_is_claimed_is_proved():
    assert STATEMENT.ours
    assert {part.name for part in STATEMENT.parts("corrected")} == {"constant", "identities"}
    assert {name for name, verdict in EXPECTED.items() if verdict == "holds"} == {"constant", "wider", "identities"}


def clipped(messages: np.ndarray, v: np.ndarray, tau: float) -> np.ndarray:
    """One step of Algorithm 1, (runs, n, d) and (runs, d)."""
    apart = messages - v[:, None]
    lengths = np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-300)
    return v + np.mean(apart * np.minimum(1, tau / lengths), axis=1)


@pytest.mark.parametrize("law", ["normal", "rare", "bursts"])
@pytest.mark.parametrize("d", [1, 2])
def test_the_centre_falls_behind_as_far_as_derived(law, d):
    """1000 rounds of 20 workers, 3 of them away from M as far as clipping lets them; M moves by ετ as it likes."""
    rng, runs, n, f, alpha = np.random.default_rng(0), 40, 20, 3, 0.05
    tau = 1.0 if law == "bursts" else radius(f / n, alpha / 2, float(d))
    theta, omega, large, drift = (float(v) for v in (OURS.theta, OURS.omega, OURS.large, OURS.drift))
    v, m, own = np.zeros((runs, d)), np.zeros((runs, d)), np.zeros((runs, n - f, d))
    far, history, excess = np.zeros(runs), [], -math.inf
    for t in range(1000):
        noise = rng.normal(size=own.shape)
        if law == "rare":
            noise = -10 * ((rng.random(own.shape) < 0.01) - 0.01)
        elif law == "bursts":
            noise = noise * (1 + 60 * (t // 50 % 5 == 0))
        own = (1 - alpha) * own + alpha * noise
        behind = np.linalg.norm(v - m, axis=-1)
        allowed = np.max([theta * tau * np.ones(runs), *(h - omega * tau * (t - s) for s, h in history)], axis=0)
        excess = max(excess, float(np.max(behind - allowed)))
        radii = np.sort(np.linalg.norm(own, axis=-1), axis=1)[:, -rank(n, f)]
        history = [*history[-60:], (t + 1, theta * np.maximum(tau, radii / large))]
        away = (v - m) / np.maximum(behind, 1e-300)[:, None]
        attack = np.repeat((v + 1e6 * away)[:, None], f, axis=1)
        v = clipped(np.concatenate([m[:, None] + own, attack], axis=1), v, tau)
        far = np.maximum(far, behind)
        step = -away if t % 2 else rng.normal(size=away.shape)
        m = m + drift * tau * step / np.maximum(np.linalg.norm(step, axis=-1, keepdims=True), 1e-300)
    assert excess <= 1e-9
    assert (far.max() > theta * tau) == (law == "bursts")


@pytest.mark.parametrize(("alpha", "q"), [(Fraction(1, 10), Fraction(1, 2)), (Fraction(1, 50), Fraction(1, 6))])
def test_products_of_two_workers_by_all_paths(alpha, q):
    """Two workers' two-valued noises, both turned and rarer where both momenta are large: all paths of 6 rounds."""
    s, a = float(alpha / (2 - alpha)), float(alpha)
    values = [(1.0, 0.0, 0.0)]
    for _ in range(6):
        moved = []
        for weight, first, second in values:
            p = float(q) / (4 if abs(first) + abs(second) > s**0.5 else 1)  # what depends on the past
            outcomes = ((p, math.sqrt((1 - p) / p)), (1 - p, -math.sqrt(p / (1 - p))))
            sign = 1.0 if first + second >= 0 else -1.0
            for (w, z), (u, y) in itertools.product(outcomes, repeat=2):
                moved.append((weight * w * u, (1 - a) * first + a * sign * z, (1 - a) * second + a * sign * y))
        values = moved
        assert sum(w * x**2 for w, x, _ in values) <= s * (1 + 1e-12)
        assert sum(w * x**2 * y**2 for w, x, y in values) <= s**2 * (1 + 1e-12)


def test_the_error_in_samples_is_far_below_and_above_what_the_push_leaves():
    n, f, alpha, runs = 20, 3, 0.05, 400
    delta, s = f / n, spread(alpha / 2, 1.0)
    tau = radius(delta, alpha / 2, 1.0)
    rng = np.random.default_rng(0)
    v, own, late = np.zeros((runs, 1)), np.zeros((runs, n - f, 1)), []
    for t in range(400):
        own = (1 - alpha) * own + alpha * rng.choice((-1.0, 1.0), size=own.shape)
        v = clipped(np.concatenate([own, np.full((runs, f, 1), 1e6)], axis=1), v, tau)
        if t >= 200:
            late.append(v**2)
    found = float(np.mean(late)) / (delta * s)
    assert 100 < found < CLAIMED / 8


def test_the_constant_in_floats():
    q, chi, r, k, eps = (float(v) for v in (OURS.q, OURS.chi, OURS.large, OURS.k, OURS.drift))
    theta, omega = (1 + chi) / (1 - chi) * r + q * (1 + chi) + eps, chi * (1 - q) - q - eps
    found = []
    for delta in np.linspace(0, 0.15, 301):
        beyond = theta * math.sqrt((1 + theta / omega) * 2 / k) / (4 * r**2) * (1 - delta) / (q - delta)
        own = math.sqrt(1 - delta) + math.sqrt(1 - delta + ((1 - delta) / (4 * (1 - theta))) ** 2 / k)
        found.append((math.sqrt(k) * (1 + theta) + own + beyond) ** 2)
    assert max(found) == found[-1] == pytest.approx(1820.6, abs=0.5)
    assert theta == pytest.approx(float(OURS.theta))
    assert omega == pytest.approx(float(OURS.omega))


def test_the_largest_step_lets_m_move_by_epsilon_tau():
    for delta, sigma_sq, steepest in itertools.product((0.01, 0.15), (0.1, 4.0), (1.0, 7.0)):
        eta = largest_step(delta, sigma_sq, steepest)
        assert 4 * eta * steepest <= float(OURS.drift) * radius(delta, eta, sigma_sq)
        assert bound(10**6, eta, 1.0, sigma_sq, delta) > 2760 * delta * eta * sigma_sq


def test_from_far_away_in_the_engine():
    """No noise, no attackers, τ = 1: the path of 64 rounds ends above x_0 − ηT(T + 1)/2, and the bound does not."""
    eta, T = 1 / 16, 64
    x0 = 10 * eta * T * T
    record = simulate(
        Quadratic((1.0,)),
        RobustSGD(CenteredClipping(1.0), WorkerMomentum(eta, beta=1 - 2 * eta)),
        n=4,
        f=0,
        attack=NoAttack(),
        steps=T,
        runs=1,
        seed=0,
        x0=[x0],
    )
    assert float(record.x[0, 0]) >= x0 - eta * T * (T + 1) / 2
    mean = float(np.mean(record.sq_gradient_norms[:T]))
    assert mean > 2.5 * bound(T, eta, x0**2 / 2, 0.0, 0.1)


def test_the_push_stays_where_gradients_may_be_bounded():
    """The largest |x| on the way, as Γ of a function that is linear from there on, allows a larger step than that."""
    eta = 1 / 64
    for f in (1, 2, 3):
        delta = f / 20
        x, m, v, farthest, apart = 0.0, 0.0, 0.0, 0.0, 0.0
        tau = radius(delta, eta, 1.0)
        for _ in range(1280):
            m = (1 - 2 * eta) * m + 2 * eta * x
            apart = max(apart, abs(m - v))
            v += (1 - delta) * (m - v) + delta * tau
            x -= eta * v
            farthest = max(farthest, abs(x))
        assert apart < tau
        assert farthest < 0.2 * tau
        assert eta < largest_step(delta, 1.0, farthest)


def test_bursts_that_all_workers_know_in_samples():
    """One burst, drawn worker by worker in a smaller case: the enumerated squares are the mean of drawn ones."""
    n, eta, rounds, size, w = 200, 1 / 100, 600, 4.0, 0.45
    low = np.arange(n)
    chances = np.array([math.comb(n - 1, int(k)) * w**k * (1 - w) ** (n - 1 - k) for k in low])
    sides = np.stack([n - 1 - low, low])
    squares, _ = after_burst(n, sides, np.array([size, -size * (1 - w) / w]), eta, rounds=rounds)
    rng = np.random.default_rng(0)
    own = np.where(rng.random((400, n - 1)) < w, -size * (1 - w) / w, size)
    x, m, v, total = np.zeros(400), np.zeros(400), np.zeros(400), np.zeros(400)
    for t in range(rounds):
        total += x**2
        m = (1 - 2 * eta) * m + 2 * eta * x
        sent = m[:, None] + own * (1 - 2 * eta) ** t
        messages = np.concatenate([sent, v[:, None]], axis=1)[:, :, None]
        v = clipped(messages, v[:, None], 1.0)[:, 0]
        x = x - eta * v
    assert np.mean(total) == pytest.approx(float(chances @ squares), abs=4 * float(np.std(total)) / 20)
