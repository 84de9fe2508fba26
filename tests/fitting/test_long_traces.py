"""Traces of many reads: averages with their exact covariance, torn blocks, and telegraph noise that is too much."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from weakreset.errors import FitError
from weakreset.fitting import FitStatus, fit_devices
from weakreset.fitting.averaged import averaged_reads
from weakreset.fitting.step_search import most_steps
from weakreset.fitting.whitening import NoiseColour
from weakreset.model import pink_noise, two_slope
from weakreset.population import fit_population
from weakreset.traces import TraceSet

ALPHA = 0.0072


def traces(rows, pace=1):
    pulses = pace * np.arange(rows.shape[1] + 1)
    ohm = 7000.0 * np.exp(np.hstack([np.zeros((len(rows), 1)), rows]))
    return TraceSet.from_arrays([f"d{i}" for i in range(len(rows))], pulses, ohm)


@pytest.mark.parametrize("colour", [NoiseColour(1.0, 0.3), NoiseColour(0.6, 0.0), NoiseColour(None)])
@pytest.mark.parametrize("pace", [1, 4])
def test_the_covariance_of_means_is_exact(colour, pace):
    """Against the means of the covariance of all 6,000 reads, to the rounding of sums over them."""
    pulses = 1 + pace * np.arange(6000)
    middles, _, averaged = averaged_reads(pulses, np.zeros(6000))
    some = np.r_[0, 200, 511, 512, 513, 700, len(middles) - 2, len(middles) - 1]
    found = NoiseColour(colour.exponent, colour.read_ratio, averaged).covariance(middles)[np.ix_(some, some)]
    reach = pace * (averaged.reads // 2)
    members = [
        np.arange(k - reach, k + reach + 1, pace) if k >= averaged.first else np.array([k]) for k in middles[some]
    ]
    whole = colour.covariance(np.concatenate(members))
    edges = np.cumsum([0, *map(len, members)])
    parts = [[whole[a:b, c:d].mean() for c, d in pairwise(edges)] for a, b in pairwise(edges)]
    np.testing.assert_allclose(found, parts, rtol=1e-6, atol=1e-7)


def test_averages_use_every_read_and_skip_blocks_that_are_mostly_missing():
    rng = np.random.default_rng(3)
    values = rng.standard_normal(6000)
    pulses, means, averaged = averaged_reads(np.arange(1, 6001), values)
    assert averaged.reads == 3
    np.testing.assert_array_equal(means[:512], values[:512])
    np.testing.assert_allclose(means[512:], values[512 : 512 + 3 * (len(means) - 512)].reshape(-1, 3).mean(axis=1))
    keep = np.ones(6000, bool)
    keep[[512, 513, 515]] = False
    holed, some, same = averaged_reads(np.arange(1, 6001)[keep], values[keep])
    assert same == averaged
    np.testing.assert_array_equal(holed, np.delete(pulses, 512))
    assert some[512] == pytest.approx(values[[516, 517]].mean())


@pytest.fixture(scope="module")
def long_fits():
    """Three simulated devices of 20,000 reads (seed 11), knee 4,000; the first with telegraph steps at odd places."""
    rng, t = np.random.default_rng(11), np.arange(1, 20001)
    rows = two_slope(t, 2e-4, 4000.0, 0.02, 5e-6) + ALPHA * pink_noise(rng, 3, 20000)
    rows[0] += 0.09 * (((t >= 7123) & (t < 9001)) | (t >= 15432))
    return fit_devices(traces(rows), jobs=1)


def test_long_traces_give_the_knee_and_slopes_within_their_errors(long_fits):
    """Three devices, each number within 4 of its standard errors (chance 2e-4 for each of 9)."""
    for fit in long_fits:
        assert fit.status is FitStatus.OK
        for name, true in {"m1": 2e-4, "t_star": 4000.0, "c1": 0.02}.items():
            found = fit.estimates[name]
            assert abs(found.value - true) < 4 * found.stderr
    assert long_fits["d1"].estimates["t_star"].stderr < 200


def test_steps_of_a_long_trace_are_placed_on_its_reads(long_fits):
    fit = long_fits["d0"]
    assert fit.rtn.status == "ok"
    np.testing.assert_allclose(fit.rtn.steps, [7123, 9001, 15432], atol=2)
    assert fit.rtn.amplitude == pytest.approx(0.09, abs=4 * fit.rtn.amplitude_stderr)


def test_a_device_with_more_steps_than_are_followed_says_so_and_gives_no_numbers():
    rng, t = np.random.default_rng(5), np.arange(1, 601)
    rows = two_slope(t, 1e-3, 250.0, 0.02, 1e-5) + 0.003 * pink_noise(rng, 6, 600)
    rows[2] += 0.1 * (t // 20 % 2)
    fits = fit_devices(traces(rows), jobs=1)
    restless = fits["d2"]
    assert len(restless.rtn.steps) == most_steps(restless.pulses) < 29
    assert restless.status is FitStatus.RESTLESS
    assert all(restless.estimates[name].value is None for name in ("m1", "c1", "t_star", "m2"))
    assert restless not in fits.usable
    assert fits.counts()["ok"] == 5


def test_one_noisy_contact_does_not_decide_for_all_and_is_named():
    """12 simulated devices, seed 6, each with other missing reads; one of them has 12 times the others' noise."""
    rng, t = np.random.default_rng(6), np.arange(1, 401)
    rows = two_slope(t, 1e-3, 150.0, 0.02, 1e-5) + ALPHA * pink_noise(rng, 12, 400)
    rows[4] += 12 * ALPHA * rng.standard_normal(400)
    whole = traces(rows).traces
    holed = TraceSet(tuple(trace.select_reads(np.r_[True, rng.random(400) > 0.01]) for trace in whole))
    fits = fit_devices(holed, jobs=1)
    assert fits.noise.alpha == pytest.approx(ALPHA, rel=0.06)
    assert fits.noise.exponent == pytest.approx(1.0, abs=4 * fits.noise.exponent_stderr)
    assert [fit.device for fit in fits if fit.noise_ratio] == ["d4"]
    assert any("d4" in note and "no part of the pooled noise" in note for note in fits.notes)
    assert "noise" in fits.to_table().splitlines()[0]


def test_a_set_that_is_restless_is_refused_for_that_reason():
    rng, t = np.random.default_rng(7), np.arange(1, 401)
    rows = two_slope(t, 1e-3, 150.0, 0.02, 1e-5) + 0.003 * pink_noise(rng, 6, 400)
    rows[:4] += 0.1 * (t // 20 % 2)
    fits = fit_devices(traces(rows), jobs=1)
    assert fits.counts()["telegraph_beyond_search"] == 4
    with pytest.raises(FitError, match="telegraph noise is beyond the search in 4 of 6"):
        fit_population(fits)
