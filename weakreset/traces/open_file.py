"""Steps 1 and 2: a file is recognised and its tables are read; and what the user says of how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from weakreset.errors import TraceFormatError, UsageError
from weakreset.resources import display_path
from weakreset.traces.column_map import ColumnMap
from weakreset.traces.contract import FileContent, Reader, SkippingReader
from weakreset.traces.recognise import choose_reader
from weakreset.traces.screening_limits import ScreeningLimits

__all__ = ["DEFAULT_LIMITS", "OpenFile", "ReadingOptions", "open_file", "refuse_changed"]

DEFAULT_LIMITS = ScreeningLimits()


@dataclass(frozen=True)
class ReadingOptions:
    """How files are to be read and which reads are to be used; the fields are the keywords of `load_traces`.

    Raises
    ------
    UsageError
        The voltage or `where` makes no sense.
    """

    column_map: ColumnMap
    format: str | None = None
    read_voltage_v: float | None = None
    limits: ScreeningLimits | None = DEFAULT_LIMITS
    where: str | None = None
    skip: int = 0

    def __post_init__(self) -> None:
        if self.skip < 0:
            raise UsageError(f"skip {self.skip} must be a number of lines, 0 or more")
        voltage = self.read_voltage_v
        if voltage is not None and not 0 < abs(voltage) < float("inf"):
            raise UsageError(f"read_voltage_v {voltage} must be a voltage other than zero")
        if self.where:
            from weakreset.traces.selection import parse_where

            parse_where(self.where)


@dataclass(frozen=True)
class OpenFile:
    """A file whose tables were read but not yet understood; why it was taken for its format.

    `stamp` is size and time of the file before it was read.
    """

    path: Path
    content: FileContent
    format: str
    why: str
    stamp: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """The file as the user would write it."""
        return display_path(self.path)


def open_file(path: Path, format: str | None = None, skip: int = 0) -> OpenFile:
    """Steps 1 and 2: recognise a file and read its tables, without its first `skip` lines.

    Raises
    ------
    TraceFormatError
        No reader takes the file, or its reader refuses it.
    """
    file = display_path(path)
    try:
        _refuse_pipe(path, file)
        stamp = _stamp(path)
        reader, why = choose_reader(path, file, format)
        content = (_skipping(reader, skip, file) if skip else reader).read(path)
    except OSError as error:
        raise TraceFormatError(f"{file}: cannot be read ({error.strerror or error})") from error
    return OpenFile(path, content, reader.name, "; ".join(part for part in (why, content.how) if part), stamp)


def _skipping(reader: Reader, n_lines: int, file: str) -> Reader:
    if isinstance(reader, SkippingReader):
        return reader.skipping(n_lines)
    raise UsageError(f"{file}: lines can be skipped in text and Excel files, not in {reader.name}")


def refuse_changed(opened: OpenFile) -> None:
    """Raise where the file is no longer as it was when reading began: its digest would be of other bytes."""
    if opened.stamp is not None and opened.stamp != _stamp(opened.path):
        raise TraceFormatError(
            f"{opened.name}: the file changed while it was read (a measurement is still writing it?); read a copy"
        )


def _refuse_pipe(path: Path, file: str) -> None:
    """Raise where there is no file to be read twice and to be hashed: a pipe would be waited for without end."""
    if path.exists() and not path.is_file():
        raise TraceFormatError(
            f"{file}: a pipe or a device, not a file; save what it gives (`command > lot.csv`) and read that"
        )


def _stamp(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_size, about.st_mtime_ns
