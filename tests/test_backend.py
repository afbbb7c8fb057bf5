"""The helpers that know about array libraries, and what rules say to bad input."""

from __future__ import annotations

import itertools
import subprocess
import sys
import types
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from sims import backend
from sims.aggregators import (
    RFA,
    Bulyan,
    CenteredClipping,
    Clipping,
    FunctionRule,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    TrimmedMean,
    as_rule,
)
from sims.by_name import examples
from sims.strategies import messages

NAN, INF = float("nan"), float("inf")


def test_numpy_arrays_belong_to_numpy():
    assert backend.namespace(np.zeros(1)) is backend.get_namespace("numpy")


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match="backend must be one of numpy, cupy, torch, got 'jax'"):
        backend.get_namespace("jax")


def test_a_missing_cupy_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(backend.BackendUnavailableError, match=r"backend cupy needs CuPy >= 13.*byzcheck\[cupy\]"):
        backend.get_namespace("cupy")


@pytest.mark.parametrize("count", [0, RuntimeError("no driver")])
def test_a_missing_gpu_is_reported(monkeypatch, count):
    def devices():
        if isinstance(count, Exception):
            raise count
        return count

    runtime = types.SimpleNamespace(getDeviceCount=devices)
    cupy = types.ModuleType("cupy")
    cupy.cuda = types.SimpleNamespace(runtime=runtime)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(backend.BackendUnavailableError, match="backend cupy needs a CUDA device"):
        backend.get_namespace("cupy")


SMALL = "import numpy, sims.aggregators as a; a.Krum(1).aggregate(numpy.ones((5, 2)))"
STATEMENTS = "import byzcheck.run, byzcheck.checkout, theory; [theory.load(stem) for stem in theory.PAPER]"


@pytest.mark.parametrize(("program", "needed"), [(SMALL, set()), (STATEMENTS, {"scipy", "flint"})])
def test_what_is_imported_is_needed(program, needed):
    """Neither an optional library nor a slow one. In a fresh interpreter: the tests may have imported one."""
    slow = {"torch", "cupy", "hypothesis", "numba", "matplotlib", "rich", "dask", "pyarrow", "pydantic"}
    slow |= {"scipy", "flint"} - needed
    program = f"{program}\nimport sys\nsys.exit(' '.join({slow!r} & set(sys.modules)) or 0)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_to_numpy_gives_the_values_back(make_array, dtype):
    values = np.array([[1.5, -2.0], [NAN, INF]], dtype=dtype)
    host = backend.to_numpy(make_array(values, dtype))
    assert isinstance(host, np.ndarray)
    assert host.dtype == dtype
    np.testing.assert_array_equal(host, values)


@pytest.mark.parametrize("value", [2, 0.5, [0.25, 0.5], np.array([0.25, 0.5]), np.float32(0.5)], ids=repr)
def test_as_like_takes_library_and_dtype_from_the_array(make_array, value):
    x = make_array([[1.0]], "float32")
    y = backend.as_like(value, x)
    assert backend.namespace(y) is backend.namespace(x)
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(backend.to_numpy(y), np.asarray(value, dtype="float32"))


def test_lead_puts_the_axes_of_a_parameter_in_front(make_array):
    x = make_array(np.zeros((2, 5, 3)))
    assert backend.lead(0.5, x, 2).shape == ()
    assert backend.lead([0.5, 1.0], x, 2).shape == (2, 1, 1)


def test_sort_rows_puts_nan_last_among_equals(make_array):
    x = make_array([[NAN, 2.0], [-INF, INF], [1.0, -1.0]])
    expected = [[-INF, -1.0], [1.0, 2.0], [INF, INF]]
    np.testing.assert_array_equal(backend.to_numpy(backend.sort_rows(x)), expected)


@pytest.mark.parametrize(
    ("row", "norm"),
    [([3.0, 4.0], 5.0), ([3e200, 4e200], 5e200), ([3e-200, 4e-200], 5e-200), ([0.0, 0.0], 0.0), ([], 0.0)],
)
def test_row_norms_neither_overflow_nor_vanish(make_array, row, norm):
    y = backend.to_numpy(backend.row_norms(make_array([row])))
    np.testing.assert_allclose(y, [norm], rtol=4 * np.finfo(float).eps)


@given(x=messages(kinds=("ties", "offset")))
def test_squared_distances_are_exact_on_whole_numbers_and_symmetric(x):
    distances = backend.sq_distances(x)
    for (i, a), (j, b) in itertools.product(enumerate(x), repeat=2):
        exact = sum((Fraction(p) - Fraction(q)) ** 2 for p, q in zip(a.tolist(), b.tolist(), strict=True))
        assert Fraction(float(distances[i, j])) == exact


