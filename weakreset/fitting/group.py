"""Traces read at the same pulses, on the grid that they share with others: what is fitted in one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.used_reads import UsedReads
from weakreset.fitting.whitening import Averaged
from weakreset.traces import PulseTrace

__all__ = ["Grid", "Group", "families", "grouped", "pieces"]

Array = NDArray[np.float64]
Grid = tuple[Averaged | None, NDArray[np.int64]]
"""Pulses of a common grid, and which of its reads are means of several."""

_BLOCK = 64
# a little less than `common_grids` asks for: it adds to a grid whatever the traces on it were read at
_LEAST_LENGTH, _LEAST_READ = 0.5, 0.7


@dataclass(frozen=True)
class Group:
    """Traces read at the same pulses: pulses (n,), traces, ln(R/R0) in rows (n_devices, n).

    `grid` holds the pulses of the common grid where these are some of them; None where they are all. `averaged` says
    which reads are means of several, `fingerprints` tell the traces whatever their names.
    """

    pulses: NDArray[np.int64]
    traces: list[PulseTrace]
    rows: Array
    grid: NDArray[np.int64] | None = None
    averaged: Averaged | None = None
    fingerprints: tuple[bytes, ...] = ()

    @property
    def common(self) -> NDArray[np.int64]:
        """Pulses of the common grid."""
        return self.pulses if self.grid is None else self.grid

    def part(self, which: slice | NDArray[np.bool_]) -> Group:
        """Some of the devices."""
        chosen = np.arange(len(self.traces))[which].tolist()
        prints = tuple(self.fingerprints[i] for i in chosen) if self.fingerprints else ()
        return Group(self.pulses, [self.traces[i] for i in chosen], self.rows[which], self.grid, self.averaged, prints)


def grouped(used: Iterable[UsedReads], grids: Sequence[Grid]) -> list[Group]:
    """Groups of traces on these grids, in the order of the grids; a trace that fits none is a grid of its own."""
    on_grid: dict[int, dict[bytes, list[UsedReads]]] = {}
    for one in used:
        place = next((i for i, grid in enumerate(grids) if _on(one, grid)), len(grids))
        on_grid.setdefault(place, {}).setdefault(one.pulses.tobytes(), []).append(one)
    groups = []
    for place in sorted(on_grid):
        for same in on_grid[place].values():
            first = same[0]
            whole = place == len(grids) or len(first.pulses) == len(grids[place][1])
            groups.append(Group(
                first.pulses, [one.trace for one in same], np.stack([one.log_ratio for one in same]),
                None if whole else grids[place][1], first.averaged, tuple(one.fingerprint for one in same),
            ))
    return groups


def _on(used: UsedReads, grid: Grid) -> bool:
    """Whether all reads belong to the grid, and most of its pulses up to the last of them were read."""
    averaged, pulses = grid
    if used.averaged != averaged or used.pulses[-1] > pulses[-1]:
        return False
    n = int(np.searchsorted(pulses, used.pulses[-1])) + 1
    places = np.searchsorted(pulses[:n], used.pulses)
    enough = n >= _LEAST_LENGTH * len(pulses) and len(used.pulses) >= _LEAST_READ * n
    return bool(enough and np.array_equal(pulses[places], used.pulses))


def families(groups: Iterable[Group]) -> list[list[Group]]:
    """Groups by common grid, the shorter first but for those that are the whole grid."""
    by_grid: dict[tuple[bytes, Averaged | None], list[Group]] = {}
    for group in groups:
        by_grid.setdefault((group.common.tobytes(), group.averaged), []).append(group)
    return [
        sorted(family, key=lambda group: (len(group.pulses) < len(group.common), group.pulses[-1]))
        for family in by_grid.values()
    ]


def pieces(family: Sequence[Group]) -> list[list[Group]]:
    """Of one common grid: blocks of large groups, several small groups in one; 64 devices at most."""
    found: list[list[Group]] = []
    room = 0
    for group in family:
        for first in range(0, len(group.traces), _BLOCK):
            block = group.part(slice(first, first + _BLOCK))
            if len(block.traces) > room:
                found.append([])
                room = _BLOCK
            found[-1].append(block)
            room -= len(block.traces)
    return found
