"""Numbers in the units people use: kiloohm, per cent of a resistance, per cent a pulse."""

from __future__ import annotations

import math
from collections.abc import Sequence

from weakreset.display.numbers import number

__all__ = ["as_change", "as_interval", "as_ohms"]

_PREFIXES = ((1e9, "GΩ"), (1e6, "MΩ"), (1e3, "kΩ"), (1.0, "Ω"))


def as_ohms(*values: float, digits: int = 3) -> str:
    """One resistance, or "A to B" in one unit: that of the largest."""
    largest = max(map(abs, values))
    scale, unit = next((item for item in _PREFIXES if largest >= item[0]), _PREFIXES[-1])
    return f"{as_interval([value / scale for value in values], digits)} {unit}"


def as_change(*log_ratios: float, digits: int = 3) -> str:
    """ln(R/R0) as what it does to a resistance, in per cent; "×8.2" where that is more than a doubling."""
    # per cent mean little beyond a doubling, and +700 % misleads: a factor then
    if all(abs(value) < math.log(2.0) for value in log_ratios):
        return f"{as_interval([100.0 * math.expm1(value) for value in log_ratios], digits)} %"
    return f"×{as_interval([_exp(value) for value in log_ratios], digits)}"


def as_interval(values: Sequence[float], digits: int = 3) -> str:
    """"A to B", or the one value there is."""
    return " to ".join(number(value, digits) for value in values)


def _exp(value: float) -> float:
    return math.exp(value) if value < 700.0 else math.inf  # e^710 is no longer a float
