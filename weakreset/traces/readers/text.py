"""The shape of the table in a text: separator, header, units, metadata, and where its data begin."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from weakreset.errors import TraceFormatError
from weakreset.traces.contract import MISSING_WORDS
from weakreset.traces.readers.below_header import read_below_header
from weakreset.traces.readers.header import find_header, groups_above, join_levels
from weakreset.traces.readers.said_devices import device_said
from weakreset.traces.readers.stated_units import (
    find_units_row,
    said_above,
    units_in_comments,
    units_of_names,
    voltage_in_comments,
)
from weakreset.traces.units import split_name
from weakreset.traces.vocabulary import is_derived, role_of

__all__ = [
    "COMMENT_MARKS",
    "TextShape",
    "find_shape",
    "skipped_words",
    "split_line",
]

_MOST_COMMENTS = 20_000  # each is asked whether it states a unit
_MOST_COLUMNS = 150_000  # a public file of relaxation in time has 100,002

_SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}
_META = re.compile(r"^\s*([A-Za-z][\w .-]{0,40}?)\s*[:=]\s*(.*\S)\s*$")
_DECIMAL_COMMA = re.compile(r"^\s*[-+]?(?:\d*|[1-9]\d{0,2}(?:\.\d{3})+),\d+(?:[eE][-+]?\d+)?\s*$")
_NUMBER = re.compile(r"^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*$")
COMMENT_MARKS = ("#", "%")
_SEPARATOR_LINE = re.compile(r"(?i)^\s*\"?sep=(.)\"?[\s,;]*$")
# Six digits of 100,000 ohm and more have no decimals, so the mark may first be seen far down.
_LATER_COMMA, _LATER_POINT = re.compile(rb"\d,\d"), re.compile(rb"\d\.\d")
_SAMPLE_BYTES = 1 << 18  # 256 kB: separator and commas are told from these
_SAMPLE_LINES = 60  # or from so many lines, whichever is less


@dataclass(frozen=True)
class TextShape:
    """How to split the text; `first_line` is the line (from 0) where the data begin, `names` '' where unnamed.

    `device` is the one that lines above the table name, `remarks` all words of these lines.
    """

    separator: str
    decimal: str
    names: tuple[str, ...]
    has_header: bool
    first_line: int
    metadata: dict[str, str] = field(default_factory=dict)
    sample: list[list[str]] = field(default_factory=list)
    units: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    device: str = ""
    remarks: str = ""

    @property
    def hints(self) -> dict[str, str]:
        """As in `Table`."""
        return {"text above it": self.remarks} if self.remarks else {}

    @property
    def words(self) -> str:
        """For the user."""
        name = _SEPARATORS.get(self.separator, "space")
        decimal = ", decimal comma" if self.decimal == "," else ""
        units = ", units in the line below it" if any(self.units) else ""
        header = f"{'with' if self.has_header else 'no'} header{units}"
        words = f"{name}-separated{decimal}, {header}, {len(self.names)} columns"
        return words + skipped_words(self.skipped)


def skipped_words(lines: Sequence[str]) -> str:
    """What stood above the header and was skipped, in words; '' for nothing."""
    if not lines:
        return ""
    shown = "; ".join(line.strip()[:40] for line in lines[:3])
    return f"; skipped {len(lines)} line{'s' if len(lines) > 1 else ''} above the header: {shown}"


def split_line(line: str, separator: str) -> list[str]:
    """Cells of a line, quotes honoured, stripped."""
    if separator == r"\s+":
        return [cell.strip('"') for cell in line.split()]
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [""])
    except csv.Error:
        cells = line.split(separator)
    return [cell.strip() for cell in cells]


def find_shape(text: bytes, file: str = "") -> TextShape | None:
    """Shape of a text (UTF-8, LF), or None where it has no line of data.

    Raises
    ------
    TraceFormatError
        Far more columns than a table of readings has.
    """
    lines, remarks, numbers = _head_lines(text)
    mark = _SEPARATOR_LINE.match(lines[0]) if lines else None
    skipped = lines[:1] if mark else []
    if mark:
        lines, numbers = lines[1:], numbers[1:]
    if not lines:
        return None
    _check_width(lines, file)
    separator = mark[1] if mark and mark[1] in _SEPARATORS else _separator(lines)
    rows = [split_line(line, separator) for line in lines]
    at = find_header(rows)
    at, rows, taken_up = join_levels(rows, at)
    lines, numbers = lines[:at] + lines[at + taken_up :], numbers[:at] + numbers[at + taken_up :]
    over, skipped = rows[at - 1] if at else [], skipped + lines[:at]
    rows, numbers = rows[at:], numbers[at:]
    rows = _aligned(rows, lines[at]) if separator == r"\s+" else rows
    decimal = _decimal(rows, separator, text)
    head = len(lines) - len(rows) + bool(mark)
    comments = _above(remarks, head, file)
    metadata, glued = _comment_block(comments, separator, rows)
    glued = None if at else glued
    metadata = said_above(split_line(line, separator) for line in skipped) | metadata
    has_header = glued is None and _is_header(rows, decimal)
    header = list(glued) if glued is not None else groups_above(rows[0], over) if has_header else None
    data = rows[1:] if has_header else rows
    if header is not None:
        header = _put_right(header, data)
        header[:1], corner = _corner(header[0])
        metadata = corner | metadata
    units, taken = None, 0
    if header is not None:
        header, units, taken = read_below_header(header, data)
    above, data = int(has_header) + taken, data[taken:]
    between = next((words for place, words in reversed(remarks) if place == head + 1), "")
    if header is not None and units is None and len(cells := split_line(f"#{between}", separator)) == len(header):
        units = find_units_row(cells, data)
    names = _column_names(header, data)
    first = numbers[above] if above < len(numbers) else numbers[0] + above
    cells_above = [split_line(line, separator) for line in skipped]
    return TextShape(
        separator, decimal, names, header is not None, first, metadata, data,
        _stated_units(names, units, metadata if header is not None else {}), tuple(skipped),
        device_said([*comments, *map(_pair, cells_above)]), " ; ".join([*comments, *skipped]),
    )  # fmt: skip


def _check_width(lines: Sequence[str], file: str) -> None:
    widest = max(line.count(separator) for line in lines for separator in _SEPARATORS)
    if widest >= _MOST_COLUMNS:
        raise TraceFormatError(
            f"{file}: a line of {widest + 1} cells; more than {_MOST_COLUMNS} columns are not read. Write a row a "
            "reading instead"
        )


def _above(remarks: Sequence[tuple[int, str]], head: int, file: str) -> list[str]:
    """Comments above the first `head` lines."""
    comments = [words for place, words in remarks if place <= head]
    if len(comments) > _MOST_COMMENTS:
        raise TraceFormatError(
            f"{file}: {len(comments)} lines of comments above the table; more than {_MOST_COMMENTS} are not read"
        )
    return comments


def _corner(cell: str) -> tuple[list[str], dict[str, str]]:
    """`pulse \\ R (kohm)` in the corner of a table as `pulse`, and the unit of all its readings."""
    left, mark, right = cell.partition("\\")
    if not mark or role_of(left) != "pulse":
        return [cell], {}
    unit = split_name(right.strip())[1]
    return [left.strip()], {"unit": unit} if unit else {}


def _put_right(header: list[str], data: Sequence[Sequence[str]]) -> list[str]:
    """The header with `D1 (R, kohm)` in one cell, where commas took it apart; `Pulse,0,1,2` over names as `device`."""
    width = max((len(row) for row in data), default=0)
    if len(header) > width:
        joined: list[str] = []
        for cell in header:
            open_before = bool(joined) and joined[-1].count("(") > joined[-1].count(")")
            joined[-1:] = [f"{joined[-1]}, {cell}"] if open_before else [*joined[-1:], cell]
        header = joined if len(joined) == width else header
    words = [row[0] for row in data if row and row[0]]
    others = [cell for cell in header[1:] if not cell.isdigit()]  # `mean`, `std` of each device
    counted = len(header) - len(others) > 2 and role_of(header[0]) == "pulse" and all(map(is_derived, others))
    return ["device", *header[1:]] if counted and words and not any(map(_NUMBER.match, words)) else header


def _column_names(header: list[str] | None, data: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Names of all columns: lines may end in empty cells that the header does not name; one with more is torn."""
    width = max((len(row) for row in data), default=0)
    if header is None:
        return tuple(f"column {i}" for i in range(width))
    header = ["", *header] if _has_row_names(header, data) else header
    torn = any(any(row[len(header) :]) for row in data)
    return _unique(header, len(header) if torn else max(width, len(header)))


