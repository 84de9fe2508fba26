"""Drift formulas, compiled; see `simulation.drift` for the arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba.extending
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils as typed_cgutils

from weakreset.simulation.compiled.arguments import ROUNDER
from weakreset.simulation.compiled.compiling import inner
from weakreset.simulation.compiled.memory import bits_of, float_of
from weakreset.simulation.drift import EXP_LIMIT, EXP_TERMS, LN_2, LN_2_PARTS, LOG_2_E, LOG_TERMS, SQRT_2
from weakreset.simulation.traits import FIRST, OFFSET, numbered_formula, own_numbers

__all__ = ["with_drift"]

cgutils: Any = typed_cgutils
_FLOAT, _I64 = ir.FloatType(), ir.IntType(64)

_ZERO, _HALF, _ONE, _NAN = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(np.nan)
_LIMIT, _LOG_2_E, _LN_2, _SQRT_2 = (np.float32(value) for value in (EXP_LIMIT, LOG_2_E, LN_2, SQRT_2))
_LN_2_HIGH, _LN_2_LOW = (np.float32(value) for value in LN_2_PARTS)
_E7, _E6, _E5, _E4, _E3, _E2, _E1, _E0 = (np.float32(value) for value in EXP_TERMS)
_L9, _L7, _L5, _L3, _L1 = (np.float32(value) for value in LOG_TERMS)
_BIAS, _MANTISSA, _S23 = np.int32(127), np.int32((1 << 23) - 1), np.int32(23)


@inner
def _exponential(x: Any) -> Any:
    v = _LIMIT if x > _LIMIT else x
    v = -_LIMIT if v < -_LIMIT else v
    whole = (v * _LOG_2_E + ROUNDER) - ROUNDER  # half to even, as torch rounds
    r = (v - whole * _LN_2_HIGH) - whole * _LN_2_LOW
    series = ((((((_E7 * r + _E6) * r + _E5) * r + _E4) * r + _E3) * r + _E2) * r + _E1) * r + _E0
    return series * float_of(np.int32((np.int32(whole) + _BIAS) << _S23))


@inner
def _logarithm(t: Any) -> Any:
    bits = bits_of(t)
    mantissa = float_of(np.int32((bits & _MANTISSA) | (_BIAS << _S23)))
    upper = mantissa > _SQRT_2
    mantissa = mantissa * _HALF if upper else mantissa
    exponent = np.float32((bits >> _S23) - _BIAS + np.int32(upper))
    s = (mantissa - _ONE) / (mantissa + _ONE)
    q = s * s
    found = exponent * _LN_2 + ((((_L9 * q + _L7) * q + _L5) * q + _L3) * q + _L1) * s
    return found if t > _ZERO else _NAN


@inner
def _expm1(x: Any) -> Any:
    return _exponential(x) - _ONE


@inner
def _log1p(x: Any) -> Any:
    return _logarithm(x + _ONE)


@inner
def _power(x: Any, y: Any) -> Any:
    return _exponential(_logarithm(x) * y)


def _with_drift(_: Any, shape: Any, traits: Any, own: Any, t: Any) -> Any:
    """`with_drift(shape, traits, own, t)`: ln R without fast noise after `t` >= 1 pulses, traits from `own` on.

    `shape` is the number of the formula, as a `Constant`: the formula is worked out while this is compiled, and what
    remains of it are its additions and multiplications, each rounded by itself.
    """
    drift = numbered_formula(len(shape))
    columns = {drift.offset: OFFSET} | {name: FIRST + i for i, name in enumerate(own_numbers(drift))}

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = cgutils.create_struct_proxy(signature.args[1])(context, builder, arguments[1]).data
        row = builder.gep(array, [arguments[2]])
        numbers = {name: builder.load(builder.gep(row, [ir.Constant(_I64, i)])) for name, i in columns.items()}
        numbers["t"] = arguments[3]  # pulses as float32
        return drift.formula.evaluate(_operations(context, builder), numbers, _constant)

    return types.float32(shape, traits, own, t), generate


with_drift: Any = numba.extending.intrinsic(_with_drift)


def _constant(value: float) -> Any:
    return ir.Constant(_FLOAT, float(np.float32(value)))


def _operations(context: Any, builder: Any) -> dict[str, Callable[..., Any]]:
    """What the formulas of drift shapes are made of, for LLVM."""

    def smaller(x: Any, y: Any) -> Any:
        return builder.fcmp_ordered("<", x, y)

    def of_one(function: Any) -> Callable[..., Any]:
        one = types.float32(types.float32)
        return lambda x: context.compile_internal(builder, lambda x: function(x), one, (x,))

    def power(x: Any, y: Any) -> Any:
        two = types.float32(types.float32, types.float32)
        return context.compile_internal(builder, lambda x, y: _power(x, y), two, (x, y))

    return {
        "add": builder.fadd, "subtract": builder.fsub, "multiply": builder.fmul, "divide": builder.fdiv,
        "negative": builder.fneg,
        "minimum": lambda x, y: builder.select(smaller(x, y), x, y),
        "maximum": lambda x, y: builder.select(smaller(y, x), x, y),
        "exp": of_one(_exponential), "expm1": of_one(_expm1), "log": of_one(_logarithm), "log1p": of_one(_log1p),
        "power": power,
    }
