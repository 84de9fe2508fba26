"""The numbers that make a device itself, side by side in one row: what each column holds."""

from __future__ import annotations

from weakreset.model import SHAPES

__all__ = ["AMPLITUDE", "FIRST", "OFFSET", "SHAPE_NUMBERS", "trait_names"]

OFFSET, AMPLITUDE, FIRST = 0, 1, 2
"""ln r0 + c1 + the slow level of 1/f noise; telegraph step; the drift's own numbers from here on."""

SHAPE_NUMBERS = {name: number for number, name in enumerate(sorted(SHAPES))}
"""Drift shapes as the compiled kernel knows them."""


def trait_names(shape: str) -> tuple[str, ...]:
    """Columns of `traits` for a drift shape; c1 is part of the offset."""
    return ("offset", "rtn_amplitude", *(name for name in SHAPES[shape].parameters if name != "c1"))
