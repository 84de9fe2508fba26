"""The poles of a device, four or eight at once, spelled out for LLVM.

LLVM does not find this by itself: it would have to know that no two arrays overlap. One pole after the other, written
in numba, a step takes 1.5 times as long where all weights are pulsed and 1.1 times where 2 % are (Zen 4, one thread).
The arithmetic is that of `kernels`, every operation rounded by itself; on processors without vectors LLVM takes them
apart again.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from weakreset.simulation.compiled.arguments import ROUNDER
from weakreset.simulation.compiled.memory import intrinsic, pointers
from weakreset.simulation.normal_vectors import LANES, PLACES, VECTOR_MASK

__all__ = ["advance_poles"]

_FLOAT, _I16, _I32, _I64 = ir.FloatType(), ir.IntType(16), ir.IntType(32), ir.IntType(64)


@intrinsic
def advance_poles(
    _: Any, moving: Any, row: Any, factors: Any, burst: Any, table: Any, first: Any, second: Any, sds: Any
) -> Any:
    """`advance_poles(moving, row, factors, burst, vectors, first, second, pole_sd)`: what the poles add to ln R now.

    The poles that begin at `moving[row]` go through the burst whose keep and renew begin at `factors[burst]`, with the
    normals of one random word for every four of them: `first`, and `second` if there are eight.
    """
    lanes = sds.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer, floats = pointers(context, builder, signature, arguments), _vector(_FLOAT, lanes)
        entries = [[_entry(builder, pointer(4, _number(0), _FLOAT), arguments[5 + word], place) for place in PLACES]
                   for word in range(lanes // LANES)]
        normals = [builder.fadd(builder.fadd(a, b), c) for a, b, c in entries]
        keep = builder.load(pointer(2, arguments[3], floats), align=4)
        renew = builder.load(pointer(2, builder.add(arguments[3], _number(lanes)), floats), align=4)
        stored = pointer(0, arguments[1], _vector(_I16, lanes))
        before = builder.sitofp(builder.sext(builder.load(stored, align=4), _vector(_I32, lanes)), floats)
        now = builder.fadd(builder.fmul(before, keep), builder.fmul(_joined(builder, normals), renew))
        rounder = _same(lanes, float(ROUNDER))
        raised = builder.fadd(now, rounder)  # its lowest bits are the whole number
        whole = builder.trunc(builder.bitcast(raised, _vector(_I32, lanes)), _vector(_I16, lanes))
        builder.store(whole, stored, align=4)
        sd = ir.Constant(floats, ir.Undefined)
        for j in range(lanes):
            sd = builder.insert_element(sd, builder.extract_value(arguments[7], j), ir.Constant(_I32, j))
        return _folded(builder, builder.fmul(builder.fsub(raised, rounder), sd), lanes)

    return types.float32(moving, row, factors, burst, table, first, second, sds), generate


def _vector(kind: Any, size: int) -> Any:
    return ir.VectorType(kind, size)


def _same(size: int, value: float) -> Any:
    return ir.Constant(_vector(_FLOAT, size), [value] * size)


def _number(value: int) -> Any:
    return ir.Constant(_I64, value)


def _entry(builder: Any, table: Any, word: Any, place: int) -> Any:
    """The vector whose number in the table begins at bit `place` of the word."""
    number = builder.and_(builder.lshr(word, _number(place)), _number(VECTOR_MASK))
    address = builder.gep(table, [builder.mul(number, _number(LANES))])
    return builder.load(builder.bitcast(address, _vector(_FLOAT, LANES).as_pointer()), align=4)


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
    return builder.extract_element(terms, ir.Constant(_I32, 0))
