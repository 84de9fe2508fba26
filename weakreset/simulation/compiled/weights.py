"""Binary weights, compiled: which devices their bursts move, and what they read as afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.simulation.compiled.arguments import ROUNDER, AdamStep, Floats, Integers, Masks, Scratch, Wholes
from weakreset.simulation.compiled.devices import word_of
from weakreset.simulation.compiled.drift import inlined, inner
from weakreset.simulation.compiled.memory import lowest_bit, row_at
from weakreset.simulation.compiled.vectors import MASK_WIDTH, where_any

__all__ = ["adam_bursts", "count_some", "leave_out", "list_devices", "read_signs"]

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_U0, _U1, _U2 = np.uint64(0), np.uint64(1), np.uint64(2)


@inner
def adam_bursts(
    gradient: Floats, mean: Floats, square: Floats, weight: Floats, step: AdamStep, n: Wholes, count: int
) -> tuple[Any, Any]:
    """Adam's first `count` moments brought up to date, and the bursts that they ask for.

    How many bursts are not zero, and how many updates are no number.
    """
    bad, some = np.int32(0), np.int32(0)
    for k in range(count):  # counted in 32 bits and without a branch, or the processor could not do eight at once
        g = gradient[k]
        m = mean[k] * step.keep1 + g * step.new1
        v = square[k] * step.keep2 + (g * g) * step.new2
        mean[k], square[k] = m, v
        wish = (m * step.factor) / (np.sqrt(v) * step.scale + step.eps)
        wish = step.limit if wish > step.limit else wish
        wish = -step.limit if wish < -step.limit else wish
        burst = (wish + ROUNDER) - ROUNDER
        lost = wish != wish
        bad = np.int32(bad + np.int32(lost))
        n[k] = np.int32(_ZERO if lost else burst)
        some = np.int32(some + np.int32(n[k] != 0))
    if step.only_disagreeing:
        for k in range(count):
            n[k] = n[k] if np.float32(n[k]) * weight[k] < _ZERO else np.int32(0)
        some = count_some(n, count)
    return some, bad


@inlined
def count_some(n: Wholes, count: int) -> Any:
    """How many of the first `count` bursts are not zero."""
    some = np.int32(0)
    for k in range(count):
        some = np.int32(some + np.int32(n[k] != 0))
    return some


@inlined
def _put(burst: Any, weight: Any, device: Integers, pulses: Integers, at: int) -> None:
    """The device that a signed burst moves, and its pulses."""
    device[at] = 2 * weight + np.int64(burst < 0)
    pulses[at] = burst if burst > 0 else -burst


@inlined
def list_devices(n: Wholes, count: int, some: int, start: int, room: Scratch, found: int) -> None:
    """Behind `found`, list the devices that `count` bursts move, `some` of them not zero, of weights start, ..."""
    device, pulses = row_at(room.device, found), row_at(room.pulses, found)
    if some == count:
        for k in range(some):
            _put(n[k], start + k, device, pulses, k)
    elif some:
        _list_some(n, count, some, start, device, pulses, room.masks)


@inlined
def _list_some(
    n: Wholes, count: int, some: int, start: int, device: Integers, pulses: Integers, masks: Masks
) -> None:
    """Without branches that depend on the bursts, which could not be predicted."""
    kept = _U0
    for first in range(0, count, MASK_WIDTH):
        if first + MASK_WIDTH <= count:
            mask = where_any(n, np.uint64(first))
        else:
            mask = _U0
            for k in range(first, count):
                mask |= np.uint64(n[k] != 0) << np.uint64(k - first)
        masks[kept], masks[kept + _U1] = mask, np.uint64(first)
        kept += _U2 * np.uint64(mask != _U0)
    at = _U0
    for k in range(some):
        here = np.int64(masks[at + _U1] + lowest_bit(masks[at]))
        _put(n[here], start + here, device, pulses, k)
        masks[at] &= masks[at] - _U1
        at += _U2 * np.uint64(masks[at] == _U0)


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
        if difference[k] == _ZERO:
            sign = _ONE if word_of(tie_key, i, _U0) & _U1 else -_ONE
        if sign != weight[i]:
            weight[i] = sign
            flips += 1
    return flips


@inlined
def _read_row(difference: Floats, device: Integers, found: int, weight: Floats) -> Any:
    """Weights in a row, none of them a tie."""
    flips = np.int32(0)
    for k in range(found):
        sign = _sign(difference[k], device[k])
        flips = np.int32(flips + np.int32(sign != weight[k]))
        weight[k] = sign
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
        return _read_row(difference, device, found, row_at(weight, start))
    return _read_some(difference, device, found, weight, tie_key)
