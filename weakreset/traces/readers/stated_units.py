"""Units beside the names of columns: in comments, in a row below the header, under a key of metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from weakreset.traces.contract import MISSING_WORDS, ColumnsTable, Table
from weakreset.traces.units import QUANTITIES, looks_like_unit, parse_unit, split_name
from weakreset.traces.vocabulary import classify_name, is_unit_key, normalise, role_of, unit_of_quantity

__all__ = [
    "find_units_row",
    "lift_units_row",
    "said_above",
    "text_of_attribute",
    "units_in_comments",
    "units_of_keys",
    "units_of_names",
    "voltage_in_comments",
]

_SAID = re.compile(r"^\s*(?P<key>[A-Za-z][\w .-]{0,40}?)\s*[:=]\s*(?P<value>.*\S)\s*$")
_IN = re.compile(r"^\s*(?P<key>[A-Za-z][\w .-]{0,60}?)\s+(?:is|are)?\s*(?:given\s+)?in\s+(?P<value>\S+(?:\s\S+)?)\s*$")
_BRACKETS = re.compile(r"(?P<key>[A-Za-z][\w ]{0,40}?)\s*[\[(]\s*(?P<value>[^\])]{1,20}?)\s*[\])]")
_VOLTAGE = re.compile(
    r"^\s*(?P<key>[A-Za-z][\w .-]{0,30}(?:[\[(]\s*\w+\s*[\])])?)\s*[:=]\s*"
    r"(?P<value>[-+]?\d+(?:[.,]\d+)?)\s*(?P<unit>[munkµμ]?V?)\s*$"
)
_PLURALS = {"resistances": "resistance", "conductances": "conductance", "currents": "current", "ohms": "resistance"}
_ANYTHING = frozenset(("reading", "readings", "value", "values", "data", "all", "measurements", "everything"))
_NONE = MISSING_WORDS | {"#", ".", "1", "[]", "()", "[-]", "(-)",
                         "string", "str", "text", "int", "integer", "float", "double", "number", "numeric", "real"}
_MOSTLY = 0.8  # of the cells: a row of names may hold a number or two


def text_of_attribute(value: Any) -> str:
    """A value of metadata as text: bytes decoded, an array of one element as that element."""
    if isinstance(value, np.ndarray | list | tuple) and len(np.ravel(np.asarray(value, dtype=object))) == 1:
        value = np.ravel(np.asarray(value, dtype=object))[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip("\x00 ")
    return str(value).strip("\x00 ")


def units_in_comments(comments: Iterable[str]) -> dict[str, str]:
    """What comments say of units, as metadata: `unit` of all readings, `resistance unit` of one quantity.

    Understood are `unit: kohm`, `resistance unit = kohm`, `R: kohm`, `R in kohm`, `all readings in kohm`,
    `R [kohm]`. Two different units for the same are joined by a stroke, which is no unit.
    """
    found: dict[str, list[str]] = {}
    for comment in comments:
        for key, text in _statements(comment):
            found.setdefault(key, []).append(text)
    return {key: " | ".join(dict.fromkeys(texts)) for key, texts in found.items()}


def said_above(rows: Iterable[Sequence[str]]) -> dict[str, str]:
    """What lines above a header say, as metadata: units as in comments (a cell each, or `Unit, kohm`), read voltage."""
    comments: list[str] = []
    for row in rows:
        cells = [cell.strip().lstrip("#% ") for cell in row if cell.strip()]
        comments += cells
        if len(cells) > 1:
            comments.append(f"{cells[0].rstrip(':= ')}: {cells[1]}")
    return units_in_comments(comments) | voltage_in_comments(comments)


def voltage_in_comments(comments: Iterable[str]) -> dict[str, str]:
    """`Read voltage: 0.2 V`, `Vread (mV) = 200` as `read_voltage_v`; nothing where comments differ."""
    found = set()
    for comment in comments:
        match = _VOLTAGE.match(comment)
        name, said = split_name(match["key"]) if match else ("", "")
        if not match or (classify_name(name) or classify_name(match["key"]) or ("", 0.0))[0] != "read_voltage":
            continue
        unit = parse_unit(match["unit"] or said or "V", "read_voltage")
        if unit and unit.quantity == "read_voltage" and normalise(name) not in ("v", "voltage"):
            found.add(float(match["value"].replace(",", ".")) * unit.scale)
    return {"read_voltage_v": repr(found.pop())} if len(found) == 1 else {}


def _statements(comment: str) -> list[tuple[str, str]]:
    if match := _SAID.match(comment):
        words = normalise(match["key"])
        if is_unit_key(words) and not unit_of_quantity(words):
            return [("unit", match["value"])]
        stem = re.sub(r"^units? of (?:the )?|\s+units?$", "", words)
        role = _quantity(stem)
        if stem != words and (role or stem in _ANYTHING):
            return [(f"{role} unit" if role else "unit", match["value"])]
        unit = parse_unit(match["value"])
        if role and unit and unit.quantity == role:
            return [(f"{role} unit", match["value"])]
    if match := _IN.match(comment):
        key = normalise(match["key"])
        role = _quantity(key) or _quantity(key.rpartition(" ")[2])
        unit = parse_unit(match["value"])
        fits = unit.quantity == role if unit and role else looks_like_unit(match["value"])
        if fits and (role or _ANYTHING.intersection(key.split())):
            return [(f"{role} unit" if role else "unit", match["value"])]
    said = []
    for match in _BRACKETS.finditer(comment):
        before = normalise(match["key"]).split()
        role = next((r for i in range(len(before)) if (r := _quantity(" ".join(before[i:])))), "")
        unit = parse_unit(match["value"])
        if role and ((unit and unit.quantity == role) or (unit is None and looks_like_unit(match["value"]))):
            said.append((f"{role} unit", match["value"]))
    return said


def _quantity(words: str) -> str:
    """The quantity that these words name, '' where they name none."""
    known = classify_name(_PLURALS.get(words, words))
    return known[0] if known and known[0] in QUANTITIES else ""


def find_units_row(first: Sequence[str], below: Sequence[Sequence[str]]) -> list[str] | None:
    """The units in the row below a header ('' where it has none), or None where that row is no row of units.

    It has text where columns below hold numbers, nowhere a number, and no name that a column could have.
    """
    cells = ["" if cell.strip().lower() in _NONE else cell.strip() for cell in first]
    if not any(cells) or any(_number(cell) for cell in cells):
        return None
    if any(role_of(cell) and parse_unit(cell) is None for cell in cells):
        return None
    # the same words further down: a row of data, such as a device whose first reading is an error; units come again
    # where a second table follows, but a single letter is more often a device than ampere or siemens
    words = [(i, cell) for i, cell in enumerate(cells) if cell and not (looks_like_unit(cell) and _is_no_letter(cell))]
    if any(i < len(row) and row[i] == cell for i, cell in words for row in below):
        return None
    above = [i for i, cell in enumerate(cells) if cell and _mostly_numbers([row[i] for row in below if i < len(row)])]
    if not above or not (len(above) < len(cells) or any(looks_like_unit(cells[i]) for i in above)):
        return None
    return cells


def _is_no_letter(cell: str) -> bool:
    return len(cell) > 1 or not cell.isascii()


def _number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _mostly_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and sum(map(_number, filled)) >= _MOSTLY * len(filled)


def lift_units_row(table: Table) -> Table:
    """A table in memory whose first row of data holds units: without that row, with its units."""
    if not isinstance(table, ColumnsTable) or table.block is not None or not table.has_header or table.n_rows < 2:
        return table
    if all(column.dtype.kind in "iuf" for column in table.columns):
        return table
    units = find_units_row(table.sample[0], table.sample[1:])
    if units is None:
        return table
    columns = [column[1:] for column in table.columns]
    lines = None if table.lines is None else table.lines[1:]
    stated = [above or below for above, below in zip(units, table.units or [""] * len(units), strict=True)]
    return ColumnsTable(table.names, columns, table.device, table.metadata, True, lines, None, stated, table.hints)


def units_of_keys(properties: Mapping[str, Any]) -> str:
    """The unit that metadata state under any of the usual keys, '' where they state none."""
    for key, value in properties.items():
        if is_unit_key(str(key)) and (text := text_of_attribute(value)):
            return text
    return ""


def units_of_names(metadata: Mapping[str, str], names: Sequence[str]) -> dict[int, str]:
    """Units that comments say of columns by their names, `# D00: kohm`, by the index of the column."""
    places = {normalise(name): i for i, name in enumerate(names) if normalise(name)}
    said = {places[key]: text for word, text in metadata.items() if (key := normalise(word)) in places}
    return {index: text for index, text in said.items() if parse_unit(text) is not None}
