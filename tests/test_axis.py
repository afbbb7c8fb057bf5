"""Named axes: what is broadcast is what one would have written by hand, and what does not fit is named."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

from sims.aggregators import RFA, CenteredClipping, Mean, StatelessRule, TrimmedMean
from sims.attacks import InnerProductManipulation, Relocation, Together
from sims.engine import Axis, Experiment, play, simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic

PROBLEM = Quadratic((1.0, 2.0), sigma_sq=1.0)
SIZES = {"n": 5, "f": 1, "steps": 9, "runs": 3, "seed": 0, "x0": 2.0}
TAU, BETA, EPSILON = Axis("tau", [0.1, 1.0, 10.0]), Axis("beta", [0.0, 0.9]), Axis("epsilon", [0.5, 1.0, 2.0, 4.0])


def record(tau=1.0, beta=0.5, epsilon=0.5, problem=PROBLEM, rate=0.1, **sizes):
    algorithm = RobustSGD(CenteredClipping(tau), WorkerMomentum(rate, beta))
    return simulate(problem, algorithm, attack=InnerProductManipulation(epsilon), **{**SIZES, **sizes})


def test_three_axes_are_all_their_combinations():
    whole = record(TAU, BETA, EPSILON)
    assert whole.dims == ("time", "tau", "beta", "epsilon", "run")
    assert whole.excess.shape == (10, 3, 2, 4, 3)
    for i, tau in enumerate(whole.coords["tau"]):
        for j, beta in enumerate(whole.coords["beta"]):
            for k, epsilon in enumerate(whole.coords["epsilon"]):
                one = record(float(tau), float(beta), float(epsilon))
                np.testing.assert_array_equal(whole.excess[:, i, j, k], one.excess)
                np.testing.assert_array_equal(whole.x[i, j, k], one.x)


def test_parameters_on_one_axis_go_together_and_others_are_crossed():
    scale = Axis("scale", [1.0, 4.0])
    whole = record(scale * np.sqrt(1 - BETA), BETA)
    assert whole.dims == ("time", "beta", "scale", "run") or whole.dims == ("time", "scale", "beta", "run")
    for i, s in enumerate((1.0, 4.0)):
        for j, beta in enumerate((0.0, 0.9)):
            place = {"scale": i, "beta": j}
            index = tuple(place[name] for name in whole.dims[1:-1])
            np.testing.assert_array_equal(whole.x[index], record(s * np.sqrt(1 - beta), beta).x)


def test_a_radius_per_step_is_a_tuple_and_one_per_experiment_an_axis():
    rule = CenteredClipping((TAU, 0.5), steps=2)
    whole = simulate(PROBLEM, RobustSGD(rule, SGD(0.1)), **SIZES)
    assert whole.x.shape == (3, 3, 2)
    for i, tau in enumerate((0.1, 1.0, 10.0)):
        one = simulate(PROBLEM, RobustSGD(CenteredClipping((tau, 0.5), steps=2), SGD(0.1)), **SIZES)
        np.testing.assert_array_equal(whole.x[i], one.x)
    with pytest.raises(ValueError, match=r"tau of CenteredClipping has the shape \(3,\)"):
        simulate(PROBLEM, RobustSGD(CenteredClipping(np.array([0.1, 1.0, 10.0])), SGD(0.1)), **SIZES)


def test_vectors_schedules_starts_problems_and_attacks_take_axes():
    rate = Axis("rate", [0.05, 0.2])
    bowls = Axis("bowl", [[1.0, 2.0], [0.5, 3.0], [1.0, 1.0]])
    start, noise = Axis("start", [1.0, -3.0]), Axis("noise", [0.0, 4.0])
    problem = Quadratic(bowls, sigma_sq=noise)
    attack = Relocation(1.0, direction=Axis("direction", [[1.0, 0.0], [1.0, 1.0]]))
    algorithm = RobustSGD(RFA(), SGD(lambda t: rate / t))
    whole = simulate(problem, algorithm, attack=attack, **{**SIZES, "x0": start})
    assert whole.dims == ("time", "bowl", "noise", "rate", "direction", "start", "run")
    assert whole.coords["bowl"].tolist() == [0, 1, 2]
    one = simulate(
        Quadratic((0.5, 3.0), sigma_sq=4.0),
        RobustSGD(RFA(), SGD(lambda t: 0.2 / t)),
        attack=Relocation(1.0, direction=(1.0, 1.0)),
        **{**SIZES, "x0": -3.0},
    )
    np.testing.assert_allclose(whole.x[1, 1, 1, 1, 1], one.x, rtol=1e-13)
    vectors = simulate(PROBLEM, algorithm, **{**SIZES, "x0": Axis("start", [[1.0, 2.0], [0.0, 1.0]])})
    assert vectors.excess[0, 1, 1].tolist() == [1.0] * 3  # f = ½(1·0² + 2·1²)


def test_a_value_for_each_run_is_named_so():
    given = Axis("run", [0.1, 0.1, 0.3])
    whole = record(rate=given)
    assert whole.dims == ("time", "run")
    np.testing.assert_array_equal(whole.x[2], record(rate=0.3).x[2])
    np.testing.assert_array_equal(whole.x[0], record(rate=0.1).x[0])
    crossed = record(TAU, rate=given)
    np.testing.assert_array_equal(crossed.x[1, 2], record(1.0, rate=0.3).x[2])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: record(beta=np.array([0.0, 0.5, 0.9])), r"beta of WorkerMomentum has the shape \(3,\).*Axis\('run'"),
        (lambda: record(TAU, TAU * 0.09, Axis("tau", [1.0, 2.0])), "the axis 'tau' is given with two sets of values"),
        (lambda: record(TAU, grid=(3,)), "has its grid from the axes tau: give neither grid nor axes"),
        (lambda: record(TAU, axes={"tau": (1, 2, 3)}), "give neither grid nor axes"),
        (lambda: record(rate=Axis("run", [0.1, 0.2])), "'run' needs a value for each run, got 2 for runs = 3"),
        (
            lambda: record(grid=(3,), axes={"tau": (1, 2)}),
            r"axes of the lengths of the grid, got \(2,\) for grid = \(3,",
        ),
        (lambda: record(np.ones((4, 1)), grid=(3,)), r"tau of CenteredClipping has the shape \(4, 1\)"),
        (lambda: record(Axis("tau", [0.1, -1.0])), r"CenteredClipping needs tau ≥ 0, got tau = -1.0"),
        (lambda: record(beta=Axis("beta", [0.1, 1.0])), r"needs 0 ≤ beta < 1, got beta = 1.0"),
        (lambda: Axis("time", [1.0]), "a name that is an identifier and none of time, x, .*, got 'time'"),
        (lambda: Axis("a b", [1.0]), "an identifier"),
        (lambda: Axis("tau", [1.0, 1.0]), "the axis 'tau' has a value twice"),
        (lambda: Axis("tau", []), "real numbers"),
        (lambda: Axis("tau", ["1"]), "real numbers"),
        (lambda: Axis("tau", [float("nan")]), "needs −∞ ≤ values ≤ ∞, got values = nan"),
        (lambda: Axis("tau", 3.0), "real numbers"),
        (lambda: Axis("tau", [True, False]), "real numbers"),
    ],
)
def test_what_does_not_fit_is_named(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@dataclasses.dataclass(frozen=True)
class Undeclared(StatelessRule):
    """A rule of a user's who says nothing about arrays."""

    strength: float = 1.0

    @property
    def promises(self):
        return Mean().promises

    def breakdown(self, n):
        return 0

    def reduce(self, x):
        return self.strength * x.mean(axis=-2)


