"""One large pool of devices, measured and simulated, from which replicas of the measured set are drawn.

Devices are grouped by the read patterns of their cycles. For each measured device the pool holds `m` simulated ones
with the same cycles, simulated independently. A replica takes from each group as many devices as were measured, at
random and without replacement, *the measured ones among them*. If the model is true, measured and simulated
devices of a group are exchangeable, so the measured set is itself one such draw and its rank among the replicas
is exactly uniform, however small the pool (a stratified permutation test; Pitman 1937). What the measured
devices dilute the replicas by, 1/(m + 1), costs a little power and no validity.

What is drawn is a device with all its cycles, never a cycle: cycles of one device are alike (same R0, same m1 but for
the spread between cycles), so one by one they would not be exchangeable, and 40 cycles of a device would be judged as
40 devices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from weakreset.parameter_file import ParameterFile, draw_parameters
from weakreset.progress import Progress
from weakreset.twin import simulate_cycles
from weakreset.validation.features import device_features
from weakreset.validation.plan import Plan, Stratum

__all__ = ["Pool", "block_sizes", "build_pool", "build_populations"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

_POOL_SIZE = 8000  # traces: 1/(m + 1) of a replica are measured ones, with 100 of them about 1 %
_LEAST_PER_DEVICE = 3  # a replica is then at most a quarter the measured set itself
_BLOCK_READS = 1_000_000  # simulated at once: 8 MB an array


@dataclass(frozen=True, eq=False)
class Pool:
    """Features of all traces, and which rows make the measured set and each replica.

    Attributes
    ----------
    features : dict of str to ndarray, shape (n_rows, k)
        A row a trace, which is one cycle of one device.
    members : ndarray of int, shape (n_replicas + 1, n_traces)
        Rows of each replica; the first is the measured set. A column always has the same read pattern, so
        NaN stand in the same places of every replica.
    devices : ndarray of int, shape (n_traces,)
        Number of the device that each column of `members` is a cycle of, in rising order.
    n_simulated : int
        Devices.
    """

    features: dict[str, Array]
    members: Rows
    devices: Rows
    n_simulated: int

    @property
    def n_devices(self) -> int:
        """Measured devices."""
        return int(self.devices[-1]) + 1


@dataclass(eq=False)
class _Features:
    """Features of traces as they are computed, and the rows that they will have."""

    plan: Plan
    parts: list[dict[str, Array]] = field(default_factory=list)
    n_rows: int = 0

    def add(self, pulses: NDArray[np.int64], log_r: Array) -> Rows:
        self.parts.append(device_features(pulses, log_r, self.plan))
        self.n_rows += len(log_r)
        return np.arange(self.n_rows - len(log_r), self.n_rows)

    def measured(self, stratum: Stratum) -> Rows:
        """Rows of the measured devices, shape (n_cycles, n_devices)."""
        return np.stack([self.add(*cycle) for cycle in zip(stratum.pulses, stratum.log_r, strict=True)])

    def together(self) -> dict[str, Array]:
        return {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}


def build_pool(
    params: ParameterFile,
    strata: list[Stratum],
    plan: Plan,
    n_replicas: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Pool:
    """Simulate the pool and draw the replicas."""
    n_devices, n_traces = _counts(strata)
    # the second: as many devices as replicas, or with one device the rarest rank would not be rare
    per_device = max(_LEAST_PER_DEVICE, _POOL_SIZE // n_traces, -(-n_replicas // n_devices))
    simulation_rng, draw_rng = rng.spawn(2)
    found, members, done = _Features(plan), [], 0
    for stratum in strata:
        rows = [found.measured(stratum)]
        n_simulated = per_device * len(stratum)
        for size in block_sizes(n_simulated, stratum.last + 1):
            cycles = _simulate(params, size, stratum.last, stratum.n_cycles, simulation_rng.spawn(1)[0])
            reads = zip(stratum.pulses, cycles, strict=True)
            rows.append(np.stack([found.add(pulses, log_r[:, pulses]) for pulses, log_r in reads]))
            done += size
            if progress is not None:
                progress(done, per_device * n_devices, "simulating devices")
        drawn = _draws(len(stratum), n_simulated, n_replicas, draw_rng)
        members.append(_columns(np.concatenate(rows, axis=1)[:, drawn]))
    return Pool(found.together(), np.concatenate(members, axis=1), _device_numbers(strata), per_device * n_devices)


def build_populations(
    params: ParameterFile,
    strata: list[Stratum],
    plan: Plan,
    n_replicas: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Pool:
    """A population of its own for every replica, from parameters drawn within their standard errors.

    For traces that the fit never saw: what the fit does not know about the technology is then part of the replicas.
    """
    law_rng, simulation_rng = rng.spawn(2)
    found = _Features(plan)
    members = [[found.measured(stratum) for stratum in strata]]
    for done, drawn in enumerate(draw_parameters(params, n_replicas, law_rng)):
        members.append(_population(drawn, strata, found, simulation_rng))
        if progress is not None:
            progress(done + 1, n_replicas, "simulating populations")
    rows = [_columns(np.stack(same, axis=1)) for same in zip(*members, strict=True)]
    n_simulated = n_replicas * _counts(strata)[0]
    return Pool(found.together(), np.concatenate(rows, axis=1), _device_numbers(strata), n_simulated)


def _population(params: ParameterFile, strata: list[Stratum], found: _Features, rng: np.random.Generator) -> list[Rows]:
    """Rows of one population, stratum by stratum, each (n_cycles, n_devices); simulated in one go where it is small."""
    last, most = max(stratum.last for stratum in strata), max(stratum.n_cycles for stratum in strata)
    n_devices, _ = _counts(strata)
    if n_devices * (last + 1) * most <= _BLOCK_READS:
        cycles = list(_simulate(params, n_devices, last, most, rng.spawn(1)[0]))
        ends = np.cumsum([len(stratum) for stratum in strata])
        return [
            np.stack([
                found.add(pulses, log_r[end - len(stratum) : end, pulses])
                for pulses, log_r in zip(stratum.pulses, cycles, strict=False)
            ])
            for stratum, end in zip(strata, ends, strict=True)
        ]
    rows = []
    for stratum in strata:
        blocks = []
        for size in block_sizes(len(stratum), stratum.last + 1):
            drawn = _simulate(params, size, stratum.last, stratum.n_cycles, rng.spawn(1)[0])
            reads = zip(stratum.pulses, drawn, strict=True)
            blocks.append(np.stack([found.add(pulses, log_r[:, pulses]) for pulses, log_r in reads]))
        rows.append(np.concatenate(blocks, axis=1))
    return rows


def block_sizes(total: int, n_reads: int) -> list[int]:
    """Sizes of the blocks in which `total` devices are simulated, so that memory stays small."""
    size = int(np.clip(_BLOCK_READS // n_reads, 1, 512))
    return [size] * (total // size) + ([total % size] if total % size else [])


def _simulate(
    params: ParameterFile, n_devices: int, last: int, n_cycles: int, rng: np.random.Generator
) -> Iterator[Array]:
    """ln(R / ohm) at every pulse up to `last`, cycle by cycle of the same devices; each (n_devices, last + 1)."""
    for twin in simulate_cycles(params, n_devices, last, n_cycles, rng, quick=True):
        yield np.log(twin.devices.r0_ohm)[:, None] + twin.log_ratio


def _draws(n_measured: int, n_simulated: int, n_replicas: int, rng: np.random.Generator) -> Rows:
    """Devices of a group: the measured ones, then `n_replicas` draws without replacement."""
    keys = rng.random((n_replicas, n_measured + n_simulated))
    drawn = keys.argpartition(n_measured - 1, axis=1)[:, :n_measured]
    return np.concatenate([np.arange(n_measured)[None, :], drawn])


def _counts(strata: list[Stratum]) -> tuple[int, int]:
    """Devices and traces."""
    return sum(len(stratum) for stratum in strata), sum(len(stratum) * stratum.n_cycles for stratum in strata)


def _columns(rows: Rows) -> Rows:
    """(n_cycles, n_replicas, n_devices) as (n_replicas, n_traces), the cycles of a device side by side."""
    return np.moveaxis(rows, 0, -1).reshape(rows.shape[1], -1)


def _device_numbers(strata: list[Stratum]) -> Rows:
    n_cycles = np.concatenate([np.full(len(stratum), stratum.n_cycles) for stratum in strata])
    return np.repeat(np.arange(len(n_cycles)), n_cycles)
