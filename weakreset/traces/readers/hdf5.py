"""HDF5: our own layout, and one group a device with a dataset a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.resources import display_path
from weakreset.traces.readers.array_table import ArrayTable, MatrixTable
from weakreset.traces.readers.columns_table import says_simulated
from weakreset.traces.readers.hdf5_blocks import device_blocks
from weakreset.traces.readers.isolated import try_elsewhere
from weakreset.traces.readers.registry import Recognition
from weakreset.traces.table import FileContent, Table
from weakreset.traces.units import QUANTITIES
from weakreset.traces.vocabulary import classify_name

__all__ = ["ArrayTable", "Hdf5Reader"]

_MAGIC = b"\x89HDF\r\n\x1a\n"
_LARGEST_BYTES = 2 << 30
_BLOCK_BYTES = 64 << 20
_BLOCK_DEVICES = 1000
_LARGEST_CHUNK = 256 << 20
_LARGEST_RATIO = 50
_RATIO_FROM = 32 << 20
_DEEPEST = 6
_MOST_OBJECTS = 200_000
_OBJECT_BYTES = 500  # a group or dataset takes more
_VALUES = frozenset(QUANTITIES) - {"read_voltage"}


# What h5py raises on files that are cut or altered.
_BROKEN = (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError, OverflowError, AttributeError)


@dataclass
class _Budget:
    """What a file may still make us read."""

    file: str
    file_bytes: int
    bytes_left: int = field(default_factory=lambda: _LARGEST_BYTES)
    objects_left: int = _MOST_OBJECTS

    def take(self, dataset: h5py.Dataset, rows: slice | None = None) -> None:
        size = stored_bytes(dataset)
        place = f"{self.file}, dataset {dataset.name}"
        if dataset.external or dataset.is_virtual:
            raise TraceFormatError(f"{place}: its values lie in another file; files that point elsewhere are refused")
        self.bytes_left -= size if rows is None else size * (rows.stop - rows.start) // max(dataset.shape[0], 1)
        if self.bytes_left < 0:
            limit = _LARGEST_BYTES >> 20
            raise TraceFormatError(
                f"{place}: shape {dataset.shape} is more than the {limit} MiB we hold; `weakreset fit --stream` or "
                "`weakreset.stream_traces` read it in parts"
            )
        if size > _RATIO_FROM and size > _LARGEST_RATIO * self.file_bytes:
            raise TraceFormatError(f"{place}: shape {dataset.shape} in a file of {self.file_bytes} bytes is absurd")
        if dataset.chunks and int(np.prod(dataset.chunks, dtype=float)) * dataset.dtype.itemsize > _LARGEST_CHUNK:
            raise TraceFormatError(f"{place}: chunks of {dataset.chunks} are too large to read safely")


class Hdf5Reader:
    """HDF5 files.

    Our layout (`schema` = "weakreset-traces", `schema_version`, `simulated` as attributes of the root) is either

    - groups: `/traces/<name>` with datasets `pulse` and `resistance` (attribute `unit`), attributes `device` and
      `cycle`, further datasets of the same length as extra columns; or
    - compact: `/pulse` (n_pulses,), `/device` (n_devices,), `/resistance` (n_devices, n_pulses), NaN where not read.

    Any other file with one group a device, columns as datasets named as in a CSV header, is read too, and so is a
    flat file with a `device` dataset and `conductance` or `current` in place of `resistance`. Links and storage in
    other files are refused; sizes are checked before anything is read.
    """

    name = "hdf5"
    suffixes: tuple[str, ...] = (".h5", ".hdf5", ".hdf")

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By the signature that every HDF5 file begins with."""
        if head.startswith(_MAGIC):
            return Recognition(1.0, "it begins with the HDF5 signature")
        return Recognition(0.2, f"its name ends in {path.suffix}") if path.suffix.lower() in self.suffixes else None

    def read(self, path: Path) -> FileContent:
        """A table a group."""
        try_elsewhere(self, path)
        file = display_path(path)
        try:
            with h5py.File(path, "r") as root:
                budget = _Budget(file, path.stat().st_size)
                tables = [table for group in _groups(root, budget, 0) for table in _tables(group, budget)]
                simulated = says_simulated(_attribute(root, "simulated"))
                schema = _attribute(root, "schema")
        except _BROKEN as error:
            raise TraceFormatError(f"{file}: broken HDF5 file ({str(error)[:200]})") from error
        if not tables:
            raise TraceFormatError(
                f"{file}: no group holds readings; expected `traces/<device>` with datasets pulse and resistance, "
                "or the like (`weakreset template hdf5` writes an example)"
            )
        how = "weakreset layout" if schema == "weakreset-traces" else "datasets as columns"
        return FileContent(tables, simulated, f"{how}, {len(tables)} tables" if len(tables) > 1 else how)

    def stream(self, path: Path) -> Iterator[FileContent]:
        """The tables of a file of any size, some at a time: up to 1,000 devices or 64 MiB, whichever is less.

        A matrix is cut between rows, a table with a device column where the device changes; one device is never cut.
        """
        file = display_path(path)
        budget = _Budget(file, path.stat().st_size)
        try:
            with h5py.File(path, "r") as root:
                budget.objects_left = max(_MOST_OBJECTS, budget.file_bytes // _OBJECT_BYTES)
                simulated = says_simulated(_attribute(root, "simulated"))
                batch: list[Table] = []
                for table in _pieces(root, budget):
                    batch.append(table)
                    if len(batch) == _BLOCK_DEVICES or budget.bytes_left < _LARGEST_BYTES - _BLOCK_BYTES:
                        yield FileContent(batch, simulated, "datasets, read in parts")
                        batch, budget.bytes_left = [], _LARGEST_BYTES
                if batch:
                    yield FileContent(batch, simulated, "datasets, read in parts")
        except _BROKEN as error:
            raise TraceFormatError(f"{file}: broken HDF5 file ({str(error)[:200]})") from error


def stored_bytes(dataset: h5py.Dataset) -> int:
    """Bytes that all of a dataset would take."""
    return int(dataset.size or 0) * int(dataset.dtype.itemsize)


def _pieces(root: h5py.File, budget: _Budget) -> Iterator[Table]:
    for group in _groups(root, budget, 0):
        datasets = _datasets(group, budget)
        matrix = _matrix_name(datasets)
        if matrix is not None:
            item = datasets[matrix]
            rows = max(1, min(_BLOCK_DEVICES, _BLOCK_BYTES // max(1, stored_bytes(item) // max(1, item.shape[0]))))
            for start in range(0, item.shape[0], rows):
                yield _compact(datasets, matrix, budget, slice(start, min(start + rows, item.shape[0])))
        elif any(_role(name) in _VALUES for name in datasets):
            for rows in device_blocks(datasets, budget.file, _BLOCK_BYTES):
                yield from _columns(group, datasets, budget, rows)


def _attribute(item: Any, name: str) -> str:
    value = item.attrs.get(name, "")
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def _members(group: h5py.Group, budget: _Budget) -> Iterator[tuple[str, Any]]:
    for name in group:
        budget.objects_left -= 1
        if budget.objects_left < 0:
            raise TraceFormatError(f"{budget.file}: more than {_MOST_OBJECTS} groups and datasets")
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise TraceFormatError(
                f"{budget.file}, {group.name}: {name!r} points to another file ({link.filename!r}); "
                "files that point elsewhere are refused"
            )
        if isinstance(link, h5py.SoftLink) and link.path not in group:
            raise TraceFormatError(f"{budget.file}, {group.name}: {name!r} points to {link.path!r}, which is not there")
        yield name, group[name]


def _groups(group: h5py.Group, budget: _Budget, depth: int) -> Iterator[h5py.Group]:
    """This group and those under it; soft links are not followed, and no file is that deep."""
    yield group
    for name, member in _members(group, budget):
        if isinstance(member, h5py.Group) and isinstance(group.get(name, getlink=True), h5py.HardLink):
            if depth == _DEEPEST:
                raise TraceFormatError(f"{budget.file}, {member.name}: groups nested more than {_DEEPEST} deep")
            yield from _groups(member, budget, depth + 1)


def _tables(group: h5py.Group, budget: _Budget) -> list[Table]:
    datasets = _datasets(group, budget)
    matrix = _matrix_name(datasets)
    if matrix is not None:
        return [_compact(datasets, matrix, budget)]
    return _columns(group, datasets, budget)


def _datasets(group: h5py.Group, budget: _Budget) -> dict[str, h5py.Dataset]:
    return {name: item for name, item in _members(group, budget) if isinstance(item, h5py.Dataset) and _readable(item)}


def _matrix_name(datasets: dict[str, h5py.Dataset]) -> str | None:
    return next((name for name, item in datasets.items() if item.ndim == 2 and _role(name) in _VALUES), None)


def _columns(
    group: h5py.Group, datasets: dict[str, h5py.Dataset], budget: _Budget, rows: slice | None = None
) -> list[Table]:
    columns = {name: item for name, item in datasets.items() if item.ndim == 1}
    roles = {_role(name) for name in columns}
    if not roles & _VALUES:
        return []
    lengths = {name: item.shape[0] for name, item in columns.items()}
    if len(set(lengths.values())) > 1:
        raise TraceFormatError(f"{budget.file}, {group.name}: columns of different lengths: {lengths}")
    arrays = {_with_unit(name, item): _values(item, budget, rows) for name, item in columns.items()}
    cycle = _attribute(group, "cycle")
    if cycle and "cycle" not in roles:
        arrays["cycle"] = np.full(len(next(iter(arrays.values()))), float(cycle))
    device = _attribute(group, "device") or (group.name or "").rsplit("/", 1)[-1]
    return [ArrayTable(arrays, device, _metadata(group))]


def _compact(
    datasets: dict[str, h5py.Dataset], matrix: str, budget: _Budget, rows: slice | None = None
) -> Table:
    n_devices, n_pulses = datasets[matrix].shape
    values = _values(datasets[matrix], budget, rows)
    columns: dict[str, NDArray[Any]] = {}
    pulses = np.arange(n_pulses, dtype=np.float64)
    for name, item in datasets.items():
        if item.ndim == 1 and _role(name) == "pulse":
            pulses = _values(item, budget).astype(np.float64)
        elif item.ndim == 1 and item.shape[0] == n_devices:
            columns[_with_unit(name, item)] = _values(item, budget, rows)
    place = f"{budget.file}, dataset {datasets[matrix].name}"
    if len(pulses) != n_pulses:
        raise TraceFormatError(f"{place}: {n_pulses} columns but {len(pulses)} pulse numbers")
    whole = np.isfinite(pulses) & (pulses == np.floor(pulses)) & (pulses >= 0) & (pulses < 2.0**53)
    if not whole.all() or np.any(np.diff(pulses) <= 0):
        raise TraceFormatError(f"{place}: pulse numbers must be whole and increasing")
    unit = _attribute(datasets[matrix], "unit") or _attribute(datasets[matrix], "units")
    metadata = {"unit": unit or QUANTITIES[_role(matrix)], "empty": "not read", "layout": "wide-by-row"}
    return MatrixTable(columns, pulses.astype(np.int64), values, metadata)


def _role(name: str) -> str:
    known = classify_name(name)
    return known[0] if known else ""


def _readable(dataset: h5py.Dataset) -> bool:
    return dataset.shape is not None and (
        dataset.dtype.kind in "iufS" or h5py.check_string_dtype(dataset.dtype) is not None
    )


def _with_unit(name: str, dataset: h5py.Dataset) -> str:
    unit = _attribute(dataset, "unit") or _attribute(dataset, "units")
    return f"{name} [{unit}]" if unit and _role(name) in QUANTITIES else name


def _values(dataset: h5py.Dataset, budget: _Budget, rows: slice | None = None) -> NDArray[Any]:
    budget.take(dataset, rows)
    values = dataset[() if rows is None else rows]
    if dataset.dtype.kind in "iuf":
        return np.asarray(values, dtype=np.float64) if values.dtype.kind == "f" else np.asarray(values)
    return np.array([_plain(cell) for cell in values.tolist()], dtype=object)


def _plain(cell: object) -> str:
    return cell.decode("utf-8", errors="replace") if isinstance(cell, bytes) else str(cell)


def _metadata(group: h5py.Group) -> dict[str, str]:
    voltage = _attribute(group, "read_voltage_v")
    return {"read_voltage_v": voltage} if voltage else {}
