"""Keys tell apart whatever data one's own code can tell apart."""

from __future__ import annotations

import functools
import math
import operator
import re
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import own_code
import pytest
from key_pairs import into, mine, tell_apart
from own_code import Holding

from sims.aggregators import CoordinateMedian, Mean

PAIRS = {}


def held(one, other, use):
    """A pair of rules that hold one or the other and use it."""

    def made(_):
        yield Holding(one, use)
        yield Holding(other, use)

    return made


class Tagged(np.ndarray):
    """An array that holds more than numbers."""

    factor = 1.0


def tagged(factor):
    found = np.ones(2).view(Tagged)
    found.factor = factor
    return found


FAR = np.arange(2000.0)  # which NumPy represents by its ends


DATA = {
    "a sign of zero": (0.0, -0.0, lambda held, x: np.copysign(x.mean(-2), held)),
    "a list or a tuple": ([1], (1,), lambda held, x: (2 if isinstance(held, list) else 1) * x.mean(-2)),
    "a truth or a number": (True, 1, lambda held, x: (2 if held is True else 1) * x.mean(-2)),
    "a number or its text": (1, "1", lambda held, x: len(str(held) + repr(held)) * x.mean(-2)),
    "a whole number or a real": (2**53 + 1, float(2**53), lambda held, x: (int(held) % 2 + 1) * x.mean(-2)),
    "a scalar of fewer digits": (np.float32(2.0), 2.0, lambda held, x: (held / 3) * x.mean(-2)),
    "the order of a mapping": (
        {"a": 1e16, "b": 1.0, "c": -1e16},
        {"a": 1e16, "c": -1e16, "b": 1.0},
        lambda held, x: (
            (1 + functools.reduce(operator.add, held.values())) * x.mean(-2)
        ),  # `sum` rounds once from 3.12 on
    ),
    "what a mapping has for a name that it lacks": (
        defaultdict(int),
        defaultdict(lambda: 1),
        lambda held, x: x.mean(-2) + held.copy()["a"],
    ),
    "what a call hands over, in the middle": (
        operator.methodcaller("take", FAR),
        operator.methodcaller("take", np.where(FAR == 1000, 0, FAR)),
        lambda held, x: held.__reduce__()[1][1].sum() * x.mean(-2),
    ),
    "a number of more digits": (
        np.longdouble(1),
        np.longdouble(2),
        lambda held, x: float(held) * x.mean(-2),
    ),
    "an attribute of an array": (tagged(1.0), tagged(2.0), lambda held, x: held.factor * x.mean(-2)),
    "names of a mapping": ({1: 2.0}, {"1": 2.0}, lambda held, x: held.get(1, 1.0) * x.mean(-2)),
    "a mapping that looks like a rule": (
        Mean(),
        {"type": "sims.aggregators.mean:Mean"},
        lambda held, x: (2 if isinstance(held, Mean) else 1) * x.mean(-2),
    ),
    "a mapping that looks like an infinity": (
        math.inf,
        {"float": "inf"},
        lambda held, x: (2 if held == math.inf else 1) * x.mean(-2),
    ),
    "a mapping that looks like an array": (
        np.ones(2),
        {"array": [1.0, 1.0], "dtype": "float64"},
        lambda held, x: (2 if isinstance(held, dict) else 1) * x.mean(-2),
    ),
    "an empty array's shape": (
        np.ones((0, 2)),
        np.ones((0, 3)),
        lambda held, x: held.shape[1] * x.mean(-2),
    ),
    "an array's dtype": (np.array([3]), np.array([3], np.uint8), lambda held, x: int((held * 100)[0]) * x.mean(-2)),
    "the mask of an array": (
        np.ma.array([1.0, 2.0], mask=[False, True]),
        np.ma.array([1.0, 2.0], mask=[True, False]),
        lambda held, x: float(held.sum()) * x.mean(-2),
    ),
    "the kind of an array": (
        np.array([2.0]),
        np.ma.array([2.0]),
        lambda held, x: (2 if type(held) is np.ndarray else 1) * x.mean(-2),
    ),
    "a set": ({1, 2}, {1, 3}, lambda held, x: max(held) * x.mean(-2)),
    "complex numbers": (1 + 2j, 1 + 3j, lambda held, x: held.imag * x.mean(-2)),
    "bytes": (b"a", b"b", lambda held, x: held[0] * x.mean(-2)),
    "fractions": (Fraction(1, 3), Fraction(2, 3), lambda held, x: float(held) * x.mean(-2)),
    "patterns": (re.compile("a"), re.compile("ab"), lambda held, x: len(held.pattern) * x.mean(-2)),
    "flags of patterns": (re.compile("a"), re.compile("a", re.I), lambda held, x: held.flags * x.mean(-2)),
    "paths": (Path("a"), Path("ab"), lambda held, x: len(str(held)) * x.mean(-2)),
    "names of a named tuple": (
        own_code.Pair(1.0, 2.0),
        own_code.Reversed(1.0, 2.0),
        lambda held, x: held.one * x.mean(-2),
    ),
    "a number of a class of one's own": (own_code.Length(1.0), 1.0, lambda held, x: held * x.mean(-2)),
    "classes of a library": (np.float64, np.float32, lambda held, x: float(held(0.1)) * x.mean(-2)),
    "classes of ours": (Mean, CoordinateMedian, lambda held, x: held().aggregate(x)),
    "deep within": (
        [{"a": ({"b": [1.0]},)}],
        [{"a": ({"b": [2.0]},)}],
        lambda held, x: held[0]["a"][0]["b"][0] * x.mean(-2),
    ),
}
PAIRS |= {name: held(*parts) for name, parts in DATA.items()}


@into(PAIRS)
def an_attribute_that_is_no_field(_):
    yield own_code.Declared()
    rule = own_code.Declared()
    object.__setattr__(rule, "extra", 2.0)
    yield rule


@into(PAIRS)
def an_attribute_with_a_name_of_ours(_):
    yield own_code.Named("own_code:Named")
    yield own_code.Named("own_code:Pair")


@into(PAIRS)
def a_field_of_a_class_of_a_cell_with_a_name_of_ours(_):
    yield mine("type = 'sims.aggregators.mean:Mean'", "len(self.type) * x.mean(-2)")
    yield mine("type = 'sims.aggregators.mean:Meane'", "len(self.type) * x.mean(-2)")


@pytest.mark.parametrize("pair", PAIRS)
def test_what_gives_other_numbers_has_another_key(pair, monkeypatch):
    tell_apart(PAIRS[pair](monkeypatch))
