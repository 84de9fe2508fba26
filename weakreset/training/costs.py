"""What a run asks of the hardware: pulses, reads, SETs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from weakreset.simulation.device_array import DeviceArray
from weakreset.simulation.differential_pair import PulseReport
from weakreset.simulation.traits import trait_names

__all__ = ["costs", "pulses_by_device"]


def costs(arrays: Sequence[DeviceArray], epoch: PulseReport) -> dict[str, float]:
    """The costs of a run so far, and of its last epoch.

    Returns
    -------
    dict
        pulses_mean, pulses_p99, pulses_max: RESET pulses a device has had since the start.
        past_knee: share of the devices past their own knee; absent for drift shapes without one.
        pulses, bursts: RESET pulses and bursts of them in the epoch, over all devices.
        reads: comparisons of a pair in the epoch. A pair is compared after each of its bursts; between bursts
        nothing moves, so that its sign is known. All pairs are compared once more before the first epoch.
        sets: SETs so far, beyond the one that made a device.
        energy_j: joule spent on RESET pulses since the start, over all devices; only where the parameter file has
        the voltage and width of a pulse (`reset_pulse`).
    """
    if not arrays:
        return {"pulses_mean": 0.0, "pulses_p99": 0.0, "pulses_max": 0, "pulses": 0, "bursts": 0, "reads": 0, "sets": 0}
    pulses = np.concatenate([pulses_by_device(array).ravel() for array in arrays])
    sets = sum(int(array.set_count.sum()) for array in arrays if array.set_count is not None)
    return {
        "pulses_mean": float(pulses.mean()),
        "pulses_p99": float(np.percentile(pulses, 99)),
        "pulses_max": int(pulses.max()),
        **_past_knee(arrays),
        "pulses": epoch.pulses, "bursts": epoch.devices, "reads": epoch.devices, "sets": sets,
        **_energy(arrays),
    }


def _energy(arrays: Sequence[DeviceArray]) -> dict[str, float]:
    spent = [float(array.energy_j.sum(dtype=torch.float64)) for array in arrays if array.energy_j is not None]
    return {"energy_j": sum(spent)} if spent else {}


def _past_knee(arrays: Sequence[DeviceArray]) -> dict[str, float]:
    knees = [_knees(array) for array in arrays]
    past = sum(int((a.pulse_count >= knee).sum()) for a, knee in zip(arrays, knees, strict=True) if knee is not None)
    if any(knee is None for knee in knees):
        return {}
    return {"past_knee": past / sum(array.n_devices for array in arrays)}


def _knees(array: DeviceArray) -> torch.Tensor | None:
    knee = array.drift_shape.knee
    return array.traits[..., trait_names(array.drift_shape).index(knee)] if knee else None


def pulses_by_device(array: DeviceArray) -> NDArray[np.int64]:
    """RESET pulses of each device since it was made; shape that of the array."""
    result: NDArray[np.int64] = array.total_pulses().cpu().numpy()
    return result
