"""Hand a chip that lives in main memory to the compiled kernel, split among torch's number of threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from weakreset.simulation.compiled_types import AdamStep, Chip, Physics
from weakreset.simulation.counter_random import Key
from weakreset.simulation.kernels import DeviceState, NoiseTables
from weakreset.simulation.traits import SHAPE_NUMBERS

__all__ = ["adam_pulse", "advance", "draw_stationary", "pulse_pairs"]

_LEAST_SHARE = 1 << 15
"""Fewer elements than this are not worth a thread."""


def advance(state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, n: torch.Tensor) -> None:
    """As `kernels.advance`."""
    from weakreset.simulation import compiled

    shared = (_chip(state), _physics(tables), _unsigned(key), index.numpy(), n.numpy())
    _in_shares(compiled.advance_range, shared, index.numel())


def draw_stationary(
    state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, cycle: torch.Tensor
) -> None:
    """As `kernels.draw_stationary`."""
    from weakreset.simulation import compiled

    cycles = cycle.to(torch.int64).numpy()
    shared = (_chip(state), _physics(tables), _unsigned(key), index.numpy(), cycles)
    _in_shares(compiled.fresh_range, shared, index.numel())


def pulse_pairs(
    state: DeviceState, tables: NoiseTables, keys: tuple[Key, Key], n: torch.Tensor, weight: torch.Tensor
) -> tuple[int, int, int]:
    """Signed bursts `n` (int32, flat) for pairs; brings `weight` up to date; pulses, devices, flips."""
    from weakreset.simulation import compiled

    shared = (_chip(state), _physics(tables), *map(_unsigned, keys), n.numpy(), weight.numpy())
    pulses, devices, flips = _in_shares(compiled.pair_range, shared, n.numel())
    return pulses, devices, flips


def adam_pulse(
    state: DeviceState, tables: NoiseTables, keys: tuple[Key, Key], moments: tuple[torch.Tensor, ...],
    weight: torch.Tensor, step: AdamStep,
) -> tuple[int, int, int, int]:
    """Adam's step on (gradient, mean, square), turned into pulses; pulses, devices, flips, not a number."""
    from weakreset.simulation import compiled

    flat = tuple(part.view(-1).numpy() for part in moments)
    shared = (_chip(state), _physics(tables), *map(_unsigned, keys), flat, weight.numpy(), step)
    pulses, devices, flips, bad = _in_shares(compiled.adam_range, shared, weight.numel())
    return pulses, devices, flips, bad


def _in_shares(function: Callable[..., Any], shared: tuple[Any, ...], total: int) -> list[int]:
    """Call `function(*shared, start, stop)` for ranges that cover 0 .. total; the sums of what it returns."""
    shares = max(1, min(torch.get_num_threads(), total // _LEAST_SHARE))
    if shares == 1:
        return list(function(*shared, 0, total) or ())
    limits = [total * k // shares for k in range(shares + 1)]
    with ThreadPoolExecutor(shares - 1) as pool:
        waiting = [pool.submit(function, *shared, *limits[k : k + 2]) for k in range(1, shares)]
        results = [function(*shared, limits[0], limits[1]), *(future.result() for future in waiting)]
    return [sum(column) for column in zip(*(result or () for result in results), strict=True)]


def _chip(state: DeviceState) -> Chip:
    arrays: dict[str, Any] = {name: getattr(state, name) for name in Chip._fields}
    none = torch.zeros(0, dtype=torch.bool)
    return Chip(**{name: (none if value is None else value).numpy() for name, value in arrays.items()})


def _physics(tables: NoiseTables) -> Physics:
    return Physics(
        shape=SHAPE_NUMBERS[tables.shape], pink=tables.pink, rtn=tables.rtn,
        keep=tables.keep.numpy(), renew=tables.renew.numpy(),
        high_after=torch.stack([tables.high_if_low, tables.high_if_high], dim=1).numpy(),
        high_stationary=tables.high_stationary, pole_sd=np.asarray(tables.pole_sd, dtype=np.float32),
        white_sd=np.float32(tables.white_sd), slow_sd=np.float32(tables.slow_sd),
        read_sd=np.float32(tables.read_sd), normals=tables.normals.numpy(),
    )


def _unsigned(key: Key) -> tuple[np.uint64, np.uint64]:
    return np.uint64(key[0]), np.uint64(key[1])
