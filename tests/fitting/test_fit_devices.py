"""Fits of simulated devices whose truth is known."""

from __future__ import annotations

import lmfit
import numpy as np
import pytest
from scipy import stats

from tests.conftest import as_traces
from weakreset.errors import FitError
from weakreset.fitting import FitStatus, fit_devices, lmfit_problem
from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.traces import PulseTrace, TraceSet
from weakreset.twin import simulate_population

COLUMNS = (
    "device status n_pulses r0_ohm m1 m1_stderr t_star t_star_lo t_star_hi t_star_status c1 c1_stderr m2 m2_stderr "
    "m2_status alpha rtn_amplitude rtn_steps rtn_status excluded_because"
).split()


def test_table_has_the_promised_columns_and_a_row_a_device(fitted):
    frame = fitted.to_frame()
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 200


def test_pooled_noise_is_recovered(fitted, published):
    """alpha within 1 %, beta within 0.03: the sampling error is 0.2 % and 0.006, the rest is undetected RTN."""
    assert fitted.noise.alpha == pytest.approx(published.noise.pink.alpha, rel=0.01)
    assert fitted.noise.exponent == pytest.approx(1.0, abs=0.03)
    assert fitted.noise.read_sd == 0.0


def test_resolved_knees_are_near_the_truth_and_their_intervals_cover(fitted, truth):
    """Binomial: a 95 % interval that covers at least 90 of 100 fails by chance with probability 0.01."""
    frame, t_star = fitted.to_frame(), truth.devices.drift["t_star"]
    ok = (frame["status"] == "ok").to_numpy()
    assert ok.mean() > 0.40
    error = np.abs(frame["t_star"] - t_star)[ok] / t_star[ok]
    assert np.median(error) < 0.02
    assert np.mean(error > 0.25) <= 0.02
    covered = ((frame["t_star_lo"] <= t_star) & (t_star <= frame["t_star_hi"]))[ok].sum()
    assert stats.binom(ok.sum(), 0.95).cdf(covered) > 0.001


@pytest.mark.parametrize("name", ["m1", "c1", "m2"])
def test_standard_errors_of_resolved_devices_mean_what_they_say(truth, published, name):
    """Pull test without RTN, seed 20262: at least 88 % within 1.96 stderr (false alarm 2e-3 at 93 %)."""
    quiet = simulate_population(published, 150, 1000, 20262, ("rtn",))
    frame = fit_devices(as_traces(quiet)).to_frame()
    ok = (frame["status"] == "ok").to_numpy()
    pull = ((frame[name] - quiet.devices.drift[name]) / frame[f"{name}_stderr"])[ok].to_numpy()
    assert np.mean(np.abs(pull) < 1.96) > 0.88
    assert 0.75 < np.sqrt(np.mean(np.clip(pull, -4, 4) ** 2)) < 1.3


def test_a_knee_beyond_the_trace_is_not_invented(published):
    """Devices with t_star > 1,000 cut at 400 pulses: at most 3 % resolved among 120 (seed 20263)."""
    made = simulate_population(published, 900, 400, 20263)
    late = made.devices.drift["t_star"] > 1000
    names = [str(i) for i in np.flatnonzero(late)]
    fits = fit_devices(TraceSet.from_arrays(names, made.pulses, made.resistance_ohm()[late]))
    assert late.sum() > 120
    assert fits.counts()["ok"] <= 0.03 * late.sum()
    row = fits.to_frame().query("status == 'beyond_or_undetected'").iloc[0]
    assert np.isnan(row.t_star)
    assert np.isnan(row.m2)
    assert row.t_star_status == "beyond_or_undetected"


def test_large_telegraph_steps_are_found_and_hardly_any_false_ones(fitted, truth):
    alpha = fitted.noise.alpha
    found = missed = false = 0
    for fit, high, amplitude in zip(fitted, truth.high, truth.devices.rtn_amplitude, strict=True):
        true = np.flatnonzero(np.diff(high[1:])) + 2
        false += sum(np.all(np.abs(true - step) > 20) for step in fit.rtn.steps)
        isolated = [t for t in true if np.sum(np.abs(true - t) <= 12) == 1 and 12 < t < 988]
        if amplitude > 6 * alpha:
            hits = [any(abs(t - step) <= 3 for step in fit.rtn.steps) for t in isolated]
            found, missed = found + sum(hits), missed + len(hits) - sum(hits)
    assert found / (found + missed) > 0.95
    assert false / len(fitted.fits) <= 0.02


def test_each_device_keeps_a_real_lmfit_result(fitted):
    fit = next(f for f in fitted if f.status is FitStatus.OK and not f.rtn.steps)
    assert isinstance(fit.result, lmfit.minimizer.MinimizerResult)
    assert fit.result.params["m1"].stderr > 0
    assert "t_star" in fit.result.params["m1"].correl
    minimizer, result = lmfit_problem(fit)
    assert result.params["m1"].value == pytest.approx(fit.result.params["m1"].value, rel=1e-3)
    interval = lmfit.conf_interval(minimizer, result, p_names=["m1"], sigmas=[1])["m1"]
    assert interval[0][1] < fit.result.params["m1"].value < interval[-1][1]


