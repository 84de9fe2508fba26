"""Do the devices of a set rise (weak RESET) or fall (gradual SET)?

Nothing is assumed of the drift's shape: each trace is cut into blocks, and the last quarter is compared with the first.
A trace is sure of its direction where they differ by far more than neighbouring blocks do. It runs against the set only
where that does not rest on a few sudden changes: those may be telegraph noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import FitError
from weakreset.model import DIRECTIONS

__all__ = ["Direction", "Votes"]

Array = NDArray[np.float64]

_BLOCKS = 16
_SURE = 12.0
_STILL_SURE = 6.0
_SUDDEN = 4
_FEW = 0.1
_NAMED = 5


@dataclass(frozen=True)
class Direction:
    """Direction of a set, the devices that surely run against it, and what to tell the user ("" for rising sets)."""

    name: str
    against: tuple[str, ...]
    note: str


class Votes:
    """Which devices of a set rise and which fall, counted trace after trace."""

    def __init__(self) -> None:
        self._falling: list[str] = []
        self._rising: list[str] = []
        self._lasting: set[str] = set()
        self._n_devices = 0

    def add(self, keys: Sequence[str], rows: Array) -> None:
        """Look at traces of ln(R/R0) in rows, all of one length."""
        self._n_devices += len(rows)
        for key, change, steady in zip(keys, *_changes(rows), strict=True):
            if abs(change) > _SURE:
                (self._falling if change < 0 else self._rising).append(key)
                if abs(steady) > _STILL_SURE and steady * change > 0:
                    self._lasting.add(key)

    def direction(self, wanted: str) -> Direction:
        """The direction `wanted`, or for "auto" that of the devices that are sure of theirs.

        Raises
        ------
        FitError
            An unknown direction, or a set in which both directions are frequent.
        """
        if wanted not in (*DIRECTIONS, "auto"):
            raise FitError(f"unknown direction {wanted!r}: choose from {', '.join(DIRECTIONS)}, auto")
        falling, rising = self._falling, self._rising
        # telegraph noise lets a device or two of an unpulsed set fall: they do not decide for all
        found = "set" if len(falling) > max(len(rising), _FEW * self._n_devices) else "reset"
        name = found if wanted == "auto" else wanted
        against = [key for key in (rising if name == "set" else falling) if key in self._lasting]
        if wanted == "auto" and len(against) > max(1.0, _FEW * (len(rising) + len(falling))):
            raise FitError(
                f"{len(rising)} devices rise with pulses ({_listed(rising)}) and {len(falling)} fall "
                f"({_listed(falling)}): RESET and SET runs are fitted one after the other. Choose one kind "
                "(`--where`), or give `--direction reset` or `--direction set`, which leaves the others out as not "
                "described"
            )
        notes = []
        if name == "set":
            why = f", as {len(falling)} devices do" if wanted == "auto" else ""
            notes.append(f"direction set: R falls with pulses{why}; slopes are negative")
        if against:
            what = "device runs" if len(against) == 1 else "devices run"
            which = f"{len(against)} {what} against the set ({_listed(against)})"
            notes.append(f"{which}: the drift does not describe them")
        return Direction(name, tuple(against), "; ".join(notes))


def _changes(rows: Array) -> tuple[Array, Array]:
    """Last quarter less first quarter of each trace, in units of how neighbouring blocks differ; shape (n_devices,).

    Then the change from the first to the last block, the largest steps between neighbours left out.
    """
    n_blocks = min(_BLOCKS, rows.shape[1] // 3)
    edges = np.linspace(0, rows.shape[1], n_blocks + 1).astype(int)
    blocks = np.add.reduceat(rows, edges[:-1], axis=1) / np.diff(edges)
    steps = np.diff(blocks, axis=1)
    quarter = max(1, n_blocks // 4)
    change = blocks[:, -quarter:].mean(axis=1) - blocks[:, :quarter].mean(axis=1)
    # second differences: a steady drift is no noise; sqrt(6) for white differences of blocks, 1.4826 for a normal law
    bends = np.diff(steps, axis=1)
    scale = 1.4826 * np.median(np.abs(bends), axis=1) / np.sqrt(3.0)
    scale = np.maximum(scale, 1e-12)
    slow = np.argsort(np.abs(steps), axis=1)[:, : steps.shape[1] - min(_SUDDEN, steps.shape[1] // 4)]
    steady = np.take_along_axis(steps, slow, axis=1).sum(axis=1)
    return change / scale, steady / scale


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
