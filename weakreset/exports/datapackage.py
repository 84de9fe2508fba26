"""A description beside a table that we write: the columns, their types and units (Frictionless Data Package, v1).

It is called after its table, OUT.datapackage.json beside OUT.csv: a folder may hold several tables, and a
`datapackage.json` that somebody else wrote.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weakreset.parameter_file import ParameterFile
from weakreset.resources import write_atomically
from weakreset.version import __version__

__all__ = ["columns_of", "package_of", "write_datapackage"]


def columns_of(params: ParameterFile) -> dict[str, str]:
    """Units of the numbers of a device by column."""
    units = {name: entry.unit for name, entry in params.parameters.items()}
    units |= {column: own.unit for kind, _ in params.noise.blocks() for column, own in kind.columns.items()}
    return units


def write_datapackage(
    table: Path, units: Mapping[str, str], about: str, simulated: bool, texts: tuple[str, ...] = ()
) -> Path:
    """Describe the CSV `table`; atomic. The rest is as in `package_of`."""
    return write_atomically(*package_of(table, table.read_bytes(), units, about, simulated, texts))


def package_of(
    table: Path, data: bytes, units: Mapping[str, str], about: str, simulated: bool, texts: tuple[str, ...] = ()
) -> tuple[Path, str]:
    """Where the description of a table goes, and its text. Columns named in `texts` hold words, all others numbers.

    Parameters
    ----------
    table : path
    data : bytes
        What is or will be in it: a CSV with a row of names, after any number of lines that begin with #.
    units : mapping of str to str
        Unit by column; columns that it does not name get none.
    about : str
        One sentence.
    """
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    names = next(csv.reader(line for line in lines if not line.startswith("#")))
    fields: list[dict[str, Any]] = [
        {"name": name, "type": "string" if name in texts else "number"}
        | ({"unit": units[name]} if name in units else {})
        for name in names
    ]
    resource = {
        "name": "table",
        "path": table.name,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "dialect": {"commentChar": "#"},
        "schema": {"fields": fields, "missingValues": [""]},
    }
    package = {
        "profile": "tabular-data-package",
        "name": "weakreset-table",
        "title": about,
        "simulated": simulated,
        "sources": [{"title": f"weakreset {__version__}"}],
        "resources": [resource],
    }
    return table.with_suffix(".datapackage.json"), json.dumps(package, indent=1) + "\n"
