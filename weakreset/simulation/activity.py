"""What each imperfection does to the devices of a model now: numbers to log beside accuracy."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.simulation.device_array import DeviceArray
from weakreset.simulation.kernels import CHUNK
from weakreset.simulation.moving_rows import poles_of, state_of
from weakreset.simulation.traits import AMPLITUDE

__all__ = ["imperfection_activity"]


@torch.no_grad()
def imperfection_activity(model: nn.Module) -> dict[str, float]:
    """Sizes of the imperfections in ln R over all devices of `model`: exactly 0 where one is switched off.

    Returns
    -------
    dict
        `d2d`: standard deviation of ln R0 between devices; `pink`: root mean square of the 1/f noise that has a
        memory; `rtn`: mean of the telegraph part; `rtn_high`: share of devices in the high state (its chain runs
        on when the amplitude is switched off by a law of zero, and stands still without RTN).

    Raises
    ------
    SimulationError
        When the model has no simulated devices.
    """
    arrays = [part for part in model.modules() if isinstance(part, DeviceArray) and part.n_devices]
    if not arrays:
        raise SimulationError(f"{type(model).__name__} has no simulated devices")
    total = sum(array.n_devices for array in arrays)
    sums = torch.stack([_sums(array) for array in arrays]).sum(0) / total
    d2d, pink, rtn, high = sums.tolist()
    return {"d2d": d2d**0.5, "pink": pink**0.5, "rtn": rtn, "rtn_high": high}


def _sums(array: DeviceArray) -> Tensor:
    """Squares of D2D and 1/f, telegraph part and states, summed over devices; float64."""
    state, pole_sd = array.state().flat(), array.noise_tables().pole_sd
    parts = (state.log_r0, state.moving, state.traits[:, AMPLITUDE])
    total = torch.zeros(5, dtype=torch.float64, device=pole_sd.device)
    for log_r0, moving, amplitude in zip(*(torch.split(part, CHUNK) for part in parts), strict=True):
        spread = log_r0 - state.log_r0[0]  # exactly zero where all devices are the same
        pink = poles_of(moving).to(torch.float32) @ pole_sd
        high = (state_of(moving) & 1).to(torch.float32)
        pieces = (spread, spread.square(), pink.square(), amplitude * high, high)
        total += torch.stack([piece.sum(dtype=torch.float64) for piece in pieces])
    return torch.cat([total[1:2] - total[:1].square() / array.n_devices, total[2:]])
