"""Messages at the edges of compiled aggregation, and what must come of them.

A case is a rule with messages whose size lies at, just below or just above a threshold of the compiled code (read from
the code, so that a changed constant keeps its test), in some layout, with some content. Its messages lie in a larger
array of NaN, and so do all arrays that a kernel allocates: a kernel that reads over an edge computes with NaN, and one
that writes over it is found out.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from conftest import usable
from sims import kernels
from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, Rule, TrimmedMean
from sims.backend import HUGE
from sims.kernels import dispatch
from sims.kernels.cpu import centres, clipping, columns, distances, helpers, lanes, products, tiles

UNIT = 2.0**-53
MOST = 3 * 2**18  # numbers of a case, lest it take long
FEW_WORKERS = (1, 2, 3, 7, 16, 25, 26)  # each is compiled, so that the short search has few
MANY_WORKERS = (*range(1, 36), 47, 48, 49, 63, 64, 65, 100, 127, 128, 129)
UNITS = (  # what compiled code works through at a time, in coordinates
    lanes.WIDE,
    lanes.LINE // 4,
    lanes.LINE // 8,
    tiles.STRIP,
    centres.STRIP,
    helpers.EIGHT * tiles.STRIP,
    helpers.EIGHT * centres.STRIP,
    helpers.CHUNK,
)
LENGTHS = (clipping.SMALLEST_LENGTH, math.sqrt(clipping.LARGEST_SQUARE), clipping.LARGEST_CENTRE, HUGE, 1e155, 1e300)


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """Messages and a state as they are handed to a rule, and the same messages as an ordinary array."""

    rule: Rule
    x: Any
    state: Any
    plain: np.ndarray
    text: str

    def __repr__(self) -> str:
        return self.text


# ---------------------------------------------------------------------------------------------------------- sizes


def least(n: int) -> int:
    """The smallest d for which messages of n workers are compiled code's."""
    return max(-(-dispatch.SMALLEST // n), dispatch.SMALLEST // dispatch.MOST_WORKERS)


def edges_of_pieces(n: int, itemsize: int) -> list[int]:
    """The d from which on messages of another layout are copied in one piece more."""
    return [-(-k * dispatch.BLOCK_BYTES // (n * itemsize)) for k in range(1, 5)]


def size(rng: np.random.Generator, n: int, itemsize: int) -> int:
    """A number of coordinates at an edge, or one to either side of it."""
    base = least(n)
    unit = int(rng.choice(UNITS))
    edges = [base, base + int(rng.integers(40)), -(-base // unit) * unit]
    if rng.random() < 0.3:  # these take longer
        edges = [*edges_of_pieces(n, itemsize), unit * int(rng.integers(1, 4)), base + int(rng.integers(base))]
    found = int(rng.choice([edge for edge in edges if edge >= base and edge * n <= MOST] or [base]))
    return max(1, found + int(rng.integers(-1, 2)))


# -------------------------------------------------------------------------------------------------------- layouts

BAND = 24  # numbers on either side


def _filled(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return np.full(shape, np.nan, dtype=dtype)


def _contiguous(v: np.ndarray) -> np.ndarray:
    memory = _filled((v.size + 2 * BAND,), v.dtype)
    memory[BAND:-BAND] = v.ravel()
    return memory[BAND:-BAND].reshape(v.shape)


def _written(view: np.ndarray, v: np.ndarray) -> np.ndarray:
    view[...] = v
    return view


def _within_rows(v: np.ndarray) -> np.ndarray:
    *lead, n, d = v.shape
    return _written(_filled((*lead, n + 2, d + 2 * BAND), v.dtype)[..., 1:-1, BAND:-BAND], v)


def _fortran(v: np.ndarray) -> np.ndarray:
    *lead, n, d = v.shape
    return _written(np.swapaxes(_filled((*lead, d + 2, n + 2 * BAND), v.dtype)[..., 1:-1, BAND:-BAND], -1, -2), v)


def _every_second_column(v: np.ndarray) -> np.ndarray:
    return _written(_filled((*v.shape[:-1], 2 * v.shape[-1] + 1), v.dtype)[..., 1::2], v)


def _reversed_columns(v: np.ndarray) -> np.ndarray:
    return _written(_filled((*v.shape[:-1], v.shape[-1] + 2 * BAND), v.dtype)[..., BAND:-BAND][..., ::-1], v)


def _reversed_rows(v: np.ndarray) -> np.ndarray:
    return _written(_within_rows(v)[..., ::-1, :], v)


def _every_third_row(v: np.ndarray) -> np.ndarray:
    *lead, n, d = v.shape
    return _written(_filled((*lead, 3 * n + 1, d), v.dtype)[..., 1::3, :], v)


def _runs_last(v: np.ndarray) -> np.ndarray:
    return _written(np.moveaxis(_filled((*v.shape[1:], v.shape[0]), v.dtype), -1, 0), v) if v.ndim > 2 else _fortran(v)


def _read_only(v: np.ndarray) -> np.ndarray:
    x = _contiguous(v)
    x.flags.writeable = False
    return x


def _unaligned(v: np.ndarray) -> np.ndarray:
    return _written(np.zeros(v.nbytes + 1, np.uint8)[1:].view(v.dtype).reshape(v.shape), v)


def _one_row(v: np.ndarray) -> np.ndarray:
    return np.broadcast_to(_contiguous(v[..., :1, :]), v.shape)


def _one_column(v: np.ndarray) -> np.ndarray:
    return np.broadcast_to(_contiguous(v[..., :1]), v.shape)


def _one_run(v: np.ndarray) -> np.ndarray:
    return np.broadcast_to(_contiguous(v[:1]), v.shape) if v.ndim > 2 else _read_only(v)


def _torch(view: Callable[[Any], Any], around: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], Any]:
    """A tensor: `view` of one over the memory that `around` makes of the values."""
    return lambda v: view(importlib.import_module("torch").from_numpy(around(v)))


def _columns_of(v: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.swapaxes(v, -1, -2))


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "contiguous": _contiguous,
    "within rows": _within_rows,
    "fortran": _fortran,
    "every second column": _every_second_column,
    "reversed columns": _reversed_columns,
    "reversed rows": _reversed_rows,
    "every third row": _every_third_row,
    "runs last": _runs_last,
    "read only": _read_only,
    "unaligned": _unaligned,
    "one row": _one_row,
    "one column": _one_column,
    "one run": _one_run,
}
if usable("torch"):
    LAYOUTS |= {
        "tensor": _torch(lambda t: t, np.array),
        "transposed tensor": _torch(lambda t: t.transpose(-1, -2), _columns_of),
        "every second column of a tensor": _torch(lambda t: t[..., ::2], lambda v: np.repeat(v, 2, axis=-1)),
        "narrow tensor": _torch(lambda t: t[..., 3:-5], lambda v: np.pad(v, [(0, 0)] * (v.ndim - 1) + [(3, 5)])),
        "negative tensor": _torch(lambda t: t._neg_view(), np.negative),
    }

# ------------------------------------------------------------------------------------------------------- contents


def _normal(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return rng.standard_normal(shape)


def _offset(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return rng.standard_normal(shape) + (1e8 if dtype == np.float64 else 1e3)


def _integers(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Exact sums and many ties: rows that are equal, and rows that are opposite."""
    x = np.round(rng.standard_normal(shape))
    n = shape[-2]
    source, sign = rng.integers(n, size=n // 2), rng.choice([-1.0, 1.0], size=n // 2)
    x[..., rng.permutation(n)[: n // 2], :] = x[..., source, :] * sign[:, None]
    return x


def _few_columns(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """All that differs is in the columns next to the edges of pieces, strips and chunks: none of them may be lost."""
    n, d = shape[-2:]
    cuts = [edge for edge in edges_of_pieces(n, dtype().itemsize) if edge <= d] or [d]
    edges = {d * k // len(cuts) for k in range(1, len(cuts) + 1)} | {d // unit * unit for unit in UNITS}
    edges |= {unit for unit in UNITS if unit <= d}
    chosen = [int(rng.choice(sorted(edges))) + int(rng.integers(-1, 1)) for _ in range(3)]
    x = np.zeros(shape)
    x[..., [min(max(column, 0), d - 1) for column in chosen]] = rng.standard_normal((*shape[:-1], 3))
    return x


def _non_finite(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    x, n = rng.standard_normal(shape), shape[-2]
    for row in rng.permutation(n)[: rng.integers(1, n + 1)]:
        x[..., row, int(rng.integers(7)) :: int(rng.integers(1, 1000))] = rng.choice([np.nan, np.inf, -np.inf])
    return x


def _beyond(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Entries at, below and above the lengths at which something changes."""
    x, n = rng.standard_normal(shape), shape[-2]
    for row in rng.permutation(n)[: rng.integers(1, 4)]:
        length = float(rng.choice(LENGTHS)) * float(rng.choice([0.5, 1 - 1e-15, 1.0, 1 + 1e-15, 1.5, 1e3]))
        x[..., row, int(rng.integers(shape[-1]))] = rng.choice([-1, 1]) * length
    return x


def _scaled(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    scales = [1e-120, 1e-30, 1e100, 3e149] if dtype == np.float64 else [1e-36, 1e-22, 1e18, 1e37]
    return rng.standard_normal(shape) * rng.choice(scales)


def _near(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Rows that differ in the last digit of some coordinates."""
    x = np.broadcast_to(rng.standard_normal((*shape[:-2], 1, shape[-1])), shape).astype(dtype)
    moved = np.nextafter(x, np.asarray(np.inf, dtype))
    return np.where(rng.random(shape) < 0.3, moved, x)


def mirrored(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Of every message its mirror image is there, the coordinates in the opposite order, but for a few last digits.

    Scores that are equal but for these, and whose sums are rounded differently: which message is Krum's is a matter of
    the digits that float32 loses.
    """
    x = rng.standard_normal(shape).astype(dtype)
    x[..., 0, :] /= 3
    half = shape[-2] // 2
    if half:
        x[..., -half:, :] = x[..., :half, :][..., ::-1, ::-1]
        x[..., -1, ::100] *= dtype(1 + np.finfo(dtype).eps)
    if shape[-2] % 2:
        x[..., half, :] += x[..., half, ::-1]
    return x


def _equal(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    row = rng.choice([0.0, 1.0, 1e10]) * rng.standard_normal((*shape[:-2], 1, shape[-1]))
    return np.broadcast_to(row, shape)


CONTENTS: tuple[Callable[..., np.ndarray], ...] = (
    _normal,
    _offset,
    _integers,
    _few_columns,
    _non_finite,
    _beyond,
    _scaled,
    _near,
    _equal,
)

# ---------------------------------------------------------------------------------------------------------- cases


def rules(rng: np.random.Generator, n: int, x: np.ndarray) -> list[Rule]:
    """The rules with kernels that are defined for n workers, each with one of the f for which it is compiled."""
    f = (n - 1) // 4
    found: list[Rule] = [Mean(), CoordinateMedian(), TrimmedMean(int(rng.choice([(n - 1) // 2, f])))]
    if n >= 2 * f + 3:
        found += [Krum(f), Krum(f), MultiKrum(f), MultiKrum(f, m=2), Krum(f, "byzfl"), Krum(f, "released")]
    if f and n >= 4 * (f - 1) + 3:
        found.append(Bulyan(f - 1))
    found += [_clipping(rng, x) for _ in range(4)]
    lengths = _lengths(x)
    nu = lengths * rng.choice([1e-6, 1.0, 1e6], size=lengths.shape)
    found += [RFA(), RFA(int(rng.integers(1, 5)), nu if nu.ndim and rng.random() < 0.5 else _first(nu))]
    return found


def _first(values: np.ndarray) -> float:
    return float(values.ravel()[0]) if values.size else 1.0


def _lengths(x: np.ndarray) -> np.ndarray:
    """A length of a typical message of each run, never 0."""
    wide = np.where(np.isfinite(x), np.abs(x.astype(np.float64)), 0)
    typical = np.median(np.max(wide, axis=-1), axis=-1)
    return np.asarray(np.where(typical > 0, typical, 1.0) * math.sqrt(x.shape[-1]))


def _clipping(rng: np.random.Generator, x: np.ndarray) -> CenteredClipping:
    lengths, steps = _lengths(x), int(rng.integers(1, 4))
    radii = []
    for _ in range(steps):
        factor = rng.choice([0.0, 1e-3, 0.3, 0.5, 1.0, 30.0, math.inf], p=[0.1, 0.1, 0.2, 0.2, 0.2, 0.1, 0.1])
        tau = np.where(factor > 0, lengths * factor, 0.0)
        radii.append(tau if tau.ndim and rng.random() < 0.7 else _first(tau))
    return CenteredClipping(tuple(radii), steps)


def _state(rng: np.random.Generator, rule: Rule, x: np.ndarray) -> Any:
    """A given centre: of either dtype and any stride, shared by all runs, equal to a message; or none."""
    if not isinstance(rule, CenteredClipping) or rng.random() < 0.3:
        return None
    shape = (*x.shape[:-2], x.shape[-1])
    if rng.random() < 0.3:
        return np.nan_to_num(x[..., int(rng.integers(x.shape[-2])), :], posinf=1.0, neginf=-1.0)
    lengths = _lengths(x)[..., None] / math.sqrt(x.shape[-1])
    values = rng.standard_normal(shape) * lengths * rng.choice([0.1, 1.0, 1e3])
    if rng.random() < 0.1:
        values = values + rng.choice(LENGTHS[1:])
    layout = rng.choice(["contiguous", "every second column", "reversed columns", "read only"])
    kind = x.dtype if rng.random() < 0.5 and np.max(np.abs(values), initial=0) < np.finfo(x.dtype).max else np.float64
    return LAYOUTS[str(layout)](values.astype(kind))


def case(
    seed: int,
    workers: tuple[int, ...] = FEW_WORKERS,
    layouts: tuple[str, ...] = tuple(LAYOUTS),
    size: Callable[[np.random.Generator, int, int], int] = size,
) -> Case:
    """The case of a number; `size` chooses d for n workers and the bytes of a number."""
    rng = np.random.Generator(np.random.Philox(seed))
    dtype: Any = [np.float32, np.float64][seed % 2]
    n, layout = int(rng.choice(workers)), layouts[seed // 2 % len(layouts)]
    d = size(rng, n, dtype().itemsize)
    leading = [(), (), (1,), (2,), (2, 1), (0,)][int(rng.integers(6)) if n * d <= MOST // 2 else 0]
    content = CONTENTS[int(rng.integers(len(CONTENTS)))]
    with np.errstate(over="ignore"):
        values = content(rng, (*leading, n, d), dtype).astype(dtype)
    x = LAYOUTS[layout](values)
    plain = np.array(host(x), order="C")
    chosen = rules(rng, n, plain)
    rule = chosen[int(rng.integers(len(chosen)))]
    state = _state(rng, rule, plain)
    if state is not None and not isinstance(x, np.ndarray):
        state = importlib.import_module("torch").from_numpy(np.array(state))
    text = f"case {seed}: {_short(rule)} on {plain.shape} {plain.dtype}, {layout}, {content.__name__}"
    return Case(rule, x, state, plain, text)


def _short(rule: Rule) -> str:
    return " ".join(repr(rule).split())[:120]


def host(x: Any) -> np.ndarray:
    return x if isinstance(x, np.ndarray) else x.resolve_neg().numpy()


# --------------------------------------------------------------------------------------------------- what must come


def check(c: Case, on_host: bool = True) -> bool:
    """Raise an `AssertionError` unless the rule does on this case what it must; whether compiled code was used.

    Only what is allocated `on_host` is guarded.
    """
    compiled = kernels.pays(c.x)
    before = None if isinstance(c.x, np.ndarray) and not c.x.flags.writeable else c.plain.tobytes()
    centre = None if c.state is None else np.array(host(c.state))
    got = host(c.rule.aggregate(c.x, c.state))
    if compiled and on_host:
        with guarded():
            again = host(c.rule.aggregate(c.x, c.state))
        np.testing.assert_array_equal(got, again, err_msg=f"{c}: depends on what lies beside its arrays")
    assert before is None or host(c.x).tobytes() == before, f"{c}: messages were written to"
    assert centre is None or host(c.state).tobytes() == centre.tobytes(), f"{c}: the state was written to"
    assert got.dtype == c.plain.dtype, c
    assert got.shape == (*c.plain.shape[:-2], c.plain.shape[-1]), c
    if isinstance(c.rule, CenteredClipping | RFA):
        _within_rounding(c, got, np.broadcast_to(0.0 if centre is None else centre, got.shape))
    else:
        with kernels.reference():
            expected = c.rule.aggregate(c.plain)
        finite = bool(np.isfinite(c.plain).all())  # else Bulyan leaves it to the reference, in torch's order
        if compiled and (finite or isinstance(c.x, np.ndarray)):
            np.testing.assert_array_equal(got, expected, err_msg=str(c))
        else:  # NumPy adds in an order that depends on the layout, and torch in another
            unit = (c.plain.shape[-2] + 4) * np.finfo(got.dtype).eps
            largest = float(np.max(np.abs(c.plain), initial=0, where=np.isfinite(c.plain)))
            both = np.isfinite(got) & np.isfinite(expected)  # a sum may overflow in one order and not in another
            np.testing.assert_allclose(got[both], expected[both], rtol=unit, atol=unit * largest, err_msg=str(c))
            if largest * c.plain.shape[-2] < float(np.finfo(got.dtype).max):
                np.testing.assert_array_equal(np.isfinite(got), np.isfinite(expected), err_msg=str(c))
    return compiled


def _within_rounding(c: Case, got: np.ndarray, centre: np.ndarray) -> None:
    for run in np.ndindex(*c.plain.shape[:-2]):
        low, high = bounds(c.rule, c.plain[run], centre[run], run)
        right = ((low <= got[run]) & (got[run] <= high)) | (np.isnan(low) & np.isnan(got[run]))
        if not np.all(right):
            j = int(np.argmin(right))
            raise AssertionError(
                f"{c}, run {run}: {np.count_nonzero(~right)} coordinates are wrong, the first is {j}: "
                f"{got[run][j]!r} is not within [{low[j]!r}, {high[j]!r}]"
            )


def bounds(rule: Any, x: np.ndarray, centre: np.ndarray, run: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Between which numbers of the messages' dtype the result of one run must lie, coordinate by coordinate.

    Both rules move a centre, v ← v + Σ_i w_i (x_i − v). Let e bound the error that float64 may make in each coordinate
    of v. To first order, with u the unit of rounding and m the number of roundings on the way of a square into its sum,
    a norm is known to φ = (m/2 + 2)u relatively and, where v was already off by e in each coordinate, to e√d/‖x_i − v‖
    more; a weight that depends on the norm inherits that. So a step adds

        (φ + (n + 4)u + e√d/‖x_i − v‖)·Σ_i w_i |x_ij − v_j|  and 4u|v_j|

    to e, which itself is not enlarged by clipping (v + mean of clipped x_i − v moves by at most as much as v does), and
    forgotten by a weighted mean. A reference that sums w_i x_i instead adds (n + 4)u max_i |x_ij|. What is computed
    here is off by as much, so that twice e counts. All is in a unit of its own, a power of 2, that no square overflows.
    """
    dtype, n, d = x.dtype, *x.shape
    wide = x.astype(np.float64)
    alive = np.all(np.isfinite(wide), axis=-1)
    wide[~alive] = 0
    mean = isinstance(rule, RFA)
    v = np.zeros(d) if mean else centre.astype(np.float64)
    unit = 2.0 ** math.frexp(max(np.max(np.abs(wide), initial=0), np.max(np.abs(v), initial=0)) or 1.0)[1]
    wide, v = wide / unit, v / unit
    m = centres.STRIP // lanes.WIDE + helpers.CHUNK // centres.STRIP + helpers.EIGHT + d // helpers.CHUNK + 64
    phi, root, e = (m / 2 + 2) * UNIT, math.sqrt(d), 0.0
    rest = 2.0**-48 if dtype == np.float32 else 0.0  # of a centre that is kept as two float32 numbers
    lost = float(np.finfo(dtype).smallest_subnormal) / unit
    with np.errstate(all="ignore"):
        for parameter in (rule.nu,) * rule.steps if mean else rule.radii:
            value = np.asarray(parameter)
            p = float(value[run] if value.ndim else value) / unit
            away = wide - v
            away[~alive] = 0
            longest = np.max(np.abs(away), axis=-1, initial=0, keepdims=True)
            part = away / np.where(longest > 0, longest, 1)
            norms = longest[:, 0] * np.sqrt(np.sum(part * part, axis=-1))  # in pairs: few roundings
            if mean:
                weights = np.where(alive, 1 / np.maximum(norms, p), 0)
                weights = weights / np.sum(weights)
                uncertain = np.where(norms * (1 + phi) + e * root >= p, 1 / np.maximum(norms, p), 0)
            else:
                weights = np.where(alive, np.where(norms <= p, 1, p / norms), 0) / n
                uncertain = np.where((norms * (1 + phi) + e * root >= p) & (norms > 0), 1 / norms, 0)
            relative = phi + (n + 4) * UNIT + np.minimum(e * root * uncertain, 2)
            step = weights @ away
            moved = np.abs(away)
            most = np.max(weights @ moved, initial=0)
            if mean:  # Σ s_i = 1: an error of s_i matters by the distance from the new centre
                moved = np.abs(away - step)
                e = (n + 4) * UNIT * float(np.max(np.abs(wide), initial=0))
                relative = 2 * relative
            e += float(np.max((weights * relative) @ moved, initial=0) + (n + 4) * UNIT * most)
            v = v + step
            e += (4 * UNIT + rest) * float(np.max(np.abs(v), initial=0)) + lost
        return ((v - 2 * e) * unit).astype(dtype), ((v + 2 * e) * unit).astype(dtype)


# --------------------------------------------------------------------------------------------------------- guards


class _Guard:
    """NumPy for a module of kernels, with a band of NaN around every array that it makes."""

    def __init__(self) -> None:
        self.memory: list[tuple[np.ndarray, np.ndarray]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = np.float64) -> np.ndarray:
        kind = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        band = BAND * 8 // kind.itemsize
        pattern = np.full(band, np.nan if kind.kind == "f" else 1, kind)
        memory = np.concatenate([pattern, np.full(count, pattern[0], kind), pattern])
        self.memory.append((memory, pattern))
        return memory[band : band + count].reshape(shape)

    def full(self, shape: Any, value: Any, dtype: Any = None) -> np.ndarray:
        found = self.empty(shape, np.asarray(value).dtype if dtype is None else dtype)
        found[...] = value
        return found

    def zeros(self, shape: Any, dtype: Any = np.float64) -> np.ndarray:
        return self.full(shape, 0, dtype)

    def ones(self, shape: Any, dtype: Any = np.float64) -> np.ndarray:
        return self.full(shape, 1, dtype)

    def ascontiguousarray(self, values: Any, dtype: Any = None) -> np.ndarray:
        array = np.asarray(values, dtype=dtype)
        found = self.empty(array.shape, array.dtype)
        found[...] = array
        return found

    def intact(self) -> bool:
        """Whether nothing was written beside any array."""
        return all(
            memory[: len(pattern)].tobytes() == pattern.tobytes()
            and memory[len(memory) - len(pattern) :].tobytes() == pattern.tobytes()
            for memory, pattern in self.memory
        )


@contextlib.contextmanager
def guarded() -> Iterator[_Guard]:
    """Within it the kernels' arrays have bands; at the end an `AssertionError` if one was written to.

    What runs in it must have been compiled before: the compiler does not know this NumPy.
    """
    guard = _Guard()
    modules = (centres, clipping, columns, dispatch, distances, products)
    try:
        for module in modules:
            module.np = guard  # pyright: ignore[reportAttributeAccessIssue]
        yield guard
    finally:
        for module in modules:
            module.np = np
    assert guard.intact(), "a kernel wrote beside its array"