@given(x=messages(kinds=("ties", "ordinary", "denormal")))
def test_ranks_count_the_lexicographically_smaller_rows(x):
    rows = [tuple(row) for row in x.tolist()]
    assert backend.lexicographic_ranks(x).tolist() == [sum(other < row for other in rows) for row in rows]


@pytest.mark.parametrize("d", [2, 3])
def test_ranks_of_rows_that_begin_alike(d):
    rows = list(itertools.product([-1.0, 0.0, 2.0], repeat=d))
    runs = [[rows[i] for i in np.random.default_rng(seed).integers(len(rows), size=12)] for seed in range(20)]
    expected = [[sum(other < row for other in run) for row in run] for run in runs]
    assert backend.lexicographic_ranks(np.array(runs)).tolist() == expected


@given(x=messages(kinds=("ties",)))
def test_order_by_value_is_that_of_score_then_row(x):
    scores = np.round(np.sum(np.abs(x), axis=-1) / 4)
    order = backend.order_by_value(scores, backend.lexicographic_ranks(x))
    expected = sorted((score, tuple(row)) for score, row in zip(scores.tolist(), x.tolist(), strict=True))
    assert [(scores[i], tuple(x[i].tolist())) for i in order] == expected
    np.testing.assert_array_equal(backend.take_rows(x, order), x[order])


def test_helpers_take_leading_axes_on_every_library(make_array):
    values = np.random.Generator(np.random.Philox(5)).integers(-1, 2, size=(2, 3, 4, 2)).astype(float)
    x = make_array(values)
    scores = make_array(np.zeros((2, 3, 4)))
    for got, function in (
        (backend.sq_distances(x), backend.sq_distances),
        (backend.lexicographic_ranks(x), backend.lexicographic_ranks),
        (backend.sort_rows(x), backend.sort_rows),
        (
            backend.take_rows(x, backend.order_by_value(scores, backend.lexicographic_ranks(x))),
            lambda run: run[np.lexsort(run.T[::-1])],
        ),
    ):
        expected = np.array([[function(run) for run in row] for row in values])
        np.testing.assert_array_equal(backend.to_numpy(got), expected)


def test_the_inverse_of_an_order(make_array):
    orders = np.array([[[2, 0, 1, 3], [0, 1, 2, 3]], [[3, 2, 1, 0], [1, 2, 3, 0]]])
    found = backend.to_numpy(backend.inverse(make_array(orders, "int64")))
    np.testing.assert_array_equal(np.take_along_axis(orders, found, axis=-1), np.broadcast_to(np.arange(4), (2, 2, 4)))


@pytest.mark.parametrize("block", [1, 60, 10**9])
def test_squared_distances_do_not_depend_on_the_size_of_a_block(monkeypatch, block):
    x = np.random.default_rng(0).standard_normal((2, 5, 3))
    expected = [[[np.sum((a - b) ** 2) for b in run] for a in run] for run in x]
    monkeypatch.setattr(backend, "BLOCK", block)
    np.testing.assert_array_equal(backend.sq_distances(x), expected)


def test_rows_that_are_not_alive_become_zeros(make_array):
    rows, alive = make_array([[1.0, NAN], [2.0, 3.0]]), make_array([False, True], "bool")
    assert backend.to_numpy(backend.only(alive, rows)).tolist() == [[0.0, 0.0], [2.0, 3.0]]


# What rules say to bad input

