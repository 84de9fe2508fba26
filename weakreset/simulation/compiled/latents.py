"""Latent numbers behind binary weights moved, and pairs programmed, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.simulation.compiled.arguments import (
    AdamStep,
    Chip,
    Floats,
    Masks,
    Physics,
    Programming,
    Scratch,
    constant,
)
from weakreset.simulation.compiled.compiling import inlined, inner
from weakreset.simulation.compiled.devices import advance_list, word_of
from weakreset.simulation.compiled.weights import adam_wish, leave_out, read_signs
from weakreset.simulation.latents import HIGHEST_LEVEL, LOWEST_LEVEL, ROUNDING_BITS

__all__ = ["adam_latents", "byte_latents", "program_list"]

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_U0, _U1, _U2 = np.uint64(0), np.uint64(1), np.uint64(2)
_PAIRS = constant(1)
_SHIFT, _UNIT = np.uint64(64 - ROUNDING_BITS), np.float32(2.0**-ROUNDING_BITS)
_LOWEST, _HIGHEST = np.float32(LOWEST_LEVEL), np.float32(HIGHEST_LEVEL)


@inner
def adam_latents(
    gradient: Floats, mean: Floats, square: Floats, latent: Floats, step: AdamStep, start: int, stop: int
) -> Any:
    """Adam's step on the latent numbers start .. stop; how many updates are no number."""
    bad = np.int32(0)
    for k in range(start, stop):  # without a branch, as in `weights.adam_bursts`
        at = np.uint64(k)
        wish = adam_wish(gradient, mean, square, step, at)
        lost = wish != wish
        bad = np.int32(bad + np.int32(lost))
        now = latent[at] + (_ZERO if lost else wish)
        now = _ONE if now > _ONE else now
        latent[at] = -_ONE if now < -_ONE else now
    return bad


@inner
def byte_latents(gradient: Floats, latent: Any, factor: Any, key: Any, start: int, stop: int) -> Any:
    """The same for latent numbers of one byte: a step of factor x gradient levels, rounded up or down at random."""
    bad = np.int32(0)
    for k in range(start, stop):
        at = np.uint64(k)
        wish = gradient[at] * factor
        lost = wish != wish
        bad = np.int32(bad + np.int32(lost))
        chance = np.float32(np.int32(word_of(key, at, _U0) >> _SHIFT)) * _UNIT
        now = np.float32(latent[at]) + np.floor((_ZERO if lost else wish) + chance)
        now = _HIGHEST if now > _HIGHEST else now
        now = _LOWEST if now < _LOWEST else now
        latent[at] = np.int8(np.int32(now))
    return bad


@inner
def program_list(
    chip: Chip, physics: Physics, keys: Masks, programming: Programming, room: Scratch, found: int, weight: Floats
) -> tuple[Any, Any, Any, Any]:
    """Give the listed devices bursts until their pairs have turned to the side that each device turns them to.

    `keys` holds two numbers for the tie coins and two for every burst that a pair may get. (pulses, devices, flips,
    bursts).
    """
    bursts, rounds, tie_key = programming.bursts, len(programming.bursts), (keys[0], keys[1])
    given, pulses, flips, devices = 0, 0, 0, 0
    if len(chip.unresponsive):
        alive = leave_out(chip.unresponsive, room.device, room.pulses, found)
        for k in range(rounds):  # the dead get all bursts that a device may have, in vain: they count no pulses
            if bursts[k] > programming.most:
                break
            devices += found - alive if k == 0 else 0
            given, pulses = given + found - alive, pulses + (found - alive) * bursts[k]
        found = alive
    for k in range(rounds):
        found = _left(chip, physics, programming, bursts[k], room, found, weight)
        if found == 0:
            break
        devices += found if k == 0 else 0
        given, pulses = given + found, pulses + found * bursts[k]
        key = (keys[2 * k + 2], keys[2 * k + 3])
        advance_list(chip, physics, key, room, found, weight, True, _PAIRS)
        flips += read_signs(room.difference, room.device, found, weight, tie_key, 0, -1)
    return pulses, devices, flips, given


@inlined
def _left(
    chip: Chip, physics: Physics, programming: Programming, size: Any, room: Scratch, found: int, weight: Floats
) -> Any:
    """Move devices that need a burst of `size` and may have one to the front; their number."""
    width = np.uint64(len(physics.width))
    kept: Any = 0
    for k in range(found):
        device = np.uint64(room.device[k])
        # pulses on BL (even) raise a weight of rising devices, on BLb one of falling devices
        wants_up = (device & _U1 == _U0) == (programming.sign > 0)
        asks = wants_up != (weight[device >> _U1] > _ZERO)
        may = np.int64(chip.moving[device * width + width - _U2] >> 1) + size <= programming.most
        room.device[kept], room.pulses[kept] = room.device[k], size
        kept += bool(asks and may)  # written first and counted after: no branch to predict wrongly
    return kept
