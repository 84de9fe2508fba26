"""The update of `kernels` once more, compiled for the processor by numba: same numbers, same order, same bits.

One device after the other goes through `_update` and keeps everything in registers. Only devices that get pulses
are touched, and nothing depends on the order, so the work may be split among threads anywhere. No fused
multiplication and no reassociation (numba does neither unless asked): a test compares every bit with the plain
torch kernel, which remains the path for other devices and the oracle for this one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.simulation.compiled_drift import entry, inlined, inner, with_drift
from weakreset.simulation.compiled_types import AdamStep, Chip, Floats, Integers, Physics, Scratch
from weakreset.simulation.counter_random import SECOND_WEIGHT, WORDS
from weakreset.simulation.traits import AMPLITUDE, OFFSET

__all__ = ["adam_range", "advance_range", "fresh_range", "pair_range"]

BLOCK = 2048
"""Weights per pass: their bursts stay in the nearest caches."""

_SECOND = np.float32(SECOND_WEIGHT)
_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_LEVELS = np.array([0.0, 1.0], dtype=np.float32)
"""Telegraph states as numbers, looked up: a branch could not be predicted."""
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
_WORDS = np.uint64(WORDS)
_MASK = np.uint64(0xFFF)
_ROUNDER = np.float32(1.5 * 2**23)
"""Added and subtracted, it rounds float32 up to 2^22 to integers, halves to even."""
_U0, _U1, _U2, _U4, _READ, _SLOW = (np.uint64(k) for k in (0, 1, 2, 4, 6, 7))
_S12, _S16, _S24, _S27, _S30, _S31, _S48 = (np.uint64(k) for k in (12, 16, 24, 27, 30, 31, 48))
_AMPLITUDE, _OFFSET = np.uint64(AMPLITUDE), np.uint64(OFFSET)


@inner
def _word(key: Any, index: Any, word: Any) -> Any:
    z = (index * _WORDS + word) * _GAMMA + key[0]
    z = (z ^ (z >> _S30)) * _MULTIPLIER_1
    z ^= key[1]
    z = (z ^ (z >> _S27)) * _MULTIPLIER_2
    return z ^ (z >> _S31)


@inner
def _normal(word: Any, table: Floats) -> Any:
    return table[word & _MASK] + table[(word >> _S12) & _MASK] * _SECOND


@inlined
def _pole(y: Floats, at: Any, skip: Floats, row: Any, normal: Any) -> Any:
    """Advance one pole; its new state."""
    now = y[at] * skip[row] + normal * skip[row + _U1]
    y[at] = now
    return now


@inner
def _advance(chip: Chip, physics: Physics, key: Any, index: Integers, n: Integers) -> None:
    """Give device `index[k]` a burst of `n[k]` in 1 .. LONGEST_BURST pulses."""
    _, traits, poles, rtn_high, pulse_count, log_r, _ = chip  # names of their own: fewer counts of references
    shape, columns, pink, rtn, skip, high_after, _, pole_sd, white_sd, _, read_sd, table = physics
    n_poles = len(pole_sd)
    for k in range(len(index)):
        i, burst = np.uint64(index[k]), np.uint64(n[k])
        t = np.int32(pulse_count[i] + np.int32(n[k]))
        pulse_count[i] = t
        x = with_drift(shape, traits, i * columns, np.float32(t))
        word, second = _word(key, i, _U0), _word(key, i, _U1)
        uniform = ((second >> _S48) << _S16) | (word >> _S48)
        if pink:
            x += table[uniform & _MASK] * white_sd
            at, row = i * np.uint64(n_poles), burst * np.uint64(2 * n_poles)
            for j in range(0, n_poles, 2):
                if j >= 4:
                    second = _word(key, i, np.uint64(j // 2))
                word = second if j >= 2 else word
                x += _pole(poles, at, skip, row, _normal(word, table)) * pole_sd[np.uint64(j)]
                if j + 1 < n_poles:
                    normal = _normal(word >> _S24, table)
                    x += _pole(poles, at + _U1, skip, row + _U2, normal) * pole_sd[np.uint64(j + 1)]
                at, row = at + _U2, row + _U4
        if rtn:
            now = np.int64(uniform) < high_after[burst * _U2 + np.uint64(rtn_high[i])]
            rtn_high[i] = now
            x += traits[i * columns + _AMPLITUDE] * _LEVELS[np.uint64(now)]
        if read_sd > _ZERO:
            x += _normal(_word(key, i, _READ), table) * read_sd
        log_r[i] = x


@entry
def advance_range(
    chip: Chip, physics: Physics, key: Any, index: Integers, n: Integers, start: int, stop: int
) -> None:
    """`kernels.advance` for `index[start:stop]`."""
    _advance(chip, physics, key, index[start:stop], n[start:stop])


@inlined
def _append(burst: Any, weight: int, index: Integers, out: Integers, found: int) -> int:
    """Without a branch, which could not be predicted: the entry is written and counts where there are pulses."""
    index[found] = 2 * weight + int(burst < 0)
    out[found] = burst if burst > 0 else -burst
    return found + int(burst != 0)


@inner
def _select(n: NDArray[np.int32], start: int, index: Integers, out: Integers) -> int:
    """The devices that bursts of weights start, start + 1, ... move, and their pulses; how many they are."""
    size, found, some = len(n), 0, np.int32(0)
    for k in range(size):
        some = np.int32(some + np.int32(n[k] != 0))
    if some == size:
        for k in range(size):
            index[k] = 2 * (start + k) + int(n[k] < 0)
            out[k] = n[k] if n[k] > 0 else -n[k]
        return size
    whole = size - size % 8 if some else size
    for k in range(0, whole if some else 0, 8):  # groups without pulses are passed over
        if n[k] | n[k + 1] | n[k + 2] | n[k + 3] | n[k + 4] | n[k + 5] | n[k + 6] | n[k + 7]:
            for j in range(k, k + 8):
                found = _append(n[j], start + j, index, out, found)
    for k in range(whole, size):
        found = _append(n[k], start + k, index, out, found)
    return found


@inner
def _leave_out(unresponsive: NDArray[np.bool_], index: Integers, n: Integers) -> int:
    """Move devices that respond to the front; their number."""
    kept = 0
    for k in range(len(index)):
        index[kept], n[kept] = index[k], n[k]
        kept += not unresponsive[index[kept]]
    return kept


@inner
def _fetch(chip: Chip, columns: Any, index: Integers, weight: Floats) -> int:
    """Read a number of every line of memory that these devices need, many at once; what it returns is not used."""
    _, traits, poles, rtn_high, pulse_count, log_r, _ = chip
    n_poles, seen = np.uint64(len(poles) // len(log_r)), 0
    for k in range(len(index)):
        i = np.uint64(index[k])
        seen += traits[i * columns] > traits[i * columns + columns - _U1]
        seen += poles[i * n_poles] > log_r[i] + np.float32(pulse_count[i])
        seen += rtn_high[i] & (weight[i >> _U1] > _ZERO)
    return seen


@inlined
def _sign(difference: Any, tie_key: Any, i: Any) -> Any:
    if difference == _ZERO:
        return _ONE if _word(tie_key, i, _U0) & _U1 else -_ONE
    return _ONE if difference > _ZERO else -_ONE


@inner
def _read_signs(log_r: Floats, tie_key: Any, index: Integers, weight: Floats) -> int:
    """Bring the signs of the weights of these devices up to date; how many turned."""
    flips = 0
    for k in range(len(index)):
        i = np.uint64(index[k]) >> _U1
        sign = _sign(log_r[i << _U1] - log_r[(i << _U1) + _U1], tie_key, i)
        if sign != weight[i]:
            weight[i] = sign
            flips += 1
    return flips


@inner
def _read_all_signs(pairs: Floats, weight: Floats) -> int:
    """The same for weights in a row, none of them a tie; `pairs` holds ln R of BL and BLb by turns."""
    flips = np.int32(0)
    for k in range(len(weight)):
        sign = _ONE if pairs[2 * k] - pairs[2 * k + 1] > _ZERO else -_ONE
        flips = np.int32(flips + np.int32(sign != weight[k]))
        weight[k] = sign
    return int(flips)


@inlined
def _ties(pairs: Floats) -> int:
    ties = np.int32(0)
    for k in range(len(pairs) // 2):
        ties = np.int32(ties + np.int32(pairs[2 * k] == pairs[2 * k + 1]))
    return int(ties)


@inlined
def _pulse_block(
    chip: Chip, physics: Physics, keys: Any, n: NDArray[np.int32], start: int, weight: Floats, room: Scratch
) -> tuple[int, int, int]:
    """Bursts `n` for the weights from `start` on; (pulses, devices, flips)."""
    pulses, found = 0, _select(n, start, room.device, room.n)
    for k in range(found):
        pulses += room.n[k]
    moved = found
    if len(chip.unresponsive):
        moved = _leave_out(chip.unresponsive, room.device[:found], room.n[:found])
    index = room.device[:moved]
    if 4 * moved < len(n):
        room.seen[0] = _fetch(chip, physics.columns, index, weight)
    _advance(chip, physics, keys[0], index, room.n[:moved])
    pairs = chip.log_r[2 * start : 2 * (start + len(n))]
    if moved == len(n) and _ties(pairs) == 0:
        return pulses, found, _read_all_signs(pairs, weight[start : start + len(n)])
    return pulses, found, _read_signs(chip.log_r, keys[1], index, weight)


@entry
def pair_range(
    chip: Chip, physics: Physics, keys: Any, n: NDArray[np.int32], weight: Floats, room: Scratch, start: int,
    stop: int,
) -> tuple[int, int, int]:
    """Signed bursts `n[i]` for the weights start <= i < stop; (pulses, devices, flips)."""
    pulses, devices, flips = 0, 0, 0
    for begin in range(start, stop, BLOCK):
        end = begin + BLOCK if begin + BLOCK < stop else stop
        done = _pulse_block(chip, physics, keys, n[begin:end], begin, weight, room)
        pulses, devices, flips = pulses + done[0], devices + done[1], flips + done[2]
    return pulses, devices, flips


@inner
def _adam_block(
    gradient: Floats, mean: Floats, square: Floats, weight: Floats, step: AdamStep, n: NDArray[np.int32]
) -> int:
    """Adam's moments brought up to date and the bursts they ask for; how many are not a number."""
    bad = np.int32(0)
    for k in range(len(n)):  # counted in 32 bits and without a branch, or the processor could not do eight at once
        g = gradient[k]
        m = mean[k] * step.keep1 + g * step.new1
        v = square[k] * step.keep2 + (g * g) * step.new2
        mean[k], square[k] = m, v
        wish = (m * step.factor) / (np.sqrt(v) * step.scale + step.eps)
        wish = step.limit if wish > step.limit else wish
        wish = -step.limit if wish < -step.limit else wish
        burst = (wish + _ROUNDER) - _ROUNDER
        lost = wish != wish
        bad = np.int32(bad + np.int32(lost))
        n[k] = np.int32(_ZERO if lost else burst)
    if step.only_disagreeing:
        for k in range(len(n)):
            n[k] = n[k] if np.float32(n[k]) * weight[k] < _ZERO else np.int32(0)
    return int(bad)


