"""Compiled aggregation at the edges of its thresholds, layouts and contents; and faults that the search must notice.

`pytest tests/test_edges.py --cases 100000` is the long form of the search.
"""

from __future__ import annotations

import inspect
import itertools
import math
import textwrap

import edges
import numpy as np
import pytest
from edges import LAYOUTS, Case, case, check, edges_of_pieces, guarded, least

from sims import kernels
from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, TrimmedMean
from sims.kernels import dispatch
from sims.kernels.cpu import centres, clipping, columns, distances, products, threads, tiles
from sims.kernels.dispatch import Piece

PARTS = 8  # of the search, so that several processes share it
OTHERS = ("fortran", "every second column", "reversed columns")  # layouts that are copied, piece by piece


def rng(seed=0):
    return np.random.Generator(np.random.Philox(seed))


@pytest.fixture(autouse=True)
def all_threads():
    yield
    threads.limit(None)


@pytest.mark.parametrize("part", range(PARTS))
def test_cases_at_the_edges(part, request):
    count = request.config.getoption("cases")
    workers = edges.FEW_WORKERS if count <= 1000 else edges.MANY_WORKERS
    compiled = 0
    seeds = range(part, count, PARTS)
    for seed in seeds:
        threads.limit(1 + seed // 2 % 3)
        compiled += check(case(seed, workers))
    assert compiled > 0.6 * len(seeds)  # the others lie below the threshold, or are not aligned


@pytest.mark.parametrize("n", [*edges.FEW_WORKERS, 200, dispatch.MOST_WORKERS])
def test_compiled_code_begins_where_it_says(n):
    d = least(n)
    assert kernels.pays(np.zeros((n, d)))
    assert not kernels.pays(np.zeros((n, d - 1)))
    assert not kernels.pays(np.zeros((dispatch.MOST_WORKERS + 1, d)))


@pytest.mark.parametrize("n", [dispatch.MOST_WORKERS - 1, dispatch.MOST_WORKERS, dispatch.MOST_WORKERS + 1])
def test_as_many_workers_as_there_are_networks_for(n):
    for d, rule in itertools.product((least(n) - 1, least(n), least(n) + 17), (CoordinateMedian(), Krum(60), RFA())):
        x = rng(d).standard_normal((n, d)).astype(np.float32)
        check(Case(rule, x, None, x, f"{rule} on {x.shape}"))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_several_pieces_of_every_layout(layout, dtype):
    """One piece, and two, with as many columns as that takes and one more."""
    n = 7
    edge = edges_of_pieces(n, dtype().itemsize)[1]
    for d in (edge - 1, edge, edge + 1):
        x = LAYOUTS[layout](rng(d).standard_normal((n, d)).astype(dtype))
        plain = np.array(edges.host(x), order="C")
        for rule in (Mean(), TrimmedMean(1), MultiKrum(1), RFA(2), CenteredClipping((0.7 * d**0.5, 1.0), steps=2)):
            check(Case(rule, x, None, plain, f"{rule} on {x.shape}, {layout}"))


def every_column_counts(layout, n=5):
    """Whether the columns at both sides of every edge of a piece enter distances and their float32 bounds."""
    d = edges_of_pieces(n, 8)[3] + 3
    cuts = [piece.first for piece in dispatch.pieces(np.asfortranarray(np.zeros((n, d))))]
    for column in {j for cut in (*cuts, d) for j in (cut - 1, cut) if 0 <= j < d}:
        values = np.zeros((n, d))
        values[:, column] = 2.0 ** np.arange(n)
        expected = (values[:, column, None] - values[:, column]) ** 2
        low, high = products.distance_bounds(LAYOUTS[layout](values.astype(np.float32)))
        found = distances.sq_distances(LAYOUTS[layout](values))[0]
        if not (np.array_equal(found, expected) and np.all((low <= expected) & (expected <= high))):
            return False
    return True


@pytest.mark.parametrize("layout", ["contiguous", *OTHERS])
def test_distances_of_every_column(layout):
    assert every_column_counts(layout)


@pytest.mark.parametrize("n", [3, 7])
def test_a_rule_on_no_runs_has_no_results(n):
    for leading in ((0,), (2, 0)):
        x = np.empty((*leading, n, least(n)))
        for rule in (Mean(), CoordinateMedian(), TrimmedMean(1), Krum(0), MultiKrum(0), RFA(), CenteredClipping(1.0)):
            for dtype in (np.float32, np.float64):
                assert rule.aggregate(x.astype(dtype)).shape == (*leading, least(n))


def test_a_centre_that_is_no_number_gives_none(make_array):
    x = make_array([[1.0, 2.0], [2.0, 5.0], [0.0, 0.0]])
    for tau in (0.0, 1.0, float("inf")):
        y = np.asarray(CenteredClipping(tau).aggregate(x, make_array([float("nan"), 0.0])))
        np.testing.assert_array_equal(y, [np.nan, np.nan])


def worst_sums(dtype=np.float32):
    """A row whose squares, added as a tile adds them, are rounded down as much as a greedy choice can achieve."""
    lanes = tiles.REGISTER // 4
    values, total = [], dtype(0)
    candidates = np.linspace(1, 1.5, 4001).astype(dtype)
    for _ in range(tiles.STRIP // lanes):
        exact = candidates.astype(np.float64) ** 2 + np.float64(total)
        lost = exact - exact.astype(dtype).astype(np.float64)
        best = int(np.argmax(lost / exact))
        values.append(candidates[best])
        total = exact[best].astype(dtype)
    return np.repeat(np.array(values, dtype), lanes)  # every lane of a register adds the same


def bounds_hold(n=5):
    x = np.zeros((n, least(n) // tiles.STRIP * tiles.STRIP), np.float32)
    x[1] = np.tile(worst_sums(), x.shape[1] // tiles.STRIP)  # the rows in the middle are zeros, and so is the centre
    low, high = products.distance_bounds(x)
    exact = float(np.sum(x[1].astype(np.float64) ** 2))
    return bool(low[0, 1] <= exact <= high[0, 1])


def test_float32_bounds_hold_for_sums_that_are_always_rounded_down(monkeypatch):
    assert bounds_hold()
    monkeypatch.setattr(products, "UNIT", products.UNIT / 10)
    assert not bounds_hold()


def test_guards_notice_what_is_written_beside_an_array():
    def write_beside():
        with guarded() as guard:
            guard.zeros(8).base[edges.BAND + 8] = 0.0

    with pytest.raises(AssertionError, match="beside its array"):
        write_beside()
    with guarded() as guard:
        guard.zeros(8)[:] = 1.0
        assert np.isnan(guard.empty((2, 3), np.float32)).all()


# ------------------------------------------------------------------------------------------------- planted faults


def plant(monkeypatch, module, name, right, wrong):
    """Replace a piece of a function's text; it must be there."""
    text = textwrap.dedent(inspect.getsource(getattr(module, name)))
    assert right in text
    scope = vars(module).copy()
    exec(text.replace(right, wrong), scope)
    monkeypatch.setattr(module, name, scope[name])


def noticed(*wanted, seeds=600, layouts=tuple(LAYOUTS)):
    """Whether one of the first cases with such a rule fails."""
    for seed in range(seeds):
        c = case(seed, layouts=layouts)
        if isinstance(c.rule, wanted):
            try:
                check(c)
            except AssertionError:
                return True
    return False


def lost_columns(whole):
    """Pieces without their last columns, but for the last piece."""

    def pieces(messages, *size):
        found = list(whole(messages, *size))
        end = max(piece.first + piece.width for piece in found)
        for first, width, x in found:
            if first + width < end:
                x[:, width - 1] = x[:, width - 2]
            yield Piece(first, width, x)

    return pieces


def test_a_column_lost_at_the_edges_of_pieces_is_noticed(monkeypatch):
    with monkeypatch.context() as m:
        m.setattr(columns, "pieces", lost_columns(columns.pieces))
        assert noticed(Mean, TrimmedMean, CoordinateMedian, layouts=OTHERS)
    for module in (distances, products):
        with monkeypatch.context() as m:
            m.setattr(module, "whole_groups", lost_columns(module.whole_groups))
            assert not every_column_counts("fortran"), module


def test_a_centre_that_reads_the_next_piece_is_noticed(monkeypatch):
    """What was wrong in silence: a piece that is filled up with zeros taken for as wide as that."""

    def filled_up(messages, size):
        return [Piece(piece.first, piece.messages.shape[1], piece.messages) for piece in whole_groups(messages, size)]

    whole_groups = centres.whole_groups
    monkeypatch.setattr(centres, "whole_groups", filled_up)
    assert noticed(CenteredClipping, RFA, layouts=OTHERS)


def test_ties_by_absolute_value_are_noticed(monkeypatch):
    plant(monkeypatch, distances, "_compare", "a[at] < b[at]", "abs(a[at]) < abs(b[at])")
    assert noticed(Krum, MultiKrum)


def test_a_centre_rounded_between_steps_is_noticed(monkeypatch):
    plant(monkeypatch, clipping, "_moved", "nothing if last else rest", "nothing")
    assert noticed(CenteredClipping, RFA)


def test_clipping_that_divides_by_no_distance_is_noticed(monkeypatch):
    right = "np.where(inside, 1.0, radii[k][r] / np.where(inside, 1.0, norms))"
    for wrong in ("np.minimum(1.0, radii[k][r] / norms)", "np.where(norms < radii[k][r], 1.0, radii[k][r] / norms)"):
        with monkeypatch.context() as m:
            plant(m, clipping, "centered_clipping", right, wrong)
            assert noticed(CenteredClipping), wrong


def test_sums_that_overflow_are_noticed(monkeypatch):
    monkeypatch.setattr(clipping, "LARGEST_SQUARE", math.inf)
    assert noticed(CenteredClipping, RFA)


def wrongly_decided(n=7, f=1, seeds=40):
    """How often float32 prefers another message than float64 does, if one is nearly the mirror image of the other."""
    wrong = 0
    for seed in range(seeds):
        x = edges.mirrored(rng(seed), (n, least(n)), np.float32)
        chosen = products.index_of_nearest(x, n - f - 2)
        wrong += chosen is not None and not np.array_equal(x[chosen], Krum(f).aggregate(x.astype(np.float64)))
    return wrong


def test_float32_that_decides_too_often_is_noticed(monkeypatch):
    assert wrongly_decided() == 0
    monkeypatch.setattr(products, "UNIT", products.UNIT / 1e4)
    assert wrongly_decided() > 0


def test_dead_messages_with_a_weight_are_noticed(monkeypatch):
    plant(monkeypatch, clipping, "centered_clipping", "np.where(alive, factors, 0.0)", "factors")
    assert noticed(CenteredClipping)
