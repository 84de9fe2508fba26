"""Pulse traces: read from instrument files, checked, with everything left out named."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import SourceFile, TraceSet

if TYPE_CHECKING:
    from weakreset.traces.columns import ColumnMap, ColumnRole, parse_map
    from weakreset.traces.inspection import FileInspection, inspect_traces
    from weakreset.traces.load import load_traces
    from weakreset.traces.pulse_settings import count_settings, refuse_mixed
    from weakreset.traces.read_noise import ReadNoise
    from weakreset.traces.readers.registry import Reader, Recognition
    from weakreset.traces.screening import ScreeningLimits, screen
    from weakreset.traces.selection import parse_where, select_where
    from weakreset.traces.stream import stream_traces
    from weakreset.traces.write import write_csv_long, write_csv_wide, write_hdf5

_HOMES = {
    "ColumnMap": "columns",
    "ColumnRole": "columns",
    "FileInspection": "inspection",
    "ReadNoise": "read_noise",
    "Reader": "readers.registry",
    "Recognition": "readers.registry",
    "ScreeningLimits": "screening",
    "count_settings": "pulse_settings",
    "inspect_traces": "inspection",
    "load_traces": "load",
    "parse_map": "columns",
    "parse_where": "selection",
    "refuse_mixed": "pulse_settings",
    "screen": "screening",
    "select_where": "selection",
    "stream_traces": "stream",
    "write_csv_long": "write",
    "write_csv_wide": "write",
    "write_hdf5": "write",
}

__all__ = [
    "ColumnMap",
    "ColumnRole",
    "Exclusion",
    "FileInspection",
    "PulseTrace",
    "ReadNoise",
    "Reader",
    "Recognition",
    "ScreeningLimits",
    "SourceFile",
    "TraceSet",
    "count_settings",
    "inspect_traces",
    "load_traces",
    "parse_map",
    "parse_where",
    "refuse_mixed",
    "screen",
    "select_where",
    "stream_traces",
    "write_csv_long",
    "write_csv_wide",
    "write_hdf5",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
