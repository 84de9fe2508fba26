"""Write traces as files that `load_traces` reads back exactly."""

from __future__ import annotations

import csv
import gzip
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceError
from weakreset.resources import write_atomically
from weakreset.traces.trace import PulseTrace
from weakreset.traces.trace_set import TraceSet

if TYPE_CHECKING:
    import h5py
    import pandas as pd

__all__ = ["SCHEMA", "SCHEMA_VERSION", "write_csv_long", "write_csv_wide", "write_hdf5"]

SCHEMA = "weakreset-traces"
SCHEMA_VERSION = "1.0.0"


def write_csv_long(traces: TraceSet, path: str | os.PathLike[str]) -> Path:
    """A row a read: `device,cycle,pulse,resistance_ohm` and the extra columns; atomic, gzipped if `path` ends in .gz.

    The first line is the comment `# simulated: true` (or false). `cycle` is left out where all are 0.

    Raises
    ------
    TraceError
        No traces, or a device name that a text file cannot hold.
    """
    _check(traces)
    frame = traces.to_frame()
    if not frame["cycle"].any():
        frame = frame.drop(columns="cycle")
    return _save(path, _comments(traces) + _csv(frame, traces))


def write_csv_wide(traces: TraceSet, path: str | os.PathLike[str]) -> Path:
    """A column a device, a row a pulse; an empty cell was not read; atomic.

    Raises
    ------
    TraceError
        The traces have cycles or extra columns, which this layout cannot hold.
    """
    _check(traces)
    import pandas as pd

    for trace in traces:
        if trace.cycle or trace.extras:
            what = f"cycle {trace.cycle}" if trace.cycle else f"extra columns {sorted(trace.extras)}"
            raise TraceError(
                f"device {trace.device!r} has {what}: a wide CSV cannot hold that; write a long one or HDF5"
            )
    columns = {trace.device: pd.Series(trace.resistance_ohm, index=trace.pulses) for trace in traces}
    frame = pd.DataFrame(columns).sort_index()
    frame.insert(0, "pulse", frame.index, allow_duplicates=True)
    header = _comments(traces) + "# layout: wide-by-column\n# unit: ohm\n# empty: not read\n"
    return _save(path, header + _csv(frame, traces))


def write_hdf5(traces: TraceSet, path: str | os.PathLike[str]) -> Path:
    """HDF5 in our layout (see `Hdf5Reader`): compact where all devices were read at the same pulses; atomic.

    Raises
    ------
    TraceError
        No traces, or a device name that cannot be stored.
    """
    _check(traces)
    import h5py

    first = traces.traces[0].pulses
    compact = all(not t.cycle and not t.extras and np.array_equal(t.pulses, first) for t in traces)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        root.attrs["schema"] = SCHEMA
        root.attrs["schema_version"] = SCHEMA_VERSION
        root.attrs["simulated"] = traces.simulated
        if compact:
            _write_compact(root, traces)
        else:
            width = len(str(len(traces)))
            for number, trace in enumerate(traces):
                _write_group(root, trace, f"{number:0{width}d}")
    return write_atomically(path, buffer.getvalue())


def _write_compact(root: h5py.File, traces: TraceSet) -> None:
    import h5py

    root.create_dataset("device", data=[trace.device for trace in traces], dtype=h5py.string_dtype())
    root.create_dataset("pulse", data=traces.traces[0].pulses)
    matrix = np.stack([trace.resistance_ohm for trace in traces])
    root.create_dataset("resistance", data=matrix, chunks=True, shuffle=True, compression="gzip")
    root["resistance"].attrs["unit"] = "ohm"


def _write_group(root: h5py.File, trace: PulseTrace, number: str) -> None:
    import h5py

    safe = "".join(c if c.isalnum() or c in "-_#" else "_" for c in trace.key)[:80]
    name = safe if safe == trace.key and f"traces/{safe}" not in root else f"{number}_{safe}"
    group = root.create_group(f"traces/{name}", track_order=True)
    group.attrs["device"] = trace.device
    group.attrs["cycle"] = trace.cycle
    group.create_dataset("pulse", data=trace.pulses)
    group.create_dataset("resistance", data=trace.resistance_ohm)
    group["resistance"].attrs["unit"] = "ohm"
    for key, values in trace.extras.items():
        array: NDArray[np.generic] = np.asarray(values)
        if array.dtype.kind in "iufb":
            group.create_dataset(key.replace("/", "_"), data=array)
        else:
            group.create_dataset(key.replace("/", "_"), data=[str(v) for v in array], dtype=h5py.string_dtype())


def _save(path: str | os.PathLike[str], text: str) -> Path:
    """Gzipped where the name says so, the same bytes for the same text."""
    packed = os.fspath(path).lower().endswith(".gz")
    return write_atomically(path, gzip.compress(text.encode(), mtime=0) if packed else text)


def _comments(traces: TraceSet) -> str:
    return f"# simulated: {'true' if traces.simulated else 'false'}\n"


def _csv(frame: pd.DataFrame, traces: TraceSet) -> str:
    """A name that begins like a comment is quoted, and then all names are."""
    risky = any(trace.device.startswith(("#", "%")) for trace in traces)
    if risky:
        return str(frame.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"))
    return str(frame.to_csv(index=False, lineterminator="\n"))


def _check(traces: TraceSet) -> None:
    if not traces.traces:
        raise TraceError("there are no traces to write")
    for trace in traces:
        name = trace.device
        if not name or name != name.strip() or not all(c.isprintable() for c in name):
            raise TraceError(
                f"device name {name!r} cannot be written: it must not be empty, begin or end with a space, or hold "
                "control characters"
            )
