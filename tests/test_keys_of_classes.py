"""Keys follow classes that change while the program runs."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import own_code
import pytest
from key_pairs import into, tell_apart
from own_code import Holding
from rules_of_ones_own import Own

PAIRS = {}


@into(PAIRS)
def a_class_attribute_is_set(monkeypatch):
    yield own_code.Scaled()
    monkeypatch.setattr(own_code.Scaled, "scale", 5.0)
    yield own_code.Scaled()


class Kind(type(Own)):
    strength = 3.0


class OfKind(Own, metaclass=Kind):
    def reduce(self, x):
        return x.mean(-2) * type(self).strength


@into(PAIRS)
def an_attribute_of_the_class_of_a_class_is_set(monkeypatch):
    yield OfKind()
    monkeypatch.setattr(Kind, "strength", 5.0)
    yield OfKind()


@dataclasses.dataclass(frozen=True)
class Dataclass(Own):
    strength: ClassVar[float] = 3.0
    given: dataclasses.InitVar[float] = 1.0

    def __post_init__(self, given):
        pass

    def reduce(self, x):
        return x.mean(-2) * self.strength * self.given


@into(PAIRS)
def a_class_variable_of_a_dataclass_is_set(monkeypatch):
    yield Dataclass()
    monkeypatch.setattr(Dataclass, "strength", 5.0)
    yield Dataclass()


@into(PAIRS)
def the_default_of_what_a_dataclass_is_only_made_with_is_set(monkeypatch):
    yield Dataclass()
    monkeypatch.setattr(Dataclass, "given", 5.0)
    yield Dataclass()


@into(PAIRS)
def an_inherited_class_attribute_is_set(monkeypatch):
    yield own_code.Inheriting()
    monkeypatch.setattr(own_code.Scaled, "scale", 5.0)
    yield own_code.Inheriting()


@into(PAIRS)
def a_class_attribute_is_shadowed_further_down(monkeypatch):
    yield own_code.Inheriting()
    monkeypatch.setattr(own_code.Inheriting, "scale", 5.0, raising=False)
    yield own_code.Inheriting()


@into(PAIRS)
def the_array_of_a_class_is_changed_in_place(_):
    before = own_code.WithArray.weights.copy()
    yield own_code.WithArray()
    own_code.WithArray.weights[0] = 7.0
    try:
        yield own_code.WithArray()
    finally:
        own_code.WithArray.weights[:] = before


@into(PAIRS)
def the_array_of_a_class_has_another_dtype(monkeypatch):
    monkeypatch.setattr(own_code.WithArray, "weights", np.array([1.0, 0.5]))
    yield Holding(own_code.WithArray, lambda held, x: x.mean(-2) * held.weights / len(held.weights.tobytes()))
    monkeypatch.setattr(own_code.WithArray, "weights", np.array([1.0, 0.5], np.float32))
    yield Holding(own_code.WithArray, lambda held, x: x.mean(-2) * held.weights / len(held.weights.tobytes()))


@into(PAIRS)
def a_method_is_replaced(monkeypatch):
    yield own_code.Scaled()
    monkeypatch.setattr(own_code.Scaled, "reduce", lambda self, x: x.max(-2))
    yield own_code.Scaled()


@into(PAIRS)
def a_method_is_taken_away(monkeypatch):
    class Base(Own):
        def reduce(self, x):
            return x.mean(-2)

    class Mine(Base):
        def reduce(self, x):
            return x.max(-2)

    yield Mine()
    monkeypatch.delattr(Mine, "reduce")
    yield Mine()


@into(PAIRS)
def two_methods_are_exchanged(monkeypatch):
    yield own_code.InSteps()
    first, second = own_code.InSteps.first, own_code.InSteps.second
    monkeypatch.setattr(own_code.InSteps, "first", second)
    monkeypatch.setattr(own_code.InSteps, "second", first)
    yield own_code.InSteps()


@into(PAIRS)
def the_code_of_a_method_is_exchanged(monkeypatch):
    yield own_code.Scaled()
    monkeypatch.setattr(own_code.Scaled.reduce, "__code__", own_code.Reading.reduce.__code__)
    yield own_code.Scaled()


@into(PAIRS)
def a_property_is_replaced(monkeypatch):
    def use(held, x):
        return held.third * x.mean(-2)

    yield Holding(own_code.InSteps(), use)
    monkeypatch.setattr(own_code.InSteps, "third", property(lambda self: 2.0))
    yield Holding(own_code.InSteps(), use)


@into(PAIRS)
def a_static_method_is_replaced(monkeypatch):
    def use(held, x):
        return held.fourth(x.mean(-2))

    yield Holding(own_code.InSteps(), use)
    monkeypatch.setattr(own_code.InSteps, "fourth", staticmethod(lambda x: 2 * x))
    yield Holding(own_code.InSteps(), use)


@into(PAIRS)
def a_class_within_a_class(monkeypatch):
    yield own_code.InSteps()
    monkeypatch.setattr(own_code.InSteps.Step, "size", 2.0)
    yield own_code.InSteps()


@into(PAIRS)
def an_instance_has_its_own_method(_):
    yield own_code.Scaled()
    rule = own_code.Scaled()
    rule.reduce = lambda x: x.max(-2)
    yield rule


@into(PAIRS)
def a_base_is_exchanged(_):
    class Other(Own):
        scale = 3.0

        def reduce(self, x):
            return self.scale * x.max(-2)

    class Base(Own):
        scale = 3.0

        def reduce(self, x):
            return self.scale * x.mean(-2)

    class Mine(Base):
        pass

    yield Mine()
    Mine.__bases__ = (Other,)
    yield Mine()


@into(PAIRS)
def classes_that_one_function_makes(_):
    def made(factor):
        class Mine(Own):
            def reduce(self, x):
                return factor * x.mean(-2)

        return Mine

    yield made(1.0)()
    yield made(2.0)()


@into(PAIRS)
def classes_of_two_branches(_):
    def made(other):
        if other:

            class Mine(Own):
                def reduce(self, x):
                    return x.max(-2)

        else:

            class Mine(Own):
                def reduce(self, x):
                    return x.mean(-2)

        return Mine

    yield made(False)()
    yield made(True)()


@into(PAIRS)
def a_method_of_an_enumeration(monkeypatch):
    yield Holding(own_code.Level.LOW, lambda held, x: held.value * x.mean(-2))
    yield Holding(own_code.Level.HIGH, lambda held, x: held.value * x.mean(-2))


@pytest.mark.parametrize("pair", PAIRS)
def test_what_gives_other_numbers_has_another_key(pair, monkeypatch):
    tell_apart(PAIRS[pair](monkeypatch))
