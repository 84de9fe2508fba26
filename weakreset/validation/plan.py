"""Where to look: pulse counts, spacing and segment lengths, chosen from the read pattern alone.

Nothing here depends on a resistance, so the measured set and its replicas are looked at in the same places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import TraceError
from weakreset.traces import TraceSet

__all__ = ["Plan", "Stratum", "make_plan", "stratify"]

Array = NDArray[np.float64]

_N_ENVELOPE = 24  # places: neighbours on a curve say nearly the same
_LONGEST_SEGMENT = 256  # reads: longer ones leave too few segments to average in a trace of 1,000
_SHORTEST_SEGMENT = 16  # reads: three octaves, or there is no exponent to speak of


@dataclass(frozen=True, eq=False)
class Stratum:
    """Measured devices that were read at exactly the same pulses; `log_r` has a row a device."""

    pulses: NDArray[np.int64]
    log_r: Array

    def __len__(self) -> int:
        return len(self.log_r)


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
        Pulses that divide what half of the devices reach into blocks, over which reads are averaged.
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
    """Group the traces by their pulse numbers.

    Raises
    ------
    TraceError
        No trace has two reads.
    """
    groups: dict[bytes, list[int]] = {}
    kept = [trace for trace in traces if len(trace) >= 2]
    if not kept:
        raise TraceError("nothing to validate against: no device has two reads or more")
    for i, trace in enumerate(kept):
        groups.setdefault(trace.pulses.tobytes(), []).append(i)
    return [
        Stratum(kept[rows[0]].pulses, np.log(np.stack([kept[i].resistance_ohm for i in rows])))
        for rows in groups.values()
    ]


def make_plan(strata: list[Stratum]) -> Plan:
    """Choose where to compare."""
    n_devices = sum(len(stratum) for stratum in strata)
    last = max(int(stratum.pulses[-1]) for stratum in strata)
    readers = np.zeros(last + 1, dtype=np.int64)
    gaps: dict[int, int] = {}
    for stratum in strata:
        readers[stratum.pulses] += len(stratum)
        for gap, count in zip(*np.unique(np.diff(stratum.pulses), return_counts=True), strict=True):
            gaps[int(gap)] = gaps.get(int(gap), 0) + int(count) * len(stratum)
    stride = max(gaps, key=lambda gap: (gaps[gap], -gap))
    well_read = np.flatnonzero(readers >= (n_devices + 1) // 2)
    pulses = well_read[well_read >= 1]
    if not pulses.size:
        pulses = np.flatnonzero(readers == readers[1:].max())
        pulses = pulses[pulses >= 1]
    envelope = _spread(pulses, _N_ENVELOPE)
    return Plan(envelope, _spread(envelope, 3), stride, _segment(strata, stride), _block_edges(pulses))


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


def _segment(strata: list[Stratum], stride: int) -> int:
    lengths = np.concatenate(
        [np.full(len(s), (s.pulses[-1] - max(1, s.pulses[0])) // stride + 1) for s in strata]
    )
    half = float(np.median(lengths)) / 2
    if half < _SHORTEST_SEGMENT:
        return 0
    return int(2 ** np.floor(np.log2(min(half, _LONGEST_SEGMENT))))
