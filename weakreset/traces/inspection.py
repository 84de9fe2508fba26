"""What a file is taken for, before anything is fitted: for `weakreset inspect`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from weakreset.errors import WeakResetError
from weakreset.options import named_options
from weakreset.progress import Progress
from weakreset.resources import display_path
from weakreset.traces.column_map import ColumnMap, parse_map
from weakreset.traces.contract import Table
from weakreset.traces.find_files import Sources, find_files
from weakreset.traces.fit_needs import leave_out_short
from weakreset.traces.layout import Layout
from weakreset.traces.load import FileRead, OpenFile, ReadingOptions, choose_traces, join_files, open_file, understand
from weakreset.traces.lot_sentence import lot_sentence
from weakreset.traces.pulse_settings import count_settings, refuse_mixed
from weakreset.traces.roles import ColumnRole, find_roles
from weakreset.traces.screening_limits import ScreeningLimits
from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import ReadNoise, TraceSet
from weakreset.traces.unread_files import count_left_out, nothing_left

__all__ = ["FileInspection", "LotInspection", "inspect_lot", "inspect_traces", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"
_DEFAULT_LIMITS = ScreeningLimits()
_MOST_COLUMNS = 40  # shown; a screen of a table that is wide


@dataclass(frozen=True)
class FileInspection:
    """One file: what it is taken for, what is in it, what would be left out, and how to say otherwise.

    `problem` is '' for a file that can be read; otherwise the reason why it cannot, and the counts are 0.
    `pulse_settings` counts the reads at each amplitude or width of the pulses, by column and value; `fit` refuses to
    mix them. `read_as` is what the columns were taken for; of a file that cannot be read, what could be told of the
    first table. `limits` are those of the screening. `n_cycles` counts traces: all cycles of all devices. Ranges are
    those of the devices to use, where there are any.
    """

    path: str
    format: str = ""
    why: str = ""
    simulated: bool = False
    sha256: str = ""
    layout: str = ""
    columns: tuple[ColumnRole, ...] = ()
    n_columns: int = 0
    devices: tuple[str, ...] = ()
    n_cycles: int = 0
    pulse_range: tuple[int, int] | None = None
    n_reads: int = 0
    resistance_range_ohm: tuple[float, float] | None = None
    n_devices_excluded: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    typical_device: str = ""
    sparkline: str = ""
    map_line: str = ""
    counted_by: str = ""
    pulse_settings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    read_noise: ReadNoise | None = None
    limits: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""
    read_as: Layout | None = None

    @property
    def n_devices(self) -> int:
        """Devices that would be used."""
        return len(self.devices)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types; of the columns the first 40."""
        plain = asdict(replace(self, columns=(), read_as=None))
        del plain["read_as"]
        plain |= {"n_devices": self.n_devices, "excluded": dict(self.excluded)}
        plain["columns"] = [
            {
                "index": column.index,
                "name": column.name,
                "role": column.role,
                "unit": column.unit.symbol if column.unit else "",
                "confidence": round(column.confidence, 2),
                "reason": column.reason,
            }
            for column in self.columns[:_MOST_COLUMNS]
        ]
        for key in ("devices", "examples", "notes", "pulse_range", "resistance_range_ohm"):
            plain[key] = None if plain[key] is None else list(plain[key])
        return plain


@dataclass(frozen=True)
class LotInspection:
    """All files together: what a fit of them uses.

    `sentence` is to be checked against the bench; `devices` are those that a fit uses, `excluded` counts traces and
    reads that it does not, by reason; `notes` say what the files have in common. `problem` is '' unless a fit of them
    all would stop: files that cannot be read together, no device that is left, pulses of several kinds.
    """

    files: tuple[FileInspection, ...]
    sentence: str = ""
    devices: tuple[str, ...] = ()
    n_cycles: int = 0
    excluded: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def n_devices(self) -> int:
        """Devices that would be used."""
        return len(self.devices)

    def to_dict(self) -> dict[str, Any]:
        """Without the files, as plain JSON types."""
        plain = {key: getattr(self, key) for key in ("sentence", "n_devices", "n_cycles", "excluded", "problem")}
        return plain | {"devices": list(self.devices), "notes": list(self.notes)}


