"""Step 6: one device is one device, in however many files: copies, longer exports and continuations, by their readings.

The rules (docs/readers.md tells them to the user). Two devices of two files are one

- where the files are equal, byte for byte (sha256): the second is not read at all;
- where all readings that both have (the same cycle and pulse) are equal, to the digits that the coarser of the two
  has. Names need not agree where there are 20 such readings of 10 different values;
- where they share their name (or each is all that its file holds, named after the file), one begins where the other
  ends, and its resistance follows on: within a factor of 2, as a median over the devices that the files share.

Where nine of ten readings or more are equal and the others are not, nobody can say which are right: refused. All else
are other devices, whatever their names. The work is linear in the readings.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceError
from weakreset.traces.find_files import file_stem
from weakreset.traces.merge_devices import CYCLE, FileDevice, merge_devices
from weakreset.traces.trace import PulseTrace
from weakreset.traces.trace_set import TraceSet

__all__ = ["one_device_each"]

_MOST_OF_A_NAME = 30  # devices of one name compared in pairs: 435 of them
_MOST_STARTS = 64  # first readings that several devices share, looked up in all others
_HEAD = 8
_STEP = 1e-3  # of ln R: devices with nearer means are compared reading by reading
_EXACT = 5e-6  # relative: six digits
_COARSE = 0.01  # relative: two digits, the coarsest export that is compared
_LEAST_READS, _LEAST_VALUES = 20, 10
_MOSTLY = 0.9  # of the common readings: the file was changed, not another device
_FOLLOWS = math.log(2.0)
_FOLLOWS_UNNAMED = 0.1  # in ln R: without a name only a close fit may join two files

Array = NDArray[np.float64]


def one_device_each(parts: Sequence[TraceSet]) -> list[TraceSet]:
    """Sets of several files in which no device is found twice; what was read twice is said and named.

    Raises
    ------
    TraceError
        Two files hold nearly the same readings of a device, but not quite.
    """
    rest = _without_equal_files(parts)
    devices = [device for i, part in enumerate(rest) for device in _devices(i, part)]
    if len({device.part for device in devices}) < 2:
        return rest
    groups = _groups(devices)
    return merge_devices(rest, groups) if groups else rest


def _without_equal_files(parts: Sequence[TraceSet]) -> list[TraceSet]:
    first: dict[str, str] = {}
    rest = []
    for part in parts:
        source = part.sources[0] if len(part.sources) == 1 else None
        if source is None or not source.sha256.strip("0") or source.sha256 not in first:
            if source is not None:
                first[source.sha256] = source.path
            rest.append(part)
            continue
        note = f"{source.path} is the same file as {first[source.sha256]} (equal sha256): read once"
        rest.append(TraceSet((), (), part.sources, (note,)))
    return rest


def _devices(number: int, part: TraceSet) -> list[FileDevice]:
    by_name: dict[str, list[PulseTrace]] = defaultdict(list)
    for trace in part:
        if len(trace) and trace.n_pulses < CYCLE and 0 <= trace.cycle < CYCLE >> 20:
            by_name[trace.device].append(trace)
    return [
        FileDevice(number, name, tuple(sorted(traces, key=lambda trace: trace.cycle)), len(by_name) == 1)
        for name, traces in by_name.items()
    ]


# -- which are one --------------------------------------------------------------------------------------------------


def _groups(devices: Sequence[FileDevice]) -> list[list[FileDevice]]:
    """Devices that are one, two or more in a group, in the order of the files."""
    group = {id(device): [device] for device in devices}

    def join(a: FileDevice, b: FileDevice) -> None:
        mine, other = group[id(a)], group[id(b)]
        if mine is other or {device.part for device in mine} & {device.part for device in other}:
            return  # two devices of one file are two
        mine += other
        for device in other:
            group[id(device)] = mine

    checked: set[tuple[int, int]] = set()
    shared = list(_same_name(devices))
    for a, b in [*shared, *_same_head(devices)]:
        if (id(a), id(b)) not in checked:
            checked.add((id(a), id(b)))
            if _equal(a, b):
                join(a, b)
    for a, b in _continuations(devices, group):
        join(a, b)
    found = {id(members): members for members in group.values() if len(members) > 1}
    return [sorted(members, key=lambda device: device.part) for members in found.values()]


def _same_name(devices: Sequence[FileDevice]) -> Iterator[tuple[FileDevice, FileDevice]]:
    for members in _by_name(devices).values():
        if len(members) <= _MOST_OF_A_NAME:
            yield from ((a, b) for i, a in enumerate(members) for b in members[i + 1 :])


def _by_name(devices: Iterable[FileDevice]) -> Mapping[str, list[FileDevice]]:
    found: dict[str, list[FileDevice]] = defaultdict(list)
    for device in devices:
        found[device.name].append(device)
    return found


def _same_head(devices: Sequence[FileDevice]) -> Iterator[tuple[FileDevice, FileDevice]]:
    """Pairs of two files that agree, roughly, in the first reads of one of them; by a table of rounded means."""
    starts = Counter(int(device.keys[0]) for device in devices)
    firsts = np.array(sorted(start for start, _ in starts.most_common(_MOST_STARTS)), dtype=np.int64)
    table: dict[tuple[int, int, int], list[FileDevice]] = defaultdict(list)
    for device in devices:
        at = np.searchsorted(device.keys, firsts)
        for start, place in zip(firsts.tolist(), at.tolist(), strict=True):
            if place + _HEAD <= len(device.keys) and device.keys[place] == start:
                table[(start, *_rounded(device.ohm[place : place + _HEAD]))].append(device)
    for b in devices:
        if len(b.keys) < _HEAD or len(np.unique(b.ohm[:_HEAD])) < _HEAD // 2:
            continue
        one, two = _rounded(b.ohm[:_HEAD])
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                for a in table.get((int(b.keys[0]), one + i, two + j), ()):
                    if a.part != b.part:
                        yield (a, b) if a.part < b.part else (b, a)


def _rounded(ohm: Array) -> tuple[int, int]:
    halves = np.log(ohm).reshape(2, -1).mean(axis=1) / _STEP
    return int(np.floor(halves[0])), int(np.floor(halves[1]))


def _equal(a: FileDevice, b: FileDevice) -> bool:
    """Whether all that both hold is equal."""
    common, in_a, in_b = np.intersect1d(a.keys, b.keys, assume_unique=True, return_indices=True)
    if not len(common):
        return False
    one, other = a.ohm[in_a], b.ohm[in_b]
    agree = np.abs(one - other) <= _tolerance(a, b, one)
    named = a.name == b.name
    n_values = len(np.unique(one))
    telling = n_values >= 3 if named else len(common) >= _LEAST_READS and n_values >= _LEAST_VALUES
    if agree.all():
        edge = len(common) < 3 and common[-1] == min(a.keys[-1], b.keys[-1]) and a.keys[0] != b.keys[0]
        return bool(telling or (named and edge))
    if telling and len(common) >= _LEAST_VALUES and agree.mean() >= _MOSTLY:
        odd = int(np.flatnonzero(~agree)[0])
        raise TraceError(
            f"{a.file} and {b.file}: of device {a.name!r}{'' if named else f' and device {b.name!r}'}, "
            f"{int(agree.sum())} of {len(common)} readings are the same and the others are not (pulse "
            f"{int(common[odd]) % CYCLE}: {one[odd]:.6g} and {other[odd]:.6g} ohm). One was changed by hand or "
            "measured again: give only the file that is right"
        )
    return False


def _tolerance(a: FileDevice, b: FileDevice, ohm: Array) -> Array:
    """Half a digit of the coarser file, where the readings scatter by far more than that; else nearly nothing."""
    half = np.maximum(a.half_digit(ohm), b.half_digit(ohm))
    scatter = float(np.std(np.diff(np.log(ohm)))) if len(ohm) > 2 else 0.0
    coarse = np.clip(half, _EXACT, _COARSE)
    return np.asarray(ohm * (coarse if scatter > 2 * float(np.median(coarse)) else _EXACT))


def _continuations(
    devices: Sequence[FileDevice], group: Mapping[int, list[FileDevice]]
) -> Iterator[tuple[FileDevice, FileDevice]]:
    """Pairs of which the second goes on where the first ends."""
    steps: dict[tuple[int, int], list[tuple[FileDevice, FileDevice, float]]] = defaultdict(list)
    for members in _by_name(devices).values():
        if len(members) > 1:
            for a, b, step in _following(members, group):
                steps[a.part, b.part].append((a, b, step))
    for pairs in steps.values():
        if float(np.median([step for _, _, step in pairs])) <= _FOLLOWS:
            yield from ((a, b) for a, b, _ in pairs)
    yield from _unnamed_continuations(devices)


def _following(
    members: Sequence[FileDevice], group: Mapping[int, list[FileDevice]]
) -> Iterator[tuple[FileDevice, FileDevice, float]]:
    """Each device with that of the same name that ends last before it begins."""
    ordered = sorted(members, key=lambda device: int(device.keys[-1]))
    ends = [int(device.keys[-1]) for device in ordered]
    for b in members:
        stop = bisect_right(ends, int(b.keys[0]))
        near = [a for a in ordered[bisect_left(ends, ends[stop - 1]) : stop] if a is not b] if stop else []
        steps = [(step, a) for a in near if (step := _step(a, b)) is not None]
        if len({id(group[id(a)]) for step, a in steps if step <= _FOLLOWS}) > 1:
            files = " and ".join(a.file for _, a in steps[:3])
            raise TraceError(
                f"{b.file}: device {b.name!r} begins at pulse {int(b.keys[0]) % CYCLE}, where a device of that name "
                f"ends in {files}; nothing tells which of them goes on. Read the files of one lot at a time, or give "
                "the devices names of their own"
            )
        yield from ((a, b, step) for step, a in sorted(steps, key=lambda pair: pair[0])[:1])


def _unnamed_continuations(devices: Sequence[FileDevice]) -> Iterator[tuple[FileDevice, FileDevice]]:
    """Files of one device that is named after the file: where one alone fits to the end of another."""
    unnamed = [device for device in devices if device.alone and device.name == file_stem(Path(device.file))]
    ends: dict[int, list[FileDevice]] = defaultdict(list)
    for device in unnamed:
        ends[int(device.keys[-1])].append(device)
    for b in unnamed:
        start = int(b.keys[0])
        if start % CYCLE == 0:
            continue
        near = [*ends.get(start - 1, ()), *ends.get(start, ())]
        fitting = [a for a in near if a is not b and (_step(a, b) or 0.0) <= _FOLLOWS_UNNAMED]
        if len(fitting) == 1:
            yield fitting[0], b


def _step(a: FileDevice, b: FileDevice) -> float | None:
    """How far ln R of `b` begins from where `a` ends; None where it does not begin there."""
    start = int(b.keys[0])
    if start < a.keys[-1] or (start == a.keys[-1] and len(a.keys) < 2) or start == a.keys[0]:
        return None
    return abs(math.log(float(b.ohm[0]) / a.before(start)))
