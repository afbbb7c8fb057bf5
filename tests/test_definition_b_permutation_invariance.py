"""Definition B: all permutations instead of exchanges, the engine's algorithms instead of the exact ones."""

from __future__ import annotations

import collections
import itertools
import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed

from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean
from sims.checks.exact_algorithm import ExactSGD, every_path, output_law, run
from sims.checks.permutation import exchanges, search, seen, smaller, tally
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WorkerMomentum
from sims.optimizers.optimizer import Optimizer
from theory.definition_b_permutation_invariance import STATEMENT
from theory.definition_b_permutation_invariance.algorithms import Dictator, IndexKrum, Leaking
from theory.definition_b_permutation_invariance.statement import BULYAN, CLIP, PAIRING, SYMMETRIC, WORKER


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    assert verdicts(STATEMENT.stem) == {
        "queries_may_know": "holds",
        "symmetric": "holds",
        "symmetric_at_random": "supported",
        "worker_momentum": "holds",
    }


def test_the_list_stands_and_the_correction_is_proved():
    result = results(STATEMENT.stem)
    assert [claim.name for claim in STATEMENT.parts("printed")] == ["symmetric"]
    assert result.stand("printed") == (1, 1)
    assert STATEMENT.fault is None
    assert result.side("corrected") == "proved"


def test_the_printed_list_of_rules_is_what_is_checked():
    """CM (the geometric median in one dimension), TM, Krum, Bulyan and RFA; Bulyan under all 7! orders of one row."""
    rules = {type(a.rule).__name__ for a in (*SYMMETRIC.values(), *BULYAN.values()) if isinstance(a, ExactSGD)}
    assert {"CoordinateMedian", "TrimmedMean", "Krum", "Bulyan", "RFA"} <= rules
    (algorithm,) = BULYAN.values()
    row = (0, 0, 1, 1, 1, 3, -2)
    assert len({seen(algorithm, (order,), "both") for order in set(itertools.permutations(row))}) == 1


def test_krum_with_ties_by_index_is_krum_where_there_are_none():
    rng = np.random.default_rng(7)
    by_index, by_value = IndexKrum(), ExactSGD(Krum(0), SGD(0.5))
    ties = 0
    for row in rng.integers(-9, 10, (200, 5)):
        array = (tuple(map(int, row)),)
        ties += seen(by_index, array, "output") != seen(by_value, array, "output")
    assert 0 < ties < 100
    assert seen(by_index, ((0, 0, 1, 1),), "output") == 0
    assert seen(by_index, ((1, 1, 0, 0),), "output") == Fraction(-1, 2)


@pytest.mark.parametrize("rule", [CoordinateMedian(), TrimmedMean(1), Krum(0), CLIP], ids=lambda r: type(r).__name__)
def test_an_exchange_in_an_old_row_moves_one_number_from_one_input_to_another(rule):
    """What the proof uses that with worker momentum only rules of the mean are invariant, at β = ½.

    The rows (4c, 0, 0) and 2(x_1 − c, x_2, x_3) make x the rule's inputs of round 2; with workers 1 and 2 of row 1
    exchanged they are (x_1 − c, x_2 + c, x_3).
    """
    x, c = (Fraction(1), Fraction(-2), Fraction(4)), Fraction(3)
    old = (4 * c, Fraction(0), Fraction(0))
    new = tuple(2 * (value - c * (i == 0)) for i, value in enumerate(x))
    exchanged = (Fraction(0), 4 * c, Fraction(0))
    momentum, direct = (ExactSGD(rule, optimizer, warm=False) for optimizer in (WORKER, SGD(0.5)))
    first, second = (run(momentum, (row, new))[1] for row in (old, exchanged))
    moved = (x[0] - c, x[1] + c, x[2])
    assert second - first == run(direct, (moved,))[1] - run(direct, (x,))[1]


def test_every_control_is_caught():
    check_statement(results(STATEMENT.stem))


