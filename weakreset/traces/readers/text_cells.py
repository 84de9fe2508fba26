"""Cells of a workbook that hold numbers as text, as pasting or another language's export leaves them."""

from __future__ import annotations

import re
from typing import Any

from weakreset.traces.vocabulary import role_of

__all__ = ["with_numbers"]

_POINT = re.compile(r"^\s*[-+]?\d*\.\d+(?:[eE][-+]?\d+)?\s*$")
_COMMA = re.compile(r"^\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*$")
_THOUSANDS = re.compile(r"^\s*[-+]?[1-9]\d{0,2},\d{3}\s*$")
_HEAD_ROWS = 60
_MOSTLY = 0.8  # of the filled cells of a column


def with_numbers(rows: list[list[Any]]) -> list[list[Any]]:
    """The rows with numbers in place of text in columns that are mostly decimal numbers as text.

    All must have the same mark; `12,345` in all cells may be thousands, and stays text. Whole numbers stay text, since
    `007` may be a name.
    """
    width = max(map(len, rows), default=0)
    columns = [[row[i] for row in rows if i < len(row)] for i in range(width)]
    marks = {i: mark for i, cells in enumerate(columns) if (mark := _decimal_mark(cells)) and not _names_devices(cells)}
    if not marks:
        return rows
    return [[_number(cell, marks[i]) if i in marks else cell for i, cell in enumerate(row)] for row in rows]


def _names_devices(cells: list[Any]) -> bool:
    """Whether a header says so: `1.10` is then another device than `1.1`."""
    return any(isinstance(cell, str) and role_of(cell) == "device" for cell in cells[:_HEAD_ROWS])


def _without_spaces(cell: str) -> str:
    """`12 345,6` as `12345,6`."""
    return re.sub(r"(?<=\d)[ '\u00a0\u202f\u2019](?=\d{3})", "", cell)


def _decimal_mark(cells: list[Any]) -> str:
    filled = [cell for cell in cells if cell != ""]
    texts = [_without_spaces(cell) for cell in filled if isinstance(cell, str)]
    points, commas = [c for c in texts if _POINT.match(c)], [c for c in texts if _COMMA.match(c)]
    if len(points) + len(commas) < _MOSTLY * len(filled) or (points and commas):
        return ""
    return "" if commas and all(map(_THOUSANDS.match, commas)) else "." if points else "," if commas else ""


def _number(cell: Any, mark: str) -> Any:
    if isinstance(cell, str) and (_POINT if mark == "." else _COMMA).match(plain := _without_spaces(cell)):
        return float(plain.replace(mark, "."))
    return cell
