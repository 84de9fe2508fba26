"""Drift shapes, compiled, and how to compile; see `simulation.drift` for the arithmetic, `step` for the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

from weakreset.simulation.compiled.arguments import ROUNDER, Constant, Floats
from weakreset.simulation.compiled.memory import bits_of, float_of
from weakreset.simulation.drift import EXP_LIMIT, EXP_TERMS, LN_2, LN_2_PARTS, LOG_2_E, LOG_TERMS, SQRT_2
from weakreset.simulation.traits import FIRST, OFFSET, SHAPE_NUMBERS

__all__ = ["entry", "inlined", "inner", "with_drift"]

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {
    "nogil": True, "error_model": "numpy",
    "_nrt": False,  # nothing is allocated: no counts of references, and an eighth less time to compile
}
_INNER = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_INLINED = _INNER | {"inline": "always"}


def entry(function: Function) -> Function:
    """Callable from Python; kept on disk for the next process; other threads run while it does.

    numba keeps the code under the name of `function` and sees when its file changes, not when those change that it
    takes functions and numbers from: so their contents are made part of the name.
    """
    function.__qualname__ = f"{function.__qualname__}_{_contents()}"
    return cast(Function, numba.njit(cache=True, **_OPTIONS)(function))


@lru_cache(maxsize=1)
def _contents() -> str:
    """Short for what the files of the simulation say."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def inner(function: Function) -> Function:
    """Callable from compiled code only, which saves half of the time to compile it."""
    return cast(Function, numba.njit(**_INNER)(function))


def inlined(function: Function) -> Function:
    """Put into the functions that call it; which of the two kinds compiles faster was found by trying."""
    return cast(Function, numba.njit(**_INLINED)(function))


_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_LIMIT, _LOG_2_E, _LN_2, _SQRT_2 = (np.float32(value) for value in (EXP_LIMIT, LOG_2_E, LN_2, SQRT_2))
_LN_2_HIGH, _LN_2_LOW = (np.float32(value) for value in LN_2_PARTS)
_E7, _E6, _E5, _E4, _E3, _E2, _E1, _E0 = (np.float32(value) for value in EXP_TERMS)
_L9, _L7, _L5, _L3, _L1 = (np.float32(value) for value in LOG_TERMS)
_BIAS, _MANTISSA, _S23 = np.int32(127), np.int32((1 << 23) - 1), np.int32(23)
_TWO_SLOPE, _SINGLE_SLOPE, _POWER_LAW = (
    SHAPE_NUMBERS[name] for name in ("two-slope", "single-slope", "power-law")
)
_OFFSET, _A, _B, _C = (np.uint64(column) for column in (OFFSET, FIRST, FIRST + 1, FIRST + 2))


@inner
def _exponential(x: Any) -> Any:
    v = _LIMIT if x > _LIMIT else x
    v = -_LIMIT if v < -_LIMIT else v
    whole = (v * _LOG_2_E + ROUNDER) - ROUNDER
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
    return exponent * _LN_2 + ((((_L9 * q + _L7) * q + _L5) * q + _L3) * q + _L1) * s


@inner
def with_drift(shape: Constant, own: Floats, t: Any) -> Any:
    """ln R without fast noise after `t` >= 1 pulses; `own` begins with the traits of the device."""
    log_r, first = own[_OFFSET], own[_A]
    if len(shape) == _TWO_SLOPE:
        knee, second = own[_B], own[_C]
        beyond = t - knee
        return (log_r + first * (t if t < knee else knee)) + second * (beyond if beyond > _ZERO else _ZERO)
    if len(shape) == _SINGLE_SLOPE:
        return log_r + first * t
    if len(shape) == _POWER_LAW:
        return log_r + first * _exponential(_logarithm(t) * own[_B])
    return log_r + first * (_ONE - _exponential(t / -own[_B]))
