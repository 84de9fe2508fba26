"""What the compiled kernel works on: flat numpy arrays, by name."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ROUNDER",
    "AdamStep",
    "Chip",
    "Constant",
    "Floats",
    "Integers",
    "Masks",
    "Physics",
    "Programming",
    "Scratch",
    "Wholes",
    "constant",
]

Floats: TypeAlias = NDArray[np.float32]
Integers: TypeAlias = NDArray[np.int64]
Wholes: TypeAlias = NDArray[np.int32]
Masks: TypeAlias = NDArray[np.uint64]

Constant: TypeAlias = tuple[None, ...]
"""A number as the length of a tuple, which is part of its type: code is compiled for this number alone."""

ROUNDER = np.float32(1.5 * 2**23)
"""Added and subtracted, it rounds float32 up to 2^22 to integers, halves to even."""


def constant(number: int) -> Constant:
    """`number`, for compiled code."""
    return (None,) * number


class Chip(NamedTuple):
    """Flat arrays of n devices, changed in place; an empty `unresponsive` means that there are none.

    `traits` (a row of `columns` numbers a device, see `traits`) and `moving` (of `width`, see `moving_rows`) keep the
    numbers of a device together: what sparse updates cost is lines of memory touched.
    """

    traits: Floats
    moving: Wholes
    unresponsive: NDArray[np.bool_]


class Physics(NamedTuple):
    """`kernels.NoiseTables` as flat numpy arrays.

    `factors` has a row for every burst: keep of every pole, then renew of every pole. So has `limits`: that of each
    telegraph state before. `pole_sd` is a tuple: its length is part of its type, so code for the poles is compiled
    without loops.
    """

    shape: Constant
    columns: Constant
    width: Constant
    pink: Constant
    rtn: Constant
    read: Constant
    factors: Floats
    limits: Integers
    pole_sd: tuple[np.float32, ...]
    read_sd: np.float32
    normals: Floats
    vectors: Floats
    white: Floats


class Scratch(NamedTuple):
    """Room for a block, owned by one thread."""

    device: Integers
    pulses: Integers
    words: Integers
    difference: Floats
    bursts: Wholes
    masks: Masks


class Programming(NamedTuple):
    """How a pair is programmed: the k-th burst has `bursts[k]` pulses, and none takes a device beyond `most` pulses.

    Pulses on BL make a weight rise if `sign` is 1, fall if it is -1.
    """

    sign: np.int32
    bursts: Integers
    most: np.int64


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
