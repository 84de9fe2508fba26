"""The factor for a step that was missed, against the same evidence written out with dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.fitting.bases import basis_of
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.group import Group
from weakreset.fitting.knee_posterior import scan_moments
from weakreset.fitting.missed_steps import StepPrior, log_missed_steps
from weakreset.fitting.scan import scan_group
from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.model import TWO_SLOPE, autocovariance

ALPHA = 0.007
PRIOR = StepPrior(rate=0.001, amplitude=0.05)


@pytest.fixture(scope="module")
def short():
    """A simulated trace of 60 reads with a knee at 30 and a step of 3 alpha at 45, and its scan."""
    pulses = np.arange(1, 61)
    noise = np.random.default_rng(7).multivariate_normal(np.zeros(60), autocovariance(1.0, 60)[abs(np.subtract.outer(
        pulses, pulses))])
    row = 0.004 * np.minimum(pulses, 30) + 3 * ALPHA * (pulses >= 45) + ALPHA * noise
    dictionary = Dictionary(Whitener(pulses, NoiseColour(1.0, 0.0)), basis_of(TWO_SLOPE))
    device = next(iter(scan_group(dictionary, Group(pulses, [None], row[None]), ALPHA, True)))
    return dictionary, device, row


def dense_evidence(row, pulses, knee, extra):
    """ln of the likelihood with base and knee flat (a very wide normal law), the step's amplitude normal."""
    t = pulses.astype(float)
    wide = np.column_stack([np.ones_like(t), t / 60, np.maximum(t - knee, 0) / 60])
    covariance = ALPHA**2 * autocovariance(1.0, 60)[abs(np.subtract.outer(pulses, pulses))] + 100.0 * wide @ wide.T
    if extra is not None:
        column = (np.arange(60) >= extra).astype(float)
        covariance = covariance + PRIOR.amplitude**2 * np.outer(column, column)
    root = np.linalg.cholesky(covariance)
    return -0.5 * np.sum(np.linalg.solve(root, row) ** 2) - np.log(np.diag(root)).sum()


def test_the_factor_is_the_evidence_of_one_further_step_anywhere(short):
    dictionary, device, row = short
    pulses = dictionary.whitener.pulses
    moments = scan_moments(dictionary, device.products, device.design, ALPHA**2)
    assert device.configuration.steps == ()  # three alpha are too few to be found
    found = log_missed_steps(dictionary, device.products, device.design, ALPHA**2, PRIOR, moments.log_z)
    for knee in (0, int(moments.log_z.argmax()), len(dictionary.grid) - 1):
        k = dictionary.grid[knee]
        none = dense_evidence(row, pulses, k, None)
        ratios = [np.exp(dense_evidence(row, pulses, k, s) - none) for s in dictionary.step_reads]
        expected = PRIOR.rate * (pulses[-1] - pulses[0]) / len(ratios)
        assert found[knee] == pytest.approx(np.log1p(expected * np.sum(ratios)), abs=0.02)


def test_without_steps_elsewhere_nothing_is_added(short):
    dictionary, device, _ = short
    log_p = np.zeros(len(dictionary.grid))
    assert not log_missed_steps(dictionary, device.products, device.design, ALPHA**2, StepPrior(), log_p).any()


def test_a_step_that_was_missed_widens_the_interval_of_the_knee(short):
    dictionary, device, _ = short
    moments = scan_moments(dictionary, device.products, device.design, ALPHA**2)
    factor = log_missed_steps(dictionary, device.products, device.design, ALPHA**2, PRIOR, moments.log_z)

    def spread(log_p):
        p = np.exp(log_p - log_p.max())
        p /= p.sum()
        return np.sqrt(p @ (dictionary.grid - p @ dictionary.grid) ** 2)

    assert spread(moments.log_z + factor) > spread(moments.log_z)
