"""Traces that can stand in one table: those with as many reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weakreset.traces.trace import PulseTrace

__all__ = ["of_one_length"]


def of_one_length(traces: Sequence[PulseTrace], most: int) -> Iterator[list[int]]:
    """Indices of traces with as many reads, up to `most` at a time."""
    by_length: dict[int, list[int]] = {}
    for at, trace in enumerate(traces):
        by_length.setdefault(len(trace), []).append(at)
    for members in by_length.values():
        for start in range(0, len(members), most):
            yield members[start : start + most]
