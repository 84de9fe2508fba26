"""Random numbers as a pure function of (key, device, word): no state, no order, no threads.

A 64-bit word is the SplitMix64 finaliser (Steele, Lea, Flood, OOPSLA 2014) of a Weyl counter, with a second
key mixed in between its two multiplications so that keys give unrelated streams and not shifted ones.
Keys come from BLAKE2b.

A normal deviate is T[a] + 0.618034 T[b]: T holds the means of 4096 equally likely slices of a normal law, a
and b are 12 bits each, and the irrational ratio keeps sums from falling on top of each other. It needs no
logarithm and no cosine, so every kernel and every processor gives the same bits. Its distribution function
differs from the normal one by less than 1e-5 (a test counts all pairs), its variance is 1, its range +-5.1.
`normal_vectors` makes four at a time.
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

__all__ = [
    "FIRST_SD",
    "GAMMA",
    "MULTIPLIERS",
    "READ_WORD",
    "SECOND_WEIGHT",
    "SHIFTS",
    "SLOW_WORD",
    "WORDS",
    "derive_seed",
    "make_key",
    "normal",
    "normal_table",
    "random_words",
    "upper_half",
]

SECOND_WEIGHT = 0.618034  # no simple fraction: sums of two entries do not fall together
FIRST_SD = (1.0 + SECOND_WEIGHT**2) ** -0.5
"""Standard deviation of one table entry."""

WORDS = 8
"""Words set aside for one device under one key."""

READ_WORD, SLOW_WORD = 6, 7
"""Of these, for read noise and for the slow level of 1/f noise; the first belong to its poles, four to a word."""

GAMMA = 0x9E3779B97F4A7C15
MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SHIFTS = (30, 27, 31)
"""Of SplitMix64."""

_TABLE_BITS = 12  # 4,096 numbers of 4 bytes: 16 kB stay in the first-level cache
_TABLE_MASK = (1 << _TABLE_BITS) - 1

Key = tuple[int, int]


def make_key(seed: int, purpose: str, *counters: int) -> Key:
    """Two 64-bit numbers that no other (seed, purpose, counters) shares."""
    digest = hashlib.blake2b(digest_size=16, person=purpose.encode()[:16])
    digest.update(struct.pack(f"<{1 + len(counters)}q", seed, *counters))
    first, second = struct.unpack("<2Q", digest.digest())
    return first, second


def derive_seed(seed: int, name: str) -> int:
    """A seed of its own for a named part of a model: 63 bits of BLAKE2b(seed, name)."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1  # 63 bits: seeds of torch are signed


def random_words(key: Key, index: torch.Tensor, word: int) -> torch.Tensor:
    """64 random bits for each device number in `index` (int64), as int64; same shape."""
    z = (index * WORDS + word) * _signed(GAMMA) + _signed(key[0])  # int64 overflows as uint64 does: modulo 2^64
    z ^= _shift(z, SHIFTS[0])
    z *= _signed(MULTIPLIERS[0])
    # between the multiplications: added before, keys would only shift one stream against another
    z ^= _signed(key[1])
    z ^= _shift(z, SHIFTS[1])
    z *= _signed(MULTIPLIERS[1])
    z ^= _shift(z, SHIFTS[2])
    return z


def normal(words: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """A standard normal (float32) from the low 24 bits of each word; shape (n,)."""
    first, second = words & _TABLE_MASK, (words >> _TABLE_BITS) & _TABLE_MASK
    return table.index_select(0, first) + table.index_select(0, second) * SECOND_WEIGHT


def upper_half(words: torch.Tensor) -> torch.Tensor:
    """The upper 32 bits of each word."""
    return _shift(words, 32)


@lru_cache(maxsize=1)
def normal_table() -> NDArray[np.float32]:
    """Means of 4096 equally likely slices of the normal law, scaled to standard deviation FIRST_SD."""
    from scipy.special import ndtri

    n = 1 << _TABLE_BITS
    density = np.zeros(n + 1)
    # mean of a slice of the normal law between quantiles a and b is n (phi(a) - phi(b)); phi is 0 at both ends
    density[1:-1] = np.exp(-0.5 * ndtri(np.arange(1, n) / n) ** 2) / np.sqrt(2.0 * np.pi)
    means = n * (density[:-1] - density[1:])
    # means scatter less than the law: scaled, so that the sum of two entries has variance 1
    return np.asarray(FIRST_SD * means / np.sqrt(np.mean(means**2)), dtype=np.float32)


def _signed(value: int) -> int:
    """The int64 with the same bits: torch has no arithmetic on unsigned 64-bit numbers."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _shift(z: torch.Tensor, bits: int) -> torch.Tensor:
    """Logical right shift of int64."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)
