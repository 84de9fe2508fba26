"""From a log of pulses and reads of one cell to pulse numbers and cycles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PulseLog", "count_pulses"]


@dataclass(frozen=True, eq=False)
class PulseLog:
    """Of each entry of a log, what was done to the cell up to and including it.

    `pulse` counts RESET pulses since SET and `cycle` SETs; `last_pulse` is the entry of the last RESET pulse in this
    cycle, -1 if there was none; `within_set` marks what came before the last pulse of a SET (it is no trace).
    """

    pulse: NDArray[np.int64]
    cycle: NDArray[np.int64]
    last_pulse: NDArray[np.int64]
    within_set: NDArray[np.bool_]


def count_pulses(amplitude_v: NDArray[np.float64]) -> PulseLog:
    """Count the pulses that a cell received up to and including each entry of its log.

    `amplitude_v` is 0 where an entry is only a read. Where a cell received both polarities, the rarer one is taken
    for SET (the positive one if both are equally many): a SET, or several in a row, begins a new cycle, and only what
    was read after the last of them is pulse 0.
    """
    positive, negative = amplitude_v > 0, amplitude_v < 0
    is_set = np.zeros(len(amplitude_v), dtype=bool)
    if positive.any() and negative.any():
        is_set = positive if positive.sum() <= negative.sum() else negative
    is_reset = (positive | negative) & ~is_set
    at = np.flatnonzero(positive | negative)
    starts = at[is_set[at] & ~np.concatenate([[False], is_set[at][:-1]])]
    begins = np.zeros(len(amplitude_v), dtype=np.int64)
    begins[starts] = 1
    cycle = np.cumsum(begins)
    total = np.cumsum(is_reset)
    before = np.concatenate([[0], total[starts]])
    last_set = np.full(len(starts) + 1, -1)
    last_set[cycle[is_set]] = np.flatnonzero(is_set)
    pulse = total - before[cycle]
    entry = np.arange(len(amplitude_v))
    last_pulse = np.maximum.accumulate(np.where(is_reset, entry, -1))
    return PulseLog(pulse, cycle - cycle[:1], np.where(pulse > 0, last_pulse, -1), entry < last_set[cycle])
