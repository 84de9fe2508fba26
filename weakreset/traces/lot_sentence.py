"""One sentence on all that a fit would use, to be checked against the bench."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from weakreset.traces.merge_devices import READ_ALREADY
from weakreset.traces.trace import Exclusion
from weakreset.traces.trace_set import TraceSet

__all__ = ["counted_devices", "lot_sentence"]

_UNITS = ((1e9, "Gohm"), (1e6, "Mohm"), (1e3, "kohm"), (1.0, "ohm"))
_NAMES_SHOWN = 2  # the first and the last, to be found on the bench
_REASONS_SHOWN = 3  # as many as fit in the sentence; the table above has them all


def counted_devices(n_devices: int, n_cycles: int) -> str:
    """`5 devices`, or `5 devices, 40 cycles` where there are more traces than devices."""
    words = f"{n_devices} device{'' if n_devices == 1 else 's'}"
    return words if n_cycles <= n_devices else f"{words}, {n_cycles} cycles"


def lot_sentence(traces: TraceSet, unit_assumed: bool) -> str:
    """Such as `5 devices (A..E), 200 RESET pulses each, 7.1 to 12.4 kohm, 3 readings excluded: overflow`."""
    if not traces.traces:
        return "; ".join(["no device to use", *_excluded(traces.exclusions)])
    names = list(dict.fromkeys(trace.device for trace in traces))
    shown = f"{names[0]}..{names[-1]}" if len(names) > _NAMES_SHOWN else ", ".join(names)
    count, *cycles = counted_devices(len(names), len(traces)).split(", ")
    parts = [f"{count} ({shown})", *cycles, _pulses(traces), _range(traces)]
    parts += ["unit assumed"] if unit_assumed else []
    return ", ".join(parts + (_excluded(traces.exclusions) or ["nothing excluded"]))


def _pulses(traces: TraceSet) -> str:
    numbers = [trace.n_pulses for trace in traces]
    low, high = min(numbers), max(numbers)
    each = " each" if len(numbers) > 1 else ""
    return f"{low} RESET pulses{each}" if low == high else f"{low} to {high} RESET pulses"


def _range(traces: TraceSet) -> str:
    low = min(float(trace.resistance_ohm.min()) for trace in traces)
    high = max(float(trace.resistance_ohm.max()) for trace in traces)
    middle = float(np.sqrt(low) * np.sqrt(high))
    scale, unit = next(((size, name) for size, name in _UNITS if middle >= size), _UNITS[-1])
    return f"{_digits(low / scale)} to {_digits(high / scale)} {unit}"


def _digits(value: float) -> str:
    return f"{value:.0f}" if 100 <= value < 1e6 else f"{value:.3g}"


def _excluded(exclusions: Sequence[Exclusion]) -> list[str]:
    """Devices, cycles and readings that are not used, with their reasons; a reading that two files hold is used."""
    rest = [item for item in exclusions if not item.reason.startswith(READ_ALREADY)]
    single = [item for item in rest if item.pulse is not None or item.line is not None]
    whole = [item for item in rest if item.pulse is None and item.line is None]
    files = [item for item in whole if not item.device]
    whole = [item for item in whole if item.device]
    readings = [item.n_readings for item in single]
    counted = ((files, [1] * len(files), "file"), (whole, [1] * len(whole), "trace"), (single, readings, "reading"))
    return [
        f"{sum(counts)} {what}{'' if sum(counts) == 1 else 's'} excluded: {_reasons(items, counts)}"
        for items, counts, what in counted if items
    ]


def _reasons(items: Iterable[Exclusion], counts: Iterable[int]) -> str:
    found: Counter[str] = Counter()
    for item, count in zip(items, counts, strict=True):
        found[re.sub(r"\s*\(.*\)$", "", item.reason.partition(":")[0])] += count
    named = [f"{count} {reason}" if len(found) > 1 else reason for reason, count in found.most_common(_REASONS_SHOWN)]
    return ", ".join(named) + (", ..." if len(found) > _REASONS_SHOWN else "")
