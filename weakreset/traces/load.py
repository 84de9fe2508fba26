"""The whole flow: from paths to screened traces.

    find_files    what the user means                  paths
    recognise     choose_reader(path)                  Reader
    table         reader.read(path)                    FileContent: tables of named columns, not understood
    layout        find_layout(table, column_map)       Layout: the role and unit of each column, how traces lie
    readings      find_readings(table, layout)         Readings: in ohm, each good or with a reason
    traces        find_traces(readings)                TraceSet
    lot           one_device_each, names               TraceSet: of all files, no device twice
    choice        select_where, screen                 TraceSet

Each step is a function from one frozen value to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from weakreset.errors import TraceError, WeakResetError
from weakreset.options import named_options
from weakreset.progress import Progress, to_no_one
from weakreset.traces.column_map import ColumnMap, parse_map
from weakreset.traces.find_files import Sources, find_files
from weakreset.traces.open_file import DEFAULT_LIMITS, OpenFile, ReadingOptions, open_file
from weakreset.traces.pulse_files import reads_of_files
from weakreset.traces.same_device import one_device_each
from weakreset.traces.screening_limits import ScreeningLimits
from weakreset.traces.shared_names import tell_apart
from weakreset.traces.trace_set import TraceSet
from weakreset.traces.understand import FileRead, choose_traces, understand
from weakreset.traces.unread_files import UNREADABLE, name_unread, nothing_left, without_files

__all__ = [
    "FileRead",
    "OpenFile",
    "ReadingOptions",
    "choose_traces",
    "join_files",
    "load_traces",
    "open_file",
    "understand",
]


@named_options
def load_traces(
    sources: Sources,
    *,
    column_map: str | Mapping[str, str] | ColumnMap | None = None,
    format: str | None = None,
    read_voltage_v: float | None = None,
    limits: ScreeningLimits | None = DEFAULT_LIMITS,
    where: str | None = None,
    keep_going: bool = False,
    skip: int = 0,
    progress: Progress | None = None,
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
    keep_going : bool
        Go on without files that cannot be read, each named among the exclusions; without it, all of them are named by
        the error.
    skip : int
        Lines of a text file, or rows of every sheet of an Excel file, to pass over before the header is looked for.
    progress : callable, optional
        Called as progress(done, total, what) with the number of files that were read.

    Returns
    -------
    TraceSet
        A device is one device in however many files (a copy, a later export, a continuation; see docs/readers.md).
        A device that its file does not name is named after the file. Where several files use one name, it becomes
        `file/device`, and `folder/file/device` if that is still shared.

    Raises
    ------
    TraceFormatError
        A file is missing, empty, or cannot be read as pulse traces.
    TraceError
        No device is left; or two files hold nearly the same readings of a device, but not quite.
    UsageError
        The map or the format makes no sense.
    """
    options = ReadingOptions(parse_map(column_map), format, read_voltage_v, limits, where, skip)
    files = find_files(sources)
    chosen = choose_traces(_read_all(files, options, keep_going, progress), options)
    if not chosen.traces:
        raise TraceError(nothing_left(files, chosen.exclusions))
    return chosen


def _read_all(
    files: Sequence[Path], options: ReadingOptions, keep_going: bool,
    progress: Progress | None = None,
) -> TraceSet:
    """The traces of all files before screening; those that cannot be read are named, all of them."""
    parts: list[TraceSet] = []
    good: list[Path] = []
    unread: list[tuple[Path, WeakResetError]] = []
    say = to_no_one if progress is None else progress
    for done, path in enumerate(files):
        say(done, len(files), "files read")
        try:
            parts.append(understand(open_file(path, options.format, options.skip), options).traces)
            good.append(path)
        except UNREADABLE as error:
            unread.append((path, error))
    say(len(files), len(files), "files read")
    if unread and (len(files) == 1 or not (good and keep_going)):
        raise unread[0][1] if len(files) == 1 else name_unread(unread, len(files))
    joined = join_files(good, parts, options)
    return joined if not unread else TraceSet.join([joined, without_files(unread)])


def join_files(files: Sequence[Path], parts: Sequence[TraceSet], options: ReadingOptions) -> TraceSet:
    """Step 6: the traces of all files as one set, each device once, under a name that no other has."""
    if len(parts) > 1 and any(entry.by_file for entry in options.column_map.of("pulse")):
        return reads_of_files(files, parts)
    return parts[0] if len(parts) == 1 else TraceSet.join(tell_apart(files, one_device_each(parts)))
