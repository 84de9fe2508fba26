"""Very long traces: the first reads as they are, the others as means of neighbouring reads.

A fit compares every knee and step on one matrix, so its memory must not grow with the trace. Means keep what slow drift
and slow noise say (every n-th read would throw most of it away), and their covariance is exact (`NoiseColour`). Lost
is what happens within a block: a telegraph state that lasts less than one is seen as noise, and a knee is known to a
block at best. A block in which the level changes belongs to neither level: it is taken as missing, and the step is
placed on the reads themselves.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.result import DeviceFit
from weakreset.fitting.whitening import Averaged

__all__ = ["MOST_READS", "averaged_reads", "steps_on_reads", "torn_blocks"]

Array = NDArray[np.float64]

MOST_READS = 4096
"""Longer traces are averaged."""

_HEAD = 512  # reads kept one by one: an early knee lies among them, and no block would show it
_MOST_BLOCKS = 1900  # with the head 2,412 rows: a dense matrix of them takes 47 MB
_REGULAR = 0.8  # below this share of equal gaps a slot of the grid would stand for too many pulses that were never read


def averaged_reads(pulses: NDArray[np.int64], values: Array) -> tuple[NDArray[np.int64], Array, Averaged | None]:
    """Pulses (the middle of each block), values and how they were averaged; None where that cannot be done exactly.

    Parameters
    ----------
    pulses : ndarray of int, shape (n,)
    values : ndarray, shape (n,)
        ln(R/R0).
    """
    steps, counts = np.unique(np.diff(pulses), return_counts=True)
    pace = int(steps[counts.argmax()])
    slot = (pulses - pulses[0]) // pace
    if counts.max() < _REGULAR * (len(pulses) - 1) or np.any((pulses - pulses[0]) % pace):
        return pulses, values, None
    size = -(-(int(slot[-1]) + 1 - _HEAD) // _MOST_BLOCKS)
    size = max(3, size + (size + 1) % 2)  # odd: the middle of a block is a pulse
    head = slot < _HEAD
    block = (slot[~head] - _HEAD) // size
    count = np.bincount(block)
    full = np.flatnonzero(2 * count > size)
    means = np.bincount(block, values[~head])[full] / count[full]
    middle = pulses[0] + pace * (_HEAD + full * size + size // 2)
    averaged = Averaged(int(pulses[0]) + pace * _HEAD, size, pace)
    return np.concatenate([pulses[head], middle]), np.concatenate([values[head], means]), averaged


def torn_blocks(fit: DeviceFit) -> NDArray[np.intp]:
    """Blocks in which the level changes: reads between two steps of one sign with nothing else between them."""
    if fit.averaged is None:
        return np.empty(0, dtype=np.intp)
    at = np.searchsorted(fit.pulses, np.asarray(fit.rtn.steps, dtype=np.int64))
    signs = np.sign(fit.rtn.sizes)
    return np.asarray(at[:-1][(np.diff(at) == 1) & (signs[1:] == signs[:-1])]) if len(at) > 1 else at[:0]


def steps_on_reads(fit: DeviceFit, pulses: NDArray[np.int64], values: Array) -> DeviceFit:
    """The fit with each telegraph step of averaged reads placed between two reads as measured."""
    if fit.averaged is None or not fit.rtn.steps:
        return fit
    steps = []
    for step in fit.rtn.steps:
        at = int(np.searchsorted(fit.pulses, step))
        if step < fit.averaged.first or at == 0:
            steps.append(step)
            continue
        reach = fit.averaged.reads * fit.averaged.pace // 2
        low, high = np.searchsorted(pulses, [fit.pulses[at - 1] - reach, step + reach + 1])
        place = low + _split(values[low:high])
        steps.append(int(np.clip(pulses[place], fit.pulses[at - 1] + 1, step)))
    return replace(fit, rtn=replace(fit.rtn, steps=tuple(steps)))


def _split(values: Array) -> int:
    """Where two levels describe the reads best: the first read of the second one."""
    n = np.arange(1, len(values))
    first = np.cumsum(values)[:-1]
    return 1 + int((first**2 / n + (values.sum() - first) ** 2 / (len(values) - n)).argmax())
