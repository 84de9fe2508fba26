"""Large plain tables of text, parsed on all cores by pyarrow; whatever is not plain is left to the careful reader.

Plain: ASCII, lines of equal numbers of cells, no quotes, spaces, comments or words among the numbers. Anything else
gives None here and is read by `DelimitedTable`, so that both ways lead to the same result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.contract import FileContent, NumberColumn, Table, numbers_from_text, says_simulated
from weakreset.traces.readers.delimited_table import names_device
from weakreset.traces.readers.text import TextShape, find_shape

__all__ = ["ArrowTable", "read_plain_text"]

_HEAD_BYTES = 1 << 20  # enough for every line above a table, and its header
_BLOCK_BYTES = 1 << 20  # read at once while lines are counted
_LEAST_LINES = 70  # shorter files gain nothing from the fast way
_SHORTEST_RUN = 8
_MOST_COLUMNS = 200  # wide tables are not what the fast way is for
_BOM = b"\xef\xbb\xbf"
_LARGEST_PIECE = 1 << 31
_LARGEST_SUM = 2.0**63  # larger whole numbers are not floats to pandas
_PAIRS = ((b"#", b"\n#"), (b"%", b"\n%"), (b"x", b"0x"), (b"X", b"0X"))


def _is_plain(path: Path, offset: int, separator: str) -> bool:
    """Whether the bytes from `offset` on are plain; other threads run meanwhile."""
    refused = [b'"', b" ", b"\x00"] + ([b"\t"] if separator != "\t" else [])
    buffer = bytearray(_BLOCK_BYTES)
    last = b"\n"
    with open(path, "rb", buffering=0) as stream:
        stream.seek(offset)
        while length := stream.readinto(buffer):
            block = buffer if length == len(buffer) else buffer[:length]
            if not block.isascii() or (not _has_no_marks(block) and _is_odd(block, last, refused)):
                return False
            last = bytes(block[-1:])
    return True


def _has_no_marks(block: bytearray) -> bool:
    """Whether nothing but ends of lines comes before "&" in ASCII, and no "x" is there: most blocks are cleared so."""
    codes = np.frombuffer(block, np.uint8)
    few = np.count_nonzero(codes < ord("&")) == np.count_nonzero(codes == ord("\n"))
    return few and b"x" not in block and b"X" not in block


def _is_odd(block: bytearray, last: bytes, refused: Sequence[bytes]) -> bool:
    """Whether marks of a block, which follows the byte `last`, mean something in it."""
    if any(mark in block for mark in refused):
        return True
    # pairs of bytes are looked for only where one of them is there: that is ten times faster
    for byte, pair in _PAIRS:
        if byte in block and (pair in block or last + block[:1] == pair):
            return True
    return b"\r" in block and (last + block).count(b"\r\n") < block.count(b"\r") - block.endswith(b"\r")


def read_plain_text(path: Path, file: str) -> FileContent | None:
    """What a plain file holds; or None for the careful reader."""
    with open(path, "rb") as stream:
        head = stream.read(_HEAD_BYTES)
        stream.seek(-1, 2)
        if stream.read(1) != b"\n":
            return None  # the last line may be cut
    shape = _plain_shape(head, path)
    if shape is None:
        return None
    offset = _offset(head, shape.first_line)
    text = [str(i) for i, name in enumerate(shape.names) if shape.has_header and names_device(name)]
    with ThreadPoolExecutor(1) as beside:
        plain = beside.submit(_is_plain, path, offset, shape.separator)
        try:
            parsed = _parse(path, offset, shape, text)
        except (pa.ArrowException, OSError):
            return None
        if not plain.result():
            return None
    columns = [_coded(parsed[name]) if name in text else _ready(parsed[name]) for name in parsed.column_names]
    if any(column is None for column in columns):
        return None
    parsed = pa.table(columns, names=parsed.column_names)
    if _has_blank_row(parsed) or _holds_its_header(parsed, text, shape):
        return None
    words = shape.words + (", UTF-8 with byte order mark" if head.startswith(_BOM) else "")
    table = ArrowTable(parsed, shape, path, offset, file)
    return FileContent([table], says_simulated(shape.metadata.get("simulated")), words)


def _holds_its_header(parsed: pa.Table, text: Sequence[str], shape: TextShape) -> bool:
    """Whether a column of devices holds its own name: another table begins there."""
    named = [(parsed[name].combine_chunks(), shape.names[int(name)]) for name in text]
    return any(pa.compute.index(column.dictionary, name).as_py() >= 0 for column, name in named)


def _plain_shape(head: bytes, path: Path) -> TextShape | None:
    text = head.removeprefix(_BOM)
    text = text[: text.rfind(b"\n") + 1]
    if text.count(b"\n") < _LEAST_LINES or text.startswith((b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b")) or b"\x00" in text:
        return None
    if text.count(b"\r") not in (0, text.count(b"\r\n")):
        return None
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return None
    shape = find_shape(text.replace(b"\r\n", b"\n"), str(path))
    if shape is None or shape.decimal == "," or shape.separator == r"\s+":
        return None
    return shape if 1 < len(shape.names) <= _MOST_COLUMNS else None


def _offset(head: bytes, first_line: int) -> int:
    position = len(_BOM) if head.startswith(_BOM) else 0
    for _ in range(first_line):
        position = head.index(b"\n", position) + 1
    return position


def _parse(
    path: Path, offset: int, shape: TextShape, text: Sequence[str], only: Sequence[str] | None = None
) -> pa.Table:
    source = pa.OSFile(str(path))
    source.seek(offset)
    return pa.csv.read_csv(
        source,
        read_options=pa.csv.ReadOptions(column_names=[str(i) for i in range(len(shape.names))]),
        parse_options=pa.csv.ParseOptions(
            delimiter=shape.separator, quote_char=False, ignore_empty_lines=False, newlines_in_values=False
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(text, pa.string()), null_values=[""], strings_can_be_null=True,
            check_utf8=False,  # a file that is not ASCII is not plain
            include_columns=list(only or []),
        ),
    )  # fmt: skip


def _ready(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """A column in one piece; None where pandas would have understood it otherwise."""
    if pa.types.is_string(column.type):  # may be too long for one piece
        first = next((cell for cell in column.slice(0, 1000).to_pylist() if cell), None)
        return None if first is None or _is_number(first) else column
    if pa.types.is_float64(column.type):
        total = pa.compute.sum(column).as_py()
        if total is None or not math.isfinite(total) or abs(total) >= _LARGEST_SUM:
            return None
    elif not (pa.types.is_int64(column.type) or pa.types.is_null(column.type)):
        return None
    return pa.chunked_array([column.combine_chunks()])


def _coded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as codes of distinct texts, in order of appearance, in one piece; quick where equal ones stand together."""
    head = column.slice(0, _SHORTEST_RUN * 1000).combine_chunks()
    if len(_run_starts(head)) > len(head) / _SHORTEST_RUN:
        if column.nbytes < _LARGEST_PIECE:  # one table of texts for all: unifying those of chunks takes squared time
            return pa.chunked_array([pa.concat_arrays(column.chunks).dictionary_encode()])
        return pa.chunked_array([column.dictionary_encode().unify_dictionaries().combine_chunks()])
    starts = [_run_starts(chunk) for chunk in column.chunks]
    firsts = [chunk.take(pa.array(start)) for chunk, start in zip(column.chunks, starts, strict=True)]
    known = pa.concat_arrays(firsts).dictionary_encode()
    lengths = [np.diff(start, append=len(chunk)) for chunk, start in zip(column.chunks, starts, strict=True)]
    codes = np.repeat(known.indices.fill_null(-1).to_numpy(), np.concatenate(lengths))
    indices = pa.array(codes, mask=codes < 0) if known.null_count else pa.array(codes)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, known.dictionary, safe=False)])