def test_only_declared_parameters_take_axes():
    with pytest.raises(
        ValueError, match="strength of Undeclared cannot differ along the axis 's': it has no parameter"
    ):
        simulate(PROBLEM, RobustSGD(Undeclared(Axis("s", [1.0, 2.0])), SGD(0.1)), **SIZES)


def test_an_experiment_with_axes_is_a_value_and_can_be_changed():
    algorithm = RobustSGD(CenteredClipping(TAU), WorkerMomentum(lambda t: BETA / t, 0.5))
    experiment = Experiment(PROBLEM, algorithm, **SIZES)
    other = dataclasses.replace(experiment, seed=1)
    assert other.grid == experiment.grid == (3, 2)
    assert list(other.named) == ["tau", "beta"]
    assert dataclasses.replace(other, seed=0).key() == experiment.key() != other.key()
    assert play(experiment).key() == experiment.key()


def test_axes_inside_parts_of_parts():
    attack = Together((InnerProductManipulation(EPSILON), InnerProductManipulation(0.5)))
    experiment = Experiment(PROBLEM, RobustSGD(TrimmedMean(1), SGD(0.1)), attack=attack, **SIZES)
    assert experiment.grid == (4,)
    assert experiment.attack.attacks[0].epsilon.shape == (4, 1)


# Handing over


