"""Where a long table in HDF5 may be cut: between devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

from weakreset.errors import TraceFormatError
from weakreset.traces.vocabulary import classify_name

__all__ = ["device_blocks"]


def device_blocks(datasets: Mapping[str, h5py.Dataset], file: str, block_bytes: int) -> Iterator[slice | None]:
    """Stretches of rows of about `block_bytes` that hold whole devices; None for a table that need not be cut.

    Raises
    ------
    TraceFormatError
        A device comes back after another one began: such a table cannot be read in parts.
    """
    columns = {name: item for name, item in datasets.items() if item.ndim == 1}
    device = next((item for name, item in columns.items() if (classify_name(name) or ("",))[0] == "device"), None)
    row_bytes = sum(item.dtype.itemsize for item in columns.values())
    n_rows = 0 if device is None else int(device.shape[0])
    if device is None or n_rows * row_bytes <= block_bytes:
        yield None
        return
    step = max(1, block_bytes // row_bytes)
    begin, stop = 0, 0
    seen: set[Any] = set()
    while begin < n_rows:
        stop = min(max(stop, begin) + step, n_rows)
        names = np.asarray(device[begin:stop])
        changes = np.flatnonzero(names[1:] != names[:-1]) + 1
        if stop < n_rows and not changes.size:
            continue  # one device so far: look further
        end = begin + int(changes[-1]) if stop < n_rows else stop
        starts = np.concatenate([[0], changes[changes < end - begin]])
        for name in names[starts].tolist():
            if name in seen:
                raise TraceFormatError(
                    f"{file}, dataset {device.name}: device {name!r} comes back after another one; to read a table of "
                    "this size in parts, sort it by device"
                )
            seen.add(name)
        yield slice(begin, end)
        begin = stop = end
