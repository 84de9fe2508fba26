"""Pieces of the compiled kernel that work on several numbers at once, spelled out for LLVM.

LLVM does not find these by itself: numba cannot promise it that two arrays never overlap. The arithmetic is that of
`kernels`, every operation rounded by itself; on processors without vectors LLVM takes them apart again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba.extending
from llvmlite import ir
from numba import types
from numba.core import cgutils as typed_cgutils

from weakreset.simulation.compiled_types import ROUNDER
from weakreset.simulation.counter_random import GAMMA, MULTIPLIERS, SECOND_WEIGHT, SHIFTS, WORDS

__all__ = ["MASK_WIDTH", "WIDTH", "advance_poles", "ask_for", "fill_words", "lowest_bit", "where_any"]

WIDTH = 8
"""Devices whose random words are made at once."""

MASK_WIDTH = 64
"""Bursts that are looked at at once."""

_FLOAT, _I8, _I16, _I32, _I64 = ir.FloatType(), ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)


cgutils: Any = typed_cgutils


def intrinsic(function: Callable[..., Any]) -> Any:
    """Called from compiled code without the first argument."""
    return numba.extending.intrinsic(function)


def _vector(kind: Any, size: int) -> Any:
    return ir.VectorType(kind, size)


def _same(kind: Any, size: int, value: float) -> Any:
    return ir.Constant(_vector(kind, size), [value] * size)


def _unset(kind: Any, size: int) -> Any:
    return ir.Constant(_vector(kind, size), ir.Undefined)


def _place(j: int) -> Any:
    return ir.Constant(_I32, j)


def _pointers(context: Any, builder: Any, signature: Any, arguments: Any) -> Callable[[int, Any, Any], Any]:
    """A function of (argument number, element, type): the address of that element of a flat array."""

    def pointer(argument: int, element: Any, kind: Any) -> Any:
        array = cgutils.create_struct_proxy(signature.args[argument])(context, builder, arguments[argument])
        return builder.bitcast(builder.gep(array.data, [element]), kind.as_pointer())

    return pointer


@intrinsic
def ask_for(_: Any, array: Any, element: Any) -> Any:
    """`ask_for(array, element)`: have the memory there brought near, without waiting for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _pointers(context, builder, signature, arguments)(0, arguments[1], _I8)
        kind = ir.FunctionType(ir.VoidType(), [address.type, _I32, _I32, _I32])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(prefetch, [address, *(ir.Constant(_I32, value) for value in (0, 3, 1))])  # to read; all caches
        return context.get_dummy_value()

    return types.void(array, element), generate


@intrinsic
def where_any(_: Any, bursts: Any, k: Any) -> Any:
    """`where_any(bursts, k)`: a 64-bit number whose bit j tells whether bursts[k + j], j in 0 .. 63, is not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointers(context, builder, signature, arguments)(0, arguments[1], _vector(_I32, MASK_WIDTH))
        some = builder.icmp_signed("!=", builder.load(place, align=4), _same(_I32, MASK_WIDTH, 0))
        return builder.bitcast(some, _I64)

    return types.uint64(bursts, k), generate


@intrinsic
def lowest_bit(_: Any, number: Any) -> Any:
    """`lowest_bit(number)`: the place of the lowest bit that is set; `number` is not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(number), generate


