"""What an audit says of Theorem II: whether an algorithm notices who sent what, and what the attacker extracts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import faulty
import numpy as np
import pytest

from byzcheck.audit import ask, bias, invariance, lower_bound
from sims.aggregators import Bucketing, CenteredClipping, CoordinateMedian, Krum, Mean, Promises, Rule, TrimmedMean
from sims.checks.counting import count
from sims.checks.evidence import Evidence
from sims.optimizers import SGD, WorkerMomentum
from theory.theorem_ii_lower_bound.errors import error_of_the_mean, forced_exactly


@dataclass(frozen=True)
class MedianOfWorkersMemories(Rule):
    """The median of what each worker sent on the average: it knows who sent what, and needs no momentum."""

    decay: float = 0.9

    @property
    def promises(self) -> Promises:
        return Promises()

    def breakdown(self, n: int) -> int:
        return (n - 1) // 2

    def init(self, x: Any) -> Any:
        return np.zeros_like(x)

    def combine(self, x: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        state = self.decay * state + (1 - self.decay) * x
        return np.median(state, axis=-2), state


def found(rule, n, f, seed=0, part=lower_bound):
    return {line.about: line for line in part.lines(rule, n, f, seed)}


def test_the_mean_errs_as_its_exact_moments_say():
    """With SGD and with worker momentum, which a linear rule cannot tell apart in the long run."""
    n, f, q = 25, 5, Fraction(2, 25)
    for optimizer, beta in ((SGD(0.1), 0.0), (WorkerMomentum(0.1, 0.9), 0.9)):
        got = lower_bound.extracted(Mean(), optimizer, n, f, q, runs=1000, seed=3, like=None)
        exact = error_of_the_mean(n, f, lower_bound.ROUNDS, q, beta)
        assert abs(got.mean - exact) <= got.radius  # the projection hardly ever does anything
        assert got.radius < 0.05 * exact


@pytest.mark.parametrize(
    ("rule", "escapes"), [(Mean(), False), (CoordinateMedian(), True), (TrimmedMean(5), True)], ids=repr
)
def test_with_sgd_all_rules_err_by_the_bound_and_momentum_tells_them_apart(rule, escapes):
    lines = found(rule, 25, 5)
    plain, heavy = lines["lower bound, SGD"], lines["lower bound, worker momentum"]
    (at,) = {e.at["q"] for line in lines.values() for e in line.evidence}
    bound = float(forced_exactly(25, 5, lower_bound.ROUNDS, at))
    assert plain.evidence[0].claimed == pytest.approx(bound, rel=1e-12)
    assert bound <= plain.evidence[0].measured < 1.5 * bound
    assert plain.good is True
    assert plain.evidence[0].verdict == "supported"
    assert heavy.good is escapes
    assert (heavy.evidence[0].measured < bound / 2) is escapes
    assert ("escapes the lower bound" in heavy.against) is escapes


def test_a_radius_that_clips_nothing_does_not_escape():
    """τ is honoured: centered clipping with a radius beyond all momenta is the mean."""
    good = {tau: found(CenteredClipping(tau), 25, 5)["lower bound, worker momentum"].good for tau in (0.3, 100.0)}
    assert good == {0.3: True, 100.0: False}


def test_a_rule_that_knows_its_workers_is_below_the_bound_and_is_found_out():
    rule = MedianOfWorkersMemories()
    plain = found(rule, 25, 5)["lower bound, SGD"]
    assert plain.evidence[0].verdict == "refuted"
    assert "it knows who sent what" in plain.says
    lines = found(rule, 25, 5, part=invariance)
    assert lines["permutation invariance, SGD"].good is False
    assert "exchanged: an iterate moves by" in lines["permutation invariance, SGD"].witness


def test_below_the_bound_with_too_few_runs_to_say_so_is_no_merit():
    found = lower_bound.Extracted(0.19, 1.2)
    line = lower_bound._without_memory(found, 1.0, Evidence("error", 0.19, ">=", 1.0, "sampled", 1.2))
    assert line.good is None
    assert "too few runs to tell" in line.against


def test_nobody_attacks():
    assert lower_bound.lines(Mean(), 25, 0) == ()


def test_what_takes_too_many_operations_is_not_begun(monkeypatch):
    """Neither here nor for the bias; what is left is at least 20 runs."""
    rule, calls = CoordinateMedian(), 2 * lower_bound.ROUNDS
    cost = count(rule, np.zeros((7, 1))).total
    monkeypatch.setattr(ask, "OPERATIONS", 20 * cost * calls // 10 - 1)
    (line,) = lower_bound.lines(rule, 7, 1)
    assert (line.says, line.good) == ("not measured: an aggregation takes too many operations", None)
    monkeypatch.setattr(ask, "OPERATIONS", 20 * cost * calls // 10 + 1)
    assert ask.affordable(rule, 7, 1, calls, 1000, 200) == 20
    monkeypatch.setattr(ask, "OPERATIONS", 50 * cost * calls)
    assert ask.affordable(rule, 7, 1, calls, 1000, 200) == 50
    monkeypatch.setattr(ask, "OPERATIONS", 1)
    assert [line.says for line in bias.lines(rule, 7, 1)][1:] == [ask.TOO_MANY] * 2


def test_the_same_seed_gives_the_same_lines_and_another_one_others():
    lines = [lower_bound.lines(CoordinateMedian(), 7, 1, seed) for seed in (1, 1, 2)]
    assert lines[0] == lines[1] != lines[2]
    assert invariance.lines(CoordinateMedian(), 7, 1, 1) == invariance.lines(CoordinateMedian(), 7, 1, 1)


RULES = [Mean(), CoordinateMedian(), TrimmedMean(1), Krum(1), CenteredClipping(0.5)]


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("n", [6, 7])
def test_sgd_is_invariant_and_worker_momentum_is_not_unless_the_rule_is_linear(rule, n):
    lines = found(rule, n, 1, part=invariance)
    assert lines["permutation invariance, SGD"].good is True
    assert (lines["permutation invariance, worker momentum"].witness == "") == isinstance(rule, Mean)


@pytest.mark.parametrize("rule", [faulty.FirstWorkerMean(1), faulty.TiesByIndex(1)], ids=repr)
@pytest.mark.parametrize("n", [7, 8])
def test_a_rule_that_looks_at_indices_is_caught(rule, n):
    lines = found(rule, n, 1, part=invariance)
    assert lines["permutation invariance, SGD"].good is False


def test_a_counterexample_is_one_exchange_and_can_be_repeated():
    hit, _ = invariance.search(faulty.FirstWorkerMean(1), SGD(0.5), 9, 0, None)
    assert hit is not None
    assert np.count_nonzero(hit.gradients) == 1  # nothing is left that is not needed
    other = hit.gradients.copy()
    other[hit.round, [hit.worker, hit.worker + 1]] = other[hit.round, [hit.worker + 1, hit.worker]]
    a, b = (invariance.path(faulty.FirstWorkerMean(1), SGD(0.5), g, None) for g in (hit.gradients, other))
    assert np.max(np.abs(a - b)) == hit.change > 0
    assert str(hit).startswith("round ")


def test_what_keeps_something_between_calls_is_said():
    """And not taken for a rule that looks at its workers."""
    (line,) = invariance.lines(faulty.HiddenState(1), 7, 1)
    assert line.good is False
    assert "the same gradients, asked for twice, give iterates" in line.says


def test_iterates_that_are_not_finite_are_compared():
    """A rule that lets an infinity through is no less invariant for that."""
    far = np.array([1.0, math.inf, math.nan])
    assert invariance._far(far, far.copy()) == 0
    assert invariance._far(far, np.array([1.0, 2.0, math.nan])) == math.inf
    assert invariance._far(far, np.array([1.5, math.inf, math.nan])) == 0.5


def test_of_a_rule_that_draws_nothing_is_said():
    (line,) = invariance.lines(Bucketing(CoordinateMedian(), 2), 8, 1)
    assert line.good is None
    assert "draws random numbers" in line.says
