"""Real measured files; skipped where they are not beside the checkout."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from tests.shared_data import shared
from weakreset.errors import TraceError, TraceFormatError
from weakreset.traces import inspect_traces, load_traces

pytestmark = pytest.mark.shared_data


def test_cmos_rram_conductance():
    path = shared("measured/cmos-rram-conductance/pulse-conductance.csv")
    traces = load_traces(path)
    (trace,) = traces
    assert trace.device == "pulse-conductance"
    assert np.array_equal(trace.pulses, np.arange(800))
    own = np.genfromtxt(path, delimiter=",", skip_header=1, encoding="utf-8-sig", usecols=(0, 1))[:800]
    assert np.array_equal(trace.pulses, own[:, 0])
    assert trace.resistance_ohm == pytest.approx(1 / own[:, 1], rel=1e-14)
    assert not trace.extras
    (item,) = traces.exclusions
    assert (item.reason, item.line, item.value) == ("no pulse number", 802, "8.98e-05")
    roles = [(c.name, c.role) for c in inspect_traces(path)[0].columns]
    assert roles[2:] == [("Moving averaged conductance", "ignore"), ("", "ignore"), ("", "ignore")]


def test_ni_rram_retention_csv():
    path = shared("measured/ni-rram-python/data/ret1.csv")
    (trace,) = load_traces(path, column_map="device=0,pulse=@row,resistance=2")
    own = np.loadtxt(path, delimiter=",")
    assert trace.device == "16984"
    assert np.array_equal(trace.resistance_ohm, own[:, 2])
    assert np.array_equal(trace.pulses, np.arange(10000))
    assert np.array_equal(trace.extras["column 1"], own[:, 1])
    (by_g,) = load_traces(path, column_map="device=0,pulse=@row,conductance=3")
    assert by_g.resistance_ohm == pytest.approx(own[:, 2], rel=1e-9)


def test_ni_rram_endurance_tsv_keeps_its_irregular_pulse_numbers():
    path = shared("measured/ni-rram-python/data/1us_endurance.tsv")
    (trace,) = load_traces(path, column_map="device=0,pulse=3,resistance=1", limits=None)
    own = np.loadtxt(path)
    first = np.concatenate([[True], np.diff(own[:, 3]) > 0])
    assert np.array_equal(trace.pulses, own[first, 3])
    assert np.array_equal(trace.resistance_ohm, own[first, 1])


def test_ni_rram_hundred_cycles_tsv_has_one_resistance_a_column():
    """Address, LRS, HRS, cycles done: LRS and HRS are two maps of one file, and each address was read twice."""
    path = shared("measured/ni-rram-python/data/100cyc.tsv")
    own = np.loadtxt(path)
    for column in (1, 2):
        traces = load_traces(path, column_map=f"device=0,pulse=3,resistance={column}", limits=None)
        assert [int(trace.device) for trace in traces] == np.unique(own[:, 0]).astype(int).tolist()
        for trace in traces:
            mine = own[own[:, 0] == int(trace.device)]
            assert np.array_equal(trace.pulses, mine[:, 3])
            assert np.array_equal(trace.resistance_ohm, mine[:, column])


@pytest.mark.parametrize("name", ["prebake", "postbake"])
def test_ni_rram_one_read_a_cell_is_read_but_is_no_trace_to_fit(name):
    path = shared(f"measured/ni-rram-python/data/{name}.tsv")
    own = np.loadtxt(path)
    traces = load_traces(path, column_map="device=0,pulse=@row,resistance=1", limits=None)
    assert [int(trace.device) for trace in traces] == own[:, 0].astype(int).tolist()
    assert [trace.resistance_ohm[0] for trace in traces] == own[:, 1].tolist()
    with pytest.raises(TraceError, match=r"no device is left. Excluded: .* too few reads: 1 reads, fewer than 30"):
        load_traces(path, column_map="device=0,pulse=@row,resistance=1")


def test_relaxation_tech_a_is_wide_by_row():
    path = shared("measured/relaxation-master-model/data/techA/tsdata.min.tsv.gz")
    traces = load_traces(path, column_map="device=0+1,conductance=2:")
    with gzip.open(path, "rt") as stream:
        own = [np.array(line.split(), dtype=float) for line in stream]
    assert [t.device for t in traces] == ["0/0", "8/0", "16/0", "24/0", "31/0"]
    for trace, row in zip(traces, own, strict=True):
        assert len(trace) == 100_000
        np.testing.assert_allclose(trace.resistance_ohm, 1 / row[2:], rtol=1e-14)


def test_relaxation_tech_c_is_sorted_by_time_not_by_cell():
    path = shared("measured/relaxation-master-model/data/techC/relaxdata.min.tsv.gz")
    traces = load_traces(path, column_map="device=0,pulse=@row,resistance=2", limits=None)
    with gzip.open(path, "rt") as stream:
        rows = [line.split("\t") for line in stream]
    address = traces.traces[7].device
    own = [float(row[2]) for row in rows if row[0] == address]
    assert traces.traces[7].resistance_ohm.tolist() == own


def test_relaxation_tech_b_keeps_every_cell_in_the_order_of_time():
    path = shared("measured/relaxation-master-model/data/techB/relaxdata_10k.min.tsv.gz")
    with gzip.open(path, "rt") as stream:
        rows = [line.rstrip("\n").split("\t") for line in stream]
    traces = load_traces(path, column_map="device=0,pulse=@row,resistance=2", limits=None)
    address = traces.traces[3].device
    own = [float(row[2]) for row in rows if row[0] == address]
    assert traces.traces[3].resistance_ohm.tolist() == own


@pytest.mark.parametrize("column_map", [None, "pulse=@row,resistance=0", "pulse=@row,conductance=0:1"])
def test_aihwkit_gong_is_refused_because_ln_r_is_undefined(column_map):
    path = shared("measured/aihwkit-gong/gong_et_al.csv")
    with pytest.raises(TraceFormatError, match=r"ln R is undefined"):
        load_traces(path, column_map=column_map)
