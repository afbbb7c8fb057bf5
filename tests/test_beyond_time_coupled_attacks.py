"""Time-coupled attacks by other routes: the rule itself in rationals, enumeration, matrices, the engine."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims
from scipy.stats import binom

from sims.aggregators import CenteredClipping
from sims.attacks import NoAttack, Relocation
from sims.checks.confidence import bounded_mean
from sims.checks.exact_rules import exact_aggregate
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic, Rademacher
from theory.beyond_time_coupled_attacks import STATEMENT
from theory.beyond_time_coupled_attacks.linear_loop import CLIPPED, radius, silent, worst_square
from theory.beyond_time_coupled_attacks.rates import average_range, between, bound_for_all, ratio
from theory.beyond_time_coupled_attacks.response import Loop, average, critical_step
from theory.beyond_time_coupled_attacks.runs import PAPERS, late_squares, medians
from theory.beyond_time_coupled_attacks.search import Scripted, policy
from theory.claim import Context

EXPECTED = dict.fromkeys((claim.name for claim in STATEMENT.claims), "supported") | {
    "power_of_sequences": "holds",
    "one_direction": "holds",
    "echo": "holds",
    "identities": "holds",
}
LOOPS = (
    Loop(Fraction(1, 8), Fraction(1, 2), Fraction(1, 5)),
    Loop(Fraction(1, 2), Fraction(1, 10), Fraction(1, 5)),
    Loop(Fraction(1, 16), Fraction(1, 2), Fraction(2, 5)),
)


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)


def test_nothing_is_printed_and_what_is_claimed_is_proved():
    assert STATEMENT.ours
    parts = {part.name for part in STATEMENT.parts("corrected")}
    assert parts == {name for name, verdict in EXPECTED.items() if verdict == "holds"}


def ends_by_the_rule(loop: Loop, n: int, rounds: int) -> dict[tuple[int, ...], Fraction]:
    """x_T of every sign sequence, by Algorithm 1's own lines on n messages, τ = 1, without noise from x_0 = 0."""
    f = int(loop.delta * n)
    found = {}
    for signs in itertools.product((-1, 1), repeat=rounds):
        x = m = v = Fraction(0)
        for sign in signs:
            m = (1 - loop.alpha) * m + loop.alpha * x
            rows = [[m]] * (n - f) + [[v + 5 * sign]] * f
            v = exact_aggregate(CenteredClipping(Fraction(1)), rows, [v])[0]
            x = x - loop.eta * v
        found[signs] = x
    return found


@pytest.mark.parametrize("loop", LOOPS)
def test_the_worst_of_all_sign_sequences_is_the_bound(loop):
    rounds = 8
    ends = ends_by_the_rule(loop, 5, rounds)
    assert max(ends.values()) == loop.delta * loop.reach(rounds)
    best = max(ends, key=lambda signs: ends[signs])
    h = loop.response(rounds)
    assert best == tuple(1 if value > 0 else -1 for value in reversed(h))


def test_ringing_needs_a_sequence_that_turns_and_eight_does_not():
    long = 40
    for loop, turns in zip(LOOPS, (False, True, False), strict=True):
        signs = {value > 0 for value in loop.response(long)}
        assert (len(signs) == 2) == turns
    ringing = Loop(Fraction(2, 1), Fraction(1, 4), Fraction(1, 5))  # turns within eight rounds
    best = max(ends := ends_by_the_rule(ringing, 5, 8), key=lambda signs: ends[signs])
    assert len(set(best)) == 2


def test_the_engine_does_what_the_rule_does():
    loop, rounds = LOOPS[1], 6
    ends = ends_by_the_rule(loop, 5, rounds)
    signs = np.array(list(ends), dtype=float).T[:, :, None]
    found = silent(CenteredClipping(1.0), Scripted(signs, 7.0), loop, 5, 1, rounds, many=len(ends))
    assert found == pytest.approx([float(x) for x in ends.values()], abs=1e-14)


def test_beyond_tau_the_bound_is_broken():
    (n, f, alpha, eta), T = CLIPPED[0], 100
    loop = Loop(eta, alpha, f / n)
    assert f / n * loop.reach(T, of="gap") > 1
    signs = np.sign(loop.response(T))[::-1, None, None]
    found = abs(float(silent(CenteredClipping(1.0), Scripted(signs, 1.0), loop, n, f, T)[0]))
    assert found > 1.2 * f / n * loop.reach(T)


