"""Units as instruments write them: `kohm`, `[uS]`, `(nA)`, `read_voltage_mV`."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["QUANTITIES", "Unit", "is_bracketed", "parse_unit", "split_name"]

QUANTITIES = {"resistance": "ohm", "conductance": "S", "current": "A", "read_voltage": "V"}

_PREFIXES = {
    "": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3,
    "k": 1e3, "K": 1e3, "M": 1e6, "Meg": 1e6, "meg": 1e6, "G": 1e9, "T": 1e12,
}  # fmt: skip
_BASES = {
    "resistance": ("ohms", "Ohms", "OHMS", "ohm", "Ohm", "OHM", "Ω", "\u2126"),
    "conductance": ("siemens", "Siemens", "mho", "S"),
    "current": ("amperes", "ampere", "Ampere", "amps", "amp", "Amp", "A"),
    "read_voltage": ("volts", "volt", "Volt", "V"),
}
_BRACKETED = re.compile(r"^(?P<name>.*?)\s*[\[(]\s*(?P<unit>[^\])]*?)\s*[\])]\s*$", re.DOTALL)
_TRAILING = re.compile(r"^(?P<name>.*?\S)(?:\s*/\s*|[_\s]+)(?P<unit>[^\s_/]+)$", re.DOTALL)
_LONGEST_NAME = 1000  # no name of a column; the patterns above would take a time that grows with its square


@dataclass(frozen=True)
class Unit:
    """A unit: how it is written, what it measures (a key of `QUANTITIES`), and its size in SI units."""

    symbol: str
    quantity: str
    scale: float


def _table() -> dict[str, Unit]:
    units = {}
    for quantity, bases in _BASES.items():
        for base in bases:
            for prefix, scale in _PREFIXES.items():
                units[prefix + base] = Unit(prefix + base, quantity, scale)
    return units


_UNITS = _table()


def parse_unit(text: str, quantity: str | None = None) -> Unit | None:
    """The unit written as `text`, or None where it is not one of ours.

    With `quantity` known from the name of the column, a lower-cased spelling (`conductance_us`) is
    understood too, as long as its prefix stays unambiguous.
    """
    unit = _UNITS.get(text.strip())
    if unit is not None or quantity is None:
        return unit
    lowered = text.strip().lower()
    found = {
        (item.scale, item.quantity): item
        for item in _UNITS.values()
        if item.quantity == quantity and item.symbol.lower() == lowered
    }
    return next(iter(found.values())) if len(found) == 1 else None


def split_name(header: str) -> tuple[str, str]:
    """Bare name and unit text of `name [unit]`, `name (unit)`, `name / unit`, `name_unit` or `name unit`.

    The unit is '' where there is none; whether a bare suffix (`cell_A`) is a unit is for the caller to judge.
    """
    if len(header) > _LONGEST_NAME:
        return header.strip(), ""
    match = _BRACKETED.match(header) or _TRAILING.match(header)
    return (match["name"].strip(" _"), match["unit"]) if match else (header.strip(), "")


def is_bracketed(header: str) -> bool:
    """Whether a header ends in brackets, so that what they hold is meant as a unit."""
    return header.rstrip().endswith(("]", ")"))
