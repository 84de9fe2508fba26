"""What a run asks of the hardware: pulses, reads, SETs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from weakreset.simulation.device_array import DeviceArray
from weakreset.simulation.differential_pair import pair_of
from weakreset.simulation.pulse_report import PulseReport
from weakreset.simulation.traits import trait_names

__all__ = ["costs", "pulses_by_device"]

_ALWAYS = (
    "pulses_mean", "pulses_p99", "pulses_max", "pulses", "bursts", "reads", "stuck", "sets", "latent_bytes",
    "optimizer_bytes",
)


def costs(
    arrays: Sequence[DeviceArray], epoch: PulseReport, optimizer: torch.optim.Optimizer | None = None
) -> dict[str, float]:
    """The costs of a run so far, and of its last epoch.

    Returns
    -------
    dict
        pulses_mean, pulses_p99, pulses_max: RESET pulses a device has had since the start.
        past_knee: share of the devices past their own knee; absent for drift shapes without one.
        pulses, bursts: RESET pulses and bursts of them in the epoch, over all devices.
        reads: looks at a pair in the epoch. A pair is compared after each of its bursts and SETs; between them
        nothing moves, so that its sign is known. With latent numbers how far apart its devices are is measured
        before the first step; without, all pairs are compared once more before the first epoch.
        stuck: how often in the epoch a pair that was programmed did not turn within its budget.
        sets: SETs so far, beyond the one that made a device.
        energy_j: joule spent on RESET pulses since the start, over all devices; only where the parameter file has
        the voltage and width of a pulse (`reset_pulse`).
        latent_bytes, optimizer_bytes: digital memory for each weight on devices: of its latent number, and of
        everything that the optimizer keeps for it.
    """
    if not arrays:
        return dict.fromkeys(_ALWAYS, 0)
    pulses = np.concatenate([pulses_by_device(array).ravel() for array in arrays])
    sets = sum(int(array.set_count.sum()) for array in arrays if array.set_count is not None)
    return {
        "pulses_mean": float(pulses.mean()),
        "pulses_p99": float(np.percentile(pulses, 99)),  # the mean hides the few that wear out
        "pulses_max": int(pulses.max()),
        **_past_knee(arrays),
        "pulses": epoch.pulses, "bursts": epoch.bursts, "reads": epoch.reads, "stuck": epoch.stuck, "sets": sets,
        **_memory(optimizer), **_energy(arrays),
    }


def _memory(optimizer: torch.optim.Optimizer | None) -> dict[str, float]:
    """Bytes a device weight of the state of an optimizer."""
    states = [] if optimizer is None else [(p.numel(), state) for p, state in optimizer.state.items() if pair_of(p)]
    latent, total, weights = 0, 0, 0
    for n, state in states:
        weights += n
        for name, value in state.items():
            # what a chip would have to hold in digital memory beside the devices
            size = value.numel() * value.element_size() if isinstance(value, torch.Tensor) else 0
            total, latent = total + size, latent + (size if name == "latent" else 0)
    return {"latent_bytes": latent / max(weights, 1), "optimizer_bytes": total / max(weights, 1)}


def _energy(arrays: Sequence[DeviceArray]) -> dict[str, float]:
    spent = [float(array.energy_j.sum(dtype=torch.float64)) for array in arrays if array.energy_j is not None]
    return {"energy_j": sum(spent)} if spent else {}


def _past_knee(arrays: Sequence[DeviceArray]) -> dict[str, float]:
    knees = [_knees(array) for array in arrays]
    # pulses since the last SET, not of the whole life: a SET takes the drift back to its start
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
