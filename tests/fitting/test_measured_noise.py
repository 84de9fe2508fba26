"""1/f noise of five real cells (conductance at 400 Hz, no pulses: time stands in for pulses)."""

from __future__ import annotations

import gzip
from itertools import pairwise

import numpy as np
import pytest

from tests.shared_data import shared
from weakreset.fitting import fit_devices
from weakreset.model import spectrum
from weakreset.traces import PulseTrace, TraceSet

READS, BLOCKS = 512, 16


@pytest.fixture(scope="module")
def cells():
    path = shared("measured/relaxation-master-model/data/techA/tsdata.min.tsv.gz")
    with gzip.open(path, "rt") as stream:
        return [np.array(line.split("\t")[2 : 2 + READS * BLOCKS * 4], dtype=float) for line in stream]


def median_periodogram(rows: np.ndarray) -> np.ndarray:
    """Periodogram of a typical block, without a model: the median over blocks of a Hann-windowed one."""
    window = np.hanning(rows.shape[1])
    power = np.abs(np.fft.rfft(rows * window, axis=1)) ** 2 / np.sum(window**2)
    return np.median(power, axis=0) / np.log(2.0)


@pytest.mark.parametrize("cell", range(5))
def test_fitted_noise_is_that_of_the_typical_block(cell, cells):
    """Fitted 1/f + white spectrum against the median periodogram of 16 blocks, within a factor of 2 over two decades.

    The factor covers what these cells do besides 1/f noise: ADC steps, and RTN too small to take out.
    """
    resistance = 1.0 / cells[cell]
    blocks = [resistance[4 * i * READS : (4 * i + 1) * READS] for i in range(BLOCKS)]
    traces = TraceSet(tuple(PulseTrace(f"block{i}", np.arange(READS), block) for i, block in enumerate(blocks)))
    fits = fit_devices(traces, drift="single-slope")
    noise = fits.noise
    assert 0.7 < noise.exponent < 1.8
    assert noise.exponent_stderr < 0.1
    # reads that stand alone are missing in a fit
    every = [np.interp(np.arange(1, READS), fit.pulses, fit.residuals) for fit in fits]
    measured = median_periodogram(np.stack(every))
    frequency = np.arange(1, len(measured)) / (READS - 1)
    fitted = noise.alpha**2 * spectrum(frequency, noise.exponent) + noise.read_sd**2
    edges = np.unique(np.geomspace(4, len(frequency), 7).astype(int))
    ratio = [np.mean(measured[1:][a:b] / fitted[a:b]) for a, b in pairwise(edges)]
    assert np.all(np.array(ratio) > 0.5)
    assert np.all(np.array(ratio) < 2.0)
    white_only = measured[1:].mean()
    assert measured[1:][4:8].mean() > 3 * white_only or noise.read_sd > noise.alpha
