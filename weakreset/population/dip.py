"""The dip test: are there two kinds of devices? (Hartigan and Hartigan 1985, Annals of Statistics 13, 70)"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.population.dip_quantiles import QUANTILES, SIZES, TAILS

__all__ = ["dip", "two_kinds"]

Array = NDArray[np.float64]

_LOWEST = 30.0  # -ln p: less is said of no test


def two_kinds(values: Array) -> float:
    """p-value of one mode in `values`, shape (n,): small where there are two kinds of devices."""
    distinct = np.unique(values)
    n = len(distinct)
    # quantiles of sqrt(n) dip change slowly with n: in between by a straight line in 1/sqrt(n)
    at = 1.0 / np.sqrt(np.clip(n, SIZES[0], SIZES[-1]))
    known = 1.0 / np.sqrt(np.array(SIZES, dtype=np.float64))
    quantiles = np.array([np.interp(at, known[::-1], column[::-1]) for column in np.array(QUANTILES).T])
    log_p = np.log(TAILS)
    distance = np.sqrt(n) * dip(distinct)
    if distance > quantiles[-1]:  # further out the tail is as steep as between the last two quantiles, or steeper
        slope = (log_p[-1] - log_p[-2]) / (quantiles[-1] - quantiles[-2])
        return float(np.exp(max(log_p[-1] + slope * (distance - quantiles[-1]), -_LOWEST)))
    return float(np.exp(np.interp(distance, np.append(0.0, quantiles), np.append(0.0, log_p))))


def dip(x: Array) -> float:
    """Largest distance of the distribution of ascending, distinct `x` from the nearest one with a single mode.

    With the mode at x[m] the nearest one is the greatest convex minorant before it and the least concave majorant after
    it; the first gets farther away the larger m is, the second closer.
    """
    n = len(x)
    low, high = 0, n - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _convex_gap(x[: middle + 1], n) < _convex_gap(-x[middle:][::-1], n) else (
            low, middle)
    gaps = [max(_convex_gap(x[: m + 1], n), _convex_gap(-x[m:][::-1], n)) for m in (low, high)]
    return 0.5 * min(gaps)


def _convex_gap(x: Array, n: int) -> float:
    """Largest distance of a distribution function with steps of 1/n at `x` from its greatest convex minorant."""
    if len(x) < 2:
        return 1.0 / n
    from scipy.optimize import isotonic_regression

    widths = np.diff(x)
    slopes = isotonic_regression(1.0 / (n * widths), weights=widths).x
    minorant = np.concatenate([[0.0], np.cumsum(slopes * widths)])
    return float(np.max(np.arange(1, len(x) + 1) / n - minorant))
