"""Read a file in a process of its own, with limits on memory and time.

Libraries that parse binary formats were not made for files that somebody altered: they allocate what a header says,
loop, or crash. In a process of its own that costs one refused file. The process hands back tables as JSON and raw
numbers, nothing that could run.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import MissingExtraError, TraceFormatError
from weakreset.resources import display_path
from weakreset.traces.readers import other_process
from weakreset.traces.readers.columns_table import ColumnsTable
from weakreset.traces.table import FileContent, Table

__all__ = ["IsolatedReader", "answer_for", "read_isolated", "require", "try_elsewhere", "understand"]

_MARK = b"weakreset-tables\n"
_TRIED_UP_TO = 64 << 20


class IsolatedReader(Protocol):
    """A reader whose work is done in another process by `parse`."""

    def parse(self, path: Path, file: str) -> FileContent:
        """Tables of the file, each a `ColumnsTable`; may raise anything."""


class _PlainReader(Protocol):
    def read(self, path: Path) -> FileContent: ...


def require(package: str, extra: str, what: str) -> None:
    """Check that an optional package is there.

    Raises
    ------
    MissingExtraError
        It is not installed; the message holds the line that installs it.
    """
    if importlib.util.find_spec(package) is None:
        raise MissingExtraError(
            f"{what} need the package {package}, which is not installed: pip install 'weakreset[{extra}]'"
        )


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
    return understand(*other_process.ask(reader, "parse", path, size), file)


def try_elsewhere(reader: _PlainReader, path: Path) -> None:
    """Let another process read a file first, so that this one never hangs or crashes on it.

    Only files up to 64 MiB are tried; where the other process refuses the file in words, this one will do so too.

    Raises
    ------
    TraceFormatError
        The other process crashed or needed more than the limits.
    """
    size = path.stat().st_size
    if not other_process.inside() and 0 < size <= _TRIED_UP_TO:
        code, words = other_process.ask(reader, "read", path, size)
        if code not in (0, other_process.REFUSED):
            understand(code, words, display_path(path))


def understand(code: int, answer: bytes, file: str) -> FileContent:
    """The content in an `answer_for` a file, or its refusal raised."""
    if code or not answer.startswith(_MARK):
        raise TraceFormatError(f"{file}: {answer.decode('utf-8', errors='replace') or 'no answer from its library'}")
    end = answer.index(b"\n", len(_MARK))
    described = json.loads(answer[len(_MARK) : end])
    position = end + 1
    tables: list[Table] = []
    for item in described["tables"]:
        columns: list[NDArray[Any]] = []
        for column in item["columns"]:
            if isinstance(column, list):
                texts = np.empty(len(column), dtype=object)
                texts[:] = column
                columns.append(texts)
            else:
                columns.append(np.frombuffer(answer, np.dtype(column), item["n_rows"], position))
                position += columns[-1].nbytes
        lines = None if item["lines"] is None else np.array(item["lines"], dtype=np.int64)
        tables.append(ColumnsTable(item["names"], columns, item["device"], item["metadata"], item["has_header"], lines))
    return FileContent(tables, described["simulated"], described["how"])


def answer_for(reader: Any, path: Path, method: str = "parse") -> tuple[int, bytes]:
    """0 and the tables of a file as bytes, or another number and why it is refused.

    Of `read` only whether it went well.
    """
    try:
        if method == "read":
            reader.read(path)
            return 0, _MARK
        return 0, b"".join(_pack(reader.parse(path, "")))
    except MemoryError:
        return other_process.LIMITS, b"it needs more memory than a file of its size can; broken, or export it as CSV"
    except TraceFormatError as error:
        words = str(error)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # what a library written in Rust panics with is no Exception
        words = f"cannot be read ({type(error).__name__}: {str(error)[:200]})"
    return other_process.REFUSED, words.encode("utf-8", errors="replace")


def _pack(content: FileContent) -> list[bytes]:
    """The answer in pieces; text columns in the JSON, numbers behind it."""
    arrays: list[NDArray[Any]] = []
    described = []
    for table in content.tables:
        if not isinstance(table, ColumnsTable):
            raise TypeError(type(table))
        columns: list[Any] = []
        for column in table.columns:
            if column.dtype.kind in "iuf":
                wide = column.astype(np.int64 if column.dtype.kind == "i" else np.float64)
                arrays.append(wide)
                columns.append(wide.dtype.str)
            else:
                columns.append([str(cell) for cell in column])
        described.append(
            {"names": table.names, "columns": columns, "device": table.device, "metadata": dict(table.metadata),
             "has_header": table.has_header, "n_rows": table.n_rows,
             "lines": None if table.lines is None else table.lines.tolist()}
        )  # fmt: skip
    head = json.dumps({"tables": described, "simulated": content.simulated, "how": content.how})
    return [_MARK, head.encode(), b"\n", *(np.ascontiguousarray(array).tobytes() for array in arrays)]
