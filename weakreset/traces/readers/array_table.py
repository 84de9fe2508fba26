"""Tables whose cells are arrays in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.table import NumberColumn, Table, numbers_from_text

__all__ = ["ArrayTable", "MatrixTable"]


class ArrayTable(Table):
    """A table whose columns are arrays in memory."""

    def __init__(
        self, columns: dict[str, NDArray[Any]], device: str = "", metadata: dict[str, str] | None = None
    ) -> None:
        self._columns = list(columns.values())
        self.names, self.has_header, self.device = tuple(columns), True, device
        self.metadata = metadata or {}
        self._n_rows = len(self._columns[0]) if self._columns else 0
        self.sample = [[str(column[i]) for column in self._columns] for i in range(min(3, self._n_rows))]

    def numbers(self, index: int) -> NumberColumn:
        column = self._columns[index]
        return NumberColumn(column.astype(np.float64)) if column.dtype.kind in "iuf" else numbers_from_text(column)

    def text(self, index: int) -> NDArray[np.object_]:
        return np.array([str(cell).strip() for cell in self._columns[index].tolist()], dtype=object)

    def as_is(self, index: int) -> NDArray[np.generic]:
        return self._columns[index]

    @property
    def n_rows(self) -> int:
        return self._n_rows


class MatrixTable(ArrayTable):
    """Columns of the devices, and a matrix of readings: a row a device, a column a pulse."""

    def __init__(
        self, columns: dict[str, NDArray[Any]], pulses: NDArray[np.int64], values: NDArray[Any],
        metadata: dict[str, str],
    ) -> None:
        super().__init__(columns, metadata=metadata)
        self._first, self._values, self._n_rows = len(self.names), values, len(values)
        self.names += tuple(map(str, pulses.tolist()))

    def _column(self, index: int) -> NDArray[np.float64]:
        return np.asarray(self._values[:, index - self._first], dtype=np.float64)

    def numbers(self, index: int) -> NumberColumn:
        return super().numbers(index) if index < self._first else NumberColumn(self._column(index))

    def text(self, index: int) -> NDArray[np.object_]:
        return super().text(index) if index < self._first else self._column(index).astype(str).astype(object)

    def as_is(self, index: int) -> NDArray[np.generic]:
        return super().as_is(index) if index < self._first else self._column(index)

    def matrix(self, indices: Sequence[int]) -> tuple[NDArray[np.float64], dict[tuple[int, int], str]]:
        if list(indices) == list(range(self._first, len(self.names))) and self._values.dtype.kind == "f":
            return self._values, {}
        return super().matrix(indices)
