"""Binary weights, compiled: which devices their bursts move, and what they read as afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.simulation.compiled.arguments import ROUNDER, AdamStep, Floats, Integers, Scratch, Wholes
from weakreset.simulation.compiled.compiling import inlined, inner
from weakreset.simulation.compiled.devices import word_of

__all__ = ["MASK_WIDTH", "adam_bursts", "adam_wish", "count_some", "leave_out", "list_devices", "read_signs"]

MASK_WIDTH = 64
"""Bursts whose being there or not is kept in the bits of one number."""

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_U0, _U1, _U2 = np.uint64(0), np.uint64(1), np.uint64(2)
_EXPONENT_PLACE, _EXPONENT_OF_ONE = 52, 1023


@inner
def adam_wish(gradient: Floats, mean: Floats, square: Floats, step: AdamStep, at: Any) -> Any:
    """`adam.adam_update` of one weight."""
    g = gradient[at]
    m = mean[at] * step.keep1 + g * step.new1
    v = square[at] * step.keep2 + (g * g) * step.new2
    mean[at], square[at] = m, v
    return (m * step.factor) / (np.sqrt(v) * step.scale + step.eps)


@inner
def adam_bursts(
    gradient: Floats, mean: Floats, square: Floats, weight: Floats, step: AdamStep, n: Wholes, begin: Any, count: int
) -> tuple[Any, Any]:
    """Adam's moments of `count` weights from `begin` on brought up to date, and the bursts `n[:count]` they ask for.

    How many bursts are not zero, and how many updates are no number.
    """
    bad, some = np.int32(0), np.int32(0)
    for k in range(count):  # counted in 32 bits and without a branch, or the processor could not do eight at once
        wish = adam_wish(gradient, mean, square, step, begin + np.uint64(k))
        wish = step.limit if wish > step.limit else wish
        wish = -step.limit if wish < -step.limit else wish
        burst = (wish + ROUNDER) - ROUNDER  # `limit` keeps it below 2^22, where that rounds
        lost = wish != wish
        bad = np.int32(bad + np.int32(lost))
        n[k] = np.int32(_ZERO if lost else burst)
        some = np.int32(some + np.int32(n[k] != 0))
    if step.only_disagreeing:
        for k in range(count):
            n[k] = n[k] if np.float32(n[k]) * weight[begin + np.uint64(k)] < _ZERO else np.int32(0)
        some = count_some(n, _U0, count)
    return some, bad


@inlined
def count_some(n: Wholes, first: Any, count: int) -> Any:
    """How many of the bursts n[first : first + count] are not zero."""
    some = np.int32(0)
    for k in range(count):
        some = np.int32(some + np.int32(n[first + np.uint64(k)] != 0))
    return some


@inlined
def _put(burst: Any, weight: Any, room: Scratch, at: Any) -> None:
    """List, at `at`, the device that a signed burst moves, and its pulses."""
    room.device[at] = 2 * weight + np.int64(burst < 0)
    room.pulses[at] = burst if burst > 0 else -burst


@inlined
def list_devices(n: Wholes, first: Any, count: int, some: int, start: int, room: Scratch, found: int) -> None:
    """Behind `found`, list the devices that n[first : first + count] move, `some` not zero, of weights start, ..."""
    if some == count:
        for k in range(some):
            _put(n[first + np.uint64(k)], start + k, room, np.uint64(found + k))
    elif some:
        _list_some(n, first, count, some, start, room, found)


@inlined
def _list_some(n: Wholes, first: Any, count: int, some: int, start: int, room: Scratch, found: int) -> None:
    """Without branches that depend on the bursts, which could not be predicted.

    One burst after the other a step takes 1.7 times as long where 2 % are pulsed; passing over eight that are all zero
    at once, 1.2 to 1.5 times (Zen 4, one thread).
    """
    masks, kept = room.masks, _U0
    for begin in range(0, count, MASK_WIDTH):
        mask = _mask(n, first + np.uint64(begin), min(MASK_WIDTH, count - begin))
        masks[kept], masks[kept + _U1] = mask, np.uint64(begin)
        kept += _U2 * np.uint64(mask != _U0)
    at = _U0
    for k in range(some):
        here = masks[at + _U1] + _lowest_bit(masks[at])
        _put(n[first + here], start + np.int64(here), room, np.uint64(found + k))
        masks[at] &= masks[at] - _U1  # clears the lowest bit
        at += _U2 * np.uint64(masks[at] == _U0)


@inner
def _mask(n: Wholes, first: Any, count: int) -> Any:
    """A number whose bit j tells whether n[first + j] is not zero, j below `count`."""
    mask = _U0
    if count == MASK_WIDTH:  # a length that is known when this is compiled: LLVM then makes many bits at once
        for j in range(MASK_WIDTH):
            mask |= np.uint64(n[first + np.uint64(j)] != 0) << np.uint64(j)
    else:
        for j in range(count):
            mask |= np.uint64(n[first + np.uint64(j)] != 0) << np.uint64(j)
    return mask


@inner
def _lowest_bit(mask: Any) -> Any:
    """The place of the lowest bit that is set, in a mask that is not zero: the exponent of that bit as a number."""
    return np.uint64((np.float64(mask & (_U0 - mask)).view(np.int64) >> _EXPONENT_PLACE) - _EXPONENT_OF_ONE)


@inlined
def leave_out(unresponsive: NDArray[np.bool_], device: Integers, pulses: Integers, found: int) -> int:
    """Move devices that respond to the front; their number."""
    kept = 0
    for k in range(found):
        device[kept], pulses[kept] = device[k], pulses[k]
        kept += not unresponsive[device[kept]]
    return kept


@inlined
def _sign(difference: Any, device: Any) -> Any:
    """Of a weight one of whose devices was read this much above the other; no tie."""
    up = np.int32(difference > _ZERO) ^ np.int32(device & 1)
    return _ONE if up else -_ONE


@inlined
def _read_some(difference: Floats, device: Integers, found: int, weight: Floats, tie_key: Any) -> Any:
    flips = 0
    for k in range(found):
        i = np.uint64(device[k]) >> _U1
        sign = _sign(difference[k], device[k])
        if difference[k] == _ZERO:  # a tie: the coin of the weight, as in `DifferentialPair`
            sign = _ONE if word_of(tie_key, i, _U0) & _U1 else -_ONE
        if sign != weight[i]:
            weight[i] = sign
            flips += 1
    return flips


@inlined
def _read_row(difference: Floats, device: Integers, found: int, weight: Floats, start: Any) -> Any:
    """Weights in a row from `start` on, none of them a tie."""
    flips = np.int32(0)
    for k in range(found):
        at = start + np.uint64(k)
        sign = _sign(difference[k], device[k])
        flips = np.int32(flips + np.int32(sign != weight[at]))
        weight[at] = sign
    return flips


@inlined
def _ties(difference: Floats, found: int) -> Any:
    ties = np.int32(0)
    for k in range(found):
        ties = np.int32(ties + np.int32(difference[k] == _ZERO))
    return ties


@inlined
def read_signs(
    difference: Floats, device: Integers, found: int, weight: Floats, tie_key: Any, start: int, stop: int
) -> Any:
    """Bring the signs of the weights of `found` devices up to date, all between start and stop; how many turned.

    `difference` is ln R of the device minus that of the other one of its pair.
    """
    if found == stop - start and _ties(difference, found) == 0:
        return _read_row(difference, device, found, weight, np.uint64(start))
    return _read_some(difference, device, found, weight, tie_key)
