"""Step 3, before roles: cells that hold a number and its unit, `6.88k`, `12.3 kohm`, `6.9E+03 ohm`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.contract import NumberColumn, Table
from weakreset.traces.units import QUANTITIES, parse_unit
from weakreset.traces.vocabulary import role_of

__all__ = ["lift_cell_units"]

_CELL = re.compile(
    r"^(?P<number>[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?)\s*"
    r"(?P<unit>[A-Za-zµμΩ\u2126][\w/µμΩ\u2126 -]{0,15})$"
)
_MULTIPLES = {"k": 1e3, "K": 1e3, "M": 1e6, "meg": 1e6, "Meg": 1e6, "MEG": 1e6, "G": 1e9, "R": 1.0}
"""As instruments print them: 980 below a thousand, 1.02k above. They multiply and say no unit."""
_MARK_INSIDE = re.compile(r"^(?P<whole>\d{1,4})(?P<mark>[RkKMG])(?P<rest>\d{1,4})$")
"""`4k7`: the multiple stands where the point would be; `R` for none."""
_THOUSANDS = re.compile(r"^[-+]?\d{1,3},\d{3}$")
_LEAST_SHARE = 0.3  # of the cells, or a stray word would be taken for a unit


@dataclass(frozen=True)
class _CellUnit:
    """The unit of the cells of a column, and whether a comma in them divides decimals (`7,104k` alone may not)."""

    unit: str
    decimal_commas: bool


def lift_cell_units(table: Table) -> Table:
    """The table with such columns as numbers; the unit in their cells, if there is one, as the unit of the column."""
    if not table.has_header:
        return table
    found: dict[int, _CellUnit] = {}
    for index, name in enumerate(table.names):
        cells = [row[index].strip() for row in table.sample if index < len(row)]
        if role_of(name) in ("device", "cycle", "unit") or not any(cell[:1].isdigit() for cell in cells):
            continue
        decimals = any("," in cell and not _THOUSANDS.match(_digits(cell)) for cell in cells)
        parts = [split for cell in cells if (split := _split(cell, name, decimals)) is not None]
        if len(parts) > _LEAST_SHARE * len(cells):
            found[index] = _CellUnit(_common_unit(parts), decimals)
    return _CellUnits(table, found) if found else table


def _digits(cell: str) -> str:
    """The number at the beginning of a cell."""
    match = _CELL.match(cell)
    return match["number"] if match else cell


def _split(cell: str, name: str, decimal_commas: bool) -> tuple[float, str] | None:
    """Number and unit (or multiple) of a cell; None where it holds no such thing."""
    if (inside := _MARK_INSIDE.match(cell)) and role_of(name) == "resistance":
        return float(f"{inside['whole']}.{inside['rest']}"), inside["mark"]
    match = _CELL.match(cell)
    if not match or (not decimal_commas and _THOUSANDS.match(match["number"])):
        return None
    unit = match["unit"].strip()
    known = parse_unit(unit)
    if not (known or (unit in _MULTIPLES and unit != "R" and _measures(name))):
        return None
    return float(match["number"].replace(",", ".")), unit


def _measures(name: str) -> bool:
    """Whether a name is that of a reading; `12M` in any other column may be a name."""
    return role_of(name) in QUANTITIES


def _common_unit(parts: Sequence[tuple[float, str]]) -> str:
    """The unit that all cells have, that of the quantity where they have several, '' for multiples alone."""
    units = {unit for _, unit in parts} - set(_MULTIPLES)
    if len(units) < 2:
        return next(iter(units), "")
    quantities = {known.quantity for unit in units if (known := parse_unit(unit))}
    return QUANTITIES[quantities.pop()] if len(quantities) == 1 else " | ".join(sorted(units))


class _CellUnits(Table):
    """A table of which some columns have their numbers with units; all else as in the table itself."""

    def __init__(self, table: Table, units: Mapping[int, _CellUnit]) -> None:
        self._table, self._units = table, units
        self.names, self.has_header, self.device, self.metadata = (
            table.names, table.has_header, table.device, table.metadata,
        )  # fmt: skip
        beside = [*table.units, *[""] * (len(table.names) - len(table.units))]
        self.hints = table.hints
        self.units = [units[i].unit or text if i in units else text for i, text in enumerate(beside)]

    @property
    def n_rows(self) -> int:
        return self._table.n_rows

    @property
    def sample(self) -> list[list[str]]:
        return self._table.sample

    def numbers(self, index: int) -> NumberColumn:
        column = self._table.numbers(index)
        if index not in self._units:
            return column
        values, text = column.values.copy(), {}
        for row, cell in column.text.items():
            size = self._size(index, cell)
            if size is None:
                text[row] = cell
            else:
                values[row] = size
        if self._units[index].unit:  # numbers without a unit among numbers with one may be anything
            bare = np.flatnonzero(~np.isnan(column.values))
            text |= {int(row): f"{column.values[row]!r} without a unit" for row in bare}
            values[bare] = np.nan
        return NumberColumn(values, text)

    def _size(self, index: int, cell: str) -> float | None:
        """The number of a cell in the unit of the column."""
        cells = self._units[index]
        split = _split(cell, self.names[index], cells.decimal_commas)
        if split is None:
            return None
        number, unit = split
        common = parse_unit(cells.unit)
        if common is None:
            return number * _MULTIPLES[unit] if unit in _MULTIPLES and not cells.unit else None
        own = parse_unit(unit)
        if own is None or own.quantity != common.quantity:
            return None
        return number if own.scale == common.scale else number * (own.scale / common.scale)

    def text(self, index: int) -> NDArray[np.object_]:
        return self._table.text(index)

    def as_is(self, index: int) -> NDArray[np.generic]:
        return self._table.as_is(index)

    def counts(self, index: int) -> NDArray[Any]:
        return self._table.counts(index)

    def codes(self, index: int) -> tuple[NDArray[np.int64], list[str]]:
        return self._table.codes(index)

    def matrix(self, indices: Sequence[int]) -> tuple[NDArray[np.float64], dict[tuple[int, int], str]]:
        if self._units.keys() & set(indices):
            return super().matrix(indices)
        return self._table.matrix(indices)

    def line_of(self, row: int) -> int | None:
        return self._table.line_of(row)
