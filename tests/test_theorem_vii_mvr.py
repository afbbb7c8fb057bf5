"""Theorem VII: each number by a second route, mostly all paths of a few rounds."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import QUICK, check_statement, results, verdicts, well_formed
from scipy.optimize import linprog

from byzcheck.run import figure_data
from sims.aggregators import CenteredClipping, Mean, TrimmedMean
from sims.attacks import ALittleIsEnough, InnerProductManipulation
from sims.checks.rates import slope
from sims.engine import Streams, simulate
from sims.optimizers import RobustSGD, WorkerMomentum, WorkerMVR
from sims.problems import Pendulum, Quadratic, Sinusoidal
from theory.claim import Context, Side
from theory.theorem_vii_mvr import rates
from theory.theorem_vii_mvr import statement as vii
from theory.theorem_vii_mvr.bound import (
    Instance,
    Parameters,
    best_parameters,
    mean_square,
    mean_square_idle,
    mean_squares_decreasing,
    mvr_parameters,
    printed_parameters,
    right_side,
    step_range,
)
from theory.theorem_vii_mvr.checks import long_runs, recursion
from theory.theorem_vii_mvr.long_runs import VarianceReduction
from theory.theorem_vii_mvr.one_sided import CASES, ROUNDS, exact_error, momentum, mvr
from theory.theorem_vii_mvr.runs import Setting, every_path, ranges, sampled, worst_pair

STEM = "theorem_vii_mvr"
SIDES: tuple[Side, ...] = ("printed", "corrected")
EXPECTED = {
    "bound": "holds",
    "one_sample_is_enough": "refuted",
    "one_sample_gives": "supported",
    "batch": "supported",
    "idle_or_decreasing": "supported",
    "momentum": "supported",
    "lower_bound_in_n": "refuted",
    "alpha_heeds_kappa": "supported",
    "exact_sums": "supported",
    "engine_agrees": "supported",
    "phases": "holds",
    "identities": "holds",
    "lemmas": "supported",
    "robust_rules": "supported",
    "without_smoothness": "refuted",
    "attacked_bound": "supported",
    "attacked_slope_in_rounds": "supported",
}


def average(seen, skip=0):
    """(1/T) Σ E x_{t−1}² over the rounds after `skip`."""
    return float(np.mean([np.mean(r.x**2) for r in seen[skip:]]))


def test_verdicts_and_controls():
    assert verdicts(STEM) == EXPECTED
    check_statement(results(STEM))
    well_formed(vii.STATEMENT)


def test_the_print_is_refuted_and_the_bound_is_proved():
    parts = {side: {part.name: EXPECTED[part.name] for part in vii.STATEMENT.parts(side)} for side in SIDES}
    assert parts == {
        "printed": {"one_sample_is_enough": "refuted"},
        "corrected": {"bound": "holds", "identities": "holds"},
    }


# The enclosure of the moments: every path of the three-point law, which has the same moments.


@pytest.mark.parametrize("g", [1, 2])
@pytest.mark.parametrize("x0", [0.0, 0.25, 2.0])
@pytest.mark.parametrize("b0", [0, 1, 3])
@pytest.mark.parametrize("corrected", [True, False])
def test_moments_are_those_of_all_paths(g, x0, b0, corrected):
    eta, alpha, s, T = 0.15, 0.3, 0.4, (5 if g == 1 else 3)
    start = "zero" if b0 == 0 else "sample"
    idle = max(b0 - 1, 0)
    if corrected:
        optimizer = WorkerMVR(eta, alpha, start, idle)
    else:
        idle, b0 = 0, min(b0, 1)
        optimizer = WorkerMomentum(eta, (lambda t: 0.0 if t == 1 else 1 - alpha) if b0 else 1 - alpha)
    steps = T + idle if g == 1 else min(T + idle, 4)
    seen = every_path(Setting(Sinusoidal(s), Mean(), optimizer, g, 0, x0=x0), 3, steps)
    p = Parameters(eta, alpha, b0, corrected)
    low, high = mean_square(Instance(x0, s, g), p, steps - idle)
    assert low * (1 - 1e-12) <= average(seen, idle) <= high * (1 + 1e-12)
    assert high - low <= 2e-2 * high
    if idle:
        low, high = mean_square_idle(Instance(x0, s, g), p, steps, idle)
        assert low * (1 - 1e-12) <= average(seen) <= high * (1 + 1e-12)
    moved = mean_square(Instance(x0, 1.2 * s, g), p, steps - idle)
    if x0 == 0 and steps - idle > 1:
        assert not moved[0] <= average(seen, idle) <= moved[1]


@pytest.mark.parametrize("power", [1 / 3, 2 / 3])
def test_decreasing_steps_are_those_of_all_paths(power):
    h, a, s = 0.3, 0.8, 0.4
    tau = [0, *(2 ** int(math.log2(t)) for t in range(1, 8))]
    # the noise of round t + 1 is weighted with the α of round t's block
    optimizer = WorkerMVR(lambda t: h * tau[t] ** (-1 / 3), lambda t: a * tau[t - 1] ** (-power))
    seen = every_path(Setting(Sinusoidal(s), Mean(), optimizer, 1, 0, x0=0.25), 3, 7)
    found = mean_squares_decreasing(Instance(0.25, s, 1), h, a, power, 3)
    for T in (1, 3, 7):
        low, high = found[T]
        assert low * (1 - 1e-12) <= average(seen[:T]) <= high * (1 + 1e-12)
        assert high - low <= 2e-2 * high


def test_powers_of_the_map_are_the_rounds_one_by_one():
    problem, p, T = Instance(0.3, 0.4, 2), Parameters(0.05, 0.02, 2), 3000
    for share, end in ((1.0, 1), (1 - step_range(problem, p) ** 2 / 12, 0)):
        x_sq, cross, e_sq, total = 0.09, 0.0, 0.04 / 2, 0.0
        for _ in range(T):
            total += x_sq
            u_sq = p.eta**2 * (x_sq + 2 * cross + e_sq)
            noise = 0.04 * (p.alpha**2 + (1 - p.alpha) * share * u_sq)
            x_sq, cross, e_sq = (
                0.95**2 * x_sq - 2 * 0.95 * 0.05 * cross + 0.05**2 * e_sq,
                0.98 * (0.95 * cross - 0.05 * e_sq),
                0.98**2 * e_sq + noise,
            )
        assert mean_square(problem, p, T)[end] == pytest.approx(total / T, rel=1e-10)


@pytest.mark.parametrize("alpha", [0.02, 0.3])
def test_no_path_makes_a_larger_step_than_said(alpha):
    problem = Instance(1.0, 0.4, 1)
    p, rng = Parameters(0.2, alpha, 1), np.random.default_rng(0)
    x, e, most = np.full(2000, 1.0), 0.4 * rng.choice([-1.0, 1.0], 2000), 0.0
    for _ in range(200):  # phases at random, and such as make the next step largest
        y = x - p.eta * (x + e)
        most = max(most, float(np.max(np.abs(y - x))))
        xi = rng.uniform(0, 2 * math.pi, (40, 2000))
        trial = 0.4 * (np.sin(y + xi) - (1 - alpha) * np.sin(x + xi))
        pick = np.argmax(np.abs(y + (1 - alpha) * e + trial), axis=0)
        x, e = y, (1 - alpha) * e + trial[pick, np.arange(2000)]
    assert most <= step_range(problem, p)
    assert most >= 0.1 * step_range(problem, p)
    assert step_range(Instance(1.0, 0.6, 1), p) == math.inf


# Exponents, by a formula that says why.


def test_the_first_error_alone_makes_one_third():
    # E x_t² ≥ h_t²σ², h_t = −η((1 − α)^t − (1 − η)^t)/(η − α), summed in closed form
    sizes = [2**k for k in range(21, 43, 3)]
    floors = []
    for T in sizes:
        p = mvr_parameters(rates.ONE, T)
        a, b = 1 - p.alpha, 1 - p.eta
        total = 1 / (1 - a * a) - 2 / (1 - a * b) + 1 / (1 - b * b)  # over all t: those beyond T weigh e^{−2αT}
        floors.append((p.eta / (p.eta - p.alpha)) ** 2 * total * rates.ONE.sigma_sq / T)
        low, high = rates.SAMPLE(T)
        assert floors[-1] * (1 - 1e-3) <= high
        assert floors[-1] >= 0.5 * low
        assert rates.BATCH(T)[1] < 0.1 * floors[-1]
    assert slope(sizes, floors, floors)[0] == pytest.approx(-1 / 3, abs=0.01)


def test_first_error_moves_the_iterate_as_the_formula_says():
    eta, alpha, x, e = 0.2, 0.05, 0.0, 1.0
    for t in range(1, 30):
        x, e = (1 - eta) * x - eta * e, (1 - alpha) * e
        assert x == pytest.approx(-eta * ((1 - alpha) ** t - (1 - eta) ** t) / (eta - alpha), rel=1e-12)


def test_half_way_between_neighbouring_exponents():
    assert rates.between(Fraction(2, 3)) == (Fraction(-7, 12), Fraction(-5, 6))
    assert rates.between(Fraction(1, 3)) == (Fraction(-1, 6), Fraction(-5, 12))


# The bound and its parameters.


@pytest.mark.parametrize("T", [10, 1000, 10**6])
@pytest.mark.parametrize("g", [1, 9])
def test_parameters_make_the_bound_smallest_and_at_most_four_terms(T, g):
    problem = Instance(1.0, 0.4, g)
    for parameters, heeded in ((mvr_parameters, 1 / g), (printed_parameters, 1.0)):
        p = parameters(problem, T)
        L = math.sqrt(problem.L_sq)
        assert p.eta <= 1 / (4 * L)
        assert 16 / 3 / g * problem.L_sq * p.eta**2 <= p.alpha * (1 + 1e-12) <= 1 + 1e-12

        def without_batch(eta, heeded=heeded):
            alpha = 16 / 3 * heeded * problem.L_sq * eta**2
            return right_side(problem.F0, problem.sigma_sq, 1 / g, T, eta, alpha, 1, start=False)

        grid = np.geomspace(1e-5, 1 / (4 * L), 4000)
        assert without_batch(p.eta) <= min(map(without_batch, grid)) * (1 + 1e-9)
        assert right_side(problem.F0, problem.sigma_sq, 1 / g, T, p.eta, p.alpha, p.b0) <= 4 * problem.F0 / (p.eta * T)


def test_the_coefficient_of_the_steps_is_negative_on_the_whole_range_and_barely():
    for kappa, step in itertools.product((0.01, 0.3, 5.0), np.linspace(1e-3, 0.25, 50)):
        alpha = 16 / 3 * kappa * step**2
        left = -(1 - step) / 2 + 2 * kappa * step**2 / alpha
        assert left <= 1e-15
        assert step < 0.25 or left == pytest.approx(0, abs=1e-15)


def test_what_the_lemmas_allow_against_a_linear_program():
    """The most over all E‖m_t‖² ≥ 0 by scipy: the bound's value at constant 16/3 and 8/3, no limit at 2."""
    eta, alpha, T, f0 = 0.25, 0.02, 200, 1.0
    for constant, bounded in ((16 / 3, True), (8 / 3, True), (2.0, False)):
        kappa = alpha / (constant * eta**2)
        # V_s = Σ of noise + 2(1 − α)²η² Σ_{t<s} (1 − α)^{2(s−t−1)} M_t; the total is linear in M
        gain = [
            2 * kappa * 2 * (1 - alpha) ** 2 * eta**2 * sum((1 - alpha) ** (2 * (s - t - 1)) for s in range(t + 1, T))
            - (1 - eta)
            for t in range(T)
        ]
        assert (linprog(-np.array(gain), bounds=[(0, None)] * T, method="highs").status == 0) == bounded
        V, total = 1.0, 0.0
        for _ in range(T):
            total += 2 * kappa * V
            V = (1 - alpha) ** 2 * V + 2 * alpha**2
        assert (2 * f0 / eta + total) / T <= 2 * f0 / (eta * T) + 2 * kappa / (alpha * T) + 4 * kappa * alpha


