"""One device after the other, compiled: what `kernels` does to a chip in plain torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from weakreset.simulation.compiled.arguments import Chip, Constant, Floats, Integers, Physics, Scratch
from weakreset.simulation.compiled.drift import inlined, inner, with_drift
from weakreset.simulation.compiled.memory import ask_for, bits_of, float_of, row_at
from weakreset.simulation.compiled.vectors import WIDTH, advance_poles, fill_words, white_term
from weakreset.simulation.counter_random import GAMMA, MULTIPLIERS, READ_WORD, SECOND_WEIGHT, SHIFTS, WORDS
from weakreset.simulation.traits import AMPLITUDE

__all__ = ["CHUNK", "PARTS", "advance_list", "word_of"]

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
_U1, _U2, _S12 = (np.uint64(k) for k in (1, 2, 12))
_READ = np.uint64(READ_WORD)
_AMPLITUDE = np.uint64(AMPLITUDE)
_LAST_BIT = np.int32(1)


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
    traits, moving, _ = chip  # names of their own: fewer counts of references
    device, pulses, words, difference, _, _ = room
    shape, columns, row_width, pink, rtn, read, bursts, pole_sd, read_sd, normals, vectors = physics
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
        row[log_r] = bits_of(x)
        if len(paired):
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
    """The first `found` devices of the list, whose random words are made a chunk at a time.

    `paired`: devices 2 i and 2 i + 1 belong together, and `room.difference` tells how far each is above the other.
    """
    for start in range(0, found, CHUNK):
        stop = start + CHUNK if start + CHUNK < found else found
        if few:
            _ask_for_all(chip, physics, room.device, start, stop, weight)
        for first in range(start, stop, WIDTH):
            if len(physics.pink) or len(physics.rtn):
                fill_words(room.device, np.uint64(first), room.words, _CHUNK, key, physics.pole_sd)
        _advance(chip, physics, key, room, np.uint64(start), np.uint64(stop), 0 if few else AHEAD, paired)