@intrinsic
def fill_words(_: Any, device: Any, k: Any, words: Any, part: Any, key: Any, sds: Any) -> Any:
    """`fill_words(device, k, words, part, key, pole_sd)`: random words of the devices device[k : k + WIDTH].

    `words` is cut into parts: of the 32 bits of the telegraph, and of words of four 12-bit numbers, each in 16 bits of
    its own; k counts modulo `part`, a power of two.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointers(context, builder, signature, arguments)

        within = builder.and_(arguments[1], builder.sub(arguments[3], ir.Constant(_I64, 1)))

        def part(number: int) -> Any:
            start = builder.mul(arguments[3], ir.Constant(_I64, number))
            return pointer(2, builder.add(within, start), _vector(_I64, WIDTH))

        first, second = (_spread(builder, builder.extract_value(arguments[4], j)) for j in (0, 1))
        scaled = _same(_I64, WIDTH, WORDS * GAMMA % 2**64)
        numbers = builder.load(pointer(0, arguments[1], _vector(_I64, WIDTH)), align=8)
        start = builder.add(builder.mul(numbers, scaled), first)
        spare = []
        for j in range(sds.count // 2):
            word = _word(builder, builder.add(start, _same(_I64, WIDTH, j * GAMMA % 2**64)), second)
            spare.append(builder.lshr(word, _same(_I64, WIDTH, 48)))
            builder.store(_fields(builder, word), part(1 + j), align=8)
        uniform = builder.or_(builder.shl(spare[1], _same(_I64, WIDTH, 16)), spare[0])
        builder.store(uniform, part(0), align=8)
        return context.get_dummy_value()

    return types.void(device, k, words, part, key, sds), generate


def _spread(builder: Any, value: Any) -> Any:
    one = builder.insert_element(_unset(_I64, WIDTH), value, _place(0))
    return builder.shuffle_vector(one, one, _same(_I32, WIDTH, 0))


def _word(builder: Any, z: Any, key: Any) -> Any:
    """The end of `counter_random.random_words`."""

    def mixed(z: Any, shift: int) -> Any:
        return builder.xor(z, builder.lshr(z, _same(_I64, WIDTH, shift)))

    z = builder.mul(mixed(z, SHIFTS[0]), _same(_I64, WIDTH, MULTIPLIERS[0]))
    z = builder.mul(mixed(builder.xor(z, key), SHIFTS[1]), _same(_I64, WIDTH, MULTIPLIERS[1]))
    return mixed(z, SHIFTS[2])


def _fields(builder: Any, word: Any) -> Any:
    """The four lowest groups of 12 bits, 16 bits apart."""
    result = builder.and_(word, _same(_I64, WIDTH, 0xFFF))
    for j in (1, 2, 3):
        moved = builder.shl(word, _same(_I64, WIDTH, 4 * j))
        result = builder.or_(result, builder.and_(moved, _same(_I64, WIDTH, 0xFFF << (16 * j))))
    return result


@intrinsic
def advance_poles(
    _: Any, moving: Any, at: Any, bursts: Any, row: Any, table: Any, words: Any, k: Any, part: Any, sds: Any
) -> Any:
    """`advance_poles(moving, at, bursts, row, normals, words, k, part, pole_sd)`: what the poles add to ln R now.

    The poles at moving[at] go through the burst whose keep and renew begin at bursts[row], with the words
    that `fill_words` put at number `k` of each part.
    """
    lanes = sds.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer, floats = _pointers(context, builder, signature, arguments), _vector(_FLOAT, lanes)

        def field(number: int) -> Any:
            start = builder.mul(arguments[7], ir.Constant(_I64, 1 + number // 4))
            place = pointer(5, builder.add(arguments[6], start), _I16)
            index = builder.load(builder.gep(place, [ir.Constant(_I64, number % 4)]))
            return builder.load(pointer(4, builder.zext(index, _I64), _FLOAT))

        stored = pointer(0, arguments[1], _vector(_I16, lanes))
        before = builder.sitofp(builder.sext(builder.load(stored, align=4), _vector(_I32, lanes)), floats)
        keep = builder.load(pointer(2, arguments[3], floats), align=8)
        renew_at = builder.add(arguments[3], ir.Constant(_I64, lanes // 2))
        renew = builder.load(pointer(2, renew_at, floats), align=8)
        first, second, sd = _unset(_FLOAT, lanes), _unset(_FLOAT, lanes), _unset(_FLOAT, lanes)
        for j in range(lanes):
            first = builder.insert_element(first, field(2 * j), _place(j))
            second = builder.insert_element(second, field(2 * j + 1), _place(j))
            sd = builder.insert_element(sd, builder.extract_value(arguments[8], j), _place(j))
        normal = builder.fadd(first, builder.fmul(second, _same(_FLOAT, lanes, SECOND_WEIGHT)))
        now = builder.fadd(builder.fmul(before, keep), builder.fmul(normal, renew))
        rounder = _same(_FLOAT, lanes, float(ROUNDER))
        now = builder.fsub(builder.fadd(now, rounder), rounder)
        whole = builder.fptosi(now, _vector(_I32, lanes))
        builder.store(builder.trunc(whole, _vector(_I16, lanes)), stored, align=4)
        return _folded(builder, builder.fmul(now, sd), lanes)

    return types.float32(moving, at, bursts, row, table, words, k, part, sds), generate


def _folded(builder: Any, terms: Any, lanes: int) -> Any:
    """The sum: upper half onto lower half until one is left, as in `kernels`."""
    while lanes > 1:
        lanes //= 2
        halves = [ir.Constant(_vector(_I32, lanes), list(range(k, k + lanes))) for k in (0, lanes)]
        lower, upper = (builder.shuffle_vector(terms, terms, half) for half in halves)
        terms = builder.fadd(lower, upper)
    return builder.extract_element(terms, _place(0))
