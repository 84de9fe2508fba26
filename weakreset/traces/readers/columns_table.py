"""A table of columns in memory: what readers of instrument formats hand over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.table import NumberColumn, Table, numbers_from_text

__all__ = ["ColumnsTable", "cell_text", "column_of", "says_simulated", "unique_names"]

_SAMPLE_ROWS = 20


class ColumnsTable(Table):
    """Columns of one length, each an array of numbers or an object array of text ('' where empty).

    Parameters
    ----------
    names : sequence of str
        Unique, or '' where unnamed.
    columns : sequence of ndarray
    device, metadata, has_header
        As in `Table`.
    lines : ndarray of int, shape (n_rows,), optional
        Line of the file, counted from 1, that each row came from.
    """

    def __init__(
        self,
        names: Sequence[str],
        columns: Sequence[NDArray[Any]],
        device: str = "",
        metadata: Mapping[str, str] | None = None,
        has_header: bool = True,
        lines: NDArray[np.int64] | None = None,
    ) -> None:
        self.names, self.columns = tuple(names), list(columns)
        self.device, self.metadata, self.has_header, self.lines = device, dict(metadata or {}), has_header, lines
        rows = range(min(_SAMPLE_ROWS, self.n_rows))
        self.sample = [[cell_text(column[i]) for column in self.columns] for i in rows]

    def numbers(self, index: int) -> NumberColumn:
        column = self.columns[index]
        return NumberColumn(column.astype(np.float64)) if column.dtype.kind in "iuf" else numbers_from_text(column)

    def text(self, index: int) -> NDArray[np.object_]:
        cells = np.empty(self.n_rows, dtype=object)
        cells[:] = [cell_text(cell) for cell in self.columns[index].tolist()]
        return cells

    def as_is(self, index: int) -> NDArray[np.generic]:
        column = self.columns[index]
        if column.dtype.kind in "iuf":
            return column
        numbers = self.numbers(index)
        return self.text(index) if numbers.text or np.isnan(numbers.values).all() else numbers.values

    @property
    def n_rows(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def line_of(self, row: int) -> int | None:
        return None if self.lines is None else int(self.lines[row])


def cell_text(cell: Any) -> str:
    """A cell as text: whole numbers without a decimal point, others so that they read back exactly, NaN as ''."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, float):
        if cell != cell:
            return ""
        return str(int(cell)) if abs(cell) < 2.0**53 and cell == int(cell) else repr(cell)
    return "" if cell is None else str(cell).strip()


def column_of(cells: Sequence[Any]) -> NDArray[Any]:
    """Cells of mixed kinds as one column: numbers where all are (None and '' are empty), otherwise text."""
    plain = all((isinstance(cell, int | float) and not isinstance(cell, bool)) or cell in ("", None) for cell in cells)
    if plain and any(cell not in ("", None) for cell in cells):
        return np.array([np.nan if cell in ("", None) else cell for cell in cells], dtype=np.float64)
    column = np.empty(len(cells), dtype=object)
    column[:] = [cell_text(cell) for cell in cells]
    return column


def unique_names(names: Sequence[str]) -> list[str]:
    """Names stripped; a repeated one gets `.1`, `.2`, ..."""
    found: list[str] = []
    taken: set[str] = set()
    repeats: dict[str, int] = {}
    for name in map(str.strip, names):
        shown = name
        while shown and shown in taken:
            repeats[name] = repeats.get(name, 0) + 1
            shown = f"{name}.{repeats[name]}"
        taken.add(shown)
        found.append(shown)
    return found


def says_simulated(value: object) -> bool:
    """Whether a `simulated` entry of a file means yes."""
    return str(value).strip().lower() in {"true", "yes", "1"}
