"""Telegraph steps of a device, found alike in measured and simulated traces: how many, how large, how far apart.

A step is where the mean of the next `_WINDOW` reads leaves that of the last ones by far more than it does elsewhere in
the trace. Small steps are missed and a few knees are taken for steps, in replicas too, so the comparison is fair; the
counts are not estimates of the rates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = [
    "DOWN", "FEWEST_READS", "HIGH", "LOW", "N_HIGH", "N_LOW", "N_STEP_FEATURES", "PULSES", "SIZE", "SQUARE", "UP",
    "step_features",
]

Array = NDArray[np.float64]

_WINDOW = 8  # reads on either side: telegraph levels that last for less are part of the noise
_FAR = 6.0  # robust sd of a change: normal noise has one in 500 million beyond
FEWEST_READS = 6 * _WINDOW
N_STEP_FEATURES = 9
UP, DOWN, SIZE, SQUARE, N_HIGH, HIGH, N_LOW, LOW, PULSES = range(N_STEP_FEATURES)


def step_features(series: Array, stride: int) -> Array:
    """Sums over the steps of each device.

    Parameters
    ----------
    series : ndarray, shape (n_devices, n_reads)
        ln R at reads `stride` pulses apart.
    stride : int

    Returns
    -------
    ndarray, shape (n_devices, N_STEP_FEATURES)
        Steps up, steps down, sum of ln|size|, sum of its square; stays in the high state seen from step to step, sum of
        their ln(pulses), the same for the low state; pulses looked at. NaN where there are too few reads.
    """
    n_devices, n_reads = series.shape
    if n_reads < FEWEST_READS:
        return np.full((n_devices, N_STEP_FEATURES), np.nan)
    device, at, change = _steps(series)
    size = np.log(np.abs(change))

    def total(which: NDArray[np.int64], values: Array | None = None) -> Array:
        return np.asarray(np.bincount(which, values, minlength=n_devices), dtype=np.float64)

    made = np.zeros((n_devices, N_STEP_FEATURES))
    made[:, UP], made[:, DOWN] = total(device[change > 0]), total(device[change < 0])
    made[:, SIZE], made[:, SQUARE] = total(device, size), total(device, size**2)
    stays = np.log(np.maximum(np.diff(at), 1) * stride)
    same = device[:-1] == device[1:]
    for up, count, column in ((True, N_HIGH, HIGH), (False, N_LOW, LOW)):
        chosen = same & ((change[:-1] > 0) == up) & ((change[1:] > 0) != up)
        made[:, count], made[:, column] = total(device[:-1][chosen]), total(device[:-1][chosen], stays[chosen])
    made[:, PULSES] = n_reads * stride
    return made


def _steps(series: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Device, read and size of every step, device by device, in the order of the reads."""
    sums = np.cumsum(np.pad(series, ((0, 0), (1, 0))), axis=1)
    means = (sums[:, _WINDOW:] - sums[:, :-_WINDOW]) / _WINDOW
    change = means[:, _WINDOW:] - means[:, :-_WINDOW]
    few = slice(None, None, _WINDOW // 2)  # neighbours share their reads: a quarter of them gives the same medians
    change = change - np.median(change[:, few], axis=1, keepdims=True)
    distance = np.abs(change)
    scale = 1.4826 * np.median(distance[:, few], axis=1, keepdims=True)
    highest = ndimage.maximum_filter1d(distance, 2 * _WINDOW + 1, axis=1)
    device, at = np.nonzero((distance == highest) & (distance > _FAR * scale) & (scale > 0))
    return device, at, change[device, at]
