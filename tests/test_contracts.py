"""Every rule keeps the contracts that it owes, and every contract catches the rule that breaks it."""

from __future__ import annotations

import re
import subprocess
import sys

import faulty
import numpy as np
import pytest
from faulty_rules import FAULTY
from kept import keeps_all

from sims import contracts
from sims.aggregators import (
    RFA,
    Bucketing,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    FunctionRule,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    NearestNeighbourMixing,
    Promises,
    StatelessRule,
    TrimmedMean,
)
from sims.backend import as_like
from sims.by_name import RULES, examples


def fewest(rule, f):
    """The fewest workers, at least three, for which the rule is defined with this f."""
    return next(n for n in range(3, 50) if rule.example(n, f) is not None)


# rule, a number of workers that it is defined for: the fewest, and others
CASES = [
    (Mean(), 1),
    (Mean(), 8),
    (CoordinateMedian(), 1),
    (CoordinateMedian(), 4),
    (CoordinateMedian(), 7),
    (TrimmedMean(0), 1),
    (TrimmedMean(0), 6),
    (TrimmedMean(2), 5),
    (TrimmedMean(1), 8),
    (Krum(0), 3),
    (Krum(1), 5),
    (Krum(2), 7),
    (Krum(1), 8),
    (Krum(1, "byzfl"), 5),
    (Krum(1, "byzantine_momentum"), 6),
    (Krum(1, "released"), 5),
    (MultiKrum(0), 3),
    (MultiKrum(2), 7),
    (MultiKrum(1, m=2), 6),
    (MultiKrum(1, variant="released"), 6),
    (Bulyan(0), 3),
    (Bulyan(1), 7),
    (Bulyan(1), 8),
    (Bulyan(2), 11),
    (Bulyan(3), 15),
    (GeometricMedian(), 1),
    (GeometricMedian(), 2),
    (GeometricMedian(), 5),
    (GeometricMedian(), 8),
    (RFA(), 1),
    (RFA(), 7),
    (RFA(steps=1, nu=2.0), 4),
    (CenteredClipping(1.0), 1),
    (CenteredClipping(1.0), 7),
    (CenteredClipping(0.0), 3),
    (CenteredClipping((2.0, 0.5), 2), 6),
    (FunctionRule(lambda x: x.mean(axis=0)), 4),
]
CASES += [(rule, 9) for rule in examples(9, 1).values() if type(rule) not in {type(known) for known, _ in CASES}]
NAMES = [f"{rule!r}-n{n}".replace("<function <lambda>", "<function") for rule, n in CASES]
NAMES = [name.split(" at 0x")[0] for name in NAMES]


def drawn(n, d, dtype="float64", seed=0):
    return np.random.Generator(np.random.Philox(seed)).normal(size=(2, n, d)).astype(dtype)


@pytest.mark.parametrize(("rule", "n"), CASES, ids=NAMES)
@pytest.mark.parametrize("d", [0, 1, 3])
def test_every_rule_keeps_its_contracts_on_numpy(rule, n, d):
    keeps_all(rule, drawn(n, d))


@pytest.mark.parametrize(("rule", "n"), CASES, ids=NAMES)
def test_every_rule_keeps_its_contracts_in_float32(rule, n):
    keeps_all(rule, drawn(n, 2, "float32"))


REGISTERED = examples(9, 1)


@contracts.parametrize_with_contracts(REGISTERED.values(), n=9)
def test_no_search_breaks_a_contract_of_a_registered_rule(part, contract):
    contract(part)


def test_every_registered_rule_is_searched():
    assert {type(rule) for rule in REGISTERED.values()} == set(RULES)


WHOLE_RANGE = (Mean, CoordinateMedian, TrimmedMean, Krum, MultiKrum, Bulyan, Bucketing, NearestNeighbourMixing)


@pytest.mark.parametrize(("rule", "n"), [case for case in CASES if isinstance(case[0], WHOLE_RANGE)], ids=repr)
def test_rules_that_choose_or_average_keep_their_scale_to_the_ends_of_the_range(rule, n):
    """Down to where numbers lose digits, up to where sums overflow."""
    contracts.check_scale(rule, drawn(n, 3), (-1000, -600, 600, 1000, 1020))
    contracts.check_scale(rule, drawn(n, 3, "float32"), (-110, -70, 70, 124))
    contracts.check_scale(rule, drawn(n, 3, "float16"), (-6, 12))


