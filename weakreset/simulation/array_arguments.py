"""Arguments of a `DeviceArray` checked, and memory for its state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from weakreset.errors import SimulationError
from weakreset.simulation.moving_rows import MOST_PULSES

__all__ = [
    "check_counters", "check_saved", "check_spread", "checked_bursts", "checked_seed", "checked_shape", "large_zeros",
]

_SEED_BITS = 63  # torch keeps seeds in signed 64 bits
_LINE = 64  # bytes of a cache line: a row of a device shall lie in as few as it can


def large_zeros(shape: tuple[int, ...], dtype: type[np.generic]) -> Tensor:
    """Memory from numpy, which asks the system for large pages: scattered devices are found twice as fast.

    It begins where a line of memory does, so that the rows of a pair of devices share one.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(size + _LINE, dtype=np.uint8)
    start = -room.ctypes.data % _LINE  # bytes to the next line
    return torch.from_numpy(room[start : start + size].view(dtype).reshape(shape))


def checked_bursts(n: Tensor | int, count: Tensor) -> Tensor:
    """Pulses for devices that have had `count`, flat and on their device."""
    if isinstance(n, int):
        n = torch.full(count.shape, n)
    if n.is_floating_point() or n.is_complex() or n.dtype == torch.bool:
        raise SimulationError(f"pulse counts must be integers, got a tensor of {n.dtype}")
    if n.shape != count.shape:
        raise SimulationError(f"pulse counts have shape {tuple(n.shape)}, the array has {tuple(count.shape)}")
    bursts = n.to(count.device).reshape(-1)
    if bursts.numel() and int(bursts.min()) < 0:
        raise SimulationError(f"pulses must be >= 0, got {int(bursts.min())}; to lower R use set_()")
    if bursts.numel():
        check_counters(int(bursts.max()), count)
    return bursts


def check_counters(longest: int, count: Tensor) -> None:
    """Refuse a burst of `longest` pulses where a device's counter, one of `count`, could run over."""
    # the largest burst beside the fullest counter: one pass each, no sum that could overflow
    if longest > MOST_PULSES - (fullest := int(count.max())):
        raise SimulationError(
            f"{longest} pulses for devices that have had up to {fullest}: the counter of a device "
            f"holds {MOST_PULSES} between two SETs"
        )


def checked_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(int(size) for size in shape)
    if any(size < 0 for size in sizes):
        raise SimulationError(f"shape must hold numbers >= 0, got {sizes}")
    return sizes


def checked_seed(seed: int) -> int:
    if isinstance(seed, bool) or not 0 <= int(seed) < 1 << _SEED_BITS:
        raise SimulationError(f"seed must be an integer in 0 .. 2^{_SEED_BITS} - 1, got {seed!r}")
    return int(seed)


def check_saved(state: Mapping[str, Any], prefix: str, physics: int) -> None:
    """Refuse a saved state, its names beginning with `prefix`, that is not of devices with this `physics`."""
    if f"{prefix}log_r" in state:
        raise SimulationError(
            f"{prefix or 'state'}: was saved by an older weakreset, which kept ln R and pulse counts in tensors of "
            "their own; train that run anew"
        )
    saved = state.get(f"{prefix}physics")
    if saved is not None and (saved.numel() != 1 or int(saved) != physics):
        raise SimulationError(
            f"{prefix or 'state'}: was saved from devices with other noise, direction, RESET pulse or number of poles; "
            "build the array with the parameter file it was saved with"
        )


def check_spread(state: Mapping[str, Any], prefix: str, log_r0: Tensor, traits: Tensor, first: int) -> None:
    """Refuse devices that differ from each other where these are all alike, or the other way round.

    Own numbers come with the state: loading them would bring back a device-to-device spread that was switched off.
    `traits` are the columns from `first` on: those before hold noise too, which makes them differ without D2D.
    """
    saved_r0, saved = state.get(f"{prefix}log_r0"), state.get(f"{prefix}traits")
    if saved_r0 is None or saved is None or log_r0.numel() < 2 or saved[..., first:].shape != traits.shape:
        return
    mine, theirs = (_differ(*parts) for parts in ((log_r0, traits), (saved_r0, saved[..., first:])))
    if mine != theirs:
        here, there = ("different", "all alike") if sum(mine) > sum(theirs) else ("all alike", "different")
        raise SimulationError(
            f"{prefix or 'state'}: devices were saved that are {there} in some of their own numbers, and these are "
            f"{here} there: device-to-device spread is switched off (without='d2d', or the file's own d2d block) for "
            "one of the two. Loading would bring it back, or take it away: build the array with the same file and the "
            "same `without`"
        )


def _differ(log_r0: Tensor, traits: Tensor) -> list[bool]:
    """Whether ln R0, and each column of traits, differs from device to device."""
    rows = traits.reshape(-1, traits.shape[-1])
    return [bool((log_r0 != log_r0.reshape(-1)[0]).any()), *(rows != rows[0]).any(0).tolist()]
