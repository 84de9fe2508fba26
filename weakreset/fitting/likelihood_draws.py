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

_INSIDE = 160
_BEYOND = 56
_TILT = 5.0
"""In units of 1/cap. Devices hold a few per cent of the cap: even draws up to it would be wasted but for a tenth."""


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
    tilt : float
        `inside` is drawn from the likelihood times exp(-tilt * the nonnegative number), and `log_z` is its integral:
        who uses the draws weights each with exp(tilt * number).
    """

    shape: DriftShape
    names: tuple[str, ...]
    inside: Array
    log_z: float
    beyond: Array | None = None
    last: float = np.inf
    log_volume: float = 0.0
    tilt: float = 0.0

    @property
    def names_beyond(self) -> tuple[str, ...]:
        """Of the columns of `beyond`."""
        return self.shape.scan.beyond if self.shape.scan is not None else ()

    def averaged(self, name: str) -> tuple[float, float]:
        """Mean and standard deviation of a number, a knee inside and one beyond being as likely beforehand."""
        inside = np.asarray(self.inside[:, self.names.index(name)], dtype=np.float64)
        weight, log_mean = self._flat_weights()
        if self.beyond is None:
            return _mean_and_sd(inside, weight)
        log_odds = self.log_z + log_mean - self.log_volume
        chance = 1.0 / (1.0 + float(np.exp(min(-log_odds, 700.0))))
        beyond = np.asarray(self.beyond[:, self.names_beyond.index(name)], dtype=np.float64)
        even = np.full(len(beyond), 1.0 / len(beyond))
        return _mean_and_sd(np.append(inside, beyond), np.append(chance * weight, (1.0 - chance) * even))

    def _flat_weights(self) -> tuple[Array, float]:
        """Weights that undo the tilt, with sum 1, and ln of their mean before that."""
        if not self.tilt:
            return np.full(len(self.inside), 1.0 / len(self.inside)), 0.0
        exponent = self.tilt * self.inside[:, self.names.index(self.shape.nonnegative)].astype(np.float64)
        raw = np.exp(exponent - exponent.max())
        return raw / raw.sum(), float(exponent.max() + np.log(raw.mean()))


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
    cut = None
    if basis.scan.nonnegative:
        i = basis.linear.index(basis.scan.nonnegative)
        variance = moments.core[i, i] + moments.slope[i] ** 2 * moments.added_variance
        cut = _CutNormal.tilted(moments.numbers[i], variance, cap, _TILT / cap)
        log_w += cut.log_mass
    top = float(log_w.max())
    cumulative = np.cumsum(np.exp(log_w - top))
    at = np.searchsorted(cumulative / cumulative[-1], (np.arange(_INSIDE) + rng.random()) / _INSIDE)
    at = np.minimum(at, len(log_w) - 1)
    slope = moments.slope[:, at]
    covariance = moments.core + np.einsum("ik,jk->kij", slope * moments.added_variance[at], slope)
    linear = _draw_linear(basis, moments, covariance, at, cut, rng)
    inside = _ordered(basis, linear, moments.grid[at])
    beyond = None
    if basis.scan.beyond:
        seen = [basis.linear.index(name) for name in basis.scan.beyond]
        normal = special.ndtri(_even(_BEYOND, len(seen), rng))
        beyond = _single(moments.base_numbers[seen] + normal @ _root(moments.core[np.ix_(seen, seen)]).T)
    log_z = top + float(np.log(cumulative[-1]))
    volume = float(np.log(moments.width.sum())) + (float(np.log(cap)) if beyond is not None else 0.0)
    last = float(moments.grid[-1])
    return LikelihoodDraws(
        basis.shape, basis.own, inside, log_z, beyond, last, volume, 0.0 if cut is None else cut.tilt
    )


@dataclass(frozen=True)
class _CutNormal:
    """A normal law times exp(-tilt * x) between 0 and `cap`, one for each candidate: again a normal law, moved.

    Attributes
    ----------
    mean, sd : ndarray, shape (g,)
        Of the moved law.
    log_low, log_high : ndarray, shape (g,)
        ln of its mass above 0 and above `cap`: upper tails, as the law is moved down, often far below 0.
    log_mass : ndarray, shape (g,)
        ln of the integral of the product.
    """

    mean: Array
    sd: Array
    cap: float
    tilt: float
    log_low: Array
    log_high: Array
    log_mass: Array

    @classmethod
    def tilted(cls, mean: Array, variance: Array, cap: float, tilt: float) -> _CutNormal:
        moved, sd = mean - tilt * variance, np.sqrt(variance)
        log_low, log_high = special.log_ndtr(moved / sd), special.log_ndtr((moved - cap) / sd)
        inside = np.log(np.maximum(-np.expm1(log_high - log_low), 1e-300))
        return cls(moved, sd, cap, tilt, log_low, log_high, log_low + inside + tilt * (0.5 * tilt * variance - mean))

    def at(self, rows: NDArray[np.intp], share: Array) -> Array:
        """The value above which lies `share` of the mass of each of the rows' laws."""
        low, high = self.log_low[rows], self.log_high[rows]
        log_above = low + np.log(share + (1.0 - share) * np.exp(high - low))
        return np.asarray(np.clip(self.mean[rows] - self.sd[rows] * special.ndtri_exp(log_above), 0.0, self.cap))


def _mean_and_sd(values: Array, weight: Array) -> tuple[float, float]:
    mean = float(weight @ values)
    return mean, float(np.sqrt(weight @ (values - mean) ** 2))


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
    cut: _CutNormal | None, rng: np.random.Generator,
) -> Array:
    mean = moments.numbers[:, at].T
    if cut is None:
        normal = special.ndtri(_even(len(at), mean.shape[1], rng))
        return np.asarray(mean + np.einsum("kij,kj->ki", _root(covariance), normal))
    i = basis.linear.index(basis.scan.nonnegative)
    others = [j for j in range(len(basis.linear)) if j != i]
    even = _even(len(at), mean.shape[1], rng)
    bounded = cut.at(at, even[:, 0])
    variance = covariance[:, i, i]
    gain = covariance[:, others, i] / variance[:, None]
    left = covariance[:, others][:, :, others] - variance[:, None, None] * gain[:, :, None] * gain[:, None, :]
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
