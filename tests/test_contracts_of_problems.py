"""Every problem keeps what a problem owes, and what it owes catches the problem that is not what it declares."""

# what is a property of a problem may be a plain attribute
# pyright: reportAssignmentType=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

import numpy as np
import pytest
from faulty_problems import FAULTY, Bowl, Wave
from oracles_that_remember import Drifting
from problem_with_classes import Blobs

from sims.by_name import PROBLEMS
from sims.contracts import check_problem, contracts_for_problem
from sims.problems import Bernoulli, Pareto, Pendulum, Problem, Quadratic

SOUND = [problem.example() for problem in PROBLEMS]
SOUND += [Quadratic.between(0.01, 3.0, 100, sigma_sq=2.0), Quadratic((1.0,)), Quadratic((0.0, 1.0)), Bernoulli(1.0)]
SOUND += [Quadratic((1.0, 2.0), sigma_sq=1.0, zeta_sq=3.0, x_star=(5.0, -1000.0)), Pareto(2.1), Bowl(), Wave()]
SOUND += [Quadratic((1e-6, 3e-6), x_star=1e3), Quadratic((1e6, 3e8), sigma_sq=1e4), Pendulum(1.0, 3, "square")]
NAMES = [f"{type(problem).__name__}-{k}" for k, problem in enumerate(SOUND)]


@pytest.mark.parametrize("problem", SOUND, ids=NAMES)
def test_every_problem_keeps_its_contracts(problem):
    check_problem(problem)


@pytest.mark.parametrize("make_array", ["array-api-strict", "torch"], indirect=True)
@pytest.mark.parametrize("problem", [problem.example() for problem in PROBLEMS], ids=lambda one: type(one).__name__)
def test_every_problem_keeps_its_contracts_on_every_library(make_array, problem):
    for name, check in contracts_for_problem(problem, like=make_array(np.zeros(1))):
        if name not in ("variance", "unbiasedness", "heterogeneity"):  # which are NumPy's in any case
            check(problem)


def test_an_oracle_that_remembers_or_has_classes_is_an_oracle():
    check_problem(Drifting())
    check_problem(Blobs(batch=2))


@pytest.mark.parametrize("seed", range(1, 6))
def test_no_seed_condemns_a_sound_problem(seed):
    for problem in (Bowl(), Wave(), Pareto(2.1)):
        check_problem(problem, seed)


def check_one(contract, problem, seed):
    """One contract alone."""
    checks = {name.partition(" sigma_sq")[0]: check for name, check in contracts_for_problem(problem, seed)}
    checks[contract](problem)


CAUGHT = [pytest.param(name, make, id=f"{name}-{make.__qualname__.partition('.')[0]}") for name, make in FAULTY]


@pytest.mark.parametrize(("contract", "make"), CAUGHT)
def test_a_faulty_problem_is_caught_with_any_seed(contract, make):
    for seed in range(20):
        with pytest.raises(AssertionError, match=rf"^contract '{contract}' broken by "):
            check_one(contract, make(), seed)


@pytest.mark.parametrize(("contract", "make"), CAUGHT)
def test_the_whole_check_stops_at_a_faulty_problem(contract, make):
    with pytest.raises(AssertionError, match=r"^contract '.*' broken by "):
        check_problem(make(), 20)


def test_every_contract_has_a_problem_that_breaks_it():
    owed = {name for problem in SOUND for name, _ in contracts_for_problem(problem)}
    owed = {"array parameter" if name.startswith("array parameter") else name for name in owed}
    assert owed == {name for name, _ in FAULTY}


class WithMatrices(Problem):
    """f(x) = ½xᵀAx as somebody writes it who thinks of one x: a product with many rows rounds as it likes."""

    dim = 5
    sample_shape = (5,)
    matrix = np.cov(np.random.Generator(np.random.Philox(0)).normal(size=(5, 9)))
    L = float(np.linalg.eigvalsh(matrix)[-1])
    mu = float(np.linalg.eigvalsh(matrix)[0])
    sigma_sq = 5.0
    x_star = f_star = 0.0

    def excess(self, x):
        return 0.5 * np.sum((x @ self.matrix) * x, axis=-1)

    def gradient(self, x):
        return x @ self.matrix

    def draw(self, streams, steps, n):
        return streams.normal(steps, (n, 5))

    def oracle(self, x, sample, honest=None):
        return (x @ self.matrix)[..., None, :] + sample


def test_rounding_of_matrix_products_is_forgiven():
    check_problem(WithMatrices())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: check_problem(Bowl), "needs a sims Oracle, got problem = <class"),  # pyright: ignore
        (lambda: check_problem(Bernoulli((0.25, 0.5))), "needs one value of p"),
        (lambda: check_problem(Bowl(), seed=-1), "needs seed ≥ 0"),
    ],
)
def test_what_cannot_be_checked_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
