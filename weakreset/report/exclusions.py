"""What was excluded, a row a reason: devices left out whole, readings, and what a parameter file tells of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from weakreset.fitting import FitStatus
from weakreset.parameter_file import ExcludedDevice
from weakreset.report.content import ReportInput
from weakreset.report.tables import Cell, Table
from weakreset.traces import Exclusion

__all__ = ["exclusion_table"]

_NAMES_SHOWN = 40  # of devices for one reason; the table of devices has them all


def exclusion_table(content: ReportInput) -> Table:
    """A row a reason, devices left out whole first; nothing is excluded without a name or a count."""
    whole: dict[str, list[str]] = {}
    single: dict[str, dict[str, list[Exclusion]]] = {}
    traces, device_of = content.trace_set, dict[str, str]()
    for item in traces.exclusions if traces is not None else ():
        key = f"{item.device}#{item.cycle}" if item.cycle else item.device
        device_of[key] = item.device
        if item.pulse is None and item.line is None:
            whole.setdefault(item.reason, []).append(key)
        else:
            single.setdefault(_root(item.reason), {}).setdefault(key, []).append(item)
    told = content.params.provenance.exclusions if traces is None and content.params is not None else []
    named = {device for devices in whole.values() for device in devices}
    for fit in content.fit_set or ():
        if fit.status in (FitStatus.EXCLUDED, FitStatus.NOT_CONVERGED) and fit.device not in named:
            device_of[fit.device] = fit.of_device
            whole.setdefault(fit.excluded_because or fit.status.sentence, []).append(fit.device)
    rows = (*_whole_rows(whole, device_of), *_single_rows(single, device_of), *_told_rows(told))
    return Table(("why", "devices", "readings", "which"), rows)


def _root(reason: str) -> str:
    """The kind of a reason: what stands before the numbers of the single case."""
    return reason.split(":")[0]


def _whole_rows(whole: Mapping[str, list[str]], device_of: Mapping[str, str]) -> list[tuple[Cell, ...]]:
    """Reasons of one kind together; one that is alone keeps its numbers. Devices are counted, cycles are named."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    for reason, devices in whole.items():
        kinds.setdefault(_root(reason), []).extend((device, reason) for device in devices)
    rows = []
    for kind, found in sorted(kinds.items(), key=lambda item: -len(item[1])):
        words = found[0][1] if len(found) == 1 else kind  # numbers of a single case, or none
        names = [name for name, _ in found]
        rows.append(_reason_row(words, len({device_of[name] for name in names}), "all", names))
    return rows


def _single_rows(
    single: Mapping[str, Mapping[str, list[Exclusion]]], device_of: Mapping[str, str]
) -> list[tuple[Cell, ...]]:
    """Readings: devices with the most of them first; one that is alone in its device keeps its place and value."""
    rows = []
    for reason, found in single.items():
        counts = Counter({key: sum(item.n_readings for item in items) for key, items in found.items()})
        n_devices = len({device_of[key] for key in found})
        which = [f"{key} ({n})" if n > 1 else f"{key}: {_where(found[key][0])}" for key, n in counts.most_common()]
        rows.append((sum(counts.values()), _reason_row(reason, n_devices, str(sum(counts.values())), which)))
    return [row for _, row in sorted(rows, key=lambda item: -item[0])]


def _told_rows(told: Iterable[ExcludedDevice]) -> list[tuple[Cell, ...]]:
    """What a parameter file says was left out: how many readings, and not whether these were all of a device."""
    kinds: dict[str, Counter[str]] = {}
    for item in told:
        kinds.setdefault(_root(item.reason), Counter())[item.device] += item.n_readings or 0
    rows = []
    for kind, found in kinds.items():
        total = sum(found.values())
        which = [f"{device} ({count})" if count else device for device, count in found.most_common()]
        rows.append(_reason_row(kind, len(found), str(total) if total else "–", which))
    return rows


def _where(item: Exclusion) -> str:
    place = f"reading at pulse {item.pulse}" if item.pulse is not None else f"reading in line {item.line}"
    return f"{place} (value {item.value})" if item.value else place


def _reason_row(reason: str, n_devices: int, readings: str, which: list[str]) -> tuple[Cell, ...]:
    more = f" and {len(which) - _NAMES_SHOWN} more" if len(which) > _NAMES_SHOWN else ""
    texts = (reason, str(n_devices), readings, ", ".join(which[:_NAMES_SHOWN]) + more)
    return tuple(Cell(text) for text in texts)
