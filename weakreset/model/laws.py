"""Truncated probability laws for device-to-device (D2D) spread.

A law is a family, its numbers and an interval outside of which it has no mass. Written on
`scipy.special`, not `scipy.stats`, because importing the latter costs most of a second and because
draws by inversion keep device *i* the same whatever the number of devices drawn after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = ["FAMILIES", "Family", "TruncatedLaw"]

Array = NDArray[np.float64]
Numbers = Mapping[str, float]

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
_LEAST_MASS = 1e-12  # of a law inside its truncation: below it quantiles are rounding errors


@dataclass(frozen=True)
class Family:
    """One family of laws: the names of its numbers and its untruncated functions.

    Attributes
    ----------
    name : str
        Key used in the parameter file.
    param_names : tuple of str
        Keys of `params` in the parameter file, in order.
    positive : tuple of str
        Those that must be greater than zero.
    cdf, ppf, logpdf : callable
        (values, params) -> values; vectorised.
    """

    name: str
    param_names: tuple[str, ...]
    positive: tuple[str, ...]
    cdf: Callable[[Array, Numbers], Array]
    ppf: Callable[[Array, Numbers], Array]
    logpdf: Callable[[Array, Numbers], Array]


def _log(x: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(x), dtype=np.float64)


def _norm_logpdf(x: Array, p: Numbers) -> Array:
    density = np.asarray((x - p["mean"]) * (math.sqrt(0.5) / p["sd"]))
    np.multiply(density, density, out=density)  # in place: this is the inner loop of the population
    return np.subtract(-math.log(p["sd"]) - _HALF_LOG_2PI, density, out=density)


def _lognorm_logpdf(x: Array, p: Numbers) -> Array:
    log_x = _log(x)
    density = (log_x - math.log(p["scale"])) * (math.sqrt(0.5) / p["s"])
    density = -(density**2) - log_x - (math.log(p["s"]) + _HALF_LOG_2PI)
    return _where_positive(x, density)


def _gamma_logpdf(x: Array, p: Numbers) -> Array:
    constant = p["shape"] * math.log(p["scale"]) + math.lgamma(p["shape"])
    return _where_positive(x, (p["shape"] - 1) * _log(x) - x * (1.0 / p["scale"]) - constant)


def _weibull_logpdf(x: Array, p: Numbers) -> Array:
    log_z = _log(x) - math.log(p["scale"])
    value = math.log(p["shape"] / p["scale"]) + (p["shape"] - 1) * log_z - np.exp(p["shape"] * log_z)
    return _where_positive(x, value)


def _where_positive(x: Array, density: Array) -> Array:
    """The density where x > 0, -inf elsewhere (there ln x is not finite, and neither is what was made of it)."""
    return density if np.all(x > 0) else np.where(x > 0, density, -np.inf)


def _expon_logpdf(x: Array, p: Numbers) -> Array:
    density = np.asarray(x - p["loc"])
    inside = density >= 0
    np.negative(density, out=density)
    density /= p["scale"]
    density -= math.log(p["scale"])
    return density if inside.all() else np.where(inside, density, -np.inf)


def _unit_gamma_cdf(x: Array, p: Numbers) -> Array:
    g = -_log(np.clip(x, 1e-300, p["upper"]) / p["upper"]) / p["scale"]
    return np.asarray(special.gammaincc(p["shape"], g))


def _unit_gamma_ppf(u: Array, p: Numbers) -> Array:
    return np.asarray(p["upper"] * np.exp(-p["scale"] * special.gammainccinv(p["shape"], u)))


def _unit_gamma_logpdf(x: Array, p: Numbers) -> Array:
    safe = np.clip(x, 1e-300, p["upper"])
    g = -_log(safe / p["upper"])
    return np.where((x > 0) & (x <= p["upper"]), _gamma_logpdf(g, p) - _log(safe), -np.inf)


def _uniform_logpdf(x: Array, p: Numbers) -> Array:
    inside = (x >= p["low"]) & (x <= p["high"])
    return np.where(inside, -math.log(p["high"] - p["low"]), -np.inf)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "norm", ("mean", "sd"), ("sd",),
            lambda x, p: np.asarray(special.ndtr((x - p["mean"]) / p["sd"])),
            lambda u, p: np.asarray(p["mean"] + p["sd"] * special.ndtri(u)),
            _norm_logpdf,
        ),
        Family(
            "expon", ("loc", "scale"), ("scale",),
            lambda x, p: np.asarray(-np.expm1(-np.maximum(x - p["loc"], 0.0) / p["scale"])),
            lambda u, p: np.asarray(p["loc"] - p["scale"] * np.log1p(-u)),
            _expon_logpdf,
        ),
        Family(
            "lognorm", ("s", "scale"), ("s", "scale"),
            lambda x, p: np.asarray(special.ndtr(_log(np.maximum(x, 1e-300) / p["scale"]) / p["s"])),
            lambda u, p: np.asarray(p["scale"] * np.exp(p["s"] * special.ndtri(u))),
            _lognorm_logpdf,
        ),
        Family(
            "gamma", ("shape", "scale"), ("shape", "scale"),
            lambda x, p: np.asarray(special.gammainc(p["shape"], np.maximum(x, 0.0) / p["scale"])),
            lambda u, p: np.asarray(p["scale"] * special.gammaincinv(p["shape"], u)),
            _gamma_logpdf,
        ),
        Family(
            "weibull", ("shape", "scale"), ("shape", "scale"),
            lambda x, p: np.asarray(-np.expm1(-((np.maximum(x, 0.0) / p["scale"]) ** p["shape"]))),
            lambda u, p: np.asarray(p["scale"] * (-np.log1p(-u)) ** (1.0 / p["shape"])),
            _weibull_logpdf,
        ),
        Family(
            "uniform", ("low", "high"), (),
            lambda x, p: np.asarray(np.clip((x - p["low"]) / (p["high"] - p["low"]), 0.0, 1.0)),
            lambda u, p: np.asarray(p["low"] + u * (p["high"] - p["low"])),
            _uniform_logpdf,
        ),
        # upper * exp(-g), g ~ Gamma(shape, scale): the unit-gamma law (Grassia 1977). With shape 3 and
        # scale 1 it is the product of three uniforms, which is what the published code draws for RTN.
        Family(
            "unit_gamma", ("shape", "scale", "upper"), ("shape", "scale", "upper"),
            _unit_gamma_cdf, _unit_gamma_ppf, _unit_gamma_logpdf,
        ),
        Family(
            "constant", ("value",), (),
            lambda x, p: np.asarray(x >= p["value"], dtype=np.float64),
            lambda u, p: np.full(np.shape(u), p["value"]),
            lambda x, p: np.where(x == p["value"], 0.0, -np.inf),
        ),
    )
}


@dataclass(frozen=True)
class TruncatedLaw:
    """A family restricted to an interval.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`.
    params : mapping of str to float
        The numbers of the *untruncated* law.
    lower, upper : float
        Truncation; infinite where there is none.

    Raises
    ------
    ValueError
        Unknown family, wrong or out-of-range numbers, an empty interval, or one that holds none of
        the law's mass.
    """

    family: str
    params: Numbers
    lower: float = -math.inf
    upper: float = math.inf

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"unknown family {self.family!r}; known: {', '.join(FAMILIES)}")
        family = FAMILIES[self.family]
        if set(self.params) != set(family.param_names):
            raise ValueError(f"{self.family} needs {family.param_names}, got {tuple(self.params)}")
        for key in family.positive:
            if not self.params[key] > 0:
                raise ValueError(f"{self.family}.{key} must be > 0, got {self.params[key]!r}")
        if self.family == "uniform" and not self.params["low"] < self.params["high"]:
            raise ValueError(f"uniform needs low < high, got {dict(self.params)}")
        if self.family != "constant" and not self.lower < self.upper:
            raise ValueError(f"truncation is empty: [{self.lower}, {self.upper}]")
        if self.family == "constant" and not self.lower <= self.params["value"] <= self.upper:
            raise ValueError(f"value {self.params['value']} lies outside [{self.lower}, {self.upper}]")
        if self._mass[1] < _LEAST_MASS:
            numbers = dict(self.params)
            raise ValueError(f"[{self.lower}, {self.upper}] holds none of the mass of {self.family} {numbers}")

    @cached_property
    def _mass(self) -> tuple[float, float]:
        """Untruncated CDF at `lower`, and the mass between `lower` and `upper`."""
        if self.family == "constant":
            return 0.0, 1.0
        cdf = FAMILIES[self.family].cdf
        with np.errstate(over="ignore"):
            low, high = (float(cdf(np.asarray(x), self.params)) for x in (self.lower, self.upper))
        return low, high - low

    @property
    def log_mass(self) -> float:
        """ln of the mass that the untruncated law has between the limits."""
        return math.log(self._mass[1])

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value <= `x`; any shape."""
        values = np.asarray(x, dtype=np.float64)
        low, mass = self._mass
        with np.errstate(over="ignore"):
            inside = FAMILIES[self.family].cdf(np.clip(values, self.lower, self.upper), self.params)
        result = np.clip((inside - low) / mass, 0.0, 1.0)
        return np.where(values < self.lower, 0.0, np.where(values >= self.upper, 1.0, result))

    def logpdf(self, x: ArrayLike) -> Array:
        """Log density, -inf outside the truncation; any shape."""
        values = np.asarray(x, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow is a density of zero, and so is x <= 0
            density = FAMILIES[self.family].logpdf(values, self.params) - self.log_mass
        for limit, within in ((self.lower, np.greater_equal), (self.upper, np.less_equal)):
            if math.isfinite(limit) and not (inside := within(values, limit)).all():
                density = np.where(inside, density, -np.inf)
        return np.asarray(density)

    def ppf(self, u: ArrayLike) -> Array:
        """Quantile function on [0, 1]; any shape."""
        low, mass = self._mass
        value = FAMILIES[self.family].ppf(low + mass * np.asarray(u, dtype=np.float64), self.params)
        return np.clip(value, self.lower, self.upper)

    def sample(self, rng: np.random.Generator, size: int | tuple[int, ...]) -> Array:
        """Draws by inversion: one uniform a value, in order."""
        return self.ppf(rng.random(size))

    def to_dict(self) -> dict[str, Any]:
        """As a parameter file writes it: family, params, truncation (None where there is no limit)."""
        ends = [limit if math.isfinite(limit) else None for limit in (self.lower, self.upper)]
        return {"family": self.family, "params": dict(self.params), "truncation": ends}

    def median(self) -> float:
        return float(self.ppf(0.5))

    def mean(self) -> float:
        """Mean of the truncated law, by Gauss-Legendre quadrature of the quantile function."""
        nodes, weights = np.polynomial.legendre.leggauss(400)
        # u = s^2 (3 - 2 s) flattens both ends, where quantile functions are steep
        s = 0.5 * (nodes + 1.0)
        return float(np.sum(0.5 * weights * 6.0 * s * (1.0 - s) * self.ppf(s * s * (3.0 - 2.0 * s))))
