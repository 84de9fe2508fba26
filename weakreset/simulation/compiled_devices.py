"""One device after the other, compiled: what `kernels` does to a chip in plain torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.simulation.compiled_drift import inlined, inner, with_drift
from weakreset.simulation.compiled_types import ROUNDER, Chip, Constant, Floats, Integers, Physics, Scratch
from weakreset.simulation.compiled_vectors import WIDTH, advance_poles, ask_for, fill_words, row_at, white_term
from weakreset.simulation.counter_random import GAMMA, MULTIPLIERS, READ_WORD, SECOND_WEIGHT, SHIFTS, SLOW_WORD, WORDS
from weakreset.simulation.moving_rows import POLE_UNIT
from weakreset.simulation.normal_vectors import LANES, PLACES, VECTOR_MASK
from weakreset.simulation.traits import AMPLITUDE, OFFSET

__all__ = ["CHUNK", "PARTS", "advance_list", "draw_fresh", "word_of"]

CHUNK = 128
"""Devices whose memory is asked for and whose random words are made before the first is moved; a power of two."""

PARTS = 3
"""Numbers a device in the words of a chunk: bits of the telegraph, up to two random words."""

AHEAD = 1024
"""Memory is asked for so many numbers ahead where most devices are moved; where few are, for all of a chunk at once."""

_SECOND = np.float32(SECOND_WEIGHT)
_ZERO = np.float32(0.0)
_GAMMA = np.uint64(GAMMA)
_MULTIPLIER_1, _MULTIPLIER_2 = (np.uint64(value) for value in MULTIPLIERS)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = (np.uint64(value) for value in SHIFTS)
_WORDS, _CHUNK = np.uint64(WORDS), np.uint64(CHUNK)
_MASK = np.uint64(0xFFF)
_UNITS = np.float32(1 / POLE_UNIT)
_U0, _U1, _U2, _LANES = (np.uint64(k) for k in (0, 1, 2, LANES))
_PLACE_A, _PLACE_B, _PLACE_C = (np.uint64(place) for place in PLACES)
_VECTORS = np.uint64(VECTOR_MASK)
_READ, _SLOW = np.uint64(READ_WORD), np.uint64(SLOW_WORD)
_S12, _S32 = np.uint64(12), np.uint64(32)
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
    chip: Chip, physics: Physics, key: Any, room: Scratch, start: Any, stop: Any, ahead: int, paired: Constant
) -> None:
    """Give devices start .. stop of the list, at most CHUNK, their bursts of 1 .. LONGEST_BURST pulses."""
    _, traits, moving, _ = chip  # names of their own: fewer counts of references
    device, pulses, words, difference, _, _ = room
    shape, columns, row_width, pink, rtn, read, bursts, _, pole_sd, _, read_sd, normals, vectors = physics
    lanes, row_of = np.uint64(len(pole_sd)), np.uint64(len(columns))
    width = np.uint64(len(row_width))
    counter, log_r = width - _U2, width - _U1
    k = start
    while k < stop:  # `range` would count twice
        i, burst, own_words = np.uint64(device[k]), np.uint64(pulses[k]), k - start
        own, row, step = row_at(traits, i * row_of), row_at(moving, i * width), row_at(bursts, burst * _U2 * lanes)
        ask_for(row, ahead)
        ask_for(own, ahead)
        state = row[counter]
        high = np.int32(state & _LAST_BIT)
        t = np.int32(np.int32(state >> _LAST_BIT) + np.int32(burst))
        x, amplitude = with_drift(shape, own, np.float32(t)), own[_AMPLITUDE]  # else a branch
        if len(pink):
            x += white_term(vectors, words, _CHUNK + own_words)
            x += advance_poles(row, step, vectors, words, _CHUNK + own_words, _CHUNK, pole_sd)
        if len(rtn):
            now = words[own_words] < step[lanes + np.uint64(high)]
            high = np.int32(now)
            x += amplitude if now else _ZERO
        if len(read):
            x += _normal(word_of(key, i, _READ), normals) * read_sd
        row[counter] = np.int32(t << _LAST_BIT) | high
        row[log_r] = np.float32(x).view(np.int32)
        if len(paired):
            difference[k] = x - np.int32(moving[(i ^ _U1) * width + log_r]).view(np.float32)
        k += _U1


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
        for first in range(start, stop, WIDTH):
            if len(physics.pink) or len(physics.rtn):
                fill_words(room.device, np.uint64(first), room.words, _CHUNK, key, physics.pole_sd)
        _advance(chip, physics, key, room, np.uint64(start), np.uint64(stop), 0 if few else AHEAD, paired)


@inlined
def _unit_of(word: Any, column: Any, vectors: Floats) -> Any:
    """One of the four normals of a word, as it is stored in a pole."""
    a, b, c = (word >> _PLACE_A) & _VECTORS, (word >> _PLACE_B) & _VECTORS, (word >> _PLACE_C) & _VECTORS
    first, second, third = vectors[a * _LANES + column], vectors[b * _LANES + column], vectors[c * _LANES + column]
    return np.int32((((first + second) + third) * _UNITS + ROUNDER) - ROUNDER)


@inlined
def draw_fresh(chip: Chip, physics: Physics, key: Any, index: Integers, cycle: Integers) -> None:
    """`kernels.draw_stationary`."""
    width, columns = np.uint64(len(physics.width)), np.uint64(len(physics.columns))
    n_devices = np.uint64(len(chip.log_r0))
    for k in range(len(index)):
        i, again = np.uint64(index[k]), np.uint64(cycle[k])
        now, at = i + n_devices * again, i * width
        for j in range(width - _U2):  # two poles each
            word, column = word_of(key, now, j >> _U1), _U2 * (j & _U1)
            low, high = _unit_of(word, column, physics.vectors), _unit_of(word, column + _U1, physics.vectors)
            chip.moving[at + j] = np.int32(high << np.int32(16)) | (low & _LOW_HALF)
        level = _normal(word_of(key, now, _SLOW), physics.normals)
        if again > _U0:
            level -= _normal(word_of(key, now - n_devices, _SLOW), physics.normals)
        chip.traits[i * columns + _OFFSET] += level * physics.slow_sd
        uniform = np.int64(word_of(key, now, _U0) >> _S32)
        chip.moving[at + width - _U2] = np.int32(uniform < physics.high_stationary)
        chip.moving[at + width - _U1] = np.float32(chip.log_r0[i]).view(np.int32)
