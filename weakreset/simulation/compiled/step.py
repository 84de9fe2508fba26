"""The functions that Python calls: a range of weights, or of devices, in blocks and lists. See the folder."""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.simulation.compiled.arguments import (
    AdamStep,
    Chip,
    Floats,
    Integers,
    Masks,
    Physics,
    Programming,
    Scratch,
    Wholes,
    constant,
)
from weakreset.simulation.compiled.compiling import entry, inner
from weakreset.simulation.compiled.devices import advance_list
from weakreset.simulation.compiled.latents import adam_latents, byte_latents, program_list
from weakreset.simulation.compiled.weights import adam_bursts, count_some, leave_out, list_devices, read_signs

__all__ = ["BLOCK", "adam_range", "advance_range", "byte_latent_range", "latent_range", "pair_range", "program_range"]

BLOCK = 2048
"""Weights gone through at a time. So many devices are listed, at least, before they are moved, and less than twice."""

_PAIRS, _ALONE = constant(1), constant(0)
_FIRST = np.uint64(0)


@inner
def _move(
    chip: Chip, physics: Physics, keys: Any, room: Scratch, found: int, weight: Floats, start: int, stop: int
) -> tuple[int, int]:
    """Move the devices listed for the weights start .. stop and read the weights; (pulses, flips)."""
    pulses, moved = 0, found
    for k in range(found):
        pulses += room.pulses[k]
    if len(chip.unresponsive):
        # after the sum: pulses on dead devices were given all the same
        moved = leave_out(chip.unresponsive, room.device, room.pulses, found)
    advance_list(chip, physics, keys[0], room, moved, weight, 4 * moved < stop - start, _PAIRS)
    return pulses, read_signs(room.difference, room.device, moved, weight, keys[1], start, stop)


@entry
def advance_range(
    chip: Chip, physics: Physics, key: Any, index: Integers, n: Integers, room: Scratch, start: int, stop: int
) -> None:
    """`kernels.advance` for `index[start:stop]`."""
    for begin in range(start, stop, BLOCK):
        found = min(BLOCK, stop - begin)
        for k in range(found):
            room.device[k], room.pulses[k] = index[begin + k], n[begin + k]
        advance_list(chip, physics, key, room, found, chip.traits, False, _ALONE)  # no weights to ask for


@entry
def pair_range(
    chip: Chip, physics: Physics, keys: Any, n: Wholes, weight: Floats, room: Scratch, start: int, stop: int
) -> tuple[int, int, int]:
    """Signed bursts `n[i]` for the weights start <= i < stop; (pulses, devices, flips)."""
    pulses, devices, flips, found, since = 0, 0, 0, 0, start
    for begin in range(start, stop, BLOCK):
        end = begin + BLOCK if begin + BLOCK < stop else stop
        first, count = np.uint64(begin), end - begin
        some = count_some(n, first, count)
        list_devices(n, first, count, some, begin, room, found)
        found += some
        if found >= BLOCK or end == stop:
            done = _move(chip, physics, keys, room, found, weight, since, end)
            pulses, devices, flips = pulses + done[0], devices + found, flips + done[1]
            found, since = 0, end
    return pulses, devices, flips


@entry
def adam_range(
    chip: Chip, physics: Physics, keys: Any, gradient: Floats, mean: Floats, square: Floats, weight: Floats,
    step: AdamStep, room: Scratch, start: int, stop: int,
) -> tuple[int, int, int, int]:
    """Adam, pulses and new signs of the weights start <= i < stop; (pulses, devices, flips, not a number)."""
    pulses, devices, flips, bad, found, since = 0, 0, 0, 0, 0, start
    for begin in range(start, stop, BLOCK):
        end = begin + BLOCK if begin + BLOCK < stop else stop
        bursts, count = room.bursts, end - begin
        some, lost = adam_bursts(gradient, mean, square, weight, step, bursts, np.uint64(begin), count)
        list_devices(bursts, _FIRST, count, some, begin, room, found)
        found, bad = found + some, bad + lost
        if found >= BLOCK or end == stop:
            done = _move(chip, physics, keys, room, found, weight, since, end)
            pulses, devices, flips = pulses + done[0], devices + found, flips + done[1]
            found, since = 0, end
    return pulses, devices, flips, bad


@entry
def latent_range(
    gradient: Floats, mean: Floats, square: Floats, latent: Floats, step: AdamStep, room: Scratch, start: int, stop: int
) -> tuple[int]:
    """Adam on the latent numbers start <= i < stop; (not a number,)."""
    return (adam_latents(gradient, mean, square, latent, step, start, stop),)


@entry
def byte_latent_range(
    gradient: Floats, latent: Any, factor: Any, key: Any, room: Scratch, start: int, stop: int
) -> tuple[int]:
    """The same for latent numbers of one byte."""
    return (byte_latents(gradient, latent, factor, key, start, stop),)


@entry
def program_range(
    chip: Chip, physics: Physics, keys: Masks, programming: Programming, device: Integers, weight: Floats,
    room: Scratch, start: int, stop: int,
) -> tuple[int, int, int, int]:
    """Program the pairs of the devices `device[start:stop]`, no pair twice; (pulses, devices, flips, bursts)."""
    pulses, devices, flips, given = 0, 0, 0, 0
    for begin in range(start, stop, BLOCK):
        found = min(BLOCK, stop - begin)
        for k in range(found):
            room.device[k] = device[begin + k]
        done = program_list(chip, physics, keys, programming, room, found, weight)
        pulses, devices, flips, given = pulses + done[0], devices + done[1], flips + done[2], given + done[3]
    return pulses, devices, flips, given
