"""What the compiled kernel works on: flat numpy arrays, by name."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["AdamStep", "Chip", "Floats", "Integers", "Physics", "Scratch"]

Floats: TypeAlias = NDArray[np.float32]
Integers: TypeAlias = NDArray[np.int64]


class Chip(NamedTuple):
    """Flat arrays of n devices, changed in place; an empty `unresponsive` means that there are none.

    `traits` (a row of `columns` numbers a device, see `traits`) and `poles` keep the numbers of a device
    together: what sparse updates cost is lines of memory touched.
    """

    log_r0: Floats
    traits: Floats
    poles: Floats
    rtn_high: NDArray[np.bool_]
    pulse_count: NDArray[np.int32]
    log_r: Floats
    unresponsive: NDArray[np.bool_]


class Physics(NamedTuple):
    """`kernels.NoiseTables` as flat numpy arrays.

    `skip` holds keep and renew of every pole for every burst, `high_after` a limit for each telegraph state before.
    `pole_sd` is a tuple: its length is part of its type, so the loop over the poles is compiled without a loop.
    """

    shape: int
    columns: np.uint64
    pink: bool
    rtn: bool
    skip: Floats
    high_after: Integers
    high_stationary: int
    pole_sd: tuple[np.float32, ...]
    white_sd: np.float32
    slow_sd: np.float32
    read_sd: np.float32
    normals: Floats


class Scratch(NamedTuple):
    """Room for a block, owned by one thread."""

    device: Integers
    n: Integers
    bursts: NDArray[np.int32]
    seen: Integers


class AdamStep(NamedTuple):
    """The numbers of one step of Adam, rounded to float32 once; `factor` is -lr / (1 - beta1^step)."""

    keep1: np.float32
    new1: np.float32
    keep2: np.float32
    new2: np.float32
    scale: np.float32
    eps: np.float32
    factor: np.float32
    limit: np.float32
    only_disagreeing: bool
