"""Pulse traces: read from instrument files, checked, with everything left out named."""

from weakreset.traces.trace import Exclusion, PulseTrace, SourceFile, TraceSet

__all__ = ["Exclusion", "PulseTrace", "SourceFile", "TraceSet"]
