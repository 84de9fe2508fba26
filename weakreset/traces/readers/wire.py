"""Tables as bytes, to pass them from one process to another: text as JSON, numbers raw, nothing that could run."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.contract import ColumnsTable, FileContent, Table

__all__ = ["MARK", "Buffer", "pack", "unpack"]

Buffer = bytes | memoryview

MARK = b"weakreset-tables\n"


def pack(content: FileContent) -> list[Buffer]:
    """The content as bytes, in pieces to be sent one after the other: numbers are not copied for it.

    Raises
    ------
    TypeError
        A table is not a `ColumnsTable`.
    """
    arrays: list[NDArray[Any]] = []
    described = []
    for table in content.tables:
        if not isinstance(table, ColumnsTable):
            raise TypeError(type(table))
        columns: list[Any] = []
        for column in table.columns:
            if column.dtype.kind in "iuf":
                wide = column.astype(np.int64 if column.dtype.kind == "i" else np.float64, copy=False)
                arrays.append(wide)
                columns.append(wide.dtype.str)
            else:
                columns.append([str(cell) for cell in column])
        if table.block is not None:
            arrays.append(table.block.astype(np.float64, copy=False))
        described.append(
            {"names": table.names, "columns": columns, "device": table.device, "metadata": dict(table.metadata),
             "has_header": table.has_header, "units": list(table.units), "hints": dict(table.hints),
             "n_rows": table.n_rows,
             "has_block": table.block is not None, "lines": None if table.lines is None else table.lines.tolist()}
        )  # fmt: skip
    head = json.dumps({"tables": described, "simulated": content.simulated, "how": content.how})
    raw = [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in arrays]
    return [MARK, head.encode(), b"\n", *raw]


def unpack(packed: bytes) -> FileContent:
    """What `pack` was given, from its pieces joined."""
    end = packed.index(b"\n", len(MARK))
    described = json.loads(packed[len(MARK) : end])
    position = end + 1

    def numbers(dtype: str, count: int) -> NDArray[Any]:
        nonlocal position
        found = np.frombuffer(packed, np.dtype(dtype), count, position)
        position += found.nbytes
        return found

    tables: list[Table] = []
    for item in described["tables"]:
        n_rows = item["n_rows"]
        columns = [_texts(c) if isinstance(c, list) else numbers(c, n_rows) for c in item["columns"]]
        width = len(item["names"]) - len(columns)
        block = numbers("<f8", n_rows * width).reshape(n_rows, width) if item["has_block"] else None
        lines = None if item["lines"] is None else np.array(item["lines"], dtype=np.int64)
        tables.append(
            ColumnsTable(
                item["names"], columns, item["device"], item["metadata"], item["has_header"], lines, block,
                item["units"], item["hints"],
            )
        )
    return FileContent(tables, described["simulated"], described["how"])


def _texts(cells: list[str]) -> NDArray[np.object_]:
    texts = np.empty(len(cells), dtype=object)
    texts[:] = cells
    return texts
