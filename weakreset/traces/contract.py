"""What a reader of one file format is, and what it hands over: all that an outside reader needs to know.

A reader recognises its files and turns one into tables of named columns. What the columns mean (devices, pulse numbers,
units) is found afterwards and for all formats alike, so that a reader needs to know nothing of it.
"""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MISSING_WORDS",
    "ColumnsTable",
    "FileContent",
    "NumberColumn",
    "Reader",
    "Recognition",
    "SkippingReader",
    "StreamingReader",
    "Table",
    "cell_text",
    "column_of",
    "numbers_from_text",
    "plain_number",
    "says_simulated",
    "unique_names",
]

MISSING_WORDS = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "none", "-", "--", "---"})
_SAMPLE_ROWS = 20  # enough to tell numbers from words
_SPACED = re.compile(r"^[-+]?\d{1,3}(?:[ '\u00a0\u202f\u2019]\d{3})+(?:[.,]\d*)?$")
_GROUPS = {
    ",": re.compile(r"^[-+]?[1-9]\d{0,2}(?:(?:,\d{3})+\.\d*|(?:,\d{3}){2,})$"),
    ".": re.compile(r"^[-+]?[1-9]\d{0,2}(?:(?:\.\d{3})+,\d*|(?:\.\d{3}){2,})$"),
}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWER = re.compile(r"^([-+]?\d+(?:[.,]\d*)?)\s*[x×·*⋅]\s*10(?:\s*\^\s*\(?([-+]?\d{1,3})\)?|([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))$")
_MAY_BE_THOUSANDS = re.compile(r"^[-+]?[1-9]\d{0,2}\.\d{3}$")


@dataclass(frozen=True)
class Recognition:
    """How sure a reader is that a file is its own (0 to 1), and why."""

    confidence: float
    why: str


@runtime_checkable
class Reader(Protocol):
    """One file format. A lab's reader is an object of this shape, named by an entry point `weakreset.readers`.

    `recognise` sees the path and the first 64 KiB and must not fail on any of them. A reader that also has `stream`
    (see `StreamingReader`) can read files larger than the memory.
    """

    name: str
    suffixes: tuple[str, ...]

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """How sure, or None: not mine."""

    def read(self, path: Path) -> FileContent:
        """The tables of the file; raises TraceFormatError naming the file and the place."""


@runtime_checkable
class StreamingReader(Protocol):
    """A reader that can give the tables of a file some at a time, no device in two of them."""

    def stream(self, path: Path) -> Iterator[FileContent]:
        """Parts of the file, in order."""


@runtime_checkable
class SkippingReader(Protocol):
    """A reader of a format that has lines, of which the first can be passed over."""

    def skipping(self, n_lines: int) -> Reader:
        """The reader that passes over the first `n_lines` lines."""


@dataclass(frozen=True, eq=False)
class FileContent:
    """All tables of one file, whether it says that it was simulated, and what it is in words (`how`).

    `sha256` is given where it is known already; otherwise the file is hashed while its tables are understood.
    """

    tables: Sequence[Table]
    simulated: bool = False
    how: str = ""
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """A column read as numbers: NaN where the cell was empty or not a number, and the text of the latter by row."""

    values: NDArray[np.float64]
    text: Mapping[int, str] = field(default_factory=dict)


