"""The device model: what a pulse does, and what the authors' faults would have done."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.model import DeviceNoise, Devices, simulate_devices
from weakreset.twin import simulate_population, simulate_traces


def devices(n: int = 4, amplitude: float = 0.1) -> Devices:
    drift = {"m1": np.full(n, 6e-4), "t_star": np.full(n, 50.0), "c1": np.full(n, 0.01), "m2": np.full(n, 3e-5)}
    return Devices(np.full(n, 7000.0), drift, np.full(n, amplitude))


def test_without_noise_the_trace_is_the_drift_and_starts_at_r0():
    made = simulate_devices(devices(), DeviceNoise(), 100, np.random.default_rng(0))
    assert np.all(made.log_ratio[:, 0] == 0)
    np.testing.assert_allclose(made.resistance_ohm()[:, 0], 7000.0)
    np.testing.assert_allclose(made.log_ratio[:, 1:], made.devices.mean_log_ratio(np.arange(1, 101)))


def test_telegraph_noise_holds_one_level_per_device():
    noise = DeviceNoise(p_up=0.05, p_down=0.05)
    made = simulate_devices(devices(), noise, 500, np.random.default_rng(1))
    steps = made.log_ratio[:, 1:] - made.devices.mean_log_ratio(np.arange(1, 501))
    np.testing.assert_allclose(np.unique(np.round(steps, 12)), [0.0, 0.1], atol=1e-12)
    assert made.high[:, 1:].mean() == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("without", ["pink", "rtn"])
def test_switching_one_noise_off_leaves_the_others_as_they_were(published, without):
    full = simulate_population(published, 20, 200, 3)
    less = simulate_population(published, 20, 200, 3, (without,))
    np.testing.assert_array_equal(full.devices.r0_ohm, less.devices.r0_ohm)
    if without == "pink":
        np.testing.assert_array_equal(full.high, less.high)
    else:
        difference = full.log_ratio - less.log_ratio
        np.testing.assert_allclose(difference, full.high * full.devices.rtn_amplitude[:, None], atol=1e-12)


def test_without_d2d_every_device_is_the_median_device(published):
    made = simulate_population(published, 10, 50, 3, ("d2d", "pink", "rtn"))
    assert np.ptp(made.resistance_ohm(), axis=0).max() == 0
    assert made.devices.drift["m1"][0] == pytest.approx(published.parameters["m1"].law().median())


def test_same_seed_same_traces_and_they_are_labelled_simulated(published):
    first, second = (simulate_traces("majumdar2021", 3, 40, seed=8) for _ in range(2))
    assert first.simulated
    assert first.to_frame().equals(second.to_frame())
    assert not first.to_frame().equals(simulate_traces(published, 3, 40, seed=9).to_frame())
