"""Files of several that cannot be read, and what was left out, in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from weakreset.errors import MissingExtraError, TraceError, TraceFormatError, WeakResetError
from weakreset.resources import display_path
from weakreset.traces.trace import Exclusion
from weakreset.traces.trace_set import TraceSet

__all__ = ["UNREADABLE", "count_left_out", "count_reasons", "name_unread", "nothing_left", "without_files"]

UNREADABLE = (TraceError, MissingExtraError)
"""What says that a file cannot be read, rather than that an option makes no sense."""

_FILES_NAMED = 40  # a screen; the rest are counted
_ERROR_CHARACTERS = 2000  # of all messages together


def name_unread(unread: Sequence[tuple[Path, WeakResetError]], n_files: int) -> TraceFormatError:
    """One error that names all files that cannot be read."""
    room = max(_ERROR_CHARACTERS // len(unread), 0)
    said = [_shortly(path, error, room) for path, error in unread[:_FILES_NAMED]]
    more = f"; and {len(unread) - _FILES_NAMED} more" if len(unread) > _FILES_NAMED else ""
    way = ""
    if len(unread) < n_files:
        way = ", or go on without them: --keep-going (keep_going=True), which names them"
    if len(unread) == n_files > 1 and all("pulse=@file" in str(error) for _, error in unread):
        way = ". If each file holds the reads after the pulses that its name counts, say --map pulse=@file"
    return TraceFormatError(
        f"{len(unread)} of {n_files} files cannot be read: {'; '.join(said)}{more}. See "
        f"`weakreset inspect FILE` for each{way}"
    )


def _shortly(path: Path, error: WeakResetError, room: int) -> str:
    file = display_path(path)
    words, option, _ = str(error).removeprefix(file).lstrip(":, ").partition("--")
    if option:  # which is for one file alone
        words = next(filter(None, (words.rpartition(mark)[0] for mark in (". ", "; ", ", "))), "")
    if len(words) > room:
        words = f"{words[:room].rsplit(' ', 1)[0]} ..." if room > 30 else ""
    return f"{file}: {words}" if words else file


def without_files(unread: Sequence[tuple[Path, WeakResetError]]) -> TraceSet:
    """No traces, and an exclusion for each file that cannot be read."""
    items = tuple(
        Exclusion("", f"file cannot be read: {error}", file=display_path(path), n_readings=0) for path, error in unread
    )
    names = ", ".join(display_path(path) for path, _ in unread[:_FILES_NAMED])
    more = f" and {len(unread) - _FILES_NAMED} more" if len(unread) > _FILES_NAMED else ""
    return TraceSet((), items, notes=(f"{len(unread)} files cannot be read and are excluded: {names}{more}",))


def count_reasons(exclusions: Sequence[Exclusion]) -> str:
    """The usual reasons for exclusions, counted, in words."""
    kinds = Counter(item.reason.split(":")[0] for item in exclusions)
    first = {item.reason.split(":")[0]: item.reason for item in reversed(exclusions)}
    return "; ".join(f"{count} x {first[kind]}" for kind, count in kinds.most_common(5)) or "nothing"


def nothing_left(files: Sequence[Path], exclusions: Sequence[Exclusion]) -> str:
    """What to say where no trace of these files is left to use."""
    shown = ", ".join(map(display_path, files[:3]))
    return f"{shown}: no device is left. Excluded: {count_reasons(exclusions)}{_other_limit(exclusions)}"


def _other_limit(exclusions: Sequence[Exclusion]) -> str:
    """The limit to change, where all traces lie beyond one and cells of such a resistance would be read."""
    traces = {item.reason.split(":")[0]: item.trace for item in exclusions if item.trace is not None}
    ohm = [item.trace.resistance_ohm for item in exclusions if item.trace is not None]
    if traces.keys() == {"open"}:
        limit = f"open_ohm=1e{math.floor(math.log10(max(map(np.max, ohm)))) + 1}"
        return f". If they are cells of such a resistance and no open contacts, say --limits {limit}"
    if traces.keys() == {"short"}:
        limit = f"short_ohm=1e{math.ceil(math.log10(min(map(np.min, ohm)))) - 1}"
        return f". If they are cells of such a resistance and no shorts, say --limits {limit}"
    return ""


def count_left_out(exclusions: Sequence[Exclusion]) -> dict[str, dict[str, int]]:
    """Whole traces, and single reads, that are not used: how many for each reason, the usual ones first."""
    traces: Counter[str] = Counter()
    reads: Counter[str] = Counter()
    for item in exclusions:
        reason = item.reason.split(":")[0]
        if item.pulse is not None or item.line is not None:
            reads[reason] += item.n_readings
        elif item.device:
            traces[reason] += 1
    return {"traces": dict(traces.most_common()), "reads": dict(reads.most_common())}
