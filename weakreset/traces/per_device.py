"""Wide tables of a voltage and a current for each device, taken apart before columns get roles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from weakreset.traces.column_names import device_in_brackets
from weakreset.traces.contract import ColumnsTable, Table
from weakreset.traces.units import is_bracketed, parse_unit, split_name
from weakreset.traces.vocabulary import classify_name, role_of

__all__ = ["a_table_a_device", "some_columns"]

_ELECTRIC = ("current", "read_voltage")
_GLUED = re.compile(r"^([VI])(\d{1,6})$")


def a_table_a_device(table: Table) -> list[Table]:
    """`pulse, D0 V, D0 I, D1 V, D1 I` as a table of pulse, V and I for each device; any other table as it is.

    A current without its voltage is no resistance, and the columns of a wide table are all of one quantity: so each
    device becomes a table of its own, with the columns that name no device.
    """
    if not table.has_header or table.metadata.get("layout"):
        return [table]
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    parts = {i: part for i, name in enumerate(table.names) if (part := _device_and_quantity(name)) is not None}
    for i, (device, quantity, _) in parts.items():
        found[device].setdefault(quantity, i)
    devices = [device for device, columns in found.items() if len(columns) == len(_ELECTRIC)]
    if len(devices) < 2 or len(parts) != len(_ELECTRIC) * len(devices):
        return [table]
    shared = [i for i in range(len(table.names)) if i not in parts]
    return [
        some_columns(table, [*shared, *columns.values()], {i: parts[i][2] for i in columns.values()}, device)
        for device, columns in found.items()
    ]


def _device_and_quantity(name: str) -> tuple[str, str, str] | None:
    """(`D0`, `current`, `I (A)`) of `I_D0 (A)`, `D0 I (A)` or `I (D0)`; None where it does not name both."""
    bare, said = split_name(name)
    known = is_bracketed(name) and bool(parse_unit(said))  # `D00 V` is no unit behind a name
    unit, bare = (f" ({said})", bare) if known else ("", name.strip())
    if device := device_in_brackets(name):
        words = [bare.partition("(")[0].partition("[")[0].strip(), device]
    elif glued := _GLUED.match(bare):
        words = [glued[1], glued[2]]
    else:
        words = [word for word in re.split(r"[\s_.:/]+", bare) if word]
    if len(words) < 2:
        return None
    for quantity, rest in ((words[0], words[1:]), (words[-1], words[:-1])):
        kind = classify_name(quantity)
        if kind is not None and kind[0] in _ELECTRIC and not any(map(_is_electric, rest)):
            return "/".join(rest), kind[0], quantity + unit
    return None


def _is_electric(word: str) -> bool:
    kind = classify_name(word)
    return kind is not None and kind[0] in _ELECTRIC


def some_columns(table: Table, columns: Sequence[int], names: Mapping[int, str], device: str) -> ColumnsTable:
    """Some columns in memory, some under other names."""
    units = [table.units[i] if i < len(table.units) else "" for i in columns]
    cells = [table.text(i) if role_of(table.names[i]) == "device" else table.as_is(i) for i in columns]
    lines = [table.line_of(row) for row in range(table.n_rows)]
    known = [line for line in lines if line is not None]
    return ColumnsTable(
        [names.get(i, table.names[i]) for i in columns], cells, device, table.metadata,
        lines=np.array(known, dtype=np.int64) if len(known) == len(lines) else None, units=units, hints=table.hints,
        has_header=table.has_header,
    )
