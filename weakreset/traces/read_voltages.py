"""Reads after one pulse at several read voltages: those at the lowest are used, or their spread would be read noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.cells import Cells

__all__ = ["read_higher"]

_APART = 1.2  # ratio between neighbouring voltages: measured ones scatter by less around what was set
_MOST_VOLTAGES = 8  # more are a sweep
_LEAST_SHARE = 0.5  # of the pulses that were read at several: fewer are a change of range


def read_higher(cells: Cells, volts: NDArray[np.float64], good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which readings were made at a higher voltage than others of the same device, cycle and pulse.

    Parameters
    ----------
    volts : ndarray, shape (n,)
        Read voltage [V] of each reading.
    good : ndarray of bool, shape (n,)
        Readings that can be used.
    """
    higher = np.zeros(len(volts), dtype=bool)
    used = np.flatnonzero(good & np.isfinite(volts) & (volts != 0))
    size = np.abs(volts[used])
    if not used.size or size.max() < _APART * size.min():
        return higher
    steps = np.unique(size)
    begins = steps[1:][steps[1:] > _APART * steps[:-1]]
    level = np.searchsorted(begins, size, side="right")
    if len(begins) >= _MOST_VOLTAGES or not len(begins):
        return higher
    cycle = np.zeros(len(used), dtype=np.int64) if cells.cycle is None else cells.cycle[used]
    keys = np.stack([cells.device[used].astype(np.float64), cycle.astype(np.float64), cells.pulse[used]])
    order = np.lexsort((level, *keys[::-1]))
    first = np.concatenate([[True], np.any(np.diff(keys[:, order], axis=1) != 0, axis=0)])
    place = np.cumsum(first) - 1
    lowest = level[order][first]
    above = level[order] > lowest[place]
    if len(np.unique(place[above])) >= _LEAST_SHARE * len(lowest):
        higher[used[order[above]]] = True
    return higher
