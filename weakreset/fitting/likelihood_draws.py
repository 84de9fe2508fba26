"""A device's likelihood as weighted draws: what the population is estimated from.

Point estimates do not carry what a device does not know. These draws do: a device whose knee cannot be
told brings draws from all over the pulse axis, and the weight of the case that the knee lies beyond.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.fitting.bases import Basis
from weakreset.fitting.knee_posterior import ScanMoments
from weakreset.model import DriftShape

__all__ = ["LikelihoodDraws", "draw_likelihood"]

Array = NDArray[np.float64]

_INSIDE = 100
_BEYOND = 40


@dataclass(frozen=True)
class LikelihoodDraws:
    """Draws from the normalised likelihood (flat in every number) of one device.

    Attributes
    ----------
    shape : DriftShape
    names : tuple of str
        Its numbers (or some of them), in the order of the columns of `inside`.
    inside : ndarray, shape (k, len(names))
        Draws with the scanned number inside the trace (all numbers known).
    log_z : float
        ln of the integral of the likelihood over them, relative to `beyond`.
    beyond : ndarray, shape (j, q), or None
        Draws of the numbers that are seen of a knee beyond the trace (`DriftScan.beyond`); None for shapes without
        that case.
    last : float
        Where "beyond" begins, in pulses.
    log_volume : float
        ln of the volume (pulses times range of the nonnegative number) over which the flat case "inside" was
        integrated.
    """

    shape: DriftShape
    names: tuple[str, ...]
    inside: Array
    log_z: float
    beyond: Array | None = None
    last: float = np.inf
    log_volume: float = 0.0

    @property
    def names_beyond(self) -> tuple[str, ...]:
        """Of the columns of `beyond`."""
        return self.shape.scan.beyond if self.shape.scan is not None else ()

    def averaged(self, name: str) -> tuple[float, float]:
        """Mean and standard deviation of a number, a knee inside and one beyond being as likely beforehand."""
        if self.beyond is None:
            column = np.asarray(self.inside[:, self.names.index(name)], dtype=np.float64)
            return float(column.mean()), float(column.std())
        log_odds = self.log_z - self.log_volume
        chance = 1.0 / (1.0 + float(np.exp(min(-log_odds, 700.0))))
        both = (self.inside[:, self.names.index(name)], self.beyond[:, self.names_beyond.index(name)])
        parts = [np.asarray(part, dtype=np.float64) for part in both]
        means = np.array([part.mean() for part in parts])
        weights = np.array([chance, 1.0 - chance])
        mean = float(weights @ means)
        spread = weights @ (np.array([part.var() for part in parts]) + (means - mean) ** 2)
        return mean, float(np.sqrt(spread))


def draw_likelihood(
    basis: Basis, moments: ScanMoments, cap: float, rng: np.random.Generator
) -> LikelihoodDraws:
    """Draw from the likelihood of one device; slopes of devices that fall as their sizes.

    Parameters
    ----------
    cap : float
        A number that is never negative (m2) is drawn between 0 and this: far above what the population holds, or
        most draws of a device that hardly sees it would be wasted.
    """
    if basis.falls < 0:
        moments = moments.in_sizes(basis.size_signs())
    if not basis.scanned:
        normal = special.ndtri(_even(_INSIDE, len(basis.linear), rng))
        linear = moments.base_numbers + normal @ _root(moments.core).T
        return LikelihoodDraws(basis.shape, basis.own, _ordered(basis, linear, np.empty(0)), 0.0)
    log_w = moments.log_z + np.log(moments.width)
    bounds = None
    if basis.scan.nonnegative:
        i = basis.linear.index(basis.scan.nonnegative)
        sd = np.sqrt(moments.core[i, i] + moments.slope[i] ** 2 * moments.added_variance)
        bounds = special.ndtr((np.array([[0.0], [cap]]) - moments.numbers[i]) / sd)
        log_w += np.log(np.maximum(bounds[1] - bounds[0], 1e-300))
    top = float(log_w.max())
    cumulative = np.cumsum(np.exp(log_w - top))
    at = np.searchsorted(cumulative / cumulative[-1], (np.arange(_INSIDE) + rng.random()) / _INSIDE)
    at = np.minimum(at, len(log_w) - 1)
    slope = moments.slope[:, at]
    covariance = moments.core + np.einsum("ik,jk->kij", slope * moments.added_variance[at], slope)
    linear = _draw_linear(basis, moments, covariance, at, bounds, cap, rng)
    inside = _ordered(basis, linear, moments.grid[at])
    beyond = None
    if basis.scan.beyond:
        seen = [basis.linear.index(name) for name in basis.scan.beyond]
        normal = special.ndtri(_even(_BEYOND, len(seen), rng))
        beyond = _single(moments.base_numbers[seen] + normal @ _root(moments.core[np.ix_(seen, seen)]).T)
    log_z = top + float(np.log(cumulative[-1]))
    volume = float(np.log(moments.width.sum())) + (float(np.log(cap)) if beyond is not None else 0.0)
    last = float(moments.grid[-1])
    return LikelihoodDraws(basis.shape, basis.own, inside, log_z, beyond, last, volume)


@lru_cache(maxsize=8)
def _lattice(n: int, dimensions: int) -> Array:
    """Multiples of the generalized golden ratio modulo 1 (Roberts 2018): even in each number and in all together."""
    ratio = 1.5
    for _ in range(60):
        ratio = (1.0 + ratio) ** (1.0 / (dimensions + 1))
    steps = ratio ** -np.arange(1.0, dimensions + 1)
    return np.asarray(np.arange(1, n + 1)[:, None] * steps % 1.0)


def _even(n: int, dimensions: int, rng: np.random.Generator) -> Array:
    """n even points of the unit cube, shifted at random; never 0 or 1."""
    return np.clip((_lattice(n, dimensions) + rng.random(dimensions)) % 1.0, 1e-12, 1.0 - 1e-12)


def _root(covariance: Array) -> Array:
    """Cholesky factor of one or many covariances, in the scale of their diagonals."""
    sd = np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 1e-300))
    correlation = covariance / (sd[..., :, None] * sd[..., None, :])
    correlation = correlation + 1e-9 * np.eye(covariance.shape[-1])
    return np.asarray(sd[..., :, None] * np.linalg.cholesky(correlation))


def _draw_linear(
    basis: Basis, moments: ScanMoments, covariance: Array, at: NDArray[np.intp],
    bounds: Array | None, cap: float, rng: np.random.Generator,
) -> Array:
    mean = moments.numbers[:, at].T
    if bounds is None:
        normal = special.ndtri(_even(len(at), mean.shape[1], rng))
        return np.asarray(mean + np.einsum("kij,kj->ki", _root(covariance), normal))
    i = basis.linear.index(basis.scan.nonnegative)
    others = [j for j in range(len(basis.linear)) if j != i]
    even = _even(len(at), mean.shape[1], rng)
    low, high = bounds[:, at]
    u = np.clip(low + (high - low) * even[:, 0], 1e-15, 1 - 1e-15)
    sd = np.sqrt(covariance[:, i, i])
    bounded = np.clip(mean[:, i] + sd * special.ndtri(u), 0.0, cap)
    gain = covariance[:, others, i] / sd[:, None] ** 2
    left = covariance[:, others][:, :, others] - sd[:, None, None] ** 2 * gain[:, :, None] * gain[:, None, :]
    draws = np.empty_like(mean)
    draws[:, i] = bounded
    normal = special.ndtri(even[:, 1:])
    shift = gain * (bounded - mean[:, i])[:, None]
    draws[:, others] = mean[:, others] + shift + np.einsum("kij,kj->ki", _root(left), normal)
    return draws


def _single(draws: Array) -> Array:
    """In single precision, which is enough for draws and half the size: a million devices fit into 2 GB."""
    return np.asarray(draws, dtype=np.float32)


def _ordered(basis: Basis, linear: Array, scanned: Array) -> Array:
    columns = dict(zip(basis.linear, linear.T, strict=True))
    if basis.scanned:
        columns[basis.scanned] = scanned
    return _single(np.column_stack([columns[name] for name in basis.own]))
