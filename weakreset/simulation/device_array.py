"""An array of simulated devices that receives RESET pulses and SET."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.parameter_file import ParameterFile, check_without, load_parameters
from weakreset.simulation import fast_path, kernels
from weakreset.simulation.array_arguments import checked_bursts, checked_seed, checked_shape, large_zeros
from weakreset.simulation.counter_random import Key, make_key
from weakreset.simulation.cycle_spread import cycle_steps
from weakreset.simulation.energy import energy_counted
from weakreset.simulation.imperfections import draw_chip, draw_unresponsive, physics_fingerprint
from weakreset.simulation.kernels import DeviceState, NoiseTables, noise_tables
from weakreset.simulation.moving_rows import POLE_UNIT, log_r_of, poles_of, row_width, state_of
from weakreset.simulation.pink_poles import fit_pink_poles
from weakreset.simulation.skip_ahead import LONGEST_BURST
from weakreset.simulation.traits import trait_names

__all__ = ["DeviceArray", "ParameterSource", "pulse_key"]

ParameterSource: TypeAlias = ParameterFile | str | os.PathLike[str]

_SET_COUNTERS = {"set_count": torch.int16, "retired_pulses": torch.int32}
_MOST_SETS = 32767


def pulse_key(seed: int, call: int, step: int = 0) -> Key:
    """Of the random numbers of a call of `pulse`; `step` counts the parts of bursts longer than LONGEST_BURST."""
    return make_key(seed, "pulse", call, step)


class DeviceArray(nn.Module):
    """Devices drawn from a parameter file, moved by pulses.

    The law is that of `weakreset.model`: ln R = ln R0 + drift + alpha x + A s [+ read noise], with w(0) = 0,
    1/f and telegraph noise stationary from the first pulse on, and nothing that moves without pulses. One
    call costs the same whatever the number of pulses, and touches only devices that get one.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the array, and of every tensor it takes or returns.
    params : ParameterFile, path or preset name
        The technology.
    seed : int
        In 0 .. 2^63 - 1. Same seed, same bits: for any number of threads, any chunk size, and whether or not
        training was interrupted. Arrays that are to differ need different seeds.
    without : sequence of str
        Imperfections to switch off (d2d, pink, rtn, all). The others stay on the same chip: same D2D, same
        random numbers. "d2d" puts every device at the medians of the laws.
    device : torch.device, optional
        Where the state lives.
    n_poles : int
        States per device for 1/f noise: 4 follow the spectrum to 1.4 %, 5 to 0.4 % (see `pink_poles`).
    half_traits : bool
        Keep `traits` in half precision: 30 bytes a device instead of 40, moved by plain torch (the compiled kernel
        does not know halves). A number is off by up to 2^-12 of itself, a knee beyond 1,024 by half a pulse. After
        2,000 pulses of the published devices ln R is off by 2e-4 (root mean square; 1/f noise: 7e-3), of 99 % of
        the devices by less than 1e-3, of none by more than 7.5e-3; always by the same amount for a device.

    Attributes
    ----------
    traits : Tensor of float32, shape (*shape, columns)
        What makes each device itself. Its columns can be had by name: `offset` (ln r0 + c1 + the slow level of
        1/f noise; without ln r0 in half precision), `rtn_amplitude` and the numbers of the drift (`m1`, `t_star`, ...).
    moving : Tensor of int32, shape (*shape, columns)
        What a pulse changes (see `moving_rows`). Read it by name: `pulse_count` (int32, pulses since the last SET,
        at most 2^30 - 1), `rtn_high` (bool), `poles` of the 1/f noise (float32, shape (*shape, n_poles), each of unit
        variance) are copies; `log_r` (float32) is a view.
    set_count : Tensor of int16, or None before the first SET
        How often each device was SET after it was made.
    retired_pulses : Tensor of int32, or None before the first SET
        Pulses received before the last SET; `total_pulses()` adds the two.
    energy_j : Tensor of float32, or None where the file has no `reset_pulse`
        Joule spent on the pulses of each device (see `energy`).
    unresponsive : Tensor of bool or None
        Devices that never move (`defects.fraction` of the file); they keep R0 and count no pulses.
    kernel : "auto" or "torch"
        "auto" takes the compiled kernel in main memory and plain torch elsewhere; "torch" takes plain torch
        everywhere. Both give the same bits.

    Raises
    ------
    SimulationError
        For a shape, seed or drift shape that cannot be simulated.

    Notes
    -----
    Everything that distinguishes the array from another one of the same file is a buffer, so `state_dict()`
    holds it all, the position in the random streams included. The state stays float32 whatever `.half()` or
    `.double()` does to the network around it.

    Between CPU and CUDA: the chip is drawn by numpy and moved by integer operations and separately rounded float32
    additions, multiplications and divisions, which IEEE 754 defines, so the same pulses give the same devices on
    both. A network around them sums in another order there, so trained networks agree in law and not in bits. The
    first is argued, not tested: no GPU was at hand.

    Read noise, where the file has it, belongs to the read after the last pulse: reading again gives the same
    number until the next pulse.
    """

    log_r0: Tensor
    traits: Tensor
    moving: Tensor
    set_count: Tensor | None
    retired_pulses: Tensor | None
    unresponsive: Tensor | None
    energy_j: Tensor | None
    clock: Tensor
    physics: Tensor

    def __init__(
        self, shape: int | Sequence[int], params: ParameterSource, seed: int = 0, *,
        without: Sequence[str] | str = (), device: torch.device | str | None = None, n_poles: int = 4,
        half_traits: bool = False,
    ) -> None:
        super().__init__()
        self._half, self._n_poles = half_traits, n_poles
        self.kernel = "auto"
        self.shape = checked_shape(shape)
        self.without = check_without(without if isinstance(without, str) else list(without))
        file = load_parameters(params)
        self._noise = file.device_noise(self.without)
        self._pink = fit_pink_poles(self._noise.exponent, n_poles)
        self._tables: NoiseTables | None = None
        self._drift_shape, self._columns = file.model, trait_names(file.model)
        self._allocate(n_poles)
        self._steps = cycle_steps(file, self.without, half_traits)
        pulse = file.reset_pulse
        self.joule_ohm = pulse.voltage_v**2 * pulse.width_s if pulse else 0.0
        self.register_buffer("energy_j", large_zeros(self.shape, np.float32) if pulse else None)
        self.register_buffer("clock", torch.tensor([checked_seed(seed), 0], dtype=torch.int64))
        fingerprint = physics_fingerprint(file, n_poles, half_traits)
        self.register_buffer("physics", torch.tensor(fingerprint, dtype=torch.int64))
        self._draw(file, seed)
        if device is not None:
            self.to(device)

    def __getattr__(self, name: str) -> Any:
        """Columns of `traits` by name: m1, t_star, rtn_amplitude, ...: views of `shape`."""
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
        pulses = self.pulse_count.to(torch.int64)
        return pulses if self.retired_pulses is None else pulses + self.retired_pulses

    def pulse(self, n: Tensor | int) -> None:
        """Give every device `n` RESET pulses, in place.

        Parameters
        ----------
        n : int or integer Tensor of `shape`
            >= 0. A device with 0 is not touched: it keeps its resistance exactly.

        Raises
        ------
        SimulationError
            For negative or non-integer numbers, a wrong shape, or more pulses than the counter of a device holds.
        """
        bursts = checked_bursts(n, self.pulse_count)
        index = bursts.nonzero().view(-1)
        self.pulse_some(index, bursts[index])

    def pulse_some(self, index: Tensor, n: Tensor) -> None:
        """Give device `index[i]` (flat number, none twice) `n[i]` >= 1 pulses. Not checked; see `pulse`."""
        seed, call = self.tick()
        if self.unresponsive is not None:
            alive = ~self.unresponsive.view(-1)[index]
            index, n = index[alive], n[alive]
        index, n = index.to(torch.int64), n.to(torch.int64)
        advance = fast_path.advance if self.in_main_memory else kernels.advance
        step = 0
        with energy_counted(self):
            while index.numel():
                key, burst = pulse_key(seed, call, step), n.clamp(max=LONGEST_BURST)
                advance(self.state(), self.noise_tables(), key, index, burst)
                more = n > LONGEST_BURST
                index, n, step = index[more], n[more] - LONGEST_BURST, step + 1

    def tick(self) -> tuple[int, int]:
        """The seed, and the number of this call of `pulse`: no two calls use the same random numbers."""
        seed, call = self.clock.tolist()
        self.clock[1] = call + 1
        return seed, call

    @property
    def in_main_memory(self) -> bool:
        """Whether the compiled kernel does the work."""
        return self.log_r0.device.type == "cpu" and self.kernel == "auto" and not self._half

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
        index = mask.to(self.log_r0.device).reshape(-1).nonzero().view(-1)
        if self.unresponsive is not None:
            index = index[~self.unresponsive.view(-1)[index]]
        for name, dtype in _SET_COUNTERS.items():
            if getattr(self, name) is None:
                self._buffers[name] = torch.zeros(self.shape, dtype=dtype, device=self.log_r0.device)
        set_count, retired = cast(Tensor, self.set_count).view(-1), cast(Tensor, self.retired_pulses).view(-1)
        count = set_count[index]
        if bool((count >= _MOST_SETS).any()):
            worn = int(index[count >= _MOST_SETS][0])
            raise SimulationError(f"device {worn} was SET {_MOST_SETS} times already; its counter is full")
        set_count[index] = count + 1
        retired[index] += self.pulse_count.view(-1)[index]
        self._begin_cycle(index, count + 1)

    def extra_repr(self) -> str:
        switched = f", without={','.join(self.without)}" if self.without else ""
        switched += "" if self._steps is None else f", c2c={'+'.join(name for name, _, _ in self._steps.spreads)}"
        return f"{self.shape}{switched}, psd_error={self._pink.psd_error:.2%}"

    def _allocate(self, n_poles: int) -> None:
        self.register_buffer("log_r0", large_zeros(self.shape, np.float32))
        own = np.float16 if self._half else np.float32
        self.register_buffer("traits", large_zeros((*self.shape, len(self._columns)), own))
        self.register_buffer("moving", large_zeros((*self.shape, row_width(n_poles)), np.int32))
        for name in _SET_COUNTERS:
            self.register_buffer(name, None)

    def _draw(self, file: ParameterFile, seed: int) -> None:
        def store(where: slice, fields: Mapping[str, Any]) -> None:
            self.log_r0.view(-1)[where] = torch.from_numpy(fields["log_r0"])
            own = {**fields, "offset": fields["c1"] if self._half else fields["log_r0"] + fields["c1"]}
            rows = self.traits.view(-1, len(self._columns))[where]
            for column, name in enumerate(self._columns):
                rows[:, column] = torch.from_numpy(own[name])
            index = torch.arange(where.start, where.stop)
            self._begin_cycle(index, torch.zeros_like(index))

        self.register_buffer("unresponsive", None)
        draw_chip(file, self.n_devices, seed, self.without, store)
        stuck = torch.from_numpy(draw_unresponsive(file, self.n_devices, seed, self.without)).view(self.shape)
        self.unresponsive = stuck if stuck.any() else None

    def _begin_cycle(self, index: Tensor, cycle: Tensor) -> None:
        seed = int(self.clock[0])
        if self._steps is not None:
            state, normals = self.state().flat(), self.noise_tables().normals
            self._steps.redraw(seed, state.log_r0, state.traits, normals, index, cycle)
        key = make_key(seed, "set")
        kernels.draw_stationary(self.state(), self.noise_tables(), key, index, cycle)

    def state(self) -> DeviceState:
        """The buffers, for the kernels."""
        return DeviceState(self.log_r0, self.traits, self.moving, self.unresponsive)

    def noise_tables(self) -> NoiseTables:
        device = self.log_r0.device
        if self._tables is None or self._tables.normals.device != device:
            self._tables = noise_tables(self._drift_shape, self._pink, self._noise, device)
        return self._tables

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> DeviceArray:
        """Follow `.to(device)`, ignore `.half()` and `.double()`: the physics is float32."""
        device = fn(torch.empty(0, device=self.log_r0.device)).device
        for name, buffer in self._buffers.items():
            self._buffers[name] = None if buffer is None else buffer.to(device)
        return self

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        if f"{prefix}log_r" in state_dict:
            raise SimulationError(
                f"{prefix or 'state'}: was saved by an older weakreset, which kept ln R and pulse counts in tensors of "
                "their own; train that run anew"
            )
        saved = state_dict.get(f"{prefix}physics")
        if saved is not None and int(saved) != int(self.physics):
            raise SimulationError(
                f"{prefix or 'state'}: was saved from devices with other noise or another number of poles; "
                "build the array with the parameter file it was saved with"
            )
        for name in (*_SET_COUNTERS, "unresponsive", "energy_j"):  # there or not, depending on the life of the chip
            value = state_dict.get(f"{prefix}{name}")
            self._buffers[name] = None if value is None else torch.zeros_like(value, device=self.log_r0.device)
        super()._load_from_state_dict(state_dict, prefix, *args)
