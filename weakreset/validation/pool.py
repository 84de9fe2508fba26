"""One large pool of devices, measured and simulated, from which replicas of the measured set are drawn.

Devices are grouped by their read pattern. For each measured device the pool holds `m` simulated ones with the
same pattern, simulated independently. A replica takes from each group as many devices as were measured, at
random and without replacement, *the measured ones among them*. If the model is true, measured and simulated
devices of a group are exchangeable, so the measured set is itself one such draw and its rank among the replicas
is exactly uniform, however small the pool (a stratified permutation test; Pitman 1937). What the measured
devices dilute the replicas by, 1/(m + 1), costs a little power and no validity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.parameter_file import ParameterFile, draw_parameters
from weakreset.progress import Progress
from weakreset.twin import simulate_population
from weakreset.validation.features import device_features
from weakreset.validation.plan import Plan, Stratum

__all__ = ["Pool", "block_sizes", "build_pool", "build_populations"]

Array = NDArray[np.float64]

_POOL_SIZE = 8000  # devices: 1/(m + 1) of a replica are measured ones, with 100 of them about 1 %
_LEAST_PER_DEVICE = 3  # a replica is then at most a quarter the measured set itself
_BLOCK_READS = 1_000_000  # simulated at once: 8 MB an array


@dataclass(frozen=True, eq=False)
class Pool:
    """Features of all devices, and which rows make the measured set and each replica.

    Attributes
    ----------
    features : dict of str to ndarray, shape (n_rows, k)
    members : ndarray of int, shape (n_replicas + 1, n_devices)
        Rows of each replica; the first is the measured set. A column always has the same read pattern, so
        NaN stand in the same places of every replica.
    n_simulated : int
    """

    features: dict[str, Array]
    members: NDArray[np.int64]
    n_simulated: int


def build_pool(
    params: ParameterFile,
    strata: list[Stratum],
    plan: Plan,
    n_replicas: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Pool:
    """Simulate the pool and draw the replicas."""
    n_devices = sum(len(stratum) for stratum in strata)
    per_device = max(_LEAST_PER_DEVICE, _POOL_SIZE // n_devices)
    simulation_rng, draw_rng = rng.spawn(2)
    parts: list[dict[str, Array]] = []
    members: list[NDArray[np.int64]] = []
    done = offset = 0
    for stratum in strata:
        parts.append(device_features(stratum.pulses, stratum.log_r, plan))
        n_simulated = per_device * len(stratum)
        for size in block_sizes(n_simulated, int(stratum.pulses[-1]) + 1):
            log_r = _simulate(params, size, stratum.pulses, simulation_rng.spawn(1)[0])
            parts.append(device_features(stratum.pulses, log_r, plan))
            done += size
            if progress is not None:
                progress(done, per_device * n_devices, "simulating devices")
        members.append(offset + _draws(len(stratum), n_simulated, n_replicas, draw_rng))
        offset += len(stratum) + n_simulated
    features = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Pool(features, np.concatenate(members, axis=1), per_device * n_devices)


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
    measured = [device_features(stratum.pulses, stratum.log_r, plan) for stratum in strata]
    parts, n_devices = list(measured), sum(len(stratum) for stratum in strata)
    for done, drawn in enumerate(draw_parameters(params, n_replicas, law_rng)):
        parts += _population(drawn, strata, plan, simulation_rng)
        if progress is not None:
            progress(done + 1, n_replicas, "simulating populations")
    features = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    members = np.arange((n_replicas + 1) * n_devices).reshape(n_replicas + 1, n_devices)
    return Pool(features, members, n_replicas * n_devices)


def _population(
    params: ParameterFile, strata: list[Stratum], plan: Plan, rng: np.random.Generator
) -> list[dict[str, Array]]:
    """Features of one population, stratum by stratum; simulated in one go where that is small."""
    n_devices, last = sum(len(stratum) for stratum in strata), max(int(stratum.pulses[-1]) for stratum in strata)
    parts = []
    if n_devices * (last + 1) <= _BLOCK_READS:
        whole = _simulate(params, n_devices, np.arange(last + 1), rng.spawn(1)[0])
        for stratum in strata:
            mine, whole = whole[: len(stratum)], whole[len(stratum) :]
            parts.append(device_features(stratum.pulses, mine[:, stratum.pulses], plan))
        return parts
    for stratum in strata:
        for size in block_sizes(len(stratum), int(stratum.pulses[-1]) + 1):
            log_r = _simulate(params, size, stratum.pulses, rng.spawn(1)[0])
            parts.append(device_features(stratum.pulses, log_r, plan))
    return parts


def block_sizes(total: int, n_reads: int) -> list[int]:
    """Sizes of the blocks in which `total` devices are simulated, so that memory stays small."""
    size = int(np.clip(_BLOCK_READS // n_reads, 1, 512))
    return [size] * (total // size) + ([total % size] if total % size else [])


def _simulate(params: ParameterFile, n_devices: int, pulses: NDArray[np.int64], rng: np.random.Generator) -> Array:
    twin = simulate_population(params, n_devices, int(pulses[-1]), rng, quick=True)
    return np.log(twin.devices.r0_ohm)[:, None] + twin.log_ratio[:, pulses]


def _draws(n_measured: int, n_simulated: int, n_replicas: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Row numbers inside a group: the measured ones, then `n_replicas` draws without replacement."""
    keys = rng.random((n_replicas, n_measured + n_simulated))
    drawn = keys.argpartition(n_measured - 1, axis=1)[:, :n_measured]
    return np.concatenate([np.arange(n_measured)[None, :], drawn])
