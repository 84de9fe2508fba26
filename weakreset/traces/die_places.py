"""Places of dies on a wafer, and of devices on a die, as names and columns say them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from weakreset.traces.group_labels import group_labels
from weakreset.traces.trace import PulseTrace

__all__ = ["Place", "device_places", "die_place", "wafer_places"]

Place = tuple[int, int]
"""Across and up."""

_WIDEST = 200  # places across: a date or a serial number read as one would stretch the map beyond
_WORD = r"(?:die|chip|site|field|reticle)?"
_NAMED = re.compile(
    rf"\W*{_WORD}[\s_#:=(]*([a-z]*)[\s_=:]*([-−]?\d+)"  # X-1, (3, r2
    r"(?:[\s,;:_/|.]*([a-z]+)[\s_=:]*|[\s,;:_/|.]+|-|−)"  # Y | separators | 3-4
    r"([-−]?\d+)\W*",
    re.IGNORECASE,
)
_DOWN_FIRST = ("y", "r", "row")


def die_place(name: str) -> Place | None:
    """Across and up of a die called `X1Y-2`, `3,4`, `(3, -4)`, `R2C5`, `2_7`; None where a name is no place."""
    found = _NAMED.fullmatch(name.strip())
    if found is None:
        return None
    first, second = (int(found[k].replace("−", "-")) for k in (2, 4))
    return (second, first) if found[1].lower() in _DOWN_FIRST else (first, second)


def wafer_places(traces: Iterable[PulseTrace]) -> dict[str, dict[str, Place]]:
    """By wafer ("" without a name) the place of the die of each device; only wafers all of whose dies have places."""
    labels = group_labels(traces)
    wafers = {**labels.get("lot", {}), **labels.get("wafer", {})}
    found: dict[str, dict[str, Place | None]] = {}
    for device, label in labels.get("die", {}).items():
        wafer = wafers.get(device, "")
        own = label.removeprefix(f"{wafer}/") if wafer else label
        found.setdefault(wafer, {})[device] = die_place(own)
    return {wafer: kept for wafer, of in sorted(found.items()) if (kept := _a_map(of))}


def device_places(traces: Iterable[PulseTrace]) -> dict[str, Place]:
    """Column and row of each device; empty unless all that have them have whole numbers."""
    labels = group_labels(traces)
    rows, columns = labels.get("row", {}), labels.get("col", {})
    both = rows.keys() & columns.keys()
    return _a_map({key: _whole(columns[key], rows[key]) for key in both})


def _whole(column: str, row: str) -> Place | None:
    numbers = [re.fullmatch(r"(-?\d+)(?:\.0*)?", text.strip()) for text in (column, row)]
    across, up = (None if found is None else int(found[1]) for found in numbers)
    return None if across is None or up is None else (across, up)


def _a_map(of: Mapping[str, Place | None]) -> dict[str, Place]:
    """The places, if there are two or more, each is one, and they lie close enough to be a map."""
    places = {key: place for key, place in of.items() if place is not None}
    if len(places) < len(of) or len(set(places.values())) < 2:
        return {}
    spans = [max(axis) - min(axis) for axis in zip(*places.values(), strict=True)]
    return places if max(spans) < _WIDEST else {}
