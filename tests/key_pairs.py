"""Pairs of experiments that keys must tell apart, for tests: each pair is made, asked for its key, and played."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rules_of_ones_own import Own

from sims.aggregators import Mean
from sims.attacks import Attack
from sims.engine import Experiment, play
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic

RULE = "class Mine(Own):\n    {0}\n    def reduce(self, x):\n        return {1}\n"


def into(table):
    """A decorator that puts what makes a pair into a table, under its name in words."""

    def put(made):
        table[made.__name__.replace("_", " ")] = made
        return made

    return put


def experiment(part: Any) -> Experiment:
    """An experiment with a rule, a function, an attack, an optimizer or a problem."""
    parts = {"problem": Quadratic((1.0, 2.0), sigma_sq=1.0), "rule": Mean(), "optimizer": SGD(0.1)}
    kinds = {"attack": Attack, "optimizer": SGD, "problem": Quadratic}
    parts[next((name for name, kind in kinds.items() if isinstance(part, kind)), "rule")] = part
    algorithm = RobustSGD(parts.pop("rule"), parts.pop("optimizer"))
    return Experiment(algorithm=algorithm, n=5, f=1, x0=1.0, steps=3, runs=2, seed=0, **parts)


def both(pair: Iterator[Any]) -> tuple[list[str], list[bytes]]:
    """The keys and the numbers of both of a pair, each asked for before the other is made."""
    keys, numbers = [], []
    for part in pair:
        made = experiment(part)
        keys.append(made.key())
        numbers.append(play(made).x.tobytes())
        assert made.key() == keys[-1], "a key must not depend on what was run"
    assert len(keys) == 2
    return keys, numbers


def tell_apart(pair: Iterator[Any]) -> None:
    """Two experiments that give different numbers have different keys."""
    keys, numbers = both(pair)
    assert numbers[0] != numbers[1]
    assert keys[0] != keys[1]


def cell(text: str, **names: Any) -> dict[str, Any]:
    """The names that a notebook has after a cell with this text: there is no file of it."""
    names |= {"__name__": "notebook_of_a_test", "Own": Own, "np": np}
    exec(text, names)
    return names


def mine(*parts: str, **names: Any) -> Any:
    """A rule of a cell, with something in its class and what it returns."""
    return cell(RULE.format(*parts), **names)["Mine"]()