def test_a_table_has_a_row_for_everything_in_order():
    whole = record(TAU, BETA, every=4, first_run=5)
    table = whole.table()
    assert list(table) == ["time", "tau", "beta", "run", *whole.measures, "sq_aggregate_errors"]
    assert {len(column) for column in table.values()} == {4 * 3 * 2 * 3}
    chosen = (table["time"] == 8) & (table["tau"] == 10.0) & (table["beta"] == 0.9) & (table["run"] == 6)
    assert table["excess"][chosen].tolist() == [whole.excess[2, 2, 1, 1]]
    assert table["sq_aggregate_errors"][chosen].tolist() == [whole.sq_aggregate_errors[1, 2, 1, 1]]
    assert np.isnan(table["sq_aggregate_errors"]).tolist() == (table["time"] == 0).tolist()


def test_frames_take_the_table_in_one_line():
    table = record(TAU).table()
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    assert pandas.DataFrame(table).groupby("tau")["excess"].mean().shape == (3,)
    assert pyarrow.table(table).num_rows == len(table["tau"])


def test_a_dataset_knows_names_and_coordinates():
    pytest.importorskip("xarray")
    whole = record(TAU, BETA)
    data = whole.to_xarray()
    assert float(data["excess"].sel(time=9, tau=1.0, beta=0.9, run=2)) == whole.excess[9, 1, 1, 2]
    assert data["x"].sel(tau=10.0, beta=0.0, run=1).values.tolist() == whole.x[2, 0, 1].tolist()


def test_unnamed_grids_and_seeds_have_names_too():
    by_hand = record(np.array([[0.1], [1.0]]), grid=(2,), seed=(7, 3, 5))
    assert by_hand.dims == ("time", "grid_0", "seed")
    assert by_hand.coords["seed"].tolist() == [7, 3, 5]
    named = record(np.array([[0.1], [1.0]]), axes={"tau": (0.1, 1.0)})
    np.testing.assert_array_equal(named.coords["tau"], [0.1, 1.0])


# Seeds


@pytest.mark.parametrize("steps", [9, 600])  # the array engine, and compiled rounds at d = 50
def test_runs_with_seeds_of_their_own_are_the_first_runs_of_these(steps):
    problem = Quadratic.between(0.1, 1.0, 2 if steps == 9 else 50, sigma_sq=1.0)
    whole = record(TAU, BETA, problem=problem, steps=steps, every=steps, seed=(7, 3, 5))
    for k, seed in enumerate((7, 3, 5)):
        one = record(TAU, BETA, problem=problem, steps=steps, every=steps, seed=seed, runs=1)
        np.testing.assert_array_equal(whole.x[:, :, k], one.x[:, :, 0])
        np.testing.assert_array_equal(whole.excess[..., k], one.excess[..., 0])
        alone = record(float(TAU.values[2]), 0.9, problem=problem, steps=steps, every=steps, seed=seed, runs=1)
        np.testing.assert_array_equal(whole.x[2, 1, k], alone.x[0])
    assert record(seed=(4,), runs=1).key() == record(seed=4, runs=1).key()


def test_runs_with_seeds_of_their_own_begin_at_the_first_run():
    whole = record(seed=(7, 3), runs=2, first_run=4)
    for k, seed in enumerate((7, 3)):
        one, other = (record(seed=seed, runs=1, first_run=first) for first in (4, 0))
        np.testing.assert_array_equal(whole.x[k], one.x[0])
        assert np.all(whole.x[k] != other.x[0])


def test_seeds_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="a seed for each run, got 2 for runs = 3"):
        record(seed=(1, 2))
    with pytest.raises(ValueError, match="on a CUDA device needs one seed"):
        Experiment(PROBLEM, RobustSGD(Mean(), SGD(0.1)), **{**SIZES, "seed": (1, 2, 3)}, backend="cupy")


@pytest.mark.parametrize("later", [Axis("rate", [0.01, 0.5]), Axis("other", [0.01, 0.5])])
@pytest.mark.parametrize("first", [0.1, Axis("rate", [0.1, 0.2])])
def test_a_schedule_has_its_axes_from_round_1_on(first, later):
    with pytest.raises(ValueError, match="a schedule needs"):
        record(rate=lambda t: first if t == 1 else later, runs=2)


def test_a_record_is_shown_in_a_line():
    assert repr(record(TAU, every=9)) == (
        "Record(time: 2, tau: 3, run: 3; excess, sq_gradient_norms, sq_distances, sq_aggregate_errors, x)"
    )


def test_without_xarray_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ImportError, match="pip install xarray"):
        record().to_xarray()
