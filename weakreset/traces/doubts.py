"""What a file leaves open, as errors: with a map by hand it can be read."""

from __future__ import annotations

from collections.abc import Mapping

from weakreset.errors import TraceFormatError

__all__ = ["UnclearLayout", "UnitDoubtError"]


class UnclearLayout(TraceFormatError):
    """Nothing says how a table is to be read: a map by hand would. `device` is the column that may name the devices;
    `one_of` are columns of which each could be the reading, and what it would be."""

    def __init__(self, words: str, device: int | None = None, one_of: Mapping[int, str] | None = None) -> None:
        super().__init__(words)
        self.device, self.one_of = device, one_of or {}


class UnitDoubtError(TraceFormatError):
    """What a file says of the unit of its readings cannot be read: which `columns`, and what they may be."""

    def __init__(self, words: str, columns: tuple[int, ...], quantities: tuple[str, ...]) -> None:
        super().__init__(words)
        self.columns, self.quantities = columns, quantities
