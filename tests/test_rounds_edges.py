"""Compiled rounds at their real thresholds: sizes, numbers of runs, buffers, layouts of starts and parameters."""

from __future__ import annotations

import numpy as np
import pytest
from edges import BAND, LAYOUTS
from experiments import agree, both, either_way

from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean
from sims.attacks import ALittleIsEnough, BitFlipping, InnerProductManipulation, NoAttack
from sims.engine import on_cpu
from sims.kernels.cpu import threads, vectors
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic

CASES, PARTS = 60, 4
STRIDED = ("contiguous", "every second column", "reversed columns", "read only")


def rng(seed):
    return np.random.Generator(np.random.Philox(seed))


@pytest.fixture
def played(monkeypatch):
    """How many experiments compiled code played; its arrays lie between bands of NaN, which stay as they are."""
    calls, memory = [], []

    def zeros(*shape):
        count = int(np.prod(shape)) * vectors.LANES
        line = vectors.LINE // 8
        whole = np.full(count + 2 * BAND + line, np.nan)
        first = -(whole.ctypes.data + 8 * BAND) % vectors.LINE // 8 + BAND
        whole[first : first + count] = 0.0
        memory.append((whole, first, count))
        return whole[first : first + count].reshape(*shape, vectors.LANES)

    def play(*arguments):
        calls.append(arguments)
        return original(*arguments)

    original = on_cpu.play
    monkeypatch.setattr(vectors, "zeros", zeros)
    monkeypatch.setattr(on_cpu, "play", play)
    yield calls
    for whole, first, count in memory:
        assert np.isnan(whole[:first]).all()
        assert np.isnan(whole[first + count :]).all()
    threads.limit(None)


def parameter(r, runs, low, high, layout):
    """A number, or one for every run in some layout."""
    values = r.uniform(low, high, (1, runs))
    return float(values[0, 0]) if r.random() < 0.5 else LAYOUTS[layout](values)[0]


def experiment(seed):
    """Problem, algorithm and sizes at an edge; whether compiled code has to play it."""
    r = rng(seed)
    n, d = [(1, 64), (2, 33), (5, 10), (8, 16), (9, 7), (16, 512), (17, 1), (16, 511), (25, 10), (3, 2731)][seed % 10]
    runs = int(r.choice([1, vectors.LANES - 1, vectors.LANES, vectors.LANES + 1, 2 * vectors.LANES + 1]))
    steps = max(1, -(-on_cpu.SMALLEST // (n * d)) + int(r.integers(-1, 2)))
    f = int(r.integers(0, (n - 1) // 2 + 1)) if n > 2 else 0
    declared = min(f, max((n - 3) // 2, 0))
    layout = str(r.choice(STRIDED))
    tau = parameter(r, runs, 0.1, 3.0, layout) * np.sqrt(d)
    rules = [
        Mean(),
        CoordinateMedian(),
        TrimmedMean(f),
        CenteredClipping((tau, float(r.choice([0.0, 0.3, np.inf]))), steps=2),
        CenteredClipping(tau),
        RFA(steps=int(r.integers(1, 4)), nu=parameter(r, runs, 0.1, 1.0, layout)),
    ]
    if n >= 2 * declared + 3:
        rules += [Krum(declared), Krum(declared)]
    attacks = [
        NoAttack(),
        InnerProductManipulation(0.5),
        BitFlipping(),
        BitFlipping("messages"),
        ALittleIsEnough(z=1.0),
    ]
    if n - f > 1:
        attacks.append(ALittleIsEnough(z=1.5, sign=1))
    eta = parameter(r, runs, 0.01, 0.2, layout)
    optimizers = [SGD(eta), WorkerMomentum(eta, 0.9), WorkerMomentum(lambda t: 0.2 / t, 0.5, damped=False)]
    problem = Quadratic(
        tuple(np.linspace(0.1, 1, d)), sigma_sq=1.0, zeta_sq=float(r.choice([0.0, 0.3])) if n - f > 1 else 0.0
    )
    rule, optimizer = (group[int(r.integers(len(group)))] for group in (rules, optimizers))
    attack = attacks[int(r.integers(len(attacks)))] if n - f > 1 else NoAttack()
    every = int(r.choice([1, 7, steps, 2 * steps]))
    x0 = LAYOUTS[layout](r.standard_normal((runs, d)))
    size = {"n": n, "f": f, "steps": steps, "runs": runs, "attack": attack, "every": every, "x0": x0, "seed": seed}
    size["axes"] = {"run": range(runs)}  # a parameter may differ from run to run
    algorithm = RobustSGD(rule, optimizer)
    return problem, algorithm, size, n * d <= on_cpu.LARGEST and n * d * steps >= on_cpu.SMALLEST


@pytest.mark.parametrize("part", range(PARTS))
def test_rounds_at_the_edges(part, played):
    for seed in range(part, CASES, PARTS):
        threads.limit(1 + seed // 10 % 3)
        problem, algorithm, size, compiled = experiment(seed)
        before = len(played)
        try:
            agree(*either_way(problem, algorithm, **size), rtol=1e-7)
        except AssertionError as error:
            raise AssertionError(f"experiment {seed}: {algorithm}, {size}") from error
        assert (len(played) > before) == compiled, seed


def test_rounds_at_the_edges_of_buffers(played, monkeypatch):
    """A multiple of what fits into a buffer, one round less and one more, the last value noted in each."""
    n, d = 5, 4
    size = 7
    monkeypatch.setattr(on_cpu, "SMALLEST", 0)
    monkeypatch.setattr(on_cpu, "BUFFER", size * vectors.LANES * n * d)
    for steps in (1, size - 1, size, size + 1, 2 * size, 2 * size + 1):
        for every in (1, 3, size, steps):
            for rule in (CenteredClipping(1.0), TrimmedMean(1), Krum(1)):
                problem = Quadratic((0.5, 1.0, 1.0, 2.0), sigma_sq=1.0)
                agree(*both(problem, RobustSGD(rule, WorkerMomentum(0.1, 0.9)), n=n, f=1, steps=steps, every=every))
    assert played


def test_a_lost_run_is_noticed(monkeypatch):
    """The comparison is not blind: the last run of a group is that of the one before."""
    from sims.kernels.cpu import rounds

    original = rounds.play

    def play(drawn, *arguments):
        drawn[..., -1] = drawn[..., -2]
        original(drawn, *arguments)

    monkeypatch.setattr(rounds, "play", play)
    noticed = 0
    for seed in range(20):
        problem, algorithm, size, compiled = experiment(seed)
        try:
            agree(*either_way(problem, algorithm, **size), rtol=1e-7)
        except AssertionError:
            noticed += 1
            assert compiled
            assert size["runs"] >= vectors.LANES
    assert noticed
