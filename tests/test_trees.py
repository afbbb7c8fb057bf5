"""A state is any tree: what is around the arrays of a rule changes no verdict and no number."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict, deque
from typing import Any, NamedTuple

import numpy as np
import pytest
from oracles_that_remember import Wandering

from sims import contracts
from sims.aggregators import CenteredClipping
from sims.engine import Checkpoint, Experiment, Observer, play
from sims.optimizers import SGD, RobustSGD
from sims.owned import copied
from sims.problems import Quadratic
from sims.trees import arrays_in, children, map_tree


class Named(NamedTuple):
    count: int
    v: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    v: Any
    rest: Any = None


@dataclasses.dataclass
class Derived:
    """With a part that the constructor does not take, and a check that it makes."""

    v: Any
    double: Any = dataclasses.field(init=False)

    def __post_init__(self):
        self.double = 2 * self.v


FORMS = {  # how the centre v is wrapped, and found again
    "itself": (lambda v: v, lambda s: s),
    "tuple": (lambda v: (None, v, "text"), lambda s: s[1]),
    "named tuple": (lambda v: Named(3, v), lambda s: s.v),
    "list": (lambda v: [v, 1.5], lambda s: s[0]),
    "dictionary": (lambda v: {"z": 0, "v": v, "a": True}, lambda s: s["v"]),
    "dataclass": (Derived, lambda s: s.v),
    "frozen dataclass with slots": (Slotted, lambda s: s.v),
    "deque": (lambda v: deque([0, v], maxlen=2), lambda s: s[1]),
    "of everything": (
        lambda v: {1: [(Slotted({"v": Named(0, (v,))}, np.int64(2)),)]},
        lambda s: s[1][0][0].v["v"].v[0],
    ),
}


class Clips(CenteredClipping):
    """Centered clipping whose state has another form."""

    form = "itself"

    def init(self, x):
        return FORMS[self.form][0](np.array(super().init(x)))

    def combine(self, x, state, rng):
        y, v = super().combine(x, FORMS[self.form][1](state), rng)
        return y, FORMS[self.form][0](v)


CLASSES = {form: type(f"Clips{k}", (Clips,), {"form": form, "__module__": __name__}) for k, form in enumerate(FORMS)}
globals().update({cls.__name__: cls for cls in CLASSES.values()})  # where keys look for them


class Moved(Observer):
    """How far the aggregate is from the centre that the rule met."""

    def __call__(self, seen):
        met = seen.before.memory.rule
        centre = 0.0 if met is None else next(arrays_in(met))
        return {"moved": np.sum((seen.aggregate - centre) ** 2, axis=-1)}


def experiment(form, **changes):
    algorithm = RobustSGD(CLASSES[form](1.0, 2), SGD(0.1))
    sizes = {"n": 6, "f": 2, "steps": 9, "runs": 2, "seed": 0, "attack": Wandering(), "observers": (Moved(),)}
    return Experiment(Quadratic((1.0, 2.0), sigma_sq=1.0), algorithm, **{**sizes, **changes})


@pytest.mark.parametrize("form", FORMS)
def test_all_contracts_are_kept_as_with_a_bare_array(form):
    contracts.check_rule(CLASSES[form](1.0, 2), 7, 3)


class Drifts(Clips):
    """Forgets to move with its messages: what it remembers is not the centre."""

    def combine(self, x, state, rng):
        y, after = super().combine(x, state, rng)
        return y + 0.1 * FORMS[self.form][1](state), after


@pytest.mark.parametrize("form", FORMS)
def test_a_rule_that_breaks_one_is_caught_whatever_its_state_is(form):
    made = type("Drifts", (Drifts,), {"form": form})
    with pytest.raises(AssertionError, match="contract 'translation'"):
        contracts.check_translation(made(1.0), np.random.Generator(np.random.Philox(0)).normal(size=(2, 7, 3)))


@pytest.mark.parametrize("form", FORMS)
def test_no_number_of_a_run_depends_on_it_nor_does_a_checkpoint(form, tmp_path):
    plain, found = play(experiment("itself")), play(experiment(form))
    np.testing.assert_array_equal(found.x, plain.x)
    np.testing.assert_array_equal(found.observed["moved"], plain.observed["moved"])

    def stop(progress):
        if progress.t == 5:
            raise KeyboardInterrupt

    path = tmp_path / "c.npz"
    with pytest.raises(KeyboardInterrupt):
        play(experiment(form), checkpoint=Checkpoint(path), watch=stop)
    told = []
    resumed = play(experiment(form), checkpoint=Checkpoint(path), watch=told.append)
    assert told[0].t == 6
    np.testing.assert_array_equal(resumed.x, plain.x)


class Special(dict):
    """More than its entries."""


class Tagged(tuple):
    """More than its entries."""


@pytest.mark.parametrize("state", [Special(a=1), Tagged((1, 2)), OrderedDict(a=1), frozenset({1})], ids=repr)
def test_a_checkpoint_refuses_what_would_come_back_as_something_else(state, tmp_path):
    class Keeps(Wandering):
        def init(self, x, n, f):
            return state

        def send(self, view, state, rng):
            return view.own, state

    e = experiment("itself")
    with pytest.raises(ValueError, match=f"cannot hold a state of the type .*{type(state).__name__}"):
        Checkpoint(tmp_path / "c.npz").save(e.configuration, e.round().begin(e.start()), 0, 1, {"state": state}, {})


def test_every_node_keeps_its_type_and_the_order_of_its_parts():
    tree = {"b": OrderedDict(z=np.ones(2), a=Named(1, np.zeros(2))), "a": defaultdict(list, {3: [np.ones(1)]})}
    found = map_tree(lambda array: array + 1, tree)
    assert list(found) == ["b", "a"]
    assert type(found["b"]) is OrderedDict
    assert list(found["b"]) == ["z", "a"]
    assert type(found["b"]["a"]) is Named
    assert found["a"]["new"] == []
    assert found["a"][3][0].tolist() == [2.0]
    assert tree["a"][3][0].tolist() == [1.0]
    queue = map_tree(lambda array: array, deque([np.ones(1)], maxlen=1))
    queue.append(2)
    assert list(queue) == [2]


def test_what_a_constructor_does_not_take_is_kept():
    given = Derived(np.ones(2))
    given.double = np.full(2, 7.0)
    found = map_tree(lambda array: array * 2, given)
    assert found.double.tolist() == [14.0, 14.0]
    assert found.v.tolist() == [2.0, 2.0]


def test_a_part_is_a_leaf_and_numbers_are_none_of_the_arrays():
    rule = CenteredClipping(np.ones(3))
    assert children(rule) is None
    assert copied((rule, len))[0] is rule
    assert list(arrays_in((np.float64(1.0), 2, "text", None, rule))) == []


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_copy_lies_in_memory_as_it_did(order):
    x = np.asarray(np.arange(24.0).reshape(2, 3, 4), order=order)
    assert copied(x).strides == x.strides
    masked = copied(np.ma.masked_less(x, 3))
    assert masked.mask.sum() == 3
    things = np.array([[1], "a"], dtype=object)
    copied(things)[0].append(2)
    assert things[0] == [1]
