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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from weakreset.errors import TraceError, TraceFormatError, UsageError, WeakResetError
from weakreset.options import named_options
from weakreset.resources import display_path, sha256_meanwhile
from weakreset.traces.advice import advise, advise_sides
from weakreset.traces.assemble import find_traces
from weakreset.traces.cell_units import lift_cell_units
from weakreset.traces.column_map import ColumnMap, parse_map
from weakreset.traces.contract import FileContent, Reader, SkippingReader, Table
from weakreset.traces.direction import judge_direction
from weakreset.traces.doubts import UnclearLayout, UnitDoubtError
from weakreset.traces.find_files import Sources, file_stem, find_files
from weakreset.traces.layout import Layout, find_layout
from weakreset.traces.readers.stated_units import lift_units_row
from weakreset.traces.readings import Readings, find_readings
from weakreset.traces.recognise import choose_reader
from weakreset.traces.same_device import one_device_each
from weakreset.traces.screening import ScreeningLimits, screen
from weakreset.traces.shared_names import apart_by_table, tell_apart
from weakreset.traces.square import UnclearSides, turn
from weakreset.traces.trace_set import SourceFile, TraceSet
from weakreset.traces.unit_doubt import assumed_unit, check_assumed, with_ways
from weakreset.traces.unread_files import UNREADABLE, count_reasons, name_unread, without_files

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

_SAY_WHICH = "Say which column is which with --map device=COLUMN,pulse=COLUMN,resistance=COLUMN"
_DEFAULT_LIMITS = ScreeningLimits()


@dataclass(frozen=True)
class ReadingOptions:
    """How files are to be read and which reads are to be used; the fields are the keywords of `load_traces`.

    Raises
    ------
    UsageError
        The voltage or `where` makes no sense.
    """

    column_map: ColumnMap
    format: str | None = None
    read_voltage_v: float | None = None
    limits: ScreeningLimits | None = _DEFAULT_LIMITS
    where: str | None = None
    skip: int = 0

    def __post_init__(self) -> None:
        if self.skip < 0:
            raise UsageError(f"skip {self.skip} must be a number of lines, 0 or more")
        voltage = self.read_voltage_v
        if voltage is not None and not 0 < abs(voltage) < float("inf"):
            raise UsageError(f"read_voltage_v {voltage} must be a voltage other than zero")
        if self.where:
            from weakreset.traces.selection import parse_where

            parse_where(self.where)


@dataclass(frozen=True)
class OpenFile:
    """A file whose tables were read but not yet understood; why it was taken for its format.

    `stamp` is size and time of the file before it was read.
    """

    path: Path
    content: FileContent
    format: str
    why: str
    stamp: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """The file as the user would write it."""
        return display_path(self.path)


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
    keep_going: bool = False,
    skip: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
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
        shown = ", ".join(map(display_path, files[:3]))
        raise TraceError(f"{shown}: no device is left. Excluded: {count_reasons(chosen.exclusions)}")
    return chosen


def _read_all(
    files: Sequence[Path], options: ReadingOptions, keep_going: bool,
    progress: Callable[[int, int, str], None] | None = None,
) -> TraceSet:
    """The traces of all files before screening; those that cannot be read are named, all of them."""
    parts: list[TraceSet] = []
    good: list[Path] = []
    unread: list[tuple[Path, WeakResetError]] = []
    say = progress or (lambda done, total, what: None)
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
    joined = join_files(good, parts)
    return joined if not unread else TraceSet.join([joined, without_files(unread)])


def open_file(path: Path, format: str | None = None, skip: int = 0) -> OpenFile:
    """Steps 1 and 2: recognise a file and read its tables, without its first `skip` lines.

    Raises
    ------
    TraceFormatError
        No reader takes the file, or its reader refuses it.
    """
    file = display_path(path)
    try:
        _refuse_pipe(path, file)
        stamp = _stamp(path)
        reader, why = choose_reader(path, file, format)
        content = (_skipping(reader, skip, file) if skip else reader).read(path)
    except OSError as error:
        raise TraceFormatError(f"{file}: cannot be read ({error.strerror or error})") from error
    return OpenFile(path, content, reader.name, "; ".join(part for part in (why, content.how) if part), stamp)


def _skipping(reader: Reader, n_lines: int, file: str) -> Reader:
    if isinstance(reader, SkippingReader):
        return reader.skipping(n_lines)
    raise UsageError(f"{file}: lines can be skipped in text and Excel files, not in {reader.name}")


