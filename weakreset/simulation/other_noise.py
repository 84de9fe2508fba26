"""Kinds of noise that the kernel does not know: their states on simulated devices, moved in plain torch.

Such a kind brings `torch` (see `weakreset.model.TorchNoise`). Its random words depend on the seed, the name of the
kind, the call and the number of the device alone, so that bits are the same for any chunk size, and those of all other
noise are what they are without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.model import NoiseKind
from weakreset.parameter_file import ParameterFile
from weakreset.simulation.counter_random import (
    WORDS,
    Key,
    derive_seed,
    make_key,
    normal,
    normal_table,
    random_words,
    upper_half,
)

__all__ = ["Moved", "OtherNoise", "other_kinds"]

_CHUNK = 1 << 15  # devices at once: double precision for all of a large chip would not fit
_HALF_WORD = 2.0**-32  # the upper 32 bits of a word as a number in [0, 1)


@dataclass(frozen=True)
class Moved:
    """Some devices that begin a cycle or have got pulses, a row each.

    Attributes
    ----------
    numbers : mapping of str to float
        Of the block of the file.
    own : mapping of str to Tensor
        Own numbers of the devices, float32, by name.
    state : dict of str to Tensor
        As `begin` made them; change them in place, or put others there. Empty at the beginning of a cycle.
    n : Tensor of int64
        Pulses, 1 or more; 0 at the beginning of a cycle.
    log_ratio : Tensor of float32
        ln(R/R0) after the pulses by drift and the noise before this.
    """

    numbers: Mapping[str, float]
    own: Mapping[str, Tensor]
    state: dict[str, Tensor]
    n: Tensor
    log_ratio: Tensor
    _key: Key
    _index: Tensor

    def bits(self, word: int) -> Tensor:
        """64 random bits a device, int64; `word` in 0 .. 7 tells independent ones apart."""
        if not 0 <= word < WORDS:
            raise SimulationError(f"a device has the random words 0 .. {WORDS - 1} for each burst, not {word}")
        return random_words(self._key, self._index, word)

    def uniform(self, word: int) -> Tensor:
        """Uniform on [0, 1) in steps of 2^-32, float64."""
        return upper_half(self.bits(word)).to(torch.float64) * _HALF_WORD

    def normal(self, word: int) -> Tensor:
        """Standard normal, float32."""
        return normal(self.bits(word), torch.as_tensor(normal_table()).to(self._index.device))


def other_kinds(file: ParameterFile, without: tuple[str, ...]) -> list[NoiseKind]:
    """Kinds of the file, on in it, that the kernel does not know.

    Raises
    ------
    SimulationError
        One of them has no torch side, and is not switched off.
    """
    found = [kind for kind, block in file.noise.blocks() if block.enabled and not kind.in_kernel]
    for kind in found:
        if kind.torch is None and kind.name not in without:
            raise SimulationError(
                f"{file.name}: noise.{kind.name} ({kind.label}) cannot be simulated by the layers, for this kind of "
                f"noise brings no torch function; the numpy twin shows it. Leave it out with without={kind.name!r}, or "
                f"give its NoiseKind a `torch`"
            )
    return [kind for kind in found if kind.torch is not None]


class OtherNoise(nn.Module):
    """One kind of noise on an array of devices; all its state is in buffers.

    Attributes
    ----------
    part : Tensor of float32, shape of the array
        What it adds to ln R now; zero where it is switched off and before the first pulse.
    own_NAME, state_NAME : Tensor, same shape
        Own numbers and states of the devices.
    """

    part: Tensor

    def __init__(self, kind: NoiseKind, file: ParameterFile, shape: tuple[int, ...], without: tuple[str, ...]) -> None:
        super().__init__()
        self.kind, self.on = kind, kind.name not in without
        self.numbers: dict[str, float] = getattr(file.noise, kind.name).numbers()
        self.register_buffer("part", torch.zeros(shape))
        for own in kind.own:
            self.register_buffer(f"own_{own.name}", torch.zeros(shape))
        # begun with no device at all, to learn names and types of its states
        nothing = torch.zeros(0, dtype=torch.int64)
        for name, value in self._begun(self._moved(nothing, nothing, (0, 0), nothing, torch.zeros(0))).items():
            self.register_buffer(f"state_{name}", torch.zeros(shape, dtype=value.dtype))

    def store(self, where: slice, fields: Mapping[str, Any]) -> None:
        """Own numbers of the devices `where`, by column, as they were drawn."""
        for column, own in self.kind.columns.items():
            self._flat(f"own_{own.name}")[where] = torch.from_numpy(fields[column])

    def begin(self, seed: int, index: Tensor, cycle: Tensor) -> None:
        """Begin cycle number `cycle` of the devices `index`."""
        key = make_key(derive_seed(seed, f"noise {self.kind.name}"), "set")
        n_devices, self._flat("part")[index] = self.part.numel(), 0.0
        for part, count in zip(torch.split(index, _CHUNK), torch.split(cycle, _CHUNK), strict=True):
            none = torch.zeros_like(part)
            now = part + n_devices * count.to(torch.int64)
            for name, value in self._begun(self._moved(part, now, key, none, none.to(torch.float32))).items():
                self._flat(f"state_{name}")[part] = value

    def pulse(
        self, seed: int, counters: tuple[int, int], index: Tensor, n: Tensor, log_r: Tensor, log_r0: Tensor
    ) -> None:
        """Give device `index[i]` `n[i]` pulses and add what the noise is then to its `log_r` (flat, in place)."""
        if not self.on:
            return
        # named by the kind: adding a kind leaves the bits of all others as they are
        key = make_key(derive_seed(seed, f"noise {self.kind.name}"), "pulse", *counters)
        for part, burst in zip(torch.split(index, _CHUNK), torch.split(n, _CHUNK), strict=True):
            before = log_r[part]
            moved = self._moved(part, part, key, burst, before - log_r0[part])
            moved.state.update({name: self._flat(f"state_{name}")[part] for name in self._states()})
            added = self._side.pulse(moved).to(torch.float32)
            for name in self._states():
                self._flat(f"state_{name}")[part] = moved.state[name]
            self._flat("part")[part] = added
            # added to ln R as stored, after what the kernel knows: kinds add up in the order of the file
            log_r[part] = before + added

    def _moved(self, index: Tensor, number: Tensor, key: Key, n: Tensor, log_ratio: Tensor) -> Moved:
        own = {own.name: self._flat(f"own_{own.name}")[index] for own in self.kind.own}
        return Moved(self.numbers, own, {}, n, log_ratio, key, number)

    def _begun(self, moved: Moved) -> dict[str, Tensor]:
        states: dict[str, Tensor] = self._side.begin(moved)
        return states

    @property
    def _side(self) -> Any:
        return self.kind.torch

    def _states(self) -> Iterator[str]:
        return (name.removeprefix("state_") for name in self._buffers if name.startswith("state_"))

    def _flat(self, name: str) -> Tensor:
        buffer: Tensor = getattr(self, name)
        return buffer.view(-1)

    def extra_repr(self) -> str:
        return self.kind.label + ("" if self.on else ", switched off")

    def _apply(self, fn: Any, recurse: bool = True) -> OtherNoise:
        """Follow `.to(device)`, ignore `.half()` and `.double()`, as the array does."""
        device = fn(torch.empty(0, device=self.part.device)).device
        for name, buffer in self._buffers.items():
            self._buffers[name] = None if buffer is None else buffer.to(device)
        return self
