"""Devices without telegraph steps that may have sat in the high state throughout.

Their offset c1 then holds a telegraph amplitude too, so its density is a mixture: with chance 1 - p the law, with
chance p the law moved up by an amplitude a, the mean over some quantiles of the amplitudes:

    f(x) = law(x) (1 - p + p mean_a law(x - a) / law(x)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.model import TruncatedLaw

__all__ = ["StuckHigh"]

Array = NDArray[np.float64]

_LARGEST_EXPONENT = 700.0  # e^709 is the largest number there is in double precision


@dataclass(frozen=True)
class StuckHigh:
    """Chance that a device without steps sat in the high state, and quantiles of its amplitude."""

    probability: float = 0.0
    amplitudes: tuple[float, ...] = ()

    def log_factor(self, law: TruncatedLaw, values: Array) -> Array:
        """ln of what the mixture multiplies the density of the law by, at `values`."""
        return np.asarray(np.log(self._factor(law, values)))

    def _factor(self, law: TruncatedLaw, values: Array) -> Array:
        total = np.full(values.shape, 1.0 - self.probability)
        for amplitude in self.amplitudes:
            total += self.probability / len(self.amplitudes) * shifted(law, values, amplitude)
        return total

    def slopes(self, law: TruncatedLaw, values: Array) -> dict[str, Array] | None:
        """Derivatives of `log_factor` by mean and ln sd of a normal law without limits; None for other laws.

        With r_a = law(x - a) / law(x), ln r_a = a (x - mean - a / 2) / sd^2: both follow from the sums of a r_a and
        a^2 r_a.
        """
        if not _plainly_normal(law):
            return None
        total = np.full(values.shape, 1.0 - self.probability)
        once, twice = np.zeros((2, *values.shape))
        for amplitude in self.amplitudes:
            part = self.probability / len(self.amplitudes) * shifted(law, values, amplitude)
            total += part
            part *= amplitude
            once += part
            part *= amplitude
            twice += part
        once /= total * law.params["sd"] ** 2
        twice /= total * law.params["sd"] ** 2
        return {"mean": -once, "sd": twice - 2.0 * (values - law.params["mean"]) * once}


def shifted(law: TruncatedLaw, values: Array, by: float) -> Array:
    """law(values - by) / law(values), at most e^700: a law so narrow that it is more is none that could be meant."""
    if _plainly_normal(law):
        slope = by / law.params["sd"] ** 2  # in one exponential: this is the inner loop of the population
        exponent = values * slope
        exponent -= slope * (law.params["mean"] + 0.5 * by)
    else:
        with np.errstate(invalid="ignore"):
            exponent = np.asarray(law.logpdf(values - by) - law.logpdf(values))
        exponent[np.isnan(exponent)] = 0.0  # outside the truncation before and after: the density is zero anyway
    if exponent.max(initial=0.0) > _LARGEST_EXPONENT:
        np.minimum(exponent, _LARGEST_EXPONENT, out=exponent)
    return np.asarray(np.exp(exponent, out=exponent))


def _plainly_normal(law: TruncatedLaw) -> bool:
    return law.family == "norm" and not (math.isfinite(law.lower) or math.isfinite(law.upper))