DEFINITION = [
    (lambda: TrimmedMean(-1), r"TrimmedMean needs f ≥ 0, got f = -1"),
    (lambda: Krum(-2), r"Krum needs f ≥ 0, got f = -2"),
    (lambda: MultiKrum(-1), r"MultiKrum needs f ≥ 0, got f = -1"),
    (lambda: Bulyan(-1), r"Bulyan needs f ≥ 0, got f = -1"),
    (lambda: Krum(1.0), r"Krum needs a whole number f ≥ 0, got f = 1\.0"),  # type: ignore[arg-type]
    (lambda: TrimmedMean(True), r"TrimmedMean needs a whole number f ≥ 0, got f = True"),
    (lambda: Krum(1, "krum"), r"Krum needs variant in \('paper', 'byzfl', .*\), got variant = 'krum'"),
    (lambda: MultiKrum(1, variant=""), r"MultiKrum needs variant in \('paper', .*\), got variant = ''"),
    (lambda: MultiKrum(1, m=0), r"MultiKrum needs m ≥ 1, got m = 0"),
    (lambda: CenteredClipping(-1.0), r"CenteredClipping needs tau ≥ 0, got tau = -1\.0"),
    (lambda: CenteredClipping(NAN), r"CenteredClipping needs tau ≥ 0, got tau = nan"),
    (lambda: CenteredClipping(np.array([1.0, -0.5])), r"CenteredClipping needs tau ≥ 0, got tau = -0\.5"),
    (lambda: CenteredClipping((1.0, NAN), 2), r"CenteredClipping needs tau ≥ 0, got tau = nan"),
    (lambda: CenteredClipping((1.0, 2.0), 3), r"CenteredClipping needs one tau per step, got 2 for steps = 3"),
    (lambda: CenteredClipping(1.0, 0), r"CenteredClipping needs steps ≥ 1, got steps = 0"),
    (lambda: RFA(steps=0), r"RFA needs steps ≥ 1, got steps = 0"),
    (lambda: RFA(nu=0.0), r"RFA needs nu > 0, got nu = 0\.0"),
    (lambda: RFA(nu=NAN), r"RFA needs nu > 0, got nu = nan"),
    (lambda: RFA(nu=np.array([0.1, -1.0])), r"RFA needs nu > 0, got nu = -1\.0"),
    (lambda: GeometricMedian(tol=0.0), r"GeometricMedian needs 0 < tol < 1, got tol = 0\.0"),
    (lambda: GeometricMedian(max_steps=0), r"GeometricMedian needs max_steps ≥ 1, got max_steps = 0"),
    (lambda: as_rule("Krum"), r"a rule is a sims Rule or a function \(n, d\) → \(d,\), got str"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("define", "sentence"), DEFINITION, ids=[sentence[:50] for _, sentence in DEFINITION])
def test_parameters_are_checked_when_a_rule_is_made(define, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        define()


@pytest.mark.parametrize(
    ("rule", "n", "sentence"),
    [
        (TrimmedMean(2), 4, r"TrimmedMean needs n ≥ 2f \+ 1, got n = 4, f = 2"),
        (Krum(2), 6, r"Krum needs n ≥ 2f \+ 3, got n = 6, f = 2"),
        (Krum(0), 2, r"Krum needs n ≥ 2f \+ 3, got n = 2, f = 0"),
        (MultiKrum(2), 6, r"MultiKrum needs n ≥ 2f \+ 3, got n = 6, f = 2"),
        (MultiKrum(1, m=5), 5, r"MultiKrum needs m ≤ n − f, got m = 5, n = 5, f = 1"),
        (Bulyan(2), 10, r"Bulyan needs n ≥ 4f \+ 3, got n = 10, f = 2"),
    ],
    ids=repr,
)
def test_the_number_of_workers_is_checked(make_array, rule, n, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        rule.aggregate(make_array(np.zeros((n, 2))))


@pytest.mark.parametrize("rule", examples(1, 0).values(), ids=repr)
@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.zeros(3), r"messages must have shape \(\.\.\., n, d\), got \(3,\)"),
        (np.zeros((3, 2), dtype="int64"), r"messages must be real floating-point numbers, got int64"),
        (np.zeros((3, 2), dtype=complex), r"messages must be real floating-point numbers, got complex128"),
        (np.zeros((0, 2)), r"messages must come from n ≥ 1 workers, got n = 0"),
        (np.zeros((5, 0, 2)), r"messages must come from n ≥ 1 workers, got n = 0"),
    ],
    ids=["one axis", "integers", "complex", "no workers", "runs without workers"],
)
def test_messages_are_checked(rule, x, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        rule.aggregate(x)


@pytest.mark.parametrize("rule", examples(1, 0).values(), ids=repr)
@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        ([[1.0, 2.0], [3.0, 4.0]], r"messages must be an array \(\.\.\., n, d\), got list"),
        (((1.0,), (2.0,)), r"messages must be an array \(\.\.\., n, d\), got tuple"),
        (None, r"messages must be an array \(\.\.\., n, d\), got NoneType"),
        ("messages", r"messages must be an array \(\.\.\., n, d\), got str"),
        (np.float64(1.0), r"messages must .*"),
        (np.array(1.0), r"messages must have shape \(\.\.\., n, d\), got \(\)"),
        (np.ma.masked_array(np.ones((3, 2)), mask=np.eye(3, 2)), r"messages must be a plain array .*, got MaskedArray"),
        (np.ones((3, 2)).view(np.matrix), r"messages must be a plain array .*, got matrix"),
        (np.ones((3, 2), dtype=object), r"messages must be real floating-point numbers, got object"),
        (np.ones((3, 2), dtype=bool), r"messages must be real floating-point numbers, got bool"),
        (np.full((3, 2), "1"), r"messages must be real floating-point numbers, got <U1"),
        (np.zeros((3, 2), dtype="datetime64[s]"), r"messages must be real floating-point numbers, got datetime64\[s\]"),
    ],
    ids=lambda x: type(x).__name__ if not isinstance(x, str) else x[:20],
)
def test_what_is_no_array_of_numbers_is_no_messages(rule, x, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        rule.aggregate(x)


@pytest.mark.parametrize("make", [CenteredClipping, lambda nu: RFA(nu=nu), lambda radius: Clipping(Mean(), radius)])
def test_a_parameter_has_to_fit_the_leading_axes(make):
    x = np.arange(24.0).reshape(2, 4, 3)
    for fits in (np.ones(2), np.ones(1), np.array(1.0), 1.0):
        assert make(fits).aggregate(x).shape == (2, 3)
    for value in (np.ones(3), np.ones((2, 1)), np.ones(0)):
        with pytest.raises(ValueError, match=r"needs (tau|nu|radius) to broadcast over the leading axes \(2,\)"):
            make(value).aggregate(x)


def test_nobody_can_change_a_parameter_from_outside():
    radii, x = np.array([1.0, 2.0]), np.full((2, 3, 1), 9.0)
    rule = CenteredClipping(radii)
    before = rule.aggregate(x)
    radii[:] = np.nan
    assert np.array_equal(rule.aggregate(x), before)
    with pytest.raises(ValueError, match="read-only"):
        rule.tau[0] = 3.0


def test_a_function_is_a_rule_looped_over_the_leading_axes():
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    np.testing.assert_array_equal(as_rule(lambda run: run[0]).aggregate(x), x[..., 0, :])
    assert as_rule(lambda run: run[0]).aggregate(np.zeros((0, 3, 2))).shape == (0, 2)
    assert as_rule(lambda run: run[0]).aggregate(np.zeros((4, 3, 0))).shape == (4, 0)


def test_a_rule_is_itself():
    rule = Mean()
    assert as_rule(rule) is rule


def test_a_function_that_returns_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"a rule must return shape \(2,\) for messages \(3, 2\), got \(3,\)"):
        FunctionRule(lambda run: run[:, 0]).aggregate(np.zeros((3, 2)))


