"""A first look at a whole set, trace after trace: a sample of the devices, and the grids on which they were read.

The sample are the traces with the smallest fingerprints: as good as drawn at random, and the same in whatever order the
set is read, in one piece or in parts, under whatever names.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.common_grids import common_grids
from weakreset.fitting.group import Grid
from weakreset.fitting.used_reads import UsedReads
from weakreset.fitting.whitening import Averaged
from weakreset.traces.direction import Votes

__all__ = ["SURVEYED", "Survey"]

SURVEYED = 96
"""Devices from which noise and outlook of a set are estimated."""

_MOST_PATTERNS = 4096  # 32 MB of 1,000 pulses each
_AT_A_TIME = 256  # traces in one table


class _Pattern(NamedTuple):
    """A list of pulses at which traces were read, and how many were."""

    pulses: NDArray[np.int64]
    averaged: Averaged | None
    n_traces: int


class Survey:
    """What is remembered of a set: no more than 96 traces and 4,096 patterns of pulses, however large it is."""

    def __init__(self) -> None:
        self._sample: list[tuple[int, int, UsedReads]] = []
        self._patterns: dict[bytes, _Pattern] = {}
        self._left_out: bytes | None = None
        self.n_devices = 0
        self.votes = Votes()

    def add(self, used: Iterable[UsedReads]) -> None:
        """Look at some traces."""
        by_length: dict[int, list[UsedReads]] = {}
        for one in used:
            self._add_one(one)
            by_length.setdefault(len(one.pulses), []).append(one)
        for alike in by_length.values():
            for first in range(0, len(alike), _AT_A_TIME):
                part = alike[first : first + _AT_A_TIME]
                self.votes.add([one.trace.key for one in part], np.stack([one.log_ratio for one in part]))

    def _add_one(self, used: UsedReads) -> None:
        self.n_devices += 1
        # a heap gives the largest of the smallest: negated
        entry = (-int.from_bytes(used.fingerprint, "big"), self.n_devices, used)
        if len(self._sample) < SURVEYED:
            heapq.heappush(self._sample, entry)
        elif entry > self._sample[0]:
            heapq.heapreplace(self._sample, entry)
        self._add_pattern(used)

    def _add_pattern(self, used: UsedReads) -> None:
        key = hashlib.blake2b(used.pulses.tobytes() + repr(used.averaged).encode(), digest_size=16).digest()
        if self._left_out is not None and key >= self._left_out:
            return
        known = self._patterns.get(key)
        self._patterns[key] = _Pattern(used.pulses, used.averaged, 1 + (known.n_traces if known else 0))
        if len(self._patterns) > _MOST_PATTERNS:  # those with the smallest digests are kept: a fair sample too
            self._left_out = max(self._patterns)
            del self._patterns[self._left_out]

    @property
    def sample(self) -> list[UsedReads]:
        """Up to 96 traces, in the order of their fingerprints."""
        return [used for _, _, used in sorted(self._sample, key=lambda entry: -entry[0])]

    def grids(self) -> tuple[Grid, ...]:
        """Common grids of the set, that of most traces first."""
        by_kind: dict[Averaged | None, list[_Pattern]] = {}
        for key in sorted(self._patterns):
            by_kind.setdefault(self._patterns[key].averaged, []).append(self._patterns[key])
        found: list[tuple[int, Grid]] = []
        for averaged, patterns in by_kind.items():
            counts = [pattern.n_traces for pattern in patterns]
            for pulses, members in common_grids([pattern.pulses for pattern in patterns], counts):
                found.append((sum(counts[i] for i in members), (averaged, pulses)))
        found.sort(key=lambda one: (-one[0], one[1][1].tobytes()))
        return tuple(grid for _, grid in found)
