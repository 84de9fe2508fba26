"""Kinds of noise, a file each: the numbers of its block in the file, its generator, its estimator and its switch.

A kind from elsewhere is a `NoiseKind` and the functions it names. It is known everywhere once it is registered, by
`register_noise(kind)` or by an entry point of the group `weakreset.noise_kinds` in its package, which the commands and
worker processes see too. From then on a parameter file may hold its block, the numpy twin and the layers show it,
`without` knows its switch, studies have its conditions, and tables, comparisons and reports have its numbers.
"""

from weakreset.model.noise.device_noise import DeviceNoise
from weakreset.model.noise.kind import (
    Generated,
    NoiseKind,
    NoiseRun,
    Number,
    OwnNumber,
    Statistic,
    TorchNoise,
)
from weakreset.model.noise.pink_embedding import embedded_pink_noise
from weakreset.model.noise.pink_noise import (
    MEMORY_PULSES,
    autocovariance,
    filter_taps,
    inverse_filter_taps,
    pink_noise,
    spectrum,
)
from weakreset.model.noise.pink_poles import PinkPoles, fit_pink_poles
from weakreset.model.noise.registry import noise_kind, noise_kinds, register_noise, registered_noise, withdraw_noise
from weakreset.model.noise.telegraph import high_probability_after, stationary_high_probability, telegraph_states

__all__ = [
    "MEMORY_PULSES",
    "DeviceNoise",
    "Generated",
    "NoiseKind",
    "NoiseRun",
    "Number",
    "OwnNumber",
    "PinkPoles",
    "Statistic",
    "TorchNoise",
    "autocovariance",
    "embedded_pink_noise",
    "filter_taps",
    "fit_pink_poles",
    "high_probability_after",
    "inverse_filter_taps",
    "noise_kind",
    "noise_kinds",
    "pink_noise",
    "register_noise",
    "registered_noise",
    "spectrum",
    "stationary_high_probability",
    "telegraph_states",
    "withdraw_noise",
]