def test_the_recursion_of_errors_sums_to_what_the_proof_uses():
    problem, rng = Sinusoidal(0.7), np.random.default_rng(0)
    for eta, alpha in ((0.1, 0.2), (0.2, 0.9)):
        squares = list(rng.uniform(0, 3, 30))
        V = recursion(problem, problem.sigma_sq / 4, squares, eta, alpha)
        most = problem.sigma_sq / 4 + 2 * problem.mean_square_L_sq * eta**2 * sum(squares)
        assert alpha * sum(V) <= most + 2 * alpha**2 * problem.sigma_sq * len(V)


# Runs.


@pytest.mark.parametrize("M", range(3, 9))
def test_equally_spaced_phases_have_the_moments_of_the_uniform_one(M):
    xi = 2 * math.pi * np.arange(M) / M
    for x, y in ((0.3, -1.1), (2.0, 2.5)):
        assert np.sin(x + xi).mean() == pytest.approx(0, abs=1e-15)
        assert (np.sin(x + xi) ** 2).mean() == pytest.approx(0.5, rel=1e-14)
        assert ((np.sin(x + xi) - np.sin(y + xi)) ** 2).mean() == pytest.approx(1 - math.cos(x - y), rel=1e-13)
    two = np.sin(0.3 + math.pi * np.arange(2))
    assert abs((two**2).mean() - 0.5) > 0.1


