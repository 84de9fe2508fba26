"""Numbers with their uncertainty, and the difference of two of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from weakreset.display import number
from weakreset.parameter_file import ParameterLaw, draw_laws

__all__ = ["COLUMNS", "Difference", "Quantity", "law_quantities"]

COLUMNS = ("quantity", "A", "B", "B / A, or B - A", "adjusted p", "outcome")
_DRAWS = 400  # of the laws within their errors: sd of a quantile to 4 %
_NORMAL_95 = 1.959964  # two-sided


@dataclass(frozen=True)
class Quantity:
    """A number, and the standard error of it: of its logarithm where `positive`. None where it is not known."""

    value: float
    error: float | None
    positive: bool = True

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 %."""
        if self.error is None:
            return None
        reach = _NORMAL_95 * self.error
        if self.positive:
            return self.value * math.exp(-reach), self.value * math.exp(reach)
        return self.value - reach, self.value + reach


@dataclass(frozen=True)
class Difference:
    """One quantity of A beside that of B.

    Attributes
    ----------
    what, unit : str
    a, b : Quantity
    change : float
        b / a, or b - a where they may have any sign.
    interval : (float, float) or None
        95 % of `change`.
    p_value, adjusted_p_value : float or None
        Of no difference; None where it cannot be tested, for one of them has no standard error.
    """

    what: str
    unit: str
    a: Quantity
    b: Quantity
    change: float
    interval: tuple[float, float] | None
    p_value: float | None
    adjusted_p_value: float | None = None

    @classmethod
    def between(cls, what: str, unit: str, a: Quantity, b: Quantity) -> Difference:
        ratio = a.positive and b.positive and a.value > 0 and b.value > 0
        gap = math.log(b.value / a.value) if ratio else b.value - a.value
        change = math.exp(gap) if ratio else gap
        if a.error is None or b.error is None or a.error + b.error == 0:
            return cls(what, unit, a, b, change, None, None)
        error = math.hypot(a.error, b.error)
        ends = gap - _NORMAL_95 * error, gap + _NORMAL_95 * error
        interval = (math.exp(ends[0]), math.exp(ends[1])) if ratio else ends
        return cls(what, unit, a, b, change, interval, float(2.0 * special.ndtr(-abs(gap) / error)))

    def row(self) -> tuple[str, ...]:
        """In words and numbers, columns as `COLUMNS`."""
        return (
            f"{self.what} ({self.unit})", number(self.a.value) + _bracket(self.a.interval),
            number(self.b.value) + _bracket(self.b.interval), number(self.change, 3) + _bracket(self.interval),
            number(self.adjusted_p_value, 2), self.outcome,
        )

    @property
    def outcome(self) -> str:
        """In words."""
        if self.adjusted_p_value is None:
            return "not testable: no standard error in " + " or ".join(
                name for name, quantity in (("A", self.a), ("B", self.b)) if not quantity.error
            )
        return "differ" if self.adjusted_p_value < 0.05 else "no difference shown"


def _bracket(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{number(interval[0], 3)}, {number(interval[1], 3)}]"


def law_quantities(entry: ParameterLaw, rng: np.random.Generator) -> dict[str, Quantity]:
    """Median and spread (half of the range from 16 to 84 %) of a law, their errors from those of its numbers."""
    law = entry.law()
    positive = law.lower >= 0 or law.family in ("lognorm", "gamma", "weibull")
    q16, median, q84 = map(float, law.ppf(np.array([0.16, 0.5, 0.84])))
    found = {"median": (median, positive), "spread": (0.5 * (q84 - q16), True)}
    if law.family == "constant":
        return {"median": Quantity(median, None, positive)}
    if not entry.stderr:
        return {name: Quantity(value, None, sign) for name, (value, sign) in found.items()}
    drawn = draw_laws(law, entry.stderr, _DRAWS, rng)
    quantiles = np.array([one.ppf(np.array([0.16, 0.5, 0.84])) for one in drawn])
    values = {"median": quantiles[:, 1], "spread": 0.5 * (quantiles[:, 2] - quantiles[:, 0])}
    return {
        name: Quantity(value, float(np.std(np.log(values[name]) if sign else values[name])), sign)
        for name, (value, sign) in found.items()
    }
