"""The pulse trace of one device, in ohm and pulses, checked and frozen; and what is not part of it, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weakreset.display import ROWS_SHOWN, Shown, Summary, number
from weakreset.errors import TraceError

__all__ = ["Exclusion", "PulseTrace", "Reason"]


def _frozen(values: ArrayLike, dtype: type) -> NDArray[Any]:
    array: NDArray[Any] = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False, repr=False)
class PulseTrace(Shown):
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
                f"{self.words}: {self.pulses.shape} pulse numbers for {self.resistance_ohm.shape} resistances; "
                "both must be one-dimensional and of one length"
            )
        self._check_pulses()
        bad = np.flatnonzero(~(np.isfinite(self.resistance_ohm) & (self.resistance_ohm > 0)))
        if bad.size:
            first = bad[0]
            raise TraceError(
                f"{self.words}, pulse {self.pulses[first]}: resistance {self.resistance_ohm[first]!r} ohm "
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
            raise TraceError(f"{self.words}: pulse number {self.pulses[0]} is negative")
        falls = np.flatnonzero(np.diff(self.pulses) <= 0)
        if falls.size:
            i = falls[0]
            raise TraceError(
                f"{self.words}: pulse number {self.pulses[i + 1]} follows {self.pulses[i]}; they must increase "
                "(a restart is a new cycle)"
            )

    def _shown(self) -> Summary:
        span = f", pulses {self.pulses[0]} to {self.pulses[-1]}" if len(self) else ""
        rows = [
            (str(pulse), number(ohm))
            for pulse, ohm in zip(self.pulses[:ROWS_SHOWN], self.resistance_ohm[:ROWS_SHOWN].tolist(), strict=True)
        ]
        return Summary(
            f"PulseTrace of {self.words}: {len(self)} reads{span}",
            (f"source: {self.source or 'memory'}",), ("pulse", "R (ohm)"), rows, len(self),
        )

    @property
    def words(self) -> str:
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
    """One reading, or one whole device (`pulse` None), that is not used, and why; its trace, to be looked at."""

    device: str
    reason: str
    cycle: int = 0
    pulse: int | None = None
    value: str = ""
    file: str = ""
    line: int | None = None
    n_readings: int = 1
    trace: PulseTrace | None = field(default=None, compare=False, repr=False)


class Reason(IntEnum):
    """Why a reading of a file is not used; `words` says it to the user and in its `Exclusion`."""

    GOOD = 0
    MISSING = 1
    TEXT = 2
    ZERO = 3
    NEGATIVE = 4
    INFINITE = 5
    OVERFLOW = 6
    NO_DEVICE = 7
    NO_PULSE = 8
    BAD_PULSE = 9
    DUPLICATE = 10
    BACKWARDS = 11
    DEVICE = 12
    REPEAT = 13
    CODE = 14
    COMPLIANCE = 15
    OTHER_VOLTAGE = 16

    @property
    def words(self) -> str:
        """The reason as a user reads it."""
        return _WORDS[self]


_WORDS = {
    Reason.GOOD: "",
    Reason.MISSING: "missing reading (empty or NaN)",
    Reason.TEXT: "not a number",
    Reason.ZERO: "zero reading",
    Reason.NEGATIVE: "negative reading",
    Reason.INFINITE: "infinite reading",
    Reason.OVERFLOW: "no finite resistance",
    Reason.CODE: "overflow or error code of the instrument",
    Reason.COMPLIANCE: "current pinned at the compliance",
    Reason.OTHER_VOLTAGE: "read at a higher voltage (of several after one pulse the lowest is used)",
    Reason.NO_DEVICE: "no device name",
    Reason.NO_PULSE: "no pulse number",
    Reason.BAD_PULSE: "pulse number is not a whole number from 0 up",
    Reason.DUPLICATE: "duplicate pulse number (the first reading is kept)",
    Reason.BACKWARDS: "pulse counter went back",
    Reason.DEVICE: "device not used",
    Reason.REPEAT: "repeated read without a pulse (the first is kept; their spread is the read noise)",
}
