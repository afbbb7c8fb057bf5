"""The register of all rules, attacks, problems, optimizers and observers, and whatever goes by name.

Whatever a module of their packages defines is in it: the command line, the contract suite, the strategies, the
benchmark and the tests read the register. In files and on the command line a thing is called by its class name (`Krum`)
or by a constructor of the class (`Quadratic.between`), one's own by `module:Name`, and what is built around another by
both names (`Bucketing(Krum)`).
"""

from __future__ import annotations

import inspect

from sims import aggregators, attacks, observers, optimizers, problems
from sims.aggregators import Rule
from sims.attacks import Attack
from sims.by_name.signatures import required
from sims.observers import Observer
from sims.optimizers import Optimizer
from sims.packages import defined
from sims.problems import Problem

# the order of those on which recorded results depend; whatever else there is follows by name, and is not written here
_RULES = (
    *("Mean", "CoordinateMedian", "GeometricMedian", "RFA", "Krum", "MultiKrum", "TrimmedMean", "Bulyan"),
    *("CenteredClipping", "Bucketing", "NearestNeighbourMixing", "Clipping", "ARC"),
)
_ATTACKS = (
    *("NoAttack", "BitFlipping", "LabelFlipping", "InnerProductManipulation", "ALittleIsEnough", "Relocation"),
    *("Mimic", "SearchedStrength", "Together"),
)
_PROBLEMS = (
    *("Quadratic", "Bernoulli", "Rademacher", "Pareto", "Sinusoidal", "Pendulum", "Huber", "SoftmaxRegression"),
    "HeterogeneousSoftmaxRegression",
)
_OPTIMIZERS = ("SGD", "WorkerMomentum", "ServerMomentum", "WorkerMVR", "WeightDecay")
_OBSERVERS = ("Push", "Kept", "Clipped", "Picked", "ClassDistances")

RULES: tuple[type[Rule], ...] = defined(aggregators, Rule, _RULES)
ATTACKS: tuple[type[Attack], ...] = defined(attacks, Attack, _ATTACKS)
PROBLEMS: tuple[type[Problem], ...] = defined(problems, Problem, _PROBLEMS)
OPTIMIZERS: tuple[type[Optimizer], ...] = defined(optimizers, Optimizer, _OPTIMIZERS)
OBSERVERS: tuple[type[Observer], ...] = defined(observers, Observer, _OBSERVERS)
REGISTER: dict[str, tuple[type, ...]] = {
    "rule": RULES,
    "attack": ATTACKS,
    "problem": PROBLEMS,
    "optimizer": OPTIMIZERS,
    "observer": OBSERVERS,
}
# what needs an optional library: imported when somebody names it, and not before
LATE: dict[str, dict[str, str]] = {"problem": {"ImageClassification": "sims.neural.problem:ImageClassification"}}
EXTRA = "pip install 'byzcheck[neural]'"


def examples(n: int, f: int) -> dict[str, Rule]:
    """An instance of every rule that is defined for n workers, f of them declared Byzantine, by name.

    >>> examples(7, 1)["TrimmedMean"], "Krum" in examples(2, 1)
    (TrimmedMean(f=1), False)
    """
    made = {rule.__name__: rule.example(n, f) for rule in RULES}
    return {name: rule for name, rule in made.items() if rule is not None}


def made_by_f() -> tuple[type[Rule], ...]:
    """The rules that need nothing but f.

    >>> "Krum" in [rule.__name__ for rule in made_by_f()], "CenteredClipping" in [rule.__name__ for rule in made_by_f()]
    (True, False)
    """
    return tuple(rule for rule in RULES if set(required(inspect.signature(rule).parameters)) <= {"f"})


def published(n: int, f: int) -> dict[str, Rule]:
    """The rules that need nothing but f, as they are published, where they are defined for n workers, by name.

    `CenteredClipping` needs a radius and is not among them; nor is a rule that is no function of the set of messages.

    >>> published(5, 1)["Krum"], "Bulyan" in published(5, 1), "CenteredClipping" in published(5, 1)
    (Krum(f=1, variant='paper'), False, False)
    """
    free = made_by_f()
    return {name: rule for name, rule in examples(n, f).items() if type(rule) in free and rule.promises.permutation}
