"""Figure 3 and Sections 2, 4 and 6: attacks that are coupled over time, and what momentum does to them."""

from __future__ import annotations

import math

from theory.experiments.comparison import Comparison
from theory.experiments.figure_4 import RULES, TABLE, BySeed, cell, less, short
from theory.experiments.planted import copied, scaled
from theory.experiments.results import Cell, NotRunError, Tables
from theory.experiments.sentence import Baseline, Control, Part, Seen, Sentence, each

ALIE = "ALittleIsEnough"
HISTORYLESS = ("CoordinateMedian", "RFA", "Krum")
MOST = 1e6  # of a ratio of losses; one that is not a number has diverged


def rows(tables: Tables, rule: str, measure: str) -> BySeed:
    """A measure of Figure 3's runs under ALIE after the last round."""
    return tables["figure_3"].cell({"attack": ALIE, "rule": rule}).last(measure)


def free(tables: Tables) -> BySeed:
    """The accuracy of the mean without attack."""
    return tables["figure_3"].cell({"attack": "NoAttack", "rule": "Mean"}).last("test_accuracy")


def drop(tables: Tables) -> Seen:
    """What every rule loses; the mean under the same attack aside, if it was run."""
    found = [
        Comparison(f"no attack − {short(rule)}", less(free(tables), rows(tables, rule, "test_accuracy")), ">=", 0.1)
        for rule in RULES
    ]
    try:
        aside = [Comparison("no attack − mean", less(free(tables), rows(tables, "Mean", "test_accuracy")), ">=", 0.1)]
    except NotRunError:
        aside = []
    return each(found, aside)


def learns(tables: Tables) -> Seen:
    """The mean without attack."""
    return each([Comparison("no attack", free(tables), ">=", 0.5)])


def diverges(tables: Tables) -> Seen:
    """The test loss at the end over that at the start."""
    found = []
    for rule in HISTORYLESS:
        ratios = {}
        for seed, times in tables["figure_3"].cell({"attack": ALIE, "rule": rule}).runs.items():
            if "test_loss" not in times[0]:
                raise NotRunError("test_loss was not measured")
            ends = [times[k]["test_loss"] for k in (0, -1)]
            first, last = (float(v) if isinstance(v, int | float) else math.inf for v in ends)
            ratios[seed] = min(last / first, MOST)
        found.append(Comparison(f"{short(rule)}, last test loss over first", ratios, ">=", 1.0, in_points=False))
    return each(found)


def pushed(cell: Cell) -> BySeed:
    """The mean push along the attack over the mean length of a step."""
    push, step = cell.over_time("push"), cell.over_time("step")
    return {seed: push[seed] / step[seed] for seed in push}


def small_pushes(tables: Tables) -> Seen:
    """The push of a round as a share of the step, and what is lost at the end, of every rule that loses."""
    parts = []
    for rule in RULES:
        own = tables["figure_3"].cell({"attack": ALIE, "rule": rule})
        share = Comparison(f"{short(rule)}, push in % of the step", pushed(own), "<=", 0.5)
        lost = Comparison(f"no attack − {short(rule)}", less(free(tables), own.last("test_accuracy")), ">=", 0.1)
        parts.append(Part(short(rule), (share, lost)))
    return Seen(tuple(parts))


def exposed(tables: Tables) -> Seen:
    """The push as a share of the step at β = 0.9 over that at β = 0, under ALIE."""
    found = []
    for rule in RULES:
        with_, without = (pushed(cell(tables, ALIE, rule, beta)) for beta in (0.9, 0.0))
        ratios = {seed: with_[seed] / without[seed] for seed in with_ if without.get(seed)}
        if not ratios:
            raise NotRunError("nothing is pushed without momentum")
        found.append(Comparison(f"{short(rule)}, β = 0.9 over β = 0", ratios, "<=", 0.5, in_points=False))
    return each(found)


AS_FREE = Control(
    "clipping as good as the mean without attack",
    copied(
        "figure_3",
        {"attack": ALIE, "rule": "CenteredClipping"},
        {"attack": "NoAttack", "rule": "Mean"},
        "test_accuracy",
    ),
)
MEDIAN_AS_FREE = Control(
    "the median as good as the mean without attack",
    copied("figure_3", {"attack": ALIE, "rule": "CoordinateMedian"}, {"attack": "NoAttack", "rule": "Mean"}),
)
LEARNS = Baseline("without attack the mean learns (accuracy ≥ 50 %)", learns)


def _no_help(tables: Tables) -> Tables:
    """The median's runs with momentum as those without."""
    to = {"attack": ALIE, "rule": "CoordinateMedian", "optimizer.beta": 0.9}
    return copied(TABLE, to, {**to, "optimizer.beta": 0.0})(tables)


SENTENCES = (
    Sentence(
        name="small_pushes_add_up",
        where="Section 2",
        text="while the robust aggregation rules may ensure that the influence of the Byzantine workers in any single "
        "round is limited, the attackers can couple their attacks across the rounds. This way, over many training "
        "rounds the attacker is able to move weights significantly away",
        rule="Under ALIE, β = 0, for each of the five rules: the aggregate is pushed along the attack by at most half "
        "of a step a round, mean push over mean step, and yet final accuracy is at least 10 points below the mean's "
        "without attack.",
        table="figure_3",
        look=small_pushes,
        controls=(AS_FREE, Control("pushes a thousand times as large", scaled("figure_3", "push", 1000.0))),
        baselines=(LEARNS,),
    ),
    Sentence(
        name="all_drop",
        where="Figure 3",
        text="Comparing to simple average with no attacker (dashed lines), all robust aggregators (including centered "
        "clip) see a significant drop in accuracy against time coupled attacks.",
        rule="Under ALIE, β = 0, the final accuracy of each of the five rules is at least 10 points below the mean's "
        "without attack (in the released logs 18 to 61).",
        table="figure_3",
        look=drop,
        controls=(AS_FREE,),
        baselines=(LEARNS,),
    ),
    Sentence(
        name="eventually_diverges",
        where="Section 4",
        text="Thus, an attacker can couple the perturbations across time eventually leading to divergence. This is "
        "also demonstrated experimentally in Fig. 3.",
        rule="Under ALIE, β = 0, the test loss of median, RFA and Krum is higher after the last round than before the "
        "first.",
        table="figure_3",
        look=diverges,
        controls=(MEDIAN_AS_FREE,),
        baselines=(LEARNS,),
    ),
    Sentence(
        name="momentum_exposes_the_attack",
        where="Section 6",
        text="This results in a reduction of the variance of the good workers by a factor α since their noise is "
        "uncoupled. However, the variance of the time-coupled Byzantine perturbations does not reduce and becomes "
        "easy to detect.",
        rule="Under ALIE, for each of the five rules, the push along the attack as a share of the step (means over "
        "the rounds) is with β = 0.9 at most half of what it is without momentum.",
        table=TABLE,
        look=exposed,
        controls=(Control("the median with momentum as without", _no_help),),
    ),
)
