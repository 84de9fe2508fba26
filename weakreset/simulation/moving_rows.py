"""What a pulse changes, side by side in one row of int32 a device: one line of memory holds both devices of a pair.

    poles of 1/f noise | 2 x pulse count + telegraph state | ln R

Poles take 16 bits each, in units of POLE_UNIT of their standard deviation. Rounding to it adds noise whose variance
is less than 2e-5 of that which even the slowest pole receives with a single pulse: much less than the fit of the
poles leaves of the spectrum, 1.4 %. ln R is a float32, bit for bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["MOST_PULSES", "POLE_UNIT", "lanes", "log_r_of", "poles_of", "row_width", "state_of"]

POLE_UNIT = 2.0**-11
"""16 bits reach 16 standard deviations."""

MOST_PULSES = 2**30 - 1
"""Of one device in one SET cycle; its counter is full then."""


def lanes(n_poles: int) -> int:
    """Places for poles in a row: 4 or 8, what processors move at once; the rest stay zero or count for nothing."""
    return 4 if n_poles <= 4 else 8


def row_width(n_poles: int) -> int:
    """int32 numbers in a row."""
    return lanes(n_poles) // 2 + 2  # two poles in 32 bits; counter; ln R


def log_r_of(moving: Tensor) -> Tensor:
    """ln R, float32, shape (*shape,): a view of `moving`, shape (*shape, row_width)."""
    return moving.view(torch.float32)[..., -1]


def state_of(moving: Tensor) -> Tensor:
    """2 x pulse count + telegraph state, int32: a view."""
    return moving[..., -2]


def poles_of(moving: Tensor) -> Tensor:
    """Poles in units of POLE_UNIT, int16, shape (*shape, lanes): a view."""
    return moving.view(torch.int16)[..., :-4]  # the last four int16 are the counter and ln R
