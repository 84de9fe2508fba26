"""Read a file in a process of its own, with limits on memory and time.

Libraries that parse binary formats were not made for files that somebody altered: they allocate what a header says,
loop, or crash. In a process of its own that costs one refused file. The process hands back tables as JSON and raw
numbers, nothing that could run.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import MissingExtraError, TraceFormatError
from weakreset.traces.readers.columns_table import ColumnsTable
from weakreset.traces.table import FileContent, Table
from weakreset.traces.trace import display_path

__all__ = ["IsolatedReader", "answer_for", "read_isolated", "require", "understand"]

_MEMORY_BYTES = 700 << 20
_CPU_SECONDS = 6
_WALL_SECONDS = 9
_BYTES_A_SECOND = 4 << 20
_ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_THREAD_LIMIT": "1",
}  # fmt: skip
_MARK = b"weakreset-tables\n"
_REFUSED = 3


class IsolatedReader(Protocol):
    """A reader whose work is done in another process by `parse`."""

    def parse(self, path: Path, file: str) -> FileContent:
        """Tables of the file, each a `ColumnsTable`; may raise anything."""


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
    """`reader.parse(path)` in a process with at most 700 MB plus 4 times the file, and about 6 s plus 1 s for 4 MB.

    Raises
    ------
    TraceFormatError
        The reader refuses the file, its library fails on it, or it needs more than the limits.
    """
    file = display_path(path)
    size = path.stat().st_size
    if size == 0:
        raise TraceFormatError(f"{file}: the file is empty")
    allowance = size // _BYTES_A_SECOND
    kind = type(reader)
    command = [sys.executable, "-P", "-m", __name__, kind.__module__, kind.__name__, str(path.resolve()), str(size)]
    environment = os.environ | _ONE_THREAD | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_WALL_SECONDS + 2 * allowance, env=environment,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TraceFormatError(
            f"{file}: not read after {_WALL_SECONDS + 2 * allowance} s, which is far too long for {size} bytes; "
            "the file is broken, or export it as CSV"
        ) from error
    if done.returncode not in (0, _REFUSED):
        raise TraceFormatError(f"{file}: {_last_words(done)}")
    return understand(done.returncode, done.stdout, file)


def understand(code: int, answer: bytes, file: str) -> FileContent:
    """The content in an `answer_for` a file, or its refusal raised."""
    if code == _REFUSED:
        raise TraceFormatError(f"{file}: {answer.decode('utf-8', errors='replace')}")
    if not answer.startswith(_MARK):
        raise TraceFormatError(f"{file}: broken, the library that reads the format gave no answer")
    return _unpack(answer)


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    last = (done.stderr.decode("utf-8", errors="replace").strip().splitlines() or [""])[-1][:200]
    if done.returncode < 0 and not last:
        last = f"the library that reads the format crashed or needed too much time, signal {-done.returncode}"
    return f"broken, or larger in memory than a file of its size can be ({last}); export it again, or as CSV"


def _unpack(answer: bytes) -> FileContent:
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


def _limit(size: int) -> None:
    """Limits on what this process may use from here on, where the system knows them (not on Windows)."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        with suppress(OSError):
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            most = pages * resource.getpagesize() + _MEMORY_BYTES + 4 * size
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        seconds = _CPU_SECONDS + size // _BYTES_A_SECOND
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def answer_for(reader: IsolatedReader, path: Path) -> tuple[int, bytes]:
    """0 and the tables of a file as bytes, or another number and why it is refused."""
    try:
        return 0, b"".join(_pack(reader.parse(path, "")))
    except MemoryError:
        words = "it needs more memory than a file of its size can; the file is broken, or export it as CSV"
    except TraceFormatError as error:
        words = str(error)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # what a library written in Rust panics with is no Exception
        words = f"cannot be read ({type(error).__name__}: {str(error)[:200]})"
    return _REFUSED, words.encode("utf-8", errors="replace")


def _main(module: str, kind: str, path: str, size: str) -> int:
    """What the other process does."""
    reader: IsolatedReader = getattr(importlib.import_module(module), kind)()
    _limit(int(size))
    code, answer = answer_for(reader, Path(path))
    sys.stdout.buffer.write(answer)
    return code


if __name__ == "__main__":
    raise SystemExit(_main(*sys.argv[1:]))
