"""Truncated maximum likelihood of one law from exactly known values, and choice of the family by AIC.

`scipy.stats` fits ignore truncation (its truncnorm.fit diverges), so the likelihood is written out here:
the density of the family divided by its mass inside the truncation.

The uniform law can be asked for by name where values are exactly known, but is no candidate of the choice. Its
likelihood is greatest with the ends at the extreme values: that is not a regular maximum, so AIC's penalty of one
per number does not hold, there is no curvature for a standard error, and the drawn devices could never
leave the range of the sample. For numbers known with an error (c1) the ends would follow the worst device's error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from weakreset.errors import FitError
from weakreset.model import FAMILIES, TruncatedLaw
from weakreset.population.result import Candidate

__all__ = ["POSITIVE_FAMILIES", "REAL_FAMILIES", "FreeLaw", "ValueFit", "akaike", "fit_values", "start_law"]

Array = NDArray[np.float64]

POSITIVE_FAMILIES = ("lognorm", "gamma", "weibull", "expon", "norm")
REAL_FAMILIES = ("norm",)

_LARGE = 1e12  # for the simplex: worse than any likelihood, and still a number
_TINY = 1e-12
"""In place of a mean of zero, which no positive family has."""


@dataclass(frozen=True)
class FreeLaw:
    """A family with its free numbers on the whole real line, for optimizers.

    Positive numbers are optimized by their logarithm. The `loc` of an exponential stays where it is: a
    left-truncated exponential does not identify it.
    """

    family: str
    fixed: Mapping[str, float]
    lower: float
    upper: float

    @property
    def free(self) -> tuple[str, ...]:
        return tuple(name for name in FAMILIES[self.family].param_names if name not in self.fixed)

    @property
    def n_numbers(self) -> int:
        """Numbers that were chosen by the data, for AIC: the loc of an exponential too, where it is not at zero."""
        return len(FAMILIES[self.family].param_names) - (self.family == "expon" and self.fixed["loc"] <= 0)

    def aic(self, log_likelihood: float) -> float:
        """Akaike's criterion of the law at its best: lower is better."""
        return 2.0 * (self.n_numbers - log_likelihood)

    def law(self, x: Sequence[float] | Array) -> TruncatedLaw:
        """The law at `x`; ValueError where there is none."""
        positive = FAMILIES[self.family].positive
        values = dict(self.fixed)
        for name, value in zip(self.free, x, strict=True):
            values[name] = math.exp(min(value, 500.0)) if name in positive else float(value)
        return TruncatedLaw(self.family, values, self.lower, self.upper)

    def coordinates(self, params: Mapping[str, float]) -> Array:
        """The inverse of `law`."""
        positive = FAMILIES[self.family].positive
        return np.array([math.log(params[name]) if name in positive else params[name] for name in self.free])

    def scales(self, law: TruncatedLaw) -> Array:
        """A step of typical size in each coordinate."""
        positive = FAMILIES[self.family].positive
        width = float(law.ppf(0.84) - law.ppf(0.16)) / 2.0
        return np.array([0.1 if name in positive else 0.1 * max(width, 1e-12) for name in self.free])

    def stderr(self, law: TruncatedLaw, covariance: Array) -> dict[str, float]:
        """Standard errors of the numbers from the covariance of the coordinates (delta method)."""
        positive = FAMILIES[self.family].positive
        errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        return {
            name: float(error * law.params[name] if name in positive else error)
            for name, error in zip(self.free, errors, strict=True)
        }


@dataclass(frozen=True)
class ValueFit:
    """A law fitted to exact values."""

    law: TruncatedLaw
    stderr: dict[str, float]
    candidates: tuple[Candidate, ...]


