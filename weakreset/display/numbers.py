"""Numbers as people write them."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["for_json", "number", "percent", "plus_minus"]

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 4) -> str:
    """`digits` significant figures; 6.56×10⁻⁴ where the size asks for it; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    # of the rounded value: 9.9996 has two digits before the point
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if -3 <= exponent <= 5:
        decimals = max(0, digits - 1 - exponent)
        return _minus(f"{value:.{decimals}f}")
    return _minus(mantissa) + _power(exponent)  # not value / 10^exponent: 10^-324 is zero


def plus_minus(value: float | None, error: float | None) -> str:
    """Value and standard error with the error to two figures; the value alone where there is no error."""
    if value is None or error is None or not error > 0 or not math.isfinite(error):
        return number(value)
    # the power of the larger of the two: an error above its value would else have digits before the point
    exponent = _exponent(value) if abs(value) >= error else _exponent(error)
    scale = 10.0**exponent if not -3 <= exponent <= 5 else 1.0
    decimals = max(0, 1 - _exponent(error / scale))  # two figures of the error, and the value to the same place
    body = f"{_minus(f'{value / scale:.{decimals}f}')} ± {error / scale:.{decimals}f}"
    return body if scale == 1.0 else f"({body}){_power(exponent)}"


def percent(fraction: float | None, decimals: int = 1) -> str:
    """A fraction as a percentage."""
    return "–" if fraction is None else f"{100 * fraction:.{decimals}f} %"


def for_json(content: Any) -> Any:
    """The content with None in place of infinity and NaN, which JSON does not have."""
    if isinstance(content, dict):
        return {key: for_json(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [for_json(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _power(exponent: int) -> str:
    return "×10" + str(exponent).translate(_SUPERSCRIPT)
