"""Which traces were read at most of the same pulses: they share one covariance and one dictionary.

A device that misses a few reads, or ends earlier, is no pulse grid of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["CommonGrid", "common_grids"]

Reads = NDArray[np.int64]
CommonGrid = tuple[Reads, list[int]]
"""Pulses, and the indices of the traces that were read at (most of) the first of them."""

_SHARE = 3
"""A pulse belongs to the grid where one in so many of the traces that get there was read at it."""

_MOST_GRIDS = 64
"""Where traces have so little in common, each is a grid of its own."""

_MOST_MISSING = 0.2  # where a fifth is missing, a row of its own costs less than the gaps of a common one
_LEAST_LENGTH = 0.6  # a trace that ended earlier would whiten mostly reads that it does not have


def common_grids(reads: Sequence[Reads], counts: Sequence[int] | None = None) -> list[CommonGrid]:
    """Grids that cover all traces, each trace on one of them.

    Parameters
    ----------
    reads : sequence of ndarray of int
        Pulses of each trace, ascending.
    counts : sequence of int, optional
        Traces that each stands for. The grids do not depend on the order.
    """
    distinct: dict[bytes, list[int]] = {}
    for i, pulses in enumerate(reads):
        distinct.setdefault(pulses.tobytes(), []).append(i)
    many = {pulses: sum(1 if counts is None else counts[i] for i in same) for pulses, same in distinct.items()}
    # what most traces were read at first, then what was read longest
    order = sorted(distinct, key=lambda pulses: (-many[pulses], -len(pulses), pulses))
    left = [distinct[pulses] for pulses in order]
    grids: list[CommonGrid] = []
    for _ in range(_MOST_GRIDS):
        if not left:
            return grids
        grid = _grid_around(reads, left, many)
        home = [members for members in left if _fits(reads[members[0]], grid)] or left[:1]
        taken = {members[0] for members in home}
        left = [members for members in left if members[0] not in taken]
        pulses = np.unique(np.concatenate([reads[members[0]] for members in home]))
        grids.append((pulses, [i for members in home for i in members]))
    return grids + [(reads[members[0]], members) for members in left]


def _grid_around(reads: Sequence[Reads], kinds: Sequence[list[int]], many: Mapping[bytes, int]) -> Reads:
    """Pulses at which the first of the `kinds`, and those much like it, were read."""
    first = reads[kinds[0][0]]
    alike = [members for members in kinds if _alike(reads[members[0]], first)]
    each = [reads[members[0]] for members in alike]
    weights = np.array([many[one.tobytes()] for one in each])
    pulses, which = np.unique(np.concatenate(each), return_inverse=True)
    counts = np.bincount(which, np.repeat(weights, [len(one) for one in each]))
    ends = np.array([one[-1] for one in each])
    order = np.argsort(ends)
    ended = np.concatenate([[0], np.cumsum(weights[order])])
    reaching = ended[-1] - ended[np.searchsorted(ends[order], pulses)]
    return np.asarray(pulses[counts * _SHARE >= reaching])


def _alike(one: Reads, other: Reads) -> bool:
    """Whether most reads up to the end of the shorter one are common."""
    end = min(one[-1], other[-1])
    n, m = (int(np.searchsorted(reads, end, side="right")) for reads in (one, other))
    if min(n, m) < (1.0 - _MOST_MISSING) * max(n, m) or min(len(one), len(other)) < 0.5 * max(len(one), len(other)):
        return False
    common = len(np.intersect1d(one[:n], other[:m], assume_unique=True))
    return common >= (1.0 - _MOST_MISSING) ** 2 * max(n, m)


def _fits(pulses: Reads, grid: Reads) -> bool:
    n = int(np.searchsorted(grid, pulses[-1])) + 1
    few = n >= _LEAST_LENGTH * len(grid) and len(pulses) >= (1.0 - _MOST_MISSING) * n
    return few and bool(np.isin(pulses, grid, assume_unique=True).all())
