"""A table of devices as text: rows by column name, with the units that the header says."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from weakreset.display import stored_cell
from weakreset.errors import TraceFormatError

__all__ = ["read_rows"]

_MAX_BYTES = 256 << 20


def read_rows(path: Path) -> tuple[list[dict[str, str]], dict[str, str], list[str]]:
    """Rows by column name, the unit that each column says it has, and comment lines."""
    if not path.is_file():
        raise TraceFormatError(f"no file {str(path)!r}")
    if path.stat().st_size > _MAX_BYTES:
        raise TraceFormatError(f"{path}: {path.stat().st_size} bytes; a table of devices has at most {_MAX_BYTES}")
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise TraceFormatError(f"{path}: not a text table; save it as CSV (UTF-8)") from None
    comments = [line for line in lines if line.lstrip().startswith("#")]
    body = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if len(body) < 2:
        raise TraceFormatError(f"{path}: no header and rows; a table of devices begins with a line of column names")
    sign = max(";\t,", key=body[0].count)
    heads = [_column(name) for name in next(csv.reader([body[0]], delimiter=sign))]
    names = [name for name, _ in heads]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TraceFormatError(f"{path}: column {', '.join(twice)} is there twice")
    rows = []
    for i, cells in enumerate(csv.reader(body[1:], delimiter=sign)):
        if len(cells) != len(names):
            raise TraceFormatError(f"{path}: row {i + 1} has {len(cells)} cells, the header {len(names)}")
        stored = map(stored_cell, cells)
        # decimal commas go with semicolons
        plain = (cell.replace(",", ".") if sign == ";" else cell for cell in stored)
        rows.append(dict(zip(names, plain, strict=True)))
    return rows, dict(heads), comments


def _column(head: str) -> tuple[str, str]:
    """Name and unit: "R0 (kohm)" is r0_ohm in kohm."""
    found = re.fullmatch(r"\s*(.*?)\s*(?:[(\[]([^)\]]*)[)\]])?\s*", head)
    name, unit = (found[1], found[2] or "") if found else (head, "")
    plain: str = re.sub(r"[\s-]+", "_", name.strip()).lower()
    aliases: dict[str, Any] = {"r0": "r0_ohm", "r_0": "r0_ohm", "tstar": "t_star", "t*": "t_star", "name": "device"}
    return aliases.get(plain, plain), unit
