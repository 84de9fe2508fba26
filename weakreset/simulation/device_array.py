"""An array of simulated devices that receives RESET pulses and SET."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor

from weakreset.model import check_without, fit_pink_poles
from weakreset.parameter_file import ParameterFile, load_parameters
from weakreset.simulation import kernels
from weakreset.simulation.array_arguments import checked_bursts, checked_seed, checked_shape, large_zeros
from weakreset.simulation.compiled import calls
from weakreset.simulation.counter_random import Key, make_key
from weakreset.simulation.cycle_spread import cycle_steps
from weakreset.simulation.device_cycles import DeviceCycles
from weakreset.simulation.energy import energy_counted
from weakreset.simulation.imperfections import draw_chip, draw_unresponsive, physics_fingerprint, simulated_shape
from weakreset.simulation.kernels import NoiseTables
from weakreset.simulation.moving_rows import state_of
from weakreset.simulation.other_noise import OtherNoise, other_kinds
from weakreset.simulation.read_noise import errors_kept
from weakreset.simulation.skip_ahead import LONGEST_BURST
from weakreset.simulation.traits import trait_names

__all__ = ["DeviceArray", "ParameterSource", "pulse_key"]

ParameterSource: TypeAlias = ParameterFile | str | os.PathLike[str]


def pulse_key(seed: int, call: int, step: int = 0) -> Key:
    """Of the random numbers of a call of `pulse`; `step` counts the parts of bursts longer than LONGEST_BURST."""
    return make_key(seed, "pulse", call, step)


class DeviceArray(DeviceCycles):
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
        Imperfections to switch off (names of `weakreset.model.imperfections()`, or all). The others stay on the same
        chip: same D2D, same random numbers. "d2d" puts every device at the medians of the laws.
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
    drift_shape : DriftShape
        That of the file.
    falls : bool
        Whether pulses lower R (a file with `direction` "set").
    traits : Tensor of float32, shape (*shape, columns)
        What makes each device itself. Its columns can be had by name: `offset` (ln r0 + that of the drift + the slow
        level of 1/f noise; without ln r0 in half precision), `rtn_amplitude` and the other
        numbers of the drift.
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
    reads_are_noisy : bool
        Whether another read of a device, without a pulse, gives another number.
    kernel : "auto" or "torch"
        "auto" takes the compiled kernel in main memory and plain torch elsewhere; "torch" takes plain torch
        everywhere. Both give the same bits. Arrays with a kind of noise from elsewhere are moved by plain torch, for
        the kernel does not know it; their `repr` says so.
    other_noise : mapping of str to OtherNoise
        Kinds of noise from elsewhere (`weakreset.model.register_noise`): modules `noise_NAME` that hold their state.

    Raises
    ------
    SimulationError
        For a shape, seed, drift shape or kind of noise that cannot be simulated.

    Notes
    -----
    Everything that distinguishes the array from another one of the same file is a buffer, so `state_dict()`
    holds it all, the position in the random streams included. The state stays float32 whatever `.half()` or
    `.double()` does to the network around it.

    Between CPU and CUDA: the chip is drawn by numpy and moved by integer operations and separately rounded float32
    additions, multiplications and divisions, which IEEE 754 defines, so the same pulses give the same devices on
    both. A network around them sums in another order there, so trained networks agree in law and not in bits. The
    first is argued, not tested: no GPU was at hand.

    Read noise, where the file has it, belongs to the read after the last pulse: `log_r` keeps it until the next pulse.
    Layers in `eval()` read their pairs again in every forward pass, with new noise (`DifferentialPair.read_again`).
    """

    def __init__(
        self, shape: int | Sequence[int], params: ParameterSource, seed: int = 0, *,
        without: Sequence[str] | str = (), device: torch.device | str | None = None, n_poles: int = 4,
        half_traits: bool = False,
    ) -> None:
        super().__init__()
        self.kernel = "auto"
        self.without = check_without(without if isinstance(without, str) else list(without))
        file = load_parameters(params)
        self._noise = file.device_noise(self.without)
        self.reads_are_noisy: bool = self._noise.read_sd > 0
        self._pink = fit_pink_poles(self._noise.exponent, n_poles)
        self._tables: NoiseTables | None = None  # made when first needed, and again after a move to another device
        self.drift_shape = simulated_shape(file)
        self.falls = file.direction == "set"
        self._allocate(checked_shape(shape), trait_names(self.drift_shape), n_poles, half_traits)
        others = other_kinds(file, self.without)
        self._others = [kind.name for kind in others]
        for kind in others:
            self.add_module(f"noise_{kind.name}", OtherNoise(kind, file, self.shape, self.without))
        self._steps = cycle_steps(file, self.drift_shape, self.without, half_traits)
        pulse = file.reset_pulse
        self.joule_ohm = pulse.voltage_v**2 * pulse.width_s if pulse else 0.0
        self.register_buffer("energy_j", large_zeros(self.shape, np.float32) if pulse else None)
        self.register_buffer("clock", torch.tensor([checked_seed(seed), 0], dtype=torch.int64))
        # what a loaded state cannot tell: 63 bits of all that moves a device, compared before it is taken over
        fingerprint = physics_fingerprint(file, n_poles, half_traits)
        self.register_buffer("physics", torch.tensor(fingerprint, dtype=torch.int64))
        self._draw(file, seed)
        if device is not None:
            self.to(device)

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
        # a burst beyond the tables is advanced in parts, each with a key of its own: noises remember nothing but their
        # state, so the law is that of one long burst
        clock, step = self.tick(), 0
        index, n = index.to(torch.int64), n.to(torch.int64)
        with self.counted():
            while index.numel():
                self.burst_some(clock, step, index, n.clamp(max=LONGEST_BURST))
                more = n > LONGEST_BURST
                index, n, step = index[more], n[more] - LONGEST_BURST, step + 1

    def burst_some(self, clock: tuple[int, int], step: int, index: Tensor, n: Tensor) -> None:
        """Part number `step` of a call of `pulse_some` that `clock` numbers (`tick`): at most LONGEST_BURST pulses."""
        seed, call = clock
        if self.unresponsive is not None:
            alive = ~self.unresponsive.view(-1)[index]  # a dead device keeps R0 and counts nothing
            index, n = index[alive], n[alive]
        advance = calls.advance if self.in_main_memory else kernels.advance
        advance(self.state(), self.noise_tables(), pulse_key(seed, call, step), index, n)
        for noise in self.other_noise.values():
            noise.pulse(seed, (call, step), index, n, self.log_r.view(-1), self.log_r0.view(-1))

    def tick(self) -> tuple[int, int]:
        """The seed, and the number of this call of `pulse`: no two calls use the same random numbers."""
        seed, call = self.clock.tolist()
        self.clock[1] = call + 1
        return seed, call

    @contextmanager
    def counted(self, bursts: Sequence[int] = ()) -> Iterator[None]:
        """What the pulses given inside cost is added to `energy_j`, and the read noise of their reads is kept.

        They belong to one `tick`, and come in these bursts, or in as long ones as there are.
        """
        error = self.read_errors().view(-1) if self.reads_are_noisy else None
        state = state_of(self.moving.flatten(0, -2))
        # a generator: the number of the call is known only after the tick inside, and asked for after that
        keys = (pulse_key(int(self.clock[0]), int(self.clock[1]) - 1, k) for k in count())
        tables = self.noise_tables()
        with (
            energy_counted(self.energy_j, self.moving, self.joule_ohm),
            errors_kept(error, state, bursts, keys, tables.normals, tables.read_sd),
        ):
            yield

    def read_errors(self) -> Tensor:
        """The read noise in ln R as stored; made when it is needed first, and zero before the first pulse."""
        if self.read_error is None:
            self._buffers["read_error"] = torch.zeros_like(self.log_r0)
        return cast(Tensor, self.read_error)

    def next_read(self) -> int:
        """The number of the next read without pulses: no two reads have the same noise."""
        if self.reads is None:
            self._buffers["reads"] = torch.zeros((), dtype=torch.int64)
        reads = cast(Tensor, self.reads)
        reads += 1  # in place: `state_dict` holds it, so a loaded chip goes on with other noise
        return int(reads) - 1

    @property
    def in_main_memory(self) -> bool:
        """Whether the compiled kernel does the work."""
        known = not self._half and not self._in_torch()
        return self.log_r0.device.type == "cpu" and self.kernel == "auto" and known

    def _in_torch(self) -> list[str]:
        """Kinds of noise that are on and that the compiled kernel does not know."""
        return [name for name, noise in self.other_noise.items() if noise.on]

    def extra_repr(self) -> str:
        switched = f", without={','.join(self.without)}" if self.without else ""
        switched += "" if self._steps is None else f", c2c={'+'.join(name for name, _, _ in self._steps.spreads)}"
        strange = self._in_torch()
        torch_only = f", plain torch for noise {', '.join(strange)}" if strange else ""
        return f"{self.shape}{switched}, psd_error={self._pink.psd_error:.2%}{torch_only}"

    def _draw(self, file: ParameterFile, seed: int) -> None:
        def store(where: slice, fields: Mapping[str, Any]) -> None:
            self.log_r0.view(-1)[where] = torch.from_numpy(fields["log_r0"])
            offset = fields[self.drift_shape.offset]
            # halves step by 2^-7 at ln R0 of about 9, as far as 1/f noise reaches: ln R0 stays apart in float32, and
            # only c1, of about 0.05, is halved
            own = {**fields, "offset": offset if self._half else fields["log_r0"] + offset}
            rows = self.traits.view(-1, len(self._columns))[where]
            for column, name in enumerate(self._columns):
                rows[:, column] = torch.from_numpy(own[name])
            for noise in self.other_noise.values():
                noise.store(where, fields)
            index = torch.arange(where.start, where.stop)
            self._begin_cycle(index, torch.zeros_like(index))  # a fresh device is one that was just SET: cycle 0

        draw_chip(file, self.n_devices, seed, self.without, store)
        stuck = torch.from_numpy(draw_unresponsive(file, self.n_devices, seed, self.without)).view(self.shape)
        self.unresponsive = stuck if stuck.any() else None
