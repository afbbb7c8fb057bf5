"""Section 7.1 and Figures 1 and 5: middle-seekers on unequal classes, without an attacker."""

from __future__ import annotations

from theory.experiments.comparison import Comparison
from theory.experiments.learned import HEAD, TAIL, accuracy, kept, portion
from theory.experiments.planted import exchanged
from theory.experiments.results import Cell, Tables
from theory.experiments.sentence import Baseline, Control, Seen, Sentence, each

TABLE, GAMMA = "figure_5", 0.5
SEEKERS, OTHERS = ("Krum", "CoordinateMedian", "RFA"), ("CenteredClipping", "TrimmedMean")
SHARE = portion(GAMMA)
NEAR = 0.05  # 5 points


def cells(tables: Tables, rule: str, gamma: float = GAMMA) -> list[tuple[str, Cell]]:
    """The runs of a rule, with words for it; several if it was told several numbers of attackers or radii."""
    found = tables[TABLE].cells({"rule": rule, "problem.gamma": gamma})
    told = {path: {cell.settings.get(path) for cell in found} for path in ("rule.f", "rule.tau")}
    several = [path for path, values in told.items() if len(values) > 1]
    symbols = {"rule.f": "f" if rule == "Krum" else "b", "rule.tau": "τ"}
    return [
        (", ".join([rule, *(f"{symbols[path]} = {cell.settings[path]:g}" for path in several)]), cell) for cell in found
    ]


def head_only(tables: Tables) -> Seen:
    """Accuracy on classes 1 and 2, and on the other eight."""
    found = []
    for rule in SEEKERS:
        for words, cell in cells(tables, rule):
            found.append(Comparison(f"{words}, classes 1 and 2", accuracy(cell, HEAD, GAMMA), ">=", 0.8))
            found.append(Comparison(f"{words}, classes 3–10", accuracy(cell, TAIL, GAMMA), "<=", 0.1))
    return each(found)


def mean_learns(tables: Tables) -> Seen:
    """The mean's accuracy on classes 3 to 10."""
    return each(
        [Comparison(f"{w}, classes 3–10", accuracy(c, TAIL, GAMMA), ">=", 0.5) for w, c in cells(tables, "Mean")]
    )


def at_the_portion(*rules: str):
    """A look at whether accuracies are within 5 points of the share of classes 1 and 2."""

    def look(tables: Tables) -> Seen:
        found = []
        for rule in rules:
            for words, cell in cells(tables, rule):
                values = cell.last("test_accuracy")
                found.append(Comparison(f"{words}, accuracy", values, "<=", SHARE + NEAR))
                found.append(Comparison(f"{words}, accuracy", values, ">=", SHARE - NEAR))
        return each(found)

    return look


def unaffected(tables: Tables) -> Seen:
    """Clipping's accuracy against the mean's at every γ."""
    found = []
    for gamma in tables[TABLE].values("problem.gamma"):
        [(_, mean)] = cells(tables, "Mean", gamma)
        best = mean.last("test_accuracy")
        for words, cell in cells(tables, "CenteredClipping", gamma):
            less = {seed: value - best[seed] for seed, value in cell.last("test_accuracy").items()}
            found.append(Comparison(f"{words} − mean, γ = {gamma:g}", less, ">=", -0.02))
    return each(found)


def no_such_bound(*rules: str):
    """A look at whether accuracies are 5 points above the share of classes 1 and 2."""

    def look(tables: Tables) -> Seen:
        return each(
            [
                Comparison(f"{words}, accuracy", cell.last("test_accuracy"), ">=", SHARE + NEAR)
                for rule in rules
                for words, cell in cells(tables, rule)
            ]
        )

    return look


def tail_kept(tables: Tables) -> Seen:
    """How much of the gradients of classes 3 to 10 clipping and the trimmed mean keep."""
    return each(
        [
            Comparison(f"{words} keeps of classes 3–10, %", kept(cell, TAIL, GAMMA), ">=", 0.5)
            for rule in OTHERS
            for words, cell in cells(tables, rule)
        ]
    )


