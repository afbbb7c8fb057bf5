"""Threads that share the work of one compiled call, and wait for the next where that costs nothing to be told.

To wake a thread takes 30 µs and more, which is longer than most calls. So whoever has worked looks for more work for a
moment before it sleeps, outside the interpreter's lock, and work is handed over through memory that both look at: a box
of words for each helper. The parts of a job are taken one by one by whoever is free, so that a helper which comes late,
or not at all, only leaves more to the others. What is computed must not depend on where the parts are cut.

Where torch has OpenMP's threads, which look for work for longer than that, these are the helpers: threads of our own
and those would take the processor from each other. Then there is one box, in the state `OPENMP`.
"""

from __future__ import annotations

import platform
import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.lanes import LINE, intrinsic

ASLEEP, FREE, CLAIMED, POSTED, BUSY, DONE, OPENMP = range(7)  # states of a box; a free helper is awake or on its way
STATE, CODE, JOB = range(3)  # words of a box
WORDS = LINE // 8
MOST = 62  # helpers that one call can have: a bit for each
PATIENCE = 2**9  # looks for work before a helper sleeps, each of which offers the processor to others: 0.2 ms
LOOKS = 2**6  # for the end of a helper's part before the same
NEXT, FAILED, PARTS, SIZE, UNIT, ARGUMENTS, KERNEL = range(7)  # words of a job
_WORD = ir.IntType(64)
_CODE = ir.FunctionType(ir.VoidType(), [_WORD])
_PAUSE = {"x86_64": "llvm.x86.sse2.pause", "amd64": "llvm.x86.sse2.pause"}.get(platform.machine().lower())


def _place(builder: Any, address: Any, word: int = 0) -> Any:
    return builder.inttoptr(builder.add(address, address.type(8 * word)), _WORD.as_pointer())


