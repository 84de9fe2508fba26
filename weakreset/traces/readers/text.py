"""Text files: decoded and unpacked, never more than we can hold; and the shape of the table in them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from weakreset.errors import TraceFormatError
from weakreset.traces.contract import MISSING_WORDS
from weakreset.traces.readers.header import find_header, groups_above
from weakreset.traces.readers.stated_units import (
    find_units_row,
    said_above,
    units_in_comments,
    voltage_in_comments,
)
from weakreset.traces.vocabulary import role_of

__all__ = [
    "COMMENT_MARKS",
    "TextShape",
    "find_shape",
    "read_text_file",
    "skipped_words",
    "split_line",
    "unpack_head",
]

_LARGEST_BYTES = 4 << 30
_LARGEST_RATIO = 200
_RATIO_FROM = 64 << 20
_GZIP = b"\x1f\x8b"
_MOST_COLUMNS = 500_000

_SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}
_META = re.compile(r"^\s*([A-Za-z][\w .-]{0,40}?)\s*[:=]\s*(.*\S)\s*$")
_DECIMAL_COMMA = re.compile(r"^\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*$")
_NUMBER = re.compile(r"^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*$")
COMMENT_MARKS = ("#", "%")
_SEPARATOR_LINE = re.compile(r"(?i)^\s*\"?sep=(.)\"?[\s,;]*$")
_SAMPLE_BYTES = 1 << 18
_SAMPLE_LINES = 60


def unpack_head(head: bytes) -> bytes:
    """The beginning of a gzip file unpacked, any other as it is; b'' where it is broken."""
    if not head.startswith(_GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 1 << 16)
    except zlib.error:
        return b""


def read_text_file(path: Path, file: str, most_bytes: int | None = None) -> tuple[bytes, list[str], str]:
    """All text of `path` as UTF-8 without byte order mark, lines ended by LF; notes on how it was decoded; and the
    sha256 of the bytes that were read, whatever happens to the file afterwards.

    Parameters
    ----------
    path : Path
    file : str
        Its name for messages.
    most_bytes : int, optional
        The longest text that the caller can hold as objects.

    Raises
    ------
    TraceFormatError
        Empty, too large, a broken or absurdly packed gzip, or binary content.
    """
    size = path.stat().st_size
    if size == 0:
        raise TraceFormatError(f"{file}: the file is empty")
    if size > _LARGEST_BYTES:
        raise TraceFormatError(f"{file}: {size / 2**30:.1f} GiB of text is more than we hold in memory; use HDF5")
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    notes = []
    if raw.startswith(_GZIP):
        raw = _gunzip(raw, size, file)
        notes.append("gzip")
    text = _to_utf8(raw, file, notes)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not text.strip():
        raise TraceFormatError(f"{file}: the file is empty")
    if b"\x00" in text:
        line = text.count(b"\n", 0, text.index(b"\x00")) + 1
        raise TraceFormatError(f"{file}, line {line}: binary content (a zero byte) in what should be a text file")
    if most_bytes is not None and len(text) > most_bytes:
        raise TraceFormatError(f"{file}: {len(text) >> 20} MiB; more than {most_bytes >> 20} MiB are not read")
    return text, notes, digest


def _gunzip(raw: bytes, size: int, file: str) -> bytes:
    blocks, total = [], 0
    try:
        with gzip.open(io.BytesIO(raw)) as stream:
            while block := stream.read(1 << 22):
                blocks.append(block)
                total += len(block)
                if total > _LARGEST_BYTES or (total > _RATIO_FROM and total > _LARGEST_RATIO * size):
                    raise TraceFormatError(
                        f"{file}: {size} bytes unpack to more than {total >> 20} MiB; this looks like a "
                        "decompression bomb. Unpack it yourself if you trust it"
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise TraceFormatError(f"{file}: broken gzip file ({error})") from error
    return b"".join(blocks)


def _to_utf8(raw: bytes, file: str, notes: list[str]) -> bytes:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                notes.append("UTF-16")
                return raw.decode(encoding).removeprefix("\ufeff").encode()
            except UnicodeError as error:
                raise TraceFormatError(f"{file}: broken UTF-16 text ({error})") from error
    if raw.startswith(b"\xef\xbb\xbf"):
        notes.append("UTF-8 with byte order mark")
        raw = raw[3:]
    if raw.isascii():
        return raw
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        notes.append("not UTF-8, read as Windows-1252")
        return raw.decode("cp1252", errors="replace").encode()
    return raw


@dataclass(frozen=True)
class TextShape:
    """How to split the text; `first_line` is the line (from 0) where the data begin, `names` '' where unnamed."""

    separator: str
    decimal: str
    names: tuple[str, ...]
    has_header: bool
    first_line: int
    metadata: dict[str, str] = field(default_factory=dict)
    sample: list[list[str]] = field(default_factory=list)
    units: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

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
        return line.split()
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
    lines, comments, numbers, between = _head_lines(text)
    mark = _SEPARATOR_LINE.match(lines[0]) if lines else None
    skipped = lines[:1] if mark else []
    if mark:
        lines, numbers = lines[1:], numbers[1:]
    if not lines:
        return None
    widest = max(line.count(separator) for line in lines for separator in _SEPARATORS)
    if widest >= _MOST_COLUMNS:
        raise TraceFormatError(f"{file}: a line of {widest + 1} cells; more than {_MOST_COLUMNS} columns are not read")
    separator = mark[1] if mark and mark[1] in _SEPARATORS else _separator(lines)
    rows = [split_line(line, separator) for line in lines]
    at = find_header(rows)
    over, skipped = rows[at - 1] if at else [], skipped + lines[:at]
    rows, numbers = rows[at:], numbers[at:]
    decimal = _decimal(rows, separator)
    metadata, glued = _comment_block(comments, separator, rows)
    glued = None if at else glued
    metadata = said_above(split_line(line, separator) for line in skipped) | metadata
    has_header = glued is None and _is_header(rows, decimal)
    header = glued if glued is not None else groups_above(rows[0], over) if has_header else None
    data = rows[1:] if has_header else rows
    units = find_units_row(data[0], data[1:]) if header is not None and len(data) > 1 else None
    above = int(has_header) + int(units is not None)
    data = data if units is None else data[1:]
    if header is not None and units is None and len(cells := split_line(between, separator)) == len(header):
        units = find_units_row(cells, data)
    width = max((len(row) for row in data), default=0)
    if header is None:
        names = tuple(f"column {i}" for i in range(width))
    else:
        # Lines may end in empty cells that the header does not name; a line with more content than that is torn.
        torn = any(any(row[len(header) :]) for row in data)
        names = _unique(header, len(header) if torn else max(width, len(header)))
    first = numbers[above] if above < len(numbers) else numbers[0] + above
    stated = (*units, *[""] * (len(names) - len(units)))[: len(names)] if units is not None else ()
    return TextShape(separator, decimal, names, header is not None, first, metadata, data, stated, tuple(skipped))


def _head_lines(text: bytes) -> tuple[list[str], list[str], list[int], str]:
    """The first lines with content, the comments before them, the numbers of these lines, counted from 0.

    And a line between the first two that begins as a comment does, which may be one of units: `#,,kohm`.
    """
    lines: list[str] = []
    comments: list[str] = []
    between = ""
    numbers: list[int] = []
    position, number = 0, 0
    while position < len(text) and len(lines) < _SAMPLE_LINES and (position < _SAMPLE_BYTES or len(lines) < 2):
        end = text.find(b"\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].decode("utf-8", errors="replace")
        if line.startswith(COMMENT_MARKS):
            comments += [line.lstrip("".join(COMMENT_MARKS))] if not lines else []
            between = line if len(lines) == 1 else between
        elif line.strip():
            lines.append(line)
            numbers.append(number)
        position, number = end + 1, number + 1
    return lines, comments, numbers, between


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
        counts = [len(line.split()) for line in lines[:20]]
        if min(counts) > 1 and len(set(counts)) == 1 and all(_NUMBER.match(cell) for cell in lines[-1].split()[1:]):
            return r"\s+"
    return best


def _decimal(rows: Sequence[Sequence[str]], separator: str) -> str:
    if separator == ",":
        return "."
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
