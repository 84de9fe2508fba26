"""Devices of files that are read in parts: enough is remembered to refuse one that comes again."""

from __future__ import annotations

from weakreset.errors import TraceError
from weakreset.traces.trace_set import TraceSet

__all__ = ["KnownDevices"]

_HEAD = 8  # reads that are compared first: two devices do not share eight of five digits


class KnownDevices:
    """How the devices of files that are read in parts begin and end; enough to refuse one that comes again."""

    def __init__(self) -> None:
        self._heads: dict[int, tuple[str, str]] = {}
        self._ends: dict[tuple[str, int, int], str] = {}

    def add(self, part: TraceSet) -> None:
        """Remember the traces of a part.

        Raises
        ------
        TraceError
            Another file holds the same first readings, or ends where a device of that name goes on.
        """
        for trace in part:
            if len(trace) < _HEAD:
                continue
            first, last = int(trace.pulses[0]), int(trace.pulses[-1])
            rounded = tuple(f"{ohm:.4g}" for ohm in trace.resistance_ohm[:_HEAD])
            head = hash((trace.cycle, *trace.pulses[:_HEAD].tolist(), *rounded))
            device, file = self._heads.setdefault(head, (trace.device, trace.source))
            if file == trace.source and first > 0:
                before = (self._ends.get((trace.device, trace.cycle, end), "") for end in (first - 1, first))
                device, file = trace.device, next(filter(None, before), file)
            self._ends[trace.device, trace.cycle, last] = trace.source
            if file != trace.source:
                raise TraceError(
                    f"{trace.source}: {trace.words} is device {device!r} of {file} once more (the same readings, or "
                    "going on where that ends). In parts, files are not merged: leave one out, or read them in one "
                    "piece with --no-stream"
                )
