"""Drift shapes in compiled loops, and how to compile; see `drift` for the arithmetic, `compiled` for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

from weakreset.simulation.compiled_types import Floats, Integers
from weakreset.simulation.drift import EXP_LIMIT, EXP_TERMS, LN_2, LN_2_PARTS, LOG_2_E, LOG_TERMS, SQRT_2
from weakreset.simulation.traits import FIRST, SHAPE_NUMBERS

__all__ = ["add_drift", "entry", "inner"]

Function = TypeVar("Function", bound=Callable[..., Any])


def entry(function: Function) -> Function:
    """Callable from Python; kept on disk for the next process; other threads run while it does.

    numba compiles anew when the file of `function` changes, and does not see changes of files it imports from:
    while working on these, set NUMBA_CACHE_DIR to an empty folder.
    """
    return cast(Function, numba.njit(nogil=True, cache=True, error_model="numpy")(function))


def inner(function: Function) -> Function:
    """Callable from compiled code only, which saves half of the time to compile it."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(Function, numba.njit(nogil=True, error_model="numpy", **options)(function))


_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_ROUNDER = np.float32(1.5 * 2**23)
_LIMIT, _LOG_2_E, _LN_2, _SQRT_2 = (np.float32(value) for value in (EXP_LIMIT, LOG_2_E, LN_2, SQRT_2))
_LN_2_HIGH, _LN_2_LOW = (np.float32(value) for value in LN_2_PARTS)
_E7, _E6, _E5, _E4, _E3, _E2, _E1, _E0 = (np.float32(value) for value in EXP_TERMS)
_L9, _L7, _L5, _L3, _L1 = (np.float32(value) for value in LOG_TERMS)
_BIAS, _MANTISSA = np.int32(127), np.int32((1 << 23) - 1)
_TWO_SLOPE, _SINGLE_SLOPE, _POWER_LAW = (
    SHAPE_NUMBERS[name] for name in ("two-slope", "single-slope", "power-law")
)


@inner
def _exponential(x: Floats, powers: Floats) -> None:
    """In place; `powers` is room."""
    bits = powers.view(np.int32)
    for k in range(len(x)):
        v = min(max(x[k], -_LIMIT), _LIMIT)
        whole = (v * _LOG_2_E + _ROUNDER) - _ROUNDER
        r = (v - whole * _LN_2_HIGH) - whole * _LN_2_LOW
        x[k] = ((((((_E7 * r + _E6) * r + _E5) * r + _E4) * r + _E3) * r + _E2) * r + _E1) * r + _E0
        bits[k] = (np.int32(whole) + _BIAS) << np.int32(23)
    for k in range(len(x)):
        x[k] *= powers[k]


@inner
def _logarithm(t: Floats, mantissas: Floats) -> None:
    """In place; `mantissas` is room."""
    bits, mantissa_bits = t.view(np.int32), mantissas.view(np.int32)
    for k in range(len(t)):
        mantissa_bits[k] = (bits[k] & _MANTISSA) | (_BIAS << np.int32(23))
    for k in range(len(t)):
        mantissa = mantissas[k]
        upper = mantissa > _SQRT_2
        mantissa = mantissa * _HALF if upper else mantissa
        exponent = np.float32((bits[k] >> np.int32(23)) - _BIAS + np.int32(upper))
        s = (mantissa - _ONE) / (mantissa + _ONE)
        q = s * s
        series = ((((_L9 * q + _L7) * q + _L5) * q + _L3) * q + _L1) * s
        t[k] = exponent * _LN_2 + series


@inner
def _two_slope(index: Integers, pulses: Floats, traits: Floats, log_r: Floats) -> None:
    for k in range(len(index)):
        i, t = np.uint64(index[k]), pulses[k]
        m1, knee, m2 = traits[i, FIRST], traits[i, FIRST + 1], traits[i, FIRST + 2]
        log_r[k] = (log_r[k] + m1 * min(t, knee)) + m2 * max(t - knee, _ZERO)


@inner
def _power_law(index: Integers, pulses: Floats, traits: Floats, room: Floats, log_r: Floats) -> None:
    _logarithm(pulses, room)
    for k in range(len(index)):
        pulses[k] *= traits[np.uint64(index[k]), FIRST + 1]
    _exponential(pulses, room)
    for k in range(len(index)):
        log_r[k] += traits[np.uint64(index[k]), FIRST] * pulses[k]


@inner
def _saturating(index: Integers, pulses: Floats, traits: Floats, room: Floats, log_r: Floats) -> None:
    for k in range(len(index)):
        pulses[k] = pulses[k] / -traits[np.uint64(index[k]), FIRST + 1]
    _exponential(pulses, room)
    for k in range(len(index)):
        log_r[k] += traits[np.uint64(index[k]), FIRST] * (_ONE - pulses[k])


@inner
def add_drift(shape: int, index: Integers, pulses: Floats, traits: Floats, room: Floats, log_r: Floats) -> None:
    """Add the drift after `pulses` to `log_r`; `pulses` and `room` are overwritten."""
    if shape == _TWO_SLOPE:
        _two_slope(index, pulses, traits, log_r)
    elif shape == _SINGLE_SLOPE:
        for k in range(len(index)):
            log_r[k] += traits[np.uint64(index[k]), FIRST] * pulses[k]
    elif shape == _POWER_LAW:
        _power_law(index, pulses, traits, room, log_r)
    else:
        _saturating(index, pulses, traits, room, log_r)
