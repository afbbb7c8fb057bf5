"""Every parameter of every public constructor refuses wrong values in a sentence that names it, or works with them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zoo import ZOO, SilentError, faults, tried

from sims import aggregators, by_name
from sims.aggregators import CoordinateMedian, Mean, StatelessRule
from sims.attacks import NoAttack
from sims.backend import host
from sims.by_name.signatures import parameters
from sims.engine import Axis, Experiment, Streams, play, simulate
from sims.optimizers import SGD, Piecewise, RobustSGD
from sims.problems import Quadratic, SoftmaxRegression

MESSAGES = np.random.Generator(np.random.Philox(3)).normal(size=(2, 11, 3))


# What is done with what was made, and when that is right


def aggregate(rule: Any) -> Any:
    return rule.aggregate(MESSAGES)


def is_an_aggregate(y: Any) -> bool:
    """No rule of ours leaves the ball of the messages, nor their shape."""
    if y.dtype != MESSAGES.dtype:
        return False
    norms = np.linalg.norm(MESSAGES, axis=-1).max(axis=-1)
    return y.shape == (2, 3) and bool(np.all(np.linalg.norm(y, axis=-1) <= norms * (1 + 1e-9)))


def optimize(optimizer: Any = None, attack: Any = None, problem: Any = None) -> Any:
    problem = problem or (
        SoftmaxRegression.example() if getattr(attack, "flips_labels", False) else Quadratic.example()
    )
    rule = CoordinateMedian() if attack else Mean()  # there are attacks that no mean survives
    algorithm = RobustSGD(rule, optimizer or SGD(0.125))
    record = simulate(
        problem, algorithm, n=8, f=2, attack=attack or NoAttack(), steps=3, runs=1, seed=0, grid=(2,), x0=0.25
    )
    return {"x": record.x, "excess": record.excess}


def optimize_and_look(problem: Any) -> Any:
    names = ("L", "mu", "sigma_sq", "zeta_sq", "x_star", "f_star")
    return {**optimize(problem=problem), **{name: host(getattr(problem, name)) for name in names}}


def is_finite(found: Any) -> bool:
    values = found.values() if isinstance(found, dict) else [found]
    return all(bool(np.all(np.isfinite(np.asarray(value, dtype=np.float64)))) for value in values)


USES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], bool]]] = {
    "rule": (aggregate, is_an_aggregate),
    "attack": (lambda attack: optimize(attack=attack), is_finite),
    "problem": (optimize_and_look, is_finite),
    "optimizer": (optimize, is_finite),
}

# What constructors take that are not described by an example


MIXED: dict[str, Any] = {"classes": 3, "dim": 2, "size": 12, "spread": 1.0, "seed": 0}
SOFTMAX: dict[str, Any] = {"ridge": 0.1, "batch": 2}
SPLIT: dict[str, Any] = {
    "shards": 2,
    "split": "dirichlet",
    "alpha": 1.0,
    "similarity": 1.0,
    "pieces": 2,
    "split_seed": 0,
}
FILE: dict[str, Any] = {"path": str(Path(__file__).parent / "wrong_values.libsvm"), "intercept": True}
MINIMAL: dict[str, dict[str, Any]] = {
    "Quadratic.between": {"mu": 0.5, "L": 2.0, "dim": 2, "sigma_sq": 1.0, "zeta_sq": 0.5, "x_star": 0.0},
    "SoftmaxRegression.mixture": MIXED | SOFTMAX,
    "SoftmaxRegression.libsvm": FILE | SOFTMAX,
    "HeterogeneousSoftmaxRegression.mixture": MIXED | SOFTMAX | SPLIT,
    "HeterogeneousSoftmaxRegression.libsvm": FILE | SOFTMAX | SPLIT,
    "SGD.decayed": {"learning_rate": 0.1, "milestones": (1, 2), "factor": 0.5},
    "WorkerMomentum.decayed": {"learning_rate": 0.1, "beta": 0.5, "milestones": (1,), "factor": 0.5, "damped": True},
    "ServerMomentum.decayed": {"learning_rate": 0.1, "beta": 0.5, "milestones": (1,), "factor": 0.5, "damped": True},
    "WorkerMVR.decayed": {
        "learning_rate": 0.1,
        "alpha": 0.5,
        "milestones": (1,),
        "factor": 0.5,
        "start": "sample",
        "idle": 0,
    },
}


def constructors() -> Iterator[tuple[str, str, Any]]:
    """Every registered class, and every class method of one that makes an instance: kind, name, constructor."""
    for kind, classes in by_name.REGISTER.items():
        for cls in classes:
            yield kind, cls.__name__, cls
            for name in dir(cls):
                found = inspect.getattr_static(cls, name)
                if isinstance(found, classmethod) and not name.startswith("_") and name != "example":
                    yield kind, f"{cls.__name__}.{name}", getattr(cls, name)


def given_to(kind: str, name: str, make: Any) -> dict[str, Any]:
    if "." in name:
        return MINIMAL[name]
    one = make.example(11, 2) if kind in ("rule", "attack") else make.example()
    return {field.name: getattr(one, field.name) for field in fields(one)} if is_dataclass(one) else {}


CONSTRUCTORS = list(constructors())


@pytest.mark.parametrize(("kind", "name", "make"), CONSTRUCTORS, ids=[name for _, name, _ in CONSTRUCTORS])
def test_constructors_refuse_what_is_wrong_and_work_with_the_rest(kind, name, make):
    given, taken = given_to(kind, name, make), parameters(make)
    assert taken.keys() == given.keys()
    if taken:
        use, right = USES[kind]
        assert list(faults(make, use, given, taken, right)) == []


# The engine, and what is no part of the register


def played(experiment: Experiment) -> Any:
    return play(experiment).excess


def looked_up(axis: Axis) -> Any:
    return axis.values


ENGINE = {
    "n": 5,
    "f": 1,
    "steps": 3,
    "runs": 2,
    "seed": 0,
    "attack": NoAttack(),
    "grid": (),
    "axes": None,
    "shuffle": False,
    "first_run": 0,
    "every": 1,
    "backend": None,
    "observers": (),
    "problem": Quadratic.example(),
    "algorithm": RobustSGD(Mean(), SGD(0.1)),
}
OTHERS: dict[str, tuple[Callable[..., Any], dict[str, Any], Callable[[Any], Any]]] = {
    "Experiment": (Experiment, ENGINE, played),
    "simulate": (simulate, {**ENGINE, "chunk": 2}, lambda record: record.excess),
    "Axis": (Axis, {"name": "tau", "values": [0.5, 1.0]}, looked_up),
    "Axis.numbered": (Axis.numbered, {"name": "tau", "values": [0.5, 0.5]}, looked_up),
    "Streams": (Streams, {"seed": 1, "purpose": "sample"}, lambda streams: streams.generator(0).random()),
    "Streams.generator": (Streams(1, "sample").generator, {"run": 3}, lambda generator: generator.random()),
    "Streams.runs": (Streams(1, "sample").runs, {"first": 0, "count": 2}, lambda runs: runs.uniform(1)[:, :2]),
    "Piecewise": (Piecewise, {"first": 1.0, "at": (1, 3), "factor": 0.5}, lambda rate: [rate(t) for t in range(1, 6)]),
    "RobustSGD": (RobustSGD, {"rule": Mean(), "optimizer": SGD(0.1)}, lambda _: 0.0),
    "FunctionRule": (aggregators.FunctionRule, {"function": lambda x: x[0]}, lambda rule: rule.aggregate(MESSAGES)),
    "Promises": (aggregators.Promises, dict.fromkeys(("translation", "scale", "odd", "mean", "agreement"), True), str),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_engine_refuses_what_is_wrong_and_works_with_the_rest(name):
    make, given, use = OTHERS[name]
    right = (lambda found: True) if name in ("Promises", "Axis", "Axis.numbered") else is_finite
    assert list(faults(make, use, given, given, right)) == []


# Points, at which problems are asked and algorithms begin

POINTS = ("an array", "a column", "a big-endian array", "an endless array", "an endless array, in part")
NO_POINTS: dict[str, Any] = {
    **{name: value for name, value in ZOO.items() if name not in POINTS},
    "whole numbers": np.array([1, 2]),
    "too many coordinates": np.zeros(99),
    "no coordinates": np.zeros((3, 0)),
}


def asked_at_points() -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Each public method of a registered problem, and of what is no problem, that takes x first; with a sample."""
    for cls in by_name.REGISTER["problem"]:
        problem = cls.example()
        sample = np.full((4, *problem.sample_shape), 0.25)
        for name in dir(cls):
            found = inspect.getattr_static(cls, name)
            taken = list(inspect.signature(found).parameters)[1:] if inspect.isfunction(found) else []
            if taken[:1] == ["x"] and not name.startswith("_"):
                more = [sample] if taken[1:2] == ["sample"] else []
                assert len(taken) <= 1 or more, f"{cls.__name__}.{name} takes more than this test knows"
                yield f"{cls.__name__}.{name}", partial(call_at, getattr(problem, name), more)
    yield "RobustSGD.init", RobustSGD(Mean(), SGD(0.1)).init


