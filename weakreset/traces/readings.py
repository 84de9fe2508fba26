"""Readings of a file as one flat list, each good or with the reason why it is not used."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceFormatError
from weakreset.traces.table import NumberColumn, Table

__all__ = ["Readings", "Reason", "extra_name", "refuse_much_text"]

_FEW = 5
_FEW_SHARE = 0.01
_RESERVED = frozenset({"device", "cycle", "pulse", "resistance_ohm"})


class Reason(IntEnum):
    """Why a reading is not used; `words` says it to the user."""

    GOOD = 0
    MISSING = 1
    TEXT = 2
    ZERO = 3
    NEGATIVE = 4
    INFINITE = 5
    OVERFLOW = 6
    NO_DEVICE = 7
    NO_PULSE = 8
    BAD_PULSE = 9
    DUPLICATE = 10
    BACKWARDS = 11
    DEVICE = 12
    REPEAT = 13

    @property
    def words(self) -> str:
        """The reason as a user reads it."""
        return _WORDS[self]


_WORDS = {
    Reason.GOOD: "",
    Reason.MISSING: "missing reading (empty or NaN)",
    Reason.TEXT: "not a number",
    Reason.ZERO: "zero reading",
    Reason.NEGATIVE: "negative reading",
    Reason.INFINITE: "infinite reading",
    Reason.OVERFLOW: "no finite resistance",
    Reason.NO_DEVICE: "no device name",
    Reason.NO_PULSE: "no pulse number",
    Reason.BAD_PULSE: "pulse number is not a whole number from 0 up",
    Reason.DUPLICATE: "duplicate pulse number (the first reading is kept)",
    Reason.BACKWARDS: "pulse counter went back",
    Reason.DEVICE: "device not used",
    Reason.REPEAT: "repeated read without a pulse (the first is kept; their spread is the read noise)",
}


@dataclass(eq=False)
class Readings:
    """All readings of a table, one an element, in the order of the file.

    `device` is a code into `device_names` (-1: no name), `pulse` whole numbers or floats with NaN where there is none,
    `row` is None where every row of the table is a reading, `reason` holds `Reason` values, and `shown` the cell of a
    bad reading as the file has it.
    """

    device: NDArray[np.int64]
    device_names: list[str]
    cycle: NDArray[np.int64] | None
    pulse: NDArray[Any]
    resistance_ohm: NDArray[np.float64]
    row: NDArray[Any] | None
    reason: NDArray[np.int8]
    shown: dict[int, str]
    extras: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    def mark(self, where: NDArray[np.bool_], reason: Reason, cells: NDArray[np.float64]) -> None:
        """Give the elements `where` that are still good this reason, and remember what their cells hold."""
        chosen = where & (self.reason == Reason.GOOD)
        self.reason[chosen] = reason
        for i in np.flatnonzero(chosen):
            self.shown[int(i)] = f"{cells[i]:.17g}" if np.isinf(cells[i]) else repr(float(cells[i]))

    def without(self, drop: NDArray[np.bool_]) -> Readings:
        """The rest, when the elements `drop` are no readings at all (blank rows, ends of shorter traces)."""
        if not drop.any():
            return self
        keep = ~drop
        new_index = np.cumsum(keep) - 1
        return Readings(
            self.device[keep],
            self.device_names,
            None if self.cycle is None else self.cycle[keep],
            self.pulse[keep],
            self.resistance_ohm[keep],
            np.flatnonzero(keep) if self.row is None else self.row[keep],
            self.reason[keep],
            {int(new_index[i]): text for i, text in self.shown.items() if keep[i]},
            {name: values[keep] for name, values in self.extras.items()},
        )


def refuse_much_text(column: NumberColumn, name: str, table: Table, file: str) -> None:
    """Raise where a column of numbers holds text in more than a few cells (5, and 1 % of them)."""
    n_text, n_cells = len(column.text), len(column.values)
    if n_text > max(_FEW, _FEW_SHARE * n_cells) or 2 * n_text > n_cells:
        row = min(column.text)
        line = table.line_of(row)
        place = f", line {line}" if line is not None else f", row {row}"
        raise TraceFormatError(
            f"{file}{place}, column {name!r}: {column.text[row][:60]!r} where a number should be ({n_text} such cells "
            f"of {n_cells}). If this is another kind of column, say so with --map; if the decimals are commas, "
            "separate columns by ';' or tabs"
        )


def extra_name(name: str) -> str:
    """Name of a kept column that cannot be mistaken for one of ours."""
    return f"{name} (file)" if name in _RESERVED else name
