"""The one update of a device, in plain torch: t += n, advance the noises, evaluate ln R.

Only separate multiplications and additions are used, never a fused one, and random bits depend on the
device number alone: results do not change with the chunk size, the number of threads, or a later kernel
that does the same in another language.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from weakreset.model import DeviceNoise
from weakreset.simulation.counter_random import (
    FIRST_SD,
    Key,
    normal_pair,
    normal_table,
    random_words,
    spare_bits,
)
from weakreset.simulation.drift import drift
from weakreset.simulation.pink_poles import PinkPoles
from weakreset.simulation.skip_ahead import skip_ahead
from weakreset.simulation.traits import AMPLITUDE, OFFSET

__all__ = ["DeviceState", "NoiseTables", "advance", "draw_stationary", "noise_tables"]

CHUNK = 1 << 15
"""Devices per pass: the temporaries of one pass stay in the cache."""

_READ_WORD = 6
_SLOW_WORD = 7


@dataclass(frozen=True)
class DeviceState:
    """Flat views of the buffers of a `DeviceArray`, a row a device."""

    log_r0: torch.Tensor
    traits: torch.Tensor
    poles: torch.Tensor
    rtn_high: torch.Tensor
    pulse_count: torch.Tensor
    log_r: torch.Tensor
    unresponsive: torch.Tensor | None = None


@dataclass(frozen=True, eq=False)
class NoiseTables:
    """Drift shape and noise of a technology on one torch device; amplitudes in ln R, 0 or False where off."""

    shape: str
    pink: bool
    rtn: bool
    keep: torch.Tensor
    renew: torch.Tensor
    high_if_low: torch.Tensor
    high_if_high: torch.Tensor
    high_stationary: int
    pole_sd: tuple[float, ...]
    white_sd: float
    slow_sd: float
    read_sd: float
    normals: torch.Tensor


def noise_tables(shape: str, poles: PinkPoles, noise: DeviceNoise, device: torch.device) -> NoiseTables:
    """Move the skip-ahead tables to `device` and fold alpha into the amplitudes."""
    rows = skip_ahead(poles, noise.p_up, noise.p_down)

    def move(array: object) -> torch.Tensor:
        return torch.as_tensor(array).to(device)

    return NoiseTables(
        shape=shape, pink=noise.alpha > 0, rtn=noise.p_up > 0,
        keep=move(rows.keep), renew=move(rows.renew),
        high_if_low=move(rows.high_if_low), high_if_high=move(rows.high_if_high),
        high_stationary=rows.high_stationary,
        pole_sd=tuple(float(noise.alpha * sd) for sd in poles.variance**0.5),
        white_sd=float(noise.alpha * poles.white_variance**0.5 / FIRST_SD),  # it takes one table entry
        slow_sd=float(noise.alpha * poles.slow_variance**0.5),
        read_sd=noise.read_sd, normals=move(normal_table()),
    )


def advance(state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, n: torch.Tensor) -> None:
    """Give device `index[i]` a burst of `n[i]` in 1 .. LONGEST_BURST pulses; no device twice."""
    for part, burst in zip(torch.split(index, CHUNK), torch.split(n, CHUNK), strict=True):
        _advance_chunk(state, tables, key, part, burst)


def _advance_chunk(
    state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, n: torch.Tensor
) -> None:
    t = state.pulse_count[index] + n.to(torch.int32)
    state.pulse_count[index] = t
    traits = _traits(state, index)
    log_r = drift(tables.shape, traits, t)
    if tables.pink or tables.rtn:
        first, second = random_words(key, index, 0), random_words(key, index, 1)
        uniform = (spare_bits(second) << 16) | spare_bits(first)
        if tables.pink:
            # the 12 bits of the white term are the lowest of the 32 of the telegraph: they meet in a
            # comparison that the upper 20 leave open, once in a million updates
            log_r += tables.normals[uniform & 0xFFF] * tables.white_sd
            log_r = _add_poles(state, tables, key, index, n, (first, second), log_r)
        if tables.rtn:
            log_r += traits[:, AMPLITUDE] * _telegraph(state, tables, index, n, uniform)
    if tables.read_sd > 0:
        log_r += normal_pair(random_words(key, index, _READ_WORD), tables.normals)[0] * tables.read_sd
    state.log_r[index] = log_r


def _traits(state: DeviceState, index: torch.Tensor) -> torch.Tensor:
    """Rows of traits in float32; in half precision `offset` is stored relative to ln R0, which it could not resolve."""
    traits = state.traits[index]
    if traits.dtype == torch.float16:
        traits = traits.to(torch.float32)
        traits[:, OFFSET] += state.log_r0[index]
    return traits


def _add_poles(
    state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, n: torch.Tensor,
    words: tuple[torch.Tensor, torch.Tensor], log_r: torch.Tensor,
) -> torch.Tensor:
    for j in range(0, len(tables.pole_sd), 2):
        word = words[j // 2] if j < 4 else random_words(key, index, j // 2)
        pair = normal_pair(word, tables.normals)
        for k in range(j, min(j + 2, len(tables.pole_sd))):
            y = state.poles[index, k] * tables.keep[k][n]
            y += pair[k - j] * tables.renew[k][n]
            state.poles[index, k] = y
            log_r += y * tables.pole_sd[k]
    return log_r


def _telegraph(
    state: DeviceState, tables: NoiseTables, index: torch.Tensor, n: torch.Tensor, uniform: torch.Tensor
) -> torch.Tensor:
    limit = torch.where(state.rtn_high[index], tables.high_if_high[n], tables.high_if_low[n])
    high = uniform < limit
    state.rtn_high[index] = high
    return high


def draw_stationary(
    state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, cycle: torch.Tensor
) -> None:
    """Draw the noise of freshly SET devices from its stationary laws; `cycle` is how often each was SET.

    The slow level of the cycle before is computed again and taken out of `offset`, so it costs no memory.
    """
    n_devices, n_poles = state.poles.shape
    for part, count in zip(torch.split(index, CHUNK), torch.split(cycle, CHUNK), strict=True):
        now = part + n_devices * count.to(torch.int64)
        words = [random_words(key, now, word) for word in range(max(2, (n_poles + 1) // 2))]
        normals = [normal for word in words for normal in normal_pair(word, tables.normals)]
        state.poles[part] = torch.stack(normals[:n_poles], dim=1)
        uniform = (spare_bits(words[1]) << 16) | spare_bits(words[0])
        state.rtn_high[part] = uniform < tables.high_stationary
        level = _slow_level(tables, key, now)
        again = count > 0
        before = _slow_level(tables, key, torch.where(again, now - n_devices, now))
        change = torch.where(again, level - before, level) * tables.slow_sd
        state.traits[part, OFFSET] += change.to(state.traits.dtype)
        state.pulse_count[part] = 0
        state.log_r[part] = state.log_r0[part]


def _slow_level(tables: NoiseTables, key: Key, counter: torch.Tensor) -> torch.Tensor:
    return normal_pair(random_words(key, counter, _SLOW_WORD), tables.normals)[0]
