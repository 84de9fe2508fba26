"""How ln of a density moves with the numbers of its law: the gradient of the population's likelihood.

The coordinates are those of `FreeLaw`: a number that must be positive goes by its logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.model import TruncatedLaw
from weakreset.population.families import FreeLaw

__all__ = ["FORWARD_STEP", "SLOPES", "laws_at", "nudged_law", "weighted_difference"]

Array = NDArray[np.float64]
Slopes = dict[str, Array]

FORWARD_STEP = 1e-6
"""Of a scaled coordinate, where a law is nudged: wrong by a millionth of the curvature, half the work of both ways."""

_LARGEST_EXPONENT = 600.0


def _norm(x: Array, log_x: Array, p: Mapping[str, float]) -> Slopes:
    z = (x - p["mean"]) * (1.0 / p["sd"])
    return {"mean": z * (1.0 / p["sd"]), "sd": z * z - 1.0}


def _lognorm(x: Array, log_x: Array, p: Mapping[str, float]) -> Slopes:
    z = (log_x - math.log(p["scale"])) * (1.0 / p["s"])
    return {"scale": z * (1.0 / p["s"]), "s": z * z - 1.0}


def _gamma(x: Array, log_x: Array, p: Mapping[str, float]) -> Slopes:
    constant = math.log(p["scale"]) + float(special.digamma(p["shape"]))
    return {"shape": p["shape"] * (log_x - constant), "scale": x * (1.0 / p["scale"]) - p["shape"]}


def _weibull(x: Array, log_x: Array, p: Mapping[str, float]) -> Slopes:
    # where the exponent is larger the density is zero, and so is the weight of the slope
    exponent = np.minimum(p["shape"] * (log_x - math.log(p["scale"])), _LARGEST_EXPONENT)
    power = np.exp(exponent) - 1.0
    return {"shape": 1.0 - exponent * power, "scale": p["shape"] * power}


def _expon(x: Array, log_x: Array, p: Mapping[str, float]) -> Slopes:
    return {"scale": (x - p["loc"]) * (1.0 / p["scale"]) - 1.0}


SLOPES: dict[str, Callable[[Array, Array, Mapping[str, float]], Slopes]] = {
    "norm": _norm, "lognorm": _lognorm, "gamma": _gamma, "weibull": _weibull, "expon": _expon,
}
"""(x, ln x, numbers) -> derivatives of ln of the untruncated density by name of the number, where it is not zero."""


def nudged_law(free: FreeLaw, coordinates: Array, at: int, step: float) -> TruncatedLaw:
    """The law at `coordinates`, the one at `at` a step further."""
    moved = coordinates.copy()
    moved[at] += step
    return free.law(moved)


def laws_at(x: Array, moving: Sequence[str], free: Mapping[str, FreeLaw]) -> dict[str, TruncatedLaw]:
    """The laws at stacked coordinates `x`, name after name of `moving`."""
    laws, at = {}, 0
    for name in moving:
        size = len(free[name].free)
        laws[name] = free[name].law(x[at : at + size])
        at += size
    return laws


def weighted_difference(weight: Array, ahead: Array, behind: Array) -> float:
    """Sum of weight * (ahead - behind), where the weight is not zero (both are -inf elsewhere)."""
    with np.errstate(invalid="ignore"):
        difference = ahead - behind
    total = float(np.vdot(weight, difference))
    if math.isfinite(total):
        return total
    used = (weight > 0) & np.isfinite(difference)
    return float(weight[used] @ difference[used])
