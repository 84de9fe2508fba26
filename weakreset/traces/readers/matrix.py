"""A matrix of readings as a table with a row a device and a column a pulse, turned where its vectors say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.contract import ColumnsTable
from weakreset.traces.square import UNKNOWN_SIDES
from weakreset.traces.vocabulary import role_of

__all__ = ["matrix_table", "rows_are_devices"]


def rows_are_devices(shape: tuple[int, ...], n_pulses: int | None, n_devices: int | None) -> bool | None:
    """Whether the rows of a matrix are devices, by the lengths of `pulse` and `device`; None: not evident."""
    n_rows, n_columns = shape
    if n_rows == n_columns:
        return None
    if n_pulses in shape:
        return n_pulses == n_columns
    return n_devices == n_rows if n_devices in shape else None


def matrix_table(
    values: NDArray[np.float64], pulses: NDArray[Any] | None, vectors: Mapping[str, NDArray[Any]],
    about: Mapping[str, str], place: str, devices_in_rows: bool | None,
) -> ColumnsTable:  # fmt: skip
    """The table of a matrix.

    Parameters
    ----------
    pulses : ndarray, shape (n_pulses,), optional
    vectors : mapping
        Further vectors, of the devices, by their names as headers; those of another length are left out.
    about : mapping
        Metadata of the table.
    place : str
        What to call the matrix in messages.
    devices_in_rows : bool or None
        None where it is not evident; then the table says so and a map has to.

    Raises
    ------
    TraceFormatError
        Pulse numbers are not as many as one side, not whole, or not increasing.
    """
    if pulses is not None and len(pulses) not in values.shape:
        n_rows, n_columns = values.shape
        raise TraceFormatError(f"{place}: {n_rows} x {n_columns} readings but {len(pulses)} pulse numbers")
    if pulses is not None:
        pulses = pulses.astype(np.float64)
        whole = np.isfinite(pulses) & (pulses == np.floor(pulses)) & (pulses >= 0) & (pulses < 2.0**53)
        if not whole.all() or np.any(np.diff(pulses) <= 0):
            raise TraceFormatError(f"{place}: pulse numbers must be whole and increasing")
    block = values.astype(np.float64, copy=False)
    if devices_in_rows is None:
        sides = {name: cells for name, cells in vectors.items() if role_of(name) == "device"}
        sides |= {} if pulses is None else {"pulse": pulses}
        sides = {name: cells for name, cells in sides.items() if len(cells) == len(block)}
        headers = [*sides, *(f"side {i}" for i in range(block.shape[1]))]
        return ColumnsTable(headers, list(sides.values()), metadata={**about, "layout": UNKNOWN_SIDES}, block=block)
    block = block if devices_in_rows else np.ascontiguousarray(block.T)
    numbers = np.arange(block.shape[1]) if pulses is None else pulses
    columns = {name: cells for name, cells in vectors.items() if len(cells) == len(block)}
    headers = [*columns, *map(str, numbers.astype(np.int64).tolist())]
    return ColumnsTable(headers, list(columns.values()), metadata={**about, "layout": "wide-by-row"}, block=block)
