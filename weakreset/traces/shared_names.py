"""Names that several tables of a file, or several files, share: one device, or several that are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from weakreset.errors import TraceError
from weakreset.traces.contract import Table
from weakreset.traces.find_files import file_stem
from weakreset.traces.same_device import one_device_each
from weakreset.traces.trace_set import TraceSet
from weakreset.traces.vocabulary import ADDRESS_WORDS, normalise

__all__ = ["apart_by_table", "tell_apart"]

_PLACES = (*ADDRESS_WORDS, "sample", "device", "cell", "dut")


def apart_by_table(parts: Sequence[TraceSet], tables: Sequence[Table], file: str) -> list[TraceSet]:
    """The traces of each table, no device and cycle in two of them.

    Copies and continuations are merged by the rules for files (`same_device`). A device that is left in two tables is
    two where the tables are called after places (`die1`, `die2`), and takes that name in front.

    Raises
    ------
    TraceError
        Nothing says whether they are cycles of one device or two devices.
    """
    if not _shared(parts):
        return list(parts)
    merged = one_device_each(parts)
    shared = _shared(merged)
    if not shared:
        return merged
    labels = [table.hints.get("table", "") for table in tables]
    placed = [_within(part, label) for part, label in zip(merged, labels, strict=True)]
    if not all(map(_is_place, labels)) or _shared(placed):
        raise TraceError(
            f"{file}: device {min(shared)!r} is in two of its tables with other readings, and nothing says whether "
            "they are two devices or two cycles of one. Give the devices names of their own, or the tables a column "
            "`cycle`"
        )
    return placed


def _within(part: TraceSet, place: str) -> TraceSet:
    names = {trace.device for trace in part} | {item.device for item in part.exclusions} - {""}
    return part.renamed({name: f"{place}/{name}" for name in names})


def _shared(parts: Sequence[TraceSet]) -> set[str]:
    """Devices of which two tables hold the same cycle."""
    uses = Counter((trace.device, trace.cycle) for part in parts for trace in part)
    return {device for (device, _), count in uses.items() if count > 1}


def _is_place(label: str) -> bool:
    words = normalise(label.rsplit("/", 1)[-1]).rstrip("0123456789 ").strip()
    return words in _PLACES


def tell_apart(files: Sequence[Path], parts: Sequence[TraceSet]) -> list[TraceSet]:
    """Rename devices that several files share: `file/device`, then `folder/file/device`, then the whole path."""
    original = [{trace.device for trace in part} | {item.device for item in part.exclusions} for part in parts]
    names = [{device: device for device in devices} for devices in original]
    for prefix in (_by_file, _by_folder, _by_path):
        uses = Counter(name for mapping in names for name in set(mapping.values()))
        for path, mapping in zip(files, names, strict=True):
            for device, name in mapping.items():
                if uses[name] > 1 and device:
                    mapping[device] = prefix(path, device)
    return [part.renamed(mapping) for part, mapping in zip(parts, names, strict=True)]


def _by_file(path: Path, device: str) -> str:
    stem = file_stem(path)
    return f"{stem}/{device}" if device != stem else f"{path.resolve().parent.name}/{device}"


def _by_folder(path: Path, device: str) -> str:
    return f"{path.resolve().parent.name}/{path.name}/{device}"


def _by_path(path: Path, device: str) -> str:
    return f"{path.resolve()}/{device}"