@intrinsic
def _read(typing, address):
    """A word that another thread may write."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(builder, arguments[0]), "acquire", 8)

    return types.intp(types.intp), generate


@intrinsic
def _write(typing, address, value):
    """Write a word after all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], _place(builder, arguments[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@intrinsic
def _exchange(typing, address, old, new):
    """Write a word if it is what it should be, and whether it was."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.cmpxchg(_place(builder, arguments[0]), arguments[1], arguments[2], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(types.intp, types.intp, types.intp), generate


@intrinsic
def _pause(typing):
    """Let the other thread of this core have it for some cycles."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _external(builder, ir.VoidType(), _PAUSE)
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _offer(typing):
    """Let another thread have this processor, if one waits for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _external(builder, ir.IntType(32), None if sys.platform == "win32" else "sched_yield")
        return context.get_dummy_value()

    return types.void(), generate


def _external(builder: Any, result: Any, name: str | None) -> None:
    if name:
        builder.call(cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, []), name), [])


@intrinsic
def _run(typing, code, job):
    """Call the function at an address with the address of a job: it does parts until there are no more."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.call(builder.inttoptr(arguments[0], _CODE.as_pointer()), [arguments[1]])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@intrinsic
def each(typing, kernel, arguments, size, unit, parts, boxes):
    """Call kernel(first, last, *arguments) for contiguous parts of range(size), cut at multiples of `unit`, no shorter.

    The kernel is a compiled function, or the address of one that takes two whole numbers and these arguments as they
    are and returns nothing (`address`). The helpers whose `boxes` (helpers, WORDS) are given take part where they can.
    At most one call for each of `parts`; a kernel that raises gives a MemoryError, which is all that one can.
    """
    whole = (types.intp, types.intp, *arguments)
    known = isinstance(kernel, types.Dispatcher)
    called = typing.resolve_function_type(kernel, whole, {}) if known else types.void(*whole)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        function = described = None
        if known:
            result = kernel.dispatcher.get_compile_result(called)
            context.add_linking_libs([result.library])
            function, described = context.declare_function(builder.module, result.fndesc), result.fndesc
        code = _all_parts(context, builder.module, function, described or called, arguments)
        values, (size, unit, parts, boxes) = cgutils.alloca_once_value(builder, given[1]), given[2:]
        words = (
            _WORD(0),
            _WORD(0),
            parts,
            size,
            unit,
            builder.ptrtoint(values, _WORD),
            _WORD(0) if known else given[0],
        )
        job = cgutils.alloca_once(builder, _WORD, len(words))
        for k, value in enumerate(words):
            builder.store(value, builder.gep(job, [_WORD(k)]))
        where = [builder.ptrtoint(place, _WORD) for place in (code, job)]
        kinds = (types.intp, types.intp, signature.args[-1])
        context.compile_internal(builder, _together, types.void(*kinds), [*where, boxes])
        return context.get_dummy_value()

    kind = kernel if known else types.intp
    return types.void(kind, arguments, types.intp, types.intp, types.intp, boxes), generate


def address(kernel: Any, kinds: tuple[Any, ...]) -> int:
    """Of a compiled function of arguments of these types, which is compiled for them if need be."""
    kernel.compile(kinds)
    result = kernel.overloads[kinds]
    return result.library.get_pointer_to_function(result.fndesc.llvm_func_name)


def _all_parts(context: Any, module: Any, function: Any, called: Any, kinds: Any) -> Any:
    """A function of a job's address, as C has it, that does the parts which nobody has taken, one after the other.

    Written out, since what numba compiles by itself is optimized once more with all that it calls.
    """
    whole = ir.Function(module, _CODE, module.get_unique_name("parts"))
    whole.linkage = "internal"
    [job] = whole.args
    begin, again, part, end = (whole.append_basic_block() for _ in range(4))
    builder = ir.IRBuilder(begin)
    parts, size, unit, values = (builder.load(_place(builder, job, k)) for k in (PARTS, SIZE, UNIT, ARGUMENTS))
    builder.branch(again)
    builder.position_at_end(again)
    number = builder.atomic_rmw("add", _place(builder, job, NEXT), _WORD(1), "acq_rel")
    builder.cbranch(builder.icmp_signed("<", number, parts), part, end)
    builder.position_at_end(part)
    units, following = builder.sdiv(size, unit), builder.add(number, _WORD(1))
    first, stop = (builder.mul(builder.sdiv(builder.mul(units, k), parts), unit) for k in (number, following))
    last = builder.select(builder.icmp_signed("==", following, parts), size, stop)
    with builder.if_then(builder.icmp_signed("<", first, last)):
        stored = builder.load(builder.inttoptr(values, context.get_value_type(kinds).as_pointer()))
        given = [first, last, *cgutils.unpack_tuple(builder, stored, len(kinds))]
        takes, gives = (called.argtypes, called.restype) if function else (called.args, called.return_type)
        kinds = zip((types.intp, types.intp, *kinds), takes, strict=True)
        cast = [context.cast(builder, value, *kind) for value, kind in zip(given, kinds, strict=True)]
        if function is None:
            pointer = context.call_conv.get_function_type(gives, takes).as_pointer()
            function = builder.inttoptr(builder.load(_place(builder, job, KERNEL)), pointer)
        status, _ = context.call_conv.call_function(builder, function, gives, takes, cast)
        with builder.if_then(status.is_error, likely=False):
            builder.store_atomic(_WORD(1), _place(builder, job, FAILED), "release", 8)
    builder.branch(again)
    builder.position_at_end(end)
    builder.ret_void()
    return whole


@intrinsic
def _parallel(typing, openmp, function, job, threads):
    """OpenMP's: every one of so many threads calls the function with the job."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        openmp, function, job, threads = arguments
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [_WORD, _WORD, number, number])  # GOMP_parallel of GNU's, and of others'
        given = [function, job, builder.trunc(threads, number), number(0)]
        builder.call(builder.inttoptr(openmp, kind.as_pointer()), given)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp), generate


def _together(code: Any, job: Any, boxes: Any) -> None:
    """Do a job, with those helpers that are free."""
    mine = 0
    if boxes.shape[0] == 1 and boxes[0, STATE] == OPENMP:
        _parallel(boxes[0, CODE], code, job, boxes[0, JOB])
    for h in range(min(boxes.shape[0], MOST)):
        box = boxes[h]
        state = box.ctypes.data
        if _exchange(state, FREE, CLAIMED):
            box[CODE], box[JOB] = code, job
            _write(state, POSTED)
            mine |= 1 << h
    _run(code, job)
    for h in range(min(boxes.shape[0], MOST)):
        state = boxes[h].ctypes.data
        if mine >> h & 1 and not _exchange(state, POSTED, FREE):  # it has begun
            looks = 0
            while _read(state) != DONE:
                looks += 1
                if looks < LOOKS:
                    _pause()
                else:
                    _offer()
            _write(state, FREE)
    if _read(job + 8 * FAILED):
        raise MemoryError("no memory for a part of the work")


@compiled
def teams(runs, parts, boxes):
    """The team to which many runs are given, and that which shares the work on each: one of them is nobody."""
    if runs > 1:
        return (parts, boxes), (1, boxes[:0])
    return (1, boxes[:0]), (parts, boxes)


@compiled
def serve(box, patience):
    """Do what is posted in a box until nothing was for as many looks, then leave it asleep."""
    state = box.ctypes.data
    looks = 0
    while True:
        if _exchange(state, POSTED, BUSY):
            _run(box[CODE], box[JOB])
            _write(state, DONE)
            looks = 0
        else:  # a loop of pauses alone would be one that a hypervisor takes for idle
            _offer()
            looks += 1
            if looks >= patience and (_exchange(state, FREE, ASLEEP) or _read(state) == ASLEEP):
                return
