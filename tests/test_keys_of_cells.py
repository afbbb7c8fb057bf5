"""Keys of what a notebook defines, of which there is no file: a cell that is edited gives another key."""

from __future__ import annotations

import own_code
import pytest
from key_pairs import RULE, cell, into, mine, tell_apart

from sims.attacks import Attack
from sims.optimizers import SGD
from sims.problems import Quadratic

PAIRS = {}


@into(PAIRS)
def a_cell_is_edited(_):
    yield mine("", "x.mean(-2)")
    yield mine("", "np.median(x, axis=-2)")


@into(PAIRS)
def a_number_in_a_cell_is_edited(_):
    yield mine("", "1.0 * x.mean(-2)")
    yield mine("", "1.0000000000000002 * x.mean(-2)")


@into(PAIRS)
def a_class_attribute_in_a_cell_is_edited(_):
    yield mine("scale = 1.0", "self.scale * x.mean(-2)")
    yield mine("scale = 2.0", "self.scale * x.mean(-2)")


@into(PAIRS)
def another_cell_has_the_base(_):
    for factor in (1.0, 2.0):
        names = cell(f"class Base(Own):\n    def scaled(self, x): return {factor} * x.mean(-2)\n")
        text = "class Mine(Base):\n    def reduce(self, x): return self.scaled(x)\n"
        yield cell(text, Base=names["Base"])["Mine"]()


@into(PAIRS)
def another_cell_has_the_function(_):
    for factor in (1.0, 2.0):
        yield mine("", "f(x)", f=cell(f"def f(x): return {factor} * x.mean(-2)\n")["f"])


@into(PAIRS)
def a_cell_after_the_class_changes_what_it_reads(_):
    names = cell("rate = 1.0\n" + RULE.format("", "rate * x.mean(-2)"))
    yield names["Mine"]()
    exec("rate = 2.0", names)
    yield names["Mine"]()


@into(PAIRS)
def functions_of_cells_that_call_themselves(_):
    for factor in (1.0, 2.0):
        yield cell(f"def f(x, k=3): return x.mean(-2) if k == 0 else {factor} * f(x, k - 1)\n")["f"]


@into(PAIRS)
def functions_of_cells_that_call_each_other(_):
    text = "def f(x): return g(x, 2)\ndef g(x, k): return x.mean(-2) if k == 0 else {} * h(x, k)\n"
    text += "def h(x, k): return g(x, k - 1)\n"
    yield cell(text.format(1.0))["f"]
    yield cell(text.format(2.0))["f"]


@into(PAIRS)
def the_same_code_with_names_of_two_functions_exchanged(_):
    text = "def f(x): return one(x) + 2 * two(x)\none, two = {}\n"
    one, two = (lambda x: x.mean(-2)), (lambda x: x.max(-2))
    yield cell(text.format("a, b"), a=one, b=two)["f"]
    yield cell(text.format("a, b"), a=two, b=one)["f"]


@into(PAIRS)
def a_function_of_a_cell_imports_a_module_of_ones_own(monkeypatch):
    names = cell("def f(x):\n    import own_code\n    return own_code.RATE * x.mean(-2)\n")
    yield names["f"]
    monkeypatch.setattr(own_code, "RATE", 2.0)
    yield names["f"]


@into(PAIRS)
def a_schedule_of_a_cell(_):
    yield SGD(cell("f = lambda t: 0.1 / t")["f"])
    yield SGD(cell("f = lambda t: 0.1 / (t + 1)")["f"])


@into(PAIRS)
def a_problem_of_a_cell(_):
    text = "class Mine(Quadratic):\n    def gradient(self, x): return {} * super().gradient(x)\n"
    for factor in (1.0, 2.0):
        yield cell(text.format(factor), Quadratic=Quadratic)["Mine"]((1.0, 2.0), sigma_sq=1.0)


@into(PAIRS)
def an_attack_of_a_cell(_):
    text = "class Mine(Attack):\n    def send(self, view, state, rng): return {} * view.own, state\n"
    for factor in (-1.0, -2.0):
        yield cell(text.format(factor), Attack=Attack)["Mine"]()


@pytest.mark.parametrize("pair", PAIRS)
def test_what_gives_other_numbers_has_another_key(pair, monkeypatch):
    tell_apart(PAIRS[pair](monkeypatch))
