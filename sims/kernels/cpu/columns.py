"""Rules that work coordinate by coordinate: many columns at once in vector registers, every worker in one of its own.

A sorting network is written out as vector minima and maxima in LLVM's language, which is short and compiles in about a
second for a hundred workers; the number of workers is the length of a tuple, so that numba caches one program for each.
A comparison is false for NaN, hence min(v, ∞) = (v < ∞ ? v : ∞) makes NaN the worst value. The arithmetic and its order
are those of the reference, `sims.columns`: the results are equal bit for bit. Where one is not finite, which is rare,
something may have overflowed on the way, and the reference makes it once more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import cgutils

from sims import columns
from sims.kernels.cpu import few
from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.helpers import team
from sims.kernels.cpu.lanes import LINE, REGISTER, Lanes, intrinsic, prefetch
from sims.kernels.cpu.team import address, each
from sims.kernels.dispatch import pieces, row_addresses

ColumnRule = Callable[[Lanes, list[Any], int], Any]  # the values of all workers in a line of columns, f → the result
ROWS = 16  # which memory can deliver at the same time
BYTES_A_MICROSECOND = 2**14  # that one thread works on
AGAIN = 2**16  # columns that the reference makes at once: messages may fill the memory


def _middle(lanes: Lanes, values: list[Any]) -> Any:
    """The median of values whose middle ones are in their places."""
    n = len(values)
    low = values[(n - 1) // 2]
    if n % 2:
        return low
    return lanes.add(low, lanes.builder.fmul(lanes.constant(0.5), lanes.subtract(values[n // 2], low)))


def _mean(lanes: Lanes, values: list[Any], f: int) -> Any:
    return lanes.mean(values)


def _mean_from_first(lanes: Lanes, values: list[Any], f: int) -> Any:
    return lanes.add(values[0], lanes.mean([lanes.subtract(value, values[0]) for value in values]))


def _median(lanes: Lanes, values: list[Any], f: int) -> Any:
    n = len(values)
    values = [lanes.worst_for_nan(value) for value in values]
    lanes.order(values, ((n - 1) // 2, n // 2))
    return _middle(lanes, values)


def _trimmed_mean(lanes: Lanes, values: list[Any], f: int) -> Any:
    n = len(values)
    values = [lanes.worst_for_nan(value) for value in values]
    lanes.order(values, range(f, n - f))
    middle = values[f + (n - 2 * f) // 2]
    return lanes.add(middle, lanes.mean([lanes.subtract(value, middle) for value in values[f : n - f]]))


def _mean_around_median(lanes: Lanes, values: list[Any], f: int) -> Any:
    n = len(values)
    values = [lanes.worst_for_nan(value) for value in values]
    lanes.order(values, range(n))
    return _mean_of_nearest(lanes, values, f, values[(n - 1) // 2], values[n // 2], _middle(lanes, values))


def _mean_around_trimmed_mean(lanes: Lanes, values: list[Any], f: int) -> Any:
    n = len(values)
    values = [lanes.worst_for_nan(value) for value in values]
    lanes.order(values, range(n))
    middle = values[f + (n - 2 * f) // 2]
    centre = lanes.add(middle, lanes.mean([lanes.subtract(value, middle) for value in values[f : n - f]]))
    return _mean_of_nearest(lanes, values, f, centre, centre, centre)


def _mean_of_nearest(lanes: Lanes, values: list[Any], less: int, low: Any, high: Any, centre: Any) -> Any:
    """Of v_i and v_{keep + i}, i < `less`, one is left out; see `sims.columns`."""
    keep = len(values) - less
    answers = [lanes.farther(low, values[i], values[keep + i], high) for i in range(less)]
    without = [farther for farther, _ in answers]
    total = lanes.constant(-0.0)  # what changes no number that is added to it
    for i, value in enumerate(values):
        more = lanes.add(total, lanes.subtract(value, centre))
        if i < less:
            more = lanes.choose(without[i], total, more)
        total = lanes.choose(without[i - keep], more, total) if i >= keep else more
    found = lanes.add(centre, lanes.builder.fdiv(total, lanes.constant(float(keep))))
    for _, open_ in answers:  # left to the reference
        found = lanes.choose(open_, lanes.constant(float("nan")), found)
    return found


RULES = (_mean, _mean_from_first, _median, _trimmed_mean, _mean_around_median, _mean_around_trimmed_mean)


@intrinsic(prefer_literal=True)
def _lines(typing, rows, out, begin, end, n, rule, f, number):
    """The lines of columns that begin in bytes [begin, end): `RULES` at `rule` with f; whether all are finite.

    The addresses of the n rows' first values are at the address `rows`. n, the rule and f are known to the compiler.
    """
    known = [kind.literal_value for kind in (n, rule, f)]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, result, begin, end = arguments[:4]
        (n, rule, f), word = known, rows.type
        lanes = Lanes(builder, context.get_value_type(number), number.bitwidth, REGISTER * 8 // number.bitwidth)
        most = float(np.finfo(f"float{number.bitwidth}").max)
        truths = ir.VectorType(ir.IntType(1), lanes.lanes)
        fine = cgutils.alloca_once_value(builder, ir.Constant(truths, [1] * lanes.lanes))
        first = builder.inttoptr(rows, word.as_pointer())
        places = [builder.load(builder.gep(first, [word(i)])) for i in range(n)]
        count = builder.sdiv(builder.add(builder.sub(end, begin), word(LINE - 1)), word(LINE))
        with cgutils.for_range(builder, count) as loop:
            at = builder.add(begin, builder.mul(loop.index, word(LINE)))
            for place in places:
                prefetch(builder, builder.add(place, at))
            for part in range(0, LINE, REGISTER):
                here = builder.add(at, word(part))
                found = RULES[rule](lanes, [lanes.load(builder.add(place, here)) for place in places], f)
                lanes.store(found, builder.add(result, here))
                builder.store(builder.and_(builder.load(fine), lanes.within(found, most)), fine)
        bits = builder.bitcast(builder.load(fine), ir.IntType(lanes.lanes))
        return builder.icmp_unsigned("==", bits, bits.type(2**lanes.lanes - 1))

    return types.boolean(rows, out, begin, end, n, rule, f, number), generate


@compiled
def _run(first, last, rows, out, size, fine, n, rule, f, number):
    """The columns first, …, last − 1 of numbers like `number`, `size` bytes each, from `rows` (n,) to `out`: addresses.

    The last line may overlap the one before it.
    """
    begin, end = first * size, last * size
    whole = _lines(rows, out, end - LINE, end, n, rule, f, number)
    whole &= _lines(rows, out, begin, end - LINE + 1, n, rule, f, number)
    if not whole:
        fine[0] = False


@compiled
def _share(code, rows, out, size, fine, n, rule, f, number, width, parts, boxes):
    each(code, (rows, out, size, fine, n, rule, f, number), width, LINE, parts, boxes)


@functools.cache
def _code(number: str, n: int, rule: int, f: int) -> int:
    """The address of `_run` for these."""
    kinds = [types.literal(k) for k in (n, rule, f)]
    return address(_run, (*[types.int64] * 5, types.Array(types.boolean, 1, "C"), *kinds, from_dtype(np.dtype(number))))


def _apply(rule: ColumnRule, messages: np.ndarray, f: int = 0, chosen: np.ndarray | None = None) -> np.ndarray:
    """(runs, n, d) → (runs, d), each thread some of the columns; `chosen` (runs, m) are the messages that take part."""
    runs, n, d = messages.shape
    n, size, number = n if chosen is None else chosen.shape[1], messages.itemsize, messages.dtype.type(0)
    which = n, RULES.index(rule), f
    code = _code(messages.dtype.char, *which)
    result = np.empty((runs, d), messages.dtype)
    for r in range(runs):
        fine = np.ones(1, np.bool_)
        for first, width, piece in pieces(messages[r]):
            rows = row_addresses(piece, None if chosen is None else chosen[r])
            out = result[r, first : first + width].ctypes.data
            shared = team(n * width * size / BYTES_A_MICROSECOND)
            _share(code, rows.ctypes.data, out, size, fine, *which, number, width, *shared)
        if not fine[0]:
            _make_again(rule, messages[r], slice(None) if chosen is None else chosen[r], f, result[r])
    return result


def _make_again(rule: ColumnRule, messages: np.ndarray, chosen: Any, f: int, result: np.ndarray) -> None:
    """The reference's results (d,) for `chosen` messages of one run, (n, d), some columns at a time, where needed.

    No fewer than two columns: NumPy adds a single one up in another order.
    """
    d = result.size
    count = -(-d // AGAIN)
    for k in range(count):
        here = slice(d * k // count, d * (k + 1) // count)
        if not np.isfinite(result[here]).all():
            result[here] = REFERENCE[rule](np.ascontiguousarray(messages[:, here][chosen]), f)


REFERENCE: dict[ColumnRule, Callable[[np.ndarray, int], np.ndarray]] = {
    _mean: lambda rows, f: columns.mean(rows),
    _mean_from_first: lambda rows, f: columns.mean_around(rows, rows[0]),
    _median: lambda rows, f: columns.median(rows),
    _trimmed_mean: columns.trimmed_mean,
    _mean_around_median: lambda rows, f: columns.mean_around_median(rows, len(rows) - f),
    _mean_around_trimmed_mean: columns.mean_around_trimmed_mean,
}


def mean(messages: np.ndarray) -> np.ndarray:
    """The arithmetic mean, (runs, n, d) → (runs, d).

    Of many rows that are side by side, one after the other is read: memory delivers them faster than a line of each.
    """
    runs, n, d = messages.shape
    if n < ROWS or not messages.flags.c_contiguous:
        return _apply(_mean, messages)
    result = np.empty((runs, d), messages.dtype)
    shared = team(messages.nbytes / BYTES_A_MICROSECOND)
    if not few.kernel("mean", messages.dtype.char)(messages.reshape(-1, d), n, result, *shared):
        for r in range(runs):
            _make_again(_mean, messages[r], slice(None), 0, result[r])
    return result


def mean_from_first(messages: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The mean of the messages `chosen` (runs, m): the first of them plus the mean difference from it."""
    return _apply(_mean_from_first, messages, chosen=chosen)


def coordinate_median(messages: np.ndarray) -> np.ndarray:
    """The median of each coordinate, (runs, n, d) → (runs, d)."""
    return _apply(_median, messages)


def trimmed_mean(messages: np.ndarray, f: int) -> np.ndarray:
    """The mean of each coordinate without its f smallest and f largest values, (runs, n, d) → (runs, d)."""
    return _apply(_trimmed_mean, messages, f)


def mean_around_median(messages: np.ndarray, chosen: np.ndarray, less: int) -> np.ndarray:
    """Of the messages `chosen` (runs, m), the mean of the m − `less` values nearest to each median."""
    return _apply(_mean_around_median, messages, less, chosen)


def mean_around_trimmed_mean(messages: np.ndarray, f: int) -> np.ndarray:
    """The mean of the n − f values nearest to each trimmed mean, (runs, n, d) → (runs, d)."""
    return _apply(_mean_around_trimmed_mean, messages, f)
