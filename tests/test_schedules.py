"""Learning rates that fall at given rounds, and weight decay on the server: as Python, in keys, and in a file."""

from __future__ import annotations

import numpy as np
import pytest
from sweeping import SWEEP

from sims.aggregators import CoordinateMedian, Mean
from sims.by_name import optimizer_by_name, takes
from sims.engine import Experiment, play, simulate
from sims.engine.describe import describe, undescribed
from sims.optimizers import SGD, Piecewise, RobustSGD, ServerMomentum, WeightDecay, WorkerMomentum, WorkerMVR
from sims.problems import Quadratic
from sims.sweep import read

PROBLEM = Quadratic((1.0, 2.0), sigma_sq=1.0)
WRITTEN = 'rule = "Mean"\n' + SWEEP.rpartition("[optimizer]")[0].format(seed=0)


def test_after_each_of_the_rounds_it_is_multiplied():
    rate = Piecewise(0.8, at=(3, 5, 5), factor=0.5)
    assert [rate(t) for t in range(1, 8)] == [0.8, 0.8, 0.8, 0.4, 0.4, 0.1, 0.1]
    assert Piecewise(0.8, at=())(10**6) == 0.8
    assert Piecewise(0.8, at=(0,), factor=0.5)(1) == 0.4


def test_it_rounds_as_torch_does():
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2, 4, 7], gamma=0.3)
    found = []
    for _ in range(9):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    rate = Piecewise(0.1, at=(2, 4, 7), factor=0.3)
    assert [rate(t) for t in range(1, 10)] == found


def test_two_halves_of_a_run_are_two_runs():
    """On a problem without noise: 4 steps at 0.5 and 3 at 0.05."""
    problem = Quadratic((1.0, 2.0))
    alone = RobustSGD(Mean(), SGD(Piecewise(0.5, at=(4,), factor=0.1)))
    x = simulate(problem, alone, n=3, f=0, steps=7, runs=1, seed=0, x0=1.0).x
    assert np.allclose(x[0], [0.5**4 * 0.95**3, 0.0], rtol=1e-14)


@pytest.mark.parametrize(
    "made",
    [
        SGD.decayed(0.1, (5, 8)),
        WorkerMomentum.decayed(0.1, 0.9, (5, 8), damped=False),
        ServerMomentum.decayed(0.1, 0.9, (5, 8), factor=0.5),
        WorkerMVR.decayed(0.1, 0.2, (5, 8), idle=2),
    ],
    ids=repr,
)
def test_every_optimizer_can_be_made_with_one(made):
    schedule = made.learning_rate
    assert (schedule.first, schedule.at) == (0.1, (5, 8))
    assert [schedule.factor, *[getattr(made, name) for name in ("damped", "idle") if hasattr(made, name)]] in (
        [0.1],
        [0.1, False],
        [0.5, True],
        [0.1, 2],
    )


def test_a_key_stands_for_it():
    def experiment(rate):
        algorithm = RobustSGD(CoordinateMedian(), WorkerMomentum(rate, 0.9))
        return Experiment(PROBLEM, algorithm, n=3, f=0, steps=4, runs=2, seed=0)

    described = describe(Piecewise(1, at=(2,), factor=0.1))
    assert described == {"type": "sims.optimizers.piecewise:Piecewise", "first": 1.0, "at": [2], "factor": 0.1}
    assert not list(undescribed(described))
    keys = [experiment(Piecewise(0.1, at, factor)).key() for at, factor in (((2,), 0.1), ((3,), 0.1), ((2,), 0.2))]
    assert len(set(keys)) == 3
    lambda_ = experiment(lambda t: 0.1 if t <= 2 else 0.1 * 0.1)
    assert np.array_equal(play(lambda_).x, play(experiment(Piecewise(0.1, (2,), 0.1))).x)


# Weight decay


