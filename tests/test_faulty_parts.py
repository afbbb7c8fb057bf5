"""A part of somebody's own that raises, or returns what it must not, is named in one sentence, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest
from oracles_that_remember import Drifting, Wandering

from sims import contracts
from sims.aggregators import CenteredClipping, Clipping, Mean
from sims.attacks import BitFlipping, NoAttack
from sims.engine import Axis, Experiment, simulate
from sims.observers import Push
from sims.optimizers import SGD, RobustSGD, WeightDecay, WorkerMomentum, WorkerMVR
from sims.owned import PartError
from sims.problems import Quadratic, SoftmaxRegression

BOWL = Quadratic((1.0, 2.0), sigma_sq=1.0)
SIZES = {"n": 5, "f": 2, "steps": 3, "runs": 2, "seed": 0}


class SaysNothingWellError(Exception):
    """An exception that cannot be put into words."""

    def __str__(self):
        raise RuntimeError("no words")


def raising(error):
    def raises(*arguments, **settings):
        raise error

    return raises


WRONG = {  # what a method does instead of what it should; each takes what it would have returned
    "raises": (raising(KeyError("a\nb")), "raised KeyError: 'a"),
    "divides by zero": (lambda right: 1 // 0, "raised ZeroDivisionError: integer division"),
    "raises a ValueError": (raising(ValueError("mine")), "raised ValueError: mine"),
    "raises what has no words": (raising(SaysNothingWellError()), "raised SaysNothingWellError"),
    "nothing": (lambda right: None, "must .* got NoneType"),
    "a text": (lambda right: "text", "must .* got str"),
    "a number": (lambda right: 1.0, "must .* got float"),
}


def first(change):
    """Changes the first of a pair."""
    return lambda right: (change(right[0]), right[1])


ARRAYS = {  # what is returned instead of an array
    "a list": (lambda a: a.tolist(), r"must \w+ (at |to )?an array of shape .*, got list"),
    "another shape": (lambda a: a[..., :1], r"must \w+ (at |to )?shape \("),
    "an axis more": (lambda a: a[..., None], r"must \w+ (at |to )?shape \("),
    "complex numbers": (lambda a: a.astype(complex), "must .* float64 gave complex128"),
    "bools": (lambda a: a > 0, "must .* float64 gave bool"),
    "texts": (lambda a: a.astype(str), "must .* float64 gave <U"),
}


def broken(cls, method, wrong):
    """A subclass of which one method does something wrong with what the right one returns."""

    def does(self, *arguments, **settings):
        return wrong(getattr(super(made, self), method)(*arguments, **settings))

    made = type(f"Own{cls.__name__}", (cls,), {method: does, "__module__": __name__})
    return made


def run(problem=BOWL, rule=None, optimizer=None, attack=None, algorithm=RobustSGD, **sizes):
    made = algorithm(rule or Mean(), optimizer or SGD(0.1))
    return simulate(problem, made, attack=attack or NoAttack(), **{**SIZES, **sizes})


PLACES = {  # (class, method): how it is run, what it is called, and how what it returns is taken apart
    (CenteredClipping, "combine"): (lambda c: run(rule=c(1.0)), "the rule OwnCenteredClipping", first),
    (Clipping, "combine"): (lambda c: run(rule=c(Mean(), 1.0)), "the rule OwnClipping", first),
    (BitFlipping, "send"): (lambda c: run(attack=c()), "the attack OwnBitFlipping", first),
    (Quadratic, "oracle"): (lambda c: run(c((1.0, 2.0), 1.0)), "the problem OwnQuadratic", None),
    (Quadratic, "draw"): (lambda c: run(c((1.0, 2.0), 1.0)), "the problem OwnQuadratic", None),
    (SoftmaxRegression, "oracle"): (
        lambda c: run(c(np.eye(3), np.arange(3))),
        "the problem OwnSoftmaxRegression",
        None,
    ),
    (Drifting, "gradients"): (lambda c: run(c()), "the problem OwnDrifting", first),
    (Drifting, "start"): (lambda c: run(c()), "the problem OwnDrifting", None),
    (SGD, "messages"): (lambda c: run(optimizer=c(0.1)), "the optimizer OwnSGD", first),
    (SGD, "update"): (lambda c: run(optimizer=c(0.1)), "the optimizer OwnSGD", first),
    (WorkerMomentum, "messages"): (
        lambda c: run(optimizer=WeightDecay(c(0.1, 0.9), 0.1)),
        "the optimizer OwnWorkerMomentum",
        first,
    ),
    (RobustSGD, "messages"): (lambda c: run(algorithm=c), "the algorithm OwnRobustSGD", first),
}
CASES = [
    *(
        pytest.param(place, *wrong, id=f"{place[0].__name__}.{place[1]} {name}")
        for place in PLACES
        for name, wrong in WRONG.items()
    ),
    *(
        pytest.param(place, around(change) if around else change, words, id=f"{place[0].__name__}.{place[1]} {name}")
        for place, (_, _, around) in PLACES.items()
        for name, (change, words) in ARRAYS.items()
        if place[1] not in ("draw", "start")
    ),
]


@pytest.mark.parametrize(("place", "wrong", "words"), CASES)
def test_it_is_named_and_told_in_one_sentence(place, wrong, words):
    if place[1] == "start" and words.endswith("NoneType"):
        pytest.skip("nothing is the start at 0")
    attempt, name, _ = PLACES[place]
    with pytest.raises(ValueError, match=f"^{name} {words}") as caught:
        attempt(broken(*place, wrong))
    assert "\n" not in str(caught.value)
    if "raised" in words:
        assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda: run(broken(Quadratic, "draw", lambda s: s[:, :1])((1.0, 2.0))), "OwnQuadratic must draw shape"),
        (lambda: run(broken(Drifting, "start", lambda s: s[0])()), "OwnDrifting must start at shape"),
        (
            lambda: run(broken(Quadratic, "measure", lambda m: list(m))((1.0,))),
            "OwnQuadratic must return arrays by name, got list",
        ),
        (lambda: run(broken(Quadratic, "measure", lambda m: {1: 2.0})((1.0,))), "must return arrays by name, got dict"),
        (lambda: run(broken(Quadratic, "measure", lambda m: {"a": "b"})((1.0,))), "got str as 'a'"),
        (
            lambda: run(broken(Quadratic, "measure", lambda m: {"a": m["excess"][0]})((1.0,))),
            "must return 'a' of shape",
        ),
        (lambda: run(broken(Drifting, "measure_in", lambda m: m["sq"])()), "OwnDrifting must return arrays by name"),
        (lambda: run(broken(Drifting, "begin", raising(OSError("gone")))()), "OwnDrifting raised OSError: gone"),
        (
            lambda: run(observers=(broken(Push, "__call__", lambda m: None)(),)),
            "the observer OwnPush must return arrays",
        ),
        (
            lambda: run(observers=(broken(Push, "__call__", lambda m: {"push": 1.0})(),)),
            "must return 'push' of shape \\(2\\)",
        ),
        (
            lambda: run(observers=(broken(Push, "__call__", raising(IndexError("x")))(),)),
            "OwnPush raised IndexError: x",
        ),
        (
            lambda: run(optimizer=broken(WorkerMVR, "points", lambda p: p[0].tolist())(0.1, 0.5)),
            "OwnWorkerMVR must return an array",
        ),
        (
            lambda: run(optimizer=broken(WorkerMVR, "points", lambda p: None)(0.1, 0.5)),
            "must return a tuple of points, got NoneType",
        ),
        (lambda: run(algorithm=broken(RobustSGD, "init", lambda s: s.x)), "must return an AlgorithmState, got ndarray"),
        (
            lambda: run(algorithm=broken(RobustSGD, "update", lambda s: s[0])),
            "must return the query point and the state",
        ),
        (
            lambda: run(attack=broken(Wandering, "init", raising(LookupError("x")))()),
            "OwnWandering raised LookupError: x",
        ),
        (
            lambda: run(rule=broken(CenteredClipping, "require", raising(TypeError("x")))(1.0)),
            "OwnCenteredClipping raised TypeError",
        ),
        (
            lambda: run(rule=broken(CenteredClipping, "init", raising(TypeError("x")))(1.0)),
            "OwnCenteredClipping raised TypeError",
        ),
    ],
)
def test_so_is_whatever_else_is_asked_of_a_part(attempt, words):
    with pytest.raises(ValueError, match=words):
        attempt()


def test_measures_that_change_their_names_are_refused():
    class Fickle(Drifting):
        def measure_in(self, x, memory):
            return {f"at{memory.rounds}": np.sum(x, axis=-1)}

    with pytest.raises(ValueError, match="the problem Fickle must measure the same of every iterate, got at1"):
        run(Fickle())


def test_a_start_that_is_none_is_the_origin():
    class Lazy(Drifting):
        def start(self, streams, runs):
            return None

    assert np.array_equal(Experiment(Lazy(), RobustSGD(Mean(), SGD(0.1)), **SIZES).start(), np.zeros((2, 3)))


# Schedules


@pytest.mark.parametrize("t", [1, 3])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "got None in round"),
        ("0.1", "got '0.1' in round"),
        ([0.1], r"got \[0.1\] in round"),
        (0.1j, "got 0.1j in round"),
        (np.complex64(0.1), "got an array of complex64 in round"),
        (float("nan"), "got nan in round"),
        (np.float64("nan"), "got NaN in round"),
        (np.array([[0.1], [np.nan]]), "got NaN in round"),
        (np.array(["0.1"]), "got an array of <U3 in round"),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "optimizer",
    [
        SGD,
        lambda s: WorkerMomentum(0.1, s),
        lambda s: WorkerMVR(0.1, s, start="zero"),
        lambda s: WeightDecay(SGD(0.1), s),
        lambda s: WeightDecay(SGD(s), 0.1),
    ],
    ids=["SGD", "momentum", "MVR", "decay", "inside"],
)
def test_a_schedule_returns_real_numbers(optimizer, value, words, t):
    def mine(now):
        return value if now == t else 0.1

    with pytest.raises(ValueError, match=f"the schedule mine must return real numbers, {words} {t}"):
        run(optimizer=optimizer(mine))


def test_compiled_rounds_ask_the_same_of_a_schedule():
    sizes = {"n": 10, "f": 0, "steps": 1000, "runs": 1, "seed": 0}
    for wrong in (None, float("nan")):
        made = RobustSGD(Mean(), SGD(lambda t, wrong=wrong: wrong if t == 900 else 0.1))
        with pytest.raises(ValueError, match="in round 900"):
            simulate(Quadratic((1.0,) * 8), made, **sizes)
    with pytest.raises(ValueError, match="raised ZeroDivisionError"):
        simulate(Quadratic((1.0,) * 8), RobustSGD(Mean(), SGD(lambda t: 1 / (t - 900))), **sizes)


def test_a_schedule_along_an_axis_is_named_by_its_own_name():
    rates = Axis("rate", [0.1, 0.2])

    def mine(t):
        return rates / t if t < 3 else None

    with pytest.raises(ValueError, match="the schedule mine must return real numbers, got None in round 3"):
        run(optimizer=SGD(mine))


@pytest.mark.parametrize("value", [0.1, 1, np.float32(0.1), np.int64(0), np.array([[0.1], [0.2]])], ids=repr)
def test_what_a_schedule_may_return(value):
    given = {"grid": (2,)} if np.ndim(value) else {}
    a, b = (run(optimizer=SGD(rate), **given) for rate in (value, lambda t: value))
    np.testing.assert_array_equal(a.x, b.x)


# Numbers of another type


@pytest.mark.parametrize("kind", ["float32", "int64", "uint8"])
def test_numbers_that_fit_are_taken_over(kind):
    class Own(NoAttack):
        def send(self, view, state, rng):
            return np.full(view.own.shape, 3, dtype=kind), state

    class Plain(NoAttack):
        def send(self, view, state, rng):
            return np.full(view.own.shape, 3.0), state

    np.testing.assert_array_equal(run(attack=Own()).x, run(attack=Plain()).x)


def test_a_rule_owes_the_very_type():
    class Own(Mean):
        def reduce(self, x):
            return super().reduce(x).astype(np.float32)

    with pytest.raises(ValueError, match="the rule Own must return numbers of the type that it is given: float64 gave"):
        Own().aggregate(np.ones((3, 2)))
    with pytest.raises(AssertionError, match=r"contract 'kind' broken by .*Own.*float64 gave float32"):
        contracts.check_kind(Own(), np.ones((3, 2)))


def test_arrays_of_another_library_are_named():
    torch = pytest.importorskip("torch")

    class Own(NoAttack):
        def send(self, view, state, rng):
            return torch.zeros(view.own.shape, dtype=torch.float64), state

    with pytest.raises(ValueError, match=r"the attack Own must send an array of array_api_compat\.numpy, got one of"):
        run(attack=Own())


# What is nobody's fault, or not the part's


@pytest.mark.parametrize("error", [MemoryError("full"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_some_exceptions_pass_as_they_are(error):
    with pytest.raises(type(error)) as caught:
        run(attack=broken(BitFlipping, "send", raising(error))())
    assert caught.value is error


def test_a_part_inside_another_is_named_itself():
    class Outer(Mean):
        def combine(self, x, state, rng):
            return broken(CenteredClipping, "combine", raising(LookupError("deep")))(1.0)(x)

    with pytest.raises(PartError, match=r"^the rule OwnCenteredClipping raised LookupError: deep$"):
        run(rule=Outer())


def test_what_a_rule_requires_it_says_in_its_own_words():
    class Own(Mean):
        def require(self, n):
            raise ValueError("Own needs n ≥ 99")

    with pytest.raises(ValueError, match=r"^Own needs n ≥ 99$"):
        run(rule=Own())


@pytest.mark.parametrize("wrong", [raising(LookupError("x")), lambda right: None, first(lambda y: y[..., :0])])
def test_contracts_report_instead_of_falling(wrong):
    with pytest.raises(AssertionError, match=r"contract 'kind' broken by .*the rule OwnCenteredClipping"):
        contracts.check_rule(broken(CenteredClipping, "combine", wrong)(1.0), 5, 2)


def test_a_guess_that_is_no_array_is_refused():
    class Guesses(NoAttack):
        def send(self, view, state, rng):
            return view.aggregate([[1.0, 2.0]]), state

    with pytest.raises(ValueError, match=r"Guesses raised ValueError: view\.aggregate needs an array of messages"):
        run(attack=Guesses())


def declaring(name, value):
    """A problem of somebody's own that says this of itself; what is raised, if it is an exception."""

    def says(self):
        if isinstance(value, Exception):
            raise value
        return value

    return type("Odd", (Quadratic,), {name: property(says)})((1.0, 2.0), sigma_sq=1.0)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("dim", ("2", 2.0, -2, 0, None, True, 2.5, KeyError("dim"))),
        ("sample_shape", (2, "2", None, ("2",), (2.0,), (-1,), KeyError("shape"))),
        ("precision", ("float7", 64, None, "int64", KeyError("precision"))),
        ("backend", ("nonsense", 5, None, KeyError("backend"))),
        ("device", (KeyError("device"),)),
    ],
)
def test_a_problem_that_says_of_itself_what_cannot_be_is_named(name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"(?s)the problem Odd.*(?<!\w){name}(?!\w)"):
            simulate(declaring(name, value), RobustSGD(Mean(), SGD(0.1)), **SIZES)