def test_lmfit_agrees_with_generalized_least_squares(fitted, truth):
    """For a device without knee or steps the whole fit is linear: compare with the closed form."""
    fit = next(f for f in fitted if f.fitted_as == "single-slope" and not f.rtn.steps)
    covariance = NoiseColour(fit.exponent, fit.read_ratio).covariance(fit.pulses) * fit.alpha_used**2
    design = np.column_stack([np.ones(len(fit.pulses)), fit.pulses])
    weight = np.linalg.solve(covariance, design)
    information = design.T @ weight
    expected = np.linalg.solve(information, weight.T @ fit.log_ratio)
    assert fit.result.params["c1"].value == pytest.approx(expected[0], rel=1e-4)
    assert fit.result.params["m1"].value == pytest.approx(expected[1], rel=1e-4)
    assert fit.result.params["m1"].stderr == pytest.approx(np.sqrt(np.linalg.inv(information)[1, 1]), rel=1e-3)


def test_whitened_residuals_are_white(fitted):
    """Pooled lag-1 correlation of 200 x 1,000 residuals: sd 0.0022; within 5 sd after fitting."""
    rows = [fit.white_residuals for fit in fitted]
    lag1 = np.mean([r[1:] @ r[:-1] / (r @ r) for r in rows])
    assert abs(lag1) < 0.011
    raw = [Whitener(fit.pulses, NoiseColour(None)).columns(fit.residuals) for fit in fitted.fits[:50]]
    assert np.mean([r[1:] @ r[:-1] / (r @ r) for r in raw]) > 0.3


def test_missing_reads_do_not_shift_the_knee(published):
    made = simulate_population(published, 40, 600, 5, ("rtn",))
    keep = np.ones(601, bool)
    keep[[3, 77, 78, 250]] = False
    names = [str(i) for i in range(40)]
    full = fit_devices(TraceSet.from_arrays(names, made.pulses, made.resistance_ohm()))
    holes = fit_devices(TraceSet.from_arrays(names, made.pulses[keep], made.resistance_ohm()[:, keep]))
    both = [(a, b) for a, b in zip(full, holes, strict=True) if a.status is b.status is FitStatus.OK]
    assert len(both) > 5
    for a, b in both:
        width = a.estimates["t_star"].high - a.estimates["t_star"].low
        assert abs(a.estimates["t_star"].value - b.estimates["t_star"].value) < 0.5 * width


def test_reads_every_ten_pulses_give_the_same_slopes(published):
    made = simulate_population(published, 60, 2000, 6, ("rtn",))
    some = np.r_[0, np.arange(10, 2001, 10)]
    fits = fit_devices(TraceSet.from_arrays(map(str, range(60)), made.pulses[some], made.resistance_ohm()[:, some]))
    frame = fits.to_frame()
    ok = (frame["status"] == "ok").to_numpy()
    t_star = made.devices.drift["t_star"]
    assert ok.sum() > 15
    assert np.median(np.abs(frame["t_star"] - t_star)[ok] / t_star[ok]) < 0.05


def test_ragged_traces_and_short_ones_are_all_accounted_for(published):
    made = simulate_population(published, 8, 300, 7)
    lengths = [300, 300, 250, 200, 300, 31, 20, 300]
    traces = [
        PulseTrace(f"d{i}", made.pulses[: n + 1], made.resistance_ohm()[i, : n + 1]) for i, n in enumerate(lengths)
    ]
    fits = fit_devices(TraceSet(tuple(traces)))
    assert len(fits) == 8
    assert fits["d6"].status is FitStatus.EXCLUDED
    assert "20 reads" in fits["d6"].excluded_because


def test_r0_that_was_not_read_is_said_not_guessed(published):
    made = simulate_population(published, 6, 300, 7)
    fits = fit_devices(TraceSet.from_arrays(map(str, range(6)), made.pulses[1:], made.resistance_ohm()[:, 1:]))
    assert fits.fits[0].estimates["r0_ohm"].value is None
    assert "r0_ohm*exp(c1)" in fits.fits[0].estimates["r0_ohm"].status


def test_the_same_traces_give_the_same_bits(published):
    made = simulate_population(published, 12, 300, 7)
    first, second = (fit_devices(as_traces(made)).to_frame() for _ in range(2))
    assert first.equals(second)


def test_what_cannot_be_fitted_says_why():
    with pytest.raises(FitError, match="30 reads"):
        fit_devices(TraceSet((PulseTrace("a", np.arange(10), np.full(10, 7e3)),)))
    with pytest.raises(FitError, match="two-slope"):
        fit_devices(TraceSet(()), drift="cubic")


