"""Units as instruments write them: `kohm`, `[uS]`, `(nA)`, `read_voltage_mV`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from weakreset.traces.plain_text import plain_text

__all__ = [
    "LONGEST_NAME",
    "PLAUSIBLE_OHM",
    "PLAUSIBLE_SIEMENS",
    "QUANTITIES",
    "Unit",
    "is_bracketed",
    "is_relative",
    "looks_like_unit",
    "parse_unit",
    "split_name",
    "unit_in_words",
]

QUANTITIES = {"resistance": "ohm", "conductance": "S", "current": "A", "read_voltage": "V"}

PLAUSIBLE_OHM = (100.0, 1e8)
"""Resistances that cells have: a median outside is no number of ohms."""

PLAUSIBLE_SIEMENS = (1e-9, 1e-2)
"""Conductances that cells have, and which no resistance has."""

_PREFIXES = {
    "": 1.0, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3,
    "k": 1e3, "K": 1e3, "M": 1e6, "Meg": 1e6, "meg": 1e6, "G": 1e9, "T": 1e12,
    "н": 1e-9, "мк": 1e-6, "м": 1e-3, "к": 1e3, "М": 1e6,
}  # fmt: skip
_BASES = {
    "resistance": ("ohms", "Ohms", "OHMS", "ohm", "Ohm", "OHM", "Ω", "\u2126", "Omega", "V/A", "Ом"),
    "conductance": ("siemens", "Siemens", "mho", "S", "A/V", "См"),
    "current": ("amperes", "ampere", "Ampere", "amps", "amp", "Amp", "A", "А"),
    "read_voltage": ("volts", "volt", "Volt", "V", "В"),
}
_PREFIX_WORDS = {
    "": 1.0, "femto": 1e-15, "pico": 1e-12, "nano": 1e-9, "micro": 1e-6, "milli": 1e-3,
    "kilo": 1e3, "mega": 1e6, "giga": 1e9, "tera": 1e12,
}  # fmt: skip
_BASE_WORDS = {
    "resistance": ("ohm", "ohms"), "conductance": ("siemens", "mho", "mhos"),
    "current": ("ampere", "amperes", "amp", "amps"), "read_voltage": ("volt", "volts"),
}  # fmt: skip
_PREFIXED = (
    rf"(?:{'|'.join(filter(None, _PREFIX_WORDS))})[\s_-]+(?:{'|'.join(w for ws in _BASE_WORDS.values() for w in ws)})"
)
_BRACKETED = re.compile(r"^(?P<name>.*?)\s*[\[(]\s*(?P<unit>[^\])]*?)\s*[\])]\s*$", re.DOTALL)
_GLUED = re.compile(r"^(?P<name>R|Res|Resistance)(?P<unit>[kKMG]?(?:ohms?|Ohms?|OHMS?|[Ω\u2126]))$")  # `RkOhm`
_TRAILING = re.compile(
    rf"^(?P<name>.*?\S)(?:\s*/\s*|[_\s]+)(?P<unit>(?i:{_PREFIXED})|[^\s_/]+)$", re.DOTALL
)
_PREFIX_APART = re.compile(rf"(?i)\b({'|'.join(filter(None, _PREFIX_WORDS))})[\s_-]+(?=ohm|siemens|mho|amp|volt)")
_BETWEEN = re.compile(r"(?<=[A-Za-zµμ])[\s_-]+(?=[A-Za-zΩ\u2126])")
_LIKE_A_UNIT = re.compile(r"ohm|omega|Ом\b|[Ω\u2126]|siemens|\bmhos?\b", re.IGNORECASE)
_RELATIVE = re.compile(
    r"d[bB]\w*|a\.?\s?u\.?|arb\b.*|%|percent|ppm|norm\w*\.?|rel\w*\.?|ratio|(?:log|ln|lg)\w*.*|decades?|(?i:lsb|counts?|codes?|digits?)|G_?0|2\s?e\^?[2²]\s?[/_]\s?h",
)
LONGEST_NAME = 1000
"""Signs of a column's name. More is none, and patterns would take a time that grows with its square."""


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


