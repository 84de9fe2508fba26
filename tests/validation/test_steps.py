"""Telegraph steps found for validation: counts, sizes and stays of a known trace; none in noise without steps."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.model import embedded_pink_noise
from weakreset.validation import steps
from weakreset.validation.pool import Pool
from weakreset.validation.steps import step_features
from weakreset.validation.telegraph import telegraph_summaries


def telegraph_trace(*switches: tuple[int, float]) -> np.ndarray:
    """1,000 reads of 1/f noise on a slope, with steps at the given reads (seed 4)."""
    series = 0.007 * embedded_pink_noise(np.random.default_rng(4), 1, 1000) + 4e-4 * np.arange(1000)
    for at, size in switches:
        series[:, at:] += size
    return series


def test_steps_of_a_known_trace():
    features = step_features(telegraph_trace((200, 0.1), (500, -0.1), (800, 0.1)), stride=2)[0]
    assert features[[steps.UP, steps.DOWN, steps.N_HIGH, steps.N_LOW]].tolist() == [2, 1, 1, 1]
    assert np.exp(features[steps.SIZE] / 3) == pytest.approx(0.1, rel=0.2)
    assert np.exp(features[[steps.HIGH, steps.LOW]]) == pytest.approx([600, 600], rel=0.02)
    assert features[steps.PULSES] == 2000


@pytest.mark.statistical
def test_noise_without_steps_has_few():
    """300 devices x 1,000 reads, seed 5: at most 0.05 steps a device; as many with telegraph steps are far more."""
    quiet = 0.007 * embedded_pink_noise(np.random.default_rng(5), 300, 1000)
    assert step_features(quiet, 1)[:, :2].sum() <= 15
    quiet[:, 300:700] += 0.05
    assert step_features(quiet, 1)[:, :2].sum() >= 500


def test_a_trace_too_short_for_two_windows_is_left_out():
    assert np.isnan(step_features(np.zeros((2, steps.FEWEST_READS - 1)), 1)).all()


def pool_of(features: np.ndarray) -> Pool:
    return Pool({"telegraph": features}, np.array([[0, 1], [2, 3], [1, 4]]), np.arange(2), 3)


def test_replicas_without_steps_still_have_figures_and_too_few_steps_are_named():
    features = np.zeros((5, steps.N_STEP_FEATURES))
    features[:, steps.PULSES] = 1000.0
    features[0, [steps.UP, steps.SIZE, steps.SQUARE]] = (40.0, -80.0, 170.0)
    summaries, skipped = telegraph_summaries(pool_of(features))
    assert [summary.name for summary in summaries] == ["RTN steps", "RTN amplitudes"]
    assert summaries[0].values[:, 0].tolist() == [20.0, 0.0, 0.0]
    assert summaries[1].values[:, 0] == pytest.approx([-2.0, -2.0, -2.0])
    assert "RTN dwell times" in skipped[0]


def test_no_evenly_read_device_is_named():
    summaries, skipped = telegraph_summaries(pool_of(np.full((5, steps.N_STEP_FEATURES), np.nan)))
    assert summaries == []
    assert "evenly spaced" in skipped[0]
