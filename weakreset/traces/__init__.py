"""Pulse traces: read from instrument files, checked, with everything left out named.

How a file becomes traces (`load.py` runs it), a file and a function a step, from one frozen value to the next:

1. `recognise.choose_reader`: which reader of `readers/` takes the file;
2. `Reader.read`: tables of named columns, nothing understood (`contract.py` is all that a reader needs to know);
3. `layout.find_layout`: the role and unit of each column (`roles.py`), and how the table holds its traces;
4. `readings.find_readings`: the cells (`cells.py`) in ohm with pulse numbers (`counting.py`), good or with a reason;
5. `assemble.find_traces`: traces by device and cycle; then `selection.select_where` and `screening.screen`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import ReadNoise, SourceFile, TraceSet

if TYPE_CHECKING:
    from weakreset.traces.column_map import ColumnMap, parse_map
    from weakreset.traces.contract import (
        ColumnsTable,
        FileContent,
        Reader,
        Recognition,
        StreamingReader,
        Table,
        column_of,
        says_simulated,
        unique_names,
    )
    from weakreset.traces.inspection import FileInspection, inspect_traces
    from weakreset.traces.load import load_traces
    from weakreset.traces.pulse_settings import count_settings, refuse_mixed
    from weakreset.traces.roles import ColumnRole
    from weakreset.traces.screening import screen
    from weakreset.traces.screening_limits import ScreeningLimits
    from weakreset.traces.selection import parse_where, select_where
    from weakreset.traces.stream import stream_traces
    from weakreset.traces.write import write_csv_long, write_csv_wide, write_hdf5

_HOMES = {
    "ColumnMap": "column_map",
    "ColumnRole": "roles",
    "ColumnsTable": "contract",
    "FileContent": "contract",
    "FileInspection": "inspection",
    "Reader": "contract",
    "Recognition": "contract",
    "ScreeningLimits": "screening",
    "StreamingReader": "contract",
    "Table": "contract",
    "column_of": "contract",
    "count_settings": "pulse_settings",
    "inspect_traces": "inspection",
    "load_traces": "load",
    "parse_map": "column_map",
    "parse_where": "selection",
    "refuse_mixed": "pulse_settings",
    "says_simulated": "contract",
    "screen": "screening",
    "select_where": "selection",
    "stream_traces": "stream",
    "unique_names": "contract",
    "write_csv_long": "write",
    "write_csv_wide": "write",
    "write_hdf5": "write",
}

__all__ = [
    "ColumnMap",
    "ColumnRole",
    "ColumnsTable",
    "Exclusion",
    "FileContent",
    "FileInspection",
    "PulseTrace",
    "ReadNoise",
    "Reader",
    "Recognition",
    "ScreeningLimits",
    "SourceFile",
    "StreamingReader",
    "Table",
    "TraceSet",
    "column_of",
    "count_settings",
    "inspect_traces",
    "load_traces",
    "parse_map",
    "parse_where",
    "refuse_mixed",
    "says_simulated",
    "screen",
    "select_where",
    "stream_traces",
    "unique_names",
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
