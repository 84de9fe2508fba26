"""Step 3, before all else: a matrix is turned as the map says where nothing else says which side is pulses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from weakreset.errors import TraceFormatError, UsageError
from weakreset.traces.column_map import ColumnMap
from weakreset.traces.contract import ColumnsTable, Table, cell_text

__all__ = ["UNKNOWN_SIDES", "UnclearSides", "turn"]

UNKNOWN_SIDES = "sides unknown"


class UnclearSides(TraceFormatError):
    """A map has to say which side of a matrix is pulses: `pulse=@row` or `pulse=@column`."""


def turn(table: Table, column_map: ColumnMap, file: str) -> tuple[Table, ColumnMap]:
    """The table with a row a device and a column a pulse, and the map without what said so.

    Raises
    ------
    UnclearSides
        Nothing says whether the rows or the columns of a matrix are pulses.
    UsageError
        The map says `pulse=@column` of a table that is no such matrix.
    """
    by_column = any(entry.column_counter for entry in column_map.entries)
    by_row = any(entry.row_counter for entry in column_map.entries)
    if table.metadata.get("layout") != UNKNOWN_SIDES or not isinstance(table, ColumnsTable) or table.block is None:
        if by_column:
            raise UsageError(
                f"{file}: --map pulse=@column is for matrices of which nothing says which side is pulses; say "
                "--map resistance=FIRST:LAST for columns that are one pulse each"
            )
        return table, column_map
    if not (by_row or by_column):
        n_rows, n_columns = table.block.shape
        none = "" if "pulse" in table.names else "there are no pulse numbers, so "
        raise UnclearSides(
            f"{file}: a matrix of {n_rows} x {n_columns} readings, and {none}nothing says which side is pulses"
        )
    rest = replace(column_map, entries=tuple(e for e in column_map.entries if not (e.row_counter or e.column_counter)))
    return _turned(table, by_row), rest


def _turned(table: ColumnsTable, rows_are_pulses: bool) -> ColumnsTable:
    sides = dict(zip(table.names, table.columns, strict=False))
    block = np.zeros((0, 0)) if table.block is None else table.block
    if rows_are_pulses:
        block = block.T
    n_devices, n_pulses = block.shape
    pulses = sides.pop("pulse", None)
    if pulses is None or len(pulses) != n_pulses:
        pulses = np.arange(n_pulses)
    columns = {name: cells for name, cells in sides.items() if len(cells) == n_devices}
    if not columns:
        word = "column" if rows_are_pulses else "row"
        columns = {"device": np.array([f"{word} {i}" for i in range(n_devices)], dtype=object)}
    about = {**table.metadata, "layout": "wide-by-row"}
    headers = [*columns, *(cell_text(float(pulse)) for pulse in pulses)]
    return ColumnsTable(headers, list(columns.values()), metadata=about, block=np.ascontiguousarray(block))
