"""Breaking any rule on purpose turns a contract, an oracle and a verdict.

For each rule that Definition C compares with its definition at least one fault breaks a contract of `sims.contracts`.
Other faults make a legitimate rule that is only not the published one (Krum over one neighbour more, the midpoint of
the shortest half for a median): no contract can object, but the exact definition and a verdict do. The mean alone has
no such fault, since one of its contracts is its definition.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import faulty
import numpy as np
import pytest
from kept import keeps_all
from perform import outcome

from sims.aggregators import (
    RFA,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    TrimmedMean,
)
from sims.aggregators.bulyan import select
from sims.aggregators.distances import distances_between
from sims.backend import namespace, row_norms, sort_rows, take_rows
from sims.by_name import RULES
from sims.checks.exact_rules import exact_aggregate
from theory.definition_c_robust_aggregator import published

pytestmark = pytest.mark.usefixtures("all_are_many")

ORIGINAL = {(rule, name): vars(rule)[name] for rule in RULES for name in ("reduce", "combine") if name in vars(rule)}


def with_parameter(rule, **changes):
    """The intact rule with other parameters; a callable value is applied to the old one."""
    method = next(name for owner, name in ORIGINAL if owner is rule)

    def broken(self, *arguments):
        new = {name: value(getattr(self, name)) if callable(value) else value for name, value in changes.items()}
        return ORIGINAL[rule, method](replace(self, **new), *arguments)

    return broken


def scaled(rule):
    """Nine tenths of the intact rule's output."""
    return lambda self, x: 0.9 * ORIGINAL[rule, "reduce"](self, x)


def shortest_half(self, x):
    """The midpoint of the shortest half of each coordinate: as robust and equivariant as the median."""
    xp, n = namespace(x), x.shape[-2]
    ordered, half = sort_rows(x), n // 2 + 1
    low, high = ordered[..., : n - half + 1, :], ordered[..., half - 1 :, :]
    widths = high - low
    widths = xp.where(xp.isnan(widths), xp.inf * xp.ones_like(widths), widths)
    best = xp.argmin(widths, axis=-2, keepdims=True)
    low, high = xp.take_along_axis(low, best, axis=-2), xp.take_along_axis(high, best, axis=-2)
    return (low + 0.5 * (high - low))[..., 0, :]


