"""Keysight B1500A: the CSV that EasyEXPERT exports, whole or stripped to its data lines."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.resources import display_path
from weakreset.traces.contract import ColumnsTable, FileContent, Recognition, says_simulated, unique_names
from weakreset.traces.readers.blocks import joined
from weakreset.traces.readers.delimited_table import DelimitedTable
from weakreset.traces.readers.text import TextShape, split_line
from weakreset.traces.readers.text_file import read_text_file, unpack_head
from weakreset.traces.vocabulary import role_of

__all__ = ["B1500aReader"]

_START = re.compile(rb"^(?:\xef\xbb\xbf)?\s*(?:SetupTitle|PrimitiveTest|TestParameter|DataName)\s*,")
_TARGET = re.compile(r"\[(?P<target>[^;\]]*?)\s*\(\d+\)[^\]]*\]")
_MOST_COLUMNS = 2000  # an instrument writes dozens: more is a broken file
_MOST_SECTIONS = 10_000  # records in one export; more is a broken file
_MOST_BYTES = 100 << 20  # 100 MB: the whole text is held at once


@dataclass
class _Section:
    """One test record: its settings as `key: fields`, and where its data lines are."""

    title: str = ""
    settings: dict[str, list[str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    first_line: int = 0

    def number(self, key: str) -> float:
        """First number under `key`, NaN where there is none."""
        try:
            return float(self.settings.get(key, [""])[0])
        except ValueError:
            return math.nan


class B1500aReader:
    """EasyEXPERT CSV: lines `Keyword, field, ...`, with one or several test records in a file.

    All records become one table, a row a `DataValue` line, with the device from the file name
    (`title [device(1) remarks; date time].csv`) or the file itself. Every record, and every curve of a secondary
    sweep (VAR2), is a cycle of that device; the values of VAR2 are rebuilt where the file leaves them out.
    EasyEXPERT does not say which column counts pulses: one named so, or `--map pulse=COLUMN`; `pulse=point` counts the
    points of each curve from 0.
    """

    name = "b1500a"
    suffixes: tuple[str, ...] = (".csv", ".csv.gz")

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By the keyword on its first line."""
        match = _START.match(unpack_head(head))
        return Recognition(0.97, "it begins with a keyword of EasyEXPERT") if match else None

    def read(self, path: Path) -> FileContent:
        """One table of all records."""
        file = display_path(path)
        text, notes, sha256 = read_text_file(path, file, _MOST_BYTES)
        sections = [section for section in _sections(text, file) if section.data]
        if not sections:
            raise TraceFormatError(f"{file}: no DataValue line after a DataName line; the file holds settings only")
        last = sections[-1]
        table = _stack([_columns(section, file) for section in sections], _device(path))
        if not text.endswith(b"\n") and len(last.data) < _expected(last):
            line = last.first_line + len(last.data)
            raise TraceFormatError(f"{file}, line {line}: the file is cut in this line; export it again")
        simulated = any(says_simulated(s.settings.get("TestRecord.Simulated", [""])[0]) for s in sections)
        return FileContent([table], simulated, ", ".join([_how(sections), *notes]), sha256)


def _sections(text: bytes, file: str) -> list[_Section]:
    """Split at SetupTitle, and at a DataName that follows data."""
    sections = [_Section()]
    for number, line in enumerate(text.split(b"\n")):
        if not line.strip():
            continue
        keyword, _, rest = line.partition(b",")
        now, word = sections[-1], keyword.strip()
        if (word == b"SetupTitle" and (now.title or now.names)) or (word == b"DataName" and now.names):
            if len(sections) == _MOST_SECTIONS:
                raise TraceFormatError(f"{file}, line {number + 1}: more than {_MOST_SECTIONS} test records")
            sections.append(_Section(title=now.title if word == b"DataName" else ""))
            now = sections[-1]
        place = f"{file}, line {number + 1}"
        if word == b"DataValue":
            if not now.names:
                raise TraceFormatError(f"{place}: a DataValue line before any DataName line")
            _add_data(now, line, number, place)
        else:
            _add_setting(now, word, rest, place)
    return sections


