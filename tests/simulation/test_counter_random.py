import numpy as np
import pytest
import torch
from scipy import special

from weakreset.simulation.counter_random import (
    SECOND_WEIGHT,
    derive_seed,
    make_key,
    normal_pair,
    normal_table,
    random_words,
    spare_bits,
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


def test_spare_bits_are_the_upper_sixteen() -> None:
    words = torch.tensor([-1, 1 << 48, (1 << 48) - 1])
    assert spare_bits(words).tolist() == [0xFFFF, 1, 0]


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
    words = torch.tensor([(3 << 12) | 4000, (4000 << 36) | (17 << 24)])
    pairs = torch.stack(normal_pair(words, torch.from_numpy(normal_table()))).T.double().numpy()
    least = (1 + SECOND_WEIGHT) * table[0]
    w = SECOND_WEIGHT
    expected = [[table[4000] + w * table[3], least], [least, table[17] + w * table[4000]]]
    assert pairs == pytest.approx(np.array(expected), abs=1e-6)
    z = np.linspace(-5, 5, 401)
    below = [np.searchsorted(table, value - SECOND_WEIGHT * table, side="right").mean() for value in z]
    counted = np.array(below) / len(table)
    assert np.max(np.abs(counted - special.ndtr(z))) < 1e-5
    assert (1 + SECOND_WEIGHT**2) * np.mean(table**2) == pytest.approx(1.0, abs=1e-6)
    assert np.mean(table) == pytest.approx(0.0, abs=1e-7)


@pytest.mark.statistical
def test_normals_of_neighbouring_devices_words_and_keys_are_uncorrelated() -> None:
    """44 statistics of 10^6 draws, |z| < 4.5: false alarm 44 x 7e-6 = 3e-4. Fails on a copy."""
    n = 1_000_000
    table, index = torch.from_numpy(normal_table()), torch.arange(n)
    series = []
    for key in (make_key(1, "pulse", 0, 0), make_key(1, "pulse", 1, 0)):
        for word in (0, 1):
            series += list(normal_pair(random_words(key, index, word), table))
    matrix = np.corrcoef(torch.stack(series).numpy())
    off = matrix[np.triu_indices(len(series), 1)]
    assert np.max(np.abs(off)) * np.sqrt(n) < 4.5
    for x in (s.double() for s in series):
        assert abs(float((x[1:] * x[:-1]).mean())) * n**0.5 < 4.5
        assert abs(float((x**2).mean()) - 1) * (n / 2) ** 0.5 < 4.5
    assert np.corrcoef(series[0], series[0])[0, 1] * np.sqrt(n) > 4.5
