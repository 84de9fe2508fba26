"""Pieces of the compiled kernel that work on several numbers at once, spelled out for LLVM.

LLVM does not find these by itself: numba cannot promise it that two arrays never overlap. The arithmetic is that of
`kernels`, every operation rounded by itself; on processors without vectors LLVM takes them apart again.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from weakreset.simulation.compiled.arguments import ROUNDER
from weakreset.simulation.compiled.memory import intrinsic, pointers
from weakreset.simulation.counter_random import GAMMA, MULTIPLIERS, SHIFTS, WORDS
from weakreset.simulation.normal_vectors import LANES, PLACES, VECTOR_MASK, WHITE_MASK, WHITE_PLACE

__all__ = ["MASK_WIDTH", "WIDTH", "advance_poles", "fill_words", "where_any", "white_term"]

WIDTH = 8
"""Devices whose random words are made at once."""

MASK_WIDTH = 64
"""Bursts that are looked at at once."""

_VECTOR_BYTES = 4 * LANES * (VECTOR_MASK + 1)

_FLOAT, _I8, _I16, _I32, _I64 = ir.FloatType(), ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)


def _vector(kind: Any, size: int) -> Any:
    return ir.VectorType(kind, size)


def _same(kind: Any, size: int, value: float) -> Any:
    return ir.Constant(_vector(kind, size), [value] * size)


def _unset(kind: Any, size: int) -> Any:
    return ir.Constant(_vector(kind, size), ir.Undefined)


def _place(j: int) -> Any:
    return ir.Constant(_I32, j)


@intrinsic
def where_any(_: Any, bursts: Any, k: Any) -> Any:
    """`where_any(bursts, k)`: a 64-bit number whose bit j tells whether bursts[k + j], j in 0 .. 63, is not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = pointers(context, builder, signature, arguments)(0, arguments[1], _vector(_I32, MASK_WIDTH))
        some = builder.icmp_signed("!=", builder.load(place, align=4), _same(_I32, MASK_WIDTH, 0))
        return builder.bitcast(some, _I64)

    return types.uint64(bursts, k), generate


@intrinsic
def fill_words(_: Any, device: Any, k: Any, words: Any, part: Any, key: Any, sds: Any) -> Any:
    """`fill_words(device, k, words, part, key, pole_sd)`: random words of the devices device[k : k + WIDTH].

    `words` is cut into parts, and k counts modulo `part`, a power of two: of the 32 bits of the telegraph, then for
    every four poles of words that hold, in 16 bits each, where in `Physics.vectors` three vectors and the white term
    begin, in bytes.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = pointers(context, builder, signature, arguments)

        within = builder.and_(arguments[1], builder.sub(arguments[3], ir.Constant(_I64, 1)))

        def part(number: int) -> Any:
            start = builder.mul(arguments[3], ir.Constant(_I64, number))
            return pointer(2, builder.add(within, start), _vector(_I64, WIDTH))

        first, second = (_spread(builder, builder.extract_value(arguments[4], j)) for j in (0, 1))
        scaled = _same(_I64, WIDTH, WORDS * GAMMA % 2**64)
        numbers = builder.load(pointer(0, arguments[1], _vector(_I64, WIDTH)), align=8)
        start = builder.add(builder.mul(numbers, scaled), first)
        for j in range(sds.count // LANES):
            word = _word(builder, builder.add(start, _same(_I64, WIDTH, j * GAMMA % 2**64)), second)
            builder.store(_fields(builder, word), part(1 + j), align=8)
            if j == 0:
                builder.store(builder.lshr(word, _same(_I64, WIDTH, 32)), part(0), align=8)
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
    """The numbers in a word as places in the table, 16 bits apart: 16 bytes a vector, 4 a white term behind them."""
    fields = [(place, VECTOR_MASK, 16 * j + 4) for j, place in enumerate(PLACES)]
    result = _same(_I64, WIDTH, _VECTOR_BYTES << 48)
    for place, mask, start in [*fields, (WHITE_PLACE, WHITE_MASK, 50)]:
        moved = builder.shl(word, _same(_I64, WIDTH, start - place))
        result = builder.or_(result, builder.and_(moved, _same(_I64, WIDTH, mask << start)))
    return result


@intrinsic
def white_term(_: Any, table: Any, words: Any, k: Any) -> Any:
    """`white_term(vectors, words, k)`: the white term of the words that `fill_words` put at number `k`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = pointers(context, builder, signature, arguments)
        return builder.load(_entry(builder, pointer, 0, pointer(1, arguments[2], _I16), len(PLACES), _FLOAT))

    return types.float32(table, words, k), generate


