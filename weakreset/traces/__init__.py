"""Pulse traces: read from instrument files, checked, with everything left out named."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from weakreset.traces.trace import Exclusion, PulseTrace, SourceFile, TraceSet

if TYPE_CHECKING:
    from weakreset.traces.columns import ColumnMap, ColumnRole, parse_map
    from weakreset.traces.inspection import FileInspection, inspect_traces
    from weakreset.traces.load import load_traces
    from weakreset.traces.readers.registry import Reader, Recognition
    from weakreset.traces.screening import ScreeningLimits, screen
    from weakreset.traces.write import write_csv_long, write_csv_wide, write_hdf5

_HOMES = {
    "ColumnMap": "columns",
    "ColumnRole": "columns",
    "FileInspection": "inspection",
    "Reader": "readers.registry",
    "Recognition": "readers.registry",
    "ScreeningLimits": "screening",
    "inspect_traces": "inspection",
    "load_traces": "load",
    "parse_map": "columns",
    "screen": "screening",
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
    "Reader",
    "Recognition",
    "ScreeningLimits",
    "SourceFile",
    "TraceSet",
    "inspect_traces",
    "load_traces",
    "parse_map",
    "screen",
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
