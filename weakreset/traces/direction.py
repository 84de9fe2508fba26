"""Do the devices of a set rise (weak RESET), fall (gradual SET), or turn? Said on reading, and asked by the fit.

Nothing is assumed of the drift's shape: each trace is cut into blocks, and the last quarter is compared with the first.
A trace is sure of its direction where they differ by far more than neighbouring blocks do. It runs against the set only
where that does not rest on a few sudden changes: those may be telegraph noise. One that surely climbs and surely falls
has no direction: it turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.lengths import tables_of_one_length
from weakreset.traces.trace_set import TraceSet

__all__ = ["Votes", "listed", "note_direction"]

Array = NDArray[np.float64]

_BLOCKS = 16
_SURE = 12.0
_STILL_SURE = 6.0
_SUDDEN = 4
_FEW = 0.1
_NAMED = 5


class Votes:
    """Which devices of a set rise, which fall, and which do both, counted trace after trace.

    Attributes
    ----------
    rising, falling, turning : list of str
        Devices that are sure of it.
    lasting : set of str
        Those of them whose direction does not rest on sudden changes.
    n_devices : int
    """

    def __init__(self) -> None:
        self.rising: list[str] = []
        self.falling: list[str] = []
        self.turning: list[str] = []
        self.lasting: set[str] = set()
        self.n_devices = 0

    def add(self, keys: Sequence[str], rows: Array) -> None:
        """Look at traces of ln R in rows, all of one length."""
        self.n_devices += len(rows)
        for key, change, steady, turn in zip(keys, *_changes(rows), strict=True):
            if turn > _SURE:
                self.turning.append(key)
            elif abs(change) > _SURE:
                (self.falling if change < 0 else self.rising).append(key)
                if abs(steady) > _STILL_SURE and steady * change > 0:
                    self.lasting.add(key)

    @property
    def direction(self) -> str:
        """That of the devices that are sure of theirs: "set" where R falls, else "reset"."""
        # telegraph noise lets a device or two of an unpulsed set fall: they do not decide for all
        return "set" if len(self.falling) > max(len(self.rising), _FEW * self.n_devices) else "reset"

    def against(self, direction: str) -> list[str]:
        """Devices that run the other way."""
        return [key for key in (self.rising if direction == "set" else self.falling) if key in self.lasting]

    @property
    def both(self) -> str:
        """Words on a set in which both directions are frequent; "" for others."""
        falling, rising = self.falling, self.rising
        if len(self.against(self.direction)) <= max(1.0, _FEW * (len(rising) + len(falling))):
            return ""
        rise, fall = ("rises" if len(rising) == 1 else "rise"), ("falls" if len(falling) == 1 else "fall")
        return (
            f"{len(rising)} device{'' if len(rising) == 1 else 's'} {rise} with pulses ({listed(rising)}) and "
            f"{len(falling)} {fall} ({listed(falling)}): RESET and SET runs are fitted one after the other. Choose one "
            "kind (`--where`), or give `--direction reset` or `--direction set`, which leaves the others out as not "
            "described"
        )

    @property
    def turns(self) -> str:
        """Words on devices that turn; "" where there are none."""
        n = len(self.turning)
        what = "device turns" if n == 1 else "devices turn"
        return f"{n} {what} ({listed(self.turning)}): R rises and falls again, or the other way round" if n else ""


def note_direction(traces: TraceSet) -> TraceSet:
    """With a note on what the fit will make of the directions, where not all devices simply rise."""
    votes = Votes()
    for members, ohm in tables_of_one_length(traces.traces):
        votes.add([traces.traces[at].key for at in members], np.log(ohm, out=ohm))
    notes = [votes.both or _set(votes, len(traces)), votes.turns]
    return replace(traces, notes=(*traces.notes, *filter(None, notes)))


def _set(votes: Votes, n_traces: int) -> str:
    if votes.direction != "set":
        return ""
    n = len(votes.falling)
    whole = "the trace" if n_traces == 1 else f"{n} of {n_traces} traces"
    return f"the resistance falls with the pulses in {whole}: a gradual SET rather than a weak RESET"


def _changes(rows: Array) -> tuple[Array, Array, Array]:
    """Three changes of each trace, in units of how neighbouring blocks differ; shape (n_devices,).

    The last quarter less the first; the change from the first to the last block, the largest steps between neighbours
    left out; and the smaller of the changes before and after an extreme in between.
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
    return change / scale, steady / scale, _turn(steps, slow) / scale


def _turn(steps: Array, slow: NDArray[np.intp]) -> Array:
    """The smaller of the climb and the fall on either side of an extreme, sudden steps left out."""
    lasting = np.zeros_like(steps)
    np.put_along_axis(lasting, slow, np.take_along_axis(steps, slow, axis=1), axis=1)
    path = np.pad(np.cumsum(lasting, axis=1), ((0, 0), (1, 0)))
    first, last = path[:, :1], path[:, -1:]
    peak = np.minimum(path - first, path - last).max(axis=1)
    trough = np.minimum(first - path, last - path).max(axis=1)
    return np.asarray(np.maximum(peak, trough))


def listed(names: Sequence[str]) -> str:
    """The first few names."""
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