@pytest.mark.parametrize("name", ["single-slope", "power-law", "saturating-exponential"])
def test_other_drift_shapes_recover_their_numbers(name):
    """20 devices with 1/f noise, seed 8: medians over devices within 10 % of the truth."""
    from weakreset.model import SHAPES, DeviceNoise, Devices, simulate_devices

    numbers = {
        "single-slope": {"m1": 4e-4, "c1": 0.02},
        "power-law": {"a": 0.03, "b": 0.5, "c1": 0.02},
        "saturating-exponential": {"rise": 0.4, "tau": 150.0, "c1": 0.02},
    }[name]
    drift = {key: np.full(20, value) for key, value in numbers.items()}
    made = simulate_devices(
        Devices(np.full(20, 7e3), drift, np.zeros(20), SHAPES[name]), DeviceNoise(alpha=0.007), 800,
        np.random.default_rng(8),
    )
    fits = fit_devices(as_traces(made), drift=name)
    for key, value in numbers.items():
        if key != "c1":
            found = np.median([fit.numbers[key] for fit in fits])
            assert found == pytest.approx(value, rel=0.1)


@pytest.mark.parametrize("true", ["two-slope", "saturating-exponential"])
def test_auto_chooses_the_true_drift_and_reports_the_others(true):
    from weakreset.model import SHAPES, DeviceNoise, Devices, simulate_devices

    numbers = {
        "two-slope": {"m1": 1.5e-3, "t_star": 150.0, "c1": 0.02, "m2": 3e-5},
        "saturating-exponential": {"rise": 0.4, "tau": 120.0, "c1": 0.02},
    }[true]
    drift = {key: np.full(15, value) for key, value in numbers.items()}
    made = simulate_devices(
        Devices(np.full(15, 7e3), drift, np.zeros(15), SHAPES[true]), DeviceNoise(alpha=0.007), 400,
        np.random.default_rng(21),
    )
    fits = fit_devices(as_traces(made), drift="auto")
    assert fits.drift.name == true
    assert "drift chosen by BIC" in fits.notes[0]
    for name in set(SHAPES) - {true}:
        assert f"{name} +" in fits.notes[0]


def test_noise_that_is_fixed_stays_fixed(published):
    made = simulate_population(published, 12, 300, 7)
    fits = fit_devices(as_traces(made), alpha=0.0072, exponent=0.9, read_sd=0.001, rtn=False)
    assert (fits.noise.alpha, fits.noise.exponent) == (0.0072, 0.9)
    assert fits.noise.read_sd == pytest.approx(0.001, rel=1e-6)
    assert all(not fit.rtn.steps for fit in fits)


def test_read_noise_is_found_and_only_where_there_is_some(published):
    """60 devices of 512 reads with read noise twice alpha: within 10 %; without any: exactly none."""
    from weakreset.model import simulate_devices
    from weakreset.parameter_file import draw_devices

    devices = draw_devices(published, 60, np.random.default_rng(1), ("rtn",))
    noise = published.device_noise(("rtn",))
    with_read_noise = type(noise)(noise.alpha, 1.0, read_sd=2 * noise.alpha)
    noisy = simulate_devices(devices, with_read_noise, 512, np.random.default_rng(2))
    fits = fit_devices(as_traces(noisy))
    assert fits.noise.read_sd == pytest.approx(2 * noise.alpha, rel=0.1)
    assert fits.noise.alpha == pytest.approx(noise.alpha, rel=0.15)
    quiet = simulate_devices(devices, noise, 512, np.random.default_rng(2))
    assert fit_devices(as_traces(quiet)).noise.read_sd == 0.0


def test_m1_of_unresolved_devices_is_averaged_honestly(fitted, truth):
    """95 % intervals of m1 where the knee cannot be told cover at least 88 % (binomial, 3 sigma below 95)."""
    frame = fitted.to_frame()
    open_ = (frame["status"] == "beyond_or_undetected").to_numpy()
    error = np.abs(frame["m1"] - truth.devices.drift["m1"])[open_]
    assert np.mean(error < 1.96 * frame["m1_stderr"][open_]) > 0.88


def test_cycles_of_one_device_are_fitted_apart(published):
    made = simulate_population(published, 3, 200, 4)
    r = made.resistance_ohm()
    traces = [PulseTrace("d", made.pulses, r[0]), PulseTrace("d", made.pulses, r[1], cycle=1)]
    assert [fit.device for fit in fit_devices(TraceSet(tuple(traces)))] == ["d", "d#1"]


def test_very_long_traces_are_averaged_and_say_so(published):
    made = simulate_population(published, 2, 9000, 4, ("rtn",))
    fits = fit_devices(as_traces(made))
    assert len(fits.fits[0].pulses) == 512 + -(-(9000 - 512) // 5)
    assert "from pulse 513 on fitted as means of 5" in fits.notes[0]


def test_very_long_traces_at_no_even_pace_are_thinned_and_say_so(published):
    made = simulate_population(published, 1, 9000, 4, ("rtn",))
    some = np.sort(np.random.default_rng(1).choice(9000, 5000, replace=False))
    fits = fit_devices(TraceSet.from_arrays(["a"], made.pulses[some], made.resistance_ohm()[:, some]))
    assert len(fits.fits[0].pulses) == 2500
    assert "every 2. used" in fits.notes[0]
