"""Eight float64 numbers as one value of compiled code: what is written with them runs side by side in vector registers.

Arithmetic on a vector is arithmetic on each of its numbers, in the order in which it is written, without fused
multiply-adds: each eighth of a result depends on nothing but its eighths of what went in, and on no processor.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, overload, register_model

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.lanes import LINE, intrinsic, spread

LANES = 8
_DOUBLES, _WORDS = (ir.VectorType(kind, LANES) for kind in (ir.DoubleType(), ir.IntType(64)))


class _Numbers(types.Type):
    def __init__(self) -> None:
        super().__init__(name="eight numbers")


class _Truths(types.Type):
    def __init__(self) -> None:
        super().__init__(name="eight truths")


numbers, truths = _Numbers(), _Truths()


@register_model(_Numbers)
class _NumbersModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _DOUBLES)


@register_model(_Truths)
class _TruthsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, ir.VectorType(ir.IntType(1), LANES))


def _unary(emit: Callable[..., Any], argument: Any = numbers, result: Any = numbers) -> Any:
    """A function of compiled code: what `emit` writes with a builder."""

    @intrinsic
    def instruction(typing, a):
        return result(argument), lambda context, builder, signature, values: emit(builder, *values)

    return instruction


def _binary(emit: Callable[..., Any], argument: Any = numbers, result: Any = numbers) -> Any:
    @intrinsic
    def instruction(typing, a, b):
        return result(argument, argument), lambda context, builder, signature, values: emit(builder, *values)

    return instruction


def _words(word: int) -> Any:
    return ir.Constant(_WORDS, [word] * LANES)


def _root(builder: Any, value: Any) -> Any:
    kind = ir.FunctionType(_DOUBLES, [_DOUBLES])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f64")
    return builder.call(function, [value])


def _flipped(builder: Any, value: Any, other: Any) -> Any:
    sign = builder.shl(builder.bitcast(other, _WORDS), _words(63))
    return builder.bitcast(builder.xor(builder.bitcast(value, _WORDS), sign), _DOUBLES)


def _scaled(builder: Any, value: Any, other: Any) -> Any:
    exponent = builder.shl(builder.bitcast(other, _WORDS), _words(52))
    return builder.bitcast(builder.add(builder.bitcast(value, _WORDS), exponent), _DOUBLES)


def _exponent(builder: Any, value: Any) -> Any:
    word = builder.lshr(builder.bitcast(value, _WORDS), _words(52))
    found = builder.bitcast(builder.or_(word, _words(1075 << 52)), _DOUBLES)  # 2^52 and the word
    return builder.fsub(found, spread(builder, ir.Constant(ir.DoubleType(), 2.0**52 + 1023), LANES))


def _significand(builder: Any, value: Any) -> Any:
    word = builder.and_(builder.bitcast(value, _WORDS), _words(2**52 - 1))
    return builder.bitcast(builder.or_(word, _words(1023 << 52)), _DOUBLES)


def _every(builder: Any, value: Any) -> Any:
    word = builder.bitcast(value, ir.IntType(LANES))
    return builder.icmp_unsigned("==", word, word.type(2**LANES - 1))


def _place(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _DOUBLES.as_pointer())


everywhere = _unary(lambda builder, value: spread(builder, value, LANES), types.float64)  # the same number eight times
root = _unary(_root)
less = _binary(lambda builder, a, b: builder.fcmp_ordered("<", a, b), result=truths)  # false for NaN
equal = _binary(lambda builder, a, b: builder.fcmp_ordered("==", a, b), result=truths)
flipped = _binary(_flipped)  # with the other sign where the last bit of the second vector's number is set
scaled = _binary(_scaled)  # times 2^m, for a second number of 1.5·2^52 + m; without overflow
exponent = _unary(_exponent)  # m of positive numbers s·2^m, 1 ≤ s < 2, that are not next to zero
significand = _unary(_significand)  # s
both = _binary(lambda builder, a, b: builder.and_(a, b), truths, truths)
every = _unary(_every, truths, types.boolean)  # whether all eight are true
_read = _unary(lambda builder, address: builder.load(_place(builder, address), align=8), types.intp)


@intrinsic
def _write(typing, value, address):
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[0], _place(builder, values[1]), align=8)
        return context.get_dummy_value()

    return types.void(numbers, types.intp), generate


@intrinsic
def choose(typing, condition, a, b):
    """A where the condition holds, b elsewhere."""
    return numbers(truths, numbers, numbers), lambda context, builder, signature, values: builder.select(*values)


def _define(symbol: Any, instruction: Any) -> None:
    """Python's operator between vectors, or a vector and a number."""

    @overload(symbol)
    def define(a, b):
        if a == numbers and b == numbers:
            return lambda a, b: instruction(a, b)
        if a == numbers and isinstance(b, types.Float):
            return lambda a, b: instruction(a, everywhere(b))
        if b == numbers and isinstance(a, types.Float):
            return lambda a, b: instruction(everywhere(a), b)
        return None


_define(operator.add, _binary(lambda builder, a, b: builder.fadd(a, b)))
_define(operator.sub, _binary(lambda builder, a, b: builder.fsub(a, b)))
_define(operator.mul, _binary(lambda builder, a, b: builder.fmul(a, b)))
_define(operator.truediv, _binary(lambda builder, a, b: builder.fdiv(a, b)))
_negative = _unary(lambda builder, a: builder.fneg(a))


@overload(operator.neg)
def _define_neg(a):
    return (lambda a: _negative(a)) if a == numbers else None


@compiled
def load(array, row):
    """The eight numbers at a row of an array whose rows, all leading axes taken together, are eight numbers each."""
    return _read(array.ctypes.data + 8 * LANES * row)


@compiled
def store(value, array, row):
    """Write eight numbers to a row of an array as `load` takes it."""
    _write(value, array.ctypes.data + 8 * LANES * row)


def zeros(*shape: int) -> np.ndarray:
    """An array (*shape, 8) of zeros for `load` and `store`, each row in a line of the cache."""
    size = int(np.prod(shape)) * LANES
    memory = np.zeros(size + LINE // 8)
    first = -memory.ctypes.data % LINE // 8
    return memory[first : first + size].reshape(*shape, LANES)
