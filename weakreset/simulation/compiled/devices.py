"""One device after the other, compiled: what `kernels` does to a chip in plain torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.simulation.compiled.arguments import Chip, Constant, Floats, Integers, Physics, Scratch
from weakreset.simulation.compiled.compiling import inlined, inner
from weakreset.simulation.compiled.drift import with_drift
from weakreset.simulation.compiled.memory import ask_for, bits_of, float_of
from weakreset.simulation.compiled.poles import advance_poles
from weakreset.simulation.counter_random import GAMMA, MULTIPLIERS, READ_WORD, SECOND_WEIGHT, SHIFTS, WORDS
from weakreset.simulation.normal_vectors import WHITE_MASK, WHITE_PLACE
from weakreset.simulation.traits import AMPLITUDE

__all__ = ["CHUNK", "advance_list", "word_of"]

CHUNK = 128
"""Devices whose random words are made, and whose memory is asked for where few are moved, before the first is moved."""

AHEAD = 1024
"""Memory is asked for so many numbers ahead where most devices are moved."""

_SECOND = np.float32(SECOND_WEIGHT)
_ZERO = np.float32(0.0)
_GAMMA = np.uint64(GAMMA)
_MULTIPLIER_1, _MULTIPLIER_2 = (np.uint64(value) for value in MULTIPLIERS)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = (np.uint64(value) for value in SHIFTS)
_WORDS = np.uint64(WORDS)
_MASK = np.uint64(0xFFF)
_WHITE_PLACE, _WHITE_MASK = np.uint64(WHITE_PLACE), np.uint64(WHITE_MASK)
_U0, _U1, _U2, _S12, _S32 = (np.uint64(k) for k in (0, 1, 2, 12, 32))
_READ = np.uint64(READ_WORD)
_AMPLITUDE = np.uint64(AMPLITUDE)
_LAST_BIT = np.int32(1)


@inner
def word_of(key: Any, index: Any, word: Any) -> Any:
    """`counter_random.random_words` for one device."""
    z = (index * _WORDS + word) * _GAMMA + key[0]  # uint64 wraps around by itself
    z = (z ^ (z >> _SHIFT_1)) * _MULTIPLIER_1
    z ^= key[1]
    z = (z ^ (z >> _SHIFT_2)) * _MULTIPLIER_2
    return z ^ (z >> _SHIFT_3)


@inner
def _make_words(device: Integers, start: Any, count: int, key: Any, words: Integers) -> None:
    """The first word of each device, for its telegraph and its first four poles.

    In a loop of their own LLVM makes eight at once: made where they are used, a step takes a tenth longer.
    """
    for k in range(count):
        words[k] = np.int64(word_of(key, np.uint64(device[start + np.uint64(k)]), _U0))


@inner
def _normal(word: Any, table: Floats) -> Any:
    return table[word & _MASK] + table[(word >> _S12) & _MASK] * _SECOND


@inner
def _advance(
    chip: Chip, physics: Physics, key: Any, room: Scratch, start: Any, stop: Any, ahead: Any, paired: Constant
) -> None:
    """Give devices start .. stop of the list, at most CHUNK, their bursts of 1 .. LONGEST_BURST pulses."""
    traits, moving, _ = chip  # names of their own: fewer counts of references
    device, pulses, words, difference, _, _ = room
    shape, columns, row_width, pink, rtn, read, factors, limits, pole_sd, read_sd, normals, vectors, white = physics
    lanes, row_of = np.uint64(len(pole_sd)), np.uint64(len(columns))
    width = np.uint64(len(row_width))
    counter, log_r = width - _U2, width - _U1
    k = start
    while k < stop:  # `range` would count twice
        i, burst = np.uint64(device[k]), np.uint64(pulses[k])
        own, row = i * row_of, i * width
        ask_for(moving, row + ahead)
        ask_for(traits, own + ahead)
        state = moving[row + counter]
        high = np.int32(state & _LAST_BIT)
        t = np.int32(np.int32(state >> _LAST_BIT) + np.int32(burst))
        x, amplitude = with_drift(shape, traits, own, np.float32(t)), traits[own + _AMPLITUDE]  # else a branch
        word = np.uint64(words[k - start])
        if len(pink):
            x += white[(word >> _WHITE_PLACE) & _WHITE_MASK]
            second = word_of(key, i, _U1)  # used by more than four poles, and not worked out for fewer
            x += advance_poles(moving, row, factors, _U2 * lanes * burst, vectors, word, second, pole_sd)
        if len(rtn):
            # limits: a row a burst, in it that of a low and that of a high state before
            now = word >> _S32 < np.uint64(limits[_U2 * burst + np.uint64(high)])
            high = np.int32(now)
            x += amplitude if now else _ZERO
        if len(read):
            x += _normal(word_of(key, i, _READ), normals) * read_sd
        moving[row + counter] = np.int32(t << _LAST_BIT) | high
        moving[row + log_r] = bits_of(x)
        if len(paired):
            # the partner: BL and BLb differ in the last bit of their numbers
            difference[k] = x - float_of(moving[(i ^ _U1) * width + log_r])
        k += _U1


@inner
def _ask_for_all(chip: Chip, physics: Physics, device: Integers, start: int, stop: int, weight: Floats) -> None:
    """Ask for every line of memory that these devices need, many at once."""
    width, columns = np.uint64(len(physics.width)), np.uint64(len(physics.columns))
    for k in range(start, stop):
        i = np.uint64(device[k])
        ask_for(chip.moving, i * width)
        ask_for(chip.traits, i * columns)
        ask_for(chip.traits, i * columns + columns - _U1)
        ask_for(weight, i >> _U1)


@inlined
def advance_list(
    chip: Chip, physics: Physics, key: Any, room: Scratch, found: int, weight: Floats, few: bool, paired: Constant
) -> None:
    """The first `found` devices of the list, a chunk at a time.

    `paired`: devices 2 i and 2 i + 1 belong together, and `room.difference` tells how far each is above the other.
    """
    ahead = np.uint64(0 if few else AHEAD)
    for start in range(0, found, CHUNK):
        stop = start + CHUNK if start + CHUNK < found else found
        if few:
            _ask_for_all(chip, physics, room.device, start, stop, weight)
        if len(physics.pink) or len(physics.rtn):  # lengths of types: decided while compiling
            _make_words(room.device, np.uint64(start), stop - start, key, room.words)
        _advance(chip, physics, key, room, np.uint64(start), np.uint64(stop), ahead, paired)
