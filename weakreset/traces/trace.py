"""Pulse traces: what was measured, in ohm and pulses, checked and frozen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weakreset.errors import TraceError
from weakreset.traces.read_noise import ReadNoise, measured_read_noise

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Exclusion", "PulseTrace", "SourceFile", "TraceSet"]


def _frozen(values: ArrayLike, dtype: type) -> NDArray[Any]:
    array: NDArray[Any] = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class PulseTrace:
    """Resistance of one device against the RESET pulses it received, in one cycle (one SET).

    Parameters
    ----------
    device : str
    pulses : array_like of int, shape (n,)
        RESET pulses since SET at each read, >= 0 and strictly increasing. 0 is the fresh device.
    resistance_ohm : array_like of float, shape (n,)
        Positive and finite.
    cycle : int
        Number of the SET before this trace.
    extras : mapping of str to array_like, shape (n,)
        Further columns of the file (wafer, pulse amplitude, ...), kept as they came.
    source : str
        File the trace came from.
    repeats : (float, int)
        Of reads repeated without a pulse between: sum of squared deviations of ln R from their mean, and degrees of
        freedom. See `TraceSet.read_noise`.

    Raises
    ------
    TraceError
        Lengths differ, a pulse number repeats or falls, or a resistance is not positive and finite.
    """

    device: str
    pulses: NDArray[np.int64]
    resistance_ohm: NDArray[np.float64]
    cycle: int = 0
    extras: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    source: str = ""
    repeats: tuple[float, int] = (0.0, 0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pulses", _frozen(self.pulses, np.int64))
        object.__setattr__(self, "resistance_ohm", _frozen(self.resistance_ohm, np.float64))
        if self.pulses.ndim != 1 or self.pulses.shape != self.resistance_ohm.shape:
            raise TraceError(
                f"{self.where}: {self.pulses.shape} pulse numbers for {self.resistance_ohm.shape} resistances; "
                "both must be one-dimensional and of one length"
            )
        self._check_pulses()
        bad = np.flatnonzero(~(np.isfinite(self.resistance_ohm) & (self.resistance_ohm > 0)))
        if bad.size:
            first = bad[0]
            raise TraceError(
                f"{self.where}, pulse {self.pulses[first]}: resistance {self.resistance_ohm[first]!r} ohm "
                "is not a positive number; drop the reading (and count it) before building a trace"
            )

    @classmethod
    def of_checked(
        cls,
        device: str,
        pulses: NDArray[np.int64],
        resistance_ohm: NDArray[np.float64],
        cycle: int,
        extras: Mapping[str, NDArray[np.generic]],
        source: str,
        repeats: tuple[float, int] = (0.0, 0),
    ) -> PulseTrace:
        """A trace of read-only arrays that were checked before: neither copied nor checked again."""
        trace = object.__new__(cls)
        trace.__dict__.update(
            device=device,
            pulses=pulses,
            resistance_ohm=resistance_ohm,
            cycle=cycle,
            extras=extras,
            source=source,
            repeats=repeats,
        )
        return trace

    def _check_pulses(self) -> None:
        if self.pulses.size and self.pulses[0] < 0:
            raise TraceError(f"{self.where}: pulse number {self.pulses[0]} is negative")
        falls = np.flatnonzero(np.diff(self.pulses) <= 0)
        if falls.size:
            i = falls[0]
            raise TraceError(
                f"{self.where}: pulse number {self.pulses[i + 1]} follows {self.pulses[i]}; they must increase "
                "(a restart is a new cycle)"
            )

    @property
    def where(self) -> str:
        """Device and cycle in words, for messages."""
        return f"device {self.device!r}" + (f", cycle {self.cycle}" if self.cycle else "")

    @property
    def key(self) -> str:
        """Name that is unique in a set: the device, and the cycle when it is not the first."""
        return self.device if not self.cycle else f"{self.device}#{self.cycle}"

    def __len__(self) -> int:
        return len(self.pulses)

    @property
    def r0_ohm(self) -> float | None:
        """Resistance of the fresh device (pulse 0), or None where it was not read."""
        return float(self.resistance_ohm[0]) if len(self) and self.pulses[0] == 0 else None

    @property
    def n_pulses(self) -> int:
        """Number of the last pulse read."""
        return int(self.pulses[-1]) if len(self) else 0

    def log_ratio(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Pulse numbers >= 1 and ln(R/R0) there.

        Where R0 was not read, the first read stands in for it: then only r0*exp(c1) is identified.
        """
        reference = self.resistance_ohm[0]
        after = self.pulses >= 1
        return self.pulses[after], np.log(self.resistance_ohm[after] / reference)

    def select_pulses(self, first: int | None, last: int | None) -> PulseTrace:
        """Reads of pulses first..last (both included), renumbered so that `first` is pulse 0."""
        low = 0 if first is None else first
        keep = self.pulses >= low
        if last is not None:
            keep &= self.pulses <= last
        part = self.select_reads(keep)
        return replace(part, pulses=part.pulses - low) if low else part

    def select_reads(self, keep: NDArray[np.bool_] | slice) -> PulseTrace:
        """Some of the reads, as they are."""
        pulses, ohm = self.pulses[keep], self.resistance_ohm[keep]
        pulses.setflags(write=False)
        ohm.setflags(write=False)
        extras = {name: np.asarray(values)[keep] for name, values in self.extras.items()}
        return PulseTrace.of_checked(self.device, pulses, ohm, self.cycle, extras, self.source, self.repeats)


@dataclass(frozen=True)
class Exclusion:
    """One reading, or one whole device (`pulse` None), that is not used, and why."""

    device: str
    reason: str
    cycle: int = 0
    pulse: int | None = None
    value: str = ""
    file: str = ""
    line: int | None = None
    n_readings: int = 1


@dataclass(frozen=True)
class SourceFile:
    """A file that was read: path, digest, and the format it was taken for with the reason."""

    path: str
    sha256: str
    format: str
    why: str = ""
    simulated: bool = False


@dataclass(frozen=True, eq=False)
class TraceSet:
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
                    f"{trace.where} appears twice (in {seen[trace.key] or 'memory'} and {trace.source or 'memory'}); "
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

    @property
    def read_noise(self) -> ReadNoise | None:
        """From reads repeated without a pulse between, or None where there are too few of them."""
        return measured_read_noise(self)

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

        Raises
        ------
        TraceError
            Either part would be empty.
        """
        devices = list(dict.fromkeys(trace.device for trace in self.traces))
        n_held = round(fraction * len(devices))
        if not 0 < n_held < len(devices):
            raise TraceError(f"a fraction of {fraction} of {len(devices)} devices leaves no devices on one side")
        chosen = np.random.default_rng(seed).choice(len(devices), n_held, replace=False)
        held = {devices[i] for i in chosen}
        return self.select_devices(set(devices) - held), self.select_devices(held)

    def select_devices(self, names: Collection[str]) -> TraceSet:
        """The traces of these devices, with every exclusion and source."""
        return replace(self, traces=tuple(trace for trace in self.traces if trace.device in names))

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


def display_path(path: Path) -> str:
    """Path as the user would write it: relative to the working directory where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
