"""Every plain parameter of every function of the checks and helpers refuses wrong values, or works with them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from zoo import faults

from sims import attacks, checks, contracts, problems
from sims.aggregators import CenteredClipping, CoordinateMedian, Mean
from sims.checks.exact_algorithm import ExactSGD
from sims.engine import Streams
from sims.optimizers import SGD
from sims.problems import Quadratic

strategies = pytest.importorskip("sims.strategies")

MODULES = (
    contracts,
    strategies,
    attacks,
    *(importlib.import_module(m.name) for m in pkgutil.iter_modules(checks.__path__, checks.__name__ + ".")),
)
PLAIN = ("int", "float", "bool", "str")


def plain_parameters(function: Any) -> list[str]:
    """The names of the parameters that are annotated as a number, a truth value or a text."""
    return [name for name, one in inspect.signature(function).parameters.items() if one.annotation in PLAIN]


def functions(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, found in vars(module).items():
        of_package = found.__module__.startswith(module.__name__ + ".") if inspect.isfunction(found) else False
        own = inspect.isfunction(found) and (found.__module__ == module.__name__ or of_package)
        if own and not name.startswith("_") and plain_parameters(found):
            yield f"{module.__name__.removeprefix('sims.')}.{name}", found


HALF = {0: Fraction(1, 2), 1: Fraction(1, 2)}
SGD_IN_RATIONALS = ExactSGD(Mean(), SGD(0.5))
ANSWER: Callable[..., Any] = lambda bit, x: [Fraction(bit)]  # noqa: E731
FUNCTIONS: dict[str, dict[str, Any]] = {
    "contracts.contracts_for": {"rule": CoordinateMedian(), "n": 3, "d": 2},
    "contracts.check_rule": {"rule": CoordinateMedian(), "n": 3, "d": 2, "seed": 0},
    "contracts.violations": {"rule": Mean(), "n": 2, "d": 1, "seed": 0},
    "contracts.contracts_of": {"part": CoordinateMedian(), "n": 3, "f": 1, "d": 2, "seed": 0},
    "contracts.contracts_for_attack": {"attack": attacks.NoAttack(), "n": 4, "f": 1, "d": 2, "seed": 0},
    "contracts.check_attack": {"attack": attacks.NoAttack(), "n": 4, "f": 1, "d": 2, "seed": 0},
    "contracts.contracts_for_problem": {"problem": problems.Rademacher(), "seed": 0},
    "contracts.check_problem": {"problem": problems.Rademacher(), "seed": 0},
    "contracts.contracts_for_optimizer": {"optimizer": SGD(0.5), "seed": 0, "d": 2},
    "contracts.check_optimizer": {"optimizer": SGD(0.5), "seed": 0},
    "strategies.messages": {"dtype": "float64", "non_finite": 0},
    "strategies.rules": {"n": 3},
    "attacks.alie_z": {"n": 25, "f": 5, "z_formula": "released"},
    "checks.centered.search_c_of_clipping": {"n": 5, "f": 1, "radius": lambda delta, rho_sq: np.sqrt(rho_sq)},
    "checks.clipping_at.search_c_at_radius": {"rule": CenteredClipping(tau=1.0), "n": 5, "f": 1, "rho": 0.5},
    "checks.confidence.proportion": {"successes": 1, "trials": 4, "alpha": 0.1},
    "checks.confidence.bounded_mean": {"sample": np.full(3, 0.5), "low": 0.0, "high": 1.0, "alpha": 0.1},
    "checks.confidence.betting_mean": {"sample": np.full(3, 0.5), "low": 0.0, "high": 1.0, "alpha": 0.1},
    "checks.exact_algorithm.every_path": {"algorithm": SGD_IN_RATIONALS, "rounds": (0, 1), "t": 2, "answer": ANSWER},
    "checks.exact_algorithm.output_law": {"algorithm": SGD_IN_RATIONALS, "law": HALF, "t": 2, "answer": ANSWER},
    "checks.heavy_tails.median_of_means": {"sample": np.full(4000, 0.5), "variance": 1.0, "alpha": 0.1},
    "checks.intervals.enclose_maximum": {
        "function": lambda x: x,
        "box": [(Fraction(0), Fraction(1))],
        "relative": 0.1,
        "most": 9,
    },
    "checks.laws.binomial": {"n": 3, "p": Fraction(1, 2)},
    "checks.laws.two_valued": {"n": 3, "low": 0.0, "high": 1.0},
    "checks.permutation.enumerate_all": {
        "algorithm": SGD_IN_RATIONALS,
        "n": 2,
        "t": 2,
        "values": (0, 1),
        "part": "output",
    },
    "checks.permutation.search": {
        "algorithm": SGD_IN_RATIONALS,
        "part": "output",
        "rng": np.random.Generator(np.random.Philox(1)),
        "n": 2,
        "t": 2,
        "arrays": 2,
        "largest": 3,
    },
    "checks.problem.cells": {"parts": 2, "dim": 1},
    "checks.problem.signs": {"dim": 2},
    "checks.problem.sample_noise": {
        "problem": problems.Rademacher(),
        "streams": Streams(0, "noise"),
        "points": np.zeros((1, 1)),
        "draws": 50,
        "bound": 2.0,
        "alpha": 0.1,
    },
    "checks.problem.check_function": {
        "problem": Quadratic.example(),
        "rng": np.random.Generator(np.random.Philox(1)),
        "points": 2,
        "climbs": 2,
    },
    "checks.two_point.byzantine_choices": {"f": 1},
    "checks.two_point.error_table": {"rule": CoordinateMedian(), "n": 3, "f": 1},
    "checks.two_point.search_c": {"errors": np.array([0.0, 0.25, 0.0]), "delta": 0.25, "forgiven": 0.0},
    "checks.two_point.search_kappa": {"errors": np.array([0.0, 0.25, 0.0]), "forgiven": 0.0},
    "checks.two_point.needed": {"rule": CoordinateMedian(), "n": 3, "f": 1, "forgiven": 0.0},
}
NOT_ASKED = {
    "contracts.check_ties": "gets its flag from a test",
    "contracts.check_order_of_ties": "likewise",
    "contracts.examined": "`check_rule` is asked, which hands on what it is given",
    "contracts.parametrize_with_contracts": "`contracts_of` is asked, which it calls",
    "contracts.check_array_parameter": "gets a name of `ARRAY_PARAMETERS`",
    "checks.two_point.binomial_pmf": "takes arrays in the inner loop of a search",
    "checks.two_point.distance_sq": "likewise",
    "checks.exact_rules.neighbour_count": "reads what a rule has checked",
    "checks.exact_rules.krum_scores": "likewise",
    "checks.exact_rules.at_least": "raises for its caller",
    "checks.exact_rules.one_dimension": "likewise",
    "checks.intervals.enclosed": "writes its texts into evidence",
    "checks.polynomials.letters": "reads one text into generators of flint, whose faults test_polynomials plants",
    "checks.polynomials.quotients": "likewise",
    "checks.polynomials.nonnegative": "writes its texts into evidence",
    "checks.polynomials.of_two_vectors": "writes its texts into evidence, and `twice` is for a control",
    "checks.polynomials.vanishes": "writes its texts into evidence",
}
FOUND = dict(pair for module in MODULES for pair in functions(module))


def called(function: Any) -> Callable[..., Any]:
    """The function to its end, with random numbers that begin anew."""

    def call(**given: Any) -> Any:
        found = function(**{name: deepcopy(one) if name == "rng" else one for name, one in given.items()})
        return list(found) if inspect.isgenerator(found) else found

    return call


def test_all_functions_with_plain_parameters_are_known():
    assert {name for name in FOUND if name not in FUNCTIONS} == NOT_ASKED.keys()
    assert FUNCTIONS.keys() <= FOUND.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_refuse_what_is_wrong_and_work_with_the_rest(name):
    function, given = FOUND[name], FUNCTIONS[name]
    asked = [one for one in plain_parameters(function) if one in given]
    assert list(faults(called(function), lambda found: found, given, asked, lambda found: True)) == []
