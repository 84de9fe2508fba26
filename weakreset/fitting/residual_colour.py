"""How slow the residuals are: errors that hold where the noise is stationary and of another colour than assumed.

Whitened residuals of the right colour have the same variance in every band of frequencies. Where a cell wanders more
slowly than a block of reads is long (`residual_check`), only the slowest bands show it, and it is they that decide
slopes and knees. The residuals are turned into cosines (DCT-II), the power of a band is the mean of their squares there
over what the fit's own numbers leave of it, and the covariance of the numbers is that of noise with this power:

    R C_q' diag(P) C_q R' + R (1 - C_q' C_q) R',   C_q the cosines of the orthonormal Jacobian, R its inverse root
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["SlowPower", "colour_inflation", "power_of_set", "slow_power", "slower_than_assumed"]

Array = NDArray[np.float64]
SlowPower = tuple[Array, Array]
"""Sums of squares of the residuals in each band, and the degrees of freedom that the fit leaves there."""

_EDGES = (0, 8, 24, 64)  # the slowest: periods down to a quarter, a twelfth and a 32nd of the trace
_LEAST_READS_A_COSINE = 4
_OF_SET = 16.0  # degrees of freedom that the set's power counts for beside a device's own
_OF_MODEL = 4.0  # the same of the power 1 where too few devices know that of the set
_LEAST_DEVICES = 20
_KEPT = 0.97
_MUCH, _SURE = 1.25, 3.0  # steps that were missed make up to 1.2; sd, one set in 700: only what REML asks for is taken


def slow_power(q: Array, residuals: Array) -> SlowPower:
    """Of the residuals of a fit whose whitened Jacobian has the orthonormal columns `q` (n, p)."""
    cosines, edges = _cosines(len(residuals))
    left = 1.0 - np.einsum("ij,ij->i", cosines.T @ q, cosines.T @ q)
    squares = (cosines.T @ residuals) ** 2
    return np.add.reduceat(squares, edges), np.maximum(np.add.reduceat(left, edges), 0.0)


def power_of_set(devices: Sequence[SlowPower]) -> tuple[float, ...]:
    """Power of each band over all devices, those that stand off left out; () for fewer than 20."""
    known = [one for one in devices if len(one[0]) == len(_EDGES) - 1]
    if len(known) < _LEAST_DEVICES:
        return ()
    sums, freedom = (np.stack(part) for part in zip(*known, strict=True))
    order = np.argsort(sums / np.maximum(freedom, 1e-3), axis=0)[: int(np.ceil(_KEPT * len(known)))]
    total, left = (np.take_along_axis(part, order, 0).sum(axis=0) for part in (sums, freedom))
    return tuple((total / np.maximum(left, 1e-3)).tolist())


def slower_than_assumed(devices: Sequence[SlowPower]) -> bool:
    """Whether the slowest band of a set surely holds a quarter more than the model gives it."""
    power = power_of_set(devices)
    freedom = sum(float(one[1][0]) for one in devices if len(one[1]))
    return bool(power) and power[0] > max(_MUCH, 1.0 + _SURE * float(np.sqrt(2.0 / freedom)))


def colour_inflation(q: Array, root: Array, power: SlowPower, of_set: Sequence[float]) -> Array:
    """Standard errors with this power over those of white residuals of unit variance, by number.

    Parameters
    ----------
    q : ndarray, shape (n, p)
    root : ndarray, shape (p, p)
        Numbers = root @ (columns of q).
    power : SlowPower
        Of the device. Few cosines make up the slowest band, so it is drawn towards that of the set.
    of_set : sequence of float
        From `power_of_set`.
    """
    cosines, edges = _cosines(len(q))
    sums, freedom = power
    weight, middle = (_OF_SET, np.array(of_set)) if len(of_set) == len(sums) else (_OF_MODEL, np.ones(len(sums)))
    by_band = (weight * middle + sums) / (weight + freedom)
    by_cosine = np.repeat(by_band, np.diff([*edges, cosines.shape[1]]))
    parts = root @ (cosines.T @ q).T
    whole = np.einsum("ij,ij->i", root, root)
    ratio = 1.0 + (parts**2 @ (by_cosine - 1.0)) / np.maximum(whole, 1e-300)
    return np.asarray(np.sqrt(np.maximum(ratio, 0.0)))


@lru_cache(maxsize=16)
def _cosines(n: int) -> tuple[Array, list[int]]:
    """The slowest cosines of n reads in columns, and where each band begins."""
    k = min(_EDGES[-1], max(n // _LEAST_READS_A_COSINE, 1))
    edges = [edge for edge in _EDGES[:-1] if edge < k]
    unit = np.zeros((k, n))
    np.fill_diagonal(unit, 1.0)
    return np.ascontiguousarray(fft.idct(unit, type=2, norm="ortho", axis=1).T), edges
