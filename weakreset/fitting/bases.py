"""Each drift shape as a linear model with at most one non-linear number, which is scanned.

    drift(t) = base(t) . b + d * profile(t, k)

For the two-slope drift the base is (1, t), k is the knee, and the profile is a ramp that starts there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from weakreset.model import POWER_LAW, SATURATING, SINGLE_SLOPE, TWO_SLOPE, DriftShape

__all__ = ["BASES", "Basis"]

Array = NDArray[np.float64]

_MOST_CANDIDATES = 2500
_GRID_POINTS = 160


@dataclass(frozen=True)
class Basis:
    """How a drift shape is scanned.

    Attributes
    ----------
    scanned : str
        Name of the number that is scanned, or "" where there is none.
    columns : callable
        t -> (n, p) base columns, the first constant.
    profile : callable
        (t, k) -> (n, len(k)) profile columns.
    grid : callable
        read pulses -> candidate values of the scanned number.
    sign : int
        Required sign of the profile's coefficient; 0 where either may be.
    numbers : callable
        (base coefficients, profile coefficient, k) -> drift numbers by name.
    transform : ndarray-valued callable
        Matrix M with numbers = M @ (coefficients, profile coefficient), rows in `linear` order.
    linear : tuple of str
        Names of the numbers that are linear in the coefficients.
    """

    shape: DriftShape
    scanned: str
    columns: Callable[[Array], Array]
    profile: Callable[[Array, Array], Array]
    grid: Callable[[NDArray[np.int64]], Array]
    sign: int
    linear: tuple[str, ...]
    transform: Array

    @cached_property
    def inverse(self) -> Array:
        """From numbers back to coefficients."""
        return np.asarray(np.linalg.inv(self.transform), dtype=np.float64)

    def numbers(self, coefficients: Array, k: float) -> dict[str, float]:
        """Drift numbers from the base coefficients, the profile coefficient and the scanned value."""
        values = self.transform @ coefficients
        result = dict(zip(self.linear, map(float, values), strict=True))
        if self.scanned:
            result[self.scanned] = float(k)
        return {name: result[name] for name in self.shape.parameters}


def knee_grid(pulses: NDArray[np.int64]) -> Array:
    """Knees that leave at least 20 reads before (8 in short traces) and 6 after; thinned in long ones."""
    n = len(pulses)
    before = 20 if n >= 200 else min(8, n // 4)
    inside = pulses[before - 1 : max(n - 6, before)].astype(np.float64)
    return inside[:: 1 + len(inside) // _MOST_CANDIDATES]


def _ramp(t: Array, k: Array) -> Array:
    return np.maximum(t[:, None] - k[None, :], 0.0)


def _line(t: Array) -> Array:
    return np.column_stack([np.ones_like(t), t])


def _one(t: Array) -> Array:
    return np.ones((len(t), 1))


def _nothing(t: Array, k: Array) -> Array:
    return np.empty((len(t), 0))


def _no_grid(pulses: NDArray[np.int64]) -> Array:
    return np.empty(0)


def _exponent_grid(pulses: NDArray[np.int64]) -> Array:
    return np.geomspace(0.05, 3.0, _GRID_POINTS)


def _tau_grid(pulses: NDArray[np.int64]) -> Array:
    return np.geomspace(max(3.0, 3.0 * float(np.median(np.diff(pulses)))), 3.0 * float(pulses[-1]), _GRID_POINTS)


BASES: Mapping[str, Basis] = {
    basis.shape.name: basis
    for basis in (
        Basis(
            TWO_SLOPE, "t_star", _line, _ramp, knee_grid, -1, ("c1", "m1", "m2"),
            np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]),
        ),
        Basis(SINGLE_SLOPE, "", _line, _nothing, _no_grid, 0, ("c1", "m1"), np.eye(2)),
        Basis(
            POWER_LAW, "b", _one, lambda t, k: t[:, None] ** k[None, :], _exponent_grid, 0, ("c1", "a"), np.eye(2)
        ),
        Basis(
            SATURATING, "tau", _one, lambda t, k: -np.expm1(-t[:, None] / k[None, :]), _tau_grid, 0,
            ("c1", "rise"), np.eye(2),
        ),
    )
}
