import numpy as np
import pytest
import torch
from scipy import special

from weakreset.simulation.counter_random import (
    SECOND_WEIGHT,
    derive_seed,
    make_key,
    normal,
    normal_table,
    random_words,
    upper_half,
)

MASK = (1 << 64) - 1


def _reference(key: tuple[int, int], index: int, word: int) -> int:
    """The same generator in Python's unlimited integers."""
    z = ((index * 8 + word) * 0x9E3779B97F4A7C15 + key[0]) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK) ^ key[1]
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def test_words_equal_those_of_unsigned_arithmetic() -> None:
    key = make_key(7, "pulse", 3, 0)
    index = torch.tensor([0, 1, 2, 12345, 10**8, 2**40])
    for word in (0, 1, 7):
        found = [w & MASK for w in random_words(key, index, word).tolist()]
        assert found == [_reference(key, i, word) for i in index.tolist()]


def test_the_upper_half_of_a_word_is_not_negative() -> None:
    words = torch.tensor([-1, 1 << 32, (1 << 32) - 1])
    assert upper_half(words).tolist() == [0xFFFFFFFF, 1, 0]


@pytest.mark.parametrize("other", [(8, "pulse", 3, 0), (7, "set", 3, 0), (7, "pulse", 4, 0)])
def test_keys_differ_in_every_argument(other: tuple[int, str, int, int]) -> None:
    assert make_key(7, "pulse", 3, 0) != make_key(*other)


def test_derived_seeds_depend_on_name_and_seed_and_fit_in_63_bits() -> None:
    seeds = {derive_seed(seed, name) for seed in range(50) for name in ("1", "2", "layer.1")}
    assert len(seeds) == 150
    assert all(0 <= seed < 1 << 63 for seed in seeds)


def test_normals_have_the_normal_distribution_to_1e_5() -> None:
    """No sampling: P(T[a] + 0.618034 T[b] <= z) is counted over all 2^24 pairs."""
    table = np.sort(normal_table().astype(np.float64))
    words = torch.tensor([(3 << 12) | 4000, (1 << 24) | 17])
    found = normal(words, torch.from_numpy(normal_table())).double().numpy()
    expected = [table[4000] + SECOND_WEIGHT * table[3], table[17] + SECOND_WEIGHT * table[0]]
    assert found == pytest.approx(np.array(expected), abs=1e-6)
    z = np.linspace(-5, 5, 401)
    below = [np.searchsorted(table, value - SECOND_WEIGHT * table, side="right").mean() for value in z]
    counted = np.array(below) / len(table)
    assert np.max(np.abs(counted - special.ndtr(z))) < 1e-5
    assert (1 + SECOND_WEIGHT**2) * np.mean(table**2) == pytest.approx(1.0, abs=1e-6)
    assert np.mean(table) == pytest.approx(0.0, abs=1e-7)