def _stated_units(names: Sequence[str], row: Sequence[str] | None, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The unit of each column: of the row of units, or of a comment that says it by the name of the column."""
    own = units_of_names(metadata, names)
    if row is None and not own:
        return ()
    beside = [*(row or ()), *[""] * len(names)]
    return tuple(beside[i] or own.get(i, "") for i in range(len(names)))


def _pair(cells: Sequence[str]) -> str:
    """A line of two cells as `key: value`."""
    filled = [cell.rstrip(":= ") for cell in cells if cell]
    return ": ".join(filled) if len(filled) == 2 else " ".join(cells)


def _has_row_names(header: Sequence[str], data: Sequence[Sequence[str]]) -> bool:
    """Whether the data have one cell more than the header, in front: the numbers of the rows, as R writes them."""
    if not data or any(len(row) != len(header) + 1 or not row[-1] for row in data):
        return False
    first = [row[0] for row in data]
    return len(first) > 1 and all(map(str.isdigit, first)) and all(int(b) == int(a) + 1 for a, b in pairwise(first))


def _head_lines(text: bytes) -> tuple[list[str], list[tuple[int, str]], list[int]]:
    """The first lines with content; comments, each with how many of these stand above it; the numbers of the lines.

    One between the header and the data may be one of units: `#,,kohm`.
    """
    lines: list[str] = []
    comments: list[tuple[int, str]] = []
    numbers: list[int] = []
    position, number = 0, 0
    while position < len(text) and len(lines) < _SAMPLE_LINES and (position < _SAMPLE_BYTES or len(lines) < 2):
        end = text.find(b"\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].decode("utf-8", errors="replace")
        if line.startswith(COMMENT_MARKS):
            comments.append((len(lines), line.lstrip("".join(COMMENT_MARKS))))
        elif line.strip():
            lines.append(line)
            numbers.append(number)
        position, number = end + 1, number + 1
    return lines, comments, numbers


def _separator(lines: Sequence[str]) -> str:
    """The separator that splits the lines most evenly; a comma yields to a tab or semicolon."""
    commas = [bool(_DECIMAL_COMMA.match(line)) for line in lines[1:]]
    plain = all(comma or _NUMBER.match(line) for comma, line in zip(commas, lines[1:], strict=True))
    if "," not in lines[0] and plain and 2 * sum(commas) > len(commas):
        return ";"  # one column, its decimals commas
    best, best_score = ",", 0.0
    for separator in _SEPARATORS:
        counts = [len(split_line(line, separator)) for line in lines[:20]]
        usual = max(set(counts), key=counts.count)
        if usual > 1:
            score = counts.count(usual) / len(counts)
            if score > best_score + 0.01:
                best, best_score = separator, score
    if best_score == 0.0:
        counts = [len(line.split()) for line in lines[1:20] or lines]
        one_width = min(counts) > 1 and len(set(counts)) == 1 and counts[0] in _header_widths(lines[0])
        if one_width and any(_NUMBER.match(cell) for cell in lines[-1].split()[1:]):
            return r"\s+"
    return best


def _header_widths(line: str) -> tuple[int, ...]:
    """Into how many cells a header of aligned columns splits: by any blank, by two or more, a cell less (row names)."""
    return len(line.split()), len(re.split(r"\s{2,}", line.strip())), len(line.split()) + 1


def _aligned(rows: list[list[str]], header: str) -> list[list[str]]:
    """The rows with a header of aligned columns, `R (kohm)` in one cell, as wide as the data."""
    apart = re.split(r"\s{2,}", header.strip())
    wide = len(rows) > 1 and len(apart) == len(rows[1]) != len(rows[0])
    return [[cell.strip('"') for cell in apart], *rows[1:]] if wide else rows


def _decimal(rows: Sequence[Sequence[str]], separator: str, text: bytes) -> str:
    if separator == ",":
        return "."
    if not any(mark in cell for row in rows[1:] for cell in row for mark in ".,"):
        return "," if _LATER_COMMA.search(text) and not _LATER_POINT.search(text) else "."
    cells = [cell for row in rows for cell in row if cell]
    commas = sum(bool(_DECIMAL_COMMA.match(cell)) for cell in cells)
    points = sum(bool(_NUMBER.match(cell)) and "." in cell for cell in cells)
    return "," if commas > points else "."


def _comment_block(
    comments: Sequence[str], separator: str, rows: Sequence[Sequence[str]]
) -> tuple[dict[str, str], list[str] | None]:
    """`key: value` comments, and the header that was glued behind a `#`, if the last comment is one."""
    metadata = {}
    for comment in comments:
        if match := _META.match(comment):
            metadata[match[1].strip().lower()] = match[2]
    metadata |= units_in_comments(comments)
    metadata = voltage_in_comments(comments) | metadata
    if not comments:
        return metadata, None
    cells = split_line(comments[-1], separator)
    cells[:1] = [cells[0] or "#"] if cells else []  # `#,R (ohm)`: the first column is called so
    known = any(role_of(cell) for cell in cells)
    if known and len(cells) == len(rows[0]) and not any(_NUMBER.match(cell) for cell in cells):
        return metadata, cells
    return metadata, None


def _is_header(rows: Sequence[Sequence[str]], decimal: str) -> bool:
    """Whether the first row names the columns: no cell is a number, or one is a name we know."""
    cells = [cell for cell in rows[0] if cell]
    numeric = [bool(_NUMBER.match(cell.replace(decimal, "."))) for cell in cells]
    if not any(numeric):
        return any(cell.lower() not in MISSING_WORDS for cell in cells)
    return any(not number and role_of(cell) for cell, number in zip(cells, numeric, strict=True))


def _unique(header: Sequence[str], width: int) -> tuple[str, ...]:
    """Header names padded to `width`; a repeated name gets `.1`, `.2`, ..."""
    names: list[str] = []
    taken = set(header)
    used: set[str] = set()
    repeats: dict[str, int] = {}
    for cell in [*header, *[""] * (width - len(header))]:
        name, repeat = cell, repeats.get(cell, 0)
        while name and (name in used or (repeat and name in taken)):
            repeat += 1
            name = f"{cell}.{repeat}"
        repeats[cell] = repeat
        used.add(name)
        names.append(name)
    return tuple(names)
