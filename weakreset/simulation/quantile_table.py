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

KNOTS = 1 << 15


class QuantileTables:
    """Called with a law and `u` in [0, 1): its quantiles, exact in distribution to 1 / KNOTS.

    The table of a law is computed once; few values are computed directly.
    """

    def __init__(self) -> None:
        self._knots: dict[str, NDArray[np.float64]] = {}

    def __call__(self, law: TruncatedLaw, u: NDArray[np.float64]) -> NDArray[np.float64]:
        if u.size <= KNOTS or law.family == "constant":
            return law.ppf(u)
        key = str(law)
        if key not in self._knots:
            self._knots[key] = law.ppf(np.arange(1, KNOTS) / KNOTS)
        knots = self._knots[key]
        position = u * KNOTS
        cell = position.astype(np.int64)
        inner = np.clip(cell - 1, 0, KNOTS - 3)
        low = knots[inner]
        position -= cell
        position *= knots[inner + 1] - low
        position += low
        ends = np.flatnonzero((cell == 0) | (cell == KNOTS - 1))
        position[ends] = law.ppf(u[ends])
        return position
