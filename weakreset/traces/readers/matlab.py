"""MATLAB files, versions 5 to 7.3: struct arrays, matrices and vectors with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError, require
from weakreset.traces.column_role import VALUES
from weakreset.traces.contract import ColumnsTable, FileContent, Recognition, cell_text, column_of, says_simulated
from weakreset.traces.readers.isolated import read_isolated
from weakreset.traces.readers.matrix import matrix_table, rows_are_devices
from weakreset.traces.vocabulary import is_unit_key, role_of, unit_of_quantity

__all__ = ["MatlabReader"]

_MAGIC = b"MATLAB "


class MatlabReader:
    """`.mat` files, through pymatreader.

    - a struct array, an element a device or cycle, with fields named as in a CSV header (`pulse`, `R_kohm`, ...):
      vectors are columns, single values and text hold for all rows;
    - a struct, or the workspace itself, of vectors of one length;
    - cell arrays of vectors, a cell a device, with a cell array of names;
    - a matrix of readings with a vector `pulse` (and a cell array `device`): the side as long as `pulse` is pulses.

    Objects, functions and tables of MATLAB are left out and named.
    """

    name = "matlab"
    suffixes: tuple[str, ...] = (".mat",)
    packages = ("h5py", "pymatreader")

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By the words that MATLAB files begin with."""
        if head.startswith(_MAGIC) and b"MAT-file" in head[:116]:
            return Recognition(1.0, f"it begins with {head[:19].decode('ascii', errors='replace')!r}")
        return Recognition(0.3, f"its name ends in {path.suffix}") if path.suffix.lower() in self.suffixes else None

    def read(self, path: Path) -> FileContent:
        """A table a struct."""
        require("pymatreader", "matlab", "MATLAB files")
        return read_isolated(self, path)

    def parse(self, path: Path) -> FileContent:
        """What `read` does, in a process of its own."""
        import h5py
        import pymatreader

        if h5py.is_hdf5(path):
            _check_hdf5(path)
        variables = {k: v for k, v in pymatreader.read_mat(str(path)).items() if not k.startswith(("__", "#"))}
        simulated = says_simulated(cell_text(variables.pop("simulated", "")))
        general = _stated_units(variables)
        words = " ; ".join(_words(variables))
        tables, left_out = _tables(variables)
        for table in tables:
            table.metadata = general | dict(table.metadata)
            table.hints = {**table.hints, "text beside it": words}
        if not tables:
            raise TraceFormatError(
                f"no struct, matrix or vectors of readings; its variables are {', '.join(map(repr, variables))[:200]}. "
                "Name them as columns of a CSV (pulse, resistance, device) or save a table of numbers"
            )
        how = f"{len(tables)} table{'s' if len(tables) > 1 else ''}"
        how += f"; left out: {', '.join(left_out)[:200]}" if left_out else ""
        return FileContent(tables, simulated, how)


def _check_hdf5(path: Path) -> None:
    """Refuse links and storage in other files, and sizes that no memory holds, before anything is read."""
    import h5py

    from weakreset.traces.readers.hdf5_guard import Budget, walk

    budget = Budget("", path.stat().st_size, links=False, deepest=64, advice="")
    with h5py.File(path, "r") as root:
        for _, datasets in walk(root, budget):
            for item in datasets.values():
                budget.take(item)


def _tables(variables: Mapping[str, Any]) -> tuple[list[ColumnsTable], list[str]]:
    """Tables of a workspace, and the names of what is none of them."""
    variables = _opened(variables)
    whole, left_out = _table(variables, "", "")
    if whole is not None:
        return [whole], left_out
    tables: list[ColumnsTable] = []
    left_out = []
    structs = {name: elements for name, value in variables.items() if (elements := _elements(value))}
    for name, value in variables.items():
        found = []
        for i, element in enumerate(structs.get(name, [])):
            many = len(structs[name]) > 1
            device = f"{name}({i + 1})" if many else name if len(structs) > 1 else ""
            table, lost = _table(element, device, f"{name}({i + 1})." if many else f"{name}.")
            found += [table] if table is not None else []
            left_out += lost if table is not None else [name] if not many else [f"{name}({i + 1})"]
        tables += found
        left_out += [name] if name not in structs and value is not None else []
    if not tables and (cells := _cells_of_vectors(variables)):
        return cells
    if not tables and (beside_pulses := _columns_beside_pulses(variables)) is not None:
        return [beside_pulses], [name for name in variables if name not in beside_pulses.names]
    if not tables:
        matrices = {n: a for n, v in variables.items() if (a := _numbers(v)) is not None and a.ndim == 2}
        if len(matrices) == 1:
            name, matrix = next(iter(matrices.items()))
            names = [f"column {i}" for i in range(matrix.shape[1])]
            return [ColumnsTable(names, list(matrix.T), has_header=False)], [n for n in variables if n != name]
    return tables, left_out