def test_all_paths_are_a_product_and_follow_the_definition():
    setting = Setting(Pendulum(1.0), TrimmedMean(1), WorkerMVR(0.1, 0.2), 4, 1, InnerProductManipulation(0.5), 1.5)
    seen = every_path(setting, 3, 2)
    assert seen[0].x.shape == (3**6, 1)
    problem, phases = setting.problem, list(itertools.product(range(3), repeat=3))
    for run, (first, second) in enumerate(itertools.product(phases, phases)):
        if run % 97:
            continue
        x, m, before = 1.5, None, None
        for r, k in zip(seen, (first, second), strict=True):
            u = np.array(k)[:, None] / 3
            now = problem.oracle(np.array([x]), u)[:, 0]
            m = now if m is None else now + 0.8 * (m - problem.oracle(np.array([before]), u)[:, 0])
            values = sorted([*m, -0.5 * m.mean()])
            before, x = x, x - 0.1 * (values[1] + values[2]) / 2
            assert r.honest[run, :, 0] == pytest.approx(m, rel=1e-13)
            assert r.x_next[run, 0] == pytest.approx(x, rel=1e-13)


@pytest.mark.parametrize("rule", [TrimmedMean(1), CenteredClipping(tau=0.5), CenteredClipping(tau=0.1)])
@pytest.mark.parametrize("attack", [ALittleIsEnough(z=3.0), InnerProductManipulation(2.0)])
@pytest.mark.parametrize(("problem", "x0"), [(Sinusoidal(0.4), 0.6), (Pendulum(0.4), 2.0)])
def test_no_run_leaves_the_ranges_and_runs_are_those_of_the_engine(rule, attack, problem, x0):
    eta, alpha, T = 0.05, 0.3, 60
    setting = Setting(problem, rule, WorkerMVR(eta, alpha), 5, 1, attack, x0)
    most = ranges(setting, eta, alpha, T)
    seen = list(sampled(setting, Streams(7, "sample"), T, 50))
    for t, r in enumerate(seen):
        assert np.max(np.abs(problem.gradient(r.x))) <= most.gradient[t]
        assert np.max(np.abs(r.honest - problem.gradient(r.x)[:, None])) <= most.error
        assert np.max(np.abs(r.aggregate - problem.gradient(r.x))) <= most.reach
    algorithm = RobustSGD(rule, setting.optimizer)
    sizes = {"n": 5, "f": 1, "attack": attack, "steps": T, "runs": 50, "seed": 7, "x0": [x0]}
    record = simulate(setting.problem, algorithm, **sizes)
    assert np.array_equal(record.x, seen[-1].x_next)
    off = np.mean(record.sq_aggregate_errors[-1])
    assert off == pytest.approx(np.mean((seen[-1].aggregate - seen[-1].honest.mean(axis=1)) ** 2), rel=1e-12)


