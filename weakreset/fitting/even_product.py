"""Matrix products of which no row knows its neighbours: a device has the same bits in whatever block it is fitted.

A library for matrices works tile by tile, and has other code, with another order of the sum, for the rows and columns
that are left over at the edges. So no edges are left: rows come in 64, columns in eights, the rest is zeros.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["even_product", "padded"]

Array = NDArray[np.float64]

_ROWS = 64
_COLUMNS = 8
_PANEL = 256  # columns of a triangular matrix taken at once: of four panels the first needs a quarter of the rows


def padded(matrix: Array) -> Array:
    """With columns of zeros up to a multiple of eight; in columns."""
    wide = np.zeros((matrix.shape[0], -(-matrix.shape[1] // _COLUMNS) * _COLUMNS), order="F")
    wide[:, : matrix.shape[1]] = matrix
    return wide


def even_product(rows: Array, matrix: Array, triangular: bool = False) -> Array:
    """rows @ matrix, where `matrix` is `padded`; shape (len(rows), columns of the padded matrix).

    `triangular`: below its diagonal the matrix is zero, and nothing there is multiplied.
    """
    result = np.empty((len(rows), matrix.shape[1]))
    for first in range(0, len(rows), _ROWS):
        part = rows[first : first + _ROWS]
        block = np.zeros((_ROWS, rows.shape[1]))
        block[: len(part)] = part
        for left in range(0, matrix.shape[1], _PANEL if triangular else matrix.shape[1]):
            right = min(left + _PANEL, matrix.shape[1]) if triangular else matrix.shape[1]
            needed = min(right, rows.shape[1]) if triangular else rows.shape[1]
            panel = block[:, :needed] @ matrix[:needed, left:right]
            result[first : first + len(part), left:right] = panel[: len(part)]
    return result
