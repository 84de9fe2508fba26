"""The direction in which a set is fitted: that of its devices (`traces.direction` counts them), or the one wanted."""

from __future__ import annotations

from dataclasses import dataclass

from weakreset.errors import FitError
from weakreset.model import DIRECTIONS
from weakreset.traces.direction import Votes, listed

__all__ = ["Direction", "direction_of"]


@dataclass(frozen=True)
class Direction:
    """Direction of a set, the devices that surely run against it or turn, and what to tell the user."""

    name: str
    against: tuple[str, ...]
    note: str


def direction_of(votes: Votes, wanted: str) -> Direction:
    """The direction `wanted`, or for "auto" that of the devices that are sure of theirs.

    Raises
    ------
    FitError
        An unknown direction, or a set in which both directions are frequent.
    """
    if wanted not in (*DIRECTIONS, "auto"):
        raise FitError(f"unknown direction {wanted!r}: choose from {', '.join(DIRECTIONS)}, auto")
    if wanted == "auto" and votes.both:
        raise FitError(votes.both)
    name = votes.direction if wanted == "auto" else wanted
    against = votes.against(name)
    notes = []
    if name == "set":
        why = f", as {len(votes.falling)} devices do" if wanted == "auto" else ""
        notes.append(f"direction set: R falls with pulses{why}; slopes are negative")
    if against:
        what = "device runs" if len(against) == 1 else "devices run"
        which = f"{len(against)} {what} against the set ({listed(against)})"
        notes.append(f"{which}: the drift does not describe them")
    if votes.turns:
        notes.append(f"{votes.turns}: no drift shape does that")
    return Direction(name, (*against, *votes.turning), "; ".join(notes))
