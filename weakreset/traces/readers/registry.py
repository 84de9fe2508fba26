"""The readers there are: ours and those that labs add by the entry point group `weakreset.readers`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Protocol, runtime_checkable

from weakreset.errors import TraceFormatError, UsageError
from weakreset.traces.table import FileContent

__all__ = ["ENTRY_POINT_GROUP", "HEAD_BYTES", "Reader", "Recognition", "StreamingReader", "choose_reader", "readers"]

ENTRY_POINT_GROUP = "weakreset.readers"
HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Recognition:
    """How sure a reader is that a file is its own (0 to 1), and why."""

    confidence: float
    why: str


@runtime_checkable
class Reader(Protocol):
    """One file format. A lab's reader is an object of this shape named by an entry point.

    `recognise` sees the path and the first `HEAD_BYTES` bytes and must not fail on any of them; `read` returns the
    tables of the file, not yet understood: which column is what is found elsewhere, for all formats alike. A reader
    that also has `stream(path)`, giving the tables some at a time (see `StreamingReader`), can read files larger than
    the memory.
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


def _built_in() -> list[Reader]:
    """Ours; where two are equally sure of a file, the first of them reads it."""
    from weakreset.traces.readers.arc_one import ArcOneReader
    from weakreset.traces.readers.arc_two import ArcTwoReader
    from weakreset.traces.readers.b1500a import B1500aReader
    from weakreset.traces.readers.delimited import DelimitedReader
    from weakreset.traces.readers.excel import ExcelReader
    from weakreset.traces.readers.hdf5 import Hdf5Reader
    from weakreset.traces.readers.matlab import MatlabReader
    from weakreset.traces.readers.parquet import ParquetReader
    from weakreset.traces.readers.smu_csv import SmuCsvReader
    from weakreset.traces.readers.tdms import TdmsReader

    kinds: list[type[Reader]] = [ArcTwoReader, Hdf5Reader, DelimitedReader, B1500aReader, SmuCsvReader, ArcOneReader]
    kinds += [ExcelReader, MatlabReader, TdmsReader, ParquetReader]
    return [kind() for kind in kinds]


@cache
def readers() -> dict[str, Reader]:
    """All readers by name, ours first."""
    found: dict[str, Reader] = {reader.name: reader for reader in _built_in()}
    for entry in metadata.entry_points(group=ENTRY_POINT_GROUP):
        try:
            loaded = entry.load()
        except Exception as error:
            raise UsageError(
                f"entry point {entry.name} = {entry.value} cannot be loaded ({error}); mend or uninstall its package"
            ) from error
        reader = loaded() if isinstance(loaded, type) else loaded
        if not isinstance(reader, Reader):
            raise UsageError(
                f"entry point {entry.name} = {entry.value} is not a reader: it needs name, suffixes, recognise, read"
            )
        found[reader.name] = reader
    return found


def choose_reader(path: Path, file: str, format: str | None = None) -> tuple[Reader, str]:
    """The reader for a file, and why: the one asked for, or the one that is surest.

    Raises
    ------
    UsageError
        `format` is not the name of a reader.
    TraceFormatError
        No reader takes the file.
    """
    if format is not None:
        if format not in readers():
            raise UsageError(f"format {format!r} is unknown; there are {', '.join(readers())}")
        return readers()[format], "asked for by name"
    with open(path, "rb") as stream:
        head = stream.read(HEAD_BYTES)
    answers = [(reader.recognise(path, head), reader) for reader in readers().values()]
    taken = [(answer, reader) for answer, reader in answers if answer is not None]
    if not taken:
        raise TraceFormatError(
            f"{file}: no reader takes this file (it begins with {head[:12]!r}). Readers: {', '.join(readers())}; "
            "export it as CSV, or see `weakreset template`"
        )
    answer, reader = max(taken, key=lambda pair: pair[0].confidence)
    return reader, answer.why
