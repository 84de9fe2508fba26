"""Numbers as people write them."""

from __future__ import annotations

import math

__all__ = ["number", "percent", "plus_minus"]

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
    exponent = int(f"{value:.{digits - 1}e}".split("e")[1])
    if -3 <= exponent <= 5:
        decimals = max(0, digits - 1 - exponent)
        return _minus(f"{value:.{decimals}f}")
    return _minus(f"{value / 10.0**exponent:.{digits - 1}f}") + _power(exponent)


def plus_minus(value: float | None, error: float | None) -> str:
    """Value and standard error with the error to two figures; the value alone where there is no error."""
    if value is None or error is None or not error > 0 or not math.isfinite(error):
        return number(value)
    exponent = _exponent(value) if abs(value) >= error else _exponent(error)
    scale = 10.0**exponent if not -3 <= exponent <= 5 else 1.0
    decimals = max(0, 1 - _exponent(error / scale))
    body = f"{_minus(f'{value / scale:.{decimals}f}')} ± {error / scale:.{decimals}f}"
    return body if scale == 1.0 else f"({body}){_power(exponent)}"


def percent(fraction: float | None, decimals: int = 1) -> str:
    """A fraction as a percentage."""
    return "–" if fraction is None else f"{100 * fraction:.{decimals}f} %"


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _power(exponent: int) -> str:
    return "×10" + str(exponent).translate(_SUPERSCRIPT)
