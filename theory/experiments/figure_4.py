"""The grid of Figure 4: four attacks, five rules, three β, and the mean without attack."""

from __future__ import annotations

from collections.abc import Iterable

from theory.experiments.comparison import Comparison
from theory.experiments.results import Cell, NotRunError, Tables

TABLE = "figure_4"
RULES = ("CoordinateMedian", "RFA", "TrimmedMean", "Krum", "CenteredClipping")
BASELINES = RULES[:-1]
COUPLED, SIMPLE = ("ALittleIsEnough", "InnerProductManipulation"), ("BitFlipping", "LabelFlipping")
ATTACKS = (*COUPLED, *SIMPLE)
BETAS = (0.0, 0.9, 0.99)
SHORT = {
    "CoordinateMedian": "CM",
    "TrimmedMean": "TM",
    "CenteredClipping": "CC",
    "ALittleIsEnough": "ALIE",
    "InnerProductManipulation": "IPM",
    "BitFlipping": "BF",
    "LabelFlipping": "LF",
}
BySeed = dict[int, float]


def short(name: str) -> str:
    """The paper's abbreviation of a rule or attack."""
    return SHORT.get(name, name)


def cell(tables: Tables, attack: str, rule: str, beta: float) -> Cell:
    """The runs of one place of the grid; flippers send raw gradients, as in the released code."""
    where = {"attack": attack, "rule": rule, "optimizer.beta": beta}
    raw = attack in SIMPLE and "attack.on" in tables[TABLE].axes
    return tables[TABLE].cell({**where, "attack.on": "gradients"} if raw else where)


def free(tables: Tables, beta: float) -> Cell:
    """The runs of the mean without attack."""
    return cell(tables, "NoAttack", "Mean", beta)


def less(one: BySeed, other: BySeed) -> BySeed:
    """The difference of two numbers on the same seeds; `NotRunError` if they share none."""
    found = {seed: one[seed] - other[seed] for seed in one if seed in other}
    if not found:
        raise NotRunError("two settings have no seed in common")
    return found


def averaged(several: Iterable[BySeed]) -> BySeed:
    """The mean of several numbers on the seeds that all have."""
    every = list(several)
    seeds = set.intersection(*(set(one) for one in every))
    if not seeds:
        raise NotRunError("settings have no seed in common")
    return {seed: sum(one[seed] for one in every) / len(every) for seed in sorted(seeds)}


def final(tables: Tables, attack: str, rule: str, beta: float) -> BySeed:
    """The accuracy after the last round, by seed."""
    return cell(tables, attack, rule, beta).last("test_accuracy")


def against(tables: Tables, attack: str, beta: float, rival: str, margin: float) -> Comparison:
    """Clipping against a rival in one place of the grid: at most `margin` below it."""
    more = less(final(tables, attack, "CenteredClipping", beta), final(tables, attack, rival, beta))
    return Comparison(f"{short(attack)}, β = {beta:g}, CC − {short(rival)}", more, ">=", 0.0 - margin)
