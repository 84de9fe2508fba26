"""A parameter file as plain tables: its laws, or devices drawn from them, for tools that do not read our JSON."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.display import plain_comment
from weakreset.errors import UsageError
from weakreset.model import SHAPES
from weakreset.parameter_file.draw import draw_devices
from weakreset.parameter_file.schema import ParameterFile
from weakreset.resources import write_atomically

__all__ = ["LAW_WORDS", "device_columns", "law_rows", "write_devices", "write_laws"]

LAW_COLUMNS = (
    "parameter", "unit", "family", "number", "value", "stderr", "low_95", "high_95", "truncated_below",
    "truncated_above", "median", "n_devices", "n_informative", "n_censored",
)
LAW_WORDS = LAW_COLUMNS[:4]
"""The columns that hold words."""


def law_rows(params: ParameterFile) -> list[dict[str, Any]]:
    """A row for each number of each law, then the noise; None where the file does not tell. Keys: `LAW_COLUMNS`."""
    rows = []
    for name, entry in params.parameters.items():
        rows += _law(name, entry.unit, entry)
    for name, unknown in params.not_identifiable.items():
        counts = {"n_devices": unknown.n_devices, "n_informative": unknown.n_informative}
        rows.append(
            dict.fromkeys(LAW_COLUMNS)
            | {"parameter": name, "unit": unknown.unit, "family": "not_identifiable", "truncated_below": unknown.lower}
            | counts
        )
    for kind, block in params.noise.blocks():
        if not block.enabled:
            continue
        counts = {name: getattr(block, name) for name in kind.counts}
        numbers = [*kind.numbers, *(own.share for own in kind.own if own.share is not None)]
        for number in numbers:
            stderr = getattr(block, f"{number.name}_stderr", None)
            value = getattr(block, number.name)
            rows.append(_number(f"{kind.name}.{number.name}", number.unit, value, stderr=stderr, **counts))
        for own in kind.own:
            rows += _law(f"{kind.name}.{own.name}", own.unit, getattr(block, own.name))
    return rows


def write_laws(params: ParameterFile, path: str | os.PathLike[str]) -> Path:
    """`law_rows` as CSV; atomic. Comments name the file, its drift, its correlations, and whether it was simulated."""
    comments = [f"laws of {json.dumps(params.name)}", f"drift: {params.model}"]
    if params.direction == "set":
        comments.append("direction: set (R falls; slopes are minus what the laws say)")
    comments.append(f"fitted to simulated traces: {str(params.provenance.simulated).lower()}")
    if params.correlation is not None:
        names, matrix = params.correlation.names, params.correlation.matrix
        comments += [
            f"correlation of normal scores: {names[j]} {names[i]} {matrix[i][j]!r}"
            for i in range(len(names)) for j in range(i) if matrix[i][j]
        ]
    rows = ([row[column] for column in LAW_COLUMNS] for row in law_rows(params))
    return write_atomically(path, _csv(comments, LAW_COLUMNS, rows))


def device_columns(params: ParameterFile, n_devices: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Numbers of `n_devices` drawn devices by name: r0_ohm, those of the drift, rtn_amplitude and the like."""
    devices = draw_devices(params, n_devices, np.random.default_rng(seed))
    drift = {name: devices.drift[name] for name in SHAPES[params.model].parameters}
    return {"r0_ohm": devices.r0_ohm, **drift, **devices.noise_columns}


def write_devices(params: ParameterFile, path: str | os.PathLike[str], n_devices: int, seed: int) -> Path:
    """Drawn devices as CSV or HDF5, by the ending of `path`, labelled as simulated; atomic.

    CSV: `device` (sim0000, ...) and a column a number. HDF5: a dataset a column, with its unit as attribute.

    Raises
    ------
    UsageError
        For another ending.
    """
    target = Path(path)
    columns = device_columns(params, n_devices, seed)
    width = max(4, len(str(n_devices - 1)))  # names in the order of their numbers when they are sorted
    names = [f"sim{i:0{width}d}" for i in range(n_devices)]
    if target.suffix == ".csv":
        comments = ["simulated: true", f"drawn from {json.dumps(params.name)}, seed {seed}", f"drift: {params.model}"]
        rows = zip(names, *(values.tolist() for values in columns.values()), strict=True)
        return write_atomically(target, _csv(comments, ("device", *columns), rows))
    if target.suffix in (".h5", ".hdf5"):
        return write_atomically(target, _hdf5(params, names, columns, seed))
    raise UsageError(f"{target}: cannot tell the format from {target.suffix!r}; use .csv or .h5")


def _law(name: str, unit: str, entry: Any) -> list[dict[str, Any]]:
    law = entry.law()
    lower, upper = entry.truncation
    stderr, interval = (getattr(entry, key, None) or {} for key in ("stderr", "interval"))
    common = {key: getattr(entry, key, None) for key in ("n_devices", "n_informative", "n_censored")}
    common |= {"truncated_below": lower, "truncated_above": upper, "median": law.median()}
    rows = []
    for number, value in law.params.items():
        low, high = interval.get(number, (None, None))
        figures = {"stderr": stderr.get(number), "low_95": low, "high_95": high}
        rows.append(_number(name, unit, value, family=law.family, number=number, **figures, **common))
    return rows


def _number(parameter: str, unit: str, value: float, **rest: Any) -> dict[str, Any]:
    start = dict.fromkeys(LAW_COLUMNS) | {"family": "constant", "number": "value", "median": value}
    return start | {"parameter": parameter, "unit": unit, "value": value} | rest


def _csv(comments: Sequence[str], header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    text.writelines(f"# {plain_comment(line)}\n" for line in comments)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(row for row in rows)  # a generator: Ctrl-C is not heard while C code goes through a million rows
    return text.getvalue()


def _hdf5(params: ParameterFile, names: list[str], columns: dict[str, NDArray[np.float64]], seed: int) -> bytes:
    import h5py

    units = {name: entry.unit for name, entry in params.parameters.items()}
    units |= {column: own.unit for kind, _ in params.noise.blocks() for column, own in kind.columns.items()}
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        root.attrs.update({"simulated": True, "drawn_from": params.name, "seed": seed, "drift": params.model})
        root.create_dataset("device", data=names, dtype=h5py.string_dtype())
        for name, values in columns.items():
            root.create_dataset(name, data=values).attrs["unit"] = units[name]
    return buffer.getvalue()
