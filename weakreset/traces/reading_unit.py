"""The unit of a column of readings, from everything that the file says of it: known, absent, or unreadable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from weakreset.traces.contract import Table
from weakreset.traces.units import Unit, is_bracketed, parse_unit, split_name, unit_in_words

__all__ = ["FoundUnit", "find_unit"]


@dataclass(frozen=True)
class FoundUnit:
    """A unit (None: the file says none), or the words why what the file says is no unit of the quantity."""

    unit: Unit | None = None
    problem: str = ""


def find_unit(table: Table, index: int, quantity: str, header: str) -> FoundUnit:
    """The unit of column `index`, which holds a `quantity`.

    Its own statements count before those on all readings of the file; two that differ are a problem. `header` is the
    name that may hold a unit: that of the column, or '' where the name of the column is the name of a device.
    """
    beside = table.units[index].strip() if index < len(table.units) else ""
    general = (table.metadata.get(f"{quantity} unit") or table.metadata.get("unit", "")).strip()
    if whole := table.metadata.get("reading"):
        header, beside, general = whole, beside or general, ""
    in_name = _in_name(header, quantity)
    said = [("name", in_name)] if in_name else []
    said += [("line of units" if not is_attribute(table) else "attribute", beside)] if beside else []
    said += [("file", general)] if general and (not said or _fits(general, quantity)) else []
    return _agreed(tuple(said), quantity, header)


def is_attribute(table: Table) -> bool:
    """Whether what the table states beside names comes from metadata rather than from a line below them."""
    return table.line_of(0) is None if table.n_rows else True


@lru_cache(maxsize=4096)  # tables of 100,000 columns state the same for each
def _in_name(header: str, quantity: str) -> str:
    if not header:
        return ""
    if (whole := parse_unit(header)) and len(header) > 1:
        return whole.symbol
    _, text = split_name(header)
    if text and (is_bracketed(header) or ((unit := parse_unit(text, quantity)) and unit.quantity == quantity)):
        return text
    found = unit_in_words(header, quantity)
    return "" if found is None else found if isinstance(found, str) else found.symbol


def _fits(text: str, quantity: str) -> bool:
    unit = parse_unit(text)
    return unit is not None and unit.quantity == quantity


@lru_cache(maxsize=4096)
def _agreed(said: tuple[tuple[str, str], ...], quantity: str, header: str) -> FoundUnit:
    units: list[tuple[str, str, Unit]] = []
    for place, text in said:
        # Only a name may be lower-cased by the program that wrote it: a unit `us` beside it is microseconds.
        unit = parse_unit(text, quantity if place == "name" else None)
        if unit is None:
            return FoundUnit(None, f"the {place} says {text[:60]!r}, which is not a unit of {quantity} that we know")
        if unit.quantity != quantity:
            return FoundUnit(None, f"the {place} says {text[:60]!r}, a unit of {unit.quantity}, not of {quantity}")
        units.append((place, text, unit))
    if len({unit.scale for _, _, unit in units}) > 1:
        (first, one, _), (second, other, _) = units[0], next(u for u in units if u[2].scale != units[0][2].scale)
        whole = f"{header}: " if header else ""
        return FoundUnit(None, f"{whole}its {first} says {one}, its {second} {other}; correct one of them")
    return FoundUnit(units[0][2] if units else None)
