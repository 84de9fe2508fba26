"""What the measured set looks like beside its replicas: curves with the band that holds 95 % of the replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Distribution", "Envelope", "Spectrum"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Envelope:
    """Quantiles of ln(R/R0) over devices against pulses, measured and simulated.

    Attributes
    ----------
    pulses : ndarray of int, shape (n,)
    levels : tuple of float
        Probabilities, e.g. 0.05 .. 0.95.
    measured : ndarray, shape (n_levels, n)
    low, middle, high : ndarray, shape (n_levels, n)
        2.5 %, 50 % and 97.5 % of the replicas.
    n_devices : ndarray of int, shape (n,)
        Traces (devices, cycles where they have several) read at each pulse count.
    """

    pulses: NDArray[np.int64]
    levels: tuple[float, ...]
    measured: Array
    low: Array
    middle: Array
    high: Array
    n_devices: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        content: dict[str, Any] = {"levels": list(self.levels)}
        for name in ("pulses", "n_devices", "measured", "low", "middle", "high"):
            content[name] = getattr(self, name).tolist()
        return content


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Power density of ln R of the median device without its trend, in octaves; every array has shape (n,).

    Attributes
    ----------
    frequency : ndarray
        Middle of each octave, 1/pulse.
    measured : ndarray
        pulses (ln R squared per 1/pulse), two-sided.
    low, middle, high : ndarray
        2.5 %, 50 % and 97.5 % of the replicas.
    """

    frequency: Array
    measured: Array
    low: Array
    middle: Array
    high: Array

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name).tolist() for name in ("frequency", "measured", "low", "middle", "high")}


@dataclass(frozen=True, eq=False)
class Distribution:
    """Quantiles of ln(R / ohm) over devices at one pulse count; every array has the shape of `probabilities`.

    Attributes
    ----------
    pulse : int
    probabilities : ndarray
    measured : ndarray
    low, middle, high : ndarray
        2.5 %, 50 % and 97.5 % of the replicas.
    """

    pulse: int
    probabilities: Array
    measured: Array
    low: Array
    middle: Array
    high: Array

    def to_dict(self) -> dict[str, Any]:
        arrays = ("probabilities", "measured", "low", "middle", "high")
        return {"pulse": self.pulse} | {name: getattr(self, name).tolist() for name in arrays}