@named_options
def inspect_traces(
    sources: Sources,
    *,
    column_map: str | Mapping[str, str] | ColumnMap | None = None,
    format: str | None = None,
    read_voltage_v: float | None = None,
    limits: ScreeningLimits = _DEFAULT_LIMITS,
    where: str | None = None,
    skip: int = 0,
    progress: Progress | None = None,
) -> list[FileInspection]:
    """Inspect files one by one; a file that cannot be read is reported in its `problem`, not raised.

    Parameters are those of `load_traces`; `progress` is called as progress(done, total, what).

    Raises
    ------
    TraceFormatError
        A file is missing.
    UsageError
        The map makes no sense.
    """
    options = ReadingOptions(parse_map(column_map), format, read_voltage_v, limits, where, skip)
    return list(inspect_lot(find_files(sources), options, progress).files)


def inspect_lot(
    files: Sequence[Path], options: ReadingOptions, progress: Progress | None = None
) -> LotInspection:
    """Inspect files one by one, and together: as `fit` would use them."""
    found: list[FileInspection] = []
    good: list[tuple[Path, FileRead]] = []
    for path in files:
        inspection, read = _inspect(path, options)
        found.append(inspection)
        good += [] if read is None else [(path, read)]
        if progress is not None:
            progress(len(found), len(files), "files")
    if not good:
        return LotInspection(tuple(found))
    paths = [path for path, _ in good]
    try:
        joined = join_files(paths, [read.traces for _, read in good], options)
        used = leave_out_short(choose_traces(joined, options))
    except WeakResetError as error:
        return LotInspection(tuple(found), problem=str(error))
    words = lot_sentence(used, any(_assumed(read) for _, read in good))
    unread = len(found) - len(good)
    if unread:
        words = f"{unread} of {len(found)} files cannot be read: fit stops, or goes on with --keep-going: {words}"
    own = {note for _, read in good for note in read.traces.notes}
    notes = tuple(note for note in joined.notes if note not in own)
    devices = tuple(dict.fromkeys(trace.device for trace in used))
    return LotInspection(
        tuple(found), words, devices, len(used), count_left_out(used.exclusions), notes, _why_fit_stops(used, paths)
    )


def _why_fit_stops(used: TraceSet, files: Sequence[Path]) -> str:
    """What a fit would say of traces that can be read and yet not be fitted together; '' where it would begin."""
    if not used.traces:
        return nothing_left(files, used.exclusions)
    try:
        refuse_mixed(count_settings(used))
    except WeakResetError as error:
        return str(error)
    return ""


def _assumed(read: FileRead) -> bool:
    """Whether the readings of a file have no unit, so that ohm is assumed."""
    return any(note.startswith("unit assumed") for note in read.traces.notes)


def _inspect(path: Path, options: ReadingOptions) -> tuple[FileInspection, FileRead | None]:
    try:
        opened = open_file(path, options.format, options.skip)
    except WeakResetError as error:
        return FileInspection(display_path(path), problem=str(error)), None
    try:
        read = understand(opened, options)
        return _readable(read, leave_out_short(choose_traces(read.traces, options)), options), read
    except WeakResetError as error:
        return _not_understood(opened, error, options.column_map), None


def _not_understood(opened: OpenFile, error: WeakResetError, column_map: ColumnMap) -> FileInspection:
    content = opened.content
    n_columns = len(content.tables[0].names) if content.tables else 0
    return FileInspection(
        opened.name, opened.format, opened.why, content.simulated, n_columns=n_columns, problem=str(error),
        read_as=_guessed(content.tables[0], column_map) if content.tables else None,
    )