def call_at(method: Callable[..., Any], more: list[Any], x: Any) -> Any:
    return method(x, *more)


AT_POINTS = dict(asked_at_points())


@pytest.mark.parametrize("name", AT_POINTS)
def test_points_are_arrays_of_real_floating_point_numbers(name):
    """In whole numbers a sum would lose its fractions, and a wrong number of coordinates would be broadcast."""
    fine = ("too many coordinates", "no coordinates", "no array entries") if name == "RobustSGD.init" else ()
    for told, x in NO_POINTS.items():
        if told in fine:  # of any dimension
            continue
        with pytest.raises(ValueError, match=r"(?<!\w)x0?(?!\w)") as refused:
            AT_POINTS[name](x)
        assert str(refused.value).startswith(name.partition(".")[0]), told


def test_points_of_all_problems_are_asked_for():
    """`gradient`, `excess`, `value`, `measure` and `oracle` of each, and what some have besides."""
    asked = {name.partition(".")[2] for name in AT_POINTS}
    assert {"gradient", "excess", "value", "measure", "oracle", "hessian", "variance", "heterogeneity"} <= asked
    assert len(AT_POINTS) > 5 * len(by_name.REGISTER["problem"])


GRADIENTS = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("gradients", "state", "named"),
    [
        ([[1.0, 2.0]], np.zeros(2), "gradients"),
        (np.array([[1, 2]]), np.zeros(2), "gradients"),
        (GRADIENTS, np.zeros(1), "gradients"),
        (GRADIENTS, np.zeros(3), "gradients"),
        (GRADIENTS, None, "state"),
    ],
)
def test_a_round_needs_gradients_that_fit_its_state(gradients, state, named):
    """One coordinate would be broadcast: a state of another dimension than its problem's."""
    algorithm = RobustSGD(Mean(), SGD(0.1))
    state = state if state is None else algorithm.init(state)
    with pytest.raises(ValueError, match=rf"(?<!\w){named}(?!\w)"):
        algorithm(gradients, state)


