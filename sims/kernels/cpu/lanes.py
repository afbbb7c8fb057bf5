"""Vector arithmetic written out in LLVM's language, a cache line of each row at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba.extending
from llvmlite import binding, ir
from numba.core import cgutils

from sims.kernels.networks import selection_network

intrinsic: Any = numba.extending.intrinsic  # a function so decorated is called without its first argument
LINE = 64  # bytes that a row contributes at a time: what the cache moves at a time
REGISTER = LINE if binding.get_host_cpu_features().get("avx512f") else LINE // 2  # bytes that are worked on at a time
WIDE = 16  # coordinates that are worked on at a time in float64
AHEAD = 1024  # bytes by which rows are asked for before they are needed: hardware does not follow so many at once


class Lanes:
    """Vector arithmetic on one column group, in the order in which it is called."""

    def __init__(self, builder: Any, number: Any, bits: int, lanes: int | None = None) -> None:
        self.builder = builder
        self.bits = bits
        self.lanes = lanes or LINE * 8 // bits
        self.type = ir.VectorType(number, self.lanes)

    def constant(self, value: float) -> Any:
        """The same number in all lanes."""
        return ir.Constant(self.type, [value] * self.lanes)

    def load(self, address: Any) -> Any:
        """The numbers at an integer address."""
        return self.builder.load(self.builder.inttoptr(address, self.type.as_pointer()), align=self.bits // 8)

    def store(self, value: Any, address: Any) -> None:
        """Write the numbers to an integer address."""
        self.builder.store(value, self.builder.inttoptr(address, self.type.as_pointer()), align=self.bits // 8)

    def less(self, a: Any, b: Any) -> Any:
        """a < b, false for NaN."""
        return self.builder.fcmp_ordered("<", a, b)

    def within(self, value: Any, most: float) -> Any:
        """−most ≤ value ≤ most, false for NaN."""
        below = self.builder.fcmp_ordered("<=", value, self.constant(most))
        return self.builder.and_(below, self.builder.fcmp_ordered(">=", value, self.constant(-most)))

    def choose(self, condition: Any, a: Any, b: Any) -> Any:
        """a where the condition holds, b elsewhere."""
        return self.builder.select(condition, a, b)

    def add(self, a: Any, b: Any) -> Any:
        """a + b, lane by lane."""
        return self.builder.fadd(a, b)

    def subtract(self, a: Any, b: Any) -> Any:
        """a − b, lane by lane."""
        return self.builder.fsub(a, b)

    def everywhere(self, value: Any) -> Any:
        """The same number, which is known only later, in all lanes."""
        return spread(self.builder, value, self.lanes)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """a·b + c, rounded once where the processor can."""
        return self._call("fmuladd", self.type, [a, b, c])

    def total(self, vector: Any) -> Any:
        """The sum over the lanes, in an order that depends on nothing but their number."""
        zero = ir.Constant(self.type.element, 0.0)
        return self._call("vector.reduce.fadd", self.type.element, [zero, vector], fastmath=("reassoc",))

    def _call(self, name: str, result: Any, values: list[Any], **options: Any) -> Any:
        kind = ir.FunctionType(result, [value.type for value in values])
        full = f"llvm.{name}.v{self.lanes}f{self.bits}"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, full), values, **options)

    def sum(self, values: Sequence[Any]) -> Any:
        """From left to right, as NumPy adds rows."""
        total = values[0]
        for value in values[1:]:
            total = self.add(total, value)
        return total

    def mean(self, values: Sequence[Any]) -> Any:
        """Their sum over their number."""
        return self.builder.fdiv(self.sum(values), self.constant(float(len(values))))

    def worst_for_nan(self, value: Any) -> Any:
        """The value itself, +∞ for NaN."""
        infinity = self.constant(float("inf"))
        return self.choose(self.less(value, infinity), value, infinity)

    def order(self, values: list[Any], wanted: Sequence[int]) -> None:
        """Bring the order statistics at `wanted` to their places."""
        for low, high, keep_low, keep_high in selection_network(len(values), wanted):
            a, b = values[low], values[high]
            ordered = self.less(a, b)
            if keep_low:
                values[low] = self.choose(ordered, a, b)
            if keep_high:
                values[high] = self.choose(ordered, b, a)

    def farther(self, a: Any, v: Any, w: Any, b: Any) -> tuple[Any, Any]:
        """a − v > w − b, without rounding, see `sims.backend.farther`; and where both overflow, so that it is open."""
        (one, less), (other, left) = self._difference(a, v), self._difference(w, b)
        equal = self.builder.fcmp_ordered("==", one, other)
        found = self.builder.or_(self.less(other, one), self.builder.and_(equal, self.less(left, less)))
        overflow = self.builder.fcmp_ordered("==", one, self.constant(float("inf")))
        return found, self.builder.and_(equal, overflow)

    def _difference(self, a: Any, b: Any) -> tuple[Any, Any]:
        """a − b rounded, and what rounding took from it."""
        found = self.subtract(a, b)
        shift = self.subtract(found, a)
        return found, self.subtract(self.subtract(a, self.subtract(found, shift)), self.add(b, shift))


def spread(builder: Any, value: Any, lanes: int) -> Any:
    """A vector of a number, as many times as there are lanes."""
    undefined = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, value, ir.IntType(32)(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))


def prefetch(builder: Any, address: Any, ahead: Any = None) -> None:
    """Ask for the line `ahead` of an address, both integers; whether anything lies there is of no consequence."""
    byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    reading, keep, data = word(0), word(3), word(1)
    builder.call(
        function,
        [
            builder.inttoptr(builder.add(address, address.type(AHEAD) if ahead is None else ahead), byte),
            reading,
            keep,
            data,
        ],
    )
