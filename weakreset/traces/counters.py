"""Pulse counters as files have them: restarts begin a new cycle, repeats and steps back are named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.readings import Reason

__all__ = ["CounterPath", "follow_counter"]

_MOST_OUT_OF_ORDER = 0.2


@dataclass(frozen=True, eq=False)
class CounterPath:
    """Cycle of every reading, the `Reason` it is out of order (GOOD if it is not), and why the device is refused."""

    cycle: NDArray[np.int64]
    reason: NDArray[np.int8]
    refused: str = ""


def follow_counter(pulses: NDArray[np.int64], cycle: NDArray[np.int64] | None = None) -> CounterPath:
    """Follow the pulse counter of one device through its readings in file order.

    Without `cycle`, a fall to pulse 0 or 1, or to where the ramp began or below, is a restart: a new cycle. A
    repeated number (two reads without a pulse between) keeps the first reading. Any other fall is a counter that
    went back: the readings up to the number already reached are left out; more than 20 % of them refuse the device.

    Parameters
    ----------
    pulses : ndarray of int, shape (n,)
    cycle : ndarray of int, shape (n,), optional
        As the file gives it; sorted.

    Returns
    -------
    CounterPath
    """
    if cycle is None and (len(pulses) < 2 or np.all(pulses[1:] > pulses[:-1])):
        return CounterPath(np.zeros(len(pulses), dtype=np.int64), np.zeros(len(pulses), dtype=np.int8))
    if cycle is None:
        cycle = np.cumsum(_restarts(pulses))
    reason = np.zeros(len(pulses), dtype=np.int8)
    back = 0
    starts = np.flatnonzero(np.diff(cycle, prepend=cycle[0] - 1))
    for begin, end in zip(starts, [*starts[1:], len(pulses)], strict=True):
        part = pulses[begin:end]
        reached = np.maximum.accumulate(part)
        before = np.concatenate([[-1], reached[:-1]])
        late = np.flatnonzero(part <= before)
        seen = np.isin(part[late], part[np.setdiff1d(np.arange(len(part)), late)]) if late.size else late
        reason[begin + late] = np.where(seen.astype(bool), Reason.DUPLICATE, Reason.BACKWARDS)
        steps_back = np.flatnonzero(np.diff(part) < 0)
        back += int(steps_back.size)
    out = int(np.count_nonzero(reason))
    if back and out > _MOST_OUT_OF_ORDER * len(pulses):
        words = f"pulse counter is not monotone: {out} of {len(pulses)} reads are out of order"
        return CounterPath(cycle, reason, words)
    return CounterPath(cycle, reason)


def _restarts(pulses: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 where a new cycle begins, else 0; looks only at the falls."""
    mark = np.zeros(len(pulses), dtype=np.int64)
    start = int(pulses[0])
    for i in np.flatnonzero(np.diff(pulses) < 0) + 1:
        if pulses[i] <= max(start, 1):
            mark[i] = 1
            start = int(pulses[i])
    return mark