OPTIMIZERS = (
    SGD(0.5),
    ServerMomentum(0.5, 0.75),
    WorkerMomentum(lambda t: 1 / 2**t, 0.5),
    WorkerMomentum(0.5, 0.5, damped=False),
)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize(
    "rule",
    [
        Mean(),
        CoordinateMedian(),
        TrimmedMean(1),
        Krum(1),
        RFA(),
        CenteredClipping(0.5),
        CenteredClipping((2.0, 0.5), 2),
    ],
    ids=lambda r: type(r).__name__,
)
def test_the_exact_algorithms_do_what_the_engines_do(rule, optimizer):
    rows = np.random.default_rng(3).integers(-4, 5, (4, 6))
    exact, fast = ExactSGD(rule, optimizer), RobustSGD(rule, optimizer)
    state, points = fast.init(np.zeros(1)), [0.0]
    for row in rows:
        x, state = fast(row[:, None].astype(float), state)
        points.append(float(x[0]))
    queries, output = run(exact, [[Fraction(int(g)) for g in row] for row in rows])
    assert [float(q) for q in (*queries, output)] == pytest.approx(points, abs=1e-12)


def test_a_cold_start_forgets_the_centre():
    rows = [[Fraction(4)] * 3] * 3
    warm, cold = (run(ExactSGD(CenteredClipping(1.0), SGD(1.0), warm=w), rows)[1] for w in (True, False))
    assert (warm, cold) == (-1 - 2 - 3, -1 - 1 - 1)


def test_an_unknown_optimizer_is_refused():
    class Other(Optimizer):
        def update(self, x, aggregate, memory, t):
            return x, memory

    with pytest.raises(ValueError, match="ExactSGD needs SGD"):
        ExactSGD(Mean(), Other())


def changes_under_all_permutations(algorithm, n, t, values, part):
    """Whether any tuple of permutations of any array changes something: no generators, no shortcut."""
    for array in itertools.product(itertools.product(values, repeat=n), repeat=t):
        before = seen(algorithm, array, part)
        for perms in itertools.product(itertools.permutations(range(n)), repeat=t):
            moved = tuple(tuple(row[i] for i in p) for row, p in zip(array, perms, strict=True))
            if seen(algorithm, moved, part) != before:
                return True
    return False


@pytest.mark.parametrize("name", [*SYMMETRIC, *PAIRING])
def test_exchanges_decide_what_all_permutations_decide(name):
    algorithm = {**SYMMETRIC, **PAIRING}[name]
    expected = name in PAIRING
    assert changes_under_all_permutations(algorithm, 3, 2, (0, 1), "output") == expected
    assert (tally(algorithm, "output", ((3, 2),), (0, 1)).changed > 0) == expected


@pytest.mark.parametrize("name", [name for name in PAIRING if "from 0" not in name])  # the engine's CC starts warm
def test_the_smallest_counterexample_shows_in_the_engine_too(name):
    exact = PAIRING[name]
    found = tally(exact, "output").smallest
    assert found is not None

    def output(rows):
        algorithm = RobustSGD(exact.rule, exact.optimizer)
        state = algorithm.init(np.zeros(1))
        for row in rows:
            _, state = algorithm(np.array(row, dtype=float)[:, None], state)
        return float(state.x[0])

    swapped = next(o for r, i, o in exchanges(found.gradients) if (r + 1, i + 1) == (found.round, found.worker))
    assert output(found.gradients) == pytest.approx(float(found.before), abs=1e-12)
    assert output(swapped) == pytest.approx(float(found.after), abs=1e-12)
    assert found.before != found.after
    assert (found.n, found.t) in {(2, 2), (3, 2)}


def test_no_smaller_counterexample_to_clipping_exists():
    found = tally(ExactSGD(CLIP, WORKER), "output").smallest
    assert found is not None
    assert (found.n, found.t) == (2, 2)
    for n, t in ((1, 1), (1, 2), (2, 1)):
        assert not changes_under_all_permutations(ExactSGD(CLIP, WORKER), n, t, (-1, 0, 1), "output")


