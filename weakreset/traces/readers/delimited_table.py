"""Tables of delimited text, read by pandas' C parser; bad cells are looked for only where there are some."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.column_role import VALUES
from weakreset.traces.contract import NumberColumn, Table, numbers_from_text
from weakreset.traces.readers.text import TextShape, split_line
from weakreset.traces.vocabulary import role_of

__all__ = ["DelimitedTable", "LinewiseTable", "names_device"]

_NAMES_COMPARED = 1000  # lines at the end, where a file that was cut shows it
_FIELDS = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
# Before 3.1 the default conversion of decimals was not exact to the last bit; since then the option is deprecated.
_EXACT: dict[str, Any] = (
    {} if tuple(int(n) for n in pd.__version__.split(".")[:2]) >= (3, 1) else {"float_precision": "round_trip"}
)


def _parse(body: bytes, shape: TextShape, file: str, **options: Any) -> pd.DataFrame:
    """pandas.read_csv with our settings, its complaints turned into ours.

    A header 0, 1, ... is put in front, with one column more than there are: where that is filled, a line is longer
    than the table.
    """
    settings: dict[str, Any] = {
        "sep": shape.separator, "decimal": shape.decimal, "index_col": False, "skip_blank_lines": False,
        "skipinitialspace": True, "keep_default_na": False, "na_values": [""], "low_memory": False, "engine": "c",
    }  # fmt: skip
    width = len(shape.names) + 1
    header = (" " if shape.separator == r"\s+" else shape.separator).join(map(str, range(width))) + "\n"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame: pd.DataFrame = pd.read_csv(io.BytesIO(header.encode() + body), **settings, **_EXACT, **options)
            return frame.rename(columns=int)
    except (ValueError, OverflowError, pd.errors.ParserWarning) as error:
        if match := _FIELDS.search(str(error)):
            line = shape.first_line + int(match[2]) - 1
            raise TraceFormatError(
                f"{file}, line {line}: {match[3]} cells in a table of {len(shape.names)} columns. A line was cut or "
                "joined, or the decimals are commas in a comma-separated file; mend the line or export again"
                f"{_joined(body, shape)}"
            ) from error
        if "does not match length of data" in str(error):
            raise TraceFormatError(
                f"{file}: lines below line {shape.first_line + 1} have more than {len(shape.names)} cells, the number "
                f"of columns there; take out what stands above the table{_joined(body, shape)}"
            ) from error
        raise TraceFormatError(f"{file}: not a readable table ({str(error).strip()})") from error


@dataclass(frozen=True)
class _Unended:
    """The last cell of a text that does not end its last line: the number in it may have been cut."""

    line: int
    column: int
    words: str


def _without_unended(body: bytes, shape: TextShape) -> tuple[bytes, _Unended | None]:
    """The text without the last cell of a last line that has no end."""
    if body.endswith(b"\n") or not body:
        return body, None
    begin = body.rfind(b"\n") + 1
    line = body[begin:].decode("utf-8", errors="replace")
    cells = split_line(line, shape.separator)
    if not line.strip() or '"' in line or not cells[-1] or len(cells) > len(shape.names):
        return body, None
    if names_device(shape.names[len(cells) - 1]) and _is_whole_name(body[:begin], shape, len(cells) - 1, cells[-1]):
        return body, None
    words = f"{cells[-1]} (the file ends here without a line end: it may be cut)"
    kept = body[:begin] + line[: line.rindex(cells[-1])].encode()
    return kept + b"\n", _Unended(body.count(b"\n"), len(cells) - 1, words)


def _is_whole_name(body: bytes, shape: TextShape, column: int, name: str) -> bool:
    """Whether a device named last in a text is surely not cut: as in the line before, one that no other name goes on
    from (`D1` may be the beginning of `D12`), or as long as any and new."""
    lines = body.decode("utf-8", errors="replace").rstrip("\n").split("\n")[-_NAMES_COMPARED:]
    rows = [split_line(line, shape.separator) for line in lines]
    names = [row[column] for row in rows if len(row) > column]
    if not names or name == names[-1]:
        return bool(names)
    if name in names:
        return not any(other != name and other.startswith(name) for other in names)
    return len(name) >= max(map(len, names))


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _joined(body: bytes, shape: TextShape) -> str:
    """Words with the command that joins two cells which a comma took apart in every line; '' where none can be meant.

    `10207,3` among whole numbers is one reading with a decimal comma; words behind the last comma are a remark.
    """
    width, last = len(shape.names), len(shape.names) - 1
    rows = [split_line(line.decode("utf-8", errors="replace"), shape.separator) for line in body.splitlines() if line]
    if shape.separator != "," or not shape.has_header or any(len(row) < width for row in rows):
        return ""
    named = next((i for i, name in enumerate(shape.names) if names_device(name)), None)
    after = 0 if named is None else last - named  # cells behind the name, counted from the end of the line
    wider = all(len(row) == width + 1 for row in rows)
    readings = [i for i, name in enumerate(shape.names) if role_of(name) in VALUES]
    digits = [i for i in readings if wider and all(row[i].isdigit() and row[i + 1].isdigit() for row in rows)]
    split = named is not None and any(len(r) > width and not _is_number(r[named + 1]) for r in rows)
    if split and after and all(map(_is_number, (cell for row in rows for cell in row[-after:]))):
        what = f"{shape.names[named or 0]!r} holds commas"
        new = f"r[:{named}] + [' '.join(r[{named}:-{after}])] + r[-{after}:]"
    elif len(digits) == 1:
        at, what = digits[0], f"each {shape.names[digits[0]]!r} is written with a decimal comma"
        new = f"r[:{at}] + ['.'.join(r[{at}:{at + 2}])] + r[{at + 2}:]"
    elif not role_of(shape.names[last]) and not any(map(str.isdigit, "".join(row[last] for row in rows))):
        what, new = f"{shape.names[last]!r} holds commas", f"r[:{last}] + [' '.join(r[{last}:])]"
    else:
        return ""
    head = shape.first_line
    return (
        f". If {what}: python -c \"import csv, pathlib; rows = list(csv.reader(pathlib.Path('FILE').read_text()"
        f".splitlines())); pathlib.Path('FILE.csv').write_text('\\n'.join(','.join(r) for r in rows[:{head}] + "
        f"[{new} for r in rows[{head}:] if r]) + '\\n')\""
    )


class DelimitedTable(Table):
    """A table with few enough columns for pandas to hold each as an array."""

    def __init__(self, body: bytes, shape: TextShape, file: str) -> None:
        self._shape, self._file = shape, file
        self._body, self._last = _without_unended(body, shape)
        self.names, self.has_header, self.metadata = shape.names, shape.has_header, shape.metadata
        self.units, self.device, self.hints = shape.units, shape.device, shape.hints

    @property
    def sample(self) -> list[list[str]]:
        return self._shape.sample

    @cached_property
    def _whole(self) -> pd.DataFrame:
        width = len(self.names)
        named_text = {str(i): str for i, name in enumerate(self.names) if self.has_header and names_device(name)}
        frame = _parse(self._body, self._shape, self._file, dtype=named_text)
        longer = np.flatnonzero(frame[width].notna().to_numpy())
        if longer.size:
            line = self._shape.first_line + int(longer[0]) + 1
            raise TraceFormatError(
                f"{self._file}, line {line}: {width + 1} cells in a table of {width} columns. A line was cut or "
                f"joined, or the decimals are commas in a comma-separated file; mend the line or export again"
                f"{_joined(self._body, self._shape)}"
            )
        return frame

    @cached_property
    def _rows(self) -> NDArray[np.int64]:
        """Positions in the file of the rows with any content."""
        frame = self._whole
        blank = np.arange(len(frame))
        for i in range(len(self.names)):
            if not blank.size:
                return np.arange(len(frame))
            blank = blank[frame[i].iloc[blank].isna().to_numpy()]
        if self._last is not None:
            blank = blank[blank != self._last.line]
        return np.setdiff1d(np.arange(len(frame)), blank)

    def _series(self, index: int) -> pd.Series[Any]:
        series = self._whole[index]
        return series if len(self._rows) == len(series) else series.iloc[self._rows]

    def _text_series(self, index: int) -> pd.Series[Any]:
        series = self._series(index)
        if not _holds_numbers(series):
            return series.map(str, na_action="ignore") if series.dtype == bool else series
        # Addresses such as 007 must not become numbers: read this column again, as text.
        again = _parse(self._body, self._shape, self._file, usecols=[str(index)], dtype=str)
        return again[index].iloc[self._rows]

    def numbers(self, index: int) -> NumberColumn:
        column = self._numbers(index)
        if self._last is None or self._last.column != index:
            return column
        return NumberColumn(column.values, {**column.text, self.n_rows - 1: self._last.words})

    def _numbers(self, index: int) -> NumberColumn:
        series = self._series(index)
        if _holds_numbers(series):
            return NumberColumn(series.to_numpy(dtype=np.float64))
        cells = series.astype(object).where(series.notna(), "")
        return numbers_from_text(cells.to_numpy(dtype=object), self._shape.decimal)

    def counts(self, index: int) -> NDArray[Any]:
        series = self._series(index)
        return series.to_numpy() if series.dtype == np.int64 else self.numbers(index).values

    def text(self, index: int) -> NDArray[np.object_]:
        series = self._text_series(index)
        cells = series.astype(object).where(series.notna(), "").map(lambda cell: str(cell).strip())
        return cells.to_numpy(dtype=object)

    def codes(self, index: int) -> tuple[NDArray[np.int64], list[str]]:
        codes, found = pd.factorize(self._text_series(index))
        names = [str(name).strip() for name in found]
        if len(set(names)) < len(names) or "" in names:
            return super().codes(index)
        return np.asarray(codes, dtype=np.int64), names

    def as_is(self, index: int) -> NDArray[np.generic]:
        series = self._series(index)
        return series.to_numpy() if _holds_numbers(series) else self.text(index)

    def matrix(self, indices: Sequence[int]) -> tuple[NDArray[np.float64], dict[tuple[int, int], str]]:
        if all(_holds_numbers(self._whole[index]) for index in indices):
            numbers = self._whole[list(indices)].to_numpy(dtype=np.float64)[self._rows]
            if self._last is None or self._last.column not in indices:
                return numbers, {}
            return numbers, {(len(numbers) - 1, list(indices).index(self._last.column)): self._last.words}
        return super().matrix(indices)

    @property
    def n_rows(self) -> int:
        return len(self._rows)

    @cached_property
    def _lines_are_rows(self) -> bool:
        n_lines = self._body.count(b"\n") + (not self._body.endswith(b"\n"))
        return b'"' not in self._body or n_lines == len(self._whole)

    def line_of(self, row: int) -> int | None:
        return self._shape.first_line + int(self._rows[row]) + 1 if self._lines_are_rows else None


class LinewiseTable(Table):
    """A table of few rows with very many columns (a row a cell): every line is parsed as if it were a column."""

    def __init__(self, body: bytes, shape: TextShape, file: str) -> None:
        self._shape, self._file = shape, file
        self.names, self.has_header, self.metadata = shape.names, shape.has_header, shape.metadata
        self.units, self.device, self.hints = shape.units, shape.device, shape.hints
        self._lines = [(i, line) for i, line in enumerate(body.split(b"\n")) if line.strip()]

    @property
    def sample(self) -> list[list[str]]:
        return self._shape.sample

    @cached_property
    def _parsed(self) -> list[NumberColumn]:
        return [self._parse_line(i, line) for i, line in self._lines]

    def _parse_line(self, number: int, line: bytes) -> NumberColumn:
        separator = self._shape.separator.encode()
        if b'"' in line:
            cells = split_line(line.decode(), separator.decode())
            return self._padded(numbers_from_text(cells, self._shape.decimal), number)
        column = TextShape("\x1f", self._shape.decimal, ("cell",), False, 0)
        frame = _parse(line.replace(separator, b"\n"), column, self._file)
        if _holds_numbers(frame[0]):
            return self._padded(NumberColumn(frame[0].to_numpy(dtype=np.float64)), number)
        cells = ["" if pd.isna(cell) else str(cell) for cell in frame[0]]
        return self._padded(numbers_from_text(cells, self._shape.decimal), number)

    def _padded(self, column: NumberColumn, number: int) -> NumberColumn:
        missing = len(self.names) - len(column.values)
        if missing < 0:
            raise TraceFormatError(
                f"{self._file}, line {self._shape.first_line + number + 1}: {len(column.values)} cells in a table of "
                f"{len(self.names)} columns"
            )
        return NumberColumn(np.pad(column.values, (0, missing), constant_values=np.nan), column.text)

    def numbers(self, index: int) -> NumberColumn:
        values = np.array([row.values[index] for row in self._parsed])
        return NumberColumn(values, {i: row.text[index] for i, row in enumerate(self._parsed) if index in row.text})

    def text(self, index: int) -> NDArray[np.object_]:
        split = (split_line(line.decode(), self._shape.separator) for _, line in self._lines)
        return np.array([cells[index] if index < len(cells) else "" for cells in split], dtype=object)

    def as_is(self, index: int) -> NDArray[np.generic]:
        column = self.numbers(index)
        return self.text(index) if column.text else column.values

    def matrix(self, indices: Sequence[int]) -> tuple[NDArray[np.float64], dict[tuple[int, int], str]]:
        place = {index: k for k, index in enumerate(indices)}
        texts = {
            (i, place[index]): text
            for i, row in enumerate(self._parsed)
            for index, text in row.text.items()
            if index in place
        }
        return np.stack([row.values[list(indices)] for row in self._parsed]), texts

    @property
    def n_rows(self) -> int:
        return len(self._lines)

    def line_of(self, row: int) -> int | None:
        return self._shape.first_line + self._lines[row][0] + 1


def names_device(name: str) -> bool:
    """Whether a header says that its column names the device: such a column is text, never numbers."""
    return role_of(name) == "device"


def _holds_numbers(series: pd.Series[Any]) -> bool:
    return series.dtype.kind in "iuf"
