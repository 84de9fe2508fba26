"""Gaussian copula between the devices' numbers, with the laws of the numbers held fixed.

    L(R) / L(independent) = prod_i E_i[ c_R(z) ],   c_R(z) = |R|^(-1/2) exp(-z' (R^-1 - 1) z / 2)

where E_i is the mean over device i's posterior under independent laws: what a device does not know
is integrated out. Two steps, laws first and copula second, are "inference functions for margins"
(Joe 2005, J. Multivariate Analysis 94, 401).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.multiple_testing import holm
from weakreset.population.result import CorrelationFit, PairTest
from weakreset.population.scores import DeviceScores

__all__ = ["copula_likelihood", "fit_copula"]

Array = NDArray[np.float64]
Pair = tuple[int, int]

LEVEL = 0.05
LEAST_DEVICES = 30
LARGEST_STDERR = 0.3
_NORMAL_95 = 1.959964  # two-sided, on the scale of Fisher
_EDGE = 0.995  # a correlation of one has no likelihood
_ITERATIONS = 60  # a bound, for a flat likelihood


def fit_copula(
    blocks: Iterable[DeviceScores], level: float = LEVEL, apart: Sequence[str] = ()
) -> CorrelationFit | None:
    """Correlations of all pairs that the devices identify, their intervals and tests of independence.

    Parameters
    ----------
    blocks : iterable of DeviceScores
        Of all devices, gone through many times: what the likelihood needs of them are sums.
    level : float
        Chance that any pair is called correlated when all are independent (Holm's procedure over the pairs).
    apart : sequence of str
        Numbers whose law is not identifiable: nor are their correlations.

    Returns
    -------
    CorrelationFit or None
        None for fewer than 30 devices. NaN where a pair is not identifiable: its standard error at
        independence would exceed 0.3.
    """
    counts = [(block.names, block.n_devices) for block in blocks]
    names, n_devices = counts[0][0], sum(n for _, n in counts)
    if n_devices < LEAST_DEVICES:
        return None
    known = [i for i, name in enumerate(names) if name not in apart]
    every = list(combinations(known, 2))
    information = np.diag(_summed(blocks, np.eye(len(names)), every)[2])
    pairs = [pair for pair, told in zip(every, information, strict=True) if told > LARGEST_STDERR**-2]
    matrix = _maximize(blocks, len(names), pairs)
    stderr = _stderr(blocks, matrix, pairs)
    return _summary(names, n_devices, matrix, dict(zip(pairs, stderr, strict=True)), level)


def _summed(blocks: Iterable[DeviceScores], matrix: Array, pairs: Sequence[Pair]) -> tuple[float, Array, Array]:
    """ln L(R) - ln L(independent), its gradient, and the sum of outer products of the devices' gradients."""
    value, slope, information = 0.0, np.zeros(len(pairs)), np.zeros((len(pairs), len(pairs)))
    for block in blocks:
        own, gradients = copula_likelihood(block, matrix, pairs)
        value += own
        slope += gradients.sum(axis=0)
        information += gradients.T @ gradients
    return value, slope, information


def copula_likelihood(scores: DeviceScores, matrix: Array, pairs: Sequence[Pair]) -> tuple[float, Array]:
    """ln L(R) - ln L(independent), and each device's gradient by the correlations of `pairs`.

    Returns
    -------
    float, ndarray of shape (n_devices, len(pairs))

    Raises
    ------
    numpy.linalg.LinAlgError
        `matrix` is not positive definite.
    """
    parts = [(scores.inside, scores.inside_weight, tuple(range(len(scores.names))))]
    if scores.beyond.shape[-1]:
        parts.append((scores.beyond, scores.beyond_weight, scores.beyond_columns))
    total = np.zeros(scores.n_devices)
    gradient = np.zeros((scores.n_devices, len(pairs)))
    for z, weight, columns in parts:
        block = matrix[np.ix_(columns, columns)]
        root = np.linalg.cholesky(block)
        inverse = np.linalg.inv(block)
        solved = z @ inverse
        exponent = -0.5 * np.einsum("...i,...i->...", z, solved - z) - float(np.log(np.diag(root)).sum())
        mass = weight * np.exp(np.minimum(exponent, 600.0))
        total += mass.sum(axis=1)
        # of all pairs at once: d ln c / d r_ab is s_a s_b - (R^-1)_ab with s = R^-1 z
        products = np.swapaxes(solved, 1, 2) @ (mass[..., None] * solved)
        for at, (i, j) in enumerate(pairs):
            if i in columns and j in columns:
                a, b = columns.index(i), columns.index(j)
                gradient[:, at] += products[:, a, b] - inverse[a, b] * mass.sum(axis=1)
    total = np.maximum(total, 1e-300)
    return float(np.log(total).sum()), gradient / total[:, None]


def _matrix(size: int, pairs: Sequence[Pair], values: Array) -> Array:
    matrix = np.eye(size)
    for (i, j), value in zip(pairs, values, strict=True):
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _maximize(blocks: Iterable[DeviceScores], size: int, pairs: Sequence[Pair]) -> Array:
    """Scoring with the outer product of the devices' gradients; halved steps keep R positive definite."""
    x = np.zeros(len(pairs))
    if not pairs:
        return np.eye(size)
    best, slope, information = _summed(blocks, np.eye(size), pairs)
    for _ in range(_ITERATIONS):
        step = np.linalg.solve(information + 1e-6 * np.trace(information) / len(x) * np.eye(len(x)), slope)
        step *= min(1.0, 0.5 / max(float(np.abs(step).max()), 1e-12))
        gain = -math.inf
        while gain < 0 and np.abs(step).max() > 1e-7:
            trial = np.clip(x + step, -_EDGE, _EDGE)
            try:
                value, *candidate = _summed(blocks, _matrix(size, pairs, trial), pairs)
                gain = value - best
            except np.linalg.LinAlgError:
                gain = -math.inf
            if gain < 0:
                step *= 0.5
        if gain < 0:
            break
        x, best, (slope, information) = trial, value, candidate
        if gain < 1e-5:
            break
    return _matrix(size, pairs, x)


def _stderr(blocks: Iterable[DeviceScores], matrix: Array, pairs: Sequence[Pair]) -> Array:
    """From the curvature of ln L; NaN where it is not that of a maximum."""
    size, h = len(pairs), 1e-4
    hessian = np.empty((size, size))
    here = _summed(blocks, matrix, pairs)[1]
    for at, (i, j) in enumerate(pairs):
        moved = matrix.copy()
        moved[i, j] = moved[j, i] = matrix[i, j] - math.copysign(h, matrix[i, j])
        try:
            there = _summed(blocks, moved, pairs)[1]
        except np.linalg.LinAlgError:
            return np.full(size, np.nan)
        hessian[at] = (there - here) / (moved[i, j] - matrix[i, j])
    try:
        variance = np.diag(np.linalg.inv(-0.5 * (hessian + hessian.T)))
    except np.linalg.LinAlgError:
        return np.full(size, np.nan)
    return np.asarray(np.sqrt(np.where(variance > 0, variance, np.nan)))


def _summary(
    of: Sequence[str], n_devices: int, matrix: Array, errors: dict[Pair, float], level: float
) -> CorrelationFit:
    size = len(of)
    tested = [pair for pair, error in errors.items() if math.isfinite(error)]
    # Fisher's z: nearly normal also for large correlations
    z = np.array([math.atanh(matrix[p]) * (1 - matrix[p] ** 2) / errors[p] for p in tested])
    p_values = 2.0 * special.ndtr(-np.abs(z))
    adjusted = holm(p_values)
    stderr, low, high = (np.full((size, size), np.nan) for _ in range(3))
    shown = np.full((size, size), np.nan)
    np.fill_diagonal(shown, 1.0)
    tests = []
    for pair, p, p_adjusted in zip(tested, p_values, adjusted, strict=True):
        i, j = pair
        r, spread = float(matrix[pair]), errors[pair] / (1 - matrix[pair] ** 2)
        ends = math.tanh(math.atanh(r) - _NORMAL_95 * spread), math.tanh(math.atanh(r) + _NORMAL_95 * spread)
        for a, b in ((i, j), (j, i)):
            shown[a, b], stderr[a, b], low[a, b], high[a, b] = r, errors[pair], *ends
        names = (of[i], of[j])
        tests.append(PairTest(names, r, errors[pair], ends, float(p), float(p_adjusted), bool(p_adjusted <= level)))
    return CorrelationFit(tuple(of), shown, 0.5 * (high - low), stderr, tuple(tests), n_devices, level)
