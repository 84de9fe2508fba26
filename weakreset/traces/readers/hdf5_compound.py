"""HDF5 datasets of records with named fields, as structured arrays of numpy and tables of PyTables are saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import h5py
from numpy.typing import NDArray

from weakreset.traces.column_role import VALUES
from weakreset.traces.contract import ColumnsTable, Table, column_of
from weakreset.traces.readers.hdf5_guard import Budget
from weakreset.traces.readers.stated_units import units_of_keys
from weakreset.traces.vocabulary import role_of

__all__ = ["compound_tables"]


def compound_tables(datasets: Mapping[str, h5py.Dataset], budget: Budget) -> Iterator[Table]:
    """A table for each one-dimensional dataset of records of which a field is a reading; fields are columns."""
    for name, item in datasets.items():
        fields = item.dtype.names or ()
        if item.shape is None or item.ndim != 1 or not any(role_of(field) in VALUES for field in fields):
            continue
        budget.take(item)
        records = item[()]
        kept = [field for field in fields if records[field].ndim == 1 and records[field].dtype.kind in "iufSO"]
        columns = [_column(records[field]) for field in kept]
        unit = units_of_keys(item.attrs)
        about = {"unit": unit} if unit else {}
        yield ColumnsTable(kept, columns, metadata=about, hints={"table": name})


def _column(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind in "iuf":
        return values
    return column_of([cell.decode("utf-8", errors="replace") if isinstance(cell, bytes) else cell for cell in values])
