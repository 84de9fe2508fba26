"""The same 1/f^beta noise as `pink_noise`, many times faster for short traces: drawn from its covariance.

A stationary Gaussian series is fixed by its covariances at the lags it spans, so a filter's long memory need not be
run: the covariances are wrapped to a circle of about twice the length, whose Fourier transform is the variance of each
harmonic (circulant embedding; Davies and Harte, Biometrika 74, 95, 1987). Exact, like the filter; the random numbers
are used differently, so the same seed gives other noise.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from weakreset.model.noise.pink_noise import autocovariance, pink_noise

__all__ = ["embedded_pink_noise"]

Array = NDArray[np.float64]

_ROUNDING = 1e-9  # negative variances of the embedding up to this are rounding; beyond, it is not valid


def embedded_pink_noise(rng: np.random.Generator, n_devices: int, n_pulses: int, exponent: float = 1.0) -> Array:
    """Stationary 1/f^exponent noise, independent between devices, with the law of `pink_noise`.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_devices, n_pulses : int
        Shape of the result.
    exponent : float
        beta in 1/f^beta; 0 is white, 1 is pink. Where the circle has no spectrum (steep noise), `pink_noise` steps in.

    Returns
    -------
    ndarray, shape (n_devices, n_pulses)
        x(t) of the device model: multiply by alpha.
    """
    from scipy import fft

    amplitude = _harmonics(n_pulses, exponent)
    if amplitude is None:
        return pink_noise(rng, n_devices, n_pulses, exponent)
    size = 2 * (len(amplitude) - 1)
    drive = rng.standard_normal((n_devices, 2, len(amplitude)))
    harmonics = np.empty((n_devices, len(amplitude)), dtype=np.complex128)
    harmonics.real, harmonics.imag = drive[:, 0] * amplitude, drive[:, 1] * amplitude
    for end in (0, -1):  # these two are real, and carry the variance that others share between two parts
        harmonics[:, end] = np.sqrt(2.0) * harmonics[:, end].real
    return np.asarray(fft.irfft(harmonics, size)[:, :n_pulses])


@lru_cache(maxsize=64)
def _harmonics(n_pulses: int, exponent: float) -> Array | None:
    """Standard deviation of the real part of each harmonic, in the scaling of `irfft`."""
    from scipy import fft

    half = fft.next_fast_len(max(2, n_pulses), real=True)
    covariance = autocovariance(exponent, half + 1)
    variance = fft.rfft(np.concatenate([covariance, covariance[-2:0:-1]])).real
    if variance.min() < -_ROUNDING * variance.max():
        return None
    amplitude = np.sqrt(np.maximum(variance, 0.0) * half)
    amplitude.flags.writeable = False
    return np.asarray(amplitude)
