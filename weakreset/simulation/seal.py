"""Whether a weight is still what its devices hold.

Devices move by pulses alone, so a weight that anything else wrote (another optimizer, an init, averaging, `.data`) is
not on the chip. Comparing every weight with its pair at every step would cost a tenth of the step; what is compared
instead, each time a layer hands out its weight:

- torch's version counters and the places in memory of weight and devices: what is written through torch shows there;
- a block of at most `BLOCK` weights, another one after each step, for what does not show there (`.data`, numpy). A
  layer that is no larger is compared whole every time. Outside of training every layer is compared whole.

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

__all__ = ["BLOCK", "Seal"]

BLOCK = 1 << 16
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
    def of(cls, weight: Tensor, array: DeviceArray, before: Seal | None = None) -> Seal:
        """Of a whole weight, or with the seal `before` a step, of the block of rows behind those it looked at."""
        rows, first, last = len(weight), 0, len(weight)
        if before is not None and weight.numel() > BLOCK:
            size = max(1, BLOCK * rows // weight.numel())
            first = before.last if before.first > 0 or before.last < rows else 0
            first = 0 if first >= rows else first
            last = min(first + size, rows)
        return cls(_weight_state(weight), _device_state(array), first, last, _products(weight, first, last))

    def covers(self, weight: Tensor) -> bool:
        """Whether every row was looked at."""
        return self.first == 0 and self.last == len(weight)

    def untouched(self, weight: Tensor) -> bool:
        """Whether nobody wrote the weight, as far as can be seen."""
        if self.weight != _weight_state(weight):
            return False
        return torch.equal(self.values, _products(weight, self.first, self.last))

    def unmoved(self, array: DeviceArray) -> bool:
        """Whether no device got a pulse, was SET or was loaded."""
        return self.devices == _device_state(array)


def _weight_state(weight: Tensor) -> tuple[int, ...]:
    return weight.data_ptr(), _version(weight)


def _device_state(array: DeviceArray) -> tuple[int, ...]:
    # the compiled kernel does not count versions of `moving`, but every call of it ticks the clock
    return array.moving.data_ptr(), _version(array.moving), _version(array.clock)


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version  # tensors made in inference mode have no counter


def _products(weight: Tensor, first: int, last: int) -> Tensor:
    rows = weight.detach()[first:last].flatten(1)
    rows = rows if rows.dtype in (torch.float32, torch.float64) else rows.to(torch.float32)
    return rows @ _probe(rows.shape[1], rows.device, rows.dtype)


@lru_cache(maxsize=64)
def _probe(length: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Whole numbers at random, never zero, so small that sums of `length` of them are exact."""
    generator = torch.Generator().manual_seed(length)
    largest = max(2, min(1 << 16, _EXACT // max(length, 1)))
    return torch.randint(1, largest, (length,), generator=generator).to(device, dtype)