def test_weight_decay_on_the_server_by_hand():
    """Worker momentum does not see it: a ridge in the loss would be averaged over time and clipped."""
    x, lam, eta, beta = np.array([4.0]), 0.5, 0.1, 0.75
    optimizer = WeightDecay(WorkerMomentum(eta, beta), lam)
    algorithm, g = RobustSGD(Mean(), optimizer), np.array([[1.0], [3.0]])
    state, m = algorithm.init(x), np.zeros((2, 1))
    for _ in range(3):
        m = (1 - beta) * g + beta * m
        x = x - eta * (m.mean(axis=0) + lam * x)
        got, state = algorithm(g, state)
        assert np.allclose(got, x, rtol=1e-14)
        assert np.allclose(state.aggregate, m.mean(axis=0), rtol=1e-14)


def test_it_steps_as_torch_does():
    torch = pytest.importorskip("torch")
    x = torch.tensor([4.0, -1.0], dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.SGD([x], lr=0.1, weight_decay=0.3)
    ours, y = WeightDecay(SGD(0.1), 0.3), np.array([4.0, -1.0])
    for gradient in ([1.0, 2.0], [0.5, -3.0]):
        x.grad = torch.tensor(gradient, dtype=torch.float64)
        theirs.step()
        y, _ = ours.update(y, np.array(gradient), None, 1)
        assert np.allclose(y, x.detach().numpy(), rtol=1e-15)


# In files


def written(tmp_path, optimizer):
    path = tmp_path / "sweep.toml"
    path.write_text(WRITTEN + optimizer, encoding="utf-8")
    return read(path)


def test_a_file_writes_the_rounds_as_a_list_in_a_list(tmp_path):
    found = written(
        tmp_path,
        """
        [optimizer]
        name = "WeightDecay(WorkerMomentum.decayed)"
        weight_decay = 1e-4
        learning_rate = [1, 0.1]
        beta = 0.9
        milestones = [[2], [2, 3]]
        factor = 0.5
        """,
    )
    assert len(found.cells) == 4
    optimizers = [cell.optimizer for cell in found.cells]
    assert {(one.optimizer.learning_rate.first, one.optimizer.learning_rate.at) for one in optimizers} == {
        (rate, at) for rate in (1.0, 0.1) for at in ((2,), (2, 3))
    }
    assert found.cells[0].settings["optimizer.milestones"] == "[2]"
    assert len({cell.key(0) for cell in found.cells}) == 4
    assert (
        found.cells[0].key(0)
        == Experiment(
            found.cells[0].problem,
            RobustSGD(Mean(), WeightDecay(WorkerMomentum(Piecewise(1.0, (2,), 0.5), 0.9), 1e-4)),
            n=5,
            f=1,
            steps=3,
            runs=1,
            seed=0,
            attack=found.cells[0].attack,
            x0=1.0,
            every=3,
        ).key()
    )


def test_what_is_around_another_takes_the_settings_of_both():
    names = ["weight_decay", "learning_rate", "beta", "milestones", "factor", "damped"]
    assert list(takes("optimizer", "WeightDecay(WorkerMomentum.decayed)")) == names


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Piecewise(-0.1, ()), "Piecewise needs first ≥ 0, got first = -0.1"),
        (lambda: Piecewise(0.1, (1,), float("nan")), "Piecewise needs factor ≥ 0, got factor = nan"),
        (lambda: Piecewise(0.1, (5, 3)), r"Piecewise needs at in ascending order, got at = \(5, 3\)"),
        (lambda: Piecewise(0.1, (0.5,)), "Piecewise needs a whole number at ≥ 0, got at = 0.5"),
        (lambda: WeightDecay(SGD(0.1), -1.0), "WeightDecay needs weight_decay ≥ 0, got weight_decay = -1.0"),
        (lambda: WeightDecay(Mean(), 0.1), r"WeightDecay needs a sims Optimizer, got optimizer = Mean\(\)"),
        (
            lambda: optimizer_by_name("SGD.decayed", {"learning_rate": 0.1}),
            "SGD.decayed needs a value for milestones",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
