"""What Counterexample 2 and Section 3 say of real gradients."""

from __future__ import annotations

from theory.experiments.comparison import Comparison
from theory.experiments.learned import HEAD, TAIL, kept
from theory.experiments.planted import exchanged, turned
from theory.experiments.results import Cell, NotRunError, Tables
from theory.experiments.sentence import Control, Seen, Sentence, each

TABLE, GAMMA = "figure_5", 0.5
THIRDS = (("first", 0.0, 1 / 3), ("second", 1 / 3, 2 / 3), ("last", 2 / 3, 1.0))
SEEKERS = ("CoordinateMedian", "RFA", "Krum")


def closer(tables: Tables) -> Seen:
    """The ratio of squared distances within and between classes in each third of the mean's training; layers aside."""
    [cell] = _cells(tables, "Mean")
    row = next(iter(cell.runs.values()))[0]
    layers = sorted(name.removeprefix("within_") for name in row if name.startswith("within_"))
    return each(
        [_ratio(cell, f"{name} third of training", "", *when) for name, *when in THIRDS],
        [_ratio(cell, f"layer {layer}, all of training", f"_{layer}", 0.0, 1.0) for layer in layers],
    )


def _ratio(cell: Cell, what: str, layer: str, start: float, stop: float) -> Comparison:
    within, between = (cell.over_time(f"{kind}{layer}", start, stop) for kind in ("within", "between"))
    ratios = {seed: within[seed] / between[seed] for seed in within}
    return Comparison(f"{what}, within over between", ratios, "<=", 0.5, in_points=False)


def selected(tables: Tables) -> Seen:
    """Whose image Krum's worker has, and how much of the tail's gradients the medians keep."""
    found = []
    for cell in _cells(tables, "Krum"):
        by_class = [cell.over_time(f"picked_class_{k}") for k in HEAD]
        picked = {seed: sum(values[seed] for values in by_class) for seed in by_class[0]}
        found.append(Comparison("Krum picks class 1 or 2, in % of rounds", picked, ">=", 0.95))
    return each([*found, *_tails(tables, SEEKERS[:2])])


def discarded(tables: Tables) -> Seen:
    """How much of the tail's gradients each middle-seeker keeps, and of the head's."""
    head = [
        Comparison(f"{rule} keeps of classes 1 and 2, %", kept(cell, HEAD, GAMMA), ">=", 0.5)
        for rule in SEEKERS
        for cell in _cells(tables, rule)
    ]
    return each(_tails(tables, SEEKERS), head)


def _tails(tables: Tables, rules: tuple[str, ...]) -> list[Comparison]:
    return [
        Comparison(f"{rule} keeps of classes 3–10, %", kept(cell, TAIL, GAMMA), "<=", 0.1)
        for rule in rules
        for cell in _cells(tables, rule)
    ]


def _cells(tables: Tables, rule: str) -> list[Cell]:
    found = tables[TABLE].cells({"rule": rule, "problem.gamma": GAMMA})
    if rule == "Mean" and len(found) > 1:
        raise NotRunError(f"{TABLE}.json has several settings of the mean")
    return found


SENTENCES = (
    Sentence(
        name="one_class_is_closer",
        where="Counterexample 2",
        text="The gradients over data of the same class are much closer than those of a different class.",
        rule="Mean squared distance of two workers' gradients in training by the mean at γ = ½, batch 1: within a "
        "class at most half of that between classes, in each third of training.",
        table=TABLE,
        look=closer,
        controls=(Control("the two distances exchanged", turned(TABLE, "within", "between")),),
    ),
    Sentence(
        name="always_classes_1_or_2",
        where="Counterexample 2",
        text="Thus, coordinate-wise median, geometric median and Krum always select the gradient corresponding to "
        "classes 1 or 2.",
        rule="At γ = ½: Krum's worker has an image of class 1 or 2 in at least 95 % of the rounds; median and RFA keep "
        "at most 10 % of the gradients of the other classes (the mean keeps 100 %).",
        table=TABLE,
        look=selected,
        controls=(Control("median and mean exchanged", exchanged(TABLE, "rule", "CoordinateMedian", "Mean")),),
    ),
    Sentence(
        name="the_tail_is_discarded",
        where="Section 3",
        text="These schemes require the noise distribution to be unimodal and highly concentrated, discarding any "
        "gradients from the tail of the distribution too aggressively as ‘outliers’.",
        rule="At γ = ½ median, RFA and Krum each keep at most 10 % of the gradients of classes 3 to 10, weighted by "
        "the classes' shares.",
        table=TABLE,
        look=discarded,
        controls=(Control("median and mean exchanged", exchanged(TABLE, "rule", "CoordinateMedian", "Mean")),),
    ),
)
