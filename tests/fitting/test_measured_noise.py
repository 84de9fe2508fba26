"""The 1/f exponent of five real cells (conductance at 400 Hz, no pulses: time stands in for pulses)."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from tests.shared_data import shared
from weakreset.fitting import fit_devices
from weakreset.traces import PulseTrace, TraceSet

READS, BLOCKS = 512, 12


@pytest.fixture(scope="module")
def cells():
    path = shared("measured/relaxation-master-model/data/techA/tsdata.min.tsv.gz")
    with gzip.open(path, "rt") as stream:
        rows = [np.array(line.split("\t")[2 : 2 + READS * BLOCKS * 4], dtype=float) for line in stream]
    return [row[np.isfinite(row) & (row > 0)] for row in rows]


@pytest.mark.parametrize("cell", range(5))
def test_exponent_of_each_cell_is_near_one(cell, cells):
    """Blocks of 512 reads, their line and RTN steps projected out; 1/f in RRAM has exponents of 0.8 to 1.5."""
    resistance = 1.0 / cells[cell]
    blocks = [resistance[4 * i * READS : (4 * i + 1) * READS] for i in range(BLOCKS)]
    traces = TraceSet(tuple(PulseTrace(f"block{i}", np.arange(READS), block) for i, block in enumerate(blocks)))
    noise = fit_devices(traces, drift="single-slope").noise
    assert 0.8 < noise.exponent < 1.5
    assert noise.exponent_stderr < 0.1
    assert noise.alpha > 0