def test_a_problem_whose_data_are_not_there_says_so_itself():
    with pytest.raises(ValueError, match=r"^no data here$"):
        simulate(declaring("dim", ValueError("no data here")), RobustSGD(Mean(), SGD(0.1)), **SIZES)


@pytest.mark.parametrize("session", [lambda self: None, lambda self: "x", raising(RuntimeError("closed"))])
def test_a_problem_without_a_session_is_named(session):
    odd = type("Odd", (Quadratic,), {"session": session})((1.0, 2.0), sigma_sq=1.0)
    with pytest.raises(ValueError, match=r"the problem Odd .*(context manager as session|raised RuntimeError: closed)"):
        simulate(odd, RobustSGD(Mean(), SGD(0.1)), **SIZES)


@pytest.mark.parametrize("base", [Quadratic, CenteredClipping, BitFlipping, SGD])
@pytest.mark.parametrize("reals", [5, None, ["q"], {"q": -1}, {"q": 1.0}, {"q": True}, {0: 0}, property(dict)])
def test_a_class_whose_real_parameters_have_no_axes_is_none(base, reals):
    with pytest.raises(ValueError, match="Odd needs reals, names with a number of axes ≥ 0, got reals = "):
        type("Odd", (base,), {"reals": reals})
    assert type("Even", (base,), {"reals": {"q": 0}}).reals == {"q": 0}