def _entry(builder: Any, pointer: Any, table: int, fields: Any, number: int, kind: Any) -> Any:
    """Where in a table the entry is that a field of a word tells, in bytes."""
    byte = builder.zext(builder.load(builder.gep(fields, [ir.Constant(_I64, number)])), _I64)
    return builder.bitcast(builder.gep(pointer(table, ir.Constant(_I64, 0), _I8), [byte]), kind.as_pointer())


@intrinsic
def advance_poles(_: Any, row: Any, burst: Any, table: Any, words: Any, k: Any, part: Any, sds: Any) -> Any:
    """`advance_poles(row, burst, vectors, words, k, part, pole_sd)`: what the poles add to ln R now.

    The poles at the beginning of `row` go through the burst whose keep and renew begin `burst`, with the words that
    `fill_words` put at number `k`, and `part` further on.
    """
    lanes = sds.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer, floats = pointers(context, builder, signature, arguments), _vector(_FLOAT, lanes)

        def normals(word: int) -> Any:
            start = builder.mul(arguments[5], ir.Constant(_I64, word))
            fields, kind = pointer(3, builder.add(arguments[4], start), _I16), _vector(_FLOAT, LANES)
            a, b, c = (builder.load(_entry(builder, pointer, 2, fields, j, kind), align=4) for j in range(len(PLACES)))
            return builder.fadd(builder.fadd(a, b), c)

        def floats_at(argument: int, element: int) -> Any:
            return builder.load(pointer(argument, ir.Constant(_I64, element), floats), align=8)

        stored = pointer(0, ir.Constant(_I64, 0), _vector(_I16, lanes))
        before = builder.sitofp(builder.sext(builder.load(stored, align=4), _vector(_I32, lanes)), floats)
        keep, renew = floats_at(1, 0), floats_at(1, lanes // 2)  # numbers of 8 bytes
        sd = _unset(_FLOAT, lanes)
        for j in range(lanes):
            sd = builder.insert_element(sd, builder.extract_value(arguments[6], j), _place(j))
        fresh = _joined(builder, [normals(word) for word in range(lanes // LANES)])
        rounder = _same(_FLOAT, lanes, float(ROUNDER))
        now = builder.fadd(builder.fmul(before, keep), builder.fmul(fresh, renew))
        raised = builder.fadd(now, rounder)  # its lowest bits are the whole number
        whole = builder.trunc(builder.bitcast(raised, _vector(_I32, lanes)), _vector(_I16, lanes))
        builder.store(whole, stored, align=4)
        return _folded(builder, builder.fmul(builder.fsub(raised, rounder), sd), lanes)

    return types.float32(row, burst, table, words, k, part, sds), generate


def _joined(builder: Any, vectors: list[Any]) -> Any:
    """One vector after the other: one or two of them."""
    if len(vectors) == 1:
        return vectors[0]
    return builder.shuffle_vector(*vectors, ir.Constant(_vector(_I32, 2 * LANES), list(range(2 * LANES))))


def _folded(builder: Any, terms: Any, lanes: int) -> Any:
    """The sum: upper half onto lower half until one is left, as in `kernels`."""
    while lanes > 1:
        lanes //= 2
        halves = [ir.Constant(_vector(_I32, lanes), list(range(k, k + lanes))) for k in (0, lanes)]
        lower, upper = (builder.shuffle_vector(terms, terms, half) for half in halves)
        terms = builder.fadd(lower, upper)
    return builder.extract_element(terms, _place(0))
