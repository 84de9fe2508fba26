"""Load pulse traces from files of any format we read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from weakreset.errors import TraceError, TraceFormatError, UsageError
from weakreset.options import named_options
from weakreset.resources import display_path, sha256_meanwhile
from weakreset.traces.assemble import read_table
from weakreset.traces.columns import ColumnMap, parse_map
from weakreset.traces.find_files import Sources, file_stem, find_files
from weakreset.traces.layout import Layout, find_layout
from weakreset.traces.readers.registry import choose_reader
from weakreset.traces.screening import ScreeningLimits, screen
from weakreset.traces.selection import select_where
from weakreset.traces.table import FileContent
from weakreset.traces.trace_set import SourceFile, TraceSet

__all__ = ["FileRead", "choose_traces", "load_traces", "open_file", "read_file", "understand"]

_DEFAULT_LIMITS = ScreeningLimits()


@dataclass(frozen=True)
class FileRead:
    """What one file gave: its traces before screening, and how its (first) table was understood."""

    traces: TraceSet
    layout: Layout
    n_tables: int


@named_options
def load_traces(
    sources: Sources,
    *,
    column_map: str | Mapping[str, str] | ColumnMap | None = None,
    format: str | None = None,
    read_voltage_v: float | None = None,
    limits: ScreeningLimits | None = _DEFAULT_LIMITS,
    where: str | None = None,
) -> TraceSet:
    """Pulse traces of one or many files, screened, with every reading and device left out named in `excluded`.

    Parameters
    ----------
    sources : path, glob pattern, folder, or a list of those
    column_map : str or mapping, optional
        Roles of columns where the header does not say them: `"device=0,pulse=1,resistance=2"`; see `parse_map`.
    format : str, optional
        Name of the reader (`delimited`, `hdf5`, ...) instead of the one recognised.
    read_voltage_v : float, optional
        Read voltage in volt where the readings are currents; wins over a column.
    limits : ScreeningLimits or None
        None screens nothing.
    where : str, optional
        Reads to use, such as `"v_sl==0.9 and cycle<3"`; see `weakreset.traces.parse_where`. Applied before screening.

    Returns
    -------
    TraceSet
        A device that its file does not name is named after the file. Where several files use one name, it becomes
        `file/device`, and `folder/file/device` if that is still shared.

    Raises
    ------
    TraceFormatError
        A file is missing, empty, or cannot be read as pulse traces.
    TraceError
        No device is left.
    UsageError
        The map or the format makes no sense.
    """
    if read_voltage_v is not None and not 0 < abs(read_voltage_v) < float("inf"):
        raise UsageError(f"read_voltage_v {read_voltage_v} must be a voltage other than zero")
    roles = parse_map(column_map)
    files = find_files(sources)
    parts = [read_file(path, roles, format, read_voltage_v).traces for path in files]
    joined = TraceSet.join(_tell_apart(files, parts))
    return choose_traces(joined, where, limits, files)


def choose_traces(joined: TraceSet, where: str | None, limits: ScreeningLimits | None, files: list[Path]) -> TraceSet:
    """The reads that `where` selects, screened.

    Raises
    ------
    TraceError
        No device is left.
    """
    chosen = select_where(joined, where) if where else joined
    screened = chosen if limits is None else screen(chosen, limits)
    if not screened.traces:
        reasons = Counter(item.reason for item in screened.exclusions)
        listed = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common(5))
        shown = ", ".join(map(display_path, files[:3]))
        raise TraceError(f"{shown}: no device is left. Excluded: {listed or 'nothing'}")
    return screened


def open_file(path: Path, format: str | None = None) -> tuple[FileContent, str, str]:
    """Content of a file not yet understood, the name of its format, and why it was taken for it."""
    file = display_path(path)
    try:
        reader, why = choose_reader(path, file, format)
        content = reader.read(path)
    except OSError as error:
        raise TraceFormatError(f"{file}: cannot be read ({error.strerror or error})") from error
    return content, reader.name, "; ".join(part for part in (why, content.how) if part)


def read_file(
    path: Path, column_map: ColumnMap, format: str | None = None, read_voltage_v: float | None = None
) -> FileRead:
    """Traces of one file before screening.

    Raises
    ------
    TraceFormatError
        The file cannot be read as pulse traces.
    """
    content, format_name, why = open_file(path, format)
    return understand(content, path, column_map, format_name, why, read_voltage_v)


def understand(
    content: FileContent, path: Path, column_map: ColumnMap, format_name: str, why: str, read_voltage_v: float | None
) -> FileRead:
    """Traces of the tables of a file, or of a part of it."""
    file = display_path(path)
    digest = None if content.sha256 else content.digest or sha256_meanwhile(path)
    layouts = [find_layout(table, column_map, file) for table in content.tables]
    parts = [
        read_table(table, layout, file, file_stem(path), read_voltage_v)
        for table, layout in zip(content.tables, layouts, strict=True)
    ]
    sha256 = content.sha256 if digest is None else digest.result()
    source = SourceFile(file, sha256, format_name, why, content.simulated)
    return FileRead(replace(TraceSet.join(parts), sources=(source,)), layouts[0], len(parts))


def _tell_apart(files: list[Path], parts: list[TraceSet]) -> list[TraceSet]:
    """Rename devices that several files share: `file/device`, then `folder/file/device`, then the whole path."""
    if len(files) == 1:
        return parts
    original = [{trace.device for trace in part} | {item.device for item in part.exclusions} for part in parts]
    names = [{device: device for device in devices} for devices in original]
    for prefix in (_by_file, _by_folder, _by_path):
        uses = Counter(name for mapping in names for name in set(mapping.values()))
        for path, mapping in zip(files, names, strict=True):
            for device, name in mapping.items():
                if uses[name] > 1 and device:
                    mapping[device] = prefix(path, device)
    return [_renamed(part, mapping) for part, mapping in zip(parts, names, strict=True)]


def _by_file(path: Path, device: str) -> str:
    stem = file_stem(path)
    return f"{stem}/{device}" if device != stem else f"{path.resolve().parent.name}/{device}"


def _by_folder(path: Path, device: str) -> str:
    return f"{path.resolve().parent.name}/{path.name}/{device}"


def _by_path(path: Path, device: str) -> str:
    return f"{path.resolve()}/{device}"


def _renamed(part: TraceSet, names: dict[str, str]) -> TraceSet:
    if all(old == new for old, new in names.items()):
        return part
    traces = tuple(replace(trace, device=names[trace.device]) for trace in part.traces)
    excluded = tuple(replace(item, device=names[item.device]) for item in part.exclusions)
    return replace(part, traces=traces, exclusions=excluded)