def understand(opened: OpenFile, options: ReadingOptions) -> FileRead:
    """Steps 3 to 5: the traces of the tables of a file, or of a part of it; the file is hashed meanwhile.

    Raises
    ------
    TraceFormatError
        The tables cannot be understood as pulse traces.
    """
    file, content = opened.name, opened.content
    digest = None if content.sha256 else sha256_meanwhile(opened.path)
    tables, maps = _turned(content, opened, options)
    layouts, found = _find_readings(tables, maps, opened, options)
    parts = [find_traces(*part, file) for part in zip(found, tables, layouts, strict=True)]
    parts = apart_by_table(parts, tables, file)
    sha256 = content.sha256 if digest is None else digest.result()
    _refuse_changed(opened)
    source = SourceFile(file, sha256, opened.format, opened.why, content.simulated)
    notes = tuple(dict.fromkeys(filter(None, map(assumed_unit, layouts))))
    return FileRead(replace(TraceSet.join(parts), sources=(source,), notes=notes), layouts[0], len(parts))


def _turned(content: FileContent, opened: OpenFile, options: ReadingOptions) -> tuple[list[Table], list[ColumnMap]]:
    """The tables with their rows of units lifted, matrices turned; and the map that is left for each."""
    tables, maps = [], []
    for plain in content.tables:
        table = lift_units_row(plain)
        try:
            turned, rest = turn(table, options.column_map, opened.name)
        except UnclearSides as error:
            raise TraceFormatError(f"{error}{advise_sides(_reader_of(table, opened, options))}") from error
        tables.append(lift_cell_units(turned))
        maps.append(rest)
    return tables, maps


def _reader_of(table: Table, opened: OpenFile, options: ReadingOptions) -> Callable[[str], TraceSet]:
    """What reads a table with another map, to try it."""

    def read(text: str) -> TraceSet:
        turned, rest = turn(table, parse_map(text), opened.name)
        layout = find_layout(turned, rest, opened.name)
        readings = find_readings(turned, layout, opened.name, file_stem(opened.path), options.read_voltage_v)
        return choose_traces(find_traces(readings, turned, layout, opened.name), options)

    return read


def _find_readings(
    tables: Sequence[Table], maps: Sequence[ColumnMap], opened: OpenFile, options: ReadingOptions
) -> tuple[list[Layout], list[Readings]]:
    """Layout and readings of each table; where one is unclear, or a unit in doubt, the refusal shows maps that work."""
    file, voltage_v = opened.name, options.read_voltage_v
    layouts: list[Layout] = []
    found: list[Readings] = []
    try:
        for table, column_map in zip(tables, maps, strict=True):
            try:
                layouts.append(find_layout(table, column_map, file))
                found.append(find_readings(table, layouts[-1], file, file_stem(opened.path), voltage_v))
            except UnclearLayout as error:
                tried = advise(table, file, _reader_of(table, opened, options)) or f". {_SAY_WHICH}"
                raise TraceFormatError(f"{error}{tried}") from error
    except UnitDoubtError as doubt:
        raise with_ways(doubt, tables, options.column_map, voltage_v, file) from None
    check_assumed(tables, layouts, found, options.column_map, voltage_v, file)
    return layouts, found


def join_files(files: Sequence[Path], parts: Sequence[TraceSet]) -> TraceSet:
    """Step 6: the traces of all files as one set, each device once, under a name that no other has."""
    return parts[0] if len(parts) == 1 else TraceSet.join(tell_apart(files, one_device_each(parts)))


def _refuse_changed(opened: OpenFile) -> None:
    """Raise where the file is no longer as it was when reading began: its digest would be of other bytes."""
    if opened.stamp is not None and opened.stamp != _stamp(opened.path):
        raise TraceFormatError(
            f"{opened.name}: the file changed while it was read (a measurement is still writing it?); read a copy"
        )


def _refuse_pipe(path: Path, file: str) -> None:
    """Raise where there is no file to be read twice and to be hashed: a pipe would be waited for without end."""
    if path.exists() and not path.is_file():
        raise TraceFormatError(
            f"{file}: a pipe or a device, not a file; save what it gives (`command > lot.csv`) and read that"
        )


def _stamp(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def choose_traces(traces: TraceSet, options: ReadingOptions, part: bool = False) -> TraceSet:
    """Step 7: the reads that `where` selects, screened. In a `part` of a whole there may be nothing to select."""
    if options.where:
        from weakreset.traces.selection import select_where

        traces = select_where(traces, options.where, part=part)
    return traces if options.limits is None else screen(judge_direction(traces), options.limits)
