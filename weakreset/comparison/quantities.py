"""Numbers with their uncertainty, and the difference of two of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.model import FAMILIES, TruncatedLaw
from weakreset.parameter_file import ParameterLaw

__all__ = ["Difference", "Quantity", "law_quantities"]

_DRAWS = 400
_POINTS = 400
_NORMAL_95 = 1.959964


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

    @property
    def outcome(self) -> str:
        """In words."""
        if self.adjusted_p_value is None:
            return "not testable: no standard error in " + " or ".join(
                name for name, quantity in (("A", self.a), ("B", self.b)) if not quantity.error
            )
        return "differ" if self.adjusted_p_value < 0.05 else "no difference shown"


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
    quantiles = np.array([law_.ppf(np.array([0.16, 0.5, 0.84])) for law_ in _draws(law, entry.stderr, rng)])
    values = {"median": quantiles[:, 1], "spread": 0.5 * (quantiles[:, 2] - quantiles[:, 0])}
    return {
        name: Quantity(value, float(np.std(np.log(values[name]) if sign else values[name])), sign)
        for name, (value, sign) in found.items()
    }


def _draws(law: TruncatedLaw, stderr: dict[str, float], rng: np.random.Generator) -> list[TruncatedLaw]:
    """The law with its numbers drawn within their errors; those that make no law are left out."""
    made, root = [], np.linalg.cholesky(_error_correlation(law, tuple(stderr)))
    for scores in rng.standard_normal((_DRAWS, len(stderr))) @ root.T:
        steps = {name: error * score for (name, error), score in zip(stderr.items(), scores, strict=True)}
        moved = _moved(law, steps)
        if moved is not None:
            made.append(moved)
    return made or [law]


def _moved(law: TruncatedLaw, steps: dict[str, float]) -> TruncatedLaw | None:
    """Numbers changed by `steps` (positive ones on a logarithmic scale); None where that makes no law."""
    numbers = dict(law.params)
    for name, step in steps.items():
        value = law.params[name]
        positive = name in FAMILIES[law.family].positive
        numbers[name] = value * math.exp(min(step / value, 50.0)) if positive else value + step
    try:
        return TruncatedLaw(law.family, numbers, law.lower, law.upper)
    except ValueError:
        return None


def _error_correlation(law: TruncatedLaw, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Correlation of the errors of maximum likelihood, from the Fisher information of exact observations.

    The shape and the scale of a gamma law, say, err together: taken apart they would make its median uncertain.
    """
    x = law.ppf((np.arange(_POINTS) + 0.5) / _POINTS)
    width = float(law.ppf(0.84) - law.ppf(0.16))
    slopes = []
    for name in names:
        step = 1e-4 * (abs(law.params[name]) if name in FAMILIES[law.family].positive else width)
        ends = [_moved(law, {name: sign * step}) for sign in (1.0, -1.0)]
        if ends[0] is None or ends[1] is None:
            return np.eye(len(names))
        slopes.append((ends[0].logpdf(x) - ends[1].logpdf(x)) / (2.0 * step))
    score = np.array(slopes)
    score = score[:, np.all(np.isfinite(score), axis=0)]
    try:
        covariance = np.linalg.inv(score @ score.T)
        error = np.sqrt(np.diag(covariance))
        correlation = np.clip(covariance / np.outer(error, error), -0.9999, 0.9999)
    except np.linalg.LinAlgError:
        return np.eye(len(names))
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation)