LEARNS = Baseline("the mean learns the other eight classes, on the same samples", mean_learns)
MEDIAN_AS_MEAN = Control("median and mean exchanged", exchanged(TABLE, "rule", "CoordinateMedian", "Mean"))
TRIMMED_AS_MEDIAN = Control(
    "trimmed mean and median exchanged", exchanged(TABLE, "rule", "TrimmedMean", "CoordinateMedian")
)
CLIPPING_AS_MEDIAN = Control(
    "clipping and median exchanged", exchanged(TABLE, "rule", "CenteredClipping", "CoordinateMedian")
)

SENTENCES = (
    Sentence(
        name="only_the_head_is_learnt",
        where="Figure 1",
        text="Failure of existing methods on imbalanced MNIST dataset. Only the head classes (class 1 and 2 here) are "
        "learnt, and the rest 8 classes are ignored.",
        rule="At γ = ½ after the last round, for Krum, median and RFA: accuracy on images of classes 1 and 2 ≥ 80 %, "
        "on images of the other eight ≤ 10 %, as by guessing.",
        table=TABLE,
        look=head_only,
        controls=(MEDIAN_AS_MEAN,),
        baselines=(LEARNS,),
    ),
    Sentence(
        name="corresponds_to_two_classes",
        where="Figure 5",
        text="the accuracy RFA, Krum, and CM corresponds to only learning class 1 and 2 (marked by horizontal gray "
        "dashed line).",
        rule=f"At γ = ½ the accuracy of RFA, Krum and median is within 5 points of the share of classes 1 and 2, "
        f"{100 * SHARE:.1f} %.",
        table=TABLE,
        look=at_the_portion("RFA", "Krum", "CoordinateMedian"),
        controls=(MEDIAN_AS_MEAN,),
        baselines=(LEARNS,),
    ),
    Sentence(
        name="clipping_is_unaffected",
        where="Figure 5",
        text="Centered Clip is unaffected by imbalance.",
        rule="At every γ, and each τ that was run, clipping's accuracy is at most 2 points below the mean's on the "
        "same samples.",
        table=TABLE,
        look=unaffected,
        controls=(CLIPPING_AS_MEDIAN,),
        baselines=(LEARNS,),
    ),
    Sentence(
        name="only_75_percent",
        where="Section 7.1",
        text="For drastic decay γ = 0.5, the median and geometric median based rules can only achieve 75% accuracy "
        "which is the portion of class 1 and 2 in the data.",
        rule=f"At γ = ½ the accuracy of median and RFA is within 5 points of {100 * SHARE:.1f} %.",
        table=TABLE,
        look=at_the_portion("CoordinateMedian", "RFA"),
        controls=(MEDIAN_AS_MEAN,),
        baselines=(LEARNS,),
    ),
    Sentence(
        name="no_such_bound",
        where="Section 7.1",
        text="On the other hand, centered clip CC and trimmed mean have no such bound",
        rule="At γ = ½ the accuracy of clipping for each τ, and of the trimmed mean for each b that was run, is at "
        f"least 5 points above {100 * SHARE:.1f} %.",
        table=TABLE,
        look=no_such_bound(*OTHERS),
        controls=(TRIMMED_AS_MEDIAN,),
        baselines=(LEARNS,),
        point=22,
    ),
    Sentence(
        name="as_they_keep_the_tail",
        where="Section 7.1",
        text="as they incorporate the gradients from tail distributions.",
        rule="At γ = ½ clipping and the trimmed mean keep, for each τ and b that was run, at least half of the "
        "gradients of classes 3 to 10, weighted by their shares (the mean keeps 100 %).",
        table=TABLE,
        look=tail_kept,
        controls=(TRIMMED_AS_MEDIAN,),
    ),
)