class Table(ABC):
    """A rectangle of cells in a file. `ColumnsTable` is the one in memory; others parse what is asked for.

    Attributes
    ----------
    names : tuple of str
        Column names; `column 0`, `column 1`, ... where the file has none (`has_header` False).
    device : str
        Name of the one device of this table when the file says it elsewhere than in a column, else ''.
    metadata : mapping of str to str
        What the file says about itself, keys in lower case. Understood are `unit` (of all readings),
        `resistance unit` (of one quantity), `reading` (the name of all readings, where columns have other names),
        `read_voltage_v`, `layout` (`wide-by-column`: a column a device) and `empty` (`not read`: an empty cell is no
        reading rather than a missing one).
    units : sequence of str
        Unit of each column as the file states it beside the name, '' where it does not; () where it states none.
    hints : mapping of str to str
        Names around the table that may hold the unit of its readings, by where they stand (`name of the sheet`): where
        one does and nothing else says a unit, the user is asked. `table` is what the table itself is called.
    """

    names: tuple[str, ...]
    has_header: bool
    device: str = ""
    metadata: Mapping[str, str]
    units: Sequence[str] = ()
    hints: Mapping[str, str] = MappingProxyType({})

    @cached_property
    def name_set(self) -> frozenset[str]:
        """The names, to look one up quickly."""
        return frozenset(self.names)

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Rows of readings."""

    @property
    @abstractmethod
    def sample(self) -> list[list[str]]:
        """The first rows as text, to recognise columns by."""

    @abstractmethod
    def numbers(self, index: int) -> NumberColumn:
        """Column `index` as numbers."""

    @abstractmethod
    def text(self, index: int) -> NDArray[np.object_]:
        """Column `index` as stripped text, '' where empty."""

    @abstractmethod
    def as_is(self, index: int) -> NDArray[np.generic]:
        """Column `index` as numbers where all its cells are, otherwise as text."""

    def counts(self, index: int) -> NDArray[Any]:
        """Column `index` as whole numbers where the table holds it so, else as in `numbers`."""
        return self.numbers(index).values

    def codes(self, index: int) -> tuple[NDArray[np.int64], list[str]]:
        """Column `index` as codes into its distinct texts, in order of appearance; -1 where empty."""
        import pandas as pd

        cells = self.text(index)
        cells[cells == ""] = None
        codes, names = pd.factorize(cells)
        return np.asarray(codes, dtype=np.int64), [str(name) for name in names]

    def matrix(self, indices: Sequence[int]) -> tuple[NDArray[np.float64], dict[tuple[int, int], str]]:
        """Columns as one array, shape (rows, len(indices)), and the text cells by (row, position)."""
        columns = [self.numbers(index) for index in indices]
        texts = {(row, k): text for k, column in enumerate(columns) for row, text in column.text.items()}
        return np.column_stack([column.values for column in columns]), texts

    def line_of(self, row: int) -> int | None:
        """Line of the file that holds `row`, counted from 1, or None where a file has no lines."""
        return None

    def place_of(self, row: int) -> str:
        """`line 7`, or `row 5` where a file has no lines, for messages."""
        line = self.line_of(row)
        return f"row {row}" if line is None else f"line {line}"


class ColumnsTable(Table):
    """A table in memory: columns of one length, each an array of numbers or of text ('' where empty).

    Parameters
    ----------
    names : sequence of str
        Unique, or '' where unnamed.
    columns : sequence of ndarray
        NaN is an empty cell, in the column of the devices too.
    device, metadata, has_header, units, hints
        As in `Table`.
    lines : ndarray of int, shape (n_rows,), optional
        Line of the file, counted from 1, that each row came from.
    block : ndarray of float, shape (n_rows, n), optional
        Further columns of numbers to the right of `columns`, as one array; the last n names are theirs.
    """

    def __init__(
        self,
        names: Sequence[str],
        columns: Sequence[NDArray[Any]],
        device: str = "",
        metadata: Mapping[str, str] | None = None,
        has_header: bool = True,
        lines: NDArray[np.int64] | None = None,
        block: NDArray[np.float64] | None = None,
        units: Sequence[str] = (),
        hints: Mapping[str, str] | None = None,
    ) -> None:
        self.names, self.columns, self.block = tuple(names), list(columns), block
        self.units, self.hints = tuple(units), dict(hints or {})
        self.device, self.metadata, self.has_header, self.lines = device, dict(metadata or {}), has_header, lines

    def _column(self, index: int) -> NDArray[Any]:
        at = index - len(self.columns)
        return self.columns[index] if at < 0 or self.block is None else self.block[:, at]

    @property
    def n_rows(self) -> int:
        if self.block is not None:
            return len(self.block)
        return len(self.columns[0]) if self.columns else 0

    @cached_property
    def sample(self) -> list[list[str]]:
        rows = range(min(_SAMPLE_ROWS, self.n_rows))
        return [[cell_text(column[i]) for column in self.columns] for i in rows]

    def numbers(self, index: int) -> NumberColumn:
        column = self._column(index)
        return NumberColumn(column.astype(np.float64)) if column.dtype.kind in "iuf" else numbers_from_text(column)

    def text(self, index: int) -> NDArray[np.object_]:
        cells = np.empty(self.n_rows, dtype=object)
        cells[:] = [cell_text(cell) for cell in self._column(index).tolist()]
        return cells

    def codes(self, index: int) -> tuple[NDArray[np.int64], list[str]]:
        import pandas as pd

        codes, found = pd.factorize(self._column(index))  # NaN and None get -1
        names = [cell_text(cell) for cell in found.tolist()]
        if len(set(names)) < len(names) or "" in names:
            return super().codes(index)
        return np.asarray(codes, dtype=np.int64), names

    def as_is(self, index: int) -> NDArray[np.generic]:
        column = self._column(index)
        if column.dtype.kind in "iuf":
            return column
        numbers = self.numbers(index)
        return self.text(index) if numbers.text or np.isnan(numbers.values).all() else numbers.values

    def matrix(self, indices: Sequence[int]) -> tuple[NDArray[np.float64], dict[tuple[int, int], str]]:
        whole = list(indices) == list(range(len(self.columns), len(self.names)))
        return (self.block, {}) if whole and self.block is not None else super().matrix(indices)

    def line_of(self, row: int) -> int | None:
        return None if self.lines is None else int(self.lines[row])


def numbers_from_text(cells: Sequence[str] | NDArray[np.object_], decimal: str = ".") -> NumberColumn:
    """Numbers out of text cells; those that say neither a number nor "missing" are listed with their text.

    Marks of thousands are taken out where nothing else can be meant: `41'310`, `1,234,567`, `1,234.5`.
    """
    import pandas as pd

    texts = pd.Series(list(cells), dtype=object).fillna("").map(lambda cell: str(cell).strip())
    plain = texts.map(lambda cell: _without_thousands(plain_number(cell), decimal))
    values = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    odd, listed = np.flatnonzero(np.isnan(values)).tolist(), texts.tolist()
    return NumberColumn(values, {i: listed[i] for i in odd if listed[i].lower() not in MISSING_WORDS})


def plain_number(text: str) -> str:
    """`4.2×10⁵` and `4.2*10^5` as `4.2e5`, `−1.5` and `１２．５` as `-1.5` and `12.5`; any other text as it is."""
    if "10" in text and (match := _POWER.match(text.strip())):
        text = f"{match[1]}e{match[2] or match[3].translate(_SUPERSCRIPTS)}"
    return text if text.isascii() or not (typed := _typed(text)).isascii() else typed


def _typed(text: str) -> str:
    return unicodedata.normalize("NFKC", text.replace("\u2212", "-"))


def _without_thousands(text: str, decimal: str) -> str:
    """A number with a decimal point and no marks of thousands; a text where both may be meant stays as it is."""
    if _SPACED.match(text):
        text = re.sub(r"[ '\u00a0\u202f\u2019]", "", text)
    mark = "." if decimal == "," else ","
    if mark in text:
        groups = _GROUPS[mark].match(text)
        if groups:
            return text.replace(mark, "").replace(decimal, ".")
        return f"{text}?" if mark == "." and _MAY_BE_THOUSANDS.match(text) else text
    return text.replace(",", ".") if decimal == "," else text


def cell_text(cell: Any) -> str:
    """A cell as text: whole numbers without a decimal point, others so that they read back exactly, NaN as ''."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, float):
        if cell != cell:
            return ""
        return str(int(cell)) if abs(cell) < 2.0**53 and cell == int(cell) else repr(cell)
    return "" if cell is None else str(cell).strip()


def column_of(cells: Sequence[Any]) -> NDArray[Any]:
    """Cells of mixed kinds as one column: numbers where all are (None and '' are empty), otherwise text."""
    plain = all((isinstance(cell, int | float) and not isinstance(cell, bool)) or cell in ("", None) for cell in cells)
    if plain and any(cell not in ("", None) for cell in cells):
        return np.array([np.nan if cell in ("", None) else cell for cell in cells], dtype=np.float64)
    column = np.empty(len(cells), dtype=object)
    column[:] = [cell_text(cell) for cell in cells]
    return column


def unique_names(names: Sequence[str]) -> list[str]:
    """Names stripped; a repeated one gets `.1`, `.2`, ..."""
    found: list[str] = []
    taken: set[str] = set()
    repeats: dict[str, int] = {}
    for name in map(str.strip, names):
        shown = name
        while shown and shown in taken:
            repeats[name] = repeats.get(name, 0) + 1
            shown = f"{name}.{repeats[name]}"
        taken.add(shown)
        found.append(shown)
    return found


def says_simulated(value: object) -> bool:
    """Whether a `simulated` entry of a file means yes."""
    return str(value).strip().lower() in {"true", "yes", "1"}
