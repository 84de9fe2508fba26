"""The cycles of simulated devices: what a SET does to them, and what each cycle draws anew."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from weakreset.errors import SimulationError
from weakreset.model import DeviceNoise, DriftShape, PinkPoles
from weakreset.simulation import kernels
from weakreset.simulation.counter_random import make_key
from weakreset.simulation.cycle_spread import CycleSteps
from weakreset.simulation.device_buffers import SET_COUNTERS, DeviceBuffers
from weakreset.simulation.kernels import NoiseTables, noise_tables
from weakreset.simulation.moving_rows import state_of
from weakreset.simulation.other_noise import OtherNoise

__all__ = ["DeviceCycles"]

_MOST_SETS = 32767  # counted in 16 bits


class DeviceCycles(DeviceBuffers):
    """Devices that can be SET; `DeviceArray` draws and pulses them."""

    drift_shape: DriftShape
    _noise: DeviceNoise
    _pink: PinkPoles
    _tables: NoiseTables | None
    _others: list[str]
    _steps: CycleSteps | None

    @property
    def other_noise(self) -> dict[str, OtherNoise]:
        return {name: cast(OtherNoise, self.get_submodule(f"noise_{name}")) for name in self._others}

    def set_(self, mask: Tensor) -> None:
        """SET the devices where `mask` (bool, `shape`) is true: a new cycle, starting again at R0.

        Drift parameters and R0 stay with the device, but for what the file says of cycles (`c2c`): that part is drawn
        anew. 1/f and telegraph noise are redrawn from their stationary laws, the pulse count returns to 0 and the SET
        count grows by one.

        Raises
        ------
        SimulationError
            For a mask of another type or shape, or more than 32767 SETs of one device.
        """
        if mask.dtype != torch.bool or tuple(mask.shape) != self.shape:
            found = f"{mask.dtype} {tuple(mask.shape)}"
            raise SimulationError(f"set_ needs a bool mask of shape {self.shape}, got {found}")
        self.set_some(mask.to(self.log_r0.device).reshape(-1).nonzero().view(-1))

    def set_some(self, index: Tensor) -> None:
        """SET the devices `index` (flat numbers, none twice); see `set_`."""
        if self.unresponsive is not None:
            index = index[~self.unresponsive.view(-1)[index]]
        for name, dtype in SET_COUNTERS.items():
            if getattr(self, name) is None:
                self._buffers[name] = torch.zeros(self.shape, dtype=dtype, device=self.log_r0.device)
        set_count, retired = cast(Tensor, self.set_count).view(-1), cast(Tensor, self.retired_pulses).view(-1)
        sets = set_count[index]
        if bool((sets >= _MOST_SETS).any()):
            worn = int(index[sets >= _MOST_SETS][0])
            raise SimulationError(f"device {worn} was SET {_MOST_SETS} times already; its counter is full")
        set_count[index] = sets + 1
        retired[index] += self.pulse_count.view(-1)[index]
        self._begin_cycle(index, sets + 1)

    def may_be_set(self, index: Tensor) -> Tensor:
        """Which of the devices `index` a SET would change: those pulsed since the last one, whose counter has room."""
        pulsed = state_of(self.moving).view(-1)[index] > 1  # 2 x pulses + telegraph bit: 0 and 1 are unpulsed
        return pulsed if self.set_count is None else pulsed & (self.set_count.view(-1)[index] < _MOST_SETS)

    def _begin_cycle(self, index: Tensor, cycle: Tensor) -> None:
        seed = int(self.clock[0])
        if self._steps is not None:
            state, normals = self.state().flat(), self.noise_tables().normals
            self._steps.redraw(seed, state.log_r0, state.traits, normals, index, cycle)
        # one key for all cycles: cycle and device together number the words, so any cycle can be made again
        key = make_key(seed, "set")
        kernels.draw_stationary(self.state(), self.noise_tables(), key, index, cycle)
        if self.read_error is not None:
            self.read_error.view(-1)[index] = 0.0  # w(0) = 0: r0 is the resistance as read right after SET
        for noise in self.other_noise.values():
            noise.begin(int(self.clock[0]), index, cycle)

    def noise_tables(self) -> NoiseTables:
        device = self.log_r0.device
        if self._tables is None or self._tables.normals.device != device:
            self._tables = noise_tables(self.drift_shape, self._pink, self._noise, device)
        return self._tables
