"""The update of `kernels` once more, compiled for the processor by numba: same numbers, same order, same bits.

Devices pass in blocks through a row of small loops that stay in the nearest cache; only devices that get
pulses are touched, and nothing depends on the order, so the work may be split among threads anywhere. No
fused multiplication and no reassociation (numba does neither unless asked): a test compares every bit with
the plain torch kernel, which remains the path for other devices and the oracle for this one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.simulation.compiled_drift import add_drift, entry, inner
from weakreset.simulation.compiled_types import AdamStep, Chip, Floats, Integers, Physics, Scratch, Words
from weakreset.simulation.counter_random import SECOND_WEIGHT, WORDS
from weakreset.simulation.traits import AMPLITUDE, OFFSET

__all__ = ["adam_range", "advance_range", "fresh_range", "pair_range"]

BLOCK = 1024
"""Devices per pass of each loop."""

_SECOND = np.float32(SECOND_WEIGHT)
_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
_WORDS = np.uint64(WORDS)
_MASK = np.uint64(0xFFF)
_ROUNDER = np.float32(1.5 * 2**23)
"""Added and subtracted, it rounds float32 up to 2^22 to integers, halves to even."""
_U0, _U1, _READ, _SLOW = (np.uint64(k) for k in (0, 1, 6, 7))
_S12, _S16, _S24, _S27, _S30, _S31, _S48 = (np.uint64(k) for k in (12, 16, 24, 27, 30, 31, 48))


@inner
def _word(key: Any, index: Any, word: Any) -> Any:
    z = (np.uint64(index) * _WORDS + word) * _GAMMA + key[0]
    z = (z ^ (z >> _S30)) * _MULTIPLIER_1
    z ^= key[1]
    z = (z ^ (z >> _S27)) * _MULTIPLIER_2
    return z ^ (z >> _S31)


@inner
def _words(key: Any, index: Integers, word: Any, out: Words) -> None:
    for k in range(len(index)):
        out[k] = _word(key, index[k], word)


@inner
def _uniforms(first: Words, second: Words, out: Integers) -> None:
    for k in range(len(out)):
        out[k] = np.int64(((second[k] >> _S48) << _S16) | (first[k] >> _S48))


@inner
def _normal(word: Any, table: Floats) -> Any:
    return table[word & _MASK] + table[(word >> _S12) & _MASK] * _SECOND


@inner
def _normals(words: Words, shift: Any, table: Floats, out: Floats) -> None:
    for k in range(len(out)):
        out[k] = _normal(words[k] >> shift, table)


@inner
def _count(index: Integers, n: Integers, count: Any, traits: Floats, pulses: Floats, log_r: Floats) -> None:
    for k in range(len(index)):
        i = np.uint64(index[k])
        t = np.int32(count[i] + n[k])
        count[i] = t
        pulses[k] = np.float32(t)
        log_r[k] = traits[i, OFFSET]


@inner
def _entries(uniform: Integers, table: Floats, out: Floats) -> None:
    for k in range(len(out)):
        out[k] = table[np.uint64(uniform[k]) & _MASK]


@inner
def _add(normal: Floats, sd: Any, log_r: Floats) -> None:
    for k in range(len(log_r)):
        log_r[k] += normal[k] * sd


@inner
def _poles(
    index: Integers, n: Integers, normal: Floats, other: Floats, poles: Floats, j: int, physics: Physics,
    log_r: Floats,
) -> None:
    """Poles j and, where there is one, j + 1 (two at a time: their rows come into the cache once)."""
    last = min(j + 1, len(physics.pole_sd) - 1)
    keep0, keep1, renew0, renew1 = physics.keep[j], physics.keep[last], physics.renew[j], physics.renew[last]
    sd0, sd1, c0, c1 = physics.pole_sd[j], physics.pole_sd[last], np.uint64(j), np.uint64(last)
    if last == j:
        for k in range(len(index)):
            i, burst = np.uint64(index[k]), np.uint64(n[k])
            poles[i, c0] = poles[i, c0] * keep0[burst] + normal[k] * renew0[burst]
            log_r[k] += poles[i, c0] * sd0
        return
    for k in range(len(index)):
        i, burst = np.uint64(index[k]), np.uint64(n[k])
        y0 = poles[i, c0] * keep0[burst] + normal[k] * renew0[burst]
        y1 = poles[i, c1] * keep1[burst] + other[k] * renew1[burst]
        poles[i, c0], poles[i, c1] = y0, y1
        log_r[k] = (log_r[k] + y0 * sd0) + y1 * sd1


@inner
def _telegraph(
    index: Integers, n: Integers, uniform: Integers, high: Any, high_after: Integers, traits: Floats, log_r: Floats
) -> None:
    for k in range(len(index)):
        i, burst = np.uint64(index[k]), np.uint64(n[k])
        now = uniform[k] < high_after[burst, np.uint64(high[i])]  # no branch: it could not be predicted
        high[i] = now
        log_r[k] += traits[i, AMPLITUDE] * np.float32(now)


@inner
def _store(index: Integers, log_r: Floats, out: Floats) -> None:
    for k in range(len(index)):
        out[np.uint64(index[k])] = log_r[k]


@inner
def _scratch() -> Scratch:
    size = 2 * BLOCK
    return Scratch(
        np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.float32), np.empty(size, np.float32),
        np.empty(size, np.float32), np.empty(size, np.uint64), np.empty(size, np.uint64), np.empty(size, np.int64),
    )


@inner
def _advance(chip: Chip, physics: Physics, key: Any, room: Scratch, index: Integers, n: Integers) -> None:
    """Give device `index[k]` a burst of `n[k]` in 1 .. LONGEST_BURST pulses, at most 2 BLOCK of them."""
    size = len(index)
    log_r, normal, other, uniform = room.log_r[:size], room.normal[:size], room.other[:size], room.uniform[:size]
    first, second = room.first[:size], room.second[:size]
    _count(index, n, chip.pulse_count, chip.traits, normal, log_r)
    add_drift(physics.shape, index, normal, chip.traits, room.other[:size], log_r)
    if physics.pink or physics.rtn:
        _words(key, index, _U0, first)
        _words(key, index, _U1, second)
        _uniforms(first, second, uniform)
    if physics.pink:
        _entries(uniform, physics.normals, normal)
        _add(normal, physics.white_sd, log_r)
        for j in range(0, len(physics.pole_sd), 2):
            if j >= 4:
                _words(key, index, np.uint64(j // 2), first)
            words = second if j == 2 else first
            _normals(words, _U0, physics.normals, normal)
            _normals(words, _S24, physics.normals, other)
            _poles(index, n, normal, other, chip.poles, j, physics, log_r)
    if physics.rtn:
        _telegraph(index, n, uniform, chip.rtn_high, physics.high_after, chip.traits, log_r)
    if physics.read_sd > _ZERO:
        _words(key, index, _READ, first)
        _normals(first, _U0, physics.normals, normal)
        _add(normal, physics.read_sd, log_r)
    _store(index, log_r, chip.log_r)


@entry
def advance_range(
    chip: Chip, physics: Physics, key: Any, index: Integers, n: Integers, start: int, stop: int
) -> None:
    """`kernels.advance` for `index[start:stop]`."""
    room = _scratch()
    for begin in range(start, stop, BLOCK):
        end = min(begin + BLOCK, stop)
        _advance(chip, physics, key, room, index[begin:end], n[begin:end])


@inner
def _select(n: NDArray[np.int32], start: int, n_weights: int, room: Scratch, found: int) -> tuple[int, int]:
    """Append the devices that bursts of weights start, start + 1, ... move; how many then, pulses of these."""
    index, out, pulses = room.device, room.n, 0  # whole groups without pulses are passed over
    for first in range(0, len(n), 16):
        part = n[first : first + 16]
        some = np.int32(0)
        for k in range(len(part)):
            some |= part[k]
        if some == 0:
            continue
        for k in range(len(part)):
            burst = np.int64(part[k])
            index[found] = start + first + k + (n_weights if burst < 0 else 0)
            out[found] = abs(burst)
            pulses += int(abs(burst))
            found += burst != 0
    return found, pulses


@inner
def _leave_out(unresponsive: NDArray[np.bool_], index: Integers, n: Integers) -> int:
    """Move devices that respond to the front; their number."""
    kept = 0
    for k in range(len(index)):
        index[kept], n[kept] = index[k], n[k]
        kept += not unresponsive[index[kept]]
    return kept


@inner
def _read_signs(log_r: Floats, n_weights: int, tie_key: Any, index: Integers, weight: Floats) -> int:
    """Bring the signs of the weights of these devices up to date; how many turned."""
    flips = 0
    for k in range(len(index)):
        i = np.uint64(index[k] if index[k] < n_weights else index[k] - n_weights)
        difference = log_r[i] - log_r[i + np.uint64(n_weights)]
        sign = _ONE if difference > _ZERO else -_ONE
        if difference == _ZERO:
            sign = _ONE if _word(tie_key, i, _U0) & _U1 else -_ONE
        flips += sign != weight[i]
        weight[i] = sign
    return flips


@inner
def _move(
    chip: Chip, physics: Physics, key: Any, tie_key: Any, room: Scratch, found: int, weight: Floats
) -> int:
    """Pulse the devices collected in `room` and read the signs of their weights; how many turned."""
    if len(chip.unresponsive):
        found = _leave_out(chip.unresponsive, room.device[:found], room.n[:found])
    index = room.device[:found]
    _advance(chip, physics, key, room, index, room.n[:found])
    return _read_signs(chip.log_r, len(chip.log_r) // 2, tie_key, index, weight)


@entry
def pair_range(
    chip: Chip, physics: Physics, key: Any, tie_key: Any, n: NDArray[np.int32], weight: Floats, start: int, stop: int
) -> tuple[int, int, int]:
    """Signed bursts `n[i]` for the weights start <= i < stop; (pulses, devices, flips)."""
    pulses, devices, flips, found, room = 0, 0, 0, 0, _scratch()
    for begin in range(start, stop, BLOCK):
        end = min(begin + BLOCK, stop)
        found, more = _select(n[begin:end], begin, len(weight), room, found)
        pulses += more
        if found >= BLOCK or end == stop:
            devices, flips = devices + found, flips + _move(chip, physics, key, tie_key, room, found, weight)
            found = 0
    return pulses, devices, flips


@inner
def _adam_block(
    gradient: Floats, mean: Floats, square: Floats, weight: Floats, step: AdamStep, n: NDArray[np.int32]
) -> int:
    """Adam's moments brought up to date and the bursts they ask for; how many are not a number."""
    bad = 0
    for k in range(len(n)):
        g = gradient[k]
        m = mean[k] * step.keep1 + g * step.new1
        v = square[k] * step.keep2 + (g * g) * step.new2
        mean[k], square[k] = m, v
        wish = (m * step.factor) / (np.sqrt(v) * step.scale + step.eps)
        wish = min(max(wish, -step.limit), step.limit)
        burst = (wish + _ROUNDER) - _ROUNDER
        bad += wish != wish
        idle = (wish != wish) or (step.only_disagreeing and burst * weight[k] >= _ZERO)
        n[k] = np.int32(_ZERO if idle else burst)
    return bad


