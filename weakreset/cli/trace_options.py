"""What commands that read traces share: which reads to use, whether to stream, what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weakreset.errors import UsageError
from weakreset.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from weakreset.traces import TraceSet
    from weakreset.traces.load import ReadingOptions

__all__ = [
    "ASSUMED",
    "FormatOption",
    "KeepGoingOption",
    "LimitsOption",
    "MapOption",
    "PulsesOption",
    "SkipOption",
    "TraceOptions",
    "VoltageOption",
    "WhereOption",
    "parse_pulse_range",
    "print_left_out",
]

MapOption = Annotated[str, typer.Option("--map", help="role=column,... where the guess is wrong")]
WhereOption = Annotated[str, typer.Option(help="reads to use, such as 'v_sl==0.9 and cycle<3'")]
LimitsOption = Annotated[str, typer.Option(help="screening limits, such as open_ohm=1e8,min_reads=20")]
FormatOption = Annotated[str, typer.Option("--format", help="reader to use instead of the one recognised")]
VoltageOption = Annotated[float | None, typer.Option(help="read voltage [V] where readings are currents")]
KeepGoingOption = Annotated[bool, typer.Option("--keep-going", help="go on without files that cannot be read")]
SkipOption = Annotated[int, typer.Option(help="lines to pass over before the header")]
PulsesOption = Annotated[str, typer.Option(help="only pulses A:B (both included); A becomes pulse 0")]

_STREAM_FROM_BYTES = 256 << 20  # text of ten million reads or more
_REASONS_SHOWN = 12
ASSUMED = "unit assumed:"
"""What a note on a unit that no file says begins with: such notes come first."""


def parse_pulse_range(text: str) -> tuple[int | None, int | None]:
    """A:B, A: or :B to (first, last), both included."""
    parts = text.split(":")
    try:
        first, last = (int(part) if part.strip() else None for part in parts)
    except ValueError:
        raise UsageError(f"--pulses {text!r}: give A:B, two pulse numbers, both included (200:399)") from None
    if first is not None and last is not None and last <= first:  # one pulse is no trace
        raise UsageError(f"--pulses {text!r}: the first pulse must come before the last")
    return first, last


@dataclass(frozen=True)
class TraceOptions:
    """Options of the command line that say which traces to read and how; '' and None are not given."""

    paths: list[str]
    map_: str = ""
    format_: str = ""
    read_voltage_v: float | None = None
    limits: str = ""
    where: str = ""
    pulses: str = ""
    stream: bool | None = None
    keep_going: bool = False
    skip: int = 0

    @property
    def options(self) -> ReadingOptions:
        """As the steps of reading take them."""
        from weakreset.traces.column_map import parse_map
        from weakreset.traces.load import ReadingOptions

        return ReadingOptions(**self.reading | {"column_map": parse_map(self.map_ or None)})

    @property
    def reading(self) -> dict[str, Any]:
        """As keywords of `load_traces` and `stream_traces`."""
        from weakreset.traces import ScreeningLimits

        return {
            "column_map": self.map_ or None,
            "format": self.format_ or None,
            "read_voltage_v": self.read_voltage_v,
            "limits": ScreeningLimits.parse(self.limits),
            "where": self.where or None,
            "skip": self.skip,
        }

    def files(self) -> list[Path]:
        """The files that are read."""
        from weakreset.traces.find_files import find_files

        return find_files(self.paths)

    def streams(self) -> bool:
        """Whether files are read in parts: asked for, or large files of a format that can be."""
        from weakreset.traces.stream import can_stream

        if self.stream is not None:
            return self.stream
        files = self.files()
        # all files together: a lot of many small ones fills the memory as one large one does
        large = sum(path.stat().st_size for path in files) >= _STREAM_FROM_BYTES
        return large and any(can_stream(path, self.format_ or None) for path in files)

    def load(
        self, holdout: float = 0.0, seed: int = 0, progress: Progress | None = None
    ) -> tuple[TraceSet, list[str]]:
        """All traces to use, and the names of the devices kept out."""
        from weakreset.traces import load_traces
        from weakreset.traces.hold_out import HoldOut

        loaded = self.pulses_of(load_traces(self.paths, **self.reading, keep_going=self.keep_going, progress=progress))
        if not holdout:
            return loaded, []
        drawn = HoldOut(holdout, seed)
        rest, _ = loaded.split(drawn)
        drawn.check()
        return rest, drawn.held

    def parts(self, holdout: float, seed: int, held: list[str]) -> TraceParts:
        """Traces some at a time, as often as asked for; `held` has the names of the devices kept out."""
        return TraceParts(self, holdout, seed, held)

    def pulses_of(self, traces: TraceSet) -> TraceSet:
        return traces.select_pulses(*parse_pulse_range(self.pulses)) if self.pulses else traces


@dataclass(frozen=True)
class TraceParts:
    """Traces of the files some at a time; each iteration reads the files and draws the held-out devices again."""

    chosen: TraceOptions
    holdout: float
    seed: int
    held: list[str]

    def __iter__(self) -> Iterator[TraceSet]:
        from weakreset.traces import stream_traces
        from weakreset.traces.hold_out import HoldOut

        chosen, drawn = self.chosen, HoldOut(self.holdout, self.seed) if self.holdout else None
        for part in stream_traces(chosen.paths, **chosen.reading, keep_going=chosen.keep_going):
            some = chosen.pulses_of(part)
            yield some if drawn is None else some.split(drawn)[0]
        if drawn is not None:
            drawn.check()
            self.held[:] = drawn.held  # in place: whoever asked for the parts has this list


def print_left_out(console: Console, traces: TraceSet) -> None:
    """Units that were assumed, counts of all that was left out by reason, the notes on how traces were chosen."""
    from weakreset.traces.unread_files import count_left_out

    for note in traces.notes:
        if note.startswith(ASSUMED):
            console.print(note, style="yellow", markup=False)
    counts = count_left_out(traces.exclusions)
    counted = [(count, what, reason) for what, found in counts.items() for reason, count in found.items()]
    for count, what, reason in counted[:_REASONS_SHOWN]:
        console.print(f"excluded, {count} {what if count > 1 else what[:-1]}: {reason}", style="yellow", markup=False)
    if len(counted) > _REASONS_SHOWN:
        console.print(f"... and {len(counted) - _REASONS_SHOWN} more reasons; see the report", markup=False)
    for note in traces.notes:
        if not note.startswith(ASSUMED):
            console.print(note, markup=False)
    if traces.read_noise is not None:
        console.print(f"read noise {traces.read_noise} (take it with --read-sd repeats)", markup=False)