def _cells_of_vectors(variables: Mapping[str, Any]) -> tuple[list[ColumnsTable], list[str]] | None:
    """Cell arrays whose elements are vectors, or tables of numbers, of a device each; with the cells that name them."""
    arrays = {name: found for name, value in variables.items() if (found := _each_numbers(value))}
    counts = {len(found) for found in arrays.values()}
    if len(counts) != 1:
        return None
    named = {n: t for n, v in variables.items() if n not in arrays and (t := _texts(v)) is not None and t.ndim == 1}
    names = [t for t in named.values() if {len(t)} == counts]
    tables = []
    for i in range(counts.pop()):
        device = str(names[0][i]) if len(names) == 1 else f"{next(iter(arrays))}({i + 1})"
        own = {name: found[i] for name, found in arrays.items()}
        if len(own) == 1 and (table := next(iter(own.values()))).ndim == 2:
            columns = [f"column {k}" for k in range(table.shape[1])]
            tables.append(ColumnsTable(columns, list(table.T), device, has_header=False))
        elif len({cells.shape for cells in own.values()}) == 1:
            tables.append(ColumnsTable(list(own), list(own.values()), device, _stated_units(variables)))
        else:
            raise TraceFormatError(f"{device}: cells of unlike sizes {({n: c.shape for n, c in own.items()})}")
    left_out = [n for n in variables if n not in arrays and not (len(names) == 1 and named.get(n) is names[0])]
    return tables, left_out


def _each_numbers(value: Any) -> list[NDArray[Any]]:
    """The elements of a cell array of vectors; [] for anything else."""
    cells = value.tolist() if isinstance(value, np.ndarray) and value.dtype == object else value
    if not isinstance(cells, list) or len(cells) < 2 or any(np.ndim(cell) == 0 for cell in cells):
        return []
    arrays = [array for cell in cells if (array := _numbers(cell)) is not None and array.size > 1]
    return arrays if len(arrays) == len(cells) else []


