"""Traces that can stand in one table: those with as many reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.trace import PulseTrace

__all__ = ["tables_of_one_length"]

_AT_A_TIME = 100  # traces, so that a table of a thousand reads stays in the cache
_MOST_CELLS = 2**21


def tables_of_one_length(traces: Sequence[PulseTrace]) -> Iterator[tuple[list[int], NDArray[np.float64]]]:
    """Indices of traces with as many reads, and their resistances in ohm, a row a trace; some at a time.

    The table may be written to; the next ones overwrite it, since fresh memory costs as much as the copy.
    """
    by_length: dict[int, list[int]] = {}
    for at, trace in enumerate(traces):
        by_length.setdefault(len(trace), []).append(at)
    for n_reads, members in by_length.items():
        most = max(1, min(_AT_A_TIME, len(members), _MOST_CELLS // max(n_reads, 1)))
        table = np.empty((most, n_reads))
        for start in range(0, len(members), most):
            some = members[start : start + most]
            rows = table[: len(some)]
            np.stack([traces[at].resistance_ohm for at in some], out=rows)
            yield some, rows