def trims_one_more(self, x):
    """f + 1 on each side where that leaves something."""
    return ORIGINAL[TrimmedMean, "reduce"](replace(self, f=min(self.f + 1, (x.shape[-2] - 1) // 2)), x)


def farthest(self, x):
    """The message whose nearest others are farthest."""
    xp = namespace(x)
    scores = xp.sum(xp.sort(faulty.others_of(x), axis=-1)[..., : x.shape[-2] - self.f - 2], axis=-1)
    return take_rows(x, xp.argmax(scores, axis=-1, keepdims=True))[..., 0, :]


def whole_selection(self, x):
    """Bulyan without its second step: the mean of what Krum selects."""
    chosen = take_rows(x, select(distances_between(x), self.f)[0])
    return chosen[..., 0, :] + namespace(x).mean(chosen - chosen[..., :1, :], axis=-2)


def recentred(self, x, state, rng):
    """Clipping around the mean of the messages instead of the centre."""
    y, _ = ORIGINAL[CenteredClipping, "combine"](self, x, faulty.mean(x), rng)
    return y, y


def by_coordinate(self, x, state, rng):
    """Each coordinate is clipped for itself: on a line there is no difference."""
    xp, v = namespace(x), state
    for tau in self.radii:
        radius = xp.ones_like(x) * (tau[..., None, None] if hasattr(tau, "shape") and tau.shape else tau)
        away = x - v[..., None, :]
        alive = xp.isfinite(row_norms(away))[..., None]
        away = xp.where(alive, xp.minimum(xp.maximum(away, -radius), radius), xp.zeros_like(away))
        v = v + xp.mean(away, axis=-2)
    return v, v


PUBLISHED = ("definition_c_robust_aggregator", "as_published")
# rule, fault, (a case that its contracts and its oracle are tried on: instance, n), the claim that turns
CONTRACT_BREAKERS = [
    (Mean, faulty.MeanOverNMinusOne.reduce, Mean(), 5, PUBLISHED),
    (Mean, CoordinateMedian.reduce, Mean(), 5, PUBLISHED),
    (CoordinateMedian, faulty.LeansUp.reduce, CoordinateMedian(), 6, PUBLISHED),
    (CoordinateMedian, faulty.mean, CoordinateMedian(), 5, ("theorem_i_middle_seekers", "medians")),
    (CoordinateMedian, faulty.mean, CoordinateMedian(), 5, ("counterexample_1_bimodal", "coordinate_median")),
    (TrimmedMean, faulty.TrimmedFromPrintedIndex.reduce, TrimmedMean(1), 6, PUBLISHED),
    (TrimmedMean, faulty.TrimsTheTopOnly.reduce, TrimmedMean(1), 6, PUBLISHED),
    (TrimmedMean, faulty.mean, TrimmedMean(1), 6, ("definition_c_robust_aggregator", "trimmed_mean_c")),
    (GeometricMedian, faulty.OneWeiszfeldStep.reduce, GeometricMedian(), 5, PUBLISHED),
    (GeometricMedian, faulty.mean, GeometricMedian(), 5, ("definition_c_robust_aggregator", "zero_spread")),
    (RFA, scaled(RFA), RFA(), 5, PUBLISHED),
    (RFA, faulty.mean, RFA(), 5, ("theorem_i_middle_seekers", "rfa_as_run")),
    (Krum, faulty.TiesByIndex.reduce, Krum(1), 6, PUBLISHED),
    (Krum, farthest, Krum(1), 6, PUBLISHED),
    (Krum, farthest, Krum(1), 6, ("definition_c_robust_aggregator", "zero_spread")),
    (MultiKrum, faulty.MultiKrumSums.reduce, MultiKrum(1), 6, PUBLISHED),
    (MultiKrum, faulty.MultiKrumTakesAll.reduce, MultiKrum(1), 6, PUBLISHED),
    (Bulyan, faulty.mean, Bulyan(1), 7, PUBLISHED),
    (Bulyan, faulty.mean, Bulyan(1), 7, ("counterexample_1_bimodal", "bulyan_enough_f")),
    (CenteredClipping, recentred, CenteredClipping(1.5), 5, PUBLISHED),
]
ONLY_ANOTHER_RULE = [
    (CoordinateMedian, shortest_half, CoordinateMedian(), 5, PUBLISHED),
    (TrimmedMean, trims_one_more, TrimmedMean(1), 6, PUBLISHED),
    (TrimmedMean, CoordinateMedian.reduce, TrimmedMean(1), 6, ("definition_c_robust_aggregator", "trimmed_mean_c")),
    (GeometricMedian, shortest_half, GeometricMedian(), 5, PUBLISHED),
    (RFA, with_parameter(RFA, steps=4), RFA(), 5, PUBLISHED),
    (Krum, with_parameter(Krum, variant="byzfl"), Krum(1), 6, PUBLISHED),
    (Krum, with_parameter(Krum, variant="released"), Krum(0), 6, PUBLISHED),
    (MultiKrum, with_parameter(MultiKrum, variant="byzfl"), MultiKrum(1), 6, PUBLISHED),
    (Bulyan, whole_selection, Bulyan(1), 7, PUBLISHED),
    (Bulyan, whole_selection, Bulyan(1), 7, ("counterexample_1_bimodal", "bulyan_enough_f")),
    (CenteredClipping, by_coordinate, CenteredClipping(1.5), 5, PUBLISHED),
]


def broken(monkeypatch, rule, fault):
    """The class with the fault in the place of its own method."""
    method = next(name for owner, name in ORIGINAL if owner is rule)
    takes_no_rule = fault is faulty.mean
    monkeypatch.setattr(rule, method, (lambda self, x: fault(x)) if takes_no_rule else fault)


def verdict(monkeypatch, rule, claim):
    """The claim's verdict; `as_published`, a check rule by rule, on the rows of the broken rule alone."""
    monkeypatch.setattr(published, "RULES", [(r, n) for r, n in published.RULES if type(r) is rule])
    return outcome(*claim).verdict


def breaks_a_contract(rule, n):
    """Whether any contract of `sims.contracts` raises, in one coordinate or two."""
    for n_workers, dim in ((n, 2), (n + 1, 1)):
        try:
            keeps_all(rule, np.random.Generator(np.random.Philox(0)).normal(size=(2, n_workers, dim)))
        except AssertionError:
            return True
    return False


def differs_from_the_oracle(rule, n):
    """The largest difference from the exact definition over multisets on an axis and along (3, 4), in both orders."""
    worst = 0.0
    for row in itertools.combinations_with_replacement((-2, 0, 1, 4), n):
        for direction, length in (((1.0,), 1), ((3.0, 4.0), 5)):
            x = np.array(row, dtype=float)[:, None] * np.array(direction)
            wanted = float(exact_aggregate(rule, [[Fraction(length * v)] for v in row])[0]) / length
            for messages in (x, x[::-1].copy()):
                worst = max(worst, np.max(np.abs(rule.aggregate(messages) - wanted * np.array(direction))))
    return worst > 1e-12


def names(cases):
    return [
        f"{rule.__name__}-{getattr(fault, '__qualname__', fault)}-{claim}" for rule, fault, _, _, (_, claim) in cases
    ]


def test_every_rule_that_a_statement_compares_has_faults_of_both_kinds():
    compared = {type(rule) for rule, _ in published.RULES}
    assert {rule for rule, *_ in CONTRACT_BREAKERS} == compared
    assert {rule for rule, *_ in ONLY_ANOTHER_RULE} == compared - {Mean}


@pytest.mark.parametrize(
    ("instance", "n"),
    {repr(case[2]): (case[2], case[3]) for case in CONTRACT_BREAKERS + ONLY_ANOTHER_RULE}.values(),
    ids=repr,
)
def test_the_intact_rules_pass_both(instance, n):
    assert not breaks_a_contract(instance, n)
    assert not differs_from_the_oracle(instance, n)


@pytest.mark.parametrize(
    "claim", sorted({case[4] for case in CONTRACT_BREAKERS + ONLY_ANOTHER_RULE}), ids=lambda c: c[1]
)
def test_no_verdict_is_refuted_with_the_intact_rules(claim):
    assert outcome(*claim).verdict in ("holds", "supported")


@pytest.mark.parametrize(("rule", "fault", "instance", "n", "claim"), CONTRACT_BREAKERS, ids=names(CONTRACT_BREAKERS))
def test_a_fault_turns_contract_oracle_and_verdict(monkeypatch, rule, fault, instance, n, claim):
    broken(monkeypatch, rule, fault)
    assert breaks_a_contract(instance, n)
    assert differs_from_the_oracle(instance, n)
    assert verdict(monkeypatch, rule, claim) == "refuted"


@pytest.mark.parametrize(("rule", "fault", "instance", "n", "claim"), ONLY_ANOTHER_RULE, ids=names(ONLY_ANOTHER_RULE))
def test_a_fault_that_keeps_all_contracts_turns_oracle_and_verdict(monkeypatch, rule, fault, instance, n, claim):
    broken(monkeypatch, rule, fault)
    assert not breaks_a_contract(instance, n)
    assert differs_from_the_oracle(instance, n)
    assert verdict(monkeypatch, rule, claim) == "refuted"
