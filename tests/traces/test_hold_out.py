"""Devices kept out of a fit: with all their cycles, the same in parts and in one piece."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.cli.trace_options import TraceOptions
from weakreset.errors import TraceError
from weakreset.traces import PulseTrace, TraceSet, write_csv_long, write_hdf5
from weakreset.traces import stream as stream_module
from weakreset.traces.hold_out import HoldOut
from weakreset.traces.readers import hdf5


def lot(n, cycles):
    rng = np.random.default_rng(n)
    rows = rng.lognormal(9, 0.1, (n, cycles, 40))
    return TraceSet(tuple(PulseTrace(f"d{i}", range(40), rows[i, c], c) for i in range(n) for c in range(cycles)))


@pytest.mark.parametrize("n", [22, 29], ids=["last part of one", "last part of one again"])
@pytest.mark.parametrize("write", [write_csv_long, write_hdf5])
def test_parts_and_the_whole_hold_out_the_same_devices(tmp_path, monkeypatch, write, n):
    monkeypatch.setattr(stream_module, "_DEVICES", 7)
    monkeypatch.setattr(hdf5, "_BLOCK_DEVICES", 14)
    path = write(lot(n, 2), tmp_path / ("t.csv" if write is write_csv_long else "t.h5"))
    options = TraceOptions([str(path)])
    whole, held = options.load(0.3, 5)
    held_in_parts: list[str] = []
    parts = list(options.parts(0.3, 5, held_in_parts))
    assert held_in_parts == held
    assert [t.key for part in parts for t in part] == [t.key for t in whole]
    assert not {t.device for t in whole} & set(held)
    assert abs(len(held) - 0.3 * n) <= 1


def test_every_device_is_held_out_as_often_as_any_other():
    """2,000 seeds, 12 devices, a quarter: 500 each, +- 90 (4.6 sd of a binomial)."""
    counts = np.zeros(12)
    for seed in range(2000):
        drawn = HoldOut(0.25, seed)
        counts += [drawn.holds(f"d{i}") for i in range(12)]
    assert np.all(np.abs(counts - 500) < 90)


def test_shares_that_leave_nothing_are_refused():
    with pytest.raises(TraceError, match="on one side"):
        HoldOut(1.5, 0)
    drawn = HoldOut(0.3, 0)
    drawn.holds("alone")
    with pytest.raises(TraceError, match="on one side"):
        drawn.check()