def _add_data(section: _Section, line: bytes, number: int, place: str) -> None:
    section.first_line = section.first_line if section.data else number
    if number != section.first_line + len(section.data):
        raise TraceFormatError(f"{place}: data lines of one record must follow each other; a line stands between them")
    if line.count(b",") < len(section.names):
        raise TraceFormatError(
            f"{place}: {line.count(b',')} values for {len(section.names)} names; the line was cut, export again"
        )
    section.data.append(line)


def _add_setting(section: _Section, word: bytes, rest: bytes, place: str) -> None:
    fields = [cell.strip() for cell in rest.decode().split(",")]
    if word == b"SetupTitle":
        section.title = rest.decode().strip()
    elif word == b"DataName":
        if len(fields) > _MOST_COLUMNS:
            raise TraceFormatError(f"{place}: {len(fields)} columns; more than {_MOST_COLUMNS} are not read")
        if section.data:
            raise TraceFormatError(f"{place}: column names after the data")
        section.names = unique_names(split_line(rest.decode(), ","))
    elif word in (b"Dimension1", b"Dimension2"):
        section.settings[word.decode()] = fields
    elif word in (b"TestParameter", b"MetaData", b"AnalysisSetup", b"PrimitiveTest"):
        section.settings[fields[0]] = fields[1:] or [""]
    elif section.names:
        shown = word.decode(errors="replace")[:40]
        raise TraceFormatError(f"{place}: {shown!r} is not a keyword of EasyEXPERT; the line is cut or joined")


def _columns(section: _Section, file: str) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64], int]:
    """Columns of one record under their names with units, the line of each row, and the number of curves."""
    shape = TextShape(",", ".", ("DataValue", *section.names), True, section.first_line)
    parsed = DelimitedTable(b"\n".join(section.data) + b"\n", shape, file)
    units = _units(section)
    columns: dict[str, NDArray[Any]] = {}
    for i, name in enumerate(section.names, start=1):
        if name:
            shown = f"{name} [{units[name]}]" if name in units else name
            columns[shown] = parsed.as_is(i)
    n_rows = parsed.n_rows
    curve = _curve(section, n_rows, file)
    swept = _secondary(section)
    if curve.any() or swept:
        columns["curve"] = curve
    if swept and swept[0] not in section.names:
        shown, start, step = f"{swept[0]} [{swept[1]}]", section.number("Measurement.Secondary.Start"), 0.0
        if curve.any():
            step = section.number("Measurement.Secondary.Step")
        columns[shown] = start + step * curve
    lines = np.array([parsed.line_of(row) or 0 for row in range(n_rows)], dtype=np.int64)
    return columns, lines, int(curve[-1]) + 1 if n_rows else 1


def _units(section: _Section) -> dict[str, str]:
    """Units by column name: measured currents, voltages and times, and the user's functions."""
    units: dict[str, str] = {}
    for key, unit in (("Channel.VName", "V"), ("Channel.IName", "A"), ("Channel.Time", "s"), ("Channel.TName", "s")):
        units |= {name: unit for name in section.settings.get(key, []) if name}
    names = section.settings.get("Function.User.Name", [])
    units |= {n: u for n, u in zip(names, section.settings.get("Function.User.Unit", []), strict=False) if n and u}
    return units


