"""The weak-RESET device: drift + alpha * 1/f noise + A * telegraph state, on ln(R/R0).

    ln(R(t)/R0) = drift(t) + alpha x(t) + A s(t) + read noise,   t = 1, 2, ...;   R(0) = R0

(Majumdar et al., IEEE TED 2021, arXiv 2107.06064; the read noise is ours.) Natural logarithm. Noise moves
with pulses, not with time: a device that gets no pulse keeps its resistance. A fresh or freshly SET
device draws 1/f and telegraph noise from their stationary laws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.model.drift import TWO_SLOPE, DriftShape
from weakreset.model.pink_noise import pink_noise
from weakreset.model.telegraph import telegraph_states

__all__ = ["DeviceNoise", "Devices", "SimulatedTraces", "simulate_devices"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DeviceNoise:
    """Noise shared by all devices of a technology; an amplitude of 0 switches a part off.

    Attributes
    ----------
    alpha : float
        Standard deviation of the white noise that drives the 1/f filter (in ln R).
    exponent : float
        beta of 1/f^beta.
    p_up, p_down : float
        Telegraph switching probabilities per pulse.
    read_sd : float
        Standard deviation of white noise added by each read (in ln R).
    """

    alpha: float = 0.0
    exponent: float = 1.0
    p_up: float = 0.0
    p_down: float = 0.0
    read_sd: float = 0.0


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
    """

    r0_ohm: Array
    drift: Mapping[str, Array]
    rtn_amplitude: Array
    shape: DriftShape = TWO_SLOPE

    def __len__(self) -> int:
        return len(self.r0_ohm)

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
    high : ndarray of bool, same shape
        Telegraph state; False at pulse 0.
    """

    pulses: NDArray[np.int64]
    log_ratio: Array
    high: NDArray[np.bool_]
    devices: Devices

    def resistance_ohm(self) -> Array:
        return np.asarray(self.devices.r0_ohm[:, None] * np.exp(self.log_ratio))


def simulate_devices(
    devices: Devices, noise: DeviceNoise, n_pulses: int, rng: np.random.Generator,
    pink: Callable[[np.random.Generator, int, int, float], Array] = pink_noise,
) -> SimulatedTraces:
    """One read after each of `n_pulses` pulses on every device, and the read of the fresh device.

    Each kind of noise has its own stream, so switching one off leaves the others as they were. `pink` is `pink_noise`,
    or `embedded_pink_noise` where speed matters and a seed need not give the noise it always gave.
    """
    pink_rng, rtn_rng, read_rng = rng.spawn(3)
    n_devices = len(devices)
    pulses = np.arange(n_pulses + 1)
    log_ratio = np.zeros((n_devices, n_pulses + 1))
    high = np.zeros((n_devices, n_pulses + 1), dtype=np.bool_)
    log_ratio[:, 1:] = devices.mean_log_ratio(pulses[1:])
    if noise.alpha > 0:
        log_ratio[:, 1:] += noise.alpha * pink(pink_rng, n_devices, n_pulses, noise.exponent)
    if noise.p_up > 0 and np.any(devices.rtn_amplitude > 0):
        high[:, 1:] = telegraph_states(rtn_rng, n_devices, n_pulses, noise.p_up, noise.p_down)
        log_ratio[:, 1:] += devices.rtn_amplitude[:, None] * high[:, 1:]
    if noise.read_sd > 0:
        log_ratio[:, 1:] += noise.read_sd * read_rng.standard_normal((n_devices, n_pulses))
    return SimulatedTraces(pulses, log_ratio, high, devices)
