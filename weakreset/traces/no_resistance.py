"""Logarithms, ratios and changes of a resistance: no readings, but some can be made readings again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from weakreset.errors import TraceFormatError
from weakreset.traces.column_map import ColumnMap
from weakreset.traces.column_role import VALUES, ColumnRole
from weakreset.traces.contract import Table
from weakreset.traces.units import PLAUSIBLE_OHM, PLAUSIBLE_SIEMENS

__all__ = ["refuse_converted", "rewritten"]

_OF_READING = r"(?:r|g|res\w*|cond\w*)"
_LOG = re.compile(rf"(?i)^(?P<base>log10|log|lg|ln)[\s_(]*{_OF_READING}(?:[\s_,/]*(?:ohm|Ω|s))?\W*$")
_SHARE = re.compile(
    rf"(?i)^(?:delta|d|Δ|∆)?[\s_]*{_OF_READING}[\s_]*[/÷][\s_]*{_OF_READING}_?(?:0|init\w*|ref)\b"
    rf"|^{_OF_READING}[\s_]*(?:norm\w*|rel\w*|ratio)\b|^(?:norm\w*|rel\w*)[\s_.]*{_OF_READING}\b"
    rf"|^(?:delta|d|Δ|∆)[\s_]*{_OF_READING}\b|^{_OF_READING}\s*[\[(]\s*%"
)
_RATIO = re.compile(rf"(?i)^{_OF_READING}[\s_]*[/÷][\s_]*{_OF_READING}_?(?:0|init\w*|ref)\W*$")
_REFERENCE = re.compile(
    rf"(?i)^(?:initial[\s_]*)?{_OF_READING}_?(?:0|init\w*|ref)?(?:[\s_]*[\[(/]?\s*[kM]?(?:ohm|Ω)\W*)?$"
)
_UNSAFE = re.compile(r"[\"'`$\\!]")
"""Not to be pasted into a shell."""
_READERS = {".xlsx": "read_excel('FILE')", ".xls": "read_excel('FILE')", ".parquet": "read_parquet('FILE')"}
_TEXT = "read_csv('FILE', sep=None, engine='python')"
_OTHERS = (".h5", ".hdf5", ".hdf", ".mat", ".tdms")


def refuse_converted(roles: Sequence[ColumnRole], table: Table, column_map: ColumnMap, file: str) -> None:
    """Refuse a table whose readings are there as logarithms or shares only, with the line that makes readings of them.

    Raises
    ------
    TraceFormatError
        Naming the column.
    """
    if not table.has_header or column_map.of(*VALUES):
        return
    logs = [role for role in roles if _LOG.match(role.name)]
    shares = [role for role in roles if _SHARE.match(role.name)]
    readings = [role for role in roles if role.role in VALUES and role not in logs and role not in shares]
    if (logs or shares) and not any(_varies(role, table) for role in readings):
        words = _of_log(logs[0], table, file) if logs else _of_share(shares[0], readings, file)
        raise TraceFormatError(f"{file}: {(logs or shares)[0].name!r} holds no resistances: {words}")


def _varies(role: ColumnRole, table: Table) -> bool:
    """Whether a column of readings is more than the `R0` of each device, once a row."""
    if not _REFERENCE.match(role.name):
        return True
    values = table.numbers(role.index).values
    values = values[np.isfinite(values)]
    return len(np.unique(values)) > len(values) / 2


def _of_log(role: ColumnRole, table: Table, file: str) -> str:
    values = table.numbers(role.index).values
    said = _LOG.match(role.name)
    bases = {"ln": (np.e,), "log": (10.0, np.e)}.get(said["base"].lower() if said else "", (10.0,))
    for number in bases:
        level = float(number ** np.nanmedian(values)) if np.isfinite(values).any() else float("nan")
        for new, (low, high) in (("R (ohm)", PLAUSIBLE_OHM), ("G (S)", PLAUSIBLE_SIEMENS)):
            if low <= level <= high:
                line = rewritten(file, f"t['{new}'] = {number!r} ** t['{role.name}']", (role.name,))
                return f"they are logarithms (typically of {level:.4g}). {line}"
    return "they are logarithms; write what they are the logarithms of"


def _of_share(share: ColumnRole, readings: Sequence[ColumnRole], file: str) -> str:
    if readings and _RATIO.match(share.name):
        unit = readings[0].unit.symbol if readings[0].unit else "ohm"
        change = f"t['R ({unit})'] = t['{share.name}'] * t['{readings[0].name}']"
        return f"they are shares of {readings[0].name!r}. {rewritten(file, change, (share.name, readings[0].name))}"
    return (
        "they are shares, or changes, of a resistance that the file does not hold. Write the resistances themselves, "
        "or a column `R0 (ohm)` beside `R/R0`"
    )


def rewritten(file: str, change: str, names: Sequence[str]) -> str:
    """Words with the command that writes a CSV in which `change` was done to the table `t`, without columns `names`."""
    suffix = PurePath(file.removesuffix(".gz")).suffix.lower()
    if suffix in _OTHERS or any(map(_UNSAFE.search, names)):
        return "Convert them first"
    reader = _READERS.get(suffix, _TEXT)
    dropped = ", ".join(f"'{name}'" for name in names)
    return (
        f"This makes resistances of them: python -c \"import pandas; t = pandas.{reader}; {change}; "
        f"t.drop(columns=[{dropped}]).to_csv('FILE.csv', index=False)\""
    )