def _guessed(table: Table, column_map: ColumnMap) -> Layout:
    """The columns of a table that was not understood, as the map has them so far; to be said by hand."""
    cells = [next((row[i] for row in table.sample if i < len(row)), "") for i in range(len(table.names))]
    unknown = tuple(ColumnRole(i, name, "extra", 0.0, f"such as {cells[i]}") for i, name in enumerate(table.names))
    for said in (column_map, ColumnMap()):
        try:
            roles = find_roles(table, said, "")
        except WeakResetError:
            continue
        if table.has_header:
            return Layout("long", tuple(roles))
        return Layout("long", tuple(unknown[role.index] if role.role == "extra" else role for role in roles))
    return Layout("long", unknown)


def _readable(read: FileRead, kept: TraceSet, options: ReadingOptions) -> FileInspection:
    source = read.traces.sources[0]
    shown = list(kept) or [trace for trace in read.traces if len(trace)]
    typical = _typical(shown)
    excluded: Counter[str] = Counter()
    for item in kept.exclusions:
        excluded[item.reason.split(":")[0]] += 1 if item.pulse is None else item.n_readings
    return FileInspection(
        path=source.path,
        format=source.format,
        why=source.why,
        simulated=source.simulated,
        sha256=source.sha256,
        layout=read.layout.kind + (f", {read.n_tables} tables" if read.n_tables > 1 else ""),
        columns=read.layout.columns,
        n_columns=len(read.layout.columns),
        devices=tuple(dict.fromkeys(trace.device for trace in kept)),
        n_cycles=len(kept),
        pulse_range=_span(np.concatenate([t.pulses[[0, -1]] for t in shown])) if shown else None,
        n_reads=sum(len(trace) for trace in kept),
        resistance_range_ohm=_ohm_range(shown),
        n_devices_excluded=len({t.device for t in read.traces} - {t.device for t in kept}),
        excluded=dict(excluded.most_common()),
        examples=tuple(_words(item) for item in kept.exclusions[:5]),
        typical_device=typical.key if typical else "",
        sparkline=sparkline(np.log(typical.resistance_ohm)) if typical else "",
        map_line=read.layout.map_line,
        counted_by=read.layout.counted_by,
        pulse_settings={
            column: {value: reads for value, (reads, _) in values.items()}
            for column, values in count_settings(kept).items()
        },
        read_noise=read.traces.read_noise,
        read_as=read.layout,
        limits=str(options.limits),
        notes=tuple(note for note in kept.notes if not note.startswith("screening limits")),
    )


def _typical(traces: list[PulseTrace]) -> PulseTrace | None:
    """The trace whose climb ln(R_last / R_first) is the median one."""
    if not traces:
        return None
    climbs = [float(np.log(trace.resistance_ohm[-1] / trace.resistance_ohm[0])) for trace in traces]
    return traces[int(np.argsort(climbs, kind="stable")[len(traces) // 2])]


def _span(values: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[int, int]:
    return int(values.min()), int(values.max())


def _ohm_range(traces: list[PulseTrace]) -> tuple[float, float] | None:
    if not traces:
        return None
    return min(float(t.resistance_ohm.min()) for t in traces), max(float(t.resistance_ohm.max()) for t in traces)


def _words(item: Exclusion) -> str:
    place = [f"device {item.device!r}" if item.device else "", f"cycle {item.cycle}" if item.cycle else ""]
    place += [f"pulse {item.pulse}" if item.pulse is not None else "", f"line {item.line}" if item.line else ""]
    value = f" ({item.value})" if item.value else ""
    return f"{', '.join(part for part in place if part)}: {item.reason}{value}"


def sparkline(values: ArrayLike, width: int = 48) -> str:
    """A trace as a line of bars: medians of up to `width` stretches between the smallest and the largest."""
    numbers = np.asarray(values, dtype=np.float64)
    if not numbers.size:
        return ""
    medians = np.array([np.median(part) for part in np.array_split(numbers, min(width, numbers.size))])
    span = float(np.ptp(medians))
    levels = np.zeros(len(medians)) if span == 0 else (medians - medians.min()) / span * (len(_BARS) - 1)
    return "".join(_BARS[round(level)] for level in levels)
