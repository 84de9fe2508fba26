"""Delimited text: CSV, TSV, semicolons with decimal commas, plain or gzipped."""

from __future__ import annotations

import re
from pathlib import Path

from weakreset.errors import TraceFormatError
from weakreset.resources import display_path
from weakreset.traces.contract import FileContent, Recognition, Table, says_simulated
from weakreset.traces.readers.delimited_table import DelimitedTable, LinewiseTable
from weakreset.traces.readers.odd_heads import with_plain_head
from weakreset.traces.readers.text import find_shape
from weakreset.traces.readers.text_blocks import TextBlock, skip_lines, split_tables
from weakreset.traces.readers.text_file import read_text_file, unpack_head, wide_encoding

__all__ = ["DelimitedReader"]

SMALLEST_FOR_ARROW = 4 << 20  # below, pyarrow would not make up for its start
_HTML = re.compile(rb"(?is)\s*<(?:!doctype html|html|table|\?xml[^>]*>\s*<(?:!doctype html|html))")
_JSON = re.compile(rb"\s*(?:\[\s*)*\{\s*\"[^\"\n]{0,200}\"\s*:|\s*\[\s*\[")
_JSON_LINES = re.compile(rb"\s*\{[^\n]{0,8000}\}\s*\n\s*\{")
_PAIR = re.compile(rb"\b([A-Za-z]\w*)\s*=\s*([^\s,;]+)")
_JSON_HEAD = 1 << 14
_MANY_COLUMNS = 5000  # pandas takes squared time for wide lines
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class DelimitedReader:
    """Columns of text between separators, with or without a header; see `find_shape` for what it copes with."""

    name = "delimited"
    suffixes: tuple[str, ...] = (".csv", ".tsv", ".txt", ".dat", ".lvm", ".csv.gz", ".tsv.gz", ".txt.gz", ".dat.gz")

    def __init__(self, skip: int = 0) -> None:
        self.skip = skip

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """Text is ours; surer where the name says so too."""
        text = unpack_head(head)
        named = path.name.lower().endswith(self.suffixes)
        wide = text.startswith((b"\xff\xfe", b"\xfe\xff")) or wide_encoding(text)
        if not wide and _BINARY.search(text):
            return Recognition(0.1, f"its name ends in {path.suffix}") if named else None
        if named:
            return Recognition(0.8, f"text, and its name ends in {''.join(path.suffixes[-2:])}")
        return Recognition(0.4, "it is text")

    def read(self, path: Path) -> FileContent:
        """One table, or one for each header in the file."""
        file = display_path(path)
        large = not self.skip and path.stat().st_size >= SMALLEST_FOR_ARROW
        if large and (content := self._read_plain(path, file)) is not None:
            return content
        text, notes, sha256 = read_text_file(path, file)
        _refuse_markup(text, file)
        _refuse_pairs(text, file)
        text = skip_lines(with_plain_head(text), self.skip)
        blocks = [block for block in split_tables(text, file) if block.body.strip()]
        if not blocks:
            comments_only = find_shape(text, file) is None
            found = "the file holds comments only," if comments_only else "a header but"
            raise TraceFormatError(f"{file}: {found} no line of data")
        tables = [_table(block, file) for block in blocks]
        words = [blocks[0].shape.words, *(["tables below one another"] if len(blocks) > 1 else []), *notes]
        simulated = any(says_simulated(block.shape.metadata.get("simulated")) for block in blocks)
        return FileContent(tables, simulated, ", ".join(words), sha256)

    def skipping(self, n_lines: int) -> DelimitedReader:
        """A reader that passes over the first lines of a file, whatever they hold."""
        return DelimitedReader(n_lines)

    def _read_plain(self, path: Path, file: str) -> FileContent | None:
        from weakreset.traces.readers.arrow_table import read_plain_text

        return read_plain_text(path, file)


def _refuse_markup(text: bytes, file: str) -> None:
    """Raise for JSON and HTML: what they hold are no lines of cells, whatever their commas say."""
    if _HTML.match(text[:_JSON_HEAD]):
        raise TraceFormatError(
            f"{file}: a page of HTML, whatever its name says. Open it in a spreadsheet program and save it as .xlsx or "
            "CSV, or: python -c \"import pandas; pandas.read_html('FILE')[0].to_csv('FILE.csv', index=False)\" (needs "
            "`pip install lxml`)"
        )
    if _JSON.match(text[:_JSON_HEAD]):
        lines = ", lines=True" if _JSON_LINES.match(text[:_JSON_HEAD]) else ""
        raise TraceFormatError(
            f"{file}: JSON, which is not read. Write its records as CSV, a row a read: python -c \"import pandas; "
            f"pandas.read_json('FILE'{lines}).to_csv('FILE.csv', index=False)\""
        )


def _refuse_pairs(text: bytes, file: str) -> None:
    """Raise for lines such as `device=D1 pulse=3 R=9123`."""
    first = [[key for key, _ in _PAIR.findall(line)] for line in text[:_JSON_HEAD].split(b"\n")[:3] if line.strip()]
    if len(first) > 1 and len(first[0]) > 1 and all(keys == first[0] for keys in first):
        raise TraceFormatError(
            f"{file}: lines of names and values, which are no table. Write them as one: python -c \"import pandas, "
            "pathlib, re; pandas.DataFrame([dict(re.findall(r'([A-Za-z]\\w*)\\s*=\\s*([^\\s,;]+)', line)) for line in "
            "pathlib.Path('FILE').read_text().splitlines()]).dropna().to_csv('FILE.csv', index=False)\""
        )


def _table(block: TextBlock, file: str) -> Table:
    linewise = len(block.shape.names) > _MANY_COLUMNS and block.shape.separator != r"\s+"
    return (LinewiseTable if linewise else DelimitedTable)(block.body, block.shape, file)
