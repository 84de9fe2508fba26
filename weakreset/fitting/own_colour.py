"""Devices whose noise has an exponent of its own.

The exponent of 1/f^exponent is pooled over devices. Where cells differ (another trap, another process), a device
whitened with the others' exponent has intervals that are too narrow or too wide. So each device's likelihood of the
exponent is looked at near the pooled one, on the residuals of its fit. Fitting takes some slow noise away from every
device alike, so what counts is how far a device lies from the middle of all. Where the devices spread by more than
their errors explain, or one stands far off, those that do are fitted again with an exponent of their own, shrunk
towards the middle as far as its error asks (empirical Bayes: Robbins 1956).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.common_grids import common_grids
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.whitening import NoiseColour, Whitener

__all__ = ["EXPONENTS", "OwnExponents", "own_exponents"]

Array = NDArray[np.float64]

EXPONENTS = (0.0, 1.95)
_REACH = 0.25  # of the exponent, either side, from which the bend of the likelihood is taken
_BIN = 0.15  # devices in one bin share a whitener
_LEAST_DEVICES = 5  # the spread of fewer is not known at all
_SPREADS = 1.35  # robust sd of z between devices; 1 where all share one exponent
_STANDS_OFF = 4.0  # a single device, where the others agree
_MOST_READS = 1024  # more reads of one device cost more than they tell of its exponent


@dataclass(frozen=True)
class OwnExponents:
    """Exponent of each device, and how much they differ.

    Attributes
    ----------
    exponents : ndarray, shape (n_devices,)
        To fit each device with: the pooled one unless its own is told apart.
    spread : float
        Standard deviation of the exponent between devices, beyond what its errors explain.
    """

    exponents: Array
    spread: float


def own_exponents(fits: Sequence[DeviceFit], pooled: float) -> OwnExponents:
    """Exponents of devices that were fitted with the `pooled` one."""
    known = [i for i, fit in enumerate(fits) if fit.result is not None and len(fit.log_ratio)]
    exponents = np.full(len(fits), pooled)
    if len(known) < _LEAST_DEVICES:
        return OwnExponents(exponents, 0.0)
    away, error = _estimates([fits[i] for i in known], pooled)
    away = away - np.median(away)
    z = away / error
    spreads = 1.4826 * float(np.median(np.abs(z)))
    variance = max(0.0, float((1.4826 * np.median(np.abs(away))) ** 2 - np.median(error**2)))
    if spreads > _SPREADS:
        shrunk = away * variance / (variance + error**2)
    else:
        variance, shrunk = 0.0, np.where(np.abs(z) > _STANDS_OFF, away, 0.0)
    # devices of about one exponent share a whitener
    exponents[known] = np.clip(pooled + _BIN * np.round(shrunk / _BIN), *EXPONENTS)
    return OwnExponents(exponents, float(np.sqrt(variance)))


def _estimates(fits: Sequence[DeviceFit], pooled: float) -> tuple[Array, Array]:
    """Most likely exponent of each device less the pooled one, and its standard error."""
    low, high = max(EXPONENTS[0], pooled - _REACH), min(EXPONENTS[1], pooled + _REACH)
    tried = np.linspace(low, high, 3)
    away, error = np.empty((2, len(fits)))
    log_l = np.empty((3, len(fits)))
    reads = [_reads(fit) for fit in fits]
    for common, members in common_grids([fit.pulses[:n] for fit, n in zip(fits, reads, strict=True)]):
        by_reads: dict[bytes, list[int]] = {}
        for i in members:
            by_reads.setdefault(fits[i].pulses[: reads[i]].tobytes(), []).append(i)
        for row, b in zip(log_l, tried, strict=True):
            whitener = Whitener(common, NoiseColour(float(b), fits[0].read_ratio))
            for same in by_reads.values():
                n = reads[same[0]]
                residuals = np.stack([fits[i].residuals[:n] for i in same])
                row[same] = _log_likelihood(whitener.at(fits[same[0]].pulses[:n]), residuals)
    step = tried[1] - tried[0]
    slope = (log_l[2] - log_l[0]) / (2.0 * step)
    bend = np.minimum((log_l[2] - 2.0 * log_l[1] + log_l[0]) / step**2, -1.0)
    away[:] = tried[1] - pooled + np.clip(-slope / bend, -4 * _REACH, 4 * _REACH)
    error[:] = 1.0 / np.sqrt(-bend)
    return away, error


def _reads(fit: DeviceFit) -> int:
    """How many of the first reads to look at: none that are means of several."""
    single = len(fit.pulses) if fit.averaged is None else int(np.searchsorted(fit.pulses, fit.averaged.first))
    return min(single, _MOST_READS)


def _log_likelihood(whitener: Whitener, residuals: Array) -> Array:
    """ln L of each trace of residuals, maximised over alpha."""
    white = whitener.rows(residuals)
    n = residuals.shape[1]
    return np.asarray(-0.5 * (n * np.log(np.einsum("ij,ij->i", white, white) / n) + whitener.log_det))
