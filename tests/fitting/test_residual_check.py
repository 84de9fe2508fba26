"""Errors by blocks, and scores of drift contrasts, against laws that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weakreset.fitting import FitSet, FitStatus, choose_drift, fit_devices
from weakreset.fitting.bases import basis_of
from weakreset.fitting.drift_test import LEAN, LEVEL, drift_test
from weakreset.fitting.examined import examined
from weakreset.fitting.lone_reads import lone_reads
from weakreset.fitting.own_colour import own_colour
from weakreset.fitting.residual_check import CONTRASTS, _Frame, _sandwich
from weakreset.fitting.result import ResidualCheck
from weakreset.fitting.rtn_rates import HiddenHigh
from weakreset.model import SHAPES, pink_noise
from weakreset.traces import TraceSet

T = np.arange(1.0, 501.0)


def fits_of(log_ratio: np.ndarray, **options: object) -> FitSet:
    ohm = 7000.0 * np.exp(np.hstack([np.zeros((len(log_ratio), 1)), log_ratio]))
    names = [f"d{i}" for i in range(len(ohm))]
    return fit_devices(TraceSet.from_arrays(names, np.arange(ohm.shape[1]), ohm), jobs=1, **options)


def two_slopes(rng: np.random.Generator, n: int) -> np.ndarray:
    m1, knee = rng.gamma(4.0, 3e-4, (n, 1)), rng.uniform(120, 350, (n, 1))
    return m1 * np.minimum(T, knee) + 2e-5 * np.maximum(T - knee, 0.0)


def saturating(rng: np.random.Generator, n: int) -> np.ndarray:
    rise, tau = rng.gamma(8.0, 0.05, (n, 1)), rng.uniform(80, 250, (n, 1))
    return -rise * np.expm1(-T / tau)


@pytest.mark.statistical
def test_block_errors_of_white_residuals_are_those_of_the_model():
    """The squared ratio has mean 1 and sd about sqrt(2/16); of 400 sets, seed 3, the mean is known to 0.018.

    The correction for the numbers fitted is the usual one of blocks, right to a tenth for columns this slow; 0.1 and
    four standard errors are allowed (6e-5).
    """
    rng = np.random.default_rng(3)
    jacobian = np.column_stack([np.ones(500), T / 500, (T > 250)])
    frame = _Frame.of(jacobian)
    ratios = np.array([_sandwich(frame, residuals(rng, jacobian)) for _ in range(400)])
    assert np.mean(ratios**2, axis=0) == pytest.approx(1.0, abs=0.1 + 4 * 0.018)
    loud = np.array([_sandwich(frame, residuals(rng, jacobian, 1.0 + 2.0 * (T > 400))) for _ in range(100)])
    assert np.mean(loud**2, axis=0)[0] > 1.8  # residuals that grow are seen


def residuals(rng: np.random.Generator, jacobian: np.ndarray, size: np.ndarray | float = 1.0) -> np.ndarray:
    noise = size * rng.standard_normal(len(jacobian))
    return np.asarray(noise - jacobian @ np.linalg.lstsq(jacobian, noise, rcond=None)[0])


@pytest.mark.statistical
def test_scores_of_the_right_shape_are_standard_normal_and_of_a_wrong_one_are_not(monkeypatch):
    """Mean scores of 40 devices have sd 0.16; a bound of 0.65 is 4 sd, for 5 contrasts 3e-4; seeds 4 and 5."""
    rng = np.random.default_rng(4)
    right = fits_of(two_slopes(rng, 40) + 0.007 * pink_noise(rng, 40, 500), rtn=False)
    whole = [fit for fit in right if fit.fitted_as == "two-slope"]
    scores = np.stack([fit.check.scores for fit in whole if fit.check is not None])
    assert np.nanmax(np.abs(np.nanmean(scores, axis=0))) < 0.65
    assert right.drift_test is not None
    assert right.drift_test.holds
    assert right.caveat == ""
    monkeypatch.setattr(choose_drift, "fittable", lambda: ["two-slope", "saturating-exponential"])  # for time
    rng = np.random.default_rng(5)
    wrong = fits_of(saturating(rng, 40) + 0.007 * pink_noise(rng, 40, 500), rtn=False)
    assert wrong.drift_test is not None
    assert not wrong.drift_test.holds
    assert wrong.counts()["ok"] == 0
    assert wrong.counts()["drift_not_described"] >= 38
    assert "does not describe these devices" in wrong.caveat
    frame = wrong.to_frame()
    assert frame.loc[frame["status"] == "drift_not_described", "m1_stderr"].isna().all()


@pytest.mark.statistical
def test_the_drift_test_keeps_its_level_and_sees_a_shift():
    """Normal scores, 30 devices, 3,000 sets, seed 6: at level 1e-3 more than 12 rejections have probability 4e-5."""
    rng = np.random.default_rng(6)

    def rejections(shift: float, n_sets: int, sharp: int = 0) -> int:
        count = 0
        for _ in range(n_sets):
            scores = list(rng.standard_normal((30, len(CONTRASTS))) + shift)
            count += not drift_test("two-slope", [""] * 30, scores, sharp).holds
        return count

    assert rejections(0.0, 3000) <= 12
    assert rejections(1.0, 50) >= 49
    assert LEVEL == 1e-3
    # what a searched knee leans by is no alarm, on its side only; far beyond it is one
    assert rejections(LEAN, 500, sharp=1) <= 4
    assert rejections(-1.0, 50, sharp=1) >= 49
    assert rejections(LEAN + 1.0, 50, sharp=1) >= 49


def test_scores_that_lean_to_a_sharp_knee_are_no_alarm_whichever_way_the_resistance_goes():
    """20 devices, seed 12: a mean of 0.55 +- 0.02 is no alarm on the side of a sharp knee and one on the other."""
    rng = np.random.default_rng(12)
    fits = fits_of(two_slopes(rng, 20) + 0.007 * pink_noise(rng, 20, 500), rtn=False)
    scores = 0.5 + 0.1 * rng.standard_normal((20, len(CONTRASTS)))
    rates = HiddenHigh(None, None, None)

    def holds(direction: str, side: int) -> bool:
        leaning = [
            replace(fit, check=ResidualCheck({}, side * (row + 0.05)))
            for fit, row in zip(fits, scores, strict=True) if fit.fitted_as == "two-slope"
        ]
        return examined(leaning, basis_of(SHAPES["two-slope"], direction), rates)[1].holds

    assert holds("reset", 1)
    assert not holds("reset", -1)
    assert not holds("set", 1)
    assert holds("set", -1)


def test_single_devices_that_do_not_fit_are_named_among_others_that_do():
    scores = [np.zeros(len(CONTRASTS)) for _ in range(20)]
    scores[3] = np.array([0.0, -6.0, 0.0, np.nan, 0.0])
    test = drift_test("two-slope", [f"d{i}" for i in range(20)], scores)
    assert test.holds
    assert test.wrong_devices == ("d3",)
    assert "1 devices (d3)" in test.sentence


def test_lone_reads_are_found_and_steps_and_noise_are_not():
    rng = np.random.default_rng(7)
    trace = 1e-3 * T + 0.007 * pink_noise(rng, 1, 500)[0] + 0.1 * ((T > 200) & (T < 240))
    assert len(lone_reads(trace)) == 0
    hit = trace.copy()
    hit[[50, 300, 301, 420]] += [0.3, -0.2, 0.25, 0.15]
    assert {50, 300, 301, 420} <= set(lone_reads(hit).tolist())
    fit = fits_of(hit[None])["d0"]  # what is left to fit is what was not hit
    assert {51, 301, 302, 421} <= set(fit.set_aside)
    np.testing.assert_allclose(fit.log_ratio, trace[fit.pulses - 1], atol=1e-12)
    noise = rng.standard_t(0.6, 500)
    assert len(lone_reads(noise)) == 0  # where many reads stand alone, that is the noise


@pytest.mark.statistical
def test_exponents_are_pooled_unless_devices_differ():
    """30 devices, seed 8: of one exponent none is refitted (4 sd apart: 2e-3); with a spread of 0.3 most are."""
    rng = np.random.default_rng(8)
    drift = two_slopes(rng, 30)
    same = fits_of(drift + 0.007 * pink_noise(rng, 30, 500), rtn=False)
    assert {fit.exponent for fit in same} == {same.noise.exponent}
    betas = np.clip(rng.normal(1.0, 0.35, 30), 0.1, 1.8)
    noise = np.vstack([pink_noise(rng, 1, 500, beta) for beta in betas])
    apart = fits_of(drift + 0.007 * noise, rtn=False)
    found = np.array([fit.exponent for fit in apart])
    assert np.corrcoef(found, betas)[0, 1] > 0.8
    assert own_colour(np.zeros(4), np.ones(4), 1.0) is None


@pytest.mark.statistical
def test_lmfits_optimum_lies_in_the_interval_of_every_ok_device():
    """White noise alone, where the pooled telegraph rates are not identifiable: 60 devices, seed 9."""
    rng = np.random.default_rng(9)
    fits = fits_of(two_slopes(rng, 60) + 0.01 * rng.standard_normal((60, 500)))
    ok = [fit for fit in fits if fit.status is FitStatus.OK]
    assert len(ok) > 40
    for fit in ok:
        knee = fit.estimates["t_star"]
        assert knee.low <= fit.result.params["t_star"].value <= knee.high, fit.device


def test_an_upper_limit_is_never_below_its_lower_limit():
    rng = np.random.default_rng(10)
    fits = fits_of(two_slopes(rng, 40) + 0.01 * pink_noise(rng, 40, 500), rtn=False)
    limits = [fit.estimates["m2"] for fit in fits if fit.estimates["m2"].status == "upper_limit_only"]
    assert limits
    assert all(limit.low == 0.0 < limit.value < limit.high for limit in limits)
