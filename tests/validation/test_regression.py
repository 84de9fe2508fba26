"""The regression finds in a curve what made it, and does not find what is not there."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.validation.regression import learn, score_targets

TIMES = np.linspace(10.0, 1000.0, 24)


def curves(n: int, seed: int):
    """Broken lines with a slope and a knee each, little noise."""
    rng = np.random.default_rng(seed)
    slope, knee = np.exp(0.5 * rng.standard_normal((2, n)))
    blocks = 1e-3 * slope[:, None] * np.minimum(TIMES, 400 * knee[:, None])
    blocks = np.column_stack([blocks + 0.005 * rng.standard_normal(blocks.shape), np.full(n, 8.8)])
    return blocks, {"slope": slope, "knee": knee, "unseen": rng.standard_normal(n)}


def test_targets_are_scores_squares_and_products():
    targets, meanings = score_targets({"a": np.array([1.0, 5.0, 2.0]), "b": np.array([7.0, 7.0, 9.0])})
    assert meanings == [("a",), ("b",), ("a",), ("b",), ("a", "b")]
    assert targets[:, 0].argsort().tolist() == [0, 2, 1]
    assert targets[0, 1] == targets[1, 1]
    assert targets[:, 2] == pytest.approx(targets[:, 0] ** 2)
    assert targets[:, 4] == pytest.approx(targets[:, 0] * targets[:, 1])


def test_what_makes_the_curve_is_found_and_what_does_not_is_not():
    """3,000 devices to learn from (seed 1), 2,000 others (seed 2)."""
    blocks, numbers = curves(3000, 1)
    targets, _ = score_targets(numbers)
    regression = learn(TIMES, blocks, targets, np.random.default_rng(0))
    others, truth = curves(2000, 2)
    wanted, predicted = score_targets(truth)[0], regression(others)
    explained = 1.0 - ((wanted - predicted) ** 2).mean(axis=0) / wanted.var(axis=0)
    assert explained[0] > 0.97  # slope
    assert explained[1] > 0.8  # knee: beyond the trace for one in seven
    assert abs(explained[2]) < 0.3  # a number that leaves no mark on the curve
    assert explained[6] > 0.6  # product of slope and knee


def test_a_device_far_from_all_others_gets_finite_scores():
    blocks, numbers = curves(500, 3)
    regression = learn(TIMES, blocks, score_targets(numbers)[0], np.random.default_rng(0))
    assert np.isfinite(regression(1e6 * blocks[:3])).all()
    assert np.isfinite(regression(np.zeros((1, len(TIMES) + 1)))).all()
