"""Every column a fit may use (base, drift profiles, telegraph steps), whitened once for all devices.

With G the Gram matrix of the whitened columns and v = D' y of a device, the residual sum of squares of any
choice of columns, and the gain of adding any further one, are small linear algebra on G and v. So all
candidate knees and steps are compared exactly, not by a search that may stop early.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import Basis
from weakreset.fitting.even_product import even_product, padded
from weakreset.fitting.whitening import Whitener

__all__ = ["Dictionary"]

Array = NDArray[np.float64]

_STEP_EDGE = 1  # a step at the first read is an offset, which R0 already is
_MOST_STEPS = 2500  # as many as candidates of a knee; in longer traces every second, third ... read is tried
_LEAST_LEFT = 1e-9  # what the fitted columns leave of a candidate, relative: below it rounding decides


class Dictionary:
    """Whitened columns of one read grid.

    Parameters
    ----------
    whitener : Whitener
    basis : Basis
    steps : bool
        Whether telegraph steps are candidates.

    Attributes
    ----------
    gram : ndarray, shape (m, m)
        Of the whitened columns: base, then profiles, then steps.
    base : list of int
        Indices of the base columns.
    profiles, steps : slice
        Indices of the candidates.
    grid : ndarray
        Scanned value of each profile.
    width : ndarray
        Interval of the scanned number that each profile stands for.
    lengths : ndarray, shape (m,)
        Squared length of each column.
    token : object
        The same in all dictionaries that have columns of one.
    step_reads : ndarray of int
        A step at s is 0 for reads before index s and 1 from there on.
    """

    def __init__(self, whitener: Whitener, basis: Basis, steps: bool = True) -> None:
        pulses = whitener.pulses
        n = len(pulses)
        t = pulses.astype(np.float64)
        self.token = object()
        self.whitener = whitener
        self.basis = basis
        self.grid = basis.grid(pulses)
        self.width = _widths(self.grid)
        inside = np.arange(_STEP_EDGE, n)
        self.step_reads = inside[:: 1 + len(inside) // _MOST_STEPS] if steps else inside[:0]
        base = basis.columns(t)
        step_columns = (np.arange(n)[:, None] >= self.step_reads[None, :]).astype(np.float64)
        raw = np.hstack([base, basis.profile(t, self.grid), step_columns])
        self._padded = padded(whitener.columns(raw))
        self._whole = self._padded[:, : raw.shape[1]]
        self._shares: Array | None = None
        self.gram = self._whole.T @ self._whole
        self.lengths = self.gram.diagonal().copy()
        p, g = base.shape[1], len(self.grid)
        self.base = list(range(p))
        self.profiles = slice(p, p + g)
        self.steps = slice(p + g, p + g + len(self.step_reads))

    def columns(self, which: slice | Sequence[int]) -> Array:
        """Some of the whitened columns."""
        gone = self.whitener.gone
        if gone is None or self._shares is None:
            return self._whole[:, which]
        return np.asarray(self._whole[:, which] - gone @ self._shares[which].T)

    def leading(self, n: int, candidates: int, gram: Array) -> Dictionary:
        """Of the first `n` reads and the first candidates, with the Gram matrix of these reads."""
        part = copy.copy(self)
        part.whitener = self.whitener.at(self.whitener.pulses[:n])
        part._padded, part._whole = self._padded[:n], self._whole[:n]
        part.gram, part.lengths = gram, gram.diagonal().copy()
        part.grid = self.grid[:candidates]
        part.width = _widths(part.grid)
        part.step_reads = self.step_reads[self.step_reads < n]
        part.profiles = slice(self.profiles.start, self.profiles.start + candidates)
        part.steps = slice(self.steps.start, self.steps.start + len(part.step_reads))
        return part

    def with_gaps(self, pulses: NDArray[np.int64]) -> Dictionary:
        """Of a trace that misses some of the reads: what these can explain is taken out of every column.

        Two steps between the same two reads become one and the same column.
        """
        part = copy.copy(self)
        part.whitener = self.whitener.at(pulses)
        gone = part.whitener.gone
        if gone is None:
            return self
        part._shares = shares = self._whole.T @ gone
        part.gram = self.gram - shares @ shares.T
        part.lengths = part.gram.diagonal().copy()
        part.step_reads = np.searchsorted(part.whitener.kept, self.step_reads)
        return part

    def base_mix(self) -> Array:
        """What the base has of every profile: shape (columns of the base, profiles)."""
        return np.asarray(np.linalg.solve(self.gram[np.ix_(self.base, self.base)], self.gram[self.base, self.profiles]))

    def project(self, traces: Array) -> tuple[Array, Array]:
        """Whitened traces, and their products with every column.

        Parameters
        ----------
        traces : ndarray, shape (n_devices, n)
        """
        white = self.whitener.rows(traces)
        return white, self.products(white)

    def products(self, white: Array) -> Array:
        """Of whitened traces with every column; they have no part in what missing reads explain."""
        return even_product(white, self._padded)[:, : self._whole.shape[1]]

    def solve(self, products: Array, active: list[int]) -> tuple[Array, float, Array]:
        """Coefficients of the `active` columns, explained sum of squares, inverse Gram."""
        inverse = np.asarray(np.linalg.inv(self._block(active)), dtype=np.float64)
        chosen = products[active]
        coefficients = inverse @ chosen
        return coefficients, float(chosen @ coefficients), inverse

    def explained(self, products: Array, active: list[int]) -> Array:
        """Sum of squares that the `active` columns explain, for many devices; shape (n_devices,)."""
        inverse, chosen = np.linalg.inv(self._block(active)), products[:, active]
        total = np.zeros(len(chosen))
        for i, j in np.ndindex(inverse.shape):  # in this order whatever the number of devices
            total += chosen[:, i] * chosen[:, j] * inverse[i, j]
        return total

    def _block(self, active: list[int]) -> Array:
        rows = np.asarray(active)
        return np.asarray(self.gram[rows[:, None], rows])

    def candidates(self, products: Array, active: list[int], where: slice) -> tuple[Array, Array]:
        """What is left of each candidate column beside `active`: (product with y, squared length).

        `products` may be one device (m,) or many (n_devices, m); the gain of a candidate is
        product^2 / length and its coefficient product / length.
        """
        beside, whole = self.gram[active, where], self.lengths[where]
        mixed = np.linalg.inv(self._block(active)) @ beside
        length = whole - np.einsum("ij,ij->j", beside, mixed)
        product = _less(products, active, mixed, where)
        gone = length <= _LEAST_LEFT * whole
        if not gone.any():
            return product, length
        return np.where(gone, 0.0, product), np.where(gone, 1.0, length)

    def knee_gains(self, products: Array, active: list[int]) -> tuple[Array, Array]:
        """Gain and coefficient of every profile, those of the wrong sign with no gain."""
        product, length = self.candidates(products, active, self.profiles)
        allowed = product * self.basis.sign >= 0 if self.basis.sign else np.ones_like(product, dtype=bool)
        return np.where(allowed, product**2 / length, 0.0), product / length


def _less(products: Array, active: Sequence[int], mixed: Array, where: slice) -> Array:
    """products[..., where] - products[..., active] @ mixed; a device among many has the same bits in any company."""
    if products.ndim == 1:
        return np.asarray(products[where] - products[active] @ mixed)
    left = products[:, where].copy()
    for column, row in zip(active, mixed, strict=True):
        left -= products[:, column, None] * row
    return left


def _widths(grid: Array) -> Array:
    """Interval that each candidate stands for."""
    return np.gradient(grid) if len(grid) > 1 else np.ones_like(grid)