def start_law(family: str, values: Array, lower: float, upper: float) -> tuple[FreeLaw, TruncatedLaw]:
    """A rough law by moments, where an optimizer can begin."""
    mean, sd = float(values.mean()) or _TINY, float(values.std()) or abs(float(values.mean())) * 0.1 or 1.0
    fixed: dict[str, float] = {}
    positive = np.maximum(values, 1e-300)
    if family == "norm":
        numbers = {"mean": mean, "sd": sd}
    elif family == "expon":
        loc = max(lower, 0.0) if math.isfinite(lower) else float(values.min())
        fixed = {"loc": loc}
        numbers = {"loc": loc, "scale": max(mean - loc, 1e-12 * abs(mean) + 1e-300)}
    elif family == "lognorm":
        logs = np.log(positive[values > 0]) if np.any(values > 0) else np.zeros(1)
        numbers = {"s": float(logs.std()) or 0.1, "scale": float(np.exp(np.median(logs)))}
    elif family in ("gamma", "weibull"):
        shape = min(max((mean / sd) ** 2, 0.2), 500.0)
        if family == "weibull":
            shape = min(max((mean / sd) ** 1.09, 0.3), 60.0)
            numbers = {"shape": shape, "scale": mean / math.gamma(1.0 + 1.0 / shape)}
        else:
            numbers = {"shape": shape, "scale": mean / shape}
    elif family == "uniform":
        fixed = {"low": float(values.min()), "high": float(values.max())}
        numbers = dict(fixed)
    else:
        raise FitError(f"cannot fit a {family!r} law; choose from {', '.join((*POSITIVE_FAMILIES, 'uniform'))}")
    free = FreeLaw(family, fixed, lower, upper)
    return free, TruncatedLaw(family, numbers, lower, upper)


def akaike(scores: Mapping[str, float]) -> tuple[Candidate, ...]:
    """AIC scores to candidates with Akaike weights, best first."""
    best = min(scores.values())
    raw = {family: math.exp(-0.5 * min(aic - best, 1400.0)) for family, aic in scores.items()}
    total = sum(raw.values())
    ordered = sorted(scores, key=lambda family: scores[family])
    return tuple(Candidate(family, scores[family], raw[family] / total) for family in ordered)


def fit_values(
    values: Array, families: Sequence[str], lower: float = -math.inf, upper: float = math.inf
) -> ValueFit:
    """Fit truncated laws to exactly known values and keep the one with the lowest AIC.

    Parameters
    ----------
    values : ndarray, shape (n,)
        All inside [lower, upper].
    families : sequence of str
    lower, upper : float
        Truncation, known beforehand (a window of observation, a physical limit).

    Raises
    ------
    FitError
        Fewer than 3 values, a value outside the truncation, or no family that can be fitted.
    """
    if len(values) < 3:
        raise FitError(f"{len(values)} values; a law needs at least 3")
    outside = values[(values < lower) | (values > upper)]
    if len(outside):
        raise FitError(f"value {outside[0]!r} lies outside the truncation [{lower}, {upper}]")
    fitted: dict[str, tuple[float, TruncatedLaw, dict[str, float]]] = {}
    for family in families:
        result = _fit_one(family, values, lower, upper)
        if result is not None:
            fitted[family] = result
    if not fitted:
        raise FitError(f"none of {', '.join(families)} can be fitted to these {len(values)} values")
    candidates = akaike({family: aic for family, (aic, _, _) in fitted.items()})
    _, law, stderr = fitted[candidates[0].family]
    return ValueFit(law, stderr, candidates)


def _fit_one(
    family: str, values: Array, lower: float, upper: float
) -> tuple[float, TruncatedLaw, dict[str, float]] | None:
    free, start = start_law(family, values, lower, upper)

    def nll(x: Array) -> float:
        try:
            total = -float(free.law(x).logpdf(values).sum())
        except (ValueError, OverflowError):
            return _LARGE
        return total if math.isfinite(total) else _LARGE

    if not free.free:
        return free.aic(-nll(np.empty(0))), start, {}
    x0 = free.coordinates(start.params)
    scale = free.scales(start)
    found = optimize.minimize(
        lambda u: nll(x0 + scale * u), np.zeros(len(x0)), method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-8, "maxiter": 4000},
    )
    if found.fun >= _LARGE:
        return None
    x = x0 + scale * found.x
    law = free.law(x)
    covariance = _inverse_curvature(nll, x, free.scales(law) * 0.1)
    return free.aic(-float(found.fun)), law, free.stderr(law, covariance) if covariance is not None else {}


def _inverse_curvature(nll, x: Array, h: Array) -> Array | None:  # type: ignore[no-untyped-def]
    n = len(x)
    eye = np.eye(n) * h
    curvature = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            corners = [nll(x + a * eye[i] + b * eye[j]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            curvature[i, j] = curvature[j, i] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h[i] * h[j])
    try:
        covariance = np.asarray(np.linalg.inv(curvature), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    return covariance if np.all(np.diag(covariance) > 0) else None
