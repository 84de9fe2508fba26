import numpy as np
import pytest

from weakreset.model import pink_noise, spectrum
from weakreset.validation.features import band_frequencies, device_features
from weakreset.validation.plan import Plan

PULSES = np.arange(0, 1025)


def plan(segment=256, stride=1):
    return Plan(np.array([1, 10, 100]), np.array([1, 10, 100]), stride, segment, np.array([1, 5, 101]))


def test_values_are_taken_at_the_chosen_pulses_relative_to_the_first_read():
    log_r = np.log(7000) + 0.001 * PULSES[None, :]
    features = device_features(PULSES, log_r, plan())
    assert features["log_ratio"][0] == pytest.approx([0.001, 0.01, 0.1])
    assert features["fresh"][0, 0] == pytest.approx(np.log(7000))


def test_a_pulse_that_was_not_read_is_nan_and_an_unread_fresh_device_too():
    features = device_features(PULSES[2:], np.zeros((1, len(PULSES) - 2)), plan())
    assert np.isnan(features["log_r"][0]).tolist() == [True, False, False]
    assert np.isnan(features["fresh"]).all()


@pytest.mark.statistical
def test_band_power_of_pink_noise_is_its_spectrum():
    """Mean over 400 devices of the band power against the ideal spectrum, seed 3, 5 standard errors a band."""
    x = 0.007 * pink_noise(np.random.default_rng(3), 400, 1024)
    power = np.exp(device_features(PULSES[1:], x, plan())["power"])
    expected = 0.007**2 * spectrum(band_frequencies(plan()), 1.0)
    stderr = power.std(axis=0) / 20
    # the band average of 1/f over an octave exceeds its value at the geometric centre by up to 6 %; the lowest
    # band holds two harmonics and leakage
    assert np.all(np.abs(power.mean(axis=0) - expected)[1:] < (5 * stderr + 0.07 * expected)[1:])
    white = x.std() * np.random.default_rng(4).standard_normal(x.shape)
    wrong = np.exp(device_features(PULSES[1:], white, plan())["power"]).mean(axis=0)
    assert not np.all(np.abs(wrong - expected)[1:] < (5 * stderr + 0.07 * expected)[1:])


def test_missing_reads_are_interpolated_and_too_many_are_not():
    rng = np.random.default_rng(5)
    x = 0.007 * pink_noise(rng, 3, 1024)
    kept = np.sort(rng.choice(1024, 980, replace=False))
    assert np.isfinite(device_features(PULSES[1:][kept], x[:, kept], plan())["power"]).all()
    few = np.arange(0, 1024, 2)
    assert np.isnan(device_features(PULSES[1:][few], x[:, few], plan())["power"]).all()


def test_far_steps_count_telegraph_transitions():
    rng = np.random.default_rng(6)
    log_r = 0.005 * rng.standard_normal((1, len(PULSES)))
    log_r[0, 300:] += 0.2
    log_r[0, 700:] -= 0.2
    _, far, count = device_features(PULSES, log_r, plan())["increment"][0]
    assert far == 2
    assert count == 1023


def test_blocks_are_means_and_a_block_without_reads_is_interpolated():
    edges = np.array([1, 11, 21, 31, 41])
    wide = Plan(np.array([1, 10]), np.array([1, 10]), 1, 0, edges)
    log_r = np.log(7000) + 0.01 * PULSES[None, :41]
    expected = [0.055, 0.155, 0.255, 0.355, np.log(7000)]
    assert device_features(PULSES[:41], log_r, wide)["blocks"][0] == pytest.approx(expected)
    without = np.r_[0:11, 21:41]
    assert device_features(without, log_r[:, without], wide)["blocks"][0] == pytest.approx(expected)
    late = np.r_[0, 11:41]
    assert device_features(late, log_r[:, late], wide)["blocks"][0, 0] == pytest.approx(0.155)
    assert np.isnan(device_features(PULSES[:31], log_r[:, :31], wide)["blocks"]).all()
