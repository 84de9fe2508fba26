"""The one update of a device, in plain torch: t += n, advance the noises, evaluate ln R.

Only separate multiplications and additions are used, never a fused one, and random bits depend on the
device number alone: results do not change with the chunk size, the number of threads, or a later kernel
that does the same in another language.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from weakreset.model import DeviceNoise, DriftShape, PinkPoles
from weakreset.simulation.counter_random import (
    FIRST_SD,
    READ_WORD,
    SLOW_WORD,
    Key,
    normal,
    normal_table,
    random_words,
    upper_half,
)
from weakreset.simulation.drift import drift
from weakreset.simulation.moving_rows import POLE_UNIT, lanes, log_r_of, poles_of, state_of
from weakreset.simulation.normal_vectors import LANES, four_normals, vector_table, white_entry
from weakreset.simulation.skip_ahead import skip_ahead
from weakreset.simulation.traits import AMPLITUDE, OFFSET

__all__ = ["DeviceState", "NoiseTables", "advance", "draw_stationary", "noise_tables"]

CHUNK = 1 << 15
"""Devices per pass: the temporaries of one pass stay in the cache."""


@dataclass(frozen=True)
class DeviceState:
    """The buffers of a `DeviceArray`, an entry or a row a device."""

    log_r0: torch.Tensor
    traits: torch.Tensor
    moving: torch.Tensor
    unresponsive: torch.Tensor | None = None

    def flat(self) -> DeviceState:
        """Views of the buffers with one axis of devices."""
        return DeviceState(self.log_r0.view(-1), self.traits.flatten(0, -2), self.moving.flatten(0, -2))


@dataclass(frozen=True, eq=False)
class NoiseTables:
    """Drift shape and noise of a technology on one torch device; amplitudes in ln R, 0 or False where off.

    `keep` and `renew` have a row for every burst and a column for every place of a pole (see `moving_rows`); `renew`
    and `pole_sd` are in its units, so that stored poles enter as they are. `white` is one of the two numbers that
    make up a normal, at the size of the white part of 1/f noise.
    """

    shape: DriftShape
    pink: bool
    rtn: bool
    keep: torch.Tensor
    renew: torch.Tensor
    high_if_low: torch.Tensor
    high_if_high: torch.Tensor
    high_stationary: int
    pole_sd: torch.Tensor
    white: torch.Tensor
    slow_sd: float
    read_sd: float
    normals: torch.Tensor
    vectors: torch.Tensor


def noise_tables(
    shape: DriftShape, poles: PinkPoles, noise: DeviceNoise, device: torch.device
) -> NoiseTables:
    """Move the skip-ahead tables to `device` and fold alpha into the amplitudes."""
    rows, n_poles = skip_ahead(poles, noise.p_up, noise.p_down), len(poles.variance)

    def move(array: object) -> torch.Tensor:
        return torch.as_tensor(array).to(device)

    def places(array: NDArray[np.generic]) -> torch.Tensor:
        free = [(0, 0)] * (array.ndim - 1) + [(0, lanes(n_poles) - n_poles)]
        return move(np.pad(array.astype(np.float32), free))

    return NoiseTables(
        shape=shape, pink=noise.alpha > 0, rtn=noise.p_up > 0,
        keep=places(rows.keep), renew=places(rows.renew) / POLE_UNIT,
        high_if_low=move(rows.high_if_low), high_if_high=move(rows.high_if_high),
        high_stationary=rows.high_stationary,
        # alpha and the units of stored poles are multiplied in once: a device then needs one product a pole
        pole_sd=places(noise.alpha * poles.variance**0.5) * POLE_UNIT,
        white=move(normal_table() * np.float32(noise.alpha * poles.white_variance**0.5 / FIRST_SD)),
        slow_sd=float(noise.alpha * poles.slow_variance**0.5),
        read_sd=noise.read_sd, normals=move(normal_table()), vectors=move(vector_table()),
    )


def advance(state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, n: torch.Tensor) -> None:
    """Give device `index[i]` a burst of `n[i]` in 1 .. LONGEST_BURST pulses; no device twice."""
    state = state.flat()
    for part, burst in zip(torch.split(index, CHUNK), torch.split(n, CHUNK), strict=True):
        _advance_chunk(state, tables, key, part, burst)


def _advance_chunk(
    state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, n: torch.Tensor
) -> None:
    row = state.moving.index_select(0, index)
    # t advances first: noise and drift are those after the burst, and in between nobody looked
    high, t = state_of(row) & 1, (state_of(row) >> 1) + n.to(torch.int32)
    traits = _traits(state, index)
    log_r = drift(tables.shape, traits, t)
    if tables.pink or tables.rtn:
        words = [random_words(key, index, word) for word in range(len(tables.pole_sd) // LANES)]
        if tables.pink:
            log_r += tables.white.index_select(0, white_entry(words[0]))
            log_r += _add_poles(poles_of(row), tables, n, words)
        if tables.rtn:
            # uniform in 32 bits against the probability of the high state n pulses after this one
            limit = torch.where(high.to(torch.bool), tables.high_if_high[n], tables.high_if_low[n])
            high = (upper_half(words[0]) < limit).to(torch.int32)
            log_r += traits[:, AMPLITUDE] * high
    if tables.read_sd > 0:
        log_r += normal(random_words(key, index, READ_WORD), tables.normals) * tables.read_sd
    state_of(row).copy_((t << 1) | high)
    log_r_of(row).copy_(log_r)
    state.moving[index] = row


def _traits(state: DeviceState, index: torch.Tensor) -> torch.Tensor:
    """Rows of traits in float32; in half precision `offset` is stored relative to ln R0, which it could not resolve."""
    traits = state.traits.index_select(0, index)
    if traits.dtype == torch.float16:
        traits = traits.to(torch.float32)
        traits[:, OFFSET] += state.log_r0[index]
    return traits


def _add_poles(
    poles: torch.Tensor, tables: NoiseTables, n: torch.Tensor, words: list[torch.Tensor]
) -> torch.Tensor:
    """Advance poles in place; what they add to ln R. The sum folds the upper half onto the lower until one is left."""
    now = poles * tables.keep.index_select(0, n)
    now += _normals(words, tables) * tables.renew.index_select(0, n)
    now.round_()  # stored in whole units of POLE_UNIT: what adds to ln R is what is stored
    poles.copy_(now)
    terms = now * tables.pole_sd
    while terms.shape[1] > 1:  # the order of the compiled kernel's vectors: float sums depend on it
        lower, upper = terms.chunk(2, dim=1)
        terms = lower + upper
    return terms[:, 0]


def _normals(words: list[torch.Tensor], tables: NoiseTables) -> torch.Tensor:
    return torch.cat([four_normals(word, tables.vectors) for word in words], dim=1)


def draw_stationary(
    state: DeviceState, tables: NoiseTables, key: Key, index: torch.Tensor, cycle: torch.Tensor
) -> None:
    """Draw the noise of freshly SET devices from its stationary laws; `cycle` is how often each was SET.

    The slow level of the cycle before is computed again and taken out of `offset`, so it costs no memory.
    """
    state = state.flat()
    n_devices = len(state.moving)
    for part, count in zip(torch.split(index, CHUNK), torch.split(cycle, CHUNK), strict=True):
        now = part + n_devices * count.to(torch.int64)  # numbers of (device, cycle): no two cycles share words
        words = [random_words(key, now, word) for word in range(len(tables.pole_sd) // LANES)]
        row = torch.empty((len(part), state.moving.shape[1]), dtype=torch.int32, device=part.device)
        poles_of(row).copy_((_normals(words, tables) / POLE_UNIT).round_())
        state_of(row).copy_(upper_half(words[0]) < tables.high_stationary)
        log_r_of(row).copy_(state.log_r0.index_select(0, part))  # w(0) = 0: fresh, without noise
        state.moving[part] = row
        change = _slow_level(tables, key, now)
        again = count > 0
        if bool(again.any()):
            before = _slow_level(tables, key, torch.where(again, now - n_devices, now))
            change = torch.where(again, change - before, change)
        state.traits[part, OFFSET] += (change * tables.slow_sd).to(state.traits.dtype)


def _slow_level(tables: NoiseTables, key: Key, counter: torch.Tensor) -> torch.Tensor:
    return normal(random_words(key, counter, SLOW_WORD), tables.normals)
