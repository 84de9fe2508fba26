"""The numbers that make a device itself, side by side in one row: what each column holds."""

from __future__ import annotations

from weakreset.model import BUILT_IN, DriftShape

__all__ = [
    "AMPLITUDE",
    "FIRST",
    "OFFSET",
    "formula_number",
    "numbered_formula",
    "outside",
    "own_numbers",
    "trait_names",
]

OFFSET, AMPLITUDE, FIRST = 0, 1, 2
"""ln r0 + the drift's offset (c1) + the slow level of 1/f noise; telegraph step; the drift's other numbers."""

_NUMBERED: list[tuple[str, DriftShape]] = []


def own_numbers(shape: DriftShape) -> tuple[str, ...]:
    """The numbers of a drift besides its offset, in the order of their columns."""
    return tuple(name for name in shape.parameters if name != shape.offset)


def trait_names(shape: DriftShape) -> tuple[str, ...]:
    """Columns of `traits` for a drift shape."""
    return ("offset", "rtn_amplitude", *own_numbers(shape))


def formula_number(shape: DriftShape) -> int:
    """A drift as the compiled kernel knows it: the same number for the same formula, of this process at least.

    Numbers of this package's shapes are the same in every process; of others `outside` tells that they are not.
    """
    # by the formula, not the name: one name may mean another formula after a reload
    key = f"{shape.formula} of {shape.offset}, {own_numbers(shape)}"
    known = [other for other, _ in _NUMBERED]
    if key not in known:
        _NUMBERED.append((key, shape))
        return len(known)
    return known.index(key)


def numbered_formula(number: int) -> DriftShape:
    """A shape with the formula of this number."""
    return _NUMBERED[number][1]


def outside(number: int) -> bool:
    """Whether the formula of this number may have another number, or be another one, in the next process."""
    return number >= len(BUILT_IN)


for _shape in BUILT_IN:
    formula_number(_shape)
