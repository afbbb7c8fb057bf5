"""Compiled rounds of rules that choose by length, distance or score, or mix messages first: as the array engine's."""

from __future__ import annotations

import numpy as np
import pytest
from experiments import PROBLEM, agree, both

from sims.aggregators import (
    ARC,
    CGE,
    RFA,
    Bucketing,
    CenteredClipping,
    Clipping,
    CoordinateMedian,
    Krum,
    Meamed,
    Mean,
    MoNNA,
    MultiKrum,
    NearestNeighbourMixing,
    Phocas,
    TrimmedMean,
)
from sims.attacks import ALittleIsEnough, BitFlipping, Infinite, Mimic, NoAttack
from sims.by_name import RULES
from sims.engine import Axis, Experiment, on_arrays, on_cpu, play
from sims.kernels.in_rounds import Mix, Step
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Bernoulli, Pareto, Quadratic, Rademacher

WIDE = Quadratic(tuple(np.linspace(0.1, 1.0, 17)), sigma_sq=1.0)
MADE = {
    "Meamed": Meamed(2),
    "Phocas": Phocas(2),
    "CGE": CGE(2),
    "MoNNA": MoNNA(2),
    "MoNNA of another": MoNNA(2, idx=3),
    "MultiKrum": MultiKrum(2),
    "two of MultiKrum": MultiKrum(2, 2),
    "ByzFL's Krum": Krum(2, "byzfl"),
    "ByzFL's MultiKrum": MultiKrum(2, variant="byzfl"),
    "mixed": NearestNeighbourMixing(CoordinateMedian(), 2),
    "mixed clipping": NearestNeighbourMixing(CenteredClipping(0.7), 2),
    "clipped": Clipping(TrimmedMean(2), 2.0),
    "clipped Krum": Clipping(Krum(2), 1.5),
    "clipped to nothing": Clipping(RFA(), 0.0),
    "buckets": Bucketing(CoordinateMedian()),
    "buckets of three": Bucketing(CenteredClipping(0.7), size=3),
    "buckets of Krum": Bucketing(Krum(1), size=2),
    "single": Bucketing(TrimmedMean(2), size=1),
    "ARC": ARC(Mean(), 2),
    "ARC's windows": ARC(Phocas(2), 2),
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let small experiments run in compiled code too."""
    monkeypatch.setattr(on_cpu, "SMALLEST", 0)


@pytest.mark.parametrize("name", MADE)
def test_rules(name):
    """Also with half a dozen equal messages, and with infinite ones where a trusted worker does not send them."""
    rule = MADE[name]
    sizes = (
        (9, PROBLEM, WorkerMomentum(0.1, 0.9)),
        (12, WIDE, SGD(0.1)),
        (25, Pareto(dim=1), WorkerMomentum(0.1, 0.5)),
    )
    expected = [both(p, RobustSGD(rule, o), n=n, attack=a, x0=1.0, steps=25, runs=9) for n, p, o in sizes for a in FOUR]
    for found, reference in expected:
        agree(found, reference)


FOUR = (NoAttack(), Infinite(), BitFlipping(), Mimic(worker=0))


def test_all_steps_and_mixes_are_met():
    met = [rule.in_rounds(9) for rule in MADE.values()]
    assert {one.step for one in met} >= set(Step) - {Step.MEDIAN, Step.WEISZFELD} - {Step.CLIPPING}
    assert {one.mix for one in met} == set(Mix)


def test_nothing_of_this_is_played_twice(monkeypatch):
    """Neither equal messages nor infinite ones are beyond any step."""
    monkeypatch.setattr(on_arrays, "play", lambda *a: pytest.fail("a run went beyond"))
    for rule in MADE.values():
        for attack in (NoAttack(), Mimic(worker=0), Infinite()):
            size = {"n": 12, "f": 2, "attack": attack, "steps": 9, "runs": 9, "seed": 0, "x0": 1.0}
            play(Experiment(PROBLEM, RobustSGD(rule, SGD(0.1)), **size))


def test_ties_of_few_values_are_the_reference_s():
    """Medians, windows and Krum are right to the bit; what leaves ties to rounding is not compiled there."""
    for problem in (Bernoulli(0.3, dim=2), Rademacher(dim=10), Bernoulli(0.2)):
        for rule in (Meamed(2), Phocas(2), Krum(2), Krum(2, "byzfl"), Clipping(CoordinateMedian(), 1.0)):
            for attack, optimizer in ((ALittleIsEnough(z=1.0), SGD(0.1)), (BitFlipping(), WorkerMomentum(0.1, 0.9))):
                agree(*both(problem, RobustSGD(rule, optimizer), n=25, attack=attack, x0=1.0, runs=11))
        for rule in (CGE(2), MoNNA(2), MultiKrum(2), NearestNeighbourMixing(Mean(), 2), Clipping(Krum(2), 1.0)):
            e = Experiment(problem, RobustSGD(rule, SGD(0.1)), n=9, f=2, steps=9, runs=1, seed=0)
            assert "leaves ties to rounding" in e.explain().reasons[-1]


@pytest.mark.parametrize("scale", [1e-155, 1e150, 1e307])
def test_runs_at_the_edges_of_the_range_have_the_reference_s_numbers(scale):
    """Beside one of ordinary size, whose numbers are those that it has alone."""
    problem = Quadratic((1.0, 1.0, 1.0), sigma_sq=Axis("run", [1.0, min(scale, 1e150) ** 2, 1.0]))
    x0 = np.array([[1.0] * 3, [scale] * 3, [2.0] * 3])
    for name, rule in MADE.items():
        if "ByzFL" not in name:
            found, expected = both(
                problem, RobustSGD(rule, SGD(0.1)), n=9, x0=x0, steps=3, attack=BitFlipping("messages")
            )
            unit = np.max(np.abs(x0), axis=1)[:, None]
            np.testing.assert_allclose(found.x / unit, expected.x / unit, rtol=1e-9, atol=1e-12, err_msg=name)


def test_a_rule_around_a_rule_without_a_step_has_none():
    declared = {rule.__name__ for rule in RULES if "in_rounds" in vars(rule)}
    assert {"Meamed", "NearestNeighbourMixing", "ARC", "Clipping"} < declared
    for rule in (
        Clipping(NearestNeighbourMixing(Mean(), 1), 1.0),
        NearestNeighbourMixing(Krum(1), 1),
        ARC(MultiKrum(1, variant="released"), 1),
        Krum(1, "released"),
    ):
        assert rule.in_rounds(9) is None


def test_equal_keys_are_decided_by_value():
    """In each lane for itself; a key that is infinite and kept is for the reference."""
    from sims.kernels.cpu import round_choices, vectors

    rng = np.random.Generator(np.random.Philox(2))
    n, d, count = 9, 2, 5
    keys, rows, alive, kept = vectors.zeros(n), vectors.zeros(n, d), vectors.zeros(n), vectors.zeros(n)
    keys[:], rows[:], alive[:] = rng.integers(0, 3, keys.shape), rng.integers(-1, 2, rows.shape), 1.0
    keys[:, 7] = [np.inf] * 5 + [1.0, 2.0, 3.0, 4.0]
    beyond = np.zeros(vectors.LANES)
    round_choices.lowest(keys, rows, alive, count, kept, beyond)
    for k in range(vectors.LANES - 1):
        order = sorted(range(n), key=lambda i: (keys[i, k], *rows[i, :, k]))
        chosen = sorted(rows[i, :, k].tolist() for i in order[:count])
        assert sorted(rows[i, :, k].tolist() for i in range(n) if kept[i, k]) == chosen
        assert kept[:, k].sum() == count
    assert beyond.tolist() == [0.0] * 7 + [1.0]
