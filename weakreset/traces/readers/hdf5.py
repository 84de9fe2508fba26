"""HDF5: our own layout, and one group a device with a dataset a column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.resources import display_path
from weakreset.traces.column_names import alike
from weakreset.traces.column_role import VALUES
from weakreset.traces.contract import ColumnsTable, FileContent, Recognition, Table, says_simulated
from weakreset.traces.readers.hdf5_axes import axes_tables, many_axes
from weakreset.traces.readers.hdf5_compound import compound_tables
from weakreset.traces.readers.hdf5_guard import (
    BROKEN,
    MAGIC,
    MOST_OBJECTS,
    Budget,
    attribute,
    stored_bytes,
    walk,
    words_of_attributes,
)
from weakreset.traces.readers.isolated import read_guarded
from weakreset.traces.readers.matrix import matrix_table, rows_are_devices
from weakreset.traces.readers.stated_units import text_of_attribute, units_of_keys
from weakreset.traces.vocabulary import role_of

__all__ = ["Hdf5Reader"]

_LARGEST_BYTES = 2 << 30  # 2 GB in one piece; --stream reads any size
_BLOCK_BYTES = 64 << 20  # a part of a stream, 64 MB, or so many devices as below
_BLOCK_DEVICES = 1000
_MOST_OF_A_TABLE = 12  # columns: more is a matrix
_OBJECT_BYTES = 500  # a group or dataset takes more


class Hdf5Reader:
    """HDF5 files.

    Our layout (`schema` = "weakreset-traces", `schema_version`, `simulated` as attributes of the root) is either

    - groups: `/traces/<name>` with datasets `pulse` and `resistance` (attribute `unit`), attributes `device` and
      `cycle`, further datasets of the same length as extra columns; or
    - compact: `/pulse` (n_pulses,), `/device` (n_devices,), `/resistance` (n_devices, n_pulses), NaN where not read.

    Any other file with one group a device, columns as datasets named as in a CSV header, is read too, and so is a
    flat file with a `device` dataset and `conductance` or `current` in place of `resistance`; a dataset of three axes
    and more where the file names its axes (labels, scales, vectors as long); and datasets of alike names, a device
    each. A matrix is turned where
    the lengths of `device` and `pulse` say so; of a square one, a map has to say which side is pulses. Links and
    storage in other files are refused; sizes are checked before anything is read.
    """

    name = "hdf5"
    suffixes: tuple[str, ...] = (".h5", ".hdf5", ".hdf")

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By the signature that every HDF5 file begins with."""
        if head.startswith(MAGIC):
            return Recognition(1.0, "it begins with the HDF5 signature")
        return Recognition(0.2, f"its name ends in {path.suffix}") if path.suffix.lower() in self.suffixes else None

    def read(self, path: Path) -> FileContent:
        """A table a group."""
        return read_guarded(self, path)

    def parse(self, path: Path) -> FileContent:
        """What `read` does, in a process of its own if the file is not large."""
        try:
            with h5py.File(path, "r") as root:
                budget = Budget("", path.stat().st_size, _LARGEST_BYTES)
                walked = list(walk(root, budget))
                groups = [(group, _readable(found)) for group, found in walked]
                tables = [table for group, found in groups for table in _tables(group, found, budget)]
                tables += [table for _, found in walked for table in compound_tables(found, budget)]
                for wide in (_beside_pulses, _alike, _unexplained):  # nothing is called a reading: devices by name
                    tables = tables or [t for group, found in groups for t in wide(group, found, budget)]
                simulated = says_simulated(attribute(root, "simulated"))
                schema = attribute(root, "schema")
        except BROKEN as error:
            raise TraceFormatError(f"broken HDF5 file ({str(error)[:200]})") from error
        if not tables:
            raise TraceFormatError(
                "no group holds readings; expected `traces/<device>` with datasets pulse and resistance, "
                "or the like (`weakreset template hdf5` writes an example)"
            )
        how = "weakreset layout" if schema == "weakreset-traces" else "datasets as columns"
        return FileContent(tables, simulated, f"{how}, {len(tables)} tables" if len(tables) > 1 else how)

    def stream(self, path: Path) -> Iterator[FileContent]:
        """The tables of a file of any size, some at a time: up to 1,000 devices or 64 MiB, whichever is less.

        A matrix is cut between rows, a table with a device column where the device changes; one device is never cut.
        """
        file = display_path(path)
        budget = Budget(file, path.stat().st_size, _LARGEST_BYTES)
        try:
            with h5py.File(path, "r") as root:
                budget.objects_left = max(MOST_OBJECTS, budget.file_bytes // _OBJECT_BYTES)
                simulated = says_simulated(attribute(root, "simulated"))
                batch: list[Table] = []
                for table in _pieces(root, budget):
                    batch.append(table)
                    if len(batch) == _BLOCK_DEVICES or budget.bytes_taken > _BLOCK_BYTES:
                        yield FileContent(batch, simulated, "datasets, read in parts")
                        batch, budget.bytes_taken = [], 0
                if batch:
                    yield FileContent(batch, simulated, "datasets, read in parts")
        except BROKEN as error:
            raise TraceFormatError(f"{file}: broken HDF5 file ({str(error)[:200]})") from error


def _pieces(root: h5py.File, budget: Budget) -> Iterator[Table]:
    for group, everything in walk(root, budget):
        datasets = _readable(everything)
        yield from compound_tables(everything, budget)
        matrix = _matrix_name(datasets)
        if matrix is not None:
            item = datasets[matrix]
            n_pulses, n_devices, owned = _sides(datasets, matrix)
            if not owned and not rows_are_devices(item.shape, n_pulses, n_devices):
                yield _compact(datasets, matrix, budget)
                continue
            rows = max(1, min(_BLOCK_DEVICES, _BLOCK_BYTES // max(1, stored_bytes(item) // max(1, item.shape[0]))))
            for start in range(0, item.shape[0], rows):
                yield _compact(datasets, matrix, budget, slice(start, min(start + rows, item.shape[0])))
        elif any(role_of(name) in VALUES for name in datasets):
            for rows in _device_blocks(datasets, budget.file, _BLOCK_BYTES):
                yield from _columns(group, datasets, budget, rows)


def _device_blocks(datasets: Mapping[str, h5py.Dataset], file: str, block_bytes: int) -> Iterator[slice | None]:
    """Stretches of rows of about `block_bytes` that hold whole devices; None for a table that need not be cut.

    Raises
    ------
    TraceFormatError
        A device comes back after another one began: such a table cannot be read in parts.
    """
    columns = {name: item for name, item in datasets.items() if item.ndim == 1}
    device = next((item for name, item in columns.items() if role_of(name) == "device"), None)
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


def _tables(group: h5py.Group, datasets: dict[str, h5py.Dataset], budget: Budget) -> list[Table]:
    if many_axes(datasets):
        return list(axes_tables(datasets, lambda item: _values(item, budget), _metadata(group, budget)))
    matrix = _matrix_name(datasets)
    return _columns(group, datasets, budget) if matrix is None else [_compact(datasets, matrix, budget)]


def _beside_pulses(group: h5py.Group, datasets: dict[str, h5py.Dataset], budget: Budget) -> list[Table]:
    """A dataset a device beside one of pulses."""
    return _columns(group, datasets, budget, wide=True)


def _alike(group: h5py.Group, datasets: dict[str, h5py.Dataset], budget: Budget) -> list[Table]:
    """Datasets that are a device each by alike names: vectors of one length, or each a table of a few columns."""
    numbers = {name: item for name, item in datasets.items() if item.dtype.kind in "iuf" and item.size}
    if not numbers or len({alike(name) for name in numbers}) > 1:
        return []
    about, where = _metadata(group, budget), (group.name or "").strip("/")
    vectors = {name: item for name, item in numbers.items() if item.ndim == 1}
    if len(vectors) == len(numbers) > 1 and len({item.shape for item in vectors.values()}) == 1:
        units = [units_of_keys(item.attrs) for item in vectors.values()]
        arrays = [_values(item, budget) for item in vectors.values()]
        return [ColumnsTable(list(vectors), arrays, where, about, units=units, hints={"table": where})]
    if any(item.ndim != 2 or item.shape[1] > _MOST_OF_A_TABLE for item in numbers.values()):
        return []
    return [_columns_of(item, budget, about, f"{where}/{name}".lstrip("/")) for name, item in numbers.items()]


def _unexplained(group: h5py.Group, datasets: dict[str, h5py.Dataset], budget: Budget) -> list[Table]:
    """Vectors whose names say nothing, to be asked about: as columns where they are of one length, else each alone."""
    if "pandas_type" in group.attrs:
        raise TraceFormatError(
            "a frame stored by pandas, whose parts may be pickles. Write it as CSV (needs `pip install tables`): "
            f"python -c \"import pandas; pandas.read_hdf('FILE', '{(group.name or '').strip('/')}').to_csv('FILE.csv', "
            "index=False)\""
        )
    numbers = {name: item for name, item in datasets.items() if item.dtype.kind in "iuf" and item.ndim == 1}
    vectors = {name: item for name, item in numbers.items() if item.size > 1}
    if not any(role_of(name) == "" for name in vectors):
        return []  # pulse numbers alone: nothing to ask
    about, where = _metadata(group, budget), (group.name or "").strip("/")
    together = len({item.shape for item in vectors.values()}) == 1
    found = [list(vectors)] if together else [[name] for name in vectors]
    tables: list[Table] = []
    for names in found:
        arrays = [_values(vectors[name], budget) for name in names]
        units = [units_of_keys(vectors[name].attrs) for name in names]
        device = where if together else f"{where}/{names[0]}".lstrip("/")
        tables.append(ColumnsTable(names, arrays, device, about, units=units, hints={"table": where}))
    return tables


def _columns_of(item: h5py.Dataset, budget: Budget, about: dict[str, str], device: str) -> Table:
    """A dataset of rows and columns; an attribute of as many words names them."""
    names = next(
        (words for key in item.attrs if len(words := _words_of(item.attrs[key])) == item.shape[1]),
        [f"column {i}" for i in range(item.shape[1])],
    )
    named = names[0] != "column 0"
    return ColumnsTable(names, list(_values(item, budget).T), device, about, has_header=named)


def _words_of(value: Any) -> list[str]:
    """An attribute that is a list of words; [] for any other."""
    cells = np.ravel(np.asarray(value, dtype=object)).tolist()
    words = [_plain(cell) for cell in cells if isinstance(cell, str | bytes)]
    return words if len(words) == len(cells) and len(set(words)) == len(words) else []


def _readable(datasets: dict[str, h5py.Dataset]) -> dict[str, h5py.Dataset]:
    """Datasets of numbers or text."""
    return {
        name: item
        for name, item in datasets.items()
        if item.shape is not None
        and (item.dtype.kind in "iufS" or h5py.check_string_dtype(item.dtype) is not None)
    }


def _matrix_name(datasets: dict[str, h5py.Dataset]) -> str | None:
    return next((name for name, item in datasets.items() if item.ndim == 2 and role_of(name) in VALUES), None)


def _columns(
    group: h5py.Group,
    datasets: dict[str, h5py.Dataset],
    budget: Budget,
    rows: slice | None = None,
    wide: bool = False,
) -> list[Table]:
    """Datasets of one length as a table; `wide`: a dataset a device beside one of pulses will do."""
    columns = {name: item for name, item in datasets.items() if item.ndim == 1}
    roles = {role_of(name) for name in columns}
    if not roles & set(VALUES) and not (wide and "pulse" in roles and len(columns) > 1):
        return []
    lengths = {name: item.shape[0] for name, item in columns.items()}
    if len(set(lengths.values())) > 1:
        raise TraceFormatError(budget.place(f"{group.name}: columns of different lengths: {lengths}"))
    arrays = {name: _values(item, budget, rows) for name, item in columns.items()}
    about = _metadata(group, budget)
    units = [units_of_keys(item.attrs) for item in columns.values()]
    cycle = attribute(group, "cycle")
    if cycle and "cycle" not in roles:
        arrays["cycle"] = np.full(len(next(iter(arrays.values()))), float(cycle))
        units.append("")
    own_name = (group.name or "").strip("/").split("/")
    device = attribute(group, "device") or own_name[-1]
    within = own_name if wide or "device" in roles else own_name[:-1]  # a group of one device is called after it
    read = next((item for name, item in columns.items() if role_of(name) in VALUES), None)
    known = any(units) or "unit" in about
    words = "" if known else words_of_attributes(group.file, group, read)  # slow where there are thousands of groups
    hints = {"table": "/".join(within), "description of it": words}
    return [ColumnsTable(list(arrays), list(arrays.values()), device, about, units=units, hints=hints)]


def _compact(
    datasets: dict[str, h5py.Dataset], matrix: str, budget: Budget, rows: slice | None = None
) -> Table:
    n_pulses, n_devices, owned = _sides(datasets, matrix)
    known = True if owned else rows_are_devices(datasets[matrix].shape, n_pulses, n_devices)
    values = _values(datasets[matrix], budget, rows)
    vectors: dict[str, NDArray[Any]] = {}
    pulses = None
    for name, item in datasets.items():
        if item.ndim == 1 and role_of(name) == "pulse":
            pulses = _values(item, budget)
        elif item.ndim == 1 and item.shape[0] in datasets[matrix].shape:
            vectors[name] = _values(item, budget, rows if known else None)
    about = _metadata(datasets[matrix].parent, budget) | {"reading": matrix, "empty": "not read"}
    if unit := units_of_keys(datasets[matrix].attrs):
        about["unit"] = unit
    table = matrix_table(values, pulses, vectors, about, budget.place(f"dataset {datasets[matrix].name}"), known)
    group = datasets[matrix].parent
    table.hints = {"description of it": words_of_attributes(group.file, group, datasets[matrix])}
    return table


def _sides(datasets: dict[str, h5py.Dataset], matrix: str) -> tuple[int | None, int | None, bool]:
    """Lengths of the vectors of pulses and devices; and whether it is our layout, whose rows are devices."""
    lengths = {role_of(name): int(item.shape[0]) for name, item in datasets.items() if item.ndim == 1}
    owned = attribute(datasets[matrix].file, "schema") == "weakreset-traces"
    return lengths.get("pulse"), lengths.get("device"), owned


def _values(dataset: h5py.Dataset, budget: Budget, rows: slice | None = None) -> NDArray[Any]:
    budget.take(dataset, rows)
    values = dataset[() if rows is None else rows]
    if dataset.dtype.kind in "iuf":
        return _as_measured(np.asarray(values, np.float64) if values.dtype.kind == "f" else np.asarray(values), dataset)
    return np.array([_plain(cell) for cell in values.tolist()], dtype=object)


def _as_measured(values: NDArray[Any], dataset: h5py.Dataset) -> NDArray[Any]:
    """Stored numbers with fill values empty, scaled and offset as the attributes of the netCDF convention say."""
    fills = [
        fill
        for key in ("_FillValue", "missing_value")
        if key in dataset.attrs
        for fill in np.ravel(np.asarray(dataset.attrs[key])).tolist()
        if isinstance(fill, int | float)
    ]
    filled = np.isin(values, np.asarray(fills, dtype=dataset.dtype)) if fills else np.zeros(0, dtype=bool)
    scale, offset = (_number(dataset, key, plain) for key, plain in (("scale_factor", 1.0), ("add_offset", 0.0)))
    if scale != 1.0 or offset != 0.0:
        values = values * scale + offset
    return np.where(filled, np.nan, values) if filled.any() else values


def _number(dataset: h5py.Dataset, key: str, plain: float) -> float:
    """An attribute of one number, `plain` where there is none.

    Raises
    ------
    TraceFormatError
        It is no number, or several.
    """
    if key not in dataset.attrs:
        return plain
    text = text_of_attribute(dataset.attrs[key])
    try:
        return float(text)
    except ValueError:
        raise TraceFormatError(f"dataset {dataset.name}: its attribute {key} is {text[:60]!r}, not a number") from None


def _plain(cell: object) -> str:
    return cell.decode("utf-8", errors="replace") if isinstance(cell, bytes) else str(cell)


def _metadata(group: h5py.Group, budget: Budget) -> dict[str, str]:
    """What attributes of a group, or else of the file, say of all its readings."""
    if budget.about is None:  # of the file: asked once, since opening its root takes as long as reading a trace
        root = group.file
        budget.about = {"read_voltage_v": attribute(root, "read_voltage_v"), "unit": units_of_keys(root.attrs)}
    own = {"read_voltage_v": attribute(group, "read_voltage_v"), "unit": units_of_keys(group.attrs)}
    return {key: words for key in own if (words := own[key] or budget.about[key])}
