"""Keys follow the data that functions read, and what hides in closures, defaults and wrappers."""

from __future__ import annotations

import functools
import importlib
import math
import sys
import tempfile
import types
from pathlib import Path

import numba
import numpy as np
import own_code
import pytest
from key_pairs import cell, into, tell_apart
from own_code import CallingWhatItHolds, Holding

PAIRS = {}


@into(PAIRS)
def a_global_that_a_method_reads(monkeypatch):
    yield own_code.Reading()
    monkeypatch.setattr(own_code, "RATE", 2.0)
    yield own_code.Reading()


@into(PAIRS)
def a_global_that_a_function_far_away_reads(monkeypatch):
    yield own_code.ReadingFarAway()
    monkeypatch.setattr(own_code, "RATE", 2.0)
    yield own_code.ReadingFarAway()


@into(PAIRS)
def an_entry_of_a_global_mapping(monkeypatch):
    yield own_code.ReadingFarAway()
    monkeypatch.setitem(own_code.WEIGHTS, "first", 2.0)
    yield own_code.ReadingFarAway()


@into(PAIRS)
def a_function_far_away_is_replaced(monkeypatch):
    yield own_code.ReadingFarAway()
    monkeypatch.setattr(own_code, "deeper", lambda x: x.max(-2))
    yield own_code.ReadingFarAway()


@into(PAIRS)
def a_global_that_is_a_function_of_a_library(monkeypatch):
    yield own_code.Calling()
    monkeypatch.setattr(own_code, "CENTRE", np.median)
    yield own_code.Calling()


@into(PAIRS)
def a_global_that_is_a_function_of_a_library_in_c(monkeypatch):
    monkeypatch.setattr(own_code, "CENTRE", np.add.reduce)
    monkeypatch.setattr(own_code, "RATE", math.sqrt)
    yield lambda x: own_code.RATE(2.0) * x.mean(-2)
    monkeypatch.setattr(own_code, "RATE", math.exp)
    yield lambda x: own_code.RATE(2.0) * x.mean(-2)


@into(PAIRS)
def an_attribute_of_a_module(monkeypatch):
    yield lambda x: own_code.RATE * x.mean(-2)
    monkeypatch.setattr(own_code, "RATE", 2.0)
    yield lambda x: own_code.RATE * x.mean(-2)


@into(PAIRS)
def an_attribute_of_a_module_that_is_made_while_the_program_runs(_):
    settings = types.ModuleType("settings_of_a_test")
    for settings.rate in (1.0, 2.0):
        yield lambda x: settings.rate * x.mean(-2)


def reading(function):
    """A function that reads the rate of its module, and the same when the module has another."""

    def made(monkeypatch):
        yield function
        monkeypatch.setattr(own_code, "RATE", 2.0)
        yield function

    return made


PAIRS |= {
    "a global of a function that calls itself": reading(own_code.counting),
    "a global of functions that call each other": reading(own_code.alternating),
    "a global of a cached function": reading(own_code.with_cached),
    "an attribute that is found by a text": reading(own_code.finding),
    "an attribute of a module that is imported by a text": reading(own_code.importing),
}


@into(PAIRS)
def a_function_that_is_compiled(_):
    for factor in (1.0, 2.0):
        compiled = numba.njit(cell(f"def f(y): return {factor} * y\n")["f"])
        yield Holding(compiled, lambda held, x: held(x.mean(-2)))


@into(PAIRS)
def an_attribute_of_a_module_that_is_found_by_a_text(monkeypatch):
    yield lambda x: getattr(own_code, "RATE") * x.mean(-2)  # noqa: B009
    monkeypatch.setattr(own_code, "RATE", 2.0)
    yield lambda x: getattr(own_code, "RATE") * x.mean(-2)  # noqa: B009


def on_path(monkeypatch):
    """A new folder from which modules are imported."""
    folder = tempfile.mkdtemp()
    monkeypatch.syspath_prepend(folder)
    return Path(folder)


@into(PAIRS)
def an_attribute_of_a_module_beside_it(monkeypatch):
    (folder := on_path(monkeypatch) / "package_of_a_test").mkdir()
    for name, text in {
        "__init__": "",
        "beside": "RATE = 1.0\n",
        "rules": "def rule(x):\n    from . import beside\n    return beside.RATE * x.mean(-2)\n",
    }.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    rules, beside = (importlib.import_module(f"package_of_a_test.{name}") for name in ("rules", "beside"))
    yield rules.rule
    monkeypatch.setattr(beside, "RATE", 2.0)
    yield rules.rule


@into(PAIRS)
def a_module_that_has_the_name_of_one_of_python(monkeypatch):
    text = "RATE = 1.0\n\n\ndef rule(x):\n    return RATE * x.mean(-2)\n"
    (on_path(monkeypatch) / "this.py").write_text(text, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "this", raising=False)
    this = importlib.import_module("this")
    yield this.rule
    monkeypatch.setattr(this, "RATE", 2.0)
    yield this.rule
    monkeypatch.delitem(sys.modules, "this")


