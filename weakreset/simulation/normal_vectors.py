"""Four independent standard normals at once, from one random word.

A vector is T[a] + T[b] + T[c], where T holds 2048 vectors of four numbers and a, b, c are 11 bits each. T lies as
evenly as `benchmarks/normal_design.py` could put it, every vector with its opposite, and all its moments to the ninth
order, mixed ones too, are those of a normal law; so are those of the sum. In any direction (that is: for any sum of
the four with fixed weights, which is what poles add to ln R) the distribution function of the sum differs from the
normal one by less than 2e-4, its tail beyond 4 standard deviations by less than 4 %, its range is +-6.4 (tests count
all triples).
As in `counter_random` there is no function whose last bit could differ from one processor to the next.

Bits of a word: three places in T (0 .. 32), one in the table of the white term (33 .. 44), and for the telegraph the
upper 32. It shares 13 bits with the others: they matter in a comparison that its first 19 leave open, twice in a
million updates.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

__all__ = ["LANES", "PLACES", "VECTOR_MASK", "WHITE_MASK", "WHITE_PLACE", "four_normals", "vector_table", "white_entry"]

LANES = 4
"""Numbers in a vector."""

PLACES = (0, 11, 22)
"""Where in a word the numbers of its three vectors begin."""

WHITE_PLACE = 33
"""Where the number of the white term begins."""

VECTOR_MASK, WHITE_MASK = (1 << 11) - 1, (1 << 12) - 1
"""Of a place in T, and in the table of the white term."""


def four_normals(words: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Four standard normals (float32) from each word (int64); shape (n,) to (n, LANES)."""
    a, b, c = (table.index_select(0, (words >> place) & VECTOR_MASK) for place in PLACES)
    return (a + b) + c


def white_entry(words: torch.Tensor) -> torch.Tensor:
    """The number, 0 .. 4095, in the table of the white term."""
    return (words >> WHITE_PLACE) & WHITE_MASK


@lru_cache(maxsize=1)
def vector_table() -> NDArray[np.float32]:
    """T, shape (2048, LANES), as `benchmarks/normal_design.py` made it; from a file, so it is the same everywhere."""
    table: NDArray[np.float32] = np.load(Path(__file__).with_name("normal_vectors.npy"), allow_pickle=False)
    return table
