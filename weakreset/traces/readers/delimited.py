"""Delimited text: CSV, TSV, semicolons with decimal commas, plain or gzipped."""

from __future__ import annotations

import re
from pathlib import Path

from weakreset.errors import TraceFormatError
from weakreset.resources import display_path
from weakreset.traces.contract import FileContent, Recognition, Table, says_simulated
from weakreset.traces.readers.delimited_table import DelimitedTable, LinewiseTable
from weakreset.traces.readers.text import COMMENT_MARKS, find_shape, read_text_file, unpack_head

__all__ = ["DelimitedReader"]

SMALLEST_FOR_ARROW = 4 << 20  # below, pyarrow would not make up for its start
_MANY_COLUMNS = 5000
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class DelimitedReader:
    """Columns of text between separators, with or without a header; see `find_shape` for what it copes with."""

    name = "delimited"
    suffixes: tuple[str, ...] = (".csv", ".tsv", ".txt", ".dat", ".csv.gz", ".tsv.gz", ".txt.gz", ".dat.gz")

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """Text is ours; surer where the name says so too."""
        text = unpack_head(head)
        named = path.name.lower().endswith(self.suffixes)
        wide = text.startswith((b"\xff\xfe", b"\xfe\xff"))
        if not wide and _BINARY.search(text):
            return Recognition(0.1, f"its name ends in {path.suffix}") if named else None
        if named:
            return Recognition(0.8, f"text, and its name ends in {''.join(path.suffixes[-2:])}")
        return Recognition(0.4, "it is text")

    def read(self, path: Path) -> FileContent:
        """One table."""
        file = display_path(path)
        if path.stat().st_size >= SMALLEST_FOR_ARROW and (content := self._read_plain(path, file)) is not None:
            return content
        text, notes = read_text_file(path, file)
        shape = find_shape(text, file)
        if shape is None:
            raise TraceFormatError(f"{file}: the file holds comments only, no line of data")
        body = _body(text, shape.first_line)
        if not body.strip():
            raise TraceFormatError(f"{file}: a header but no line of data")
        linewise = len(shape.names) > _MANY_COLUMNS and shape.separator != r"\s+"
        table: Table = (LinewiseTable if linewise else DelimitedTable)(body, shape, file)
        return FileContent([table], says_simulated(shape.metadata.get("simulated")), ", ".join([shape.words, *notes]))

    def _read_plain(self, path: Path, file: str) -> FileContent | None:
        from weakreset.traces.readers.arrow_table import read_plain_text

        return read_plain_text(path, file)


def _body(text: bytes, first_line: int) -> bytes:
    """The text from line `first_line` on; comment lines in it become blank, so that lines keep their numbers."""
    position = 0
    for _ in range(first_line):
        end = text.find(b"\n", position)
        if end < 0:
            return b""
        position = end + 1
    body = text[position:]
    for mark in (mark.encode() for mark in COMMENT_MARKS):
        if body.startswith(mark) or b"\n" + mark in body:
            body = re.sub(rb"(?m)^" + mark + rb"[^\n]*", b"", body)
    return body
