"""Where to look: pulse counts, spacing and segment lengths, chosen from the read pattern alone.

Nothing here depends on a resistance, so the measured set and its replicas are looked at in the same places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceError
from weakreset.traces import PulseTrace, TraceSet

__all__ = ["Plan", "Stratum", "make_plan", "stratify"]

Array = NDArray[np.float64]

_N_ENVELOPE = 24  # places: neighbours on a curve say nearly the same
_LONGEST_SEGMENT = 256  # reads: longer ones leave too few segments to average in a trace of 1,000
_SHORTEST_SEGMENT = 16  # reads: three octaves, or there is no exponent to speak of


@dataclass(frozen=True, eq=False)
class Stratum:
    """Measured devices whose cycles were all read at exactly the same pulses.

    Attributes
    ----------
    pulses : tuple of ndarray of int
        Of each cycle.
    log_r : tuple of ndarray, shape (n_devices, n_reads)
        ln(R / ohm) of each cycle, a row a device.
    """

    pulses: tuple[NDArray[np.int64], ...]
    log_r: tuple[Array, ...]

    def __len__(self) -> int:
        return len(self.log_r[0])

    @property
    def n_cycles(self) -> int:
        return len(self.pulses)

    @property
    def last(self) -> int:
        """The last pulse of the longest cycle."""
        return max(int(pulses[-1]) for pulses in self.pulses)


@dataclass(frozen=True, eq=False)
class Plan:
    """Attributes
    ----------
    envelope_pulses : ndarray of int
        Pulse counts >= 1 at which curves are compared.
    distribution_pulses : ndarray of int
        The few of them at which whole distributions are compared.
    stride : int
        Most common distance of two reads, in pulses.
    segment : int
        Reads in a segment of the spectrum; 0 where the traces are too short for one.
    block_edges : ndarray of int, shape (n_blocks + 1,)
        Pulses that divide what half of the traces reach into blocks, over which reads are averaged.
    """

    envelope_pulses: NDArray[np.int64]
    distribution_pulses: NDArray[np.int64]
    stride: int
    segment: int
    block_edges: NDArray[np.int64]

    @property
    def block_centres(self) -> Array:
        """Middle of each block, in pulses."""
        return np.asarray(0.5 * (self.block_edges[:-1] + self.block_edges[1:] - 1))


def stratify(traces: TraceSet) -> list[Stratum]:
    """Group the devices by the pulse numbers of all their cycles.

    Raises
    ------
    TraceError
        No trace has two reads.
    """
    devices: dict[str, list[PulseTrace]] = {}
    for trace in traces:
        if len(trace) >= 2:
            devices.setdefault(trace.device, []).append(trace)
    if not devices:
        raise TraceError("nothing to validate against: no device has two reads or more")
    groups: dict[tuple[bytes, ...], list[list[PulseTrace]]] = {}
    for cycles in devices.values():
        groups.setdefault(tuple(trace.pulses.tobytes() for trace in cycles), []).append(cycles)
    return [
        Stratum(
            tuple(trace.pulses for trace in members[0]),
            tuple(np.log(np.stack([trace.resistance_ohm for trace in same])) for same in zip(*members, strict=True)),
        )
        for members in groups.values()
    ]


def make_plan(strata: list[Stratum]) -> Plan:
    """Choose where to compare."""
    grids = [(pulses, len(stratum)) for stratum in strata for pulses in stratum.pulses]
    n_traces = sum(count for _, count in grids)
    last = max(stratum.last for stratum in strata)
    readers = np.zeros(last + 1, dtype=np.int64)
    gaps: dict[int, int] = {}
    for grid, n_readers in grids:
        readers[grid] += n_readers
        for gap, count in zip(*np.unique(np.diff(grid), return_counts=True), strict=True):
            gaps[int(gap)] = gaps.get(int(gap), 0) + int(count) * n_readers
    stride = max(gaps, key=lambda gap: (gaps[gap], -gap))
    well_read = np.flatnonzero(readers >= (n_traces + 1) // 2)
    pulses = well_read[well_read >= 1]
    if not pulses.size:
        pulses = np.flatnonzero(readers == readers[1:].max())
        pulses = pulses[pulses >= 1]
    envelope = _spread(pulses, _N_ENVELOPE)
    return Plan(envelope, _spread(envelope, 3), stride, _segment(grids, stride), _block_edges(pulses))


def _spread(pulses: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """About `n` of `pulses`, from the first to the last: half evenly spaced, half in equal ratios."""
    first, last = float(pulses[0]), float(pulses[-1])
    if n <= 3:
        wanted = np.array([first, (first + last) / 3, last])
    else:
        wanted = np.concatenate([np.geomspace(first, last, n // 2), np.linspace(first, last, n - n // 2)])
    nearest = np.abs(pulses[None, :] - wanted[:, None]).argmin(axis=1)
    return np.unique(pulses[nearest])


def _block_edges(pulses: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every block holds one of `pulses` or more; half of the edges evenly spaced, half in equal ratios."""
    return np.append(_spread(pulses, _N_ENVELOPE)[:-1], pulses[-1] + 1)


def _segment(grids: list[tuple[NDArray[np.int64], int]], stride: int) -> int:
    lengths = np.concatenate(
        [np.full(count, (pulses[-1] - max(1, pulses[0])) // stride + 1) for pulses, count in grids]
    )
    half = float(np.median(lengths)) / 2
    if half < _SHORTEST_SEGMENT:
        return 0
    return int(2 ** np.floor(np.log2(min(half, _LONGEST_SEGMENT))))
