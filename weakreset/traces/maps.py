"""Maps of a wafer or an array: one reading of each place, which is no trace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise, takewhile

import numpy as np

from weakreset.errors import TraceFormatError
from weakreset.traces.column_role import ColumnRole, number_or_none
from weakreset.traces.contract import Table
from weakreset.traces.vocabulary import role_of

__all__ = ["refuse_numbered_sides", "refuse_one_read_each"]

_LEAST_SIDE = 3  # places in a row of a map
_MOST_ABOVE = 5  # lines of a title
_LONGEST_PLACE = 3  # digits
_PLACE = re.compile(r"^(?P<word>[A-Za-z_ ]{0,8}?)(?P<number>(?:(?<![A-Za-z])-)?\d{1,4})$")
_NO_PLACES = frozenset(
    ("p", "n", "pulse", "pulses", "after", "reset", "cycle", "run", "d", "device", "dev", "dut", "cell")
)
_FEWEST = 4  # rows of a table that is called a map
_NAMES_SHOWN = 4
_STACK = (
    "python -c \"import pandas; pandas.read_csv('FILE', index_col=0, skiprows={above}).rename_axis('row').stack()"
    ".dropna().rename_axis(['row', 'col']).rename('R (ohm)').to_csv('pulse_0010.csv')\""
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
    """Refuse a table whose columns and rows both are places of a map, `-2, -1, 0, ...` or `x0, x1, ...`.

    Raises
    ------
    TraceFormatError
        With the line that writes it as a row a place, and what to write where it is no map.
    """
    rows = [list(table.names), *table.sample] if table.has_header else table.sample
    above = [i for i, row in enumerate(rows[:_MOST_ABOVE]) if row and not role_of(row[0])]
    top = next((i for i in above if _word_of_places(rows[i][1:]) is not None), None)
    if top is None:
        return
    below = list(takewhile(lambda row: row and _PLACE.match(row[0].strip()), rows[top + 1 :]))
    across, down = _word_of_places(rows[top][1:]), _word_of_places([row[0] for row in below])
    alike = across is not None and down is not None and bool(across) == bool(down)  # `D1, D2` over `0, 1`: pulses
    if not alike or not any(map(_is_reading, (cell for row in below for cell in row[1:]))):
        return
    raise TraceFormatError(
        f"{file}: rows and columns are both numbered ({rows[top][1]}, {rows[top][2]}, ... and {below[0][0]}, "
        f"{below[1][0]}, ...). A map, one reading of each place, is not a trace: make a row a place of the map after "
        "every pulse number, and read the folder of these files with pulse=@file as the map: "
        f"{_STACK.format(above=top)} for the map after 10 pulses. If the rows are devices and the columns pulses, "
        "write `device` into the first cell of the first row; if the rows are pulses, write `pulse`"
    )


def _word_of_places(cells: Sequence[str]) -> str | None:
    """The word before the numbers of cells that are numbered in steps of one, '' for none; None where they are not, or
    where the word is one for pulses or devices."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not all(map(_PLACE.match, filled[:_LEAST_SIDE])):
        return None  # told at once in most tables, which may have 100,000 columns
    found = [match for match in map(_PLACE.match, filled) if match]
    words = {match["word"].strip().lower() for match in found}
    steps = {int(b["number"]) - int(a["number"]) for a, b in pairwise(found)}
    if len(found) < max(_LEAST_SIDE, len(filled)) or len(words) > 1 or words & _NO_PLACES or steps not in ({1}, {-1}):
        return None
    return words.pop()


def _is_reading(cell: str) -> bool:
    """Whether a cell is a number that no list of places holds."""
    return ("." in cell or len(cell.strip("-")) > _LONGEST_PLACE) and number_or_none(cell) is not None
