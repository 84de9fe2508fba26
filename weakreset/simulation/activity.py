"""What each imperfection does to the devices of a model now: numbers to log beside accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.model import Imperfection, Statistic, imperfections
from weakreset.simulation.device_array import DeviceArray
from weakreset.simulation.kernels import CHUNK
from weakreset.simulation.moving_rows import poles_of, state_of
from weakreset.simulation.traits import AMPLITUDE

__all__ = ["imperfection_activity"]


@dataclass(frozen=True)
class _Seen:
    """Some devices as `weakreset.model.Statistic` describes them."""

    spread: Tensor
    pink: Tensor
    high: Tensor
    rtn_amplitude: Tensor
    parts: Mapping[str, Tensor]


@torch.no_grad()
def imperfection_activity(model: nn.Module) -> dict[str, float]:
    """Sizes of the imperfections in ln R over all devices of `model`: exactly 0 where one is switched off.

    Returns
    -------
    dict
        The statistics of `weakreset.model.imperfections()` by name, among them `d2d`: standard deviation of ln R0
        between devices; `pink`: root mean square of the 1/f noise that has a memory; `rtn`: mean of the telegraph
        part; `rtn_high`: share of devices in the high state (its chain runs on when the amplitude is switched off by
        a law of zero, and stands still without RTN). Of kinds of noise from elsewhere those that the devices have.

    Raises
    ------
    SimulationError
        When the model has no simulated devices.
    """
    arrays = [part for part in model.modules() if isinstance(part, DeviceArray) and part.n_devices]
    if not arrays:
        raise SimulationError(f"{type(model).__name__} has no simulated devices")
    others = {name for array in arrays for name in array.other_noise}
    rows = [row for row in imperfections().values() if _held(row, others)]
    statistics = [statistic for row in rows for statistic in row.activity]
    sums = torch.stack([_sums(array, statistics, others) for array in arrays]).sum(0)
    means = (sums / sum(array.n_devices for array in arrays)).tolist()
    return {s.name: mean if s.how == "mean" else mean**0.5 for s, mean in zip(statistics, means, strict=True)}


def _held(row: Imperfection, others: set[str]) -> bool:
    """Whether the devices can have it at all."""
    return row.noise is None or row.noise.in_kernel or row.name in others


def _sums(array: DeviceArray, statistics: list[Statistic], others: set[str]) -> Tensor:
    """Each statistic summed over the devices of an array; float64."""
    plain = torch.zeros(len(statistics), dtype=torch.float64, device=array.log_r0.device)
    squares = torch.zeros_like(plain)  # float64: a large chip has 10^7 devices
    for seen in _chunks(array, others):
        values = [statistic.of(seen) for statistic in statistics]
        plain += torch.stack([value.sum(dtype=torch.float64) for value in values])
        squares += torch.stack([value.square().sum(dtype=torch.float64) for value in values])
    # over all devices of a model at the end, so each is a sum here, that of squared deviations for the last
    how = {"mean": plain, "root mean square": squares, "standard deviation": squares - plain.square() / array.n_devices}
    return torch.stack([how[statistic.how][i] for i, statistic in enumerate(statistics)])


def _chunks(array: DeviceArray, others: set[str]) -> Iterator[_Seen]:
    state, pole_sd = array.state().flat(), array.noise_tables().pole_sd
    none = torch.zeros(())
    held = {name: noise.part.view(-1) for name, noise in array.other_noise.items()}
    for start in range(0, array.n_devices, CHUNK):
        here = slice(start, start + CHUNK)
        moving = state.moving[here]
        parts = {name: held[name][here] if name in held else none for name in others}
        yield _Seen(
            spread=state.log_r0[here] - state.log_r0[0],  # exactly zero where all devices are the same
            pink=poles_of(moving).to(torch.float32) @ pole_sd, high=(state_of(moving) & 1).to(torch.float32),
            rtn_amplitude=state.traits[here, AMPLITUDE], parts=parts,
        )
