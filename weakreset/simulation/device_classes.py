"""Which class on devices stands for a class of torch, or for a subclass of one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from torch import nn

from weakreset.simulation.binary_layers import (
    BinaryConv1d,
    BinaryConv2d,
    BinaryConv3d,
    BinaryConvTranspose1d,
    BinaryConvTranspose2d,
    BinaryConvTranspose3d,
    BinaryLinear,
    DeviceLayer,
)

__all__ = ["CONVERTIBLE", "device_class"]

_STOCK: dict[type[nn.Module], type[DeviceLayer]] = {
    nn.Linear: BinaryLinear,
    nn.Conv1d: BinaryConv1d,
    nn.Conv2d: BinaryConv2d,
    nn.Conv3d: BinaryConv3d,
    nn.ConvTranspose1d: BinaryConvTranspose1d,
    nn.ConvTranspose2d: BinaryConvTranspose2d,
    nn.ConvTranspose3d: BinaryConvTranspose3d,
}
CONVERTIBLE = tuple(_STOCK)


@lru_cache(maxsize=256)
def device_class(kind: type[nn.Module]) -> type[DeviceLayer] | None:
    """The class on devices for a class of layers; None where there is none.

    A subclass of a layer of torch keeps everything of its own, its `forward` too: only where its weight comes from
    changes.
    """
    if kind in _STOCK:
        return _STOCK[kind]
    if not issubclass(kind, CONVERTIBLE) or issubclass(kind, DeviceLayer):
        return None
    # pickle finds classes by name in a module, where a class made here is not
    own = {"__reduce_ex__": _reduce, "__module__": kind.__module__}
    return type(f"Device{kind.__name__}", (DeviceLayer, kind), own)


def _reduce(layer: nn.Module, _: Any) -> tuple[Any, ...]:
    """For copies: a class made here is found by the class it was made from."""
    return _empty, (type(layer).__bases__[1],), layer.__dict__


def _empty(kind: type[nn.Module]) -> nn.Module:
    made = device_class(kind)  # type: ignore[arg-type]
    return made.__new__(made)  # type: ignore[arg-type]
