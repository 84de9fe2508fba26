"""Tables one below the other in one text: a header within the data begins another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from weakreset.errors import TraceFormatError
from weakreset.traces.readers.header import is_header_again
from weakreset.traces.readers.said_devices import blocks_of_devices, device_said
from weakreset.traces.readers.stated_units import said_above
from weakreset.traces.readers.text import COMMENT_MARKS, TextShape, find_shape, split_line
from weakreset.traces.units import looks_like_unit
from weakreset.traces.vocabulary import role_of

__all__ = ["TextBlock", "skip_lines", "split_tables"]

_MOST_LINES_ABOVE = 60  # a preamble of an instrument is shorter
_FOOTER_BYTES = 1 << 10  # 1 kB at the end
_MOST_LINES_BELOW = 10  # a footer is shorter
_MANY, _LEAST_BYTES = 300, 100  # tables of which each would hold less than a trace: each costs milliseconds
_MOST_REJECTED = 20_000  # lines that are no rows: with more this is no table


@dataclass(frozen=True)
class TextBlock:
    """One table of a text: its shape, with lines counted from the beginning of the file, and its data."""

    shape: TextShape
    body: bytes


def skip_lines(text: bytes, n_lines: int) -> bytes:
    """The text with its first lines made empty, so that the others keep their numbers."""
    position = _after_lines(text, n_lines)
    return b"\n" * min(n_lines, text.count(b"\n")) + text[position:] if n_lines else text


def split_tables(text: bytes, file: str) -> list[TextBlock]:
    """The tables of a text in their order; a header that is repeated word for word continues its table."""
    blocks: list[TextBlock] = []
    line, size = 0, len(text)
    while text:
        if len(blocks) > _MANY and size - len(text) < _LEAST_BYTES * len(blocks):
            raise TraceFormatError(
                f"{file}: more than {_MANY} tables of fewer than {_LEAST_BYTES} bytes; no trace fits into one"
            )
        shape = find_shape(text, file)
        if shape is None:
            break
        start = _after_lines(text, shape.first_line)
        body = text[start:]
        header = _header_line(text, shape)
        ends, again = next(blocks_of_devices(body, shape.device), len(body)), []
        for begin, end in _headers(body[:ends], shape):
            above = _up_to_data(body, begin, shape)
            if header and body[begin:end].strip() == header and not _says_other(body[above:begin], shape):
                again.append((begin, end))
                continue
            if above > 0:  # a table without a line of data is none
                ends = above
                break
        whole = _blanked(body[:ends], [(a, b) for a, b in again if b <= ends])
        shape = replace(shape, remarks=" ; ".join(filter(None, (shape.remarks, _footer(whole, shape)))))
        if blocks and not shape.has_header and blocks[-1].shape.has_header:
            shape = _as_before(shape, blocks[-1].shape)
        blocks.append(TextBlock(replace(shape, first_line=shape.first_line + line), _without_comments(whole)))
        line += shape.first_line + body.count(b"\n", 0, ends)
        text = body[ends:]
    return blocks


def _says_other(between: bytes, shape: TextShape) -> bool:
    """Whether the lines between two tables name another device for the second, another unit or read voltage."""
    text = between.decode("utf-8", errors="replace")
    device = device_said(text.replace(shape.separator, ":", 1).splitlines())
    if device and device != shape.device:
        return True
    said = said_above(split_line(line, shape.separator) for line in text.splitlines())
    return any(shape.metadata.get(key) != value for key, value in said.items())


def _as_before(shape: TextShape, before: TextShape) -> TextShape:
    """A block under comments alone has the header of the block before it."""
    if len(shape.names) != len(before.names):
        return shape
    return replace(shape, names=before.names, has_header=True, units=before.units, metadata=before.metadata)


def _footer(body: bytes, shape: TextShape) -> str:
    """Lines at the end of the data that are no rows of them, in words."""
    lines = body[-_FOOTER_BYTES:].decode("utf-8", errors="replace").splitlines()[1:]
    odd = [line for line in lines if line.strip() and not any(map(_is_number, split_line(line, shape.separator)))]
    return " ; ".join(odd[-_MOST_LINES_BELOW:])


def _after_lines(text: bytes, n_lines: int) -> int:
    position = 0
    for _ in range(n_lines):
        end = text.find(b"\n", position)
        if end < 0:
            return len(text)
        position = end + 1
    return position


def _header_line(text: bytes, shape: TextShape) -> bytes:
    if not shape.has_header or shape.first_line < 1:
        return b""
    begin = _after_lines(text, shape.first_line - 1)
    return text[begin : text.find(b"\n", begin)].strip()


def _headers(body: bytes, shape: TextShape) -> Iterator[tuple[int, int]]:
    """Begin and end of the lines within the data that name columns."""
    operations = [i for i, name in enumerate(shape.names) if role_of(name) == "operation"]
    rejected: set[bytes] = set()
    for match in _wordy(shape).finditer(body):
        if match[0] in rejected or match[0][:1].decode("latin-1") in COMMENT_MARKS:
            continue
        if len(rejected) > _MOST_REJECTED:
            return
        rejected.add(match[0])
        line = match[0].decode("utf-8", errors="replace")
        cells = split_line(line, shape.separator)
        if any(i < len(cells) and cells[i] for i in operations) and role_of(cells[operations[0]]) == "pulse":
            continue
        if is_header_again(cells, shape.names, _first_data(body, match.end(), shape.separator)):
            rejected.discard(match[0])
            yield match.start(), match.end()


def _first_data(body: bytes, end: int, separator: str) -> list[str]:
    """The cells below a line that ends there; those below a row of units where it has one."""
    below = split_line(_next_line(body, end), separator)
    filled = [cell for cell in below if cell.strip()]
    if filled and all(looks_like_unit(cell) for cell in filled):
        return split_line(_next_line(body, body.find(b"\n", end + 1)), separator)
    return below


def _wordy(shape: TextShape) -> re.Pattern[bytes]:
    """Lines without a cell that begins like a number, and lines that begin as the header does."""
    separator, inside = (rb"[ \t]+", rb"[^ \t\n]") if shape.separator == r"\s+" else (b"", b"")
    if not separator:
        separator = re.escape(shape.separator).encode()
        inside = b"[^" + separator + rb"\n]"
    cell = rb"(?![ \t\"]*+[-+.]?\d)" + inside + b"*+"
    more = b"++" if len(shape.names) > 1 else b"*+"
    pattern = rb"^(?=[^\n]*[A-Za-z])" + cell + b"(?:" + separator + cell + b")" + more + b"$"
    first = shape.names[0] if shape.names else ""
    if shape.has_header and role_of(first):
        pattern = b"(?:" + pattern + rb")|^\"?" + re.escape(first.encode()) + rb"\"?" + separator + rb"[^\n]*$"
    return re.compile(pattern, re.MULTILINE)


def _next_line(body: bytes, position: int) -> str:
    """The next line with content."""
    for _ in range(_MOST_LINES_BELOW):
        end = body.find(b"\n", position + 1)
        line = body[position : len(body) if end < 0 else end].strip(b"\n")
        if line.strip() and line[:1].decode("latin-1") not in COMMENT_MARKS:
            return line.decode("utf-8", errors="replace")
        if end < 0:
            return ""
        position = end
    return ""


def _up_to_data(body: bytes, begin: int, shape: TextShape) -> int:
    """Where the lines right above a header begin that are no data: its comments, preamble and empty lines."""
    for _ in range(_MOST_LINES_ABOVE):
        if begin <= 0:
            return 0
        previous = body.rfind(b"\n", 0, begin - 1) + 1
        line = body[previous : begin - 1].decode("utf-8", errors="replace")
        cells = [cell for cell in split_line(line, shape.separator) if cell]
        wide = len(cells) > 1 or len(shape.names) == 1
        if wide and not line.startswith(COMMENT_MARKS) and any(map(_is_number, cells)):
            return begin
        begin = previous
    return begin


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _blanked(body: bytes, stretches: list[tuple[int, int]]) -> bytes:
    """The body with nothing in place of some lines, which keep their ends."""
    for begin, end in reversed(stretches):
        body = body[:begin] + body[end:]
    return body


def _without_comments(body: bytes) -> bytes:
    """Comment lines become empty, so that lines keep their numbers."""
    for mark in (mark.encode() for mark in COMMENT_MARKS):
        if body.startswith(mark) or b"\n" + mark in body:
            body = re.sub(rb"(?m)^" + mark + rb"[^\n]*", b"", body)
    return body