def _opened(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """A struct that holds nothing but structs, `devices.D01.R`, is a folder: its fields stand in its place."""
    opened = dict(variables)
    for name, value in variables.items():
        fields = value if isinstance(value, Mapping) else {}
        folder = bool(fields) and all(isinstance(field, Mapping) for field in fields.values())
        if folder and not fields.keys() & (opened.keys() - {name}):
            del opened[name]
            opened |= fields
    return opened


def _columns_beside_pulses(variables: Mapping[str, Any]) -> ColumnsTable | None:
    """A vector of pulse numbers and further vectors as long, which are devices by name alone."""
    vectors = {n: a for n, v in variables.items() if (a := _numbers(v)) is not None and a.ndim == 1 and a.size > 1}
    pulse = next((array for name, array in vectors.items() if role_of(name) == "pulse"), None)
    columns = {name: array for name, array in vectors.items() if pulse is not None and array.size == pulse.size}
    return ColumnsTable(list(columns), list(columns.values())) if len(columns) > 1 else None


def _elements(value: Any) -> list[Mapping[str, Any]]:
    """Elements of a struct array, as version 5 (a list of structs) and 7.3 (a struct of lists) come; else []."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return value
    if not isinstance(value, Mapping) or not value:
        return []
    lists = [item for item in value.values() if isinstance(item, list)]
    if len(lists) == len(value) and len({len(item) for item in lists}) == 1:
        return [{name: item[i] for name, item in value.items()} for i in range(len(lists[0]))]
    return [value]


def _table(variables: Mapping[str, Any], device: str, place: str) -> tuple[ColumnsTable | None, list[str]]:
    """The table that these fields or variables make up, or None where none is a reading; and what does not fit."""
    numbers = {name: array for name, value in variables.items() if (array := _numbers(value)) is not None}
    readings = {name: array for name, array in numbers.items() if role_of(name) in VALUES and array.size}
    matrix = next((name for name, array in readings.items() if array.ndim == 2), None)
    if matrix is not None:
        return _matrix_table(matrix, variables, numbers, place)
    if not readings:
        return None, []
    texts = {name: found for name, value in variables.items() if (found := _texts(value)) is not None}
    n_rows = max(array.size for array in readings.values())
    columns: dict[str, NDArray[Any]] = {}
    left_out = []
    for name, value in variables.items():
        cells = numbers.get(name, texts.get(name))
        if cells is None or cells.ndim > 1:
            left_out.append(place + name)
        elif isinstance(value, str) and role_of(name) == "device":
            device = value.strip()
        elif cells.size == n_rows:
            columns[name] = cells
        elif cells.size == 1:
            columns[name] = np.repeat(cells, n_rows)
        elif role_of(name) in {"pulse", "device", "cycle"} or name in readings:
            raise TraceFormatError(f"{place}{name} has {cells.size} values, the readings {n_rows}")
        else:
            left_out.append(place + name)
    units = _stated_units(variables)
    return ColumnsTable(list(columns), list(columns.values()), device, units), left_out


def _matrix_table(
    matrix: str, variables: Mapping[str, Any], numbers: Mapping[str, NDArray[Any]], place: str
) -> tuple[ColumnsTable, list[str]]:
    """A matrix of readings as a table with a row a device and a column a pulse."""
    values = numbers[matrix].astype(np.float64)
    pulse_name = next((name for name in numbers if role_of(name) == "pulse"), "")
    pulses = numbers[pulse_name].ravel() if pulse_name else None
    names = {n: t for n, v in variables.items() if role_of(n) == "device" and (t := _cells(v)) is not None}
    vectors = {name: cells for name, cells in names.items() if len(cells) in values.shape}
    units = _stated_units(variables)
    about = {"reading": matrix, "empty": "not read"} | units
    n_devices = next((len(cells) for cells in vectors.values()), None)
    known = rows_are_devices(values.shape, None if pulses is None else len(pulses), n_devices)
    table = matrix_table(values, pulses, vectors, about, f"{place}{matrix}", known)
    left_out = [place + name for name in variables if name not in (*table.names, matrix, pulse_name)]
    return table, left_out


def _stated_units(variables: Mapping[str, Any]) -> dict[str, str]:
    """What the fields say of units, as the metadata of a table says it."""
    return {f"{role} unit" if role else "unit": text for role, text in _unit_fields(variables)}


def _unit_fields(variables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Quantity ('' for any) and text of the fields that say a unit: `unit`, `R_unit`."""
    said = [(unit_of_quantity(n), v) for n, v in variables.items() if isinstance(v, str) and is_unit_key(n)]
    for name, fields in variables.items():
        if isinstance(fields, Mapping) and is_unit_key(name):  # `units.R = 'kOhm'`
            said += [(role_of(n), v) for n, v in fields.items() if isinstance(v, str) and role_of(n) in VALUES]
    return said


def _words(variables: Mapping[str, Any]) -> list[str]:
    """Texts of the workspace and of its structs, which may say the unit."""
    said = [value for value in variables.values() if isinstance(value, str)]
    for fields in variables.values():
        said += [value for value in fields.values() if isinstance(value, str)] if isinstance(fields, Mapping) else []
    return said


def _numbers(value: Any) -> NDArray[Any] | None:
    """A number, vector or matrix; a side of length 1 is dropped."""
    array: NDArray[Any]
    if isinstance(value, bool | int | float | np.number):
        return np.array([value])
    if isinstance(value, list) and value and all(isinstance(v, int | float | np.number) for v in value):
        return np.array(value)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf" or value.ndim > 2:
        return None
    array = value.astype(np.float64) if value.dtype.kind == "b" else value
    return array.ravel() if array.ndim < 2 or 1 in array.shape else array


def _texts(value: Any) -> NDArray[np.object_] | None:
    if isinstance(value, str):
        return np.array([value], dtype=object)
    return _cells(value) if isinstance(value, list | np.ndarray) else None


def _cells(value: Any) -> NDArray[Any] | None:
    """Text or numbers that name devices, one each."""
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        cells = [
            cell.item() if isinstance(cell, np.generic) else cell for cell in np.ravel(np.array(value, dtype=object))
        ]
        if all(isinstance(cell, str | int | float) for cell in cells):
            return column_of(cells)
    return None
