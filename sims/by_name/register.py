"""The register of all rules, attacks, problems, optimizers and observers, and whatever goes by name.

A new one is written into its tuple here and nowhere else: the command line, the contract suite, the strategies and the
tests read the register, and `tests/test_by_name.py` notices what is not in it. In files and on the command line a thing
is called by its class name (`Krum`) or by a constructor of the class (`Quadratic.between`), one's own by `module:Name`,
and what is built around another by both names (`Bucketing(Krum)`).
"""

from __future__ import annotations

import inspect

from sims.aggregators import (
    ARC,
    CAF,
    CGE,
    MDA,
    RFA,
    SMEA,
    Bucketing,
    Bulyan,
    CenteredClipping,
    Clipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Meamed,
    Mean,
    MoNNA,
    MultiKrum,
    NearestNeighbourMixing,
    Phocas,
    Rule,
    TrimmedMean,
)
from sims.attacks import (
    ALittleIsEnough,
    Attack,
    BitFlipping,
    InnerProductManipulation,
    LabelFlipping,
    Mimic,
    NoAttack,
    Relocation,
    SearchedStrength,
    Together,
)
from sims.by_name.signatures import required
from sims.observers import ClassDistances, Clipped, Kept, Observer, Picked, Push
from sims.optimizers import SGD, Optimizer, ServerMomentum, WeightDecay, WorkerMomentum, WorkerMVR
from sims.problems import (
    Bernoulli,
    HeterogeneousSoftmaxRegression,
    Huber,
    Pareto,
    Pendulum,
    Problem,
    Quadratic,
    Rademacher,
    Sinusoidal,
    SoftmaxRegression,
)

RULES: tuple[type[Rule], ...] = (
    Mean,
    CoordinateMedian,
    GeometricMedian,
    RFA,
    Krum,
    MultiKrum,
    TrimmedMean,
    Bulyan,
    CenteredClipping,
    Bucketing,
    NearestNeighbourMixing,
    Clipping,
    ARC,
    MDA,
    MoNNA,
    Meamed,
    Phocas,
    CGE,
    SMEA,
    CAF,
)
ATTACKS: tuple[type[Attack], ...] = (
    NoAttack,
    BitFlipping,
    LabelFlipping,
    InnerProductManipulation,
    ALittleIsEnough,
    Relocation,
    Mimic,
    SearchedStrength,
    Together,
)
PROBLEMS: tuple[type[Problem], ...] = (
    Quadratic,
    Bernoulli,
    Rademacher,
    Pareto,
    Sinusoidal,
    Pendulum,
    Huber,
    SoftmaxRegression,
    HeterogeneousSoftmaxRegression,
)
OPTIMIZERS: tuple[type[Optimizer], ...] = (SGD, WorkerMomentum, ServerMomentum, WorkerMVR, WeightDecay)
OBSERVERS: tuple[type[Observer], ...] = (Push, Kept, Clipped, Picked, ClassDistances)
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


def published(n: int, f: int) -> dict[str, Rule]:
    """The rules that need nothing but f, as they are published, where they are defined for n workers, by name.

    `CenteredClipping` needs a radius and is not among them.

    >>> published(5, 1)["Krum"], "Bulyan" in published(5, 1), "CenteredClipping" in published(5, 1)
    (Krum(f=1, variant='paper'), False, False)
    """
    free = {rule.__name__ for rule in RULES if set(required(inspect.signature(rule).parameters)) <= {"f"}}
    return {name: rule for name, rule in examples(n, f).items() if name in free}
