"""Our own parts write into nothing that they are given, and return nothing that shares memory with it.

Where one does return what it was given, its docstring says so: the engine goes on with it, and nobody writes into it.
"""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest
from oracles_that_remember import Restless
from problem_with_classes import Blobs
from vandals import changed

from sims.aggregators import RFA, CenteredClipping, Clipping, CoordinateMedian, Krum, Mean
from sims.attacks import BitFlipping, InnerProductManipulation, LabelFlipping, Mimic, NoAttack, SearchedStrength
from sims.by_name import ATTACKS, OBSERVERS, OPTIMIZERS, PROBLEMS, RULES, examples
from sims.engine import Experiment, play
from sims.kernels import pays
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic, SoftmaxRegression
from sims.trees import arrays_in

SAYS_SO = ("itself", "themselves", "handed through", "as it is")
SIZES = {"n": 9, "f": 2, "steps": 4, "runs": 2, "seed": 0}
BOWL = Quadratic((1.0, 2.0, 0.5), sigma_sq=1.0)
SHARES = []  # (class, method) of every one that was seen to


def watched(cls):
    """The class, with arguments that nobody can write to, and results that are compared with them."""

    def around(name, method, arguments):
        for array in arrays_in(arguments):
            array.flags.writeable = False
        found = method(*arguments)
        if any(np.shares_memory(a, b) for a in arrays_in(found) for b in arrays_in(arguments)):
            SHARES.append((cls, name))
            says = inspect.getdoc(getattr(cls, name)) or ""
            assert any(words in says for words in SAYS_SO), f"{cls.__name__}.{name} returns what it is given: {says}"
        return found

    return changed(cls, around)


def remade(part):
    """A part of the watched class, with the same parameters."""
    made = object.__new__(watched(type(part)))
    made.__dict__.update(part.__dict__)
    return made


def run(problem=BOWL, rule=None, optimizer=None, attack=None, **sizes):
    algorithm = RobustSGD(rule or CenteredClipping(1.0), optimizer or WorkerMomentum(0.1, 0.9))
    return play(Experiment(problem, algorithm, attack=attack or Mimic(), **{**SIZES, **sizes}))


@pytest.mark.parametrize("rule", examples(9, 1).values(), ids=repr)
def test_rules(rule):
    run(rule=remade(rule), attack=SearchedStrength(evals=3))


@pytest.mark.parametrize("made", ATTACKS, ids=lambda made: made.__name__)
def test_attacks(made):
    attack = remade(made.example(9, 2))
    if made.__name__ == "Together":
        attack.__dict__["attacks"] = tuple(map(remade, attack.attacks))

    problem = SoftmaxRegression.example() if made is LabelFlipping else BOWL
    run(problem, attack=attack, grid=(2,) if made.__name__ == "Together" else ())


@pytest.mark.parametrize("attack", [BitFlipping("messages"), LabelFlipping("messages"), NoAttack()], ids=repr)
def test_attacks_with_messages(attack):
    run(SoftmaxRegression.example(), attack=remade(attack), optimizer=SGD(0.1))


@pytest.mark.parametrize("made", PROBLEMS, ids=lambda made: made.__name__)
@pytest.mark.parametrize("optimizer", [SGD(0.1), WorkerMomentum(0.1, 0.9)], ids=["SGD", "momentum"])
def test_problems(made, optimizer):
    problem = made.example()
    n = 2 + 3 * problem.shards if hasattr(problem, "shards") else SIZES["n"]  # each has as many of the honest workers
    run(remade(problem), optimizer=optimizer, n=n)


def example(made, damped):
    """An optimizer with momenta of one kind or the other, if it has any."""
    optimizer = made.example()
    has = "damped" in {one.name for one in dataclasses.fields(optimizer)}
    return dataclasses.replace(optimizer, damped=damped) if has else optimizer


@pytest.mark.parametrize("damped", [True, False])
@pytest.mark.parametrize("made", OPTIMIZERS, ids=lambda made: made.__name__)
def test_optimizers(made, damped):
    optimizer = example(made, damped)
    run(optimizer=remade(optimizer))


@pytest.mark.parametrize("rule", [CoordinateMedian(), CenteredClipping(1.0), Restless()], ids=repr)
def test_the_algorithm(rule):
    algorithm = remade(RobustSGD(rule, WorkerMomentum(0.1, 0.9, damped=False)))
    play(Experiment(BOWL, algorithm, attack=SearchedStrength(evals=3), **SIZES))


