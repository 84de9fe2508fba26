"""Distances of a replica's distribution from that of the whole pool, in one feature.

The pool holds the measured devices and all simulated ones and is the same for every replica, so the measured set is
treated as any other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["DISTANCES", "anderson_darling", "distances", "kolmogorov_smirnov", "wasserstein"]

Array = NDArray[np.float64]

DISTANCES = ("KS distance", "Anderson-Darling distance", "Wasserstein distance")


def distances(column: Array, members: NDArray[np.int64]) -> Array:
    """The three of `DISTANCES` for each replica; shape (n_replicas + 1, 3).

    Parameters
    ----------
    column : ndarray, shape (n_rows,)
        The feature of every device of the pool; NaN where it was not read.
    members : ndarray of int, shape (n_replicas + 1, n_devices)
    """
    slots = members[:, np.isfinite(column[members[0]])]
    reference = np.sort(column[np.isfinite(column)])
    values = np.sort(column[slots], axis=1)
    kinds = (kolmogorov_smirnov, anderson_darling, wasserstein)
    return np.stack([kind(values, reference) for kind in kinds], axis=1)


def kolmogorov_smirnov(values: Array, reference: Array) -> Array:
    """Largest difference of the two distribution functions.

    Parameters
    ----------
    values : ndarray, shape (n_replicas, n)
        Sorted along the rows.
    reference : ndarray, shape (n_pool,)
        Sorted.

    Returns
    -------
    ndarray, shape (n_replicas,)
    """
    n = values.shape[1]
    at = np.searchsorted(reference, values, side="right") / len(reference)
    just_below = np.searchsorted(reference, values, side="left") / len(reference)
    steps = np.arange(1, n + 1) / n
    over, under = np.abs(steps - at).max(axis=1), np.abs(just_below - (steps - 1.0 / n)).max(axis=1)
    return np.asarray(np.maximum(over, under))


def anderson_darling(values: Array, reference: Array) -> Array:
    """A squared: differences of the distribution functions with more weight on the tails (1952); as above.

    A value stands in the middle of its equals in the pool, so it is never at an end where the weight is infinite.
    """
    n = values.shape[1]
    below = np.searchsorted(reference, values, side="left") + np.searchsorted(reference, values, side="right")
    u = np.clip(below / (2.0 * len(reference)), 0.5 / len(reference), 1.0 - 0.5 / len(reference))
    weights = (2.0 * np.arange(1, n + 1) - 1.0) / n
    return np.asarray(-n - (np.log(u) + np.log1p(-u[:, ::-1])) @ weights)


def wasserstein(values: Array, reference: Array) -> Array:
    """Mean shift that turns one distribution into the other, in the unit of the feature; as above.

    Taken at the quantiles (i - 1/2)/n that the replica's own values stand for.
    """
    n = values.shape[1]
    wanted = np.quantile(reference, (np.arange(n) + 0.5) / n)
    return np.asarray(np.abs(values - wanted).mean(axis=1))