def _curve(section: _Section, n_rows: int, file: str) -> NDArray[np.int64]:
    """Number of the curve that each row belongs to, by the dimensions that the record states."""
    points = {cell for cell in section.settings.get("Dimension1", []) if cell}
    curves = {cell for cell in section.settings.get("Dimension2", []) if cell}
    if not points and not curves:
        return np.zeros(n_rows, dtype=np.int64)
    place = f"{file}, line {section.first_line + 1}"
    whole = all(cell.isascii() and cell.isdigit() and len(cell) < 10 for cell in points | curves)
    if not whole or len(points) > 1 or len(curves) > 1:
        raise TraceFormatError(f"{place}: Dimension1 {sorted(points)}, Dimension2 {sorted(curves)}: columns must agree")
    n_points, n_curves = int(min(points, default="0")), int(min(curves, default="1"))
    if n_points * n_curves < n_rows or not n_points:
        raise TraceFormatError(f"{place}: {n_rows} data lines, but the dimensions say {n_points} x {n_curves}")
    return np.arange(n_rows, dtype=np.int64) // n_points


def _secondary(section: _Section) -> tuple[str, str] | None:
    """Name and unit of what the secondary sweep (VAR2) sweeps, where its values can be rebuilt."""
    functions = section.settings.get("Channel.Func", [])
    if "VAR2" not in functions or not math.isfinite(section.number("Measurement.Secondary.Start")):
        return None
    at = functions.index("VAR2")
    mode = (section.settings.get("Channel.Mode", []) + [""] * (at + 1))[at]
    key, unit = ("Channel.IName", "A") if mode.upper() == "I" else ("Channel.VName", "V")
    name = (section.settings.get(key, []) + [""] * (at + 1))[at]
    return (name or "VAR2", unit)


def _stack(parts: list[tuple[dict[str, NDArray[Any]], NDArray[np.int64], int]], device: str) -> ColumnsTable:
    """One table of all records: columns that a record lacks are empty there."""
    names = list(dict.fromkeys(name for columns, _, _ in parts for name in columns))
    lengths = [len(lines) for _, lines, _ in parts]
    stacked = [joined([columns.get(name) for columns, _, _ in parts], lengths) for name in names]
    before = np.cumsum([0] + [n_curves for _, _, n_curves in parts])
    cycle = np.concatenate(
        [
            before[i] + columns.get("curve", np.zeros(n, dtype=np.int64))
            for i, ((columns, _, _), n) in enumerate(zip(parts, lengths, strict=True))
        ]
    )
    roles = {role_of(name) for name in names}
    added: dict[str, NDArray[Any]] = {}
    if "device" not in roles:
        added["device"] = np.full(len(cycle), device, dtype=object)
    if "cycle" not in roles:
        added["cycle"] = cycle
    starts = np.flatnonzero(np.diff(cycle, prepend=-1))
    added["point"] = np.arange(len(cycle)) - np.repeat(starts, np.diff([*starts, len(cycle)]))
    added["record"] = np.repeat(np.arange(len(parts)), lengths)
    kept = [name for name in added if name not in names]
    lines = np.concatenate([part[1] for part in parts])
    return ColumnsTable([*kept, *names], [*(added[name] for name in kept), *stacked], lines=lines)


def _device(path: Path) -> str:
    """The target in an EasyEXPERT file name, else the name itself."""
    stem = path.name.removesuffix(".gz")
    match = _TARGET.search(stem)
    target = match["target"].strip() if match else ""
    return target or Path(stem).stem


def _how(sections: list[_Section]) -> str:
    titles = Counter(section.title or "untitled" for section in sections)
    listed = ", ".join(f"{title[:40]!r}{f' x {n}' if n > 1 else ''}" for title, n in titles.items())
    shape = f"{len(sections)} record{'s' if len(sections) > 1 else ''} ({listed})"
    short = [i for i, s in enumerate(sections) if _expected(s) > len(s.data)]
    stopped = f", stopped early in record {', '.join(map(str, short[:5]))}" if short else ""
    return f"EasyEXPERT, {shape}, each a cycle{stopped}"


def _expected(section: _Section) -> int:
    """Data lines that the dimensions promise, 0 where they say nothing."""
    first = next((c for c in section.settings.get("Dimension1", []) if c), "0")
    second = next((c for c in section.settings.get("Dimension2", []) if c), "1")
    return int(first) * int(second) if (first + second).isascii() and (first + second).isdigit() else 0
