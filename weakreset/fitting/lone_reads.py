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
    around = np.stack([values[np.clip(np.arange(n) + k, 0, n - 1)] for k in (-2, -1, 1, 2)])
    away = values - np.median(around, axis=0)
    sd = 1.4826 * float(np.median(np.abs(away - np.median(away))))
    if sd <= 0:
        return np.empty(0, dtype=np.intp)
    nearest = np.abs(values - around).min(axis=0)
    found = np.flatnonzero((np.abs(away) > LONE_SIGMAS * sd) & (nearest > LONE_SIGMAS * sd))
    found = found[(found >= 2) & (found < n - 2)]
    return found if len(found) <= max(1, MOST_LONE * n) else np.empty(0, dtype=np.intp)
