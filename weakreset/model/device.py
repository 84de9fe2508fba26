"""The weak-RESET device: drift + noise on ln(R/R0).

    ln(R(t)/R0) = drift(t) + alpha x(t) + A s(t) + read noise,   t = 1, 2, ...;   R(0) = R0

(Majumdar et al., IEEE TED 2021, arXiv 2107.06064; the read noise is ours.) Natural logarithm. Noise moves
with pulses, not with time: a device that gets no pulse keeps its resistance. A fresh or freshly SET
device draws 1/f and telegraph noise from their stationary laws. The noises are those of `weakreset.model.noise`,
others can be registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.model.drift import TWO_SLOPE, DriftShape
from weakreset.model.noise import DeviceNoise, NoiseKind, NoiseRun
from weakreset.model.streams import named_stream

__all__ = ["Devices", "SimulatedTraces", "simulate_devices"]

Array = NDArray[np.float64]

_FIRST_STREAMS = 3
"""Kinds of noise that had a stream each before there was a registry."""


@dataclass(frozen=True)
class Devices:
    """The numbers that make each device itself; every array has shape (n_devices,).

    Attributes
    ----------
    r0_ohm : ndarray
        Resistance read right after SET.
    drift : mapping of str to ndarray
        The drift shape's numbers by name.
    rtn_amplitude : ndarray
        Telegraph step A in ln R.
    shape : DriftShape
        Which closed form the drift follows.
    others : mapping of str to ndarray
        Own numbers of kinds of noise from elsewhere, by column (KIND_NAME).
    """

    r0_ohm: Array
    drift: Mapping[str, Array]
    rtn_amplitude: Array
    shape: DriftShape = TWO_SLOPE
    others: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.r0_ohm)

    @property
    def noise_columns(self) -> dict[str, Array]:
        """Own numbers of all kinds of noise by column."""
        return {"rtn_amplitude": self.rtn_amplitude, **self.others}

    def mean_log_ratio(self, pulses: NDArray[np.int64]) -> Array:
        """Drift alone at `pulses` >= 1; shape (n_devices, n_pulses)."""
        numbers = (self.drift[name][:, None] for name in self.shape.parameters)
        return self.shape.value(pulses[None, :], *numbers)


@dataclass(frozen=True)
class SimulatedTraces:
    """A simulated measurement and what it is made of. Column 0 is the fresh device, w = 0.

    Attributes
    ----------
    pulses : ndarray, shape (n_pulses + 1,)
        0, 1, ..., n_pulses.
    log_ratio : ndarray, shape (n_devices, n_pulses + 1)
        ln(R/R0) as read.
    states : mapping of str to ndarray, same shape
        Hidden states by kind of noise, zero at pulse 0; of those that have one and were on.
    """

    pulses: NDArray[np.int64]
    log_ratio: Array
    states: Mapping[str, NDArray[Any]]
    devices: Devices

    @property
    def high(self) -> NDArray[np.bool_]:
        """Telegraph state (of the kind `rtn`), shape as `log_ratio`; False throughout where there was none."""
        none = np.zeros(self.log_ratio.shape, dtype=np.bool_)
        return self.states.get("rtn", none)

    def resistance_ohm(self) -> Array:
        return np.asarray(self.devices.r0_ohm[:, None] * np.exp(self.log_ratio))


def simulate_devices(
    devices: Devices, noise: DeviceNoise, n_pulses: int, rng: np.random.Generator, quick: bool = False
) -> SimulatedTraces:
    """One read after each of `n_pulses` pulses on every device, and the read of the fresh device.

    Each kind of noise has its own stream, so switching one off leaves the others as they were. `quick` where speed
    matters and a seed need not give the noise it always gave.

    Raises
    ------
    KeyError
        The devices lack an own number that a kind of noise needs.
    """
    streams = rng.spawn(_FIRST_STREAMS + 1)
    pulses = np.arange(n_pulses + 1)
    log_ratio = np.zeros((len(devices), n_pulses + 1))
    drift = devices.mean_log_ratio(pulses[1:])
    log_ratio[:, 1:] = drift
    states = {}
    for kind, numbers in noise.audible():
        own_rng = named_stream(streams[-1], kind.name) if kind.stream is None else streams[kind.stream]
        own = _own_numbers(devices, kind)
        made = kind.generate(NoiseRun(own_rng, len(devices), n_pulses, numbers, own, drift, quick))
        log_ratio[:, 1:] += made.log_ratio
        if made.state is not None:
            states[kind.name] = np.concatenate([np.zeros_like(made.state, shape=(len(devices), 1)), made.state], axis=1)
    return SimulatedTraces(pulses, log_ratio, states, devices)


def _own_numbers(devices: Devices, kind: NoiseKind) -> dict[str, Array]:
    return {own.name: devices.noise_columns[column] for column, own in kind.columns.items()}
