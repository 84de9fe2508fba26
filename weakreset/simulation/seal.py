"""Whether a weight is still what its devices hold.

Devices move by pulses alone, so a weight that anything else wrote (another optimizer, an init, averaging, `.data`) is
not on the chip. Comparing every weight with its pair at every step would cost a tenth of the step; what is compared
instead, each time a layer hands out its weight:

- torch's version counters and the places in memory of weight and devices: what is written through torch shows there;
- a block of at most `BLOCK` weights, another one after each step, for what does not show there (`.data`, numpy). A
  layer that is no larger is compared whole every time. Outside of training every layer is compared whole. What a block
  must be is read from the devices, not from the weight, or a step would bless what was written before it.

Rows are compared by their product with a fixed vector of whole numbers: one pass over memory. The sums stay below
2^24, so float32 has them exactly and in any order. Whatever looks different is compared with the devices themselves,
which decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from weakreset.simulation.device_array import DeviceArray

__all__ = ["BLOCK", "Seal", "next_rows"]

BLOCK = 1 << 12  # weights looked at after each step: hidden writes are found within numel / BLOCK steps
_EXACT = 1 << 23


@dataclass(frozen=True, eq=False)
class Seal:
    """What a weight and its devices looked like when the two agreed.

    Attributes
    ----------
    weight, devices : tuple of int
        Versions and places in memory.
    first, last : int
        The rows that were looked at.
    values : Tensor
        What they gave.
    """

    weight: tuple[int, ...]
    devices: tuple[int, ...]
    first: int
    last: int
    values: Tensor

    @classmethod
    def whole(cls, weight: Tensor, array: DeviceArray) -> Seal:
        """Of a weight that was compared with all its devices."""
        return cls(_weight_state(weight), _device_state(array), 0, len(weight), _products(weight))

    @classmethod
    def after_step(cls, weight: Tensor, array: DeviceArray, before: Seal, signs: Tensor) -> Seal:
        """Of the block behind the one that `before` looked at (`next_rows`), which the devices read as `signs`."""
        first, last = next_rows(weight, before)
        return cls(_weight_state(weight), _device_state(array), first, last, _products(signs.to(weight.dtype)))

    def covers(self, weight: Tensor) -> bool:
        """Whether every row was looked at."""
        return self.first == 0 and self.last == len(weight)

    def untouched(self, weight: Tensor) -> bool:
        """Whether nobody wrote the weight, as far as can be seen."""
        if self.weight != _weight_state(weight):
            return False
        return torch.equal(self.values, _products(weight.detach()[self.first : self.last]))

    def unmoved(self, array: DeviceArray) -> bool:
        """Whether no device got a pulse, was SET or was loaded."""
        return self.devices == _device_state(array)


def next_rows(weight: Tensor, before: Seal) -> tuple[int, int]:
    """The block of rows behind the one that was looked at."""
    rows, size = len(weight), max(1, BLOCK * len(weight) // max(weight.numel(), 1))
    first = 0 if before.covers(weight) or before.last >= rows else before.last
    return first, min(first + size, rows)


def _weight_state(weight: Tensor) -> tuple[int, ...]:
    return weight.data_ptr(), _version(weight)


def _device_state(array: DeviceArray) -> tuple[int, ...]:
    # the compiled kernel does not count versions of `moving`, but every call of it ticks the clock
    return array.moving.data_ptr(), _version(array.moving), _version(array.clock)


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version  # tensors made in inference mode have no counter


def _products(rows: Tensor) -> Tensor:
    rows = rows.detach().flatten(1)
    rows = rows if rows.dtype in (torch.float32, torch.float64) else rows.to(torch.float32)
    with torch.autocast(rows.device.type, enabled=False):  # it would round the probe to bfloat16
        return rows @ _probe(rows.shape[1], rows.device, rows.dtype)


@lru_cache(maxsize=64)
def _probe(length: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Whole numbers at random, never zero, so small that sums of `length` of them are exact."""
    generator = torch.Generator().manual_seed(length)
    largest = max(2, min(1 << 16, _EXACT // max(length, 1)))  # weights are +-1: sums stay below length x largest
    return torch.randint(1, largest, (length,), generator=generator).to(device, dtype)
