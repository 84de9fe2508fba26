"""How compiled code asks for memory ahead of its use, and how it looks at the bits of a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba.extending
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils as typed_cgutils

from weakreset.simulation.compiled.compiling import inner

__all__ = ["ask_for", "bits_of", "float_of", "intrinsic", "pointers"]

_I8, _I32 = ir.IntType(8), ir.IntType(32)

cgutils: Any = typed_cgutils


@inner
def float_of(bits: Any) -> Any:
    """The float32 with the bits of this int32."""
    return np.int32(bits).view(np.float32)


@inner
def bits_of(number: Any) -> Any:
    """The int32 with the bits of this float32."""
    return np.float32(number).view(np.int32)


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

    Spelled out for LLVM, as numba has no way to say it. Without it a step takes 1.4 times as long where all weights are
    pulsed, and 1.5 to 1.8 times where 2 % are (Zen 4, one thread). Not into the first-level cache, which
    takes fewer requests at a time: a scattered line took 12 ns there, 4 here.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = pointers(context, builder, signature, arguments)(0, arguments[1], _I8)
        kind = ir.FunctionType(ir.VoidType(), [address.type, _I32, _I32, _I32])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(prefetch, [address, *(ir.Constant(_I32, value) for value in (0, 2, 1))])  # to read; second level
        return context.get_dummy_value()

    return types.void(array, element), generate