@entry
def adam_range(
    chip: Chip, physics: Physics, keys: Any, gradient: Floats, mean: Floats, square: Floats, weight: Floats,
    step: AdamStep, room: Scratch, start: int, stop: int,
) -> tuple[int, int, int, int]:
    """Adam, pulses and new signs of the weights start <= i < stop; (pulses, devices, flips, not a number)."""
    pulses, devices, flips, bad = 0, 0, 0, 0
    for begin in range(start, stop, BLOCK):
        end = begin + BLOCK if begin + BLOCK < stop else stop
        n, part = room.bursts[: end - begin], slice(begin, end)
        bad += _adam_block(gradient[part], mean[part], square[part], weight[part], step, n)
        done = _pulse_block(chip, physics, keys, n, begin, weight, room)
        pulses, devices, flips = pulses + done[0], devices + done[1], flips + done[2]
    return pulses, devices, flips, bad


@entry
def fresh_range(
    chip: Chip, physics: Physics, key: Any, index: Integers, cycle: Integers, start: int, stop: int
) -> None:
    """`kernels.draw_stationary` for `index[start:stop]`."""
    n_poles, n_devices = len(physics.pole_sd), np.uint64(len(chip.log_r))
    for k in range(start, stop):
        i, again = np.uint64(index[k]), np.uint64(cycle[k])
        now = i + n_devices * again
        first, second = _word(key, now, _U0), _word(key, now, _U1)
        uniform = ((second >> _S48) << _S16) | (first >> _S48)
        chip.rtn_high[i] = np.int64(uniform) < physics.high_stationary
        for j in range(n_poles):
            word = _word(key, now, np.uint64(j // 2)) >> np.uint64(24 * (j % 2))
            chip.poles[i * np.uint64(n_poles) + np.uint64(j)] = _normal(word, physics.normals)
        level = _normal(_word(key, now, _SLOW), physics.normals)
        if again > _U0:
            level -= _normal(_word(key, now - n_devices, _SLOW), physics.normals)
        chip.traits[i * physics.columns + _OFFSET] += level * physics.slow_sd
        chip.pulse_count[i] = 0
        chip.log_r[i] = chip.log_r0[i]
