"""What a `DeviceArray` remembers: its buffers, what they read as by name, and how they move and are loaded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.simulation.array_arguments import check_saved, check_spread, large_zeros
from weakreset.simulation.kernels import DeviceState
from weakreset.simulation.moving_rows import POLE_UNIT, log_r_of, poles_of, row_width, state_of
from weakreset.simulation.traits import FIRST

__all__ = ["SET_COUNTERS", "DeviceBuffers"]

SET_COUNTERS = {"set_count": torch.int16, "retired_pulses": torch.int32}
"""Made at the first SET."""
_OPTIONAL = SET_COUNTERS | {
    "unresponsive": torch.bool, "energy_j": torch.float32, "read_error": torch.float32, "reads": torch.int64,
}
"""There or not, depending on the file and the life of the chip: what a saved one must be."""


class DeviceBuffers(nn.Module):
    """The state of an array of devices; `DeviceArray` says what each part is."""

    log_r0: Tensor
    traits: Tensor
    moving: Tensor
    set_count: Tensor | None
    retired_pulses: Tensor | None
    unresponsive: Tensor | None
    energy_j: Tensor | None
    read_error: Tensor | None
    reads: Tensor | None
    clock: Tensor
    physics: Tensor

    def _allocate(self, shape: tuple[int, ...], columns: tuple[str, ...], n_poles: int, half: bool) -> None:
        self.shape, self._columns, self._n_poles, self._half = shape, columns, n_poles, half
        self.register_buffer("log_r0", large_zeros(shape, np.float32))
        own = np.float16 if half else np.float32
        self.register_buffer("traits", large_zeros((*shape, len(columns)), own))
        self.register_buffer("moving", large_zeros((*shape, row_width(n_poles)), np.int32))
        for name in (*SET_COUNTERS, "unresponsive", "read_error", "reads"):
            self.register_buffer(name, None)

    def __getattr__(self, name: str) -> Any:
        """Columns of `traits` by name: offset, rtn_amplitude, numbers of the drift: views of `shape`."""
        columns = self.__dict__.get("_columns", ())
        return self.traits[..., columns.index(name)] if name in columns else super().__getattr__(name)

    @property
    def n_devices(self) -> int:
        return math.prod(self.shape)

    @property
    def log_r(self) -> Tensor:
        return log_r_of(self.moving)

    @property
    def pulse_count(self) -> Tensor:
        return state_of(self.moving) >> 1

    @property
    def rtn_high(self) -> Tensor:
        return (state_of(self.moving) & 1).to(torch.bool)

    @property
    def poles(self) -> Tensor:
        return poles_of(self.moving)[..., : self._n_poles] * POLE_UNIT

    def log_resistance(self) -> Tensor:
        """ln R (R in ohm) as read after the last pulse; float32, a copy."""
        return self.log_r.clone()

    def resistance(self) -> Tensor:
        """R in ohm as read after the last pulse; float32."""
        return self.log_r.exp()

    def total_pulses(self) -> Tensor:
        """RESET pulses of the whole life of each device (endurance); int64."""
        pulses = self.pulse_count.to(torch.int64)  # int32 counts would overflow in the sum
        return pulses if self.retired_pulses is None else pulses + self.retired_pulses

    def state(self) -> DeviceState:
        """The buffers, for the kernels."""
        return DeviceState(self.log_r0, self.traits, self.moving, self.unresponsive)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Follow `.to(device)`, ignore `.half()` and `.double()`: the physics is float32."""
        # where `fn` takes a tensor, asked with an empty one: its dtype is not wanted
        device = fn(torch.empty(0, device=self.log_r0.device)).device
        if self.log_r0.is_meta and device.type != "meta":
            raise SimulationError(
                "the state of these devices was lost on the meta device: make the layer anew, and load its state_dict"
            )
        for name, buffer in self._buffers.items():
            self._buffers[name] = None if buffer is None else buffer.to(device)
        for part in self.children():
            part._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def check_loadable(self, state_dict: Mapping[str, Any], prefix: str) -> None:
        """Raise for a saved state that is not of such devices, before anything of it is taken over."""
        for name, kind in _OPTIONAL.items():
            value, shape = state_dict.get(f"{prefix}{name}"), () if name == "reads" else self.shape
            if value is not None and (value.dtype != kind or tuple(value.shape) != shape):
                found = f"{value.dtype} {tuple(value.shape)}, not {kind} {shape}"
                raise SimulationError(f"{prefix}{name} is {found}: the state is damaged, or of other devices")
        if not self.log_r0.is_meta:
            check_saved(state_dict, prefix, int(self.physics))
            check_spread(state_dict, prefix, self.log_r0, self.traits[..., FIRST:], FIRST)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        self.check_loadable(state_dict, prefix)
        for name in _OPTIONAL:
            value = state_dict.get(f"{prefix}{name}")
            self._buffers[name] = None if value is None else torch.zeros_like(value, device=self.log_r0.device)
        super()._load_from_state_dict(state_dict, prefix, *args)
