"""Compiled rounds against the reference engine: the same draws, the same numbers to rounding."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from experiments import ATTACKS, FIELDS, OPTIMIZERS, PROBLEM, RULES, agree, both

from sims import kernels
from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, TrimmedMean
from sims.attacks import ALittleIsEnough, BitFlipping, InnerProductManipulation
from sims.engine import Experiment, on_cpu, program, simulate
from sims.kernels.cpu import threads
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic, Sinusoidal


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    """Let small experiments run in compiled code too."""
    monkeypatch.setattr(on_cpu, "SMALLEST", 0)


@pytest.mark.parametrize("rule", RULES)
def test_compiled_rounds_agree_with_the_reference(rule):
    for attack, optimizer in itertools.product(ATTACKS, OPTIMIZERS):
        algorithm = RobustSGD(RULES[rule], optimizer)
        for n, f, every in ((9, 2, 1), (8, 0, 7)):
            agree(*both(PROBLEM, algorithm, n=n, f=f, attack=attack, every=every, x0=np.ones(3)))


def test_one_dimension_one_worker_one_run():
    for rule in (Mean(), CoordinateMedian(), TrimmedMean(0), CenteredClipping(1.0), RFA()):
        agree(*both(Quadratic((1.0,), sigma_sq=2.0), RobustSGD(rule, SGD(0.1)), n=1, f=0, runs=1, steps=5))


def test_grids_and_parameters_of_every_run():
    grid, runs = (2, 3), 5
    problem = Quadratic((1.0, 3.0), sigma_sq=np.array([[[0.5]], [[2.0]]]))
    rule = CenteredClipping((np.array([[0.1], [1.0], [10.0]]), 0.5), steps=2)
    rate = np.linspace(0.01, 0.2, runs)
    size = {
        "grid": grid,
        "axes": {"run": range(runs)},
        "runs": runs,
        "attack": InnerProductManipulation(np.array([[0.1], [0.5], [1.0]])),
    }
    x0 = np.random.Generator(np.random.Philox(3)).standard_normal((runs, 2))
    agree(*both(problem, RobustSGD(rule, WorkerMomentum(rate, 0.5)), x0=x0, **size))
    agree(*both(problem, RobustSGD(RFA(nu=np.array([[0.1], [1.0], [3.0]])), SGD(lambda t: rate / t)), **size))


def test_a_run_does_not_depend_on_its_batch_nor_on_threads():
    algorithm = RobustSGD(CenteredClipping(0.5), WorkerMomentum(0.1, 0.9))
    size = {"n": 5, "f": 1, "attack": ALittleIsEnough(z=1.0), "steps": 30, "seed": 4}
    whole = simulate(PROBLEM, algorithm, runs=37, **size)
    try:
        for count in (1, 2):
            threads.limit(count)
            for first, runs in ((0, 17), (17, 1), (18, 19)):
                part = simulate(PROBLEM, algorithm, runs=runs, first_run=first, **size)
                for field in FIELDS[:4]:
                    np.testing.assert_array_equal(getattr(part, field), getattr(whole, field)[:, first : first + runs])
                np.testing.assert_array_equal(part.x, whole.x[first : first + runs])
    finally:
        threads.limit(None)


def test_small_buffers_draw_the_same_numbers(monkeypatch):
    algorithm = RobustSGD(TrimmedMean(1), WorkerMomentum(lambda t: 0.1 / t, 0.9))
    size = {"n": 5, "f": 1, "steps": 30, "runs": 4, "seed": 4, "every": 4}
    whole = simulate(PROBLEM, algorithm, **size)
    monkeypatch.setattr(on_cpu, "BUFFER", 7 * 4 * 5 * 3)  # seven rounds at a time
    parts = simulate(PROBLEM, algorithm, **size)
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(parts, field), getattr(whole, field))


@pytest.mark.parametrize("rule", RULES)
def test_what_diverges_diverges_alike(rule):
    """Infinite and enormous messages count as in the reference; what an overflow leaves behind may be ∞ or NaN."""
    found, expected = both(PROBLEM, RobustSGD(RULES[rule], SGD(1e40)), steps=12, x0=np.ones(3))
    for field in FIELDS:
        if field == "sq_aggregate_errors":
            continue  # the difference of enormous numbers that are nearly equal: the square of its rounding overflows
        a, b = getattr(found, field), getattr(expected, field)
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b), err_msg=field)
        fine = np.isfinite(a)
        np.testing.assert_allclose(a[fine], b[fine], rtol=1e-9, err_msg=field)


@pytest.mark.parametrize("scale", [1e-170, 1e-120, 1e120, 1e160, 1e250])
@pytest.mark.parametrize("rule", ["clipping", "RFA"])
def test_norms_neither_overflow_nor_vanish(scale, rule):
    problem = Quadratic((1.0, 1.0), sigma_sq=1e-300 if scale < 1 else 1.0)
    made = CenteredClipping(scale) if rule == "clipping" else RFA(nu=scale)
    found, expected = both(problem, RobustSGD(made, SGD(0.1)), x0=scale * np.ones(2), steps=6)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-9)


def test_ties_of_krum_are_broken_by_value():
    problem = Quadratic((1.0, 1.0), x_star=0.5)  # no noise: all messages are equal
    agree(*both(problem, RobustSGD(Krum(1), SGD(0.1)), n=6, f=1, attack=BitFlipping(), x0=np.ones(2)))


def test_ties_of_krum_between_different_messages_are_broken_by_value():
    """Over one neighbour the two closest messages have one score, on either side of 0."""
    for dim, x_star in ((1, 0.0), (1, -2.0), (3, (0.2, 0.0, -1.0))):
        problem = Quadratic((1.0,) * dim, sigma_sq=1.0, x_star=x_star)
        agree(*both(problem, RobustSGD(Krum(0), SGD(0.1)), n=3, f=0, runs=9))


def played(monkeypatch):
    calls = []
    original = on_cpu.play
    monkeypatch.setattr(on_cpu, "play", lambda *a: calls.append(1) or original(*a))
    return calls


def test_everything_else_takes_the_reference(monkeypatch):
    class OwnMean(Mean):
        """Somebody's own rule: what its parent declares is not inherited."""

    class OwnSGD(SGD):
        """Somebody's own optimizer."""

    class OwnFlipping(BitFlipping):
        """Somebody's own attack."""

    class OwnBowl(Sinusoidal):
        """Somebody's own problem."""

    calls = played(monkeypatch)
    plain = RobustSGD(Mean(), SGD(0.1))
    size = {"n": 5, "f": 1, "steps": 3, "runs": 2, "seed": 0}
    for problem, algorithm, more in (
        (PROBLEM, plain, {"shuffle": True}),
        (OwnBowl(0.5), plain, {}),
        (PROBLEM, RobustSGD(OwnMean(), SGD(0.1)), {}),
        (PROBLEM, RobustSGD(MultiKrum(1, variant="released"), SGD(0.1)), {"n": 6}),
        (PROBLEM, RobustSGD(Krum(1, "released"), SGD(0.1)), {"n": 6}),
        (PROBLEM, RobustSGD(Mean(), OwnSGD(0.1)), {}),
        (PROBLEM, plain, {"attack": OwnFlipping()}),
    ):
        simulate(problem, algorithm, **{**size, **more})
    with kernels.reference():
        simulate(PROBLEM, plain, **size)
    assert not calls
    simulate(PROBLEM, plain, **size)
    assert calls
    monkeypatch.setattr(on_cpu, "SMALLEST", 2**17)
    simulate(PROBLEM, plain, **size)
    assert len(calls) == 1