def matrix(loop: Loop) -> np.ndarray:
    """The loop's own matrix of (x, m̄, v)."""
    eta, alpha, delta = (float(value) for value in (loop.eta, loop.alpha, loop.delta))
    m = np.array([alpha, 1 - alpha, 0])
    v = (1 - delta) * m + [0, 0, delta]
    return np.stack([np.array([1, 0, 0]) - eta * v, m, v])


def test_characteristic_and_stability_by_the_matrix():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = int(rng.integers(3, 40))
        delta, alpha = Fraction(int(rng.integers(1, (n + 1) // 2)), n), Fraction(int(rng.integers(1, 1000)), 1000)
        edge = critical_step(1 - alpha, delta)
        for share in (0.5, 0.97, 1.03, 2.0):
            loop = Loop(share * float(edge), float(alpha), float(delta))
            values = np.linalg.eigvals(matrix(loop))
            assert loop.spectral_radius == pytest.approx(float(np.max(np.abs(values))), rel=1e-6)
            assert (loop.spectral_radius < 1) == (share < 1)
            z = complex(rng.normal(), rng.normal())
            assert np.linalg.det(z * np.eye(3) - matrix(loop)) == pytest.approx(loop.characteristic(z), rel=1e-9)


def test_an_echo_in_the_papers_configuration():
    """n = 25, f = 5, β = 0.99 and 0.1 in form (1), which is η = 10 in WORKER form: L > 0.405 diverges, not L < 4."""
    edge = float(critical_step(Fraction(99, 100), Fraction(1, 5))) / 10
    assert edge == pytest.approx(0.405, abs=1e-3)
    algorithm = RobustSGD(CenteredClipping(1e300), WorkerMomentum(0.1, beta=0.99, damped=False))

    def ends(L, attack):
        record = simulate(
            Quadratic((L,)), algorithm, n=25, f=5, attack=attack, steps=4000, runs=1, seed=0, x0=[1.0], every=4000
        )
        return abs(float(record.x[0, 0]))

    echo = Relocation(0.0, direction=(1.0,))
    assert ends(0.9 * edge, echo) < 0.5
    assert ends(1.1 * edge, echo) > 5
    assert ends(9 * edge, NoAttack()) < 1e-6


@pytest.mark.parametrize("alpha", [0.8, 0.3, 0.01])
@pytest.mark.parametrize("delta", [0.02, 0.2, 0.5])
def test_at_eight_the_roots_are_real_and_lie_as_derived(alpha, delta):
    roots = np.linalg.eigvals(matrix(Loop(alpha / 8, alpha, delta)))
    assert np.max(np.abs(roots.imag)) == 0
    first, second, third = np.sort(roots.real)
    assert 0 <= first <= min(1 - alpha, delta) + 1e-12
    assert max(1 - alpha, delta) < second < 1 - alpha / 2 < third < 1


@pytest.mark.parametrize(("eta", "delta"), [(1 / 64, 0.1), (1 / 4, 0.1), (1 / 4, 0.44), (1.0, 0.1)])
def test_the_gain_of_ringing_has_its_limit(eta, delta):
    many = 256
    loop = Loop(eta, eta / many, delta)
    found = loop.reach(math.ceil(20 * many / eta)) * (1 - delta) / many
    assert found == pytest.approx(4 / math.pi / (1 - eta * delta / (1 - delta)), rel=0.005)


def test_the_damping_of_the_ringing_by_the_matrix():
    eta, delta, alpha = 0.5, 0.4, 1e-5
    radius_of_pair = np.max(np.abs(np.linalg.eigvals(matrix(Loop(eta, alpha, delta)))))
    assert -math.log(radius_of_pair) == pytest.approx(alpha / 2 * (1 - eta * delta / (1 - delta)), rel=1e-3)


@pytest.mark.parametrize("tau", [1.0, math.inf])
def test_clipping_ends_the_exponential_growth_of_the_echo(tau):
    """|v_t − v_{t−1}| ≤ τ makes |x_T − x_0| ≤ ητT(T + 1)/2; without clipping x goes far beyond that."""
    loop, T = Loop(4 * critical_step(Fraction(99, 100), Fraction(1, 5)), Fraction(1, 100), Fraction(1, 5)), 1600
    echo = Relocation(0.0, direction=(1.0,))
    found = abs(float(silent(CenteredClipping(min(tau, 1e300)), echo, loop, 5, 1, T, x0=1.0)[0]))
    at_most = 1 + float(loop.eta) * T * (T + 1) / 2
    assert found > 100 * at_most if tau == math.inf else found <= at_most


def test_average_by_enumerating_all_noise_paths():
    """Two honest workers with noise ±1 and one attacker who pushes by `push`, in rationals."""
    loop, push, x0, T = Loop(Fraction(1, 4), Fraction(1, 2), Fraction(1, 3)), Fraction(1, 7), Fraction(1, 2), 4
    total = Fraction(0)
    for path in itertools.product((-1, 1), repeat=2 * T):
        x, m, v = x0, [Fraction(0)] * 2, Fraction(0)
        for t in range(T):
            total += x * x
            m = [(1 - loop.alpha) * m[i] + loop.alpha * (x + path[2 * t + i]) for i in (0, 1)]
            v = v + ((m[0] - v) + (m[1] - v)) / 3 + push
            x -= loop.eta * v
    found, error = average(loop, T, push, x0, Fraction(1, 2))
    assert abs(Fraction(found) - total / (4**T * T)) <= Fraction(error)


def test_average_by_impulse_responses():
    loop, push, x0, variance, T = (
        Loop(Fraction(1, 32), Fraction(1, 4), Fraction(1, 10)),
        Fraction(1, 5),
        2.0,
        1 / 9,
        300,
    )
    free, noise, control = (np.array(loop.response(T, to), dtype=float) for to in ("start", "noise", "control"))
    middle = np.concatenate([[x0], x0 * free + float(push) * np.cumsum(control)])
    spread = np.concatenate([[0.0], variance * np.cumsum(noise**2)])
    by_hand = np.mean((middle**2 + spread)[:T])
    assert average(loop, T, push, Fraction(2), Fraction(1, 9))[0] == pytest.approx(by_hand, rel=1e-9)


def test_the_floor_in_the_engine():
    """τ = 6 clips no honest message on any path, so that the exact average is that of CC itself."""
    n, f, T, runs, tau = 10, 1, 200, 3000, 6.0
    loop = Loop(1 / 16, 0.5, 0.1)
    gap = 0.1 * tau * float(loop.reach(T, of="gap")) + 2 + float(np.sum(np.abs(loop.response(T, "noise", "gap"))))
    assert gap <= tau  # of one honest worker: the mean's gap, and twice the noise that it and the mean hold
    algorithm = RobustSGD(CenteredClipping(tau), WorkerMomentum(1 / 16, beta=0.5))
    attack = Relocation(1e6, direction=(-1.0,))
    record = simulate(Rademacher(), algorithm, n=n, f=f, attack=attack, steps=T, runs=runs, seed=3)
    values = np.mean(record.sq_gradient_norms[:T], axis=0)
    mean, half = bounded_mean(values, 0.0, (1 + f * tau / (n - f)) ** 2, 1e-9)
    exact = average(
        Loop(Fraction(1, 16), Fraction(1, 2), Fraction(1, 10)), T, Fraction(6, 10), Fraction(0), Fraction(1, 9)
    )
    assert abs(mean - exact[0]) <= half
    assert half < 0.15 * exact[0]
    assert exact[0] == pytest.approx((f * tau / (n - f)) ** 2, rel=0.25)


def test_heavier_momentum_first_helps_and_then_hurts_against_sequences():
    values = [worst_square(1 / 32, alpha, 0.1) for alpha in (0.25, 0.05, 0.001)]
    assert values[1] < values[0] < values[2]
    pushes = [worst_square(1 / 32, alpha, 0.1, signed=True) for alpha in (0.25, 0.05, 0.001)]
    assert pushes[0] > pushes[1] > pushes[2]
    assert pushes[0] == pytest.approx((radius(0.1, 0.25) / 9) ** 2, rel=1e-6)


@pytest.mark.parametrize("m", [40, 101])
def test_medians_have_their_level_and_no_wider_interval_would_do(m):
    alpha = 1e-6
    low, high = (int(end[0]) for end in medians(np.arange(m)[None], alpha))
    assert low + high == m - 1
    wrong = binom.cdf(low, m, 0.5)  # at most `low` values below the median: the interval lies above it
    assert wrong <= alpha / 2 < binom.cdf(low + 1, m, 0.5)
    both = medians(np.tile(np.arange(m), (8, 1)), alpha)
    assert both[0][0] <= low
    assert both[1][0] >= high


def test_medians_refuses_too_few_runs():
    with pytest.raises(ValueError, match="needs more runs for alpha = 5e-10 a side, got 20"):
        medians(np.zeros((1, 20)), 1e-9)


def test_between_contains_the_interval():
    middle, error = between(0.1, 0.7)
    assert middle - error <= 0.1 < 0.7 <= middle + error


def test_policies_contain_the_pushes_and_the_square_waves():
    ctx, tau, alpha = Context("s", "c"), 0.8, 0.1
    setting = {"n": 6, "f": 1, "alpha": alpha, "tau": tau, "purpose": "x", "runs": 5, "steps": 60}
    z = np.zeros((7, 1))

    def run(attack):
        return late_squares(ctx, attack, **setting)

    def steered(place, value):
        weights = z.copy()
        weights[place] = value
        return run(policy(weights, np.ones(3), tau, alpha))

    assert np.array_equal(steered(3, -1.0), run(Relocation(tau, direction=(-1.0,))))
    assert np.array_equal(steered(2, 1.0)[:, :], run(Relocation(tau, angle=0.0)))
    period = 2 * (10 / alpha) ** 0.5  # the middle of the range, phase ½
    wave = np.array([1.0 if (t / period + 0.5) % 1 < 0.5 else -1.0 for t in range(1, 61)])
    assert np.array_equal(steered(4, 1.0), run(Scripted(wave[:, None, None], tau)))


def test_relocation_beats_the_papers_attacks_by_the_ratio_of_their_exact_sizes():
    """At β = 0.5 and n = 10, f = 1 the push's late average is the exact (fτ/g)² and a little noise."""
    ctx, alpha = Context("s", "c"), 0.5
    tau = radius(0.1, alpha)
    setting = {"n": 10, "f": 1, "alpha": alpha, "tau": tau, "purpose": "x", "runs": 64}
    push = np.median(late_squares(ctx, Relocation(tau, direction=(1.0,)), **setting))
    assert push == pytest.approx((tau / 9) ** 2, rel=0.1)
    known = max(float(np.median(late_squares(ctx, acts, **setting))) for acts in PAPERS.values())
    assert push > 8 * known


@pytest.mark.parametrize(("times", "beyond"), [(1, True), (4, False)])
def test_the_bound_is_broken_by_clipping_honest_messages(times, beyond):
    """n = 25, f = 11: with Theorem IV's τ CC's average exceeds the bound; with 4τ it is the linear loop's."""
    n, f, k = 25, 11, 5
    eta, T = Fraction(1, 2**k), 4**k
    loop, tau = Loop(eta, 8 * eta, Fraction(f, n)), times * radius(f / n, 8 / 2**k)
    values = late_squares(
        Context("s", "c"),
        Relocation(tau, direction=(1.0,)),
        n=n,
        f=f,
        alpha=8 / 2**k,
        tau=tau,
        eta=1 / 2**k,
        purpose="x",
        runs=100,
        steps=T,
        late=False,
    )[0]
    low, high = bound_for_all(loop, T, tau, 0, Fraction(1, n - f))
    linear = average_range(loop, T, Fraction(f, n) * Fraction(tau), 0, Fraction(1, n - f))
    assert (np.mean(values) > 1.05 * high) == beyond
    if not beyond:
        assert np.mean(values) == pytest.approx(linear[0], rel=0.01)
        assert np.mean(values) < low


def test_ranges_hold_what_they_are_of():
    low, high = average_range(LOOPS[0], 5, Fraction(1, 3), 1, Fraction(1, 4))
    middle, _ = average(LOOPS[0], 5, Fraction(1, 3), Fraction(1), Fraction(1, 4))
    assert low < middle < high <= middle * (1 + 1e-12)
    middle, error = ratio((1.0, 2.0), (4.0, 5.0))
    assert middle - error <= 1 / 5 < 1 / 2 <= middle + error <= 0.5 * (1 + 1e-11)
    low, high = bound_for_all(LOOPS[0], 5, 0.0, 1, Fraction(1, 4))
    free = average(LOOPS[0], 5, Fraction(0), Fraction(1), Fraction(1, 4))[0]
    assert low <= free <= high