@pytest.mark.parametrize(("rule", "n"), CASES, ids=NAMES)
@pytest.mark.parametrize("dtype", ["float16", "torch.float16", "torch.bfloat16"])
def test_every_rule_keeps_its_contracts_in_sixteen_bits(rule, n, dtype):
    library, _, name = dtype.rpartition(".")
    module = pytest.importorskip(library) if library else np
    keeps_all(rule, as_like(drawn(n, 2), module.zeros(1, dtype=getattr(module, name))))


def test_scaling_is_by_the_dtype_s_own_range():
    class Squares(Mean):
        """The mean as the root of a mean of squares would have it: beyond a third of the range they overflow."""

        def reduce(self, x):
            return np.mean(x, axis=-2) * np.sqrt(np.sum(x * x, axis=(-2, -1)) / np.sum(x * x, axis=(-2, -1)))[..., None]

    for dtype, far in (("float64", 600), ("float32", 70)):
        x = drawn(5, 2, dtype)
        contracts.check_scale(Squares(), x)
        with np.errstate(all="ignore"), pytest.raises(AssertionError, match="contract 'scale'"):
            contracts.check_scale(Squares(), x, (far,))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("rule", "n"),
    [(rule, fewest(type(rule), 1)) for rule in examples(7, 1).values()],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else str(value),
)
def test_every_rule_keeps_its_contracts_on_every_library(make_array, rule, n, dtype):
    x = make_array(drawn(n, 2, dtype), dtype)
    keeps_all(rule, x)


@pytest.mark.parametrize("make_array", ["array-api-strict"], indirect=True)
@pytest.mark.parametrize("d", [0, 1])
@pytest.mark.parametrize("rule", examples(3, 0).values(), ids=repr)
def test_shapes_at_the_edge_on_the_strict_library(make_array, rule, d):
    x = make_array(drawn(3, d))
    contracts.check_kind(rule, x)
    contracts.check_agreement(rule, x)


@pytest.mark.parametrize("rule", [rule for rule, _ in CASES if not isinstance(rule, FunctionRule)], ids=repr)
def test_no_runs_at_all_give_no_aggregates(rule):
    assert rule.aggregate(np.zeros((0, 15, 2))).shape == (0, 2)


SORTS_OR_SELECTS = (CoordinateMedian, TrimmedMean, Krum, MultiKrum, Bulyan)  # the others sum in the order of arrival


@pytest.mark.parametrize(("rule", "n"), [case for case in CASES if isinstance(case[0], SORTS_OR_SELECTS)], ids=repr)
def test_rules_that_sort_or_select_break_ties_to_the_last_bit(rule, n):
    contracts.check_ties(rule, drawn(n, 2), bitwise=True)
    contracts.check_ties(rule, drawn(n, 1, seed=1), bitwise=True)


def test_contracts_follow_the_declarations():
    def names(rule, n, d=2):
        return {name for name, _ in contracts.contracts_for(rule, n, d)}

    assert {"translation", "scale", "oddness", "mean", "propagation"} <= names(Mean(), 3)
    assert not {"boundedness", "non-finite", "majority"} & names(Mean(), 3)
    assert {"boundedness", "non-finite", "majority"} <= names(CoordinateMedian(), 3)
    assert not {"mean", "propagation"} & names(CoordinateMedian(), 3)
    assert not {"boundedness"} & names(CoordinateMedian(), 2)
    assert {"translation", "array parameter tau", "boundedness"} <= names(CenteredClipping(1.0), 3)
    assert not {"scale", "majority"} & names(CenteredClipping(1.0), 3)
    assert "array parameter nu" in names(RFA(), 3)
    assert not {"translation", "scale", "majority"} & names(RFA(), 3)
    assert "oddness" in names(Krum(1), 5)
    assert "oddness" not in names(Krum(0), 3)


@pytest.mark.parametrize(("rule", "n"), [(Krum(0), 3), (Bulyan(1), 7), (Bulyan(2), 11)], ids=repr)
def test_oddness_is_left_out_only_where_ties_do_break_it(rule, n):
    """The two closest messages share their score: of the pair the smaller wins, also after a reflection."""
    assert rule.meets_ties(n, 2)
    x = np.concatenate([drawn(n, 2, seed=seed) for seed in range(10)])  # Bulyan's average often hides the tie
    with pytest.raises(AssertionError, match="contract 'oddness'"):
        contracts.check_oddness(rule, x)


@pytest.mark.parametrize(("n", "d", "ties"), [(6, 1, True), (6, 2, False), (8, 1, True), (8, 3, False)])
def test_plain_distances_tie_on_a_line_alone(n, d, ties):
    rule = Krum(1, "byzantine_momentum")
    assert rule.meets_ties(n, d) == ties
    assert ("oddness" not in dict(contracts.contracts_for(rule, n, d))) == ties
    odd = 0
    for seed in range(10):
        try:
            contracts.check_oddness(rule, drawn(n, d, seed=seed))
            odd += 1
        except AssertionError:
            continue
    assert (odd < 10) == ties