@into(PAIRS)
def an_attribute_of_a_partial(_):
    for factor in (1.0, 2.0):
        found = functools.partial(np.mean, axis=-2)
        found.factor = factor
        yield Holding(found, lambda held, x: held.factor * held(x))


@into(PAIRS)
def a_function_of_a_type_of_its_argument(_):
    for factor in (1.0, 2.0):
        names = cell(
            "@functools.singledispatch\ndef f(x): return x\n"
            f"@f.register\ndef g(x: np.ndarray): return {factor} * x.mean(-2)\n",
            functools=functools,
        )
        yield names["f"]


@into(PAIRS)
def what_a_mode_is_set_to(_):
    for over in ("ignore", "raise"):
        names = cell(
            f"@np.errstate(over={over!r})\ndef f(x):\n"
            "    return x.mean(-2) * (1.0 if np.geterr()['over'] == 'ignore' else 2.0)\n"
        )
        yield names["f"]


@into(PAIRS)
def a_closure(_):
    yield own_code.times(1.0)
    yield own_code.times(2.0)


@into(PAIRS)
def a_list_in_a_closure_that_grows(_):
    held = [1.0]

    def rule(x):
        return sum(held) * x.mean(-2)

    yield rule
    held.append(1.0)
    yield rule


@into(PAIRS)
def a_name_that_a_function_changes(_):
    calls = 1

    def rule(x):
        return calls * x.mean(-2)

    yield rule
    calls = 2
    yield rule


@into(PAIRS)
def functions_in_a_closure_of_which_two_are_one(_):
    one, two = (lambda x: x.mean(-2)), (lambda x: x.max(-2))

    def made(a, b, c):
        return lambda x: a(x) + 2 * b(x) + 4 * c(x)

    yield made(one, two, one)
    yield made(one, two, two)


@into(PAIRS)
def a_decorator_with_a_parameter(_):
    yield own_code.decorated(1.0)(own_code.branched)
    yield own_code.decorated(2.0)(own_code.branched)


@into(PAIRS)
def a_decorated_function(_):
    yield own_code.decorated(1.0)(lambda x: x.mean(-2))
    yield own_code.decorated(1.0)(lambda x: x.max(-2))


@into(PAIRS)
def a_default(_):
    yield next(lambda x, k=k: k * x.mean(-2) for k in (1.0, 2.0))
    yield [lambda x, k=k: k * x.mean(-2) for k in (1.0, 2.0)][1]


@into(PAIRS)
def the_defaults_of_a_function_are_set(monkeypatch):
    yield own_code.with_default
    monkeypatch.setattr(own_code.with_default, "__defaults__", (2.0,))
    yield own_code.with_default


@into(PAIRS)
def the_defaults_of_names_are_set(monkeypatch):
    yield own_code.with_default
    monkeypatch.setattr(own_code.with_default, "__kwdefaults__", {"more": 2.0})
    yield own_code.with_default


@into(PAIRS)
def an_attribute_of_a_function(_):
    for factor in (1.0, 2.0):

        def rule(x):
            return rule.factor * x.mean(-2)

        rule.factor = factor
        yield rule


@into(PAIRS)
def lambdas_in_one_line(_):
    yield from ((lambda x: x.mean(-2)), (lambda x: x.max(-2)))


@into(PAIRS)
def lambdas_in_one_line_that_differ_within(_):
    yield from ((lambda x: (lambda y: y + y)(x.mean(-2))), (lambda x: (lambda y: y * y)(x.mean(-2))))


@into(PAIRS)
def what_a_function_is_applied_to_partly(_):
    yield functools.partial(own_code.with_default, factor=1.0)
    yield functools.partial(own_code.with_default, factor=2.0)


@into(PAIRS)
def another_function_that_is_applied_partly(_):
    yield functools.partial(own_code.times_of_itself, k=1)
    yield functools.partial(lambda x, k: 2 * x.mean(-2), k=1)


@into(PAIRS)
def an_object_that_is_called(_):
    yield CallingWhatItHolds(own_code.Callable(1.0))
    yield CallingWhatItHolds(own_code.Callable(2.0))


@into(PAIRS)
def the_class_of_an_object_that_is_called(monkeypatch):
    yield CallingWhatItHolds(own_code.Callable(1.0))
    monkeypatch.setattr(own_code.Callable, "__call__", lambda self, x: x.max(-2))
    yield CallingWhatItHolds(own_code.Callable(1.0))


@into(PAIRS)
def the_object_of_a_bound_method(_):
    yield CallingWhatItHolds(own_code.Callable(1.0).apply)
    yield CallingWhatItHolds(own_code.Callable(2.0).apply)


@into(PAIRS)
def the_method_that_is_bound(_):
    yield CallingWhatItHolds(own_code.Callable(1.0).apply)
    yield CallingWhatItHolds(own_code.Callable(1.0).__call__)


@pytest.mark.parametrize("pair", PAIRS)
def test_what_gives_other_numbers_has_another_key(pair, monkeypatch):
    tell_apart(PAIRS[pair](monkeypatch))
