"""Read noise, from reads that were repeated without a pulse between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weakreset.traces.trace_set import TraceSet

__all__ = ["ReadNoise", "measured_read_noise"]

_LEAST = 10


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


def measured_read_noise(traces: TraceSet) -> ReadNoise | None:
    """Pooled over all traces; None with fewer than 10 repeats."""
    squares = sum(trace.repeats[0] for trace in traces)
    freedom = sum(trace.repeats[1] for trace in traces)
    if freedom < _LEAST:
        return None
    sd = math.sqrt(squares / freedom)
    return ReadNoise(sd, sd / math.sqrt(2 * freedom), freedom)
