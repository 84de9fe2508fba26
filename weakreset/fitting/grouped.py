"""From traces to the reads that are fitted, in groups read at the same pulses, on the grids that these share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.averaged import MOST_READS, averaged_reads
from weakreset.fitting.blocks import Group
from weakreset.fitting.common_grids import common_grids
from weakreset.fitting.lone_reads import lone_reads
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.whitening import Averaged
from weakreset.traces import Exclusion, PulseTrace, TraceSet
from weakreset.traces.fit_needs import too_short

__all__ = ["grouped", "reads_in_words"]

Array = NDArray[np.float64]
_Used = tuple[PulseTrace, NDArray[np.int64], Array]

_NAMED = 8  # as many as fit in a note; the table has them all


def grouped(traces: TraceSet) -> tuple[list[Group], list[Exclusion], dict[str, tuple[int, ...]], list[str]]:
    """Groups of the traces that are long enough, those of the largest common grid first.

    Returns
    -------
    groups : list of Group
    short : list of Exclusion
        Traces that are not.
    lone : dict
        Pulses whose reads stand alone, by the key of their trace.
    notes : list of str
    """
    used: dict[Averaged | None, list[_Used]] = {}
    short: list[Exclusion] = []
    aside: dict[str, tuple[int, ...]] = {}
    notes: list[str] = []
    for trace in traces:
        pulses, log_ratio = trace.log_ratio()
        lone = lone_reads(log_ratio)
        if len(lone):
            aside[trace.key] = tuple(pulses[lone].tolist())
            pulses, log_ratio = np.delete(pulses, lone), np.delete(log_ratio, lone)
        averaged, n = None, len(pulses)
        if n > MOST_READS:
            pulses, log_ratio, averaged = averaged_reads(pulses, log_ratio)
            stride = 1 if averaged else -(-n // MOST_READS)
            pulses, log_ratio = pulses[::stride], log_ratio[::stride]
            notes.append(f"{trace.words}: {n} reads, {_in_words(averaged, stride)}")
        if (exclusion := too_short(trace)) is not None:
            short.append(exclusion)
        else:
            used.setdefault(averaged, []).append((trace, pulses, log_ratio))
    grids = [
        (averaged, common, [some[i] for i in members])
        for averaged, some in used.items() for common, members in common_grids([pulses for _, pulses, _ in some])
    ]
    grids.sort(key=lambda grid: -len(grid[2]))
    return [group for grid in grids for group in _groups(*grid)], short, aside, notes


def _in_words(averaged: Averaged | None, stride: int) -> str:
    if averaged is None:
        return f"not at an even pace: every {stride}. used"
    return f"from pulse {averaged.first} on fitted as means of {averaged.reads}: what is shorter there is not resolved"


def _groups(averaged: Averaged | None, common: NDArray[np.int64], members: Iterable[_Used]) -> list[Group]:
    """Traces of one common grid, by the pulses at which they were read."""
    by_reads: dict[bytes, list[_Used]] = {}
    for one in members:
        by_reads.setdefault(one[1].tobytes(), []).append(one)
    return [
        Group(
            same[0][1], [trace for trace, _, _ in same], np.stack([row for _, _, row in same]),
            common if len(same[0][1]) < len(common) else None, averaged,
        )
        for same in by_reads.values()
    ]


def reads_in_words(fits: Iterable[DeviceFit]) -> list[str]:
    """A sentence on reads that stand alone, with their places."""
    found = [(fit, pulse) for fit in fits for pulse in fit.set_aside]
    if not found:
        return []
    places = ", ".join(f"{fit.device} at pulse {pulse}" for fit, pulse in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    devices = len({fit.device for fit, _ in found})
    return [
        f"{len(found)} reads of {devices} devices lie far from the reads around them and were taken as missing: "
        f"{places}{more}"
    ]
