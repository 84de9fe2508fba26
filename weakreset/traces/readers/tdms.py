"""TDMS, the format of LabVIEW: groups of channels."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from weakreset.errors import TraceFormatError, require
from weakreset.traces.contract import ColumnsTable, FileContent, Recognition, column_of, says_simulated, unique_names
from weakreset.traces.readers.isolated import read_isolated
from weakreset.traces.readers.stated_units import units_of_keys
from weakreset.traces.vocabulary import role_of

__all__ = ["TdmsReader"]

_MAGIC = b"TDSm"
_MOST_CHANNELS = 20_000  # more is a broken file
_MOST_VALUES = 400_000_000  # 3.2 GB of numbers


class TdmsReader:
    """Every group is a table and its channels are the columns, with the unit of their property `unit_string`,
    `NI_UnitDescription` or the like (of the group: for all its readings).

    Where no channel says the device, it is the group (its property `device`, else its name) if there are several
    groups, and the file otherwise. Channels of different lengths in one group are refused.
    """

    name = "tdms"
    suffixes: tuple[str, ...] = (".tdms",)
    packages = ("nptdms",)

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By the tag that every segment begins with."""
        if head.startswith(_MAGIC):
            return Recognition(1.0, "it begins with the TDMS tag")
        return Recognition(0.3, f"its name ends in {path.suffix}") if path.suffix.lower() in self.suffixes else None

    def read(self, path: Path) -> FileContent:
        """A table a group."""
        require("nptdms", "tdms", "TDMS files")
        return read_isolated(self, path)

    def parse(self, path: Path) -> FileContent:
        """What `read` does, in a process of its own."""
        from nptdms import TdmsFile

        if path.read_bytes()[:4] != _MAGIC:
            raise TraceFormatError("it does not begin with the TDMS tag")
        complaints = _Complaints()
        with TdmsFile.open(str(path)) as opened:
            groups = opened.groups()
            channels = [channel for group in groups for channel in group.channels()]
            total = sum(len(channel) for channel in channels)
            if len(channels) > _MOST_CHANNELS or total > _MOST_VALUES:
                raise TraceFormatError(f"{len(channels)} channels of {total} values are more than we read")
            filled = [group for group in groups if any(len(channel) for channel in group.channels())]
            tables = [_table(group, len(filled) > 1) for group in filled]
            complaints.refuse()
            simulated = says_simulated(opened.properties.get("simulated", ""))
        if not tables:
            raise TraceFormatError("no channel holds values")
        empty = len(groups) - len(tables)
        how = f"{len(tables)} group{'s' if len(tables) > 1 else ''}" + (f", {empty} empty" if empty else "")
        return FileContent(tables, simulated, how)


class _Complaints(logging.Handler):
    """What nptdms only warns of, and then reads as far as it gets: a file that was cut."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.first = ""
        logging.getLogger("nptdms").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()[:200]

    def refuse(self) -> None:
        """Stop listening; raise what was heard."""
        logging.getLogger("nptdms").removeHandler(self)
        if self.first:
            raise TraceFormatError(f"the file was cut or altered ({self.first}); save it again")


def _table(group: Any, several: bool) -> ColumnsTable:
    channels = group.channels()
    lengths = {channel.name: len(channel) for channel in channels if len(channel)}
    if len(set(lengths.values())) > 1:
        raise TraceFormatError(f"group {group.name!r}: channels of different lengths: {str(lengths)[:200]}")
    names, columns, units = [], [], []
    for channel in channels:
        if channel.name not in lengths:
            continue
        values = np.asarray(channel[:])
        if len(values) != lengths[channel.name]:
            raise TraceFormatError(
                f"group {group.name!r}, channel {channel.name!r}: {len(values)} of {lengths[channel.name]} values are "
                "there; the file was cut"
            )
        columns.append(values if values.dtype.kind in "iuf" else column_of([str(value) for value in values]))
        names.append(channel.name)
        units.append(units_of_keys(channel.properties))
    device = str(group.properties.get("device", "")) or (group.name if several else "")
    cycle = group.properties.get("cycle")
    if cycle is not None and not any(role_of(name) == "cycle" for name in names):
        names.append("cycle")
        columns.append(np.full(len(columns[0]), float(cycle)))
        units.append("")
    general = units_of_keys(group.properties)
    about = {"unit": general} if general else {}
    return ColumnsTable(unique_names(names), columns, device, about, units=units, hints={"table": group.name})