@entry
def adam_range(
    chip: Chip, physics: Physics, key: Any, tie_key: Any, moments: tuple[Floats, Floats, Floats], weight: Floats,
    step: AdamStep, start: int, stop: int,
) -> tuple[int, int, int, int]:
    """Adam, pulses and new signs of the weights start <= i < stop; (pulses, devices, flips, not a number)."""
    pulses, devices, flips, bad, found = 0, 0, 0, 0, 0
    gradient, mean, square = moments
    room, bursts = _scratch(), np.empty(BLOCK, np.int32)
    for begin in range(start, stop, BLOCK):
        end = min(begin + BLOCK, stop)
        n, part = bursts[: end - begin], slice(begin, end)
        bad += _adam_block(gradient[part], mean[part], square[part], weight[part], step, n)
        found, more = _select(n, begin, len(weight), room, found)
        pulses += more
        if found >= BLOCK or end == stop:
            devices, flips = devices + found, flips + _move(chip, physics, key, tie_key, room, found, weight)
            found = 0
    return pulses, devices, flips, bad


@entry
def fresh_range(
    chip: Chip, physics: Physics, key: Any, index: Integers, cycle: Integers, start: int, stop: int
) -> None:
    """`kernels.draw_stationary` for `index[start:stop]`."""
    poles, high, traits, count, log_r = chip.poles, chip.rtn_high, chip.traits, chip.pulse_count, chip.log_r
    log_r0, normals, n_poles, n_devices = chip.log_r0, physics.normals, poles.shape[1], len(chip.log_r)
    for k in range(start, stop):
        i, now = index[k], np.uint64(index[k] + n_devices * cycle[k])
        first, second = _word(key, now, _U0), _word(key, now, _U1)
        uniform = ((second >> _S48) << _S16) | (first >> _S48)
        high[i] = np.int64(uniform) < physics.high_stationary
        for j in range(n_poles):
            word = _word(key, now, np.uint64(j // 2)) >> np.uint64(24 * (j % 2))
            poles[i, j] = _normal(word, normals)
        level = _normal(_word(key, now, _SLOW), normals)
        if cycle[k] > 0:
            level -= _normal(_word(key, now - np.uint64(n_devices), _SLOW), normals)
        traits[i, OFFSET] += level * physics.slow_sd
        count[i] = 0
        log_r[i] = log_r0[i]