def _run_starts(texts: pa.StringArray) -> NDArray[np.int64]:
    """Positions of texts that differ from the one before."""
    if not len(texts):
        return np.zeros(0, dtype=np.int64)
    _, offsets, characters = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    width = int(ends[1] - ends[0])
    if width and not texts.null_count and bool(np.all(ends[1:] - ends[:-1] == width)):
        flat = np.frombuffer(characters, np.uint8)[ends[0] : ends[-1]]
        changes = np.flatnonzero(flat[width:] != flat[:-width]) // width + 1
        return np.concatenate([[0], np.unique(changes)])
    run_ends = pa.compute.run_end_encode(texts).run_ends.to_numpy()
    return np.concatenate([[0], run_ends[:-1]]).astype(np.int64)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _has_blank_row(table: pa.Table) -> bool:
    if any(column.null_count == 0 for column in table.columns):
        return False
    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        blank &= column.is_null().to_numpy()
    return bool(blank.any())


class ArrowTable(Table):
    """A table parsed by pyarrow; every row is a line."""

    def __init__(self, parsed: pa.Table, shape: TextShape, path: Path, offset: int, file: str) -> None:
        self._parsed, self._shape, self._path, self._offset, self._file = parsed, shape, path, offset, file
        self.names, self.has_header, self.metadata = shape.names, shape.has_header, shape.metadata
        self.units, self.device, self.hints = shape.units, shape.device, shape.hints

    @property
    def sample(self) -> list[list[str]]:
        return self._shape.sample

    def _words(self, index: int) -> tuple[NDArray[Any], list[str]]:
        """Codes (-1: empty) and distinct texts of a column, which is parsed again if it was taken for numbers."""
        column = self._parsed[str(index)]
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            only = str(index)
            column = _parse(self._path, self._offset, self._shape, [only], [only])[only]
            if len(column) != self.n_rows:
                raise TraceFormatError(f"{self._file}: the file changed while it was read")
        if not pa.types.is_dictionary(column.type):
            column = _coded(column.cast(pa.string()))
        whole = column.combine_chunks()
        codes = whole.indices.fill_null(-1) if whole.null_count else whole.indices
        return codes.to_numpy(), whole.dictionary.to_pylist()

    def numbers(self, index: int) -> NumberColumn:
        column = self._parsed[str(index)]
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return NumberColumn(column.to_numpy().astype(np.float64, copy=False))
        if pa.types.is_null(column.type):
            return NumberColumn(np.full(self.n_rows, np.nan))
        codes, words = self._words(index)
        return self._from_words(codes, words)

    def _from_words(self, codes: NDArray[Any], words: list[str]) -> NumberColumn:
        known = numbers_from_text([*words, ""])
        texts = {int(row): known.text[int(codes[row])] for row in np.flatnonzero(np.isin(codes, list(known.text)))}
        return NumberColumn(known.values[codes], texts)

    def counts(self, index: int) -> NDArray[Any]:
        column = self._parsed[str(index)]
        plain = pa.types.is_integer(column.type) and not column.null_count
        return np.asarray(column.to_numpy()) if plain else self.numbers(index).values

    def text(self, index: int) -> NDArray[np.object_]:
        codes, words = self._words(index)
        return np.asarray(np.array([*words, ""], dtype=object)[codes])

    def codes(self, index: int) -> tuple[NDArray[Any], list[str]]:
        return self._words(index)

    def as_is(self, index: int) -> NDArray[np.generic]:
        column = self._parsed[str(index)]
        if pa.types.is_null(column.type):
            return np.full(self.n_rows, np.nan)
        numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        return np.asarray(column.to_numpy()) if numeric else self.text(index)

    @property
    def n_rows(self) -> int:
        return int(self._parsed.num_rows)

    def line_of(self, row: int) -> int | None:
        return self._shape.first_line + row + 1
