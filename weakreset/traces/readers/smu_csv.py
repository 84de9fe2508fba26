"""Keithley source meters: CSV with a column a repeat and step, `Item,Smu1.Time[1][1],Smu1.V[1][1],...`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from weakreset.errors import TraceFormatError
from weakreset.resources import display_path
from weakreset.traces.contract import ColumnsTable, FileContent, Recognition, says_simulated
from weakreset.traces.readers.blocks import stack_blocks
from weakreset.traces.readers.delimited_table import DelimitedTable
from weakreset.traces.readers.text import TextShape
from weakreset.traces.readers.text_file import read_text_file, unpack_head

__all__ = ["SmuCsvReader"]

_START = re.compile(rb"^(?:\xef\xbb\xbf)?(?:\s*#[^\n]*\n)*\s*Item\s*,\s*\w+\.\w+\[\d+\]\[\d+\]")
_NAME = re.compile(r"^(?P<base>\w+\.(?P<what>\w+))\[(?P<repeat>\d{1,9})\]\[(?P<step>\d{1,9})\]$")
_UNITS = {"Time": "s", "V": "V", "I": "A", "R": "ohm"}
_MOST_COLUMNS = 20_000  # steps and repeats of one run; more is a broken file
_MOST_BYTES = 100 << 20  # 100 MB: the whole text is held at once


class SmuCsvReader:
    """A row a point, a block of columns for every `[repeat][step]` of a sweep, an empty column at the end.

    Every block is a cycle of one device, named after the file; `repeat` and `step` are kept as columns. `Item` counts
    points, which are pulses only if the sweep was a train of pulses: say so with `--map pulse=Item`.
    """

    name = "smu-csv"
    suffixes: tuple[str, ...] = (".csv", ".csv.gz")

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By its header."""
        match = _START.match(unpack_head(head))
        return Recognition(0.97, "its header is that of a Keithley source meter") if match else None

    def read(self, path: Path) -> FileContent:
        """One table, the blocks one below the other."""
        file = display_path(path)
        text, notes, sha256 = read_text_file(path, file, _MOST_BYTES)
        lines = text.split(b"\n")
        comments = [line for line in lines if line.startswith(b"#")]
        first = next(i for i, line in enumerate(lines) if line.strip() and not line.startswith(b"#"))
        names = [cell.strip() for cell in lines[first].decode().split(",")]
        place = f"{file}, line {first + 1}"
        if len(names) > _MOST_COLUMNS:
            raise TraceFormatError(f"{place}: {len(names)} columns; more than {_MOST_COLUMNS} are not read")
        if names[0] != "Item" or not any(_NAME.match(name) for name in names):
            raise TraceFormatError(f"{place}: not the header of a Keithley source meter, Item,Smu1.Time[1][1],...")
        table = _table(lines[first + 1 :], names, first + 1, file)
        blocks = len(set(table.numbers(table.names.index("cycle")).values)) if "cycle" in table.names else 1
        how = (
            f"Keithley source meter, {blocks} repeats or steps, each a cycle" if blocks > 1 else "Keithley source meter"
        )
        simulated = any(says_simulated(line.partition(b":")[2].decode()) for line in comments if b"simulated" in line)
        return FileContent([table], simulated, ", ".join([how, *notes]), sha256)


def _table(lines: list[bytes], names: list[str], first: int, file: str) -> ColumnsTable:
    for number, line in enumerate(lines, start=first + 1):
        if line.strip() and line.count(b",") != len(names) - 1:
            raise TraceFormatError(
                f"{file}, line {number}: {line.count(b',') + 1} cells in a table of {len(names)} columns; "
                "the line was cut or joined, export again"
            )
    body = b"\n".join(lines)
    if not body.strip():
        raise TraceFormatError(f"{file}: a header but no line of data")
    parsed = DelimitedTable(body, TextShape(",", ".", tuple(names), True, first), file)
    kept = [i for i, name in enumerate(names) if name]
    blocks = stack_blocks([names[i] for i in kept], [parsed.as_is(i) for i in kept], _split)
    columns = dict(zip(map(_with_unit, blocks.names), blocks.columns, strict=True))
    device = np.full(len(blocks.row), _device(file), dtype=object)
    added = {"device": device}
    if len(blocks.keys) > 1:
        index = np.array(blocks.keys, dtype=np.int64)[blocks.block]
        added |= {"cycle": blocks.block, "repeat": index[:, 0], "step": index[:, 1]}
    columns = added | {name: column for name, column in columns.items() if name not in added}
    numbered = np.array([parsed.line_of(row) or 0 for row in range(parsed.n_rows)], dtype=np.int64)
    return ColumnsTable(list(columns), list(columns.values()), lines=numbered[blocks.row])


def _device(file: str) -> str:
    return Path(file.removesuffix(".gz")).stem


def _split(name: str) -> tuple[str, tuple[int, int]] | None:
    match = _NAME.match(name)
    return (match["base"], (int(match["repeat"]), int(match["step"]))) if match else None


def _with_unit(name: str) -> str:
    unit = _UNITS.get(name.rpartition(".")[2]) if "." in name else None
    return f"{name} [{unit}]" if unit else name
