"""A table as a lab saves it, and its writers: text, Excel, HDF5, MATLAB, Parquet, TDMS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

TEXT = ("csv", "semicolon", "tab")
EXCEL = ("xlsx", "xls")
NAMED = ("hdf5", "matlab", "parquet", "tdms")
"""Formats that hold columns of one type with a name each."""
ALL = TEXT + EXCEL + NAMED
SUFFIX = {
    "csv": ".csv", "semicolon": ".csv", "tab": ".tsv", "xlsx": ".xlsx", "xls": ".xls",
    "hdf5": ".h5", "matlab": ".mat", "parquet": ".parquet", "tdms": ".tdms",
}  # fmt: skip

Cell = Any
"""A number, a text, or None for an empty cell."""


@dataclass
class Sheet:
    """Named columns; `above` are rows before the header, `below` rows right after it (units).

    `units` go where the format has a place of its own for them: HDF5 attributes, TDMS properties, Parquet metadata.
    """

    names: list[str]
    columns: list[list[Cell]]
    above: list[list[Cell]] = field(default_factory=list)
    below: list[list[Cell]] = field(default_factory=list)
    header: bool = True
    units: dict[str, Any] = field(default_factory=dict)
    unit_key: str = ""
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def rows(self) -> list[list[Cell]]:
        """All rows of the sheet, header and all."""
        longest = max(len(column) for column in self.columns)
        body = [[column[r] if r < len(column) else None for column in self.columns] for r in range(longest)]
        return [*self.above, *([list(self.names)] if self.header else []), *self.below, *body]


def text_of(cell: Cell, decimal_comma: bool = False) -> str:
    """A cell as text; numbers with nine digits."""
    if cell is None:
        return ""
    if isinstance(cell, float | np.floating):
        written = f"{cell:.9g}"
        return written.replace(".", ",") if decimal_comma else written
    return str(cell)


def lines_of(rows: Sequence[Sequence[Cell]], separator: str, decimal_comma: bool = False) -> list[str]:
    """Rows as lines; a cell that holds the separator is quoted."""
    lines = []
    for row in rows:
        cells = [text_of(cell, decimal_comma) for cell in row]
        lines.append(separator.join(f'"{cell}"' if separator in cell else cell for cell in cells))
    return lines


def write(
    folder: Path, reader: str, sheet: Sheet, stem: str = "lot", *, before: str = "", newline: str = "\n",
    encoding: str = "utf-8", decimal_comma: bool | None = None, tail: str = "\n",
) -> Path:  # fmt: skip
    """The sheet as a file for `reader`; files with semicolons have decimal commas unless told otherwise."""
    path = folder / (stem + SUFFIX[reader])
    if reader in TEXT:
        separator = {"csv": ",", "semicolon": ";", "tab": "\t"}[reader]
        comma = reader == "semicolon" if decimal_comma is None else decimal_comma
        text = before + "\n".join(lines_of(sheet.rows(), separator, comma)) + tail
        path.write_bytes(text.replace("\n", newline).encode(encoding))
    else:
        {"xlsx": _xlsx, "xls": _xls, "hdf5": _hdf5, "matlab": _matlab, "parquet": _parquet, "tdms": _tdms}[reader](
            path, sheet
        )
    return path


def _xlsx(path: Path, sheet: Sheet) -> None:
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("Sheet1")
    for row in sheet.rows():
        page.append([cell.item() if isinstance(cell, np.generic) else cell for cell in row])
    book.save(path)


def _xls(path: Path, sheet: Sheet) -> None:
    import xlwt

    book = xlwt.Workbook()
    page = book.add_sheet("Sheet1")
    for r, row in enumerate(sheet.rows()):
        for c, cell in enumerate(row):
            if cell is not None:
                page.write(r, c, cell.item() if isinstance(cell, np.generic) else cell)
    book.save(str(path))


def as_array(column: list[Cell]) -> np.ndarray:
    """Numbers, with NaN for empty cells; else texts."""
    if any(isinstance(cell, str) for cell in column):
        return np.array([text_of(cell) for cell in column], dtype=object)
    if all(isinstance(cell, int | np.integer) for cell in column):
        return np.array(column, dtype=np.int64)
    return np.array([np.nan if cell is None else cell for cell in column], dtype=np.float64)


def device_column(sheet: Sheet) -> int | None:
    """The column of texts that names the devices."""
    words = ("device", "cell", "dut")
    return next((i for i, name in enumerate(sheet.names) if name.lower() in words), None)


def _hdf5(path: Path, sheet: Sheet) -> None:
    """A group a device where there is a column of devices, datasets in the root otherwise."""
    import h5py

    at = device_column(sheet)
    arrays = [as_array(column) for column in sheet.columns]
    with h5py.File(path, "w") as file:
        devices = [] if at is None else list(dict.fromkeys(sheet.columns[at]))
        for device in devices:
            mine = np.array([cell == device for cell in sheet.columns[at]])
            group = file.create_group(str(device))
            for i, name in enumerate(sheet.names):
                if i != at:
                    _dataset(group, name, arrays[i][mine], sheet)
        if at is None:
            for name, values in zip(sheet.names, arrays, strict=True):
                _dataset(file, name, values, sheet)


def _dataset(group: Any, name: str, values: np.ndarray, sheet: Sheet) -> None:
    import h5py

    name = name.replace("/", "_")
    kind = h5py.string_dtype() if values.dtype.kind == "O" else None
    dataset = group.create_dataset(name, data=values, dtype=kind)
    if name in sheet.units:
        dataset.attrs[sheet.unit_key or "units"] = sheet.units[name]
    for key, value in sheet.attributes.get(name, {}).items():
        dataset.attrs[key] = value


def identifier(name: str) -> str:
    """The nearest name that MATLAB accepts for a variable."""
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return plain if plain[:1].isalpha() else f"x{plain}"


def _matlab(path: Path, sheet: Sheet) -> None:
    import scipy.io

    variables = {}
    for name, column in zip(sheet.names, sheet.columns, strict=True):
        array = as_array(column)
        variables[identifier(name)] = array if array.dtype.kind == "O" else array.reshape(-1, 1)
    scipy.io.savemat(path, variables)


def _parquet(path: Path, sheet: Sheet) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays, fields = [], []
    for name, column in zip(sheet.names, sheet.columns, strict=True):
        array = pa.array(as_array(column))
        about = {sheet.unit_key or "unit": sheet.units[name]} if name in sheet.units else None
        arrays.append(array)
        fields.append(pa.field(name, array.type, metadata=about))
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), path)


def _tdms(path: Path, sheet: Sheet) -> None:
    from nptdms import ChannelObject, TdmsWriter

    with TdmsWriter(str(path)) as writer:
        channels = []
        for name, column in zip(sheet.names, sheet.columns, strict=True):
            array = as_array(column)
            about = {sheet.unit_key or "unit_string": sheet.units[name]} if name in sheet.units else {}
            values = array if array.dtype.kind != "O" else array.astype(str)
            channels.append(ChannelObject("data", name, values, about))
        writer.write_segment(channels)
