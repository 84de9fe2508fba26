"""2T2R: two devices, BL and BLb, hold one binary weight W = sign(R_BL - R_BLb)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.simulation.compiled import calls
from weakreset.simulation.compiled.arguments import AdamStep, Programming
from weakreset.simulation.counter_random import Key, make_key, random_words
from weakreset.simulation.device_array import DeviceArray, ParameterSource, pulse_key
from weakreset.simulation.kernels import DeviceState, NoiseTables
from weakreset.simulation.skip_ahead import LONGEST_BURST

__all__ = ["DifferentialPair", "PulseReport", "attach_pair", "pair_of"]

_ATTRIBUTE = "weakreset_pair"


@dataclass(frozen=True)
class PulseReport:
    """What one update did.

    Attributes
    ----------
    pulses : int
        RESET pulses given.
    devices : int
        Devices that received any.
    flips : int
        Weights whose sign changed.
    bursts : int
        Bursts that the pulses came in, a comparison of the pair after each.
    stuck : int
        Pairs that did not turn within the bursts that they were allowed; of recipes that program and verify.
    """

    pulses: int = 0
    devices: int = 0
    flips: int = 0
    bursts: int = 0
    stuck: int = 0

    def __add__(self, other: PulseReport) -> PulseReport:
        return PulseReport(
            self.pulses + other.pulses, self.devices + other.devices, self.flips + other.flips,
            self.bursts + other.bursts, self.stuck + other.stuck,
        )

    @staticmethod
    def one_burst_each(pulses: int, devices: int, flips: int) -> PulseReport:
        return PulseReport(pulses, devices, flips, bursts=devices)


class DifferentialPair(nn.Module):
    """Binary weights held by pairs of devices.

    Parameters
    ----------
    shape : sequence of int
        Shape of the weights.
    params, seed, without, device, n_poles
        As for `DeviceArray`.

    Attributes
    ----------
    array : DeviceArray, shape (*shape, 2)
        The last axis is BL, BLb: the two lie side by side in memory, where reading a weight needs both.

    Notes
    -----
    Ties: two devices with the same float32 resistance (every fresh pair without D2D, for example) read as a
    fixed sign, a fair coin drawn once per weight from the seed: what a sense amplifier with an offset does.

    Devices that fall (a file with `direction` "set"): a pulse lowers R, so W rises where BLb gets it. The compiled
    kernel of pairs knows rising devices only; pairs of falling ones are chosen by plain torch.
    """

    def __init__(
        self, shape: Sequence[int], params: ParameterSource, seed: int = 0, *,
        without: Sequence[str] | str = (), device: torch.device | str | None = None, n_poles: int = 4,
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.array = DeviceArray((*shape, 2), params, seed, without=without, device=device, n_poles=n_poles)

    @property
    def n_weights(self) -> int:
        return self.array.n_devices // 2

    def signs(self) -> Tensor:
        """All weights as +1 or -1, float32, of `shape`."""
        return self._signs_at(slice(None)).view(self.shape)

    def pulse(self, n: Tensor, weight: Tensor | None = None) -> PulseReport:
        """Give |n| pulses to BL where n > 0 (W rises), to BLb where n < 0 (W falls); none where n = 0.

        Where R falls with pulses it is the other way round: BLb where n > 0, so that W rises all the same.

        Parameters
        ----------
        n : integer Tensor of `shape`
        weight : Tensor of `shape`, optional
            Signs to bring up to date in place; only weights that were pulsed are read.

        Raises
        ------
        SimulationError
            For a wrong shape or type of `n`.
        """
        if tuple(n.shape) != self.shape or n.is_floating_point() or n.dtype == torch.bool:
            found = f"{n.dtype} {tuple(n.shape)}"
            raise SimulationError(f"pulses must be integers of shape {self.shape}, got {found}")
        flat = n.reshape(-1)
        if weight is not None and self.runs_compiled(weight, LONGEST_BURST) and _longest(flat) <= LONGEST_BURST:
            bursts = flat.to(torch.int32)
            with self.array.energy_counted():
                done = calls.pulse_pairs(*self._for_kernel(), bursts, weight.detach().view(-1))
            return PulseReport.one_burst_each(*done)
        return self._pulse_some(flat, weight)

    def runs_compiled(self, weight: Tensor, longest_burst: int) -> bool:
        """Whether the compiled kernel can serve this weight."""
        plain = weight.dtype == torch.float32 and weight.device.type == "cpu" and weight.is_contiguous()
        return plain and not self.array.falls and self.array.in_main_memory and longest_burst <= LONGEST_BURST

    def adam_pulse(self, weight: Tensor, moments: tuple[Tensor, ...], step: AdamStep) -> tuple[PulseReport, int]:
        """One pass for Adam on (gradient, mean, square), its pulses and the new signs, compiled.

        Returns the report and the number of weights whose update was no number; those get no pulse.
        """
        with self.array.energy_counted():
            *done, lost = calls.adam_pulse(*self._for_kernel(), moments, weight.detach().view(-1), step)
        return PulseReport.one_burst_each(*done), lost

    def latent_pulse(
        self, weight: Tensor, parts: tuple[Tensor, ...], numbers: tuple[Any, ...], programming: Programming,
        bursts: int, clock: tuple[int, int],
    ) -> tuple[PulseReport, int]:
        """One step of latent numbers and the programming of pairs that disagree with them, compiled.

        `parts`, `numbers`: see `compiled.calls.latent_pulse`. The report, and how many updates were no number.
        """
        seed, call = clock
        keys = [_tie_key(seed), *(pulse_key(seed, call, k) for k in range(bursts))]
        state, tables = self.array.state(), self.array.noise_tables()
        with self.array.energy_counted():
            *done, lost = calls.latent_pulse(state, tables, keys, (*parts, weight.detach()), numbers, programming)
        return PulseReport(*done), lost

    def program_some(
        self, index: Tensor, wanted: Tensor, weight: Tensor, burst: int, bursts: int, clock: tuple[int, int]
    ) -> tuple[PulseReport, Tensor]:
        """Program the weights `index` (flat numbers, none twice) to the signs `wanted`; the report, and which stay.

        Bursts of `burst` pulses to the device that must rise, a comparison after each, until the pair agrees or has had
        `bursts` of them. What this costs in energy is counted as one burst a device.
        """
        flips, given, devices = 0, 0, index.numel()
        with self.array.energy_counted():
            for k in range(bursts):
                if not index.numel():
                    break
                self.array.burst_some(clock, k, 2 * index + (wanted < 0), torch.full_like(index, burst))
                flips, given = flips + self._refresh(weight, index), given + index.numel()
                left = weight.detach().reshape(-1)[index] != wanted
                index, wanted = index[left], wanted[left]
        return PulseReport(burst * given, devices, flips, given, index.numel()), index

    def _for_kernel(self) -> tuple[DeviceState, NoiseTables, tuple[Key, Key]]:
        seed, call = self.array.tick()
        return self.array.state(), self.array.noise_tables(), (pulse_key(seed, call), _tie_key(seed))

    def _pulse_some(self, flat: Tensor, weight: Tensor | None) -> PulseReport:
        index = flat.nonzero().view(-1)
        bursts = flat[index].to(torch.int64)
        self.array.pulse_some(2 * index + ((bursts > 0) if self.array.falls else (bursts < 0)), bursts.abs())
        flips = 0 if weight is None else self._refresh(weight, index)
        return PulseReport.one_burst_each(int(bursts.abs().sum()), index.numel(), flips)

    def _refresh(self, weight: Tensor, index: Tensor) -> int:
        values = weight.detach().reshape(-1)  # a copy where the weight lies in another order (channels last)
        new = self._signs_at(index).to(values.dtype)
        flips = int((values[index] != new).sum())
        values[index] = new
        if not weight.is_contiguous():
            weight.detach().copy_(values.view(weight.shape))
        return flips

    def _signs_at(self, index: Tensor | slice) -> Tensor:
        bl, blb = self.array.log_r.view(self.n_weights, 2).unbind(1)
        difference = bl[index] - blb[index]
        signs = torch.where(difference > 0, 1.0, -1.0)
        tied = (difference == 0).nonzero().view(-1)
        if tied.numel():
            number = tied if isinstance(index, slice) else index[tied]
            coin = random_words(_tie_key(int(self.array.clock[0])), number, 0) & 1
            signs[tied] = (2 * coin - 1).to(signs.dtype)
        return signs


def _tie_key(seed: int) -> Key:
    return make_key(seed, "tie")


def _longest(bursts: Tensor) -> int:
    return int(bursts.abs().max()) if bursts.numel() else 0


def attach_pair(weight: nn.Parameter, pair: DifferentialPair) -> None:
    """Let an optimizer find the devices behind `weight`."""
    setattr(weight, _ATTRIBUTE, pair)


def pair_of(weight: Tensor) -> DifferentialPair | None:
    """The devices behind a parameter, or None for an ordinary one."""
    return cast("DifferentialPair | None", getattr(weight, _ATTRIBUTE, None))
