"""What the names of columns say beyond a role: a number at their end, the device in brackets, which are alike."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from weakreset.traces.units import is_bracketed, is_relative, parse_unit, split_name
from weakreset.traces.vocabulary import classify_name, is_side_column, normalise, role_of

__all__ = [
    "FRESH",
    "NumberedName",
    "alike",
    "device_in_brackets",
    "is_side_name",
    "numbered",
    "plain_name",
    "read_at",
    "says_device",
    "without_unit",
    "words_apart",
]

_NUMBERED = re.compile(r"^(?P<stem>(?:.*[^\d.])??)[\s_.\-#=@:(\[]*?(?P<number>\d{1,15})\s*[)\]]?$", re.DOTALL)
_REPEATED = re.compile(r"^(?P<base>.+)\.\d+$", re.DOTALL)
_BRACKETS = re.compile(r"^(?P<name>.*\S)\s*[\[(]\s*(?P<inside>[^\[\]()]+?)\s*[\])]$", re.DOTALL)
_AT_VOLTAGE = re.compile(r"(?:@|\bat\b|[(\[_ ])\s*(?P<value>[-+]?\d+(?:[.,]\d+)?)\s*(?P<milli>m?)V(?![A-Za-z0-9])")
_DEVICE_INSIDE = re.compile(r"^[A-Za-z_ #-]{0,12}\d{1,6}(?:[A-Za-z_ ,/-]{0,4}\d{1,6})*$")
_COUNTED_BEFORE = re.compile(
    r"^(?P<stem>(?:.*[^\d.])??)[\s_.\-#=@:]*(?P<number>\d{1,15})(?:st|nd|rd|th)?[\s_]*(?:(?:reset[\s_]*)?pulses?|p)$",
    re.IGNORECASE | re.DOTALL,
)
_AFTER = re.compile(r"(?<=\w)[\s_]+(?:after|at)$", re.IGNORECASE)
FRESH = frozenset(
    ("fresh", "initial", "pristine", "virgin", "as fabricated", "as fab", "unstressed", "before stress", "start",
     "inicial", "iniziale", "anfang", "vierge", "初始", "初期")
)  # fmt: skip
"""Of a device that had no pulse yet."""
_PULSE_STEMS = frozenset(("p", "n", "after", "read", "pulse no", "at"))
_COUNTED = ("pulse", "resistance", "conductance", "current")
_EXACT = 0.9
_CAMEL = re.compile(r"^(?:[a-z]{3,}|[A-Z][a-z]{2,})(?:[A-Z][A-Za-z]*)+$")
_LONGEST_NAME = 200  # characters: longer ones are text, and a pattern on them could take seconds
_UNIT_WORDS = re.compile(r"(?i)ohm|siemens|amp|volt|Ω|^[x×*]?\s*\d+(?:e\d+)?$")


@dataclass(frozen=True)
class NumberedName:
    """A name that ends in a number, `Resistance_12 (ohm)`; `counts` says what the words before it are.

    pulse (`pulse 5`, `N=5`), a reading (`R_5`), `` for a number alone, or `name` for anything else.
    """

    stem: str
    number: int
    counts: str


def plain_name(name: str, names: Collection[str]) -> str:
    """The name as it stands in the file: `R.1` is the second column called `R`."""
    match = _REPEATED.match(name)
    return match["base"] if match and match["base"] in names else name


def words_apart(name: str) -> str:
    """`resistanceKOhm` as `resistance KOhm`; names that are not written so stay."""
    camel = len(name) <= _LONGEST_NAME and _CAMEL.match(name)
    return re.sub(r"(?<=[a-z]{2})(?=[A-Z])", " ", name) if camel else name


def without_unit(name: str) -> str:
    """`D1 [kohm]` and `D1_kohm` as `D1`; anything that only looks like a unit (`cell_A`) stays."""
    bare, unit_text = split_name(name)
    unit = parse_unit(unit_text)
    return bare if unit and bare and (is_bracketed(name) or len(unit.symbol) > 1) else name.strip()


def numbered(name: str) -> NumberedName | None:
    """The number that a name ends in, and what it counts."""
    if len(name) > _LONGEST_NAME:
        return None
    bare = without_unit(name)
    if normalise(bare) in FRESH:
        return NumberedName("", 0, "pulse")
    counted = _COUNTED_BEFORE.match(bare)  # `10 pulses`, `R @ 10 pulses`
    match = counted or _NUMBERED.match(bare)
    if not match:
        return None
    stem = _AFTER.sub("", match["stem"].strip(" _.-#=@:(["))
    key = normalise(stem)
    known = classify_name(stem) if key else None
    if not key:
        counts = "pulse" if counted else ""
    elif key in _PULSE_STEMS or (counted and role_of(stem) in _COUNTED):
        counts = "pulse"
    else:
        exact = known is not None and known[1] >= _EXACT  # `Resistance_D` of `Resistance_D0` is none
        counts = known[0] if known and exact and known[0] in _COUNTED else "name"
    return NumberedName(stem, int(match["number"]), counts)


def device_in_brackets(name: str) -> str:
    """`W11` of `Conductance (W11)`; '' where the brackets hold a unit or nothing that could be a device."""
    match = _BRACKETS.match(name) if len(name) <= _LONGEST_NAME else None
    if not match or parse_unit(match["inside"]) or is_relative(match["inside"]) or _UNIT_WORDS.search(match["inside"]):
        return ""
    return match["inside"] if _DEVICE_INSIDE.match(match["inside"]) else ""


def read_at(name: str) -> float | None:
    """The read voltage [V] in the name of a current, `I @ 0.2 V (uA)`, `I(200mV)`; None where it has none."""
    match = _AT_VOLTAGE.search(name) if len(name) <= _LONGEST_NAME else None
    return float(match["value"].replace(",", ".")) * (1e-3 if match["milli"] else 1.0) if match else None


def says_device(name: str) -> bool:
    """Whether a name says device, cell, ... before its number or letter: `Device 1`, `cell_01`, `dev-A`, `D07`."""
    bare = without_unit(name)
    words = [word for word in re.split(r"[\s_\-.#]+", bare) if word]
    if len(words) < 2:
        return bool(re.fullmatch(r"(?i)(?:device|dev|cell|dut|d|bit|sample|rram|mem)\d+[a-z]?", bare))
    known = classify_name(words[0])
    return bool(known and known[0] == "device") or normalise(words[0]) in ("bit", "rram", "memristor", "array")


def alike(name: str) -> str:
    """What is common to the names of alike columns: digits and single letters stand for any (`W#B#`, `dev-@`)."""
    bare = re.sub(r"\d+", "#", without_unit(name))
    return re.sub(r"(?i)(?<![a-z])[a-z]$", "@", bare) if "#" not in bare else bare


def is_side_name(name: str) -> bool:
    """Whether a name, or the words before its number, is a circumstance of the measurement: `T1`, `V_2`."""
    found = numbered(name)
    if is_side_column(name):
        return True
    if found is None or found.counts != "name":
        return False
    known = classify_name(found.stem)
    return is_side_column(found.stem) or bool(known and known[0] == "read_voltage")
