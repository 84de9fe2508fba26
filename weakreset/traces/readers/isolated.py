"""Read a file in a process of its own, with limits on memory and time.

Libraries that parse binary formats were not made for files that somebody altered: they allocate what a header says,
loop, or crash. In a process of its own that costs one refused file. The process hands back tables as `wire` packs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from weakreset.errors import TraceFormatError
from weakreset.resources import display_path
from weakreset.traces.contract import FileContent
from weakreset.traces.readers import other_process, wire

__all__ = ["IsolatedReader", "read_guarded", "read_isolated", "understand"]

_GUARDED_UP_TO = 64 << 20  # 64 MB: larger ones are read here, by what checks sizes first


class IsolatedReader(Protocol):
    """A reader whose work is done in another process by `parse`."""

    def parse(self, path: Path) -> FileContent:
        """Tables of the file, each a `ColumnsTable`; may raise anything, without the name of the file."""


def read_isolated(reader: IsolatedReader, path: Path) -> FileContent:
    """`reader.parse(path)` in another process, within the limits of `other_process`.

    Raises
    ------
    TraceFormatError
        The reader refuses the file, its library fails on it, or it needs more than the limits.
    """
    file = display_path(path)
    size = path.stat().st_size
    if size == 0:
        raise TraceFormatError(f"{file}: the file is empty")
    return understand(*other_process.ask(reader, path, size), file)


def read_guarded(reader: IsolatedReader, path: Path) -> FileContent:
    """`read_isolated` for files up to 64 MiB. Larger ones are not worth the way from process to process: they are read
    in this one, where whoever altered them can make it hang or crash.

    Raises
    ------
    TraceFormatError
        As from `read_isolated`.
    """
    if path.stat().st_size <= _GUARDED_UP_TO:
        return read_isolated(reader, path)
    try:
        return reader.parse(path)
    except TraceFormatError as error:
        raise TraceFormatError(f"{display_path(path)}: {error}") from error


def understand(code: int, answer: bytes, file: str) -> FileContent:
    """The content in an answer of `other_process`, or its refusal raised."""
    if code or not answer.startswith(wire.MARK):
        raise TraceFormatError(f"{file}: {answer.decode('utf-8', errors='replace') or 'no answer from its library'}")
    return wire.unpack(answer)
