"""Devices of several files that are one, joined: a reading that two files hold is used once, and named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import TraceSet

Array = NDArray[np.float64]

__all__ = ["CYCLE", "READ_ALREADY", "FileDevice", "merge_devices", "together"]

READ_ALREADY = "the same reading is in"
"""How the reason of a reading begins that another file holds as well."""

CYCLE = 1 << 40
"""Above any pulse number: a key is the cycle times this, plus the pulse."""


@dataclass(frozen=True, eq=False)
class FileDevice:
    """All cycles of a device of one file, as one rising row of keys (cycle and pulse)."""

    part: int
    name: str
    traces: tuple[PulseTrace, ...]
    alone: bool

    @cached_property
    def keys(self) -> NDArray[np.int64]:
        return np.concatenate([trace.pulses + trace.cycle * CYCLE for trace in self.traces])

    @cached_property
    def ohm(self) -> Array:
        return np.concatenate([trace.resistance_ohm for trace in self.traces])

    @cached_property
    def digits(self) -> tuple[int, float]:
        """Decimal digits of the numbers, 3 to 7, and whether (1 or -1) they are those of ohm or of siemens."""
        for digits in (3, 4, 5, 6):
            for power in (1.0, -1.0):
                if _rounded_to(self.ohm**power, digits):
                    return digits, power
        return 7, 1.0

    def half_digit(self, ohm: Array) -> Array:
        """Half of the last digit of each reading, relative to it."""
        digits, power = self.digits
        return np.asarray(0.51 * _last_digit(ohm**power, digits) / ohm**power)

    @property
    def file(self) -> str:
        return self.traces[0].source or "memory"

    def before(self, at: int) -> float:
        """The reading in which a continuation from key `at` begins: the last one; of a new cycle, the first read."""
        same = int(self.keys[-1]) // CYCLE == at // CYCLE
        return float(self.ohm[-1] if same else self.ohm[0])


def _last_digit(values: Array, digits: int) -> Array:
    return np.asarray(10.0 ** (np.floor(np.log10(values)) - digits + 1))


def _rounded_to(values: Array, digits: int) -> bool:
    steps = values / _last_digit(values, digits)
    return bool(np.all(np.abs(steps - np.round(steps)) < 1e-6 * steps))


def merge_devices(parts: Sequence[TraceSet], groups: Sequence[list[FileDevice]]) -> list[TraceSet]:
    """The sets with each group as one device, in the file (and under the name) of its first."""
    traces = [{id(trace): trace for trace in part} for part in parts]
    excluded = [list(part.exclusions) for part in parts]
    said: Counter[tuple[str, str, str, str]] = Counter()
    for members in groups:
        first = members[0]
        for device in members:
            for trace in device.traces:
                del traces[device.part][id(trace)]
            if device is not first:
                moved = [item for item in excluded[device.part] if item.device == device.name]
                excluded[device.part] = [item for item in excluded[device.part] if item.device != device.name]
                excluded[first.part] += _not_yet(excluded[first.part], moved, first.name)
        for trace in _united(members, excluded[first.part], said):
            traces[first.part][id(trace)] = trace
    notes = tuple(_sentence(*key, count) for key, count in said.items())
    return [
        TraceSet(tuple(kept.values()), tuple(items), part.sources, (*part.notes, *(notes if i == 0 else ())))
        for i, (part, kept, items) in enumerate(zip(parts, traces, excluded, strict=True))
    ]


def _not_yet(known: Sequence[Exclusion], moved: Sequence[Exclusion], name: str) -> list[Exclusion]:
    seen = {(item.device, item.cycle, item.pulse, item.reason) for item in known}
    return [
        replace(item, device=name)
        for item in moved
        if item.pulse is None or (name, item.cycle, item.pulse, item.reason) not in seen
    ]


def _united(
    members: Sequence[FileDevice], excluded: list[Exclusion], said: Counter[tuple[str, str, str, str]]
) -> list[PulseTrace]:
    """The cycles of all members as those of one device; a reading that two have is taken from the first."""
    name = members[0].name
    ordered = sorted(members, key=lambda device: (int(device.keys[0]), -len(device.keys), device.part))
    cycles: dict[int, PulseTrace] = {trace.cycle: replace(trace, device=name) for trace in ordered[0].traces}
    base = ordered[0]
    for device in ordered[1:]:
        n_new = 0
        for trace in device.traces:
            held = cycles.get(trace.cycle)
            known = np.isin(trace.pulses, held.pulses) if held is not None else np.zeros(len(trace), dtype=bool)
            n_new += int(np.count_nonzero(~known))
            if known.any():
                where = held.source if held is not None else base.file
                excluded.append(_read_already(trace, known, name, where))
            cycles[trace.cycle] = together(held, trace, ~known, name)
        kind = "goes on" if n_new else "copy"
        said[kind, device.file, base.file, device.name if device.name != name else ""] += 1
    return [cycles[cycle] for cycle in sorted(cycles)]


def _read_already(trace: PulseTrace, known: NDArray[np.bool_], name: str, where: str) -> Exclusion:
    count, first = int(np.count_nonzero(known)), int(trace.pulses[int(np.argmax(known))])
    return Exclusion(
        name, f"{READ_ALREADY} {where}", trace.cycle, pulse=first, file=trace.source, n_readings=count,
    )


def together(held: PulseTrace | None, trace: PulseTrace, new: NDArray[np.bool_], name: str) -> PulseTrace:
    """A trace with the new reads of another one."""
    if held is None:
        return replace(trace, device=name)
    if not new.any():
        return held
    pulses = np.concatenate([held.pulses, trace.pulses[new]])
    order = np.argsort(pulses, kind="stable")
    extras = {
        key: np.concatenate([np.asarray(values), np.asarray(trace.extras[key])[new]])[order]
        for key, values in held.extras.items()
        if key in trace.extras
    }
    ohm = np.concatenate([held.resistance_ohm, trace.resistance_ohm[new]])[order]
    repeats = (held.repeats[0] + trace.repeats[0], held.repeats[1] + trace.repeats[1]) if new.all() else held.repeats
    return PulseTrace(name, pulses[order], ohm, held.cycle, extras, held.source, repeats)


def _sentence(kind: str, file: str, base: str, name: str, count: int) -> str:
    what = f"device {name!r}" if name else f"{count} device{'' if count == 1 else 's'}"
    one = count == 1 or name
    if kind == "copy":
        return f"{file}: {what} {'is' if one else 'are'} in {base} already, with the same readings: read once"
    return f"{file}: {what} {'goes' if one else 'go'} on from {base}: merged, one device each"
