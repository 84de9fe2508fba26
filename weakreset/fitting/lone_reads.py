"""Single reads far from the reads around them: a glitch of the instrument or the contact, not a state of the device.

A read counts as lone where it lies more than `LONE_SIGMAS` robust standard deviations from the median of the two reads
before and the two after, and as far from each of them: the first and the last read of a telegraph state lie that far
from the median too, but have company. Noise that is normal has one in 10^13. The fit takes such a read as missing and
names it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LONE_SIGMAS", "MOST_LONE", "lone_reads"]

Array = NDArray[np.float64]

LONE_SIGMAS = 7.5
MOST_LONE = 0.05
"""Where more reads than this share stand alone they are the noise of the device, not glitches."""


def lone_reads(values: Array) -> NDArray[np.intp]:
    """Indices of lone reads of one trace of ln R, shape (n,)."""
    n = len(values)
    if n < 8:
        return np.empty(0, dtype=np.intp)
    wide = np.concatenate([values[[0, 0]], values, values[[-1, -1]]])
    around = [wide[2 + k : 2 + k + n] for k in (-2, -1, 1, 2)]
    away = values - _median_of_four(*around)
    sd = 1.4826 * float(np.median(np.abs(away - np.median(away))))
    if sd <= 0:
        return np.empty(0, dtype=np.intp)
    nearest = np.minimum.reduce([np.abs(values - other) for other in around])
    found = np.flatnonzero((np.abs(away) > LONE_SIGMAS * sd) & (nearest > LONE_SIGMAS * sd))
    found = found[(found >= 2) & (found < n - 2)]
    return found if len(found) <= max(1, MOST_LONE * n) else np.empty(0, dtype=np.intp)


def _median_of_four(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Place by place; the mean of the two in the middle. A tenth of the time of `numpy.median`."""
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.asarray(0.5 * (low + high))
