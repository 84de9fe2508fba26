"""Four normals at once: their moments, their law in any direction, and which bits of a word they take."""

import importlib.util
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import special

from weakreset.simulation import fit_pink_poles
from weakreset.simulation.counter_random import (
    FIRST_SD,
    READ_WORD,
    make_key,
    normal,
    normal_table,
    random_words,
    upper_half,
)
from weakreset.simulation.normal_vectors import LANES, four_normals, vector_table, white_entry

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def design() -> Any:
    """The script that made the file; no part of the package."""
    path = Path(__file__).parents[2] / "benchmarks" / "normal_design.py"
    spec = importlib.util.spec_from_file_location("normal_design", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_file_is_what_the_design_makes(design: Any) -> None:
    assert vector_table().dtype == np.float32
    assert vector_table() == pytest.approx(design.normal_design(), abs=1e-6)


def test_too_few_vectors_are_refused(design: Any) -> None:
    with pytest.raises(ValueError, match="take more vectors"):
        design.normal_design(points=256, order=8)


def _worst_moment(table: Array, orders: range) -> float:
    """Largest error of a mixed moment, in units of the sd that the product has in a normal law."""
    worst = 0.0
    for powers in itertools.product(range(max(orders) + 1), repeat=LANES):
        if sum(powers) in orders:
            wanted = math.prod(0.0 if p % 2 else float(special.factorial2(p - 1)) if p else 1.0 for p in powers)
            scale = math.sqrt(math.prod(float(special.factorial2(2 * p - 1)) if p else 1.0 for p in powers))
            worst = max(worst, abs(float(np.prod(table ** np.array(powers), axis=1).mean()) - wanted) / scale)
    return worst


def test_moments_to_the_ninth_order_are_those_of_a_normal_law() -> None:
    """All 714 of them, of one vector; sums of independent ones inherit it. The tenth order is not."""
    table = vector_table().astype(np.float64) * math.sqrt(3.0)
    assert _worst_moment(table, range(1, 10)) < 1e-6
    assert _worst_moment(table, range(10, 11)) > 1e-3
    drawn = np.random.default_rng(0).standard_normal(table.shape)
    assert _worst_moment(drawn, range(1, 10)) > 1e-2


def _law_of_sum(table: Array, direction: Array, z: Array) -> Array:
    """P(direction . (T[a] + T[b] + T[c]) <= z), counted over all triples."""
    one = table @ (direction / np.linalg.norm(direction))
    two = np.sort(np.add.outer(one, one).ravel())
    below = [np.searchsorted(two, np.sort(value - one), side="right").sum() for value in z]
    return np.array(below) / (len(two) * len(one))


def _directions() -> list[Array]:
    """The axes, two diagonals, and how the poles of 1/f^beta noise enter ln R after bursts of 1, 14 and 126."""
    found = [*np.eye(LANES), np.ones(LANES), np.array([1.0, -1.0, 0.0, 0.0])]
    for exponent, burst in ((1.0, 1), (1.0, 14), (0.7, 126)):
        poles = fit_pink_poles(exponent, 4)
        found.append(np.sqrt(poles.variance * (1.0 - poles.decay ** (2 * burst))))
    return found


def test_the_law_is_normal_in_every_direction() -> None:
    """No sampling: all 2048^3 triples are counted. Vectors that are simply drawn would fail."""
    table, z = vector_table().astype(np.float64), np.linspace(-3.1, 3.1, 63)
    for direction in _directions():
        law = _law_of_sum(table, direction, np.append(z, -4.0))
        assert np.max(np.abs(law[:-1] - special.ndtr(z))) < 2e-4
        assert law[-1] / special.ndtr(-4.0) == pytest.approx(1.0, abs=0.04)
    drawn = np.random.default_rng(0).standard_normal(table.shape) / math.sqrt(3.0)
    assert np.max(np.abs(_law_of_sum(drawn, np.ones(LANES), z) - special.ndtr(z))) > 2e-3


def test_the_numbers_lie_where_they_are_said_to() -> None:
    table = torch.from_numpy(vector_table())
    words = torch.tensor([5 | 2047 << 11 | 1024 << 22 | 4095 << 33 | 3 << 61])
    assert torch.equal(four_normals(words, table)[0], (table[5] + table[2047]) + table[1024])
    assert white_entry(words).tolist() == [4095]
    assert upper_half(words).tolist() == [3 << 29 | 4095 << 1 | 1]  # the last bit is of 1024


@pytest.mark.statistical
def test_normals_of_one_word_of_neighbours_and_of_keys_are_uncorrelated() -> None:
    """275 statistics of 10^6 draws, |z| < 4.5: false alarm 275 x 7e-6 = 1.9e-3. Fails on a copy.

    Of two keys: four normals, one of read noise, the white term, and the bits of the telegraph, which share some with
    the white term.
    """
    n = 1_000_000
    table, white, index = torch.from_numpy(vector_table()), torch.from_numpy(normal_table()), torch.arange(n)
    series = []
    for key in (make_key(1, "pulse", 0, 0), make_key(1, "pulse", 1, 0)):
        for word in (0, 1):
            series += list(four_normals(random_words(key, index, word), table).T)
        series.append(normal(random_words(key, index, READ_WORD), white))
        words = random_words(key, index, 0)
        series.append(white[white_entry(words)] / FIRST_SD)
        series.append((upper_half(words).to(torch.float64) / 2.0**32 - 0.5) * 12**0.5)
    series = [s.to(torch.float64) for s in series]
    off = np.corrcoef(torch.stack(series).numpy())[np.triu_indices(len(series), 1)]
    assert np.max(np.abs(off)) * np.sqrt(n) < 4.5
    for x in series:
        assert abs(float((x[1:] * x[:-1]).mean())) * n**0.5 < 4.5
        assert abs(float((x**2).mean()) - 1) * (n / 2) ** 0.5 < 4.5
    assert np.corrcoef(series[0], series[0])[0, 1] * np.sqrt(n) > 4.5