@pytest.mark.parametrize("d", [*range(1, 11), 31, 32, 40])
def test_short_sums_and_maxima_are_numpy_s_to_the_bit(d):
    x = np.random.Generator(np.random.Philox(d)).standard_normal((5, 300, d)) * 1e3
    for array in (x, x[:, ::3], np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1, 0)), 0, -1), x[:0]):
        np.testing.assert_array_equal(backend.sum_across(array), np.sum(array, axis=-1))
        np.testing.assert_array_equal(backend.max_across(array), np.max(array, axis=-1))
    x[1, 2, d // 2] = np.nan
    np.testing.assert_array_equal(backend.max_across(x), np.max(x, axis=-1))


def test_whether_all_is_finite(make_array):
    for values, finite in (([], True), ([0.0, 1e308], True), ([0.0, INF], False), ([-INF], False), ([1.0, NAN], False)):
        assert backend.all_finite(make_array(values)) is finite


def test_finite_rows(make_array):
    largest = float(np.finfo(np.float32).max)
    x = make_array([[1.0, 2.0], [NAN, 0.0], [0.0, INF], [largest, -largest]], "float32")
    rows, alive = backend.finite_rows(x)
    assert backend.to_numpy(alive).tolist() == [True, False, False, True]
    assert backend.to_numpy(rows).tolist() == [[1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [largest, -largest]]
    assert rows.dtype == backend.widest(x) == backend.namespace(x).float64
    whole = make_array([[1e308, -1e308]])
    assert backend.to_numpy(backend.finite_rows(whole)[1]).all()


def test_the_widest_dtype_is_the_device_s():
    strict = pytest.importorskip("array_api_strict")
    x = strict.ones((2, 3), dtype=strict.float32, device=strict.Device("no_float64"))
    assert backend.widest(x) == strict.float32
    assert backend.finite_rows(x)[0].dtype == strict.float32
