"""A disturbance that devices share, against sets with and without one."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from weakreset.fitting import fit_devices
from weakreset.fitting.common_mode import FALSE_ALARMS, common_mode, shared_walk
from weakreset.fitting.whitening import NoiseColour
from weakreset.model import pink_noise
from weakreset.traces import TraceSet


def white_fits(rng, shared=0.0, n=40, pulses=300):
    common = shared * rng.standard_normal(pulses)
    rows = rng.standard_normal((n, pulses)) * rng.uniform(0.5, 2.0, (n, 1)) + common
    return [SimpleNamespace(white_residuals=row, pulses=np.arange(1, pulses + 1), averaged=None) for row in rows]


@pytest.mark.statistical
def test_independent_devices_are_rarely_said_to_share_one():
    """Normal residuals, 2,000 sets, seed 1: at a rate of 1e-3 more than 8 alarms have probability 2e-4 (Poisson)."""
    rng = np.random.default_rng(1)
    alarms = sum(common_mode(white_fits(rng, n=12, pulses=200)).seen for _ in range(2000))
    assert alarms <= 2000 * FALSE_ALARMS + 6
    assert sum(common_mode(white_fits(rng, 0.3)).seen for _ in range(50)) == 50


@pytest.mark.statistical
def test_a_set_that_shares_a_wave_says_so_and_one_that_does_not_is_silent():
    """30 devices of 1/f noise, seed 2; the wave is a random walk of a tenth of their step. False alarms: 1e-3."""
    rng = np.random.default_rng(2)
    t = np.arange(1.0, 401.0)
    drift = rng.gamma(4.0, 3e-4, (30, 1)) * np.minimum(t, rng.uniform(100, 300, (30, 1)))
    quiet = drift + 0.007 * pink_noise(rng, 30, 400)
    wave = np.cumsum(rng.standard_normal(400)) * 1.5e-3
    said = []
    for log_ratio in (quiet, quiet + wave):
        ohm = 7000.0 * np.exp(np.hstack([np.zeros((30, 1)), log_ratio]))
        traces = TraceSet.from_arrays([f"d{i}" for i in range(30)], np.arange(401), ohm)
        said.append(any("share a disturbance" in note for note in fit_devices(traces, jobs=1, rtn=False).notes))
    assert said == [False, True]


@pytest.mark.statistical
def test_the_walk_is_as_large_where_every_device_misses_other_reads():
    """40 devices of 1/f noise and one walk of 1.5e-3 a pulse, seed 4; 5 % of the reads of each missing.

    The mean of 400 steps knows the walk to about 5 %; the gaps move its variance by up to 7 % in five sets.
    """
    rng = np.random.default_rng(4)
    left = 0.007 * pink_noise(rng, 40, 400) + np.cumsum(rng.standard_normal(400)) * 1.5e-3

    def found(missing):
        fits = []
        for row, kept in zip(left, rng.random(left.shape) >= missing, strict=True):
            flat = {"drift_at": np.zeros_like, "rtn": SimpleNamespace(offset=np.zeros_like)}
            pulses = np.flatnonzero(kept) + 1
            fits.append(SimpleNamespace(pulses=pulses, log_ratio=row[kept], white_residuals=row, averaged=None, **flat))
        return shared_walk(fits, 0.007, NoiseColour(1.0))

    whole, with_gaps = found(0.0), found(0.05)
    assert np.sqrt(whole) * 0.007 == pytest.approx(1.5e-3, rel=0.25)
    assert with_gaps == pytest.approx(whole, rel=0.15)


def test_few_devices_or_pulses_say_nothing():
    rng = np.random.default_rng(3)
    assert common_mode(white_fits(rng, 5.0, n=5)).z == 0.0
    assert common_mode(white_fits(rng, 5.0, pulses=20)).z == 0.0
    assert common_mode([]).sentences == ()
