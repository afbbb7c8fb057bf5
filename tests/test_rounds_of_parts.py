"""Compiled rounds of every problem, optimizer and attack that declares a step, against the array engine."""

from __future__ import annotations

import numpy as np
import pytest
from experiments import PROBLEM, agree, both

from sims.aggregators import CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean
from sims.attacks import ROP, Gaussian, Infinite, LabelFlipping, Mimic, MinMax, MinSum, Relocation
from sims.engine import Axis, Experiment, on_arrays, on_cpu, simulate
from sims.kernels.cpu import round_functions, vectors
from sims.kernels.cpu.compiled import compiled
from sims.kernels.in_rounds import Answer, Memory, Noise
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WeightDecay, WorkerMomentum, WorkerMVR
from sims.problems import (
    Bernoulli,
    HeterogeneousSoftmaxRegression,
    Huber,
    Pareto,
    Pendulum,
    Quadratic,
    Rademacher,
    Sinusoidal,
    SoftmaxRegression,
)
from theory.theorem_ii_lower_bound.worlds import Mirror, TwoWorlds

PROBLEMS = {
    "quadratic": PROBLEM,
    "Bernoulli": Bernoulli(0.25, dim=2),
    "Rademacher": Rademacher(dim=3),
    "Pareto": Pareto(2.5, dim=2),
    "sinusoid": Sinusoidal(1.0, dim=3),
    "square": Sinusoidal(2.0, dim=2, wave="square"),
    "pendulum": Pendulum(1.0, dim=2),
    "Huber": Huber(1.0, dim=2),
    "worlds": TwoWorlds(1, 0.1),
    "softmax": SoftmaxRegression.mixture(classes=3, dim=2, size=48, ridge=0.1, batch=2),
    "shards": HeterogeneousSoftmaxRegression.example(),
}
OPTIMIZERS = {
    "server": ServerMomentum(0.1, 0.9),
    "undamped": ServerMomentum(lambda t: 0.1 / t, 0.5, damped=False),
    "MVR": WorkerMVR(0.1, 0.2),
    "zero": WorkerMVR(0.1, lambda t: 1 / t, "zero"),
    "idle": WorkerMVR(0.1, 0.3, idle=5),
    "decay": WeightDecay(WorkerMomentum(0.1, 0.5), 0.3),
    "server's decay": WeightDecay(ServerMomentum(0.1, 0.5), lambda t: 0.1 * t),
}
ALONG = (1.0, -2.0, 0.5)
ATTACKS = {
    "infinite": Infinite(-1),
    "Gaussian": Gaussian(1.0, 2.0),
    "together": Gaussian(together=True),
    "mimic": Mimic(worker=2),
    **{f"min-max {along}": MinMax(along) for along in ("std", "sign", "unit")},
    **{f"min-sum {along}": MinSum(along, "paper" if along == "std" else "released") for along in ("std", "sign")},
    "relocation": Relocation(2.0, direction=ALONG),
    "ROP": ROP(),
    "held up": Relocation(1.0, angle=150.0, mix=0.5, reference=0.3),
    "chosen": Mimic(warm_up=9),
    "between": Relocation(2.0, direction=ALONG, mix=0.3),
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let small experiments run in compiled code too."""
    monkeypatch.setattr(on_cpu, "SMALLEST", 0)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_problems(problem):
    for rule, optimizer in (
        (CoordinateMedian(), WorkerMomentum(0.1, 0.9)),
        (CenteredClipping(0.7), WorkerMVR(0.1, 0.2)),
    ):
        agree(*both(PROBLEMS[problem], RobustSGD(rule, optimizer), x0=2.0, every=7))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer):
    for problem, rule in ((PROBLEM, TrimmedMean(2)), (PROBLEMS["pendulum"], CoordinateMedian())):
        agree(*both(problem, RobustSGD(rule, OPTIMIZERS[optimizer]), attack=Mimic(worker=1), x0=2.0))


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks(attack):
    for rule, optimizer in (
        (TrimmedMean(2), WorkerMomentum(0.1, 0.9)),
        (CenteredClipping(0.7), ServerMomentum(0.1, 0.9)),
    ):
        agree(*both(PROBLEM, RobustSGD(rule, optimizer), attack=ATTACKS[attack], x0=2.0))


def test_all_steps_are_met():
    noises = {problem.in_rounds(8, 6).noise for problem in PROBLEMS.values()}
    answers = {attack.in_rounds(8, 2).answer for attack in ATTACKS.values()}
    memories = {optimizer.in_rounds().memory for optimizer in OPTIMIZERS.values()}
    assert noises == set(Noise)
    assert memories == set(Memory) - {Memory.NONE}
    rest = {Answer.HONEST, Answer.MINUS_GRADIENT, Answer.MINUS_MESSAGE, Answer.MINUS_MEAN, Answer.EDGE}
    assert answers == set(Answer) - rest - {
        Answer.MIRRORED,
        Answer.GRADIENT,
    }  # the others are in test_on_cpu, and below


def test_relocation_on_the_line():
    for attack in (Relocation(1.0, angle=180.0, reference=0.5), Relocation(2.0, angle=0.0)):
        agree(*both(Quadratic((1.0,), sigma_sq=1.0), RobustSGD(CenteredClipping(0.7), SGD(0.1)), attack=attack, x0=2.0))


@pytest.mark.parametrize("optimizer", [SGD(0.1), WorkerMomentum(0.1, 0.9), WorkerMVR(0.1, 0.2)])
def test_an_attack_that_enters_the_gradients_goes_through_momenta(optimizer):
    signs, quantity = np.array([[1], [-1]]), 0.15
    world = TwoWorlds(signs, quantity)
    for rule in (Mean(), TrimmedMean(1)):  # the second tells the Byzantine workers' momenta apart
        size = {"n": 9, "f": 3, "grid": (2,), "attack": Mirror(world), "x0": 1.0}
        agree(*both(world, RobustSGD(rule, optimizer), **size))


@pytest.mark.parametrize("problem", ["softmax", "shards"])
def test_labels_are_flipped(problem):
    for attack in (LabelFlipping(), LabelFlipping("messages")):
        for rule, optimizer in ((Mean(), WorkerMomentum(0.1, 0.9)), (Krum(2), ServerMomentum(0.1, 0.5))):
            found, expected = both(PROBLEMS[problem], RobustSGD(rule, optimizer), attack=attack, x0=0.5, every=3)
            agree(found, expected)
            assert found.measures.keys() == expected.measures.keys()
            for name, values in expected.measures.items():
                np.testing.assert_allclose(found.measures[name], values, rtol=1e-9)


def test_parameters_of_every_run():
    axis = Axis("run", [0.1, 0.5, 0.9])
    curved = Quadratic(np.array([[1.0, 2.0], [3.0, 4.0], [0.1, 5.0]]), 1.0, zeta_sq=axis, x_star=np.ones((3, 2)))
    directions = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]])
    mvr = WorkerMVR(axis, lambda t: np.array([0.1, 0.5, 1.0]) / t)
    for problem, optimizer, attack in (
        (curved, WorkerMomentum(0.1, axis), Relocation(axis, direction=directions, mix=axis)),
        (Bernoulli(axis, dim=2), ServerMomentum(axis, 0.9), Gaussian(axis, axis)),
        (Pareto(np.array([2.5, 3.0, 9.0]), dim=2), WeightDecay(SGD(0.1), axis), MinMax()),
        (Sinusoidal(axis, dim=2), mvr, Mimic(worker=0)),
    ):
        agree(*both(problem, RobustSGD(CoordinateMedian(), optimizer), attack=attack, x0=1.0))


def test_a_direction_of_another_dimension_is_refused_in_the_reference_s_words():
    with pytest.raises(ValueError, match="d = 3 numbers, got 1"):
        simulate(
            PROBLEM,
            RobustSGD(Mean(), SGD(0.1)),
            n=5,
            f=1,
            attack=Relocation(1.0, direction=(1.0,)),
            steps=3,
            runs=1,
            seed=0,
        )


def test_runs_that_go_beyond_have_the_reference_s_numbers_and_no_others(monkeypatch):
    """Of three runs one begins so far away that honest messages cannot be told apart from squares that overflow."""
    x0 = np.array([[1.0] * 3, [1e160] * 3, [2.0] * 3])
    size = {"n": 8, "f": 2, "attack": MinMax(), "steps": 30, "seed": 1, "every": 4}
    steep = Quadratic((0.5, 1.0, 2.0), sigma_sq=Axis("run", [1.0, 1e305, 1.0]))
    algorithm = RobustSGD(TrimmedMean(2), WorkerMomentum(0.1, 0.9))
    calls, original = [], on_arrays.play
    monkeypatch.setattr(on_arrays, "play", lambda *a: calls.append(1) or original(*a))
    found, expected = both(steep, algorithm, runs=3, x0=x0, **size)
    assert len(calls) == 2  # the second is the reference
    agree(found, expected)
    np.testing.assert_array_equal(found.x[1], expected.x[1])
    assert np.isfinite(found.x).all()
    monkeypatch.setattr(on_arrays, "play", lambda *a: pytest.fail("nobody went beyond"))
    usual = Quadratic((0.5, 1.0, 2.0), sigma_sq=1.0)
    first = simulate(usual, algorithm, runs=1, x0=x0[:1], **size)
    np.testing.assert_array_equal(first.x[0], found.x[0])
    assert Experiment(usual, algorithm, runs=1, x0=x0[:1], **size).explain().compiled


@compiled
def _sines(angles, out):
    for row in range(len(angles)):
        vectors.store(round_functions.sine(vectors.load(angles, row), out, row), out, row)


def test_sines_are_right_to_the_last_digits():
    """Also near multiples of π/2, far away, and of what is no number."""
    rng = np.random.Generator(np.random.Philox(0))
    quarters = np.pi / 2 * np.arange(-40, 40)
    near = [np.nextafter(quarters, side) for side in (-9e9, 9e9)]
    angles = np.concatenate([quarters, *near, rng.uniform(-20, 20, 4000), 10.0 ** rng.uniform(-300, 20, 400)])
    angles = np.concatenate([angles, [0.0, -0.0, 1e5, -1e5, 3.1e5, 3.2e5, np.pi * 5e4]])
    padded = np.zeros((-(-len(angles) // vectors.LANES), vectors.LANES))
    padded.flat[: len(angles)] = angles
    out = np.zeros_like(padded)
    _sines(padded, out)
    expected = np.sin(padded)
    np.testing.assert_array_less(np.abs(out - expected), 4 * np.spacing(np.abs(expected)) + 5e-324)
    odd = np.full((1, vectors.LANES), np.nan)
    odd[0, :3] = np.inf, 1.0, -np.inf
    _sines(odd, out[:1])
    assert np.isnan(out[0]).tolist() == [True, False, True] + [True] * 5


@compiled
def _powers(bases, exponents, out):
    for row in range(len(bases)):
        vectors.store(round_functions.power(vectors.load(bases, row), exponents, out, row), out, row)


def test_powers_are_right_to_the_last_digits():
    """Of all that 1 − u can be, next to 1 and to √½, with exponents up to where results overflow or vanish."""
    rng = np.random.Generator(np.random.Philox(0))
    turns = np.concatenate(
        [2.0 ** -np.arange(54.0), np.sqrt(0.5) * 2.0 ** -np.arange(50.0), 1 - 2.0 ** -np.arange(2, 54)]
    )
    near = [np.nextafter(turns, side) for side in (0, 1)]
    bases = np.concatenate([turns, *near, rng.uniform(0, 1, 4000), 2.0 ** -rng.uniform(0, 53, 400)])
    bases = bases[: len(bases) // vectors.LANES * vectors.LANES].reshape(-1, vectors.LANES)
    exponents = np.array([[-0.4, -1 / 1.0001, -1.0, 0.0, 3.0, 0.5, -15.0, -30.0]])
    out = np.zeros_like(bases)
    for _ in range(vectors.LANES):  # every base in every lane
        _powers(bases, exponents, out)
        with np.errstate(over="ignore"):
            expected = bases**exponents
        far = np.isinf(expected)
        np.testing.assert_array_equal(out[far], expected[far])
        units = np.abs(out[~far] - expected[~far]) / np.spacing(expected[~far])
        np.testing.assert_array_less(units, (8 + 4 * np.abs(exponents * np.log(bases)))[~far])
        bases = np.roll(bases, 1, axis=1)
    odd, exponents = np.full((1, vectors.LANES), 0.5), np.full((1, vectors.LANES), 2.0)
    exponents[0, :4] = np.nan, np.inf, -np.inf, 5000.0
    _powers(odd, exponents, out[:1])
    np.testing.assert_array_equal(out[0], [np.nan, 0.0, np.inf, 0.0] + [0.25] * 4)


@pytest.mark.parametrize("problem", ["sinusoid", "square", "pendulum"])
def test_a_wave_is_the_same_beside_one_that_is_far_away(problem):
    """Turns are told at once only near 0; which way a run's sines take depends on no other run."""
    on, algorithm = PROBLEMS[problem], RobustSGD(Mean(), WorkerMVR(0.3, 0.2))
    x0 = np.array([0.3, 6e5, -7e5, 3e7, 1e16])[:, None] * np.ones(on.dim)
    size = {"n": 5, "f": 0, "steps": 20, "seed": 3}
    found, expected = both(on, algorithm, runs=5, x0=x0, **size)
    agree(found, expected, rtol=1e-6)  # so far away a rounding is 1e-9, of which an excess near 0 has more
    for run in range(5):
        alone = simulate(on, algorithm, runs=1, first_run=run, x0=x0[run : run + 1], **size)
        np.testing.assert_array_equal(alone.x[0], found.x[run])
