"""Drift of ln R in float32 in plain torch, from the formula of a drift shape.

Exponential and logarithm are written out in separately rounded multiplications and additions: the functions of
mathematical libraries differ in their last bit from one to the next, these give the same bits in every kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from weakreset.errors import SimulationError
from weakreset.model import DriftShape
from weakreset.simulation.traits import FIRST, OFFSET, own_numbers

__all__ = [
    "EXP_LIMIT",
    "EXP_TERMS",
    "LN_2",
    "LN_2_PARTS",
    "LOG_2_E",
    "LOG_TERMS",
    "SQRT_2",
    "check_drift",
    "drift",
    "exponential",
]


def _single(value: float) -> float:
    return float(np.float32(value))


LOG_2_E, LN_2, SQRT_2 = _single(math.log2(math.e)), _single(math.log(2)), _single(math.sqrt(2))
LN_2_PARTS = (0.693359375, _single(math.log(2) - 0.693359375))
"""ln 2 in two parts: products of the first with whole numbers are exact."""

EXP_TERMS = tuple(_single(1 / math.factorial(k)) for k in (7, 6, 5, 4, 3, 2, 1, 0))
LOG_TERMS = tuple(_single(2 / k) for k in (9, 7, 5, 3, 1))
EXP_LIMIT = 80.0  # the largest single-precision number is exp(88.7)
_MANTISSA, _EXPONENT_OF_ONE = (1 << 23) - 1, 127
_TRIED, _TOLERANCE = 60, 1e-4


def drift(shape: DriftShape, traits: Tensor, t: Tensor) -> Tensor:
    """ln R without fast noise after `t` >= 1 pulses (integers); `traits` has a row for each of them."""
    pulses = t.to(torch.float32)  # exact up to 2^24 pulses
    numbers = dict(zip(own_numbers(shape), traits[:, FIRST:].unbind(1), strict=True))
    numbers |= {"t": pulses, shape.offset: traits[:, OFFSET]}
    # a constant as a tensor: some operations of torch do something else for a number of Python's (c / x is c * (1 / x))
    log_r: Tensor = shape.formula.evaluate(_OPERATIONS, numbers, lambda value: torch.full_like(pulses, value))
    return log_r


def check_drift(shape: DriftShape, typical: Mapping[str, float]) -> None:
    """Compare float32 with the model for the typical device, pulse 1 to 10^5.

    Raises
    ------
    SimulationError
        They differ: the closed form is one that float32 cannot follow.
    """
    t = np.unique(np.geomspace(1, 1e5, _TRIED).astype(np.int64))
    with np.errstate(all="ignore"):
        wanted = shape.value(t, *(typical[name] for name in shape.parameters))
    row = torch.tensor([typical[shape.offset], 0.0, *(typical[name] for name in own_numbers(shape))])
    found = drift(shape, row.expand(len(t), -1), torch.from_numpy(t)).double().numpy()
    meant = np.abs(wanted) < EXP_LIMIT
    off = meant & ~(np.abs(found - wanted) < _TOLERANCE * (1.0 + np.abs(wanted)))
    if off.any() or np.isnan(wanted).any():
        i = int(np.flatnonzero(off | np.isnan(wanted))[0])
        raise SimulationError(
            f"drift shape {shape.name!r} cannot be simulated: at pulse {t[i]} ln(R/R0) of the median device is "
            f"{wanted[i]:.6g}, in float32 {found[i]:.6g}. Write its closed form so that it loses no digits, "
            "with logarithms and powers of positive numbers only"
        )


def exponential(x: Tensor) -> Tensor:
    """exp(x) to 3e-7 relative for |x| <= EXP_LIMIT, constant beyond."""
    x = x.clamp(-EXP_LIMIT, EXP_LIMIT)
    # exp(x) = 2^k exp(r), |r| <= ln 2 / 2: degree 7 of Taylor's series then leaves less than float32 holds
    whole = (x * LOG_2_E).round_()
    rest = (x - whole * LN_2_PARTS[0]) - whole * LN_2_PARTS[1]
    result = torch.full_like(x, EXP_TERMS[0])
    for term in EXP_TERMS[1:]:
        result = result * rest + term
    # times 2^k, written into the exponent
    return result * ((whole.to(torch.int32) + _EXPONENT_OF_ONE) << 23).view(torch.float32)


def _logarithm(t: Tensor) -> Tensor:
    """ln t to 3e-7 (relative for t >= 1), no number for t <= 0.

    Exponent and mantissa apart, 2 artanh((m - 1) / (m + 1)) as a series.
    """
    bits = t.view(torch.int32)
    mantissa = ((bits & _MANTISSA) | _EXPONENT_OF_ONE << 23).view(torch.float32)
    upper = mantissa > SQRT_2  # m in sqrt(1/2) .. sqrt 2, where the series is shortest
    mantissa = torch.where(upper, mantissa * 0.5, mantissa)
    exponent = ((bits >> 23) - _EXPONENT_OF_ONE + upper.to(torch.int32)).to(torch.float32)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square, result = s * s, torch.full_like(s, LOG_TERMS[0])
    for term in LOG_TERMS[1:]:
        result = result * square + term
    return torch.where(t > 0, exponent * LN_2 + result * s, torch.nan)


_OPERATIONS: Mapping[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "subtract": torch.subtract,
    "multiply": torch.multiply,
    "divide": torch.divide,
    "negative": torch.negative,
    "minimum": torch.minimum,
    "maximum": torch.maximum,
    "exp": exponential,
    "expm1": lambda x: exponential(x) - 1.0,
    "log": _logarithm,
    "log1p": lambda x: _logarithm(x + 1.0),
    "power": lambda x, y: exponential(_logarithm(x) * y),
}
