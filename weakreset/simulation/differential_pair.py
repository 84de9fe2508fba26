"""2T2R: two devices, BL and BLb, hold one binary weight W = sign(R_BL - R_BLb)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.simulation.array_arguments import check_counters
from weakreset.simulation.compiled import calls
from weakreset.simulation.compiled.arguments import AdamStep, Programming
from weakreset.simulation.counter_random import Key, make_key, random_words
from weakreset.simulation.device_array import DeviceArray, ParameterSource, pulse_key
from weakreset.simulation.kernels import DeviceState, NoiseTables
from weakreset.simulation.moving_rows import MOST_PULSES, state_of
from weakreset.simulation.pulse_report import PulseReport
from weakreset.simulation.read_noise import fresh_signs
from weakreset.simulation.seal import Seal, next_rows
from weakreset.simulation.skip_ahead import LONGEST_BURST

__all__ = ["DifferentialPair", "attach_pair", "pair_of"]

_ATTRIBUTE = "weakreset_pair"
_UP = np.float32(1.0)


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
        self._seal: Seal | None = None
        self._being_written = False

    @property
    def n_weights(self) -> int:
        return self.array.n_devices // 2

    def signs(self) -> Tensor:
        """All weights as +1 or -1, float32, of `shape`."""
        return self._signs_at(slice(None)).view(self.shape)

    def verify(self, weight: Tensor, *, whole: bool = True) -> None:
        """Make sure that the weight attached to this pair is what the devices hold.

        Devices that were moved without it (`array.pulse`, `array.set_`) are read again. `whole`: look at every weight,
        else as `seal` says.

        Raises
        ------
        SimulationError
            Something other than pulses wrote the weight.
        """
        seal = self._seal
        untouched = seal is not None and seal.untouched(weight)
        if seal is not None and untouched and seal.unmoved(self.array):
            if seal.covers(weight) or not whole:
                return
        elif untouched:
            self.read_into(weight)
            return
        wrong = int((weight.detach() != self.signs().to(weight.dtype)).sum())
        if wrong:
            raise SimulationError(
                f"{wrong} of {self.n_weights} weights of shape {self.shape} are not what their devices hold: something "
                "other than pulses wrote them (an ordinary optimizer, an init, averaging, weights that were loaded). "
                "Only pulses move a device: step it with PulseOptimizer, write wanted signs with program(), or take "
                "the signs of the devices back with refresh_weight()"
            )
        self._seal = Seal.whole(weight, self.array)

    @torch.no_grad()
    def read_into(self, weight: Tensor) -> None:
        """Read every pair into the weight attached to this pair, whatever it was."""
        weight.copy_(self.signs())
        self._seal = Seal.whole(weight, self.array)

    @contextmanager
    def writing(self, weight: Tensor) -> Iterator[None]:
        """Around whatever pulses devices and brings `weight` up to date: a weight that is not theirs is refused.

        torch is told that the weight changed, as by its own operations in place, so that a graph of an older weight
        is not taken backward with the new one. Tensors that are not attached to this pair are the caller's business.
        """
        if pair_of(weight) is not self or self._being_written:  # or within a step, whose optimizer looked already
            yield
            return
        self.verify(weight, whole=False)
        before, self._being_written = self._seal, True
        try:
            yield
        finally:
            self._being_written = False
            if not weight.is_inference():
                torch.autograd.graph.increment_version(weight)  # numba writes the memory behind torch's back
            if before is not None:
                self._seal = Seal.after_step(weight, self.array, before, self._rows(weight, *next_rows(weight, before)))

    def read_again(self) -> Tensor:
        """All weights in a new read of every pair: with new read noise where the file has it, else `signs()`."""
        array = self.array
        if not array.reads_are_noisy:
            return self.signs()
        log_r, error = (part.view(self.n_weights, 2) for part in (array.log_r, array.read_errors()))
        tables, seed = array.noise_tables(), int(array.clock[0])
        return fresh_signs(log_r, error, tables.read_sd, seed, array.next_read(), tables.normals).view(self.shape)

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
            For a wrong shape or type of `n`, or more pulses than the counter of a device holds.
        """
        if tuple(n.shape) != self.shape or n.is_floating_point() or n.dtype == torch.bool:
            found = f"{n.dtype} {tuple(n.shape)}"
            raise SimulationError(f"pulses must be integers of shape {self.shape}, got {found}")
        flat, longest = n.reshape(-1), _longest(n)
        if longest:
            check_counters(longest, self.array.pulse_count)
        if weight is None:
            return self._pulse_some(flat, None)
        with self.writing(weight):
            if not self.runs_compiled(weight, LONGEST_BURST) or longest > LONGEST_BURST:
                return self._pulse_some(flat, weight)
            bursts = flat.to(torch.int32)
            with self.array.counted():
                done = calls.pulse_pairs(*self._for_kernel(), bursts, weight.detach().view(-1))
            return PulseReport.one_burst_each(*done)

    def runs_compiled(self, weight: Tensor, longest_burst: int) -> bool:
        """Whether the compiled kernel can serve this weight."""
        return self.can_be_programmed(weight) and not self.array.falls and longest_burst <= LONGEST_BURST

    def can_be_programmed(self, weight: Tensor) -> bool:
        """Whether compiled code can program this weight; it knows falling devices too."""
        plain = weight.dtype == torch.float32 and weight.device.type == "cpu" and weight.is_contiguous()
        return plain and self.array.in_main_memory

    def adam_pulse(self, weight: Tensor, moments: tuple[Tensor, ...], step: AdamStep) -> tuple[PulseReport, int]:
        """One pass for Adam on (gradient, mean, square), its pulses and the new signs, compiled.

        Returns the report and the number of weights whose update was no number; those get no pulse.
        """
        with self.writing(weight), self.array.counted():
            *done, lost = calls.adam_pulse(*self._for_kernel(), moments, weight.detach().view(-1), step)
        return PulseReport.one_burst_each(*done), lost

    def program_some(
        self, index: Tensor, wanted: Tensor, weight: Tensor, bursts: Sequence[int], clock: tuple[int, int],
        most: int = MOST_PULSES, margin: float = 0.0,
    ) -> tuple[PulseReport, Tensor]:
        """Program the weights `index` (flat numbers, none twice) to the signs `wanted`; the report, and which stay.

        Bursts of so many pulses to the device that must move, a comparison after each, until the pair agrees or has had
        all of them, or the device would have had more than `most` pulses since it was SET. What this costs in
        energy is counted as one burst a device. With a `margin` a pair agrees when it is that far apart in ln R.
        """
        device = 2 * index + self._moves(wanted)  # BL is even, BLb odd
        with self.array.counted(bursts):
            if margin == 0 and self.can_be_programmed(weight):
                done = self._program_compiled(device, weight, bursts, clock, most)
            else:
                done = self._program_some(device, wanted, weight, bursts, clock, most, margin)
        stuck = index[self.disagree(index, wanted, weight, margin)]
        return replace(done, stuck=stuck.numel()), stuck

    def _moves(self, wanted: Tensor) -> Tensor:
        """Which device of a pair, BL or BLb, pulses must move for the weight to get the sign `wanted`: 0 or 1."""
        return (wanted > 0 if self.array.falls else wanted < 0).to(torch.int64)

    def _program_compiled(
        self, device: Tensor, weight: Tensor, bursts: Sequence[int], clock: tuple[int, int], most: int
    ) -> PulseReport:
        seed, call = clock
        # a key for each burst, as the parts of a long one: the k-th burst of a pair has the same noise in both kernels
        keys = [_tie_key(seed), *(pulse_key(seed, call, k) for k in range(len(bursts)))]
        sign = np.int32(-1 if self.array.falls else 1)
        how = Programming(sign, np.array(bursts, np.int64), np.int64(most))
        state, tables = self.array.state(), self.array.noise_tables()
        return PulseReport(*calls.program_pairs(state, tables, keys, how, device, weight.detach().view(-1)))

    def _program_some(
        self, device: Tensor, wanted: Tensor, weight: Tensor, bursts: Sequence[int], clock: tuple[int, int], most: int,
        margin: float,
    ) -> PulseReport:
        done = PulseReport()
        for k, burst in enumerate(bursts):
            left = self.disagree(device // 2, wanted, weight, margin)
            # whole bursts only: none is cut short at `most`
            left &= (state_of(self.array.moving).view(-1)[device] >> 1) + burst <= most
            device, wanted = device[left], wanted[left]
            n = device.numel()
            if not n:
                break
            self.array.burst_some(clock, k, device, torch.full_like(device, burst))
            flips = self._refresh(weight, device // 2)
            done += PulseReport(burst * n, 0 if k else n, flips, bursts=n)  # a device counts once, in its first burst
        return done

    def set_back(self, index: Tensor, wanted: Tensor, weight: Tensor) -> tuple[PulseReport, Tensor]:
        """SET what keeps the weights `index` from their signs `wanted`; the report, and which stay as they were.

        Pulses move a device one way only. Where the device that is not to move has had pulses, its SET takes all of
        them back at once.
        """
        other = 2 * index + 1 - self._moves(wanted)
        chosen = self.array.may_be_set(other)  # a SET of a fresh device would change nothing but wear it
        if not bool(chosen.any()):
            return PulseReport(stuck=index.numel()), index
        self.array.set_some(other[chosen])
        flips = self._refresh(weight, index[chosen])
        stuck = index[self.disagree(index, wanted, weight, 0.0)]
        return PulseReport(flips=flips, sets=int(chosen.sum()), stuck=stuck.numel()), stuck

    def gaps(self, index: Tensor | slice = slice(None)) -> Tensor:
        """How far apart in ln R the two devices of the weights `index` (flat numbers) are, as last read."""
        bl, blb = self.array.log_r.view(self.n_weights, 2)[index].unbind(1)
        return (bl - blb).abs()

    def disagree(self, index: Tensor, wanted: Tensor, weight: Tensor, margin: float) -> Tensor:
        """Which of the weights `index` have another sign than `wanted`, or their pairs are closer than `margin`."""
        wrong = weight.detach().reshape(-1)[index] != wanted
        if margin > 0:
            bl, blb = self.array.log_r.view(self.n_weights, 2)[index].unbind(1)
            wrong |= (bl - blb) * wanted < margin
        return wrong

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

    def _rows(self, weight: Tensor, first: int, last: int) -> Tensor:
        """Signs of the rows [first:last] of the weight, as the devices have them; a tie is taken from `weight`."""
        size = self.n_weights // max(self.shape[0], 1)
        read = self.array.log_r.view(self.n_weights, 2)[first * size : last * size]
        if read.device.type != "cpu":
            return self._signs_at(slice(first * size, last * size)).view(last - first, *self.shape[1:])
        bl, blb = read.numpy().T  # done at every step: calls of torch would cost more than the numbers
        signs = np.where(bl > blb, _UP, -_UP)
        if (tied := bl == blb).any():
            signs[tied] = weight.detach()[first:last].reshape(-1).float().numpy()[tied]
        return torch.from_numpy(signs).view(last - first, *self.shape[1:])

    def _signs_at(self, index: Tensor | slice) -> Tensor:
        bl, blb = self.array.log_r.view(self.n_weights, 2)[index].unbind(1)
        signs = torch.where(bl > blb, 1.0, -1.0)
        tied = (bl == blb).nonzero().view(-1)
        if tied.numel():
            number = tied + (index.start or 0) if isinstance(index, slice) else index[tied]
            # by the number of the weight alone: the same coin at every read, as the offset of a sense amplifier
            coin = random_words(_tie_key(int(self.array.clock[0])), number, 0) & 1
            signs[tied] = (2 * coin - 1).to(signs.dtype)
        return signs


def _tie_key(seed: int) -> Key:
    return make_key(seed, "tie")


def _longest(bursts: Tensor) -> int:
    if not bursts.numel():
        return 0
    least, most = torch.aminmax(bursts)
    return max(int(most), -int(least))  # not abs(): that of the smallest int8, -128, is -128


def attach_pair(weight: nn.Parameter, pair: DifferentialPair) -> None:
    """Let an optimizer find the devices behind `weight`."""
    setattr(weight, _ATTRIBUTE, pair)


def pair_of(weight: Tensor) -> DifferentialPair | None:
    """The devices behind a parameter, or None for an ordinary one."""
    return cast("DifferentialPair | None", getattr(weight, _ATTRIBUTE, None))
