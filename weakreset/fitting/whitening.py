"""Turn 1/f^beta noise plus white read noise, sampled at given pulses, into white noise of unit variance.

    y = mean + alpha * L e,   L L' = covariance of the unit noise,   e white
    whitened y = L^-1 y

Any mean that is linear in its numbers stays linear when whitened, so ordinary least squares on whitened
data is generalized least squares on the data, with honest standard errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from weakreset.model import autocovariance

__all__ = ["NoiseColour", "Whitener"]

Array = NDArray[np.float64]

_JITTER = 1e-10


@dataclass(frozen=True)
class NoiseColour:
    """Shape of the noise: exponent of 1/f^exponent, and read noise variance in units of alpha^2.

    `exponent=None` stands for white noise alone (no 1/f part); alpha is then the read noise itself.
    """

    exponent: float | None = 1.0
    read_ratio: float = 0.0

    def covariance(self, pulses: NDArray[np.int64]) -> Array:
        """Covariance of the noise at `pulses`, for alpha = 1; shape (n, n)."""
        if self.exponent is None:
            return np.eye(len(pulses))
        lags = np.abs(pulses[:, None] - pulses[None, :])
        coloured = autocovariance(self.exponent, int(lags.max(initial=0)) + 1)[lags]
        return np.asarray(coloured + (self.read_ratio + _JITTER) * np.eye(len(pulses)))


class Whitener:
    """Cholesky factor of the noise at one set of read pulses, shared by all devices read there.

    Parameters
    ----------
    pulses : ndarray of int, shape (n,)
    colour : NoiseColour

    Attributes
    ----------
    log_det : float
        ln det of the covariance for alpha = 1.
    """

    def __init__(self, pulses: NDArray[np.int64], colour: NoiseColour) -> None:
        self.pulses = pulses
        self.colour = colour
        self._factor = linalg.cholesky(colour.covariance(pulses), lower=True, overwrite_a=True, check_finite=False)
        self.log_det = 2.0 * float(np.log(np.diag(self._factor)).sum())

    def columns(self, values: Array) -> Array:
        """L^-1 values for a vector (n,) or columns (n, k)."""
        return np.asarray(linalg.solve_triangular(self._factor, values, lower=True, check_finite=False))

    def rows(self, values: Array) -> Array:
        """The same for traces in rows, (n_devices, n)."""
        return np.ascontiguousarray(self.columns(np.ascontiguousarray(values.T)).T)
