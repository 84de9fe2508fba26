"""Numbers of a parameter file in the units people use, whatever the drift shape or the kind of noise."""

from __future__ import annotations

import math
from collections.abc import Callable

from weakreset.display import as_change, as_interval, as_ohms, number
from weakreset.model import SHAPES, DriftShape, Number, TruncatedLaw

__all__ = ["FAMILY_WORDS", "in_words", "law_in_words", "noise_number", "spread_words"]

FAMILY_WORDS = {
    "norm": "normal", "expon": "exponential", "lognorm": "lognormal", "gamma": "gamma", "weibull": "Weibull",
    "uniform": "uniform", "unit_gamma": "unit gamma", "constant": "constant",
}
_LEVELS = (0.05, 0.95)


def in_words(model: str, name: str, unit: str) -> Callable[..., str]:
    """How to write one value of a parameter, or two as an interval.

    A number by which ln R grows in proportion is a change of the resistance, in per cent (a pulse, where that is its
    unit); exponents and rates stay as they are.
    """
    if unit == "ohm":
        return as_ohms
    if unit == "pulse":
        return lambda *values: f"{as_interval(values)} pulses"
    shape = SHAPES.get(model)
    if unit == "ln R" or (shape is not None and name in shape.parameters and _proportional(shape, name)):
        return _a_pulse if unit == "1/pulse" else as_change
    return lambda *values: f"{as_interval(values)}{'' if unit == '1' else f' {unit}'}"


def law_in_words(law: TruncatedLaw, say: Callable[..., str], sign: int = 1) -> tuple[str, str]:
    """Median, and the range of 90 % of the devices (5 to 95 %); `sign` -1 where the file holds minus the number."""
    low, high = sorted(sign * float(end) for end in law.ppf(_LEVELS))
    return say(sign * law.median()), "all alike" if law.family == "constant" else say(low, high)


def spread_words(law: TruncatedLaw) -> str:
    """How uniform devices are: half of what 68 % of them span, in per cent of the median; a factor where that is large.

    A dash where devices lie on both sides of zero: a share of the median would mean nothing.
    """
    low, middle, high = map(float, law.ppf((0.16, 0.5, 0.84)))
    if law.family == "constant" or not low > 0:
        return "–"
    if high < 2.0 * low:  # beyond, "± 60 %" would read as if devices fell near zero
        return f"± {number(50.0 * (high - low) / middle, 2)} %"
    return f"×÷ {number(math.sqrt(high / low), 2)}"


def noise_number(about: Number, value: float, stderr: float | None = None) -> str:
    """A number of a kind of noise: ln R in per cent, rates as a waiting time."""
    error = f" (known to {number(100.0 * stderr / abs(value), 2)} %)" if stderr and value else ""
    if about.unit == "ln R" and abs(value) < math.log(2.0):
        return f"{number(100.0 * value, 3)} % of R{error}"  # d ln R = dR / R for small steps
    if about.unit == "1/pulse" and value > 0:
        return f"once in {number(1.0 / value, 3)} pulses{error}"
    return f"{number(value, 3)}{'' if about.unit == '1' else f' {about.unit}'}{error}"


def _a_pulse(*values: float) -> str:
    if max(map(abs, values)) > 1.0:
        return f"{as_interval(values)} in ln R a pulse"
    return f"{as_interval([100.0 * math.expm1(value) for value in values])} % a pulse"


def _proportional(shape: DriftShape, name: str) -> bool:
    """Whether the drift is linear in a number: its derivative does not depend on it."""
    others = {other: 0.7 for other in shape.parameters if other != name}
    slopes = {
        float(shape.formula.derivative(others | {name: value, "t": 3.0}, name)) for value in (0.3, 0.9)
    }
    return len(slopes) == 1
