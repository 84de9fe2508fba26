"""`pulse=@file`: files that each hold the reads of all devices after the pulses that their names count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from weakreset.errors import TraceError, UsageError
from weakreset.traces.column_map import ColumnMap, MapEntry
from weakreset.traces.contract import Table
from weakreset.traces.find_files import file_stem
from weakreset.traces.merge_devices import together
from weakreset.traces.per_device import some_columns
from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import TraceSet

__all__ = ["reads_of_files", "with_pulse_of_file"]

_PULSE_OF_FILE = "pulse of the file's name"
_COUNTED = re.compile(
    r"(?:(?<![a-z])(?:pulses?|p|n|np|after|reset)[\s_.#=-]*(?P<after>\d{1,15}))|"
    r"(?:(?P<before>\d{1,15})[\s_-]*(?:reset[\s_-]*)?(?:pulses?|p)(?![a-z]))", re.IGNORECASE,
)


def with_pulse_of_file(table: Table, column_map: ColumnMap, stem: str) -> tuple[Table, ColumnMap]:
    """For `pulse=@file`: the table with a column that holds the number in the file's name, and the map that says so.

    Raises
    ------
    UsageError
        The name holds no number, or several of which none is said to count pulses.
    """
    if not any(entry.role == "pulse" and entry.by_file for entry in column_map.entries):
        return table, column_map
    numbers = {int(match["after"] or match["before"]) for match in _COUNTED.finditer(stem)}
    numbers = numbers or {int(number) for number in re.findall(r"\d{1,15}", stem)}
    if len(numbers) != 1:
        found = "no number" if not numbers else f"several ({', '.join(map(str, sorted(numbers)))})"
        raise UsageError(f"--map pulse=@file: the name {stem!r} holds {found}; name the files as pulse_0010.csv")
    at = len(table.names)
    whole = some_columns(table, range(at), {}, table.device)
    whole.columns.append(np.full(whole.n_rows, numbers.pop(), dtype=np.int64))
    whole.names = (*whole.names, _PULSE_OF_FILE)
    whole.units = (*whole.units, "") if whole.units else ()
    entries = tuple(
        MapEntry("pulse", (str(at),), literal=_PULSE_OF_FILE) if e.role == "pulse" else e for e in column_map.entries
    )
    return whole, replace(column_map, entries=entries)


def reads_of_files(files: Sequence[Path], parts: Sequence[TraceSet]) -> TraceSet:
    """Files that each hold the reads after one pulse number, as the traces of their devices.

    A device that no file names is called after the folder.

    Raises
    ------
    TraceError
        Two files hold a device after the same pulse.
    """
    traces: dict[tuple[str, int], PulseTrace] = {}
    excluded: list[Exclusion] = []
    for path, part in zip(files, parts, strict=True):
        devices = {trace.device for trace in part} | {item.device for item in part.exclusions}
        here = part.renamed({name: path.resolve().parent.name if name == file_stem(path) else name for name in devices})
        for trace in here:
            held = traces.get((trace.device, trace.cycle))
            if held is not None and (again := np.intersect1d(held.pulses, trace.pulses)).size:
                raise TraceError(
                    f"{trace.source}: device {trace.device!r} was read after pulse {again[0]} in another file, too; "
                    "with pulse=@file each file holds the reads after another pulse"
                )
            new = np.ones(len(trace), dtype=bool)
            traces[trace.device, trace.cycle] = together(held, trace, new, trace.device)
        excluded += here.exclusions
    whole = TraceSet.join([replace(part, traces=()) for part in parts])
    ordered = tuple(sorted(traces.values(), key=lambda trace: (trace.device, trace.cycle)))
    return replace(whole, traces=ordered, exclusions=tuple(excluded))
