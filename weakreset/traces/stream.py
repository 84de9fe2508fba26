"""Pulse traces of files larger than the memory, some devices at a time: the flow of `load`, part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from weakreset.errors import TraceError, TraceFormatError, WeakResetError
from weakreset.options import named_options
from weakreset.resources import display_path, sha256_of
from weakreset.traces.column_map import ColumnMap, parse_map
from weakreset.traces.contract import StreamingReader
from weakreset.traces.find_files import Sources, file_stem, find_files
from weakreset.traces.known_devices import KnownDevices
from weakreset.traces.load import OpenFile, ReadingOptions, choose_traces, open_file, understand
from weakreset.traces.recognise import choose_reader
from weakreset.traces.screening_limits import ScreeningLimits
from weakreset.traces.trace import PulseTrace
from weakreset.traces.trace_set import TraceSet
from weakreset.traces.unread_files import UNREADABLE, count_reasons, name_unread, without_files

__all__ = ["TraceStream", "can_stream", "stream_traces"]

_DEFAULT_LIMITS = ScreeningLimits()
_DEVICES = 1000  # of a part: some 10 MB of traces of 1,000 reads


def can_stream(path: Path, format: str | None = None) -> bool:
    """Whether a file has a format that is read in parts."""
    return isinstance(choose_reader(path, display_path(path), format)[0], StreamingReader)


@named_options
def stream_traces(
    sources: Sources,
    *,
    column_map: str | Mapping[str, str] | ColumnMap | None = None,
    format: str | None = None,
    read_voltage_v: float | None = None,
    limits: ScreeningLimits | None = _DEFAULT_LIMITS,
    where: str | None = None,
    keep_going: bool = False,
    skip: int = 0,
) -> TraceStream:
    """What `load_traces` gives, up to 1,000 devices at a time, for `fit_stream`.

    The files are read each time it is iterated: `fit_stream` does so twice.

    HDF5 files are read in parts of about 64 MiB, whatever their size; files of other formats are read one by one.
    Of several files, devices are named `file/device` throughout, because no file is known before it is read. Files that
    hold a device of another file again are not merged here: an equal file is read once, all else is refused.

    Parameters are those of `load_traces`.

    Returns
    -------
    iterable of TraceSet
        Never without traces; exclusions of parts without any come with the next.

    Raises
    ------
    TraceFormatError
        A file is missing, or cannot be read as pulse traces.
    TraceError
        A device appears twice (in two files: with the same readings, or going on), or none is left.
    """
    options = ReadingOptions(parse_map(column_map), format, read_voltage_v, limits, where, skip)
    return TraceStream(find_files(sources), options, keep_going)


@dataclass(frozen=True)
class TraceStream:
    """The traces of some files, part by part, as often as it is iterated."""

    files: list[Path]
    options: ReadingOptions
    keep_going: bool = False

    def __iter__(self) -> Iterator[TraceSet]:
        return _chosen(_read_files(self.files, self.options, self.keep_going), self.options)


def _read_files(files: list[Path], options: ReadingOptions, keep_going: bool) -> Iterator[TraceSet]:
    """The parts of all files; those that cannot be read are named, all of them."""
    names, known, digests = _file_names(files), KnownDevices(), dict[str, str]()
    unread: list[tuple[Path, WeakResetError]] = []
    for path in files:
        if len(files) > 1 and (note := _read_before(path, digests)):
            yield TraceSet((), notes=(note,))
            continue
        parts = _read_parts(path, options)
        while True:
            try:
                whole = next(parts, None)
            except UNREADABLE as error:
                unread.append((path, error))
                break
            if whole is None:
                break
            if unread and not keep_going:
                continue
            if len(files) > 1:
                known.add(whole)
            yield from (_named(part, names.get(path, "")) for part in _at_most(whole, _DEVICES))
    if unread and (len(files) == 1 or not keep_going):
        raise unread[0][1] if len(files) == 1 else name_unread(unread, len(files))
    if unread:
        yield without_files(unread)


def _read_before(path: Path, digests: dict[str, str]) -> str:
    """Words on a file that equals an earlier one, byte for byte."""
    try:
        digest = sha256_of(path)
    except OSError:
        return ""  # said where it is read
    first = digests.setdefault(digest, display_path(path))
    return "" if first == display_path(path) else f"{display_path(path)} is the same file as {first}: read once"


def _chosen(parts: Iterator[TraceSet], options: ReadingOptions) -> Iterator[TraceSet]:
    seen: set[str] = set()
    pending: TraceSet | None = None
    found = False
    for part in parts:
        chosen = choose_traces(part, options, part=True)
        for trace in chosen:
            if trace.key in seen:
                raise TraceError(f"{trace.words} appears twice; rename one, or give the cycle as a column")
            seen.add(trace.key)
        pending = chosen if pending is None else TraceSet.join([pending, chosen])
        if pending.traces:
            found = True
            yield pending
            pending = None
    if not found:
        raise TraceError(f"no device is left. Excluded: {count_reasons(() if pending is None else pending.exclusions)}")
    if pending is not None:
        yield pending


def _read_parts(path: Path, options: ReadingOptions) -> Iterator[TraceSet]:
    file = display_path(path)
    n_parts = 0
    try:
        reader, why = choose_reader(path, file, options.format)
        if not isinstance(reader, StreamingReader):
            yield understand(open_file(path, options.format, options.skip), options).traces
            return
        digest = sha256_of(path)
        for content in reader.stream(path):
            n_parts += 1
            why_whole = "; ".join(part for part in (why, content.how) if part)
            part = OpenFile(path, replace(content, sha256=digest), reader.name, why_whole)
            yield understand(part, options).traces
    except OSError as error:
        raise TraceFormatError(f"{file}: cannot be read ({error.strerror or error})") from error
    if not n_parts:
        raise TraceFormatError(f"{file}: no group holds readings (`weakreset template hdf5` writes an example)")


def _at_most(whole: TraceSet, n_devices: int) -> Iterator[TraceSet]:
    """A set in parts of so many devices, each with all its cycles; exclusions come with the first."""
    devices: dict[str, list[PulseTrace]] = {}
    for trace in whole:
        devices.setdefault(trace.device, []).append(trace)
    if len(devices) <= n_devices:
        yield whole
        return
    members = list(devices.values())
    for start in range(0, len(members), n_devices):
        traces = tuple(trace for device in members[start : start + n_devices] for trace in device)
        yield replace(whole, traces=traces, exclusions=whole.exclusions if start == 0 else ())


def _file_names(files: list[Path]) -> dict[Path, str]:
    """What comes before the names of each file's devices, where there are several files."""
    if len(files) < 2:
        return {}
    uses = Counter(file_stem(path) for path in files)
    return {
        path: file_stem(path) if uses[file_stem(path)] == 1 else f"{path.resolve().parent.name}/{path.name}"
        for path in files
    }


def _named(part: TraceSet, prefix: str) -> TraceSet:
    if not prefix:
        return part
    devices = {trace.device for trace in part} | {item.device for item in part.exclusions}
    return part.renamed({name: name if name in ("", prefix) else f"{prefix}/{name}" for name in devices})
