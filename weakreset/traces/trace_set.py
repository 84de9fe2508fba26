"""Traces of many devices, with what was left out of them and the files they came from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from weakreset.display import ROWS_SHOWN, Shown, Summary, number
from weakreset.errors import TraceError
from weakreset.traces.hold_out import HoldOut
from weakreset.traces.trace import Exclusion, PulseTrace

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReadNoise", "SourceFile", "TraceSet"]

_LEAST_REPEATS = 10  # a read noise from fewer is uncertain by a quarter

_FILES_SHOWN = 5  # as many as fit in a repr


@dataclass(frozen=True)
class SourceFile:
    """A file that was read: path, digest, and the format it was taken for with the reason."""

    path: str
    sha256: str
    format: str
    why: str = ""
    simulated: bool = False


@dataclass(frozen=True)
class ReadNoise:
    """Standard deviation of a read in ln R, its standard error, and the degrees of freedom behind it.

    Everything that changes from read to read counts, telegraph switching without a pulse included.
    """

    sd: float
    stderr: float
    freedom: int

    def __str__(self) -> str:
        return f"{self.sd:.3g} +- {self.stderr:.1g} in ln R, from {self.freedom} repeated reads"


@dataclass(frozen=True, eq=False, repr=False)
class TraceSet(Shown):
    """Traces of many devices, with everything that was left out and where it all came from.

    `notes` are sentences on how the traces were chosen: screening limits, `where`.
    """

    traces: tuple[PulseTrace, ...]
    exclusions: tuple[Exclusion, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "traces", tuple(self.traces))
        if len({trace.key if trace.cycle else trace.device for trace in self.traces}) == len(self.traces):
            return  # the quick way to say that no key appears twice
        seen: dict[str, str] = {}
        for trace in self.traces:
            if trace.key in seen:
                raise TraceError(
                    f"{trace.words} appears twice (in {seen[trace.key] or 'memory'} and {trace.source or 'memory'}); "
                    "rename one, or give the cycle as a column"
                )
            seen[trace.key] = trace.source

    def __len__(self) -> int:
        return len(self.traces)

    def __iter__(self) -> Iterator[PulseTrace]:
        return iter(self.traces)

    def __getitem__(self, key: str) -> PulseTrace:
        for trace in self.traces:
            if trace.key == key:
                return trace
        raise KeyError(key)

    @property
    def simulated(self) -> bool:
        """Whether any of the files says that it was simulated."""
        return any(source.simulated for source in self.sources)

    def _shown(self) -> Summary:
        sources = [f"{source.path} ({source.format})" for source in self.sources[:_FILES_SHOWN]]
        left = len(self.sources) - len(sources)
        readings = sum(item.n_readings for item in self.exclusions)
        reasons = Counter(item.reason for item in self.exclusions).most_common(ROWS_SHOWN)
        return Summary(
            f"TraceSet of {len(self)} traces{' (simulated)' if self.simulated else ''}, "
            f"{len(self.exclusions)} exclusions of {readings} readings",
            (f"source: {', '.join(sources) or 'memory'}" + (f" and {left} more files" if left > 0 else ""),),
            ("device", "cycle", "reads", "last pulse", "R0 (ohm)", "last R (ohm)", "file"),
            [_row(trace) for trace in self.traces[:ROWS_SHOWN]], len(self),
            (*(f"excluded, {count} of {len(self.exclusions)}: {reason}" for reason, count in reasons), *self.notes),
        )

    @property
    def read_noise(self) -> ReadNoise | None:
        """From reads repeated without a pulse between, pooled over all traces; None with fewer than 10 of them."""
        squares = sum(trace.repeats[0] for trace in self.traces)
        freedom = sum(trace.repeats[1] for trace in self.traces)
        if freedom < _LEAST_REPEATS:
            return None
        sd = math.sqrt(squares / freedom)
        return ReadNoise(sd, sd / math.sqrt(2 * freedom), freedom)

    def select_pulses(self, first: int | None, last: int | None) -> TraceSet:
        """`PulseTrace.select_pulses` on every trace; those left with fewer than 2 reads are excluded by name."""
        kept: list[PulseTrace] = []
        dropped = list(self.exclusions)
        for trace in self.traces:
            part = trace.select_pulses(first, last)
            if len(part) >= 2:
                kept.append(part)
            else:
                reason = f"fewer than 2 reads in pulses {first or 0}:{'' if last is None else last}"
                dropped.append(Exclusion(trace.device, reason, trace.cycle, n_readings=len(trace)))
        return replace(self, traces=tuple(kept), exclusions=tuple(dropped))

    def hold_out(self, fraction: float, seed: int | np.random.Generator) -> tuple[TraceSet, TraceSet]:
        """Split into a set to fit and one that the fit never sees, by whole devices (all cycles of one together).

        One of every 1/fraction devices, in their order: sets read in parts are split alike (`HoldOut`).

        Raises
        ------
        TraceError
            Either part would be empty.
        """
        drawn = HoldOut(fraction, seed)
        parts = self.split(drawn)
        drawn.check()
        return parts

    def split(self, drawn: HoldOut) -> tuple[TraceSet, TraceSet]:
        """What is fitted and what is held out of a set, or of a part of one; both with every exclusion and source."""
        held = {device for device in dict.fromkeys(trace.device for trace in self.traces) if drawn.holds(device)}
        rest = tuple(trace for trace in self.traces if trace.device not in held)
        return replace(self, traces=rest), self.select_devices(held)

    def select_devices(self, names: Collection[str]) -> TraceSet:
        """The traces of these devices, with every exclusion and source."""
        return replace(self, traces=tuple(trace for trace in self.traces if trace.device in names))

    def renamed(self, names: Mapping[str, str]) -> TraceSet:
        """The same with other device names, those of the exclusions too."""
        if all(old == new for old, new in names.items()):
            return self
        traces = tuple(replace(trace, device=names[trace.device]) for trace in self.traces)
        excluded = tuple(replace(item, device=names[item.device]) for item in self.exclusions)
        return replace(self, traces=traces, exclusions=excluded)

    def to_frame(self) -> pd.DataFrame:
        """A row a read: device, cycle, pulse, resistance_ohm, and the extra columns of the files."""
        import pandas as pd

        frames = [
            pd.DataFrame(
                {
                    "device": trace.device,
                    "cycle": trace.cycle,
                    "pulse": trace.pulses,
                    "resistance_ohm": trace.resistance_ohm,
                    **{name: np.asarray(values) for name, values in trace.extras.items()},
                }
            )
            for trace in self.traces
        ]
        if not frames:
            return pd.DataFrame({"device": [], "cycle": [], "pulse": [], "resistance_ohm": []})
        return pd.concat(frames, ignore_index=True)

    @property
    def excluded(self) -> pd.DataFrame:
        """A row an exclusion: device, cycle, pulse, value, reason, file, line, n_readings."""
        import pandas as pd

        columns = ["device", "cycle", "pulse", "value", "reason", "file", "line", "n_readings"]
        rows = [[getattr(item, name) for name in columns] for item in self.exclusions]
        return pd.DataFrame(rows, columns=columns)

    @staticmethod
    def join(sets: Iterable[TraceSet]) -> TraceSet:
        """One set of several; device names must not repeat."""
        parts = list(sets)
        if len(parts) == 1:
            return parts[0]
        return TraceSet(
            tuple(trace for part in parts for trace in part.traces),
            tuple(item for part in parts for item in part.exclusions),
            tuple(source for part in parts for source in part.sources),
            tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        )

    @staticmethod
    def from_arrays(
        devices: Iterable[str], pulses: ArrayLike, resistance_ohm: ArrayLike, sources: tuple[SourceFile, ...] = ()
    ) -> TraceSet:
        """A set from a matrix, a row a device, all read at the same `pulses`."""
        rows = np.asarray(resistance_ohm, dtype=np.float64)
        numbers = np.asarray(pulses)
        names = list(devices)
        return TraceSet(
            tuple(PulseTrace(name, numbers, row) for name, row in zip(names, rows, strict=True)), sources=sources
        )


def _row(trace: PulseTrace) -> tuple[str, ...]:
    last = float(trace.resistance_ohm[-1]) if len(trace) else None
    return (
        trace.device, str(trace.cycle), str(len(trace)), str(trace.n_pulses), number(trace.r0_ohm), number(last),
        trace.source,
    )
