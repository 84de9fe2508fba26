"""What a fit says of the telegraph noise of one device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RtnFit"]


@dataclass(frozen=True)
class RtnFit:
    """Telegraph noise of one device.

    Attributes
    ----------
    status : str
        `not_detected`, `ok`, or `not_two_level` (the steps do not alternate between two levels).
    amplitude : float or None
        Step A in ln R.
    steps : tuple of int
        Pulse numbers at which the level changes (the first read at the new level).
    sizes : tuple of float
        Change of ln R at each step; +A and -A in turn where there are two levels.
    starts_high : bool
        Level at the first read.
    amplitude_stderr : float or None
    growth : float
        By how much the amplitude grows per unit of ln(R/R0), as a share of A; of the whole set.
    """

    status: str = "not_detected"
    amplitude: float | None = None
    steps: tuple[int, ...] = ()
    sizes: tuple[float, ...] = ()
    starts_high: bool = False
    amplitude_stderr: float | None = None
    growth: float = 0.0

    def offset(self, pulses: NDArray[np.int64]) -> NDArray[np.float64]:
        """What telegraph noise of the size at R0 adds to ln R at `pulses`."""
        level = (self.amplitude or 0.0) * self.starts_high
        levels = level + np.concatenate([[0.0], np.cumsum(np.asarray(self.sizes, dtype=np.float64))])
        return np.asarray(levels[np.searchsorted(np.asarray(self.steps, dtype=np.int64), pulses, side="right")])

    def high(self, pulses: NDArray[np.int64]) -> NDArray[np.bool_]:
        """State (True is high) at `pulses`, for two-level noise."""
        switches = np.searchsorted(np.asarray(self.steps, dtype=np.int64), pulses, side="right")
        return np.asarray((switches + int(self.starts_high)) % 2 == 1)