# The harness notices what it is there for


@dataclass(frozen=True)
class Careless(StatelessRule):
    """Multiplies by a number that nobody looked at."""

    factor: float = 0.5

    promises = aggregators.Promises(agreement=False)

    def breakdown(self, n):
        return 0

    def reduce(self, x):
        return self.factor * x[..., 0, :]


def test_a_constructor_that_looks_at_nothing_is_found_out():
    found = " ".join(faults(Careless, aggregate, {"factor": 0.5}, ["factor"], is_an_aggregate))
    called = "the rule Careless raised TypeError"
    for told in ("NaN: factor = nan gives", f"None: factor = None: {called}", "factor is kept as int64"):
        assert told in found


def test_a_sentence_without_the_name_of_the_parameter_is_found_out():
    def refuses(factor: float) -> None:
        raise ValueError("needs a better one")

    with pytest.raises(SilentError, match="needs a better one"):
        tried(refuses, str, {}, "factor", 1.0)


def test_no_value_is_refused_by_all_nor_taken_by_all():
    """Else the table would say nothing: numbers work somewhere, and what is none works nowhere."""
    taken = set()
    for kind, name, make in CONSTRUCTORS:
        given = given_to(kind, name, make)
        for parameter in parameters(make):
            for called, value in ZOO.items():
                try:
                    make(**{**given, parameter: value})
                except ValueError:
                    continue
                taken.add(called)
    assert {"0", "2.0", "NumPy's 2", "NumPy's half", "∞", "True", "None", "an array", "a list"} <= taken
    assert not taken & {"NaN", "NumPy's NaN", "an imaginary number", "a masked array", "a masked number", "bytes"}
    assert not taken & {"beyond floats", "beyond what Python writes", "an object", "a mapping", "a date", "a decimal"}