def test_the_worst_pair_of_workers():
    honest = np.array([[[0.0], [1.0], [3.0]], [[0.0], [1.0], [-3.0]]])
    assert worst_pair(honest) == (2**2 + 4**2) / 2
    assert worst_pair(honest[:, :1]) == 0


def test_square_waves_break_the_bound_and_sines_do_not():
    # a loop of its own: one worker, the batch's average drawn directly
    T, s, runs = 256, 2.0, 1000
    rng = np.random.default_rng(0)
    for wave, sigma_sq, L_sq in ((lambda v: np.sign(np.sin(v)), 4.0, 1.0), (np.sin, 2.0, 3.0)):
        p = best_parameters(0.5, sigma_sq, L_sq, 1.0, T, 1.0)
        x, total = np.ones(runs), np.zeros(runs)
        m = x + s * wave(x + rng.uniform(0, 2 * math.pi, (int(p.b0), runs))).mean(axis=0)
        for _ in range(T):
            total += x**2 / T
            y, xi = x - p.eta * m, rng.uniform(0, 2 * math.pi, runs)
            m = y + s * wave(y + xi) + (1 - p.alpha) * (m - x - s * wave(x + xi))
            x = y
        right = right_side(0.5, sigma_sq, 1.0, T, p.eta, p.alpha, p.b0)
        name = "square" if sigma_sq == 4 else "sine"
        averages, theirs = long_runs(Context(STEM, "test"), Sinusoidal(s, wave=name), T, 1000)
        assert theirs == right
        assert (np.minimum(total, 10 * right).mean() > 2 * right) == (name == "square")
        assert (np.minimum(averages, 10 * right).mean() > 2 * right) == (name == "square")