def _spelled_table() -> dict[str, Unit]:
    """Units in words, lower case; a vowel between prefix and name may be left out (kilohm, megohm)."""
    units = {}
    for quantity, bases in _BASE_WORDS.items():
        for base in bases:
            for prefix, scale in _PREFIX_WORDS.items():
                units[prefix + base] = Unit(prefix + base, quantity, scale)
                if prefix and base[0] in "ao":
                    units[prefix[:-1] + base] = Unit(prefix[:-1] + base, quantity, scale)
    return units


def _lowered_table() -> dict[tuple[str, str], Unit]:
    """Units of a quantity in lower case, where that leaves one size (not `ms`, which is mS or MS)."""
    found: dict[tuple[str, str], dict[float, Unit]] = {}
    for unit in _UNITS.values():
        found.setdefault((unit.quantity, unit.symbol.lower()), {})[unit.scale] = unit
    return {key: next(iter(sizes.values())) for key, sizes in found.items() if len(sizes) == 1}


_UNITS = _table()
_SPELLED = _spelled_table()
_LOWERED = _lowered_table()


def parse_unit(text: str, quantity: str | None = None) -> Unit | None:
    """The unit written as `text` (`kohm`, `k Ohm`, `[kilo-ohms]`), or None where it is not one of ours.

    With `quantity` known from the name of the column, a lower-cased spelling (`conductance_us`) is
    understood too, as long as its prefix stays unambiguous.
    """
    plain = plain_text(text).strip().strip("[](){}<>\"'").replace("$", "").replace("\\", "").strip()
    joined = _BETWEEN.sub("", plain)
    unit = _UNITS.get(plain) or _UNITS.get(joined) or _SPELLED.get(joined.lower())
    if unit is not None or quantity is None:
        return unit
    return _LOWERED.get((quantity, joined.lower()))


def looks_like_unit(text: str) -> bool:
    """Whether a text names a resistance or conductance as a unit, though perhaps not as one that we know."""
    return _LIKE_A_UNIT.search(text) is not None or parse_unit(text) is not None


def is_relative(text: str) -> bool:
    """Whether readings in such a unit are no resistances until they are converted: `dB`, `a.u.`, `%`, `G0`, `log`."""
    return _RELATIVE.fullmatch(plain_text(text).strip("[](){} ")) is not None


def unit_in_words(name: str, quantity: str) -> Unit | str | None:
    """The unit of a quantity among the words of a name (`resistance_kohm_read`): known, unreadable (its text), or None.

    A single letter is no unit here: `R_A` may be the read of device A.
    """
    name = _PREFIX_APART.sub(r"\1", plain_text(name))
    for word in re.split(r"[\s_.,;:()\[\]{}<>|=-]+", name):
        if len(word) > 1 and (unit := parse_unit(word, quantity)) and unit.quantity == quantity:
            return unit
    return next((word for word in re.split(r"[\s_.,;:()\[\]{}<>|=]+", name) if _LIKE_A_UNIT.search(word)), None)


def split_name(header: str) -> tuple[str, str]:
    """Bare name and unit text of `name [unit]`, `name (unit)`, `name / unit`, `name_unit` or `name unit`.

    The unit is '' where there is none; whether a bare suffix (`cell_A`) is a unit is for the caller to judge.
    """
    if len(header) > LONGEST_NAME:
        return header.strip(), ""
    header = plain_text(header)
    match = _GLUED.match(header) or _BRACKETED.match(header) or _TRAILING.match(header)
    return (match["name"].strip(" _"), match["unit"]) if match else (header.strip(), "")


def is_bracketed(header: str) -> bool:
    """Whether a header ends in brackets, so that what they hold is meant as a unit."""
    return plain_text(header).rstrip().endswith(("]", ")"))
