"""1/f^beta noise per pulse: Kasdin's fractional filter on centred, unit-variance white noise.

The spectrum is (2 sin(pi f))^-beta down to about 1/`MEMORY_PULSES` per pulse and flat below; what is
slower than that cannot be told from the offset c1 of the device. (Kasdin, Proc. IEEE 83, 802, 1995.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MEMORY_PULSES", "autocovariance", "filter_taps", "inverse_filter_taps", "pink_noise", "spectrum"]

Array = NDArray[np.float64]

MEMORY_PULSES = 32768
"""Length of the filter: the history a stationary device brings along."""

_BLOCK = 64  # devices at once: their transforms stay in the cache


def filter_taps(exponent: float, n: int) -> Array:
    """First `n` taps of the filter whose output is 1/f^exponent: h0 = 1, h_k = h_{k-1} (k - 1 + b/2)/k."""
    k = np.arange(1, n, dtype=np.float64)
    return np.concatenate([[1.0], np.cumprod((k - 1.0 + exponent / 2.0) / k)])


def inverse_filter_taps(exponent: float, n: int) -> Array:
    """First `n` taps of the inverse filter, which turns 1/f^exponent noise back to white."""
    return filter_taps(-exponent, n)


def spectrum(frequency: ArrayLike, exponent: float) -> Array:
    """Two-sided power density of the ideal process at `frequency` in cycles per pulse, in (0, 0.5]."""
    f = np.asarray(frequency, dtype=np.float64)
    return np.asarray((2.0 * np.sin(np.pi * f)) ** -exponent)


def autocovariance(exponent: float, n_lags: int, n_taps: int = MEMORY_PULSES) -> Array:
    """Covariance of x(t) and x(t + lag) for lags 0 .. n_lags - 1, unit driving noise."""
    from scipy import fft  # here, not above: its import is a twentieth of what `weakreset show` takes

    taps = filter_taps(exponent, n_taps)
    size = fft.next_fast_len(2 * n_taps, real=True)
    covariance = fft.irfft(np.abs(fft.rfft(taps, size)) ** 2, size)
    lags = np.zeros(n_lags)
    m = min(n_lags, n_taps)
    lags[:m] = covariance[:m]
    return lags


def pink_noise(
    rng: np.random.Generator, n_devices: int, n_pulses: int, exponent: float = 1.0, n_taps: int = MEMORY_PULSES
) -> Array:
    """Stationary 1/f^exponent noise, independent between devices.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_devices, n_pulses : int
        Shape of the result.
    exponent : float
        beta in 1/f^beta; 0 is white, 1 is pink.
    n_taps : int
        Length of the filter.

    Returns
    -------
    ndarray, shape (n_devices, n_pulses)
        x(t) of the device model: multiply by alpha.
    """
    from scipy import fft

    taps = filter_taps(exponent, n_taps)
    n_drive = n_pulses + n_taps - 1
    size = fft.next_fast_len(n_drive + n_taps - 1, real=True)
    response = fft.rfft(taps, size)
    noise = np.empty((n_devices, n_pulses))
    for start in range(0, n_devices, _BLOCK):
        stop = min(start + _BLOCK, n_devices)
        drive = rng.standard_normal((stop - start, n_drive))
        full = fft.irfft(fft.rfft(drive, size) * response, size)
        noise[start:stop] = full[:, n_taps - 1 : n_taps - 1 + n_pulses]
    return noise
