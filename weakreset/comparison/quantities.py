"""Numbers with their uncertainty, and the difference of two of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from weakreset.display import number
from weakreset.model import TruncatedLaw
from weakreset.parameter_file import ParameterLaw, draw_laws

__all__ = ["COLUMNS", "SHORT_COLUMNS", "Difference", "Quantity", "law_quantities", "quantities_of"]

SHORT_COLUMNS = ("quantity", "A", "B", "B / A, B - A", "p", "differ")
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
            return self.value * _exp(-reach), self.value * _exp(reach)
        return self.value - reach, self.value + reach

    def error_in(self, ratio: bool) -> float:
        """The standard error of the logarithm for a `ratio`, else of the number itself; 0 where it is not known."""
        if self.error is None:
            return 0.0
        return self.error * abs(self.value) if self.positive and not ratio else self.error


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
        Of no difference; None where it cannot be tested, for neither has a standard error.
    fixed : "A", "B" or ""
        The one without a standard error, where the other has one: its number is taken as exact (a one-sample test).
    """

    what: str
    unit: str
    a: Quantity
    b: Quantity
    change: float
    interval: tuple[float, float] | None
    p_value: float | None
    adjusted_p_value: float | None = None
    fixed: str = ""

    @classmethod
    def between(cls, what: str, unit: str, a: Quantity, b: Quantity) -> Difference:
        # positive numbers differ by factors: their logarithms are nearer to normal than they are
        ratio = a.positive and b.positive and a.value > 0 and b.value > 0
        gap = math.log(b.value / a.value) if ratio else b.value - a.value
        change = _exp(gap) if ratio else gap
        error = math.hypot(a.error_in(ratio), b.error_in(ratio))
        if error == 0:
            return cls(what, unit, a, b, change, None, None)
        fixed = "" if a.error and b.error else "B" if a.error else "A"
        ends = gap - _NORMAL_95 * error, gap + _NORMAL_95 * error
        interval = (_exp(ends[0]), _exp(ends[1])) if ratio else ends
        return cls(what, unit, a, b, change, interval, float(2.0 * special.ndtr(-abs(gap) / error)), fixed=fixed)

    def row(self) -> tuple[str, ...]:
        """In words and numbers, columns as `COLUMNS`."""
        return (
            f"{self.what} ({self.unit})", number(self.a.value) + _bracket(self.a.interval),
            number(self.b.value) + _bracket(self.b.interval), number(self.change, 3) + _bracket(self.interval),
            number(self.adjusted_p_value, 2), self.outcome,
        )

    def short(self) -> tuple[str, ...]:
        """Columns as `SHORT_COLUMNS`, for 80 signs: without the intervals of A and B."""
        unit = "" if self.unit == "1" else f" ({self.unit})"
        p = self.adjusted_p_value
        shown = "<0.001" if p is not None and p < 1e-3 else number(p, 2)
        return (
            f"{self.what}{unit}", number(self.a.value, 3), number(self.b.value, 3),
            number(self.change, 3) + _bracket(self.interval, 2), shown, "yes" if self.outcome == "differ" else "",
        )

    @property
    def outcome(self) -> str:
        """In words."""
        if self.adjusted_p_value is None:
            return "not tested: no standard errors"
        return "differ" if self.adjusted_p_value < 0.05 else "no difference shown"


def _exp(value: float) -> float:
    return math.exp(value) if value < 700.0 else math.inf  # e^710 is no longer a float


def _bracket(interval: tuple[float, float] | None, digits: int = 3) -> str:
    return "" if interval is None else f" [{number(interval[0], digits)}, {number(interval[1], digits)}]"


def law_quantities(entry: ParameterLaw, rng: np.random.Generator) -> dict[str, Quantity]:
    """Median and spread (half of the range from 16 to 84 %) of a law, their errors from those of its numbers."""
    return quantities_of(entry.law(), entry.stderr or {}, rng)


def quantities_of(law: TruncatedLaw, stderr: Mapping[str, float], rng: np.random.Generator) -> dict[str, Quantity]:
    """The same of a law and the standard errors of its numbers."""
    # where no device can be below zero, medians are compared by their ratio
    positive = law.lower >= 0 or law.family in ("lognorm", "gamma", "weibull")
    q16, median, q84 = map(float, law.ppf(np.array([0.16, 0.5, 0.84])))
    # quantiles, not moments: every family has them, and a heavy tail does not move them
    found = {"median": (median, positive), "spread": (0.5 * (q84 - q16), True)}
    if law.family == "constant":
        return {"median": Quantity(median, None, positive)}
    if not stderr:
        return {name: Quantity(value, None, sign) for name, (value, sign) in found.items()}
    drawn = draw_laws(law, stderr, _DRAWS, rng)
    quantiles = np.array([one.ppf(np.array([0.16, 0.5, 0.84])) for one in drawn])
    values = {"median": quantiles[:, 1], "spread": 0.5 * (quantiles[:, 2] - quantiles[:, 0])}
    return {
        name: Quantity(value, float(np.std(np.log(values[name]) if sign else values[name])), sign)
        for name, (value, sign) in found.items()
    }
