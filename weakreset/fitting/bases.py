"""Each drift shape as a linear model with at most one non-linear number, which is scanned.

    drift(t) = base(t) . b + d * profile(t, k)

For the two-slope drift the base is (1, t), k is the knee, and the profile is a ramp that starts there. What a shape
says of itself is in `DriftScan`; the columns come from the derivatives of its closed form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import FitError
from weakreset.model import SHAPES, DriftScan, DriftShape

__all__ = ["Basis", "basis_of", "fittable"]

Array = NDArray[np.float64]

_CANDIDATES_AT_A_TIME = 256  # columns made at once: 2,500 candidates of 100,000 reads would take 2 GB
_TRIED_PULSES = np.arange(1, 301)
_TRIED_CANDIDATES = 5  # enough to find a slope that vanishes somewhere on the grid


def fittable() -> list[str]:
    """Names of the drift shapes that can be fitted."""
    return [name for name, shape in SHAPES.items() if shape.scan is not None]


@lru_cache(maxsize=256)
def basis_of(shape: DriftShape, direction: str = "reset", shared: tuple[tuple[str, float], ...] = ()) -> Basis:
    """The basis of a drift shape.

    Parameters
    ----------
    shape : DriftShape
    direction : str
        "set" where R falls.
    shared : tuple of (str, float)
        Numbers that all devices share; the middle of their limits where not given.

    Raises
    ------
    FitError
        The shape does not say how it is fitted, or says what does not go with its closed form.
    """
    if shape.scan is None:
        raise FitError(
            f"drift {shape.name!r} can be simulated but not fitted: it has no `scan`. Fit {', '.join(fittable())}"
        )
    return Basis(shape, shape.scan, direction, dict(shared))


class Basis:
    """How a drift shape is scanned.

    Parameters
    ----------
    shape : DriftShape
    scan : DriftScan
        Of this shape.
    direction : str
    shared : mapping of str to float

    Attributes
    ----------
    shared : dict of str to float
        Every number that all devices share.
    falls : int
        -1 where R falls, else 1: times a slope it is the slope's size.
    scanned : str
        Name of the number that is scanned, or "" where there is none.
    sign : int
        Required sign of the profile's coefficient; 0 where either may be, as for devices that fall: a gradual SET slows
        down at the knee, or begins there.
    linear : tuple of str
        Names of the numbers that are linear in the coefficients, the offset first.
    transform : ndarray
        Matrix M with numbers = M @ (base coefficients, profile coefficient), rows in `linear` order.
    """

    def __init__(
        self, shape: DriftShape, scan: DriftScan, direction: str = "reset", shared: Mapping[str, float] | None = None
    ) -> None:
        self.shape = shape
        self.scan = scan
        self.direction = direction
        self.falls = -1 if direction == "set" else 1
        self.scanned = scan.number
        self.sign = scan.sign if self.falls > 0 else 0
        middle = {name: math.sqrt(low * high) for name, (low, high) in scan.shared.items()}
        self.shared = middle | dict(shared or {})
        apart = (shape.offset, scan.number, scan.column, *scan.shared)
        others = [name for name in shape.parameters if name not in apart]
        self.linear = (shape.offset, *others, *([scan.column] if scan.number else []))
        self.transform: Array = np.array(scan.transform) if scan.transform else np.eye(len(self.linear))
        self._check()

    @cached_property
    def inverse(self) -> Array:
        """From numbers back to coefficients."""
        return np.asarray(np.linalg.inv(self.transform), dtype=np.float64)

    def columns(self, t: Array) -> Array:
        """Base columns at pulses t; shape (n, p), the first constant."""
        if self.scan.base is not None:
            return self.scan.base(t)
        names = self.linear[:-1] if self.scanned else self.linear
        return np.column_stack([self._derivative(name, t, np.ones(1)) for name in names])

    def profile(self, t: Array, k: Array) -> Array:
        """Profile columns at pulses t, one for each k; shape (n, len(k))."""
        parts = [
            self._derivative(self.scan.column, t[:, None], k[None, first : first + _CANDIDATES_AT_A_TIME])
            for first in range(0, len(k), _CANDIDATES_AT_A_TIME)
        ]
        return np.hstack(parts) if parts else np.empty((len(t), 0))

    def grid(self, pulses: NDArray[np.int64]) -> Array:
        """Candidates of the scanned number for reads at these pulses; none where nothing is scanned."""
        if self.scan.grid is None:
            return np.empty(0)
        return np.asarray(self.scan.grid(pulses, **self.shared), dtype=np.float64)

    def numbers(self, coefficients: Array, k: float) -> dict[str, float]:
        """Drift numbers from the base coefficients, the profile coefficient and the scanned value."""
        values = self.transform @ coefficients
        result = dict(zip(self.linear, map(float, values), strict=True))
        if self.scanned:
            result[self.scanned] = float(k)
        result |= self.shared
        return {name: result[name] for name in self.shape.parameters}

    @property
    def own(self) -> tuple[str, ...]:
        """Numbers that each device has for itself."""
        return tuple(name for name in self.shape.parameters if name not in self.shared)

    @property
    def key(self) -> tuple[DriftShape, str, tuple[tuple[str, float], ...]]:
        """Arguments of `basis_of`, which can be sent to another process."""
        return self.shape, self.direction, tuple(self.shared.items())

    def with_shared(self, **shared: float) -> Basis:
        """The same with other shared numbers."""
        return Basis(self.shape, self.scan, self.direction, self.shared | shared)

    def size_signs(self) -> Array:
        """What turns the linear numbers (order of `linear`) into their sizes."""
        return np.array([float(self.shape.sign(name, self.direction)) for name in self.linear])

    def _derivative(self, by: str, t: Array, k: Array) -> Array:
        """Of the closed form by a number that it is linear in: the others do not matter."""
        numbers = (k if name == self.scanned else self.shared.get(name, 0.0) for name in self.shape.parameters)
        return self.shape.derivative(by, t, *numbers)

    def _check(self) -> None:
        scan, shape = self.scan, self.shape
        names = {scan.number, scan.nonnegative, *scan.beyond, *self.shared} - {""}
        if not names <= set(shape.parameters) or bool(scan.number) != bool(scan.column and scan.grid):
            self._refuse(
                "number, nonnegative, beyond and shared must be its numbers; a number needs a column and a grid"
            )
        if scan.number and scan.column not in set(shape.parameters) - {shape.offset, scan.number}:
            self._refuse(f"column {scan.column!r} must be a number besides {shape.offset} and {scan.number}")
        if (scan.nonnegative and scan.nonnegative not in self.linear) or (scan.without and not scan.beyond):
            self._refuse("nonnegative must be a number that is not scanned, and `without` needs `beyond`")
        if self.transform.shape != (len(self.linear), len(self.linear)):
            self._refuse(f"transform must be {len(self.linear)} x {len(self.linear)}, for {', '.join(self.linear)}")
        if scan.beyond and (not scan.knee or set(self.linear) - set(scan.beyond) != {scan.nonnegative}):
            self._refuse("beyond a knee every number must be seen but one, which is nonnegative")
        with np.errstate(all="ignore"):  # what is no number is no linear model either
            self._try_out()

    def _try_out(self) -> None:
        """Compare columns and closed form at some candidates."""
        shape = self.shape
        t, rng = _TRIED_PULSES.astype(np.float64), np.random.default_rng(0)
        grid = self.grid(_TRIED_PULSES)
        if self.scanned and (len(grid) < _TRIED_CANDIDATES or not np.all(np.diff(grid) > 0)):
            self._refuse(f"its grid has {len(grid)} candidates for 300 reads; some ascending ones are needed")
        tried = grid[:: max(1, len(grid) // _TRIED_CANDIDATES)] if self.scanned else np.zeros(1)
        without = self.scan.without
        if without is not None and not np.array_equal(basis_of(without).columns(t), self.columns(t)):
            self._refuse(f"{without.name!r}, which is to be what is left without the profile, has another base")
        for k in tried:
            coefficients = rng.uniform(0.001, 1.0, len(self.linear))
            numbers = self.numbers(coefficients, float(k))
            value = shape.value(t, *numbers.values())
            columns = np.hstack([self.columns(t), self.profile(t, np.array([k])[: len(grid)])])
            if columns.shape[1] != len(coefficients) or not np.allclose(columns @ coefficients, value, 1e-8, 1e-8):
                self._refuse("for a given scanned number it is not linear as base, column and transform say")
            if not np.all(columns[:, 0] == 1.0):
                self._refuse(f"the first base column must be that of {shape.offset}, a constant 1")

    def _refuse(self, reason: str) -> NoReturn:
        raise FitError(f"drift {self.shape.name!r} cannot be fitted: {reason}")
