"""Posterior of the scanned number (the knee) on its grid, everything linear integrated out exactly.

The likelihood in the knee is rough under 1/f noise, so a symmetric standard error from the curvature at
its top covers 70 to 80 % instead of 95 %. The posterior under a flat prior on the pulse axis does not
rest on that curvature.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.fitting.bases import Basis
from weakreset.fitting.design import Design
from weakreset.fitting.dictionary import Dictionary

__all__ = ["KneePosterior", "ScanMoments", "knee_posterior", "scan_moments"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KneePosterior:
    """Mean and central 95 % interval of the scanned number.

    Attributes
    ----------
    grid, probability : ndarray
    linear_mean, linear_sd : ndarray
        Posterior mean and standard deviation of the linear numbers (order of `Basis.linear`), with the
        uncertainty of the scanned number folded in.
    """

    grid: Array
    probability: Array
    mean: float
    low: float
    high: float
    linear_mean: Array
    linear_sd: Array


@dataclass(frozen=True)
class ScanMoments:
    """The likelihood of a device for every candidate of the scanned number.

    Attributes
    ----------
    grid, width : ndarray, shape (g,)
        The candidates, and the interval that each stands for.
    log_z : ndarray, shape (g,)
        ln of the likelihood with everything linear integrated out (flat), relative to no profile at all.
    numbers : ndarray, shape (l, g)
        Means of the linear numbers (order of `Basis.linear`) for each candidate.
    slope : ndarray, shape (l, g)
        How they move with the profile's coefficient.
    core : ndarray, shape (l, l)
        Their covariance for a given profile coefficient.
    added, added_variance : ndarray, shape (g,)
        The profile's coefficient and its variance.
    base_numbers : ndarray, shape (l,)
        The linear numbers without any profile (a knee beyond the trace).
    """

    grid: Array
    width: Array
    log_z: Array
    numbers: Array
    slope: Array
    core: Array
    added: Array
    added_variance: Array
    base_numbers: Array

    def in_sizes(self, signs: Array) -> ScanMoments:
        """Of the sizes of the linear numbers: each times its sign."""
        core = self.core * np.outer(signs, signs)
        numbers, slope = signs[:, None] * self.numbers, signs[:, None] * self.slope
        return replace(self, numbers=numbers, slope=slope, core=core, base_numbers=signs * self.base_numbers)

    def variances(self) -> Array:
        """Of the linear numbers, shape (l, g)."""
        return np.asarray(np.diag(self.core)[:, None] + self.slope**2 * self.added_variance)


def scan_moments(dictionary: Dictionary, products: Array, design: Design, variance: float) -> ScanMoments:
    """Gaussian moments for every candidate.

    Parameters
    ----------
    dictionary : Dictionary
    products : ndarray, shape (m,)
    design : Design
        Base columns and telegraph columns of the device.
    variance : float
        alpha^2.
    """
    d, basis = dictionary, dictionary.basis
    inverse, known = design.normal(d, products)
    cross = design.mix.T @ d.gram[design.fixed, d.profiles]
    start = inverse @ known
    mixed = inverse @ cross
    whole = d.lengths[d.profiles]
    length = np.maximum(whole - np.einsum("ij,ij->j", cross, mixed), 1e-12 * whole)
    product = products[d.profiles] - start @ cross
    added, added_variance = product / length, variance / length
    p = len(d.base)
    fixed_part = np.hstack([basis.transform[:, :p], np.zeros((len(basis.linear), design.mix.shape[1] - p))])
    profile_part = basis.transform[:, p:].sum(axis=1)  # all zeros where nothing is scanned
    slope = profile_part[:, None] - fixed_part @ mixed
    return ScanMoments(
        d.grid,
        d.width,
        0.5 * product**2 / length / variance + 0.5 * np.log(2.0 * np.pi * added_variance),
        (fixed_part @ start)[:, None] + slope * added,
        slope,
        variance * fixed_part @ inverse @ fixed_part.T,
        added,
        added_variance,
        fixed_part @ start,
    )


def knee_posterior(basis: Basis, moments: ScanMoments) -> KneePosterior:
    """Posterior under a flat prior on the scanned number."""
    variances = moments.variances()
    log_p = moments.log_z + np.log(moments.width)
    log_p += _constraints(basis, moments.numbers, variances, moments.added, moments.added_variance)
    weight = np.exp(log_p - log_p.max())
    return _summary(moments.grid, weight / weight.sum(), moments.numbers, variances)


def _constraints(basis: Basis, numbers: Array, variances: Array, added: Array, added_variance: Array) -> Array:
    """ln P that the profile has its required sign, and that the number which is never negative is not."""
    total = np.zeros(len(added))
    if basis.sign:
        total += special.log_ndtr(basis.sign * added / np.sqrt(added_variance))
    if basis.scan.nonnegative:
        i = basis.linear.index(basis.scan.nonnegative)
        total += special.log_ndtr(basis.falls * numbers[i] / np.sqrt(variances[i]))
    return total


def _summary(grid: Array, weight: Array, numbers: Array, variances: Array) -> KneePosterior:
    # each candidate stands for the interval half-way to its neighbours
    edges = np.concatenate([[grid[0]], 0.5 * (grid[1:] + grid[:-1]), [grid[-1]]])
    cumulative = np.concatenate([[0.0], np.cumsum(weight)])
    low, high = np.interp([0.025, 0.975], cumulative, edges)
    mean = numbers @ weight
    spread = (variances + (numbers - mean[:, None]) ** 2) @ weight
    return KneePosterior(grid, weight, float(grid @ weight), float(low), float(high), mean, np.sqrt(spread))
