"""Maps of a wafer or an array: one reading of each place, which is no trace."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from weakreset.errors import TraceFormatError
from weakreset.traces.column_role import ColumnRole, number_or_none
from weakreset.traces.contract import Table

__all__ = ["refuse_numbered_sides", "refuse_one_read_each"]

_LEAST_SIDE = 3  # places in a row of a map
_FEWEST = 4  # rows of a table that is called a map
_NAMES_SHOWN = 4
_STACK = (
    "python -c \"import pandas; pandas.read_csv('FILE', index_col=0, skiprows={above}).rename_axis('y').stack()"
    ".rename_axis(['y', 'x']).rename('R (ohm)').to_csv('pulse_0010.csv')\""
)
"""A row a place; the number in the name of the new file is that of the pulses before the map."""


def refuse_one_read_each(devices: Sequence[ColumnRole], table: Table, file: str) -> None:
    """Refuse a table without pulse numbers in which every row is another device.

    Raises
    ------
    TraceFormatError
        With how maps of several pulse numbers are read.
    """
    if not devices or table.n_rows < _FEWEST:
        return
    codes = np.stack([np.asarray(table.codes(role.index)[0]) for role in devices])
    if np.unique(codes, axis=1).shape[1] < table.n_rows:
        return
    names = ", ".join(repr(role.name) for role in devices[:_NAMES_SHOWN])
    raise TraceFormatError(
        f"{file}: one reading of each of {table.n_rows} devices ({names}): a map, not traces, which need readings of "
        "each device after 30 pulse numbers and more. Put all of them into one table with a column `pulse`; or save a "
        "file after each pulse number, pulse_0010.csv, ..., and read their folder with pulse=@file as the map"
    )


def refuse_numbered_sides(table: Table, file: str) -> None:
    """Refuse a table without names of columns whose first row and first column both number places: a map.

    Raises
    ------
    TraceFormatError
        With the line that writes it as a row a place, and what to write where it is no map.
    """
    rows = table.sample
    top = next((i for i, row in enumerate(rows[:-1]) if _counts(row[1:])), None)
    if top is None:
        return
    below = [row[0] for row in rows[top + 1 :] if any(cell.strip() for cell in row)]
    if not _counts(below) or not any("." in cell or len(cell) > 2 for row in rows[top + 1 :] for cell in row[1:]):
        return
    raise TraceFormatError(
        f"{file}: numbers in the first row and in the first column. A map of a wafer, one reading a place, is not a "
        "trace: make a row a place of the map after every pulse number, and read the folder of these files with "
        f"pulse=@file as the map: {_STACK.format(above=top)} for the map after 10 pulses. If the rows are devices and the "
        "columns pulses, write `device` into the first cell of the first row; if the rows are pulses, write `pulse`"
    )


def _counts(cells: Sequence[str]) -> bool:
    """Whether cells go up or down in steps of one."""
    numbers = [number_or_none(cell) for cell in cells if cell.strip()]
    steps = {None if a is None or b is None else b - a for a, b in pairwise(numbers)}
    return len(numbers) >= _LEAST_SIDE and (steps == {1.0} or steps == {-1.0})