def test_compiled_rounds_begin_and_end_where_it_says(monkeypatch):
    numbers = 5 * PROBLEM.dim

    def compiled(steps):
        e = Experiment(PROBLEM, RobustSGD(Mean(), SGD(0.1)), n=5, f=1, steps=steps, runs=2, seed=0)
        return on_cpu.program(e)[0] is not None

    monkeypatch.setattr(on_cpu, "SMALLEST", 7 * numbers)
    assert [compiled(steps) for steps in (6, 7, 8)] == [False, True, True]
    monkeypatch.setattr(on_cpu, "LARGEST", numbers)
    assert compiled(7)
    monkeypatch.setattr(on_cpu, "LARGEST", numbers - 1)
    assert not compiled(7)


def test_what_does_not_fit_is_refused_in_the_reference_s_words():
    for rule, message in ((Krum(3), r"Krum needs n ≥ 2f \+ 3"), (CenteredClipping(np.ones(7)), "broadcast")):
        with pytest.raises(ValueError, match=message):
            simulate(PROBLEM, RobustSGD(rule, SGD(0.1)), n=8, f=2, steps=3, runs=2, seed=0)
    algorithm, attack = RobustSGD(Mean(), SGD(0.1)), ALittleIsEnough(z=1.0)
    with pytest.raises(ValueError, match="g > ddof"):
        simulate(Quadratic((1.0,)), algorithm, n=3, f=2, attack=attack, steps=3, runs=2, seed=0)


def test_the_program_is_made_once(monkeypatch):
    made = []
    original = program.Program.__init__
    monkeypatch.setattr(program.Program, "__init__", lambda self, *a: made.append(1) or original(self, *a))
    algorithm = RobustSGD(TrimmedMean(2), WorkerMomentum(np.array([[0.1], [0.2]]), 0.9))
    simulate(PROBLEM, algorithm, n=9, f=2, steps=20, runs=20, seed=0, grid=(2,))
    assert made == [1]


def test_a_rule_of_ones_own_may_declare_a_step():
    class Middle(CoordinateMedian):
        """The median, but it says so itself."""

        def in_rounds(self, n):
            return CoordinateMedian.in_rounds(self, n)

    algorithms = [RobustSGD(rule, SGD(0.1)) for rule in (Middle(), CoordinateMedian())]
    found, expected = (simulate(PROBLEM, a, n=5, f=1, steps=9, runs=2, seed=0) for a in algorithms)
    np.testing.assert_array_equal(found.excess, expected.excess)


def test_a_wrong_program_would_be_noticed(monkeypatch):
    original = ALittleIsEnough.in_rounds
    monkeypatch.setattr(ALittleIsEnough, "in_rounds", lambda *a: dataclasses.replace(original(*a), whole=(0,)))
    with pytest.raises(AssertionError):
        agree(*both(PROBLEM, RobustSGD(Mean(), SGD(0.1)), attack=ALittleIsEnough(z=1.0)))
