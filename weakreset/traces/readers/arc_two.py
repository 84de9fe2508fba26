"""ArC TWO: the HDF5 of its control program, a log of pulses and reads for every crosspoint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.contract import ColumnsTable, FileContent, Recognition, says_simulated
from weakreset.traces.readers.hdf5_guard import BROKEN, MAGIC, Budget, attribute, members
from weakreset.traces.readers.isolated import read_guarded
from weakreset.traces.readers.pulse_log import count_pulses

__all__ = ["ArcTwoReader"]

_CELL = re.compile(r"^W\d{1,6}B\d{1,6}$")
_FIELDS = ("current", "voltage", "pulse_width", "read_voltage", "op_type")
_READ, _PULSE = 1, 2


class ArcTwoReader:
    """`crosspoints/WxxByy/timeseries`, of which only the first `NROWS` rows were measured.

    A crosspoint is a device. An operation is a read, a pulse, or a pulse and then a read; the pulse number of a read
    is the count of pulses so far. SET and the columns kept are those of ArC ONE. Currents have the sign that most of
    them need to give a positive resistance at their read voltage.
    """

    name = "arc-two"
    suffixes: tuple[str, ...] = (".h5",)

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By the HDF5 signature and the names of its groups."""
        if head.startswith(MAGIC) and b"crosspoints" in head and b"crossbar" in head:
            return Recognition(1.0, "an HDF5 file with the groups crossbar and crosspoints of ArC TWO")
        return None

    def read(self, path: Path) -> FileContent:
        """One table, a row a reading."""
        return read_guarded(self, path)

    def parse(self, path: Path) -> FileContent:
        """What `read` does, in a process of its own if the file is not large."""
        try:
            with h5py.File(path, "r") as root:
                budget = Budget("", path.stat().st_size)
                simulated = says_simulated(attribute(root, "simulated"))
                cells = list(_cells(root, budget))
        except BROKEN as error:
            raise TraceFormatError(f"broken HDF5 file ({str(error)[:200]})") from error
        if not any(len(log) for _, log in cells):
            raise TraceFormatError("no crosspoint has a row in its timeseries")
        table, unread, within_set = _readings(cells)
        if not table.n_rows:
            raise TraceFormatError(f"pulses but no read in any of {len(cells)} crosspoints")
        how = f"ArC TWO, {len(cells)} crosspoints, {unread} pulses without a read"
        how += f", {within_set} rows before the end of a SET excluded" if within_set else ""
        return FileContent([table], simulated, how)


def _cells(root: h5py.File, budget: Budget) -> Iterator[tuple[str, NDArray[Any]]]:
    """Name and log of every crosspoint."""
    groups = dict(members(root, budget))
    crosspoints = groups.get("crosspoints")
    if not isinstance(crosspoints, h5py.Group):
        raise TraceFormatError("no group `crosspoints` as in a file of ArC TWO")
    for name, cell in members(crosspoints, budget):
        place = f"crosspoint {name!r}"
        if not _CELL.match(name) or not isinstance(cell, h5py.Group):
            raise TraceFormatError(f"{place}: crosspoints are groups named like W01B17")
        log = dict(members(cell, budget)).get("timeseries")
        if log is not None:
            yield name, _log(log, budget, place)


def _log(log: Any, budget: Budget, place: str) -> NDArray[Any]:
    """The rows of a timeseries that were measured."""
    if not isinstance(log, h5py.Dataset) or log.ndim != 1 or not set(_FIELDS) <= set(log.dtype.names or ()):
        raise TraceFormatError(f"{place}: timeseries has not the columns {', '.join(_FIELDS)}")
    budget.take(log)
    stated = attribute(log, "NROWS")
    n_rows = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 16 else None
    if n_rows is None or n_rows > log.shape[0]:
        raise TraceFormatError(f"{place}: NROWS is {stated[:20]!r}, and {log.shape[0]} rows are allocated")
    rows: NDArray[Any] = log[:n_rows]
    wrong = [name for name in _FIELDS if rows.dtype[name].kind not in "iuf"]
    if wrong:
        raise TraceFormatError(f"{place}: {', '.join(wrong)} are not numbers")
    pulsed = (rows["op_type"].astype(np.int64) & _PULSE) != 0
    bad = np.flatnonzero(pulsed & ~np.isfinite(rows["voltage"].astype(float)))
    if bad.size:
        raise TraceFormatError(f"{place}, row {bad[0]}: a pulse of {rows['voltage'][bad[0]]} V cannot be counted")
    return rows


def _readings(cells: list[tuple[str, NDArray[Any]]]) -> tuple[ColumnsTable, int, int]:
    """Readings of all crosspoints, the number of pulses without a read, and of rows within a SET."""
    parts: list[dict[str, NDArray[Any]]] = []
    unread = within_set = 0
    for name, rows in cells:
        operation = rows["op_type"].astype(np.int64)
        amplitude = np.where(operation & _PULSE, rows["voltage"].astype(np.float64), 0.0)
        log = count_pulses(amplitude)
        was_read = (operation & _READ) != 0
        keep = was_read & ~log.within_set
        unread += int((~was_read).sum())
        within_set += int((was_read & log.within_set).sum())
        pulsed = log.last_pulse >= 0
        columns = {
            "device": np.full(len(rows), name, dtype=object), "cycle": log.cycle, "pulse": log.pulse,
            "current_a": rows["current"].astype(np.float64),
            "read_voltage_v": rows["read_voltage"].astype(np.float64),
            "amplitude_v": np.where(pulsed, amplitude[log.last_pulse], np.nan),
            "width_s": np.where(pulsed, rows["pulse_width"].astype(np.float64)[log.last_pulse], np.nan),
        }  # fmt: skip
        parts.append({name: column[keep] for name, column in columns.items()})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    with np.errstate(invalid="ignore", over="ignore"):
        signs = np.sign(joined["current_a"]) * np.sign(joined["read_voltage_v"])
    if np.nansum(signs) < 0:
        joined["current_a"] = -joined["current_a"]
    return ColumnsTable(list(joined), list(joined.values())), unread, within_set
