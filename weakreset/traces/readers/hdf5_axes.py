"""HDF5 datasets of readings with more than two axes, as a table with a row a read, where the file names its axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.column_role import VALUES
from weakreset.traces.contract import ColumnsTable
from weakreset.traces.readers.stated_units import units_of_keys
from weakreset.traces.vocabulary import ADDRESS_WORDS, normalise, role_of

__all__ = ["axes_tables", "many_axes"]

_REPEATS = frozenset(("repeat", "repeats", "read", "reads", "repetition", "sweep", "average", "sample no"))
_COORDINATES = frozenset(("x", "y", "position", "level", "sample", "device", "cell", "dut"))

Values = Callable[[h5py.Dataset], NDArray[Any]]


def many_axes(datasets: Mapping[str, h5py.Dataset]) -> dict[str, h5py.Dataset]:
    """Those of three axes and more that are called as readings are."""
    return {name: item for name, item in datasets.items() if item.ndim > 2 and role_of(name) in VALUES}


def axes_tables(datasets: Mapping[str, h5py.Dataset], values: Values, about: Mapping[str, str]) -> list[ColumnsTable]:
    """A table a dataset: a column an axis, called by its label or by the vector that is as long, and the readings.

    Raises
    ------
    TraceFormatError
        An axis has no name, or none of them counts pulses: the error says how to give it one.
    """
    return [_table(name, item, datasets, values, about) for name, item in many_axes(datasets).items()]


def _table(
    name: str, item: h5py.Dataset, datasets: Mapping[str, h5py.Dataset], values: Values, about: Mapping[str, str]
) -> ColumnsTable:  # fmt: skip
    vectors = {n: d for n, d in datasets.items() if d.ndim == 1}
    names = [_axis_name(item, axis, vectors) for axis in range(item.ndim)]
    known = [_is_known(axis) for axis in names]
    if not all(known) or len(set(names)) < len(names) or not any(role_of(axis) == "pulse" for axis in names):
        raise TraceFormatError(_unknown_axes(item, names))
    readings = values(item)
    sides = np.indices(item.shape).reshape(item.ndim, -1)
    columns = [
        _cells(vectors[axis], size, values)[side] if axis in vectors else side
        for axis, size, side in zip(names, item.shape, sides, strict=True)
    ]
    kept = [i for i, axis in enumerate(names) if normalise(axis) not in _REPEATS]
    unit = units_of_keys(item.attrs)
    headers = [*(names[i] for i in kept), name]
    units = [*[""] * len(kept), unit]
    rows = np.lexsort([sides[i] for i in reversed(_order(names))])
    cells = [*(columns[i][rows] for i in kept), readings.ravel()[rows]]
    return ColumnsTable(headers, cells, "", {**about, "empty": "not read"}, units=units)


def _order(names: list[str]) -> list[int]:
    """Axes from the slowest: places and cycles, then pulses, then reads repeated without a pulse between."""
    rank = {i: 1 if role_of(n) == "pulse" else 2 if normalise(n) in _REPEATS else 0 for i, n in enumerate(names)}
    return sorted(rank, key=lambda i: (rank[i], i))


def _axis_name(item: h5py.Dataset, axis: int, vectors: Mapping[str, h5py.Dataset]) -> str:
    """The label of an axis, the name of its scale, or of the one vector that is as long as it and no other axis."""
    dimension = item.dims[axis]
    if dimension.label:
        return str(dimension.label)
    if len(dimension):
        return str(dimension[0].name).rsplit("/", 1)[-1]
    size = item.shape[axis]
    fitting = [name for name, vector in vectors.items() if vector.shape[0] == size and _is_known(name)]
    return fitting[0] if len(fitting) == 1 and item.shape.count(size) == 1 else ""


def _is_known(axis: str) -> bool:
    word = normalise(axis)
    return role_of(axis) in ("pulse", "cycle", "device") or word in {*ADDRESS_WORDS, *_COORDINATES, *_REPEATS}


def _cells(vector: h5py.Dataset, size: int, values: Values) -> NDArray[Any]:
    """What stands along an axis."""
    if vector.shape[0] != size:
        raise TraceFormatError(f"dataset {vector.name}: {vector.shape[0]} values for an axis of {size}")
    return values(vector)


def _unknown_axes(item: h5py.Dataset, names: list[str]) -> str:
    shape = " x ".join(map(str, item.shape))
    found = ", ".join(f"{i}: {name or 'no name'}" for i, name in enumerate(names))
    counted = any(role_of(name) == "pulse" for name in names)
    wanted = iter(("row", "col", "die", "repeat") if counted else ("device", "pulse", "repeat"))
    example = [name if _is_known(name) else next(wanted, "NAME") for name in names]
    return (
        f"dataset {item.name} is {shape}, and nothing says which axis is the pulses, which the devices (axes {found}). "
        "Name all of them in the file, in their order, with names such as device, row, col, die, cycle, pulse, repeat: "
        f"python -c \"import h5py; f = h5py.File('FILE', 'r+'); [setattr(f['{item.name}'].dims[i], 'label', name) "
        f"for i, name in enumerate({example})]; f.close()\""
    )
