"""Gaps and ragged ends: exact, whatever the other devices were read at."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.fitting import fit_devices
from weakreset.fitting.bases import basis_of
from weakreset.fitting.common_grids import common_grids
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.shared_dictionary import SharedDictionary
from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.model import SHAPES
from weakreset.traces import PulseTrace, TraceSet
from weakreset.twin import simulate_population

GRID = np.arange(1, 201)
HOLES = np.delete(GRID, [0, 40, 41, 42, 120])
SHORT = GRID[:150]
BOTH = np.delete(SHORT, [17, 60])


@pytest.mark.parametrize("pulses", [GRID, HOLES, SHORT, BOTH])
@pytest.mark.parametrize("colour", [NoiseColour(1.0, 0.2), NoiseColour(0.4, 0.0), NoiseColour(None)])
def test_a_part_of_a_whitener_is_the_whitener_of_the_part(pulses, colour):
    part, alone = Whitener(GRID, colour).at(pulses), Whitener(pulses, colour)
    values = np.random.default_rng(1).standard_normal((len(pulses), 3))
    left, right = part.columns(values), alone.columns(values)
    np.testing.assert_allclose(left.T @ left, right.T @ right, rtol=1e-7, atol=1e-9)
    assert part.log_det == pytest.approx(alone.log_det, abs=1e-7)


@pytest.mark.parametrize("drift", ["two-slope", "power-law", "single-slope"])
def test_a_shared_dictionary_gives_what_one_of_its_own_would(drift):
    """Gains of every knee and of every step that its own dictionary has, beside the base columns."""
    basis, rng = basis_of(SHAPES[drift]), np.random.default_rng(2)
    shared = SharedDictionary(GRID, NoiseColour(1.0, 0.1), basis)
    for pulses in (SHORT, BOTH, HOLES, GRID, SHORT):
        row = rng.standard_normal((1, len(pulses)))
        part, alone = shared.at(pulses), Dictionary(Whitener(pulses, NoiseColour(1.0, 0.1)), basis)
        products, own = part.project(row)[1][0], alone.project(row)[1][0]
        assert part.solve(products, part.base)[1] == pytest.approx(alone.solve(own, alone.base)[1], rel=1e-7)
        if len(alone.grid):
            gains = dict(zip(part.grid, part.knee_gains(products, part.base)[0], strict=True))
            for k, gain in zip(alone.grid, alone.knee_gains(own, alone.base)[0], strict=True):
                if k in gains:  # a hole is a place for a knee too, and a margin counts the reads of the grid
                    assert gains[k] == pytest.approx(gain, rel=1e-5, abs=1e-9)
            assert len(set(alone.grid) & set(gains)) > 0.9 * len(alone.grid)
        product, length = part.candidates(products, part.base, part.steps)
        expected, whole = alone.candidates(own, alone.base, alone.steps)
        by_read = dict(zip(part.step_reads, product**2 / length, strict=True))
        for read, gain in zip(alone.step_reads, expected**2 / whole, strict=True):
            assert by_read[read] == pytest.approx(gain, rel=1e-5, abs=1e-9)


def test_the_gram_matrix_of_a_shorter_trace_does_not_depend_on_what_came_before():
    basis = basis_of(SHAPES["two-slope"])
    first, second = (SharedDictionary(GRID, NoiseColour(1.0), basis) for _ in range(2))
    first.at(SHORT[:130])
    np.testing.assert_array_equal(first.at(SHORT).gram, second.at(SHORT).gram)


def test_few_missing_reads_and_other_ends_are_the_common_grid_and_other_grids_are_not():
    sparse = np.arange(10, 2001, 10)
    reads = [GRID, HOLES, SHORT, BOTH, GRID, sparse, sparse, GRID[:35]]
    grids = common_grids(reads)
    assert sorted(i for _, members in grids for i in members) == list(range(8))
    by_trace = {i: tuple(pulses) for pulses, members in grids for i in members}
    assert all(by_trace[i] == tuple(GRID) for i in range(5))
    assert by_trace[5] == by_trace[6] == tuple(sparse)
    assert by_trace[7] == tuple(GRID[:35])


def test_a_grid_has_no_pulse_that_none_of_its_traces_was_read_at():
    only_odd = [GRID[::2]] * 5
    assert tuple(common_grids([*only_odd, GRID])[0][0]) == tuple(GRID[::2])


@pytest.fixture(scope="module")
def lots(published):
    """36 simulated devices of 600 reads: in full, with 1 % of the reads missing, with other ends; seed 31."""
    made = simulate_population(published, 36, 600, 31)
    rng, ohm = np.random.default_rng(32), made.resistance_ohm()
    keep = rng.random(ohm.shape) >= 0.01
    keep[:, 0] = True
    full, gaps, ragged = [], [], []
    for i, (row, kept) in enumerate(zip(ohm, keep, strict=True)):
        full.append(PulseTrace(f"d{i}", made.pulses, row))
        gaps.append(PulseTrace(f"d{i}", made.pulses[kept], row[kept]))
        n = 601 - (i % 7) * 3
        ragged.append(PulseTrace(f"d{i}", made.pulses[:n], row[:n]))
    return [fit_devices(TraceSet(tuple(one)), jobs=1) for one in (full, gaps, ragged)], TraceSet(tuple(gaps))


@pytest.mark.parametrize("which", [1, 2])
def test_gaps_and_other_ends_leave_the_numbers_within_their_errors(lots, which):
    """One read of a hundred moves a number by about a tenth of its error: a quarter at the median, one at 90 %."""
    full, other = lots[0][0], lots[0][which]
    assert other.noise.alpha == pytest.approx(full.noise.alpha, rel=0.02)
    assert other.noise.exponent == pytest.approx(full.noise.exponent, abs=2 * full.noise.exponent_stderr)
    same = [(a, b) for a, b in zip(full, other, strict=True) if a.status is b.status and a.rtn.status == b.rtn.status]
    assert len(same) >= 30
    for name in ("m1", "c1", "t_star"):
        away = [
            abs(a.estimates[name].value - b.estimates[name].value) / a.estimates[name].stderr
            for a, b in same if a.estimates[name].value is not None and b.estimates[name].value is not None
        ]
        assert len(away) > 5
        assert np.median(away) < 0.25
        assert np.quantile(away, 0.9) < 1.0


def test_the_reads_of_a_fit_are_the_traces_own(lots):
    (_, gaps, _), traces = lots
    for fit, trace in zip(gaps, traces, strict=True):
        used = np.setdiff1d(trace.pulses[trace.pulses >= 1], fit.set_aside)
        np.testing.assert_array_equal(fit.pulses, used)
        assert len(fit.white_residuals) == len(fit.log_ratio) == len(used)


def test_the_numbers_of_a_ragged_set_do_not_depend_on_the_processes(lots):
    gaps = lots[1]
    one, two = (fit_devices(gaps, jobs=jobs).to_frame() for jobs in (1, 2))
    assert one.equals(two)


def test_lone_reads_are_taken_as_missing_and_named(published):
    made = simulate_population(published, 8, 300, 9, ("rtn",))
    ohm = made.resistance_ohm().copy()
    clean = fit_devices(TraceSet.from_arrays([f"d{i}" for i in range(8)], made.pulses, ohm))
    ohm[3, 120] *= 1.5
    fits = fit_devices(TraceSet.from_arrays([f"d{i}" for i in range(8)], made.pulses, ohm))
    assert fits["d3"].set_aside == (120,)
    assert any("d3 at pulse 120" in note for note in fits.notes)
    away = fits["d3"].estimates["m1"].value - clean["d3"].estimates["m1"].value
    assert abs(away) < 0.3 * clean["d3"].estimates["m1"].stderr
