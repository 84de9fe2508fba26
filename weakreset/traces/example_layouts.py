"""Ten ways in which a text file may hold pulse traces, written from traces: to copy from, and to test against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from weakreset.traces.trace import PulseTrace
from weakreset.traces.trace_set import TraceSet

__all__ = ["LAYOUTS"]

_READ_V = 0.1  # of the simulated currents


def _lines(rows: Iterable[Sequence[object]], mark: str = ",") -> str:
    return "".join(mark.join(map(str, row)) + "\n" for row in rows)


def _reads(traces: TraceSet) -> Iterable[tuple[PulseTrace, int, float]]:
    for trace in traces:
        for pulse, ohm in zip(trace.pulses.tolist(), trace.resistance_ohm.tolist(), strict=True):
            yield trace, pulse, ohm


def _long(traces: TraceSet) -> str:
    return _lines([("device", "pulse", "resistance [ohm]"), *((t.device, p, f"{r:.9g}") for t, p, r in _reads(traces))])


def _cycles(traces: TraceSet) -> str:
    """The devices as if they were cycles of two."""
    names = [trace.device for trace in traces]
    place = {name: (f"D{i % 2}", i // 2) for i, name in enumerate(names)}
    rows = ((*place[t.device], p, f"{r / 1e3:.9g}") for t, p, r in _reads(traces))
    return _lines([("device", "cycle", "pulse", "R [kohm]"), *rows])


def _one_device(traces: TraceSet) -> str:
    first = TraceSet(traces.traces[:1])
    return _lines([("pulse", "resistance [ohm]"), *((p, f"{r:.9g}") for _, p, r in _reads(first))])


def _currents(traces: TraceSet) -> str:
    header = ("device", "pulse", "I_read [A]", "V_read [V]")
    return _lines([header, *((t.device, p, f"{_READ_V / r:.9g}", _READ_V) for t, p, r in _reads(traces))])


def _comma(traces: TraceSet) -> str:
    rows = ((t.device, p, f"{1e6 / r:.9g}".replace(".", ",")) for t, p, r in _reads(traces))
    return _lines([("device", "pulse", "G [uS]"), *rows], ";")


def _bursts(traces: TraceSet) -> str:
    rows = ((t.device, int(p > 0), f"{r:.9g}") for t, p, r in _reads(traces))
    return _lines([("device", "pulses applied", "R [ohm]"), *rows])


def _operations(traces: TraceSet) -> str:
    rows: list[tuple[object, ...]] = [("device", "operation", "R [ohm]")]
    for trace, pulse, ohm in _reads(traces):
        rows += [(trace.device, "RESET" if pulse else "SET", ""), (trace.device, "READ", f"{ohm:.9g}")]
    return _lines(rows)


def _wide(traces: TraceSet, names: Sequence[str] = ()) -> str:
    header = ["pulse", *(names or [f"{trace.device} [ohm]" for trace in traces])]
    pulses = traces.traces[0].pulses.tolist()
    columns = [[f"{ohm:.9g}" for ohm in trace.resistance_ohm.tolist()] for trace in traces]
    return _lines([header, *zip(pulses, *columns, strict=True)])


def _cycle_columns(traces: TraceSet) -> str:
    return _wide(traces, [f"cycle {number} [ohm]" for number in range(len(traces))])


def _row_a_device(traces: TraceSet) -> str:
    header = ["device", *traces.traces[0].pulses.tolist()]
    rows = ([trace.device, *(f"{ohm:.9g}" for ohm in trace.resistance_ohm.tolist())] for trace in traces)
    return "# unit: ohm\n" + _lines([header, *rows])


LAYOUTS: dict[str, Callable[[TraceSet], str]] = {
    "row-a-read": _long,
    "row-a-read-cycles": _cycles,
    "one-device": _one_device,
    "currents": _currents,
    "decimal-commas": _comma,
    "bursts": _bursts,
    "operations": _operations,
    "column-a-device": _wide,
    "column-a-cycle": _cycle_columns,
    "row-a-device": _row_a_device,
}
"""Name -> what writes it. Of `row-a-read-cycles` and `column-a-cycle`, the traces given become cycles."""
