"""Dies that differ and two kinds of devices are noticed; lots without structure are left in peace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from weakreset.population.dip import dip, two_kinds
from weakreset.population.structure import _compare, group_tests, structure_notes


def with_dies(fits, dies, shift):
    """The fits with a column `die`, and R0 of each die moved by `shift` of it."""
    traces = []
    for trace, die in zip(fits.traces, dies, strict=True):
        traces.append(replace(trace, extras={"Die": np.full(len(trace), f"D{die}")}))
    moved = []
    for fit, die in zip(fits.fits, dies, strict=True):
        r0 = replace(fit.estimates["r0_ohm"], value=fit.estimates["r0_ohm"].value * np.exp(shift[die]))
        moved.append(replace(fit, estimates={**fit.estimates, "r0_ohm": r0}))
    return replace(fits, traces=replace(fits.traces, traces=tuple(traces)), fits=tuple(moved))


def test_dies_that_differ_are_named_and_others_not(fitted):
    """200 devices on 8 dies; R0 of the dies spreads by 0.1 beside 0.055 within; joint level 5 %."""
    dies, still = np.arange(200) % 8, np.zeros(8)
    shift = 0.1 * np.random.default_rng(2).standard_normal(8)
    tests = {test.number: test for test in group_tests(with_dies(fitted, dies, shift))}
    assert tests["r0_ohm"].differ
    assert tests["r0_ohm"].n_groups == 8
    assert tests["r0_ohm"].share > 0.4
    assert not any(test.differ for name, test in tests.items() if name != "r0_ohm")
    notes = structure_notes(with_dies(fitted, dies, shift))
    assert "8 groups of 'die' differ in r0_ohm" in notes[0]
    assert "no difference shown" in structure_notes(with_dies(fitted, dies, still))[0]


def test_without_columns_nothing_is_said(fitted):
    assert not structure_notes(fitted)


@pytest.mark.statistical
def test_the_analysis_of_variance_keeps_its_level():
    """Exponential values, no groups: of 1,000 sets at 5 % more than 74 are called with probability 6e-4."""
    code = np.repeat(np.arange(8), 6)
    samples = [np.random.default_rng(seed).exponential(size=48) for seed in range(1000)]
    p_values = [_compare("die", "x", code, 8, values).p_value for values in samples]
    limit = stats.binom.isf(6e-4, 1000, 0.05)
    assert np.sum(np.array(p_values) < 0.05) <= limit
    assert np.sum(np.array(p_values) < 0.10) > limit  # a test with twice the level would be seen


def test_dip_of_known_samples():
    """Evenly spread values have the least dip there is, 1/(2n); two far points masses nearly 1/4."""
    assert dip(np.arange(50.0)) == pytest.approx(1 / 100)
    masses = np.concatenate([np.linspace(0, 1e-3, 50), 1 + np.linspace(0, 1e-3, 50)])
    assert dip(masses) == pytest.approx(0.25, abs=0.02)


@pytest.mark.statistical
def test_one_mode_is_not_called_two_and_two_are():
    """At 5 %: of 60 sets with one mode more than 8 would be called with probability 0.004; power seen, not promised."""
    shapes = {
        "uniform": lambda rng: rng.random(100), "exponential": lambda rng: rng.exponential(size=100),
        "heavy tails": lambda rng: rng.standard_t(3, 100),
    }
    for draw in shapes.values():
        assert sum(two_kinds(draw(np.random.default_rng(s))) < 0.05 for s in range(60)) <= 8
    halves = [two_kinds(np.random.default_rng(s).normal(size=100) + 5.0 * (np.arange(100) < 50)) for s in range(20)]
    assert np.sum(np.array(halves) < 0.05) >= 18


@pytest.mark.statistical
def test_the_table_of_dips_is_that_of_uniform_samples():
    """300 samples of 80 values, between the sizes of the table: within 4 sd (6e-5) of every level."""
    p_values = np.array([two_kinds(np.random.default_rng(s).random(80)) for s in range(300)])
    for level in (0.5, 0.1, 0.05):
        spread = 4 * np.sqrt(level * (1 - level) / 300)
        assert abs(np.mean(p_values < level) - level) < spread
        assert abs(np.mean(p_values < level) - 2 * level) > spread or level == 0.05
