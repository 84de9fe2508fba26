"""One device after the other, compiled: what `kernels` does to a chip in plain torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.simulation.compiled_drift import inlined, inner, with_drift
from weakreset.simulation.compiled_types import ROUNDER, Chip, Constant, Floats, Integers, Physics, Scratch
from weakreset.simulation.compiled_vectors import WIDTH, advance_poles, ask_for, fill_words
from weakreset.simulation.counter_random import GAMMA, MULTIPLIERS, READ_WORD, SECOND_WEIGHT, SHIFTS, SLOW_WORD, WORDS
from weakreset.simulation.moving_rows import POLE_UNIT
from weakreset.simulation.traits import AMPLITUDE, OFFSET

__all__ = ["CHUNK", "PARTS", "advance_list", "draw_fresh", "word_of"]

CHUNK = 128
"""Devices whose memory is asked for and whose random words are made before the first is moved; a power of two."""

PARTS = 5
"""Numbers a device in the words of a chunk: bits of the telegraph, up to four random words."""

AHEAD = np.uint64(256)
"""So many devices ahead memory is asked for where most are moved; where few are, all of a chunk at once."""

_SECOND = np.float32(SECOND_WEIGHT)
_ZERO = np.float32(0.0)
_GAMMA = np.uint64(GAMMA)
_MULTIPLIER_1, _MULTIPLIER_2 = (np.uint64(value) for value in MULTIPLIERS)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = (np.uint64(value) for value in SHIFTS)
_WORDS, _CHUNK = np.uint64(WORDS), np.uint64(CHUNK)
_MASK = np.uint64(0xFFF)
_UNITS = np.float32(1 / POLE_UNIT)
_U0, _U1, _U2 = (np.uint64(k) for k in (0, 1, 2))
_READ, _SLOW = np.uint64(READ_WORD), np.uint64(SLOW_WORD)
_S12, _S16, _S24, _S48 = (np.uint64(k) for k in (12, 16, 24, 48))
_AMPLITUDE, _OFFSET = np.uint64(AMPLITUDE), np.uint64(OFFSET)
_LAST_BIT, _LOW_HALF = np.int32(1), np.int32(0xFFFF)


@inner
def word_of(key: Any, index: Any, word: Any) -> Any:
    """`counter_random.random_words` for one device."""
    z = (index * _WORDS + word) * _GAMMA + key[0]
    z = (z ^ (z >> _SHIFT_1)) * _MULTIPLIER_1
    z ^= key[1]
    z = (z ^ (z >> _SHIFT_2)) * _MULTIPLIER_2
    return z ^ (z >> _SHIFT_3)


@inner
def _normal(word: Any, table: Floats) -> Any:
    return table[word & _MASK] + table[(word >> _S12) & _MASK] * _SECOND


@inner
def _advance(
    chip: Chip, physics: Physics, key: Any, room: Scratch, start: Any, stop: Any, ahead: Any, paired: Constant
) -> None:
    """Give devices start .. stop of the list, at most CHUNK, their bursts of 1 .. LONGEST_BURST pulses."""
    _, traits, moving, _ = chip  # names of their own: fewer counts of references
    device, pulses, words, difference, _, _ = room
    shape, columns, row_width, pink, rtn, read, bursts, _, pole_sd, white_sd, _, read_sd, table = physics
    lanes, row_of = np.uint64(len(pole_sd)), np.uint64(len(columns))
    width = np.uint64(len(row_width))
    counter, log_r = width - _U2, width - _U1
    for k in range(start, stop):
        i, burst, own_words = np.uint64(device[k]), np.uint64(pulses[k]), k - start
        at, own, row = i * width, i * row_of, burst * (_U2 * lanes)
        ask_for(moving, at + ahead * width)
        ask_for(traits, own + ahead * row_of)
        state = moving[at + counter]
        high = np.int32(state & _LAST_BIT)
        t = np.int32(np.int32(state >> _LAST_BIT) + np.int32(burst))
        x, amplitude = with_drift(shape, traits, own, np.float32(t)), traits[own + _AMPLITUDE]  # else a branch
        if len(pink):
            x += table[np.uint64(words[own_words]) & _MASK] * white_sd
            x += advance_poles(moving, at, bursts, row, table, words, own_words, _CHUNK, pole_sd)
        if len(rtn):
            now = words[own_words] < bursts[row + lanes + np.uint64(high)]
            high = np.int32(now)
            x += amplitude if now else _ZERO
        if len(read):
            x += _normal(word_of(key, i, _READ), table) * read_sd
        moving[at + counter] = np.int32(t << _LAST_BIT) | high
        moving[at + log_r] = np.float32(x).view(np.int32)
        if len(paired):
            difference[k] = x - np.int32(moving[(i ^ _U1) * width + log_r]).view(np.float32)


@inner
def _ask_for_all(chip: Chip, physics: Physics, device: Integers, weight: Floats) -> None:
    """Ask for every line of memory that these devices need, many at once."""
    width, columns = np.uint64(len(physics.width)), np.uint64(len(physics.columns))
    for k in range(len(device)):
        i = np.uint64(device[k])
        ask_for(chip.moving, i * width)
        ask_for(chip.traits, i * columns)
        ask_for(chip.traits, i * columns + columns - _U1)
        ask_for(weight, i >> _U1)


@inlined
def advance_list(
    chip: Chip, physics: Physics, key: Any, room: Scratch, found: int, weight: Floats, few: bool, paired: Constant
) -> None:
    """The first `found` devices of the list, whose random words are made a chunk at a time.

    `paired`: devices 2 i and 2 i + 1 belong together, and `room.difference` tells how far each is above the other.
    """
    for start in range(0, found, CHUNK):
        stop = start + CHUNK if start + CHUNK < found else found
        if few:
            _ask_for_all(chip, physics, room.device[start:stop], weight)
        if len(physics.pink) or len(physics.rtn):
            for first in range(start, stop, WIDTH):
                fill_words(room.device, np.uint64(first), room.words, _CHUNK, key, physics.pole_sd)
        _advance(chip, physics, key, room, np.uint64(start), np.uint64(stop), _U0 if few else AHEAD, paired)


@inlined
def _units(normal: Any) -> Any:
    """A standard deviation of a pole as it is stored."""
    return np.int32((normal * _UNITS + ROUNDER) - ROUNDER)


@inlined
def draw_fresh(chip: Chip, physics: Physics, key: Any, index: Integers, cycle: Integers) -> None:
    """`kernels.draw_stationary`."""
    width, columns = np.uint64(len(physics.width)), np.uint64(len(physics.columns))
    n_devices = np.uint64(len(chip.log_r0))
    for k in range(len(index)):
        i, again = np.uint64(index[k]), np.uint64(cycle[k])
        now, at = i + n_devices * again, i * width
        first, second = word_of(key, now, _U0), word_of(key, now, _U1)
        uniform = ((second >> _S48) << _S16) | (first >> _S48)
        for j in range(width - _U2):
            word = word_of(key, now, j)
            low, high = (_units(_normal(word, physics.normals)), _units(_normal(word >> _S24, physics.normals)))
            chip.moving[at + j] = np.int32(high << np.int32(16)) | (low & _LOW_HALF)
        level = _normal(word_of(key, now, _SLOW), physics.normals)
        if again > _U0:
            level -= _normal(word_of(key, now - n_devices, _SLOW), physics.normals)
        chip.traits[i * columns + _OFFSET] += level * physics.slow_sd
        chip.moving[at + width - _U2] = np.int32(np.int64(uniform) < physics.high_stationary)
        chip.moving[at + width - _U1] = np.float32(chip.log_r0[i]).view(np.int32)