@pytest.mark.parametrize("made", OBSERVERS, ids=lambda made: made.__name__)
def test_observers(made):
    run(Blobs(), observers=(remade(made.example()),), rule=CenteredClipping(1.0))


def test_the_watch_sees_what_it_must():
    """The control: one that writes, and one that returns what it was given without a word."""

    class Writes(Mean):
        def reduce(self, x):
            x[..., 0, :] = 0.0
            return super().reduce(x)

    class Returns(SGD):
        def messages(self, gradients, memory, t):
            """What it is given."""
            return gradients, memory

    with pytest.raises(ValueError, match="read-only"):
        run(rule=remade(Writes()))
    with pytest.raises(ValueError, match="returns what it is given"):
        run(optimizer=remade(Returns(0.1)))
    SHARES.clear()
    run(optimizer=remade(SGD(0.1)))
    assert (SGD, "messages") in SHARES


# A direct call of a rule

SHAPES = [(3, 4), (4, 4), (2, 5, 3), (2, 3, 7, 1), (1, 3), (2, 1, 3), (101, 1000), (11, 13000), (2, 10, 14000)]


def messages(shape, layout="C"):
    x = np.asarray(np.random.Generator(np.random.Philox(0)).normal(size=shape), order=layout)
    x.flags.writeable = False
    return x


def rules_for(n):
    return [rule for f in (0, 1) for rule in examples(n, f).values()] + [Clipping(CoordinateMedian(), 1.0)]


def owner(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_output_is_its_own_and_no_part_of_something_larger(shape, layout):
    x = messages(shape, layout)
    for rule in rules_for(shape[-2]):
        y, state = rule(x)
        again, after = rule(x, state)
        for output, beside in ((y, state), (again, after)):
            assert owner(output).nbytes <= output.nbytes, rule
            assert not np.shares_memory(output, x), rule
            assert not any(np.shares_memory(output, part) for part in arrays_in(beside)), rule
        kept = [part.copy() for part in arrays_in(after)]
        again *= -0.1
        for old, new in zip(kept, arrays_in(after), strict=True):
            np.testing.assert_array_equal(old, new)


def test_the_shapes_take_both_paths():
    assert pays(messages(SHAPES[-1]))
    assert not pays(messages(SHAPES[0]))


@pytest.mark.parametrize("shape", [(3, 4), (4, 4), (41, 1000), (11, 13000)], ids=str)
def test_so_it_is_with_tensors(shape):
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(np.array(messages(shape)))
    for rule in rules_for(shape[-2]):
        if shape[-1] > 1000 and not isinstance(rule, CoordinateMedian | CenteredClipping | Krum | RFA):
            continue
        y, state = rule(x)
        assert y.untyped_storage().nbytes() == y.numel() * y.element_size(), rule
        kept, before = [part.clone() for part in arrays_in(state)], x.clone()
        y.mul_(-0.1)
        assert torch.equal(x, before)
        assert all(torch.equal(old, new) for old, new in zip(kept, arrays_in(state), strict=True)), rule


def test_gradients_flow_through_the_copy():
    torch = pytest.importorskip("torch")
    x = torch.tensor([[1.0], [5.0], [2.0]], dtype=torch.float64, requires_grad=True)
    CoordinateMedian().aggregate(x).sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [0.0, 0.0, 1.0]


# A direct call of an algorithm: gradients in, the next query point out


@pytest.mark.parametrize("damped", [True, False])
@pytest.mark.parametrize("made", OPTIMIZERS, ids=lambda made: made.__name__)
def test_an_algorithm_keeps_no_array_of_the_caller_s(made, damped):
    optimizer = example(made, damped)
    algorithm = RobustSGD(CenteredClipping(1.0), optimizer)
    points = 2 if made.__name__ == "WorkerMVR" else 1
    drawn = np.random.Generator(np.random.Philox(3)).normal(size=(4, 5, 2 * points))

    def played(scribble):
        x0, buffer = np.array([1.0, -1.0]), np.empty((5, 2 * points))
        state, seen = algorithm.init(x0), []
        for gradients in drawn:
            if scribble:
                x0[...] = 1e3
                buffer[...] = gradients
                x, state = algorithm(buffer, state)
                seen.append(x.copy())
                buffer[...] = x[...] = 1e3
            else:
                x, state = algorithm(gradients.copy(), state)
                seen.append(x.copy())
        return np.stack(seen)

    np.testing.assert_array_equal(played(True), played(False))


def test_every_registered_class_is_watched():
    assert {type(rule) for rule in examples(9, 1).values()} == set(RULES)
    assert InnerProductManipulation in ATTACKS