CAUGHT = [
    ("permutation", faulty.FirstWorkerMean()),
    ("ties", faulty.TiesByIndex()),
    ("translation", faulty.ShrinksToTheOrigin()),
    ("translation", faulty.GramDistances()),
    ("translation", faulty.Float32Inside()),
    ("scale", faulty.ForgetsScale()),
    ("oddness", faulty.LeansUp()),
    ("agreement", faulty.MeanOverNMinusOne()),
    ("majority", faulty.TrimsTheTopOnly()),
    ("boundedness", faulty.MeanThatClaimsRobustness()),
    ("boundedness", faulty.TrimsTheTopOnly()),
    ("non-finite", faulty.SortsNaNFirst()),
    ("non-finite", faulty.NaNPoisonsMedian()),
    ("mean", faulty.TrimmedMeanThatClaimsTheMean()),
    ("propagation", faulty.HidesNaN()),
    ("inputs untouched", faulty.MutatesInput()),
    ("leading axes", faulty.LoopsOnlyFirstRun()),
    ("array parameter tau", faulty.TakesTheFirstParameter()),
    ("no hidden state", faulty.HiddenState()),
    *(
        (fault.promise, fault.make(6, 1))
        for fault in FAULTY
        if fault.name in ("views_what_is_in_pieces", "seeds_numpy")
    ),
]


@pytest.mark.parametrize(("name", "rule"), CAUGHT, ids=[f"{name}-{rule!r}" for name, rule in CAUGHT])
def test_every_contract_catches_its_faulty_rule(name, rule):
    owed = dict(contracts.contracts_for(rule, 6, 2))
    with pytest.raises(AssertionError, match=rf"contract '{name}.*{re.escape(repr(rule).partition('(')[0])}"):
        owed[name](rule, drawn(6, 2))


@pytest.mark.parametrize("make_array", ["array-api-strict"], indirect=True)
def test_a_rule_that_writes_to_its_messages_is_caught_on_the_strict_library(make_array):
    with pytest.raises(AssertionError, match="inputs untouched"):
        contracts.check_inputs_untouched(faulty.MutatesInput(), make_array(drawn(5, 2)))


def test_a_wider_output_is_caught():
    with pytest.raises(AssertionError, match=r"contract 'kind' broken by ReturnsFloat64.*float32 gave float64"):
        contracts.check_kind(faulty.ReturnsFloat64(), drawn(5, 2, "float32"))


def test_every_contract_has_a_faulty_rule():
    """What any rule can owe is covered by the table above (the kind of the output by the test above)."""
    owed = {name for rule, n in CASES for name, _ in contracts.contracts_for(rule, n, 3)}
    owed -= {f"array parameter {name}" for name in contracts.ARRAY_PARAMETERS if name != "tau"}
    assert owed == {name for name, _ in CAUGHT} | {"kind"}


def test_check_rule_stops_at_a_faulty_rule():
    with pytest.raises(AssertionError, match="FirstWorkerMean"):
        contracts.check_rule(faulty.FirstWorkerMean(), 5, 2)


def test_a_bound_can_be_given():
    x = drawn(5, 2)
    contracts.check_boundedness(CenteredClipping(1.0), x, bound=2.0)
    with pytest.raises(AssertionError, match=r"allowed 0\.5"):
        contracts.check_boundedness(CenteredClipping(1.0), x, bound=0.5)


def test_the_contracts_need_no_hypothesis():
    """Only `sims.strategies` does, so that the suite can be imported without the extra."""
    program = "import sys; sys.modules['hypothesis'] = None; import sims.contracts"
    subprocess.run([sys.executable, "-c", program], check=True)


class AnswersNaN(StatelessRule):
    """Promises all that a rule can, and keeps nothing of it."""

    promises = Promises(mean=True)

    def breakdown(self, n):
        return 1

    def reduce(self, x):
        return x[..., 0, :] * np.nan


def test_a_rule_that_answers_nan_breaks_every_contract_that_compares():
    broken = set()
    for name, check in contracts.contracts_for(AnswersNaN(), 5):
        try:
            check(AnswersNaN(), drawn(5, 2))
        except AssertionError:
            broken.add(name)
    compared = {"permutation", "ties", "agreement", "translation", "scale", "oddness", "mean", "majority"}
    assert broken >= compared | {"boundedness", "non-finite"}
