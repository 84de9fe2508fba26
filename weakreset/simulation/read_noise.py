"""Reading devices again, with new read noise and without moving them.

ln R as stored is what the read after the last pulse gave, its read noise included. That part is a function of the key
of the last burst and the number of the device, so it can be computed once more, kept beside ln R, and taken out before
another read adds its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate

import torch
from torch import Tensor

from weakreset.simulation.counter_random import READ_WORD, Key, make_key, normal, random_words
from weakreset.simulation.skip_ahead import LONGEST_BURST

__all__ = ["errors_kept", "fresh_signs"]

_SURE = 8.0
"""Standard deviations of a comparison beyond which read noise (whose normals end at 5.1) turns no sign."""


@contextmanager
def errors_kept(
    error: Tensor | None, count: Tensor, bursts: Sequence[int], keys: Iterator[Key], normals: Tensor, sd: float
) -> Iterator[None]:
    """Bring `error` (flat), the read noise in the stored ln R of each device, up to date after the pulses given inside.

    `count` is a view of the state of the devices (2 x pulses + telegraph state). The k-th burst that a device got had
    `bursts[k]` pulses and the k-th of `keys`; without `bursts`, all but the last had LONGEST_BURST. Nothing where
    `error` is None: the file has no read noise.
    """
    if error is None:
        yield
        return
    before = count >> 1
    yield
    given = (count >> 1) - before
    ends = torch.tensor(list(accumulate(bursts)), dtype=given.dtype, device=given.device)
    # a device stops after a whole burst, so the pulses it got say which burst was its last
    last = torch.bucketize(given, ends) if bursts else (given - 1) // LONGEST_BURST
    last = torch.where(given > 0, last, -1)
    for k in range(int(last.max()) + 1 if last.numel() else 0):
        key, index = next(keys), (last == k).nonzero().view(-1)
        error[index] = normal(random_words(key, index, READ_WORD), normals) * sd


def fresh_signs(log_r: Tensor, error: Tensor, sd: float, seed: int, read: int, normals: Tensor) -> Tensor:
    """Signs of all pairs (flat) in read number `read`: those that noise can reach are compared again.

    `log_r`, `error` have a row a pair, BL and BLb. Two reads differ by one normal number of standard deviation
    sqrt(2) sd, and only for pairs so close that it matters.
    """
    # without the noise of the last read: what the devices are
    difference = (log_r[:, 0] - error[:, 0]) - (log_r[:, 1] - error[:, 1])
    step = 2.0**0.5 * sd
    index = (difference.abs() < _SURE * step).nonzero().view(-1)
    read_now = difference[index] + normal(random_words(make_key(seed, "read", read), index, 0), normals) * step
    fresh = torch.where(difference > 0, 1.0, -1.0)
    fresh[index] = torch.where(read_now > 0, 1.0, -1.0)
    return fresh