def test_a_jump_of_the_square_wave_makes_two_s_over_pi_more():
    # the way of length 2s that follows a jump, against signs of the wave counted directly
    s, rng = 1.2, np.random.default_rng(1)
    points = np.linspace(0, 2 * s, 400)  # x at the end of each small step
    signs = np.sign(np.sin(points[:-1] + (xi := rng.uniform(0, 2 * math.pi, (2000, 399)))))
    jumps = np.sum(signs != np.sign(np.sin(points[1:] + xi)), axis=1)
    assert jumps.mean() == pytest.approx(2 * s / math.pi, abs=6 * math.sqrt(2 * s / math.pi / 2000))


def test_the_picture_has_what_its_figure_draws():
    _, data = figure_data(STEM, QUICK)
    assert set(data["curves"]) == {"momentum", "batch", "sample", "zero", "idle", "decreasing"}
    for curve in data["curves"].values():
        middle = slope(data["T"], curve["error"], curve["error"])[0]
        assert curve["slope"] == pytest.approx(middle, abs=1e-5)
    assert all(e <= b for e, b in zip(data["curves"]["batch"]["error"], data["bound"], strict=True))


# Under attack.


@pytest.mark.parametrize("c", [0.0, 0.4, 3.0])
def test_the_bound_of_a_long_run_is_that_of_the_theorem(c):
    run = VarianceReduction(Pendulum(1.0), 1.5, 25, 8, 300)
    kappa = 2 * c * 8 / 25 + 1 / 17
    theorem = right_side(1 - math.cos(1.5), 0.5, kappa, 300, 1 / 40, 1 / 4, 1)
    assert run.floor + run.weight * c * 8 / 25 * run.rho_sq == pytest.approx(theorem, rel=1e-12)
    assert 16 / 3 / 17 * 1.5 / 40**2 <= 1 / 4  # what is left of the condition on α


@pytest.mark.parametrize(("f", "b0"), [(3, 1), (8, 1), (8, 6)])
def test_runs_under_the_one_sided_attack_lie_in_the_enclosure(f, b0):
    n, eta, alpha, T, runs = 25, 0.05, 0.1, 100, 2000
    rng, g = np.random.default_rng(f), n - f
    e = rng.normal(size=(runs, g)) / math.sqrt(b0)
    x, values = np.full(runs, -1.0), np.zeros(runs)
    for t in range(T):
        values += x**2 / T
        e = e if t == 0 else (1 - alpha) * e + alpha * rng.normal(size=(runs, g))
        x = x - eta * (x + np.sort(e, axis=1)[:, f:].mean(axis=1))
    low, high = exact_error(n, f, Parameters(eta, alpha, b0), T)
    slack = 6 * np.std(values) / math.sqrt(runs)
    assert low - slack <= np.mean(values) <= high + slack
    assert high < 1.2 * low


def test_the_engine_of_mvr_makes_these_runs():
    n, f, eta, alpha, T = 25, 8, 0.05, 0.1, 100
    algorithm = RobustSGD(TrimmedMean(f), WorkerMVR(eta, alpha))
    attack = ALittleIsEnough(z=math.sqrt(n - f), sign=1)
    problem = Quadratic((1.0,), sigma_sq=1.0)
    record = simulate(problem, algorithm, n=n, f=f, attack=attack, steps=T, runs=300, seed=0, x0=[-1.0])
    values = np.mean(record.sq_gradient_norms[:T], axis=0)
    low, high = exact_error(n, f, Parameters(eta, alpha, 1), T)
    slack = 6 * np.std(values) / math.sqrt(300)
    assert low - slack <= np.mean(values) <= high + slack


def test_parameters_under_attack_are_those_of_the_theorem():
    for n, f in CASES:
        for T in ROUNDS:
            kappa = 2 * n / (2 * (n - 2 * f)) * f / n + 1 / (n - f)
            p = mvr(kappa, T)
            assert p.eta <= 1 / 4
            assert 16 / 3 * kappa * p.eta**2 <= p.alpha * (1 + 1e-12) <= 1
            q = momentum(kappa, T)
            assert q.alpha == 8 * q.eta <= 1