def test_what_is_shrunk_cannot_be_shrunk_further():
    algorithm = ExactSGD(CoordinateMedian(), WORKER)
    found, tried = search(algorithm, "output", np.random.default_rng(1), n=5, t=4, arrays=20)
    assert found is not None
    assert tried >= 1
    for array in smaller(found.gradients):
        before = seen(algorithm, array, "output")
        assert all(seen(algorithm, other, "output") == before for _, _, other in exchanges(array))


def test_the_search_finds_nothing_where_nothing_is():
    assert search(SYMMETRIC["SGD with warm CC"], "both", np.random.default_rng(1), n=4, t=3, arrays=5)[0] is None


def test_the_dictator_obeys_one_worker():
    found = tally(Dictator(), "output").smallest
    assert found is not None
    assert (found.n, found.t) == (2, 1)
    assert tally(Dictator(), "queries", ((2, 1), (3, 1))).changed == 0  # the first query is x_0


def test_the_leaking_output_is_the_median_of_the_last_row():
    rng = np.random.default_rng(5)
    for _ in range(50):
        rows = rng.integers(-3, 4, (3, 5))
        _, output = run(Leaking(3, Fraction(2), Fraction(2)), [[Fraction(int(g)) for g in row] for row in rows])
        assert output == min(2, max(-2, Fraction(statistics.median(map(int, rows[-1]))) / 2))


def test_the_leaking_query_is_the_vote_of_the_workers():
    queries, _ = run(Leaking(3), [[Fraction(g) for g in row] for row in ((-1, 0, 1), (0, -1, 1), (0, 0, 0))])
    assert queries == (0, 0, 1)  # two workers sent negative sums, one a positive one
    queries, _ = run(Leaking(3), [[Fraction(g) for g in row] for row in ((-1, 0, 1), (-1, 0, 1), (0, 0, 0))])
    assert queries == (0, 0, 0)


def test_no_size_left_is_an_error():
    with pytest.raises(ValueError, match="no size"):
        tally(ExactSGD(Krum(1), SGD(0.5)), "output", ((2, 1), (3, 1)))


@pytest.mark.parametrize("name", [*SYMMETRIC, *PAIRING])
def test_every_path_is_that_of_a_run_of_its_own(name):
    """In the order of `itertools.product`, though paths that meet in one state are continued once."""
    algorithm = {**SYMMETRIC, **PAIRING}[name]
    rows = tuple(itertools.product((Fraction(0), Fraction(1)), repeat=3))
    paths = every_path(algorithm, rows, 2, lambda row, x: row)
    for array, path in zip(itertools.product(rows, repeat=2), paths, strict=True):
        queries, output = run(algorithm, array)
        assert path == (*queries, output)


@pytest.mark.parametrize("algorithm", [SYMMETRIC["SGD with warm CC"], PAIRING["worker momentum with the median"]])
def test_the_law_of_the_output_by_enumeration(algorithm):
    """Rounds whose gradients depend on the query point, the sum over all sequences of them."""
    law = {(0, 0): Fraction(1, 2), (1, 0): Fraction(1, 3), (1, -1): Fraction(1, 6)}

    def answer(row, x):
        return [x + value for value in row]

    expected = collections.Counter()
    for rows in itertools.product(law, repeat=3):
        state = algorithm.start()
        for row in rows:
            state = algorithm.submit(state, answer(row, algorithm.query(state)))
        expected[algorithm.output(state)] += math.prod(law[row] for row in rows)
    assert output_law(algorithm, law, 3, answer) == expected
    assert len(expected) > 3


def test_every_neighbour_of_every_round_is_exchanged():
    array = ((1, 2, 3, 4), (5, 6, 7, 7))
    found = list(exchanges(array))
    assert [(r, i) for r, i, _ in found] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]  # equal ones need not be
    for r, i, other in found:
        row = list(array[r])
        row[i], row[i + 1] = row[i + 1], row[i]
        assert other == (*array[:r], tuple(row), *array[r + 1 :])
