"""The physics, once, in numpy: laws, drift, 1/f noise, telegraph noise, and the device made of them."""

from weakreset.model.device import DeviceNoise, Devices, SimulatedTraces, simulate_devices
from weakreset.model.drift import (
    BUILT_IN,
    POWER_LAW,
    SATURATING,
    SHAPES,
    SINGLE_SLOPE,
    TWO_SLOPE,
    DriftNumber,
    DriftScan,
    DriftShape,
    register_shape,
    two_slope,
)
from weakreset.model.laws import FAMILIES, Family, TruncatedLaw
from weakreset.model.pink_embedding import embedded_pink_noise
from weakreset.model.pink_noise import (
    MEMORY_PULSES,
    autocovariance,
    filter_taps,
    inverse_filter_taps,
    pink_noise,
    spectrum,
)
from weakreset.model.telegraph import high_probability_after, stationary_high_probability, telegraph_states

__all__ = [
    "BUILT_IN",
    "FAMILIES",
    "MEMORY_PULSES",
    "POWER_LAW",
    "SATURATING",
    "SHAPES",
    "SINGLE_SLOPE",
    "TWO_SLOPE",
    "DeviceNoise",
    "Devices",
    "DriftNumber",
    "DriftScan",
    "DriftShape",
    "Family",
    "SimulatedTraces",
    "TruncatedLaw",
    "autocovariance",
    "embedded_pink_noise",
    "filter_taps",
    "high_probability_after",
    "inverse_filter_taps",
    "pink_noise",
    "register_shape",
    "simulate_devices",
    "spectrum",
    "stationary_high_probability",
    "telegraph_states",
    "two_slope",
]
