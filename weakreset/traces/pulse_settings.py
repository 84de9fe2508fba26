"""Amplitude and width of the pulses, kept as extra columns: traces of different ones are not one technology."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceError
from weakreset.traces.trace import PulseTrace
from weakreset.traces.trace_set import TraceSet
from weakreset.traces.vocabulary import is_pulse_setting, is_temperature

__all__ = ["PulseSettings", "count_settings", "refuse_mixed"]

_HOTTER = 10.0  # K between two temperatures at which devices are not alike; a chuck drifts by less
_SHOWN = 6  # as many as fit in a message

# Of every column: value -> reads and traces that have it.
PulseSettings = dict[str, dict[str, tuple[int, int]]]


def count_settings(traces: TraceSet, known: Mapping[str, Mapping[str, tuple[int, int]]] | None = None) -> PulseSettings:
    """Values of the pulse settings and how many reads and traces have each, added to those `known`.

    Values that agree in six digits are one. Reads of pulse 0 and empty or zero cells say nothing of a pulse.
    """
    found: PulseSettings = {column: dict(values) for column, values in (known or {}).items()}
    for trace in traces:
        for name, cells in trace.extras.items():
            if is_pulse_setting(name) or (is_temperature(name) and _is_constant(cells)):
                counts = found.setdefault(name, {})
                for value, n_reads in _values(trace, cells).items():
                    reads, n_traces = counts.get(value, (0, 0))
                    counts[value] = (reads + n_reads, n_traces + 1)
    return found


def _is_constant(cells: NDArray[Any]) -> bool:
    """A temperature that was set, not one that was measured at every read."""
    numbers = np.asarray(cells)
    return numbers.dtype.kind in "iuf" and bool(numbers.size) and bool(numbers.min() == numbers.max())


def _values(trace: PulseTrace, cells: NDArray[Any]) -> dict[str, int]:
    pulsed = np.asarray(cells)[trace.pulses > 0]
    if not pulsed.size:
        return {}
    if pulsed.dtype.kind in "iufb" and pulsed.min() == pulsed.max():
        values, counts = pulsed[:1], np.array([len(pulsed)])
    elif pulsed.dtype.kind in "iufb":
        values, counts = np.unique(pulsed[np.isfinite(pulsed.astype(np.float64))], return_counts=True)
    else:
        values, counts = np.unique(np.array([str(cell).strip() for cell in pulsed.tolist()]), return_counts=True)
    found: dict[str, int] = {}
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        text = value if isinstance(value, str) else f"{value:.6g}"
        if text not in {"", "0", "-0", "nan"}:
            found[text] = found.get(text, 0) + count
    return found


def refuse_mixed(settings: PulseSettings) -> None:
    """Raise where pulses of several amplitudes or widths would be taken for one.

    Raises
    ------
    TraceError
        Lists the values with their counts, and how to choose.
    """
    for column, counts in settings.items():
        if len(counts) < 2 or (is_temperature(column) and np.ptp(list(map(float, counts))) < _HOTTER):
            continue
        usual = sorted(counts.items(), key=lambda item: -item[1][0])
        listed = ", ".join(f"{value} ({reads} reads of {n} traces)" for value, (reads, n) in usual[:_SHOWN])
        more = f", and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
        quoted = usual[0][0] if _is_number(usual[0][0]) else f"'{usual[0][0]}'"
        raise TraceError(
            f"pulses of different {column} are mixed: {listed}{more}. One fit is for one kind of pulse: choose with "
            f'--where "{column}=={quoted}" (where= in Python), or say --mixed-pulses if they are alike to you'
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
