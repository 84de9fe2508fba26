"""Excel workbooks (.xls, .xlsx): those of a Keithley 4200, and plain tables."""

from __future__ import annotations

import html
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError, require
from weakreset.traces.contract import (
    ColumnsTable,
    FileContent,
    Recognition,
    cell_text,
    column_of,
    says_simulated,
    unique_names,
)
from weakreset.traces.readers.below_header import read_below_header
from weakreset.traces.readers.blocks import stack_blocks
from weakreset.traces.readers.header import find_header, groups_above, is_header_again, join_levels
from weakreset.traces.readers.isolated import read_isolated
from weakreset.traces.readers.said_devices import device_said
from weakreset.traces.readers.stated_units import said_above
from weakreset.traces.readers.text import skipped_words
from weakreset.traces.readers.text_cells import with_numbers
from weakreset.traces.readers.zip_guard import check_zip
from weakreset.traces.vocabulary import role_of

__all__ = ["ExcelReader"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_RUN = re.compile(r"^(?:run|append|data)\s*(?P<number>\d*)$", re.IGNORECASE)
_BLOCK = re.compile(r"^(?P<base>.*\S)\s*\((?P<number>\d{1,6})\)$")
_TERMINAL = re.compile(r"^(?:.*[a-z0-9])?(?P<what>[IVRG])$")
_UNITS = {"I": "A", "V": "V", "R": "ohm", "G": "S"}
_NOT_RUNS = ("calc", "settings")
_STYLES = "xl/styles.xml"
_MOST_STYLES = 1 << 20
_FORMAT = re.compile(r'<numFmt\b[^>]*?formatCode="(.*?)"\s*/?>')
_LITERAL = re.compile(r'"([^"]{1,20})"')
_FOOTER_ROWS = 10  # at the end of a table
_HEAD_ROWS = 60  # in which a header is looked for
_MOST_SHEETS = 2000  # a run a sheet, at most some hundred; more is a broken or hostile file
_SAMPLE_ROWS = 20
_SAID_ROWS = 100  # of a sheet of notes


@dataclass
class _Sheet:
    """A sheet with numbers: its names, its columns, and the row of the sheet where its data begin."""

    title: str
    names: list[str]
    has_header: bool
    columns: list[NDArray[Any]]
    first_row: int
    simulated: bool = False
    units: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    words: str = ""
    device: str = ""


class ExcelReader:
    """Workbooks, through python-calamine; formulas are never computed, their stored values are read.

    A workbook with a sheet `Settings` is one of a Keithley 4200: every other sheet is a run. Runs named `Run1`,
    `Data`, `Append2` and blocks of columns `R(1), R(2), ...` are cycles of one device, named after the file, in the
    order of their numbers; a run that was given another name is a device of that name. In any other workbook each
    sheet with numbers is a table, and a device of its own where no column says the device and there are several.
    """

    name = "excel"
    suffixes: tuple[str, ...] = (".xls", ".xlsx", ".xlsm")
    packages = ("python_calamine",)

    def __init__(self, skip: int = 0) -> None:
        self.skip = skip

    def skipping(self, n_lines: int) -> ExcelReader:
        """A reader that passes over the first rows of every sheet, whatever they hold."""
        return ExcelReader(n_lines)

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By the container that workbooks are kept in, and the name."""
        named = path.name.lower().endswith(self.suffixes)
        if head.startswith(_OLE) or (head.startswith(_ZIP) and (named or b"xl/" in head)):
            return Recognition(0.95 if named else 0.6, "it begins as a workbook does")
        return Recognition(0.3, f"its name ends in {path.suffix}") if named else None

    def read(self, path: Path) -> FileContent:
        """A table a sheet."""
        require("python_calamine", "excel", "Excel workbooks")
        return read_isolated(self, path)

    def parse(self, path: Path) -> FileContent:
        """What `read` does, in a process of its own."""
        from python_calamine import CalamineWorkbook

        if path.read_bytes()[:4] == _ZIP:
            check_zip(path)
        workbook = CalamineWorkbook.from_path(str(path))
        names = workbook.sheet_names
        if len(names) > _MOST_SHEETS:
            raise TraceFormatError(f"{len(names)} sheets; more than {_MOST_SHEETS} are not read")
        is_4200 = any(name.strip().lower() == "settings" for name in names)
        left_out = [name for name in names if is_4200 and name.strip().lower() in _NOT_RUNS]
        simulated = False
        sheets: list[_Sheet] = []
        said: dict[str, str] = {}
        for name in names:
            sheet = workbook.get_sheet_by_name(name)
            rows = sheet.to_python(skip_empty_area=True)
            if name in left_out:
                simulated |= any(_row_says_simulated(row) for row in rows[:1000])
                continue
            start = (sheet.start or (0, 0))[0]
            rows = with_numbers(rows)
            passed = max(0, min(self.skip - start, len(rows)))
            found = _understand(name, rows[passed:], start + passed)
            if not found:
                left_out.append(f"{name} (no numbers)")
                said |= said_above([cell_text(cell) for cell in row] for row in rows[:_SAID_ROWS])
            sheets += found
        for one in sheets:  # `Resistance unit: kOhm` on a sheet of notes is meant for the sheets of readings
            one.metadata = said | one.metadata
        if not sheets:
            raise TraceFormatError(f"no sheet holds numbers below a header (sheets: {', '.join(names)[:200]})")
        formats = _shown_units(path)
        tables = _runs_of_4200(sheets, path.stem) if is_4200 else _plain(sheets, formats)
        n_read = len({sheet.title for sheet in sheets})
        how = f"{'Keithley 4200 workbook' if is_4200 else 'workbook'}, {n_read} of {len(names)} sheets"
        how += f"; left out: {', '.join(left_out)[:200]}" if left_out else ""
        how += next((skipped_words(sheet.skipped) for sheet in sheets if sheet.skipped), "")
        return FileContent(tables, simulated or any(sheet.simulated for sheet in sheets), how)


def _row_says_simulated(row: Sequence[Any]) -> bool:
    cells = [str(cell).strip().lstrip("# ").lower() for cell in row if cell != ""]
    return bool(cells) and (cells[0] == "simulated: true" or (cells[0] == "simulated" and says_simulated(cells[-1])))


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _understand(title: str, rows: list[list[Any]], start: int) -> list[_Sheet]:
    """The tables of a sheet, one below the other: a header within the data begins another."""
    found: list[_Sheet] = []
    while rows:
        at, has_header = _header_of(rows)
        if at >= len(rows):
            break
        head = [cell_text(cell) for cell in rows[at]] if has_header else []
        begin = at + has_header
        if has_header:
            at, head, begin = _joined_levels(rows, at, head)
        top = [[cell_text(cell) for cell in row] for row in rows[begin : begin + _SAMPLE_ROWS]]
        units, taken = None, 0
        if has_header:
            head, units, taken = read_below_header(head, top)
        begin += taken
        end, drop = _end_of_table(rows, begin, head)
        body = [row for i, row in enumerate(rows[begin:end], begin) if i not in drop]
        if any(_is_number(cell) for row in body for cell in row):
            above = [cell_text(cell) for cell in rows[at - 1]] if at else []
            names = groups_above(head, above) if has_header else [f"column {i}" for i in range(len(rows[0]))]
            columns = [column_of(cells) for cells in zip(*body, strict=True)]
            simulated = any(_row_says_simulated(row) for row in rows[:at])
            about = said_above([cell_text(cell) for cell in row] for row in rows[:at])
            remarks = tuple(words for row in rows[:at] if (words := ",".join(map(cell_text, row)).strip(",")))
            footer = [cell_text(row[0]) for row in body[-_FOOTER_ROWS:] if not any(map(_is_number, row))]
            found.append(
                _Sheet(
                    title, names, has_header, columns, start + begin + 1, simulated, tuple(units or ()), about, remarks,
                    " ; ".join([*remarks, *footer]), device_said(words.replace(",", ":", 1) for words in remarks[-2:]),
                )
            )
        rows, start = rows[end:], start + end
    return found


def _joined_levels(rows: list[list[Any]], at: int, head: list[str]) -> tuple[int, list[str], int]:
    """Where the header stands, its names, and where its data begin, when it may have two levels."""
    texts = [[cell_text(cell) for cell in row] for row in rows[: at + 4]]
    top, joined, saved = join_levels(texts, at)
    return (top, joined[top], top + 1 + saved) if saved else (at, head, at + 1)


def _header_of(rows: list[list[Any]]) -> tuple[int, bool]:
    """The row that names the columns (or where the data begin), and whether there is one."""
    at = 0
    wide = any(sum(cell != "" for cell in row) > 1 for row in rows)
    while wide and at < len(rows) and sum(cell != "" for cell in rows[at]) < 2:
        at += 1
    at += find_header([[cell_text(cell) for cell in row] for row in rows[at : at + _HEAD_ROWS]])
    if at >= len(rows):
        return at, False
    return at, not any(map(_is_number, rows[at])) or any(role_of(str(cell)) for cell in rows[at])


def _end_of_table(rows: list[list[Any]], begin: int, head: list[str]) -> tuple[int, set[int]]:
    """Where another header (or the remarks above it) begins; and rows that repeat the header."""
    again: set[int] = set()
    for i in range(begin + 1, len(rows)):
        if any(map(_is_number, rows[i])) and cell_text(rows[i][0]) != (head or [""])[0]:
            continue
        cells = [cell_text(cell) for cell in rows[i]]
        below = next((row for row in rows[i + 1 : i + 4] if any(map(_is_number, row))), [])
        if not is_header_again(cells, head, [cell_text(cell) for cell in below]):
            continue
        above = [",".join(filter(None, map(cell_text, row))) for row in rows[max(begin, i - 2) : i]]
        if head and cells == head and not device_said(above):
            again.add(i)
            continue
        while i > begin + 1 and not any(map(_is_number, rows[i - 1])):
            i -= 1
        return i, again
    return len(rows), again


def _shown_units(path: Path) -> str:
    """The words that number formats of an xlsx file show behind numbers, `0.00" kΩ"`: cells do not hold them."""
    if not zipfile.is_zipfile(path):
        return ""
    with zipfile.ZipFile(path) as archive:
        if _STYLES not in archive.namelist():
            return ""
        with archive.open(_STYLES) as stream:
            styles = html.unescape(stream.read(_MOST_STYLES).decode("utf-8", errors="replace"))
    return " ".join(word for code in _FORMAT.findall(styles) for word in _LITERAL.findall(code))


def _plain(sheets: list[_Sheet], formats: str) -> list[ColumnsTable]:
    tables = []
    for sheet in sheets:
        device = sheet.device or (sheet.title if len({sheet.title for sheet in sheets}) > 1 else "")
        if any((match := _BLOCK.match(name)) and role_of(match["base"]) for name in sheet.names):
            tables.append(_stacked(sheet, device, 0))
        else:
            lines = sheet.first_row + np.arange(len(sheet.columns[0]))
            names = unique_names(sheet.names)
            about, units = sheet.metadata, sheet.units
            hints = {"table": sheet.title, "name of the sheet": sheet.title, "number format of cells": formats}
            hints["text around it"] = sheet.words
            tables.append(
                ColumnsTable(names, sheet.columns, device, about, sheet.has_header, lines, units=units, hints=hints)
            )
    return tables


def _runs_of_4200(sheets: list[_Sheet], stem: str) -> list[ColumnsTable]:
    """Every run a table, its device and cycle as columns."""
    tables = []
    cycles: Counter[str] = Counter()
    for sheet in sorted(sheets, key=_run_number):
        device = stem if _RUN.match(sheet.title.strip()) else sheet.title.strip()
        sheet.names = [_with_unit(name) for name in sheet.names]
        table = _stacked(sheet, device, cycles[device])
        cycles[device] += 1 + int(table.numbers(table.names.index("block")).values.max(initial=0))
        tables.append(table)
    return tables


def _run_number(sheet: _Sheet) -> int:
    match = _RUN.match(sheet.title.strip())
    return int(match["number"][:9] or 0) if match else 0


def _with_unit(name: str) -> str:
    """`DrainI(2)` as `DrainI [A](2)`: a 4200 gives no units, its names end in what was measured."""
    match = _BLOCK.match(name.strip())
    base = match["base"] if match else name.strip()
    terminal = _TERMINAL.match(base)
    unit = "s" if base == "Time" else _UNITS[terminal["what"]] if terminal and len(base) > 1 else ""
    return f"{base} [{unit}]" + (f"({match['number']})" if match else "") if unit else name


def _stacked(sheet: _Sheet, device: str, first_cycle: int) -> ColumnsTable:
    """The blocks of a sheet one below the other, with cycle, sheet, block and point as columns."""
    blocks = stack_blocks(_named_with_units(sheet), sheet.columns, _split)
    n = len(blocks.row)
    columns: dict[str, NDArray[Any]] = {}
    roles = {role_of(name) for name in blocks.names}
    if device and "device" not in roles:
        columns["device"] = np.full(n, device, dtype=object)
    if "cycle" not in roles:
        columns["cycle"] = first_cycle + blocks.block
    columns |= {"sheet": np.full(n, sheet.title, dtype=object), "block": blocks.block}
    columns["point"] = blocks.row
    for name, column in zip(unique_names(blocks.names), blocks.columns, strict=True):
        columns.setdefault(name, column)
    lines = sheet.first_row + blocks.row
    return ColumnsTable(list(columns), list(columns.values()), device, sheet.metadata, lines=lines)


def _named_with_units(sheet: _Sheet) -> list[str]:
    """Names of columns, `R(2)` with the unit of a row of units as `R [kohm](2)`."""
    named = []
    for name, unit in zip(sheet.names, sheet.units or [""] * len(sheet.names), strict=True):
        match = _BLOCK.match(name.strip())
        base, number = (match["base"], f"({match['number']})") if match else (name.strip(), "")
        named.append(f"{base} [{unit.strip('[]() ')}]{number}" if unit else name)
    return named


def _split(name: str) -> tuple[str, int] | None:
    match = _BLOCK.match(name.strip())
    return (match["base"], int(match["number"])) if match else None
