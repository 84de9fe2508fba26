"""How compiled code reaches memory and looks at bits, spelled out for LLVM, where numba's own ways are slow to compile.

A slice of an array costs numba 40 ms of compiling, `row_at` 10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba.extending
from llvmlite import ir
from numba import types
from numba.core import cgutils as typed_cgutils

__all__ = ["ask_for", "bits_of", "float_of", "intrinsic", "lowest_bit", "pointers", "row_at"]

_FLOAT, _I8, _I32 = ir.FloatType(), ir.IntType(8), ir.IntType(32)

cgutils: Any = typed_cgutils


def intrinsic(function: Callable[..., Any]) -> Any:
    """Called from compiled code without the first argument."""
    return numba.extending.intrinsic(function)


def pointers(context: Any, builder: Any, signature: Any, arguments: Any) -> Callable[[int, Any, Any], Any]:
    """A function of (argument number, element, type): the address of that element of a flat array."""

    def pointer(argument: int, element: Any, kind: Any) -> Any:
        array = cgutils.create_struct_proxy(signature.args[argument])(context, builder, arguments[argument])
        return builder.bitcast(builder.gep(array.data, [element]), kind.as_pointer())

    return pointer


@intrinsic
def ask_for(_: Any, array: Any, element: Any) -> Any:
    """`ask_for(array, element)`: have the memory there brought into the second-level cache, without waiting for it.

    Not into the first, which takes fewer requests at a time: a scattered line took 12 ns there, 4 here (Zen 4).
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = pointers(context, builder, signature, arguments)(0, arguments[1], _I8)
        kind = ir.FunctionType(ir.VoidType(), [address.type, _I32, _I32, _I32])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(prefetch, [address, *(ir.Constant(_I32, value) for value in (0, 2, 1))])  # to read; second level
        return context.get_dummy_value()

    return types.void(array, element), generate


@intrinsic
def row_at(_: Any, array: Any, element: Any) -> Any:
    """`row_at(array, element)`: the array from there on, its address in one register; its `len` stays what it was.

    Left alone, LLVM takes every number of a row by two registers, which costs a step of the processor each time.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0])
        address = builder.gep(view.data, [arguments[1]])
        kind = ir.FunctionType(address.type, [address.type])
        view.data = builder.asm(kind, "", "=r,0", [address], False)
        return view._getvalue()

    return array(array, element), generate


@intrinsic
def float_of(_: Any, bits: Any) -> Any:
    """`float_of(bits)`: the float32 with the bits of this int32."""
    return types.float32(types.int32), _same_bits(_FLOAT)


@intrinsic
def bits_of(_: Any, number: Any) -> Any:
    """`bits_of(number)`: the int32 with the bits of this float32."""
    return types.int32(types.float32), _same_bits(_I32)


def _same_bits(kind: Any) -> Callable[..., Any]:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], kind)

    return generate


@intrinsic
def lowest_bit(_: Any, number: Any) -> Any:
    """`lowest_bit(number)`: the place of the lowest bit that is set; `number` is not zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(number), generate
