"""Dictionaries of traces read at most of the same pulses, made from the one of all these pulses.

A trace that ends earlier has the leading rows of the whitened columns, and its Gram matrix is a sum over these rows; a
trace with gaps has what its missing reads can explain taken out. Both are exact, and cost a fraction of a new one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import Basis
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.group import Group
from weakreset.fitting.own_colour import NearColours
from weakreset.fitting.whitening import NoiseColour, Whitener

__all__ = ["SharedDictionary", "shared_dictionary"]

Array = NDArray[np.float64]

_ROWS = 32  # summed at a time: the order of the sums, and so the bits, are those of any other request
_LEAST_CANDIDATES = 5  # fewer knees than these are tried one by one
_MOST_BYTES = 600_000_000  # of dictionaries kept: eight of 1,000 reads


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

    @cached_property
    def near(self) -> NearColours:
        """To tell exponents of single devices."""
        return NearColours(self.whole.whitener.pulses, self.whole.whitener.colour)

    @property
    def size(self) -> int:
        """Bytes, about."""
        return 2 * self.whole.gram.nbytes + 8 * self.whole.gram.nbytes // 4

    def project(self, groups: Sequence[Group], dictionaries: Sequence[Dictionary]) -> list[tuple[Array, Array]]:
        """Whitened traces of each group and their products with the columns of its dictionary.

        In one go: a product of few rows costs as much as one of 64.
        """
        grid, edges = self.whole.whitener.pulses, np.cumsum([0, *(len(group.traces) for group in groups)])
        spread = np.zeros((int(edges[-1]), len(grid)))
        for group, first, last in zip(groups, edges[:-1], edges[1:], strict=True):
            spread[first:last, np.searchsorted(grid, group.pulses)] = group.rows
        white = self.whole.whitener.rows(spread)
        for dictionary, first, last in zip(dictionaries, edges[:-1], edges[1:], strict=True):
            n = len(dictionary.whitener.log_dets)
            white[first:last, :n] = dictionary.whitener.without_gone(white[first:last, :n])
            white[first:last, n:] = 0.0
        products = self.whole.products(white)
        found = []
        for group, dictionary, first, last in zip(groups, dictionaries, edges[:-1], edges[1:], strict=True):
            if dictionary.token is self.whole.token:
                n = len(dictionary.whitener.log_dets)
                found.append((np.ascontiguousarray(white[first:last, :n]), products[first:last]))
            else:
                found.append(dictionary.project(group.rows))
        return found

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


_LAST_USED: OrderedDict[tuple[object, ...], SharedDictionary] = OrderedDict()


def shared_dictionary(pulses: NDArray[np.int64], colour: NoiseColour, basis: Basis, steps: bool) -> SharedDictionary:
    """As `SharedDictionary`; those last used are kept. What they hold follows from these arguments alone."""
    key = (pulses.tobytes(), colour, basis.key, steps)
    if key not in _LAST_USED:
        _LAST_USED[key] = SharedDictionary(pulses, colour, basis, steps)
    _LAST_USED.move_to_end(key)
    while len(_LAST_USED) > 1 and sum(one.size for one in _LAST_USED.values()) > _MOST_BYTES:
        _LAST_USED.popitem(last=False)
    return _LAST_USED[key]
