"""Quantile functions read from a table: D2D laws drawn by the million.

Between knots the table interpolates linearly. Table and law are both monotone and agree at the knots, so their
distribution functions differ by less than 1 / KNOTS everywhere, whatever the law. The first and the last
interval, where a quantile function may be steep or infinite, are computed exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.model import TruncatedLaw

__all__ = ["KNOTS", "QuantileTables"]

KNOTS = 1 << 15  # a distribution off by 1/32,768 is beyond any test of a chip

_SLICE = 1 << 15
"""Numbers looked up at a time: they stay in the cache."""


class QuantileTables:
    """Called with a law and `u` in [0, 1): its quantiles, exact in distribution to 1 / KNOTS.

    The table of a law is computed once; few values are computed directly.
    """

    def __init__(self) -> None:
        self._knots: dict[str, NDArray[np.float64]] = {}

    def __call__(self, law: TruncatedLaw, u: NDArray[np.float64]) -> NDArray[np.float64]:
        if u.size <= KNOTS or law.family == "constant":  # a table costs as many quantiles as it has knots
            return law.ppf(u)
        key = str(law)  # the repr of a dataclass: all digits of all its numbers
        if key not in self._knots:
            self._knots[key] = _knots(law)
        result = np.empty_like(u)
        for start in range(0, u.size, _SLICE):
            part = slice(start, start + _SLICE)
            _interpolate(self._knots[key], law, u[part], result[part])
        return result


def _knots(law: TruncatedLaw) -> NDArray[np.float64]:
    """Quantiles at 1 / KNOTS, 2 / KNOTS, ...; the first and the last number only fill their places."""
    inside = law.ppf(np.arange(1, KNOTS) / KNOTS)
    return np.concatenate([inside[:1], inside, inside[-1:]])


def _interpolate(
    knots: NDArray[np.float64], law: TruncatedLaw, u: NDArray[np.float64], position: NDArray[np.float64]
) -> None:
    """Fill `position` with the quantiles of `u`."""
    np.multiply(u, KNOTS, out=position)
    cell = position.astype(np.int64)
    low = knots[cell]
    position -= cell
    cell += 1
    position *= knots[cell] - low
    position += low
    ends = np.flatnonzero((cell == 1) | (cell == KNOTS))
    position[ends] = law.ppf(u[ends])
