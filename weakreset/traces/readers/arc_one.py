"""ArC ONE: the CSV of its control program, a row a pulse or a read of a cell in the crossbar."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.resources import display_path
from weakreset.traces.contract import ColumnsTable, FileContent, Recognition
from weakreset.traces.readers.delimited_table import DelimitedTable
from weakreset.traces.readers.pulse_log import count_pulses
from weakreset.traces.readers.text import TextShape
from weakreset.traces.readers.text_file import read_text_file, unpack_head

__all__ = ["ArcOneReader"]

_HEADER = "Wordline,Bitline,Resistance,Amplitude (V),Pulse width (s),Tag,ReadTag,ReadVoltage".split(",")
_RECOGNISED = re.compile(rb"^(?:[^\n]*\n){0,4}Wordline,Bitline,Resistance,")
_MOST_BYTES = 100 << 20  # 100 MB: the whole text is held at once
_LARGEST_ADDRESS = 1_000_000  # of a line; larger ones are no crossbar but a broken file


class ArcOneReader:
    """Session name, date and header, then a row a read (pulse width 0) or a pulse (followed by a read).

    A cell `W01B17` is a device. Its pulse number is the count of its pulses so far; a pulse without a read counts,
    and is no reading. Where a cell received both polarities, the rarer is SET and begins a cycle (see
    `count_pulses`). Amplitude and width of the last RESET pulse before a
    read (none at pulse 0) and the tags are kept as columns.
    """

    name = "arc-one"
    suffixes: tuple[str, ...] = (".csv", ".csv.gz")

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By its header on the third line."""
        match = _RECOGNISED.match(unpack_head(head).replace(b"\r\n", b"\n"))
        return Recognition(0.97, "its third line is the header of ArC ONE") if match else None

    def read(self, path: Path) -> FileContent:
        """One table, a row a reading."""
        file = display_path(path)
        text, notes, sha256 = read_text_file(path, file, _MOST_BYTES)
        lines = text.split(b"\n")
        at = next((i for i, line in enumerate(lines[:6]) if line.startswith(b"Wordline,")), None)
        if at is None:
            raise TraceFormatError(f"{file}: no line begins with Wordline,Bitline,... as in a file of ArC ONE")
        names = [cell.strip() for cell in lines[at].decode().rstrip(",").split(",")]
        if names != _HEADER[: len(names)] or len(names) < 5:
            raise TraceFormatError(f"{file}, line {at + 1}: header {names} instead of {','.join(_HEADER)}")
        if lines[-1]:
            raise TraceFormatError(
                f"{file}, line {len(lines)}: the last line has no end, so the file was cut; save again"
            )
        _check_lines(lines[at + 1 :], names, at + 1, file)
        shape = TextShape(",", ".", tuple(names), True, at + 1)
        table, how = _readings(DelimitedTable(b"\n".join(lines[at + 1 :]), shape, file), file)
        simulated = lines[0].lower().startswith(b"simulated")
        return FileContent([table], simulated, ", ".join([how, *notes]), sha256)


def _check_lines(lines: list[bytes], names: list[str], first: int, file: str) -> None:
    if not any(line.strip() for line in lines):
        raise TraceFormatError(f"{file}: a header but no line of data")
    for number, line in enumerate(lines, start=first + 1):
        if line.strip() and b'"' not in line and line.count(b",") < len(names) - 1:
            raise TraceFormatError(
                f"{file}, line {number}: {line.count(b',') + 1} cells in a table of {len(names)} columns; "
                "the line was cut, save again"
            )


def _readings(table: DelimitedTable, file: str) -> tuple[ColumnsTable, str]:
    """Readings with device, cycle and pulse; and what was left out, in words."""
    word, bit = (_whole(table, index, file) for index in (0, 1))
    amplitude = _amplitude(table, file)
    resistance = table.as_is(2)
    codes = word * (_LARGEST_ADDRESS + 1) + bit
    pulse, cycle = np.zeros_like(codes), np.zeros_like(codes)
    within_set = np.zeros(len(codes), dtype=bool)
    last = np.full_like(codes, -1)
    order = np.argsort(codes, kind="stable")
    for cell in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        log = count_pulses(amplitude[cell])
        pulse[cell], cycle[cell], within_set[cell] = log.pulse, log.cycle, log.within_set
        last[cell] = np.where(log.last_pulse < 0, -1, cell[log.last_pulse])
    unread = _is_blank(resistance) & (amplitude != 0)
    keep = np.flatnonzero(~unread & ~within_set)
    n_sets = int(within_set.sum())
    columns: dict[str, NDArray[Any]] = {
        "device": np.array([f"W{w:02d}B{b:02d}" for w, b in zip(word, bit, strict=True)], dtype=object),
        "cycle": cycle, "pulse": pulse, "resistance_ohm": resistance,
        "amplitude_v": np.where(last < 0, np.nan, amplitude[last]),
        "width_s": np.where(last < 0, np.nan, table.numbers(4).values[last]),
    }  # fmt: skip
    columns |= {
        name: table.as_is(index)
        for index, name in ((5, "tag"), (6, "read_tag"), (7, "read_voltage_v"))
        if index < len(table.names)
    }
    lines = np.array([table.line_of(row) or 0 for row in keep.tolist()], dtype=np.int64)
    how = f"ArC ONE, {len(np.unique(codes))} cells, {int(unread.sum())} pulses without a read"
    how += f", {n_sets} rows before the end of a SET excluded" if n_sets else ""
    return ColumnsTable(list(columns), [column[keep] for column in columns.values()], lines=lines), how


def _whole(table: DelimitedTable, index: int, file: str) -> NDArray[np.int64]:
    values = table.numbers(index).values
    with np.errstate(invalid="ignore"):
        good = (values == np.floor(values)) & (values >= 0) & (values <= _LARGEST_ADDRESS)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        cell = table.text(index)[row][:40]
        raise TraceFormatError(f"{file}, {table.place_of(row)}: {table.names[index]} is {cell!r}, not a whole number")
    return values.astype(np.int64)


def _amplitude(table: DelimitedTable, file: str) -> NDArray[np.float64]:
    """Amplitude [V] of the pulses, 0 for reads (pulse width 0 or blank)."""
    amplitude, width = table.numbers(3), table.numbers(4)
    with np.errstate(invalid="ignore"):
        wrong = (width.values < 0) | np.isinf(width.values)
        wrong |= (width.values > 0) & ~np.isfinite(amplitude.values)
    wrong[list(width.text)] = True
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        shown = f"{table.text(3)[row][:40]!r} V for {table.text(4)[row][:40]!r} s"
        raise TraceFormatError(
            f"{file}, {table.place_of(row)}: {shown} is no pulse, and the pulses after it could not be counted"
        )
    pulsed = np.nan_to_num(width.values) > 0
    return np.where(pulsed, amplitude.values, 0.0)


def _is_blank(column: NDArray[Any]) -> NDArray[np.bool_]:
    if column.dtype.kind in "iuf":
        return np.asarray(np.isnan(column.astype(np.float64)))
    return np.asarray(column == "", dtype=bool)
