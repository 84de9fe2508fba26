"""Turn 1/f^beta noise plus white read noise, sampled at given pulses, into white noise of unit variance.

    y = mean + alpha * L e,   L L' = covariance of the unit noise,   e white
    whitened y = L^-1 y

Any mean that is linear in its numbers stays linear when whitened, so ordinary least squares on whitened
data is generalized least squares on the data, with honest standard errors.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from weakreset.fitting.even_product import even_product, padded
from weakreset.model import autocovariance

__all__ = ["Averaged", "NoiseColour", "NoiseProfile", "Whitener"]

Array = NDArray[np.float64]

_JITTER = 1e-10  # of the variance: rounding in a matrix whose smallest eigenvalues are as small


@dataclass(frozen=True)
class Averaged:
    """From the pulse `first` on, what is fitted are means of `reads` neighbouring reads, `pace` pulses apart."""

    first: int
    reads: int
    pace: int


@dataclass(frozen=True)
class NoiseProfile:
    """How the size of the noise changes along traces: its logarithm at some pulses, straight lines between them."""

    pulses: tuple[float, ...]
    log_size: tuple[float, ...]

    def at(self, pulses: NDArray[Any]) -> Array:
        """Size at these pulses, that of the mean square being 1; constant before the first and after the last."""
        return np.asarray(np.exp(np.interp(pulses, self.pulses, self.log_size)))


@dataclass(frozen=True)
class NoiseColour:
    """Shape of the noise: exponent of 1/f^exponent, and read noise variance in units of alpha^2.

    `exponent=None` stands for white noise alone (no 1/f part); alpha is then the read noise itself. `averaged` says
    which reads are means of several, `profile` how the size changes along the trace. `wander` is the variance by which
    a random walk of the baseline grows with every pulse, in units of alpha^2.
    """

    exponent: float | None = 1.0
    read_ratio: float = 0.0
    averaged: Averaged | None = None
    profile: NoiseProfile | None = None
    wander: float = 0.0

    def covariance(self, pulses: NDArray[np.int64]) -> Array:
        """Covariance of the noise at `pulses`, for alpha = 1; shape (n, n)."""
        if self.profile is not None:
            size = self.profile.at(pulses)
            return np.asarray(replace(self, profile=None).covariance(pulses) * np.outer(size, size))
        if self.wander > 0.0:  # where it stands at the first pulse is c1's
            walk = np.minimum(pulses[:, None], pulses[None, :]) - float(pulses[0])
            return np.asarray(replace(self, wander=0.0).covariance(pulses) + self.wander * walk)
        if self.averaged is not None and pulses[-1] >= self.averaged.first:
            return self._of_means(pulses, self.averaged)
        if self.exponent is None:
            return np.eye(len(pulses))
        lags = np.abs(pulses[:, None] - pulses[None, :])
        coloured = autocovariance(self.exponent, int(lags.max(initial=0)) + 1)[lags]
        return np.asarray(coloured + (self.read_ratio + _JITTER) * np.eye(len(pulses)))

    def _of_means(self, pulses: NDArray[np.int64], averaged: Averaged) -> Array:
        """Of means over sizes p and q that begin at a and c, from the variance V of a sum of x neighbouring reads:

        p q cov = (V(c + q - a) + V(c - a - p) - V(c - a) - V(c + q - a - p)) / 2,   V(-x) = V(x).
        """
        size = np.where(pulses >= averaged.first, averaged.reads, 1)
        if self.exponent is None:
            return np.asarray(np.diag(1.0 / size))
        begin = (pulses - pulses[0]) // averaged.pace - size // 2
        n = int(begin[-1] + size[-1] - begin[0]) + 1
        gamma = autocovariance(self.exponent, (n - 1) * averaged.pace + 1)[:: averaged.pace]
        of_sum = np.concatenate([[0.0], np.cumsum(2.0 * np.cumsum(gamma) - gamma[0])])
        end = begin + size
        between = 0.5 * (
            of_sum[np.abs(end[None, :] - begin[:, None])] + of_sum[np.abs(begin[None, :] - end[:, None])]
            - of_sum[np.abs(begin[None, :] - begin[:, None])] - of_sum[np.abs(end[None, :] - end[:, None])]
        )
        return np.asarray(between / np.outer(size, size) + np.diag((self.read_ratio + _JITTER) / size))


class Whitener:
    """Cholesky factor of the noise at one set of read pulses, shared by all devices read there or at some of them.

    Parameters
    ----------
    pulses : ndarray of int, shape (n,)
    colour : NoiseColour

    Attributes
    ----------
    log_det : float
        ln det of the covariance for alpha = 1.
    log_dets : ndarray, shape (n,)
        The same of the first, the first two, ... reads of the factor.
    kept : ndarray of int
        Which reads of the factor these are.
    gone : ndarray, shape (n, n_missing), or None
        Orthonormal basis of what the missing reads take away.
    """

    def __init__(self, pulses: NDArray[np.int64], colour: NoiseColour) -> None:
        self.pulses = pulses
        self.colour = colour
        self._factor = linalg.cholesky(colour.covariance(pulses), lower=True, overwrite_a=True, check_finite=False)
        self._root, self._inverses = self._factor, list[Array]()  # both of all reads, in every part of this
        self._settle(np.arange(len(pulses)))

    def _settle(self, kept: NDArray[np.intp]) -> None:
        """Take the reads `kept` of those that the factor is for; the last one is kept."""
        n = len(self._factor)
        self.kept = kept
        self.log_dets = 2.0 * np.cumsum(np.log(np.diag(self._factor)))
        self.log_det = float(self.log_dets[-1])
        self.gone: Array | None = None
        if len(kept) < n:
            missing = np.setdiff1d(np.arange(n), kept)
            columns = np.zeros((n, len(missing)))
            columns[missing, np.arange(len(missing))] = 1.0
            columns = self._solve(columns)
            root = linalg.cholesky(columns.T @ columns, lower=True, check_finite=False)
            self.gone = linalg.solve_triangular(root, columns.T, lower=True, check_finite=False).T
            self.log_det += 2.0 * float(np.log(np.diag(root)).sum())

    def at(self, pulses: NDArray[np.int64]) -> Whitener:
        """For some of the reads: exactly their own noise, without another Cholesky factor.

        The leading block of the factor is that of a trace that ends earlier. A read that is missing is a number of
        its own beside all others: its whitened column is projected out of everything, and ln det grows by that of the
        projected columns.
        """
        kept = np.searchsorted(self.pulses, pulses)
        if len(kept) == len(self.pulses):
            return self
        part = copy.copy(self)
        part.pulses = pulses
        part._factor = self._factor[: kept[-1] + 1, : kept[-1] + 1]
        part._settle(kept)
        return part

    def columns(self, values: Array) -> Array:
        """L^-1 values for a vector (n,) or columns (n, k); where reads are missing, as many rows as without gaps."""
        if self.gone is None:
            return self._solve(values)
        spread = np.zeros((len(self._factor), *values.shape[1:]))
        spread[self.kept] = values
        white = self._solve(spread)
        return np.asarray(white - self.gone @ (self.gone.T @ white))

    def rows(self, values: Array) -> Array:
        """The same for traces in rows, (n_devices, n): each has the same bits whatever the others are."""
        n = len(self._factor)
        spread = values
        if self.gone is not None:
            spread = np.zeros((len(values), n))
            spread[:, self.kept] = values
        white = even_product(spread, self.inverse[:n, : -(-n // 8) * 8], triangular=True)[:, :n]
        return np.ascontiguousarray(self.without_gone(white))

    def without_gone(self, white: Array) -> Array:
        """Whitened rows less what missing reads can explain, row by row."""
        if self.gone is None:
            return white
        return np.stack([row - self.gone @ (self.gone.T @ row) for row in white])

    @property
    def inverse(self) -> Array:
        """Transposed inverse of the factor for all reads, `padded`; its leading blocks are those of leading reads."""
        if not self._inverses:
            whole = linalg.solve_triangular(self._root, np.eye(len(self._root)), lower=True, check_finite=False)
            self._inverses.append(padded(whole.T))
        return self._inverses[0]

    def _solve(self, values: Array) -> Array:
        return np.asarray(linalg.solve_triangular(self._factor, values, lower=True, check_finite=False))
