"""Drift of ln R in float32, for every drift shape of `weakreset.model`, in plain torch.

Exponential and logarithm are written out in separately rounded multiplications and additions: the functions of
mathematical libraries differ in their last bit from one to the next, these give the same bits in every kernel.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from weakreset.simulation.traits import FIRST, OFFSET

__all__ = ["EXP_LIMIT", "EXP_TERMS", "LN_2", "LN_2_PARTS", "LOG_2_E", "LOG_TERMS", "SQRT_2", "drift", "exponential"]


def _single(value: float) -> float:
    return float(np.float32(value))


LOG_2_E, LN_2, SQRT_2 = _single(math.log2(math.e)), _single(math.log(2)), _single(math.sqrt(2))
LN_2_PARTS = (0.693359375, _single(math.log(2) - 0.693359375))
"""ln 2 in two parts: products of the first with whole numbers are exact."""

EXP_TERMS = tuple(_single(1 / math.factorial(k)) for k in (7, 6, 5, 4, 3, 2, 1, 0))
LOG_TERMS = tuple(_single(2 / k) for k in (9, 7, 5, 3, 1))
EXP_LIMIT = 80.0
_MANTISSA, _EXPONENT_OF_ONE = (1 << 23) - 1, 127


def drift(shape: str, traits: Tensor, t: Tensor) -> Tensor:
    """ln R without fast noise after `t` >= 1 pulses (integers); `traits` has a row for each of them."""
    pulses, log_r, numbers = t.to(torch.float32), traits[:, OFFSET].clone(), traits[:, FIRST:].unbind(1)
    if shape == "two-slope":
        m1, knee, m2 = numbers
        log_r += m1 * torch.minimum(pulses, knee)
        log_r += m2 * (pulses - knee).clamp_(min=0.0)
    elif shape == "single-slope":
        log_r += numbers[0] * pulses
    elif shape == "power-law":
        log_r += numbers[0] * exponential(_logarithm(pulses) * numbers[1])
    else:  # saturating-exponential
        log_r += numbers[0] * (1.0 - exponential(pulses / -numbers[1]))
    return log_r


def exponential(x: Tensor) -> Tensor:
    """exp(x) to 3e-7 relative for |x| <= EXP_LIMIT, constant beyond."""
    x = x.clamp(-EXP_LIMIT, EXP_LIMIT)
    whole = (x * LOG_2_E).round_()
    rest = (x - whole * LN_2_PARTS[0]) - whole * LN_2_PARTS[1]
    result = torch.full_like(x, EXP_TERMS[0])
    for term in EXP_TERMS[1:]:
        result = result * rest + term
    return result * ((whole.to(torch.int32) + _EXPONENT_OF_ONE) << 23).view(torch.float32)


def _logarithm(t: Tensor) -> Tensor:
    """ln t to 3e-7 relative for t >= 1: exponent and mantissa apart, 2 artanh((m - 1) / (m + 1)) as a series."""
    bits = t.view(torch.int32)
    mantissa = ((bits & _MANTISSA) | _EXPONENT_OF_ONE << 23).view(torch.float32)
    upper = mantissa > SQRT_2
    mantissa = torch.where(upper, mantissa * 0.5, mantissa)
    exponent = ((bits >> 23) - _EXPONENT_OF_ONE + upper.to(torch.int32)).to(torch.float32)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square, result = s * s, torch.full_like(s, LOG_TERMS[0])
    for term in LOG_TERMS[1:]:
        result = result * square + term
    return exponent * LN_2 + result * s
