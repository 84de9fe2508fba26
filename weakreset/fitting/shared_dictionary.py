"""Dictionaries of traces read at most of the same pulses, made from the one of all these pulses.

A trace that ends earlier has the leading rows of the whitened columns, and its Gram matrix is a sum over these rows; a
trace with gaps has what its missing reads can explain taken out. Both are exact, and cost a fraction of a new one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import Basis
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.whitening import NoiseColour, Whitener

__all__ = ["SharedDictionary"]

Array = NDArray[np.float64]

_ROWS = 32  # summed at a time: the order of the sums, and so the bits, are those of any other request
_LEAST_CANDIDATES = 5  # fewer knees than these are tried one by one


class SharedDictionary:
    """Dictionaries of one common grid.

    Parameters
    ----------
    pulses : ndarray of int, shape (n,)
        The common grid.
    colour : NoiseColour
    basis : Basis
    steps : bool
        Whether telegraph steps are candidates.
    """

    def __init__(self, pulses: NDArray[np.int64], colour: NoiseColour, basis: Basis, steps: bool = True) -> None:
        self.whole = Dictionary(Whitener(pulses, colour), basis, steps)
        self._steps = steps
        self._summed = np.empty((0, 0))
        self._rows = 0

    def at(self, pulses: NDArray[np.int64]) -> Dictionary:
        """For reads at some pulses of the grid; cheapest where called for shorter traces first."""
        grid = self.whole.whitener.pulses
        if len(pulses) == len(grid):
            return self.whole
        n = int(np.searchsorted(grid, pulses[-1])) + 1
        basis = self.whole.basis
        if n == len(grid):
            return self.whole.with_gaps(pulses)
        last = basis.grid(grid[:n])[-1:]
        candidates = int(np.searchsorted(self.whole.grid, last, side="right")[0]) if len(last) else 0
        if basis.scanned and candidates < _LEAST_CANDIDATES:
            return Dictionary(self.whole.whitener.at(pulses), basis, self._steps)
        return self.whole.leading(n, candidates, self._gram(n)).with_gaps(pulses)

    def _gram(self, n: int) -> Array:
        """Of the first n reads. The order of the sum does not depend on what was asked for before: same bits."""
        columns, whole = self.whole.columns(slice(None)), n - n % _ROWS
        if not self._rows or whole < self._rows:
            self._summed, self._rows = np.zeros_like(self.whole.gram), 0
        for first in range(self._rows, whole, _ROWS):
            rows = columns[first : first + _ROWS]
            self._summed += rows.T @ rows
        self._rows = whole
        rest = columns[whole:n]
        return np.asarray(self._summed + rest.T @ rest)
