"""Single reads that cannot be the device's: beyond any resistance, or far from their neighbours on both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.trace import Exclusion, PulseTrace

__all__ = ["without_spoiled_reads"]

_MOST_BEYOND = 0.5  # of a device: with more it is open, and a defect
_MOST_GLITCHES = 0.1  # of a device: with more its scatter is what it is
_MOST_EQUAL = 3  # reads of one value in a row that may be an error code; more is a device that sticks
_WINDOW = 7  # reads whose median a glitch is judged by: three on either side


def without_spoiled_reads(
    trace: PulseTrace, overflow_ohm: float, glitch_decades: float
) -> tuple[PulseTrace, list[Exclusion]]:
    """The trace without reads above `overflow_ohm` and glitches, and those reads by name.

    A glitch is more than `glitch_decades` (0: none is looked for) above or below the reads before and after it and
    the median of the 7 reads around it; up to 3 equal reads in a row (an error code) are one such read, and the same
    number at an end of the trace is one, too. Where more than half of the reads are above, or more than a tenth are
    glitches, that is the device and not single reads: they are kept.
    """
    beyond = trace.resistance_ohm > overflow_ohm if overflow_ohm > 0 else np.zeros(len(trace), dtype=bool)
    excluded: list[Exclusion] = []
    if beyond.any() and beyond.mean() <= _MOST_BEYOND:
        why = f"overflow: above {overflow_ohm:.4g} ohm, an open circuit or an error code"
        excluded += _named(trace, beyond, why)
        trace = trace.select_reads(~beyond)
    glitch = _glitches(np.log10(trace.resistance_ohm), glitch_decades)
    if glitch.any() and glitch.mean() <= _MOST_GLITCHES:
        excluded += _named(trace, glitch, f"glitch: more than {glitch_decades:g} decades from its neighbours")
        trace = trace.select_reads(~glitch)
    return trace, excluded


def _glitches(decades: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    """Single reads, or short runs of equal ones, that stand apart."""
    if not len(decades):
        return np.zeros(0, dtype=bool)
    first = np.concatenate([[True], np.diff(decades) != 0])
    run = np.cumsum(first) - 1
    short = np.bincount(run) <= _MOST_EQUAL
    single = decades[first]
    found = _single_glitches(single, limit) & short
    if found.any():  # the same number again, if far off: a code, where the first or last read has one neighbour only
        found |= np.isin(single, single[found]) & (abs(single - np.median(single)) > limit) & short
    return np.asarray(found[run])


def _single_glitches(decades: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    found = np.zeros(len(decades), dtype=bool)
    if limit <= 0 or len(decades) < _WINDOW:
        return found
    before, after = decades[1:-1] - decades[:-2], decades[1:-1] - decades[2:]
    found[1:-1] = (np.minimum(before, after) > limit) | (np.maximum(before, after) < -limit)
    for i in np.flatnonzero(found).tolist():
        start = min(max(i - _WINDOW // 2, 0), len(decades) - _WINDOW)
        found[i] = abs(decades[i] - np.median(decades[start : start + _WINDOW])) > limit
    return found


def _named(trace: PulseTrace, reads: NDArray[np.bool_], reason: str) -> list[Exclusion]:
    return [
        Exclusion(
            trace.device,
            reason,
            trace.cycle,
            pulse=int(trace.pulses[i]),
            value=f"{float(trace.resistance_ohm[i])!r} ohm",
            file=trace.source,
        )
        for i in np.flatnonzero(reads)
    ]
