"""What a fit needs of a trace: said here, so that `inspect` promises what `fit` does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import TraceSet

__all__ = ["LEAST_READS", "leave_out_short", "too_short"]

LEAST_READS = 30
"""Reads after the first pulse that a fit needs."""


def too_short(trace: PulseTrace) -> Exclusion | None:
    """The trace as an exclusion where it has too few reads for a fit."""
    n = int(np.count_nonzero(trace.pulses >= 1))
    if n >= LEAST_READS:
        return None
    reason = f"too few reads: {n} reads after the first pulse; a fit needs {LEAST_READS}"
    return Exclusion(trace.device, reason, trace.cycle, n_readings=len(trace), trace=trace)


def leave_out_short(traces: TraceSet) -> TraceSet:
    """The traces that a fit uses."""
    short = [item for trace in traces if (item := too_short(trace)) is not None]
    if not short:
        return traces
    kept = tuple(trace for trace in traces if too_short(trace) is None)
    return replace(traces, traces=kept, exclusions=(*traces.exclusions, *short))
